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

/* --- the calls beside a step -------------------------------------------------------------------------------- */

TEST(hostile_sampler, drafts_that_do_not_fit_are_refused_before_anything_is_done) {
    weir_sampler *sampler = open_sampler();
    float logits[SLOTS * WIDTH] = {0};
    int32_t slots[SLOTS] = {0, 1, 2}, tokens[SLOTS] = {77, 78, 79}, drafts[SLOTS] = {1, 2, 3};
    weir_step good = WEIR_STEP_INIT, step;
    good.row_count = 1, good.slots = slots, good.logits = logits, good.logits_stride = WIDTH, good.tokens = tokens;
    good.drafts = drafts, good.draft_count = 1;
    step = good, step.draft_count = WEIR_DRAFTS_MOST + 1, expect_refused(sampler, &step, "draft_count is 65");
    step = good, step.draft_count = SIZE_MAX, expect_refused(sampler, &step, "draft_count");
    step = good, step.drafts = NULL, expect_refused(sampler, &step, "drafts is NULL");
    step = good, step.row_count = SIZE_MAX / 4, expect_refused(sampler, &step, "rows");
    step = good, step.logits_stride = SIZE_MAX / sizeof(float), expect_refused(sampler, &step, "stride"); /* of two rows */
    step = good, step.masks = (uint32_t[]){0}, step.masks_stride = SIZE_MAX / 4, expect_refused(sampler, &step, "stride");
    step = good, step.row_count = 2, step.sampling = &(weir_sampling)WEIR_SAMPLING_INIT;
    step.sampling_stride = SIZE_MAX / 4 * 4, expect_refused(sampler, &step, "sampling_stride");
    EXPECT_OK(weir_sampler_step(sampler, &good, NULL), NULL);
    weir_sampler_destroy(sampler);
}

