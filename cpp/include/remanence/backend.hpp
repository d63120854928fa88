// The door to the backends: which are here, why another is not, and which instruction set runs.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "remanence/export.hpp"

namespace remanence {

/// Names of the backends that can run here, "cpu" first.
REMANENCE_API std::vector<std::string> available_backends();

/// One sentence on why `name` cannot run here; empty when it can.
REMANENCE_API std::string why_unavailable(std::string_view name);

/// The instruction set in use: "scalar", "avx2", "avx512" or "neon". The environment variable
/// REMANENCE_SIMD forces one by name; an unknown or unsupported name throws BackendUnavailable.
REMANENCE_API std::string simd();
REMANENCE_API std::vector<std::string> available_simd();

/// Threads that one call may use (default: the cores this process may run on, at most 64).
REMANENCE_API int threads();
REMANENCE_API void set_threads(int count);

REMANENCE_API std::string version();
REMANENCE_API std::string build_id();

/// Bytes of device memory that this process holds through a backend; 0 for the processor. Throws
/// BackendUnavailable.
REMANENCE_API std::size_t device_bytes(const std::string& name);

/// Bytes that this process has copied to a backend's device so far; 0 for the processor. Throws
/// BackendUnavailable.
REMANENCE_API std::size_t device_bytes_copied(const std::string& name);

/// Memory of a backend's device, for arrays that stay there. The copies return when they are done;
/// all but the last two throw OutOfMemory or DeviceError.
struct DeviceMemory {
    int dlpack_kind;  ///< what DLPack calls such a device
    void* (*allocate)(std::size_t bytes);
    void (*to_device)(void* device, const void* host, std::size_t bytes);
    void (*to_host)(void* host, const void* device, std::size_t bytes);
    /// Returns when everything that was given to a caller's stream is done.
    void (*wait_for)(void* stream);
    bool (*holds)(const void* at, std::size_t bytes);
    void (*release)(void* at, std::size_t bytes) noexcept;
};

/// Throws BackendUnavailable, and InvalidArgument for the processor, which has no other memory.
REMANENCE_API const DeviceMemory& device_memory(const std::string& backend);

}  // namespace remanence
