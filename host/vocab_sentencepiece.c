/* vocab_sentencepiece.c - a sentencepiece .model in, a draft of the tokens out.
 *
 * The file is a protobuf, ModelProto of sentencepiece_model.proto: field 1 the pieces in the order of their ids
 * {1 text, 2 score, 3 type}, 2 the trainer's settings {47 text of the stop token}, 3 the normalizer, 5 the denormalizer
 * {2 rules}. A field is a varint, number * 8 + wire type, and its value. No two messages of it nest deeper than this;
 * groups, which could, are refused. */
#include "vocab_load.h"
#include "vocab_piece.h"

#include <string.h>

typedef enum wire_type { WIRE_VARINT = 0, WIRE_FIXED64 = 1, WIRE_BYTES = 2, WIRE_FIXED32 = 5 } wire_type;
typedef enum piece_type {
    PIECE_NORMAL = 1,
    PIECE_UNKNOWN = 2,
    PIECE_CONTROL = 3,
    PIECE_USER_DEFINED = 4,
    PIECE_UNUSED = 5,
    PIECE_BYTE = 6
} piece_type;

typedef struct message {
    const uint8_t *file, *at, *end;
} message;

typedef struct field {
    const uint8_t *start;
    uint32_t number;
    wire_type wire;
    uint64_t value; /* of a varint */
    message bytes;
} field;

typedef struct piece {
    const char *text;
    uint32_t length;
    piece_type type;
} piece;

typedef struct model {
    vocab_draft *draft;
    piece_alphabet alphabet;
    uint32_t piece_count;
    const char *stop_text; /* as the trainer's settings say */
    size_t stop_length;
} model;

static weir_status read_message(message *file, model *model, bool settings, weir_error *error);
static weir_status read_piece(message bytes, uint32_t id, piece *piece, weir_error *error);
static weir_status add_piece(const field *field, model *model, weir_error *error);
static weir_status next_field(message *message, field *field, weir_error *error);

weir_status vocab_read_sentencepiece(const uint8_t *text, size_t length, vocab_draft *draft, weir_error *error) {
    const message file = {text, text, text + length};
    model model = {.draft = draft, .stop_text = "</s>", .stop_length = 4};
    piece_metaspace(&model.alphabet, PIECE_SPACE, PIECE_SPACE_LENGTH, false);
    message first = file, second = file; /* the settings stand behind the pieces */
    TRY(read_message(&first, &model, true, error));
    TRY(read_message(&second, &model, false, error));
    if (model.piece_count == 0)
        return fail_at_byte(error, WEIR_ERROR_VOCAB, 0, "no pieces; expected a sentencepiece model");
    return WEIR_OK;
}

static weir_status fail_at(const message *message, const uint8_t *at, weir_error *error, const char *what) {
    return fail_at_byte(error, WEIR_ERROR_VOCAB, at - message->file, "sentencepiece model, byte %zu: %s",
                        (size_t)(at - message->file), what);
}

static weir_status expect_wire(const field *field, wire_type wire, weir_error *error) {
    if (field->wire == wire) return WEIR_OK;
    return fail_at_byte(error, WEIR_ERROR_VOCAB, field->start - field->bytes.file,
                        "sentencepiece model, byte %zu: field %u has wire type %d; expected %d",
                        (size_t)(field->start - field->bytes.file), field->number, (int)field->wire, (int)wire);
}

/* Of the trainer's settings and the denormalizer, what changes the tokens. */
static weir_status read_settings(message bytes, uint32_t which, model *model, weir_error *error) {
    enum { TRAINER = 2, STOP_PIECE = 47, DENORMALIZER = 5, RULES = 2 };
    field field;
    while (bytes.at < bytes.end) {
        TRY(next_field(&bytes, &field, error));
        if (which == TRAINER && field.number == STOP_PIECE) {
            TRY(expect_wire(&field, WIRE_BYTES, error));
            model->stop_text = (const char *)field.bytes.at;
            model->stop_length = (size_t)(field.bytes.end - field.bytes.at);
        }
        if (which == DENORMALIZER && field.number == RULES) {
            TRY(expect_wire(&field, WIRE_BYTES, error));
            if (field.bytes.at < field.bytes.end)
                return fail_at(&bytes, field.start, error,
                               "a denormalizer: tokens would write different bytes in different places");
        }
    }
    return WEIR_OK;
}

/* One walk through the file: the settings, or the pieces. */
static weir_status read_message(message *file, model *model, bool settings, weir_error *error) {
    enum { PIECES = 1, LAST_KNOWN = 5 };
    while (file->at < file->end) {
        field field;
        TRY(next_field(file, &field, error));
        if (field.number > LAST_KNOWN) continue;
        TRY(expect_wire(&field, WIRE_BYTES, error));
        if (settings && field.number != PIECES) TRY(read_settings(field.bytes, field.number, model, error));
        if (!settings && field.number == PIECES) TRY(add_piece(&field, model, error));
    }
    return WEIR_OK;
}

