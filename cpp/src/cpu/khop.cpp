// Nodes within a few hops: found by marks of ranks, put in order by bits of nodes.
#include <algorithm>
#include <bit>

#include "cpu/traverse.hpp"

namespace remanence::cpu {
namespace {

/// A set of numbers that is enumerated in order.
class Sorter {
public:
    void reserve(std::size_t size) {
        if (words_.size() <= size / 64) words_.resize(size / 64 + size / 128 + 1, 0);
        if (upper_.size() <= words_.size() / 64) upper_.resize(words_.size() / 64 + 1, 0);
    }
    /// Writes count different numbers below `size` in order to out, which has room for
    /// one more.
    template <class Number>
    void sort(std::size_t count, std::size_t size, Number&& number, std::uint32_t* out) {
        if (count < size / 512) {
            sparse(count, number, out);
        } else {
            dense(count, size / 64 + 1, number, out);
        }
    }

private:
    /// A second layer says which words hold a bit.
    template <class Number>
    void sparse(std::size_t count, Number& number, std::uint32_t* out) {
        for (std::size_t i = 0; i < count; ++i) {
            const std::uint32_t x = number(i);
            words_[x / 64] |= std::uint64_t{1} << (x % 64);
            upper_[x / 4096] |= std::uint64_t{1} << (x / 64 % 64);
        }
        for (std::size_t u = 0; u < upper_.size(); ++u) {
            for (std::uint64_t high = upper_[u]; high != 0; high &= high - 1) {
                const std::size_t w = u * 64 + static_cast<std::size_t>(std::countr_zero(high));
                out = take(w, out);
            }
            upper_[u] = 0;
        }
    }
    template <class Number>
    void dense(std::size_t count, std::size_t words, Number& number, std::uint32_t* out) {
        std::uint64_t* const bits = words_.data();
        for (std::size_t i = 0; i < count; ++i) {
            const std::uint32_t x = number(i);
            bits[x / 64] |= std::uint64_t{1} << (x % 64);
        }
        for (std::size_t w = 0; w < words; ++w) out = take(w, out);
    }
    /// Four at a time: the end of a loop over single bits would be guessed wrong in most words.
    std::uint32_t* take(std::size_t w, std::uint32_t* out) {
        const auto base = static_cast<std::uint32_t>(w * 64);
        std::uint64_t low = words_[w];
        words_[w] = 0;
        do {
            for (int i = 0; i < 4; ++i) {
                *out = base + static_cast<std::uint32_t>(std::countr_zero(low | last_bit));
                out += low != 0 ? 1 : 0;
                low &= low - 1;
            }
        } while (low != 0);
        return out;
    }

    static constexpr std::uint64_t last_bit = std::uint64_t{1} << 63U;
    std::vector<std::uint64_t> words_;
    std::vector<std::uint64_t> upper_;
};

struct Scratch {
    std::vector<std::uint64_t> seen;  ///< a bit for each rank
    bool clean = true;                ///< all 0; false where a question could not end
    Sorter sorter;
    Array<std::uint32_t> found;  ///< ranks in the order in which they were found
    Array<std::uint32_t> nodes;  ///< of one hop, in order

