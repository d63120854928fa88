// The one file that knows array protocols: NumPy in as views without a copy, vectors out as arrays.
#pragma once

#include <memory>
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <string>
#include <vector>

#include "remanence/error.hpp"
#include "remanence/types.hpp"

namespace remanence::bindings {

namespace py = pybind11;

/// A contiguous array argument seen in place. Wrong dtype, layout or rank is an error that names
/// the fix; nothing is converted behind the caller's back.
template <class T>
View<const T> view(const char* verb, const char* name, const py::handle& object, int rank = 1) {
    const auto fail = [&](const std::string& what) {
        throw InvalidArgument(std::string(verb) + ": " + name + " " + what);
    };
    if (!py::isinstance<py::array>(object)) {
        fail("must be a NumPy array (got " +
             std::string(py::str(py::type::handle_of(object).attr("__name__"))) + ")");
    }
    const auto array = py::reinterpret_borrow<py::array>(object);
    const py::dtype want = py::dtype::of<T>();
    if (!array.dtype().equal(want)) {
        fail("must have dtype " + std::string(py::str(want)) + " (got " +
             std::string(py::str(array.dtype())) + "; use .astype(np." +
             std::string(py::str(want)) + "))");
    }
    if (array.ndim() != rank) {
        fail("must have " + std::to_string(rank) + " dimension(s) (got " +
             std::to_string(array.ndim()) + ")");
    }
    if ((array.flags() & py::array::c_style) == 0) {
        fail("must be C-contiguous (use np.ascontiguousarray)");
    }
    if ((array.flags() & py::detail::npy_api::NPY_ARRAY_ALIGNED_) == 0) {
        fail("must be aligned (use .copy())");
    }
    return {static_cast<const T*>(array.data()), static_cast<std::size_t>(array.size())};
}

template <class T>
View<const T> view_or_empty(const char* verb, const char* name, const py::handle& object,
                            int rank = 1) {
    return object.is_none() ? View<const T>{} : view<T>(verb, name, object, rank);
}

/// An array of numbers, or one number in its place, kept alive for the length of a call.
struct Numbers {
    Numbers(const char* verb, const char* name, const py::object& object) {
        if (!py::isinstance<py::int_>(object)) {
            all = view<std::int64_t>(verb, name, object);
            return;
        }
        int overflow = 0;
        one = PyLong_AsLongLongAndOverflow(object.ptr(), &overflow);
        if (overflow != 0) {
            throw InvalidArgument(std::string(verb) + ": " + name + " must fit 64 bits (got " +
                                  std::string(py::str(object)) + ")");
        }
        all = {&one, 1};
    }
    Numbers(const Numbers&) = delete;
    Numbers& operator=(const Numbers&) = delete;
    std::int64_t one = 0;
    View<const std::int64_t> all;
};

/// An array that owns the vector's memory, or a copy of a few values, which costs less.
template <class T>
py::array_t<T> array_of(std::vector<T> values, std::vector<py::ssize_t> shape = {}) {
    constexpr std::size_t few = 4096 / sizeof(T);
    if (shape.empty() && values.size() <= few) {
        const auto& numpy = py::detail::npy_api::get();
        const auto count = static_cast<Py_intptr_t>(values.size());
        PyObject* const made =
            numpy.PyArray_NewFromDescr_(numpy.PyArray_Type_, py::dtype::of<T>().release().ptr(), 1,
                                        &count, nullptr, nullptr, 0, nullptr);
        if (made == nullptr) throw py::error_already_set();
        auto out = py::reinterpret_steal<py::array_t<T>>(made);
        std::copy(values.begin(), values.end(), out.mutable_data());
        return out;
    }
    auto owned = std::make_unique<std::vector<T>>(std::move(values));
    if (shape.empty()) shape = {static_cast<py::ssize_t>(owned->size())};
    T* const data = owned->data();
    const py::capsule owner(owned.release(),
                            [](void* v) { delete static_cast<std::vector<T>*>(v); });
    return py::array_t<T>(shape, data, owner);
}

inline py::array_t<bool> bools_of(const std::vector<std::uint8_t>& values) {
    py::array_t<bool> out(static_cast<py::ssize_t>(values.size()));
    std::copy(values.begin(), values.end(), out.mutable_data());
    return out;
}

}  // namespace remanence::bindings
