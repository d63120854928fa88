// Which cell is nearest to a row, and what a row's cell says of its score.

#if defined(__AVX512VBMI__)

/// The codes of 64 rows as one index per group and row.
REMANENCE_LANE_FN void spread_codes(const std::uint8_t* codes, std::size_t bytes,
                                    std::uint8_t* index) {
    for (std::size_t c = 0; c < bytes; c += 3, codes += 192, index += 256) {
        const __m512i x = _mm512_loadu_si512(codes);
        const __m512i y = _mm512_loadu_si512(codes + 64);
        const __m512i z = _mm512_loadu_si512(codes + 128);
        _mm512_storeu_si512(index, x);
        _mm512_storeu_si512(index + 64, y);
        _mm512_storeu_si512(index + 128, z);
        _mm512_storeu_si512(index + 192, left_over(x, y, z));
    }
}

/// Sums of the entries of one table for the even and the odd rows of 64.
struct RowSums {
    __m512i even = _mm512_setzero_si512();
    __m512i odd = _mm512_setzero_si512();
};

/// Four entries of at most 63 fit a byte.
REMANENCE_LANE_FN void add_four(const std::uint8_t* index, const std::uint8_t* table,
                                RowSums& sums) {
    const auto entry = [&](int group) __attribute__((always_inline)) {
        return _mm512_permutexvar_epi8(_mm512_loadu_si512(index + 64 * group),
                                       _mm512_loadu_si512(table + 64 * group));
    };
    const __m512i four =
        _mm512_add_epi8(_mm512_add_epi8(entry(0), entry(1)), _mm512_add_epi8(entry(2), entry(3)));
    sums.even = _mm512_add_epi16(sums.even, _mm512_and_si512(four, _mm512_set1_epi16(0x00FF)));
    sums.odd = _mm512_add_epi16(sums.odd, _mm512_srli_epi16(four, 8));
}

/// What 32 rows have as their greatest sum so far, and of which cell it is.
struct Greatest {
    __m512i sum = _mm512_setzero_si512();
    __m512i cell = _mm512_setzero_si512();
};

REMANENCE_LANE_FN void see(__m512i sum, std::uint16_t bias, std::uint32_t cell, Greatest& most) {
    const __m512i all = _mm512_add_epi16(sum, _mm512_set1_epi16(static_cast<short>(bias)));
    const __mmask32 more = _mm512_cmpgt_epu16_mask(all, most.sum);
    most.sum = _mm512_mask_mov_epi16(most.sum, more, all);
    most.cell = _mm512_mask_mov_epi16(most.cell, more, _mm512_set1_epi16(static_cast<short>(cell)));
}

void nearest(const std::uint8_t* codes, std::size_t bytes, std::uint32_t count,
             const std::uint8_t* tables, const std::uint16_t* bias, std::uint32_t cells,
             std::uint16_t* best) {
    constexpr std::size_t room = 65'536;
    constexpr std::uint32_t most_strips = 16;
    alignas(64) std::uint8_t index[room];
    Greatest most[2 * most_strips];
    const std::size_t width = bytes / 3 * 256;  // of a table, and of the indices of 64 rows
    // A table serves many rows while it is in the first cache, and the rows stay in the second.
    const std::uint32_t at_once =
        most_strips * width < room ? most_strips : static_cast<std::uint32_t>(room / width);
    for (std::uint32_t from = 0; from < count; from += 64 * at_once) {
        const std::uint32_t left = (count - from) / 64;
        const std::uint32_t strips = left < at_once ? left : at_once;
        for (std::uint32_t s = 0; s < strips; ++s) {
            spread_codes(codes + (from + 64 * s) * bytes, bytes, index + s * width);
            most[2 * s] = most[2 * s + 1] = Greatest{};
        }
        for (std::uint32_t k = 0; k < cells; k += 2) {
            // Two tables at a time; an odd last one twice.
            const std::uint32_t next = k + 1 < cells ? k + 1 : k;
            for (std::uint32_t s = 0; s < strips; ++s) {
                RowSums one;
                RowSums two;
                for (std::size_t g = 0; g < width; g += 256) {
                    add_four(index + s * width + g, tables + k * width + g, one);
                    add_four(index + s * width + g, tables + next * width + g, two);
                }
                see(one.even, bias[k], k, most[2 * s]);
                see(one.odd, bias[k], k, most[2 * s + 1]);
                see(two.even, bias[next], next, most[2 * s]);
                see(two.odd, bias[next], next, most[2 * s + 1]);
            }
        }
        for (std::uint32_t s = 0; s < strips; ++s) {
            store_pairs(most[2 * s].cell, most[2 * s + 1].cell, best + from + 64 * s);
        }
    }
}

