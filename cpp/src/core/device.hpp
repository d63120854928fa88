// What a backend in a library of its own offers an engine; it answers with the processor's bits.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/scan.hpp"

namespace remanence {

/// The rows of one engine, mirrored on a device. Calls may come from several threads at a time.
class DeviceRows {
public:
    virtual ~DeviceRows() = default;
    DeviceRows() = default;
    DeviceRows(const DeviceRows&) = delete;
    DeviceRows& operator=(const DeviceRows&) = delete;

    /// The `keep` best rows of the plan by own evidence, exact, best first. What the columns say
    /// has changed since the last call is copied first. Throws OutOfMemory, DeviceError.
    virtual ScanAnswer search(const ScanPlan& plan, std::size_t keep) = 0;
};

/// Up to 16 questions of a walk. Those that only fill up have no share.
struct DeviceStart {
    std::uint32_t width = 1;           ///< questions: 1, 2, 4, 8 or 16
    std::vector<std::uint32_t> ranks;  ///< where a walk starts, each once
    std::vector<double> share;         ///< [ranks][width]
    double* mass = nullptr;            ///< the answer, [ranks of the graph][width]
};

/// A graph of plain rows by rank, what each node hands on, and when a walk stops.
struct DeviceWalk {
    std::uint32_t ranks = 0;
    View<const std::uint32_t> rows;  ///< [active][2] first arc and the one after the last
    View<const std::uint32_t> to;
    View<const float> weight;  ///< empty = every weight is `one`
    float one = 1.0F;
    View<const double> inverse;  ///< [ranks] one over the degree; 0 = no arcs
    double damping = 0.0;
    double change = 0.0;   ///< a walk is done when damping times its change is at most this
    bool rounded = false;  ///< nodes hand over single precision
};

}  // namespace remanence
