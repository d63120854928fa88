// Leiden: move nodes, refine what came together into parts that hang together, and fold them.
#include <algorithm>
#include <numeric>

#include "cpu/communities.hpp"

namespace remanence::cpu {
namespace {

/// Moves must gain more than rounding can feign.
constexpr double least_gain = 1e-12;

/// Moves nodes to the neighbouring community that gains most until none gains; whether any moved.
bool move_nodes(const Undirected& graph, double resolution, std::uint64_t seed, Labels& label) {
    const std::uint32_t n = graph.size();
    std::vector<double> degrees(n, 0.0);
    for (std::uint32_t v = 0; v < n; ++v) degrees[label[v]] += graph.degree[v];
    const std::vector<std::uint32_t> order = drawn_order(n, seed);
    std::vector<std::uint32_t> ring(order);  // a queue that holds each node at most once
    std::vector<std::uint8_t> queued(n, 1);
    std::size_t head = 0;
    std::size_t waiting = n;
    LabelSums sums(n);
    bool any = false;
    const double scale = resolution / graph.total;
    while (waiting > 0) {
        const std::uint32_t v = ring[head];
        head = head + 1 == n ? 0 : head + 1;
        --waiting;
        queued[v] = 0;
        for (std::size_t a = graph.offset[v]; a < graph.offset[v + 1]; ++a) {
            if (graph.to[a] != v) sums.add(label[graph.to[a]], graph.weight[a]);
        }
        const std::uint32_t old = label[v];
        degrees[old] -= graph.degree[v];
        const double k = graph.degree[v] * scale;
        std::uint32_t best = old;
        double most = sums.at(old) - k * degrees[old] + least_gain * graph.degree[v];
        for (const std::uint32_t l : sums.labels()) {
            const double gain = sums.at(l) - k * degrees[l];
            if (gain > most || (gain == most && best != old && l < best)) {
                most = gain;
                best = l;
            }
        }
        sums.clear();
        degrees[best] += graph.degree[v];
        if (best == old) continue;
        label[v] = best;
        any = true;
        for (std::size_t a = graph.offset[v]; a < graph.offset[v + 1]; ++a) {
            const std::uint32_t u = graph.to[a];
            if (queued[u] != 0 || label[u] == best) continue;
            queued[u] = 1;
            ring[(head + waiting) % n] = u;
            ++waiting;
        }
    }
    return any;
}

/// Within each community, lone nodes that are well connected to it join the part that gains most.
Labels refine(const Undirected& graph, double resolution, std::uint64_t seed,
              const Labels& community) {
    const std::uint32_t n = graph.size();
    Labels part(n);
    std::iota(part.begin(), part.end(), 0U);
    std::vector<double> of_community(n, 0.0);
    std::vector<double> of_part(graph.degree);
    std::vector<double> outward(n, 0.0);  // weight from a part to the rest of its community
    std::vector<std::uint8_t> lone(n, 1);
    for (std::uint32_t v = 0; v < n; ++v) {
        of_community[community[v]] += graph.degree[v];
        for (std::size_t a = graph.offset[v]; a < graph.offset[v + 1]; ++a) {
            const std::uint32_t u = graph.to[a];
            if (u != v && community[u] == community[v]) outward[v] += graph.weight[a];
        }
    }
    const double scale = resolution / graph.total;
    const auto well_connected = [&](std::uint32_t p, std::uint32_t c) {
        return outward[p] >= scale * of_part[p] * (of_community[c] - of_part[p]);
    };
    LabelSums sums(n);
    for (const std::uint32_t v : drawn_order(n, seed)) {
        const std::uint32_t c = community[v];
        if (lone[v] == 0 || !well_connected(v, c)) continue;
        for (std::size_t a = graph.offset[v]; a < graph.offset[v + 1]; ++a) {
            const std::uint32_t u = graph.to[a];
            if (u != v && community[u] == c) sums.add(part[u], graph.weight[a]);
        }
        std::uint32_t best = v;
        double most = 0.0;
        for (const std::uint32_t p : sums.labels()) {
            if (p == v || !well_connected(p, c)) continue;
            const double gain = sums.at(p) - scale * graph.degree[v] * of_part[p];
            if (gain > most || (gain == most && best != v && p < best)) {
                most = gain;
                best = p;
            }
        }
        if (best != v) {
            outward[best] += outward[v] - 2.0 * sums.at(best);
            of_part[best] += of_part[v];
            part[v] = best;
            lone[best] = 0;
        }
        sums.clear();
    }
    return part;
}

/// Numbers the labels from 0 in the order of their least node; how many there are.
std::uint32_t renumber(Labels& labels) {
    constexpr std::uint32_t fresh = 0xFFFFFFFFU;
    Labels number(*std::max_element(labels.begin(), labels.end()) + std::size_t{1}, fresh);
    std::uint32_t count = 0;
    for (std::uint32_t& l : labels) {
        if (number[l] == fresh) number[l] = count++;
        l = number[l];
    }
    return count;
}

/// One node per part, with the summed weights between them.
Undirected fold(const Undirected& graph, const Labels& part, std::uint32_t count) {
    std::vector<std::uint32_t> first(std::size_t{count} + 1, 0);
    for (const std::uint32_t p : part) ++first[p + 1];
    for (std::uint32_t p = 0; p < count; ++p) first[p + 1] += first[p];
    std::vector<std::uint32_t> members(part.size());
    std::vector<std::uint32_t> next(first.begin(), first.end() - 1);
    for (std::uint32_t v = 0; v < part.size(); ++v) members[next[part[v]]++] = v;
    Undirected out;
    out.offset.push_back(0);
    LabelSums sums(count);
    for (std::uint32_t p = 0; p < count; ++p) {
        for (std::uint32_t i = first[p]; i < first[p + 1]; ++i) {
            const std::uint32_t v = members[i];
            for (std::size_t a = graph.offset[v]; a < graph.offset[v + 1]; ++a) {
                sums.add(part[graph.to[a]], graph.weight[a]);
            }
        }
        for (const std::uint32_t to : sums.labels()) {
            out.to.push_back(to);
            out.weight.push_back(sums.at(to));
        }
        sums.clear();
        out.offset.push_back(static_cast<std::uint32_t>(out.to.size()));
    }
    out.sum_degrees();
    return out;
}

}  // namespace

Labels leiden(const Undirected& graph, double resolution, std::uint64_t seed) {
    const std::uint32_t n = graph.size();
    Labels node(n);  // of the graph -> node of the folded graph
    std::iota(node.begin(), node.end(), 0U);
    Labels label = node;
    if (graph.total == 0.0) return label;
    Undirected folded;
    const Undirected* now = &graph;
    for (std::uint64_t level = 0;; ++level) {
        move_nodes(*now, resolution, seed + level, label);
        Labels part = refine(*now, resolution, seed + level, label);
        const std::uint32_t parts = renumber(part);
        if (parts == now->size()) break;
        Labels above(parts);
        for (std::uint32_t v = 0; v < now->size(); ++v) above[part[v]] = label[v];
        renumber(above);
        Undirected next = fold(*now, part, parts);
        for (std::uint32_t& v : node) v = part[v];
        folded = std::move(next);
        now = &folded;
        label = std::move(above);
    }
    Labels out(n);
    for (std::uint32_t v = 0; v < n; ++v) out[v] = label[node[v]];
    tidy(graph, out);
    return out;
}

}  // namespace remanence::cpu
