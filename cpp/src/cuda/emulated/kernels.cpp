// The kernels for the emulator.
#include "cuda/kernels.inl"
