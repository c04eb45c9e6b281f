/* test_recogniser_keywords.c - the oracle on the structural keywords and on patterns: planted dead ends, each with the bytes
 * before them alive. */
#include "harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "recogniser_expect.h"
#include "recogniser_language.h"

/* --- patterns --------------------------------------------------------------------------------------------- */

typedef struct pattern_case {
    const char *pattern, *holds[4], *lacks[4];
} pattern_case;

TEST(recogniser_pattern, patterns_mean_what_ecma_262_says) {
    static const pattern_case cases[] = {
        {"b", {"b", "abc"}, {"", "ac"}},
        {"^a+b?$", {"a", "aab"}, {"", "b", "aabb", "xa"}},
        {"^a|b$", {"ax", "xb"}, {"xa", "bx"}},
        {"^\\d{2,3}$", {"12", "123"}, {"1", "1234", "\xd9\xa1\xd9\xa2"}},
        {"^[^\\s-]$", {"a", "_"}, {" ", "-", "\xc2\xa0", "\xef\xbb\xbf"}},
        {"^\\w$", {"_", "Z"}, {"\xc3\xa9", "-"}},
        {"^.$", {"\xf0\x9f\x98\x80", "."}, {"\n", "\xe2\x80\xa8", "ab"}},
        {"^a$", {"a"}, {"a\n"}},
        {"^(?=.*\\d)(?!.*x)[a-x0-9]{3}$", {"a1b", "123"}, {"abc", "a1x", "1"}},
        {"^\\u00e9\\x41\\t$", {"\xc3\xa9" "A\t"}, {"\xc3\xa9" "A"}},
        {"a{,2}", {"a{,2}"}, {"aa"}},
        {"[]", {NULL}, {"", "a"}},
        {"[^]", {"\n", "a"}, {""}},
        {"x^", {NULL}, {"x", ""}},
        {"^(a|ab)(c|bcd)$", {"ac", "abcd", "abc"}, {"abcdx", "ab"}},
    };
    language_pool *pool = language_pool_create();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *why;
        language l = LANGUAGE_NONE;
        test_context("%s", cases[i].pattern);
        EXPECT_TRUE(language_of_pattern(pool, cases[i].pattern, strlen(cases[i].pattern), &l, &why));
        for (int k = 0; k < 4 && cases[i].holds[k]; k++)
            EXPECT_TRUE(language_holds(pool, l, cases[i].holds[k], strlen(cases[i].holds[k])));
        for (int k = 0; k < 4 && cases[i].lacks[k]; k++)
            EXPECT_FALSE(language_holds(pool, l, cases[i].lacks[k], strlen(cases[i].lacks[k])));
        EXPECT_EQ(language_lives(pool, l), cases[i].holds[0] != NULL);
    }
    test_context(NULL);
    language_pool_destroy(pool);
}

TEST(recogniser_pattern, what_cannot_be_read_is_said) {
    const char *const patterns[] = {"(?<=a)b", "(a)\\1", "\\p{L}", "a**", "(", "[b-a]", "\\bx", "(?:(?!a).)*", "a)", "\\"};
    language_pool *pool = language_pool_create();
    for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++) {
        language l;
        const char *why = NULL;
        test_context("%s", patterns[i]);
        EXPECT_FALSE(language_of_pattern(pool, patterns[i], strlen(patterns[i]), &l, &why));
        EXPECT_NOT_NULL(why);
    }
    test_context(NULL);
    language_pool_destroy(pool);
}

TEST(recogniser_pattern, words_are_counted_and_shown) {
    static const struct {
        const char *pattern;
        uint64_t count;
        const char *word;
    } cases[] = {{"^[ab]{2}$", 4, "aa"}, {"^(a|ab|b)$", 3, "a"}, {"^$", 1, ""}, {"x", 50, "x"}, {"^a{3,}$", 50, "aaa"}, {"[]", 0, NULL}};
    language_pool *pool = language_pool_create();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        language l = LANGUAGE_NONE;
        const char *why;
        size_t length;
        test_context("%s", cases[i].pattern);
        EXPECT_TRUE(language_of_pattern(pool, cases[i].pattern, strlen(cases[i].pattern), &l, &why));
        char *word = language_word(pool, l, &length);
        EXPECT_EQ(language_count(pool, l, 50), cases[i].count);
        EXPECT_EQ(word != NULL, cases[i].word != NULL);
        if (word && cases[i].word) EXPECT_STREQ(word, cases[i].word);
        free(word);
    }
    test_context(NULL);
    language_pool_destroy(pool);
}

