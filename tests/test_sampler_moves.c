/* test_sampler_moves.c - a sequence taken back, reset, forked, replayed, exported and imported. */
#include <string.h>

#include "sampler_calls.h"

enum { WIDTH = 40, STOP_ID = 39 };

/* --- history ----------------------------------------------------------------------------------------------- */

/* A sequence taken back and drawn again gives the same tokens, constraint and stop token included. */
TEST(sampler_moves, rollback_undoes_everything_a_stop_token_included) {
    constraint constraint = make_constraint("{\"type\":\"array\",\"items\":{\"type\":\"boolean\"},\"minItems\":3}");
    weir_sampler *sampler = make_sampler(&backend_cpu, 1, CONSTRAINT_WIDTH);
    static float logits[CONSTRAINT_WIDTH];
    random_state = 81;
    for (uint64_t seed = 0; seed < 60 && !test_has_failed(); seed++) {
        weir_slot_options options = WEIR_SLOT_OPTIONS_INIT;
        const uint32_t own_stop[] = {OTHER};
        options.grammar = constraint.grammar;
        options.seed = seed;
        options.token_budget = 60;
        if (seed % 2) options.stop_ids = own_stop, options.stop_count = 1;
        bind_slot(sampler, 0, options);
        int32_t tokens[64];
        uint32_t count = 0;
        for (result r = {0, 0, 0}; r.status == WEIR_ROW_STATUS_OK; tokens[count++] = r.token) {
            r = step_one(sampler, logits, CONSTRAINT_WIDTH, NULL);
            ASSERT_LT(count, 64);
        }
        EXPECT_EQ(tokens[count - 1], seed % 2 ? OTHER : STOP);
        for (int round = 0; round < 5; round++) {
            uint32_t back = 1 + random_below(count);
            ASSERT_OK(rollback_one(sampler, 0, back, NULL), NULL);
            for (uint32_t i = count - back; i < count; i++)
                EXPECT_EQ(step_one(sampler, logits, CONSTRAINT_WIDTH, NULL).token, tokens[i]);
        }
    }
    weir_sampler_destroy(sampler);
    free_constraint(constraint);
}

TEST(sampler_moves, rollback_reaches_rollback_tokens_and_no_further) {
    weir_sampler *sampler = make_sampler(&backend_cpu, 2, WIDTH);
    for (uint32_t slot = 0; slot < 2; slot++) bind_seed(sampler, slot, 5);
    weir_error error;
    for (int i = 0; i < 1000; i++) EXPECT_EQ(advance_one(sampler, 0, i % WIDTH), WEIR_ROW_STATUS_OK);
    EXPECT_EQ(advance_one(sampler, 1, 3), WEIR_ROW_STATUS_OK);
    EXPECT_STATUS(rollback_one(sampler, 0, 257, &error), WEIR_ERROR_ARGUMENT, &error);
    EXPECT_OK(rollback_one(sampler, 0, 256, &error), &error);
    EXPECT_STATUS(rollback_one(sampler, 0, 1, &error), WEIR_ERROR_ARGUMENT, &error);
    EXPECT_OK(rollback_one(sampler, 0, 0, &error), &error);
    EXPECT_OK(rollback_one(sampler, 1, 1, &error), &error);
    EXPECT_STATUS(rollback_one(sampler, 1, 1, &error), WEIR_ERROR_ARGUMENT, &error);
    weir_sampler_destroy(sampler);
}

