// Which arcs better what their other ends have. Included by kernels.inl.

#if defined(__AVX512VL__)
template <bool product>
inline std::uint64_t find_better_by(const ArcValues& values, double value, std::size_t first,
                                    std::uint64_t asked) {
    const __m512d from = _mm512_set1_pd(value);
    std::uint64_t out = 0;
    for (int i = 0; asked >> i != 0; i += 8) {
        const auto there = static_cast<__mmask8>(asked >> i);
        const std::size_t a = first + static_cast<std::size_t>(i);
        const __m256i to = _mm256_maskz_loadu_epi32(there, values.to + a);
        const __m512d best =
            _mm512_mask_i32gather_pd(_mm512_setzero_pd(), there, to, values.best, 8);
        const __m512d weight = _mm512_cvtps_pd(_mm256_maskz_loadu_ps(there, values.weight + a));
        const __mmask8 better =
            product ? _mm512_mask_cmp_pd_mask(there, _mm512_mul_pd(from, weight), best, _CMP_GT_OQ)
                    : _mm512_mask_cmp_pd_mask(there, _mm512_add_pd(from, weight), best, _CMP_LT_OQ);
        out |= std::uint64_t{better} << i;
        if (i == 56) break;
    }
    return out;
}

std::uint64_t find_better(const ArcValues& values, double value, std::size_t first,
                          std::uint64_t asked) {
    return values.product ? find_better_by<true>(values, value, first, asked)
                          : find_better_by<false>(values, value, first, asked);
}
#else
std::uint64_t find_better(const ArcValues& values, double value, std::size_t first,
                          std::uint64_t asked) {
    std::uint64_t out = 0;
    for (; asked != 0; asked &= asked - 1) {
        const std::size_t a = first + static_cast<std::size_t>(__builtin_ctzll(asked));
        const auto weight = static_cast<double>(values.weight[a]);
        const double best = values.best[values.to[a]];
        const bool better = values.product ? value * weight > best : value + weight < best;
        out |= better ? asked & -asked : 0;
    }
    return out;
}
#endif
