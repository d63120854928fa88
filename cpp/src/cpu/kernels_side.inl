// The side terms of a block of rows, in the order of `Term`.

#if defined(__AVX512BW__)

constexpr std::uint32_t kind_entries = 4 * static_lengths;  // of the table, for one kind

REMANENCE_LANE_FN std::uint32_t least(std::uint32_t a, std::uint32_t b) { return a < b ? a : b; }

/// Entries of a table for rows of one kind: six registers hold all that such rows can name, so
/// nothing is gathered from memory.
void look_up_kind(const SideBlock& b, float* out) {
    static_assert(kind_entries > 80 && kind_entries < 96);
    const std::uint32_t first = kind_entries * b.one_kind;
    const float* const table = b.table + first;
    __m512 part[6];
    for (int i = 0; i < 5; ++i) part[i] = _mm512_loadu_ps(table + 16 * i);
    part[5] = _mm512_maskz_loadu_ps((1U << (kind_entries - 80)) - 1, table + 80);
    const __m512i start = _mm512_set1_epi32(static_cast<int>(first));
    for (std::uint32_t i = 0; i < b.count; i += 16) {
        const auto rows = static_cast<__mmask16>((1U << least(16, b.count - i)) - 1);
        const __m256i stored = _mm256_maskz_loadu_epi16(rows, b.statics + i);
        const __m512i at = _mm512_sub_epi32(_mm512_cvtepu16_epi32(stored), start);
        const __mmask16 second = _mm512_test_epi32_mask(at, _mm512_set1_epi32(32));
        const __mmask16 third = _mm512_test_epi32_mask(at, _mm512_set1_epi32(64));
        __m512 found = _mm512_permutex2var_ps(part[0], at, part[1]);
        found = _mm512_mask_blend_ps(second, found, _mm512_permutex2var_ps(part[2], at, part[3]));
        found = _mm512_mask_blend_ps(third, found, _mm512_permutex2var_ps(part[4], at, part[5]));
        _mm512_mask_storeu_ps(out + i, rows, found);
    }
}

void add_authors(const SideBlock& b, float* out) {
    const __m512i wanted = _mm512_set1_epi32(static_cast<int>(b.wanted_author));
    const __m512 weight = _mm512_set1_ps(b.author_weight);
    const __m512 against = _mm512_set1_ps(-b.author_weight);
    for (std::uint32_t i = 0; i < b.count; i += 16) {
        const auto rows = static_cast<__mmask16>((1U << least(16, b.count - i)) - 1);
        const __m512i author = _mm512_maskz_loadu_epi32(rows, b.author + i);
        const __m128i kind = _mm_maskz_loadu_epi8(rows, b.kind + i);
        __mmask16 turn = _mm512_test_epi32_mask(author, author);
        turn &= _mm512_testn_epi32_mask(_mm512_cvtepu8_epi32(kind), _mm512_set1_epi32(-1));
        const __mmask16 same = _mm512_cmpeq_epi32_mask(author, wanted);
        const __m512 value = _mm512_maskz_mov_ps(turn, _mm512_mask_blend_ps(same, against, weight));
        const __m512 sum = _mm512_add_ps(_mm512_maskz_loadu_ps(rows, out + i), value);
        _mm512_mask_storeu_ps(out + i, rows, sum);
    }
}

void add_held(const WordBits* groups, std::size_t count, float once, float again, float* out) {
    const __m512 first = _mm512_set1_ps(once);
    const __m512 more = _mm512_set1_ps(again);
    for (std::size_t g = 0; g < count; ++g) {
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

void add_held(const WordBits* groups, std::size_t count, float once, float again, float* out) {
    for (std::size_t g = 0; g < count; ++g, out += 64) {
        std::uint64_t held = groups[g].held;
        for (std::uint64_t repeated = groups[g].repeated; held != 0; held &= held - 1) {
            const int i = __builtin_ctzll(held);
            out[i] = out[i] + ((repeated >> i & 1U) != 0 ? once + again : once);
        }
    }
}

void look_up_kind(const SideBlock& b, float* out) {
    for (std::uint32_t i = 0; i < b.count; ++i) out[i] = b.table[b.statics[i]];
}

void add_authors(const SideBlock& b, float* out) {
    for (std::uint32_t i = 0; i < b.count; ++i) {
        const float known = b.author[i] == 0 || b.kind[i] != 0 ? 0.0F : -b.author_weight;
        out[i] =
            out[i] + (b.author[i] == b.wanted_author && b.kind[i] == 0 ? b.author_weight : known);
    }
}

#endif

/// All terms of the rows of a block, or of a part of one.
void side_rows(const SideBlock& b, float* out) {
    const std::uint32_t n = b.count;
    if (b.one_kind < kind_count) {
        look_up_kind(b, out);
    } else {
        for (std::uint32_t i = 0; i < n; ++i) out[i] = b.table[b.statics[i]];
    }
    if (b.lexical != nullptr) {
        for (std::uint32_t i = 0; i < n; ++i) {
            out[i] = out[i] + b.lexical[i] * b.lexical_weight[b.kind[i]];
        }
    }
    if (b.author != nullptr) add_authors(b, out);
    if (b.date != nullptr) {
        for (std::uint32_t i = 0; i < n; ++i) out[i] = out[i] + b.date[i];
    }
    if (b.lift != nullptr) {
        for (std::uint32_t i = 0; i < n; ++i) out[i] = out[i] + b.lift[i];
    }
    if (b.activation != nullptr) {
        for (std::uint32_t i = 0; i < n; ++i) {
            out[i] = out[i] + b.activation[i] * b.activation_weight;
        }
    }
    if (b.usefulness != nullptr) {
        for (std::uint32_t i = 0; i < n; ++i) out[i] = out[i] + b.usefulness[i];
    }
    if (b.importance != nullptr) {
        for (std::uint32_t i = 0; i < n; ++i) {
            out[i] = out[i] + b.importance[i] * b.importance_weight;
        }
    }
    if (b.log_belief != nullptr) {
        for (std::uint32_t i = 0; i < n; ++i) out[i] = out[i] + b.log_belief[i];
    }
}

/// The part of a block from a row on.
REMANENCE_LANE_FN SideBlock part_of(SideBlock b, std::uint32_t first, std::uint32_t count) {
    const auto move = [&](auto*& column) {
        if (column != nullptr) column += first;
    };
    b.count = count;
    move(b.statics);
    move(b.lexical);
    move(b.kind);
    move(b.author);
    move(b.date);
    move(b.lift);
    move(b.activation);
    move(b.usefulness);
    move(b.importance);
    move(b.log_belief);
    return b;
}

void side(const SideBlock& b, float* out) {
    for (std::uint32_t first = 0; first < b.count; first += 64) {
        if (b.mask != nullptr && b.mask[first / 64] == 0) continue;
        const SideBlock part = part_of(b, first, b.count - first < 64 ? b.count - first : 64);
        ask_ahead(part.statics);
        ask_ahead(part.activation);
        ask_ahead(part.importance);
        side_rows(part, out + first);
    }
}
