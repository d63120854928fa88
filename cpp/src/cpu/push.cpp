// Local PageRank: residuals are pushed in the order in which they arise, near the start only.
#include "core/push.hpp"

#include <algorithm>

#include "cpu/propagate.hpp"

namespace remanence::cpu {
namespace {

/// What a push keeps of a rank, side by side: an arc reads one line of memory.
struct Held {
    double residual = 0.0;
    std::uint32_t width = 0;  ///< 0 = not touched
    bool pushed = false;      ///< it has a mass
};

/// Kept from call to call and emptied by what was touched.
struct Scratch {
    std::vector<Held> held;
    std::vector<double> mass;
    std::vector<std::uint32_t> touched;
    std::vector<std::uint32_t> queue;
};

constexpr std::size_t ahead = 16;  ///< so many ranks before its turn is one asked for

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
        Held& h = s_.held[r];
        if (h.width == 0) {
            h.width = width(r);
            s_.touched.push_back(r);
        }
        const double bar = residual_ * static_cast<double>(h.width);
        // What waits above the bar is queued already.
        const bool queued = h.residual > bar;
        h.residual += mass;
        if (!queued && h.residual > bar) s_.queue.push_back(r);
    }

    template <class AnyRows>
    void run(const AnyRows& rows, const std::vector<std::pair<std::uint32_t, double>>& start) {
        for (const auto& [r, share] : start) give(r, share);
        for (std::size_t at = 0; at < s_.queue.size(); ++at) {
            const std::uint32_t r = s_.queue[at];
            const double here = s_.held[r].residual;
            s_.held[r].residual = 0.0;
            s_.held[r].pushed = true;
            s_.mass[r] += (1.0 - damping_) * here;
            double degree = 0.0;
            steps_.clear();
            for (const bool in : {false, true}) {
                if (filter_.direction() == (in ? Direction::out : Direction::in)) continue;
                rows.side(r, in, [&](std::uint32_t to, const ArcAt& a) {
                    __builtin_prefetch(&s_.held[to], 1);
                    rows.fetch_offset(to);
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
        s.held.resize(state.nodes);
    }
    std::vector<std::pair<std::uint32_t, double>> from;
    from.reserve(start.rank.size());
    for (std::size_t i = 0; i < start.rank.size(); ++i) {
        from.emplace_back(start.rank[i], start.share[i]);
    }
    Push local(filter, damping, residual, s);
    with_rows(filter, [&](const auto& rows) { local.run(rows, from); });
    const std::vector<std::uint32_t>& touched = s.touched;
    double left = 0.0;
    for (std::size_t i = 0; i < touched.size(); ++i) {
        __builtin_prefetch(&s.held[touched[std::min(i + ahead, touched.size() - 1)]], 1);
        left += damping * s.held[touched[i]].residual;
    }
    const auto take = [&](std::size_t i) {
        const std::uint32_t r = touched[i];
        Held& h = s.held[r];
        const Pushed out{r, h.width, h.pushed ? s.mass[r] : 0.0, h.residual};
        if (h.pushed) s.mass[r] = 0.0;
        h = {};
        return out;
    };
    NodeMasses out = pushed_masses(filter, s.touched.size(), take, left, damping, top);
    s.touched.clear();
    s.queue.clear();
    return out;
}

}  // namespace remanence::cpu
