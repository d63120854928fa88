// Leiden: move nodes, refine what came together into parts that hang together, and fold them.
#include <algorithm>
#include <numeric>

#include "core/ranks.hpp"
#include "cpu/communities.hpp"

namespace remanence::cpu {
namespace {

/// Moves must gain more than rounding can feign.
constexpr double least_gain = 1e-12;

/// A round of moves ends the moves when it gains so small a share: of a graph that is large or was
/// folded, and of a small one.
constexpr double least_share = 1e-3;
constexpr double least_share_of_small = 1e-4;
constexpr std::uint32_t small = 1U << 16U;  ///< nodes

constexpr int rounds = 2;  ///< from single nodes, then from what came of them

/// Nodes of many arcs first: the others then find few communities, and most stay where they go.
std::vector<std::uint32_t> visits(const Undirected& graph, std::uint64_t seed) {
    const std::uint32_t n = graph.size();
    const std::vector<std::uint32_t> drawn = drawn_order(n, seed);
    Array<std::uint32_t> arcs(n);
    for (std::uint32_t i = 0; i < n; ++i) {
        arcs[i] = graph.offset[drawn[i] + 1] - graph.offset[drawn[i]];
    }
    const Array<std::uint32_t> order = order_by_degree(arcs);
    std::vector<std::uint32_t> out(n);
    for (std::uint32_t i = 0; i < n; ++i) out[i] = drawn[order[i]];
    return out;
}

/// A queue that holds each node at most once, all of them at first.
class Queue {
public:
    explicit Queue(std::vector<std::uint32_t> order)
        : ring_(std::move(order)), waits_(ring_.size(), 1), count_(ring_.size()) {}
    std::size_t size() const { return count_; }
    bool waits(std::uint32_t v) const { return waits_[v] != 0; }
    std::uint32_t pop() {
        const std::uint32_t v = ring_[head_];
        head_ = head_ + 1 == ring_.size() ? 0 : head_ + 1;
        --count_;
        waits_[v] = 0;
        return v;
    }
    void push(std::uint32_t v) {
        const std::size_t at = head_ + count_++;
        ring_[at < ring_.size() ? at : at - ring_.size()] = v;
        waits_[v] = 1;
    }

private:
    std::vector<std::uint32_t> ring_;
    std::vector<std::uint8_t> waits_;
    std::size_t head_ = 0;
    std::size_t count_;
};

/// Moves nodes to the neighbouring community that gains most until none gains, or a round of those
/// that wait gains less than `enough` of the total.
void move_nodes(const Undirected& graph, double resolution, std::vector<std::uint32_t> order,
                double enough, Labels& label) {
    const std::uint32_t n = graph.size();
    std::vector<double> degrees(n, 0.0);
    for (std::uint32_t v = 0; v < n; ++v) degrees[label[v]] += graph.degree[v];
    Queue queue(std::move(order));
    LabelSums sums(n);
    const double scale = resolution / graph.total;
    double gained = 0.0;
    for (std::size_t round = n; queue.size() > 0; --round) {
        if (round == 0) {
            if (gained < enough * graph.total) return;
            gained = 0.0;
            round = queue.size();
        }
        const std::uint32_t v = queue.pop();
        for (const auto& [u, weight] : graph.row(v)) {
            if (u != v) sums.add(label[u], static_cast<double>(weight));
        }
        const std::uint32_t old = label[v];
        degrees[old] -= graph.degree[v];
        const double k = graph.degree[v] * scale;
        const double stay = sums.at(old) - k * degrees[old];
        std::uint32_t best = old;
        double most = stay + least_gain * graph.degree[v];
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
        gained += most - stay;
        label[v] = best;
        for (const auto& [u, weight] : graph.row(v)) {
            if (!queue.waits(u) && label[u] != best) queue.push(u);
        }
    }
}

/// Within each community, lone nodes that are well connected to it join the part that gains most.
Labels refine(const Undirected& graph, double resolution, const std::vector<std::uint32_t>& order,
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
        for (const auto& [u, weight] : graph.row(v)) {
            if (u != v && community[u] == community[v]) outward[v] += static_cast<double>(weight);
        }
    }
    const double scale = resolution / graph.total;
    const auto well_connected = [&](std::uint32_t p, std::uint32_t c) {
        return outward[p] >= scale * of_part[p] * (of_community[c] - of_part[p]);
    };
    LabelSums sums(n);
    for (const std::uint32_t v : order) {
        const std::uint32_t c = community[v];
        if (lone[v] == 0 || !well_connected(v, c)) continue;
        for (const auto& [u, weight] : graph.row(v)) {
            if (u != v && community[u] == c) sums.add(part[u], static_cast<double>(weight));
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
    out.offset.reserve(first.size());
    out.offset.push_back(0);
    out.arcs.reserve(graph.arcs.size());
    LabelSums sums(count);
    for (std::uint32_t p = 0; p < count; ++p) {
        for (std::uint32_t i = first[p]; i < first[p + 1]; ++i) {
            for (const auto& [u, weight] : graph.row(members[i])) {
                sums.add(part[u], static_cast<double>(weight));
            }
        }
        for (const std::uint32_t to : sums.labels()) {
            out.arcs.push_back({to, static_cast<float>(sums.at(to))});
        }
        sums.clear();
        out.offset.push_back(static_cast<std::uint32_t>(out.arcs.size()));
    }
    out.sum_degrees();
    return out;
}

/// Moves, refines and folds until nothing comes together, from the labels on.
void improve(const Undirected& graph, double resolution, std::uint64_t seed, Labels& label) {
    const std::uint32_t n = graph.size();
    Labels node(n);  // of the graph -> node of the folded graph
    std::iota(node.begin(), node.end(), 0U);
    Labels now_label = label;
    Undirected folded;
    const Undirected* now = &graph;
    double enough = n <= small ? least_share_of_small : least_share;
    for (std::uint64_t level = 0;; ++level, enough = least_share) {
        const std::vector<std::uint32_t> order = visits(*now, seed + level);
        move_nodes(*now, resolution, order, enough, now_label);
        Labels part = refine(*now, resolution, order, now_label);
        const std::uint32_t parts = renumber(part);
        if (parts == now->size()) break;
        Labels above(parts);
        for (std::uint32_t v = 0; v < now->size(); ++v) above[part[v]] = now_label[v];
        renumber(above);
        Undirected next = fold(*now, part, parts);
        for (std::uint32_t& v : node) v = part[v];
        folded = std::move(next);
        now = &folded;
        now_label = std::move(above);
    }
    for (std::uint32_t v = 0; v < n; ++v) label[v] = now_label[node[v]];
}

}  // namespace

Labels leiden(const Undirected& graph, double resolution, std::uint64_t seed) {
    Labels label(graph.size());
    std::iota(label.begin(), label.end(), 0U);
    if (graph.total == 0.0) return label;
    for (int round = 0; round < rounds; ++round) {
        improve(graph, resolution, seed + static_cast<std::uint64_t>(round), label);
    }
    return label;
}

}  // namespace remanence::cpu
