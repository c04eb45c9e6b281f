/* test_fuzz_tables.c - what holds for every schema: walks under a token budget end inside it, saved tables load to the
 * same masks, damaged ones are survived, and so is the failure of any allocation. */
#include "random_walk.h"

#include <stdlib.h>
#include <string.h>

/* --- budgets ------------------------------------------------------------------------------------------------ */

TEST(fuzz_tables, every_walk_under_a_token_budget_ends_inside_it) {
    fixture f;
    uint32_t tokens[WALK_MAX];
    walk_open(&f);
    while (walk_next_schema(&f)) {
        uint32_t least = weir_grammar_least_tokens(f.grammar);
        const uint32_t budgets[] = {least, least + 1, least + 2, least + 5, least + 17, 64, 200};
        for (size_t i = 0; i < sizeof budgets / sizeof *budgets; i++) {
            if (budgets[i] < least) continue;
            for (int round = 0; round < 4 && !test_has_failed(); round++) {
                weir_matcher *matcher = walk_start(&f, budgets[i]);
                uint32_t count = walk_random(&f, matcher, WALK_MAX, tokens);
                EXPECT_TRUE(weir_matcher_is_stopped(matcher));
                EXPECT_LE(count - 1, budgets[i]); /* the stop token is not counted */
                weir_matcher_destroy(matcher);
            }
        }
    }
    walk_close(&f);
}

TEST(fuzz_tables, a_budget_below_every_document_is_refused_and_one_between_holds) {
    fixture f;
    uint32_t tokens[WALK_MAX], refused = 0;
    walk_open(&f);
    while (walk_next_schema(&f)) {
        for (uint32_t budget = 1; budget < weir_grammar_least_tokens(f.grammar); budget++) {
            weir_matcher_options options = WEIR_MATCHER_OPTIONS_INIT;
            weir_matcher *matcher;
            weir_error error = {0};
            options.token_budget = budget;
            weir_status status = weir_matcher_create(f.grammar, &options, &matcher, &error);
            if (status != WEIR_OK) {
                EXPECT_STATUS(status, WEIR_ERROR_UNSATISFIABLE, &error);
                EXPECT_NULL(matcher);
                refused++;
                continue;
            }
            uint32_t count = walk_random(&f, matcher, WALK_MAX, tokens);
            EXPECT_TRUE(weir_matcher_is_stopped(matcher));
            EXPECT_LE(count - 1, budget);
            weir_matcher_destroy(matcher);
        }
    }
    EXPECT_GT(refused, 10);
    walk_close(&f);
}

/* Takes tokens that lower the least count until it is 0. */
static void follow_least(fixture *f, weir_matcher *matcher) {
    uint32_t mask[MASK_WORDS], least = weir_matcher_least_tokens(matcher);
    while (least > 0 && !test_has_failed()) {
        uint32_t after = least;
        walk_fill(f, matcher, mask);
        for (uint32_t t = 0; t < f->token_count && after >= least; t++) {
            if (!walk_bit(mask, t)) continue;
            ASSERT_OK(weir_matcher_accept(matcher, t, NULL), NULL);
            after = weir_matcher_least_tokens(matcher);
            if (after >= least) ASSERT_OK(weir_matcher_rollback(matcher, 1, NULL), NULL);
        }
        EXPECT_LT(after, least);
        least = after;
    }
}

TEST(fuzz_tables, following_tokens_that_lower_the_least_count_ends_the_text) {
    fixture f;
    uint32_t tokens[WALK_MAX];
    walk_open(&f);
    while (walk_next_schema(&f)) {
        for (uint32_t length = 0; length < 32 && !test_has_failed(); length++) {
            weir_matcher *matcher = walk_start(&f, 0);
            walk_random(&f, matcher, length, tokens);
            if (weir_matcher_is_stopped(matcher)) ASSERT_OK(weir_matcher_rollback(matcher, 1, NULL), NULL);
            follow_least(&f, matcher);
            EXPECT_TRUE(weir_matcher_is_accepting(matcher));
            weir_matcher_destroy(matcher);
        }
    }
    walk_close(&f);
}

