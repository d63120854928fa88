// Communities on the device: labels in waves, and what a partition is worth.
#pragma once

#include <vector>

#include "core/device_graph.hpp"
#include "cuda/passing_rows.hpp"

namespace remanence::cuda {

class LabelWaves {
public:
    Array<std::uint32_t> arc_counts(GraphMirror& mirror, const Filter& filter,
                                    const Stream& stream);
    /// cpu::propagate_labels and cpu::tidy.
    std::vector<std::uint32_t> propagate(GraphMirror& mirror, const Filter& filter,
                                         const LabelOrder& order, const Stream& stream);
    RowSums row_sums(GraphMirror& mirror, const Filter& filter, View<const std::uint32_t> label,
                     const Stream& stream);

private:
    void find_waves(std::uint32_t ranks, const Stream& stream);
    void settle_round(const Stream& stream);

    PassingRows passing_;
    LabelColumns c_{};
    std::vector<std::uint32_t> cut_;  ///< where waves begin
    Buffer<std::uint32_t> label_, turn_, earlier_, waves_, tail_, cuts_, moved_, keys_, parent_;
    Buffer<std::uint32_t> least_;
    Buffer<double> sums_, degree_, inside_;
};

}  // namespace remanence::cuda
