/* fuzz_pattern.c - any text as a regular expression, in each of the places where a schema has one.
 *
 * Input: a byte of options, a byte that says where, the pattern up to a NUL or the end, then the bytes of a walk. */
#include "fuzz.h"
#include "json.h"

enum { LONGEST = 400 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const char *const frames[][2] = {
        {"{\"type\":\"string\",\"pattern\":", "}"},
        {"{\"type\":\"string\",\"maxLength\":5,\"not\":{\"pattern\":", "}}"},
        {"{\"type\":\"object\",\"patternProperties\":{", ":{\"type\":\"null\"}}}"},
        {"{\"type\":\"object\",\"minProperties\":1,\"maxProperties\":2,\"propertyNames\":{\"pattern\":", "}}"},
        {"{\"type\":\"string\",\"anyOf\":[{\"maxLength\":2},{\"pattern\":\"^a*b\"},{\"pattern\":", "}]}"},
    };
    char schema[6 * LONGEST + 200];
    if (size < 3 || size > LONGEST) return 0;
    const uint8_t *end = memchr(data + 2, 0, size - 2);
    size_t length = end != NULL ? (size_t)(end - data - 2) : size - 2;
    const char *const *frame = frames[data[1] % (sizeof frames / sizeof *frames)];
    size_t used = strlen(frame[0]);
    memcpy(schema, frame[0], used);
    used += json_quote((const char *)data + 2, length, schema + used, 6 * LONGEST + 2);
    memcpy(schema + used, frame[1], strlen(frame[1]));
    used += strlen(frame[1]);
    fuzz_input in = {data + 2 + length, size - 2 - length};
    weir_grammar_options options = fuzz_options(data[0]);
    options.work_limit /= 4; /* most patterns are small or far too large */
    weir_grammar *grammar = fuzz_compile(fuzz_vocab(), schema, used, &options);
    if (grammar != NULL) fuzz_walk(grammar, &in, true);
    weir_grammar_destroy(grammar);
    return 0;
}
