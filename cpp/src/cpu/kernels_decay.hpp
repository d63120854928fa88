// The inner loops of the verb `decay`, compiled once per instruction set from one source.
#pragma once

#include <cstddef>
#include <cstdint>

#include "remanence/decay_math.hpp"
#include "remanence/types.hpp"

namespace remanence::cpu {

/// One law over n rows in two precisions; false if a value of a column may be out of range (the
/// caller then looks closer).
template <class T>
struct RowKernels {
    /// trace [n, 12] row-major.
    bool (*power_trace)(const PowerTraceConstants& f32, const double* weights, const T* trace,
                        const TimeNs* last, TimeNs now, std::size_t n, T* out);
    /// ln 2^(-age / stability).
    bool (*half_life)(const T* stability, const TimeNs* last, TimeNs now, std::size_t n, T* out);
    /// -power ln(1 + factor age / stability); ages in whole days if `floor_days`.
    bool (*forgetting)(double factor, double power, bool floor_days, const T* stability,
                       const TimeNs* last, TimeNs now, std::size_t n, T* out);
    /// ln(accesses / (1 - d)) - d ln(age).
    void (*optimized)(double d, const std::uint32_t* accesses, const TimeNs* created, TimeNs now,
                      std::size_t n, T* out);
};

constexpr std::size_t most_lanes = 8;

struct DecayKernels {
    const char* name;
    RowKernels<float> f32;
    RowKernels<double> f64;
    /// out = -d ln(age), ages in seconds and at least 1 ns; for whole histories.
    void (*power_terms)(double d, const TimeNs* times, TimeNs now, std::size_t n, double* out);
    /// Rows that `spaced` takes at a time, at most `most_lanes`.
    std::size_t lanes;
    /// e^m of PavlikAnderson for `lanes` rows: times and room for decays [most, lanes], a row's
    /// accesses [lanes]; a row with fewer than `most` is filled up with `now`.
    void (*spaced)(double c, double a, double d_max, const TimeNs* times, const double* accesses,
                   std::size_t most, TimeNs now, double* decay, double* out);
    /// The mean of age^-d over [age_k, age_n]: see PetrovHybrid::tail_mean.
    void (*tail_means)(double d, const double* age_k, const double* age_n, std::size_t n,
                       double* out);
    void (*exp)(double* x, std::size_t n);  ///< canonical_exp in place
    void (*log)(double* x, std::size_t n);  ///< canonical_log in place
};

extern const DecayKernels scalar_decay;
#if defined(__x86_64__)
extern const DecayKernels avx2_decay;
extern const DecayKernels avx512_decay;
#elif defined(__aarch64__)
extern const DecayKernels neon_decay;
#endif

/// Those of the instruction set that `kernels` uses.
const DecayKernels& decay_kernels();

}  // namespace remanence::cpu
