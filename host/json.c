/* json.c - strict RFC 8259 text in, a read-only tree in an arena out.
 *
 * One pass without recursion: `open` is the stack of containers, so nesting costs arena memory and never the C stack.
 * Object members wait on a second stack until their object closes; there they are sorted to find a duplicate name,
 * which keeps an object of n members at O(n log n). */
#include "json.h"

#include <stdio.h>
#include <string.h>

enum { DEFAULT_DEPTH = 512, DEFAULT_LENGTH = 256 << 20, QUOTED_NAME = 160 /* bytes of a name in a message */ };

typedef struct frame {
    json *node;
    json *last;            /* newest child */
    uint32_t first_member; /* of this object, in parser.members */
} frame;

typedef struct member {
    const json *node;
    uint32_t byte; /* of the name's opening quote */
    uint32_t hash; /* of the name: what is compared first stands side by side */
} member;

typedef struct parser {
    const uint8_t *text;
    size_t length, at;
    arena *arena;
    weir_error *error;
    frame *open;
    uint32_t depth, open_capacity, depth_limit;
    member *members;
    uint32_t member_count, member_capacity;
} parser;

static weir_status parse_document(parser *p, const json **out);
static weir_status parse_value(parser *p, json *node);
static weir_status parse_member_name(parser *p, json *node);
static weir_status close_container(parser *p);
static weir_status unexpected(const parser *p, size_t at, const char *expected);
static weir_status no_memory(const parser *p);

weir_status json_parse(const char *text, size_t length, const json_limits *limits, arena *arena, const json **out,
                       weir_error *error) {
    *out = NULL;
    if (!text && length) return fail(error, WEIR_ERROR_ARGUMENT, "text is NULL, expected %zu bytes", length);
    size_t most = limits && limits->length ? limits->length : DEFAULT_LENGTH;
    if (most > UINT32_MAX - 1) most = UINT32_MAX - 1; /* offsets are 32 bits wide */
    if (length > most) {
        return fail_at_byte(error, WEIR_ERROR_JSON, (int64_t)most, "found a text of %zu bytes, expected at most %zu",
                            length, most);
    }
    parser p = {.text = (const uint8_t *)text, .length = length, .arena = arena, .error = error};
    p.depth_limit = limits && limits->depth ? limits->depth : DEFAULT_DEPTH;
    return parse_document(&p, out);
}

/* --- characters ------------------------------------------------------------------------------------------- */

/* The byte at an offset, or -1 at the end of the text. */
static int peek(const parser *p, size_t at) {
    return at < p->length ? p->text[at] : -1;
}

static void skip_space(parser *p) {
    while (p->at < p->length) {
        uint8_t c = p->text[p->at];
        if (c != ' ' && c != '\n' && c != '\r' && c != '\t') break;
        p->at++;
    }
}

static bool is_digit(int c) {
    return c >= '0' && c <= '9';
}

/* Length of the well-formed UTF-8 sequence (Unicode, table 3-7) at `s`, or 0. */
static uint32_t utf8_sequence(const uint8_t *s, size_t left) {
    uint8_t lead = s[0];
    if (lead < 0x80) return 1;
    uint32_t length = lead < 0xc2 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : lead < 0xf5 ? 4 : 0;
    if (length == 0 || length > left) return 0;
    uint8_t low = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;  /* below: overlong */
    uint8_t high = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf; /* above: surrogate, or beyond U+10FFFF */
    if (s[1] < low || s[1] > high) return 0;
    for (uint32_t i = 2; i < length; i++) {
        if ((s[i] & 0xc0) != 0x80) return 0;
    }
    return length;
}

static uint32_t utf8_write(char *to, uint32_t code) {
    if (code < 0x80) {
        to[0] = (char)code;
        return 1;
    }
    uint32_t length = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    for (uint32_t i = length - 1; i > 0; i--, code >>= 6) to[i] = (char)(0x80 | (code & 0x3f));
    to[0] = (char)((0xf00u >> length & 0xf0) | code);
    return length;
}

