// The arcs that pass a filter as plain rows on the device.
#pragma once

#include <algorithm>

#include "cuda/graph_mirror.hpp"

namespace remanence::cuda {

/// Rows of the arcs that pass: the mirror's own, or a copy of what passes.
class PassingRows {
public:
    void make(GraphMirror& mirror, const Filter& filter, Direction direction,
              const Stream& stream) {
        const GraphColumns g = mirror.follow(filter, direction, stream);
        rows_ = {g.ranks, g.ranks, 1, 0, 1, nullptr, nullptr, nullptr, 1.0F, nullptr};
        if (filter.plain()) {
            arcs_ = mirror.arcs().arcs();
            rows_ = {g.ranks,
                     mirror.arcs().active,
                     2,
                     g.out ? 0U : 1U,
                     g.in ? 2U : 1U,
                     g.offset,
                     g.to,
                     g.weight,
                     g.one,
                     nullptr};
            return;
        }
        offset_.reserve(std::size_t{g.ranks} + 1);
        run_project(g, offset_.data(), nullptr, nullptr, stream);
        run_sum_offsets(offset_.data(), g.ranks, stream);
        std::uint32_t arcs = 0;
        download(&arcs, offset_.data() + g.ranks, sizeof arcs, stream);
        to_.reserve(std::max<std::size_t>(1, arcs));
        weight_.reserve(std::max<std::size_t>(1, arcs));
        run_project(g, offset_.data(), to_.data(), weight_.data(), stream);
        arcs_ = arcs;
        rows_.offset = offset_.data();
        rows_.to = to_.data();
        rows_.weight = weight_.data();
    }
    const PlainRows& rows() const { return rows_; }
    /// What the rows' offsets are below.
    std::size_t arcs() const { return arcs_; }

private:
    PlainRows rows_{};
    std::size_t arcs_ = 0;
    Buffer<std::uint32_t> offset_, to_;
    Buffer<float> weight_;
};

}  // namespace remanence::cuda
