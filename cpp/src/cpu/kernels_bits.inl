// Listing the bits of a set. Included by kernels.inl.

#if defined(__AVX512VBMI2__)
/// Compressions set all of a register, but on some processors wait for what stood in it, unless it
/// was cleared in a way that they know. A compiler that saw the zero would take it away.
inline __m512i cleared() {
    __m512i zero;
    __asm__("vpxord %0, %0, %0" : "=v"(zero));
    return zero;
}

/// Sixteen numbers of those that a word was compressed to.
template <int quarter>
inline void put_numbers(__m512i bytes, __m512i base, std::uint32_t* out) {
    const __m512i numbers = _mm512_cvtepu8_epi32(_mm512_extracti32x4_epi32(bytes, quarter));
    _mm512_storeu_si512(out + 16 * quarter, _mm512_add_epi32(base, numbers));
}

/// 64 times the numbers of words that are not empty, in a list; how many.
inline std::size_t list_words(const std::uint64_t* words, std::size_t count, std::uint32_t first,
                              std::uint32_t* out) {
    const auto some = [&](std::size_t begin) {
        const std::size_t left = begin < count ? count - begin : 0;
        const __m512i w = _mm512_maskz_loadu_epi64(
            static_cast<__mmask8>((1U << (left > 8 ? 8 : left)) - 1U), words + begin);
        return static_cast<std::uint32_t>(_mm512_test_epi64_mask(w, w));
    };
    const __m512i steps = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    std::size_t listed = 0;
    for (std::size_t w = 0; w < count; w += 16) {
        const std::uint32_t full = some(w) | some(w + 8) << 8U;
        const __m512i place =
            _mm512_add_epi32(steps, _mm512_set1_epi32(static_cast<int>(first + w)));
        _mm512_storeu_si512(out + listed,
                            _mm512_mask_compress_epi32(cleared(), static_cast<__mmask16>(full),
                                                       _mm512_slli_epi32(place, 6)));
        listed += static_cast<std::size_t>(__builtin_popcount(full));
    }
    return listed;
}

/// The numbers of the bits of four words, of which each byte here holds one or none; how many.
inline std::size_t put_single(__m512i single, __m512i first, std::uint32_t* out) {
    const __m512i bytes = _mm512_xor_si512(
        _mm512_set1_epi64(0x1818101008080000),
        _mm512_setr_epi64(0, 0x2020202020202020, 0x4040404040404040, 0x6060606060606060,
                          ~0x7F7F7F7F7F7F7F7F, ~0x5F5F5F5F5F5F5F5F, ~0x3F3F3F3F3F3F3F3F,
                          ~0x1F1F1F1F1F1F1F1F));
    const __m512i below = _mm512_sub_epi8(single, _mm512_set1_epi8(1));
    const __mmask64 some = _mm512_test_epi8_mask(single, single);
    const __m512i numbers = _mm512_mask_compress_epi8(
        cleared(), some, _mm512_add_epi8(bytes, _mm512_popcnt_epi8(below)));
    const auto count = static_cast<std::size_t>(__builtin_popcountll(some));
    const __m256i eight = _mm256_cvtepu8_epi32(_mm512_castsi512_si128(numbers));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(out),
                        _mm256_add_epi32(_mm512_castsi512_si256(first), eight));
    if (count > 8) put_numbers<0>(numbers, first, out);
    if (count > 16) {
        put_numbers<1>(numbers, first, out);
        put_numbers<2>(numbers, first, out);
        put_numbers<3>(numbers, first, out);
    }
    return count;
}

/// Those of eight words of which no byte has more than two; how many, or -1 where one has more.
inline std::ptrdiff_t put_pairs(__m512i words, std::size_t first, std::uint32_t* out) {
    const __m512i one = _mm512_set1_epi8(1);
    // Interleaved by 128 bits each, the low halves are then the first four words.
    const __m512i word = _mm512_permutexvar_epi64(_mm512_setr_epi64(0, 4, 1, 5, 2, 6, 3, 7), words);
    const __m512i high = _mm512_and_si512(word, _mm512_sub_epi8(word, one));
    if (_mm512_test_epi8_mask(high, _mm512_sub_epi8(high, one)) != 0) return -1;
    const __m512i low = _mm512_xor_si512(word, high);
    const __m512i base = _mm512_set1_epi32(static_cast<int>(first));
    const std::size_t count = put_single(_mm512_unpacklo_epi8(low, high), base, out);
    return static_cast<std::ptrdiff_t>(
        count + put_single(_mm512_unpackhi_epi8(low, high),
                           _mm512_add_epi32(base, _mm512_set1_epi32(256)), out + count));
}

enum class Seen { none, read, kept };

