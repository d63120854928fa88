// Nodes within a few hops: marks of one bit per node, which also give the answer in order.
#include <algorithm>
#include <bit>

#include "cpu/traverse.hpp"

namespace remanence::cpu {
namespace {

/// A set of numbers that is enumerated in order and emptied in time proportional to its size:
/// a second layer says which words hold a bit.
class Marks {
public:
    void reserve(std::size_t size) {
        const std::size_t words = size / 64 + 1;
        if (words_.size() < words) words_.resize(words + words / 2, 0);
        if (upper_.size() < words_.size() / 64 + 1) upper_.resize(words_.size() / 64 + 1, 0);
    }
    /// Whether the number was new.
    bool insert(std::uint32_t x) {
        std::uint64_t& word = words_[x / 64];
        const std::uint64_t bit = std::uint64_t{1} << (x % 64);
        if ((word & bit) != 0) return false;
        word |= bit;
        return true;
    }
    void put(std::uint32_t x) {
        words_[x / 64] |= std::uint64_t{1} << (x % 64);
        upper_[x / 4096] |= std::uint64_t{1} << (x / 64 % 64);
    }
    void erase(std::uint32_t x) { words_[x / 64] = 0; }
    /// Calls use(number) in order for what `put` put, and empties the set.
    template <class Use>
    void drain(Use&& use) {
        for (std::size_t u = 0; u < upper_.size(); ++u) {
            for (std::uint64_t high = upper_[u]; high != 0; high &= high - 1) {
                const std::size_t w = u * 64 + static_cast<std::size_t>(std::countr_zero(high));
                for (std::uint64_t low = words_[w]; low != 0; low &= low - 1) {
                    use(w * 64 + static_cast<std::size_t>(std::countr_zero(low)));
                }
                words_[w] = 0;
            }
            upper_[u] = 0;
        }
    }

private:
    std::vector<std::uint64_t> words_;
    std::vector<std::uint64_t> upper_;
};

struct Scratch {
    Marks seen;                        ///< ranks
    Marks sorted;                      ///< nodes of one hop
    std::vector<std::uint32_t> found;  ///< ranks in the order in which they were found
};

constexpr std::size_t few = 48;  ///< so many are sorted faster than marked

/// The ranks from `first` on as nodes in order, at most `limit` of the whole answer.
void hand_out(const GraphState& state, Scratch& scratch, std::size_t first, std::int32_t hop,
              std::size_t room, Hops& out) {
    const std::size_t at = out.node.size();
    const std::size_t n = scratch.found.size() - first;
    out.node.resize(at + n);
    std::int64_t* put = out.node.data() + at;
    if (n <= few) {
        for (std::size_t i = first; i < scratch.found.size(); ++i) {
            *put++ = state.node(scratch.found[i]);
        }
        std::sort(out.node.begin() + static_cast<std::ptrdiff_t>(at), out.node.end());
    } else {
        for (std::size_t i = first; i < scratch.found.size(); ++i) {
            scratch.sorted.put(state.node(scratch.found[i]));
        }
        scratch.sorted.drain([&](std::size_t node) { *put++ = static_cast<std::int64_t>(node); });
    }
    if (n > room) out.node.resize(at + room);
    out.hop.resize(out.node.size(), hop);
}

template <class AnyRows>
void expand(const AnyRows& rows, Direction direction, Scratch& scratch, std::size_t first,
            std::size_t last) {
    for (std::size_t i = first; i < last; ++i) {
        rows.each(scratch.found[i], direction, [&](std::uint32_t to, const ArcAt&) {
            if (scratch.seen.insert(to)) scratch.found.push_back(to);
            return false;
        });
    }
}

}  // namespace

void khop(const Filter& filter, View<const std::uint32_t> seeds, int hops, std::size_t limit,
          Hops& out) {
    thread_local Scratch scratch;
    const GraphState& state = filter.state();
    scratch.seen.reserve(state.nodes);
    scratch.sorted.reserve(state.nodes);
    scratch.found.clear();
    for (const std::uint32_t seed : seeds) {
        if (scratch.seen.insert(seed)) scratch.found.push_back(seed);
    }
    std::size_t first = 0;
    std::size_t room = limit;
    for (int hop = 0; first < scratch.found.size() && room > 0; ++hop) {
        const std::size_t last = scratch.found.size();
        hand_out(state, scratch, first, hop, room, out);
        room -= std::min(room, last - first);
        if (hop == hops || room == 0) break;
        with_rows(filter, [&](const auto& rows) {
            expand(rows, filter.direction(), scratch, first, last);
        });
        first = last;
    }
    for (const std::uint32_t rank : scratch.found) scratch.seen.erase(rank);
}

}  // namespace remanence::cpu
