// The verb `decay` on the CPU: checks its columns once, then applies one law to every row.
#include "remanence/decay.hpp"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <limits>
#include <string>
#include <type_traits>

#include "core/plugin.hpp"
#include "core/threads.hpp"
#include "cpu/decay_histories.hpp"
#include "cpu/kernels_decay.hpp"

namespace remanence {
namespace {

constexpr std::size_t rows_per_task = 4096;

[[noreturn]] void refuse(const std::string& what) { throw InvalidArgument("decay: " + what); }

void check_field(const char* law, const char* field, double got, bool holds, const char* want) {
    if (holds) return;
    refuse(std::string(field) + " of " + law + " is out of range (got " + std::to_string(got) +
           ", want " + want + ")");
}

void check_fields(const PowerTrace& law) { (void)power_trace_weights(law.d); }

void check_fields(const ActrExact& law) {
    check_field(law.name, "d", law.d, law.d > 0.0 && law.d <= 10.0, "0 < d <= 10");
}

void check_fields(const ActrOptimized& law) {
    check_field(law.name, "d", law.d, law.d > 0.0 && law.d < 1.0, "0 < d < 1");
}

void check_fields(const PetrovHybrid& law) {
    check_field(law.name, "d", law.d, law.d > 0.0 && law.d < 1.0, "0 < d < 1");
    check_field(law.name, "recent", law.recent, law.recent >= 1, "recent >= 1");
}

void check_fields(const PavlikAnderson& law) {
    check_field(law.name, "c", law.c, law.c >= 0.0 && law.c <= 100.0, "0 <= c <= 100");
    check_field(law.name, "a", law.a, law.a > 0.0 && law.a <= 10.0, "0 < a <= 10");
    check_field(law.name, "d_max", law.d_max, law.d_max > 0.0 && law.d_max <= 10.0,
                "0 < d_max <= 10");
}

void check_fields(const Exponential& law) {
    const double low = law.min_half_life_days, high = law.max_half_life_days;
    check_field(law.name, "min_half_life_days", low, low > 0.0 && low <= high,
                "0 < min_half_life_days <= max_half_life_days");
    check_field(law.name, "max_half_life_days", high, std::isfinite(high), "a finite number");
    check_field(law.name, "initial_half_life_days", law.initial_half_life_days,
                law.initial_half_life_days >= low && law.initial_half_life_days <= high,
                "between min_half_life_days and max_half_life_days");
    check_field(law.name, "growth", law.growth, law.growth >= 0.0 && law.growth <= 1e6,
                "0 <= growth <= 1e6");
    check_field(law.name, "shrink", law.shrink, law.shrink > 0.0 && law.shrink <= 1.0,
                "0 < shrink <= 1");
}

void check_fields(const Fsrs6& law) {
    for (int i = 0; i < 21; ++i) {
        check_field(law.name, ("w[" + std::to_string(i) + "]").c_str(), law.w[i],
                    std::abs(law.w[i]) <= 1e3, "a number within +-1000");
    }
    check_field(law.name, "w[20]", law.w[20], law.w[20] >= 0.01, "w[20] >= 0.01");
}

template <class Column>
void check_column(const char* law, const char* name, const Column& column, std::size_t want) {
    if (column.size() == want) return;
    refuse(std::string(law) + " reads the column " + name + ", which has the wrong length (got " +
           std::to_string(column.size()) + ", want " + std::to_string(want) + ")");
}

/// The first loop has no branch, so that the compiler turns it into vector code.
template <class T>
void check_values(const char* name, View<const T> values, bool positive) {
    constexpr T most = std::numeric_limits<T>::max();
    const T least = positive ? std::numeric_limits<T>::denorm_min() : T{0};
    int wrong = 0;
    for (const T value : values) wrong |= (value >= least ? 0 : 1) | (value <= most ? 0 : 1);
    if (wrong == 0) return;
    const auto bad = std::find_if(values.begin(), values.end(),
                                  [&](T value) { return !(value >= least && value <= most); });
    refuse(std::string(name) + " must be finite and " + (positive ? "positive" : "not negative") +
           " (got " + std::to_string(*bad) + " at position " +
           std::to_string(bad - values.begin()) + ")");
}

template <class T>
void check_history(const DecayColumns<T>& c, std::size_t n) {
    const auto m = static_cast<std::int64_t>(c.access_times.size());
    bool holds = c.offsets[0] == 0 && c.offsets[n] == m;
    for (std::size_t i = 0; holds && i < n; ++i) holds = c.offsets[i] <= c.offsets[i + 1];
    if (!holds) {
        refuse("offsets must ascend from 0 to the number of access times (got " +
               std::to_string(c.offsets[0]) + " to " + std::to_string(c.offsets[n]) +
               ", want 0 to " + std::to_string(m) + ")");
    }
    for (std::size_t i = 0; i < n; ++i) {
        const TimeNs* const first = c.access_times.data() + c.offsets[i];
        const TimeNs* const last = c.access_times.data() + c.offsets[i + 1];
        if (std::is_sorted(first, last)) continue;
        refuse("the access times of memory " + std::to_string(i) +
               " must ascend (got a later one first; sort them)");
    }
}

/// Lengths alone; values are checked while they are read.
template <class Law, class T>
void check_lengths(const DecayColumns<T>& c, std::size_t n) {
    const char* const law = Law::name;
    if (Law::reads & column::access_times) check_column(law, "offsets", c.offsets, n + 1);
    if (Law::reads & column::accesses) check_column(law, "accesses", c.accesses, n);
    if (Law::reads & column::created) check_column(law, "created", c.created, n);
    if (Law::reads & column::last_access) check_column(law, "last_access", c.last_access, n);
    if (Law::reads & column::trace) check_column(law, "trace", c.trace, n * power_trace_size);
    if (Law::reads & column::stability) check_column(law, "stability", c.stability, n);
}

/// Names the first value that is out of range, if one is.
template <class Law, class T>
void check_column_values(const DecayColumns<T>& c, std::size_t n) {
    if (Law::reads & column::access_times) check_history(c, n);
    if (Law::reads & column::trace) check_values<T>("trace", c.trace, false);
    if (Law::reads & column::stability) check_values<T>("stability", c.stability, true);
}

template <class T>
const cpu::RowKernels<T>& rows_kernels() {
    if constexpr (std::is_same_v<T, float>) {
        return cpu::decay_kernels().f32;
    } else {
        return cpu::decay_kernels().f64;
    }
}

// Each `apply` fills `out` with rows `first` ... of the columns and is false if a value of them
// may be out of range.
template <class T>
bool apply(const PowerTrace& law, const DecayColumns<T>& c, TimeNs now, std::size_t first,
           View<T> out) {
    return rows_kernels<T>().power_trace(power_trace_constants(law.d), power_trace_weights(law.d),
                                         c.trace.data() + first * power_trace_size,
                                         c.last_access.data() + first, now, out.size(), out.data());
}

template <class T>
bool apply(const Exponential& /*law*/, const DecayColumns<T>& c, TimeNs now, std::size_t first,
           View<T> out) {
    return rows_kernels<T>().half_life(c.stability.data() + first, c.last_access.data() + first,
                                       now, out.size(), out.data());
}

template <class T>
bool apply(const Fsrs6& law, const DecayColumns<T>& c, TimeNs now, std::size_t first, View<T> out) {
    return rows_kernels<T>().forgetting(law.factor(), law.w[20], law.floor_days,
                                        c.stability.data() + first, c.last_access.data() + first,
                                        now, out.size(), out.data());
}

template <class T>
bool apply(const ActrOptimized& law, const DecayColumns<T>& c, TimeNs now, std::size_t first,
           View<T> out) {
    rows_kernels<T>().optimized(law.d, c.accesses.data() + first, c.created.data() + first, now,
                                out.size(), out.data());
    return true;
}

template <class T>
bool apply(const ActrExact& law, const DecayColumns<T>& c, TimeNs now, std::size_t first,
           View<T> out) {
    return cpu::decay_histories<T>(c, now, first, out, law);
}

template <class T>
bool apply(const PetrovHybrid& law, const DecayColumns<T>& c, TimeNs now, std::size_t first,
           View<T> out) {
    return cpu::decay_histories<T>(c, now, first, out, law);
}

template <class T>
bool apply(const PavlikAnderson& law, const DecayColumns<T>& c, TimeNs now, std::size_t first,
           View<T> out) {
    return cpu::decay_histories<T>(c, now, first, out, law);
}

template <class T>
void check_columns(const DecayLaw& law, const DecayColumns<T>& columns, std::size_t n) {
    check_law(law);
    std::visit(
        [&](const auto& exact) {
            using Law = std::decay_t<decltype(exact)>;
            check_lengths<Law>(columns, n);
            check_column_values<Law>(columns, n);
        },
        law);
}

template <class T>
void decay_rows(const DecayLaw& law, const DecayColumns<T>& columns, TimeNs now, View<T> out) {
    check_law(law);
    std::visit(
        [&](const auto& exact) {
            using Law = std::decay_t<decltype(exact)>;
            check_lengths<Law>(columns, out.size());
            std::atomic<bool> held{true};
            const std::size_t tasks = (out.size() + rows_per_task - 1) / rows_per_task;
            parallel_for(tasks, worker_count(0), [&](std::size_t task, int) {
                const std::size_t first = task * rows_per_task;
                const std::size_t count = std::min(rows_per_task, out.size() - first);
                if (!apply(exact, columns, now, first, out.subspan(first, count))) held = false;
            });
            // Which row is wrong, and how, is worth a second look only where one is.
            if (!held || out.empty()) check_column_values<Law>(columns, out.size());
        },
        law);
}

template <class T, class Run>
void decay_there(Run run, const DecayLaw& law, const DecayColumns<T>& columns, TimeNs now,
                 View<T> out) {
    check_law(law);
    std::visit(
        [&](const auto& exact) {
            check_lengths<std::decay_t<decltype(exact)>>(columns, out.size());
        },
        law);
    const std::size_t wrong = run(law, columns, now, out);
    if (wrong != out.size()) {
        refuse("the columns of memory " + std::to_string(wrong) +
               " are out of range (want ascending access times, finite traces that are not "
               "negative, finite positive stabilities)");
    }
}

}  // namespace

void check_law(const DecayLaw& law) {
    std::visit([](const auto& exact) { check_fields(exact); }, law);
}

void decay(const DecayLaw& law, const DecayColumns<float>& columns, TimeNs now,
           View<float> activation, std::string_view backend) {
    const std::string name = chosen_backend("decay", backend);
    if (name == "cpu") return decay_rows(law, columns, now, activation);
    const auto run = plugin(name).decay_f32;
    check_columns(law, columns, activation.size());
    run(law, columns, now, activation);
}

void decay(const DecayLaw& law, const DecayColumns<double>& columns, TimeNs now,
           View<double> activation, std::string_view backend) {
    const std::string name = chosen_backend("decay", backend);
    if (name == "cpu") return decay_rows(law, columns, now, activation);
    const auto run = plugin(name).decay_f64;
    check_columns(law, columns, activation.size());
    run(law, columns, now, activation);
}

void decay_on_device(const DecayLaw& law, const DecayColumns<float>& columns, TimeNs now,
                     View<float> activation, const std::string& backend) {
    decay_there(plugin(backend).decay_there_f32, law, columns, now, activation);
}

void decay_on_device(const DecayLaw& law, const DecayColumns<double>& columns, TimeNs now,
                     View<double> activation, const std::string& backend) {
    decay_there(plugin(backend).decay_there_f64, law, columns, now, activation);
}

}  // namespace remanence
