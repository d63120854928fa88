// Sixteen walks in one pass: each arc is read once, each question's sums are those it has alone.
#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <mutex>

#include "core/threads.hpp"
#include "cpu/kernels.hpp"
#include "cpu/propagate.hpp"

namespace remanence::cpu {
namespace {

constexpr double unit = 0x1p62;
constexpr std::size_t second_cache = std::size_t{1} << 20U;
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
          mass_(zeros<double>(rows_.ranks() * together)) {
        for (int side = 0; side < 2; ++side) {
            value_[side] = zeros<double>(stop_.rounded ? 0 : mass_.size());
            rounded_[side] = zeros<float>(stop_.rounded ? mass_.size() : 0);
        }
        for (std::size_t q = 0; q < count_; ++q) {
            for (std::size_t i = 0; i < starts[q].rank.size(); ++i) {
                share_[starts[q].rank[i]][q] = starts[q].share[i];
            }
        }
        for (const auto& [rank, share] : share_) {
            starts_.push_back({rank, {}});
            for (std::size_t q = 0; q < together; ++q) set(rank, q, share[q], lost_);
        }
    }

    void run(std::vector<Array<double>>& out) {
        const std::size_t first = out.size();
        out.resize(first + count_);
        std::size_t open = count_;
        for (int round = 0; open > 0; ++round) {
            const Each change = step();
            std::vector<std::size_t> done;
            for (std::size_t q = 0; q < count_; ++q) {
                const bool near = change[q] * settings_.damping <= stop_.change;
                if (!out[first + q].empty() || (!near && round + 1 < stop_.rounds)) continue;
                out[first + q] = Array<double>(rows_.ranks());
                done.push_back(q);
            }
            open -= done.size();
            take(done, out.data() + first);
        }
    }

private:
    /// The masses of some questions: all of them for a few ranks, then for the next.
    void take(const std::vector<std::size_t>& done, Array<double>* out) const {
        constexpr std::size_t few = 128;
        for (std::size_t begin = 0; begin < rows_.ranks(); begin += few) {
            const std::size_t end = std::min<std::size_t>(begin + few, rows_.ranks());
            for (const std::size_t q : done) {
                for (std::size_t r = begin; r < end; ++r) out[q][r] = mass_[r * together + q];
            }
        }
    }
    template <class T>
    static Array<T> zeros(std::size_t size) {
        Array<T> out(size);
        std::fill(out.data(), out.data() + size, T{0});
        return out;
    }
    static std::uint64_t counted(double x) {
        return static_cast<std::uint64_t>(static_cast<std::int64_t>(x * unit));
    }
    /// A mass, and what its row will hand on.
    void set(std::uint32_t r, std::size_t q, double mass, Counts& lost) {
        const double inverse = graph_.inverse(r);
        mass_[r * together + q] = mass;
        if (stop_.rounded) {
            rounded_[0][r * together + q] = static_cast<float>(mass * inverse);
        } else {
            value_[0][r * together + q] = mass * inverse;
        }
        if (inverse == 0.0) lost[q] += counted(mass);
    }

    /// One round of all questions: how much each changed.
    Each step() {
        const double d = settings_.damping;
        std::size_t next = 0;
        for (const auto& [rank, share] : share_) {
            for (std::size_t q = 0; q < together; ++q) {
                const double back = (1.0 - d) + d * (static_cast<double>(lost_[q]) / unit);
                starts_[next].extra[q] = back * share[q];
            }
            ++next;
        }
        const auto at = [&](std::uint32_t rank) {
            return std::lower_bound(starts_.begin(), starts_.end(), rank,
                                    [](const PullStart& s, std::uint32_t r) { return s.rank < r; });
        };
        const PullRows all = pull_rows();
        Counts moved{};
        lost_ = {};
        std::mutex mutex;
        const auto pull16 = kernels().pull16;
        parallel_for(tasks_.size() - 1, worker_count(0), [&](std::size_t t, int) {
            PullRows rows = all;
            const auto first = at(tasks_[t]);
            rows.starts = starts_.data() + (first - starts_.begin());
            rows.start_count = static_cast<std::size_t>(at(tasks_[t + 1]) - first);
            PullSums here;
            pull16(rows, tasks_[t], tasks_[t + 1], here);
            const std::lock_guard lock(mutex);
            for (std::size_t q = 0; q < together; ++q) {
                moved[q] += here.moved[q];
                lost_[q] += here.lost[q];
            }
        });
        std::swap(value_[0], value_[1]);
        std::swap(rounded_[0], rounded_[1]);
        for (auto s = at(rows_.active()); s != starts_.end(); ++s) {
            for (std::size_t q = 0; q < together; ++q) {
                moved[q] += counted(std::fabs(s->extra[q] - mass_[s->rank * together + q]));
                set(s->rank, q, s->extra[q], lost_);
            }
        }
        Each out{};
        for (std::size_t q = 0; q < together; ++q) out[q] = static_cast<double>(moved[q]) / unit;
        return out;
    }

    PullRows pull_rows() {
        PullRows out;
        out.offset = rows_.offset();
        out.stride = rows_.stride();
        out.width = rows_.width();
        out.to = rows_.to();
        out.weight = rows_.weight();
        out.one = rows_.one_weight();
        out.damping = settings_.damping;
        out.inverse = graph_.inverse();
        out.mass = mass_.data();
        const std::size_t each = stop_.rounded ? sizeof(float) : sizeof(double);
        out.far = rows_.active() * together * each > second_cache;
        if (stop_.rounded) {
            out.rounded = rounded_[0].data();
            out.next_rounded = rounded_[1].data();
        } else {
            out.value = value_[0].data();
            out.next_value = value_[1].data();
        }
        return out;
    }

    const WalkGraph& graph_;
    const Projection& rows_;
    std::size_t count_;
    WalkSettings settings_;
    WalkStop stop_;
    std::vector<std::uint32_t> tasks_;
    std::map<std::uint32_t, Each> share_;
    std::vector<PullStart> starts_;  ///< the ranks of share_
    Counts lost_{};                  ///< mass that handed nothing on
    Array<double> mass_;             ///< [ranks][16]
    Array<double> value_[2];         ///< [ranks][16] mass over degree now and next, or
    Array<float> rounded_[2];        ///< the same in single precision
};

}  // namespace

void walk_together(const WalkGraph& graph, View<const WalkStart> starts,
                   const WalkSettings& settings, std::vector<Array<double>>& out) {
    Together(graph, starts, settings).run(out);
}

}  // namespace remanence::cpu
