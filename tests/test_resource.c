/* test_resource.c - identifiers, anchors, drafts and other documents: where references lead. */
#include "resource_session.h"

#include <stdio.h>
#include <string.h>

/* --- identifiers ------------------------------------------------------------------------------------------------ */

TEST(resource, an_identifier_of_another_draft_is_an_unknown_keyword) {
    session s;
    session_open(
        &s, "{'id': 'http://a/b', 'items': {'id': 'c', '$anchor': 'x', '$ref': '#/items'}, 'not': {'$ref': 'c'}}", 9);
    EXPECT_STREQ(session_target(&s, "/items/$ref"), "/items");
    EXPECT_STREQ(session_target(&s, "/not/$ref"), "?");
    session_end(&s);
    session_open(
        &s, "{'$id': 'http://a/b', 'items': {'$anchor': 'x'}, 'not': {'$ref': '#x'}, 'allOf': [{'$ref': 'c'}]}", 7);
    EXPECT_STREQ(session_target(&s, "/not/$ref"), "?");
    EXPECT_CONTAINS(s.error.message, "\"#x\" leads to no schema");
    EXPECT_STREQ(session_target(&s, "/allOf/0/$ref"), "?");
    EXPECT_CONTAINS(s.error.message, "\"http://a/c\"");
    session_end(&s);
}

TEST(resource, a_pointer_or_nothing_behind_the_number_sign_of_an_identifier_is_no_name) {
    session s;
    session_open(&s,
                 "{'$id': '#', 'properties': {'a': {'$id': '#/properties/a', 'type': 'null'},"
                 " 'b': {'$id': '#/properties/a', 'type': 'string'}, 'c': {'$id': '', '$ref': '#/properties/a'}}}",
                 9);
    EXPECT_STREQ(session_target(&s, "/properties/c/$ref"), "/properties/a");
    session_end(&s);
}

TEST(resource, an_anchor_may_be_written_as_a_whole_uri_up_to_draft_7) {
    session s;
    session_open(&s,
                 "{'$id': 'http://a/b', 'definitions': {'c': {'$id': 'http://a/b#c', 'items': {'$ref': '#d'}},"
                 " 'd': {'$id': 'e#d', 'not': {'$ref': '#/not'}}, 'f': {'$id': '#d'}},"
                 " 'allOf': [{'$ref': '#c'}, {'$ref': 'e#d'}, {'$ref': '#d'}]}",
                 7);
    EXPECT_STREQ(session_target(&s, "/allOf/0/$ref"), "/definitions/c");
    EXPECT_STREQ(session_target(&s, "/allOf/1/$ref"), "/definitions/d");
    EXPECT_STREQ(session_target(&s, "/allOf/2/$ref"), "/definitions/f");
    EXPECT_STREQ(session_target(&s, "/definitions/c/items/$ref"), "/definitions/f");
    EXPECT_STREQ(session_target(&s, "/definitions/d/not/$ref"), "/definitions/d/not");
    session_end(&s);
}

TEST(resource, an_anchor_written_as_a_uri_is_percent_decoded) {
    session s;
    session_open(&s, "{'$id': '#a%20%C3%A9', 'items': {'$ref': '#a%20\xc3\xa9'}}", 7);
    EXPECT_STREQ(session_target(&s, "/items/$ref"), "");
    session_end(&s);
}

/* The keywords that hold schemas, by draft, as the drafts' metaschemas list them. */
static const struct {
    uint8_t draft;
    const char *schemas, *lists, *maps;
} holders[] = {
    {4, "additionalItems items additionalProperties not", "items allOf anyOf oneOf",
     "definitions properties patternProperties dependencies"},
    {6, "additionalItems items contains additionalProperties propertyNames not", "items allOf anyOf oneOf",
     "definitions properties patternProperties dependencies"},
    {7, "additionalItems items contains additionalProperties propertyNames if then else not", "items allOf anyOf oneOf",
     "definitions properties patternProperties dependencies"},
    {8,
     "additionalItems unevaluatedItems items contains additionalProperties unevaluatedProperties propertyNames if then"
     " else not contentSchema",
     "items allOf anyOf oneOf", "$defs definitions properties patternProperties dependentSchemas dependencies"},
    {9,
     "unevaluatedItems items contains additionalProperties unevaluatedProperties propertyNames if then else not"
     " contentSchema",
     "prefixItems allOf anyOf oneOf", "$defs definitions properties patternProperties dependentSchemas dependencies"}};