/* --- the document ----------------------------------------------------------------------------------------- */

static json *new_node(parser *p) {
    json *node = arena_allocate_zero(p->arena, sizeof *node);
    if (node && p->depth) node->parent = p->open[p->depth - 1].node;
    return node;
}

/* Makes the node the newest child of the innermost container. */
static void link_node(parser *p, json *node) {
    if (p->depth == 0) return;
    frame *top = &p->open[p->depth - 1];
    if (top->last) {
        top->last->next = node;
    } else {
        top->node->child = node;
    }
    top->last = node;
    node->index = top->node->count++;
}

/* After a value: `,` (the next child follows), or as many closing brackets as there are, or the end. */
static weir_status finish_value(parser *p, bool *more) {
    *more = false;
    while (p->depth > 0) {
        bool object = p->open[p->depth - 1].node->kind == JSON_OBJECT;
        skip_space(p);
        int c = peek(p, p->at);
        if (c == ',') {
            p->at++;
            *more = true;
            return WEIR_OK;
        }
        if (c != (object ? '}' : ']')) return unexpected(p, p->at, object ? "',' or '}'" : "',' or ']'");
        TRY(close_container(p));
    }
    skip_space(p);
    return p->at == p->length ? WEIR_OK : unexpected(p, p->at, "the end of the text after the value");
}

static weir_status parse_document(parser *p, const json **out) {
    if (p->length >= 3 && memcmp(p->text, "\xef\xbb\xbf", 3) == 0) {
        return fail_at_byte(p->error, WEIR_ERROR_JSON, 0, "found a byte order mark, expected a value");
    }
    const json *root = NULL;
    for (bool more = true; more;) {
        json *node = new_node(p);
        if (!node) return no_memory(p);
        if (!root) root = node;
        uint32_t depth = p->depth;
        if (depth && p->open[depth - 1].node->kind == JSON_OBJECT) TRY(parse_member_name(p, node));
        link_node(p, node);
        TRY(parse_value(p, node));
        if (p->depth > depth) { /* a container was opened: an empty one closes here */
            skip_space(p);
            if (peek(p, p->at) != (node->kind == JSON_OBJECT ? '}' : ']')) continue;
            TRY(close_container(p));
        }
        TRY(finish_value(p, &more));
    }
    *out = root;
    return WEIR_OK;
}

/* --- containers ------------------------------------------------------------------------------------------- */

/* Room for one more entry of a stack; the old array stays in the arena, which at most doubles its cost. */
static bool make_room(parser *p, void **array, uint32_t count, uint32_t *capacity, size_t size) {
    if (count < *capacity) return true;
    if (*capacity > UINT32_MAX / 2) return false;
    uint32_t wider = *capacity ? *capacity * 2 : 32;
    void *moved = arena_allocate(p->arena, wider * size);
    if (!moved) return false;
    if (count) memcpy(moved, *array, count * size);
    *array = moved;
    *capacity = wider;
    return true;
}

static weir_status open_container(parser *p, json *node, json_kind kind) {
    node->kind = kind;
    if (p->depth == p->depth_limit) {
        char pointer[sizeof p->error->pointer];
        return fail_at_pointer(p->error, WEIR_ERROR_JSON, json_pointer(node, pointer, sizeof pointer), (int64_t)p->at,
                               "found '%c' inside %u open brackets, expected no deeper nesting", p->text[p->at],
                               (unsigned)p->depth);
    }
    void *open = p->open;
    if (!make_room(p, &open, p->depth, &p->open_capacity, sizeof(frame))) return no_memory(p);
    p->open = open;
    p->open[p->depth++] = (frame){node, NULL, p->member_count};
    p->at++;
    return WEIR_OK;
}

/* FNV-1a. */
static uint32_t hash_name(const char *name, uint32_t length) {
    uint32_t hash = 2166136261u;
    for (uint32_t i = 0; i < length; i++) hash = (hash ^ (uint8_t)name[i]) * 16777619u;
    return hash;
}

