// Which of 64 rows a filter keeps: as many comparisons at once as a register holds.

#if defined(__AVX512BW__)

std::uint64_t equal_bits(const std::uint32_t* value, std::uint32_t wanted) {
    const __m512i all = _mm512_set1_epi32(static_cast<int>(wanted));
    std::uint64_t bits = 0;
    for (std::uint32_t i = 0; i < 64; i += 16) {
        const __mmask16 same = _mm512_cmpeq_epi32_mask(_mm512_loadu_si512(value + i), all);
        bits |= static_cast<std::uint64_t>(same) << i;
    }
    return bits;
}

std::uint64_t kind_bits(const std::uint8_t* kind, const std::uint8_t* table) {
    const __m512i entries =
        _mm512_broadcast_i32x4(_mm_loadu_si128(reinterpret_cast<const __m128i*>(table)));
    return _mm512_movepi8_mask(_mm512_shuffle_epi8(entries, _mm512_loadu_si512(kind)));
}

#elif defined(__AVX2__)

std::uint64_t equal_bits(const std::uint32_t* value, std::uint32_t wanted) {
    const __m256i all = _mm256_set1_epi32(static_cast<int>(wanted));
    std::uint64_t bits = 0;
    for (std::uint32_t i = 0; i < 64; i += 8) {
        const __m256i same = _mm256_cmpeq_epi32(
            _mm256_loadu_si256(reinterpret_cast<const __m256i*>(value + i)), all);
        const auto eight = static_cast<unsigned>(_mm256_movemask_ps(_mm256_castsi256_ps(same)));
        bits |= static_cast<std::uint64_t>(eight) << i;
    }
    return bits;
}

std::uint64_t kind_bits(const std::uint8_t* kind, const std::uint8_t* table) {
    const __m256i entries =
        _mm256_broadcastsi128_si256(_mm_loadu_si128(reinterpret_cast<const __m128i*>(table)));
    std::uint64_t bits = 0;
    for (std::uint32_t i = 0; i < 64; i += 32) {
        const __m256i found = _mm256_shuffle_epi8(
            entries, _mm256_loadu_si256(reinterpret_cast<const __m256i*>(kind + i)));
        bits |= static_cast<std::uint64_t>(static_cast<unsigned>(_mm256_movemask_epi8(found))) << i;
    }
    return bits;
}

#else

std::uint64_t equal_bits(const std::uint32_t* value, std::uint32_t wanted) {
    std::uint64_t bits = 0;
    for (std::uint32_t i = 0; i < 64; ++i) {
        bits |= static_cast<std::uint64_t>(value[i] == wanted ? 1 : 0) << i;
    }
    return bits;
}

std::uint64_t kind_bits(const std::uint8_t* kind, const std::uint8_t* table) {
    std::uint64_t bits = 0;
    for (std::uint32_t i = 0; i < 64; ++i) {
        bits |= static_cast<std::uint64_t>(table[kind[i]] >> 7U) << i;
    }
    return bits;
}

#endif

void keep_equal(const std::uint32_t* value, std::uint32_t wanted, std::uint32_t count,
                std::uint64_t* mask) {
    for (std::uint32_t i = 0; i < count; i += 64) mask[i / 64] &= equal_bits(value + i, wanted);
}

void keep_kinds(const std::uint8_t* kind, std::uint32_t kinds, std::uint32_t count,
                std::uint64_t* mask) {
    std::uint8_t table[16];
    for (unsigned k = 0; k < 16; ++k) {
        table[k] = static_cast<std::uint8_t>((kinds >> k & 1U) << 7U);
    }
    for (std::uint32_t i = 0; i < count; i += 64) mask[i / 64] &= kind_bits(kind + i, table);
}
