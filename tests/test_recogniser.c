/* test_recogniser.c - the oracle alone: its validator against the JSON Schema Test Suite, its verdicts on planted dead
 * ends, and both against each other on small worlds of texts. */
#include "harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "recogniser_expect.h"

/* --- the validator ---------------------------------------------------------------------------------------- */

/* The value's own text: it ends where its brackets or quotes do, or before the next separator. */
static size_t value_length(const char *text) {
    size_t depth = 0, at = 0;
    for (;;) {
        if (text[at] == '"') {
            for (at++; text[at] != '"'; at++) at += text[at] == '\\';
        }
        depth += text[at] == '{' || text[at] == '[';
        depth -= text[at] == '}' || text[at] == ']';
        at++;
        if (depth == 0 && strchr(",]} \n\r\t", text[at])) return at;
    }
}

typedef struct suite_counts {
    int right, wrong, refused_groups, groups;
} suite_counts;

static void run_group(const char *file, const char *text, const json *group, uint32_t draft, suite_counts *counts) {
    const json *schema = json_get(group, "schema"), *tests = json_get(group, "tests");
    recogniser_options options = RECOGNISER_OPTIONS_INIT;
    char why[256];
    options.draft = draft;
    recogniser *r =
        recogniser_create(text + schema->byte, value_length(text + schema->byte), &options, why, sizeof why);
    counts->groups++;
    counts->refused_groups += !r;
    for (const json *test = r ? tests->child : NULL; test; test = test->next) {
        const char *data = text + json_get(test, "data")->byte;
        bool valid = recogniser_validate(r, data, value_length(data));
        bool right = valid == (json_get(test, "valid")->kind == JSON_TRUE);
        counts->right += right;
        counts->wrong += !right;
        if (!right) {
            ADD_FAILURE("%s: %s: %s: found %s", file, json_get(group, "description")->text,
                        json_get(test, "description")->text, valid ? "valid" : "invalid");
        }
    }
    recogniser_destroy(r);
}

static void run_suite(const char *directory, uint32_t draft, const char *const *files, suite_counts *counts) {
    for (; *files; files++) {
        char relative[256], path[1024];
        snprintf(relative, sizeof relative, "json-schema-test-suite/tests/%s/%s.json", directory, *files);
        size_t length;
        char *text = test_read_file(test_data(relative, path, sizeof path), &length);
        arena arena;
        const json *groups;
        weir_error error = {.byte = -1};
        arena_init(&arena, NULL, 0);
        if (EXPECT_OK(json_parse(text, length, NULL, &arena, &groups, &error), &error)) {
            for (const json *group = groups->child; group; group = group->next)
                run_group(relative, text, group, draft, counts);
        }
        arena_free(&arena);
        free(text);
    }
}

static const char *const shared_files[] = {
    "additionalProperties", "allOf", "anyOf", "boolean_schema", "const", "contains", "default", "enum", "exclusiveMaximum",
    "exclusiveMinimum", "if-then-else", "infinite-loop-detection", "items", "maxItems", "maxLength", "maxProperties",
    "maximum", "minItems", "minLength", "minProperties", "minimum", "not", "oneOf", "pattern", "patternProperties",
    "properties", "propertyNames", "ref", "required", "type", "uniqueItems", NULL};
static const char *const new_files[] = {"prefixItems", "anchor", "defs", "content", "dependentRequired", "dependentSchemas",
                                        "maxContains", "minContains", "unevaluatedItems", "unevaluatedProperties",
                                        "optional/ecmascript-regex", "optional/dependencies-compatibility", NULL};
static const char *const old_files[] = {"additionalItems", "definitions", "dependencies", NULL};

static void expect_suite(const char *directory, uint32_t draft, const char *const *own_files, int least) {
    suite_counts counts = {0};
    run_suite(directory, draft, shared_files, &counts);
    run_suite(directory, draft, own_files, &counts);
    printf("%s: %d right, %d wrong, %d of %d groups use other keywords or documents\n", directory, counts.right,
           counts.wrong, counts.refused_groups, counts.groups);
    EXPECT_GE(counts.right, least);
}

