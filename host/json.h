/* json.h - strict RFC 8259 text in, a read-only tree out.
 *
 * Case-sensitive, duplicate keys refused, strings decoded to UTF-8 with explicit lengths (U+0000 is kept), numbers
 * kept as their source text and never rounded. Invalid UTF-8, a lone surrogate, a raw control character, a byte order mark,
 * trailing text and nesting beyond the limit are errors that name their byte. */
#ifndef WEIR_HOST_JSON_H
#define WEIR_HOST_JSON_H

#include "memory.h"
#include "status.h"

typedef enum json_kind {
    JSON_NULL,
    JSON_FALSE,
    JSON_TRUE,
    JSON_NUMBER,
    JSON_STRING,
    JSON_ARRAY,
    JSON_OBJECT
} json_kind;

typedef struct json {
    json_kind kind;
    uint32_t count;           /* items of an array, members of an object */
    const struct json *child; /* first item or member */
    const struct json *next;  /* next sibling */
    const struct json *parent;
    const char *key;          /* member name, decoded, NUL-terminated as well; NULL for items */
    uint32_t key_length;
    uint32_t index;           /* place among its siblings */
    const char *text;         /* decoded string, or the number as it stands in the source; NUL-terminated as well */
    uint32_t length;
    uint32_t byte;            /* offset of the value's first byte in the source */
} json;

typedef struct json_limits {
    uint32_t depth; /* nesting of { and [; 0: 512 */
    size_t length;  /* bytes of text; 0: 256 MiB */
} json_limits;

/* Reads one JSON text; the tree lives in `arena`. `text` is not kept. Fails with WEIR_ERROR_JSON and the byte,
 * WEIR_ERROR_MEMORY, or WEIR_ERROR_LIMIT where the arena's limit ended it. Errors inside a known place also carry its
 * JSON pointer (a duplicate key: that of the object). O(n log n), no recursion. */
weir_status json_parse(const char *text, size_t length, const json_limits *limits, arena *arena, const json **out,
                       weir_error *error);
/* The member of an object with exactly this name, or NULL. O(members). */
const json *json_get(const json *object, const char *key);
const json *json_get_n(const json *object, const char *key, size_t key_length);
bool json_string_is(const json *value, const char *text);
/* A non-negative integer that fits 64 bits, also written 1.0 or 1e3; false when it is anything else. */
bool json_uint(const json *value, uint64_t *out);
/* The RFC 6901 pointer of a node from its root, "" for the root, cut to `capacity` - 1 bytes. U+0000 in a name is
 * shown as \u0000. Returns buffer. */
char *json_pointer(const json *node, char *buffer, size_t capacity);
/* Appends `length` bytes of UTF-8 as a JSON string literal, as Python's json.dumps(ensure_ascii=False) writes it.
 * Returns the bytes needed (at most 6 * length + 2); writes only what fits. */
size_t json_quote(const char *text, size_t length, char *buffer, size_t capacity);

#endif
