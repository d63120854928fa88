// The decay laws as Python classes, their updates and the verb, all batched over NumPy arrays.
#include "remanence/decay.hpp"

#include <algorithm>
#include <limits>
#include <optional>
#include <pybind11/stl.h>
#include <type_traits>
#include <utility>
#include <vector>

#include "bindings/decay_columns.hpp"
#include "bindings/register.hpp"

namespace remanence::bindings {
namespace {

using Release = py::gil_scoped_release;
constexpr float most_weight = 100.0F;

py::tuple trace_add(const py::object& trace, const py::object& last_access, const py::object& time,
                    const py::object& weight) {
    constexpr const char* verb = "power_trace_add";
    return by_precision(trace, [&](auto zero) {
        using T = decltype(zero);
        auto e = copy_of(trace_view<T>(verb, "trace", trace));
        auto last = copy_of(view<TimeNs>(verb, "last_access", last_access));
        const auto t = view<TimeNs>(verb, "time", time);
        const auto w = view<float>(verb, "weight", weight);
        same_length(verb, "last_access", last.size(), e.size() / power_trace_size);
        same_length(verb, "time", t.size(), last.size());
        same_length(verb, "weight", w.size(), last.size());
        within(verb, "weight", w, 0.0F, most_weight, true);
        {
            const Release release;
            for (std::size_t i = 0; i < last.size(); ++i) {
                power_trace_add(&e[i * power_trace_size], last[i], t[i], static_cast<double>(w[i]));
            }
        }
        return traces(std::move(e), std::move(last));
    });
}

template <class T>
py::tuple build_traces(View<const TimeNs> t, View<const std::int64_t> offsets,
                       View<const float> w) {
    const std::size_t n = offsets.size() - 1;
    std::vector<T> e(n * power_trace_size);
    std::vector<TimeNs> last(n);
    {
        const Release release;
        for (std::size_t i = 0; i < n; ++i) {
            for (auto j = static_cast<std::size_t>(offsets[i]);
                 j < static_cast<std::size_t>(offsets[i + 1]); ++j) {
                const double weight = w.empty() ? 1.0 : static_cast<double>(w[j]);
                power_trace_add(&e[i * power_trace_size], last[i], t[j], weight);
            }
        }
    }
    return traces(std::move(e), std::move(last));
}

py::tuple trace_build(const py::object& access_times, const py::object& offsets,
                      const py::object& weight, bool precise) {
    constexpr const char* verb = "power_trace_build";
    const auto t = view<TimeNs>(verb, "access_times", access_times);
    const auto o = view<std::int64_t>(verb, "offsets", offsets);
    const auto w = view_or_empty<float>(verb, "weight", weight);
    if (!weight.is_none()) same_length(verb, "weight", w.size(), t.size());
    within(verb, "weight", w, 0.0F, most_weight, true);
    bool holds = !o.empty() && o.front() == 0 && o.back() == static_cast<std::int64_t>(t.size());
    for (std::size_t i = 1; holds && i < o.size(); ++i) holds = o[i - 1] <= o[i];
    if (!holds) refuse(verb, "offsets must ascend from 0 to the number of access times");
    return precise ? build_traces<double>(t, o, w) : build_traces<float>(t, o, w);
}

py::tuple trace_merge(const py::object& trace, const py::object& last_access,
                      const py::object& other, const py::object& other_last_access) {
    constexpr const char* verb = "power_trace_merge";
    return by_precision(trace, [&](auto zero) {
        using T = decltype(zero);
        auto e = copy_of(trace_view<T>(verb, "trace", trace));
        auto last = copy_of(view<TimeNs>(verb, "last_access", last_access));
        const auto o = trace_view<T>(verb, "other", other);
        const auto other_last = view<TimeNs>(verb, "other_last_access", other_last_access);
        same_length(verb, "last_access", last.size(), e.size() / power_trace_size);
        same_length(verb, "other", o.size(), e.size());
        same_length(verb, "other_last_access", other_last.size(), last.size());
        {
            const Release release;
            for (std::size_t i = 0; i < last.size(); ++i) {
                power_trace_merge(&e[i * power_trace_size], last[i], &o[i * power_trace_size],
                                  other_last[i]);
            }
        }
        return traces(std::move(e), std::move(last));
    });
}

py::tuple fsrs_arrays(std::vector<double> stability, std::vector<double> difficulty) {
    return py::make_tuple(array_of(std::move(stability)), array_of(std::move(difficulty)));
}

py::tuple fsrs_first(const Fsrs6& law, const py::object& grade) {
    const auto g = view<std::uint8_t>("first", "grade", grade);
    within<std::uint8_t>("first", "grade", g, 1, 4);
    std::vector<double> s(g.size()), d(g.size());
    for (std::size_t i = 0; i < g.size(); ++i) {
        const FsrsState state = law.first(g[i]);
        s[i] = state.stability;
        d[i] = state.difficulty;
    }
    return fsrs_arrays(std::move(s), std::move(d));
}

py::tuple fsrs_review(const Fsrs6& law, const py::object& stability, const py::object& difficulty,
                      const py::object& elapsed_ns, const py::object& grade) {
    constexpr const char* verb = "review";
    auto s = copy_of(view<double>(verb, "stability", stability));
    auto d = copy_of(view<double>(verb, "difficulty", difficulty));
    const auto ns = view<TimeNs>(verb, "elapsed_ns", elapsed_ns);
    const auto g = view<std::uint8_t>(verb, "grade", grade);
    same_length(verb, "difficulty", d.size(), s.size());
    same_length(verb, "elapsed_ns", ns.size(), s.size());
    same_length(verb, "grade", g.size(), s.size());
    within<double>(verb, "stability", s, 0.0, 1e12, true);
    within<double>(verb, "difficulty", d, 1.0, 10.0);
    within<std::uint8_t>(verb, "grade", g, 1, 4);
    {
        const Release release;
        for (std::size_t i = 0; i < s.size(); ++i) {
            const FsrsState next = law.review({s[i], d[i]}, law.days(0, ns[i]), g[i]);
            s[i] = next.stability;
            d[i] = next.difficulty;
        }
    }
    return fsrs_arrays(std::move(s), std::move(d));
}

py::array_t<double> fsrs_retrievability(const Fsrs6& law, const py::object& stability,
                                        const py::object& elapsed_ns) {
    auto s = copy_of(view<double>("retrievability", "stability", stability));
    const auto ns = view<TimeNs>("retrievability", "elapsed_ns", elapsed_ns);
    same_length("retrievability", "elapsed_ns", ns.size(), s.size());
    within<double>("retrievability", "stability", s, 0.0, 1e12, true);
    {
        const Release release;
        for (std::size_t i = 0; i < s.size(); ++i) {
            s[i] = law.retrievability(s[i], law.days(0, ns[i]));
        }
    }
    return array_of(std::move(s));
}

py::array_t<double> fsrs_interval(const Fsrs6& law, const py::object& stability, double retention) {
    auto s = copy_of(view<double>("interval_days", "stability", stability));
    within<double>("interval_days", "stability", s, 0.0, 1e12, true);
    if (!(retention > 0.0 && retention < 1.0)) {
        refuse("interval_days",
               "retention must be in (0, 1) (got " + std::to_string(retention) + ")");
    }
    for (double& x : s) x = law.interval_days(x, retention);
    return array_of(std::move(s));
}

Fsrs6 make_fsrs(const std::optional<std::vector<double>>& w, bool floor_days) {
    Fsrs6 law;
    law.floor_days = floor_days;
    if (w) {
        same_length("Fsrs6", "w", w->size(), 21);
        std::copy(w->begin(), w->end(), law.w);
    }
    check_law(law);
    return law;
}

py::array_t<double> next_half_life(const Exponential& law, const py::object& half_life_days,
                                   const py::object& elapsed_ns, const py::object& success) {
    constexpr const char* verb = "next_half_life";
    auto h = copy_of(view<double>(verb, "half_life_days", half_life_days));
    const auto ns = view<TimeNs>(verb, "elapsed_ns", elapsed_ns);
    const auto used = view<bool>(verb, "success", success);
    same_length(verb, "elapsed_ns", ns.size(), h.size());
    same_length(verb, "success", used.size(), h.size());
    within<double>(verb, "half_life_days", h, 0.0, 1e12, true);
    {
        const Release release;
        for (std::size_t i = 0; i < h.size(); ++i) {
            h[i] = law.next_half_life(h[i], Exponential::days(0, ns[i]), used[i]);
        }
    }
    return array_of(std::move(h));
}

template <class T>
py::array_t<T> activations(const DecayLaw& law, TimeNs now, const ColumnArguments& a,
                           const std::string& backend) {
    constexpr const char* verb = "decay";
    DecayColumns<T> c;
    c.access_times = view_or_empty<TimeNs>(verb, "access_times", a.access_times);
    c.offsets = view_or_empty<std::int64_t>(verb, "offsets", a.offsets);
    c.accesses = view_or_empty<std::uint32_t>(verb, "accesses", a.accesses);
    c.created = view_or_empty<TimeNs>(verb, "created", a.created);
    c.last_access = view_or_empty<TimeNs>(verb, "last_access", a.last_access);
    if (!a.trace.is_none()) c.trace = trace_shape<T>(verb, "trace", a.trace);
    c.stability = view_or_empty<T>(verb, "stability", a.stability);
    const std::size_t n = !c.offsets.empty() ? c.offsets.size() - 1
                                             : std::max(c.created.size(), c.last_access.size());
    auto out = a.out.is_none() ? py::array_t<T>(static_cast<py::ssize_t>(n))
                               : given_out<T>(verb, a.out, n);
    const View<T> values(out.mutable_data(), n);
    refuse_overlap(verb, values, c.access_times, c.offsets, c.accesses, c.created, c.last_access,
                   c.trace, c.stability);
    {
        const Release release;
        decay(law, c, now, values, backend);
    }
    return out;
}

py::object decay_verb(const DecayLaw& law, TimeNs now, const py::object& access_times,
                      const py::object& offsets, const py::object& accesses,
                      const py::object& created, const py::object& last_access,
                      const py::object& trace, const py::object& stability, bool precise,
                      const py::object& out, const std::string& backend) {
    const ColumnArguments a{access_times, offsets, accesses,  created,
                            last_access,  trace,   stability, out};
    if (any_on_device(a)) return decay_there(law, now, a, precise, backend);
    if (precise) return activations<double>(law, now, a, backend);
    return activations<float>(law, now, a, backend);
}

/// A frozen law class: every field is an argument of the constructor, by name, and checked.
template <class Law, class... Ts>
py::class_<Law> bind_law(py::module_& m, const char* doc,
                         std::pair<const char*, Ts Law::*>... fields) {
    const Law standard;
    py::class_<Law> law(m, Law::name, doc);
    if constexpr (sizeof...(Ts) > 0) {
        law.def(py::init([fields...](Ts... values) {
                    Law made;
                    ((made.*(fields.second) = values), ...);
                    check_law(made);
                    return made;
                }),
                py::kw_only(), (py::arg(fields.first) = standard.*(fields.second))...);
        (law.def_readonly(fields.first, fields.second), ...);
        law.attr("FIELDS") = py::make_tuple(fields.first...);
    }
    law.def("__repr__", [](const py::object& self) {
        std::string text;
        for (const auto field : self.attr("FIELDS")) {
            const auto name = py::cast<std::string>(field);
            text += (text.empty() ? "" : ", ") + name + "=" +
                    py::cast<std::string>(py::repr(self.attr(name.c_str())));
        }
        return std::string(Law::name) + "(" + text + ")";
    });
    return law;
}

template <class Law, class T>
std::pair<const char*, T Law::*> field(const char* name, T Law::* member) {
    return {name, member};
}

void register_actr(py::module_& m) {
    bind_law(m, "The power law (1 + t/1s)^-d held as 12 exponential traces.",
             field("d", &PowerTrace::d))
        .def_property_readonly(
            "weights",
            [](const PowerTrace& law) {
                const double* const w = power_trace_weights(law.d);
                return array_of(std::vector<double>(w, w + power_trace_size));
            },
            "Weight of each trace, float64 [12].")
        .def_property_readonly(
            "error", [](const PowerTrace& law) { return power_trace_error(law.d); },
            "Nats by which it may miss the power law, whatever the history.")
        .def_property_readonly_static(
            "TAUS_S",
            [](const py::object&) {
                const double* const taus = power_trace_taus_s.value;
                return array_of(std::vector<double>(taus, taus + power_trace_size));
            },
            "Time constant of each trace in seconds, float64 [12].");
    bind_law(m, "B = ln sum of a^-d over the ages a of all accesses in seconds.",
             field("d", &ActrExact::d));
    bind_law(m, "B = ln(n / (1 - d)) - d ln L: n accesses spread over the lifetime L.",
             field("d", &ActrOptimized::d));
    bind_law(m, "The youngest accesses exactly, the older ones as if spread evenly.",
             field("d", &PetrovHybrid::d), field("recent", &PetrovHybrid::recent));
    bind_law(m, "An access made while the memory is active decays faster (spacing effect).",
             field("c", &PavlikAnderson::c), field("a", &PavlikAnderson::a),
             field("d_max", &PavlikAnderson::d_max));
}

void register_retention(py::module_& m) {
    bind_law(m, "R = 2^(-t / H); the half-life H grows with every spaced use.",
             field("initial_half_life_days", &Exponential::initial_half_life_days),
             field("growth", &Exponential::growth), field("shrink", &Exponential::shrink),
             field("min_half_life_days", &Exponential::min_half_life_days),
             field("max_half_life_days", &Exponential::max_half_life_days))
        .def("next_half_life", &next_half_life, py::arg("half_life_days"), py::arg("elapsed_ns"),
             py::arg("success"), "Half-life float64 [n] after a use or a failure.");
    py::class_<Fsrs6> fsrs = bind_law<Fsrs6>(m, "FSRS-6: stability and difficulty from grades.");
    fsrs.def(py::init(&make_fsrs), py::kw_only(), py::arg("w") = py::none(),
             py::arg("floor_days") = false)
        .def_property_readonly(
            "w", [](const Fsrs6& law) { return std::vector<double>(law.w, law.w + 21); })
        .def_readonly("floor_days", &Fsrs6::floor_days)
        .def("first", &fsrs_first, py::arg("grade"),
             "(stability, difficulty) float64 [n] after the first review, grade uint8 1 to 4.")
        .def("review", &fsrs_review, py::arg("stability"), py::arg("difficulty"),
             py::arg("elapsed_ns"), py::arg("grade"),
             "(stability, difficulty) float64 [n] after a later review.")
        .def("retrievability", &fsrs_retrievability, py::arg("stability"), py::arg("elapsed_ns"),
             "R in (0, 1], float64 [n].")
        .def("interval_days", &fsrs_interval, py::arg("stability"), py::arg("retention"),
             "Whole days until R falls to `retention`, float64 [n] in 1 to 36500.")
        .attr("FIELDS") = py::make_tuple("w", "floor_days");
}

void register_traces(py::module_& m) {
    m.def("power_trace_add", &trace_add, py::arg("trace"), py::arg("last_access"), py::arg("time"),
          py::arg("weight"),
          "New (trace [n, 12], last_access [n]) after one access per row; late ones are exact.");
    m.def("power_trace_build", &trace_build, py::arg("access_times"), py::arg("offsets"),
          py::arg("weight") = py::none(), py::arg("precise") = false,
          "(trace [n, 12], last_access [n]) of whole histories, in the order given.");
    m.def("power_trace_merge", &trace_merge, py::arg("trace"), py::arg("last_access"),
          py::arg("other"), py::arg("other_last_access"),
          "New (trace, last_access) of both histories together.");
}

/// One canonical function over a column; values outside [low, high] are refused, if given.
template <class T, class F>
void bind_canonical(py::module_& m, const char* name, const char* doc, F function, T low = 0,
                    T high = 0) {
    const auto apply = [name, function, low, high](const py::object& x) {
        const View<const T> in = view<T>(name, "x", x);
        if (low < high) within(name, "x", in, low, high);
        auto values = copy_of(in);
        for (T& value : values) value = function(value);
        return array_of(std::move(values));
    };
    m.def(name, apply, py::arg("x"), doc);
}

void register_canonical(py::module_ m) {
    bind_canonical<float>(m, "exp2", "2^x, float32 [n], x clamped to [-126, 127].",
                          [](float x) { return canonical_exp2(x); });
    bind_canonical<float>(
        m, "log2", "log2(x), float32 [n], x positive and normal.",
        [](float x) { return canonical_log2(x); }, std::numeric_limits<float>::min(),
        std::numeric_limits<float>::max());
    bind_canonical<double>(m, "exp", "e^x, float64 [n].",
                           [](double x) { return canonical_exp(x); });
    bind_canonical<double>(m, "log", "ln(x), float64 [n].",
                           [](double x) { return canonical_log(x); });
    bind_canonical<double>(m, "expm1", "e^x - 1, float64 [n].",
                           [](double x) { return canonical_expm1(x); });
    bind_canonical<double>(m, "log1p", "ln(1 + x), float64 [n].",
                           [](double x) { return canonical_log1p(x); });
}

}  // namespace

void register_decay(py::module_& core) {
    auto m = core.def_submodule("decay", "Decay laws over columns of memories.");
    register_actr(m);
    register_retention(m);
    register_traces(m);
    register_canonical(core.def_submodule("canonical", "exp and log, equal bits everywhere."));
    m.attr("LEAST_ACTIVATION") = least_activation;
    m.def("decay", &decay_verb, py::arg("law"), py::arg("now"), py::kw_only(),
          py::arg("access_times") = py::none(), py::arg("offsets") = py::none(),
          py::arg("accesses") = py::none(), py::arg("created") = py::none(),
          py::arg("last_access") = py::none(), py::arg("trace") = py::none(),
          py::arg("stability") = py::none(), py::arg("precise") = false,
          py::arg("out") = py::none(), py::arg("backend") = "cpu",
          "Activation [n] in nats at `now`: float32 as recall ranks by, float64 if `precise`. Into "
          "`out` if given, whose content is undefined after an error. Columns on the backend's "
          "device are read there, and the activation stays there, as DeviceArray.");
}

}  // namespace remanence::bindings
