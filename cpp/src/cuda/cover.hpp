// Covers on the device.
#pragma once

#include "remanence/types.hpp"

#include "core/cover.hpp"

namespace remanence::cuda {

/// The place that stands for each place; `stands` [rows] is overwritten.
void cover(const CoverPlan& plan, View<std::uint32_t> stands);

}  // namespace remanence::cuda
