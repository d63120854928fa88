// The side terms of a block of rows, in the order of `Term`, and what frequent words add.

constexpr std::uint32_t kind_entries = 4 * static_lengths;  // of the table, for one kind

#if defined(__AVX512BW__)

/// Entries of a table for rows of one kind: six registers hold all that such rows can name, so
/// nothing is gathered from memory.
REMANENCE_LANE_FN void look_up_kind(const float* table, std::uint32_t first,
                                    const std::uint16_t* statics, std::uint32_t n, float* out) {
    static_assert(kind_entries > 80 && kind_entries < 96);
    table += first;
    __m512 part[6];
    for (int i = 0; i < 5; ++i) part[i] = _mm512_loadu_ps(table + 16 * i);
    part[5] = _mm512_maskz_loadu_ps((1U << (kind_entries - 80)) - 1, table + 80);
    const __m512i start = _mm512_set1_epi32(static_cast<int>(first));
    for (std::uint32_t i = 0; i < n; i += 16) {
        const auto rows = static_cast<__mmask16>(n - i < 16 ? (1U << (n - i)) - 1 : 0xFFFFU);
        const __m256i stored = _mm256_maskz_loadu_epi16(rows, statics + i);
        const __m512i at = _mm512_sub_epi32(_mm512_cvtepu16_epi32(stored), start);
        const __mmask16 second = _mm512_test_epi32_mask(at, _mm512_set1_epi32(32));
        const __mmask16 third = _mm512_test_epi32_mask(at, _mm512_set1_epi32(64));
        __m512 found = _mm512_permutex2var_ps(part[0], at, part[1]);
        found = _mm512_mask_blend_ps(second, found, _mm512_permutex2var_ps(part[2], at, part[3]));
        found = _mm512_mask_blend_ps(third, found, _mm512_permutex2var_ps(part[4], at, part[5]));
        _mm512_mask_storeu_ps(out + i, rows, found);
    }
}

REMANENCE_LANE_FN void add_authors(const SideBlock& b, const std::uint32_t* author,
                                   const std::uint8_t* kind, std::uint32_t n, float* out) {
    const __m512i wanted = _mm512_set1_epi32(static_cast<int>(b.wanted_author));
    const __m512 weight = _mm512_set1_ps(b.author_weight);
    const __m512 against = _mm512_set1_ps(-b.author_weight);
    for (std::uint32_t i = 0; i < n; i += 16) {
        const auto rows = static_cast<__mmask16>(n - i < 16 ? (1U << (n - i)) - 1 : 0xFFFFU);
        const __m512i by = _mm512_maskz_loadu_epi32(rows, author + i);
        const __m512i kinds = _mm512_cvtepu8_epi32(_mm_maskz_loadu_epi8(rows, kind + i));
        const auto turn = static_cast<__mmask16>(_mm512_test_epi32_mask(by, by) &
                                                 _mm512_testn_epi32_mask(kinds, kinds));
        const __mmask16 same = _mm512_cmpeq_epi32_mask(by, wanted);
        const __m512 value = _mm512_maskz_mov_ps(turn, _mm512_mask_blend_ps(same, against, weight));
        const __m512 sum = _mm512_add_ps(_mm512_maskz_loadu_ps(rows, out + i), value);
        _mm512_mask_storeu_ps(out + i, rows, sum);
    }
}

void add_held(const WordBits* groups, std::size_t count, float once, float again, float* out,
              Ahead& ahead) {
    const __m512 first = _mm512_set1_ps(once);
    const __m512 more = _mm512_set1_ps(again);
    for (std::size_t g = 0; g < count; ++g) {
        ahead.ask(2);
        for (std::uint32_t i = 0; i < 64; i += 16, out += 16) {
            const auto held = static_cast<__mmask16>(groups[g].held >> i);
            const auto repeated = static_cast<__mmask16>(groups[g].repeated >> i);
            __m512 sum = _mm512_loadu_ps(out);
            sum = _mm512_mask_add_ps(sum, held, sum, first);
            _mm512_storeu_ps(out, _mm512_mask_add_ps(sum, repeated, sum, more));
        }
    }
}

#else

REMANENCE_LANE_FN void look_up_kind(const float* table, std::uint32_t, const std::uint16_t* statics,
                                    std::uint32_t n, float* out) {
    for (std::uint32_t i = 0; i < n; ++i) out[i] = table[statics[i]];
}

