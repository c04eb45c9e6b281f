/* schema_reference.c - `$id`, `$anchor` and `$ref`: where in the document a reference leads.
 *
 * Identifiers are collected once, at schema positions only (RFC 3986 resolution, RFC 6901 pointers). No network. */
#include <string.h>

#include "schema.h"

typedef struct uri {
    const char *text;
    uint32_t length;
} uri;

static uint32_t find_char(uri u, uint32_t from, char wanted) {
    while (from < u.length && u.text[from] != wanted) from++;
    return from;
}

static uri part(uri u, uint32_t from, uint32_t to) { return (uri){u.text + from, to - from}; }

static uri without_fragment(uri u) { return part(u, 0, find_char(u, 0, '#')); }

static uint32_t scheme_length(uri u) {
    for (uint32_t i = 0; i < u.length; i++) {
        char b = u.text[i];
        if (b == ':') return i > 0 ? i + 1 : 0;
        if (b == '/' || b == '?' || b == '#') return 0;
    }
    return 0;
}

static uri join(compiler *c, uri left, uri middle, uri right) {
    char *text = compiler_new(c, (size_t)left.length + middle.length + right.length + 1);
    memcpy(text, left.text, left.length);
    memcpy(text + left.length, middle.text, middle.length);
    memcpy(text + left.length + middle.length, right.text, right.length);
    return (uri){text, left.length + middle.length + right.length};
}

/* "a/b/../c/./d" -> "a/c/d", in a path that begins with '/'. */
static uri remove_dots(compiler *c, uri path) {
    char *out = compiler_new(c, path.length + 2);
    uint32_t used = 0, at = 0;
    while (at < path.length) {
        uint32_t end = find_char(path, at + 1, '/');
        uint32_t length = end - at; /* "/segment" */
        bool last = end == path.length;
        if (length == 2 && path.text[at] == '/' && path.text[at + 1] == '.') {
            if (last) out[used++] = '/';
        } else if (length == 3 && path.text[at] == '/' && path.text[at + 1] == '.' && path.text[at + 2] == '.') {
            while (used > 0 && out[--used] != '/') {}
            if (last) out[used++] = '/';
        } else {
            memcpy(out + used, path.text + at, length);
            used += length;
        }
        at = end;
    }
    return (uri){out, used};
}

/* RFC 3986 section 5.2, without the query's special cases. */
static uri resolve(compiler *c, uri base, uri reference) {
    if (reference.length == 0) return base;
    if (scheme_length(reference) != 0 || base.length == 0) return reference;
    base = without_fragment(base);
    if (reference.text[0] == '#') return join(c, base, (uri){"", 0}, reference);
    uint32_t authority = scheme_length(base), path = authority;
    if (authority + 1 < base.length && base.text[authority] == '/' && base.text[authority + 1] == '/') {
        path = find_char(base, authority + 2, '/');
    }
    if (reference.length > 1 && reference.text[0] == '/' && reference.text[1] == '/') {
        return join(c, part(base, 0, authority), (uri){"", 0}, reference);
    }
    uri tail = part(reference, find_char(reference, 0, '#'), reference.length);
    reference = without_fragment(reference);
    if (reference.length > 0 && reference.text[0] == '/') {
        return join(c, part(base, 0, path), remove_dots(c, reference), tail);
    }
    uint32_t slash = base.length;
    while (slash > path && base.text[slash - 1] != '/') slash--;
    uri folder = part(base, path, slash);
    uri whole = join(c, folder, (uri){"", 0}, reference);
    if (path > authority && folder.length == 0) whole = join(c, (uri){"/", 1}, (uri){"", 0}, reference);
    if (whole.length > 0 && whole.text[0] == '/') whole = remove_dots(c, whole);
    return join(c, part(base, 0, path), whole, tail);
}

/* --- identifiers ---------------------------------------------------------------------------------------------- */

