// The edges of each node, side by side in blocks that double.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

namespace remanence {

/// One end of an edge, as the node at the other end is reached from here.
struct End {
    std::uint32_t other;  ///< node
    std::uint32_t edge;   ///< index * 2 + 1 where the edge comes in
    std::uint32_t units;  ///< weight of the edge; 0 = it was closed
    std::uint32_t index() const { return edge / 2; }
    bool outgoing() const { return edge % 2 == 0; }
};

class Ends {
public:
    void add(std::uint32_t node, const End& end) {
        if (rows_.size() <= node) {
            rows_.resize(std::max<std::size_t>(node + std::size_t{1}, rows_.size() * 3 / 2));
        }
        Row& row = rows_[node];
        if (row.used == row.size) {
            const std::uint32_t size = std::min(std::max(2 * row.size, least), most);
            const std::uint32_t block = make_block(size);
            (row.last == none_yet ? row.first : ends_[row.last].other) = block;
            row.last = block;
            row.size = size;
            row.used = 1;
        }
        ends_[row.last + row.used++] = end;
    }
    /// Calls use(end) for every end of a node, oldest first.
    template <class Use>
    void each(std::uint32_t node, Use&& use) const {
        if (node >= rows_.size()) return;
        const Row& row = rows_[node];
        std::uint32_t size = least;
        for (std::uint32_t block = row.first; block != none_yet;
             block = ends_[block].other, size = std::min(2 * size, most)) {
            const End* const at = ends_.data() + block;
            const std::uint32_t count = block == row.last ? row.used : size;
            for (std::uint32_t i = 1; i < count; ++i) use(at[i]);
        }
    }
    /// One end of a node's, or all.
    void close(std::uint32_t node, std::uint32_t edge) {
        each(node, [&](const End& end) {
            if (end.edge == edge) at(end).units = 0;
        });
    }
    void close_all(std::uint32_t node) {
        each(node, [&](const End& end) { at(end).units = 0; });
    }
    /// Ask memory for a node's row, and, when that is there, for its first ends.
    [[gnu::always_inline]] void fetch_row(std::uint32_t node) const {
        if (node < rows_.size()) __builtin_prefetch(&rows_[node]);
    }
    [[gnu::always_inline]] void fetch_ends(std::uint32_t node) const {
        if (node < rows_.size())
            __builtin_prefetch(ends_.data() + rows_[node].first % ends_.size());
    }
    std::size_t bytes() const { return rows_.size() * sizeof(Row) + ends_.size() * sizeof(End); }

private:
    static constexpr std::uint32_t none_yet = 0xFFFFFFFF;
    static constexpr std::uint32_t least = 4;
    static constexpr std::uint32_t most = 512;

    /// The first element of a block holds where the next one is.
    struct Row {
        std::uint32_t first = none_yet;
        std::uint32_t last = none_yet;
        std::uint32_t used = 0;  ///< of the last block, its first element counted
        std::uint32_t size = 0;
    };
    End& at(const End& end) { return ends_[static_cast<std::size_t>(&end - ends_.data())]; }
    std::uint32_t make_block(std::uint32_t size) {
        const auto block = static_cast<std::uint32_t>(ends_.size());
        ends_.resize(ends_.size() + size, End{none_yet, 0, 0});
        return block;
    }

    std::vector<Row> rows_;
    std::vector<End> ends_;
};

}  // namespace remanence
