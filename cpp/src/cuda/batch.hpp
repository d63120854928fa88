// Many questions of one filter at a time, by the tensor cores.
#pragma once

#include <vector>

#include "cuda/launch.hpp"
#include "cuda/mirror.hpp"
#include "cuda/words.hpp"

namespace remanence::cuda {

/// Fewer questions are asked one after another: they read a sixth of the bytes.
inline constexpr std::size_t least_batch = 8;

class BatchSearch {
public:
    /// Whether so many rows of a store can be wanted of each question.
    static bool applies(const Rows& rows, std::size_t keep);
    /// The side terms of all rows; `question` lies on the device.
    void start(const Rows& rows, const Question* question, Counters* counters,
               const Stream& stream);
    /// How many questions may be asked at a time.
    std::size_t most(const Mirror& mirror, std::size_t keep) const;
    /// The best rows of each question [count][padded], into `found()`; `plans` are those that may
    /// have words, or none.
    void ask(const Columns& columns, Mirror& mirror, const float* queries, std::size_t count,
             const std::vector<const ScanPlan*>& plans, std::size_t keep, float cosine,
             const Stream& stream);
    const Batch& found() const { return batch_; }
    /// The rows found as keys, in no order, and the questions that found too many.
    std::vector<std::vector<Key>> fetch(std::vector<std::size_t>& failed, const Stream& stream);
    /// The questions that found too many.
    std::vector<std::size_t> failures(const Stream& stream);

private:
    void reserve(const Rows& rows, std::size_t count, std::size_t keep);
    void score_from_host(const Columns& columns, Mirror& mirror, float cosine,
                         const Stream& stream);

    Batch batch_{};
    const Question* question_ = nullptr;
    BatchWords words_;
    Buffer<float> side_;
    Buffer<std::uint32_t> bytes_;
    Buffer<ByteQuestion> numbers_;
    Buffer<float> slack_;
    Buffer<std::uint32_t> sample_;
    Buffer<std::uint32_t> counts_;  ///< candidates, kept, best
    Buffer<Key> keys_;
    Buffer<std::uint32_t> lows_;
    Buffer<Key> kept_;
    Buffer<Key> best_;
    Buffer<std::uint32_t> offsets_;
};

}  // namespace remanence::cuda
