/* test_sampler_batch.c - what a batch, a machine, a stride and bad arguments may change: nothing. */
#ifndef _DEFAULT_SOURCE
#define _DEFAULT_SOURCE
#endif
#include <fenv.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "kernels/philox.h"
#include "sampler_helpers.h"

__extension__ typedef unsigned __int128 wide;

/* --- independence ----------------------------------------------------------------------------------------- */

enum { ROWS = 24, WIDTH = 333, WORDS = (WIDTH + 31) / 32, TOP = 6, POSITIONS = 5 };

/* All that a step says of a row. */
typedef struct outcome {
    result result;
    int32_t top_tokens[TOP];
    float top_logprobs[TOP];
    float allowed_mass;
} outcome;

/* The rows of the batch by slot: logits, settings, masks; every slot with counts, biases and bad words of its own. */
typedef struct rows {
    float logits[ROWS][WIDTH];
    uint32_t masks[ROWS][WORDS];
    weir_sampling sampling[ROWS];
} rows;

static void make_rows(rows *rows) {
    random_state = 51;
    for (uint32_t i = 0; i < ROWS; i++) {
        fill_random(rows->logits[i], WIDTH);
        rows->sampling[i] = random_sampling(WIDTH);
        rows->sampling[i].presence_penalty = (float)random_normal();
        rows->sampling[i].repetition_penalty = 1 + (float)random_unit();
        rows->sampling[i].flags = random_below(4);
        for (uint32_t k = 0; k < WORDS; k++) rows->masks[i][k] = (uint32_t)(i % 3 ? UINT32_MAX : random_bits());
    }
}

static void bind_rows(weir_sampler *sampler) {
    for (uint32_t i = 0; i < ROWS; i++) {
        uint32_t prompt[3] = {i, 2 * i, 7}, word[2] = {i, i + 1};
        weir_token_run run = {word, 1 + i % 2};
        weir_logit_bias bias = {100 + i, 3};
        weir_slot_options options = WEIR_SLOT_OPTIONS_INIT;
        options.seed = i / 2; /* seeds are shared in pairs */
        options.count_tokens = true;
        options.prompt_tokens = prompt, options.prompt_count = 3;
        options.bias = &bias, options.bias_count = 1;
        options.bad_words = &run, options.bad_word_count = 1;
        bind_slot(sampler, i, options);
    }
}

/* The batch in a given order and split, `stride` logits apart, with poison between the rows: outcomes by slot. */
static void run_batch(const backend *backend, const rows *rows, const uint32_t *order, uint32_t split, size_t stride,
                      bool raw, outcome *outcomes) {
    static int32_t top_tokens[ROWS * TOP];
    static float top_logprobs[ROWS * TOP];
    int32_t slots[ROWS], tokens[ROWS];
    weir_sampling sampling[ROWS];
    float logprobs[ROWS], allowed[ROWS];
    uint32_t statuses[ROWS], *masks = calloc(ROWS * stride, sizeof *masks);
    float *logits = malloc(ROWS * stride * sizeof *logits);
    weir_sampler *sampler = make_sampler(backend, ROWS, WIDTH);
    bind_rows(sampler);
    for (size_t i = 0; i < ROWS * stride; i++) logits[i] = INFINITY, masks[i] = UINT32_MAX;
    for (uint32_t i = 0; i < ROWS; i++) {
        slots[i] = (int32_t)order[i];
        sampling[i] = rows->sampling[order[i]];
        memcpy(logits + i * stride, rows->logits[order[i]], sizeof rows->logits[0]);
        memcpy(masks + i * stride, rows->masks[order[i]], sizeof rows->masks[0]);
    }
    for (int position = 0; position < POSITIONS; position++)
        for (uint32_t start = 0; start < ROWS; start += split) {
            uint32_t count = ROWS - start < split ? ROWS - start : split;
            weir_step step = make_step(count, slots + start, logits + start * stride, stride, sampling + start,
                                       tokens + start, logprobs + start, statuses + start);
            step.masks = masks + start * stride, step.masks_stride = stride;
            step.raw_logprobs = raw;
            step.top_count = TOP;
            step.top_tokens = top_tokens + start * TOP, step.top_logprobs = top_logprobs + start * TOP;
            step.allowed_mass = allowed + start;
            ASSERT_OK(weir_sampler_step(sampler, &step, NULL), NULL);
        }
    for (uint32_t i = 0; i < ROWS; i++) {
        outcome *to = &outcomes[order[i]];
        to->result = (result){tokens[i], logprobs[i], statuses[i]};
        memcpy(to->top_tokens, top_tokens + i * TOP, sizeof to->top_tokens);
        memcpy(to->top_logprobs, top_logprobs + i * TOP, sizeof to->top_logprobs);
        to->allowed_mass = allowed[i];
    }
    free(logits);
    free(masks);
    weir_sampler_destroy(sampler);
}

