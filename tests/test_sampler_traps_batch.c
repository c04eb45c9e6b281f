/* test_sampler_traps_batch.c - traps 8 to 12 and 17 of test_sampler_traps.c: padding, strides, offsets, seeds, batches,
 * and constraints beside what a request bans. */
#ifndef _DEFAULT_SOURCE
#define _DEFAULT_SOURCE
#endif
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "kernels/fixed_math.h"
#include "kernels/philox.h"
#include "sampler_calls.h"

__extension__ typedef unsigned __int128 wide;

static const weir_sampling greedy = {0, 1, 0, 0, 1, 0, 0, 0};

static bool has_bit(const uint32_t *mask, uint32_t token) {
    return mask[token / 32] >> token % 32 & 1;
}

/* --- 8: padding --------------------------------------------------------------------------------------------- */

/* Columns behind the width, and bits behind it in a mask of the caller's. */
static void draw_beside_padding(uint32_t width) {
    enum { STRIDE = 1056, WORDS = STRIDE / 32, DRAWS = 4 };
    static float logits[STRIDE];
    uint32_t mask[WORDS];
    weir_sampler *sampler = make_sampler(&backend_cpu, 1, width);
    for (uint32_t i = 0; i < STRIDE; i++) logits[i] = i < width ? 0 : i % 2 ? INFINITY : 1e30f;
    for (int i = 0; i < 5 * DRAWS; i++) {
        weir_sampling sampling = SAMPLING((float)(i / DRAWS) / 2, i % 2 ? 0.9f : 1, 0, i % 3 ? 0 : 40);
        int32_t slot = 0, token;
        weir_step step = make_step(1, &slot, logits, STRIDE, &sampling, &token, NULL, NULL);
        if (i % 2) step.masks = mask, step.masks_stride = WORDS;
        memset(mask, i % 4 == 1 ? 0xFF : 0, sizeof mask); /* all, or few: of a wide row they are listed */
        mask[(width - 1) / 32] = UINT32_MAX;
        test_context("width %u, draw %d", width, i);
        bind_seed(sampler, 0, (uint64_t)i);
        ASSERT_OK(weir_sampler_step(sampler, &step, NULL), NULL);
        EXPECT_TRUE(token >= 0 && (uint32_t)token < width);
    }
    weir_sampler_destroy(sampler);
}

TEST(sampler_traps, padding_is_never_drawn_whatever_it_holds) {
    static const uint32_t widths[] = {1, 31, 32, 33, 63, 64, 65, 300, 1000};
    for (size_t i = 0; i < sizeof widths / sizeof *widths; i++) draw_beside_padding(widths[i]);
    /* and columns that the sampler has and the vocabulary has not, inside a string, which allows nearly all it has */
    constraint constraint = make_constraint("{\"type\":\"string\"}");
    weir_sampler *sampler = make_sampler(&backend_cpu, 1, CONSTRAINT_WIDTH);
    static float logits[CONSTRAINT_WIDTH];
    static uint32_t mask[12];
    int32_t slot = 0, quote = '"';
    weir_slot_options options = WEIR_SLOT_OPTIONS_INIT;
    options.grammar = constraint.grammar;
    for (uint32_t i = TOKEN_COUNT; i < CONSTRAINT_WIDTH; i++) logits[i] = i % 2 ? INFINITY : 1e30f;
    for (int i = 0; i < 30; i++) {
        weir_sampling sampling = SAMPLING((float)(i / 10), 1, 0, i % 2 ? 0 : 299);
        options.seed = (uint64_t)i;
        bind_slot(sampler, 0, options);
        EXPECT_EQ(advance_one(sampler, 0, quote), WEIR_ROW_STATUS_OK);
        EXPECT_LT(step_one(sampler, logits, CONSTRAINT_WIDTH, &sampling).token, TOKEN_COUNT);
    }
    bind_slot(sampler, 0, options);
    EXPECT_EQ(advance_one(sampler, 0, quote), WEIR_ROW_STATUS_OK);
    memset(mask, 0xFF, sizeof mask);
    ASSERT_OK(call_masks(sampler, &slot, 1, mask, 12, NULL), NULL);
    ASSERT_OK(call_mask_logits(sampler, &slot, 1, logits, CONSTRAINT_WIDTH, WEIR_DTYPE_F32, NULL), NULL);
    EXPECT_TRUE(has_bit(mask, 'a') && logits['a'] == 0);
    for (uint32_t i = TOKEN_COUNT; i < 12 * 32; i++) EXPECT_FALSE(has_bit(mask, i));
    for (uint32_t i = TOKEN_COUNT; i < CONSTRAINT_WIDTH; i++) EXPECT_TRUE(logits[i] == -INFINITY);
    weir_sampler_destroy(sampler);
    free_constraint(constraint);
}

