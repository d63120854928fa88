// What one view of a graph holds on to.
#pragma once

#include <atomic>
#include <memory>

#include "core/arc_log.hpp"
#include "core/arcs.hpp"

namespace remanence {

class DeviceGraphs;
class KeptArcs;

/// A base and what was written since it was made; replaced as a whole.
struct GraphEpoch {
    std::shared_ptr<const Arcs> arcs;
    std::shared_ptr<ArcLog> log;
    std::shared_ptr<Closings> closed;       ///< null while no arc of the base is closed
    std::shared_ptr<DeviceGraphs> devices;  ///< of these arcs and this log
    std::shared_ptr<KeptArcs> kept;         ///< of these arcs; null where they are a copy
};

/// A graph after one commit: an epoch and how much of its log counts.
struct GraphState {
    std::shared_ptr<const GraphEpoch> epoch;
    std::uint32_t log_edges = 0;
    std::uint32_t nodes = 0;
    Seq seq = 0;
    Seq closed_seq = 0;       ///< the last commit that closed an edge
    bool log_closed = false;  ///< some edge of the log is

    const Arcs& arcs() const { return *epoch->arcs; }
    std::uint32_t edges() const { return epoch->arcs->edges + log_edges; }
    std::uint32_t rank(std::uint32_t node) const {
        return node < arcs().nodes ? arcs().rank_of[node] : node;
    }
    std::uint32_t node(std::uint32_t rank) const {
        return rank < arcs().nodes ? arcs().node_of[rank] : rank;
    }
    /// The commit that closed an arc of the base.
    Seq closed_at(std::size_t arc) const {
        const Closings* const c = epoch->closed.get();
        if (c == nullptr) return seq_open;
        return std::atomic_ref<Seq>(const_cast<Seq&>((*c)[arc])).load(std::memory_order_relaxed);
    }
};

}  // namespace remanence
