/* cpu_rows.c - one definition of each loop over a row, compiled for every machine and for machines with vectors.
 *
 * Each walks CHUNK entries at a time, so that a compiler sees loops of a known length and makes vectors of them. */
#include "cpu_rows.h"

#include <string.h>

#define ALWAYS_INLINE static inline __attribute__((always_inline))

/* The keys of at most CHUNK columns under one word of a mask. Returns the largest; adds to *allowed. `dtype` is a
 * constant wherever this is inlined. */
ALWAYS_INLINE uint32_t chunk_keys(const void *restrict logits, weir_dtype dtype, size_t column, uint32_t word,
                                  uint32_t count, uint32_t *restrict keys, uint32_t *allowed) {
    uint32_t largest = KEY_NONE, number = 0;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t key = key_of(logit_at(logits, dtype, column + i)) & (0u - (word >> i & 1));
        keys[i] = key;
        largest = key > largest ? key : largest;
        number += key != KEY_NONE;
    }
    *allowed += number;
    return largest;
}

ALWAYS_INLINE uint32_t row_keys(const void *logits, weir_dtype dtype, const uint32_t *words, uint32_t count,
                                uint32_t *keys, uint32_t *largest) {
    uint32_t allowed = 0, i = 0;
    for (; count - i >= CHUNK; i += CHUNK) {
        uint32_t word = words ? words[i / CHUNK] : UINT32_MAX;
        if (word == 0) { /* nothing allowed: the logits are not read */
            memset(keys + i, 0, CHUNK * sizeof *keys);
            largest[i / CHUNK] = KEY_NONE;
        } else {
            largest[i / CHUNK] = chunk_keys(logits, dtype, i, word, CHUNK, keys + i, &allowed);
        }
    }
    if (i < count)
        largest[i / CHUNK] =
            chunk_keys(logits, dtype, i, words ? words[i / CHUNK] : UINT32_MAX, count - i, keys + i, &allowed);
    return allowed;
}

ALWAYS_INLINE void chunk_masses(const uint32_t *restrict keys, uint32_t count, mass_scale scale,
                                uint32_t *restrict masses) {
    for (uint32_t i = 0; i < count; i++) masses[i] = mass_by_distance(keys[i], scale);
}

ALWAYS_INLINE void row_masses(const uint32_t *keys, uint32_t count, mass_scale scale, uint32_t *masses) {
    uint32_t i = 0;
    if (scale.equal)
        for (; i < count; i++) masses[i] = mass_of(keys[i], scale);
    for (; count - i >= CHUNK; i += CHUNK) chunk_masses(keys + i, CHUNK, scale, masses + i);
    chunk_masses(keys + i, count - i, scale, masses + i);
}

/* The sum of the masses whose key is at least `key`; of all where keys is NULL. */
ALWAYS_INLINE uint64_t chunk_sum(const uint32_t *restrict keys, const uint32_t *restrict masses, uint32_t count,
                                 uint32_t key) {
    uint64_t sum = 0;
    for (uint32_t i = 0; i < count; i++) sum += keys ? masses[i] & (0u - (uint32_t)(keys[i] >= key)) : masses[i];
    return sum;
}

ALWAYS_INLINE uint64_t row_sum(const uint32_t *keys, const uint32_t *masses, uint32_t count, uint32_t key) {
    uint64_t sum = 0;
    uint32_t i = 0;
    for (; count - i >= CHUNK; i += CHUNK) sum += chunk_sum(keys ? keys + i : NULL, masses + i, CHUNK, key);
    return sum + chunk_sum(keys ? keys + i : NULL, masses + i, count - i, key);
}

ALWAYS_INLINE uint32_t chunk_count(const uint32_t *keys, uint32_t count, uint32_t low, uint32_t width) {
    uint32_t number = 0;
    for (uint32_t i = 0; i < count; i++) number += keys[i] - low < width;
    return number;
}

ALWAYS_INLINE uint32_t row_gather(const uint32_t *keys, const uint32_t *masses, uint32_t count, uint32_t low,
                                  uint32_t high, uint32_t *found_keys, uint32_t *found_masses) {
    uint32_t found = 0, width = high - low;
    for (uint32_t i = 0; i < count; i += CHUNK) {
        uint32_t end = count - i < CHUNK ? count : i + CHUNK;
        if (end - i == CHUNK && chunk_count(keys + i, CHUNK, low, width) == 0) continue;
        for (uint32_t k = i; k < end; k++) { /* written first, counted if it belongs: no branch to mispredict */
            found_keys[found] = keys[k];
            found_masses[found] = masses[k];
            found += keys[k] - low < width;
        }
    }
    return found;
}

