// Lanes of the `decay` loops: loads, exact conversions of times, range checks, transposed traces.
#if defined(REMANENCE_SCALAR_LANES)
using F = float;
using D = double;
using HalfF = float;
using U32 = std::uint32_t;
using HalfU32 = std::uint32_t;
using U64 = std::uint64_t;
#else
#if defined(__AVX512F__)
#define REMANENCE_LANES(type) type __attribute__((vector_size(64)))
#define REMANENCE_HALF(type) type __attribute__((vector_size(32)))
#elif defined(__AVX2__)
#define REMANENCE_LANES(type) type __attribute__((vector_size(32)))
#define REMANENCE_HALF(type) type __attribute__((vector_size(16)))
#else
#define REMANENCE_LANES(type) type __attribute__((vector_size(16)))
#define REMANENCE_HALF(type) type __attribute__((vector_size(8)))
#endif
using F = REMANENCE_LANES(float);
using D = REMANENCE_LANES(double);
using HalfF = REMANENCE_HALF(float);
using U32 = REMANENCE_LANES(std::uint32_t);
using HalfU32 = REMANENCE_HALF(std::uint32_t);
using U64 = REMANENCE_LANES(std::uint64_t);
#undef REMANENCE_LANES
#undef REMANENCE_HALF
#endif
using I64 = lanes::Int<D>;

constexpr std::size_t f_lanes = sizeof(F) / sizeof(float);
constexpr std::size_t d_lanes = sizeof(D) / sizeof(double);
constexpr std::uint32_t most_f32 = 0x7F7FFFFF;  // the bits of the largest finite value
constexpr std::uint64_t most_f64 = 0x7FEFFFFFFFFFFFFF;

template <class V, class T>
REMANENCE_LANE_FN V load(const T* at) {
    V value;
    __builtin_memcpy(&value, at, sizeof value);
    return value;
}

template <class V, class T>
REMANENCE_LANE_FN void store(T* at, const V& value) {
    __builtin_memcpy(at, &value, sizeof value);
}

/// Lane-wise conversion to another type of as many lanes.
template <class To, class From>
REMANENCE_LANE_FN To convert(const From& x) {
#if defined(REMANENCE_SCALAR_LANES)
    return static_cast<To>(x);
#else
    return __builtin_convertvector(x, To);
#endif
}

REMANENCE_LANE_FN D load_double(const double* at) { return load<D>(at); }
REMANENCE_LANE_FN D load_double(const float* at) { return convert<D>(load<HalfF>(at)); }
REMANENCE_LANE_FN void store_double(double* at, const D& value) { store(at, value); }
REMANENCE_LANE_FN void store_double(float* at, const D& value) { store(at, convert<HalfF>(value)); }

/// max(0, to - from) in ns.
REMANENCE_LANE_FN U64 elapsed(const I64& from, const I64& to) {
#if defined(REMANENCE_SCALAR_LANES)
    return elapsed_ns(from, to);
#else
    const I64 earlier = from < to;
    return (lanes::bits_as<U64>(to) - lanes::bits_as<U64>(from)) & lanes::bits_as<U64>(earlier);
#endif
}
REMANENCE_LANE_FN U64 elapsed(const TimeNs* from, TimeNs to) {
    return elapsed(load<I64>(from), lanes::splat<I64>(to));
}

/// The nearest double, ties to even.
REMANENCE_LANE_FN D to_double(const U64& x) {
#if defined(REMANENCE_SCALAR_LANES) || defined(__AVX512DQ__)
    return convert<D>(x);
#else
    // Each half becomes the fraction of a power of two; only the last addition rounds.
    const D high = lanes::bits_as<D>((x >> 32) | 0x4530000000000000U) - 0x1.00000001p84;
    return high + lanes::bits_as<D>((x & 0xFFFFFFFFU) | 0x4330000000000000U);
#endif
}

/// The nearest float, ties to even, rounded once.
REMANENCE_LANE_FN HalfF to_float(const U64& x) {
#if defined(REMANENCE_SCALAR_LANES) || defined(__AVX512DQ__)
    return convert<HalfF>(x);
#else
    // What a double could not hold is kept as one sticky bit, far below a float's last place.
    const U64 sticky = (x & ~std::uint64_t{0x7FF}) | (((x & 0x7FFU) + 0x7FFU) & 0x800U);
    return convert<HalfF>(to_double((x >> 53) == 0U ? x : sticky));
#endif
}

/// elapsed_s and power_age_s of the header.
REMANENCE_LANE_FN D seconds(const TimeNs* from, TimeNs to) {
    return to_double(elapsed(from, to)) * 1e-9;
}
REMANENCE_LANE_FN D power_age(const TimeNs* from, TimeNs to) {
    const D age_s = seconds(from, to);
    const D least = lanes::splat<D>(1e-9);
    return lanes::select(age_s < least, least, age_s);
}

