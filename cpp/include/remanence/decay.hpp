// The decay laws, one struct each: fields, formula and source; and the verb that applies them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "remanence/decay_math.hpp"

namespace remanence {

/// What is known of one memory; each law reads the fields that its `reads` names. T is float (the
/// precision that the engine stores and ranks by) or double.
template <class T>
struct DecayRow {
    const TimeNs* access_times = nullptr;  ///< ascending
    std::size_t access_count = 0;          ///< length of access_times
    double* scratch = nullptr;             ///< room for access_count numbers
    std::uint32_t accesses = 0;            ///< accesses in the whole life
    TimeNs created = 0;
    TimeNs last_access = 0;
    const T* trace = nullptr;  ///< [12]
    T stability{};             ///< days
};

/// Columns of DecayRow that a law reads.
namespace column {
inline constexpr unsigned access_times = 1;
inline constexpr unsigned accesses = 2;
inline constexpr unsigned created = 4;
inline constexpr unsigned last_access = 8;
inline constexpr unsigned trace = 16;
inline constexpr unsigned stability = 32;
}  // namespace column

inline constexpr double least_age_s = 1e-9;  ///< an unshifted power law has no value at age 0
inline constexpr std::uint64_t ns_per_day = 86'400'000'000'000;

/// Age in seconds for an unshifted power law: at least one nanosecond.
REMANENCE_LANE_FN double power_age_s(TimeNs from, TimeNs to) {
    const double age_s = elapsed_s(from, to);
    return age_s < least_age_s ? least_age_s : age_s;
}

/// B = ln sum_j a_j^-d over the ages a_j in seconds of all accesses.
/// Source: Anderson & Schooler 1991; ACT-R base-level learning, exact form.
struct ActrExact {
    static constexpr const char* name = "ActrExact";
    static constexpr unsigned reads = column::access_times;
    double d = 0.5;  ///< decay exponent, > 0

    template <class T>
    REMANENCE_HD double activation(const DecayRow<T>& row, TimeNs now) const {
        if (row.access_count == 0) return least_activation;
        const TimeNs* times = row.access_times;
        // The youngest access has the largest term; taking it out keeps exp in range.
        const double top = -d * canonical_log(power_age_s(times[row.access_count - 1], now));
        double sum = 0.0;
        for (std::size_t j = 0; j < row.access_count; ++j) {
            sum += canonical_exp(-d * canonical_log(power_age_s(times[j], now)) - top);
        }
        return top + canonical_log(sum);
    }
};

/// B = ln(n / (1 - d)) - d ln L: accesses spread evenly over the lifetime L in seconds. It knows
/// no recency, and is not monotone in d.
/// Source: Anderson & Lebiere 1998, optimized learning; defect: Fisher, Houpt & Gunzelmann 2018.
struct ActrOptimized {
    static constexpr const char* name = "ActrOptimized";
    static constexpr unsigned reads = column::accesses | column::created;
    double d = 0.5;  ///< decay exponent, 0 < d < 1

    template <class T>
    REMANENCE_HD double activation(const DecayRow<T>& row, TimeNs now) const {
        if (row.accesses == 0) return least_activation;
        return canonical_log(static_cast<double>(row.accesses) / (1.0 - d)) -
               d * canonical_log(power_age_s(row.created, now));
    }
};

/// The `recent` youngest accesses exactly, the n - k older ones as if spread evenly between the
/// k-th age a_k and the lifetime a_n:
/// B = ln(sum_{j<=k} a_j^-d + (n - k) (a_n^(1-d) - a_k^(1-d)) / ((1 - d)(a_n - a_k))).
/// Unbounded error on bursts. Source: Petrov 2006, ICCM.
struct PetrovHybrid {
    static constexpr const char* name = "PetrovHybrid";
    static constexpr unsigned reads = column::access_times | column::accesses | column::created;
    double d = 0.5;            ///< decay exponent, 0 < d < 1
    std::uint32_t recent = 4;  ///< k, accesses kept exactly; access_times may hold only these

