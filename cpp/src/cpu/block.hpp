// One block of 1,024 rows: which of them pass the filters, and what their scores are made of.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "core/codes.hpp"
#include "core/scan.hpp"
#include "core/side_bound.hpp"
#include "cpu/candidates.hpp"
#include "cpu/kernels.hpp"

namespace remanence::cpu {

inline constexpr std::uint32_t task_rows = 16 * block_rows;

/// What one worker writes to while it scans.
struct Scratch {
    alignas(64) std::array<float, block_rows> score{};
    alignas(64) std::array<float, block_rows> cosine{};
    alignas(64) std::array<float, block_rows> age{};
    alignas(64) std::array<float, block_rows> date{};
    alignas(64) std::array<float, block_rows> lift{};
    alignas(64) std::array<float, block_rows> activation{};
    alignas(64) std::array<float, block_rows> usefulness{};
    alignas(64) std::array<float, block_rows> lexical{};
};

/// Where the postings of a question's words were left, so that the next block finds them at once.
struct WordCursor {
    std::vector<std::size_t> at;
    std::uint32_t next_row = none;
    bool rare = false;  ///< only those of rare words
};

/// One block of a segment: its place and its rows in use.
struct Block {
    const Segment& s;
    const BlockSummary& summary;
    std::uint32_t first;  ///< within the segment
    std::uint32_t row;    ///< of the whole store
    std::uint32_t count;
};

Block block_at(const Columns& columns, std::uint32_t row);

/// Fills the mask [block_rows / 64] of rows that pass every filter; returns how many do.
std::uint32_t filter(const ScanPlan& plan, const Block& b, std::uint64_t* mask);

/// Words [first, end) of a mask: a part of a block.
struct Words {
    std::size_t first;
    std::size_t end;
};
/// The mask of a part alone, from that of its block.
void move_to_front(const Words& part, std::uint64_t* mask);
Block part_of(const Block& b, const Words& part);

/// BM25 of a block's rows into scratch.lexical, if `rare` without the words that are bounded; false
/// when no word occurs there.
bool score_words(const ScanPlan& plan, const Block& b, bool rare, WordCursor& cursor,
                 Scratch& scratch);

/// The side terms of a block: upper bounds where `bound` holds some of them. Of 64 rows that `mask`
/// wants none of, where there is one, nothing is written.
void score_side(const ScanPlan& plan, const Block& b, const float* lexical, const SideBound* bound,
                const std::uint64_t* mask, Ahead* ahead, Scratch& scratch, float* out);

/// What a row of the block has at most beside its cosine, its words and what `bound` holds;
/// infinite where that is not known.
float named_ceiling(const ScanPlan& plan, const Block& b, const SideBound* bound);

/// Cosines of the rows in the mask into scratch.cosine: the whole block at once, or row by row
/// where few are wanted.
void score_cosine(const ScanPlan& plan, const Block& b, const std::uint64_t* mask,
                  std::uint32_t passed, Scratch& scratch);

/// Asks for what a row's bytes are bounded by, which is read a little later.
[[gnu::always_inline]] inline void ask_for_bytes(const SegmentCodes& codes, std::uint32_t r) {
    ask_for(codes.whole() + codes.whole_bytes(r), codes.stride);
}

/// The sums of a question's steps where rows of a segment have a sign.
void sum_signs(const CodeQuery& query, const SegmentCodes& codes, const std::uint32_t* rows,
               std::size_t count, std::int32_t* out);

/// What a row's code, of such a sum, says of its score, beside what its cell does.
float code_ceiling(const ScanPlan& plan, const CodeQuery& query, const SegmentCodes& codes,
                   std::uint32_t r, std::int32_t sum);

/// What a question's cells and codes say of a segment's rows.
struct Reach {
    const float* along;  ///< [cells + 1] weight * <q, c>, at most
    float per_reach;     ///< weight * |q| * reach_unit
    float bar;
    const CodeQuery* codes;  ///< null: no bound that may fail, however seldom
};

/// Whether `bound` holds all that a block's rows score beside their cosine and their words.
bool sides_kept(const ScanPlan& plan, const Block& b, const SideBound* bound);

/// Writes the mask's rows, of their segment, and asks for what cells and signs say of them, and
/// `bound` if there is one. `out` has room for one more than there are; returns how many.
std::size_t list_rows(const Block& b, const std::uint64_t* mask, const SideBound* bound,
                      std::uint32_t* out);

/// What rows of a segment, that begins at row `base`, may score by their cells.
void bound_by_cells(const Segment& s, std::uint32_t base, const SideBound& bound,
                    std::span<const std::uint32_t> rows, const Reach& reach,
                    std::vector<Candidate>& out);

/// Those rows of a segment that may reach the bar by their signs as well; asks for their bytes,
/// which the caller reads next.
void bound_by_signs(const ScanPlan& plan, const Segment& s, const Candidate* from,
                    std::size_t count, const Reach& reach, std::vector<Candidate>& out);

/// The rows of the mask that may reach the bar by their cells and codes, with upper bounds of
/// their side terms; asks for their bytes, which the caller reads next.
void bound_rows(const ScanPlan& plan, const Block& b, const std::uint64_t* mask,
                const float* lexical, const SideBound* bound, const Reach& reach,
                std::vector<Candidate>& out);

}  // namespace remanence::cpu
