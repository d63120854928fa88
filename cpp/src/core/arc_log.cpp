// Appending to the log of a graph: fill the edge, then hang it behind its chains.
#include "core/arc_log.hpp"

namespace remanence {

namespace {
constexpr std::uint32_t most_edges = 1U << 31U;
}

ArcLog::ArcLog(std::uint32_t node_capacity)
    : ends_(Array<Ends>::zeroed(node_capacity)),
      chunks_(Array<std::atomic<LogEdge*>>::zeroed(most_edges / chunk_size)) {}

ArcLog::~ArcLog() {
    for (std::size_t c = 0; c < chunks_.size(); ++c) {
        LogEdge* const chunk = chunks_[c].load();
        if (chunk == nullptr) break;
        detail::Free{}(chunk);
    }
}

std::size_t ArcLog::bytes() const {
    std::size_t used = ends_.bytes();
    for (std::size_t c = 0; c < chunks_.size() && chunks_[c].load() != nullptr; ++c) {
        used += chunk_size * sizeof(LogEdge);
    }
    return used;
}

void ArcLog::push(std::uint32_t place, std::uint32_t source, std::uint32_t target, float weight,
                  std::uint16_t type, TimeNs valid_from, TimeNs valid_to, Seq seq) {
    std::atomic<LogEdge*>& slot = chunks_[place / chunk_size];
    if (slot.load(std::memory_order_relaxed) == nullptr) {
        slot.store(static_cast<LogEdge*>(detail::allocate(chunk_size * sizeof(LogEdge), false)),
                   std::memory_order_release);
    }
    LogEdge* const e = &at(place);
    e->source = source;
    e->target = target;
    e->weight = weight;
    e->type = type;
    e->valid_from = valid_from;
    e->valid_to = valid_to;
    e->seq_from = seq;
    e->seq_to.store(seq_open, std::memory_order_relaxed);
    e->next_out.store(0, std::memory_order_relaxed);
    e->next_in.store(0, std::memory_order_relaxed);
    const std::uint32_t link = place + 1;
    const auto hang = [&](std::atomic<std::uint32_t>& first, std::uint32_t& last, bool in) {
        if (last == 0) {
            first.store(link, std::memory_order_release);
        } else {
            LogEdge& before = at(last - 1);
            (in ? before.next_in : before.next_out).store(link, std::memory_order_release);
        }
        last = link;
    };
    hang(ends_[source].first_out, ends_[source].last_out, false);
    hang(ends_[target].first_in, ends_[target].last_in, true);
}

}  // namespace remanence