TEST(sampler_batch, row_order_batch_size_stride_and_backend_change_no_bit) {
    uint32_t forward[ROWS], shuffled[ROWS];
    static outcome expected[ROWS], found[ROWS];
    static rows rows;
    make_rows(&rows);
    for (uint32_t i = 0; i < ROWS; i++) forward[i] = i, shuffled[i] = i * 7 % ROWS;
    for (int variant = 0; variant < 8; variant++) {
        test_context("variant %d", variant);
        bool raw = variant >= 4;
        if (variant % 4 == 0) run_batch(&backend_cpu, &rows, forward, ROWS, WIDTH, raw, expected);
        if (variant % 4 == 0) run_batch(&backend_cpu, &rows, shuffled, ROWS, WIDTH, raw, found);
        if (variant % 4 == 1) run_batch(&backend_cpu, &rows, shuffled, 1, WIDTH + 1, raw, found);
        if (variant % 4 == 2) run_batch(&backend_cpu, &rows, forward, 5, 512, raw, found);
        if (variant % 4 == 3) run_batch(&backend_cpu_portable, &rows, shuffled, 7, 340, raw, found);
        for (int i = 0; i < ROWS; i++) {
            expect_equal(found[i].result, expected[i].result);
            EXPECT_BYTES_EQ(&found[i], sizeof found[i], &expected[i], sizeof expected[i]);
        }
    }
}

/* Rounding upwards and, where the machine can, subnormals flushed to 0: as programs built with -ffast-math leave it. */
TEST(sampler_batch, the_callers_floating_point_mode_changes_no_bit_and_is_left_as_it_was) {
    static outcome expected[ROWS], found[ROWS];
    static rows rows;
    uint32_t order[ROWS];
    make_rows(&rows);
    for (uint32_t i = 0; i < ROWS; i++) order[i] = i;
    run_batch(&backend_cpu, &rows, order, ROWS, WIDTH, true, expected);
    const float tiny[2] = {0x1p-149f, 0};
    const weir_sampling sampling = SAMPLING(FLT_MIN, 0x1p-149f, 0, 0);
    result wanted = sample(tiny, 2, sampling, 1);
    ASSERT_EQ(fesetround(FE_UPWARD), 0);
#ifdef __SSE__
    __builtin_ia32_ldmxcsr(__builtin_ia32_stmxcsr() | 0x8040);
#endif
    run_batch(&backend_cpu, &rows, order, ROWS, WIDTH, true, found);
    result tried = sample(tiny, 2, sampling, 1);
    int mode = fegetround();
    fesetenv(FE_DFL_ENV);
    EXPECT_EQ(mode, FE_UPWARD);
    expect_equal(tried, wanted);
    EXPECT_BYTES_EQ(found, sizeof found, expected, sizeof expected);
}

