// Edges by number and by node; closed edges stay for "as of".
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "remanence/graph.hpp"

#include "core/columns.hpp"
#include "core/ends.hpp"

namespace remanence {

/// Everything of one edge.
struct Edge {
    EdgeId id;
    std::uint32_t source;  ///< node
    std::uint32_t target;  ///< node
    TimeNs valid_from;
    TimeNs valid_to;
    Seq seq_from;
    Seq seq_to;
    float weight;
    std::uint16_t type;
    std::uint16_t padding = 0;
};

/// A weight as an integer, so that sums of weights have one value in any order.
inline std::uint32_t weight_units(float weight) {
    return std::max(1U, static_cast<std::uint32_t>(double{weight} * 0x1p31));
}

class Links {
public:
    std::size_t count() const { return edges_.size(); }
    std::size_t live() const { return live_; }
    const Edge& at(std::uint32_t index) const { return edges_[index]; }
    const Edge& newest() const { return edges_.back(); }
    std::uint32_t find(EdgeId id) const { return ids_.find(id); }
    void add(const Edge& edge);
    void close(std::uint32_t index, Seq seq);
    void close_node(std::uint32_t node, Seq seq);
    /// Counts an edge, or no longer, among those that are seen now with both of their ends.
    void weigh(const Edge& edge, bool counts);
    /// Summed units of a node's edges that are seen now; 0 too where the node is not.
    std::uint64_t units(std::uint32_t node) const {
        return node < units_.size() ? units_[node] : 0;
    }
    std::uint64_t all_units() const { return all_units_; }
    bool open(std::uint32_t index) const { return edges_[index].seq_to == seq_open; }

    /// Calls use(edge, outgoing) for every edge ever linked to `node`, oldest first.
    template <class Use>
    void each(std::uint32_t node, Use&& use) const {
        ends_.each(node, [&](const End& end) { use(edges_[end.index()], end.outgoing()); });
    }
    /// Asks memory for the edges of a node.
    void fetch_edges(std::uint32_t node) const {
        ends_.each(node, [&](const End& end) { __builtin_prefetch(&edges_[end.index()]); });
    }
    const Ends& ends() const { return ends_; }
    /// In memory, apart from the table of ids.
    std::size_t bytes() const {
        return edges_.size() * sizeof(Edge) + units_.size() * sizeof(std::uint64_t) + ends_.bytes();
    }

private:
    std::vector<Edge> edges_;
    Ends ends_;
    std::vector<std::uint64_t> units_;  ///< [node]
    std::uint64_t all_units_ = 0;
    IdTable ids_;
    std::size_t live_ = 0;
};

/// An EdgeFilter made ready: whether one edge, and the memory at its other end, may be used.
class EdgeTest {
public:
    EdgeTest(const Columns& columns, const EdgeFilter& filter);
    bool edge(const Edge& e, bool outgoing) const;
    bool node(std::uint32_t node) const { return columns_.visible_row(node, seq_) != none; }

private:
    const Columns& columns_;
    const EdgeFilter& filter_;
    Seq seq_;
};

}  // namespace remanence
