// Communities of a view of a graph: checks, and labels as the least nodes.
#include <cmath>

#include "core/check.hpp"
#include "core/device_graph.hpp"
#include "core/ranks.hpp"
#include "cpu/communities.hpp"

namespace remanence {
namespace {

void check_resolution(const char* verb, double resolution) {
    check(resolution >= 0.0 && resolution <= 1e6, verb, [&] {
        return "resolution must be in [0, 1e6] (got " + std::to_string(resolution) + ")";
    });
}

}  // namespace

Communities GraphView::communities(CommunityMethod method, double resolution, std::uint64_t seed,
                                   const GraphFilter& filter, std::string_view backend) const {
    check_resolution("communities", resolution);
    const auto device = graph_on("communities", backend, *state_);
    // Leiden's moves wait for one another: the processor makes them, whatever the backend.
    if (device != nullptr && method == CommunityMethod::labels) {
        const Filter ready("communities", *state_, filter);
        const Array<std::uint32_t> node = order_by_degree(device->arc_counts(ready));
        const auto labels = device->propagate_labels(ready, label_order(node, seed));
        const RowSums rows = device->row_sums(ready, labels);
        return {{labels.begin(), labels.end()}, modularity_of(node, rows, labels, resolution)};
    }
    const cpu::Undirected graph =
        cpu::undirected(Filter("communities", *state_, filter, Reach::all));
    const cpu::Labels found = method == CommunityMethod::leiden
                                  ? cpu::leiden(graph, resolution, seed)
                                  : cpu::propagate_labels(graph, seed);
    const cpu::Labels labels = cpu::tidy(graph, found);
    return {{labels.begin(), labels.end()}, cpu::modularity(graph, labels, resolution)};
}

double GraphView::modularity(View<const std::int64_t> label, double resolution,
                             const GraphFilter& filter, std::string_view backend) const {
    check_resolution("modularity", resolution);
    check_length("modularity", "label", label.size(), nodes());
    cpu::Labels labels;
    labels.reserve(label.size());
    for (const std::int64_t l : label) {
        check(l >= 0 && l < static_cast<std::int64_t>(nodes()), "modularity",
              [&] { return "a label must be a node (got " + std::to_string(l) + ")"; });
        labels.push_back(static_cast<std::uint32_t>(l));
    }
    if (const auto device = graph_on("modularity", backend, *state_)) {
        const Filter ready("modularity", *state_, filter);
        const Array<std::uint32_t> node = order_by_degree(device->arc_counts(ready));
        return modularity_of(node, device->row_sums(ready, labels), labels, resolution);
    }
    return cpu::modularity(cpu::undirected(Filter("modularity", *state_, filter, Reach::all)),
                           labels, resolution);
}

}  // namespace remanence
