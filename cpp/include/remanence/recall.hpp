// A recall as data: the weights, the request and the hits.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "remanence/export.hpp"
#include "remanence/types.hpp"

namespace remanence {

/// The terms of the fused score, in the order in which they are added.
enum class Term : std::uint8_t {
    bias,
    length,
    question,
    when,
    lexical,
    author,
    date,
    lift,
    activation,
    usefulness,
    importance,
    belief,
    cosine,
    subject,
    next,
    session,
    mention,
    spreading,
    triples,
    newer
};
inline constexpr int term_count = 20;
REMANENCE_API std::string_view term_name(Term term);

/// Weights of the fused score, in nats per unit of their feature. The defaults answer a question.
///
/// score = bias + sum of weight * feature + ln P(valid). Features: cosine = (q - centring * m).x, m
/// the mean of the vectors in the scopes asked, so that what is near everything counts less;
/// lexical = BM25 over words of weight idf^1.25, divided by the root of their sum; length = ln(1 +
/// min(tokens, 20)); question, when, author in {-1, 0, 1}; date = exp(-days/14) from the interval
/// that the question names; lift = activation minus that of a memory never touched again;
/// usefulness = ln((used+1)/(unused+1)); subject = 1/fan of a name that the question holds, fan =
/// memories about it; next, session, mentioned, mentioning: share of a linked seed's lead;
/// spreading = log lift of personalised PageRank from the cues; triples = ln(1 + N * PageRank) from
/// the best statements; newer: share of the way to the place above the memory that it replaces.
struct REMANENCE_API Weights {
    float bias = -9.5F;
    float cosine = 7.2F;
    float centring = 1.0F;          ///< share of the mean vector taken out of the query
    float lexical = 3.0F;           ///< turns, facts and other short statements
    float lexical_document = 1.5F;  ///< documents: longer texts
    float length = 0.18F;
    float question = -0.6F;
    float author = 0.75F;
    float date = 3.0F;
    float when = 0.9F;
    float lift = 0.1F;
    float activation = 0.0F;
    float usefulness = 0.3F;
    float importance = 1.0F;
    float next = 0.1F;
    float session = 0.5F;
    float spreading = 0.5F;
    float lexical_statement = 1.5F;  ///< entities and statements
    float subject = 2.0F;
    float mentioned = 1.2F;   ///< its subject is mentioned by a seed
    float mentioning = 0.2F;  ///< it mentions the subject of a seed
    float triples = 0.9F;
    float newer = 1.0F;

    /// Recall without a question: what is alive now.
    static Weights without_question();
    bool operator==(const Weights&) const = default;
};

/// One recall. `now` is required: the core never reads a clock.
struct REMANENCE_API Request {
    std::size_t k = 10;
    TimeNs now = 0;
    std::vector<float> vector;  ///< [dim], any length but zero; empty = no vector cue
    std::string terms;          ///< stems separated by single spaces
    std::optional<std::vector<std::uint32_t>> scopes;  ///< scopes allowed; nothing = all
    std::uint32_t kinds = 0xFF;                        ///< bit per Kind
    std::optional<TimeNs> valid_at;  ///< nothing: hide only what had ended by `now`
    std::optional<Seq> as_of;        ///< nothing: the newest commit
    float min_belief = 0.0F;
    std::optional<std::vector<Id>> allow;  ///< only these memories
    std::vector<Id> exclude;
    std::vector<std::uint32_t> authors;        ///< authors the question names
    std::vector<std::array<TimeNs, 2>> dates;  ///< half-open intervals the question names
    bool asks_when = false;
    bool asks_value = false;  ///< one current value is wanted: newer stands above what it replaces
    std::vector<Id> names;    ///< entities that the question names
    std::vector<Id> cues;     ///< memories to spread activation from
    Weights weights;
    bool explain = false;
    bool proved = false;  ///< score every row exactly, without the probabilistic first stage
    int threads = 0;      ///< 0 = the library's setting
};

/// Vectors that ask alike, and room for their answers. Each of the two lies in the memory of the
/// host or of the engine's device.
struct VectorQuestions {
    const float* vectors = nullptr;  ///< [count, dim], any length but zero
    std::size_t count = 0;
    std::size_t dim = 0;
    bool on_device = false;
    std::size_t k = 0;
    Id* id = nullptr;        ///< [count, k], -1 where there are fewer memories
    float* score = nullptr;  ///< [count, k], -inf likewise
    bool out_on_device = false;
};

/// The answer, ordered by (score descending, id ascending).
struct REMANENCE_API Hits {
    std::vector<Id> id;
    std::vector<float> score;   ///< nats
    std::vector<float> p_use;   ///< sigmoid(score - ln P(valid)) * P(valid)
    std::vector<float> belief;  ///< P(valid)
    std::vector<float> terms;   ///< [k, term_count] nats when asked for, else empty
    std::size_t scanned = 0;    ///< memories that passed the filters
};

}  // namespace remanence
