// Rows of a graph on the device: which arcs pass, and walking them by warps and blocks.
#pragma once

#include "cuda/compat.hpp"
#include "cuda/graph_launch.hpp"

namespace remanence::cuda {

inline constexpr unsigned graph_threads = 256;
inline constexpr unsigned graph_warps = graph_threads / 32;
inline constexpr std::uint32_t wide_row = 1024;  // arcs: such a row is walked by the whole block
inline constexpr unsigned most_wide = 64;

/// An arc of the base, or an edge by its place in the log.
struct ArcPlace {
    std::size_t at;
    bool logged;
};

__device__ inline bool has_type(const GraphColumns& g, std::uint32_t type) {
    return (g.types[type / 32] >> (type % 32) & 1U) != 0;
}

__device__ inline bool passes(const GraphColumns& g, std::size_t a) {
    if (g.type != nullptr && !has_type(g, g.type[a])) return false;
    if (g.min_weight > 0.0F && g.weight != nullptr && g.weight[a] < g.min_weight) return false;
    if (g.valid_in_base) {
        const TimeNs from = g.valid_from != nullptr ? g.valid_from[a] : g.one_from;
        const TimeNs until = g.valid_to != nullptr ? g.valid_to[a] : g.one_to;
        if (from > g.valid_at || (g.valid_at >= until && until != time_max)) return false;
    }
    if (g.seq_from != nullptr && g.seq_from[a] > g.seq) return false;
    if (g.closed != nullptr && g.closed[a] <= g.seq) return false;
    return g.allow == nullptr || g.allow[g.to[a]] != 0;
}

__device__ inline bool passes_logged(const GraphColumns& g, std::uint32_t place,
                                     std::uint32_t other) {
    const LoggedEdge& e = g.log[place];
    if (g.types != nullptr && !has_type(g, e.type)) return false;
    if (e.weight < g.min_weight) return false;
    if (g.valid_asked) {
        if (e.valid_from > g.valid_at) return false;
        if (g.valid_at >= e.valid_to && e.valid_to != time_max) return false;
    }
    if (e.seq_from > g.seq || g.log_closed[place] <= g.seq) return false;
    return g.allow == nullptr || g.allow[other] != 0;
}

__device__ inline double weight_of(const GraphColumns& g, const ArcPlace& a) {
    if (a.logged) return static_cast<double>(g.log[a.at].weight);
    return static_cast<double>(g.weight != nullptr ? g.weight[a.at] : g.one);
}

__device__ inline std::uint32_t edge_of(const GraphColumns& g, const ArcPlace& a) {
    return a.logged ? g.base_edges + static_cast<std::uint32_t>(a.at) : g.edge[a.at];
}

__device__ inline std::uint32_t node_at(const GraphColumns& g, std::uint32_t rank) {
    return rank < g.base_nodes ? g.node_of[rank] : rank;
}

/// Where the arcs of a rank stand in the base: from x to y.
struct Span {
    std::size_t first, end;
};
__device__ inline Span base_row(const GraphColumns& g, std::uint32_t rank) {
    if (rank >= g.base_nodes || g.no_base) return {0, 0};
    const std::size_t row = std::size_t{2} * rank;
    return {g.offset[row + (g.out ? 0 : 1)], g.offset[row + (g.in ? 2 : 1)]};
}
__device__ inline Span base_side(const GraphColumns& g, std::uint32_t rank, unsigned side) {
    if (rank >= g.base_nodes || g.no_base || !(side == 0 ? g.out : g.in)) return {0, 0};
    const std::size_t row = std::size_t{2} * rank + side;
    return {g.offset[row], g.offset[row + 1]};
}

/// Calls use(place, other end) for the logged edges of one side, old ones first.
template <class Use>
__device__ void each_logged(const GraphColumns& g, std::uint32_t rank, unsigned side, Use use) {
    if (rank >= g.chained || !(side == 0 ? g.out : g.in)) return;
    for (std::uint32_t link = g.first[std::size_t{2} * rank + side];
         link != 0 && link <= g.log_edges; link = g.next[std::size_t{2} * (link - 1) + side]) {
        const std::uint32_t place = link - 1;
        const std::uint32_t other = side == 0 ? g.log[place].target : g.log[place].source;
        if (passes_logged(g, place, other)) use(place, other);
    }
}

/// Calls use(rank, other end, arc) for the arcs of a rank that pass, shared out among `lanes`
/// threads, of which the first two follow the log.
template <class Use>
__device__ void each_arc(const GraphColumns& g, std::uint32_t rank, unsigned lane, unsigned lanes,
                         Use use) {
    const Span row = base_row(g, rank);
    for (std::size_t a = row.first + lane; a < row.end; a += lanes) {
        if (passes(g, a)) use(rank, g.to[a], ArcPlace{a, false});
    }
    if (lane < 2) {
        each_logged(g, rank, lane, [&](std::uint32_t place, std::uint32_t other) {
            use(rank, other, ArcPlace{place, true});
        });
    }
}

/// Calls use(item, other end, arc) for the arcs of the rank of each item first, first + warps, ...
/// below `count`: a warp for each, the whole block for wide rows. `wide` is shared,
/// [most_wide + 1], and its last word zero before and after. All threads of the block must come.
template <class ItemAt, class RankOf, class Use>
__device__ void walk_items(const GraphColumns& g, std::size_t first, std::size_t warps,
                           std::size_t count, ItemAt item_at, RankOf rank_of, std::uint32_t* wide,
                           Use use) {
    const unsigned lane = threadIdx.x % 32;
    const auto walk = [&](std::uint32_t item, unsigned thread, unsigned threads) {
        each_arc(g, rank_of(item), thread, threads,
                 [&](std::uint32_t, std::uint32_t to, const ArcPlace& a) { use(item, to, a); });
    };
    for (std::size_t i = first; i < count; i += warps) {
        const std::uint32_t item = item_at(i);
        const Span row = base_row(g, rank_of(item));
        if (row.end - row.first > wide_row) {
            std::uint32_t at = 0;
            if (lane == 0) at = atomicAdd(wide + most_wide, 1U);
            at = __shfl_sync(all_lanes, at, 0);
            if (at < most_wide) {
                if (lane == 0) wide[at] = item;
                continue;
            }
        }
        walk(item, lane, 32);
    }
    __syncthreads();
    const std::uint32_t put = wide[most_wide];
    for (std::uint32_t w = 0; w < put && w < most_wide; ++w) {
        walk(wide[w], threadIdx.x, graph_threads);
    }
    __syncthreads();
    if (threadIdx.x == 0) wide[most_wide] = 0;
    __syncthreads();
}

/// The same where the items are ranks.
template <class RankAt, class Use>
__device__ void walk_rows(const GraphColumns& g, std::size_t first, std::size_t warps,
                          std::size_t count, RankAt rank_at, std::uint32_t* wide, Use use) {
    walk_items(g, first, warps, count, rank_at, [](std::uint32_t rank) { return rank; }, wide, use);
}

__device__ inline std::size_t first_warp() {
    return std::size_t{blockIdx.x} * graph_warps + threadIdx.x / 32;
}
__device__ inline std::size_t all_warps() { return std::size_t{gridDim.x} * graph_warps; }

/// Adds to a list that other threads add to as well.
__device__ inline void push_rank(const Level& level, std::uint32_t rank) {
    level.next[atomicAdd(level.next_count, 1U)] = rank;
}

__global__ void __launch_bounds__(graph_threads)
    set_links(std::uint32_t* target, const Link* links, std::uint32_t count) {
    for (std::uint32_t i = blockIdx.x * graph_threads + threadIdx.x; i < count;
         i += gridDim.x * graph_threads) {
        target[links[i].place] = links[i].value;
    }
}

}  // namespace remanence::cuda
