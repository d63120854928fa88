// Weighted paths on the CPU: from seeds to everything, and from one node to another.
#pragma once

#include <cstdint>
#include <vector>

#include "core/path_values.hpp"

namespace remanence::cpu {

/// Best value by rank, `worst` = not reached.
Array<double> least_lengths(const Filter& filter, View<const std::uint32_t> seeds,
                            const ByLength& by);
Array<double> greatest_products(const Filter& filter, View<const std::uint32_t> seeds);

/// For each rank the edge by which a best path arrives: of those with the fewest hops the least
/// edge; -1 = seed or not reached. `values` are best values by rank.
std::vector<std::int64_t> parents(const Filter& filter, View<const std::uint32_t> seeds,
                                  const Array<double>& values, const ByLength& by);
std::vector<std::int64_t> parents(const Filter& filter, View<const std::uint32_t> seeds,
                                  const Array<double>& values, const ByWeight& by);
std::vector<std::int64_t> parents(const Filter& filter, View<const std::uint32_t> seeds,
                                  const Array<double>& values, const ByHops& by);

/// The k best paths between two ranks without a repeated node. Values that are equal are ordered by
/// hops, then by edge numbers.
std::vector<Path> best_between(const Filter& filter, std::uint32_t source, std::uint32_t target,
                               std::size_t k, PathBy by, View<const double> lengths);

}  // namespace remanence::cpu
