// The questions of an engine: those alike in a batch, the others one after another.
#include "cuda/search.hpp"

#include <algorithm>
#include <cmath>
#include <mutex>
#include <string>

#include "remanence/error.hpp"

#include "cuda/batch.hpp"
#include "cuda/mirror.hpp"
#include "cuda/single.hpp"

namespace remanence::cuda {
namespace {

bool same_dates_and_weights(const Request& a, const Request& b) {
    return a.dates == b.dates && a.weights == b.weights;
}

/// Whether two questions differ in their vector and their words alone.
bool alike(const ScanPlan& a, const ScanPlan& b) {
    const Request& p = *a.request;
    const Request& q = *b.request;
    return p.now == q.now && a.seq == b.seq && p.valid_at == q.valid_at && p.kinds == q.kinds &&
           p.min_belief == q.min_belief && a.author == b.author && a.keep == b.keep &&
           same_dates_and_weights(p, q) && a.lexical_weight == b.lexical_weight &&
           a.scopes == b.scopes && a.excluded == b.excluded && a.row_allowed == b.row_allowed &&
           a.table == b.table;
}

class Searcher final : public DeviceRows {
public:
    std::vector<ScanAnswer> search(View<const ScanPlan> plans) override;
    void search_vectors(const ScanPlan& like, const VectorQuestions& questions) override;

private:
    bool batched(const ScanPlan& plan) const;
    void start_batch(const ScanPlan& plan);
    void answer_batch(View<const ScanPlan> plans, const std::vector<std::size_t>& which,
                      std::vector<ScanAnswer>& answers);
    void answer_one(const ScanPlan& like, const VectorQuestions& questions, std::size_t number);
    void ask_vectors(const ScanPlan& like, const VectorQuestions& questions);
    template <class Work>
    void with_room(const Columns& columns, Work&& work);

