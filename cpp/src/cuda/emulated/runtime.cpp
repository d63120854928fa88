// The emulator's device memory: the host's own, with every copy checked against what is allocated.
#include "cuda/runtime.hpp"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>
#include <string>

#include "remanence/error.hpp"

#include "cuda/compat.hpp"
#include "cuda/emulated/recording.hpp"

namespace remanence::cuda {
namespace {

/// Live allocations; a host pointer given for a device one is found here, and a freed one too.
class Ranges {
public:
    void add(char* at, std::size_t bytes) {
        const std::lock_guard lock(mutex_);
        live_[at] = bytes;
        used_ += bytes;
    }
    void remove(char* at) {
        const std::lock_guard lock(mutex_);
        used_ -= live_.at(at);
        live_.erase(at);
    }
    bool holds(const void* at, std::size_t bytes) {
        const std::lock_guard lock(mutex_);
        const auto* const first = static_cast<const char*>(at);
        auto found = live_.upper_bound(const_cast<char*>(first));
        if (found == live_.begin()) return false;
        --found;
        return first + bytes <= found->first + found->second;
    }
    std::size_t used() {
        const std::lock_guard lock(mutex_);
        return used_;
    }

private:
    std::mutex mutex_;
    std::map<char*, std::size_t> live_;
    std::size_t used_ = 0;
};

Ranges& ranges() {
    static Ranges all;
    return all;
}

/// What the device has: REMANENCE_EMULATED_BYTES, else 16 GiB.
std::size_t device_bytes() {
    const char* const wanted = std::getenv("REMANENCE_EMULATED_BYTES");
    return wanted == nullptr ? std::size_t{16} << 30U : std::strtoull(wanted, nullptr, 10);
}

void want_device(const void* at, std::size_t bytes, const char* what) {
    if (!ranges().holds(at, bytes)) {
        throw DeviceError(std::string("emulator: ") + what + " is not memory of the device");
    }
}

void want_host(const void* at, const char* what) {
    if (ranges().holds(at, 1)) {
        throw DeviceError(std::string("emulator: ") + what + " is not memory of the host");
    }
}

}  // namespace

const char* why_no_device() { return nullptr; }

Stream::Stream() = default;
Stream::~Stream() = default;
void Stream::synchronize() const { emu::refuse_recording("a wait"); }

void* allocate(std::size_t bytes) {
    emu::refuse_recording("an allocation");
    if (ranges().used() + bytes > device_bytes())
        throw OutOfMemory("cuda: device memory: none left");
    auto* const at = static_cast<char*>(std::malloc(bytes));
    if (at == nullptr) throw OutOfMemory("cuda: device memory: none left");
    std::memset(at, 0x7F, bytes);
    ranges().add(at, bytes);
    return at;
}

void release(void* device) noexcept {
    ranges().remove(static_cast<char*>(device));
    std::free(device);
}

std::size_t free_bytes() {
    const std::size_t all = device_bytes();
    return all - std::min(all, ranges().used());
}

unsigned processors() { return 2; }

std::size_t block_memory() { return 227U << 10U; }

void upload(void* device, const void* host, std::size_t bytes, const Stream& /*stream*/) {
    emu::refuse_recording("a copy of pageable memory");
    want_device(device, bytes, "the target of a copy to the device");
    want_host(host, "the source of a copy to the device");
    copied() += bytes;
    if (bytes != 0) std::memcpy(device, host, bytes);
}

void download(void* host, const void* device, std::size_t bytes, const Stream& /*stream*/) {
    emu::refuse_recording("a copy of pageable memory");
    want_device(device, bytes, "the source of a copy from the device");
    want_host(host, "the target of a copy from the device");
    if (bytes != 0) std::memcpy(host, device, bytes);
}

void copy_within(void* to, const void* from, std::size_t bytes, const Stream& /*stream*/) {
    want_device(to, bytes, "the target of a copy on the device");
    want_device(from, bytes, "the source of a copy on the device");
    emu::do_or_record([=] {
        if (bytes != 0) std::memcpy(to, from, bytes);
    });
}

void fill(void* device, int byte, std::size_t bytes, const Stream& /*stream*/) {
    want_device(device, bytes, "what is filled");
    emu::do_or_record([=] {
        if (bytes != 0) std::memset(device, byte, bytes);
    });
}

bool on_device(const void* at, std::size_t bytes) { return ranges().holds(at, bytes); }

void check_launch(const char* /*kernel*/) {}

Recording::~Recording() { clear(); }

void Recording::clear() { delete static_cast<emu::Work*>(std::exchange(handle_, nullptr)); }

void Recording::begin(const Stream& /*stream*/) {
    clear();
    emu::refuse_recording("a recording");
    emu::recording() = std::make_unique<emu::Work>();
}

void Recording::end(const Stream& /*stream*/) { handle_ = emu::recording().release(); }

void Recording::drop(const Stream& /*stream*/) noexcept { emu::recording().reset(); }

void Recording::run(const Stream& /*stream*/) const {
    for (const auto& piece : *static_cast<emu::Work*>(handle_)) piece();
}

}  // namespace remanence::cuda
