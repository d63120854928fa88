// Walks with restart: rows on the device, rounds of kernels until every walk has stopped.
#include "cuda/walk.hpp"

#include <bit>

#include "cuda/passing_rows.hpp"

namespace remanence::cuda {
namespace {

constexpr int rounds_unasked = 4;  // between looks at whether any walk goes on

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
        run_sum_degrees(rows(), degrees.data(), inverse_.data(), greatest.data(), stream);
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
        most_rounds_ = stop.rounds;
        c_.rows = rows();
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
    /// The rows that pass, and which of them are hubs.
    PlainRows rows() {
        PlainRows out = passing_.rows();
        hubs_.reserve(passing_.arcs() / hub_row + 2);
        fill(hubs_.data(), 0, sizeof(std::uint32_t), stream_);
        out.hubs = hubs_.data();
        run_find_hubs(out, hubs_.data(), stream_);
        return out;
    }
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
        Recording some;
        some.record(stream_, [&] {
            for (int i = 0; i < rounds_unasked; ++i) run_walk_round(c_, scaled.data(), stream_);
        });
        std::uint32_t open = start.width;
        for (int round = 0; open > 0 && round < most_rounds_; round += rounds_unasked) {
            const int left = most_rounds_ - round;
            if (left >= rounds_unasked) some.run(stream_);
            for (int i = 0; left < rounds_unasked && i < left; ++i) {
                run_walk_round(c_, scaled.data(), stream_);
            }
            download(&open, c_.open + start.width, sizeof open, stream_);
        }
        download(start.mass, mass_.data(), size * sizeof(double), stream_);
    }

    const Stream& stream_;
    std::uint32_t ranks_;
    bool rounded_walks_ = false;
    int most_rounds_ = 0;
    WalkColumns c_{};
    PassingRows passing_;
    Buffer<std::uint32_t> place_, open_, from_, hubs_;
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
