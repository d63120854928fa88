// Masses of a local walk: what was pushed, and what is left, dealt out.
#include "core/push.hpp"

#include <algorithm>

namespace remanence {

NodeMasses pushed_masses(const Filter& filter, const std::vector<Pushed>& touched, double damping,
                         std::size_t top) {
    const GraphState& state = filter.state();
    NodeMasses out;
    for (const Pushed& p : touched) out.left += damping * p.residual;
    const bool both = filter.direction() == Direction::both;
    const double arcs = static_cast<double>(state.edges()) * (both ? 2.0 : 1.0);
    std::vector<std::pair<double, std::int64_t>> found;
    found.reserve(touched.size());
    for (const Pushed& p : touched) {
        // A residual's own share stays at its node whatever becomes of the rest; the rest is
        // guessed to end where a long walk does, at each node by its share of all arcs.
        const double mass = p.mass + (1.0 - damping) * p.residual +
                            out.left * (static_cast<double>(p.width) / std::max(1.0, arcs));
        if (mass > 0.0) found.emplace_back(-mass, state.node(p.rank));
    }
    const std::size_t n = std::min(top, found.size());
    std::partial_sort(found.begin(), found.begin() + static_cast<std::ptrdiff_t>(n), found.end());
    for (std::size_t i = 0; i < n; ++i) {
        out.node.push_back(found[i].second);
        out.mass.push_back(-found[i].first);
    }
    return out;
}

}  // namespace remanence
