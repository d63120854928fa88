// A bar before the scan: rows that hold the question's rarest words are bounded from below.
#include "cpu/head_start.hpp"

#include <algorithm>
#include <array>

#include "cpu/kernels.hpp"

namespace remanence::cpu {
namespace {

constexpr std::size_t most_postings = 1024;  // read of the rarest words

struct Held {
    std::uint32_t row;
    float words;  ///< what the words read so far add, before the weight of its kind
};

/// Adds what one more word says; rows stay in order.
std::vector<Held> with_word(const ScanPlan& plan, const ScanTerm& term,
                            const std::vector<Held>& held) {
    std::vector<Held> all;
    all.reserve(held.size() + term.postings->size());
    auto at = held.begin();
    for (const Posting& p : *term.postings) {
        for (; at != held.end() && at->row < p.row; ++at) all.push_back(*at);
        const Segment& s = plan.columns->at(p.row);
        const auto words = static_cast<float>(s.words[Columns::within(p.row)]);
        const auto count = static_cast<float>(p.count);
        const float length = plan.length_base + plan.length_slope * words;
        float sum = term.weight * (count / (count + length));
        if (at != held.end() && at->row == p.row) sum += (at++)->words;
        all.push_back({p.row, sum});
    }
    all.insert(all.end(), at, held.end());
    return all;
}

/// Rows of the rarest words.
std::vector<Held> promising(const ScanPlan& plan) {
    std::vector<const ScanTerm*> rarest;
    rarest.reserve(plan.terms.size());
    for (const ScanTerm& term : plan.terms) rarest.push_back(&term);
    std::sort(rarest.begin(), rarest.end(), [](const ScanTerm* a, const ScanTerm* b) {
        return a->postings->size() < b->postings->size();
    });
    std::vector<Held> held;
    std::size_t read = 0;
    for (const ScanTerm* const term : rarest) {
        read += term->postings->size();
        if (read > most_postings) break;
        held = with_word(plan, *term, held);
    }
    return held;
}

/// What a row scores at least.
float least_score(const Question& question, const Held& held) {
    const ScanPlan& plan = *question.plan;
    const Segment& s = plan.columns->at(held.row);
    const std::uint32_t r = Columns::within(held.row);
    const float side = row_side(plan, held.row, &held.words);
    const CodeQuery& query = *question.codes;
    const CellProducts& cells = *question.along[held.row / segment_rows];
    std::int32_t product = 0;
    kernels().byte_dots(query.fine.data(), s.codes.whole(), s.codes.width(), s.codes.stride, &r, 1,
                        &product);
    const float along = static_cast<float>(product) * query.fine_unit * s.codes.row(r).scale;
    const float error = query.fine_rest + query.length * s.codes.row(r).error;
    return side + cells.along[s.codes.cell[r]] - cells.spread +
           plan.request->weights.cosine * (along - error);
}

}  // namespace

float head_start(const Question& question, const std::vector<std::uint32_t>& encoded) {
    const ScanPlan& plan = *question.plan;
    if (question.codes == nullptr || !plan.words_help) return lowest;
    const std::vector<Held> held = promising(plan);
    if (held.size() < plan.keep) return lowest;
    std::vector<Scored> least;
    for (const Held& h : held) {
        const std::size_t segment = h.row / segment_rows;
        if (Columns::within(h.row) >= encoded[segment]) continue;
        if (question.along[segment] == nullptr) continue;  // none of its rows passes
        least.push_back({least_score(question, h), h.row, 0});
    }
    std::sort(least.begin(), least.end(),
              [](const Scored& a, const Scored& b) { return a.score > b.score; });
    std::size_t passed = 0;
    for (const Scored& s : least) {
        passed += row_passes(plan, s.row) ? 1 : 0;
        if (passed == plan.keep) return s.score - slack_of(plan, s.score);
    }
    return lowest;
}

}  // namespace remanence::cpu
