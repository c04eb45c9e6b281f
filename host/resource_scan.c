/* resource_scan.c - one walk over the schema positions of a document: its resources and anchors go into the set.
 *
 * Which keywords hold schemas, and what identifies one, depends on the draft, which `$schema` can change on the way. */
#include "resource_build.h"

#include <string.h>

enum { DRAFT_3 = 3, DRAFT_2019 = 8 };

static void scan(compiler *c, const json *node, uint32_t around);
static uint32_t identify(compiler *c, const json *node, uint32_t around);
static uint8_t draft_of(const json *node, uint8_t inherited);
static const json *identifier_of(const json *node, uint8_t draft);
static bool same_resource(compiler *c, uint32_t known, const resource *r);
static uint32_t add_resource(compiler *c, const resource *r);
static void add_address(compiler *c, uri name, uint32_t id);
static void add_alias(compiler *c, uri name, uint32_t known);
static void add_anchors(compiler *c, uint32_t id, const json *node, uri legacy_name);
static void scan_members(compiler *c, const json *node, uint32_t id);

uint32_t resource_scan(compiler *c, const json *root, uri document, uint8_t default_draft) {
    resource_set *set = resource_set_of(c);
    resource r = {.base = document, .found = document, .root = root, .around = NONE};
    r.draft = draft_of(root, default_draft);
    uri fragment = {"", 0};
    const json *id = identifier_of(root, r.draft);
    if (id != NULL) {
        uri own = uri_split((uri){id->text, id->length}, &fragment);
        if (own.length != 0) r.base = uri_resolve(c, document, own);
        uint32_t known = intern_find(&set->uris, r.base.text, r.base.length);
        if (known != NONE && same_resource(c, set->addresses.items[known].resource, &r)) {
            add_alias(c, document, known); /* one resource under two URIs */
            return set->addresses.items[known].resource;
        }
    }
    r.document = r.identity = set->items.count;
    uint32_t added = add_resource(c, &r);
    add_address(c, document, added);
    if (!uri_equal(document, r.base)) add_address(c, r.base, added);
    if (root->kind != JSON_OBJECT) return added;
    add_anchors(c, added, root, uri_decode(c, fragment));
    scan_members(c, root, added);
    return added;
}

static void scan(compiler *c, const json *node, uint32_t around) {
    if (node->kind != JSON_OBJECT) return;
    compiler_enter(c, node);
    scan_members(c, node, identify(c, node, around));
    compiler_leave(c);
}

/* The resource that an embedded schema belongs to: a new one, or that of the schema around it. When it is `$schema`
 * that makes `id` an identifier, or `$id`, then the schema around it knows of none; validators take "#/..." from the
 * one or the other, and schemas are written for either: so both are looked at. */
static uint32_t identify(compiler *c, const json *node, uint32_t around) {
    resource r = resource_set_of(c)->items.items[around];
    uri outer = r.base, fragment = {"", 0};
    uint8_t draft = draft_of(node, r.draft);
    const json *id = identifier_of(node, draft);
    bool embedded = false;
    if (id != NULL) {
        uri own = uri_split((uri){id->text, id->length}, &fragment);
        if (own.length != 0) r.base = uri_resolve(c, outer, own);
        /* "http://here#name" inside http://here is an anchor written in full */
        embedded = own.length != 0 && (fragment.length == 0 || !uri_equal(r.base, outer));
    }
    uint32_t added = around;
    if (embedded || draft != r.draft) {
        r.root = node;
        r.around = embedded && (draft <= 4) != (r.draft <= 4) ? r.identity : NONE;
        r.draft = draft;
        r.recursive_anchor = r.has_dynamic_anchor = false;
        if (embedded) r.identity = resource_set_of(c)->items.count;
        added = add_resource(c, &r);
        if (embedded) add_address(c, r.base, added);
    }
    add_anchors(c, added, node, uri_decode(c, fragment));
    return added;
}

