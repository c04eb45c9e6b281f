/* test_sampler_masks.c - what may follow: logits masked in place, and masks behind drafts. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/fixed_math.h"
#include "sampler_calls.h"

enum { WIDTH = CONSTRAINT_WIDTH, WORDS = (WIDTH + 31) / 32 };

static bool has_bit(const uint32_t *mask, uint32_t token) {
    return mask[token / 32] >> token % 32 & 1;
}

/* --- logits masked in place -------------------------------------------------------------------------------- */

enum { ROWS = 5, STRIDE = WIDTH + 7 };

/* Every column of `found` that the masks exclude is -infinity, every other as it was. Idle rows are untouched. */
static void expect_masked(const void *found, const void *before, weir_dtype dtype, const int32_t *slots,
                          const uint32_t *masks) {
    static const uint32_t lowest[] = {0xFF800000u, 0xFC00u, 0xFF80u};
    size_t size = dtype_size(dtype);
    for (uint32_t row = 0; row < ROWS; row++)
        for (uint32_t column = 0; column < STRIDE; column++) {
            size_t at = (row * (size_t)STRIDE + column) * size;
            uint32_t is = 0, was = 0;
            memcpy(&is, (const char *)found + at, size);
            memcpy(&was, (const char *)before + at, size);
            bool out = slots[row] >= 0 && column < WIDTH && !has_bit(masks + row * WORDS, column);
            if (is == (out ? lowest[dtype] : was)) continue;
            ADD_FAILURE("row %u, column %u: %#x became %#x", row, column, was, is);
            return;
        }
}

TEST(sampler_masks, masked_logits_are_minus_infinity_where_the_mask_has_no_bit_and_keep_their_bits_elsewhere) {
    static char before[ROWS * STRIDE * 4], found[ROWS * STRIDE * 4];
    constraint constraints[CONSTRAINT_COUNT];
    make_constraints(constraints);
    weir_sampler *sampler = call_sampler(ROWS, WIDTH, 0);
    random_state = 121;
    for (int round = 0; round < 300 && !test_has_failed(); round++) {
        test_context("seed 121, round %d", round);
        weir_dtype dtype = (weir_dtype)(round % 3);
        int32_t slots[ROWS] = {3, 1, -1, 0, 4}, tokens[ROWS];
        uint32_t masks[ROWS * WORDS], statuses[ROWS];
        if (round % 10 == 0)
            for (uint32_t slot = 0; slot < ROWS; slot++) bind_slot(sampler, slot, random_slot(constraints));
        for (size_t i = 0; i < sizeof before; i += 4) { /* any bits, quiet and signalling NaN among them */
            uint32_t bits = (uint32_t)random_bits() | (random_below(8) == 0 ? 0x7F800000u : 0);
            memcpy(before + i, &bits, 4);
        }
        memcpy(found, before, sizeof found);
        memset(masks, 0, sizeof masks);
        ASSERT_OK(call_masks(sampler, slots, ROWS, masks, WORDS, NULL), NULL);
        ASSERT_OK(call_mask_logits(sampler, slots, ROWS, found, STRIDE, dtype, NULL), NULL);
        expect_masked(found, before, dtype, slots, masks);
        for (int row = 0; row < ROWS; row++) {
            uint32_t token = random_below(WIDTH);
            for (int i = 0; i < WIDTH && slots[row] >= 0 && !has_bit(masks + row * WORDS, token); i++)
                token = (token + 1) % WIDTH;
            tokens[row] = (int32_t)token;
        }
        ASSERT_OK(call_advance(sampler, slots, tokens, ROWS, statuses, NULL), NULL);
    }
    weir_sampler_destroy(sampler);
    free_constraints(constraints);
}

TEST(sampler_masks, logits_of_a_free_slot_keep_every_bit_and_those_of_a_stopped_one_none) {
    enum { NARROW = 37 };
    weir_sampler *sampler = call_sampler(2, NARROW, 0);
    float logits[2 * NARROW];
    const int32_t slots[2] = {0, 1};
    for (int i = 0; i < 2 * NARROW; i++) logits[i] = (float)i;
    bind_seed(sampler, 0, 1);
    bind_slot(sampler, 1, stopping_at(4));
    EXPECT_EQ(advance_one(sampler, 1, 4), WEIR_ROW_STATUS_STOPPED);
    ASSERT_OK(call_mask_logits(sampler, slots, 2, logits, NARROW, WEIR_DTYPE_F32, NULL), NULL);
    for (int i = 0; i < NARROW; i++) {
        EXPECT_EQ(bits_of(logits[i]), bits_of((float)i));
        EXPECT_EQ(bits_of(logits[NARROW + i]), bits_of(-INFINITY));
    }
    weir_sampler_destroy(sampler);
}

