/* test_sampler_traps.c - seventeen traps that other samplers fell into, each with the tests that show it shut.
 *
 * Tests without the name of a suite are sampler_traps: of 8 to 12 and 17 in test_sampler_traps_batch.c, of the others
 * here. All but those of 16 run on every backend.
 *
 *  1. Top-p keeps all ties at its boundary, or draws u * p: the token that crosses p gets what is missing to p.
 *       the_token_that_crosses_p_is_drawn_with_its_whole_share_of_what_is_kept
 *       ties_at_a_boundary_go_by_id_across_the_whole_row
 *       sampler.kept_set_is_the_sorted_prefix_ties_at_the_boundary_included
 *       sampler.top_p_keeps_the_shortest_prefix_that_reaches_p_with_the_token_that_crosses
 *  2. A top-k of 1 is not argmax where maxima tie.
 *       sampler.top_k_1_is_argmax_at_every_temperature_ties_included
 *       ties_at_a_boundary_go_by_id_across_the_whole_row
 *  3. A p of 1 does not end, or rounded sums end before it and the draw falls off the row.
 *       top_p_of_1_keeps_every_token_that_has_mass_and_the_largest_p_below_it_what_reaches_it
 *       the_largest_random_number_draws_the_last_token_with_mass_and_the_smallest_the_first
 *       sampler.top_p_of_1_and_just_below_ends_and_keeps_only_what_has_mass
 *  4. Temperature 0 becomes uniform; tiny and infinite ones overflow, in half precision most of all.
 *       the_coldest_and_the_hottest_temperatures_overflow_no_type_of_logits
 *       sampler.temperature_0_is_argmax_with_ties_to_the_lowest_id_and_logprob_0
 *       sampler.temperatures_below_the_smallest_normal_float_are_0
 *       sampler.infinite_temperature_is_uniform_over_the_allowed
 *  5. A row with everything masked gives NaN, or token 0.
 *       a_row_with_nothing_allowed_gives_minus_1_whatever_the_reason_and_harms_no_other
 *       sampler.a_row_without_a_legal_token_gives_minus_1_stops_and_harms_no_other_row
 *  6. NaN and infinite logits crash, or win where they must not.
 *       every_NaN_of_every_type_is_not_allowed_and_its_infinity_wins
 *       sampler.plus_infinity_wins_and_ties_among_it_are_uniform
 *       sampler.NaN_and_minus_infinity_are_not_allowed
 *  7. The least finite value as a mask overflows; a masked logit takes part in arithmetic.
 *       a_row_of_the_least_finite_value_is_uniform
 *       a_masked_logit_takes_no_part_whatever_it_is
 *       sampler.a_finite_minimum_is_a_logit_and_only_the_mask_masks
 *  8. Padding beyond the vocabulary stays unmasked, as do the last word's high bits.
 *       padding_is_never_drawn_whatever_it_holds
 *       sampler_batch.columns_beyond_the_width_are_never_drawn
 *       sampler_batch.a_row_without_a_constraint_allows_every_column_and_no_bit_beyond
 *       sampler_constraint.a_grammar_wider_than_the_logits_is_refused_and_the_slot_keeps_what_it_held
 *  9. Strides that are not the width, odd vocabularies, rows without alignment.
 *       rows_of_odd_vocabularies_at_any_stride_and_alignment_are_those_alone
 *       sampler_masks.masked_logits_are_minus_infinity_where_the_mask_has_no_bit_and_keep_their_bits_elsewhere
 * 10. Offsets of 32 bits.
 *       offsets_beyond_2_to_the_32_elements_reach_the_row_that_was_meant
 *       sampler_batch.offsets_of_rows_have_64_bits
 * 11. Random numbers keyed by row, or one seed for all.
 *       the_draw_is_of_seed_and_position_alone_one_number_a_step
 *       sampler_batch.position_counts_sampled_and_advanced_tokens
 *       sampler_moves.a_fork_goes_on_as_its_original_and_apart_under_another_seed
 * 12. Sums that depend on the batch and on how a row was split.
 *       batch_row_order_variant_and_cluster_change_no_bit_of_wide_rows
 *       sampler_batch.row_order_batch_size_stride_and_backend_change_no_bit
 *       simt.choice.variant_*: backends.* and sampler_logprobs.* with every choice of the dispatch
 * 13. Uniform numbers of 24 bits, which draw the tail too often or never.
 *       a_token_of_probability_2_to_the_minus_30_is_drawn_by_just_its_random_numbers
 *       a_long_tail_is_drawn_as_often_as_it_weighs
 *       sampler_chance.even_draws_give_every_token_its_share_within_a_thousandth
 * 14. A top-k beyond the vocabulary, or a sentinel; an array of them read with the wrong width.
 *       every_way_to_say_no_top_k_keeps_all_and_each_row_has_its_own
 *       sampler.top_k_beyond_the_vocabulary_and_its_largest_value_keep_all
 * 15. Rejection that gives up after so many rounds, and takes as many random numbers.
 *       near_equal_tokens_are_drawn_evenly
 *       the_draw_is_of_seed_and_position_alone_one_number_a_step
 * 16. Shared memory used again without a barrier. tests/checks/threads runs backends.* where such a race is reported:
 *       simt_race.shared_memory_used_again_without_a_barrier_is_reported_though_results_are_right
 *       simt.shared_memory_is_garbage_before_every_block_and_the_seed_chooses_it
 *       sampler_drafts.many_drafts_are_plain_steps_too, for a block uses its memory again at each position
 * 17. Constraints, requests and the sampler at odds: a ban, a bias or min_tokens against the only legal token.
 *       a_ban_of_the_only_token_is_reported_inside_a_text_and_gives_way_behind_it
 *       min_tokens_holds_the_stop_token_back_only_while_the_text_can_go_on
 *       raw_logprobs_of_a_constrained_row_are_of_the_untouched_logits
 *       sampler_slot.a_finished_text_takes_its_stop_token_against_min_tokens_ignore_stop_and_allowed_tokens
 *       sampler_slot.a_bias_of_minus_100_on_the_only_legal_token_does_not_ban_it
 *       sampler_slot.bind_refuses_what_it_cannot_do_and_names_it (a bias of -infinity)
 *       sampler_constraint.a_constraint_that_leaves_one_token_does_not_read_the_logits */
