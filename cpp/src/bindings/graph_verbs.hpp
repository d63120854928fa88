// The verbs that a graph and a view of it share, for both their Python classes.
#pragma once

#include "remanence/graph_store.hpp"

#include "bindings/graph_filter.hpp"

namespace remanence::bindings {

using Nodes = View<const std::int64_t>;

inline GraphView view_of(const Graph& graph) { return graph.view(); }
inline const GraphView& view_of(const GraphView& view) { return view; }

/// Calls work() without the interpreter's lock.
template <class Work>
auto freely(Work&& work) {
    const py::gil_scoped_release release;
    return work();
}

inline Nodes nodes(const char* verb, const char* name, const py::handle& object) {
    return view<std::int64_t>(verb, name, object);
}

/// Where questions begin: as indptr says, or at each seed, which `each` then holds.
inline Nodes cuts(const char* verb, const py::object& indptr, std::size_t seeds,
                  std::vector<std::int64_t>& each) {
    const Nodes given = view_or_empty<std::int64_t>(verb, "indptr", indptr);
    if (!given.empty()) return given;
    for (std::size_t i = 0; i <= seeds; ++i) each.push_back(static_cast<std::int64_t>(i));
    return each;
}

/// Defines the verbs on the class; `Graph` answers as its newest view.
void register_verbs(pybind11::class_<Graph>& graph);
void register_verbs(pybind11::class_<GraphView>& view);

/// The part of them that walks: masses, lifts, ranks, communities.
void register_walks(pybind11::class_<Graph>& graph);
void register_walks(pybind11::class_<GraphView>& view);

}  // namespace remanence::bindings