TEST(recogniser, the_validator_agrees_with_the_test_suite_of_draft_2020_12) {
    expect_suite("draft2020-12", 2020, new_files, 1000);
}

TEST(recogniser, the_validator_agrees_with_the_test_suite_of_draft_7) {
    expect_suite("draft7", 7, old_files, 760);
}

/* --- verdicts --------------------------------------------------------------------------------------------- */

TEST(recogniser, every_prefix_of_any_json_is_alive) {
    dies("true", "{\"a\": [1, -2.5e+3, \"\\ud83d\\ude00\\u0000\\/x\xc3\xa9\", null, true, false, {}, [ ]] }");
    dies("{}", "\"\\\"\"");
}

TEST(recogniser, text_that_is_no_json_dies_at_its_first_bad_byte) {
    dies("true", "[1,^]");
    dies("true", "{\"a\":1,^}");
    dies("true", "{^a");
    dies("true", "[0^1]");
    dies("true", "[1.^]");
    dies("true", "[-^]");
    dies("true", "[1e^]");
    dies("true", "[1]^ ");
    dies("true", "^ 1");
    dies("true", "[tru^]");
    dies("true", "\"^\n\"");
    dies("true", "\"\\^x\"");
    dies("true", "\"\\u12^g\"");
}

TEST(recogniser, surrogates_come_in_pairs_and_utf8_is_well_formed) {
    dies("true", "\"\\ud^c00\"");
    dies("true", "\"\\ud83d^x\"");
    dies("true", "\"\\ud83d\\^n\"");
    dies("true", "\"\\ud83d\\ud^8\"");
    dies("true", "\"\xc3^x\"");
    dies("true", "\"^\xc0\x80\"");
    dies("true", "\"\xe0^\x80\x80\"");
    dies("true", "\"\xed^\xa0\x80\"");
    dies("true", "\"\xf4^\x90\x80\x80\"");
    dies("true", "\"\xf0\x9f\x98\x80\"");
}

TEST(recogniser, min_items_and_prefix_items_forbid_an_early_end) {
    dies("{\"type\":\"array\",\"minItems\":2}", "[1^]");
    dies("{\"type\":\"array\",\"minItems\":2}", "[^]");
    dies("{\"type\":\"array\",\"maxItems\":1}", "[1^,2]");
    dies("{\"prefixItems\":[{\"type\":\"string\"},{\"type\":\"null\"}],\"items\":false}", "[\"a\",^1]");
    dies("{\"prefixItems\":[{\"type\":\"string\"},{\"type\":\"null\"}],\"items\":false}", "[\"a\",null^,");
}

TEST(recogniser, items_that_no_value_satisfies_end_the_array) {
    dies("{\"type\":\"array\",\"prefixItems\":[true,false]}", "[1^,");
    unsatisfiable("{\"type\":\"array\",\"prefixItems\":[true,false],\"minItems\":2}");
    dies("{\"type\":\"array\",\"items\":{\"enum\":[]}}", "[^1");
}

TEST(recogniser, one_of_dies_where_two_branches_must_hold) {
    const char *overlap = "{\"oneOf\":[{\"type\":\"object\",\"required\":[\"a\"]},{\"type\":\"object\",\"properties\":"
                          "{\"b\":{\"type\":\"integer\"}},\"required\":[\"b\"]}]}";
    dies(overlap, "{\"b\":1,\"c\":2}");
    dies(overlap, "{\"b\":1,\"a^\":");
    dies(overlap, "{\"b\":null,\"a\":1}");
    dies("{\"items\":{\"oneOf\":[{\"maximum\":5},{\"minimum\":3}]}}", "[4^]");
    dies("{\"oneOf\":[{\"type\":\"integer\",\"maximum\":5},{\"type\":\"integer\",\"minimum\":0}]}", "^[");
    unsatisfiable("{\"oneOf\":[true,true]}");
    dies("{\"oneOf\":[{\"type\":\"integer\"},{\"minimum\":0,\"type\":\"number\"}]}", "-^0");
    dies("{\"oneOf\":[{\"maxLength\":2},{\"minLength\":2}],\"type\":\"string\"}", "\"ab\xc3\xa9\"");
    dies("{\"oneOf\":[{\"const\":\"ab\"},{\"maxLength\":2}],\"type\":\"string\"}", "\"a^b");
}