static void expect_held(uint8_t draft, const char *keyword, const char *form, const char *place, bool held) {
    session s;
    char schema[256], value[128];
    const char *name = draft == 4 ? "'id': '#x'" : draft < 8 ? "'$id': '#x'" : "'$anchor': 'x'";
    snprintf(value, sizeof value, form, name);
    snprintf(schema, sizeof schema, "{'custom': {'$ref': '#x'}, '%s': %s}", keyword, value);
    test_context("draft %d, %s", draft, schema);
    session_open(&s, schema, draft);
    snprintf(value, sizeof value, "/%s%s", keyword, place);
    EXPECT_STREQ(session_target(&s, "/custom/$ref"), held ? value : "?");
    session_end(&s);
    test_context(NULL);
}

static bool has_word(const char *words, const char *word) {
    size_t length = strlen(word);
    for (const char *at = strstr(words, word); at != NULL; at = strstr(at + 1, word)) {
        if ((at == words || at[-1] == ' ') && (at[length] == ' ' || at[length] == '\0')) return true;
    }
    return false;
}

TEST(resource, identifiers_count_under_the_keywords_of_the_draft_that_hold_schemas) {
    static const char *const keywords[] = {"additionalItems",
                                           "additionalProperties",
                                           "allOf",
                                           "anyOf",
                                           "const",
                                           "contains",
                                           "contentSchema",
                                           "custom2",
                                           "default",
                                           "definitions",
                                           "$defs",
                                           "dependencies",
                                           "dependentRequired",
                                           "dependentSchemas",
                                           "else",
                                           "enum",
                                           "examples",
                                           "extends",
                                           "if",
                                           "items",
                                           "not",
                                           "oneOf",
                                           "patternProperties",
                                           "prefixItems",
                                           "properties",
                                           "propertyNames",
                                           "then",
                                           "unevaluatedItems",
                                           "unevaluatedProperties"};
    for (size_t d = 0; d < sizeof holders / sizeof *holders; d++) {
        for (size_t i = 0; i < sizeof keywords / sizeof *keywords; i++) {
            const char *k = keywords[i];
            expect_held(holders[d].draft, k, "{%s}", "", has_word(holders[d].schemas, k));
            expect_held(holders[d].draft, k, "{'a': {%s}}", "/a", has_word(holders[d].maps, k));
            if (strcmp(k, "items") == 0 && holders[d].draft == 9) continue; /* an error of another pass */
            expect_held(holders[d].draft, k, "[true, {%s}]", "/1", has_word(holders[d].lists, k));
        }
    }
}

TEST(resource, the_draft_is_that_of_the_innermost_schema_keyword) {
    session s;
    session_open(
        &s,
        "{'$schema': 'https://other.example/dialect', 'items': {'$schema': 'http://json-schema.org/draft-04/schema',"
        " 'not': {'id': 'http://a/b', 'not': {}}, 'custom': {'$schema': 'http://json-schema.org/draft-06/schema#'}},"
        " '$defs': {'a': {'$schema': 'https://json-schema.org/draft/2019-09/schema#'}, 'b': true}}",
        9);
    EXPECT_EQ(session_draft(&s, ""), 9);
    EXPECT_EQ(session_draft(&s, "/items"), 4);
    EXPECT_EQ(session_draft(&s, "/items/not/not"), 4);
    EXPECT_EQ(session_draft(&s, "/items/custom"), 4); /* no schema position */
    EXPECT_EQ(session_draft(&s, "/$defs/a"), 8);
    EXPECT_EQ(session_draft(&s, "/$defs/b"), 9);
    session_end(&s);
}

TEST(resource, a_schema_that_only_changes_the_draft_shares_pointers_and_anchors_with_what_is_around_it) {
    session s;
    session_open(&s,
                 "{'$id': 'http://a/b', '$anchor': 'top', 'properties': {'a': {'$schema':"
                 " 'https://json-schema.org/draft/2019-09/schema', '$anchor': 'in', 'not': {'$ref': '#/properties/a'},"
                 " 'items': {'$ref': '#top'}}}, 'not': {'$ref': '#in'}}",
                 9);
    EXPECT_STREQ(session_target(&s, "/properties/a/not/$ref"), "/properties/a");
    EXPECT_STREQ(session_target(&s, "/properties/a/items/$ref"), "");
    EXPECT_STREQ(session_target(&s, "/not/$ref"), "/properties/a");
    const json *inner = session_at(s.root, "/properties/a");
    EXPECT_NE(resource_of(&s.c, inner), resource_of(&s.c, s.root));
    EXPECT_TRUE(resource_root(&s.c, resource_of(&s.c, inner)) == s.root);
    session_end(&s);
}

