// Personalised PageRank over the part of the graph that the seeds can reach.
#pragma once

#include <vector>

#include "core/links.hpp"

namespace remanence {

struct NodeMass {
    std::uint32_t node;
    double mass;
    double degree;  ///< summed weight of the node's edges that the walk may use
};

/// Mass of every node reached, in the order in which the walk found them.
std::vector<NodeMass> walk(const Columns& columns, const Links& links, const WalkRequest& request);

/// The log lift of each reached node over its share of all edge weight, clipped to +-4.
std::vector<NodeMass> lift(const Columns& columns, const Links& links, const WalkRequest& request);

}  // namespace remanence
