// Detours side by side: values, hops along what is tight, and the least edges back from the target.
#include "cuda/paths_between.hpp"

#include <algorithm>
#include <bit>

namespace remanence::cuda {
namespace {

constexpr std::size_t bytes_per_slot = 2 * sizeof(Key) + 4 * sizeof(std::uint32_t);
constexpr std::size_t most_slots = 0xFFFF'FFFEU;

Key start_bits(double value) { return std::bit_cast<Key>(value); }

}  // namespace

std::vector<Path> Between::best(GraphMirror& mirror, const Filter& filter, std::uint32_t source,
                                std::uint32_t target, std::size_t k, const DevicePaths& measure,
                                const Stream& stream) {
    by_ = measure.by;
    forth_ = mirror.follow(filter, filter.direction(), stream);
    back_ = forth_;
    std::swap(back_.out, back_.in);
    b_ = {};
    b_.by = measure.by;
    b_.target = target;
    if (!measure.lengths.empty()) {
        lengths_.reserve(measure.lengths.size());
        upload(lengths_.data(), measure.lengths.data(), measure.lengths.size_bytes(), stream);
        b_.lengths = lengths_.data();
    }
    return with_measure(measure.by, measure.lengths, [&](const auto& by) {
        const auto all = [&](const RankPath& path, View<const Detour> detours) {
            std::vector<RankPath> out;
            // A wave of detours takes at most a quarter of what is free, or what it has.
            const std::size_t had = best_.size() / forth_.ranks;
            const std::size_t fit = std::min(free_bytes() / 4 / bytes_per_slot, most_slots);
            const std::size_t wave = std::max<std::size_t>({1, had, fit / forth_.ranks});
            for (std::size_t first = 0; first < detours.size(); first += wave) {
                b_.first_detour = static_cast<std::uint32_t>(first);
                auto some = ways(
                    path, detours.subspan(first, std::min(wave, detours.size() - first)), stream);
                std::move(some.begin(), some.end(), std::back_inserter(out));
            }
            return out;
        };
        return paths_by_node(filter, best_detours(filter, source, target, k, by, all));
    });
}

std::vector<RankPath> Between::ways(const RankPath& path, View<const Detour> detours,
                                    const Stream& stream) {
    start(path, detours, stream);
    std::vector<std::uint32_t> slots;
    slots.reserve(detours.size());
    for (std::size_t d = 0; d < detours.size(); ++d) {
        slots.push_back(static_cast<std::uint32_t>(d * forth_.ranks) + path.rank[detours[d].at]);
    }
    std::uint32_t rounds = 0;
    levels(slots, stream, [&](const Level& level, std::uint32_t round) {
        rounds = round;
        run_relax_between(forth_, b_, level, round, stream);
    });
    levels(slots, stream, [&](const Level& level, std::uint32_t hop) {
        run_advance_between(forth_, b_, level, hop, stream);
    });
    slots.clear();
    for (std::size_t d = 0; d < detours.size(); ++d) {
        slots.push_back(static_cast<std::uint32_t>(d * forth_.ranks) + b_.target);
    }
    // A target that was not reached has no hop, and no arc leads back from it.
    levels(slots, stream, [&](const Level& level, std::uint32_t) {
        run_lead_back(back_, b_, level, rounds + 1, stream);
    });
    return read(path, detours, stream);
}

void Between::make_room(std::uint32_t detours, const Stream& stream) {
    const std::size_t slots = std::size_t{detours} * forth_.ranks;
    best_.reserve(slots);
    step_.reserve(slots);
    listed_.reserve(slots);
    hops_.reserve(slots);
    for (auto& list : lists_) list.reserve(slots);
    count_.reserve(1);
    place_.reserve(forth_.ranks);
    fill(best_.data(), by_ == PathBy::weight ? 0 : 0xFF, slots * sizeof(Key), stream);
    fill(step_.data(), 0xFF, slots * sizeof(Key), stream);
    fill(listed_.data(), 0, slots * sizeof(std::uint32_t), stream);
    fill(hops_.data(), 0xFF, slots * sizeof(std::uint32_t), stream);
    fill(place_.data(), 0xFF, std::size_t{forth_.ranks} * sizeof(std::uint32_t), stream);
    b_.best = best_.data();
    b_.step = step_.data();
    b_.listed = listed_.data();
    b_.hops = hops_.data();
    b_.place = place_.data();
}

/// Where each detour starts, with which value, and what is closed to it.
void Between::start(const RankPath& path, View<const Detour> detours, const Stream& stream) {
    make_room(static_cast<std::uint32_t>(detours.size()), stream);
    std::vector<Link> places, values, hops;
    for (std::uint32_t i = 0; i < path.rank.size(); ++i) places.push_back({path.rank[i], i});
    std::vector<std::uint32_t> from, banned;
    std::vector<std::uint32_t> cut{0};
    for (std::size_t d = 0; d < detours.size(); ++d) {
        from.push_back(path.rank[detours[d].at]);
        for (const std::int64_t e : detours[d].edges) {
            banned.push_back(static_cast<std::uint32_t>(e));
        }
        cut.push_back(static_cast<std::uint32_t>(banned.size()));
        const auto slot = static_cast<std::uint32_t>(d * forth_.ranks) + from.back();
        hops.push_back({slot, 0});
    }
    const auto set = [&](std::uint32_t* target, const std::vector<Link>& links) {
        run_set_links(target, links_.put(links, stream), static_cast<std::uint32_t>(links.size()),
                      stream);
    };
    set(b_.place, places);
    set(b_.hops, hops);
    std::vector<Key> at_start;
    for (const Detour& d : detours) at_start.push_back(start_bits(d.start));
    b_.from = from_.put(from, stream);
    b_.cut = cut_.put(cut, stream);
    b_.banned = banned_.put(banned, stream);
    run_start_between(forth_.ranks, b_, static_cast<std::uint32_t>(detours.size()),
                      value_.put(at_start, stream), stream);
}

template <class Step>
void Between::levels(const std::vector<std::uint32_t>& slots, const Stream& stream, Step&& step) {
    auto count = static_cast<std::uint32_t>(slots.size());
    upload(lists_[0].data(), slots.data(), slots.size() * sizeof slots[0], stream);
    for (std::uint32_t level = 1; count > 0; ++level) {
        fill(count_.data(), 0, sizeof count, stream);
        step(Level{lists_[0].data(), count, lists_[1].data(), count_.data()}, level);
        download(&count, count_.data(), sizeof count, stream);
        std::swap(lists_[0], lists_[1]);
    }
}

std::vector<RankPath> Between::read(const RankPath& path, View<const Detour> detours,
                                    const Stream& stream) {
    const auto n = static_cast<std::uint32_t>(detours.size());
    value_.reserve(n);
    ends_.reserve(n);
    run_read_targets(forth_.ranks, b_, n, value_.data(), ends_.data(), stream);
    std::vector<Key> value(n);
    std::vector<std::uint32_t> hops(n);
    download(value.data(), value_.data(), n * sizeof(Key), stream);
    download(hops.data(), ends_.data(), n * sizeof(std::uint32_t), stream);
    std::vector<std::uint32_t> place{0};
    for (const std::uint32_t h : hops) place.push_back(place.back() + (h == no_hop ? 0 : h));
    std::vector<Key> steps(place.back());
    if (!steps.empty()) {
        steps_.reserve(steps.size());
        run_read_steps(forth_.ranks, b_, n, ends_.put(place, stream), steps_.data(), stream);
        download(steps.data(), steps_.data(), steps.size() * sizeof(Key), stream);
    }
    std::vector<RankPath> out(n);
    for (std::uint32_t d = 0; d < n; ++d) {
        if (hops[d] == no_hop) continue;
        out[d].value = std::bit_cast<double>(value[d]);
        out[d].rank.push_back(path.rank[detours[d].at]);
        for (std::uint32_t i = place[d]; i < place[d + 1]; ++i) {
            out[d].edge.push_back(static_cast<std::int64_t>(steps[i] >> 32U));
            out[d].rank.push_back(static_cast<std::uint32_t>(steps[i] & 0xFFFF'FFFFU));
        }
    }
    return out;
}

}  // namespace remanence::cuda
