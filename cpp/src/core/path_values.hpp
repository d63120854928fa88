// What a path is worth, arc by arc, by each way of measuring it.
#pragma once

#include <limits>

#include "core/rows.hpp"

namespace remanence {

/// `extend` never betters, and is monotone also when rounded, so the best value of a node is the
/// same whatever the order of relaxation.
struct ByHops {
    static constexpr double start = 0.0;
    static constexpr double worst = std::numeric_limits<double>::infinity();
    static bool better(double a, double b) { return a < b; }
    double extend(double value, const ArcAt&) const { return value + 1.0; }
};
struct ByLength {
    static constexpr double start = 0.0;
    static constexpr double worst = std::numeric_limits<double>::infinity();
    View<const double> lengths;  ///< [edges]; empty = the weights
    static bool better(double a, double b) { return a < b; }
    bool by_weight() const { return lengths.empty(); }
    double extend(double value, const ArcAt& a) const {
        return value + (lengths.empty() ? static_cast<double>(a.weight()) : lengths[a.edge()]);
    }
};
struct ByWeight {
    static constexpr double start = 1.0;
    static constexpr double worst = 0.0;
    static bool better(double a, double b) { return a > b; }
    static bool by_weight() { return true; }
    double extend(double value, const ArcAt& a) const {
        return value * static_cast<double>(a.weight());
    }
};

/// Calls work(By) with the measure that `by` names.
template <class Work>
auto with_measure(PathBy by, View<const double> lengths, Work&& work) {
    if (by == PathBy::hops) return work(ByHops{});
    if (by == PathBy::length) return work(ByLength{lengths});
    return work(ByWeight{});
}

}  // namespace remanence
