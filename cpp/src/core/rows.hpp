// Walking the arcs of a node that a filter lets pass: base first, then the log.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <utility>

#include "core/gate.hpp"
#include "core/kept_arcs.hpp"

namespace remanence {

/// What arcs must be to pass a filter, as plain numbers. An answer that is false or null need not
/// be asked for.
struct ArcRules {
    bool no_base = false;        ///< no arc of the base passes
    bool type_in_base = false;   ///< the base has several types, and they are asked for
    bool valid_in_base = false;  ///< likewise intervals
    bool later_in_base = false;  ///< likewise commits
    bool valid_asked = false;
    const TypeBits* types = nullptr;
    float min_weight = 0.0F;
    TimeNs valid_at = 0;
    Seq seq = 0;
    View<const std::uint8_t> allow;  ///< by node; empty = all
};

/// How much of a graph a verb walks: only what walks much is worth a copy of what passes, and only
/// what does not ask how many arcs fail may use it.
enum class Reach : std::uint8_t { little, counted, all };

/// A GraphFilter made ready for one view: what need not be looked at is left out.
class Filter {
public:
    /// With `counted` the verb says by asked() of how many arcs it asked.
    Filter(const char* verb, const GraphState& state, const GraphFilter& filter,
           Reach reach = Reach::little);
    Filter(const Filter&) = delete;
    Filter& operator=(const Filter&) = delete;

    /// The view, whose base may be a copy of what passes.
    const GraphState& state() const { return *state_; }
    Direction direction() const { return direction_; }
    /// Every arc of the base passes and there is no log.
    bool plain() const { return plain_; }

