/* philox.h - a counter and a key in, 128 random bits out; no state.
 *
 * Philox4x32-10 of Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3" (SC11); equal to
 * Random123, cuRAND and Triton. The key is the request's seed, the counter the position in the sequence, so neither
 * the place of a row in the batch nor the number of rows can change what is drawn. */
#ifndef WEIR_KERNELS_PHILOX_H
#define WEIR_KERNELS_PHILOX_H

#include <stdint.h>

#include "inline.h"

/* What a draw is for: the third word of the counter, so that draws of different kinds never share bits. */
enum { PHILOX_DRAW_TOKEN = 0 };

KERNEL_INLINE void philox4x32_10(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4]) {
    uint32_t c0 = counter[0], c1 = counter[1], c2 = counter[2], c3 = counter[3];
    uint32_t k0 = key[0], k1 = key[1];
    for (int round = 0; round < 10; round++) {
        uint64_t product0 = (uint64_t)0xD2511F53u * c0;
        uint64_t product1 = (uint64_t)0xCD9E8D57u * c2;
        c0 = (uint32_t)(product1 >> 32) ^ c1 ^ k0;
        c1 = (uint32_t)product1;
        c2 = (uint32_t)(product0 >> 32) ^ c3 ^ k1;
        c3 = (uint32_t)product0;
        k0 += 0x9E3779B9u; /* the golden ratio */
        k1 += 0xBB67AE85u; /* the square root of 3, less 1 */
    }
    out[0] = c0;
    out[1] = c1;
    out[2] = c2;
    out[3] = c3;
}

/* The 64 bits that pick the token at `position` of the sequence seeded with `seed`. */
KERNEL_INLINE uint64_t philox_token_bits(uint64_t seed, uint64_t position) {
    uint32_t counter[4] = {(uint32_t)position, (uint32_t)(position >> 32), PHILOX_DRAW_TOKEN, 0};
    uint32_t key[2] = {(uint32_t)seed, (uint32_t)(seed >> 32)};
    uint32_t out[4];
    philox4x32_10(counter, key, out);
    return (uint64_t)out[1] << 32 | out[0];
}

#endif
