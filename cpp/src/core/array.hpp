// Arrays whose elements start unset or zero, on huge pages where they are large.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <memory>
#include <new>
#include <span>
#include <sys/mman.h>
#include <type_traits>

namespace remanence {

namespace detail {

struct Free {
    void operator()(void* p) const { std::free(p); }
};

/// Random access to many small pages costs more in address translation than in reading.
inline void* allocate(std::size_t bytes, bool zeroed) {
    constexpr std::size_t huge = std::size_t{1} << 21U;
    void* p = nullptr;
    if (zeroed) {
        p = std::calloc(bytes == 0 ? 1 : bytes, 1);
    } else if (bytes < 2 * huge) {
        p = std::malloc(bytes == 0 ? 1 : bytes);
    } else {
        p = std::aligned_alloc(huge, (bytes + huge - 1) / huge * huge);
        if (p != nullptr) madvise(p, bytes, MADV_HUGEPAGE);
    }
    if (p == nullptr) throw std::bad_alloc();
    return p;
}

/// Zeros that cost nothing until they are written to; calloc clears memory that was used before.
template <class T>
T* map(std::size_t size) {
    void* const p = mmap(nullptr, size * sizeof(T), PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (p == MAP_FAILED) throw std::bad_alloc();
    return static_cast<T*>(p);
}
template <class T>
void unmap(T* p, std::size_t size) {
    munmap(p, size * sizeof(T));
}

}  // namespace detail

template <class T>
class Array {
    static_assert(std::is_trivially_destructible_v<T>);

public:
    Array() = default;
    explicit Array(std::size_t size)
        : data_(static_cast<T*>(detail::allocate(size * sizeof(T), false))), size_(size) {}
    /// Pages that nobody writes to cost nothing.
    static Array zeroed(std::size_t size) {
        Array out;
        out.data_.reset(static_cast<T*>(detail::allocate(size * sizeof(T), true)));
        out.size_ = size;
        return out;
    }
    std::size_t size() const { return size_; }
    bool empty() const { return size_ == 0; }
    std::size_t bytes() const { return size_ * sizeof(T); }
    T* data() { return data_.get(); }
    const T* data() const { return data_.get(); }
    T& operator[](std::size_t i) { return data_.get()[i]; }
    const T& operator[](std::size_t i) const { return data_.get()[i]; }
    std::span<const T> span() const { return {data(), size_}; }

private:
    std::unique_ptr<T, detail::Free> data_;
    std::size_t size_ = 0;
};

/// A column that holds one value, or one value per element and bounds of them.
template <class T>
struct Column {
    Array<T> values;
    T one{};
    T low{};
    T high{};

    T least() const { return constant() ? one : low; }
    T greatest() const { return constant() ? one : high; }
    bool constant() const { return values.empty(); }
    T at(std::size_t i) const { return values.empty() ? one : values[i]; }
};

}  // namespace remanence
