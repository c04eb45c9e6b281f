/* vocab_default.c - the embedded vocabulary: 4,096 byte-level BPE tokens of English, JSON and some other text, so that
 * everything runs without a download. scripts/train_vocab.py prints the table. */
#include "vocab_load.h"

static const weir_token default_tokens[] = {
#define TEXT(text)    {text, sizeof text - 1, 0},
#define SPECIAL(text) {text, sizeof text - 1, VOCAB_SPECIAL},
#include "vocab_default.inc"
#undef SPECIAL
#undef TEXT
};

weir_status weir_vocab_default(const weir_vocab_options *options, weir_vocab **out, weir_error *error) {
    const uint32_t token_count = sizeof default_tokens / sizeof *default_tokens;
    const uint32_t stop_id = token_count - 1; /* <|end|> */
    weir_vocab_options read;
    if (!out) return fail(error, WEIR_ERROR_ARGUMENT, "out is NULL; expected where to put the vocabulary");
    *out = NULL;
    TRY(vocab_options_read(options, &read, error));
    return vocab_build(default_tokens, token_count, token_count, &stop_id, 1, &read, out, error);
}
