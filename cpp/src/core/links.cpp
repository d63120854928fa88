// Adding and closing edges, and the test that every walk applies.
#include "core/links.hpp"

#include <algorithm>

#include "core/check.hpp"

namespace remanence {

void Links::add(const Edge& edge) {
    const auto index = static_cast<std::uint32_t>(edges_.size());
    const std::size_t nodes = std::max(edge.source, edge.target) + std::size_t{1};
    if (units_.size() < nodes) units_.resize(std::max(nodes, units_.size() * 3 / 2), 0);
    edges_.push_back(edge);
    const std::uint32_t units = edge.seq_to == seq_open ? weight_units(edge.weight) : 0;
    ends_.add(edge.source, {edge.target, index * 2, units});
    ends_.add(edge.target, {edge.source, index * 2 + 1, units});
    ids_.insert(edge.id, index);
    live_ += edge.seq_to == seq_open ? 1 : 0;
}

void Links::close(std::uint32_t index, Seq seq) {
    edges_[index].seq_to = seq;
    ends_.close(edges_[index].source, index * 2);
    ends_.close(edges_[index].target, index * 2 + 1);
    --live_;
}

void Links::close_node(std::uint32_t node, Seq seq) {
    // Its own ends in one pass: a hub has thousands.
    ends_.each(node, [&](const End& end) {
        if (!open(end.index())) return;
        edges_[end.index()].seq_to = seq;
        --live_;
        ends_.close(end.other, end.edge ^ 1U);
    });
    ends_.close_all(node);
}

void Links::weigh(const Edge& edge, bool counts) {
    // Unsigned, so that adding the negative takes away.
    const std::uint64_t units = std::uint64_t{weight_units(edge.weight)} * (counts ? 1 : ~0ULL);
    units_[edge.source] += units;
    units_[edge.target] += units;
    all_units_ += units;
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
