/* test_sampler_slot.c - what a slot keeps for its sequence: bans, stops, counts, history; forks, exports, replays. */
#include <math.h>
#include <string.h>

#include "kernels/fixed_math.h"
#include "sampler_helpers.h"

enum { WIDTH = 40, STOP_ID = 39 };

static const weir_sampling greedy = {0, 1, 0, 0, 1, 0, 0, 0};

/* Logits with the first token likeliest, then the second, and so on. */
static void rank(float *logits, uint32_t width, const uint32_t *tokens, uint32_t count) {
    for (uint32_t i = 0; i < width; i++) logits[i] = -50 - (float)i;
    for (uint32_t i = 0; i < count; i++) logits[tokens[i]] = (float)(count - i);
}
#define RANK(logits, ...)                                                                                              \
    rank(logits, sizeof(logits) / sizeof *(logits), (const uint32_t[]){__VA_ARGS__},                                   \
         sizeof((const uint32_t[]){__VA_ARGS__}) / sizeof(uint32_t))

/* --- stops ------------------------------------------------------------------------------------------------- */

TEST(sampler_slot, min_tokens_holds_the_stop_token_back) {
    weir_sampler *sampler = make_sampler(&backend_cpu, 1, WIDTH);
    weir_slot_options options = stopping_at(STOP_ID);
    options.min_tokens = 3;
    bind_slot(sampler, 0, options);
    float logits[WIDTH];
    RANK(logits, STOP_ID, 5);
    for (int i = 0; i < 3; i++) EXPECT_EQ(step_one(sampler, logits, WIDTH, &greedy).token, 5);
    expect_equal(step_one(sampler, logits, WIDTH, &greedy), (result){STOP_ID, 0, WEIR_ROW_STATUS_STOPPED});
    weir_sampler_destroy(sampler);
}

TEST(sampler_slot, ignore_stop_never_takes_the_stop_token) {
    weir_sampler *sampler = make_sampler(&backend_cpu, 1, WIDTH);
    weir_slot_options options = stopping_at(STOP_ID);
    options.ignore_stop = true;
    bind_slot(sampler, 0, options);
    float logits[WIDTH];
    RANK(logits, STOP_ID, 5);
    for (int i = 0; i < 20; i++) EXPECT_EQ(step_one(sampler, logits, WIDTH, &greedy).token, 5);
    weir_sampler_destroy(sampler);
}

TEST(sampler_slot, a_finished_text_takes_its_stop_token_against_min_tokens_ignore_stop_and_allowed_tokens) {
    constraint constraint = make_constraint("{\"enum\":[true,false]}");
    weir_sampler *sampler = make_sampler(&backend_cpu, 1, CONSTRAINT_WIDTH);
    static float logits[CONSTRAINT_WIDTH];
    static const uint32_t only[] = {TRUE};
    for (int variant = 0; variant < 3; variant++) {
        weir_slot_options options = WEIR_SLOT_OPTIONS_INIT;
        options.grammar = constraint.grammar;
        if (variant == 0) options.min_tokens = 100;
        if (variant == 1) options.ignore_stop = true;
        if (variant == 2) options.allowed_tokens = only, options.allowed_count = 1;
        test_context("variant %d", variant);
        bind_slot(sampler, 0, options);
        EXPECT_EQ(advance_one(sampler, 0, TRUE), WEIR_ROW_STATUS_OK);
        expect_mask(sampler, CONSTRAINT_WIDTH, (const uint32_t[]){STOP}, 1);
        expect_equal(step_one(sampler, logits, CONSTRAINT_WIDTH, NULL),
                     (result){STOP, 0, WEIR_ROW_STATUS_STOPPED | WEIR_ROW_STATUS_STOP_FORCED});
    }
    weir_sampler_destroy(sampler);
    free_constraint(constraint);
}

TEST(sampler_slot, bans_that_leave_nothing_inside_a_text_give_no_token) {
    constraint constraint = make_constraint("{\"enum\":[true,false]}");
    weir_sampler *sampler = make_sampler(&backend_cpu, 1, CONSTRAINT_WIDTH);
    static float logits[CONSTRAINT_WIDTH];
    weir_slot_options options = WEIR_SLOT_OPTIONS_INIT;
    options.grammar = constraint.grammar;
    options.allowed_tokens = (const uint32_t[]){'x', STOP}, options.allowed_count = 2;
    bind_slot(sampler, 0, options);
    expect_equal(step_one(sampler, logits, CONSTRAINT_WIDTH, NULL), (result){-1, 0, WEIR_ROW_STATUS_NO_TOKEN});
    weir_sampler_destroy(sampler);
    free_constraint(constraint);
}

