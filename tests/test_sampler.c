/* test_sampler.c - the CPU sampler against a full sort, in its own masses (equal to the bit) and in doubles, and what
 * temperature, top-k, top-p and min-p mean. */
#include "sampler_reference.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/fixed_math.h"
#include "kernels/philox.h"

/* --- against a full sort ----------------------------------------------------------------------------------- */

static void describe(const char *name, uint32_t width, uint64_t seed, int round, weir_sampling s) {
    test_context("%s, width %u, seed %llu, round %d: temperature %g top_p %g min_p %g top_k %u flags %u", name, width,
                 (unsigned long long)seed, round, (double)s.temperature, (double)s.top_p, (double)s.min_p, s.top_k,
                 s.flags);
}

static void compare_rows(const backend *backend, uint32_t width, int rounds, uint64_t seed) {
    weir_sampler *sampler = make_sampler(backend, 1, width);
    float *logits = malloc(width * sizeof *logits);
    random_state = seed;
    for (int round = 0; round < rounds && !test_has_failed(); round++) {
        fill_random(logits, width);
        weir_sampling sampling = random_sampling(width);
        sampling.flags = random_below(8);
        describe(backend->name, width, seed, round, sampling);
        question q = plain_question(logits, width, sampling);
        reference r = make_reference(&q);
        bind_seed(sampler, 0, (uint64_t)round);
        for (uint64_t position = 0; position < 2 && r.count; position++)
            expect_equal(step_one(sampler, logits, width, &sampling),
                         reference_draw(&r, (uint64_t)round, position, sampling));
        reference_free(&r);
    }
    free(logits);
    weir_sampler_destroy(sampler);
}

TEST(sampler, equals_the_full_sort_to_the_bit) {
    static const uint32_t widths[] = {1, 2, 3, 31, 32, 33, 63, 65, 1000, 4097};
    for (size_t i = 0; i < sizeof widths / sizeof *widths; i++) compare_rows(&backend_cpu, widths[i], 600, widths[i]);
}

TEST(sampler, equals_the_full_sort_to_the_bit_on_vocabularies_of_odd_size) {
    compare_rows(&backend_cpu, 50257, 40, 21);
    compare_rows(&backend_cpu, 128257, 10, 22);
}

TEST(sampler, without_vector_code_gives_the_same_bits) {
    static const uint32_t widths[] = {1, 33, 1000, 5001};
    for (size_t i = 0; i < sizeof widths / sizeof *widths; i++)
        compare_rows(&backend_cpu_portable, widths[i], 200, widths[i]);
}

/* --- the kept set ------------------------------------------------------------------------------------------ */

/* One step with everything that is kept reported: the tokens and their log-probabilities, likeliest first. */
static uint32_t kept_of(weir_sampler *sampler, const float *logits, uint32_t width, const weir_sampling *sampling,
                        int32_t *tokens, float *logprobs) {
    int32_t slot = 0, token;
    weir_step step = make_step(1, &slot, logits, width, sampling, &token, NULL, NULL);
    step.top_count = width;
    step.top_tokens = tokens;
    step.top_logprobs = logprobs;
    ASSERT_OK(weir_sampler_step(sampler, &step, NULL), NULL);
    uint32_t count = 0;
    while (count < width && tokens[count] >= 0) count++;
    return count;
}

/* 10,000 rows, most of them full of ties at every boundary: the kept set and its order are those of the sorted prefix. */
TEST(sampler, kept_set_is_the_sorted_prefix_ties_at_the_boundary_included) {
    enum { WIDTH = 70, ROUNDS = 10000 };
    static float logits[WIDTH], logprobs[WIDTH];
    static int32_t tokens[WIDTH];
    weir_sampler *sampler = make_sampler(&backend_cpu, 1, WIDTH);
    int cut = 0, through_tie = 0;
    random_state = 33;
    for (int round = 0; round < ROUNDS && !test_has_failed(); round++) {
        fill_random(logits, WIDTH);
        weir_sampling sampling = random_sampling(WIDTH);
        if (sampling.temperature == 0) sampling.temperature = 1;
        sampling.flags = random_below(8);
        describe("kept set", WIDTH, 33, round, sampling);
        question q = plain_question(logits, WIDTH, sampling);
        reference r = make_reference(&q);
        bind_seed(sampler, 0, 1);
        uint32_t count = kept_of(sampler, logits, WIDTH, &sampling, tokens, logprobs), expected = 0;
        for (uint32_t i = 0; i < r.count; i++) {
            if (!r.entries[i].mass) continue;
            EXPECT_EQ(tokens[expected], r.entries[i].id);
            EXPECT_EQ(bits_of(logprobs[expected]), bits_of(fixed_log(r.entries[i].mass, r.kept)));
            expected++;
        }
        EXPECT_EQ(count, expected);
        cut += expected < r.count;
        through_tie += expected > 0 && expected < r.count && r.entries[expected - 1].logit == r.entries[expected].logit;
        reference_free(&r);
    }
    EXPECT_GT(cut, ROUNDS / 2);
    EXPECT_GT(through_tie, ROUNDS / 10);
    weir_sampler_destroy(sampler);
}

