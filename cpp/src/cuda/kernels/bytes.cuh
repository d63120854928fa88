// Codes of one byte for each dimension, in the order in which the tensor cores take them.
//
// x = step a + r with whole numbers a of at most 127: for a question q = step' b + r' the cosine is
// step step' <a, b> + <r', x> + <step' b, r>, and by Cauchy and Schwarz the last two are at most
// |r'| |x| and |step' b| |r|. Nothing here is drawn at random: the bounds always hold.
#pragma once

#include <cmath>

#include "cuda/kernels/codes.cuh"

namespace remanence::cuda {

inline constexpr unsigned byte_warps = 8;
inline constexpr std::uint32_t tile_rows = 32;  // that a warp takes at a time

/// Where dimensions d .. d + 3 of row r stand: rows in sixteens, dimensions in chunks of 32, then
/// the lanes of a warp with four words each.
__device__ inline std::size_t word_of_row(std::uint32_t r, std::uint32_t d, std::uint32_t chunks) {
    const std::uint32_t lane = r % 8 * 4 + d % 16 / 4;
    const std::uint32_t word = r % 16 / 8 + 2 * (d % chunk_dims / 16);
    return ((static_cast<std::size_t>(r / 16) * chunks + d / chunk_dims) * 32 + lane) * 4 + word;
}

/// Likewise of question n, in groups of 64 with two words for each lane.
__device__ inline std::size_t word_of_question(std::uint32_t n, std::uint32_t d,
                                               std::uint32_t chunks) {
    const std::uint32_t lane = n % 8 * 4 + d % 16 / 4;
    const std::size_t chunk =
        static_cast<std::size_t>(n / question_group) * chunks + d / chunk_dims;
    return ((chunk * 8 + n % question_group / 8) * 32 + lane) * 2 + d % chunk_dims / 16;
}

/// Queries as the processor makes them, half a warp for each: unit vectors without the centre.
__global__ void __launch_bounds__(32 * byte_warps)
    prepare_queries(const float* raw, std::uint32_t count, std::uint32_t dim, std::uint32_t padded,
                    const float* centre, float* queries, std::uint32_t* fault) {
    const unsigned lane = threadIdx.x % 16;
    const unsigned mask = threadIdx.x % 32 < 16 ? 0x0000'FFFFU : 0xFFFF'0000U;
    constexpr std::uint32_t halves = 2 * byte_warps;
    for (std::uint32_t n = blockIdx.x * halves + threadIdx.x / 16; n < count;
         n += gridDim.x * halves) {
        const float* const source = raw + static_cast<std::size_t>(n) * dim;
        float* const query = queries + static_cast<std::size_t>(n) * padded;
        bool fine = false;
        bool finite = true;
        float sum = 0.0F;
        for (std::uint32_t j = lane; j < dim; j += 16) {  // a store without vectors pads none
            const float x = source[j];
            const float size = fabsf(x);
            finite = finite && size <= 1e15F;
            fine = fine || size >= 1e-15F;
            sum = sum + x * x;
        }
        for (unsigned width = 8; width != 0; width /= 2) {
            const float other = __shfl_xor_sync(mask, sum, width);
            sum = sum + other;
        }
        const bool good =
            (__ballot_sync(mask, fine) & mask) != 0 && (__ballot_sync(mask, !finite) & mask) == 0;
        if (!good && lane == 0) atomicMax(fault, n + 1);
        const float norm = sqrtf(sum);
        for (std::uint32_t j = lane; j < padded; j += 16) {
            const float x = (j < dim ? source[j] : 0.0F) / norm;
            query[j] = centre != nullptr && j < dim ? x - centre[j] : x;
        }
    }
}

/// What a warp knows of a vector that it turned into bytes.
struct Bytes {
    float step;
    float lost;   ///< |r|, rounded up
    float whole;  ///< |step a|, rounded up
};

/// The bytes of a vector by one warp; `put(d, word)` takes four at a time.
template <class Put>
__device__ Bytes make_bytes(const float* x, std::uint32_t padded, std::uint32_t chunks,
                            unsigned lane, Put put) {
    float reach = 0.0F;
    for (std::uint32_t d = lane; d < padded; d += 32) {
        const float size = fabsf(x[d]);
        reach = size > reach ? size : reach;
    }
    const float step = warp_greatest(reach) / 127.0F;
    float lost = 0.0F;
    float whole = 0.0F;
    for (std::uint32_t d = 4 * lane; d < chunks * chunk_dims; d += 128) {
        std::uint32_t word = 0;
        for (std::uint32_t i = 0; i < 4; ++i) {
            const float value = d + i < padded ? x[d + i] : 0.0F;
            float rounded = step > 0.0F ? rintf(value / step) : 0.0F;
            rounded = rounded > 127.0F ? 127.0F : rounded < -127.0F ? -127.0F : rounded;
            const float held = rounded * step;
            lost += (value - held) * (value - held);
            whole += held * held;
            word |= (static_cast<std::uint32_t>(static_cast<int>(rounded)) & 0xFFU) << 8 * i;
        }
        put(d, word);
    }
    lost = warp_sum(lost);
    whole = sqrtf(warp_sum(whole)) * 1.0001F;
    return {step, sqrtf(lost) * 1.0001F + 1e-6F * whole, whole};
}

/// Bytes of the rows [first, end) of a segment, one warp for each. A row without a vector gets
/// zeros.
__global__ void __launch_bounds__(32 * byte_warps)
    encode_bytes(SegmentColumns s, std::uint32_t first, std::uint32_t end, std::uint32_t padded,
                 std::uint32_t chunks) {
    const unsigned lane = threadIdx.x % 32;
    for (std::uint32_t r = first + blockIdx.x * byte_warps + threadIdx.x / 32; r < end;
         r += gridDim.x * byte_warps) {
        const bool vector = (s.flags[r] & flag::has_vector) != 0;
        const Bytes made = make_bytes(vector_of(s, r, padded), vector ? padded : 0, chunks, lane,
                                      [&](std::uint32_t d, std::uint32_t word) {
                                          s.bytes[word_of_row(r, d, chunks)] = word;
                                      });
        if (lane == 0) {
            s.byte_step[r] = made.step;
            s.byte_lost[r] = made.lost;
        }
    }
}

/// Bytes and numbers of the questions of a batch, one warp for each; those that fill up the last
/// group never reach a level.
__global__ void __launch_bounds__(32 * byte_warps) encode_questions(Batch batch, float cosine) {
    const unsigned lane = threadIdx.x % 32;
    const std::uint32_t groups = (batch.count + question_group - 1) / question_group;
    for (std::uint32_t n = blockIdx.x * byte_warps + threadIdx.x / 32; n < groups * question_group;
         n += gridDim.x * byte_warps) {
        const float* const query = batch.queries + static_cast<std::size_t>(n) * batch.padded;
        const Bytes made = make_bytes(query, n < batch.count ? batch.padded : 0, batch.chunks, lane,
                                      [&](std::uint32_t d, std::uint32_t word) {
                                          batch.bytes[word_of_question(n, d, batch.chunks)] = word;
                                      });
        if (lane != 0) continue;
        ByteQuestion& q = batch.numbers[n];
        const float size = fabsf(cosine);
        q.factor = cosine * made.step;
        q.along = size * made.whole * 1.0001F;
        q.fixed = size * made.lost * 1.0001F;
        q.level = INFINITY;
        if (n < batch.count) batch.slack[n] = 1e-5F * (1.0F + size * (1.0F + 2.0F * made.whole));
    }
}

}  // namespace remanence::cuda
