// Adding and closing edges, and the test that every walk applies.
#include "core/links.hpp"

#include <algorithm>

#include "core/check.hpp"

namespace remanence {

void Links::add(const Edge& edge) {
    const auto index = static_cast<std::uint32_t>(edges_.size());
    const std::size_t nodes = std::max(edge.source, edge.target) + std::size_t{1};
    if (first_out_.size() < nodes) {
        first_out_.resize(std::max(nodes, first_out_.size() * 3 / 2), none);
        first_in_.resize(first_out_.size(), none);
    }
    edges_.push_back(edge);
    next_out_.push_back(first_out_[edge.source]);
    next_in_.push_back(first_in_[edge.target]);
    first_out_[edge.source] = index;
    first_in_[edge.target] = index;
    ids_.insert(edge.id, index);
    live_ += edge.seq_to == seq_open ? 1 : 0;
}

void Links::close(std::uint32_t index, Seq seq) {
    edges_[index].seq_to = seq;
    --live_;
}

void Links::close_node(std::uint32_t node, Seq seq) {
    if (node >= first_out_.size()) return;
    for (std::uint32_t e = first_out_[node]; e != none; e = next_out_[e]) {
        if (open(e)) close(e, seq);
    }
    for (std::uint32_t e = first_in_[node]; e != none; e = next_in_[e]) {
        if (open(e)) close(e, seq);
    }
}

EdgeTest::EdgeTest(const Columns& columns, const EdgeFilter& filter)
    : columns_(columns), filter_(filter), seq_(seq_seen(filter.as_of)) {
    check(filter.min_weight >= 0.0F && filter.min_weight <= 1.0F, "graph", [&] {
        return "min_weight must be in [0, 1] (got " + std::to_string(filter.min_weight) + ")";
    });
}

bool EdgeTest::edge(const Edge& e, bool outgoing) const {
    if (e.seq_from > seq_ || e.seq_to <= seq_) return false;
    if (filter_.direction == Direction::out && !outgoing) return false;
    if (filter_.direction == Direction::in && outgoing) return false;
    if (e.weight < filter_.min_weight) return false;
    if (filter_.valid_at &&
        (e.valid_from > *filter_.valid_at || !open_at(e.valid_to, *filter_.valid_at))) {
        return false;
    }
    return !filter_.types ||
           std::find(filter_.types->begin(), filter_.types->end(), e.type) != filter_.types->end();
}

}  // namespace remanence
