// The exact fused scan on the CPU.
#pragma once

#include "core/scan.hpp"

namespace remanence::cpu {

/// The `keep` best rows of the plan by own evidence, exact, best first, for any thread count.
ScanAnswer search(const ScanPlan& plan, std::size_t keep, int workers);

}  // namespace remanence::cpu
