// What a backend is asked to scan: a request resolved against the columns, and its answer.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "remanence/recall.hpp"

#include "core/activation.hpp"
#include "core/columns.hpp"
#include "core/lexicon.hpp"

namespace remanence {

/// One word of the question: its rows, and idf * (repeats in the question), normalised.
struct ScanTerm {
    const Postings* postings;
    float weight;
};

/// The activation of a row as the commit of the request saw it, where it is not the stored one.
struct PastState {
    std::uint32_t row;
    AccessState state;
};

/// The scopes that a question may see: all, or some. One alone needs no table.
class ScopeSet {
public:
    ScopeSet() = default;
    explicit ScopeSet(std::vector<std::uint32_t> some) : all_(false), some_(std::move(some)) {
        std::sort(some_.begin(), some_.end());
        some_.erase(std::unique(some_.begin(), some_.end()), some_.end());
        if (some_.size() == 1) one_ = some_[0];
        if (some_.size() > 1) table_ = table();
    }
    bool all() const { return all_; }
    /// The only one, or `none`.
    std::uint32_t one() const { return one_; }
    const std::vector<std::uint32_t>& some() const { return some_; }
    bool holds(std::uint32_t scope) const {
        return all_ || scope == one_ || (scope < table_.size() && table_[scope] != 0);
    }
    /// Whether it holds one of [least, greatest].
    bool meets(std::uint32_t least, std::uint32_t greatest) const {
        if (all_) return true;
        const auto at = std::lower_bound(some_.begin(), some_.end(), least);
        return at != some_.end() && *at <= greatest;
    }
    /// Whether it holds all of [least, greatest].
    bool holds_all(std::uint32_t least, std::uint32_t greatest) const {
        if (all_) return true;
        const auto at = std::lower_bound(some_.begin(), some_.end(), least);
        const std::size_t more = greatest - least;
        return static_cast<std::size_t>(some_.end() - at) > more &&
               at[static_cast<std::ptrdiff_t>(more)] == greatest;
    }
    /// A byte for each scope up to the greatest; a single 0 for none at all, empty for all.
    std::vector<std::uint8_t> table() const {
        if (all_) return {};
        std::vector<std::uint8_t> out(some_.empty() ? 1 : some_.back() + std::size_t{1}, 0);
        for (const std::uint32_t scope : some_) out[scope] = 1;
        return out;
    }
    bool operator==(const ScopeSet& other) const {
        return all_ == other.all_ && some_ == other.some_;
    }

private:
    bool all_ = true;
    std::uint32_t one_ = none;
    std::vector<std::uint32_t> some_;  ///< ascending
    std::vector<std::uint8_t> table_;  ///< of several
};

/// A request made ready. The backend reads it and the columns, nothing else.
struct ScanPlan {
    const Columns* columns = nullptr;
    const Request* request = nullptr;
    Seq seq = seq_now;
    std::size_t keep = 0;       ///< rows wanted
    std::vector<float> query;   ///< unit vector, padded; empty = no vector cue
    std::vector<float> centre;  ///< [dim] what was taken out of it; empty = nothing
    ScopeSet scopes;
    std::vector<std::uint64_t> row_allowed;  ///< bit per row; empty = all
    std::vector<std::uint32_t> excluded;     ///< sorted rows
    std::vector<ScanTerm> terms;
    float length_base = 0.0F;   ///< BM25: k1 (1 - b + b m / (avgdl + m))
    float length_slope = 0.0F;  ///< BM25: k1 b / (avgdl + m)
    std::array<float, kind_count> lexical_weight{};
    std::array<float, static_count> table{};
    std::vector<PastState> past;  ///< ascending by row; filled for devices, which keep no touches
    bool words_help = false;      ///< no word can lower a score
    std::uint32_t author = 0;     ///< the one author that the question names, or 0
    bool nodes = false;           ///< only nodes are asked for: statistics are theirs

    /// Whether what a word adds is bounded for many rows at once and looked up for few.
    bool bounds_words(const ScanTerm& term) const {
        return words_help && !term.postings->bits().empty();
    }
};

/// Whether kinds and scopes of a block, or of a segment, leave room for a row that passes.
template <class Summary>
bool may_pass(const ScanPlan& plan, const Summary& sum) {
    return (plan.request->kinds & sum.kinds) != 0 &&
           plan.scopes.meets(sum.least_scope, sum.greatest_scope);
}

/// What each kind of row takes part in, and which weight its words have: one line per Kind.
struct KindRule {
    float Weights::* lexical;
    bool turn;     ///< length, question, when, author, date, next, session
    bool subject;  ///< subject, mention: it is about something that others name
};
inline constexpr std::array<KindRule, kind_count> kind_rules = {{
    {&Weights::lexical, true, false},             // episodic
    {&Weights::lexical, false, true},             // semantic
    {&Weights::lexical_document, false, true},    // document
    {&Weights::lexical, false, true},             // procedural
    {&Weights::lexical_statement, false, false},  // entity
    {&Weights::lexical_statement, false, false},  // statement
}};

/// A row with its score; better() is the one order of every answer.
struct Scored {
    float score;
    std::uint32_t row;
    Id id;
};
inline bool better(const Scored& a, const Scored& b) {
    return a.score != b.score ? a.score > b.score : a.id < b.id;
}

struct ScanAnswer {
    std::vector<Scored> top;  ///< best first
    std::size_t scanned = 0;
};

using TermValues = std::array<float, term_count>;

/// Days from a memory's time to the nearest interval: 0 inside, after its end as they are, before
/// its start three times (talk about an event follows it).
float days_from(TimeNs time, const std::vector<std::array<TimeNs, 2>>& dates);

/// The feature exp(-days / 14).
float date_feature(TimeNs time, const std::vector<std::array<TimeNs, 2>>& dates);

/// ln((used + 1) / (unused + 1)).
float usefulness_feature(std::uint32_t used, std::uint32_t unused);

/// The own evidence of one row, bit for bit what the scan adds up; `lexical` is its BM25 where the
/// caller knows it. `row_side` is all of it but the cosine.
float row_score(const ScanPlan& plan, std::uint32_t row, const float* lexical = nullptr);
float row_side(const ScanPlan& plan, std::uint32_t row, const float* lexical = nullptr);

bool row_passes(const ScanPlan& plan, std::uint32_t row);

/// Own-evidence terms of one row, bit for bit what the scan added up; `next`, `session` and
/// `spreading` are left 0. `total` adds in the scan's order.
TermValues row_terms(const ScanPlan& plan, std::uint32_t row);
float total(const TermValues& values);

/// Fills plan.table, plan.lexical_weight from the request's weights.
void prepare_tables(ScanPlan& plan);

}  // namespace remanence
