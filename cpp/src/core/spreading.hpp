// Activation that spreads from a question's cues, as far as it could matter.
#pragma once

#include <vector>

#include "core/scan.hpp"
#include "core/state.hpp"

namespace remanence {

struct NodeLift {
    std::uint32_t node;
    double lift;
};

/// The log lift of personalised PageRank from the cues over each node's share of all edge weight,
/// of the nodes where it is positive, at most 4. Mass is pushed round by round from where more than
/// a quarter of a node's share waits, so a mass is off by less than a quarter of that share, and a
/// lift of x by about 1 / (4 e^x). Source: Andersen, Chung, Lang 2006. Throws NotFound.
std::vector<NodeLift> spreading(const Engine::State& state, const ScanPlan& plan);

}  // namespace remanence