TEST(sampler_moves, a_row_that_asks_for_more_than_its_history_is_rejected_unchanged_and_the_others_are_taken_back) {
    enum { ROWS = 4 };
    weir_sampler *sampler = call_sampler(ROWS, WIDTH, 0);
    const int32_t slots[ROWS] = {2, 0, -1, 1};
    for (int with_statuses = 0; with_statuses < 2; with_statuses++) {
        for (uint32_t slot = 0; slot < ROWS; slot++) {
            bind_seed(sampler, slot, 5);
            for (int32_t i = 0; i < 4; i++) EXPECT_EQ(advance_one(sampler, (int32_t)slot, i), WEIR_ROW_STATUS_OK);
        }
        uint32_t statuses[ROWS], counts[ROWS] = {3, 5, 9, 4};
        weir_error error;
        if (with_statuses) {
            const uint32_t expected[ROWS] = {0, WEIR_ROW_STATUS_REJECTED, WEIR_ROW_STATUS_IDLE, 0};
            EXPECT_OK(call_rollback(sampler, slots, counts, ROWS, statuses, &error), &error);
            EXPECT_BYTES_EQ(statuses, sizeof statuses, expected, sizeof expected);
        } else {
            EXPECT_STATUS(call_rollback(sampler, slots, counts, ROWS, NULL, &error), WEIR_ERROR_ARGUMENT, &error);
            EXPECT_EQ(error.row, 1);
            EXPECT_CONTAINS(error.message, "5 tokens cannot be taken back, 4 can");
        }
        for (int32_t slot = 0; slot < 3; slot++) { /* tokens that are left */
            static const uint32_t left[] = {4, 0, 1};
            EXPECT_STATUS(rollback_one(sampler, slot, left[slot] + 1, NULL), WEIR_ERROR_ARGUMENT, NULL);
            EXPECT_OK(rollback_one(sampler, slot, left[slot], NULL), NULL);
        }
    }
    weir_sampler_destroy(sampler);
}

TEST(sampler_moves, rollback_says_of_each_row_whether_it_stays_stopped_or_without_a_token) {
    weir_sampler *sampler = call_sampler(2, WIDTH, 0);
    bind_slot(sampler, 0, stopping_at(STOP_ID));
    bind_seed(sampler, 1, 3);
    static float bad[WIDTH];
    for (int i = 0; i < WIDTH; i++) bad[i] = 0.0f / 0.0f;
    const int32_t slots[2] = {0, 1};
    int32_t token;
    uint32_t statuses[2];
    weir_step step = make_step(1, slots + 1, bad, WIDTH, NULL, &token, NULL, NULL);
    EXPECT_EQ(advance_one(sampler, 0, STOP_ID), WEIR_ROW_STATUS_STOPPED);
    ASSERT_OK(weir_sampler_step(sampler, &step, NULL), NULL);
    EXPECT_OK(call_rollback(sampler, slots, (const uint32_t[]){2, 1}, 2, statuses, NULL), NULL);
    EXPECT_EQ(statuses[0], WEIR_ROW_STATUS_REJECTED | WEIR_ROW_STATUS_STOPPED);
    EXPECT_EQ(statuses[1], WEIR_ROW_STATUS_REJECTED | WEIR_ROW_STATUS_NO_TOKEN);
    EXPECT_OK(call_rollback(sampler, slots, (const uint32_t[]){1, 0}, 2, statuses, NULL), NULL);
    EXPECT_EQ(statuses[0], WEIR_ROW_STATUS_OK);
    EXPECT_EQ(statuses[1], WEIR_ROW_STATUS_OK);
    weir_sampler_destroy(sampler);
}

TEST(sampler_moves, a_reset_sequence_starts_as_it_was_bound) {
    weir_sampler *sampler = make_sampler(&backend_cpu, 1, WIDTH);
    weir_slot_options options = stopping_at(STOP_ID);
    options.seed = 9;
    options.count_tokens = true;
    options.prompt_tokens = (const uint32_t[]){1, 2};
    options.prompt_count = 2;
    bind_slot(sampler, 0, options);
    static float logits[WIDTH];
    weir_sampling s = WEIR_SAMPLING_INIT;
    s.frequency_penalty = 1, s.repetition_penalty = 1.3f;
    result first[30];
    for (int i = 0; i < 30; i++) first[i] = step_one(sampler, logits, WIDTH, &s);
    ASSERT_OK(weir_sampler_reset(sampler, 0, NULL), NULL);
    for (int i = 0; i < 30; i++) expect_equal(step_one(sampler, logits, WIDTH, &s), first[i]);
    EXPECT_STATUS(rollback_one(sampler, 0, 31, NULL), WEIR_ERROR_ARGUMENT, NULL);
    weir_sampler_destroy(sampler);
}