TEST(sampler_batch, options_of_a_later_version_are_refused_where_they_say_something) {
    struct { weir_slot_options options; uint64_t later; } slot = {WEIR_SLOT_OPTIONS_INIT, 0};
    weir_sampler *sampler = make_sampler(&backend_cpu, 1, 4);
    weir_error error;
    slot.options.size = sizeof slot;
    EXPECT_OK(weir_sampler_bind(sampler, 0, &slot.options, &error), &error);
    slot.later = 1;
    EXPECT_STATUS(weir_sampler_bind(sampler, 0, &slot.options, &error), WEIR_ERROR_ARGUMENT, &error);
    EXPECT_CONTAINS(error.message, "does not know");
    slot.options.size = 51; /* half a pointer */
    EXPECT_STATUS(weir_sampler_bind(sampler, 0, &slot.options, &error), WEIR_ERROR_ARGUMENT, &error);
    weir_sampler_destroy(sampler);
}

TEST(sampler_batch, settings_can_stand_apart) {
    struct { char name[8]; weir_sampling sampling; } requests[3];
    static const float logits[3][4] = {{0, 1, 2, 3}, {0, 1, 2, 3}, {0, 1, 2, 3}};
    int32_t tokens[3];
    weir_sampler *sampler = make_sampler(&backend_cpu, 3, 4);
    for (uint32_t i = 0; i < 3; i++) requests[i].sampling = SAMPLING(0, 1, 0, 0), bind_seed(sampler, i, 1);
    weir_step step =
        make_step(3, (const int32_t[]){0, 1, 2}, logits[0], 4, &requests[0].sampling, tokens, NULL, NULL);
    step.sampling_stride = sizeof requests[0];
    ASSERT_OK(weir_sampler_step(sampler, &step, NULL), NULL);
    for (int i = 0; i < 3; i++) EXPECT_EQ(tokens[i], 3);
    weir_error error;
    step.sampling_stride = 8;
    EXPECT_STATUS(weir_sampler_step(sampler, &step, &error), WEIR_ERROR_ARGUMENT, &error);
    EXPECT_CONTAINS(error.message, "sampling_stride");
    weir_sampler_destroy(sampler);
}

TEST(sampler_batch, columns_beyond_the_width_are_never_drawn) {
    const float logits[8] = {0, 0, 0, INFINITY, INFINITY, INFINITY, INFINITY, INFINITY};
    weir_sampler *sampler = make_sampler(&backend_cpu, 1, 3);
    bind_seed(sampler, 0, 17);
    for (int i = 0; i < 50; i++) EXPECT_LT(step_one(sampler, logits, 8, NULL).token, 3);
    weir_sampler_destroy(sampler);
}

TEST(sampler_batch, offsets_of_rows_have_64_bits) {
    size_t stride = ((size_t)1 << 32) + 3, bytes = (stride + 8) * sizeof(float);
    float *logits = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (logits == MAP_FAILED) SKIP("no 16 GiB of address space");
    weir_sampler *sampler = make_sampler(&backend_cpu, 2, 4);
    bind_seed(sampler, 0, 1);
    bind_seed(sampler, 1, 1);
    logits[1] = 5;
    logits[3] = 6; /* where 32 bits would look for row 1 */
    logits[stride + 2] = 5;
    int32_t tokens[2];
    weir_sampling greedy[2] = {SAMPLING(0, 1, 0, 0), SAMPLING(0, 1, 0, 0)};
    weir_step step = make_step(2, (const int32_t[]){0, 1}, logits, stride, greedy, tokens, NULL, NULL);
    EXPECT_OK(weir_sampler_step(sampler, &step, NULL), NULL);
    EXPECT_EQ(tokens[0], 3);
    EXPECT_EQ(tokens[1], 2);
    weir_sampler_destroy(sampler);
    munmap(logits, bytes);
}