#else

void nearest(const std::uint8_t* codes, std::size_t bytes, std::uint32_t count,
             const std::uint8_t* tables, const std::uint16_t* bias, std::uint32_t cells,
             std::uint16_t* best) {
    constexpr std::uint32_t most = 1024;
    alignas(64) std::uint16_t sums[64];
    alignas(64) std::uint16_t greatest[most];
    for (std::uint32_t from = 0; from < count; from += most) {
        const std::uint32_t rows = count - from < most ? count - from : most;
        for (std::uint32_t i = 0; i < rows; ++i) greatest[i] = best[from + i] = 0;
        // A table serves all rows while it is in the first cache.
        for (std::uint32_t k = 0; k < cells; ++k) {
            const std::uint8_t* const table = tables + k * (bytes / 3 * 256);
            for (std::uint32_t i = 0; i < rows; i += 64) {
                sum_codes(codes + (from + i) * bytes, table, bytes, sums);
                std::uint16_t* const high = greatest + i;
                std::uint16_t* const cell = best + from + i;
                for (std::uint32_t j = 0; j < 64; ++j) {
                    const auto sum = static_cast<std::uint16_t>(sums[j] + bias[k]);
                    const bool more = sum > high[j];
                    high[j] = more ? sum : high[j];
                    cell[j] = more ? static_cast<std::uint16_t>(k) : cell[j];
                }
            }
        }
    }
}

#endif

/// values[i] and values[i + apart], the greater of both.
REMANENCE_LANE_FN void greater_of(const float* __restrict values, std::uint32_t apart,
                                  std::uint32_t count, float* __restrict out) {
    const float* __restrict const others = values + apart;
    for (std::uint32_t i = 0; i < count; ++i) {
        out[i] = values[i] > others[i] ? values[i] : others[i];
    }
}

void cell_runs(const float* __restrict along, std::uint32_t pairs, float* __restrict runs) {
    for (std::size_t i = 0; i < pairs; ++i) {
        runs[i] = along[2 * i] > along[2 * i + 1] ? along[2 * i] : along[2 * i + 1];
    }
    for (std::uint32_t half = 1; 2 * half <= pairs; half *= 2, runs += pairs) {
        greater_of(runs, half, pairs - 2 * half + 1, runs + pairs);
    }
}

#if defined(__AVX512BW__)

/// The greatest of what some cells say, pairs of them: two runs as long as may be hold all of them.
REMANENCE_LANE_FN __m512 greatest_along(const StripBlock& b, __mmask16 lanes, __m512i least,
                                        __m512i most) {
    const __m512i one = _mm512_set1_epi32(1);
    const __m512i first = _mm512_srli_epi32(least, 1);
    const __m512i behind = _mm512_add_epi32(_mm512_srli_epi32(most, 1), one);
    const __m512i held = _mm512_castps_si512(_mm512_cvtepi32_ps(_mm512_sub_epi32(behind, first)));
    const __m512i level = _mm512_sub_epi32(_mm512_srli_epi32(held, 23), _mm512_set1_epi32(127));
    const __m512i base = _mm512_mullo_epi32(level, _mm512_set1_epi32(static_cast<int>(b.pairs)));
    const __m512i last = _mm512_sub_epi32(behind, _mm512_sllv_epi32(one, level));
    const auto gather = [&](__m512i at) __attribute__((always_inline)) {
        return _mm512_mask_i32gather_ps(_mm512_setzero_ps(), lanes, _mm512_add_epi32(base, at),
                                        b.runs, sizeof(float));
    };
    return _mm512_max_ps(gather(first), gather(last));
}

