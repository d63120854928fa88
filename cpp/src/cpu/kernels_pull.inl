// Pulling rows of a graph for 16 questions: four lanes of 16 sums, as each question alone has.
// Included by kernels.inl.

// As many questions at a time as their sums have registers: wider ones would go through memory.
#if defined(__AVX512F__)
constexpr int wide = 8;
#elif defined(__AVX2__)
constexpr int wide = 4;
#else
constexpr int wide = 2;
#endif
constexpr int parts = 16 / wide;
constexpr int parts_at_once = 2;  ///< in one pass over the arcs of a row

using Doubles = double __attribute__((vector_size(8 * wide)));
using Longs = std::int64_t __attribute__((vector_size(8 * wide)));
using Floats = float __attribute__((vector_size(4 * wide)));

inline Doubles doubles(const double* p) {
    Doubles v;
    std::memcpy(&v, p, sizeof v);
    return v;
}
inline Doubles doubles(const float* p) {
#if defined(__AVX512F__)
    // The compiler converts halves and puts them parts_at_once.
    return reinterpret_cast<Doubles>(_mm512_cvtps_pd(_mm256_loadu_ps(p)));
#elif defined(__AVX2__)
    return reinterpret_cast<Doubles>(_mm256_cvtps_pd(_mm_loadu_ps(p)));
#else
    Floats v;
    std::memcpy(&v, p, sizeof v);
    return __builtin_convertvector(v, Doubles);
#endif
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

/// Adds the arcs of a row into four lanes, for the questions of the parts from `part` on.
template <bool far, class Value>
inline void pull_arcs(const PullRows& rows, const Value* value, std::size_t first, std::size_t last,
                      std::size_t end, int part, Doubles (&sum)[parts_at_once][4]) {
    // Across rows, which mostly stand one behind the other. The second cache can wait for more
    // lines at a time than the first.
    constexpr std::size_t ahead = far ? 192 : 16;
    constexpr int keep = far ? 2 : 3;
    const auto ask = [&](std::size_t a) {
        if (part != 0 || a + ahead >= end) return;
        const Value* const v = value + std::size_t{16} * rows.to[a + ahead];
        __builtin_prefetch(v, 0, keep);
        if (sizeof(Value) == 8) __builtin_prefetch(v + 8, 0, keep);
    };
    const Value* const of_part = value + part * wide;
    const auto add = [&](std::size_t lane, std::size_t a) {
        const auto w = static_cast<double>(rows.weight != nullptr ? rows.weight[a] : rows.one);
        const Value* const v = of_part + std::size_t{16} * rows.to[a];
        for (int t = 0; t < parts_at_once; ++t) sum[t][lane] += w * doubles(v + t * wide);
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
    Longs moved[parts] = {};
    Longs lost[parts] = {};
    for (std::uint32_t r = begin; r < end; ++r) {
        const std::uint32_t* const row = rows.offset + rows.stride * r;
        const double inverse = rows.inverse[r];
        const bool starts = start != last_start && start->rank == r;
        for (int part = 0; part < parts; part += parts_at_once) {
            Doubles sum[parts_at_once][4] = {};
            pull_arcs<far>(rows, value, row[0], row[rows.width], arcs_end, part, sum);
            for (int t = 0; t < parts_at_once; ++t) {
                const Doubles* const lane = sum[t];
                const int first = (part + t) * wide;
                Doubles next = rows.damping * ((lane[0] + lane[1]) + (lane[2] + lane[3]));
                if (starts) next += doubles(start->extra + first);
                double* const mass = rows.mass + std::size_t{16} * r + first;
                const Doubles change = next - doubles(mass);
                moved[part + t] += counted(change < 0.0 ? -change : change);
                put(mass, next);
                put(next_value + std::size_t{16} * r + first, next * inverse);
                if (inverse == 0.0) lost[part + t] += counted(next);
            }
        }
        if (starts) ++start;
    }
    for (int q = 0; q < 16; ++q) {
        sums.moved[q] = static_cast<std::uint64_t>(moved[q / wide][q % wide]);
        sums.lost[q] = static_cast<std::uint64_t>(lost[q / wide][q % wide]);
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
