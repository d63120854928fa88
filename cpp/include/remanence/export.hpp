// Marks what leaves the shared library, and what also compiles for a GPU.
#pragma once

#if defined(__GNUC__)
#define REMANENCE_API __attribute__((visibility("default")))
#define REMANENCE_INLINE inline __attribute__((always_inline))
#else
#define REMANENCE_API
#define REMANENCE_INLINE inline
#endif

#if defined(__CUDACC__)
#define REMANENCE_HD __host__ __device__
#else
#define REMANENCE_HD
#endif
