// The classes Graph and GraphView: writing, and what a view is.
#include "remanence/graph_store.hpp"

#include <pybind11/stl.h>

#include "bindings/arrays.hpp"
#include "bindings/graph_verbs.hpp"
#include "bindings/register.hpp"

namespace remanence::bindings {
namespace {

using Release = py::gil_scoped_release;

std::int64_t append(Graph& graph, const py::object& source, const py::object& target,
                    const py::object& type, const py::object& weight, const py::object& valid_from,
                    const py::object& valid_to, std::optional<Seq> seq) {
    const GraphEdges edges{view<std::int64_t>("append", "source", source),
                           view<std::int64_t>("append", "target", target),
                           view_or_empty<std::uint16_t>("append", "type", type),
                           view_or_empty<float>("append", "weight", weight),
                           view_or_empty<TimeNs>("append", "valid_from", valid_from),
                           view_or_empty<TimeNs>("append", "valid_to", valid_to)};
    const Release release;
    return graph.append(edges, seq);
}

Seq close(Graph& graph, const py::object& edge, std::optional<Seq> seq) {
    const auto edges = view<std::int64_t>("close", "edge", edge);
    const Release release;
    return graph.close(edges, seq);
}

std::int64_t add_nodes(Graph& graph, std::int64_t count) {
    if (count < 0) {
        throw InvalidArgument("add_nodes: count must not be negative (got " +
                              std::to_string(count) + ")");
    }
    return graph.add_nodes(static_cast<std::size_t>(count));
}

Graph make(std::int64_t nodes) {
    if (nodes < 0) {
        throw InvalidArgument("graph: nodes must not be negative (got " + std::to_string(nodes) +
                              ")");
    }
    return Graph(static_cast<std::size_t>(nodes));
}

}  // namespace

void register_graph_store(py::module_& m) {
    py::class_<GraphView> view_class(
        m, "GraphView",
        "A graph as one commit left it. Every verb takes the keywords of a filter: types "
        "(uint16 array), direction ('out', 'in' or 'both'), min_weight, valid_at (ns), as_of "
        "(commit) and allow (bool [nodes]: nodes that may be visited).");
    view_class.def_property_readonly("nodes", &GraphView::nodes, "Nodes in the view.")
        .def_property_readonly("edges", &GraphView::edges, "Edges in the view, closed ones too.")
        .def_property_readonly("seq", &GraphView::seq, "The last commit in the view.");
    register_verbs(view_class);

    py::class_<Graph> graph(
        m, "Graph",
        "A directed multigraph whose edges carry a type, a weight in (0, 1], a valid interval and "
        "the commits that added and closed them. Nodes and edges are numbers from 0. Its verbs are "
        "those of its newest view; see GraphView.");
    graph.def(py::init(&make), py::arg("nodes") = 0)
        .def_property_readonly("nodes", &Graph::nodes, "Nodes so far.")
        .def_property_readonly("edges", &Graph::edges, "Edges so far, closed ones too.")
        .def_property_readonly("live_edges", &Graph::live_edges, "Edges that are not closed.")
        .def_property_readonly("log_edges", &Graph::log_edges, "Edges not merged yet.")
        .def_property_readonly("nbytes", &Graph::bytes, "Bytes of its arrays.")
        .def_property_readonly("seq", &Graph::seq, "The last commit.")
        .def("add_nodes", &add_nodes, py::arg("count"), "The number of the first new node.")
        .def("append", &append, py::arg("source"), py::arg("target"), py::arg("type") = py::none(),
             py::arg("weight") = py::none(), py::arg("valid_from") = py::none(),
             py::arg("valid_to") = py::none(), py::kw_only(), py::arg("seq") = py::none(),
             "Adds edges as columns, all or none; the number of the first. Without seq the commit "
             "is the one after the last.")
        .def("add", &Graph::add, py::arg("source"), py::arg("target"),
             py::arg("type") = edge_type::related, py::arg("weight") = 1.0F,
             py::arg("valid_from") = time_min, py::arg("valid_to") = time_max,
             py::arg("seq") = py::none(), "Adds one edge and returns its number.")
        .def("close", &close, py::arg("edge"), py::kw_only(), py::arg("seq") = py::none(),
             "Closes edges from the commit on, all or none; the commit.")
        .def("merge", &Graph::merge, py::call_guard<Release>(),
             "Merges the log into the base; happens by itself, too.")
        .def("branch", &Graph::branch, py::call_guard<Release>(),
             "A graph that starts as this one is; neither sees what the other writes.")
        .def("view", &Graph::view, "The graph as it is now, for as long as it is held.");
    register_verbs(graph);
}

}  // namespace remanence::bindings
