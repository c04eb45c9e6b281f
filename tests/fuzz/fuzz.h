/* fuzz.h - what the fuzz targets share: a small vocabulary, budgets, a walk that checks what must always hold.
 *
 * Each fuzz_NAME.c defines LLVMFuzzerTestOneInput and becomes build/bin/fuzz-NAME, linked with common.c and libFuzzer;
 * tests/checks/fuzz builds and runs them. A finding is a crash, a sanitizer's report, a leak, an input beyond the time or
 * the memory that the check allows, or a CHECK that fails. Its file goes to corpus/NAME/ with the fix and stays there. */
#ifndef WEIR_TESTS_FUZZ_H
#define WEIR_TESTS_FUZZ_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "weir.h"

/* Ends the process: that is how libFuzzer learns of it. */
#define CHECK(condition)                                                                                               \
    do {                                                                                                               \
        if (!(condition)) {                                                                                            \
            fprintf(stderr, "%s:%d: CHECK failed: %s\n", __FILE__, __LINE__, #condition);                              \
            abort();                                                                                                   \
        }                                                                                                              \
    } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The input as numbers; zeros behind its end. */
typedef struct fuzz_input {
    const uint8_t *at;
    size_t left;
} fuzz_input;

uint8_t fuzz_byte(fuzz_input *in);
uint32_t fuzz_word(fuzz_input *in);
uint32_t fuzz_below(fuzz_input *in, uint32_t limit); /* limit > 0 */

/* Every byte, a few longer tokens of JSON, a stop token; made once and kept. */
const weir_vocab *fuzz_vocab(void);
/* A tenth of the default budgets, so that a sanitized build stays inside the check's time: 70 M units, 64 MB. */
weir_grammar_options fuzz_options(uint8_t bits);
/* NULL: refused, with an error that was checked. */
weir_grammar *fuzz_compile(const weir_vocab *vocab, const char *schema, size_t length, const weir_grammar_options *options);
/* Bytes choose tokens, rollbacks and clones. CHECKs: accept takes exactly what the mask allows; going back restores the mask;
 * a copy agrees. `sound`: the grammar was compiled, so every token that the mask allows can be followed to an end. */
void fuzz_walk(const weir_grammar *grammar, fuzz_input *in, bool sound);

#endif
