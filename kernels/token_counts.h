/* token_counts.h - how often a sequence has seen a token, in its prompt and in its output, for penalties.
 *
 * A list in the order of first sight, and a hash index into it; both of fixed size. What was counted last is undone
 * first, so an entry that falls to nothing is the last of the list, and undoing leaves no trace. */
#ifndef WEIR_KERNELS_TOKEN_COUNTS_H
#define WEIR_KERNELS_TOKEN_COUNTS_H

#include <stdbool.h>
#include <stdint.h>

#include "inline.h"

typedef struct token_count {
    uint32_t token, prompt, output;
} token_count;

typedef struct token_counts {
    token_count *entries; /* [capacity] */
    uint32_t *index;      /* [index_size] place in entries + 1; 0: free. Open addressing, linear */
    uint32_t count, capacity;
    uint32_t index_size;  /* a power of two, at least twice the capacity */
} token_counts;

KERNEL_INLINE uint32_t token_counts_index_size(uint32_t capacity) {
    uint32_t size = 2;
    while (size < 2 * (uint64_t)capacity) size *= 2;
    return size;
}

/* Where the token's place in the list is written, or would be. */
KERNEL_INLINE uint32_t *token_counts_slot(const token_counts *counts, uint32_t token) {
    uint32_t at = token * 0x9E3779B1u; /* Knuth's multiplicative hash; the high bits are the good ones */
    at = (at ^ at >> 15) & (counts->index_size - 1);
    while (counts->index[at] != 0 && counts->entries[counts->index[at] - 1].token != token)
        at = (at + 1) & (counts->index_size - 1);
    return &counts->index[at];
}

/* False: the list is full and has no such token; nothing is counted. */
KERNEL_INLINE bool token_counts_add(token_counts *counts, uint32_t token, bool prompt) {
    uint32_t *slot = token_counts_slot(counts, token);
    if (*slot == 0) {
        if (counts->count == counts->capacity) return false;
        counts->entries[counts->count].token = token;
        counts->entries[counts->count].prompt = counts->entries[counts->count].output = 0;
        *slot = ++counts->count;
    }
    token_count *entry = &counts->entries[*slot - 1];
    *(prompt ? &entry->prompt : &entry->output) += 1;
    return true;
}

/* Takes back the newest output token. One that was not counted, because the list was full, is not found. */
KERNEL_INLINE void token_counts_undo(token_counts *counts, uint32_t token) {
    uint32_t *slot = token_counts_slot(counts, token);
    if (*slot == 0) return;
    token_count *entry = &counts->entries[*slot - 1];
    entry->output--;
    if (entry->prompt == 0 && entry->output == 0) { /* the newest entry: no probe goes on behind it */
        *slot = 0;
        counts->count--;
    }
}

#endif
