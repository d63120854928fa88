// A walk's starts as the plain arrays that a device takes, and its masses back.
#include "core/masses.hpp"

#include <algorithm>
#include <bit>
#include <map>

#include "core/device_graph.hpp"

namespace remanence {
namespace {

/// The shares of up to 16 questions, those of one rank side by side.
DeviceStart side_by_side(View<const cpu::WalkStart> starts) {
    DeviceStart out;
    out.width = std::bit_ceil(static_cast<std::uint32_t>(starts.size()));
    std::map<std::uint32_t, std::size_t> place;
    for (const cpu::WalkStart& s : starts) {
        for (const std::uint32_t rank : s.rank) place.emplace(rank, 0);
    }
    out.ranks.reserve(place.size());
    for (auto& [rank, at] : place) {
        at = out.ranks.size();
        out.ranks.push_back(rank);
    }
    out.share.assign(place.size() * out.width, 0.0);
    for (std::size_t q = 0; q < starts.size(); ++q) {
        for (std::size_t i = 0; i < starts[q].rank.size(); ++i) {
            out.share[place[starts[q].rank[i]] * out.width + q] = starts[q].share[i];
        }
    }
    return out;
}

}  // namespace

std::vector<Array<double>> walk_on(const char* verb, std::string_view backend, const Filter& filter,
                                   const std::vector<cpu::WalkStart>& starts,
                                   const WalkSettings& settings, Array<double>* degree) {
    const std::uint32_t ranks = filter.state().nodes;
    const std::shared_ptr<DeviceGraph> device = graph_on(verb, backend, filter.state());
    if (device == nullptr) {
        const cpu::WalkGraph graph(filter);
        if (degree != nullptr) {
            *degree = Array<double>(ranks);
            for (std::uint32_t r = 0; r < ranks; ++r) (*degree)[r] = graph.degree(r);
        }
        return cpu::walk(graph, starts, settings);
    }
    std::vector<DeviceStart> batches;
    std::vector<Array<double>> masses;
    batches.reserve(starts.size() / cpu::together + 1);
    masses.reserve(batches.capacity());
    const View<const cpu::WalkStart> all(starts);
    for (std::size_t q = 0; q < all.size(); q += cpu::together) {
        batches.push_back(side_by_side(all.subspan(q, std::min(cpu::together, all.size() - q))));
        masses.emplace_back(std::size_t{ranks} * batches.back().width);
        batches.back().mass = masses.back().data();
    }
    device->walk(filter, settings, batches, degree);

    std::vector<Array<double>> out;
    out.reserve(starts.size());
    for (std::size_t q = 0; q < starts.size(); ++q) {
        const std::size_t batch = q / cpu::together;
        Array<double> mass(ranks);
        for (std::size_t r = 0; r < mass.size(); ++r) {
            mass[r] = masses[batch][r * batches[batch].width + q % cpu::together];
        }
        out.push_back(std::move(mass));
    }
    return out;
}

}  // namespace remanence
