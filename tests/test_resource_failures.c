/* test_resource_failures.c - what fails and where, and what large and hostile schemas cost. */
#include "resource_session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- failures --------------------------------------------------------------------------------------------------- */

TEST(resource, a_reference_that_leads_nowhere_fails_at_its_place) {
    static const struct {
        const char *reference, *message;
    } cases[] = {
        {"#/properties/z", "the reference \"#/properties/z\" leads to no schema in this document"},
        {"#/required", "the reference \"#/required\" leads to a value that is no schema in this document"},
        {"#/required/0", "a value that is no schema"},
        {"#/required/00", "leads to no schema"},
        {"#/required/-", "leads to no schema"},
        {"#/properties/a~2", "leads to no schema"},
        {"#/properties/a~", "leads to no schema"},
        {"#name", "the reference \"#name\" leads to no schema in this document"},
        {"in#/z", "leads to no schema in \"http://a/in\", the schema with its own identifier at /$defs/i"},
        {"other#/x", "the reference \"other#/x\" leads to \"http://a/other\", which options.resolve does not know"},
        {"known#/z", "the reference \"known#/z\" leads to no schema in \"http://a/known\""},
        {"broken", "\"http://a/broken\" is not JSON: found "},
        {"empty", "\"http://a/empty\" is not JSON: found the end of the text"},
        {"number", "the reference \"number\" leads to a value that is no schema"},
    };
    static const document documents[] = {{"http://a/known", "{}"},
                                         {"http://a/broken", "{\"a\": [1,]}"},
                                         {"http://a/empty", ""},
                                         {"http://a/number", "1"},
                                         {NULL, NULL}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        session s;
        char text[512];
        snprintf(text, sizeof text,
                 "{'$id': 'http://a/b', '$defs': {'i': {'$id': 'in'}}, 'required': ['a'],"
                 " 'properties': {'a~': {}, 'a': {'$ref': '%s'}}}",
                 cases[i].reference);
        test_context("%s", cases[i].reference);
        session_open(&s, text, 9);
        s.documents = documents;
        EXPECT_STREQ(session_target(&s, "/properties/a/$ref"), "?");
        EXPECT_EQ(s.error.status, WEIR_ERROR_SCHEMA);
        EXPECT_STREQ(s.error.pointer, "/properties/a/$ref");
        EXPECT_EQ(s.error.byte, strlen(text) - strlen(cases[i].reference) - 5);
        EXPECT_CONTAINS(s.error.message, cases[i].message);
        session_end(&s);
    }
    test_context(NULL);
}

TEST(resource, a_failure_in_another_document_names_it) {
    static const document documents[] = {{"http://a/x", "{\"not\": {\"$ref\": \"#/z\"}, \"items\": {\"$ref\": \"y\"}}"},
                                         {NULL, NULL}};
    session s;
    session_open(&s, "{'$ref': 'http://a/x'}", 9);
    s.documents = documents;
    const json *there = session_resolve(&s, session_at(s.root, "/$ref"));
    EXPECT_NULL(session_resolve(&s, session_at(there, "/not/$ref")));
    EXPECT_STREQ(s.error.pointer, "/not/$ref");
    EXPECT_STREQ(s.error.message, "in \"http://a/x\": the reference \"#/z\" leads to no schema in \"http://a/x\"");
    EXPECT_NULL(session_resolve(&s, session_at(there, "/items/$ref")));
    EXPECT_STREQ(s.error.message,
                 "in \"http://a/x\": the reference \"y\" leads to \"http://a/y\", which options.resolve does not know");
    session_end(&s);
}

TEST(resource, without_a_resolver_only_references_that_need_one_fail) {
    session s;
    session_start(&s, NULL);
    s.c.options.resolve = NULL;
    ASSERT_TRUE(session_open_text(
        &s, "{'not': {'$ref': 'http://a/b'}, 'items': {'$ref': 'http://json-schema.org/draft-04/schema#'}}", 9));
    EXPECT_STREQ(session_target(&s, "/items/$ref"), "http://json-schema.org/draft-04/schema#");
    EXPECT_STREQ(session_target(&s, "/not/$ref"), "?");
    EXPECT_STREQ(s.error.message,
                 "\"http://a/b\" leads outside this document, to \"http://a/b\", and options.resolve is not set");
    session_end(&s);
}

