/* sampler_reference.h - one row by the definitions: sort everything, cut prefixes, add up.
 *
 * Twice: in the library's fixed-point masses, to be equal to the bit, and in doubles, which share nothing with it. */
#ifndef WEIR_TESTS_SAMPLER_REFERENCE_H
#define WEIR_TESTS_SAMPLER_REFERENCE_H

#include "sampler_helpers.h"

typedef struct question {
    const float *logits;
    uint32_t width;
    weir_sampling sampling;
    const bool *legal; /* [width] NULL: all */
    const weir_logit_bias *bias;
    uint32_t bias_count;
    const uint32_t *prompt, *output; /* [width] how often each token was seen; NULL: never */
} question;

typedef struct entry {
    float logit; /* with bias and penalties */
    uint32_t id;
    uint32_t mass; /* 0: not kept */
    double weight; /* in doubles: share of the kept weight; 0: not kept */
    bool unsure;   /* so near a boundary that doubles and masses may differ about it */
} entry;

typedef struct reference {
    entry *entries; /* [count] the allowed ones, in the sorted order */
    uint32_t count;
    uint64_t kept;
    bool unsure; /* some entry is */
} reference;

/* Free with reference_free. */
reference make_reference(const question *question);
void reference_free(reference *reference);
/* What the draw at a position of a sequence gives. */
result reference_draw(const reference *reference, uint64_t seed, uint64_t position, weir_sampling sampling);
/* A question without masks, bias or counts. */
question plain_question(const float *logits, uint32_t width, weir_sampling sampling);

/* Draws with random numbers that are spread evenly, one in each step of 1 / draws: up to every id they are as many as its
 * probability in doubles says, within one. So a share that is off by 2 / draws is seen, which of plain draws takes about
 * as many squared. */
void expect_even_draws(const char *name, const float *logits, uint32_t width, weir_sampling sampling, uint32_t draws);

#endif
