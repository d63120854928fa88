// What rows score beside their cosine, their words and what a question names: upper bounds, kept.
//
// Questions of equal weights differ in none of it, so it is added up once for a segment and read
// as two bytes a row, where the columns that it comes from have fourteen.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "core/scan.hpp"

namespace remanence {

struct SideBound {
    std::array<float, static_count> table{};
    float activation_weight = 0.0F;
    float importance_weight = 0.0F;
    float lift_weight = 0.0F;
    float usefulness_weight = 0.0F;
    std::shared_ptr<const ActivationBound> activation;  ///< null where nothing falls with time
    float per_reach = 0.0F;  ///< what a query of length one gains of a row's reach, at most

    std::uint32_t count = 0;           ///< rows that it covers
    float least = 0.0F;                ///< a row scores least + step * steps[r] at most
    float step = 0.0F;                 ///< and no more than two steps less
    std::vector<std::uint16_t> steps;  ///< [segment_rows]
    std::array<float, segment_rows / 64> greatest{};  ///< of 64 rows
    std::array<float, segment_rows / 64> reaching{};  ///< the same of sums with per_reach * reach

    /// Whether it is what another asks for that was not filled yet.
    bool serves(const SideBound& wanted) const {
        return count >= wanted.count && activation == wanted.activation &&
               activation_weight == wanted.activation_weight &&
               importance_weight == wanted.importance_weight && lift_weight == wanted.lift_weight &&
               usefulness_weight == wanted.usefulness_weight && table == wanted.table;
    }
    bool holds_use() const { return lift_weight != 0.0F || usefulness_weight != 0.0F; }
    float of(std::uint32_t r) const { return least + step * static_cast<float>(steps[r]); }
    /// Raises what is known of a strip by one of its rows.
    void see(std::uint32_t r, std::uint8_t reach) {
        const float sum = of(r);
        greatest[r / 64] = std::max(greatest[r / 64], sum);
        reaching[r / 64] = std::max(reaching[r / 64], sum + per_reach * static_cast<float>(reach));
    }
};

/// Bounds of a segment's first `rows` for the weights of a plan, made anew when they are missing;
/// null where the plan's activations have none. Safe to call from any number of readers.
std::shared_ptr<const SideBound> side_bound(const ScanPlan& plan, const Segment& segment,
                                            std::uint32_t rows);

/// What a segment's rows score besides the cosine, words and what a question names, for the weights
/// and the time of a plan. Nothing is kept.
std::vector<float> side_sums(const ScanPlan& plan, const Segment& segment);

/// Raises what a segment keeps for a row that was just accessed; the writer's side.
void raise_bounds(Segment& segment, std::uint32_t r);

}  // namespace remanence
