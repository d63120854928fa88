// What both ways of finding communities share, and label propagation.
#include "cpu/communities.hpp"

#include <algorithm>
#include <numeric>

#include "core/ranks.hpp"

namespace remanence::cpu {
namespace {

constexpr int most_rounds = 50;

}  // namespace

void Undirected::sum_degrees() {
    const std::size_t n = offset.size() - 1;
    degree.assign(n, 0.0);
    total = 0.0;
    for (std::uint32_t v = 0; v < n; ++v) {
        degree[v] = sum_row(v, [](std::uint32_t) { return true; });
        total += degree[v];
    }
}

Undirected undirected(const Filter& filter) {
    const GraphState& state = filter.state();
    const Projection rows(filter, Direction::both);
    Array<std::uint32_t> arcs(state.nodes);
    for (std::uint32_t v = 0; v < state.nodes; ++v) {
        const std::uint32_t r = state.rank(v);
        arcs[v] = static_cast<std::uint32_t>(rows.end(r) - rows.begin(r));
    }
    Undirected out;
    out.node = order_by_degree(arcs);
    out.offset.assign(std::size_t{state.nodes} + 1, 0);
    std::vector<std::uint32_t> number(state.nodes);  // by rank of the graph
    for (std::uint32_t v = 0; v < state.nodes; ++v) {
        out.offset[v + 1] = out.offset[v] + arcs[out.node[v]];
        number[state.rank(out.node[v])] = v;
    }
    out.arcs.reserve(out.offset.back());
    for (std::uint32_t v = 0; v < state.nodes; ++v) {
        const std::uint32_t r = state.rank(out.node[v]);
        for (std::size_t a = rows.begin(r); a < rows.end(r); ++a) {
            const float w = rows.weight() != nullptr ? rows.weight()[a] : rows.one_weight();
            out.arcs.push_back({number[rows.to()[a]], w});
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
            for (const auto& [u, weight] : graph.row(v)) {
                if (u != v) sums.add(label[u], static_cast<double>(weight));
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
    return label;
}

Labels tidy(const Undirected& graph, const Labels& labels) {
    const std::uint32_t n = graph.size();
    Labels number(n);
    for (std::uint32_t v = 0; v < n; ++v) number[graph.node[v]] = v;
    Labels least(n, n);
    std::vector<std::uint32_t> stack;
    for (std::uint32_t node = 0; node < n; ++node) {
        if (least[number[node]] != n) continue;
        least[number[node]] = node;
        stack.push_back(number[node]);
        while (!stack.empty()) {
            const std::uint32_t v = stack.back();
            stack.pop_back();
            for (const auto& [u, weight] : graph.row(v)) {
                if (labels[u] != labels[v] || least[u] != n) continue;
                least[u] = node;
                stack.push_back(u);
            }
        }
    }
    Labels out(n);
    for (std::uint32_t v = 0; v < n; ++v) out[graph.node[v]] = least[v];
    return out;
}

double modularity(const Undirected& graph, const Labels& by_node, double resolution) {
    const std::uint32_t n = graph.size();
    RowSums rows{std::vector<double>(n), std::vector<double>(n)};
    Labels label(n);
    for (std::uint32_t v = 0; v < n; ++v) label[v] = by_node[graph.node[v]];
    for (std::uint32_t v = 0; v < n; ++v) {
        rows.degree[graph.node[v]] = graph.degree[v];
        rows.inside[graph.node[v]] =
            graph.sum_row(v, [&](std::uint32_t u) { return label[u] == label[v]; });
    }
    return modularity_of(graph.node, rows, by_node, resolution);
}

}  // namespace remanence::cpu