static void add_identifier(compiler *c, schema_set *set, uri name, const json *node) {
    while (name.length > 0 && name.text[name.length - 1] == '#') name.length--;
    for (uint32_t i = 0; i < set->identifiers.count; i++) {
        if (set->identifiers.items[i].length == name.length &&
            memcmp(set->identifiers.items[i].uri, name.text, name.length) == 0) {
            return; /* the first one stands */
        }
    }
    PUSH(c, set->identifiers, ((__typeof__(*set->identifiers.items)){name.text, name.length, node}));
}

static const json *identifier_member(const json *node, uint8_t draft_number) {
    const json *id = json_get(node, draft_number == DRAFT_4 ? "id" : "$id");
    if (id == NULL || id->kind != JSON_STRING) return NULL;
    if (draft_number <= DRAFT_7 && json_get(node, "$ref") != NULL) return NULL; /* a sibling of $ref */
    return id;
}

static bool name_in(const json *member, const char *const *names) {
    for (; *names != NULL; names++) {
        if (strcmp(member->key, *names) == 0) return true;
    }
    return false;
}

void schema_identifiers(compiler *c, schema_set *set, const json *node, uint8_t draft_number, const char *base_text,
                        uint32_t base_length) {
    static const char *const single[] = {"additionalProperties", "items", "not", "if", "then", "else", "contains",
                                         "propertyNames", "additionalItems", "unevaluatedItems",
                                         "unevaluatedProperties", NULL};
    static const char *const lists[] = {"allOf", "anyOf", "oneOf", "prefixItems", "items", NULL};
    static const char *const maps[] = {"properties", "patternProperties", "$defs", "definitions", "dependentSchemas",
                                       "dependencies", NULL};
    if (node->kind != JSON_OBJECT) return;
    compiler_enter(c, node);
    compiler_spend(c, 100);
    uri base = {base_text, base_length};
    const json *id = identifier_member(node, draft_number);
    if (id != NULL) {
        base = resolve(c, base, (uri){id->text, id->length});
        add_identifier(c, set, base, node);
        if (draft_number >= DRAFT_2019 || id->length == 0 || id->text[0] != '#') base = without_fragment(base);
    } else if (node == set->root) {
        add_identifier(c, set, base, node);
    }
    const json *anchor = draft_number >= DRAFT_2019 ? json_get(node, "$anchor") : NULL;
    if (anchor != NULL && anchor->kind == JSON_STRING) {
        add_identifier(c, set, join(c, base, (uri){"#", 1}, (uri){anchor->text, anchor->length}), node);
    }
    for (const json *m = node->child; m != NULL; m = m->next) {
        if (m->kind == JSON_OBJECT && name_in(m, single)) {
            schema_identifiers(c, set, m, draft_number, base.text, base.length);
        } else if ((m->kind == JSON_ARRAY && name_in(m, lists)) || (m->kind == JSON_OBJECT && name_in(m, maps))) {
            for (const json *item = m->child; item != NULL; item = item->next) {
                schema_identifiers(c, set, item, draft_number, base.text, base.length);
            }
        }
    }
    compiler_leave(c);
}

/* --- references ----------------------------------------------------------------------------------------------- */

static bool is_identified(const schema_set *set, const json *node) {
    for (uint32_t i = 0; i < set->identifiers.count; i++) {
        if (set->identifiers.items[i].node == node) return true;
    }
    return false;
}

/* The base URI in force at a node: that of the nearest enclosing schema with an identifier. */
static uri base_of(compiler *c, const json *node) {
    const schema_set *set = c->schemas;
    VECTOR(const json *) chain = {NULL, 0, 0};
    for (; node != NULL; node = node->parent) {
        if (node->kind == JSON_OBJECT && identifier_member(node, set->root_draft) != NULL && is_identified(set, node)) {
            PUSH(c, chain, node);
        }
    }
    uri base = {"", 0};
    for (uint32_t i = chain.count; i-- > 0;) {
        const json *id = identifier_member(chain.items[i], set->root_draft);
        if (id->length > 0 && id->text[0] == '#') continue;
        base = without_fragment(resolve(c, base, (uri){id->text, id->length}));
    }
    return base;
}

