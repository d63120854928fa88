// Chooses the loops of the verb `decay`: those of the instruction set in use.
#include "cpu/kernels_decay.hpp"

#include <array>
#include <string_view>

#include "cpu/kernels.hpp"

namespace remanence::cpu {
namespace {

const DecayKernels& choose() {
#if defined(__x86_64__)
    constexpr std::array<const DecayKernels*, 2> wide{&avx512_decay, &avx2_decay};
#elif defined(__aarch64__)
    constexpr std::array<const DecayKernels*, 1> wide{&neon_decay};
#else
    constexpr std::array<const DecayKernels*, 0> wide{};
#endif
    const std::string_view name = kernels().name;
    for (const DecayKernels* one : wide) {
        if (name == one->name) return *one;
    }
    return scalar_decay;
}

}  // namespace

const DecayKernels& decay_kernels() {
    static const DecayKernels& chosen = choose();
    return chosen;
}

}  // namespace remanence::cpu
