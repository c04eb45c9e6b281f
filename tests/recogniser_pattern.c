/* recogniser_pattern.c - an ECMA-262 pattern in, the language of the strings in which it matches somewhere out.
 *
 * The pattern is read into a tree, then written from its end to its beginning: a node together with the language of what
 * comes after it. So $ says that the rest is empty, and a look-ahead says a second thing of the same rest. For ^ there are
 * two rests, one for "nothing has been read yet". Not read: look-behind, references to groups, \b, \p, and assertions in
 * an unbounded loop. */
#include "recogniser_language.h"

#include <stdlib.h>
#include <string.h>

#include "recogniser_parts.h"

enum { DEEPEST = 200, UNROLLED = 6, LARGEST_COUNT = 100000, CLASS_RANGES = 512 };

typedef enum tree_kind { TREE_PLAIN, TREE_SEQUENCE, TREE_EITHER, TREE_LOOP, TREE_BEGIN, TREE_END, TREE_AHEAD } tree_kind;

/* PLAIN: a language of its own; all below it is plain too. */
typedef struct tree {
    tree_kind kind;
    language plain;
    struct tree *a, *b;
    uint32_t least, most;
    bool negative; /* of AHEAD */
} tree;

typedef struct reader {
    language_pool *pool;
    const char *at, *end;
    arena arena;
    int depth;
    const char *why; /* what cannot be read; NULL: nothing */
} reader;

typedef struct character_class {
    character_range ranges[CLASS_RANGES];
    uint32_t count;
} character_class;

static tree *read_either(reader *r);
static language write_tree(reader *r, const tree *t, language rest_first, language rest, bool first);

bool language_of_pattern(language_pool *pool, const char *text, size_t length, language *out, const char **why) {
    reader r = {.pool = pool, .at = text, .end = text + length};
    arena_init(&r.arena, NULL, 0);
    const tree *t = read_either(&r);
    if (!r.why && r.at < r.end) r.why = "a ) without its (";
    if (!r.why) {
        language later = write_tree(&r, t, LANGUAGE_ALL, LANGUAGE_ALL, false);
        language some = language_of_length(pool, 1, UINT64_MAX);
        *out = language_or(pool, write_tree(&r, t, LANGUAGE_ALL, LANGUAGE_ALL, true), language_concat(pool, some, later));
    }
    *why = r.why;
    arena_free(&r.arena);
    return !r.why;
}

static tree *reject(reader *r, const char *why) {
    if (!r->why) r->why = why;
    return NULL;
}

static tree *new_tree(reader *r, tree_kind kind, tree *a, tree *b) {
    tree *t = region_take(&r->arena, sizeof *t);
    *t = (tree){.kind = kind, .a = a, .b = b};
    return t;
}

static tree *plain(reader *r, language l) {
    tree *t = new_tree(r, TREE_PLAIN, NULL, NULL);
    t->plain = l;
    return t;
}

static bool next_is(reader *r, const char *text) {
    size_t length = strlen(text);
    if ((size_t)(r->end - r->at) < length || memcmp(r->at, text, length)) return false;
    r->at += length;
    return true;
}

/* --- characters --- */

static void put_range(reader *r, character_class *out, uint32_t low, uint32_t high) {
    if (out->count == CLASS_RANGES)
        reject(r, "a class of too many ranges");
    else
        out->ranges[out->count++] = (character_range){low, high};
}

static void put_spaces(reader *r, character_class *out) {
    static const character_range spaces[] = {{9, 13},         {' ', ' '},       {0xa0, 0xa0},     {0x1680, 0x1680},
                                             {0x2000, 0x200a}, {0x2028, 0x2029}, {0x202f, 0x202f}, {0x205f, 0x205f},
                                             {0x3000, 0x3000}, {0xfeff, 0xfeff}};
    for (size_t i = 0; i < sizeof spaces / sizeof *spaces; i++) put_range(r, out, spaces[i].low, spaces[i].high);
}

static int compare_lows(const void *a, const void *b) {
    uint32_t x = ((const character_range *)a)->low, y = ((const character_range *)b)->low;
    return (x > y) - (x < y);
}

