// Nodes within a few hops: marked as bits by node, which come out in order.
#include <algorithm>
#include <cstring>

#include "cpu/passing.hpp"
#include "cpu/traverse.hpp"

namespace remanence::cpu {
namespace {

constexpr std::size_t ahead = 4;      ///< so many rows before its turn is a row asked for
constexpr std::size_t line = 16;      ///< arcs of a cache line
constexpr std::size_t stretch = 512;  ///< so many arcs ahead is a long row asked for
/// A frontier of fewer arcs than this share of the nodes lists what it finds and sorts it; a look
/// at the bits of all nodes would take longer.
constexpr std::size_t list_share = 4096;
/// So many nodes as this share of the words of bits are cleared one by one.
constexpr std::size_t clear_share = 8;

struct Scratch {
    std::vector<std::uint64_t> seen;         ///< a bit for each node
    std::vector<std::uint64_t> met;          ///< likewise of those that the last hop met
    bool clean = true;                       ///< both are 0; false where a question could not end
    std::vector<std::uint32_t> listed;       ///< nodes that are seen, while all were listed
    std::vector<std::uint32_t> front;        ///< ranks found last
    std::vector<std::uint32_t> front_nodes;  ///< the same as nodes, where there is a log
    std::vector<std::uint32_t> unsure;       ///< arcs whose columns must be asked
    Array<std::uint32_t> nodes;              ///< found last, in order

    void reserve(std::size_t size) {
        const std::size_t words = size / 64 + hidden_places;
        if (seen.size() < words) {
            seen.resize(words + words / 2, 0);
            met.resize(seen.size(), 0);
        }
        if (!clean) {
            std::fill(seen.begin(), seen.end(), 0);
            std::fill(met.begin(), met.end(), 0);
        }
        clean = false;
        // More, as take_bits and a node that was seen are written behind the last one.
        if (nodes.size() <= size + 64) nodes = Array<std::uint32_t>(size + size / 2 + 128);
    }
    /// Marks the node if `passes`, 0 or 1; whether it was new.
    static std::size_t insert(std::uint64_t* bits, std::uint32_t node, std::uint64_t passes) {
        const std::uint64_t word = bits[node / 64];
        bits[node / 64] = word | passes << (node % 64);
        return ~(word >> (node % 64)) & passes;
    }
};

template <bool plain>
class Search {
public:
    Search(const Filter& filter, const std::uint32_t* passing, Scratch& scratch, std::size_t limit,
           Hops& out)
        : rows_(filter),
          passing_(passing),
          state_(filter.state()),
          filter_(filter),
          direction_(filter.direction()),
          s_(scratch),
          words_(state_.nodes / 64 + 1),
          room_(limit),
          out_(out) {}

