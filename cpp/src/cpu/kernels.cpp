// Chooses the kernels once, by what the processor has or what REMANENCE_SIMD names.
#include "cpu/kernels.hpp"

#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "remanence/backend.hpp"
#include "remanence/error.hpp"

namespace remanence {
namespace cpu {
namespace {

/// What runs here, best first.
std::vector<const Kernels*> usable() {
    std::vector<const Kernels*> out;
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f") != 0 && __builtin_cpu_supports("avx512vl") != 0 &&
        __builtin_cpu_supports("avx512bw") != 0 && __builtin_cpu_supports("avx512dq") != 0 &&
        __builtin_cpu_supports("avx512vbmi") != 0) {
        out.push_back(&avx512_kernels);
    }
    if (__builtin_cpu_supports("avx2") != 0) out.push_back(&avx2_kernels);
#elif defined(__aarch64__)
    out.push_back(&neon_kernels);
#endif
    out.push_back(&scalar_kernels);
    return out;
}

const Kernels& choose() {
    const auto all = usable();
    const char* const forced = std::getenv("REMANENCE_SIMD");
    if (forced == nullptr || *forced == '\0') return *all.front();
    std::string names;
    for (const Kernels* k : all) {
        if (std::string_view(forced) == k->name) return *k;
        names += names.empty() ? k->name : std::string(", ") + k->name;
    }
    throw BackendUnavailable("REMANENCE_SIMD: this processor cannot run '" + std::string(forced) +
                             "' (want one of " + names + ")");
}

}  // namespace

const Kernels& kernels() {
    static const Kernels& chosen = choose();
    return chosen;
}

}  // namespace cpu

std::string simd() { return cpu::kernels().name; }

std::vector<std::string> available_simd() {
    std::vector<std::string> out;
    for (const cpu::Kernels* k : cpu::usable()) out.emplace_back(k->name);
    return out;
}

}  // namespace remanence