TEST(recogniser, a_required_name_that_cannot_be_written_kills_the_object) {
    unsatisfiable("{\"required\":[\"a\"],\"additionalProperties\":false,\"type\":\"object\"}");
    dies("{\"required\":[\"a\"],\"properties\":{\"a\":false}}", "^{");
    dies("{\"properties\":{\"a\":true,\"b\":true},\"required\":[\"a\"]}", "{\"^b\":1}");
    dies("{\"properties\":{\"a\":true},\"required\":[\"z\"]}", "{\"y\":1,\"z\":2}");
    dies("{\"properties\":{\"a\":true},\"required\":[\"z\"]}", "{\"a\":1^}");
    dies("{\"properties\":{\"ab\":true,\"a\":true},\"additionalProperties\":false}", "{\"a\":1^,");
    dies("{\"properties\":{\"ab\":true,\"a\":true},\"additionalProperties\":false}", "{\"ab^c");
}

TEST(recogniser, names_come_in_the_order_of_the_schema_and_once) {
    const char *schema = "{\"anyOf\":[{\"properties\":{\"b\":true}},{\"properties\":{\"a\":true}}]}";
    dies(schema, "{\"b\":1,\"a\":2,\"x\":3}");
    dies(schema, "{\"a\":1,\"b^\":");
    dies(schema, "{\"a\":1,\"a^\":");
    dies(schema, "{\"x\":1,\"a^\":");
    dies("{\"enum\":[{\"q\":1,\"p\":2},{\"p\":2}]}", "{\"q\":1,\"p\":2}");
    dies("{\"enum\":[{\"q\":1,\"p\":2},{\"p\":2}]}", "{\"p\":2^,");
}

TEST(recogniser, a_number_range_without_a_member_is_dead) {
    unsatisfiable("{\"type\":\"integer\",\"exclusiveMinimum\":0.2,\"exclusiveMaximum\":0.8}");
    dies("{\"items\":{\"exclusiveMinimum\":0.2,\"exclusiveMaximum\":0.8}}", "[0.20^]");
    dies("{\"type\":\"number\",\"exclusiveMinimum\":0.2,\"exclusiveMaximum\":0.8}", "0.^8");
    dies("{\"type\":\"integer\",\"minimum\":100,\"maximum\":120}", "1^3");
    dies("{\"type\":\"integer\",\"minimum\":100,\"maximum\":120}", "1^.5");
    dies("{\"type\":\"integer\",\"minimum\":100,\"maximum\":120}", "11^.5");
    dies("{\"type\":\"integer\",\"minimum\":100,\"maximum\":120}", "110.0");
    dies("{\"minimum\":-0.5,\"maximum\":0}", "-0.4");
    dies("{\"minimum\":-0.5,\"maximum\":0}", "-1^0");
    dies("{\"minimum\":-0.5,\"maximum\":0}", "-1e-1");
    dies("{\"minimum\":-0.5,\"maximum\":0}", "-1e^+");
    dies("{\"minimum\":9007199254740993,\"maximum\":9007199254740993}", "900719925474099^2");
    unsatisfiable("{\"type\":\"integer\",\"minimum\":3,\"maximum\":4,\"not\":{\"enum\":[3,4]}}");
    dies("{\"const\":12}", "1^,");
    dies("{\"const\":12}", "12.0");
    dies("{\"const\":12}", "12^e");
    dies("{\"type\":\"integer\"}", "1^e");
    dies("{\"type\":\"number\"}", "1e-7");
    dies("{\"type\":\"integer\",\"minimum\":5}", "^-");
    dies("{\"maximum\":-5}", "-5");
    dies("{\"maximum\":-50}", "-40^.");
    dies("{\"maximum\":-5}", "-4.0e0");
    dies("{\"maximum\":-5}", "-4.5e+1");
    dies("{\"maximum\":5e-90,\"exclusiveMinimum\":0}", "1e^+");
    dies("{\"maximum\":5e-90,\"exclusiveMinimum\":0}", "1e-4^1");
}

