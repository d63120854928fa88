// Words of a batch: the rows that hold them are bounded apart from the others, words included.
//
// A word's rows are few, so no list of all rows is made: whether and how often a row holds it is
// found in the word's own list.
#pragma once

#include <cfloat>

#include "cuda/kernels/bytes.cuh"
#include "cuda/kernels/scan.cuh"

namespace remanence::cuda {

/// How often a row holds a word.
__device__ inline std::uint32_t times_of(const Word& word, std::uint32_t row) {
    const std::uint32_t at =
        find_row(word.list, word.count, row, [](const Posting& p) { return p.row; });
    return at == word.count ? 0 : word.list[at].count;
}

__device__ inline float length_of(const SegmentColumns& s, std::uint32_t r,
                                  const QuestionWords& q) {
    return q.base + q.slope * static_cast<float>(s.words[r]);
}

__device__ inline float add_times(float sum, const Word& word, std::uint32_t count, float length) {
    const auto times = static_cast<float>(count);
    return sum + word.weight * (times / (times + length));
}

/// All terms but the cosine of a row that passes.
__device__ inline float side_of(const Rows& rows, const Batch& batch, std::uint32_t n,
                                std::uint32_t row) {
    if (batch.words == nullptr) return batch.side[row];
    const QuestionWords& q = batch.words[n];
    const SegmentColumns& s = rows.segments[row / segment_rows];
    const std::uint32_t r = row % segment_rows;
    const float length = length_of(s, r, q);
    float lexical = 0.0F;
    bool holds = false;
    for (std::uint32_t w = 0; w < q.count; ++w) {
        const std::uint32_t count = times_of(q.words[w], row);
        if (count == 0) continue;
        lexical = add_times(lexical, q.words[w], count, length);
        holds = true;
    }
    if (!holds) return batch.side[row];
    return side_score(s, s.blocks[r / block_rows], r, row, *batch.question, &lexical);
}

/// Likewise of the row at place `at` of word `own`; -inf where it does not pass or counts at an
/// earlier word.
__device__ inline float side_at(const Rows& rows, const Batch& batch, const QuestionWords& q,
                                std::uint32_t own, std::uint32_t at) {
    const Posting p = q.words[own].list[at];
    if (!(batch.side[p.row] > -FLT_MAX)) return -INFINITY;
    for (std::uint32_t w = 0; w < own; ++w) {
        if (times_of(q.words[w], p.row) != 0) return -INFINITY;
    }
    const SegmentColumns& s = rows.segments[p.row / segment_rows];
    const std::uint32_t r = p.row % segment_rows;
    const float length = length_of(s, r, q);
    float lexical = add_times(0.0F, q.words[own], p.count, length);
    for (std::uint32_t w = own + 1; w < q.count; ++w) {
        const std::uint32_t count = times_of(q.words[w], p.row);
        if (count != 0) lexical = add_times(lexical, q.words[w], count, length);
    }
    return side_score(s, s.blocks[r / block_rows], r, p.row, *batch.question, &lexical);
}

/// How many places the words of a question have, and the lower bounds there.
__device__ inline std::uint32_t places_of_words(const Batch& batch, std::uint32_t n) {
    return batch.words == nullptr ? 0 : batch.words[n].places;
}
__device__ inline const std::uint32_t* lows_of_words(const Batch& batch, std::uint32_t n) {
    return batch.word_lows + batch.words[n].first;
}

/// Takes a row out of the sample of a question: its words are not in the bound there.
__device__ inline void leave_sample(const Batch& batch, std::uint32_t n, std::uint32_t row) {
    const std::uint32_t tile = row / tile_rows;
    if (tile % batch.stride != 0) return;
    const std::uint32_t at = tile / batch.stride * tile_rows + row % tile_rows;
    batch.sample[static_cast<std::size_t>(n) * batch.sampled + at] = 0;
}

/// sum + <a, b> of four bytes each.
__device__ inline std::int32_t add_dot_of_bytes(std::uint32_t a, std::uint32_t b,
                                                std::int32_t sum) {
#if defined(REMANENCE_EMULATED)
    for (unsigned i = 0; i < 4; ++i) sum += emu::byte_of(a, i) * emu::byte_of(b, i);
    return sum;
#else
    return __dp4a(static_cast<int>(a), static_cast<int>(b), sum);
#endif
}

/// A lane's part of the product of a row's bytes and a question's: four lanes add up to it.
__device__ inline std::int32_t dot_of_bytes(const SegmentColumns& s, std::uint32_t r,
                                            const Batch& batch, std::uint32_t n, unsigned part) {
    std::int32_t sum = 0;
    for (std::uint32_t d = 4 * part; d < batch.chunks * chunk_dims; d += 16) {
        sum = add_dot_of_bytes(s.bytes[word_of_row(r, d, batch.chunks)],
                               batch.bytes[word_of_question(n, d, batch.chunks)], sum);
    }
    return sum;
}

/// Bounds of the rows that hold a word: a lane for each row's side terms, four for its bytes.
__global__ void __launch_bounds__(scan_threads) bound_words(Rows rows, Batch batch) {
    const std::uint32_t n = blockIdx.y;
    const QuestionWords& q = batch.words[n];
    const ByteQuestion numbers = batch.numbers[n];
    const unsigned lane = threadIdx.x % 32;
    const std::uint32_t first = blockIdx.x * scan_threads + threadIdx.x - lane;
    std::uint32_t place = q.first;
    for (std::uint32_t w = 0; w < q.count; ++w) {
        const Word word = q.words[w];
        for (std::uint32_t from = first; from < word.count; from += gridDim.x * scan_threads) {
            const bool here = from + lane < word.count;
            const std::uint32_t row = here ? word.list[from + lane].row : 0;
            const float side = here ? side_at(rows, batch, q, w, from + lane) : -INFINITY;
            if (side > -FLT_MAX) leave_sample(batch, n, row);
            for (unsigned turn = 0; turn < 4; ++turn) {
                const unsigned of = 8 * turn + lane / 4;
                const std::uint32_t its_row = __shfl_sync(all_lanes, row, of);
                const float its_side = __shfl_sync(all_lanes, side, of);
                const bool counts = its_side > -FLT_MAX;
                const SegmentColumns& s = rows.segments[its_row / segment_rows];
                const std::uint32_t r = its_row % segment_rows;
                std::int32_t sum = counts ? dot_of_bytes(s, r, batch, n, lane % 4) : 0;
                sum += __shfl_xor_sync(all_lanes, sum, 1U);
                sum += __shfl_xor_sync(all_lanes, sum, 2U);
                if (lane % 4 != 0 || from + of >= word.count) continue;
                const float middle =
                    its_side + static_cast<float>(sum) * s.byte_step[r] * numbers.factor;
                const float reach = numbers.along * s.byte_lost[r] + numbers.fixed;
                batch.word_keys[place + from + of] = counts ? key_of(middle + reach, its_row) : 0;
                batch.word_lows[place + from + of] = counts ? ordered(middle - reach) : 0;
            }
        }
        place += word.count;
    }
}

/// Takes the rows that hold a word out of the candidates: their bounds there lack the words.
__global__ void __launch_bounds__(scan_threads) drop_words(Batch batch) {
    const std::uint32_t n = blockIdx.y;
    const QuestionWords& q = batch.words[n];
    const std::uint32_t count = batch.counts[n];
    if (count > batch.room) return;
    for (std::uint32_t i = blockIdx.x * scan_threads + threadIdx.x; i < count;
         i += gridDim.x * scan_threads) {
        const std::size_t at = static_cast<std::size_t>(n) * batch.room + i;
        const auto row = static_cast<std::uint32_t>(batch.keys[at] & 0xFFFF'FFFFU);
        for (std::uint32_t w = 0; w < q.count; ++w) {
            if (times_of(q.words[w], row) == 0) continue;
            batch.keys[at] = 0;
            batch.lows[at] = 0;
            break;
        }
    }
}

/// Adds those of them to the candidates that may reach the level with their words.
__global__ void __launch_bounds__(scan_threads) note_words(Batch batch) {
    const std::uint32_t n = blockIdx.y;
    const QuestionWords& q = batch.words[n];
    const float level = batch.numbers[n].level + batch.numbers[n].fixed;
    for (std::uint32_t i = blockIdx.x * scan_threads + threadIdx.x; i < q.places;
         i += gridDim.x * scan_threads) {
        const Key key = batch.word_keys[q.first + i];
        if (key == 0 || from_ordered(static_cast<std::uint32_t>(key >> 32U)) < level) continue;
        const std::uint32_t at = atomicAdd(&batch.counts[n], 1U);
        if (at >= batch.room) continue;
        const std::size_t place = static_cast<std::size_t>(n) * batch.room + at;
        batch.keys[place] = key;
        batch.lows[place] = batch.word_lows[q.first + i];
    }
}

}  // namespace remanence::cuda
