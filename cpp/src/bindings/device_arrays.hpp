// Arrays in the memory of a device: those of other libraries seen in place, and ours for them.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "remanence/backend.hpp"

#include "bindings/arrays.hpp"

namespace remanence::bindings {

/// An array of ours on a backend's device, C-contiguous and never changed.
class DeviceArray {
public:
    DeviceArray(std::string backend, py::dtype dtype, std::vector<py::ssize_t> shape);
    void* data() const { return data_.get(); }
    std::size_t bytes() const { return bytes_; }
    const std::string& backend() const { return backend_; }
    const py::dtype& dtype() const { return dtype_; }
    const std::vector<py::ssize_t>& shape() const { return shape_; }
    const std::shared_ptr<void>& owner() const { return data_; }

private:
    std::string backend_;
    py::dtype dtype_;
    std::vector<py::ssize_t> shape_;
    std::size_t bytes_;
    std::shared_ptr<void> data_;
};

/// An array of any library, seen in place for the length of a call.
struct SeenArray {
    const void* data = nullptr;
    std::vector<py::ssize_t> shape;
    std::string type;  ///< as NumPy writes it, "<f4"
    py::object keep;   ///< what owns the memory
    std::size_t size() const;
};

/// Whether an object says that its memory is a device's.
bool lies_on_device(const py::handle& object);

/// A contiguous array on the device of `backend`, which what its producer has begun is done for.
/// Throws InvalidArgument with the fix.
SeenArray see_on_device(const char* verb, const char* name, const py::object& object,
                        const std::string& backend, const std::string& type, int rank);

template <class T>
View<const T> device_view(const SeenArray& seen) {
    return {static_cast<const T*>(seen.data), seen.size()};
}

}  // namespace remanence::bindings
