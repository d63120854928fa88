// Which copies there are, and making one: ask every arc, count, scatter.
#include "core/kept_arcs.hpp"

#include <algorithm>
#include <cstring>
#include <mutex>

#include "core/rows.hpp"
#include "core/threads.hpp"

namespace remanence {
namespace {

constexpr std::size_t most_slots = 16;
constexpr std::size_t times = 2;  ///< so often as many arcs as the base has
constexpr unsigned most_doublings = 16;
constexpr std::uint32_t ranks_per_task = 4096;

bool same(const ArcQuestion& a, const ArcQuestion& b) {
    return a.min_weight == b.min_weight && a.valid_at.has_value() == b.valid_at.has_value() &&
           a.types == b.types;
}

bool holds(const KeptEpoch& copy, const ArcQuestion& question, const GraphState& state) {
    return copy.epoch != nullptr && (!question.valid_at || copy.valid.holds(*question.valid_at)) &&
           copy.seqs.holds(question.seq) &&
           (question.seq <= copy.made_at || state.closed_seq <= copy.made_at);
}

std::size_t bytes_of(const KeptEpoch& copy) {
    return copy.epoch == nullptr ? 0 : copy.epoch->arcs->bytes();
}

}  // namespace

KeptArcs::Slot& KeptArcs::slot(const ArcQuestion& question) {
    auto at = std::find_if(slots_.begin(), slots_.end(),
                           [&](const Slot& s) { return same(s.question, question); });
    if (at == slots_.end()) {
        if (slots_.size() == most_slots) {
            // Filters that are asked once do not displace the copies of others.
            slots_.erase(
                std::min_element(slots_.begin(), slots_.end(), [](const Slot& a, const Slot& b) {
                    const bool copied = a.copy.epoch != nullptr;
                    return copied == (b.copy.epoch != nullptr) ? a.used < b.used : !copied;
                }));
        }
        slots_.emplace_back().question = question;
        at = slots_.end() - 1;
    }
    at->used = ++turn_;
    return *at;
}

KeptArcs::Found KeptArcs::find(const ArcQuestion& question, const GraphState& state) {
    const std::unique_lock lock(mutex_);
    const Slot& s = slot(question);
    if (holds(s.copy, question, state)) return {s.copy.epoch, false};
    const std::size_t enough = times * state.arcs().arcs() << std::min(s.made, most_doublings);
    return {nullptr, s.asked >= enough};
}

void KeptArcs::asked(const ArcQuestion& question, std::size_t arcs) {
    const std::unique_lock lock(mutex_);
    slot(question).asked += arcs;
}

void KeptArcs::keep(const ArcQuestion& question, KeptEpoch made, std::size_t most_bytes) {
    const std::unique_lock lock(mutex_);
    Slot& s = slot(question);
    s.asked = 0;
    ++s.made;
    s.copy = {};
    std::size_t sum = bytes_of(made);
    for (const Slot& other : slots_) sum += bytes_of(other.copy);
    while (sum > most_bytes) {
        const auto oldest =
            std::min_element(slots_.begin(), slots_.end(), [](const Slot& a, const Slot& b) {
                const bool none = a.copy.epoch == nullptr;
                return none == (b.copy.epoch == nullptr) ? a.used < b.used : !none;
            });
        if (oldest->copy.epoch == nullptr) return;  // it alone would be too large
        sum -= bytes_of(oldest->copy);
        oldest->copy = {};
    }
    s.copy = std::move(made);
}

std::size_t KeptArcs::bytes() const {
    const std::shared_lock lock(mutex_);
    std::size_t sum = 0;
    for (const Slot& s : slots_) sum += bytes_of(s.copy);
    return sum;
}

namespace {

template <class Use>
void over_ranks(std::uint32_t n, Use&& use) {
    parallel_for((n + ranks_per_task - 1) / ranks_per_task, worker_count(0),
                 [&](std::size_t task, int) {
                     const auto first = static_cast<std::uint32_t>(task) * ranks_per_task;
                     use(first, std::min(n, first + ranks_per_task));
                 });
}

}  // namespace

KeptEpoch copy_passing(const Filter& filter, const ArcQuestion& question) {
    const GraphState& state = filter.state();
    const Arcs& base = state.arcs();
    KeptEpoch out;
    out.made_at = state.seq;
    auto made = std::make_shared<Arcs>();
    made->nodes = base.nodes;
    made->edges = base.edges;
    made->active = base.active;
    made->ranked_at = base.ranked_at;
    made->weight.one = base.weight.one;
    made->weight.low = base.weight.low;
    made->weight.high = base.weight.high;
    for (auto [to, from] :
         {std::pair{&made->rank_of, &base.rank_of}, std::pair{&made->node_of, &base.node_of}}) {
        *to = Array<std::uint32_t>(base.nodes);
        std::memcpy(to->data(), from->data(), from->bytes());
    }
    const std::size_t rows = std::size_t{2} * base.nodes;
    Array<std::uint8_t> passes(base.arcs());
    made->offset = Array<std::uint32_t>(rows + 1);
    made->offset[0] = 0;
    std::mutex mutex;
    over_ranks(base.nodes, [&](std::uint32_t first, std::uint32_t last) {
        KeptEpoch here;
        for (std::size_t row = std::size_t{2} * first; row < std::size_t{2} * last; ++row) {
            std::uint32_t count = 0;
            for (std::size_t a = base.offset[row]; a < base.offset[row + 1]; ++a) {
                passes[a] = filter.arc_to_any(a) ? 1 : 0;
                count += passes[a];
                if (question.valid_at) {
                    here.valid.cut(base.valid_from.at(a), *question.valid_at);
                    here.valid.cut(base.valid_to.at(a), *question.valid_at);
                }
                here.seqs.cut(base.seq_from.at(a), question.seq);
                here.seqs.cut(state.closed_at(a), question.seq);
            }
            made->offset[row + 1] = count;
        }
        const std::lock_guard lock(mutex);
        out.valid.cut(here.valid);
        out.seqs.cut(here.seqs);
    });
    for (std::size_t row = 0; row < rows; ++row) made->offset[row + 1] += made->offset[row];
    const std::size_t count = made->offset[rows];
    for (Array<std::uint32_t>* a : {&made->to, &made->to_node, &made->edge}) {
        *a = Array<std::uint32_t>(count);
    }
    const bool weighted = !base.weight.constant();
    if (weighted) made->weight.values = Array<float>(count);
    over_ranks(base.nodes, [&](std::uint32_t first, std::uint32_t last) {
        std::uint32_t put = made->offset[std::size_t{2} * first];
        const std::size_t end = base.offset[std::size_t{2} * last];
        for (std::size_t a = base.offset[std::size_t{2} * first]; a < end; ++a) {
            if (passes[a] == 0) continue;
            made->to[put] = base.to[a];
            made->to_node[put] = base.to_node[a];
            made->edge[put] = base.edge[a];
            if (weighted) made->weight.values[put] = base.weight.values[a];
            ++put;
        }
    });
    auto epoch = std::make_shared<GraphEpoch>();
    epoch->arcs = std::move(made);
    epoch->log = state.epoch->log;
    out.epoch = std::move(epoch);
    return out;
}

}  // namespace remanence
