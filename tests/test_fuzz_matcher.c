/* test_fuzz_matcher.c - what holds for every schema along random walks: masks are what walking bytes says, and going
 * back, clones, validation and forced bytes keep what they promise. */
#include "random_walk.h"

#include <stdlib.h>
#include <string.h>

/* --- masks ---------------------------------------------------------------------------------------------------- */

/* Whether the token's bytes can be taken one by one. */
static bool can_walk(const fixture *f, weir_matcher *matcher, uint32_t token) {
    uint32_t length, taken = 0;
    const uint8_t *bytes = weir_vocab_token(f->vocab, token, &length);
    while (taken < length && weir_matcher_accept(matcher, f->byte_token[bytes[taken]], NULL) == WEIR_OK) taken++;
    ASSERT_OK(weir_matcher_rollback(matcher, taken, NULL), NULL);
    return length > 0 && taken == length;
}

static void expect_mask_is_walks(const fixture *f, weir_matcher *matcher) {
    uint32_t mask[MASK_WORDS], differences = 0, count = 0, guarded = 0;
    const uint32_t *stops = weir_vocab_stop_ids(f->vocab, &count);
    weir_matcher *copy;
    ASSERT_OK(weir_matcher_clone(matcher, &copy, NULL), NULL);
    walk_fill(f, matcher, mask);
    EXPECT_FALSE(walk_is_empty(f, mask));
    EXPECT_LE(weir_matcher_row(matcher, &guarded), WEIR_ROW_FULL);
    for (uint32_t t = 0; t < f->words * 32; t++) {
        bool expected = false;
        for (uint32_t i = 0; i < count; i++)
            expected = expected || (stops[i] == t && weir_matcher_is_accepting(matcher));
        if (t < f->token_count && !weir_vocab_is_special(f->vocab, t)) expected = expected || can_walk(f, copy, t);
        if (walk_bit(mask, t) == expected) continue;
        uint32_t length;
        const uint8_t *bytes = weir_vocab_token(f->vocab, t, &length);
        if (differences++ < 3)
            ADD_FAILURE("token %u \"%.*s\" after %u tokens: in the mask %d, by its bytes %d", t, (int)length,
                        (const char *)bytes, weir_matcher_token_count(matcher), walk_bit(mask, t), expected);
    }
    EXPECT_EQ(differences, 0);
    weir_matcher_destroy(copy);
}

TEST(fuzz_matcher, mask_is_what_walking_the_bytes_of_every_token_says) {
    fixture f;
    uint32_t tokens[WALK_MAX];
    walk_open(&f);
    while (walk_next_schema(&f)) {
        for (int round = 0; round < 12; round++) {
            weir_matcher *matcher = walk_start(&f, 0);
            for (int i = 0; i < 20 && !weir_matcher_is_stopped(matcher) && !test_has_failed(); i++) {
                expect_mask_is_walks(&f, matcher);
                walk_random(&f, matcher, 1 + walk_draw(&f, 3), tokens);
            }
            weir_matcher_destroy(matcher);
        }
    }
    walk_close(&f);
}

TEST(fuzz_matcher, accept_takes_exactly_the_tokens_of_the_mask) {
    fixture f;
    uint32_t tokens[WALK_MAX], mask[MASK_WORDS], again[MASK_WORDS];
    walk_open(&f);
    while (walk_next_schema(&f)) {
        weir_matcher *matcher = walk_start(&f, 0);
        for (int i = 0; i < 8 && !weir_matcher_is_stopped(matcher); i++) {
            walk_fill(&f, matcher, mask);
            for (uint32_t t = 0; t < f.token_count && !test_has_failed(); t++) {
                weir_status status = weir_matcher_accept(matcher, t, NULL);
                EXPECT_STATUS(status, walk_bit(mask, t) ? WEIR_OK : WEIR_ERROR_TOKEN, NULL);
                if (status == WEIR_OK) ASSERT_OK(weir_matcher_rollback(matcher, 1, NULL), NULL);
            }
            walk_fill(&f, matcher, again);
            EXPECT_BYTES_EQ(mask, f.words * 4, again, f.words * 4);
            walk_random(&f, matcher, 1, tokens);
        }
        weir_matcher_destroy(matcher);
    }
    walk_close(&f);
}

