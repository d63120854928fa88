// One source for two compilers: nvcc for devices, g++ with the emulator for tests.
//
// Kernels use these macros instead of the language's own words, and declare shared arrays at their
// top: under the emulator a shared array is a pointer.
#pragma once

// The names are those of the CUDA language.
// NOLINTBEGIN(bugprone-*,readability-identifier-naming)

#include <cstddef>
#include <cstdint>

#if defined(REMANENCE_EMULATED)

#include "cuda/emulated/emulator.hpp"

#define __global__
#define __device__
#define __host__
#define __launch_bounds__(...)
#define REMANENCE_RARE __attribute__((noinline)) inline
#define REMANENCE_UNROLL
#define threadIdx (::remanence::emu::place().thread)
#define blockIdx (::remanence::emu::place().block)
#define blockDim (::remanence::emu::place().threads)
#define gridDim (::remanence::emu::place().blocks)

#define REMANENCE_SHARED(T, name, n) \
    static char name##_key = 0;      \
    T* const name = static_cast<T*>(::remanence::emu::shared(&name##_key, sizeof(T) * (n)))
#define REMANENCE_DYNAMIC_SHARED(T, name) \
    T* const name = static_cast<T*>(::remanence::emu::dynamic_shared())
/// Launch arguments are evaluated once for each thread here: no side effects in them.
#define REMANENCE_LAUNCH(kernel, blocks, threads, bytes, stream, ...)   \
    do {                                                                \
        (void)(stream);                                                 \
        ::remanence::emu::launch(#kernel, (blocks), (threads), (bytes), \
                                 [=] { (kernel)(__VA_ARGS__); });       \
    } while (false)

#define REMANENCE_ALLOW_SHARED(kernel, bytes) (::remanence::emu::allow_shared(#kernel, (bytes)))
#define dim3 ::remanence::emu::Dim3

#define __syncthreads() ((void)::remanence::emu::block_barrier(0, __LINE__))
#define __syncthreads_count(p) \
    (static_cast<int>(::remanence::emu::block_barrier((p) ? 1 : 0, __LINE__)))
#define __syncwarp(...) \
    ((void)::remanence::emu::warp_collective(::remanence::emu::Op::sync, ~0U, 0, 0, __LINE__))
#define __ballot_sync(mask, p)                                                                     \
    (static_cast<unsigned>(::remanence::emu::warp_collective(::remanence::emu::Op::ballot, (mask), \
                                                             (p) ? 1 : 0, 0, __LINE__)))
#define __shfl_sync(mask, value, source) \
    (::remanence::emu::shuffle((mask), (value), static_cast<unsigned>(source), __LINE__))
#define __shfl_xor_sync(mask, value, bits) \
    (::remanence::emu::shuffle((mask), (value), ::remanence::emu::place().lane ^ (bits), __LINE__))

#define atomicAdd ::remanence::emu::atomic_add
#define atomicMin ::remanence::emu::atomic_min
#define atomicMax ::remanence::emu::atomic_max
#define atomicOr ::remanence::emu::atomic_or
#define atomicCAS ::remanence::emu::atomic_cas
#define atomicAnd ::remanence::emu::atomic_and
#define __popc(x) (__builtin_popcount(x))
#define __ffs(x) (__builtin_ffs(static_cast<int>(x)))

#else

#include <cuda_runtime.h>

/// For what few rows need: kept out of the registers of the rest.
#define REMANENCE_RARE __device__ __noinline__ inline
#define REMANENCE_UNROLL _Pragma("unroll")
#define REMANENCE_SHARED(T, name, n) __shared__ T name[n]
#define REMANENCE_DYNAMIC_SHARED(T, name)                         \
    extern __shared__ __align__(16) unsigned char name##_bytes[]; \
    T* const name = reinterpret_cast<T*>(name##_bytes)
/// To be called before a launch that wants more than 48 KiB of dynamic shared memory.
#define REMANENCE_ALLOW_SHARED(kernel, bytes)                                       \
    do {                                                                            \
        cudaFuncSetAttribute((kernel), cudaFuncAttributeMaxDynamicSharedMemorySize, \
                             static_cast<int>(bytes));                              \
        ::remanence::cuda::check_launch(#kernel);                                   \
    } while (false)
#define REMANENCE_LAUNCH(kernel, blocks, threads, bytes, stream, ...)                  \
    do {                                                                               \
        (kernel)<<<(blocks), (threads), (bytes), static_cast<cudaStream_t>(stream)>>>( \
            __VA_ARGS__);                                                              \
        ::remanence::cuda::check_launch(#kernel);                                      \
    } while (false)

#endif

// NOLINTEND(bugprone-*,readability-identifier-naming)

namespace remanence::cuda {

inline constexpr unsigned all_lanes = 0xFFFF'FFFFU;

/// What stands there now, while other threads change it.
template <class T>
__device__ inline T load_now(const T* at) {
#if defined(REMANENCE_EMULATED)
    return __atomic_load_n(at, __ATOMIC_RELAXED);
#else
    return *static_cast<const volatile T*>(at);
#endif
}

/// c += a b of bytes by the tensor cores, for a whole warp: 16 rows, 8 columns, 32 dimensions; the
/// sums are exact. Which lane holds what is told in emulated/matrix.hpp.
__device__ inline void multiply_bytes(const std::uint32_t (&a)[4], const std::uint32_t (&b)[2],
                                      std::int32_t (&c)[4]
#if defined(REMANENCE_EMULATED)
                                      ,
                                      int line = __builtin_LINE()) {
    emu::MatrixLane lane{{a[0], a[1], a[2], a[3]}, {b[0], b[1]}, {c[0], c[1], c[2], c[3]}};
    emu::multiply_matrices(lane, line);
    for (int i = 0; i < 4; ++i) c[i] = lane.c[i];
}
#else
) {
    asm("mma.sync.aligned.m16n8k32.row.col.s32.s8.s8.s32 "
        "{%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
        : "+r"(c[0]), "+r"(c[1]), "+r"(c[2]), "+r"(c[3])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}
#endif

/// Reports a launch that the device refused; throws DeviceError.
void check_launch(const char* kernel);

}  // namespace remanence::cuda
