// The list of backends, best known first, and what this build calls itself.
#include <algorithm>
#include <array>

#include "remanence/backend.hpp"
#include "remanence/error.hpp"

#include "core/plugin.hpp"
#include "core/state.hpp"

namespace remanence {
namespace {

// "emulated" runs the kernels of cuda on the processor. Only builds for tests hold it, and "auto"
// never means it.
constexpr std::array<std::string_view, 3> names = {"cpu", "cuda", "emulated"};

void check_name(const char* verb, std::string_view name) {
    if (std::find(names.begin(), names.end(), name) == names.end()) {
        throw InvalidArgument(std::string(verb) + ": there is no backend called '" +
                              std::string(name) + "' (want cpu or cuda)");
    }
}

}  // namespace

std::string why_unavailable(std::string_view name) {
    check_name("why_unavailable", name);
    return name == "cpu" ? std::string() : load_plugin(std::string(name));
}

std::vector<std::string> available_backends() {
    std::vector<std::string> out;
    for (const std::string_view name : names) {
        if (why_unavailable(name).empty()) out.emplace_back(name);
    }
    return out;
}

std::string chosen_backend(const char* verb, std::string_view name) {
    if (name == "auto") return load_plugin("cuda").empty() ? "cuda" : "cpu";
    check_name(verb, name);
    return std::string(name);
}

void Engine::State::use(std::string_view name) {
    backend = chosen_backend("Engine", name);
    if (backend != "cpu") device = plugin(backend).make_rows();
}

std::string version() { return REMANENCE_VERSION; }
std::string build_id() { return REMANENCE_BUILD_ID; }

}  // namespace remanence