/* The same by doubles, which share no arithmetic with the library; what lies within their rounding is left out. */
TEST(sampler, kept_set_and_probabilities_are_those_of_doubles) {
    enum { WIDTH = 200 };
    static float logits[WIDTH], logprobs[WIDTH];
    static int32_t tokens[WIDTH];
    weir_sampler *sampler = make_sampler(&backend_cpu, 1, WIDTH);
    int checked = 0, rows = 0;
    random_state = 32;
    for (int round = 0; round < 10000 && !test_has_failed(); round++) {
        fill_random(logits, WIDTH);
        weir_sampling sampling = random_sampling(WIDTH);
        if (sampling.temperature == 0) continue;
        sampling.flags = random_below(8);
        describe("doubles", WIDTH, 32, round, sampling);
        question q = plain_question(logits, WIDTH, sampling);
        reference r = make_reference(&q);
        bind_seed(sampler, 0, 1);
        uint32_t count = kept_of(sampler, logits, WIDTH, &sampling, tokens, logprobs);
        double found[WIDTH] = {0};
        for (uint32_t i = 0; i < count; i++) found[tokens[i]] = exp((double)logprobs[i]);
        for (uint32_t i = 0; i < r.count; i++) {
            const entry *e = &r.entries[i];
            if (e->unsure) continue;
            EXPECT_EQ(found[e->id] > 0, e->weight > 0);
            if (!r.unsure) EXPECT_NEAR(found[e->id], e->weight, 0x1p-20);
            checked++;
        }
        rows += !r.unsure;
        reference_free(&r);
    }
    EXPECT_GT(checked, 500000);
    EXPECT_GT(rows, 2000);
    weir_sampler_destroy(sampler);
}

/* --- bias, penalties and masks ------------------------------------------------------------------------------ */

/* Random biases, counts and masks at once, over every type of logits: equal to the full sort to the bit. */
TEST(sampler, patched_and_masked_rows_equal_the_full_sort_to_the_bit) {
    enum { WIDTH = 333, PROMPT = 40, OUTPUT = 60, BIASES = 12 };
    static float logits[WIDTH];
    weir_sampler *sampler = make_sampler(&backend_cpu, 1, WIDTH);
    random_state = 34;
    for (int round = 0; round < 3000 && !test_has_failed(); round++) {
        uint32_t prompt_tokens[PROMPT], output_tokens[OUTPUT], prompt[WIDTH] = {0}, output[WIDTH] = {0};
        uint32_t mask[(WIDTH + 31) / 32] = {0}, span = random_below(2) ? WIDTH : 20;
        weir_logit_bias bias[BIASES];
        bool legal[WIDTH];
        fill_random(logits, WIDTH);
        for (uint32_t i = 0; i < PROMPT; i++) prompt[prompt_tokens[i] = random_below(span)]++;
        for (uint32_t i = 0; i < OUTPUT; i++) output[output_tokens[i] = random_below(span)]++;
        for (uint32_t i = 0; i < BIASES; i++)
            bias[i] = (weir_logit_bias){random_below(span), i ? (float)random_normal() * 5 : random_below(2) ? 3e38f : -3e38f};
        uint32_t dense = random_below(3); /* all but few, few, all */
        for (uint32_t i = 0; i < WIDTH; i++) {
            legal[i] = dense == 2 || random_below(40) != 0 ? dense != 1 : dense == 1;
            if (legal[i]) mask[i / 32] |= 1u << i % 32;
        }
        weir_slot_options options = WEIR_SLOT_OPTIONS_INIT;
        options.seed = (uint64_t)round;
        options.count_tokens = true;
        options.prompt_tokens = prompt_tokens, options.prompt_count = PROMPT;
        options.tokens = output_tokens, options.token_count = OUTPUT;
        options.bias = bias, options.bias_count = BIASES;
        bind_slot(sampler, 0, options);
        weir_sampling s = random_sampling(WIDTH);
        s.repetition_penalty = random_below(3) ? 0.5f + (float)random_unit() : 1;
        s.frequency_penalty = random_below(3) ? (float)random_normal() : 0;
        s.presence_penalty = random_below(3) ? (float)random_normal() : 0;
        s.flags = random_below(8);
        if (isinf(s.temperature)) s.flags &= ~(uint32_t)WEIR_SAMPLING_TEMPERATURE_FIRST;
        describe("patched", WIDTH, 34, round, s);
        question q = {logits, WIDTH, s, legal, bias, BIASES, prompt, output};
        reference r = make_reference(&q);
        result found;
        int32_t slot = 0;
        weir_step step = make_step(1, &slot, logits, WIDTH, &s, &found.token, &found.logprob, &found.status);
        step.masks = mask, step.masks_stride = (WIDTH + 31) / 32;
        ASSERT_OK(weir_sampler_step(sampler, &step, NULL), NULL);
        uint32_t count = 0, last = 0;
        for (uint32_t i = 0; i < WIDTH; i++)
            if (legal[i]) count++, last = i;
        result expected = reference_draw(&r, (uint64_t)round, OUTPUT, s);
        if (count == 1) expected = (result){(int32_t)last, 0, WEIR_ROW_STATUS_OK};
        expect_equal(found, expected);
        reference_free(&r);
    }
    weir_sampler_destroy(sampler);
}

