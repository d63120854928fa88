// Personalised PageRank by power iteration, summed in one fixed order.
#include "core/walk.hpp"

#include <algorithm>
#include <cmath>
#include <mutex>

#include "remanence/canonical.hpp"

#include "core/array.hpp"
#include "core/start.hpp"
#include "core/state.hpp"

namespace remanence {
namespace {

/// The reachable part of the graph as rows of (target, share of the node's weight).
struct Reach {
    std::vector<std::uint32_t> nodes;  ///< local number -> node
    std::vector<std::uint32_t> seeds;  ///< seed -> local number
    std::vector<std::size_t> offset{0};
    std::vector<std::uint32_t> target;
    std::vector<double> share;
    std::vector<double> degree;
};

struct Arc {
    EdgeId edge;
    std::uint32_t to;
    double weight;
};

Reach reach(const Columns& columns, const Links& links, const EdgeTest& test,
            const std::vector<std::uint32_t>& seeds) {
    Reach out;
    auto local = Array<std::uint32_t>::zeroed(columns.nodes());  // local number plus one
    const auto number = [&](std::uint32_t node) {
        if (local[node] == 0) {
            out.nodes.push_back(node);
            local[node] = static_cast<std::uint32_t>(out.nodes.size());
        }
        return local[node] - 1;
    };
    out.seeds.reserve(seeds.size());
    for (const std::uint32_t seed : seeds) out.seeds.push_back(number(seed));
    std::vector<Arc> arcs;
    for (std::size_t at = 0; at < out.nodes.size(); ++at) {
        arcs.clear();
        links.each(out.nodes[at], [&](const Edge& e, bool outgoing) {
            const std::uint32_t other = outgoing ? e.target : e.source;
            // What has a number was found to be seen.
            if (test.edge(e, outgoing) && (local[other] != 0 || test.node(other))) {
                arcs.push_back({e.id, other, static_cast<double>(e.weight)});
            }
        });
        std::sort(arcs.begin(), arcs.end(),
                  [](const Arc& a, const Arc& b) { return a.edge < b.edge; });
        double degree = 0.0;
        for (const Arc& arc : arcs) degree += arc.weight;
        for (const Arc& arc : arcs) {
            out.target.push_back(number(arc.to));
            out.share.push_back(arc.weight / degree);
        }
        out.offset.push_back(out.target.size());
        out.degree.push_back(degree);
    }
    return out;
}

void check_walk(const WalkRequest& request) {
    check(!request.seeds.empty(), "propagate", [] { return std::string("no seeds were given"); });
    check_seed_count("propagate", request.seeds.size());
    if (!request.weights.empty()) {
        check_length("propagate", "weights", request.weights.size(), request.seeds.size());
    }
    for (const float w : request.weights) {
        check(w > 0.0F && w <= 1e6F, "propagate",
              [&] { return "seed weights must be in (0, 1e6] (got " + std::to_string(w) + ")"; });
    }
    check(request.damping >= 0.0 && request.damping <= 0.99, "propagate", [&] {
        return "damping must be in [0, 0.99] (got " + std::to_string(request.damping) + ")";
    });
    check(request.tolerance >= 1e-15 && request.tolerance <= 1.0, "propagate", [&] {
        return "tolerance must be in [1e-15, 1] (got " + std::to_string(request.tolerance) + ")";
    });
}

Mass ranked(const Columns& columns, std::vector<NodeMass> found) {
    std::sort(found.begin(), found.end(), [&](const NodeMass& a, const NodeMass& b) {
        return a.mass != b.mass ? a.mass > b.mass : columns.id_of(a.node) < columns.id_of(b.node);
    });
    Mass out;
    for (const NodeMass& m : found) {
        if (m.mass == 0.0) continue;
        out.id.push_back(columns.id_of(m.node));
        out.mass.push_back(m.mass);
    }
    return out;
}

}  // namespace

std::vector<NodeMass> walk(const Columns& columns, const Links& links, const WalkRequest& request) {
    check_walk(request);
    const EdgeTest test(columns, request.filter);
    std::vector<std::uint32_t> seeds;
    for (const Id id : request.seeds) {
        const std::uint32_t node = columns.node_of(id);
        if (node == none || !test.node(node)) {
            throw NotFound("propagate: there is no memory " + std::to_string(id));
        }
        seeds.push_back(node);
    }
    const Reach graph = reach(columns, links, test, seeds);
    const std::size_t n = graph.nodes.size();
    std::vector<double> start(n, 0.0);
    double all = 0.0;
    for (std::size_t i = 0; i < seeds.size(); ++i) {
        const double w = request.weights.empty() ? 1.0 : static_cast<double>(request.weights[i]);
        start[graph.seeds[i]] += w;
        all += w;
    }
    for (double& s : start) s /= all;
    std::vector<double> mass = start;
    std::vector<double> next(n);
    for (double change = 1.0; change > request.tolerance;) {
        double returned = 1.0 - request.damping;
        std::fill(next.begin(), next.end(), 0.0);
        for (std::size_t u = 0; u < n; ++u) {
            const double out = request.damping * mass[u];
            if (graph.offset[u] == graph.offset[u + 1]) returned += out;
            for (std::size_t e = graph.offset[u]; e < graph.offset[u + 1]; ++e) {
                next[graph.target[e]] += out * graph.share[e];
            }
        }
        change = 0.0;
        for (std::size_t u = 0; u < n; ++u) {
            next[u] += returned * start[u];
            change += std::fabs(next[u] - mass[u]);
        }
        mass.swap(next);
    }
    std::vector<NodeMass> out;
    out.reserve(n);
    for (std::size_t u = 0; u < n; ++u) out.push_back({graph.nodes[u], mass[u], graph.degree[u]});
    return out;
}

std::vector<NodeMass> lift(const Columns& columns, const Links& links, const WalkRequest& request) {
    std::vector<NodeMass> out = walk(columns, links, request);
    const EdgeTest test(columns, request.filter);
    double all = 0.0;
    for (std::size_t e = 0; e < links.count(); ++e) {
        const Edge& edge = links.at(static_cast<std::uint32_t>(e));
        const bool usable = test.edge(edge, true) || test.edge(edge, false);
        if (usable && test.node(edge.source) && test.node(edge.target)) {
            all += static_cast<double>(edge.weight);
        }
    }
    const std::size_t known = columns.nodes_as_of(seq_seen(request.filter.as_of));
    const double delta = 1e-3 / static_cast<double>(std::max<std::size_t>(known, 1));
    for (NodeMass& m : out) {
        const double prior = all > 0.0 ? m.degree / (2.0 * all) : 0.0;
        m.mass = std::clamp(canonical_log((m.mass + delta) / (prior + delta)), -4.0, 4.0);
    }
    return out;
}

Mass Engine::propagate(const WalkRequest& request) const {
    const std::shared_lock lock(state_->mutex);
    return ranked(state_->columns, walk(state_->columns, state_->links, request));
}

Mass Engine::spread(const WalkRequest& request) const {
    const std::shared_lock lock(state_->mutex);
    return ranked(state_->columns, lift(state_->columns, state_->links, request));
}

}  // namespace remanence
