// Finding the copy of a graph that a device holds, or making it.
#include "core/device_graph.hpp"

#include "core/plugin.hpp"

namespace remanence {

std::shared_ptr<DeviceGraph> DeviceGraphs::on(const std::string& backend, const GraphEpoch& epoch) {
    const PluginInfo& device = plugin(backend);
    const std::lock_guard lock(mutex_);
    std::shared_ptr<DeviceGraph>& graph = held_[backend];
    if (graph == nullptr) graph = device.make_graph(epoch.arcs, epoch.log);
    return graph;
}

std::shared_ptr<DeviceGraph> graph_on(const char* verb, std::string_view backend,
                                      const GraphState& state) {
    const std::string name = chosen_backend(verb, backend);
    return name == "cpu" ? nullptr : state.epoch->devices->on(name, *state.epoch);
}

}  // namespace remanence
