// Copies of the arcs of a base that pass filters which are asked again and again.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "core/forks.hpp"
#include "core/graph_state.hpp"

namespace remanence {

/// What decides which arcs of a base pass; nodes and directions are no part of it.
struct ArcQuestion {
    std::optional<std::vector<std::uint16_t>> types;
    float min_weight = 0.0F;
    std::optional<TimeNs> valid_at;
    Seq seq = 0;
};

/// For which moments an answer holds: from `low` on and before `high`.
template <class T>
struct Window {
    T low;
    T high;
    /// An answer for `moment` does not hold across this event.
    void cut(T event, T moment) {
        if (event <= moment) {
            low = std::max(low, event);
        } else {
            high = std::min(high, event);
        }
    }
    void cut(const Window& other) {
        low = std::max(low, other.low);
        high = std::min(high, other.high);
    }
    bool holds(T moment) const { return low <= moment && moment < high; }
};

/// An epoch whose base holds what passes, and for which valid times and commits.
struct KeptEpoch {
    std::shared_ptr<const GraphEpoch> epoch;
    Window<TimeNs> valid{time_min, time_max};
    Window<Seq> seqs{0, seq_open};
    Seq made_at = 0;  ///< closings of later commits are not in it
};

/// The copies of one base, few and together no larger than it. A filter is copied for after it was
/// asked of twice as many arcs as the base has, and twice as late each time its copy was of no use.
class KeptArcs {
public:
    struct Found {
        std::shared_ptr<const GraphEpoch> epoch;  ///< null: there is no copy that holds
        bool due = false;                         ///< one should be made
    };
    Found find(const ArcQuestion& question, const GraphState& state);
    /// The filter was asked of so many arcs in vain.
    void asked(const ArcQuestion& question, std::size_t arcs);
    void keep(const ArcQuestion& question, KeptEpoch made, std::size_t most_bytes);
    std::size_t bytes() const;

private:
    struct Slot {
        ArcQuestion question;
        std::size_t asked = 0;
        unsigned made = 0;
        std::size_t used = 0;  ///< when it was last asked for
        KeptEpoch copy;
    };
    Slot& slot(const ArcQuestion& question);

    mutable ForkSafeMutex mutex_;
    std::vector<Slot> slots_;
    std::size_t turn_ = 0;
};

class Filter;

/// The arcs of the base that the filter lets pass to whatever node.
KeptEpoch copy_passing(const Filter& filter, const ArcQuestion& question);

}  // namespace remanence
