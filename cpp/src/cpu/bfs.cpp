// Direction-optimising breadth-first search. Source: Beamer, Asanovic & Patterson 2012.
#include <algorithm>
#include <atomic>
#include <bit>
#include <optional>

#include "core/threads.hpp"
#include "cpu/passing.hpp"
#include "cpu/traverse.hpp"

namespace remanence::cpu {
namespace {

// When the frontier's arcs outweigh this share of those not yet seen, unseen nodes look for a
// parent instead; when the frontier is this small a share of the nodes, it goes back.
constexpr std::size_t down_share = 14;
constexpr std::size_t up_share = 24;
constexpr std::size_t words_per_task = 256;

bool has(const std::vector<std::uint64_t>& set, std::uint32_t r) {
    return (set[r / 64] >> (r % 64) & 1U) != 0;
}

template <bool plain>
class Search {
public:
    Search(const Filter& filter)
        : rows_(filter),
          state_(filter.state()),
          direction_(filter.direction()),
          restricted_(filter.restricts_nodes()),
          filter_(filter),
          hop_(state_.nodes),
          seen_((state_.nodes + 63) / 64, 0),
          found_(state_.nodes + std::size_t{1}) {
        std::fill(hop_.data(), hop_.data() + hop_.size(), -1);
        if (!plain && filter.gate_decides() && state_.arcs().arcs() <= PassingBits::few_arcs) {
            bits_.emplace(filter);
        }
        const Arcs& arcs = state_.arcs();
        walk_.offset = arcs.offset.data();
        walk_.first_row = direction_ == Direction::in ? 1 : 0;
        walk_.last_row = direction_ == Direction::out ? 1 : 2;
        walk_.rows = arcs.nodes;
        walk_.to = arcs.to.data();
        walk_.arcs = arcs.arcs();
        walk_.mark = hop_.data();
        walk_.found = found_.data();
    }