TEST(recogniser_pattern, a_string_dies_where_no_match_is_left) {
    dies("{\"pattern\":\"^a+b?$\",\"type\":\"string\"}", "\"aab^a");
    dies("{\"pattern\":\"^a+b?$\",\"type\":\"string\"}", "\"^\"");
    dies("{\"pattern\":\"^a+b?$\",\"maxLength\":2,\"type\":\"string\"}", "\"aa^a");
    dies("{\"pattern\":\"b$\",\"maxLength\":2,\"type\":\"string\"}", "\"a^a");
    dies("{\"pattern\":\"^\\u00e9\"}", "\"\xc3^\xa8");
    dies("{\"pattern\":\"^a\"}", "\"^\\u0061");
    dies("{\"pattern\":\"\\n\"}", "\"\\n\"");
    dies("{\"pattern\":\"^\\n\"}", "\"\\^t");
    dies("{\"not\":{\"pattern\":\"a\"}}", "\"b^a");
    dies("{\"allOf\":[{\"pattern\":\"^a\"},{\"pattern\":\"b$\"}],\"not\":{\"const\":\"ab\"},\"maxLength\":3}", "\"ab^\"");
    dies("{\"oneOf\":[{\"pattern\":\"a\"},{\"pattern\":\"b\"}],\"type\":\"string\"}", "\"ac^b");
    dies("{\"pattern\":\"^b\",\"enum\":[\"ab\",\"ba\",1]}", "\"^a");
    unsatisfiable("{\"pattern\":\"a\",\"maxLength\":0,\"type\":\"string\"}");
    unsatisfiable("{\"allOf\":[{\"pattern\":\"^a\"},{\"pattern\":\"^b\"}],\"type\":\"string\"}");
}

/* --- numbers ---------------------------------------------------------------------------------------------- */

/* Whether "3." may go on to 3.1e1 is up to the machine where a component tells integers apart that no branch needs. */
static void expect_open(const char *schema, const char *text, recogniser_verdict expected) {
    recogniser *r = open_schema(schema, NULL);
    test_context("%s: %s", schema, text);
    EXPECT_EQ(recogniser_try(r, text, strlen(text)), expected);
    test_context(NULL);
    recogniser_destroy(r);
}

TEST(recogniser_keywords, a_number_that_only_an_exponent_completes_is_open_where_integers_may_be_told_apart) {
    expect_open("{\"const\":31}", "3.", RECOGNISER_ALIVE);
    expect_open("{\"const\":31,\"type\":\"integer\"}", "3.", RECOGNISER_DEAD);
    const char *apart = "{\"enum\":[31],\"not\":{\"type\":\"integer\",\"maximum\":20}}";
    expect_open(apart, "3", RECOGNISER_ALIVE);
    expect_open(apart, "31.", RECOGNISER_ALIVE);
    expect_open(apart, "3.", RECOGNISER_UNKNOWN);
    expect_open(apart, "3.2", RECOGNISER_DEAD);
    const char *wide = "{\"minimum\":30,\"anyOf\":[{\"type\":\"integer\"},{\"maximum\":40}],\"type\":\"number\"}";
    expect_open(wide, "3.1", RECOGNISER_UNKNOWN);
    expect_open(wide, "31.5", RECOGNISER_ALIVE);
    expect_open("{\"minimum\":30,\"type\":\"number\"}", "3.1", RECOGNISER_ALIVE);
}

TEST(recogniser_keywords, a_whole_number_with_a_fraction_is_open_where_draft_4_tells_it_from_an_integer) {
    const char *four = "{\"$schema\":\"http://json-schema.org/draft-04/schema#\",\"anyOf\":[{\"type\":\"integer\"},{\"enum\":[1]}]}";
    expect_open(four, "1", RECOGNISER_ALIVE);
    expect_open(four, "1.", RECOGNISER_UNKNOWN);
    expect_open(four, "1.5", RECOGNISER_DEAD);
    expect_open("{\"$schema\":\"http://json-schema.org/draft-04/schema#\",\"enum\":[1]}", "1.", RECOGNISER_ALIVE);
    expect_open("{\"anyOf\":[{\"type\":\"integer\"},{\"enum\":[1]}]}", "1.", RECOGNISER_ALIVE);
}