/* --- copies ------------------------------------------------------------------------------------------------ */

TEST(sampler_moves, a_fork_goes_on_as_its_original_and_apart_under_another_seed) {
    constraint constraint = make_constraint("{\"type\":\"array\",\"items\":{\"type\":\"boolean\"}}");
    weir_sampler *sampler = make_sampler(&backend_cpu, 3, CONSTRAINT_WIDTH);
    static float logits[CONSTRAINT_WIDTH * 3];
    weir_slot_options options = WEIR_SLOT_OPTIONS_INIT;
    options.grammar = constraint.grammar;
    options.seed = 17;
    options.count_tokens = true;
    options.min_tokens = 40;
    options.bias = (const weir_logit_bias[]){{'f', 1}}, options.bias_count = 1;
    options.bad_words = (const weir_token_run[]){{(const uint32_t[]){',', 't'}, 2}}, options.bad_word_count = 1;
    options.allowed_tokens = NULL;
    bind_slot(sampler, 0, options);
    weir_sampling sampling[3];
    for (int i = 0; i < 3; i++) sampling[i] = SAMPLING(1, 1, 0, 0), sampling[i].presence_penalty = 0.3f;
    logits[']'] = logits[CONSTRAINT_WIDTH + ']'] = logits[2 * CONSTRAINT_WIDTH + ']'] = -5;
    for (int i = 0; i < 12; i++) step_one(sampler, logits, CONSTRAINT_WIDTH, sampling);
    ASSERT_OK(weir_sampler_fork(sampler, 0, 1, 17, NULL), NULL);
    ASSERT_OK(weir_sampler_fork(sampler, 0, 2, 18, NULL), NULL);
    int apart = 0;
    for (int i = 0; i < 60; i++) {
        const int32_t slots[3] = {0, 1, 2};
        int32_t tokens[3];
        uint32_t statuses[3];
        weir_step step = make_step(3, slots, logits, CONSTRAINT_WIDTH, sampling, tokens, NULL, statuses);
        ASSERT_OK(weir_sampler_step(sampler, &step, NULL), NULL);
        EXPECT_EQ(tokens[0], tokens[1]);
        EXPECT_EQ(statuses[0], statuses[1]);
        apart += tokens[0] != tokens[2];
    }
    EXPECT_GT(apart, 5);
    EXPECT_OK(rollback_one(sampler, 1, 20, NULL), NULL); /* the history was copied */
    weir_sampler_destroy(sampler);
    free_constraint(constraint);
}

TEST(sampler_moves, a_replayed_sequence_goes_on_as_if_it_had_never_been_away) {
    constraint constraint = make_constraint("{\"type\":\"array\",\"items\":{\"type\":\"boolean\"}}");
    weir_sampler *sampler = make_sampler(&backend_cpu, 2, CONSTRAINT_WIDTH);
    static float logits[CONSTRAINT_WIDTH];
    logits[']'] = -5;
    weir_slot_options options = WEIR_SLOT_OPTIONS_INIT;
    options.grammar = constraint.grammar;
    options.seed = 23;
    options.count_tokens = true;
    bind_slot(sampler, 1, options);
    uint32_t tokens[20];
    weir_sampling s = SAMPLING(1, 1, 0, 0);
    s.frequency_penalty = 0.2f;
    bind_slot(sampler, 0, options);
    for (int i = 0; i < 20; i++) tokens[i] = (uint32_t)step_one(sampler, logits, CONSTRAINT_WIDTH, &s).token;
    result next = step_one(sampler, logits, CONSTRAINT_WIDTH, &s);
    options.tokens = tokens;
    options.token_count = 20;
    bind_slot(sampler, 0, options);
    expect_equal(step_one(sampler, logits, CONSTRAINT_WIDTH, &s), next);
    weir_error error;
    tokens[7] = '!';
    EXPECT_STATUS(weir_sampler_bind(sampler, 0, &options, &error), WEIR_ERROR_TOKEN, &error);
    EXPECT_CONTAINS(error.message, "tokens[7]");
    weir_sampler_destroy(sampler);
    free_constraint(constraint);
}

