/* vocab_files.h - small vocabulary files made by hand: sentencepiece models and GGUF metadata. */
#ifndef WEIR_TESTS_VOCAB_FILES_H
#define WEIR_TESTS_VOCAB_FILES_H

#include "vocab_helpers.h"

typedef struct file_bytes {
    uint8_t bytes[8192];
    size_t length;
} file_bytes;

void append(file_bytes *file, const void *bytes, size_t length);
/* `size` bytes, the lowest first. */
void append_number(file_bytes *file, uint64_t number, uint32_t size);

/* Protobuf: a varint, and a field of bytes. */
void append_varint(file_bytes *file, uint64_t number);
void append_field(file_bytes *file, uint32_t number, const void *bytes, size_t length);

/* sentencepiece: a piece {1 text, 2 score, 3 type}; type 0: none is written. */
void append_piece(file_bytes *file, const char *text, uint32_t length, uint32_t type);
/* <unk> <s> </s> <0x0A> "▁the▁" "a" <0x41> (a text) "[u]" (user-defined) "old" (unused), and the trainer's settings. */
void small_model(file_bytes *file);

/* GGUF: a key and the type of its value, a string, and the header with a count of pairs. */
void append_key(file_bytes *file, const char *name, uint32_t type);
void append_string(file_bytes *file, const char *text);
void gguf_header(file_bytes *file, uint64_t pair_count);
/* tokenizer.ggml.NAME of a string, of a 32-bit number, and the arrays `tokens` and `token_type`. */
void append_text_pair(file_bytes *file, const char *name, const char *text);
void append_number_pair(file_bytes *file, const char *name, uint32_t number);
void append_tokens(file_bytes *file, const char *const *texts, const uint32_t *types, uint32_t count);
/* model "llama": <unk> </s> <0x0A> "▁a" "<e>" (control) [PAD5] [PAD6]; eos 1, eot 4. */
void small_gguf(file_bytes *file);

weir_status from_bytes(const file_bytes *file, const char *meta, const weir_vocab_options *options, weir_vocab **out,
                       weir_error *error);

#endif
