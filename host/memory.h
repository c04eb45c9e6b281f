/* memory.h - the allocator a caller chose, and an arena on top of it.
 *
 * Everything that lives as long as one call (a parse, a compile) comes from an arena and goes with it. */
#ifndef WEIR_HOST_MEMORY_H
#define WEIR_HOST_MEMORY_H

#include "weir.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The caller's allocator, or malloc/realloc/free where it is NULL. */
weir_allocator allocator_or_default(const weir_allocator *allocator);
/* NULL on failure; size 0 gives NULL. */
void *allocate(const weir_allocator *allocator, size_t size);
/* The old block stays valid on failure. */
void *reallocate(const weir_allocator *allocator, void *pointer, size_t old_size, size_t size);
void release(const weir_allocator *allocator, void *pointer, size_t size);

typedef struct arena_block arena_block;

/* Bump allocation; freed all at once. `limit` bounds the sum of its blocks (0: none). */
typedef struct arena {
    weir_allocator allocator;
    arena_block *blocks;
    uint8_t *next, *end;
    size_t total, limit;
    bool over_limit; /* the last failure was the limit, not the allocator */
} arena;

void arena_init(arena *arena, const weir_allocator *allocator, size_t limit);
/* 16-byte aligned, not cleared; NULL on failure. */
void *arena_allocate(arena *arena, size_t size);
/* The same, cleared. */
void *arena_allocate_zero(arena *arena, size_t size);
void arena_free(arena *arena);

#ifdef __cplusplus
}
#endif

#endif
