/* recogniser_schema.c - the schema's text in, its keywords looked up and its names numbered out.
 *
 * What it does not know it refuses, so that no verdict rests on a keyword that was passed over. */
#include "recogniser_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void index_nodes(recogniser *r, const json *node);
static int draft_of(const json *root);
static const schema *read_schema(recogniser *r, const json *node);
static bool in_place_cycle(schema *s);

void schema_load(recogniser *r) {
    r->nodes = region_take(&r->arena, r->text_length * sizeof *r->nodes);
    r->schemas = region_take(&r->arena, r->text_length * sizeof *r->schemas);
    index_nodes(r, r->root_node);
    r->draft = r->options.draft ? (int)r->options.draft : draft_of(r->root_node);
    if (!r->draft) schema_refuse(r, r->root_node, "a draft that is not known");
    r->root = read_schema(r, r->root_node);
    for (uint32_t i = 0; i < r->text_length && !r->refused; i++)
        if (r->schemas[i] && in_place_cycle(r->schemas[i]))
            schema_refuse(r, r->nodes[i], "a schema that applies itself in place");
}

void schema_refuse(recogniser *r, const json *node, const char *why) {
    char pointer[256];
    if (r->refused) return;
    r->refused = true;
    if (r->why_capacity) snprintf(r->why, r->why_capacity, "%s: %s", json_pointer(node, pointer, sizeof pointer), why);
}

static void index_nodes(recogniser *r, const json *node) {
    r->nodes[node->byte] = node;
    for (const json *child = node->child; child; child = child->next) index_nodes(r, child);
}

static int draft_of(const json *root) {
    static const struct {
        const char *mark;
        int draft;
    } drafts[] = {{"draft-03", 0}, {"draft-04", 4}, {"draft-06", 6}, {"draft-07", 7}, {"2019-09", 2019}};
    const json *uri = root->kind == JSON_OBJECT ? json_get(root, "$schema") : NULL;
    for (size_t i = 0; uri && uri->kind == JSON_STRING && i < sizeof drafts / sizeof *drafts; i++)
        if (strstr(uri->text, drafts[i].mark)) return drafts[i].draft;
    return 2020;
}

/* --- names --- */

static uint32_t hash_bytes(const char *text, uint32_t length) {
    uint32_t hash = 2166136261u;
    for (uint32_t i = 0; i < length; i++) hash = (hash ^ (unsigned char)text[i]) * 16777619u;
    return hash;
}

/* The slot that holds the name, or the empty one where it belongs. */
static uint32_t *name_slot(const recogniser *r, const char *text, uint32_t length) {
    uint32_t slot = hash_bytes(text, length);
    for (;; slot++) {
        uint32_t *entry = &r->name_table[slot & (r->name_table_capacity - 1)];
        if (*entry == NAME_OTHER) return entry;
        if (r->names[*entry].text_length == length && !memcmp(r->names[*entry].text, text, length)) return entry;
    }
}

uint32_t name_find(const recogniser *r, const char *text, uint32_t length) {
    return r->name_count ? *name_slot(r, text, length) : NAME_OTHER;
}

void quote_known(recogniser *r, known *known) {
    char *quoted = region_take(&r->arena, 6 * (size_t)known->text_length + 1);
    uint32_t at = 0, step;
    for (uint32_t i = 0; i < known->text_length; i += step)
        at += quote_character(utf8_decode(known->text + i, &step), quoted + at);
    known->quoted = quoted;
    known->length = at;
}

static uint32_t name_add(recogniser *r, const char *text, uint32_t length) {
    uint32_t found = name_find(r, text, length);
    if (found != NAME_OTHER) return found;
    if (2 * r->name_count >= r->name_table_capacity) {
        r->name_table_capacity = r->name_table_capacity ? 2 * r->name_table_capacity : 64;
        r->name_table = realloc(r->name_table, r->name_table_capacity * sizeof *r->name_table);
        r->names = realloc(r->names, r->name_table_capacity * sizeof *r->names);
        if (!r->name_table || !r->names) recogniser_panic("out of memory");
        memset(r->name_table, 0xff, r->name_table_capacity * sizeof *r->name_table);
        for (uint32_t i = 0; i < r->name_count; i++) *name_slot(r, r->names[i].text, r->names[i].text_length) = i;
    }
    known *name = &r->names[r->name_count];
    *name = (known){.text = text, .text_length = length, .name = r->name_count};
    quote_known(r, name);
    *name_slot(r, text, length) = r->name_count;
    return r->name_count++;
}

static void add_value_names(recogniser *r, const json *value) {
    for (const json *child = value->child; child; child = child->next) {
        if (child->key) name_add(r, child->key, child->key_length);
        add_value_names(r, child);
    }
}

/* --- keywords --- */

static bool one_of(const char *name, const char *const *list) {
    while (*list && strcmp(name, *list)) list++;
    return *list;
}

