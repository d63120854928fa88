// The arcs that a filter lets pass where it has a word for each, many asked at once.
#pragma once

#include <algorithm>
#include <array>
#include <bit>

#include "core/rows.hpp"
#include "core/threads.hpp"
#include "cpu/kernels.hpp"

namespace remanence::cpu {

/// The arcs among some of a row that pass by their words, and those whose columns must be asked.
class GateList {
public:
    static constexpr std::size_t most = 512;

    GateList(const Filter& filter, std::size_t begin, std::size_t count)
        : counts_(kernels().list_gate(filter.gate() + begin, count,
                                      static_cast<std::uint32_t>(begin), filter.gate_test(),
                                      sure_.data(), unsure_.data())) {}
    View<const std::uint32_t> sure() const { return {sure_.data(), counts_.sure}; }
    View<const std::uint32_t> unsure() const { return {unsure_.data(), counts_.unsure}; }

private:
    static constexpr std::size_t room = 16;
    alignas(64) std::array<std::uint32_t, most + room> sure_;
    alignas(64) std::array<std::uint32_t, most + room> unsure_;
    GateCounts counts_;
};

/// A bit for every arc of the base that passes: worth it to who asks of most arcs. The words of
/// the filter must decide.
class PassingBits {
public:
    /// A base of so few arcs is asked at once by who may ask little: it takes microseconds.
    static constexpr std::size_t few_arcs = std::size_t{1} << 16U;

    explicit PassingBits(const Filter& filter);
    const std::uint64_t* data() const { return bits_.data(); }
    /// The bits of the 64 arcs from `arc` on.
    std::uint64_t from(std::size_t arc) const {
        const std::size_t shift = arc % 64;
        const std::uint64_t low = bits_[arc / 64] >> shift;
        return shift == 0 ? low : low | bits_[arc / 64 + 1] << (64 - shift);
    }

private:
    Array<std::uint64_t> bits_;
};

/// A column of ends of arcs; those of arcs that do not pass become `other`, such as a rank that was
/// seen, so that rows are walked as without a filter.
inline Array<std::uint32_t> passing_ends(const Array<std::uint32_t>& ends, const PassingBits& bits,
                                         std::uint32_t other, std::uint32_t step = 0) {
    Array<std::uint32_t> out(ends.size());
    kernels().hide(ends.data(), bits.data(), ends.size(), other, step, out.data());
    return out;
}

inline PassingBits::PassingBits(const Filter& filter)
    : bits_(filter.state().arcs().arcs() / 64 + 2) {
    constexpr std::size_t at_once = 4096;
    constexpr std::size_t rounds = 16;
    const std::size_t arcs = filter.state().arcs().arcs();
    bits_[bits_.size() - 2] = bits_[bits_.size() - 1] = 0;
    const auto ask = [&](std::size_t begin) {
        std::array<std::uint64_t, at_once / 64> unsure;
        const std::size_t count = std::min(at_once, arcs - begin);
        std::uint64_t* const bits = bits_.data() + begin / 64;
        kernels().gate_bits(filter.gate() + begin, count, filter.gate_test(), bits, unsure.data());
        std::array<std::uint32_t, at_once> arc;
        std::size_t n = 0;
        for (std::size_t w = 0; w < (count + 63) / 64; ++w) {
            for (std::uint64_t x = unsure[w]; x != 0; x &= x - 1) {
                arc[n] = static_cast<std::uint32_t>(begin + w * 64) +
                         static_cast<std::uint32_t>(std::countr_zero(x));
                filter.fetch_unsure(arc[n++]);
            }
        }
        for (std::size_t i = 0; i < n; ++i) {
            bits_[arc[i] / 64] |= std::uint64_t{filter.arc_unsure(arc[i])} << (arc[i] % 64);
        }
    };
    const std::size_t blocks = (arcs + at_once - 1) / at_once;
    parallel_for((blocks + rounds - 1) / rounds, worker_count(0), [&](std::size_t task, int) {
        const std::size_t last = std::min(blocks, (task + 1) * rounds);
        for (std::size_t b = task * rounds; b < last; ++b) ask(b * at_once);
    });
}

}  // namespace remanence::cpu
