// The inner loops for avx512 with a matrix unit.
#if defined(__x86_64__)
#define REMANENCE_KERNELS amx_kernels
#define REMANENCE_KERNELS_NAME "amx"
#define REMANENCE_CELLS 2048
#include "cpu/kernels.inl"
#endif