/* Any order that brings equal names together. */
static int compare_names(const member *a, const member *b) {
    if (a->hash != b->hash) return a->hash < b->hash ? -1 : 1;
    uint32_t shorter = a->node->key_length < b->node->key_length ? a->node->key_length : b->node->key_length;
    int order = memcmp(a->node->key, b->node->key, shorter);
    if (order) return order;
    return (a->node->key_length > b->node->key_length) - (a->node->key_length < b->node->key_length);
}

/* By name, then by place in the text. */
static bool member_before(const member *a, const member *b) {
    int order = compare_names(a, b);
    return order < 0 || (order == 0 && a->byte < b->byte);
}

static void sift_down(member *members, uint32_t at, uint32_t count) {
    for (uint32_t child; (child = 2 * at + 1) < count; at = child) {
        if (child + 1 < count && member_before(&members[child], &members[child + 1])) child++;
        if (!member_before(&members[at], &members[child])) return;
        member swap = members[at];
        members[at] = members[child];
        members[child] = swap;
    }
}

/* Heap sort: no memory, no worst case. */
static void sort_members(member *members, uint32_t count) {
    for (uint32_t i = count / 2; i-- > 0;) sift_down(members, i, count);
    for (uint32_t end = count; end-- > 1;) {
        member swap = members[0];
        members[0] = members[end];
        members[end] = swap;
        sift_down(members, 0, end);
    }
}

/* The first name in the text that was there before. */
static const member *find_duplicate(member *members, uint32_t count) {
    const member *found = NULL;
    sort_members(members, count);
    for (uint32_t i = 1; i < count; i++) {
        if (compare_names(&members[i - 1], &members[i]) == 0 && (!found || members[i].byte < found->byte)) {
            found = &members[i];
        }
    }
    return found;
}

static weir_status refuse_duplicate(const parser *p, const json *object, const member *found) {
    char pointer[sizeof p->error->pointer], name[QUOTED_NAME];
    size_t needed = json_quote(found->node->key, found->node->key_length, name, sizeof name);
    bool cut = needed > sizeof name;
    size_t shown = cut ? whole_characters(name, sizeof name) : needed;
    return fail_at_pointer(p->error, WEIR_ERROR_JSON, json_pointer(object, pointer, sizeof pointer),
                           (int64_t)found->byte, "found the member name %.*s%s twice, expected distinct names",
                           (int)shown, name, cut ? "..." : "");
}

static weir_status close_container(parser *p) {
    frame *top = &p->open[p->depth - 1];
    uint32_t count = p->member_count - top->first_member;
    if (count > 1) {
        const member *found = find_duplicate(p->members + top->first_member, count);
        if (found) return refuse_duplicate(p, top->node, found);
    }
    p->member_count = top->first_member;
    p->depth--;
    p->at++;
    return WEIR_OK;
}

/* --- strings ---------------------------------------------------------------------------------------------- */

/* Four hexadecimal digits at p->at. */
static weir_status parse_hex4(parser *p, uint32_t *out) {
    uint32_t value = 0;
    for (int i = 0; i < 4; i++, p->at++) {
        int c = peek(p, p->at);
        uint32_t digit = is_digit(c)            ? (uint32_t)(c - '0')
                         : c >= 'a' && c <= 'f' ? (uint32_t)(c - 'a' + 10)
                         : c >= 'A' && c <= 'F' ? (uint32_t)(c - 'A' + 10)
                                                : 16;
        if (digit == 16) return unexpected(p, p->at, "four hexadecimal digits after \\u");
        value = value << 4 | digit;
    }
    *out = value;
    return WEIR_OK;
}

