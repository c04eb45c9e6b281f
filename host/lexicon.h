/* lexicon.h - what every token of a vocabulary does inside a JSON string, for each lexical state: the base rows.
 *
 * A token either stays inside the string, begins so many code points and ends in some lexical state; or it meets the
 * closing quote, and what follows the quote (its suffix) is decided by the state after the string; or it is impossible. */
#ifndef WEIR_HOST_LEXICON_H
#define WEIR_HOST_LEXICON_H

#include "automaton.h"
#include "masks.h"

/* Bitmaps are kept for up to 0..LEXICON_LEVELS - 1 code points, and one for any number. */
#define LEXICON_LEVELS 16

typedef struct quote_token {
    uint32_t token;
    uint32_t points; /* code points before the quote */
    uint32_t suffix; /* id */
} quote_token;

typedef struct lexical_row {
    uint32_t *inner;         /* packed entries (tables.h), ascending by code points, then token */
    uint32_t inner_count;
    uint32_t *bitmaps;       /* [LEXICON_LEVELS + 1][mask_words]; level i: tokens with at most i code points */
    uint32_t longest;        /* most code points of an inner token */
    quote_token *quotes;     /* ascending by code points, then token */
    uint32_t quote_count;
} lexical_row;

struct lexicon {
    lexical_row rows[LEX_COUNT];
    trie suffixes;           /* of what stands behind a first quote; values are suffix ids; id 0 is the empty one */
    uint32_t suffix_count;
    uint32_t *backslash;     /* tokens that contain a backslash, ascending */
    uint32_t backslash_count;
    uint32_t root_child[256]; /* of the vocabulary's trie, by byte, or VOCAB_NONE */
    uint32_t mask_words;
};

#endif
