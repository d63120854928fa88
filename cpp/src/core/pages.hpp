// Memory by the page, straight from the system.
#pragma once

#include <cstddef>

namespace remanence {

inline constexpr std::size_t page_size = 4096;
inline constexpr std::size_t huge_page = std::size_t{2} << 20U;

inline std::size_t round_up(std::size_t bytes, std::size_t unit) {
    return (bytes + unit - 1) / unit * unit;
}

/// Anonymous or file-backed pages; untouched pages cost nothing.
class Pages {
public:
    Pages() = default;
    explicit Pages(std::size_t bytes);
    /// Private mapping of [offset, offset + bytes) of an open file; offset is page-aligned.
    Pages(int file, std::size_t offset, std::size_t bytes);
    ~Pages();
    Pages(Pages&& other) noexcept;
    Pages& operator=(Pages&& other) noexcept;
    std::byte* data() const { return data_; }
    std::size_t bytes() const { return bytes_; }
    /// Whether a file holds them; then memory has only what was read lately.
    bool filed() const { return filed_; }
    std::size_t resident() const;
    /// Asks for huge pages, as far as whole ones fill it: where all of it will be written.
    void prefer_huge();
    /// Puts the same bytes of a file in their place, at the same address, under running readers.
    bool refile(int file, std::size_t offset);
    /// Makes all bytes zero; pages of a file are dropped instead.
    void clear();
    /// Gives back the memory of whole pages within a range whose bytes are all zero.
    void release(std::size_t offset, std::size_t bytes);

private:
    std::byte* data_ = nullptr;
    std::size_t bytes_ = 0;
    bool filed_ = false;
};

}  // namespace remanence
