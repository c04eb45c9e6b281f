/* test_schema_unevaluated.c - unevaluatedProperties and unevaluatedItems: what the schemas in place have evaluated.
 *
 * The verdicts are those of the standard's text; see "annotation results" in section 11 of 2020-12's core. */
#include "schema_cases.h"

#define IN_2019 "'$schema': 'https://json-schema.org/draft/2019-09/schema', "

TEST(schema_unevaluated, names_are_evaluated_by_every_schema_in_place_that_holds) {
    static const schema_case cases[] = {
        {"{'properties': {'a': {}}, 'patternProperties': {'^x': {}}, 'unevaluatedProperties': false}", "{'a': 1, 'xy': 2}", true},
        {"{'properties': {'a': {}}, 'patternProperties': {'^x': {}}, 'unevaluatedProperties': false}", "{'b': 1}", false},
        {"{'allOf': [{'properties': {'a': {}}}], '$ref': '#/$defs/b', '$defs': {'b': {'properties': {'b': {}}}}, 'unevaluatedProperties': false}",
         "{'b': 1, 'a': 2}", true},
        {"{'anyOf': [{'properties': {'a': {'type': 'null'}}}, {'properties': {'b': {}}}], 'unevaluatedProperties': false}", "{'a': 1}", false},
        {"{'anyOf': [{'properties': {'a': {'type': 'null'}}}, {'properties': {'b': {}}}], 'unevaluatedProperties': false}", "{'a': null, 'b': 1}", true},
        {"{'anyOf': [{'properties': {'a': {'type': 'null'}}}, {'properties': {'b': {}}}], 'unevaluatedProperties': false}", "{'b': 1, 'a': 1}", false},
        {"{'oneOf': [{'properties': {'a': {}}, 'required': ['a']}, {'properties': {'b': {}}, 'required': ['b']}], 'unevaluatedProperties': false}",
         "{'a': 1}", true},
        {"{'oneOf': [{'properties': {'a': {}}, 'required': ['a']}, {'properties': {'b': {}}, 'required': ['b']}], 'unevaluatedProperties': false}",
         "{'a': 1, 'c': 1}", false},
        {"{'dependentSchemas': {'a': {'properties': {'a': {}, 'b': {}}}}, 'unevaluatedProperties': false}", "{'b': 1}", false},
        {"{'dependentSchemas': {'a': {'properties': {'a': {}, 'b': {}}}}, 'unevaluatedProperties': false}", "{'b': 1, 'a': 1}", true},
        {"{'not': {'not': {'properties': {'a': {}}}}, 'unevaluatedProperties': false}", "{'a': 1}", false},
        {0}};
    schema_expect(cases, NULL);
}

TEST(schema_unevaluated, if_evaluates_where_it_holds_and_then_and_else_where_they_are_asked) {
    static const char both[] = "{'if': {'properties': {'a': {'const': 1}}, 'required': ['a']}, 'then': {'properties': {'b': {}}},"
                               " 'else': {'properties': {'c': {}}}, 'unevaluatedProperties': false}";
    static const char alone[] = "{'if': {'properties': {'a': {'const': 1}}, 'required': ['a']}, 'unevaluatedProperties': false}";
    static const schema_case cases[] = {{both, "{'b': 0, 'a': 1}", true},  {both, "{'b': 0}", false},
                                        {both, "{'a': 1, 'c': 0}", false}, {both, "{'c': 0}", true},
                                        {both, "{'c': 0, 'a': 2}", false}, {alone, "{'a': 1}", true},
                                        {alone, "{'a': 2}", false},        {0}};
    schema_expect(cases, NULL);
}

