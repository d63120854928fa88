// The graph to the device once, rounds of kernels until every walk has stopped, the masses back.
#include "cuda/walk.hpp"

#include "cuda/launch.hpp"

namespace remanence::cuda {
namespace {

constexpr int most_rounds = 20000;  // as on the processor
constexpr int rounds_unasked = 4;   // between looks at whether any walk goes on

template <class T>
const T* put(Buffer<T>& buffer, View<const T> values, const Stream& stream) {
    if (values.empty()) return nullptr;
    buffer.reserve(values.size());
    upload(buffer.data(), values.data(), values.size_bytes(), stream);
    return buffer.data();
}

class Walks {
public:
    explicit Walks(const DeviceWalk& graph) : graph_(graph) {
        c_.ranks = graph.ranks;
        c_.active = static_cast<std::uint32_t>(graph.rows.size() / 2);
        c_.rows = put(rows_, graph.rows, stream_);
        c_.to = put(to_, graph.to, stream_);
        c_.weight = put(weight_, graph.weight, stream_);
        c_.one = graph.one;
        c_.inverse = put(inverse_, graph.inverse, stream_);
        c_.damping = graph.damping;
        c_.change = graph.change;
    }

    void run(const DeviceStart& start) {
        begin(start);
        if (graph_.rounded) {
            rounds(rounded_, start);
        } else {
            rounds(scaled_, start);
        }
    }

private:
    void begin(const DeviceStart& start) {
        const std::size_t size = std::size_t{graph_.ranks} * start.width;
        std::vector<std::uint32_t> place(graph_.ranks, 0);
        std::fill_n(start.mass, size, 0.0);
        for (std::size_t i = 0; i < start.ranks.size(); ++i) {
            place[start.ranks[i]] = static_cast<std::uint32_t>(i + 1);
            std::copy_n(start.share.data() + i * start.width, start.width,
                        start.mass + std::size_t{start.ranks[i]} * start.width);
        }
        mass_.reserve(size);
        upload(mass_.data(), start.mass, size * sizeof(double), stream_);
        std::vector<std::uint32_t> open(start.width + 1, 1);
        open.back() = start.width;
        counts_.reserve(std::size_t{2} * start.width);
        fill(counts_.data(), 0, std::size_t{2} * start.width * sizeof(Key), stream_);
        c_.width = start.width;
        c_.place = place_.put(place, stream_);
        c_.share = share_.put(start.share, stream_);
        c_.mass = mass_.data();
        c_.lost = counts_.data();
        c_.moved = counts_.data() + start.width;
        open_.put(open, stream_);
        c_.open = open_.data();
    }

    template <class T>
    void rounds(Buffer<T>& scaled, const DeviceStart& start) {
        const std::size_t size = std::size_t{graph_.ranks} * start.width;
        scaled.reserve(size);
        std::uint32_t open = start.width;
        for (int round = 1; open > 0 && round <= most_rounds; ++round) {
            run_walk_round(c_, scaled.data(), stream_);
            if (round % rounds_unasked != 0) continue;
            download(&open, c_.open + start.width, sizeof open, stream_);
        }
        download(start.mass, mass_.data(), size * sizeof(double), stream_);
    }

    const DeviceWalk& graph_;
    Stream stream_;
    WalkColumns c_{};
    Buffer<std::uint32_t> rows_, to_, place_, open_;
    Buffer<float> weight_, rounded_;
    Buffer<double> inverse_, share_, mass_, scaled_;
    Buffer<Key> counts_;
};

}  // namespace

void walk(const DeviceWalk& graph, View<const DeviceStart> starts) {
    if (starts.empty()) return;
    Walks walks(graph);
    for (const DeviceStart& start : starts) walks.run(start);
}

}  // namespace remanence::cuda
