// The thread of a merge, and how its base takes the place of the one that it was made from.
#include "core/graph_merge.hpp"

#include <algorithm>
#include <chrono>

#include "core/device_graph.hpp"
#include "core/forks.hpp"
#include "core/kept_arcs.hpp"

namespace remanence {

namespace {
constexpr std::uint32_t few = 1024;  ///< edges that whoever takes the merge may copy
constexpr std::chrono::microseconds nap{200};
}  // namespace

std::uint32_t log_capacity(std::size_t nodes) {
    return static_cast<std::uint32_t>(std::min(most_nodes, nodes + nodes / 2 + 4096));
}

std::shared_ptr<GraphEpoch> make_epoch(std::shared_ptr<const Arcs> arcs,
                                       std::shared_ptr<Closings> closed,
                                       std::shared_ptr<ArcLog> log) {
    auto epoch = std::make_shared<GraphEpoch>();
    epoch->arcs = std::move(arcs);
    epoch->closed = std::move(closed);
    epoch->log = std::move(log);
    epoch->devices = std::make_shared<DeviceGraphs>();
    epoch->kept = std::make_shared<KeptArcs>();
    return epoch;
}

BackgroundMerge::BackgroundMerge(GraphState from, std::function<GraphState()> now,
                                 std::function<bool()> offer)
    : from_(std::move(from)),
      now_(std::move(now)),
      offer_(std::move(offer)),
      closed_(from_.epoch->closed),
      forks_(forks()),
      thread_(std::make_unique<std::thread>([this] { run(); })) {}

BackgroundMerge::~BackgroundMerge() {
    if (lost()) {
        // Neither joined nor destroyed: it is not there.
        [[maybe_unused]] const std::thread* const left = thread_.release();
        return;
    }
    stop_ = true;
    thread_->join();
}

bool BackgroundMerge::lost() const { return forks_ != forks(); }

void BackgroundMerge::run() {
    try {
        arcs_ = merge_arcs(from_.arcs(), *from_.epoch->log, from_.log_edges, from_.nodes, closed_,
                           1, stop_);
        if (arcs_ != nullptr) {
            log_ = std::make_shared<ArcLog>(log_capacity(from_.nodes));
            for (std::uint32_t before = 0; !stop_; before = logged_) {
                catch_up(now_().log_edges);
                if (logged_ - before < few) break;
            }
        }
    } catch (...) {
        arcs_ = nullptr;  // no memory: the log stays as it is
    }
    ready_ = true;
    ready_.notify_all();
    while (!taken_ && !stop_ && !offer_()) std::this_thread::sleep_for(nap);
}

void BackgroundMerge::catch_up(std::uint32_t log_edges) {
    const std::uint32_t begin = from_.log_edges + logged_;
    const auto edge = [&](std::size_t i) -> const LogEdge& {
        return from_.epoch->log->at(begin + static_cast<std::uint32_t>(i));
    };
    log_->push_all(
        log_edges - begin, [&](std::size_t i) { return edge(i).source; },
        [&](std::size_t i) { return edge(i).target; },
        [&](std::size_t i) {
            const LogEdge& e = edge(i);
            log_->push(logged_++, e.source, e.target, e.weight, e.type, e.valid_from, e.valid_to,
                       e.seq_from);
        });
}

void BackgroundMerge::close_again(std::uint32_t edge, Seq commit) {
    if (edge >= arcs_->edges) {
        log_->at(edge - arcs_->edges).seq_to.store(commit, std::memory_order_relaxed);
        log_closed_ = true;
        return;
    }
    if (closed_ == nullptr) {
        closed_ = std::make_shared<Closings>(arcs_->arcs());
        std::fill(closed_->data(), closed_->data() + closed_->size(), seq_open);
    }
    for (const bool in : {false, true}) (*closed_)[arcs_->place(edge, in)] = commit;
}

GraphState BackgroundMerge::take(const GraphState& now) {
    taken_ = true;
    if (arcs_ == nullptr) return now;
    catch_up(now.log_edges);
    for (const auto& [edge, commit] : closed_since_) close_again(edge, commit);
    GraphState next = now;
    next.epoch = make_epoch(std::move(arcs_), std::move(closed_), std::move(log_));
    next.log_edges = logged_;
    next.log_closed = log_closed_;
    from_ = {};
    return next;
}

}  // namespace remanence
