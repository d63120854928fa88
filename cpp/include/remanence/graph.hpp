// Typed, weighted, bitemporal edges between memories, and the questions one can ask of them.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "remanence/export.hpp"
#include "remanence/types.hpp"

namespace remanence {

/// New edges as columns of one length n.
struct EdgeBatch {
    View<const EdgeId> edge;
    View<const Id> source;
    View<const Id> target;
    View<const std::uint16_t> type;
    View<const float> weight;  ///< confidence in (0, 1]
    View<const TimeNs> valid_from;
    View<const TimeNs> valid_to;
};

enum class Direction : std::uint8_t { out, in, both };

/// Which edges a walk may use. An edge is seen when it and both of its ends are.
struct REMANENCE_API EdgeFilter {
    std::optional<std::vector<std::uint16_t>> types;
    Direction direction = Direction::both;
    float min_weight = 0.0F;
    std::optional<TimeNs> valid_at;
    std::optional<Seq> as_of;
};

/// Edges of one memory, ordered by edge id.
struct REMANENCE_API Neighbours {
    std::vector<EdgeId> edge;
    std::vector<Id> id;  ///< the other end
    std::vector<std::uint16_t> type;
    std::vector<float> weight;
    std::vector<std::uint8_t> outgoing;
    std::vector<TimeNs> valid_from;
    std::vector<TimeNs> valid_to;
};

/// Memories within `hops` of the seeds, ordered by (hop, id).
struct REMANENCE_API Reached {
    std::vector<Id> id;
    std::vector<std::int32_t> hop;
};

/// Mass of a walk, ordered by (mass descending, id ascending); zero masses are left out.
struct REMANENCE_API Mass {
    std::vector<Id> id;
    std::vector<double> mass;
};

/// Personalised PageRank: pi = (1-damping) * seeds + damping * P^T pi over both directions of each
/// edge, P row-normalised by weight; the mass of a node without edges returns to the seeds.
/// Iterated until the L1 change is below `tolerance`. Source: Page et al. 1999; Haveliwala 2002.
struct REMANENCE_API WalkRequest {
    std::vector<Id> seeds;
    std::vector<float> weights;  ///< empty = equal
    double damping = 0.5;
    double tolerance = 1e-9;
    EdgeFilter filter;
};

}  // namespace remanence
