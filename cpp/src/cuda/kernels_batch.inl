// Launches of the batch's kernels.
#include "cuda/kernels/batch.cuh"

namespace remanence::cuda {
namespace {

constexpr std::size_t most_bytes = 96U << 10U;  // two blocks share a multiprocessor
constexpr std::size_t fixed_bytes = 4 * question_group * sizeof(ByteQuestion);

std::size_t group_bytes(std::uint32_t chunks) {
    return std::size_t{chunks} * chunk_dims * question_group;
}

void launch_bounds(bool sample, const Rows& rows, const Batch& batch, std::uint32_t tiles,
                   const Stream& stream) {
    const std::uint32_t groups = (batch.count + question_group - 1) / question_group;
    std::uint32_t across = 4;
    while (across > 1 &&
           (across / 2 >= groups || across * group_bytes(batch.chunks) > most_bytes)) {
        across /= 2;
    }
    const std::uint32_t columns = (groups + across - 1) / across;
    const std::uint32_t down = batch_warps / across;
    const std::size_t bytes = across * group_bytes(batch.chunks);
    const std::uint32_t wanted = (tiles + down - 1) / down;
    const std::uint32_t most = std::max(1U, processors() * 2 / columns);
    const dim3 blocks(columns, std::min(wanted, most));
    if (sample) {
        REMANENCE_ALLOW_SHARED(bound_sample, bytes);
        REMANENCE_LAUNCH(bound_sample, blocks, batch_threads, bytes, stream.handle(), rows, batch,
                         across, tiles);
    } else {
        REMANENCE_ALLOW_SHARED(bound_rows, bytes);
        REMANENCE_LAUNCH(bound_rows, blocks, batch_threads, bytes, stream.handle(), rows, batch,
                         across, tiles);
    }
}

}  // namespace

bool batch_fits(std::uint32_t chunks) {
    return group_bytes(chunks) + fixed_bytes <= block_memory();
}

void run_encode_bytes(const SegmentColumns& s, std::uint32_t first, std::uint32_t end,
                      const Rows& rows, const Stream& stream) {
    REMANENCE_LAUNCH(encode_bytes, grid(end - first, byte_warps), 32 * byte_warps, 0,
                     stream.handle(), s, first, end, rows.padded, rows.chunks);
}

void run_prepare_queries(const float* raw, const VectorQuestions& questions, std::uint32_t padded,
                         const float* centre, float* queries, std::uint32_t* fault,
                         const Stream& stream) {
    const auto count = static_cast<std::uint32_t>(questions.count);
    REMANENCE_LAUNCH(prepare_queries, grid(count, byte_warps), 32 * byte_warps, 0, stream.handle(),
                     raw, count, static_cast<std::uint32_t>(questions.dim), padded, centre, queries,
                     fault);
}

void run_find_sides(const Rows& rows, const Question* question, float* side, Counters* counters,
                    const Stream& stream) {
    REMANENCE_LAUNCH(find_sides, (rows.count + block_rows - 1) / block_rows, scan_threads, 0,
                     stream.handle(), rows, question, side, counters);
}

void run_bounds(const Rows& rows, const Batch& batch, float cosine, bool vectors_here,
                const Stream& stream) {
    REMANENCE_LAUNCH(encode_questions, grid(batch.count + question_group, byte_warps),
                     32 * byte_warps, 0, stream.handle(), batch, cosine);
    launch_bounds(true, rows, batch, batch.sampled / tile_rows, stream);
    const auto many = [&](std::uint32_t items) {
        return dim3(std::min(grid(items, scan_threads), 1 + processors() * 32 / batch.count),
                    batch.count);
    };
    if (batch.words != nullptr) {
        REMANENCE_LAUNCH(bound_words, many(batch.most_places), scan_threads, 0, stream.handle(),
                         rows, batch);
    }
    REMANENCE_LAUNCH(set_levels, batch.count, select_threads, 0, stream.handle(), rows, batch,
                     cosine, vectors_here);
    launch_bounds(false, rows, batch, (batch.rows + tile_rows - 1) / tile_rows, stream);
    if (batch.words != nullptr) {
        REMANENCE_LAUNCH(drop_words, many(batch.room), scan_threads, 0, stream.handle(), batch);
        REMANENCE_LAUNCH(note_words, many(batch.most_places), scan_threads, 0, stream.handle(),
                         batch);
    }
    REMANENCE_LAUNCH(narrow, batch.count, select_threads, 0, stream.handle(), batch);
}

void run_score_kept(const Rows& rows, const Batch& batch, float cosine, const float* gathered,
                    const std::uint32_t* offset, const Stream& stream) {
    REMANENCE_LAUNCH(score_kept, dim3(4, batch.count), scan_threads, 0, stream.handle(), rows,
                     batch, cosine, gathered, offset);
}

void run_choose(const Batch& batch, const Stream& stream) {
    REMANENCE_LAUNCH(choose, batch.count, select_threads, 0, stream.handle(), batch);
}

void run_put_in_order(const Rows& rows, const Batch& batch, std::uint32_t k, Id* ids, float* scores,
                      const Stream& stream) {
    REMANENCE_LAUNCH(put_in_order, batch.count, select_threads, 0, stream.handle(), rows, batch, k,
                     ids, scores);
}

}  // namespace remanence::cuda
