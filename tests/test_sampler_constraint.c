/* test_sampler_constraint.c - rows whose slot has a grammar: the mask decides, the sampler chooses. */
#include <math.h>
#include <string.h>

#include "kernels/fixed_math.h"
#include "kernels/philox.h"
#include "sampler_helpers.h"

__extension__ typedef unsigned __int128 wide;

static void bind_constraint(weir_sampler *sampler, uint32_t slot, constraint constraint, const uint32_t *stop_ids,
                            uint32_t stop_count) {
    weir_slot_options options = WEIR_SLOT_OPTIONS_INIT;
    options.grammar = constraint.grammar;
    options.seed = 71;
    options.stop_ids = stop_ids;
    options.stop_count = stop_count;
    bind_slot(sampler, slot, options);
}

#define EXPECT_MASK(sampler, ...)                                                                                      \
    expect_mask(sampler, CONSTRAINT_WIDTH, (const uint32_t[]){__VA_ARGS__},                                            \
                sizeof((const uint32_t[]){__VA_ARGS__}) / sizeof(uint32_t))

TEST(sampler_constraint, masks_of_a_constrained_row_follow_its_text) {
    constraint constraint = make_constraint("{\"enum\":[true,false]}");
    weir_sampler *sampler = make_sampler(&backend_cpu, 1, CONSTRAINT_WIDTH);
    bind_constraint(sampler, 0, constraint, NULL, 0);
    EXPECT_MASK(sampler, 't', 'f', TRUE, TR, FAL);
    EXPECT_EQ(advance_one(sampler, 0, TR), WEIR_ROW_STATUS_OK);
    EXPECT_MASK(sampler, 'u', UE);
    EXPECT_EQ(advance_one(sampler, 0, 'e'), WEIR_ROW_STATUS_REJECTED);
    EXPECT_EQ(advance_one(sampler, 0, STOP), WEIR_ROW_STATUS_REJECTED);
    EXPECT_MASK(sampler, 'u', UE);
    EXPECT_EQ(advance_one(sampler, 0, UE), WEIR_ROW_STATUS_OK);
    EXPECT_MASK(sampler, STOP);
    EXPECT_EQ(advance_one(sampler, 0, STOP), WEIR_ROW_STATUS_STOPPED);
    expect_mask(sampler, CONSTRAINT_WIDTH, NULL, 0);
    weir_sampler_destroy(sampler);
    free_constraint(constraint);
}

TEST(sampler_constraint, a_constrained_row_draws_among_its_mask_as_if_the_rest_were_NaN) {
    constraint constraint = make_constraint("{\"enum\":[true,false]}");
    weir_sampler *sampler = make_sampler(&backend_cpu, 2, CONSTRAINT_WIDTH);
    /* After the text is complete: own stop ids few enough to be listed, and so many that the row is streamed. */
    static const uint32_t counts[] = {5, 150};
    uint32_t stop_ids[150];
    for (uint32_t i = 0; i < 150; i++) stop_ids[i] = 299 - 2 * i;
    random_state = 72;
    for (int round = 0; round < 400 && !test_has_failed(); round++) {
        float logits[2][CONSTRAINT_WIDTH];
        fill_random(logits[0], CONSTRAINT_WIDTH);
        memcpy(logits[1], logits[0], sizeof logits[0]);
        for (uint32_t i = 0, count = counts[round % 2]; i < CONSTRAINT_WIDTH; i++) {
            bool stops = false;
            for (uint32_t k = 0; k < count; k++) stops |= stop_ids[k] == i;
            if (!stops) logits[1][i] = NAN;
        }
        weir_sampling sampling[2] = {random_sampling(CONSTRAINT_WIDTH)};
        sampling[1] = sampling[0];
        bind_constraint(sampler, 0, constraint, stop_ids, counts[round % 2]);
        advance_one(sampler, 0, TRUE);
        weir_slot_options options = WEIR_SLOT_OPTIONS_INIT;
        options.seed = 71;
        ASSERT_OK(weir_sampler_bind(sampler, 1, &options, NULL), NULL);
        advance_one(sampler, 1, TRUE);
        int32_t tokens[2];
        float logprobs[2];
        weir_step step = make_step(2, (const int32_t[]){0, 1}, logits[0], CONSTRAINT_WIDTH, sampling, tokens, logprobs, NULL);
        ASSERT_OK(weir_sampler_step(sampler, &step, NULL), NULL);
        test_context("seed 72, round %d", round);
        EXPECT_EQ(tokens[0], tokens[1]);
        EXPECT_EQ(bits_of(logprobs[0]), bits_of(logprobs[1]));
    }
    weir_sampler_destroy(sampler);
    free_constraint(constraint);
}

