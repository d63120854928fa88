// The exact fused scan: bound every row by its cell and its code, then score what may still be
// among the best. search.cpp runs it, seed.cpp finds what comes first, scan_block.cpp bounds
// blocks, scattered.cpp bounds few rows of many, ahead.cpp asks memory for them, refine.cpp
// decides what waits.
#pragma once

#include <atomic>
#include <span>
#include <vector>

#include "cpu/block.hpp"
#include "cpu/questions.hpp"
#include "cpu/words.hpp"

namespace remanence::cpu {

inline constexpr std::size_t most_questions = 128;  // their bounds of a block stay in cache

class Scan {
public:
    Scan(const ScanPlan* plans, std::size_t count, int workers);
    void run(std::vector<ScanAnswer>& answers);

private:
    /// Questions [first, end) of a scan.
    struct Range {
        std::size_t first;
        std::size_t end;
    };
    void prepare_codes();
    void list_cells(Question& question);
    void list_some(const Question& question, CellProducts& one) const;
    void multiply_cells(Range some);
    void bound_sides(const Question& question);
    const SideBound* side_of(const Question& question, std::uint32_t row) const;
    void pass_filters();
    bool holds(const Question& question, std::size_t segment) const;
    bool any_holds(std::size_t segment) const;
    bool any_passes(std::uint32_t block) const;
    void pass(const Question& question, const Block& b, Share& share) const;
    void bound_nothing();
    Array<float> bound_strips(std::size_t q);
    float* most_of(std::size_t q, std::uint32_t row) {
        return most_.data() + (row / block_rows * questions_.size() + q) * (block_rows / 64);
    }
    std::vector<std::uint32_t> promising(const Question& question,
                                         const Array<float>& promise) const;
    void seed();
    bool scattered() const;
    void scan_scattered();
    void bound_task(std::uint32_t first, std::vector<Candidate>& found,
                    std::vector<std::uint32_t>& left) const;
    void bound_some(const Candidate* some, std::size_t count, Share& share);
    void scan_blocks();
    /// Whether products of all questions with a block's codes may be taken at once.
    bool together() const { return questions_.size() >= least_matrix_questions && matrix_unit(); }
    void scan_block(const Block& whole, Range asked, Worker& worker);
    bool plan_block(const Block& b, Range asked, Worker& worker);
    void find_above(const Block& b, Range asked, Worker& worker);
    void drop_by_words(const Block& b, std::size_t q, Share& share);
    Block wanted(const Block& b, Worker& worker) const;
    static void ask_for_strips(const Block& b, const Worker& worker);
    static void ask_ahead(const Block& b, Range asked, Worker& worker);
    void fill_sides(const Block& b, Range asked, Worker& worker);
    void bound_block(const Block& b, std::span<const std::uint32_t> some, Range asked,
                     Worker& worker);
    void ask_codes(std::size_t q, std::uint32_t strips, Worker& worker) const;
    bool reach_out(const Block& b, std::size_t q, std::size_t leader, Worker& worker);
    void collect(const Block& b, std::size_t q, Worker& worker);
    void collect_all(const Block& b, std::size_t q, Worker& worker);
    void bound_few(const Block& b, std::size_t q, Worker& worker);
    void refine(std::size_t q, Share& share);
    void refine_run(const Question& question, const Candidate* from, std::size_t count,
                    Share& share) const;
    void score_block(const Block& b, std::size_t q, Worker& worker);
    void tighten(std::size_t q, Share& share);
    void score(std::size_t q, const Candidate* from, std::size_t count, Best& best);
    void finish();
    void gather(std::size_t q);

    const Columns& columns_;
    std::vector<std::uint32_t> encoded_;    ///< [segment] rows that have a code
    std::vector<std::atomic<float>> bars_;  ///< [question]
    std::vector<Question> questions_;
    std::vector<Worker> workers_;
    Array<float> most_;  ///< [block][question][16] what a strip's rows score at most, words apart
    std::vector<std::int8_t> rounded_;  ///< rotated queries in tiles, as CodeQuestions has them
    std::size_t stride_ = 0;
};

}  // namespace remanence::cpu
