// Runs the kernels on a processor: one fiber for each CUDA thread, barriers as scheduler events.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <type_traits>

#include "cuda/emulated/matrix.hpp"

namespace remanence::emu {

struct Dim3 {
    constexpr Dim3(unsigned across = 1, unsigned down = 1, unsigned deep = 1)
        : x(across), y(down), z(deep) {}
    unsigned x, y, z;
};

/// Where the running fiber stands; rewritten at every switch.
struct Place {
    Dim3 thread, block, threads, blocks;
    unsigned lane = 0;
};
Place& place();

enum class Op : std::uint8_t { none, sync, ballot, shuffle, matrix };

/// A barrier of the whole block: every thread that is alive must stand at the same line. Returns
/// the sum of what they gave.
std::uint64_t block_barrier(std::uint64_t given, int line);

/// A collective of the lanes in `mask`; returns the ballot, or what lane `source` gave.
std::uint64_t warp_collective(Op op, unsigned mask, std::uint64_t given, unsigned source, int line);

/// A shared array of the running block, filled with 0x7F: what was never written is seen.
void* shared(const void* key, std::size_t bytes);
void* dynamic_shared();

/// Runs the grid. Throws DeviceError where the kernel misuses a barrier or a collective.
void launch(const char* kernel, Dim3 blocks, Dim3 threads, std::size_t dynamic_bytes,
            const std::function<void()>& body);

/// Lets a kernel have more dynamic shared memory than the 48 KiB that every launch may want.
void allow_shared(const char* kernel, std::size_t bytes);

/// The order in which threads and blocks run: "forward", "reverse" or "shuffled". Results that
/// depend on it are faults. The environment variable REMANENCE_EMULATED_ORDER sets the first one.
void set_order(const char* name);

template <class T>
T shuffle(unsigned mask, T value, unsigned source, int line) {
    static_assert(sizeof(T) <= sizeof(std::uint64_t));
    std::uint64_t word = 0;
    std::memcpy(&word, &value, sizeof(T));
    word = warp_collective(Op::shuffle, mask, word, source & 31U, line);
    std::memcpy(&value, &word, sizeof(T));
    return value;
}

/// Adds the product of the warp's matrices to the lane's part of C; all lanes must be there.
inline void multiply_matrices(MatrixLane& lane, int line) {
    const auto given = reinterpret_cast<std::uintptr_t>(&lane);
    (void)warp_collective(Op::matrix, ~0U, given, 0, line);
}

/// As on a device: atomic, and ordering nothing else.
template <class T>
T atomic_add(T* at, std::type_identity_t<T> value) {
    if constexpr (std::is_integral_v<T>) {
        return __atomic_fetch_add(at, value, __ATOMIC_RELAXED);
    } else {
        T old;
        __atomic_load(at, &old, __ATOMIC_RELAXED);
        for (T sum = old + value; !__atomic_compare_exchange(at, &old, &sum, false,
                                                             __ATOMIC_RELAXED, __ATOMIC_RELAXED);) {
            sum = old + value;
        }
        return old;
    }
}

template <class T, class Better>
T atomic_replace(T* at, T value, Better better) {
    T old = __atomic_load_n(at, __ATOMIC_RELAXED);
    while (better(value, old) && !__atomic_compare_exchange_n(at, &old, value, false,
                                                              __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
    }
    return old;
}
template <class T>
T atomic_min(T* at, std::type_identity_t<T> value) {
    return atomic_replace(at, value, [](T a, T b) { return a < b; });
}
template <class T>
T atomic_max(T* at, std::type_identity_t<T> value) {
    return atomic_replace(at, value, [](T a, T b) { return a > b; });
}
template <class T>
T atomic_or(T* at, std::type_identity_t<T> value) {
    return __atomic_fetch_or(at, value, __ATOMIC_RELAXED);
}
template <class T>
T atomic_and(T* at, std::type_identity_t<T> value) {
    return __atomic_fetch_and(at, value, __ATOMIC_RELAXED);
}
template <class T>
T atomic_cas(T* at, std::type_identity_t<T> expected, std::type_identity_t<T> value) {
    __atomic_compare_exchange_n(at, &expected, value, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED);
    return expected;
}

}  // namespace remanence::emu
