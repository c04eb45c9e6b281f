/* test_sampler_logprobs.c - log-probabilities raw and processed, the likeliest, the allowed mass, types of logits, and
 * masks that the caller gives. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/fixed_math.h"
#include "kernels/logit.h"
#include "sampler_helpers.h"

enum { WIDTH = 300, TOP = 25, WORDS = (WIDTH + 31) / 32 };

typedef struct report {
    result result;
    int32_t tokens[TOP];
    float logprobs[TOP];
    float allowed_mass;
} report;

static report step_report(weir_sampler *sampler, const float *logits, const weir_sampling *sampling, bool raw,
                          const uint32_t *mask) {
    int32_t slot = 0;
    report r;
    memset(&r, 0x55, sizeof r);
    weir_step step =
        make_step(1, &slot, logits, WIDTH, sampling, &r.result.token, &r.result.logprob, &r.result.status);
    step.raw_logprobs = raw;
    step.top_count = TOP, step.top_tokens = r.tokens, step.top_logprobs = r.logprobs;
    step.allowed_mass = &r.allowed_mass;
    step.masks = mask, step.masks_stride = WORDS;
    ASSERT_OK(weir_sampler_step(sampler, &step, NULL), NULL);
    return r;
}

/* ln of the softmax in doubles. */
static double log_softmax(const float *logits, uint32_t token) {
    double top = -INFINITY, sum = 0;
    for (uint32_t i = 0; i < WIDTH; i++) top = fmax(top, isnan(logits[i]) ? -INFINITY : logits[i]);
    for (uint32_t i = 0; i < WIDTH; i++) sum += isnan(logits[i]) ? 0 : exp(logits[i] - top);
    return logits[token] - top - log(sum);
}

static const float *by_logit_row;

static int by_logit(const void *a, const void *b) {
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    float u = by_logit_row[x], v = by_logit_row[y];
    return u != v ? (u < v ? 1 : -1) : (x > y) - (x < y);
}

TEST(sampler_logprobs, raw_ones_are_of_the_untouched_logits_whatever_is_done_to_them) {
    weir_sampler *sampler = make_sampler(&backend_cpu, 1, WIDTH);
    static float logits[WIDTH];
    random_state = 91;
    for (int round = 0; round < 300 && !test_has_failed(); round++) {
        test_context("seed 91, round %d", round);
        uint32_t order[WIDTH];
        for (uint32_t i = 0; i < WIDTH; i++)
            order[i] = i, logits[i] = (float)(random_normal() * (round % 3 ? 1 : 30)), logits[i] += (float)(round % 7);
        weir_slot_options options = WEIR_SLOT_OPTIONS_INIT;
        options.seed = (uint64_t)round;
        options.bias = (const weir_logit_bias[]){{3, 20}, {7, -20}}, options.bias_count = 2;
        bind_slot(sampler, 0, options);
        weir_sampling sampling = random_sampling(WIDTH);
        report r = step_report(sampler, logits, &sampling, true, NULL);
        double expected = log_softmax(logits, (uint32_t)r.result.token);
        EXPECT_NEAR(r.result.logprob, expected, 2e-6 * (1 + fabs(expected)));
        by_logit_row = logits;
        qsort(order, WIDTH, sizeof *order, by_logit);
        for (uint32_t i = 0; i < TOP; i++) {
            EXPECT_EQ(r.tokens[i], order[i]);
            EXPECT_NEAR(r.logprobs[i], log_softmax(logits, order[i]), 2e-6 * (1 + fabs((double)r.logprobs[i])));
        }
    }
    weir_sampler_destroy(sampler);
}

TEST(sampler_logprobs, a_raw_one_is_exact_far_below_what_a_mass_can_hold) {
    weir_sampler *sampler = make_sampler(&backend_cpu, 1, WIDTH);
    bind_seed(sampler, 0, 1);
    float logits[WIDTH];
    for (int i = 0; i < WIDTH; i++) logits[i] = -1000;
    logits[4] = 0, logits[9] = -75;
    uint32_t mask[WORDS] = {1u << 9};
    report r = step_report(sampler, logits, NULL, true, mask); /* forced */
    EXPECT_EQ(r.result.token, 9);
    EXPECT_NEAR(r.result.logprob, -75, 1e-4);
    EXPECT_EQ(r.tokens[0], 4);
    EXPECT_EQ(r.tokens[1], 9);
    EXPECT_EQ(bits_of(r.allowed_mass), bits_of(0)); /* below 2^-32 */
    weir_sampler_destroy(sampler);
}

