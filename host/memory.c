/* memory.c - the allocator that a caller chose, and an arena on top of it. */
#include "memory.h"

#include <stdlib.h>
#include <string.h>

#if defined(__SANITIZE_ADDRESS__)
#define HAVE_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HAVE_ASAN 1
#endif
#endif
#ifdef HAVE_ASAN
#include <sanitizer/asan_interface.h>
#define POISON(pointer, size)   __asan_poison_memory_region(pointer, size)
#define UNPOISON(pointer, size) __asan_unpoison_memory_region(pointer, size)
#define RED_ZONE                16 /* bytes after every allocation that nobody may touch */
#else
#define POISON(pointer, size)   ((void)(pointer), (void)(size))
#define UNPOISON(pointer, size) ((void)(pointer), (void)(size))
#define RED_ZONE                0
#endif

enum {
    ALIGNMENT = 16,
    FIRST_BLOCK = 16 << 10,
    LARGEST_BLOCK = 1 << 20 /* blocks double up to here; a larger request gets a block of its own */
};

struct arena_block {
    arena_block *previous;
    size_t size; /* of the whole block, as it was asked for */
};

static void *default_reallocate(void *context, void *pointer, size_t old_size, size_t size) {
    (void)context, (void)old_size;
    if (size == 0) {
        free(pointer);
        return NULL;
    }
    return realloc(pointer, size);
}

weir_allocator allocator_or_default(const weir_allocator *allocator) {
    if (allocator) return *allocator;
    return (weir_allocator){NULL, default_reallocate};
}

void *allocate(const weir_allocator *allocator, size_t size) {
    return size ? allocator->reallocate(allocator->context, NULL, 0, size) : NULL;
}

void *reallocate(const weir_allocator *allocator, void *pointer, size_t old_size, size_t size) {
    if (size == 0 && !pointer) return NULL;
    return allocator->reallocate(allocator->context, pointer, old_size, size);
}

void release(const weir_allocator *allocator, void *pointer, size_t size) {
    if (pointer) allocator->reallocate(allocator->context, pointer, size, 0);
}

void arena_init(arena *arena, const weir_allocator *allocator, size_t limit) {
    *arena = (struct arena){.allocator = allocator_or_default(allocator), .limit = limit};
}

static uint8_t *align_up(uint8_t *pointer) {
    return pointer + (-(uintptr_t)pointer & (ALIGNMENT - 1));
}

/* A block of at least `least` bytes inside the limit, not linked yet. */
static arena_block *new_block(arena *arena, size_t least, size_t wanted) {
    size_t left = arena->limit ? arena->limit - arena->total : SIZE_MAX;
    size_t size = wanted < least ? least : wanted;
    if (size > left) size = left;
    arena->over_limit = size < least;
    if (arena->over_limit) return NULL;
    arena_block *block = allocate(&arena->allocator, size);
    if (!block) return NULL;
    *block = (arena_block){NULL, size};
    arena->total += size;
    POISON(block + 1, size - sizeof *block);
    return block;
}

/* A block of its own, behind the current one, so that what is left there stays in use. */
static uint8_t *allocate_large(arena *arena, size_t least) {
    arena_block *block = new_block(arena, least, least);
    if (!block) return NULL;
    block->previous = arena->blocks->previous;
    arena->blocks->previous = block;
    return align_up((uint8_t *)(block + 1));
}

static bool next_block(arena *arena, size_t least) {
    size_t wanted = arena->blocks ? 2 * arena->blocks->size : FIRST_BLOCK;
    arena_block *block = new_block(arena, least, wanted < LARGEST_BLOCK ? wanted : LARGEST_BLOCK);
    if (!block) return false;
    block->previous = arena->blocks;
    arena->blocks = block;
    arena->next = align_up((uint8_t *)(block + 1));
    arena->end = (uint8_t *)block + block->size;
    return true;
}

void *arena_allocate(arena *arena, size_t size) {
    if (size > SIZE_MAX / 4) {
        arena->over_limit = arena->limit != 0;
        return NULL;
    }
    size_t rounded = ((size ? size : 1) + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT + RED_ZONE;
    size_t least = sizeof(arena_block) + ALIGNMENT + rounded; /* the caller's allocator may align less */
    uint8_t *pointer = NULL;
    bool fits = (size_t)(arena->end - arena->next) >= rounded;
    if (!fits && arena->blocks && least >= LARGEST_BLOCK / 4) {
        pointer = allocate_large(arena, least);
    } else if (fits || next_block(arena, least)) {
        pointer = arena->next;
        arena->next += rounded;
    }
    if (pointer) UNPOISON(pointer, size);
    return pointer;
}

void *arena_allocate_zero(arena *arena, size_t size) {
    void *pointer = arena_allocate(arena, size);
    if (pointer) memset(pointer, 0, size);
    return pointer;
}

void arena_free(arena *arena) {
    for (arena_block *block = arena->blocks; block;) {
        arena_block *previous = block->previous;
        size_t size = block->size;
        UNPOISON(block, size);
        release(&arena->allocator, block, size);
        block = previous;
    }
    *arena = (struct arena){.allocator = arena->allocator, .limit = arena->limit};
}
