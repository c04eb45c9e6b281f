/* recogniser_expect.c - a schema and a text in, failed expectations out. */
#include "recogniser_expect.h"

#include <stdio.h>
#include <string.h>

#include "harness.h"

recogniser *open_schema(const char *schema, const recogniser_options *options) {
    char why[256] = "";
    recogniser *r = recogniser_create(schema, strlen(schema), options, why, sizeof why);
    if (!r) FAIL("%s: %s", schema, why);
    return r;
}

void expect_verdict(recogniser *r, const char *text, size_t length, recogniser_verdict expected) {
    size_t completed;
    recogniser_verdict found = recogniser_try(r, text, length);
    const char *completion = recogniser_completion(r, text, length, &completed);
    EXPECT_EQ(found, expected);
    if (expected == RECOGNISER_ALIVE && EXPECT_NOT_NULL(completion)) {
        EXPECT_BYTES_EQ(completion, length, text, length);
        EXPECT_TRUE(recogniser_validate(r, completion, completed));
    }
    if (expected == RECOGNISER_DEAD) EXPECT_NULL(completion);
}

void expect_dies(const char *schema, const recogniser_options *options, const char *text, size_t at) {
    recogniser *r = open_schema(schema, options);
    for (size_t length = 0; length <= strlen(text); length++) {
        test_context("%s: %.*s", schema, (int)length, text);
        expect_verdict(r, text, length, length > at ? RECOGNISER_DEAD : RECOGNISER_ALIVE);
    }
    test_context(NULL);
    recogniser_destroy(r);
}

void dies(const char *schema, const char *marked) {
    char text[512];
    const char *mark = strchr(marked, '^');
    size_t at = mark ? (size_t)(mark - marked) : strlen(marked);
    snprintf(text, sizeof text, "%.*s%s", (int)at, marked, mark ? mark + 1 : "");
    expect_dies(schema, NULL, text, at);
}

void unsatisfiable(const char *schema) {
    recogniser *r = open_schema(schema, NULL);
    test_context("%s", schema);
    expect_verdict(r, "", 0, RECOGNISER_DEAD);
    test_context(NULL);
    recogniser_destroy(r);
}
