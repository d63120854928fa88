// The loops of the verb `decay` for avx512.
#if defined(__x86_64__)
#define REMANENCE_DECAY_KERNELS avx512_decay
#define REMANENCE_KERNELS_NAME "avx512"
#include "cpu/kernels_decay.inl"
#endif
