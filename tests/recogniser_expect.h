/* recogniser_expect.h - what the tests of the recogniser share: verdicts on a marked text. */
#ifndef WEIR_TESTS_RECOGNISER_EXPECT_H
#define WEIR_TESTS_RECOGNISER_EXPECT_H

#include "recogniser.h"

/* Fails the test when the schema is not read. NULL options: the defaults. */
recogniser *open_schema(const char *schema, const recogniser_options *options);
/* `length` bytes of the text: alive or dead as said, and a completion exactly where it is alive. */
void expect_verdict(recogniser *r, const char *text, size_t length, recogniser_verdict expected);
/* The text is alive up to byte `at`, and dead with it; `at` equal to its length: alive throughout. */
void expect_dies(const char *schema, const recogniser_options *options, const char *text, size_t at);
/* `^` in the text stands before the byte that no completion survives; without one it is alive throughout. */
void dies(const char *schema, const char *marked);
void unsatisfiable(const char *schema);

#endif
