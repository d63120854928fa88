// Every decay law over a whole column: one thread for each memory, the arithmetic of the laws.
#pragma once

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

template <class Law, class T>
__global__ void __launch_bounds__(decay_threads)
    decay_column(Law law, DecayPointers<T> c, TimeNs now, std::size_t count, T* out) {
    const std::size_t stride = std::size_t{gridDim.x} * decay_threads;
    for (std::size_t i = std::size_t{blockIdx.x} * decay_threads + threadIdx.x; i < count;
         i += stride) {
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
        if constexpr (sizeof(T) == sizeof(float)) {
            out[i] = power_trace_activation(trace, c.last_access[i], now, numbers.constants);
        } else {
            out[i] = power_trace_activation_f64(trace, c.last_access[i], now, numbers.weights);
        }
    }
}

}  // namespace remanence::cuda
