/* fuzz_vocab.c - any bytes as a tokenizer: refused with a sentence, or a vocabulary whose parts agree and that a grammar can
 * be compiled for.
 *
 * Input: a byte of options, two bytes for the length of the meta file (0: none), the meta file, the tokenizer of whichever
 * kind it looks like. */
#include "fuzz.h"

static void check_vocab(const weir_vocab *vocab) {
    uint32_t count = weir_vocab_token_count(vocab), width = weir_vocab_logits_width(vocab), stops, total = 0, longest = 0;
    const uint32_t *stop_ids = weir_vocab_stop_ids(vocab, &stops);
    weir_vocab_report report;
    CHECK(weir_vocab_mask_words(vocab) == (width + 31) / 32);
    for (uint32_t i = 0; i < stops; i++) CHECK(stop_ids[i] < width && (i == 0 || stop_ids[i - 1] < stop_ids[i]));
    for (uint32_t token = 0; token < count; token++) {
        uint32_t length;
        const uint8_t *bytes = weir_vocab_token(vocab, token, &length);
        for (uint32_t i = 0; i < length; i++) total += bytes[i]; /* a sanitizer sees what is not there */
        if (!weir_vocab_is_special(vocab, token) && length > longest) longest = length;
    }
    weir_vocab_check(vocab, &report);
    CHECK(report.token_count == count && report.text_count + report.special_count + report.hole_count == count);
    CHECK(report.longest_token <= longest || total == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const char schema[] = "{\"type\":[\"object\",\"integer\"],\"properties\":{\"a\":{\"enum\":[\"one\",null]}},\"maxProperties\":2}";
    const uint32_t stop = 1;
    weir_vocab_options options = WEIR_VOCAB_OPTIONS_INIT;
    weir_vocab *vocab;
    weir_error error;
    if (size < 4 || size > 16384) return 0;
    fuzz_input in = {data, size};
    uint8_t bits = fuzz_byte(&in);
    size_t meta_length = fuzz_byte(&in);
    meta_length |= (size_t)fuzz_byte(&in) << 8;
    if (meta_length > in.left) meta_length = 0;
    if ((bits & 1) != 0) options.stop_ids = &stop, options.stop_count = 1;
    if ((bits & 2) != 0) options.logits_width = 1 + bits;
    const uint8_t *meta = meta_length != 0 ? in.at : NULL, *text = in.at + meta_length;
    weir_status status = weir_vocab_from_memory(text, in.left - meta_length, meta, meta_length, &options, &vocab, &error);
    if (status != WEIR_OK) {
        CHECK(vocab == NULL && error.status == status && error.message[0] != 0);
        return 0;
    }
    check_vocab(vocab);
    weir_grammar_options small = fuzz_options(bits >> 2);
    weir_grammar *grammar = fuzz_compile(vocab, schema, sizeof schema - 1, &small);
    if (grammar != NULL) fuzz_walk(grammar, &in, true);
    weir_grammar_destroy(grammar);
    weir_vocab_destroy(vocab);
    return 0;
}