/* --- 9: strides --------------------------------------------------------------------------------------------- */

/* Two rows, `stride` apart, from an element on that is `shift` behind a boundary of 64 bytes, +inf around them: as each
 * row alone on such a boundary. The largest logit of the first stands in its last column. */
static void compare_strided(weir_sampler *sampler, const char *rows, weir_dtype dtype, size_t stride, size_t shift) {
    static const int32_t slots[2] = {0, 1};
    static const uint32_t infinity[] = {0x7F800000u, 0x7C007C00u, 0x7F807F80u};
    const weir_sampling sampling[2] = {greedy, SAMPLING(0.8f, 0.95f, 0, 50)};
    size_t size = dtype_size(dtype), width = sampler_width(sampler);
    size_t bytes = (shift + 2 * stride) * size / 64 * 64 + 128;
    char *block = aligned_alloc(64, bytes);
    int32_t tokens[2], token;
    float logprobs[2], logprob;
    for (size_t i = 0; i < bytes; i += 4) memcpy(block + i, &infinity[dtype], 4);
    for (size_t i = 0; i < 2; i++) memcpy(block + (shift + i * stride) * size, rows + i * width * size, width * size);
    for (uint32_t i = 0; i < 2; i++) bind_seed(sampler, i, 31);
    weir_step step = make_step(2, slots, NULL, stride, sampling, tokens, logprobs, NULL);
    step.logits = block + shift * size, step.dtype = dtype;
    ASSERT_OK(weir_sampler_step(sampler, &step, NULL), NULL);
    EXPECT_EQ(tokens[0], width - 1);
    for (uint32_t i = 0; i < 2; i++) {
        memcpy(block, rows + i * width * size, width * size);
        step = make_step(1, &slots[i], NULL, width, &sampling[i], &token, &logprob, NULL);
        step.logits = block, step.dtype = dtype;
        bind_seed(sampler, i, 31);
        ASSERT_OK(weir_sampler_step(sampler, &step, NULL), NULL);
        EXPECT_EQ(tokens[i], token);
        EXPECT_EQ(bits_of(logprobs[i]), bits_of(logprob));
    }
    free(block);
}

/* The last logit becomes the largest finite one; any that were not below that become 0. */
static void raise_last(char *row, weir_dtype dtype, size_t width) {
    static const uint16_t most[] = {0, 0x7BFF, 0x7F7F};
    float *floats = (float *)row;
    uint16_t *halves = (uint16_t *)row;
    for (size_t i = 0; i < width; i++) {
        if (dtype == WEIR_DTYPE_F32 && !(floats[i] < FLT_MAX)) floats[i] = 0;
        if (dtype != WEIR_DTYPE_F32 && (halves[i] & 0x7FFF) >= most[dtype]) halves[i] = 0;
    }
    if (dtype == WEIR_DTYPE_F32)
        floats[width - 1] = FLT_MAX;
    else
        halves[width - 1] = most[dtype];
}

TEST(sampler_traps, rows_of_odd_vocabularies_at_any_stride_and_alignment_are_those_alone) {
    static const uint32_t widths[] = {128257, 151665}; /* of models in use */
    static const size_t strides[] = {0, 1, 7};
    random_state = 211;
    for (int i = 0; i < 2; i++) {
        size_t width = widths[i];
        char *rows = malloc(2 * width * 4);
        weir_sampler *sampler = make_sampler(&backend_cpu, 2, widths[i]);
        for (int type = 0; type < 3; type++) {
            weir_dtype dtype = (weir_dtype)type;
            fill_typed(rows, dtype, 2 * width);
            raise_last(rows, dtype, width);
            test_context("width %zu, type %d", width, type);
            compare_strided(sampler, rows, dtype, width + strides[(type + i) % 3], 1 + 4 * (size_t)i);
        }
        weir_sampler_destroy(sampler);
        free(rows);
    }
}

