/* test_sampler_catch_up.c - from a buffer of all tokens of all requests a sequence takes what it has not seen, or goes
 * back. */
#include <stdlib.h>
#include <string.h>

#include "sampler_calls.h"

enum { WIDTH = CONSTRAINT_WIDTH, WORDS = (WIDTH + 31) / 32, NOT_YET = -1 };
enum { OK = WEIR_ROW_STATUS_OK, REJECTED = WEIR_ROW_STATUS_REJECTED };

/* --- against advance and rollback -------------------------------------------------------------------------- */

enum { SLOTS = 5, LINES = 7, LONGEST = 90 };

/* A sampler that catches up, and one that is moved token by token. */
typedef struct twins {
    weir_sampler *catching, *moved;
    constraint constraints[CONSTRAINT_COUNT];
    int32_t tokens[LINES][LONGEST], lengths[LINES], lines[SLOTS];
    int32_t first[SLOTS], taken[SLOTS]; /* of each slot: tokens of the prompt, and of its own */
} twins;

static void bind_twins(twins *t, uint32_t slot) {
    weir_slot_options options = random_slot(t->constraints);
    options.first_token = random_below(9);
    bind_slot(t->catching, slot, options);
    bind_slot(t->moved, slot, options);
    t->first[slot] = (int32_t)options.first_token;
    t->taken[slot] = 0;
    int32_t line = t->lines[slot];
    for (int i = 0; i < LONGEST; i++) t->tokens[line][i] = (int32_t)random_below(WIDTH);
    t->lengths[line] = t->first[slot];
}

static twins *make_twins(void) {
    twins *t = calloc(1, sizeof *t);
    make_constraints(t->constraints);
    t->catching = call_sampler(SLOTS, WIDTH, 30);
    t->moved = call_sampler(SLOTS, WIDTH, 30);
    for (uint32_t slot = 0; slot < SLOTS; slot++) {
        t->lines[slot] = (int32_t)((slot * 3 + 2) % LINES);
        bind_twins(t, slot);
    }
    return t;
}

static void free_twins(twins *t) {
    weir_sampler_destroy(t->catching);
    weir_sampler_destroy(t->moved);
    free_constraints(t->constraints);
    free(t);
}

/* A token that may come next in the slot, as a rule. */
static int32_t next_token(const twins *t, int32_t slot) {
    uint32_t mask[WORDS], chosen = random_below(WIDTH);
    ASSERT_OK(call_masks(t->moved, &slot, 1, mask, WORDS, NULL), NULL);
    uint32_t odd = random_below(40);
    if (odd == 0) return -(int32_t)(1 + random_below(9));
    if (odd == 1) return (int32_t)random_below(WIDTH + 5);
    for (uint32_t i = 0; i < WIDTH; i++, chosen = (chosen + 1) % WIDTH)
        if (mask[chosen / 32] >> chosen % 32 & 1) break;
    return (int32_t)chosen;
}

/* Writes up to `more` tokens behind those the slot has taken, and advances by them; the status of it all. */
static uint32_t write_and_advance(twins *t, int32_t slot, int32_t more) {
    int32_t *line = t->tokens[t->lines[slot]], *length = &t->lengths[t->lines[slot]];
    uint32_t bits = 0, kept = 0;
    bool on = true;
    *length = t->first[slot] + t->taken[slot];
    for (int32_t i = 0; i < more && *length < LONGEST; i++, *length += 1) {
        int32_t token = line[*length] = next_token(t, slot);
        on = on && token >= 0;
        if (!on) continue;
        ASSERT_OK(call_advance(t->moved, &slot, &token, 1, &bits, NULL), NULL);
        kept |= bits & WEIR_ROW_STATUS_COUNTS_FULL;
        on = !(bits & REJECTED);
        t->taken[slot] += on;
    }
    const uint32_t none = 0; /* rolled back by nothing, a row says how it stands */
    if (!(bits & REJECTED)) ASSERT_OK(call_rollback(t->moved, &slot, &none, 1, &bits, NULL), NULL);
    return bits | kept;
}