#include <float.h>
#include <math.h>
#include <string.h>

#include "kernels/fixed_math.h"
#include "kernels/philox.h"
#include "sampler_reference.h"

enum { WIDE = 20011 /* odd, and a row that more than one block shares */, TOP_MOST = 1000 };

/* --- steps -------------------------------------------------------------------------------------------------- */

/* What a step drew from: the likeliest first, at most TOP_MOST. */
typedef struct kept {
    uint32_t count;
    int32_t tokens[TOP_MOST];
    float logprobs[TOP_MOST];
} kept;

/* One step of slot 0, bound anew: its result, and in *out, unless NULL, what it drew from. */
static result step_typed(weir_sampler *sampler, const void *logits, weir_dtype dtype, weir_sampling sampling,
                         kept *out) {
    int32_t slot = 0;
    result found;
    uint32_t width = sampler_width(sampler);
    weir_step step = make_step(1, &slot, logits, width, &sampling, &found.token, &found.logprob, &found.status);
    step.dtype = dtype;
    if (out) {
        step.top_count = width < TOP_MOST ? width : TOP_MOST;
        step.top_tokens = out->tokens, step.top_logprobs = out->logprobs;
    }
    bind_seed(sampler, 0, 1);
    ASSERT_OK(weir_sampler_step(sampler, &step, NULL), NULL);
    if (out) out->count = 0;
    while (out && out->count < step.top_count && out->tokens[out->count] >= 0) out->count++;
    return found;
}

