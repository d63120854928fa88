// One question at a time: the plan as device lists, the kernels in order, the answer sorted.
#include "cuda/single.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace remanence::cuda {
namespace {

constexpr std::size_t counters_bytes = 64;
constexpr std::size_t early_keys = 1024;  // come home with the counters, in one copy
static_assert(sizeof(Counters) <= counters_bytes);

}  // namespace

/// The same question as on the CPU: codes pay where the cosine can raise a score and the answer is
/// short against the store.
bool SingleSearch::coded(const ScanPlan& plan, std::size_t keep) const {
    return !plan.query.empty() && plan.request->weights.cosine > 0.0F &&
           plan.columns->dim >= least_code_dim && plan.columns->dim <= most_code_dim &&
           keep * 64 <= plan.columns->count() && !plan.request->proved;
}

void SingleSearch::reserve(std::uint32_t rows) {
    const std::size_t padded = (std::size_t{rows} + block_rows - 1) / block_rows * block_rows;
    const std::size_t grown = padded + padded / 2;
    const std::size_t groups = padded / group_rows;
    if (value_.size() < padded) {
        stream_.synchronize();
        value_.reserve(grown);
        candidates_.reserve(grown);
        greatest_.reserve(grown / group_rows + grown / block_rows + 1);
        results_.reserve(counters_bytes + (grown + early_keys) * sizeof(Key));
        lexical_.reserve(grown);
        fill(lexical_.data(), 0, lexical_.size() * sizeof(float), stream_);
    }
    values_.value = value_.data();
    values_.group = greatest_.data();
    values_.block = greatest_.data() + groups;
    values_.counters = reinterpret_cast<Counters*>(results_.data());
    kept_ = reinterpret_cast<Key*>(results_.data() + counters_bytes);
}

void SingleSearch::prepare(const ScanPlan& plan) {
    question_ = lists_.put(plan, stream_);
    if (coded_) {
        float square = 0.0F;
        for (const float x : plan.query) square += x * x;
        const Weights& w = plan.request->weights;
        question_.slack = 1e-5F * (1.0F + std::fabs(w.cosine) * (1.0F + std::sqrt(square)) +
                                   std::fabs(w.activation));
    }
    add_words(plan);
    question_at_.reserve(1);
    upload(question_at_.data(), &question_, sizeof question_, stream_);
}

void SingleSearch::add_words(const ScanPlan& plan) {
    words_.clear();
    std::vector<Posting> all;
    for (const ScanTerm& term : plan.terms) {
        all.insert(all.end(), term.postings->begin(), term.postings->end());
    }
    if (all.empty()) return;
    const Posting* at = postings_.put(all, stream_);
    for (const ScanTerm& term : plan.terms) {
        const auto count = static_cast<std::uint32_t>(term.postings->size());
        words_.push_back({at, count, term.weight});
        at += count;
        run_add_word(mirror_.rows(), words_.back(), plan.length_base, plan.length_slope,
                     lexical_.data(), stream_);
    }
    question_.lexical = lexical_.data();
}

std::vector<Key> SingleSearch::keys_at(const Key* device, std::size_t count) {
    std::vector<Key> keys(count);
    if (count != 0) download(keys.data(), device, count * sizeof(Key), stream_);
    return keys;
}

Counters SingleSearch::counters_now() {
    Counters now{};
    download(&now, values_.counters, sizeof now, stream_);
    return now;
}

/// Blocks whose vectors stay on the host are scanned piece by piece as their vectors come.
void SingleSearch::scan_blocks(const Columns& columns) {
    const std::uint32_t blocks = (columns.count() + block_rows - 1) / block_rows;
    const bool vectors = question_.query != nullptr;
    if (mirror_.holds_vectors() || !vectors) {
        run_scan(coded_, mirror_.rows(), question_at_.data(), codes_, 0, blocks, values_, stream_);
        return;
    }
    constexpr std::uint32_t stage_blocks = stage_rows / block_rows;
    for (std::uint32_t block = 0; block < blocks; block += stage_blocks) {
        const std::size_t segment = block / segment_blocks;
        const std::uint32_t within = block % segment_blocks * block_rows;
        const std::uint32_t rows = std::min(stage_rows, columns.segments[segment]->count - within);
        // Bounds need no vectors: only rows without codes do, those after the last full block.
        if (!mirror_.holds_vectors(segment) &&
            !(coded_ && within + rows <= mirror_.encoded(segment))) {
            mirror_.stage(columns, segment, within, rows, stream_);
        }
        run_scan(coded_, mirror_.rows(), question_at_.data(), codes_, block,
                 std::min(stage_blocks, blocks - block), values_, stream_);
    }
}

