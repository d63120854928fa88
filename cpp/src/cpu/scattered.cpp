// A question whose filters leave few rows of many blocks, as a list of ids does: no strip promises
// anything, so all of its rows are bounded by their cells, and the best of them come first.
#include <algorithm>
#include <array>

#include "core/codes.hpp"
#include "core/threads.hpp"
#include "cpu/scan.hpp"

namespace remanence::cpu {
namespace {

constexpr std::size_t first_rows = 64;  // bounded by their codes before all others

/// The bound that `first_rows` of all reach, or none if there are fewer.
float first_bound(const std::vector<std::vector<Candidate>>& found) {
    Sure best(first_rows);
    for (const auto& part : found) {
        for (const Candidate& c : part) best.offer(c.bound);
    }
    return best.bar();
}

}  // namespace

bool Scan::scattered() const {
    if (questions_.size() != 1) return false;
    const Question& question = questions_[0];
    if (question.passing.empty() || !question.plan->terms.empty()) return false;
    return question.passed <= sparse_rows * question.passed_blocks;
}

/// The rows of a task that pass, bounded by their cells; blocks where that cannot be are left.
void Scan::bound_task(std::uint32_t first, std::vector<Candidate>& found,
                      std::vector<std::uint32_t>& left) const {
    const Question& question = questions_[0];
    const std::uint32_t end = std::min(first + task_rows, columns_.count());
    const std::uint32_t base = first / segment_rows * segment_rows;
    const SideBound* const side = side_of(question, first);
    std::array<std::uint32_t, task_rows + 1> rows;  // NOLINT: the first `count` are written below
    std::size_t count = 0;
    for (std::uint32_t row = first; row < end; row += block_rows) {
        if (question.in_block[row / block_rows] == 0) continue;
        const Block b = block_at(columns_, row);
        const bool coded = b.first + b.count <= encoded_[row / segment_rows];
        if (coded && sides_kept(*question.plan, b, side)) {
            count += list_rows(b, question.passing.data() + row / 64, side, rows.data() + count);
        } else {
            left.push_back(row);
        }
    }
    if (count == 0) return;
    bound_by_cells(columns_.at(first), base, *side, {rows.data(), count}, question.reach(first),
                   found);
}

/// Bounds some rows of one segment by their codes.
void Scan::bound_some(const Candidate* some, std::size_t count, Share& share) {
    if (count == 0) return;
    const Question& question = questions_[0];
    bound_by_signs(*question.plan, columns_.at(some->row), some, count, question.reach(some->row),
                   share.waiting);
    if (share.waiting.size() > share.patience) tighten(0, share);
}

void Scan::scan_scattered() {
    std::vector<std::uint32_t> firsts;  // rows at which a task begins
    for (std::uint32_t row = 0; row < columns_.count(); row += task_rows) {
        if (any_holds(row / segment_rows)) firsts.push_back(row);
        if (columns_.count() - row <= task_rows) break;
    }
    const std::size_t tasks = firsts.size();
    const int workers = static_cast<int>(workers_.size());
    std::vector<std::vector<Candidate>> found(tasks);
    std::vector<std::vector<std::uint32_t>> left(tasks);
    parallel_for(tasks, workers,
                 [&](std::size_t task, int) { bound_task(firsts[task], found[task], left[task]); });
    Worker& worker = workers_[0];
    Share& share = worker.shares[0];
    for (const auto& part : found) share.scanned += part.size();
    for (const auto& part : left) {
        if (!part.empty() && most_.empty()) bound_nothing();
        for (const std::uint32_t row : part) scan_block(block_at(columns_, row), {0, 1}, worker);
    }
    const float first = first_bound(found);
    for (const auto& part : found) {
        for (const Candidate& c : part) {
            if (c.bound >= first) bound_some(&c, 1, share);
        }
    }
    tighten(0, share);
    if (first == lowest) return;
    parallel_for(tasks, workers, [&](std::size_t task, int w) {
        std::array<Candidate, 128> some;  // NOLINT: the first `count` are written below
        std::size_t count = 0;
        Share& own = workers_[static_cast<std::size_t>(w)].shares[0];
        const float bar = questions_[0].threshold();
        for (const Candidate& c : found[task]) {
            some[count] = c;
            count += c.bound >= bar && c.bound < first ? 1 : 0;
            if (count < some.size()) continue;
            bound_some(some.data(), count, own);
            count = 0;
        }
        bound_some(some.data(), count, own);
    });
}

}  // namespace remanence::cpu
