// The longer argument checks: vectors and whole requests.
#include "core/check.hpp"

#include <algorithm>
#include <bit>
#include <cstdint>

namespace remanence {

void check_vector(const char* verb, View<const float> vector, std::size_t row) {
    // Without the sign, floats order like their bits, and NaN and infinity above all others.
    std::uint32_t most = 0;
    for (const float x : vector) {
        most = std::max(most, std::bit_cast<std::uint32_t>(x) & 0x7FFF'FFFFU);
    }
    check(most < 0x7F80'0000U, verb, [&] {
        return "vector " + std::to_string(row) + " holds NaN or infinity (want finite numbers)";
    });
    const float largest = std::bit_cast<float>(most);
    check(largest >= 1e-15F && largest <= 1e15F, verb, [&] {
        return "vector " + std::to_string(row) + " has no direction (got a largest element of " +
               std::to_string(largest) + ", want one between 1e-15 and 1e15)";
    });
}

void check_seq(const char* verb, View<const Seq> seq, std::size_t rows, Seq last) {
    check(seq.size() == 1 || seq.size() == rows, verb, [&] {
        return "seq must be one commit or one per row (got " + std::to_string(seq.size()) +
               " for " + std::to_string(rows) + " rows)";
    });
    for (const Seq s : seq) {
        check(s >= last && s > 0 && s < seq_now, verb, [&] {
            return "commits only grow (got seq " + std::to_string(s) + " after " +
                   std::to_string(last) + ")";
        });
        last = s;
    }
}

namespace {

void check_weights(const Weights& w) {
    for (const float x : {w.bias,
                          w.cosine,
                          w.centring,
                          w.lexical,
                          w.lexical_document,
                          w.length,
                          w.question,
                          w.author,
                          w.date,
                          w.when,
                          w.lift,
                          w.activation,
                          w.usefulness,
                          w.importance,
                          w.next,
                          w.session,
                          w.spreading,
                          w.lexical_statement,
                          w.subject,
                          w.mentioned,
                          w.mentioning,
                          w.triples,
                          w.newer}) {
        check(std::isfinite(x) && std::fabs(x) <= 1e6F, "recall", [&] {
            return "weights must be finite and at most 1e6 in size (got " + std::to_string(x) + ")";
        });
    }
    for (const float x : {w.next, w.session, w.spreading, w.subject, w.mentioned, w.mentioning,
                          w.triples, w.newer}) {
        check(x >= 0.0F, "recall", [&] {
            return "weights of links (next, session, spreading, subject, mentioned, mentioning, "
                   "triples, newer) must not be negative (got " +
                   std::to_string(x) + ")";
        });
    }
}

}  // namespace

void check_request(const Request& request, std::size_t dim) {
    check(request.k >= 1 && request.k <= max_k, "recall", [&] {
        return "k must be between 1 and " + std::to_string(max_k) + " (got " +
               std::to_string(request.k) + ")";
    });
    if (!request.vector.empty()) {
        check(dim == 0 || request.vector.size() == dim, "recall", [&] {
            return "the query vector has the wrong dimension (got " +
                   std::to_string(request.vector.size()) + ", want " + std::to_string(dim) + ")";
        });
        check_vector("recall", request.vector, 0);
    }
    check(request.min_belief >= 0.0F && request.min_belief <= 1.0F, "recall", [&] {
        return "min_belief must be in [0, 1] (got " + std::to_string(request.min_belief) + ")";
    });
    for (const auto& d : request.dates) check_interval("recall", d[0], d[1]);
    check_weights(request.weights);
}

}  // namespace remanence
