// The questions of one scan: what its workers share of each, and what each worker holds for it.
#pragma once

#include <array>
#include <atomic>
#include <bit>
#include <cmath>
#include <memory>
#include <vector>

#include "core/array.hpp"
#include "core/bits.hpp"
#include "core/codes.hpp"
#include "cpu/block.hpp"
#include "cpu/candidates.hpp"
#include "cpu/kernels.hpp"

namespace remanence::cpu {

/// Codes pay where the cosine can raise a score and the answer is short against the store.
inline bool codes_pay(const ScanPlan& plan) {
    return !plan.query.empty() && plan.request->weights.cosine > 0.0F &&
           codes_apply(plan.columns->dim) && plan.keep * 64 <= plan.columns->count();
}

/// Bounds and scores are rounded in different orders; both stay far within this.
inline float slack_of(const ScanPlan& plan, float bar) {
    const Weights& w = plan.request->weights;
    return 1e-5F * (1.0F + std::fabs(bar) + std::fabs(w.cosine) + std::fabs(w.activation));
}

/// Whether what a scan adds up besides the cosine is that, but for the steps of what is kept.
inline bool sides_exact(const ScanPlan& plan) { return plan.request->weights.activation == 0.0F; }

/// What a cell's centre adds to a score, from above: weight * <q, c>.
struct CellProducts {
    const Cells* cells;
    std::vector<std::uint32_t> some;  ///< those of rows that pass, where they are few; else empty
    std::vector<float> along;         ///< [cells + 1 + cells_behind]
    float spread;                     ///< by how much a product may be too great
};

/// One question of a scan: what all its workers share.
struct Question {
    const ScanPlan* plan = nullptr;
    std::unique_ptr<const CodeQuery> codes;  ///< null: every row is scored exactly
    std::size_t side = 0;             ///< the first question of equal side terms, words apart
    std::size_t filter = 0;           ///< the first question of equal filters
    std::vector<CellProducts> cells;  ///< of all cells that the store's segments have
    std::vector<const CellProducts*> along;  ///< [segment] the one of its cells, or null
    float per_reach = 0.0F;                  ///< weight * |q| * reach_unit
    /// [segment] of the first question of equal side terms: null where nothing is bounded
    std::vector<std::shared_ptr<const SideBound>> sides;
    /// Bit per row that the filters let pass, set where `in_block` is not 0; empty: not found.
    Array<std::uint64_t> passing;
    std::size_t passed = 0;               ///< how many those are
    std::size_t passed_blocks = 0;        ///< how many blocks hold one of them
    std::vector<std::uint32_t> strips;    ///< those of 64 rows that hold one of them, by number
    std::vector<std::uint8_t> held;       ///< [segment] whether it holds one of them
    std::vector<std::uint16_t> in_block;  ///< [block] how many of its rows pass
    std::vector<std::uint16_t> seeded;    ///< [block] a bit for each strip that came before all
    std::atomic<float>* bar = nullptr;    ///< what a bound must reach; those of a scan lie together