/* --- allowed tokens, bad words ----------------------------------------------------------------------------- */

TEST(sampler_slot, allowed_tokens_leave_nothing_else_and_NULL_leaves_all) {
    weir_sampler *sampler = make_sampler(&backend_cpu, 1, WIDTH);
    weir_slot_options options = stopping_at(STOP_ID);
    options.allowed_tokens = (const uint32_t[]){3, 38, 3};
    options.allowed_count = 3;
    bind_slot(sampler, 0, options);
    expect_mask(sampler, WIDTH, (const uint32_t[]){3, 38}, 2);
    float logits[WIDTH];
    RANK(logits, STOP_ID, 5, 38);
    EXPECT_EQ(step_one(sampler, logits, WIDTH, &greedy).token, 38);
    options.allowed_count = 0; /* none: the stop token is all that is left */
    bind_slot(sampler, 0, options);
    expect_mask(sampler, WIDTH, (const uint32_t[]){STOP_ID}, 1);
    weir_sampler_destroy(sampler);
}

TEST(sampler_slot, a_bad_word_is_not_finished_and_only_where_it_was_begun) {
    weir_sampler *sampler = make_sampler(&backend_cpu, 1, WIDTH);
    const weir_token_run words[] = {{(const uint32_t[]){9}, 1},
                                    {(const uint32_t[]){1, 2, 3}, 3},
                                    {(const uint32_t[]){4, 4}, 2},
                                    {(const uint32_t[]){2, STOP_ID}, 2}};
    weir_slot_options options = stopping_at(STOP_ID);
    options.bad_words = words;
    options.bad_word_count = 4;
    bind_slot(sampler, 0, options);
    float logits[WIDTH];
    static const struct { uint32_t wanted, second, found; } steps[] = {
        {9, 1, 1}, /* a word of one token never comes */
        {3, 2, 3}, /* 1 3 is no bad word */
        {1, 0, 1}, {2, 0, 2},
        {3, 5, 5}, /* 1 2 3 would be */
        {3, 0, 3},
        {4, 0, 4},
        {4, 6, 6}, /* 4 4 would be */
        {2, 0, 2},
        {STOP_ID, 7, 7}, /* a stop token too, behind 2 */
    };
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        test_context("step %zu", i);
        RANK(logits, steps[i].wanted, steps[i].second);
        EXPECT_EQ(step_one(sampler, logits, WIDTH, &greedy).token, steps[i].found);
    }
    /* taken back, the beginning is as if it had not been taken */
    ASSERT_OK(rollback_one(sampler, 0, 8, NULL), NULL);
    RANK(logits, 2);
    EXPECT_EQ(step_one(sampler, logits, WIDTH, &greedy).token, 2);
    RANK(logits, 3);
    EXPECT_EQ(step_one(sampler, logits, WIDTH, &greedy).token, 3); /* 1 3 2 3 */
    weir_sampler_destroy(sampler);
}

/* --- bias and penalties ------------------------------------------------------------------------------------ */

TEST(sampler_slot, a_bias_of_minus_100_on_the_only_legal_token_does_not_ban_it) {
    constraint constraint = make_constraint("{\"const\":true}");
    weir_sampler *sampler = make_sampler(&backend_cpu, 1, CONSTRAINT_WIDTH);
    weir_slot_options options = WEIR_SLOT_OPTIONS_INIT;
    options.grammar = constraint.grammar;
    options.bias = (const weir_logit_bias[]){{TRUE, -100}, {'t', -3e38f}, {TR, -3e38f}};
    options.bias_count = 3;
    bind_slot(sampler, 0, options);
    static float logits[CONSTRAINT_WIDTH];
    EXPECT_EQ(step_one(sampler, logits, CONSTRAINT_WIDTH, NULL).token, TRUE);
    EXPECT_EQ(step_one(sampler, logits, CONSTRAINT_WIDTH, NULL).token, STOP);
    weir_sampler_destroy(sampler);
    free_constraint(constraint);
}

TEST(sampler_slot, biases_of_one_token_add_up) {
    weir_sampler *sampler = make_sampler(&backend_cpu, 1, WIDTH);
    weir_slot_options options = stopping_at(STOP_ID);
    options.bias = (const weir_logit_bias[]){{4, 1.5f}, {5, 2}, {4, 1.5f}};
    options.bias_count = 3;
    bind_slot(sampler, 0, options);
    static float logits[WIDTH];
    EXPECT_EQ(step_one(sampler, logits, WIDTH, &greedy).token, 4);
    weir_sampler_destroy(sampler);
}