TEST(sampler_moves, a_slot_exported_to_a_matcher_and_imported_again_goes_on_where_it_was) {
    constraint constraint = make_constraint("{\"type\":\"array\",\"items\":{\"type\":\"boolean\"},\"maxItems\":30}");
    weir_sampler *one = make_sampler(&backend_cpu, 1, CONSTRAINT_WIDTH);
    weir_sampler *other = make_sampler(&backend_cpu, 1, CONSTRAINT_WIDTH);
    static float logits[CONSTRAINT_WIDTH];
    logits[']'] = -3;
    weir_slot_options options = WEIR_SLOT_OPTIONS_INIT;
    options.grammar = constraint.grammar;
    options.seed = 29;
    bind_slot(one, 0, options);
    bind_slot(other, 0, options);
    for (int i = 0; i < 11; i++) step_one(one, logits, CONSTRAINT_WIDTH, NULL);
    weir_matcher *matcher;
    ASSERT_OK(weir_sampler_export(one, 0, &matcher, NULL), NULL);
    EXPECT_EQ(weir_matcher_token_count(matcher), 11);
    ASSERT_OK(weir_sampler_import(other, 0, matcher, NULL), NULL);
    weir_matcher_destroy(matcher);
    EXPECT_STATUS(rollback_one(other, 0, 1, NULL), WEIR_ERROR_ARGUMENT, NULL);
    for (int i = 0; i < 60; i++)
        expect_equal(step_one(other, logits, CONSTRAINT_WIDTH, NULL), step_one(one, logits, CONSTRAINT_WIDTH, NULL));
    weir_sampler_destroy(one);
    weir_sampler_destroy(other);
    free_constraint(constraint);
}

/* A sampler of `rollback` tokens whose slot 0 has the grammar. */
static weir_sampler *make_bound(const weir_grammar *grammar, uint32_t rollback, uint32_t budget) {
    weir_sampler_options create = WEIR_SAMPLER_OPTIONS_INIT;
    create.slot_count = 1, create.logits_width = CONSTRAINT_WIDTH, create.rollback_tokens = rollback;
    weir_sampler *sampler;
    ASSERT_OK(weir_sampler_create(&create, &sampler, NULL), NULL);
    weir_slot_options options = WEIR_SLOT_OPTIONS_INIT;
    options.grammar = grammar;
    options.token_budget = budget;
    bind_slot(sampler, 0, options);
    return sampler;
}

TEST(sampler_moves, an_imported_slot_keeps_its_own_history_length_and_budget) {
    constraint constraint = make_constraint("{\"type\":\"array\",\"items\":{\"type\":\"boolean\"}}");
    weir_sampler *sampler = make_bound(constraint.grammar, 1024, 0);
    weir_matcher *matcher, *out;
    weir_error error;
    ASSERT_OK(weir_matcher_create(constraint.grammar, NULL, &matcher, NULL), NULL);
    ASSERT_OK(weir_matcher_accept(matcher, '[', NULL), NULL);
    ASSERT_OK(weir_sampler_import(sampler, 0, matcher, NULL), NULL);
    for (int i = 0; i < 901; i++) EXPECT_EQ(advance_one(sampler, 0, i % 2 ? ',' : TRUE), WEIR_ROW_STATUS_OK);
    ASSERT_OK(rollback_one(sampler, 0, 900, NULL), NULL);
    ASSERT_OK(weir_sampler_export(sampler, 0, &out, NULL), NULL);
    EXPECT_EQ(weir_matcher_token_count(out), 2);
    weir_matcher_destroy(out);
    weir_sampler_destroy(sampler);

    sampler = make_bound(constraint.grammar, 0, 4); /* [ true , true ] is one too many */
    ASSERT_OK(weir_sampler_import(sampler, 0, matcher, NULL), NULL);
    EXPECT_EQ(advance_one(sampler, 0, TRUE), WEIR_ROW_STATUS_OK);
    EXPECT_EQ(advance_one(sampler, 0, ','), WEIR_ROW_STATUS_REJECTED);
    ASSERT_OK(weir_matcher_accept(matcher, TRUE, NULL), NULL);
    ASSERT_OK(weir_matcher_accept(matcher, ',', NULL), NULL);
    EXPECT_STATUS(weir_sampler_import(sampler, 0, matcher, &error), WEIR_ERROR_UNSATISFIABLE, &error);
    EXPECT_EQ(advance_one(sampler, 0, ']'), WEIR_ROW_STATUS_OK); /* it was left as it was */
    ASSERT_OK(weir_sampler_reset(sampler, 0, NULL), NULL);
    EXPECT_EQ(advance_one(sampler, 0, '['), WEIR_ROW_STATUS_OK);
    EXPECT_EQ(advance_one(sampler, 0, TRUE), WEIR_ROW_STATUS_OK);
    EXPECT_EQ(advance_one(sampler, 0, ','), WEIR_ROW_STATUS_REJECTED);
    EXPECT_EQ(advance_one(sampler, 0, ']'), WEIR_ROW_STATUS_OK);
    weir_matcher_destroy(matcher);
    weir_sampler_destroy(sampler);
    free_constraint(constraint);
}

