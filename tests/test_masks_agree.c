/* test_masks_agree.c - the mask has a token if and only if accept takes it: near the depth limit, near the token budget, and in
 * vocabularies that lack bytes. */
#include "hostile.h"

#include <stdlib.h>
#include <string.h>

static uint32_t next_random(uint64_t *random, uint32_t below) {
    *random ^= *random << 13;
    *random ^= *random >> 7;
    *random ^= *random << 17;
    return (uint32_t)((*random >> 32) * below >> 32);
}

/* Asks accept for every token; the number of those where the mask says otherwise. */
static uint32_t count_differences(weir_matcher *matcher, const uint32_t *mask, uint32_t width) {
    uint32_t differences = 0;
    for (uint32_t token = 0; token < width; token++) {
        bool allowed = (mask[token / 32] >> token % 32 & 1) != 0;
        bool taken = weir_matcher_accept(matcher, token, NULL) == WEIR_OK;
        if (taken) ASSERT_OK(weir_matcher_rollback(matcher, 1, NULL), NULL);
        if (taken != allowed && differences++ == 0) {
            ADD_FAILURE("token %u after %u tokens: in the mask %d, accepted %d", token, weir_matcher_token_count(matcher), allowed, taken);
        }
    }
    return differences;
}

/* A random walk; at every step mask and accept are compared. */
static void walk_and_compare(const weir_grammar *grammar, uint32_t budget, uint32_t steps, uint64_t *random) {
    const weir_vocab *vocab = weir_grammar_vocab(grammar);
    uint32_t width = weir_vocab_logits_width(vocab), words = weir_vocab_mask_words(vocab);
    uint32_t *mask = malloc(sizeof *mask * words);
    weir_matcher_options options = WEIR_MATCHER_OPTIONS_INIT;
    weir_matcher *matcher;
    weir_error error;
    ASSERT_TRUE(mask != NULL);
    options.token_budget = budget;
    ASSERT_OK(weir_matcher_create(grammar, &options, &matcher, &error), &error);
    for (uint32_t i = 0; i < steps && !weir_matcher_is_stopped(matcher) && !test_has_failed(); i++) {
        ASSERT_OK(weir_matcher_fill_mask(matcher, mask, words, &error), &error);
        if (count_differences(matcher, mask, width) != 0) break;
        uint32_t token = next_random(random, width), tries = 0;
        for (; tries < width && (mask[token / 32] >> token % 32 & 1) == 0; tries++) token = (token + 1) % width;
        if (tries == width) break;
        EXPECT_OK(weir_matcher_accept(matcher, token, &error), &error);
    }
    weir_matcher_destroy(matcher);
    free(mask);
}

/* In turn: members that nest, counted items that nest, a required member that nests, and texts and names after which more is
 * needed than after others. */
static const char *const nesting[] = {
    "{\"$defs\":{\"t\":{\"type\":\"object\",\"properties\":{\"l\":{\"$ref\":\"#/$defs/t\"},\"v\":{\"type\":\"null\"}},\"required\":[\"v\"]}},"
    "\"$ref\":\"#/$defs/t\"}",
    "{\"type\":[\"object\",\"null\"],\"properties\":{\"a\":{\"$ref\":\"#\"},\"b\":{\"type\":\"array\",\"items\":{\"$ref\":\"#\"},\"minItems\":1}},"
    "\"minProperties\":1}",
    "{\"type\":\"array\",\"minItems\":1,\"maxItems\":3,\"items\":{\"anyOf\":[{\"$ref\":\"#\"},{\"type\":\"boolean\"},"
    "{\"type\":\"array\",\"minItems\":2,\"items\":{\"type\":\"array\"}}]}}",
    "{\"type\":\"object\",\"properties\":{\"ab\":{\"properties\":{\"deep\":{\"items\":{\"type\":\"object\"}}}},\"ac\":{\"const\":[[[]]]}},"
    "\"required\":[\"ac\"]}",
    "{\"type\":\"object\",\"required\":[\"k\"],\"properties\":{\"k\":{\"type\":\"string\"}},\"if\":{\"properties\":{\"k\":{\"const\":\"abc\"}}},"
    "\"then\":{\"required\":[\"z\"],\"properties\":{\"z\":{\"type\":\"array\",\"minItems\":1,\"items\":{\"type\":\"array\",\"minItems\":9}}}}}",
    "{\"type\":\"object\",\"required\":[\"k\"],\"properties\":{\"k\":{\"type\":\"string\",\"maxLength\":6}},\"if\":{\"properties\":{\"k\":"
    "{\"minLength\":3}}},\"then\":{\"required\":[\"z\"],\"properties\":{\"z\":{\"minLength\":60,\"type\":\"string\"}}}}",
    "{\"type\":\"array\",\"items\":{\"type\":\"object\",\"propertyNames\":{\"maxLength\":4},\"patternProperties\":{\"^a\":{\"type\":\"array\",\"minItems\":1,"
    "\"items\":{\"type\":\"object\"}}},\"minProperties\":1,\"maxProperties\":2}}",
};
enum { NESTING = sizeof nesting / sizeof *nesting };

