/* sampler_helpers.h - what the tests of the sampler share: samplers, rows of many shapes, a small constraint. */
#ifndef WEIR_TESTS_SAMPLER_HELPERS_H
#define WEIR_TESTS_SAMPLER_HELPERS_H

#include "harness.h"
#include "kernels/backend.h"

#ifdef __cplusplus
extern "C" {
#endif

/* --- random numbers: splitmix64, for rows; never those of the library --------------------------------------- */

extern uint64_t random_state;
uint64_t random_bits(void);
uint32_t random_below(uint32_t limit);
double random_unit(void); /* (0, 1) */
double random_normal(void);

/* --- samplers ---------------------------------------------------------------------------------------------- */

#define SAMPLING(temperature, top_p, min_p, top_k) ((weir_sampling){temperature, top_p, min_p, top_k, 1, 0, 0, 0})

weir_sampler *make_sampler(const backend *backend, uint32_t slot_count, uint32_t width);
void bind_seed(weir_sampler *sampler, uint32_t slot, uint64_t seed);
void bind_slot(weir_sampler *sampler, uint32_t slot, weir_slot_options options);
/* The defaults, with one stop token. Holds until the next call. */
weir_slot_options stopping_at(uint32_t token);

/* The i-th choice of a device's dispatch, for samplers made from now on; behind the last, as it was before, and false. The
 * CPU has no choice. */
bool next_choice(uint32_t i);

/* What a sampler was made with. */
uint32_t sampler_width(const weir_sampler *sampler);
bool sampler_on_device(const weir_sampler *sampler);

/* A step over f32 logits. */
weir_step make_step(size_t row_count, const int32_t *slots, const float *logits, size_t stride,
                    const weir_sampling *sampling, int32_t *tokens, float *logprobs, uint32_t *statuses);

typedef struct result {
    int32_t token;
    float logprob;
    uint32_t status;
} result;

/* One row, slot 0. */
result step_one(weir_sampler *sampler, const float *logits, size_t width, const weir_sampling *sampling);
/* One row of a new sequence without a constraint. */
result sample(const float *logits, uint32_t width, weir_sampling sampling, uint64_t seed);
/* How often each token is drawn in `draws` steps of one sequence. */
void count_draws(const float *logits, uint32_t width, weir_sampling sampling, uint64_t seed, int draws,
                 uint32_t *counts);
uint32_t advance_one(weir_sampler *sampler, int32_t slot, int32_t token);
weir_status rollback_one(weir_sampler *sampler, int32_t slot, uint32_t count, weir_error *error);

/* Equal to the bit. */
void expect_equal(result found, result expected);
/* The mask of slot 0 is exactly these ids. */
void expect_mask(weir_sampler *sampler, uint32_t width, const uint32_t *ids, uint32_t count);

/* Rows of many shapes: smooth, coarse (full of ties), two-valued, peaked, wide, and with odd values strewn in. */
void fill_random(float *logits, uint32_t width);
/* Temperature, top-p, min-p and top-k from off to extreme. */
weir_sampling random_sampling(uint32_t width);

/* --- a constraint: true or false --------------------------------------------------------------------------- */

/* Ids 0 to 255 are the single bytes; then whole pieces, and two special tokens of which one stops. */
enum { TRUE = 256, TR, UE, FAL, SE, STOP, OTHER, TOKEN_COUNT, CONSTRAINT_WIDTH = 300 };

typedef struct constraint {
    weir_vocab *vocab;
    weir_grammar *grammar;
} constraint;

constraint make_constraint(const char *schema);
void free_constraint(constraint constraint);

#ifdef __cplusplus
}
#endif

#endif
