// Best ways from one rank to another, of many detours side by side: a slot is a detour and a rank.
//
// As in the other searches, only least and greatest values are written to what several threads
// share. What is worse than a way already found to the target is not followed.
#pragma once

#include "cuda/kernels/search_graph.cuh"

namespace remanence::cuda {

/// Detour d's slots begin at d * ranks.
struct SlotAt {
    std::uint32_t detour, rank;
};
__device__ inline SlotAt slot_at(const GraphColumns& g, std::uint32_t slot) {
    return {slot / g.ranks, slot % g.ranks};
}

/// Whether a detour may step from one rank to another by an edge.
__device__ inline bool may_step(const BetweenColumns& b, std::uint32_t detour, std::uint32_t from,
                                std::uint32_t to, const GraphColumns& g, const ArcPlace& a) {
    const std::uint32_t source = b.from[detour];
    if (to == source || b.place[to] < b.first_detour + detour) return false;
    if (from != source) return true;
    const std::uint32_t edge = edge_of(g, a);
    std::uint32_t low = b.cut[detour];
    for (std::uint32_t high = b.cut[detour + 1]; low < high;) {
        const std::uint32_t middle = low + (high - low) / 2;
        if (b.banned[middle] < edge) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low == b.cut[detour + 1] || b.banned[low] != edge;
}

template <PathBy by>
__device__ bool is_better(Key a, Key b) {
    return by == PathBy::weight ? a > b : a < b;
}

__global__ void __launch_bounds__(graph_threads)
    start_between(std::uint32_t ranks, BetweenColumns b, std::uint32_t detours, const Key* value) {
    const std::uint32_t d = blockIdx.x * graph_threads + threadIdx.x;
    if (d < detours) b.best[std::size_t{d} * ranks + b.from[d]] = value[d];
}

/// Betters values along the arcs of the list; whose value got better is in the next one, once.
template <PathBy by>
__global__ void __launch_bounds__(graph_threads)
    relax_between(GraphColumns g, BetweenColumns b, Level level, std::uint32_t round) {
    REMANENCE_SHARED(std::uint32_t, wide, most_wide + 1);
    if (threadIdx.x == 0) wide[most_wide] = 0;
    __syncthreads();
    walk_items(
        g, first_warp(), all_warps(), level.count, [&](std::size_t i) { return level.ranks[i]; },
        [&](std::uint32_t slot) { return slot % g.ranks; }, wide,
        [&](std::uint32_t slot, std::uint32_t to, const ArcPlace& a) {
            const SlotAt at = slot_at(g, slot);
            if (at.rank == b.target || !may_step(b, at.detour, at.rank, to, g, a)) return;
            const std::uint32_t there = slot - at.rank + to;
            const Key mine =
                bits_of(extend<by>(g, b.lengths, value_of(load_now(b.best + slot)), a));
            if (by != PathBy::weight && mine >= infinite) return;
            if (is_better<by>(load_now(b.best + (slot - at.rank + b.target)), mine)) return;
            const Key old = by == PathBy::weight ? atomicMax(b.best + there, mine)
                                                 : atomicMin(b.best + there, mine);
            if (is_better<by>(mine, old) && atomicMax(b.listed + there, round) < round) {
                push_rank(level, there);
            }
        });
}

/// Whether an arc lies on a best way from its first rank to its second.
template <PathBy by>
__device__ bool is_tight(const GraphColumns& g, const BetweenColumns& b, std::uint32_t slot,
                         std::uint32_t there, const ArcPlace& a) {
    const Key value = bits_of(extend<by>(g, b.lengths, value_of(b.best[slot]), a));
    return value == b.best[there] && (by != PathBy::weight || value != 0);
}

/// Slots without a hop that a tight arc leads to get `hop`, until the target has one.
template <PathBy by>
__global__ void __launch_bounds__(graph_threads)
    advance_between(GraphColumns g, BetweenColumns b, Level level, std::uint32_t hop) {
    REMANENCE_SHARED(std::uint32_t, wide, most_wide + 1);
    if (threadIdx.x == 0) wide[most_wide] = 0;
    __syncthreads();
    walk_items(
        g, first_warp(), all_warps(), level.count, [&](std::size_t i) { return level.ranks[i]; },
        [&](std::uint32_t slot) { return slot % g.ranks; }, wide,
        [&](std::uint32_t slot, std::uint32_t to, const ArcPlace& a) {
            const SlotAt at = slot_at(g, slot);
            const std::uint32_t there = slot - at.rank + to;
            if (load_now(b.hops + there) != no_hop) return;
            if (load_now(b.hops + (slot - at.rank + b.target)) < hop) return;
            if (!may_step(b, at.detour, at.rank, to, g, a)) return;
            if (!is_tight<by>(g, b, slot, there, a)) return;
            if (atomicCAS(b.hops + there, no_hop, hop) == no_hop) push_rank(level, there);
        });
}

/// From the targets back along the arcs that led there; each rank before them keeps its least edge
/// that leads on. `g` walks the other way than the search did.
template <PathBy by>
__global__ void __launch_bounds__(graph_threads)
    lead_back(GraphColumns g, BetweenColumns b, Level level, std::uint32_t mark) {
    REMANENCE_SHARED(std::uint32_t, wide, most_wide + 1);
    if (threadIdx.x == 0) wide[most_wide] = 0;
    __syncthreads();
    walk_items(
        g, first_warp(), all_warps(), level.count, [&](std::size_t i) { return level.ranks[i]; },
        [&](std::uint32_t slot) { return slot % g.ranks; }, wide,
        [&](std::uint32_t slot, std::uint32_t to, const ArcPlace& a) {
            const SlotAt at = slot_at(g, slot);
            const std::uint32_t there = slot - at.rank + to;  // one hop before this one
            if (b.hops[slot] == 0 || b.hops[there] != b.hops[slot] - 1) return;
            if (!may_step(b, at.detour, to, at.rank, g, a)) return;
            if (!is_tight<by>(g, b, there, slot, a)) return;
            atomicMin(b.step + there, static_cast<Key>(edge_of(g, a)) << 32U | at.rank);
            if (atomicMax(b.listed + there, mark) < mark) push_rank(level, there);
        });
}

/// The values and hops of the targets.
__global__ void __launch_bounds__(graph_threads)
    read_targets(std::uint32_t ranks, BetweenColumns b, std::uint32_t detours, Key* value,
                 std::uint32_t* hops) {
    const std::uint32_t d = blockIdx.x * graph_threads + threadIdx.x;
    if (d >= detours) return;
    value[d] = b.best[std::size_t{d} * ranks + b.target];
    hops[d] = b.hops[std::size_t{d} * ranks + b.target];
}

/// The steps of each way, from place[d] on: edge << 32 | rank.
__global__ void __launch_bounds__(graph_threads)
    read_steps(std::uint32_t ranks, BetweenColumns b, std::uint32_t detours,
               const std::uint32_t* place, Key* steps) {
    const std::uint32_t d = blockIdx.x * graph_threads + threadIdx.x;
    if (d >= detours) return;
    std::uint32_t rank = b.from[d];
    for (std::uint32_t i = place[d]; i < place[d + 1]; ++i) {
        steps[i] = b.step[std::size_t{d} * ranks + rank];
        rank = static_cast<std::uint32_t>(steps[i] & 0xFFFF'FFFFU);
    }
}

}  // namespace remanence::cuda