static uint8_t draft_of(const json *node, uint8_t inherited) {
    static const struct { const char *uri; uint8_t draft; } known[] = {
        {"http://json-schema.org/draft-03/schema", DRAFT_3},
        {"http://json-schema.org/draft-04/schema", 4},
        {"http://json-schema.org/draft-06/schema", 6},
        {"http://json-schema.org/draft-07/schema", 7},
        {"https://json-schema.org/draft/2019-09/schema", DRAFT_2019},
        {"https://json-schema.org/draft/2020-12/schema", 9}};
    const json *value = json_get(node, "$schema");
    if (value == NULL || value->kind != JSON_STRING) return inherited;
    size_t length = value->length;
    if (length > 0 && value->text[length - 1] == '#') length--;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (strlen(known[i].uri) == length && memcmp(known[i].uri, value->text, length) == 0) return known[i].draft;
    }
    return inherited;
}

static const json *identifier_of(const json *node, uint8_t draft) {
    const json *id = json_get(node, draft <= 4 ? "id" : "$id");
    if (id == NULL || id->kind != JSON_STRING) return NULL;
    if (draft < DRAFT_2019 && json_get(node, "$ref") != NULL) return NULL; /* what stands beside $ref is ignored */
    return id;
}

/* --- the set ---------------------------------------------------------------------------------------------------- */

static uint32_t add_resource(compiler *c, const resource *r) {
    resource_set *set = resource_set_of(c);
    PUSH(c, set->items, *r);
    return intern(c, &set->nodes, &r->root, sizeof r->root, NULL); /* a node is met once, so ids run in step */
}

uint32_t resource_around(const compiler *c, const json *node) {
    const resource_set *set = resource_set_of(c);
    for (; node != NULL; node = node->parent) {
        uint32_t id = intern_find(&set->nodes, &node, sizeof node);
        if (id != NONE) return id;
    }
    return 0;
}

static bool same_name(const json *a, const json *b) {
    if (a->key == NULL || b->key == NULL) return a->key == b->key;
    return a->key_length == b->key_length && memcmp(a->key, b->key, a->key_length) == 0;
}

/* Whether two values read the same, keys in the same order. */
static bool same_text(compiler *c, const json *a, const json *b) {
    if (a->kind != b->kind || a->count != b->count || a->length != b->length) return false;
    compiler_spend(c, 20 + a->length / 8);
    if (a->length != 0 && memcmp(a->text, b->text, a->length) != 0) return false;
    bool same = true;
    compiler_enter(c, a);
    for (a = a->child, b = b->child; same && a != NULL; a = a->next, b = b->next) {
        same = same_name(a, b) && same_text(c, a, b);
    }
    compiler_leave(c);
    return same;
}

static bool same_resource(compiler *c, uint32_t known, const resource *r) {
    const resource *old = &resource_set_of(c)->items.items[known];
    return old->draft == r->draft && same_text(c, old->root, r->root);
}

static void add_address(compiler *c, uri name, uint32_t id) {
    resource_set *set = resource_set_of(c);
    bool is_new;
    uint32_t at = intern(c, &set->uris, name.text, name.length, &is_new);
    if (is_new) {
        PUSH(c, set->addresses, ((address){id, NULL}));
        return;
    }
    address *a = &set->addresses.items[at];
    const resource *added = &set->items.items[id];
    if (a->rival == NULL && a->resource != id && !same_resource(c, a->resource, added)) a->rival = added->root;
}

/* Another name for what has one. */
static void add_alias(compiler *c, uri name, uint32_t known) {
    resource_set *set = resource_set_of(c);
    bool is_new;
    intern(c, &set->uris, name.text, name.length, &is_new);
    if (is_new) PUSH(c, set->addresses, set->addresses.items[known]);
}

/* {resource, name} as one string of bytes. */
static void *anchor_key(compiler *c, uint32_t id, uri name, size_t *size) {
    char *key = compiler_new(c, sizeof id + name.length);
    memcpy(key, &id, sizeof id);
    memcpy(key + sizeof id, name.text, name.length);
    *size = sizeof id + name.length;
    return key;
}

uint32_t anchor_find(compiler *c, uint32_t id, uri name) {
    size_t size;
    const void *key = anchor_key(c, resource_set_of(c)->items.items[id].identity, name, &size);
    return intern_find(&resource_set_of(c)->names, key, size);
}

