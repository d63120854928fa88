// The arcs that pass a filter as plain rows, for questions that walk all of them many times.
#pragma once

#include <cstdint>
#include <vector>

#include "core/rows.hpp"

namespace remanence {

/// Some of the ranks, ascending, numbered anew.
struct RankPart {
    std::vector<std::uint32_t> rank;
    Array<std::uint32_t> number;  ///< [ranks] of those in the part their number
};

/// Rows by rank. Where every arc passes these are the base's own arrays, else a copy of what
/// passes. A row's order is canonical: out arcs by edge number, then in arcs by edge number.
class Projection {
public:
    Projection(const Filter& filter, Direction direction);
    /// The rows of a part that no arc leaves.
    Projection(const Projection& all, const RankPart& part);
    Projection(const Projection&) = delete;
    Projection& operator=(const Projection&) = delete;

    std::uint32_t ranks() const { return ranks_; }
    std::uint32_t active() const { return active_; }  ///< ranks from here on have no arcs
    std::size_t begin(std::uint32_t r) const { return offset_[stride_ * r + low_]; }
    std::size_t end(std::uint32_t r) const { return offset_[stride_ * r + high_]; }
    /// Row r stands from offset()[stride() * r] to offset()[stride() * r + width()].
    const std::uint32_t* offset() const { return offset_ + low_; }
    std::size_t stride() const { return stride_; }
    std::size_t width() const { return high_ - low_; }
    const std::uint32_t* to() const { return to_; }
    /// Null when every weight is one_weight().
    const float* weight() const { return weight_; }
    float one_weight() const { return one_; }
    /// Cuts the active ranks into tasks of about as many arcs: [tasks + 1].
    std::vector<std::uint32_t> tasks() const;
    /// Summed weight of a row, in the canonical four lanes.
    double degree(std::uint32_t r) const;

private:
    void copy(const Filter& filter, Direction direction);
    void own_rows(bool weighted);

    std::uint32_t ranks_;
    std::uint32_t active_;
    std::size_t stride_ = 2;
    std::size_t low_ = 0;
    std::size_t high_ = 2;
    const std::uint32_t* offset_ = nullptr;
    const std::uint32_t* to_ = nullptr;
    const float* weight_ = nullptr;
    float one_ = 1.0F;
    Array<std::uint32_t> own_offset_;
    Array<std::uint32_t> own_to_;
    Array<float> own_weight_;
};

}  // namespace remanence