/* --- saved tables -------------------------------------------------------------------------------------------- */

TEST(fuzz_tables, a_loaded_grammar_gives_the_same_masks) {
    fixture f;
    uint32_t tokens[WALK_MAX];
    walk_open(&f);
    while (walk_next_schema(&f)) {
        size_t length, loaded_length;
        const void *tables = weir_grammar_tables(f.grammar, &length);
        weir_grammar *loaded;
        weir_matcher *other;
        weir_error error;
        char *moved = malloc(length + 1); /* at an odd address: the blob is copied, so alignment is no matter */
        ASSERT_TRUE(moved != NULL);
        memcpy(moved + 1, tables, length);
        ASSERT_OK(weir_grammar_load(f.vocab, moved + 1, length, NULL, &loaded, &error), &error);
        memset(moved, 0xa5, length + 1);
        free(moved);
        const void *again = weir_grammar_tables(loaded, &loaded_length);
        EXPECT_EQ(loaded_length, length);
        EXPECT_TRUE(loaded_length == length && memcmp(again, tables, length) == 0);
        EXPECT_EQ(weir_grammar_least_tokens(loaded), weir_grammar_least_tokens(f.grammar));
        weir_matcher *matcher = walk_start(&f, 0);
        ASSERT_OK(weir_matcher_create(loaded, NULL, &other, &error), &error);
        uint32_t count = walk_random(&f, matcher, 80, tokens);
        ASSERT_OK(weir_matcher_rollback(matcher, count, NULL), NULL);
        uint32_t *masks = walk_masks(&f, matcher, tokens, count);
        for (uint32_t i = 0; i <= count && !test_has_failed(); i++) {
            walk_expect_mask(&f, other, masks + (size_t)i * f.words);
            if (i < count) ASSERT_OK(weir_matcher_accept(other, tokens[i], &error), &error);
        }
        EXPECT_EQ(weir_matcher_is_stopped(other), weir_matcher_is_stopped(matcher));
        free(masks);
        weir_matcher_destroy(matcher);
        weir_matcher_destroy(other);
        weir_grammar_destroy(loaded);
    }
    walk_close(&f);
}

/* Loads a blob that may be damaged; where it loads, walks a little. Nothing may crash or hang. True: it was refused. */
static bool try_blob(fixture *f, const void *blob, size_t length) {
    weir_grammar *loaded;
    weir_error error = {0};
    uint32_t mask[MASK_WORDS];
    weir_status status = weir_grammar_load(f->vocab, blob, length, NULL, &loaded, &error);
    if (status != WEIR_OK) {
        EXPECT_STATUS(status, WEIR_ERROR_TABLES, &error);
        EXPECT_NULL(loaded);
        return true;
    }
    weir_matcher *matcher = NULL;
    if (weir_matcher_create(loaded, NULL, &matcher, NULL) == WEIR_OK) {
        for (int i = 0; i < 20; i++) {
            if (weir_matcher_fill_mask(matcher, mask, f->words, NULL) != WEIR_OK || walk_is_empty(f, mask)) break;
            uint32_t token = walk_draw(f, f->words * 32);
            while (!walk_bit(mask, token)) token = (token + 1) % (f->words * 32);
            if (weir_matcher_accept(matcher, token, NULL) != WEIR_OK) break;
        }
    }
    weir_matcher_destroy(matcher);
    weir_grammar_destroy(loaded);
    return false;
}

