// A cover made ready for a backend: rows in the order in which they are taken.
#pragma once

#include <cstddef>
#include <cstdint>

namespace remanence {

/// Columns by place in the order: groups one after the other, in each the rows by priority. A pair
/// whose heads' product and tails' lengths cannot reach the cosine needs no exact product.
struct CoverPlan {
    std::size_t rows = 0;
    std::size_t padded = 0;                ///< dimensions, a multiple of 16
    std::size_t head = 0;                  ///< of these, looked at first
    float cosine = 0.0F;                   ///< rows this near or nearer stand for one another
    float slack = 0.0F;                    ///< what rounding may feign in a bound
    const float* unit = nullptr;           ///< [rows][padded] of length one
    const float* tail = nullptr;           ///< [rows] length of what lies behind the head
    const std::uint8_t* pinned = nullptr;  ///< [rows]
    const std::uint32_t* group = nullptr;  ///< [rows] where the row's group begins
};

/// Nobody stands for the row yet.
inline constexpr std::uint32_t no_place = 0xFFFF'FFFFU;

}  // namespace remanence