    bool arc(std::size_t a) const {
        return arc_to_any(a) && (allow_.empty() || allow_[arcs_->to_node[a]] != 0);
    }
    /// The same whatever the node at the other end.
    /// Every column is asked, without a branch that would be guessed wrong.
    bool arc_to_any(std::size_t a) const {
        if (gate_ == nullptr) return columns(a);
        const std::uint32_t answer = gate_test_.ask(gate_[a]);
        if (answer == 1 && gate_decides_) return true;
        return answer != 0 && columns(a);
    }
    bool columns(std::size_t a) const {
        const Arcs& arcs = *arcs_;
        bool ok = !none_of_base_;
        if (type_in_rows_) ok = ok & has_type(*types_, arcs.type.values[a]);
        if (weight_in_rows_) ok = ok & (arcs.weight.values[a] >= min_weight_);
        if (valid_in_rows_) {
            ok = ok & (arcs.valid_from.at(a) <= valid_at_);
            ok = ok & open_at(arcs.valid_to.at(a), valid_at_);
        }
        if (later_in_base_) ok = ok & (arcs.seq_from.at(a) <= seq_);
        if (closed_in_base_) ok = ok & (state_->closed_at(a) > seq_);
        return ok;
    }
    /// What the word of an arc does not say: commits, closings and nodes.
    bool beyond_gate(std::size_t a) const {
        bool ok = allow_.empty() || allow_[arcs_->to_node[a]] != 0;
        if (later_in_base_) ok = ok & (arcs_->seq_from.at(a) <= seq_);
        if (closed_in_base_) ok = ok & (state_->closed_at(a) > seq_);
        return ok;
    }
    /// The rest for an arc whose word decides nothing: of the columns only those that it leaves
    /// open.
    bool arc_unsure(std::size_t a) const {
        const Arcs& arcs = *arcs_;
        const std::uint32_t word = gate_[a];
        bool ok = beyond_gate(a);
        if (type_in_rows_ && gate_test_.type_unsure(word)) {
            ok = ok & has_type(*types_, arcs.type.values[a]);
        }
        if (weight_in_rows_ && gate_test_.weight_unsure(word)) {
            ok = ok & (arcs.weight.values[a] >= min_weight_);
        }
        if (valid_in_rows_ && gate_test_.from_unsure(word)) {
            ok = ok & (arcs.valid_from.at(a) <= valid_at_);
        }
        if (valid_in_rows_ && gate_test_.to_unsure(word)) {
            ok = ok & open_at(arcs.valid_to.at(a), valid_at_);
        }
        return ok;
    }
    /// An edge of the log, whose other end is a node.
    bool log(std::uint32_t place, std::uint32_t other) const {
        if (whole_log_) return node(other);
        const LogEdge& e = state_->epoch->log->at(place);
        if (has_types_ && !has_type(*types_, e.type)) return false;
        if (e.weight < min_weight_) return false;
        if (has_valid_at_ && !holds(e.valid_from, e.valid_to)) return false;
        if (e.seq_from > seq_ || e.seq_to.load(std::memory_order_relaxed) <= seq_) return false;
        return node(other);
    }
    bool node(std::uint32_t node) const { return allow_.empty() || allow_[node] != 0; }
    /// Every arc of the base passes, whatever there is beside it.
    bool whole_base() const {
        return !none_of_base_ && !type_in_rows_ && !weight_in_rows_ && !valid_in_rows_ &&
               !later_in_base_ && !closed_in_base_ && allow_.empty();
    }
    /// Ask memory for what arc_unsure reads.
    [[gnu::always_inline]] void fetch_unsure(std::size_t a) const {
        const Arcs& arcs = *arcs_;
        const std::uint32_t word = gate_[a];
        const auto fetch = [&](const auto& column) __attribute__((always_inline)) {
            if (!column.constant()) __builtin_prefetch(&column.values[a]);
        };
        if (type_in_rows_ && gate_test_.type_unsure(word)) fetch(arcs.type);
        if (weight_in_rows_ && gate_test_.weight_unsure(word)) fetch(arcs.weight);
        if (valid_in_rows_ && gate_test_.from_unsure(word)) fetch(arcs.valid_from);
        if (valid_in_rows_ && gate_test_.to_unsure(word)) fetch(arcs.valid_to);
        __builtin_prefetch(&arcs.to_node[a]);
    }
    /// A word per arc of the base, to be asked by gate_test(); null where there is none.
    const std::uint32_t* gate() const { return gate_; }
    const GateTest& gate_test() const { return gate_test_; }
    /// Whether a sure answer to a word needs no look at closings, commits and nodes.
    bool gate_decides() const { return gate_decides_ && allow_.empty(); }
    bool restricts_nodes() const { return !allow_.empty(); }
    ArcRules rules() const {
        return {none_of_base_, type_in_rows_, valid_in_rows_, later_in_base_, has_valid_at_,
                types_.get(),  min_weight_,   valid_at_,      seq_,           allow_};
    }
    /// The filter was asked of so many arcs; count_asked() tells the copies, once for many
    /// questions.
    void asked(std::size_t arcs) const { asked_.fetch_add(arcs, std::memory_order_relaxed); }
    void count_asked() const {
        if (question_) state_->epoch->kept->asked(*question_, asked_);
    }
    /// The node as a rank, or NotFound.
    std::uint32_t seed(const char* verb, std::int64_t node) const;

private:
    void ready_types(const std::vector<std::uint16_t>& types);
    void ready_valid_at();
    void ready_gate();
    void ready_copy(const GraphFilter& filter, Reach reach);
    bool holds(TimeNs from, TimeNs to) const { return from <= valid_at_ && open_at(to, valid_at_); }