TEST(fuzz_tables, a_damaged_or_cut_blob_never_crashes) {
    fixture f;
    walk_open(&f);
    while (walk_next_schema(&f)) {
        size_t length;
        if (f.line % 3 != 0) continue;
        const void *tables = weir_grammar_tables(f.grammar, &length);
        size_t stride = length / 1500 < 97 ? 97 : length / 1500, refused = 0, tried = 0;
        uint8_t *blob = malloc(length);
        ASSERT_TRUE(blob != NULL);
        memcpy(blob, tables, length);
        for (size_t at = f.line % 97; at < length && !test_has_failed(); at += stride, tried++) {
            uint8_t flip = (uint8_t)(1u << walk_draw(&f, 8));
            blob[at] ^= flip;
            refused += try_blob(&f, blob, length);
            blob[at] ^= flip;
        }
        EXPECT_GT(2 * refused, tried); /* most damage is seen */
        for (size_t cut = 0; cut < length && !test_has_failed(); cut += 1 + cut / 8) {
            uint8_t *part = malloc(cut + 1); /* a block of its own, so that a sanitizer sees a read past its end */
            ASSERT_TRUE(part != NULL);
            memcpy(part, blob, cut);
            EXPECT_TRUE(try_blob(&f, part, cut));
            free(part);
        }
        free(blob);
    }
    walk_close(&f);
}

TEST(fuzz_tables, a_blob_of_another_vocabulary_is_refused) {
    fixture f;
    uint8_t bytes[256];
    weir_token tokens[257];
    weir_vocab_options options = WEIR_VOCAB_OPTIONS_INIT;
    weir_vocab *other;
    weir_grammar *loaded;
    weir_error error;
    uint32_t stop = 256;
    size_t length;
    walk_open(&f);
    ASSERT_TRUE(walk_next_schema(&f));
    for (uint32_t i = 0; i < 256; i++) {
        bytes[i] = (uint8_t)i;
        tokens[i] = (weir_token){&bytes[i], 1, 0};
    }
    tokens[256] = (weir_token){"<end>", 5, WEIR_TOKEN_SPECIAL};
    options.stop_ids = &stop, options.stop_count = 1;
    ASSERT_OK(weir_vocab_create(tokens, 257, &options, &other, &error), &error);
    const void *tables = weir_grammar_tables(f.grammar, &length);
    EXPECT_STATUS(weir_grammar_load(other, tables, length, NULL, &loaded, &error), WEIR_ERROR_TABLES, &error);
    EXPECT_NULL(loaded);
    weir_vocab_destroy(other);
    walk_close(&f);
}

/* --- memory ----------------------------------------------------------------------------------------------------- */

TEST(fuzz_tables, the_failure_of_any_allocation_is_clean) {
    fixture f;
    weir_error error;
    uint32_t tokens[WALK_MAX];
    walk_open(&f);
    while (walk_next_schema(&f)) {
        if (f.line % 4 != 2) continue;
        test_memory *memory = test_memory_create();
        weir_allocator allocator = test_allocator(memory);
        while (test_next_failure(memory) && !test_has_failed()) {
            weir_grammar_options options = WEIR_GRAMMAR_OPTIONS_INIT;
            weir_matcher_options matcher_options = WEIR_MATCHER_OPTIONS_INIT;
            weir_grammar *grammar, *loaded = NULL;
            weir_matcher *matcher = NULL, *copy = NULL;
            size_t length;
            options.allocator = matcher_options.allocator = &allocator;
            weir_status status =
                weir_grammar_from_json_schema(f.vocab, f.schema, strlen(f.schema), &options, &grammar, &error);
            if (status == WEIR_OK) status = weir_matcher_create(grammar, &matcher_options, &matcher, &error);
            if (status == WEIR_OK) status = weir_matcher_clone(matcher, &copy, &error);
            if (status == WEIR_OK) {
                const void *tables = weir_grammar_tables(grammar, &length);
                walk_random(&f, copy, 4, tokens);
                status = weir_grammar_load(f.vocab, tables, length, &allocator, &loaded, &error);
            }
            EXPECT_STATUS(status, memory->failed ? WEIR_ERROR_MEMORY : WEIR_OK, &error);
            weir_matcher_destroy(copy);
            weir_matcher_destroy(matcher);
            weir_grammar_destroy(loaded);
            weir_grammar_destroy(grammar);
        }
    }
    walk_close(&f);
}
