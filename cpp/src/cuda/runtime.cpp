// Memory and streams through the CUDA runtime, and the sentence for a machine without a device.
#include "cuda/runtime.hpp"

#include <cuda_runtime_api.h>
#include <dlfcn.h>
#include <string>

#include "remanence/error.hpp"

#include "cuda/compat.hpp"

namespace remanence::cuda {
namespace {

void check(cudaError_t error, const char* what) {
    if (error == cudaSuccess) return;
    const std::string sentence = std::string(what) + ": " + cudaGetErrorString(error);
    if (error == cudaErrorMemoryAllocation) throw OutOfMemory(sentence);
    throw DeviceError(sentence);
}

cudaStream_t stream_of(const Stream& stream) { return static_cast<cudaStream_t>(stream.handle()); }

/// What the driver says of itself; empty when it answers. The runtime is linked statically, so the
/// driver is the one library that must be there.
std::string driver_fault() {
    void* const driver = dlopen("libcuda.so.1", RTLD_NOW | RTLD_LOCAL);
    if (driver == nullptr) return std::string("no NVIDIA driver (") + dlerror() + ")";
    using Init = int (*)(unsigned);
    using ErrorString = int (*)(int, const char**);
    const auto init = reinterpret_cast<Init>(dlsym(driver, "cuInit"));
    const auto text = reinterpret_cast<ErrorString>(dlsym(driver, "cuGetErrorString"));
    if (init == nullptr || text == nullptr) return "the NVIDIA driver lacks cuInit";
    const int code = init(0);
    if (code == 0) return {};
    const char* said = nullptr;
    if (text(code, &said) != 0 || said == nullptr) said = "unknown error";
    return "the NVIDIA driver says: " + std::string(said);
}

std::string device_fault() {
    if (std::string fault = driver_fault(); !fault.empty()) return fault;
    int count = 0;
    const cudaError_t error = cudaGetDeviceCount(&count);
    if (error != cudaSuccess) {
        return std::string("the CUDA runtime says: ") + cudaGetErrorString(error);
    }
    if (count == 0) return "the NVIDIA driver knows no device";
    cudaDeviceProp properties{};
    if (cudaGetDeviceProperties(&properties, 0) != cudaSuccess) return "device 0 does not answer";
    if (properties.major < 8) {
        return std::string(properties.name) + " is too old (compute capability " +
               std::to_string(properties.major) + "." + std::to_string(properties.minor) +
               ", want 8.0)";
    }
    return {};
}

int attribute(cudaDeviceAttr which) {
    int value = 0;
    check(cudaDeviceGetAttribute(&value, which, 0), "cuda: device");
    return value;
}

}  // namespace

const char* why_no_device() {
    static const std::string fault = device_fault();
    return fault.empty() ? nullptr : fault.c_str();
}

Stream::Stream() : own_(true) {
    cudaStream_t made = nullptr;
    check(cudaStreamCreateWithFlags(&made, cudaStreamNonBlocking), "cuda: stream");
    handle_ = made;
}

Stream::~Stream() {
    if (own_) cudaStreamDestroy(stream_of(*this));
}

void Stream::synchronize() const {
    check(cudaStreamSynchronize(stream_of(*this)), "cuda: the device");
}

void* allocate(std::size_t bytes) {
    void* at = nullptr;
    check(cudaMalloc(&at, bytes), "cuda: device memory");
    return at;
}

void release(void* device) noexcept { cudaFree(device); }

std::size_t free_bytes() {
    std::size_t free = 0;
    std::size_t all = 0;
    check(cudaMemGetInfo(&free, &all), "cuda: device memory");
    return free;
}

unsigned processors() {
    static const int count = attribute(cudaDevAttrMultiProcessorCount);
    return static_cast<unsigned>(count);
}

std::size_t block_memory() {
    static const int bytes = attribute(cudaDevAttrMaxSharedMemoryPerBlockOptin);
    return static_cast<std::size_t>(bytes);
}

void upload(void* device, const void* host, std::size_t bytes, const Stream& stream) {
    copied() += bytes;
    // Pageable memory is staged by the runtime before the call returns.
    check(cudaMemcpyAsync(device, host, bytes, cudaMemcpyHostToDevice, stream_of(stream)),
          "cuda: copy to the device");
}

void download(void* host, const void* device, std::size_t bytes, const Stream& stream) {
    check(cudaMemcpyAsync(host, device, bytes, cudaMemcpyDeviceToHost, stream_of(stream)),
          "cuda: copy from the device");
    stream.synchronize();
}

void copy_within(void* to, const void* from, std::size_t bytes, const Stream& stream) {
    check(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToDevice, stream_of(stream)),
          "cuda: copy on the device");
}

void fill(void* device, int byte, std::size_t bytes, const Stream& stream) {
    check(cudaMemsetAsync(device, byte, bytes, stream_of(stream)), "cuda: fill");
}

bool on_device(const void* at, std::size_t /*bytes*/) {
    cudaPointerAttributes found{};
    int current = 0;
    if (cudaPointerGetAttributes(&found, at) != cudaSuccess) return false;
    check(cudaGetDevice(&current), "cuda: device");
    return found.device == current &&
           (found.type == cudaMemoryTypeDevice || found.type == cudaMemoryTypeManaged);
}

Recording::~Recording() { clear(); }

void Recording::clear() {
    if (handle_ != nullptr) cudaGraphExecDestroy(static_cast<cudaGraphExec_t>(handle_));
    handle_ = nullptr;
}

void Recording::begin(const Stream& stream) {
    clear();
    check(cudaStreamBeginCapture(stream_of(stream), cudaStreamCaptureModeThreadLocal),
          "cuda: recording");
}

void Recording::end(const Stream& stream) {
    cudaGraph_t graph = nullptr;
    check(cudaStreamEndCapture(stream_of(stream), &graph), "cuda: recording");
    cudaGraphExec_t made = nullptr;
    const cudaError_t error = cudaGraphInstantiate(&made, graph, 0);
    cudaGraphDestroy(graph);
    check(error, "cuda: recording");
    handle_ = made;
}

void Recording::drop(const Stream& stream) noexcept {
    cudaGraph_t graph = nullptr;
    cudaStreamEndCapture(stream_of(stream), &graph);
    if (graph != nullptr) cudaGraphDestroy(graph);
    cudaGetLastError();  // that it was broken off is no news
}

void Recording::run(const Stream& stream) const {
    check(cudaGraphLaunch(static_cast<cudaGraphExec_t>(handle_), stream_of(stream)),
          "cuda: recorded work");
}

void check_launch(const char* kernel) { check(cudaGetLastError(), kernel); }

}  // namespace remanence::cuda
