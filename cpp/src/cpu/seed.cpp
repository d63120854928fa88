// Before a scan: which rows pass the filters that choose, and the strips that come first.
#include <algorithm>
#include <array>
#include <bit>
#include <functional>
#include <limits>
#include <utility>

#include "core/bits.hpp"
#include "core/threads.hpp"
#include "cpu/kernels.hpp"
#include "cpu/scan.hpp"

namespace remanence::cpu {
namespace {

constexpr std::size_t kept_filters = 8;  // of a scan, whose passing rows are found before it

/// Whether a filter may leave few rows of the store.
bool chooses(const ScanPlan& plan) {
    constexpr std::uint32_t memories = ((1U << kind_count) - 1U) & ~node_kinds;
    return !plan.scopes.all() || !plan.row_allowed.empty() ||
           (plan.request->kinds & memories) != memories;
}

/// Which strips and segments hold a row that passes; only `segments` may.
void list_strips(Question& question, const std::vector<std::uint32_t>& segments) {
    std::size_t count = 0;
    for (const std::uint32_t s : segments) {
        const std::size_t end =
            std::min<std::size_t>((s + std::size_t{1}) * segment_blocks, question.in_block.size());
        for (std::size_t block = s * segment_blocks; block < end; ++block) {
            if (question.in_block[block] == 0) continue;
            question.passed += question.in_block[block];
            ++question.passed_blocks;
            question.held[s] = 1;
            const std::size_t first = block * (block_rows / 64);
            question.strips.resize(count + block_rows / 64);
            for (std::size_t i = first; i < first + block_rows / 64; ++i) {
                question.strips[count] = static_cast<std::uint32_t>(i);
                count += question.passing[i] != 0 ? 1 : 0;  // no branch foresees it
            }
        }
    }
    question.strips.resize(count);
}

/// The strips of the greatest promises so far.
class Promising {
public:
    explicit Promising(std::size_t wanted) : wanted_(wanted) {}
    void offer(float promise, std::uint32_t row) {
        if (promise <= least_) return;
        if (best_.size() == wanted_) {
            std::pop_heap(best_.begin(), best_.end(), std::greater<>());
            best_.pop_back();
        }
        best_.emplace_back(promise, row);
        std::push_heap(best_.begin(), best_.end(), std::greater<>());
        if (best_.size() == wanted_) least_ = best_.front().first;
    }
    float least() const { return least_; }  ///< what is not greater is not among them
    /// Their first rows, best first.
    std::vector<std::uint32_t> rows() {
        std::sort_heap(best_.begin(), best_.end(), std::greater<>());
        std::vector<std::uint32_t> out;
        out.reserve(best_.size());
        for (const auto& [promise, row] : best_) out.push_back(row);
        return out;
    }

private:
    std::size_t wanted_;
    float least_ = lowest;
    std::vector<std::pair<float, std::uint32_t>> best_;
};

}  // namespace

/// Finds the rows that pass the filters that choose, a bit for each.
void Scan::pass_filters() {
    std::size_t kept = 0;
    for (std::size_t q = 0; q < questions_.size(); ++q) {
        Question& question = questions_[q];
        if (question.filter != q || question.codes == nullptr || !chooses(*question.plan)) continue;
        if (++kept > kept_filters) return;
        const std::size_t blocks = (columns_.count() + block_rows - 1) / block_rows;
        question.passing = Array<std::uint64_t>(blocks * (block_rows / 64));
        question.in_block.assign(blocks, 0);
        question.held.assign(columns_.segments.size(), 0);
        std::vector<std::uint32_t> segments;
        for (std::uint32_t s = 0; s < question.held.size(); ++s) {
            if (may_pass(*question.plan, columns_.segments[s]->extent)) segments.push_back(s);
        }
        constexpr std::size_t parts = segment_rows / task_rows;
        parallel_for(
            segments.size() * parts, static_cast<int>(workers_.size()), [&](std::size_t task, int) {
                const std::size_t first = segments[task / parts] * segment_blocks +
                                          task % parts * (task_rows / block_rows);
                const std::size_t end = std::min(blocks, first + task_rows / block_rows);
                for (std::size_t i = first; i < end; ++i) {
                    const auto row = static_cast<std::uint32_t>(i * block_rows);
                    if (!may_pass(*question.plan, columns_.block_of(row))) continue;
                    question.in_block[i] =
                        static_cast<std::uint16_t>(filter(*question.plan, block_at(columns_, row),
                                                          question.passing.data() + row / 64));
                }
            });
        list_strips(question, segments);
    }
}

/// Whether a question may want a row of a segment.
bool Scan::holds(const Question& question, std::size_t segment) const {
    const std::vector<std::uint8_t>& held = questions_[question.filter].held;
    return held.empty() || held[segment] != 0;
}

bool Scan::any_holds(std::size_t segment) const {
    return std::any_of(questions_.begin(), questions_.end(),
                       [&](const Question& question) { return holds(question, segment); });
}

/// Whether some question may want a row of a block.
bool Scan::any_passes(std::uint32_t block) const {
    return std::any_of(questions_.begin(), questions_.end(), [&](const Question& question) {
        const std::vector<std::uint16_t>& in_block = questions_[question.filter].in_block;
        return in_block.empty() || in_block[block] != 0;
    });
}

/// Any strip of a segment that holds a row that passes may hold the best.
void Scan::bound_nothing() {
    const std::size_t in_segment = questions_.size() * segment_blocks * (block_rows / 64);
    most_ = Array<float>(columns_.segments.size() * in_segment);
    for (std::size_t s = 0; s < columns_.segments.size(); ++s) {
        if (!any_holds(s)) continue;
        std::fill_n(most_.data() + s * in_segment, in_segment,
                    std::numeric_limits<float>::infinity());
    }
}

/// What the rows of each strip score at most, and what they promise: as if the best of them lay at
/// a third of what they may from its cell. Of segments that hold no row that passes nothing is set.
Array<float> Scan::bound_strips(std::size_t q) {
    constexpr std::size_t in_segment = segment_rows / 64;
    constexpr float near = 0.3F;
    const Question& question = questions_[q];
    Array<float> promise(columns_.segments.size() * in_segment);
    std::vector<float> runs;
    const CellProducts* whose = nullptr;
    for (std::uint32_t s = 0; s < columns_.segments.size(); ++s) {
        if (!holds(question, s)) continue;
        std::fill_n(promise.data() + s * in_segment, in_segment, lowest);
        if (question.along[s] == nullptr) continue;
        const SideBound* const side = side_of(question, s * segment_rows);
        const StripCells& cells = columns_.segments[s]->codes.strips;
        const float* const along = question.along[s]->along.data();
        const std::uint32_t strips = encoded_[s] / 64;
        float* const to = promise.data() + s * in_segment;
        if (side == nullptr) {
            for (std::uint32_t i = 0; i < strips; ++i) {
                to[i] = along[cells.least[i]] +
                        near * question.per_reach * static_cast<float>(cells.reach[i]);
            }
            continue;
        }
        const std::uint32_t pairs = question.along[s]->cells->count() / 2 + 1;
        if (question.along[s] != whose) {
            whose = question.along[s];
            runs.resize(std::bit_width(pairs) * static_cast<std::size_t>(pairs));
            kernels().cell_runs(along, pairs, runs.data());
        }
        const float share = std::min(question.per_reach / side->per_reach, 1.0F);
        const float more = std::max(question.per_reach - side->per_reach, 0.0F);
        kernels().strip_bounds(
            {strips, cells.least.data(), cells.greatest.data(), cells.reach.data(), along,
             runs.data(), pairs, side->greatest.data(), side->reaching.data(), share, more,
             near * share, questions_.size() * (block_rows / 64)},
            most_of(q, s * segment_rows), to);
    }
    return promise;
}

/// The strips that promise most, best first: near cells, and rows that score high whatever is
/// asked. They hold a 64th of the rows that pass, within limits.
std::vector<std::uint32_t> Scan::promising(const Question& question,
                                           const Array<float>& promise) const {
    const Question& leader = questions_[question.filter];
    std::size_t rows = columns_.count();
    std::size_t strips = rows / 64;
    if (!leader.passing.empty()) {
        rows = leader.passed;
        strips = leader.strips.size();
    }
    constexpr std::size_t fewest = 6 * 64;  // rows
    constexpr std::size_t most = 64;        // strips
    const std::size_t wanted =
        std::min(most, std::max(rows / 64, fewest) * strips / std::max<std::size_t>(rows, 1));
    Promising best(wanted);
    if (wanted == 0) return {};
    if (!leader.passing.empty()) {
        for (const std::uint32_t strip : leader.strips) best.offer(promise[strip], strip * 64);
        return best.rows();
    }
    constexpr Strips nothing{};
    for (std::uint32_t first = 0; first < promise.size(); first += block_rows / 64) {
        std::uint32_t better = kernels().strips_above(promise.data() + first, nothing.data(),
                                                      nothing.size(), best.least());
        for (; better != 0; better &= better - 1) {
            const auto strip = first + static_cast<std::uint32_t>(std::countr_zero(better));
            best.offer(promise[strip], strip * 64);
        }
    }
    return best.rows();
}

/// Each question first sees the strips that promise most, so that its bar is high before the others
/// come.
void Scan::seed() {
    parallel_for(questions_.size(), static_cast<int>(workers_.size()), [&](std::size_t q, int w) {
        Worker& worker = workers_[static_cast<std::size_t>(w)];
        Question& question = questions_[q];
        if (question.codes == nullptr) return;
        const Array<float> promise = bound_strips(q);
        question.seeded.assign(columns_.count() / block_rows + 1, 0);
        for (const std::uint32_t row : promising(question, promise)) {
            const Block whole = block_at(columns_, row / block_rows * block_rows);
            const std::size_t word = row % block_rows / 64;
            scan_block(part_of(whole, {word, word + 1}), {q, q + 1}, worker);
            question.seeded[row / block_rows] |= static_cast<std::uint16_t>(1U << word);
        }
        tighten(q, worker.shares[q]);
        worker.shares[q].scanned = 0;  // the scan counts them with their blocks
    });
}

}  // namespace remanence::cpu
