// Statements: the best ones for a question, and the walk from their phrases to memories.
#include <algorithm>
#include <unordered_map>

#include "remanence/canonical.hpp"

#include "core/gains.hpp"

namespace remanence {
namespace {

constexpr double damping = 0.5;
constexpr int rounds = 20;
constexpr double least_pushed = 1e-6;  // mass that is not worth a step
constexpr double least_lift = 0.0625;  // N * pi below which a memory counts as not reached
constexpr std::uint32_t entity_kind = static_cast<std::uint32_t>(Kind::entity);

struct Step {
    EdgeId edge;
    std::uint32_t to;
    double weight;
};

/// Personalised PageRank by pushing mass round by round over statements and mentions; only what
/// the mass reaches is read.
class Walk {
public:
    Walk(const Engine::State& state, const ScanPlan& plan)
        : state_(state), test_(state.columns, filter_of(plan, filter_)), seq_(plan.seq) {}

    void seed(std::uint32_t node, double weight) { start_[local(node)] += weight; }
    void run();
    std::size_t size() const { return nodes_.size(); }
    std::uint32_t node(std::size_t i) const { return nodes_[i]; }
    double mass(std::size_t i) const { return mass_[i]; }
    std::uint8_t kind(std::uint32_t node) const {
        const std::uint32_t row = state_.columns.visible_row(node, seq_);
        return state_.columns.at(row).kind[Columns::within(row)];
    }
    /// Memories that mention an entity, each once.
    std::size_t mentions(std::uint32_t entity) const {
        std::vector<std::uint32_t> found;
        state_.links.each(entity, [&](const Edge& e, bool outgoing) {
            if (outgoing || e.type != edge_type::mentions || !test_.edge(e, outgoing)) return;
            if (test_.node(e.source) && !is_node(kind(e.source))) found.push_back(e.source);
        });
        std::sort(found.begin(), found.end());
        return static_cast<std::size_t>(std::unique(found.begin(), found.end()) - found.begin());
    }
    /// Entities that a statement is about, by edge.
    std::vector<std::uint32_t> phrases(std::uint32_t statement) const {
        std::vector<Step> found;
        state_.links.each(statement, [&](const Edge& e, bool outgoing) {
            if (!outgoing || e.type != edge_type::about || !test_.edge(e, outgoing)) return;
            if (test_.node(e.target)) found.push_back({e.id, e.target, 1.0});
        });
        std::sort(found.begin(), found.end(),
                  [](const Step& a, const Step& b) { return a.edge < b.edge; });
        std::vector<std::uint32_t> out;
        for (const Step& step : found) {
            if (std::find(out.begin(), out.end(), step.to) == out.end()) out.push_back(step.to);
        }
        return out;
    }

private:
    static const EdgeFilter& filter_of(const ScanPlan& plan, EdgeFilter& filter) {
        filter.as_of = plan.seq;
        return filter;
    }
    std::size_t local(std::uint32_t node) {
        const auto [at, fresh] = numbers_.emplace(node, nodes_.size());
        if (fresh) {
            nodes_.push_back(node);
            start_.push_back(0.0);
            mass_.push_back(0.0);
            left_.push_back(0.0);
            next_.push_back(0.0);
            steps_.emplace_back();
            read_.push_back(0);
        }
        return at->second;
    }
    /// Where mass may go from a node: along statements between entities, and along mentions.
    void read(std::size_t i);

    const Engine::State& state_;
    EdgeFilter filter_;
    EdgeTest test_;
    Seq seq_;
    std::unordered_map<std::uint32_t, std::size_t> numbers_;
    std::vector<std::uint32_t> nodes_;
    std::vector<double> start_;
    std::vector<double> mass_;
    std::vector<double> left_;
    std::vector<double> next_;
    std::vector<std::vector<std::pair<std::size_t, double>>> steps_;
    std::vector<std::uint8_t> read_;
};

void Walk::read(std::size_t i) {
    if (read_[i] != 0) return;
    read_[i] = 1;
    std::vector<Step> found;
    const std::uint32_t from = nodes_[i];
    state_.links.each(from, [&](const Edge& e, bool outgoing) {
        const std::uint32_t other = outgoing ? e.target : e.source;
        if (!test_.edge(e, outgoing) || !test_.node(other)) return;
        const bool stated = e.type >= edge_type::first_free && kind(from) == entity_kind &&
                            kind(other) == entity_kind;
        if (e.type != edge_type::mentions && !stated) return;
        found.push_back({e.id, other, static_cast<double>(e.weight)});
    });
    std::sort(found.begin(), found.end(),
              [](const Step& a, const Step& b) { return a.edge < b.edge; });
    double degree = 0.0;
    for (const Step& step : found) degree += step.weight;
    std::vector<std::pair<std::size_t, double>> steps;
    steps.reserve(found.size());
    for (const Step& step : found) steps.emplace_back(local(step.to), step.weight / degree);
    steps_[i] = std::move(steps);
}

void Walk::run() {
    double all = 0.0;
    for (const double weight : start_) all += weight;
    for (double& weight : start_) weight /= all;
    left_ = start_;
    const std::size_t seeds = nodes_.size();
    for (int round = 0; round < rounds; ++round) {
        bool moved = false;
        const std::size_t known = nodes_.size();
        for (std::size_t i = 0; i < known; ++i) {
            const double here = left_[i];
            if (here <= least_pushed) continue;
            moved = true;
            left_[i] = 0.0;
            mass_[i] += (1.0 - damping) * here;
            read(i);
            for (const auto& [to, share] : steps_[i]) next_[to] += damping * here * share;
            if (!steps_[i].empty()) continue;
            for (std::size_t s = 0; s < seeds; ++s) next_[s] += damping * here * start_[s];
        }
        if (!moved) return;
        for (std::size_t i = 0; i < nodes_.size(); ++i) {
            left_[i] += next_[i];
            next_[i] = 0.0;
        }
    }
}

}  // namespace

bool uses_statements(const Engine::State& state, const ScanPlan& plan) {
    if (plan.request->weights.triples == 0.0F || (plan.query.empty() && plan.terms.empty())) {
        return false;
    }
    constexpr std::uint32_t bit = 1U << static_cast<std::uint32_t>(Kind::statement);
    for (const auto& segment : state.columns.segments) {
        if ((segment->extent.kinds & bit) != 0) return true;
    }
    return false;
}

void gain_triples(const Engine::State& state, const ScanPlan& plan,
                  const std::vector<Scored>& statements, Gains& gains) {
    Walk walk(state, plan);
    for (const Scored& s : statements) {
        const std::uint32_t node = state.columns.at(s.row).node[Columns::within(s.row)];
        for (const std::uint32_t entity : walk.phrases(node)) {
            const std::size_t rows = std::max<std::size_t>(1, walk.mentions(entity));
            walk.seed(entity, 1.0 / static_cast<double>(rows));
        }
    }
    if (walk.size() == 0) return;
    walk.run();
    const auto count = static_cast<double>(corpus(state, plan.seq, plan.scopes, false).rows +
                                           corpus(state, plan.seq, plan.scopes, true).rows);
    for (std::size_t i = 0; i < walk.size(); ++i) {
        const double lift = count * walk.mass(i);
        if (lift < least_lift || is_node(walk.kind(walk.node(i)))) continue;
        const std::uint32_t row = state.columns.visible_row(walk.node(i), plan.seq);
        gains[row].triples =
            plan.request->weights.triples * static_cast<float>(canonical_log(1.0 + lift));
    }
}

}  // namespace remanence
