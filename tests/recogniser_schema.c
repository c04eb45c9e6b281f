/* recogniser_schema.c - the schema's text in, a record for each schema and its names numbered out.
 *
 * The keywords of a record are read in recogniser_keywords.c. */
#include "recogniser_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void index_nodes(recogniser *r, const json *node);
static int draft_of(const json *root);
static bool in_place_cycle(schema *s);
static void add_finite_names(recogniser *r, const schema *s);

void schema_load(recogniser *r) {
    r->nodes = region_take(&r->arena, r->text_length * sizeof *r->nodes);
    r->schemas = region_take(&r->arena, r->text_length * sizeof *r->schemas);
    index_nodes(r, r->root_node);
    r->draft = r->options.draft ? (int)r->options.draft : draft_of(r->root_node);
    if (!r->draft) schema_refuse(r, r->root_node, "a draft that is not known");
    r->root = schema_read(r, r->root_node);
    for (uint32_t i = 0; i < r->text_length && !r->refused; i++)
        if (r->schemas[i] && in_place_cycle(r->schemas[i]))
            schema_refuse(r, r->nodes[i], "a schema that applies itself in place");
    for (uint32_t i = 0; i < r->text_length && !r->refused; i++)
        if (r->schemas[i] && r->schemas[i]->names) add_finite_names(r, r->schemas[i]->names);
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
        if (*entry == UINT32_MAX) return entry;
        if (r->names[*entry].text_length == length && !memcmp(r->names[*entry].text, text, length)) return entry;
    }
}

uint32_t name_find(const recogniser *r, const char *text, uint32_t length) {
    uint32_t found = r->name_count ? *name_slot(r, text, length) : UINT32_MAX;
    return found == UINT32_MAX ? NAME_OTHER : found;
}

void quote_known(recogniser *r, known *known) {
    char *quoted = region_take(&r->arena, 6 * (size_t)known->text_length + 1);
    uint32_t at = 0, step;
    for (uint32_t i = 0; i < known->text_length; i += step)
        at += quote_character(utf8_decode(known->text + i, &step), quoted + at);
    known->quoted = quoted;
    known->length = at;
}

uint32_t name_add(recogniser *r, const char *text, uint32_t length) {
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

/* --- schemas --- */

const schema *schema_read(recogniser *r, const json *node) {
    if (r->schemas[node->byte]) return r->schemas[node->byte];
    schema *s = r->schemas[node->byte] = region_take(&r->arena, sizeof *s);
    s->node = node;
    s->code = node_code(node) | CODE_POSITIVE;
    s->kinds = KIND_ALL;
    s->max_items = s->max_length = s->max_members = s->max_contains = UINT64_MAX;
    s->min_contains = 1;
    s->patterned = -1;
    s->strings = UINT32_MAX;
    s->never = node->kind == JSON_FALSE;
    if (node->kind == JSON_OBJECT)
        schema_read_keywords(r, s);
    else if (node->kind != JSON_TRUE && node->kind != JSON_FALSE)
        schema_refuse(r, node, "a schema is expected");
    return s;
}

const schema *schema_in_place(const schema *s, uint32_t k) {
    const schema *single[] = {s->reference, s->negated, s->condition, s->consequence, s->alternative};
    const schema_list *lists[] = {&s->all, &s->any, &s->one};
    for (int i = 0; i < 5; i++)
        if (single[i] && k-- == 0) return single[i];
    for (int i = 0; i < 3; k -= lists[i]->count, i++)
        if (k < lists[i]->count) return lists[i]->items[k];
    for (uint32_t i = 0; i < s->dependency_count; i++)
        if (s->dependencies[i].schema && k-- == 0) return s->dependencies[i].schema;
    return NULL;
}

/* White 0, on the path 1, done 2. */
static bool in_place_cycle(schema *s) {
    bool cycle = false;
    if (s->color) return s->color == 1;
    s->color = 1;
    for (uint32_t k = 0; schema_in_place(s, k) && !cycle; k++) cycle = in_place_cycle((schema *)schema_in_place(s, k));
    s->color = 2;
    return cycle;
}

/* The strings of const and enum are names where the schema is about names. */
static void add_finite_names(recogniser *r, const schema *s) {
    if (s->constant && s->constant->kind == JSON_STRING) name_add(r, s->constant->text, s->constant->length);
    for (const json *value = s->enumeration ? s->enumeration->child : NULL; value; value = value->next)
        if (value->kind == JSON_STRING) name_add(r, value->text, value->length);
    for (uint32_t k = 0; schema_in_place(s, k); k++) add_finite_names(r, schema_in_place(s, k));
}

/* --- look-up --- */

const schema *code_schema(const recogniser *r, uint32_t code) {
    return r->schemas[code_byte(code)];
}

const json *code_value(const recogniser *r, uint32_t code) {
    return node_at(r, code_byte(code));
}

const schema *schema_item(const schema *s, uint64_t index) {
    return index < s->prefix.count ? s->prefix.items[index] : s->items;
}

static int compare_properties(const void *a, const void *b) {
    uint32_t x = ((const property *)a)->name, y = ((const property *)b)->name;
    return (x > y) - (x < y);
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
