// Sums of table entries for 64 rows of codes: one byte shuffle per six dimensions where there is
// one. A triple of bytes holds four groups: bits 0 to 5 of each byte, then the bits left over.

#if defined(__AVX512VBMI__)

/// Bits 6 and 7 of three codes as a fourth index of six bits. The shuffle reads six bits of each
/// index: where the mask has ones from the second operand, else from the third (0xCA).
REMANENCE_LANE_FN __m512i left_over(__m512i x, __m512i y, __m512i z) {
    const __m512i xy = _mm512_ternarylogic_epi32(_mm512_set1_epi8(0x03), _mm512_srli_epi16(x, 6),
                                                 _mm512_srli_epi16(y, 4), 0xCA);
    return _mm512_ternarylogic_epi32(_mm512_set1_epi8(0x0F), xy, _mm512_srli_epi16(z, 2), 0xCA);
}

/// Numbers of even and odd rows, 32 each, row by row.
REMANENCE_LANE_FN void store_pairs(__m512i even, __m512i odd, std::uint16_t* to) {
    // Lane l of the unpacked pairs holds rows 16 l to 16 l + 7 and 16 l + 8 to 16 l + 15.
    const __m512i front_pairs = _mm512_unpacklo_epi16(even, odd);
    const __m512i back_pairs = _mm512_unpackhi_epi16(even, odd);
    const __m512i front = _mm512_set_epi64(11, 10, 3, 2, 9, 8, 1, 0);
    const __m512i back = _mm512_set_epi64(15, 14, 7, 6, 13, 12, 5, 4);
    _mm512_storeu_si512(to, _mm512_permutex2var_epi64(front_pairs, front, back_pairs));
    _mm512_storeu_si512(to + 32, _mm512_permutex2var_epi64(front_pairs, back, back_pairs));
}

void sum_codes(const std::uint8_t* codes, const std::uint8_t* table, std::size_t bytes,
               std::uint16_t* sums) {
    const __m512i low = _mm512_set1_epi16(0x00FF);
    __m512i even = _mm512_setzero_si512();
    __m512i odd = _mm512_setzero_si512();
    for (std::size_t c = 0; c < bytes; c += 3, codes += 192, table += 256) {
        const __m512i x = _mm512_loadu_si512(codes);
        const __m512i y = _mm512_loadu_si512(codes + 64);
        const __m512i z = _mm512_loadu_si512(codes + 128);
        // Two entries of at most 127 still fit a byte, so only every second sum is widened.
        const __m512i first =
            _mm512_add_epi8(_mm512_permutexvar_epi8(x, _mm512_loadu_si512(table)),
                            _mm512_permutexvar_epi8(y, _mm512_loadu_si512(table + 64)));
        const __m512i second = _mm512_add_epi8(
            _mm512_permutexvar_epi8(z, _mm512_loadu_si512(table + 128)),
            _mm512_permutexvar_epi8(left_over(x, y, z), _mm512_loadu_si512(table + 192)));
        even = _mm512_add_epi16(
            even, _mm512_add_epi16(_mm512_and_si512(first, low), _mm512_and_si512(second, low)));
        odd = _mm512_add_epi16(
            odd, _mm512_add_epi16(_mm512_srli_epi16(first, 8), _mm512_srli_epi16(second, 8)));
    }
    store_pairs(even, odd, sums);
}

#elif defined(__AVX2__)

/// Table entries of 32 codes: four shuffles of 16 entries, chosen by bits 4 and 5.
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

REMANENCE_LANE_FN __m256i load_codes(const std::uint8_t* at) {
    return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(at));
}

