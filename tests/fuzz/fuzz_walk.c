/* fuzz_walk.c - bytes choose a schema, its options and the steps of a walk: the mask and accept agree, going back and copies
 * restore what was.
 *
 * Input: the schema, the options, the bytes of the walk. Both the small vocabulary and the embedded one are walked. */
#include "fuzz.h"

static const char *const schemas[] = {
    "true",
    "{\"type\":\"object\",\"properties\":{\"name\":{\"type\":\"string\"},\"age\":{\"type\":\"integer\",\"minimum\":0}},\"required\":[\"name\"]}",
    "{\"type\":\"array\",\"items\":{\"$ref\":\"#\"},\"maxItems\":3}",
    "{\"type\":\"array\",\"uniqueItems\":true,\"minItems\":2,\"items\":{\"type\":\"integer\",\"minimum\":0,\"maximum\":3}}",
    "{\"type\":\"array\",\"uniqueItems\":true,\"items\":{\"enum\":[1,1.5,\"a\",\"ab\",[1],{\"a\":1},null]}}",
    "{\"type\":\"string\",\"minLength\":2,\"maxLength\":5}",
    "{\"type\":\"string\",\"pattern\":\"^(ab|a)*c{2,4}$\"}",
    "{\"oneOf\":[{\"type\":\"integer\",\"minimum\":10},{\"type\":\"number\",\"maximum\":20.5}]}",
    "{\"anyOf\":[{\"required\":[\"a\"]},{\"required\":[\"b\"]}],\"type\":\"object\",\"properties\":{\"a\":{\"const\":1}},\"additionalProperties\":false}",
    "{\"type\":\"object\",\"patternProperties\":{\"^x\":{\"type\":\"boolean\"}},\"minProperties\":2,\"maxProperties\":3}",
    "{\"type\":\"object\",\"propertyNames\":{\"enum\":[\"a\",\"b\",\"c\"]},\"minProperties\":2}",
    "{\"if\":{\"properties\":{\"k\":{\"const\":\"v\"}}},\"then\":{\"required\":[\"w\"]},\"else\":{\"required\":[\"k\"]},\"type\":\"object\"}",
    "{\"type\":\"array\",\"contains\":{\"type\":\"null\"},\"minContains\":2,\"maxItems\":5}",
    "{\"prefixItems\":[{\"type\":\"boolean\"},{\"enum\":[\"one\",\"on\"]}],\"items\":false,\"minItems\":2,\"type\":\"array\"}",
    "{\"not\":{\"type\":[\"object\",\"array\",\"string\"]}}",
    "{\"enum\":[\"abc\",\"ab\\\"\",\"\\u00e9\",{\"a\":[1,2,{\"b\":null}]},-0.5,1e3]}",
    "{\"allOf\":[{\"properties\":{\"a\":{\"minLength\":1}}},{\"properties\":{\"a\":{\"maxLength\":2}},\"unevaluatedProperties\":false}],\"type\":\"object\"}",
    "{\"$defs\":{\"t\":{\"type\":\"object\",\"properties\":{\"l\":{\"$ref\":\"#/$defs/t\"},\"v\":{\"type\":\"null\"}},\"required\":[\"v\"]}},\"$ref\":\"#/$defs/t\"}",
    "{\"type\":\"object\",\"dependentRequired\":{\"a\":[\"b\",\"c\"]},\"properties\":{\"a\":{},\"b\":{},\"c\":{}}}",
    "false",
};
enum { SCHEMAS = sizeof schemas / sizeof *schemas, OPTIONS = 16 };

static const weir_vocab *embedded_vocab(void) {
    static weir_vocab *vocab;
    if (vocab == NULL) CHECK(weir_vocab_default(NULL, &vocab, NULL) == WEIR_OK);
    return vocab;
}

/* Compiled once each. */
static const weir_grammar *grammar_of(uint32_t which, uint32_t bits, bool embedded) {
    static weir_grammar *grammars[2][SCHEMAS][OPTIONS];
    weir_grammar **grammar = &grammars[embedded][which][bits];
    if (*grammar == NULL) {
        weir_grammar_options options = fuzz_options((uint8_t)bits);
        options.depth_limit = (bits & 1) != 0 ? 4 : 64; /* near the limit every token of a row is walked */
        *grammar = fuzz_compile(embedded ? embedded_vocab() : fuzz_vocab(), schemas[which], strlen(schemas[which]), &options);
        CHECK(*grammar != NULL);
    }
    return *grammar;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 3 || size > 1024) return 0;
    fuzz_input in = {data, size};
    uint32_t which = fuzz_byte(&in) % SCHEMAS, bits = fuzz_byte(&in);
    fuzz_walk(grammar_of(which, bits % OPTIONS, bits >= 224), &in, true); /* the embedded one is ten times as slow */
    return 0;
}
