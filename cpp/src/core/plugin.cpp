// Opens a plug-in with dlopen, never from the current folder.
#include "core/plugin.hpp"

#include <dlfcn.h>
#include <filesystem>
#include <map>
#include <mutex>

#include "remanence/backend.hpp"

namespace remanence {
namespace {

std::filesystem::path own_folder() {
    Dl_info info{};
    if (dladdr(reinterpret_cast<const void*>(&load_plugin), &info) == 0) return {};
    return std::filesystem::absolute(info.dli_fname).parent_path();
}

std::string open_plugin(const std::string& name) {
    const auto path = own_folder() / ("libremanence_" + name + ".so");
    if (!std::filesystem::exists(path)) {
        return name + ": not built into this installation (" + path.filename().string() +
               " is missing)";
    }
    void* const library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) return name + ": cannot be loaded (" + std::string(dlerror()) + ")";
    using Entry = const PluginInfo* (*)();
    const auto entry = reinterpret_cast<Entry>(dlsym(library, plugin_entry));
    if (entry == nullptr) return name + ": is not a backend of remanence";
    const PluginInfo* const info = entry();
    if (build_id() != info->build_id) {
        return name + ": belongs to another build (got " + info->build_id + ", want " + build_id() +
               ")";
    }
    const char* const why = info->why_unavailable();
    return why == nullptr ? std::string() : name + ": " + why;
}

}  // namespace

std::string load_plugin(const std::string& name) {
    static std::mutex mutex;
    static std::map<std::string, std::string> known;
    const std::lock_guard lock(mutex);
    const auto at = known.find(name);
    return at != known.end() ? at->second : known.emplace(name, open_plugin(name)).first->second;
}

}  // namespace remanence
