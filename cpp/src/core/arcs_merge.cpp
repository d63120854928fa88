// Merging the log of a graph into its base, row by row.
#include <algorithm>
#include <cstring>

#include "core/arc_log.hpp"
#include "core/arcs.hpp"
#include "core/gate.hpp"
#include "core/ranks.hpp"
#include "core/threads.hpp"

namespace remanence {
namespace {

constexpr std::uint32_t rows_per_task = 4096;

class Merge {
public:
    Merge(const Arcs& base, const ArcLog& log, std::uint32_t count, std::uint32_t nodes,
          const Closings* closed)
        : base_(base), log_(log), count_(count), nodes_(nodes), closed_(closed) {}

    std::shared_ptr<const Arcs> run(std::shared_ptr<Closings>& closed, int workers,
                                    const std::atomic<bool>& stop);

private:
    std::uint32_t base_begin(std::size_t row) const {
        return row < std::size_t{2} * base_.nodes ? base_.offset[row] : 0;
    }
    std::uint32_t base_size(std::size_t row) const {
        return row < std::size_t{2} * base_.nodes ? base_.offset[row + 1] - base_.offset[row] : 0;
    }
    std::uint32_t old_rank(std::uint32_t node) const {
        return node < base_.nodes ? base_.rank_of[node] : node;
    }
    Seq closed_at(std::uint32_t arc) const {
        if (closed_ == nullptr) return seq_open;
        return std::atomic_ref<Seq>(const_cast<Seq&>((*closed_)[arc]))
            .load(std::memory_order_relaxed);
    }
    void count_rows();
    void give_ranks();
    template <class T, class Get>
    void plan(Column<T>& out, const Column<T>& old, Get get) const;
    template <class T, class Get>
    void fill(Column<T>& out, const Column<T>& old, std::size_t row, std::uint32_t node, bool in,
              std::uint32_t at, Get get) const;
    void fill_row(std::uint32_t rank);
    void fill_gate(std::size_t row, std::uint32_t node, bool in, std::uint32_t at) const;
    bool same_columns_differ() const;

