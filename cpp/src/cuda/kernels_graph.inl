// Launches of the kernels of graphs; part of kernels.inl.

#include "cuda/graph_launch.hpp"
#include "cuda/kernels/khop.cuh"
#include "cuda/kernels/project.cuh"
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

void run_components(const GraphColumns& g, std::uint32_t* parent, std::uint32_t* least,
                    const Stream& stream) {
    const unsigned flat = grid(g.ranks, graph_threads);
    REMANENCE_LAUNCH(start_forest, flat, graph_threads, 0, stream.handle(), g.ranks, parent);
    REMANENCE_LAUNCH(link_ranks, grid(g.ranks, graph_warps), graph_threads, 0, stream.handle(), g,
                     parent);
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

void run_project(const GraphColumns& g, std::uint32_t* offset, std::uint32_t* to, float* weight,
                 const Stream& stream) {
    REMANENCE_LAUNCH(project_rows, grid(g.ranks, graph_warps), graph_threads, 0, stream.handle(), g,
                     offset, to, weight);
}

void run_sum_offsets(std::uint32_t* offset, std::uint32_t ranks, const Stream& stream) {
    REMANENCE_LAUNCH(sum_offsets, 1, sum_threads, 0, stream.handle(), offset, ranks);
}

}  // namespace remanence::cuda
