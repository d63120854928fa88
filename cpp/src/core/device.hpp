// What a backend in a library of its own offers an engine; it answers with the processor's bits.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/scan.hpp"

namespace remanence {

/// The rows of one engine, mirrored on a device. Calls may come from several threads at a time.
class DeviceRows {
public:
    virtual ~DeviceRows() = default;
    DeviceRows() = default;
    DeviceRows(const DeviceRows&) = delete;
    DeviceRows& operator=(const DeviceRows&) = delete;

    /// The `keep` best rows of each plan by own evidence, exact, best first. What the columns say
    /// has changed since the last call is copied first. Throws OutOfMemory, DeviceError.
    virtual std::vector<ScanAnswer> search(View<const ScanPlan> plans) = 0;
    /// The k best rows of each vector, asked like the plan, which has none. Returns when they are
    /// there. Throws InvalidArgument for a vector without a direction.
    virtual void search_vectors(const ScanPlan& like, const VectorQuestions& questions) = 0;
};

}  // namespace remanence
