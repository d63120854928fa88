// The door to the backends: which are here, why another is not, and which instruction set runs.
#pragma once

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

}  // namespace remanence