/// Strips [from, from + 16).
REMANENCE_LANE_FN void strip_bounds_16(const StripBlock& b, std::uint32_t from, float* most,
                                       float* promise) {
    const auto cells = [&](const std::uint16_t* cell) __attribute__((always_inline)) {
        return _mm512_cvtepu16_epi32(
            _mm256_loadu_si256(reinterpret_cast<const __m256i*>(cell + from)));
    };
    const __m512i least = cells(b.least);
    const __m512i greatest = cells(b.most);
    const __m512i lowest = _mm512_set1_epi32(b.least[from]);
    const __m512i start = _mm512_sub_epi32(least, lowest);
    const __m512i end = _mm512_sub_epi32(greatest, lowest);
    __m512 first;
    __m512 along;
    // Those of strips side by side mostly lie among 32.
    if (_mm512_cmpgt_epu32_mask(_mm512_max_epu32(start, end), _mm512_set1_epi32(31)) == 0) {
        const __m512 one = _mm512_loadu_ps(b.along + b.least[from]);
        const __m512 other = _mm512_loadu_ps(b.along + b.least[from] + 16);
        first = _mm512_permutex2var_ps(one, start, other);
        along = _mm512_max_ps(first, _mm512_permutex2var_ps(one, end, other));
    } else {
        first = _mm512_i32gather_ps(least, b.along, sizeof(float));
        along = _mm512_max_ps(first, _mm512_i32gather_ps(greatest, b.along, sizeof(float)));
    }
    const __mmask16 many =
        _mm512_cmpge_epu32_mask(_mm512_sub_epi32(greatest, least), _mm512_set1_epi32(2));
    if (many != 0) {
        along = _mm512_mask_mov_ps(along, many, greatest_along(b, many, least, greatest));
    }
    const auto column = [&](const float* values) __attribute__((always_inline)) {
        return _mm512_loadu_ps(values + from);
    };
    const __m512 lead = _mm512_sub_ps(column(b.reaching), column(b.greatest));
    const __m512 reach = _mm512_cvtepi32_ps(
        _mm512_cvtepu8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(b.reach + from))));
    const auto add = [&](__m512 sum, __m512 value, float weight) __attribute__((always_inline)) {
        return _mm512_add_ps(sum, _mm512_mul_ps(value, _mm512_set1_ps(weight)));
    };
    const __m512 own = add(add(column(b.greatest), lead, b.share), reach, b.more);
    _mm512_storeu_ps(most + from / 16 * b.apart, _mm512_add_ps(along, own));
    _mm512_storeu_ps(promise + from, add(_mm512_add_ps(first, column(b.greatest)), lead, b.near));
}

#endif

void strip_bounds(const StripBlock& b, float* __restrict most, float* __restrict promise) {
    std::uint32_t done = 0;
#if defined(__AVX512BW__)
    for (; done + 16 <= b.count; done += 16) strip_bounds_16(b, done, most, promise);
#endif
    for (std::uint32_t i = done; i < b.count; ++i) {
        float one = b.along[b.least[i]];
        float other = b.along[b.most[i]];
        if (b.most[i] - b.least[i] >= 2) {
            const std::uint32_t pair = b.least[i] / 2;
            const std::uint32_t behind = b.most[i] / 2 + 1;
            const auto level = 31U - static_cast<std::uint32_t>(__builtin_clz(behind - pair));
            const float* const runs = b.runs + level * b.pairs;
            one = runs[pair];
            other = runs[behind - (1U << level)];
        }
        const float lead = b.reaching[i] - b.greatest[i];
        most[i / 16 * b.apart + i % 16] =
            (one > other ? one : other) +
            (b.greatest[i] + lead * b.share + b.more * static_cast<float>(b.reach[i]));
        promise[i] = b.along[b.least[i]] + b.greatest[i] + lead * b.near;
    }
}

std::uint32_t strips_above(const float* most, const float* words, std::uint32_t count, float bar) {
#if defined(__AVX512F__)
    const auto there = static_cast<__mmask16>((1U << count) - 1U);
    const __m512 sum =
        _mm512_add_ps(_mm512_maskz_loadu_ps(there, most), _mm512_maskz_loadu_ps(there, words));
    return _mm512_mask_cmp_ps_mask(there, sum, _mm512_set1_ps(bar), _CMP_GE_OQ);
#else
    std::uint32_t bits = 0;
    for (std::uint32_t i = 0; i < count; ++i) bits |= (most[i] + words[i] >= bar ? 1U : 0U) << i;
    return bits;
#endif
}

