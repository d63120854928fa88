// Best paths from one node to another: Dijkstra that stops early, for each of Yen's detours.
#include <algorithm>
#include <queue>
#include <unordered_map>
#include <unordered_set>

#include "core/detours.hpp"
#include "cpu/paths.hpp"

namespace remanence::cpu {
namespace {

struct Banned {
    std::unordered_set<std::int64_t> edges;  ///< as first step only
    std::unordered_set<std::uint32_t> ranks;
};

template <class By>
class Between {
public:
    Between(const Filter& filter, std::uint32_t target, const By& by)
        : filter_(filter), target_(target), by_(by) {}

    /// The best path from `source`, which a walk reaches with `start`; empty when there is none.
    RankPath best(std::uint32_t source, double start, const Banned& banned);

private:
    struct Open {
        double value;
        std::uint32_t rank;
        bool operator<(const Open& other) const { return By::better(other.value, value); }
    };
    double value(std::uint32_t rank) const {
        const auto at = best_.find(rank);
        return at == best_.end() ? By::worst : at->second;
    }
    template <class Use>
    void steps(std::uint32_t source, std::uint32_t from, const Banned& banned, Use&& use) const {
        with_rows(filter_, [&](const auto& rows) {
            rows.each(from, filter_.direction(), [&](std::uint32_t to, const ArcAt& a) {
                if (to == source || banned.ranks.contains(to)) return false;
                if (from == source && !banned.edges.empty() && banned.edges.contains(a.edge())) {
                    return false;
                }
                use(to, a);
                return false;
            });
        });
    }
    RankPath trace(std::uint32_t source, const Banned& banned) const;

    const Filter& filter_;
    std::uint32_t target_;
    By by_;
    std::unordered_map<std::uint32_t, double> best_;
};

template <class By>
RankPath Between<By>::best(std::uint32_t source, double start, const Banned& banned) {
    best_.clear();
    best_[source] = start;
    std::priority_queue<Open> open;
    open.push({start, source});
    while (!open.empty()) {
        const Open now = open.top();
        // What ties with the target may still lie on a path of fewer hops.
        if (By::better(value(target_), now.value)) break;
        open.pop();
        if (now.value != value(now.rank) || now.rank == target_) continue;
        steps(source, now.rank, banned, [&](std::uint32_t to, const ArcAt& a) {
            const double reached = by_.extend(now.value, a);
            double& known = best_.try_emplace(to, By::worst).first->second;
            if (By::better(reached, known)) {
                known = reached;
                open.push({reached, to});
            }
        });
    }
    return value(target_) == By::worst ? RankPath{} : trace(source, banned);
}

/// Level by level along arcs that are tight, so that of equal paths one of fewest hops wins; then
/// back from the target to find which arcs lead there, and forward by least edge numbers.
template <class By>
RankPath Between<By>::trace(std::uint32_t source, const Banned& banned) const {
    struct Tight {
        std::uint32_t from, to;
        std::int64_t edge;
    };
    std::unordered_map<std::uint32_t, std::size_t> hop_of{{source, 0}};
    std::vector<std::vector<Tight>> levels;
    std::vector<std::uint32_t> level{source};
    while (!hop_of.contains(target_) && !level.empty()) {
        const std::size_t hop = levels.size() + 1;
        std::vector<std::uint32_t> next;
        levels.emplace_back();
        for (const std::uint32_t r : level) {
            const double here = value(r);
            steps(source, r, banned, [&](std::uint32_t to, const ArcAt& a) {
                const double there = value(to);
                if (there == By::worst || by_.extend(here, a) != there) return;
                const auto [at, fresh] = hop_of.try_emplace(to, hop);
                if (fresh) next.push_back(to);
                if (at->second == hop) levels.back().push_back({r, to, a.edge()});
            });
        }
        level.swap(next);
    }
    std::unordered_set<std::uint32_t> leads{target_};
    std::unordered_map<std::uint32_t, Tight> step;
    for (auto l = levels.rbegin(); l != levels.rend(); ++l) {
        std::unordered_set<std::uint32_t> before;
        for (const Tight& t : *l) {
            if (!leads.contains(t.to)) continue;
            before.insert(t.from);
            const auto [at, fresh] = step.try_emplace(t.from, t);
            if (!fresh && t.edge < at->second.edge) at->second = t;
        }
        leads.swap(before);
    }
    RankPath out;
    out.value = value(target_);
    out.rank.push_back(source);
    for (std::uint32_t r = source; r != target_; r = out.rank.back()) {
        out.edge.push_back(step.at(r).edge);
        out.rank.push_back(step.at(r).to);
    }
    return out;
}

}  // namespace

std::vector<Path> best_between(const Filter& filter, std::uint32_t source, std::uint32_t target,
                               std::size_t k, PathBy by, View<const double> lengths) {
    return with_measure(by, lengths, [&](const auto& measure) {
        Between search(filter, target, measure);
        const auto ways = [&](const RankPath& path, const std::vector<Detour>& detours) {
            std::vector<RankPath> out;
            Banned banned;
            for (const Detour& d : detours) {
                banned.edges = {d.edges.begin(), d.edges.end()};
                out.push_back(search.best(path.rank[d.at], d.start, banned));
                banned.ranks.insert(path.rank[d.at]);
            }
            return out;
        };
        return paths_by_node(filter, best_detours(filter, source, target, k, measure, ways));
    });
}

}  // namespace remanence::cpu