/* --- 1, 2: boundaries --------------------------------------------------------------------------------------- */

/* Three shares of 0.2504 are below p = 0.8; with 0.1015 they are 0.8527, of which the crossing token has 0.119. To who
 * draws u * p it would be (0.8 - 0.7512) / 0.8 = 0.061. */
TEST(sampler_traps, the_token_that_crosses_p_is_drawn_with_its_whole_share_of_what_is_kept) {
    enum { WIDTH = 19, DRAWS = 2000 };
    float logits[WIDTH];
    uint32_t counts[WIDTH];
    for (int i = 0; i < WIDTH; i++) logits[i] = logf(0.1473f / 15);
    logits[0] = logits[2] = logits[18] = logf(0.2504f), logits[1] = logf(0.1015f);
    count_draws(logits, WIDTH, SAMPLING(1, 0.8f, 0, 0), 201, DRAWS, counts);
    EXPECT_EQ(counts[0] + counts[1] + counts[2] + counts[18], DRAWS);
    EXPECT_NEAR(counts[1], DRAWS * 0.119, 72); /* five standard deviations; 0.061 lies eight below */
    expect_even_draws("crossing", logits, WIDTH, SAMPLING(1, 0.8f, 0, 0), 512);
}

/* 64 tied tokens far apart: in other words, chunks, warps and blocks. */
TEST(sampler_traps, ties_at_a_boundary_go_by_id_across_the_whole_row) {
    enum { TIED = 64, APART = 311, FIRST = 5 };
    static float logits[WIDE];
    static kept kept;
    static const struct {
        weir_sampling sampling;
        uint32_t count;
    } cases[] = {
        {{0, 1, 0, 0, 1, 0, 0, 0}, 1},
        {{1, 1, 0, 1, 1, 0, 0, 0}, 1},
        {{1, 1, 0, 10, 1, 0, 0, 0}, 10},
        {{1, 0.5f, 0, 0, 1, 0, 0, 0}, 32},
        {{1, 0.25f, 0, 20, 1, 0, 0, 0}, 5},
        {{1, 1, 0.5f, 0, 1, 0, 0, 0}, TIED},
        {{0.01f, 0.51f, 0, 0, 1, 0, 0, 0}, 33 /* 32.64 of 64 */},
    };
    for (uint32_t i = 0; i < WIDE; i++) logits[i] = -40; /* no mass: 2^-57 */
    for (uint32_t i = 0; i < TIED; i++) logits[FIRST + APART * i] = 2;
    for (uint32_t choice = 0; next_choice(choice); choice++) {
        weir_sampler *sampler = make_sampler(&backend_cpu, 1, WIDE);
        for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
            step_typed(sampler, logits, WEIR_DTYPE_F32, cases[k].sampling, &kept);
            EXPECT_EQ(kept.count, cases[k].count);
            for (uint32_t i = 0; i < kept.count; i++) EXPECT_EQ(kept.tokens[i], FIRST + APART * i);
        }
        weir_sampler_destroy(sampler);
    }
}

/* --- 3: the ends of the distribution ------------------------------------------------------------------------ */

TEST(sampler_traps, top_p_of_1_keeps_every_token_that_has_mass_and_the_largest_p_below_it_what_reaches_it) {
    enum { WIDTH = 1000 };
    static float logits[WIDTH];
    static kept kept;
    weir_sampler *sampler = make_sampler(&backend_cpu, 1, WIDTH);
    for (int i = 0; i < WIDTH; i++) logits[i] = -0.02f * (float)(i * 7 % WIDTH); /* the least mass is 9 of 2^32 */
    step_typed(sampler, logits, WEIR_DTYPE_F32, SAMPLING(1, 1, 0, 0), &kept);
    EXPECT_EQ(kept.count, WIDTH);
    /* A geometric series: from rank i on, exp(-0.02 i) - exp(-20) of all. p leaves 2^-24, which that is at 830.1. */
    step_typed(sampler, logits, WEIR_DTYPE_F32, SAMPLING(1, nextafterf(1, 0), 0, 0), &kept);
    EXPECT_NEAR(kept.count, 831, 1);
    weir_sampler_destroy(sampler);
}