/* --- 10: offsets -------------------------------------------------------------------------------------------- */

enum { FAR_ROWS = 6, FAR_WIDTH = 8 };

/* bfloat16 rows so far apart that row 2 begins behind 2^31 elements and 2^32 bytes, and row 4 behind 2^32 elements. The
 * logit 1 of each row stands in another column; where fewer bits would look for it stands +inf. */
static uint16_t *far_rows(size_t stride) {
    size_t bytes = (FAR_ROWS * stride + 64) * sizeof(uint16_t);
    uint16_t *logits = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (logits == MAP_FAILED) SKIP("no %zu bytes of address space", bytes);
    for (size_t i = 0; i < FAR_ROWS; i++) {
        size_t at = i * stride;
        for (int column = 0; column < FAR_WIDTH && at != (uint32_t)at; column++) logits[(uint32_t)at + column] = 0x7F80;
        for (int column = 0; column < FAR_WIDTH && 2 * at != (uint32_t)(2 * at); column++)
            logits[(uint32_t)(2 * at) / 2 + column] = 0x7F80;
    }
    for (size_t i = 0; i < FAR_ROWS; i++)
        for (size_t column = 0; column < FAR_WIDTH; column++)
            logits[i * stride + column] = column == i + 1 ? 0x3F80 : 0;
    return logits;
}