    const Arcs& base_;
    const ArcLog& log_;
    const std::uint32_t count_;
    const std::uint32_t nodes_;
    const Closings* const closed_;
    Array<std::uint32_t> size_;   ///< [2 nodes] by old rank and side
    Array<std::uint32_t> order_;  ///< [nodes] new rank -> old rank
    bool same_ranks_ = true;
    bool any_closed_ = false;
    bool gate_goes_on_ = false;  ///< with the codes of the base
    std::shared_ptr<Arcs> made_ = std::make_shared<Arcs>();
    Closings closings_;
};

void Merge::count_rows() {
    size_ = Array<std::uint32_t>(std::size_t{2} * nodes_);
    for (std::size_t row = 0; row < size_.size(); ++row) size_[row] = base_size(row);
    for (std::uint32_t i = 0; i < count_; ++i) {
        const LogEdge& e = log_.at(i);
        ++size_[std::size_t{2} * old_rank(e.source)];
        ++size_[std::size_t{2} * old_rank(e.target) + 1];
        any_closed_ = any_closed_ || e.seq_to.load(std::memory_order_relaxed) != seq_open;
    }
    any_closed_ = any_closed_ || closed_ != nullptr;
}

void Merge::give_ranks() {
    Arcs& out = *made_;
    out.node_of = Array<std::uint32_t>(nodes_);
    out.rank_of = Array<std::uint32_t>(nodes_);
    same_ranks_ = base_.ranked_at > 0 && out.edges / 2 < base_.ranked_at;
    out.ranked_at = same_ranks_ ? base_.ranked_at : out.edges;
    const auto node_of = [&](std::uint32_t old) {
        return old < base_.nodes ? base_.node_of[old] : old;
    };
    if (same_ranks_) {
        order_ = Array<std::uint32_t>(nodes_);
        for (std::uint32_t r = 0; r < nodes_; ++r) order_[r] = r;
        out.active = base_.active;
        for (std::uint32_t r = base_.active; r < nodes_; ++r) {
            const std::size_t row = std::size_t{2} * r;
            if (size_[row] + size_[row + 1] > 0) out.active = r + 1;
        }
    } else {
        Array<std::uint32_t> degree(nodes_);  // by node, so that equal degrees stand by node
        for (std::uint32_t r = 0; r < nodes_; ++r) {
            const std::size_t row = std::size_t{2} * r;
            degree[node_of(r)] = size_[row] + size_[row + 1];
            out.active += size_[row] + size_[row + 1] > 0 ? 1 : 0;
        }
        order_ = order_by_degree(degree);
        for (std::uint32_t r = 0; r < nodes_; ++r) order_[r] = old_rank(order_[r]);
    }
    for (std::uint32_t r = 0; r < nodes_; ++r) {
        out.node_of[r] = node_of(order_[r]);
        out.rank_of[out.node_of[r]] = r;
    }
}

/// A column stays one value while every edge of the log has that value, too. An empty base bounds
/// nothing.
template <class T, class Get>
void Merge::plan(Column<T>& out, const Column<T>& old, Get get) const {
    out.one = base_.edges > 0 || count_ == 0 ? old.one : get(log_.at(0));
    bool differs = !old.constant();
    for (std::uint32_t i = 0; i < count_ && !differs; ++i) differs = get(log_.at(i)) != out.one;
    if (!differs) return;
    out.values = Array<T>(made_->arcs());
    out.low = base_.edges > 0 ? old.least() : out.one;
    out.high = base_.edges > 0 ? old.greatest() : out.one;
    for (std::uint32_t i = 0; i < count_; ++i) {
        out.low = std::min(out.low, get(log_.at(i)));
        out.high = std::max(out.high, get(log_.at(i)));
    }
}

template <class T, class Get>
void Merge::fill(Column<T>& out, const Column<T>& old, std::size_t row, std::uint32_t node, bool in,
                 std::uint32_t at, Get get) const {
    if (out.constant()) return;
    T* put = out.values.data() + at;
    const std::uint32_t n = base_size(row);
    if (old.constant()) {
        std::fill(put, put + n, old.one);
    } else if (n > 0) {
        std::memcpy(put, old.values.data() + base_begin(row), n * sizeof(T));
    }
    put += n;
    log_.each(node, in, count_, [&](std::uint32_t, std::uint32_t place) {
        *put++ = get(log_.at(place));
        return false;
    });
}

void Merge::fill_gate(std::size_t row, std::uint32_t node, bool in, std::uint32_t at) const {
    std::uint32_t* put = made_->gate.data() + at;
    const std::uint32_t n = base_size(row);
    if (n > 0) std::memcpy(put, &base_.gate[base_begin(row)], n * sizeof(std::uint32_t));
    put += n;
    log_.each(node, in, count_, [&](std::uint32_t, std::uint32_t place) {
        const LogEdge& e = log_.at(place);
        *put++ = base_.gate_codes->word(base_.gate_codes->type_code(e.type), e.weight, e.valid_from,
                                        e.valid_to);
        return false;
    });
}

/// Columns that differ from arc to arc are those that did, so that their codes still part them.
bool Merge::same_columns_differ() const {
    const auto same = [](const auto& a, const auto& b) { return a.constant() == b.constant(); };
    return same(made_->weight, base_.weight) && same(made_->type, base_.type) &&
           same(made_->valid_from, base_.valid_from) && same(made_->valid_to, base_.valid_to);
}

void Merge::fill_row(std::uint32_t rank) {
    Arcs& out = *made_;
    const std::uint32_t node = out.node_of[rank];
    for (std::size_t side = 0; side < 2; ++side) {
        const bool in = side == 1;
        const std::size_t row = std::size_t{2} * order_[rank] + side;
        const std::uint32_t at = out.offset[std::size_t{2} * rank + side];
        const std::uint32_t from = base_begin(row);
        const std::uint32_t n = base_size(row);
        if (n > 0) {
            std::memcpy(&out.to_node[at], &base_.to_node[from], n * sizeof(std::uint32_t));
            std::memcpy(&out.edge[at], &base_.edge[from], n * sizeof(std::uint32_t));
        }
        if (n > 0 && same_ranks_) {
            std::memcpy(&out.to[at], &base_.to[from], n * sizeof(std::uint32_t));
        } else {
            for (std::uint32_t i = 0; i < n; ++i) out.to[at + i] = out.rank_of[out.to_node[at + i]];
        }
        std::uint32_t put = at + n;
        log_.each(node, in, count_, [&](std::uint32_t other, std::uint32_t place) {
            out.to_node[put] = other;
            out.to[put] = out.rank_of[other];
            out.edge[put++] = base_.edges + place;
            return false;
        });
        const auto one = [&](auto& column, const auto& old, auto get) {
            fill(column, old, row, node, in, at, get);
        };
        one(out.weight, base_.weight, [](const LogEdge& e) { return e.weight; });
        one(out.type, base_.type, [](const LogEdge& e) { return e.type; });
        one(out.valid_from, base_.valid_from, [](const LogEdge& e) { return e.valid_from; });
        one(out.valid_to, base_.valid_to, [](const LogEdge& e) { return e.valid_to; });
        one(out.seq_from, base_.seq_from, [](const LogEdge& e) { return e.seq_from; });
        if (gate_goes_on_) fill_gate(row, node, in, at);
        if (!any_closed_) continue;
        Seq* close = closings_.data() + at;
        for (std::uint32_t a = from; a < from + n; ++a) {
            *close++ = closed_at(a);
        }
        log_.each(node, in, count_, [&](std::uint32_t, std::uint32_t place) {
            *close++ = log_.at(place).seq_to.load(std::memory_order_relaxed);
            return false;
        });
    }
}

std::shared_ptr<const Arcs> Merge::run(std::shared_ptr<Closings>& closed, int workers,
                                       const std::atomic<bool>& stop) {
    Arcs& out = *made_;
    out.nodes = nodes_;
    out.edges = base_.edges + count_;
    count_rows();
    give_ranks();
    out.offset = Array<std::uint32_t>(std::size_t{2} * nodes_ + 1);
    out.offset[0] = 0;
    for (std::uint32_t r = 0; r < nodes_; ++r) {
        for (std::size_t side = 0; side < 2; ++side) {
            const std::size_t row = std::size_t{2} * r + side;
            out.offset[row + 1] = out.offset[row] + size_[std::size_t{2} * order_[r] + side];
        }
    }
    for (Array<std::uint32_t>* a : {&out.to, &out.to_node, &out.edge}) {
        *a = Array<std::uint32_t>(std::size_t{2} * out.edges);
    }
    plan(out.weight, base_.weight, [](const LogEdge& e) { return e.weight; });
    plan(out.type, base_.type, [](const LogEdge& e) { return e.type; });
    plan(out.valid_from, base_.valid_from, [](const LogEdge& e) { return e.valid_from; });
    plan(out.valid_to, base_.valid_to, [](const LogEdge& e) { return e.valid_to; });
    plan(out.seq_from, base_.seq_from, [](const LogEdge& e) { return e.seq_from; });
    if (any_closed_) closings_ = Closings(out.arcs());
    out.source = Array<std::uint32_t>(out.edges);
    out.target = Array<std::uint32_t>(out.edges);
    if (base_.edges > 0) {
        std::memcpy(out.source.data(), base_.source.data(), base_.source.bytes());
        std::memcpy(out.target.data(), base_.target.data(), base_.target.bytes());
    }
    out.last_seq = base_.last_seq;
    out.types = base_.types;
    if (base_.type.constant() && base_.edges > 0) put_type(out.types, base_.type.one);
    for (std::uint32_t i = 0; i < count_; ++i) {
        const LogEdge& e = log_.at(i);
        out.source[base_.edges + i] = e.source;
        out.target[base_.edges + i] = e.target;
        out.last_seq = std::max(out.last_seq, e.seq_from);
        put_type(out.types, e.type);
    }
    gate_goes_on_ = same_ranks_ && !base_.gate.empty() && same_columns_differ();
    if (gate_goes_on_) {
        out.gate = Array<std::uint32_t>(out.arcs());
        out.gate_codes = base_.gate_codes;
    }
    parallel_for((nodes_ + rows_per_task - 1) / rows_per_task, workers, [&](std::size_t task, int) {
        if (stop) return;
        const auto first = static_cast<std::uint32_t>(task * rows_per_task);
        const std::uint32_t last = std::min(nodes_, first + rows_per_task);
        for (std::uint32_t r = first; r < last; ++r) fill_row(r);
    });
    if (stop) return nullptr;
    if (!gate_goes_on_ && wants_gate(out)) make_gate(out, workers);
    closed = any_closed_ ? std::make_shared<Closings>(std::move(closings_)) : nullptr;
    return made_;
}

}  // namespace

std::shared_ptr<const Arcs> merge_arcs(const Arcs& base, const ArcLog& log, std::uint32_t count,
                                       std::uint32_t nodes, std::shared_ptr<Closings>& closed,
                                       int workers, const std::atomic<bool>& stop) {
    return Merge(base, log, count, nodes, closed.get()).run(closed, workers, stop);
}

}  // namespace remanence
