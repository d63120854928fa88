// What a backend in a library of its own offers a graph: its arcs on a device, and the verbs that
// walk them there.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "core/partition.hpp"
#include "core/push.hpp"
#include "core/rows.hpp"
#include "core/walk_stop.hpp"

namespace remanence {

/// Up to 16 questions of a walk. Those that only fill up have no share.
struct DeviceStart {
    std::uint32_t width = 1;           ///< questions: 1, 2, 4, 8 or 16
    std::vector<std::uint32_t> ranks;  ///< where a walk starts, each once
    std::vector<double> share;         ///< [ranks][width]
    double* mass = nullptr;            ///< the answer, [ranks of the graph][width]
};

/// Which part of a path a verb measures.
struct DevicePaths {
    PathBy by = PathBy::length;
    View<const double> lengths;  ///< [edges]; empty = the weights
};

/// Local walks, of which question q starts at the ranks from cut[q] to cut[q + 1].
struct DevicePush {
    std::vector<std::uint32_t> ranks;  ///< of a question each once, in the order of their nodes
    std::vector<double> share;
    std::vector<std::uint32_t> cut;
    double damping;
    double residual;
};

/// The arcs of one epoch on a device: its base, once, and the log as far as any call has asked for
/// it. Answers are those of the processor, bit for bit, by rank. Calls may come from several
/// threads; they wait for one another. Throws OutOfMemory, DeviceError.
class DeviceGraph {
public:
    virtual ~DeviceGraph() = default;
    DeviceGraph() = default;
    DeviceGraph(const DeviceGraph&) = delete;
    DeviceGraph& operator=(const DeviceGraph&) = delete;

    /// cpu::khop of every question; `start` cuts the seeds into questions.
    virtual void khop(const Filter& filter, View<const std::uint32_t> seeds,
                      View<const std::uint32_t> start, int hops, std::size_t limit, Hops& out) = 0;
    /// cpu::bfs; with `edges` also cpu::parents.
    virtual Array<std::int32_t> bfs(const Filter& filter, View<const std::uint32_t> seeds,
                                    std::vector<std::int64_t>* edges) = 0;
    /// cpu::least_lengths or cpu::greatest_products; with `edges` also cpu::parents.
    virtual Array<double> best(const Filter& filter, View<const std::uint32_t> seeds,
                               const DevicePaths& paths, std::vector<std::int64_t>* edges) = 0;
    /// cpu::best_between.
    virtual std::vector<Path> paths(const Filter& filter, std::uint32_t source,
                                    std::uint32_t target, std::size_t k,
                                    const DevicePaths& measure) = 0;
    /// cpu::components, by node.
    virtual std::vector<std::int64_t> components(const Filter& filter) = 0;
    /// Arcs of each node that pass, whatever the direction, by node.
    virtual Array<std::uint32_t> arc_counts(const Filter& filter) = 0;
    /// cpu::propagate_labels and cpu::tidy: the least node of each node's community, by node.
    virtual std::vector<std::uint32_t> propagate_labels(const Filter& filter,
                                                        const LabelOrder& order) = 0;
    /// What modularity_of needs of each node's row, by node; labels are nodes.
    virtual RowSums row_sums(const Filter& filter, View<const std::uint32_t> label) = 0;
    /// cpu::walk; with `degree` also the degree of every rank.
    virtual void walk(const Filter& filter, const WalkSettings& settings,
                      View<const DeviceStart> starts, Array<double>* degree) = 0;
    /// What cpu::push touches for each question, in its order.
    virtual std::vector<std::vector<Pushed>> push(const Filter& filter,
                                                  const DevicePush& asked) = 0;
};

/// What devices hold of an epoch, by backend; freed with the epoch.
class DeviceGraphs {
public:
    std::shared_ptr<DeviceGraph> on(const std::string& backend, const GraphEpoch& epoch);

private:
    std::mutex mutex_;
    std::map<std::string, std::shared_ptr<DeviceGraph>> held_;
};

/// The view's graph on the backend that a caller names; null = the processor. Throws
/// InvalidArgument, BackendUnavailable.
std::shared_ptr<DeviceGraph> graph_on(const char* verb, std::string_view backend,
                                      const GraphState& state);

}  // namespace remanence
