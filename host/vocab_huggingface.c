/* vocab_huggingface.c - a Hugging Face tokenizer.json in, a draft of the tokens out. */
#include "vocab_load.h"

weir_status vocab_read_huggingface(const json *root, vocab_draft *draft, weir_error *error)
{
    (void)draft;
    return fail_at_byte(error, WEIR_ERROR_VOCAB, root->byte, "tokenizer.json is not read yet");
}
