// Newer statements above the older ones that they replace, within the best five.
#include "core/newer.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string_view>

namespace remanence {
namespace {

constexpr int most_moves = 3;         // of one answer
constexpr float least_shared = 0.2F;  // share of the question's word weight that both rows hold
constexpr float least_shared_dated = 0.4F;

using Text = std::string_view;

/// Calls `use(part)` for each part of a value between colons: number, unit, stems that follow.
template <class Use>
void each_part(Text value, Use&& use) {
    for (std::size_t at = 0; at <= value.size();) {
        const std::size_t end = std::min(value.find(':', at), value.size());
        use(value.substr(at, end - at));
        at = end + 1;
    }
}

std::vector<Text> parts_of(Text value) {
    std::vector<Text> parts;
    each_part(value, [&](Text part) { parts.push_back(part); });
    return parts;
}

class Replacing {
public:
    Replacing(const Engine::State& state, const ScanPlan& plan) : state_(state), plan_(plan) {
        each_term(plan.request->terms, [&](Text word) { words_.push_back(word); });
    }

    /// Whether row `newer` replaces row `older`: by a link, or for a question that asks for a value
    /// by what both say.
    bool operator()(std::uint32_t newer, std::uint32_t older) const {
        if (time(newer) <= time(older)) return false;
        if (linked(newer, older)) return true;
        if (!plan_.request->asks_value || (flags(newer) & flag::update) == 0) return false;
        const float share = shared(newer, older);
        if (share <= least_shared) return false;
        return ((flags(newer) & flag::dated) != 0 && share > least_shared_dated) ||
               says_so(newer, older);
    }

private:
    TimeNs time(std::uint32_t row) const {
        return state_.columns.at(row).time[Columns::within(row)];
    }
    std::uint8_t flags(std::uint32_t row) const {
        return state_.columns.at(row).flags[Columns::within(row)];
    }
    bool linked(std::uint32_t newer, std::uint32_t older) const {
        EdgeFilter filter;
        filter.as_of = plan_.seq;
        const EdgeTest test(state_.columns, filter);
        const Segment& s = state_.columns.at(older);
        const std::uint32_t target = s.node[Columns::within(older)];
        const Segment& n = state_.columns.at(newer);
        bool found = false;
        state_.links.each(n.node[Columns::within(newer)], [&](const Edge& e, bool outgoing) {
            found |= outgoing && e.type == edge_type::supersedes && e.target == target &&
                     test.edge(e, true);
        });
        return found;
    }
    float shared(std::uint32_t newer, std::uint32_t older) const {
        float both = 0.0F;
        float all = 0.0F;
        for (const ScanTerm& term : plan_.terms) {
            all = all + term.weight;
            if (term.postings->holds(newer) && term.postings->holds(older))
                both = both + term.weight;
        }
        return all > 0.0F ? both / all : 0.0F;
    }
    /// A number given outright as new, one of what the question is about, or another number of
    /// the same than the older row gives.
    bool says_so(std::uint32_t newer, std::uint32_t older) const {
        bool found = false;
        each_term(state_.lexicon.values(newer), [&](Text value) {
            if (found) return;
            const std::vector<Text> parts = parts_of(value);
            found = parts[0] == "#!" || asked(parts);
            if (found || parts.size() < 2 || parts[1].empty()) return;
            found = differs(parts[0], parts[1], older);
        });
        return found;
    }
    /// Whether the question holds one of the stems that follow the number.
    bool asked(const std::vector<Text>& parts) const {
        for (std::size_t i = 2; i < parts.size(); ++i) {
            if (std::find(words_.begin(), words_.end(), parts[i]) != words_.end()) return true;
        }
        return false;
    }
    /// Whether the older row counts the same unit, but never with this number.
    bool differs(Text number, Text unit, std::uint32_t older) const {
        bool counted = false;
        bool same = false;
        each_term(state_.lexicon.values(older), [&](Text value) {
            const std::vector<Text> parts = parts_of(value);
            if (parts.size() < 2 || parts[1] != unit) return;
            counted = true;
            same |= parts[0] == number;
        });
        return counted && !same;
    }

    const Engine::State& state_;
    const ScanPlan& plan_;
    std::vector<Text> words_;
};

/// What lifts `score` by `weight` of the way to `goal`, and above it where the weight is one.
float lift_of(float score, float goal, float weight) {
    if (weight < 1.0F) return weight * (goal - score);
    constexpr float up = std::numeric_limits<float>::infinity();
    float lift = std::nextafter(goal, up) - score;
    while (score + lift <= goal) lift = std::nextafter(lift, up);
    return lift;
}

}  // namespace

std::map<std::uint32_t, float> lift_newer(const Engine::State& state, const ScanPlan& plan,
                                          std::vector<Scored>& top) {
    std::map<std::uint32_t, float> lifted;
    const float weight = plan.request->weights.newer;
    const std::size_t count = std::min(newer_reach, top.size());
    if (weight == 0.0F || (plan.terms.empty() && state.links.count() == 0)) return lifted;
    const Replacing replaces(state, plan);
    // Ranks are walked in the order that the moves make; scores follow from them.
    std::vector<Scored> order(top.begin(), top.begin() + static_cast<std::ptrdiff_t>(count));
    int moves = 0;
    for (std::size_t i = 0; i < count && moves < most_moves; ++i) {
        for (std::size_t j = i + 1; j < count; ++j) {
            if (lifted.contains(order[j].row) || !replaces(order[j].row, order[i].row)) continue;
            Scored newer = order[j];
            const float lift = lift_of(newer.score, order[i].score, weight);
            lifted[newer.row] = lift;
            newer.score = newer.score + lift;
            order.erase(order.begin() + static_cast<std::ptrdiff_t>(j));
            order.insert(order.begin() + static_cast<std::ptrdiff_t>(i), newer);
            ++moves;
            break;
        }
    }
    if (lifted.empty()) return lifted;
    std::copy(order.begin(), order.end(), top.begin());
    std::sort(top.begin(), top.begin() + static_cast<std::ptrdiff_t>(count), better);
    return lifted;
}

}  // namespace remanence
