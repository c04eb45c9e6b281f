/* recogniser_reference.c - a $ref and the place where it stands in, the node that it names out.
 *
 * URIs are joined as RFC 3986 section 5.2 says; resources and anchors are looked for wherever schemas stand. */
#include "recogniser_parts.h"

#include <stdio.h>
#include <string.h>

enum { URI_CAPACITY = 2048 };

/* What is looked at is a schema (or a list of them), an object whose members are, or neither: enum, const, unknown keywords. */
typedef enum place { NO_SCHEMA, SCHEMA, SCHEMAS_BY_NAME } place;

static bool uri_join(const char *base, const char *reference, char *out);
static bool base_of(const recogniser *r, const json *node, char *out);
static const json *find_resource(const recogniser *r, const json *node, const char *uri, place place);
static const json *find_anchor(const recogniser *r, const json *node, const char *uri, const char *anchor, place place);
static const json *follow_pointer(const json *node, const char *pointer);

const json *reference_target(recogniser *r, const json *from, const char *reference, uint32_t length) {
    char base[URI_CAPACITY], uri[URI_CAPACITY];
    if (strlen(reference) != length || !base_of(r, from, base) || !uri_join(base, reference, uri)) return NULL;
    char *fragment = strchr(uri, '#');
    if (fragment) *fragment++ = 0;
    char decoded[URI_CAPACITY] = "";
    size_t used = 0;
    for (const char *c = fragment ? fragment : ""; *c; c++) {
        unsigned byte;
        if (*c == '%' && sscanf(c + 1, "%2x", &byte) == 1)
            decoded[used++] = (char)byte, c += 2;
        else
            decoded[used++] = *c;
    }
    decoded[used] = 0;
    if (decoded[0] && decoded[0] != '/') return find_anchor(r, r->root_node, uri, decoded, SCHEMA);
    const json *resource = find_resource(r, r->root_node, uri, SCHEMA);
    return resource ? follow_pointer(resource, decoded) : NULL;
}

/* The $id of a node as this draft writes it, or NULL. */
static const json *own_id(const recogniser *r, const json *node) {
    if (node->kind != JSON_OBJECT || (r->draft <= 7 && json_get(node, "$ref"))) return NULL;
    const json *id = json_get(node, r->draft == 4 ? "id" : "$id");
    return id && id->kind == JSON_STRING && strlen(id->text) == id->length ? id : NULL;
}

static bool base_of(const recogniser *r, const json *node, char *out) {
    char outer[URI_CAPACITY] = "";
    if (node->parent && !base_of(r, node->parent, outer)) return false;
    const json *id = own_id(r, node);
    if (!id || id->text[0] == '#') return strcpy(out, outer), true;
    if (!uri_join(outer, id->text, out)) return false;
    char *fragment = strchr(out, '#');
    if (fragment) *fragment = 0;
    return true;
}

static place place_below(const json *node, place place, const json *child) {
    static const char *const named[] = {"properties", "patternProperties", "$defs", "definitions", "dependentSchemas", "dependencies"};
    static const char *const single[] = {"items", "prefixItems", "additionalItems", "additionalProperties", "allOf", "anyOf", "oneOf", "not",
                                         "if", "then", "else", "contains", "propertyNames", "unevaluatedItems", "unevaluatedProperties"};
    if (place == SCHEMAS_BY_NAME || node->kind == JSON_ARRAY) return SCHEMA;
    for (size_t i = 0; i < sizeof named / sizeof *named; i++)
        if (!strcmp(child->key, named[i])) return SCHEMAS_BY_NAME;
    for (size_t i = 0; i < sizeof single / sizeof *single; i++)
        if (!strcmp(child->key, single[i])) return SCHEMA;
    return NO_SCHEMA;
}

static const json *find_resource(const recogniser *r, const json *node, const char *uri, place place) {
    char base[URI_CAPACITY];
    if (place == NO_SCHEMA) return NULL;
    const json *id = place == SCHEMA ? own_id(r, node) : NULL;
    if ((!node->parent || (id && id->text[0] != '#')) && base_of(r, node, base) && !strcmp(base, uri)) return node;
    for (const json *child = node->child; child; child = child->next) {
        const json *found = find_resource(r, child, uri, place_below(node, place, child));
        if (found) return found;
    }
    return NULL;
}