TEST(sampler_batch, position_counts_sampled_and_advanced_tokens) {
    static float logits[500];
    weir_sampler *sampler = make_sampler(&backend_cpu, 2, 500);
    bind_seed(sampler, 0, 77);
    bind_seed(sampler, 1, 77);
    int32_t slots[2] = {0, 1}, first = step_one(sampler, logits, 500, NULL).token, tokens[2];
    EXPECT_OK(weir_sampler_advance(sampler, slots + 1, &first, 1, NULL, NULL), NULL);
    static float both[1000];
    weir_step step = make_step(2, slots, both, 500, NULL, tokens, NULL, NULL);
    EXPECT_OK(weir_sampler_step(sampler, &step, NULL), NULL);
    EXPECT_EQ(tokens[0], tokens[1]);
    EXPECT_EQ(tokens[0], (uint64_t)((wide)philox_token_bits(77, 1) * 500 >> 64)); /* 500 equal masses */
    bind_seed(sampler, 0, 77);                                                    /* bound again: from position 0 */
    EXPECT_EQ(step_one(sampler, logits, 500, NULL).token, first);
    weir_sampler_destroy(sampler);
}

/* --- memory ----------------------------------------------------------------------------------------------- */

TEST(sampler_batch, no_batch_call_allocates) {
    test_memory *memory = test_memory_create();
    weir_allocator allocator = test_allocator(memory);
    weir_sampler_options options = WEIR_SAMPLER_OPTIONS_INIT;
    options.allocator = &allocator;
    options.slot_count = 1;
    options.logits_width = 1000;
    weir_sampler *sampler;
    ASSERT_OK(weir_sampler_create(&options, &sampler, NULL), NULL);
    bind_seed(sampler, 0, 1);
    static float logits[1000];
    uint32_t mask[3 * 32], status, back = 1, valid;
    int32_t slot = 0, token = 3, line[6] = {1, 2, 3, 4, 5, 6}, length = 6, drafts[2] = {1, 2}, tokens[3];
    size_t calls = memory->calls;
    random_state = 61;
    for (int i = 0; i < 200; i++) {
        fill_random(logits, 1000);
        weir_sampling sampling = random_sampling(1000);
        step_one(sampler, logits, 1000, &sampling);
    }
    EXPECT_EQ(memory->calls, calls);
    bind_seed(sampler, 0, 1); /* this does */
    calls = memory->calls;
    EXPECT_OK(weir_sampler_masks(sampler, &slot, 1, mask, 32, NULL), NULL);
    EXPECT_OK(weir_sampler_advance(sampler, &slot, &token, 1, &status, NULL), NULL);
    EXPECT_OK(weir_sampler_rollback(sampler, &slot, &back, 1, &status, NULL), NULL);
    EXPECT_OK(weir_sampler_mask_logits(sampler, &slot, 1, logits, 1000, WEIR_DTYPE_F32, NULL), NULL);
    weir_catch_up catch_up = WEIR_CATCH_UP_INIT;
    catch_up.row_count = 1, catch_up.slots = &slot, catch_up.tokens = line, catch_up.tokens_stride = 6;
    catch_up.lengths = &length, catch_up.line_count = 1;
    EXPECT_OK(weir_sampler_catch_up(sampler, &catch_up, NULL), NULL);
    weir_draft_masks draft_masks = WEIR_DRAFT_MASKS_INIT;
    draft_masks.row_count = 1, draft_masks.slots = &slot, draft_masks.drafts = drafts, draft_masks.draft_count = 2;
    draft_masks.masks = mask, draft_masks.masks_stride = 32, draft_masks.valid_counts = &valid;
    EXPECT_OK(weir_sampler_draft_masks(sampler, &draft_masks, NULL), NULL);
    static float positions[3 * 1000];
    weir_step step = make_step(1, &slot, positions, 1000, NULL, tokens, NULL, NULL);
    step.drafts = drafts, step.draft_count = 2;
    EXPECT_OK(weir_sampler_step(sampler, &step, NULL), NULL);
    EXPECT_EQ(memory->calls, calls);
    weir_sampler_destroy(sampler);
}