static void add_anchor(compiler *c, uint32_t id, const json *node, uri name, bool dynamic) {
    if (name.length == 0) return;
    resource_set *set = resource_set_of(c);
    size_t size;
    bool is_new;
    const void *key = anchor_key(c, set->items.items[id].identity, name, &size);
    uint32_t at = intern(c, &set->names, key, size, &is_new);
    if (is_new) {
        PUSH(c, set->anchors, ((anchor){node, NULL, name.text, name.length, dynamic}));
        return;
    }
    anchor *a = &set->anchors.items[at];
    if (a->rival == NULL && a->node != node && !same_text(c, a->node, node)) a->rival = node;
    a->dynamic |= dynamic;
}

static void add_anchors(compiler *c, uint32_t id, const json *node, uri legacy_name) {
    resource *r = &resource_set_of(c)->items.items[id];
    resource *identity = &resource_set_of(c)->items.items[r->identity];
    add_anchor(c, id, node, legacy_name, false);
    if (r->draft < DRAFT_2019) return;
    const json *plain = json_get(node, "$anchor");
    if (plain != NULL && plain->kind == JSON_STRING) add_anchor(c, id, node, (uri){plain->text, plain->length}, false);
    if (r->draft == DRAFT_2019) {
        const json *recursive = json_get(node, "$recursiveAnchor");
        r->recursive_anchor |= r->root == node && r == identity && recursive != NULL && recursive->kind == JSON_TRUE;
        return;
    }
    const json *dynamic = json_get(node, "$dynamicAnchor");
    if (dynamic == NULL || dynamic->kind != JSON_STRING) return;
    add_anchor(c, id, node, (uri){dynamic->text, dynamic->length}, true);
    identity->has_dynamic_anchor = true;
}

/* --- schema positions ------------------------------------------------------------------------------------------- */

enum { SCHEMA = 1, LIST = 2, MAP = 4 }; /* a keyword's value is a schema, an array of them, an object of them */

static const struct { const char *name; uint8_t since, until, holds; } keywords[] = {
    {"properties", 3, 9, MAP},
    {"items", 3, 9, SCHEMA | LIST},
    {"additionalProperties", 3, 9, SCHEMA},
    {"definitions", 3, 9, MAP},
    {"$defs", 8, 9, MAP},
    {"allOf", 4, 9, LIST},
    {"anyOf", 4, 9, LIST},
    {"oneOf", 4, 9, LIST},
    {"not", 4, 9, SCHEMA},
    {"patternProperties", 3, 9, MAP},
    {"additionalItems", 3, 8, SCHEMA},
    {"dependencies", 3, 9, MAP}, /* kept by validators beyond draft 7 */
    {"dependentSchemas", 8, 9, MAP},
    {"prefixItems", 9, 9, LIST},
    {"if", 7, 9, SCHEMA},
    {"then", 7, 9, SCHEMA},
    {"else", 7, 9, SCHEMA},
    {"contains", 6, 9, SCHEMA},
    {"propertyNames", 6, 9, SCHEMA},
    {"unevaluatedItems", 8, 9, SCHEMA},
    {"unevaluatedProperties", 8, 9, SCHEMA},
    {"contentSchema", 8, 9, SCHEMA}};

static uint8_t held_by(const json *member, uint8_t draft) {
    for (size_t i = 0; i < sizeof keywords / sizeof *keywords; i++) {
        const char *name = keywords[i].name;
        if (name[0] == member->key[0] && strlen(name) == member->key_length &&
            memcmp(name, member->key, member->key_length) == 0) {
            return draft >= keywords[i].since && draft <= keywords[i].until ? keywords[i].holds : 0;
        }
    }
    return 0;
}

static void scan_members(compiler *c, const json *node, uint32_t id) {
    uint8_t draft = resource_set_of(c)->items.items[id].draft;
    compiler_spend(c, 100 + 50 * (uint64_t)node->count);
    for (const json *m = node->child; m != NULL; m = m->next) {
        if (m->kind != JSON_OBJECT && m->kind != JSON_ARRAY) continue;
        uint8_t holds = held_by(m, draft);
        if (m->kind == JSON_OBJECT && (holds & SCHEMA) != 0) scan(c, m, id);
        if ((holds & (m->kind == JSON_OBJECT ? MAP : LIST)) == 0) continue;
        for (const json *item = m->child; item != NULL; item = item->next) scan(c, item, id);
    }
}
