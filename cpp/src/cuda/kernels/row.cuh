// One row against one question: the filters, the side terms in canonical order, the cosine.
#pragma once

#include "remanence/decay.hpp"

#include "cuda/compat.hpp"
#include "cuda/layout.hpp"

namespace remanence::cuda {

/// Unsigned integers in the order of the floats; both zeros become one.
__device__ inline std::uint32_t ordered(float x) {
    std::uint32_t bits;
    x = x + 0.0F;
    std::memcpy(&bits, &x, sizeof bits);
    return (bits >> 31U) != 0 ? ~bits : bits | 0x8000'0000U;
}
__device__ inline float from_ordered(std::uint32_t key) {
    const std::uint32_t bits = (key >> 31U) != 0 ? key & 0x7FFF'FFFFU : ~key;
    float x;
    std::memcpy(&x, &bits, sizeof x);
    return x;
}

/// The place of `row` in an ascending list, or its length.
template <class T, class Key>
__device__ std::uint32_t find_row(const T* list, std::uint32_t count, std::uint32_t row, Key key) {
    std::uint32_t low = 0;
    std::uint32_t high = count;
    while (low < high) {
        const std::uint32_t middle = low + (high - low) / 2;
        if (key(list[middle]) < row) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < count && key(list[low]) == row ? low : count;
}

/// Whether a block can hold a row that passes at all.
__device__ inline bool block_may_pass(const BlockSummary& sum, const Question& q) {
    if ((q.kinds & sum.kinds) == 0) return false;
    return q.scope_count == 0 || sum.mixed_scopes ||
           (sum.least_scope < q.scope_count && q.scopes[sum.least_scope] != 0);
}

__device__ inline bool passes(const SegmentColumns& s, const BlockSummary& sum, std::uint32_t r,
                              std::uint32_t row, const Question& q) {
    if (sum.closed != 0 || sum.last_seq_from > q.seq) {
        if (s.seq_from[r] > q.seq || q.seq >= s.seq_to[r]) return false;
        if ((s.flags[r] & flag::erased) != 0) return false;
    }
    if (q.scope_count != 0 && sum.mixed_scopes) {
        const std::uint32_t scope = s.scope[r];
        if (scope >= q.scope_count || q.scopes[scope] == 0) return false;
    }
    if ((q.kinds & sum.kinds) != sum.kinds && (q.kinds >> s.kind[r] & 1U) == 0) return false;
    if (q.min_belief > 0.0F && sum.doubted != 0 && s.belief[r] < q.min_belief) return false;
    if (q.has_valid_at != 0) {
        if (s.valid_from[r] > q.valid_at) return false;
        if (q.valid_at >= s.valid_to[r] && s.valid_to[r] != time_max) return false;
    } else if (sum.bounded != 0 && q.now >= s.valid_to[r] && s.valid_to[r] != time_max) {
        return false;
    }
    if (q.allowed != nullptr && (q.allowed[row / 64] >> (row % 64) & 1U) == 0) return false;
    return q.excluded_count == 0 || find_row(q.excluded, q.excluded_count, row,
                                             [](std::uint32_t x) { return x; }) == q.excluded_count;
}

__device__ inline float days_to(TimeNs time, const Question& q) {
    constexpr float day_ns = 86'400e9F;
    float nearest = 1e9F;
    for (std::uint32_t i = 0; i < q.date_count; ++i) {
        const TimeNs from = q.dates[2 * i];
        const TimeNs to = q.dates[2 * i + 1];
        float days = 0.0F;
        if (time < from) {
            days = 3.0F * (static_cast<float>(elapsed_ns(time, from)) / day_ns);
        } else if (time >= to) {
            days = static_cast<float>(elapsed_ns(to, time)) / day_ns;
        }
        nearest = days < nearest ? days : nearest;
    }
    return nearest;
}

__device__ inline const float* vector_of(const SegmentColumns& s, std::uint32_t r,
                                         std::uint32_t padded) {
    return s.vectors + static_cast<std::size_t>(r - s.first_vector) * padded;
}

/// What a law reads of a row, stored or past.
struct Use {
    float trace[trace_count];
    TimeNs last_access;
    std::uint32_t accesses;
    float stability;
    std::uint32_t used;
    std::uint32_t unused;
};

REMANENCE_RARE float other_law(const Use& use, Law law, const Question& q) {
    DecayRow<float> row;
    row.stability = use.stability;
    row.last_access = use.last_access;
    if (law == Law::fsrs6) return static_cast<float>(Fsrs6{}.activation(row, q.now));
    return static_cast<float>(Exponential{}.activation(row, q.now));
}

__device__ inline float activation_of(const Use& use, Law law, const Question& q) {
    if (law != Law::power_trace) return other_law(use, law, q);
    return power_trace_activation(use.trace, use.last_access, q.now, q.trace);
}

/// A memory accessed once, when it was made.
REMANENCE_RARE Use first_use(Law law, TimeNs created) {
    Use use{};
    use.last_access = created;
    use.accesses = 1;
    if (law == Law::power_trace) {
        for (int k = 0; k < trace_count; ++k) use.trace[k] = 1.0F;
    } else if (law == Law::fsrs6) {
        const Fsrs6 fsrs{};
        use.stability = static_cast<float>(fsrs.first(Fsrs6::good).stability);
    } else {
        use.stability = static_cast<float>(Exponential{}.initial_half_life_days);
    }
    return use;
}

__device__ inline Use use_of(const SegmentColumns& s, std::uint32_t r, std::uint32_t row,
                             const Question& q) {
    Use use{};
    const std::uint32_t at =
        find_row(q.past, q.past_count, row, [](const PastState& p) { return p.row; });
    if (at != q.past_count) {
        const AccessState& state = q.past[at].state;
        const float* const trace = reinterpret_cast<const float*>(&state.trace);
        for (int k = 0; k < trace_count; ++k) use.trace[k] = trace[k];
        use.last_access = state.last_access;
        use.accesses = state.accesses;
        use.stability = state.stability;
        use.used = state.used;
        use.unused = state.unused;
        return use;
    }
    for (int k = 0; k < trace_count; ++k) use.trace[k] = s.trace[k][r];
    use.last_access = s.last_access[r];
    use.accesses = s.accesses[r];
    use.stability = s.stability[r];
    use.used = s.used[r];
    use.unused = s.unused[r];
    return use;
}

/// Lift, activation and usefulness; `again`: the row was used since it was made.
REMANENCE_RARE float add_use(float sum, bool again, const SegmentColumns& s, std::uint32_t r,
                             std::uint32_t row, const Question& q) {
    const auto law = static_cast<Law>(s.law[r]);
    const Use use = use_of(s, r, row, q);
    const bool lifted = again && q.lift != 0.0F && use.accesses > 1;
    const float now = lifted || q.activation != 0.0F ? activation_of(use, law, q) : 0.0F;
    if (lifted) sum = sum + q.lift * (now - activation_of(first_use(law, s.created[r]), law, q));
    if (q.activation != 0.0F) sum = sum + now * q.activation;
    if (again && (use.used != 0 || use.unused != 0)) {
        const double ratio =
            (static_cast<double>(use.used) + 1.0) / (static_cast<double>(use.unused) + 1.0);
        sum = sum + q.usefulness * static_cast<float>(canonical_log(ratio));
    }
    return sum;
}

/// Every term but the cosine, in the order of `Term`; `lexical` is null where nothing is asked.
__device__ inline float side_score(const SegmentColumns& s, const BlockSummary& sum_of_block,
                                   std::uint32_t r, std::uint32_t row, const Question& q,
                                   const float* lexical) {
    const std::uint8_t kind = s.kind[r];
    const bool turn = kind == static_cast<std::uint8_t>(Kind::episodic);
    float sum = q.table[s.statics[r]];
    if (lexical != nullptr) sum = sum + *lexical * q.lexical_weight[kind];
    if (q.author != 0 && q.author_weight != 0.0F && turn && s.author[r] != 0) {
        sum = sum + (s.author[r] == q.author ? q.author_weight : -q.author_weight);
    }
    if (q.date_count != 0 && q.date != 0.0F && turn) {
        constexpr float per_day = -0x1.a61762p-4F;  // -log2(e) / 14, as date_feature has it
        sum = sum + q.date * canonical_exp2(days_to(s.time[r], q) * per_day);
    }
    const bool again = sum_of_block.touched != 0 && (q.lift != 0.0F || q.usefulness != 0.0F) &&
                       (s.accesses[r] > 1 || s.used[r] != 0 || s.unused[r] != 0);
    if (again || q.activation != 0.0F) sum = add_use(sum, again, s, r, row, q);
    if (q.importance != 0.0F) sum = sum + s.importance[r] * q.importance;
    if (sum_of_block.doubted != 0) sum = sum + s.log_belief[r];
    return sum;
}

/// The BM25 of a row where a question at a time is asked for words; null where it has none.
__device__ inline const float* lexical_at(const Question& q, std::uint32_t row) {
    return q.lexical == nullptr ? nullptr : q.lexical + row;
}

/// The sum of what the 16 lanes of a half hold, halves added until one is left; `mask` names it.
__device__ inline float sum_of_half(float sum, unsigned mask) {
    for (unsigned width = 8; width != 0; width /= 2) {
        // a[l] + a[l + width]: both sides of the pair add the same two numbers.
        const float other = __shfl_xor_sync(mask, sum, width);
        sum = sum + other;
    }
    return sum;
}

/// Canonical dot product by half a warp, lane l of 16 adding l, l + 16, ...; `mask` names the half.
__device__ inline float canonical_dot(const float* a, const float* b, std::uint32_t padded,
                                      unsigned lane, unsigned mask) {
    float sum = 0.0F;
    for (std::uint32_t j = lane; j < padded; j += 16) sum = sum + a[j] * b[j];
    return sum_of_half(sum, mask);
}

}  // namespace remanence::cuda
