/* inline.h - how a function is declared that every backend shares, on host and device, and what a device has for one of them. */
#ifndef WEIR_KERNELS_INLINE_H
#define WEIR_KERNELS_INLINE_H

#ifdef __CUDACC__
#define KERNEL_INLINE static __host__ __device__ __forceinline__
#else
#define KERNEL_INLINE static inline
#endif

/* fixed_math.h spells this out where it is not given: a float to the nearest integer, ties to even, at most UINT32_MAX. */
#ifdef __CUDA_ARCH__
#define ROUND_SATURATED(value) __float2uint_rn(value)
#endif

#endif
