// One block of a scan: filters, then cells, then codes leave rows that wait to be scored.
#include <algorithm>
#include <array>
#include <bit>

#include "core/bits.hpp"
#include "core/codes.hpp"
#include "cpu/kernels.hpp"
#include "cpu/scan.hpp"
#include "cpu/words.hpp"

namespace remanence::cpu {
namespace {

constexpr std::uint32_t few_of_strip = 6;  // cheaper one by one than by the codes of all 64

}  // namespace

/// Finds the rows of a block that pass a question's filters.
void Scan::pass(const Question& question, const Block& b, Share& share) const {
    const Question& leader = questions_[question.filter];
    if (leader.passing.empty()) {
        share.scanned += filter(*question.plan, b, share.filtered.data());
        share.passing = share.filtered.data();
        return;
    }
    if (leader.in_block[b.row / block_rows] == 0) {
        share.filtered = {};
        share.passing = share.filtered.data();
        return;
    }
    const std::uint64_t* const passing = leader.passing.data() + b.row / 64;
    const bool whole = b.count == block_rows || b.row + b.count == columns_.count();
    if (whole && b.row % block_rows == 0) {
        share.scanned += leader.in_block[b.row / block_rows];
        share.passing = passing;
        return;
    }
    share.filtered = {};
    std::copy_n(passing, (b.count + 63) / 64, share.filtered.data());
    for (const std::uint64_t bits : share.filtered) share.scanned += count_bits(bits);
    share.passing = share.filtered.data();
}

/// Which strips of a block may reach the bar of each question, words apart: one look at what they
/// score at most.
void Scan::find_above(const Block& b, Range asked, Worker& worker) {
    const std::size_t count = asked.end - asked.first;
    float named = 0.0F;
    std::size_t side = questions_.size();  // whose `named` it is
    for (std::size_t q = asked.first; q < asked.end; ++q) {
        const Question& question = questions_[q];
        worker.bars[q] = lowest;
        // Questions with words look for themselves.
        if (question.codes == nullptr || !question.plan->terms.empty()) continue;
        if (question.side != side) {
            side = question.side;
            named = named_ceiling(*question.plan, b, side_of(question, b.row));
        }
        worker.bars[q] = question.threshold() - named;
    }
    kernels().each_above(most_of(asked.first, b.row) + b.row % block_rows / 64, b.count / 64,
                         worker.bars.data() + asked.first, count,
                         worker.above.data() + asked.first);
}

/// Which questions want rows of a block, which rows, and how; false when none wants any.
bool Scan::plan_block(const Block& b, Range asked, Worker& worker) {
    const bool coded = b.first + b.count <= encoded_[b.row / segment_rows];
    if (coded) find_above(b, asked, worker);
    worker.wanting.clear();
    for (std::size_t q = asked.first; q < asked.end; ++q) {
        const Question& question = questions_[q];
        Share& share = worker.shares[q];
        const Share& leader = worker.shares[std::max(question.filter, asked.first)];
        if (&leader == &share) pass(question, b, share);
        std::uint32_t strips = coded ? worker.above[q] : (1U << block_rows / 64) - 1U;
        if (strips == 0) continue;
        if (!question.seeded.empty()) {
            strips &= ~(static_cast<std::uint32_t>(question.seeded[b.row / block_rows]) >>
                        b.row % block_rows / 64);
        }
        share.mask = {};
        share.strips = 0;
        for (; strips != 0; strips &= strips - 1) {
            const auto w = static_cast<std::size_t>(std::countr_zero(strips));
            share.mask[w] = leader.passing[w];
            share.strips |= (share.mask[w] != 0 ? 1U : 0U) << w;
        }
        if (coded && !question.plan->terms.empty()) drop_by_words(b, q, share);
        share.way = way_of(question, rows_in(share.mask, share.strips), coded);
        if (share.way == Way::none) continue;
        worker.wanting.push_back(static_cast<std::uint32_t>(q));
    }
    return !worker.wanting.empty();
}

/// Drops the strips whose rows do not reach the bar with what words add.
void Scan::drop_by_words(const Block& b, std::size_t q, Share& share) {
    const Question& question = questions_[q];
    const ScanPlan& plan = *question.plan;
    if (share.strips == 0 || question.codes == nullptr || !share.words.pays(8)) return;
    const float bar = question.threshold() - named_ceiling(plan, b, side_of(question, b.row));
    if (bar == lowest) return;
    Strips words{};
    word_ceilings(plan, b, share.ahead, words);
    const float* const most = most_of(q, b.row) + b.row % block_rows / 64;
    const std::uint32_t below =
        share.strips & ~kernels().strips_above(most, words.data(), b.count / 64, bar);
    share.words.strips += count_bits(share.strips);
    share.words.spared += count_bits(below);
    share.strips &= ~below;
    for (std::uint32_t left = below; left != 0; left &= left - 1) {
        share.mask[static_cast<std::size_t>(std::countr_zero(left))] = 0;
    }
}

/// The part of a block that holds every row some question wants.
Block Scan::wanted(const Block& b, Worker& worker) const {
    const std::size_t step = questions_.size() >= least_matrix_questions ? matrix_rows / 64 : 1;
    std::uint32_t strips = 0;
    for (const std::uint32_t q : worker.wanting) strips |= worker.shares[q].strips;
    const auto first = static_cast<std::size_t>(std::countr_zero(strips));
    const auto last = static_cast<std::size_t>(std::bit_width(strips) - 1);
    const Words part{first / step * step, (last / step + 1) * step};
    if ((part.end - part.first) * 64 >= b.count) return b;
    for (const std::uint32_t q : worker.wanting) {
        move_to_front(part, worker.shares[q].mask.data());
        worker.shares[q].strips >>= part.first;
    }
    return part_of(b, part);
}

/// Side terms, words apart, once for all questions that share them.
void Scan::fill_sides(const Block& b, Range asked, Worker& worker) {
    std::array<bool, most_questions> filled{};
    for (const std::uint32_t q : worker.wanting) {
        const std::size_t leader = std::max(questions_[q].side, asked.first);
        if (worker.shares[q].way != Way::codes || filled[leader]) continue;
        filled[leader] = true;
        const bool alone = asked.end - asked.first == 1;
        score_side(*questions_[q].plan, b, nullptr, side_of(questions_[q], b.row),
                   alone ? worker.shares[q].mask.data() : nullptr, &worker.ahead, *worker.scratch,
                   worker.side.data() + leader * block_rows);
    }
}

/// Adds what the cells say to the side terms, and drops the rows that cannot reach the bar; lists
/// those of strips that have few. False when no other strip is left.
bool Scan::reach_out(const Block& b, std::size_t q, std::size_t leader, Worker& worker) {
    Share& share = worker.shares[q];
    const Question& question = questions_[q];
    const ScanPlan& plan = *question.plan;
    Scratch& scratch = *worker.scratch;
    float* const base = worker.base.data() + share.place * block_rows;
    const float* side = worker.side.data() + leader * block_rows;
    const bool words = bound_words(plan, b, share.cursor, worker.ahead, scratch);
    if (words) {
        add_words(plan, b, side, scratch);
        side = scratch.score.data();
    }
    const CellProducts& cells = *question.along[b.row / segment_rows];
    const float bar = question.threshold();
    kernels().keep_reaching({b.count, b.s.codes.cell + b.first, b.s.codes.reach + b.first,
                             cells.along.data(), question.per_reach, side, &worker.ahead,
                             share.asked_ahead ? b.s.codes.early + b.first : nullptr},
                            share.strips, bar, share.mask.data(), base);
    const std::uint32_t left = rows_in(share.mask, share.strips);
    // Codes that are on their way, as a question with words mostly has them, are read, unless
    // hardly any row of the block is left.
    const bool all = share.asked_ahead || words;
    const std::uint32_t few = !all ? few_of_strip : left <= sparse_rows ? 64 : 0;
    for (std::uint32_t strips = share.strips; strips != 0; strips &= strips - 1) {
        const auto w = static_cast<std::uint32_t>(std::countr_zero(strips));
        if (count_bits(share.mask[w]) > few) continue;
        share.strips &= ~(1U << w);
        for (std::uint64_t& bits = share.mask[w]; bits != 0; bits &= bits - 1) {
            const auto r = b.first + w * 64 + static_cast<std::uint32_t>(std::countr_zero(bits));
            __builtin_prefetch(&b.s.codes.row(r), 0, 2);
            share.few[share.few_count++] = r;
        }
    }
    return share.strips != 0;
}

/// Bounds the few rows of strips that had no more, one by one.
void Scan::bound_few(const Block& b, std::size_t q, Worker& worker) {
    Share& share = worker.shares[q];
    const Question& question = questions_[q];
    const ScanPlan& plan = *question.plan;
    const float* const base = worker.base.data() + share.place * block_rows;
    const std::vector<float>& along = question.along[b.row / segment_rows]->along;
    const float bar = question.threshold();
    std::array<std::int32_t, block_rows> sums;  // NOLINT: those of the few are written next
    sum_signs(*question.codes, b.s.codes, share.few.data(), share.few_count, sums.data());
    for (std::uint32_t n = 0; n < share.few_count; ++n) {
        const std::uint32_t r = share.few[n];
        const std::uint32_t i = r - b.first;
        Candidate row{base[i] + code_ceiling(plan, *question.codes, b.s.codes, r, sums[n]),
                      base[i] - along[b.s.codes.cell[r]], b.row + i};
        if (!plan.terms.empty() && row.bound >= bar) sharpen(plan, b, row);
        if (row.bound < bar) continue;
        share.waiting.push_back(row);
        ask_for_bytes(b.s.codes, r);
    }
    share.few_count = 0;
    if (share.waiting.size() > share.patience) tighten(q, share);
}

void Scan::scan_block(const Block& whole, Range asked, Worker& worker) {
    if (!plan_block(whole, asked, worker)) return;
    if (asked.end - asked.first == 1 && worker.shares[asked.first].way == Way::bytes) {
        collect_all(whole, asked.first, worker);
        return;
    }
    const Block b = wanted(whole, worker);
    ask_ahead(b, asked, worker);
    const bool coded = worker.shares[worker.wanting[0]].way == Way::codes;
    if (coded && worker.wanting.size() > 1) ask_for_strips(b, worker);
    fill_sides(b, asked, worker);
    // Products are taken for all questions at once; tables one after the other, so that what is
    // found for one stays in the first cache.
    const std::span<const std::uint32_t> wanting(worker.wanting);
    if (together() && asked.end - asked.first > 1) {
        bound_block(b, wanting, asked, worker);
        return;
    }
    for (std::size_t i = 0; i < wanting.size(); ++i) {
        bound_block(b, wanting.subspan(i, 1), asked, worker);
    }
}

/// What the codes leave of a block for some of the questions asked.
void Scan::bound_block(const Block& b, std::span<const std::uint32_t> some, Range asked,
                       Worker& worker) {
    const bool alone = some.size() == 1 && !together();
    const Range slots = alone ? Range{some[0], some[0] + 1U} : asked;
    for (std::size_t q = slots.first; q < slots.end; ++q) worker.asked[q].out = nullptr;
    std::size_t wanted_strips = 0;  // by codes, each question's counted for itself
    for (const std::uint32_t q : some) {
        Share& share = worker.shares[q];
        if (share.way != Way::codes) continue;
        share.place = q - slots.first;
        if (!reach_out(b, q, std::max(questions_[q].side, asked.first), worker)) {
            share.way = Way::few;
            share.dense = false;
            continue;
        }
        const std::uint32_t left = count_bits(share.strips);
        wanted_strips += left;
        share.dense = left * 4 >= b.count / 64 * 3;
        ask_codes(q, left, worker);
    }
    if (wanted_strips != 0) {
        const SegmentCodes& codes = b.s.codes;
        const CodeStrips strips(codes.bits(), codes.bytes, b.first);
        const CodeBlock block{
            b.count,      codes.bytes,           strips.early_bytes,     strips.early,
            strips.later, codes.early + b.first, codes.factors + b.first};
        // Products of whole matrices cost a third of the sums of tables, but leave no strip out.
        const std::size_t count = slots.end - slots.first;
        const bool matrix = count >= least_matrix_questions &&
                            3 * wanted_strips > (count + 31) / 32 * 32 * (b.count / 64);
        const auto bounds = matrix ? kernels().matrix_bounds : kernels().bounds;
        bounds(block, {worker.asked.data() + slots.first, count, rounded_.data(), stride_,
                       worker.signs.data()});
    }
    for (const std::uint32_t q : some) {
        const Way way = worker.shares[q].way;
        if (way == Way::codes || way == Way::few) bound_few(b, q, worker);
        if (way == Way::codes) collect(b, q, worker);
        if (way == Way::bytes) collect_all(b, q, worker);
        if (way == Way::exact) score_block(b, q, worker);
    }
}

/// A question's side of the bound by codes, of which it wants those of some strips.
void Scan::ask_codes(std::size_t q, std::uint32_t strips, Worker& worker) const {
    Share& share = worker.shares[q];
    const CodeQuery& query = *questions_[q].codes;
    CodeQuestion& question = worker.asked[q];
    question.table = query.table.data();
    question.step = query.step;
    question.offset = query.offset;
    question.unit = query.unit;
    question.rest = query.rest;
    question.norm = query.norm;
    question.weight = questions_[q].plan->request->weights.cosine;
    question.side = worker.base.data() + share.place * block_rows;
    question.early_offset = query.early_offset;
    question.bar = questions_[q].threshold();
    question.asked_ahead = share.asked_ahead;
    question.try_early = share.early.pays(4);
    if (question.try_early) share.early.strips += strips;
    question.strips = share.strips;
    question.mask = share.mask.data();
    question.spared = &share.early.spared;
    question.out = worker.bound.data() + share.place * block_rows;
}

/// Keeps the rows whose bound reaches the bar.
void Scan::collect(const Block& b, std::size_t q, Worker& worker) {
    Share& share = worker.shares[q];
    const Question& question = questions_[q];
    const float* const bound = worker.bound.data() + share.place * block_rows;
    const float* const base = worker.base.data() + share.place * block_rows;
    const std::vector<float>& along = question.along[b.row / segment_rows]->along;
    const bool words = !question.plan->terms.empty();
    const float bar = question.threshold();
    for (std::uint32_t strips = share.strips; strips != 0; strips &= strips - 1) {
        const auto w = static_cast<std::uint32_t>(std::countr_zero(strips));
        for (std::uint64_t bits = share.mask[w]; bits != 0; bits &= bits - 1) {
            const auto i = w * 64 + static_cast<std::uint32_t>(std::countr_zero(bits));
            const float rest = base[i] - along[b.s.codes.cell[b.first + i]];
            Candidate row{bound[i], rest, b.row + i};
            if (words) sharpen(*question.plan, b, row);
            if (row.bound < bar) continue;
            share.waiting.push_back(row);
            ask_for_bytes(b.s.codes, b.first + i);
        }
    }
    if (share.waiting.size() > share.patience) tighten(q, share);
}

}  // namespace remanence::cpu
