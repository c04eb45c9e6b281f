/* cpu_rows.h - the loops of the CPU backend that touch every entry of a row. */
#ifndef WEIR_KERNELS_CPU_ROWS_H
#define WEIR_KERNELS_CPU_ROWS_H

#include "logit.h"
#include "weir.h"

enum { DTYPE_COUNT = 3, CHUNK = 32 /* entries whose largest key is kept, to skip those that cannot matter; one word of a mask */ };

typedef struct row_code {
    /* Keys of `count` columns, KEY_NONE where the mask has no bit (words NULL: it has all), and the largest of each
     * CHUNK. Returns the number of keys that are not KEY_NONE. One for each weir_dtype. */
    uint32_t (*keys[DTYPE_COUNT])(const void *logits, const uint32_t *words, uint32_t count, uint32_t *keys,
                                  uint32_t *largest);
    void (*masses)(const uint32_t *keys, uint32_t count, mass_scale scale, uint32_t *masses);
    uint64_t (*sum)(const uint32_t *masses, uint32_t count);
    /* Of those whose key is at least `key`. */
    uint64_t (*sum_from)(const uint32_t *keys, const uint32_t *masses, uint32_t count, uint32_t key);
    /* Appends the keys from `low` up to, but not, `high`, and their masses. Returns how many. */
    uint32_t (*gather)(const uint32_t *keys, const uint32_t *masses, uint32_t count, uint32_t low, uint32_t high,
                       uint32_t *found_keys, uint32_t *found_masses);
    /* Masses of keys below `key` become 0. Returns how many keys equal it. */
    uint32_t (*drop_lower)(const uint32_t *keys, uint32_t count, uint32_t key, uint32_t *masses);
    /* Masses below `least` become 0. */
    void (*drop_light)(uint32_t least, uint32_t count, uint32_t *masses);
} row_code;

/* One logit of a row. */
static inline float logit_at(const void *logits, weir_dtype dtype, size_t column) {
    switch (dtype) {
    case WEIR_DTYPE_F16: return float_of_f16(((const uint16_t *)logits)[column]);
    case WEIR_DTYPE_BF16: return float_of_bf16(((const uint16_t *)logits)[column]);
    default: return ((const float *)logits)[column];
    }
}

extern const row_code row_code_portable;
/* The fastest that this machine can run. All give the same bits. */
const row_code *row_code_best(void);

#endif
