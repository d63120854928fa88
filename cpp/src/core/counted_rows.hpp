// The rows that a question's statistics count: those it may see, of the kind it asks for.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/scan.hpp"

namespace remanence {

/// Found by blocks, so that a scope of few rows costs what these cost: all live rows of a block
/// count where its scopes are all seen and nothing happened there since the commit asked for.
class CountedRows {
public:
    explicit CountedRows(const ScanPlan& plan);
    /// How many of them hold a word.
    std::size_t holding(const Postings& postings) const;

private:
    /// Rows [first, end), whole blocks.
    struct Part {
        std::uint32_t first;
        std::uint32_t end;
        bool all_live;
    };
    std::size_t live_holding(const Postings& postings, const Part& part) const;
    bool counts(std::uint32_t row) const;
    std::uint64_t live(std::uint32_t row) const;

    const ScanPlan& plan_;
    std::vector<Part> parts_;
};

}  // namespace remanence
