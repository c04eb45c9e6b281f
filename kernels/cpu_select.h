/* cpu_select.h - a row as a set of entries, and what the filters keep of it.
 *
 * Entries stand in ascending order of token id, each with an ordered key (its logit; larger is likelier) and a mass
 * (fixed_math.h). The sorted order of a row is by key, descending, then by id; each filter keeps a prefix of it. */
#ifndef WEIR_KERNELS_CPU_SELECT_H
#define WEIR_KERNELS_CPU_SELECT_H

#include "cpu_rows.h"

enum {
    DIGIT_BITS = 11, /* of a selection: 2,048 sums of 8 bytes stay in the first-level cache */
};

typedef struct entry_set {
    const row_code *code;
    uint32_t *keys;    /* [count] KEY_NONE: not allowed */
    uint32_t *masses;  /* [count] once weighed */
    uint32_t *ids;     /* [count] where `listed`, else the position is the id */
    uint32_t *largest; /* [chunks] largest key of CHUNK entries, where `chunked` */
    uint64_t *sums;    /* [2^DIGIT_BITS] scratch */
    uint32_t *spare;   /* [2 count] scratch */
    uint32_t count;
    uint32_t allowed; /* entries with a key */
    uint32_t top;     /* the largest key */
    float temperature;
    bool listed, chunked, weighed;
} entry_set;

/* Every column, allowed or not; `words` NULL: all are. */
void entries_fill_row(const void *logits, weir_dtype dtype, const uint32_t *words, uint32_t width, entry_set *set);
/* The allowed columns only: for few of them. */
void entries_fill_list(const void *logits, weir_dtype dtype, const uint32_t *words, uint32_t word_count, entry_set *set);

/* Where the entry of a token stands; UINT32_MAX: it has none. */
uint32_t entries_find(const entry_set *set, uint32_t token);
/* Gives one entry another key, not KEY_NONE. After the last, entries_patched. */
void entries_patch(entry_set *set, uint32_t position, uint32_t key);
void entries_patched(entry_set *set);

/* Masses at a temperature above 0. */
void entries_weigh(float temperature, entry_set *set);
uint64_t entries_mass(const entry_set *set);

void entries_keep_top_k(uint32_t k, entry_set *set);
/* The shortest prefix with a mass of at least `goal`, of `total` in all; every entry with mass where even that is less.
 * The others go, or lose their mass. */
void entries_keep_mass(uint64_t goal, uint64_t total, entry_set *set);
/* Entries with less than p of the largest mass lose theirs. */
void entries_drop_below(float p, entry_set *set);
/* Entries without mass are no longer counted by top-k. */
void entries_forget_massless(entry_set *set);

uint32_t entries_position_of_key(const entry_set *set, uint32_t key);
/* The first entry at which the sum of the masses exceeds the target; the target is below the sum of all. */
uint32_t entries_position_of_mass(const entry_set *set, uint64_t target);
static inline uint32_t entries_token(const entry_set *set, uint32_t position) {
    return set->listed ? set->ids[position] : position;
}

/* Keeps the first `count` of the sorted order, of those with mass where the set is weighed, and sorts them. For small
 * counts. */
void entries_sort_top(uint32_t count, entry_set *set);

#endif
