// The verbs of a view of a graph: arrays in, arrays out.
#include <pybind11/stl.h>

#include "bindings/graph_filter.hpp"
#include "bindings/graph_verbs.hpp"

namespace remanence::bindings {
namespace {

PathBy path_by(const std::string& name) {
    if (name == "hops") return PathBy::hops;
    if (name == "length") return PathBy::length;
    if (name == "weight") return PathBy::weight;
    throw InvalidArgument("paths: by must be hops, length or weight (got '" + name + "')");
}

template <class T>
py::object tree(Tree<T> t, bool parents, std::vector<py::ssize_t> shape = {}) {
    if (!parents) return array_of(std::move(t.value), shape);
    return py::make_tuple(array_of(std::move(t.value), shape), array_of(std::move(t.edge), shape));
}

/// Of the trees of a batch: a row of nodes for each question.
std::vector<py::ssize_t> rows(Nodes start, std::size_t nodes) {
    return {static_cast<py::ssize_t>(start.size()) - 1, static_cast<py::ssize_t>(nodes)};
}

/// Paths of several questions, end to end.
py::tuple paths_tuple(const std::vector<std::vector<Path>>& found) {
    std::vector<std::int64_t> start{0};
    std::vector<std::int64_t> cut{0};
    std::vector<std::int64_t> edge;
    std::vector<std::int64_t> node;
    std::vector<double> value;
    for (const std::vector<Path>& paths : found) {
        for (const Path& p : paths) {
            value.push_back(p.value);
            edge.insert(edge.end(), p.edge.begin(), p.edge.end());
            node.insert(node.end(), p.node.begin(), p.node.end());
            cut.push_back(static_cast<std::int64_t>(edge.size()));
        }
        start.push_back(static_cast<std::int64_t>(value.size()));
    }
    return py::make_tuple(array_of(std::move(start)), array_of(std::move(value)),
                          array_of(std::move(cut)), array_of(std::move(edge)),
                          array_of(std::move(node)));
}

py::tuple path_tuple(Path p) {
    return py::make_tuple(p.value, array_of(std::move(p.edge)), array_of(std::move(p.node)));
}

template <class T>
py::dict edge_columns(const T& self, const py::object& edge) {
    GraphEdgeColumns c = view_of(self).edge_columns(nodes("edge_columns", "edge", edge));
    py::dict out;
    out["source"] = array_of(std::move(c.source));
    out["target"] = array_of(std::move(c.target));
    out["type"] = array_of(std::move(c.type));
    out["weight"] = array_of(std::move(c.weight));
    out["valid_from"] = array_of(std::move(c.valid_from));
    out["valid_to"] = array_of(std::move(c.valid_to));
    out["seq_from"] = array_of(std::move(c.seq_from));
    out["seq_to"] = array_of(std::move(c.seq_to));
    return out;
}

template <class T>
void define_lists(py::class_<T>& c) {
    c.def("edge_columns", &edge_columns<T>, py::arg("edge"), "Columns of edges by name.");
    c.def(
        "find_edges",
        [](const T& self, const py::kwargs& which) {
            const GraphFilter f = filter_of("find_edges", which);
            return array_of(freely([&] { return view_of(self).find_edges(f); }));
        },
        "Numbers of the edges that pass, ascending; the direction is ignored.");
    c.def(
        "subgraph",
        [](const T& self, const py::object& chosen, const py::kwargs& which) {
            const GraphFilter f = filter_of("subgraph", which);
            const Nodes among = nodes("subgraph", "nodes", chosen);
            return array_of(freely([&] { return view_of(self).subgraph(among, f); }));
        },
        py::arg("nodes"), "Numbers of the edges whose both ends are among the nodes.");
    c.def(
        "degree",
        [](const T& self, const py::kwargs& which) {
            const GraphFilter f = filter_of("degree", which);
            return array_of(freely([&] { return view_of(self).degree(f); }));
        },
        "Edges at each node, int64 [nodes].");
    c.def(
        "adjacency",
        [](const T& self, const py::object& of, const py::kwargs& which) {
            const GraphFilter f = filter_of("adjacency", which);
            const Nodes from = nodes("adjacency", "nodes", of);
            Adjacency a = freely([&] { return view_of(self).adjacency(from, f); });
            return py::make_tuple(array_of(std::move(a.start)), array_of(std::move(a.node)),
                                  array_of(std::move(a.edge)), bools_of(a.outgoing));
        },
        py::arg("nodes"),
        "Per node its out arcs, then its in arcs: (indptr, node, edge, outgoing).");
}

template <class T>
void define_hops(py::class_<T>& c) {
    c.def(
        "khop",
        [](const T& self, const py::object& seeds, int hops, std::size_t limit,
           const std::string& backend, const py::kwargs& which) {
            const GraphFilter f = filter_of("khop", which);
            const Numbers from("khop", "seeds", seeds);
            const std::int64_t start[] = {0, static_cast<std::int64_t>(from.all.size())};
            Hops h = freely(
                [&] { return view_of(self).khop(from.all, start, hops, limit, f, backend); });
            return py::make_tuple(array_of(std::move(h.node)), array_of(std::move(h.hop)));
        },
        py::arg("seeds"), py::arg("hops"), py::arg("limit") = max_k, py::arg("backend") = "cpu",
        "Nodes within `hops` of the seeds (an array, or one as a number), ordered by (hop, node): "
        "(node, hop).");
    c.def(
        "khop_batch",
        [](const T& self, const py::object& seeds, int hops, std::size_t limit,
           const py::object& indptr, const std::string& backend, const py::kwargs& which) {
            const GraphFilter f = filter_of("khop", which);
            const Nodes from = nodes("khop", "seeds", seeds);
            const auto start = view_or_empty<std::int64_t>("khop", "indptr", indptr);
            Hops h =
                freely([&] { return view_of(self).khop(from, start, hops, limit, f, backend); });
            return py::make_tuple(array_of(std::move(h.start)), array_of(std::move(h.node)),
                                  array_of(std::move(h.hop)));
        },
        py::arg("seeds"), py::arg("hops"), py::arg("limit") = max_k, py::arg("indptr") = py::none(),
        py::arg("backend") = "cpu",
        "khop for each seed, or for each stretch of seeds that indptr cuts: (indptr, node, hop).");
    c.def(
        "bfs",
        [](const T& self, const py::object& seeds, bool parents, const std::string& backend,
           const py::kwargs& which) {
            const GraphFilter f = filter_of("bfs", which);
            const Numbers from("bfs", "seeds", seeds);
            return tree(
                freely([&] { return view_of(self).bfs(from.all, {}, parents, f, backend); }),
                parents);
        },
        py::arg("seeds"), py::arg("parents") = false, py::arg("backend") = "cpu",
        "Hops from the nearest seed, int32 [nodes], -1 = not reached; with parents also the edge.");
    c.def(
        "components",
        [](const T& self, const std::string& backend, const py::kwargs& which) {
            const GraphFilter f = filter_of("components", which);
            return array_of(freely([&] { return view_of(self).components(f, backend); }));
        },
        py::arg("backend") = "cpu",
        "Least node of each node's component, int64 [nodes]; the direction is ignored.");
}

template <class T>
void define_paths(py::class_<T>& c) {
    c.def(
        "shortest_paths",
        [](const T& self, const py::object& seeds, const py::object& lengths, bool parents,
           const std::string& backend, const py::kwargs& which) {
            const GraphFilter f = filter_of("shortest_paths", which);
            const Numbers from("shortest_paths", "seeds", seeds);
            const auto l = view_or_empty<double>("shortest_paths", "lengths", lengths);
            return tree(freely([&] {
                            return view_of(self).shortest_paths(from.all, {}, l, parents, f,
                                                                backend);
                        }),
                        parents);
        },
        py::arg("seeds"), py::arg("lengths") = py::none(), py::arg("parents") = false,
        py::arg("backend") = "cpu",
        "Least summed length from a seed, float64 [nodes], inf = not reached; lengths [edges] "
        "replaces the weights.");
    c.def(
        "best_paths",
        [](const T& self, const py::object& seeds, bool parents, const std::string& backend,
           const py::kwargs& which) {
            const GraphFilter f = filter_of("best_paths", which);
            const Numbers from("best_paths", "seeds", seeds);
            return tree(
                freely([&] { return view_of(self).best_paths(from.all, {}, parents, f, backend); }),
                parents);
        },
        py::arg("seeds"), py::arg("parents") = false, py::arg("backend") = "cpu",
        "Greatest product of weights from a seed, float64 [nodes], 0 = not reached.");
    c.def(
        "path",
        [](const T& self, std::int64_t source, std::int64_t target, const std::string& by,
           const py::object& lengths, const std::string& backend, const py::kwargs& which) {
            const GraphFilter f = filter_of("paths", which);
            const auto l = view_or_empty<double>("paths", "lengths", lengths);
            const PathBy how = path_by(by);
            auto found =
                freely([&] { return view_of(self).paths(source, target, 1, how, l, f, backend); });
            Path none;
            none.value = how == PathBy::weight ? 0.0 : std::numeric_limits<double>::infinity();
            return path_tuple(found.empty() ? none : std::move(found[0]));
        },
        py::arg("source"), py::arg("target"), py::arg("by") = "weight",
        py::arg("lengths") = py::none(), py::arg("backend") = "cpu",
        "Why two nodes are connected: (value, edge, node) of the best path by 'weight' (greatest "
        "product), 'length' or 'hops'; of equal ones that of fewest "
        "hops, then of least edge numbers.");
    c.def(
        "paths",
        [](const T& self, std::int64_t source, std::int64_t target, std::size_t k,
           const std::string& by, const py::object& lengths, const std::string& backend,
           const py::kwargs& which) {
            const GraphFilter f = filter_of("paths", which);
            const auto l = view_or_empty<double>("paths", "lengths", lengths);
            const PathBy how = path_by(by);
            auto found =
                freely([&] { return view_of(self).paths(source, target, k, how, l, f, backend); });
            py::list out;
            for (Path& p : found) out.append(path_tuple(std::move(p)));
            return out;
        },
        py::arg("source"), py::arg("target"), py::arg("k"), py::arg("by") = "weight",
        py::arg("lengths") = py::none(), py::arg("backend") = "cpu",
        "The k best paths without a repeated node, best first, as path() gives them.");
}

template <class T>
void define_batches(py::class_<T>& c) {
    c.def(
        "bfs_batch",
        [](const T& self, const py::object& seeds, bool parents, const py::object& indptr,
           const std::string& backend, const py::kwargs& which) {
            const GraphFilter f = filter_of("bfs", which);
            const Nodes from = nodes("bfs", "seeds", seeds);
            std::vector<std::int64_t> each;
            const Nodes start = cuts("bfs", indptr, from.size(), each);
            const GraphView& view = view_of(self);
            auto found = freely([&] { return view.bfs(from, start, parents, f, backend); });
            return tree(std::move(found), parents, rows(start, view.nodes()));
        },
        py::arg("seeds"), py::arg("parents") = false, py::arg("indptr") = py::none(),
        py::arg("backend") = "cpu",
        "bfs for each seed, or for each stretch of seeds that indptr cuts, int32 [questions, "
        "nodes].");
    c.def(
        "shortest_paths_batch",
        [](const T& self, const py::object& seeds, const py::object& lengths, bool parents,
           const py::object& indptr, const std::string& backend, const py::kwargs& which) {
            const GraphFilter f = filter_of("shortest_paths", which);
            const Nodes from = nodes("shortest_paths", "seeds", seeds);
            const auto l = view_or_empty<double>("shortest_paths", "lengths", lengths);
            std::vector<std::int64_t> each;
            const Nodes start = cuts("shortest_paths", indptr, from.size(), each);
            const GraphView& view = view_of(self);
            auto found =
                freely([&] { return view.shortest_paths(from, start, l, parents, f, backend); });
            return tree(std::move(found), parents, rows(start, view.nodes()));
        },
        py::arg("seeds"), py::arg("lengths") = py::none(), py::arg("parents") = false,
        py::arg("indptr") = py::none(), py::arg("backend") = "cpu",
        "shortest_paths for each seed, or for each stretch of seeds that indptr cuts, float64 "
        "[questions, nodes].");
    c.def(
        "best_paths_batch",
        [](const T& self, const py::object& seeds, bool parents, const py::object& indptr,
           const std::string& backend, const py::kwargs& which) {
            const GraphFilter f = filter_of("best_paths", which);
            const Nodes from = nodes("best_paths", "seeds", seeds);
            std::vector<std::int64_t> each;
            const Nodes start = cuts("best_paths", indptr, from.size(), each);
            const GraphView& view = view_of(self);
            auto found = freely([&] { return view.best_paths(from, start, parents, f, backend); });
            return tree(std::move(found), parents, rows(start, view.nodes()));
        },
        py::arg("seeds"), py::arg("parents") = false, py::arg("indptr") = py::none(),
        py::arg("backend") = "cpu",
        "best_paths for each seed, or for each stretch of seeds that indptr cuts, float64 "
        "[questions, nodes].");
    c.def(
        "paths_batch",
        [](const T& self, const py::object& sources, const py::object& targets, std::size_t k,
           const std::string& by, const py::object& lengths, const std::string& backend,
           const py::kwargs& which) {
            const GraphFilter f = filter_of("paths", which);
            const Nodes from = nodes("paths", "sources", sources);
            const Nodes to = nodes("paths", "targets", targets);
            const auto l = view_or_empty<double>("paths", "lengths", lengths);
            const PathBy how = path_by(by);
            return paths_tuple(
                freely([&] { return view_of(self).paths_batch(from, to, k, how, l, f, backend); }));
        },
        py::arg("sources"), py::arg("targets"), py::arg("k") = 1, py::arg("by") = "weight",
        py::arg("lengths") = py::none(), py::arg("backend") = "cpu",
        "paths from each source to its target: (indptr, value, cut, edge, node). Question q has "
        "the paths from indptr[q] to indptr[q + 1]; path p has the edges from cut[p] to cut[p + 1] "
        "and the nodes from cut[p] + p to cut[p + 1] + p + 1.");
}

template <class T>
void define_all(py::class_<T>& c) {
    define_lists(c);
    define_hops(c);
    define_paths(c);
    define_batches(c);
    register_walks(c);
}

}  // namespace

void register_verbs(py::class_<Graph>& graph) { define_all(graph); }
void register_verbs(py::class_<GraphView>& view) { define_all(view); }

}  // namespace remanence::bindings
