/* regex_parse.c - the text of a pattern in, its tree out; what is not in the dialect is refused at its byte.
 *
 * The grammar is ECMA-262's with the `u` flag, and where Annex B is more lenient and the meaning is plain, Annex B's:
 * `{`, `}` and `]` that close or count nothing, a class escape at the end of a range, a quantified lookahead, an escape
 * of any character that is not a letter or a digit. */
#include <string.h>

#include "regex_build.h"

#define COUNT_MAX 1000000000u /* larger numbers in { } mean the same: too many */

typedef VECTOR(regex_node *) node_list;

typedef struct parser {
    compiler *c;
    const json *place;
    const char *text;
    uint32_t length, at, depth;
    regex_ranges ranges; /* of the class or escape at hand */
} parser;

_Noreturn static void refuse(const parser *p, uint32_t byte, const char *what) {
    compiler_fail(p->c, WEIR_ERROR_SCHEMA, p->place, "byte %u of the pattern: %s", byte, what);
}

static bool at_end(const parser *p) {
    return p->at == p->length;
}

/* The byte `ahead` of here, 0 behind the end. */
static uint8_t peek(const parser *p, uint32_t ahead) {
    return ahead < p->length - p->at ? (uint8_t)p->text[p->at + ahead] : 0;
}

static bool take(parser *p, const char *what) {
    uint32_t length = (uint32_t)strlen(what);
    if (length > p->length - p->at || memcmp(p->text + p->at, what, length) != 0) return false;
    p->at += length;
    return true;
}

static regex_node *node_new(parser *p, regex_kind kind) {
    regex_node *node = NEW(p->c, regex_node);
    node->kind = kind;
    node->emitted = NONE;
    return node;
}

static regex_node *node_of(parser *p, regex_kind kind, regex_node *child) {
    regex_node *node = node_new(p, kind);
    node->children = compiler_new(p->c, sizeof child);
    node->children[0] = child;
    node->count = 1;
    return node;
}

static regex_node *node_of_list(parser *p, regex_kind kind, const node_list *list) {
    if (list->count == 1) return list->items[0];
    regex_node *node = node_new(p, kind);
    node->children = list->items;
    node->count = list->count;
    return node;
}

/* The ranges read so far become a node. */
static regex_node *node_of_ranges(parser *p, bool negated) {
    regex_node *node = node_new(p, REGEX_CHARS);
    node->ranges = p->ranges;
    node->negative = negated;
    p->ranges = (regex_ranges){NULL, 0, 0};
    return node;
}

static regex_node *parse_sequence(parser *p);

/* a|b|cd is [ab]|cd. */
static void join_chars(parser *p, node_list *choices) {
    regex_node *first = NULL;
    uint32_t kept = 0;
    for (uint32_t i = 0; i < choices->count; i++) {
        regex_node *choice = choices->items[i];
        bool joins = choice->kind == REGEX_CHARS && !choice->negative;
        for (uint32_t k = 0; joins && first != NULL && k < choice->ranges.count; k++) {
            PUSH(p->c, first->ranges, choice->ranges.items[k]);
        }
        if (!joins || first == NULL) choices->items[kept++] = choice;
        if (joins && first == NULL) first = choice;
    }
    choices->count = kept;
}

static regex_node *parse_choice(parser *p) {
    node_list choices = {NULL, 0, 0};
    do PUSH(p->c, choices, parse_sequence(p));
    while (take(p, "|"));
    join_chars(p, &choices);
    return node_of_list(p, REGEX_CHOICE, &choices);
}

regex_node *regex_parse(compiler *c, const json *place, const char *pattern, uint32_t length) {
    parser p = {c, place, pattern, length, 0, 0, {NULL, 0, 0}};
    compiler_spend(c, 100 * (uint64_t)length);
    regex_node *root = parse_choice(&p);
    if (!at_end(&p)) refuse(&p, p.at, "the ) closes no group");
    return root;
}

static regex_node *parse_term(parser *p);

static regex_node *parse_sequence(parser *p) {
    node_list terms = {NULL, 0, 0};
    while (!at_end(p) && peek(p, 0) != '|' && peek(p, 0) != ')') PUSH(p->c, terms, parse_term(p));
    return node_of_list(p, REGEX_SEQUENCE, &terms);
}

/* --- quantifiers ---------------------------------------------------------------------------------------------- */

static bool read_count(parser *p, uint32_t *count) {
    if (peek(p, 0) < '0' || peek(p, 0) > '9') return false;
    for (*count = 0; peek(p, 0) >= '0' && peek(p, 0) <= '9'; p->at++) {
        *count = *count * 10 + (peek(p, 0) - '0');
        if (*count > COUNT_MAX) *count = COUNT_MAX;
    }
    return true;
}

/* {n} {n,} {n,m}; anything else is left where it is. */
static bool read_braces(parser *p, uint32_t *min, uint32_t *max) {
    uint32_t start = p->at;
    if (take(p, "{") && read_count(p, min)) {
        *max = *min;
        if (take(p, ",") && !read_count(p, max)) *max = NONE;
        if (take(p, "}")) {
            if (*min > *max) refuse(p, start, "the numbers in { } are out of order");
            return true;
        }
    }
    p->at = start;
    return false;
}

