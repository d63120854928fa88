// Best paths from one node to another: Dijkstra that stops early, and Yen's detours from it.
#include <algorithm>
#include <queue>
#include <set>
#include <unordered_map>
#include <unordered_set>

#include "cpu/paths.hpp"

namespace remanence::cpu {
namespace {

/// A path inside: ranks, and values after each arc.
struct Found {
    double value = 0.0;
    std::vector<std::int64_t> edge;
    std::vector<std::uint32_t> rank;
};

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
    Found best(std::uint32_t source, double start, const Banned& banned);

    std::vector<Found> yen(std::uint32_t source, std::size_t k);

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
    Found trace(std::uint32_t source, const Banned& banned) const;

    const Filter& filter_;
    std::uint32_t target_;
    By by_;
    std::unordered_map<std::uint32_t, double> best_;
};

template <class By>
Found Between<By>::best(std::uint32_t source, double start, const Banned& banned) {
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
    return value(target_) == By::worst ? Found{} : trace(source, banned);
}

/// Level by level along arcs that are tight, so that of equal paths one of fewest hops wins; then
/// back from the target to find which arcs lead there, and forward by least edge numbers.
template <class By>
Found Between<By>::trace(std::uint32_t source, const Banned& banned) const {
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
    Found out;
    out.value = value(target_);
    out.rank.push_back(source);
    for (std::uint32_t r = source; r != target_; r = out.rank.back()) {
        out.edge.push_back(step.at(r).edge);
        out.rank.push_back(step.at(r).to);
    }
    return out;
}

template <class By>
std::vector<Found> Between<By>::yen(std::uint32_t source, std::size_t k) {
    const auto order = [](const Found& a, const Found& b) {
        if (a.value != b.value) return By::better(a.value, b.value);
        if (a.edge.size() != b.edge.size()) return a.edge.size() < b.edge.size();
        return a.edge < b.edge;
    };
    std::set<Found, decltype(order)> candidates(order);
    std::vector<Found> out;
    if (source == target_) return {Found{By::start, {}, {source}}};
    Found first = best(source, By::start, {});
    if (first.edge.empty()) return out;
    candidates.insert(std::move(first));
    while (out.size() < k && !candidates.empty()) {
        out.push_back(std::move(candidates.extract(candidates.begin()).value()));
        if (out.size() == k) break;
        const Found last = out.back();
        double root_value = By::start;
        Banned banned;
        for (std::size_t i = 0; i < last.edge.size(); ++i) {
            banned.edges.clear();
            for (const Found& p : out) {
                if (p.edge.size() > i &&
                    std::equal(p.edge.begin(), p.edge.begin() + static_cast<std::ptrdiff_t>(i),
                               last.edge.begin())) {
                    banned.edges.insert(p.edge[i]);
                }
            }
            Found tail = best(last.rank[i], root_value, banned);
            if (!tail.edge.empty()) {
                const auto cut = static_cast<std::ptrdiff_t>(i);
                tail.edge.insert(tail.edge.begin(), last.edge.begin(), last.edge.begin() + cut);
                tail.rank.insert(tail.rank.begin(), last.rank.begin(), last.rank.begin() + cut);
                candidates.insert(std::move(tail));
            }
            banned.ranks.insert(last.rank[i]);
            double next_value = By::worst;
            with_rows(filter_, [&](const auto& rows) {
                rows.each(last.rank[i], filter_.direction(), [&](std::uint32_t, const ArcAt& a) {
                    if (a.edge() != last.edge[i]) return false;
                    next_value = by_.extend(root_value, a);
                    return true;
                });
            });
            root_value = next_value;
        }
    }
    return out;
}

template <class By>
std::vector<Path> run(const Filter& filter, std::uint32_t source, std::uint32_t target,
                      std::size_t k, const By& by) {
    std::vector<Path> out;
    for (Found& f : Between<By>(filter, target, by).yen(source, k)) {
        Path p;
        p.value = f.value;
        p.edge = std::move(f.edge);
        for (const std::uint32_t r : f.rank) p.node.push_back(filter.state().node(r));
        out.push_back(std::move(p));
    }
    return out;
}

}  // namespace

std::vector<Path> best_between(const Filter& filter, std::uint32_t source, std::uint32_t target,
                               std::size_t k, PathBy by, View<const double> lengths) {
    switch (by) {
        case PathBy::hops:
            return run(filter, source, target, k, ByHops{});
        case PathBy::length:
            return run(filter, source, target, k, ByLength{lengths});
        case PathBy::weight:
            break;
    }
    return run(filter, source, target, k, ByWeight{});
}

}  // namespace remanence::cpu
