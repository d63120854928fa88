// Listing the bits of a set. Included by kernels.inl.

#if defined(__AVX512VBMI2__)
/// Sixteen numbers of those that a word was compressed to.
template <int quarter>
inline void put_numbers(__m512i bytes, __m512i base, std::uint32_t* out) {
    const __m512i numbers = _mm512_cvtepu8_epi32(_mm512_extracti32x4_epi32(bytes, quarter));
    _mm512_storeu_si512(out + 16 * quarter, _mm512_add_epi32(base, numbers));
}

std::size_t list_bits(const std::uint64_t* words, const std::uint64_t* without, std::size_t count,
                      std::uint32_t* out) {
    alignas(64) std::uint8_t numbers[64];
    for (int i = 0; i < 64; ++i) numbers[i] = static_cast<std::uint8_t>(i);
    const __m512i all = _mm512_load_si512(numbers);
    std::uint32_t* const first = out;
    for (std::size_t w = 0; w < count; ++w) {
        const std::uint64_t word = words[w] & ~without[w];
        const __m512i base = _mm512_set1_epi32(static_cast<int>(w * 64));
        const __m512i bytes = _mm512_maskz_compress_epi8(word, all);
        const int bits = __builtin_popcountll(word);
        put_numbers<0>(bytes, base, out);
        if (bits > 16) {
            put_numbers<1>(bytes, base, out);
            put_numbers<2>(bytes, base, out);
            put_numbers<3>(bytes, base, out);
        }
        out += bits;
    }
    return static_cast<std::size_t>(out - first);
}
#else
/// Four at a time: the end of a loop over single bits would be guessed wrong in most words.
std::size_t list_bits(const std::uint64_t* words, const std::uint64_t* without, std::size_t count,
                      std::uint32_t* out) {
    constexpr std::uint64_t last_bit = std::uint64_t{1} << 63U;
    std::uint32_t* const first = out;
    for (std::size_t w = 0; w < count; ++w) {
        const auto base = static_cast<std::uint32_t>(w * 64);
        std::uint64_t word = words[w] & ~without[w];
        do {
            for (int i = 0; i < 4; ++i) {
                *out = base + static_cast<std::uint32_t>(__builtin_ctzll(word | last_bit));
                out += word != 0 ? 1 : 0;
                word &= word - 1;
            }
        } while (word != 0);
    }
    return static_cast<std::size_t>(out - first);
}
#endif