TEST(masks_agree, with_accept_near_the_depth_limit) {
    weir_vocab *vocab = hostile_vocab();
    uint64_t random = 88172645463325252;
    for (uint32_t i = 0; i < NESTING * 4 * 2 * 2 * 4 && !test_has_failed(); i++) {
        weir_grammar_options options = WEIR_GRAMMAR_OPTIONS_INIT;
        weir_grammar *grammar;
        weir_error error;
        const char *schema = nesting[i % NESTING];
        options.whitespace = (weir_whitespace)(i / NESTING % 4);
        options.order = (weir_key_order)(i / NESTING / 4 % 2);
        options.objects = (weir_objects)(i / NESTING / 8 % 2);
        options.depth_limit = 1 + i / NESTING / 16;
        test_context("whitespace %d, order %d, objects %d, depth %u: %s", (int)options.whitespace, (int)options.order,
                     (int)options.objects, options.depth_limit, schema);
        ASSERT_OK(weir_grammar_from_json_schema(vocab, schema, strlen(schema), &options, &grammar, &error), &error);
        for (int round = 0; round < 12; round++) walk_and_compare(grammar, 0, 40, &random);
        weir_grammar_destroy(grammar);
    }
    weir_vocab_destroy(vocab);
}

TEST(masks_agree, with_accept_near_the_token_budget) {
    weir_vocab *vocab = hostile_vocab();
    uint64_t random = 362436069;
    for (uint32_t i = 0; i < NESTING * 4 * 2 && !test_has_failed(); i++) {
        weir_grammar_options options = WEIR_GRAMMAR_OPTIONS_INIT;
        weir_grammar *grammar;
        weir_error error;
        const char *schema = nesting[i % NESTING];
        options.whitespace = (weir_whitespace)(i / NESTING % 4);
        options.objects = (weir_objects)(i / NESTING / 4 % 2);
        options.depth_limit = 5;
        test_context("whitespace %d, objects %d: %s", (int)options.whitespace, (int)options.objects, schema);
        ASSERT_OK(weir_grammar_from_json_schema(vocab, schema, strlen(schema), &options, &grammar, &error), &error);
        uint32_t least = weir_grammar_least_tokens(grammar);
        for (uint32_t more = 0; more < 90; more += 6) walk_and_compare(grammar, least + more, 40, &random);
        weir_grammar_destroy(grammar);
    }
    weir_vocab_destroy(vocab);
}

/* Names of a pattern must differ, so what is written is looked at closely; an escape is two bytes and one character. */
TEST(masks_agree, with_accept_near_the_budget_where_names_of_a_kind_must_differ) {
    static const char schema[] = "{\"type\":\"object\",\"patternProperties\":{\"^x\":{\"type\":\"boolean\"}},\"minProperties\":2,"
                                 "\"maxProperties\":3}";
    weir_vocab *vocab;
    weir_error error;
    uint64_t random = 2463534242;
    ASSERT_OK(weir_vocab_default(NULL, &vocab, &error), &error);
    for (uint32_t i = 0; i < 4 && !test_has_failed(); i++) {
        weir_grammar_options options = WEIR_GRAMMAR_OPTIONS_INIT;
        weir_grammar *grammar;
        options.whitespace = (weir_whitespace)i;
        ASSERT_OK(weir_grammar_from_json_schema(vocab, schema, sizeof schema - 1, &options, &grammar, &error), &error);
        test_context("whitespace %u", i);
        uint32_t least = weir_grammar_least_tokens(grammar);
        for (uint32_t round = 0; round < 40; round++) walk_and_compare(grammar, least + round % 4, 20, &random);
        weir_grammar_destroy(grammar);
    }
    weir_vocab_destroy(vocab);
}

/* A string that must not be one text, before names that can follow other strings: at the end of that text the mask has no
 * token that closes it and goes on. */
