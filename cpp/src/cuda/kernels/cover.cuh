// Greedy covers: a block of rows meets the rows that are kept, then itself, then is settled.
#pragma once

#include "cuda/compat.hpp"
#include "cuda/kernels/row.cuh"
#include "cuda/launch.hpp"

namespace remanence::cuda {

inline constexpr unsigned cover_threads = 256;
inline constexpr unsigned cover_halves = cover_threads / 16;
inline constexpr std::uint32_t cover_words = cover_block / 32;

/// Whether two rows are near enough, by half a warp: heads first, which tell most pairs apart.
__device__ inline bool are_near(const CoverColumns& c, std::uint32_t a, std::uint32_t b,
                                unsigned lane, unsigned mask) {
    const float* const x = c.unit + std::size_t{a} * c.padded;
    const float* const y = c.unit + std::size_t{b} * c.padded;
    float sum = 0.0F;
    for (std::uint32_t j = lane; j < c.head; j += 16) sum = sum + x[j] * y[j];
    if (c.head < c.padded) {
        const float bound = sum_of_half(sum, mask) + c.tail[a] * c.tail[b];
        if (bound < c.least) return false;
        for (std::uint32_t j = c.head + lane; j < c.padded; j += 16) sum = sum + x[j] * y[j];
    }
    return sum_of_half(sum, mask) >= c.cosine;
}

/// Whether anybody may stand for a place of the block, and nobody does yet.
__device__ inline bool is_open(const CoverColumns& c, std::uint32_t place) {
    return c.pinned[place] == 0 && load_now(c.stands + place) == no_place;
}

/// The first of the kept that is near each place of the block; only the group that the block begins
/// with can have kept rows. Blocks share out the rows, and the kept in turns.
__global__ void __launch_bounds__(cover_threads)
    meet_kept(CoverColumns c, std::uint32_t first, std::uint32_t count) {
    const unsigned lane = threadIdx.x % 16;
    const unsigned mask = threadIdx.x % 32 < 16 ? 0x0000'FFFFU : 0xFFFF'0000U;
    const std::uint32_t teams = (count + cover_halves - 1) / cover_halves;
    const std::uint32_t at = blockIdx.x % teams * cover_halves + threadIdx.x / 16;
    const std::uint32_t place = first + at;
    const std::uint32_t group = c.group[first];
    if (at >= count || c.group[place] != group || c.pinned[place] != 0) return;
    const std::uint32_t held = *c.held;
    const std::uint32_t turns = gridDim.x / teams;
    std::uint32_t low = 0;
    for (std::uint32_t high = held; low < high;) {
        const std::uint32_t middle = low + (high - low) / 2;
        if (c.kept[middle] < group) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    for (std::uint32_t k = low + blockIdx.x / teams; k < held; k += turns) {
        const std::uint32_t other = c.kept[k];
        // All lanes of the half must leave together, whatever others write meanwhile.
        const std::uint32_t now =
            __shfl_sync(mask, load_now(c.stands + place), threadIdx.x % 32 & 16U);
        if (now < other) return;
        if (!are_near(c, place, other, lane, mask)) continue;
        if (lane == 0) atomicMin(c.stands + place, other);
        return;
    }
}

/// For each place of the block the places before it there that are near, as bits.
__global__ void __launch_bounds__(cover_threads)
    meet_block(CoverColumns c, std::uint32_t first, std::uint32_t count) {
    const unsigned lane = threadIdx.x % 16;
    const unsigned mask = threadIdx.x % 32 < 16 ? 0x0000'FFFFU : 0xFFFF'0000U;
    const std::uint32_t items = count * cover_words;
    for (std::uint32_t i = blockIdx.x * cover_halves + threadIdx.x / 16; i < items;
         i += gridDim.x * cover_halves) {
        const std::uint32_t at = i / cover_words;
        const std::uint32_t low = i % cover_words * 32;
        const std::uint32_t place = first + at;
        std::uint32_t bits = 0;
        if (low < at && is_open(c, place)) {
            for (std::uint32_t j = low; j < at && j < low + 32; ++j) {
                if (c.group[first + j] != c.group[place]) continue;
                if (are_near(c, place, first + j, lane, mask)) bits |= 1U << (j % 32);
            }
        }
        if (lane == 0) c.near[i] = bits;
    }
}

/// One warp takes the places of the block in order.
__global__ void __launch_bounds__(32)
    settle_block(CoverColumns c, std::uint32_t first, std::uint32_t count) {
    const unsigned lane = threadIdx.x;
    std::uint32_t held = *c.held;
    std::uint32_t own = 0;  // the kept among 32 places of the block
    for (std::uint32_t i = 0; i < count; ++i) {
        const std::uint32_t place = first + i;
        if (!is_open(c, place) && c.pinned[place] == 0) continue;
        const std::uint32_t word = c.pinned[place] != 0 ? 0 : c.near[i * cover_words + lane] & own;
        const unsigned votes = __ballot_sync(all_lanes, word != 0);
        __syncwarp();  // all lanes have read what is written now
        std::uint32_t by = place;
        if (votes != 0) {
            const auto from = static_cast<unsigned>(__ffs(votes) - 1);
            const std::uint32_t bits = __shfl_sync(all_lanes, word, from);
            by = first + from * 32 + static_cast<std::uint32_t>(__ffs(bits) - 1);
        } else {
            if (lane == i / 32) own |= 1U << (i % 32);
            if (lane == 0) c.kept[held] = place;
            ++held;
        }
        if (lane == 0) c.stands[place] = by;
    }
    __syncwarp();
    if (lane == 0) *c.held = held;
}

}  // namespace remanence::cuda
