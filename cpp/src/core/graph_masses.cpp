// Walks with restart over a view of a graph: checks, seeds, and mass by node.
#include <algorithm>
#include <map>

#include "remanence/canonical.hpp"

#include "core/device_graph.hpp"
#include "core/masses.hpp"
#include "core/push.hpp"
#include "core/start.hpp"
#include "core/threads.hpp"

namespace remanence {
namespace {

/// A device has arcs of its own.
Reach reach_on(std::string_view backend) { return backend == "cpu" ? Reach::all : Reach::little; }

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

/// Of every question that the walk asks.
std::vector<cpu::WalkStart> starts_of(const char* verb, const Filter& filter,
                                      const GraphWalk& walk) {
    check_settings(verb, walk.damping, walk.tolerance);
    check_start(verb, walk.start, walk.seeds.size());
    check_seed_count(verb, walk.seeds.size());
    if (!walk.weights.empty()) {
        check_length(verb, "weights", walk.weights.size(), walk.seeds.size());
    }
    if (walk.start.empty()) return {start_of(verb, filter, walk.seeds, walk.weights)};
    std::vector<cpu::WalkStart> out;
    for (std::size_t q = 0; q + 1 < walk.start.size(); ++q) {
        const auto first = static_cast<std::size_t>(walk.start[q]);
        const std::size_t count = static_cast<std::size_t>(walk.start[q + 1]) - first;
        out.push_back(
            start_of(verb, filter, walk.seeds.subspan(first, count),
                     walk.weights.empty() ? walk.weights : walk.weights.subspan(first, count)));
    }
    return out;
}

void by_node(const GraphState& state, cpu::WalkStart& start) {
    std::vector<std::pair<std::uint32_t, double>> seeds;
    seeds.reserve(start.rank.size());
    for (std::size_t i = 0; i < start.rank.size(); ++i) {
        seeds.emplace_back(start.rank[i], start.share[i]);
    }
    std::sort(seeds.begin(), seeds.end(), [&](const auto& a, const auto& b) {
        return state.node(a.first) < state.node(b.first);
    });
    for (std::size_t i = 0; i < seeds.size(); ++i) {
        start.rank[i] = seeds[i].first;
        start.share[i] = seeds[i].second;
    }
}

}  // namespace

std::vector<double> GraphView::propagate(const GraphWalk& walk, const GraphFilter& filter) const {
    const char* const verb = "propagate";
    const Filter ready(verb, *state_, filter, reach_on(walk.backend));
    const std::vector<cpu::WalkStart> starts = starts_of(verb, ready, walk);
    const std::size_t questions = starts.size();
    const auto masses = walk_on(verb, walk.backend, ready, starts, {walk.damping, walk.tolerance});
    std::vector<double> out(questions * state_->nodes);
    for (std::size_t q = 0; q < questions; ++q) {
        double* const row = out.data() + q * state_->nodes;
        for (std::uint32_t v = 0; v < state_->nodes; ++v) row[v] = masses[q][state_->rank(v)];
    }
    return out;
}

NodeMasses GraphView::push(const GraphWalk& walk, double residual, std::size_t top,
                           const GraphFilter& filter) const {
    GraphWalk one = walk;
    const std::int64_t all[] = {0, static_cast<std::int64_t>(walk.seeds.size())};
    one.start = all;
    return push_batch(one, residual, top, filter)[0];
}

std::vector<NodeMasses> GraphView::push_batch(const GraphWalk& walk, double residual,
                                              std::size_t top, const GraphFilter& filter) const {
    const char* const verb = "push";
    check(residual >= 1e-12 && residual <= 1.0, verb,
          [&] { return "residual must be in [1e-12, 1] (got " + std::to_string(residual) + ")"; });
    check(top > 0, verb, [] { return std::string("top must be positive (got 0)"); });
    const Filter ready(verb, *state_, filter);
    std::vector<cpu::WalkStart> starts = starts_of(verb, ready, walk);
    // A push hands on in the order of the nodes, whatever the layout.
    for (cpu::WalkStart& start : starts) by_node(*state_, start);
    std::vector<NodeMasses> out(starts.size());
    if (const auto device = graph_on(verb, walk.backend, *state_)) {
        DevicePush asked{{}, {}, {0}, walk.damping, residual};
        for (const cpu::WalkStart& start : starts) {
            asked.ranks.insert(asked.ranks.end(), start.rank.begin(), start.rank.end());
            asked.share.insert(asked.share.end(), start.share.begin(), start.share.end());
            asked.cut.push_back(static_cast<std::uint32_t>(asked.ranks.size()));
        }
        const auto touched = device->push(ready, asked);
        for (std::size_t q = 0; q < out.size(); ++q) {
            double left = 0.0;
            for (const Pushed& p : touched[q]) left += walk.damping * p.residual;
            const auto at = [&](std::size_t i) { return touched[q][i]; };
            out[q] = pushed_masses(ready, touched[q].size(), at, left, walk.damping, top);
        }
        return out;
    }
    parallel_for(starts.size(), worker_count(0), [&](std::size_t q, int) {
        out[q] = cpu::push(ready, starts[q], walk.damping, residual, top);
    });
    return out;
}

NodeMasses GraphView::spread(const GraphWalk& walk, const GraphFilter& filter) const {
    GraphWalk one = walk;
    const std::int64_t all[] = {0, static_cast<std::int64_t>(walk.seeds.size())};
    one.start = all;
    return std::move(spread_batch(one, filter)[0]);
}

std::vector<NodeMasses> GraphView::spread_batch(const GraphWalk& walk,
                                                const GraphFilter& filter) const {
    const Filter ready("spread", *state_, filter, reach_on(walk.backend));
    const std::vector<cpu::WalkStart> starts = starts_of("spread", ready, walk);
    std::vector<NodeMasses> out(starts.size());
    if (starts.empty()) return out;
    Array<double> degree;
    const auto masses =
        walk_on("spread", walk.backend, ready, starts, {walk.damping, walk.tolerance}, &degree);
    double all = 0.0;
    for (std::uint32_t v = 0; v < state_->nodes; ++v) all += degree[state_->rank(v)];
    const double delta = 1e-3 / static_cast<double>(state_->nodes);
    parallel_for(starts.size(), worker_count(0), [&](std::size_t q, int) {
        std::vector<std::pair<double, std::int64_t>> found;
        for (std::uint32_t v = 0; v < state_->nodes; ++v) {
            const std::uint32_t r = state_->rank(v);
            const double mass = masses[q][r];
            if (mass <= 0.0) continue;
            const double prior = all > 0.0 ? degree[r] / all : 0.0;
            const double lift = canonical_log((mass + delta) / (prior + delta));
            found.emplace_back(-std::clamp(lift, -4.0, 4.0), v);
        }
        std::sort(found.begin(), found.end());
        for (const auto& [lift, node] : found) {
            out[q].node.push_back(node);
            out[q].mass.push_back(-lift);
        }
    });
    return out;
}

std::vector<double> GraphView::pagerank(View<const double> start, double damping, double tolerance,
                                        const GraphFilter& filter, std::string_view backend) const {
    check_settings("pagerank", damping, tolerance);
    if (!start.empty()) check_length("pagerank", "start", start.size(), nodes());
    const Filter ready("pagerank", *state_, filter, reach_on(backend));
    double all = 0.0;
    std::vector<double> weight(nodes(), 0.0);
    for (std::uint32_t v = 0; v < state_->nodes; ++v) {
        const double w = start.empty() ? 1.0 : start[v];
        check(w >= 0.0 && w <= 1e300, "pagerank", [&] {
            return "start weights must be finite and not negative (got " + std::to_string(w) + ")";
        });
        if (!ready.node(v)) continue;
        weight[v] = w;
        all += w;
    }
    std::vector<double> out(nodes(), 0.0);
    if (nodes() == 0) return out;
    check(all > 0.0, "pagerank", [] { return std::string("no node has a start weight"); });
    std::vector<cpu::WalkStart> starts(1);
    for (std::uint32_t r = 0; r < state_->nodes; ++r) {
        const double w = weight[state_->node(r)];
        if (w == 0.0) continue;
        starts[0].rank.push_back(r);
        starts[0].share.push_back(w / all);
    }
    const auto mass = walk_on("pagerank", backend, ready, starts, {damping, tolerance});
    for (std::uint32_t v = 0; v < state_->nodes; ++v) out[v] = mass[0][state_->rank(v)];
    return out;
}

}  // namespace remanence
