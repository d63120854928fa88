// Appending to the log of a graph: fill the edge, then put its ends behind those of its nodes.
#include "core/arc_log.hpp"

#include <limits>

namespace remanence {

namespace {

constexpr std::size_t most_edges = std::size_t{1} << 31U;
constexpr std::size_t most_slots = std::numeric_limits<std::uint32_t>::max();

constexpr std::uint64_t header(std::uint32_t used, std::uint32_t words) {
    return std::uint64_t{used} << 32U | std::uint64_t{words} << 48U;
}
constexpr std::uint32_t used_of(std::uint64_t header) {
    return static_cast<std::uint32_t>(header >> 32U) & 0xFFFFU;
}
constexpr std::uint32_t words_of(std::uint64_t header) {
    return static_cast<std::uint32_t>(header >> 48U);
}

}  // namespace

ArcLog::ArcLog(std::uint32_t node_capacity)
    : rows_(Array<Row>::zeroed(node_capacity)), edges_(most_edges), slots_(most_slots) {}

std::uint32_t ArcLog::make_block(std::uint32_t words, std::uint64_t end) {
    const std::uint32_t slots = words / words_per_slot;
    const std::uint32_t left = slots_.chunk_size - slots_used_ % slots_.chunk_size;
    if (left < slots) slots_used_ += left;
    const std::uint32_t block = slots_used_;
    slots_.make_room(block);
    slots_used_ += slots;
    Word* const put = slots_.at(block).words;
    for (std::uint32_t i = 2; i < words; ++i) put[i].store(0, std::memory_order_relaxed);
    put[0].store(header(2, words), std::memory_order_relaxed);
    put[1].store(end, std::memory_order_relaxed);
    return block;
}

void ArcLog::hang(Row& row, bool in, std::uint32_t place, std::uint32_t other) {
    const std::uint64_t end = std::uint64_t{place + 1} << 32U | other;
    std::uint32_t& last = row.last[in ? 1 : 0];
    if (last == 0) {
        last = make_block(words_per_slot, end) + 1;
        row.first[in ? 1 : 0].store(last, std::memory_order_release);
        return;
    }
    Word* const block = slots_.at(last - 1).words;
    const std::uint64_t head = block[0].load(std::memory_order_relaxed);
    const std::uint32_t used = used_of(head);
    const std::uint32_t words = words_of(head);
    if (used < words) {
        block[used].store(end, std::memory_order_relaxed);
        block[0].store(head + header(1, 0), std::memory_order_relaxed);
    } else {
        last = make_block(std::min(2 * words, most_words), end) + 1;
        block[0].store(head | last, std::memory_order_release);
    }
}

void ArcLog::push(std::uint32_t place, std::uint32_t source, std::uint32_t target, float weight,
                  std::uint16_t type, TimeNs valid_from, TimeNs valid_to, Seq seq) {
    edges_.make_room(place);
    LogEdge& e = at(place);
    e.source = source;
    e.target = target;
    e.weight = weight;
    e.type = type;
    e.valid_from = valid_from;
    e.valid_to = valid_to;
    e.seq_from = seq;
    e.seq_to.store(seq_open, std::memory_order_relaxed);
    hang(rows_[source], false, place, target);
    hang(rows_[target], true, place, source);
}

}  // namespace remanence
