// Power iteration by pulling, in double: every sum has one order, or is an integer sum.
#include "cpu/propagate.hpp"

#include <algorithm>
#include <atomic>
#include <cmath>

#include "core/threads.hpp"
#include "cpu/traverse.hpp"

namespace remanence::cpu {
namespace {

// Sums over nodes are counted in units of 2^-62, as an integer sum has no order.
constexpr double unit = 0x1p62;

std::uint64_t counted(double x) {
    return static_cast<std::uint64_t>(static_cast<std::int64_t>(x * unit));
}

Array<double> zeros(std::size_t n) {
    Array<double> out(n);
    std::fill(out.data(), out.data() + n, 0.0);
    return out;
}

/// Sum of weight times value over a row: arc i adds to lane i mod 4.
template <bool weighted, class Value>
double pull(const Projection& rows, std::uint32_t r, const Value* value) {
    const std::size_t first = rows.begin(r);
    const std::size_t n = rows.end(r) - first;
    const std::uint32_t* const to = rows.to() + first;
    const float* const weight = weighted ? rows.weight() + first : nullptr;
    const auto one = static_cast<double>(rows.one_weight());
    const auto term = [&](std::size_t i) {
        return (weighted ? static_cast<double>(weight[i]) : one) *
               static_cast<double>(value[to[i]]);
    };
    double lane[4] = {0.0, 0.0, 0.0, 0.0};
    std::size_t i = 0;
    for (; i + 4 <= n; i += 4) {
        lane[0] += term(i);
        lane[1] += term(i + 1);
        lane[2] += term(i + 2);
        lane[3] += term(i + 3);
    }
    // No loop, so that the lanes stay in registers: most rows are short.
    if (i < n) lane[0] += term(i);
    if (i + 1 < n) lane[1] += term(i + 1);
    if (i + 2 < n) lane[2] += term(i + 2);
    return (lane[0] + lane[1]) + (lane[2] + lane[3]);
}

/// One question's iteration; Value is what nodes hand over.
template <class Value>
class Walk {
public:
    Walk(const WalkGraph& graph, const WalkStart& start, const WalkSettings& settings)
        : graph_(graph),
          rows_(graph.rows()),
          start_(start),
          settings_(settings),
          tasks_(rows_.tasks()),
          mass_(zeros(rows_.ranks())),
          stop_(graph.greatest_inverse(), settings),
          handed_{Array<Value>(rows_.ranks()), Array<Value>(rows_.ranks())} {
        for (Array<Value>& side : handed_) {
            std::fill(side.data(), side.data() + side.size(), Value{0});
        }
    }

    Array<double> run() {
        const double d = settings_.damping;
        std::uint64_t lost = 0;
        for (std::size_t i = 0; i < start_.rank.size(); ++i) {
            lost += set(start_.rank[i], start_.share[i], handed_[0]);
        }
        for (int round = 0; round < stop_.rounds; ++round) {
            const double returned = (1.0 - d) + d * (static_cast<double>(lost) / unit);
            const double change = step(returned, lost);
            if (change * d <= stop_.change) break;
        }
        return std::move(mass_);
    }

private:
    /// A mass, and what its row hands on; what it does not.
    std::uint64_t set(std::uint32_t r, double mass, Array<Value>& handed) {
        const double inverse = graph_.inverse(r);
        mass_[r] = mass;
        handed[r] = static_cast<Value>(mass * inverse);
        return inverse == 0.0 ? counted(mass) : 0;
    }
    double step(double returned, std::uint64_t& lost) {
        const double d = settings_.damping;
        std::atomic<std::uint64_t> change{0};
        std::atomic<std::uint64_t> kept{0};
        const Value* const value = handed_[0].data();
        parallel_for(tasks_.size() - 1, worker_count(0), [&](std::size_t t, int) {
            std::uint64_t moved = 0;
            std::uint64_t here = 0;
            std::size_t s = static_cast<std::size_t>(
                std::lower_bound(start_.rank.begin(), start_.rank.end(), tasks_[t]) -
                start_.rank.begin());
            for (std::uint32_t r = tasks_[t]; r < tasks_[t + 1]; ++r) {
                const double sum =
                    rows_.weight() ? pull<true>(rows_, r, value) : pull<false>(rows_, r, value);
                double next = d * sum;
                if (s < start_.rank.size() && start_.rank[s] == r) {
                    next += returned * start_.share[s++];
                }
                moved += counted(std::fabs(next - mass_[r]));
                here += set(r, next, handed_[1]);
            }
            change += moved;
            kept += here;
        });
        std::uint64_t moved = change;
        lost = kept;
        for (std::size_t s = 0; s < start_.rank.size(); ++s) {
            const std::uint32_t r = start_.rank[s];
            if (r < rows_.active()) continue;
            const double next = returned * start_.share[s];
            moved += counted(std::fabs(next - mass_[r]));
            lost += set(r, next, handed_[1]);
        }
        std::swap(handed_[0], handed_[1]);
        return static_cast<double>(moved) / unit;
    }

