/* test_schema_dynamic.c - $dynamicRef and $recursiveRef: the outermost resource on the way decides. */
#include "schema_cases.h"

#include <setjmp.h>
#include <string.h>

#include "resource_session.h"
#include "schema.h"

#define IN_2019 "'$schema': 'https://json-schema.org/draft/2019-09/schema', "
#define LISTS                                                                                                          \
    "'$defs': {'list': {'$id': 'list', 'items': {'$dynamicRef': '#item'}, '$defs': {'any': {'$dynamicAnchor': 'item'}}},"     \
    " 'numbers': {'$id': 'numbers', '$ref': 'list', '$defs': {'n': {'$dynamicAnchor': 'item', 'type': 'integer'}}},"     \
    " 'texts': {'$id': 'texts', '$ref': 'list', '$defs': {'t': {'$dynamicAnchor': 'item', 'type': 'string'}}}}}"
#define TREE                                                                                                           \
    "'$defs': {'tree': {'$id': 'tree', '$dynamicAnchor': 'node', 'properties': {'v': {}, 'next': {'$dynamicRef': '#node'}}}}}"
#define OLD_TREE                                                                                                       \
    "'$defs': {'tree': {'$id': 'tree', '$recursiveAnchor': true, 'properties': {'v': {}, 'next': {'$recursiveRef': '#'}}}}}"

static const char lists[] = "{'$id': 'http://t/root', 'properties': {'n': {'$ref': 'numbers'}, 't': {'$ref': 'texts'}, 'l': {'$ref': 'list'}}, " LISTS;
static const char strict[] = "{'$id': 'http://t/strict', '$dynamicAnchor': 'node', '$ref': 'tree', 'unevaluatedProperties': false, " TREE;
static const char plain[] = "{'$id': 'http://t/strict', '$ref': 'tree', 'unevaluatedProperties': false, " TREE;

TEST(schema_dynamic, one_schema_means_another_thing_on_another_way) {
    static const schema_case cases[] = {
        {lists, "{'n': [1], 't': ['s'], 'l': [null]}", true}, {lists, "{'n': ['s']}", false}, {lists, "{'t': [1]}", false}, {lists, "{'l': [1, 's']}", true}, {0}};
    schema_expect(cases, NULL);
}

TEST(schema_dynamic, a_recursive_schema_is_extended_at_every_depth) {
    static const schema_case cases[] = {{strict, "{'v': 1, 'next': {'next': {}}}", true},
                                        {strict, "{'next': {'w': 1}}", false},
                                        {strict, "{'next': {'next': {'next': {'w': 1}}}}", false},
                                        {plain, "{'next': {'w': 1}}", true},
                                        {plain, "{'w': 1}", false},
                                        {0}};
    schema_expect(cases, NULL);
}

TEST(schema_dynamic, a_plain_anchor_or_a_pointer_is_not_dynamic) {
    static const char anchor[] = "{'$id': 'http://t/root', '$ref': 'list', '$defs': {'a': {'$dynamicAnchor': 'item', 'type': 'string'},"
                                 " 'list': {'$id': 'list', 'items': {'$dynamicRef': '#item'}, '$defs': {'any': {'$anchor': 'item'}}}}}";
    static const char pointer[] = "{'$id': 'http://t/root', '$ref': 'list', '$defs': {'a': {'$dynamicAnchor': 'item', 'type': 'string'},"
                                  " 'list': {'$id': 'list', 'items': {'$dynamicRef': '#/$defs/any'}, '$defs': {'any': {'$dynamicAnchor': 'item'}}}}}";
    static const schema_case cases[] = {{anchor, "[1]", true}, {pointer, "[1]", true}, {0}};
    schema_expect(cases, NULL);
}

TEST(schema_dynamic, recursive_references_of_2019_09) {
    static const char extended[] = "{" IN_2019 "'$id': 'http://t/strict', '$recursiveAnchor': true, '$ref': 'tree', 'unevaluatedProperties': false, " OLD_TREE;
    static const char not_extended[] = "{" IN_2019 "'$id': 'http://t/strict', '$ref': 'tree', 'unevaluatedProperties': false, " OLD_TREE;
    static const schema_case cases[] = {{extended, "{'next': {'v': 1}}", true},  {extended, "{'next': {'next': {'w': 1}}}", false},
                                        {not_extended, "{'next': {'w': 1}}", true}, {not_extended, "{'w': 1}", false},
                                        {0}};
    schema_expect(cases, NULL);
}

