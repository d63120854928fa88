// The base of a graph: each edge as two arcs, rows of arcs per node, columns only where they
// differ.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>

#include "remanence/graph_store.hpp"

#include "core/array.hpp"

namespace remanence {

class ArcLog;
struct GateCodes;

inline constexpr std::size_t most_nodes = (std::size_t{1} << 31U) - 1;

/// One bit for each type of edge.
using TypeBits = std::array<std::uint32_t, 2048>;
constexpr bool has_type(const TypeBits& types, std::uint16_t type) {
    return (types[type / 32U] >> (type % 32U) & 1U) != 0;
}
constexpr void put_type(TypeBits& types, std::uint16_t type) {
    types[type / 32U] |= 1U << (type % 32U);
}

/// Rows are numbered by rank: nodes of many arcs first, so that what is touched most is close
/// together. Row r holds its out arcs and then its in arcs, each by ascending edge number.
struct Arcs {
    std::uint32_t nodes = 0;
    std::uint32_t edges = 0;
    std::uint32_t active = 0;  ///< ranks from here on had no arcs when ranks were given
    Array<std::uint32_t> rank_of;
    Array<std::uint32_t> node_of;
    Array<std::uint32_t> offset;   ///< [2 nodes + 1] out arcs of r from 2r, in arcs from 2r + 1
    Array<std::uint32_t> to;       ///< [2 edges] rank of the other end
    Array<std::uint32_t> to_node;  ///< [2 edges] the other end as node
    Array<std::uint32_t> edge;     ///< [2 edges]
    Column<float> weight;          ///< [2 edges]
    Column<std::uint16_t> type;
    TypeBits types{};  ///< those of the edges, where they have several
    Column<TimeNs> valid_from;
    Column<TimeNs> valid_to;
    Column<Seq> seq_from;
    Array<std::uint32_t> gate;  ///< [2 edges] a word for most filters; empty where none needs it
    std::shared_ptr<const GateCodes> gate_codes;
    Seq last_seq = 0;             ///< greatest seq_from
    Array<std::uint32_t> source;  ///< [edges] node
    Array<std::uint32_t> target;  ///< [edges] node
    std::uint32_t ranked_at = 0;  ///< edges when the ranks were given

    /// Twice the edges, or fewer where they are those that pass a filter.
    std::size_t arcs() const { return to.size(); }
    std::size_t bytes() const;
    /// Where an edge stands in the row of its source (or, `in`, of its target).
    std::uint32_t place(std::uint32_t e, bool in) const;
};

/// The commit that closed each arc, seq_open where none did; written while readers read.
using Closings = Array<Seq>;

/// An edge's columns, checked; a column of length 0 stands for its default.
struct NewEdges {
    View<const std::int64_t> source;
    View<const std::int64_t> target;
    View<const std::uint16_t> type;
    View<const float> weight;
    View<const TimeNs> valid_from;
    View<const TimeNs> valid_to;
};

/// The base of a graph that had no edge before.
std::shared_ptr<const Arcs> build_arcs(std::uint32_t nodes, const NewEdges& edges, Seq seq);

/// The base with the first `count` edges of the log behind its own. Ranks are given anew when the
/// edges have doubled since they last were. `closed` is replaced by the closings of the new base.
/// The log may be appended to and edges closed meanwhile. Null where `stop` was set.
std::shared_ptr<const Arcs> merge_arcs(const Arcs& base, const ArcLog& log, std::uint32_t count,
                                       std::uint32_t nodes, std::shared_ptr<Closings>& closed,
                                       int workers, const std::atomic<bool>& stop);

}  // namespace remanence
