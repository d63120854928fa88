// What a local walk leaves behind, and the masses that are made of it.
#pragma once

#include <cstdint>
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

/// The `top` greatest masses, ties by node, of the ranks in the order in which they were touched.
NodeMasses pushed_masses(const Filter& filter, const std::vector<Pushed>& touched, double damping,
                         std::size_t top);

}  // namespace remanence
