/* suite_text.c - JSON as it stands in a file in, the text that Python's json.dumps(value, ensure_ascii=False) writes
 * out.
 *
 * Strings are read from the source, not from the tree, so that a lone surrogate, which a tree of UTF-8 cannot hold,
 * comes through as the escape that it is. */
#include "suite.h"

#include <stdarg.h>

/* --- bytes ----------------------------------------------------------------------------------------------------------
 */

static char *reserve(suite_text *to, size_t length) {
    if (to->failed) return NULL;
    if (to->length + length > to->capacity) {
        size_t capacity = 2 * to->capacity + length + 256;
        char *larger = realloc(to->bytes, capacity);
        if ((to->failed = larger == NULL)) return NULL;
        to->bytes = larger;
        to->capacity = capacity;
    }
    return to->bytes + to->length;
}

void suite_put(suite_text *to, const void *bytes, size_t length) {
    char *at = reserve(to, length);
    if (at == NULL || length == 0) return;
    memcpy(at, bytes, length);
    to->length += length;
}

void suite_put_format(suite_text *to, const char *format, ...) {
    va_list values;
    char line[1024];
    va_start(values, format);
    int length = vsnprintf(line, sizeof line, format, values);
    va_end(values);
    if (length < 0 || (size_t)length >= sizeof line)
        to->failed = true;
    else
        suite_put(to, line, (size_t)length);
}

void suite_put_quoted(suite_text *to, const char *string) {
    size_t length = strlen(string), needed = 6 * length + 2;
    char *at = reserve(to, needed);
    if (at != NULL) to->length += json_quote(string, length, at, needed);
}

/* --- strings --------------------------------------------------------------------------------------------------------
 */

/* The four digits of an escape whose `\u` stands at `at`. */
static uint32_t read_hex(const char *at) {
    uint32_t value = 0;
    for (const char *digit = at + 2; digit < at + 6; digit++) {
        uint32_t low = (uint32_t)(*digit & 15), letter = *digit > '9' ? 9 : 0;
        value = value << 4 | (low + letter);
    }
    return value;
}

static bool is_escape(const char *at) {
    return at[0] == '\\' && at[1] == 'u';
}

static bool is_high(uint32_t code) {
    return code >= 0xd800 && code < 0xdc00;
}

static bool is_low(uint32_t code) {
    return code >= 0xdc00 && code < 0xe000;
}

static size_t encode(uint32_t code, char out[4]) {
    if (code < 0x80) {
        out[0] = (char)code;
        return 1;
    }
    size_t length = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    for (size_t i = length; i-- > 1; code >>= 6) out[i] = (char)(0x80 | (code & 0x3f));
    out[0] = (char)(0xf00 >> length | code);
    return length;
}

/* One character as it stands inside a string literal of json.dumps. */
static void put_character(suite_text *to, uint32_t code) {
    char bytes[4], quoted[16];
    if (is_high(code) || is_low(code)) {
        suite_put_format(to, "\\u%04x", (unsigned)code);
        return;
    }
    size_t length = json_quote(bytes, encode(code, bytes), quoted, sizeof quoted);
    suite_put(to, quoted + 1, length - 2);
}

/* The literal whose quote stands at `at`, in text that has been read as JSON; gives one past its end. */
static const char *put_literal(suite_text *to, const char *at) {
    static const char names[] = "bfnrt", codes[] = "\b\f\n\r\t";
    suite_put(to, "\"", 1);
    for (at++; *at != '"';) {
        const char *plain = at;
        while (*at != '"' && *at != '\\') at++;
        suite_put(to, plain, (size_t)(at - plain));
        if (*at == '"') break;
        if (is_escape(at)) {
            uint32_t code = read_hex(at);
            at += 6;
            if (is_high(code) && is_escape(at) && is_low(read_hex(at))) {
                code = 0x10000 + ((code - 0xd800) << 10) + (read_hex(at) - 0xdc00);
                at += 6;
            }
            put_character(to, code);
        } else {
            const char *name = strchr(names, at[1]);
            put_character(to, (uint8_t)(name ? codes[name - names] : at[1]));
            at += 2;
        }
    }
    suite_put(to, "\"", 1);
    return at + 1;
}

