// The activation of rows: its start, its accesses, and its value now or as a past commit saw it.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "remanence/decay.hpp"

#include "core/columns.hpp"

namespace remanence {

/// What accesses change in a row.
struct AccessState {
    std::array<float, trace_count> trace{};
    TimeNs last_access = 0;
    std::uint32_t accesses = 0;
    float stability = 0.0F;
    float difficulty = 0.0F;
    std::uint16_t used = 0;
    std::uint16_t unused = 0;
};

/// A memory accessed once, when it was made.
AccessState first_access(Law law, TimeNs time);
/// One more access; `used` is 1, 0 or -1 (not known).
void add_access(AccessState& state, Law law, TimeNs time, float weight, int used);

AccessState read_access(const Segment& segment, std::uint32_t r);
void write_access(Segment& segment, std::uint32_t r, const AccessState& state);

/// The state of a row as commit `seq` saw it: later touches are left out by replaying the others.
AccessState access_as_of(const Columns& columns, std::uint32_t row, Seq seq);

/// Rows whose stored state is not what commit `seq` saw, ascending.
std::vector<std::uint32_t> rows_touched_after(const Columns& columns, Seq seq);

/// Activation in nats at `now`.
float activation_of(const AccessState& state, Law law, TimeNs now);

/// PowerTrace at the default decay exponent.
const PowerTraceConstants& trace_constants();

/// Bounds of the activations of a segment's first `rows` from `now` on, made anew when they are
/// missing, from after `now`, or too old to be close. Safe to call from any number of readers.
std::shared_ptr<const ActivationBound> activation_bound(const Segment& segment, TimeNs now,
                                                        std::uint32_t rows);

/// Fills the activations of a segment's rows from `first` (a multiple of 16) on, at the time and up
/// to the count that `to` names.
void add_activations(const Segment& segment, std::uint32_t first, ActivationBound& to);

/// Raises the bound of a row that was just accessed; the writer's side.
void raise_bound(Segment& segment, std::uint32_t r);

}  // namespace remanence
