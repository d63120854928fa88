// The exact fused scan: bound every row by its code, then score what may still be among the best.
#include "cpu/search.hpp"

#include <array>
#include <bit>
#include <numeric>

#include "core/codes.hpp"
#include "core/threads.hpp"
#include "cpu/block.hpp"
#include "cpu/kernels.hpp"
#include "cpu/questions.hpp"

namespace remanence::cpu {
namespace {

constexpr std::size_t most_questions = 128;  // of one scan: their bounds of a block stay in cache
constexpr std::size_t waiting_rows = 512;    // candidates of a question before they are refined
constexpr std::size_t refined_rows = 128;    // candidates bounded by their bytes at a time
constexpr std::size_t exact_chunk = 256;     // candidates of one task

class Scan {
public:
    Scan(const ScanPlan* plans, std::size_t count, int workers);
    void run(std::vector<ScanAnswer>& answers);

private:
    void prepare_codes();
    void scan_block(const Block& whole, Worker& worker);
    bool plan_block(const Block& b, Worker& worker);
    Block wanted(const Block& b, Worker& worker) const;
    void fill_sides(const Block& b, Worker& worker);
    void collect(const Block& b, std::size_t q, Worker& worker);
    void collect_all(const Block& b, std::size_t q, Worker& worker);
    void refine(std::size_t q, Share& share);
    void refine_run(const Question& question, const Candidate* from, std::size_t count,
                    std::vector<Candidate>& near) const;
    void score_block(const Block& b, std::size_t q, Worker& worker);
    void tighten(std::size_t q, Share& share);
    void score(std::size_t q, const Candidate* from, std::size_t count, Best& best);
    void finish();
    void gather(std::size_t q);