TEST(recogniser, draft_4_tells_1_from_1_0) {
    dies("{\"$schema\":\"http://json-schema.org/draft-04/schema#\",\"type\":\"integer\"}", "1^.0");
    dies("{\"type\":\"integer\"}", "1.0");
}

TEST(recogniser, not_is_the_complement) {
    unsatisfiable("{\"not\":true}");
    dies("{\"not\":{\"type\":[\"object\",\"number\"]}}", "[1]");
    dies("{\"not\":{\"type\":[\"object\",\"number\"]}}", "^1");
    dies("{\"not\":{\"required\":[\"a\"]}}", "{\"b\":1}");
    dies("{\"not\":{\"required\":[\"a\"]}}", "{\"a^\":1}");
    dies("{\"type\":\"object\",\"not\":{\"properties\":{\"a\":{\"type\":\"string\"}}}}", "{\"a\":^\"");
    dies("{\"type\":\"object\",\"not\":{\"properties\":{\"a\":{\"type\":\"string\"}}}}", "{^}");
    dies("{\"type\":\"array\",\"not\":{\"items\":{\"type\":\"string\"}}}", "[\"a\"^]");
    dies("{\"type\":\"array\",\"not\":{\"items\":{\"type\":\"string\"}},\"maxItems\":2}", "[\"a\",^\"");
    dies("{\"type\":\"object\",\"not\":{\"additionalProperties\":{\"type\":\"null\"}}}", "{\"a\":null^}");
    dies("{\"not\":{\"const\":{\"a\":[1]}}}", "{\"a\":[1]^}");
    dies("{\"not\":{\"const\":\"ab\"}}", "\"ab^\"");
    dies("{\"not\":{\"anyOf\":[{\"minLength\":2},{\"type\":\"number\"}]}}", "\"x^y");
}

TEST(recogniser, depth_is_no_dead_end) {
    recogniser_options options = RECOGNISER_OPTIONS_INIT;
    options.depth_limit = 3;
    expect_dies("true", &options, "[[[[", 3);
    unsatisfiable("{\"type\":\"array\",\"items\":{\"$ref\":\"#\"},\"minItems\":1}");
    expect_dies("{\"items\":{\"type\":\"array\",\"minItems\":1}}", &options, "[[[[", 3);
    /* Another level would need two more. */
    expect_dies("{\"properties\":{\"a\":{\"anyOf\":[{\"type\":\"array\",\"items\":{\"type\":\"array\",\"minItems\":1,"
                "\"items\":{\"type\":\"array\"}},\"minItems\":1},{\"type\":\"null\"}]}}}",
                &options, "{\"a\":[", 5);
}

TEST(recogniser, recursion_without_an_end_is_dead) {
    unsatisfiable(
        "{\"$ref\":\"#/$defs/n\",\"$defs\":{\"n\":{\"type\":\"object\",\"properties\":{\"n\":{\"$ref\":\"#/$defs/n\"}},"
        "\"required\":[\"n\"]}}}");
    dies("{\"type\":\"object\",\"properties\":{\"n\":{\"anyOf\":[{\"$ref\":\"#\"},{\"type\":\"null\"}]}},"
         "\"required\":[\"n\"],\"additionalProperties\":false}",
         "{\"n\":{\"n\":^[");
}

TEST(recogniser, enumerations_allow_their_prefixes_only) {
    dies("{\"enum\":[\"foo\",\"fob\",\"bar\"]}", "\"fo^x");
    dies("{\"enum\":[\"foo\",\"fob\",\"bar\"]}", "\"fo^\"");
    unsatisfiable("{\"enum\":[\"foo\",\"fob\",\"bar\"],\"minLength\":4}");
    dies("{\"enum\":[[1,2],[1,3,4]]}", "[1,3^]");
    dies("{\"enum\":[[1,2],[1,3,4]]}", "[1,2^,");
    dies("{\"enum\":[1,\"a\",null],\"type\":[\"string\",\"null\"]}", "^1");
    dies("{\"const\":{\"a\":{\"b\":1,\"c\":2}}}", "{\"a\":{\"b\":1^}");
}

