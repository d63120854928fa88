// Label propagation in waves: each holds the nodes whose neighbours before them in the drawn order
// are done, so that each sees what the processor, which takes one after the other, shows it.
#include "cuda/communities.hpp"

#include <algorithm>

namespace remanence::cuda {
namespace {

constexpr int most_rounds = 50;  // as on the processor
constexpr std::uint32_t few_nodes_of_wave = 64;

}  // namespace

Array<std::uint32_t> LabelWaves::arc_counts(GraphMirror& mirror, const Filter& filter,
                                            const Stream& stream) {
    const GraphState& state = filter.state();
    Array<std::uint32_t> out(state.nodes);
    if (out.empty()) return out;
    passing_.make(mirror, filter, Direction::both, stream);
    const PlainRows& rows = passing_.rows();
    const std::size_t size = rows.offset == nullptr ? 0 : std::size_t{rows.stride} * rows.active;
    std::vector<std::uint32_t> offset(size + 1, 0);
    if (size > 0) {
        download(offset.data(), rows.offset, offset.size() * sizeof offset[0], stream);
    }
    for (std::uint32_t r = 0; r < state.nodes; ++r) {
        const std::size_t row = std::size_t{rows.stride} * r;
        out[state.node(r)] = r < rows.active ? offset[row + rows.high] - offset[row + rows.low] : 0;
    }
    return out;
}

/// One wave after the other: those of few nodes by one block, which goes on as long as they last.
void LabelWaves::find_waves(std::uint32_t ranks, const Stream& stream) {
    earlier_.reserve(ranks);
    waves_.reserve(ranks);
    tail_.reserve(2);
    cuts_.reserve(std::size_t{ranks} + 2);
    c_.earlier = earlier_.data();
    c_.waves = waves_.data();
    c_.tail = tail_.data();
    c_.cuts = cuts_.data();
    fill(c_.tail, 0, 2 * sizeof(std::uint32_t), stream);
    run_first_wave(c_, stream);
    cut_.assign(1, 0);
    for (;;) {
        std::uint32_t tail = 0;
        download(&tail, c_.tail, sizeof tail, stream);
        const std::uint32_t first = cut_.back();
        if (tail == first) return;
        if (tail - first > few_nodes_of_wave) {
            cut_.push_back(tail);
            run_next_wave(c_, first, tail, stream);
            continue;
        }
        run_small_waves(c_, first, tail, few_nodes_of_wave, stream);
        std::uint32_t found = 0;
        download(&found, c_.tail + 1, sizeof found, stream);
        std::vector<std::uint32_t> ends(found);
        download(ends.data(), c_.cuts, found * sizeof ends[0], stream);
        cut_.insert(cut_.end(), ends.begin(), ends.end());
    }
}

/// Every wave once; those of few nodes that follow one another by one block.
void LabelWaves::settle_round(const Stream& stream) {
    fill(c_.moved, 0, sizeof(std::uint32_t), stream);
    const auto small = [&](std::size_t w) { return cut_[w + 1] - cut_[w] <= few_nodes_of_wave; };
    for (std::size_t w = 0; w + 1 < cut_.size();) {
        std::size_t end = w + 1;
        while (small(w) && end + 1 < cut_.size() && small(end)) ++end;
        run_settle_waves(c_, static_cast<std::uint32_t>(w), static_cast<std::uint32_t>(end - w),
                         cut_[w + 1] - cut_[w], stream);
        w = end;
    }
}

std::vector<std::uint32_t> LabelWaves::propagate(GraphMirror& mirror, const Filter& filter,
                                                 const LabelOrder& order, const Stream& stream) {
    const GraphState& state = filter.state();
    const std::uint32_t n = state.nodes;
    std::vector<std::uint32_t> out(n);
    if (n == 0) return out;
    passing_.make(mirror, filter, Direction::both, stream);
    c_ = {};
    c_.rows = passing_.rows();
    std::vector<std::uint32_t> label(n);
    std::vector<std::uint32_t> turn(n);
    for (std::uint32_t r = 0; r < n; ++r) {
        label[r] = order.label[state.node(r)];
        turn[r] = order.turn[state.node(r)];
    }
    label_.reserve(n);
    upload(label_.data(), label.data(), n * sizeof label[0], stream);
    c_.label = label_.data();
    c_.turn = turn_.put(turn, stream);
    find_waves(n, stream);
    cuts_.put(cut_, stream);
    c_.cuts = cuts_.data();
    moved_.reserve(1);
    c_.moved = moved_.data();
    // Room for the sums of a row of many arcs, twice as long as the row.
    const std::size_t arcs = std::size_t{2} * passing_.arcs();
    keys_.reserve(std::max<std::size_t>(1, arcs));
    sums_.reserve(std::max<std::size_t>(1, arcs));
    c_.keys = keys_.data();
    c_.sums = sums_.data();
    Recording all_waves;
    all_waves.record(stream, [&] { settle_round(stream); });
    std::uint32_t moved = 1;
    for (int round = 0; round < most_rounds && moved > 0; ++round) {
        all_waves.run(stream);
        download(&moved, c_.moved, sizeof moved, stream);
    }
    parent_.reserve(n);
    least_.reserve(n);
    fill(least_.data(), 0xFF, n * sizeof(std::uint32_t), stream);
    const GraphColumns g = mirror.follow(filter, Direction::both, stream);
    run_components(g, label_.data(), parent_.data(), least_.data(), stream);
    download(label.data(), least_.data(), n * sizeof label[0], stream);
    for (std::uint32_t r = 0; r < n; ++r) out[state.node(r)] = label[r];
    return out;
}

RowSums LabelWaves::row_sums(GraphMirror& mirror, const Filter& filter,
                             View<const std::uint32_t> label, const Stream& stream) {
    const GraphState& state = filter.state();
    const std::uint32_t n = state.nodes;
    RowSums out{std::vector<double>(n), std::vector<double>(n)};
    if (n == 0) return out;
    passing_.make(mirror, filter, Direction::both, stream);
    std::vector<std::uint32_t> by_rank(n);
    for (std::uint32_t r = 0; r < n; ++r) by_rank[r] = label[state.node(r)];
    degree_.reserve(n);
    inside_.reserve(n);
    run_sum_communities(passing_.rows(), label_.put(by_rank, stream), degree_.data(),
                        inside_.data(), stream);
    std::vector<double> degree(n);
    std::vector<double> inside(n);
    download(degree.data(), degree_.data(), n * sizeof(double), stream);
    download(inside.data(), inside_.data(), n * sizeof(double), stream);
    for (std::uint32_t r = 0; r < n; ++r) {
        out.degree[state.node(r)] = degree[r];
        out.inside[state.node(r)] = inside[r];
    }
    return out;
}

}  // namespace remanence::cuda