    /// For a score that enough rows have.
    void raise(float score) const {
        const float value = score - slack_of(*plan, score);
        float known = bar->load(std::memory_order_relaxed);
        while (value > known && !bar->compare_exchange_weak(known, value)) {
        }
    }
    float threshold() const { return bar->load(std::memory_order_relaxed); }
    /// What its cells and codes say of the rows of a row's segment, held against the bar of now.
    Reach reach(std::uint32_t row) const {
        return {along[row / segment_rows]->along.data(), per_reach, threshold(),
                plan->request->proved ? nullptr : codes.get()};
    }
};

using Mask = std::array<std::uint64_t, block_rows / 64>;

/// How many rows of a mask lie in some strips.
inline std::uint32_t rows_in(const Mask& mask, std::uint32_t strips) {
    std::uint32_t rows = 0;
    for (; strips != 0; strips &= strips - 1) {
        rows += count_bits(mask[static_cast<std::size_t>(std::countr_zero(strips))]);
    }
    return rows;
}

/// How a question takes the rows of a block.
enum class Way : std::uint8_t { none, exact, codes, bytes, few };

/// How many strips a test rules out that costs less than the next one, and so whether it pays.
struct Trial {
    std::uint32_t strips = 0;  ///< of late
    std::uint32_t spared = 0;  ///< those of them that it ruled out
    std::uint32_t blocks = 0;
    /// While it rules out one in `few` strips; else a block now and then tells whether it has
    /// become so.
    bool pays(std::uint32_t few) {
        if (strips > 256) {
            strips /= 2;
            spared /= 2;
        }
        return spared * few >= strips || ++blocks % 16 == 0;
    }
};

inline constexpr std::size_t least_waiting = 64;  // rows that are bounded at a time, if it helps
inline constexpr std::size_t most_waiting = 512;

/// What one worker holds for one question.
struct Share {
    explicit Share(std::size_t keep) : best(keep), sure(keep) {}
    Best best;
    Sure sure;                             ///< of the rows that were bounded by their bytes
    std::vector<Candidate> waiting;        ///< bounded by their code of one bit per dimension
    std::vector<Candidate> near;           ///< bounded by their bytes
    std::size_t patience = least_waiting;  ///< of those that wait, before they are bounded
    std::size_t enough = 0;   ///< of those that are near, before the best of them are scored
    std::size_t scanned = 0;  ///< rows that passed, of the first of equal filters
    WordCursor cursor;
    WordCursor ahead;  ///< of the words of whole blocks, before their strips are dropped
    Mask filtered{};   ///< rows of a block that the filters let pass, where that is found for it
    const std::uint64_t* passing = nullptr;       ///< those rows, of the first of equal filters
    std::uint32_t strips = 0;                     ///< those with a row that this question wants
    std::size_t place = 0;                        ///< of its bounds among those of its worker
    Mask mask{};                                  ///< rows that may still reach the bar
    Trial early;                                  ///< the first half of a code
    Trial words;                                  ///< what words add to a strip at most
    std::array<std::uint32_t, block_rows> few{};  ///< rows of strips of which few are left
    std::uint32_t few_count = 0;
    Way way = Way::exact;
    bool dense = false;        ///< whether most codes of the last block were read
    bool asked_ahead = false;  ///< whether this block's are asked for before it is known
};

struct Worker {
    std::vector<Share> shares;
    std::vector<float> bars;             ///< [question] what the ceiling of a strip must reach
    std::vector<std::uint16_t> above;    ///< [question] a bit for each strip that does
    std::vector<std::uint32_t> wanting;  ///< questions that want rows of a block, in order
    std::vector<float> side;             ///< [question][block_rows]
    std::vector<float> base;             ///< [place][block_rows] side + words + weight * <q, c>
    std::vector<float> bound;            ///< [place][block_rows]
    std::vector<CodeQuestion> asked;
    std::vector<std::int8_t> signs;
    Ahead ahead;  ///< the first halves of a block's codes, if they will be read
    std::unique_ptr<Scratch> scratch = std::make_unique<Scratch>();
};

inline bool same_side(const ScanPlan& a, const ScanPlan& b) {
    const Request& p = *a.request;
    const Request& q = *b.request;
    return p.weights == q.weights && p.now == q.now && a.seq == b.seq &&
           p.asks_when == q.asks_when && a.author == b.author && p.dates == q.dates;
}

inline bool same_filter(const ScanPlan& a, const ScanPlan& b) {
    const Request& p = *a.request;
    const Request& q = *b.request;
    return p.kinds == q.kinds && p.valid_at == q.valid_at && p.min_belief == q.min_belief &&
           p.now == q.now && a.seq == b.seq && a.scopes == b.scopes &&
           a.row_allowed == b.row_allowed && a.excluded == b.excluded;
}

inline constexpr std::uint32_t sparse_rows = 48;  // of a block: cheaper one by one

inline Way way_of(const Question& question, std::uint32_t passed, bool coded) {
    if (passed == 0) return Way::none;
    if (!coded || question.codes == nullptr) return Way::exact;
    return question.plan->request->proved || passed <= sparse_rows ? Way::bytes : Way::codes;
}

}  // namespace remanence::cpu
