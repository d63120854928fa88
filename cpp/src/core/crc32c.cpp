// CRC-32C by the processor's instruction where it has one, by a table elsewhere.
#include "core/crc32c.hpp"

#include <array>
#include <cstring>

namespace remanence {
namespace {

constexpr std::uint32_t polynomial = 0x82F63B78U;  // reflected Castagnoli polynomial

constexpr std::array<std::uint32_t, 256> make_table() {
    std::array<std::uint32_t, 256> table{};
    for (std::uint32_t i = 0; i < 256; ++i) {
        std::uint32_t crc = i;
        for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1U) ^ ((crc & 1U) != 0 ? polynomial : 0U);
        table[i] = crc;
    }
    return table;
}

std::uint32_t by_table(std::uint32_t crc, const std::uint8_t* at, std::size_t size) {
    static constexpr auto table = make_table();
    for (; size != 0; --size, ++at) crc = table[(crc ^ *at) & 0xFFU] ^ (crc >> 8U);
    return crc;
}

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) std::uint32_t by_instruction(std::uint32_t crc,
                                                               const std::uint8_t* at,
                                                               std::size_t size) {
    std::uint64_t wide = crc;
    for (; size >= 8; size -= 8, at += 8) {
        std::uint64_t word = 0;
        std::memcpy(&word, at, 8);
        wide = __builtin_ia32_crc32di(wide, word);
    }
    crc = static_cast<std::uint32_t>(wide);
    for (; size != 0; --size, ++at) crc = __builtin_ia32_crc32qi(crc, *at);
    return crc;
}
#endif

}  // namespace

std::uint32_t crc32c(std::uint32_t crc, const void* data, std::size_t size) {
    const auto* at = static_cast<const std::uint8_t*>(data);
#if defined(__x86_64__)
    if (__builtin_cpu_supports("sse4.2") != 0) return ~by_instruction(~crc, at, size);
#endif
    return ~by_table(~crc, at, size);
}

}  // namespace remanence
