/* standin_tokens.h - what a token could be good for, to the stand-in model: by its bytes alone. */
#ifndef WEIR_EXAMPLES_STANDIN_TOKENS_H
#define WEIR_EXAMPLES_STANDIN_TOKENS_H

#include <math.h>

#include "tokens.h"


/* A token's class: its first byte that is no white space, and what that byte can begin or end. */
typedef enum standin_class {
    CLASS_SPACE, CLASS_STRING, CLASS_NUMBER, CLASS_MINUS, CLASS_OBJECT, CLASS_ARRAY, CLASS_TRUE, CLASS_FALSE, CLASS_NULL,
    CLASS_OBJECT_END, CLASS_ARRAY_END, CLASS_COMMA, CLASS_COLON, CLASS_DOT, CLASS_EXPONENT, CLASS_STOP, CLASS_OTHER,
    CLASS_COUNT
} standin_class;

/* What follows the quote in a token that begins with one. */
typedef enum standin_suffix { SUFFIX_NONE, SUFFIX_COMMA, SUFFIX_END, SUFFIX_COLON, SUFFIX_OTHER, SUFFIX_COUNT } standin_suffix;
static inline bool standin_is_space(uint8_t byte)
{
    return byte == ' ' || byte == '\n' || byte == '\t' || byte == '\r';
}

static inline bool standin_literal(const uint8_t *bytes, uint32_t length, const char *literal)
{
    uint32_t whole = (uint32_t)strlen(literal);
    return memcmp(bytes, literal, length < whole ? length : whole) == 0;
}

/* What a token is worth for the text that it holds from byte `at` on, where that is JSON around strings: whether a value
 * comes next is better decided by a token of its own, and words are chosen by a string's own row. */
static inline float standin_tail(const uint8_t *bytes, uint32_t at, uint32_t length, bool string)
{
    float worth = 0;
    for (; at < length; at++) {
        if (bytes[at] == '"') {
            if (string) worth -= 12; /* an empty string */
            string = !string;
        } else if (string || (strchr("{}[]:, ", bytes[at]) == NULL || bytes[at] == '\0')) {
            return -25;
        } else if (bytes[at] != ' ') {
            worth -= 0.5f;
        }
    }
    return worth;
}

static inline standin_class standin_classify(const uint8_t *bytes, uint32_t length, float *worth)
{
    uint32_t begin = 0;
    while (begin < length && standin_is_space(bytes[begin])) begin++;
    *worth = begin == 0 ? 0 : begin == 1 && bytes[0] == ' ' ? -0.5f : -3.0f - 0.3f * (float)begin;
    if (begin == length) return CLASS_SPACE;
    const uint8_t *rest = bytes + begin;
    uint32_t left = length - begin;
    if (strchr("\"{}[],:", rest[0]) != NULL) *worth += standin_tail(rest, 1, left, rest[0] == '"');
    if (left > 1 && ((rest[0] == '[' && rest[1] == ']') || (rest[0] == '{' && rest[1] == '}'))) *worth -= 2.5f;
    switch (rest[0]) {
    case '"': return CLASS_STRING;
    case '{': return CLASS_OBJECT;
    case '[': return CLASS_ARRAY;
    case '}': return CLASS_OBJECT_END;
    case ']': return CLASS_ARRAY_END;
    case ',': return CLASS_COMMA;
    case ':': return CLASS_COLON;
    case '-': return CLASS_MINUS;
    case '.': return CLASS_DOT;
    case 'e': case 'E': return left == 1 || rest[1] == '-' || rest[1] == '+' ? CLASS_EXPONENT : CLASS_OTHER;
    case 't': return standin_literal(rest, left, "true") ? CLASS_TRUE : CLASS_OTHER;
    case 'f': return standin_literal(rest, left, "false") ? CLASS_FALSE : CLASS_OTHER;
    case 'n': return standin_literal(rest, left, "null") ? CLASS_NULL : CLASS_OTHER;
    default: break;
    }
    if (rest[0] < '0' || rest[0] > '9') return CLASS_OTHER;
    *worth = begin == 0 ? 0 : -1;
    for (uint32_t i = 1; i < left; i++) {
        if (rest[i] < '0' || rest[i] > '9') *worth -= 3;
    }
    return CLASS_NUMBER;
}

