/* test_hostile_sampler.c - batches that make no sense: logits of NaN, rows of no size, strides that overlap or overflow,
 * parameters outside their range. Refused by name before anything is done, or a defined result. */

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sampler_helpers.h"

enum { SLOTS = 3, WIDTH = 70 };

static weir_sampler *open_sampler(void) {
    weir_sampler_options o = WEIR_SAMPLER_OPTIONS_INIT;
    weir_sampler *sampler;
    weir_error error;
    o.slot_count = SLOTS, o.logits_width = WIDTH;
    ASSERT_OK(weir_sampler_create(&o, &sampler, &error), &error);
    for (uint32_t slot = 0; slot < SLOTS; slot++) ASSERT_OK(weir_sampler_bind(sampler, slot, NULL, &error), &error);
    return sampler;
}

TEST(hostile_sampler, sizes_that_no_memory_holds_are_told_so) {
    weir_sampler_options o = WEIR_SAMPLER_OPTIONS_INIT;
    weir_sampler *sampler;
    weir_error error;
    test_memory *memory = test_memory_create();
    weir_allocator allocator = test_allocator(memory);
    memory->fail_at = 1; /* what the machine would say, or should */
    o.allocator = &allocator;
    o.slot_count = 1 << 24, o.logits_width = 1 << 26;
    EXPECT_STATUS(weir_sampler_create(&o, &sampler, &error), WEIR_ERROR_MEMORY, &error);
    EXPECT_NULL(sampler);
    o.slot_count = UINT32_MAX;
    EXPECT_STATUS(weir_sampler_create(&o, &sampler, &error), WEIR_ERROR_ARGUMENT, &error);
    o.slot_count = 0;
    EXPECT_STATUS(weir_sampler_create(&o, &sampler, &error), WEIR_ERROR_ARGUMENT, &error);
    o.slot_count = 1, o.logits_width = 0;
    EXPECT_STATUS(weir_sampler_create(&o, &sampler, &error), WEIR_ERROR_ARGUMENT, &error);
}

TEST(hostile_sampler, rows_of_NaN_and_of_infinities_end_in_a_token_or_in_none) {
    static const float values[] = {NAN, -NAN, INFINITY, -INFINITY, 3.4e38f, -3.4e38f, 1e-45f, -0.0f};
    float logits[SLOTS * WIDTH];
    int32_t slots[SLOTS] = {0, 1, 2}, tokens[SLOTS];
    float logprobs[SLOTS];
    uint32_t statuses[SLOTS];
    weir_error error;
    for (uint32_t round = 0; round < 64; round++) {
        weir_sampler *sampler = open_sampler();
        weir_step step = WEIR_STEP_INIT;
        weir_sampling sampling[SLOTS];
        for (uint32_t i = 0; i < SLOTS * WIDTH; i++) logits[i] = values[round < 8 ? round : (i * 2654435761u >> 7) % (1 + round % 8)];
        for (uint32_t row = 0; row < SLOTS; row++) {
            sampling[row] = (weir_sampling)WEIR_SAMPLING_INIT;
            if (row == 1) sampling[row].temperature = round % 2 != 0 ? 0 : INFINITY;
            if (row == 2) sampling[row] = SAMPLING(1e-30f, 1e-30f, 0.999f, round % 3);
        }
        step.row_count = SLOTS, step.slots = slots, step.logits = logits, step.logits_stride = WIDTH;
        step.sampling = sampling, step.tokens = tokens, step.logprobs = logprobs, step.statuses = statuses;
        EXPECT_OK(weir_sampler_step(sampler, &step, &error), &error);
        for (uint32_t row = 0; row < SLOTS; row++) {
            bool none = tokens[row] == -1;
            EXPECT_TRUE(none == ((statuses[row] & WEIR_ROW_STATUS_NO_TOKEN) != 0));
            if (none) continue;
            EXPECT_LT((uint32_t)tokens[row], WIDTH);
            float chosen = logits[row * WIDTH + (uint32_t)tokens[row]];
            EXPECT_TRUE(!isnan(chosen) && chosen != -INFINITY);
            EXPECT_TRUE(logprobs[row] <= 0 && !isnan(logprobs[row]));
        }
        weir_sampler_destroy(sampler);
    }
}

/* A step that must be refused for `name`, and has not written. */
static void expect_refused(weir_sampler *sampler, const weir_step *step, const char *name) {
    weir_error error;
    int32_t before[SLOTS];
    if (step->tokens != NULL) memcpy(before, step->tokens, sizeof before);
    EXPECT_STATUS(weir_sampler_step(sampler, step, &error), WEIR_ERROR_ARGUMENT, &error);
    EXPECT_CONTAINS(error.message, name);
    if (step->tokens != NULL) EXPECT_TRUE(memcmp(before, step->tokens, sizeof before) == 0);
}

