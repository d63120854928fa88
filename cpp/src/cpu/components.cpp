// Connected components: a flood from each node of a small graph; of a large one hook every node
// below another or link a few arcs of each, then the rest of what the largest component misses.
#include <algorithm>
#include <atomic>
#include <numeric>
#include <utility>

#include "core/threads.hpp"
#include "cpu/passing.hpp"
#include "cpu/traverse.hpp"

namespace remanence::cpu {
namespace {

constexpr int first_arcs = 2;
constexpr std::uint32_t hubs = 64;  ///< ranks
constexpr std::uint32_t samples = 1024;
constexpr std::uint32_t ranks_per_task = 8192;

/// A forest over ranks in which links lead to smaller ranks; safe for several threads.
/// Source: Sutton, Ben-Nun & Barak 2018 (Afforest).
class Forest {
public:
    explicit Forest(std::uint32_t n) : parent_(n) {}
    /// Where parents stand that nobody has read yet.
    std::uint32_t* unset() { return parent_.data(); }
    std::uint32_t load(std::uint32_t v) {
        return std::atomic_ref<std::uint32_t>(parent_[v]).load(std::memory_order_relaxed);
    }
    void link(std::uint32_t u, std::uint32_t v) {
        std::uint32_t a = load(u);
        std::uint32_t b = load(v);
        while (a != b) {
            const std::uint32_t high = std::max(a, b);
            const std::uint32_t low = std::min(a, b);
            std::uint32_t top = load(high);
            if (top == low) return;
            if (top == high && std::atomic_ref<std::uint32_t>(parent_[high])
                                   .compare_exchange_strong(top, low, std::memory_order_relaxed)) {
                return;
            }
            a = load(load(high));
            b = load(low);
        }
    }
    /// Without a branch that is guessed wrong where the parent's parent is a root, as it is in
    /// order of ranks.
    std::uint32_t root(std::uint32_t v) {
        std::uint32_t root = load(load(v));
        for (std::uint32_t up = load(root); up != root; up = load(root)) root = up;
        return root;
    }
    std::uint32_t compress(std::uint32_t v) {
        const std::uint32_t r = root(v);
        set(v, r);
        return r;
    }
    void set(std::uint32_t v, std::uint32_t parent) {
        std::atomic_ref<std::uint32_t>(parent_[v]).store(parent, std::memory_order_relaxed);
    }

private:
    Array<std::uint32_t> parent_;
};

template <class Work>
void over_ranks(std::uint32_t n, Work&& work) {
    parallel_for((n + ranks_per_task - 1) / ranks_per_task, worker_count(0),
                 [&](std::size_t task, int) {
                     const auto first = static_cast<std::uint32_t>(task) * ranks_per_task;
                     const std::uint32_t last = std::min(n, first + ranks_per_task);
                     for (std::uint32_t r = first; r < last; ++r) work(r);
                 });
}

/// The root that most of some evenly spread ranks have, and about how many arcs the others have.
struct Largest {
    Largest() = default;
    template <class AnyRows>
    Largest(Forest& forest, const AnyRows& rows, std::uint32_t n) {
        std::vector<std::pair<std::uint32_t, std::size_t>> found;  // root and arcs
        found.reserve(samples);
        for (std::uint32_t i = 0; i < samples; ++i) {
            const auto r = static_cast<std::uint32_t>(std::uint64_t{i} * n / samples);
            found.emplace_back(forest.load(r), rows.width(r));
            missed += rows.width(r);
        }
        std::sort(found.begin(), found.end());
        std::size_t most = 0;
        std::size_t arcs = 0;
        for (std::size_t i = 0; i < found.size();) {
            std::size_t j = i;
            std::size_t here = 0;
            for (; j < found.size() && found[j].first == found[i].first; ++j) {
                here += found[j].second;
            }
            if (j - i > most) {
                root = found[i].first;
                most = j - i;
                arcs = here;
            }
            i = j;
        }
        missed = (missed - arcs) * n / samples;
    }
    std::uint32_t root = 0;
    std::size_t missed = 0;
};

/// Calls use(to) with the first smaller rank that an arc of the rank leads to, if there is one.
template <class AnyRows, class Use>
void first_smaller(const AnyRows& rows, std::uint32_t r, Use&& use) {
    rows.each_that(
        r, Direction::both, [&](std::uint32_t to, const ArcAt&) { return to < r; },
        [&](std::uint32_t to, const ArcAt&) {
            use(to);
            return true;
        });
}

/// Whether many hooks would lead to one root, as in a graph with hubs.
template <class AnyRows>
bool hooks_pay(const Filter& filter, const AnyRows& rows, std::uint32_t n) {
    constexpr std::uint32_t tries = 256;
    constexpr int steps = 16;
    std::vector<std::uint32_t> ends;
    for (std::uint32_t i = 0; i < tries; ++i) {
        auto r = static_cast<std::uint32_t>(std::uint64_t{i} * n / tries);
        if (filter.restricts_nodes() && !filter.node(filter.state().node(r))) continue;
        int left = steps;
        // Hubs have long rows and are linked to each other.
        for (bool on = true; on && r >= hubs && left > 0; --left) {
            on = false;
            first_smaller(rows, r, [&](std::uint32_t to) {
                r = to;
                on = true;
            });
        }
        if (left > 0) ends.push_back(std::max(r, hubs));
    }
    std::sort(ends.begin(), ends.end());
    for (std::size_t i = 0; i + tries / 4 < ends.size(); ++i) {
        if (ends[i] == ends[i + tries / 4]) return true;
    }
    return false;
}

/// Hooks each rank to the first smaller one that an arc leads to; no parent is read, so that
/// memory is read in order. Source: Jaiganesh & Burtscher 2018 (ECL-CC). A bit for each rank that
/// may have an arc that passes.
template <class AnyRows>
std::vector<std::uint64_t> hook(const Filter& filter, const AnyRows& rows, std::uint32_t n,
                                bool pays, Forest& forest) {
    const GraphState& state = filter.state();
    std::vector<std::uint64_t> open((n + 63) / 64, ~std::uint64_t{0});
    std::uint32_t* const parents = forest.unset();
    if (!pays) {
        std::iota(parents, parents + n, 0U);
        return open;
    }
    const bool at_once = filter.whole_base() || filter.gate_decides();
    const GatedRows words{state.arcs().offset.data(), state.arcs().to.data(), filter.gate(),
                          filter.gate_test()};
    parallel_for((n + ranks_per_task - 1) / ranks_per_task, worker_count(0),
                 [&](std::size_t task, int) {
                     const auto first = static_cast<std::uint32_t>(task) * ranks_per_task;
                     const std::uint32_t last = std::min(n, first + ranks_per_task);
                     std::uint32_t r = first;
                     const std::uint32_t words_end =
                         at_once ? std::clamp(state.arcs().nodes, first, last) : first;
                     for (; r < words_end; r += 64) {
                         const std::uint64_t some =
                             kernels().hook_ranks(words, r, std::min(64U, words_end - r), parents);
                         if (state.log_edges == 0) open[r / 64] = some;
                     }
                     for (r = words_end; r < last; ++r) {
                         parents[r] = r;
                         if (filter.restricts_nodes() && !filter.node(state.node(r))) continue;
                         first_smaller(rows, r, [&](std::uint32_t to) { parents[r] = to; });
                     }
                 });
    return open;
}

/// Labels of nodes. The ranks from `walked` on have no arcs, those below may be two below a root.
void name_components(const GraphState& state, Forest& forest, std::uint32_t walked,
                     std::uint32_t most, std::vector<std::int64_t>& label) {
    const std::uint32_t n = state.nodes;
    std::vector<std::uint32_t> least(walked, n);
    std::uint32_t least_of_most = n;
    for (std::uint32_t r = 0; r < walked; ++r) {
        const std::uint32_t root = forest.compress(r);
        const std::uint32_t node = state.node(r);
        if (root == most) {
            least_of_most = std::min(least_of_most, node);
        } else {
            least[root] = std::min(least[root], node);
        }
    }
    for (std::uint32_t r = 0; r < walked; ++r) {
        const std::uint32_t root = forest.load(r);
        forest.set(r, root == most ? least_of_most : least[root]);
    }
    for (std::uint32_t r = walked; r < n; ++r) forest.set(r, state.node(r));
    for (std::uint32_t v = 0; v < n; ++v) label[v] = forest.load(state.rank(v));
}

/// A flood of so few arcs takes less than the marks of a forest.
constexpr std::size_t flooded_arcs = std::size_t{1} << 17U;

/// Floods from each rank not yet reached, the most connected first. A large front is walked at
/// once, the rows of a small one end to end.
template <class AnyRows>
void flood(const Filter& filter, const AnyRows& rows, std::vector<std::int64_t>& label) {
    constexpr std::size_t large_front = 64;
    const GraphState& state = filter.state();
    const Arcs& arcs = state.arcs();
    // The first rank is always seen.
    Array<std::uint32_t> passing;
    if (filter.gate_decides()) passing = passing_ends(arcs.to, PassingBits(filter), 0);
    Array<std::int32_t> part(state.nodes);
    std::fill_n(part.data(), part.size(), -1);
    Array<std::uint32_t> queue(state.nodes + std::size_t{1});
    RowWalk walk;
    walk.offset = arcs.offset.data();
    walk.rows = arcs.nodes;
    walk.to = passing.empty() ? arcs.to.data() : passing.data();
    walk.arcs = arcs.arcs();
    const std::uint32_t* const ends = walk.to;
    std::int32_t* const mark = walk.mark = part.data();
    std::uint32_t* const found = walk.found = queue.data();
    const bool at_once = !passing.empty() || filter.whole_base();
    std::int32_t parts = 0;
    for (std::uint32_t first = 0; first < state.nodes; ++first) {
        if (part[first] >= 0) continue;
        part[first] = parts;
        queue[0] = first;
        std::size_t end = filter.node(state.node(first)) ? 1 : 0;
        const auto unseen = [&](std::uint32_t to, const ArcAt&) { return part[to] < 0; };
        const auto take = [&](std::uint32_t to, const ArcAt&) {
            part[to] = parts;
            queue[end++] = to;
            return false;
        };
        for (std::size_t at = 0; at < end;) {
            std::size_t last = at + 1;
            if (at_once && end - at >= large_front) {
                last = end;
                end = kernels().reach(walk, at, last, end, parts);
            } else if (at_once) {
                const auto [begin, row_end] = rows.of_base(queue[at], Direction::both);
                std::size_t n = end;
                for (std::size_t a = begin; a < row_end; ++a) {
                    const std::uint32_t to = ends[a];
                    if (mark[to] >= 0) continue;
                    mark[to] = parts;
                    found[n++] = to;
                }
                end = n;
            }
            for (; at < last; ++at) {
                if (!at_once) {
                    rows.each_that(queue[at], Direction::both, unseen, take);
                } else if (state.log_edges > 0) {
                    rows.each_logged(queue[at], Direction::both, unseen, take);
                }
            }
        }
        ++parts;
    }
    Array<std::uint32_t> least(static_cast<std::size_t>(parts));
    std::fill_n(least.data(), least.size(), state.nodes);
    for (std::uint32_t v = 0; v < state.nodes; ++v) {
        std::uint32_t& node = least[static_cast<std::size_t>(part[state.rank(v)])];
        node = std::min(node, v);
        label[v] = node;
    }
}

}  // namespace

std::vector<std::int64_t> components(const Filter& filter) {
    const GraphState& state = filter.state();
    const std::uint32_t n = state.nodes;
    std::vector<std::int64_t> label(n);
    if (n == 0) return label;
    if (state.arcs().arcs() + 2 * std::size_t{state.log_edges} <= flooded_arcs) {
        with_rows(filter, [&](const auto& rows) { flood(filter, rows, label); });
        return label;
    }
    Forest forest(n);
    const std::uint32_t walked = state.log_edges == 0 ? state.arcs().active : n;
    with_rows(filter, [&](const auto& rows) {
        const bool hooked = hooks_pay(filter, rows, walked);
        const std::vector<std::uint64_t> open = hook(filter, rows, walked, hooked, forest);
        const auto asks = [&](std::uint32_t r) {
            return (open[r / 64] >> (r % 64) & 1U) != 0 &&
                   (!filter.restricts_nodes() || filter.node(state.node(r)));
        };
        // A tree that is not the largest follows one arc that leaves it.
        const auto link_root = [&](std::uint32_t r) {
            if (forest.load(r) != r || !asks(r)) return;
            rows.each_that(
                r, Direction::both,
                [&](std::uint32_t to, const ArcAt&) { return forest.root(to) != r; },
                [&](std::uint32_t to, const ArcAt&) {
                    forest.link(r, to);
                    return true;
                });
        };
        // Of the trees of a graph with hubs few are large, and their roots come first.
        for (std::uint32_t r = 0; hooked && r < std::min(walked, hubs); ++r) link_root(r);
        const auto find_largest = [&] {
            over_ranks(walked, [&](std::uint32_t r) { forest.compress(r); });
            return Largest(forest, rows, walked);
        };
        Largest largest;
        if (hooked) largest = find_largest();
        if (!hooked || largest.missed > walked) {
            over_ranks(walked, [&](std::uint32_t r) {
                if (!asks(r)) return;
                int left = first_arcs;
                rows.each(r, Direction::both, [&](std::uint32_t to, const ArcAt&) {
                    forest.link(r, to);
                    return --left == 0;
                });
            });
            largest = find_largest();
        }
        over_ranks(walked, [&](std::uint32_t r) {
            if (forest.load(r) == largest.root || !asks(r)) return;
            rows.each(r, Direction::both, [&](std::uint32_t to, const ArcAt&) {
                forest.link(r, to);
                return false;
            });
        });
        name_components(state, forest, walked, forest.compress(largest.root), label);
    });
    return label;
}

}  // namespace remanence::cpu
