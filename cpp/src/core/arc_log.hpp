// Edges that are not in the base yet: appended by one writer while any number of readers walk.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>

#include "remanence/types.hpp"

#include "core/array.hpp"

namespace remanence {

/// One edge of the log. The closing is all that ever changes.
struct LogEdge {
    std::uint32_t source;  ///< node
    std::uint32_t target;  ///< node
    float weight;
    std::uint16_t type;
    TimeNs valid_from;
    TimeNs valid_to;
    Seq seq_from;
    std::atomic<Seq> seq_to;
};

/// Elements that stay where they are while others are added behind them.
template <class T>
class Chunks {
    using Chunk = std::atomic<T*>;

public:
    static constexpr std::uint32_t chunk_size = 1U << 14U;

    explicit Chunks(std::size_t most)
        : count_((most + chunk_size - 1) / chunk_size), chunks_(detail::map<Chunk>(count_)) {}
    ~Chunks() {
        for (std::size_t c = 0; c < used(); ++c) detail::Free{}(chunks_[c].load());
        detail::unmap(chunks_, count_);
    }
    Chunks(const Chunks&) = delete;
    Chunks& operator=(const Chunks&) = delete;

    /// Room for the element at `place`, one behind those that have room at most; unset.
    void make_room(std::uint32_t place) {
        Chunk& chunk = chunks_[place / chunk_size];
        if (chunk.load(std::memory_order_relaxed) != nullptr) return;
        chunk.store(static_cast<T*>(detail::allocate(chunk_size * sizeof(T), false)),
                    std::memory_order_release);
    }
    T& at(std::uint32_t place) const {
        return chunks_[place / chunk_size].load(std::memory_order_acquire)[place % chunk_size];
    }
    std::size_t bytes() const { return used() * chunk_size * sizeof(T); }

private:
    std::size_t used() const {
        std::size_t c = 0;
        while (c < count_ && chunks_[c].load() != nullptr) ++c;
        return c;
    }
    std::size_t count_;
    Chunk* chunks_;
};

/// Edges by number, and for each node and direction the other ends in blocks that double. A reader
/// who knows how many edges it may see stops at the first end beyond.
class ArcLog {
public:
    explicit ArcLog(std::uint32_t node_capacity);

    std::uint32_t node_capacity() const { return static_cast<std::uint32_t>(rows_.size()); }
    std::size_t bytes() const { return rows_.bytes() + edges_.bytes() + slots_.bytes(); }
    void push(std::uint32_t place, std::uint32_t source, std::uint32_t target, float weight,
              std::uint16_t type, TimeNs valid_from, TimeNs valid_to, Seq seq);
    /// Calls push(i) for 0 to count - 1, whose edge runs from source(i) to target(i), and asks
    /// memory for what it will write to.
    template <class Source, class Target, class Push>
    void push_all(std::size_t count, Source&& source, Target&& target, Push&& push) const {
        for (std::size_t i = 0; i < count; ++i) {
            if (i + 2 * ahead < count) {
                fetch_row(source(i + 2 * ahead));
                fetch_row(target(i + 2 * ahead));
            }
            if (i + ahead < count) {
                fetch_last(source(i + ahead), false);
                fetch_last(target(i + ahead), true);
            }
            push(i);
        }
    }
    LogEdge& at(std::uint32_t place) { return edges_.at(place); }
    const LogEdge& at(std::uint32_t place) const { return edges_.at(place); }

    /// Calls use(node, place) for the other ends of a node's out (or in) edges among the first
    /// `count`, from old to new, until it returns true; whether it did.
    template <class Use>
    bool each(std::uint32_t node, bool in, std::uint32_t count, Use&& use) const {
        if (node >= rows_.size()) return false;
        std::uint32_t next = rows_[node].first[in ? 1 : 0].load(std::memory_order_acquire);
        for (std::uint32_t size = words_per_slot; next != 0;
             size = std::min(2 * size, most_words)) {
            const Word* const block = slots_.at(next - 1).words;
            for (std::uint32_t i = 1; i < size; ++i) {
                const std::uint64_t end = block[i].load(std::memory_order_relaxed);
                const auto place = static_cast<std::uint32_t>(end >> 32U);  // plus one
                if (place == 0 || place > count) return false;
                if (use(static_cast<std::uint32_t>(end), place - 1)) return true;
            }
            next = static_cast<std::uint32_t>(block[0].load(std::memory_order_acquire));
        }
        return false;
    }

    /// Ask memory for a node's row, and, when that is there, for its ends.
    [[gnu::always_inline]] void fetch_row(std::uint32_t node) const {
        if (node < rows_.size()) __builtin_prefetch(&rows_[node]);
    }
    [[gnu::always_inline]] void fetch_ends(std::uint32_t node) const {
        if (node >= rows_.size()) return;
        for (const auto& first : rows_[node].first) {
            const std::uint32_t block = first.load(std::memory_order_acquire);
            if (block != 0) __builtin_prefetch(&slots_.at(block - 1));
        }
    }

private:
    using Word = std::atomic<std::uint64_t>;
    static constexpr std::uint32_t words_per_slot = 4;
    static constexpr std::uint32_t most_words = 512;
    static constexpr std::size_t ahead = 8;  ///< edges

    /// A block is some slots in a row. Its first word holds the next block (place plus one), how
    /// many words are used and how many there are; each other one a node and a place plus one.
    struct Slot {
        Word words[words_per_slot];
    };
    struct Row {
        std::atomic<std::uint32_t> first[2];  ///< block plus one of the first out and in ends
        std::uint32_t last[2];                ///< the writer's own
    };
    [[gnu::always_inline]] void fetch_last(std::uint32_t node, bool in) const {
        const std::uint32_t block = rows_[node].last[in ? 1 : 0];
        if (block != 0) __builtin_prefetch(&slots_.at(block - 1), 1);
    }
    std::uint32_t make_block(std::uint32_t words, std::uint64_t end);
    void hang(Row& row, bool in, std::uint32_t place, std::uint32_t other);

    Array<Row> rows_;
    Chunks<LogEdge> edges_;
    Chunks<Slot> slots_;
    std::uint32_t slots_used_ = 0;
};

}  // namespace remanence