/* All characters that the class lacks. */
static void put_complement(reader *r, character_class *of, character_class *out) {
    uint32_t from = 0;
    qsort(of->ranges, of->count, sizeof *of->ranges, compare_lows);
    for (uint32_t i = 0; i < of->count; i++) {
        if (of->ranges[i].low > from) put_range(r, out, from, of->ranges[i].low - 1);
        if (of->ranges[i].high + 1 > from) from = of->ranges[i].high + 1;
    }
    if (from <= 0x10ffff) put_range(r, out, from, 0x10ffff);
}

/* \d \D \w \W \s \S: false for other letters. */
static bool put_class_escape(reader *r, char letter, character_class *out) {
    character_class own = {.count = 0};
    switch (letter | 32) {
    case 'd': put_range(r, &own, '0', '9'); break;
    case 'w':
        put_range(r, &own, '0', '9');
        put_range(r, &own, 'A', 'Z');
        put_range(r, &own, '_', '_');
        put_range(r, &own, 'a', 'z');
        break;
    case 's': put_spaces(r, &own); break;
    default: return false;
    }
    if (letter < 'a') {
        put_complement(r, &own, out);
    } else {
        for (uint32_t i = 0; i < own.count; i++) put_range(r, out, own.ranges[i].low, own.ranges[i].high);
    }
    return true;
}

/* So many hexadecimal digits; false, and nothing is read, where they are not there. */
static bool read_hex(reader *r, int digits, uint32_t *out) {
    uint32_t value = 0;
    if (r->end - r->at < digits) return false;
    for (int i = 0; i < digits; i++) {
        char c = r->at[i];
        if (c >= '0' && c <= '9')
            value = value << 4 | (uint32_t)(c - '0');
        else if ((c | 32) >= 'a' && (c | 32) <= 'f')
            value = value << 4 | (uint32_t)((c | 32) - 'a' + 10);
        else
            return false;
    }
    r->at += digits;
    *out = value;
    return true;
}

static uint32_t read_unicode_escape(reader *r) {
    uint32_t value = 0, low;
    if (next_is(r, "{")) {
        for (uint32_t digit; read_hex(r, 1, &digit) && value <= 0x10ffff;) value = value << 4 | digit;
        if (!next_is(r, "}") || value > 0x10ffff) reject(r, "a \\u{ that does not end");
        return value;
    }
    if (!read_hex(r, 4, &value)) return reject(r, "\\u without four digits"), 0;
    const char *after = r->at;
    if (value >= 0xd800 && value < 0xdc00 && next_is(r, "\\u") && read_hex(r, 4, &low) && low >= 0xdc00 && low < 0xe000)
        return 0x10000 + ((value & 0x3ff) << 10) + (low & 0x3ff);
    r->at = after;
    return value;
}

/* After a backslash, one character. */
static uint32_t read_escape(reader *r) {
    static const char controls[] = "t\tn\nv\vf\fr\r";
    uint32_t step, character = utf8_decode(r->at, &step);
    r->at += step;
    for (const char *c = controls; *c; c += 2)
        if (character == (unsigned char)*c) return (unsigned char)c[1];
    if (character == 'x') return read_hex(r, 2, &character) ? character : (reject(r, "\\x without two digits"), 0);
    if (character == 'u') return read_unicode_escape(r);
    if (character == 'c' && r->at < r->end && (*r->at | 32) >= 'a' && (*r->at | 32) <= 'z') return *r->at++ & 31;
    if (character == '0' && !(r->at < r->end && *r->at >= '0' && *r->at <= '9')) return 0;
    bool letter = (character | 32) >= 'a' && (character | 32) <= 'z';
    if (letter || (character >= '0' && character <= '9')) reject(r, "an escape that is not known here");
    return character;
}

/* One member of a class; true: it is a single character, which may begin a range. */
static bool read_class_atom(reader *r, character_class *out, uint32_t *character) {
    uint32_t step;
    if (*r->at != '\\') {
        *character = utf8_decode(r->at, &step);
        r->at += step;
        return true;
    }
    r->at++;
    if (r->at == r->end) return reject(r, "a \\ at the end"), false;
    if (put_class_escape(r, *r->at, out)) return r->at++, false;
    if (next_is(r, "b"))
        *character = 8;
    else
        *character = read_escape(r);
    return true;
}