    const GraphState* state_;
    const Arcs* arcs_;
    std::optional<GraphState> copied_;     ///< state_ points here where a copy is walked
    std::optional<ArcQuestion> question_;  ///< where a copy may become worth it
    mutable std::atomic<std::size_t> asked_{0};
    Direction direction_;
    bool plain_ = true;
    bool whole_log_ = false;  ///< every edge of the log passes, whatever its other end
    bool none_of_base_ = false;
    bool has_types_ = false;
    bool type_in_rows_ = false;
    bool weight_in_rows_ = false;
    bool has_valid_at_ = false;
    bool valid_in_rows_ = false;
    bool later_in_base_ = false;
    bool closed_in_base_ = false;
    float min_weight_ = 0.0F;
    TimeNs valid_at_ = 0;
    Seq seq_ = 0;
    std::unique_ptr<TypeBits> types_;
    View<const std::uint8_t> allow_;
    const std::uint32_t* gate_ = nullptr;
    GateTest gate_test_;
    bool gate_decides_ = false;
};

/// One arc as a walk sees it. What is not asked for is not read.
struct ArcAt {
    const GraphState* state;
    std::size_t arc;  ///< of the base, or the place in the log
    bool logged;

    float weight() const {
        return logged ? state->epoch->log->at(static_cast<std::uint32_t>(arc)).weight
                      : state->arcs().weight.at(arc);
    }
    std::uint32_t edge() const {
        return logged ? state->arcs().edges + static_cast<std::uint32_t>(arc)
                      : state->arcs().edge[arc];
    }
};

/// The rows of a view under a filter. With `plain` the compiler leaves out filter and log.
template <bool plain>
class Rows {
public:
    explicit Rows(const Filter& filter) : filter_(&filter), state_(&filter.state()) {}

    /// Calls use(rank, ArcAt) for the out (or in) arcs of a rank by edge number until it returns
    /// true; whether it did.
    template <class Use>
    bool side(std::uint32_t rank, bool in, Use&& use) const {
        const std::size_t row = std::size_t{2} * rank + (in ? 1 : 0);
        const auto all = [](std::uint32_t, const ArcAt&) { return true; };
        return base(rank, row, row + 1, by_filter(), all, use) || logged(rank, in, all, use);
    }

    /// The same for both sides or one, as the direction says, the base first.
    template <class Use>
    bool each(std::uint32_t rank, Direction direction, Use&& use) const {
        return each_that(rank, direction, [](std::uint32_t, const ArcAt&) { return true; }, use);
    }

    /// The same for the arcs that want(rank, ArcAt) asks for. The filter is asked only of these:
    /// it reads more columns than a walk that knows the other end.
    template <class Want, class Use>
    bool each_that(std::uint32_t rank, Direction direction, Want&& want, Use&& use) const {
        return each_of(rank, direction, by_filter(), want, use);
    }

    /// The same where passes(a) says of arcs of the base what the filter would.
    template <class Passes, class Want, class Use>
    bool each_of(std::uint32_t rank, Direction direction, Passes&& passes, Want&& want,
                 Use&& use) const {
        const std::size_t row = std::size_t{2} * rank;
        return base(rank, row + (direction == Direction::in ? 1 : 0),
                    row + (direction == Direction::out ? 1 : 2), passes, want, use) ||
               each_logged(rank, direction, want, use);
    }

    /// The same for those of the log.
    template <class Want, class Use>
    bool each_logged(std::uint32_t rank, Direction direction, Want&& want, Use&& use) const {
        if constexpr (!plain) {
            if (direction != Direction::in && logged(rank, false, want, use)) return true;
            if (direction != Direction::out && logged(rank, true, want, use)) return true;
        }
        return false;
    }

    /// Where the arcs of a rank begin and end in the base.
    std::pair<std::size_t, std::size_t> of_base(std::uint32_t rank, Direction direction) const {
        const Arcs& arcs = state_->arcs();
        if (!plain && rank >= arcs.nodes) return {0, 0};
        const std::uint32_t* const row = arcs.offset.data() + std::size_t{2} * rank;
        return {row[direction == Direction::in ? 1 : 0], row[direction == Direction::out ? 1 : 2]};
    }

