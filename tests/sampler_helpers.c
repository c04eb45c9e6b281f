/* sampler_helpers.c - samplers, rows and a constraint for the tests of the sampler. */
#include "sampler_helpers.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/fixed_math.h"
#include "kernels/sampler_check.h"

/* --- random numbers ---------------------------------------------------------------------------------------- */

uint64_t random_state;

uint64_t random_bits(void) {
    uint64_t z = (random_state += 0x9E3779B97F4A7C15u);
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return z ^ z >> 31;
}

uint32_t random_below(uint32_t limit) {
    return (uint32_t)((random_bits() >> 32) * limit >> 32);
}

double random_unit(void) {
    return ((double)(random_bits() >> 11) + 0.5) * 0x1p-53;
}

double random_normal(void) {
    return sqrt(-2 * log(random_unit())) * cos(6.283185307179586 * random_unit());
}

/* --- samplers ---------------------------------------------------------------------------------------------- */

bool next_choice(uint32_t i) {
    static const char *const choices[][2] = {{"0", "0"}, {"1", "1"}, {"1", "2"}, {"2", "1"},
                                             {"2", "2"}, {"1", "8"}, {"2", "4"}, {"0", "16"}};
    static const char *const names[2] = {"WEIR_DEVICE_VARIANT", "WEIR_DEVICE_CLUSTER"};
    static char own[2][16];
    bool on = i < sizeof choices / sizeof *choices;
    for (int k = 0; k < 2; k++) {
        const char *before = getenv(names[k]);
        if (i == 0) snprintf(own[k], sizeof own[k], "%s", before ? before : "0");
        setenv(names[k], on ? choices[i][k] : own[k], 1);
    }
    test_context(on ? "variant %s, cluster %s" : NULL, on ? choices[i][0] : "", on ? choices[i][1] : "");
    return on;
}

uint32_t sampler_width(const weir_sampler *sampler) {
    return sampler->logits_width;
}

bool sampler_on_device(const weir_sampler *sampler) {
    return sampler->backend->on_device;
}

weir_sampler *make_sampler(const backend *backend, uint32_t slot_count, uint32_t width) {
    weir_sampler_options options = WEIR_SAMPLER_OPTIONS_INIT;
    options.slot_count = slot_count;
    options.logits_width = width;
    weir_sampler *sampler;
    weir_error error;
    ASSERT_OK(sampler_create_on(backend, &options, &sampler, &error), &error);
    return sampler;
}

void bind_slot(weir_sampler *sampler, uint32_t slot, weir_slot_options options) {
    weir_error error;
    ASSERT_OK(weir_sampler_bind(sampler, slot, &options, &error), &error);
}

weir_slot_options stopping_at(uint32_t token) {
    static uint32_t stop_ids[1];
    weir_slot_options options = WEIR_SLOT_OPTIONS_INIT;
    stop_ids[0] = token;
    options.stop_ids = stop_ids;
    options.stop_count = 1;
    return options;
}

void bind_seed(weir_sampler *sampler, uint32_t slot, uint64_t seed) {
    weir_slot_options options = WEIR_SLOT_OPTIONS_INIT;
    options.seed = seed;
    bind_slot(sampler, slot, options);
}

weir_step make_step(size_t row_count, const int32_t *slots, const float *logits, size_t stride,
                    const weir_sampling *sampling, int32_t *tokens, float *logprobs, uint32_t *statuses) {
    weir_step step = WEIR_STEP_INIT;
    step.row_count = row_count;
    step.slots = slots;
    step.logits = logits;
    step.logits_stride = stride;
    step.sampling = sampling;
    step.tokens = tokens;
    step.logprobs = logprobs;
    step.statuses = statuses;
    return step;
}

result step_one(weir_sampler *sampler, const float *logits, size_t width, const weir_sampling *sampling) {
    int32_t slot = 0;
    result result = {-9, NAN, 99};
    weir_step step = make_step(1, &slot, logits, width, sampling, &result.token, &result.logprob, &result.status);
    weir_error error;
    ASSERT_OK(weir_sampler_step(sampler, &step, &error), &error);
    return result;
}

result sample(const float *logits, uint32_t width, weir_sampling sampling, uint64_t seed) {
    weir_sampler *sampler = make_sampler(&backend_cpu, 1, width);
    bind_seed(sampler, 0, seed);
    result result = step_one(sampler, logits, width, &sampling);
    weir_sampler_destroy(sampler);
    return result;
}

void count_draws(const float *logits, uint32_t width, weir_sampling sampling, uint64_t seed, int draws,
                 uint32_t *counts) {
    weir_sampler *sampler = make_sampler(&backend_cpu, 1, width);
    bind_seed(sampler, 0, seed);
    memset(counts, 0, width * sizeof *counts);
    for (int i = 0; i < draws; i++) {
        result result = step_one(sampler, logits, width, &sampling);
        ASSERT_EQ(result.status, WEIR_ROW_STATUS_OK);
        counts[result.token]++;
    }
    weir_sampler_destroy(sampler);
}

