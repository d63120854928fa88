// Breadth-first questions on the CPU: hops from seeds, whole searches, components.
#pragma once

#include <cstdint>
#include <vector>

#include "core/rows.hpp"

namespace remanence::cpu {

/// The nodes that arcs lead to, of a small base and for many questions; of arcs that do not pass
/// the number of nodes. Empty where to ask each arc takes less.
Array<std::uint32_t> passing_nodes(const Filter& filter, std::size_t questions);

/// Appends the nodes within `hops` of the seeds (ranks) to out, ordered by (hop, node).
void khop(const Filter& filter, const Array<std::uint32_t>& passing,
          View<const std::uint32_t> seeds, int hops, std::size_t limit, Hops& out);

/// Hops by rank from the nearest seed, -1 = not reached.
Array<std::int32_t> bfs(const Filter& filter, View<const std::uint32_t> seeds);

/// Least node of the component by node.
std::vector<std::int64_t> components(const Filter& filter);

}  // namespace remanence::cpu