/// The bar of a coded scan: the least exact score of the rows with the best bounds. As many rows
/// are at least as good.
void SingleSearch::seed_bar(const Columns& columns, std::uint32_t keep) {
    const std::uint32_t count = columns.count();
    const std::uint32_t blocks = (count + block_rows - 1) / block_rows;
    const bool many = blocks >= 4 * keep;
    const KeyList winners = {many ? values_.block : values_.group,
                             many ? blocks : (count + group_rows - 1) / group_rows, nullptr};
    run_select_bar(winners, keep, &values_.counters->seed_bar, stream_);
    run_start_bar(values_.counters, !coded_, stream_);
    if (coded_ && mirror_.holds_vectors()) {
        run_refine(mirror_.rows(), question_at_.data(), winners, nullptr, values_.counters, true,
                   stream_);
    } else if (coded_) {
        const std::uint32_t bar = counters_now().seed_bar;
        std::vector<Key> seeds = keys_at(winners.keys, winners.count);
        std::erase_if(seeds, [&](Key key) { return key == 0 || (key >> 32U) < bar; });
        std::vector<std::uint32_t> rows;
        rows.reserve(seeds.size());
        for (const Key key : seeds) rows.push_back(static_cast<std::uint32_t>(key));
        if (!seeds.empty()) {
            const float* const vectors = mirror_.gather(columns, rows, stream_);
            upload(candidates_.data(), seeds.data(), seeds.size() * sizeof(Key), stream_);
            const KeyList list = {candidates_.data(), static_cast<std::uint32_t>(seeds.size()),
                                  nullptr};
            run_refine(mirror_.rows(), question_at_.data(), list, vectors, values_.counters, true,
                       stream_);
        }
    }
    run_collect(count, values_, question_at_.data(), candidates_.data(), stream_);
}

void SingleSearch::refine_candidates(const Columns& columns) {
    KeyList list = {candidates_.data(), columns.count(), &values_.counters->candidates};
    if (mirror_.holds_vectors()) {
        run_refine(mirror_.rows(), question_at_.data(), list, nullptr, values_.counters, false,
                   stream_);
        return;
    }
    list.count = counters_now().candidates;
    list.counted = nullptr;
    const std::vector<Key> keys = keys_at(list.keys, list.count);
    for (std::size_t first = 0; first < keys.size(); first += stage_rows) {
        const std::size_t count = std::min<std::size_t>(stage_rows, keys.size() - first);
        std::vector<std::uint32_t> rows;
        rows.reserve(count);
        for (std::size_t i = 0; i < count; ++i) {
            rows.push_back(static_cast<std::uint32_t>(keys[first + i]));
        }
        const float* const vectors = mirror_.gather(columns, rows, stream_);
        const KeyList some = {list.keys + first, static_cast<std::uint32_t>(count), nullptr};
        run_refine(mirror_.rows(), question_at_.data(), some, vectors, values_.counters, false,
                   stream_);
    }
}

/// All kernels of a question but those of its words.
void SingleSearch::enqueue(const Columns& columns, std::uint32_t keep) {
    fill(values_.counters, 0, sizeof(Counters), stream_);
    if (coded_) run_encode_question(question_.query, mirror_.rows(), codes_, stream_);
    scan_blocks(columns);
    seed_bar(columns, keep);
    if (coded_) refine_candidates(columns);
    const KeyList list = {candidates_.data(), columns.count(), &values_.counters->candidates};
    run_select_bar(list, keep, &values_.counters->bar, stream_);
    run_keep_best(candidates_.data(), values_.counters, kept_, stream_);
}

/// Where all vectors are on the device, nothing comes home in between: from the second question of
/// a shape on, its kernels are one recording.
void SingleSearch::scan(const ScanPlan& plan, std::uint32_t keep) {
    const Columns& columns = *plan.columns;
    if (coded_) {
        planes_.reserve(std::size_t{mirror_.rows().code_words} * code_planes);
        code_numbers_.reserve(4 + std::size_t{mirror_.rows().segment_count});
        codes_ = {planes_.data(), code_numbers_.data() + 4, code_numbers_.data()};
    }
    const Shape shape = {mirror_.rows(),
                         keep,
                         coded_,
                         question_.query,
                         question_at_.data(),
                         planes_.data(),
                         code_numbers_.data(),
                         value_.data(),
                         greatest_.data(),
                         candidates_.data(),
                         results_.data()};
    if (!mirror_.holds_vectors() || shape != shape_) {
        recording_.clear();
        shape_ = shape;
        enqueue(columns, keep);
    } else {
        if (recording_.empty()) recording_.record(stream_, [&] { enqueue(columns, keep); });
        recording_.run(stream_);
    }
    for (const Word& word : words_) run_clear_word(word, lexical_.data(), stream_);
}

ScanAnswer SingleSearch::fetch(const Columns& columns, std::size_t keep) {
    const std::size_t early = std::min<std::size_t>(early_keys, columns.count());
    std::vector<std::byte> home(counters_bytes + early * sizeof(Key));
    download(home.data(), results_.data(), home.size(), stream_);
    Counters counters{};
    std::memcpy(&counters, home.data(), sizeof counters);
    std::vector<Key> keys(counters.kept);
    if (keys.size() > early) {
        keys = keys_at(kept_, counters.kept);
    } else if (!keys.empty()) {  // memcpy takes no null pointer, not even for nothing
        std::memcpy(keys.data(), home.data() + counters_bytes, keys.size() * sizeof(Key));
    }
    ScanAnswer answer;
    answer.scanned = counters.scanned;
    for (const Key key : keys) {
        const auto row = static_cast<std::uint32_t>(key);
        answer.top.push_back({score_of(key), row, columns.at(row).id[Columns::within(row)]});
    }
    std::sort(answer.top.begin(), answer.top.end(), better);
    if (answer.top.size() > keep) answer.top.resize(keep);
    return answer;
}

ScanAnswer SingleSearch::search(const ScanPlan& plan, std::size_t keep) {
    const Columns& columns = *plan.columns;
    try {
        coded_ = coded(plan, keep);
        reserve(columns.count());
        prepare(plan);
        scan(plan, static_cast<std::uint32_t>(std::min<std::size_t>(keep, columns.count())));
        return fetch(columns, keep);
    } catch (...) {
        value_.clear();  // the sums of words may be left behind: the next question starts anew
        throw;
    }
}

}  // namespace remanence::cuda