TEST(masks_agree, with_accept_at_the_end_of_a_text_that_nothing_may_follow) {
    static const char schema[] = "{\"type\":\"object\",\"properties\":{\"d\":{\"type\":\"string\",\"not\":{\"const\":\"wind\"}},"
                                 "\"href\":{\"type\":\"string\"}},\"required\":[\"href\"],\"additionalProperties\":false}";
    static const char *const texts[] = {"{\"d\": \"wind", "{\"d\":\"wind", "{\"d\": \"wind", "{\n  \"d\": \"wind"}; /* by white space */
    weir_vocab *vocab;
    weir_error error;
    ASSERT_OK(weir_vocab_default(NULL, &vocab, &error), &error);
    uint32_t width = weir_vocab_logits_width(vocab), words = weir_vocab_mask_words(vocab);
    uint32_t *mask = malloc(sizeof *mask * words);
    ASSERT_NOT_NULL(mask);
    for (uint32_t i = 0; i < 8; i++) {
        weir_grammar_options options = WEIR_GRAMMAR_OPTIONS_INIT;
        weir_grammar *grammar;
        weir_matcher *matcher;
        options.whitespace = (weir_whitespace)(i / 2), options.order = (weir_key_order)(i % 2);
        test_context("whitespace %u, order %u", i / 2, i % 2);
        ASSERT_OK(weir_grammar_from_json_schema(vocab, schema, sizeof schema - 1, &options, &grammar, &error), &error);
        ASSERT_OK(weir_matcher_create(grammar, NULL, &matcher, &error), &error);
        for (const char *at = texts[i / 2]; *at != '\0'; at++) {
            uint32_t token = 0, length = 0;
            while (weir_vocab_token(vocab, token, &length)[0] != (uint8_t)*at || length != 1) token++;
            ASSERT_OK(weir_matcher_accept(matcher, token, &error), &error);
            ASSERT_OK(weir_matcher_fill_mask(matcher, mask, words, &error), &error);
            EXPECT_EQ(count_differences(matcher, mask, width), 0);
        }
        weir_matcher_destroy(matcher);
        weir_grammar_destroy(grammar);
    }
    free(mask);
    weir_vocab_destroy(vocab);
}

/* A token may begin a character that no other tokens finish; then it is never allowed, though other text is. */
TEST(masks_agree, with_accept_where_the_vocabulary_lacks_bytes) {
    static const char *const texts[] = {"{", "}", "[", "]", "\"", ",", ":", " ", "a", "b\xc3", "\xe4\xbd", "\xa0", "\\", "\\u0", "u", "n",
                                        "one", "one\xe5", "0", "1", "\": ", "\\ud83d", "null", "<end>"};
    enum { COUNT = sizeof texts / sizeof *texts };
    weir_token tokens[COUNT];
    uint64_t random = 521288629;
    uint32_t stop = COUNT - 1;
    weir_vocab_options options = WEIR_VOCAB_OPTIONS_INIT;
    options.stop_ids = &stop, options.stop_count = 1;
    static const char *const schemas[] = {"{\"type\":\"string\"}", "{\"type\":\"object\"}", "{\"type\":\"array\",\"items\":{\"type\":\"string\",\"maxLength\":4}}",
                                          "{\"type\":\"string\",\"pattern\":\"^[^x]*$\"}", "true"};
    for (uint32_t without = 0; without < COUNT && !test_has_failed(); without++) { /* each token missing in turn */
        weir_vocab *vocab;
        weir_error error;
        for (uint32_t i = 0; i < COUNT; i++) tokens[i] = (weir_token){texts[i], (uint32_t)strlen(texts[i]), 0};
        tokens[without].length = without == stop ? tokens[without].length : 0;
        tokens[stop].flags = WEIR_TOKEN_SPECIAL;
        ASSERT_OK(weir_vocab_create(tokens, COUNT, &options, &vocab, &error), &error);
        for (size_t i = 0; i < sizeof schemas / sizeof *schemas; i++) {
            weir_grammar *grammar;
            test_context("without token %u: %s", without, schemas[i]);
            weir_status status = weir_grammar_from_json_schema(vocab, schemas[i], strlen(schemas[i]), NULL, &grammar, &error);
            if (status != WEIR_OK) {
                EXPECT_STATUS(status, WEIR_ERROR_VOCAB, &error);
                continue;
            }
            for (int round = 0; round < 10; round++) walk_and_compare(grammar, 0, 30, &random);
            weir_grammar_destroy(grammar);
        }
        weir_vocab_destroy(vocab);
    }
}
