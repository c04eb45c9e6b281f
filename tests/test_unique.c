/* test_unique.c - uniqueItems: which values are equal, and that what is begun can be ended with a new one.
 *
 * The verdicts are those of the standard's text: numbers are equal by value, strings by code points, objects without order. */
#include "schema_cases.h"

#include <stdlib.h>
#include <string.h>

#define UNIQUE "{'type': 'array', 'uniqueItems': true}"

TEST(unique, numbers_are_equal_by_value) {
    static const schema_case cases[] = {
        {UNIQUE, "[1, 2]", true},
        {UNIQUE, "[1, 1]", false},
        {UNIQUE, "[1, 1.0]", false},
        {UNIQUE, "[0, -0]", false},
        {UNIQUE, "[0.0, 0e5]", false},
        {UNIQUE, "[100, 1e2]", false},
        {UNIQUE, "[1E+2, 1000e-1]", false},
        {UNIQUE, "[0.001, 1e-3]", false},
        {UNIQUE, "[1200.3400, 120034e-2]", false},
        {UNIQUE, "[1200.34, 1200.35]", true},
        {UNIQUE, "[1, -1]", true},
        {UNIQUE, "[10, 1]", true},
        {UNIQUE, "[1, '1']", true},
        {UNIQUE, "[123456789012345678901234567890, 123456789012345678901234567890.0]", false},
        {UNIQUE, "[123456789012345678901234567890, 123456789012345678901234567891]", true},
        {UNIQUE, "[1.00000000000000000000000000000000000000000000000000001, 1]", true},
        {UNIQUE, "[0, false]", true},
        {UNIQUE, "[1, true]", true},
        {UNIQUE, "[null, false, true]", true},
        {UNIQUE, "[true, true]", false},
        {0}};
    schema_expect(cases, NULL);
}

TEST(unique, strings_are_equal_by_code_points) {
    static const schema_case cases[] = {
        {UNIQUE, "['a', 'A']", true},
        {UNIQUE, "['a', '\\u0061']", false},
        {UNIQUE, "['\\n', '\\u000a']", false},
        {UNIQUE, "['\\/', '/']", false},
        {UNIQUE, "['\xf0\x9f\x98\x80', '\\ud83d\\ude00']", false},
        {UNIQUE, "['\xc3\xa9', '\\u00E9']", false},
        {UNIQUE, "['abcdef', 'abcdef']", false},
        {UNIQUE, "['abcdef', 'abcdeg']", true},
        {UNIQUE, "['', ['']]", true},
        {UNIQUE, "['\\u0000', '']", true},
        {UNIQUE, "['\\u0000', '\\u0000\\u0000']", true},
        {0}};
    schema_expect(cases, NULL);
}

TEST(unique, containers_are_equal_by_what_is_in_them) {
    static const schema_case cases[] = {
        {UNIQUE, "[[], {}]", true},
        {UNIQUE, "[{}, {}]", false},
        {UNIQUE, "[[1], [1.0]]", false},
        {UNIQUE, "[[1], [[1]]]", true},
        {UNIQUE, "[[1, 2], [2, 1]]", true},
        {UNIQUE, "[{'a': 1, 'b': 2}, {'b': 2, 'a': 1}]", false},
        {UNIQUE, "[{'a': 1, 'b': 2}, {'b': 1, 'a': 2}]", true},
        {UNIQUE, "[{'a': {'b': [1, 'x']}}, {'\\u0061': {'b': [1.0, 'x']}}]", false},
        {UNIQUE, "[{'a': null}, {}]", true},
        {UNIQUE, "[[1, 1], 1]", true}, /* only the items of the array itself */
        {"{'items': {'uniqueItems': true}, 'type': 'array'}", "[[1, 2], [1, 2]]", true},
        {"{'items': {'uniqueItems': true}, 'uniqueItems': true, 'type': 'array'}", "[[1, 2], [1, 2]]", false},
        {"{'items': {'uniqueItems': true}, 'uniqueItems': true, 'type': 'array'}", "[[1, 2], [2, 1], 1, [[1], [2]]]", true},
        {0}};
    schema_expect(cases, NULL);
}

TEST(unique, where_a_branch_may_ask_for_it) {
    static const schema_case cases[] = {
        {"{'anyOf': [{'uniqueItems': true}, {'maxItems': 2}], 'type': 'array'}", "[1, 1]", true},
        {"{'anyOf': [{'uniqueItems': true}, {'maxItems': 2}], 'type': 'array'}", "[1, 1, 2]", false},
        {"{'anyOf': [{'uniqueItems': true}, {'maxItems': 2}], 'type': 'array'}", "[1, 3, 2]", true},
        {"{'prefixItems': [{}, {'const': 0}], 'uniqueItems': true, 'minItems': 2, 'type': 'array'}", "[0, 0]", false},
        {"{'prefixItems': [{}, {'const': 0}], 'uniqueItems': true, 'minItems': 2, 'type': 'array'}", "[1, 0]", true},
        {0}};
    schema_expect(cases, NULL);
    schema_expect_refused("{'not': {'uniqueItems': true}}", "", "uniqueItems");
}

