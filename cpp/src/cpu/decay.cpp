// The verb `decay` on the CPU: checks its columns once, then applies one law to every row.
#include "remanence/decay.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <string>
#include <type_traits>
#include <vector>

#include "core/threads.hpp"
#include "cpu/kernels.hpp"

namespace remanence {
namespace {

constexpr std::size_t rows_per_task = 4096;
constexpr std::size_t rows_per_block = 64;  // a multiple of the kernels' 16

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
void check_history(const char* law, const DecayColumns<T>& c, std::size_t n) {
    check_column(law, "offsets", c.offsets, n + 1);
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

template <class Law, class T>
void check_columns(const DecayColumns<T>& c, std::size_t n) {
    const char* const law = Law::name;
    if (Law::reads & column::access_times) check_history(law, c, n);
    if (Law::reads & column::accesses) check_column(law, "accesses", c.accesses, n);
    if (Law::reads & column::created) check_column(law, "created", c.created, n);
    if (Law::reads & column::last_access) check_column(law, "last_access", c.last_access, n);
    if (Law::reads & column::trace) {
        check_column(law, "trace", c.trace, n * power_trace_size);
        check_values<T>("trace", c.trace, false);
    }
    if (Law::reads & column::stability) {
        check_column(law, "stability", c.stability, n);
        check_values<T>("stability", c.stability, true);
    }
}

template <class Column>
auto at_or_zero(const Column& column, std::size_t i) {
    return column.empty() ? typename Column::value_type{} : column[i];
}

template <class T>
DecayRow<T> row_of(const DecayColumns<T>& c, std::size_t i, std::vector<double>& scratch) {
    DecayRow<T> row;
    if (!c.offsets.empty()) {
        row.access_times = c.access_times.data() + c.offsets[i];
        row.access_count = static_cast<std::size_t>(c.offsets[i + 1] - c.offsets[i]);
        if (scratch.size() < row.access_count) scratch.resize(row.access_count);
        row.scratch = scratch.data();
    }
    row.accesses = at_or_zero(c.accesses, i);
    row.created = at_or_zero(c.created, i);
    row.last_access = at_or_zero(c.last_access, i);
    row.stability = at_or_zero(c.stability, i);
    return row;
}

template <class Law, class T>
void apply(const Law& law, const DecayColumns<T>& c, TimeNs now, std::size_t first, View<T> out) {
    std::vector<double> scratch;
    for (std::size_t i = 0; i < out.size(); ++i) {
        out[i] = static_cast<T>(law.activation(row_of(c, first + i, scratch), now));
    }
}

void apply(const PowerTrace& law, const DecayColumns<double>& c, TimeNs now, std::size_t first,
           View<double> out) {
    const double* const weights = power_trace_weights(law.d);
    for (std::size_t i = 0; i < out.size(); ++i) {
        const double* const trace = c.trace.data() + (first + i) * power_trace_size;
        out[i] = power_trace_activation_f64(trace, c.last_access[first + i], now, weights);
    }
}

/// Blocks of rows are turned into columns for the kernel that recall itself runs.
void apply(const PowerTrace& law, const DecayColumns<float>& c, TimeNs now, std::size_t first,
           View<float> out) {
    const PowerTraceConstants constants = power_trace_constants(law.d);
    std::array<std::array<float, rows_per_block>, power_trace_size> trace{};
    std::array<float, rows_per_block> age_s{}, result{};
    std::array<const float*, power_trace_size> columns{};
    for (std::size_t k = 0; k < power_trace_size; ++k) columns[k] = trace[k].data();
    const auto activation = cpu::kernels().activation;
    for (std::size_t i = 0; i < out.size(); i += rows_per_block) {
        const std::size_t count = std::min(rows_per_block, out.size() - i);
        for (std::size_t j = 0; j < count; ++j) {
            const std::size_t row = first + i + j;
            const float* const held = c.trace.data() + row * power_trace_size;
            for (std::size_t k = 0; k < power_trace_size; ++k) trace[k][j] = held[k];
            age_s[j] = power_trace_age_s(c.last_access[row], now);
        }
        activation(constants, columns.data(), age_s.data(), rows_per_block, result.data());
        std::copy_n(result.data(), count, out.data() + i);
    }
}

template <class T>
void decay_rows(const DecayLaw& law, const DecayColumns<T>& columns, TimeNs now, View<T> out) {
    check_law(law);
    std::visit(
        [&](const auto& exact) {
            check_columns<std::decay_t<decltype(exact)>>(columns, out.size());
            const std::size_t tasks = (out.size() + rows_per_task - 1) / rows_per_task;
            parallel_for(tasks, worker_count(0), [&](std::size_t task, int) {
                const std::size_t first = task * rows_per_task;
                const std::size_t count = std::min(rows_per_task, out.size() - first);
                apply(exact, columns, now, first, out.subspan(first, count));
            });
        },
        law);
}

}  // namespace

void check_law(const DecayLaw& law) {
    std::visit([](const auto& exact) { check_fields(exact); }, law);
}

void decay(const DecayLaw& law, const DecayColumns<float>& columns, TimeNs now,
           View<float> activation) {
    decay_rows(law, columns, now, activation);
}

void decay(const DecayLaw& law, const DecayColumns<double>& columns, TimeNs now,
           View<double> activation) {
    decay_rows(law, columns, now, activation);
}

}  // namespace remanence
