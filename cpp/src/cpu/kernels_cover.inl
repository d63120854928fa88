// Bounds of products of a few rows with many whose heads lie side by side. Included by kernels.inl.
//
// Only that they are bounds counts, so their sums need no order that all instruction sets share.

template <int n>
REMANENCE_LANE_FN void head_rows(const HeadTile& tile, const float* const* rows, const float* tails,
                                 float* out) {
    for (std::size_t g = 0; g < tile.groups; ++g) {
        Sums sum[n];
        for (int r = 0; r < n; ++r) sum[r] = tails[r] * load<Sums>(tile.tails + 16 * g);
        const float* head = tile.heads + 16 * g * tile.dims;
        for (std::size_t d = 0; d < tile.dims; ++d, head += 16) {
            const Sums x = load<Sums>(head);
            for (int r = 0; r < n; ++r) sum[r] = sum[r] + rows[r][d] * x;
        }
        for (int r = 0; r < n; ++r) {
            store(out + static_cast<std::size_t>(r) * head_tile + 16 * g, sum[r]);
        }
    }
}

void head_bounds(const HeadTile& tile, const float* const* rows, const float* tails,
                 std::size_t count, float* out) {
    std::size_t r = 0;
    for (; r + 4 <= count; r += 4) head_rows<4>(tile, rows + r, tails + r, out + r * head_tile);
    for (; r < count; ++r) head_rows<1>(tile, rows + r, tails + r, out + r * head_tile);
}