static void check_keyword(recogniser *r, const json *keyword) {
    static const char *const refused[] = {"pattern",
                                          "patternProperties",
                                          "propertyNames",
                                          "minProperties",
                                          "maxProperties",
                                          "dependentRequired",
                                          "dependentSchemas",
                                          "dependencies",
                                          "if",
                                          "then",
                                          "else",
                                          "contains",
                                          "minContains",
                                          "maxContains",
                                          "uniqueItems",
                                          "multipleOf",
                                          "unevaluatedItems",
                                          "unevaluatedProperties",
                                          "$dynamicRef",
                                          "$recursiveRef",
                                          "$dynamicAnchor",
                                          "$recursiveAnchor",
                                          "contentSchema",
                                          "extends",
                                          "disallow",
                                          "divisibleBy",
                                          "$vocabulary",
                                          NULL};
    static const char *const formats[] = {"date-time",
                                          "date",
                                          "time",
                                          "duration",
                                          "email",
                                          "idn-email",
                                          "hostname",
                                          "idn-hostname",
                                          "ipv4",
                                          "ipv6",
                                          "uri",
                                          "uri-reference",
                                          "iri",
                                          "iri-reference",
                                          "uuid",
                                          "uri-template",
                                          "json-pointer",
                                          "relative-json-pointer",
                                          "regex",
                                          "color",
                                          "ip-address",
                                          "host-name",
                                          NULL};
    bool known_format = !strcmp(keyword->key, "format") &&
                        (keyword->kind != JSON_STRING || one_of(keyword->text, formats)); /* others say nothing */
    if (known_format || one_of(keyword->key, refused)) schema_refuse(r, keyword, "a keyword that is not known here");
}

static void read_list(recogniser *r, const json *list, schema_list *out) {
    uint32_t i = 0;
    if (!list) return;
    if (list->kind != JSON_ARRAY || !list->count) {
        schema_refuse(r, list, "a list of schemas is expected");
        return;
    }
    out->items = region_take(&r->arena, list->count * sizeof *out->items);
    for (const json *item = list->child; item; item = item->next) out->items[i++] = read_schema(r, item);
    out->count = i;
}

static void read_kinds(recogniser *r, const json *type, schema *s) {
    static const char *const names[] = {"null", "boolean", "integer", "number", "string", "array", "object"};
    const unsigned whole = r->draft == 4 ? 0 : 1u << KIND_WHOLE;
    const unsigned kinds[] = {1u << KIND_NULL,
                              1u << KIND_FALSE | 1u << KIND_TRUE,
                              1u << KIND_INTEGER | whole,
                              KIND_NUMBERS,
                              1u << KIND_STRING,
                              1u << KIND_ARRAY,
                              1u << KIND_OBJECT};
    if (!type) return;
    const json *item = type->kind == JSON_ARRAY ? type->child : type;
    if (!item) schema_refuse(r, type, "a type is expected");
    for (s->kinds = 0; item; item = type->kind == JSON_ARRAY ? item->next : NULL) {
        int i = 6;
        while (i >= 0 && !json_string_is(item, names[i])) i--;
        if (i < 0)
            schema_refuse(r, item, "a type is expected");
        else
            s->kinds |= kinds[i];
    }
}

static void read_count(recogniser *r, const json *node, const char *keyword, uint64_t *out) {
    const json *value = json_get(node, keyword);
    if (value && !json_uint(value, out)) schema_refuse(r, value, "a count is expected");
}

static const json *read_bound(recogniser *r, const json *node, const char *keyword) {
    const json *value = json_get(node, keyword);
    if (value && value->kind != JSON_NUMBER) schema_refuse(r, value, "a number is expected");
    if (value && r->draft == 4 && keyword[0] == 'e') schema_refuse(r, value, "not a keyword of draft 4");
    return value;
}

static int compare_properties(const void *a, const void *b) {
    uint32_t x = ((const property *)a)->name, y = ((const property *)b)->name;
    return (x > y) - (x < y);
}

static void read_object_keywords(recogniser *r, schema *s) {
    const json *properties = json_get(s->node, "properties"), *required = json_get(s->node, "required");
    const json *additional = json_get(s->node, "additionalProperties");
    if (properties && properties->kind != JSON_OBJECT) {
        schema_refuse(r, properties, "an object is expected");
    } else if (properties) {
        s->properties = region_take(&r->arena, properties->count * sizeof *s->properties);
        for (const json *member = properties->child; member; member = member->next) {
            property *p = &s->properties[s->property_count++];
            p->name = name_add(r, member->key, member->key_length);
            p->schema = read_schema(r, member);
        }
        qsort(s->properties, s->property_count, sizeof *s->properties, compare_properties);
    }
    if (required && required->kind != JSON_ARRAY) {
        schema_refuse(r, required, "a list of names is expected");
    } else if (required) {
        s->required = region_take(&r->arena, required->count * sizeof *s->required);
        for (const json *item = required->child; item; item = item->next) {
            if (item->kind != JSON_STRING) {
                schema_refuse(r, item, "a name is expected");
                return;
            }
            s->required[s->required_count++] = name_add(r, item->text, item->length);
        }
    }
    if (additional) s->additional = read_schema(r, additional);
}

