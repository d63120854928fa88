// Communities of the undirected view of a graph, the same for every thread count and layout.
#pragma once

#include <cstdint>
#include <vector>

#include "core/projection.hpp"

namespace remanence::cpu {

/// An undirected graph with summed weights: every edge stands in both rows, a loop once with twice
/// its weight.
struct Undirected {
    std::vector<std::uint32_t> offset;  ///< [n + 1]
    std::vector<std::uint32_t> to;
    std::vector<double> weight;
    std::vector<double> degree;  ///< [n] summed weight of the row
    double total = 0.0;          ///< of all degrees

    std::uint32_t size() const { return static_cast<std::uint32_t>(degree.size()); }
    void sum_degrees();
};

/// The arcs that pass as rows by node.
Undirected undirected(const Filter& filter);

using Labels = std::vector<std::uint32_t>;

/// Leiden (Traag, Waltman & van Eck 2019), deterministic: nodes in an order drawn from `seed`, ties
/// to the smallest label, the best move in place of a random one.
Labels leiden(const Undirected& graph, double resolution, std::uint64_t seed);

/// Label propagation (Raghavan, Albert & Kumara 2007) in an order drawn from `seed`.
Labels propagate_labels(const Undirected& graph, std::uint64_t seed);

/// Splits what does not hang together, and names each community by its least node.
void tidy(const Undirected& graph, Labels& labels);

/// sum over communities of inside / total - resolution * (degrees / total)^2.
double modularity(const Undirected& graph, const Labels& labels, double resolution);

/// Nodes in the order that the seed draws.
std::vector<std::uint32_t> drawn_order(std::uint32_t n, std::uint64_t seed);

/// Sums of weight per label that are emptied by what was added.
class LabelSums {
public:
    explicit LabelSums(std::uint32_t n) : sum_(n, -1.0) {}
    void add(std::uint32_t label, double weight) {
        if (sum_[label] < 0.0) {
            sum_[label] = 0.0;
            labels_.push_back(label);
        }
        sum_[label] += weight;
    }
    double at(std::uint32_t label) const { return sum_[label] < 0.0 ? 0.0 : sum_[label]; }
    const std::vector<std::uint32_t>& labels() const { return labels_; }
    void clear() {
        for (const std::uint32_t l : labels_) sum_[l] = -1.0;
        labels_.clear();
    }

private:
    std::vector<double> sum_;  ///< below zero = not there
    std::vector<std::uint32_t> labels_;
};

}  // namespace remanence::cpu