REMANENCE_LANE_FN void add_authors(const SideBlock& b, const std::uint32_t* author,
                                   const std::uint8_t* kind, std::uint32_t n, float* out) {
    for (std::uint32_t i = 0; i < n; ++i) {
        const float known = author[i] == 0 || kind[i] != 0 ? 0.0F : -b.author_weight;
        out[i] = out[i] + (author[i] == b.wanted_author && kind[i] == 0 ? b.author_weight : known);
    }
}

void add_held(const WordBits* groups, std::size_t count, float once, float again, float* out,
              Ahead& ahead) {
    for (std::size_t g = 0; g < count; ++g, out += 64) {
        ahead.ask(2);
        std::uint64_t held = groups[g].held;
        for (const std::uint64_t repeated = groups[g].repeated; held != 0; held &= held - 1) {
            const int i = __builtin_ctzll(held);
            out[i] = out[i] + ((repeated >> i & 1U) != 0 ? once + again : once);
        }
    }
}

#endif

/// Columns two strips ahead: their pages are too short for the processor to foresee.
template <class T>
REMANENCE_LANE_FN void ask_ahead(const T* column) {
    if (column == nullptr) return;
    const char* const at = reinterpret_cast<const char*>(column + 128);
    for (std::size_t line = 0; line < 64 * sizeof(T); line += 64) __builtin_prefetch(at + line);
}

/// What the table says of n rows.
REMANENCE_LANE_FN void look_up_statics(const SideBlock& b, const std::uint16_t* statics,
                                       std::uint32_t n, float* __restrict out) {
    unsigned others = 0;
    for (std::uint32_t i = 0; i < n; ++i) others |= static_cast<unsigned>(statics[i] ^ statics[0]);
    if (others == 0) {
        const float same = b.table[statics[0]];
        for (std::uint32_t i = 0; i < n; ++i) out[i] = same;
    } else if (b.one_kind < kind_count) {
        look_up_kind(b.table, kind_entries * b.one_kind, statics, n, out);
    } else {
        for (std::uint32_t i = 0; i < n; ++i) out[i] = b.table[statics[i]];
    }
}

/// Side terms of the n rows, at most 64, from the first on.
REMANENCE_LANE_FN void side_strip(const SideBlock& b, std::uint32_t first, std::uint32_t n,
                                  float* __restrict out) {
    const std::uint8_t* const kind = b.kind + first;
    if (b.steps != nullptr) {
        const std::uint16_t* const steps = b.steps + first;
        for (std::uint32_t i = 0; i < n; ++i) {
            out[i] = b.least + b.step * static_cast<float>(steps[i]);
        }
    } else {
        look_up_statics(b, b.statics + first, n, out);
    }
    if (b.lexical != nullptr) {
        for (std::uint32_t i = 0; i < n; ++i) {
            out[i] = out[i] + b.lexical[first + i] * b.lexical_weight[kind[i]];
        }
    }
    if (b.author != nullptr) add_authors(b, b.author + first, kind, n, out);
    const auto add = [&](const float* values) {
        if (values == nullptr) return;
        for (std::uint32_t i = 0; i < n; ++i) out[i] = out[i] + values[first + i];
    };
    const auto add_weighted = [&](const float* values, float weight) {
        if (values == nullptr) return;
        for (std::uint32_t i = 0; i < n; ++i) out[i] = out[i] + values[first + i] * weight;
    };
    add(b.date);
    add(b.lift);
    add_weighted(b.activation, b.activation_weight);
    add(b.usefulness);
    add_weighted(b.importance, b.importance_weight);
    add(b.log_belief);
}

void side(const SideBlock& b, float* out) {
    for (std::uint32_t first = 0; first < b.count; first += 64) {
        if (b.mask != nullptr && b.mask[first / 64] == 0) continue;
        if (b.steps != nullptr) {
            ask_ahead(b.steps + first);
        } else {
            ask_ahead(b.statics + first);
        }
        if (b.author != nullptr) ask_ahead(b.author + first);
        if (b.activation != nullptr) ask_ahead(b.activation + first);
        if (b.importance != nullptr) ask_ahead(b.importance + first);
        if (b.ahead != nullptr) b.ahead->ask(8);
        side_strip(b, first, b.count - first < 64 ? b.count - first : 64, out + first);
    }
}
