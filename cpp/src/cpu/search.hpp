// The CPU's fused search: exact best rows by own evidence for one question or many.
#pragma once

#include <vector>

#include "core/scan.hpp"

namespace remanence::cpu {

/// The best `plan.keep` rows of every plan, by (score descending, id ascending). All plans are of
/// one store. Many questions share the reading of the codes.
std::vector<ScanAnswer> search(const std::vector<ScanPlan>& plans, int workers);

}  // namespace remanence::cpu