TEST(resource, pointers_in_a_draft_4_schema_inside_a_later_one_may_mean_the_later_ones_root) {
    session s;
    session_open(&s,
                 "{'definitions': {'a': {'$schema': 'http://json-schema.org/draft-04/schema', 'id': 'a', "
                 "'definitions': {'b': {}},"
                 " 'allOf': [{'$ref': '#/definitions/a/definitions/b'}, {'$ref': '#/definitions/b'}, {'$ref': "
                 "'#/definitions/c'}]},"
                 " 'b': {}, 'd': {'$id': 'd', 'not': {'$ref': '#/definitions/b'}}}, 'not': {'$ref': 'a#/allOf/1'}}",
                 9);
    EXPECT_STREQ(session_target(&s, "/definitions/a/allOf/0/$ref"), "/definitions/a/definitions/b");
    EXPECT_STREQ(session_target(&s, "/definitions/a/allOf/1/$ref"), "/definitions/a/definitions/b");
    EXPECT_STREQ(session_target(&s, "/definitions/a/allOf/2/$ref"), "?");
    EXPECT_STREQ(session_target(&s, "/definitions/d/not/$ref"), "?");
    EXPECT_STREQ(session_target(&s, "/not/$ref"), "/definitions/a/allOf/1");
    session_end(&s);
}

TEST(resource, draft_3_is_refused_where_it_is_used) {
    session s;
    session_start(&s, NULL);
    EXPECT_FALSE(session_open_text(&s, "{'$schema': 'http://json-schema.org/draft-03/schema#'}", 9));
    EXPECT_STREQ(s.error.pointer, "/$schema");
    EXPECT_CONTAINS(s.error.message, "draft 3");
    session_end(&s);
    session_open(&s, "{'$defs': {'a': {'$schema': 'http://json-schema.org/draft-03/schema#', 'items': {}}}}", 9);
    EXPECT_EQ(session_draft(&s, ""), 9);
    EXPECT_EQ(session_draft(&s, "/$defs/a/items"), 0);
    EXPECT_STREQ(s.error.pointer, "/$defs/a/$schema");
    session_end(&s);
}

TEST(resource, two_schemas_with_one_identifier_fail_where_a_reference_asks_for_it) {
    session s;
    session_open(&s,
                 "{'$id': 'http://a/', '$defs': {'a': {'$id': 'x', 'type': 'null', 'not': {'$ref': '#/type'}},"
                 " 'b': {'$id': 'x', 'type': 'string', 'items': {'$ref': '#'}}, 'c': {'$anchor': 'n', 'type': 'null'},"
                 " 'd': {'$anchor': 'n', 'type': 'string'}}, 'not': {'$ref': 'x#/not'}, 'items': {'$ref': '#n'}}",
                 9);
    EXPECT_STREQ(session_target(&s, "/$defs/b/items/$ref"), "/$defs/b");
    EXPECT_STREQ(session_target(&s, "/not/$ref"), "?");
    EXPECT_EQ(s.error.status, WEIR_ERROR_SCHEMA);
    EXPECT_STREQ(s.error.pointer, "/not/$ref");
    EXPECT_STREQ(s.error.message,
                 "the identifier \"http://a/x\" names two different schemas, at /$defs/a and at /$defs/b");
    EXPECT_STREQ(session_target(&s, "/items/$ref"), "?");
    EXPECT_STREQ(s.error.message, "the identifier \"n\" names two different schemas, at /$defs/c and at /$defs/d");
    session_end(&s);
}

TEST(resource, equal_schemas_may_share_an_identifier) {
    session s;
    session_open(
        &s,
        "{'$defs': {'a': {'$id': 'http://a/x', 'type': 'null'}, 'b': {'$id': 'http://a/x', 'type': 'null'},"
        " 'c': {'$anchor': 'n'}, 'd': {'$anchor': 'n'}}, 'not': {'$ref': 'http://a/x'}, 'items': {'$ref': '#n'}}",
        9);
    EXPECT_STREQ(session_target(&s, "/not/$ref"), "/$defs/a");
    EXPECT_STREQ(session_target(&s, "/items/$ref"), "/$defs/c");
    session_end(&s);
}

