// The engine's edges as a graph of their own, commit by commit.
#include <algorithm>
#include <mutex>

#include "core/state.hpp"

namespace remanence {

EngineGraph Engine::graph() const {
    const std::shared_lock lock(state_->mutex);
    const Links& links = state_->links;
    const std::size_t n = links.count();
    EngineGraph out;
    const std::size_t nodes = state_->columns.nodes();
    out.graph = Graph(nodes);
    out.id.reserve(nodes);
    for (std::size_t node = 0; node < nodes; ++node) {
        out.id.push_back(state_->columns.id_of(static_cast<std::uint32_t>(node)));
    }
    std::vector<std::pair<Seq, std::int64_t>> closings;
    out.edge.reserve(n);
    for (std::size_t i = 0; i < n; ++i) {
        const Edge& e = links.at(static_cast<std::uint32_t>(i));
        out.edge.push_back(e.id);
        if (e.seq_to != seq_open) closings.emplace_back(e.seq_to, static_cast<std::int64_t>(i));
    }
    std::sort(closings.begin(), closings.end());
    std::size_t closed = 0;
    const auto close_before = [&](Seq seq) {
        while (closed < closings.size() && closings[closed].first < seq) {
            const std::size_t first = closed;
            std::vector<std::int64_t> edges;
            for (; closed < closings.size() && closings[closed].first == closings[first].first;
                 ++closed) {
                edges.push_back(closings[closed].second);
            }
            out.graph.close(edges, closings[first].first);
        }
    };
    std::vector<std::int64_t> source, target;
    std::vector<std::uint16_t> type;
    std::vector<float> weight;
    std::vector<TimeNs> from, to;
    for (std::size_t i = 0; i < n;) {
        const Seq seq = links.at(static_cast<std::uint32_t>(i)).seq_from;
        for (auto* column : {&source, &target, &from, &to}) column->clear();
        type.clear();
        weight.clear();
        for (; i < n && links.at(static_cast<std::uint32_t>(i)).seq_from == seq; ++i) {
            const Edge& e = links.at(static_cast<std::uint32_t>(i));
            source.push_back(e.source);
            target.push_back(e.target);
            type.push_back(e.type);
            weight.push_back(e.weight);
            from.push_back(e.valid_from);
            to.push_back(e.valid_to);
        }
        close_before(seq);
        out.graph.append({source, target, type, weight, from, to}, seq);
    }
    close_before(seq_now);
    return out;
}

}  // namespace remanence
