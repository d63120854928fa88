// Counting the rows that hold a word.
#include "core/counted_rows.hpp"

#include <algorithm>

#include "core/bits.hpp"

namespace remanence {

CountedRows::CountedRows(const ScanPlan& plan) : plan_(plan) {
    const Columns& columns = *plan.columns;
    for (std::size_t s = 0; s < columns.segments.size(); ++s) {
        const Segment& segment = *columns.segments[s];
        const auto begin = static_cast<std::uint32_t>(s * segment_rows);
        const auto meets = [&](const auto& sum) {
            return plan.scopes.meets(sum.least_scope, sum.greatest_scope);
        };
        if (!meets(segment.extent)) continue;
        for (std::uint32_t r = 0; r < segment.count; r += block_rows) {
            const BlockSummary& sum = segment.blocks[r / block_rows];
            if (!meets(sum)) continue;
            const bool all_live = plan.scopes.holds_all(sum.least_scope, sum.greatest_scope) &&
                                  sum.last_seq_from <= plan.seq && sum.last_seq_to <= plan.seq;
            const std::uint32_t end = begin + std::min(r + block_rows, segment.count);
            if (!parts_.empty() && parts_.back().end == begin + r &&
                parts_.back().all_live == all_live) {
                parts_.back().end = end;
            } else {
                parts_.push_back({begin + r, end, all_live});
            }
        }
    }
}

std::size_t CountedRows::holding(const Postings& postings) const {
    std::size_t rows = 0;
    for (const Part& part : parts_) {
        if (part.all_live) {
            rows += live_holding(postings, part);
            continue;
        }
        for (auto p = postings.from(part.first); p != postings.end() && p->row < part.end; ++p) {
            rows += counts(p->row) ? 1 : 0;
        }
    }
    return rows;
}

std::size_t CountedRows::live_holding(const Postings& postings, const Part& part) const {
    std::size_t rows = 0;
    const std::vector<WordBits>& bits = postings.bits();
    if (!bits.empty()) {
        const auto end = static_cast<std::uint32_t>(
            std::min<std::size_t>(bits.size(), (part.end + std::size_t{63}) / 64));
        for (std::uint32_t i = part.first / 64; i < end; ++i) {
            rows += count_bits(bits[i].held & live(i * 64));
        }
        return rows;
    }
    for (auto p = postings.from(part.first); p != postings.end() && p->row < part.end; ++p) {
        rows += live(p->row) >> (p->row % 64) & 1U;
    }
    return rows;
}

bool CountedRows::counts(std::uint32_t row) const {
    const Segment& s = plan_.columns->at(row);
    const std::uint32_t r = Columns::within(row);
    return is_node(s.kind[r]) == plan_.nodes && plan_.columns->row_visible(row, plan_.seq) &&
           plan_.scopes.holds(s.scope[r]);
}

std::uint64_t CountedRows::live(std::uint32_t row) const {
    return plan_.columns->at(row).live[plan_.nodes ? 1 : 0][Columns::within(row) / 64];
}

}  // namespace remanence
