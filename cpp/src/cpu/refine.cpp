// What waits in a scan: bounded by its bytes, scored exactly where that does not settle it.
#include <algorithm>
#include <array>

#include "core/codes.hpp"
#include "core/threads.hpp"
#include "cpu/kernels.hpp"
#include "cpu/scan.hpp"

namespace remanence::cpu {
namespace {

constexpr std::size_t refined_rows = 128;  // candidates bounded by their bytes at a time
constexpr std::size_t exact_chunk = 256;   // candidates of one task

}  // namespace

/// Bounds candidates of one segment by their bytes, and keeps those that reach the bar.
void Scan::refine_run(const Question& question, const Candidate* from, std::size_t count,
                      Share& share) const {
    const Segment& s = columns_.at(from->row);
    const SegmentCodes& codes = s.codes;
    const CodeQuery& query = *question.codes;
    const CellProducts& products_of = *question.along[from->row / segment_rows];
    const std::vector<float>& cells = products_of.along;
    const float weight = question.plan->request->weights.cosine;
    const float bar = question.threshold();
    const SideBound* const side = side_of(question, from->row);
    const float kept = side != nullptr ? 2.0F * side->step : 0.0F;
    std::array<std::uint32_t, refined_rows> rows{};
    std::array<std::int32_t, refined_rows> products{};
    for (std::size_t i = 0; i < count; ++i) rows[i] = Columns::within(from[i].row);
    kernels().byte_dots(query.fine.data(), codes.whole(), codes.width(), codes.stride, rows.data(),
                        count, products.data());
    for (std::size_t i = 0; i < count; ++i) {
        const std::uint32_t r = rows[i];
        const float along = static_cast<float>(products[i]) * query.fine_unit * codes.row(r).scale;
        const float error = query.fine_rest + query.length * codes.row(r).error;
        Candidate c = from[i];
        c.bound = c.side + cells[codes.cell[r]] + weight * (along + error);
        if (c.bound < bar) continue;
        share.near.push_back(c);
        share.sure.offer(c.bound - products_of.spread - 2.0F * weight * error - kept);
    }
}

/// Bounds the waiting rows by their bytes.
void Scan::refine(std::size_t q, Share& share) {
    drop_below(share.waiting, questions_[q].threshold());
    const std::size_t count = share.waiting.size();
    for (std::size_t i = 0, end = 0; i < count; i = end) {
        const std::uint32_t segment = share.waiting[i].row / segment_rows;
        while (end < count && end - i < refined_rows &&
               share.waiting[end].row / segment_rows == segment) {
            ++end;
        }
        refine_run(questions_[q], share.waiting.data() + i, end - i, share);
    }
    const ScanPlan& plan = *questions_[q].plan;
    if (sides_exact(plan)) questions_[q].raise(share.sure.bar() - slack_of(plan, share.sure.bar()));
    share.waiting.clear();
}

void Scan::score(std::size_t q, const Candidate* from, std::size_t count, Best& best) {
    const ScanPlan& plan = *questions_[q].plan;
    for (std::size_t i = 0; i < count; ++i) {
        // Where a vector lies is asked for first, then the vector.
        if (i + 6 < count) {
            const std::uint32_t r = Columns::within(from[i + 6].row);
            const Segment& s = columns_.at(from[i + 6].row);
            prefetch(s.room + r, sizeof *s.room);
            prefetch(s.id + r, sizeof *s.id);
        }
        if (i + 2 < count) {
            const std::uint32_t next = from[i + 2].row;
            prefetch(columns_.room(columns_.at(next), Columns::within(next)),
                     columns_.padded_dim * sizeof(float));
        }
        if (from[i].bound < questions_[q].threshold()) continue;
        const std::uint32_t row = from[i].row;
        const Id id = columns_.at(row).id[Columns::within(row)];
        best.offer({row_score(plan, row), row, id});
        questions_[q].raise(best.bar());
    }
}

/// Scores the rows of the greatest bounds, which raises the bar, and drops what is below it. While
/// that helps it is done again soon, since all that comes is held against the bar.
void Scan::tighten(std::size_t q, Share& share) {
    const float before = questions_[q].threshold();
    refine(q, share);
    if (share.near.size() >= share.enough) {
        const std::size_t count = std::min(questions_[q].plan->keep, share.near.size());
        greatest_first(share.near, count);
        score(q, share.near.data(), count, share.best);
        share.near.erase(share.near.begin(),
                         share.near.begin() + static_cast<std::ptrdiff_t>(count));
        drop_below(share.near, questions_[q].threshold());
    }
    const bool helped = questions_[q].threshold() > before;
    share.patience = helped ? least_waiting : std::min(2 * share.patience, most_waiting);
    share.enough = helped ? 0 : std::max(share.patience, 2 * share.near.size());
}

/// Brings together what all workers hold of a question, in the first one's share.
void Scan::gather(std::size_t q) {
    Share& first = workers_[0].shares[q];
    for (std::size_t w = 1; w < workers_.size(); ++w) {
        Share& other = workers_[w].shares[q];
        for (const Scored& s : other.best.rows()) first.best.offer(s);
        first.near.insert(first.near.end(), other.near.begin(), other.near.end());
        first.waiting.insert(first.waiting.end(), other.waiting.begin(), other.waiting.end());
        first.scanned += other.scanned;
    }
    questions_[q].raise(first.best.bar());
    drop_below(first.waiting, questions_[q].threshold());
    drop_below(first.near, questions_[q].threshold());
    first.enough = 0;
    tighten(q, first);
}

/// Scores what still waits.
void Scan::finish() {
    const int workers = static_cast<int>(workers_.size());
    parallel_for(questions_.size(), workers, [&](std::size_t q, int) { gather(q); });
    std::vector<std::pair<std::size_t, std::size_t>> chunks;
    for (std::size_t q = 0; q < questions_.size(); ++q) {
        auto& near = workers_[0].shares[q].near;
        std::sort(near.begin(), near.end(),
                  [](const Candidate& a, const Candidate& b) { return a.row < b.row; });
        for (std::size_t i = 0; i < near.size(); i += exact_chunk) chunks.emplace_back(q, i);
    }
    std::vector<Best> found;
    found.reserve(chunks.size());
    for (const auto& [q, from] : chunks) found.emplace_back(questions_[q].plan->keep);
    parallel_for(chunks.size(), workers, [&](std::size_t c, int) {
        const auto& [q, from] = chunks[c];
        const auto& near = workers_[0].shares[q].near;
        score(q, near.data() + from, std::min(exact_chunk, near.size() - from), found[c]);
    });
    for (std::size_t c = 0; c < chunks.size(); ++c) {
        for (const Scored& s : found[c].rows()) {
            workers_[0].shares[chunks[c].first].best.offer(s);
        }
    }
}

}  // namespace remanence::cpu