/* The least seeds whose first random number begins with 32 ones, and with 32 zeros. */
static const uint64_t seed_of_ones = 454088803, seed_of_zeros = 293046734;

TEST(sampler_traps, the_largest_random_number_draws_the_last_token_with_mass_and_the_smallest_the_first) {
    enum { WIDTH = 40, FIRST = 2, LAST = 35 };
    static const weir_sampling settings[] = {{1, 1, 0, 0, 1, 0, 0, 0},
                                             {1, 0.99999994f, 0, 0, 1, 0, 0, 0}, /* the largest below 1 */
                                             {1, 0.99f, 0, 0, 1, 0, 0, 0},
                                             {1, 1, 0, 39, 1, 0, 0, 0},
                                             {0.01f, 0.999f, 0.5f, 9, 1, 0, 0, 7}};
    ASSERT_EQ(philox_token_bits(seed_of_ones, 0) >> 32, UINT32_MAX);
    ASSERT_EQ(philox_token_bits(seed_of_zeros, 0) >> 32, 0);
    float logits[WIDTH];
    uint32_t mask[2] = {UINT32_MAX, UINT32_MAX & ~(1u << (39 - 32))};
    for (int i = 0; i < WIDTH; i++) logits[i] = -1;
    logits[FIRST] = logits[LAST] = 3;
    logits[0] = NAN, logits[1] = -200, logits[36] = -200, logits[37] = -INFINITY, logits[38] = NAN, logits[39] = 100;
    weir_sampler *sampler = make_sampler(&backend_cpu, 1, WIDTH);
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++) {
        int32_t slot = 0, tokens[2];
        test_context("settings %zu", i);
        for (int end = 0; end < 2; end++) {
            weir_step step = make_step(1, &slot, logits, WIDTH, &settings[i], &tokens[end], NULL, NULL);
            step.masks = mask, step.masks_stride = 2;
            bind_seed(sampler, 0, end ? seed_of_ones : seed_of_zeros);
            ASSERT_OK(weir_sampler_step(sampler, &step, NULL), NULL);
        }
        EXPECT_EQ(tokens[0], FIRST);
        EXPECT_EQ(tokens[1], LAST);
    }
    weir_sampler_destroy(sampler);
}

/* --- 4 to 7: temperatures and odd values -------------------------------------------------------------------- */

enum { DTYPES = 3 };
/* Bits of each type of logits: its largest finite value, its infinity, above which all are NaN, and its sign. */
static const uint32_t largest[DTYPES] = {0x7F7FFFFF, 0x7BFF, 0x7F7F}, infinity[DTYPES] = {0x7F800000, 0x7C00, 0x7F80};
static const uint32_t sign[DTYPES] = {0x80000000, 0x8000, 0x8000};

static void put(void *logits, weir_dtype dtype, uint32_t column, uint32_t bits) {
    if (dtype == WEIR_DTYPE_F32)
        ((uint32_t *)logits)[column] = bits;
    else
        ((uint16_t *)logits)[column] = (uint16_t)bits;
}

