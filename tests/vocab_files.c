/* vocab_files.c - small vocabulary files made by hand: sentencepiece models and GGUF metadata. */
#include "vocab_files.h"

#include <string.h>

void append(file_bytes *file, const void *bytes, size_t length) {
    if (length > sizeof file->bytes - file->length) FAIL("a file made by hand is too long");
    memcpy(file->bytes + file->length, bytes, length);
    file->length += length;
}

void append_number(file_bytes *file, uint64_t number, uint32_t size) {
    uint8_t bytes[8];
    for (uint32_t i = 0; i < size; ++i) bytes[i] = (uint8_t)(number >> 8 * i);
    append(file, bytes, size);
}

void append_varint(file_bytes *file, uint64_t number) {
    for (; number > 127; number >>= 7) append_number(file, number % 128 + 128, 1);
    append_number(file, number, 1);
}

void append_field(file_bytes *file, uint32_t number, const void *bytes, size_t length) {
    append_varint(file, number << 3 | 2);
    append_varint(file, length);
    append(file, bytes, length);
}

void append_piece(file_bytes *file, const char *text, uint32_t length, uint32_t type) {
    static file_bytes piece;
    piece.length = 0;
    append_field(&piece, 1, text, length);
    append(&piece, "\x15\0\0\0\0", 5);
    if (type > 0) {
        append_varint(&piece, 3 << 3);
        append_varint(&piece, type);
    }
    append_field(file, 1, piece.bytes, piece.length);
}

void small_model(file_bytes *file) {
    static const struct {
        const char *text;
        uint32_t type;
    } pieces[] = {{"<unk>", 2}, {"<s>", 3},    {"</s>", 3}, {"<0x0A>", 6}, {"\xe2\x96\x81the\xe2\x96\x81", 0},
                  {"a", 1},     {"<0x41>", 1}, {"[u]", 4},  {"old", 5}};
    file->length = 0;
    for (uint32_t i = 0; i < COUNT(pieces); ++i)
        append_piece(file, pieces[i].text, (uint32_t)strlen(pieces[i].text), pieces[i].type);
    append_field(file, 2, "\x18\x02\xfa\x02\x04</s>", 9); /* 3: BPE; 47: the stop piece */
    append_field(file, 3, "\x0a\x08identity", 10);
}

void append_key(file_bytes *file, const char *name, uint32_t type) {
    char key[64] = "tokenizer.ggml.";
    strcat(key, name);
    append_string(file, key);
    append_number(file, type, 4);
}

void append_string(file_bytes *file, const char *text) {
    append_number(file, strlen(text), 8);
    append(file, text, strlen(text));
}

void gguf_header(file_bytes *file, uint64_t pair_count) {
    file->length = 0;
    append(file, "GGUF\3\0\0\0\0\0\0\0\0\0\0\0", 16);
    append_number(file, pair_count, 8);
}

void append_text_pair(file_bytes *file, const char *name, const char *text) {
    append_key(file, name, 8);
    append_string(file, text);
}

void append_number_pair(file_bytes *file, const char *name, uint32_t number) {
    append_key(file, name, 4);
    append_number(file, number, 4);
}

void append_tokens(file_bytes *file, const char *const *texts, const uint32_t *types, uint32_t count) {
    append_key(file, "tokens", 9);
    append_number(file, 8, 4);
    append_number(file, count, 8);
    for (uint32_t i = 0; i < count; ++i) append_string(file, texts[i]);
    append_key(file, "token_type", 9);
    append_number(file, 5, 4);
    append_number(file, count, 8);
    for (uint32_t i = 0; i < count; ++i) append_number(file, types[i], 4);
}

void small_gguf(file_bytes *file) {
    static const char *const texts[] = {"<unk>",
                                        "</s>",
                                        "<0x0A>",
                                        "\xe2\x96\x81"
                                        "a",
                                        "<e>",
                                        "[PAD5]",
                                        "[PAD6]"};
    static const uint32_t types[] = {2, 3, 6, 1, 3, 4, 1};
    gguf_header(file, 6);
    append_string(file, "general.name"); /* a pair that nobody needs */
    append_number(file, 8, 4);
    append_string(file, "tiny");
    append_text_pair(file, "model", "llama");
    append_tokens(file, texts, types, COUNT(texts));
    append_number_pair(file, "eos_token_id", 1);
    append_number_pair(file, "eot_token_id", 4);
}

weir_status from_bytes(const file_bytes *file, const char *meta, const weir_vocab_options *options, weir_vocab **out,
                       weir_error *error) {
    return weir_vocab_from_memory(file->bytes, file->length, meta, meta ? strlen(meta) : 0, options, out, error);
}