TEST(recogniser, known_strings_have_one_spelling) {
    dies("{\"const\":\"a\\n\\u001f\\u00e9\\/\"}", "\"a\\n\\u001f\xc3\xa9/\"");
    dies("{\"const\":\"ab\"}", "\"^\\u0061");
    dies("{\"const\":\"\\u00e9\"}", "\"^\\u00e9");
    dies("{\"properties\":{\"ab\":true}}", "{\"\\u00^61");
    dies("{\"properties\":{\"ab\":true}}", "{\"a\\u00^62");
    dies("{\"properties\":{\"ab\":true}}", "{\"a\\u00e9b\":1}");
    dies("{\"properties\":{\"ab\":true}}", "{\"a\\nb\":1}");
    dies("{\"properties\":{\"ab\":true}}", "{\"ax\\u0062\":1}");
    dies("{\"properties\":{\"a\\n\":true},\"additionalProperties\":false}", "{\"a\\^u000a");
    dies("{\"properties\":{\"ab\":true}}", "{\"a\\u001F\":1}");
    dies("{\"properties\":{\"a\\n\":true}}", "{\"a\\u000^a");
    dies("{\"not\":{\"const\":\"a\"}}", "\"\\u00^61");
    dies("{\"anyOf\":[{\"const\":\"a\"},{\"minLength\":3}]}", "\"b\\u0061c\"");
}

TEST(recogniser, string_lengths_count_code_points) {
    dies("{\"maxLength\":2}", "\"\\ud83d\\ude00\xf0\x9f\x98\x80\"");
    dies("{\"maxLength\":2}", "\"ab^c");
    dies("{\"maxLength\":2}", "\"ab^\\");
    dies("{\"maxLength\":2}", "\"ab^\xc3");
    dies("{\"maxLength\":2}", "\"a\\n^x");
    dies("{\"minLength\":2,\"type\":\"string\"}", "\"\xf0\x9f\x98\x80^\"");
    dies("{\"minLength\":2,\"type\":\"string\"}", "\"\\u0061^\"");
    dies("{\"minLength\":3,\"maxLength\":2}", "^\"");
    dies("{\"maxLength\":0,\"not\":{\"const\":\"\"}}", "^\"");
    dies("{\"maxLength\":1,\"not\":{\"enum\":[\"\",\"a\"]}}", "\"^a");
}

TEST(recogniser, white_space_follows_the_policy) {
    recogniser_options options = RECOGNISER_OPTIONS_INIT;
    options.whitespace_run = 2;
    expect_dies("true", &options, "{ \n\"a\"\t: 1\r}", 12);
    expect_dies("true", &options, "[   ", 3);
    options.whitespace = WEIR_WHITESPACE_COMPACT;
    expect_dies("true", &options, "{\"a\":[1,2]}", 11);
    expect_dies("true", &options, "[1, ", 3);
    options.whitespace = WEIR_WHITESPACE_SPACED;
    expect_dies("true", &options, "{\"a\": [1, 2], \"b\": {}}", 22);
    expect_dies("true", &options, "[1,2", 3);
    expect_dies("true", &options, "[ ", 1);
    expect_dies("true", &options, "{\"a\":1", 5);
    expect_dies("true", &options, "[1,  ", 4);
}

TEST(recogniser, closed_objects_write_no_unlisted_name) {
    recogniser_options options = RECOGNISER_OPTIONS_INIT;
    options.objects = WEIR_OBJECTS_CLOSED;
    expect_dies("{\"properties\":{\"a\":true}}", &options, "{\"b", 2);
    expect_dies("{\"properties\":{\"a\":true},\"additionalProperties\":true}", &options, "{\"b\":1}", 7);
    expect_dies("{\"type\":\"object\"}", &options, "{\"b\":{\"c\":1}}", 13);
}

