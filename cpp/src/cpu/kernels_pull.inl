// Pulling one row of a graph for 16 questions: four lanes of 16 sums, as each question alone has.
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
    Floats v;
    std::memcpy(&v, p, sizeof v);
    return __builtin_convertvector(v, Doubles);
}

template <class Value>
inline void pull_arcs(const PullRow& row, const Value* value, Doubles* low, Doubles* high) {
    const auto add = [&](std::size_t lane, std::size_t i) {
        const auto w = static_cast<double>(row.weight != nullptr ? row.weight[i] : row.one);
        const Value* const v = value + std::size_t{16} * row.to[i];
        low[lane] += w * doubles(v);
        high[lane] += w * doubles(v + 8);
    };
    std::size_t i = 0;
    for (; i + 4 <= row.arcs; i += 4) {
        if (i + 12 <= row.arcs) {
            for (std::size_t j = i + 8; j < i + 12; ++j) {
                const Value* const ahead = value + std::size_t{16} * row.to[j];
                __builtin_prefetch(ahead);
                if (sizeof(Value) == 8) __builtin_prefetch(ahead + 8);
            }
        }
        add(0, i);
        add(1, i + 1);
        add(2, i + 2);
        add(3, i + 3);
    }
    for (std::size_t lane = 0; i < row.arcs; ++i, ++lane) add(lane, i);
}

void pull16(const PullRow& row) {
    Doubles low[4] = {};
    Doubles high[4] = {};
    if (row.rounded != nullptr) {
        pull_arcs(row, row.rounded, low, high);
    } else {
        pull_arcs(row, row.value, low, high);
    }
    for (int half = 0; half < 2; ++half) {
        const Doubles* const lane = half == 0 ? low : high;
        Doubles next = row.damping * ((lane[0] + lane[1]) + (lane[2] + lane[3]));
        if (row.extra != nullptr) next += doubles(row.extra + 8 * half);
        double* const mass = row.mass + 8 * half;
        const Doubles change = next - doubles(mass);
        const Doubles size = change < 0.0 ? -change : change;
        const Longs counted = __builtin_convertvector(size * 0x1p62, Longs);
        std::memcpy(mass, &next, sizeof next);
        for (int q = 0; q < 8; ++q)
            row.moved[8 * half + q] += static_cast<std::uint64_t>(counted[q]);
    }
}
