/* schema_cases.h - schemas and texts, written with ' for ", and whether a matcher takes the text. */
#ifndef WEIR_TESTS_SCHEMA_CASES_H
#define WEIR_TESTS_SCHEMA_CASES_H

#include "random_walk.h"

typedef struct schema_case {
    const char *schema, *text;
    bool accepted;
} schema_case;

/* Of a table that ends with a NULL schema: every text. options NULL: keys in any order, else the usual ones. */
void schema_expect(const schema_case *cases, const weir_grammar_options *options);
/* The compile fails with WEIR_ERROR_SCHEMA at this place, and the message has this in it. */
void schema_expect_refused(const char *schema, const char *pointer, const char *message);
/* The reports of a schema that say `fate` of this keyword. */
uint32_t schema_reports(const char *schema, const char *keyword, weir_keyword_fate fate);

#endif
