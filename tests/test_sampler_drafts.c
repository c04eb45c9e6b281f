/* test_sampler_drafts.c - a step with drafts is plain steps one after the other, for as long as each takes its draft.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sampler_calls.h"

enum { ROWS = 4, WIDTH = CONSTRAINT_WIDTH, STRIDE = WIDTH + 3, WORDS = (WIDTH + 31) / 32 };

static const weir_sampling greedy = {0, 1, 0, 0, 1, 0, 0, 0};

/* --- against plain steps ----------------------------------------------------------------------------------- */

/* A step with drafts, and room for the same position by position. Logits are blocks of their own. */
typedef struct batch {
    weir_step step;
    int32_t slots[ROWS], drafts[ROWS * WEIR_DRAFTS_MOST];
    weir_sampling sampling[ROWS];
    size_t positions; /* of a row */
} batch;

static const void *logits_at(const batch *b, size_t row, size_t position) {
    return (const char *)b->step.logits + (row * b->positions + position) * STRIDE * dtype_size(b->step.dtype);
}

/* One plain step of one row. */
static outcome plain_step(weir_sampler *sampler, const batch *b, size_t row, size_t position, int32_t slot) {
    weir_step step = b->step;
    outcome outcome;
    step.row_count = 1, step.slots = &slot, step.draft_count = 0, step.drafts = NULL;
    step.logits = logits_at(b, row, position);
    step.sampling = &b->sampling[row];
    if (step.masks) step.masks += (row * b->positions + position) * WORDS;
    ASSERT_OK(call_step(sampler, &step, &outcome, NULL), NULL);
    return outcome;
}

static batch make_batch(uint32_t draft_count) {
    batch b = {.step = WEIR_STEP_INIT, .positions = draft_count + 1};
    size_t places = ROWS * b.positions;
    b.step.row_count = ROWS, b.step.draft_count = draft_count;
    b.step.dtype = (weir_dtype)random_below(3);
    b.step.logits_stride = STRIDE;
    b.step.logits = malloc(places * STRIDE * dtype_size(b.step.dtype));
    for (size_t row = 0; row < ROWS; row++) {
        b.slots[row] = (int32_t)row;
        b.sampling[row] = random_settings(WIDTH);
        for (size_t position = 0; position < b.positions; position++)
            fill_typed((void *)logits_at(&b, row, position), b.step.dtype, STRIDE);
    }
    for (uint32_t row = ROWS; row-- > 1;) { /* in any order */
        uint32_t other = random_below(row + 1);
        int32_t slot = b.slots[row];
        b.slots[row] = b.slots[other], b.slots[other] = slot;
    }
    if (random_below(4) == 0) b.slots[random_below(ROWS)] = -1;
    b.step.raw_logprobs = random_below(2);
    if (random_below(3) == 0) {
        uint32_t *masks = malloc(places * WORDS * sizeof *masks);
        for (size_t i = 0; i < places * WORDS; i++) masks[i] = (uint32_t)(random_bits() | random_bits());
        b.step.masks = masks, b.step.masks_stride = WORDS;
    }
    return b;
}

static void free_batch(batch *b) {
    free((void *)b->step.logits);
    free((void *)b->step.masks);
}

/* What the step with drafts must give, by plain steps of the twin, rows from last to first. */
static void expect_by_plain_steps(weir_sampler *plain, const batch *b, outcome *outcomes) {
    for (size_t row = ROWS; row-- > 0;) {
        bool on = true;
        for (size_t position = 0; position < b->positions; position++) {
            outcome *to = &outcomes[row * b->positions + position];
            *to = outcome_without_token(b->slots[row] < 0 ? WEIR_ROW_STATUS_IDLE : WEIR_ROW_STATUS_SKIPPED);
            if (b->slots[row] < 0 || !on) continue;
            *to = plain_step(plain, b, row, position, b->slots[row]);
            on = position < b->step.draft_count && to->result.token >= 0 &&
                 to->result.token == b->drafts[row * b->step.draft_count + position];
        }
    }
}

typedef struct twins {
    weir_sampler *drafting, *plain; /* the second has a slot more, for guesses */
    constraint constraints[CONSTRAINT_COUNT];
    uint64_t seeds[ROWS];
} twins;