    const Columns& columns_;
    std::vector<std::uint32_t> encoded_;  ///< [segment] rows that have a code
    std::vector<Question> questions_;
    std::vector<Worker> workers_;
    std::vector<std::int8_t> rounded_;  ///< rotated queries in tiles, as CodeQuestions has them
    std::size_t stride_ = 0;
};

Scan::Scan(const ScanPlan* plans, std::size_t count, int workers)
    : columns_(*plans->columns), questions_(count), workers_(static_cast<std::size_t>(workers)) {
    // Codes may be added while this scan runs: it uses those that were there when it began.
    for (const auto& segment : columns_.segments) encoded_.push_back(segment->codes.encoded);
    for (std::size_t q = 0; q < count; ++q) {
        Question& question = questions_[q];
        question.plan = &plans[q];
        while (!same_side(plans[question.side], plans[q])) ++question.side;
        while (!same_filter(plans[question.filter], plans[q])) ++question.filter;
        if (codes_pay(plans[q])) {
            question.codes =
                std::make_unique<const CodeQuery>(make_code_query(plans[q].query, columns_.dim));
            for (const auto& segment : columns_.segments) {
                const std::vector<float>& centre = segment->codes.centre;
                float& along = question.centres.emplace_back(0.0F);
                if (encoded_[question.centres.size() - 1] == 0) continue;
                kernels().dot(plans[q].query.data(), centre.data(), centre.size(), 1, &along);
            }
        }
    }
    for (Worker& worker : workers_) {
        for (const Question& q : questions_) worker.shares.emplace_back(q.plan->keep);
        worker.side.resize(count * block_rows);
        worker.bound.resize(count * block_rows);
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

/// Which rows of a block each question wants, and how; false when none wants any.
bool Scan::plan_block(const Block& b, Worker& worker) {
    const bool coded = b.first + block_rows <= encoded_[b.row / segment_rows];
    bool any = false;
    for (std::size_t q = 0; q < questions_.size(); ++q) {
        Share& share = worker.shares[q];
        const std::size_t leader = questions_[q].filter;
        if (leader == q) {
            share.passed = filter(*questions_[q].plan, b, share.mask.data());
        } else {
            share.passed = worker.shares[leader].passed;
            share.mask = worker.shares[leader].mask;
        }
        share.scanned += share.passed;
        share.way = way_of(questions_[q], share.passed, coded);
        any = any || share.passed != 0;
    }
    return any;
}

/// The part of a block that holds every row some question wants.
Block Scan::wanted(const Block& b, Worker& worker) const {
    const std::size_t step = questions_.size() >= least_matrix_questions ? matrix_rows / 64 : 1;
    Words part{block_rows / 64, 0};
    for (const Share& share : worker.shares) widen(part, share.mask.data(), step);
    if (part.end - part.first == block_rows / 64) return b;
    for (Share& share : worker.shares) move_to_front(part, share.mask.data());
    return part_of(b, part);
}

/// Side terms, words apart, once for all questions that share them.
void Scan::fill_sides(const Block& b, Worker& worker) {
    std::array<bool, most_questions> filled{};
    for (std::size_t q = 0; q < questions_.size(); ++q) {
        const std::size_t leader = questions_[q].side;
        if (worker.shares[q].way != Way::codes || filled[leader]) continue;
        filled[leader] = true;
        score_side(*questions_[q].plan, b, nullptr, true, *worker.scratch,
                   worker.side.data() + leader * block_rows);
    }
}

void Scan::scan_block(const Block& whole, Worker& worker) {
    if (!plan_block(whole, worker)) return;
    const Block b = wanted(whole, worker);
    fill_sides(b, worker);
    const SegmentCodes& codes = b.s.codes;
    bool any = false;
    for (std::size_t q = 0; q < questions_.size(); ++q) {
        CodeQuestion& asked = worker.asked[q];
        asked.out = nullptr;
        if (worker.shares[q].way != Way::codes) continue;
        any = true;
        const CodeQuery& query = *questions_[q].codes;
        asked.table = query.table.data();
        asked.step = query.step;
        asked.offset = query.offset;
        asked.unit = query.unit;
        asked.rest = query.rest;
        asked.norm = query.norm;
        asked.weight = questions_[q].plan->request->weights.cosine;
        asked.side = worker.side.data() + questions_[q].side * block_rows;
        asked.out = worker.bound.data() + q * block_rows;
        asked.centre = questions_[q].centres[b.row / segment_rows];
    }
    if (any) {
        const CodeBlock block{b.count, codes.bytes, codes.bits() + b.first * codes.bytes,
                              codes.factors + b.first};
        const bool matrix = questions_.size() >= least_matrix_questions && matrix_unit();
        const auto bounds = matrix ? kernels().matrix_bounds : kernels().bounds;
        bounds(block, {worker.asked.data(), questions_.size(), rounded_.data(), stride_,
                       worker.signs.data()});
    }
    for (std::size_t q = 0; q < questions_.size(); ++q) {
        const Way way = worker.shares[q].way;
        if (way == Way::codes) collect(b, q, worker);
        if (way == Way::bytes) collect_all(b, q, worker);
        if (way == Way::exact) score_block(b, q, worker);
    }
}

/// Keeps the rows whose bound reaches the bar.
void Scan::collect(const Block& b, std::size_t q, Worker& worker) {
    Share& share = worker.shares[q];
    Question& question = questions_[q];
    const ScanPlan& plan = *question.plan;
    Scratch& scratch = *worker.scratch;
    float* const bound = worker.bound.data() + q * block_rows;
    const float* const side = worker.side.data() + question.side * block_rows;
    if (b.summary.vectors != block_rows) {
        for (std::uint32_t i = 0; i < b.count; ++i) {
            const bool vector = (b.s.flags[b.first + i] & flag::has_vector) != 0;
            bound[i] = vector ? bound[i] : side[i];
        }
    }
    const bool words = score_words(plan, b, share.cursor, scratch);
    if (words) {
        for (std::uint32_t i = 0; i < b.count; ++i) {
            scratch.lexical[i] = scratch.lexical[i] * plan.lexical_weight[b.s.kind[b.first + i]];
            bound[i] = bound[i] + scratch.lexical[i];
        }
    }
    kernels().keep_above(bound, question.threshold(), b.count, share.mask.data());
    for (std::uint32_t w = 0; w * 64 < b.count; ++w) {
        for (std::uint64_t bits = share.mask[w]; bits != 0; bits &= bits - 1) {
            const auto i = w * 64 + static_cast<std::uint32_t>(std::countr_zero(bits));
            const float rest = words ? side[i] + scratch.lexical[i] : side[i];
            share.waiting.push_back({bound[i], rest, b.row + i});
        }
    }
    if (share.waiting.size() > waiting_rows) tighten(q, share);
}

/// Keeps every row that passes the filters, for its bytes to decide.
void Scan::collect_all(const Block& b, std::size_t q, Worker& worker) {
    Share& share = worker.shares[q];
    const ScanPlan& plan = *questions_[q].plan;
    Scratch& scratch = *worker.scratch;
    const bool words = score_words(plan, b, share.cursor, scratch);
    const float reach = plan.request->weights.cosine * questions_[q].codes->length;
    bound_rows(plan, b, share.mask.data(), words ? scratch.lexical.data() : nullptr, reach,
               share.waiting);
    if (share.waiting.size() > waiting_rows) tighten(q, share);
}

/// Scores the rows of the mask exactly.
void Scan::score_block(const Block& b, std::size_t q, Worker& worker) {
    Share& share = worker.shares[q];
    Scratch& scratch = *worker.scratch;
    const ScanPlan& plan = *questions_[q].plan;
    const bool cosine = !plan.query.empty() && b.summary.vectors != 0;
    const bool words = score_words(plan, b, share.cursor, scratch);
    score_side(plan, b, words ? scratch.lexical.data() : nullptr, false, scratch,
               scratch.score.data());
    if (cosine) score_cosine(plan, b, share.mask.data(), share.passed, scratch);
    const float weight = plan.request->weights.cosine;
    float bar = std::max(share.best.bar(), questions_[q].bar.load(std::memory_order_relaxed));
    for (std::uint32_t w = 0; w * 64 < b.count; ++w) {
        for (std::uint64_t bits = share.mask[w]; bits != 0; bits &= bits - 1) {
            const auto i = w * 64 + static_cast<std::uint32_t>(std::countr_zero(bits));
            float score = scratch.score[i];
            if (cosine && (b.s.flags[b.first + i] & flag::has_vector) != 0) {
                score = score + weight * scratch.cosine[i];
            }
            if (score < bar) continue;
            share.best.offer({score, b.row + i, b.s.id[b.first + i]});
            bar = std::max(bar, share.best.bar());
        }
    }
    questions_[q].raise(share.best.bar());
}

void prefetch(const void* at, std::size_t bytes) {
    for (std::size_t line = 0; line < bytes; line += 64) {
        __builtin_prefetch(static_cast<const char*>(at) + line);
    }
}

/// Bounds candidates of one segment by their bytes, and keeps those that reach the bar.
void Scan::refine_run(const Question& question, const Candidate* from, std::size_t count,
                      std::vector<Candidate>& near) const {
    const Segment& s = columns_.at(from->row);
    const SegmentCodes& codes = s.codes;
    const CodeQuery& query = *question.codes;
    const float centre = question.centres[from->row / segment_rows] + query.fine_rest;
    const float weight = question.plan->request->weights.cosine;
    const float bar = question.threshold();
    std::array<std::uint32_t, refined_rows> rows{};
    std::array<std::int32_t, refined_rows> products{};
    for (std::size_t i = 0; i < count; ++i) rows[i] = Columns::within(from[i].row);
    kernels().byte_dots(query.fine.data(), codes.whole(), codes.whole_bytes(1), rows.data(), count,
                        products.data());
    for (std::size_t i = 0; i < count; ++i) {
        const std::uint32_t r = rows[i];
        const float along = static_cast<float>(products[i]) * query.fine_unit * codes.byte_scale[r];
        const float cosine = centre + along + query.length * codes.byte_error[r];
        Candidate c = from[i];
        const bool vector =
            s.blocks[r / block_rows].vectors == block_rows || (s.flags[r] & flag::has_vector) != 0;
        c.bound = vector ? c.side + weight * cosine : c.side;
        if (c.bound >= bar) near.push_back(c);
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
        refine_run(questions_[q], share.waiting.data() + i, end - i, share.near);
    }
    share.waiting.clear();
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
void Scan::tighten(std::size_t q, Share& share) {
    refine(q, share);
    if (share.near.size() < share.enough) return;
    const std::size_t count = std::min(questions_[q].plan->keep, share.near.size());
    greatest_first(share.near, count);
    score(q, share.near.data(), count, share.best);
    share.near.erase(share.near.begin(), share.near.begin() + static_cast<std::ptrdiff_t>(count));
    drop_below(share.near, questions_[q].threshold());
    share.enough = std::max(waiting_rows, 2 * share.near.size());
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

void Scan::run(std::vector<ScanAnswer>& answers) {
    const std::size_t tasks = (columns_.count() + task_rows - 1) / task_rows;
    // Far places first, so that the bar is high before most rows are seen, in whatever order they
    // came: a step near the golden section that shares no factor with the count visits all.
    std::size_t step = std::max<std::size_t>(1, tasks * 618 / 1000);
    while (std::gcd(step, tasks) > 1) ++step;
    parallel_for(tasks, static_cast<int>(workers_.size()), [&](std::size_t index, int w) {
        const auto first = static_cast<std::uint32_t>(index * step % tasks * task_rows);
        const std::uint32_t end = std::min(first + task_rows, columns_.count());
        for (std::uint32_t row = first; row < end; row += block_rows) {
            scan_block(block_at(columns_, row), workers_[static_cast<std::size_t>(w)]);
        }
    });
    finish();
    for (std::size_t q = 0; q < questions_.size(); ++q) {
        Share& share = workers_[0].shares[q];
        std::sort(share.best.rows().begin(), share.best.rows().end(), better);
        answers.push_back({std::move(share.best.rows()), share.scanned});
    }
}

}  // namespace

std::vector<ScanAnswer> search(const std::vector<ScanPlan>& plans, int workers) {
    std::vector<ScanAnswer> answers;
    for (std::size_t first = 0; first < plans.size(); first += most_questions) {
        const std::size_t count = std::min(most_questions, plans.size() - first);
        Scan(plans.data() + first, count, workers).run(answers);
    }
    return answers;
}

}  // namespace remanence::cpu