TEST(sampler_batch, destroy_takes_NULL) {
    weir_sampler_destroy(NULL);
}

/* --- arguments -------------------------------------------------------------------------------------------- */

TEST(sampler_batch, create_refuses_sizes_outside_their_range) {
    weir_sampler *sampler;
    weir_error error;
    weir_sampler_options options = WEIR_SAMPLER_OPTIONS_INIT;
    EXPECT_STATUS(weir_sampler_create(NULL, &sampler, &error), WEIR_ERROR_ARGUMENT, &error);
    EXPECT_STATUS(weir_sampler_create(&options, NULL, &error), WEIR_ERROR_ARGUMENT, &error);
    options.logits_width = 5;
    sampler = (weir_sampler *)&options;
    EXPECT_STATUS(weir_sampler_create(&options, &sampler, &error), WEIR_ERROR_ARGUMENT, &error);
    EXPECT_NULL(sampler);
    EXPECT_CONTAINS(error.message, "slot_count");
    options.slot_count = 5, options.logits_width = 0;
    EXPECT_STATUS(weir_sampler_create(&options, &sampler, &error), WEIR_ERROR_ARGUMENT, &error);
    EXPECT_CONTAINS(error.message, "logits_width");
    options.logits_width = UINT32_MAX;
    EXPECT_STATUS(weir_sampler_create(&options, &sampler, NULL), WEIR_ERROR_ARGUMENT, NULL);
    options.logits_width = 5, options.size = 8;
    EXPECT_STATUS(weir_sampler_create(&options, &sampler, &error), WEIR_ERROR_ARGUMENT, &error);
    EXPECT_CONTAINS(error.message, "size");
}

TEST(sampler_batch, bind_and_release_refuse_bad_slots_and_stop_ids) {
    weir_sampler *sampler = make_sampler(&backend_cpu, 2, 10);
    weir_error error;
    weir_slot_options options = WEIR_SLOT_OPTIONS_INIT;
    EXPECT_STATUS(weir_sampler_bind(NULL, 0, &options, &error), WEIR_ERROR_ARGUMENT, &error);
    EXPECT_STATUS(weir_sampler_bind(sampler, 2, &options, &error), WEIR_ERROR_ARGUMENT, &error);
    EXPECT_CONTAINS(error.message, "slot is 2");
    EXPECT_STATUS(weir_sampler_release(sampler, 2, &error), WEIR_ERROR_ARGUMENT, &error);
    EXPECT_STATUS(weir_sampler_release(sampler, 0, &error), WEIR_ERROR_ARGUMENT, &error);
    options.stop_count = 1;
    EXPECT_STATUS(weir_sampler_bind(sampler, 0, &options, &error), WEIR_ERROR_ARGUMENT, &error);
    options.stop_ids = (const uint32_t[]){10};
    EXPECT_STATUS(weir_sampler_bind(sampler, 0, &options, &error), WEIR_ERROR_ARGUMENT, &error);
    EXPECT_CONTAINS(error.message, "stop_ids[0] is 10");
    options.stop_count = 0, options.token_budget = 5;
    EXPECT_STATUS(weir_sampler_bind(sampler, 0, &options, &error), WEIR_ERROR_ARGUMENT, &error);
    EXPECT_CONTAINS(error.message, "token_budget");
    EXPECT_OK(weir_sampler_bind(sampler, 0, NULL, &error), &error);
    EXPECT_OK(weir_sampler_release(sampler, 0, &error), &error);
    EXPECT_STATUS(weir_sampler_release(sampler, 0, &error), WEIR_ERROR_ARGUMENT, &error);
    weir_sampler_destroy(sampler);
}