TEST(resource, a_long_identifier_is_cut_between_characters) {
    session s;
    char text[600] = "{'$ref': '#/", *to = text + strlen(text);
    for (int i = 0; i < 100; i++) to += sprintf(to, "\xe4\xb8\xad");
    strcpy(to, "'}");
    session_open(&s, text, 9);
    EXPECT_STREQ(session_target(&s, "/$ref"), "?");
    EXPECT_CONTAINS(s.error.message, "\xe4\xb8\xad\" leads to no schema");
    session_end(&s);
}

TEST(resource, every_failing_allocation_is_reported) {
    static const document documents[] = {{"http://a/x", "{\"$defs\": {\"a\": {\"$anchor\": \"b\"}}}"}, {NULL, NULL}};
    test_memory *memory = test_memory_create();
    weir_allocator allocator = test_allocator(memory);
    while (test_next_failure(memory)) {
        session s;
        const json *root = NULL, *target = NULL;
        const char *text = "{\"$ref\": \"http://a/x#b\", \"$defs\": {\"a\": {\"$id\": \"http://a/c\"}}}";
        session_start(&s, &allocator);
        s.documents = documents;
        bool done = json_parse(text, strlen(text), NULL, &s.c.arena, &root, &s.error) == WEIR_OK &&
                    session_open_root(&s, root, 9);
        if (done) target = session_resolve(&s, session_at(root, "/$ref"));
        EXPECT_EQ(target == NULL, memory->failed);
        if (target == NULL) EXPECT_EQ(s.error.status, WEIR_ERROR_MEMORY);
        session_end(&s);
    }
}

/* --- size ------------------------------------------------------------------------------------------------------- */

/* `count` definitions, each referring to the next by pointer and by anchor. */
static char *many_definitions(uint32_t count) {
    char *text = malloc(100 * (size_t)count + 100), *to = text;
    to += sprintf(to, "{\"$defs\": {\"d0\": {}");
    for (uint32_t i = 1; i <= count; i++) {
        to += sprintf(to, ", \"d%u\": {\"$anchor\": \"a%u\", \"$ref\": \"%s%u\"}", i, i, i % 2 ? "#/$defs/d" : "#a",
                      i % count + 1);
    }
    strcpy(to, "}}");
    return text;
}

TEST(resource, work_grows_with_the_length_of_the_schema_and_not_with_its_square) {
    uint64_t work[2];
    for (uint32_t k = 0; k < 2; k++) {
        session s;
        char *text = many_definitions(k == 0 ? 2000 : 20000);
        session_open(&s, text, 9);
        for (const json *m = json_get(s.root, "$defs")->child->next; m != NULL; m = m->next) {
            if (session_resolve(&s, json_get(m, "$ref")) == NULL) FAIL("%s", s.error.message);
        }
        work[k] = s.c.work;
        free(text);
        session_end(&s);
    }
    EXPECT_LT(work[1], 15 * work[0]);
}

TEST(resource, identifiers_that_multiply_the_length_of_the_schema_meet_the_budget) {
    session s;
    const uint32_t base = 1 << 20, count = 20000;
    char *text = malloc(base + 40 * (size_t)count), *to = text;
    to += sprintf(to, "{\"$id\": \"http://a/");
    memset(to, 'x', base);
    to += base;
    to += sprintf(to, "/\", \"allOf\": [{}");
    for (uint32_t i = 0; i < count; i++) to += sprintf(to, ", {\"$id\": \"i%u\"}", i);
    strcpy(to, "]}");
    session_start(&s, NULL);
    EXPECT_FALSE(session_open_text(&s, text, 9));
    EXPECT_EQ(s.error.status, WEIR_ERROR_LIMIT);
    free(text);
    session_end(&s);
}
