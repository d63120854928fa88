// Asking the words of arcs. Included by kernels.inl.

#if defined(__AVX512VBMI2__)
constexpr std::size_t gate_words = 16;

/// Which of sixteen words a test lets pass.
inline __mmask16 pass_gate(__m512i words, __m512i from, __m512i guards, __m512i types,
                           __mmask16 there) {
    const __m512i over = _mm512_and_si512(_mm512_sub_epi32(words, from), guards);
    // The lowest bits of a word are its type, so that a rotation takes the word itself.
    const __m512i type = _mm512_rorv_epi32(types, words);
    const __mmask16 typed = _mm512_mask_test_epi32_mask(there, type, _mm512_set1_epi32(1));
    return _mm512_mask_cmpeq_epi32_mask(typed, over, guards);
}

/// Sixteen bits of a set from any place on; there is a word behind the last one.
inline __mmask16 bits_from(const std::uint64_t* bits, std::size_t place) {
    std::uint32_t two = 0;
    __builtin_memcpy(&two, reinterpret_cast<const char*>(bits) + place / 8, sizeof two);
    return static_cast<__mmask16>(two >> (place % 8));
}

/// Up to sixteen arcs: which lead to a parent and pass, and which lead to one and may.
template <bool gated>
struct ParentsMet {
    __m512i guards, one, sure, maybe, types_sure, types_maybe;
    const ParentSearch search;

    explicit ParentsMet(const ParentSearch& s)
        : guards(all(GateTest::guards)),
          one(all(1)),
          sure(all(s.test.sure)),
          maybe(all(s.test.maybe)),
          types_sure(all(s.test.types_sure)),
          types_maybe(all(s.test.types_maybe)),
          search(s) {}
    static __m512i all(std::uint32_t x) { return _mm512_set1_epi32(static_cast<int>(x)); }

    [[gnu::always_inline]] __mmask16 ask(std::uint32_t arc, __mmask16 there, __mmask16& may) const {
        const __m512i to = _mm512_maskz_loadu_epi32(there, search.to + arc);
        const __m512i set = _mm512_mask_i32gather_epi32(
            _mm512_setzero_si512(), there, _mm512_srli_epi32(to, 5), search.parents, 4);
        const __mmask16 meets = _mm512_mask_test_epi32_mask(there, _mm512_rorv_epi32(set, to), one);
        if constexpr (!gated) {
            return search.passing == nullptr
                       ? meets
                       : static_cast<__mmask16>(meets & bits_from(search.passing, arc));
        }
        const __m512i w = _mm512_maskz_loadu_epi32(there, search.gate + arc);
        may = pass_gate(w, maybe, guards, types_maybe, meets);
        return pass_gate(w, sure, guards, types_sure, meets);
    }
};

/// Ranks of a word that are open, one after another.
template <bool gated>
inline std::uint64_t find_parents_of(const ParentSearch& search, std::uint32_t first,
                                     std::uint64_t open, std::uint64_t* unsure) {
    const ParentsMet<gated> met(search);
    const std::uint32_t* const rows = search.offset + std::size_t{2} * first;
    std::uint64_t found = 0;
    std::uint64_t asks = 0;
    std::uint64_t more = 0;
    // Without a branch on what is found, which would be guessed wrong for every other rank.
    for (std::uint64_t left = open; left != 0; left &= left - 1) {
        const auto place = static_cast<std::uint32_t>(__builtin_ctzll(left));
        const std::uint32_t begin = rows[2 * place + search.first_row];
        const std::uint32_t count = rows[2 * place + search.last_row] - begin;
        const auto there = static_cast<__mmask16>((1U << (count > 16 ? 16 : count)) - 1U);
        __mmask16 may = 0;
        const std::uint32_t yes = met.ask(begin, there, may);
        found |= std::uint64_t{yes != 0} << place;
        asks |= std::uint64_t{may != 0} << place;
        more |= std::uint64_t{count > 16} << place;
    }
    for (std::uint64_t left = more & ~found; left != 0; left &= left - 1) {
        const auto place = static_cast<std::uint32_t>(__builtin_ctzll(left));
        const std::uint32_t end = rows[2 * place + search.last_row];
        std::uint32_t yes = 0;
        std::uint32_t any = 0;
        for (std::uint32_t a = rows[2 * place + search.first_row] + 16; a < end && yes == 0;
             a += 16) {
            const std::uint32_t count = end - a;
            const auto there = static_cast<__mmask16>((1U << (count > 16 ? 16 : count)) - 1U);
            __mmask16 may = 0;
            yes = met.ask(a, there, may);
            any |= may;
        }
        found |= std::uint64_t{yes != 0} << place;
        asks |= std::uint64_t{any != 0} << place;
    }
    *unsure = asks & ~found;
    return found;
}

