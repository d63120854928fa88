// Personalised PageRank on the CPU: exact to a tolerance, and local.
#pragma once

#include <cstdint>
#include <vector>

#include "core/projection.hpp"
#include "core/walk_stop.hpp"

namespace remanence::cpu {

/// Where a walk starts: shares of ranks that sum to one, ascending ranks.
struct WalkStart {
    std::vector<std::uint32_t> rank;
    std::vector<double> share;
};

/// The graph of a walk made ready: whom a node pulls from, and one over its own degree.
class WalkGraph {
public:
    explicit WalkGraph(const Filter& filter);
    /// The rows of a part that no arc leaves; sums, and what they are rounded to, stay the same.
    WalkGraph(const WalkGraph& all, const RankPart& part);
    /// What mass can reach from the starts; empty where arcs may lead in from elsewhere.
    RankPart reached(const std::vector<WalkStart>& starts) const;
    const Projection& rows() const { return rows_; }
    double inverse(std::uint32_t r) const { return inverse_[r]; }
    const double* inverse() const { return inverse_.data(); }
    double degree(std::uint32_t r) const { return degree_[r]; }
    double greatest_inverse() const { return greatest_inverse_; }

private:
    const Filter* filter_;
    Projection rows_;
    Array<double> degree_;
    Array<double> inverse_;  ///< 0 for a node without arcs
    double greatest_inverse_ = 0.0;
};

/// Mass by rank of each question.
std::vector<Array<double>> walk(const WalkGraph& graph, const std::vector<WalkStart>& starts,
                                const WalkSettings& settings);

inline constexpr std::size_t together = 16;       ///< questions that share a pass
inline constexpr std::size_t least_together = 4;  ///< fewer are answered one by one

/// The same bits for up to 16 questions, in passes that read each arc once.
void walk_together(const WalkGraph& graph, View<const WalkStart> starts,
                   const WalkSettings& settings, std::vector<Array<double>>& out);

/// Approximate mass near the start by pushing residuals (Andersen, Chung & Lang 2006): a node is
/// pushed while its residual exceeds `residual` per arc. What is never pushed, `left`, is dealt out
/// by share of arcs: the masses are off by at most twice that. The seeds are in the order of their
/// nodes. The `top` greatest, ties by node.
NodeMasses push(const Filter& filter, const WalkStart& start, double damping, double residual,
                std::size_t top);

}  // namespace remanence::cpu