TEST(sampler_traps, the_coldest_and_the_hottest_temperatures_overflow_no_type_of_logits) {
    enum { WIDTH = 6 };
    static const float temperatures[] = {FLT_MIN, 1e-30f, 1e-3f, 0.5f, 1, 1e4f, 1e30f, 3e38f, FLT_MAX, INFINITY};
    /* The largest and the one below as floats, by the definition of each type: 24, 11 and 8 bits of significand. */
    static const float values[DTYPES][2] = {{FLT_MAX, 0x1.FFFFFCp127f}, {65504, 65472}, {0x1.FEp127f, 0x1.FCp127f}};
    static kept kept;
    weir_sampler *sampler = make_sampler(&backend_cpu, 1, WIDTH);
    for (int type = 0; type < DTYPES; type++) {
        const uint32_t most = largest[type], minus = sign[type], none = infinity[type];
        const uint32_t row[WIDTH] = {most - 1, most, none + 1, most, most | minus, none | minus};
        uint32_t logits[WIDTH];
        const float top = values[type][0], floats[WIDTH] = {values[type][1], top, NAN, top, -top, -INFINITY};
        for (uint32_t i = 0; i < WIDTH; i++) put(logits, (weir_dtype)type, i, row[i]);
        EXPECT_EQ(step_typed(sampler, logits, (weir_dtype)type, SAMPLING(0, 1, 0, 0), NULL).token, 1);
        for (size_t i = 0; i < sizeof temperatures / sizeof *temperatures; i++) {
            weir_sampling sampling = SAMPLING(temperatures[i], 1, 0, 0);
            double found[WIDTH] = {0};
            question q = plain_question(floats, WIDTH, sampling);
            reference r = make_reference(&q);
            test_context("type %d, temperature %g", type, (double)temperatures[i]);
            step_typed(sampler, logits, (weir_dtype)type, sampling, &kept);
            for (uint32_t k = 0; k < kept.count; k++) found[kept.tokens[k]] = exp((double)kept.logprobs[k]);
            EXPECT_EQ(r.count, 4);
            for (uint32_t k = 0; k < r.count; k++) EXPECT_NEAR(found[r.entries[k].id], r.entries[k].weight, 0x1p-20);
            EXPECT_TRUE(found[2] == 0 && found[5] == 0);
            reference_free(&r);
        }
    }
    weir_sampler_destroy(sampler);
}

TEST(sampler_traps, a_row_with_nothing_allowed_gives_minus_1_whatever_the_reason_and_harms_no_other) {
    enum { WIDTH = 40, ROWS = 6, WORDS = 2 };
    static const weir_sampling settings[] = {{0, 1, 0, 0, 1, 0, 0, 0},
                                             {1, 1, 0, 0, 1, 0, 0, 0},
                                             {INFINITY, 1, 0, 3, 1, 0, 0, 0},
                                             {0.7f, 0.9f, 0.1f, 5, 1, 0, 0, 3}};
    static const int32_t slots[ROWS] = {0, 1, 2, 3, 4, 5};
    weir_sampler *sampler = make_sampler(&backend_cpu, ROWS, WIDTH), *alone = make_sampler(&backend_cpu, 1, WIDTH);
    for (int round = 0; round < DTYPES * 4; round++) {
        weir_dtype dtype = (weir_dtype)(round % DTYPES);
        weir_sampling sampling[ROWS];
        uint32_t logits[ROWS * WIDTH], row[WIDTH], masks[ROWS][WORDS], statuses[ROWS];
        int32_t tokens[ROWS];
        float logprobs[ROWS];
        memset(masks, 0xFF, sizeof masks);
        masks[3][0] = masks[3][1] = 0;                      /* the caller allows nothing */
        masks[4][0] = 1u << 3 | 1u << 5, masks[4][1] = 128; /* and three columns that hold nothing */
        for (uint32_t i = 0; i < WIDTH; i++) {
            uint32_t none = infinity[dtype] | sign[dtype], bad = infinity[dtype] + 1, good = i & 1;
            put(row, dtype, i, good);
            put(logits, dtype, i, good);
            put(logits, dtype, WIDTH + i, bad);
            put(logits, dtype, 2 * WIDTH + i, i % 3 ? bad | sign[dtype] : none);
            put(logits, dtype, 3 * WIDTH + i, good);
            put(logits, dtype, 4 * WIDTH + i, i == 3 || i == 5 || i == 39 ? none : good);
            put(logits, dtype, 5 * WIDTH + i, good);
        }
        for (uint32_t i = 0; i < ROWS; i++) sampling[i] = settings[round % 4], bind_seed(sampler, i, 1);
        weir_step step = make_step(ROWS, slots, (float *)logits, WIDTH, sampling, tokens, logprobs, statuses);
        step.dtype = dtype, step.masks = masks[0], step.masks_stride = WORDS;
        ASSERT_OK(weir_sampler_step(sampler, &step, NULL), NULL);
        result expected = step_typed(alone, row, dtype, settings[round % 4], NULL);
        for (int i = 0; i < ROWS; i++) {
            test_context("round %d, row %d", round, i);
            result none = {-1, 0, WEIR_ROW_STATUS_NO_TOKEN};
            expect_equal((result){tokens[i], logprobs[i], statuses[i]}, i == 0 || i == ROWS - 1 ? expected : none);
        }
    }
    weir_sampler_destroy(sampler);
    weir_sampler_destroy(alone);
}

