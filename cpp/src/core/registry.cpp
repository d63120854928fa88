// The list of backends, best known first, and what this build calls itself.
#include <algorithm>
#include <array>

#include "remanence/backend.hpp"
#include "remanence/error.hpp"

#include "core/plugin.hpp"

namespace remanence {
namespace {

constexpr std::array<std::string_view, 2> names = {"cpu", "cuda"};

}  // namespace

std::string why_unavailable(std::string_view name) {
    if (std::find(names.begin(), names.end(), name) == names.end()) {
        throw InvalidArgument("why_unavailable: there is no backend called '" + std::string(name) +
                              "' (want cpu or cuda)");
    }
    return name == "cpu" ? std::string() : load_plugin(std::string(name));
}

std::vector<std::string> available_backends() {
    std::vector<std::string> out;
    for (const std::string_view name : names) {
        if (why_unavailable(name).empty()) out.emplace_back(name);
    }
    return out;
}

std::string version() { return REMANENCE_VERSION; }
std::string build_id() { return REMANENCE_BUILD_ID; }

}  // namespace remanence
