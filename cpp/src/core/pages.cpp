// Mapping pages, giving them back, and putting a file under them.
#include "core/pages.hpp"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <sys/mman.h>
#include <utility>
#include <vector>

#include "remanence/error.hpp"

#include "core/threads.hpp"

namespace remanence {

Pages::Pages(std::size_t bytes) : bytes_(round_up(std::max<std::size_t>(bytes, 1), page_size)) {
    const std::size_t spare = bytes_ < huge_page ? 0 : huge_page;  // to begin where one may
    void* const at = mmap(nullptr, bytes_ + spare, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (at == MAP_FAILED) throw OutOfMemory("append: no memory for another segment");
    const auto start = reinterpret_cast<std::uintptr_t>(at);
    const std::size_t before = spare == 0 ? 0 : round_up(start, huge_page) - start;
    data_ = static_cast<std::byte*>(at) + before;
    if (before != 0) munmap(at, before);
    if (before != spare) munmap(data_ + bytes_, spare - before);
}

Pages::Pages(int file, std::size_t offset, std::size_t bytes) : bytes_(bytes), filed_(true) {
    void* const at =
        mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE, file, static_cast<off_t>(offset));
    if (at == MAP_FAILED) throw OutOfMemory("load: the snapshot cannot be mapped into memory");
    data_ = static_cast<std::byte*>(at);
}

Pages::~Pages() {
    if (data_ != nullptr) munmap(data_, bytes_);
}

Pages::Pages(Pages&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)),
      bytes_(std::exchange(other.bytes_, 0)),
      filed_(other.filed_) {}

Pages& Pages::operator=(Pages&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(bytes_, other.bytes_);
    std::swap(filed_, other.filed_);
    return *this;
}

void Pages::prefer_huge() {
    const std::size_t whole = bytes_ / huge_page * huge_page;
    if (whole != 0) madvise(data_, whole, MADV_HUGEPAGE);
}

std::size_t Pages::resident() const {
    if (!filed_) return bytes_;
    std::vector<unsigned char> pages((bytes_ + page_size - 1) / page_size);
    if (mincore(data_, bytes_, pages.data()) != 0) return bytes_;
    return page_size * static_cast<std::size_t>(std::count_if(
                           pages.begin(), pages.end(), [](auto p) { return (p & 1U) != 0; }));
}

bool Pages::refile(int file, std::size_t offset) {
    if (mmap(data_, bytes_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED, file,
             static_cast<off_t>(offset)) == MAP_FAILED) {
        return false;
    }
    filed_ = true;
    return true;
}

void Pages::clear() {
    if (filed_ || data_ == nullptr) {
        *this = Pages();
        return;
    }
    constexpr std::size_t share = std::size_t{4} << 20U;
    parallel_for((bytes_ + share - 1) / share, spare_workers(), [&](std::size_t part, int) {
        std::memset(data_ + part * share, 0, std::min(share, bytes_ - part * share));
    });
}

void Pages::release(std::size_t offset, std::size_t bytes) {
    if (data_ == nullptr) return;
    const std::size_t first = round_up(offset, page_size);
    const std::size_t end = (offset + bytes) / page_size * page_size;
    if (end <= first) return;
    // Without the file underneath: what it says there may differ from the zeros.
    const void* const at = mmap(data_ + first, end - first, PROT_READ | PROT_WRITE,
                                MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0);
    (void)at;  // where it fails the pages stay, and hold the same zeros
}

}  // namespace remanence
