// A word per arc that tells most filters whether the arc passes, without its columns.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "remanence/types.hpp"

#include "core/array.hpp"

namespace remanence {

struct Arcs;

/// Which words pass. A word holds a code of the type and, each with a bit above it that is set,
/// codes of weight, end and start that grow as the filter is easier to pass.
struct GateTest {
    static constexpr std::uint32_t guards = 1U << 12U | 1U << 21U | 1U << 30U;
    std::uint32_t sure = 0;   ///< codes from which on an arc passes, in their places
    std::uint32_t maybe = 0;  ///< codes from which on it may
    std::uint32_t types_sure = ~0U;
    std::uint32_t types_maybe = ~0U;

    /// 0 no, 1 yes, 2 ask the columns.
    [[gnu::always_inline]] std::uint32_t ask(std::uint32_t word) const {
        const std::uint32_t type = word & 31U;
        const std::uint32_t yes =
            types_sure >> type & (((word - sure) & guards) == guards ? 1U : 0U) & 1U;
        const std::uint32_t may =
            types_maybe >> type & (((word - maybe) & guards) == guards ? 1U : 0U) & 1U;
        return yes | (may & ~yes) << 1U;
    }
    /// Whether a code of the word equals the asked one, so that it decides nothing.
    static constexpr std::uint32_t weight_place = 5;
    static constexpr std::uint32_t to_place = 13;
    static constexpr std::uint32_t from_place = 22;
    static constexpr std::uint32_t other_type = 31;
    bool type_unsure(std::uint32_t word) const { return (word & 31U) == other_type; }
    bool weight_unsure(std::uint32_t word) const {
        return ((word - maybe) >> weight_place & 127U) == 0;
    }
    bool to_unsure(std::uint32_t word) const { return ((word - maybe) >> to_place & 255U) == 0; }
    bool from_unsure(std::uint32_t word) const {
        return ((word - maybe) >> from_place & 255U) == 0;
    }
};

/// How many of some words pass, and of how many the columns must be asked.
struct GateCounts {
    std::size_t sure = 0;
    std::size_t unsure = 0;
};

/// Codes of times: even steps where most lie, and a code for each end of time.
struct TimeCodes {
    TimeNs low = 0;
    TimeNs high = 0;
    double scale = 0.0;  ///< steps per nanosecond
    static constexpr std::uint32_t last = 255;

    TimeCodes() = default;
    explicit TimeCodes(const Column<TimeNs>& column);
    std::uint32_t of(TimeNs t) const {
        if (t == time_min) return 0;
        if (t < low) return 1;
        if (t == time_max) return last;
        if (t >= high) return last - 1;
        const std::uint64_t beyond =
            static_cast<std::uint64_t>(t) - static_cast<std::uint64_t>(low);
        return 2 +
               std::min(static_cast<std::uint32_t>(static_cast<double>(beyond) * scale), last - 4);
    }
};

/// How the words of some arcs are made.
struct GateCodes {
    TimeCodes from;
    TimeCodes to;
    std::array<std::uint16_t, 31> type{};  ///< those with a code of their own; 0 = none

    explicit GateCodes(const Arcs& arcs);
    std::uint32_t word(std::uint32_t type_code, float weight, TimeNs begin, TimeNs end) const;
    std::uint32_t type_code(std::uint16_t type) const;  ///< 31 = another type
};

/// Whether filters of these arcs may have to read more than a word.
bool wants_gate(const Arcs& arcs);
/// A word for each arc.
void make_gate(Arcs& arcs, int workers);

/// What a filter asks of a column that differs from arc to arc.
struct GateAsk {
    const std::uint32_t* types = nullptr;  ///< bits of the types that pass; null = all
    std::optional<float> min_weight;
    std::optional<TimeNs> from;  ///< a time at which or before the arc must begin
    std::optional<TimeNs> to;    ///< a time after which it must end
};
GateTest gate_test(const GateCodes& codes, const GateAsk& ask);

}  // namespace remanence