    Array<std::int32_t> run(View<const std::uint32_t> seeds) {
        if (bits_ && !seeds.empty()) {
            passing_ = passing_ends(state_.arcs().to, *bits_, seeds[0]);
            walk_.to = passing_.data();
        }
        for (const std::uint32_t seed : seeds) {
            if (hop_[seed] == 0) continue;
            hop_[seed] = 0;
            found_[end_++] = seed;
        }
        std::size_t unseen = state_.arcs().arcs() + 2 * state_.log_edges;
        for (std::int32_t hop = 1; front_ < end_; ++hop) {
            std::size_t ahead = 0;
            if (unseen > least_ahead()) {
                for (std::size_t i = front_; i < end_; ++i) ahead += width(found_[i]);
            }
            unseen -= std::min(unseen, ahead);
            if (ahead > unseen / down_share && ahead > least_ahead()) {
                hop = upward(hop);
            } else {
                downward(hop);
            }
        }
        return std::move(hop_);
    }

private:
    std::size_t width(std::uint32_t r) const {
        if (r >= state_.arcs().nodes) return 1;
        const std::uint32_t* const o = state_.arcs().offset.data() + std::size_t{2} * r;
        return o[2] - o[0];
    }
    /// Arcs below which guesses gone wrong cost more than looking for a parent spares. A filter is
    /// asked of fewer arcs by those who look for one.
    std::size_t least_ahead() const { return plain || filter_.gate_decides() ? 16'384 : 1024; }
    /// A round in which the frontier marks what it meets and becomes that.
    void downward(std::int32_t hop) {
        const std::size_t last = end_;
        // Without a branch, which would be guessed wrong every few arcs.
        const auto meet = [&](std::uint32_t to, bool passes) __attribute__((always_inline)) {
            const std::int32_t before = hop_[to];
            const std::int32_t fresh = before >> 31 & -static_cast<std::int32_t>(passes);
            found_[end_] = to;
            end_ += fresh & 1;
            hop_[to] = (before & ~fresh) | (hop & fresh);
        };
        const auto unseen = [&](std::uint32_t to, const ArcAt&) { return hop_[to] < 0; };
        const auto take = [&](std::uint32_t to, const ArcAt&) {
            meet(to, true);
            return false;
        };
        if (plain || bits_ || filter_.whole_base()) {
            end_ = kernels().reach(walk_, front_, last, end_, hop);
            for (; front_ < last && state_.log_edges > 0; ++front_) {
                rows_.each_logged(found_[front_], direction_, unseen, take);
            }
            front_ = last;
            return;
        }
        for (; front_ < last; ++front_) {
            const std::uint32_t r = found_[front_];
            auto [a, end] = rows_.of_base(r, direction_);
            const std::uint32_t* const to = state_.arcs().to.data();
            if (filter_.gate_decides()) {
                for (; a < end; a += GateList::most) {
                    const GateList list(filter_, a, std::min(GateList::most, end - a));
                    for (const std::uint32_t b : list.sure()) meet(to[b], true);
                    for (const std::uint32_t b : list.unsure()) {
                        if (hop_[to[b]] < 0) meet(to[b], filter_.arc_unsure(b));
                    }
                }
            } else {
                rows_.each_that(r, direction_, unseen, take);
                continue;
            }
            rows_.each_logged(r, direction_, unseen, take);
        }
    }
    /// Those of 64 ranks that have a row in the base.
    std::uint64_t of_base(std::size_t w) const {
        const std::size_t ranks = state_.arcs().nodes;
        if (w * 64 >= ranks) return 0;
        return ranks - w * 64 >= 64 ? ~std::uint64_t{0}
                                    : (std::uint64_t{1} << (ranks - w * 64)) - 1;
    }
    /// Rounds in which unseen nodes look for a parent in the frontier; returns the last hop.
    std::int32_t upward(std::int32_t hop);

    Rows<plain> rows_;
    const GraphState& state_;
    Direction direction_;
    bool restricted_;
    const Filter& filter_;
    Array<std::int32_t> hop_;
    std::vector<std::uint64_t> seen_;  ///< but for those of found_
    std::optional<PassingBits> bits_;
    Array<std::uint32_t> passing_;  ///< ends of arcs, where there are bits
    /// Found since seen_ was, one more than there are nodes: what was seen is written too.
    Array<std::uint32_t> found_;
    RowWalk walk_;
    std::size_t front_ = 0;  ///< where the frontier begins in found_
    std::size_t end_ = 0;    ///< and ends
};

template <bool plain>
std::int32_t Search<plain>::upward(std::int32_t hop) {
    const std::size_t nodes = state_.log_edges == 0 ? state_.arcs().active : state_.nodes;
    const std::size_t words = (nodes + 63) / 64;
    std::vector<std::uint64_t> now(seen_.size(), 0);
    std::vector<std::uint64_t> next(seen_.size(), 0);
    for (std::size_t i = 0; i < end_; ++i) {
        const std::uint32_t r = found_[i];
        const std::uint64_t bit = std::uint64_t{1} << (r % 64);
        seen_[r / 64] |= bit;
        if (i >= front_) now[r / 64] |= bit;
    }
    const Direction back = reversed(direction_);
    const auto is_parent = [&](std::uint32_t p, const ArcAt&) { return has(now, p); };
    const auto found_one = [](std::uint32_t, const ArcAt&) { return true; };
    const bool at_once = plain || filter_.whole_base() || filter_.gate_decides();
    ParentSearch search;
    search.offset = state_.arcs().offset.data();
    search.first_row = back == Direction::in ? 1 : 0;
    search.last_row = back == Direction::out ? 1 : 2;
    search.to = state_.arcs().to.data();
    search.passing = bits_ ? bits_->data() : nullptr;
    search.gate = bits_ ? nullptr : filter_.gate();
    search.test = filter_.gate_test();
    search.hop = hop_.data();
    for (;; ++hop) {
        search.parents = now.data();
        search.level = hop;
        std::atomic<std::size_t> found{0};
        parallel_for((words + words_per_task - 1) / words_per_task, worker_count(0),
                     [&](std::size_t task, int) {
                         std::size_t here = 0;
                         const std::size_t last = std::min(words, (task + 1) * words_per_task);
                         for (std::size_t w = task * words_per_task; w < last; ++w) {
                             std::uint64_t open = ~seen_[w];
                             if (w == words - 1 && nodes % 64 != 0) {
                                 open &= (std::uint64_t{1} << (nodes % 64)) - 1;
                             }
                             std::uint64_t fresh = 0;
                             std::uint64_t asked = 0;
                             if (at_once) {
                                 std::uint64_t unsure = 0;
                                 asked = open & of_base(w);
                                 fresh = kernels().find_parents(
                                     search, static_cast<std::uint32_t>(w * 64), asked, &unsure);
                                 open &= ~fresh;
                                 asked &= ~unsure;
                                 if (state_.log_edges == 0) open &= ~asked;
                             }
                             for (; open != 0; open &= open - 1) {
                                 const auto r = static_cast<std::uint32_t>(w * 64) +
                                                static_cast<std::uint32_t>(std::countr_zero(open));
                                 if (restricted_ && !filter_.node(state_.node(r))) continue;
                                 const bool has_parent =
                                     (asked & open & -open) != 0
                                         ? rows_.each_logged(r, back, is_parent, found_one)
                                         : rows_.each_that(r, back, is_parent, found_one);
                                 if (!has_parent) continue;
                                 fresh |= open & -open;
                                 hop_[r] = hop;
                             }
                             next[w] = fresh;
                             here += static_cast<std::size_t>(std::popcount(fresh));
                         }
                         found += here;
                     });
        for (std::size_t w = 0; w < words; ++w) seen_[w] |= next[w];
        now.swap(next);
        if (found * up_share < nodes) {
            front_ = end_ = 0;
            for (std::size_t w = 0; w < words; ++w) {
                for (std::uint64_t x = now[w]; x != 0; x &= x - 1) {
                    found_[end_++] = static_cast<std::uint32_t>(w * 64) +
                                     static_cast<std::uint32_t>(std::countr_zero(x));
                }
            }
            return hop;
        }
    }
}

}  // namespace

Array<std::int32_t> bfs(const Filter& filter, View<const std::uint32_t> seeds) {
    return filter.plain() ? Search<true>(filter).run(seeds) : Search<false>(filter).run(seeds);
}

}  // namespace remanence::cpu