weir_status rollback_one(weir_sampler *sampler, int32_t slot, uint32_t count, weir_error *error) {
    return weir_sampler_rollback(sampler, &slot, &count, 1, NULL, error);
}

uint32_t advance_one(weir_sampler *sampler, int32_t slot, int32_t token) {
    uint32_t status = 99;
    ASSERT_OK(weir_sampler_advance(sampler, &slot, &token, 1, &status, NULL), NULL);
    return status;
}

void expect_equal(result found, result expected) {
    EXPECT_EQ(found.token, expected.token);
    EXPECT_EQ(bits_of(found.logprob), bits_of(expected.logprob));
    EXPECT_EQ(found.status, expected.status);
}

void expect_mask(weir_sampler *sampler, uint32_t width, const uint32_t *ids, uint32_t count) {
    enum { MOST = 64 };
    uint32_t words = (width + 31) / 32, mask[MOST], expected[MOST] = {0};
    const int32_t slot = 0;
    ASSERT_LE(words + 2, MOST);
    memset(mask, 0xAA, sizeof mask);
    for (uint32_t i = 0; i < count; i++) expected[ids[i] / 32] |= 1u << ids[i] % 32;
    ASSERT_OK(weir_sampler_masks(sampler, &slot, 1, mask, words + 2, NULL), NULL);
    EXPECT_BYTES_EQ(mask, (words + 2) * sizeof *mask, expected, (words + 2) * sizeof *mask);
}

/* --- rows -------------------------------------------------------------------------------------------------- */

void fill_random(float *logits, uint32_t width) {
    uint32_t kind = random_below(6), holes = random_below(4);
    for (uint32_t i = 0; i < width; i++) {
        double x = random_normal();
        logits[i] = (float)(kind == 0   ? x
                            : kind == 1 ? floor(x * 3) / 2
                            : kind == 2 ? (x > 1)
                            : kind == 3 ? (random_below(width) < 4 ? 12 + x : x)
                            : kind == 4 ? x * 1e4
                                        : x * 8);
        if (holes == 1 && random_below(8) == 0) logits[i] = NAN;
        if (holes == 2 && random_below(8)) logits[i] = -INFINITY;
        if (holes == 3 && random_below(2 * width) == 0) logits[i] = INFINITY;
        if (random_below(50) == 0) logits[i] = -0.0f;
    }
}

weir_sampling random_sampling(uint32_t width) {
    static const float temperatures[] = {0.0f, 0.2f, 0.7f, 1.0f, 1.7f, 50.0f, INFINITY};
    static const float top_ps[] = {1.0f, 1.0f, 0.999f, 0.9f, 0.5f, 0.25f, 1e-6f};
    static const float min_ps[] = {0.0f, 0.0f, 0.01f, 0.3f, 0.999f};
    return SAMPLING(temperatures[random_below(7)], top_ps[random_below(7)], min_ps[random_below(5)],
                    random_below(2) ? 0 : 1 + random_below(random_below(2) ? width + 2 : 1 + width / 16));
}

/* --- a constraint ------------------------------------------------------------------------------------------ */

constraint make_constraint(const char *schema) {
    static const char *const words[] = {"true", "tr", "ue", "fal", "se", "<stop>", "<other>"};
    static uint8_t bytes[256];
    weir_token tokens[TOKEN_COUNT];
    for (uint32_t i = 0; i < 256; i++) bytes[i] = (uint8_t)i, tokens[i] = (weir_token){&bytes[i], 1, 0};
    for (uint32_t i = TRUE; i < TOKEN_COUNT; i++)
        tokens[i] =
            (weir_token){words[i - TRUE], (uint32_t)strlen(words[i - TRUE]), i >= STOP ? WEIR_TOKEN_SPECIAL : 0};
    weir_vocab_options vocab_options = WEIR_VOCAB_OPTIONS_INIT;
    vocab_options.stop_ids = (const uint32_t[]){STOP};
    vocab_options.stop_count = 1;
    constraint made;
    weir_error error;
    ASSERT_OK(weir_vocab_create(tokens, TOKEN_COUNT, &vocab_options, &made.vocab, &error), &error);
    weir_grammar_options options = WEIR_GRAMMAR_OPTIONS_INIT;
    options.whitespace = WEIR_WHITESPACE_COMPACT;
    ASSERT_OK(weir_grammar_from_json_schema(made.vocab, schema, strlen(schema), &options, &made.grammar, &error),
              &error);
    return made;
}

void free_constraint(constraint constraint) {
    weir_grammar_destroy(constraint.grammar);
    weir_vocab_destroy(constraint.vocab);
}