    void reserve(std::size_t size) {
        const std::size_t room = size + size / 2;
        if (seen.size() * 64 <= size) seen.resize(room / 64 + 1, 0);
        if (!clean) std::fill(seen.begin(), seen.end(), 0);
        clean = false;
        sorter.reserve(size);
        // One more: what was found already is written behind the last rank and left there.
        if (nodes.size() <= size) nodes = Array<std::uint32_t>(room + 1);
        if (found.size() <= size) found = Array<std::uint32_t>(room + 1);
    }
    /// Whether the rank was new, as a number; marks it.
    static std::size_t insert(std::uint64_t* seen, std::uint32_t rank) {
        const std::uint64_t word = seen[rank / 64];
        seen[rank / 64] = word | std::uint64_t{1} << (rank % 64);
        return ~(word >> (rank % 64)) & 1U;
    }
    void clear(std::size_t count, std::size_t size) {
        if (count > size / 512) {
            std::fill_n(seen.begin(), size / 64 + 1, 0);
        } else {
            for (std::size_t i = 0; i < count; ++i) seen[found[i] / 64] = 0;
        }
        clean = true;
    }
};

constexpr std::size_t few = 48;   ///< so many are sorted faster than marked
constexpr std::size_t ahead = 4;  ///< so many rows before its turn is a row asked for

/// Appends ranks as nodes in order, at most `room` of them.
void hand_out(const GraphState& state, Scratch& scratch, View<const std::uint32_t> ranks,
              std::int32_t hop, std::size_t room, Hops& out) {
    std::uint32_t* const nodes = scratch.nodes.data();
    if (ranks.size() <= few) {
        for (std::size_t i = 0; i < ranks.size(); ++i) nodes[i] = state.node(ranks[i]);
        std::sort(nodes, nodes + ranks.size());
    } else {
        scratch.sorter.sort(
            ranks.size(), state.nodes, [&](std::size_t i) { return state.node(ranks[i]); }, nodes);
    }
    const std::size_t count = std::min(room, ranks.size());
    out.node.insert(out.node.end(), nodes, nodes + count);
    out.hop.insert(out.hop.end(), count, hop);
}

/// Appends the ranks one arc from found[first, last) that were not seen; returns how many there
/// are now. The scratch comes by reference, as each look at a thread's own variable is a call.
template <bool plain>
std::size_t expand(const Rows<plain>& rows, Direction direction, Scratch& scratch,
                   std::size_t first, std::size_t last) {
    std::uint64_t* const seen = scratch.seen.data();
    std::uint32_t* const found = scratch.found.data();
    std::size_t count = last;
    for (std::size_t i = first; i < last; ++i) {
        const auto add = [&](std::uint32_t to, const ArcAt&) {
            // Without a branch, which would be guessed wrong every few arcs.
            found[count] = to;
            count += Scratch::insert(seen, to);
            return false;
        };
        if (i + 2 * ahead < last) rows.fetch_offset(found[i + 2 * ahead]);
        if (i + ahead < last) rows.fetch_ends(found[i + ahead]);
        if constexpr (plain) {
            rows.each(found[i], direction, add);
        } else {
            rows.each_that(
                found[i], direction,
                [&](std::uint32_t to, const ArcAt&) {
                    return (seen[to / 64] >> (to % 64) & 1U) == 0;
                },
                add);
        }
    }
    return count;
}

void search(const Filter& filter, Scratch& scratch, View<const std::uint32_t> seeds, int hops,
            std::size_t limit, Hops& out) {
    const GraphState& state = filter.state();
    std::uint32_t* const found = scratch.found.data();
    std::size_t last = 0;
    for (const std::uint32_t seed : seeds) {
        found[last] = seed;
        last += Scratch::insert(scratch.seen.data(), seed);
    }
    std::size_t first = 0;
    std::size_t room = limit;
    for (int hop = 0; first < last && room > 0; ++hop) {
        hand_out(state, scratch, {found + first, last - first}, hop, room, out);
        room -= std::min(room, last - first);
        if (hop == hops || room == 0) break;
        const std::size_t next = with_rows(filter, [&](const auto& rows) {
            return expand(rows, filter.direction(), scratch, first, last);
        });
        first = last;
        last = next;
    }
    scratch.clear(last, state.nodes);
}

}  // namespace

void khop(const Filter& filter, View<const std::uint32_t> seeds, int hops, std::size_t limit,
          Hops& out) {
    thread_local Scratch scratch;
    scratch.reserve(filter.state().nodes);
    search(filter, scratch, seeds, hops, limit, out);
}

}  // namespace remanence::cpu