/* --- names ------------------------------------------------------------------------------------------------ */

TEST(recogniser_keywords, names_are_told_apart_by_pattern) {
    dies("{\"patternProperties\":{\"^a\":{\"type\":\"integer\"}}}", "{\"ab\":^n");
    dies("{\"patternProperties\":{\"^a\":{\"type\":\"integer\"}}}", "{\"ba\":null}");
    dies("{\"patternProperties\":{\"^a\":{\"type\":\"integer\"}},\"additionalProperties\":false}", "{\"^b");
    dies("{\"properties\":{\"ab\":{\"minimum\":1}},\"patternProperties\":{\"b\":{\"maximum\":1,\"type\":\"integer\"}}}", "{\"ab\":^2");
    dies("{\"patternProperties\":{\"a\":false},\"type\":\"object\"}", "{\"b^a");
    dies("{\"patternProperties\":{\"^[ab]$\":{}},\"additionalProperties\":false,\"minProperties\":2}", "{\"a\":1^}");
    unsatisfiable("{\"patternProperties\":{\"^[ab]$\":{}},\"additionalProperties\":false,\"minProperties\":3,\"type\":\"object\"}");
    dies("{\"not\":{\"patternProperties\":{\"a\":{\"type\":\"integer\"}}},\"maxProperties\":1}", "{\"b^\"");
    dies("{\"propertyNames\":{\"pattern\":\"^a*$\"}}", "{\"a^b");
    dies("{\"propertyNames\":{\"enum\":[\"ab\",\"ac\"]},\"minProperties\":2,\"type\":\"object\"}", "{\"ab\":1,\"a^b");
    dies("{\"propertyNames\":{\"maxLength\":1}}", "{\"a^b");
    unsatisfiable("{\"propertyNames\":{\"maxLength\":1},\"required\":[\"ab\"],\"type\":\"object\"}");
    dies("{\"not\":{\"propertyNames\":{\"const\":\"a\"}}}", "{\"a\":1^}");
}

TEST(recogniser_keywords, the_spelling_of_names_is_open_where_a_branch_further_out_hangs_on_them) {
    const char *closed = "{\"properties\":{\"x\":{\"properties\":{\"a\":{}},\"additionalProperties\":false}}}";
    char schema[256];
    expect_open("{\"properties\":{\"x\":{\"properties\":{\"a\":{}}}}}", "{\"x\":{\"\\/", RECOGNISER_ALIVE);
    snprintf(schema, sizeof schema, "{\"anyOf\":[%s,{\"required\":[\"y\"]}]}", closed);
    expect_open(schema, "{\"x\":{\"\\/", RECOGNISER_UNKNOWN);
    expect_open(schema, "{\"x\":{\"b", RECOGNISER_ALIVE);
    snprintf(schema, sizeof schema, "{\"contains\":%s}", closed);
    expect_open(schema, "[{\"x\":{\"\\/", RECOGNISER_UNKNOWN);
    expect_open(schema, "[{\"x\":{\"b", RECOGNISER_ALIVE);
}

TEST(recogniser_keywords, members_are_counted) {
    dies("{\"minProperties\":2,\"properties\":{\"a\":{},\"b\":{}},\"additionalProperties\":false}", "{\"^b");
    dies("{\"minProperties\":1}", "{^}");
    dies("{\"maxProperties\":1}", "{\"a\":1^,");
    dies("{\"maxProperties\":2,\"required\":[\"a\",\"b\"]}", "{\"^c");
    dies("{\"not\":{\"minProperties\":1}}", "{^\"");
    unsatisfiable("{\"type\":\"object\",\"minProperties\":2,\"maxProperties\":1}");
    unsatisfiable("{\"type\":\"object\",\"minProperties\":1,\"additionalProperties\":false}");
}

TEST(recogniser_keywords, one_member_does_what_several_branches_ask_for) {
    const char *values = "{\"not\":{\"patternProperties\":{\"a\":{\"type\":\"integer\"}}},\"maxProperties\":1,\"anyOf\":["
                         "{\"not\":{\"patternProperties\":{\"b\":{\"type\":\"string\"}}}}]}";
    dies("{\"type\":\"object\",\"not\":{\"propertyNames\":{\"not\":{\"pattern\":\"a\"}}},\"maxProperties\":1,"
         "\"anyOf\":[{\"not\":{\"propertyNames\":{\"not\":{\"pattern\":\"b\"}}}}]}", "{\"xba\":1^,");
    dies(values, "{\"ab\":null}");
    dies(values, "{\"ab\":^\"");
}

