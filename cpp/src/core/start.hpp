// Checks of seeds that several verbs of a graph share.
#pragma once

#include "core/check.hpp"

namespace remanence {

inline constexpr std::size_t most_seeds = 1'000'000;

inline void check_seed_count(const char* verb, std::size_t seeds) {
    check(seeds <= most_seeds, verb, [&] {
        return "at most " + std::to_string(most_seeds) + " seeds at once (got " +
               std::to_string(seeds) + ")";
    });
}

/// `start` cuts the seeds into questions; empty = the verb's own way.
inline void check_start(const char* verb, View<const std::int64_t> start, std::size_t seeds) {
    if (start.empty()) return;
    bool ascends = start.front() == 0 && start.back() == static_cast<std::int64_t>(seeds);
    for (std::size_t i = 1; i < start.size(); ++i) ascends = ascends && start[i - 1] <= start[i];
    check(ascends, verb, [&] {
        return "indptr must ascend from 0 to the number of seeds (" + std::to_string(seeds) + ")";
    });
}

}  // namespace remanence
