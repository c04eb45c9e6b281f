/* test_circle.c - schemas that apply to themselves in place: accepted is what a validator accepts that asks keywords in
 * the order of the text; where it would ask without end, nothing is accepted. */
#include "random_walk.h"

#include <string.h>

#define ENDLESS ", \"$defs\": {\"x\": {\"$ref\": \"#/$defs/x\"}}}"
#define STRINGS "{\"type\": \"string\", \"allOf\": [{\"$ref\": \"#/$defs/x\"}]}" /* known of what is no string */
#define OTHERS  "{\"if\": {\"type\": \"string\"}, \"then\": {\"$ref\": \"#/$defs/x\"}}"
#define TWO                                                                                                            \
    ", \"$defs\": {\"x\": {\"anyOf\": [{\"type\": \"object\"}, {\"$ref\": \"#/$defs/y\"}]},"                           \
    " \"y\": {\"anyOf\": [{\"type\": \"array\"}, {\"$ref\": \"#/$defs/x\"}]}}}"

/* The verdicts are those of Python's jsonschema 4; false also where it recurses without end. */
static const struct { const char *schema, *text; bool accepted; } cases[] = {
    {"{\"anyOf\": [true, {\"$ref\": \"#\"}]}", "1", true},
    {"{\"anyOf\": [{\"type\": \"string\"}, {\"$ref\": \"#\"}]}", "\"a\"", true},
    {"{\"anyOf\": [{\"type\": \"string\"}, {\"$ref\": \"#\"}]}", "1", false},
    {"{\"not\": {\"type\": \"string\", \"not\": {\"$ref\": \"#\"}}}", "1", true},
    {"{\"anyOf\": [{\"type\": \"null\"}, {\"type\": \"string\", \"allOf\": [{\"$ref\": \"#/$defs/x\"}]}, true]" ENDLESS, "1", false},
    {"{\"anyOf\": [{\"type\": \"array\"}, {\"type\": \"string\", \"allOf\": [{\"$ref\": \"#/$defs/x\"}]}, true]" ENDLESS, "[]", true},
    {"{\"not\": {\"type\": \"string\", \"allOf\": [{\"$ref\": \"#/$defs/x\"}]}" ENDLESS, "1", true},
    {"{\"oneOf\": [true, {\"type\": \"string\", \"allOf\": [{\"$ref\": \"#/$defs/x\"}]}]" ENDLESS, "1", true},
    {"{\"oneOf\": [{\"type\": \"array\"}, {\"type\": \"string\", \"allOf\": [{\"$ref\": \"#/$defs/x\"}]}, {\"type\": \"null\"}]" ENDLESS, "null", false},
    {"{\"properties\": {\"a\": {\"$ref\": \"#/$defs/x\"}}" ENDLESS, "{\"a\": 1}", false},
    {"{\"properties\": {\"a\": {\"$ref\": \"#/$defs/x\"}}" ENDLESS, "{\"b\": 1}", true},
    {"{\"anyOf\": [{\"properties\": {\"a\": {\"$ref\": \"#/$defs/x\"}}}, true]" ENDLESS, "{\"a\": 1}", false},
    {"{\"$ref\": \"#/$defs/x\"" TWO, "[]", true},
    {"{\"items\": {\"$ref\": \"#/$defs/y\"}" TWO, "[{}, []]", true},
    {"{\"items\": {\"$ref\": \"#/$defs/y\"}" TWO, "[1]", false},
    /* items in list form, as the drafts before 2020-12 have them */
    {"{\"$schema\": \"http://json-schema.org/draft-07/schema#\", \"anyOf\": [true, {\"$ref\": \"#\"}], \"items\": [{\"type\": \"string\"}]}", "[1]", false},
    {"{\"$schema\": \"http://json-schema.org/draft-07/schema#\", \"anyOf\": [true, {\"$ref\": \"#\"}], \"items\": [{}], \"additionalItems\": {\"type\": \"null\"}}", "[1, 2]", false},
    {"{\"not\": {\"items\": " STRINGS "}" ENDLESS, "[1]", true},
    /* members: the first that is wrong decides, unless all are asked */
    {"{\"not\": {\"items\": " STRINGS "}" ENDLESS, "[1, \"a\"]", true},
    {"{\"not\": {\"items\": " STRINGS "}" ENDLESS, "[\"a\", 1]", false},
    {"{\"not\": {\"prefixItems\": [true], \"items\": " STRINGS "}" ENDLESS, "[\"a\", \"a\", 1]", false},
    {"{\"not\": {\"prefixItems\": [true], \"items\": " STRINGS "}" ENDLESS, "[\"a\", 1, \"a\"]", true},
    {"{\"anyOf\": [{\"items\": " STRINGS "}, true]" ENDLESS, "[1, \"a\"]", false},
    {"{\"anyOf\": [{\"items\": " STRINGS "}, true]" ENDLESS, "[]", true},
    {"{\"not\": {\"contains\": " STRINGS "}" ENDLESS, "[1, 2]", true},
    {"{\"not\": {\"contains\": " STRINGS "}" ENDLESS, "[1, \"a\"]", false},
    {"{\"not\": {\"not\": {\"contains\": " OTHERS "}}" ENDLESS, "[1, 2]", true},
    {"{\"not\": {\"not\": {\"contains\": " OTHERS "}}" ENDLESS, "[1, \"a\"]", false},
    {"{\"not\": {\"not\": {\"contains\": " OTHERS "}}" ENDLESS, "[\"a\", 1]", false},
    {"{\"not\": {\"patternProperties\": {\"^a\": " STRINGS "}}" ENDLESS, "{\"a\": 1, \"ab\": \"s\"}", true},
    {"{\"not\": {\"patternProperties\": {\"^a\": " STRINGS "}}" ENDLESS, "{\"a\": \"s\", \"ab\": 1}", false},
    {"{\"anyOf\": [{\"patternProperties\": {\"^a\": " STRINGS "}}, true]" ENDLESS, "{\"a\": 1, \"ab\": \"s\"}", false},
    /* additionalProperties: the validator asks in no order that could be relied on */
    {"{\"not\": {\"additionalProperties\": " STRINGS "}" ENDLESS, "{\"a\": 1, \"b\": \"s\"}", false},
    {"{\"not\": {\"additionalProperties\": " STRINGS "}" ENDLESS, "{\"a\": \"s\", \"b\": 1}", false},
    {"{\"not\": {\"additionalProperties\": " STRINGS "}" ENDLESS, "{\"a\": 1, \"b\": 2}", true},
    {"{\"anyOf\": [{\"additionalProperties\": " STRINGS "}, true]" ENDLESS, "{\"a\": 1, \"b\": \"s\"}", false},
};

