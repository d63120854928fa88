// Sums over the live rows of a scope, kept as integers so that no order of events changes them.
#include "core/state.hpp"

namespace remanence {
namespace {

constexpr float fixed_point = 0x1p30F;  // elements of unit vectors; 2^32 rows still fit 64 bits

}  // namespace

void Totals::add(const Segment& s, std::uint32_t r, const Columns& columns, bool added) {
    rows = added ? rows + 1 : rows - 1;
    words = added ? words + s.words[r] : words - s.words[r];
    if ((s.flags[r] & flag::has_vector) == 0) return;
    const float* const vector = columns.room(s, r);
    vectors = added ? vectors + 1 : vectors - 1;
    vector_sum.resize(columns.dim);
    for (std::size_t j = 0; j < columns.dim; ++j) {
        // 32 bits hold it, and only they convert several at a time.
        const auto x = static_cast<std::int32_t>(vector[j] * fixed_point);
        vector_sum[j] += added ? x : -x;
    }
}

void Totals::add(const Totals& other) {
    rows += other.rows;
    words += other.words;
    vectors += other.vectors;
    if (other.vector_sum.empty()) return;
    vector_sum.resize(other.vector_sum.size());
    for (std::size_t j = 0; j < vector_sum.size(); ++j) vector_sum[j] += other.vector_sum[j];
}

Totals corpus(const Engine::State& state, Seq seq, const ScopeSet& scopes, bool nodes) {
    const std::size_t which = nodes ? 1 : 0;
    if (seq >= state.seq) {
        std::vector<const Totals*> seen;
        std::uint64_t rows = 0;
        for (const std::uint32_t scope : scopes.some()) {
            const auto at = state.scopes.find(scope);
            if (at == state.scopes.end()) continue;
            seen.push_back(&at->second[which]);
            rows += seen.back()->rows;
        }
        if (scopes.all() || rows == state.all[which].rows) return state.all[which];
        Totals sum;
        for (const Totals* const one : seen) sum.add(*one);
        return sum;
    }
    Totals sum;
    for (std::uint32_t row = 0; row < state.columns.count(); ++row) {
        const Segment& s = state.columns.at(row);
        const std::uint32_t r = Columns::within(row);
        if (is_node(s.kind[r]) != nodes || !state.columns.row_visible(row, seq)) continue;
        if (scopes.holds(s.scope[r])) sum.add(s, r, state.columns, true);
    }
    return sum;
}

}  // namespace remanence
