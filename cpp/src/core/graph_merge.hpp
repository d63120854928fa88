// A merge of a graph's log into its base beside the writer, who goes on meanwhile.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "core/graph_state.hpp"

namespace remanence {

/// One merge on a thread of its own. The writer appends to the old log and closes edges as ever;
/// what it appended is copied into the log of the new epoch, what it closed is closed there again.
/// All but the constructor's thread is called under the writer's lock.
class BackgroundMerge {
public:
    /// `now` tells how the graph stands; `offer` is called until it says that the merge was taken.
    BackgroundMerge(GraphState from, std::function<GraphState()> now, std::function<bool()> offer);
    ~BackgroundMerge();  ///< stops the merge and waits for its thread
    BackgroundMerge(const BackgroundMerge&) = delete;
    BackgroundMerge& operator=(const BackgroundMerge&) = delete;

    /// In a forked child: the thread is not there.
    bool lost() const;
    bool ready() const { return ready_; }
    bool taken() const { return taken_; }
    void wait() const { ready_.wait(false); }
    void close(std::uint32_t edge, Seq commit) { closed_since_.emplace_back(edge, commit); }
    /// The graph with the merged base in place of its own; `now` itself where the merge failed.
    GraphState take(const GraphState& now);

private:
    void run();
    void catch_up(std::uint32_t log_edges);
    void close_again(std::uint32_t edge, Seq commit);

    GraphState from_;
    std::function<GraphState()> now_;
    std::function<bool()> offer_;
    std::shared_ptr<const Arcs> arcs_;  ///< null where the merge failed
    std::shared_ptr<Closings> closed_;
    std::shared_ptr<ArcLog> log_;  ///< of what was appended since
    std::uint32_t logged_ = 0;
    bool log_closed_ = false;
    std::vector<std::pair<std::uint32_t, Seq>> closed_since_;
    std::atomic<bool> stop_{false};
    std::atomic<bool> ready_{false};
    std::atomic<bool> taken_{false};
    std::uint32_t forks_;
    std::unique_ptr<std::thread> thread_;
};

/// How many nodes the log of a graph has room for.
std::uint32_t log_capacity(std::size_t nodes);

/// An epoch that begins with this base.
std::shared_ptr<GraphEpoch> make_epoch(std::shared_ptr<const Arcs> arcs,
                                       std::shared_ptr<Closings> closed,
                                       std::shared_ptr<ArcLog> log);

}  // namespace remanence
