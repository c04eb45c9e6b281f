/* vocab_load.h - what the readers of vocabulary files share: a draft of the tokens, and the text of a file. */
#ifndef WEIR_HOST_VOCAB_LOAD_H
#define WEIR_HOST_VOCAB_LOAD_H

#include "json.h"
#include "vocab.h"

/* Bounds on what a file may claim; every real vocabulary is far below them. */
#define VOCAB_TOKEN_LIMIT  (1u << 21) /* token ids and columns of logits */
#define VOCAB_LENGTH_LIMIT 65535u     /* bytes of one token */
#define VOCAB_BYTES_LIMIT  (1u << 23) /* bytes of all tokens together; 200,000 tokens have 1.3 MB */
#define VOCAB_BEHIND_LIMIT (1u << 24) /* bytes of the texts behind each quote (") of each token; they have some 100,000 */
#define VOCAB_FILE_LIMIT   ((size_t)128 << 20)
#define VOCAB_GGUF_LIMIT   ((size_t)64 << 20)  /* of a model in GGUF form, the vocabulary stands in front */
#define VOCAB_MEMORY_LIMIT ((size_t)320 << 20) /* what is read and the draft of it, together */

/* Tokens while they are collected; everything in it lives in the arena. Ids without a token have VOCAB_HOLE. */
typedef struct vocab_draft {
    arena *arena;
    weir_token *tokens;
    uint32_t count; /* highest id + 1 */
    uint32_t capacity;
    uint32_t vocab_size;  /* as a file says, 0: not said */
    bool added_is_plain;  /* what a companion says of an added token replaces what the vocabulary says */
    uint32_t *stop_ids;
    uint32_t stop_count, stop_capacity;
} vocab_draft;

/* Sets what an id writes, whatever it was before; `bytes` is borrowed. The id must be below VOCAB_TOKEN_LIMIT. */
weir_status vocab_draft_set(vocab_draft *draft, uint32_t id, const void *bytes, uint32_t length, uint32_t flags);
bool vocab_draft_has(const vocab_draft *draft, uint32_t id);
/* One stop id more. */
weir_status vocab_draft_add_stop(vocab_draft *draft, uint32_t id, weir_error *error);

/* The readers: text or tree -> draft. Messages say the place, not the file's name. */
weir_status vocab_read_tiktoken(const uint8_t *text, size_t length, vocab_draft *draft, weir_error *error);
weir_status vocab_read_huggingface(const json *root, vocab_draft *draft, weir_error *error);
/* vocab.json: {text: id}, and nothing on how texts become bytes. What no companion explained is refused at the end. */
bool vocab_is_pairs(const json *root);
weir_status vocab_read_pairs(const json *root, vocab_draft *draft, weir_error *error);
weir_status vocab_check_pairs(const json *root, const vocab_draft *draft, weir_error *error);
weir_status vocab_read_sentencepiece(const uint8_t *text, size_t length, vocab_draft *draft, weir_error *error);
weir_status vocab_read_gguf(const uint8_t *text, size_t length, vocab_draft *draft, weir_error *error);
/* A companion, after the tokens: NAME.meta.json, tokenizer_config.json, special_tokens_map.json or
 * generation_config.json. Special tokens, vocabulary size, and stop ids, which are added to those of the draft. */
weir_status vocab_read_meta(const json *root, vocab_draft *draft, weir_error *error);
/* A member of `object` that must be a token id. */
weir_status vocab_read_id(const json *value, const json *holder, const char *what, uint32_t *id, weir_error *error);

/* A file's bytes, decompressed where they were gzip. */
typedef struct vocab_text {
    uint8_t *bytes;
    size_t length, capacity;
} vocab_text;

/* WEIR_ERROR_FILE; *missing (may be NULL) says that there is no such file. Free with vocab_text_free. */
weir_status vocab_text_read(const weir_allocator *allocator, const char *path, vocab_text *out, bool *missing,
                            weir_error *error);
weir_status vocab_text_copy(const weir_allocator *allocator, const void *bytes, size_t length, vocab_text *out,
                            weir_error *error);
void vocab_text_free(const weir_allocator *allocator, vocab_text *text);

/* The options with what an older or newer caller leaves out filled in. */
weir_status vocab_options_read(const weir_vocab_options *options, weir_vocab_options *out, weir_error *error);
/* The one way to make a vocabulary. Tokens may have VOCAB_HOLE; options are read ones; default_width and the stop ids
 * hold where the options say nothing. */
weir_status vocab_build(const weir_token *tokens, uint32_t token_count, uint32_t default_width,
                        const uint32_t *stop_ids, uint32_t stop_count, const weir_vocab_options *options,
                        weir_vocab **out, weir_error *error);

#endif
