// Newer statements above the older ones that they replace.
#pragma once

#include <map>
#include <vector>

#include "core/scan.hpp"
#include "core/state.hpp"

namespace remanence {

inline constexpr std::size_t newer_reach = 5;  ///< ranks that are looked at

/// Lifts newer rows above the ones that they replace within the best five, and reorders these.
/// Returns what each lifted row gained. The set of the best five stays as it was.
std::map<std::uint32_t, float> lift_newer(const Engine::State& state, const ScanPlan& plan,
                                          std::vector<Scored>& top);

}  // namespace remanence
