// What a question's words add to the rows of a block: at once for frequent words, as upper bounds.
#include "cpu/words.hpp"

#include <algorithm>
#include <bit>
#include <limits>

#include "cpu/kernels.hpp"

namespace remanence::cpu {
namespace {

/// What a word adds to a row that holds it `count` times, at most: as if the row were empty else.
float most_of(const ScanPlan& plan, const ScanTerm& term, std::uint32_t count) {
    const auto times = static_cast<float>(count);
    return term.weight * (times / (times + plan.length_base));
}

bool holds_any(const WordBits* from, std::size_t groups) {
    std::uint64_t any = 0;
    for (std::size_t g = 0; g < groups; ++g) any |= from[g].held;
    return any != 0;
}

/// Adds the upper bounds of a frequent word; false where no row of the block holds it.
bool bound_word(const ScanPlan& plan, const ScanTerm& term, const Block& b, float* lexical,
                bool fresh, Ahead& ahead) {
    const auto& bits = term.postings->bits();
    const std::size_t first = b.row / 64;
    const std::size_t end = std::min<std::size_t>((b.row + b.count + 63) / 64, bits.size());
    if (first >= end || !holds_any(bits.data() + first, end - first)) return false;
    if (fresh) std::fill_n(lexical, block_rows, 0.0F);
    const float once = most_of(plan, term, 1);
    const float again = most_of(plan, term, term.postings->most()) - once;
    kernels().add_held(bits.data() + first, end - first, once, again, lexical, ahead);
    return true;
}

}  // namespace

bool bound_words(const ScanPlan& plan, const Block& b, WordCursor& cursor, Ahead& ahead,
                 Scratch& scratch) {
    bool any = score_words(plan, b, true, cursor, scratch);
    for (const ScanTerm& term : plan.terms) {
        if (!plan.bounds_words(term)) continue;
        any = bound_word(plan, term, b, scratch.lexical.data(), !any, ahead) || any;
    }
    return any;
}

void add_words(const ScanPlan& plan, const Block& b, const float* side, Scratch& scratch) {
    const float* const lexical = scratch.lexical.data();
    float* const sum = scratch.score.data();
    if (std::has_single_bit(b.summary.kinds)) {
        const auto kind = static_cast<std::size_t>(std::countr_zero(b.summary.kinds));
        const float weight = plan.lexical_weight[kind];
        for (std::uint32_t i = 0; i < b.count; ++i) sum[i] = side[i] + lexical[i] * weight;
        return;
    }
    const std::uint8_t* const kind = b.s.kind + b.first;
    for (std::uint32_t i = 0; i < b.count; ++i) {
        sum[i] = side[i] + lexical[i] * plan.lexical_weight[kind[i]];
    }
}

void sharpen(const ScanPlan& plan, const Block& b, Candidate& row) {
    const std::uint32_t r = Columns::within(row.row);
    float above = 0.0F;
    const float length = plan.length_base + plan.length_slope * static_cast<float>(b.s.words[r]);
    for (const ScanTerm& term : plan.terms) {
        if (!plan.bounds_words(term)) continue;
        const std::uint32_t found = term.postings->count(row.row);
        if (found == 0) continue;
        const auto count = static_cast<float>(found);
        const float bound = most_of(plan, term, found == 1 ? 1 : term.postings->most());
        above += bound - term.weight * (count / (count + length));
    }
    above *= plan.lexical_weight[b.s.kind[r]];
    row.bound -= above;
    row.side -= above;
}

void word_ceilings(const ScanPlan& plan, const Block& b, WordCursor& cursor, Strips& out) {
    if (!plan.words_help) {
        out.fill(std::numeric_limits<float>::infinity());
        return;
    }
    const bool follows = cursor.next_row == b.row;
    cursor.at.resize(plan.terms.size());
    cursor.next_row = b.row + b.count;
    out.fill(0.0F);
    for (std::size_t t = 0; t < plan.terms.size(); ++t) {
        const ScanTerm& term = plan.terms[t];
        const Postings& list = *term.postings;
        Strips most{};
        if (plan.bounds_words(term)) {
            const auto& bits = list.bits();
            const float once = most_of(plan, term, 1);
            const float again = most_of(plan, term, list.most());
            for (std::size_t s = 0; s < out.size() && b.row / 64 + s < bits.size(); ++s) {
                const WordBits& strip = bits[b.row / 64 + s];
                if (strip.held != 0) most[s] = strip.repeated != 0 ? again : once;
            }
        } else {
            std::size_t& at = cursor.at[t];
            if (!follows) at = static_cast<std::size_t>(list.from(b.row) - list.begin());
            for (; at < list.size() && list[at].row < cursor.next_row; ++at) {
                float& strip = most[(list[at].row - b.row) / 64];
                strip = std::max(strip, most_of(plan, term, list[at].count));
            }
        }
        for (std::size_t s = 0; s < out.size(); ++s) out[s] += most[s];
    }
    float weight = 0.0F;
    for (std::size_t kind = 0; kind < kind_count; ++kind) {
        if ((b.summary.kinds >> kind & 1U) != 0) {
            weight = std::max(weight, plan.lexical_weight[kind]);
        }
    }
    for (float& strip : out) strip *= weight;
}

}  // namespace remanence::cpu
