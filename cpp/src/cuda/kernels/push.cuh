// Local walks: one warp for each question takes its queue in order, 32 arcs at a time.
//
// What a chunk of arcs adds to one rank is added in the order of the arcs, and what it queues is
// queued in that order, so that every bit is the processor's.
#pragma once

#include "cuda/kernels/search_graph.cuh"

namespace remanence::cuda {

/// Calls use(passes, other end, weight) with chunks of a rank's arcs in the processor's order, one
/// arc for each lane. All lanes must come.
template <class Use>
__device__ void each_chunk(const GraphColumns& g, std::uint32_t rank, Use use) {
    const unsigned lane = threadIdx.x % 32;
    for (unsigned side = 0; side < 2; ++side) {
        const Span row = base_side(g, rank, side);
        for (std::size_t a = row.first; a < row.end; a += 32) {
            const bool ok = a + lane < row.end && passes(g, a + lane);
            use(ok, ok ? g.to[a + lane] : 0, ok ? weight_of(g, {a + lane, false}) : 0.0);
        }
        unsigned held = 0;
        std::uint32_t to = 0;
        double weight = 0.0;
        each_logged(g, rank, side, [&](std::uint32_t place, std::uint32_t other) {
            if (held == lane) {
                to = other;
                weight = static_cast<double>(g.log[place].weight);
            }
            if (++held < 32) return;
            use(true, to, weight);
            held = 0;
        });
        if (held > 0) use(lane < held, to, weight);
    }
}

/// Arcs of a rank that a push looks at, whether or not they pass; at least one.
__device__ inline std::uint32_t push_width(const GraphColumns& g, std::uint32_t rank) {
    std::uint32_t n = 0;
    if (rank < g.base_nodes) {
        const std::size_t row = std::size_t{2} * rank;
        n = g.offset[row + (g.in ? 2 : 1)] - g.offset[row + (g.out ? 0 : 1)];
    }
    for (unsigned side = 0; side < 2; ++side) {
        if (rank >= g.chained || !(side == 0 ? g.out : g.in)) continue;
        for (std::uint32_t link = g.first[std::size_t{2} * rank + side];
             link != 0 && link <= g.log_edges; link = g.next[std::size_t{2} * (link - 1) + side]) {
            ++n;
        }
    }
    return n > 0 ? n : 1;
}

/// Marks of a rank.
inline constexpr std::uint32_t touched = 1;
inline constexpr std::uint32_t queued = 2;

/// One question on its way; the same numbers in every lane.
struct PushWalk {
    double *mass, *residual;
    std::uint32_t *mark, *touched, *queue;  ///< the queue is a ring of `ranks`
    std::uint32_t count, head, length;
    double least;
};

/// Adds an amount to the residual of each lane's rank, in the order of the lanes.
__device__ inline void give(const GraphColumns& g, PushWalk& w, bool ok, std::uint32_t to,
                            double amount) {
    const unsigned lane = threadIdx.x % 32;
    const unsigned given = __ballot_sync(all_lanes, ok);
    if (given == 0) return;
    unsigned turn = 0;  // lanes before this one that give to the same rank
    for (unsigned j = 0; j < 32; ++j) {
        const std::uint32_t other = __shfl_sync(all_lanes, to, j);
        if (j < lane && other == to && (given >> j & 1U) != 0) ++turn;
    }
    bool fresh = false;
    bool enters = false;
    for (unsigned now = 0; __ballot_sync(all_lanes, ok && turn >= now) != 0; ++now) {
        if (ok && turn == now) {
            double there = w.residual[to];
            const std::uint32_t mark = w.mark[to];
            fresh = mark == 0;
            there += amount;
            w.residual[to] = there;
            enters =
                (mark & queued) == 0 && there > w.least * static_cast<double>(push_width(g, to));
            w.mark[to] = enters ? touched | queued : mark | touched;
        }
        __syncwarp();
    }
    const unsigned before = (1U << lane) - 1U;
    const unsigned touches = __ballot_sync(all_lanes, fresh);
    if (fresh) w.touched[w.count + static_cast<unsigned>(__popc(touches & before))] = to;
    w.count += static_cast<unsigned>(__popc(touches));
    const unsigned enter = __ballot_sync(all_lanes, enters);
    if (enters) {
        const std::uint32_t at = w.length + static_cast<unsigned>(__popc(enter & before));
        const std::uint32_t left = g.ranks - w.head;
        w.queue[at < left ? w.head + at : at - left] = to;
    }
    w.length += static_cast<unsigned>(__popc(enter));
    __syncwarp();
}

/// Adds up the lanes' weights one after the other, as a processor does.
__device__ inline double add_in_order(double sum, bool ok, double weight) {
    const unsigned given = __ballot_sync(all_lanes, ok);
    for (unsigned j = 0; j < 32; ++j) {
        const double other = __shfl_sync(all_lanes, weight, j);
        if ((given >> j & 1U) != 0) sum += other;
    }
    return sum;
}

inline constexpr Key nowhere = ~Key{0};  ///< instead of a degree: there are no arcs to go

/// The summed weights of a rank's arcs in their order, or -1 where there are none. All questions
/// visit the same hubs, so what was added up once is kept: its bits plus one.
__device__ inline double degree_of(const GraphColumns& g, std::uint32_t r, Key* known) {
    const unsigned lane = threadIdx.x % 32;
    const Key before = __shfl_sync(all_lanes, lane == 0 ? load_now(known + r) : 0, 0);
    if (before != 0) return before == nowhere ? -1.0 : value_of(before - 1);
    double sum = 0.0;
    bool any = false;
    each_chunk(g, r, [&](bool ok, std::uint32_t, double weight) {
        sum = add_in_order(sum, ok, weight);
        any = any || __ballot_sync(all_lanes, ok) != 0;
    });
    if (lane == 0) atomicMax(known + r, any ? bits_of(sum) + 1 : nowhere);
    return any ? sum : -1.0;
}

__global__ void __launch_bounds__(32) push_walks(GraphColumns g, PushQuestions q, PushRoom room) {
    const unsigned lane = threadIdx.x;
    const std::size_t first = std::size_t{blockIdx.x} * g.ranks;
    PushWalk w{room.mass + first,
               room.residual + first,
               room.mark + first,
               room.touched + first,
               room.queue + first,
               0,
               0,
               0,
               q.residual};
    const std::uint32_t begin = q.cut[blockIdx.x];
    const std::uint32_t end = q.cut[blockIdx.x + 1];
    const auto give_back = [&](double scale, bool whole) {
        for (std::uint32_t i = begin; i < end; i += 32) {
            const bool ok = i + lane < end;
            const double share = ok ? q.share[i + lane] : 0.0;
            give(g, w, ok, ok ? q.ranks[i + lane] : 0, whole ? share : scale * share);
        }
    };
    give_back(1.0, true);
    while (w.length > 0) {
        const std::uint32_t r = w.queue[w.head];
        w.head = w.head + 1 == g.ranks ? 0 : w.head + 1;
        --w.length;
        const double here = w.residual[r];
        __syncwarp();
        if (lane == 0) {
            w.mark[r] = touched;
            w.residual[r] = 0.0;
            w.mass[r] += (1.0 - q.damping) * here;
        }
        __syncwarp();
        const double degree = degree_of(g, r, room.degree);
        // Where there is nowhere to go the mass returns to the start, as in the exact walk.
        if (degree < 0.0) {
            give_back(q.damping * here, false);
            continue;
        }
        const double share = q.damping * here / degree;
        each_chunk(g, r, [&](bool ok, std::uint32_t to, double weight) {
            give(g, w, ok, to, share * weight);
        });
    }
    if (lane == 0) room.count[blockIdx.x] = w.count;
}

/// What each question touched, from place[q] on; leaves its room clear.
__global__ void __launch_bounds__(graph_threads)
    read_pushed(GraphColumns g, PushRoom room, const std::uint32_t* place, Pushed* out) {
    const std::size_t first = std::size_t{blockIdx.x} * g.ranks;
    const std::uint32_t begin = place[blockIdx.x];
    const std::uint32_t n = place[blockIdx.x + 1] - begin;
    for (std::uint32_t i = threadIdx.x; i < n; i += graph_threads) {
        const std::uint32_t r = room.touched[first + i];
        out[begin + i] = {r, push_width(g, r), room.mass[first + r], room.residual[first + r]};
        room.mass[first + r] = 0.0;
        room.residual[first + r] = 0.0;
        room.mark[first + r] = 0;
    }
}

}  // namespace remanence::cuda
