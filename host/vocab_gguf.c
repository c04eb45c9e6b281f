/* vocab_gguf.c - a GGUF model or vocabulary in, a draft of the tokens out. Only its metadata is read.
 *
 * GGUF 2 and 3, little-endian: "GGUF", version, count of tensors, count of pairs; then the pairs {key, type, value}. A
 * string is a length of 8 bytes and its text, an array an element type, a count and the elements. The pairs of interest
 * are tokenizer.ggml.*: model says how texts become bytes, token_type which tokens are text. */
#include "vocab_load.h"
#include "vocab_piece.h"

#include <stdio.h>
#include <string.h>

typedef enum value_type {
    VALUE_UINT8,
    VALUE_INT8,
    VALUE_UINT16,
    VALUE_INT16,
    VALUE_UINT32,
    VALUE_INT32,
    VALUE_FLOAT32,
    VALUE_BOOL,
    VALUE_STRING,
    VALUE_ARRAY,
    VALUE_UINT64,
    VALUE_INT64,
    VALUE_FLOAT64,
    VALUE_TYPE_COUNT
} value_type;

typedef enum token_type { TOKEN_NORMAL = 1, TOKEN_USER_DEFINED = 4, TOKEN_BYTE = 6 } token_type; /* llama.cpp's */

typedef struct value {
    const uint8_t *start; /* of its key in the file; NULL: the file has no such pair */
    value_type type;      /* of the elements, for an array */
    bool is_array;
    uint64_t count;    /* elements; bytes of a string */
    const uint8_t *at; /* of the text, number or first element */
} value;

enum { MODEL, TOKENS, TOKEN_TYPES, STOPS, STOP_COUNT = 3, VALUE_COUNT = STOPS + STOP_COUNT };
static const char *const value_names[VALUE_COUNT] = {"model",        "tokens",       "token_type",
                                                     "eos_token_id", "eot_token_id", "eom_token_id"};

typedef struct reader {
    const uint8_t *file, *at, *end;
    weir_error *error;
    value values[VALUE_COUNT];
    piece_alphabet alphabet;
} reader;

static weir_status read_pairs(reader *reader);
static weir_status find_alphabet(reader *reader);
static weir_status check_arrays(reader *reader);
static weir_status add_tokens(reader *reader, vocab_draft *draft);
static weir_status add_stops(const reader *reader, vocab_draft *draft);

weir_status vocab_read_gguf(const uint8_t *text, size_t length, vocab_draft *draft, weir_error *error) {
    reader reader = {.file = text, .at = text, .end = text + length, .error = error};
    TRY(read_pairs(&reader));
    TRY(find_alphabet(&reader));
    TRY(check_arrays(&reader));
    TRY(add_tokens(&reader, draft));
    return add_stops(&reader, draft);
}

static weir_status fail_at(const reader *reader, const uint8_t *at, const char *what) {
    return fail_at_byte(reader->error, WEIR_ERROR_VOCAB, at - reader->file, "GGUF, byte %zu: %s",
                        (size_t)(at - reader->file), what);
}

static uint64_t little_endian(const uint8_t *bytes, uint32_t size) {
    uint64_t number = 0;
    for (uint32_t i = 0; i < size; ++i) number |= (uint64_t)bytes[i] << 8 * i;
    return number;
}

static weir_status read_number(reader *reader, uint32_t size, uint64_t *out) {
    *out = 0;
    if ((size_t)(reader->end - reader->at) < size) return fail_at(reader, reader->at, "the data ends inside a number");
    *out = little_endian(reader->at, size);
    reader->at += size;
    return WEIR_OK;
}

/* Steps over `count` elements of `size` bytes; the product may not fit 64 bits. */
static weir_status skip(reader *reader, uint64_t count, uint32_t size) {
    const size_t left = (size_t)(reader->end - reader->at);
    if (count > left / size)
        return fail_at_byte(reader->error, WEIR_ERROR_VOCAB, reader->at - reader->file,
                            "GGUF, byte %zu: %llu elements of %u bytes are claimed; %zu bytes are left",
                            (size_t)(reader->at - reader->file), (unsigned long long)count, size, left);
    reader->at += count * size;
    return WEIR_OK;
}

static weir_status read_string(reader *reader, value *out) {
    TRY(read_number(reader, 8, &out->count));
    out->at = reader->at;
    return skip(reader, out->count, 1);
}

