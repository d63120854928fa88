// CRC-32C (Castagnoli), the checksum of the snapshot format.
#pragma once

#include <cstddef>
#include <cstdint>

namespace remanence {

/// Continues `crc` (0 at the start) over `size` bytes.
std::uint32_t crc32c(std::uint32_t crc, const void* data, std::size_t size);

}  // namespace remanence