TEST(fuzz_matcher, words_beyond_the_mask_are_cleared_and_too_few_are_an_error) {
    fixture f;
    uint32_t mask[MASK_WORDS + 2];
    walk_open(&f);
    ASSERT_TRUE(walk_next_schema(&f));
    weir_matcher *matcher = walk_start(&f, 0);
    memset(mask, 0xff, sizeof mask);
    EXPECT_OK(weir_matcher_fill_mask(matcher, mask, f.words + 2, NULL), NULL);
    EXPECT_EQ(mask[f.words], 0);
    EXPECT_EQ(mask[f.words + 1], 0);
    EXPECT_STATUS(weir_matcher_fill_mask(matcher, mask, f.words - 1, NULL), WEIR_ERROR_ARGUMENT, NULL);
    weir_matcher_destroy(matcher);
    walk_close(&f);
}

/* --- going back ------------------------------------------------------------------------------------------------- */

TEST(fuzz_matcher, rollback_restores_every_mask_also_through_the_stop_token) {
    fixture f;
    uint32_t tokens[WALK_MAX], longest = 0, stopped = 0;
    walk_open(&f);
    while (walk_next_schema(&f)) {
        weir_matcher *matcher = walk_start(&f, 0);
        uint32_t count = walk_random(&f, matcher, 256, tokens);
        longest = count > longest ? count : longest;
        stopped += weir_matcher_is_stopped(matcher);
        ASSERT_OK(weir_matcher_rollback(matcher, count, NULL), NULL);
        uint32_t *masks = walk_masks(&f, matcher, tokens, count), at = count;
        while (at > 0 && !test_has_failed()) { /* back by some, forward by fewer */
            uint32_t back = 1 + walk_draw(&f, at < 7 ? at : 7);
            ASSERT_OK(weir_matcher_rollback(matcher, back, NULL), NULL);
            at -= back;
            walk_expect_mask(&f, matcher, masks + (size_t)at * f.words);
            for (uint32_t i = walk_draw(&f, back); i > 0; i--)
                ASSERT_OK(weir_matcher_accept(matcher, tokens[at++], NULL), NULL);
            EXPECT_EQ(weir_matcher_token_count(matcher), at);
        }
        EXPECT_STATUS(weir_matcher_rollback(matcher, 1, NULL), WEIR_ERROR_ARGUMENT, NULL);
        free(masks);
        weir_matcher_destroy(matcher);
    }
    EXPECT_EQ(longest, 256);
    EXPECT_GT(stopped, 10);
    walk_close(&f);
}

TEST(fuzz_matcher, history_is_bounded_and_its_last_256_tokens_come_back) {
    fixture f;
    uint32_t mask[MASK_WORDS], quote;
    walk_open(&f);
    ASSERT_TRUE(walk_next_schema(&f));
    weir_matcher *matcher = walk_start(&f, 0);
    quote = f.byte_token['['];
    for (int i = 0; i < 20; i++) ASSERT_OK(weir_matcher_accept(matcher, quote, NULL), NULL);
    ASSERT_OK(weir_matcher_accept(matcher, f.byte_token['"'], NULL), NULL);
    walk_fill(&f, matcher, mask);
    for (int i = 0; i < 256; i++)
        ASSERT_OK(weir_matcher_accept(matcher, f.byte_token[i == 255 ? '"' : 'a'], NULL), NULL);
    EXPECT_EQ(weir_matcher_token_count(matcher), 277);
    EXPECT_OK(weir_matcher_rollback(matcher, 256, NULL), NULL);
    walk_expect_mask(&f, matcher, mask);
    EXPECT_STATUS(weir_matcher_rollback(matcher, 277, NULL), WEIR_ERROR_ARGUMENT, NULL);
    walk_expect_mask(&f, matcher, mask);
    weir_matcher_destroy(matcher);
    walk_close(&f);
}

