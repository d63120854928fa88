// Many questions of one filter: the side terms once, bounds by the tensor cores, exact scores of
// what may be among the best. No matrix of scores is written.
#pragma once

#include <cfloat>

#include "cuda/kernels/bytes.cuh"
#include "cuda/kernels/words.cuh"

namespace remanence::cuda {

inline constexpr unsigned batch_threads = 256;
inline constexpr unsigned batch_warps = batch_threads / 32;

/// All terms but words and cosine of every row, -inf where it does not pass, also beyond the last
/// row.
__global__ void __launch_bounds__(scan_threads)
    find_sides(Rows rows, const Question* question, float* side, Counters* counters) {
    const Question& q = *question;
    const std::uint32_t first = blockIdx.x * block_rows;
    const SegmentColumns& s = rows.segments[first / segment_rows];
    const std::uint32_t within = first % segment_rows;
    const BlockSummary sum = s.blocks[within / block_rows];
    int passed = 0;
    for (std::uint32_t at = threadIdx.x; at < block_rows; at += scan_threads) {
        const std::uint32_t row = first + at;
        const bool pass =
            row < rows.count && block_may_pass(sum, q) && passes(s, sum, within + at, row, q);
        side[row] = pass ? side_score(s, sum, within + at, row, q, nullptr) : -INFINITY;
        passed += __syncthreads_count(pass);
    }
    if (threadIdx.x == 0) {
        atomicAdd(&counters->scanned, static_cast<unsigned long long>(passed));
    }
}

/// A bound lowered by what rounding may have added to it.
__device__ inline float lowered(std::uint32_t bar, float slack) {
    if (bar == 0) return -FLT_MAX;  // no bar yet: every finite score counts
    const float score = from_ordered(bar);
    return score - 2.0F * slack - 2e-5F * fabsf(score);
}

/// Notes a candidate; few are found, so each lane counts for itself.
__device__ inline void note(const Batch& batch, std::uint32_t n, std::uint32_t row, float middle,
                            float reach) {
    const std::uint32_t at = atomicAdd(&batch.counts[n], 1U);
    if (at >= batch.room) return;
    const std::size_t place = static_cast<std::size_t>(n) * batch.room + at;
    batch.keys[place] = key_of(middle + reach, row);
    batch.lows[place] = ordered(middle - reach);
}

/// Four words at once.
__device__ inline void load_words(const std::uint32_t* from, std::uint32_t (&to)[4]) {
#if defined(REMANENCE_EMULATED)
    for (int i = 0; i < 4; ++i) to[i] = from[i];
#else
    const uint4 words = *reinterpret_cast<const uint4*>(from);
    to[0] = words.x;
    to[1] = words.y;
    to[2] = words.z;
    to[3] = words.w;
#endif
}

/// Bounds of one warp's 32 rows for 64 questions, whose bytes and numbers lie in shared memory.
template <bool sample>
__device__ void bound_tile(const Rows& rows, const Batch& batch, std::uint32_t tile,
                           std::uint32_t group, const std::uint32_t* bytes,
                           const ByteQuestion* numbers, unsigned lane) {
    const std::uint32_t first = (sample ? tile * batch.stride : tile) * tile_rows;
    const float side = batch.side[first + lane];
    const bool some = __ballot_sync(all_lanes, side > -FLT_MAX) != 0;
    if (!some) return;  // the sample was filled with zeros
    const SegmentColumns& s = rows.segments[first / segment_rows];
    const std::uint32_t r = first % segment_rows;
    const std::uint32_t* const low = s.bytes + word_of_row(r, 0, batch.chunks) + 4 * lane;
    const std::uint32_t* const high = s.bytes + word_of_row(r + 16, 0, batch.chunks) + 4 * lane;
    std::int32_t sums[2][8][4] = {};
    std::uint32_t a[2][4];
    load_words(low, a[0]);
    load_words(high, a[1]);
    for (std::uint32_t chunk = 0; chunk < batch.chunks; ++chunk) {
        std::uint32_t next[2][4] = {};  // on the way while these are multiplied
        if (chunk + 1 < batch.chunks) {
            load_words(low + (chunk + 1) * 128, next[0]);
            load_words(high + (chunk + 1) * 128, next[1]);
        }
        const std::uint32_t* const of_chunk = bytes + (chunk * 8 * 32 + lane) * 2;
        REMANENCE_UNROLL
        for (int column = 0; column < 8; ++column) {
            const std::uint32_t b[2] = {of_chunk[column * 64], of_chunk[column * 64 + 1]};
            multiply_bytes(a[0], b, sums[0][column]);
            multiply_bytes(a[1], b, sums[1][column]);
        }
        for (int i = 0; i < 4; ++i) {
            a[0][i] = next[0][i];
            a[1][i] = next[1][i];
        }
    }
    std::uint32_t* const of_sample =
        batch.sample + static_cast<std::size_t>(group) * batch.sampled + tile * tile_rows;
    float own_side[4], own_step[4], own_lost[4];  // of the lane's rows of the tile
    REMANENCE_UNROLL
    for (int part = 0; part < 4; ++part) {
        const unsigned of_tile = 8 * static_cast<unsigned>(part) + lane / 4;
        own_side[part] = __shfl_sync(all_lanes, side, of_tile);
        own_step[part] = s.byte_step[r + of_tile];
        own_lost[part] = s.byte_lost[r + of_tile];
    }
    REMANENCE_UNROLL
    for (int i = 0; i < 16; ++i) {
        const unsigned n = 8 * static_cast<unsigned>(i / 2) + lane % 4 * 2 + i % 2;
        const ByteQuestion q = numbers[n];
        REMANENCE_UNROLL
        for (int part = 0; part < 4; ++part) {
            const auto sum = static_cast<float>(sums[part / 2][i / 2][part % 2 * 2 + i % 2]);
            const float middle = own_side[part] + sum * own_step[part] * q.factor;
            const float reach = q.along * own_lost[part];
            const unsigned of_tile = 8 * static_cast<unsigned>(part) + lane / 4;
            if (sample) {
                if (group + n >= batch.count) continue;
                of_sample[n * batch.sampled + of_tile] = ordered(middle - reach - q.fixed);
            } else if (middle + reach >= q.level) {
                note(batch, group + n, first + of_tile, middle, reach + q.fixed);
            }
        }
    }
}

/// What a block does: it keeps the bytes of `across` groups of questions, and its warps take tiles
/// of rows. Blocks side by side take the same rows for other groups.
template <bool sample>
__device__ void bound_tiles(const Rows& rows, const Batch& batch, std::uint32_t across,
                            std::uint32_t tiles, std::uint32_t* bytes, ByteQuestion* numbers) {
    const std::uint32_t words = batch.chunks * 8 * 32 * 2;  // of one group
    const std::uint32_t groups = (batch.count + question_group - 1) / question_group;
    const std::uint32_t first_group = blockIdx.x * across;
    const std::uint32_t here = groups - first_group < across ? groups - first_group : across;
    const std::uint32_t* const source = batch.bytes + static_cast<std::size_t>(first_group) * words;
    for (std::uint32_t i = threadIdx.x; i < here * words; i += batch_threads) bytes[i] = source[i];
    for (std::uint32_t i = threadIdx.x; i < here * question_group; i += batch_threads) {
        numbers[i] = batch.numbers[first_group * question_group + i];
    }
    __syncthreads();
    const std::uint32_t warp = threadIdx.x / 32;
    const std::uint32_t own = warp % across;
    if (own >= here) return;
    const std::uint32_t down = batch_warps / across;
    for (std::uint32_t tile = blockIdx.y * down + warp / across; tile < tiles;
         tile += gridDim.y * down) {
        bound_tile<sample>(rows, batch, tile, (first_group + own) * question_group,
                           bytes + own * words, numbers + own * question_group, threadIdx.x % 32);
    }
}

/// Lower bounds of the sample's rows.
__global__ void __launch_bounds__(batch_threads)
    bound_sample(Rows rows, Batch batch, std::uint32_t across, std::uint32_t tiles) {
    REMANENCE_DYNAMIC_SHARED(std::uint32_t, bytes);
    REMANENCE_SHARED(ByteQuestion, numbers, 4 * question_group);
    bound_tiles<true>(rows, batch, across, tiles, bytes, numbers);
}

/// Candidates of all rows.
__global__ void __launch_bounds__(batch_threads, 2)
    bound_rows(Rows rows, Batch batch, std::uint32_t across, std::uint32_t tiles) {
    REMANENCE_DYNAMIC_SHARED(std::uint32_t, bytes);
    REMANENCE_SHARED(ByteQuestion, numbers, 4 * question_group);
    bound_tiles<false>(rows, batch, across, tiles, bytes, numbers);
}

/// The score of one row for one question by half a warp.
__device__ inline float batch_score(const Rows& rows, const Batch& batch, float cosine,
                                    std::uint32_t n, std::uint32_t row, float side,
                                    const float* gathered, unsigned lane, unsigned mask) {
    const SegmentColumns& s = rows.segments[row / segment_rows];
    const std::uint32_t r = row % segment_rows;
    float sum = side;
    if ((s.flags[r] & flag::has_vector) != 0) {
        const float* const x = gathered != nullptr ? gathered : vector_of(s, r, rows.padded);
        const float* const query = batch.queries + static_cast<std::size_t>(n) * rows.padded;
        sum = sum + cosine * canonical_dot(query, x, rows.padded, lane, mask);
    }
    return sum;
}

/// Sets the level of every question, one block for each: what the k-th best row of the sample and
/// of those with its words has at least, of the sample by its exact score where the vectors are
/// here, else by its bound.
__global__ void __launch_bounds__(select_threads)
    set_levels(Rows rows, Batch batch, float cosine, bool exact) {
    REMANENCE_SHARED(std::uint32_t, histogram, 256);
    REMANENCE_SHARED(std::uint32_t, state, 2);
    REMANENCE_SHARED(std::uint32_t, least, 1);
    const std::uint32_t n = blockIdx.x;
    const std::uint32_t* const lows = batch.sample + static_cast<std::size_t>(n) * batch.sampled;
    constexpr std::uint32_t nothing = 0x007F'FFFFU;  // what -inf is in order
    const std::uint32_t worded = places_of_words(batch, n);
    const std::uint32_t* const of_words = worded == 0 ? nullptr : lows_of_words(batch, n);
    const auto low = [&](std::uint32_t i) {
        if (i >= batch.sampled) return of_words[i - batch.sampled];
        return lows[i] > nothing ? lows[i] : 0;
    };
    std::uint32_t bar = select_in_block(low, batch.sampled + worded, batch.keep, histogram, state);
    if (threadIdx.x == 0) least[0] = bar == 0 || !exact ? bar : 0xFFFF'FFFFU;
    __syncthreads();
    const unsigned lane = threadIdx.x % 16;
    const unsigned mask = threadIdx.x % 32 < 16 ? 0x0000'FFFFU : 0xFFFF'0000U;
    for (std::uint32_t i = threadIdx.x / 16; exact && bar != 0 && i < batch.sampled;
         i += select_threads / 16) {
        if (lows[i] < bar) continue;
        const std::uint32_t row = i / tile_rows * batch.stride * tile_rows + i % tile_rows;
        const float score =
            batch_score(rows, batch, cosine, n, row, batch.side[row], nullptr, lane, mask);
        if (lane == 0) atomicMin(&least[0], ordered(score));
    }
    for (std::uint32_t i = threadIdx.x; exact && bar != 0 && i < worded; i += select_threads) {
        if (of_words[i] >= bar) atomicMin(&least[0], of_words[i]);
    }
    __syncthreads();
    if (threadIdx.x != 0) return;
    ByteQuestion& q = batch.numbers[n];
    bar = least[0];
    q.level = bar == 0 ? -FLT_MAX : lowered(bar, batch.slack[n]) - q.fixed;
}

/// Of the candidates those that the k-th best lower bound leaves, one block for each question.
__global__ void __launch_bounds__(select_threads) narrow(Batch batch) {
    REMANENCE_SHARED(std::uint32_t, histogram, 256);
    REMANENCE_SHARED(std::uint32_t, state, 2);
    REMANENCE_SHARED(std::uint32_t, kept, 1);
    const std::uint32_t n = blockIdx.x;
    const std::uint32_t count = batch.counts[n];
    if (count > batch.room) {
        if (threadIdx.x == 0) batch.kept_counts[n] = too_many;
        return;
    }
    const std::size_t place = static_cast<std::size_t>(n) * batch.room;
    const std::uint32_t bar =
        select_in_block([&](std::uint32_t i) { return batch.lows[place + i]; }, count, batch.keep,
                        histogram, state);
    if (threadIdx.x == 0) kept[0] = 0;
    __syncthreads();
    const float level = lowered(bar, batch.slack[n]);
    for (std::uint32_t i = threadIdx.x; i < count; i += select_threads) {
        const Key key = batch.keys[place + i];
        if (key == 0 || from_ordered(static_cast<std::uint32_t>(key >> 32U)) < level) continue;
        const std::uint32_t at = atomicAdd(&kept[0], 1U);
        if (at < batch.kept_room) {
            batch.kept[static_cast<std::size_t>(n) * batch.kept_room + at] = key;
        }
    }
    __syncthreads();
    if (threadIdx.x == 0) {
        batch.kept_counts[n] = kept[0] <= batch.kept_room ? kept[0] : too_many;
    }
}

/// Exact scores of what was kept, half a warp for each row. Where the device has no vectors,
/// `gathered` holds those of question n from offset[n] on; others wait for another launch.
__global__ void __launch_bounds__(scan_threads)
    score_kept(Rows rows, Batch batch, float cosine, const float* gathered,
               const std::uint32_t* offset) {
    const std::uint32_t n = blockIdx.y;
    const std::uint32_t count = batch.kept_counts[n];
    if (count == too_many || (gathered != nullptr && offset[n] == too_many)) return;
    const unsigned lane = threadIdx.x % 16;
    const unsigned mask = threadIdx.x % 32 < 16 ? 0x0000'FFFFU : 0xFFFF'0000U;
    Key* const kept = batch.kept + static_cast<std::size_t>(n) * batch.kept_room;
    for (std::uint32_t i = blockIdx.x * (scan_threads / 16) + threadIdx.x / 16; i < count;
         i += gridDim.x * (scan_threads / 16)) {
        const Key key = read_by_half(kept + i, lane, mask);
        const auto row = static_cast<std::uint32_t>(key & 0xFFFF'FFFFU);
        const float* const x =
            gathered == nullptr
                ? nullptr
                : gathered + (static_cast<std::size_t>(offset[n]) + i) * rows.padded;
        const float side = side_of(rows, batch, n, row);
        const float score = batch_score(rows, batch, cosine, n, row, side, x, lane, mask);
        if (lane == 0) kept[i] = key_of(score, row);
    }
}

/// The best of what was kept, ties at the last place included; one block for each question.
__global__ void __launch_bounds__(select_threads) choose(Batch batch) {
    REMANENCE_SHARED(std::uint32_t, histogram, 256);
    REMANENCE_SHARED(std::uint32_t, state, 2);
    REMANENCE_SHARED(std::uint32_t, found, 1);
    const std::uint32_t n = blockIdx.x;
    const std::uint32_t count = batch.kept_counts[n];
    if (count == too_many) {
        if (threadIdx.x == 0) batch.best_counts[n] = too_many;
        return;
    }
    const Key* const kept = batch.kept + static_cast<std::size_t>(n) * batch.kept_room;
    const std::uint32_t bar =
        select_in_block([&](std::uint32_t i) { return static_cast<std::uint32_t>(kept[i] >> 32U); },
                        count, batch.keep, histogram, state);
    if (threadIdx.x == 0) found[0] = 0;
    __syncthreads();
    for (std::uint32_t i = threadIdx.x; i < count; i += select_threads) {
        if (static_cast<std::uint32_t>(kept[i] >> 32U) < bar) continue;
        const std::uint32_t at = atomicAdd(&found[0], 1U);
        if (at < batch.best_room) {
            batch.best[static_cast<std::size_t>(n) * batch.best_room + at] = kept[i];
        }
    }
    __syncthreads();
    if (threadIdx.x == 0) {
        batch.best_counts[n] = found[0] <= batch.best_room ? found[0] : too_many;
    }
}

/// Ids and scores in order, [count][k], -1 and -inf where there are fewer rows; a row's place is
/// the number of those before it.
__global__ void __launch_bounds__(select_threads)
    put_in_order(Rows rows, Batch batch, std::uint32_t k, Id* ids, float* scores) {
    const std::uint32_t n = blockIdx.x;
    const std::uint32_t count = batch.best_counts[n] == too_many ? 0 : batch.best_counts[n];
    const Key* const best = batch.best + static_cast<std::size_t>(n) * batch.best_room;
    const auto id_of = [&](Key key) {
        const auto row = static_cast<std::uint32_t>(key & 0xFFFF'FFFFU);
        return rows.segments[row / segment_rows].id[row % segment_rows];
    };
    for (std::uint32_t i = threadIdx.x; i < count; i += select_threads) {
        const Key own = best[i];
        const Id id = id_of(own);
        std::uint32_t place = 0;
        for (std::uint32_t j = 0; j < count; ++j) {
            const auto score = static_cast<std::uint32_t>(best[j] >> 32U);
            const auto mine = static_cast<std::uint32_t>(own >> 32U);
            if (score > mine || (score == mine && id_of(best[j]) < id)) ++place;
        }
        if (place >= k) continue;
        ids[static_cast<std::size_t>(n) * k + place] = id;
        scores[static_cast<std::size_t>(n) * k + place] =
            from_ordered(static_cast<std::uint32_t>(own >> 32U));
    }
    for (std::uint32_t i = count + threadIdx.x; i < k; i += select_threads) {
        ids[static_cast<std::size_t>(n) * k + i] = -1;
        scores[static_cast<std::size_t>(n) * k + i] = -INFINITY;
    }
}

}  // namespace remanence::cuda
