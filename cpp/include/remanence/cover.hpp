// Which rows stand for which: the greedy cover by which forgetting finds what it may demote.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "remanence/export.hpp"
#include "remanence/types.hpp"

namespace remanence {

/// Rows as columns of one length; all but the vectors may be left empty.
struct CoverRows {
    View<const float> vectors;  ///< [rows, dim]; only their directions count
    std::size_t dim = 0;
    View<const std::uint8_t> pinned;   ///< not 0: stands for itself whatever is near; empty = none
    View<const float> uses;            ///< weighted accesses, at least 0; empty = 0
    View<const float> prior;           ///< nats that the content alone earns; empty = 0
    View<const std::uint32_t> groups;  ///< a row stands for rows of its own group; empty = one
};

/// For each row the row that stands for it; a row that is kept stands for itself. Rows are taken by
/// pin, then by prior + 2 ln(1 + uses) descending, then by number. A row is kept if it is pinned or
/// if no kept row of its group has a cosine of at least `cosine` to it; else the first of those
/// stands for it. Kept rows that are not pinned are pairwise farther apart, so a cover of what is
/// kept keeps all. Nothing is dropped. The same answer for every thread count and backend.
/// Throws InvalidArgument, BackendUnavailable.
REMANENCE_API std::vector<std::int64_t> cover(const CoverRows& rows, float cosine,
                                              std::string_view backend = "cpu");

}  // namespace remanence