    template <class T>
    REMANENCE_HD double activation(const DecayRow<T>& row, TimeNs now) const {
        if (row.accesses == 0 || row.access_count == 0) return least_activation;
        const std::size_t k = row.access_count < recent ? row.access_count : recent;
        const TimeNs* times = row.access_times + (row.access_count - k);
        double sum = 0.0;
        for (std::size_t j = 0; j < k; ++j) {
            sum += canonical_pow(power_age_s(times[j], now), -d);
        }
        if (row.accesses > k) {
            const double age_k = power_age_s(times[0], now);
            sum += static_cast<double>(row.accesses - k) *
                   tail_mean(age_k, power_age_s(row.created, now));
        }
        return canonical_log(sum);
    }

    /// Mean of a^-d over [age_k, age_n], as age_k^-d expm1((1-d) log1p(x)) / ((1-d) x) with
    /// x = (age_n - age_k) / age_k: the plain quotient is 0/0 where the ages meet.
    REMANENCE_HD double tail_mean(double age_k, double age_n) const {
        const double x = (age_n - age_k) / age_k;
        const double start = canonical_pow(age_k, -d);
        if (!(x > 0.0)) return start;
        const double rest = 1.0 - d;
        return start * canonical_expm1(rest * canonical_log1p(x)) / (rest * x);
    }
};

/// The shifted power law (1 + t/1s)^-d summed over all accesses, held as 12 exponential traces:
/// O(1) update in any order, exact merging, error at most power_trace_error(d) nats.
/// Source: kernel: Wixted & Carpenter 2007; exponential sums: Beylkin & Monzon 2005.
struct PowerTrace {
    static constexpr const char* name = "PowerTrace";
    static constexpr unsigned reads = column::trace | column::last_access;
    double d = 0.5;  ///< decay exponent, a multiple of 0.05 in [0.05, 1]
};

/// m = ln sum_j (1 + a_j)^-d_j, where an access made while the memory is active decays faster:
/// d_1 = a, d_j = min(a + c e^(m just before access j), d_max). O(n^2) per memory.
/// Source: Pavlik & Anderson 2005, Cogn. Sci. 29:559, with the shifted kernel.
struct PavlikAnderson {
    static constexpr const char* name = "PavlikAnderson";
    static constexpr unsigned reads = column::access_times;
    double c = 0.217;  ///< decay scale, >= 0
    double a = 0.177;  ///< decay intercept, > 0
    double d_max = 1.0;

    template <class T>
    REMANENCE_HD double activation(const DecayRow<T>& row, TimeNs now) const {
        if (row.access_count == 0) return least_activation;
        double* decay = row.scratch;
        decay[0] = a < d_max ? a : d_max;
        for (std::size_t j = 1; j < row.access_count; ++j) {
            const double next = a + c * strength(row.access_times, decay, j, row.access_times[j]);
            decay[j] = next < d_max ? next : d_max;
        }
        return canonical_log(strength(row.access_times, decay, row.access_count, now));
    }

    /// e^m at time `at` from the first `count` accesses.
    REMANENCE_HD static double strength(const TimeNs* times, const double* decay, std::size_t count,
                                        TimeNs at) {
        double sum = 0.0;
        for (std::size_t j = 0; j < count; ++j) {
            sum += canonical_exp(-decay[j] * canonical_log1p(elapsed_s(times[j], at)));
        }
        return sum;
    }
};

/// R = 2^(-t / H); a use at retention R makes the half-life H grow by 1 + growth (1 - R) times, a
/// failure shrinks it. The activation is ln R, so rows of one H never change their order.
/// Source: Ebbinghaus 1885; growth by spacing after MemoryBank (Zhong et al. 2023).
struct Exponential {
    static constexpr const char* name = "Exponential";
    static constexpr unsigned reads = column::stability | column::last_access;
    double initial_half_life_days = 1.0;
    double growth = 1.0;  ///< >= 0
    double shrink = 0.5;  ///< in (0, 1]
    double min_half_life_days = 1.0 / 24.0;
    double max_half_life_days = 36'500.0;

