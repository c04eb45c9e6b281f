/* resource.c - a reference in, the schema that it means out; fetches the documents that references lead to. */
#include "resource_build.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "metaschema.h"

enum { SHOWN = 120 }; /* room for an identifier or a pointer in a message, NUL included */

static const json *follow(compiler *c, const json *reference, uint32_t *anchor_id);
static uint32_t find_document(compiler *c, const json *reference, uri address);
static uint32_t fetch_document(compiler *c, const json *reference, uri address);
static uint32_t find_anchor(compiler *c, const json *reference, uint32_t id, uri name);
static const char *shown(compiler *c, const char *text);
static _Noreturn void fail_reference(compiler *c, const json *place, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static _Noreturn void fail_missing(compiler *c, const json *reference, uint32_t id, bool found);
static _Noreturn void fail_ambiguous(compiler *c, const json *place, const char *name, const json *a, const json *b);

resource_set *resource_set_of(const compiler *c) { return c->resources; }

void resources_new(compiler *c, const json *root, uint8_t default_draft) {
    c->resources = NEW(c, resource_set);
    resource_scan(c, root, (uri){"", 0}, default_draft);
    resource_of(c, root); /* fails in draft 3 */
}

uint32_t resource_of(compiler *c, const json *node) {
    uint32_t id = resource_around(c, node);
    const resource *r = &resource_set_of(c)->items.items[id];
    if (r->draft < 4) fail_reference(c, json_get(r->root, "$schema"), "draft 3 is not supported");
    return id;
}

uint8_t resource_draft(const compiler *c, uint32_t id) {
    return resource_set_of(c)->items.items[id].draft;
}

static const resource *identity_of(const compiler *c, uint32_t id) {
    const resource *items = resource_set_of(c)->items.items;
    return &items[items[id].identity];
}

const json *resource_root(const compiler *c, uint32_t id) {
    return identity_of(c, id)->root;
}

const char *resource_document(const compiler *c, const json *node) {
    const resource_set *set = resource_set_of(c);
    uint32_t document = set->items.items[resource_around(c, node)].document;
    return document != 0 ? set->items.items[document].found.text : NULL;
}

/* --- references ------------------------------------------------------------------------------------------------- */

const json *resource_resolve(compiler *c, const json *reference) {
    uint32_t anchor_id;
    return follow(c, reference, &anchor_id);
}

const json *resource_resolve_dynamic(compiler *c, const json *reference, bool recursive, bool *is_dynamic,
                                     const char **name, uint32_t *name_length) {
    uint32_t anchor_id;
    const json *target = follow(c, reference, &anchor_id);
    const resource *there = identity_of(c, resource_around(c, target));
    const anchor *by_name = anchor_id != NONE ? &resource_set_of(c)->anchors.items[anchor_id] : NULL;
    *name = "";
    *name_length = 0;
    if (recursive) {
        *is_dynamic = there->recursive_anchor && there->root == target;
        return target;
    }
    *is_dynamic = by_name != NULL && by_name->dynamic;
    if (*is_dynamic) {
        *name = by_name->name;
        *name_length = by_name->length;
    }
    return target;
}

const json *resource_dynamic_anchor(compiler *c, uint32_t id, const char *name, uint32_t name_length) {
    const resource *r = identity_of(c, id);
    if (name_length == 0) return r->recursive_anchor ? r->root : NULL;
    uint32_t at = r->has_dynamic_anchor ? anchor_find(c, id, (uri){name, name_length}) : NONE;
    if (at == NONE || !resource_set_of(c)->anchors.items[at].dynamic) return NULL;
    const anchor *a = &resource_set_of(c)->anchors.items[at];
    if (a->rival != NULL) fail_ambiguous(c, a->rival, a->name, a->node, a->rival);
    return a->node;
}

bool resource_has_dynamic_anchor(const compiler *c, uint32_t id) {
    const resource *r = identity_of(c, id);
    return r->recursive_anchor || r->has_dynamic_anchor;
}

/* *anchor_id: the anchor that the fragment names, or NONE. */
static const json *follow(compiler *c, const json *reference, uint32_t *anchor_id) {
    resource_set *set = resource_set_of(c);
    uri fragment, address = uri_split((uri){reference->text, reference->length}, &fragment);
    uint32_t id = resource_around(c, reference);
    compiler_spend(c, 200 + reference->length);
    *anchor_id = NONE;
    if (address.length == 0) {
        id = set->items.items[id].identity;
    } else {
        id = find_document(c, reference, uri_resolve(c, set->items.items[id].base, address));
    }
    const json *target = set->items.items[id].root;
    uint32_t around = address.length == 0 ? set->items.items[id].around : NONE;
    fragment = uri_decode(c, fragment);
    if (fragment.length != 0 && fragment.text[0] == '/') {
        target = resource_follow(c, target, fragment);
        if (target == NULL && around != NONE) target = resource_follow(c, set->items.items[around].root, fragment);
    } else if (fragment.length != 0) {
        *anchor_id = find_anchor(c, reference, id, fragment);
        target = *anchor_id != NONE ? set->anchors.items[*anchor_id].node : NULL;
    }
    if (target == NULL || (target->kind != JSON_OBJECT && target->kind != JSON_TRUE && target->kind != JSON_FALSE)) {
        fail_missing(c, reference, id, target != NULL);
    }
    return target;
}

static uint32_t find_anchor(compiler *c, const json *reference, uint32_t id, uri name) {
    uint32_t at = anchor_find(c, id, name);
    if (at == NONE) return NONE;
    const anchor *a = &resource_set_of(c)->anchors.items[at];
    if (a->rival != NULL) fail_ambiguous(c, reference, a->name, a->node, a->rival);
    return at;
}

/* --- documents -------------------------------------------------------------------------------------------------- */

/* The resource with this URI, which has no fragment. */
static uint32_t find_document(compiler *c, const json *reference, uri address) {
    resource_set *set = resource_set_of(c);
    uint32_t at = intern_find(&set->uris, address.text, address.length);
    if (at == NONE) return fetch_document(c, reference, address);
    const struct address *a = &set->addresses.items[at];
    if (a->rival != NULL) fail_ambiguous(c, reference, address.text, set->items.items[a->resource].root, a->rival);
    return a->resource;
}

static uint32_t fetch_document(compiler *c, const json *reference, uri address) {
    resource_set *set = resource_set_of(c);
    size_t length = 0;
    const char *text = metaschema_text(c, address.text, address.length, &length);
    const char *from = shown(c, reference->text), *to = shown(c, address.text);
    if (text == NULL && c->options.resolve == NULL) {
        fail_reference(c, reference, "\"%s\" leads outside this document, to \"%s\", and options.resolve is not set",
                       from, to);
    }
    if (text == NULL) text = c->options.resolve(c->options.resolve_context, address.text, address.length, &length);
    if (text == NULL) {
        fail_reference(c, reference, "the reference \"%s\" leads to \"%s\", which options.resolve does not know", from,
                       to);
    }
    const json *root;
    weir_error error;
    compiler_spend(c, 10000 + 20 * (uint64_t)length);
    weir_status status = json_parse(text, length, NULL, &c->arena, &root, &error);
    if (status == WEIR_ERROR_JSON) {
        fail_reference(c, reference, "\"%s\" is not JSON: %s (byte %lld)", to, error.message, (long long)error.byte);
    }
    if (status != WEIR_OK) compiler_fail(c, status, reference, "%s", error.message);
    uint8_t draft = set->items.items[resource_around(c, reference)].draft;
    resource_scan(c, root, address, draft);
    return find_document(c, reference, address);
}

/* --- failures --------------------------------------------------------------------------------------------------- */

/* As much of a text as a message shows. */
static const char *shown(compiler *c, const char *text) {
    size_t length = strlen(text);
    if (length < SHOWN - 1) return text;
    length = whole_characters(text, SHOWN - 2);
    char *cut = compiler_zero(c, length + 1);
    return memcpy(cut, text, length);
}

static const char *place_shown(compiler *c, const json *node) {
    const char *document = resource_document(c, node);
    char *text = compiler_new(c, 2 * SHOWN);
    int used = document != NULL ? snprintf(text, SHOWN, "%s#", shown(c, document)) : 0;
    json_pointer(node, text + used, SHOWN);
    return text[0] != '\0' ? text : "the root";
}

static void fail_reference(compiler *c, const json *place, const char *format, ...) {
    char message[sizeof c->error->message];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    const char *document = resource_document(c, place);
    if (document == NULL) compiler_fail(c, WEIR_ERROR_SCHEMA, place, "%s", message);
    compiler_fail(c, WEIR_ERROR_SCHEMA, place, "in \"%s\": %s", shown(c, document), message);
}

static void fail_missing(compiler *c, const json *reference, uint32_t id, bool found) {
    const resource *r = &resource_set_of(c)->items.items[id];
    bool embedded = id != r->document;
    const char *from = shown(c, reference->text), *base = shown(c, embedded ? r->base.text : r->found.text);
    const char *what = found ? "a value that is no schema" : "no schema";
    if (embedded) {
        fail_reference(c, reference,
                       "the reference \"%s\" leads to %s in \"%s\", the schema with its own identifier at %s", from,
                       what, base, place_shown(c, r->root));
    }
    if (r->document != 0) fail_reference(c, reference, "the reference \"%s\" leads to %s in \"%s\"", from, what, base);
    fail_reference(c, reference, "the reference \"%s\" leads to %s in this document", from, what);
}

static void fail_ambiguous(compiler *c, const json *place, const char *name, const json *a, const json *b) {
    fail_reference(c, place, "the identifier \"%s\" names two different schemas, at %s and at %s", shown(c, name),
                   place_shown(c, a), place_shown(c, b));
}
