// What a local walk leaves behind, and the masses that are made of it.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <vector>

#include "core/rows.hpp"

namespace remanence {

/// A rank that a push touched.
struct Pushed {
    std::uint32_t rank;
    std::uint32_t width;  ///< arcs that a push from here looks at, at least one
    double mass;
    double residual;
};

/// The `top` greatest masses, ties by node, of the ranks touched, of which at(i) gives the i-th;
/// `left` is what all their residuals would have handed on.
template <class At>
NodeMasses pushed_masses(const Filter& filter, std::size_t count, At&& at, double left,
                         double damping, std::size_t top) {
    const GraphState& state = filter.state();
    const bool both = filter.direction() == Direction::both;
    const double arcs = static_cast<double>(state.edges()) * (both ? 2.0 : 1.0);
    std::vector<std::pair<double, std::uint32_t>> masses;
    std::vector<double> order;
    masses.reserve(count);
    order.reserve(count);
    for (std::size_t i = 0; i < count; ++i) {
        const Pushed p = at(i);
        // A residual's own share stays at its node whatever becomes of the rest; the rest is
        // guessed to end where a long walk does, at each node by its share of all arcs.
        const double mass = p.mass + (1.0 - damping) * p.residual +
                            left * (static_cast<double>(p.width) / std::max(1.0, arcs));
        if (mass <= 0.0) continue;
        masses.emplace_back(mass, p.rank);
        order.push_back(mass);
    }
    const std::size_t n = std::min(top, masses.size());
    double least = 0.0;
    if (n > 0) {
        const auto last = order.begin() + static_cast<std::ptrdiff_t>(n - 1);
        std::nth_element(order.begin(), last, order.end(), std::greater<>());
        least = *last;
    }
    // Only what may be among them is looked up as a node.
    std::vector<std::pair<double, std::int64_t>> found;
    for (const auto& [mass, rank] : masses) {
        if (mass >= least) found.emplace_back(-mass, state.node(rank));
    }
    std::partial_sort(found.begin(), found.begin() + static_cast<std::ptrdiff_t>(n), found.end());
    NodeMasses out;
    out.left = left;
    for (std::size_t i = 0; i < n; ++i) {
        out.node.push_back(found[i].second);
        out.mass.push_back(-found[i].first);
    }
    return out;
}

}  // namespace remanence
