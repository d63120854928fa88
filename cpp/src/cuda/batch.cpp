// Many questions of one filter at a time: memory, the order of the kernels, what comes home.
#include "cuda/batch.hpp"

#include <algorithm>

namespace remanence::cuda {
namespace {

constexpr std::size_t most_questions = 1024;
constexpr std::size_t most_bytes = std::size_t{1} << 30U;  // of the lists of one batch
constexpr std::uint32_t tile = 32;

std::uint32_t whole_blocks(std::uint32_t rows) {
    return (rows + block_rows - 1) / block_rows * block_rows;
}

/// How much of a store is looked at first, and how much room its answer needs: lists that are too
/// short cost a question its place in the batch, not its answer.
struct Sizes {
    std::uint32_t stride, sampled, room, kept_room, best_room;
    Sizes(std::uint32_t rows, std::size_t keep) {
        const std::uint32_t tiles = whole_blocks(rows) / tile;
        const std::size_t wanted = std::clamp<std::size_t>(rows / 32, 2048, 65'536);
        const auto sample = static_cast<std::uint32_t>(std::max(wanted, 64 * keep) / tile);
        stride = std::max(1U, tiles / sample);
        sampled = (tiles + stride - 1) / stride * tile;
        const auto within = [&](std::size_t most) {
            return static_cast<std::uint32_t>(std::min<std::size_t>(most, whole_blocks(rows)));
        };
        room = within(std::max<std::size_t>(16'384, 64 * keep));
        kept_room = within(std::max<std::size_t>(4096, 16 * keep));
        best_room = within(2 * keep + 64);
    }
    std::size_t bytes() const {
        return 4 * std::size_t{sampled} + (sizeof(Key) + 4) * std::size_t{room} +
               sizeof(Key) * (std::size_t{kept_room} + best_room);
    }
};

}  // namespace

bool BatchSearch::applies(const Rows& rows, std::size_t keep) {
    return rows.dim >= least_code_dim && batch_fits(rows.chunks) && keep * 64 <= rows.count;
}

void BatchSearch::start(const Rows& rows, const Question* question, Counters* counters,
                        const Stream& stream) {
    const std::uint32_t padded = whole_blocks(rows.count);
    if (side_.size() < padded) side_.reserve(padded + padded / 2);
    question_ = question;
    fill(counters, 0, sizeof(Counters), stream);
    run_find_sides(rows, question, side_.data(), counters, stream);
}

std::size_t BatchSearch::most(const Mirror& mirror, std::size_t keep) const {
    const Sizes sizes(mirror.rows().count, keep);
    const std::size_t fitting = most_bytes / sizes.bytes() / question_group * question_group;
    const std::size_t most = mirror.holds_vectors() ? most_questions : question_group;
    return std::clamp<std::size_t>(fitting, question_group, most);
}

void BatchSearch::reserve(const Rows& rows, std::size_t count, std::size_t keep) {
    const Sizes sizes(rows.count, keep);
    const std::size_t whole = (count + question_group - 1) / question_group * question_group;
    bytes_.reserve(whole * rows.chunks * (chunk_dims / 4));
    numbers_.reserve(whole);
    slack_.reserve(count);
    sample_.reserve(count * sizes.sampled);
    counts_.reserve(3 * count);
    keys_.reserve(count * sizes.room);
    lows_.reserve(count * sizes.room);
    kept_.reserve(count * sizes.kept_room);
    best_.reserve(count * sizes.best_room);
    batch_ = {static_cast<std::uint32_t>(count),
              static_cast<std::uint32_t>(keep),
              rows.count,
              rows.padded,
              rows.chunks,
              sizes.room,
              sizes.kept_room,
              sizes.best_room,
              sizes.stride,
              sizes.sampled,
              nullptr,
              bytes_.data(),
              numbers_.data(),
              slack_.data(),
              side_.data(),
              sample_.data(),
              counts_.data(),
              keys_.data(),
              lows_.data(),
              counts_.data() + count,
              kept_.data(),
              counts_.data() + 2 * count,
              best_.data(),
              question_};
}

void BatchSearch::ask(const Columns& columns, Mirror& mirror, const float* queries,
                      std::size_t count, const std::vector<const ScanPlan*>& plans,
                      std::size_t keep, float cosine, const Stream& stream) {
    const Rows& rows = mirror.rows();
    stream.synchronize();  // nothing may still read what is made larger
    reserve(rows, count, keep);
    batch_.queries = queries;
    words_.put(plans, batch_, stream);
    fill(batch_.sample, 0, count * batch_.sampled * sizeof(std::uint32_t), stream);
    fill(batch_.counts, 0, count * sizeof(std::uint32_t), stream);
    run_bounds(rows, batch_, cosine, mirror.holds_vectors(), stream);
    if (mirror.holds_vectors()) {
        run_score_kept(rows, batch_, cosine, nullptr, nullptr, stream);
    } else {
        score_from_host(columns, mirror, cosine, stream);
    }
    run_choose(batch_, stream);
}

/// Exact scores of what was kept by vectors of the host, as many questions at a time as their rows
/// fit the staging memory.
void BatchSearch::score_from_host(const Columns& columns, Mirror& mirror, float cosine,
                                  const Stream& stream) {
    std::vector<std::uint32_t> counts(batch_.count);
    download(counts.data(), batch_.kept_counts, counts.size() * sizeof(std::uint32_t), stream);
    std::vector<std::uint32_t> offsets(counts.size(), too_many);
    std::vector<std::uint32_t> rows;
    const auto score = [&] {
        if (rows.empty()) return;
        const float* const vectors = mirror.gather(columns, rows, stream);
        run_score_kept(mirror.rows(), batch_, cosine, vectors, offsets_.put(offsets, stream),
                       stream);
        offsets.assign(counts.size(), too_many);
        rows.clear();
    };
    for (std::size_t n = 0; n < counts.size(); ++n) {
        if (counts[n] == too_many || counts[n] == 0) continue;
        if (rows.size() + counts[n] > stage_rows) score();
        std::vector<Key> keys(counts[n]);
        download(keys.data(), batch_.kept + n * batch_.kept_room, keys.size() * sizeof(Key),
                 stream);
        offsets[n] = static_cast<std::uint32_t>(rows.size());
        for (const Key key : keys) rows.push_back(static_cast<std::uint32_t>(key));
    }
    score();
}

std::vector<std::size_t> BatchSearch::failures(const Stream& stream) {
    std::vector<std::uint32_t> counts(batch_.count);
    download(counts.data(), batch_.best_counts, counts.size() * sizeof(std::uint32_t), stream);
    std::vector<std::size_t> failed;
    for (std::size_t n = 0; n < counts.size(); ++n) {
        if (counts[n] == too_many) failed.push_back(n);
    }
    return failed;
}

std::vector<std::vector<Key>> BatchSearch::fetch(std::vector<std::size_t>& failed,
                                                 const Stream& stream) {
    std::vector<std::uint32_t> counts(batch_.count);
    download(counts.data(), batch_.best_counts, counts.size() * sizeof(std::uint32_t), stream);
    std::vector<Key> all(std::size_t{batch_.count} * batch_.best_room);
    download(all.data(), batch_.best, all.size() * sizeof(Key), stream);
    std::vector<std::vector<Key>> found(counts.size());
    for (std::size_t n = 0; n < counts.size(); ++n) {
        if (counts[n] == too_many) {
            failed.push_back(n);
            continue;
        }
        const auto first = all.begin() + static_cast<std::ptrdiff_t>(n * batch_.best_room);
        found[n].assign(first, first + counts[n]);
    }
    return found;
}

}  // namespace remanence::cuda
