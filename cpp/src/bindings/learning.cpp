// The learner as a Python class.
#include "remanence/learning.hpp"

#include <pybind11/stl.h>

#include "bindings/arrays.hpp"
#include "bindings/register.hpp"

namespace remanence::bindings {
namespace {

constexpr std::array<const char*, expert_count> experts = {"defaults", "calibrated", "newton",
                                                           "adagrad"};

py::dict by_expert(const std::array<double, expert_count>& values) {
    py::dict out;
    for (std::size_t k = 0; k < experts.size(); ++k) out[experts[k]] = values[k];
    return out;
}

py::tuple weigh(const Learner& learner, const py::handle& terms, const py::handle& belief) {
    Evidence e = learner.weigh(view<float>("weigh", "terms", terms, 2),
                               view<float>("weigh", "belief", belief));
    const auto rows = static_cast<py::ssize_t>(e.score.size());
    return py::make_tuple(
        array_of(std::move(e.score)),
        array_of(std::move(e.features), {rows, static_cast<py::ssize_t>(learned_terms.size())}),
        array_of(std::move(e.p_use)));
}

py::dict factors(const Learner& learner) {
    py::dict out;
    const auto values = learner.factors();
    for (std::size_t j = 0; j < values.size(); ++j) {
        out[py::str(std::string(term_name(learned_terms[j])))] = values[j];
    }
    return out;
}

py::dict calibration(const Learner& learner) {
    const Calibration& r = learner.calibration();
    py::dict out;
    out["count"] = py::cast(r.count);
    out["predicted"] = py::cast(r.predicted);
    out["used"] = py::cast(r.used);
    out["squares"] = r.squares;
    out["loss"] = r.loss;
    out["losses"] = by_expert(r.losses);
    return out;
}

}  // namespace

void register_learning(py::module_& m) {
    py::class_<Learner>(m, "Learner", "Learns from feedback what each term is worth, and p_use.")
        .def(py::init<>())
        .def("weigh", &weigh, py::arg("terms"), py::arg("belief"),
             "Of the hits of one question [k]: (score, features [k, n], p_use).")
        .def(
            "learn",
            [](Learner& learner, float score, const py::object& features, float belief, bool used) {
                learner.learn(score, view<float>("learn", "features", features), belief, used);
            },
            py::arg("score"), py::arg("features"), py::arg("belief"), py::arg("used"),
            "Takes in one outcome.")
        .def("factors", &factors, "Term -> what its default weight is multiplied by.")
        .def(
            "shares", [](const Learner& learner) { return by_expert(learner.shares()); },
            "Expert -> its share of the mixture.")
        .def("calibration", &calibration, "Sums over all predictions, in ten bins of p_use.")
        .def_property_readonly("used", &Learner::used)
        .def_property_readonly("unused", &Learner::unused)
        .def("copy", [](const Learner& learner) { return Learner(learner); })
        .def("save", [](const Learner& learner) { return py::bytes(learner.save()); })
        .def_static(
            "load", [](const py::bytes& bytes) { return Learner::load(std::string_view(bytes)); },
            py::arg("bytes"));
}

}  // namespace remanence::bindings