/* --- masks behind drafts ----------------------------------------------------------------------------------- */

enum { SLOTS = 4, DRAFTS = 7, WIDE = WORDS + 2 };

typedef struct chain {
    uint32_t masks[DRAFTS + 1][WIDE], valid;
} chain;

/* By masks, advance and rollback. */
static chain chain_by_moves(weir_sampler *sampler, int32_t slot, const int32_t *drafts, uint32_t count) {
    chain chain;
    memset(&chain, 0, sizeof chain);
    for (;; chain.valid++) {
        uint32_t status;
        ASSERT_OK(call_masks(sampler, &slot, 1, chain.masks[chain.valid], WIDE, NULL), NULL);
        if (chain.valid == count) break;
        int32_t draft = drafts[chain.valid];
        if (draft < 0 || draft >= WIDTH || !has_bit(chain.masks[chain.valid], (uint32_t)draft)) break;
        ASSERT_OK(call_advance(sampler, &slot, &draft, 1, &status, NULL), NULL);
        ASSERT_FALSE(status & WEIR_ROW_STATUS_REJECTED);
    }
    ASSERT_OK(call_rollback(sampler, &slot, &chain.valid, 1, NULL, NULL), NULL);
    return chain;
}

/* Drafts that may follow, as a rule; they are taken and given back. */
static void guess(weir_sampler *sampler, int32_t slot, int32_t *drafts, uint32_t count) {
    uint32_t taken = 0, status;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t mask[WORDS], token = random_below(WIDTH), odd = random_below(25);
        ASSERT_OK(call_masks(sampler, &slot, 1, mask, WORDS, NULL), NULL);
        for (int k = 0; k < WIDTH && !has_bit(mask, token); k++) token = (token + 1) % WIDTH;
        drafts[i] = odd == 0 ? -1 : odd == 1 ? WIDTH + 5 : odd == 2 ? (int32_t)random_below(WIDTH) : (int32_t)token;
        ASSERT_OK(call_advance(sampler, &slot, &drafts[i], 1, &status, NULL), NULL);
        taken += !(status & WEIR_ROW_STATUS_REJECTED);
    }
    ASSERT_OK(call_rollback(sampler, &slot, &taken, 1, NULL, NULL), NULL);
}

