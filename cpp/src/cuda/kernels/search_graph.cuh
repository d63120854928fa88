// Searches over a whole graph, level by level: hops, best values, components.
//
// What several threads write to one place is a least, a greatest or the same for all, so no order
// shows.
#pragma once

#include <cstring>

#include "cuda/kernels/graph.cuh"

namespace remanence::cuda {

__device__ inline double value_of(Key bits) {
    double value = 0.0;
    std::memcpy(&value, &bits, sizeof value);
    return value;
}
/// Values are not negative, so they are ordered like their bits.
__device__ inline Key bits_of(double value) {
    Key bits = 0;
    std::memcpy(&bits, &value, sizeof bits);
    return bits;
}

inline constexpr Key infinite = 0x7FF0'0000'0000'0000U;

template <PathBy by>
__device__ double extend(const GraphColumns& g, const double* lengths, double value,
                         const ArcPlace& a) {
    if constexpr (by == PathBy::hops) return value + 1.0;
    if constexpr (by == PathBy::weight) return value * weight_of(g, a);
    return value + (lengths != nullptr ? lengths[edge_of(g, a)] : weight_of(g, a));
}

template <PathBy by>
__global__ void __launch_bounds__(graph_threads)
    advance(GraphColumns g, Measure measure, Level level, std::uint32_t hop, std::uint32_t* hops,
            std::uint32_t* edge) {
    REMANENCE_SHARED(std::uint32_t, wide, most_wide + 1);
    if (threadIdx.x == 0) wide[most_wide] = 0;
    __syncthreads();
    walk_rows(
        g, first_warp(), all_warps(), level.count, [&](std::size_t i) { return level.ranks[i]; },
        wide,
        [&](std::uint32_t rank, std::uint32_t to, const ArcPlace& a) {
            const std::uint32_t now = load_now(hops + to);
            if (now != no_hop && now != hop) return;
            if constexpr (by != PathBy::hops) {
                const Key value =
                    bits_of(extend<by>(g, measure.lengths, value_of(measure.best[rank]), a));
                if (value != measure.best[to] || (by == PathBy::weight && value == 0)) return;
            }
            if (now == no_hop && atomicCAS(hops + to, no_hop, hop) == no_hop) push_rank(level, to);
            if (edge != nullptr) atomicMin(edge + to, edge_of(g, a));
        });
}

template <PathBy by>
__global__ void __launch_bounds__(graph_threads)
    relax(GraphColumns g, Measure measure, Level level, std::uint32_t round, Key* best,
          std::uint32_t* listed) {
    REMANENCE_SHARED(std::uint32_t, wide, most_wide + 1);
    if (threadIdx.x == 0) wide[most_wide] = 0;
    __syncthreads();
    walk_rows(
        g, first_warp(), all_warps(), level.count, [&](std::size_t i) { return level.ranks[i]; },
        wide,
        [&](std::uint32_t rank, std::uint32_t to, const ArcPlace& a) {
            const Key mine =
                bits_of(extend<by>(g, measure.lengths, value_of(load_now(best + rank)), a));
            if (by == PathBy::length && mine >= infinite) return;
            const Key old =
                by == PathBy::weight ? atomicMax(best + to, mine) : atomicMin(best + to, mine);
            const bool better = by == PathBy::weight ? mine > old : mine < old;
            if (better && atomicMax(listed + to, round) < round) push_rank(level, to);
        });
}

/// Hangs the root of one under the root of the other, the greater under the smaller. A parent only
/// ever falls, so this ends. Source: Jaiganesh & Burtscher 2018.
__device__ inline void link_roots(std::uint32_t* parent, std::uint32_t a, std::uint32_t b) {
    while (a != b) {
        const std::uint32_t high = a > b ? a : b;
        const std::uint32_t low = a > b ? b : a;
        const std::uint32_t old = atomicCAS(parent + high, high, low);
        if (old == high) return;
        a = old;
        b = low;
    }
}

__global__ void __launch_bounds__(graph_threads)
    start_forest(std::uint32_t ranks, std::uint32_t* parent) {
    for (std::uint32_t r = blockIdx.x * graph_threads + threadIdx.x; r < ranks;
         r += gridDim.x * graph_threads) {
        parent[r] = r;
    }
}

__device__ inline std::uint32_t root_of(const std::uint32_t* parent, std::uint32_t r) {
    for (std::uint32_t up = load_now(parent + r); up != r; up = load_now(parent + r)) r = up;
    return r;
}

__global__ void __launch_bounds__(graph_threads)
    link_ranks(GraphColumns g, const std::uint32_t* label, std::uint32_t* parent) {
    REMANENCE_SHARED(std::uint32_t, wide, most_wide + 1);
    if (threadIdx.x == 0) wide[most_wide] = 0;
    __syncthreads();
    walk_rows(
        g, first_warp(), all_warps(), g.ranks,
        [&](std::size_t i) { return static_cast<std::uint32_t>(i); }, wide,
        [&](std::uint32_t rank, std::uint32_t to, const ArcPlace&) {
            if (g.allow != nullptr && g.allow[rank] == 0) return;
            if (label != nullptr && label[rank] != label[to]) return;
            link_roots(parent, root_of(parent, rank), root_of(parent, to));
        });
}

/// The least node under each root.
__global__ void __launch_bounds__(graph_threads)
    least_nodes(GraphColumns g, const std::uint32_t* parent, std::uint32_t* least) {
    for (std::uint32_t r = blockIdx.x * graph_threads + threadIdx.x; r < g.ranks;
         r += gridDim.x * graph_threads) {
        atomicMin(least + root_of(parent, r), node_at(g, r));
    }
}

/// Everybody's least node, over what was its parent: no root is looked up any more.
__global__ void __launch_bounds__(graph_threads)
    label_ranks(std::uint32_t ranks, const std::uint32_t* parent, std::uint32_t* least) {
    for (std::uint32_t r = blockIdx.x * graph_threads + threadIdx.x; r < ranks;
         r += gridDim.x * graph_threads) {
        const std::uint32_t root = root_of(parent, r);
        if (root != r) least[r] = least[root];
    }
}

}  // namespace remanence::cuda
