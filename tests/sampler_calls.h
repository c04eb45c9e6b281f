/* sampler_calls.h - the batch calls with all their arrays on the host: the one place that hands arrays to a sampler.
 *
 * Results are written between words that must not change, and arrays that go in are copied to blocks of their exact
 * size first, so that a sanitizer sees a read beyond them. */
#ifndef WEIR_TESTS_SAMPLER_CALLS_H
#define WEIR_TESTS_SAMPLER_CALLS_H

#include "sampler_helpers.h"

enum { CALL_TOP = 4 };

/* All that a step says of a position. */
typedef struct outcome {
    result result;
    int32_t top_tokens[CALL_TOP];
    float top_logprobs[CALL_TOP];
    float allowed_mass;
} outcome;

/* Of a position that draws nothing. */
outcome outcome_without_token(uint32_t status);
/* Equal to the bit. */
void expect_outcomes(const outcome *found, const outcome *expected, size_t count);

/* The backend under test. */
const backend *tested_backend(void);
/* A sampler on it, with counts of so many tokens. */
weir_sampler *call_sampler(uint32_t slot_count, uint32_t width, uint32_t counted_tokens);

/* A step with every result asked for; its own out arrays and top_count are not read. outcomes: [row_count, draft_count
 * + 1]. The sampling rows lie sizeof(weir_sampling) apart. */
weir_status call_step(weir_sampler *sampler, const weir_step *step, outcome *outcomes, weir_error *error);
/* The same without reports: top tokens and the allowed mass are left as they were. */
weir_status call_bare_step(weir_sampler *sampler, const weir_step *step, outcome *outcomes, weir_error *error);
weir_status call_masks(weir_sampler *sampler, const int32_t *slots, size_t row_count, uint32_t *masks, size_t stride,
                       weir_error *error);
weir_status call_mask_logits(weir_sampler *sampler, const int32_t *slots, size_t row_count, void *logits,
                             size_t logits_stride, weir_dtype dtype, weir_error *error);
weir_status call_advance(weir_sampler *sampler, const int32_t *slots, const int32_t *tokens, size_t row_count,
                         uint32_t *statuses, weir_error *error);
weir_status call_rollback(weir_sampler *sampler, const int32_t *slots, const uint32_t *counts, size_t row_count,
                          uint32_t *statuses, weir_error *error);
/* The struct's out arrays are those of the caller; NULL stays NULL. */
weir_status call_catch_up(weir_sampler *sampler, const weir_catch_up *catch_up, weir_error *error);
weir_status call_draft_masks(weir_sampler *sampler, const weir_draft_masks *draft_masks, weir_error *error);

/* --- random batches ---------------------------------------------------------------------------------------- */

enum { CONSTRAINT_COUNT = 4 };

/* An array of booleans, true or false, a string, an object with numbers. */
void make_constraints(constraint constraints[CONSTRAINT_COUNT]);
void free_constraints(constraint constraints[CONSTRAINT_COUNT]);
/* Any of them or none, with a budget or none, bans, stops, biases, counts and a prompt. Holds until the next call. */
weir_slot_options random_slot(const constraint constraints[CONSTRAINT_COUNT]);
/* Settings with penalties, for a slot that counts. */
weir_sampling random_settings(uint32_t width);
/* `count` logits of a type, also NaN and infinities. */
void fill_typed(void *logits, weir_dtype dtype, size_t count);

/* Masks of slots 0 to slot_count - 1 of both are the same. */
void expect_same_masks(weir_sampler *a, weir_sampler *b, uint32_t slot_count, uint32_t width);

#endif
