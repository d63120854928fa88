// The order in which a graph lays out its nodes.
#pragma once

#include <cstdint>

#include "core/array.hpp"

namespace remanence {

/// Nodes by degree descending, then by number.
Array<std::uint32_t> order_by_degree(const Array<std::uint32_t>& degree);

}  // namespace remanence
