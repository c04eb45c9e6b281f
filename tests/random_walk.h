/* random_walk.h - schemas of tests/data/schemas.jsonl compiled for the embedded vocabulary, and random walks along
 * them.
 *
 * For tests: what fails here fails the running test. */
#ifndef WEIR_TESTS_RANDOM_WALK_H
#define WEIR_TESTS_RANDOM_WALK_H

#include "harness.h"

enum { MASK_WORDS = 1024, WALK_MAX = 600 };

typedef struct fixture {
    weir_vocab *vocab;
    uint32_t token_count, words, stop;
    uint32_t byte_token[256];
    char *schemas;      /* the file; lines end with NUL */
    char *next;         /* where walk_next_schema goes on */
    const char *schema; /* the present one, NUL-terminated */
    uint32_t line;      /* its number in the file, from 1 */
    weir_grammar *grammar;
    uint64_t random; /* never 0 */
} fixture;

void walk_open(fixture *f);
void walk_close(fixture *f);
/* Compiles the next schema into f->grammar; false after the last, and once the test has failed. */
bool walk_next_schema(fixture *f);
/* A matcher at the start of f->grammar; budget 0: none. Free with weir_matcher_destroy. */
weir_matcher *walk_start(const fixture *f, uint32_t budget);
/* Uniform in [0, below). */
uint32_t walk_draw(fixture *f, uint32_t below);
/* Takes random tokens until the text is stopped or `longest` were taken; notes them. Returns their number. */
uint32_t walk_random(fixture *f, weir_matcher *matcher, uint32_t longest, uint32_t *tokens);

static inline bool walk_bit(const uint32_t *mask, uint32_t token) {
    return mask[token / 32] >> token % 32 & 1;
}
void walk_fill(const fixture *f, weir_matcher *matcher, uint32_t *mask);
bool walk_is_empty(const fixture *f, const uint32_t *mask);
void walk_expect_mask(const fixture *f, weir_matcher *matcher, const uint32_t *expected);
/* Takes the tokens; the masks after 0, 1, ... `count` of them, [count + 1, f->words]. Free with free(). */
uint32_t *walk_masks(const fixture *f, weir_matcher *matcher, const uint32_t *tokens, uint32_t count);

#endif
