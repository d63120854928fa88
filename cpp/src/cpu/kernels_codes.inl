// Sums of table entries for 64 rows of codes: one byte shuffle per six dimensions where there is
// one.

#if defined(__AVX512VBMI__)

void sum_codes(const std::uint8_t* codes, const std::uint8_t* table, std::size_t groups,
               std::uint16_t* sums) {
    const __m512i low = _mm512_set1_epi16(0x00FF);
    __m512i even = _mm512_setzero_si512();
    __m512i odd = _mm512_setzero_si512();
    std::size_t g = 0;
    for (; g + 2 <= groups; g += 2) {
        // Two entries of at most 127 still fit a byte, so only every second sum is widened.
        const __m512i a = _mm512_permutexvar_epi8(_mm512_loadu_si512(codes + g * 64),
                                                  _mm512_loadu_si512(table + g * 64));
        const __m512i b = _mm512_permutexvar_epi8(_mm512_loadu_si512(codes + g * 64 + 64),
                                                  _mm512_loadu_si512(table + g * 64 + 64));
        const __m512i sum = _mm512_add_epi8(a, b);
        even = _mm512_add_epi16(even, _mm512_and_si512(sum, low));
        odd = _mm512_add_epi16(odd, _mm512_srli_epi16(sum, 8));
    }
    if (g < groups) {
        const __m512i a = _mm512_permutexvar_epi8(_mm512_loadu_si512(codes + g * 64),
                                                  _mm512_loadu_si512(table + g * 64));
        even = _mm512_add_epi16(even, _mm512_and_si512(a, low));
        odd = _mm512_add_epi16(odd, _mm512_srli_epi16(a, 8));
    }
    // Lane l of the unpacked pairs holds rows 16 l to 16 l + 7 and 16 l + 8 to 16 l + 15.
    const __m512i first = _mm512_unpacklo_epi16(even, odd);
    const __m512i second = _mm512_unpackhi_epi16(even, odd);
    const __m512i front = _mm512_set_epi64(11, 10, 3, 2, 9, 8, 1, 0);
    const __m512i back = _mm512_set_epi64(15, 14, 7, 6, 13, 12, 5, 4);
    _mm512_storeu_si512(sums, _mm512_permutex2var_epi64(first, front, second));
    _mm512_storeu_si512(sums + 32, _mm512_permutex2var_epi64(first, back, second));
}

#elif defined(__AVX2__)

/// Table entries of 32 codes below 64: four shuffles of 16 entries, chosen by bits 4 and 5.
REMANENCE_LANE_FN __m256i look_up(const std::uint8_t* table, __m256i code) {
    const auto part = [&](int i) {
        const __m256i quarter = _mm256_broadcastsi128_si256(
            _mm_loadu_si128(reinterpret_cast<const __m128i*>(table + 16 * i)));
        return _mm256_shuffle_epi8(quarter, _mm256_and_si256(code, _mm256_set1_epi8(15)));
    };
    const __m256i bit4 = _mm256_slli_epi16(code, 3);  // bit 4 to the byte's sign
    const __m256i bit5 = _mm256_slli_epi16(code, 2);  // bit 5 to the byte's sign
    return _mm256_blendv_epi8(_mm256_blendv_epi8(part(0), part(1), bit4),
                              _mm256_blendv_epi8(part(2), part(3), bit4), bit5);
}

void sum_codes(const std::uint8_t* codes, const std::uint8_t* table, std::size_t groups,
               std::uint16_t* sums) {
    const __m256i low = _mm256_set1_epi16(0x00FF);
    for (int half = 0; half < 2; ++half) {
        __m256i even = _mm256_setzero_si256();
        __m256i odd = _mm256_setzero_si256();
        for (std::size_t g = 0; g < groups; ++g) {
            const auto* at = reinterpret_cast<const __m256i*>(codes + g * 64 + 32 * half);
            const __m256i found = look_up(table + g * 64, _mm256_loadu_si256(at));
            even = _mm256_add_epi16(even, _mm256_and_si256(found, low));
            odd = _mm256_add_epi16(odd, _mm256_srli_epi16(found, 8));
        }
        std::uint16_t evens[16];
        std::uint16_t odds[16];
        _mm256_storeu_si256(reinterpret_cast<__m256i*>(evens), even);
        _mm256_storeu_si256(reinterpret_cast<__m256i*>(odds), odd);
        for (int i = 0; i < 16; ++i) {
            sums[32 * half + 2 * i] = evens[i];
            sums[32 * half + 2 * i + 1] = odds[i];
        }
    }
}

#else

void sum_codes(const std::uint8_t* codes, const std::uint8_t* table, std::size_t groups,
               std::uint16_t* sums) {
    for (int i = 0; i < 64; ++i) sums[i] = 0;
    for (std::size_t g = 0; g < groups; ++g) {
        for (int i = 0; i < 64; ++i) {
            sums[i] = static_cast<std::uint16_t>(sums[i] + table[g * 64 + codes[g * 64 + i]]);
        }
    }
}

#endif