static void read_keywords(recogniser *r, schema *s) {
    const json *node = s->node, *reference = json_get(node, "$ref");
    if (reference) {
        const json *target =
            reference->kind == JSON_STRING ? reference_target(r, node, reference->text, reference->length) : NULL;
        if (!target)
            schema_refuse(r, reference, "points to nothing in this document");
        else
            s->reference = read_schema(r, target);
        if (r->draft <= 7) return; /* siblings are ignored */
    }
    for (const json *keyword = node->child; keyword; keyword = keyword->next) check_keyword(r, keyword);
    if (r->refused) return;
    read_kinds(r, json_get(node, "type"), s);
    read_object_keywords(r, s);
    if (r->draft >= 2020) read_list(r, json_get(node, "prefixItems"), &s->prefix);
    const json *items = json_get(node, "items"), *negated = json_get(node, "not");
    if (items) s->items = read_schema(r, items);
    if (negated) s->negated = read_schema(r, negated);
    read_list(r, json_get(node, "allOf"), &s->all);
    read_list(r, json_get(node, "anyOf"), &s->any);
    read_list(r, json_get(node, "oneOf"), &s->one);
    read_count(r, node, "minItems", &s->min_items);
    read_count(r, node, "maxItems", &s->max_items);
    read_count(r, node, "minLength", &s->min_length);
    read_count(r, node, "maxLength", &s->max_length);
    s->minimum = read_bound(r, node, "minimum");
    s->maximum = read_bound(r, node, "maximum");
    s->exclusive_minimum = read_bound(r, node, "exclusiveMinimum");
    s->exclusive_maximum = read_bound(r, node, "exclusiveMaximum");
    s->enumeration = json_get(node, "enum");
    s->constant = json_get(node, "const");
    if (s->enumeration && s->enumeration->kind != JSON_ARRAY)
        schema_refuse(r, s->enumeration, "a list is expected");
    else if (s->enumeration)
        add_value_names(r, s->enumeration);
    if (s->constant) add_value_names(r, s->constant);
    if (s->constant && r->draft == 4) schema_refuse(r, s->constant, "not a keyword of draft 4");
}

static const schema *read_schema(recogniser *r, const json *node) {
    if (r->schemas[node->byte]) return r->schemas[node->byte];
    schema *s = r->schemas[node->byte] = region_take(&r->arena, sizeof *s);
    s->node = node;
    s->code = node_code(node) | CODE_POSITIVE;
    s->kinds = KIND_ALL;
    s->max_items = s->max_length = UINT64_MAX;
    s->never = node->kind == JSON_FALSE;
    if (node->kind == JSON_OBJECT)
        read_keywords(r, s);
    else if (node->kind != JSON_TRUE && node->kind != JSON_FALSE)
        schema_refuse(r, node, "a schema is expected");
    s->bare = !s->never && s->kinds == KIND_ALL && !s->property_count && !s->required_count && !s->additional &&
              !s->items && !s->negated && !s->prefix.count && !s->all.count && !s->any.count && !s->one.count &&
              !s->min_items && s->max_items == UINT64_MAX && !s->min_length && s->max_length == UINT64_MAX &&
              !s->minimum && !s->maximum && !s->exclusive_minimum && !s->exclusive_maximum && !s->enumeration &&
              !s->constant;
    s->trivial = s->bare && !s->reference;
    return s;
}

/* White 0, on the path 1, done 2. */
static bool in_place_cycle(schema *s) {
    const schema_list *lists[] = {&s->all, &s->any, &s->one};
    if (s->color) return s->color == 1;
    s->color = 1;
    bool cycle = (s->reference && in_place_cycle((schema *)s->reference)) ||
                 (s->negated && in_place_cycle((schema *)s->negated));
    for (int k = 0; k < 3; k++)
        for (uint32_t i = 0; i < lists[k]->count && !cycle; i++) cycle = in_place_cycle((schema *)lists[k]->items[i]);
    s->color = 2;
    return cycle;
}

/* --- look-up --- */

const schema *code_schema(const recogniser *r, uint32_t code) {
    return r->schemas[code_byte(code)];
}

const json *code_value(const recogniser *r, uint32_t code) {
    return r->nodes[code_byte(code)];
}

const schema *schema_property(const schema *s, uint32_t name) {
    property wanted = {name, NULL};
    const property *found = s->property_count
                                ? bsearch(&wanted, s->properties, s->property_count, sizeof wanted, compare_properties)
                                : NULL;
    return found ? found->schema : NULL;
}

void *region_take(arena *arena, size_t size) {
    void *memory = arena_allocate_zero(arena, size ? size : 1);
    if (!memory) recogniser_panic("out of memory");
    return memory;
}

void recogniser_panic(const char *what) {
    fprintf(stderr, "recogniser: %s\n", what);
    abort();
}
