// Sixteen walks in one pass: each arc is read once, each question's sums are those it has alone.
#include <algorithm>
#include <array>
#include <map>
#include <mutex>

#include "core/threads.hpp"
#include "cpu/kernels.hpp"
#include "cpu/propagate.hpp"

namespace remanence::cpu {
namespace {

constexpr double unit = 0x1p62;
constexpr int most_rounds = 20000;
using Each = std::array<double, together>;
using Counts = std::array<std::uint64_t, together>;

class Together {
public:
    Together(const WalkGraph& graph, View<const WalkStart> starts, const WalkSettings& settings)
        : graph_(graph),
          rows_(graph.rows()),
          count_(starts.size()),
          settings_(settings),
          stop_(graph.greatest_inverse(), settings),
          tasks_(rows_.tasks()),
          mass_(rows_.ranks() * together),
          scaled_(stop_.rounded ? 0 : mass_.size()),
          rounded_(stop_.rounded ? mass_.size() : 0) {
        std::fill(mass_.data(), mass_.data() + mass_.size(), 0.0);
        std::fill(scaled_.data(), scaled_.data() + scaled_.size(), 0.0);
        std::fill(rounded_.data(), rounded_.data() + rounded_.size(), 0.0F);
        for (std::size_t q = 0; q < count_; ++q) {
            for (std::size_t i = 0; i < starts[q].rank.size(); ++i) {
                start_[starts[q].rank[i]][q] = starts[q].share[i];
                mass_[starts[q].rank[i] * together + q] = starts[q].share[i];
            }
        }
    }

    void run(std::vector<Array<double>>& out) {
        const std::size_t first = out.size();
        out.resize(first + count_);
        std::size_t open = count_;
        for (int round = 0; open > 0; ++round) {
            const Each change = step(returned());
            for (std::size_t q = 0; q < count_; ++q) {
                const bool near = change[q] * settings_.damping <= stop_.change;
                if (!out[first + q].empty() || (!near && round + 1 < most_rounds)) continue;
                out[first + q] = Array<double>(rows_.ranks());
                for (std::size_t r = 0; r < rows_.ranks(); ++r) {
                    out[first + q][r] = mass_[r * together + q];
                }
                --open;
            }
        }
    }

private:
    /// Divides the masses by the degrees; what returns to the start of each question.
    Each returned() {
        Counts lost{};
        const auto one = [&](std::uint32_t r) {
            const double inverse = graph_.inverse(r);
            const double* const mass = mass_.data() + r * together;
            if (stop_.rounded) {
                float* const out = rounded_.data() + r * together;
                for (std::size_t q = 0; q < together; ++q) {
                    out[q] = static_cast<float>(mass[q] * inverse);
                }
            } else {
                double* const out = scaled_.data() + r * together;
                for (std::size_t q = 0; q < together; ++q) out[q] = mass[q] * inverse;
            }
            if (inverse != 0.0) return;
            for (std::size_t q = 0; q < together; ++q) {
                lost[q] += static_cast<std::uint64_t>(static_cast<std::int64_t>(mass[q] * unit));
            }
        };
        for (std::uint32_t r = 0; r < rows_.active(); ++r) one(r);
        for (const auto& [r, share] : start_) {
            if (r >= rows_.active()) one(r);
        }
        Each out{};
        for (std::size_t q = 0; q < together; ++q) {
            const double d = settings_.damping;
            out[q] = (1.0 - d) + d * (static_cast<double>(lost[q]) / unit);
        }
        return out;
    }

    Each step(const Each& back) {
        Counts moved{};
        std::mutex mutex;
        const auto row = [&](std::uint32_t r, std::size_t arcs, const Each* share, Counts& here) {
            Each extra{};
            if (share != nullptr) {
                for (std::size_t q = 0; q < together; ++q) extra[q] = back[q] * (*share)[q];
            }
            const std::size_t first = arcs == 0 ? 0 : rows_.begin(r);
            kernels().pull16({rows_.to() + first, rows_.weight() ? rows_.weight() + first : nullptr,
                              rows_.one_weight(), arcs, scaled_.data(),
                              stop_.rounded ? rounded_.data() : nullptr, settings_.damping,
                              share != nullptr ? extra.data() : nullptr,
                              mass_.data() + r * together, here.data()});
        };
        parallel_for(tasks_.size() - 1, worker_count(0), [&](std::size_t t, int) {
            Counts here{};
            auto next = start_.lower_bound(tasks_[t]);
            for (std::uint32_t r = tasks_[t]; r < tasks_[t + 1]; ++r) {
                const bool starts = next != start_.end() && next->first == r;
                row(r, rows_.end(r) - rows_.begin(r), starts ? &next->second : nullptr, here);
                if (starts) ++next;
            }
            const std::lock_guard lock(mutex);
            for (std::size_t q = 0; q < together; ++q) moved[q] += here[q];
        });
        for (auto s = start_.lower_bound(rows_.active()); s != start_.end(); ++s) {
            row(s->first, 0, &s->second, moved);
        }
        Each out{};
        for (std::size_t q = 0; q < together; ++q) out[q] = static_cast<double>(moved[q]) / unit;
        return out;
    }

    const WalkGraph& graph_;
    const Projection& rows_;
    std::size_t count_;
    WalkSettings settings_;
    WalkStop stop_;
    std::vector<std::uint32_t> tasks_;
    std::map<std::uint32_t, Each> start_;
    Array<double> mass_;    ///< [ranks][16]
    Array<double> scaled_;  ///< [ranks][16] mass over degree, or
    Array<float> rounded_;  ///< the same in single precision
};

}  // namespace

void walk_together(const WalkGraph& graph, View<const WalkStart> starts,
                   const WalkSettings& settings, std::vector<Array<double>>& out) {
    Together(graph, starts, settings).run(out);
}

}  // namespace remanence::cpu
