// Launches of every kernel; compiled by nvcc for devices and by g++ for the emulator.

#include <algorithm>
#include <type_traits>
#include <variant>

#include "cuda/kernels/cover.cuh"
#include "cuda/kernels/decay.cuh"
#include "cuda/kernels/scan.cuh"
#include "cuda/kernels/walk.cuh"
#include "cuda/launch.hpp"

namespace remanence::cuda {
namespace {

/// Blocks of `threads` for `items`, but no more than keep the device busy: kernels stride.
unsigned grid(std::size_t items, std::size_t per_block) {
    const std::size_t wanted = (items + per_block - 1) / per_block;
    return static_cast<unsigned>(std::clamp<std::size_t>(wanted, 1, std::size_t{processors()} * 8));
}

template <class T>
void launch_decay(const DecayLaw& law, const DecayPointers<T>& c, TimeNs now, std::size_t count,
                  T* out, const Stream& stream) {
    const unsigned blocks = grid(count, decay_threads);
    std::visit(
        [&](const auto& exact) {
            using Law = std::decay_t<decltype(exact)>;
            if constexpr (std::is_same_v<Law, PowerTrace>) {
                TraceNumbers numbers{power_trace_constants(exact.d), {}};
                std::copy_n(power_trace_weights(exact.d), power_trace_size, numbers.weights);
                REMANENCE_LAUNCH((decay_traces<T>), blocks, decay_threads, 0, stream.handle(),
                                 numbers, c, now, count, out);
            } else {
                REMANENCE_LAUNCH((decay_column<Law, T>), blocks, decay_threads, 0, stream.handle(),
                                 exact, c, now, count, out);
            }
        },
        law);
}

template <class T>
void launch_walk_round(const WalkColumns& c, T* scaled, const Stream& stream) {
    const std::size_t items = std::size_t{c.ranks} * c.width;
    REMANENCE_LAUNCH((hand_over<T>), grid(items, walk_threads), walk_threads, 0, stream.handle(), c,
                     scaled);
    REMANENCE_LAUNCH((pull_rows<T>), grid(items, walk_threads / pull_lanes), walk_threads, 0,
                     stream.handle(), c, scaled);
    REMANENCE_LAUNCH((pull_hubs<T>), 2 * processors(), walk_threads, 0, stream.handle(), c, scaled);
    REMANENCE_LAUNCH(end_round, 1, 32, 0, stream.handle(), c);
}

}  // namespace

void run_cover_block(const CoverColumns& c, std::uint32_t first, std::uint32_t count,
                     const Stream& stream) {
    // The more may be kept, the more blocks take turns at it.
    const unsigned teams = (count + cover_halves - 1) / cover_halves;
    const unsigned turns = std::clamp(first / 256, 1U, std::max(1U, 16 * processors() / teams));
    if (first > 0) {
        REMANENCE_LAUNCH(meet_kept, teams * turns, cover_threads, 0, stream.handle(), c, first,
                         count);
    }
    REMANENCE_LAUNCH(meet_block, grid(std::size_t{count} * cover_words, cover_halves),
                     cover_threads, 0, stream.handle(), c, first, count);
    REMANENCE_LAUNCH(settle_block, 1, 32, 0, stream.handle(), c, first, count);
}

void run_sum_degrees(const PlainRows& rows, double* degree, double* inverse, Key* greatest,
                     const Stream& stream) {
    REMANENCE_LAUNCH(sum_degrees, grid(rows.ranks, walk_threads / pull_lanes), walk_threads, 0,
                     stream.handle(), rows, degree, inverse, greatest);
    REMANENCE_LAUNCH(sum_hub_degrees, 2 * processors(), walk_threads, 0, stream.handle(), rows,
                     degree, inverse, greatest);
}

void run_find_hubs(const PlainRows& rows, std::uint32_t* hubs, const Stream& stream) {
    REMANENCE_LAUNCH(find_hubs, grid(rows.active, walk_threads), walk_threads, 0, stream.handle(),
                     rows, hubs);
}

void run_start_walks(const WalkColumns& c, const std::uint32_t* ranks, std::uint32_t count,
                     const Stream& stream) {
    REMANENCE_LAUNCH(start_walks, grid(std::size_t{count} * c.width, walk_threads), walk_threads, 0,
                     stream.handle(), c, ranks, count);
}

void run_walk_round(const WalkColumns& c, float* scaled, const Stream& stream) {
    launch_walk_round(c, scaled, stream);
}

void run_walk_round(const WalkColumns& c, double* scaled, const Stream& stream) {
    launch_walk_round(c, scaled, stream);
}

void run_decay(const DecayLaw& law, const DecayPointers<float>& columns, TimeNs now,
               std::size_t count, float* out, const Stream& stream) {
    launch_decay(law, columns, now, count, out, stream);
}

void run_decay(const DecayLaw& law, const DecayPointers<double>& columns, TimeNs now,
               std::size_t count, double* out, const Stream& stream) {
    launch_decay(law, columns, now, count, out, stream);
}

void run_check_histories(const TimeNs* times, std::size_t time_count, const std::int64_t* offsets,
                         std::size_t count, Key* wrong, const Stream& stream) {
    REMANENCE_LAUNCH(check_histories, grid(count, decay_threads), decay_threads, 0, stream.handle(),
                     times, time_count, offsets, count, wrong);
}

float score_of(Key key) {
    const auto bits = static_cast<std::uint32_t>(key >> 32U);
    const std::uint32_t plain = (bits >> 31U) != 0 ? bits & 0x7FFF'FFFFU : ~bits;
    float score = 0.0F;
    std::memcpy(&score, &plain, sizeof score);
    return score;
}

void run_add_word(const Rows& rows, const Word& word, float base, float slope, float* lexical,
                  const Stream& stream) {
    REMANENCE_LAUNCH(add_word, grid(word.count, scan_threads), scan_threads, 0, stream.handle(),
                     rows, word.list, word.count, word.weight, base, slope, lexical);
}

void run_clear_word(const Word& word, float* lexical, const Stream& stream) {
    REMANENCE_LAUNCH(clear_word, grid(word.count, scan_threads), scan_threads, 0, stream.handle(),
                     word.list, word.count, lexical);
}

void run_make_centre(const SegmentColumns& s, std::uint32_t first, std::uint32_t end,
                     std::uint32_t padded, const Stream& stream) {
    REMANENCE_LAUNCH(make_centre, (padded + 127) / 128, 128, 0, stream.handle(), s, first, end,
                     padded);
}

void run_encode_rows(const SegmentColumns& s, std::uint32_t first, std::uint32_t end,
                     const Rows& rows, const Stream& stream) {
    const std::size_t bytes = std::size_t{encode_warps} * rows.dim * sizeof(float);
    REMANENCE_LAUNCH(encode_rows, grid(end - first, encode_warps), 32 * encode_warps, bytes,
                     stream.handle(), s, first, end, rows.dim, rows.padded, rows.code_words);
}

void run_encode_question(const float* query, const Rows& rows, const CodeQuestion& out,
                         const Stream& stream) {
    REMANENCE_LAUNCH(encode_question, 1, 32, rows.dim * sizeof(float), stream.handle(), query,
                     rows.dim, rows.code_words, out);
    REMANENCE_LAUNCH(meet_centres, rows.segment_count, 32, 0, stream.handle(), rows, query, out);
}

void run_scan(bool coded, const Rows& rows, const Question* question, const CodeQuestion& codes,
              std::uint32_t first_block, std::uint32_t blocks, const Values& out,
              const Stream& stream) {
    if (coded) {
        REMANENCE_LAUNCH((scan_rows<true>), blocks, scan_threads, 0, stream.handle(), rows,
                         question, codes, first_block, out);
    } else {
        REMANENCE_LAUNCH((scan_rows<false>), blocks, scan_threads, 0, stream.handle(), rows,
                         question, codes, first_block, out);
    }
}

void run_select_bar(const KeyList& list, std::uint32_t keep, std::uint32_t* bar,
                    const Stream& stream) {
    REMANENCE_LAUNCH(select_bar, 1, select_threads, 0, stream.handle(), list.keys, list.count,
                     list.counted, keep, bar);
}

void run_start_bar(Counters* counters, bool exact, const Stream& stream) {
    REMANENCE_LAUNCH(start_bar, 1, 1, 0, stream.handle(), counters, exact);
}

void run_refine(const Rows& rows, const Question* question, const KeyList& list,
                const float* gathered, Counters* counters, bool seeds, const Stream& stream) {
    REMANENCE_LAUNCH(refine, grid(list.count, scan_threads / 16), scan_threads, 0, stream.handle(),
                     rows, question, list.keys, list.count, list.counted, gathered, counters,
                     seeds);
}

void run_collect(std::uint32_t rows, const Values& values, const Question* question,
                 Key* candidates, const Stream& stream) {
    REMANENCE_LAUNCH(collect, grid(rows, block_rows), scan_threads, 0, stream.handle(), rows,
                     values, question, candidates);
}

void run_keep_best(const Key* candidates, Counters* counters, Key* kept, const Stream& stream) {
    REMANENCE_LAUNCH(keep_best, processors() * 2, scan_threads, 0, stream.handle(), candidates,
                     counters, kept);
}

}  // namespace remanence::cuda

#include "cuda/kernels_batch.inl"
#include "cuda/kernels_graph.inl"
