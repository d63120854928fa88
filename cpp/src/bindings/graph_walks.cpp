// The verbs of a graph that walk: masses, lifts, ranks, communities.
#include <pybind11/stl.h>
#include <tuple>

#include "bindings/graph_verbs.hpp"

namespace remanence::bindings {
namespace {

/// Masses of several questions, end to end: (indptr, node, mass).
std::tuple<py::array, py::array, py::array> end_to_end(const std::vector<NodeMasses>& found) {
    NodeMasses all;
    std::vector<std::int64_t> start{0};
    for (const NodeMasses& m : found) {
        all.node.insert(all.node.end(), m.node.begin(), m.node.end());
        all.mass.insert(all.mass.end(), m.mass.begin(), m.mass.end());
        start.push_back(static_cast<std::int64_t>(all.node.size()));
    }
    return {array_of(std::move(start)), array_of(std::move(all.node)),
            array_of(std::move(all.mass))};
}

template <class T>
py::array_t<double> propagate(const T& self, const GraphWalk& walk, bool batch,
                              const py::kwargs& which) {
    const GraphFilter f = filter_of("propagate", which);
    std::vector<double> mass = freely([&] { return view_of(self).propagate(walk, f); });
    if (!batch) return array_of(std::move(mass));
    const auto questions = static_cast<py::ssize_t>(walk.start.size()) - 1;
    const auto width = questions > 0 ? static_cast<py::ssize_t>(mass.size()) / questions : 0;
    return array_of(std::move(mass), {std::max<py::ssize_t>(questions, 0), width});
}

template <class T>
void define_walks(py::class_<T>& c) {
    c.def(
        "propagate",
        [](const T& self, const py::object& seeds, const py::object& weights, double damping,
           double tolerance, const std::string& backend, const py::kwargs& which) {
            const GraphWalk walk{nodes("propagate", "seeds", seeds),
                                 view_or_empty<float>("propagate", "weights", weights),
                                 {},
                                 damping,
                                 tolerance,
                                 backend};
            return propagate(self, walk, false, which);
        },
        py::arg("seeds"), py::arg("weights") = py::none(), py::arg("damping") = 0.5,
        py::arg("tolerance") = 1e-9, py::arg("backend") = "cpu",
        "Personalised PageRank from the seeds, float64 [nodes], sums to 1; tolerance bounds the L1 "
        "error.");
    c.def(
        "propagate_batch",
        [](const T& self, const py::object& seeds, const py::object& weights, double damping,
           double tolerance, const py::object& indptr, const std::string& backend,
           const py::kwargs& which) {
            const Nodes from = nodes("propagate", "seeds", seeds);
            std::vector<std::int64_t> each;
            const GraphWalk walk{from,
                                 view_or_empty<float>("propagate", "weights", weights),
                                 cuts("propagate", indptr, from.size(), each),
                                 damping,
                                 tolerance,
                                 backend};
            return propagate(self, walk, true, which);
        },
        py::arg("seeds"), py::arg("weights") = py::none(), py::arg("damping") = 0.5,
        py::arg("tolerance") = 1e-9, py::arg("indptr") = py::none(), py::arg("backend") = "cpu",
        "propagate for each seed, or for each stretch of seeds that indptr cuts, float64 "
        "[questions, nodes].");
    c.def(
        "pagerank",
        [](const T& self, double damping, double tolerance, const py::object& start,
           const std::string& backend, const py::kwargs& which) {
            const GraphFilter f = filter_of("pagerank", which);
            const auto from = view_or_empty<double>("pagerank", "start", start);
            return array_of(freely(
                [&] { return view_of(self).pagerank(from, damping, tolerance, f, backend); }));
        },
        py::arg("damping") = 0.85, py::arg("tolerance") = 1e-9, py::arg("start") = py::none(),
        py::arg("backend") = "cpu",
        "PageRank, float64 [nodes], sums to 1; start [nodes] says where walks restart.");
}

template <class T>
void define_local(py::class_<T>& c) {
    c.def(
        "push",
        [](const T& self, const py::object& seeds, const py::object& weights, double damping,
           double residual, std::size_t top, const std::string& backend, const py::kwargs& which) {
            const GraphFilter f = filter_of("push", which);
            const GraphWalk walk{nodes("push", "seeds", seeds),
                                 view_or_empty<float>("push", "weights", weights),
                                 {},
                                 damping,
                                 1.0,
                                 backend};
            NodeMasses m = freely([&] { return view_of(self).push(walk, residual, top, f); });
            return py::make_tuple(array_of(std::move(m.node)), array_of(std::move(m.mass)), m.left);
        },
        py::arg("seeds"), py::arg("weights") = py::none(), py::arg("damping") = 0.5,
        py::arg("residual") = 1e-5, py::arg("top") = 20, py::arg("backend") = "cpu",
        "Local PageRank: (node, mass, left) of the greatest masses near the seeds. What was not "
        "pushed sums to left and is dealt out by share of arcs: off by at most 2 left in all.");
    c.def(
        "push_batch",
        [](const T& self, const py::object& seeds, const py::object& weights, double damping,
           double residual, std::size_t top, const py::object& indptr, const std::string& backend,
           const py::kwargs& which) {
            const GraphFilter f = filter_of("push", which);
            const Nodes from = nodes("push", "seeds", seeds);
            std::vector<std::int64_t> each;
            const GraphWalk walk{from,
                                 view_or_empty<float>("push", "weights", weights),
                                 cuts("push", indptr, from.size(), each),
                                 damping,
                                 1.0,
                                 backend};
            std::vector<NodeMasses> found =
                freely([&] { return view_of(self).push_batch(walk, residual, top, f); });
            std::vector<double> left;
            for (const NodeMasses& m : found) left.push_back(m.left);
            auto [start, node, mass] = end_to_end(found);
            return py::make_tuple(start, node, mass, array_of(std::move(left)));
        },
        py::arg("seeds"), py::arg("weights") = py::none(), py::arg("damping") = 0.5,
        py::arg("residual") = 1e-5, py::arg("top") = 20, py::arg("indptr") = py::none(),
        py::arg("backend") = "cpu",
        "push for each seed, or for each stretch of seeds that indptr cuts: (indptr, node, mass, "
        "left float64 [questions]).");
    c.def(
        "spread",
        [](const T& self, const py::object& seeds, const py::object& weights, double damping,
           double tolerance, const std::string& backend, const py::kwargs& which) {
            const GraphFilter f = filter_of("spread", which);
            const GraphWalk walk{nodes("spread", "seeds", seeds),
                                 view_or_empty<float>("spread", "weights", weights),
                                 {},
                                 damping,
                                 tolerance,
                                 backend};
            NodeMasses m = freely([&] { return view_of(self).spread(walk, f); });
            return py::make_tuple(array_of(std::move(m.node)), array_of(std::move(m.mass)));
        },
        py::arg("seeds"), py::arg("weights") = py::none(), py::arg("damping") = 0.5,
        py::arg("tolerance") = 1e-9, py::arg("backend") = "cpu",
        "Log lift of personalised PageRank over a node's share of all degrees: (node, lift), lift "
        "descending.");
    c.def(
        "spread_batch",
        [](const T& self, const py::object& seeds, const py::object& weights, double damping,
           double tolerance, const py::object& indptr, const std::string& backend,
           const py::kwargs& which) {
            const GraphFilter f = filter_of("spread", which);
            const Nodes from = nodes("spread", "seeds", seeds);
            std::vector<std::int64_t> each;
            const GraphWalk walk{from,
                                 view_or_empty<float>("spread", "weights", weights),
                                 cuts("spread", indptr, from.size(), each),
                                 damping,
                                 tolerance,
                                 backend};
            return end_to_end(freely([&] { return view_of(self).spread_batch(walk, f); }));
        },
        py::arg("seeds"), py::arg("weights") = py::none(), py::arg("damping") = 0.5,
        py::arg("tolerance") = 1e-9, py::arg("indptr") = py::none(), py::arg("backend") = "cpu",
        "spread for each seed, or for each stretch of seeds that indptr cuts: (indptr, node, "
        "lift).");
    c.def(
        "communities",
        [](const T& self, const std::string& method, double resolution, std::uint64_t seed,
           const std::string& backend, const py::kwargs& which) {
            const GraphFilter f = filter_of("communities", which);
            if (method != "leiden" && method != "labels") {
                throw InvalidArgument("communities: method must be leiden or labels (got '" +
                                      method + "')");
            }
            const auto how = method == "leiden" ? CommunityMethod::leiden : CommunityMethod::labels;
            Communities found = freely(
                [&] { return view_of(self).communities(how, resolution, seed, f, backend); });
            return py::make_tuple(array_of(std::move(found.label)), found.modularity);
        },
        py::arg("method") = "leiden", py::arg("resolution") = 1.0, py::arg("seed") = 0,
        py::arg("backend") = "cpu",
        "(label int64 [nodes], modularity): the least node of each node's community. The direction "
        "is ignored; the same seed gives the same answer.");
    c.def(
        "modularity",
        [](const T& self, const py::object& label, double resolution, const std::string& backend,
           const py::kwargs& which) {
            const GraphFilter f = filter_of("modularity", which);
            const Nodes labels = nodes("modularity", "label", label);
            return freely([&] { return view_of(self).modularity(labels, resolution, f, backend); });
        },
        py::arg("label"), py::arg("resolution") = 1.0, py::arg("backend") = "cpu",
        "Modularity of a partition given as a node for each node.");
}

}  // namespace

void register_walks(py::class_<Graph>& graph) {
    define_walks(graph);
    define_local(graph);
}
void register_walks(py::class_<GraphView>& view) {
    define_walks(view);
    define_local(view);
}

}  // namespace remanence::bindings
