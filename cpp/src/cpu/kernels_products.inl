// Products of questions with the centres of cells and with the signs of rows, exact.

#if defined(__AVX512VNNI__)
/// The four sums of lanes of four registers.
REMANENCE_LANE_FN __m128i four_sums(const __m512i* sum) {
    const auto pairs = [](__m512i a, __m512i b) {
        return _mm512_add_epi32(_mm512_unpacklo_epi32(a, b), _mm512_unpackhi_epi32(a, b));
    };
    const __m512i front = pairs(sum[0], sum[1]);
    const __m512i back = pairs(sum[2], sum[3]);
    const __m512i all =
        _mm512_add_epi32(_mm512_unpacklo_epi64(front, back), _mm512_unpackhi_epi64(front, back));
    const __m256i half =
        _mm256_add_epi32(_mm512_castsi512_si256(all), _mm512_extracti64x4_epi64(all, 1));
    return _mm_add_epi32(_mm256_castsi256_si128(half), _mm256_extracti128_si256(half, 1));
}

/// Products of four queries with a row.
REMANENCE_LANE_FN __m128i four_products(const std::int16_t* const* queries, const std::int8_t* row,
                                        std::size_t width) {
    __m512i sum[4] = {_mm512_setzero_si512(), _mm512_setzero_si512(), _mm512_setzero_si512(),
                      _mm512_setzero_si512()};
    for (std::size_t j = 0; j < width; j += 32) {
        const __m512i bytes =
            _mm512_cvtepi8_epi16(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(row + j)));
        for (int q = 0; q < 4; ++q) {
            sum[q] = _mm512_dpwssd_epi32(sum[q], _mm512_loadu_si512(queries[q] + j), bytes);
        }
    }
    return four_sums(sum);
}

/// Products of one query with four rows at a time, as many as there are: its high and its low bytes
/// with those of the rows, 128 more each, which the end takes back. Sums may wrap on the way.
std::size_t by_four_rows(const std::int16_t* query, const std::int8_t* matrix, std::size_t width,
                         std::size_t rows, std::int32_t* out) {
    constexpr std::size_t widest = 4096;
    constexpr std::size_t ahead = 8192;  // bytes: the second cache is too small for all cells
    if (width % 64 != 0 || width > widest || rows < 4) return 0;
    alignas(64) std::int8_t high[widest];
    alignas(64) std::int8_t low[widest];
    std::int32_t all = 0;
    for (std::size_t j = 0; j < width; ++j) {
        high[j] = static_cast<std::int8_t>((query[j] + 128) >> 8);
        low[j] = static_cast<std::int8_t>(query[j] - high[j] * 256);
        all += query[j];
    }
    const __m128i more = _mm_set1_epi32(static_cast<int>(128U * static_cast<unsigned>(all)));
    const __m512i signs = _mm512_set1_epi8(-128);
    std::size_t r = 0;
    for (; r + 4 <= rows; r += 4) {
        __m512i highs[4] = {};
        __m512i lows[4] = {};
        for (std::size_t j = 0; j < width; j += 64) {
            const __m512i h = _mm512_load_si512(high + j);
            const __m512i l = _mm512_load_si512(low + j);
            for (std::size_t i = 0; i < 4; ++i) {
                const std::int8_t* const at = matrix + (r + i) * width + j;
                __builtin_prefetch(at + ahead, 0, 3);
                const __m512i row = _mm512_loadu_si512(at);
                const __m512i bytes = _mm512_xor_si512(row, signs);
                highs[i] = _mm512_dpbusd_epi32(highs[i], bytes, h);
                lows[i] = _mm512_dpbusd_epi32(lows[i], bytes, l);
            }
        }
        for (int i = 0; i < 4; ++i) {
            lows[i] = _mm512_add_epi32(lows[i], _mm512_slli_epi32(highs[i], 8));
        }
        _mm_storeu_si128(reinterpret_cast<__m128i*>(out + r), _mm_sub_epi32(four_sums(lows), more));
    }
    return r;
}
#endif

void products(const std::int16_t* const* queries, std::size_t count, const std::int8_t* matrix,
              std::size_t width, std::size_t rows, std::int32_t* out) {
    std::size_t done = 0;
#if defined(__AVX512VNNI__)
    for (; done + 4 <= count && width % 32 == 0; done += 4) {
        for (std::size_t r = 0; r < rows; ++r) {
            alignas(16) std::int32_t four[4];
            _mm_store_si128(reinterpret_cast<__m128i*>(four),
                            four_products(queries + done, matrix + r * width, width));
            for (std::size_t q = 0; q < 4; ++q) out[(done + q) * rows + r] = four[q];
        }
    }
#endif
    for (; done < count; ++done) {
        std::size_t r = 0;
#if defined(__AVX512VNNI__)
        r = by_four_rows(queries[done], matrix, width, rows, out + done * rows);
#endif
        for (; r < rows; ++r) {
            out[done * rows + r] = byte_dot(queries[done], matrix + r * width, width);
        }
    }
}

void bit_dots(const std::int8_t* query, const std::uint8_t* bits, std::size_t bytes,
              std::size_t stride, const std::uint32_t* rows, std::size_t count, std::int32_t* out) {
    std::size_t n = 0;
#if defined(__AVX512VNNI__)
    const __m512i ones = _mm512_set1_epi8(1);
    for (; n + 4 <= count && bytes % 8 == 0; n += 4) {
        __m512i sum[4] = {};
        for (std::size_t c = 0; c < bytes; c += 8) {
            const __m512i values = _mm512_loadu_si512(query + 8 * c);
            for (std::size_t i = 0; i < 4; ++i) {
                std::uint64_t held = 0;
                __builtin_memcpy(&held, bits + rows[n + i] * stride + c, 8);
                sum[i] = _mm512_dpbusd_epi32(sum[i], _mm512_maskz_mov_epi8(held, ones), values);
            }
        }
        _mm_storeu_si128(reinterpret_cast<__m128i*>(out + n), four_sums(sum));
    }
#endif
    for (; n < count; ++n) out[n] = bit_dot(query, bits + rows[n] * stride, bytes);
}