TEST(sampler_masks, masks_behind_drafts_are_those_of_advancing_by_them_and_going_back) {
    static chain expected[SLOTS];
    static uint32_t masks[SLOTS * (DRAFTS + 1) * WIDE];
    constraint constraints[CONSTRAINT_COUNT];
    make_constraints(constraints);
    weir_sampler *sampler = call_sampler(SLOTS, WIDTH, 25), *twin = call_sampler(SLOTS, WIDTH, 25);
    random_state = 122;
    uint32_t whole = 0, partly = 0;
    for (int round = 0; round < 500 && !test_has_failed(); round++) {
        test_context("seed 122, round %d", round);
        uint32_t count = random_below(DRAFTS + 1), valid[SLOTS];
        int32_t slots[SLOTS] = {2, 0, 3, 1}, drafts[SLOTS * DRAFTS], tokens[SLOTS];
        if (round % 12 == 0)
            for (uint32_t slot = 0; slot < SLOTS; slot++) {
                weir_slot_options options = random_slot(constraints);
                bind_slot(sampler, slot, options);
                bind_slot(twin, slot, options);
            }
        if (random_below(5) == 0) slots[random_below(SLOTS)] = -1;
        memset(masks, 0x77, sizeof masks);
        for (uint32_t row = 0; row < SLOTS; row++) {
            memset(&expected[row], 0x77, sizeof *expected); /* idle rows are untouched */
            expected[row].valid = 0;
            if (slots[row] < 0) continue;
            guess(twin, slots[row], drafts + row * count, count);
            expected[row] = chain_by_moves(twin, slots[row], drafts + row * count, count);
            whole += expected[row].valid == count && count > 3;
            partly += expected[row].valid < count && expected[row].valid > 0;
        }
        for (uint32_t row = 0; row < SLOTS; row++)
            if (slots[row] < 0) memset(drafts + row * count, 0, count * sizeof *drafts);
        weir_draft_masks ask = WEIR_DRAFT_MASKS_INIT;
        ask.row_count = SLOTS, ask.slots = slots, ask.drafts = drafts, ask.draft_count = count;
        ask.masks_stride = WIDE, ask.masks = masks, ask.valid_counts = valid;
        ASSERT_OK(call_draft_masks(sampler, &ask, NULL), NULL);
        for (uint32_t row = 0; row < SLOTS; row++) {
            size_t bytes = (count + 1) * WIDE * sizeof *masks;
            EXPECT_EQ(valid[row], expected[row].valid);
            EXPECT_BYTES_EQ(masks + row * (count + 1) * WIDE, bytes, expected[row].masks, bytes);
        }
        uint32_t alone[SLOTS]; /* either may be left out */
        ask.masks = NULL, ask.masks_stride = 0, ask.valid_counts = alone;
        ASSERT_OK(call_draft_masks(sampler, &ask, NULL), NULL);
        EXPECT_BYTES_EQ(alone, sizeof alone, valid, sizeof valid);
        /* both go on the same way: nothing was changed */
        static const float logits[SLOTS * WIDTH];
        outcome a[SLOTS], b[SLOTS];
        weir_sampling sampling[SLOTS];
        for (uint32_t row = 0; row < SLOTS; row++) sampling[row] = random_settings(WIDTH);
        weir_step step = make_step(SLOTS, slots, logits, WIDTH, sampling, tokens, NULL, NULL);
        ASSERT_OK(call_step(sampler, &step, a, NULL), NULL);
        ASSERT_OK(call_step(twin, &step, b, NULL), NULL);
        expect_outcomes(a, b, SLOTS);
    }
    EXPECT_GT(whole, 200);
    EXPECT_GT(partly, 100);
    weir_sampler_destroy(sampler);
    weir_sampler_destroy(twin);
    free_constraints(constraints);
}

/* Every token that could be taken back before still can, at every fill of the history: a draft would overwrite the
 * oldest. */
TEST(sampler_masks, masks_behind_drafts_leave_the_whole_history) {
    enum { BACK = 256, COUNT = WEIR_DRAFTS_MOST };
    constraint constraint = make_constraint("{\"type\":\"array\",\"items\":{\"type\":\"boolean\"}}");
    weir_slot_options options = WEIR_SLOT_OPTIONS_INIT;
    const weir_token_run word = {(const uint32_t[]){'[', TRUE, ',', 'f'}, 4};
    options.grammar = constraint.grammar, options.count_tokens = true;
    options.bad_words = &word, options.bad_word_count = 1;
    for (int total = 200; total < 1200; total += 83) {
        test_context("%d tokens", total);
        weir_sampler *sampler = call_sampler(1, WIDTH, 0), *twin = call_sampler(1, WIDTH, 0);
        int32_t slot = 0, drafts[COUNT];
        uint32_t valid;
        bind_slot(sampler, 0, options);
        bind_slot(twin, 0, options);
        for (int i = 0; i < total; i++) {
            int32_t token = i == 0 ? '[' : i % 2 ? TRUE : ',';
            EXPECT_EQ(advance_one(sampler, 0, token), WEIR_ROW_STATUS_OK);
            EXPECT_EQ(advance_one(twin, 0, token), WEIR_ROW_STATUS_OK);
        }
        for (int i = 0; i < COUNT; i++) drafts[i] = (const int32_t[]){FAL, SE, ','}[(i + (total % 2 ? 0 : 2)) % 3];
        weir_draft_masks ask = WEIR_DRAFT_MASKS_INIT;
        ask.row_count = 1, ask.slots = &slot, ask.drafts = drafts, ask.draft_count = COUNT, ask.valid_counts = &valid;
        for (int i = 0; i < 20; i++) {
            ASSERT_OK(call_draft_masks(sampler, &ask, NULL), NULL);
            EXPECT_EQ(valid, COUNT);
        }
        uint32_t back = total < BACK ? (uint32_t)total : BACK;
        EXPECT_STATUS(rollback_one(sampler, 0, back + 1, NULL), WEIR_ERROR_ARGUMENT, NULL);
        ASSERT_OK(rollback_one(sampler, 0, back, NULL), NULL);
        ASSERT_OK(rollback_one(twin, 0, back, NULL), NULL);
        expect_same_masks(sampler, twin, 1, WIDTH);
        static const float logits[WIDTH]; /* and each was uncounted */
        weir_sampling sampling = SAMPLING(1, 1, 0, 0);
        sampling.frequency_penalty = 0.01f;
        for (int i = 0; i < 5; i++)
            expect_equal(step_one(sampler, logits, WIDTH, &sampling), step_one(twin, logits, WIDTH, &sampling));
        weir_sampler_destroy(sampler);
        weir_sampler_destroy(twin);
    }
    free_constraint(constraint);
}