TEST(schema_unevaluated, what_evaluates_all_other_names_leaves_none) {
    static const schema_case cases[] = {
        {"{'additionalProperties': {}, 'unevaluatedProperties': false}", "{'a': 1}", true},
        {"{'allOf': [{'unevaluatedProperties': true}], 'unevaluatedProperties': false}", "{'a': 1}", true},
        {"{'allOf': [{'unevaluatedProperties': {'type': 'null'}}], 'unevaluatedProperties': false}", "{'a': 1}", false},
        {"{'anyOf': [{'additionalProperties': {'type': 'null'}}, {'properties': {'a': {}}}], 'unevaluatedProperties': false}", "{'a': null, 'b': null}", true},
        {"{'anyOf': [{'additionalProperties': {'type': 'null'}}, {'properties': {'a': {}}}], 'unevaluatedProperties': false}", "{'b': null, 'a': 1}", false},
        {"{'unevaluatedProperties': true}", "{'a': 1}", true},
        /* a schema sees what is below it, not what is beside it */
        {"{'allOf': [{'unevaluatedProperties': false}, {'properties': {'a': {}}}]}", "{'a': 1}", false},
        {"{'allOf': [{'unevaluatedProperties': false}, {'properties': {'a': {}}}]}", "{}", true},
        {0}};
    schema_expect(cases, NULL);
}

TEST(schema_unevaluated, a_schema_is_asked_of_members_that_are_not_evaluated) {
    static const char schema[] = "{'patternProperties': {'^x': {'type': 'null'}}, 'anyOf': [{'properties': {'a': {'type': 'string'}}, 'required': ['a']},"
                                 " {'properties': {'b': {'type': 'null'}}}], 'unevaluatedProperties': {'type': 'integer'}}";
    static const schema_case cases[] = {{schema, "{'a': 's', 'x': null}", true},  {schema, "{'a': 1, 'xy': null}", true},
                                        {schema, "{'b': null, 'a': 's'}", true},  {schema, "{'b': 's', 'a': 's'}", false},
                                        {schema, "{'b': null, 'a': null}", false}, {schema, "{'c': 7, 'd': 8, 'a': 's', 'b': 2}", true},
                                        {schema, "{'c': 's'}", false},            {schema, "{'x': 1}", false},
                                        {0}};
    schema_expect(cases, NULL);
}

TEST(schema_unevaluated, patterns_evaluate_on_conditions_too) {
    static const char schema[] = "{'oneOf': [{'properties': {'a': {'const': 1}}, 'required': ['a'], 'patternProperties': {'^x': {}}},"
                                 " {'properties': {'a': {'const': 2}}, 'required': ['a'], 'patternProperties': {'^y|^b$': {}}}, {'properties': {'b': {}, 'a': false}}],"
                                 " 'unevaluatedProperties': false}";
    static const schema_case cases[] = {{schema, "{'a': 1, 'x': 0, 'xy': 0}", true}, {schema, "{'a': 1, 'y': 0}", false},
                                        {schema, "{'a': 2, 'y': 0}", true},          {schema, "{'a': 2, 'b': 0, 'y': 0}", true},
                                        {schema, "{'a': 1, 'b': 0}", false},         {schema, "{'b': 0}", true},
                                        {0}};
    weir_grammar_options options = WEIR_GRAMMAR_OPTIONS_INIT;
    options.order = WEIR_ORDER_SCHEMA; /* in any order it is refused: the names that stand would have to be kept */
    schema_expect(cases, &options);
}

TEST(schema_unevaluated, items_are_evaluated_by_prefix_or_all) {
    static const char prefixes[] = "{'anyOf': [{'prefixItems': [{'type': 'integer'}]}, {'prefixItems': [{}, {'type': 'null'}, {}]}], 'unevaluatedItems': {'type': 'string'}}";
    static const schema_case cases[] = {
        {prefixes, "[1, 's', 's']", true},
        {prefixes, "[1, 2]", false},
        {prefixes, "['s', null, 3]", true},
        {prefixes, "['s', null, 3, 4]", false},
        {"{'anyOf': [{'items': {'type': 'null'}}, {'prefixItems': [{}]}], 'unevaluatedItems': false}", "[null, null]", true},
        {"{'anyOf': [{'items': {'type': 'null'}}, {'prefixItems': [{}]}], 'unevaluatedItems': false}", "[null, 1]", false},
        {"{'prefixItems': [{}], 'allOf': [{'unevaluatedItems': true}], 'unevaluatedItems': false}", "[1, 2]", true},
        {"{" IN_2019 "'items': [{}], 'unevaluatedItems': false}", "[1, 2]", false},
        {"{" IN_2019 "'items': [{}], 'additionalItems': {'type': 'integer'}, 'unevaluatedItems': false}", "[1, 2]", true},
        {"{" IN_2019 "'additionalItems': {'type': 'integer'}, 'unevaluatedItems': false}", "[1]", false},
        {0}};
    schema_expect(cases, NULL);
}

