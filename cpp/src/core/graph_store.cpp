// Writing a graph: appends, closings, merges, branches, and the views that readers take.
#include <algorithm>
#include <cmath>
#include <mutex>
#include <system_error>

#include "core/check.hpp"
#include "core/forks.hpp"
#include "core/graph_merge.hpp"
#include "core/kept_arcs.hpp"
#include "core/threads.hpp"

namespace remanence {

namespace {

constexpr std::size_t most_edges = (std::size_t{1} << 31U) - 1;
constexpr std::uint32_t least_log = 1U << 15U;  ///< edges; merging fewer is not worth it
constexpr std::uint32_t small_log = 1U << 16U;  ///< nodes
constexpr std::uint32_t log_share = 16;         ///< of the base, that the log may reach
constexpr std::uint32_t patience = 8;  ///< times as long a log waits for the merge beside it

}  // namespace

struct Graph::State {
    ForkSafeMutex writer;           ///< held by whoever writes
    mutable ForkSafeMutex publish;  ///< held for as long as it takes to copy or replace `now`
    GraphState now;
    std::uint32_t live = 0;
    bool closings_shared = false;  ///< with a branch, so they must be copied before a write
    std::unique_ptr<BackgroundMerge> merging;  ///< the last merge beside the writer

    GraphState read() const {
        const std::shared_lock lock(publish);
        return now;
    }
    void replace(GraphState next) {
        const std::unique_lock lock(publish);
        std::swap(now, next);
    }
    void replace_epoch(std::shared_ptr<const Arcs> arcs, std::shared_ptr<Closings> closed,
                       GraphState next, std::shared_ptr<ArcLog> log = nullptr) {
        if (log == nullptr) log = std::make_shared<ArcLog>(log_capacity(next.nodes));
        next.epoch = make_epoch(std::move(arcs), std::move(closed), std::move(log));
        next.log_edges = 0;
        next.log_closed = false;
        closings_shared = false;
        replace(std::move(next));
    }
    Seq commit(const char* verb, std::optional<Seq> seq) const {
        if (!seq) return now.seq + 1;
        check_seq(verb, {&*seq, 1}, 1, now.seq);
        return *seq;
    }
    void merge();
    void merge_if_due();
    void take_merged();
    bool merge_runs() const { return merging != nullptr && !merging->taken(); }
    Closings& own_closings();
    std::uint32_t check_node(const char* verb, std::int64_t node) const {
        if (node < 0 || node >= static_cast<std::int64_t>(now.nodes)) {
            throw NotFound(std::string(verb) + ": there is no node " + std::to_string(node));
        }
        return static_cast<std::uint32_t>(node);
    }
    void check_edges(const GraphEdges& e) const;
};

void Graph::State::check_edges(const GraphEdges& e) const {
    const std::size_t n = e.source.size();
    check_length("append", "target", e.target.size(), n);
    const auto optional = [&](const char* column, std::size_t got) {
        if (got != 0) check_length("append", column, got, n);
    };
    optional("type", e.type.size());
    optional("weight", e.weight.size());
    optional("valid_from", e.valid_from.size());
    optional("valid_to", e.valid_to.size());
    check(n <= most_edges - now.edges(), "append",
          [] { return "a graph holds at most " + std::to_string(most_edges) + " edges"; });
    for (std::size_t i = 0; i < n; ++i) {
        check_node("append", e.source[i]);
        check_node("append", e.target[i]);
    }
    for (const std::uint16_t type : e.type) {
        check(type != 0, "append", [] { return std::string("edge type 0 means none"); });
    }
    for (const float weight : e.weight) check_unit_interval("append", "weight", weight);
    for (std::size_t i = 0; i < std::max(e.valid_from.size(), e.valid_to.size()); ++i) {
        check_interval("append", e.valid_from.empty() ? time_min : e.valid_from[i],
                       e.valid_to.empty() ? time_max : e.valid_to[i]);
    }
}

/// Puts the merge that ran beside the writer in place, if it is through.
void Graph::State::take_merged() {
    if (merging != nullptr && merging->lost()) merging.reset();
    if (!merge_runs() || !merging->ready()) return;
    closings_shared = false;
    replace(merging->take(now));
}

void Graph::State::merge() {
    take_merged();
    if (merge_runs()) {
        merging->wait();
        take_merged();
    }
    if (now.log_edges == 0 && now.arcs().nodes == now.nodes) return;
    std::shared_ptr<Closings> closed = now.epoch->closed;
    auto arcs = merge_arcs(now.arcs(), *now.epoch->log, now.log_edges, now.nodes, closed,
                           worker_count(0), {false});
    replace_epoch(std::move(arcs), std::move(closed), now);
}

void Graph::State::merge_if_due() {
    take_merged();
    const std::uint32_t due = std::max(least_log, now.arcs().edges / log_share);
    if (now.log_edges <= due) return;
    if (merge_runs()) {
        if (now.log_edges <= std::uint64_t{patience} * due) return;
        merging->wait();
        take_merged();
        return;
    }
    const auto offer = [this] {
        const std::unique_lock lock(writer, std::try_to_lock);
        if (lock.owns_lock()) take_merged();
        return lock.owns_lock();
    };
    try {
        merging.reset();
        merging = std::make_unique<BackgroundMerge>(now, [this] { return read(); }, offer);
    } catch (const std::system_error&) {
        merge();  // the system has no thread for it
    }
}

/// The closings of the base, there and nobody else's.
Closings& Graph::State::own_closings() {
    if (now.epoch->closed == nullptr || closings_shared) {
        auto epoch = std::make_shared<GraphEpoch>(*now.epoch);
        auto fresh = std::make_shared<Closings>(now.arcs().arcs());
        for (std::size_t a = 0; a < fresh->size(); ++a) (*fresh)[a] = now.closed_at(a);
        epoch->closed = std::move(fresh);
        GraphState next = now;
        next.epoch = std::move(epoch);
        closings_shared = false;
        replace(std::move(next));
    }
    return *now.epoch->closed;
}

Graph::Graph(std::size_t nodes) : state_(std::make_unique<State>()) {
    check(nodes <= most_nodes, "graph", [&] {
        return "a graph holds at most " + std::to_string(most_nodes) + " nodes (got " +
               std::to_string(nodes) + ")";
    });
    GraphState empty;
    empty.nodes = static_cast<std::uint32_t>(nodes);
    state_->replace_epoch(build_arcs(empty.nodes, {}, 0), nullptr, empty);
}

Graph::Graph(std::unique_ptr<State> state) : state_(std::move(state)) {}
Graph::~Graph() = default;
Graph::Graph(Graph&&) noexcept = default;
Graph& Graph::operator=(Graph&&) noexcept = default;

std::size_t Graph::nodes() const { return state_->read().nodes; }
std::size_t Graph::edges() const { return state_->read().edges(); }
std::size_t Graph::log_edges() const { return state_->read().log_edges; }
Seq Graph::seq() const { return state_->read().seq; }

std::size_t Graph::live_edges() const {
    const std::shared_lock lock(state_->writer);
    return state_->live;
}

std::size_t Graph::bytes() const {
    const GraphState s = state_->read();
    return s.arcs().bytes() + s.epoch->log->bytes() + s.epoch->kept->bytes() +
           (s.epoch->closed ? s.epoch->closed->bytes() : 0);
}

std::int64_t Graph::add_nodes(std::size_t count) {
    const std::unique_lock lock(state_->writer);
    GraphState next = state_->now;
    check(count <= most_nodes - next.nodes, "add_nodes", [&] {
        return "a graph holds at most " + std::to_string(most_nodes) + " nodes (got " +
               std::to_string(count) + " more)";
    });
    const std::int64_t first = next.nodes;
    next.nodes += static_cast<std::uint32_t>(count);
    const bool full = next.nodes > next.epoch->log->node_capacity();
    state_->replace(std::move(next));
    if (full) state_->merge();
    return first;
}

std::int64_t Graph::append(const GraphEdges& e, std::optional<Seq> seq) {
    const std::unique_lock lock(state_->writer);
    State& s = *state_;
    const Seq commit = s.commit("append", seq);
    s.check_edges(e);
    const std::int64_t first = s.now.edges();
    const std::size_t n = e.source.size();
    if (n == 0) return first;
    GraphState next = s.now;
    next.seq = commit;
    s.live += static_cast<std::uint32_t>(n);
    if (first == 0) {
        const NewEdges all{e.source, e.target, e.type, e.weight, e.valid_from, e.valid_to};
        auto arcs = build_arcs(next.nodes, all, commit);
        // Appends to a large log take a third longer where it was made before the base.
        std::shared_ptr<ArcLog> empty = next.nodes < small_log ? next.epoch->log : nullptr;
        s.replace_epoch(std::move(arcs), nullptr, std::move(next), std::move(empty));
        return first;
    }
    ArcLog& log = *next.epoch->log;
    const auto source = [&](std::size_t i) { return static_cast<std::uint32_t>(e.source[i]); };
    const auto target = [&](std::size_t i) { return static_cast<std::uint32_t>(e.target[i]); };
    log.push_all(n, source, target, [&](std::size_t i) {
        log.push(next.log_edges++, source(i), target(i), e.weight.empty() ? 1.0F : e.weight[i],
                 e.type.empty() ? edge_type::related : e.type[i],
                 e.valid_from.empty() ? time_min : e.valid_from[i],
                 e.valid_to.empty() ? time_max : e.valid_to[i], commit);
    });
    s.replace(std::move(next));
    s.merge_if_due();
    return first;
}

std::int64_t Graph::add(std::int64_t source, std::int64_t target, std::uint16_t type, float weight,
                        TimeNs valid_from, TimeNs valid_to, std::optional<Seq> seq) {
    const std::unique_lock lock(state_->writer);
    State& s = *state_;
    const Seq commit = s.commit("add", seq);
    const std::uint32_t from = s.check_node("add", source);
    const std::uint32_t to = s.check_node("add", target);
    check(type != 0, "add", [] { return std::string("edge type 0 means none"); });
    check_unit_interval("add", "weight", weight);
    check_interval("add", valid_from, valid_to);
    const std::int64_t number = s.now.edges();
    check(number < static_cast<std::int64_t>(most_edges), "add",
          [] { return "a graph holds at most " + std::to_string(most_edges) + " edges"; });
    s.now.epoch->log->push(s.now.log_edges, from, to, weight, type, valid_from, valid_to, commit);
    {
        const std::unique_lock publish(s.publish);
        ++s.now.log_edges;
        s.now.seq = commit;
    }
    ++s.live;
    s.merge_if_due();
    return number;
}

Seq Graph::close(View<const std::int64_t> edges, std::optional<Seq> seq) {
    const std::unique_lock lock(state_->writer);
    State& s = *state_;
    const Seq commit = s.commit("close", seq);
    const std::uint32_t based = s.now.arcs().edges;
    std::vector<std::int64_t> sorted(edges.begin(), edges.end());
    std::sort(sorted.begin(), sorted.end());
    for (std::size_t i = 0; i < sorted.size(); ++i) {
        const std::int64_t e = sorted[i];
        const auto open = [&] {
            const auto n = static_cast<std::uint32_t>(e);
            return n < based ? s.now.closed_at(s.now.arcs().place(n, false)) == seq_open
                             : s.now.epoch->log->at(n - based).seq_to.load() == seq_open;
        };
        if (e < 0 || e >= s.now.edges() || (i > 0 && e == sorted[i - 1]) || !open()) {
            throw NotFound("close: there is no open edge " + std::to_string(e));
        }
    }
    if (sorted.empty()) return s.now.seq;
    bool log_closed = s.now.log_closed;
    for (const std::int64_t e : sorted) {
        const auto n = static_cast<std::uint32_t>(e);
        if (s.merge_runs()) s.merging->close(n, commit);
        if (n >= based) {
            s.now.epoch->log->at(n - based).seq_to.store(commit, std::memory_order_relaxed);
            log_closed = true;
            continue;
        }
        Closings& closings = s.own_closings();
        for (const bool in : {false, true}) {
            std::atomic_ref<Seq>(closings[s.now.arcs().place(n, in)])
                .store(commit, std::memory_order_relaxed);
        }
    }
    s.live -= static_cast<std::uint32_t>(sorted.size());
    GraphState next = s.now;
    next.seq = next.closed_seq = commit;
    next.log_closed = log_closed;
    s.replace(std::move(next));
    return commit;
}

void Graph::merge() {
    const std::unique_lock lock(state_->writer);
    state_->merge();
}

Graph Graph::branch() const {
    const std::unique_lock lock(state_->writer);
    state_->merge();
    auto made = std::make_unique<State>();
    made->live = state_->live;
    const GraphState& now = state_->now;
    made->replace_epoch(now.epoch->arcs, now.epoch->closed, now);
    made->closings_shared = state_->closings_shared = now.epoch->closed != nullptr;
    return Graph(std::move(made));
}

GraphView Graph::view() const { return GraphView(std::make_shared<GraphState>(state_->read())); }

}  // namespace remanence