TEST(hostile_sampler, logits_that_cannot_be_masked_are_refused_by_name_and_untouched) {
    weir_sampler *sampler = open_sampler();
    uint32_t bits[WIDTH + 1]; /* NaN everywhere */
    int32_t slots[SLOTS] = {0, 1, 2};
    weir_error error;
    memset(bits, 0xFF, sizeof bits);
    const struct { const int32_t *slots; void *logits; size_t row_count, stride; int dtype; const char *name; } bad[] = {
        {NULL, bits, 1, WIDTH, WEIR_DTYPE_F32, "slots is NULL"},
        {slots, NULL, 1, WIDTH, WEIR_DTYPE_F32, "logits is NULL"},
        {slots, bits, 1, WIDTH - 1, WEIR_DTYPE_F32, "logits_stride is 69"},
        {slots, bits, 2, SIZE_MAX / 4, WEIR_DTYPE_F32, "stride"},
        {slots, bits, SIZE_MAX, WIDTH, WEIR_DTYPE_F16, "rows"},
        {slots, bits, 1, WIDTH, 3, "dtype is 3"},
        {slots, bits, 1, WIDTH, -1, "dtype is -1"},
        {slots, (char *)bits + 2, 1, WIDTH, WEIR_DTYPE_F32, "multiple of 4"},
        {slots, (char *)bits + 1, 1, WIDTH, WEIR_DTYPE_BF16, "multiple of 2"},
        {(const int32_t[]){SLOTS}, bits, 1, WIDTH, WEIR_DTYPE_F32, "slot 3"},
        {(const int32_t[]){0, 0}, bits, 2, WIDTH, WEIR_DTYPE_F32, "earlier row"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        EXPECT_STATUS(weir_sampler_mask_logits(sampler, bad[i].slots, bad[i].row_count, bad[i].logits, bad[i].stride,
                                               (weir_dtype)bad[i].dtype, &error),
                      WEIR_ERROR_ARGUMENT, &error);
        EXPECT_CONTAINS(error.message, bad[i].name);
    }
    EXPECT_STATUS(weir_sampler_mask_logits(NULL, slots, 1, bits, WIDTH, WEIR_DTYPE_F32, &error), WEIR_ERROR_ARGUMENT, &error);
    for (size_t i = 0; i < WIDTH + 1; i++) EXPECT_EQ(bits[i], UINT32_MAX);
    weir_sampler_destroy(sampler);
}

static void expect_catch_up_refused(weir_sampler *sampler, const weir_catch_up *catch_up, const char *name) {
    weir_error error;
    EXPECT_STATUS(weir_sampler_catch_up(sampler, catch_up, &error), WEIR_ERROR_ARGUMENT, &error);
    EXPECT_CONTAINS(error.message, name);
    if (catch_up->statuses != NULL) EXPECT_EQ(*catch_up->statuses, 77);
}

TEST(hostile_sampler, catching_up_refuses_missing_arrays_and_sizes_that_overflow) {
    weir_sampler *sampler = open_sampler();
    int32_t slots[2] = {0, 0}, tokens[4] = {1, 2, 3, 4}, length = 4;
    uint32_t statuses[2] = {77, 77};
    weir_catch_up good = WEIR_CATCH_UP_INIT, bad;
    good.row_count = 1, good.slots = slots, good.tokens = tokens, good.tokens_stride = 4, good.lengths = &length;
    good.line_count = 1, good.statuses = statuses;
    bad = good, bad.size = sizeof(size_t), expect_catch_up_refused(sampler, &bad, "size");
    bad = good, bad.slots = NULL, expect_catch_up_refused(sampler, &bad, "slots is NULL");
    bad = good, bad.tokens = NULL, expect_catch_up_refused(sampler, &bad, "tokens is NULL");
    bad = good, bad.lengths = NULL, expect_catch_up_refused(sampler, &bad, "lengths is NULL");
    bad = good, bad.line_count = 0, expect_catch_up_refused(sampler, &bad, "line_count is 0");
    bad = good, bad.line_count = SIZE_MAX, expect_catch_up_refused(sampler, &bad, "tokens_stride");
    bad = good, bad.tokens_stride = SIZE_MAX, expect_catch_up_refused(sampler, &bad, "tokens_stride");
    bad = good, bad.row_count = 2, expect_catch_up_refused(sampler, &bad, "earlier row");
    slots[0] = -2, expect_catch_up_refused(sampler, &good, "slot -2"), slots[0] = 0;
    EXPECT_STATUS(weir_sampler_catch_up(sampler, NULL, NULL), WEIR_ERROR_ARGUMENT, NULL);
    EXPECT_STATUS(weir_sampler_catch_up(NULL, &good, NULL), WEIR_ERROR_ARGUMENT, NULL);
    weir_slot_options o = WEIR_SLOT_OPTIONS_INIT;
    weir_error error;
    o.first_token = (size_t)INT32_MAX + 1;
    EXPECT_STATUS(weir_sampler_bind(sampler, 0, &o, &error), WEIR_ERROR_ARGUMENT, &error);
    EXPECT_CONTAINS(error.message, "first_token");
    o.first_token = INT32_MAX; /* far behind every line: nothing is known of it */
    EXPECT_OK(weir_sampler_bind(sampler, 0, &o, &error), &error);
    EXPECT_OK(weir_sampler_catch_up(sampler, &good, &error), &error);
    EXPECT_EQ(statuses[0], WEIR_ROW_STATUS_OK);
    bad = good, bad.tokens_stride = 0, length = 0; /* lines of nothing */
    EXPECT_OK(weir_sampler_catch_up(sampler, &bad, &error), &error);
    weir_sampler_destroy(sampler);
}

static void expect_masks_refused(weir_sampler *sampler, const weir_draft_masks *draft_masks, const char *name) {
    weir_error error;
    EXPECT_STATUS(weir_sampler_draft_masks(sampler, draft_masks, &error), WEIR_ERROR_ARGUMENT, &error);
    EXPECT_CONTAINS(error.message, name);
    if (draft_masks->masks != NULL) EXPECT_EQ(*draft_masks->masks, 77);
}

TEST(hostile_sampler, masks_of_drafts_refuse_missing_arrays_and_sizes_that_overflow) {
    weir_sampler *sampler = open_sampler();
    int32_t slots[2] = {0, 0}, drafts[1] = {1};
    uint32_t masks[2 * 3] = {77}, valid;
    weir_draft_masks good = WEIR_DRAFT_MASKS_INIT, bad;
    good.row_count = 1, good.slots = slots, good.drafts = drafts, good.draft_count = 1;
    good.masks = masks, good.masks_stride = 3, good.valid_counts = &valid;
    bad = good, bad.size = 3, expect_masks_refused(sampler, &bad, "size");
    bad = good, bad.slots = NULL, expect_masks_refused(sampler, &bad, "slots is NULL");
    bad = good, bad.drafts = NULL, expect_masks_refused(sampler, &bad, "drafts is NULL");
    bad = good, bad.masks = NULL, bad.valid_counts = NULL, expect_masks_refused(sampler, &bad, "both NULL");
    bad = good, bad.draft_count = WEIR_DRAFTS_MOST + 1, expect_masks_refused(sampler, &bad, "draft_count is 65");
    bad = good, bad.masks_stride = 2, expect_masks_refused(sampler, &bad, "masks_stride is 2");
    bad = good, bad.masks_stride = SIZE_MAX / 4, expect_masks_refused(sampler, &bad, "stride");
    bad = good, bad.row_count = SIZE_MAX, expect_masks_refused(sampler, &bad, "rows");
    bad = good, bad.row_count = 2, expect_masks_refused(sampler, &bad, "earlier row");
    EXPECT_STATUS(weir_sampler_draft_masks(sampler, NULL, NULL), WEIR_ERROR_ARGUMENT, NULL);
    EXPECT_STATUS(weir_sampler_draft_masks(NULL, &good, NULL), WEIR_ERROR_ARGUMENT, NULL);
    bad = good, bad.drafts = NULL, bad.draft_count = 0, bad.valid_counts = NULL; /* no drafts: the mask alone */
    EXPECT_OK(weir_sampler_draft_masks(sampler, &bad, NULL), NULL);
    EXPECT_EQ(masks[0], UINT32_MAX);
    weir_sampler_destroy(sampler);
}

TEST(hostile_sampler, taking_back_refuses_missing_arrays_and_takes_the_largest_count) {
    weir_sampler *sampler = open_sampler();
    int32_t slots[2] = {0, 1};
    uint32_t counts[2] = {UINT32_MAX, 0}, statuses[2] = {77, 77};
    weir_error error;
    EXPECT_STATUS(weir_sampler_rollback(NULL, slots, counts, 1, statuses, &error), WEIR_ERROR_ARGUMENT, &error);
    EXPECT_STATUS(weir_sampler_rollback(sampler, NULL, counts, 1, statuses, &error), WEIR_ERROR_ARGUMENT, &error);
    EXPECT_STATUS(weir_sampler_rollback(sampler, slots, NULL, 1, statuses, &error), WEIR_ERROR_ARGUMENT, &error);
    slots[1] = SLOTS;
    EXPECT_STATUS(weir_sampler_rollback(sampler, slots, counts, 2, statuses, &error), WEIR_ERROR_ARGUMENT, &error);
    EXPECT_EQ(statuses[0], 77);
    slots[1] = 1;
    EXPECT_OK(weir_sampler_rollback(sampler, slots, counts, 2, statuses, &error), &error);
    EXPECT_EQ(statuses[0], WEIR_ROW_STATUS_REJECTED);
    EXPECT_EQ(statuses[1], WEIR_ROW_STATUS_OK);
    weir_sampler_destroy(sampler);
}

TEST(hostile_sampler, the_cpu_takes_any_stream_and_uses_none) {
    static float logits[WIDTH];
    weir_sampler *sampler = make_sampler(&backend_cpu, 1, WIDTH);
    result found[3];
    for (uintptr_t i = 0; i < 3; i++) {
        bind_seed(sampler, 0, 5);
        EXPECT_OK(weir_sampler_set_stream(sampler, (weir_stream)(i * 0x1001), NULL), NULL);
        found[i] = step_one(sampler, logits, WIDTH, NULL);
        expect_equal(found[i], found[0]);
    }
    weir_error error;
    EXPECT_STATUS(weir_sampler_set_stream(NULL, NULL, &error), WEIR_ERROR_ARGUMENT, &error);
    weir_sampler_destroy(sampler);
}