/* --- meanings --------------------------------------------------------------------------------------------- */

TEST(sampler, temperature_0_is_argmax_with_ties_to_the_lowest_id_and_logprob_0) {
    const float logits[5] = {-1, 3, 2, 3, 3};
    for (uint64_t seed = 0; seed < 20; seed++) {
        result result = sample(logits, 5, SAMPLING(0, 0.5f, 0.5f, 3), seed);
        EXPECT_EQ(result.token, 1);
        EXPECT_EQ(bits_of(result.logprob), 0);
    }
    const float infinite[3] = {1, INFINITY, INFINITY};
    EXPECT_EQ(sample(infinite, 3, SAMPLING(0, 1, 0, 0), 7).token, 1);
    const float zeros[3] = {-1, -0.0f, 0.0f};
    EXPECT_EQ(sample(zeros, 3, SAMPLING(0, 1, 0, 0), 7).token, 1);
}

TEST(sampler, temperatures_below_the_smallest_normal_float_are_0) {
    const float logits[3] = {0, 0x1p-149f, 0x1p-149f};
    result result = sample(logits, 3, SAMPLING(0x1p-149f, 1, 0, 0), 3);
    EXPECT_EQ(result.token, 1);
    EXPECT_EQ(bits_of(result.logprob), 0);
    const float apart[2] = {0, 1};
    EXPECT_EQ(sample(apart, 2, SAMPLING(FLT_MIN, 1, 0, 0), 3).token, 1);
}

TEST(sampler, infinite_temperature_is_uniform_over_the_allowed) {
    const float logits[5] = {-1e30f, 4, NAN, 3e38f, -INFINITY};
    bool seen[5] = {0};
    for (uint64_t seed = 0; seed < 60; seed++) {
        result result = sample(logits, 5, SAMPLING(INFINITY, 1, 0, 0), seed);
        seen[result.token] = true;
        EXPECT_NEAR(result.logprob, -log(3), 1e-6);
    }
    EXPECT_TRUE(seen[0] && seen[1] && !seen[2] && seen[3] && !seen[4]);
}

TEST(sampler, infinite_temperature_filters_in_the_order_of_the_logits) {
    const float logits[4] = {1, 4, 3, 2};
    uint32_t counts[4];
    count_draws(logits, 4, SAMPLING(INFINITY, 1, 0, 2), 5, 100, counts);
    EXPECT_TRUE(!counts[0] && counts[1] && counts[2] && !counts[3]);
    count_draws(logits, 4, SAMPLING(INFINITY, 0.75f, 0, 0), 5, 100, counts);
    EXPECT_TRUE(!counts[0] && counts[1] && counts[2] && counts[3]);
    count_draws(logits, 4, SAMPLING(INFINITY, 1, 0.99f, 0), 5, 100, counts);
    EXPECT_TRUE(counts[0] && counts[1] && counts[2] && counts[3]);
}

