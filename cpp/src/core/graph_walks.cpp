// The questions that walk a view of a graph: checks, and nodes to ranks and back.
#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/device_graph.hpp"
#include "core/start.hpp"
#include "core/threads.hpp"
#include "cpu/paths.hpp"
#include "cpu/traverse.hpp"

namespace remanence {
namespace {

/// A device has arcs of its own.
Reach reach_on(std::string_view backend, Reach much) {
    return backend == "cpu" ? much : Reach::little;
}

std::vector<std::uint32_t> seeds_of(const char* verb, const Filter& filter,
                                    View<const std::int64_t> nodes) {
    check_seed_count(verb, nodes.size());
    std::vector<std::uint32_t> out;
    out.reserve(nodes.size());
    for (const std::int64_t node : nodes) out.push_back(filter.seed(verb, node));
    return out;
}

/// Values by rank as values by node.
template <class T>
std::vector<T> by_node(const GraphState& state, const T* by_rank) {
    std::vector<T> out(state.nodes);
    for (std::uint32_t v = 0; v < state.nodes; ++v) out[v] = by_rank[state.rank(v)];
    return out;
}

/// A device's values and, where it was asked for them, its edges, by node.
template <class T>
Tree<T> tree_of(const GraphState& state, const Array<T>& value,
                const std::vector<std::int64_t>& edge) {
    Tree<T> out{by_node(state, value.data()), {}};
    if (!edge.empty()) out.edge = by_node(state, edge.data());
    return out;
}

Hops khop_on(DeviceGraph& device, const Filter& filter, const std::vector<std::uint32_t>& ranks,
             View<const std::int64_t> start, int hops, std::size_t limit) {
    std::vector<std::uint32_t> cuts(start.begin(), start.end());
    if (start.empty()) {
        cuts.resize(ranks.size() + 1);
        std::iota(cuts.begin(), cuts.end(), 0U);
    }
    Hops out;
    out.start.push_back(0);
    device.khop(filter, ranks, cuts, hops, limit, out);
    return out;
}

constexpr std::size_t sample = 8;  ///< questions that foretell the length of the others' answers

/// Room for so many times what is there, and an eighth.
void reserve(Hops& hops, std::size_t times) {
    const std::size_t size = hops.node.size() * times;
    hops.node.reserve(size + size / 8);
    hops.hop.reserve(size + size / 8);
}

void check_lengths(const char* verb, View<const double> lengths, std::size_t edges) {
    if (lengths.empty()) return;
    check_length(verb, "lengths", lengths.size(), edges);
    for (const double x : lengths) {
        check(x >= 0.0 && std::isfinite(x), verb, [&] {
            return "lengths must be finite and not negative (got " + std::to_string(x) + ")";
        });
    }
}

}  // namespace

Hops GraphView::khop(View<const std::int64_t> seeds, View<const std::int64_t> start, int hops,
                     std::size_t limit, const GraphFilter& filter, std::string_view backend) const {
    check(hops >= 0 && hops <= 64, "khop",
          [&] { return "hops must be between 0 and 64 (got " + std::to_string(hops) + ")"; });
    check(limit > 0, "khop", [] { return std::string("limit must be positive (got 0)"); });
    check_start("khop", start, seeds.size());
    const Filter ready("khop", *state_, filter, reach_on(backend, Reach::counted));
    const std::vector<std::uint32_t> ranks = seeds_of("khop", ready, seeds);
    const std::size_t questions = start.empty() ? ranks.size() : start.size() - 1;
    if (const auto device = graph_on("khop", backend, *state_)) {
        return khop_on(*device, ready, ranks, start, hops, limit);
    }
    const auto part = [&](std::size_t q) {
        const auto first = start.empty() ? q : static_cast<std::size_t>(start[q]);
        const auto last = start.empty() ? q + 1 : static_cast<std::size_t>(start[q + 1]);
        return View<const std::uint32_t>(ranks.data() + first, last - first);
    };
    Hops out;
    out.start.assign(questions + 1, 0);
    // One list per task of several questions, in the order of the questions.
    const auto workers = static_cast<std::size_t>(worker_count(0));
    const std::size_t tasks = std::min(questions, workers == 1 ? 1 : 8 * workers);
    std::vector<Hops> found(tasks);
    parallel_for(tasks, static_cast<int>(workers), [&](std::size_t t, int) {
        const std::size_t first = questions * t / tasks;
        const std::size_t last = questions * (t + 1) / tasks;
        for (std::size_t q = first; q < last; ++q) {
            if (q == first + sample) reserve(found[t], (last - first) / sample);
            cpu::khop(ready, part(q), hops, limit, found[t]);
            out.start[q + 1] = static_cast<std::int64_t>(found[t].node.size());
        }
    });
    if (tasks == 1) {
        out.node.swap(found[0].node);
        out.hop.swap(found[0].hop);
        return out;
    }
    std::size_t before = 0;
    for (std::size_t t = 0; t < tasks; ++t) {
        for (std::size_t q = questions * t / tasks; q < questions * (t + 1) / tasks; ++q) {
            out.start[q + 1] += static_cast<std::int64_t>(before);
        }
        before += found[t].node.size();
    }
    out.node.reserve(before);
    out.hop.reserve(before);
    for (const Hops& h : found) {
        out.node.insert(out.node.end(), h.node.begin(), h.node.end());
        out.hop.insert(out.hop.end(), h.hop.begin(), h.hop.end());
    }
    return out;
}

Tree<std::int32_t> GraphView::bfs(View<const std::int64_t> seeds, bool parents,
                                  const GraphFilter& filter, std::string_view backend) const {
    const Filter ready("bfs", *state_, filter, reach_on(backend, Reach::all));
    const std::vector<std::uint32_t> ranks = seeds_of("bfs", ready, seeds);
    if (const auto device = graph_on("bfs", backend, *state_)) {
        std::vector<std::int64_t> edge;
        const auto found = device->bfs(ready, ranks, parents ? &edge : nullptr);
        return tree_of(*state_, found, edge);
    }
    const Array<std::int32_t> hop = cpu::bfs(ready, ranks);
    Tree<std::int32_t> out{by_node(*state_, hop.data()), {}};
    if (parents) {
        Array<double> values(hop.size());
        for (std::size_t r = 0; r < hop.size(); ++r) {
            values[r] = hop[r] < 0 ? ByHops::worst : hop[r];
        }
        out.edge = by_node(*state_, cpu::parents(ready, ranks, values, ByHops{}).data());
    }
    return out;
}

std::vector<std::int64_t> GraphView::components(const GraphFilter& filter,
                                                std::string_view backend) const {
    const Filter ready("components", *state_, filter, reach_on(backend, Reach::all));
    const auto device = graph_on("components", backend, *state_);
    return device != nullptr ? device->components(ready) : cpu::components(ready);
}

Tree<double> GraphView::shortest_paths(View<const std::int64_t> seeds, View<const double> lengths,
                                       bool parents, const GraphFilter& filter,
                                       std::string_view backend) const {
    const Filter ready("shortest_paths", *state_, filter, reach_on(backend, Reach::all));
    check_lengths("shortest_paths", lengths, edges());
    const std::vector<std::uint32_t> ranks = seeds_of("shortest_paths", ready, seeds);
    if (const auto device = graph_on("shortest_paths", backend, *state_)) {
        std::vector<std::int64_t> edge;
        const DevicePaths paths{PathBy::length, lengths};
        const auto found = device->best(ready, ranks, paths, parents ? &edge : nullptr);
        return tree_of(*state_, found, edge);
    }
    const ByLength by{lengths};
    const Array<double> best = cpu::least_lengths(ready, ranks, by);
    Tree<double> out{by_node(*state_, best.data()), {}};
    if (parents) out.edge = by_node(*state_, cpu::parents(ready, ranks, best, by).data());
    return out;
}

Tree<double> GraphView::best_paths(View<const std::int64_t> seeds, bool parents,
                                   const GraphFilter& filter, std::string_view backend) const {
    const Filter ready("best_paths", *state_, filter, reach_on(backend, Reach::all));
    const std::vector<std::uint32_t> ranks = seeds_of("best_paths", ready, seeds);
    if (const auto device = graph_on("best_paths", backend, *state_)) {
        std::vector<std::int64_t> edge;
        const DevicePaths paths{PathBy::weight, {}};
        const auto found = device->best(ready, ranks, paths, parents ? &edge : nullptr);
        return tree_of(*state_, found, edge);
    }
    const Array<double> best = cpu::greatest_products(ready, ranks);
    Tree<double> out{by_node(*state_, best.data()), {}};
    if (parents) {
        out.edge = by_node(*state_, cpu::parents(ready, ranks, best, ByWeight{}).data());
    }
    return out;
}

std::vector<Path> GraphView::paths(std::int64_t source, std::int64_t target, std::size_t k,
                                   PathBy by, View<const double> lengths, const GraphFilter& filter,
                                   std::string_view backend) const {
    check(k >= 1 && k <= max_k, "paths", [&] {
        return "k must be between 1 and " + std::to_string(max_k) + " (got " + std::to_string(k) +
               ")";
    });
    const Filter ready("paths", *state_, filter);
    check_lengths("paths", lengths, edges());
    const std::uint32_t from = ready.seed("paths", source);
    const std::uint32_t to = ready.seed("paths", target);
    if (const auto device = graph_on("paths", backend, *state_)) {
        return device->paths(ready, from, to, k, {by, lengths});
    }
    return cpu::best_between(ready, from, to, k, by, lengths);
}

}  // namespace remanence
