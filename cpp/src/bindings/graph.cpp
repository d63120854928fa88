// The verbs of the graph on the engine's class.
#include "remanence/graph.hpp"

#include <pybind11/stl.h>

#include "bindings/graph_filter.hpp"
#include "bindings/register.hpp"

namespace remanence::bindings {
namespace {

using Release = py::gil_scoped_release;

EdgeFilter make_filter(const py::object& types, const std::string& direction,
                       std::optional<TimeNs> valid_at, std::optional<Seq> as_of, float min_weight) {
    EdgeFilter f;
    set_filter(f, types, direction, valid_at, as_of, min_weight);
    return f;
}

void link(Engine& engine, const py::object& seq, const py::object& edge, const py::object& source,
          const py::object& target, const py::object& type, const py::object& weight,
          const py::object& valid_from, const py::object& valid_to, bool check_only) {
    const Numbers commits("link", "seq", seq);
    const EdgeBatch b{
        view<EdgeId>("link", "edge", edge),        view<Id>("link", "source", source),
        view<Id>("link", "target", target),        view<std::uint16_t>("link", "type", type),
        view<float>("link", "weight", weight),     view<TimeNs>("link", "valid_from", valid_from),
        view<TimeNs>("link", "valid_to", valid_to)};
    const Release release;
    engine.link(commits.all, b, check_only);
}

void unlink(Engine& engine, const py::object& seq, const py::object& edge, bool check_only) {
    const Numbers commits("unlink", "seq", seq);
    const auto edges = view<EdgeId>("unlink", "edge", edge);
    const Release release;
    engine.unlink(commits.all, edges, check_only);
}

py::dict neighbours(const Engine& engine, Id id, const py::object& types,
                    const std::string& direction, std::optional<TimeNs> valid_at,
                    std::optional<Seq> as_of, float min_weight) {
    const EdgeFilter filter = make_filter(types, direction, valid_at, as_of, min_weight);
    Neighbours n;
    {
        const Release release;
        n = engine.neighbours(id, filter);
    }
    py::dict out;
    out["edge"] = array_of(std::move(n.edge));
    out["id"] = array_of(std::move(n.id));
    out["type"] = array_of(std::move(n.type));
    out["weight"] = array_of(std::move(n.weight));
    out["outgoing"] = bools_of(n.outgoing);
    out["valid_from"] = array_of(std::move(n.valid_from));
    out["valid_to"] = array_of(std::move(n.valid_to));
    return out;
}

py::tuple khop(const Engine& engine, const py::object& seeds, int hops, const py::object& types,
               const std::string& direction, std::optional<TimeNs> valid_at,
               std::optional<Seq> as_of, float min_weight, std::size_t limit) {
    const EdgeFilter filter = make_filter(types, direction, valid_at, as_of, min_weight);
    const auto from = view<Id>("khop", "seeds", seeds);
    Reached r;
    {
        const Release release;
        r = engine.khop(from, hops, filter, limit);
    }
    return py::make_tuple(array_of(std::move(r.id)), array_of(std::move(r.hop)));
}

/// propagate and spread differ in what they call, not in what they take or give.
template <auto verb>
py::tuple walked(const Engine& engine, const py::object& seeds, const py::object& weights,
                 double damping, double tolerance, const py::object& types,
                 std::optional<TimeNs> valid_at, std::optional<Seq> as_of) {
    WalkRequest request;
    request.filter = make_filter(types, "both", valid_at, as_of, 0.0F);
    const auto from = view<Id>("propagate", "seeds", seeds);
    request.seeds.assign(from.begin(), from.end());
    const auto share = view_or_empty<float>("propagate", "weights", weights);
    request.weights.assign(share.begin(), share.end());
    request.damping = damping;
    request.tolerance = tolerance;
    Mass mass;
    {
        const Release release;
        mass = (engine.*verb)(request);
    }
    return py::make_tuple(array_of(std::move(mass.id)), array_of(std::move(mass.mass)));
}

}  // namespace

void register_graph(py::class_<Engine>& engine) {
    engine.def("link", &link, py::arg("seq"), py::arg("edge"), py::arg("source"), py::arg("target"),
               py::arg("type"), py::arg("weight"), py::arg("valid_from"), py::arg("valid_to"),
               py::arg("check_only") = false, "Adds edges.");
    engine.def("unlink", &unlink, py::arg("seq"), py::arg("edge"), py::arg("check_only") = false,
               "Closes edges from commit seq on.");
    engine.def(
        "graph",
        [](const Engine& self) {
            EngineGraph found = [&] {
                const Release release;
                return self.graph();
            }();
            return py::make_tuple(std::move(found.graph), array_of(std::move(found.id)),
                                  array_of(std::move(found.edge)));
        },
        "Every edge ever linked as a graph of its own: (graph, memory of each node, edge of each "
        "edge). Hidden memories stay in it: pass contains(ids) as allow.");
    engine.def("neighbours", &neighbours, py::arg("id"), py::arg("types") = py::none(),
               py::arg("direction") = "both", py::arg("valid_at") = py::none(),
               py::arg("as_of") = py::none(), py::arg("min_weight") = 0.0F,
               "Edges of one memory as a dict of columns, ordered by edge id.");
    engine.def("khop", &khop, py::arg("seeds"), py::arg("hops"), py::arg("types") = py::none(),
               py::arg("direction") = "both", py::arg("valid_at") = py::none(),
               py::arg("as_of") = py::none(), py::arg("min_weight") = 0.0F,
               py::arg("limit") = max_k, "Memories within `hops`, ordered by (hop, id).");
    engine.def("propagate", &walked<&Engine::propagate>, py::arg("seeds"),
               py::arg("weights") = py::none(), py::arg("damping") = 0.5,
               py::arg("tolerance") = 1e-9, py::arg("types") = py::none(),
               py::arg("valid_at") = py::none(), py::arg("as_of") = py::none(),
               "Personalised PageRank from the seeds: (id, mass), mass descending.");
    engine.def("spread", &walked<&Engine::spread>, py::arg("seeds"),
               py::arg("weights") = py::none(), py::arg("damping") = 0.5,
               py::arg("tolerance") = 1e-9, py::arg("types") = py::none(),
               py::arg("valid_at") = py::none(), py::arg("as_of") = py::none(),
               "Log lift of personalised PageRank over its long-run share: (id, lift).");
}

}  // namespace remanence::bindings
