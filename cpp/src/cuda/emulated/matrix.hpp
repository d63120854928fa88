// The product of a warp's matrices of bytes, as mma.sync.m16n8k32 spreads them over its lanes.
#pragma once

#include <cstdint>

namespace remanence::emu {

/// What one lane holds of C += A B: A is 16 x 32, B is 32 x 8, C is 16 x 8.
struct MatrixLane {
    std::uint32_t a[4];
    std::uint32_t b[2];
    std::int32_t c[4];
};

inline std::int32_t byte_of(std::uint32_t word, unsigned place) {
    return static_cast<std::int8_t>(word >> 8U * place & 0xFFU);
}

/// Lane 4 g + t holds rows g and g + 8 of A and column g of B, of each 16 dimensions those from 4 t
/// to 4 t + 3, and of C rows g and g + 8, columns 2 t and 2 t + 1. Sums wrap as on a device.
inline void multiply(MatrixLane* const* lanes) {
    for (unsigned row = 0; row < 16; ++row) {
        for (unsigned column = 0; column < 8; ++column) {
            std::uint32_t sum = 0;
            for (unsigned k = 0; k < 32; ++k) {
                const unsigned t = k % 16 / 4;
                const MatrixLane& of_row = *lanes[4 * (row % 8) + t];
                const MatrixLane& of_column = *lanes[4 * column + t];
                const std::int32_t x = byte_of(of_row.a[row / 8 + 2 * (k / 16)], k % 4);
                sum += static_cast<std::uint32_t>(x * byte_of(of_column.b[k / 16], k % 4));
            }
            std::int32_t& c = lanes[4 * (row % 8) + column / 2]->c[2 * (row / 8) + column % 2];
            c = static_cast<std::int32_t>(static_cast<std::uint32_t>(c) + sum);
        }
    }
}

}  // namespace remanence::emu
