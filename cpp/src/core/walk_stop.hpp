// When a walk with restart has come near enough to its exact answer.
#pragma once

namespace remanence {

struct WalkSettings {
    double damping;
    double tolerance;  ///< L1 distance from the exact answer
};

/// How a walk keeps to its tolerance. Values handed over in single precision cost half the memory
/// traffic and at most damping * 2^-24 per round; they are used where that leaves half of it. A
/// round brings a walk, two off at first, nearer by the damping, so `rounds` leave the other half.
struct WalkStop {
    WalkStop(double greatest_inverse, const WalkSettings& settings)
        : change(settings.tolerance * (1.0 - settings.damping)) {
        const double left = change - settings.damping * 0x1p-24;
        // A share of a node whose weights are all tiny might not fit single precision.
        rounded = left >= change * 0.5 && greatest_inverse <= 1e20;
        if (rounded) change = left;
        double off = 2.0 * settings.damping;
        for (; off > 0.5 * settings.tolerance && rounds < 20000; ++rounds) off *= settings.damping;
    }
    bool rounded;
    double change;   ///< the walk is done when damping times its change is at most this,
    int rounds = 1;  ///< or after so many: what values are rounded by may change for ever
};

}  // namespace remanence
