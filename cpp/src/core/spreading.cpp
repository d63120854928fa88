// Personalised PageRank by rounds of pushes; masses are integers, so that no order matters.
#include "core/spreading.hpp"

#include <algorithm>
#include <array>

#include "remanence/canonical.hpp"

#include "core/row_map.hpp"
#include "core/start.hpp"

namespace remanence {
namespace {

constexpr double damping = 0.5;
constexpr double residual = 0.25;  // share of a node's share that may wait
constexpr double most_lift = 4.0;
constexpr double whole = 0x1p62;  // a mass of 1

std::int64_t part(double mass) { return static_cast<std::int64_t>(mass); }

constexpr std::uint64_t unknown = ~std::uint64_t{0};

struct Held {
    std::int64_t settled = 0;
    std::int64_t waiting = 0;
    std::uint64_t units = unknown;  ///< 0 = the node is not seen, or has no edge that is
};

struct Gift {
    std::uint32_t node = 0;
    std::int64_t mass = 0;
};

class Spreading {
public:
    Spreading(const Engine::State& state, const ScanPlan& plan, const EdgeFilter& filter)
        : links_(state.links),
          columns_(state.columns),
          test_(columns_, filter),
          present_(plan.seq >= state.seq),
          summed_(present_ && !filter.valid_at) {}

    /// Equal shares of 1 among the cues.
    void start(const std::vector<std::uint32_t>& nodes);
    void run();
    std::vector<NodeLift> lifts(std::size_t known);

private:
    /// Whether an edge that has passed leads to a memory that is seen.
    bool leads(std::uint32_t node) const {
        return present_ ? links_.units(node) != 0 : test_.node(node);
    }
    template <class Use>
    void each(std::uint32_t node, Use&& use) const {
        if (summed_) {
            links_.ends().each(node, [&](const End& end) {
                if (end.units != 0) use(end.other, end.units);
            });
            return;
        }
        links_.each(node, [&](const Edge& e, bool outgoing) {
            const std::uint32_t other = outgoing ? e.target : e.source;
            if (test_.edge(e, outgoing) && leads(other)) use(other, weight_units(e.weight));
        });
    }
    std::uint64_t units(std::uint32_t node) const {
        if (summed_) return links_.units(node);
        std::uint64_t sum = 0;
        each(node, [&](std::uint32_t, std::uint32_t units) { sum += units; });
        return sum;
    }
    std::uint64_t all_units() const {
        if (summed_) return links_.all_units();
        std::uint64_t sum = 0;
        for (std::uint32_t i = 0; i < links_.count(); ++i) {
            const Edge& e = links_.at(i);
            if (test_.edge(e, true) && leads(e.source) && leads(e.target)) {
                sum += weight_units(e.weight);
            }
        }
        return sum;
    }
    Held& held(std::uint32_t place) {
        auto& [node, h] = found_.at(place);
        if (h.units == unknown) h.units = units(node);
        return h;
    }
    void give(std::uint32_t node, std::int64_t mass) {
        const std::uint32_t place = found_.place(node);
        Held& h = held(place);
        if (h.units == 0) return;
        const double bar = bar_ * static_cast<double>(h.units);
        const bool waited = static_cast<double>(h.waiting) > bar;
        h.waiting += mass;
        if (!waited && static_cast<double>(h.waiting) > bar) next_.push_back(place);
    }
    /// Gives some calls later, when memory has what that takes.
    void give_later(std::uint32_t node, std::int64_t mass) {
        found_.fetch(node);
        const Gift due = later_[turn_];
        later_[turn_] = {node, mass};
        const Gift& near = later_[(turn_ + later_.size() / 2) % later_.size()];
        if (near.mass != 0) found_.fetch_value(near.node);
        if (due.mass != 0) give(due.node, due.mass);
        turn_ = (turn_ + 1) % later_.size();
    }
    void give_all() {
        for (Gift& gift : later_) {
            if (gift.mass != 0) give(gift.node, gift.mass);
            gift.mass = 0;
        }
    }

