// Bounds for many questions at once: signs of 64 rows as bytes, times the rounded questions, in
// tiles of 16 x 64 bytes.

#if defined(__AMX_INT8__)
/// The shape of all eight tiles: 16 rows of 64 bytes.
struct TileShape {
    std::uint8_t palette = 1;
    std::uint8_t start = 0;
    std::uint8_t reserved[14] = {};
    std::uint16_t row_bytes[16] = {64, 64, 64, 64, 64, 64, 64, 64};
    std::uint8_t rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
};

constexpr std::size_t tile_questions = 32;

/// Signs of 64 rows as bytes +1 and -1: [4 tiles of rows][stride / 4][16 rows][4 dimensions].
REMANENCE_LANE_FN void spread_signs(const std::uint8_t* codes, std::size_t bytes,
                                    std::size_t stride, std::int8_t* out) {
    alignas(64) std::int8_t patterns[64];
    for (int n = 0; n < 16; ++n) {
        for (int b = 0; b < 4; ++b) {
            patterns[4 * n + b] = static_cast<std::int8_t>((n >> b & 1) != 0 ? 1 : -1);
        }
    }
    const __m512i pattern = _mm512_load_si512(patterns);
    for (std::size_t c = 0; c < bytes; ++c) {
        for (std::size_t tile = 0; tile < 4; ++tile) {
            const __m512i byte = _mm512_cvtepu8_epi32(
                _mm_loadu_si128(reinterpret_cast<const __m128i*>(codes + c * 64 + tile * 16)));
            std::int8_t* const at = out + (tile * (stride / 4) + 2 * c) * 64;
            _mm512_storeu_si512(at, _mm512_permutexvar_epi32(byte, pattern));
            _mm512_storeu_si512(at + 64,
                                _mm512_permutexvar_epi32(_mm512_srli_epi32(byte, 4), pattern));
        }
    }
}

/// <rounded, s> of 32 questions and 32 rows: [question][row].
REMANENCE_LANE_FN void multiply_tiles(const std::int8_t* rounded, const std::int8_t* signs,
                                      std::size_t stride, std::int32_t* out) {
    _tile_zero(0);
    _tile_zero(1);
    _tile_zero(2);
    _tile_zero(3);
    for (std::size_t k = 0; k < stride; k += 64) {
        _tile_loadd(4, rounded + k * 16, 64);
        _tile_loadd(5, rounded + (stride + k) * 16, 64);
        _tile_loadd(6, signs + k * 16, 64);
        _tile_loadd(7, signs + (stride + k) * 16, 64);
        _tile_dpbssd(0, 4, 6);
        _tile_dpbssd(1, 4, 7);
        _tile_dpbssd(2, 5, 6);
        _tile_dpbssd(3, 5, 7);
    }
    _tile_stored(0, out, 128);
    _tile_stored(1, out + 16, 128);
    _tile_stored(2, out + 16 * 32, 128);
    _tile_stored(3, out + 16 * 32 + 16, 128);
}

REMANENCE_LANE_FN bool any_asked(const CodeQuestions& questions, std::size_t first) {
    for (std::size_t k = first; k < first + tile_questions && k < questions.count; ++k) {
        if (questions.each[k].out != nullptr) return true;
    }
    return false;
}

/// Bounds of 32 rows, from `row` of the block on, for the 32 questions from the k-th on.
REMANENCE_LANE_FN void bound_tiles(const CodeQuestions& questions, std::size_t k,
                                   const std::int32_t* products, const std::uint32_t* factors,
                                   std::uint32_t row) {
    float scale[32];
    float error[32];
    unpack_factors<32>(factors, scale, error);
    for (std::size_t j = 0; j < tile_questions && k + j < questions.count; ++j) {
        const CodeQuestion& q = questions.each[k + j];
        if (q.out == nullptr) continue;
        float along[32];
        for (std::size_t i = 0; i < 32; ++i) along[i] = static_cast<float>(products[j * 32 + i]);
        bound_rows<32>(q, q.unit, q.rest, along, scale, error, row);
        if (row % 64 != 0) keep_above(q.out + row - 32, q.bar, 64, q.mask + row / 64);
    }
}

void matrix_bounds(const CodeBlock& b, const CodeQuestions& questions) {
    const std::size_t stride = questions.stride;
    alignas(64) std::int32_t products[tile_questions * 32];
    const TileShape shape;
    _tile_loadconfig(&shape);
    for (std::uint32_t first = 0; first < b.count; first += matrix_rows) {
        for (std::uint32_t row = 0; row < matrix_rows; row += 64) {
            std::int8_t* const signs = questions.signs + row * stride;
            const std::size_t later = b.bytes - b.early_bytes;
            spread_signs(b.early_codes + (first + row) * b.early_bytes, b.early_bytes, stride,
                         signs);
            spread_signs(b.later_codes + (first + row) * later, later, stride,
                         signs + 128 * b.early_bytes);
        }
        // The questions' tiles stay in the first cache while the rows' stream by from the second.
        for (std::size_t k = 0; k < questions.count; k += tile_questions) {
            if (!any_asked(questions, k)) continue;
            for (std::uint32_t row = 0; row < matrix_rows; row += 32) {
                multiply_tiles(questions.rounded + k * stride, questions.signs + row * stride,
                               stride, products);
                bound_tiles(questions, k, products, b.factors + first + row, first + row);
            }
        }
    }
    _tile_release();
}

#else
constexpr auto matrix_bounds = &bounds;
#endif
