// Walks with restart: rows on the device, rounds of kernels until every walk has stopped.
#include "cuda/walk.hpp"

#include <bit>

namespace remanence::cuda {
namespace {

constexpr int most_rounds = 20000;  // as on the processor
constexpr int rounds_unasked = 4;   // between looks at whether any walk goes on

/// Rows of the arcs that pass: the mirror's own, or a copy of what passes.
class PassingRows {
public:
    void make(GraphMirror& mirror, const Filter& filter, Direction direction,
              const Stream& stream) {
        const GraphColumns g = mirror.follow(filter, direction, stream);
        rows_ = {g.ranks, g.ranks, 1, 0, 1, nullptr, nullptr, nullptr, 1.0F};
        if (filter.plain()) {
            rows_ = {g.ranks,
                     mirror.arcs().active,
                     2,
                     g.out ? 0U : 1U,
                     g.in ? 2U : 1U,
                     g.offset,
                     g.to,
                     g.weight,
                     g.one};
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
        rows_.offset = offset_.data();
        rows_.to = to_.data();
        rows_.weight = weight_.data();
    }
    const PlainRows& rows() const { return rows_; }

private:
    PlainRows rows_{};
    Buffer<std::uint32_t> offset_, to_;
    Buffer<float> weight_;
};

class Walks {
public:
    Walks(GraphMirror& mirror, const Filter& filter, const WalkSettings& settings,
          Array<double>* degree, const Stream& stream)
        : stream_(stream), ranks_(filter.state().nodes) {
        Buffer<double> degrees(ranks_);
        Buffer<Key> greatest(1);
        inverse_.reserve(ranks_);
        fill(greatest.data(), 0, sizeof(Key), stream);
        passing_.make(mirror, filter, filter.direction(), stream);
        run_sum_degrees(passing_.rows(), degrees.data(), inverse_.data(), greatest.data(), stream);
        Key bits = 0;
        download(&bits, greatest.data(), sizeof bits, stream);
        if (degree != nullptr) {
            *degree = Array<double>(ranks_);
            download(degree->data(), degrees.data(), degree->bytes(), stream);
        }
        if (filter.direction() != Direction::both) {
            passing_.make(mirror, filter, reversed(filter.direction()), stream);
        }
        const WalkStop stop(std::bit_cast<double>(bits), settings);
        rounded_walks_ = stop.rounded;
        c_.rows = passing_.rows();
        c_.ranks = ranks_;
        c_.inverse = inverse_.data();
        c_.damping = settings.damping;
        c_.change = stop.change;
    }

    void run(const DeviceStart& start) {
        begin(start);
        if (rounded_walks_) {
            rounds(rounded_, start);
        } else {
            rounds(scaled_, start);
        }
    }

private:
    void begin(const DeviceStart& start) {
        const std::size_t size = std::size_t{ranks_} * start.width;
        mass_.reserve(size);
        place_.reserve(ranks_);
        fill(mass_.data(), 0, size * sizeof(double), stream_);
        fill(place_.data(), 0, std::size_t{ranks_} * sizeof(std::uint32_t), stream_);
        std::vector<std::uint32_t> open(start.width + 1, 1);
        open.back() = start.width;
        counts_.reserve(std::size_t{2} * start.width);
        fill(counts_.data(), 0, std::size_t{2} * start.width * sizeof(Key), stream_);
        c_.width = start.width;
        c_.place = place_.data();
        c_.share = share_.put(start.share, stream_);
        c_.mass = mass_.data();
        c_.lost = counts_.data();
        c_.moved = counts_.data() + start.width;
        open_.put(open, stream_);
        c_.open = open_.data();
        const std::uint32_t* const from = from_.put(start.ranks, stream_);
        run_start_walks(c_, from, static_cast<std::uint32_t>(start.ranks.size()), stream_);
    }

    template <class T>
    void rounds(Buffer<T>& scaled, const DeviceStart& start) {
        const std::size_t size = std::size_t{ranks_} * start.width;
        scaled.reserve(size);
        std::uint32_t open = start.width;
        for (int round = 1; open > 0 && round <= most_rounds; ++round) {
            run_walk_round(c_, scaled.data(), stream_);
            if (round % rounds_unasked != 0) continue;
            download(&open, c_.open + start.width, sizeof open, stream_);
        }
        download(start.mass, mass_.data(), size * sizeof(double), stream_);
    }

    const Stream& stream_;
    std::uint32_t ranks_;
    bool rounded_walks_ = false;
    WalkColumns c_{};
    PassingRows passing_;
    Buffer<std::uint32_t> place_, open_, from_;
    Buffer<float> rounded_;
    Buffer<double> inverse_, share_, mass_, scaled_;
    Buffer<Key> counts_;
};

}  // namespace

void walk(GraphMirror& mirror, const Filter& filter, const WalkSettings& settings,
          View<const DeviceStart> starts, Array<double>* degree, const Stream& stream) {
    if (starts.empty() || filter.state().nodes == 0) return;
    Walks walks(mirror, filter, settings, degree, stream);
    for (const DeviceStart& start : starts) walks.run(start);
}

}  // namespace remanence::cuda
