/* backends_rows.c - steps over rows of any width and shape on the CPU's sampler and on a device's, with and without reports:
 * every result is equal to the bit.
 *
 * Wider rows than backends.c has, so that a row does not fit the front, and of every alignment. Compiled with on_device.h:
 * call_sampler gives the device's. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sampler_calls.h"

#undef sampler_create_on /* as it is, for the CPU's */

enum { ROWS = 2, CALLS = 3, ROUNDS = 120, DRAFTS = 2, PLACES = ROWS * (DRAFTS + 1), WIDEST = 5000 };

/* --- random rows ------------------------------------------------------------------------------------------- */

static uint32_t random_width(void) {
    switch (random_below(3)) {
    case 0: return 1 + random_below(70);
    case 1: return 100 + random_below(900);
    default: return 1000 + random_below(WIDEST - 999);
    }
}

static float random_logit(uint32_t shape) {
    double x = random_normal();
    switch (shape) {
    case 0: return (float)floor(x * 3) / 2; /* ties */
    case 1: return (float)(x * 8);
    case 2: return (float)(x * 1e4);
    case 3: return random_below(3) != 0 ? -INFINITY : (float)x;
    case 4: return random_below(30) == 0 ? INFINITY : random_below(2) != 0 ? NAN : (float)x;
    case 5: return 3;
    case 6: return random_below(200) == 0 ? (float)(30 + x) : (float)x; /* a few stand out */
    default: return (float)x;
    }
}

/* Towards zero; what f16 cannot hold is infinite, or 0. */
static uint32_t bits_as(weir_dtype dtype, float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    if (dtype == WEIR_DTYPE_F32) return bits;
    if (dtype == WEIR_DTYPE_BF16) return bits >> 16;
    uint32_t sign = bits >> 16 & 0x8000, exponent = bits >> 23 & 0xFF;
    if (exponent < 113) return sign;
    if (isnan(value)) return 0x7E00;
    return exponent > 142 ? sign | 0x7C00 : sign | (exponent - 112) << 10 | (bits >> 13 & 0x3FF);
}

static void fill_rows(char *logits, weir_dtype dtype, size_t rows, size_t stride) {
    const size_t size = dtype_size(dtype);
    for (size_t row = 0; row < rows; row++) {
        uint32_t shape = random_below(10);
        for (size_t i = 0; i < stride; i++) {
            uint32_t bits = bits_as(dtype, random_logit(shape));
            uint16_t half = (uint16_t)bits;
            memcpy(logits + (row * stride + i) * size, size == sizeof half ? (const void *)&half : (const void *)&bits, size);
        }
    }
}

static void fill_masks(uint32_t *masks, size_t words) {
    uint32_t kind = random_below(4);
    for (size_t i = 0; i < words; i++) {
        uint32_t some = (uint32_t)random_bits(), few = some & (uint32_t)random_bits() & (uint32_t)(random_bits() & random_bits());
        masks[i] = kind == 0 ? some : kind == 1 ? 0xFFFFFFFFu : kind == 2 ? few : random_below(3) != 0 ? 0 : some;
    }
}

/* top-k around what a front has, and around the width. */
static weir_sampling random_row_settings(uint32_t width) {
    const float temperatures[] = {0, 0.2f, 0.7f, 1, 1, 1, 1.7f, 50, 1e30f, 1e-30f, 1e-4f, INFINITY};
    const float top_ps[] = {1, 1, 0.999f, 0.9f, 0.5f, 1e-6f}, min_ps[] = {0, 0, 0, 0.01f, 0.3f, 0.999f, 1e-9f};
    const uint32_t top_ks[] = {0, 1 + random_below(64), 60 + random_below(10), 500 + random_below(30), 1 + random_below(width), width};
    weir_sampling s = WEIR_SAMPLING_INIT;
    s.temperature = temperatures[random_below(12)], s.top_p = top_ps[random_below(6)], s.min_p = min_ps[random_below(7)];
    s.top_k = top_ks[random_below(6)];
    s.flags = random_below(4);
    if (random_below(4) == 0) s.repetition_penalty = 1.3f, s.presence_penalty = -0.7f;
    return s;
}

/* --- both -------------------------------------------------------------------------------------------------- */

static void bind_both(weir_sampler *const samplers[2], uint32_t slot, uint32_t width) {
    weir_slot_options options = WEIR_SLOT_OPTIONS_INIT;
    weir_logit_bias bias[6];
    uint32_t prompt[6], *allowed = malloc(width * sizeof *allowed), count = 0, gap = 1 + random_below(random_below(2) != 0 ? 3 : 40);
    for (int i = 0; i < 6; i++) bias[i] = (weir_logit_bias){random_below(width), (float)random_normal() * 5}, prompt[i] = random_below(width);
    for (uint32_t column = random_below(gap); column < width; column += 1 + random_below(gap)) allowed[count++] = column;
    options.seed = random_bits();
    options.count_tokens = true;
    if (random_below(3) == 0) options.bias = bias, options.bias_count = random_below(7);
    if (random_below(2) != 0) options.prompt_tokens = prompt, options.prompt_count = random_below(7);
    if (random_below(3) == 0 && count != 0) options.allowed_tokens = allowed, options.allowed_count = count;
    for (int i = 0; i < 2; i++) ASSERT_OK(weir_sampler_bind(samplers[i], slot, &options, NULL), NULL);
    free(allowed);
}

