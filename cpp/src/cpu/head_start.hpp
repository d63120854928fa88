// A bar before the scan, so that few rows reach it while it would still rise.
#pragma once

#include <vector>

#include "cpu/questions.hpp"

namespace remanence::cpu {

/// A score that as many rows as the question wants reach for certain; `lowest` where its words tell
/// of none. `encoded`: rows of each segment that have a code.
float head_start(const Question& question, const std::vector<std::uint32_t>& encoded);

}  // namespace remanence::cpu