TEST(resource, equal_schemas_of_different_drafts_may_not_share_an_identifier) {
    session s;
    session_open(&s,
                 "{'$defs': {'a': {'$id': 'http://a/x'}, 'b': {'$schema': 'http://json-schema.org/draft-07/schema',"
                 " 'not': {'$id': 'http://a/x'}}}, 'not': {'$ref': 'http://a/x'}}",
                 9);
    EXPECT_STREQ(session_target(&s, "/not/$ref"), "?");
    EXPECT_CONTAINS(s.error.message, "two different schemas, at /$defs/a and at /$defs/b/not");
    session_end(&s);
}

/* --- dynamic references ----------------------------------------------------------------------------------------- */

typedef struct dynamic {
    const json *target;
    bool is_dynamic;
    char name[16];
} dynamic;

static dynamic resolve_dynamic(session *s, const char *place, bool recursive) {
    dynamic d = {NULL, false, ""};
    const char *name = NULL;
    uint32_t length = 0;
    const json *reference = session_at(s->root, place);
    ASSERT_NOT_NULL(reference);
    d.target = resource_resolve_dynamic(&s->c, reference, recursive, &d.is_dynamic, &name, &length);
    snprintf(d.name, sizeof d.name, "%.*s", (int)length, name);
    return d;
}

TEST(resource, a_dynamic_reference_is_dynamic_only_through_the_name_of_a_dynamic_anchor) {
    session s;
    session_open(
        &s,
        "{'$defs': {'a': {'$dynamicAnchor': 'n'}, 'b': {'$anchor': 'p'}, 'c': {'$id': 'c', '$dynamicAnchor': 'n'}},"
        " 'allOf': [{'$dynamicRef': '#n'}, {'$dynamicRef': '#p'}, {'$dynamicRef': '#/$defs/a'}, {'$dynamicRef': 'c#n'},"
        " {'$dynamicRef': 'c'}]}",
        9);
    dynamic d = resolve_dynamic(&s, "/allOf/0/$dynamicRef", false);
    EXPECT_TRUE(d.target == session_at(s.root, "/$defs/a") && d.is_dynamic);
    EXPECT_STREQ(d.name, "n");
    d = resolve_dynamic(&s, "/allOf/1/$dynamicRef", false);
    EXPECT_TRUE(d.target == session_at(s.root, "/$defs/b") && !d.is_dynamic);
    d = resolve_dynamic(&s, "/allOf/2/$dynamicRef", false);
    EXPECT_TRUE(d.target == session_at(s.root, "/$defs/a") && !d.is_dynamic);
    d = resolve_dynamic(&s, "/allOf/3/$dynamicRef", false);
    EXPECT_TRUE(d.target == session_at(s.root, "/$defs/c") && d.is_dynamic);
    d = resolve_dynamic(&s, "/allOf/4/$dynamicRef", false);
    EXPECT_TRUE(d.target == session_at(s.root, "/$defs/c") && !d.is_dynamic);
    session_end(&s);
}

TEST(resource, an_anchor_may_be_plain_and_dynamic_at_once) {
    session s;
    session_open(&s, "{'not': {'$anchor': 'n', '$dynamicAnchor': 'n'}, 'items': {'$dynamicRef': '#n'}}", 9);
    EXPECT_TRUE(resolve_dynamic(&s, "/items/$dynamicRef", false).is_dynamic);
    session_end(&s);
}

TEST(resource, a_schema_that_only_changes_the_draft_has_the_dynamic_anchors_of_what_is_around_it) {
    session s;
    session_open(&s,
                 "{'not': {'$dynamicAnchor': 'n'}, 'items':"
                 " {'$schema': 'https://json-schema.org/draft/2019-09/schema', 'not': {}}}",
                 9);
    uint32_t inner = resource_of(&s.c, session_at(s.root, "/items/not"));
    EXPECT_NE(inner, 0);
    EXPECT_TRUE(resource_dynamic_anchor(&s.c, inner, "n", 1) == session_at(s.root, "/not"));
    EXPECT_TRUE(resource_has_dynamic_anchor(&s.c, inner));
    session_end(&s);
}

