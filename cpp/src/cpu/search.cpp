// The exact fused scan: filter a block, add its side terms, add the cosine, keep the best.
#include "cpu/search.hpp"

#include <algorithm>
#include <atomic>
#include <bit>
#include <cmath>
#include <limits>
#include <memory>

#include "core/codes.hpp"
#include "core/threads.hpp"
#include "cpu/block.hpp"
#include "cpu/kernels.hpp"

namespace remanence::cpu {
namespace {

/// The best `keep` rows seen so far, worst on top.
class Best {
public:
    explicit Best(std::size_t keep) : keep_(keep) {}
    void offer(const Scored& s) {
        if (heap_.size() < keep_) {
            heap_.push_back(s);
            std::push_heap(heap_.begin(), heap_.end(), better);
        } else if (better(s, heap_.front())) {
            std::pop_heap(heap_.begin(), heap_.end(), better);
            heap_.back() = s;
            std::push_heap(heap_.begin(), heap_.end(), better);
        }
    }
    float bar() const {
        return heap_.size() < keep_ ? -std::numeric_limits<float>::infinity() : heap_.front().score;
    }
    std::vector<Scored>& rows() { return heap_; }

private:
    std::size_t keep_;
    std::vector<Scored> heap_;
};

/// What all workers of one scan share: the question for the codes and the best known bar.
struct Shared {
    const ScanPlan& plan;
    std::size_t keep;
    std::unique_ptr<const CodeQuery> codes;  ///< null: every row is scored exactly
    std::atomic<float> bar{-std::numeric_limits<float>::infinity()};

