// The learner: a Kalman filter, gradient steps and two fixed rules, mixed by their likelihood.
#include "remanence/learning.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "remanence/canonical.hpp"
#include "remanence/decay_math.hpp"

#include "core/check.hpp"

namespace remanence {
namespace {

constexpr std::size_t terms = learned_terms.size();
constexpr double least_p = 1e-6;  // an expert never bets everything
constexpr double least_curvature = 1e-4;
constexpr double far = 30.0;            // logits beyond this are as sure as a double can say
constexpr double shift_variance = 4.0;  // priors of B, A and e_j: default weights are no accident
constexpr double scale_variance = 0.25;
constexpr double term_variance = 0.01;
constexpr double shift_step = 0.2;
constexpr double scale_step = 0.1;
constexpr double term_step = 0.02;
constexpr double most_shift = 20.0;
constexpr double least_scale = 0.05;
constexpr double most_scale = 5.0;
constexpr double least_change = -0.9;
constexpr double most_change = 2.0;
constexpr double most_evidence = 1e3;  // nats; importance alone can say more

std::vector<double> start(std::size_t width) {
    std::vector<double> weights(width, 0.0);
    weights[1] = 1.0;
    return weights;
}

double variance_of(std::size_t i) {
    return i == 0 ? shift_variance : i == 1 ? scale_variance : term_variance;
}

void keep_in_bounds(std::vector<double>& weights) {
    weights[0] = std::clamp(weights[0], -most_shift, most_shift);
    weights[1] = std::clamp(weights[1], least_scale, most_scale);
    for (std::size_t i = 2; i < weights.size(); ++i) {
        weights[i] = std::clamp(weights[i], least_change, most_change);
    }
}

/// score + sum of e_j * feature_j, the part of a logit before Platt's A and B.
double ranked(const std::vector<double>& weights, double score, View<const float> features) {
    double sum = score;
    for (std::size_t j = 2; j < weights.size(); ++j) {
        sum = sum + weights[j] * static_cast<double>(features[j - 2]);
    }
    return sum;
}

double logit(const std::vector<double>& weights, double score, View<const float> features) {
    return weights[0] + weights[1] * ranked(weights, score, features);
}

double sigmoid(double z) { return 1.0 / (1.0 + canonical_exp(-std::clamp(z, -far, far))); }

double probability(double z) { return std::clamp(sigmoid(z), least_p, 1.0 - least_p); }

/// d logit / d weights.
std::vector<double> gradient(const std::vector<double>& weights, double score,
                             View<const float> features) {
    std::vector<double> out(weights.size());
    out[0] = 1.0;
    out[1] = ranked(weights, score, features);
    for (std::size_t j = 2; j < out.size(); ++j) {
        out[j] = weights[1] * static_cast<double>(features[j - 2]);
    }
    return out;
}

/// Slope and expected curvature of the log-likelihood in the logit, where P(used) = belief * p.
struct Slope {
    double first = 0.0;
    double second = 0.0;
};

Slope slope_of(double p, double belief, bool used) {
    const double rest = 1.0 - p;
    const double missed = std::max(1.0 - belief * p, least_p);
    const double second = belief * p * rest * rest / missed;
    return {used ? rest : -(belief * p * rest / missed), std::max(second, least_curvature)};
}

void kalman_step(std::vector<double>& weights, std::vector<double>& covariance,
                 const std::vector<double>& x, Slope slope) {
    const std::size_t n = weights.size();
    std::vector<double> gain(n, 0.0);
    double spread = 0.0;
    for (std::size_t i = 0; i < n; ++i) {
        for (std::size_t j = 0; j < n; ++j) gain[i] = gain[i] + covariance[i * n + j] * x[j];
        spread = spread + x[i] * gain[i];
    }
    const double shrink = 1.0 + slope.second * spread;
    for (std::size_t i = 0; i < n; ++i) {
        for (std::size_t j = 0; j < n; ++j) {
            covariance[i * n + j] =
                covariance[i * n + j] - slope.second * (gain[i] * gain[j]) / shrink;
        }
        weights[i] = weights[i] + gain[i] * (slope.first / shrink);
    }
    keep_in_bounds(weights);
}

void gradient_step(std::vector<double>& weights, std::vector<double>& squares,
                   const std::vector<double>& x, double slope) {
    for (std::size_t i = 0; i < weights.size(); ++i) {
        const double g = slope * x[i];
        squares[i] = squares[i] + g * g;
        const double step = i == 0 ? shift_step : i == 1 ? scale_step : term_step;
        weights[i] = weights[i] + step * g / std::sqrt(squares[i]);
    }
    keep_in_bounds(weights);
}

std::array<double, expert_count> shares_of(const std::array<double, expert_count>& losses) {
    const double least = *std::min_element(losses.begin(), losses.end());
    std::array<double, expert_count> shares{};
    double sum = 0.0;
    for (std::size_t k = 0; k < shares.size(); ++k) {
        shares[k] = canonical_exp(std::max(least - losses[k], -700.0));
        sum = sum + shares[k];
    }
    for (double& share : shares) share = share / sum;
    return shares;
}

double mixed(const std::array<double, expert_count>& shares,
             const std::array<double, expert_count>& logits) {
    double p = 0.0;
    for (std::size_t k = 0; k < shares.size(); ++k) p = p + shares[k] * probability(logits[k]);
    return p;
}

double kept(double nats) { return std::clamp(nats, -most_evidence, most_evidence); }

double loss_of(double p, bool used) { return -canonical_log(used ? p : 1.0 - p); }

}  // namespace

Learner::Learner() : gradient_weights_(start(width)), gradient_squares_(width, 1e-6) {
    for (auto* const filter : {&calibrated_, &newton_}) {
        const std::size_t n = filter == &calibrated_ ? 2 : width;
        filter->weights = start(n);
        filter->covariance.assign(n * n, 0.0);
        for (std::size_t i = 0; i < n; ++i) filter->covariance[i * n + i] = variance_of(i);
    }
}

std::array<double, expert_count> Learner::logits(double score, View<const float> features) const {
    return {score, logit(calibrated_.weights, score, features),
            logit(newton_.weights, score, features), logit(gradient_weights_, score, features)};
}

std::array<double, expert_count> Learner::shares() const { return shares_of(calibration_.losses); }

std::vector<double> Learner::factors() const {
    const auto share = shares();
    std::vector<double> out(terms);
    for (std::size_t j = 0; j < terms; ++j) {
        const double changed =
            share[static_cast<std::size_t>(Expert::newton)] * newton_.weights[j + 2];
        out[j] = 1.0 + (changed + share[static_cast<std::size_t>(Expert::adagrad)] *
                                      gradient_weights_[j + 2]);
    }
    return out;
}

Evidence Learner::weigh(View<const float> values, View<const float> belief) const {
    const std::size_t rows = belief.size();
    check_length("weigh", "terms", values.size(), rows * term_count);
    std::array<double, term_count> factor;
    factor.fill(1.0);
    const auto learned = factors();
    for (std::size_t j = 0; j < terms; ++j) {
        factor[static_cast<std::size_t>(learned_terms[j])] =
            static_cast<double>(static_cast<float>(learned[j]));
    }
    factor[static_cast<std::size_t>(Term::belief)] = 0.0;
    Evidence out;
    out.features.resize(rows * terms);
    std::vector<double> plain(rows * terms);
    std::array<double, terms> mean{};
    for (std::size_t i = 0; i < rows; ++i) {
        double score = 0.0;
        for (std::size_t t = 0; t < term_count; ++t) {
            if (factor[t] != 0.0) {
                score = score + static_cast<double>(values[i * term_count + t]) / factor[t];
            }
        }
        out.score.push_back(static_cast<float>(kept(score)));
        for (std::size_t j = 0; j < terms; ++j) {
            const auto t = static_cast<std::size_t>(learned_terms[j]);
            plain[i * terms + j] =
                kept(static_cast<double>(values[i * term_count + t]) / factor[t]);
            mean[j] = mean[j] + plain[i * terms + j];
        }
    }
    for (std::size_t i = 0; i < rows * terms; ++i) {
        out.features[i] =
            static_cast<float>(plain[i] - mean[i % terms] / static_cast<double>(rows));
    }
    const auto share = shares();
    for (std::size_t i = 0; i < rows; ++i) {
        const View<const float> features(&out.features[i * terms], terms);
        const double p = mixed(share, logits(static_cast<double>(out.score[i]), features));
        out.p_use.push_back(static_cast<float>(p * static_cast<double>(belief[i])));
    }
    return out;
}

void Learner::learn(float score, View<const float> features, float belief, bool used) {
    check(features.size() <= terms, "learn", [&] {
        return "features has the wrong length (got " + std::to_string(features.size()) +
               ", want at most " + std::to_string(terms) + ")";
    });
    check_unit_interval("learn", "belief", belief);
    std::array<float, terms> x{};
    std::copy(features.begin(), features.end(), x.begin());
    const auto tame = [](float value) { return std::abs(value) <= 2.0 * most_evidence; };
    check(tame(score) && std::all_of(x.begin(), x.end(), tame), "learn",
          [] { return "score and features must be finite, within 2000 nats"; });
    const auto z = static_cast<double>(score);
    const auto b = static_cast<double>(belief);
    const auto said = logits(z, x);
    Calibration& r = calibration_;
    const double p = b * mixed(shares(), said);
    const auto bin = static_cast<std::size_t>(
        std::min(p * Calibration::bin_count, Calibration::bin_count - 1.0));
    ++r.count[bin];
    r.predicted[bin] = r.predicted[bin] + p;
    r.used[bin] += used ? 1U : 0U;
    const double miss = p - (used ? 1.0 : 0.0);
    r.squares = r.squares + miss * miss;
    r.loss = r.loss + loss_of(p, used);
    for (std::size_t k = 0; k < said.size(); ++k) {
        r.losses[k] = r.losses[k] + loss_of(b * probability(said[k]), used);
    }
    for (auto* const filter : {&calibrated_, &newton_}) {
        const double chance =
            probability(said[filter == &calibrated_ ? static_cast<std::size_t>(Expert::calibrated)
                                                    : static_cast<std::size_t>(Expert::newton)]);
        kalman_step(filter->weights, filter->covariance, gradient(filter->weights, z, x),
                    slope_of(chance, b, used));
    }
    const double chance = probability(said[static_cast<std::size_t>(Expert::adagrad)]);
    gradient_step(gradient_weights_, gradient_squares_, gradient(gradient_weights_, z, x),
                  slope_of(chance, b, used).first);
    ++(used ? used_ : unused_);
}

namespace {

constexpr std::uint64_t layout = 0x4C524E01;  // "LRN", version 1

void put(std::string& out, const void* data, std::size_t bytes) {
    out.append(static_cast<const char*>(data), bytes);
}

void take(std::string_view& in, void* data, std::size_t bytes) {
    if (in.size() < bytes) throw CorruptData("learner: its state is cut short");
    std::memcpy(data, in.data(), bytes);
    in.remove_prefix(bytes);
}

}  // namespace

std::string Learner::save() const {
    std::string out;
    const std::array<std::uint64_t, 4> head = {layout, terms, used_, unused_};
    put(out, head.data(), sizeof head);
    for (const auto* const part : {&calibrated_.weights, &calibrated_.covariance, &newton_.weights,
                                   &newton_.covariance, &gradient_weights_, &gradient_squares_}) {
        put(out, part->data(), part->size() * sizeof(double));
    }
    put(out, &calibration_, sizeof calibration_);
    return out;
}

Learner Learner::load(std::string_view bytes) {
    Learner out;
    std::array<std::uint64_t, 4> head{};
    take(bytes, head.data(), sizeof head);
    if (head[0] != layout || head[1] != terms) {
        throw CorruptData("learner: its state has another layout");
    }
    out.used_ = head[2];
    out.unused_ = head[3];
    for (auto* const part :
         {&out.calibrated_.weights, &out.calibrated_.covariance, &out.newton_.weights,
          &out.newton_.covariance, &out.gradient_weights_, &out.gradient_squares_}) {
        take(bytes, part->data(), part->size() * sizeof(double));
    }
    take(bytes, &out.calibration_, sizeof out.calibration_);
    if (!bytes.empty()) throw CorruptData("learner: its state is too long");
    return out;
}

}  // namespace remanence
