// The own-evidence terms of a single row, in the order and with the arithmetic of the scan.
#include <algorithm>
#include <cmath>

#include "remanence/canonical.hpp"

#include "core/activation.hpp"
#include "core/scan.hpp"
#include "cpu/kernels.hpp"

namespace remanence {
namespace {

/// Of fewer than static_lengths tokens.
float length_feature(std::uint32_t tokens) {
    static const auto known = [] {
        std::array<float, static_lengths> out{};
        for (std::uint32_t n = 0; n < out.size(); ++n) {
            out[n] = static_cast<float>(canonical_log(1.0 + static_cast<double>(n)));
        }
        return out;
    }();
    return known[tokens];
}

float lexical_of(const ScanPlan& plan, std::uint32_t row, std::uint32_t words) {
    float sum = 0.0F;
    const float length = plan.length_base + plan.length_slope * static_cast<float>(words);
    for (const ScanTerm& term : plan.terms) {
        const auto count = static_cast<float>(term.postings->count(row));
        if (count == 0.0F) continue;
        sum = sum + term.weight * (count / (count + length));
    }
    return sum;
}

float& value(TermValues& values, Term term) { return values[static_cast<std::size_t>(term)]; }

}  // namespace

std::string_view term_name(Term term) {
    static constexpr std::array<std::string_view, term_count> names = {
        "bias", "length",     "question",   "when",       "lexical", "author", "date",
        "lift", "activation", "usefulness", "importance", "belief",  "cosine", "subject",
        "next", "session",    "mention",    "spreading",  "triples", "newer"};
    return names[static_cast<std::size_t>(term)];
}

Weights Weights::without_question() {
    Weights w;
    w.bias = w.length = w.question = w.author = w.date = w.when = w.lift = 0.0F;
    w.activation = 1.0F;
    return w;
}

float days_from(TimeNs time, const std::vector<std::array<TimeNs, 2>>& dates) {
    constexpr float day_ns = 86'400e9F;
    float nearest = 1e9F;
    for (const auto& [from, to] : dates) {
        float days = 0.0F;
        if (time < from) {
            days = 3.0F * (static_cast<float>(static_cast<std::uint64_t>(from) -
                                              static_cast<std::uint64_t>(time)) /
                           day_ns);
        } else if (time >= to) {
            days = static_cast<float>(static_cast<std::uint64_t>(time) -
                                      static_cast<std::uint64_t>(to)) /
                   day_ns;
        }
        nearest = std::min(nearest, days);
    }
    return nearest;
}

float date_feature(TimeNs time, const std::vector<std::array<TimeNs, 2>>& dates) {
    constexpr float per_day = -0x1.a61762p-4F;  // -log2(e) / 14
    return canonical_exp2(days_from(time, dates) * per_day);
}

float usefulness_feature(std::uint32_t used, std::uint32_t unused) {
    return static_cast<float>(
        canonical_log((static_cast<double>(used) + 1.0) / (static_cast<double>(unused) + 1.0)));
}

void prepare_tables(ScanPlan& plan) {
    const Weights& w = plan.request->weights;
    plan.words_help = true;
    const float when = plan.request->asks_when ? w.when : 0.0F;
    for (int kind = 0; kind < kind_count; ++kind) {
        const KindRule& rule = kind_rules[static_cast<std::size_t>(kind)];
        const bool turn = rule.turn;
        plan.lexical_weight[static_cast<std::size_t>(kind)] = w.*(rule.lexical);
        plan.words_help &= w.*(rule.lexical) >= 0.0F;
        for (int flags = 0; flags < 4; ++flags) {
            for (std::uint32_t length = 0; length < static_lengths; ++length) {
                float sum = w.bias;
                if (turn) {
                    sum = sum + w.length * length_feature(length);
                    sum = sum + ((flags & flag::question) != 0 ? w.question : 0.0F);
                    sum = sum + ((flags & flag::time_expression) != 0 ? when : 0.0F);
                }
                plan.table[static_index(static_cast<std::uint8_t>(kind),
                                        static_cast<std::uint8_t>(flags),
                                        static_cast<std::uint16_t>(length))] = sum;
            }
        }
    }
}

bool row_passes(const ScanPlan& plan, std::uint32_t row) {
    const Request& q = *plan.request;
    const Segment& s = plan.columns->at(row);
    const std::uint32_t r = Columns::within(row);
    if (!plan.columns->row_visible(row, plan.seq)) return false;
    if ((q.kinds >> s.kind[r] & 1U) == 0 || s.belief[r] < q.min_belief) return false;
    if (q.valid_at ? (s.valid_from[r] > *q.valid_at || !open_at(s.valid_to[r], *q.valid_at))
                   : !open_at(s.valid_to[r], q.now)) {
        return false;
    }
    if (!plan.scopes.holds(s.scope[r])) return false;
    if (!plan.row_allowed.empty() && (plan.row_allowed[row / 64] >> (row % 64) & 1U) == 0) {
        return false;
    }
    return !std::binary_search(plan.excluded.begin(), plan.excluded.end(), row);
}

float row_side(const ScanPlan& plan, std::uint32_t row, const float* lexical) {
    const Request& q = *plan.request;
    const Weights& w = q.weights;
    const Segment& s = plan.columns->at(row);
    const std::uint32_t r = Columns::within(row);
    const bool turn = kind_rules[s.kind[r]].turn;
    float sum = plan.table[s.statics[r]];
    if (!plan.terms.empty()) {
        const float words = lexical != nullptr ? *lexical : lexical_of(plan, row, s.words[r]);
        sum = sum + words * plan.lexical_weight[s.kind[r]];
    }
    if (plan.author != 0 && turn && s.author[r] != 0) {
        sum = sum + (s.author[r] == plan.author ? w.author : -w.author);
    }
    if (!q.dates.empty() && turn) sum = sum + w.date * date_feature(s.time[r], q.dates);
    const bool used = s.accesses[r] > 1 || s.used[r] != 0 || s.unused[r] != 0;
    if (w.activation != 0.0F || (used && (w.lift != 0.0F || w.usefulness != 0.0F))) {
        const auto law = static_cast<Law>(s.law[r]);
        const AccessState state = access_as_of(*plan.columns, row, plan.seq);
        const float now = activation_of(state, law, q.now);
        if (w.lift != 0.0F && state.accesses > 1) {
            sum = sum + w.lift * (now - activation_of(first_access(law, s.created[r]), law, q.now));
        }
        if (w.activation != 0.0F) sum = sum + now * w.activation;
        if (state.used != 0 || state.unused != 0) {
            sum = sum + w.usefulness * usefulness_feature(state.used, state.unused);
        }
    }
    if (w.importance != 0.0F) sum = sum + s.importance[r] * w.importance;
    return sum + s.log_belief[r];
}

float row_score(const ScanPlan& plan, std::uint32_t row, const float* lexical) {
    const float side = row_side(plan, row, lexical);
    const Segment& s = plan.columns->at(row);
    if (plan.query.empty() || (s.flags[Columns::within(row)] & flag::has_vector) == 0) return side;
    float cosine = 0.0F;
    cpu::kernels().dot(plan.query.data(), plan.columns->vector(row), plan.columns->padded_dim, 1,
                       &cosine);
    return side + plan.request->weights.cosine * cosine;
}

TermValues row_terms(const ScanPlan& plan, std::uint32_t row) {
    const Request& q = *plan.request;
    const Weights& w = q.weights;
    const Segment& s = plan.columns->at(row);
    const std::uint32_t r = Columns::within(row);
    const bool turn = kind_rules[s.kind[r]].turn;
    const auto law = static_cast<Law>(s.law[r]);
    TermValues out{};
    value(out, Term::bias) = w.bias;
    if (turn) {
        const std::uint32_t tokens = std::min<std::uint32_t>(s.length[r], static_lengths - 1);
        value(out, Term::length) = w.length * length_feature(tokens);
        value(out, Term::question) = (s.flags[r] & flag::question) != 0 ? w.question : 0.0F;
        const bool when = q.asks_when && (s.flags[r] & flag::time_expression) != 0;
        value(out, Term::when) = when ? w.when : 0.0F;
    }
    if (!plan.terms.empty()) {
        value(out, Term::lexical) =
            lexical_of(plan, row, s.words[r]) * plan.lexical_weight[s.kind[r]];
    }
    if (plan.author != 0 && turn && s.author[r] != 0) {
        value(out, Term::author) = s.author[r] == plan.author ? w.author : -w.author;
    }
    if (!q.dates.empty() && turn) {
        value(out, Term::date) = w.date * date_feature(s.time[r], q.dates);
    }
    if (w.lift != 0.0F || w.activation != 0.0F || w.usefulness != 0.0F) {
        const AccessState state = access_as_of(*plan.columns, row, plan.seq);
        const float now = activation_of(state, law, q.now);
        if (w.lift != 0.0F && state.accesses > 1) {
            const float base = activation_of(first_access(law, s.created[r]), law, q.now);
            value(out, Term::lift) = w.lift * (now - base);
        }
        value(out, Term::activation) = w.activation != 0.0F ? now * w.activation : 0.0F;
        if (state.used != 0 || state.unused != 0) {
            value(out, Term::usefulness) =
                w.usefulness * usefulness_feature(state.used, state.unused);
        }
    }
    if (w.importance != 0.0F) {
        value(out, Term::importance) = s.importance[r] * w.importance;
    }
    value(out, Term::belief) = s.log_belief[r];
    if (!plan.query.empty() && (s.flags[r] & flag::has_vector) != 0) {
        float cosine = 0.0F;
        cpu::kernels().dot(plan.query.data(), plan.columns->vector(row), plan.columns->padded_dim,
                           1, &cosine);
        value(out, Term::cosine) = w.cosine * cosine;
    }
    return out;
}

float total(const TermValues& values) {
    float sum = 0.0F;
    for (const float v : values) sum = sum + v;
    return sum;
}

}  // namespace remanence