TEST(resource, a_dynamic_anchor_belongs_to_its_own_resource) {
    session s;
    session_open(&s,
                 "{'$id': 'http://a/b', '$defs': {'a': {'items': {'$dynamicAnchor': 'n'}}, 'b': {'$anchor': 'p'},"
                 " 'c': {'$id': 'c', '$anchor': 'n'}, 'd': {'$id': 'd', 'items': {'$dynamicAnchor': 'q'}}}}",
                 9);
    uint32_t root = resource_of(&s.c, s.root), c = resource_of(&s.c, session_at(s.root, "/$defs/c")),
             d = resource_of(&s.c, session_at(s.root, "/$defs/d/items"));
    EXPECT_EQ(root, 0);
    EXPECT_TRUE(resource_dynamic_anchor(&s.c, root, "n", 1) == session_at(s.root, "/$defs/a/items"));
    EXPECT_NULL(resource_dynamic_anchor(&s.c, root, "p", 1));
    EXPECT_NULL(resource_dynamic_anchor(&s.c, root, "q", 1));
    EXPECT_NULL(resource_dynamic_anchor(&s.c, c, "n", 1));
    EXPECT_TRUE(resource_dynamic_anchor(&s.c, d, "q", 1) == session_at(s.root, "/$defs/d/items"));
    EXPECT_TRUE(resource_has_dynamic_anchor(&s.c, root) && !resource_has_dynamic_anchor(&s.c, c));
    EXPECT_NULL(resource_dynamic_anchor(&s.c, root, "", 0));
    session_end(&s);
}

TEST(resource, a_recursive_reference_is_dynamic_where_the_root_has_a_recursive_anchor) {
    session s;
    session_open(&s,
                 "{'$recursiveAnchor': true, 'items': {'$recursiveRef': '#'}, 'contains': {'$recursiveRef': "
                 "'#/items'}, '$defs': {'a': {'$id': 'a', 'not':"
                 " {'$recursiveRef': '#', '$recursiveAnchor': true}}, 'b': {'$id': 'b', '$recursiveAnchor': true}}}",
                 8);
    dynamic d = resolve_dynamic(&s, "/items/$recursiveRef", true);
    EXPECT_TRUE(d.target == s.root && d.is_dynamic);
    EXPECT_STREQ(d.name, "");
    d = resolve_dynamic(&s, "/contains/$recursiveRef", true);
    EXPECT_TRUE(d.target == session_at(s.root, "/items") && !d.is_dynamic);
    d = resolve_dynamic(&s, "/$defs/a/not/$recursiveRef", true);
    EXPECT_TRUE(d.target == session_at(s.root, "/$defs/a") && !d.is_dynamic);
    uint32_t a = resource_of(&s.c, session_at(s.root, "/$defs/a")),
             b = resource_of(&s.c, session_at(s.root, "/$defs/b"));
    EXPECT_TRUE(resource_dynamic_anchor(&s.c, 0, "", 0) == s.root);
    EXPECT_NULL(resource_dynamic_anchor(&s.c, a, "", 0));
    EXPECT_TRUE(resource_dynamic_anchor(&s.c, b, "", 0) == session_at(s.root, "/$defs/b"));
    session_end(&s);
}

/* --- other documents -------------------------------------------------------------------------------------------- */

TEST(resource, a_document_is_asked_for_once) {
    static const document documents[] = {{"http://a/x", "{\"not\": {\"$ref\": \"y\"}, \"items\": {\"$id\": \"/in\"}}"},
                                         {"http://a/y", "{\"$id\": \"http://b/z\"}"},
                                         {NULL, NULL}};
    session s;
    session_open(
        &s,
        "{'$id': 'http://a/b', 'allOf': [{'$ref': 'x'}, {'$ref': 'x#/not'}, {'$ref': 'y'}, {'$ref': 'http://b/z'},"
        " {'$ref': 'in'}]}",
        9);
    s.documents = documents;
    EXPECT_STREQ(session_target(&s, "/allOf/0/$ref"), "http://a/x#");
    EXPECT_STREQ(session_target(&s, "/allOf/1/$ref"), "http://a/x#/not");
    EXPECT_EQ(s.asked, 1);
    EXPECT_STREQ(session_target(&s, "/allOf/2/$ref"), "http://a/y#");
    EXPECT_STREQ(session_target(&s, "/allOf/3/$ref"), "http://a/y#");
    EXPECT_STREQ(session_target(&s, "/allOf/4/$ref"), "http://a/x#/items");
    EXPECT_EQ(s.asked, 2);
    session_end(&s);
}

