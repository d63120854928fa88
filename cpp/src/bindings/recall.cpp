// Weights, Request and Hits as Python classes.
#include "remanence/recall.hpp"

#include <array>
#include <pybind11/stl.h>

#include "bindings/arrays.hpp"
#include "bindings/register.hpp"

namespace remanence::bindings {
namespace {

struct Field {
    const char* name;
    float Weights::* member;
};

constexpr std::array<Field, 23> fields = {{{"bias", &Weights::bias},
                                           {"cosine", &Weights::cosine},
                                           {"centring", &Weights::centring},
                                           {"lexical", &Weights::lexical},
                                           {"lexical_document", &Weights::lexical_document},
                                           {"length", &Weights::length},
                                           {"question", &Weights::question},
                                           {"author", &Weights::author},
                                           {"date", &Weights::date},
                                           {"when", &Weights::when},
                                           {"lift", &Weights::lift},
                                           {"activation", &Weights::activation},
                                           {"usefulness", &Weights::usefulness},
                                           {"importance", &Weights::importance},
                                           {"next", &Weights::next},
                                           {"session", &Weights::session},
                                           {"spreading", &Weights::spreading},
                                           {"lexical_statement", &Weights::lexical_statement},
                                           {"subject", &Weights::subject},
                                           {"mentioned", &Weights::mentioned},
                                           {"mentioning", &Weights::mentioning},
                                           {"triples", &Weights::triples},
                                           {"newer", &Weights::newer}}};

void override(Weights& weights, const py::kwargs& values) {
    for (const auto& [key, value] : values) {
        const auto name = py::cast<std::string>(key);
        const auto at = std::find_if(fields.begin(), fields.end(),
                                     [&](const Field& f) { return name == f.name; });
        if (at == fields.end()) throw InvalidArgument("Weights: there is no weight '" + name + "'");
        if (!PyNumber_Check(value.ptr())) {
            throw InvalidArgument(
                "Weights: " + name + " must be a number (got '" +
                std::string(py::str(py::type::handle_of(value).attr("__name__"))) + "')");
        }
        weights.*(at->member) = static_cast<float>(
            py::cast<double>(py::float_(py::reinterpret_borrow<py::object>(value))));
    }
}

template <class T>
std::vector<T> copied(const char* name, const py::handle& object, int rank = 1) {
    const auto v = view_or_empty<T>("recall", name, object, rank);
    return {v.begin(), v.end()};
}

template <class T>
std::optional<std::vector<T>> copied_or_nothing(const char* name, const py::handle& object) {
    if (object.is_none()) return std::nullopt;
    return copied<T>(name, object);
}

std::string text(const py::object& terms) {
    Py_ssize_t size = 0;
    const char* const data =
        PyUnicode_Check(terms.ptr()) != 0 ? PyUnicode_AsUTF8AndSize(terms.ptr(), &size) : nullptr;
    if (data == nullptr) {
        PyErr_Clear();
        throw InvalidArgument("recall: terms must be str without lone surrogates");
    }
    return {data, static_cast<std::size_t>(size)};
}

std::size_t checked_k(const py::int_& k) {
    const py::int_ limit(max_k);
    if (k < py::int_(1) || k > limit) {
        throw InvalidArgument("recall: k must be between 1 and " + std::to_string(max_k) +
                              " (got " + std::string(py::str(k)) + ")");
    }
    return py::cast<std::size_t>(k);
}

Request make_request(TimeNs now, const py::int_& k, const py::object& vector,
                     const py::object& terms, const py::object& scopes, std::uint32_t kinds,
                     std::optional<TimeNs> valid_at, std::optional<Seq> as_of, float min_belief,
                     const py::object& allow, const py::object& exclude, const py::object& authors,
                     const py::object& dates, bool asks_when, bool asks_value,
                     const py::object& names, const py::object& cues,
                     const std::optional<Weights>& weights, bool explain, bool proved,
                     int threads) {
    Request q;
    q.now = now;
    q.k = checked_k(k);
    q.vector = copied<float>("vector", vector);
    q.terms = text(terms);
    q.scopes = copied_or_nothing<std::uint32_t>("scopes", scopes);
    q.kinds = kinds;
    q.valid_at = valid_at;
    q.as_of = as_of;
    q.min_belief = min_belief;
    q.allow = copied_or_nothing<Id>("allow", allow);
    q.exclude = copied<Id>("exclude", exclude);
    q.authors = copied<std::uint32_t>("authors", authors);
    const auto flat = copied<TimeNs>("dates", dates, 2);
    if (!dates.is_none() && py::cast<py::array>(dates).shape(1) != 2)
        throw InvalidArgument("recall: dates must have shape [n, 2]");
    for (std::size_t i = 0; i < flat.size(); i += 2) q.dates.push_back({flat[i], flat[i + 1]});
    q.asks_when = asks_when;
    q.asks_value = asks_value;
    q.names = copied<Id>("names", names);
    q.cues = copied<Id>("cues", cues);
    if (weights) q.weights = *weights;
    q.explain = explain;
    q.proved = proved;
    q.threads = threads;
    return q;
}

py::tuple term_names() {
    py::tuple names(term_count);
    for (int t = 0; t < term_count; ++t) {
        names[static_cast<std::size_t>(t)] = py::str(std::string(term_name(static_cast<Term>(t))));
    }
    return names;
}

}  // namespace

void register_recall(py::module_& m) {
    py::class_<Weights> weights(m, "Weights", "Weights of the fused score, in nats per feature.");
    weights.def(py::init([](const py::kwargs& values) {
        Weights w;
        override(w, values);
        return w;
    }));
    weights.def_static("without_question", &Weights::without_question,
                       "Ranking by what is alive, for a recall without a question.");
    weights.def("to_dict", [](const Weights& w) {
        py::dict out;
        for (const Field& f : fields) out[f.name] = w.*(f.member);
        return out;
    });
    for (const Field& f : fields) weights.def_readwrite(f.name, f.member);

    py::class_<Request>(m, "Request", "One recall; every array is copied.")
        .def(py::init(&make_request), py::kw_only(), py::arg("now"), py::arg("k") = 10,
             py::arg("vector") = py::none(), py::arg("terms") = "", py::arg("scopes") = py::none(),
             py::arg("kinds") = 0xFFU, py::arg("valid_at") = py::none(),
             py::arg("as_of") = py::none(), py::arg("min_belief") = 0.0F,
             py::arg("allow") = py::none(), py::arg("exclude") = py::none(),
             py::arg("authors") = py::none(), py::arg("dates") = py::none(),
             py::arg("asks_when") = false, py::arg("asks_value") = false,
             py::arg("names") = py::none(), py::arg("cues") = py::none(),
             py::arg("weights") = py::none(), py::arg("explain") = false, py::arg("proved") = false,
             py::arg("threads") = 0);

    py::class_<Hits> hits(m, "Hits", "The answer, ordered by (score descending, id ascending).");
    hits.def_property_readonly("id", [](const Hits& h) { return array_of(h.id); });
    hits.def_property_readonly("score", [](const Hits& h) { return array_of(h.score); });
    hits.def_property_readonly("p_use", [](const Hits& h) { return array_of(h.p_use); });
    hits.def_property_readonly("belief", [](const Hits& h) { return array_of(h.belief); });
    hits.def_property_readonly(
        "terms",
        [](const Hits& h) -> py::object {
            if (h.terms.empty() && !h.id.empty()) return py::none();
            return array_of(h.terms, {static_cast<py::ssize_t>(h.id.size()), term_count});
        },
        "Terms [k, len(TERMS)] in nats, or None unless explained.");
    hits.def_readonly("scanned", &Hits::scanned, "Memories that passed the filters.");
    hits.def("__len__", [](const Hits& h) { return h.id.size(); });
    hits.attr("TERMS") = term_names();
}

}  // namespace remanence::bindings
