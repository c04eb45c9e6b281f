/* device_pool.h - places for blobs in a piece of device memory that the caller owns. Nothing but arithmetic: it touches no
 * device. Where holes are too small, blobs are moved together, so that free bytes are never lost. */
#ifndef WEIR_KERNELS_DEVICE_POOL_H
#define WEIR_KERNELS_DEVICE_POOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { POOL_ALIGNMENT = 256 };

typedef struct pool_blob {
    uint64_t offset, bytes; /* multiples of POOL_ALIGNMENT */
    uint32_t owner;
} pool_blob;

typedef struct device_pool {
    uint64_t bytes, used;
    pool_blob *blobs; /* [capacity] ascending by offset */
    uint32_t count, capacity;
} device_pool;

/* What a blob of `bytes` bytes takes. */
static inline uint64_t pool_rounded(uint64_t bytes) {
    return (bytes + POOL_ALIGNMENT - 1) / POOL_ALIGNMENT * POOL_ALIGNMENT;
}
/* A place for a blob of `bytes` bytes; false: there is none, though pool->bytes - pool->used may be enough. The owner, a
 * number of the caller's, has no other blob. */
bool pool_take(device_pool *pool, uint64_t bytes, uint32_t owner, uint64_t *offset);
void pool_give_back(device_pool *pool, uint32_t owner);
/* Moves blobs down until all that is free is one piece at the end: calls move for each that moves, in an order in which
 * each may be copied to where it belongs, front first. */
void pool_compact(device_pool *pool, void (*move)(void *context, const pool_blob *blob, uint64_t to), void *context);

#ifdef __cplusplus
}
#endif

#endif