/* Follows the first allowed token of one byte until the array is closed. */
static void fill_up(const fixture *f, const char *schema, uint32_t budget, uint32_t most, uint32_t *length) {
    weir_grammar *grammar;
    weir_matcher *matcher;
    weir_error error;
    weir_matcher_options options = WEIR_MATCHER_OPTIONS_INIT;
    options.token_budget = budget;
    uint32_t *mask = calloc(weir_vocab_mask_words(f->vocab), sizeof *mask);
    ASSERT_OK(weir_grammar_from_json_schema(f->vocab, schema, strlen(schema), NULL, &grammar, &error), &error);
    ASSERT_OK(weir_matcher_create(grammar, &options, &matcher, &error), &error);
    for (*length = 0; *length < most && !weir_matcher_is_accepting(matcher); ++*length) {
        static const char preferred[] = "[,a01\"bctf89{:2}]"; /* closes the array when there is no other way */
        ASSERT_OK(weir_matcher_fill_mask(matcher, mask, weir_vocab_mask_words(f->vocab), &error), &error);
        uint32_t token = UINT32_MAX;
        for (const char *c = preferred; *c != '\0' && token == UINT32_MAX; c++) {
            uint32_t id = f->byte_token[(uint8_t)*c];
            if ((mask[id / 32] >> id % 32 & 1) != 0) token = id;
        }
        for (uint32_t byte = 0x21; byte < 0x7F && token == UINT32_MAX; byte++) {
            uint32_t id = f->byte_token[byte];
            if ((mask[id / 32] >> id % 32 & 1) != 0) token = id;
        }
        ASSERT_NE(token, UINT32_MAX);
        ASSERT_OK(weir_matcher_accept(matcher, token, &error), &error);
    }
    EXPECT_TRUE(weir_matcher_is_accepting(matcher));
    weir_matcher_destroy(matcher);
    weir_grammar_destroy(grammar);
    free(mask);
}

TEST(unique, few_values_are_used_up_and_the_array_closes) {
    static const struct { const char *schema; uint32_t length; } cases[] = {
        {"{\"type\": \"array\", \"uniqueItems\": true, \"items\": {\"enum\": [\"a\", \"b\", \"c\"]}}", 13},
        {"{\"type\": \"array\", \"uniqueItems\": true, \"items\": {\"type\": \"boolean\"}}", 12},
        {"{\"type\": \"array\", \"uniqueItems\": true, \"items\": {\"type\": \"integer\", \"minimum\": 8, \"maximum\": 9}}", 5},
        {"{\"type\": \"array\", \"uniqueItems\": true, \"items\": {\"type\": \"string\", \"pattern\": \"^[ab]?$\"}}", 12},
        {"{\"type\": \"array\", \"uniqueItems\": true, \"items\": {\"type\": \"array\", \"maxItems\": 1, \"items\": {\"const\": 1}}}", 8},
        {"{\"type\": \"array\", \"uniqueItems\": true, \"items\": {\"type\": \"object\", \"properties\": {\"a\": {\"enum\": [1, 2]}},"
         " \"required\": [\"a\"], \"additionalProperties\": false}}", 17}};
    fixture f;
    walk_open(&f);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint32_t length;
        test_context("%s", cases[i].schema);
        fill_up(&f, cases[i].schema, 0, 60, &length);
        EXPECT_EQ(length, cases[i].length);
        uint32_t least = cases[i].length;
        fill_up(&f, cases[i].schema, cases[i].length, least + 1, &length); /* a budget ends inside it */
        EXPECT_LE(length, least);
    }
    test_context(NULL);
    walk_close(&f);
}

TEST(unique, the_last_code_points_of_a_bounded_string_are_told_apart) {
    static const char schema[] = "{\"type\": \"array\", \"uniqueItems\": true, \"items\": {\"type\": \"string\", \"maxLength\": 2}}";
    fixture f;
    weir_grammar *grammar;
    weir_matcher *matcher;
    weir_error error;
    walk_open(&f);
    ASSERT_OK(weir_grammar_from_json_schema(f.vocab, schema, strlen(schema), NULL, &grammar, &error), &error);
    ASSERT_OK(weir_matcher_create(grammar, NULL, &matcher, &error), &error);
    for (const char *c = "[\"ab\",\"a"; *c != '\0'; c++) {
        ASSERT_OK(weir_matcher_accept(matcher, f.byte_token[(uint8_t)*c], &error), &error);
    }
    uint32_t *mask = calloc(weir_vocab_mask_words(f.vocab), sizeof *mask);
    ASSERT_OK(weir_matcher_fill_mask(matcher, mask, weir_vocab_mask_words(f.vocab), &error), &error);
    uint32_t b = f.byte_token['b'], d = f.byte_token['d'], quote = f.byte_token['"'];
    EXPECT_EQ(mask[b / 32] >> b % 32 & 1, 0);
    EXPECT_EQ(mask[d / 32] >> d % 32 & 1, 1);
    EXPECT_EQ(mask[quote / 32] >> quote % 32 & 1, 1);
    EXPECT_STATUS(weir_matcher_accept(matcher, b, NULL), WEIR_ERROR_TOKEN, NULL);
    ASSERT_OK(weir_matcher_rollback(matcher, 5, &error), &error); /* before the comma: the first item is open again */
    for (const char *c = "c\",\"ab\"]"; *c != '\0'; c++) {
        if (c[0] == 'c') continue;
        ASSERT_OK(weir_matcher_accept(matcher, f.byte_token[(uint8_t)*c], &error), &error);
    }
    EXPECT_TRUE(weir_matcher_is_accepting(matcher));
    free(mask);
    weir_matcher_destroy(matcher);
    weir_grammar_destroy(grammar);
    walk_close(&f);
}
