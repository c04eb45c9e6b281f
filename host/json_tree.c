/* json_tree.c - what is asked of a tree that json_parse has read: members, integers, the way to a node; and quoting. */
#include "json.h"

#include <stdio.h>
#include <string.h>

const json *json_get_n(const json *object, const char *key, size_t key_length) {
    if (!object || object->kind != JSON_OBJECT) return NULL;
    for (const json *m = object->child; m; m = m->next) {
        if (m->key_length == key_length && memcmp(m->key, key, key_length) == 0) return m;
    }
    return NULL;
}

const json *json_get(const json *object, const char *key) {
    return json_get_n(object, key, strlen(key));
}

bool json_string_is(const json *value, const char *text) {
    return value && value->kind == JSON_STRING && value->length == strlen(text) &&
           memcmp(value->text, text, value->length) == 0;
}

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

/* The exponent behind `e`, held inside +-2^62. */
static int64_t read_exponent(const char *text) {
    const int64_t most = INT64_MAX / 2;
    bool negative = *text == '-';
    int64_t value = 0;
    if (*text == '-' || *text == '+') text++;
    for (; is_digit(*text); text++) {
        value = value > most / 10 - 1 ? most : value * 10 + (*text - '0');
        if (value == most) break;
    }
    return negative ? -value : value;
}

bool json_uint(const json *value, uint64_t *out) {
    if (!value || value->kind != JSON_NUMBER) return false;
    const char *text = value->text;
    bool negative = *text == '-';
    text += negative;
    /* The value is `sum` * 10^scale; zeros wait in `zeros` until a digit follows them. */
    uint64_t sum = 0, zeros = 0;
    int64_t scale = 0;
    bool fraction = false, overflow = false;
    for (; is_digit(*text) || *text == '.'; text++) {
        if (*text == '.') {
            fraction = true;
            continue;
        }
        scale -= fraction;
        zeros++;
        if (*text == '0') continue;
        for (; zeros > 0 && sum > 0 && !overflow; zeros--) {
            overflow = sum > UINT64_MAX / 10;
            sum *= 10;
        }
        zeros = 0;
        overflow = overflow || sum > UINT64_MAX - (uint64_t)(*text - '0');
        sum += (uint64_t)(*text - '0');
    }
    if (overflow) return false; /* trailing zeros are not in `sum`, so more digits were significant than fit */
    scale += (int64_t)zeros;
    if (*text == 'e' || *text == 'E') scale += read_exponent(text + 1);
    if (sum == 0) scale = 0;
    if (scale < 0 || (negative && sum > 0)) return false;
    for (; scale > 0; scale--) {
        if (sum > UINT64_MAX / 10) return false;
        sum *= 10;
    }
    *out = sum;
    return true;
}

/* Appends a piece whole or not at all; false when it does not fit. */
static bool append(char *buffer, size_t capacity, size_t *used, const char *piece, size_t length) {
    if (length >= capacity - *used) return false;
    memcpy(buffer + *used, piece, length);
    *used += length;
    buffer[*used] = '\0';
    return true;
}

static bool append_name(char *buffer, size_t capacity, size_t *used, const json *node) {
    for (uint32_t i = 0; i < node->key_length;) {
        const char *at = node->key + i;
        uint8_t lead = (uint8_t)*at; /* of a well-formed sequence: the reader has checked */
        uint32_t sequence = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
        const char *piece = *at == '~' ? "~0" : *at == '/' ? "~1" : *at == '\0' ? "\\u0000" : NULL;
        size_t length = piece ? strlen(piece) : sequence;
        if (!append(buffer, capacity, used, piece ? piece : at, length)) return false;
        i += sequence;
    }
    return true;
}

static bool append_index(char *buffer, size_t capacity, size_t *used, const json *node) {
    char digits[16];
    return append(buffer, capacity, used, digits, (size_t)snprintf(digits, sizeof digits, "%u", (unsigned)node->index));
}

char *json_pointer(const json *node, char *buffer, size_t capacity) {
    if (capacity == 0) return buffer;
    size_t used = 0, depth = 0;
    buffer[0] = '\0';
    for (const json *up = node; up->parent; up = up->parent) depth++;
    /* From the root down; every step writes a byte or ends, so this is at most capacity * depth. */
    for (size_t above = depth; above-- > 0;) {
        const json *step = node;
        for (size_t i = 0; i < above; i++) step = step->parent;
        bool fits =
            append(buffer, capacity, &used, "/", 1) &&
            (step->key ? append_name(buffer, capacity, &used, step) : append_index(buffer, capacity, &used, step));
        if (!fits) break;
    }
    return buffer;
}

size_t json_quote(const char *text, size_t length, char *buffer, size_t capacity) {
    static const char names[] = "btn?fr"; /* U+0008 to U+000D; U+000B has no short form */
    static const char hex[] = "0123456789abcdef";
    size_t needed = 0;
#define PUT(c)                                                                                                         \
    do {                                                                                                               \
        if (needed < capacity) buffer[needed] = (c);                                                                   \
        needed++;                                                                                                      \
    } while (0)
    PUT('"');
    for (size_t i = 0; i < length; i++) {
        uint8_t c = (uint8_t)text[i];
        if (c >= 0x20) {
            if (c == '"' || c == '\\') PUT('\\');
            PUT((char)c);
        } else if (c >= 8 && c <= 13 && c != 11) {
            PUT('\\');
            PUT(names[c - 8]);
        } else {
            PUT('\\');
            PUT('u');
            PUT('0');
            PUT('0');
            PUT(hex[c >> 4]);
            PUT(hex[c & 15]);
        }
    }
    PUT('"');
#undef PUT
    return needed;
}
