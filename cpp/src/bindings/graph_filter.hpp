// A filter of edges and nodes as Python gives it.
#pragma once

#include <optional>
#include <string>

#include "remanence/graph_store.hpp"

#include "bindings/arrays.hpp"

namespace remanence::bindings {

inline Direction direction_of(const std::string& name) {
    if (name == "out") return Direction::out;
    if (name == "in") return Direction::in;
    if (name == "both") return Direction::both;
    throw InvalidArgument("graph: direction must be out, in or both (got '" + name + "')");
}

inline void set_filter(EdgeFilter& f, const py::object& types, const std::string& direction,
                       std::optional<TimeNs> valid_at, std::optional<Seq> as_of, float min_weight) {
    if (!types.is_none()) {
        const auto v = view<std::uint16_t>("graph", "types", types);
        f.types = std::vector<std::uint16_t>(v.begin(), v.end());
    }
    f.direction = direction_of(direction);
    f.valid_at = valid_at;
    f.as_of = as_of;
    f.min_weight = min_weight;
}

/// The filter that every verb of a graph takes as keywords: types, direction, min_weight, valid_at,
/// as_of, allow. Holds on to no array: the caller's keywords do.
inline GraphFilter filter_of(const char* verb, const py::kwargs& given) {
    GraphFilter f;
    for (const auto& [key, value] : given) {
        const auto name = py::cast<std::string>(key);
        const auto number = [&](auto type) {
            using Number = decltype(type);
            try {
                return value.is_none() ? std::optional<Number>() : py::cast<Number>(value);
            } catch (const py::cast_error&) {
                throw InvalidArgument(std::string(verb) + ": " + name + " cannot be " +
                                      std::string(py::repr(value)));
            }
        };
        if (name == "types") {
            if (value.is_none()) continue;
            const auto v = view<std::uint16_t>(verb, "types", value);
            f.types = std::vector<std::uint16_t>(v.begin(), v.end());
        } else if (name == "direction") {
            f.direction = direction_of(py::cast<std::string>(py::str(value)));
        } else if (name == "min_weight") {
            f.min_weight = number(0.0F).value_or(0.0F);
        } else if (name == "valid_at") {
            f.valid_at = number(TimeNs{});
        } else if (name == "as_of") {
            f.as_of = number(Seq{});
        } else if (name == "allow") {
            const auto v = view_or_empty<bool>(verb, "allow", value);
            f.allow = {reinterpret_cast<const std::uint8_t*>(v.data()), v.size()};
        } else {
            throw py::type_error(std::string(verb) + " got an unexpected keyword '" + name + "'");
        }
    }
    return f;
}

}  // namespace remanence::bindings
