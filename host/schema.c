/* schema.c - the walk that turns schema objects into records: from the root to every schema that can apply.
 *
 * Every member of a schema object is looked up in the keyword table. What the table does not know is noted; what it knows
 * and nobody reads is refused. */
#include "resource.h"
#include "schema.h"

#include <stdlib.h>
#include <string.h>

const schema *schema_get(const compiler *c, uint32_t id) { return &c->schemas->items.items[id]; }

static bool format_is_standard(const json *value) {
    static const char *const names[] = {"date-time", "date",     "time",          "duration", "email",
                                        "idn-email", "hostname", "idn-hostname",  "ipv4",     "ipv6",
                                        "uri",       "iri",      "uri-reference", "uuid",     "iri-reference",
                                        "regex",     "color",    "uri-template",  "json-pointer", "relative-json-pointer"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (json_string_is(value, names[i])) return true;
    }
    return false;
}

static void report(compiler *c, bool silent, const json *member, weir_keyword_fate fate, const char *why) {
    if (silent) return;
    char pointer[256];
    json_pointer(member->parent, pointer, sizeof pointer);
    size_t length = strlen(pointer) + 1;
    char *copy = compiler_new(c, length);
    memcpy(copy, pointer, length);
    weir_keyword_report entry = {fate, copy, member->key, why};
    PUSH(c, c->schemas->report, entry);
    if (fate == WEIR_KEYWORD_RECORDED && c->options.strict) {
        compiler_fail(c, WEIR_ERROR_SCHEMA, member, "\"%s\" is not enforced (%s), and strict mode was asked for",
                      member->key, why);
    }
}

/* --- the walk ------------------------------------------------------------------------------------------------- */

static uint32_t push_schema(compiler *c, const schema *s) {
    PUSH(c, c->schemas->items, *s);
    for (int type = 0; type < TYPE_COUNT; type++) {
        PUSH(c, c->schemas->formulas, NONE);
        PUSH(c, c->schemas->under_way, 0);
    }
    return c->schemas->items.count - 1;
}

static schema blank(const json *node) {
    schema s;
    memset(&s, 0, sizeof s);
    s.node = node;
    s.reference = s.dynamic = s.additional = s.items = s.contains = s.key_set = s.names = NONE;
    s.unevaluated_properties = s.unevaluated_items = NONE;
    s.not_schema = s.if_schema = s.then_schema = s.else_schema = NONE;
    s.max_items = s.max_length = s.max_properties = s.max_contains = NONE;
    s.first_error = s.known = NONE;
    s.min_contains = 1;
    s.pattern = NONE;
    s.at_least = s.at_most = s.above = s.below = NONE;
    s.types = (1u << TYPE_COUNT) - 1;
    return s;
}

static uint32_t add_record(compiler *c, const json *node, bool is_value, uint32_t scope) {
    uintptr_t key[2] = {(uintptr_t)node | (is_value ? 1 : 0), scope}; /* nodes are aligned */
    bool is_new;
    uint32_t id = intern(c, &c->schemas->by_node, key, sizeof key, &is_new);
    if (!is_new) return id;
    schema s = blank(node);
    s.is_value = is_value;
    s.scope = scope;
    return push_schema(c, &s);
}

uint32_t schema_add(compiler *c, const schema *from, const json *node) {
    return add_record(c, node, false, scope_enter(c, from != NULL ? from->scope : 0, node));
}

uint32_t schema_add_value(compiler *c, const json *node) { return add_record(c, node, true, 0); }

static uint32_t push_question(compiler *c, uint32_t of, int asks) {
    schema question = *schema_get(c, of);
    question.asks = asks;
    question.of = of;
    question.first_error = question.known = NONE;
    return push_schema(c, &question);
}

void schema_add_questions(compiler *c, uint32_t id) {
    uint32_t first_error = push_question(c, id, FIRST_ERROR_OF), known = push_question(c, id, KNOWN_OF);
    uint32_t first_known = push_question(c, first_error, KNOWN_OF);
    c->schemas->items.items[first_error].known = first_known;
    c->schemas->items.items[id].first_error = first_error;
    c->schemas->items.items[id].known = known;
}

