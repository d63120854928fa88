// Covers on the CPU.
#pragma once

#include "remanence/types.hpp"

#include "core/cover.hpp"

namespace remanence::cpu {

/// The place that stands for each place; `stands` [rows] holds no_place.
void cover(const CoverPlan& plan, View<std::uint32_t> stands);

}  // namespace remanence::cpu
