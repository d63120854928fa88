// Launches of the kernels of graphs; part of kernels.inl.

#include "cuda/graph_launch.hpp"
#include "cuda/kernels/between.cuh"
#include "cuda/kernels/communities.cuh"
#include "cuda/kernels/khop.cuh"
#include "cuda/kernels/project.cuh"
#include "cuda/kernels/push.cuh"
#include "cuda/kernels/search_graph.cuh"

namespace remanence::cuda {

void run_set_links(std::uint32_t* target, const Link* links, std::uint32_t count,
                   const Stream& stream) {
    if (count == 0) return;
    REMANENCE_LAUNCH(set_links, grid(count, graph_threads), graph_threads, 0, stream.handle(),
                     target, links, count);
}

void run_advance(const GraphColumns& g, const Measure& measure, const Level& level,
                 std::uint32_t hop, std::uint32_t* hops, std::uint32_t* edge,
                 const Stream& stream) {
    const unsigned blocks = grid(level.count, graph_warps);
    if (measure.by == PathBy::hops) {
        REMANENCE_LAUNCH((advance<PathBy::hops>), blocks, graph_threads, 0, stream.handle(), g,
                         measure, level, hop, hops, edge);
    } else if (measure.by == PathBy::length) {
        REMANENCE_LAUNCH((advance<PathBy::length>), blocks, graph_threads, 0, stream.handle(), g,
                         measure, level, hop, hops, edge);
    } else {
        REMANENCE_LAUNCH((advance<PathBy::weight>), blocks, graph_threads, 0, stream.handle(), g,
                         measure, level, hop, hops, edge);
    }
}

void run_relax(const GraphColumns& g, const Measure& measure, const Level& level,
               std::uint32_t round, Key* best, std::uint32_t* listed, const Stream& stream) {
    const unsigned blocks = grid(level.count, graph_warps);
    if (measure.by == PathBy::length) {
        REMANENCE_LAUNCH((relax<PathBy::length>), blocks, graph_threads, 0, stream.handle(), g,
                         measure, level, round, best, listed);
    } else {
        REMANENCE_LAUNCH((relax<PathBy::weight>), blocks, graph_threads, 0, stream.handle(), g,
                         measure, level, round, best, listed);
    }
}

namespace {

/// Calls launch(tag) with the measure as a constant.
template <class Launch>
void by_measure(PathBy by, Launch&& launch) {
    if (by == PathBy::hops) return launch(std::integral_constant<PathBy, PathBy::hops>{});
    if (by == PathBy::length) return launch(std::integral_constant<PathBy, PathBy::length>{});
    launch(std::integral_constant<PathBy, PathBy::weight>{});
}

unsigned blocks_of(std::uint32_t items) { return (items + graph_threads - 1) / graph_threads; }

}  // namespace

void run_start_between(std::uint32_t ranks, const BetweenColumns& b, std::uint32_t detours,
                       const Key* value, const Stream& stream) {
    REMANENCE_LAUNCH(start_between, blocks_of(detours), graph_threads, 0, stream.handle(), ranks, b,
                     detours, value);
}

void run_relax_between(const GraphColumns& g, const BetweenColumns& b, const Level& level,
                       std::uint32_t round, const Stream& stream) {
    by_measure(b.by, [&](auto by) {
        REMANENCE_LAUNCH((relax_between<by.value>), grid(level.count, graph_warps), graph_threads,
                         0, stream.handle(), g, b, level, round);
    });
}

void run_advance_between(const GraphColumns& g, const BetweenColumns& b, const Level& level,
                         std::uint32_t hop, const Stream& stream) {
    by_measure(b.by, [&](auto by) {
        REMANENCE_LAUNCH((advance_between<by.value>), grid(level.count, graph_warps), graph_threads,
                         0, stream.handle(), g, b, level, hop);
    });
}

void run_lead_back(const GraphColumns& g, const BetweenColumns& b, const Level& level,
                   std::uint32_t mark, const Stream& stream) {
    by_measure(b.by, [&](auto by) {
        REMANENCE_LAUNCH((lead_back<by.value>), grid(level.count, graph_warps), graph_threads, 0,
                         stream.handle(), g, b, level, mark);
    });
}

void run_read_targets(std::uint32_t ranks, const BetweenColumns& b, std::uint32_t detours,
                      Key* value, std::uint32_t* hops, const Stream& stream) {
    REMANENCE_LAUNCH(read_targets, blocks_of(detours), graph_threads, 0, stream.handle(), ranks, b,
                     detours, value, hops);
}

void run_read_steps(std::uint32_t ranks, const BetweenColumns& b, std::uint32_t detours,
                    const std::uint32_t* place, Key* steps, const Stream& stream) {
    REMANENCE_LAUNCH(read_steps, blocks_of(detours), graph_threads, 0, stream.handle(), ranks, b,
                     detours, place, steps);
}

void run_first_wave(const LabelColumns& c, const Stream& stream) {
    REMANENCE_LAUNCH(first_wave, grid(c.rows.ranks, graph_warps), graph_threads, 0, stream.handle(),
                     c);
}

void run_next_wave(const LabelColumns& c, std::uint32_t first, std::uint32_t end,
                   const Stream& stream) {
    REMANENCE_LAUNCH(next_wave, grid(end - first, graph_warps), graph_threads, 0, stream.handle(),
                     c, first, end);
}

void run_small_waves(const LabelColumns& c, std::uint32_t first, std::uint32_t end,
                     std::uint32_t few, const Stream& stream) {
    REMANENCE_LAUNCH(small_waves, 1, graph_threads, 0, stream.handle(), c, first, end, few);
}

void run_settle_waves(const LabelColumns& c, std::uint32_t first, std::uint32_t waves,
                      std::uint32_t nodes, const Stream& stream) {
    const unsigned blocks = waves > 1 ? 1 : grid(nodes, graph_warps);
    REMANENCE_LAUNCH(settle_waves, blocks, graph_threads, 0, stream.handle(), c, first, waves);
}

void run_sum_communities(const PlainRows& rows, const std::uint32_t* label, double* degree,
                         double* inside, const Stream& stream) {
    REMANENCE_LAUNCH(sum_communities, grid(rows.ranks, walk_threads / pull_lanes), walk_threads, 0,
                     stream.handle(), rows, label, degree, inside);
}

void run_components(const GraphColumns& g, const std::uint32_t* label, std::uint32_t* parent,
                    std::uint32_t* least, const Stream& stream) {
    const unsigned flat = grid(g.ranks, graph_threads);
    REMANENCE_LAUNCH(start_forest, flat, graph_threads, 0, stream.handle(), g.ranks, parent);
    REMANENCE_LAUNCH(link_ranks, grid(g.ranks, graph_warps), graph_threads, 0, stream.handle(), g,
                     label, parent);
    REMANENCE_LAUNCH(least_nodes, flat, graph_threads, 0, stream.handle(), g, parent, least);
    REMANENCE_LAUNCH(label_ranks, flat, graph_threads, 0, stream.handle(), g.ranks, parent, least);
}

void run_khop(const GraphColumns& g, const HopQuestions& questions, std::uint32_t count,
              const HopRoom& room, const Stream& stream) {
    REMANENCE_LAUNCH(khop_blocks, count, graph_threads, 0, stream.handle(), g, questions, room);
}

void run_gather(const HopRoom& room, std::uint32_t ranks, const std::uint32_t* place,
                std::uint32_t count, std::uint32_t* out, const Stream& stream) {
    REMANENCE_LAUNCH(gather_found, count, graph_threads, 0, stream.handle(), room, ranks, place,
                     out);
}

void run_push(const GraphColumns& g, const PushQuestions& q, std::uint32_t questions,
              const PushRoom& room, const Stream& stream) {
    REMANENCE_LAUNCH(push_walks, questions, 32, 0, stream.handle(), g, q, room);
}

void run_read_pushed(const GraphColumns& g, const PushRoom& room, const std::uint32_t* place,
                     std::uint32_t questions, Pushed* out, const Stream& stream) {
    REMANENCE_LAUNCH(read_pushed, questions, graph_threads, 0, stream.handle(), g, room, place,
                     out);
}

void run_project(const GraphColumns& g, std::uint32_t* offset, std::uint32_t* to, float* weight,
                 const Stream& stream) {
    REMANENCE_LAUNCH(project_rows, grid(g.ranks, graph_warps), graph_threads, 0, stream.handle(), g,
                     offset, to, weight);
}

void run_sum_offsets(std::uint32_t* offset, std::uint32_t ranks, const Stream& stream) {
    REMANENCE_LAUNCH(sum_offsets, 1, sum_threads, 0, stream.handle(), offset, ranks);
}

}  // namespace remanence::cuda