static void expect_refused(weir_sampler *sampler, weir_step step, int row, const char *part) {
    weir_error error = {.row = 99};
    int32_t tokens[4] = {-7, -7, -7, -7};
    if (step.tokens) step.tokens = tokens;
    EXPECT_STATUS(weir_sampler_step(sampler, &step, &error), WEIR_ERROR_ARGUMENT, &error);
    EXPECT_EQ(error.row, row);
    EXPECT_CONTAINS(error.message, part);
    EXPECT_EQ(tokens[0], -7);
}

TEST(sampler_batch, step_refuses_bad_arguments_names_the_row_and_has_done_nothing) {
    static const float logits[4 * 10];
    int32_t token;
    weir_sampler *sampler = make_sampler(&backend_cpu, 4, 10);
    for (uint32_t slot = 0; slot < 3; slot++) bind_seed(sampler, slot, 5);
    const int32_t slots[3] = {0, -1, 2};
    weir_step good = make_step(3, slots, logits, 10, NULL, &token, NULL, NULL), step = good;
    step.slots = NULL, expect_refused(sampler, step, -1, "slots"), step = good;
    step.logits = NULL, expect_refused(sampler, step, -1, "logits"), step = good;
    step.tokens = NULL, expect_refused(sampler, step, -1, "tokens"), step = good;
    step.size = 16, expect_refused(sampler, step, -1, "size"), step = good;
    step.logits_stride = 9, expect_refused(sampler, step, -1, "logits_stride is 9"), step = good;
    step.logits_stride = SIZE_MAX / 4, expect_refused(sampler, step, -1, "stride"), step = good;
    step.slots = (const int32_t[]){0, 4, 2}, expect_refused(sampler, step, 1, "slot 4"), step = good;
    step.slots = (const int32_t[]){0, 2, -2}, expect_refused(sampler, step, 2, "slot -2"), step = good;
    step.slots = (const int32_t[]){0, 2, 0}, expect_refused(sampler, step, 2, "earlier row"), step = good;
    step.slots = (const int32_t[]){0, 3, 1}, expect_refused(sampler, step, 1, "not bound"), step = good;
    const weir_sampling bad[] = {
        SAMPLING(-1, 1, 0, 0),
        SAMPLING(NAN, 1, 0, 0),
        SAMPLING(1, 0, 0, 0),
        SAMPLING(1, 1.5f, 0, 0),
        SAMPLING(1, NAN, 0, 0),
        SAMPLING(1, 1, 1, 0),
        SAMPLING(1, 1, -1, 0),
        SAMPLING(1, 1, NAN, 0),
        {1, 1, 0, 0, -1, 0, 0, 0},
        {1, 1, 0, 0, INFINITY, 0, 0, 0},
        {1, 1, 0, 0, 1, NAN, 0, 0},
        {1, 1, 0, 0, 1, 0, INFINITY, 0},
        {1, 1, 0, 0, 1, 0, 0, 8},
        {INFINITY, 1, 0, 0, 1, 0, 1, WEIR_SAMPLING_TEMPERATURE_FIRST},
        {1, 1, 0, 0, 1.5f, 0, 0, 0},
    };
    static const char *const names[] = {"temperature",        "temperature",        "top_p",
                                        "top_p",              "top_p",              "min_p",
                                        "min_p",              "min_p",              "repetition_penalty",
                                        "repetition_penalty", "frequency_penalty",  "presence_penalty",
                                        "flags",              "temperature",        "count_tokens"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        step.sampling = (const weir_sampling[]){WEIR_SAMPLING_INIT, bad[i], bad[i]}; /* row 1 is idle */
        expect_refused(sampler, step, 2, names[i]);
    }
    EXPECT_STATUS(weir_sampler_step(sampler, NULL, NULL), WEIR_ERROR_ARGUMENT, NULL);
    EXPECT_STATUS(weir_sampler_step(NULL, &good, NULL), WEIR_ERROR_ARGUMENT, NULL);
    /* nothing was drawn: position 0 is still to come */
    static float row[10];
    EXPECT_EQ(step_one(sampler, row, 10, NULL).token, (uint64_t)((wide)philox_token_bits(5, 0) * 10 >> 64));
    weir_sampler_destroy(sampler);
}

