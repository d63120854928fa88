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

/// Questions for a device wait for one another.
int workers_on(const std::shared_ptr<DeviceGraph>& device) {
    return device == nullptr ? worker_count(0) : 1;
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

/// The tree of each question that `start` cuts the seeds into, side by side where there are enough;
/// one(ranks) answers one.
template <class T, class One>
Tree<T> trees(const char* verb, const GraphState& state, const std::vector<std::uint32_t>& ranks,
              View<const std::int64_t> start, bool parents, int workers, One&& one) {
    check_start(verb, start, ranks.size());
    const View<const std::uint32_t> all(ranks);
    if (start.empty()) return one(all);
    const std::size_t questions = start.size() - 1;
    Tree<T> out;
    out.value.resize(questions * state.nodes);
    if (parents) out.edge.resize(questions * state.nodes);
    const auto ask = [&](std::size_t q, int) {
        const auto first = static_cast<std::size_t>(start[q]);
        const Tree<T> tree =
            one(all.subspan(first, static_cast<std::size_t>(start[q + 1]) - first));
        std::copy(tree.value.begin(), tree.value.end(), out.value.begin() + q * state.nodes);
        std::copy(tree.edge.begin(), tree.edge.end(), out.edge.begin() + q * state.nodes);
    };
    // Few questions share the threads within each.
    if (questions < static_cast<std::size_t>(workers)) workers = 1;
    parallel_for(questions, workers, ask);
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
    const Array<std::uint32_t> passing = cpu::passing_nodes(ready, questions);
    const auto part = [&](std::size_t q) {
        const auto first = start.empty() ? q : static_cast<std::size_t>(start[q]);
        const auto last = start.empty() ? q + 1 : static_cast<std::size_t>(start[q + 1]);
        return View<const std::uint32_t>(ranks.data() + first, last - first);
    };
    Hops out;
    out.start.assign(questions + 1, 0);
    const auto answer = [&](std::size_t first, std::size_t last, Hops& into) {
        for (std::size_t q = first; q < last; ++q) {
            if (q == first + sample) reserve(into, (last - first) / sample);
            cpu::khop(ready, passing, part(q), hops, limit, into);
            out.start[q + 1] = static_cast<std::int64_t>(into.node.size());
        }
    };
    const auto workers = static_cast<std::size_t>(worker_count(0));
    if (workers == 1 || questions == 1) {
        answer(0, questions, out);
        ready.count_asked();
        return out;
    }
    // One list per task of several questions, in the order of the questions.
    const std::size_t tasks = std::min(questions, 8 * workers);
    std::vector<Hops> found(tasks);
    parallel_for(tasks, static_cast<int>(workers), [&](std::size_t t, int) {
        answer(questions * t / tasks, questions * (t + 1) / tasks, found[t]);
    });
    ready.count_asked();
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

Tree<std::int32_t> GraphView::bfs(View<const std::int64_t> seeds, View<const std::int64_t> start,
                                  bool parents, const GraphFilter& filter,
                                  std::string_view backend) const {
    const Filter ready("bfs", *state_, filter, reach_on(backend, Reach::all));
    const std::vector<std::uint32_t> ranks = seeds_of("bfs", ready, seeds);
    const auto device = graph_on("bfs", backend, *state_);
    const auto one = [&](View<const std::uint32_t> from) {
        if (device != nullptr) {
            std::vector<std::int64_t> edge;
            const auto found = device->bfs(ready, from, parents ? &edge : nullptr);
            return tree_of(*state_, found, edge);
        }
        const Array<std::int32_t> hop = cpu::bfs(ready, from);
        Tree<std::int32_t> out{by_node(*state_, hop.data()), {}};
        if (parents) {
            Array<double> values(hop.size());
            for (std::size_t r = 0; r < hop.size(); ++r) {
                values[r] = hop[r] < 0 ? ByHops::worst : hop[r];
            }
            out.edge = by_node(*state_, cpu::parents(ready, from, values, ByHops{}).data());
        }
        return out;
    };
    return trees<std::int32_t>("bfs", *state_, ranks, start, parents, workers_on(device), one);
}

std::vector<std::int64_t> GraphView::components(const GraphFilter& filter,
                                                std::string_view backend) const {
    const Filter ready("components", *state_, filter, reach_on(backend, Reach::all));
    const auto device = graph_on("components", backend, *state_);
    return device != nullptr ? device->components(ready) : cpu::components(ready);
}

Tree<double> GraphView::shortest_paths(View<const std::int64_t> seeds,
                                       View<const std::int64_t> start, View<const double> lengths,
                                       bool parents, const GraphFilter& filter,
                                       std::string_view backend) const {
    const char* const verb = "shortest_paths";
    const Filter ready(verb, *state_, filter, reach_on(backend, Reach::all));
    check_lengths(verb, lengths, edges());
    const std::vector<std::uint32_t> ranks = seeds_of(verb, ready, seeds);
    const auto device = graph_on(verb, backend, *state_);
    const ByLength by{lengths};
    const auto one = [&](View<const std::uint32_t> from) {
        if (device != nullptr) {
            std::vector<std::int64_t> edge;
            const DevicePaths paths{PathBy::length, lengths};
            const auto found = device->best(ready, from, paths, parents ? &edge : nullptr);
            return tree_of(*state_, found, edge);
        }
        const Array<double> best = cpu::least_lengths(ready, from, by);
        Tree<double> out{by_node(*state_, best.data()), {}};
        if (parents) out.edge = by_node(*state_, cpu::parents(ready, from, best, by).data());
        return out;
    };
    return trees<double>(verb, *state_, ranks, start, parents, workers_on(device), one);
}

Tree<double> GraphView::best_paths(View<const std::int64_t> seeds, View<const std::int64_t> start,
                                   bool parents, const GraphFilter& filter,
                                   std::string_view backend) const {
    const char* const verb = "best_paths";
    const Filter ready(verb, *state_, filter, reach_on(backend, Reach::all));
    const std::vector<std::uint32_t> ranks = seeds_of(verb, ready, seeds);
    const auto device = graph_on(verb, backend, *state_);
    const auto one = [&](View<const std::uint32_t> from) {
        if (device != nullptr) {
            std::vector<std::int64_t> edge;
            const DevicePaths paths{PathBy::weight, {}};
            const auto found = device->best(ready, from, paths, parents ? &edge : nullptr);
            return tree_of(*state_, found, edge);
        }
        const Array<double> best = cpu::greatest_products(ready, from);
        Tree<double> out{by_node(*state_, best.data()), {}};
        if (parents) {
            out.edge = by_node(*state_, cpu::parents(ready, from, best, ByWeight{}).data());
        }
        return out;
    };
    return trees<double>(verb, *state_, ranks, start, parents, workers_on(device), one);
}

std::vector<Path> GraphView::paths(std::int64_t source, std::int64_t target, std::size_t k,
                                   PathBy by, View<const double> lengths, const GraphFilter& filter,
                                   std::string_view backend) const {
    return std::move(paths_batch({&source, 1}, {&target, 1}, k, by, lengths, filter, backend)[0]);
}

std::vector<std::vector<Path>> GraphView::paths_batch(
    View<const std::int64_t> sources, View<const std::int64_t> targets, std::size_t k, PathBy by,
    View<const double> lengths, const GraphFilter& filter, std::string_view backend) const {
    check(k >= 1 && k <= max_k, "paths", [&] {
        return "k must be between 1 and " + std::to_string(max_k) + " (got " + std::to_string(k) +
               ")";
    });
    check_length("paths", "targets", targets.size(), sources.size());
    const Filter ready("paths", *state_, filter);
    check_lengths("paths", lengths, edges());
    const std::vector<std::uint32_t> from = seeds_of("paths", ready, sources);
    const std::vector<std::uint32_t> to = seeds_of("paths", ready, targets);
    const auto device = graph_on("paths", backend, *state_);
    std::vector<std::vector<Path>> out(from.size());
    parallel_for(from.size(), workers_on(device), [&](std::size_t q, int) {
        out[q] = device != nullptr ? device->paths(ready, from[q], to[q], k, {by, lengths})
                                   : cpu::best_between(ready, from[q], to[q], k, by, lengths);
    });
    return out;
}

}  // namespace remanence