std::uint64_t find_parents(const ParentSearch& search, std::uint32_t first, std::uint64_t open,
                           std::uint64_t* unsure) {
    *unsure = 0;
    if (open == 0) return 0;
    const std::uint64_t found = search.gate == nullptr
                                    ? find_parents_of<false>(search, first, open, unsure)
                                    : find_parents_of<true>(search, first, open, unsure);
    for (int quarter = 0; quarter < 4; ++quarter) {
        _mm512_mask_storeu_epi32(search.hop + first + 16 * quarter,
                                 static_cast<__mmask16>(found >> (16 * quarter)),
                                 _mm512_set1_epi32(search.level));
    }
    return found;
}

template <bool gated>
inline std::uint64_t hook_ranks_of(const GatedRows& rows, std::uint32_t first, std::uint32_t ranks,
                                   std::uint32_t* parent) {
    const auto all = [](std::uint32_t x) { return _mm512_set1_epi32(static_cast<int>(x)); };
    const __m512i guards = all(GateTest::guards);
    const GateTest test = rows.test;
    const std::uint32_t* const offset = rows.offset + std::size_t{2} * first;
    constexpr std::uint32_t ahead = 16;  // rows before its turn is a row asked for
    std::uint64_t open = 0;
    std::uint64_t more = 0;
    /// The arcs from `arc` on that are sure to lead to a smaller rank; whether any may pass.
    const auto ask = [&](std::uint32_t arc, std::uint32_t count, std::uint32_t rank, bool& any) {
        const auto there = static_cast<__mmask16>((1U << (count > 16 ? 16 : count)) - 1U);
        const __m512i to = _mm512_maskz_loadu_epi32(there, rows.to + arc);
        const __mmask16 smaller = _mm512_mask_cmplt_epu32_mask(there, to, all(rank));
        any = count != 0;
        if constexpr (!gated) return smaller;
        const __m512i w = _mm512_maskz_loadu_epi32(there, rows.gate + arc);
        any = pass_gate(w, all(test.maybe), guards, all(test.types_maybe), there) != 0;
        return pass_gate(w, all(test.sure), guards, all(test.types_sure), smaller);
    };
    // Without a branch on what is found, as find_parents_of.
    for (std::uint32_t i = 0; i < ranks; ++i) {
        const std::uint32_t later = offset[2 * (i + ahead < ranks ? i + ahead : ranks)];
        for (const std::uint32_t part : {0U, 15U}) {
            __builtin_prefetch(rows.to + later + part);
            if constexpr (gated) __builtin_prefetch(rows.gate + later + part);
        }
        const std::uint32_t begin = offset[2 * i];
        const std::uint32_t count = offset[2 * i + 2] - begin;
        bool any = false;
        const std::uint32_t yes = ask(begin, count, first + i, any);
        const std::uint32_t at = begin + static_cast<std::uint32_t>(__builtin_ctz(yes | 1U << 16U));
        parent[first + i] = yes != 0 ? rows.to[at] : first + i;
        open |= std::uint64_t{any} << i;
        more |= std::uint64_t{count > 16 && yes == 0} << i;
    }
    for (; more != 0; more &= more - 1) {
        const auto i = static_cast<std::uint32_t>(__builtin_ctzll(more));
        const std::uint32_t end = offset[2 * i + 2];
        std::uint32_t yes = 0;
        for (std::uint32_t a = offset[2 * i] + 16; a < end && yes == 0; a += 16) {
            bool any = false;
            yes = ask(a, end - a, first + i, any);
            if (yes != 0)
                parent[first + i] = rows.to[a + static_cast<std::uint32_t>(__builtin_ctz(yes))];
            open |= std::uint64_t{any} << i;
        }
    }
    return open;
}