    const Links& links_;
    const Columns& columns_;
    EdgeTest test_;
    bool present_;  ///< the newest commit is asked
    bool summed_;   ///< the sums of what is seen now hold
    double all_ = 0.0;
    double bar_ = 0.0;  ///< mass that waits, for each unit of a node's weight, without a push
    RowMap<Held> found_;
    std::vector<std::uint32_t> next_;
    std::array<Gift, 32> later_;
    std::size_t turn_ = 0;
};

void Spreading::start(const std::vector<std::uint32_t>& nodes) {
    all_ = 2.0 * static_cast<double>(all_units());
    bar_ = all_ > 0.0 ? residual * whole / all_ : 0.0;
    const auto count = static_cast<double>(nodes.size());
    std::size_t alone = 0;
    for (const std::uint32_t node : nodes) alone += held(found_.place(node)).units == 0 ? 1 : 0;
    // What a cue without edges would hand on starts anew: a geometric series, summed here.
    const double returned = 1.0 - damping * (static_cast<double>(alone) / count);
    const double share = whole / (count * returned);
    for (const std::uint32_t node : nodes) {
        Held& h = found_[node];
        if (h.units == 0) {
            h.settled += part((1.0 - damping) * share);
        } else {
            give(node, part(share));
        }
    }
}

void Spreading::run() {
    std::vector<std::uint32_t> now;
    std::vector<double> handed;
    while (!next_.empty()) {
        now.swap(next_);
        next_.clear();
        handed.clear();
        for (const std::uint32_t place : now) {
            Held& h = found_.at(place).second;
            const auto here = static_cast<double>(h.waiting);
            h.settled += part((1.0 - damping) * here);
            h.waiting = 0;
            handed.push_back(damping * here / static_cast<double>(h.units));
        }
        const auto node_at = [&](std::size_t i) {
            return found_.at(now[std::min(i, now.size() - 1)]).first;
        };
        for (std::size_t i = 0; i < now.size(); ++i) {
            links_.ends().fetch_row(node_at(i + 8));
            links_.ends().fetch_ends(node_at(i + 4));
            each(found_.at(now[i]).first, [&](std::uint32_t other, std::uint32_t units) {
                give_later(other, part(handed[i] * static_cast<double>(units)));
            });
        }
        give_all();
    }
}

std::vector<NodeLift> Spreading::lifts(std::size_t known) {
    const double delta = 1e-3 / static_cast<double>(std::max<std::size_t>(known, 1));
    std::int64_t waiting = 0;
    for (const auto& [node, h] : found_) waiting += h.waiting;
    const double rest = damping * (static_cast<double>(waiting) / whole);
    std::vector<NodeLift> out;
    for (const auto& [node, h] : found_) {
        const double share = all_ > 0.0 ? static_cast<double>(h.units) / all_ : 0.0;
        // A waiting mass leaves its own part here; the rest ends up as a long walk would.
        const double own =
            static_cast<double>(h.settled) + (1.0 - damping) * static_cast<double>(h.waiting);
        const double mass = own / whole + rest * share;
        if (mass <= share) continue;
        const double lift = canonical_log((mass + delta) / (share + delta));
        out.push_back({node, std::min(lift, most_lift)});
    }
    return out;
}

}  // namespace

std::vector<NodeLift> spreading(const Engine::State& state, const ScanPlan& plan) {
    const std::vector<Id>& cues = plan.request->cues;
    check_seed_count("propagate", cues.size());
    EdgeFilter filter;
    filter.as_of = plan.seq;
    filter.valid_at = plan.request->valid_at;
    Spreading walk(state, plan, filter);
    std::vector<std::uint32_t> nodes;
    nodes.reserve(cues.size());
    for (const Id id : cues) {
        const std::uint32_t node = state.columns.node_of(id);
        if (node == none || state.columns.visible_row(node, plan.seq) == none) {
            throw NotFound("propagate: there is no memory " + std::to_string(id));
        }
        nodes.push_back(node);
    }
    walk.start(nodes);
    walk.run();
    return walk.lifts(state.columns.nodes_as_of(plan.seq));
}

}  // namespace remanence
