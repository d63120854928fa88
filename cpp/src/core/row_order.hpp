// The order that the rows of full segments are sorted in.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <vector>

#include "remanence/recall.hpp"

#include "core/cells.hpp"
#include "core/columns.hpp"

namespace remanence {

/// Segments whose rows are sorted together before their group is full.
inline std::size_t quarter_of(const Columns& columns) {
    return std::max<std::size_t>(1, group_segments(columns.padded_dim) / 4);
}

/// Full segments that lie one after the other, with the codes that their rows are sorted by.
struct Run {
    const Columns& columns;
    Weights weights;    ///< of the questions that rows are sorted for
    std::size_t first;  ///< segment
    std::size_t count;
    std::shared_ptr<const Cells> cells;                ///< null: their own
    std::vector<std::unique_ptr<SegmentCodes>> fresh;  ///< in these, where a segment has others

    std::uint32_t first_row() const { return static_cast<std::uint32_t>(first * segment_rows); }
    std::uint32_t rows() const { return static_cast<std::uint32_t>(count * segment_rows); }
    const Segment& at(std::uint32_t r) const { return *columns.segments[first + r / segment_rows]; }
    const SegmentCodes& codes(std::uint32_t r) const {
        const bool own = fresh.empty() || fresh[r / segment_rows] == nullptr;
        return own ? at(r).codes : *fresh[r / segment_rows];
    }
    bool coded() const { return codes(0).encoded != 0; }
    /// Rows of one segment among many are too few of a cell to gain from it.
    bool by_cells() const { return coded() && count >= quarter_of(columns); }
};

/// Which row comes when; empty where they stand so already.
std::vector<std::uint32_t> order_of(const Run& run);

}  // namespace remanence