/* All patterns of the 16-bit types; of floats, those with one bit of the significand. */
TEST(sampler_traps, every_NaN_of_every_type_is_not_allowed_and_its_infinity_wins) {
    enum { MOST = 2048 };
    static uint32_t logits[MOST];
    static const float temperatures[] = {0, 1, INFINITY};
    for (int type = 0; type < DTYPES; type++) {
        weir_dtype dtype = (weir_dtype)type;
        uint32_t width = 0;
        for (uint32_t bits = infinity[type] + 1; bits < sign[type]; bits += type ? 1 : bits - infinity[type]) {
            put(logits, dtype, width++, bits);
            put(logits, dtype, width++, bits | sign[type]);
        }
        uint32_t finite = width / 2, instead = finite + 1;
        weir_sampler *sampler = make_sampler(&backend_cpu, 1, width);
        put(logits, dtype, finite, largest[type] | sign[type]);
        for (int i = 0; i < 3; i++) {
            test_context("type %d, %u columns, temperature %g", type, width, (double)temperatures[i]);
            result found = step_typed(sampler, logits, dtype, SAMPLING(temperatures[i], 1, 0, 0), NULL);
            expect_equal(found, (result){(int32_t)finite, 0, WEIR_ROW_STATUS_OK});
        }
        put(logits, dtype, finite, largest[type]), put(logits, dtype, instead, infinity[type]);
        for (int i = 0; i < 3; i++) {
            result found = step_typed(sampler, logits, dtype, SAMPLING(temperatures[i], 1, 0, 0), NULL);
            expect_equal(found, (result){(int32_t)instead, 0, WEIR_ROW_STATUS_OK});
        }
        weir_sampler_destroy(sampler);
    }
}

TEST(sampler_traps, a_row_of_the_least_finite_value_is_uniform) {
    enum { WIDTH = 64 };
    static const float temperatures[] = {FLT_MIN, 0.001f, 0.5f, 1, 3, FLT_MAX, INFINITY};
    static const struct {
        float top_p;
        uint32_t top_k, count;
    } cases[] = {{1, 0, 64}, {0.5f, 0, 32}, {1, 3, 3}, {0.01f, 0, 1}};
    static kept kept;
    uint32_t logits[WIDTH];
    weir_sampler *sampler = make_sampler(&backend_cpu, 1, WIDTH);
    for (int type = 0; type < DTYPES; type++) {
        for (uint32_t i = 0; i < WIDTH; i++) put(logits, (weir_dtype)type, i, largest[type] | sign[type]);
        EXPECT_EQ(step_typed(sampler, logits, (weir_dtype)type, SAMPLING(0, 1, 0, 0), NULL).token, 0);
        for (size_t i = 0; i < 7 * 4; i++) {
            test_context("type %d, temperature %g, case %zu", type, (double)temperatures[i / 4], i % 4);
            step_typed(sampler, logits, (weir_dtype)type,
                       SAMPLING(temperatures[i / 4], cases[i % 4].top_p, 0.9f, cases[i % 4].top_k), &kept);
            EXPECT_EQ(kept.count, cases[i % 4].count);
            for (uint32_t k = 0; k < kept.count; k++) {
                EXPECT_EQ(kept.tokens[k], k);
                EXPECT_NEAR(kept.logprobs[k], -log(cases[i % 4].count), 1e-6);
            }
        }
        put(logits, (weir_dtype)type, 40, 0); /* one that is not masked so */
        expect_equal(step_typed(sampler, logits, (weir_dtype)type, SAMPLING(0.001f, 1, 0, 0), NULL),
                     (result){40, 0, 0});
    }
    weir_sampler_destroy(sampler);
}