static bool read_quantifier(parser *p, uint32_t *min, uint32_t *max) {
    *min = 0;
    *max = NONE;
    if (take(p, "*")) return true;
    if (take(p, "+")) {
        *min = 1;
        return true;
    }
    if (take(p, "?")) {
        *max = 1;
        return true;
    }
    return read_braces(p, min, max);
}

/* The node, repeated where a quantifier follows; a lazy one means the same texts. */
static regex_node *parse_repeat(parser *p, regex_node *child) {
    uint32_t min, max;
    if (!read_quantifier(p, &min, &max)) return child;
    take(p, "?");
    regex_node *node = node_of(p, REGEX_REPEAT, child);
    node->min = min;
    node->max = max;
    return node;
}

static void refuse_quantifier(parser *p) {
    uint32_t start = p->at, min, max;
    if (read_quantifier(p, &min, &max)) refuse(p, start, "there is nothing to repeat before the quantifier");
}

/* --- groups --------------------------------------------------------------------------------------------------- */

static void skip_group_name(parser *p) {
    uint32_t start = p->at;
    for (; !at_end(p) && peek(p, 0) != '>'; p->at++) {
        uint8_t byte = peek(p, 0), letter = byte | 0x20;
        bool digit = byte >= '0' && byte <= '9';
        bool name = (letter >= 'a' && letter <= 'z') || byte == '_' || byte == '$' || byte >= 0x80;
        if (!name && !(digit && p->at > start)) refuse(p, p->at, "expected the name of a group and >");
    }
    if (p->at == start || !take(p, ">")) refuse(p, p->at, "expected the name of a group and >");
}

static regex_node *group_node(parser *p, regex_kind kind, bool negative, regex_node *body) {
    if (kind == REGEX_SEQUENCE) return body;
    regex_node *node = node_of(p, kind, body);
    node->negative = negative;
    return node;
}

static regex_node *parse_group(parser *p) {
    uint32_t start = p->at++;
    regex_kind kind = REGEX_SEQUENCE;
    bool negative = false;
    if (take(p, "?=") || (negative = take(p, "?!"))) {
        kind = REGEX_AHEAD;
    } else if (take(p, "?<=") || (negative = take(p, "?<!"))) {
        kind = REGEX_BEHIND;
    } else if (take(p, "?<")) {
        skip_group_name(p);
    } else if (peek(p, 0) == '?' && !take(p, "?:")) {
        bool flags = peek(p, 1) == 'i' || peek(p, 1) == 'm' || peek(p, 1) == 's' || peek(p, 1) == '-';
        refuse(p, start, flags ? "inline flags are not supported" : "groups of this kind are not supported");
    }
    if (++p->depth > REGEX_DEPTH_LIMIT) {
        compiler_fail(p->c, WEIR_ERROR_LIMIT, p->place, "byte %u of the pattern: groups are nested more than %u deep",
                      start, REGEX_DEPTH_LIMIT);
    }
    regex_node *body = parse_choice(p);
    p->depth--;
    if (!take(p, ")")) refuse(p, start, "the group that opens here is not closed");
    regex_node *node = group_node(p, kind, negative, body);
    return kind == REGEX_BEHIND ? node : parse_repeat(p, node);
}

/* --- escapes -------------------------------------------------------------------------------------------------- */

static bool read_hex(parser *p, uint32_t digits, uint32_t *value) {
    *value = 0;
    for (uint32_t i = 0; i < digits; i++) {
        uint8_t byte = peek(p, i), letter = byte | 0x20;
        if (byte >= '0' && byte <= '9')
            *value = *value * 16 + (byte - '0');
        else if (letter >= 'a' && letter <= 'f')
            *value = *value * 16 + (letter - 'a' + 10);
        else
            return false;
    }
    p->at += digits;
    return true;
}

/* What follows \u; a pair of surrogates is one code point. */
static uint32_t parse_unicode(parser *p, uint32_t start) {
    uint32_t value = 0, digit, low;
    if (take(p, "{")) {
        uint32_t digits = 0;
        for (; value <= REGEX_LAST_CODE_POINT && read_hex(p, 1, &digit); digits++) value = value * 16 + digit;
        if (digits == 0 || value > REGEX_LAST_CODE_POINT || !take(p, "}")) {
            refuse(p, start, "expected \\u{...} with a code point of at most 10FFFF in hexadecimal");
        }
        return value;
    }
    if (!read_hex(p, 4, &value)) refuse(p, start, "expected four hexadecimal digits or {...} after \\u");
    uint32_t here = p->at;
    if (value >= 0xD800 && value < 0xDC00 && take(p, "\\u") && read_hex(p, 4, &low) && low >= 0xDC00 && low < 0xE000) {
        return 0x10000 + ((value - 0xD800) << 10) + (low - 0xDC00);
    }
    p->at = here;
    return value;
}

