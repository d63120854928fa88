// Backends that live in a library of their own, found beside this one.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "remanence/backend.hpp"
#include "remanence/decay.hpp"

#include "core/device.hpp"

namespace remanence {

class ArcLog;
class DeviceGraph;
struct Arcs;
struct CoverPlan;

/// What a plug-in's one exported function returns. The build id must be ours to the letter.
struct PluginInfo {
    const char* build_id;
    const char* name;
    /// Null when the backend can run here, else one sentence that lives as long as the library.
    const char* (*why_unavailable)();
    /// A mirror of one engine's rows.
    std::unique_ptr<DeviceRows> (*make_rows)();
    /// The verb `decay` over columns that were checked.
    void (*decay_f32)(const DecayLaw&, const DecayColumns<float>&, TimeNs, View<float>);
    void (*decay_f64)(const DecayLaw&, const DecayColumns<double>&, TimeNs, View<double>);
    /// Over columns on the device, unchecked but for their lengths. Returns the first memory whose
    /// values are out of range, or their number.
    std::size_t (*decay_there_f32)(const DecayLaw&, const DecayColumns<float>&, TimeNs,
                                   View<float>);
    std::size_t (*decay_there_f64)(const DecayLaw&, const DecayColumns<double>&, TimeNs,
                                   View<double>);
    /// A mirror of one epoch of a graph.
    std::shared_ptr<DeviceGraph> (*make_graph)(std::shared_ptr<const Arcs>,
                                               std::shared_ptr<const ArcLog>);
    /// The place that stands for each place of a plan.
    void (*cover)(const CoverPlan&, View<std::uint32_t>);
    /// Bytes that this process holds on the device.
    std::size_t (*held_bytes)();
    /// Bytes that this process has copied to the device so far.
    std::size_t (*copied_bytes)();
    /// Memory for a caller's arrays.
    const DeviceMemory* memory;
};

inline constexpr const char* plugin_entry = "remanence_backend";

/// Loads libremanence_<name> from the folder of this library; empty when it can run here, else
/// one sentence that says why not. Loaded once and never unloaded.
std::string load_plugin(const std::string& name);

/// The backend that a caller means by `name`: "auto" is the best that runs here. Throws
/// InvalidArgument for a name that no backend has.
std::string chosen_backend(const char* verb, std::string_view name);

/// The plug-in itself; throws BackendUnavailable with the reason.
const PluginInfo& plugin(const std::string& name);

}  // namespace remanence
