// The loops of the verb `decay` for scalar.
#define REMANENCE_SCALAR_LANES
#define REMANENCE_DECAY_KERNELS scalar_decay
#define REMANENCE_KERNELS_NAME "scalar"
#include "cpu/kernels_decay.inl"
