// Power iteration by pulling, in double: every sum has one order, or is an integer sum.
#include "cpu/propagate.hpp"

#include <algorithm>
#include <atomic>
#include <cmath>

#include "core/threads.hpp"

namespace remanence::cpu {
namespace {

// Sums over nodes are counted in units of 2^-62, as an integer sum has no order.
constexpr double unit = 0x1p62;
constexpr int most_rounds = 20000;

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
    for (std::size_t l = 0; i < n; ++i, ++l) lane[l] += term(i);
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
          scaled_(rows_.ranks()) {
        std::fill(scaled_.data(), scaled_.data() + scaled_.size(), Value{0});
    }

    Array<double> run() {
        const double d = settings_.damping;
        for (std::size_t i = 0; i < start_.rank.size(); ++i)
            mass_[start_.rank[i]] = start_.share[i];
        for (int round = 0; round < most_rounds; ++round) {
            const double returned = (1.0 - d) + d * scale();
            const double change = step(returned);
            if (change * d <= stop_.change) break;
        }
        return std::move(mass_);
    }

private:
    /// Divides the mass by the degrees; the mass of nodes without arcs.
    double scale() {
        std::uint64_t lost = 0;
        const auto one = [&](std::uint32_t r) {
            scaled_[r] = static_cast<Value>(mass_[r] * graph_.inverse(r));
            if (graph_.inverse(r) == 0.0) lost += counted(mass_[r]);
        };
        for (std::uint32_t r = 0; r < rows_.active(); ++r) one(r);
        for (const std::uint32_t r : start_.rank) {
            if (r >= rows_.active()) one(r);
        }
        return static_cast<double>(lost) / unit;
    }
    double step(double returned) {
        const double d = settings_.damping;
        std::atomic<std::uint64_t> change{0};
        parallel_for(tasks_.size() - 1, worker_count(0), [&](std::size_t t, int) {
            std::uint64_t moved = 0;
            std::size_t s = static_cast<std::size_t>(
                std::lower_bound(start_.rank.begin(), start_.rank.end(), tasks_[t]) -
                start_.rank.begin());
            for (std::uint32_t r = tasks_[t]; r < tasks_[t + 1]; ++r) {
                const double sum = rows_.weight() ? pull<true>(rows_, r, scaled_.data())
                                                  : pull<false>(rows_, r, scaled_.data());
                double next = d * sum;
                if (s < start_.rank.size() && start_.rank[s] == r) {
                    next += returned * start_.share[s++];
                }
                moved += counted(std::fabs(next - mass_[r]));
                mass_[r] = next;
            }
            change += moved;
        });
        std::uint64_t moved = change;
        for (std::size_t s = 0; s < start_.rank.size(); ++s) {
            const std::uint32_t r = start_.rank[s];
            if (r < rows_.active()) continue;
            const double next = returned * start_.share[s];
            moved += counted(std::fabs(next - mass_[r]));
            mass_[r] = next;
        }
        return static_cast<double>(moved) / unit;
    }

    const WalkGraph& graph_;
    const Projection& rows_;
    const WalkStart& start_;
    WalkSettings settings_;
    std::vector<std::uint32_t> tasks_;
    Array<double> mass_;
    WalkStop stop_;
    Array<Value> scaled_;  ///< mass over degree
};

}  // namespace

WalkGraph::WalkGraph(const Filter& filter)
    : rows_(filter, reversed(filter.direction())), degree_(rows_.ranks()), inverse_(rows_.ranks()) {
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

std::vector<Array<double>> walk(const WalkGraph& graph, const std::vector<WalkStart>& starts,
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

}  // namespace remanence::cpu