static uint32_t shorten_and_roll_back(twins *t, int32_t slot) {
    int32_t *length = &t->lengths[t->lines[slot]];
    *length = (int32_t)random_below((uint32_t)(t->first[slot] + t->taken[slot]) + 1);
    int32_t goal = *length < t->first[slot] ? 0 : *length - t->first[slot];
    uint32_t bits, count = (uint32_t)(t->taken[slot] - goal);
    ASSERT_OK(call_rollback(t->moved, &slot, &count, 1, &bits, NULL), NULL);
    t->taken[slot] = goal;
    return bits;
}

/* Penalties, bad words and draws are the same too: one step of each. */
static void expect_same_step(twins *t) {
    static float logits[SLOTS * WIDTH];
    outcome found[SLOTS], expected[SLOTS];
    weir_sampling sampling[SLOTS];
    int32_t slots[SLOTS];
    uint32_t ones[SLOTS];
    for (int i = 0; i < SLOTS; i++) slots[i] = i, ones[i] = 1, sampling[i] = random_settings(WIDTH);
    for (int i = 0; i < SLOTS * WIDTH; i++) logits[i] = (float)random_normal();
    weir_step step = make_step(SLOTS, slots, logits, WIDTH, sampling, NULL, NULL, NULL);
    ASSERT_OK(call_step(t->catching, &step, found, NULL), NULL);
    ASSERT_OK(call_step(t->moved, &step, expected, NULL), NULL);
    expect_outcomes(found, expected, SLOTS);
    for (int i = 0; i < SLOTS; i++)
        if (found[i].result.token < 0) ones[i] = 0;
    ASSERT_OK(call_rollback(t->catching, slots, ones, SLOTS, NULL, NULL), NULL);
    ASSERT_OK(call_rollback(t->moved, slots, ones, SLOTS, NULL, NULL), NULL);
}

TEST(sampler_catch_up, it_is_advance_token_by_token_or_rollback) {
    random_state = 111;
    twins *t = make_twins();
    uint32_t rejected = 0, back = 0;
    for (int round = 0; round < 500 && !test_has_failed(); round++) {
        test_context("seed 111, round %d", round);
        int32_t slots[SLOTS], lines[SLOTS];
        uint32_t statuses[SLOTS], expected[SLOTS];
        weir_catch_up all = WEIR_CATCH_UP_INIT;
        for (int32_t row = 0; row < SLOTS; row++) {
            int32_t slot = slots[row] = (row + round) % SLOTS;
            lines[row] = t->lines[slot];
            bool shorter = random_below(4) == 0;
            expected[row] =
                shorter ? shorten_and_roll_back(t, slot) : write_and_advance(t, slot, (int32_t)random_below(7));
            back += shorter;
            rejected += (expected[row] & REJECTED) != 0;
        }
        if (round % 7 == 0) slots[2] = -1, expected[2] = WEIR_ROW_STATUS_IDLE;
        all.row_count = SLOTS, all.slots = slots, all.statuses = statuses;
        all.tokens = t->tokens[0], all.tokens_stride = LONGEST;
        all.lengths = t->lengths, all.line_count = LINES, all.lines = lines;
        ASSERT_OK(call_catch_up(t->catching, &all, NULL), NULL);
        EXPECT_BYTES_EQ(statuses, sizeof statuses, expected, sizeof expected);
        if (slots[2] == -1) { /* the idle one is caught up with afterwards */
            slots[2] = (2 + round) % SLOTS;
            all.row_count = 1, all.slots += 2, all.lines += 2;
            ASSERT_OK(call_catch_up(t->catching, &all, NULL), NULL);
        }
        expect_same_masks(t->catching, t->moved, SLOTS, WIDTH);
        if (round % 3 == 0) expect_same_step(t);
        uint32_t slot = random_below(SLOTS);
        if (random_below(6) == 0 || t->taken[slot] > 60) bind_twins(t, slot);
    }
    EXPECT_GT(rejected, 30);
    EXPECT_GT(back, 300);
    free_twins(t);
}

/* --- what each meaning is ---------------------------------------------------------------------------------- */