/* Under a mask of many columns and one of few, which the sampler reads differently. */
TEST(sampler_traps, a_masked_logit_takes_no_part_whatever_it_is) {
    enum { WIDTH = 1000, WORDS = (WIDTH + 31) / 32 };
    static float logits[2][WIDTH];
    static const float odd[] = {INFINITY, NAN, FLT_MAX, -FLT_MAX, 100};
    static const int32_t slots[2] = {0, 1};
    weir_sampler *sampler = make_sampler(&backend_cpu, 2, WIDTH);
    random_state = 202;
    for (int round = 0; round < 120; round++) {
        uint32_t masks[2][WORDS] = {{0}}, statuses[2], every = round % 2 ? 3 : 90;
        int32_t tokens[2];
        float logprobs[2];
        weir_sampling sampling[2] = {random_sampling(WIDTH)};
        sampling[1] = sampling[0];
        for (uint32_t i = 0; i < WIDTH; i++) {
            bool legal = random_below(every) == 0;
            logits[0][i] = logits[1][i] = (float)random_normal() * 3;
            if (legal)
                masks[0][i / 32] |= 1u << i % 32;
            else
                logits[0][i] = odd[random_below(5)], logits[1][i] = 0;
        }
        memcpy(masks[1], masks[0], sizeof masks[0]);
        for (uint32_t i = 0; i < 2; i++) bind_seed(sampler, i, (uint64_t)round);
        weir_step step = make_step(2, slots, logits[0], WIDTH, sampling, tokens, logprobs, statuses);
        step.masks = masks[0], step.masks_stride = WORDS;
        ASSERT_OK(weir_sampler_step(sampler, &step, NULL), NULL);
        test_context("seed 202, round %d", round);
        expect_equal((result){tokens[0], logprobs[0], statuses[0]}, (result){tokens[1], logprobs[1], statuses[1]});
        EXPECT_TRUE(tokens[0] >= 0 && masks[0][tokens[0] / 32] >> tokens[0] % 32 & 1);
    }
    weir_sampler_destroy(sampler);
}

/* --- 13 to 15: the tail, sentinels, near ties --------------------------------------------------------------- */

/* A mass of 4 beside one of 2^32 - 1. Of the 64 random bits the leading 30 have to be 0 for the first token and, where
 * the light one is the last, 1: the seeds are the least with 32 such bits, and the least whose leading 30 are 0 ... 01.
 */
TEST(sampler_traps, a_token_of_probability_2_to_the_minus_30_is_drawn_by_just_its_random_numbers) {
    const uint64_t seed_of_one = 552253267;
    const float tail = -30 * 0.693147181f, first[2] = {tail, 0}, last[2] = {0, tail};
    weir_sampling plain = SAMPLING(1, 1, 0, 0);
    ASSERT_EQ(philox_token_bits(seed_of_zeros, 0) >> 32, 0);
    ASSERT_EQ(philox_token_bits(seed_of_one, 0) >> 34, 1);
    ASSERT_EQ(philox_token_bits(seed_of_ones, 0) >> 32, UINT32_MAX);
    result light = sample(first, 2, plain, seed_of_zeros);
    EXPECT_EQ(light.token, 0);
    EXPECT_NEAR(light.logprob, -30 * log(2), 1e-5);
    EXPECT_EQ(sample(first, 2, plain, seed_of_one).token, 1);
    EXPECT_EQ(sample(last, 2, plain, seed_of_zeros).token, 0);
    EXPECT_EQ(sample(last, 2, plain, seed_of_ones).token, 1);
}

