// Looking edges up in a view of a graph: columns, lists, degrees, rows of arcs.
#include <algorithm>

#include "core/check.hpp"
#include "core/rows.hpp"
#include "core/threads.hpp"

namespace remanence {

GraphView::GraphView(std::shared_ptr<const GraphState> state) : state_(std::move(state)) {}

std::size_t GraphView::nodes() const { return state_->nodes; }
std::size_t GraphView::edges() const { return state_->edges(); }
Seq GraphView::seq() const { return state_->seq; }

GraphEdgeColumns GraphView::edge_columns(View<const std::int64_t> edges) const {
    const Arcs& arcs = state_->arcs();
    GraphEdgeColumns out;
    for (const std::int64_t number : edges) {
        if (number < 0 || number >= state_->edges()) {
            throw NotFound("edge_columns: there is no edge " + std::to_string(number));
        }
        const auto e = static_cast<std::uint32_t>(number);
        if (e >= arcs.edges) {
            const LogEdge& l = state_->epoch->log->at(e - arcs.edges);
            out.source.push_back(l.source);
            out.target.push_back(l.target);
            out.type.push_back(l.type);
            out.weight.push_back(l.weight);
            out.valid_from.push_back(l.valid_from);
            out.valid_to.push_back(l.valid_to);
            out.seq_from.push_back(l.seq_from);
            out.seq_to.push_back(l.seq_to.load(std::memory_order_relaxed));
        } else {
            const std::uint32_t a = arcs.place(e, false);
            out.source.push_back(arcs.source[e]);
            out.target.push_back(arcs.target[e]);
            out.type.push_back(arcs.type.at(a));
            out.weight.push_back(arcs.weight.at(a));
            out.valid_from.push_back(arcs.valid_from.at(a));
            out.valid_to.push_back(arcs.valid_to.at(a));
            out.seq_from.push_back(arcs.seq_from.at(a));
            out.seq_to.push_back(state_->closed_at(a));
        }
        // What a later commit closed is open in this view.
        if (out.seq_to.back() > state_->seq) out.seq_to.back() = seq_open;
    }
    return out;
}

namespace {

/// Marks the edges that pass as a bit each, so that they come out in order.
template <class Keep>
std::vector<std::int64_t> edges_that(const Filter& filter, Keep&& keep) {
    const GraphState& state = filter.state();
    std::vector<std::uint8_t> found(state.edges(), 0);
    with_rows(filter, [&](const auto& rows) {
        for (std::uint32_t r = 0; r < state.nodes; ++r) {
            const std::uint32_t node = state.node(r);
            if (!filter.node(node) || !keep(node)) continue;
            rows.side(r, false, [&](std::uint32_t to, const ArcAt& a) {
                if (keep(state.node(to))) found[a.edge()] = 1;
                return false;
            });
        }
    });
    std::vector<std::int64_t> out;
    for (std::size_t e = 0; e < found.size(); ++e) {
        if (found[e] != 0) out.push_back(static_cast<std::int64_t>(e));
    }
    return out;
}

}  // namespace

std::vector<std::int64_t> GraphView::find_edges(const GraphFilter& filter) const {
    const Filter ready("find_edges", *state_, filter, Reach::all);
    return edges_that(ready, [](std::uint32_t) { return true; });
}

std::vector<std::int64_t> GraphView::subgraph(View<const std::int64_t> nodes,
                                              const GraphFilter& filter) const {
    const Filter ready("subgraph", *state_, filter);
    std::vector<std::uint8_t> chosen(state_->nodes, 0);
    for (const std::int64_t node : nodes) chosen[state_->node(ready.seed("subgraph", node))] = 1;
    return edges_that(ready, [&](std::uint32_t node) { return chosen[node] != 0; });
}

std::vector<std::int64_t> GraphView::degree(const GraphFilter& filter) const {
    const Filter ready("degree", *state_, filter, Reach::all);
    std::vector<std::int64_t> out(state_->nodes, 0);
    with_rows(ready, [&](const auto& rows) {
        for (std::uint32_t r = 0; r < state_->nodes; ++r) {
            const std::uint32_t node = state_->node(r);
            if (!ready.node(node)) continue;
            rows.each(r, ready.direction(), [&](std::uint32_t, const ArcAt&) {
                ++out[node];
                return false;
            });
        }
    });
    return out;
}

Adjacency GraphView::adjacency(View<const std::int64_t> nodes, const GraphFilter& filter) const {
    const Filter ready("adjacency", *state_, filter);
    Adjacency out;
    out.start.push_back(0);
    with_rows(ready, [&](const auto& rows) {
        for (const std::int64_t node : nodes) {
            const std::uint32_t rank = ready.seed("adjacency", node);
            for (const bool in : {false, true}) {
                if (ready.direction() == (in ? Direction::out : Direction::in)) continue;
                rows.side(rank, in, [&](std::uint32_t to, const ArcAt& a) {
                    out.node.push_back(state_->node(to));
                    out.edge.push_back(a.edge());
                    out.outgoing.push_back(in ? 0 : 1);
                    return false;
                });
            }
            out.start.push_back(static_cast<std::int64_t>(out.node.size()));
        }
    });
    return out;
}

}  // namespace remanence
