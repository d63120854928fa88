// The exact fused scan on the device.
#pragma once

#include <memory>

#include "core/device.hpp"

namespace remanence::cuda {

std::unique_ptr<DeviceRows> make_rows();

}  // namespace remanence::cuda