static weir_status add_piece(const field *field, model *model, weir_error *error) {
    const uint32_t id = model->piece_count++;
    vocab_draft *draft = model->draft;
    piece piece;
    uint32_t length;
    if (id >= VOCAB_TOKEN_LIMIT) return fail_at(&field->bytes, field->start, error, "more than 2097152 pieces");
    TRY(read_piece(field->bytes, id, &piece, error));
    uint8_t *bytes = arena_allocate(draft->arena, piece.length);
    if (!bytes) return fail(error, WEIR_ERROR_MEMORY, "no memory for %u sentencepiece pieces", model->piece_count);
    const bool special = piece.type == PIECE_CONTROL || piece.type == PIECE_UNKNOWN || piece.type == PIECE_UNUSED;
    if (special) {
        memcpy(bytes, piece.text, length = piece.length);
    } else if (piece.type == PIECE_BYTE) {
        length = 1;
        if (!piece_is_byte(piece.text, piece.length, bytes))
            return fail_at(&field->bytes, field->start, error, "a piece for a byte; expected a text like <0x0A>");
    } else {
        piece_decode(&model->alphabet, piece.text, piece.length, bytes, &length);
    }
    if (vocab_draft_set(draft, id, bytes, length, special ? VOCAB_SPECIAL : 0) != WEIR_OK)
        return fail(error, WEIR_ERROR_MEMORY, "no memory for %u sentencepiece pieces", model->piece_count);
    if (piece.type == PIECE_CONTROL && piece.length == model->stop_length &&
        memcmp(piece.text, model->stop_text, model->stop_length) == 0)
        return vocab_draft_add_stop(draft, id, error);
    return WEIR_OK;
}

static weir_status read_piece(message bytes, uint32_t id, piece *piece, weir_error *error) {
    enum { TEXT = 1, SCORE = 2, TYPE = 3 };
    const uint8_t *start = bytes.at;
    *piece = (struct piece){.type = PIECE_NORMAL};
    while (bytes.at < bytes.end) {
        field field;
        TRY(next_field(&bytes, &field, error));
        if (field.number == SCORE) TRY(expect_wire(&field, WIRE_FIXED32, error));
        if (field.number == TYPE) {
            TRY(expect_wire(&field, WIRE_VARINT, error));
            if (field.value < PIECE_NORMAL || field.value > PIECE_BYTE)
                return fail_at(&bytes, field.start, error, "a piece of unknown type; expected 1 to 6");
            piece->type = (piece_type)field.value;
        }
        if (field.number != TEXT) continue;
        TRY(expect_wire(&field, WIRE_BYTES, error));
        if (field.bytes.end - field.bytes.at > VOCAB_LENGTH_LIMIT)
            return fail_at(&bytes, field.start, error, "a piece with more than 65535 bytes");
        piece->text = (const char *)field.bytes.at;
        piece->length = (uint32_t)(field.bytes.end - field.bytes.at);
    }
    if (piece->length > 0) return WEIR_OK;
    return fail_at_byte(error, WEIR_ERROR_VOCAB, start - bytes.file,
                        "sentencepiece model, byte %zu: piece %u has no text", (size_t)(start - bytes.file), id);
}

static weir_status read_varint(message *message, uint64_t *value, weir_error *error) {
    const uint8_t *start = message->at;
    *value = 0;
    for (uint32_t shift = 0; shift < 70; shift += 7) {
        if (message->at == message->end) return fail_at(message, start, error, "the data ends inside a number");
        const uint8_t byte = *message->at++;
        if (shift == 63 && byte > 1) break;
        *value |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80) return WEIR_OK;
    }
    return fail_at(message, start, error, "a number of more than 64 bits");
}

static weir_status next_field(message *message, field *field, weir_error *error) {
    uint64_t key, length = 0;
    *field = (struct field){.start = message->at, .bytes.file = message->file};
    TRY(read_varint(message, &key, error));
    if (key >> 3 == 0 || key >> 3 > 0x1fffffff)
        return fail_at(message, field->start, error, "a field number out of range");
    field->number = (uint32_t)(key >> 3);
    field->wire = (wire_type)(key & 7);
    switch (field->wire) {
    case WIRE_VARINT: return read_varint(message, &field->value, error);
    case WIRE_FIXED64: length = 8; break;
    case WIRE_FIXED32: length = 4; break;
    case WIRE_BYTES: TRY(read_varint(message, &length, error)); break;
    default: return fail_at(message, field->start, error, "a wire type that is not in use; expected 0, 1, 2 or 5");
    }
    const size_t left = (size_t)(message->end - message->at);
    if (length > left)
        return fail_at_byte(error, WEIR_ERROR_VOCAB, field->start - message->file,
                            "sentencepiece model, byte %zu: field %u claims %llu bytes; %zu are left",
                            (size_t)(field->start - message->file), field->number, (unsigned long long)length, left);
    field->bytes.at = message->at;
    field->bytes.end = message->at += length;
    return WEIR_OK;
}