TEST(sampler_constraint, a_constraint_that_leaves_one_token_does_not_read_the_logits) {
    constraint constraint = make_constraint("{\"enum\":[true,false]}");
    weir_sampler *sampler = make_sampler(&backend_cpu, 1, CONSTRAINT_WIDTH);
    bind_constraint(sampler, 0, constraint, NULL, 0);
    float logits[CONSTRAINT_WIDTH];
    for (int i = 0; i < CONSTRAINT_WIDTH; i++) logits[i] = i % 2 ? NAN : -INFINITY;
    EXPECT_EQ(advance_one(sampler, 0, 't'), WEIR_ROW_STATUS_OK);
    expect_equal(step_one(sampler, logits, CONSTRAINT_WIDTH, NULL), (result){'r', 0, WEIR_ROW_STATUS_OK});
    EXPECT_EQ(advance_one(sampler, 0, UE), WEIR_ROW_STATUS_OK);
    expect_equal(step_one(sampler, logits, CONSTRAINT_WIDTH, NULL), (result){STOP, 0, WEIR_ROW_STATUS_STOPPED});
    bind_constraint(sampler, 0, constraint, NULL, 0); /* five tokens, and none has a logit */
    for (int i = 0; i < 2; i++)
        expect_equal(step_one(sampler, logits, CONSTRAINT_WIDTH, NULL), (result){-1, 0, WEIR_ROW_STATUS_NO_TOKEN});
    weir_sampler_destroy(sampler);
    free_constraint(constraint);
}

TEST(sampler_constraint, every_drawn_text_of_a_constrained_row_is_complete) {
    constraint constraint = make_constraint("{\"enum\":[true,false]}");
    weir_sampler *sampler = make_sampler(&backend_cpu, 1, CONSTRAINT_WIDTH);
    random_state = 73;
    int seen_true = 0, seen_false = 0;
    for (uint64_t seed = 0; seed < 200; seed++) {
        weir_slot_options options = WEIR_SLOT_OPTIONS_INIT;
        options.grammar = constraint.grammar;
        options.seed = seed;
        ASSERT_OK(weir_sampler_bind(sampler, 0, &options, NULL), NULL);
        char text[32] = "";
        result result = {0, 0, 0};
        while (result.status == WEIR_ROW_STATUS_OK && strlen(text) < 16) {
            float logits[CONSTRAINT_WIDTH];
            for (int i = 0; i < CONSTRAINT_WIDTH; i++)
                logits[i] = (float)random_normal() + (i >= TOKEN_COUNT || i == OTHER ? 1e30f : 0);
            result = step_one(sampler, logits, CONSTRAINT_WIDTH, NULL);
            uint32_t length;
            if (result.status == WEIR_ROW_STATUS_OK) {
                const uint8_t *bytes = weir_vocab_token(constraint.vocab, (uint32_t)result.token, &length);
                strncat(text, (const char *)bytes, length);
            }
        }
        EXPECT_EQ(result.status, WEIR_ROW_STATUS_STOPPED);
        EXPECT_EQ(result.token, STOP);
        seen_true += strcmp(text, "true") == 0;
        seen_false += strcmp(text, "false") == 0;
    }
    EXPECT_EQ(seen_true + seen_false, 200);
    EXPECT_GT(seen_true, 20);
    EXPECT_GT(seen_false, 20);
    weir_sampler_destroy(sampler);
    free_constraint(constraint);
}

TEST(sampler_constraint, own_stop_ids_replace_those_of_the_vocabulary) {
    constraint constraint = make_constraint("{\"enum\":[true,false]}");
    weir_sampler *sampler = make_sampler(&backend_cpu, 1, CONSTRAINT_WIDTH);
    const uint32_t stop_ids[] = {OTHER, 'u', TOKEN_COUNT + 3};
    bind_constraint(sampler, 0, constraint, stop_ids, 3);
    EXPECT_EQ(advance_one(sampler, 0, TR), WEIR_ROW_STATUS_OK);
    EXPECT_MASK(sampler, UE); /* 'u' would be text here, but it stops */
    EXPECT_EQ(advance_one(sampler, 0, OTHER), WEIR_ROW_STATUS_REJECTED);
    EXPECT_EQ(advance_one(sampler, 0, 'u'), WEIR_ROW_STATUS_REJECTED);
    EXPECT_EQ(advance_one(sampler, 0, UE), WEIR_ROW_STATUS_OK);
    EXPECT_MASK(sampler, OTHER, 'u', TOKEN_COUNT + 3);
    EXPECT_EQ(advance_one(sampler, 0, STOP), WEIR_ROW_STATUS_REJECTED);
    EXPECT_EQ(advance_one(sampler, 0, TOKEN_COUNT + 3), WEIR_ROW_STATUS_STOPPED);
    EXPECT_EQ(advance_one(sampler, 0, OTHER), WEIR_ROW_STATUS_REJECTED | WEIR_ROW_STATUS_STOPPED);
    weir_sampler_destroy(sampler);
    free_constraint(constraint);
}