/* How well a token reads inside a string: a word of 3 to 10 letters is worth most. */
static inline float standin_reads(const uint8_t *bytes, uint32_t length, bool start)
{
    uint32_t letters = 0, upper = 0, digits = 0, begin = bytes[0] == ' ';
    for (uint32_t i = 0; i < length; i++) {
        if (bytes[i] < 0x20) return -30;
        if (bytes[i] == '"') return -12;
        if (bytes[i] == '\\') return -11;
        if (bytes[i] >= 0x80) return length >= 2 && bytes[0] >= 0xc3 && bytes[0] < 0xf0 ? -8.5f : -14;
    }
    for (uint32_t i = begin; i < length; i++) {
        letters += bytes[i] >= 'a' && bytes[i] <= 'z';
        upper += bytes[i] >= 'A' && bytes[i] <= 'Z';
        digits += bytes[i] >= '0' && bytes[i] <= '9';
    }
    bool spaced = begin == 1, capital = upper == 1 && bytes[begin] <= 'Z' && bytes[begin] >= 'A';
    if (letters + upper + begin != length) return digits + begin == length ? -5 : -8;
    float worth = letters >= 3 && letters <= 10 && (upper == 0 || capital) ? 0 : -4;
    if (upper > 1) worth -= 3;
    if (start ? spaced : !spaced) worth -= start ? 9 : 2.5f;
    if (!start && capital) worth -= 2;
    return worth;
}

/* Whether the vocabulary has these bytes behind a space too: then they begin a word, else they may be the end of one. */
static inline bool standin_is_whole_word(const token_index *index, const uint8_t *bytes, uint32_t length)
{
    uint8_t spaced[64] = {' '};
    if (length + 1 > sizeof spaced) return false;
    memcpy(spaced + 1, bytes, length);
    return token_find(index, spaced, length + 1) != TOKEN_NONE;
}

static inline void standin_normalise(float *row, uint32_t width)
{
    double sum = 0;
    for (uint32_t token = 0; token < width; token++) sum += exp((double)row[token]);
    float mass = sum > 0 ? (float)log(sum) : 0;
    for (uint32_t token = 0; token < width; token++) row[token] -= mass;
}

static inline standin_suffix standin_suffix_of(const uint8_t *bytes, uint32_t length)
{
    uint32_t i = 1;
    while (i < length && standin_is_space(bytes[i])) i++;
    if (i == length) return length == 1 ? SUFFIX_NONE : SUFFIX_OTHER;
    if (standin_tail(bytes, 1, length, false) < -3) return SUFFIX_OTHER;
    if (bytes[i] == ':') return i + 1 == length || (i + 2 == length && bytes[i + 1] == ' ') ? SUFFIX_COLON : SUFFIX_OTHER;
    if (bytes[i] == ',') return SUFFIX_COMMA;
    return bytes[i] == '}' || bytes[i] == ']' ? SUFFIX_END : SUFFIX_OTHER;
}

/* Sorts ids 0..width-1 by kinds[id] (CLASS_OTHER and the like included) into `out`, with the starts of each kind. */
static inline void standin_sort(const uint8_t *kinds, uint32_t width, uint32_t kind_count, uint32_t *starts, uint32_t *out)
{
    uint32_t fill[CLASS_COUNT + 1] = {0};
    for (uint32_t token = 0; token < width; token++) {
        if (kinds[token] < kind_count) fill[kinds[token] + 1]++;
    }
    for (uint32_t kind = 0; kind < kind_count; kind++) fill[kind + 1] += fill[kind];
    memcpy(starts, fill, (kind_count + 1) * sizeof *starts);
    for (uint32_t token = 0; token < width; token++) {
        if (kinds[token] < kind_count) out[fill[kinds[token]]++] = token;
    }
}

#endif