/* Catches slot 0 up with one line. */
static uint32_t catch_up_one(weir_sampler *sampler, const int32_t *line, int32_t length) {
    const int32_t slot = 0;
    uint32_t status = 99;
    weir_catch_up one = WEIR_CATCH_UP_INIT;
    one.row_count = 1, one.slots = &slot, one.tokens = line, one.tokens_stride = 12, one.lengths = &length;
    one.line_count = 1, one.statuses = &status;
    ASSERT_OK(call_catch_up(sampler, &one, NULL), NULL);
    return status;
}

static weir_sampler *bound_behind(const weir_grammar *grammar, size_t first_token) {
    weir_sampler *sampler = call_sampler(1, WIDTH, 0);
    weir_slot_options options = WEIR_SLOT_OPTIONS_INIT;
    options.grammar = grammar;
    options.first_token = first_token;
    bind_slot(sampler, 0, options);
    return sampler;
}

static void expect_taken(weir_sampler *sampler, uint32_t count) {
    EXPECT_STATUS(rollback_one(sampler, 0, count + 1, NULL), WEIR_ERROR_ARGUMENT, NULL);
    ASSERT_OK(rollback_one(sampler, 0, count, NULL), NULL);
}

TEST(sampler_catch_up, the_prompt_is_not_read_and_a_length_inside_it_takes_everything_back) {
    constraint constraint = make_constraint("{\"type\":\"array\",\"items\":{\"type\":\"boolean\"}}");
    weir_sampler *sampler = bound_behind(constraint.grammar, 3);
    const int32_t line[12] = {'x', NOT_YET, 'y', '[', TRUE, ',', FAL, SE, ']', STOP};
    EXPECT_EQ(catch_up_one(sampler, line, 0), OK);
    EXPECT_EQ(catch_up_one(sampler, line, 2), OK); /* half of the prompt */
    EXPECT_EQ(catch_up_one(sampler, line, 5), OK);
    EXPECT_EQ(catch_up_one(sampler, line, 10), WEIR_ROW_STATUS_STOPPED);
    EXPECT_EQ(catch_up_one(sampler, line, 10), WEIR_ROW_STATUS_STOPPED);
    EXPECT_EQ(catch_up_one(sampler, line, 1), OK);
    expect_taken(sampler, 0);
    weir_sampler_destroy(sampler);
    free_constraint(constraint);
}

TEST(sampler_catch_up, a_token_that_is_not_allowed_leaves_the_slot_before_it) {
    constraint constraint = make_constraint("{\"type\":\"array\",\"items\":{\"type\":\"boolean\"}}");
    weir_sampler *sampler = bound_behind(constraint.grammar, 0);
    int32_t line[12] = {'[', TRUE, 'x', ',', TRUE};
    EXPECT_EQ(catch_up_one(sampler, line, 5), REJECTED);
    EXPECT_EQ(catch_up_one(sampler, line, 5), REJECTED);
    EXPECT_EQ(catch_up_one(sampler, line, 2), OK);
    line[2] = ',', line[3] = FAL, line[4] = SE; /* and goes on when it was corrected */
    EXPECT_EQ(catch_up_one(sampler, line, 5), OK);
    expect_taken(sampler, 5);
    line[1] = WIDTH;
    EXPECT_EQ(catch_up_one(sampler, line, 5), REJECTED);
    expect_taken(sampler, 1);
    weir_sampler_destroy(sampler);
    free_constraint(constraint);
}

TEST(sampler_catch_up, a_negative_token_is_not_known_yet) {
    weir_sampler *sampler = bound_behind(NULL, 1);
    int32_t line[12] = {5, 6, 7, NOT_YET, 9};
    EXPECT_EQ(catch_up_one(sampler, line, 5), OK);
    EXPECT_EQ(catch_up_one(sampler, line, 5), OK);
    line[3] = 8;
    EXPECT_EQ(catch_up_one(sampler, line, 4), OK);
    expect_taken(sampler, 3);
    weir_sampler_destroy(sampler);
}