template <Seen how>
inline std::size_t take_bits_as(std::uint64_t* words, std::uint64_t* seen, std::size_t count,
                                std::uint32_t* out) {
    constexpr std::size_t at_once = 512;
    // From so many bits in a block on, and up to so many, most bytes have two at most.
    constexpr std::ptrdiff_t few = 192;
    constexpr std::ptrdiff_t many = 1536;
    alignas(64) std::uint8_t numbers[64];
    for (int i = 0; i < 64; ++i) numbers[i] = static_cast<std::uint8_t>(i);
    const __m512i all = _mm512_load_si512(numbers);
    std::uint32_t* next = out;
    const auto take = [&](std::size_t w, __m512i base, auto wide) __attribute__((always_inline)) {
        const std::uint64_t word = how == Seen::none ? words[w] : words[w] & ~seen[w];
        if (how == Seen::kept) seen[w] |= word;
        const __m512i bytes = _mm512_mask_compress_epi8(cleared(), word, all);
        const int bits = __builtin_popcountll(word);
        if constexpr (wide) {
            put_numbers<0>(bytes, base, next);
        } else {
            const __m256i eight = _mm256_cvtepu8_epi32(_mm512_castsi512_si128(bytes));
            _mm256_storeu_si256(reinterpret_cast<__m256i*>(next),
                                _mm256_add_epi32(_mm512_castsi512_si256(base), eight));
            if (bits > 8) put_numbers<0>(bytes, base, next);
        }
        if (bits > 16) {
            put_numbers<1>(bytes, base, next);
            put_numbers<2>(bytes, base, next);
            put_numbers<3>(bytes, base, next);
        }
        next += bits;
    };
    const auto take_all = [&](std::size_t first, std::size_t last, auto wide)
                              __attribute__((always_inline)) {
                                  __m512i base = _mm512_set1_epi32(static_cast<int>(first * 64));
                                  for (std::size_t i = first; i < last; ++i) {
                                      take(i, base, wide);
                                      base = _mm512_add_epi32(base, _mm512_set1_epi32(64));
                                  }
                              };
    const auto take_pairs = [&](std::size_t first) {
        for (std::size_t w = first; w < first + at_once; w += 8) {
            __m512i word = _mm512_loadu_si512(words + w);
            if (how != Seen::none) word = _mm512_andnot_si512(_mm512_loadu_si512(seen + w), word);
            const std::ptrdiff_t put = put_pairs(word, w * 64, next);
            if (put < 0) {
                take_all(w, w + 8, std::false_type{});
            } else {
                next += put;
                if (how == Seen::kept) {
                    const __m512i old = _mm512_loadu_si512(seen + w);
                    _mm512_storeu_si512(seen + w, _mm512_or_si512(old, word));
                }
            }
            _mm512_storeu_si512(words + w, _mm512_setzero_si512());
        }
    };
    alignas(64) std::uint32_t full[at_once + 16];
    std::ptrdiff_t before = few;
    for (std::size_t w = 0; w < count; w += at_once) {
        const std::size_t here = count - w < at_once ? count - w : at_once;
        std::uint32_t* const block = next;
        // What the block before held foretells how dense this one is.
        if (here == at_once && before >= few && before <= many) {
            take_pairs(w);
            before = next - block;
            continue;
        }
        const std::size_t listed = list_words(words + w, here, static_cast<std::uint32_t>(w), full);
        // Where words have few bits each, half a register holds them and is stored sooner.
        if (listed * 32 > here * 31) {
            take_all(w, w + here, std::true_type{});
        } else if (listed * 3 > here * 2) {
            take_all(w, w + here, std::false_type{});
        } else {
            for (std::size_t i = 0; i < listed; ++i) {
                take(full[i] / 64, _mm512_set1_epi32(static_cast<int>(full[i])), std::false_type{});
            }
        }
        __builtin_memset(words + w, 0, here * sizeof(std::uint64_t));
        before = next - block;
    }
    return static_cast<std::size_t>(next - out);
}

std::size_t take_bits(std::uint64_t* words, std::uint64_t* seen, std::size_t count, bool keep,
                      std::uint32_t* out) {
    if (seen == nullptr) return take_bits_as<Seen::none>(words, seen, count, out);
    return keep ? take_bits_as<Seen::kept>(words, seen, count, out)
                : take_bits_as<Seen::read>(words, seen, count, out);
}
#else
/// Four at a time: the end of a loop over single bits would be guessed wrong in most words.
std::size_t take_bits(std::uint64_t* words, std::uint64_t* seen, std::size_t count, bool keep,
                      std::uint32_t* out) {
    constexpr std::uint64_t last_bit = std::uint64_t{1} << 63U;
    constexpr std::size_t at_once = 8;
    std::uint32_t* next = out;
    for (std::size_t first = 0; first < count; first += at_once) {
        const std::size_t last = first + at_once < count ? first + at_once : count;
        std::uint64_t any = 0;
        for (std::size_t w = first; w < last; ++w) any |= words[w];
        if (any == 0) continue;
        for (std::size_t w = first; w < last; ++w) {
            const auto base = static_cast<std::uint32_t>(w * 64);
            std::uint64_t word = seen == nullptr ? words[w] : words[w] & ~seen[w];
            words[w] = 0;
            if (keep) seen[w] |= word;
            do {
                for (int i = 0; i < 4; ++i) {
                    *next = base + static_cast<std::uint32_t>(__builtin_ctzll(word | last_bit));
                    next += word != 0 ? 1 : 0;
                    word &= word - 1;
                }
            } while (word != 0);
        }
    }
    return static_cast<std::size_t>(next - out);
}
#endif