TEST(recogniser, references_reach_every_place) {
    dies("{\"$id\":\"http://x/y\",\"$ref\":\"z#q\",\"$defs\":{\"d\":{\"$id\":\"z\",\"$defs\":{\"e\":{\"$anchor\":\"q\","
         "\"type\":\"null\"}}}}}",
         "^1");
    dies("{\"items\":{\"$ref\":\"#/$defs/a~1b%25\"},\"$defs\":{\"a/b%\":{\"type\":\"null\"}}}", "[^1");
    dies("{\"$schema\":\"http://json-schema.org/draft-07/schema#\",\"items\":{\"$ref\":\"#/definitions/a\","
         "\"type\":\"string\"},\"definitions\":{\"a\":{\"type\":\"null\"}}}",
         "[null]");
}

TEST(recogniser, keywords_that_it_does_not_know_are_refused) {
    char why[256] = "";
    EXPECT_NULL(recogniser_create("{\"items\":{\"multipleOf\":2}}", 26, NULL, why, sizeof why));
    EXPECT_CONTAINS(why, "/items/multipleOf");
    EXPECT_NULL(recogniser_create("{\"pattern\":\"(?<=a)b\"}", 21, NULL, why, sizeof why));
    EXPECT_CONTAINS(why, "/pattern");
    EXPECT_NULL(recogniser_create("{\"allOf\":[{\"$ref\":\"#\"}]}", 24, NULL, why, sizeof why));
    EXPECT_CONTAINS(why, "in place");
}

/* --- tokens ----------------------------------------------------------------------------------------------- */

TEST(recogniser, all_tokens_at_once_get_the_verdicts_they_get_alone) {
    const char *words[] = {"a",  "b",   "ab",    "\"",     "\",",    "\":",      "\":1", "\"}", "{",    "}",
                           "}}", "[",   "],",    ",",      ", \"",   "1",        "12",   "1.",  "-",    "e",
                           "\\", "\\u", "\\u00", "\xc3",   "\xa9",   "\xc3\xa9", " ",    "  ",  "null", "nul",
                           "l",  "",    "a\":",  "b\":2}", "x\": [", "x\":\"",   "{\"a", "[[",  "]]",   "true"};
    enum { COUNT = sizeof words / sizeof *words };
    const char *prefixes[] = {
        "", "{", "{\"", "{\"a", "{\"a\":", "{\"a\":1", "{\"a\":1,", "{\"a\":1,\"b\":[\"x", "{\"x\":\"a"};
    const uint8_t *bytes[COUNT];
    uint32_t lengths[COUNT];
    uint8_t verdicts[COUNT];
    for (int i = 0; i < COUNT; i++) bytes[i] = (const uint8_t *)words[i], lengths[i] = (uint32_t)strlen(words[i]);
    recogniser_tokens *tokens = recogniser_tokens_create(bytes, lengths, COUNT);
    recogniser *r =
        open_schema("{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"integer\",\"maximum\":120},\"b\":"
                    "{\"items\":{\"enum\":[\"xa\",\"b\"]}}},\"additionalProperties\":{\"maxLength\":2}}",
                    NULL);
    for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++) {
        recogniser_reset(r);
        EXPECT_EQ(recogniser_append(r, prefixes[i], strlen(prefixes[i])), RECOGNISER_ALIVE);
        recogniser_judge(r, tokens, verdicts);
        for (int k = 0; k < COUNT; k++) {
            test_context("%s + %s", prefixes[i], words[k]);
            EXPECT_EQ(verdicts[k], lengths[k] ? recogniser_try(r, words[k], lengths[k]) : RECOGNISER_DEAD);
        }
    }
    test_context(NULL);
    recogniser_destroy(r);
    recogniser_tokens_destroy(tokens);
}

/* --- small worlds ----------------------------------------------------------------------------------------- */

