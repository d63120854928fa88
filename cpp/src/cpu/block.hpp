// One block of 1,024 rows: which of them pass the filters, and what their scores are made of.
#pragma once

#include <array>
#include <cstdint>

#include "core/scan.hpp"

namespace remanence::cpu {

// Rows of one task share a scratch of words that fits the second-level cache.
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
    alignas(64) std::array<float, task_rows> lexical{};
    std::array<std::uint64_t, block_rows / 64> mask{};
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

std::uint32_t rows_in(const Scratch& scratch);

/// Fills the mask of rows that pass every filter; returns how many do.
std::uint32_t filter(const ScanPlan& plan, const Block& b, Scratch& scratch);

/// BM25 of the rows [first, first + rows) into the scratch; false when no word occurs there.
bool score_words(const ScanPlan& plan, std::uint32_t first, std::uint32_t rows, Scratch& scratch);

/// The side terms of a block into scratch.score. With `may_bound` the activations may be upper
/// bounds; returns whether they are.
bool score_side(const ScanPlan& plan, const Block& b, const float* lexical, bool may_bound,
                Scratch& scratch);

/// Cosines of the rows in the mask: the whole block at once, or row by row where few are wanted.
void score_cosine(const ScanPlan& plan, const Block& b, std::uint32_t passed, Scratch& scratch);

}  // namespace remanence::cpu
