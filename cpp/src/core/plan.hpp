// From a request to what a scan needs.
#pragma once

#include "core/scan.hpp"
#include "core/state.hpp"

namespace remanence {

/// Resolves scopes, filters, query vector and words; refuses ids that do not exist. The plan points
/// at the state and at the request.
ScanPlan make_plan(const Engine::State& state, const Request& request);

}  // namespace remanence
