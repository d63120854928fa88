// The decay laws that read whole histories: many rows' accesses at a time through the lanes.
#pragma once

#include <cstddef>
#include <vector>

#include "remanence/decay.hpp"

namespace remanence::cpu {

/// Fills `out` with the activation of rows first, first + 1, ...; false, with `out` undefined, if
/// the offsets or the order of the access times are not what `decay` asks for.
template <class T>
bool decay_histories(const DecayColumns<T>& columns, TimeNs now, std::size_t first, View<T> out,
                     const ActrExact& law);
template <class T>
bool decay_histories(const DecayColumns<T>& columns, TimeNs now, std::size_t first, View<T> out,
                     const PetrovHybrid& law);
template <class T>
bool decay_histories(const DecayColumns<T>& columns, TimeNs now, std::size_t first, View<T> out,
                     const PavlikAnderson& law);

}  // namespace remanence::cpu
