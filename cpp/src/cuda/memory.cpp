// Device memory for a caller's arrays, behind the interface of plug-ins.
#include "cuda/memory.hpp"

#include "cuda/runtime.hpp"

namespace remanence::cuda {
namespace {

void* take(std::size_t bytes) {
    void* const at = allocate(bytes);
    held() += bytes;
    return at;
}

void put(void* device, const void* host, std::size_t bytes) {
    const Stream stream;
    upload(device, host, bytes, stream);
    stream.synchronize();
}

void fetch(void* host, const void* device, std::size_t bytes) {
    download(host, device, bytes, Stream{});
}

void wait_for(void* stream) { Stream(stream).synchronize(); }

void give_back(void* at, std::size_t bytes) noexcept {
    release(at);
    held() -= bytes;
}

}  // namespace

std::size_t held_bytes() { return held(); }

std::size_t copied_bytes() { return copied(); }

const DeviceMemory* memory() {
    static constexpr DeviceMemory all = {dlpack_kind, &take,      &put,      &fetch,
                                         &wait_for,   &on_device, &give_back};
    return &all;
}

}  // namespace remanence::cuda
