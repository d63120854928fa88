// Personalised PageRank by pulling: sums in four lanes as on the processor, totals as integers.
//
// A walk that has stopped keeps its masses while those beside it go on, so its bits are those that
// it has alone.
#pragma once

#include <cstring>

#include "cuda/compat.hpp"
#include "cuda/launch.hpp"

namespace remanence::cuda {

inline constexpr unsigned walk_threads = 256;
inline constexpr unsigned pull_lanes = 4;
inline constexpr double mass_unit = 0x1p62;
inline constexpr unsigned most_walks = 16;

__device__ inline Key counted(double mass) {
    return static_cast<Key>(static_cast<long long>(mass * mass_unit));
}

__device__ inline std::size_t begin_of(const PlainRows& rows, std::size_t r) {
    return r < rows.active ? rows.offset[rows.stride * r + rows.low] : 0;
}
__device__ inline std::size_t end_of(const PlainRows& rows, std::size_t r) {
    return r < rows.active ? rows.offset[rows.stride * r + rows.high] : 0;
}
__device__ inline double weight_at(const PlainRows& rows, std::size_t a) {
    return static_cast<double>(rows.weight != nullptr ? rows.weight[a] : rows.one);
}

__device__ inline bool is_hub(const PlainRows& rows, std::size_t r) {
    return end_of(rows, r) - begin_of(rows, r) > hub_row;
}

__global__ void __launch_bounds__(walk_threads) find_hubs(PlainRows rows, std::uint32_t* hubs) {
    for (std::size_t r = std::size_t{blockIdx.x} * walk_threads + threadIdx.x; r < rows.active;
         r += std::size_t{gridDim.x} * walk_threads) {
        if (is_hub(rows, r)) hubs[1 + atomicAdd(hubs, 1U)] = static_cast<std::uint32_t>(r);
    }
}

/// The sum of what four neighbouring threads hold, as the processor adds up its lanes.
__device__ inline double sum_of_lanes(double sum) {
    sum += __shfl_xor_sync(all_lanes, sum, 1U);
    sum += __shfl_xor_sync(all_lanes, sum, 2U);
    return sum;
}

inline constexpr std::uint32_t hub_tile = 2048;  // products that a block holds at a time

/// The sums of a hub's row for `width` questions by a whole block: all its threads make products,
/// arc after arc, and four for each question add them up in the lanes of the other rows. Thread
/// 4 q + l returns the sum of lane l for question q. `held` is shared, [hub_tile].
template <class Product>
__device__ double sum_hub(const PlainRows& rows, std::size_t row, std::uint32_t width, double* held,
                          Product product) {
    const std::size_t end = end_of(rows, row);
    const std::uint32_t tile = hub_tile / width;
    const std::uint32_t q = threadIdx.x / pull_lanes;
    double sum = 0.0;
    for (std::size_t first = begin_of(rows, row); first < end; first += tile) {
        const auto arcs = static_cast<std::uint32_t>(end - first < tile ? end - first : tile);
        for (std::uint32_t i = threadIdx.x; i < arcs * width; i += walk_threads) {
            held[i] = product(first + i / width, i % width);
        }
        __syncthreads();
        if (q < width) {
            for (std::uint32_t i = threadIdx.x % pull_lanes; i < arcs; i += pull_lanes) {
                sum += held[i * width + q];
            }
        }
        __syncthreads();
    }
    return sum_of_lanes(sum);
}

/// What the degree of a row gives: one over it, and the greatest of those.
__device__ inline void keep_degree(std::size_t r, double sum, double* degree, double* inverse,
                                   Key* greatest) {
    const double over = sum > 0.0 ? 1.0 / sum : 0.0;
    degree[r] = sum;
    inverse[r] = over;
    Key bits = 0;
    std::memcpy(&bits, &over, sizeof bits);
    if (bits > load_now(greatest)) atomicMax(greatest, bits);
}

__global__ void __launch_bounds__(walk_threads)
    sum_degrees(PlainRows rows, double* degree, double* inverse, Key* greatest) {
    constexpr unsigned per_block = walk_threads / pull_lanes;
    const unsigned lane = threadIdx.x % pull_lanes;
    for (std::size_t first = std::size_t{blockIdx.x} * per_block; first < rows.ranks;
         first += std::size_t{gridDim.x} * per_block) {
        const std::size_t r = first + threadIdx.x / pull_lanes;
        const bool here = r < rows.ranks && !is_hub(rows, r);
        double sum = 0.0;
        if (here) {
            const std::size_t end = end_of(rows, r);
            for (std::size_t a = begin_of(rows, r) + lane; a < end; a += pull_lanes) {
                sum += weight_at(rows, a);
            }
        }
        sum = sum_of_lanes(sum);
        if (here && lane == 0) keep_degree(r, sum, degree, inverse, greatest);
    }
}

__global__ void __launch_bounds__(walk_threads)
    sum_hub_degrees(PlainRows rows, double* degree, double* inverse, Key* greatest) {
    REMANENCE_SHARED(double, held, hub_tile);
    for (std::uint32_t i = blockIdx.x; i < rows.hubs[0]; i += gridDim.x) {
        const std::size_t r = rows.hubs[1 + i];
        const double sum = sum_hub(
            rows, r, 1, held, [&](std::size_t a, std::uint32_t) { return weight_at(rows, a); });
        if (threadIdx.x == 0) keep_degree(r, sum, degree, inverse, greatest);
    }
}

__global__ void __launch_bounds__(walk_threads)
    start_walks(WalkColumns c, const std::uint32_t* ranks, std::uint32_t count) {
    const std::size_t items = std::size_t{count} * c.width;
    for (std::size_t i = std::size_t{blockIdx.x} * walk_threads + threadIdx.x; i < items;
         i += std::size_t{gridDim.x} * walk_threads) {
        const auto at = static_cast<std::uint32_t>(i / c.width);
        c.mass[std::size_t{ranks[at]} * c.width + i % c.width] = c.share[i];
        if (i % c.width == 0) c.place[ranks[at]] = at + 1;
    }
}

/// Masses over degrees, and the mass of nodes without arcs.
template <class T>
__global__ void __launch_bounds__(walk_threads) hand_over(WalkColumns c, T* scaled) {
    const std::size_t stride = std::size_t{gridDim.x} * walk_threads;
    const std::size_t items = std::size_t{c.ranks} * c.width;
    for (std::size_t i = std::size_t{blockIdx.x} * walk_threads + threadIdx.x; i < items;
         i += stride) {
        const double inverse = c.inverse[i / c.width];
        const double mass = c.mass[i];
        scaled[i] = static_cast<T>(mass * inverse);
        if (inverse == 0.0 && mass != 0.0) atomicAdd(c.lost + i % c.width, counted(mass));
    }
}

/// What one lane pulls from a row for question q: arc i adds to lane i mod 4.
template <class T>
__device__ double pull_lane(const WalkColumns& c, std::size_t row, std::uint32_t q, unsigned lane,
                            const T* scaled) {
    double sum = 0.0;
    const std::size_t end = end_of(c.rows, row);
    for (std::size_t a = begin_of(c.rows, row) + lane; a < end; a += pull_lanes) {
        sum += weight_at(c.rows, a) *
               static_cast<double>(scaled[std::size_t{c.rows.to[a]} * c.width + q]);
    }
    return sum;
}

/// The mass that returns to the seeds of a question.
__device__ inline double returned(const WalkColumns& c, std::uint32_t q) {
    const double lost = static_cast<double>(c.lost[q]) / mass_unit;
    return (1.0 - c.damping) + c.damping * lost;
}

/// A row's new mass for one question; by how much it changed.
__device__ inline Key keep_mass(const WalkColumns& c, std::size_t row, std::uint32_t q, double back,
                                double sum) {
    double next = c.damping * sum;
    const std::uint32_t place = c.place[row];
    if (place != 0) next += back * c.share[std::size_t{place - 1} * c.width + q];
    double& mass = c.mass[row * c.width + q];
    const Key change = counted(fabs(next - mass));
    mass = next;
    return change;
}

/// New masses: four threads for each row and question. The strides are multiples of 16 questions,
/// so that a thread stays with one question and adds up its changes.
template <class T>
__global__ void __launch_bounds__(walk_threads) pull_rows(WalkColumns c, const T* scaled) {
    REMANENCE_SHARED(Key, moved, most_walks);
    if (threadIdx.x < most_walks) moved[threadIdx.x] = 0;
    __syncthreads();
    constexpr unsigned per_block = walk_threads / pull_lanes;
    const unsigned lane = threadIdx.x % pull_lanes;
    const std::size_t items = std::size_t{c.ranks} * c.width;
    const std::uint32_t q = threadIdx.x / pull_lanes % c.width;
    const bool open = c.open[q] != 0;
    const auto shift = static_cast<unsigned>(__ffs(c.width) - 1);  // a power of two
    const double back = returned(c, q);
    Key change = 0;
    for (std::size_t first = std::size_t{blockIdx.x} * per_block; first < items;
         first += std::size_t{gridDim.x} * per_block) {
        const std::size_t i = first + threadIdx.x / pull_lanes;
        const std::size_t row = i >> shift;
        const bool here = open && i < items && !is_hub(c.rows, row);
        double sum = here ? pull_lane(c, row, q, lane, scaled) : 0.0;
        sum = sum_of_lanes(sum);
        if (here && lane == 0) change += keep_mass(c, row, q, back, sum);
    }
    if (change != 0) atomicAdd(moved + q, change);
    __syncthreads();
    if (threadIdx.x < c.width && moved[threadIdx.x] != 0) {
        atomicAdd(c.moved + threadIdx.x, moved[threadIdx.x]);
    }
}

/// New masses of hubs: a block for each row and all questions.
template <class T>
__global__ void __launch_bounds__(walk_threads) pull_hubs(WalkColumns c, const T* scaled) {
    REMANENCE_SHARED(double, held, hub_tile);
    const std::uint32_t q = threadIdx.x / pull_lanes;
    const bool adds = threadIdx.x % pull_lanes == 0 && q < c.width && c.open[q] != 0;
    const double back = adds ? returned(c, q) : 0.0;
    Key change = 0;
    for (std::uint32_t i = blockIdx.x; i < c.rows.hubs[0]; i += gridDim.x) {
        const std::size_t row = c.rows.hubs[1 + i];
        const double sum =
            sum_hub(c.rows, row, c.width, held, [&](std::size_t a, std::uint32_t of) {
                const std::size_t at = std::size_t{c.rows.to[a]} * c.width + of;
                return weight_at(c.rows, a) * static_cast<double>(scaled[at]);
            });
        if (adds) change += keep_mass(c, row, q, back, sum);
    }
    if (change != 0) atomicAdd(c.moved + q, change);
}

/// Closes the walks that are near enough and makes the counters ready for the next round.
__global__ void __launch_bounds__(32) end_round(WalkColumns c) {
    const unsigned q = threadIdx.x;
    if (q >= c.width) return;
    const double change = static_cast<double>(c.moved[q]) / mass_unit;
    if (c.open[q] != 0 && change * c.damping <= c.change) {
        c.open[q] = 0;
        atomicAdd(c.open + c.width, ~0U);  // one less
    }
    c.lost[q] = 0;
    c.moved[q] = 0;
}

}  // namespace remanence::cuda