TEST(schema_dynamic, a_reference_and_a_dynamic_one_may_stand_side_by_side) {
    static const char both[] = "{'$defs': {'s': {'type': 'string'}, 'd': {'$dynamicAnchor': 'x', 'minLength': 2}}, 'items': {'$ref': '#/$defs/s', '$dynamicRef': '#x'}}";
    static const schema_case cases[] = {{both, "['ab']", true}, {both, "['a']", false}, {both, "[1]", false}, {0}};
    schema_expect(cases, NULL);
}

static const char *answer(void *context, const char *uri, size_t uri_length, size_t *length) {
    static const char list[] = "{\"$id\": \"http://t/list\", \"items\": {\"$dynamicRef\": \"#item\"}, \"$defs\": {\"any\": {\"$dynamicAnchor\": \"item\"}}}";
    (void)context;
    *length = sizeof list - 1;
    return strlen("http://t/list") == uri_length && memcmp(uri, "http://t/list", uri_length) == 0 ? list : NULL;
}

TEST(schema_dynamic, another_document_asks_for_an_anchor_of_this_one) {
    static const schema_case cases[] = {
        {"{'$id': 'http://t/root', '$ref': 'list', '$defs': {'n': {'$dynamicAnchor': 'item', 'type': 'null'}}}", "[null]", true},
        {"{'$id': 'http://t/root', '$ref': 'list', '$defs': {'n': {'$dynamicAnchor': 'item', 'type': 'null'}}}", "[1]", false},
        {0}};
    weir_grammar_options options = WEIR_GRAMMAR_OPTIONS_INIT;
    options.resolve = answer;
    schema_expect(cases, &options);
}

TEST(schema_dynamic, circles_in_place_are_met_through_dynamic_references_too) {
    static const schema_case cases[] = {
        {"{'$dynamicAnchor': 'x', 'anyOf': [{'type': 'string'}, {'$dynamicRef': '#x'}]}", "'a'", true},
        {"{'$dynamicAnchor': 'x', 'anyOf': [{'type': 'string'}, {'$dynamicRef': '#x'}]}", "1", false},
        {"{'anyOf': [true, {'$ref': '#'}], '$dynamicRef': '#n', '$defs': {'n': {'$dynamicAnchor': 'n', 'type': 'null'}}}", "1", false},
        {"{'anyOf': [true, {'$ref': '#'}], '$dynamicRef': '#n', '$defs': {'n': {'$dynamicAnchor': 'n', 'type': 'null'}}}", "null", true},
        {0}};
    schema_expect(cases, NULL);
    schema_expect_refused("{'$dynamicAnchor': 'x', '$dynamicRef': '#x'}", "", "applies to itself in place");
}

TEST(schema_dynamic, each_keyword_is_reported_once_however_many_scopes_read_it) {
    EXPECT_EQ(schema_reports(lists, "$dynamicRef", WEIR_KEYWORD_ENFORCED), 1);
    EXPECT_EQ(schema_reports(lists, "items", WEIR_KEYWORD_ENFORCED), 1);
    schema_expect_refused("{'items': {'$dynamicRef': 1}}", "/items/$dynamicRef", "must be a string");
}

/* How many records and scopes a schema has. */
static void count(const char *text, uint32_t *schemas, uint32_t *scopes) {
    session s;
    session_start(&s, NULL);
    ASSERT_TRUE(session_open_text(&s, text, 9));
    if (setjmp(s.c.exit) != 0) FAIL("%s", s.error.message);
    const schema_set *set = schema_set_new(&s.c, s.root);
    *schemas = set->items.count;
    *scopes = set->scopes.count;
    session_end(&s);
}

TEST(schema_dynamic, without_a_dynamic_reference_there_is_one_scope) {
    uint32_t schemas, scopes;
    count("{'$id': 'http://t/r', '$dynamicAnchor': 'x', 'items': {'$ref': '#x'}, 'not': {'$id': 'q', '$dynamicAnchor': 'x', 'items': {'$ref': 'r#x'}}}", &schemas, &scopes);
    EXPECT_EQ(schemas, 4);
    EXPECT_EQ(scopes, 0);
    count(lists, &schemas, &scopes);
    EXPECT_EQ(scopes, 4); /* before all, in numbers, in texts, in list */
}