    void run(View<const std::uint32_t> seeds, int hops) {
        s_.front.assign(seeds.begin(), seeds.end());
        std::size_t count = 0;
        for (const std::uint32_t seed : seeds) {
            const std::uint32_t node = state_.node(seed);
            s_.nodes[count] = node;
            count += Scratch::insert(s_.seen.data(), node, 1);
        }
        std::sort(s_.nodes.data(), s_.nodes.data() + count);
        s_.listed.clear();
        list_seen(count);
        std::size_t asked = 0;
        std::vector<std::uint32_t>& front = s_.front;
        for (int hop = 0; count > 0; ++hop) {
            const std::size_t given = std::min(room_, count);
            out_.node.insert(out_.node.end(), s_.nodes.data(), s_.nodes.data() + given);
            out_.hop.insert(out_.hop.end(), given, hop);
            room_ -= given;
            if (hop == hops || room_ == 0) break;
            front.resize(count);
            std::size_t width = 0;
            for (std::size_t i = 0; i < count; ++i) {
                front[i] = state_.rank(s_.nodes[i]);
                width += rows_.width(front[i]);
            }
            if (state_.log_edges > 0)
                s_.front_nodes.assign(s_.nodes.data(), s_.nodes.data() + count);
            asked += width;
            if (width < state_.nodes / list_share) {
                count = expand_listed();
                list_seen(count);
            } else {
                // What the last hop finds need not be known as seen.
                const bool keep = hop + 1 < hops;
                count = expand_marked(keep);
                if (keep) list_seen(count);
            }
        }
        if (!plain) filter_.asked(asked);
        clear();
    }

private:
    template <class Add>
    void walk(Add&& add) {
        const std::vector<std::uint32_t>& front = s_.front;
        if (plain || passing_ != nullptr) {
            const std::uint32_t* const nodes =
                passing_ != nullptr ? passing_ : state_.arcs().to_node.data();
            for (std::size_t i = 0; i < front.size(); ++i) {
                if (i + 2 * ahead < front.size()) rows_.fetch_offset(front[i + 2 * ahead]);
                if (i + ahead < front.size()) {
                    __builtin_prefetch(nodes + rows_.of_base(front[i + ahead], direction_).first);
                }
                if (i + 1 < front.size()) {
                    const auto [begin, end] = rows_.of_base(front[i + 1], direction_);
                    const std::size_t soon = std::min(end, begin + stretch);
                    for (std::size_t a = begin; a < soon; a += line) __builtin_prefetch(nodes + a);
                }
                const auto [begin, end] = rows_.of_base(front[i], direction_);
                std::size_t a = begin;
                for (; a + stretch < end; a += line) {
                    __builtin_prefetch(nodes + a + stretch);
                    for (std::size_t b = a; b < a + line; ++b) add(nodes[b], 1);
                }
                for (; a < end; ++a) add(nodes[a], 1);
            }
            if (!plain) walk_log(add);
            return;
        }
        for (std::size_t i = 0; i < front.size(); ++i) {
            if (i + 2 * ahead < front.size()) rows_.fetch_offset(front[i + 2 * ahead]);
            if (i + ahead < front.size()) rows_.fetch_nodes(front[i + ahead]);
            if (filter_.gate() == nullptr) {
                rows_.each_of_base(front[i], direction_,
                                   [&](std::uint32_t to, bool passes) { add(to, passes ? 1 : 0); });
            } else {
                if (i + ahead < front.size()) rows_.fetch_gate(front[i + ahead]);
                walk_gated(front[i], add);
            }
        }
        ask_unsure(add);
        walk_log(add);
    }
    template <class Add>
    void walk_log(Add& add) {
        if (state_.log_edges == 0) return;
        const ArcLog& log = *state_.epoch->log;
        const std::vector<std::uint32_t>& nodes = s_.front_nodes;
        for (std::size_t i = 0; i < nodes.size(); ++i) {
            if (i + 4 * ahead < nodes.size()) log.fetch_row(nodes[i + 4 * ahead]);
            if (i + 2 * ahead < nodes.size()) log.fetch_ends(nodes[i + 2 * ahead]);
            rows_.each_of_log(nodes[i], direction_, [&](std::uint32_t to) { add(to, 1); });
        }
    }

    /// The arcs of the base by their words, many at once. Arcs whose columns must be asked wait
    /// until the end of the hop.
    template <class Add>
    void walk_gated(std::uint32_t rank, Add& add) {
        const auto [begin, end] = rows_.of_base(rank, direction_);
        const std::uint32_t* const nodes = state_.arcs().to_node.data();
        for (std::size_t a = begin; a < end; a += GateList::most) {
            const GateList list(filter_, a, std::min(GateList::most, end - a));
            for (const std::uint32_t b : list.unsure()) s_.unsure.push_back(b);
            if (filter_.gate_decides()) {
                for (const std::uint32_t b : list.sure()) add(nodes[b], 1);
            } else {
                for (const std::uint32_t b : list.sure()) {
                    add(nodes[b], filter_.beyond_gate(b) ? 1 : 0);
                }
            }
        }
    }
    template <class Add>
    void ask_unsure(Add& add) {
        for (std::size_t i = 0; i < s_.unsure.size(); ++i) {
            if (i + 4 * ahead < s_.unsure.size()) filter_.fetch_unsure(s_.unsure[i + 4 * ahead]);
            const std::size_t a = s_.unsure[i];
            add(state_.arcs().to_node[a], filter_.arc_unsure(a) ? 1 : 0);
        }
        s_.unsure.clear();
    }

