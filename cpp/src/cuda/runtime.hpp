// Memory and streams of a device; the emulator implements the same functions.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace remanence::cuda {

/// A queue of work on the device: an own one, or a caller's, which is never destroyed here.
class Stream {
public:
    Stream();
    explicit Stream(void* foreign) : handle_(foreign) {}
    ~Stream();  // NOLINT(performance-trivially-destructible): not so on a real device
    Stream(const Stream&) = delete;
    Stream& operator=(const Stream&) = delete;
    void* handle() const { return handle_; }
    void synchronize() const;

private:
    void* handle_ = nullptr;
    bool own_ = false;
};

/// Throws OutOfMemory when the device has no more.
void* allocate(std::size_t bytes);
void release(void* device) noexcept;
std::size_t free_bytes();
/// Multiprocessors of the device.
unsigned processors();

/// Bytes of shared memory that a block may ask for.
std::size_t block_memory();

/// The host's memory may change once these return.
void upload(void* device, const void* host, std::size_t bytes, const Stream& stream);
void download(void* host, const void* device, std::size_t bytes, const Stream& stream);
void copy_within(void* to, const void* from, std::size_t bytes, const Stream& stream);
void fill(void* device, int byte, std::size_t bytes, const Stream& stream);

/// Launches and fills that a stream is given once and does any number of times, in one call. What
/// is recorded must neither wait nor take memory; what changes from time to time lies on the
/// device.
class Recording {
public:
    Recording() = default;
    ~Recording();
    Recording(const Recording&) = delete;
    Recording& operator=(const Recording&) = delete;
    bool empty() const { return handle_ == nullptr; }
    void clear();
    /// Records what `work` gives the stream; does none of it.
    template <class Work>
    void record(const Stream& stream, Work&& work) {
        begin(stream);
        try {
            work();
        } catch (...) {
            drop(stream);
            throw;
        }
        end(stream);
    }
    void run(const Stream& stream) const;

private:
    void begin(const Stream& stream);
    void end(const Stream& stream);
    static void drop(const Stream& stream) noexcept;

    void* handle_ = nullptr;
};

/// Whether memory lies on the device that is used.
bool on_device(const void* at, std::size_t bytes);
#if defined(REMANENCE_EMULATED)
inline constexpr int dlpack_kind =
    12;  // "extension": no other library takes it for a device of CUDA
#else
inline constexpr int dlpack_kind = 2;
#endif

/// Why no device can be used; null when one can.
const char* why_no_device();

/// Bytes that buffers of this process hold on the device.
inline std::atomic<std::size_t>& held() {
    static std::atomic<std::size_t> bytes{0};
    return bytes;
}

/// Bytes that this process has copied to the device.
inline std::atomic<std::size_t>& copied() {
    static std::atomic<std::size_t> bytes{0};
    return bytes;
}

/// Device memory that grows; its content is lost when it does.
template <class T>
class Buffer {
public:
    Buffer() = default;
    explicit Buffer(std::size_t count) { reserve(count); }
    Buffer(Buffer&& other) noexcept
        : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}
    Buffer& operator=(Buffer&& other) noexcept {
        std::swap(data_, other.data_);
        std::swap(size_, other.size_);
        return *this;
    }
    ~Buffer() { clear(); }

    T* data() const { return data_; }
    std::size_t size() const { return size_; }
    /// True when the memory is another one than before.
    bool reserve(std::size_t count) {
        if (count <= size_) return false;
        clear();
        data_ = static_cast<T*>(allocate(count * sizeof(T)));
        size_ = count;
        held() += count * sizeof(T);
        return true;
    }
    void clear() {
        if (data_ != nullptr) {
            release(data_);
            held() -= size_ * sizeof(T);
        }
        data_ = nullptr;
        size_ = 0;
    }
    /// Null for an empty list, so that kernels can tell.
    const T* put(const std::vector<T>& values, const Stream& stream) {
        if (values.empty()) return nullptr;
        if (values.size() > size_) reserve(std::max(values.size(), 2 * size_));
        upload(data_, values.data(), values.size() * sizeof(T), stream);
        return data_;
    }

private:
    T* data_ = nullptr;
    std::size_t size_ = 0;
};

}  // namespace remanence::cuda