TEST(sampler_batch, masks_and_advance_refuse_bad_arguments_and_name_the_row) {
    weir_sampler *sampler = make_sampler(&backend_cpu, 2, 40);
    bind_seed(sampler, 0, 1);
    weir_error error;
    uint32_t masks[4];
    const int32_t slots[2] = {0, 1}, tokens[2] = {0, 0};
    EXPECT_STATUS(weir_sampler_masks(sampler, slots, 1, masks, 1, &error), WEIR_ERROR_ARGUMENT, &error);
    EXPECT_CONTAINS(error.message, "stride is 1");
    EXPECT_STATUS(weir_sampler_masks(sampler, slots, 1, NULL, 2, &error), WEIR_ERROR_ARGUMENT, &error);
    EXPECT_STATUS(weir_sampler_masks(sampler, slots, 2, masks, 2, &error), WEIR_ERROR_ARGUMENT, &error);
    EXPECT_EQ(error.row, 1);
    EXPECT_STATUS(weir_sampler_advance(sampler, slots, tokens, 2, NULL, &error), WEIR_ERROR_ARGUMENT, &error);
    EXPECT_EQ(error.row, 1);
    EXPECT_STATUS(weir_sampler_advance(sampler, slots, NULL, 1, NULL, &error), WEIR_ERROR_ARGUMENT, &error);
    EXPECT_STATUS(weir_sampler_advance(sampler, NULL, tokens, 1, NULL, &error), WEIR_ERROR_ARGUMENT, &error);
    weir_sampler_destroy(sampler);
}

TEST(sampler_batch, no_rows_is_no_work) {
    weir_sampler *sampler = make_sampler(&backend_cpu, 1, 10);
    weir_step step = WEIR_STEP_INIT;
    EXPECT_OK(weir_sampler_step(sampler, &step, NULL), NULL);
    EXPECT_OK(weir_sampler_masks(sampler, NULL, 0, NULL, 0, NULL), NULL);
    EXPECT_OK(weir_sampler_advance(sampler, NULL, NULL, 0, NULL, NULL), NULL);
    EXPECT_OK(weir_sampler_rollback(sampler, NULL, NULL, 0, NULL, NULL), NULL);
    EXPECT_OK(weir_sampler_mask_logits(sampler, NULL, 0, NULL, 0, WEIR_DTYPE_F32, NULL), NULL);
    weir_catch_up catch_up = WEIR_CATCH_UP_INIT;
    EXPECT_OK(weir_sampler_catch_up(sampler, &catch_up, NULL), NULL);
    weir_draft_masks draft_masks = WEIR_DRAFT_MASKS_INIT;
    EXPECT_OK(weir_sampler_draft_masks(sampler, &draft_masks, NULL), NULL);
    weir_sampler_destroy(sampler);
}

TEST(sampler_batch, idle_rows_are_left_alone) {
    weir_sampler *sampler = make_sampler(&backend_cpu, 1, 10);
    static const float logits[20];
    const int32_t slots[2] = {-1, -1};
    int32_t tokens[2] = {5, 5};
    float logprobs[2];
    uint32_t statuses[2], masks[2] = {123, 456};
    weir_step step = make_step(2, slots, logits, 10, NULL, tokens, logprobs, statuses);
    ASSERT_OK(weir_sampler_step(sampler, &step, NULL), NULL);
    for (int row = 0; row < 2; row++)
        expect_equal((result){tokens[row], logprobs[row], statuses[row]}, (result){-1, 0, WEIR_ROW_STATUS_IDLE});
    ASSERT_OK(weir_sampler_masks(sampler, slots, 2, masks, 1, NULL), NULL);
    EXPECT_EQ(masks[0], 123);
    ASSERT_OK(weir_sampler_advance(sampler, slots, tokens, 2, statuses, NULL), NULL);
    EXPECT_EQ(statuses[1], WEIR_ROW_STATUS_IDLE);
    weir_sampler_destroy(sampler);
}