/* --- values ---------------------------------------------------------------------------------------------------------
 */

suite_member *suite_list_members(const char *source, size_t length, const json *object, uint64_t *shuffle) {
    suite_member *members = malloc((object->count + 1) * sizeof *members);
    uint32_t count = 0;
    size_t at = object->byte + 1;
    if (members == NULL) return NULL;
    for (const json *child = object->child; child; child = child->next) {
        while (source[at] != '"') at++;
        members[count++] = (suite_member){source + at, json_text_end(source, length, at) - at, child};
        at = json_text_end(source, length, child->byte);
    }
    for (uint32_t left = shuffle ? count : 0; left > 1; left--) {
        uint32_t other = (uint32_t)suite_random(shuffle, left);
        suite_member last = members[left - 1];
        members[left - 1] = members[other];
        members[other] = last;
    }
    return members;
}

void suite_put_value(suite_text *to, const char *source, size_t length, const json *value, uint64_t *shuffle) {
    switch (value->kind) {
    case JSON_STRING: put_literal(to, source + value->byte); return;
    case JSON_NUMBER: suite_put(to, value->text, value->length); return;
    case JSON_NULL:
    case JSON_FALSE:
    case JSON_TRUE: suite_put(to, source + value->byte, value->kind == JSON_FALSE ? 5 : 4); return;
    case JSON_ARRAY:
        suite_put(to, "[", 1);
        for (const json *item = value->child; item; item = item->next) {
            if (item != value->child) suite_put(to, ", ", 2);
            suite_put_value(to, source, length, item, shuffle);
        }
        suite_put(to, "]", 1);
        return;
    case JSON_OBJECT: break;
    }
    suite_member *members = suite_list_members(source, length, value, shuffle);
    to->failed = to->failed || members == NULL;
    suite_put(to, "{", 1);
    for (uint32_t i = 0; members && i < value->count; i++) {
        if (i > 0) suite_put(to, ", ", 2);
        put_literal(to, members[i].key);
        suite_put(to, ": ", 2);
        suite_put_value(to, source, length, members[i].value, shuffle);
    }
    suite_put(to, "}", 1);
    free(members);
}

/* --- reading --------------------------------------------------------------------------------------------------------
 */

/* Deep enough for any instance; suite_put_value calls itself so often. */
static const json_limits limits = {.depth = 10000};

/* Lone surrogates become characters of the private area, in place: 2,048 of them, so that two names stay two. */
static void cover_surrogates(char *text, size_t length) {
    for (size_t at = 0; at + 6 <= length;) {
        if (text[at] != '\\') {
            at++;
        } else if (text[at + 1] != 'u') {
            at += 2;
        } else {
            uint32_t code = read_hex(text + at);
            bool paired =
                is_high(code) && at + 12 <= length && is_escape(text + at + 6) && is_low(read_hex(text + at + 6));
            if (!paired && (is_high(code) || is_low(code))) {
                text[at + 2] = 'e';
                text[at + 3] = (char)('0' + (code >> 8 & 7));
            }
            at += paired ? 12 : 6;
        }
    }
}

weir_status suite_parse(const char *source, size_t length, arena *arena, const json **root, weir_error *error) {
    weir_status status = json_parse(source, length, &limits, arena, root, error);
    if (status != WEIR_ERROR_JSON) return status;
    char *covered = arena_allocate(arena, length > 0 ? length : 1);
    if (covered == NULL) return status;
    memcpy(covered, source, length);
    cover_surrogates(covered, length);
    if (memcmp(covered, source, length) == 0) return status;
    return json_parse(covered, length, &limits, arena, root, error);
}

/* --- random sequences -----------------------------------------------------------------------------------------------
 */

static uint64_t next_random(uint64_t *state) {
    uint64_t mixed = (*state += 0x9e3779b97f4a7c15ull); /* splitmix64 */
    mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9ull;
    mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111ebull;
    return mixed ^ (mixed >> 31);
}

uint64_t suite_random(uint64_t *state, uint64_t count) {
    return next_random(state) % count;
}

uint64_t suite_seed(uint64_t seed, uint64_t schema, uint64_t test) {
    uint64_t state = seed;
    state = next_random(&state) + schema;
    state = next_random(&state) + test;
    return next_random(&state);
}