/* The code point of `\u....`, two of them for a surrogate pair; p->at is on the `u`. */
static weir_status parse_unicode_escape(parser *p, uint32_t *code) {
    size_t start = p->at - 1;
    uint32_t low;
    p->at++;
    TRY(parse_hex4(p, code));
    if (*code < 0xd800 || *code > 0xdfff) return WEIR_OK;
    if (*code < 0xdc00 && peek(p, p->at) == '\\' && peek(p, p->at + 1) == 'u') {
        p->at += 2;
        TRY(parse_hex4(p, &low));
        if (low >= 0xdc00 && low <= 0xdfff) {
            *code = 0x10000 + ((*code - 0xd800) << 10) + (low - 0xdc00);
            return WEIR_OK;
        }
    }
    return fail_at_byte(p->error, WEIR_ERROR_JSON, (int64_t)start,
                        "found the lone surrogate \\u%04x, expected a pair of \\ud800-\\udbff and \\udc00-\\udfff",
                        (unsigned)*code);
}

/* An escape; p->at is on the character after the backslash. */
static weir_status parse_escape(parser *p, uint32_t *code) {
    int c = peek(p, p->at);
    switch (c) {
    case '"':
    case '\\':
    case '/': *code = (uint32_t)c; break;
    case 'b': *code = '\b'; break;
    case 'f': *code = '\f'; break;
    case 'n': *code = '\n'; break;
    case 'r': *code = '\r'; break;
    case 't': *code = '\t'; break;
    case 'u': return parse_unicode_escape(p, code);
    default: return unexpected(p, p->at, "one of \"\\/bfnrtu after a backslash");
    }
    p->at++;
    return WEIR_OK;
}

/* Offset of the closing quote, or of the end of the text. */
static size_t find_quote(const parser *p, size_t at) {
    while (at < p->length && p->text[at] != '"') at += p->text[at] == '\\' ? 2 : 1;
    return at < p->length ? at : p->length;
}

/* p->at is on the opening quote, and then behind the closing one. */
static weir_status parse_string(parser *p, const char **out, uint32_t *length) {
    size_t end = find_quote(p, ++p->at);
    char *text = arena_allocate(p->arena, end - p->at + 1); /* no escape is shorter than what it stands for */
    if (!text) return no_memory(p);
    uint32_t used = 0;
    while (p->at < p->length && p->text[p->at] != '"') {
        uint8_t c = p->text[p->at];
        uint32_t code = 0, sequence = 1;
        if (c == '\\') {
            p->at++;
            TRY(parse_escape(p, &code));
            used += utf8_write(text + used, code);
            continue;
        }
        if (c < 0x20) return unexpected(p, p->at, "an escape: control characters may not stand in a string");
        if (c >= 0x80) sequence = utf8_sequence(p->text + p->at, p->length - p->at);
        if (sequence == 0) return unexpected(p, p->at, "well-formed UTF-8");
        memcpy(text + used, p->text + p->at, sequence);
        used += sequence;
        p->at += sequence;
    }
    if (p->at >= p->length) return unexpected(p, p->length, "'\"' at the end of the string");
    p->at++;
    text[used] = '\0';
    *out = text;
    *length = used;
    return WEIR_OK;
}

/* `"name" :` */
static weir_status parse_member_name(parser *p, json *node) {
    skip_space(p);
    if (peek(p, p->at) != '"') {
        /* After a comma only a name may follow; before the first member the object may also close. */
        return unexpected(p, p->at, p->open[p->depth - 1].last ? "a member name in quotes" : "a member name or '}'");
    }
    uint32_t byte = (uint32_t)p->at;
    TRY(parse_string(p, &node->key, &node->key_length));
    skip_space(p);
    if (peek(p, p->at) != ':') return unexpected(p, p->at, "':' after the member name");
    p->at++;
    void *members = p->members;
    if (!make_room(p, &members, p->member_count, &p->member_capacity, sizeof(member))) return no_memory(p);
    p->members = members;
    p->members[p->member_count++] = (member){node, byte, hash_name(node->key, node->key_length)};
    return WEIR_OK;
}

/* --- numbers, literals, any value --------------------------------------------------------------------------- */