static void bind_twins(twins *t, uint32_t slot) {
    weir_slot_options options = random_slot(t->constraints);
    bind_slot(t->drafting, slot, options);
    bind_slot(t->plain, slot, options);
    t->seeds[slot] = options.seed;
}

static twins make_twins(void) {
    twins t;
    make_constraints(t.constraints);
    t.drafting = call_sampler(ROWS, WIDTH, 20);
    t.plain = call_sampler(ROWS + 1, WIDTH, 20);
    for (uint32_t slot = 0; slot < ROWS; slot++) bind_twins(&t, slot);
    return t;
}

static void free_twins(twins *t) {
    weir_sampler_destroy(t->drafting);
    weir_sampler_destroy(t->plain);
    free_constraints(t->constraints);
}

/* The tokens that plain steps take in a copy of the sequence, whose draws are others now and then; and some that no
 * step takes. */
static void guess(twins *t, batch *b) {
    uint32_t count = (uint32_t)b->step.draft_count;
    for (size_t row = 0; row < ROWS; row++) {
        int32_t *drafts = b->drafts + row * count;
        for (uint32_t i = 0; i < count; i++) drafts[i] = (int32_t)random_below(WIDTH);
        if (b->slots[row] < 0 || count == 0) continue;
        uint64_t seed = t->seeds[b->slots[row]] + (random_below(4) == 0);
        ASSERT_OK(weir_sampler_fork(t->plain, (uint32_t)b->slots[row], ROWS, seed, NULL), NULL);
        for (uint32_t i = 0; i < count; i++) drafts[i] = plain_step(t->plain, b, row, i, ROWS).result.token;
        static const int32_t odd[] = {-1, INT32_MAX, INT32_MIN, 0, WIDTH};
        if (random_below(3) == 0) drafts[random_below(count)] = odd[random_below(5)];
    }
}

static uint32_t longest_run, skipped, taken_back;

static void compare_round(twins *t, uint32_t draft_count) {
    static outcome found[ROWS * (WEIR_DRAFTS_MOST + 1)], expected[ROWS * (WEIR_DRAFTS_MOST + 1)];
    batch b = make_batch(draft_count);
    weir_error error;
    guess(t, &b);
    expect_by_plain_steps(t->plain, &b, expected);
    b.step.slots = b.slots, b.step.sampling = b.sampling, b.step.drafts = b.drafts;
    EXPECT_OK(call_step(t->drafting, &b.step, found, &error), &error);
    expect_outcomes(found, expected, ROWS * b.positions);
    expect_same_masks(t->drafting, t->plain, ROWS, WIDTH);
    for (size_t row = 0; row < ROWS; row++) {
        uint32_t run = 0, last = 0;
        for (size_t i = 0; i < b.positions; i++) {
            const result *r = &expected[row * b.positions + i].result;
            run += r->token >= 0;
            skipped += r->status == WEIR_ROW_STATUS_SKIPPED;
            if (r->status != WEIR_ROW_STATUS_SKIPPED) last = r->status;
        }
        if (run > longest_run) longest_run = run;
        if (b.slots[row] >= 0 && last & (WEIR_ROW_STATUS_STOPPED | WEIR_ROW_STATUS_NO_TOKEN))
            bind_twins(t, (uint32_t)b.slots[row]);
    }
    free_batch(&b);
}

/* Any number of tokens goes back on both, the same way. */
static void roll_both_back(twins *t) {
    const int32_t slot = (int32_t)random_below(ROWS);
    const uint32_t count = random_below(12);
    uint32_t a, b;
    ASSERT_OK(call_rollback(t->drafting, &slot, &count, 1, &a, NULL), NULL);
    ASSERT_OK(call_rollback(t->plain, &slot, &count, 1, &b, NULL), NULL);
    EXPECT_EQ(a, b);
    taken_back += a == WEIR_ROW_STATUS_OK && count > 0;
}

