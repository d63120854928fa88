// The words of the questions of a batch on the device: each list once, a place for each posting.
#include "cuda/words.hpp"

#include <algorithm>
#include <unordered_map>

namespace remanence::cuda {
namespace {

constexpr std::size_t most_bytes = std::size_t{1} << 30U;  // of the places of one batch
constexpr std::size_t place_bytes = sizeof(Key) + sizeof(std::uint32_t);

std::size_t places_of(const ScanPlan& plan) {
    std::size_t places = 0;
    for (const ScanTerm& term : plan.terms) places += term.postings->size();
    return places;
}

}  // namespace

std::size_t BatchWords::fitting(const std::vector<const ScanPlan*>& plans) {
    const auto worded = [](const ScanPlan* plan) { return !plan->terms.empty(); };
    if (std::none_of(plans.begin(), plans.end(), worded)) return plans.size();
    const std::size_t most = std::min(most_bytes, free_bytes() / 4) / place_bytes;
    std::size_t places = 0;
    std::size_t n = 0;
    while (n < plans.size() && (n == 0 || places + places_of(*plans[n]) <= most)) {
        places += places_of(*plans[n++]);
    }
    return n;
}

void BatchWords::put(const std::vector<const ScanPlan*>& plans, Batch& batch,
                     const Stream& stream) {
    std::unordered_map<const Postings*, std::size_t> at;
    std::vector<Posting> postings;
    std::vector<QuestionWords> questions;
    std::uint32_t places = 0;
    for (const ScanPlan* const plan : plans) {
        QuestionWords q{};
        q.count = static_cast<std::uint32_t>(plan->terms.size());
        q.first = places;
        q.places = static_cast<std::uint32_t>(places_of(*plan));
        q.base = plan->length_base;
        q.slope = plan->length_slope;
        questions.push_back(q);
        places += q.places;
        batch.most_places = std::max(batch.most_places, q.places);
        for (const ScanTerm& term : plan->terms) {
            if (!at.try_emplace(term.postings, postings.size()).second) continue;
            postings.insert(postings.end(), term.postings->begin(), term.postings->end());
        }
    }
    if (places == 0) return;
    const Posting* const lists = postings_.put(postings, stream);
    std::vector<Word> words;
    for (const ScanPlan* const plan : plans) {
        for (const ScanTerm& term : plan->terms) {
            const auto count = static_cast<std::uint32_t>(term.postings->size());
            words.push_back({lists + at.at(term.postings), count, term.weight});
        }
    }
    const Word* own = words_.put(words, stream);
    for (QuestionWords& q : questions) {
        q.words = own;
        own += q.count;
    }
    keys_.reserve(places);
    lows_.reserve(places);
    batch.words = questions_.put(questions, stream);
    batch.word_keys = keys_.data();
    batch.word_lows = lows_.data();
}

}  // namespace remanence::cuda
