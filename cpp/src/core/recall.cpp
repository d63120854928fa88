// Recall as one call: resolve the request, scan for own evidence, add one hop of links, explain.
#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <map>
#include <mutex>

#include "remanence/decay_math.hpp"

#include "core/check.hpp"
#include "core/gains.hpp"
#include "core/newer.hpp"
#include "core/plan.hpp"
#include "core/threads.hpp"
#include "cpu/search.hpp"

namespace remanence {
namespace {

using Subjects = RowMap<float>;
using Lifts = std::map<std::uint32_t, float>;

Scored scored(const ScanPlan& plan, std::uint32_t row, float score) {
    return {score, row, plan.columns->at(row).id[Columns::within(row)]};
}

/// Own evidence with the subject term, best first. It only ever adds, so the best of all lie among
/// the best without it and the rows that have it.
void add_subjects(const ScanPlan& plan, const Subjects& subjects, std::vector<Scored>& top) {
    const std::size_t kept = top.size();
    std::vector<std::uint32_t> known;
    for (Scored& s : top) {
        const float* const value = subjects.find(s.row);
        if (value == nullptr) continue;
        s.score = s.score + *value;
        known.push_back(s.row);
    }
    std::sort(known.begin(), known.end());
    for (const auto& [row, value] : subjects) {
        if (std::binary_search(known.begin(), known.end(), row)) continue;
        top.push_back(scored(plan, row, row_score(plan, row) + value));
    }
    std::sort(top.begin(), top.end(), better);
    top.resize(kept);
}

float with_gain(float own, const Gain& gain) {
    float score = own + gain.next;
    score = score + gain.session;
    score = score + gain.mention;
    score = score + gain.spreading;
    return score + gain.triples;
}

/// The score that the best `count` of an answer reach; -inf where it has fewer.
float least_of_best(const std::vector<Scored>& top, std::size_t count) {
    if (top.size() < count) return -std::numeric_limits<float>::infinity();
    std::vector<float> scores;
    scores.reserve(top.size());
    for (const Scored& s : top) scores.push_back(s.score);
    const auto at = scores.begin() + static_cast<std::ptrdiff_t>(count - 1);
    std::nth_element(scores.begin(), at, scores.end(), std::greater<>());
    return *at;
}

/// Adds the gains to the rows they touch. A row without gain keeps its own evidence, so the best
/// of all lie among the best of own evidence and the touched rows. A touched row outside of `top`
/// has at most the own evidence of the last one there: few need to be scored.
void add_gains(const ScanPlan& plan, const Subjects& subjects, const Gains& gains,
               std::vector<Scored>& top) {
    const bool all_there = top.size() < plan.keep;
    const float most = top.empty() ? 0.0F : top.back().score;
    RowMap<bool> known;
    for (Scored& s : top) {
        if (const Gain* const gain = gains.find(s.row)) s.score = with_gain(s.score, *gain);
        known[s.row] = true;
    }
    const float bar = least_of_best(top, std::max(plan.request->k, newer_reach));
    for (const auto& [row, gain] : gains) {
        if (all_there || with_gain(most, gain) < bar) continue;
        if (known.find(row) != nullptr || !row_passes(plan, row)) continue;
        const float* const subject = subjects.find(row);
        const float own = row_score(plan, row) + (subject == nullptr ? 0.0F : *subject);
        top.push_back(scored(plan, row, with_gain(own, gain)));
    }
    std::sort(top.begin(), top.end(), better);
}

void explain(const ScanPlan& plan, const Subjects& subjects, const Gains& gains, const Lifts& lifts,
             std::uint32_t row, Hits& hits) {
    TermValues terms = row_terms(plan, row);
    const auto set = [&](Term term, float value) { terms[static_cast<std::size_t>(term)] = value; };
    if (const float* const value = subjects.find(row)) set(Term::subject, *value);
    if (const Gain* const gain = gains.find(row)) {
        set(Term::next, gain->next);
        set(Term::session, gain->session);
        set(Term::mention, gain->mention);
        set(Term::spreading, gain->spreading);
        set(Term::triples, gain->triples);
    }
    if (const auto at = lifts.find(row); at != lifts.end()) set(Term::newer, at->second);
    hits.terms.insert(hits.terms.end(), terms.begin(), terms.end());
}

void fill(const ScanPlan& plan, const std::vector<Scored>& top, Hits& hits) {
    for (const Scored& s : top) {
        const Segment& segment = plan.columns->at(s.row);
        const std::uint32_t r = Columns::within(s.row);
        const double evidence = static_cast<double>(s.score) - segment.log_belief[r];
        const double likely = 1.0 / (1.0 + canonical_exp(-evidence));
        hits.id.push_back(s.id);
        hits.score.push_back(s.score);
        hits.belief.push_back(segment.belief[r]);
        hits.p_use.push_back(static_cast<float>(likely * static_cast<double>(segment.belief[r])));
    }
}

/// From the best rows by own evidence to the answer.
void finish(const Engine::State& state, const ScanPlan& plan, const std::vector<Scored>& statements,
            ScanAnswer& answer, Hits& hits) {
    const Request& request = *plan.request;
    const Subjects subjects = subject_terms(state, plan);
    if (!subjects.empty()) add_subjects(plan, subjects, answer.top);
    Gains gains = uses_links(state, request) ? link_gains(state, plan, answer.top) : Gains{};
    if (!statements.empty()) gain_triples(state, plan, statements, gains);
    if (!gains.empty()) add_gains(plan, subjects, gains, answer.top);
    const Lifts lifts = lift_newer(state, plan, answer.top);
    if (answer.top.size() > request.k) answer.top.resize(request.k);
    hits.scanned = answer.scanned;
    fill(plan, answer.top, hits);
    if (!request.explain) return;
    for (const Scored& s : answer.top) explain(plan, subjects, gains, lifts, s.row, hits);
}

std::vector<ScanAnswer> scan(const Engine::State& state, std::vector<ScanPlan>& plans,
                             int workers) {
    if (state.device == nullptr) return cpu::search(plans, workers);
    for (ScanPlan& plan : plans) add_past(plan);
    return state.device->search({plans.data(), plans.size()});
}

/// The best statements of each plan by own evidence; which memories are allowed does not touch
/// them.
std::vector<std::vector<Scored>> best_statements(const Engine::State& state,
                                                 const std::vector<ScanPlan>& plans, int workers) {
    std::vector<std::vector<Scored>> found(plans.size());
    std::vector<std::size_t> which;
    for (std::size_t i = 0; i < plans.size(); ++i) {
        if (uses_statements(state, plans[i])) which.push_back(i);
    }
    if (which.empty()) return found;
    std::vector<Request> requests;
    for (const std::size_t i : which) {
        requests.push_back(*plans[i].request);
        requests.back().kinds = 1U << static_cast<std::uint32_t>(Kind::statement);
    }
    std::vector<ScanPlan> among;
    for (std::size_t n = 0; n < which.size(); ++n) {
        among.push_back(plans[which[n]]);
        among.back().request = &requests[n];
        among.back().keep = statement_count;
        among.back().row_allowed.clear();
        among.back().excluded.clear();
    }
    std::vector<ScanAnswer> answers = scan(state, among, workers);
    for (std::size_t n = 0; n < which.size(); ++n) found[which[n]] = std::move(answers[n].top);
    return found;
}

/// Notes the weights that rows are sorted for when they move next.
void note_weights(const Engine::State& state, const Request& request) {
    if (request.vector.empty() || request.weights.cosine <= 0.0F) return;
    const auto known = std::atomic_load(&state.asked);
    if (known != nullptr && *known == request.weights) return;
    std::atomic_store(&state.asked, std::make_shared<const Weights>(request.weights));
}

}  // namespace

Hits Engine::recall(const Request& request) const {
    return std::move(recall_many({&request, 1}).front());
}

std::vector<Hits> Engine::recall_many(View<const Request> requests) const {
    const Answering answering;
    const std::shared_lock lock(state_->mutex);
    for (const Request& request : requests) check_request(request, state_->columns.dim);
    if (requests.empty()) return {};
    note_weights(*state_, requests.back());
    std::vector<ScanPlan> plans;
    for (const Request& request : requests) plans.push_back(make_plan(*state_, request));
    const int workers = worker_count(requests.front().threads);
    std::vector<ScanAnswer> answers = scan(*state_, plans, workers);
    const auto statements = best_statements(*state_, plans, workers);
    std::vector<Hits> all(plans.size());
    parallel_for(plans.size(), workers, [&](std::size_t i, int) {
        finish(*state_, plans[i], statements[i], answers[i], all[i]);
    });
    return all;
}

}  // namespace remanence