std::uint64_t hook_ranks(const GatedRows& rows, std::uint32_t first, std::uint32_t count,
                         std::uint32_t* parent) {
    return rows.gate == nullptr ? hook_ranks_of<false>(rows, first, count, parent)
                                : hook_ranks_of<true>(rows, first, count, parent);
}

GateCounts list_gate(const std::uint32_t* words, std::size_t count, std::uint32_t first,
                     const GateTest& test, std::uint32_t* sure, std::uint32_t* unsure) {
    const auto all = [](std::uint32_t x) { return _mm512_set1_epi32(static_cast<int>(x)); };
    const __m512i guards = all(GateTest::guards);
    const __m512i steps = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    GateCounts out;
    for (std::size_t i = 0; i < count; i += 16) {
        const std::size_t left = count - i;
        const auto there = static_cast<__mmask16>((1U << (left > 16 ? 16 : left)) - 1U);
        const __m512i w = _mm512_maskz_loadu_epi32(there, words + i);
        const __mmask16 yes = pass_gate(w, all(test.sure), guards, all(test.types_sure), there);
        const __mmask16 may = pass_gate(w, all(test.maybe), guards, all(test.types_maybe), there);
        const auto ask = static_cast<__mmask16>(may & ~yes);
        const __m512i arcs = _mm512_add_epi32(steps, all(first + static_cast<std::uint32_t>(i)));
        _mm512_storeu_si512(sure + out.sure, _mm512_mask_compress_epi32(cleared(), yes, arcs));
        _mm512_storeu_si512(unsure + out.unsure, _mm512_mask_compress_epi32(cleared(), ask, arcs));
        out.sure += static_cast<std::size_t>(__builtin_popcount(yes));
        out.unsure += static_cast<std::size_t>(__builtin_popcount(ask));
    }
    return out;
}
void gate_bits(const std::uint32_t* words, std::size_t count, const GateTest& test,
               std::uint64_t* sure, std::uint64_t* unsure) {
    const auto all = [](std::uint32_t x) { return _mm512_set1_epi32(static_cast<int>(x)); };
    const __m512i guards = all(GateTest::guards);
    const GateTest asked = test;
    for (std::size_t i = 0; i < count; i += 64) {
        std::uint64_t yes = 0;
        std::uint64_t may = 0;
        for (std::size_t j = i; j < i + 64 && j < count; j += 16) {
            const std::size_t left = count - j;
            const auto there = static_cast<__mmask16>((1U << (left > 16 ? 16 : left)) - 1U);
            const __m512i w = _mm512_maskz_loadu_epi32(there, words + j);
            const __mmask16 y = pass_gate(w, all(asked.sure), guards, all(asked.types_sure), there);
            const __mmask16 m =
                pass_gate(w, all(asked.maybe), guards, all(asked.types_maybe), there);
            yes |= std::uint64_t{y} << (j - i);
            may |= std::uint64_t{m} << (j - i);
        }
        sure[i / 64] = yes;
        unsure[i / 64] = may & ~yes;
    }
}
#else
#if defined(__AVX2__)
constexpr std::size_t gate_words = 8;

/// Which of eight words a test lets pass.
inline std::uint32_t pass_eight(__m256i words, std::uint32_t from, std::uint32_t types) {
    const auto all = [](std::uint32_t x) { return _mm256_set1_epi32(static_cast<int>(x)); };
    const __m256i guards = all(GateTest::guards);
    const __m256i over = _mm256_and_si256(_mm256_sub_epi32(words, all(from)), guards);
    const __m256i type = _mm256_srlv_epi32(all(types), _mm256_and_si256(words, all(31)));
    const __m256i ok =
        _mm256_and_si256(_mm256_cmpeq_epi32(over, guards), _mm256_slli_epi32(type, 31));
    return static_cast<std::uint32_t>(_mm256_movemask_ps(_mm256_castsi256_ps(ok)));
}
#else
constexpr std::size_t gate_words = 1;
#endif

