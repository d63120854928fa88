// Every decay law over a whole column: one thread for each memory, the arithmetic of the laws.
#pragma once

#include <cfloat>

#include "remanence/decay.hpp"

#include "cuda/compat.hpp"
#include "cuda/launch.hpp"

namespace remanence::cuda {

inline constexpr unsigned decay_threads = 256;

template <class T>
__device__ DecayRow<T> row_of(const DecayPointers<T>& c, std::size_t i) {
    DecayRow<T> row;
    if (c.offsets != nullptr) {
        row.access_times = c.access_times + c.offsets[i];
        row.access_count = static_cast<std::size_t>(c.offsets[i + 1] - c.offsets[i]);
        row.scratch = c.scratch + c.offsets[i];
    }
    if (c.accesses != nullptr) row.accesses = c.accesses[i];
    if (c.created != nullptr) row.created = c.created[i];
    if (c.last_access != nullptr) row.last_access = c.last_access[i];
    if (c.stability != nullptr) row.stability = c.stability[i];
    return row;
}

/// Whether a number may stand in a column; not so for NaN.
template <class T>
__device__ bool in_range(T value, bool positive) {
    constexpr T most =
        sizeof(T) == sizeof(float) ? static_cast<T>(FLT_MAX) : static_cast<T>(DBL_MAX);
    return (positive ? value > T{0} : value >= T{0}) && value <= most;
}

/// Every history lies within the access times, one after another, and ascends.
__global__ void __launch_bounds__(decay_threads)
    check_histories(const TimeNs* times, std::size_t time_count, const std::int64_t* offsets,
                    std::size_t count, Key* wrong) {
    const auto most = static_cast<std::int64_t>(time_count);
    const std::size_t stride = std::size_t{gridDim.x} * decay_threads;
    for (std::size_t i = std::size_t{blockIdx.x} * decay_threads + threadIdx.x; i < count;
         i += stride) {
        const std::int64_t from = offsets[i];
        const std::int64_t to = offsets[i + 1];
        bool right = from >= 0 && from <= to && to <= most && (i != 0 || from == 0) &&
                     (i + 1 != count || to == most);
        for (std::int64_t j = from + 1; right && j < to; ++j) right = times[j - 1] <= times[j];
        if (!right) atomicMin(wrong, static_cast<Key>(i));
    }
}

template <class Law, class T>
__global__ void __launch_bounds__(decay_threads)
    decay_column(Law law, DecayPointers<T> c, TimeNs now, std::size_t count, T* out) {
    const std::size_t stride = std::size_t{gridDim.x} * decay_threads;
    for (std::size_t i = std::size_t{blockIdx.x} * decay_threads + threadIdx.x; i < count;
         i += stride) {
        if (c.wrong != nullptr && c.stability != nullptr && !in_range(c.stability[i], true)) {
            atomicMin(c.wrong, static_cast<Key>(i));
            continue;
        }
        out[i] = static_cast<T>(law.activation(row_of(c, i), now));
    }
}

/// What PowerTrace needs of its exponent.
struct TraceNumbers {
    PowerTraceConstants constants;
    double weights[power_trace_size];
};

template <class T>
__global__ void __launch_bounds__(decay_threads)
    decay_traces(TraceNumbers numbers, DecayPointers<T> c, TimeNs now, std::size_t count, T* out) {
    const std::size_t stride = std::size_t{gridDim.x} * decay_threads;
    for (std::size_t i = std::size_t{blockIdx.x} * decay_threads + threadIdx.x; i < count;
         i += stride) {
        const T* const trace = c.trace + i * power_trace_size;
        if (c.wrong != nullptr) {
            bool right = true;
            for (std::size_t k = 0; k < power_trace_size; ++k) {
                right = right && in_range(trace[k], false);
            }
            if (!right) atomicMin(c.wrong, static_cast<Key>(i));
        }
        if constexpr (sizeof(T) == sizeof(float)) {
            out[i] = power_trace_activation(trace, c.last_access[i], now, numbers.constants);
        } else {
            out[i] = power_trace_activation_f64(trace, c.last_access[i], now, numbers.weights);
        }
    }
}

}  // namespace remanence::cuda
