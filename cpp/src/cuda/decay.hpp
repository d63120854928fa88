// The verb `decay` on the device; its columns were checked before.
#pragma once

#include "remanence/decay.hpp"

namespace remanence::cuda {

void decay(const DecayLaw& law, const DecayColumns<float>& columns, TimeNs now,
           View<float> activation);
void decay(const DecayLaw& law, const DecayColumns<double>& columns, TimeNs now,
           View<double> activation);

}  // namespace remanence::cuda