/* The logits of the next tokens, from their probabilities at temperature 1. */
static double odds(weir_sampler *sampler, const float *logits, weir_sampling sampling, uint32_t a, uint32_t b) {
    int32_t slot = 0, token, tokens[WIDTH];
    float logprobs[WIDTH];
    double found[2] = {NAN, NAN};
    weir_step step = make_step(1, &slot, logits, WIDTH, &sampling, &token, NULL, NULL);
    step.top_count = WIDTH, step.top_tokens = tokens, step.top_logprobs = logprobs;
    ASSERT_OK(weir_sampler_step(sampler, &step, NULL), NULL);
    for (uint32_t i = 0; i < WIDTH; i++) {
        if (tokens[i] == (int32_t)a) found[0] = logprobs[i];
        if (tokens[i] == (int32_t)b) found[1] = logprobs[i];
    }
    ASSERT_OK(rollback_one(sampler, 0, 1, NULL), NULL);
    return found[0] - found[1];
}

TEST(sampler_slot, penalties_are_those_of_prompt_and_output_counts) {
    weir_sampler *sampler = make_sampler(&backend_cpu, 1, WIDTH);
    weir_slot_options options = stopping_at(STOP_ID);
    options.count_tokens = true;
    options.prompt_tokens = (const uint32_t[]){1, 1, 1, 2};
    options.prompt_count = 4;
    options.tokens = (const uint32_t[]){2, 3, 3};
    options.token_count = 3;
    bind_slot(sampler, 0, options);
    float logits[WIDTH] = {0, 2, 2, -2, 2};
    weir_sampling s = WEIR_SAMPLING_INIT;
    EXPECT_NEAR(odds(sampler, logits, s, 1, 4), 0, 1e-5);
    s.repetition_penalty = 2; /* prompt and output: 2 -> 1, -2 -> -4 */
    EXPECT_NEAR(odds(sampler, logits, s, 1, 4), 1 - 2, 1e-5);
    EXPECT_NEAR(odds(sampler, logits, s, 3, 4), -4 - 2, 1e-5);
    s.repetition_penalty = 1, s.frequency_penalty = 0.5f; /* each time in the output */
    EXPECT_NEAR(odds(sampler, logits, s, 1, 4), 0, 1e-5);
    EXPECT_NEAR(odds(sampler, logits, s, 2, 4), -0.5, 1e-5);
    EXPECT_NEAR(odds(sampler, logits, s, 3, 4), -4 - 1, 1e-5);
    s.frequency_penalty = 0, s.presence_penalty = 0.75f; /* once */
    EXPECT_NEAR(odds(sampler, logits, s, 3, 4), -4 - 0.75, 1e-5);
    s.repetition_penalty = 2, s.frequency_penalty = 0.5f; /* repetition first: 2/2 - 0.5 - 0.75 */
    EXPECT_NEAR(odds(sampler, logits, s, 2, 4), -0.25 - 2, 1e-5);
    s.temperature = 2;
    EXPECT_NEAR(odds(sampler, logits, s, 2, 4), (-0.25 - 2) / 2, 1e-5);
    s.flags = WEIR_SAMPLING_TEMPERATURE_FIRST; /* 2/2/2 - 0.5 - 0.75 against 2/2 */
    EXPECT_NEAR(odds(sampler, logits, s, 2, 4), -0.75 - 1, 1e-5);
    weir_sampler_destroy(sampler);
}

TEST(sampler_slot, what_a_step_takes_is_counted_and_rollback_uncounts_it) {
    weir_sampler *sampler = make_sampler(&backend_cpu, 1, WIDTH);
    weir_slot_options options = stopping_at(STOP_ID);
    options.count_tokens = true;
    bind_slot(sampler, 0, options);
    float logits[WIDTH];
    RANK(logits, 5, 6, 7);
    weir_sampling s = greedy;
    s.frequency_penalty = 0.6f; /* 5 has 3, 6 has 2, 7 has 1 */
    static const int32_t expected[] = {5, 5, 6, 5, 6, 5, 7};
    for (int i = 0; i < 7; i++) EXPECT_EQ(step_one(sampler, logits, WIDTH, &s).token, expected[i]);
    ASSERT_OK(rollback_one(sampler, 0, 5, NULL), NULL);
    for (int i = 2; i < 7; i++) EXPECT_EQ(step_one(sampler, logits, WIDTH, &s).token, expected[i]);
    weir_sampler_destroy(sampler);
}

