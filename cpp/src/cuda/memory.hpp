// Device memory for a caller's arrays, and what this process holds and has copied there.
#pragma once

#include "remanence/backend.hpp"

namespace remanence::cuda {

const DeviceMemory* memory();
std::size_t held_bytes();
std::size_t copied_bytes();

}  // namespace remanence::cuda