void sum_codes(const std::uint8_t* codes, const std::uint8_t* table, std::size_t bytes,
               std::uint16_t* sums) {
    const __m256i low = _mm256_set1_epi16(0x00FF);
    for (int half = 0; half < 2; ++half) {
        __m256i even = _mm256_setzero_si256();
        __m256i odd = _mm256_setzero_si256();
        const auto add = [&](const std::uint8_t* entries, __m256i code) {
            const __m256i found = look_up(entries, code);
            even = _mm256_add_epi16(even, _mm256_and_si256(found, low));
            odd = _mm256_add_epi16(odd, _mm256_srli_epi16(found, 8));
        };
        for (std::size_t c = 0; c < bytes; c += 3) {
            const std::uint8_t* const at = codes + c * 64 + 32 * half;
            const std::uint8_t* const entries = table + c / 3 * 256;
            const __m256i x = load_codes(at);
            const __m256i y = load_codes(at + 64);
            const __m256i z = load_codes(at + 128);
            add(entries, x);
            add(entries + 64, y);
            add(entries + 128, z);
            const __m256i xy =
                _mm256_or_si256(_mm256_and_si256(_mm256_srli_epi16(x, 6), _mm256_set1_epi8(0x03)),
                                _mm256_and_si256(_mm256_srli_epi16(y, 4), _mm256_set1_epi8(0x0C)));
            add(entries + 192, _mm256_or_si256(xy, _mm256_and_si256(_mm256_srli_epi16(z, 2),
                                                                    _mm256_set1_epi8(0x30))));
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

void sum_codes(const std::uint8_t* codes, const std::uint8_t* table, std::size_t bytes,
               std::uint16_t* sums) {
    for (int i = 0; i < 64; ++i) sums[i] = 0;
    for (std::size_t c = 0; c < bytes; c += 3, codes += 192, table += 256) {
        for (int i = 0; i < 64; ++i) {
            const unsigned x = codes[i];
            const unsigned y = codes[i + 64];
            const unsigned z = codes[i + 128];
            const unsigned rest = (x >> 6U) | (y >> 6U << 2U) | (z >> 6U << 4U);
            sums[i] = static_cast<std::uint16_t>(sums[i] + table[x & 63U] + table[64 + (y & 63U)] +
                                                 table[128 + (z & 63U)] + table[192 + rest]);
        }
    }
}

#endif

std::int32_t byte_dot_from(const std::int16_t* query, const std::int8_t* row, std::size_t first,
                           std::size_t count) {
    std::int32_t sum = 0;
    for (std::size_t j = first; j < count; ++j) {
        sum += static_cast<std::int32_t>(query[j]) * static_cast<std::int32_t>(row[j]);
    }
    return sum;
}

#if defined(__AVX512F__)

std::int32_t byte_dot(const std::int16_t* query, const std::int8_t* row, std::size_t count) {
    __m512i sums[2] = {_mm512_setzero_si512(), _mm512_setzero_si512()};
    std::size_t j = 0;
    const auto add = [&](__m512i sum, std::size_t at) {
        const __m512i bytes =
            _mm512_cvtepi8_epi16(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(row + at)));
#if defined(__AVX512VNNI__)
        return _mm512_dpwssd_epi32(sum, _mm512_loadu_si512(query + at), bytes);
#else
        return _mm512_add_epi32(sum, _mm512_madd_epi16(_mm512_loadu_si512(query + at), bytes));
#endif
    };
    for (; j + 64 <= count; j += 64) {
        sums[0] = add(sums[0], j);
        sums[1] = add(sums[1], j + 32);
    }
    return _mm512_reduce_add_epi32(_mm512_add_epi32(sums[0], sums[1])) +
           byte_dot_from(query, row, j, count);
}

void keep_above(const float* bound, float bar, std::uint32_t count, std::uint64_t* mask) {
    const __m512 least = _mm512_set1_ps(bar);
    for (std::uint32_t first = 0; first < count; first += 64) {
        std::uint64_t bits = 0;
        for (std::uint32_t i = 0; i < 64; i += 16) {
            const __mmask16 above =
                _mm512_cmp_ps_mask(_mm512_loadu_ps(bound + first + i), least, _CMP_GE_OQ);
            bits |= static_cast<std::uint64_t>(above) << i;
        }
        mask[first / 64] &= bits;
    }
}

#elif defined(__AVX2__)

std::int32_t byte_dot(const std::int16_t* query, const std::int8_t* row, std::size_t count) {
    __m256i sum = _mm256_setzero_si256();
    std::size_t j = 0;
    for (; j + 16 <= count; j += 16) {
        const __m256i bytes =
            _mm256_cvtepi8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(row + j)));
        sum = _mm256_add_epi32(
            sum, _mm256_madd_epi16(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(query + j)),
                                   bytes));
    }
    std::int32_t parts[8];
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(parts), sum);
    std::int32_t total = byte_dot_from(query, row, j, count);
    for (const std::int32_t part : parts) total += part;
    return total;
}

