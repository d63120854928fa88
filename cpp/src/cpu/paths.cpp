// Best values from seeds to everything, by buckets. Source: Meyer & Sanders 2003 (delta-stepping).
#include "cpu/paths.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <optional>

#include "cpu/passing.hpp"

namespace remanence::cpu {
namespace {

/// Walks of this share of the arcs go on long enough to ask the filter of all arcs first.
constexpr std::size_t bits_share = 64;

struct Entry {
    std::uint32_t rank;
    double value;
};

/// A window of buckets by ascending key; what lies beyond it waits and is dealt out later.
class Buckets {
public:
    void push(std::uint64_t key, const Entry& e) {
        if (key >= base_ + window) {
            beyond_.push_back({key, e});
        } else {
            buckets_[key % window].push_back(e);
            ++inside_;
        }
    }
    /// The entries of the least key that has any, or false. Pushes of the same key come next.
    bool pop(std::vector<Entry>& out) {
        if (inside_ == 0) {
            if (beyond_.empty()) return false;
            const auto least =
                std::min_element(beyond_.begin(), beyond_.end(),
                                 [](const Late& a, const Late& b) { return a.key < b.key; });
            base_ = least->key;
            std::vector<Late> waiting;
            waiting.swap(beyond_);
            for (const Late& l : waiting) push(l.key, l.entry);
        }
        while (buckets_[base_ % window].empty()) ++base_;
        out.clear();
        out.swap(buckets_[base_ % window]);
        inside_ -= out.size();
        return true;
    }

private:
    static constexpr std::uint64_t window = 4096;
    struct Late {
        std::uint64_t key;
        Entry entry;
    };
    std::vector<std::vector<Entry>> buckets_{window};
    std::vector<Late> beyond_;
    std::uint64_t base_ = 0;
    std::size_t inside_ = 0;
};

template <class AnyRows, class By, class Key>
Array<double> relax(const Filter& filter, const AnyRows& rows, View<const std::uint32_t> seeds,
                    const By& by, Key&& key) {
    const GraphState& state = filter.state();
    Array<double> best(state.nodes);
    std::fill(best.data(), best.data() + best.size(), By::worst);
    Buckets buckets;
    for (const std::uint32_t seed : seeds) {
        best[seed] = By::start;
        buckets.push(key(By::start), {seed, By::start});
    }
    std::vector<Entry> now;
    std::size_t walked = 0;
    std::optional<PassingBits> bits;
    const std::size_t enough = state.arcs().arcs() / bits_share;
    const ArcValues values{state.arcs().to.data(), state.arcs().weight.values.data(), best.data(),
                           By::worst == 0.0};
    const bool at_once = by.by_weight() && values.weight != nullptr;
    const bool all_pass = filter.whole_base();
    while (buckets.pop(now)) {
        if (!bits && at_once && walked > enough && filter.gate_decides()) bits.emplace(filter);
        for (const Entry& e : now) {
            if (best[e.rank] != e.value) continue;
            double value = 0.0;
            const auto better = [&](std::uint32_t to, const ArcAt& a) {
                value = by.extend(e.value, a);
                return By::better(value, best[to]);
            };
            const auto take = [&](std::uint32_t to, const ArcAt&) {
                best[to] = value;
                buckets.push(key(value), {to, value});
                return false;
            };
            walked += rows.width(e.rank);
            if (!at_once || (!bits && !all_pass)) {
                rows.each_that(e.rank, filter.direction(), better, take);
                continue;
            }
            const auto [begin, end] = rows.of_base(e.rank, filter.direction());
            for (std::size_t a = begin; a < end; a += 64) {
                std::uint64_t some =
                    end - a >= 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << (end - a)) - 1;
                if (bits) some &= bits->from(a);
                some = kernels().find_better(values, e.value, a, some);
                for (; some != 0; some &= some - 1) {
                    const std::size_t b = a + static_cast<std::size_t>(std::countr_zero(some));
                    // Another arc of these may have bettered the same rank.
                    const ArcAt arc{&state, b, false};
                    if (better(values.to[b], arc)) take(values.to[b], arc);
                }
            }
            rows.each_logged(e.rank, filter.direction(), better, take);
        }
    }
    return best;
}

/// A bucket's width: with narrow ones there are many rounds, with wide ones the rows of hubs are
/// walked several times.
double bucket_width(const Filter& filter, const ByLength& by) {
    const GraphState& state = filter.state();
    double sum = 0.0;
    std::size_t count = 0;
    if (!by.lengths.empty()) {
        const std::size_t step = by.lengths.size() / 1024 + 1;
        for (std::size_t e = 0; e < by.lengths.size(); e += step, ++count) sum += by.lengths[e];
    } else {
        const std::size_t arcs = state.arcs().arcs();
        const std::size_t step = arcs / 1024 + 1;
        for (std::size_t a = 0; a < arcs; a += step, ++count) {
            sum += static_cast<double>(state.arcs().weight.at(a));
        }
    }
    if (count == 0 || sum == 0.0) return 1.0;
    const double mean = sum / static_cast<double>(count);
    const double degree = 2.0 * static_cast<double>(state.edges()) / (state.nodes + 1.0);
    return mean / std::max(1.0, degree * 2.5);
}

template <class By>
std::vector<std::int64_t> tree(const Filter& filter, View<const std::uint32_t> seeds,
                               const Array<double>& values, const By& by) {
    const GraphState& state = filter.state();
    std::vector<std::int64_t> edge(state.nodes, -1);
    std::vector<std::int32_t> hop(state.nodes, -1);
    std::vector<std::uint32_t> level;
    for (const std::uint32_t seed : seeds) {
        if (hop[seed] != 0) level.push_back(seed);
        hop[seed] = 0;
    }
    with_rows(filter, [&](const auto& rows) {
        for (std::int32_t next_hop = 1; !level.empty(); ++next_hop) {
            std::vector<std::uint32_t> next;
            for (const std::uint32_t r : level) {
                const auto on_a_best_path = [&](std::uint32_t to, const ArcAt& a) {
                    if (hop[to] >= 0 && hop[to] != next_hop) return false;
                    return by.extend(values[r], a) == values[to] && values[to] != By::worst;
                };
                rows.each_that(r, filter.direction(), on_a_best_path,
                               [&](std::uint32_t to, const ArcAt& a) {
                                   const std::int64_t e = a.edge();
                                   if (hop[to] < 0) {
                                       hop[to] = next_hop;
                                       edge[to] = e;
                                       next.push_back(to);
                                   } else {
                                       edge[to] = std::min(edge[to], e);
                                   }
                                   return false;
                               });
            }
            level.swap(next);
        }
    });
    return edge;
}

}  // namespace

