// What a store learns from feedback: how much each term of the score is worth here, and how likely
// a hit is of use.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "remanence/export.hpp"
#include "remanence/recall.hpp"
#include "remanence/types.hpp"

namespace remanence {

/// The terms whose weights are learned. Logs hold features in this order: append, never reorder.
inline constexpr std::array learned_terms = {
    Term::length,    Term::question, Term::when,       Term::lexical,
    Term::author,    Term::date,     Term::lift,       Term::cosine,
    Term::next,      Term::session,  Term::usefulness, Term::importance,
    Term::spreading, Term::subject,  Term::mention,    Term::triples};

/// Predictors of use that the mixture weighs, in this order.
enum class Expert : std::uint8_t {
    defaults,    ///< the score as it is
    calibrated,  ///< Platt: the score on another scale
    newton,      ///< Platt and the weights of the terms, by an extended Kalman filter
    adagrad      ///< the same by gradient steps
};
inline constexpr int expert_count = 4;

/// Hits of one question as the learner sees them; all in nats under the default weights.
struct REMANENCE_API Evidence {
    std::vector<float> score;     ///< [k] without ln P(valid)
    std::vector<float> features;  ///< [k, n] learned terms less their mean over the k hits
    std::vector<float> p_use;     ///< [k] calibrated
};

/// How p_use foretold the feedback, each prediction made before its outcome was known.
struct REMANENCE_API Calibration {
    static constexpr int bin_count = 10;
    std::array<std::uint64_t, bin_count> count{};  ///< predictions in [i/10, (i+1)/10)
    std::array<double, bin_count> predicted{};     ///< their sum
    std::array<std::uint64_t, bin_count> used{};
    double squares = 0.0;                       ///< summed (p - outcome)^2
    double loss = 0.0;                          ///< summed -ln p(outcome)
    std::array<double, expert_count> losses{};  ///< the same of each expert alone
};

/// Learns online from (evidence, used or not), one event after the other; equal histories give
/// equal bits. An expert's logit is B + A * (score + sum of e_j * feature_j): features are centred
/// on the hits that were shown together, so that only the choice among them moves the weights.
/// Four experts are mixed by their likelihood, hence loss <= min(losses) + ln 4 for any history.
/// Source: Vovk 1990 for the mixture; docs/decisions/0008 for the rest.
class REMANENCE_API Learner {
public:
    Learner();

    /// What `terms` [k, term_count], scored under these factors, say. belief: P(valid) [k].
    Evidence weigh(View<const float> terms, View<const float> belief) const;
    /// One outcome. features: [up to n], what is left out is 0. Throws InvalidArgument.
    void learn(float score, View<const float> features, float belief, bool used);

    /// [n] what the default weight of each learned term is multiplied by, in [0.1, 3].
    std::vector<double> factors() const;
    std::array<double, expert_count> shares() const;  ///< of the mixture; they sum to 1
    const Calibration& calibration() const { return calibration_; }
    std::uint64_t used() const { return used_; }
    std::uint64_t unused() const { return unused_; }

    std::string save() const;
    /// Throws CorruptData.
    static Learner load(std::string_view bytes);

private:
    struct Filter {
        std::vector<double> weights;     // B, A, e_j
        std::vector<double> covariance;  // square, row-major
    };
    static constexpr std::size_t width = 2 + learned_terms.size();
    std::array<double, expert_count> logits(double score, View<const float> features) const;

    Filter calibrated_;
    Filter newton_;
    std::vector<double> gradient_weights_;
    std::vector<double> gradient_squares_;
    Calibration calibration_;
    std::uint64_t used_ = 0;
    std::uint64_t unused_ = 0;
};

}  // namespace remanence
