// The exact fused scan: bound every row by its code, then score what may still be among the best.
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

/// Kept from call to call: fresh pages for every question would cost more than writing them.
std::vector<float>& bound_buffer() {
    thread_local std::vector<float> buffer;
    return buffer;
}

/// One scan: what all its workers share.
class Scan {
public:
    Scan(const ScanPlan& plan, std::size_t keep, int workers);
    ScanAnswer run();

private:
    struct Worker {
        explicit Worker(std::size_t keep) : bounds(keep), best(keep) {}
        Best bounds;  ///< rows by the upper bound of their score
        Best best;    ///< rows by their score
        std::size_t scanned = 0;
        std::unique_ptr<Scratch> scratch = std::make_unique<Scratch>();
    };
    using Task = void (Scan::*)(std::uint32_t first, Worker& worker);

    void each_task(Task task);
    void bound_task(std::uint32_t first, Worker& worker);
    void score_task(std::uint32_t first, Worker& worker);
    bool coded(const Block& b) const;
    void bound_block(const Block& b, const float* lexical, Worker& worker);
    void score_block(const Block& b, const float* lexical, Worker& worker);
    float first_bar();
    void raise(float value);
    std::vector<Scored> merged(Best Worker::* rows);

    const ScanPlan& plan_;
    std::size_t keep_;
    std::unique_ptr<const CodeQuery> codes_;  ///< null: every row is scored exactly
    std::vector<Worker> workers_;
    std::vector<float>& bound_;    ///< [row] upper bound of the score, where a block is coded
    std::vector<float> greatest_;  ///< [block] greatest of its bounds
    std::atomic<float> bar_{-std::numeric_limits<float>::infinity()};
};

/// Codes pay where the cosine can raise a score and the answer is short against the store.
bool codes_pay(const ScanPlan& plan, std::size_t keep) {
    return !plan.query.empty() && plan.request->weights.cosine > 0.0F &&
           codes_apply(plan.columns->dim) && keep * 64 <= plan.columns->count() &&
           !plan.request->proved;
}

Scan::Scan(const ScanPlan& plan, std::size_t keep, int workers)
    : plan_(plan), keep_(keep), bound_(bound_buffer()) {
    for (int w = 0; w < workers; ++w) workers_.emplace_back(keep);
    if (!codes_pay(plan, keep)) return;
    codes_ = std::make_unique<const CodeQuery>(make_code_query(plan.query, plan.columns->dim));
    const std::size_t blocks = (plan.columns->count() + block_rows - 1) / block_rows;
    if (bound_.size() < blocks * block_rows) bound_.resize(blocks * block_rows);
    greatest_.assign(blocks, -std::numeric_limits<float>::infinity());
}

void Scan::each_task(Task task) {
    const std::size_t tasks = (plan_.columns->count() + task_rows - 1) / task_rows;
    parallel_for(tasks, static_cast<int>(workers_.size()), [&](std::size_t index, int worker) {
        const auto first = static_cast<std::uint32_t>(index * task_rows);
        (this->*task)(first, workers_[static_cast<std::size_t>(worker)]);
    });
}

bool Scan::coded(const Block& b) const {
    return codes_ != nullptr && b.first + block_rows <= b.s.codes.encoded;
}

void Scan::bound_task(std::uint32_t first, Worker& worker) {
    const bool words = score_words(plan_, first, task_rows, *worker.scratch);
    const std::uint32_t end = std::min(first + task_rows, plan_.columns->count());
    for (std::uint32_t row = first; row < end; row += block_rows) {
        const Block b = block_at(*plan_.columns, row);
        const float* lexical = words ? worker.scratch->lexical.data() + (row - first) : nullptr;
        if (coded(b)) bound_block(b, lexical, worker);
    }
}

/// Upper bounds of a block's scores from its codes and side terms.
void Scan::bound_block(const Block& b, const float* lexical, Worker& worker) {
    Scratch& scratch = *worker.scratch;
    const std::uint32_t passed = filter(plan_, b, scratch);
    if (passed == 0) return;
    worker.scanned += passed;
    score_side(plan_, b, lexical, true, scratch);
    const SegmentCodes& codes = b.s.codes;
    CodeBlock block;
    block.count = block_rows;
    block.groups = codes.groups;
    block.codes = codes.bits() + b.first * codes.groups;
    block.table = codes_->table.data();
    block.scale = codes.scale + b.first;
    block.error = codes.error + b.first;
    block.side = scratch.score.data();
    block.step = codes_->step;
    block.offset = codes_->offset;
    block.norm = codes_->norm;
    block.weight = plan_.request->weights.cosine;
    kernels().dot(plan_.query.data(), codes.centre.data(), codes.centre.size(), 1, &block.centre);
    float* const bound = bound_.data() + b.row;
    kernels().bounds(block, bound);
    if (b.summary.vectors != block_rows) {
        for (std::uint32_t i = 0; i < block_rows; ++i) {
            const bool vector = (b.s.flags[b.first + i] & flag::has_vector) != 0;
            bound[i] = vector ? bound[i] : scratch.score[i];
        }
    }
    float bar = worker.bounds.bar();
    float greatest = -std::numeric_limits<float>::infinity();
    const bool all = passed == block_rows;
    for (std::uint32_t i = 0; i < block_rows; ++i) {
        if (!all && (scratch.mask[i / 64] >> (i % 64) & 1U) == 0) continue;
        greatest = std::max(greatest, bound[i]);
        if (bound[i] < bar) continue;
        worker.bounds.offer({bound[i], b.row + i, b.s.id[b.first + i]});
        bar = worker.bounds.bar();
    }
    greatest_[b.row / block_rows] = greatest;
}