    /// Calls use(node, whether it passes) for the other ends of a rank's arcs of the base, without
    /// a branch on the filter.
    template <class Use>
    void each_of_base(std::uint32_t rank, Direction direction, Use&& use) const {
        const Arcs& arcs = state_->arcs();
        auto [a, end] = of_base(rank, direction);
        if (plain || filter_->whole_base()) {
            for (; a < end; ++a) use(arcs.to_node[a], true);
        }
        for (; a < end; ++a) use(arcs.to_node[a], filter_->arc(a));
    }

    /// The same for those of the log that pass, by node.
    template <class Use>
    void each_of_log(std::uint32_t node, Direction direction, Use&& use) const {
        for (const bool in : {false, true}) {
            if (direction == (in ? Direction::out : Direction::in)) continue;
            state_->epoch->log->each(node, in, state_->log_edges,
                                     [&](std::uint32_t other, std::uint32_t place) {
                                         if (filter_->log(place, other)) use(other);
                                         return false;
                                     });
        }
    }

    /// About how many arcs a rank has, whether or not they pass.
    std::size_t width(std::uint32_t rank) const {
        const Arcs& arcs = state_->arcs();
        if (!plain && rank >= arcs.nodes) return 1;
        const std::uint32_t* const o = arcs.offset.data() + std::size_t{2} * rank;
        return o[2] - o[0];
    }

    /// Ask memory for where a rank's row begins, and, when that is there, for the row.
    [[gnu::always_inline]] void fetch_offset(std::uint32_t rank) const {
        const Arcs& arcs = state_->arcs();
        if (plain || rank < arcs.nodes) __builtin_prefetch(&arcs.offset[std::size_t{2} * rank]);
    }
    [[gnu::always_inline]] void fetch_nodes(std::uint32_t rank) const {
        const Arcs& arcs = state_->arcs();
        if (!plain && rank >= arcs.nodes) return;
        __builtin_prefetch(arcs.to_node.data() + arcs.offset[std::size_t{2} * rank]);
    }

    [[gnu::always_inline]] void fetch_gate(std::uint32_t rank) const {
        const std::size_t begin = of_base(rank, Direction::both).first;
        __builtin_prefetch(filter_->gate() + begin);
        __builtin_prefetch(filter_->gate() + begin + 16);
    }

private:
    auto by_filter() const {
        return [this](std::size_t a) { return filter_->arc(a); };
    }

    template <class Passes, class Want, class Use>
    bool base(std::uint32_t rank, std::size_t first_row, std::size_t last_row, Passes&& passes,
              Want& want, Use& use) const {
        const Arcs& arcs = state_->arcs();
        if (!plain && rank >= arcs.nodes) return false;
        const std::size_t end = arcs.offset[last_row];
        const std::uint32_t* const ends = arcs.to.data();
        for (std::size_t a = arcs.offset[first_row]; a < end; ++a) {
            const ArcAt arc{state_, a, false};
            const std::uint32_t to = ends[a];
            if (!want(to, arc)) continue;
            if constexpr (!plain) {
                if (!passes(a)) continue;
            }
            if (use(to, arc)) return true;
        }
        return false;
    }

    template <class Want, class Use>
    bool logged(std::uint32_t rank, bool in, Want& want, Use& use) const {
        if constexpr (plain) return false;
        if (state_->log_edges == 0) return false;
        return state_->epoch->log->each(state_->node(rank), in, state_->log_edges,
                                        [&](std::uint32_t other, std::uint32_t place) {
                                            const std::uint32_t to = state_->rank(other);
                                            const ArcAt arc{state_, place, true};
                                            return want(to, arc) && filter_->log(place, other) &&
                                                   use(to, arc);
                                        });
    }

    const Filter* filter_;
    const GraphState* state_;
};

constexpr Direction reversed(Direction d) {
    return d == Direction::out ? Direction::in : d == Direction::in ? Direction::out : d;
}

/// Calls work(Rows<plain>) with the rows that fit the filter.
template <class Work>
auto with_rows(const Filter& filter, Work&& work) {
    return filter.plain() ? work(Rows<true>(filter)) : work(Rows<false>(filter));
}

}  // namespace remanence