static void parse_property(parser *p, uint32_t start, bool negated) {
    uint32_t name = p->at + 1;
    if (!take(p, "{")) refuse(p, start, "expected {...} after \\p");
    while (!at_end(p) && peek(p, 0) != '}') p->at++;
    uint32_t length = p->at - name;
    if (!take(p, "}")) refuse(p, start, "expected a } after \\p{");
    if (!regex_ranges_property(p->c, &p->ranges, p->text + name, length, negated)) {
        refuse(p, start, "this Unicode property is not supported; general categories are");
    }
}

static uint32_t parse_utf8(parser *p) {
    uint8_t byte = peek(p, 0);
    uint32_t more = byte < 0xC0 ? 0 : byte < 0xE0 ? 1 : byte < 0xF0 ? 2 : 3;
    uint32_t value = more == 0 ? byte : byte & (0x3Fu >> more);
    p->at++;
    for (; more > 0 && !at_end(p); more--) value = value << 6 | ((uint8_t)p->text[p->at++] & 0x3F);
    return value;
}

/* One code point, or NONE when its ranges were appended. The backslash is still ahead. */
static uint32_t parse_escape(parser *p) {
    static const char controls[] = "t\tn\nr\rv\vf\f";
    uint32_t start = p->at++, value;
    if (at_end(p)) refuse(p, start, "expected a character after the backslash");
    uint8_t byte = peek(p, 0), letter = byte | 0x20;
    if (byte >= 0x80) return parse_utf8(p);
    p->at++;
    for (const char *control = controls; *control != '\0'; control += 2) {
        if ((uint8_t)*control == byte) return (uint8_t)control[1];
    }
    if (letter == 'd' || letter == 'w' || letter == 's') {
        regex_ranges_escape(p->c, &p->ranges, (char)byte);
        return NONE;
    }
    if (letter == 'p') {
        parse_property(p, start, byte == 'P');
        return NONE;
    }
    if (byte == 'u') return parse_unicode(p, start);
    if (byte == 'x') {
        if (!read_hex(p, 2, &value)) refuse(p, start, "expected two hexadecimal digits after \\x");
        return value;
    }
    if (byte == 'c') {
        value = peek(p, 0) | 0x20;
        if (value < 'a' || value > 'z') refuse(p, start, "expected a letter after \\c");
        p->at++;
        return value & 0x1F;
    }
    if (byte == '0' && (peek(p, 0) < '0' || peek(p, 0) > '9')) return 0;
    if (byte == '0') refuse(p, start, "octal escapes are not supported");
    if (byte == 'k' || (byte >= '1' && byte <= '9')) refuse(p, start, "back references are not supported");
    if (letter >= 'a' && letter <= 'z') refuse(p, start, "ECMA-262 knows no such escape of a letter");
    return byte;
}

/* --- classes -------------------------------------------------------------------------------------------------- */

/* One code point, or NONE when its ranges were appended. */
static uint32_t parse_class_atom(parser *p) {
    if (peek(p, 0) != '\\') return parse_utf8(p);
    if (take(p, "\\b")) return '\b';
    return parse_escape(p);
}

static void add_range(parser *p, uint32_t lo, uint32_t hi) {
    if (lo != NONE) PUSH(p->c, p->ranges, ((regex_range){lo, hi}));
}

static regex_node *parse_class(parser *p) {
    uint32_t start = p->at++;
    bool negated = take(p, "^");
    while (!at_end(p) && peek(p, 0) != ']') {
        uint32_t byte = p->at, lo = parse_class_atom(p);
        if (peek(p, 0) != '-' || peek(p, 1) == ']' || p->length - p->at < 2) {
            add_range(p, lo, lo);
            continue;
        }
        p->at++;
        uint32_t hi = parse_class_atom(p);
        if (lo == NONE || hi == NONE) { /* [\w-.] is \w, - and . */
            add_range(p, lo, lo);
            add_range(p, '-', '-');
            add_range(p, hi, hi);
        } else if (lo > hi) {
            refuse(p, byte, "the ends of the range are out of order");
        } else {
            add_range(p, lo, hi);
        }
    }
    if (!take(p, "]")) refuse(p, start, "the class that opens here is not closed");
    return node_of_ranges(p, negated);
}

/* --- terms ---------------------------------------------------------------------------------------------------- */

static regex_node *parse_atom(parser *p) {
    if (peek(p, 0) == '[') return parse_class(p);
    uint32_t code_point = NONE;
    if (take(p, "."))
        regex_ranges_escape(p->c, &p->ranges, '.');
    else
        code_point = peek(p, 0) == '\\' ? parse_escape(p) : parse_utf8(p);
    add_range(p, code_point, code_point);
    return node_of_ranges(p, false);
}

static regex_node *parse_term(parser *p) {
    if (take(p, "^")) return node_new(p, REGEX_START);
    if (take(p, "$")) return node_new(p, REGEX_END);
    if (peek(p, 0) == '\\' && (peek(p, 1) | 0x20) == 'b') {
        regex_node *node = node_new(p, REGEX_BOUNDARY);
        node->negative = peek(p, 1) == 'B';
        p->at += 2;
        return node;
    }
    if (peek(p, 0) == '(') return parse_group(p);
    refuse_quantifier(p);
    return parse_repeat(p, parse_atom(p));
}
