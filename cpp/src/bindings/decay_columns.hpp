// Columns of the decay bindings: their checks, their two precisions and the shape of traces.
#pragma once

#include <cmath>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "remanence/decay.hpp"

#include "bindings/arrays.hpp"

namespace remanence::bindings {

struct ColumnArguments {
    py::object access_times, offsets, accesses, created, last_access, trace, stability, out;
};

/// Whether a column says that it lies on a device; then all must.
bool any_on_device(const ColumnArguments& a);
/// The verb where they do.
py::object decay_there(const DecayLaw& law, TimeNs now, const ColumnArguments& a, bool precise,
                       const std::string& backend);

[[noreturn]] inline void refuse(const char* verb, const std::string& what) {
    throw InvalidArgument(std::string(verb) + ": " + what);
}

inline void same_length(const char* verb, const char* name, std::size_t got, std::size_t want) {
    if (got == want) return;
    refuse(verb, std::string(name) + " has the wrong length (got " + std::to_string(got) +
                     ", want " + std::to_string(want) + ")");
}

/// Every value finite and in [low, high]; `low_open` leaves out low itself.
template <class T>
void within(const char* verb, const char* name, View<const T> values, T low, T high,
            bool low_open = false) {
    for (std::size_t i = 0; i < values.size(); ++i) {
        const bool above = low_open ? values[i] > low : values[i] >= low;
        if (above && values[i] <= high) continue;
        refuse(verb, std::string(name) + " is out of range (got " + std::to_string(values[i]) +
                         " at position " + std::to_string(i) + ", want " + (low_open ? "(" : "[") +
                         std::to_string(low) + ", " + std::to_string(high) + "])");
    }
}

inline bool is_double(const py::handle& object) {
    return py::isinstance<py::array>(object) &&
           py::reinterpret_borrow<py::array>(object).dtype().equal(py::dtype::of<double>());
}

/// Calls `run` with a float or a double as the dtype of `state` says; all other dtypes are refused
/// by the view of float.
template <class Run>
auto by_precision(const py::handle& state, const Run& run) {
    return is_double(state) ? run(double{}) : run(float{});
}

/// Traces [n, 12], values unseen.
template <class T>
View<const T> trace_shape(const char* verb, const char* name, const py::handle& object) {
    const View<const T> trace = view<T>(verb, name, object, 2);
    const auto columns = py::reinterpret_borrow<py::array>(object).shape(1);
    if (columns != py::ssize_t{power_trace_size}) {
        refuse(verb,
               std::string(name) + " must have 12 columns (got " + std::to_string(columns) + ")");
    }
    return trace;
}

/// Traces [n, 12] with values that an update may start from.
template <class T>
View<const T> trace_view(const char* verb, const char* name, const py::handle& object) {
    const View<const T> trace = trace_shape<T>(verb, name, object);
    for (std::size_t i = 0; i < trace.size(); ++i) {
        if (std::isfinite(trace[i]) && trace[i] >= T{0}) continue;
        refuse(verb, std::string(name) + " must be finite and not negative (got " +
                         std::to_string(trace[i]) + ")");
    }
    return trace;
}

template <class T>
py::tuple traces(std::vector<T> trace, std::vector<TimeNs> last) {
    const auto rows = static_cast<py::ssize_t>(last.size());
    return py::make_tuple(array_of(std::move(trace), {rows, py::ssize_t{power_trace_size}}),
                          array_of(std::move(last)));
}

template <class T>
std::vector<T> copy_of(View<const T> values) {
    return {values.begin(), values.end()};
}

/// The caller's array to write to: checked as an input is, and writeable.
template <class T>
py::array_t<T> given_out(const char* verb, const py::object& out, std::size_t n) {
    same_length(verb, "out", view<T>(verb, "out", out).size(), n);
    auto array = py::reinterpret_borrow<py::array_t<T>>(out);
    if (!array.writeable()) refuse(verb, "out is read-only");
    return array;
}

template <class T, class... Columns>
void refuse_overlap(const char* verb, View<T> out, const Columns&... columns) {
    const auto begin = reinterpret_cast<std::uintptr_t>(out.data());
    const auto end = begin + out.size_bytes();
    const auto meets = [&](const auto& column) {
        const auto at = reinterpret_cast<std::uintptr_t>(column.data());
        return at < end && begin < at + column.size_bytes();
    };
    if ((meets(columns) || ...)) refuse(verb, "out must not overlap a column that is read");
}

}  // namespace remanence::bindings
