// The loops of the verb `decay` for avx2.
#if defined(__x86_64__)
#define REMANENCE_DECAY_KERNELS avx2_decay
#define REMANENCE_KERNELS_NAME "avx2"
#include "cpu/kernels_decay.inl"
#endif