    const WalkGraph& graph_;
    const Projection& rows_;
    const WalkStart& start_;
    WalkSettings settings_;
    std::vector<std::uint32_t> tasks_;
    Array<double> mass_;
    WalkStop stop_;
    Array<Value> handed_[2];  ///< mass over degree, now and next
};

}  // namespace

WalkGraph::WalkGraph(const Filter& filter)
    : filter_(&filter),
      rows_(filter, reversed(filter.direction())),
      degree_(rows_.ranks()),
      inverse_(rows_.ranks()) {
    const auto fill = [&](const Projection& p) {
        parallel_for((p.ranks() + 4095) / 4096, worker_count(0), [&](std::size_t t, int) {
            const auto first = static_cast<std::uint32_t>(t * 4096);
            for (std::uint32_t r = first; r < std::min(p.ranks(), first + 4096); ++r) {
                degree_[r] = p.degree(r);
                inverse_[r] = degree_[r] > 0.0 ? 1.0 / degree_[r] : 0.0;
            }
        });
    };
    if (filter.direction() == Direction::both) {
        fill(rows_);
    } else {
        fill(Projection(filter, filter.direction()));
    }
    for (std::size_t r = 0; r < inverse_.size(); ++r) {
        greatest_inverse_ = std::max(greatest_inverse_, inverse_[r]);
    }
}

WalkGraph::WalkGraph(const WalkGraph& all, const RankPart& part)
    : filter_(all.filter_),
      rows_(all.rows_, part),
      degree_(part.rank.size()),
      inverse_(part.rank.size()),
      greatest_inverse_(all.greatest_inverse_) {
    for (std::size_t i = 0; i < part.rank.size(); ++i) {
        degree_[i] = all.degree_[part.rank[i]];
        inverse_[i] = all.inverse_[part.rank[i]];
    }
}

RankPart WalkGraph::reached(const std::vector<WalkStart>& starts) const {
    RankPart out;
    if (filter_->direction() != Direction::both) return out;
    std::vector<std::uint32_t> seeds;
    for (const WalkStart& s : starts) seeds.insert(seeds.end(), s.rank.begin(), s.rank.end());
    const Array<std::int32_t> hop = bfs(*filter_, seeds);
    out.number = Array<std::uint32_t>(hop.size());
    for (std::uint32_t r = 0; r < hop.size(); ++r) {
        out.number[r] = static_cast<std::uint32_t>(out.rank.size());
        if (hop[r] >= 0) out.rank.push_back(r);
    }
    return out;
}

namespace {

std::vector<Array<double>> walk_all(const WalkGraph& graph, const std::vector<WalkStart>& starts,
                                    const WalkSettings& settings) {
    std::vector<Array<double>> out;
    out.reserve(starts.size());
    std::size_t q = 0;
    while (starts.size() - q >= least_together) {
        const std::size_t n = std::min(together, starts.size() - q);
        walk_together(graph, {starts.data() + q, n}, settings, out);
        q += n;
    }
    const bool rounded = WalkStop(graph.greatest_inverse(), settings).rounded;
    for (; q < starts.size(); ++q) {
        out.push_back(rounded ? Walk<float>(graph, starts[q], settings).run()
                              : Walk<double>(graph, starts[q], settings).run());
    }
    return out;
}

}  // namespace

std::vector<Array<double>> walk(const WalkGraph& graph, const std::vector<WalkStart>& starts,
                                const WalkSettings& settings) {
    const RankPart part = graph.reached(starts);
    if (part.rank.empty() || part.rank.size() > graph.rows().active() / 8 * 7) {
        return walk_all(graph, starts, settings);
    }
    std::vector<WalkStart> numbered = starts;
    for (WalkStart& s : numbered) {
        for (std::uint32_t& r : s.rank) r = part.number[r];
    }
    std::vector<Array<double>> out;
    out.reserve(starts.size());
    for (const Array<double>& found : walk_all(WalkGraph(graph, part), numbered, settings)) {
        Array<double> mass(graph.rows().ranks());
        std::fill(mass.data(), mass.data() + mass.size(), 0.0);
        for (std::size_t i = 0; i < found.size(); ++i) mass[part.rank[i]] = found[i];
        out.push_back(std::move(mass));
    }
    return out;
}

}  // namespace remanence::cpu
