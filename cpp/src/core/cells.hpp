// Cells: centres of vectors that lie near each other, for a group of segments.
//
// A row's code is centred at its cell, and |<q, x - c>| <= |q| |x - c| bounds its cosine before
// the code is read. Rows of a cell lie side by side once their group is full, so that what a
// question cannot want is skipped as a whole. Centres are found by k-means (Lloyd 1982) over a
// sample; which cell a row takes changes bounds, never answers.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "core/columns.hpp"

namespace remanence {

/// Centres as whole steps, so that their products with a question are exact sums.
struct Cells {
    std::size_t width = 0;           ///< values of a centre: 8 * code bytes
    std::vector<float> step;         ///< [count]
    std::vector<std::int8_t> steps;  ///< [count][width]

    std::uint32_t count() const { return static_cast<std::uint32_t>(step.size()); }
    /// The cell of rows without a vector: its centre is zero.
    std::uint32_t nowhere() const { return count(); }
    float at(std::size_t k, std::size_t j) const {
        return step[k] * static_cast<float>(steps[k * width + j]);
    }
    void add(const std::vector<float>& centre);
};

/// Unit of a row's reach, |x - c| rounded up, in a byte.
inline constexpr float reach_unit = 1.0F / 120.0F;

/// Segments that share cells: their vectors fill two gigabytes at most.
std::uint32_t group_segments(std::size_t padded_dim);

/// One cell around the mean of a segment's vectors.
std::shared_ptr<const Cells> one_cell(const Columns& columns, const Segment& segment);

/// Cells of the full segments [first, first + count), pairs that halve what is found first; null
/// where the processor's loops are too slow to gain from them.
std::shared_ptr<const Cells> find_cells(const Columns& columns, std::size_t first,
                                        std::size_t count);

/// Finds the cells of rows by the signs of what they differ from the mean in.
class CellFinder {
public:
    explicit CellFinder(std::shared_ptr<const Cells> cells);
    /// Of cells in pairs: finds the pair first, by what lies between, then the nearer of the two.
    static CellFinder of_halves(std::shared_ptr<const Cells> halves, std::size_t padded);
    /// Cells of the `count` (a multiple of 64) vectors at `rows`, into `cell` [count]. `codes` is
    /// room for count * width / 8 bytes.
    void find(const float* rows, std::size_t padded, std::size_t dim, std::uint32_t count,
              std::vector<std::uint8_t>& codes, std::uint16_t* cell) const;
    const std::shared_ptr<const Cells>& cells() const { return cells_; }

private:
    std::shared_ptr<const Cells> cells_;
    std::vector<float> mean_;           ///< [width] of the centres
    std::vector<std::uint8_t> tables_;  ///< [cell, or pair][groups][64]
    std::vector<std::uint16_t> bias_;   ///< [cell, or pair]
    std::vector<float> apart_;          ///< [pair][padded] what the second has more than the first
    std::vector<float> middle_;         ///< [pair] along it, where both are as near
};

}  // namespace remanence