TEST(sampler_masks, a_draft_that_the_request_bans_is_not_valid_and_nothing_is_behind_a_stop_token) {
    weir_sampler *sampler = call_sampler(1, WIDTH, 0);
    weir_slot_options options = stopping_at(9);
    const weir_token_run word = {(const uint32_t[]){1, 2}, 2};
    options.bad_words = &word, options.bad_word_count = 1;
    options.min_tokens = 2;
    bind_slot(sampler, 0, options);
    static const struct {
        int32_t drafts[4];
        uint32_t valid;
    } cases[] = {
        {{3, 1, 2, 4}, 2},                    /* 1 2 is a bad word */
        {{3, 1, 3, 2}, 4}, {{9, 3, 3, 3}, 0}, /* before min_tokens */
        {{3, 3, 9, 3}, 3}, {{3, -1, 3, 3}, 1}, {{3, 3, 3, 9}, 4}, {{WIDTH, 3, 3, 3}, 0}, {{3, 3, 3, INT32_MIN}, 3},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        test_context("case %zu", i);
        int32_t slot = 0;
        uint32_t valid, masks[5][WORDS];
        weir_draft_masks ask = WEIR_DRAFT_MASKS_INIT;
        ask.row_count = 1, ask.slots = &slot, ask.drafts = cases[i].drafts, ask.draft_count = 4;
        ask.masks = masks[0], ask.masks_stride = WORDS, ask.valid_counts = &valid;
        ASSERT_OK(call_draft_masks(sampler, &ask, NULL), NULL);
        EXPECT_EQ(valid, cases[i].valid);
        for (uint32_t position = 0; position < 5; position++) {
            bool stopped = position > 0 && cases[i].drafts[position - 1] == 9;
            EXPECT_EQ(has_bit(masks[position], 3), position <= valid && !stopped);
        }
    }
    weir_sampler_destroy(sampler);
}

TEST(sampler_masks, a_sequence_without_a_legal_token_has_no_masks_and_no_valid_drafts) {
    weir_sampler *sampler = call_sampler(1, WIDTH, 0);
    static float bad[WIDTH];
    const int32_t slot = 0, drafts[2] = {1, 2};
    uint32_t masks[3 * WORDS], valid = 7;
    bind_seed(sampler, 0, 1);
    for (int i = 0; i < WIDTH; i++) bad[i] = NAN;
    EXPECT_EQ(step_one(sampler, bad, WIDTH, NULL).status, WEIR_ROW_STATUS_NO_TOKEN);
    weir_draft_masks ask = WEIR_DRAFT_MASKS_INIT;
    ask.row_count = 1, ask.slots = &slot, ask.drafts = drafts, ask.draft_count = 2;
    ask.masks = masks, ask.masks_stride = WORDS, ask.valid_counts = &valid;
    ASSERT_OK(call_draft_masks(sampler, &ask, NULL), NULL);
    EXPECT_EQ(valid, 0);
    for (int i = 0; i < 3 * WORDS; i++) EXPECT_EQ(masks[i], 0);
    EXPECT_EQ(step_one(sampler, bad, WIDTH, NULL).status, WEIR_ROW_STATUS_NO_TOKEN); /* and stays so */
    weir_sampler_destroy(sampler);
}
