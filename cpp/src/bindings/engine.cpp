// The engine as a Python class: its writes, recall, reads and snapshots.
#include "remanence/engine.hpp"

#include <pybind11/stl.h>

#include "bindings/arrays.hpp"
#include "bindings/register.hpp"

namespace remanence::bindings {
namespace {

using Release = py::gil_scoped_release;

/// The lexical documents as views into Python's own UTF-8.
std::vector<std::string_view> texts(const py::tuple& list) {
    std::vector<std::string_view> out;
    out.reserve(list.size());
    for (const py::handle text : list) {
        Py_ssize_t size = 0;
        const char* const data =
            PyUnicode_Check(text.ptr()) ? PyUnicode_AsUTF8AndSize(text.ptr(), &size) : nullptr;
        if (data == nullptr) {
            PyErr_Clear();
            throw InvalidArgument("append: terms must be str without lone surrogates");
        }
        out.emplace_back(data, static_cast<std::size_t>(size));
    }
    return out;
}

void append(Engine& engine, const py::object& seq, const py::object& id, const py::object& scope,
            const py::object& kind, const py::object& law, const py::object& flags,
            const py::object& author, const py::object& session, const py::object& length,
            const py::object& time, const py::object& valid_from, const py::object& valid_to,
            const py::object& belief, const py::object& importance, const py::list& terms,
            const py::object& vectors, const py::object& vector_row, bool check_only) {
    constexpr const char* verb = "append";
    const Numbers commits(verb, "seq", seq);
    const py::tuple kept(terms);  // the caller may change the list while the GIL is released
    const auto words = texts(kept);
    MemoryBatch b;
    b.id = view<Id>(verb, "id", id);
    b.scope = view<std::uint32_t>(verb, "scope", scope);
    b.kind = view<std::uint8_t>(verb, "kind", kind);
    b.law = view<std::uint8_t>(verb, "law", law);
    b.flags = view<std::uint8_t>(verb, "flags", flags);
    b.author = view<std::uint32_t>(verb, "author", author);
    b.session = view<std::uint32_t>(verb, "session", session);
    b.length = view<std::uint16_t>(verb, "length", length);
    b.time = view<TimeNs>(verb, "time", time);
    b.valid_from = view<TimeNs>(verb, "valid_from", valid_from);
    b.valid_to = view<TimeNs>(verb, "valid_to", valid_to);
    b.belief = view<float>(verb, "belief", belief);
    b.importance = view<float>(verb, "importance", importance);
    b.terms = words;
    b.vectors = view_or_empty<float>(verb, "vectors", vectors, 2);
    b.vector_row = view_or_empty<std::int32_t>(verb, "vector_row", vector_row);
    if (!vectors.is_none()) {
        b.dim = static_cast<std::size_t>(py::cast<py::array>(vectors).shape(1));
        if (b.dim == 0) throw InvalidArgument("append: vectors must have at least one column");
    }
    const Release release;
    engine.append(commits.all, b, check_only);
}

template <auto verb>
auto by_ids(const char* name) {
    return [name](Engine& engine, const py::object& seq, const py::object& id, bool check_only) {
        const Numbers commits(name, "seq", seq);
        const auto ids = view<Id>(name, "id", id);
        const Release release;
        (engine.*verb)(commits.all, ids, check_only);
    };
}

void touch(Engine& engine, const py::object& seq, const py::object& id, const py::object& time,
           const py::object& weight, const py::object& used, bool check_only) {
    const Numbers commits("touch", "seq", seq);
    const TouchBatch b{view<Id>("touch", "id", id), view<TimeNs>("touch", "time", time),
                       view<float>("touch", "weight", weight),
                       view<std::int8_t>("touch", "used", used)};
    const Release release;
    engine.touch(commits.all, b, check_only);
}

py::dict state_of(const Engine& engine, Id id) {
    MemoryState s;
    {
        const Release release;
        s = engine.state(id);
    }
    py::dict out;
    out["law"] = s.law;
    out["trace"] = array_of(std::vector<float>(s.trace.begin(), s.trace.end()));
    out["created"] = s.created;
    out["last_access"] = s.last_access;
    out["accesses"] = s.accesses;
    out["stability"] = s.stability;
    out["difficulty"] = s.difficulty;
    out["used"] = s.used;
    out["unused"] = s.unused;
    out["belief"] = s.belief;
    return out;
}

py::dict stats_of(const Engine& engine) {
    EngineStats s;
    {
        const Release release;
        s = engine.stats();
    }
    py::dict out;
    out["rows"] = s.rows;
    out["live"] = s.live;
    out["edges"] = s.edges;
    out["live_edges"] = s.live_edges;
    out["touches"] = s.touches;
    out["terms"] = s.terms;
    out["postings"] = s.postings;
    out["segments"] = s.segments;
    out["dim"] = s.dim;
    out["column_bytes"] = s.column_bytes;
    out["vector_bytes"] = s.vector_bytes;
    out["code_bytes"] = s.code_bytes;
    out["posting_bytes"] = s.posting_bytes;
    out["edge_bytes"] = s.edge_bytes;
    out["mapped"] = s.mapped;
    out["mapped_resident"] = s.mapped_resident;
    out["seq"] = s.seq;
    return out;
}

void register_writes(py::class_<Engine>& engine) {
    engine.def("append", &append, py::arg("seq"), py::kw_only(), py::arg("id"), py::arg("scope"),
               py::arg("kind"), py::arg("law"), py::arg("flags"), py::arg("author"),
               py::arg("session"), py::arg("length"), py::arg("time"), py::arg("valid_from"),
               py::arg("valid_to"), py::arg("belief"), py::arg("importance"), py::arg("terms"),
               py::arg("vectors") = py::none(), py::arg("vector_row") = py::none(),
               py::arg("check_only") = false,
               "Adds memories, or new versions of live ones, as columns of one length.");
    engine.def("close", by_ids<&Engine::close>("close"), py::arg("seq"), py::arg("id"),
               py::arg("check_only") = false, "Hides memories from commit seq on.");
    engine.def("restore", by_ids<&Engine::restore>("restore"), py::arg("seq"), py::arg("id"),
               py::arg("check_only") = false, "Brings closed memories back as new versions.");
    engine.def("erase", by_ids<&Engine::erase>("erase"), py::arg("seq"), py::arg("id"),
               py::arg("check_only") = false, "Destroys vectors and words of every version.");
    engine.def("touch", &touch, py::arg("seq"), py::arg("id"), py::arg("time"), py::arg("weight"),
               py::arg("used"), py::arg("check_only") = false, "Records accesses.");
}

void register_reads(py::class_<Engine>& engine) {
    engine.def_property_readonly("dim", &Engine::dim);
    engine.def_property_readonly("seq", &Engine::seq);
    engine.def_property_readonly("backend", &Engine::backend, "What runs the scans.");
    engine.def_property_readonly("rows", [](const Engine& e) { return e.stats().rows; });
    engine.def_property_readonly("live", [](const Engine& e) { return e.stats().live; });
    engine.def_property_readonly("edges", [](const Engine& e) { return e.stats().live_edges; });
    engine.def_property_readonly("tag", [](const Engine& e) { return py::bytes(e.tag()); });
    engine.def("recall", &Engine::recall, py::arg("request"), py::call_guard<Release>(),
               "The exact best memories for one request.");
    engine.def(
        "recall_many",
        [](const Engine& e, const std::vector<Request>& requests) {
            return e.recall_many({requests.data(), requests.size()});
        },
        py::arg("requests"), py::call_guard<Release>(),
        "The same answers for many requests, which share the reading of the store; the first "
        "request's `threads` counts.");
    engine.def(
        "contains",
        [](const Engine& e, const py::object& id, std::optional<Seq> as_of) {
            const auto ids = view<Id>("contains", "id", id);
            return bools_of(e.contains(ids, as_of));
        },
        py::arg("id"), py::arg("as_of") = py::none());
    engine.def(
        "holding",
        [](const Engine& e, const std::string& terms, std::uint32_t scope, std::size_t limit) {
            return array_of(e.holding(terms, scope, limit));
        },
        py::arg("terms"), py::arg("scope"), py::arg("limit"),
        "Live memories of a scope that hold all of the words; none where they are too many.");
    engine.def(
        "activation",
        [](const Engine& e, const py::object& id, TimeNs now, std::optional<Seq> as_of) {
            const auto ids = view<Id>("activation", "id", id);
            return array_of(e.activation(ids, now, as_of));
        },
        py::arg("id"), py::arg("now"), py::arg("as_of") = py::none(),
        "Activation in nats at `now` [n].");
    engine.def(
        "vector",
        [](const Engine& e, Id id, std::optional<Seq> as_of) {
            return array_of(e.vector(id, as_of));
        },
        py::arg("id"), py::arg("as_of") = py::none(), "The unit vector, empty when there is none.");
    engine.def("state", &state_of, py::arg("id"));
    engine.def("stats", &stats_of);
    engine.def("spill", &Engine::spill, py::arg("folder"),
               py::arg("kept_bytes") = std::size_t{4} << 30U, py::call_guard<Release>(),
               "From now on, vectors beyond the first kept_bytes live in a file without a name in "
               "folder, mapped into memory. Answers stay the same.");
    engine.def("compact", &Engine::compact, py::call_guard<Release>(),
               "Sorts what was added last among what was there before, for the weights of the "
               "latest question with a vector, so that questions read less. Answers stay the "
               "same; readers go on and writers wait.");
    engine.def("digest", &Engine::digest, py::call_guard<Release>(),
               "128 bits in hex over everything that answers depend on.");
    engine.def(
        "save",
        [](const Engine& e, const std::string& path, const py::bytes& tag) {
            const std::string note = tag;
            const Release release;
            e.save(path, note);
        },
        py::arg("path"), py::arg("tag") = py::bytes());
    engine.def_static("load", &Engine::load, py::arg("path"), py::arg("backend") = "cpu",
                      py::call_guard<Release>());
}

}  // namespace

void register_engine(py::module_& m) {
    py::class_<Engine> engine(m, "Engine", "Memories, words and links as columns; thread-safe.");
    engine.def(py::init<std::size_t, std::string_view>(), py::arg("dim") = 0,
               py::arg("backend") = "cpu", py::call_guard<Release>(),
               "backend: \"cpu\", another of available_backends(), or \"auto\" for the best one.");
    register_writes(engine);
    register_reads(engine);
    register_search(engine);
    register_graph(engine);
}

}  // namespace remanence::bindings
