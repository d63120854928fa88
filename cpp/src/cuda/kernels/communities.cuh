// Label propagation in waves of nodes that are no neighbours; sums per label in the row's order.
#pragma once

#include "cuda/kernels/graph.cuh"
#include "cuda/kernels/walk.cuh"

namespace remanence::cuda {

inline constexpr std::uint32_t no_label = 0xFFFF'FFFFU;

/// Calls use(other end) for the arcs of a rank that lead elsewhere, by a warp.
template <class Use>
__device__ void each_neighbour(const PlainRows& rows, std::uint32_t rank, Use use) {
    const std::size_t end = end_of(rows, rank);
    for (std::size_t a = begin_of(rows, rank) + threadIdx.x % 32; a < end; a += 32) {
        if (rows.to[a] != rank) use(rows.to[a]);
    }
}

/// Counts the neighbours before each node; those that have none are the first wave.
__global__ void __launch_bounds__(graph_threads) first_wave(LabelColumns c) {
    for (std::size_t r = first_warp(); r < c.rows.ranks; r += all_warps()) {
        const auto rank = static_cast<std::uint32_t>(r);
        std::uint32_t before = 0;
        each_neighbour(c.rows, rank,
                       [&](std::uint32_t to) { before += c.turn[to] < c.turn[rank] ? 1 : 0; });
        for (unsigned width = 16; width != 0; width /= 2) {
            before += __shfl_xor_sync(all_lanes, before, width);
        }
        if (threadIdx.x % 32 != 0) continue;
        c.earlier[rank] = before;
        // A node without arcs keeps its label.
        if (before == 0 && begin_of(c.rows, r) < end_of(c.rows, r)) {
            c.waves[atomicAdd(c.tail, 1U)] = rank;
        }
    }
}

__device__ inline void release_later(const LabelColumns& c, std::uint32_t rank) {
    each_neighbour(c.rows, rank, [&](std::uint32_t to) {
        if (c.turn[to] < c.turn[rank]) return;
        if (atomicAdd(c.earlier + to, ~0U) == 1) c.waves[atomicAdd(c.tail, 1U)] = to;
    });
}

/// The wave after that from first to end.
__global__ void __launch_bounds__(graph_threads)
    next_wave(LabelColumns c, std::uint32_t first, std::uint32_t end) {
    for (std::size_t i = first + first_warp(); i < end; i += all_warps()) {
        release_later(c, c.waves[i]);
    }
}

/// Waves by one block, until one is empty or has more than `few` nodes: their ends, and how many.
__global__ void __launch_bounds__(graph_threads)
    small_waves(LabelColumns c, std::uint32_t first, std::uint32_t end, std::uint32_t few) {
    std::uint32_t found = 0;
    while (first < end && end - first <= few) {
        if (threadIdx.x == 0) c.cuts[found] = end;
        ++found;
        for (std::uint32_t i = first + threadIdx.x / 32; i < end; i += graph_warps) {
            release_later(c, c.waves[i]);
        }
        __syncthreads();
        first = end;
        end = load_now(c.tail);
        __syncthreads();
    }
    if (threadIdx.x == 0) c.tail[1] = found;
}

/// What a node makes of its neighbours: the greatest sum, of equal ones the least label.
struct BestLabel {
    Key sum;  ///< bits; sums are not negative
    std::uint32_t label;
};
__device__ inline void keep_better(BestLabel& best, Key sum, std::uint32_t label) {
    if (sum > best.sum || (sum == best.sum && label < best.label)) best = {sum, label};
}
__device__ inline BestLabel best_of_warp(BestLabel best) {
    for (unsigned width = 16; width != 0; width /= 2) {
        const Key sum = __shfl_xor_sync(all_lanes, best.sum, width);
        const std::uint32_t label = __shfl_xor_sync(all_lanes, best.label, width);
        keep_better(best, sum, label);
    }
    return best;
}

__device__ inline Key greatest_of_warp(Key value) {
    for (unsigned width = 16; width != 0; width /= 2) {
        const Key other = __shfl_xor_sync(all_lanes, value, width);
        value = other > value ? other : value;
    }
    return value;
}

__device__ inline void take_label(const LabelColumns& c, std::uint32_t rank, Key own,
                                  const BestLabel& best) {
    if (best.sum <= own) return;
    c.label[rank] = best.label;
    atomicAdd(c.moved, 1U);
}

/// A row of at most 32 arcs by a warp: each lane adds up, in the row's order, what has its label.
__device__ inline void settle_narrow(const LabelColumns& c, std::uint32_t rank) {
    const unsigned lane = threadIdx.x % 32;
    const std::size_t a = begin_of(c.rows, rank) + lane;
    const bool here = a < end_of(c.rows, rank) && c.rows.to[a] != rank;
    const std::uint32_t label = here ? c.label[c.rows.to[a]] : no_label;
    const double weight = here ? weight_at(c.rows, a) : 0.0;
    double sum = 0.0;
    for (unsigned j = 0; j < 32; ++j) {
        const std::uint32_t other = __shfl_sync(all_lanes, label, j);
        const double more = __shfl_sync(all_lanes, weight, j);
        if (other == label) sum += more;
    }
    BestLabel best{0, no_label};
    if (here) best = {bits_of(sum), label};
    const Key own = greatest_of_warp(here && label == c.label[rank] ? best.sum : 0);
    best = best_of_warp(best);
    __syncwarp();  // all lanes have read the label that is written now
    if (lane == 0) take_label(c, rank, own, best);
}

/// The place of a label in the table of a row, put there if need be.
__device__ inline std::uint32_t slot_of(std::uint32_t* keys, std::uint32_t size,
                                        std::uint32_t label) {
    std::uint32_t at = label * 0x9E37'79B1U % size;
    for (;;) {
        const std::uint32_t old = atomicCAS(keys + at, no_label, label);
        if (old == no_label || old == label) return at;
        at = at + 1 == size ? 0 : at + 1;
    }
}

/// What the threads of a block share while they settle a row of many arcs.
struct WideLabels {
    std::uint32_t* slot;   ///< [graph_threads]
    double* weight;        ///< [graph_threads]
    Key* sum;              ///< [graph_warps]
    std::uint32_t* label;  ///< [graph_warps]
};

/// Such a row by the whole block, tile after tile. The first thread of a label adds up what the
/// tile holds of it, in the row's order.
__device__ inline void settle_wide(const LabelColumns& c, std::uint32_t rank, const WideLabels& w) {
    const unsigned t = threadIdx.x;
    const std::size_t begin = begin_of(c.rows, rank);
    const std::size_t end = end_of(c.rows, rank);
    const auto size = static_cast<std::uint32_t>(2 * (end - begin));
    std::uint32_t* const keys = c.keys + 2 * begin;
    double* const sums = c.sums + 2 * begin;
    for (std::uint32_t i = t; i < size; i += graph_threads) {
        keys[i] = no_label;
        sums[i] = 0.0;
    }
    __syncthreads();
    for (std::size_t tile = begin; tile < end; tile += graph_threads) {
        const std::size_t a = tile + t;
        const bool here = a < end && c.rows.to[a] != rank;
        w.slot[t] = here ? slot_of(keys, size, c.label[c.rows.to[a]]) : no_label;
        w.weight[t] = here ? weight_at(c.rows, a) : 0.0;
        __syncthreads();
        const std::uint32_t mine = w.slot[t];
        bool leads = here;
        for (unsigned j = 0; j < t && leads; ++j) leads = w.slot[j] != mine;
        if (leads) {
            double sum = sums[mine];
            for (unsigned j = t; j < graph_threads; ++j) {
                if (w.slot[j] == mine) sum += w.weight[j];
            }
            sums[mine] = sum;
        }
        __syncthreads();
    }
    BestLabel best{0, no_label};
    Key own = 0;
    const std::uint32_t now = c.label[rank];
    for (std::uint32_t i = t; i < size; i += graph_threads) {
        const std::uint32_t label = load_now(keys + i);
        if (label == no_label) continue;
        keep_better(best, bits_of(sums[i]), label);
        if (label == now) own = bits_of(sums[i]);
    }
    best = best_of_warp(best);
    own = greatest_of_warp(own);
    if (t % 32 == 0) {
        w.sum[t / 32] = best.sum;
        w.label[t / 32] = best.label;
        w.weight[t / 32] = value_of(own);
    }
    __syncthreads();
    if (t == 0) {
        for (unsigned i = 1; i < graph_warps; ++i) {
            keep_better(best, w.sum[i], w.label[i]);
            const Key other = bits_of(w.weight[i]);
            own = other > own ? other : own;
        }
        take_label(c, rank, own, best);
    }
    __syncthreads();
}

/// New labels of the nodes of `waves` waves; of several only by one block.
__global__ void __launch_bounds__(graph_threads, 4)
    settle_waves(LabelColumns c, std::uint32_t first, std::uint32_t waves) {
    REMANENCE_SHARED(std::uint32_t, slot, graph_threads);
    REMANENCE_SHARED(double, weight, graph_threads);
    REMANENCE_SHARED(Key, sum, graph_warps);
    REMANENCE_SHARED(std::uint32_t, label, graph_warps);
    const WideLabels shared{slot, weight, sum, label};
    const auto arcs = [&](std::uint32_t i) {
        return end_of(c.rows, c.waves[i]) - begin_of(c.rows, c.waves[i]);
    };
    for (std::uint32_t w = first; w < first + waves; ++w) {
        const std::uint32_t end = c.cuts[w + 1];
        for (std::uint32_t i = c.cuts[w] + blockIdx.x * graph_warps; i < end;
             i += gridDim.x * graph_warps) {
            const std::uint32_t own = i + threadIdx.x / 32;
            if (own < end && arcs(own) <= 32) settle_narrow(c, c.waves[own]);
            for (std::uint32_t j = i; j < i + graph_warps && j < end; ++j) {
                if (arcs(j) > 32) settle_wide(c, c.waves[j], shared);
            }
        }
        __syncthreads();
    }
}

/// Summed weights of each row, and of its arcs that stay in its community.
__global__ void __launch_bounds__(walk_threads)
    sum_communities(PlainRows rows, const std::uint32_t* label, double* degree, double* inside) {
    constexpr unsigned per_block = walk_threads / pull_lanes;
    const unsigned lane = threadIdx.x % pull_lanes;
    for (std::size_t first = std::size_t{blockIdx.x} * per_block; first < rows.ranks;
         first += std::size_t{gridDim.x} * per_block) {
        const std::size_t r = first + threadIdx.x / pull_lanes;
        double sum = 0.0;
        double stays = 0.0;
        if (r < rows.ranks) {
            const std::size_t end = end_of(rows, r);
            for (std::size_t a = begin_of(rows, r) + lane; a < end; a += pull_lanes) {
                const double weight = weight_at(rows, a);
                sum += weight;
                if (label[rows.to[a]] == label[r]) stays += weight;
            }
        }
        sum = sum_of_lanes(sum);
        stays = sum_of_lanes(stays);
        if (r >= rows.ranks || lane != 0) continue;
        degree[r] = sum;
        inside[r] = stays;
    }
}

}  // namespace remanence::cuda