uint32_t schema_union(compiler *c, const json *place, uint32_t *ids, uint32_t count) {
    schema_set *set = c->schemas;
    uint32_t used = 0;
    qsort(ids, count, sizeof *ids, order_ids);
    for (uint32_t i = 0; i < count; i++) {
        if (used == 0 || ids[used - 1] != ids[i]) ids[used++] = ids[i];
    }
    if (used == 1) return ids[0];
    bool is_new;
    uint32_t at = intern(c, &set->unions, ids, sizeof *ids * used, &is_new);
    if (!is_new) return set->union_ids.items[at];
    schema s = blank(place);
    s.is_union = true;
    s.any_of = compiler_grow(c, ids, sizeof *ids * used, sizeof *ids * used);
    s.any_count = used;
    uint32_t id = push_schema(c, &s);
    PUSH(c, set->union_ids, id);
    return id;
}

/* A schema that is read in several scopes is reported once. */
static bool first_report(compiler *c, const json *node) {
    bool is_new;
    intern(c, &c->schemas->reported, &node, sizeof node, &is_new);
    return is_new;
}

static void read_schema(compiler *c, schema *s) {
    const json *node = s->node;
    if (node->kind == JSON_TRUE || node->kind == JSON_FALSE) return;
    if (node->kind != JSON_OBJECT) compiler_fail(c, WEIR_ERROR_SCHEMA, node, "a schema must be an object or a boolean");
    s->draft = resource_draft(c, resource_of(c, node));
    const json *reference = json_get(node, "$ref");
    bool only_reference = s->draft <= DRAFT_7 && reference != NULL && reference->kind == JSON_STRING;
    bool silent = !first_report(c, node);
    for (const json *member = node->child; member != NULL; member = member->next) {
        compiler_spend(c, 200);
        const keyword *k = keyword_find(member, s->draft);
        if (only_reference && member != reference) {
            report(c, silent, member, WEIR_KEYWORD_NOTED, "");
        } else if (k == NULL || k->class == KEYWORD_ANNOTATION) {
            report(c, silent, member, WEIR_KEYWORD_NOTED, "");
        } else if (k->class == KEYWORD_REFUSED) {
            compiler_fail(c, WEIR_ERROR_SCHEMA, member, "the keyword \"%s\" is not supported", k->name);
        } else if (k->class == KEYWORD_FORMAT) {
            if (member->kind != JSON_STRING || format_is_standard(member)) {
                compiler_fail(c, WEIR_ERROR_SCHEMA, member, "the keyword \"format\" is not supported (\"%.60s\")",
                              member->kind == JSON_STRING ? member->text : "");
            }
            report(c, silent, member, WEIR_KEYWORD_RECORDED, "unknown format");
        } else {
            report(c, silent, member, WEIR_KEYWORD_ENFORCED, "");
            k->read(c, s, member);
        }
    }
}

/* From the root to all that can apply, as reading a schema adds the schemas it uses. False: a dynamic reference was met
 * whose name is followed only from now on. */
static bool read_all(compiler *c) {
    schema_set *set = c->schemas;
    uint32_t names = set->dynamic_names.count;
    schema_add(c, NULL, set->root);
    for (uint32_t id = 0; id < set->items.count; id++) {
        schema s = set->items.items[id]; /* a copy: the vector may move */
        if (s.is_value) {
            schema_read_value(c, &s);
        } else {
            read_schema(c, &s);
        }
        set->items.items[id] = s;
        if (set->dynamic_names.count != names) return false;
    }
    return true;
}

schema_set *schema_set_new(compiler *c, const json *root) {
    interner names = {0};
    resources_new(c, root, DRAFT_2020);
    for (bool done = false; !done;) { /* once more for each name of a dynamic reference */
        c->schemas = NEW(c, schema_set);
        c->schemas->root = root;
        c->schemas->dynamic_names = names;
        done = read_all(c);
        names = c->schemas->dynamic_names;
    }
    schema_find_circles(c);
    return c->schemas;
}

const char *schema_key_text(const compiler *c, uint32_t key, uint32_t *length) {
    *length = c->schemas->keys.entries.items[key].size;
    return c->schemas->keys.entries.items[key].bytes;
}

const char *schema_text(const compiler *c, uint32_t text, uint32_t *length) {
    *length = c->schemas->texts.entries.items[text].size;
    return c->schemas->texts.entries.items[text].bytes;
}
