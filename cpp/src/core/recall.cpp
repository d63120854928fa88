// Recall as one call: resolve the request, scan for own evidence, add one hop of links, explain.
#include <algorithm>
#include <cmath>
#include <map>
#include <mutex>

#include "remanence/decay_math.hpp"

#include "core/check.hpp"
#include "core/scan.hpp"
#include "core/state.hpp"
#include "core/threads.hpp"
#include "core/walk.hpp"
#include "cpu/kernels.hpp"
#include "cpu/search.hpp"

namespace remanence {
namespace {

constexpr std::size_t seed_count = 50;  // each seed is worth its lead over the best row after it
constexpr std::size_t session_limit = 4096;  // rows of a session above which it says nothing
constexpr double k1 = 1.5;
constexpr double b = 0.75;
constexpr double typical_words = 40.0;  // chat turns are short: a pseudo-length evens them out
constexpr double idf_power = 1.25;      // rare words decide more than BM25 lets them

/// What links add to a row.
struct Gain {
    float next = 0.0F;
    float session = 0.0F;
    float spreading = 0.0F;
};
using Gains = std::map<std::uint32_t, Gain>;  // by row, so that every pass has one order

void resolve_scopes(const Request& q, ScanPlan& plan) {
    if (!q.scopes) return;
    std::uint32_t greatest = 0;
    for (const std::uint32_t scope : *q.scopes) {
        check(scope < scope_limit, "recall",
              [&] { return "scope must be below 2^24 (got " + std::to_string(scope) + ")"; });
        greatest = std::max(greatest, scope);
    }
    plan.scope_allowed.assign(greatest + std::size_t{1}, 0);
    for (const std::uint32_t scope : *q.scopes) plan.scope_allowed[scope] = 1;
    if (q.scopes->empty()) plan.scope_allowed[0] = 0;
}

void resolve_rows(const Engine::State& state, const Request& q, ScanPlan& plan) {
    const Columns& columns = state.columns;
    const auto each_version = [&](Id id, auto&& use) {
        const std::uint32_t node = columns.node_of(id);
        if (node == none) throw NotFound("recall: there is no memory " + std::to_string(id));
        for (std::uint32_t row = columns.newest[node]; row != none;
             row = columns.at(row).previous[Columns::within(row)]) {
            use(row);
        }
    };
    if (q.allow) {
        plan.row_allowed.assign((columns.count() / block_rows + 1) * (block_rows / 64), 0);
        for (const Id id : *q.allow) {
            each_version(
                id, [&](std::uint32_t row) { plan.row_allowed[row / 64] |= 1ULL << (row % 64); });
        }
    }
    for (const Id id : q.exclude) {
        each_version(id, [&](std::uint32_t row) { plan.excluded.push_back(row); });
    }
    std::sort(plan.excluded.begin(), plan.excluded.end());
}

/// Too few vectors have no mean worth taking out: it is shrunk as if by this many zero vectors.
constexpr double mean_shrinkage = 10.0;

void resolve_vector(const Request& q, const Columns& columns, const Totals& totals,
                    ScanPlan& plan) {
    if (q.vector.empty() || columns.dim == 0 || q.weights.cosine == 0.0F) return;
    plan.query.assign(columns.padded_dim, 0.0F);
    std::copy(q.vector.begin(), q.vector.end(), plan.query.begin());
    float squares = 0.0F;
    cpu::kernels().dot(plan.query.data(), plan.query.data(), columns.padded_dim, 1, &squares);
    const float norm = std::sqrt(squares);
    for (float& x : plan.query) x = x / norm;
    if (totals.vectors == 0) return;
    const double scale = 0x1p-30 / (static_cast<double>(totals.vectors) + mean_shrinkage);
    for (std::size_t j = 0; j < totals.vector_sum.size(); ++j) {
        const auto mean = static_cast<float>(static_cast<double>(totals.vector_sum[j]) * scale);
        plan.query[j] = plan.query[j] - q.weights.centring * mean;
    }
}

bool row_counts(const ScanPlan& plan, std::uint32_t row) {
    const Segment& s = plan.columns->at(row);
    const std::uint32_t scope = s.scope[Columns::within(row)];
    return plan.columns->row_visible(row, plan.seq) &&
           (plan.scope_allowed.empty() ||
            (scope < plan.scope_allowed.size() && plan.scope_allowed[scope] != 0));
}

/// BM25 with Lucene's idf to a power and a pseudo-length, divided by the root of the summed word
/// weights. Source: Robertson & Zaragoza 2009, eq. 3.15; docs/decisions/0004 for the changes.
void resolve_terms(const Engine::State& state, const Request& q, const Totals& all,
                   ScanPlan& plan) {
    if (q.terms.empty() || all.rows == 0) return;
    const auto rows = static_cast<double>(all.rows);
    const double average = static_cast<double>(all.words) / rows;
    const double pseudo = std::max(0.0, typical_words - average);
    plan.length_base = static_cast<float>(k1 * (1.0 - b + b * pseudo / (average + pseudo)));
    plan.length_slope = static_cast<float>(k1 * b / (average + pseudo));
    const bool everything = plan.scope_allowed.empty() && plan.seq >= state.seq &&
                            state.all.rows == state.columns.count();
    std::vector<double> weights;
    double sum = 0.0;
    std::vector<std::string_view> words;
    each_term(q.terms, [&](std::string_view word) { words.push_back(word); });
    for (std::size_t i = 0; i < words.size(); ++i) {
        const auto* postings = state.lexicon.find(words[i]);
        if (postings == nullptr || postings->empty()) continue;
        if (std::find(words.begin(), words.begin() + static_cast<std::ptrdiff_t>(i), words[i]) !=
            words.begin() + static_cast<std::ptrdiff_t>(i)) {
            continue;
        }
        std::size_t found = postings->size();
        if (!everything) {
            found = static_cast<std::size_t>(
                std::count_if(postings->begin(), postings->end(),
                              [&](const Posting& p) { return row_counts(plan, p.row); }));
        }
        if (found == 0) continue;
        const auto times = static_cast<double>(
            std::count(words.begin() + static_cast<std::ptrdiff_t>(i), words.end(), words[i]));
        const auto df = static_cast<double>(found);
        const double idf = canonical_log(1.0 + (rows - df + 0.5) / (df + 0.5));
        const double value = canonical_pow(idf, idf_power) * times;
        plan.terms.push_back({postings, 0.0F});
        weights.push_back(value);
        sum += value;
    }
    for (std::size_t i = 0; i < weights.size(); ++i) {
        plan.terms[i].weight = static_cast<float>(weights[i] / std::sqrt(sum));
    }
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
        const std::uint32_t found = columns.visible_row(other, plan.seq);
        if (found == none || columns.at(found).kind[Columns::within(found)] != 0) continue;
        Gain& gain = gains[found];
        gain.next = gain.next + plan.request->weights.next * lead;
    }
}

/// A session shares the lead of its best turn. A memory outside of any is a session of one: were it
/// left out, turns would rise above facts and documents of the same evidence.
void gain_session(const Engine::State& state, const ScanPlan& plan, std::uint32_t row, float lead,
                  Gains& gains) {
    const Segment& s = state.columns.at(row);
    const std::uint32_t session = s.session[Columns::within(row)];
    const auto at = state.sessions.find(session);
    if (s.kind[Columns::within(row)] != 0 || session == 0 || at == state.sessions.end()) {
        const float alone = std::min(1.0F, plan.request->weights.session * std::sqrt(20.0F));
        gains[row].session = std::max(gains[row].session, alone * lead);
        return;
    }
    std::vector<std::uint32_t> rows;
    for (const std::uint32_t other : at->second) {
        if (state.columns.row_visible(other, plan.seq)) rows.push_back(other);
    }
    if (rows.size() > session_limit) return;
    const float share =
        plan.request->weights.session * std::sqrt(20.0F / static_cast<float>(rows.size()));
    const float gain = std::min(1.0F, share) * lead;
    for (const std::uint32_t other : rows) {
        if (state.columns.at(other).kind[Columns::within(other)] != 0) continue;
        gains[other].session = std::max(gains[other].session, gain);
    }
}

void gain_spreading(const Engine::State& state, const ScanPlan& plan, Gains& gains) {
    const Request& q = *plan.request;
    if (q.cues.empty() || q.weights.spreading == 0.0F) return;
    WalkRequest request;
    request.seeds = q.cues;
    request.filter.as_of = plan.seq;
    request.filter.valid_at = q.valid_at;
    for (const NodeMass& m : lift(state.columns, state.links, request)) {
        if (m.mass <= 0.0) continue;
        const std::uint32_t row = state.columns.visible_row(m.node, plan.seq);
        if (row != none) gains[row].spreading = q.weights.spreading * static_cast<float>(m.mass);
    }
}

/// One hop from the best rows by own evidence, and the walk from the caller's cues.
Gains link_gains(const Engine::State& state, const ScanPlan& plan, const std::vector<Scored>& top) {
    Gains gains;
    const Weights& w = plan.request->weights;
    const bool question = !plan.query.empty() || !plan.terms.empty();
    if (question && !top.empty()) {
        const float bar = top[std::min(top.size() - 1, seed_count)].score;
        for (std::size_t i = 0; i < std::min(top.size(), seed_count); ++i) {
            const float lead = top[i].score - bar;
            if (lead <= 0.0F) break;
            const Segment& s = state.columns.at(top[i].row);
            const bool turn = s.kind[Columns::within(top[i].row)] == 0;
            if (turn && w.next != 0.0F) gain_next(state, plan, top[i].row, lead, gains);
            if (w.session != 0.0F) gain_session(state, plan, top[i].row, lead, gains);
        }
    }
    gain_spreading(state, plan, gains);
    return gains;
}

/// Adds the gains to the rows they touch. A row without gain keeps its own evidence, so the best
/// of all lie among the best of own evidence and the touched rows.
void add_gains(const ScanPlan& plan, const Gains& gains, std::vector<Scored>& top) {
    std::map<std::uint32_t, float> own;
    for (const Scored& s : top) own.emplace(s.row, s.score);
    for (const auto& [row, gain] : gains) {
        const auto known = own.find(row);
        if (known == own.end() && !row_passes(plan, row)) continue;
        float score = known != own.end() ? known->second : total(row_terms(plan, row));
        score = score + gain.next;
        score = score + gain.session;
        own[row] = score + gain.spreading;
    }
    top.clear();
    for (const auto& [row, score] : own) {
        top.push_back({score, row, plan.columns->at(row).id[Columns::within(row)]});
    }
    std::sort(top.begin(), top.end(), better);
}

void fill(const ScanPlan& plan, const Gains& gains, const std::vector<Scored>& top, Hits& hits) {
    for (const Scored& s : top) {
        const Segment& segment = plan.columns->at(s.row);
        const std::uint32_t r = Columns::within(s.row);
        const double evidence = static_cast<double>(s.score) - segment.log_belief[r];
        const double likely = 1.0 / (1.0 + canonical_exp(-evidence));
        hits.id.push_back(s.id);
        hits.score.push_back(s.score);
        hits.belief.push_back(segment.belief[r]);
        hits.p_use.push_back(static_cast<float>(likely * static_cast<double>(segment.belief[r])));
        if (!plan.request->explain) continue;
        TermValues terms = row_terms(plan, s.row);
        if (const auto gain = gains.find(s.row); gain != gains.end()) {
            terms[static_cast<std::size_t>(Term::next)] = gain->second.next;
            terms[static_cast<std::size_t>(Term::session)] = gain->second.session;
            terms[static_cast<std::size_t>(Term::spreading)] = gain->second.spreading;
        }
        hits.terms.insert(hits.terms.end(), terms.begin(), terms.end());
    }
}

}  // namespace