static bool accepts(const fixture *f, const char *schema, const char *text) {
    weir_grammar *grammar;
    weir_matcher *matcher;
    weir_error error;
    bool taken = true;
    ASSERT_OK(weir_grammar_from_json_schema(f->vocab, schema, strlen(schema), NULL, &grammar, &error), &error);
    ASSERT_OK(weir_matcher_create(grammar, NULL, &matcher, &error), &error);
    for (const char *c = text; *c != '\0' && taken; c++) {
        taken = weir_matcher_accept(matcher, f->byte_token[(uint8_t)*c], NULL) == WEIR_OK;
    }
    taken = taken && weir_matcher_is_accepting(matcher);
    weir_matcher_destroy(matcher);
    weir_grammar_destroy(grammar);
    return taken;
}

TEST(circle, keywords_are_asked_in_the_order_of_the_text) {
    fixture f;
    walk_open(&f);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        test_context("%s on %s", cases[i].text, cases[i].schema);
        EXPECT_EQ(accepts(&f, cases[i].schema, cases[i].text), cases[i].accepted);
    }
    test_context(NULL);
    walk_close(&f);
}

TEST(circle, a_root_that_only_the_circle_decides_is_refused_at_its_place) {
    fixture f;
    weir_grammar *grammar;
    weir_error error;
    const char *schema = "{\"$ref\": \"#/$defs/x\", \"$defs\": {\"x\": {\"allOf\": [{\"$ref\": \"#/$defs/x\"}]}}}";
    walk_open(&f);
    EXPECT_STATUS(weir_grammar_from_json_schema(f.vocab, schema, strlen(schema), NULL, &grammar, &error), WEIR_ERROR_SCHEMA, &error);
    EXPECT_STREQ(error.pointer, "/$defs/x");
    walk_close(&f);
}