/* --- rows without a constraint ---------------------------------------------------------------------------- */

TEST(sampler_batch, a_row_without_a_constraint_allows_every_column_and_no_bit_beyond) {
    weir_sampler *sampler = make_sampler(&backend_cpu, 1, 37);
    bind_seed(sampler, 0, 1);
    uint32_t mask[4] = {1, 1, 1, 1};
    const int32_t slot = 0;
    ASSERT_OK(weir_sampler_masks(sampler, &slot, 1, mask, 4, NULL), NULL);
    const uint32_t expected[4] = {UINT32_MAX, 31, 0, 0};
    EXPECT_BYTES_EQ(mask, sizeof mask, expected, sizeof expected);
    weir_sampler_destroy(sampler);
}

TEST(sampler_batch, a_stop_token_stops_a_row_without_a_constraint) {
    weir_sampler *sampler = make_sampler(&backend_cpu, 1, 37);
    weir_slot_options options = WEIR_SLOT_OPTIONS_INIT;
    options.stop_ids = (const uint32_t[]){4, 7};
    options.stop_count = 2;
    ASSERT_OK(weir_sampler_bind(sampler, 0, &options, NULL), NULL);
    float logits[37] = {0};
    weir_sampling greedy = SAMPLING(0, 1, 0, 0);
    logits[5] = 1;
    expect_equal(step_one(sampler, logits, 37, &greedy), (result){5, 0, WEIR_ROW_STATUS_OK});
    logits[7] = 2;
    expect_equal(step_one(sampler, logits, 37, &greedy), (result){7, 0, WEIR_ROW_STATUS_STOPPED});
    expect_equal(step_one(sampler, logits, 37, &greedy), (result){-1, 0, WEIR_ROW_STATUS_STOPPED});
    uint32_t mask[2] = {1, 1}, status;
    const int32_t slot = 0, token = 5;
    ASSERT_OK(weir_sampler_masks(sampler, &slot, 1, mask, 2, NULL), NULL);
    EXPECT_EQ(mask[0] | mask[1], 0);
    ASSERT_OK(weir_sampler_advance(sampler, &slot, &token, 1, &status, NULL), NULL);
    EXPECT_EQ(status, WEIR_ROW_STATUS_REJECTED | WEIR_ROW_STATUS_STOPPED);
    ASSERT_OK(weir_sampler_bind(sampler, 0, &options, NULL), NULL); /* a new sequence is not stopped */
    expect_equal(step_one(sampler, logits, 37, &greedy), (result){7, 0, WEIR_ROW_STATUS_STOPPED});
    weir_sampler_destroy(sampler);
}

TEST(sampler_batch, advance_rejects_ids_outside_the_width_and_changes_nothing) {
    weir_sampler *sampler = make_sampler(&backend_cpu, 1, 37);
    bind_seed(sampler, 0, 5);
    static const int32_t bad[] = {-1, 37, INT32_MAX, INT32_MIN};
    const int32_t slot = 0;
    for (size_t i = 0; i < 4; i++) {
        uint32_t status;
        weir_error error;
        ASSERT_OK(weir_sampler_advance(sampler, &slot, &bad[i], 1, &status, NULL), NULL);
        EXPECT_EQ(status, WEIR_ROW_STATUS_REJECTED);
        EXPECT_STATUS(weir_sampler_advance(sampler, &slot, &bad[i], 1, NULL, &error), WEIR_ERROR_TOKEN, &error);
        EXPECT_EQ(error.row, 0);
    }
    static float logits[37];
    EXPECT_EQ(step_one(sampler, logits, 37, NULL).token, (uint64_t)((wide)philox_token_bits(5, 0) * 37 >> 64));
    weir_sampler_destroy(sampler);
}
