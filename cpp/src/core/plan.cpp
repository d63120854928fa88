// A request made ready: scopes, rows, the centred query and the weights of its words.
#include "core/plan.hpp"

#include <algorithm>
#include <cmath>
#include <optional>

#include "remanence/canonical.hpp"

#include "core/activation.hpp"
#include "core/check.hpp"
#include "core/counted_rows.hpp"
#include "core/gains.hpp"
#include "core/newer.hpp"
#include "cpu/kernels.hpp"

namespace remanence {
namespace {

constexpr double k1 = 1.5;
constexpr double b = 0.75;
constexpr double typical_words = 40.0;  // chat turns are short: a pseudo-length evens them out
constexpr double idf_power = 1.25;      // rare words decide more than BM25 lets them

void resolve_scopes(const Request& q, ScanPlan& plan) {
    if (!q.scopes) return;
    for (const std::uint32_t scope : *q.scopes) {
        check(scope < scope_limit, "recall",
              [&] { return "scope must be below 2^24 (got " + std::to_string(scope) + ")"; });
    }
    plan.scopes = ScopeSet(*q.scopes);
}

void resolve_rows(const Engine::State& state, const Request& q, ScanPlan& plan) {
    const Columns& columns = state.columns;
    // Step by step for all ids: each step's reads are then independent of one another.
    const auto each_version = [&](const std::vector<Id>& ids, auto&& use) {
        std::vector<std::uint32_t> at;
        at.reserve(ids.size());
        for (const Id id : ids) {
            at.push_back(columns.node_of(id));
            if (at.back() == none)
                throw NotFound("recall: there is no memory " + std::to_string(id));
        }
        for (std::uint32_t& row : at) row = columns.newest[row];
        for (std::uint32_t row : at) {
            use(row);
            while (columns.block_of(row).versions != 0) {
                row = columns.at(row).previous[Columns::within(row)];
                if (row == none) break;
                use(row);
            }
        }
    };
    if (q.allow) {
        plan.row_allowed.assign((columns.count() / block_rows + 1) * (block_rows / 64), 0);
        each_version(*q.allow,
                     [&](std::uint32_t row) { plan.row_allowed[row / 64] |= 1ULL << (row % 64); });
    }
    each_version(q.exclude, [&](std::uint32_t row) { plan.excluded.push_back(row); });
    std::sort(plan.excluded.begin(), plan.excluded.end());
}

/// Too few vectors have no mean worth taking out: it is shrunk as if by this many zero vectors.
constexpr double mean_shrinkage = 10.0;

/// What is taken out of every unit vector: a share of the mean of all.
std::vector<float> centre_of(const Weights& weights, const Totals& totals) {
    std::vector<float> centre;
    if (totals.vectors == 0) return centre;
    const double scale = 0x1p-30 / (static_cast<double>(totals.vectors) + mean_shrinkage);
    for (const std::int64_t sum : totals.vector_sum) {
        centre.push_back(weights.centring * static_cast<float>(static_cast<double>(sum) * scale));
    }
    return centre;
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
    const bool everything = plan.scopes.all() && plan.seq >= state.seq &&
                            state.all[plan.nodes ? 1 : 0].rows == state.columns.count();
    std::optional<CountedRows> counted;
    if (!everything) counted.emplace(plan);
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
        const std::size_t found = counted ? counted->holding(*postings) : postings->size();
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

}  // namespace

ScanPlan make_plan(const Engine::State& state, const Request& request) {
    ScanPlan plan;
    plan.columns = &state.columns;
    plan.request = &request;
    plan.seq = seq_seen(request.as_of);
    plan.nodes = (request.kinds & ~node_kinds & ((1U << kind_count) - 1)) == 0;
    resolve_scopes(request, plan);
    resolve_rows(state, request, plan);
    const Totals totals = corpus(state, plan.seq, plan.scopes, plan.nodes);
    if (request.weights.cosine != 0.0F && state.columns.dim != 0) {
        plan.centre = centre_of(request.weights, totals);
        if (!request.vector.empty())
            set_query(plan, {request.vector.data(), request.vector.size()});
    }
    resolve_terms(state, request, totals, plan);
    if (request.authors.size() == 1) plan.author = request.authors[0];
    prepare_tables(plan);
    plan.keep = std::max(request.k, newer_reach);
    if (uses_links(state, request)) plan.keep = std::max(plan.keep, seed_count + 1);
    return plan;
}

void set_query(ScanPlan& plan, View<const float> vector) {
    const std::size_t padded = plan.columns->padded_dim;
    plan.query.assign(padded, 0.0F);
    std::copy(vector.begin(), vector.end(), plan.query.begin());
    float squares = 0.0F;
    cpu::kernels().dot(plan.query.data(), plan.query.data(), padded, 1, &squares);
    const float norm = std::sqrt(squares);
    for (float& x : plan.query) x = x / norm;
    for (std::size_t j = 0; j < plan.centre.size(); ++j) {
        plan.query[j] = plan.query[j] - plan.centre[j];
    }
}

void add_past(ScanPlan& plan) {
    if (plan.seq == seq_now) return;
    for (const std::uint32_t row : rows_touched_after(*plan.columns, plan.seq)) {
        plan.past.push_back({row, access_as_of(*plan.columns, row, plan.seq)});
    }
}

}  // namespace remanence