TEST(sampler, plus_infinity_wins_and_ties_among_it_are_uniform) {
    const float logits[6] = {3e38f, INFINITY, 0, INFINITY, NAN, INFINITY};
    uint32_t counts[6];
    count_draws(logits, 6, SAMPLING(1, 1, 0, 0), 6, 3000, counts);
    EXPECT_EQ(counts[0] + counts[2] + counts[4], 0);
    for (int i = 1; i < 6; i += 2) EXPECT_NEAR(counts[i], 1000, 130); /* five standard deviations */
    EXPECT_NEAR(sample(logits, 6, SAMPLING(INFINITY, 1, 0, 0), 6).logprob, -log(3), 1e-6);
    count_draws(logits, 6, SAMPLING(1, 0.5f, 0, 0), 6, 100, counts);
    EXPECT_TRUE(counts[1] && counts[3] && !counts[5]);
}

TEST(sampler, NaN_and_minus_infinity_are_not_allowed) {
    const float logits[6] = {NAN, -INFINITY, -3e38f, -NAN, -INFINITY, NAN};
    weir_sampling settings[] = {SAMPLING(0, 1, 0, 0), SAMPLING(1, 1, 0, 0), SAMPLING(INFINITY, 1, 0, 0),
                                SAMPLING(1, 0.5f, 0.5f, 2), SAMPLING(1e-30f, 1, 0, 5)};
    for (size_t i = 0; i < 5; i++) {
        result result = sample(logits, 6, settings[i], 8);
        EXPECT_EQ(result.token, 2);
        EXPECT_EQ(bits_of(result.logprob), 0);
    }
}

TEST(sampler, a_row_without_a_legal_token_gives_minus_1_stops_and_harms_no_other_row) {
    const float logits[3][3] = {{1, 2, 3}, {NAN, -INFINITY, NAN}, {1, 2, 3}};
    const int32_t slots[3] = {0, 1, 2};
    int32_t tokens[3];
    float logprobs[3];
    uint32_t statuses[3];
    weir_sampler *sampler = make_sampler(&backend_cpu, 3, 3);
    weir_sampler *alone = make_sampler(&backend_cpu, 1, 3);
    for (uint32_t slot = 0; slot < 3; slot++) bind_seed(sampler, slot, 9);
    bind_seed(alone, 0, 9);
    weir_step step = make_step(3, slots, logits[0], 3, NULL, tokens, logprobs, statuses);
    ASSERT_OK(weir_sampler_step(sampler, &step, NULL), NULL);
    result expected = step_one(alone, logits[0], 3, NULL);
    expect_equal((result){tokens[0], logprobs[0], statuses[0]}, expected);
    expect_equal((result){tokens[1], logprobs[1], statuses[1]}, (result){-1, 0, WEIR_ROW_STATUS_NO_TOKEN});
    expect_equal((result){tokens[2], logprobs[2], statuses[2]}, expected);
    step.logits = (const float[9]){1, 2, 3, 1, 2, 3, 1, 2, 3};
    ASSERT_OK(weir_sampler_step(sampler, &step, NULL), NULL);
    expected = step_one(alone, logits[0], 3, NULL);
    expect_equal((result){tokens[0], logprobs[0], statuses[0]}, expected);
    expect_equal((result){tokens[1], logprobs[1], statuses[1]}, (result){-1, 0, WEIR_ROW_STATUS_NO_TOKEN});
    weir_sampler_destroy(sampler);
    weir_sampler_destroy(alone);
}

TEST(sampler, top_k_cuts_ties_at_the_highest_ids) {
    const float logits[6] = {1, 2, 2, 2, 2, 0};
    uint32_t counts[6];
    count_draws(logits, 6, SAMPLING(1, 1, 0, 3), 10, 200, counts);
    EXPECT_TRUE(!counts[0] && counts[1] && counts[2] && counts[3] && !counts[4] && !counts[5]);
    count_draws(logits, 6, SAMPLING(1, 1, 0, 1), 10, 50, counts);
    EXPECT_EQ(counts[1], 50);
}

TEST(sampler, top_k_1_is_argmax_at_every_temperature_ties_included) {
    const float logits[6] = {-3, 2, 2, 1, 2, NAN};
    static const float temperatures[] = {0, 1e-30f, 1, 100, INFINITY};
    for (uint64_t seed = 0; seed < 20; seed++)
        for (int i = 0; i < 5; i++) EXPECT_EQ(sample(logits, 6, SAMPLING(temperatures[i], 1, 0, 1), seed).token, 1);
}

