// Subjects: what memories are about, who mentions it, and what that is worth.
#include <algorithm>
#include <map>

#include "remanence/error.hpp"

#include "core/gains.hpp"

namespace remanence {
namespace {

constexpr std::size_t name_limit = 4096;  // a name that more memories hold says nothing

using Rows = std::vector<std::uint32_t>;

/// Reads the edges between memories and the entities that they are about or mention, once each.
class Subjects {
public:
    Subjects(const Engine::State& state, const ScanPlan& plan)
        : state_(state), test_(state.columns, filter_of(plan, filter_)), seq_(plan.seq) {}

    /// Nodes at the other end of a row's edges of one type.
    Rows of(std::uint32_t row, std::uint16_t type) const {
        const std::uint32_t node = state_.columns.at(row).node[Columns::within(row)];
        return ends(node, type, true);
    }
    /// Memories that are about an entity, ascending.
    const Rows& about(std::uint32_t entity) { return rows(about_, entity, edge_type::about); }
    /// Memories that mention it, ascending.
    const Rows& mention(std::uint32_t entity) {
        return rows(mention_, entity, edge_type::mentions);
    }

private:
    static const EdgeFilter& filter_of(const ScanPlan& plan, EdgeFilter& filter) {
        filter.as_of = plan.seq;
        return filter;
    }
    Rows ends(std::uint32_t node, std::uint16_t type, bool outward) const {
        Rows found;
        state_.links.each(node, [&](const Edge& e, bool outgoing) {
            if (e.type != type || outgoing != outward || !test_.edge(e, outgoing)) return;
            const std::uint32_t other = outgoing ? e.target : e.source;
            if (test_.node(other)) found.push_back(other);
        });
        return found;
    }
    const Rows& rows(std::map<std::uint32_t, Rows>& known, std::uint32_t entity,
                     std::uint16_t type) {
        const auto [at, fresh] = known.try_emplace(entity);
        if (!fresh) return at->second;
        Rows& found = at->second;
        if (!test_.node(entity)) return found;
        for (const std::uint32_t node : ends(entity, type, false)) {
            const std::uint32_t row = state_.columns.visible_row(node, seq_);
            if (kind_rules[state_.columns.at(row).kind[Columns::within(row)]].subject) {
                found.push_back(row);
            }
        }
        std::sort(found.begin(), found.end());
        found.erase(std::unique(found.begin(), found.end()), found.end());
        if (found.size() > name_limit) found.clear();
        return found;
    }

    const Engine::State& state_;
    EdgeFilter filter_;
    EdgeTest test_;
    Seq seq_;
    std::map<std::uint32_t, Rows> about_;
    std::map<std::uint32_t, Rows> mention_;
};

float share(const Rows& about) { return 1.0F / static_cast<float>(about.size()); }

void keep_greatest(RowMap<float>& values, std::uint32_t row, float value) {
    float& kept = values[row];
    kept = std::max(kept, value);
}

}  // namespace

RowMap<float> subject_terms(const Engine::State& state, const ScanPlan& plan) {
    RowMap<float> found;
    const Request& q = *plan.request;
    if (q.weights.subject == 0.0F) return found;
    Subjects subjects(state, plan);
    for (const Id id : q.names) {
        const std::uint32_t node = state.columns.node_of(id);
        if (node == none) throw NotFound("recall: there is no memory " + std::to_string(id));
        const Rows& rows = subjects.about(node);
        for (const std::uint32_t row : rows) {
            if (row_passes(plan, row)) keep_greatest(found, row, q.weights.subject * share(rows));
        }
    }
    return found;
}

void gain_mention(const Engine::State& state, const ScanPlan& plan, const std::vector<Seed>& seeds,
                  Gains& gains) {
    const Weights& w = plan.request->weights;
    if ((w.mentioned == 0.0F && w.mentioning == 0.0F) || state.links.count() == 0) return;
    Subjects subjects(state, plan);
    RowMap<float> mentioned;
    RowMap<float> mentioning;
    for (const Seed& seed : seeds) {
        for (const std::uint32_t entity : subjects.of(seed.row, edge_type::mentions)) {
            const Rows& rows = subjects.about(entity);
            for (const std::uint32_t row : rows) {
                if (row != seed.row) keep_greatest(mentioned, row, seed.lead * share(rows));
            }
        }
        if (!kind_rules[state.columns.at(seed.row).kind[Columns::within(seed.row)]].subject) {
            continue;
        }
        for (const std::uint32_t entity : subjects.of(seed.row, edge_type::about)) {
            const Rows& rows = subjects.about(entity);
            if (rows.empty()) continue;
            for (const std::uint32_t row : subjects.mention(entity)) {
                if (row != seed.row) keep_greatest(mentioning, row, seed.lead * share(rows));
            }
        }
    }
    for (const auto& [row, value] : mentioned) gains[row].mention = w.mentioned * value;
    for (const auto& [row, value] : mentioning) {
        Gain& gain = gains[row];
        gain.mention = gain.mention + w.mentioning * value;
    }
}

}  // namespace remanence
