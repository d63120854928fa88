// Argument checks, made once above the backends, each failure one sentence.
#pragma once

#include <cmath>
#include <string>

#include "remanence/engine.hpp"
#include "remanence/error.hpp"

namespace remanence {

/// Throws InvalidArgument("verb: what") unless `holds`. `what` is built only on failure.
template <class Text>
inline void check(bool holds, const char* verb, Text&& what) {
    if (!holds) throw InvalidArgument(std::string(verb) + ": " + what());
}

inline void check_length(const char* verb, const char* column, std::size_t got, std::size_t want) {
    check(got == want, verb, [&] {
        return std::string(column) + " has the wrong length (got " + std::to_string(got) +
               ", want " + std::to_string(want) + ")";
    });
}

inline void check_interval(const char* verb, TimeNs from, TimeNs to) {
    check(from < to, verb, [&] {
        return "the interval ends before it starts (got [" + std::to_string(from) + ", " +
               std::to_string(to) + "), want valid_from < valid_to)";
    });
}

inline void check_unit_interval(const char* verb, const char* column, float value) {
    check(value > 0.0F && value <= 1.0F, verb, [&] {
        return std::string(column) + " must be in (0, 1] (got " + std::to_string(value) + ")";
    });
}

/// `seq` holds one commit for all rows or one per row, and commits only grow.
void check_seq(const char* verb, View<const Seq> seq, std::size_t rows, Seq last);
inline Seq seq_of(View<const Seq> seq, std::size_t i) { return seq.size() == 1 ? seq[0] : seq[i]; }

void check_request(const Request& request, std::size_t dim);
void check_vector(const char* verb, View<const float> vector, std::size_t row);

}  // namespace remanence