TEST(fuzz_matcher, reset_is_a_new_start) {
    fixture f;
    uint32_t tokens[WALK_MAX], mask[MASK_WORDS];
    walk_open(&f);
    while (walk_next_schema(&f)) {
        weir_matcher *matcher = walk_start(&f, 0);
        walk_fill(&f, matcher, mask);
        walk_random(&f, matcher, 40, tokens);
        weir_matcher_reset(matcher);
        walk_expect_mask(&f, matcher, mask);
        EXPECT_EQ(weir_matcher_token_count(matcher), 0);
        EXPECT_FALSE(weir_matcher_is_stopped(matcher));
        EXPECT_EQ(weir_matcher_least_tokens(matcher), weir_grammar_least_tokens(f.grammar));
        weir_matcher_destroy(matcher);
    }
    walk_close(&f);
}

/* --- clones, validation, forced bytes ----------------------------------------------------------------------- */

TEST(fuzz_matcher, clone_lives_on_its_own_with_the_history_of_its_origin) {
    fixture f;
    uint32_t tokens[WALK_MAX], others[WALK_MAX], first[MASK_WORDS], mask[MASK_WORDS], later[MASK_WORDS];
    walk_open(&f);
    while (walk_next_schema(&f)) {
        weir_matcher *matcher = walk_start(&f, 0), *copy;
        walk_fill(&f, matcher, first);
        uint32_t count = walk_random(&f, matcher, 12, tokens);
        walk_fill(&f, matcher, mask);
        ASSERT_OK(weir_matcher_clone(matcher, &copy, NULL), NULL);
        walk_expect_mask(&f, copy, mask);
        walk_random(&f, matcher, 9, others);
        walk_expect_mask(&f, copy, mask);
        walk_fill(&f, matcher, later);
        walk_random(&f, copy, 9, others);
        walk_expect_mask(&f, matcher, later);
        EXPECT_OK(weir_matcher_rollback(copy, weir_matcher_token_count(copy), NULL), NULL);
        walk_expect_mask(&f, copy, first);
        for (uint32_t i = 0; i < count; i++) EXPECT_OK(weir_matcher_accept(copy, tokens[i], NULL), NULL);
        weir_matcher_destroy(matcher);
        walk_expect_mask(&f, copy, mask);
        weir_matcher_destroy(copy);
    }
    walk_close(&f);
}

TEST(fuzz_matcher, validate_counts_what_accept_would_take_and_changes_nothing) {
    fixture f;
    uint32_t tokens[WALK_MAX], mask[MASK_WORDS];
    walk_open(&f);
    while (walk_next_schema(&f)) {
        weir_matcher *matcher = walk_start(&f, 0), *copy;
        walk_random(&f, matcher, walk_draw(&f, 6), tokens);
        for (int round = 0; round < 8; round++) {
            ASSERT_OK(weir_matcher_clone(matcher, &copy, NULL), NULL);
            uint32_t count = walk_random(&f, copy, 60, tokens);
            tokens[count] = f.stop, tokens[count + 1] = tokens[0]; /* nothing follows a stop token */
            count += 2;
            if (round % 2 == 1) tokens[walk_draw(&f, count)] = walk_draw(&f, f.token_count + 3);
            uint32_t taken = 0;
            ASSERT_OK(
                weir_matcher_rollback(copy, weir_matcher_token_count(copy) - weir_matcher_token_count(matcher), NULL),
                NULL);
            while (taken < count && weir_matcher_accept(copy, tokens[taken], NULL) == WEIR_OK) taken++;
            walk_fill(&f, matcher, mask);
            EXPECT_EQ(weir_matcher_validate(matcher, tokens, count), taken);
            EXPECT_EQ(weir_matcher_validate(matcher, tokens, taken / 2), taken / 2);
            EXPECT_EQ(weir_matcher_validate(matcher, tokens, 0), 0);
            walk_expect_mask(&f, matcher, mask);
            weir_matcher_destroy(copy);
        }
        weir_matcher_destroy(matcher);
    }
    walk_close(&f);
}

