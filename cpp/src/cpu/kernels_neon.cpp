// The inner loops for neon.
#if defined(__aarch64__)
#define REMANENCE_KERNELS neon_kernels
#define REMANENCE_KERNELS_NAME "neon"
#define REMANENCE_CELLS 256
#include "cpu/kernels.inl"
#endif
