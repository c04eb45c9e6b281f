/* random_walk.c - the schemas of a file one after the other, and random walks along their masks. */
#include "random_walk.h"

#include <stdlib.h>
#include <string.h>

void walk_open(fixture *f) {
    weir_error error;
    char path[1024];
    memset(f, 0, sizeof *f);
    f->random = 88172645463325252;
    ASSERT_OK(weir_vocab_default(NULL, &f->vocab, &error), &error);
    f->token_count = weir_vocab_token_count(f->vocab);
    f->words = weir_vocab_mask_words(f->vocab);
    ASSERT_LE(f->words, MASK_WORDS);
    uint32_t count = 0;
    const uint32_t *stops = weir_vocab_stop_ids(f->vocab, &count);
    ASSERT_GT(count, 0);
    f->stop = stops[0];
    memset(f->byte_token, 0xff, sizeof f->byte_token);
    for (uint32_t t = f->token_count; t-- > 0;) {
        uint32_t length;
        const uint8_t *bytes = weir_vocab_token(f->vocab, t, &length);
        if (length == 1 && !weir_vocab_is_special(f->vocab, t)) f->byte_token[bytes[0]] = t;
    }
    for (uint32_t b = 0; b < 256; b++) ASSERT_NE(f->byte_token[b], UINT32_MAX);
    size_t length;
    f->schemas = test_read_file(test_source("tests/data/schemas.jsonl", path, sizeof path), &length);
    f->next = f->schemas;
}

void walk_close(fixture *f) {
    weir_grammar_destroy(f->grammar);
    weir_vocab_destroy(f->vocab);
    free(f->schemas);
    test_context(NULL);
}

bool walk_next_schema(fixture *f) {
    weir_error error;
    char *end = f->next == NULL ? NULL : strchr(f->next, '\n');
    if (end == NULL || test_has_failed()) return false;
    *end = 0;
    test_context("schema in line %u: %s", ++f->line, f->next);
    weir_grammar_destroy(f->grammar);
    ASSERT_OK(weir_grammar_from_json_schema(f->vocab, f->next, strlen(f->next), NULL, &f->grammar, &error), &error);
    EXPECT_TRUE(weir_grammar_satisfiable(f->grammar));
    f->schema = f->next;
    f->next = end + 1;
    return true;
}

uint32_t walk_draw(fixture *f, uint32_t below) {
    f->random ^= f->random << 13;
    f->random ^= f->random >> 7;
    f->random ^= f->random << 17;
    return (uint32_t)((f->random >> 32) * below >> 32);
}

weir_matcher *walk_start(const fixture *f, uint32_t budget) {
    weir_matcher_options options = WEIR_MATCHER_OPTIONS_INIT;
    weir_matcher *matcher;
    weir_error error;
    options.token_budget = budget;
    ASSERT_OK(weir_matcher_create(f->grammar, &options, &matcher, &error), &error);
    return matcher;
}

void walk_fill(const fixture *f, weir_matcher *matcher, uint32_t *mask) {
    weir_error error;
    ASSERT_OK(weir_matcher_fill_mask(matcher, mask, f->words, &error), &error);
}

bool walk_is_empty(const fixture *f, const uint32_t *mask) {
    for (uint32_t i = 0; i < f->words; i++)
        if (mask[i] != 0) return false;
    return true;
}

/* A random token of the mask; every other time one that brings the end nearer, if a few draws find it. */
static uint32_t choose(fixture *f, weir_matcher *matcher, const uint32_t *mask) {
    uint32_t count = 0, best = UINT32_MAX, least = UINT32_MAX;
    bool hurry = walk_draw(f, 2) == 0;
    for (uint32_t t = 0; t < f->words * 32; t++) count += walk_bit(mask, t);
    ASSERT_GT(count, 0);
    for (uint32_t tries = 0; tries < (hurry ? 8u : 1u); tries++) {
        uint32_t left = walk_draw(f, count), token = 0;
        while (!walk_bit(mask, token) || left-- > 0) token++;
        ASSERT_OK(weir_matcher_accept(matcher, token, NULL), NULL);
        uint32_t after = weir_matcher_is_stopped(matcher) ? 0 : weir_matcher_least_tokens(matcher);
        ASSERT_OK(weir_matcher_rollback(matcher, 1, NULL), NULL);
        if (best == UINT32_MAX || after < least) best = token, least = after;
    }
    return best;
}

uint32_t walk_random(fixture *f, weir_matcher *matcher, uint32_t longest, uint32_t *tokens) {
    uint32_t mask[MASK_WORDS], count = 0;
    weir_error error;
    while (count < longest && !weir_matcher_is_stopped(matcher)) {
        walk_fill(f, matcher, mask);
        if (!EXPECT_FALSE(walk_is_empty(f, mask))) break;
        uint32_t token = choose(f, matcher, mask);
        ASSERT_OK(weir_matcher_accept(matcher, token, &error), &error);
        tokens[count++] = token;
    }
    return count;
}

uint32_t *walk_masks(const fixture *f, weir_matcher *matcher, const uint32_t *tokens, uint32_t count) {
    uint32_t *masks = malloc((size_t)(count + 1) * f->words * 4);
    weir_error error;
    ASSERT_TRUE(masks != NULL);
    for (uint32_t i = 0; i <= count; i++) {
        walk_fill(f, matcher, masks + (size_t)i * f->words);
        if (i < count) ASSERT_OK(weir_matcher_accept(matcher, tokens[i], &error), &error);
    }
    return masks;
}

void walk_expect_mask(const fixture *f, weir_matcher *matcher, const uint32_t *expected) {
    uint32_t mask[MASK_WORDS];
    walk_fill(f, matcher, mask);
    EXPECT_BYTES_EQ(mask, f->words * 4, expected, f->words * 4);
}
