// The inner loops for neon.
#if defined(__aarch64__)
#define REMANENCE_KERNELS neon_kernels
#define REMANENCE_KERNELS_NAME "neon"
#include "cpu/kernels.inl"
#endif
