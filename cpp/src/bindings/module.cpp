// The extension module: exceptions, the doors to backends, and one register function per subject.
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include "remanence/backend.hpp"
#include "remanence/error.hpp"
#include "remanence/types.hpp"

#include "bindings/register.hpp"

namespace py = pybind11;
using namespace remanence;

namespace {

/// A Python class that is both a RemanenceError and the builtin a Python user would catch.
template <class CppError>
void register_error(py::module_& m, const char* name, const py::handle& base, PyObject* builtin,
                    const char* doc) {
    const py::tuple bases = py::make_tuple(base, py::handle(builtin));
    static py::handle type;
    type = PyErr_NewExceptionWithDoc(("remanence._core." + std::string(name)).c_str(), doc,
                                     bases.ptr(), nullptr);
    if (!type) throw py::error_already_set();
    m.attr(name) = type;
    py::register_exception_translator([](std::exception_ptr pointer) {
        try {
            if (pointer) std::rethrow_exception(pointer);
        } catch (const CppError& e) {
            py::set_error(type, e.what());
        }
    });
}

void register_errors(py::module_& m) {
    static py::exception<Error> base(m, "RemanenceError");
    base.doc() = "Base of every error that remanence raises.";
    py::register_exception_translator([](std::exception_ptr pointer) {
        try {
            if (pointer) std::rethrow_exception(pointer);
        } catch (const Error& e) {
            py::set_error(base, e.what());
        }
    });
    register_error<InvalidArgument>(m, "InvalidArgumentError", base, PyExc_ValueError,
                                    "An argument that the verb cannot use; nothing was changed.");
    register_error<NotFound>(m, "NotFoundError", base, PyExc_LookupError,
                             "An id that the engine does not hold.");
    register_error<CorruptData>(m, "CorruptDataError", base, PyExc_ValueError,
                                "A file whose content fails its checks.");
    register_error<BackendUnavailable>(m, "BackendUnavailableError", base, PyExc_RuntimeError,
                                       "A backend that cannot run here; the message says why.");
    register_error<OutOfMemory>(m, "OutOfMemoryError", base, PyExc_MemoryError,
                                "No memory is left for what was asked.");
    register_error<DeviceError>(m, "DeviceError", base, PyExc_RuntimeError,
                                "A device call that failed.");
}

void register_backends(py::module_& m) {
    m.def("available_backends", &available_backends, "Names of the backends that can run here.");
    m.def("why_unavailable", &why_unavailable, py::arg("name"),
          "One sentence on why a backend cannot run here; empty when it can.");
    m.def("device_bytes", &device_bytes, py::arg("name"),
          "Bytes of device memory that this process holds through a backend.");
    m.def("device_bytes_copied", &device_bytes_copied, py::arg("name"),
          "Bytes that this process has copied to a backend's device so far.");
    m.def("simd", &simd, "The instruction set in use; REMANENCE_SIMD forces one by name.");
    m.def("available_simd", &available_simd, "Instruction sets that run here, best first.");
    m.def("threads", &threads, "Threads that one call may use.");
    m.def("set_threads", &set_threads, py::arg("count"),
          "Sets the threads that one call may use; 0 means all cores.");
    m.attr("version") = version();
    m.def("build_id", &build_id, "What a plug-in must be built as to be loaded.");
    py::dict types;
    types["next"] = edge_type::next;
    types["answers"] = edge_type::answers;
    types["mentions"] = edge_type::mentions;
    types["supersedes"] = edge_type::supersedes;
    types["derived_from"] = edge_type::derived_from;
    types["related"] = edge_type::related;
    types["about"] = edge_type::about;
    types["states"] = edge_type::states;
    m.attr("EDGE_TYPES") = types;
    m.attr("FIRST_FREE_EDGE_TYPE") = edge_type::first_free;
    m.attr("MAX_K") = max_k;
}

}  // namespace

PYBIND11_MODULE(_core, m) {
    m.doc() = "The native core of remanence.";
    register_errors(m);
    register_backends(m);
    bindings::register_device_arrays(m);
    bindings::register_decay(m);
    bindings::register_cover(m);
    bindings::register_recall(m);
    bindings::register_learning(m);
    bindings::register_text(m);
    bindings::register_graph_store(m);
    bindings::register_engine(m);
}