TEST(sampler_logprobs, processed_ones_are_of_what_was_kept_and_nothing_else_is_listed) {
    weir_sampler *sampler = make_sampler(&backend_cpu, 1, WIDTH);
    bind_seed(sampler, 0, 1);
    float logits[WIDTH] = {0};
    logits[8] = logf(6), logits[2] = logf(3), logits[30] = logf(3);
    weir_sampling sampling = SAMPLING(1, 1, 0, 3);
    report r = step_report(sampler, logits, &sampling, false, NULL);
    static const int32_t tokens[] = {8, 2, 30};
    for (int i = 0; i < 3; i++) {
        EXPECT_EQ(r.tokens[i], tokens[i]);
        EXPECT_NEAR(r.logprobs[i], log(i ? 0.25 : 0.5), 1e-6);
    }
    EXPECT_EQ(r.tokens[3], -1);
    EXPECT_TRUE(r.logprobs[TOP - 1] == -INFINITY);
    sampling.temperature = 0; /* the token alone */
    r = step_report(sampler, logits, &sampling, false, NULL);
    EXPECT_EQ(r.tokens[0], 8);
    EXPECT_EQ(bits_of(r.logprobs[0]), 0);
    EXPECT_EQ(r.tokens[1], -1);
    weir_sampler_destroy(sampler);
}

TEST(sampler_logprobs, infinite_logits_share_the_raw_probability) {
    weir_sampler *sampler = make_sampler(&backend_cpu, 1, WIDTH);
    bind_seed(sampler, 0, 1);
    float logits[WIDTH] = {0};
    logits[5] = logits[6] = INFINITY, logits[7] = NAN;
    report r = step_report(sampler, logits, NULL, true, NULL);
    EXPECT_NEAR(r.result.logprob, -log(2), 1e-6);
    EXPECT_EQ(r.tokens[0], 5);
    EXPECT_EQ(r.tokens[1], 6);
    EXPECT_EQ(r.tokens[2], -1);
    uint32_t mask[WORDS] = {1u << 7 | 1u << 8};
    r = step_report(sampler, logits, NULL, true, mask);
    EXPECT_EQ(r.result.token, 8);
    EXPECT_TRUE(r.result.logprob == -INFINITY);
    EXPECT_EQ(bits_of(r.allowed_mass), 0);
    weir_sampler_destroy(sampler);
}

TEST(sampler_logprobs, allowed_mass_is_the_probability_that_the_mask_left) {
    weir_sampler *sampler = make_sampler(&backend_cpu, 1, WIDTH);
    static float logits[WIDTH];
    random_state = 92;
    for (int round = 0; round < 200; round++) {
        uint32_t mask[WORDS] = {0};
        double sum = 0;
        for (uint32_t i = 0; i < WIDTH; i++) {
            logits[i] = (float)random_normal() * 3;
            if (random_below(4) < (uint32_t)round % 4) mask[i / 32] |= 1u << i % 32;
        }
        for (uint32_t i = 0; i < WIDTH; i++)
            if (mask[i / 32] >> i % 32 & 1) sum += exp(log_softmax(logits, i));
        bind_seed(sampler, 0, 1);
        weir_sampling sampling = random_sampling(WIDTH);
        report r = step_report(sampler, logits, &sampling, false, mask);
        EXPECT_NEAR(r.allowed_mass, round % 4 ? sum : 0, 1e-6);
        bind_seed(sampler, 0, 1);
        r = step_report(sampler, logits, &sampling, false, NULL);
        EXPECT_EQ(bits_of(r.allowed_mass), bits_of(1));
    }
    weir_sampler_destroy(sampler);
}

TEST(sampler_logprobs, rows_that_draw_nothing_report_nothing) {
    weir_sampler *sampler = make_sampler(&backend_cpu, 1, WIDTH);
    bind_seed(sampler, 0, 1);
    float logits[WIDTH];
    for (int i = 0; i < WIDTH; i++) logits[i] = NAN;
    for (int round = 0; round < 2; round++) {
        report r = step_report(sampler, logits, NULL, round, NULL);
        expect_equal(r.result, (result){-1, 0, WEIR_ROW_STATUS_NO_TOKEN});
        for (int i = 0; i < TOP; i++) EXPECT_TRUE(r.tokens[i] == -1 && r.logprobs[i] == -INFINITY);
        EXPECT_EQ(bits_of(r.allowed_mass), 0);
    }
    weir_sampler_destroy(sampler);
}

/* --- masks from the caller ---------------------------------------------------------------------------------- */

TEST(sampler_logprobs, a_given_mask_decides_alone_beside_a_free_slot_and_with_a_constraint_both_must_allow) {
    constraint constraint = make_constraint("{\"enum\":[true,false]}");
    weir_sampler *sampler = make_sampler(&backend_cpu, 1, CONSTRAINT_WIDTH);
    float logits[CONSTRAINT_WIDTH] = {0};
    uint32_t mask[WORDS] = {0};
    mask['t' / 32] |= 1u << 't' % 32, mask['x' / 32] |= 1u << 'x' % 32;
    logits['x'] = 5, logits['y'] = 9;
    const weir_sampling greedy = SAMPLING(0, 1, 0, 0);
    bind_seed(sampler, 0, 1);
    EXPECT_EQ(step_report(sampler, logits, &greedy, false, mask).result.token, 'x');
    weir_slot_options options = WEIR_SLOT_OPTIONS_INIT;
    options.grammar = constraint.grammar;
    bind_slot(sampler, 0, options);
    EXPECT_EQ(step_report(sampler, logits, &greedy, false, mask).result.token, 't');
    expect_equal(step_report(sampler, logits, &greedy, false, mask).result,
                 (result){-1, 0, WEIR_ROW_STATUS_NO_TOKEN}); /* r is not in it */
    mask[WORDS - 1] = UINT32_MAX; /* bits beyond the width are no columns */
    memset(mask, 0, (WORDS - 1) * sizeof *mask);
    bind_seed(sampler, 0, 1);
    EXPECT_LT(step_report(sampler, logits, NULL, false, mask).result.token, CONSTRAINT_WIDTH);
    weir_sampler_destroy(sampler);
    free_constraint(constraint);
}

