// What a question's words add to the rows of a block, as upper bounds that cost little.
#pragma once

#include "cpu/block.hpp"

namespace remanence::cpu {

/// Upper bounds of the block's BM25 into scratch.lexical; false when no word occurs there.
bool bound_words(const ScanPlan& plan, const Block& b, WordCursor& cursor, Ahead& ahead,
                 Scratch& scratch);

/// The side terms with those bounds, weighed by the kinds of the rows, into scratch.score.
void add_words(const ScanPlan& plan, const Block& b, const float* side, Scratch& scratch);

/// Puts a row's own BM25 in place of its bound.
void sharpen(const ScanPlan& plan, const Block& b, Candidate& row);

using Strips = std::array<float, block_rows / 64>;

/// What words add at most to any of 64 rows of a whole block; infinite where that is not known.
void word_ceilings(const ScanPlan& plan, const Block& b, WordCursor& cursor, Strips& out);

}  // namespace remanence::cpu
