// From a request to what a scan needs.
#pragma once

#include "core/scan.hpp"
#include "core/state.hpp"

namespace remanence {

/// Resolves scopes, filters, query vector and words; refuses ids that do not exist. The plan points
/// at the state and at the request.
ScanPlan make_plan(const Engine::State& state, const Request& request);

/// The query of a vector, made a unit vector and centred.
void set_query(ScanPlan& plan, View<const float> vector);

/// What a device cannot find in its mirror: rows as they were before later accesses.
void add_past(ScanPlan& plan);

}  // namespace remanence
