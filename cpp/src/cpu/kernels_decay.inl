// The loops of the verb `decay`, written once; each kernels_decay_*.cpp compiles them for one
// instruction set. Steps and their order are those of the laws in remanence/decay.hpp, lane by
// lane, so the bits are theirs. Nothing here may call an ordinary inline function.
#include "remanence/canonical.hpp"

#include "cpu/kernels_decay.hpp"

namespace remanence::cpu {
namespace {

#include "cpu/kernels_decay_lanes.inl"

constexpr std::size_t block_rows = 64;
constexpr std::size_t rows_ahead = 80;  // about 4 KiB of traces
constexpr std::size_t values_ahead = 256;

/// One block of PowerTrace in float32. Where all rows are so old that a trace's decay is at its
/// floor of 2^-100, that floor is the answer of the polynomial too.
REMANENCE_LANE_FN void power_trace_block(const PowerTraceConstants& c, const float* trace,
                                         const TimeNs* last, TimeNs now, float* out, U32& most) {
    float age_s[block_rows];
    float youngest = power_trace_most_age_s;
    const HalfF oldest = convert<HalfF>(lanes::splat<D>(1e9));
    HalfF least = oldest;
    for (std::size_t i = 0; i < block_rows; i += d_lanes) {
        HalfF age = to_float(elapsed(last + i, now)) * 1e-9F;
        age = lanes::select(age < oldest, age, oldest);
        least = lanes::select(age < least, age, least);
        store(age_s + i, age);
    }
    float ages[d_lanes];
    store(ages, least);
    for (const float age : ages) youngest = age < youngest ? age : youngest;
    std::size_t floored = 0;
    while (floored < power_trace_size && youngest * c.rate[floored] <= -100.0F) ++floored;

    const F low = lanes::splat<F>(-100.0F);
    const F sum_least = lanes::splat<F>(0x1p-100F);
    for (std::size_t i = 0; i < block_rows; i += f_lanes) {
        // The arithmetic of a group outlasts the look-ahead of the processor; a prefetch never
        // faults.
        for (std::size_t at = 0; at < f_lanes * power_trace_size; at += 16) {
            __builtin_prefetch(trace + (i + rows_ahead) * power_trace_size + at);
        }
        F held[power_trace_size];
        transpose(trace + i * power_trace_size, held);
        for (std::size_t k = 0; k < power_trace_size; ++k) {
            raise(most, lanes::bits_as<U32>(held[k]));
        }
        const F age = load<F>(age_s + i);
        F sum = lanes::splat<F>(0.0F);
        for (std::size_t k = 0; k < floored; ++k) {
            sum = sum + held[k] * c.weight[k] * 0x1p-100F;
        }
        for (std::size_t k = floored; k < power_trace_size; ++k) {
            const F x = age * c.rate[k];
            const F decay = lanes::exp2_in_range(lanes::select(x < low, low, x));
            sum = sum + held[k] * c.weight[k] * decay;
        }
        sum = lanes::select(sum < sum_least, sum_least, sum);
        store(out + i, F(canonical_log2(sum) * 0x1.62e430p-1F));
    }
}

bool power_trace_f32(const PowerTraceConstants& constants, const double* /*weights*/,
                     const float* trace, const TimeNs* last, TimeNs now, std::size_t n,
                     float* out) {
    U32 most{};
    std::size_t i = 0;
    for (; i + block_rows <= n; i += block_rows) {
        power_trace_block(constants, trace + i * power_trace_size, last + i, now, out + i, most);
    }
    if (i < n) {
        const std::size_t rest = n - i;
        float rows[block_rows * power_trace_size] = {};
        TimeNs times[block_rows] = {};
        float values[block_rows];
        __builtin_memcpy(rows, trace + i * power_trace_size,
                         rest * power_trace_size * sizeof(float));
        __builtin_memcpy(times, last + i, rest * sizeof(TimeNs));
        for (std::size_t j = rest; j < block_rows; ++j) times[j] = times[0];
        power_trace_block(constants, rows, times, now, values, most);
        __builtin_memcpy(out + i, values, rest * sizeof(float));
    }
    return none_above(most, most_f32);
}

REMANENCE_LANE_FN D power_trace_lanes(const double* weights, const double* trace, const D& age_s,
                                      U64& most) {
    constexpr PowerTraceTable taus_s = power_trace_taus_s;
    D sum = lanes::splat<D>(0.0);
    for (std::size_t k = 0; k < power_trace_size; ++k) {
        double held[d_lanes];
        for (std::size_t j = 0; j < d_lanes; ++j) held[j] = trace[j * power_trace_size + k];
        raise(most, load<U64>(held));
        const D decay = canonical_exp(D(-age_s / taus_s[k]));
        sum = sum + load<D>(held) * weights[k] * decay;
    }
    const D least = lanes::splat<D>(least_activation);
    return lanes::select(sum < lanes::splat<D>(0x1p-100), least, D(canonical_log(sum)));
}

/// Calls `group(i, from)` for every group of lanes. The last, short one reads padded copies of
/// the columns; `from` says which.
template <class A, class B, class T, class Group>
REMANENCE_LANE_FN void grouped(const A* a, std::size_t width, const B* b, std::size_t n, T* out,
                               A pad, const Group& group) {
    std::size_t i = 0;
    for (; i + d_lanes <= n; i += d_lanes) {
        __builtin_prefetch(b + i + values_ahead);
        group(a + i * width, b + i, out + i);
    }
    if (i == n) return;
    const std::size_t rest = n - i;
    A first[d_lanes * power_trace_size];
    B second[d_lanes] = {};
    T values[d_lanes];
    for (std::size_t j = 0; j < d_lanes * width; ++j) {
        first[j] = j < rest * width ? a[i * width + j] : pad;
    }
    for (std::size_t j = 0; j < rest; ++j) second[j] = b[i + j];
    group(first, second, values);
    for (std::size_t j = 0; j < rest; ++j) out[i + j] = values[j];
}

bool power_trace_f64(const PowerTraceConstants& /*f32*/, const double* weights, const double* trace,
                     const TimeNs* last, TimeNs now, std::size_t n, double* out) {
    U64 most{};
    const D oldest = lanes::splat<D>(1e9);
    grouped(trace, power_trace_size, last, n, out, 0.0,
            [&](const double* held, const TimeNs* from, double* to) {
                const D age_s = seconds(from, now);
                const D capped = lanes::select(age_s < oldest, age_s, oldest);
                store(to, power_trace_lanes(weights, held, capped, most));
            });
    return none_above(most, most_f64);
}

template <class T>
bool half_life(const T* stability, const TimeNs* last, TimeNs now, std::size_t n, T* out) {
    decltype(positive_bits(stability)) most{};
    grouped(stability, 1, last, n, out, T{1}, [&](const T* held, const TimeNs* from, T* to) {
        raise(most, positive_bits(held));
        const D days = seconds(from, now) / 86'400.0;
        store_double(to, D(-days / load_double(held) * 0.69314718055994530942));
    });
    return positive_held(most);
}

template <class T>
bool forgetting(double factor, double power, bool floor_days, const T* stability,
                const TimeNs* last, TimeNs now, std::size_t n, T* out) {
    decltype(positive_bits(stability)) most{};
    grouped(stability, 1, last, n, out, T{1}, [&](const T* held, const TimeNs* from, T* to) {
        raise(most, positive_bits(held));
        const D days = review_days(from, now, floor_days);
        store_double(to, D(canonical_log1p(D(days * factor / load_double(held))) * -power));
    });
    return positive_held(most);
}

template <class T>
void optimized(double d, const std::uint32_t* accesses, const TimeNs* created, TimeNs now,
               std::size_t n, T* out) {
    const double rest = 1.0 - d;
    const D least = lanes::splat<D>(least_activation);
    const D zero = lanes::splat<D>(0.0);
    const D one = lanes::splat<D>(1.0);
    grouped(accesses, 1, created, n, out, std::uint32_t{1},
            [&](const std::uint32_t* held, const TimeNs* from, T* to) {
                const D count = convert<D>(load<HalfU32>(held));
                const D some = lanes::select(count > zero, count, one);
                const D value =
                    canonical_log(D(some / rest)) - canonical_log(power_age(from, now)) * d;
                store_double(to, lanes::select(count > zero, value, least));
            });
}

void power_terms(double d, const TimeNs* times, TimeNs now, std::size_t n, double* out) {
    grouped(times, 1, times, n, out, TimeNs{0},
            [&](const TimeNs* from, const TimeNs* /*same*/, double* to) {
                store(to, D(canonical_log(power_age(from, now)) * -d));
            });
}

void spaced(double c, double a, double d_max, const TimeNs* times, const double* counts,
            std::size_t most, TimeNs now, double* decay, double* out) {
    const D count = load<D>(counts);
    const D highest = lanes::splat<D>(d_max);
    const D zero = lanes::splat<D>(0.0);
    D found = zero;
    D next = lanes::splat<D>(a);
    for (std::size_t j = 0; j <= most; ++j) {
        const D reached = lanes::splat<D>(static_cast<double>(j));
        if (j != 0) {
            const I64 at = j < most ? load<I64>(times + j * d_lanes) : lanes::splat<I64>(now);
            D sum = zero;
            for (std::size_t i = 0; i < j; ++i) {
                const D age_s = to_double(elapsed(load<I64>(times + i * d_lanes), at)) * 1e-9;
                const D term =
                    canonical_exp(D(-load<D>(decay + i * d_lanes) * canonical_log1p(age_s)));
                const D own = lanes::splat<D>(static_cast<double>(i));
                sum = sum + lanes::select(own < count, term, zero);
            }
            found = lanes::select(count == reached, sum, found);
            next = sum * c + a;
        }
        if (j < most) store(decay + j * d_lanes, lanes::select(next < highest, next, highest));
    }
    store(out, found);
}

void tail_means(double d, const double* age_k, const double* age_n, std::size_t n, double* out) {
    const double rest = 1.0 - d;
    grouped(age_k, 1, age_n, n, out, 1.0, [&](const double* first, const double* last, double* to) {
        const D from = load<D>(first);
        const D x = (load<D>(last) - from) / from;
        const D start = canonical_exp(D(canonical_log(from) * -d));
        const D mean = start * canonical_expm1(D(canonical_log1p(x) * rest)) / (x * rest);
        store(to, lanes::select(x > lanes::splat<D>(0.0), mean, start));
    });
}

void exp_of(double* x, std::size_t n) {
    grouped(x, 1, x, n, x, 0.0, [](const double* from, const double* /*same*/, double* to) {
        store(to, canonical_exp(load<D>(from)));
    });
}

void log_of(double* x, std::size_t n) {
    grouped(x, 1, x, n, x, 1.0, [](const double* from, const double* /*same*/, double* to) {
        store(to, canonical_log(load<D>(from)));
    });
}

}  // namespace

const DecayKernels REMANENCE_DECAY_KERNELS = {
    REMANENCE_KERNELS_NAME,
    {power_trace_f32, half_life<float>, forgetting<float>, optimized<float>},
    {power_trace_f64, half_life<double>, forgetting<double>, optimized<double>},
    power_terms,
    d_lanes,
    spaced,
    tail_means,
    exp_of,
    log_of};

}  // namespace remanence::cpu
