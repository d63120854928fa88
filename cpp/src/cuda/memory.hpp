// Device memory for a caller's arrays.
#pragma once

#include "remanence/backend.hpp"

namespace remanence::cuda {

const DeviceMemory* memory();

}  // namespace remanence::cuda