TEST(sampler_catch_up, tokens_already_taken_are_not_read_again) {
    weir_sampler *sampler = bound_behind(NULL, 0);
    int32_t line[12] = {5, 6, 7};
    EXPECT_EQ(catch_up_one(sampler, line, 3), OK);
    line[0] = INT32_MAX, line[1] = INT32_MIN;
    EXPECT_EQ(catch_up_one(sampler, line, 4), OK);
    expect_taken(sampler, 4);
    weir_sampler_destroy(sampler);
}

TEST(sampler_catch_up, a_length_that_the_history_does_not_reach_is_rejected_and_the_slot_unchanged) {
    enum { TAKEN = 400 };
    weir_sampler *sampler = bound_behind(NULL, 0);
    int32_t line[TAKEN] = {0}, length = TAKEN, slot = 0;
    uint32_t status;
    weir_catch_up one = WEIR_CATCH_UP_INIT;
    one.row_count = 1, one.slots = &slot, one.tokens = line, one.tokens_stride = TAKEN, one.lengths = &length;
    one.line_count = 1, one.statuses = &status;
    EXPECT_OK(call_catch_up(sampler, &one, NULL), NULL);
    EXPECT_EQ(status, OK);
    length = TAKEN - 257;
    EXPECT_OK(call_catch_up(sampler, &one, NULL), NULL);
    EXPECT_EQ(status, REJECTED);
    length = TAKEN - 256;
    EXPECT_OK(call_catch_up(sampler, &one, NULL), NULL);
    EXPECT_EQ(status, OK);
    weir_sampler_destroy(sampler);
}

TEST(sampler_catch_up, replayed_and_imported_tokens_are_taken_already) {
    constraint constraint = make_constraint("{\"type\":\"array\",\"items\":{\"type\":\"boolean\"}}");
    weir_sampler *sampler = call_sampler(1, WIDTH, 0);
    weir_slot_options options = WEIR_SLOT_OPTIONS_INIT;
    const int32_t line[12] = {'x', '[', TRUE, ',', TRUE, ']'};
    options.grammar = constraint.grammar, options.first_token = 1;
    options.tokens = (const uint32_t[]){'[', TRUE}, options.token_count = 2;
    bind_slot(sampler, 0, options);
    EXPECT_EQ(catch_up_one(sampler, line, 5), OK);
    ASSERT_OK(weir_sampler_reset(sampler, 0, NULL), NULL); /* without the replayed ones, and with the same prompt */
    EXPECT_EQ(catch_up_one(sampler, line, 4), OK);
    weir_matcher *matcher;
    ASSERT_OK(weir_sampler_export(sampler, 0, &matcher, NULL), NULL);
    EXPECT_EQ(weir_matcher_token_count(matcher), 3);
    ASSERT_OK(weir_sampler_import(sampler, 0, matcher, NULL), NULL);
    EXPECT_EQ(catch_up_one(sampler, line, 6), OK);
    EXPECT_EQ(catch_up_one(sampler, line, 3), REJECTED); /* what was imported cannot be taken back */
    weir_matcher_destroy(matcher);
    weir_sampler_destroy(sampler);
    free_constraint(constraint);
}

TEST(sampler_catch_up, a_fork_begins_in_its_line_where_its_original_does) {
    weir_sampler *sampler = call_sampler(2, WIDTH, 0);
    weir_slot_options options = WEIR_SLOT_OPTIONS_INIT;
    const int32_t slots[2] = {0, 1}, lines[2] = {0, 0}, tokens[5] = {WIDTH, WIDTH, 5, 6, 7};
    uint32_t statuses[2];
    int32_t length = 4;
    options.first_token = 2;
    bind_slot(sampler, 0, options);
    weir_catch_up all = WEIR_CATCH_UP_INIT;
    all.row_count = 1, all.slots = slots, all.tokens = tokens, all.tokens_stride = 5, all.lengths = &length;
    all.line_count = 1, all.lines = lines, all.statuses = statuses;
    ASSERT_OK(call_catch_up(sampler, &all, NULL), NULL);
    ASSERT_OK(weir_sampler_fork(sampler, 0, 1, 9, NULL), NULL);
    all.row_count = 2, length = 5;
    ASSERT_OK(call_catch_up(sampler, &all, NULL), NULL);
    for (int32_t slot = 0; slot < 2; slot++) {
        EXPECT_EQ(statuses[slot], OK);
        EXPECT_OK(rollback_one(sampler, slot, 3, NULL), NULL);
    }
    weir_sampler_destroy(sampler);
}