TEST(sampler_constraint, an_empty_own_stop_set_leaves_no_token_after_the_text) {
    constraint constraint = make_constraint("{\"enum\":[true,false]}");
    weir_sampler *sampler = make_sampler(&backend_cpu, 1, CONSTRAINT_WIDTH);
    bind_constraint(sampler, 0, constraint, (const uint32_t[]){0}, 0);
    EXPECT_EQ(advance_one(sampler, 0, TRUE), WEIR_ROW_STATUS_OK);
    static float logits[CONSTRAINT_WIDTH];
    expect_equal(step_one(sampler, logits, CONSTRAINT_WIDTH, NULL), (result){-1, 0, WEIR_ROW_STATUS_NO_TOKEN});
    weir_sampler_destroy(sampler);
    free_constraint(constraint);
}

TEST(sampler_constraint, constrained_free_and_idle_rows_share_a_batch) {
    constraint constraint = make_constraint("{\"enum\":[true,false]}");
    weir_sampler *sampler = make_sampler(&backend_cpu, 3, CONSTRAINT_WIDTH);
    bind_constraint(sampler, 2, constraint, NULL, 0);
    bind_seed(sampler, 0, 4);
    static float logits[3][CONSTRAINT_WIDTH];
    for (int row = 0; row < 3; row++) logits[row][7] = 9, logits[row][FAL] = 5;
    int32_t tokens[3];
    uint32_t statuses[3];
    const weir_sampling greedy[3] = {SAMPLING(0, 1, 0, 0), SAMPLING(0, 1, 0, 0), SAMPLING(0, 1, 0, 0)};
    weir_step step = make_step(3, (const int32_t[]){2, -1, 0}, logits[0], CONSTRAINT_WIDTH, greedy, tokens, NULL, statuses);
    ASSERT_OK(weir_sampler_step(sampler, &step, NULL), NULL);
    EXPECT_EQ(tokens[0], FAL);
    EXPECT_EQ(tokens[1], -1);
    EXPECT_EQ(tokens[2], 7);
    EXPECT_EQ(statuses[1], WEIR_ROW_STATUS_IDLE);
    weir_sampler_destroy(sampler);
    free_constraint(constraint);
}

TEST(sampler_constraint, a_grammar_wider_than_the_logits_is_refused_and_the_slot_keeps_what_it_held) {
    constraint constraint = make_constraint("{\"enum\":[true,false]}");
    weir_sampler *sampler = make_sampler(&backend_cpu, 1, TOKEN_COUNT - 1);
    bind_seed(sampler, 0, 5);
    weir_slot_options options = WEIR_SLOT_OPTIONS_INIT;
    options.grammar = constraint.grammar;
    weir_error error;
    EXPECT_STATUS(weir_sampler_bind(sampler, 0, &options, &error), WEIR_ERROR_ARGUMENT, &error);
    EXPECT_CONTAINS(error.message, "263");
    static float logits[CONSTRAINT_WIDTH];
    EXPECT_EQ(step_one(sampler, logits, CONSTRAINT_WIDTH, NULL).token,
              (uint64_t)((wide)philox_token_bits(5, 0) * (TOKEN_COUNT - 1) >> 64));
    weir_sampler_destroy(sampler);
    free_constraint(constraint);
}

TEST(sampler_constraint, every_failing_allocation_of_create_and_bind_is_clean) {
    constraint constraint = make_constraint("{\"enum\":[true,false]}");
    test_memory *memory = test_memory_create();
    weir_allocator allocator = test_allocator(memory);
    while (test_next_failure(memory)) {
        weir_sampler_options options = WEIR_SAMPLER_OPTIONS_INIT;
        options.allocator = &allocator;
        options.slot_count = 3;
        options.logits_width = CONSTRAINT_WIDTH;
        weir_sampler *sampler;
        weir_error error;
        weir_status status = weir_sampler_create(&options, &sampler, &error);
        weir_slot_options slot = WEIR_SLOT_OPTIONS_INIT;
        slot.grammar = constraint.grammar;
        slot.stop_ids = (const uint32_t[]){OTHER};
        slot.stop_count = 1;
        if (status == WEIR_OK) status = weir_sampler_bind(sampler, 0, &slot, &error);
        if (status == WEIR_OK) status = weir_sampler_bind(sampler, 0, &slot, &error); /* over a bound slot */
        EXPECT_STATUS(status, memory->failed ? WEIR_ERROR_MEMORY : WEIR_OK, &error);
        weir_sampler_destroy(sampler);
    }
    free_constraint(constraint);
}
