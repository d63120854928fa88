// The inner loops for avx2.
#if defined(__x86_64__)
#define REMANENCE_KERNELS avx2_kernels
#define REMANENCE_KERNELS_NAME "avx2"
#define REMANENCE_CELLS 512
#include "cpu/kernels.inl"
#endif
