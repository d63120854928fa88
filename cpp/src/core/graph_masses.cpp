// Walks with restart over a view of a graph: checks, seeds, and mass by node.
#include <algorithm>
#include <map>

#include "core/start.hpp"
#include "cpu/propagate.hpp"

namespace remanence {
namespace {

void check_settings(const char* verb, double damping, double tolerance) {
    check(damping >= 0.0 && damping <= 0.99, verb,
          [&] { return "damping must be in [0, 0.99] (got " + std::to_string(damping) + ")"; });
    check(tolerance >= 1e-11 && tolerance <= 1.0, verb, [&] {
        return "tolerance must be in [1e-11, 1] (got " + std::to_string(tolerance) + ")";
    });
}

/// Shares of the seeds by rank. A node named twice starts with both its weights.
cpu::WalkStart start_of(const char* verb, const Filter& filter, View<const std::int64_t> seeds,
                        View<const float> weights) {
    check(!seeds.empty(), verb, [] { return std::string("no seeds were given"); });
    std::map<std::uint32_t, double> share;
    double all = 0.0;
    for (std::size_t i = 0; i < seeds.size(); ++i) {
        const double w = weights.empty() ? 1.0 : static_cast<double>(weights[i]);
        check(w > 0.0 && w <= 1e6, verb,
              [&] { return "seed weights must be in (0, 1e6] (got " + std::to_string(w) + ")"; });
        share[filter.seed(verb, seeds[i])] += w;
        all += w;
    }
    cpu::WalkStart out;
    for (const auto& [rank, w] : share) {
        out.rank.push_back(rank);
        out.share.push_back(w / all);
    }
    return out;
}

}  // namespace

std::vector<double> GraphView::propagate(const GraphWalk& walk, const GraphFilter& filter) const {
    const char* const verb = "propagate";
    check_settings(verb, walk.damping, walk.tolerance);
    check_start(verb, walk.start, walk.seeds.size());
    check_seed_count(verb, walk.seeds.size());
    if (!walk.weights.empty()) {
        check_length(verb, "weights", walk.weights.size(), walk.seeds.size());
    }
    const Filter ready(verb, *state_, filter);
    std::vector<cpu::WalkStart> starts;
    const std::size_t questions = walk.start.empty() ? 1 : walk.start.size() - 1;
    for (std::size_t q = 0; q < questions; ++q) {
        const auto first = walk.start.empty() ? 0 : static_cast<std::size_t>(walk.start[q]);
        const auto last =
            walk.start.empty() ? walk.seeds.size() : static_cast<std::size_t>(walk.start[q + 1]);
        starts.push_back(start_of(
            verb, ready, walk.seeds.subspan(first, last - first),
            walk.weights.empty() ? walk.weights : walk.weights.subspan(first, last - first)));
    }
    const cpu::WalkGraph graph(ready);
    const auto masses = cpu::walk(graph, starts, {walk.damping, walk.tolerance});
    std::vector<double> out(questions * state_->nodes);
    for (std::size_t q = 0; q < questions; ++q) {
        double* const row = out.data() + q * state_->nodes;
        for (std::uint32_t v = 0; v < state_->nodes; ++v) row[v] = masses[q][state_->rank(v)];
    }
    return out;
}

}  // namespace remanence
