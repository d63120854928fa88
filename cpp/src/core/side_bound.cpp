// Making and keeping the bounds of side terms.
#include "core/side_bound.hpp"

#include <algorithm>
#include <atomic>

#include "core/cells.hpp"
#include "cpu/kernels.hpp"

namespace remanence {
namespace {

constexpr float most_steps = 65'000.0F;  // the rest of 16 bits is for rows that rise

/// Steps of a value above the least: rounded up, and up again for what the division can lose.
std::uint32_t steps_of(const SideBound& bound, float value) {
    return static_cast<std::uint32_t>((value - bound.least) / bound.step + 0.01F) + 1;
}

/// What accesses add to a row from `at` on, at most. All of them came after its first, so their
/// share of the quickly falling parts is greater and their lead over it only falls.
float use_of(const SideBound& bound, const Segment& s, std::uint32_t r, TimeNs at) {
    if (s.accesses[r] <= 1 && s.used[r] == 0 && s.unused[r] == 0) return 0.0F;
    float sum = 0.0F;
    if (bound.lift_weight != 0.0F && s.accesses[r] > 1) {
        const AccessState state = read_access(s, r);
        at = std::max(at, state.last_access);
        const AccessState first = first_access(Law::power_trace, s.created[r]);
        const float lift =
            activation_of(state, Law::power_trace, at) - activation_of(first, Law::power_trace, at);
        sum += bound.lift_weight * lift;
    }
    if (s.used[r] != 0 || s.unused[r] != 0) {
        sum += bound.usefulness_weight * usefulness_feature(s.used[r], s.unused[r]);
    }
    return sum;
}

/// Whether every row that was accessed has a law whose lift only falls.
bool lifts_fall(const Segment& s) {
    constexpr auto only = static_cast<std::uint8_t>(1U << static_cast<unsigned>(Law::power_trace));
    return std::all_of(s.blocks.begin(), s.blocks.end(),
                       [](const BlockSummary& b) { return b.touched == 0 || b.laws == only; });
}

/// Exactly but for the activations and what use adds, in the order of `Term`.
std::vector<float> sums_of(const SideBound& bound, const Segment& s) {
    std::vector<float> sums(bound.count);
    cpu::SideBlock side;
    side.count = bound.count;
    side.table = bound.table.data();
    side.statics = s.statics;
    side.kind = s.kind;
    if (bound.activation_weight != 0.0F) side.activation = bound.activation->nats.data();
    side.activation_weight = bound.activation_weight;
    if (bound.importance_weight != 0.0F) side.importance = s.importance;
    side.importance_weight = bound.importance_weight;
    side.log_belief = s.log_belief;
    cpu::kernels().side(side, sums.data());
    const TimeNs at = bound.activation != nullptr ? bound.activation->made_at : 0;
    for (std::uint32_t r = 0; bound.holds_use() && r < bound.count; ++r) {
        sums[r] += use_of(bound, s, r, at);
    }
    return sums;
}

/// What questions of a plan's weights share, without the activations.
SideBound wanted_by(const ScanPlan& plan, const Segment& segment, std::uint32_t rows) {
    const Weights& w = plan.request->weights;
    SideBound wanted;
    wanted.table = plan.table;
    wanted.activation_weight = w.activation;
    wanted.importance_weight = w.importance;
    wanted.per_reach = w.cosine * reach_unit;
    wanted.count = rows;
    if (plan.seq == seq_now && w.lift >= 0.0F && (w.lift == 0.0F || lifts_fall(segment))) {
        wanted.lift_weight = w.lift;
        wanted.usefulness_weight = w.usefulness;
    }
    return wanted;
}

void fill(const Segment& s, SideBound& bound) {
    const std::vector<float> sums = sums_of(bound, s);
    bound.steps.resize(segment_rows);
    if (sums.empty()) return;
    const auto [least, most] = std::minmax_element(sums.begin(), sums.end());
    bound.least = *least;
    bound.step = std::max((*most - *least) / most_steps, 1e-30F);
    bound.greatest.fill(bound.least);
    bound.reaching.fill(bound.least);
    for (std::uint32_t r = 0; r < bound.count; ++r) {
        bound.steps[r] = static_cast<std::uint16_t>(steps_of(bound, sums[r]));
        bound.see(r, s.codes.reach[r]);
    }
}

}  // namespace

std::shared_ptr<const SideBound> side_bound(const ScanPlan& plan, const Segment& segment,
                                            std::uint32_t rows) {
    const Weights& w = plan.request->weights;
    if (w.activation < 0.0F || (w.activation != 0.0F && plan.seq != seq_now)) return nullptr;
    SideBound wanted = wanted_by(plan, segment, rows);
    if (w.activation != 0.0F || wanted.lift_weight != 0.0F) {
        wanted.activation = activation_bound(segment, plan.request->now, rows);
    }
    for (auto& kept : segment.side_bounds) {
        auto known = std::atomic_load(&kept);
        if (known != nullptr && known->serves(wanted)) return known;
    }
    auto made = std::make_shared<SideBound>(std::move(wanted));
    fill(segment, *made);
    for (std::size_t i = segment.side_bounds.size() - 1; i > 0; --i) {
        std::atomic_store(&segment.side_bounds[i], std::atomic_load(&segment.side_bounds[i - 1]));
    }
    std::atomic_store(&segment.side_bounds[0], made);
    return made;
}

std::vector<float> side_sums(const ScanPlan& plan, const Segment& segment) {
    SideBound bound = wanted_by(plan, segment, segment.count);
    if (bound.activation_weight != 0.0F || bound.lift_weight != 0.0F) {
        auto now = std::make_shared<ActivationBound>();
        now->made_at = plan.request->now;
        now->count = segment.count;
        add_activations(segment, 0, *now);
        bound.activation = now;
    }
    return sums_of(bound, segment);
}

void raise_bounds(Segment& segment, std::uint32_t r) {
    raise_bound(segment, r);
    for (auto& kept : segment.side_bounds) {
        const auto bound = std::atomic_load(&kept);
        if (bound == nullptr || r >= bound->count) continue;
        TimeNs at = 0;
        float sum = bound->table[segment.statics[r]];
        if (bound->activation != nullptr) {
            at = bound->activation->made_at;
            sum += bound->activation->nats[r] * bound->activation_weight;
        }
        sum += segment.importance[r] * bound->importance_weight + segment.log_belief[r];
        if (bound->holds_use()) sum += use_of(*bound, segment, r, at);
        if (sum < bound->of(r)) continue;
        const std::uint32_t steps = steps_of(*bound, sum);
        if (steps > 0xFFFFU) {
            std::atomic_store(&kept, std::shared_ptr<SideBound>());
            continue;
        }
        bound->steps[r] = static_cast<std::uint16_t>(steps);
        bound->see(r, segment.codes.reach[r]);
    }
}

}  // namespace remanence
