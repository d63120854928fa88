// Communities of the undirected view of a graph, the same for every thread count and layout.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include "core/partition.hpp"
#include "core/projection.hpp"

namespace remanence::cpu {

/// An undirected graph with summed weights: every edge stands in both rows, a loop once with twice
/// its weight.
struct Undirected {
    struct Arc {
        std::uint32_t to;
        float weight;
    };
    std::vector<std::uint32_t> offset;  ///< [n + 1]
    std::vector<Arc> arcs;
    std::vector<double> degree;  ///< [n] summed weight of the row
    double total = 0.0;          ///< of all degrees
    Array<std::uint32_t> node;   ///< [n] what the numbers stand for; empty where it was folded

    std::uint32_t size() const { return static_cast<std::uint32_t>(degree.size()); }
    std::span<const Arc> row(std::uint32_t v) const {
        return {arcs.data() + offset[v], arcs.data() + offset[v + 1]};
    }
    void sum_degrees();
    /// Summed weight of the arcs of a row that lead where `wanted` says, in four lanes by place.
    template <class Wanted>
    double sum_row(std::uint32_t v, Wanted&& wanted) const {
        double lane[4] = {0.0, 0.0, 0.0, 0.0};
        const std::span<const Arc> arcs_of = row(v);
        for (std::size_t i = 0; i < arcs_of.size(); ++i) {
            if (wanted(arcs_of[i].to)) lane[i % 4] += static_cast<double>(arcs_of[i].weight);
        }
        return (lane[0] + lane[1]) + (lane[2] + lane[3]);
    }
};

/// The arcs that pass. Nodes are numbered by arcs descending, then by node, whatever the layout.
Undirected undirected(const Filter& filter);

using Labels = std::vector<std::uint32_t>;

/// Leiden (Traag, Waltman & van Eck 2019), deterministic: nodes of many arcs first, equal ones in
/// an order drawn from `seed`, ties to the smallest label, the best move in place of a random one.
Labels leiden(const Undirected& graph, double resolution, std::uint64_t seed);

/// Label propagation (Raghavan, Albert & Kumara 2007) in an order drawn from `seed`.
Labels propagate_labels(const Undirected& graph, std::uint64_t seed);

/// Splits what does not hang together: the least node of each node's community, by node.
Labels tidy(const Undirected& graph, const Labels& labels);

/// As modularity_of; labels by node.
double modularity(const Undirected& graph, const Labels& by_node, double resolution);

/// Sums of weight per label that are emptied by what was added.
class LabelSums {
public:
    explicit LabelSums(std::uint32_t n) : sum_(n, -1.0), labels_(std::size_t{n} + 1) {}
    /// Without a branch, which would be guessed wrong at many arcs.
    void add(std::uint32_t label, double weight) {
        const double old = sum_[label];
        labels_[count_] = label;
        count_ += old < 0.0 ? 1 : 0;
        sum_[label] = std::max(old, 0.0) + weight;
    }
    double at(std::uint32_t label) const { return std::max(sum_[label], 0.0); }
    std::span<const std::uint32_t> labels() const { return {labels_.data(), count_}; }
    void clear() {
        for (const std::uint32_t l : labels()) sum_[l] = -1.0;
        count_ = 0;
    }

private:
    std::vector<double> sum_;  ///< below zero = not there
    std::vector<std::uint32_t> labels_;
    std::size_t count_ = 0;
};

}  // namespace remanence::cpu
