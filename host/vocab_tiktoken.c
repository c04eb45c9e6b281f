/* vocab_tiktoken.c - a tiktoken rank file in, a draft of the tokens out: base64(bytes) SPACE id LF, in any order. */
#include "vocab_load.h"

#include <string.h>

typedef struct line {
    const uint8_t *at, *end; /* without its line feed */
    const uint8_t *text;     /* of the whole file */
    uint32_t number;         /* 1-based */
} line;

static weir_status read_line(const line *line, vocab_draft *draft, uint8_t **bytes, weir_error *error);

weir_status vocab_read_tiktoken(const uint8_t *text, size_t length, vocab_draft *draft, weir_error *error) {
    uint8_t *bytes = arena_allocate(draft->arena, length / 4 * 3 + 1);
    if (!bytes) return fail(error, WEIR_ERROR_MEMORY, "no memory for %zu bytes of tiktoken lines", length);
    line line = {text, text, text, 0};
    while (line.at < text + length) {
        const uint8_t *feed = memchr(line.at, '\n', (size_t)(text + length - line.at));
        const uint8_t *next = feed ? feed + 1 : text + length;
        line.end = feed ? feed : next;
        if (line.end > line.at && line.end[-1] == '\r') --line.end;
        ++line.number;
        if (line.end > line.at) TRY(read_line(&line, draft, &bytes, error));
        line.at = next;
    }
    if (draft->count == 0)
        return fail_at_byte(error, WEIR_ERROR_VOCAB, 0,
                            "no tokens; expected lines of base64, a space and an id (tiktoken) or a tokenizer.json");
    return WEIR_OK;
}

static weir_status fail_line(const line *line, const uint8_t *at, weir_error *error, const char *expected) {
    return fail_at_byte(error, WEIR_ERROR_VOCAB, at - line->text, "line %u, column %u: expected %s", line->number,
                        (unsigned)(at - line->at) + 1, expected);
}

/* 0..63, or 255 for anything that is not a base64 digit. */
static const uint8_t base64_values[256] = {
#define NO   255
#define NO16 NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO
    NO16, NO16, NO,   NO,   NO,   NO,   NO,   NO,  NO, NO, NO, NO, NO, 62, NO, NO, NO, 63, /* + / */
    52,   53,   54,   55,   56,   57,   58,   59,  60, 61, NO, NO, NO, NO, NO, NO,         /* 0-9 */
    NO,   0,    1,    2,    3,    4,    5,    6,   7,  8,  9,  10, 11, 12, 13, 14,         /* A-O */
    15,   16,   17,   18,   19,   20,   21,   22,  23, 24, 25, NO, NO, NO, NO, NO,         /* P-Z */
    NO,   26,   27,   28,   29,   30,   31,   32,  33, 34, 35, 36, 37, 38, 39, 40,         /* a-o */
    41,   42,   43,   44,   45,   46,   47,   48,  49, 50, 51, NO, NO, NO, NO, NO,         /* p-z */
    NO16, NO16, NO16, NO16, NO16, NO16, NO16, NO16
#undef NO16
#undef NO
};

/* Decodes [at, end) with its padding; NULL on success, else the byte that is wrong. Unused bits must be zero. */
static const uint8_t *decode_base64(const uint8_t *at, const uint8_t *end, uint8_t **out) {
    for (; at < end; at += 4) {
        if (end - at < 4) return end;
        const uint32_t padding = end - at > 4 || at[3] != '=' ? 0 : at[2] != '=' ? 1 : 2;
        uint32_t word = 0;
        for (uint32_t i = 0; i < 4; ++i) {
            const uint8_t value = i < 4 - padding ? base64_values[at[i]] : 0;
            if (value > 63) return at + i;
            word = word << 6 | value;
        }
        if (padding > 0 && (word & ((1u << 8 * padding) - 1))) return at + 3 - padding;
        for (uint32_t i = 0; i < 3 - padding; ++i) *(*out)++ = (uint8_t)(word >> (16 - 8 * i));
    }
    return NULL;
}

static weir_status read_line(const line *line, vocab_draft *draft, uint8_t **bytes, weir_error *error) {
    const uint8_t *space = memchr(line->at, ' ', (size_t)(line->end - line->at));
    if (!space) {
        const uint8_t *wrong = line->at;
        while (wrong < line->end && (base64_values[*wrong] < 64 || *wrong == '=')) ++wrong;
        return fail_line(line, wrong, error, "base64, a space and a token id");
    }
    const uint8_t *start = *bytes;
    const uint8_t *wrong = decode_base64(line->at, space, bytes);
    if (wrong) return fail_line(line, wrong, error, "base64 with padding before the space");
    const size_t length = (size_t)(*bytes - start);
    if (length > VOCAB_LENGTH_LIMIT) return fail_line(line, line->at, error, "a token of at most 65535 bytes");

    uint32_t id = 0;
    const uint8_t *digit = space + 1;
    if (digit == line->end) return fail_line(line, digit, error, "a token id after the space");
    for (; digit < line->end; ++digit) {
        if (*digit < '0' || *digit > '9') return fail_line(line, digit, error, "a token id in decimal digits");
        id = id * 10 + (*digit - '0');
        if (id >= VOCAB_TOKEN_LIMIT) return fail_line(line, space + 1, error, "a token id below 2097152");
    }
    if (vocab_draft_has(draft, id))
        return fail_at_byte(error, WEIR_ERROR_VOCAB, space + 1 - line->text,
                            "line %u: token id %u a second time; expected each id once", line->number, id);
    if (vocab_draft_set(draft, id, start, (uint32_t)length, 0) != WEIR_OK)
        return fail(error, WEIR_ERROR_MEMORY, "no memory for token id %u", id);
    return WEIR_OK;
}
