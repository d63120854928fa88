// What links add to the own evidence of rows.
#pragma once

#include <vector>

#include "core/row_map.hpp"
#include "core/scan.hpp"
#include "core/state.hpp"

namespace remanence {

/// Each seed is worth its lead over the best row after the seeds.
inline constexpr std::size_t seed_count = 50;

struct Gain {
    float next = 0.0F;
    float session = 0.0F;
    float mention = 0.0F;
    float spreading = 0.0F;
    float triples = 0.0F;
};
using Gains = RowMap<Gain>;

struct Seed {
    std::uint32_t row;
    float lead;
};

/// Whether any link could add to an answer.
bool uses_links(const Engine::State& state, const Request& request);

/// One hop from the best rows by own evidence (best first), and the walk from the caller's cues.
Gains link_gains(const Engine::State& state, const ScanPlan& plan, const std::vector<Scored>& top);

/// Rows that are about an entity which the question names: weight / fan, fan = memories about it.
RowMap<float> subject_terms(const Engine::State& state, const ScanPlan& plan);

/// Seeds that mention what a row is about, and rows that mention what a seed is about.
void gain_mention(const Engine::State& state, const ScanPlan& plan, const std::vector<Seed>& seeds,
                  Gains& gains);

/// Whether the store holds statements that could lead a question to memories.
bool uses_statements(const Engine::State& state, const ScanPlan& plan);
inline constexpr std::size_t statement_count = 3;  ///< the best statements, whose phrases are seeds

/// ln(1 + N pi) for the memories that a walk from the phrases of the best statements reaches, each
/// phrase weighed by 1 / memories that mention it. Source: Gutierrez et al. 2024 (HippoRAG).
void gain_triples(const Engine::State& state, const ScanPlan& plan,
                  const std::vector<Scored>& statements, Gains& gains);

}  // namespace remanence