void Scan::raise(float value) {
    float known = bar_.load(std::memory_order_relaxed);
    while (value > known && !bar_.compare_exchange_weak(known, value)) {
    }
}

std::vector<Scored> Scan::merged(Best Worker::* rows) {
    std::vector<Scored> all;
    for (Worker& worker : workers_) {
        const auto& some = (worker.*rows).rows();
        all.insert(all.end(), some.begin(), some.end());
    }
    std::sort(all.begin(), all.end(), better);
    if (all.size() > keep_) all.resize(keep_);
    return all;
}

/// The least score of the rows with the best bounds: as many rows are at least as good.
float Scan::first_bar() {
    const std::vector<Scored> likely = merged(&Worker::bounds);
    if (likely.size() < keep_) return -std::numeric_limits<float>::infinity();
    float bar = std::numeric_limits<float>::infinity();
    for (const Scored& s : likely) bar = std::min(bar, total(row_terms(plan_, s.row)));
    return bar;
}

void Scan::score_task(std::uint32_t first, Worker& worker) {
    const std::uint32_t end = std::min(first + task_rows, plan_.columns->count());
    const Weights& w = plan_.request->weights;
    for (std::uint32_t row = first; row < end; row += block_rows) {
        const Block b = block_at(*plan_.columns, row);
        const float bar = bar_.load(std::memory_order_relaxed);
        // The bounds' own rounding is far below this share of the terms that enter them.
        const float slack =
            1e-5F * (1.0F + std::fabs(bar) + std::fabs(w.cosine) + std::fabs(w.activation));
        if (coded(b) && greatest_[row / block_rows] < bar - slack) continue;
        Scratch& scratch = *worker.scratch;
        const std::uint32_t passed = filter(plan_, b, scratch);
        if (!coded(b)) worker.scanned += passed;
        if (coded(b)) {
            kernels().keep_above(bound_.data() + row, bar - slack, block_rows, scratch.mask.data());
        }
        if (rows_in(scratch) == 0) continue;
        const bool words = score_words(plan_, row, block_rows, scratch);
        score_block(b, words ? scratch.lexical.data() : nullptr, worker);
        raise(worker.best.bar());
    }
}

/// Scores the rows of the mask exactly.
void Scan::score_block(const Block& b, const float* lexical, Worker& worker) {
    Scratch& scratch = *worker.scratch;
    const bool cosine = !plan_.query.empty() && b.summary.vectors != 0;
    score_side(plan_, b, lexical, false, scratch);
    if (cosine) score_cosine(plan_, b, rows_in(scratch), scratch);
    const float weight = plan_.request->weights.cosine;
    float bar = worker.best.bar();
    for (std::uint32_t w = 0; w * 64 < b.count; ++w) {
        for (std::uint64_t bits = scratch.mask[w]; bits != 0; bits &= bits - 1) {
            const auto i = w * 64 + static_cast<std::uint32_t>(std::countr_zero(bits));
            float score = scratch.score[i];
            if (cosine && (b.s.flags[b.first + i] & flag::has_vector) != 0) {
                score = score + weight * scratch.cosine[i];
            }
            if (score < bar) continue;
            worker.best.offer({score, b.row + i, b.s.id[b.first + i]});
            bar = worker.best.bar();
        }
    }
}

ScanAnswer Scan::run() {
    if (codes_ != nullptr) {
        each_task(&Scan::bound_task);
        raise(first_bar());
    }
    each_task(&Scan::score_task);
    ScanAnswer answer;
    answer.top = merged(&Worker::best);
    for (const Worker& worker : workers_) answer.scanned += worker.scanned;
    return answer;
}

}  // namespace

ScanAnswer search(const ScanPlan& plan, std::size_t keep, int workers) {
    return Scan(plan, keep, workers).run();
}

}  // namespace remanence::cpu
