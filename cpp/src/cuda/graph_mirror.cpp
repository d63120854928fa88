// Copying a graph's columns when they are first asked for, and the log's edges as they come.
#include "cuda/graph_mirror.hpp"

#include <algorithm>

namespace remanence::cuda {
namespace {

/// The array on the device, copied there by the first call that wants it.
template <class T>
const T* once(Buffer<T>& buffer, const Array<T>& values, const Stream& stream) {
    if (values.empty()) return nullptr;
    if (buffer.size() < values.size()) {
        Buffer<T> fresh(values.size());
        upload(fresh.data(), values.data(), values.bytes(), stream);
        buffer = std::move(fresh);
    }
    return buffer.data();
}

}  // namespace

GraphMirror::GraphMirror(std::shared_ptr<const Arcs> arcs, std::shared_ptr<const ArcLog> log)
    : arcs_(std::move(arcs)), log_(std::move(log)) {}

GraphColumns GraphMirror::follow(const Filter& filter, Direction direction, const Stream& stream) {
    const GraphState& state = filter.state();
    const ArcRules rules = filter.rules();
    GraphColumns out{};
    out.ranks = state.nodes;
    out.out = direction != Direction::in;
    out.in = direction != Direction::out;
    out.no_base = rules.no_base;
    out.valid_asked = rules.valid_asked;
    out.min_weight = rules.min_weight;
    out.valid_at = rules.valid_at;
    out.seq = rules.seq;
    if (rules.types != nullptr) {
        out.types = types_.put({rules.types->begin(), rules.types->end()}, stream);
    }
    if (!rules.allow.empty()) {
        std::vector<std::uint8_t> allow(state.nodes);
        for (std::uint32_t r = 0; r < state.nodes; ++r) allow[r] = rules.allow[state.node(r)];
        out.allow = allow_.put(allow, stream);
    }
    copy_base(filter, out, stream);
    copy_closings(state, out, stream);
    copy_log(state, out, stream);
    return out;
}

void GraphMirror::copy_base(const Filter& filter, GraphColumns& out, const Stream& stream) {
    const Arcs& arcs = *arcs_;
    const ArcRules rules = filter.rules();
    out.base_nodes = arcs.nodes;
    out.base_edges = arcs.edges;
    out.offset = once(offset_, arcs.offset, stream);
    out.to = once(to_, arcs.to, stream);
    out.edge = once(edge_, arcs.edge, stream);
    out.node_of = once(node_of_, arcs.node_of, stream);
    out.rank_of = once(rank_of_, arcs.rank_of, stream);
    out.weight = once(weight_, arcs.weight.values, stream);
    out.one = arcs.weight.one;
    if (rules.type_in_base) out.type = once(type_, arcs.type.values, stream);
    out.valid_in_base = rules.valid_in_base;
    if (rules.valid_in_base) {
        out.valid_from = once(valid_from_, arcs.valid_from.values, stream);
        out.valid_to = once(valid_to_, arcs.valid_to.values, stream);
        out.one_from = arcs.valid_from.one;
        out.one_to = arcs.valid_to.one;
    }
    if (!rules.later_in_base) return;
    // One commit for the whole base, and the view does not reach it.
    if (arcs.seq_from.constant()) {
        out.no_base = true;
    } else {
        out.seq_from = once(seq_from_, arcs.seq_from.values, stream);
    }
}

void GraphMirror::copy_closings(const GraphState& state, GraphColumns& out, const Stream& stream) {
    const auto& closings = state.epoch->closed;
    if (closings == nullptr || closings->empty()) return;
    if (closings != closings_ || state.closed_seq > closed_seq_) {
        std::vector<Seq> now(closings->size());
        for (std::size_t a = 0; a < now.size(); ++a) now[a] = state.closed_at(a);
        closed_seq_ = -1;  // nothing is there should the copy fail
        closed_.put(now, stream);
        closings_ = closings;
        closed_seq_ = state.closed_seq;
    }
    out.closed = closed_.data();
}

std::vector<Seq> GraphMirror::log_closings(std::uint32_t first, std::uint32_t end) const {
    std::vector<Seq> out;
    out.reserve(end - first);
    for (std::uint32_t p = first; p < end; ++p) {
        out.push_back(log_->at(p).seq_to.load(std::memory_order_relaxed));
    }
    return out;
}

void GraphMirror::copy_log(const GraphState& state, GraphColumns& out, const Stream& stream) {
    out.log_edges = state.log_edges;
    if (state.log_edges == 0) return;
    if (state.log_edges > copied_) append_log(state, stream);
    if (state.closed_seq > log_closed_seq_) {
        const std::vector<Seq> now = log_closings(0, copied_);
        upload(log_closed_.data(), now.data(), now.size() * sizeof(Seq), stream);
        log_closed_seq_ = state.closed_seq;
    }
    out.log = logged_.data();
    out.log_closed = log_closed_.data();
    out.first = first_.data();
    out.next = next_.data();
    out.chained = std::min(state.nodes, log_->node_capacity());
}

void GraphMirror::append_log(const GraphState& state, const Stream& stream) {
    const std::uint32_t end = state.log_edges;
    if (!whole_ || end > logged_.size()) {  // memory that grows loses its content
        const std::size_t room = std::max<std::size_t>(1024, std::size_t{2} * end);
        copied_ = 0;
        last_.clear();
        log_closed_.reserve(room);
        next_.reserve(2 * room);
        first_.reserve(std::size_t{2} * log_->node_capacity());
        logged_.reserve(room);
        fill(first_.data(), 0, first_.size() * sizeof(std::uint32_t), stream);
    }
    whole_ = false;
    const std::uint32_t begin = copied_;
    std::vector<LoggedEdge> edges;
    edges.reserve(end - begin);
    std::vector<std::uint32_t> next(std::size_t{2} * (end - begin), 0);
    std::vector<Link> first;
    std::vector<Link> later;
    for (std::uint32_t p = begin; p < end; ++p) {
        const LogEdge& e = log_->at(p);
        edges.push_back({state.rank(e.source), state.rank(e.target), e.weight, e.type, e.valid_from,
                         e.valid_to, e.seq_from});
        for (const std::uint32_t side : {0U, 1U}) {
            const std::uint64_t row =
                std::uint64_t{2} * (side == 0 ? edges.back().source : edges.back().target) + side;
            std::uint32_t& last = last_[row];
            if (last == 0) {
                first.push_back({static_cast<std::uint32_t>(row), p + 1});
            } else if (last > begin) {
                next[std::size_t{2} * (last - 1 - begin) + side] = p + 1;
            } else {
                later.push_back({2 * (last - 1) + side, p + 1});
            }
            last = p + 1;
        }
    }
    const std::vector<Seq> closed = log_closings(begin, end);
    upload(logged_.data() + begin, edges.data(), edges.size() * sizeof(LoggedEdge), stream);
    upload(log_closed_.data() + begin, closed.data(), closed.size() * sizeof(Seq), stream);
    upload(next_.data() + std::size_t{2} * begin, next.data(), next.size() * sizeof next[0],
           stream);
    run_set_links(first_.data(), links_.put(first, stream),
                  static_cast<std::uint32_t>(first.size()), stream);
    run_set_links(next_.data(), links_.put(later, stream), static_cast<std::uint32_t>(later.size()),
                  stream);
    copied_ = end;
    whole_ = true;
}

}  // namespace remanence::cuda
