// DLPack and __cuda_array_interface__: arrays of other libraries in, arrays of ours out, no copy.
#include "bindings/device_arrays.hpp"

#include <cstring>
#include <numeric>
#include <pybind11/stl.h>

#include "bindings/register.hpp"

namespace remanence::bindings {
namespace {

using Release = py::gil_scoped_release;

// The structures of DLPack 0.8, which every later version still takes.
struct DlDevice {
    std::int32_t kind, number;
};
struct DlType {
    std::uint8_t code, bits;
    std::uint16_t lanes;
};
struct DlTensor {
    void* data;
    DlDevice device;
    std::int32_t rank;
    DlType type;
    std::int64_t* shape;
    std::int64_t* strides;  ///< null = C-contiguous
    std::uint64_t first_byte;
};
struct DlManaged {
    DlTensor tensor;
    void* owner;
    void (*deleter)(DlManaged*);
};
constexpr const char* dl_name = "dltensor";
constexpr const char* dl_used_name = "used_dltensor";
constexpr std::array<char, 3> dl_kinds = {'i', 'u', 'f'};  // codes 0, 1, 2
constexpr int dl_host = 1, dl_pinned = 3, dl_cuda = 2;

/// What an exported tensor keeps alive.
struct Exported {
    DlManaged managed{};
    std::shared_ptr<void> data;
    std::vector<std::int64_t> shape;
};

std::string type_name(const py::dtype& dtype) { return py::cast<std::string>(dtype.attr("str")); }

std::size_t count_of(const std::vector<py::ssize_t>& shape) {
    return std::accumulate(
        shape.begin(), shape.end(), std::size_t{1},
        [](std::size_t n, py::ssize_t x) { return n * static_cast<std::size_t>(x); });
}

bool contiguous(const std::vector<py::ssize_t>& shape, const std::vector<py::ssize_t>& strides,
                py::ssize_t step) {
    if (count_of(shape) == 0) return true;
    for (std::size_t i = shape.size(); i-- > 0; step *= shape[i]) {
        if (shape[i] != 1 && strides[i] != step) return false;
    }
    return true;
}

void wait_for(const DeviceMemory& memory, std::uintptr_t stream) {
    const Release release;
    memory.wait_for(reinterpret_cast<void*>(stream));
}

/// Takes a tensor over; the capsule is marked as used, as DLPack asks.
SeenArray from_capsule(const char* verb, const char* name, const py::capsule& capsule) {
    auto* const managed = static_cast<DlManaged*>(PyCapsule_GetPointer(capsule.ptr(), dl_name));
    if (managed == nullptr) throw py::error_already_set();
    PyCapsule_SetName(capsule.ptr(), dl_used_name);
    const DlTensor& t = managed->tensor;
    SeenArray seen;
    seen.keep = py::capsule(managed, [](void* at) {
        auto* const held = static_cast<DlManaged*>(at);
        if (held->deleter != nullptr) held->deleter(held);
    });
    seen.data = static_cast<const std::byte*>(t.data) + t.first_byte;
    seen.shape.assign(t.shape, t.shape + t.rank);
    if (t.type.code < dl_kinds.size() && t.type.lanes == 1) {
        seen.type = std::string(t.type.bits == 8 ? "|" : "<") + dl_kinds[t.type.code] +
                    std::to_string(t.type.bits / 8);
    }
    if (t.strides != nullptr && !contiguous(seen.shape, {t.strides, t.strides + t.rank}, 1)) {
        throw InvalidArgument(std::string(verb) + ": " + name + " must be C-contiguous");
    }
    return seen;
}

SeenArray by_dlpack(const char* verb, const char* name, const py::object& object,
                    const DeviceMemory& memory) {
    py::object stream = py::none();
    if (memory.dlpack_kind == dl_cuda) stream = py::int_(1);  // the default one: it is waited for
    const py::object made = object.attr("__dlpack__")(py::arg("stream") = stream);
    SeenArray seen = from_capsule(verb, name, py::reinterpret_borrow<py::capsule>(made));
    if (memory.dlpack_kind == dl_cuda) wait_for(memory, 1);
    return seen;
}

SeenArray by_interface(const char* verb, const char* name, const py::object& object,
                       const DeviceMemory& memory) {
    const py::dict facts = object.attr("__cuda_array_interface__");
    SeenArray seen;
    seen.keep = object;
    seen.type = py::cast<std::string>(facts["typestr"]);
    seen.shape = py::cast<std::vector<py::ssize_t>>(py::object(facts["shape"]));
    seen.data = reinterpret_cast<const void*>(
        py::cast<std::uintptr_t>(py::cast<py::tuple>(facts["data"])[0]));
    if (facts.contains("strides") && !facts["strides"].is_none()) {
        const auto strides = py::cast<std::vector<py::ssize_t>>(py::object(facts["strides"]));
        const auto item = py::cast<py::ssize_t>(py::dtype(seen.type).attr("itemsize"));
        if (!contiguous(seen.shape, strides, item)) {
            throw InvalidArgument(std::string(verb) + ": " + name + " must be C-contiguous");
        }
    }
    if (facts.contains("stream") && !facts["stream"].is_none()) {
        wait_for(memory, py::cast<std::uintptr_t>(facts["stream"]));
    }
    return seen;
}

py::dict interface_of(const DeviceArray& a) {
    py::dict facts;
    facts["shape"] = py::tuple(py::cast(a.shape()));
    facts["typestr"] = type_name(a.dtype());
    facts["data"] = py::make_tuple(reinterpret_cast<std::uintptr_t>(a.data()), true);
    facts["version"] = 3;
    facts["strides"] = py::none();
    facts["stream"] = py::none();  // its content was there before it was handed out
    return facts;
}

py::tuple device_of(const DeviceArray& a) {
    return py::make_tuple(device_memory(a.backend()).dlpack_kind, 0);
}

py::capsule to_dlpack(const DeviceArray& a, const py::object& /*stream*/,
                      const py::object& /*max_version*/, const py::object& dl_device,
                      const py::object& copy) {
    if ((!dl_device.is_none() && !dl_device.equal(device_of(a))) || copy.equal(py::bool_(true))) {
        throw py::buffer_error("a DeviceArray is handed out where it lies (use get() for a copy)");
    }
    auto made = std::make_unique<Exported>();
    made->data = a.owner();
    made->shape.assign(a.shape().begin(), a.shape().end());
    const auto code = std::find(dl_kinds.begin(), dl_kinds.end(), a.dtype().kind());
    made->managed.tensor = {a.data(),
                            {device_memory(a.backend()).dlpack_kind, 0},
                            static_cast<std::int32_t>(a.shape().size()),
                            {static_cast<std::uint8_t>(code - dl_kinds.begin()),
                             static_cast<std::uint8_t>(8 * a.dtype().itemsize()), 1},
                            made->shape.data(),
                            nullptr,
                            0};
    made->managed.owner = made.get();
    made->managed.deleter = [](DlManaged* at) { delete static_cast<Exported*>(at->owner); };
    PyObject* const capsule = PyCapsule_New(&made->managed, dl_name, [](PyObject* unused) {
        if (PyCapsule_IsValid(unused, dl_name) == 0) return;  // another library took it over
        auto* const held = static_cast<DlManaged*>(PyCapsule_GetPointer(unused, dl_name));
        held->deleter(held);
    });
    if (capsule == nullptr) throw py::error_already_set();
    (void)made.release();
    return py::reinterpret_steal<py::capsule>(capsule);
}

py::array fetched(const DeviceArray& a) {
    py::array out(a.dtype(), a.shape());
    void* const data = out.mutable_data();
    const Release release;
    if (a.bytes() != 0) device_memory(a.backend()).to_host(data, a.data(), a.bytes());
    return out;
}

DeviceArray to_device(const py::array& array, const std::string& backend) {
    const py::array whole = py::module_::import("numpy").attr("ascontiguousarray")(array);
    if (std::find(dl_kinds.begin(), dl_kinds.end(), whole.dtype().kind()) == dl_kinds.end()) {
        throw InvalidArgument("to_device: want integers or floats (got dtype " +
                              std::string(py::str(whole.dtype())) + ")");
    }
    DeviceArray out(backend, whole.dtype(), {whole.shape(), whole.shape() + whole.ndim()});
    const Release release;
    if (out.bytes() != 0) device_memory(backend).to_device(out.data(), whole.data(), out.bytes());
    return out;
}

}  // namespace

std::size_t SeenArray::size() const { return count_of(shape); }

DeviceArray::DeviceArray(std::string backend, py::dtype dtype, std::vector<py::ssize_t> shape)
    : backend_(std::move(backend)),
      dtype_(std::move(dtype)),
      shape_(std::move(shape)),
      bytes_(count_of(shape_) * static_cast<std::size_t>(dtype_.itemsize())) {
    const DeviceMemory& memory = device_memory(backend_);
    if (bytes_ == 0) return;
    data_ = std::shared_ptr<void>(memory.allocate(bytes_), [&memory, bytes = bytes_](void* at) {
        memory.release(at, bytes);
    });
}

bool lies_on_device(const py::handle& object) {
    if (py::isinstance<py::array>(object)) return false;
    if (py::hasattr(object, "__dlpack_device__")) {
        const int kind = py::cast<int>(py::tuple(object.attr("__dlpack_device__")())[0]);
        return kind != dl_host && kind != dl_pinned;
    }
    return py::hasattr(object, "__cuda_array_interface__");
}

SeenArray see_on_device(const char* verb, const char* name, const py::object& object,
                        const std::string& backend, const std::string& type, int rank) {
    const auto fail = [&](const std::string& what) {
        throw InvalidArgument(std::string(verb) + ": " + name + " " + what);
    };
    if (backend == "cpu") fail("lies on a device, but the backend is cpu (copy it to the host)");
    const DeviceMemory& memory = device_memory(backend);
    const bool dlpack =
        py::hasattr(object, "__dlpack__") && py::hasattr(object, "__dlpack_device__");
    SeenArray seen =
        dlpack ? by_dlpack(verb, name, object, memory) : by_interface(verb, name, object, memory);
    if (seen.type != type) fail("must have dtype " + type + " (got " + seen.type + ")");
    if (static_cast<int>(seen.shape.size()) != rank) {
        fail("must have " + std::to_string(rank) + " dimension(s) (got " +
             std::to_string(seen.shape.size()) + ")");
    }
    const auto item = static_cast<std::size_t>(type.back() - '0');
    if (seen.size() != 0 && !memory.holds(seen.data, seen.size() * item)) {
        fail("does not lie on the device of the backend " + backend);
    }
    return seen;
}

void register_device_arrays(py::module_& m) {
    py::class_<DeviceArray>(
        m, "DeviceArray",
        "An array in a device's memory, read-only by agreement. Other libraries see it in place by "
        "DLPack (cupy.from_dlpack, torch.from_dlpack) or __cuda_array_interface__.")
        .def_property_readonly("backend", &DeviceArray::backend)
        .def_property_readonly("dtype", &DeviceArray::dtype)
        .def_property_readonly("nbytes", &DeviceArray::bytes)
        .def_property_readonly("shape",
                               [](const DeviceArray& a) { return py::tuple(py::cast(a.shape())); })
        .def_property_readonly("__cuda_array_interface__", &interface_of)
        .def("__dlpack_device__", &device_of)
        .def("__dlpack__", &to_dlpack, py::kw_only(), py::arg("stream") = py::none(),
             py::arg("max_version") = py::none(), py::arg("dl_device") = py::none(),
             py::arg("copy") = py::none())
        .def("__len__",
             [](const DeviceArray& a) {
                 if (a.shape().empty())
                     throw py::type_error("a DeviceArray of rank 0 has no length");
                 return a.shape().front();
             })
        .def("get", &fetched, "A copy as a NumPy array.");
    m.def("to_device", &to_device, py::arg("array"), py::arg("backend") = "cuda",
          "A copy of a NumPy array of numbers in the memory of a backend's device.");
}

}  // namespace remanence::bindings
