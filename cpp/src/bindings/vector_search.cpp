// The engine's verb `search`: vectors in and answers out, on the host or on its device.
#include <optional>
#include <pybind11/stl.h>

#include "remanence/engine.hpp"

#include "bindings/device_arrays.hpp"
#include "bindings/register.hpp"

namespace remanence::bindings {
namespace {

using Release = py::gil_scoped_release;

py::tuple search(const Engine& engine, const py::object& vectors, const Request& like,
                 const std::optional<std::string>& out, std::optional<std::uintptr_t> stream) {
    constexpr const char* verb = "search";
    if (out && *out != "host" && *out != "device") {
        throw InvalidArgument("search: out must be 'host' or 'device' (got '" + *out + "')");
    }
    const std::string& backend = engine.backend();
    VectorQuestions questions;
    questions.on_device = lies_on_device(vectors);
    SeenArray seen;
    if (stream) device_memory(backend).wait_for(reinterpret_cast<void*>(*stream));
    if (questions.on_device) {
        seen = see_on_device(verb, "vectors", vectors, backend, "<f4", 2);
        questions.vectors = static_cast<const float*>(seen.data);
    } else {
        questions.vectors = view<float>(verb, "vectors", vectors, 2).data();
        const auto array = py::reinterpret_borrow<py::array>(vectors);
        seen.shape = {array.shape(0), array.shape(1)};
    }
    questions.count = static_cast<std::size_t>(seen.shape[0]);
    questions.dim = static_cast<std::size_t>(seen.shape[1]);
    questions.k = like.k;
    questions.out_on_device = out ? *out == "device" : questions.on_device;
    const std::vector<py::ssize_t> shape = {seen.shape[0], static_cast<py::ssize_t>(like.k)};
    if (questions.out_on_device) {
        DeviceArray id(backend, py::dtype::of<Id>(), shape);
        DeviceArray score(backend, py::dtype::of<float>(), shape);
        questions.id = static_cast<Id*>(id.data());
        questions.score = static_cast<float*>(score.data());
        {
            const Release release;
            engine.search(like, questions);
        }
        return py::make_tuple(std::move(id), std::move(score));
    }
    py::array_t<Id> id(shape);
    py::array_t<float> score(shape);
    questions.id = id.mutable_data();
    questions.score = score.mutable_data();
    {
        const Release release;
        engine.search(like, questions);
    }
    return py::make_tuple(std::move(id), std::move(score));
}

}  // namespace

void register_search(py::class_<Engine>& engine) {
    engine.def("search", &search, py::arg("vectors"), py::arg("request"), py::kw_only(),
               py::arg("out") = py::none(), py::arg("stream") = py::none(),
               "(id int64 [n, k], score float32 [n, k]) of the best memories of each vector "
               "float32 [n, dim] by their own evidence: no words, names or links; -1 and -inf "
               "where there are fewer. The request has neither vector nor words. Vectors may lie "
               "on the engine's device (DLPack or __cuda_array_interface__): they are read there, "
               "after what their own stream and `stream` were given, and the answers stay there "
               "too, as DeviceArray, unless out is \"host\"; \"device\" leaves any there. Returns "
               "when the answers are there.");
}

}  // namespace remanence::bindings
