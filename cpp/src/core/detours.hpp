// The k best paths between two nodes: each is a detour from one before it. Source: Yen 1971.
#pragma once

#include <algorithm>
#include <cstdint>
#include <set>
#include <vector>

#include "core/path_values.hpp"

namespace remanence {

/// A path inside: its ranks, and its edges, one fewer.
struct RankPath {
    double value = 0.0;
    std::vector<std::int64_t> edge;
    std::vector<std::uint32_t> rank;
};

/// A way to leave a path: from its rank number `at`, which it reaches with the value `start`, not
/// by the edges named, and never back to the ranks before.
struct Detour {
    std::size_t at = 0;
    double start = 0.0;
    std::vector<std::int64_t> edges;  ///< ascending
};

/// Of each detour the best way on to the target, of equal ones that of fewest hops, then of least
/// edge numbers; no edges where there is none. `ways(path, detours)` finds them.
template <class By, class Ways>
std::vector<RankPath> best_detours(const Filter& filter, std::uint32_t source, std::uint32_t target,
                                   std::size_t k, const By& by, Ways&& ways) {
    const auto order = [](const RankPath& a, const RankPath& b) {
        if (a.value != b.value) return By::better(a.value, b.value);
        if (a.edge.size() != b.edge.size()) return a.edge.size() < b.edge.size();
        return a.edge < b.edge;
    };
    if (source == target) return {RankPath{By::start, {}, {source}}};
    std::set<RankPath, decltype(order)> candidates(order);
    std::vector<RankPath> out;
    RankPath last{By::start, {}, {source}};
    std::vector<Detour> detours{{0, By::start, {}}};
    for (;;) {
        std::vector<RankPath> found = ways(last, detours);
        for (std::size_t i = 0; i < found.size(); ++i) {
            RankPath& tail = found[i];
            if (tail.edge.empty()) continue;
            const auto cut = static_cast<std::ptrdiff_t>(detours[i].at);
            tail.edge.insert(tail.edge.begin(), last.edge.begin(), last.edge.begin() + cut);
            tail.rank.insert(tail.rank.begin(), last.rank.begin(), last.rank.begin() + cut);
            candidates.insert(std::move(tail));
        }
        if (candidates.empty()) return out;
        out.push_back(std::move(candidates.extract(candidates.begin()).value()));
        if (out.size() == k) return out;
        last = out.back();
        detours.clear();
        double value = By::start;
        for (std::size_t at = 0; at < last.edge.size(); ++at) {
            Detour detour{at, value, {}};
            for (const RankPath& p : out) {
                if (p.edge.size() > at &&
                    std::equal(p.edge.begin(), p.edge.begin() + static_cast<std::ptrdiff_t>(at),
                               last.edge.begin())) {
                    detour.edges.push_back(p.edge[at]);
                }
            }
            std::sort(detour.edges.begin(), detour.edges.end());
            detours.push_back(std::move(detour));
            double next = By::worst;
            with_rows(filter, [&](const auto& rows) {
                rows.each(last.rank[at], filter.direction(), [&](std::uint32_t, const ArcAt& a) {
                    if (a.edge() != last.edge[at]) return false;
                    next = by.extend(value, a);
                    return true;
                });
            });
            value = next;
        }
    }
}

/// The paths by the numbers of their nodes.
inline std::vector<Path> paths_by_node(const Filter& filter, std::vector<RankPath> paths) {
    std::vector<Path> out;
    for (RankPath& p : paths) {
        out.push_back({p.value, std::move(p.edge), {}});
        for (const std::uint32_t r : p.rank) out.back().node.push_back(filter.state().node(r));
    }
    return out;
}

}  // namespace remanence