TEST(sampler, top_k_beyond_the_vocabulary_and_its_largest_value_keep_all) {
    const float logits[3] = {0, 0, 0};
    static const uint32_t ks[] = {3, 4, 1u << 30, UINT32_MAX};
    for (size_t i = 0; i < 4; i++) EXPECT_NEAR(sample(logits, 3, SAMPLING(1, 1, 0, ks[i]), 11).logprob, -log(3), 1e-6);
}

TEST(sampler, top_p_keeps_the_shortest_prefix_that_reaches_p_with_the_token_that_crosses) {
    const float tied[4] = {7, 7, 7, 7}; /* equal masses: shares are exact */
    uint32_t counts[4];
    count_draws(tied, 4, SAMPLING(1, 0.5f, 0, 0), 12, 100, counts);
    EXPECT_TRUE(counts[0] && counts[1] && !counts[2] && !counts[3]);
    count_draws(tied, 4, SAMPLING(1, nextafterf(0.5f, 1), 0, 0), 12, 100, counts);
    EXPECT_TRUE(counts[0] && counts[1] && counts[2] && !counts[3]);
    count_draws(tied, 4, SAMPLING(1, 0x1p-149f, 0, 0), 12, 100, counts);
    EXPECT_EQ(counts[0], 100);
    const float logits[3] = {-1.2039728f, -0.6931472f, -1.6094379f}; /* 0.3, 0.5, 0.2 */
    count_draws(logits, 3, SAMPLING(1, 0.6f, 0, 0), 13, 100, counts);
    EXPECT_TRUE(counts[0] && counts[1] && !counts[2]);
    EXPECT_NEAR(sample(logits, 3, SAMPLING(1, 0.4f, 0, 0), 13).logprob, 0, 0);
}

/* One below 1, and rows whose tail has no mass: the search ends, and what is drawn has mass. */
TEST(sampler, top_p_of_1_and_just_below_ends_and_keeps_only_what_has_mass) {
    static float logits[5000];
    for (int i = 0; i < 5000; i++) logits[i] = i < 3 ? 0 : -20 - (float)i;
    for (uint64_t seed = 0; seed < 50; seed++) {
        EXPECT_LT(sample(logits, 5000, SAMPLING(1, nextafterf(1, 0), 0, 0), seed).token, 3);
        EXPECT_LT(sample(logits, 5000, SAMPLING(1, 1, 0, 0), seed).token, 3);
        EXPECT_LT(sample(logits, 5000, SAMPLING(1e-30f, nextafterf(1, 0), 0, 4000), seed).token, 3);
    }
}

TEST(sampler, a_finite_minimum_is_a_logit_and_only_the_mask_masks) {
    const float logits[4] = {-FLT_MAX, -FLT_MAX, -65504, -FLT_MAX};
    uint32_t counts[4];
    EXPECT_EQ(sample(logits, 4, SAMPLING(0.001f, 1, 0, 0), 3).token, 2);
    count_draws(logits, 4, SAMPLING(INFINITY, 1, 0, 0), 3, 100, counts);
    EXPECT_TRUE(counts[0] && counts[1] && counts[2] && counts[3]);
}

TEST(sampler, top_p_is_a_share_of_what_top_k_kept) {
    const float tied[4] = {7, 7, 7, 7};
    uint32_t counts[4];
    count_draws(tied, 4, SAMPLING(1, 0.5f, 0, 2), 14, 50, counts);
    EXPECT_EQ(counts[0], 50);
}

TEST(sampler, min_p_is_relative_to_the_largest_probability) {
    const float logits[4] = {0, -0.6931472f * 1.01f, -0.6931472f * 0.99f,
                             -3}; /* 1, just below a half, just above, 0.05 */
    uint32_t counts[4];
    count_draws(logits, 4, SAMPLING(1, 1, 0.5f, 0), 15, 100, counts);
    EXPECT_TRUE(counts[0] && !counts[1] && counts[2] && !counts[3]);
    count_draws(logits, 4, SAMPLING(1, 1, nextafterf(1, 0), 0), 15, 50, counts);
    EXPECT_EQ(counts[0], 50);
}

