// A bitemporal graph of its own worth: edges appended and closed while it is queried.
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "remanence/export.hpp"
#include "remanence/graph.hpp"
#include "remanence/types.hpp"

namespace remanence {

/// Which edges and nodes a verb may use.
struct REMANENCE_API GraphFilter : EdgeFilter {
    View<const std::uint8_t> allow;  ///< [nodes] nodes that may be visited; empty = all
};

/// New edges of a graph as columns of one length; type, weight and interval may be left empty:
/// type related, weight 1, open.
struct GraphEdges {
    View<const std::int64_t> source;
    View<const std::int64_t> target;
    View<const std::uint16_t> type;  ///< 1 or greater
    View<const float> weight;        ///< confidence in (0, 1]
    View<const TimeNs> valid_from;
    View<const TimeNs> valid_to;
};

/// Edges as columns; `seq_to` is seq_open for an edge that no commit closed.
struct REMANENCE_API GraphEdgeColumns {
    std::vector<std::int64_t> source, target;
    std::vector<std::uint16_t> type;
    std::vector<float> weight;
    std::vector<TimeNs> valid_from, valid_to;
    std::vector<Seq> seq_from, seq_to;
};

/// Arcs of several nodes: those of node i stand from start[i] to start[i + 1].
struct REMANENCE_API Adjacency {
    std::vector<std::int64_t> start, node, edge;
    std::vector<std::uint8_t> outgoing;
};

/// Answers of several questions: those of question i stand from start[i] to start[i + 1].
struct REMANENCE_API Hops {
    std::vector<std::int64_t> start, node;
    std::vector<std::int32_t> hop;
};

/// One value per node of each question, and the edge by which a path from a seed arrives; -1 =
/// none.
template <class T>
struct Tree {
    std::vector<T> value;
    std::vector<std::int64_t> edge;  ///< empty unless asked for
};

/// A path: its value, its edges, and its nodes (one more). No path: both are empty.
struct REMANENCE_API Path {
    double value = 0.0;
    std::vector<std::int64_t> edge, node;
};

/// What a path is measured by: fewest edges, least summed length, or greatest product of weights.
enum class PathBy : std::uint8_t { hops, length, weight };

/// Personalised PageRank of one or more questions: pi = (1-damping) * seeds + damping * P^T pi, P
/// row-normalised by weight along the filter's direction; the mass of a node without arcs returns
/// to the seeds. `tolerance` bounds the L1 distance from the exact answer.
/// Source: Page et al. 1999; Haveliwala 2002.
struct GraphWalk {
    View<const std::int64_t> seeds;
    View<const float> weights;       ///< empty = equal
    View<const std::int64_t> start;  ///< cuts the seeds into questions; empty = one question
    double damping = 0.5;
    double tolerance = 1e-9;
    std::string_view backend = "cpu";  ///< where they walk; the bits are the same
};

/// Mass of a walk by node, in the verb's order.
struct REMANENCE_API NodeMasses {
    std::vector<std::int64_t> node;
    std::vector<double> mass;
    double left = 0.0;  ///< mass that was not handed on; 0 for exact verbs
};

/// How communities are found.
enum class CommunityMethod : std::uint8_t { leiden, labels };

struct REMANENCE_API Communities {
    std::vector<std::int64_t> label;  ///< [nodes] least node of the community
    double modularity = 0.0;
};

struct GraphState;

/// The graph as one commit left it; stays as it is while the graph changes, and any number of
/// threads may ask it. Nodes and edges are numbers from 0. Answers have the same bits for every
/// thread count and do not depend on what was merged when. A filter's `as_of` cannot look behind
/// the view. Unknown nodes throw NotFound. `backend` says where a verb runs.
class REMANENCE_API GraphView {
public:
    explicit GraphView(std::shared_ptr<const GraphState> state);

    std::size_t nodes() const;
    std::size_t edges() const;
    Seq seq() const;

