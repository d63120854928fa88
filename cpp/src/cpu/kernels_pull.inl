// Pulling rows of a graph for 16 questions: four lanes of 16 sums, as each question alone has.
// Included by kernels.inl.

using Doubles = double __attribute__((vector_size(64)));
using Longs = std::int64_t __attribute__((vector_size(64)));

using Floats = float __attribute__((vector_size(32)));

inline Doubles doubles(const double* p) {
    Doubles v;
    std::memcpy(&v, p, sizeof v);
    return v;
}
inline Doubles doubles(const float* p) {
#if defined(__AVX512F__)
    // The compiler converts halves and puts them together.
    return reinterpret_cast<Doubles>(_mm512_cvtps_pd(_mm256_loadu_ps(p)));
#endif
    Floats v;
    std::memcpy(&v, p, sizeof v);
    return __builtin_convertvector(v, Doubles);
}

inline void put(double* p, Doubles v) { std::memcpy(p, &v, sizeof v); }
inline void put(float* p, Doubles v) {
#if defined(__AVX512F__)
    _mm256_storeu_ps(p, _mm512_cvtpd_ps(reinterpret_cast<__m512d>(v)));
#else
    const Floats f = __builtin_convertvector(v, Floats);
    std::memcpy(p, &f, sizeof f);
#endif
}

/// A value in [0, 2) as an integer in units of 2^-62.
inline Longs counted(Doubles v) { return __builtin_convertvector(v * 0x1p62, Longs); }

template <bool far, class Value>
inline void pull_arcs(const PullRows& rows, const Value* value, std::size_t first, std::size_t last,
                      std::size_t end, Doubles* low, Doubles* high) {
    // Across rows, which mostly stand one behind the other. The second cache can wait for more
    // lines at a time than the first.
    constexpr std::size_t ahead = far ? 192 : 16;
    constexpr int keep = far ? 2 : 3;
    const auto ask = [&](std::size_t a) {
        if (a + ahead >= end) return;
        const Value* const v = value + std::size_t{16} * rows.to[a + ahead];
        __builtin_prefetch(v, 0, keep);
        if (sizeof(Value) == 8) __builtin_prefetch(v + 8, 0, keep);
    };
    const auto add = [&](std::size_t lane, std::size_t a) {
        const auto w = static_cast<double>(rows.weight != nullptr ? rows.weight[a] : rows.one);
        const Value* const v = value + std::size_t{16} * rows.to[a];
        low[lane] += w * doubles(v);
        high[lane] += w * doubles(v + 8);
    };
    std::size_t a = first;
    for (; a + 4 <= last; a += 4) {
        for (std::size_t j = a; j < a + 4; ++j) ask(j);
        add(0, a);
        add(1, a + 1);
        add(2, a + 2);
        add(3, a + 3);
    }
    for (std::size_t j = a; j < last; ++j) ask(j);
    // No loop, so that the sums stay in registers: most rows are short.
    if (a < last) add(0, a);
    if (a + 1 < last) add(1, a + 1);
    if (a + 2 < last) add(2, a + 2);
}

template <bool far, class Value>
inline void pull_rows(const PullRows& rows, const Value* value, Value* next_value,
                      std::uint32_t begin, std::uint32_t end, PullSums& sums) {
    const PullStart* start = rows.starts;
    const PullStart* const last_start = start + rows.start_count;
    const std::size_t arcs_end =
        begin < end ? rows.offset[rows.stride * (end - 1) + rows.width] : 0;
    Longs moved[2] = {};
    Longs lost[2] = {};
    for (std::uint32_t r = begin; r < end; ++r) {
        const std::uint32_t* const row = rows.offset + rows.stride * r;
        Doubles low[4] = {};
        Doubles high[4] = {};
        pull_arcs<far>(rows, value, row[0], row[rows.width], arcs_end, low, high);
        const double inverse = rows.inverse[r];
        const bool starts = start != last_start && start->rank == r;
        for (int half = 0; half < 2; ++half) {
            const Doubles* const lane = half == 0 ? low : high;
            Doubles next = rows.damping * ((lane[0] + lane[1]) + (lane[2] + lane[3]));
            if (starts) next += doubles(start->extra + 8 * half);
            double* const mass = rows.mass + std::size_t{16} * r + 8 * half;
            const Doubles change = next - doubles(mass);
            moved[half] += counted(change < 0.0 ? -change : change);
            put(mass, next);
            put(next_value + std::size_t{16} * r + 8 * half, next * inverse);
            if (inverse == 0.0) lost[half] += counted(next);
        }
        if (starts) ++start;
    }
    for (int q = 0; q < 16; ++q) {
        sums.moved[q] = static_cast<std::uint64_t>(moved[q / 8][q % 8]);
        sums.lost[q] = static_cast<std::uint64_t>(lost[q / 8][q % 8]);
    }
}

template <bool far>
inline void pull_either(const PullRows& rows, std::uint32_t first, std::uint32_t last,
                        PullSums& sums) {
    if (rows.rounded != nullptr) {
        pull_rows<far>(rows, rows.rounded, rows.next_rounded, first, last, sums);
    } else {
        pull_rows<far>(rows, rows.value, rows.next_value, first, last, sums);
    }
}

void pull16(const PullRows& rows, std::uint32_t first, std::uint32_t last, PullSums& sums) {
    if (rows.far) {
        pull_either<true>(rows, first, last, sums);
    } else {
        pull_either<false>(rows, first, last, sums);
    }
}
