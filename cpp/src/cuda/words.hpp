// The words of the questions of a batch on the device.
#pragma once

#include <vector>

#include "cuda/launch.hpp"

namespace remanence::cuda {

class BatchWords {
public:
    /// How many of the questions, from the first on, have words that fit a batch; at least one.
    static std::size_t fitting(const std::vector<const ScanPlan*>& plans);
    /// Lists and room for the words of a batch's questions; nothing where none has any.
    void put(const std::vector<const ScanPlan*>& plans, Batch& batch, const Stream& stream);

private:
    Buffer<Posting> postings_;
    Buffer<Word> words_;
    Buffer<QuestionWords> questions_;
    Buffer<Key> keys_;
    Buffer<std::uint32_t> lows_;
};

}  // namespace remanence::cuda
