// Connected components: a flood from each node of a small graph; of a large one link a few arcs of
// every node, then the rest of what the largest component misses.
#include <algorithm>
#include <atomic>
#include <optional>

#include "core/threads.hpp"
#include "cpu/passing.hpp"
#include "cpu/row_buffer.hpp"
#include "cpu/traverse.hpp"

namespace remanence::cpu {
namespace {

constexpr int first_arcs = 2;
constexpr std::uint32_t samples = 1024;
constexpr std::uint32_t ranks_per_task = 8192;

/// A forest over ranks in which links lead to smaller ranks; safe for several threads.
/// Source: Sutton, Ben-Nun & Barak 2018 (Afforest).
class Forest {
public:
    explicit Forest(std::uint32_t n) : parent_(n) {
        for (std::uint32_t v = 0; v < n; ++v) parent_[v] = v;
    }
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
    void compress(std::uint32_t v) {
        for (std::uint32_t p = load(v), up = load(p); p != up; p = up, up = load(p)) {
            std::atomic_ref<std::uint32_t>(parent_[v]).store(up, std::memory_order_relaxed);
        }
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

/// The root that most of some evenly spread ranks have.
std::uint32_t commonest(Forest& forest, std::uint32_t n) {
    std::vector<std::uint32_t> roots;
    roots.reserve(samples);
    for (std::uint32_t i = 0; i < samples; ++i) {
        roots.push_back(forest.load(static_cast<std::uint32_t>(std::uint64_t{i} * n / samples)));
    }
    std::sort(roots.begin(), roots.end());
    std::uint32_t best = roots[0];
    std::size_t most = 0;
    for (std::size_t i = 0; i < roots.size();) {
        std::size_t j = i;
        while (j < roots.size() && roots[j] == roots[i]) ++j;
        if (j - i > most) {
            most = j - i;
            best = roots[i];
        }
        i = j;
    }
    return best;
}

/// A flood of so few arcs takes less than the marks of a forest.
constexpr std::size_t flooded_arcs = std::size_t{1} << 17U;

/// Floods from each node not yet reached, the least first; without a filter no branch per arc.
template <class AnyRows>
void flood(const Filter& filter, const AnyRows& rows, std::vector<std::int64_t>& label) {
    const GraphState& state = filter.state();
    std::optional<PassingBits> bits;
    if (filter.gate_decides()) bits.emplace(filter);
    // Bytes: marks that share a word would wait for each other.
    std::vector<std::uint8_t> seen(state.nodes, 0);
    Array<std::uint32_t> queue(state.nodes + std::size_t{1});
    for (std::uint32_t first = 0; first < state.nodes; ++first) {
        if (seen[first] != 0) continue;
        seen[first] = 1;
        label[first] = first;
        if (!filter.node(first)) continue;
        queue[0] = first;
        std::size_t end = 1;
        const auto reach = [&](std::uint32_t node) {
            queue[end] = node;
            end += 1 - seen[node];
            seen[node] = 1;
        };
        const auto use = [&](View<const std::uint32_t> nodes) {
            std::uint8_t* const marks = seen.data();
            std::uint32_t* const found = queue.data();
            std::size_t count = end;
            for (const std::uint32_t node : nodes) {
                found[count] = node;
                count += 1 - marks[node];
                marks[node] = 1;
            }
            end = count;
        };
        const auto flood_by = [&](auto&& near) {
            for (std::size_t at = 0; at < end; ++at) {
                const std::uint32_t node = queue[at];
                label[node] = first;
                const auto [a, last] = rows.of_base(state.rank(node), Direction::both);
                near.add(a, last);
                if (state.log_edges > 0) {
                    rows.each_of_log(node, Direction::both,
                                     [&](std::uint32_t other) { reach(other); });
                }
                if (at + 1 == end) near.flush();
            }
        };
        if (filter.plain()) {
            flood_by(RowBuffer(state.arcs().to_node, state.arcs().active, use));
            continue;
        }
        if (bits) {
            flood_by(PassingBuffer(state.arcs().to_node, bits->data(), use));
            continue;
        }
        for (std::size_t at = 0; at < end; ++at) {
            const std::uint32_t node = queue[at];
            label[node] = first;
            const std::uint32_t rank = state.rank(node);
            // A filter is asked of arcs to new nodes only.
            rows.each_that(
                rank, Direction::both,
                [&](std::uint32_t to, const ArcAt&) { return seen[state.node(to)] == 0; },
                [&](std::uint32_t to, const ArcAt&) {
                    reach(state.node(to));
                    return false;
                });
        }
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
    with_rows(filter, [&](const auto& rows) {
        const auto allowed = [&](std::uint32_t r) {
            return !filter.restricts_nodes() || filter.node(state.node(r));
        };
        over_ranks(n, [&](std::uint32_t r) {
            if (!allowed(r)) return;
            int left = first_arcs;
            rows.each(r, Direction::both, [&](std::uint32_t to, const ArcAt&) {
                forest.link(r, to);
                return --left == 0;
            });
        });
        over_ranks(n, [&](std::uint32_t r) { forest.compress(r); });
        const std::uint32_t largest = commonest(forest, n);
        over_ranks(n, [&](std::uint32_t r) {
            if (forest.load(r) == largest || !allowed(r)) return;
            rows.each(r, Direction::both, [&](std::uint32_t to, const ArcAt&) {
                forest.link(r, to);
                return false;
            });
        });
        over_ranks(n, [&](std::uint32_t r) { forest.compress(r); });
    });
    std::vector<std::uint32_t> least(n, n);
    for (std::uint32_t r = 0; r < n; ++r) {
        std::uint32_t& l = least[forest.load(r)];
        l = std::min(l, state.node(r));
    }
    for (std::uint32_t r = 0; r < n; ++r) label[state.node(r)] = least[forest.load(r)];
    return label;
}

}  // namespace remanence::cpu