static tree *read_class(reader *r) {
    character_class *own = region_take(&r->arena, sizeof *own), *all = region_take(&r->arena, sizeof *all);
    bool negative = next_is(r, "^");
    while (r->at < r->end && *r->at != ']' && !r->why) {
        uint32_t low, high;
        bool single = read_class_atom(r, own, &low);
        bool ranges = r->end - r->at > 1 && r->at[0] == '-' && r->at[1] != ']';
        if (single && !ranges) put_range(r, own, low, low);
        if (!ranges) continue;
        r->at++;
        bool second = read_class_atom(r, own, &high);
        if (single && second) {
            if (low > high) reject(r, "a range whose end is before its beginning");
            put_range(r, own, low, high);
            continue;
        }
        put_range(r, own, '-', '-'); /* [\w-a] is no range */
        if (single) put_range(r, own, low, low);
        if (second) put_range(r, own, high, high);
    }
    if (r->at == r->end) return reject(r, "a class that does not end");
    r->at++;
    if (!negative) return plain(r, language_of_set(r->pool, own->ranges, own->count));
    put_complement(r, own, all);
    return plain(r, language_of_set(r->pool, all->ranges, all->count));
}

/* --- structure --- */

static tree *read_group(reader *r) {
    bool ahead = false, negative = false;
    if (next_is(r, "?=") || next_is(r, "?!")) {
        ahead = true;
        negative = r->at[-1] == '!';
    } else if (!next_is(r, "?:") && next_is(r, "?")) {
        if (!next_is(r, "<") || next_is(r, "=") || next_is(r, "!")) return reject(r, "a group that is not known here");
        while (r->at < r->end && *r->at != '>') r->at++;
        if (!next_is(r, ">")) return reject(r, "a name of a group that does not end");
    }
    tree *inner = read_either(r);
    if (!next_is(r, ")")) return reject(r, "a ( without its )");
    if (!ahead) return inner;
    tree *t = new_tree(r, TREE_AHEAD, inner, NULL);
    t->negative = negative;
    return t;
}

static tree *one_character(reader *r, uint32_t character) {
    return plain(r, language_of_set(r->pool, &(character_range){character, character}, 1));
}

static tree *read_atom(reader *r) {
    static const character_range dot[] = {{0, '\n' - 1}, {'\n' + 1, '\r' - 1}, {'\r' + 1, 0x2027}, {0x202a, 0x10ffff}};
    character_class class = {.count = 0};
    uint32_t step, character;
    if (next_is(r, "(")) return read_group(r);
    if (next_is(r, "[")) return read_class(r);
    if (next_is(r, "^")) return new_tree(r, TREE_BEGIN, NULL, NULL);
    if (next_is(r, "$")) return new_tree(r, TREE_END, NULL, NULL);
    if (next_is(r, ".")) return plain(r, language_of_set(r->pool, dot, 4));
    if (*r->at == '*' || *r->at == '+' || *r->at == '?') return reject(r, "nothing to repeat");
    if (!next_is(r, "\\")) {
        character = utf8_decode(r->at, &step);
        r->at += step;
        return one_character(r, character);
    }
    if (r->at == r->end) return reject(r, "a \\ at the end");
    if (put_class_escape(r, *r->at, &class)) {
        r->at++;
        return plain(r, language_of_set(r->pool, class.ranges, class.count));
    }
    character = read_escape(r);
    return one_character(r, character);
}

/* {3} {3,} {3,5}; false: another text, which stands for itself. */
static bool read_counts(reader *r, uint32_t *least, uint32_t *most) {
    const char *start = r->at;
    uint64_t counts[2] = {0, 0};
    int given[2] = {0, 0};
    bool comma = false;
    if (!next_is(r, "{")) return false;
    for (int i = 0; i < 2; i++) {
        for (; r->at < r->end && *r->at >= '0' && *r->at <= '9'; r->at++, given[i]++)
            if (counts[i] <= LARGEST_COUNT) counts[i] = 10 * counts[i] + (uint64_t)(*r->at - '0');
        if (i == 0) comma = next_is(r, ",");
        if (!comma) break;
    }
    if (!given[0] || !next_is(r, "}")) return r->at = start, false;
    *least = (uint32_t)counts[0];
    *most = !comma ? *least : given[1] ? (uint32_t)counts[1] : LANGUAGE_FOREVER;
    if (*least > LARGEST_COUNT || (given[1] && *most > LARGEST_COUNT)) reject(r, "a count that is too large");
    if (*most < *least) reject(r, "counts in the wrong order");
    return true;
}