    std::mutex mutex_;
    Stream stream_;
    Mirror mirror_;
    SingleSearch single_{mirror_, stream_};
    BatchSearch batch_;
    QuestionLists lists_;
    Buffer<Question> question_at_;
    Buffer<Counters> counters_;
    Buffer<float> queries_;
    Buffer<float> raw_;
    Buffer<float> centre_;
    Buffer<std::uint32_t> faults_;
    Buffer<Id> ids_;
    Buffer<float> scores_;
};

/// Lets the mirror follow, then works; while the device has too little memory, vectors leave it.
template <class Work>
void Searcher::with_room(const Columns& columns, Work&& work) {
    for (;;) {
        try {
            mirror_.follow(columns, stream_);
            work();
            return;
        } catch (const OutOfMemory&) {
            stream_.synchronize();
            batch_ = BatchSearch{};  // its lists may be too long for what is left
            if (!mirror_.give_back(stream_)) throw;
        }
    }
}

/// Whether a question can be asked beside others.
bool Searcher::batched(const ScanPlan& plan) const {
    return !plan.query.empty() && BatchSearch::applies(mirror_.rows(), plan.keep);
}

void Searcher::start_batch(const ScanPlan& plan) {
    mirror_.follow_bytes(*plan.columns, stream_);
    const Question question = lists_.put(plan, stream_);
    question_at_.reserve(1);
    counters_.reserve(1);
    upload(question_at_.data(), &question, sizeof question, stream_);
    batch_.start(mirror_.rows(), question_at_.data(), counters_.data(), stream_);
}

void Searcher::answer_batch(View<const ScanPlan> plans, const std::vector<std::size_t>& which,
                            std::vector<ScanAnswer>& answers) {
    const ScanPlan& like = plans[which.front()];
    const Columns& columns = *like.columns;
    start_batch(like);
    Counters counters{};
    download(&counters, counters_.data(), sizeof counters, stream_);
    const std::size_t most = batch_.most(mirror_, like.keep);
    for (std::size_t first = 0, count = 0; first < which.size(); first += count) {
        std::vector<const ScanPlan*> asked;
        for (std::size_t n = 0; n < std::min(most, which.size() - first); ++n) {
            asked.push_back(&plans[which[first + n]]);
        }
        count = BatchWords::fitting(asked);
        asked.resize(count);
        std::vector<float> queries;
        for (const ScanPlan* const plan : asked) {
            queries.insert(queries.end(), plan->query.begin(), plan->query.end());
        }
        batch_.ask(columns, mirror_, queries_.put(queries, stream_), count, asked, like.keep,
                   like.request->weights.cosine, stream_);
        std::vector<std::size_t> failed;
        const auto found = batch_.fetch(failed, stream_);
        for (std::size_t n = 0; n < count; ++n) {
            ScanAnswer& answer = answers[which[first + n]];
            answer.scanned = counters.scanned;
            for (const Key key : found[n]) {
                const auto row = static_cast<std::uint32_t>(key);
                answer.top.push_back(
                    {score_of(key), row, columns.at(row).id[Columns::within(row)]});
            }
            std::sort(answer.top.begin(), answer.top.end(), better);
            if (answer.top.size() > like.keep) answer.top.resize(like.keep);
        }
        for (const std::size_t n : failed) {
            const ScanPlan& plan = plans[which[first + n]];
            answers[which[first + n]] = single_.search(plan, plan.keep);
        }
    }
}

std::vector<ScanAnswer> Searcher::search(View<const ScanPlan> plans) {
    const std::lock_guard lock(mutex_);
    std::vector<ScanAnswer> answers(plans.size());
    if (plans.empty() || plans[0].columns->count() == 0) return answers;
    with_room(*plans[0].columns, [&] {
        std::vector<bool> done(plans.size(), false);
        std::fill(answers.begin(), answers.end(), ScanAnswer{});
        for (std::size_t i = 0; i < plans.size(); ++i) {
            if (done[i]) continue;
            std::vector<std::size_t> which = {i};
            for (std::size_t j = i + 1; j < plans.size() && batched(plans[i]); ++j) {
                if (!done[j] && batched(plans[j]) && alike(plans[i], plans[j])) which.push_back(j);
            }
            if (which.size() < least_batch) which = {i};
            for (const std::size_t j : which) done[j] = true;
            if (which.size() > 1) {
                answer_batch(plans, which, answers);
            } else {
                answers[i] = single_.search(plans[i], plans[i].keep);
            }
        }
    });
    return answers;
}

/// One of the vectors by itself; its query is made ready on the device.
void Searcher::answer_one(const ScanPlan& like, const VectorQuestions& questions,
                          std::size_t number) {
    ScanPlan plan = like;
    if (like.request->weights.cosine != 0.0F) {
        const std::size_t padded = mirror_.rows().padded;
        plan.query.resize(padded);
        download(plan.query.data(), queries_.data() + number * padded, padded * sizeof(float),
                 stream_);
    }
    const ScanAnswer answer = single_.search(plan, questions.k);
    std::vector<Id> ids(questions.k, -1);
    std::vector<float> scores(questions.k, -INFINITY);
    for (std::size_t i = 0; i < answer.top.size(); ++i) {
        ids[i] = answer.top[i].id;
        scores[i] = answer.top[i].score;
    }
    upload(ids_.data() + number * questions.k, ids.data(), ids.size() * sizeof(Id), stream_);
    upload(scores_.data() + number * questions.k, scores.data(), scores.size() * sizeof(float),
           stream_);
}

void Searcher::ask_vectors(const ScanPlan& like, const VectorQuestions& questions) {
    const Rows& rows = mirror_.rows();
    const float cosine = like.request->weights.cosine;
    const float* raw = questions.vectors;
    if (!questions.on_device) {
        raw_.reserve(questions.count * questions.dim);
        upload(raw_.data(), raw, questions.count * questions.dim * sizeof(float), stream_);
        raw = raw_.data();
    }
    queries_.reserve(questions.count * std::max(rows.padded, 1U));
    faults_.reserve(1);
    fill(faults_.data(), 0, sizeof(std::uint32_t), stream_);
    run_prepare_queries(raw, questions, rows.padded, centre_.put(like.centre, stream_),
                        queries_.data(), faults_.data(), stream_);
    std::uint32_t faults = 0;
    download(&faults, faults_.data(), sizeof faults, stream_);
    if (faults != 0) {
        throw InvalidArgument("search: vector " + std::to_string(faults - 1) +
                              " has no direction (want finite numbers, and a largest element "
                              "between 1e-15 and 1e15)");
    }
    ids_.reserve(questions.count * questions.k);
    scores_.reserve(questions.count * questions.k);
    const bool batched =
        questions.count >= least_batch && cosine != 0.0F && BatchSearch::applies(rows, questions.k);
    if (!batched) {
        for (std::size_t n = 0; n < questions.count; ++n) answer_one(like, questions, n);
        return;
    }
    start_batch(like);
    const std::size_t most = batch_.most(mirror_, questions.k);
    for (std::size_t first = 0; first < questions.count; first += most) {
        batch_.ask(*like.columns, mirror_, queries_.data() + first * rows.padded,
                   std::min(most, questions.count - first), {}, questions.k, cosine, stream_);
        run_put_in_order(rows, batch_.found(), static_cast<std::uint32_t>(questions.k),
                         ids_.data() + first * questions.k, scores_.data() + first * questions.k,
                         stream_);
        for (const std::size_t n : batch_.failures(stream_)) answer_one(like, questions, first + n);
    }
}

void Searcher::search_vectors(const ScanPlan& like, const VectorQuestions& questions) {
    const std::lock_guard lock(mutex_);
    if (questions.count == 0) return;
    with_room(*like.columns, [&] { ask_vectors(like, questions); });
    const std::size_t size = questions.count * questions.k;
    if (questions.out_on_device) {
        copy_within(questions.id, ids_.data(), size * sizeof(Id), stream_);
        copy_within(questions.score, scores_.data(), size * sizeof(float), stream_);
        stream_.synchronize();
        return;
    }
    download(questions.id, ids_.data(), size * sizeof(Id), stream_);
    download(questions.score, scores_.data(), size * sizeof(float), stream_);
}

}  // namespace

std::unique_ptr<DeviceRows> make_rows() { return std::make_unique<Searcher>(); }

}  // namespace remanence::cuda