TEST(sampler_moves, a_stop_token_of_the_slots_own_is_carried_by_an_export) {
    constraint constraint = make_constraint("{\"enum\":[true,false]}");
    weir_sampler *sampler = make_sampler(&backend_cpu, 2, CONSTRAINT_WIDTH);
    weir_slot_options options = WEIR_SLOT_OPTIONS_INIT;
    options.grammar = constraint.grammar;
    options.stop_ids = (const uint32_t[]){OTHER}, options.stop_count = 1;
    bind_slot(sampler, 0, options);
    bind_slot(sampler, 1, options);
    EXPECT_EQ(advance_one(sampler, 0, TRUE), WEIR_ROW_STATUS_OK);
    EXPECT_EQ(advance_one(sampler, 0, OTHER), WEIR_ROW_STATUS_STOPPED);
    weir_matcher *matcher;
    ASSERT_OK(weir_sampler_export(sampler, 0, &matcher, NULL), NULL);
    EXPECT_TRUE(weir_matcher_is_stopped(matcher));
    EXPECT_EQ(weir_matcher_token_count(matcher), 2);
    ASSERT_OK(weir_sampler_import(sampler, 1, matcher, NULL), NULL);
    EXPECT_EQ(advance_one(sampler, 1, OTHER), WEIR_ROW_STATUS_REJECTED | WEIR_ROW_STATUS_STOPPED);
    weir_matcher_destroy(matcher);
    weir_sampler_destroy(sampler);
    free_constraint(constraint);
}

TEST(sampler_moves, a_row_without_a_legal_token_can_be_tried_again_after_a_rollback_of_nothing) {
    weir_sampler *sampler = make_sampler(&backend_cpu, 1, WIDTH);
    weir_sampler *other = make_sampler(&backend_cpu, 1, WIDTH);
    bind_seed(sampler, 0, 3);
    bind_seed(other, 0, 3);
    static float logits[WIDTH], bad[WIDTH];
    for (int i = 0; i < WIDTH; i++) bad[i] = 0.0f / 0.0f;
    expect_equal(step_one(sampler, logits, WIDTH, NULL), step_one(other, logits, WIDTH, NULL));
    for (int i = 0; i < 2; i++)
        expect_equal(step_one(sampler, i ? logits : bad, WIDTH, NULL), (result){-1, 0, WEIR_ROW_STATUS_NO_TOKEN});
    EXPECT_EQ(advance_one(sampler, 0, 3), WEIR_ROW_STATUS_REJECTED | WEIR_ROW_STATUS_NO_TOKEN);
    ASSERT_OK(rollback_one(sampler, 0, 0, NULL), NULL);
    expect_equal(step_one(sampler, logits, WIDTH, NULL), step_one(other, logits, WIDTH, NULL));
    weir_sampler_destroy(sampler);
    weir_sampler_destroy(other);
}

