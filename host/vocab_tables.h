/* vocab_tables.h - what a step needs of a vocabulary: one flat blob without pointers, the same on host and device. */
#ifndef WEIR_HOST_VOCAB_TABLES_H
#define WEIR_HOST_VOCAB_TABLES_H

#include <stddef.h>
#include <stdint.h>

#include "weir.h"

#ifdef __cplusplus
extern "C" {
#endif

#define VOCAB_LEVELS 16 /* of code points that have a bitmap of their own */
#define VOCAB_ROWS_MOST 32

/* What tokens do inside a string, from one lexical state (lexicon.h). */
typedef struct vocab_row {
    uint64_t bitmaps;  /* [VOCAB_LEVELS + 1][mask_words]; level i: at most i code points, the last: any number */
    uint64_t long_ones;/* [long_count] packed entries of VOCAB_LEVELS code points and more, ascending by them */
    uint32_t long_count;
    uint32_t longest;  /* most code points of a token */
} vocab_row;

/* Stands at the start of the blob; what is named by 64 bits is an offset from there, in bytes, a multiple of 8. */
typedef struct vocab_tables {
    uint64_t bytes; /* of the whole blob */
    uint32_t token_count, logits_width, mask_words, stop_count;
    uint32_t bracket_most; /* most of { } [ ] in one text token */
    uint64_t stop_ids; /* [stop_count] */
    uint64_t offsets;  /* [token_count + 1] into text; a token that is no text has no bytes */
    uint64_t text;
    vocab_row rows[VOCAB_ROWS_MOST];
} vocab_tables;

/* Bytes of the blob. */
size_t vocab_tables_bytes(const weir_vocab *vocab);
/* Writes it, at an address that is a multiple of 8. */
void vocab_tables_write(const weir_vocab *vocab, void *out);

#ifdef __cplusplus
}
#endif

#endif