static weir_status read_elements(reader *reader, value *out, uint64_t count) {
    static const uint8_t sizes[VALUE_TYPE_COUNT] = {1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8};
    if (out->type != VALUE_STRING) return skip(reader, count, sizes[out->type]);
    if (count > (uint64_t)(reader->end - reader->at) / 8) return skip(reader, count, 8); /* fails */
    for (uint64_t i = 0; i < count; ++i) {
        value string;
        TRY(read_string(reader, &string));
    }
    return WEIR_OK;
}

static weir_status read_value(reader *reader, value *out) {
    uint64_t type;
    const uint8_t *at = reader->at;
    TRY(read_number(reader, 4, &type));
    if (type == VALUE_STRING) {
        out->type = VALUE_STRING;
        return read_string(reader, out);
    }
    out->is_array = type == VALUE_ARRAY;
    out->count = 1;
    if (out->is_array) {
        at = reader->at;
        TRY(read_number(reader, 4, &type));
        TRY(read_number(reader, 8, &out->count));
        if (type == VALUE_ARRAY) return fail_at(reader, at, "an array of arrays; expected numbers or strings");
    }
    if (type >= VALUE_TYPE_COUNT) return fail_at(reader, at, "a value of unknown type; expected 0 to 12");
    out->type = (value_type)type;
    out->at = reader->at;
    return read_elements(reader, out, out->count);
}

/* Which of value_names a key is, or VALUE_COUNT. */
static uint32_t find_name(const value *key) {
    static const char prefix[] = "tokenizer.ggml.";
    const size_t length = sizeof prefix - 1;
    uint32_t i = 0;
    if (key->count < length || memcmp(key->at, prefix, length) != 0) return VALUE_COUNT;
    while (i < VALUE_COUNT && !(key->count - length == strlen(value_names[i]) &&
                                memcmp(key->at + length, value_names[i], key->count - length) == 0))
        ++i;
    return i;
}

static weir_status read_pairs(reader *reader) {
    enum { SHORTEST_PAIR = 8 + 4 + 1 };
    uint64_t version, tensor_count, pair_count;
    reader->at += 4; /* "GGUF" */
    TRY(read_number(reader, 4, &version));
    if (version != 2 && version != 3)
        return fail_at_byte(reader->error, WEIR_ERROR_VOCAB, 4, "GGUF version %llu%s; expected 2 or 3, little-endian",
                            (unsigned long long)version, version >= 1 << 16 ? " (big-endian)" : "");
    TRY(read_number(reader, 8, &tensor_count));
    TRY(read_number(reader, 8, &pair_count));
    if (pair_count > (uint64_t)(reader->end - reader->at) / SHORTEST_PAIR)
        return fail_at(reader, reader->at - 8, "more metadata pairs are claimed than the file can hold");
    for (uint64_t i = 0; i < pair_count; ++i) {
        value key = {0}, found = {.start = reader->at};
        TRY(read_string(reader, &key));
        TRY(read_value(reader, &found));
        const uint32_t name = find_name(&key);
        if (name == VALUE_COUNT) continue;
        if (reader->values[name].start) return fail_at(reader, found.start, "a key a second time; expected each once");
        reader->values[name] = found;
    }
    return WEIR_OK;
}

static bool string_is(const value *string, const char *text) {
    return string->count == strlen(text) && memcmp(string->at, text, string->count) == 0;
}

static weir_status find_alphabet(reader *reader) {
    const value *model = &reader->values[MODEL];
    if (!model->start || model->is_array || model->type != VALUE_STRING)
        return fail_at(reader, model->start ? model->start : reader->at,
                       "no text tokenizer.ggml.model; expected a file with a vocabulary");
    if (string_is(model, "gpt2")) {
        piece_byte_level(&reader->alphabet);
    } else if (string_is(model, "llama") || string_is(model, "t5")) {
        piece_metaspace(&reader->alphabet, PIECE_SPACE, PIECE_SPACE_LENGTH, false);
    } else {
        return fail_at_byte(reader->error, WEIR_ERROR_VOCAB, model->start - reader->file,
                            "tokenizer.ggml.model is \"%.*s\"; expected \"gpt2\", \"llama\" or \"t5\"",
                            (int)(model->count < 32 ? model->count : 32), (const char *)model->at);
    }
    return WEIR_OK;
}