ALWAYS_INLINE uint32_t chunk_drop_lower(const uint32_t *restrict keys, uint32_t count, uint32_t key,
                                        uint32_t *restrict masses) {
    uint32_t equal = 0;
    for (uint32_t i = 0; i < count; i++) {
        masses[i] &= 0u - (uint32_t)(keys[i] >= key);
        equal += keys[i] == key;
    }
    return equal;
}

ALWAYS_INLINE uint32_t row_drop_lower(const uint32_t *keys, uint32_t count, uint32_t key, uint32_t *masses) {
    uint32_t i = 0, equal = 0;
    for (; count - i >= CHUNK; i += CHUNK) equal += chunk_drop_lower(keys + i, CHUNK, key, masses + i);
    return equal + chunk_drop_lower(keys + i, count - i, key, masses + i);
}

ALWAYS_INLINE void chunk_drop_light(uint32_t least, uint32_t count, uint32_t *masses) {
    for (uint32_t i = 0; i < count; i++) masses[i] &= 0u - (uint32_t)(masses[i] >= least);
}

ALWAYS_INLINE void row_drop_light(uint32_t least, uint32_t count, uint32_t *masses) {
    uint32_t i = 0;
    for (; count - i >= CHUNK; i += CHUNK) chunk_drop_light(least, CHUNK, masses + i);
    chunk_drop_light(least, count - i, masses + i);
}

#define ROW_KEYS(name, attribute, dtype)                                                                               \
    attribute static uint32_t name(const void *logits, const uint32_t *words, uint32_t count, uint32_t *keys,          \
                                   uint32_t *largest) {                                                                \
        return row_keys(logits, dtype, words, count, keys, largest);                                                   \
    }

#define ROW_CODE(name, attribute)                                                                                      \
    ROW_KEYS(keys_f32_##name, attribute, WEIR_DTYPE_F32)                                                               \
    ROW_KEYS(keys_f16_##name, attribute, WEIR_DTYPE_F16)                                                               \
    ROW_KEYS(keys_bf16_##name, attribute, WEIR_DTYPE_BF16)                                                             \
    attribute static void masses_##name(const uint32_t *keys, uint32_t count, mass_scale scale, uint32_t *masses) {    \
        row_masses(keys, count, scale, masses);                                                                        \
    }                                                                                                                  \
    attribute static uint64_t sum_##name(const uint32_t *masses, uint32_t count) {                                     \
        return row_sum(NULL, masses, count, 0);                                                                        \
    }                                                                                                                  \
    attribute static uint64_t sum_from_##name(const uint32_t *keys, const uint32_t *masses, uint32_t count,            \
                                              uint32_t key) {                                                          \
        return row_sum(keys, masses, count, key);                                                                      \
    }                                                                                                                  \
    attribute static uint32_t gather_##name(const uint32_t *keys, const uint32_t *masses, uint32_t count,              \
                                            uint32_t low, uint32_t high, uint32_t *found_keys,                         \
                                            uint32_t *found_masses) {                                                  \
        return row_gather(keys, masses, count, low, high, found_keys, found_masses);                                   \
    }                                                                                                                  \
    attribute static uint32_t drop_lower_##name(const uint32_t *keys, uint32_t count, uint32_t key,                    \
                                                uint32_t *masses) {                                                    \
        return row_drop_lower(keys, count, key, masses);                                                               \
    }                                                                                                                  \
    attribute static void drop_light_##name(uint32_t least, uint32_t count, uint32_t *masses) {                        \
        row_drop_light(least, count, masses);                                                                          \
    }                                                                                                                  \
    const row_code row_code_##name = {{keys_f32_##name, keys_f16_##name, keys_bf16_##name},                            \
                                      masses_##name, sum_##name, sum_from_##name, gather_##name, drop_lower_##name,    \
                                      drop_light_##name};

ROW_CODE(portable, )

#if defined(__x86_64__) && defined(__GNUC__)
/* Vectors of 8 and the fused multiply-add instruction, where the machine has them: the same lines, the same bits. */
extern const row_code row_code_avx2;
ROW_CODE(avx2, __attribute__((target("avx2,fma"))))
const row_code *row_code_best(void) {
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") ? &row_code_avx2 : &row_code_portable;
}
#else
const row_code *row_code_best(void) {
    return &row_code_portable;
}
#endif