static const json *find_identifier(const schema_set *set, uri name) {
    for (uint32_t i = 0; i < set->identifiers.count; i++) {
        if (set->identifiers.items[i].length == name.length &&
            memcmp(set->identifiers.items[i].uri, name.text, name.length) == 0) {
            return set->identifiers.items[i].node;
        }
    }
    return NULL;
}

static int hex_digit(char b) {
    if (b >= '0' && b <= '9') return b - '0';
    if (b >= 'a' && b <= 'f') return b - 'a' + 10;
    if (b >= 'A' && b <= 'F') return b - 'A' + 10;
    return -1;
}

/* Percent-decoding of a fragment. */
static uri percent_decode(compiler *c, uri fragment) {
    char *out = compiler_new(c, fragment.length + 1);
    uint32_t used = 0;
    for (uint32_t i = 0; i < fragment.length; i++) {
        if (fragment.text[i] == '%' && i + 2 < fragment.length && hex_digit(fragment.text[i + 1]) >= 0 &&
            hex_digit(fragment.text[i + 2]) >= 0) {
            out[used++] = (char)(hex_digit(fragment.text[i + 1]) * 16 + hex_digit(fragment.text[i + 2]));
            i += 2;
        } else {
            out[used++] = fragment.text[i];
        }
    }
    return (uri){out, used};
}

static const json *child_named(const json *node, const char *name, uint32_t length) {
    if (node->kind == JSON_OBJECT) return json_get_n(node, name, length);
    if (node->kind != JSON_ARRAY || length == 0 || length > 9 || (length > 1 && name[0] == '0')) return NULL;
    uint32_t index = 0;
    for (uint32_t i = 0; i < length; i++) {
        if (name[i] < '0' || name[i] > '9') return NULL;
        index = index * 10 + (uint32_t)(name[i] - '0');
    }
    const json *item = node->child;
    while (item != NULL && index-- > 0) item = item->next;
    return item;
}

static const json *follow_pointer(compiler *c, const json *node, uri pointer) {
    char *token = compiler_new(c, pointer.length + 1);
    uint32_t at = 0;
    while (node != NULL && at < pointer.length) {
        uint32_t end = find_char(pointer, at + 1, '/'), length = 0;
        for (uint32_t i = at + 1; i < end; i++) {
            char b = pointer.text[i];
            if (b == '~' && i + 1 < end) b = pointer.text[++i] == '1' ? '/' : '~';
            token[length++] = b;
        }
        node = child_named(node, token, length);
        at = end;
    }
    return node;
}

const json *schema_resolve(compiler *c, const json *reference) {
    uri text = {reference->text, reference->length};
    uri whole = resolve(c, base_of(c, reference->parent), text);
    uri resource = without_fragment(whole);
    uri fragment = percent_decode(c, part(whole, resource.length, whole.length));
    const json *node = find_identifier(c->schemas, resource);
    if (node == NULL && resource.length == 0) node = c->schemas->root;
    if (node == NULL) {
        compiler_fail(c, WEIR_ERROR_SCHEMA, reference, "the reference \"%.120s\" leads outside this document",
                      reference->text);
    }
    if (fragment.length > 1) {
        if (fragment.text[1] == '/') {
            node = follow_pointer(c, node, part(fragment, 1, fragment.length));
        } else {
            node = find_identifier(c->schemas, join(c, resource, (uri){"", 0}, fragment));
        }
    }
    if (node == NULL || (node->kind != JSON_OBJECT && node->kind != JSON_TRUE && node->kind != JSON_FALSE)) {
        compiler_fail(c, WEIR_ERROR_SCHEMA, reference, "the reference \"%.120s\" leads to no schema in this document",
                      reference->text);
    }
    return node;
}
