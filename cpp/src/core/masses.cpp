// A walk's graph and starts as the plain arrays that a device takes, and its masses back.
#include "core/masses.hpp"

#include <algorithm>
#include <bit>
#include <map>

#include "core/plugin.hpp"

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

std::vector<Array<double>> walk_on(const char* verb, std::string_view backend,
                                   const cpu::WalkGraph& graph,
                                   const std::vector<cpu::WalkStart>& starts,
                                   const cpu::WalkSettings& settings) {
    const std::string name = chosen_backend(verb, backend);
    if (name == "cpu") return cpu::walk(graph, starts, settings);
    const PluginInfo& device = plugin(name);
    const Projection& rows = graph.rows();
    const cpu::WalkStop stop(graph, settings);
    std::vector<std::uint32_t> ends(std::size_t{2} * rows.active());
    std::vector<double> inverse(rows.ranks());
    for (std::uint32_t r = 0; r < rows.active(); ++r) {
        ends[std::size_t{2} * r] = static_cast<std::uint32_t>(rows.begin(r));
        ends[std::size_t{2} * r + 1] = static_cast<std::uint32_t>(rows.end(r));
    }
    for (std::uint32_t r = 0; r < rows.ranks(); ++r) inverse[r] = graph.inverse(r);
    const std::size_t arcs = ends.empty() ? 0 : ends.back();
    DeviceWalk plain{rows.ranks(),      ends,    {rows.to(), arcs}, {},
                     rows.one_weight(), inverse, settings.damping,  stop.change,
                     stop.rounded};
    if (rows.weight() != nullptr) plain.weight = {rows.weight(), arcs};

    std::vector<DeviceStart> batches;
    std::vector<std::vector<double>> masses;
    batches.reserve(starts.size() / cpu::together + 1);
    masses.reserve(batches.capacity());
    const View<const cpu::WalkStart> all(starts);
    for (std::size_t q = 0; q < all.size(); q += cpu::together) {
        batches.push_back(side_by_side(all.subspan(q, std::min(cpu::together, all.size() - q))));
        masses.emplace_back(std::size_t{rows.ranks()} * batches.back().width);
        batches.back().mass = masses.back().data();
    }
    device.walk(plain, batches);

    std::vector<Array<double>> out;
    out.reserve(starts.size());
    for (std::size_t q = 0; q < starts.size(); ++q) {
        const std::size_t batch = q / cpu::together;
        Array<double> mass(rows.ranks());
        for (std::size_t r = 0; r < mass.size(); ++r) {
            mass[r] = masses[batch][r * batches[batch].width + q % cpu::together];
        }
        out.push_back(std::move(mass));
    }
    return out;
}

}  // namespace remanence
