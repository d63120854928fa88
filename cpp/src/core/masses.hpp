// The masses of walks on the backend that a caller names.
#pragma once

#include <string_view>
#include <vector>

#include "cpu/propagate.hpp"

namespace remanence {

/// cpu::walk on any backend, with its bits; with `degree` also the degree of every rank. Throws
/// BackendUnavailable.
std::vector<Array<double>> walk_on(const char* verb, std::string_view backend, const Filter& filter,
                                   const std::vector<cpu::WalkStart>& starts,
                                   const WalkSettings& settings, Array<double>* degree = nullptr);

}  // namespace remanence
