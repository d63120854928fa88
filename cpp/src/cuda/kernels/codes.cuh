// One-bit codes made on the device from the vectors: a sixteenth of the bytes, and a bound.
//
// The theory is that of core/codes.hpp. The layout is the device's own, for words and population
// counts: a question's rotated coordinates are rounded at random to signed six-bit integers, and
// <u, s> is a sum of counts. Rounding at random keeps the sum unbiased, so by Hoeffding it is off
// by more than step * sqrt(dim ln(10^8) / 2) with a probability below 10^-8.
#pragma once

#include <cmath>

#include "cuda/kernels/row.cuh"

namespace remanence::cuda {

inline constexpr float code_deviations = 5.3F;  // normal tail 6e-8; asked once
inline constexpr unsigned encode_warps = 4;
inline constexpr int rotation_rounds = 3;

/// A fixed stream of random bits (SplitMix64; Steele, Lea & Flood 2014).
__device__ inline std::uint64_t random_bits(std::uint64_t index) {
    std::uint64_t z = (index + 1) * 0x9E3779B97F4A7C15ULL;
    z = (z ^ z >> 30U) * 0xBF58476D1CE4E5B9ULL;
    z = (z ^ z >> 27U) * 0x94D049BB133111EBULL;
    return z ^ z >> 31U;
}

/// The orthogonal Hadamard transform of 2^k values in shared memory, by one warp.
__device__ inline void turn(float* x, std::uint32_t size, unsigned lane) {
    for (std::uint32_t half = 1; half < size; half *= 2) {
        for (std::uint32_t i = lane; i < size / 2; i += 32) {
            const std::uint32_t low = i / half * 2 * half + i % half;
            const float a = x[low];
            const float b = x[low + half];
            x[low] = a + b;
            x[low + half] = a - b;
        }
        __syncwarp();
    }
    const float scale = 1.0F / sqrtf(static_cast<float>(size));
    for (std::uint32_t i = lane; i < size; i += 32) x[i] *= scale;
    __syncwarp();
}

/// Random signs, then transforms of the first and the last 2^k values, three times over.
__device__ inline void rotate(float* x, std::uint32_t dim, unsigned lane) {
    std::uint32_t window = 1;
    while (window * 2 <= dim) window *= 2;
    for (int round = 0; round < rotation_rounds; ++round) {
        for (std::uint32_t j = lane; j < dim; j += 32) {
            const auto index = static_cast<std::uint64_t>(round) * most_code_dim + j;
            if ((random_bits(index) & 1U) == 0) x[j] = -x[j];
        }
        __syncwarp();
        turn(x, window, lane);
        if (window != dim) turn(x + (dim - window), window, lane);
    }
}

__device__ inline float warp_sum(float x) {
    for (unsigned width = 16; width != 0; width /= 2) x += __shfl_xor_sync(all_lanes, x, width);
    return x;
}
__device__ inline float warp_greatest(float x) {
    for (unsigned width = 16; width != 0; width /= 2) {
        const float other = __shfl_xor_sync(all_lanes, x, width);
        x = other > x ? other : x;
    }
    return x;
}

/// The mean of the vectors of the rows [first, end) of a segment, one thread for each dimension.
/// Any point will do: it decides how close the bounds are, not whether they hold.
__global__ void __launch_bounds__(128)
    make_centre(SegmentColumns s, std::uint32_t first, std::uint32_t end, std::uint32_t padded) {
    const std::uint32_t j = blockIdx.x * blockDim.x + threadIdx.x;
    if (j >= padded) return;
    float sum = 0.0F;
    std::uint32_t counted = 0;
    for (std::uint32_t r = first; r < end; ++r) {
        if ((s.flags[r] & flag::has_vector) == 0) continue;
        sum += vector_of(s, r, padded)[j];
        ++counted;
    }
    s.centre[j] = counted != 0 ? sum / static_cast<float>(counted) : 0.0F;
}

/// Codes of the rows [first, end) of a segment, one warp for each. A row without a vector gets
/// scale and error 0.
__global__ void __launch_bounds__(32 * encode_warps)
    encode_rows(SegmentColumns s, std::uint32_t first, std::uint32_t end, std::uint32_t dim,
                std::uint32_t padded, std::uint32_t words) {
    REMANENCE_DYNAMIC_SHARED(float, room);
    const unsigned lane = threadIdx.x % 32;
    float* const o = room + threadIdx.x / 32 * dim;
    const std::uint32_t warps = gridDim.x * encode_warps;
    for (std::uint32_t r = first + blockIdx.x * encode_warps + threadIdx.x / 32; r < end;
         r += warps) {
        const bool vector = (s.flags[r] & flag::has_vector) != 0;
        const float* const x = vector_of(s, r, padded);
        for (std::uint32_t j = lane; j < dim; j += 32) o[j] = vector ? x[j] - s.centre[j] : 0.0F;
        __syncwarp();
        rotate(o, dim, lane);
        float square = 0.0F;
        float along = 0.0F;
        for (std::uint32_t j = lane; j < dim; j += 32) {
            square += o[j] * o[j];
            along += fabsf(o[j]);
        }
        square = warp_sum(square);
        along = warp_sum(along);
        for (std::uint32_t w = 0; w < words; ++w) {
            const std::uint32_t j = w * 32 + lane;
            const unsigned bits = __ballot_sync(all_lanes, j < dim && o[j] >= 0.0F);
            if (lane == 0) {
                s.code[(r / group_rows * words + w) * group_rows + r % group_rows] = bits;
            }
        }
        if (lane == 0) {
            const auto n = static_cast<float>(dim);
            const bool far = along > 1e-6F;  // else the row is the centre: its cosine is <q, c>
            const float scale = far ? square / along : 0.0F;
            const float across = far ? n - along * along / square : 0.0F;
            s.scale[r] = scale;
            // The float sums above are off by far less than the shares added here.
            s.error[r] = scale * sqrtf((across > 0.0F ? across : 0.0F) / (n - 1.0F) + 1e-5F);
        }
        __syncwarp();
    }
}

/// The question rotated and cut into planes of bits, by one warp.
__global__ void __launch_bounds__(32)
    encode_question(const float* query, std::uint32_t dim, std::uint32_t words, CodeQuestion out) {
    REMANENCE_DYNAMIC_SHARED(float, u);
    const unsigned lane = threadIdx.x;
    float square = 0.0F;
    for (std::uint32_t j = lane; j < dim; j += 32) {
        u[j] = query[j];
        square += u[j] * u[j];
    }
    square = warp_sum(square);
    __syncwarp();
    rotate(u, dim, lane);
    float reach = 0.0F;
    for (std::uint32_t j = lane; j < dim; j += 32) {
        const float size = fabsf(u[j]);
        reach = size > reach ? size : reach;
    }
    constexpr float most = static_cast<float>((1 << (code_planes - 1)) - 2);
    reach = warp_greatest(reach) / most;
    const float step = reach > 1e-30F ? reach : 1e-30F;
    float sum = 0.0F;
    for (std::uint32_t w = 0; w < words; ++w) {
        const std::uint32_t j = w * 32 + lane;
        int rounded = 0;
        if (j < dim) {
            const std::uint64_t bits = random_bits(most_code_dim * rotation_rounds + j);
            const float dither = static_cast<float>(bits >> 40U) * 0x1p-24F;
            rounded = static_cast<int>(floorf(u[j] / step + dither));
            sum += static_cast<float>(rounded);
        }
        for (unsigned p = 0; p < code_planes; ++p) {
            const unsigned plane = __ballot_sync(all_lanes, (rounded >> p & 1) != 0);
            if (lane == 0) out.planes[w * code_planes + p] = plane;
        }
    }
    sum = warp_sum(sum);
    if (lane == 0) {
        out.numbers[0] = step;
        out.numbers[1] = -sum * step;
        out.numbers[2] = sqrtf(square) * (code_deviations * 1.0001F);
        out.numbers[3] = step * sqrtf(static_cast<float>(dim) * 9.2104F);
    }
}

/// <q, c> of every segment with codes, one warp for each.
__global__ void __launch_bounds__(32)
    meet_centres(Rows rows, const float* query, CodeQuestion out) {
    const SegmentColumns& s = rows.segments[blockIdx.x];
    float sum = 0.0F;
    if (s.encoded != 0) {
        for (std::uint32_t j = threadIdx.x; j < rows.padded; j += 32) sum += query[j] * s.centre[j];
    }
    sum = warp_sum(sum);
    if (threadIdx.x == 0) out.centre[blockIdx.x] = sum;
}

/// An upper bound of the cosine of row r of a segment; see the head of this file.
__device__ inline float cosine_bound(const SegmentColumns& s, std::uint32_t r, std::uint32_t words,
                                     const std::uint32_t* planes, const float* numbers,
                                     float centre) {
    const std::uint32_t* const code = s.code + r / group_rows * words * group_rows + r % group_rows;
    int sum = 0;
    for (std::uint32_t w = 0; w < words; ++w) {
        const std::uint32_t bits = code[w * group_rows];
        const std::uint32_t* const plane = planes + w * code_planes;
        for (unsigned p = 0; p + 1 < code_planes; ++p) sum += __popc(bits & plane[p]) << p;
        sum -= __popc(bits & plane[code_planes - 1]) << (code_planes - 1);
    }
    const float along = 2.0F * static_cast<float>(sum) * numbers[0] + numbers[1] + numbers[3];
    return s.scale[r] * along + s.error[r] * numbers[2] + centre;
}

}  // namespace remanence::cuda
