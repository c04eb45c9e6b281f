/* inline.h - how a function is declared that every backend shares, on host and device. */
#ifndef WEIR_KERNELS_INLINE_H
#define WEIR_KERNELS_INLINE_H

#ifdef __CUDACC__
#define KERNEL_INLINE static __host__ __device__ __forceinline__
#else
#define KERNEL_INLINE static inline
#endif

#endif