/* At least one digit; `expected` says where. */
static weir_status parse_digits(parser *p, const char *expected) {
    if (!is_digit(peek(p, p->at))) return unexpected(p, p->at, expected);
    while (is_digit(peek(p, p->at))) p->at++;
    return WEIR_OK;
}

static weir_status parse_number(parser *p, json *node) {
    size_t start = p->at;
    if (peek(p, p->at) == '-') p->at++;
    if (peek(p, p->at) == '0') {
        p->at++;
        if (is_digit(peek(p, p->at))) return unexpected(p, p->at, "no digit after a leading zero");
    } else {
        TRY(parse_digits(p, "a digit after '-'"));
    }
    if (peek(p, p->at) == '.') {
        p->at++;
        TRY(parse_digits(p, "a digit after the decimal point"));
    }
    if (peek(p, p->at) == 'e' || peek(p, p->at) == 'E') {
        p->at++;
        if (peek(p, p->at) == '+' || peek(p, p->at) == '-') p->at++;
        TRY(parse_digits(p, "a digit in the exponent"));
    }
    size_t length = p->at - start;
    char *text = arena_allocate(p->arena, length + 1);
    if (!text) return no_memory(p);
    memcpy(text, p->text + start, length);
    text[length] = '\0';
    node->kind = JSON_NUMBER;
    node->text = text;
    node->length = (uint32_t)length;
    return WEIR_OK;
}

static weir_status parse_literal(parser *p, json *node, json_kind kind, const char *word, const char *expected) {
    for (; *word; word++, p->at++) {
        if (peek(p, p->at) != *word) return unexpected(p, p->at, expected);
    }
    node->kind = kind;
    return WEIR_OK;
}

/* A scalar whole; of a container the opening bracket. */
static weir_status parse_value(parser *p, json *node) {
    skip_space(p);
    node->byte = (uint32_t)p->at;
    int c = peek(p, p->at);
    switch (c) {
    case '{': return open_container(p, node, JSON_OBJECT);
    case '[': return open_container(p, node, JSON_ARRAY);
    case '"': node->kind = JSON_STRING; return parse_string(p, &node->text, &node->length);
    case 't': return parse_literal(p, node, JSON_TRUE, "true", "the literal true");
    case 'f': return parse_literal(p, node, JSON_FALSE, "false", "the literal false");
    case 'n': return parse_literal(p, node, JSON_NULL, "null", "the literal null");
    default: break;
    }
    if (c == '-' || is_digit(c)) return parse_number(p, node);
    bool first_item = p->depth && p->open[p->depth - 1].node->kind == JSON_ARRAY && node->parent->child == node;
    return unexpected(p, p->at, first_item ? "a value or ']'" : "a value");
}

/* --- errors ----------------------------------------------------------------------------------------------- */

static weir_status unexpected(const parser *p, size_t at, const char *expected) {
    char found[32];
    int c = peek(p, at);
    uint32_t sequence = c >= 0x80 ? utf8_sequence(p->text + at, p->length - at) : 0;
    if (c < 0) {
        snprintf(found, sizeof found, "the end of the text");
    } else if (sequence) {
        snprintf(found, sizeof found, "'%.*s'", (int)sequence, (const char *)p->text + at);
    } else if (c < 0x20 || c >= 0x7f) {
        snprintf(found, sizeof found, "the byte 0x%02x", (unsigned)c);
    } else {
        snprintf(found, sizeof found, "'%c'", c);
    }
    return fail_at_byte(p->error, WEIR_ERROR_JSON, (int64_t)at, "found %s, expected %s", found, expected);
}

static weir_status no_memory(const parser *p) {
    if (p->arena->over_limit) {
        return fail_at_byte(p->error, WEIR_ERROR_LIMIT, (int64_t)p->at,
                            "reading needs more than the memory limit of %zu bytes", p->arena->limit);
    }
    return fail_at_byte(p->error, WEIR_ERROR_MEMORY, (int64_t)p->at, "the allocator gave no memory for reading JSON");
}
