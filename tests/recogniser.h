/* recogniser.h - which texts can still become a document that a JSON Schema accepts? An oracle for the tests.
 *
 * It works on the schema itself and shares no code with the machine: a plain validator, and a tableau that decides
 * whether a value that is partly written can be completed. Slow, and written to be believed. In: a schema, the policies
 * of spelling, a prefix of a text. Out, for each continuation: dead, alive (a completion can be shown) or unknown.
 *
 *   schema text -> recogniser_schema.c, recogniser_keywords.c, recogniser_reference.c ($ref), recogniser_validator.c
 *   patterns    -> recogniser_pattern.c, recogniser_language.c (sets of strings), recogniser_name.c (names by pattern)
 *   prefix      -> recogniser_text.c (what is written so far), recogniser_verdict.c (what that leaves open)
 *   both        -> recogniser_solve.c (can it be completed?) and what it asks: recogniser_literal.c (what keywords say),
 *                  recogniser_tableau.c, recogniser_evaluated.c, recogniser_leaf.c, recogniser_array.c,
 *                  recogniser_constant.c, recogniser_number.c
 *   tokens      -> recogniser.c (every token of a vocabulary, shared prefixes walked once)
 *
 * One thread. Running out of memory ends the program: these are tests. */
#ifndef WEIR_TESTS_RECOGNISER_H
#define WEIR_TESTS_RECOGNISER_H

#include "../include/weir.h"

typedef struct recogniser recogniser;

typedef enum recogniser_verdict {
    RECOGNISER_DEAD,   /* no completion exists */
    RECOGNISER_ALIVE,  /* one exists */
    RECOGNISER_UNKNOWN /* the search ran out of work, or the policy does not say */
} recogniser_verdict;

typedef struct recogniser_options {
    weir_whitespace whitespace; /* not WEIR_WHITESPACE_PRETTY */
    weir_objects objects;
    uint32_t whitespace_run, depth_limit;
    uint32_t work_limit; /* search nodes of one question */
    uint32_t draft;      /* 4, 6, 7, 2019 or 2020; 0: what $schema says, else 2020 */
    weir_key_order order;
} recogniser_options;
#define RECOGNISER_OPTIONS_INIT                                                                                        \
    { WEIR_WHITESPACE_ANY, WEIR_OBJECTS_STANDARD, 64, 128, 20000, 0, WEIR_ORDER_SCHEMA }

/* Reads a schema. NULL, with a sentence in `why`, when it is not JSON, not a schema, or uses a keyword that this
 * recogniser does not know. Free with recogniser_destroy. */
recogniser *recogniser_create(const char *schema, size_t length, const recogniser_options *options, char *why,
                              size_t capacity);
void recogniser_destroy(recogniser *recogniser);

/* Does the schema accept this JSON text? The plain validator; no policy applies. False for text that is not JSON. */
bool recogniser_validate(recogniser *recogniser, const char *text, size_t length);

/* Back to the empty prefix. */
void recogniser_reset(recogniser *recogniser);
/* Appends to the prefix, whatever the verdict; a dead prefix stays dead. */
recogniser_verdict recogniser_append(recogniser *recogniser, const void *bytes, size_t length);
/* The verdict on prefix + bytes; the prefix stays. */
recogniser_verdict recogniser_try(recogniser *recogniser, const void *bytes, size_t length);
/* The text may end here. */
bool recogniser_is_complete(recogniser *recogniser);
const char *recogniser_prefix(const recogniser *recogniser, size_t *length);
/* A whole text that begins with prefix + bytes and that both the policies and the validator accept, NUL-terminated,
 * borrowed until the next call; NULL when none was found. The prefix stays. */
const char *recogniser_completion(recogniser *recogniser, const void *bytes, size_t length, size_t *completion_length);
/* The last completion was not found because the search ran out of work. */
bool recogniser_gave_up(const recogniser *recogniser);

/* Every token at once. The strings are sorted once; each one starts from what it shares with the one before. */
typedef struct recogniser_tokens recogniser_tokens;
/* bytes[i], lengths[i]: token i; length 0 leaves it out. Borrows the bytes. */
recogniser_tokens *recogniser_tokens_create(const uint8_t *const *bytes, const uint32_t *lengths, uint32_t count);
void recogniser_tokens_destroy(recogniser_tokens *tokens);
/* verdicts[i] for each token after the prefix; tokens left out are dead. */
void recogniser_judge(recogniser *recogniser, const recogniser_tokens *tokens, uint8_t *verdicts);

#endif
