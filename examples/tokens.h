/* tokens.h - which token writes these bytes: an index over a vocabulary, and ways to cut a text into tokens.
 *
 * In: a weir_vocab. Out: token ids. Only text tokens that a row of logits can hold are found; of several ids with the
 * same bytes, the lowest. */
#ifndef WEIR_EXAMPLES_TOKENS_H
#define WEIR_EXAMPLES_TOKENS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "weir.h"

#define TOKEN_NONE UINT32_MAX
#define TOKEN_HASH_SEED 1469598103934665603ull /* FNV-1a, 64 bits */

typedef struct token_index {
    const weir_vocab *vocab;
    uint32_t *slots;         /* open addressing, TOKEN_NONE is free */
    uint32_t slot_mask;
    uint8_t longest[65536];  /* longest token, by its first two bytes (little endian); cut at 255 */
    uint32_t single[256];    /* the token that is exactly this byte */
    uint32_t *same;          /* [token count] another token with the same bytes, or TOKEN_NONE */
} token_index;

static inline uint64_t token_hash_byte(uint64_t hash, uint8_t byte)
{
    return (hash ^ byte) * 1099511628211ull;
}

static inline uint32_t token_hash_slot(const token_index *index, uint64_t hash)
{
    return (uint32_t)((hash ^ (hash >> 29)) * 0x9e3779b97f4a7c15ull >> 32) & index->slot_mask;
}

/* The token with exactly these bytes, `hash` being theirs; TOKEN_NONE if there is none. */
static inline uint32_t token_find_hashed(const token_index *index, const uint8_t *bytes, uint32_t length, uint64_t hash)
{
    for (uint32_t slot = token_hash_slot(index, hash);; slot = (slot + 1) & index->slot_mask) {
        uint32_t token = index->slots[slot], found;
        if (token == TOKEN_NONE) return TOKEN_NONE;
        const uint8_t *text = weir_vocab_token(index->vocab, token, &found);
        if (found == length && memcmp(text, bytes, length) == 0) return token;
    }
}

static inline uint32_t token_find(const token_index *index, const void *bytes, uint32_t length)
{
    uint64_t hash = TOKEN_HASH_SEED;
    for (uint32_t i = 0; i < length; i++) hash = token_hash_byte(hash, ((const uint8_t *)bytes)[i]);
    return token_find_hashed(index, bytes, length, hash);
}

/* False when memory is short. Free with token_index_free. */
static inline bool token_index_create(const weir_vocab *vocab, token_index *index)
{
    uint32_t count = weir_vocab_token_count(vocab), width = weir_vocab_logits_width(vocab), capacity = 1024;
    while (capacity < 2 * count) capacity *= 2;
    memset(index, 0, sizeof *index);
    memset(index->single, 0xff, sizeof index->single);
    index->vocab = vocab;
    index->slot_mask = capacity - 1;
    index->slots = malloc(capacity * sizeof *index->slots);
    index->same = malloc((count ? count : 1) * sizeof *index->same);
    if (index->slots == NULL || index->same == NULL) return false;
    memset(index->slots, 0xff, capacity * sizeof *index->slots);
    memset(index->same, 0xff, count * sizeof *index->same);
    for (uint32_t token = 0; token < count && token < width; token++) {
        uint32_t length;
        const uint8_t *bytes = weir_vocab_token(vocab, token, &length);
        if (length == 0 || weir_vocab_is_special(vocab, token)) continue;
        if (length == 1 && index->single[bytes[0]] == TOKEN_NONE) index->single[bytes[0]] = token;
        if (length > 1) {
            uint8_t *longest = &index->longest[bytes[0] | bytes[1] << 8];
            if (*longest < length) *longest = (uint8_t)(length < 255 ? length : 255);
        }
        uint32_t first = token_find(index, bytes, length);
        if (first != TOKEN_NONE) {
            index->same[token] = index->same[first];
            index->same[first] = token;
            continue;
        }
        uint64_t hash = TOKEN_HASH_SEED;
        for (uint32_t i = 0; i < length; i++) hash = token_hash_byte(hash, bytes[i]);
        uint32_t slot = token_hash_slot(index, hash);
        while (index->slots[slot] != TOKEN_NONE) slot = (slot + 1) & index->slot_mask;
        index->slots[slot] = token;
    }
    return true;
}

static inline void token_index_free(token_index *index)
{
    free(index->slots);
    free(index->same);
    index->slots = index->same = NULL;
}

/* Every token that begins the text, shortest first: at most `capacity` ids into `tokens`; returns their number. */
static inline uint32_t token_matches(const token_index *index, const uint8_t *text, size_t length, uint32_t *tokens,
                                     uint32_t capacity)
{
    uint32_t count = 0, longest = 1;
    if (length == 0 || capacity == 0) return 0;
    if (length > 1) longest = index->longest[text[0] | text[1] << 8];
    if (longest > length) longest = (uint32_t)length;
    if (index->single[text[0]] != TOKEN_NONE) tokens[count++] = index->single[text[0]];
    uint64_t hash = token_hash_byte(TOKEN_HASH_SEED, text[0]);
    for (uint32_t i = 2; i <= longest && count < capacity; i++) {
        hash = token_hash_byte(hash, text[i - 1]);
        uint32_t token = token_find_hashed(index, text, i, hash);
        if (token != TOKEN_NONE) tokens[count++] = token;
    }
    return count;
}

typedef enum token_cut { TOKEN_CUT_GREEDY, TOKEN_CUT_BYTES, TOKEN_CUT_RANDOM } token_cut;

/* The token that the text is cut at next: the longest, the shortest, or any. `random` is the state of the last. */
static inline uint32_t token_next(const token_index *index, token_cut cut, uint64_t *random, const uint8_t *text,
                                  size_t length)
{
    uint32_t tokens[256], count = token_matches(index, text, length, tokens, 256);
    if (count == 0) return TOKEN_NONE;
    if (cut == TOKEN_CUT_BYTES) return tokens[0];
    if (cut == TOKEN_CUT_GREEDY) return tokens[count - 1];
    uint64_t mixed = (*random += 0x9e3779b97f4a7c15ull); /* splitmix64 */
    mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9ull;
    mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111ebull;
    return tokens[(mixed ^ (mixed >> 31)) % count];
}

#endif
