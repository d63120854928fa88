// Personalised PageRank on the CPU: exact to a tolerance, and local.
#pragma once

#include <cstdint>
#include <vector>

#include "core/projection.hpp"

namespace remanence::cpu {

struct WalkSettings {
    double damping;
    double tolerance;  ///< L1 distance from the exact answer
};

/// Where a walk starts: shares of ranks that sum to one, ascending ranks.
struct WalkStart {
    std::vector<std::uint32_t> rank;
    std::vector<double> share;
};

/// The graph of a walk made ready: whom a node pulls from, and one over its own degree.
class WalkGraph {
public:
    explicit WalkGraph(const Filter& filter);
    const Projection& rows() const { return rows_; }
    double inverse(std::uint32_t r) const { return inverse_[r]; }
    double degree(std::uint32_t r) const { return degree_[r]; }

private:
    Projection rows_;
    Array<double> degree_;
    Array<double> inverse_;  ///< 0 for a node without arcs
};

/// Mass by rank of each question.
std::vector<Array<double>> walk(const WalkGraph& graph, const std::vector<WalkStart>& starts,
                                const WalkSettings& settings);

}  // namespace remanence::cpu
