// Bits of a word.
#pragma once

#include <bit>
#include <cstdint>

namespace remanence {

/// How many bits are set; without a call, as the baseline of x86-64 has no instruction for it.
inline std::uint32_t count_bits(std::uint64_t x) {
#if defined(__x86_64__) && !defined(__POPCNT__)
    x -= x >> 1U & 0x5555555555555555U;
    x = (x & 0x3333333333333333U) + (x >> 2U & 0x3333333333333333U);
    x = (x + (x >> 4U)) & 0x0F0F0F0F0F0F0F0FU;
    return static_cast<std::uint32_t>(x * 0x0101010101010101U >> 56U);
#else
    return static_cast<std::uint32_t>(std::popcount(x));
#endif
}

}  // namespace remanence