    /// Nodes one arc from the front that were not seen, in order; how many.
    std::size_t expand_listed() {
        std::uint64_t* const seen = s_.seen.data();
        std::uint32_t* const nodes = s_.nodes.data();
        std::size_t count = 0;
        // Without a branch, which would be guessed wrong every few arcs.
        walk([&](std::uint32_t node, std::uint64_t passes) {
            nodes[count] = node;
            count += Scratch::insert(seen, node, plain ? passes : passes & (node < state_.nodes));
        });
        std::sort(nodes, nodes + count);
        return count;
    }
    std::size_t expand_marked(bool keep) {
        std::uint64_t* const met = s_.met.data();
        walk([&](std::uint32_t node, std::uint64_t passes) {
            met[node / 64] |= passes << (node % 64);
        });
        if (passing_ != nullptr) {
            met[state_.nodes / 64] &= (std::uint64_t{1} << (state_.nodes % 64)) - 1;
            std::fill_n(met + state_.nodes / 64 + 1, hidden_places - 1, 0);
        }
        std::uint64_t* seen = s_.seen.data();
        if (all_listed_ && !keep) {
            for (const std::uint32_t node : s_.listed) {
                met[node / 64] &= ~(std::uint64_t{1} << (node % 64));
            }
            seen = nullptr;
        }
        return kernels().take_bits(met, seen, words_, keep, s_.nodes.data());
    }
    /// The nodes found last are seen.
    void list_seen(std::size_t count) {
        all_listed_ = all_listed_ && s_.listed.size() + count <= words_ / clear_share;
        if (all_listed_) {
            s_.listed.insert(s_.listed.end(), s_.nodes.data(), s_.nodes.data() + count);
        }
    }
    void clear() {
        if (all_listed_) {
            for (const std::uint32_t node : s_.listed) s_.seen[node / 64] = 0;
        } else {
            std::fill_n(s_.seen.begin(), words_, 0);
        }
        s_.clean = true;
    }

    Rows<plain> rows_;
    const std::uint32_t* passing_;  ///< what passing_nodes gave, or null
    const GraphState& state_;
    const Filter& filter_;
    Direction direction_;
    Scratch& s_;
    std::size_t words_;
    std::size_t room_;
    bool all_listed_ = true;
    Hops& out_;
};

}  // namespace

Array<std::uint32_t> passing_nodes(const Filter& filter, std::size_t questions) {
    constexpr std::size_t worth = 1024;  // arcs that a question may have asked of
    const Arcs& arcs = filter.state().arcs();
    if (!filter.gate_decides() || arcs.arcs() > PassingBits::few_arcs) return {};
    // One word after another, to ask only of arcs that are walked takes less.
    if (arcs.arcs() > worth * questions || kernels().gate_words == 1) return {};
    return passing_ends(arcs.to_node, PassingBits(filter), filter.state().nodes, 64);
}

void khop(const Filter& filter, const Array<std::uint32_t>& passing,
          View<const std::uint32_t> seeds, int hops, std::size_t limit, Hops& out) {
    thread_local Scratch scratch;
    scratch.reserve(filter.state().nodes);
    const std::uint32_t* const nodes = passing.empty() ? nullptr : passing.data();
    if (filter.plain()) {
        Search<true>(filter, nullptr, scratch, limit, out).run(seeds, hops);
    } else {
        Search<false>(filter, nodes, scratch, limit, out).run(seeds, hops);
    }
}

}  // namespace remanence::cpu
