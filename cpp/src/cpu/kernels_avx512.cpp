// The inner loops for avx512.
#if defined(__x86_64__)
#define REMANENCE_KERNELS avx512_kernels
#define REMANENCE_KERNELS_NAME "avx512"
#define REMANENCE_CELLS 2048
#include "cpu/kernels.inl"
#endif
