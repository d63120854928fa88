// Before a scan: which rows pass the filters that choose, and the strips that come first.
#include <algorithm>
#include <array>
#include <functional>
#include <utility>

#include "core/bits.hpp"
#include "core/threads.hpp"
#include "cpu/scan.hpp"

namespace remanence::cpu {
namespace {

constexpr std::size_t kept_filters = 8;  // of a scan, whose passing rows are found before it

/// Whether a filter may leave few rows of the store.
bool chooses(const ScanPlan& plan) {
    constexpr std::uint32_t memories = ((1U << kind_count) - 1U) & ~node_kinds;
    return !plan.scope_allowed.empty() || !plan.row_allowed.empty() ||
           (plan.request->kinds & memories) != memories;
}

/// What each strip of a segment has at most if the best of its rows lie at a third of what they may
/// from its cell; lowest where none of its rows passes.
std::vector<float> promises(const SegmentCodes& codes, std::uint32_t count, const float* along,
                            float per_reach, const SideBound* side, const std::uint64_t* passing) {
    constexpr float share_of_reach = 0.3F;
    std::vector<float> out(count);
    for (std::uint32_t i = 0; i < count; ++i) {
        const Strip& strip = codes.strips[i];
        out[i] = along[strip.least] + share_of_reach * per_reach * static_cast<float>(strip.reach);
    }
    for (std::uint32_t i = 0; side != nullptr && i < count; ++i) out[i] += side->greatest[i];
    for (std::uint32_t i = 0; passing != nullptr && i < count; ++i) {
        const std::array<float, 2> choice{lowest, out[i]};  // by index: no branch foresees it
        out[i] = choice[passing[i] != 0 ? 1 : 0];
    }
    return out;
}

}  // namespace

/// Finds the rows that pass the filters that choose, a bit for each.
void Scan::pass_filters() {
    std::size_t kept = 0;
    for (std::size_t q = 0; q < questions_.size(); ++q) {
        Question& question = questions_[q];
        if (question.filter != q || question.codes == nullptr || !chooses(*question.plan)) continue;
        if (++kept > kept_filters) return;
        const std::size_t blocks = (columns_.count() + block_rows - 1) / block_rows;
        question.passing.assign(blocks * (block_rows / 64), 0);
        const std::size_t tasks = (columns_.count() + task_rows - 1) / task_rows;
        std::vector<std::uint32_t> rows(tasks, 0);
        parallel_for(tasks, static_cast<int>(workers_.size()), [&](std::size_t task, int) {
            const std::size_t end = std::min(blocks, (task + 1) * (task_rows / block_rows));
            for (std::size_t i = task * (task_rows / block_rows); i < end; ++i) {
                const auto row = static_cast<std::uint32_t>(i * block_rows);
                rows[task] += filter(*question.plan, block_at(columns_, row),
                                     question.passing.data() + row / 64);
            }
        });
        for (const std::uint32_t n : rows) question.passed += n;
    }
}

/// Whether some question may want a row of [first, end).
bool Scan::any_passes(std::uint32_t first, std::uint32_t end) const {
    return std::any_of(questions_.begin(), questions_.end(), [&](const Question& question) {
        const auto& passing = questions_[question.filter].passing;
        return passing.empty() ||
               std::any_of(passing.begin() + first / 64, passing.begin() + (end + 63) / 64,
                           [](std::uint64_t word) { return word != 0; });
    });
}

/// The strips that promise most, best first: near cells, and rows that score high whatever is
/// asked. They hold a 64th of the rows that pass, within limits.
std::vector<std::uint32_t> Scan::promising(const Question& question) const {
    const Question& leader = questions_[question.filter];
    const std::vector<std::uint64_t>& passing = leader.passing;
    std::size_t rows = columns_.count();
    std::size_t strips = rows / 64;
    if (!passing.empty()) {
        rows = leader.passed;
        strips = passing.size() - static_cast<std::size_t>(
                                      std::count(passing.begin(), passing.end(), std::uint64_t{0}));
    }
    constexpr std::size_t fewest = 6 * 64;  // rows
    constexpr std::size_t most = 64;        // strips
    const std::size_t wanted =
        std::min(most, std::max(rows / 64, fewest) * strips / std::max<std::size_t>(rows, 1));
    std::vector<std::pair<float, std::uint32_t>> best;
    for (std::size_t s = 0; wanted != 0 && s < columns_.segments.size(); ++s) {
        if (question.along[s] == nullptr) continue;
        const auto first = static_cast<std::uint32_t>(s * segment_rows);
        const std::vector<float> at =
            promises(columns_.segments[s]->codes, encoded_[s] / 64, question.along[s]->along.data(),
                     question.per_reach, side_of(question, first),
                     passing.empty() ? nullptr : passing.data() + first / 64);
        for (std::uint32_t i = 0; i < at.size(); ++i) {
            if (at[i] <= (best.size() == wanted ? best.front().first : lowest)) continue;
            if (best.size() == wanted) {
                std::pop_heap(best.begin(), best.end(), std::greater<>());
                best.pop_back();
            }
            best.emplace_back(at[i], first + i * 64);
            std::push_heap(best.begin(), best.end(), std::greater<>());
        }
    }
    std::sort_heap(best.begin(), best.end(), std::greater<>());
    std::vector<std::uint32_t> first_rows;
    first_rows.reserve(best.size());
    for (const auto& [at, row] : best) first_rows.push_back(row);
    return first_rows;
}

/// Each question first sees the strips that promise most, so that its bar is high before the others
/// come.
void Scan::seed() {
    Worker& worker = workers_[0];
    for (std::size_t q = 0; q < questions_.size(); ++q) {
        Question& question = questions_[q];
        if (question.codes == nullptr) continue;
        question.seeded.assign(columns_.count() / block_rows + 1, 0);
        for (const std::uint32_t row : promising(question)) {
            const Block whole = block_at(columns_, row / block_rows * block_rows);
            const std::size_t word = row % block_rows / 64;
            scan_block(part_of(whole, {word, word + 1}), {q, q + 1}, worker);
            question.seeded[row / block_rows] |= static_cast<std::uint16_t>(1U << word);
        }
        tighten(q, worker.shares[q]);
    }
}

}  // namespace remanence::cpu