TEST(sampler_drafts, a_step_with_drafts_is_plain_steps_whatever_the_settings_types_and_bans) {
    random_state = 101;
    twins t = make_twins();
    longest_run = skipped = taken_back = 0;
    for (int round = 0; round < 600 && !test_has_failed(); round++) {
        test_context("seed 101, round %d", round);
        compare_round(&t, random_below(6));
        if (random_below(4) == 0) roll_both_back(&t);
        if (random_below(40) == 0) bind_twins(&t, random_below(ROWS));
    }
    EXPECT_EQ(longest_run, 6);
    EXPECT_GT(skipped, 100);
    EXPECT_GT(taken_back, 20);
    free_twins(&t);
}

TEST(sampler_drafts, many_drafts_are_plain_steps_too) {
    random_state = 102;
    twins t = make_twins();
    for (uint32_t draft_count = 10; draft_count <= WEIR_DRAFTS_MOST && !test_has_failed(); draft_count += 9)
        compare_round(&t, draft_count);
    free_twins(&t);
}

TEST(sampler_drafts, as_many_as_64_can_be_taken_in_one_step) {
    enum { POSITIONS = WEIR_DRAFTS_MOST + 1 };
    weir_sampler *sampler = call_sampler(1, WIDTH, 0);
    bind_seed(sampler, 0, 7);
    static float logits[POSITIONS * WIDTH];
    outcome outcomes[POSITIONS];
    int32_t slot = 0, drafts[WEIR_DRAFTS_MOST];
    for (int i = 0; i < POSITIONS; i++) logits[i * WIDTH + i] = 1;
    for (int i = 0; i < WEIR_DRAFTS_MOST; i++) drafts[i] = i;
    weir_step step = WEIR_STEP_INIT;
    step.row_count = 1, step.slots = &slot, step.logits = logits, step.logits_stride = WIDTH, step.sampling = &greedy;
    step.drafts = drafts, step.draft_count = WEIR_DRAFTS_MOST;
    EXPECT_OK(call_step(sampler, &step, outcomes, NULL), NULL);
    for (int i = 0; i < POSITIONS; i++) EXPECT_EQ(outcomes[i].result.token, i);
    EXPECT_OK(rollback_one(sampler, 0, POSITIONS, NULL), NULL);
    EXPECT_STATUS(rollback_one(sampler, 0, 1, NULL), WEIR_ERROR_ARGUMENT, NULL);
    weir_sampler_destroy(sampler);
}

/* --- what each meaning is ---------------------------------------------------------------------------------- */

/* One row, greedy, position i prefers wanted[i]; the tokens and statuses. */
static void step_greedy(weir_sampler *sampler, const int32_t *wanted, const int32_t *drafts, size_t draft_count,
                        outcome *outcomes) {
    static float logits[8 * WIDTH];
    int32_t slot = 0;
    weir_step step = WEIR_STEP_INIT;
    for (size_t i = 0; i <= draft_count; i++)
        for (int32_t k = 0; k < WIDTH; k++)
            logits[i * WIDTH + (size_t)k] = wanted[i] < 0 ? NAN : k == wanted[i] ? 1 : 0;
    step.row_count = 1, step.slots = &slot, step.logits = logits, step.logits_stride = WIDTH, step.sampling = &greedy;
    step.drafts = drafts, step.draft_count = draft_count;
    ASSERT_OK(call_step(sampler, &step, outcomes, NULL), NULL);
}

static void expect_tokens(const outcome *outcomes, const int32_t *tokens, const uint32_t *statuses, size_t count) {
    for (size_t i = 0; i < count; i++) {
        test_context("position %zu", i);
        EXPECT_EQ(outcomes[i].result.token, tokens[i]);
        EXPECT_EQ(outcomes[i].result.status, statuses[i]);
    }
    test_context(NULL);
}
#define TOKENS(...)   ((const int32_t[]){__VA_ARGS__})
#define STATUSES(...) ((const uint32_t[]){__VA_ARGS__})
enum { OK = WEIR_ROW_STATUS_OK, SKIPPED = WEIR_ROW_STATUS_SKIPPED, STOPPED = WEIR_ROW_STATUS_STOPPED };