static const json *find_anchor(const recogniser *r, const json *node, const char *uri, const char *anchor, place place) {
    char base[URI_CAPACITY];
    if (place == NO_SCHEMA) return NULL;
    if (place == SCHEMA && node->kind == JSON_OBJECT) {
        const json *name = r->draft >= 2019 ? json_get(node, "$anchor") : own_id(r, node);
        const char *text = name && name->kind == JSON_STRING ? name->text : NULL;
        if (text && r->draft < 2019) text = strchr(text, '#') ? strchr(text, '#') + 1 : NULL;
        if (text && !strcmp(text, anchor) && base_of(r, node, base) && !strcmp(base, uri)) return node;
    }
    for (const json *child = node->child; child; child = child->next) {
        const json *found = find_anchor(r, child, uri, anchor, place_below(node, place, child));
        if (found) return found;
    }
    return NULL;
}

static const json *follow_pointer(const json *node, const char *pointer) {
    while (node && *pointer == '/') {
        char step[URI_CAPACITY];
        uint32_t length = 0;
        for (pointer++; *pointer && *pointer != '/'; pointer++) {
            step[length++] = *pointer;
            if (pointer[0] == '~' && (pointer[1] == '0' || pointer[1] == '1'))
                step[length - 1] = *++pointer == '0' ? '~' : '/';
        }
        step[length] = 0;
        if (node->kind == JSON_ARRAY) {
            unsigned index = 0, used = 0;
            if (sscanf(step, "%u%n", &index, (int *)&used) != 1 || used != length) return NULL;
            node = node->child;
            while (node && index--) node = node->next;
        } else {
            node = node->kind == JSON_OBJECT ? json_get_n(node, step, length) : NULL;
        }
    }
    return *pointer ? NULL : node;
}

/* --- URIs --- */

typedef struct uri {
    const char *scheme, *authority, *path, *query, *fragment; /* NULL: absent; the path never is */
    char text[URI_CAPACITY];
} uri;

static void uri_split(const char *text, uri *out) {
    char *rest = strcpy(out->text, text);
    out->scheme = out->authority = out->query = out->fragment = NULL;
    if ((rest = strchr(out->text, '#'))) *rest = 0, out->fragment = rest + 1;
    if ((rest = strchr(out->text, '?'))) *rest = 0, out->query = rest + 1;
    rest = out->text;
    size_t scheme = strcspn(rest, ":/");
    if (rest[scheme] == ':' && scheme) rest[scheme] = 0, out->scheme = rest, rest += scheme + 1;
    if (rest[0] == '/' && rest[1] == '/') {
        size_t length = strcspn(rest + 2, "/");
        memmove(rest, rest + 2, length); /* makes room for the end mark */
        rest[length] = 0;
        out->authority = rest;
        rest += length + 2;
    }
    out->path = rest;
}

static void remove_dots(char *path) {
    char out[URI_CAPACITY] = "";
    size_t length = 0;
    for (char *c = path; *c;) {
        size_t segment = strcspn(c + 1, "/") + 1; /* "/name" */
        if (*c != '/') segment = strcspn(c, "/");
        bool one = segment == 2 && !memcmp(c, "/.", 2), two = segment == 3 && !memcmp(c, "/..", 3);
        if (two)
            while (length && out[--length] != '/') {
            }
        if (!one && !two)
            memcpy(out + length, c, segment), length += segment;
        else if (!c[segment])
            out[length++] = '/';
        out[length] = 0;
        c += segment;
    }
    strcpy(path, out);
}

static bool uri_join(const char *base_text, const char *reference_text, char *out) {
    uri base, reference;
    if (strlen(base_text) + strlen(reference_text) + 8 > URI_CAPACITY) return false;
    uri_split(base_text, &base);
    uri_split(reference_text, &reference);
    char path[URI_CAPACITY];
    strcpy(path, reference.path);
    const char *scheme = reference.scheme, *authority = reference.authority, *query = reference.query;
    if (!scheme) {
        scheme = base.scheme;
        if (!authority) {
            authority = base.authority;
            if (!*path) {
                strcpy(path, base.path);
                if (!query) query = base.query;
            } else if (*path != '/') {
                const char *slash = strrchr(base.path, '/');
                size_t keep = slash ? (size_t)(slash - base.path) + 1 : 0;
                memmove(path + keep, path, strlen(path) + 1);
                memcpy(path, base.path, keep);
                if (!keep && authority) memmove(path + 1, path, strlen(path) + 1), path[0] = '/';
            }
        }
    }
    if (scheme == NULL || authority || *path == '/') remove_dots(path);
    int written =
        snprintf(out, URI_CAPACITY, "%s%s%s%s%s%s%s%s%s", scheme ? scheme : "", scheme ? ":" : "",
                 authority ? "//" : "", authority ? authority : "", path, query ? "?" : "", query ? query : "",
                 reference.fragment ? "#" : "", reference.fragment ? reference.fragment : "");
    return written < URI_CAPACITY;
}
