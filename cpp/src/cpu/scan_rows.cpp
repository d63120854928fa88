// Rows of a block one by one: where few of them pass the filters, or none has a code.
#include <algorithm>
#include <bit>

#include "core/codes.hpp"
#include "cpu/kernels.hpp"
#include "cpu/scan.hpp"

namespace remanence::cpu {
namespace {

constexpr std::uint32_t alone_rows = 16;  // of a block: fewer are scored one by one

}  // namespace

/// Keeps the few rows that pass the filters and may reach the bar, for their bytes to decide.
void Scan::collect_all(const Block& b, std::size_t q, Worker& worker) {
    Share& share = worker.shares[q];
    const Question& question = questions_[q];
    const ScanPlan& plan = *question.plan;
    Scratch& scratch = *worker.scratch;
    const bool words = score_words(plan, b, false, share.cursor, scratch);
    bound_rows(plan, b, share.mask.data(), words ? scratch.lexical.data() : nullptr,
               side_of(question, b.row), question.reach(b.row), share.waiting);
    if (share.waiting.size() > share.patience) tighten(q, share);
}

/// Scores the rows of the mask exactly.
void Scan::score_block(const Block& b, std::size_t q, Worker& worker) {
    Share& share = worker.shares[q];
    const std::uint32_t wanted = rows_in(share.mask, share.strips);
    if (wanted <= alone_rows) {
        for (std::uint32_t w = 0; w * 64 < b.count; ++w) {
            for (std::uint64_t bits = share.mask[w]; bits != 0; bits &= bits - 1) {
                const auto i = w * 64 + static_cast<std::uint32_t>(std::countr_zero(bits));
                share.best.offer(
                    {row_score(*questions_[q].plan, b.row + i), b.row + i, b.s.id[b.first + i]});
            }
        }
        questions_[q].raise(share.best.bar());
        return;
    }
    Scratch& scratch = *worker.scratch;
    const ScanPlan& plan = *questions_[q].plan;
    const bool cosine = !plan.query.empty() && b.summary.vectors != 0;
    const bool words = score_words(plan, b, false, share.cursor, scratch);
    score_side(plan, b, words ? scratch.lexical.data() : nullptr, nullptr, nullptr, nullptr,
               scratch, scratch.score.data());
    if (cosine) score_cosine(plan, b, share.mask.data(), wanted, scratch);
    const float weight = plan.request->weights.cosine;
    float bar = std::max(share.best.bar(), questions_[q].threshold());
    for (std::uint32_t w = 0; w * 64 < b.count; ++w) {
        for (std::uint64_t bits = share.mask[w]; bits != 0; bits &= bits - 1) {
            const auto i = w * 64 + static_cast<std::uint32_t>(std::countr_zero(bits));
            float score = scratch.score[i];
            if (cosine && (b.s.flags[b.first + i] & flag::has_vector) != 0) {
                score = score + weight * scratch.cosine[i];
            }
            if (score < bar) continue;
            share.best.offer({score, b.row + i, b.s.id[b.first + i]});
            bar = std::max(bar, share.best.bar());
        }
    }
    questions_[q].raise(share.best.bar());
}

}  // namespace remanence::cpu
