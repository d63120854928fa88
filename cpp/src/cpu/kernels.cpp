// Chooses the kernels once, by what the processor has or what REMANENCE_SIMD names.
#include "cpu/kernels.hpp"

#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>
#if defined(__x86_64__) && defined(__linux__)
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

#include "remanence/backend.hpp"
#include "remanence/error.hpp"

namespace remanence {
namespace cpu {
namespace {

#if defined(__x86_64__) && defined(__linux__)
/// The processor has byte tiles, and the operating system saves them.
bool has_tiles() {
    constexpr unsigned tile_and_int8 = 3U << 24U;
    constexpr unsigned tile_state = 3U << 17U;
    unsigned a = 0;
    unsigned b = 0;
    unsigned c = 0;
    unsigned d = 0;
    if (__get_cpuid_count(7, 0, &a, &b, &c, &d) == 0 || (d & tile_and_int8) != tile_and_int8) {
        return false;
    }
    unsigned low = 0;
    unsigned high = 0;
    __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return (low & tile_state) == tile_state;
}

/// Linux hands a process the tile registers only when it asks.
bool tiles_granted() {
    constexpr long ask_permission = 0x1023;
    constexpr long tile_data = 18;
    return ::syscall(SYS_arch_prctl, ask_permission, tile_data) == 0;
}
#else
bool has_tiles() { return false; }
bool tiles_granted() { return false; }
#endif

/// What runs here, best first.
std::vector<const Kernels*> usable() {
    std::vector<const Kernels*> out;
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f") != 0 && __builtin_cpu_supports("avx512vl") != 0 &&
        __builtin_cpu_supports("avx512bw") != 0 && __builtin_cpu_supports("avx512dq") != 0 &&
        __builtin_cpu_supports("avx512vbmi") != 0 && __builtin_cpu_supports("avx512vbmi2") != 0 &&
        __builtin_cpu_supports("avx512vnni") != 0 && __builtin_cpu_supports("avx512bitalg") != 0) {
        if (has_tiles()) out.push_back(&amx_kernels);
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

bool matrix_unit() {
    static const bool granted = kernels().matrix_bounds != kernels().bounds && tiles_granted();
    return granted;
}

}  // namespace cpu

std::string simd() { return cpu::kernels().name; }

std::vector<std::string> available_simd() {
    std::vector<std::string> out;
    for (const cpu::Kernels* k : cpu::usable()) out.emplace_back(k->name);
    return out;
}

}  // namespace remanence
