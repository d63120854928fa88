// The arcs that pass a filter as plain rows, in the order of the processor's.
#pragma once

#include "cuda/kernels/graph.cuh"

namespace remanence::cuda {

inline constexpr unsigned sum_threads = 1024;

/// A warp for each rank: without `to` it counts the arcs into offset[rank + 1], with it it writes
/// them from offset[rank] on. Out arcs and then in arcs, of each the base's before the log's.
__global__ void __launch_bounds__(graph_threads)
    project_rows(GraphColumns g, std::uint32_t* offset, std::uint32_t* to, float* weight) {
    const unsigned lane = threadIdx.x % 32;
    const bool write = to != nullptr;
    for (std::size_t r = first_warp(); r < g.ranks; r += all_warps()) {
        const auto rank = static_cast<std::uint32_t>(r);
        std::uint32_t put = write ? offset[rank] : 0;
        const bool allowed = g.allow == nullptr || g.allow[rank] != 0;
        for (unsigned side = 0; allowed && side < 2; ++side) {
            const Span row = base_side(g, rank, side);
            for (std::size_t a = row.first; a < row.end; a += 32) {
                const bool ok = a + lane < row.end && passes(g, a + lane);
                const unsigned votes = __ballot_sync(all_lanes, ok);
                if (write && ok) {
                    const auto at =
                        put + static_cast<std::uint32_t>(__popc(votes & ((1U << lane) - 1U)));
                    to[at] = g.to[a + lane];
                    weight[at] = g.weight != nullptr ? g.weight[a + lane] : g.one;
                }
                put += static_cast<std::uint32_t>(__popc(votes));
            }
            each_logged(g, rank, side, [&](std::uint32_t place, std::uint32_t other) {
                if (write && lane == 0) {
                    to[put] = other;
                    weight[put] = g.log[place].weight;
                }
                ++put;
            });
        }
        if (!write && lane == 0) offset[r + 1] = put;
    }
}

/// Counts to offsets, in place, by one block.
__global__ void __launch_bounds__(sum_threads)
    sum_offsets(std::uint32_t* offset, std::uint32_t ranks) {
    REMANENCE_SHARED(std::uint32_t, sums, sum_threads / 32);
    const unsigned lane = threadIdx.x % 32;
    std::uint32_t before = 0;
    if (threadIdx.x == 0) offset[0] = 0;
    for (std::size_t first = 0; first < ranks; first += sum_threads) {
        const std::size_t r = first + threadIdx.x;
        std::uint32_t sum = r < ranks ? offset[r + 1] : 0;
        for (unsigned width = 1; width < 32; width *= 2) {
            const std::uint32_t other = __shfl_sync(all_lanes, sum, lane - width);
            if (lane >= width) sum += other;
        }
        if (lane == 31) sums[threadIdx.x / 32] = sum;
        __syncthreads();
        for (unsigned i = 0; i < threadIdx.x / 32; ++i) sum += sums[i];
        if (r < ranks) offset[r + 1] = before + sum;
        for (unsigned i = 0; i < sum_threads / 32; ++i) before += sums[i];
        __syncthreads();
    }
}

}  // namespace remanence::cuda
