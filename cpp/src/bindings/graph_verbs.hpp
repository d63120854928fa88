// The verbs that a graph and a view of it share, for both their Python classes.
#pragma once

#include <pybind11/pybind11.h>

#include "remanence/graph_store.hpp"

namespace remanence::bindings {

/// Defines the verbs on the class; `Graph` answers as its newest view.
void register_verbs(pybind11::class_<Graph>& graph);
void register_verbs(pybind11::class_<GraphView>& view);

}  // namespace remanence::bindings
