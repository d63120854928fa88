// Local PageRank: residuals are pushed in the order in which they arise, near the start only.
#include "core/push.hpp"

#include <algorithm>

#include "cpu/propagate.hpp"

namespace remanence::cpu {
namespace {

/// Marks of a rank.
constexpr std::uint8_t touched = 1;
constexpr std::uint8_t queued = 2;

/// Kept from call to call and emptied by what was touched.
struct Scratch {
    std::vector<double> mass;
    std::vector<double> residual;
    std::vector<std::uint8_t> mark;
    std::vector<std::uint32_t> touched;
    std::vector<std::uint32_t> queue;
};

struct Step {
    std::uint32_t to;
    double weight;
};

class Push {
public:
    Push(const Filter& filter, double damping, double residual, Scratch& scratch)
        : filter_(filter),
          state_(filter.state()),
          damping_(damping),
          residual_(residual),
          s_(scratch) {}

    void give(std::uint32_t r, double mass) {
        double& there = s_.residual[r];
        std::uint8_t& mark = s_.mark[r];
        there += mass;
        if ((mark & queued) != 0) return;
        if (mark == 0) {
            mark = touched;
            s_.touched.push_back(r);
        }
        if (there > residual_ * static_cast<double>(width(r))) {
            mark |= queued;
            s_.queue.push_back(r);
        }
    }

    template <class AnyRows>
    void run(const AnyRows& rows, const std::vector<std::pair<std::uint32_t, double>>& start) {
        for (const auto& [r, share] : start) give(r, share);
        for (std::size_t at = 0; at < s_.queue.size(); ++at) {
            const std::uint32_t r = s_.queue[at];
            const double here = s_.residual[r];
            s_.mark[r] = touched;
            s_.residual[r] = 0.0;
            s_.mass[r] += (1.0 - damping_) * here;
            double degree = 0.0;
            steps_.clear();
            for (const bool in : {false, true}) {
                if (filter_.direction() == (in ? Direction::out : Direction::in)) continue;
                rows.side(r, in, [&](std::uint32_t to, const ArcAt& a) {
                    steps_.push_back({to, static_cast<double>(a.weight())});
                    degree += steps_.back().weight;
                    return false;
                });
            }
            // Where there is nowhere to go the mass returns to the start, as in the exact walk.
            if (steps_.empty()) {
                for (const auto& [seed, share] : start) give(seed, damping_ * here * share);
            }
            const double share = damping_ * here / degree;
            for (const Step& step : steps_) give(step.to, share * step.weight);
        }
    }

    /// Arcs of a node that a push looks at, whether or not they pass; at least one.
    std::uint32_t width(std::uint32_t r) const {
        std::uint32_t n = 0;
        const Direction d = filter_.direction();
        if (r < state_.arcs().nodes) {
            const std::uint32_t* const o = state_.arcs().offset.data() + std::size_t{2} * r;
            n = o[d == Direction::out ? 1 : 2] - o[d == Direction::in ? 1 : 0];
        }
        for (const bool in : {false, true}) {
            if (state_.log_edges == 0 || d == (in ? Direction::out : Direction::in)) continue;
            state_.epoch->log->each(state_.node(r), in, state_.log_edges,
                                    [&](std::uint32_t, std::uint32_t) {
                                        ++n;
                                        return false;
                                    });
        }
        return std::max(n, 1U);
    }

private:
    const Filter& filter_;
    const GraphState& state_;
    double damping_;
    double residual_;
    Scratch& s_;
    std::vector<Step> steps_;
};

}  // namespace

NodeMasses push(const Filter& filter, const WalkStart& start, double damping, double residual,
                std::size_t top) {
    thread_local Scratch s;
    const GraphState& state = filter.state();
    if (s.mass.size() < state.nodes) {
        s.mass.resize(state.nodes, 0.0);
        s.residual.resize(state.nodes, 0.0);
        s.mark.resize(state.nodes, 0);
    }
    std::vector<std::pair<std::uint32_t, double>> from;
    from.reserve(start.rank.size());
    for (std::size_t i = 0; i < start.rank.size(); ++i) {
        from.emplace_back(start.rank[i], start.share[i]);
    }
    Push local(filter, damping, residual, s);
    with_rows(filter, [&](const auto& rows) { local.run(rows, from); });
    double left = 0.0;
    for (const std::uint32_t r : s.touched) left += damping * s.residual[r];
    const auto take = [&](std::size_t i) {
        const std::uint32_t r = s.touched[i];
        const Pushed out{r, local.width(r), s.mass[r], s.residual[r]};
        s.mass[r] = s.residual[r] = 0.0;
        s.mark[r] = 0;
        return out;
    };
    NodeMasses out = pushed_masses(filter, s.touched.size(), take, left, damping, top);
    s.touched.clear();
    s.queue.clear();
    return out;
}

}  // namespace remanence::cpu