void gate_bits(const std::uint32_t* words, std::size_t count, const GateTest& test,
               std::uint64_t* sure, std::uint64_t* unsure) {
    const GateTest asked = test;
    for (std::size_t i = 0; i < count; i += 64) {
        std::uint64_t yes = 0;
        std::uint64_t ask = 0;
        std::size_t j = i;
#if defined(__AVX2__)
        for (; j < i + 64 && j + 8 <= count; j += 8) {
            const __m256i eight = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(words + j));
            const std::uint64_t y = pass_eight(eight, asked.sure, asked.types_sure);
            const std::uint64_t m = pass_eight(eight, asked.maybe, asked.types_maybe);
            yes |= y << (j - i);
            ask |= (m & ~y) << (j - i);
        }
#endif
        for (; j < i + 64 && j < count; ++j) {
            const std::uint64_t answer = asked.ask(words[j]);
            yes |= (answer & 1U) << (j - i);
            ask |= (answer >> 1U) << (j - i);
        }
        sure[i / 64] = yes;
        unsure[i / 64] = ask;
    }
}

std::uint64_t find_parents(const ParentSearch& search, std::uint32_t first, std::uint64_t open,
                           std::uint64_t* unsure) {
    const GateTest test = search.test;
    std::uint64_t found = 0;
    *unsure = 0;
    for (; open != 0; open &= open - 1) {
        const auto place = static_cast<std::uint32_t>(__builtin_ctzll(open));
        const std::uint32_t* const row = search.offset + std::size_t{2} * (first + place);
        for (std::uint32_t a = row[search.first_row]; a < row[search.last_row]; ++a) {
            const std::uint32_t p = search.to[a];
            if ((search.parents[p / 64] >> (p % 64) & 1U) == 0) continue;
            std::uint32_t answer = search.gate == nullptr ? 1 : test.ask(search.gate[a]);
            if (search.passing != nullptr) answer = search.passing[a / 64] >> (a % 64) & 1U;
            if (answer == 2) *unsure |= open & -open;
            if (answer != 1) continue;
            found |= open & -open;
            search.hop[first + place] = search.level;
            break;
        }
    }
    *unsure &= ~found;
    return found;
}

std::uint64_t hook_ranks(const GatedRows& rows, std::uint32_t first, std::uint32_t count,
                         std::uint32_t* parent) {
    const GateTest test = rows.test;
    std::uint64_t open = 0;
    for (std::uint32_t i = 0; i < count; ++i) {
        const std::uint32_t rank = first + i;
        const std::uint32_t* const row = rows.offset + std::size_t{2} * rank;
        parent[rank] = rank;
        for (std::uint32_t a = row[0]; a < row[2] && parent[rank] == rank; ++a) {
            const std::uint32_t answer = rows.gate == nullptr ? 1 : test.ask(rows.gate[a]);
            open |= std::uint64_t{answer != 0} << i;
            if (answer == 1 && rows.to[a] < rank) parent[rank] = rows.to[a];
        }
    }
    return open;
}

GateCounts list_gate(const std::uint32_t* words, std::size_t count, std::uint32_t first,
                     const GateTest& test, std::uint32_t* sure, std::uint32_t* unsure) {
    const GateTest asked = test;
    GateCounts out;
    for (std::size_t i = 0; i < count; ++i) {
        const std::uint32_t answer = asked.ask(words[i]);
        const std::uint32_t arc = first + static_cast<std::uint32_t>(i);
        sure[out.sure] = arc;
        unsure[out.unsure] = arc;
        out.sure += answer & 1U;
        out.unsure += answer >> 1U;
    }
    return out;
}
#endif
