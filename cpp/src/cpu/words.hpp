// What a question's words add to the rows of a block, as upper bounds that cost little.
#pragma once

#include "cpu/block.hpp"

namespace remanence::cpu {

/// Upper bounds of the block's BM25 into scratch.lexical; false when no word occurs there.
bool bound_words(const ScanPlan& plan, const Block& b, WordCursor& cursor, Scratch& scratch);

/// Weighs those bounds by the kinds of the rows into `lexical`, and adds them to `side` into `sum`.
void add_words(const ScanPlan& plan, const Block& b, const float* words, const float* side,
               float* lexical, float* sum);

/// Puts a row's own BM25 in place of its bound in `lexical`, which its side does not hold yet.
void sharpen(const ScanPlan& plan, const Block& b, const float* lexical, Candidate& row);

}  // namespace remanence::cpu
