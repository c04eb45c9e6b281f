/* device_pool.c - first fit, and moving together. */
#include "device_pool.h"

#include <string.h>

bool pool_take(device_pool *pool, uint64_t bytes, uint32_t owner, uint64_t *offset) {
    if (bytes > pool->bytes || pool->count == pool->capacity) return false;
    bytes = pool_rounded(bytes);
    uint64_t at = 0;
    uint32_t place = 0;
    while (place < pool->count && pool->blobs[place].offset - at < bytes) {
        at = pool->blobs[place].offset + pool->blobs[place].bytes;
        place++;
    }
    if (place == pool->count && pool->bytes - at < bytes) return false;
    memmove(pool->blobs + place + 1, pool->blobs + place, (pool->count - place) * sizeof *pool->blobs);
    pool->blobs[place] = (pool_blob){at, bytes, owner};
    pool->count++;
    pool->used += bytes;
    *offset = at;
    return true;
}

void pool_give_back(device_pool *pool, uint32_t owner) {
    for (uint32_t i = 0; i < pool->count; i++) {
        if (pool->blobs[i].owner != owner) continue;
        pool->used -= pool->blobs[i].bytes;
        memmove(pool->blobs + i, pool->blobs + i + 1, (pool->count - i - 1) * sizeof *pool->blobs);
        pool->count--;
        return;
    }
}

void pool_compact(device_pool *pool, void (*move)(void *context, const pool_blob *blob, uint64_t to), void *context) {
    uint64_t at = 0;
    for (uint32_t i = 0; i < pool->count; i++) {
        if (pool->blobs[i].offset != at) {
            move(context, &pool->blobs[i], at);
            pool->blobs[i].offset = at;
        }
        at += pool->blobs[i].bytes;
    }
}
