// Graphs on the device: a mirror of their arcs, and the verbs that walk them.
#pragma once

#include <memory>
#include <mutex>

#include "core/device_graph.hpp"
#include "cuda/graph_mirror.hpp"

namespace remanence::cuda {

std::shared_ptr<DeviceGraph> make_graph(std::shared_ptr<const Arcs> arcs,
                                        std::shared_ptr<const ArcLog> log);

/// The masses of walks with restart from where `starts` say; `degree` may be null.
void walk(GraphMirror& mirror, const Filter& filter, const WalkSettings& settings,
          View<const DeviceStart> starts, Array<double>* degree, const Stream& stream);

}  // namespace remanence::cuda
