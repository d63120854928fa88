// Copying the arcs that pass a filter, or pointing at the base where all of them do.
#include "core/projection.hpp"

#include <algorithm>

#include "core/threads.hpp"

namespace remanence {
namespace {
constexpr std::size_t arcs_per_task = 1U << 15U;
constexpr std::uint32_t ranks_per_task = 4096;
}  // namespace

Projection::Projection(const Filter& filter, Direction direction)
    : ranks_(filter.state().nodes), active_(ranks_) {
    if (!filter.plain()) {
        copy(filter, direction);
        return;
    }
    const Arcs& arcs = filter.state().arcs();
    active_ = arcs.active;
    low_ = direction == Direction::in ? 1 : 0;
    high_ = direction == Direction::out ? 1 : 2;
    offset_ = arcs.offset.data();
    to_ = arcs.to.data();
    weight_ = arcs.weight.constant() ? nullptr : arcs.weight.values.data();
    one_ = arcs.weight.one;
}

Projection::Projection(const Projection& all, const RankPart& part)
    : ranks_(static_cast<std::uint32_t>(part.rank.size())),
      active_(ranks_),
      one_(all.one_),
      own_offset_(part.rank.size() + 1) {
    own_offset_[0] = 0;
    for (std::size_t i = 0; i < ranks_; ++i) {
        const std::uint32_t r = part.rank[i];
        own_offset_[i + 1] = own_offset_[i] + static_cast<std::uint32_t>(all.end(r) - all.begin(r));
    }
    own_to_ = Array<std::uint32_t>(own_offset_[ranks_]);
    if (all.weight_ != nullptr) own_weight_ = Array<float>(own_to_.size());
    for (std::size_t i = 0; i < ranks_; ++i) {
        std::uint32_t put = own_offset_[i];
        for (std::size_t a = all.begin(part.rank[i]); a < all.end(part.rank[i]); ++a, ++put) {
            own_to_[put] = part.number[all.to_[a]];
            if (all.weight_ != nullptr) own_weight_[put] = all.weight_[a];
        }
    }
    own_rows(all.weight_ != nullptr);
}

/// Points at the own arrays.
void Projection::own_rows(bool weighted) {
    stride_ = 1;
    low_ = 0;
    high_ = 1;
    offset_ = own_offset_.data();
    to_ = own_to_.data();
    weight_ = weighted ? own_weight_.data() : nullptr;
}

void Projection::copy(const Filter& filter, Direction direction) {
    const GraphState& state = filter.state();
    const Rows<false> rows(filter);
    own_offset_ = Array<std::uint32_t>(std::size_t{ranks_} + 1);
    own_offset_[0] = 0;
    const auto over = [&](auto&& use) {
        parallel_for((ranks_ + ranks_per_task - 1) / ranks_per_task, worker_count(0),
                     [&](std::size_t task, int) {
                         const auto first = static_cast<std::uint32_t>(task) * ranks_per_task;
                         const std::uint32_t last = std::min(ranks_, first + ranks_per_task);
                         for (std::uint32_t r = first; r < last; ++r) use(r);
                     });
    };
    const auto each = [&](std::uint32_t r, auto&& use) {
        if (!filter.node(state.node(r))) return;
        for (const bool in : {false, true}) {
            if (direction != (in ? Direction::out : Direction::in)) rows.side(r, in, use);
        }
    };
    over([&](std::uint32_t r) {
        std::uint32_t n = 0;
        each(r, [&](std::uint32_t, const ArcAt&) {
            ++n;
            return false;
        });
        own_offset_[std::size_t{r} + 1] = n;
    });
    active_ = 0;
    for (std::uint32_t r = 0; r < ranks_; ++r) {
        if (own_offset_[std::size_t{r} + 1] > 0) active_ = r + 1;
        own_offset_[std::size_t{r} + 1] += own_offset_[r];
    }
    own_to_ = Array<std::uint32_t>(own_offset_[ranks_]);
    own_weight_ = Array<float>(own_offset_[ranks_]);
    over([&](std::uint32_t r) {
        std::uint32_t put = own_offset_[r];
        each(r, [&](std::uint32_t to, const ArcAt& a) {
            own_to_[put] = to;
            own_weight_[put++] = a.weight();
            return false;
        });
    });
    own_rows(true);
}

std::vector<std::uint32_t> Projection::tasks() const {
    std::vector<std::uint32_t> out{0};
    std::size_t filled = 0;
    for (std::uint32_t r = 0; r < active_; ++r) {
        filled += end(r) - begin(r) + 4;
        if (filled >= arcs_per_task || r + 1 == active_) {
            out.push_back(r + 1);
            filled = 0;
        }
    }
    return out;
}

double Projection::degree(std::uint32_t r) const {
    const std::size_t first = begin(r);
    const std::size_t last = end(r);
    double lane[4] = {0.0, 0.0, 0.0, 0.0};
    for (std::size_t a = first; a < last; ++a) {
        lane[(a - first) % 4] += static_cast<double>(weight_ ? weight_[a] : one_);
    }
    return (lane[0] + lane[1]) + (lane[2] + lane[3]);
}

}  // namespace remanence