TEST(sampler_slot, a_token_beyond_counted_tokens_is_reported_and_a_prompt_of_more_refused) {
    weir_sampler_options create = WEIR_SAMPLER_OPTIONS_INIT;
    create.slot_count = 1, create.logits_width = WIDTH, create.counted_tokens = 2;
    weir_sampler *sampler;
    ASSERT_OK(weir_sampler_create(&create, &sampler, NULL), NULL);
    weir_slot_options options = stopping_at(STOP_ID);
    options.count_tokens = true;
    options.prompt_tokens = (const uint32_t[]){8, 8};
    options.prompt_count = 2;
    bind_slot(sampler, 0, options);
    EXPECT_EQ(advance_one(sampler, 0, 1), WEIR_ROW_STATUS_OK);
    EXPECT_EQ(advance_one(sampler, 0, 8), WEIR_ROW_STATUS_OK);
    EXPECT_EQ(advance_one(sampler, 0, 2), WEIR_ROW_STATUS_COUNTS_FULL);
    float logits[WIDTH];
    RANK(logits, 3);
    expect_equal(step_one(sampler, logits, WIDTH, &greedy), (result){3, 0, WEIR_ROW_STATUS_COUNTS_FULL});
    weir_error error;
    options.prompt_tokens = (const uint32_t[]){1, 2, 1, 3};
    options.prompt_count = 4;
    EXPECT_STATUS(weir_sampler_bind(sampler, 0, &options, &error), WEIR_ERROR_LIMIT, &error);
    EXPECT_CONTAINS(error.message, "prompt_tokens[3]");
    options.prompt_count = 0; /* what was taken live can be replayed */
    options.tokens = (const uint32_t[]){1, 2, 3};
    options.token_count = 3;
    EXPECT_OK(weir_sampler_bind(sampler, 0, &options, &error), &error);
    weir_sampler_destroy(sampler);
}

/* --- arguments and memory ---------------------------------------------------------------------------------- */

static void expect_bind_refused(weir_sampler *sampler, weir_slot_options options, const char *part) {
    weir_error error;
    EXPECT_STATUS(weir_sampler_bind(sampler, 0, &options, &error), WEIR_ERROR_ARGUMENT, &error);
    EXPECT_CONTAINS(error.message, part);
}

TEST(sampler_slot, bind_refuses_what_it_cannot_do_and_names_it) {
    weir_sampler *sampler = make_sampler(&backend_cpu, 1, WIDTH);
    weir_slot_options options = stopping_at(STOP_ID), bad;
    const uint32_t wide[] = {1, WIDTH};
    bad = options, bad.allowed_tokens = wide, bad.allowed_count = 2;
    expect_bind_refused(sampler, bad, "allowed_tokens[1] is 40");
    bad = options, bad.allowed_count = 2;
    expect_bind_refused(sampler, bad, "allowed_tokens is NULL");
    bad = options, bad.bad_word_count = 1;
    expect_bind_refused(sampler, bad, "bad_words is NULL");
    bad.bad_words = (const weir_token_run[]){{wide, 0}};
    expect_bind_refused(sampler, bad, "bad_words[0] has 0 tokens");
    bad.bad_words = (const weir_token_run[]){{wide, 65}};
    expect_bind_refused(sampler, bad, "bad_words[0] has 65 tokens");
    bad.bad_words = (const weir_token_run[]){{wide, 2}};
    expect_bind_refused(sampler, bad, "bad_words[0].tokens[1] is 40");
    bad.bad_words = (const weir_token_run[]){{NULL, 2}};
    expect_bind_refused(sampler, bad, "bad_words[0].tokens is NULL");
    bad = options, bad.bias_count = 1;
    expect_bind_refused(sampler, bad, "bias is NULL");
    bad.bias = (const weir_logit_bias[]){{WIDTH, 1}};
    expect_bind_refused(sampler, bad, "bias[0].token is 40");
    bad.bias = (const weir_logit_bias[]){{3, -INFINITY}};
    expect_bind_refused(sampler, bad, "bias[0].bias is -inf");
    bad = options, bad.prompt_tokens = wide, bad.prompt_count = 1;
    expect_bind_refused(sampler, bad, "count_tokens is false");
    bad.count_tokens = true, bad.prompt_count = 2;
    expect_bind_refused(sampler, bad, "prompt_tokens[1] is 40");
    bad = options, bad.tokens = wide, bad.token_count = 2;
    expect_bind_refused(sampler, bad, "tokens[1] is 40");
    bad = options, bad.token_count = 2;
    expect_bind_refused(sampler, bad, "tokens is NULL");
    weir_sampler_destroy(sampler);
}