    GraphEdgeColumns edge_columns(View<const std::int64_t> edges) const;
    /// Ascending numbers of the edges that pass; the direction is ignored.
    std::vector<std::int64_t> find_edges(const GraphFilter& filter) const;
    std::vector<std::int64_t> subgraph(View<const std::int64_t> nodes,
                                       const GraphFilter& filter) const;
    std::vector<std::int64_t> degree(const GraphFilter& filter) const;
    /// Per node its out arcs and then its in arcs, each by edge number.
    Adjacency adjacency(View<const std::int64_t> nodes, const GraphFilter& filter) const;
    /// Nodes within `hops` of the seeds of each question, ordered by (hop, node), the first `limit`
    /// of them. `start` cuts `seeds` into questions; empty = each seed is one.
    Hops khop(View<const std::int64_t> seeds, View<const std::int64_t> start, int hops,
              std::size_t limit, const GraphFilter& filter, std::string_view backend = "cpu") const;
    /// Hops from the nearest seed, -1 = not reached. Here and in the next two, `start` cuts `seeds`
    /// into questions; empty = they are one.
    Tree<std::int32_t> bfs(View<const std::int64_t> seeds, View<const std::int64_t> start,
                           bool parents, const GraphFilter& filter,
                           std::string_view backend = "cpu") const;
    /// Least node of each node's component; the direction is ignored.
    std::vector<std::int64_t> components(const GraphFilter& filter,
                                         std::string_view backend = "cpu") const;
    /// Least summed length from the nearest seed, infinity = not reached. `lengths` [edges]
    /// replaces the weights. Additions in double along the path, so the bits are Dijkstra's.
    Tree<double> shortest_paths(View<const std::int64_t> seeds, View<const std::int64_t> start,
                                View<const double> lengths, bool parents, const GraphFilter& filter,
                                std::string_view backend = "cpu") const;
    /// Greatest product of weights from a seed, 0 = not reached.
    Tree<double> best_paths(View<const std::int64_t> seeds, View<const std::int64_t> start,
                            bool parents, const GraphFilter& filter,
                            std::string_view backend = "cpu") const;
    /// The k best paths without a repeated node, best first; source: Yen 1971.
    std::vector<Path> paths(std::int64_t source, std::int64_t target, std::size_t k, PathBy by,
                            View<const double> lengths, const GraphFilter& filter,
                            std::string_view backend = "cpu") const;
    /// paths from each source to its target.
    std::vector<std::vector<Path>> paths_batch(View<const std::int64_t> sources,
                                               View<const std::int64_t> targets, std::size_t k,
                                               PathBy by, View<const double> lengths,
                                               const GraphFilter& filter,
                                               std::string_view backend = "cpu") const;

    /// Mass by node, [questions, nodes]; each question's sums to one.
    std::vector<double> propagate(const GraphWalk& walk, const GraphFilter& filter) const;

    /// The greatest masses of one question, found near its seeds: a node is pushed on while its
    /// residual exceeds `residual` per arc. What is not pushed, `left`, is dealt out by share of
    /// arcs: in all the masses are off by at most 2 left. Source: Andersen, Chung & Lang 2006.
    NodeMasses push(const GraphWalk& walk, double residual, std::size_t top,
                    const GraphFilter& filter) const;
    /// push of each question that `walk.start` cuts the seeds into.
    std::vector<NodeMasses> push_batch(const GraphWalk& walk, double residual, std::size_t top,
                                       const GraphFilter& filter) const;
    /// ln((pi + d) / (prior + d)), d = 1e-3/nodes, clipped to +-4, of the nodes that one question's
    /// walk reaches; prior is a node's share of all degrees. Ordered by (lift descending, node).
    NodeMasses spread(const GraphWalk& walk, const GraphFilter& filter) const;
    /// spread of each question that `walk.start` cuts the seeds into.
    std::vector<NodeMasses> spread_batch(const GraphWalk& walk, const GraphFilter& filter) const;
    /// PageRank that restarts at every node by its weight in `start` [nodes] (empty = equal).
    std::vector<double> pagerank(View<const double> start, double damping, double tolerance,
                                 const GraphFilter& filter, std::string_view backend = "cpu") const;
    /// Communities of the undirected graph; deterministic, and each hangs together.
    Communities communities(CommunityMethod method, double resolution, std::uint64_t seed,
                            const GraphFilter& filter, std::string_view backend = "cpu") const;
    double modularity(View<const std::int64_t> label, double resolution, const GraphFilter& filter,
                      std::string_view backend = "cpu") const;

    std::shared_ptr<const GraphState> state() const { return state_; }

private:
    std::shared_ptr<const GraphState> state_;
};

/// A directed multigraph whose edges carry a type, a weight, a valid interval and the commits that
/// added and closed them. One writer at a time, any number of readers; none waits for the other.
class REMANENCE_API Graph {
public:
    explicit Graph(std::size_t nodes = 0);
    ~Graph();
    Graph(Graph&&) noexcept;
    Graph& operator=(Graph&&) noexcept;

    std::size_t nodes() const;
    std::size_t edges() const;
    std::size_t live_edges() const;
    std::size_t log_edges() const;  ///< not merged into the base yet
    std::size_t bytes() const;
    Seq seq() const;

    /// The number of the first new node.
    std::int64_t add_nodes(std::size_t count);
    /// The number of the first new edge. Without `seq` the commit is the one after the last.
    std::int64_t append(const GraphEdges& edges, std::optional<Seq> seq = {});
    std::int64_t add(std::int64_t source, std::int64_t target, std::uint16_t type, float weight,
                     TimeNs valid_from, TimeNs valid_to, std::optional<Seq> seq = {});
    /// Edges that no later view sees; returns the commit.
    Seq close(View<const std::int64_t> edges, std::optional<Seq> seq = {});
    void merge();
    /// A graph that starts as this one is and shares its base.
    Graph branch() const;
    GraphView view() const;

    struct State;

private:
    explicit Graph(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

}  // namespace remanence