static void step_on_both(weir_sampler *const samplers[2], uint32_t width) {
    const weir_dtype dtype = (weir_dtype)random_below(3);
    const uint32_t draft_count = random_below(4) == 0 ? DRAFTS : 0;
    const size_t places = ROWS * (draft_count + 1), stride = width + random_below(9), mask_words = (width + 31) / 32 + random_below(2);
    char *logits = malloc(places * stride * dtype_size(dtype));
    uint32_t *masks = malloc(places * mask_words * sizeof *masks);
    int32_t slots[ROWS], drafts[ROWS * DRAFTS];
    weir_sampling sampling[ROWS];
    outcome outcomes[2][PLACES];
    memset(outcomes, 0, sizeof outcomes);
    fill_rows(logits, dtype, places, stride);
    fill_masks(masks, places * mask_words);
    for (int i = 0; i < ROWS; i++) slots[i] = i, sampling[i] = random_row_settings(width);
    for (int i = 0; i < ROWS * DRAFTS; i++) drafts[i] = (int32_t)random_below(width);
    weir_step step = make_step(ROWS, slots, (const float *)logits, stride, sampling, NULL, NULL, NULL);
    step.dtype = dtype;
    step.drafts = drafts, step.draft_count = draft_count;
    if (random_below(2) != 0) step.masks = masks, step.masks_stride = mask_words;
    const bool reports = random_below(3) == 0;
    step.raw_logprobs = random_below(6) == 0;
    for (int i = 0; i < 2; i++)
        ASSERT_OK((reports ? call_step : call_bare_step)(samplers[i], &step, outcomes[i], NULL), NULL);
    expect_outcomes(outcomes[1], outcomes[0], places);
    free(masks);
    free(logits);
}

TEST(backends, rows_of_any_width_and_shape_give_the_same_with_and_without_reports) {
    for (uint32_t round = 0; round < ROUNDS && !test_has_failed(); round++) {
        const uint32_t width = random_width();
        weir_sampler_options options = WEIR_SAMPLER_OPTIONS_INIT;
        weir_sampler *samplers[2];
        options.slot_count = ROWS, options.logits_width = width, options.counted_tokens = 40;
        ASSERT_OK(sampler_create_on(&backend_cpu, &options, &samplers[0], NULL), NULL);
        samplers[1] = call_sampler(ROWS, width, 40);
        test_context("round %u, %u columns", round, width);
        for (uint32_t slot = 0; slot < ROWS; slot++) bind_both(samplers, slot, width);
        for (int call = 0; call < CALLS && !test_has_failed(); call++) step_on_both(samplers, width);
        weir_sampler_destroy(samplers[0]);
        weir_sampler_destroy(samplers[1]);
    }
}

/* Among them one more than the front happens to have. */
TEST(backends, every_top_k_up_to_300_gives_the_same) {
    enum { WIDTH = 3000, MOST = 300 };
    weir_sampler_options options = WEIR_SAMPLER_OPTIONS_INIT;
    weir_slot_options slot = WEIR_SLOT_OPTIONS_INIT;
    weir_sampler *samplers[2];
    outcome outcomes[2];
    float *logits = malloc(WIDTH * sizeof *logits);
    const int32_t row = 0;
    memset(outcomes, 0, sizeof outcomes);
    options.slot_count = 1, options.logits_width = WIDTH;
    ASSERT_OK(sampler_create_on(&backend_cpu, &options, &samplers[0], NULL), NULL);
    samplers[1] = call_sampler(1, WIDTH, 0);
    for (int i = 0; i < 2; i++) ASSERT_OK(weir_sampler_bind(samplers[i], 0, &slot, NULL), NULL);
    for (int i = 0; i < WIDTH; i++) logits[i] = random_logit(7);
    for (uint32_t top_k = 1; top_k <= MOST && !test_has_failed(); top_k++) {
        weir_sampling sampling = WEIR_SAMPLING_INIT;
        sampling.temperature = 50; /* else nearly all draws are of the first few */
        sampling.top_k = top_k;
        weir_step step = make_step(1, &row, logits, WIDTH, &sampling, NULL, NULL, NULL);
        test_context("top-k %u", top_k);
        for (int i = 0; i < 2; i++) ASSERT_OK(call_bare_step(samplers[i], &step, &outcomes[i], NULL), NULL);
        expect_outcomes(&outcomes[1], &outcomes[0], 1);
    }
    for (int i = 0; i < 2; i++) weir_sampler_destroy(samplers[i]);
    free(logits);
}