TEST(resource, a_document_found_under_two_uris_is_one_by_its_own_identifier) {
    static const document documents[] = {
        {"http://a/x", "{\"$id\": \"http://a/z\"}"}, {"http://a/y", "{\"$id\": \"http://a/z\"}"}, {NULL, NULL}};
    session s;
    session_open(&s, "{'allOf': [{'$ref': 'http://a/x'}, {'$ref': 'http://a/y'}, {'$ref': 'http://a/z'}]}", 9);
    s.documents = documents;
    const json *x = session_resolve(&s, session_at(s.root, "/allOf/0/$ref"));
    EXPECT_NOT_NULL(x);
    EXPECT_TRUE(x == session_resolve(&s, session_at(s.root, "/allOf/1/$ref")));
    EXPECT_TRUE(x == session_resolve(&s, session_at(s.root, "/allOf/2/$ref")));
    EXPECT_EQ(s.asked, 2);
    session_end(&s);
}

TEST(resource, a_document_without_a_draft_has_that_of_the_schema_that_refers_to_it) {
    static const document documents[] = {{"http://a/x", "{}"}, {"http://a/y", "{}"}, {NULL, NULL}};
    session s;
    session_open(&s,
                 "{'not': {'$ref': 'http://a/x'}, 'items': {'$schema': 'http://json-schema.org/draft-06/schema#',"
                 " 'not': {'$ref': 'http://a/y'}}}",
                 9);
    s.documents = documents;
    EXPECT_EQ(resource_draft(&s.c, resource_of(&s.c, session_resolve(&s, session_at(s.root, "/not/$ref")))), 9);
    EXPECT_EQ(resource_draft(&s.c, resource_of(&s.c, session_resolve(&s, session_at(s.root, "/items/not/$ref")))), 6);
    session_end(&s);
}

TEST(resource, metaschemas_are_built_in_and_the_schemas_own_documents_come_first) {
    session s;
    session_open(&s,
                 "{'properties': {'a': {'$ref': 'http://json-schema.org/draft-07/schema#/definitions/schemaArray'},"
                 " 'b': {'$ref': 'https://json-schema.org/draft/2020-12/schema'}}, '$defs':"
                 " {'a': {'$id': 'http://json-schema.org/draft-06/schema#'}}, 'not': {'$ref': "
                 "'http://json-schema.org/draft-06/schema'}}",
                 9);
    EXPECT_STREQ(session_target(&s, "/properties/a/$ref"),
                 "http://json-schema.org/draft-07/schema#/definitions/schemaArray");
    const json *schema = session_resolve(&s, session_at(s.root, "/properties/b/$ref"));
    ASSERT_NOT_NULL(schema);
    EXPECT_EQ(resource_draft(&s.c, resource_of(&s.c, schema)), 9);
    EXPECT_TRUE(json_string_is(json_get(session_resolve(&s, session_at(schema, "/allOf/1/$ref")), "$id"),
                               "https://json-schema.org/draft/2020-12/meta/applicator"));
    EXPECT_STREQ(session_target(&s, "/not/$ref"), "/$defs/a");
    EXPECT_EQ(s.asked, 0);
    session_end(&s);
}

TEST(resource, an_unused_metaschema_costs_nothing) {
    session s;
    session_open(&s, "{'$schema': 'https://json-schema.org/draft/2020-12/schema', 'not': {'$ref': '#'}}", 9);
    EXPECT_STREQ(session_target(&s, "/not/$ref"), "");
    EXPECT_LT(s.c.arena.total, 40000);
    EXPECT_EQ(s.asked, 0);
    session_end(&s);
}

TEST(resource, two_different_documents_with_one_identifier_are_told_apart_by_where_they_were_found) {
    static const document documents[] = {{"http://a/x", "{\"$id\": \"http://a/z\", \"not\": {}}"},
                                         {"http://a/y", "{\"$id\": \"http://a/z\", \"not\": true}"},
                                         {NULL, NULL}};
    session s;
    session_open(&s, "{'allOf': [{'$ref': 'http://a/x#/not'}, {'$ref': 'http://a/y#/not'}, {'$ref': 'http://a/z'}]}",
                 9);
    s.documents = documents;
    EXPECT_EQ(session_resolve(&s, session_at(s.root, "/allOf/0/$ref"))->kind, JSON_OBJECT);
    EXPECT_EQ(session_resolve(&s, session_at(s.root, "/allOf/1/$ref"))->kind, JSON_TRUE);
    EXPECT_STREQ(session_target(&s, "/allOf/2/$ref"), "?");
    EXPECT_STREQ(s.error.message, "the identifier \"http://a/z\" names two different schemas, at http://a/x# and at"
                                  " http://a/y#");
    session_end(&s);
}
