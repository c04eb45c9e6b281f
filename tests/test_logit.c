/* test_logit.c - one logit of any type, and what bias and penalties make of its key. */
#include "harness.h"

#include <float.h>
#include <math.h>

#include "kernels/logit.h"
#include "kernels/token_counts.h"

TEST(logit, every_half_has_its_value) {
    for (uint32_t bits = 0; bits < 0x10000 && !test_has_failed(); bits++) {
        uint32_t exponent = bits >> 10 & 31, fraction = bits & 1023;
        double value = exponent == 31  ? (fraction ? NAN : INFINITY)
                       : exponent == 0 ? ldexp(fraction, -24)
                                       : ldexp(1024 + fraction, (int)exponent - 25);
        float found = float_of_f16((uint16_t)bits);
        test_context("half %04x", bits);
        if (isnan(value))
            EXPECT_TRUE(isnan(found));
        else
            EXPECT_EQ(bits_of(found), bits_of((float)(bits & 0x8000 ? -value : value)));
    }
}

TEST(logit, every_bfloat16_is_the_upper_half_of_a_float) {
    EXPECT_EQ(bits_of(float_of_bf16(0x3F80)), bits_of(1.0f));
    EXPECT_EQ(bits_of(float_of_bf16(0xC2C8)), bits_of(-100.0f));
    EXPECT_EQ(bits_of(float_of_bf16(0x0001)), 0x00010000);
    EXPECT_EQ(key_of(float_of_bf16(0x7F80)), KEY_INFINITY);
    EXPECT_EQ(key_of(float_of_bf16(0xFF80)), KEY_NONE);
    EXPECT_EQ(key_of(float_of_bf16(0x7FC0)), KEY_NONE);
}

TEST(logit, bias_and_penalties_neither_mask_nor_make_infinite) {
    static const float extremes[] = {FLT_MAX, -FLT_MAX, 0.0f, FLT_MIN, -1.0f};
    for (int i = 0; i < 5; i++)
        for (int k = 0; k < 5; k++) {
            penalties penalties = {k % 2 ? FLT_MAX : 0x1p-149f, extremes[k], extremes[4 - k], 1};
            uint32_t biased = key_with_bias(key_of(extremes[i]), extremes[k]);
            uint32_t penalised = key_with_penalties(key_of(extremes[i]), penalties, UINT32_MAX);
            EXPECT_TRUE(biased != KEY_NONE && biased != KEY_INFINITY);
            EXPECT_TRUE(penalised != KEY_NONE && penalised != KEY_INFINITY);
        }
}

TEST(logit, no_bias_and_no_penalty_brings_a_masked_token_back_or_moves_infinity) {
    penalties penalties = {1.5f, 1.0f, 1.0f, 1.0f};
    EXPECT_EQ(key_with_bias(KEY_NONE, 100.0f), KEY_NONE);
    EXPECT_EQ(key_with_penalties(KEY_NONE, penalties, 1), KEY_NONE);
    EXPECT_EQ(key_with_bias(KEY_INFINITY, -100.0f), KEY_INFINITY);
    EXPECT_EQ(key_with_penalties(KEY_INFINITY, penalties, 1), KEY_INFINITY);
}

TEST(logit, repetition_divides_positive_logits_and_multiplies_others) {
    penalties penalties = {2.0f, 0.0f, 0.0f, 1.0f};
    EXPECT_EQ(key_with_penalties(key_of(3.0f), penalties, 0), key_of(1.5f));
    EXPECT_EQ(key_with_penalties(key_of(-3.0f), penalties, 0), key_of(-6.0f));
    EXPECT_EQ(key_with_penalties(key_of(0.0f), penalties, 0), key_of(0.0f));
}

TEST(logit, frequency_counts_presence_does_not_and_the_prompt_counts_for_neither) {
    penalties penalties = {1.0f, 0.5f, 0.25f, 1.0f};
    EXPECT_EQ(key_with_penalties(key_of(3.0f), penalties, 0), key_of(3.0f));
    EXPECT_EQ(key_with_penalties(key_of(3.0f), penalties, 1), key_of(2.25f));
    EXPECT_EQ(key_with_penalties(key_of(3.0f), penalties, 4), key_of(0.75f));
}

/* --- counts ------------------------------------------------------------------------------------------------ */

enum { CAPACITY = 5 };

static token_counts make_counts(token_count *entries, uint32_t *index) {
    token_counts counts = {entries, index, 0, CAPACITY, token_counts_index_size(CAPACITY)};
    for (uint32_t i = 0; i < counts.index_size; i++) index[i] = 0;
    return counts;
}

static uint32_t output_of(const token_counts *counts, uint32_t token) {
    uint32_t place = *token_counts_slot(counts, token);
    return place ? counts->entries[place - 1].output : 0;
}

TEST(token_counts, undoing_leaves_no_trace) {
    token_count entries[CAPACITY] = {{0, 0, 0}};
    uint32_t index[16], before[16];
    token_counts counts = make_counts(entries, index);
    ASSERT_EQ(counts.index_size, 16);
    EXPECT_TRUE(token_counts_add(&counts, 7, true));
    for (int i = 0; i < 16; i++) before[i] = index[i];
    uint32_t state = 1, taken[200];
    for (int round = 0; round < 200; round++) {
        uint32_t many = (uint32_t)round % 50;
        for (uint32_t i = 0; i < many; i++) {
            state = state * 1664525u + 1013904223u;
            taken[i] = (state >> 16) % 12;
            token_counts_add(&counts, taken[i], false);
        }
        for (uint32_t i = many; i-- > 0;) token_counts_undo(&counts, taken[i]);
        EXPECT_EQ(counts.count, 1);
        EXPECT_BYTES_EQ(index, sizeof index, before, sizeof before);
        EXPECT_EQ(output_of(&counts, 7), 0);
    }
}

TEST(token_counts, a_full_list_counts_what_it_has_and_says_so_of_the_rest) {
    token_count entries[CAPACITY] = {{0, 0, 0}};
    uint32_t index[16];
    token_counts counts = make_counts(entries, index);
    for (uint32_t i = 0; i < CAPACITY; i++) EXPECT_TRUE(token_counts_add(&counts, 100 * i, false));
    EXPECT_FALSE(token_counts_add(&counts, 77, false));
    EXPECT_TRUE(token_counts_add(&counts, 200, false));
    token_counts_undo(&counts, 200);
    token_counts_undo(&counts, 77); /* was not counted */
    for (uint32_t i = 0; i < CAPACITY; i++) EXPECT_EQ(output_of(&counts, 100 * i), 1);
    EXPECT_EQ(output_of(&counts, 77), 0);
}