static const char *const world_schemas[] = {
    "{\"properties\":{\"a\":{\"type\":\"integer\"},\"b\":{\"$ref\":\"#\"}},\"required\":[\"b\"],\"minItems\":1}",
    "{\"oneOf\":[{\"required\":[\"a\"]},{\"properties\":{\"b\":{\"type\":\"null\"}}},{\"maxItems\":1}]}",
    "{\"not\":{\"allOf\":[{\"items\":{\"type\":\"integer\"}},{\"properties\":{\"a\":{\"const\":1}}}]}}",
    "{\"anyOf\":[{\"additionalProperties\":{\"type\":\"null\"}},{\"const\":[1]},{\"minItems\":2}],\"type\":[\"object\","
    "\"array\"]}",
    "{\"allOf\":[{\"oneOf\":[{\"type\":\"object\"},{\"required\":[\"b\"]}]},{\"not\":{\"const\":{\"a\":null}}}]}",
    "{\"not\":{\"additionalProperties\":{\"not\":{\"type\":\"null\"}},\"items\":{\"not\":{\"const\":1}}}}",
    "{\"enum\":[{\"b\":1,\"a\":null},[1,null],{\"a\":{}},1],\"not\":{\"required\":[\"b\"]}}",
    "{\"prefixItems\":[{\"type\":\"null\"},{\"not\":{\"type\":\"integer\"}}],\"items\":false,\"properties\":{\"b\":"
    "false}}",
    "{\"if\":{\"contains\":{\"const\":1}},\"then\":{\"uniqueItems\":true},\"else\":{\"maxItems\":1,\"minProperties\":1}}",
    "{\"not\":{\"uniqueItems\":true,\"patternProperties\":{\"a\":{\"type\":\"null\"}}}}",
    "{\"anyOf\":[{\"prefixItems\":[{\"const\":1}]},{\"contains\":{\"type\":\"null\"}}],\"unevaluatedItems\":{\"type\":"
    "\"array\"},\"propertyNames\":{\"pattern\":\"^b\"}}",
    "{\"oneOf\":[{\"properties\":{\"a\":{\"const\":1}}},{\"maxProperties\":0}],\"unevaluatedProperties\":false,"
    "\"maxContains\":1,\"contains\":{\"type\":\"array\"},\"minContains\":0}"};

/* Seven lexemes hold no object of two members, so the order of names plays no part. */
enum { WORLD_LEXEMES = 7 };
static const char *const lexemes[] = {"{", "}", "[", "]", ",", ":", "\"a\"", "\"b\"", "1", "null"};

typedef struct world {
    recogniser *r, *json; /* json: of the schema that accepts everything */
    char text[64];
    long prefixes, accepted;
} world;

/* The text and all that begin with it: alive exactly where a completion is shown; an accepted text and what leads to it
 * are alive; a text that the validator refuses is not called complete. */
static void explore(world *w, size_t length, int left, bool was_dead) {
    size_t completed;
    if (test_has_failed() || recogniser_try(w->json, w->text, length) == RECOGNISER_DEAD) return;
    test_context("%.*s", (int)length, w->text);
    recogniser_verdict verdict = recogniser_try(w->r, w->text, length);
    const char *completion = recogniser_completion(w->r, w->text, length, &completed);
    bool valid = recogniser_validate(w->r, w->text, length);
    if (verdict == RECOGNISER_UNKNOWN) { /* an unlisted name stands twice */
        EXPECT_NOT_NULL(strstr(w->text, ",\""));
        return;
    }
    EXPECT_EQ(completion != NULL, verdict == RECOGNISER_ALIVE);
    EXPECT_FALSE(was_dead && verdict == RECOGNISER_ALIVE);
    EXPECT_EQ(valid, completion && completed == length);
    w->prefixes++;
    w->accepted += valid;
    for (size_t i = 0; left && i < sizeof lexemes / sizeof *lexemes; i++) {
        strcpy(w->text + length, lexemes[i]);
        explore(w, length + strlen(lexemes[i]), left - 1, verdict == RECOGNISER_DEAD);
    }
    w->text[length] = 0;
}

TEST(recogniser, small_worlds_have_no_false_verdict) {
    long prefixes = 0, accepted = 0;
    for (size_t i = 0; i < sizeof world_schemas / sizeof *world_schemas && !test_has_failed(); i++) {
        world w = {.r = open_schema(world_schemas[i], NULL), .json = open_schema("true", NULL)};
        explore(&w, 0, WORLD_LEXEMES, false);
        EXPECT_GE(w.accepted, 1);
        prefixes += w.prefixes;
        accepted += w.accepted;
        recogniser_destroy(w.r);
        recogniser_destroy(w.json);
    }
    test_context(NULL);
    printf("%ld prefixes, %ld accepted texts\n", prefixes, accepted);
}
