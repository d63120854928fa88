// Many vectors asked alike: own evidence alone, in arrays, on the processor or on a device.
#include <algorithm>
#include <limits>
#include <mutex>

#include "core/check.hpp"
#include "core/plan.hpp"
#include "core/threads.hpp"
#include "cpu/search.hpp"

namespace remanence {
namespace {

constexpr std::size_t at_a_time = 256;  // plans that lie in memory together

void check_questions(const Request& like, const VectorQuestions& questions, std::size_t dim) {
    check(like.vector.empty() && like.terms.empty() && like.names.empty() && like.cues.empty(),
          "search", [] { return "the request must have no vector, terms, names or cues"; });
    check(dim == 0 || questions.dim == dim, "search", [&] {
        return "the vectors have the wrong dimension (got " + std::to_string(questions.dim) +
               ", want " + std::to_string(dim) + ")";
    });
    if (questions.on_device) return;  // there the device looks
    for (std::size_t n = 0; n < questions.count; ++n) {
        check_vector("search", {questions.vectors + n * questions.dim, questions.dim}, n);
    }
}

void put(const ScanAnswer& answer, const VectorQuestions& questions, std::size_t n) {
    for (std::size_t i = 0; i < questions.k; ++i) {
        const bool there = i < answer.top.size();
        questions.id[n * questions.k + i] = there ? answer.top[i].id : -1;
        questions.score[n * questions.k + i] =
            there ? answer.top[i].score : -std::numeric_limits<float>::infinity();
    }
}

}  // namespace

void Engine::search(const Request& like, const VectorQuestions& questions) const {
    const std::shared_lock lock(state_->mutex);
    check_request(like, state_->columns.dim);
    check_questions(like, questions, state_->columns.dim);
    ScanPlan plan = make_plan(*state_, like);
    plan.keep = questions.k;
    if (state_->device != nullptr && state_->columns.count() != 0) {
        add_past(plan);
        state_->device->search_vectors(plan, questions);
        return;
    }
    check(!questions.on_device && !questions.out_on_device, "search",
          [] { return "the engine has no device, or no memories yet"; });
    const bool asks = like.weights.cosine != 0.0F && state_->columns.dim != 0;
    for (std::size_t first = 0; first < questions.count; first += at_a_time) {
        std::vector<ScanPlan> plans(std::min(at_a_time, questions.count - first), plan);
        for (std::size_t i = 0; asks && i < plans.size(); ++i) {
            const float* const vector = questions.vectors + (first + i) * questions.dim;
            set_query(plans[i], {vector, questions.dim});
        }
        const auto answers = cpu::search(plans, worker_count(like.threads));
        for (std::size_t i = 0; i < plans.size(); ++i) put(answers[i], questions, first + i);
    }
}

}  // namespace remanence
