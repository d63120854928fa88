// What waits in a scan: bounded by its bytes, scored exactly where that does not settle it.
#include <algorithm>
#include <array>

#include "core/codes.hpp"
#include "core/threads.hpp"
#include "cpu/kernels.hpp"
#include "cpu/scan.hpp"
#include "cpu/words.hpp"

namespace remanence::cpu {
namespace {

constexpr std::size_t refined_rows = 64;  // candidates bounded by their bytes at a time
constexpr std::size_t exact_chunk = 256;  // candidates of one task

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

/// Puts the words of candidates in place of their bounds, and drops those that end below the bar.
std::size_t Scan::look_up_words(const Question& question, Candidate* all, std::size_t count) const {
    for (std::size_t i = 0; i < count; ++i) {
        const Segment& s = columns_.at(all[i].row);
        const std::uint32_t r = Columns::within(all[i].row);
        ask_for_bytes(s.codes, r);
        if (!all[i].loose) continue;
        __builtin_prefetch(s.words + r);
        __builtin_prefetch(s.kind + r);
        for (const ScanTerm& term : question.plan->terms) term.postings->fetch(all[i].row);
    }
    const float bar = question.threshold();
    std::size_t kept = 0;
    for (std::size_t i = 0; i < count; ++i) {
        if (all[i].loose) sharpen(*question.plan, all[i]);
        if (all[i].bound >= bar) all[kept++] = all[i];
    }
    return kept;
}

/// Bounds the `wanted` waiting rows of the greatest bounds by their bytes; all, as they came, where
/// no words make most bounds loose: then hardly any is left out, and rows in order are read faster.
void Scan::refine(std::size_t q, std::size_t wanted, Share& share) {
    drop_below(share.waiting, questions_[q].threshold());
    const bool words = !questions_[q].plan->terms.empty();
    wanted = words ? std::min(wanted, share.waiting.size()) : share.waiting.size();
    greatest_last(share.waiting, wanted);
    Candidate* const best = share.waiting.data() + (share.waiting.size() - wanted);
    std::size_t count = wanted;
    if (words) {
        std::sort(best, best + wanted,
                  [](const Candidate& a, const Candidate& b) { return a.row < b.row; });
        count = look_up_words(questions_[q], best, wanted);
    }
    for (std::size_t i = 0, end = 0; i < count; i = end) {
        const std::uint32_t segment = best[i].row / segment_rows;
        while (end < count && end - i < refined_rows && best[end].row / segment_rows == segment) {
            ++end;
        }
        refine_run(questions_[q], best + i, end - i, share);
    }
    share.waiting.resize(share.waiting.size() - wanted);
    const ScanPlan& plan = *questions_[q].plan;
    if (sides_exact(plan)) questions_[q].raise(share.sure.bar() - slack_of(plan, share.sure.bar()));
}

void Scan::score(std::size_t q, const Candidate* from, std::size_t count, Best& best) {
    const ScanPlan& plan = *questions_[q].plan;
    for (std::size_t i = 0; i < count; ++i) {
        if (i + 2 < count) {
            const std::uint32_t next = from[i + 2].row;
            prefetch(columns_.at(next).vectors() + Columns::within(next) * columns_.padded_dim,
                     columns_.padded_dim * sizeof(float));
        }
        if (from[i].bound < questions_[q].threshold()) continue;
        const std::uint32_t row = from[i].row;
        const Id id = columns_.at(row).id[Columns::within(row)];
        best.offer({row_score(plan, row), row, id});
        questions_[q].raise(best.bar());
    }
}

/// Scores the rows of the greatest bounds, which raises the bar, and drops what is below it.
void Scan::score_best(std::size_t q, Share& share) {
    const std::size_t count = std::min(questions_[q].plan->keep, share.near.size());
    greatest_first(share.near, count);
    score(q, share.near.data(), count, share.best);
    share.near.erase(share.near.begin(), share.near.begin() + static_cast<std::ptrdiff_t>(count));
    drop_below(share.near, questions_[q].threshold());
}

/// Bounds the best of the waiting rows, which raises the bar for the others. Where it does not rise
/// more of them wait the next time.
void Scan::tighten(std::size_t q, Share& share) {
    const float before = questions_[q].threshold();
    const std::size_t few = std::max(refined_rows, questions_[q].plan->keep);
    refine(q, share.waiting.size() > most_waiting ? share.waiting.size() : few, share);
    if (share.near.size() >= share.enough) score_best(q, share);
    drop_below(share.waiting, questions_[q].threshold());
    const bool helped = questions_[q].threshold() > before;
    if (questions_[q].plan->terms.empty()) {
        share.patience = helped ? least_waiting : std::min(2 * share.patience, most_in_order);
    } else {
        share.patience =
            share.waiting.size() + std::max(helped ? 0 : share.waiting.size(), more_waiting);
    }
    // What bytes say is nearly as good as a score, where it raises the bar.
    const bool soon = helped && !sides_exact(*questions_[q].plan);
    share.enough = soon ? 0 : std::max(most_near, 2 * share.near.size());
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
    for (std::size_t few = std::max(refined_rows, questions_[q].plan->keep); !first.waiting.empty();
         few *= 2) {
        refine(q, few, first);
    }
    score_best(q, first);
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
