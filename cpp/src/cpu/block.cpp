// Filtering and scoring the rows of one block.
#include "cpu/block.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <memory>

#include "core/activation.hpp"
#include "core/bits.hpp"
#include "cpu/kernels.hpp"

namespace remanence::cpu {
namespace {

template <class Test>
void keep_rows(std::uint64_t* mask, std::uint32_t count, Test&& test, std::uint32_t first = 0) {
    for (std::uint32_t w = first / 64; w * 64 < count; ++w) {
        std::uint64_t bits = 0;
        const std::uint32_t n = std::min(64U, count - w * 64);
        for (std::uint32_t i = 0; i < n; ++i) {
            bits |= static_cast<std::uint64_t>(test(w * 64 + i)) << i;
        }
        mask[w] &= bits;
    }
}

void score_dates(const ScanPlan& plan, const Block& b, Scratch& scratch) {
    const Request& q = *plan.request;
    for (std::uint32_t i = 0; i < b.count; ++i) {
        const bool turn = b.s.kind[b.first + i] == static_cast<std::uint8_t>(Kind::episodic);
        scratch.date[i] =
            turn ? q.weights.date * date_feature(b.s.time[b.first + i], q.dates) : 0.0F;
    }
}

/// Lift and usefulness of the few rows that were used since they were made.
void score_use(const ScanPlan& plan, const Block& b, Scratch& scratch) {
    const Weights& w = plan.request->weights;
    const TimeNs now = plan.request->now;
    scratch.lift.fill(0.0F);
    scratch.usefulness.fill(0.0F);
    for (std::uint32_t i = 0; i < b.count; ++i) {
        const std::uint32_t r = b.first + i;
        if (b.s.accesses[r] <= 1 && b.s.used[r] == 0 && b.s.unused[r] == 0) continue;
        const auto law = static_cast<Law>(b.s.law[r]);
        const AccessState state = access_as_of(*plan.columns, b.row + i, plan.seq);
        if (w.lift != 0.0F && state.accesses > 1) {
            scratch.lift[i] = w.lift * (activation_of(state, law, now) -
                                        activation_of(first_access(law, b.s.created[r]), law, now));
        }
        if (state.used != 0 || state.unused != 0) {
            scratch.usefulness[i] = w.usefulness * usefulness_feature(state.used, state.unused);
        }
    }
}

void score_activation(const ScanPlan& plan, const Block& b, Scratch& scratch) {
    const TimeNs now = plan.request->now;
    std::array<const float*, trace_count> trace{};
    for (std::size_t k = 0; k < trace_count; ++k) trace[k] = b.s.trace[k] + b.first;
    for (std::uint32_t i = 0; i < b.count; ++i) {
        scratch.age[i] = power_trace_age_s(b.s.last_access[b.first + i], now);
    }
    const std::size_t padded = (b.count + 15) / 16 * 16;
    kernels().activation(trace_constants(), trace.data(), scratch.age.data(), padded,
                         scratch.activation.data());
    const bool past = b.summary.touched != 0 && plan.seq != seq_now;
    if (!past && b.summary.laws == 1U << static_cast<unsigned>(Law::power_trace)) return;
    for (std::uint32_t i = 0; i < b.count; ++i) {
        const std::uint32_t r = b.first + i;
        const auto law = static_cast<Law>(b.s.law[r]);
        if (law == Law::power_trace && !(past && b.s.accesses[r] > 1)) continue;
        scratch.activation[i] =
            activation_of(access_as_of(*plan.columns, b.row + i, plan.seq), law, now);
    }
}

}  // namespace

std::uint32_t filter(const ScanPlan& plan, const Block& b, std::uint64_t* mask) {
    const Request& q = *plan.request;
    const BlockSummary& sum = b.summary;
    std::fill_n(mask, block_rows / 64, 0);
    if (!may_pass(plan, sum)) return 0;
    const std::uint32_t rows_here =
        std::min(block_rows, b.s.count - b.first / block_rows * block_rows);
    if (sum.closed == rows_here && sum.last_seq_to <= plan.seq) return 0;
    if (!plan.row_allowed.empty()) {
        const std::uint64_t* const allowed = plan.row_allowed.data() + b.row / 64;
        std::copy_n(allowed, (b.count + 63) / 64, mask);
        if (std::all_of(mask, mask + block_rows / 64, [](std::uint64_t w) { return w == 0; })) {
            return 0;
        }
    } else {
        std::fill_n(mask, b.count / 64, ~0ULL);
        if (b.count % 64 != 0) mask[b.count / 64] = (1ULL << (b.count % 64)) - 1;
    }
    const Segment& s = b.s;
    const std::uint32_t f = b.first;
    // Rows behind the last one may be being filled: the rest of 64 is asked one by one.
    const std::uint32_t whole = b.count / 64 * 64;
    if (sum.closed != 0 || sum.last_seq_from > plan.seq) {
        keep_rows(mask, b.count, [&](std::uint32_t i) {
            return s.seq_from[f + i] <= plan.seq && plan.seq < s.seq_to[f + i] &&
                   (s.flags[f + i] & flag::erased) == 0;
        });
    }
    const bool all_scopes = plan.scopes.holds_all(sum.least_scope, sum.greatest_scope);
    if (const std::uint32_t one = plan.scopes.one(); one != none && !all_scopes) {
        kernels().keep_equal(s.scope + f, one, whole, mask);
        keep_rows(mask, b.count, [&](std::uint32_t i) { return s.scope[f + i] == one; }, whole);
    } else if (!all_scopes) {
        keep_rows(mask, b.count,
                  [&](std::uint32_t i) { return plan.scopes.holds(s.scope[f + i]); });
    }
    if ((q.kinds & sum.kinds) != sum.kinds) {
        kernels().keep_kinds(s.kind + f, q.kinds, whole, mask);
        keep_rows(
            mask, b.count, [&](std::uint32_t i) { return (q.kinds >> s.kind[f + i] & 1U) != 0; },
            whole);
    }
    if (q.min_belief > 0.0F && sum.doubted != 0) {
        keep_rows(mask, b.count, [&](std::uint32_t i) { return s.belief[f + i] >= q.min_belief; });
    }
    if (q.valid_at) {
        const TimeNs at = *q.valid_at;
        keep_rows(mask, b.count, [&](std::uint32_t i) {
            return s.valid_from[f + i] <= at && open_at(s.valid_to[f + i], at);
        });
    } else if (sum.bounded != 0) {
        keep_rows(mask, b.count,
                  [&](std::uint32_t i) { return open_at(s.valid_to[f + i], q.now); });
    }
    for (auto at = std::lower_bound(plan.excluded.begin(), plan.excluded.end(), b.row);
         at != plan.excluded.end() && *at < b.row + b.count; ++at) {
        mask[(*at - b.row) / 64] &= ~(1ULL << ((*at - b.row) % 64));
    }
    std::uint32_t rows = 0;
    for (std::uint32_t w = 0; w < block_rows / 64; ++w) rows += count_bits(mask[w]);
    return rows;
}

bool score_words(const ScanPlan& plan, const Block& b, bool rare, WordCursor& cursor,
                 Scratch& scratch) {
    constexpr std::size_t ahead = 8;
    const bool follows = cursor.next_row == b.row && cursor.rare == rare;
    cursor.rare = rare;
    cursor.at.resize(plan.terms.size());
    cursor.next_row = b.row + b.count;
    bool any = false;
    for (std::size_t t = 0; t < plan.terms.size(); ++t) {
        const ScanTerm& term = plan.terms[t];
        if (rare && plan.bounds_words(term)) continue;
        const auto& list = *term.postings;
        std::size_t& at = cursor.at[t];
        if (!follows) at = static_cast<std::size_t>(list.from(b.row) - list.begin());
        for (; at < list.size() && list[at].row < cursor.next_row; ++at) {
            if (!any) scratch.lexical.fill(0.0F);
            any = true;
            if (at + ahead < list.size()) {
                __builtin_prefetch(b.s.words + Columns::within(list[at + ahead].row));
            }
            const std::uint32_t i = list[at].row - b.row;
            const float length =
                plan.length_base + plan.length_slope * static_cast<float>(b.s.words[b.first + i]);
            const auto count = static_cast<float>(list[at].count);
            scratch.lexical[i] = scratch.lexical[i] + term.weight * (count / (count + length));
        }
    }
    return any;
}

namespace {

/// What a row has by being what it is, whoever asks: exact, or bounds that its segment keeps.
void score_own(const ScanPlan& plan, const Block& b, const SideBound* bound, Scratch& scratch,
               SideBlock& side) {
    const Weights& w = plan.request->weights;
    if (bound != nullptr) {
        side.steps = bound->steps.data() + b.first;
        side.least = bound->least;
        side.step = bound->step;
        return;
    }
    side.table = plan.table.data();
    side.statics = b.s.statics + b.first;
    if (std::has_single_bit(b.summary.kinds)) {
        side.one_kind = static_cast<std::uint32_t>(std::countr_zero(b.summary.kinds));
    }
    if (w.activation != 0.0F) {
        score_activation(plan, b, scratch);
        side.activation = scratch.activation.data();
        side.activation_weight = w.activation;
    }
    if (w.importance != 0.0F && b.summary.important != 0) {
        side.importance = b.s.importance + b.first;
        side.importance_weight = w.importance;
    }
    if (b.summary.doubted != 0) side.log_belief = b.s.log_belief + b.first;
}

/// Whether what accesses add has to be found row by row.
bool was_used(const ScanPlan& plan, const Block& b, const SideBound* bound) {
    const Weights& w = plan.request->weights;
    return b.summary.touched != 0 && (w.lift != 0.0F || w.usefulness != 0.0F) &&
           (bound == nullptr || !bound->holds_use());
}

}  // namespace

void score_side(const ScanPlan& plan, const Block& b, const float* lexical, const SideBound* bound,
                const std::uint64_t* mask, Ahead* ahead, Scratch& scratch, float* out) {
    const Request& q = *plan.request;
    const Weights& w = q.weights;
    SideBlock side;
    side.count = b.count;
    side.mask = mask;
    side.ahead = ahead;
    side.kind = b.s.kind + b.first;
    score_own(plan, b, bound, scratch, side);
    side.lexical = lexical;
    side.lexical_weight = plan.lexical_weight.data();
    if (plan.author != 0 && w.author != 0.0F) {
        side.author = b.s.author + b.first;
        side.wanted_author = plan.author;
        side.author_weight = w.author;
    }
    if (!q.dates.empty() && w.date != 0.0F) {
        score_dates(plan, b, scratch);
        side.date = scratch.date.data();
    }
    if (was_used(plan, b, bound)) {
        score_use(plan, b, scratch);
        side.lift = scratch.lift.data();
        side.usefulness = scratch.usefulness.data();
    }
    kernels().side(side, out);
}

void score_cosine(const ScanPlan& plan, const Block& b, const std::uint64_t* mask,
                  std::uint32_t passed, Scratch& scratch) {
    const std::size_t padded = plan.columns->padded_dim;
    if (passed * 4 >= b.count * 3 && Columns::at_home(b.s, b.first, b.count)) {
        kernels().dot(plan.query.data(), b.s.vectors() + b.first * padded, padded, b.count,
                      scratch.cosine.data());
        return;
    }
    for (std::uint32_t w = 0; w * 64 < b.count; ++w) {
        for (std::uint64_t bits = mask[w]; bits != 0; bits &= bits - 1) {
            const auto i = w * 64 + static_cast<std::uint32_t>(std::countr_zero(bits));
            kernels().dot(plan.query.data(), plan.columns->room(b.s, b.first + i), padded, 1,
                          &scratch.cosine[i]);
        }
    }
}

float code_ceiling(const ScanPlan& plan, const CodeQuery& query, const SegmentCodes& codes,
                   std::uint32_t r, std::int32_t sum) {
    const std::int32_t product = 2 * sum - query.rounded_sum;
    const std::uint32_t factors = codes.row(r).factors;
    const float along = static_cast<float>(product) * query.unit + query.rest;
    return plan.request->weights.cosine * (std::bit_cast<float>(factors & 0xFFFF0000U) * along +
                                           std::bit_cast<float>(factors << 16U) * query.norm);
}

void sum_signs(const CodeQuery& query, const SegmentCodes& codes, const std::uint32_t* rows,
               std::size_t count, std::int32_t* out) {
    kernels().bit_dots(query.rounded.data(), codes.signs(0), codes.bytes, codes.stride, rows, count,
                       out);
}

bool sides_kept(const ScanPlan& plan, const Block& b, const SideBound* bound) {
    return bound != nullptr && !was_used(plan, b, bound) && plan.author == 0 &&
           plan.request->dates.empty();
}

std::size_t list_rows(const Block& b, const std::uint64_t* mask, const SideBound* bound,
                      std::uint32_t* out) {
    std::size_t count = 0;
    const std::uint64_t last = std::uint64_t{1} << 63U;
    for (std::uint32_t word = 0; word * 64 < b.count; ++word) {
        // Most words have two rows at most, and nobody foresees how many.
        std::uint64_t bits = mask[word];
        do {
            for (int i = 0; i < 2; ++i) {
                out[count] =
                    b.first + word * 64 + static_cast<std::uint32_t>(std::countr_zero(bits | last));
                count += bits != 0 ? 1 : 0;
                bits &= bits - 1;
            }
        } while (bits != 0);
    }
    for (std::size_t n = 0; n < count; ++n) {
        __builtin_prefetch(&b.s.codes.row(out[n]), 0, 2);
        if (bound != nullptr) __builtin_prefetch(bound->steps.data() + out[n], 0, 2);
    }
    return count;
}

void bound_by_cells(const Segment& s, std::uint32_t base, const SideBound& bound,
                    std::span<const std::uint32_t> rows, const Reach& reach,
                    std::vector<Candidate>& out) {
    out.reserve(out.size() + rows.size());
    for (const std::uint32_t r : rows) {
        const RowCode& code = s.codes.row(r);
        const float side = bound.of(r);
        const float most =
            side + reach.along[code.cell] + static_cast<float>(code.reach) * reach.per_reach;
        out.push_back({most, side, base + r});
    }
}

void bound_by_signs(const ScanPlan& plan, const Segment& s, const Candidate* from,
                    std::size_t count, const Reach& reach, std::vector<Candidate>& out) {
    std::array<std::uint32_t, block_rows> rows;  // NOLINT: the first `some` are written below
    std::array<std::int32_t, block_rows> sums;   // NOLINT: as above
    for (std::size_t first = 0; first < count; first += block_rows) {
        const std::size_t some = std::min<std::size_t>(count - first, block_rows);
        for (std::size_t n = 0; n < some; ++n) rows[n] = Columns::within(from[first + n].row);
        if (reach.codes != nullptr)
            sum_signs(*reach.codes, s.codes, rows.data(), some, sums.data());
        for (std::size_t n = 0; n < some; ++n) {
            Candidate row = from[first + n];
            if (reach.codes != nullptr) {
                const float at = row.side + reach.along[s.codes.row(rows[n]).cell];
                row.bound = std::min(
                    row.bound, at + code_ceiling(plan, *reach.codes, s.codes, rows[n], sums[n]));
            }
            if (row.bound < reach.bar) continue;
            ask_for_bytes(s.codes, rows[n]);
            out.push_back(row);
        }
    }
}

void bound_rows(const ScanPlan& plan, const Block& b, const std::uint64_t* mask,
                const float* lexical, const SideBound* bound, const Reach& reach,
                std::vector<Candidate>& out) {
    const Segment& s = b.s;
    const bool kept = sides_kept(plan, b, bound);
    std::array<std::uint32_t, block_rows + 1> rows;  // NOLINT: the first `count` are written below
    const std::size_t count = list_rows(b, mask, kept ? bound : nullptr, rows.data());
    const float nothing = 0.0F;
    // Those that may reach the bar by their cells move to the front: no branch foresees which.
    std::array<Candidate, block_rows + 1> left;  // NOLINT: as above
    std::size_t reaching = 0;
    for (std::size_t n = 0; n < count; ++n) {
        const std::uint32_t r = rows[n];
        const std::uint32_t i = r - b.first;
        const float* const words = lexical != nullptr ? lexical + i : &nothing;
        const float side = kept ? bound->of(r) + *words * plan.lexical_weight[s.kind[r]]
                                : row_side(plan, b.row + i, words);
        const RowCode& code = s.codes.row(r);
        const float most =
            side + reach.along[code.cell] + static_cast<float>(code.reach) * reach.per_reach;
        left[reaching] = {most, side, b.row + i};
        reaching += most >= reach.bar ? 1 : 0;
    }
    bound_by_signs(plan, s, left.data(), reaching, reach, out);
}

float named_ceiling(const ScanPlan& plan, const Block& b, const SideBound* bound) {
    if (was_used(plan, b, bound)) return std::numeric_limits<float>::infinity();
    const Weights& w = plan.request->weights;
    float most = 0.0F;
    if (plan.author != 0) most += std::fabs(w.author);
    if (!plan.request->dates.empty()) most += std::max(w.date, 0.0F);
    return most;
}

void move_to_front(const Words& part, std::uint64_t* mask) {
    const std::size_t count = part.end - part.first;
    std::copy_n(mask + part.first, count, mask);
    std::fill(mask + count, mask + block_rows / 64, 0);
}

Block part_of(const Block& b, const Words& part) {
    const auto skipped = static_cast<std::uint32_t>(part.first * 64);
    const auto end = std::min(static_cast<std::uint32_t>(part.end * 64), b.count);
    return {b.s, b.summary, b.first + skipped, b.row + skipped, end - skipped};
}

Block block_at(const Columns& columns, std::uint32_t row) {
    const Segment& s = columns.at(row);
    const std::uint32_t within = Columns::within(row);
    return {s, s.blocks[within / block_rows], within, row,
            std::min(block_rows, columns.count() - row)};
}

}  // namespace remanence::cpu