/// Days as Fsrs6 counts them; whole ones are rounded down exactly.
REMANENCE_LANE_FN D review_days(const TimeNs* from, TimeNs to, bool whole) {
    const U64 ns = elapsed(from, to);
    const D days = to_double(ns) / 86'400e9;
    if (!whole) return days;
    const lanes::Rounded<D> near = lanes::round_f64(days);
    const U64 over = ns - lanes::bits_as<U64>(near.index) * std::uint64_t{86'400'000'000'000};
    const D one = lanes::splat<D>(1.0);
    const D zero = lanes::splat<D>(0.0);
    return near.value - lanes::select(lanes::bits_as<I64>(over) < 0, one, zero);
}

/// The greatest bits seen. Negative numbers, infinities and NaN lie above all that is allowed.
template <class U>
REMANENCE_LANE_FN void raise(U& most, const U& bits) {
    most = lanes::select(bits > most, bits, most);
}

template <class T, class U>
REMANENCE_LANE_FN bool none_above(const U& most, T bound) {
    T lanes_of[sizeof(U) / sizeof(T)];
    __builtin_memcpy(lanes_of, &most, sizeof most);
    bool holds = true;
    for (const T value : lanes_of) holds = holds && value <= bound;
    return holds;
}

/// Bits of a positive value less one, so that zero is the greatest of all.
REMANENCE_LANE_FN U64 positive_bits(const double* at) { return load<U64>(at) - 1U; }
REMANENCE_LANE_FN HalfU32 positive_bits(const float* at) { return load<HalfU32>(at) - 1U; }
REMANENCE_LANE_FN bool positive_held(const U64& most) { return none_above(most, most_f64 - 1); }
REMANENCE_LANE_FN bool positive_held(const HalfU32& most) { return none_above(most, most_f32 - 1); }

#if defined(REMANENCE_SCALAR_LANES)
REMANENCE_LANE_FN void transpose(const float* trace, F (&held)[power_trace_size]) {
    for (std::size_t k = 0; k < power_trace_size; ++k) held[k] = trace[k];
}
#else
using Four = float __attribute__((vector_size(16)));

/// Values 4c ... 4c + 3 of rows r, r + 4, r + 8, ...: one 16-byte load each.
REMANENCE_LANE_FN F quarters(const float* at) {
    [[maybe_unused]] constexpr std::size_t apart = 4 * power_trace_size;
#if defined(__AVX512F__)
    using Eight = float __attribute__((vector_size(32)));
    const Eight low =
        __builtin_shufflevector(load<Four>(at), load<Four>(at + apart), 0, 1, 2, 3, 4, 5, 6, 7);
    const Eight high = __builtin_shufflevector(load<Four>(at + 2 * apart),
                                               load<Four>(at + 3 * apart), 0, 1, 2, 3, 4, 5, 6, 7);
    return __builtin_shufflevector(low, high, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
#elif defined(__AVX2__)
    return __builtin_shufflevector(load<Four>(at), load<Four>(at + apart), 0, 1, 2, 3, 4, 5, 6, 7);
#else
    return load<Four>(at);
#endif
}

/// Out of each group of four lanes: a[i], b[i], a[j], b[j], or with `pairs` a[i], a[j], b[i], b[j].
template <int i, int j, bool pairs>
REMANENCE_LANE_FN F weave(const F& a, const F& b) {
    constexpr int n = static_cast<int>(f_lanes);
    std::int32_t from[n];
    for (int g = 0; g < n; g += 4) {
        from[g] = g + i;
        from[g + 1] = pairs ? g + j : n + g + i;
        from[g + 2] = pairs ? n + g + i : g + j;
        from[g + 3] = n + g + j;
    }
    return __builtin_shuffle(a, b, load<lanes::Int<F> >(from));
}

/// Rows of 12 traces as 12 columns of as many rows as there are lanes.
REMANENCE_LANE_FN void transpose(const float* trace, F (&held)[power_trace_size]) {
    for (std::size_t c = 0; c < power_trace_size; c += 4) {
        const F r0 = quarters(trace + c);
        const F r1 = quarters(trace + c + power_trace_size);
        const F r2 = quarters(trace + c + 2 * power_trace_size);
        const F r3 = quarters(trace + c + 3 * power_trace_size);
        const F low01 = weave<0, 1, false>(r0, r1);
        const F low23 = weave<0, 1, false>(r2, r3);
        const F high01 = weave<2, 3, false>(r0, r1);
        const F high23 = weave<2, 3, false>(r2, r3);
        held[c] = weave<0, 1, true>(low01, low23);
        held[c + 1] = weave<2, 3, true>(low01, low23);
        held[c + 2] = weave<0, 1, true>(high01, high23);
        held[c + 3] = weave<2, 3, true>(high01, high23);
    }
}
#endif
