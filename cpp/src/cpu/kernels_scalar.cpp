// The inner loops for scalar.
#define REMANENCE_SCALAR_LANES
#define REMANENCE_KERNELS scalar_kernels
#define REMANENCE_KERNELS_NAME "scalar"
#define REMANENCE_CELLS 64
#include "cpu/kernels.inl"