void keep_above(const float* bound, float bar, std::uint32_t count, std::uint64_t* mask) {
    const __m256 least = _mm256_set1_ps(bar);
    for (std::uint32_t first = 0; first < count; first += 64) {
        std::uint64_t bits = 0;
        for (std::uint32_t i = 0; i < 64; i += 8) {
            const __m256 above =
                _mm256_cmp_ps(_mm256_loadu_ps(bound + first + i), least, _CMP_GE_OQ);
            bits |= static_cast<std::uint64_t>(static_cast<unsigned>(_mm256_movemask_ps(above)))
                    << i;
        }
        mask[first / 64] &= bits;
    }
}

#else

std::int32_t byte_dot(const std::int16_t* query, const std::int8_t* row, std::size_t count) {
    return byte_dot_from(query, row, 0, count);
}

void keep_above(const float* bound, float bar, std::uint32_t count, std::uint64_t* mask) {
    for (std::uint32_t first = 0; first < count; first += 64) {
        std::uint64_t bits = 0;
        for (std::uint32_t i = 0; i < 64; ++i) {
            bits |= static_cast<std::uint64_t>(bound[first + i] >= bar ? 1 : 0) << i;
        }
        mask[first / 64] &= bits;
    }
}

#endif

std::int32_t bit_dot_from(const std::int8_t* query, const std::uint8_t* bits, std::size_t first,
                          std::size_t count) {
    std::int32_t sum = 0;
    for (std::size_t j = first; j < count; ++j) {
        sum += (bits[j / 8] >> (j % 8) & 1) != 0 ? query[j] : 0;
    }
    return sum;
}

#if defined(__AVX512VNNI__) && defined(__AVX512BW__)

std::int32_t bit_dot(const std::int8_t* query, const std::uint8_t* bits, std::size_t bytes) {
    const __m512i ones = _mm512_set1_epi8(1);
    __m512i sum = _mm512_setzero_si512();
    std::size_t c = 0;
    for (; c + 8 <= bytes; c += 8) {
        std::uint64_t held = 0;
        __builtin_memcpy(&held, bits + c, 8);
        sum = _mm512_dpbusd_epi32(sum, _mm512_maskz_mov_epi8(held, ones),
                                  _mm512_loadu_si512(query + 8 * c));
    }
    return _mm512_reduce_add_epi32(sum) + bit_dot_from(query, bits, 8 * c, 8 * bytes);
}

#elif defined(__AVX2__)

std::int32_t bit_dot(const std::int8_t* query, const std::uint8_t* bits, std::size_t bytes) {
    const __m256i spread = _mm256_setr_epi8(0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 2,
                                            2, 2, 2, 2, 2, 3, 3, 3, 3, 3, 3, 3, 3);
    const __m256i each = _mm256_set1_epi64x(static_cast<long long>(0x8040201008040201ULL));
    const __m256i ones = _mm256_set1_epi8(1);
    __m256i sum = _mm256_setzero_si256();  // of 16 bits: at most 96 times 254
    std::size_t c = 0;
    for (; c + 4 <= bytes; c += 4) {
        std::int32_t four = 0;
        __builtin_memcpy(&four, bits + c, 4);
        const __m256i held =
            _mm256_and_si256(_mm256_shuffle_epi8(_mm256_set1_epi32(four), spread), each);
        const __m256i values = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(query + 8 * c));
        sum = _mm256_add_epi16(
            sum,
            _mm256_maddubs_epi16(ones, _mm256_and_si256(_mm256_cmpeq_epi8(held, each), values)));
    }
    const __m256i pairs = _mm256_madd_epi16(sum, _mm256_set1_epi16(1));
    std::int32_t parts[8];
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(parts), pairs);
    std::int32_t total = 0;
    for (const std::int32_t part : parts) total += part;
    return total + bit_dot_from(query, bits, 8 * c, 8 * bytes);
}

#else

std::int32_t bit_dot(const std::int8_t* query, const std::uint8_t* bits, std::size_t bytes) {
    return bit_dot_from(query, bits, 0, 8 * bytes);
}

#endif