Hits Engine::recall(const Request& request) const {
    const std::shared_lock lock(state_->mutex);
    check_request(request, state_->columns.dim);
    ScanPlan plan;
    plan.columns = &state_->columns;
    plan.request = &request;
    plan.seq = seq_seen(request.as_of);
    resolve_scopes(request, plan);
    resolve_rows(*state_, request, plan);
    const Totals totals = corpus(*state_, plan.seq, plan.scope_allowed);
    resolve_vector(request, state_->columns, totals, plan);
    resolve_terms(*state_, request, totals, plan);
    if (request.authors.size() == 1) plan.author = request.authors[0];
    prepare_tables(plan);
    const bool links =
        request.weights.session != 0.0F || state_->links.count() != 0 || !request.cues.empty();
    const std::size_t keep = links ? std::max(request.k, seed_count + 1) : request.k;
    ScanAnswer answer = cpu::search(plan, keep, worker_count(request.threads));
    const Gains gains = links ? link_gains(*state_, plan, answer.top) : Gains{};
    if (!gains.empty()) add_gains(plan, gains, answer.top);
    if (answer.top.size() > request.k) answer.top.resize(request.k);
    Hits hits;
    hits.scanned = answer.scanned;
    fill(plan, gains, answer.top, hits);
    return hits;
}

}  // namespace remanence
