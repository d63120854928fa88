// A graph's arcs on the device: the base once, the log as far as anybody asked for it.
#pragma once

#include <memory>
#include <unordered_map>
#include <vector>

#include "core/rows.hpp"
#include "cuda/graph_launch.hpp"

namespace remanence::cuda {

class GraphMirror {
public:
    GraphMirror(std::shared_ptr<const Arcs> arcs, std::shared_ptr<const ArcLog> log);
    /// What a call with this filter needs, copied as far as it is not there yet.
    GraphColumns follow(const Filter& filter, Direction direction, const Stream& stream);
    const Arcs& arcs() const { return *arcs_; }

private:
    void copy_base(const Filter& filter, GraphColumns& out, const Stream& stream);
    void copy_closings(const GraphState& state, GraphColumns& out, const Stream& stream);
    void copy_log(const GraphState& state, GraphColumns& out, const Stream& stream);
    void append_log(const GraphState& state, const Stream& stream);
    std::vector<Seq> log_closings(std::uint32_t first, std::uint32_t end) const;

    std::shared_ptr<const Arcs> arcs_;
    std::shared_ptr<const ArcLog> log_;
    Buffer<std::uint32_t> offset_, to_, edge_, node_of_, rank_of_, first_, next_, types_;
    Buffer<float> weight_;
    Buffer<std::uint16_t> type_;
    Buffer<TimeNs> valid_from_, valid_to_;
    Buffer<Seq> seq_from_, closed_, log_closed_;
    Buffer<LoggedEdge> logged_;
    Buffer<Link> links_;
    Buffer<std::uint8_t> allow_;
    std::shared_ptr<const Closings> closings_;  ///< those that closed_ shows
    Seq closed_seq_ = -1;                       ///< as of this commit
    Seq log_closed_seq_ = -1;
    std::uint32_t copied_ = 0;  ///< edges of the log
    bool whole_ = true;         ///< the last copy of the log came to its end
    /// By 2 * rank, plus one for in arcs: place plus one of the last edge of the chain.
    std::unordered_map<std::uint64_t, std::uint32_t> last_;
};

}  // namespace remanence::cuda
