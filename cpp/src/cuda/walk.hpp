// Walks with restart on the device; graph and starts were checked before.
#pragma once

#include "core/device.hpp"

namespace remanence::cuda {

void walk(const DeviceWalk& graph, View<const DeviceStart> starts);

}  // namespace remanence::cuda