/* Tokens that move through many frames at once: the history never grows, and reaches back as far as promised. */
TEST(sampler_moves, a_sequence_of_brackets_needs_no_memory_and_can_be_taken_back) {
    enum { OPEN = 256, TURN, END, VOCAB };
    static const char *const words[] = {"[[[[", "]]],[[[", "<stop>"};
    static uint8_t bytes[256];
    weir_token tokens[VOCAB];
    for (uint32_t i = 0; i < 256; i++) bytes[i] = (uint8_t)i, tokens[i] = (weir_token){&bytes[i], 1, 0};
    for (uint32_t i = OPEN; i < VOCAB; i++)
        tokens[i] = (weir_token){words[i - OPEN], (uint32_t)strlen(words[i - OPEN]), i == END};
    weir_vocab_options vocab_options = WEIR_VOCAB_OPTIONS_INIT;
    vocab_options.stop_ids = (const uint32_t[]){END}, vocab_options.stop_count = 1;
    weir_vocab *vocab;
    weir_grammar *grammar;
    weir_error error;
    ASSERT_OK(weir_vocab_create(tokens, VOCAB, &vocab_options, &vocab, &error), &error);
    weir_grammar_options options = WEIR_GRAMMAR_OPTIONS_INIT;
    options.whitespace = WEIR_WHITESPACE_COMPACT;
    const char *schema = "{\"$defs\":{\"a\":{\"type\":\"array\",\"maxItems\":2000,\"items\":{\"$ref\":\"#/$defs/b\"}},"
                         "\"b\":{\"type\":\"array\",\"maxItems\":3000,\"items\":{\"$ref\":\"#/$defs/c\"}},"
                         "\"c\":{\"type\":\"array\",\"maxItems\":4000,\"items\":{\"$ref\":\"#/$defs/d\"}},"
                         "\"d\":{\"type\":\"array\",\"maxItems\":5000,\"items\":{\"type\":\"integer\"}}},\"$ref\":\"#/$defs/a\"}";
    ASSERT_OK(weir_grammar_from_json_schema(vocab, schema, strlen(schema), &options, &grammar, &error), &error);
    test_memory *memory = test_memory_create();
    weir_allocator allocator = test_allocator(memory);
    weir_matcher_options matcher_options = WEIR_MATCHER_OPTIONS_INIT;
    matcher_options.allocator = &allocator;
    weir_matcher *matcher, *twin;
    ASSERT_OK(weir_matcher_create(grammar, &matcher_options, &matcher, &error), &error);
    ASSERT_OK(weir_matcher_create(grammar, &matcher_options, &twin, &error), &error);
    size_t calls = memory->calls;
    enum { ROUNDS = 900, BACK = 256 };
    for (int i = 0; i < ROUNDS; i++) ASSERT_OK(weir_matcher_accept(matcher, i ? TURN : OPEN, &error), &error);
    for (int i = 0; i < ROUNDS - BACK; i++) ASSERT_OK(weir_matcher_accept(twin, i ? TURN : OPEN, &error), &error);
    EXPECT_EQ(memory->calls, calls);
    ASSERT_OK(weir_matcher_rollback(matcher, BACK, &error), &error);
    enum { WORDS = (VOCAB + 31) / 32 };
    uint32_t masks[2][WORDS];
    random_state = 82;
    for (int i = 0; i < 300; i++) {
        uint32_t token = random_below(4) ? (uint8_t)"[]0,"[random_below(4)] : OPEN + random_below(2);
        EXPECT_OK(weir_matcher_fill_mask(matcher, masks[0], WORDS, NULL), NULL);
        EXPECT_OK(weir_matcher_fill_mask(twin, masks[1], WORDS, NULL), NULL);
        EXPECT_BYTES_EQ(masks[0], sizeof masks[0], masks[1], sizeof masks[1]);
        EXPECT_EQ(weir_matcher_accept(matcher, token, NULL), weir_matcher_accept(twin, token, NULL));
    }
    weir_matcher_destroy(matcher);
    weir_matcher_destroy(twin);
    weir_grammar_destroy(grammar);
    weir_vocab_destroy(vocab);
}
