// The activation of rows, by the decay laws of the public header.
#include "core/activation.hpp"

#include <algorithm>
#include <atomic>
#include <vector>

#include "cpu/kernels.hpp"

namespace remanence {
namespace {

constexpr double default_d = 0.5;  // Anderson & Schooler 1991; the default of ACT-R
const Fsrs6 fsrs{};
const Exponential exponential{};

double seconds_to_days(TimeNs from, TimeNs to) { return Exponential::days(from, to); }

void count(std::uint16_t& value, std::uint16_t& other) {
    // Halving both keeps their ratio, which is all that the feature uses.
    if (value == 0xFFFF) {
        value /= 2;
        other /= 2;
    }
    ++value;
}

/// A graded review of FSRS: used is "good", not used is "again"; unknown use changes nothing.
void review(AccessState& state, TimeNs time, int used) {
    const int grade = used == 1 ? Fsrs6::good : Fsrs6::again;
    const FsrsState next =
        fsrs.review({static_cast<double>(state.stability), static_cast<double>(state.difficulty)},
                    fsrs.days(state.last_access, time), grade);
    state.stability = static_cast<float>(next.stability);
    state.difficulty = static_cast<float>(next.difficulty);
}

}  // namespace

const PowerTraceConstants& trace_constants() {
    static const PowerTraceConstants constants = power_trace_constants(default_d);
    return constants;
}

AccessState first_access(Law law, TimeNs time) {
    AccessState state;
    state.last_access = time;
    state.accesses = 1;
    if (law == Law::power_trace) {
        state.trace.fill(1.0F);
    } else if (law == Law::fsrs6) {
        const FsrsState first = fsrs.first(Fsrs6::good);
        state.stability = static_cast<float>(first.stability);
        state.difficulty = static_cast<float>(first.difficulty);
    } else {
        state.stability = static_cast<float>(exponential.initial_half_life_days);
    }
    return state;
}

void add_access(AccessState& state, Law law, TimeNs time, float weight, int used) {
    if (law == Law::power_trace) {
        power_trace_add(state.trace.data(), state.last_access, time, static_cast<double>(weight));
    } else if (used >= 0) {  // a law of graded outcomes learns nothing from a mere look
        const double days = seconds_to_days(state.last_access, time);
        if (law == Law::fsrs6) review(state, time, used);
        if (law == Law::half_life) {
            state.stability = static_cast<float>(
                exponential.next_half_life(static_cast<double>(state.stability), days, used == 1));
        }
        state.last_access = std::max(state.last_access, time);
    }
    ++state.accesses;
    if (used == 1) count(state.used, state.unused);
    if (used == 0) count(state.unused, state.used);
}

AccessState read_access(const Segment& segment, std::uint32_t r) {
    AccessState state;
    for (std::size_t k = 0; k < trace_count; ++k) state.trace[k] = segment.trace[k][r];
    state.last_access = segment.last_access[r];
    state.accesses = segment.accesses[r];
    state.stability = segment.stability[r];
    state.difficulty = segment.difficulty[r];
    state.used = segment.used[r];
    state.unused = segment.unused[r];
    return state;
}

void write_access(Segment& segment, std::uint32_t r, const AccessState& state) {
    for (std::size_t k = 0; k < trace_count; ++k) segment.trace[k][r] = state.trace[k];
    segment.last_access[r] = state.last_access;
    segment.accesses[r] = state.accesses;
    segment.stability[r] = state.stability;
    segment.difficulty[r] = state.difficulty;
    segment.used[r] = state.used;
    segment.unused[r] = state.unused;
}

AccessState access_as_of(const Columns& columns, std::uint32_t row, Seq seq) {
    const Segment& s = columns.at(row);
    const std::uint32_t r = Columns::within(row);
    const std::uint32_t last = s.last_touch[r];
    if (last == none || columns.touches[last].seq <= seq) return read_access(s, r);
    std::vector<const Touch*> seen;
    for (std::uint32_t t = last; t != none; t = columns.touches[t].previous) {
        if (columns.touches[t].seq <= seq) seen.push_back(&columns.touches[t]);
    }
    const auto law = static_cast<Law>(s.law[r]);
    AccessState state = first_access(law, s.created[r]);
    for (auto at = seen.rbegin(); at != seen.rend(); ++at) {
        add_access(state, law, (*at)->time, (*at)->weight, (*at)->used);
    }
    return state;
}

std::vector<std::uint32_t> rows_touched_after(const Columns& columns, Seq seq) {
    // A later version copies the touches of the one before, but then `seq` does not see it.
    std::vector<std::uint32_t> rows;
    for (auto t = columns.touches.rbegin(); t != columns.touches.rend() && t->seq > seq; ++t) {
        rows.push_back(t->row);
    }
    std::sort(rows.begin(), rows.end());
    rows.erase(std::unique(rows.begin(), rows.end()), rows.end());
    return rows;
}

namespace {

/// A bound is close while the youngest row has aged by less than a tenth since it was made: then
/// no activation has fallen by more than d ln 1.1 nats.
bool close_enough(const ActivationBound& bound, TimeNs now) {
    if (now < bound.made_at) return false;
    const double since_s = elapsed_s(bound.made_at, now);
    return since_s <= 1.0 + 0.1 * elapsed_s(bound.newest_access, bound.made_at);
}

}  // namespace

void add_activations(const Segment& segment, std::uint32_t first, ActivationBound& to) {
    const TimeNs now = to.made_at;
    const std::uint32_t rows = to.count;
    to.nats.resize(segment_rows);
    std::vector<float> age_s((rows - first + 15) / 16 * 16);
    for (std::uint32_t r = first; r < rows; ++r) {
        age_s[r - first] = power_trace_age_s(segment.last_access[r], now);
        to.newest_access = std::max(to.newest_access, std::min(segment.last_access[r], now));
    }
    std::array<const float*, trace_count> trace{};
    for (std::size_t k = 0; k < trace_count; ++k) trace[k] = segment.trace[k] + first;
    cpu::kernels().activation(trace_constants(), trace.data(), age_s.data(), age_s.size(),
                              to.nats.data() + first);
    for (std::uint32_t r = first; r < rows; ++r) {
        const auto law = static_cast<Law>(segment.law[r]);
        if (law != Law::power_trace) {
            to.nats[r] = activation_of(read_access(segment, r), law, now);
        }
    }
}

std::shared_ptr<const ActivationBound> activation_bound(const Segment& segment, TimeNs now,
                                                        std::uint32_t rows) {
    auto known = std::atomic_load(&segment.activation_bound);
    const bool close = known != nullptr && close_enough(*known, now);
    if (close && known->count >= rows) return known;
    auto made = std::make_shared<ActivationBound>();
    std::uint32_t first = 0;
    if (close) {  // only the rows that came since
        *made = *known;
        first = known->count / 16 * 16;
    } else {
        made->made_at = now;
    }
    made->count = rows;
    add_activations(segment, first, *made);
    std::atomic_store(&segment.activation_bound, made);
    return made;
}

void raise_bound(Segment& segment, std::uint32_t r) {
    const auto bound = std::atomic_load(&segment.activation_bound);
    if (bound == nullptr || r >= bound->count) return;
    const AccessState state = read_access(segment, r);
    const TimeNs at = std::max(bound->made_at, state.last_access);
    bound->nats[r] =
        std::max(bound->nats[r], activation_of(state, static_cast<Law>(segment.law[r]), at));
}

float activation_of(const AccessState& state, Law law, TimeNs now) {
    if (law == Law::power_trace) {
        return power_trace_activation(state.trace.data(), state.last_access, now,
                                      trace_constants());
    }
    DecayRow<float> row;
    row.stability = state.stability;
    row.last_access = state.last_access;
    return static_cast<float>(law == Law::fsrs6 ? fsrs.activation(row, now)
                                                : exponential.activation(row, now));
}

}  // namespace remanence