/* A tenth in 7,999 tokens of 2^-16 each, beside one token. */
TEST(sampler_traps, a_long_tail_is_drawn_as_often_as_it_weighs) {
    enum { WIDTH = 8000 };
    static float logits[WIDTH];
    for (int i = 0; i < WIDTH; i++) logits[i] = logf(0.1f / 0.9f / (WIDTH - 1));
    logits[WIDTH / 2] = 0;
    expect_even_draws("tail", logits, WIDTH, SAMPLING(1, 1, 0, 0), 128);
}

/* An array of signed numbers with -1 or -2 for off, as other stacks have it, holds these when read as top_k. */
TEST(sampler_traps, every_way_to_say_no_top_k_keeps_all_and_each_row_has_its_own) {
    enum { WIDTH = 33, ROWS = 12 };
    static const uint32_t ks[ROWS] = {0, 1,        WIDTH,        2, WIDTH + 1,   WIDTH - 1, 1u << 30,
                                      7, 1u << 31, (uint32_t)-1, 3, (uint32_t)-2};
    static const int32_t slots[ROWS] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};
    static float logits[ROWS][WIDTH], logprobs[ROWS][WIDTH];
    static int32_t top[ROWS][WIDTH];
    weir_sampler *sampler = make_sampler(&backend_cpu, ROWS, WIDTH);
    random_state = 203;
    for (uint32_t flags = 0; flags < 8; flags++) {
        weir_sampling sampling[ROWS];
        int32_t tokens[ROWS];
        for (uint32_t i = 0; i < WIDTH; i++) logits[0][i] = (float)random_normal();
        for (uint32_t i = 0; i < ROWS; i++) {
            memcpy(logits[i], logits[0], sizeof logits[0]);
            sampling[i] = SAMPLING(1, 1, 0, ks[i]);
            sampling[i].flags = flags;
            bind_seed(sampler, i, 1);
        }
        weir_step step = make_step(ROWS, slots, logits[0], WIDTH, sampling, tokens, NULL, NULL);
        step.top_count = WIDTH, step.top_tokens = top[0], step.top_logprobs = logprobs[0];
        ASSERT_OK(weir_sampler_step(sampler, &step, NULL), NULL);
        for (uint32_t i = 0; i < ROWS; i++) {
            uint32_t expected = ks[i] == 0 || ks[i] > WIDTH ? WIDTH : ks[i], count = 0;
            while (count < WIDTH && top[i][count] >= 0) count++;
            test_context("flags %u, top_k %u", flags, ks[i]);
            EXPECT_EQ(count, expected);
            if (expected == WIDTH) EXPECT_EQ(tokens[i], tokens[0]);
            if (expected == WIDTH) EXPECT_BYTES_EQ(logprobs[i], sizeof logprobs[i], logprobs[0], sizeof logprobs[0]);
        }
    }
    weir_sampler_destroy(sampler);
}

/* 3,000 tokens within a ten thousandth of one another: a sampler that tries pivots has to try many. */
TEST(sampler_traps, near_equal_tokens_are_drawn_evenly) {
    enum { WIDTH = 3000 };
    static float logits[WIDTH];
    for (int i = 0; i < WIDTH; i++) logits[i] = 1 + 0x1p-23f * (float)(i * 7 % WIDTH / 4);
    expect_even_draws("all", logits, WIDTH, SAMPLING(1, 1, 0, 0), 128);
    expect_even_draws("top-p and top-k", logits, WIDTH, SAMPLING(0.7f, 0.9f, 0, 2001), 128);
}
