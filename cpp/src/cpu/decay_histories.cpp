// The decay laws that read whole histories: many rows' accesses at a time through the lanes.
#include "cpu/decay_histories.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

#include "cpu/kernels_decay.hpp"

namespace remanence::cpu {
namespace {

constexpr std::size_t accesses_per_group = 2048;  // their terms stay in the cache

/// Whether rows [first, first + n) own ascending times inside the column.
template <class T>
bool well_formed(const DecayColumns<T>& c, std::size_t first, std::size_t n) {
    const auto m = static_cast<std::int64_t>(c.access_times.size());
    if (first == 0 && c.offsets[0] != 0) return false;
    if (first + n + 1 == c.offsets.size() && c.offsets[first + n] != m) return false;
    for (std::size_t i = first; i < first + n; ++i) {
        const std::int64_t begin = c.offsets[i];
        const std::int64_t end = c.offsets[i + 1];
        if (begin < 0 || begin > end || end > m) return false;
        if (!std::is_sorted(c.access_times.data() + begin, c.access_times.data() + end)) {
            return false;
        }
    }
    return true;
}

/// Consecutive rows with the accesses that a law reads of each: the youngest `most`.
struct Group {
    std::size_t first = 0;
    std::size_t count = 0;
    std::vector<std::size_t> begin;  ///< [count + 1] into `times`
    std::vector<TimeNs> times;
};

template <class T>
std::size_t held_by(const DecayColumns<T>& c, std::size_t row) {
    return static_cast<std::size_t>(c.offsets[row + 1] - c.offsets[row]);
}

template <class T>
void gather(const DecayColumns<T>& c, std::size_t first, std::size_t end, std::size_t most,
            Group& group) {
    group.first = first;
    group.begin.assign(1, 0);
    group.times.clear();
    std::size_t row = first;
    for (; row < end && (row == first || group.times.size() < accesses_per_group); ++row) {
        const TimeNs* const stop = c.access_times.data() + c.offsets[row + 1];
        group.times.insert(group.times.end(), stop - std::min(most, held_by(c, row)), stop);
        group.begin.push_back(group.times.size());
    }
    group.count = row - first;
}

double sum_of(const double* terms, std::size_t begin, std::size_t end) {
    double sum = 0.0;
    for (std::size_t j = begin; j < end; ++j) sum += terms[j];
    return sum;
}

/// Calls `score(group, sums)` for groups of rows; ln of what it leaves in `sums` [count], plus
/// what it leaves in `tops`, is the activation of every row with an access.
template <class T, class Score>
bool in_groups(const DecayColumns<T>& c, std::size_t first, View<T> out, std::size_t most,
               const Score& score) {
    if (!well_formed(c, first, out.size())) return false;
    Group group;
    std::vector<double> sums, tops;
    const std::size_t end = first + out.size();
    for (std::size_t row = first; row < end; row += group.count) {
        gather(c, row, end, most, group);
        sums.assign(group.count, 1.0);
        tops.assign(group.count, 0.0);
        score(group, sums, tops);
        decay_kernels().log(sums.data(), group.count);
        for (std::size_t r = 0; r < group.count; ++r) {
            const bool never = group.begin[r] == group.begin[r + 1];
            out[row - first + r] = static_cast<T>(never ? least_activation : tops[r] + sums[r]);
        }
    }
    return true;
}

}  // namespace

template <class T>
bool decay_histories(const DecayColumns<T>& c, TimeNs now, std::size_t first, View<T> out,
                     const ActrExact& law) {
    const DecayKernels& k = decay_kernels();
    std::vector<double> terms;
    return in_groups(c, first, out, SIZE_MAX, [&](const Group& g, auto& sums, auto& tops) {
        const std::size_t m = g.times.size();
        terms.resize(m);
        k.power_terms(law.d, g.times.data(), now, m, terms.data());
        for (std::size_t r = 0; r < g.count; ++r) {
            if (g.begin[r] == g.begin[r + 1]) continue;
            // The youngest access has the largest term; taking it out keeps exp in range.
            tops[r] = terms[g.begin[r + 1] - 1];
            for (std::size_t j = g.begin[r]; j < g.begin[r + 1]; ++j) terms[j] -= tops[r];
        }
        k.exp(terms.data(), m);
        for (std::size_t r = 0; r < g.count; ++r) {
            if (g.begin[r] < g.begin[r + 1]) {
                sums[r] = sum_of(terms.data(), g.begin[r], g.begin[r + 1]);
            }
        }
    });
}

template <class T>
bool decay_histories(const DecayColumns<T>& c, TimeNs now, std::size_t first, View<T> out,
                     const PetrovHybrid& law) {
    const DecayKernels& k = decay_kernels();
    std::vector<double> terms, age_k, age_n, tails;
    return in_groups(c, first, out, law.recent, [&](const Group& g, auto& sums, auto& tops) {
        const std::size_t m = g.times.size();
        terms.resize(m);
        k.power_terms(law.d, g.times.data(), now, m, terms.data());
        k.exp(terms.data(), m);
        age_k.assign(g.count, 1.0);
        age_n.assign(g.count, 1.0);
        tails.resize(g.count);
        for (std::size_t r = 0; r < g.count; ++r) {
            if (g.begin[r] == g.begin[r + 1]) continue;
            age_k[r] = power_age_s(g.times[g.begin[r]], now);
            age_n[r] = power_age_s(c.created[g.first + r], now);
        }
        k.tail_means(law.d, age_k.data(), age_n.data(), g.count, tails.data());
        for (std::size_t r = 0; r < g.count; ++r) {
            const std::size_t kept = g.begin[r + 1] - g.begin[r];
            const std::size_t all = c.accesses[g.first + r];
            if (kept == 0) continue;
            if (all == 0) {
                tops[r] = least_activation;
                continue;
            }
            sums[r] = sum_of(terms.data(), g.begin[r], g.begin[r + 1]);
            if (all > kept) sums[r] += static_cast<double>(all - kept) * tails[r];
        }
    });
}

template <class T>
bool decay_histories(const DecayColumns<T>& c, TimeNs now, std::size_t first, View<T> out,
                     const PavlikAnderson& law) {
    const DecayKernels& k = decay_kernels();
    std::vector<double> decay;
    std::vector<TimeNs> times;
    return in_groups(c, first, out, SIZE_MAX, [&](const Group& g, auto& sums, auto& /*tops*/) {
        for (std::size_t r = 0; r < g.count; r += k.lanes) {
            const std::size_t rows = std::min(k.lanes, g.count - r);
            std::array<double, most_lanes> accesses{}, strengths{};
            std::size_t most = 0;
            for (std::size_t lane = 0; lane < rows; ++lane) {
                const std::size_t n = g.begin[r + lane + 1] - g.begin[r + lane];
                accesses[lane] = static_cast<double>(n);
                most = std::max(most, n);
            }
            times.assign(most * k.lanes, now);
            decay.resize(most * k.lanes);
            for (std::size_t lane = 0; lane < rows; ++lane) {
                for (std::size_t j = g.begin[r + lane]; j < g.begin[r + lane + 1]; ++j) {
                    times[(j - g.begin[r + lane]) * k.lanes + lane] = g.times[j];
                }
            }
            k.spaced(law.c, law.a, law.d_max, times.data(), accesses.data(), most, now,
                     decay.data(), strengths.data());
            for (std::size_t lane = 0; lane < rows; ++lane) {
                if (accesses[lane] > 0.0) sums[r + lane] = strengths[lane];
            }
        }
    });
}

#define REMANENCE_HISTORIES(Law)                                                                  \
    template bool decay_histories(const DecayColumns<float>&, TimeNs, std::size_t, View<float>,   \
                                  const Law&);                                                    \
    template bool decay_histories(const DecayColumns<double>&, TimeNs, std::size_t, View<double>, \
                                  const Law&)
REMANENCE_HISTORIES(ActrExact);
REMANENCE_HISTORIES(PetrovHybrid);
REMANENCE_HISTORIES(PavlikAnderson);
#undef REMANENCE_HISTORIES

}  // namespace remanence::cpu
