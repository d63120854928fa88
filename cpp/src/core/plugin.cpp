// Opens a plug-in with dlopen, never from the current folder.
#include "core/plugin.hpp"

#include <dlfcn.h>
#include <filesystem>
#include <map>
#include <mutex>

#include "remanence/backend.hpp"
#include "remanence/error.hpp"

namespace remanence {
namespace {

struct Opened {
    const PluginInfo* info = nullptr;
    std::string why;
};

std::filesystem::path own_folder() {
    Dl_info info{};
    if (dladdr(reinterpret_cast<const void*>(&load_plugin), &info) == 0) return {};
    return std::filesystem::absolute(info.dli_fname).parent_path();
}

Opened open_plugin(const std::string& name) {
    const auto path = own_folder() / ("libremanence_" + name + ".so");
    if (!std::filesystem::exists(path)) {
        return {nullptr, name + ": not built into this installation (" + path.filename().string() +
                             " is missing)"};
    }
    void* const library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) {
        return {nullptr, name + ": cannot be loaded (" + std::string(dlerror()) + ")"};
    }
    using Entry = const PluginInfo* (*)();
    const auto entry = reinterpret_cast<Entry>(dlsym(library, plugin_entry));
    if (entry == nullptr) return {nullptr, name + ": is not a backend of remanence"};
    const PluginInfo* const info = entry();
    if (build_id() != info->build_id) {
        return {nullptr, name + ": belongs to another build (got " + info->build_id + ", want " +
                             build_id() + ")"};
    }
    const char* const why = info->why_unavailable();
    return {info, why == nullptr ? std::string() : name + ": " + why};
}

const Opened& opened(const std::string& name) {
    static std::mutex mutex;
    static std::map<std::string, Opened> known;
    const std::lock_guard lock(mutex);
    const auto at = known.find(name);
    return at != known.end() ? at->second : known.emplace(name, open_plugin(name)).first->second;
}

}  // namespace

std::string load_plugin(const std::string& name) { return opened(name).why; }

std::size_t device_bytes(const std::string& name) {
    return name == "cpu" ? 0 : plugin(name).held_bytes();
}

std::size_t device_bytes_copied(const std::string& name) {
    return name == "cpu" ? 0 : plugin(name).copied_bytes();
}

const DeviceMemory& device_memory(const std::string& backend) {
    if (backend == "cpu") throw InvalidArgument("the processor has no memory of a device");
    return *plugin(backend).memory;
}

const PluginInfo& plugin(const std::string& name) {
    const Opened& found = opened(name);
    if (!found.why.empty()) throw BackendUnavailable(found.why);
    return *found.info;
}

}  // namespace remanence
