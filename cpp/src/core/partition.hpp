// What every backend shares of communities: the order of the nodes, and the worth of a partition.
#pragma once

#include <cstdint>
#include <vector>

#include "remanence/types.hpp"

#include "core/array.hpp"

namespace remanence {

/// The numbers from 0 in the order that the seed draws.
std::vector<std::uint32_t> drawn_order(std::uint32_t n, std::uint64_t seed);

/// How label propagation goes: the labels that nodes start with, and when each has its turn.
struct LabelOrder {
    std::vector<std::uint32_t> label, turn;  ///< by node
};
/// Labels by `node`, which holds the nodes by arcs descending; turns as the seed draws them.
LabelOrder label_order(const Array<std::uint32_t>& node, std::uint64_t seed);

/// Of the rows of an undirected graph by node: summed weights, and those of the arcs that stay in
/// the row's community. Both in four lanes by place in the row.
struct RowSums {
    std::vector<double> degree, inside;
};

/// sum over communities of inside / total - resolution * (degrees / total)^2; labels are nodes, by
/// node. Rows are added up in the order of `node`.
double modularity_of(const Array<std::uint32_t>& node, const RowSums& rows,
                     View<const std::uint32_t> label, double resolution);

}  // namespace remanence
