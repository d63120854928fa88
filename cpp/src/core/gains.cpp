// What links add to rows: neighbouring turns, the session, subjects and the walk from the cues.
#include "core/gains.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

#include "core/spreading.hpp"

namespace remanence {
namespace {

constexpr std::size_t session_limit = 4096;  // rows of a session above which it says nothing

/// Many rows are asked about, far from each other: a block that has but one kind says it of all.
bool is_turn(const Columns& columns, std::uint32_t row) {
    const std::uint8_t kinds = columns.block_of(row).kinds;
    const auto kind = std::has_single_bit(kinds) ? static_cast<std::size_t>(std::countr_zero(kinds))
                                                 : columns.at(row).kind[Columns::within(row)];
    return kind_rules[kind].turn;
}

/// The same of visibility, where no row of the block was closed or is newer.
bool is_visible(const Columns& columns, std::uint32_t row, Seq seq) {
    const BlockSummary& block = columns.block_of(row);
    return (block.closed == 0 && block.last_seq_from <= seq) || columns.row_visible(row, seq);
}

/// Asks memory for the links of the seeds, step by step: the reads of one step do not wait for each
/// other.
void fetch_links(const Engine::State& state, const std::vector<Seed>& seeds) {
    std::vector<std::uint32_t> nodes;
    nodes.reserve(seeds.size());
    for (const Seed& seed : seeds) {
        nodes.push_back(state.columns.at(seed.row).node[Columns::within(seed.row)]);
    }
    const Ends& ends = state.links.ends();
    for (const std::uint32_t node : nodes) ends.fetch_row(node);
    for (const std::uint32_t node : nodes) ends.fetch_ends(node);
    for (const std::uint32_t node : nodes) state.links.fetch_edges(node);
}

/// prev and next turn, except along a question-answer pair: the pair document holds that already.
void gain_next(const Engine::State& state, const ScanPlan& plan, std::uint32_t row, float lead,
               Gains& gains) {
    const Columns& columns = state.columns;
    const std::uint32_t node = columns.at(row).node[Columns::within(row)];
    EdgeFilter filter;
    filter.as_of = plan.seq;
    const EdgeTest test(columns, filter);
    std::vector<std::uint32_t> others;
    std::vector<std::uint32_t> paired;
    state.links.each(node, [&](const Edge& e, bool outgoing) {
        if (!test.edge(e, outgoing)) return;
        const std::uint32_t other = outgoing ? e.target : e.source;
        if (e.type == edge_type::next) others.push_back(other);
        if (e.type == edge_type::answers) paired.push_back(other);
    });
    for (const std::uint32_t other : others) {
        if (std::find(paired.begin(), paired.end(), other) != paired.end()) continue;
        const std::uint32_t newest = columns.newest[other];
        const bool seen = newest != none && is_visible(columns, newest, plan.seq);
        const std::uint32_t found = seen ? newest : columns.visible_row(other, plan.seq);
        if (found == none || !is_turn(columns, found)) continue;
        Gain& gain = gains[found];
        gain.next = gain.next + plan.request->weights.next * lead;
    }
}

/// A session shares the lead of its best turn. A memory outside of any is a session of one: were it
/// left out, turns would rise above facts and documents of the same evidence.
/// Seeds come best first, so that the first of a session decides; `shared` holds those done.
void gain_session(const Engine::State& state, const ScanPlan& plan, const Seed& seed,
                  std::vector<std::uint32_t>& shared, Gains& gains) {
    const Segment& s = state.columns.at(seed.row);
    const std::uint32_t session = s.session[Columns::within(seed.row)];
    const bool turn = is_turn(state.columns, seed.row) && session != 0;
    if (turn && std::find(shared.begin(), shared.end(), session) != shared.end()) return;
    const auto at = turn ? state.sessions.find(session) : state.sessions.end();
    if (at == state.sessions.end()) {
        const float alone = std::min(1.0F, plan.request->weights.session * std::sqrt(20.0F));
        Gain& gain = gains[seed.row];
        gain.session = std::max(gain.session, alone * seed.lead);
        return;
    }
    shared.push_back(session);
    std::vector<std::uint32_t> rows;
    rows.reserve(at->second.size());
    for (const std::uint32_t other : at->second) {
        if (is_visible(state.columns, other, plan.seq)) rows.push_back(other);
    }
    if (rows.size() > session_limit) return;
    const float share =
        plan.request->weights.session * std::sqrt(20.0F / static_cast<float>(rows.size()));
    const float most = std::min(1.0F, share) * seed.lead;
    for (const std::uint32_t other : rows) {
        if (!is_turn(state.columns, other)) continue;
        Gain& gain = gains[other];
        gain.session = std::max(gain.session, most);
    }
}

void gain_spreading(const Engine::State& state, const ScanPlan& plan, Gains& gains) {
    const Request& q = *plan.request;
    if (q.cues.empty() || q.weights.spreading == 0.0F) return;
    for (const NodeLift& found : spreading(state, plan)) {
        if (found.lift <= 0.0) continue;
        const std::uint32_t row = state.columns.visible_row(found.node, plan.seq);
        if (row != none)
            gains[row].spreading = q.weights.spreading * static_cast<float>(found.lift);
    }
}

}  // namespace

bool uses_links(const Engine::State& state, const Request& request) {
    return request.weights.session != 0.0F || state.links.count() != 0 || !request.cues.empty();
}

Gains link_gains(const Engine::State& state, const ScanPlan& plan, const std::vector<Scored>& top) {
    Gains gains;
    const Weights& w = plan.request->weights;
    const bool question =
        !plan.query.empty() || !plan.terms.empty() || !plan.request->names.empty();
    if (question && !top.empty()) {
        const float bar = top[std::min(top.size() - 1, seed_count)].score;
        std::vector<Seed> seeds;
        std::vector<std::uint32_t> shared;
        for (std::size_t i = 0; i < std::min(top.size(), seed_count); ++i) {
            const float lead = top[i].score - bar;
            if (lead <= 0.0F) break;
            seeds.push_back({top[i].row, lead});
        }
        fetch_links(state, seeds);
        for (const Seed& seed : seeds) {
            const bool turn = is_turn(state.columns, seed.row);
            if (turn && w.next != 0.0F) gain_next(state, plan, seed.row, seed.lead, gains);
            if (w.session != 0.0F) gain_session(state, plan, seed, shared, gains);
        }
        gain_mention(state, plan, seeds, gains);
    }
    gain_spreading(state, plan, gains);
    return gains;
}

}  // namespace remanence