TEST(hostile_sampler, wrong_strides_and_missing_arrays_are_refused_before_anything_is_done) {
    weir_sampler *sampler = open_sampler();
    float logits[SLOTS * WIDTH] = {0};
    int32_t slots[SLOTS] = {0, 1, 2}, tokens[SLOTS] = {77, 78, 79};
    weir_step good = WEIR_STEP_INIT, step;
    good.row_count = SLOTS, good.slots = slots, good.logits = logits, good.logits_stride = WIDTH, good.tokens = tokens;
    step = good, step.size = 0, expect_refused(sampler, &step, "size");
    step = good, step.logits_stride = WIDTH - 1, expect_refused(sampler, &step, "stride");
    step = good, step.logits_stride = 0, expect_refused(sampler, &step, "stride");
    step = good, step.logits_stride = SIZE_MAX, expect_refused(sampler, &step, "stride");
    step = good, step.row_count = SIZE_MAX, expect_refused(sampler, &step, "rows");
    step = good, step.logits = NULL, expect_refused(sampler, &step, "logits");
    step = good, step.slots = NULL, expect_refused(sampler, &step, "slots");
    step = good, step.tokens = NULL, expect_refused(sampler, &step, "tokens");
    slots[1] = SLOTS, expect_refused(sampler, &good, "slot");
    slots[1] = INT32_MIN, expect_refused(sampler, &good, "slot");
    slots[1] = 0, expect_refused(sampler, &good, "slot"); /* twice */
    step = good, step.row_count = 0, step.slots = NULL, step.logits = NULL, step.tokens = NULL;
    EXPECT_OK(weir_sampler_step(sampler, &step, NULL), NULL);
    EXPECT_STATUS(weir_sampler_step(sampler, NULL, NULL), WEIR_ERROR_ARGUMENT, NULL);
    EXPECT_STATUS(weir_sampler_step(NULL, &good, NULL), WEIR_ERROR_ARGUMENT, NULL);
    weir_sampler_destroy(sampler);
}

TEST(hostile_sampler, parameters_outside_their_range_are_refused_by_name_and_row) {
    static const struct { weir_sampling sampling; const char *name; } bad[] = {
        {{NAN, 1, 0, 0, 1, 0, 0, 0}, "temperature"}, {{-1, 1, 0, 0, 1, 0, 0, 0}, "temperature"}, {{-INFINITY, 1, 0, 0, 1, 0, 0, 0}, "temperature"},
        {{1, NAN, 0, 0, 1, 0, 0, 0}, "top_p"},       {{1, 0, 0, 0, 1, 0, 0, 0}, "top_p"},        {{1, 1.0001f, 0, 0, 1, 0, 0, 0}, "top_p"},
        {{1, -1, 0, 0, 1, 0, 0, 0}, "top_p"},        {{1, INFINITY, 0, 0, 1, 0, 0, 0}, "top_p"}, {{1, 1, NAN, 0, 1, 0, 0, 0}, "min_p"},
        {{1, 1, 1, 0, 1, 0, 0, 0}, "min_p"},         {{1, 1, -0.1f, 0, 1, 0, 0, 0}, "min_p"},    {{1, 1, INFINITY, 0, 1, 0, 0, 0}, "min_p"},
    };
    weir_sampler *sampler = open_sampler();
    float logits[2 * WIDTH] = {0};
    int32_t slots[2] = {0, 1}, tokens[SLOTS] = {77, 78, 79};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        weir_sampling sampling[2] = {WEIR_SAMPLING_INIT, bad[i].sampling};
        weir_step step = WEIR_STEP_INIT;
        weir_error error;
        step.row_count = 2, step.slots = slots, step.logits = logits, step.logits_stride = WIDTH, step.tokens = tokens;
        step.sampling = sampling;
        expect_refused(sampler, &step, bad[i].name);
        weir_sampler_step(sampler, &step, &error);
        EXPECT_EQ(error.row, 1);
    }
    weir_sampler_destroy(sampler);
}

TEST(hostile_sampler, masks_and_advance_refuse_what_does_not_fit) {
    weir_sampler *sampler = open_sampler();
    uint32_t masks[3] = {1, 2, 3};
    int32_t slots[1] = {0}, token = WIDTH;
    weir_error error;
    EXPECT_STATUS(weir_sampler_masks(sampler, slots, 1, masks, 2, &error), WEIR_ERROR_ARGUMENT, &error);
    EXPECT_STATUS(weir_sampler_masks(sampler, slots, SIZE_MAX, masks, SIZE_MAX, &error), WEIR_ERROR_ARGUMENT, &error);
    EXPECT_STATUS(weir_sampler_masks(sampler, slots, 1, NULL, 3, &error), WEIR_ERROR_ARGUMENT, &error);
    EXPECT_STATUS(weir_sampler_masks(NULL, slots, 1, masks, 3, &error), WEIR_ERROR_ARGUMENT, &error);
    EXPECT_EQ(masks[0], 1);
    EXPECT_STATUS(weir_sampler_advance(sampler, slots, &token, 1, NULL, &error), WEIR_ERROR_TOKEN, &error);
    token = INT32_MIN;
    EXPECT_STATUS(weir_sampler_advance(sampler, slots, &token, 1, NULL, &error), WEIR_ERROR_TOKEN, &error);
    EXPECT_STATUS(weir_sampler_advance(sampler, slots, NULL, 1, NULL, &error), WEIR_ERROR_ARGUMENT, &error);
    EXPECT_STATUS(weir_sampler_release(sampler, UINT32_MAX, &error), WEIR_ERROR_ARGUMENT, &error);
    EXPECT_STATUS(weir_sampler_bind(sampler, UINT32_MAX, NULL, &error), WEIR_ERROR_ARGUMENT, &error);
    EXPECT_STATUS(weir_sampler_bind(NULL, 0, NULL, &error), WEIR_ERROR_ARGUMENT, &error);
    weir_sampler_destroy(sampler);
}