static tree *read_repeated(reader *r) {
    uint32_t least = 0, most = LANGUAGE_FOREVER;
    tree *atom = read_atom(r);
    if (r->why || r->at == r->end) return atom;
    bool repeated = true;
    if (next_is(r, "+"))
        least = 1;
    else if (next_is(r, "?"))
        most = 1;
    else if (!next_is(r, "*"))
        repeated = read_counts(r, &least, &most);
    if (!repeated || r->why) return atom;
    next_is(r, "?"); /* lazy: the same strings */
    if (atom->kind == TREE_PLAIN) return plain(r, language_loop(r->pool, atom->plain, least, most));
    if (most > UNROLLED && most != LANGUAGE_FOREVER) return reject(r, "an assertion in a long loop");
    if (most == LANGUAGE_FOREVER) return reject(r, "an assertion in a loop");
    tree *t = new_tree(r, TREE_LOOP, atom, NULL);
    t->least = least;
    t->most = most;
    return t;
}

static tree *read_sequence(reader *r) {
    tree *whole = plain(r, LANGUAGE_EMPTY);
    while (r->at < r->end && *r->at != '|' && *r->at != ')' && !r->why) {
        tree *next = read_repeated(r);
        if (r->why) break;
        if (whole->kind == TREE_PLAIN && next->kind == TREE_PLAIN)
            whole = plain(r, language_concat(r->pool, whole->plain, next->plain));
        else
            whole = new_tree(r, TREE_SEQUENCE, whole, next);
    }
    return whole;
}

static tree *read_either(reader *r) {
    if (++r->depth > DEEPEST) return reject(r, "groups that are nested too deep");
    tree *whole = read_sequence(r);
    while (!r->why && next_is(r, "|")) {
        tree *next = read_sequence(r);
        if (r->why) break;
        if (whole->kind == TREE_PLAIN && next->kind == TREE_PLAIN)
            whole = plain(r, language_or(r->pool, whole->plain, next->plain));
        else
            whole = new_tree(r, TREE_EITHER, whole, next);
    }
    r->depth--;
    return whole;
}

/* --- writing --- */

/* A plain language, then one of the rests: `rest_first` where `first` holds and nothing has been read. */
static language write_plain(reader *r, language l, language rest_first, language rest, bool first) {
    if (!first || rest_first == rest) return language_concat(r->pool, l, rest);
    language some = language_and(r->pool, l, language_of_length(r->pool, 1, UINT64_MAX));
    language after_some = language_concat(r->pool, some, rest);
    return language_ends(r->pool, l) ? language_or(r->pool, after_some, rest_first) : after_some;
}

static language write_loop(reader *r, const tree *t, uint32_t least, uint32_t most, language rest_first, language rest,
                           bool first) {
    language here = first ? rest_first : rest;
    if (!most) return here;
    uint32_t fewer = least ? least - 1 : 0;
    language again = write_loop(r, t, fewer, most - 1, rest_first, rest, false);
    language again_first = write_loop(r, t, fewer, most - 1, rest_first, rest, first);
    language once = write_tree(r, t->a, again_first, again, first);
    return least ? once : language_or(r->pool, once, here);
}

static language write_tree(reader *r, const tree *t, language rest_first, language rest, bool first) {
    language here = first ? rest_first : rest, said;
    switch (t->kind) {
    case TREE_PLAIN: return write_plain(r, t->plain, rest_first, rest, first);
    case TREE_SEQUENCE:
        said = write_tree(r, t->b, rest_first, rest, false);
        return write_tree(r, t->a, first ? write_tree(r, t->b, rest_first, rest, true) : said, said, first);
    case TREE_EITHER:
        said = write_tree(r, t->a, rest_first, rest, first);
        return language_or(r->pool, said, write_tree(r, t->b, rest_first, rest, first));
    case TREE_LOOP: return write_loop(r, t, t->least, t->most, rest_first, rest, first);
    case TREE_BEGIN: return first ? rest_first : LANGUAGE_NONE;
    case TREE_END: return language_and(r->pool, here, LANGUAGE_EMPTY);
    default:
        said = write_tree(r, t->a, LANGUAGE_ALL, LANGUAGE_ALL, first);
        return language_and(r->pool, t->negative ? language_not(r->pool, said) : said, here);
    }
}
