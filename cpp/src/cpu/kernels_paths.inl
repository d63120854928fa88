// Walking arcs: which better what their other ends have, and which lead to ends that were not seen.
// Included by kernels.inl.

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

void hide(const std::uint32_t* to, const std::uint64_t* bits, std::size_t count,
          std::uint32_t other, std::uint32_t step, std::uint32_t* out) {
#if defined(__AVX512VBMI2__)
    const __m512i lanes = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    const __m512i others =
        _mm512_add_epi32(_mm512_set1_epi32(static_cast<int>(other)),
                         _mm512_mullo_epi32(lanes, _mm512_set1_epi32(static_cast<int>(step))));
    for (std::size_t i = 0; i < count; i += 16) {
        const std::size_t left = count - i;
        const auto there = static_cast<__mmask16>((1U << (left > 16 ? 16 : left)) - 1U);
        const auto yes = static_cast<__mmask16>(bits[i / 64] >> (i % 64));
        const __m512i ends = _mm512_mask_loadu_epi32(others, there & yes, to + i);
        _mm512_mask_storeu_epi32(out + i, there, ends);
    }
#else
    std::size_t i = 0;
#if defined(__AVX2__)
    const __m256i places = _mm256_setr_epi32(1, 2, 4, 8, 16, 32, 64, 128);
    const __m256i lanes = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    __m256i others[2];
    for (int half = 0; half < 2; ++half) {
        const __m256i lane = _mm256_add_epi32(lanes, _mm256_set1_epi32(8 * half));
        const __m256i steps = _mm256_mullo_epi32(lane, _mm256_set1_epi32(static_cast<int>(step)));
        others[half] = _mm256_add_epi32(_mm256_set1_epi32(static_cast<int>(other)), steps);
    }
    for (; i + 8 <= count; i += 8) {
        const auto eight = static_cast<int>(bits[i / 64] >> (i % 64) & 255U);
        const __m256i yes =
            _mm256_cmpeq_epi32(_mm256_and_si256(_mm256_set1_epi32(eight), places), places);
        const __m256i ends = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(to + i));
        _mm256_storeu_si256(reinterpret_cast<__m256i*>(out + i),
                            _mm256_blendv_epi8(others[i / 8 % 2], ends, yes));
    }
#endif
    for (; i < count; ++i) {
        // Without a branch, which would be guessed wrong.
        const std::uint32_t none = static_cast<std::uint32_t>(bits[i / 64] >> (i % 64) & 1U) - 1U;
        out[i] = (to[i] & ~none) |
                 ((other + static_cast<std::uint32_t>(i % hidden_places) * step) & none);
    }
#endif
}

/// Short rows are copied end to end and walked in one loop: a loop over each would end where nobody
/// guesses. Ends not seen are few and marked in a loop of their own: were each marked at once, the
/// next to be read would wait for it. No branch on what is found, for the same reason as above.
std::size_t reach(const RowWalk& walk, std::size_t first, std::size_t last, std::size_t end,
                  std::int32_t value) {
    constexpr std::size_t block = 16;       // ends copied at once
    constexpr std::size_t short_row = 128;  // longer rows are worth a loop
    constexpr std::size_t most = 1024;      // ends walked at once, but for the last row's
    constexpr std::size_t few = 256;        // new ends that wait
    alignas(64) std::uint32_t held[most + short_row + block];
    alignas(64) std::uint32_t fresh[2 * most + few];
    const std::uint32_t* const column = walk.to;
    const std::uint32_t* const begins = walk.offset + walk.first_row;
    const std::size_t sides = walk.last_row - walk.first_row;
    std::uint32_t* const found = walk.found;
    std::int32_t* const mark = walk.mark;
    // Where most rows are longer than a block, copies would not pay.
    const std::size_t copied = walk.arcs < walk.rows * block ? short_row : 0;
    std::size_t waits = 0;
    std::size_t done = 0;  // arcs of the row of found[first]
    while (first < last) {
        const std::uint32_t* ends = held;
        std::size_t count = 0;
        while (first < last && count < most) {
            const std::uint32_t r = found[first];
            if (r >= walk.rows) {
                ++first;
                continue;
            }
            const std::uint32_t* const row = begins + std::size_t{2} * r;
            const std::size_t a = row[0] + done;
            const std::size_t left = row[sides] - a;
            if (left <= copied && a + short_row <= walk.arcs) {
                std::size_t i = 0;
                do {
                    __builtin_memcpy(held + count + i, column + a + i,
                                     block * sizeof(std::uint32_t));
                    __asm__ volatile("");  // else compilers call for a copy of any length
                    i += block;
                } while (i < left);
                count += left;
                done = 0;
                ++first;
                continue;
            }
            if (count > 0) break;
            const std::size_t part = left < most ? left : most;
            done = part < left ? done + part : 0;
            if (done == 0) ++first;
            ends = column + a;
            count = part;
            break;
        }
        for (std::size_t i = 0; i < count; ++i) {
            const std::uint32_t to = ends[i];
            fresh[waits] = to;
            waits += static_cast<std::uint32_t>(mark[to]) >> 31U;
        }
        if (ends != held && waits <= few && first < last) continue;
        for (std::size_t i = 0; i < waits; ++i) {
            const std::uint32_t to = fresh[i];
            found[end] = to;
            end += static_cast<std::uint32_t>(mark[to]) >> 31U;
            mark[to] = value;
        }
        waits = 0;
    }
    return end;
}
