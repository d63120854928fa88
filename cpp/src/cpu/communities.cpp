// What both ways of finding communities share, and label propagation.
#include "cpu/communities.hpp"

#include <algorithm>
#include <numeric>

namespace remanence::cpu {
namespace {

constexpr int most_rounds = 50;

/// SplitMix64: the order depends on the seed alone.
std::uint64_t next_random(std::uint64_t& state) {
    std::uint64_t z = state += 0x9E3779B97F4A7C15ULL;
    z = (z ^ (z >> 30U)) * 0xBF58476D1CE4E5B9ULL;
    z = (z ^ (z >> 27U)) * 0x94D049BB133111EBULL;
    return z ^ (z >> 31U);
}

}  // namespace

std::vector<std::uint32_t> drawn_order(std::uint32_t n, std::uint64_t seed) {
    std::vector<std::uint32_t> order(n);
    std::iota(order.begin(), order.end(), 0U);
    for (std::uint32_t i = n; i > 1; --i) {
        std::swap(order[i - 1], order[next_random(seed) % i]);
    }
    return order;
}

void Undirected::sum_degrees() {
    const std::size_t n = offset.size() - 1;
    degree.assign(n, 0.0);
    total = 0.0;
    for (std::size_t v = 0; v < n; ++v) {
        for (std::size_t a = offset[v]; a < offset[v + 1]; ++a) degree[v] += weight[a];
        total += degree[v];
    }
}

Undirected undirected(const Filter& filter) {
    const GraphState& state = filter.state();
    const Projection rows(filter, Direction::both);
    Undirected out;
    out.offset.assign(std::size_t{state.nodes} + 1, 0);
    for (std::uint32_t v = 0; v < state.nodes; ++v) {
        const std::uint32_t r = state.rank(v);
        out.offset[v + 1] = out.offset[v] + static_cast<std::uint32_t>(rows.end(r) - rows.begin(r));
    }
    out.to.resize(out.offset.back());
    out.weight.resize(out.offset.back());
    for (std::uint32_t v = 0; v < state.nodes; ++v) {
        const std::uint32_t r = state.rank(v);
        std::size_t put = out.offset[v];
        for (std::size_t a = rows.begin(r); a < rows.end(r); ++a, ++put) {
            out.to[put] = state.node(rows.to()[a]);
            const float w = rows.weight() != nullptr ? rows.weight()[a] : rows.one_weight();
            out.weight[put] = static_cast<double>(w);
        }
    }
    out.sum_degrees();
    return out;
}

Labels propagate_labels(const Undirected& graph, std::uint64_t seed) {
    const std::uint32_t n = graph.size();
    Labels label(n);
    std::iota(label.begin(), label.end(), 0U);
    const std::vector<std::uint32_t> order = drawn_order(n, seed);
    LabelSums sums(n);
    for (int round = 0; round < most_rounds; ++round) {
        std::size_t moved = 0;
        for (const std::uint32_t v : order) {
            for (std::size_t a = graph.offset[v]; a < graph.offset[v + 1]; ++a) {
                if (graph.to[a] != v) sums.add(label[graph.to[a]], graph.weight[a]);
            }
            std::uint32_t best = label[v];
            double most = sums.at(best);
            for (const std::uint32_t l : sums.labels()) {
                const double s = sums.at(l);
                if (s > most || (s == most && l < best && best != label[v])) {
                    most = s;
                    best = l;
                }
            }
            sums.clear();
            moved += best != label[v] ? 1 : 0;
            label[v] = best;
        }
        if (moved == 0) break;
    }
    tidy(graph, label);
    return label;
}

void tidy(const Undirected& graph, Labels& labels) {
    const std::uint32_t n = graph.size();
    Labels out(n, n);
    std::vector<std::uint32_t> stack;
    for (std::uint32_t least = 0; least < n; ++least) {
        if (out[least] != n) continue;
        out[least] = least;
        stack.push_back(least);
        while (!stack.empty()) {
            const std::uint32_t v = stack.back();
            stack.pop_back();
            for (std::size_t a = graph.offset[v]; a < graph.offset[v + 1]; ++a) {
                const std::uint32_t u = graph.to[a];
                if (out[u] != n || labels[u] != labels[v]) continue;
                out[u] = least;
                stack.push_back(u);
            }
        }
    }
    labels.swap(out);
}

double modularity(const Undirected& graph, const Labels& labels, double resolution) {
    if (graph.total == 0.0) return 0.0;
    const std::uint32_t n = graph.size();
    std::vector<double> degrees(n, 0.0);
    double inside = 0.0;
    for (std::uint32_t v = 0; v < n; ++v) {
        degrees[labels[v]] += graph.degree[v];
        for (std::size_t a = graph.offset[v]; a < graph.offset[v + 1]; ++a) {
            if (labels[graph.to[a]] == labels[v]) inside += graph.weight[a];
        }
    }
    double expected = 0.0;
    for (const double d : degrees) expected += (d / graph.total) * (d / graph.total);
    return inside / graph.total - resolution * expected;
}

}  // namespace remanence::cpu