    /// ln R, at most 0.
    REMANENCE_HD static double log_retention(double half_life_days, double elapsed_days) {
        return -elapsed_days / half_life_days * ln2;
    }
    REMANENCE_HD static double retention(double half_life_days, double elapsed_days) {
        return canonical_exp(log_retention(half_life_days, elapsed_days));
    }
    /// The half-life after a use (`success`) or a failure.
    REMANENCE_HD double next_half_life(double half_life_days, double elapsed_days,
                                       bool success) const {
        const double forgotten = -canonical_expm1(log_retention(half_life_days, elapsed_days));
        const double next = half_life_days * (success ? 1.0 + growth * forgotten : shrink);
        const double low = next < min_half_life_days ? min_half_life_days : next;
        return low > max_half_life_days ? max_half_life_days : low;
    }
    template <class T>
    REMANENCE_HD double activation(const DecayRow<T>& row, TimeNs now) const {
        return log_retention(static_cast<double>(row.stability), days(row.last_access, now));
    }
    REMANENCE_HD static double days(TimeNs from, TimeNs to) {
        return elapsed_s(from, to) / 86'400.0;
    }

    static constexpr double ln2 = 0.69314718055994530942;
};

/// Stability (days until R falls to 0.9) and difficulty (1 to 10) of one memory.
struct FsrsState {
    double stability = 0.0;
    double difficulty = 0.0;
};

/// R = (1 + factor t / S)^-w20 with factor = 0.9^(-1/w20) - 1, t and S in days; S and the
/// difficulty D change with each graded review. The activation is ln R.
/// Source: FSRS-6, open-spaced-repetition, as in the Python package fsrs 6.3.
struct Fsrs6 {
    static constexpr const char* name = "Fsrs6";
    static constexpr unsigned reads = column::stability | column::last_access;
    /// w0 ... w20; the defaults are those of FSRS-6.
    double w[21] = {0.212,  1.2931, 2.3065, 8.2956, 6.4133, 0.8334, 3.0194,
                    0.001,  1.8722, 0.1666, 0.796,  1.4835, 0.0614, 0.2629,
                    1.6483, 0.6014, 1.8729, 0.5425, 0.0912, 0.0658, 0.1542};
    bool floor_days = false;  ///< count whole days only, as the Python package does

    static constexpr int again = 1, hard = 2, good = 3, easy = 4;
    static constexpr double least_stability = 0.001;
    static constexpr double most_interval_days = 36'500.0;

