/* test_references.c - references lead where another implementation says.
 *
 * In: tests/data/references.jsonl (tests/references.py prints it and says what a line is), and for some lines the JSON
 * Schema Test Suite in $WEIR_DATA. Other documents are loaded as references lead to them, in the order of the line. */
#include "resource_session.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LOADED = 64 };

/* A document, by the URI that it was asked for with. */
typedef struct loaded {
    const char *uri;
    const json *root;
} loaded;

static void remember(session *s, const json *node, loaded *known, uint32_t *count) {
    const char *uri = resource_document(&s->c, node);
    while (node->parent != NULL) node = node->parent;
    for (uint32_t i = 0; i < *count; i++) {
        if (known[i].root == node) return;
    }
    ASSERT_LT(*count, LOADED);
    known[(*count)++] = (loaded){uri != NULL ? uri : "", node};
}

static const json *place_in(const loaded *known, uint32_t count, const json *uri, const json *pointer) {
    for (uint32_t i = 0; i < count; i++) {
        if (strcmp(known[i].uri, uri->text) == 0) return session_at(known[i].root, pointer->text);
    }
    return NULL;
}

static const json *item(const json *array, uint32_t index) {
    const json *i = array->child;
    while (index-- > 0) i = i->next;
    return i;
}

/* The target of a reference of any kind; *name stays NULL if it is not dynamic. */
static const json *target_of(session *s, const json *reference, const char **name, uint32_t *length) {
    bool dynamic = false, recursive = strcmp(reference->key, "$recursiveRef") == 0;
    if (setjmp(s->c.exit) != 0) return NULL;
    if (strcmp(reference->key, "$ref") == 0) return resource_resolve(&s->c, reference);
    const json *target = resource_resolve_dynamic(&s->c, reference, recursive, &dynamic, name, length);
    if (!dynamic) *name = NULL;
    return target;
}

/* One [document, pointer, target document, target pointer, dynamic]. */
static void check_reference(session *s, const json *line, loaded *known, uint32_t *count) {
    const json *expected = item(line, 3), *dynamic = item(line, 4), *draft = json_get(line->parent->parent, "draft");
    const json *reference = place_in(known, *count, item(line, 0), item(line, 1));
    const char *name = NULL;
    uint32_t length = 0;
    test_context("draft %s, %s#%s", draft->text, item(line, 0)->text, item(line, 1)->text);
    ASSERT_NOT_NULL(reference);
    const json *target = target_of(s, reference, &name, &length);
    if (expected->kind == JSON_NULL) {
        EXPECT_NULL(target);
    } else if (target == NULL) {
        ADD_FAILURE("%s", s->error.message);
    } else if (expected->kind != JSON_STRING) {
        EXPECT_EQ(target->kind, expected->kind);
    } else {
        remember(s, target, known, count);
        EXPECT_TRUE(target == place_in(known, *count, item(line, 2), expected));
        EXPECT_EQ(name != NULL, dynamic->kind == JSON_STRING);
        if (name != NULL) EXPECT_BYTES_EQ(name, length, dynamic->text, dynamic->length);
    }
}

/* Ends the test as skipped when a schema of the suite is wanted and not there. */
static const json *schema_of(session *s, const json *line) {
    const json *suite = json_get(line, "suite");
    if (suite == NULL) return json_get(line, "schema");
    char path[1100], relative[300];
    snprintf(relative, sizeof relative, "json-schema-test-suite/%s", suite->child->text);
    test_data(relative, path, sizeof path);
    size_t length;
    char *text = test_read_file(path, &length);
    const json *groups;
    ASSERT_OK(json_parse(text, length, NULL, &s->c.arena, &groups, &s->error), &s->error);
    free(text);
    uint64_t index;
    ASSERT_TRUE(json_uint(item(suite, 1), &index) && index < groups->count);
    return json_get(item(groups, (uint32_t)index), "schema");
}

static const document *documents_of(session *s, const json *line) {
    const json *given = json_get(line, "documents");
    if (given == NULL) return NULL;
    document *all = arena_allocate_zero(&s->c.arena, sizeof *all * (given->count + 1)), *next = all;
    for (const json *m = given->child; m != NULL; m = m->next) *next++ = (document){m->key, m->text};
    return all;
}

static uint32_t check_line(const char *text, size_t length, const char *folder) {
    session s;
    const json *line;
    loaded known[LOADED];
    uint32_t count = 0;
    session_start(&s, NULL);
    ASSERT_OK(json_parse(text, length, NULL, &s.c.arena, &line, &s.error), &s.error);
    uint8_t draft = (uint8_t)(json_get(line, "draft")->text[0] - '0');
    s.documents = documents_of(&s, line);
    s.folder = json_get(line, "suite") != NULL ? folder : NULL;
    if (!session_open_root(&s, schema_of(&s, line), draft)) FAIL("%s", s.error.message);
    known[count++] = (loaded){"", s.root};
    const json *references = json_get(line, "references");
    for (const json *r = references->child; r != NULL; r = r->next) check_reference(&s, r, known, &count);
    count = references->count;
    test_context(NULL);
    session_end(&s);
    return count;
}

static uint32_t check_lines(bool of_suite, const char *folder) {
    char path[1024];
    size_t length;
    char *text = test_read_file(test_source("tests/data/references.jsonl", path, sizeof path), &length);
    uint32_t checked = 0;
    for (char *line = text, *next; *line != '\0' && !test_has_failed(); line = next) {
        next = strchr(line, '\n') + 1;
        next[-1] = '\0';
        bool is_of_suite = strstr(line, "\"suite\": [") != NULL;
        if (is_of_suite == of_suite) checked += check_line(line, (size_t)(next - 1 - line), folder);
    }
    free(text);
    return checked;
}

TEST(references, lead_where_another_implementation_says) {
    EXPECT_GT(check_lines(false, NULL), 300);
}

TEST(references, of_the_test_suite_lead_where_another_implementation_says) {
    char folder[1024];
    test_data("json-schema-test-suite/LICENSE", folder, sizeof folder);
    strcpy(strrchr(folder, '/'), "/remotes");
    EXPECT_GT(check_lines(true, folder), 300);
}