TEST(sampler_drafts, the_first_draft_that_is_not_taken_ends_the_row_behind_the_token_that_was) {
    weir_sampler *sampler = call_sampler(1, WIDTH, 0);
    outcome outcomes[4];
    bind_seed(sampler, 0, 1);
    step_greedy(sampler, TOKENS(10, 11, 12, 13), TOKENS(10, 9, 12), 3, outcomes);
    expect_tokens(outcomes, TOKENS(10, 11, -1, -1), STATUSES(OK, OK, SKIPPED, SKIPPED), 4);
    const outcome nothing = outcome_without_token(SKIPPED);
    for (int i = 2; i < 4; i++) expect_outcomes(&outcomes[i], &nothing, 1);
    EXPECT_OK(rollback_one(sampler, 0, 2, NULL), NULL); /* two tokens were taken */
    EXPECT_STATUS(rollback_one(sampler, 0, 1, NULL), WEIR_ERROR_ARGUMENT, NULL);
    weir_sampler_destroy(sampler);
}

TEST(sampler_drafts, a_pad_ends_the_row_whatever_stands_behind_it) {
    weir_sampler *sampler = call_sampler(1, WIDTH, 0);
    outcome outcomes[4];
    bind_seed(sampler, 0, 1);
    step_greedy(sampler, TOKENS(10, 11, 12, 13), TOKENS(10, -1, 12), 3, outcomes);
    expect_tokens(outcomes, TOKENS(10, 11, -1, -1), STATUSES(OK, OK, SKIPPED, SKIPPED), 4);
    step_greedy(sampler, TOKENS(10, 11, 12, 13), TOKENS(-1, -1, -1), 3, outcomes);
    expect_tokens(outcomes, TOKENS(10, -1, -1, -1), STATUSES(OK, SKIPPED, SKIPPED, SKIPPED), 4);
    weir_sampler_destroy(sampler);
}

TEST(sampler_drafts, behind_a_drafted_stop_token_stands_a_stopped_step_and_then_nothing) {
    weir_sampler *sampler = call_sampler(1, WIDTH, 0);
    outcome outcomes[5];
    bind_slot(sampler, 0, stopping_at(11));
    step_greedy(sampler, TOKENS(10, 11, 12, 13, 14), TOKENS(10, 11, 12, 13), 4, outcomes);
    expect_tokens(outcomes, TOKENS(10, 11, -1, -1, -1), STATUSES(OK, STOPPED, STOPPED, SKIPPED, SKIPPED), 5);
    weir_sampler_destroy(sampler);
}

TEST(sampler_drafts, a_position_without_a_legal_token_is_no_match_for_a_pad) {
    weir_sampler *sampler = call_sampler(1, WIDTH, 0);
    outcome outcomes[4];
    bind_seed(sampler, 0, 1);
    step_greedy(sampler, TOKENS(10, -1, 12, 13), TOKENS(10, -1, 12), 3, outcomes);
    expect_tokens(outcomes, TOKENS(10, -1, -1, -1), STATUSES(OK, WEIR_ROW_STATUS_NO_TOKEN, SKIPPED, SKIPPED), 4);
    EXPECT_OK(rollback_one(sampler, 0, 0, NULL), NULL);
    step_greedy(sampler, TOKENS(20, 21), TOKENS(20), 1, outcomes); /* tried again, it goes on behind 10 */
    expect_tokens(outcomes, TOKENS(20, 21), STATUSES(OK, OK), 2);
    EXPECT_OK(rollback_one(sampler, 0, 3, NULL), NULL);
    weir_sampler_destroy(sampler);
}

TEST(sampler_drafts, a_draft_is_held_against_the_constraint_as_any_token) {
    constraint constraint = make_constraint("{\"enum\":[true,false]}");
    weir_sampler *sampler = call_sampler(1, WIDTH, 0);
    weir_slot_options options = WEIR_SLOT_OPTIONS_INIT;
    outcome outcomes[4];
    options.grammar = constraint.grammar;
    bind_slot(sampler, 0, options);
    /* 'x' is wanted and guessed, but only ue may follow */
    step_greedy(sampler, TOKENS(TR, 'x', 'x', 'x'), TOKENS(TR, 'u', 'x'), 3, outcomes);
    EXPECT_EQ(outcomes[0].result.token, TR);
    EXPECT_TRUE(outcomes[1].result.token == 'u' || outcomes[1].result.token == UE);
    EXPECT_NE(outcomes[2].result.token, 'x');
    weir_sampler_destroy(sampler);
    free_constraint(constraint);
}
