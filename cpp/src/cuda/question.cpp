// A plan as numbers and lists that kernels read.
#include "cuda/question.hpp"

#include <algorithm>

namespace remanence::cuda {

Question QuestionLists::put(const ScanPlan& plan, const Stream& stream) {
    const Request& request = *plan.request;
    const Weights& w = request.weights;
    Question q{};
    q.now = request.now;
    q.seq = plan.seq;
    q.valid_at = request.valid_at.value_or(0);
    q.has_valid_at = request.valid_at ? 1 : 0;
    q.kinds = request.kinds;
    q.min_belief = request.min_belief;
    const std::vector<std::uint8_t> scopes = plan.scopes.table();
    q.scope_count = static_cast<std::uint32_t>(scopes.size());
    q.scopes = scopes_.put(scopes, stream);
    q.allowed = allowed_.put(plan.row_allowed, stream);
    q.excluded_count = static_cast<std::uint32_t>(plan.excluded.size());
    q.excluded = excluded_.put(plan.excluded, stream);
    q.past_count = static_cast<std::uint32_t>(plan.past.size());
    q.past = past_.put(plan.past, stream);
    std::vector<TimeNs> dates;
    for (const auto& [from, to] : request.dates) dates.insert(dates.end(), {from, to});
    q.date_count = static_cast<std::uint32_t>(request.dates.size());
    q.dates = dates_.put(dates, stream);
    q.author = plan.author;
    q.author_weight = w.author;
    q.date = w.date;
    q.lift = w.lift;
    q.activation = w.activation;
    q.usefulness = w.usefulness;
    q.importance = w.importance;
    q.cosine = w.cosine;
    std::copy(plan.lexical_weight.begin(), plan.lexical_weight.end(), q.lexical_weight);
    std::copy(plan.table.begin(), plan.table.end(), q.table);
    q.trace = power_trace_constants(0.5);  // the exponent that the engine stores by
    q.query = query_.put(plan.query, stream);
    return q;
}

}  // namespace remanence::cuda
