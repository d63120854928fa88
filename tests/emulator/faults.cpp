// Kernels with one fault each, and one without, to see that the emulator reports what it must.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "remanence/error.hpp"

#include "cuda/compat.hpp"

namespace remanence::cuda {

constexpr unsigned threads = 64;

/// Sums by halves in shared memory. `barriers`: without them threads read what is not there yet.
template <bool barriers>
__global__ void sum(const int* values, int* out) {
    REMANENCE_SHARED(int, room, threads);
    const unsigned t = threadIdx.x;
    room[t] = values[blockIdx.x * threads + t];
    __syncthreads();
    for (unsigned half = threads / 2; half != 0; half /= 2) {
        if (t < half) room[t] += room[t + half];
        if (barriers) __syncthreads();
    }
    if (t == 0) out[blockIdx.x] = room[0];
}

__global__ void divergent_barrier(const int*, int* out) {
    if (threadIdx.x < 10) {
        __syncthreads();
    } else {
        __syncthreads();
    }
    out[0] = 1;
}

__global__ void mixed_collective(const int* values, int* out) {
    int x = values[threadIdx.x];
    if (threadIdx.x % 2 == 0) {
        x = __shfl_xor_sync(all_lanes, x, 1);
    } else {
        x = static_cast<int>(__ballot_sync(all_lanes, x != 0));
    }
    out[0] = x;
}

__global__ void foreign_mask(const int* values, int* out) {
    out[threadIdx.x % 2] = __shfl_xor_sync(0x0000'00FFU, values[threadIdx.x], 1);
}

__global__ void waits_for_ever(const int*, int* out) {
    if (threadIdx.x % 32 < 16) __syncwarp();
    if (threadIdx.x % 32 >= 16) __syncthreads();
    out[0] = 1;
}

__global__ void uninitialised(const int*, int* out) {
    REMANENCE_SHARED(int, room, threads);
    if (threadIdx.x == 0) room[0] = 0;
    __syncthreads();
    if (threadIdx.x == 0) out[0] = room[0] + room[1];
}

__global__ void plain_count(const int* values, int* out) {
    if (threadIdx.x == 0) out[0] += values[blockIdx.x];
}

__global__ void no_warp_barrier(const int* values, int* out) {
    REMANENCE_SHARED(int, room, threads);
    room[threadIdx.x] = values[threadIdx.x];
    out[threadIdx.x % 2] = room[threadIdx.x ^ 1U];
}

/// Rows (i + 1), columns (j + 1) and 32 dimensions: C[i][j] = 32 (i + 1)(j + 1) - 1.
template <bool whole>
__global__ void matrix_product(const int*, int* out) {
    const unsigned lane = threadIdx.x % 32;
    if (!whole && lane >= 16) return;
    const std::uint32_t low = (lane / 4 + 1) * 0x0101'0101U;
    const std::uint32_t a[4] = {low, low + 0x0808'0808U, low, low + 0x0808'0808U};
    const std::uint32_t b[2] = {low, low};
    std::int32_t c[4] = {-1, -1, -1, -1};
    multiply_bytes(a, b, c);
    if (threadIdx.x == 5) std::copy_n(c, 4, out);  // rows 1 and 9, columns 2 and 3
}

__global__ void mixed_product(const int*, int* out) {
    const std::uint32_t a[4] = {};
    const std::uint32_t b[2] = {};
    std::int32_t c[4] = {};
    if (threadIdx.x % 32 < 31) {
        multiply_bytes(a, b, c);
    } else {
        __syncwarp();
    }
    out[0] = c[0];
}

__global__ void shared_overrun(const int* values, int* out) {
    REMANENCE_SHARED(int, room, threads);
    room[threadIdx.x + 1] = values[threadIdx.x];
    __syncthreads();
    out[0] = room[0];
}

__global__ void global_overrun(const int* values, int* out) {
    const int x = values[blockIdx.x * threads + threadIdx.x + threads];
    if (threadIdx.x == 0) out[blockIdx.x] = x;
}

void check_launch(const char*) {}

}  // namespace remanence::cuda

namespace {

using namespace remanence::cuda;

void run(const std::string& name, const int* values, int* out) {
    constexpr unsigned blocks = 4;
    void* const stream = nullptr;
    if (name == "clean") {
        REMANENCE_LAUNCH((sum<true>), blocks, threads, 0, stream, values, out);
    } else if (name == "missing barrier") {
        REMANENCE_LAUNCH((sum<false>), blocks, threads, 0, stream, values, out);
    } else if (name == "divergent barrier") {
        REMANENCE_LAUNCH(divergent_barrier, blocks, threads, 0, stream, values, out);
    } else if (name == "mixed collective") {
        REMANENCE_LAUNCH(mixed_collective, blocks, threads, 0, stream, values, out);
    } else if (name == "foreign mask") {
        REMANENCE_LAUNCH(foreign_mask, blocks, threads, 0, stream, values, out);
    } else if (name == "deadlock") {
        REMANENCE_LAUNCH(waits_for_ever, blocks, threads, 0, stream, values, out);
    } else if (name == "uninitialised") {
        REMANENCE_LAUNCH(uninitialised, blocks, threads, 0, stream, values, out);
    } else if (name == "plain count") {
        REMANENCE_LAUNCH(plain_count, blocks, threads, 0, stream, values, out);
    } else if (name == "missing warp barrier") {
        REMANENCE_LAUNCH(no_warp_barrier, 1, threads, 0, stream, values, out);
    } else if (name == "shared overrun") {
        REMANENCE_LAUNCH(shared_overrun, blocks, threads, 0, stream, values, out);
    } else if (name == "global overrun") {
        REMANENCE_LAUNCH(global_overrun, blocks, threads, 0, stream, values, out);
    } else if (name == "matrix product") {
        REMANENCE_LAUNCH((matrix_product<true>), 1, threads, 0, stream, values, out);
    } else if (name == "matrix without lanes") {
        REMANENCE_LAUNCH((matrix_product<false>), 1, threads, 0, stream, values, out);
    } else if (name == "mixed product") {
        REMANENCE_LAUNCH(mixed_product, 1, threads, 0, stream, values, out);
    } else if (name == "impossible launch") {
        REMANENCE_LAUNCH((sum<true>), blocks, 2048, 0, stream, values, out);
    } else {
        std::abort();
    }
}

}  // namespace

/// Prints the four results, or the emulator's sentence.
int main(int count, char** words) {
    if (count != 3) return 2;
    remanence::emu::set_order(words[2]);
    std::vector<int> values(4 * threads, 1);
    std::vector<int> out(4, 0);
    try {
        run(words[1], values.data(), out.data());
    } catch (const remanence::DeviceError& e) {
        std::puts(e.what());
        return 1;
    }
    std::printf("%d %d %d %d\n", out[0], out[1], out[2], out[3]);
    return 0;
}