/* --- types of logits ---------------------------------------------------------------------------------------- */

/* Rows of 16-bit logits at an odd element and an odd stride give what the same values give as floats. */
static void compare_type(weir_dtype dtype) {
    enum { ROWS = 3, STRIDE = WIDTH + 7 };
    static uint16_t halves[ROWS * STRIDE + 1];
    static float floats[ROWS][WIDTH];
    weir_sampler *sampler = make_sampler(&backend_cpu, ROWS, WIDTH);
    random_state = 93;
    for (int round = 0; round < 400 && !test_has_failed(); round++) {
        test_context("type %d, round %d", (int)dtype, round);
        weir_sampling sampling[ROWS];
        result found[2][ROWS];
        const int32_t slots[ROWS] = {0, 1, 2};
        for (size_t i = 0; i < sizeof halves / sizeof *halves; i++) {
            uint32_t bits = (uint32_t)random_bits();
            halves[i] = (uint16_t)(round % 4 ? (bits & 0x8000) | 0x3C00 | (bits & 0x3FF) : bits); /* or any bits */
        }
        for (int row = 0; row < ROWS; row++) {
            sampling[row] = random_sampling(WIDTH);
            for (int i = 0; i < WIDTH; i++) {
                uint16_t half = halves[1 + row * STRIDE + i];
                floats[row][i] = dtype == WEIR_DTYPE_F16 ? float_of_f16(half) : float_of_bf16(half);
            }
        }
        for (int typed = 0; typed < 2; typed++) {
            int32_t tokens[ROWS];
            float logprobs[ROWS];
            uint32_t statuses[ROWS];
            for (uint32_t slot = 0; slot < ROWS; slot++) bind_seed(sampler, slot, (uint64_t)round);
            weir_step step = make_step(ROWS, slots, floats[0], WIDTH, sampling, tokens, logprobs, statuses);
            step.raw_logprobs = round % 2;
            if (typed) step.logits = halves + 1, step.logits_stride = STRIDE, step.dtype = dtype;
            ASSERT_OK(weir_sampler_step(sampler, &step, NULL), NULL);
            for (int row = 0; row < ROWS; row++) found[typed][row] = (result){tokens[row], logprobs[row], statuses[row]};
        }
        for (int row = 0; row < ROWS; row++) expect_equal(found[1][row], found[0][row]);
    }
    weir_sampler_destroy(sampler);
}

TEST(sampler_logprobs, half_logits_give_what_their_values_give) {
    compare_type(WEIR_DTYPE_F16);
}

TEST(sampler_logprobs, bfloat16_logits_give_what_their_values_give) {
    compare_type(WEIR_DTYPE_BF16);
}

TEST(sampler_logprobs, step_refuses_types_alignments_masks_and_reports_it_cannot_use) {
    weir_sampler *sampler = make_sampler(&backend_cpu, 1, WIDTH);
    bind_seed(sampler, 0, 1);
    static float logits[WIDTH + 1];
    static uint32_t masks[WORDS];
    int32_t slot = 0, token, top[1];
    weir_error error;
    weir_step good = make_step(1, &slot, logits, WIDTH, NULL, &token, NULL, NULL), step = good;
    step.dtype = (weir_dtype)3;
    EXPECT_STATUS(weir_sampler_step(sampler, &step, &error), WEIR_ERROR_ARGUMENT, &error);
    EXPECT_CONTAINS(error.message, "dtype is 3");
    step = good, step.logits = (const char *)logits + 2;
    EXPECT_STATUS(weir_sampler_step(sampler, &step, &error), WEIR_ERROR_ARGUMENT, &error);
    EXPECT_CONTAINS(error.message, "multiple of 4 bytes");
    step = good, step.masks = masks, step.masks_stride = WORDS - 1;
    EXPECT_STATUS(weir_sampler_step(sampler, &step, &error), WEIR_ERROR_ARGUMENT, &error);
    EXPECT_CONTAINS(error.message, "masks_stride is 9");
    step = good, step.top_count = 1, step.top_tokens = top;
    EXPECT_STATUS(weir_sampler_step(sampler, &step, &error), WEIR_ERROR_ARGUMENT, &error);
    EXPECT_CONTAINS(error.message, "top_logprobs is NULL");
    step.top_count = WEIR_TOP_LOGPROBS_MOST + 1;
    EXPECT_STATUS(weir_sampler_step(sampler, &step, &error), WEIR_ERROR_ARGUMENT, &error);
    EXPECT_CONTAINS(error.message, "top_count is 1025");
    weir_sampler_destroy(sampler);
}