/* The single bytes that may come next: their number, and one of them. */
static uint32_t next_bytes(const fixture *f, weir_matcher *matcher, uint8_t *byte) {
    uint32_t mask[MASK_WORDS], count = 0;
    walk_fill(f, matcher, mask);
    for (uint32_t b = 0; b < 256; b++) {
        if (!walk_bit(mask, f->byte_token[b])) continue;
        *byte = (uint8_t)b;
        count++;
    }
    return count;
}

TEST(fuzz_matcher, forced_bytes_are_the_only_way_and_all_of_it) {
    fixture f;
    uint32_t tokens[WALK_MAX], forced = 0;
    walk_open(&f);
    while (walk_next_schema(&f)) {
        weir_matcher *matcher = walk_start(&f, 0);
        for (int i = 0; i < 30 && !weir_matcher_is_stopped(matcher) && !test_has_failed(); i++) {
            uint8_t bytes[200], few[3], byte = 0;
            size_t length, few_length;
            weir_error error;
            ASSERT_OK(weir_matcher_forced_bytes(matcher, bytes, sizeof bytes, &length, &error), &error);
            ASSERT_OK(weir_matcher_forced_bytes(matcher, few, sizeof few, &few_length, &error), &error);
            EXPECT_BYTES_EQ(few, few_length, bytes, length < sizeof few ? length : sizeof few);
            for (size_t k = 0; k < length && !test_has_failed(); k++) {
                EXPECT_FALSE(weir_matcher_is_accepting(matcher));
                EXPECT_EQ(next_bytes(&f, matcher, &byte), 1);
                EXPECT_EQ(byte, bytes[k]);
                ASSERT_OK(weir_matcher_accept(matcher, f.byte_token[bytes[k]], &error), &error);
            }
            forced += length > 0;
            if (length < sizeof bytes && !test_has_failed())
                EXPECT_TRUE(weir_matcher_is_accepting(matcher) || next_bytes(&f, matcher, &byte) > 1);
            ASSERT_OK(weir_matcher_rollback(matcher, (uint32_t)length, NULL), NULL);
            walk_random(&f, matcher, 1, tokens);
        }
        weir_matcher_destroy(matcher);
    }
    EXPECT_GT(forced, 50);
    walk_close(&f);
}

/* --- tokens that never fit ---------------------------------------------------------------------------------- */

TEST(fuzz_matcher, tokens_out_of_range_and_tokens_after_the_stop_are_errors) {
    fixture f;
    uint32_t tokens[WALK_MAX], mask[MASK_WORDS];
    walk_open(&f);
    while (walk_next_schema(&f)) {
        weir_matcher *matcher = walk_start(&f, 0);
        uint8_t bytes[8];
        size_t length;
        walk_fill(&f, matcher, mask);
        const uint32_t wrong[] = {f.token_count, f.token_count + 1, f.words * 32, UINT32_MAX, UINT32_MAX - 1, f.stop};
        for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
            weir_error error = {0};
            EXPECT_STATUS(weir_matcher_accept(matcher, wrong[i], &error), WEIR_ERROR_TOKEN, &error);
            EXPECT_NE(error.message[0], 0);
        }
        walk_expect_mask(&f, matcher, mask);
        EXPECT_EQ(weir_matcher_token_count(matcher), 0);
        while (!weir_matcher_is_stopped(matcher) && weir_matcher_token_count(matcher) < 3000)
            walk_random(&f, matcher, 100, tokens);
        if (weir_matcher_is_stopped(matcher)) {
            walk_fill(&f, matcher, mask);
            EXPECT_TRUE(walk_is_empty(&f, mask));
            EXPECT_STATUS(weir_matcher_accept(matcher, f.stop, NULL), WEIR_ERROR_TOKEN, NULL);
            EXPECT_STATUS(weir_matcher_accept(matcher, f.byte_token['1'], NULL), WEIR_ERROR_TOKEN, NULL);
            EXPECT_OK(weir_matcher_forced_bytes(matcher, bytes, sizeof bytes, &length, NULL), NULL);
            EXPECT_EQ(length, 0);
        }
        weir_matcher_destroy(matcher);
    }
    walk_close(&f);
}