TEST(sampler, top_p_counts_what_min_p_drops_after_it) {
    float logits[32]; /* weights 4, 3 and thirty of 0.1: top-p 0.55 of 10 needs both large ones, of 7 only the first */
    uint32_t counts[32];
    logits[0] = logf(4), logits[1] = logf(3);
    for (int i = 2; i < 32; i++) logits[i] = logf(0.1f);
    count_draws(logits, 32, SAMPLING(1, 0.55f, 0.5f, 0), 16, 200, counts);
    EXPECT_TRUE(counts[0] && counts[1]);
    EXPECT_EQ(counts[0] + counts[1], 200);
}

TEST(sampler, min_p_first_leaves_top_p_a_share_of_what_min_p_kept) {
    float logits[32]; /* as above: of the 7 that min-p 0.5 keeps, the first is enough for top-p 0.55 */
    uint32_t counts[32];
    logits[0] = logf(4), logits[1] = logf(3);
    for (int i = 2; i < 32; i++) logits[i] = logf(0.1f);
    weir_sampling sampling = SAMPLING(1, 0.55f, 0.5f, 0);
    sampling.flags = WEIR_SAMPLING_MIN_P_FIRST;
    count_draws(logits, 32, sampling, 16, 200, counts);
    EXPECT_EQ(counts[0], 200);
}

/* The masses of these neighbours at temperature 1.5 are inverted: min-p goes by mass, and drops the likelier one. */
TEST(sampler, min_p_goes_by_mass_where_masses_of_neighbours_are_inverted_and_top_k_counts_what_is_left) {
    const float lower = 0x1.490e5p-1f, logits[3] = {1, nextafterf(lower, 2), lower};
    mass_scale scale = mass_scale_of(key_of(1), 1.5f);
    uint32_t upper_mass = mass_of(key_of(logits[1]), scale), lower_mass = mass_of(key_of(lower), scale);
    ASSERT_LT(upper_mass, lower_mass);
    weir_sampling sampling = SAMPLING(1.5f, 1, (float)(upper_mass / 256 + 1) * 0x1p-24f, 0);
    ASSERT_LT(upper_mass, least_mass(sampling.min_p));
    ASSERT_LE(least_mass(sampling.min_p), lower_mass);
    uint32_t counts[3];
    count_draws(logits, 3, sampling, 5, 200, counts);
    EXPECT_TRUE(counts[0] && !counts[1] && counts[2]);
    sampling.top_k = 2, sampling.flags = WEIR_SAMPLING_MIN_P_FIRST;
    count_draws(logits, 3, sampling, 5, 200, counts);
    EXPECT_TRUE(counts[0] && !counts[1] && counts[2]);
}

TEST(sampler, joint_top_p_is_a_share_of_all_and_not_of_what_top_k_kept) {
    const float tied[4] = {7, 7, 7, 7};
    uint32_t counts[4];
    weir_sampling sampling = SAMPLING(1, 0.5f, 0, 3);
    count_draws(tied, 4, sampling, 14, 200, counts); /* half of three: two */
    EXPECT_TRUE(counts[0] && counts[1] && !counts[2]);
    sampling = SAMPLING(1, 0.75f, 0, 2);
    sampling.flags = WEIR_SAMPLING_JOINT; /* three quarters of four, but top-k keeps two */
    count_draws(tied, 4, sampling, 14, 200, counts);
    EXPECT_TRUE(counts[0] && counts[1] && !counts[2]);
    sampling.top_k = 3, sampling.top_p = 0.25f;
    count_draws(tied, 4, sampling, 14, 200, counts);
    EXPECT_EQ(counts[0], 200);
}

TEST(sampler, a_token_without_mass_is_not_drawn_even_by_the_random_number_0) {
    const uint64_t seed = 293046734; /* the least whose first draw has 32 leading zeros: the target is 0 */
    ASSERT_EQ(philox_token_bits(seed, 0) >> 32, 0);
    const float logits[3] = {-200, 0, -200};
    expect_equal(sample(logits, 3, SAMPLING(1, 1, 0, 0), seed), (result){1, 0, WEIR_ROW_STATUS_OK});
}

TEST(sampler, logprob_is_of_the_processed_distribution) {
    const float logits[3] = {2, 1, 0};
    for (uint64_t seed = 0; seed < 10; seed++) {
        result result = sample(logits, 3, SAMPLING(0.5f, 1, 0, 2), seed);
        EXPECT_NEAR(result.logprob, -log(1 + exp(result.token ? 2 : -2)), 1e-6);
    }
}

