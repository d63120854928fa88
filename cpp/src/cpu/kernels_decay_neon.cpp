// The loops of the verb `decay` for neon.
#if defined(__aarch64__)
#define REMANENCE_DECAY_KERNELS neon_decay
#define REMANENCE_KERNELS_NAME "neon"
#include "cpu/kernels_decay.inl"
#endif