Array<double> least_lengths(const Filter& filter, View<const std::uint32_t> seeds,
                            const ByLength& by) {
    const double scale = 1.0 / bucket_width(filter, by);
    const auto key = [scale](double value) {
        return static_cast<std::uint64_t>(std::min(value * scale, 0x1p62));
    };
    return with_rows(filter, [&](const auto& rows) { return relax(filter, rows, seeds, by, key); });
}

Array<double> greatest_products(const Filter& filter, View<const std::uint32_t> seeds) {
    // Positive doubles order like their bits; 2^47 of them make one bucket, 1/32 of an octave.
    const auto key = [](double value) {
        return (std::bit_cast<std::uint64_t>(1.0) - std::bit_cast<std::uint64_t>(value)) >> 47U;
    };
    return with_rows(filter,
                     [&](const auto& rows) { return relax(filter, rows, seeds, ByWeight{}, key); });
}

std::vector<std::int64_t> parents(const Filter& filter, View<const std::uint32_t> seeds,
                                  const Array<double>& values, const ByLength& by) {
    return tree(filter, seeds, values, by);
}
std::vector<std::int64_t> parents(const Filter& filter, View<const std::uint32_t> seeds,
                                  const Array<double>& values, const ByWeight& by) {
    return tree(filter, seeds, values, by);
}
std::vector<std::int64_t> parents(const Filter& filter, View<const std::uint32_t> seeds,
                                  const Array<double>& values, const ByHops& by) {
    return tree(filter, seeds, values, by);
}

}  // namespace remanence::cpu
