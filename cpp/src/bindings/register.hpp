// One register function per subject of the extension module.
#pragma once

#include <pybind11/pybind11.h>

#include "remanence/engine.hpp"

namespace remanence::bindings {

void register_cover(pybind11::module_& m);
void register_decay(pybind11::module_& m);
void register_recall(pybind11::module_& m);
void register_engine(pybind11::module_& m);
void register_learning(pybind11::module_& m);
/// TextReader and NameFinder.
void register_text(pybind11::module_& m);
/// DeviceArray and to_device.
void register_device_arrays(pybind11::module_& m);
/// Adds the verb `search` to the engine's class.
void register_search(pybind11::class_<Engine>& engine);
/// Adds the verbs of the graph to the engine's class.
void register_graph(pybind11::class_<Engine>& engine);

/// Graph and GraphView.
void register_graph_store(pybind11::module_& m);

}  // namespace remanence::bindings
