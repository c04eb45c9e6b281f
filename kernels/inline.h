/* inline.h - how a function is declared that every backend shares. A device compiler defines it first, with its own words. */
#ifndef WEIR_KERNELS_INLINE_H
#define WEIR_KERNELS_INLINE_H

#ifndef KERNEL_INLINE
#define KERNEL_INLINE static inline
#endif

#endif
