// Weighted paths on the CPU: from seeds to everything, and from one node to another.
#pragma once

#include <cstdint>
#include <limits>
#include <vector>

#include "core/rows.hpp"

namespace remanence::cpu {

/// What a path is worth, arc by arc. `extend` never betters, and is monotone also when rounded, so
/// the best value of a node is the same whatever the order of relaxation.
struct ByHops {
    static constexpr double start = 0.0;
    static constexpr double worst = std::numeric_limits<double>::infinity();
    static bool better(double a, double b) { return a < b; }
    double extend(double value, const ArcAt&) const { return value + 1.0; }
};
struct ByLength {
    static constexpr double start = 0.0;
    static constexpr double worst = std::numeric_limits<double>::infinity();
    View<const double> lengths;  ///< [edges]; empty = the weights
    static bool better(double a, double b) { return a < b; }
    double extend(double value, const ArcAt& a) const {
        return value + (lengths.empty() ? static_cast<double>(a.weight()) : lengths[a.edge()]);
    }
};
struct ByWeight {
    static constexpr double start = 1.0;
    static constexpr double worst = 0.0;
    static bool better(double a, double b) { return a > b; }
    double extend(double value, const ArcAt& a) const {
        return value * static_cast<double>(a.weight());
    }
};

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