TEST(sampler_traps, offsets_beyond_2_to_the_32_elements_reach_the_row_that_was_meant) {
    const size_t stride = ((size_t)1 << 30) + 61, masks_stride = ((size_t)1 << 30) + 3;
    size_t masks_bytes = (FAR_ROWS * masks_stride + 1) * sizeof(uint32_t),
           bytes = (FAR_ROWS * stride + 64) * sizeof(uint16_t);
    static const int32_t slots[FAR_ROWS] = {0, 1, 2, 3, 4, 5}, drafts[2][2] = {{1, 2}, {4, 5}};
    uint16_t *logits = far_rows(stride);
    uint32_t *masks =
        mmap(NULL, masks_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (masks == MAP_FAILED) SKIP("no %zu bytes of address space", masks_bytes);
    int32_t tokens[FAR_ROWS];
    weir_sampling sampling[FAR_ROWS];
    weir_sampler *sampler = make_sampler(&backend_cpu, FAR_ROWS, FAR_WIDTH);
    for (uint32_t i = 0; i < FAR_ROWS; i++) sampling[i] = greedy, bind_seed(sampler, i, 1);
    weir_step step = make_step(FAR_ROWS, slots, NULL, stride, sampling, tokens, NULL, NULL);
    step.logits = logits, step.dtype = WEIR_DTYPE_BF16;
    ASSERT_OK(weir_sampler_step(sampler, &step, NULL), NULL);
    for (int i = 0; i < FAR_ROWS; i++) EXPECT_EQ(tokens[i], i + 1);
    for (size_t i = 0; i < FAR_ROWS; i++) masks[i * masks_stride] = 0x81; /* the columns 0 and 7; elsewhere nothing */
    step.masks = masks, step.masks_stride = masks_stride;
    ASSERT_OK(weir_sampler_step(sampler, &step, NULL), NULL);
    for (int i = 0; i < FAR_ROWS; i++) EXPECT_EQ(tokens[i], 0);
    for (uint32_t i = 0; i < 2; i++) bind_seed(sampler, i, 1);
    step.row_count = 2, step.drafts = drafts[0], step.draft_count = 2, step.masks = NULL; /* six positions */
    ASSERT_OK(weir_sampler_step(sampler, &step, NULL), NULL);
    for (int i = 0; i < FAR_ROWS; i++) EXPECT_EQ(tokens[i], i + 1);
    for (uint32_t i = 0; i < FAR_ROWS; i++) {
        weir_slot_options options = WEIR_SLOT_OPTIONS_INIT;
        options.allowed_tokens = &i, options.allowed_count = 1;
        bind_slot(sampler, i, options);
    }
    ASSERT_OK(weir_sampler_mask_logits(sampler, slots, FAR_ROWS, logits, stride, WEIR_DTYPE_BF16, NULL), NULL);
    for (size_t i = 0; i < FAR_ROWS; i++)
        for (size_t column = 0; column < FAR_WIDTH; column++)
            EXPECT_EQ(logits[i * stride + column], column == i ? 0 : 0xFF80);
    weir_sampler_destroy(sampler);
    munmap(logits, bytes);
    munmap(masks, masks_bytes);
}

/* --- 11, 12: seeds and batches ------------------------------------------------------------------------------ */

/* Equal logits: the token is the random number's leading part. Filters in between take no number more. */
TEST(sampler_traps, the_draw_is_of_seed_and_position_alone_one_number_a_step) {
    enum { WIDTH = 1000, ROWS = 9, STEPS = 4 };
    static float logits[ROWS * WIDTH];
    static const int32_t slots[ROWS] = {7, -1, 2, 0, 5, -1, 1, 6, 3};
    static const uint64_t seeds[8] = {5, 5, 6, 5 + ((uint64_t)1 << 32), 0, (uint64_t)5 << 32, UINT64_MAX, 0};
    weir_sampler *sampler = make_sampler(&backend_cpu, 8, WIDTH);
    for (uint32_t i = 0; i < 8; i++) bind_seed(sampler, i, seeds[i]);
    for (uint64_t position = 0; position < STEPS; position++) {
        int32_t tokens[ROWS];
        weir_sampling sampling[ROWS];
        bool filtered = position % 2 != 0;
        uint32_t kept = filtered ? WIDTH / 2 : WIDTH; /* the lowest ids, by top-p or by top-k */
        for (int i = 0; i < ROWS; i++)
            sampling[i] = SAMPLING(1, filtered && i % 2 ? 0.5f : 1, 0, filtered && i % 2 == 0 ? WIDTH / 2 : 0);
        weir_step step = make_step(ROWS, slots, logits, WIDTH, sampling, tokens, NULL, NULL);
        ASSERT_OK(weir_sampler_step(sampler, &step, NULL), NULL);
        for (int i = 0; i < ROWS; i++) {
            if (slots[i] < 0) continue;
            uint64_t bits = philox_token_bits(seeds[slots[i]], position);
            test_context("position %d, row %d", (int)position, i);
            EXPECT_EQ(tokens[i], (uint64_t)((wide)bits * kept >> 64));
        }
    }
    weir_sampler_destroy(sampler);
}

enum { WIDE = 20011 /* a row that more than one block shares */, WIDE_ROWS = 3, BATCH = 70 };

/* The three rows, of slots 0 to 2, in a batch of `count` whose other rows are idle; outcomes by slot. */
static void run_wide(const float *rows, const weir_sampling *settings, const int32_t *slots, uint32_t count,
                     outcome *outcomes) {
    static float logits[BATCH * WIDE];
    weir_sampling sampling[BATCH];
    outcome found[BATCH];
    weir_sampler *sampler = call_sampler(WIDE_ROWS, WIDE, 0);
    for (uint32_t i = 0; i < WIDE_ROWS; i++) bind_seed(sampler, i, i);
    for (uint32_t i = 0; i < count; i++) {
        sampling[i] = settings[slots[i] < 0 ? 0 : slots[i]];
        if (slots[i] >= 0) memcpy(logits + i * WIDE, rows + slots[i] * WIDE, WIDE * sizeof *rows);
    }
    weir_step step = make_step(count, slots, logits, WIDE, sampling, NULL, NULL, NULL);
    ASSERT_OK(call_step(sampler, &step, found, NULL), NULL);
    for (uint32_t i = 0; i < count; i++)
        if (slots[i] >= 0) outcomes[slots[i]] = found[i];
    weir_sampler_destroy(sampler);
}

TEST(sampler_traps, batch_row_order_variant_and_cluster_change_no_bit_of_wide_rows) {
    static float rows[WIDE_ROWS * WIDE];
    static outcome expected[WIDE_ROWS], found[WIDE_ROWS];
    static const weir_sampling settings[WIDE_ROWS] = {{1, 0.99f, 0, 0, 1, 0, 0, 0},
                                                      {0.7f, 1, 1e-6f, 900, 1, 0, 0, 0},
                                                      {INFINITY, 0.5f, 0, 0, 1, 0, 0, WEIR_SAMPLING_JOINT}};
    int32_t slots[BATCH];
    random_state = 221;
    for (uint32_t i = 0; i < WIDE_ROWS * WIDE; i++)
        rows[i] = (float)random_normal() * (i < WIDE ? 3 : 1), rows[i] = i < 2 * WIDE ? rows[i] : floorf(rows[i]);
    /* one token of about 0.95 in the first two, for near 1 a log-probability shows the last bits of the sum */
    rows[77] = 17.3f, rows[WIDE + 7777] = 9.7f;
    memset(slots, 0xFF, sizeof slots);
    for (int i = 0; i < WIDE_ROWS; i++) slots[i] = i;
    for (uint32_t choice = 0; next_choice(choice); choice++) {
        for (int i = 0; i < WIDE_ROWS; i++) slots[i] = i;
        if (choice == 0) run_wide(rows, settings, slots, WIDE_ROWS, expected);
        if (choice % 3 == 1) slots[0] = 2, slots[2] = 0;
        if (choice % 3 == 2) slots[0] = -1, slots[BATCH - 1] = 0;
        run_wide(rows, settings, slots, choice % 3 == 1 ? WIDE_ROWS : BATCH, found);
        slots[BATCH - 1] = -1;
        expect_outcomes(found, expected, WIDE_ROWS);
    }
}

/* --- 17: constraints and requests --------------------------------------------------------------------------- */

TEST(sampler_traps, a_ban_of_the_only_token_is_reported_inside_a_text_and_gives_way_behind_it) {
    static const uint32_t t = 't', tr = TR, whole = TRUE, stop = STOP, end[2] = {TRUE, STOP};
    static const weir_token_run bans[] = {{&tr, 1}, {&whole, 1}, {&t, 1}}, stops[] = {{&stop, 1}, {end, 2}};
    constraint constraint = make_constraint("{\"const\":true}");
    weir_sampler *sampler = make_sampler(&backend_cpu, 1, CONSTRAINT_WIDTH);
    static float logits[CONSTRAINT_WIDTH];
    weir_slot_options options = WEIR_SLOT_OPTIONS_INIT;
    options.grammar = constraint.grammar;
    options.bad_words = bans, options.bad_word_count = 2; /* of three tokens that may begin the text one is left */
    bind_slot(sampler, 0, options);
    expect_equal(step_one(sampler, logits, CONSTRAINT_WIDTH, NULL), (result){'t', 0, WEIR_ROW_STATUS_OK});
    options.bad_word_count = 3;
    bind_slot(sampler, 0, options);
    expect_mask(sampler, CONSTRAINT_WIDTH, NULL, 0);
    expect_equal(step_one(sampler, logits, CONSTRAINT_WIDTH, NULL), (result){-1, 0, WEIR_ROW_STATUS_NO_TOKEN});
    for (uint32_t i = 0; i < 2; i++) { /* the stop token alone, and behind what was taken */
        options.bad_words = &stops[i], options.bad_word_count = 1;
        bind_slot(sampler, 0, options);
        EXPECT_EQ(advance_one(sampler, 0, TRUE), WEIR_ROW_STATUS_OK);
        expect_equal(step_one(sampler, logits, CONSTRAINT_WIDTH, NULL),
                     (result){STOP, 0, WEIR_ROW_STATUS_STOPPED | WEIR_ROW_STATUS_STOP_FORCED});
    }
    weir_sampler_destroy(sampler);
    free_constraint(constraint);
}

/* One digit is a text, and two are all that maximum allows; 77.0 would be an integer, too, but the point is banned. */
TEST(sampler_traps, min_tokens_holds_the_stop_token_back_only_while_the_text_can_go_on) {
    static const uint32_t point = '.';
    static const weir_token_run ban = {&point, 1};
    constraint constraint = make_constraint("{\"type\":\"integer\",\"minimum\":1,\"maximum\":99}");
    weir_sampler *sampler = make_sampler(&backend_cpu, 1, CONSTRAINT_WIDTH);
    static float logits[CONSTRAINT_WIDTH];
    weir_slot_options options = WEIR_SLOT_OPTIONS_INIT;
    options.grammar = constraint.grammar;
    options.min_tokens = 5;
    options.bad_words = &ban, options.bad_word_count = 1;
    logits['7'] = -50, logits[STOP] = 50;
    for (uint32_t i = 0; i < CONSTRAINT_WIDTH; i++)
        if (i != '7' && i != STOP) logits[i] = -60;
    bind_slot(sampler, 0, options);
    expect_equal(step_one(sampler, logits, CONSTRAINT_WIDTH, &greedy), (result){'7', 0, WEIR_ROW_STATUS_OK});
    expect_equal(step_one(sampler, logits, CONSTRAINT_WIDTH, &greedy), (result){'7', 0, WEIR_ROW_STATUS_OK});
    expect_equal(step_one(sampler, logits, CONSTRAINT_WIDTH, &greedy),
                 (result){STOP, 0, WEIR_ROW_STATUS_STOPPED | WEIR_ROW_STATUS_STOP_FORCED});
    options.min_tokens = 1;
    bind_slot(sampler, 0, options);
    EXPECT_EQ(step_one(sampler, logits, CONSTRAINT_WIDTH, &greedy).token, '7');
    expect_equal(step_one(sampler, logits, CONSTRAINT_WIDTH, &greedy), (result){STOP, 0, WEIR_ROW_STATUS_STOPPED});
    weir_sampler_destroy(sampler);
    free_constraint(constraint);
}

/* Listed, forced and stop tokens, with biases and bans: ln of the softmax over all columns, in doubles. */
TEST(sampler_traps, raw_logprobs_of_a_constrained_row_are_of_the_untouched_logits) {
    static const uint32_t banned = 'f';
    static const weir_token_run ban = {&banned, 1};
    constraint constraint = make_constraint("{\"enum\":[true,false]}");
    weir_sampler *sampler = make_sampler(&backend_cpu, 1, CONSTRAINT_WIDTH);
    static float logits[CONSTRAINT_WIDTH];
    weir_slot_options options = WEIR_SLOT_OPTIONS_INIT;
    options.grammar = constraint.grammar;
    options.bias = (const weir_logit_bias[]){{'t', -100}, {TRUE, -100}, {TR, 100}, {'x', 100}}, options.bias_count = 4;
    options.bad_words = &ban, options.bad_word_count = 1;
    random_state = 231;
    for (uint64_t seed = 0; seed < 10; seed++) {
        weir_sampling sampling = SAMPLING((float)seed / 4, 0.9f, 0, 4);
        uint32_t status = 0;
        options.seed = seed;
        bind_slot(sampler, 0, options);
        for (int position = 0; position < 6 && status == WEIR_ROW_STATUS_OK; position++) {
            int32_t slot = 0, token;
            float logprob;
            double sum = 0;
            for (int i = 0; i < CONSTRAINT_WIDTH; i++)
                logits[i] = (float)random_normal() * 4, sum += exp((double)logits[i]);
            weir_step step = make_step(1, &slot, logits, CONSTRAINT_WIDTH, &sampling, &token, &logprob, &status);
            step.raw_logprobs = true;
            ASSERT_OK(weir_sampler_step(sampler, &step, NULL), NULL);
            test_context("seed %d, position %d", (int)seed, position);
            ASSERT_TRUE(token >= 0 && token != 'f');
            EXPECT_NEAR(logprob, logits[token] - log(sum), 1e-5);
        }
        EXPECT_EQ(status, WEIR_ROW_STATUS_STOPPED);
    }
    weir_sampler_destroy(sampler);
    free_constraint(constraint);
}
