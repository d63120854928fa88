// The fused scan: bounds or scores of all rows, a bar, the rows above it, their exact scores.
#pragma once

#include "cuda/kernels/codes.cuh"
#include "cuda/launch.hpp"

namespace remanence::cuda {

inline constexpr unsigned scan_threads = 256;
inline constexpr unsigned select_threads = 256;

__device__ inline Key key_of(float score, std::uint32_t row) {
    return static_cast<Key>(ordered(score)) << 32U | row;
}

/// BM25 of one word: every row occurs at most once in its list, so the words are added in order.
__global__ void __launch_bounds__(scan_threads)
    add_word(Rows rows, const Posting* list, std::uint32_t count, float weight, float base,
             float slope, float* lexical) {
    for (std::uint32_t i = blockIdx.x * blockDim.x + threadIdx.x; i < count;
         i += gridDim.x * blockDim.x) {
        const Posting p = list[i];
        const SegmentColumns& s = rows.segments[p.row / segment_rows];
        const float length = base + slope * static_cast<float>(s.words[p.row % segment_rows]);
        const auto times = static_cast<float>(p.count);
        lexical[p.row] = lexical[p.row] + weight * (times / (times + length));
    }
}

/// Sets the rows of a list back to zero: cheaper than clearing all rows.
__global__ void __launch_bounds__(scan_threads)
    clear_word(const Posting* list, std::uint32_t count, float* lexical) {
    for (std::uint32_t i = blockIdx.x * blockDim.x + threadIdx.x; i < count;
         i += gridDim.x * blockDim.x) {
        lexical[list[i].row] = 0.0F;
    }
}

__device__ inline Key warp_greatest_key(Key key) {
    for (unsigned width = 16; width != 0; width /= 2) {
        const Key other = __shfl_xor_sync(all_lanes, key, width);
        key = other > key ? other : key;
    }
    return key;
}

/// Adds the weighted cosine to the rows of a tile of scan_threads, half a warp for each row.
__device__ inline void add_cosines(const SegmentColumns& s, const Question& q, std::uint32_t padded,
                                   std::uint32_t first, float* score, const std::uint8_t* wanted) {
    const unsigned lane = threadIdx.x % 16;
    const unsigned mask = threadIdx.x % 32 < 16 ? 0x0000'FFFFU : 0xFFFF'0000U;
    for (std::uint32_t i = threadIdx.x / 16; i < scan_threads; i += scan_threads / 16) {
        if (wanted[i] == 0) continue;
        const float* const x = vector_of(s, first + i, padded);
        const float cosine = canonical_dot(q.query, x, padded, lane, mask);
        if (lane == 0) score[i] = score[i] + q.cosine * cosine;
    }
}

/// Values of the blocks [first_block, first_block + gridDim): bounds where `coded` and the block
/// has codes, else exact scores.
template <bool coded>
__global__ void __launch_bounds__(scan_threads)
    scan_rows(Rows rows, const Question* question, CodeQuestion codes, std::uint32_t first_block,
              Values out) {
    REMANENCE_SHARED(float, score, scan_threads);
    REMANENCE_SHARED(std::uint8_t, wanted, scan_threads);
    REMANENCE_SHARED(Key, best, scan_threads / 32);
    REMANENCE_SHARED(std::uint32_t, planes, coded ? most_code_dim / 32 * code_planes : 1);
    REMANENCE_SHARED(float, numbers, 4);
    const unsigned tid = threadIdx.x;
    const Question& q = *question;
    const std::uint32_t block = first_block + blockIdx.x;
    const std::uint32_t first = block * block_rows;
    const std::uint32_t segment = first / segment_rows;
    const SegmentColumns& s = rows.segments[segment];
    const std::uint32_t within = first % segment_rows;
    const BlockSummary sum = s.blocks[within / block_rows];
    const bool bounds = coded && within + block_rows <= s.encoded;
    const bool cosine = q.query != nullptr && sum.vectors != 0;
    if (coded) {
        for (std::uint32_t i = tid; i < rows.code_words * code_planes; i += scan_threads) {
            planes[i] = codes.planes[i];
        }
        if (tid < 4) numbers[tid] = codes.numbers[tid];
        __syncthreads();
    }
    Key greatest = 0;
    int passed = 0;
    for (std::uint32_t tile = 0; tile < block_rows && first + tile < rows.count;
         tile += scan_threads) {
        const std::uint32_t row = first + tile + tid;
        const std::uint32_t r = within + tile + tid;
        const bool pass = row < rows.count && block_may_pass(sum, q) && passes(s, sum, r, row, q);
        const bool vector = pass && cosine && (s.flags[r] & flag::has_vector) != 0;
        float value = pass ? side_score(s, sum, r, row, q, lexical_at(q, row)) : 0.0F;
        if (coded && bounds && vector) {
            value = value + q.cosine * cosine_bound(s, r, rows.code_words, planes, numbers,
                                                    codes.centre[segment]);
        }
        passed += __syncthreads_count(pass);
        if (cosine && !bounds) {
            score[tid] = value;
            wanted[tid] = vector ? 1 : 0;
            __syncthreads();
            add_cosines(s, q, rows.padded, within + tile, score, wanted);
            __syncthreads();
            value = score[tid];
        }
        const Key key = pass ? key_of(value, row) : 0;
        if (row < rows.count) out.value[row] = static_cast<std::uint32_t>(key >> 32U);
        const Key of_group = warp_greatest_key(key);
        if (tid % 32 == 0 && row < rows.count) out.group[row / group_rows] = of_group;
        greatest = of_group > greatest ? of_group : greatest;
        __syncthreads();  // the next tile writes to `score` and `wanted` again
    }
    if (tid % 32 == 0) best[tid / 32] = greatest;
    __syncthreads();
    if (tid == 0) {
        for (unsigned w = 1; w < scan_threads / 32; ++w) {
            greatest = best[w] > greatest ? best[w] : greatest;
        }
        out.block[block] = greatest;
        atomicAdd(&out.counters->scanned, static_cast<unsigned long long>(passed));
    }
}

/// The keep-th greatest of the values that `value(i)` gives, or 0 where fewer are not 0; to be
/// called by a whole block. Four rounds, each of which settles eight bits.
template <class Value>
__device__ std::uint32_t select_in_block(Value value, std::uint32_t count, std::uint32_t keep,
                                         std::uint32_t* histogram, std::uint32_t* state) {
    if (threadIdx.x == 0) {
        state[0] = 0;  // the bits settled so far
        state[1] = keep;
    }
    for (int shift = 24; shift >= 0; shift -= 8) {
        for (unsigned i = threadIdx.x; i < 256; i += select_threads) histogram[i] = 0;
        __syncthreads();
        const std::uint32_t settled = state[0];
        for (std::uint32_t i = threadIdx.x; i < count; i += select_threads) {
            const std::uint32_t score = value(i);
            const bool same = shift == 24 || score >> (shift + 8) == settled >> (shift + 8);
            if (score != 0 && same) atomicAdd(&histogram[score >> shift & 255U], 1U);
        }
        __syncthreads();
        if (threadIdx.x == 0) {
            std::uint32_t left = state[1];
            int digit = 255;
            while (digit > 0 && histogram[digit] < left) left -= histogram[digit--];
            const bool enough = histogram[digit] >= left;
            state[0] = enough ? settled | static_cast<std::uint32_t>(digit) << shift : 0;
            state[1] = enough ? left : 0xFFFF'FFFFU;
        }
        __syncthreads();
    }
    return state[1] == 0xFFFF'FFFFU ? 0 : state[0];
}

/// The ordered score of the keep-th greatest key into `bar`, or 0 where there are fewer. One block.
__global__ void __launch_bounds__(select_threads)
    select_bar(const Key* keys, std::uint32_t fixed_count, const std::uint32_t* counted,
               std::uint32_t keep, std::uint32_t* bar) {
    REMANENCE_SHARED(std::uint32_t, histogram, 256);
    REMANENCE_SHARED(std::uint32_t, state, 2);
    const std::uint32_t count = counted != nullptr ? *counted : fixed_count;
    const std::uint32_t found =
        select_in_block([&](std::uint32_t i) { return static_cast<std::uint32_t>(keys[i] >> 32U); },
                        count, keep, histogram, state);
    if (threadIdx.x == 0) *bar = found;
}

/// The exact score of one row by half a warp; `vector` is null where the row has none.
__device__ inline float exact_score(const Rows& rows, const Question& q, std::uint32_t row,
                                    const float* gathered, unsigned lane, unsigned mask) {
    const SegmentColumns& s = rows.segments[row / segment_rows];
    const std::uint32_t r = row % segment_rows;
    float sum = side_score(s, s.blocks[r / block_rows], r, row, q, lexical_at(q, row));
    if (q.query != nullptr && (s.flags[r] & flag::has_vector) != 0) {
        const float* const x = gathered != nullptr ? gathered : vector_of(s, r, rows.padded);
        sum = sum + q.cosine * canonical_dot(q.query, x, rows.padded, lane, mask);
    }
    return sum;
}

/// A key in whose place its half of a warp will write: one lane reads it and tells the others.
__device__ inline Key read_by_half(const Key* at, unsigned lane, unsigned mask) {
    return __shfl_sync(mask, lane == 0 ? *at : 0, threadIdx.x % 32 & 16U);
}

/// Exact scores of the keys in a list, into the list itself; with `bar`, only of those at or above
/// seed_bar, and the least of them goes there. `gathered` holds their vectors where the device
/// does not.
__global__ void __launch_bounds__(scan_threads)
    refine(Rows rows, const Question* question, Key* keys, std::uint32_t fixed_count,
           const std::uint32_t* counted, const float* gathered, Counters* counters, bool seeds) {
    const unsigned lane = threadIdx.x % 16;
    const unsigned mask = threadIdx.x % 32 < 16 ? 0x0000'FFFFU : 0xFFFF'0000U;
    const std::uint32_t count = counted != nullptr ? *counted : fixed_count;
    const std::uint32_t halves = gridDim.x * (scan_threads / 16);
    for (std::uint32_t i = blockIdx.x * (scan_threads / 16) + threadIdx.x / 16; i < count;
         i += halves) {
        const Key key = read_by_half(keys + i, lane, mask);
        if (seeds && (key == 0 || static_cast<std::uint32_t>(key >> 32U) < counters->seed_bar)) {
            continue;
        }
        const auto row = static_cast<std::uint32_t>(key & 0xFFFF'FFFFU);
        const float* const x =
            gathered != nullptr ? gathered + static_cast<std::size_t>(i) * rows.padded : nullptr;
        const float score = exact_score(rows, *question, row, x, lane, mask);
        if (lane != 0) continue;
        if (seeds) {
            atomicMin(&counters->bar, ordered(score));
        } else {
            keys[i] = key_of(score, row);
        }
    }
}

/// The bar of an exact scan is the k-th best score itself; else it starts above all scores.
__global__ void start_bar(Counters* counters, bool exact) {
    counters->bar = exact || counters->seed_bar == 0 ? counters->seed_bar : 0xFFFF'FFFFU;
}

/// Appends one key for each lane that has one, with a single atomic for the warp.
__device__ inline void append(Key key, bool has, std::uint32_t* count, Key* list) {
    const unsigned votes = __ballot_sync(all_lanes, has);
    if (votes == 0) return;
    const unsigned lane = threadIdx.x % 32;
    std::uint32_t at = 0;
    if (lane == 0) at = atomicAdd(count, static_cast<std::uint32_t>(__popc(votes)));
    at = __shfl_sync(all_lanes, at, 0);
    if (has) list[at + static_cast<std::uint32_t>(__popc(votes & ((1U << lane) - 1U)))] = key;
}

/// Appends every row whose value may reach the bar; the slack covers the bounds' own rounding.
__global__ void __launch_bounds__(scan_threads)
    collect(std::uint32_t count, Values values, const Question* question, Key* candidates) {
    const float slack = question->slack;
    const std::uint32_t blocks = (count + block_rows - 1) / block_rows;
    Counters* const c = values.counters;
    std::uint32_t bar = c->bar;
    if (slack > 0.0F && bar != 0) {
        const float score = from_ordered(bar);
        bar = ordered(score - slack - 1e-5F * fabsf(score));
    }
    for (std::uint32_t block = blockIdx.x; block < blocks; block += gridDim.x) {
        const auto greatest = static_cast<std::uint32_t>(values.block[block] >> 32U);
        if (greatest == 0 || greatest < bar) continue;
        for (std::uint32_t i = threadIdx.x; i < block_rows; i += scan_threads) {
            const std::uint32_t row = block * block_rows + i;
            const std::uint32_t value = row < count ? values.value[row] : 0;
            const Key key = static_cast<Key>(value) << 32U | row;
            append(key, value != 0 && value >= bar, &c->candidates, candidates);
        }
    }
}

/// Keeps the candidates at or above the bar, which is the k-th best exact score by now.
__global__ void __launch_bounds__(scan_threads)
    keep_best(const Key* candidates, Counters* counters, Key* kept) {
    const std::uint32_t count = counters->candidates;
    const std::uint32_t padded = (count + 31) / 32 * 32;
    for (std::uint32_t i = blockIdx.x * blockDim.x + threadIdx.x; i < padded;
         i += gridDim.x * blockDim.x) {
        const Key key = i < count ? candidates[i] : 0;
        const bool good = key != 0 && static_cast<std::uint32_t>(key >> 32U) >= counters->bar;
        append(key, good, &counters->kept, kept);
    }
}

}  // namespace remanence::cuda