TEST(sampler_catch_up, a_row_without_a_line_or_a_length_is_rejected_and_no_other) {
    enum { ROWS = 6, STRIDE = 3 };
    weir_sampler *sampler = call_sampler(ROWS, WIDTH, 0);
    const int32_t slots[ROWS] = {0, 1, 2, 3, 4, 5}, tokens[3 * STRIDE] = {1, 2, 3, 1, 2, 3, 1, 2, 3};
    const int32_t lengths[3] = {STRIDE + 1, STRIDE, -1},
                  lines[ROWS] = {1, 3, -1, 0, 2, 1}; /* two rows may share a line */
    const uint32_t expected[ROWS] = {OK, REJECTED, REJECTED, REJECTED, REJECTED, OK};
    uint32_t statuses[ROWS];
    weir_error error;
    for (uint32_t slot = 0; slot < ROWS; slot++) bind_seed(sampler, slot, 1);
    weir_catch_up all = WEIR_CATCH_UP_INIT;
    all.row_count = ROWS, all.slots = slots, all.tokens = tokens, all.tokens_stride = STRIDE, all.lengths = lengths;
    all.line_count = 3, all.lines = lines, all.statuses = statuses;
    EXPECT_OK(call_catch_up(sampler, &all, &error), &error);
    EXPECT_BYTES_EQ(statuses, sizeof statuses, expected, sizeof expected);
    for (int32_t slot = 0; slot < ROWS; slot++) {
        EXPECT_STATUS(rollback_one(sampler, slot, expected[slot] ? 1 : 4, NULL), WEIR_ERROR_ARGUMENT, NULL);
        EXPECT_OK(rollback_one(sampler, slot, expected[slot] ? 0 : 3, NULL), NULL);
    }
    all.lines = NULL; /* the slot's number: line 1 is that of slot 1, slots from 3 on have none */
    const uint32_t by_number[ROWS] = {REJECTED, OK, REJECTED, REJECTED, REJECTED, REJECTED};
    EXPECT_OK(call_catch_up(sampler, &all, &error), &error);
    EXPECT_BYTES_EQ(statuses, sizeof statuses, by_number, sizeof by_number);
    weir_sampler_destroy(sampler);
}

TEST(sampler_catch_up, without_statuses_a_rejected_row_is_an_error_after_all_others_were_done) {
    constraint constraint = make_constraint("{\"type\":\"array\",\"items\":{\"type\":\"boolean\"}}");
    enum { ROWS = 3 };
    weir_sampler *sampler = call_sampler(ROWS, WIDTH, 0);
    weir_slot_options options = WEIR_SLOT_OPTIONS_INIT;
    options.grammar = constraint.grammar;
    for (uint32_t slot = 0; slot < ROWS; slot++) bind_slot(sampler, slot, options);
    const int32_t slots[ROWS] = {0, 1, 2}, tokens[ROWS * 2] = {'[', ']', '[', 'x', '[', ']'};
    int32_t lengths[ROWS] = {2, 2, 2};
    weir_error error;
    weir_catch_up all = WEIR_CATCH_UP_INIT;
    all.row_count = ROWS, all.slots = slots, all.tokens = tokens, all.tokens_stride = 2, all.lengths = lengths;
    all.line_count = ROWS;
    EXPECT_STATUS(call_catch_up(sampler, &all, &error), WEIR_ERROR_TOKEN, &error);
    EXPECT_EQ(error.row, 1);
    EXPECT_OK(rollback_one(sampler, 2, 2, NULL), NULL);
    lengths[0] = 3;
    EXPECT_STATUS(call_catch_up(sampler, &all, &error), WEIR_ERROR_ARGUMENT, &error);
    EXPECT_EQ(error.row, 0);
    EXPECT_CONTAINS(error.message, "length 3");
    EXPECT_OK(rollback_one(sampler, 2, 2, NULL), NULL);
    weir_sampler_destroy(sampler);
    free_constraint(constraint);
}
