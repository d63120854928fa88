// Edges as columns with a chain per node and direction; closed edges stay for "as of".
#pragma once

#include <cstdint>
#include <vector>

#include "remanence/graph.hpp"

#include "core/columns.hpp"

namespace remanence {

/// Everything of one edge but its place in the chains.
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

class Links {
public:
    std::size_t count() const { return edges_.size(); }
    std::size_t live() const { return live_; }
    const Edge& at(std::uint32_t index) const { return edges_[index]; }
    std::uint32_t find(EdgeId id) const { return ids_.find(id); }
    void add(const Edge& edge);
    void close(std::uint32_t index, Seq seq);
    void close_node(std::uint32_t node, Seq seq);
    bool open(std::uint32_t index) const { return edges_[index].seq_to == seq_open; }

    /// Calls use(edge, outgoing) for every edge ever linked to `node`, newest first.
    template <class Use>
    void each(std::uint32_t node, Use&& use) const {
        if (node >= first_out_.size()) return;
        for (std::uint32_t e = first_out_[node]; e != none; e = next_out_[e]) use(edges_[e], true);
        for (std::uint32_t e = first_in_[node]; e != none; e = next_in_[e]) use(edges_[e], false);
    }

private:
    std::vector<Edge> edges_;
    std::vector<std::uint32_t> next_out_;
    std::vector<std::uint32_t> next_in_;
    std::vector<std::uint32_t> first_out_;  ///< [node]
    std::vector<std::uint32_t> first_in_;   ///< [node]
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
