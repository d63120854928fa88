// Runs a scan: what questions need of every segment, the order in which blocks are seen.
#include "cpu/search.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <numeric>
#include <utility>

#include "core/codes.hpp"
#include "core/threads.hpp"
#include "cpu/head_start.hpp"
#include "cpu/scan.hpp"

namespace remanence::cpu {
namespace {

constexpr std::size_t at_once = 4;  // questions whose products with cells are found side by side

}  // namespace

Scan::Scan(const ScanPlan* plans, std::size_t count, int workers)
    : columns_(*plans->columns),
      bars_(count),
      questions_(count),
      workers_(static_cast<std::size_t>(workers)) {
    // Codes may be added while this scan runs: it uses those that were there when it began.
    for (const auto& segment : columns_.segments) encoded_.push_back(segment->codes.encoded);
    for (std::size_t q = 0; q < count; ++q) {
        Question& question = questions_[q];
        question.plan = &plans[q];
        question.bar = &bars_[q];
        bars_[q] = lowest;
        while (!same_side(plans[question.side], plans[q])) ++question.side;
        while (!same_filter(plans[question.filter], plans[q])) ++question.filter;
        if (codes_pay(plans[q])) {
            question.codes =
                std::make_unique<const CodeQuery>(make_code_query(plans[q].query, columns_.dim));
        }
    }
    pass_filters();
    parallel_for((count + at_once - 1) / at_once, workers, [&](std::size_t i, int) {
        multiply_cells({i * at_once, std::min(count, (i + 1) * at_once)});
    });
    for (Question& question : questions_) {
        if (question.codes == nullptr) continue;
        bound_sides(question);
        question.raise(head_start(question, encoded_));
    }
    for (Worker& worker : workers_) {
        for (const Question& q : questions_) worker.shares.emplace_back(q.plan->keep);
        worker.bars.resize(count);
        worker.above.resize(count);
        worker.side.resize(count * block_rows);
        worker.base.resize((together() ? count : 1) * block_rows);
        worker.bound.resize(worker.base.size());
        worker.asked.resize(count);
    }
    prepare_codes();
}

void Scan::prepare_codes() {
    stride_ = (code_bytes(columns_.dim) * 8 + 63) / 64 * 64;
    const std::size_t padded = (questions_.size() + 31) / 32 * 32;
    if (questions_.size() >= least_matrix_questions) {
        rounded_.assign(padded * stride_, 0);
        for (Worker& worker : workers_) worker.signs.resize(matrix_rows * stride_);
    }
    for (std::size_t q = 0; q < questions_.size(); ++q) {
        const CodeQuery* const codes = questions_[q].codes.get();
        if (codes == nullptr || rounded_.empty()) continue;
        for (std::size_t j = 0; j < codes->rounded.size(); ++j) {
            const std::size_t tile = q / 16 * (stride_ / 64) + j / 64;
            rounded_[tile * 1024 + q % 16 * 64 + j % 64] = codes->rounded[j];
        }
    }
}

/// Lists the cells of every segment that holds rows the question may want.
void Scan::list_cells(Question& question) {
    question.per_reach =
        question.plan->request->weights.cosine * question.codes->length * reach_unit;
    question.cells.reserve(columns_.segments.size());
    for (std::size_t s = 0; s < columns_.segments.size(); ++s) {
        question.along.push_back(nullptr);
        // Without codes its cells may be being found.
        if (encoded_[s] == 0 || !holds(question, s)) continue;
        const Cells* const cells = columns_.segments[s]->codes.cells.get();
        const auto known = std::find_if(question.cells.rbegin(), question.cells.rend(),
                                        [&](const CellProducts& p) { return p.cells == cells; });
        if (known != question.cells.rend()) {
            question.along.back() = &*known;
            continue;
        }
        question.cells.push_back({cells, {}, {}, 0.0F});
        question.along.back() = &question.cells.back();
    }
    const bool filtered = !questions_[question.filter].passing.empty();
    for (CellProducts& one : question.cells) {
        if (filtered) list_some(question, one);
    }
}

/// Lists the cells of the rows that pass where they are few beside those that there are.
void Scan::list_some(const Question& question, CellProducts& one) const {
    const Question& leader = questions_[question.filter];
    std::vector<std::uint32_t> blocks;
    std::size_t rows = 0;
    for (std::uint32_t s = 0; s < question.along.size(); ++s) {
        if (question.along[s] != &one) continue;
        const std::uint32_t end = std::min<std::uint32_t>(
            (s + 1) * segment_blocks, static_cast<std::uint32_t>(leader.in_block.size()));
        for (std::uint32_t block = s * segment_blocks; block < end; ++block) {
            if (leader.in_block[block] == 0) continue;
            rows += leader.in_block[block];
            blocks.push_back(block);
        }
    }
    if (rows > 2 * std::size_t{one.cells->count()}) return;
    std::vector<std::uint64_t> seen(one.cells->count() / 64 + 1, 0);
    for (const std::uint32_t block : blocks) {
        const std::uint32_t row = block * block_rows;
        const std::uint16_t* const cell = columns_.at(row).codes.cell + Columns::within(row);
        for (std::uint32_t w = 0; w < block_rows / 64; ++w) {
            for (std::uint64_t bits = leader.passing[row / 64 + w]; bits != 0; bits &= bits - 1) {
                const std::uint32_t r = w * 64 + static_cast<std::uint32_t>(std::countr_zero(bits));
                if (Columns::within(row) + r >= encoded_[row / segment_rows]) continue;
                seen[cell[r] / 64] |= std::uint64_t{1} << (cell[r] % 64);
            }
        }
    }
    seen[one.cells->nowhere() / 64] &= ~(std::uint64_t{1} << (one.cells->nowhere() % 64));
    for (std::size_t w = 0; w < seen.size(); ++w) {
        for (std::uint64_t bits = seen[w]; bits != 0; bits &= bits - 1) {
            one.some.push_back(
                static_cast<std::uint32_t>(w * 64 + static_cast<unsigned>(std::countr_zero(bits))));
        }
    }
    if (one.some.size() * 2 > one.cells->count()) one.some.clear();
}

/// The products of some questions with their cells, those of the same cells side by side.
void Scan::multiply_cells(Range some) {
    std::array<CodeQuery, at_once> fine;
    struct Wanted {
        CellQuestion question;
        CellProducts* products;
    };
    std::vector<Wanted> wanted;
    for (std::size_t q = some.first; q < some.end; ++q) {
        Question& question = questions_[q];
        if (question.codes == nullptr) continue;
        list_cells(question);
        CodeQuery& steps = fine[q - some.first];
        steps = fine_query(question.plan->query, columns_.dim);
        for (CellProducts& one : question.cells) {
            wanted.push_back({{&steps, question.plan->request->weights.cosine}, &one});
        }
    }
    while (!wanted.empty()) {
        const CellProducts* const last = wanted.back().products;
        const auto same = std::partition(wanted.begin(), wanted.end(), [&](const Wanted& w) {
            return w.products != last && (w.products->cells != last->cells ||
                                          !w.products->some.empty() || !last->some.empty());
        });
        std::vector<CellQuestion> questions;
        for (auto w = same; w != wanted.end(); ++w) questions.push_back(w->question);
        std::vector<AlongCells> found = cell_products(*last->cells, questions, last->some);
        for (auto w = same; w != wanted.end(); ++w) {
            AlongCells& one = found[static_cast<std::size_t>(w - same)];
            w->products->spread = one.spread;
            w->products->along = std::move(one.along);
        }
        wanted.erase(same, wanted.end());
    }
}

/// What the segments keep of a question's side terms, for all questions that share them.
void Scan::bound_sides(const Question& question) {
    Question& leader = questions_[question.side];
    leader.sides.resize(columns_.segments.size());
    std::vector<std::size_t> missing;
    for (std::size_t s = 0; s < leader.sides.size(); ++s) {
        if (encoded_[s] == 0 || leader.sides[s] != nullptr || !holds(question, s)) continue;
        missing.push_back(s);
    }
    parallel_for(missing.size(), static_cast<int>(workers_.size()), [&](std::size_t i, int) {
        const std::size_t s = missing[i];
        leader.sides[s] = side_bound(*leader.plan, *columns_.segments[s], encoded_[s]);
    });
}

const SideBound* Scan::side_of(const Question& question, std::uint32_t row) const {
    return questions_[question.side].sides[row / segment_rows].get();
}

void Scan::scan_blocks() {
    const std::size_t tasks = (columns_.count() + task_rows - 1) / task_rows;
    // Far places first, so that the bar is high before most rows are seen, in whatever order they
    // came: a step near the golden section that shares no factor with the count visits all.
    std::size_t step = std::max<std::size_t>(1, tasks * 618 / 1000);
    while (std::gcd(step, tasks) > 1) ++step;
    parallel_for(tasks, static_cast<int>(workers_.size()), [&](std::size_t index, int w) {
        const auto first = static_cast<std::uint32_t>(index * step % tasks * task_rows);
        const std::uint32_t end = std::min(first + task_rows, columns_.count());
        if (!any_holds(first / segment_rows)) return;
        for (std::uint32_t row = first; row < end; row += block_rows) {
            if (!any_passes(row / block_rows)) continue;
            scan_block(block_at(columns_, row), {0, questions_.size()},
                       workers_[static_cast<std::size_t>(w)]);
        }
    });
}

void Scan::run(std::vector<ScanAnswer>& answers) {
    if (scattered()) {
        scan_scattered();
    } else {
        bound_nothing();
        seed();
        scan_blocks();
    }
    finish();
    for (std::size_t q = 0; q < questions_.size(); ++q) {
        Share& share = workers_[0].shares[q];
        std::sort(share.best.rows().begin(), share.best.rows().end(), better);
        answers.push_back(
            {std::move(share.best.rows()), workers_[0].shares[questions_[q].filter].scanned});
    }
}

std::vector<ScanAnswer> search(const std::vector<ScanPlan>& plans, int workers) {
    std::vector<ScanAnswer> answers;
    for (std::size_t first = 0; first < plans.size(); first += most_questions) {
        const std::size_t count = std::min(most_questions, plans.size() - first);
        Scan(plans.data() + first, count, workers).run(answers);
    }
    return answers;
}

}  // namespace remanence::cpu
