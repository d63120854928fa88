// A plan as numbers and lists that kernels read.
#pragma once

#include "core/scan.hpp"
#include "cuda/layout.hpp"
#include "cuda/runtime.hpp"

namespace remanence::cuda {

/// Device memory for the lists of one question at a time.
class QuestionLists {
public:
    /// Everything but the words; the next call takes the memory over.
    Question put(const ScanPlan& plan, const Stream& stream);

private:
    Buffer<std::uint8_t> scopes_;
    Buffer<std::uint64_t> allowed_;
    Buffer<std::uint32_t> excluded_;
    Buffer<PastState> past_;
    Buffer<TimeNs> dates_;
    Buffer<float> query_;
};

}  // namespace remanence::cuda