TEST(schema_unevaluated, items_that_contains_finds_are_evaluated_from_2020_12_on) {
    static const char nested[] = "{'allOf': [{'contains': {'const': 1}}, {'anyOf': [{'contains': {'const': 2}}, {}]}], 'unevaluatedItems': {'const': 0}}";
    static const schema_case cases[] = {
        {"{'contains': {'type': 'null'}, 'unevaluatedItems': false}", "[null, null]", true},
        {"{'contains': {'type': 'null'}, 'unevaluatedItems': false}", "[null, 1]", false},
        {"{'contains': {'type': 'null'}, 'minContains': 0, 'unevaluatedItems': {'const': 0}}", "[0, null]", true},
        {"{" IN_2019 "'contains': {'type': 'null'}, 'unevaluatedItems': false}", "[null]", false},
        {"{'not': {'not': {'contains': {'type': 'null'}}}, 'unevaluatedItems': false}", "[null]", false},
        {nested, "[1, 0, 2, 1]", true},
        {nested, "[1, 3]", false},
        {nested, "[2]", false},
        {0}};
    schema_expect(cases, NULL);
}

TEST(schema_unevaluated, a_recursive_schema_may_leave_nothing_unevaluated_at_any_depth) {
    static const char tree[] = "{'$defs': {'node': {'properties': {'v': {'type': 'integer'}}}}, '$ref': '#/$defs/node',"
                               " 'properties': {'next': {'$ref': '#'}}, 'unevaluatedProperties': false}";
    static const schema_case cases[] = {{tree, "{'v': 1, 'next': {'next': {}, 'v': 2}}", true}, {tree, "{'next': {'next': {'w': 1}}}", false}, {0}};
    schema_expect(cases, NULL);
}

TEST(schema_unevaluated, what_cannot_be_said_exactly_is_refused_at_its_place) {
    schema_expect_refused("{'anyOf': [{'type': 'object'}, {'$ref': '#'}], 'unevaluatedProperties': false}", "/unevaluatedProperties", "\"unevaluatedProperties\" is not supported");
    schema_expect_refused("{'anyOf': [true, {'$ref': '#'}], 'unevaluatedItems': false}", "/unevaluatedItems", "\"unevaluatedItems\" is not supported");
    schema_expect_refused("{'anyOf': [{'contains': {'const': 1}}, {'contains': {'const': 2}}, {'contains': {'const': 3}}, {'contains': {'const': 4}},"
                          " {'contains': {'const': 5}}, {'contains': {'const': 6}}, {'contains': {'const': 7}}], 'unevaluatedItems': false}",
                          "/unevaluatedItems", "more than 6");
    schema_expect_refused("{'unevaluatedProperties': 1}", "/unevaluatedProperties", "a schema must be an object or a boolean");
}

TEST(schema_unevaluated, the_keywords_are_reported_as_enforced_and_only_noted_before_2019_09) {
    EXPECT_EQ(schema_reports("{'unevaluatedProperties': false, 'properties': {'a': {'unevaluatedItems': false}}}", "unevaluatedProperties", WEIR_KEYWORD_ENFORCED), 1);
    EXPECT_EQ(schema_reports("{'unevaluatedProperties': false, 'properties': {'a': {'unevaluatedItems': false}}}", "unevaluatedItems", WEIR_KEYWORD_ENFORCED), 1);
    EXPECT_EQ(schema_reports("{'$schema': 'http://json-schema.org/draft-07/schema#', 'unevaluatedItems': 1}", "unevaluatedItems", WEIR_KEYWORD_NOTED), 1);
}
