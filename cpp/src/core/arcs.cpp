// Building the base of a graph from arrays: count, rank, scatter.
#include "core/arcs.hpp"

#include <algorithm>
#include <limits>

#include "core/gate.hpp"
#include "core/ranks.hpp"
#include "core/threads.hpp"

namespace remanence {

std::size_t Arcs::bytes() const {
    std::size_t sum = 0;
    for (const Array<std::uint32_t>* a :
         {&rank_of, &node_of, &offset, &to, &to_node, &edge, &gate, &source, &target}) {
        sum += a->bytes();
    }
    for (const Column<TimeNs>* c : {&valid_from, &valid_to, &seq_from}) sum += c->values.bytes();
    return sum + weight.values.bytes() + type.values.bytes();
}

std::uint32_t Arcs::place(std::uint32_t e, bool in) const {
    const std::size_t row = std::size_t{2} * rank_of[in ? target[e] : source[e]] + (in ? 1 : 0);
    const std::uint32_t* const first = edge.data() + offset[row];
    const std::uint32_t* const last = edge.data() + offset[row + 1];
    return static_cast<std::uint32_t>(std::lower_bound(first, last, e) - edge.data());
}

Array<std::uint32_t> order_by_degree(const Array<std::uint32_t>& degree) {
    const std::size_t n = degree.size();
    std::uint32_t most = 0;
    for (std::size_t v = 0; v < n; ++v) most = std::max(most, degree[v]);
    Array<std::uint32_t> order(n);
    if (most > 64 * (n + 1024)) {
        for (std::size_t v = 0; v < n; ++v) order[v] = static_cast<std::uint32_t>(v);
        std::stable_sort(order.data(), order.data() + n,
                         [&](std::uint32_t a, std::uint32_t b) { return degree[a] > degree[b]; });
        return order;
    }
    auto first = Array<std::uint32_t>::zeroed(std::size_t{most} + 2);
    for (std::size_t v = 0; v < n; ++v) ++first[most - degree[v] + 1];
    for (std::size_t d = 1; d < first.size(); ++d) first[d] += first[d - 1];
    for (std::size_t v = 0; v < n; ++v) {
        order[first[most - degree[v]]++] = static_cast<std::uint32_t>(v);
    }
    return order;
}

namespace {

/// One value for all where the given column has but one; else a value for each arc.
template <class T>
bool differs(View<const T> given, T fallback, T& one) {
    one = given.empty() ? fallback : given[0];
    return std::any_of(given.begin(), given.end(), [&](const T& x) { return x != one; });
}

/// Bounds in four lanes, as a comparison waits for the one before it.
template <class T>
void bound(View<const T> given, Column<T>& out) {
    std::array<T, 4> low{};
    low.fill(given[0]);
    std::array<T, 4> high = low;
    for (std::size_t i = 0; i + 4 <= given.size(); i += 4) {
        for (std::size_t lane = 0; lane < 4; ++lane) {
            low[lane] = std::min(low[lane], given[i + lane]);
            high[lane] = std::max(high[lane], given[i + lane]);
        }
    }
    for (std::size_t i = given.size() / 4 * 4; i < given.size(); ++i) {
        low[0] = std::min(low[0], given[i]);
        high[0] = std::max(high[0], given[i]);
    }
    out.low = *std::min_element(low.begin(), low.end());
    out.high = *std::max_element(high.begin(), high.end());
}

/// Puts a column of edges beside their arcs.
template <class T>
void spread(const Array<std::uint32_t>& edge, View<const T> given, T fallback, Column<T>& out) {
    if (!differs(given, fallback, out.one)) return;
    bound(given, out);
    out.values = Array<T>(edge.size());
    for (std::size_t a = 0; a < edge.size(); ++a) out.values[a] = given[edge[a]];
}

/// Ends of the edges, and how many arcs of each kind a node has: [2 v] out, [2 v + 1] in.
Array<std::uint32_t> take_ends(Arcs& arcs, const NewEdges& edges) {
    auto count = Array<std::uint32_t>::zeroed(std::size_t{2} * arcs.nodes);
    for (std::uint32_t e = 0; e < arcs.edges; ++e) {
        const auto s = static_cast<std::uint32_t>(edges.source[e]);
        const auto t = static_cast<std::uint32_t>(edges.target[e]);
        arcs.source[e] = s;
        arcs.target[e] = t;
        ++count[std::size_t{2} * s];
        ++count[std::size_t{2} * t + 1];
    }
    return count;
}

}  // namespace

std::shared_ptr<const Arcs> build_arcs(std::uint32_t nodes, const NewEdges& edges, Seq seq) {
    auto made = std::make_shared<Arcs>();
    Arcs& arcs = *made;
    arcs.nodes = nodes;
    arcs.edges = static_cast<std::uint32_t>(edges.source.size());
    arcs.ranked_at = arcs.edges;
    arcs.source = Array<std::uint32_t>(arcs.edges);
    arcs.target = Array<std::uint32_t>(arcs.edges);
    const Array<std::uint32_t> count = take_ends(arcs, edges);
    Array<std::uint32_t> degree(nodes);
    for (std::uint32_t v = 0; v < nodes; ++v) {
        degree[v] = count[std::size_t{2} * v] + count[std::size_t{2} * v + 1];
        arcs.active += degree[v] > 0 ? 1 : 0;
    }
    arcs.node_of = order_by_degree(degree);
    arcs.rank_of = Array<std::uint32_t>(nodes);
    arcs.offset = Array<std::uint32_t>(std::size_t{2} * nodes + 1);
    Array<std::uint32_t> next(std::size_t{2} * nodes);  // by node: where its next arc goes
    arcs.offset[0] = 0;
    for (std::uint32_t r = 0; r < nodes; ++r) {
        const std::size_t v = arcs.node_of[r];
        arcs.rank_of[v] = r;
        for (std::size_t side = 0; side < 2; ++side) {
            next[2 * v + side] = arcs.offset[2 * std::size_t{r} + side];
            arcs.offset[2 * std::size_t{r} + side + 1] = next[2 * v + side] + count[2 * v + side];
        }
    }
    const std::size_t count_of_arcs = std::size_t{2} * arcs.edges;
    for (Array<std::uint32_t>* a : {&arcs.to, &arcs.to_node, &arcs.edge}) {
        *a = Array<std::uint32_t>(count_of_arcs);
    }
    const bool weighted = differs(edges.weight, 1.0F, arcs.weight.one);
    if (weighted) {
        bound(edges.weight, arcs.weight);
        arcs.weight.values = Array<float>(arcs.arcs());
    }
    parallel_for(2, worker_count(0), [&](std::size_t side, int) {
        for (std::uint32_t e = 0; e < arcs.edges; ++e) {
            const std::size_t here = side == 0 ? arcs.source[e] : arcs.target[e];
            const std::uint32_t a = next[2 * here + side]++;
            arcs.to_node[a] = side == 0 ? arcs.target[e] : arcs.source[e];
            arcs.to[a] = arcs.rank_of[arcs.to_node[a]];
            arcs.edge[a] = e;
            if (weighted) arcs.weight.values[a] = edges.weight[e];
        }
    });
    spread<std::uint16_t>(arcs.edge, edges.type, edge_type::related, arcs.type);
    for (const std::uint16_t type : edges.type) put_type(arcs.types, type);
    spread<TimeNs>(arcs.edge, edges.valid_from, time_min, arcs.valid_from);
    spread<TimeNs>(arcs.edge, edges.valid_to, time_max, arcs.valid_to);
    arcs.seq_from.one = seq;
    arcs.last_seq = seq;
    if (wants_gate(arcs)) make_gate(arcs, worker_count(0));
    return made;
}

}  // namespace remanence
