// One question at a time, by the one-bit codes or exactly.
#pragma once

#include <vector>

#include "cuda/launch.hpp"
#include "cuda/mirror.hpp"
#include "cuda/question.hpp"

namespace remanence::cuda {

class SingleSearch {
public:
    SingleSearch(Mirror& mirror, const Stream& stream) : mirror_(mirror), stream_(stream) {}
    /// The `keep` best rows of a store that the mirror follows.
    ScanAnswer search(const ScanPlan& plan, std::size_t keep);

private:
    /// All that the launches of a question are given: questions of one shape differ in what lies in
    /// the device's memory alone.
    struct Shape {
        Rows rows;
        std::uint32_t keep = 0;
        bool coded = false;
        const void *query = nullptr, *question = nullptr, *planes = nullptr, *numbers = nullptr,
                   *values = nullptr, *greatest = nullptr, *candidates = nullptr,
                   *results = nullptr;
        bool operator==(const Shape&) const = default;
    };

    void reserve(std::uint32_t rows);
    void prepare(const ScanPlan& plan);
    void add_words(const ScanPlan& plan);
    void scan(const ScanPlan& plan, std::uint32_t keep);
    void scan_blocks(const Columns& columns);
    void enqueue(const Columns& columns, std::uint32_t keep);
    void seed_bar(const Columns& columns, std::uint32_t keep);
    void refine_candidates(const Columns& columns);
    ScanAnswer fetch(const Columns& columns, std::size_t keep);
    std::vector<Key> keys_at(const Key* device, std::size_t count);
    Counters counters_now();
    bool coded(const ScanPlan& plan, std::size_t keep) const;

    Mirror& mirror_;
    const Stream& stream_;
    Question question_{};
    bool coded_ = false;
    std::vector<Word> words_;

    Buffer<Question> question_at_;
    QuestionLists lists_;
    Buffer<Posting> postings_;
    Buffer<float> lexical_;
    Buffer<std::uint32_t> planes_;
    Buffer<float> code_numbers_;
    Buffer<std::uint32_t> value_;
    Buffer<Key> greatest_;  ///< of groups, then of blocks
    Buffer<Key> candidates_;
    Buffer<std::byte> results_;  ///< the counters, then the keys kept
    Values values_{};
    CodeQuestion codes_{};
    Key* kept_ = nullptr;
    Shape shape_;  ///< of the last question
    Recording recording_;
};

}  // namespace remanence::cuda