    void raise(float value) {
        float known = bar.load(std::memory_order_relaxed);
        while (value > known && !bar.compare_exchange_weak(known, value)) {
        }
    }
};

/// Keeps the rows of the mask whose code leaves them a chance; scratch.score holds side terms.
void bound_scores(const Shared& shared, const Block& b, float bar, Scratch& scratch) {
    const CodeQuery& q = *shared.codes;
    const SegmentCodes& codes = b.s.codes;
    CodeBlock block;
    block.count = block_rows;
    block.groups = codes.groups;
    block.codes = codes.bits() + b.first * codes.groups;
    block.table = q.table.data();
    block.scale = codes.scale + b.first;
    block.error = codes.error + b.first;
    block.side = scratch.score.data();
    block.step = q.step;
    block.offset = q.offset;
    block.norm = q.norm;
    block.weight = shared.plan.request->weights.cosine;
    kernels().dot(shared.plan.query.data(), codes.centre.data(), codes.centre.size(), 1,
                  &block.centre);
    kernels().bounds(block, scratch.bound.data());
    // Rounding of the bound's own sums: far below this share of the terms that enter it.
    const Weights& w = shared.plan.request->weights;
    const float slack =
        1e-5F * (1.0F + std::fabs(bar) + std::fabs(w.cosine) + std::fabs(w.activation));
    kernels().keep_above(scratch.bound.data(), bar - slack, block_rows, scratch.mask.data());
}

/// Whether the codes of this block are worth reading: not where most rows survive them anyway.
bool code_helps(const Shared& shared, const Block& b, const Scratch& scratch) {
    if (!shared.codes || b.first + block_rows > b.s.codes.encoded) return false;
    return scratch.bounded < 8 * block_rows || scratch.survived * 2 < scratch.bounded;
}

void scan_block(Shared& shared, const Block& b, const float* lexical, Scratch& scratch, Best& best,
                std::size_t& scanned) {
    const ScanPlan& plan = shared.plan;
    std::uint32_t passed = filter(plan, b, scratch);
    if (passed == 0) return;
    scanned += passed;
    const bool cosine = !plan.query.empty() && b.summary.vectors != 0;
    const bool coded = cosine && code_helps(shared, b, scratch);
    bool bounds = score_side(plan, b, lexical, coded, scratch);
    float bar = std::max(best.bar(), shared.bar.load(std::memory_order_relaxed));
    if (coded) {
        bound_scores(shared, b, bar, scratch);
        scratch.bounded += passed;
        passed = rows_in(scratch);
        scratch.survived += passed;
    }
    if (passed == 0) return;
    if (bounds && passed > block_rows / 16) bounds = score_side(plan, b, lexical, false, scratch);
    if (cosine && !bounds) score_cosine(plan, b, passed, scratch);
    const float weight = plan.request->weights.cosine;
    for (std::uint32_t w = 0; w * 64 < b.count; ++w) {
        for (std::uint64_t bits = scratch.mask[w]; bits != 0; bits &= bits - 1) {
            const auto i = w * 64 + static_cast<std::uint32_t>(std::countr_zero(bits));
            float score = scratch.score[i];
            if (bounds) {
                score = total(row_terms(plan, b.row + i));
            } else if (cosine && (b.s.flags[b.first + i] & flag::has_vector) != 0) {
                score = score + weight * scratch.cosine[i];
            }
            if (score < bar) continue;
            best.offer({score, b.row + i, b.s.id[b.first + i]});
            bar = std::max(bar, best.bar());
        }
    }
    shared.raise(best.bar());
}

/// A first bar: of one block in sixteen, the rows with the best bounds are scored exactly. Without
/// it the first blocks of the scan would have to be scored whole.
void seed(Shared& shared) {
    const ScanPlan& plan = shared.plan;
    const Columns& columns = *plan.columns;
    auto scratch = std::make_unique<Scratch>();
    std::vector<Scored> likely;
    for (std::uint32_t row = 0; row + block_rows <= columns.count(); row += task_rows) {
        const Block b = block_at(columns, row);
        if (b.first + block_rows > b.s.codes.encoded) continue;
        if (filter(plan, b, *scratch) == 0) continue;
        const bool words = score_words(plan, row, block_rows, *scratch);
        score_side(plan, b, words ? scratch->lexical.data() : nullptr, true, *scratch);
        bound_scores(shared, b, -std::numeric_limits<float>::infinity(), *scratch);
        for (std::uint32_t i = 0; i < block_rows; ++i) {
            if ((scratch->mask[i / 64] >> (i % 64) & 1U) == 0) continue;
            likely.push_back({scratch->bound[i], row + i, b.s.id[b.first + i]});
        }
    }
    if (likely.size() < shared.keep) return;
    const auto end = likely.begin() + static_cast<std::ptrdiff_t>(shared.keep);
    std::nth_element(likely.begin(), end - 1, likely.end(), better);
    float bar = std::numeric_limits<float>::infinity();
    for (auto at = likely.begin(); at != end; ++at) {
        bar = std::min(bar, total(row_terms(plan, at->row)));
    }
    shared.raise(bar);
}

/// Codes pay where the cosine can raise a score and the answer is short against the store.
std::unique_ptr<const CodeQuery> code_question(const ScanPlan& plan, std::size_t keep) {
    const std::size_t dim = plan.columns->dim;
    if (plan.query.empty() || plan.request->weights.cosine <= 0.0F || !codes_apply(dim) ||
        keep * 64 > plan.columns->count() || plan.request->proved) {
        return nullptr;
    }
    return std::make_unique<const CodeQuery>(make_code_query(plan.query, dim));
}

}  // namespace

ScanAnswer search(const ScanPlan& plan, std::size_t keep, int workers) {
    const Columns& columns = *plan.columns;
    Shared shared{plan, keep, code_question(plan, keep)};
    if (shared.codes) seed(shared);
    const std::size_t tasks = (columns.count() + task_rows - 1) / task_rows;
    const auto slots = static_cast<std::size_t>(workers);
    std::vector<Best> best(slots, Best(keep));
    std::vector<std::size_t> scanned(slots, 0);
    std::vector<std::unique_ptr<Scratch>> scratch(slots);
    parallel_for(tasks, workers, [&](std::size_t task, int worker) {
        const auto slot = static_cast<std::size_t>(worker);
        if (!scratch[slot]) scratch[slot] = std::make_unique<Scratch>();
        const auto first = static_cast<std::uint32_t>(task * task_rows);
        const bool words = score_words(plan, first, task_rows, *scratch[slot]);
        const std::uint32_t end = std::min(first + task_rows, columns.count());
        for (std::uint32_t row = first; row < end; row += block_rows) {
            const float* lexical = words ? scratch[slot]->lexical.data() + (row - first) : nullptr;
            scan_block(shared, block_at(columns, row), lexical, *scratch[slot], best[slot],
                       scanned[slot]);
        }
    });
    ScanAnswer answer;
    for (std::size_t slot = 0; slot < slots; ++slot) {
        auto& rows = best[slot].rows();
        answer.top.insert(answer.top.end(), rows.begin(), rows.end());
        answer.scanned += scanned[slot];
    }
    std::sort(answer.top.begin(), answer.top.end(), better);
    if (answer.top.size() > keep) answer.top.resize(keep);
    return answer;
}

}  // namespace remanence::cpu