static weir_status check_arrays(reader *reader) {
    const value *tokens = &reader->values[TOKENS], *types = &reader->values[TOKEN_TYPES];
    if (!tokens->start || !tokens->is_array || tokens->type != VALUE_STRING)
        return fail_at(reader, tokens->start ? tokens->start : reader->at,
                       "no array of texts tokenizer.ggml.tokens; expected a file with a vocabulary");
    if (tokens->count > VOCAB_TOKEN_LIMIT) return fail_at(reader, tokens->start, "more than 2097152 tokens");
    if (!types->start || !types->is_array || (types->type != VALUE_INT32 && types->type != VALUE_UINT32))
        return fail_at(reader, types->start ? types->start : reader->at,
                       "no array of 32-bit numbers tokenizer.ggml.token_type; nothing else says which tokens are text");
    if (types->count == tokens->count) return WEIR_OK;
    return fail_at_byte(reader->error, WEIR_ERROR_VOCAB, types->start - reader->file,
                        "tokenizer.ggml.token_type has %llu elements; expected one for each of %llu tokens",
                        (unsigned long long)types->count, (unsigned long long)tokens->count);
}

/* Models with more columns of logits than tokens fill up with [PADn], of whatever type. */
static bool is_padding(const value *text, uint32_t id) {
    char padding[24];
    snprintf(padding, sizeof padding, "[PAD%u]", id);
    return string_is(text, padding);
}

static weir_status add_token(reader *reader, vocab_draft *draft, uint32_t id, const value *text, uint32_t type) {
    if (text->count > VOCAB_LENGTH_LIMIT) return fail_at(reader, text->at, "a token with more than 65535 bytes");
    if (type < TOKEN_NORMAL || type > TOKEN_BYTE)
        return fail_at_byte(reader->error, WEIR_ERROR_VOCAB, text->at - reader->file,
                            "GGUF, byte %zu: token %u has type %u; expected 1 to 6", (size_t)(text->at - reader->file),
                            id, type);
    if (is_padding(text, id)) return WEIR_OK;
    uint8_t *bytes = arena_allocate(draft->arena, text->count + 1);
    if (!bytes) return fail(reader->error, WEIR_ERROR_MEMORY, "no memory for the tokens of a GGUF file");
    const char *source = (const char *)text->at;
    uint32_t length = (uint32_t)text->count, flags = 0;
    if (type == TOKEN_BYTE) {
        if (!piece_is_byte(source, length, bytes))
            return fail_at(reader, text->at, "a token for a byte; expected a text like <0x0A>");
        length = 1;
    } else if (type == TOKEN_NORMAL || (type == TOKEN_USER_DEFINED && !reader->alphabet.byte_level)) {
        if (!piece_decode(&reader->alphabet, source, length, bytes, &length)) flags = VOCAB_SPECIAL | VOCAB_UNDECODED;
    } else {
        memcpy(bytes, source, length); /* user-defined, beside a byte-level alphabet: plain text */
        if (type != TOKEN_USER_DEFINED) flags = VOCAB_SPECIAL;
    }
    if (vocab_draft_set(draft, id, bytes, length, flags) == WEIR_OK) return WEIR_OK;
    return fail(reader->error, WEIR_ERROR_MEMORY, "no memory for the tokens of a GGUF file");
}

static weir_status add_tokens(reader *reader, vocab_draft *draft) {
    const value *tokens = &reader->values[TOKENS], *types = &reader->values[TOKEN_TYPES];
    reader->at = tokens->at;
    for (uint32_t id = 0; id < tokens->count; ++id) {
        value text;
        TRY(read_string(reader, &text));
        TRY(add_token(reader, draft, id, &text, (uint32_t)little_endian(types->at + 4 * (size_t)id, 4)));
    }
    draft->vocab_size = (uint32_t)tokens->count;
    return WEIR_OK;
}

/* The ids of end of text, of turn and of message, where the file has them; all bits set means none. */
static weir_status add_stops(const reader *reader, vocab_draft *draft) {
    for (uint32_t i = STOPS; i < VALUE_COUNT; ++i) {
        const value *stop = &reader->values[i];
        if (!stop->start) continue;
        if (stop->is_array || (stop->type != VALUE_UINT32 && stop->type != VALUE_INT32))
            return fail_at(reader, stop->start, "a stop id; expected a 32-bit number");
        const uint32_t id = (uint32_t)little_endian(stop->at, 4);
        if (id == UINT32_MAX) continue;
        if (id >= draft->vocab_size)
            return fail_at_byte(reader->error, WEIR_ERROR_VOCAB, stop->start - reader->file,
                                "tokenizer.ggml.%s is %u; expected one of %u tokens", value_names[i], id,
                                draft->vocab_size);
        TRY(vocab_draft_add_stop(draft, id, reader->error));
    }
    return WEIR_OK;
}
