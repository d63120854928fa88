// The kernels for devices.
#include "cuda/kernels.inl"
