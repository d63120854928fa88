// Short rows of arcs walked in one loop.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>

#include "remanence/types.hpp"

#include "core/array.hpp"
#include "cpu/kernels.hpp"

namespace remanence::cpu {

/// Hands on the elements of rows in order, many at once, those of short rows from a buffer: a loop
/// over each of them would end where nobody guesses.
template <class Use>
class RowBuffer {
public:
    RowBuffer(const Array<std::uint32_t>& column, std::size_t rows, Use& use)
        : column_(column.data()),
          size_(column.size()),
          short_(size_ < rows * block ? short_row : 0),
          use_(use) {}
    RowBuffer(const RowBuffer&) = delete;
    RowBuffer& operator=(const RowBuffer&) = delete;
    ~RowBuffer() { flush(); }

    /// The elements from `begin` on.
    void add(std::size_t begin, std::size_t end) {
        const std::size_t count = end - begin;
        if (count > short_ || begin + short_row > size_) {
            flush();
            use_(View<const std::uint32_t>(column_ + begin, count));
            return;
        }
        std::uint32_t* const out = held_.data() + count_;
        std::size_t i = 0;
        do {
            std::memcpy(out + i, column_ + begin + i, block * sizeof(std::uint32_t));
            i += block;
        } while (i < count);
        count_ += count;
        if (count_ > most) flush();
    }
    void flush() {
        use_(View<const std::uint32_t>(held_.data(), count_));
        count_ = 0;
    }

private:
    static constexpr std::size_t block = 16;       ///< elements copied at once
    static constexpr std::size_t short_row = 128;  ///< longer rows are worth a loop
    static constexpr std::size_t most = 1024;      ///< elements held

    const std::uint32_t* column_;
    std::size_t size_;
    std::size_t short_;  ///< 0 where most rows are longer than a block: copies would not pay
    Use& use_;
    std::size_t count_ = 0;
    alignas(64) std::array<std::uint32_t, most + short_row + block> held_;
};

/// The same of those elements that have a bit; there are 63 bits more.
template <class Use>
class PassingBuffer {
public:
    PassingBuffer(const Array<std::uint32_t>& column, const std::uint64_t* bits, Use& use)
        : column_(column.data()), bits_(bits), use_(use) {}
    PassingBuffer(const PassingBuffer&) = delete;
    PassingBuffer& operator=(const PassingBuffer&) = delete;
    ~PassingBuffer() { flush(); }

    void add(std::size_t begin, std::size_t end) {
        for (; begin < end; begin += most) {
            const std::size_t count = std::min(most, end - begin);
            count_ += kernels().pick(column_, bits_, begin, count, held_.data() + count_);
            if (count_ > most) flush();
        }
    }
    void flush() {
        use_(View<const std::uint32_t>(held_.data(), count_));
        count_ = 0;
    }

private:
    static constexpr std::size_t most = 512;

    const std::uint32_t* column_;
    const std::uint64_t* bits_;
    Use& use_;
    std::size_t count_ = 0;
    alignas(64) std::array<std::uint32_t, 2 * most + pick_room> held_;
};

}  // namespace remanence::cpu