    REMANENCE_HD double days(TimeNs from, TimeNs to) const {
        const std::uint64_t ns = elapsed_ns(from, to);
        const std::uint64_t whole = ns / ns_per_day;
        if (floor_days) return static_cast<double>(whole);
        return static_cast<double>(ns) / static_cast<double>(ns_per_day);
    }
    REMANENCE_HD double factor() const { return canonical_pow(0.9, -1.0 / w[20]) - 1.0; }
    REMANENCE_HD double log_retrievability(double stability, double elapsed_days) const {
        return -w[20] * canonical_log1p(factor() * elapsed_days / stability);
    }
    /// R in (0, 1]; R = 0.9 where elapsed_days = stability.
    REMANENCE_HD double retrievability(double stability, double elapsed_days) const {
        return canonical_exp(log_retrievability(stability, elapsed_days));
    }
    /// Days until R falls to `retention`, rounded to whole days (ties to even), 1 to 36500.
    REMANENCE_HD double interval_days(double stability, double retention) const {
        const double raw =
            stability / factor() * canonical_expm1(-canonical_log(retention) / w[20]);
        const double capped = raw < most_interval_days ? raw : most_interval_days;
        const double whole = lanes::round_f64(capped).value;
        return whole < 1.0 ? 1.0 : whole;
    }
    /// The state after the first review, grade 1 (again) to 4 (easy).
    REMANENCE_HD FsrsState first(int grade) const {
        return {at_least(w[grade - 1], least_stability), within(initial_difficulty(grade))};
    }
    /// The state after a later review. Stability moves by the old difficulty and the
    /// retrievability just before the review.
    REMANENCE_HD FsrsState review(FsrsState old, double elapsed_days, int grade) const {
        const double next = elapsed_days < 1.0 ? same_day(old.stability, grade)
                            : grade == again   ? lapse(old, elapsed_days)
                                               : recall(old, elapsed_days, grade);
        return {at_least(next, least_stability), next_difficulty(old.difficulty, grade)};
    }
    template <class T>
    REMANENCE_HD double activation(const DecayRow<T>& row, TimeNs now) const {
        return log_retrievability(static_cast<double>(row.stability), days(row.last_access, now));
    }

private:
    REMANENCE_HD static double at_least(double x, double low) { return x < low ? low : x; }
    REMANENCE_HD static double within(double difficulty) {
        return at_least(difficulty > 10.0 ? 10.0 : difficulty, 1.0);
    }
    REMANENCE_HD double initial_difficulty(int grade) const {
        return w[4] - canonical_exp(w[5] * (grade - 1)) + 1.0;
    }
    REMANENCE_HD double next_difficulty(double old, int grade) const {
        const double damped = old + (10.0 - old) * (-w[6] * (grade - 3)) / 9.0;
        return within(w[7] * initial_difficulty(easy) + (1.0 - w[7]) * damped);
    }
    REMANENCE_HD double same_day(double s, int grade) const {
        const double growth = canonical_exp(w[17] * (grade - 3 + w[18])) * canonical_pow(s, -w[19]);
        return s * (grade >= hard ? at_least(growth, 1.0) : growth);
    }
    REMANENCE_HD double lapse(FsrsState old, double elapsed_days) const {
        const double r = retrievability(old.stability, elapsed_days);
        const double forgotten = w[11] * canonical_pow(old.difficulty, -w[12]) *
                                 (canonical_pow(old.stability + 1.0, w[13]) - 1.0) *
                                 canonical_exp((1.0 - r) * w[14]);
        const double cap = old.stability / canonical_exp(w[17] * w[18]);
        return forgotten < cap ? forgotten : cap;
    }
    REMANENCE_HD double recall(FsrsState old, double elapsed_days, int grade) const {
        const double r = retrievability(old.stability, elapsed_days);
        const double bonus = grade == hard ? w[15] : grade == easy ? w[16] : 1.0;
        return old.stability * (1.0 + canonical_exp(w[8]) * (11.0 - old.difficulty) *
                                          canonical_pow(old.stability, -w[9]) *
                                          canonical_expm1((1.0 - r) * w[10]) * bonus);
    }
};

/// Every law; the host visits it once per call, never once per row.
using DecayLaw = std::variant<PowerTrace, Fsrs6, Exponential, ActrExact, ActrOptimized,
                              PetrovHybrid, PavlikAnderson>;

/// The columns of n memories; a law reads only those it names.
template <class T>
struct DecayColumns {
    View<const TimeNs> access_times;     ///< [m] ascending within each memory
    View<const std::int64_t> offsets;    ///< [n + 1] memory i owns [offsets[i], offsets[i + 1])
    View<const std::uint32_t> accesses;  ///< [n]
    View<const TimeNs> created;          ///< [n]
    View<const TimeNs> last_access;      ///< [n]
    View<const T> trace;                 ///< [n, 12] row-major, as of last_access
    View<const T> stability;             ///< [n] days, > 0: S of Fsrs6, H of Exponential
};

/// Throws InvalidArgument if a field of the law is out of its range.
REMANENCE_API void check_law(const DecayLaw& law);

/// Activation [n] in nats of every memory at `now`. Accesses after `now` count as at `now`; a
/// memory that was never accessed gets least_activation. Float gives the bits that recall uses.
/// Throws InvalidArgument if a column the law reads is missing, misshapen or out of range; the
/// content of `activation` is then undefined, since values are checked while they are read.
/// `backend` is one of available_backends(), or "auto"; throws BackendUnavailable with the reason.
REMANENCE_API void decay(const DecayLaw& law, const DecayColumns<float>& columns, TimeNs now,
                         View<float> activation, std::string_view backend = "cpu");
REMANENCE_API void decay(const DecayLaw& law, const DecayColumns<double>& columns, TimeNs now,
                         View<double> activation, std::string_view backend = "cpu");
/// The same where the columns and `activation` lie on the backend's device, which checks them.
REMANENCE_API void decay_on_device(const DecayLaw& law, const DecayColumns<float>& columns,
                                   TimeNs now, View<float> activation, const std::string& backend);
REMANENCE_API void decay_on_device(const DecayLaw& law, const DecayColumns<double>& columns,
                                   TimeNs now, View<double> activation, const std::string& backend);

}  // namespace remanence
