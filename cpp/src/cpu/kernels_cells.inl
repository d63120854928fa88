// Which cell is nearest to a row, and what a row's cell says of its score.

void nearest(const std::uint8_t* codes, std::size_t bytes, std::uint32_t count,
             const std::uint8_t* tables, const std::uint16_t* bias, std::uint32_t cells,
             std::uint16_t* best) {
    constexpr std::uint32_t most = 1024;
    alignas(64) std::uint16_t sums[64];
    alignas(64) std::uint16_t greatest[most];
    for (std::uint32_t from = 0; from < count; from += most) {
        const std::uint32_t rows = count - from < most ? count - from : most;
        for (std::uint32_t i = 0; i < rows; ++i) greatest[i] = best[from + i] = 0;
        // A table serves all rows while it is in the first cache.
        for (std::uint32_t k = 0; k < cells; ++k) {
            const std::uint8_t* const table = tables + k * (bytes / 3 * 256);
            for (std::uint32_t i = 0; i < rows; i += 64) {
                sum_codes(codes + (from + i) * bytes, table, bytes, sums);
                std::uint16_t* const high = greatest + i;
                std::uint16_t* const cell = best + from + i;
                for (std::uint32_t j = 0; j < 64; ++j) {
                    const auto sum = static_cast<std::uint16_t>(sums[j] + bias[k]);
                    const bool more = sum > high[j];
                    high[j] = more ? sum : high[j];
                    cell[j] = more ? static_cast<std::uint16_t>(k) : cell[j];
                }
            }
        }
    }
}

void keep_reaching(const CellBlock& b, float bar, std::uint64_t* mask, float* out) {
    float bound[64];
    for (std::uint32_t first = 0; first < b.count; first += 64) {
        if (mask[first / 64] == 0) continue;
        const std::uint16_t* __restrict const cell = b.cell + first;
        const std::uint8_t* __restrict const reach = b.reach + first;
        const float* __restrict const side = b.side + first;
        float* __restrict const to = out + first;
        __builtin_prefetch(cell + 256);
        __builtin_prefetch(cell + 288);
        __builtin_prefetch(reach + 256);
        unsigned others = 0;
        for (std::uint32_t i = 0; i < 64; ++i) others |= static_cast<unsigned>(cell[i] ^ cell[0]);
        if (others == 0) {
            const float along = b.along[cell[0]];
            for (std::uint32_t i = 0; i < 64; ++i) to[i] = side[i] + along;
        } else {
            for (std::uint32_t i = 0; i < 64; ++i) to[i] = side[i] + b.along[cell[i]];
        }
        for (std::uint32_t i = 0; i < 64; ++i) {
            bound[i] = to[i] + static_cast<float>(reach[i]) * b.per_reach;
        }
        keep_above(bound, bar, 64, mask + first / 64);
    }
}