TEST(recogniser_keywords, the_name_being_written_is_one_of_those_kept_apart) {
    const char *schema = "{\"type\":\"object\",\"not\":{\"patternProperties\":{\"^a\":{\"type\":\"integer\"}}}}";
    expect_open(schema, "{\"b\":1,\"c\":1,\"d\":1,\"e\":1,\"f\":1,\"g\":1,\"h", RECOGNISER_ALIVE);
    expect_open(schema, "{\"b\":1,\"c\":1,\"d\":1,\"e\":1,\"f\":1,\"g\":1,\"h\":1,", RECOGNISER_ALIVE);
    expect_open(schema, "{\"b\":1,\"c\":1,\"d\":1,\"e\":1,\"f\":1,\"g\":1,\"h\":1,\"a", RECOGNISER_ALIVE);
    expect_open(schema, "{\"b\":1,\"c\":1,\"d\":1,\"e\":1,\"f\":1,\"g\":1,\"h\":1,\"i", RECOGNISER_UNKNOWN);
}

TEST(recogniser_keywords, keys_ask_for_others) {
    dies("{\"dependentRequired\":{\"a\":[\"b\"]},\"properties\":{\"b\":{},\"a\":{}}}", "{\"a^\":");
    dies("{\"dependentRequired\":{\"a\":[\"b\"]},\"properties\":{\"a\":{},\"b\":{}}}", "{\"a\":1^}");
    dies("{\"properties\":{\"a\":{}},\"dependentSchemas\":{\"a\":{\"properties\":{\"b\":{\"type\":\"integer\"}}}}}", "{\"a\":1,\"b\":^n");
    dies("{\"dependentSchemas\":{\"a\":{\"properties\":{\"b\":{\"type\":\"integer\"}}}}}", "{\"b\":null,\"a^\"");
    dies("{\"$schema\":\"http://json-schema.org/draft-07/schema#\",\"dependencies\":{\"a\":[\"b\"],\"b\":false}}", "{\"a^\"");
    dies("{\"not\":{\"dependentRequired\":{\"a\":[\"b\"]}}}", "{\"a\":1,\"b^\"");
}

TEST(recogniser_keywords, keys_come_in_any_order_and_once) {
    recogniser_options options = RECOGNISER_OPTIONS_INIT;
    options.order = WEIR_ORDER_ANY;
    const char *schema = "{\"properties\":{\"a\":{},\"b\":{}},\"required\":[\"a\"],\"additionalProperties\":false}";
    expect_dies(schema, &options, "{\"b\":1,\"a\":2}", 13);
    expect_dies(schema, &options, "{\"b\":1,\"b", 8);
    expect_dies(schema, &options, "{\"b\":1}", 6);
    expect_dies("{\"properties\":{\"a\":{}}}", &options, "{\"x\":1,\"a\":2}", 13);
    expect_dies("{\"enum\":[{\"a\":1,\"b\":2}]}", &options, "{\"b\":2,\"a\":1}", 13);
}

/* --- if --------------------------------------------------------------------------------------------------- */

TEST(recogniser_keywords, if_chooses_a_branch) {
    const char *schema = "{\"if\":{\"properties\":{\"a\":{\"const\":0}},\"required\":[\"a\"]},\"then\":{\"required\":[\"b\"]},"
                         "\"else\":{\"properties\":{\"b\":false}}}";
    dies(schema, "{\"a\":0^}");
    dies(schema, "{\"a\":1,\"b^\"");
    dies(schema, "{\"a\":0,\"b\":1}");
    dies("{\"not\":{\"if\":{\"type\":\"array\"},\"then\":{\"minItems\":1}}}", "[^1");
    dies("{\"then\":false}", "1");
}

/* --- items ------------------------------------------------------------------------------------------------ */

