// Nodes within a few hops of many questions: one block for each, from its seeds to its answer.
#pragma once

#include "cuda/kernels/graph.cuh"

namespace remanence::cuda {

inline constexpr unsigned few_nodes = 512;  // of one hop: put in order in shared memory

/// One block's question on its way.
struct HopWalk {
    std::uint32_t *seen, *fresh, *found;
    std::uint32_t* few;    ///< shared: the first nodes of this hop
    std::uint32_t* count;  ///< shared: nodes of this hop
};

__device__ inline void discover(const GraphColumns& g, const HopWalk& w, std::uint32_t rank) {
    const std::uint32_t node = node_at(g, rank);
    const std::uint32_t bit = 1U << (node % 32);
    if ((atomicOr(w.seen + node / 32, bit) & bit) != 0) return;
    const std::uint32_t at = atomicAdd(w.count, 1U);
    if (at < few_nodes) w.few[at] = node;
    atomicOr(w.fresh + node / 32, bit);
}

/// The sum of what the threads before this one gave; `sums` is shared, [graph_warps], and ends
/// with the sum of all.
__device__ inline std::uint32_t sum_before(std::uint32_t given, std::uint32_t* sums) {
    const unsigned lane = threadIdx.x % 32;
    const unsigned warp = threadIdx.x / 32;
    std::uint32_t sum = given;
    for (unsigned width = 1; width < 32; width *= 2) {
        const std::uint32_t other = __shfl_sync(all_lanes, sum, lane - width);
        if (lane >= width) sum += other;
    }
    if (lane == 31) sums[warp] = sum;
    __syncthreads();
    if (threadIdx.x == 0) {
        for (unsigned i = 1; i < graph_warps; ++i) sums[i] += sums[i - 1];
    }
    __syncthreads();
    return (warp > 0 ? sums[warp - 1] : 0) + sum - given;
}

/// The nodes of this hop in order, behind those found before; leaves no bit in `fresh`.
__device__ inline void put_in_order(const HopWalk& w, std::uint32_t words, std::uint32_t total,
                                    std::uint32_t n, std::uint32_t* sums) {
    if (n <= few_nodes) {
        for (std::uint32_t i = threadIdx.x; i < n; i += graph_threads) {
            const std::uint32_t node = w.few[i];
            std::uint32_t before = 0;
            for (std::uint32_t j = 0; j < n; ++j) before += w.few[j] < node ? 1 : 0;
            w.found[total + before] = node;
            atomicAnd(w.fresh + node / 32, 0U);
        }
        __syncthreads();
        return;
    }
    for (std::uint32_t first = 0; first < words; first += graph_threads) {
        const std::uint32_t word = first + threadIdx.x;
        std::uint32_t bits = word < words ? w.fresh[word] : 0;
        std::uint32_t at = total + sum_before(static_cast<std::uint32_t>(__popc(bits)), sums);
        if (bits != 0) w.fresh[word] = 0;
        for (; bits != 0; bits &= bits - 1) {
            w.found[at++] = word * 32 + static_cast<std::uint32_t>(__ffs(bits) - 1);
        }
        total += sums[graph_warps - 1];
        __syncthreads();
    }
}

__global__ void __launch_bounds__(graph_threads)
    khop_blocks(GraphColumns g, HopQuestions q, HopRoom room) {
    REMANENCE_SHARED(std::uint32_t, wide, most_wide + 1);
    REMANENCE_SHARED(std::uint32_t, few, few_nodes);
    REMANENCE_SHARED(std::uint32_t, count, 1);
    REMANENCE_SHARED(std::uint32_t, sums, graph_warps);
    const std::size_t block = blockIdx.x;
    const HopWalk w{room.seen + block * room.words, room.fresh + block * room.words,
                    room.found + block * g.ranks, few, count};
    if (threadIdx.x == 0) {
        count[0] = 0;
        wide[most_wide] = 0;
    }
    __syncthreads();
    for (std::uint32_t i = q.start[block] + threadIdx.x; i < q.start[block + 1];
         i += graph_threads) {
        discover(g, w, q.seeds[i]);
    }
    std::uint32_t first = 0;
    std::uint32_t total = 0;
    for (std::uint32_t hop = 0; hop <= room.hops; ++hop) {
        __syncthreads();
        const std::uint32_t n = count[0];
        put_in_order(w, room.words, total, n, sums);
        first = total;
        total += n;
        __syncthreads();
        if (threadIdx.x == 0) {
            count[0] = 0;
            room.ends[block * (room.hops + 1) + hop] = total;
        }
        __syncthreads();
        if (n == 0 || hop == room.hops || total >= q.limit) continue;
        walk_rows(
            g, threadIdx.x / 32, graph_warps, n,
            [&](std::size_t i) {
                const std::uint32_t node = w.found[first + i];
                return node < g.base_nodes ? g.rank_of[node] : node;
            },
            wide, [&](std::uint32_t, std::uint32_t to, const ArcPlace&) { discover(g, w, to); });
    }
    for (std::uint32_t i = threadIdx.x; i < total; i += graph_threads) {
        atomicAnd(w.seen + w.found[i] / 32, 0U);
    }
}

__global__ void __launch_bounds__(graph_threads)
    gather_found(HopRoom room, std::uint32_t ranks, const std::uint32_t* place,
                 std::uint32_t* out) {
    const std::size_t block = blockIdx.x;
    const std::uint32_t first = place[block];
    const std::uint32_t n = place[block + 1] - first;
    for (std::uint32_t i = threadIdx.x; i < n; i += graph_threads) {
        out[first + i] = room.found[block * ranks + i];
    }
}

}  // namespace remanence::cuda
