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

}  // namespace remanence
