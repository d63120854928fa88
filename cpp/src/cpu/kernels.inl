// The inner loops, written once; each kernels_*.cpp compiles them for one instruction set.
//
// Every sum has a fixed order and every step is one multiplication or one addition, so all
// instruction sets return the same bits. Nothing here may call an ordinary inline function:
// the linker could pick a copy that was compiled for another instruction set.

#if defined(__AVX2__) && !defined(REMANENCE_SCALAR_LANES)
#include <immintrin.h>
#endif

#include "remanence/canonical.hpp"

#include "cpu/kernels.hpp"

namespace remanence::cpu {
namespace {

/// Lanes of the processor's own width, for work on one row per lane.
#if defined(REMANENCE_SCALAR_LANES)
using Lane = float;
#elif defined(__AVX512F__)
using Lane = float __attribute__((vector_size(64)));
#elif defined(__AVX2__)
using Lane = float __attribute__((vector_size(32)));
#else
using Lane = float __attribute__((vector_size(16)));
#endif
constexpr std::size_t lane_count = sizeof(Lane) / sizeof(float);

/// The 16 sums of a dot product, whatever the width of the processor.
using Sums = float __attribute__((vector_size(64)));

template <class V>
REMANENCE_LANE_FN V load(const float* at) {
    V value;
    __builtin_memcpy(&value, at, sizeof value);
    return value;
}

template <class V>
REMANENCE_LANE_FN void store(float* at, const V& value) {
    __builtin_memcpy(at, &value, sizeof value);
}

/// The sum of 16 lane sums: halves are added until one is left.
REMANENCE_LANE_FN float tree(float* a) {
    for (std::size_t width = 8; width != 0; width /= 2) {
        for (std::size_t l = 0; l < width; ++l) a[l] = a[l] + a[l + width];
    }
    return a[0];
}

#if defined(REMANENCE_SCALAR_LANES)
REMANENCE_LANE_FN void dot_rows(const float* query, const float* rows, std::size_t padded,
                                std::size_t count, float* out) {
    for (std::size_t r = 0; r < count; ++r, rows += padded) {
        float a[16] = {};
        for (std::size_t j = 0; j < padded; j += 16) {
            for (std::size_t l = 0; l < 16; ++l) a[l] = a[l] + query[j + l] * rows[j + l];
        }
        out[r] = tree(a);
    }
}
#else
/// `n` rows at a time keep enough loads in flight to reach the memory's speed.
template <int n>
REMANENCE_LANE_FN void dot_group(const float* query, const float* rows, std::size_t padded,
                                 float* out) {
    Sums sum[n] = {};
    for (std::size_t j = 0; j < padded; j += 16) {
        const Sums q = load<Sums>(query + j);
        for (int r = 0; r < n; ++r) {
            sum[r] = sum[r] + q * load<Sums>(rows + static_cast<std::size_t>(r) * padded + j);
        }
    }
    for (int r = 0; r < n; ++r) {
        float a[16];
        store(a, sum[r]);
        out[r] = tree(a);
    }
}

REMANENCE_LANE_FN void dot_rows(const float* query, const float* rows, std::size_t padded,
                                std::size_t count, float* out) {
    std::size_t r = 0;
    for (; r + 4 <= count; r += 4) dot_group<4>(query, rows + r * padded, padded, out + r);
    for (; r < count; ++r) dot_group<1>(query, rows + r * padded, padded, out + r);
}
#endif

void dot(const float* query, const float* rows, std::size_t padded, std::size_t count, float* out) {
    dot_rows(query, rows, padded, count, out);
}

void activation(const PowerTraceConstants& constants, const float* const* trace, const float* age_s,
                std::size_t count, float* out) {
    for (std::size_t i = 0; i < count; i += lane_count) {
        Lane held[power_trace_size];
        for (std::size_t k = 0; k < power_trace_size; ++k) held[k] = load<Lane>(trace[k] + i);
        store(out + i, power_trace_activation<Lane>(held, load<Lane>(age_s + i), constants));
    }
}

void hadamard_from(float* x, std::size_t size, std::size_t half) {
    for (; half < size; half *= 2) {
        for (std::size_t first = 0; first < size; first += 2 * half) {
            float* const low = x + first;
            float* const high = low + half;
            for (std::size_t j = 0; j < half; ++j) {
                const float a = low[j];
                const float b = high[j];
                low[j] = a + b;
                high[j] = a - b;
            }
        }
    }
}

#if defined(REMANENCE_SCALAR_LANES)
void hadamard(float* x, std::size_t size) { hadamard_from(x, size, 1); }
#else
/// One step within 16 lanes: each lane meets the lane `half` away, the upper one subtracted.
template <int half>
REMANENCE_LANE_FN Sums meet(const Sums& x) {
    std::int32_t partner[16];
    float sign[16];
    for (int l = 0; l < 16; ++l) {
        partner[l] = l ^ half;
        sign[l] = (l & half) != 0 ? -1.0F : 1.0F;
    }
    lanes::Int<Sums> mask;
    __builtin_memcpy(&mask, partner, sizeof mask);
    return __builtin_shuffle(x, mask) + x * load<Sums>(sign);
}

void hadamard(float* x, std::size_t size) {
    for (std::size_t j = 0; j < size; j += 16) {
        store(x + j, meet<8>(meet<4>(meet<2>(meet<1>(load<Sums>(x + j))))));
    }
    hadamard_from(x, size, 16);
}
#endif

/// Into the second cache: the first can wait for too few lines at a time to use the memory's speed.
REMANENCE_LANE_FN void ask_for(const void* at, std::size_t bytes) {
    for (std::size_t line = 0; line < bytes; line += 64) {
        __builtin_prefetch(static_cast<const char*>(at) + line, 0, 2);
    }
}

#include "cpu/kernels_bits.inl"
#include "cpu/kernels_codes.inl"
#include "cpu/kernels_cover.inl"
#include "cpu/kernels_encode.inl"
#include "cpu/kernels_filter.inl"
#include "cpu/kernels_gate.inl"
#include "cpu/kernels_paths.inl"
#include "cpu/kernels_pull.inl"
#include "cpu/kernels_side.inl"
// Uses the codes.
#include "cpu/kernels_cells.inl"

/// The two factors of n rows: bfloat16 numbers in one word.
template <int n>
REMANENCE_LANE_FN void unpack_factors(const std::uint32_t* factors, float* __restrict scale,
                                      float* __restrict error) {
    for (int i = 0; i < n; ++i) {
        scale[i] = __builtin_bit_cast(float, factors[i] & 0xFFFF0000U);
        error[i] = __builtin_bit_cast(float, factors[i] << 16U);
    }
}

/// Upper bounds of n rows from <Rq, s> = along * step + shift; arrays but `along` start at `first`
/// of the block or of the 64 rows.
template <int n>
REMANENCE_LANE_FN void bound_rows(const CodeQuestion& q, float step, float shift,
                                  const float* __restrict along, const float* __restrict scale,
                                  const float* __restrict error, std::uint32_t first) {
    const float norm = q.norm;
    const float weight = q.weight;
    const float* __restrict const side = q.side + first;
    float* __restrict const out = q.out + first;
    for (int i = 0; i < n; ++i) {
        out[i] = side[i] + weight * (scale[i] * (along[i] * step + shift) + error[i] * norm);
    }
}

/// Bounds of the 64 rows from `first` on, from the sums of their table entries.
REMANENCE_LANE_FN void bound_strip(const CodeQuestion& q, float offset, const std::uint16_t* sums,
                                   const std::uint32_t* factors, std::uint32_t first) {
    float along[64];
    float scale[64];
    float error[64];
    unpack_factors<64>(factors + first, scale, error);
    for (std::uint32_t i = 0; i < 64; ++i) along[i] = static_cast<float>(sums[i]);
    bound_rows<64>(q, q.step, -offset, along, scale, error, first);
}

/// The strips of a block of which any row is wanted.
struct WantedStrips {
    std::uint32_t strip[block_rows / 64];
    std::uint32_t count = 0;
};

REMANENCE_LANE_FN void list_wanted(const CodeQuestion& q, WantedStrips& out) {
    for (std::uint32_t left = q.strips; left != 0; left &= left - 1) {
        out.strip[out.count++] = static_cast<std::uint32_t>(__builtin_ctz(left));
    }
}

/// Asks for a half of the codes of wanted strip number i, and for its factors.
REMANENCE_LANE_FN void ask_for_strip(const WantedStrips& wanted, std::uint32_t i,
                                     const std::uint8_t* codes, std::size_t bytes,
                                     const std::uint32_t* factors) {
    if (i >= wanted.count) return;
    ask_for(codes + wanted.strip[i] * 64 * bytes, 64 * bytes);
    ask_for(factors + wanted.strip[i] * 64, 64 * sizeof(std::uint32_t));
}
constexpr std::uint32_t strips_ahead = 4;

/// Sums of the first half of the codes of strip s, and of what follows it.
REMANENCE_LANE_FN void sum_early(const CodeBlock& b, const CodeQuestion& q, std::uint32_t s,
                                 std::uint16_t* sums) {
    sum_codes(b.early_codes + s * 64 * b.early_bytes, q.table, b.early_bytes, sums);
}
REMANENCE_LANE_FN void add_later(const CodeBlock& b, const CodeQuestion& q, std::uint32_t s,
                                 std::uint16_t* sums) {
    const std::size_t later = b.bytes - b.early_bytes;
    std::uint16_t rest[64];
    sum_codes(b.later_codes + s * 64 * later, q.table + b.early_bytes / 3 * 256, later, rest);
    for (std::uint32_t i = 0; i < 64; ++i) sums[i] = static_cast<std::uint16_t>(sums[i] + rest[i]);
}

void full_bounds(const CodeBlock& b, const CodeQuestion& q) {
    std::uint16_t sums[64];
    WantedStrips wanted;
    list_wanted(q, wanted);
    const auto ask = [&](std::uint32_t i) __attribute__((always_inline)) {
        ask_for_strip(wanted, i, b.early_codes, b.early_bytes, b.factors);
        ask_for_strip(wanted, i, b.later_codes, b.bytes - b.early_bytes, b.factors);
    };
    for (std::uint32_t i = 0; i < strips_ahead; ++i) ask(i);
    for (std::uint32_t i = 0; i < wanted.count; ++i) {
        ask(i + strips_ahead);
        const std::uint32_t s = wanted.strip[i];
        sum_early(b, q, s, sums);
        add_later(b, q, s, sums);
        bound_strip(q, q.offset, sums, b.factors, s * 64);
        keep_above(q.out + s * 64, q.bar, 64, q.mask + s);
    }
}

/// The first half of each code, then the rest of what is left, which has come by then.
void early_bounds(const CodeBlock& b, const CodeQuestion& q) {
    constexpr int few = 1;  // cheaper by their bytes than by the rest of 64 codes
    std::uint16_t sums[16][64];
    const std::size_t later = b.bytes - b.early_bytes;
    std::uint32_t left = 0;
    WantedStrips wanted;
    list_wanted(q, wanted);
    const auto ask = [&](std::uint32_t i) __attribute__((always_inline)) {
        if (!q.asked_ahead) ask_for_strip(wanted, i, b.early_codes, b.early_bytes, b.early_factors);
    };
    for (std::uint32_t i = 0; i < strips_ahead; ++i) ask(i);
    for (std::uint32_t i = 0; i < wanted.count; ++i) {
        ask(i + strips_ahead);
        const std::uint32_t s = wanted.strip[i];
        sum_early(b, q, s, sums[s]);
        bound_strip(q, q.early_offset, sums[s], b.early_factors, s * 64);
        keep_above(q.out + s * 64, q.bar, 64, q.mask + s);
        if (__builtin_popcountll(q.mask[s]) <= few) {
            ++*q.spared;
            continue;
        }
        left |= 1U << s;
        ask_for(b.later_codes + s * 64 * later, 64 * later);
        ask_for(b.factors + s * 64, 64 * sizeof(std::uint32_t));
    }
    for (; left != 0; left &= left - 1) {
        const auto s = static_cast<std::uint32_t>(__builtin_ctz(left));
        add_later(b, q, s, sums[s]);
        bound_strip(q, q.offset, sums[s], b.factors, s * 64);
        keep_above(q.out + s * 64, q.bar, 64, q.mask + s);
    }
}

void bounds(const CodeBlock& b, const CodeQuestions& questions) {
    for (std::size_t k = 0; k < questions.count; ++k) {
        const CodeQuestion& q = questions.each[k];
        if (q.out == nullptr) continue;
        if (q.try_early) {
            early_bounds(b, q);
        } else {
            full_bounds(b, q);
        }
    }
}

void byte_dots(const std::int16_t* query, const std::int8_t* matrix, std::size_t width,
               std::size_t stride, const std::uint32_t* rows, std::size_t count,
               std::int32_t* out) {
    constexpr std::size_t ahead = 6;
    for (std::size_t i = 0; i < count; ++i) {
        if (i + ahead < count) {
            const std::int8_t* const next = matrix + rows[i + ahead] * stride;
            for (std::size_t line = 0; line < stride; line += 64) __builtin_prefetch(next + line);
        }
        out[i] = byte_dot(query, matrix + rows[i] * stride, width);
    }
}

#include "cpu/kernels_matrix.inl"
#include "cpu/kernels_products.inl"

}  // namespace

const Kernels REMANENCE_KERNELS = {
    .name = REMANENCE_KERNELS_NAME,
    .dot = dot,
    .activation = activation,
    .side = side,
    .add_held = add_held,
    .hadamard = hadamard,
    .bounds = bounds,
    .matrix_bounds = matrix_bounds,
    .cell_runs = cell_runs,
    .strip_bounds = strip_bounds,
    .strips_above = strips_above,
    .each_above = each_above,
    .keep_reaching = keep_reaching,
    .nearest = nearest,
    .residual = residual,
    .encode_bytes = encode_bytes,
    .byte_dots = byte_dots,
    .products = products,
    .bit_dots = bit_dots,
    .keep_above = keep_above,
    .keep_equal = keep_equal,
    .keep_kinds = keep_kinds,
    .take_bits = take_bits,
    .list_gate = list_gate,
    .gate_bits = gate_bits,
    .hide = hide,
    .reach = reach,
    .find_better = find_better,
    .find_parents = find_parents,
    .hook_ranks = hook_ranks,
    .pull16 = pull16,
    .head_bounds = head_bounds,
    .cells = REMANENCE_CELLS,
    .gate_words = gate_words,
};

}  // namespace remanence::cpu
