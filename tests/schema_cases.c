/* schema_cases.c - each text byte by byte through a matcher of its schema. */
#include "schema_cases.h"

#include <stdlib.h>
#include <string.h>

static char *quoted(const char *text) {
    char *copy = calloc(strlen(text) + 1, 1);
    ASSERT_NOT_NULL(copy);
    for (size_t i = 0; i <= strlen(text); i++) copy[i] = text[i] == '\'' ? '"' : text[i];
    return copy;
}

static weir_status compile(const fixture *f, const char *schema, const weir_grammar_options *options,
                           weir_grammar **grammar, weir_error *error) {
    char *text = quoted(schema);
    *error = (weir_error){.byte = -1};
    weir_status status = weir_grammar_from_json_schema(f->vocab, text, strlen(text), options, grammar, error);
    free(text);
    return status;
}

static bool accepts(const fixture *f, const weir_grammar *grammar, const char *text) {
    weir_matcher *matcher;
    weir_error error;
    bool taken = true;
    char *bytes = quoted(text);
    ASSERT_OK(weir_matcher_create(grammar, NULL, &matcher, &error), &error);
    for (const char *c = bytes; *c != '\0' && taken; c++) {
        taken = weir_matcher_accept(matcher, f->byte_token[(uint8_t)*c], NULL) == WEIR_OK;
    }
    taken = taken && weir_matcher_is_accepting(matcher);
    weir_matcher_destroy(matcher);
    free(bytes);
    return taken;
}

void schema_expect(const schema_case *cases, const weir_grammar_options *given) {
    weir_grammar_options options = WEIR_GRAMMAR_OPTIONS_INIT;
    weir_grammar *grammar = NULL;
    weir_error error;
    fixture f;
    options.order = WEIR_ORDER_ANY;
    if (given != NULL) options = *given;
    walk_open(&f);
    for (const schema_case *at = cases; at->schema != NULL; at++) {
        test_context("%s on %s", at->text, at->schema);
        if (at == cases || at->schema != at[-1].schema) {
            weir_grammar_destroy(grammar);
            ASSERT_OK(compile(&f, at->schema, &options, &grammar, &error), &error);
        }
        EXPECT_EQ(accepts(&f, grammar, at->text), at->accepted);
    }
    weir_grammar_destroy(grammar);
    walk_close(&f);
}

void schema_expect_refused(const char *schema, const char *pointer, const char *message) {
    weir_grammar *grammar;
    weir_error error;
    fixture f;
    walk_open(&f);
    test_context("%s", schema);
    EXPECT_STATUS(compile(&f, schema, NULL, &grammar, &error), WEIR_ERROR_SCHEMA, &error);
    EXPECT_STREQ(error.pointer, pointer);
    EXPECT_CONTAINS(error.message, message);
    walk_close(&f);
}

uint32_t schema_reports(const char *schema, const char *keyword, weir_keyword_fate fate) {
    weir_grammar *grammar;
    weir_error error;
    fixture f;
    uint32_t found = 0;
    walk_open(&f);
    ASSERT_OK(compile(&f, schema, NULL, &grammar, &error), &error);
    for (uint32_t i = 0; i < weir_grammar_report_count(grammar); i++) {
        const weir_keyword_report *r = weir_grammar_report(grammar, i);
        found += r->fate == fate && strcmp(r->keyword, keyword) == 0;
    }
    weir_grammar_destroy(grammar);
    walk_close(&f);
    return found;
}
