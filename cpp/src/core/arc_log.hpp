// Edges that are not in the base yet: appended by one writer while any number of readers walk.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "remanence/types.hpp"

#include "core/array.hpp"

namespace remanence {

/// One edge of the log. The closing and the two links of its chains are all that ever changes.
struct LogEdge {
    std::uint32_t source;  ///< node
    std::uint32_t target;  ///< node
    float weight;
    std::uint16_t type;
    TimeNs valid_from;
    TimeNs valid_to;
    Seq seq_from;
    std::atomic<Seq> seq_to;
    std::atomic<std::uint32_t> next_out;  ///< place of the source's next edge plus one
    std::atomic<std::uint32_t> next_in;
};

/// A reader that knows how many edges it may see stops at the first one beyond: the chains of a
/// node run from old to new.
class ArcLog {
public:
    explicit ArcLog(std::uint32_t node_capacity);
    ~ArcLog();
    ArcLog(const ArcLog&) = delete;
    ArcLog& operator=(const ArcLog&) = delete;

    std::uint32_t node_capacity() const { return static_cast<std::uint32_t>(ends_.size()); }
    std::size_t bytes() const;
    void push(std::uint32_t place, std::uint32_t source, std::uint32_t target, float weight,
              std::uint16_t type, TimeNs valid_from, TimeNs valid_to, Seq seq);
    LogEdge& at(std::uint32_t place) { return chunk(place)[place % chunk_size]; }
    const LogEdge& at(std::uint32_t place) const { return chunk(place)[place % chunk_size]; }

    /// Calls use(edge, place) for the out (or in) edges of a node among the first `count`, until it
    /// returns true.
    template <class Use>
    bool each(std::uint32_t node, bool in, std::uint32_t count, Use&& use) const {
        if (node >= ends_.size()) return false;
        const Ends& ends = ends_[node];
        std::uint32_t next = (in ? ends.first_in : ends.first_out).load(std::memory_order_acquire);
        while (next != 0 && next <= count) {
            const LogEdge& e = at(next - 1);
            if (use(e, next - 1)) return true;
            next = (in ? e.next_in : e.next_out).load(std::memory_order_acquire);
        }
        return false;
    }

private:
    static constexpr std::uint32_t chunk_size = 1U << 14U;

    struct Ends {
        std::atomic<std::uint32_t> first_out;
        std::atomic<std::uint32_t> first_in;
        std::uint32_t last_out;  ///< the writer's own
        std::uint32_t last_in;
    };
    LogEdge* chunk(std::uint32_t place) const {
        return chunks_[place / chunk_size].load(std::memory_order_acquire);
    }

    Array<Ends> ends_;
    Array<std::atomic<LogEdge*>> chunks_;
};

}  // namespace remanence
