// Links between memories: writing them, and asking who stands next to whom.
#include <algorithm>
#include <mutex>
#include <numeric>
#include <unordered_set>

#include "core/check.hpp"
#include "core/state.hpp"

namespace remanence {
namespace {

void check_edges(const Engine::State& state, const EdgeBatch& b) {
    const std::size_t n = b.edge.size();
    check_length("link", "source", b.source.size(), n);
    check_length("link", "target", b.target.size(), n);
    check_length("link", "type", b.type.size(), n);
    check_length("link", "weight", b.weight.size(), n);
    check_length("link", "valid_from", b.valid_from.size(), n);
    check_length("link", "valid_to", b.valid_to.size(), n);
    std::unordered_set<EdgeId> seen;
    for (std::size_t i = 0; i < n; ++i) {
        check(b.edge[i] > 0 && state.links.find(b.edge[i]) == none && seen.insert(b.edge[i]).second,
              "link", [&] {
                  return "edge ids must be positive and new (got " + std::to_string(b.edge[i]) +
                         ")";
              });
        for (const Id id : {b.source[i], b.target[i]}) {
            if (state.columns.live_row(id) == none) {
                throw NotFound("link: there is no memory " + std::to_string(id));
            }
        }
        check(b.source[i] != b.target[i], "link", [&] {
            return "a memory cannot be linked to itself (got " + std::to_string(b.source[i]) + ")";
        });
        check(b.type[i] != 0, "link", [] { return std::string("edge type 0 means none"); });
        check_unit_interval("link", "weight", b.weight[i]);
        check_interval("link", b.valid_from[i], b.valid_to[i]);
    }
}

}  // namespace

void Engine::link(View<const Seq> seq, const EdgeBatch& batch, bool check_only) {
    const WriteLock lock(*state_);
    if (batch.edge.empty()) return;
    check_seq("link", seq, batch.edge.size(), state_->seq);
    check_edges(*state_, batch);
    if (check_only) return;
    const Columns& columns = state_->columns;
    for (std::size_t i = 0; i < batch.edge.size(); ++i) {
        state_->links.add({batch.edge[i], columns.node_of(batch.source[i]),
                           columns.node_of(batch.target[i]), batch.valid_from[i], batch.valid_to[i],
                           seq_of(seq, i), seq_open, batch.weight[i], batch.type[i]});
        state_->weigh(state_->links.newest(), true);
    }
    state_->seq = seq.back();
}

void Engine::unlink(View<const Seq> seq, View<const EdgeId> edges, bool check_only) {
    const WriteLock lock(*state_);
    if (edges.empty()) return;
    check_seq("unlink", seq, edges.size(), state_->seq);
    std::unordered_set<EdgeId> seen;
    for (const EdgeId id : edges) {
        const std::uint32_t index = state_->links.find(id);
        if (index == none || !state_->links.open(index) || !seen.insert(id).second) {
            throw NotFound("unlink: there is no edge " + std::to_string(id));
        }
    }
    if (check_only) return;
    for (std::size_t i = 0; i < edges.size(); ++i) {
        const std::uint32_t index = state_->links.find(edges[i]);
        state_->weigh(state_->links.at(index), false);
        state_->links.close(index, seq_of(seq, i));
    }
    state_->seq = seq.back();
}

Neighbours Engine::neighbours(Id id, const EdgeFilter& filter) const {
    const std::shared_lock lock(state_->mutex);
    const Columns& columns = state_->columns;
    const std::uint32_t node = columns.node_of(id);
    const EdgeTest test(columns, filter);
    if (node == none || !test.node(node)) {
        throw NotFound("neighbours: there is no memory " + std::to_string(id));
    }
    std::vector<std::pair<const Edge*, bool>> found;
    state_->links.each(node, [&](const Edge& e, bool outgoing) {
        if (test.edge(e, outgoing) && test.node(outgoing ? e.target : e.source)) {
            found.emplace_back(&e, outgoing);
        }
    });
    std::sort(found.begin(), found.end(),
              [](const auto& a, const auto& b) { return a.first->id < b.first->id; });
    Neighbours out;
    for (const auto& [e, outgoing] : found) {
        out.edge.push_back(e->id);
        out.id.push_back(columns.id_of(outgoing ? e->target : e->source));
        out.type.push_back(e->type);
        out.weight.push_back(e->weight);
        out.outgoing.push_back(outgoing ? 1 : 0);
        out.valid_from.push_back(e->valid_from);
        out.valid_to.push_back(e->valid_to);
    }
    return out;
}

Reached Engine::khop(View<const Id> seeds, int hops, const EdgeFilter& filter,
                     std::size_t limit) const {
    const std::shared_lock lock(state_->mutex);
    check(hops >= 0 && hops <= 64, "khop",
          [&] { return "hops must be between 0 and 64 (got " + std::to_string(hops) + ")"; });
    const Columns& columns = state_->columns;
    const EdgeTest test(columns, filter);
    std::unordered_set<std::uint32_t> seen;
    std::vector<std::uint32_t> level;
    Reached out;
    for (const Id id : seeds) {
        const std::uint32_t node = columns.node_of(id);
        if (node == none || !test.node(node)) {
            throw NotFound("khop: there is no memory " + std::to_string(id));
        }
        if (seen.insert(node).second) level.push_back(node);
    }
    for (int hop = 0; !level.empty() && out.id.size() < limit; ++hop) {
        std::sort(level.begin(), level.end(), [&](std::uint32_t a, std::uint32_t b) {
            return columns.id_of(a) < columns.id_of(b);
        });
        for (const std::uint32_t node : level) {
            if (out.id.size() == limit) return out;
            out.id.push_back(columns.id_of(node));
            out.hop.push_back(hop);
        }
        if (hop == hops) break;
        std::vector<std::uint32_t> next;
        for (const std::uint32_t node : level) {
            state_->links.each(node, [&](const Edge& e, bool outgoing) {
                const std::uint32_t other = outgoing ? e.target : e.source;
                if (seen.contains(other) || !test.edge(e, outgoing) || !test.node(other)) return;
                seen.insert(other);
                next.push_back(other);
            });
        }
        level = std::move(next);
    }
    return out;
}

}  // namespace remanence