TEST(sampler_slot, fork_export_and_import_refuse_bad_slots_and_foreign_matchers) {
    constraint constraint = make_constraint("{\"const\":true}"), foreign = make_constraint("{\"const\":true}");
    weir_sampler *sampler = make_sampler(&backend_cpu, 2, CONSTRAINT_WIDTH);
    weir_error error;
    weir_matcher *matcher = NULL, *out;
    ASSERT_OK(weir_matcher_create(foreign.grammar, NULL, &matcher, NULL), NULL);
    EXPECT_STATUS(weir_sampler_fork(sampler, 0, 1, 0, &error), WEIR_ERROR_ARGUMENT, &error);
    EXPECT_CONTAINS(error.message, "slot 0 is not bound");
    EXPECT_STATUS(weir_sampler_reset(sampler, 0, &error), WEIR_ERROR_ARGUMENT, &error);
    EXPECT_STATUS(weir_sampler_import(sampler, 0, matcher, &error), WEIR_ERROR_ARGUMENT, &error);
    bind_seed(sampler, 0, 1);
    EXPECT_STATUS(weir_sampler_fork(sampler, 0, 0, 0, &error), WEIR_ERROR_ARGUMENT, &error);
    EXPECT_STATUS(weir_sampler_fork(sampler, 0, 2, 0, &error), WEIR_ERROR_ARGUMENT, &error);
    EXPECT_STATUS(weir_sampler_export(sampler, 0, &out, &error), WEIR_ERROR_ARGUMENT, &error);
    EXPECT_NULL(out);
    EXPECT_CONTAINS(error.message, "no constraint");
    EXPECT_STATUS(weir_sampler_import(sampler, 0, NULL, &error), WEIR_ERROR_ARGUMENT, &error);
    weir_slot_options options = WEIR_SLOT_OPTIONS_INIT;
    options.grammar = constraint.grammar;
    bind_slot(sampler, 0, options);
    EXPECT_STATUS(weir_sampler_import(sampler, 0, matcher, &error), WEIR_ERROR_ARGUMENT, &error);
    EXPECT_CONTAINS(error.message, "another grammar");
    weir_matcher_destroy(matcher);
    weir_sampler_destroy(sampler);
    free_constraint(constraint);
    free_constraint(foreign);
}

TEST(sampler_slot, every_failing_allocation_of_bind_fork_export_and_import_is_clean_and_steps_allocate_nothing) {
    constraint constraint = make_constraint("{\"type\":\"array\",\"items\":{\"type\":\"boolean\"}}");
    test_memory *memory = test_memory_create();
    weir_allocator allocator = test_allocator(memory);
    while (test_next_failure(memory)) {
        weir_sampler_options create = WEIR_SAMPLER_OPTIONS_INIT;
        create.allocator = &allocator;
        create.slot_count = 2;
        create.logits_width = CONSTRAINT_WIDTH;
        weir_sampler *sampler;
        weir_error error;
        weir_matcher *matcher = NULL;
        weir_slot_options slot = WEIR_SLOT_OPTIONS_INIT;
        slot.grammar = constraint.grammar;
        slot.count_tokens = true;
        slot.prompt_tokens = (const uint32_t[]){1}, slot.prompt_count = 1;
        slot.bias = (const weir_logit_bias[]){{1, 1}}, slot.bias_count = 1;
        slot.bad_words = (const weir_token_run[]){{(const uint32_t[]){7}, 1}, {(const uint32_t[]){1, 2}, 2}};
        slot.bad_word_count = 2;
        slot.tokens = (const uint32_t[]){'['}, slot.token_count = 1;
        weir_status status = weir_sampler_create(&create, &sampler, &error);
        if (status == WEIR_OK) status = weir_sampler_bind(sampler, 0, &slot, &error);
        if (status == WEIR_OK) status = weir_sampler_fork(sampler, 0, 1, 3, &error);
        if (status == WEIR_OK) status = weir_sampler_export(sampler, 1, &matcher, &error);
        if (status == WEIR_OK) status = weir_sampler_import(sampler, 0, matcher, &error);
        EXPECT_STATUS(status, memory->failed ? WEIR_ERROR_MEMORY : WEIR_OK, &error);
        if (status == WEIR_OK) {
            size_t calls = memory->calls;
            static float logits[CONSTRAINT_WIDTH];
            logits[']'] = -9;
            for (int i = 0; i < 500; i++) step_one(sampler, logits, CONSTRAINT_WIDTH, NULL);
            EXPECT_EQ(memory->calls, calls);
        }
        weir_matcher_destroy(matcher);
        weir_sampler_destroy(sampler);
    }
    free_constraint(constraint);
}
