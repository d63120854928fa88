// The verb `decay` on the device; its columns were checked before.
#pragma once

#include "remanence/decay.hpp"

namespace remanence::cuda {

void decay(const DecayLaw& law, const DecayColumns<float>& columns, TimeNs now,
           View<float> activation);
void decay(const DecayLaw& law, const DecayColumns<double>& columns, TimeNs now,
           View<double> activation);

/// The same over columns of the device. Returns the first memory whose values are out of range, or
/// their number.
std::size_t decay_there(const DecayLaw& law, const DecayColumns<float>& columns, TimeNs now,
                        View<float> activation);
std::size_t decay_there(const DecayLaw& law, const DecayColumns<double>& columns, TimeNs now,
                        View<double> activation);

}  // namespace remanence::cuda