TEST(recogniser_keywords, items_that_must_be_contained_find_their_place) {
    dies("{\"contains\":{\"type\":\"null\"}}", "[1^]");
    dies("{\"contains\":{\"type\":\"null\"},\"maxItems\":2}", "[1,^2");
    dies("{\"contains\":{\"const\":1},\"minContains\":2,\"maxItems\":3}", "[0,1,1]");
    dies("{\"contains\":{\"const\":1},\"minContains\":2,\"maxItems\":3}", "[0,^0");
    dies("{\"contains\":{\"type\":\"null\"},\"maxContains\":1}", "[null,^n");
    dies("{\"not\":{\"contains\":{\"type\":\"null\"}}}", "[1,^n");
    dies("{\"allOf\":[{\"contains\":{\"const\":0}},{\"contains\":{\"const\":\"a\"}}],\"maxItems\":2}", "[0,^1");
    unsatisfiable("{\"contains\":{\"type\":\"integer\"},\"items\":{\"type\":\"string\"},\"type\":\"array\"}");
    unsatisfiable("{\"contains\":true,\"minContains\":3,\"maxItems\":2,\"type\":\"array\"}");
}

TEST(recogniser_keywords, unique_items_leave_room_for_each_other) {
    dies("{\"uniqueItems\":true}", "[1,1^]");
    dies("{\"uniqueItems\":true}", "[1,1.0^]");
    dies("{\"uniqueItems\":true}", "[\"a\",\"a^\"");
    dies("{\"uniqueItems\":true}", "[[1,{\"a\":2}],[1,{\"a\":2}^]");
    dies("{\"uniqueItems\":true,\"items\":{\"type\":\"boolean\"}}", "[true,false^,");
    dies("{\"uniqueItems\":true,\"items\":{\"enum\":[0,1]},\"minItems\":2}", "[0,^0");
    dies("{\"uniqueItems\":true,\"prefixItems\":[{\"enum\":[0,1]},{\"const\":0}],\"minItems\":2}", "[^0");
    dies("{\"uniqueItems\":true,\"items\":{\"pattern\":\"^[ab]$\",\"type\":\"string\"}}", "[\"a\",\"b\"^,");
    dies("{\"uniqueItems\":true,\"items\":{\"type\":\"array\",\"maxItems\":1,\"items\":{\"type\":\"null\"}}}", "[[],[^]");
    unsatisfiable("{\"uniqueItems\":true,\"items\":{\"type\":\"integer\",\"minimum\":0,\"maximum\":2},\"minItems\":4,\"type\":\"array\"}");
    dies("{\"not\":{\"uniqueItems\":true},\"maxItems\":2,\"items\":{\"type\":\"integer\"}}", "[1,^2");
    dies("{\"not\":{\"uniqueItems\":true},\"maxItems\":2}", "[[1],[1^,");
}

TEST(recogniser_keywords, lists_of_items_and_boolean_bounds_of_older_drafts) {
    const char *old = "{\"$schema\":\"http://json-schema.org/draft-07/schema#\",\"items\":[{\"type\":\"null\"}],"
                      "\"additionalItems\":{\"type\":\"integer\"}}";
    dies(old, "[^1");
    dies(old, "[null,^n");
    dies("{\"$schema\":\"http://json-schema.org/draft-04/schema#\",\"maximum\":1,\"exclusiveMaximum\":true,\"minimum\":0}", "1^]");
    dies("{\"$schema\":\"http://json-schema.org/draft-04/schema#\",\"const\":1,\"if\":true,\"then\":false}", "2");
}

/* --- what is evaluated ------------------------------------------------------------------------------------ */

TEST(recogniser_keywords, what_no_passing_schema_evaluates_is_bound) {
    const char *members = "{\"anyOf\":[{\"properties\":{\"a\":{\"type\":\"integer\"}},\"required\":[\"a\"]},{\"properties\":{\"b\":"
                          "{}},\"required\":[\"b\"]}],\"unevaluatedProperties\":false}";
    dies(members, "{\"a\":^n"); /* the branch that evaluates a fails */
    dies(members, "{\"a\":1,\"b\":null}");
    dies(members, "{\"^c");
    dies("{\"not\":{\"properties\":{\"a\":{}},\"required\":[\"a\"]},\"unevaluatedProperties\":false}", "{^\"");
    dies("{\"prefixItems\":[{}],\"unevaluatedItems\":{\"type\":\"null\"}}", "[1,^1");
    dies("{\"contains\":{\"type\":\"integer\"},\"unevaluatedItems\":{\"type\":\"null\"}}", "[null,1,^\"");
    dies("{\"not\":{\"prefixItems\":[{}],\"unevaluatedItems\":false}}", "[1^]");
}
