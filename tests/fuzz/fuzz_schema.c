/* fuzz_schema.c - any bytes as a JSON Schema: refused with a place and a sentence, or a grammar that keeps its promises and
 * that can be saved and loaded.
 *
 * Input: a byte of options, the schema up to a NUL or the end, then the bytes of a walk. */
#include "fuzz.h"

static void save_and_load(const weir_grammar *grammar, fuzz_input *in) {
    weir_grammar *loaded;
    size_t length, again;
    const void *tables = weir_grammar_tables(grammar, &length);
    CHECK(weir_grammar_load(weir_grammar_vocab(grammar), tables, length, NULL, &loaded, NULL) == WEIR_OK);
    CHECK(memcmp(weir_grammar_tables(loaded, &again), tables, length) == 0 && again == length);
    fuzz_walk(loaded, in, true);
    weir_grammar_destroy(loaded);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 2 || size > 8192) return 0;
    const uint8_t *end = memchr(data + 1, 0, size - 1);
    size_t length = end != NULL ? (size_t)(end - data - 1) : size - 1;
    fuzz_input in = {data + 1 + length, size - 1 - length};
    weir_grammar_options options = fuzz_options(data[0]);
    weir_grammar *grammar = fuzz_compile(fuzz_vocab(), (const char *)data + 1, length, &options);
    if (grammar == NULL) return 0;
    for (uint32_t i = 0; i < weir_grammar_report_count(grammar); i++) {
        const weir_keyword_report *r = weir_grammar_report(grammar, i);
        CHECK(r->pointer != NULL && r->keyword != NULL && r->why != NULL);
    }
    if (length % 2 == 0) {
        fuzz_walk(grammar, &in, true);
    } else {
        save_and_load(grammar, &in);
    }
    weir_grammar_destroy(grammar);
    return 0;
}
