// Waves of local walks, and what they touched, back to the host.
#include "cuda/push.hpp"

#include <algorithm>

namespace remanence::cuda {
namespace {

constexpr std::uint32_t most_questions = 4096;  // under way at a time
constexpr std::size_t bytes_per_rank = 2 * sizeof(double) + 3 * sizeof(std::uint32_t);

}  // namespace

/// Room for as many questions at a time as an eighth of the free memory holds.
std::uint32_t Pushes::make_room(std::uint32_t ranks, std::size_t questions, PushRoom& room,
                                const Stream& stream) {
    const std::size_t had = mass_.size() / ranks;
    const std::size_t fit = std::max(had, free_bytes() / 8 / bytes_per_rank / ranks);
    const auto wave = static_cast<std::uint32_t>(
        std::clamp<std::size_t>(std::min(fit, questions), 1, most_questions));
    const std::size_t size = std::size_t{wave} * ranks;
    if (mass_.reserve(size)) {
        residual_.reserve(size);
        mark_.reserve(size);
        touched_.reserve(size);
        queue_.reserve(size);
    }
    // Walks leave these clear, but for one that failed.
    fill(mass_.data(), 0, size * sizeof(double), stream);
    fill(residual_.data(), 0, size * sizeof(double), stream);
    fill(mark_.data(), 0, size * sizeof(std::uint32_t), stream);
    count_.reserve(wave);
    room.mass = mass_.data();
    room.residual = residual_.data();
    room.mark = mark_.data();
    room.touched = touched_.data();
    room.queue = queue_.data();
    room.count = count_.data();
    degree_.reserve(ranks);
    fill(degree_.data(), 0, ranks * sizeof(Key), stream);
    room.degree = degree_.data();
    return wave;
}

std::vector<std::vector<Pushed>> Pushes::push(GraphMirror& mirror, const Filter& filter,
                                              const DevicePush& asked, const Stream& stream) {
    const std::size_t questions = asked.cut.size() - 1;
    std::vector<std::vector<Pushed>> out(questions);
    if (questions == 0) return out;
    const GraphColumns g = mirror.follow(filter, filter.direction(), stream);
    PushRoom room{};
    const std::uint32_t wave = make_room(g.ranks, questions, room, stream);
    PushQuestions q{ranks_.put(asked.ranks, stream), share_.put(asked.share, stream), nullptr,
                    asked.damping, asked.residual};
    const std::uint32_t* const cut = cut_.put(asked.cut, stream);
    for (std::size_t first = 0; first < questions; first += wave) {
        const auto n = static_cast<std::uint32_t>(std::min<std::size_t>(wave, questions - first));
        q.cut = cut + first;
        run_push(g, q, n, room, stream);
        std::vector<std::uint32_t> count(n);
        download(count.data(), room.count, n * sizeof(std::uint32_t), stream);
        std::vector<std::uint32_t> place{0};
        for (const std::uint32_t c : count) place.push_back(place.back() + c);
        if (place.back() == 0) continue;
        found_.reserve(place.back());
        run_read_pushed(g, room, place_.put(place, stream), n, found_.data(), stream);
        for (std::uint32_t i = 0; i < n; ++i) {
            out[first + i].resize(count[i]);
            download(out[first + i].data(), found_.data() + place[i], count[i] * sizeof(Pushed),
                     stream);
        }
    }
    return out;
}

}  // namespace remanence::cuda