void each_above(const float* most, std::uint32_t count, const float* bars, std::size_t questions,
                std::uint16_t* out) {
    for (std::size_t q = 0; q < questions; ++q, most += 16) {
#if defined(__AVX512F__)
        const auto there = static_cast<__mmask16>((1U << count) - 1U);
        out[q] = _mm512_mask_cmp_ps_mask(there, _mm512_maskz_loadu_ps(there, most),
                                         _mm512_set1_ps(bars[q]), _CMP_GE_OQ);
#else
        std::uint32_t bits = 0;
        for (std::uint32_t i = 0; i < count; ++i) bits |= (most[i] >= bars[q] ? 1U : 0U) << i;
        out[q] = static_cast<std::uint16_t>(bits);
#endif
    }
}

/// side and what the cells of 64 rows say; sorted rows have few cells, one after the other.
REMANENCE_LANE_FN void add_along(const float* __restrict along,
                                 const std::uint16_t* __restrict cell, const float* __restrict side,
                                 float* __restrict to) {
#if defined(__AVX512BW__)
    static_assert(cells_behind == 31);
    const __m512i first = _mm512_set1_epi16(static_cast<short>(cell[0]));
    const __m512i low = _mm512_sub_epi16(_mm512_loadu_si512(cell), first);
    const __m512i high = _mm512_sub_epi16(_mm512_loadu_si512(cell + 32), first);
    const __m512i most = _mm512_max_epu16(low, high);
    if (_mm512_cmpgt_epu16_mask(most, _mm512_set1_epi16(31)) == 0) {
        const __m512 one = _mm512_loadu_ps(along + cell[0]);
        const __m512 other = _mm512_loadu_ps(along + cell[0] + 16);
        const auto add = [&](__m256i place, int i) __attribute__((always_inline)) {
            const __m512 value = _mm512_permutex2var_ps(one, _mm512_cvtepu16_epi32(place), other);
            _mm512_storeu_ps(to + i, _mm512_add_ps(_mm512_loadu_ps(side + i), value));
        };
        add(_mm512_castsi512_si256(low), 0);
        add(_mm512_extracti64x4_epi64(low, 1), 16);
        add(_mm512_castsi512_si256(high), 32);
        add(_mm512_extracti64x4_epi64(high, 1), 48);
        return;
    }
#endif
    for (std::uint32_t i = 0; i < 64; ++i) to[i] = side[i] + along[cell[i]];
}

void keep_reaching(const CellBlock& b, std::uint32_t strips, float bar, std::uint64_t* mask,
                   float* out) {
    float bound[64];
    const std::size_t lines = b.factors != nullptr ? b.ahead->lines() * 64 / b.count + 1 : 0;
    std::uint32_t asked = 0;
    const auto ask_until = [&](std::uint32_t row) __attribute__((always_inline)) {
        for (; b.factors != nullptr && asked < row; asked += 64) {
            b.ahead->ask(lines);
            ask_for(b.factors + asked, 64 * sizeof(std::uint32_t));
        }
    };
    for (; strips != 0; strips &= strips - 1) {
        const auto first = 64 * static_cast<std::uint32_t>(__builtin_ctz(strips));
        ask_until(first + 64);
        const std::uint16_t* __restrict const cell = b.cell + first;
        const std::uint8_t* __restrict const reach = b.reach + first;
        const float* __restrict const side = b.side + first;
        float* __restrict const to = out + first;
        __builtin_prefetch(cell + 256);
        __builtin_prefetch(cell + 288);
        __builtin_prefetch(reach + 256);
        add_along(b.along, cell, side, to);
        for (std::uint32_t i = 0; i < 64; ++i) {
            bound[i] = to[i] + static_cast<float>(reach[i]) * b.per_reach;
        }
        keep_above(bound, bar, 64, mask + first / 64);
    }
    ask_until(b.count);
}
