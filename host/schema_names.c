/* schema_names.c - which schemas apply to a value in place, which names they list and in which order, and what applies to
 * its members and items. */
#include <string.h>

#include "schema.h"

typedef struct walker {
    VECTOR(uint8_t) seen_keys; /* by key id */
    interner seen;             /* schema ids */
    id_list *names, *components;
    bool has_properties, has_additional;
} walker;

static void list_name(compiler *c, walker *w, uint32_t key) {
    if (w->names == NULL) return;
    while (w->seen_keys.count <= key) PUSH(c, w->seen_keys, 0);
    if (w->seen_keys.items[key]) return;
    w->seen_keys.items[key] = 1;
    PUSH(c, *w->names, key);
}

static void walk(compiler *c, walker *w, uint32_t id);

static void walk_list(compiler *c, walker *w, const uint32_t *list, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) walk(c, w, list[i]);
}

static void walk_dependents(compiler *c, walker *w, const schema *s) {
    for (uint32_t i = 0; i < s->dependent_count; i++) {
        if (s->dependents[i].schema != NONE) walk(c, w, s->dependents[i].schema);
    }
}

static void list_properties(compiler *c, walker *w, const schema *s) {
    compiler_spend(c, s->property_count / 4);
    for (uint32_t i = 0; i < s->property_count; i++) list_name(c, w, s->properties[i].key);
}

static void list_value_names(compiler *c, walker *w, const uint32_t *values, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        const schema *value = schema_get(c, values[i]);
        if (value->node->kind == JSON_OBJECT) list_properties(c, w, value);
    }
}

static void walk(compiler *c, walker *w, uint32_t id) {
    bool is_new;
    intern(c, &w->seen, &id, sizeof id, &is_new);
    if (!is_new) return;
    schema s = *schema_get(c, id);
    compiler_enter(c, s.node);
    if (w->components != NULL) PUSH(c, *w->components, id);
    if (s.is_value) {
        list_properties(c, w, &s);
    } else if (s.reference != NONE && s.draft <= DRAFT_7) {
        walk(c, w, s.reference);
    } else if (s.node->kind == JSON_OBJECT) {
        w->has_properties |= s.properties != NULL;
        w->has_additional |= s.additional != NONE || s.unevaluated_properties != NONE;
        for (const json *m = s.node->child; m != NULL; m = m->next) {
            if (strcmp(m->key, "properties") == 0) list_properties(c, w, &s);
            if (strcmp(m->key, "enum") == 0) list_value_names(c, w, s.values, s.value_count);
            if (strcmp(m->key, "const") == 0 && s.one_value != NULL) list_value_names(c, w, s.one_value, 1);
            if (strcmp(m->key, "$ref") == 0 && s.reference != NONE) walk(c, w, s.reference);
            if (strcmp(m->key, "$dynamicRef") == 0 && s.dynamic != NONE) walk(c, w, s.dynamic);
            if (strcmp(m->key, "$recursiveRef") == 0 && s.dynamic != NONE) walk(c, w, s.dynamic);
            if (strcmp(m->key, "allOf") == 0) walk_list(c, w, s.all_of, s.all_count);
            if (strcmp(m->key, "anyOf") == 0) walk_list(c, w, s.any_of, s.any_count);
            if (strcmp(m->key, "oneOf") == 0) walk_list(c, w, s.one_of, s.one_count);
            if (strcmp(m->key, "not") == 0 && s.not_schema != NONE) walk(c, w, s.not_schema);
            if (strcmp(m->key, "if") == 0 && s.if_schema != NONE) walk(c, w, s.if_schema);
            if (strcmp(m->key, "then") == 0 && s.then_schema != NONE) walk(c, w, s.then_schema);
            if (strcmp(m->key, "else") == 0 && s.else_schema != NONE) walk(c, w, s.else_schema);
            if (strcmp(m->key, "dependentSchemas") == 0 || strcmp(m->key, "dependencies") == 0) walk_dependents(c, w, &s);
        }
    }
    compiler_leave(c);
}

void schema_listed_names(compiler *c, const id_list *components, id_list *names, bool *closable) {
    walker w = {0};
    w.names = names;
    for (uint32_t i = 0; i < components->count; i++) walk(c, &w, components->items[i]);
    *closable = w.has_properties && !w.has_additional;
}

static void add_id(compiler *c, id_list *list, uint32_t id) {
    if (id == NONE) return;
    id = schema_canonical(c, id);
    for (uint32_t i = 0; i < list->count; i++) {
        if (list->items[i] == id) return;
    }
    PUSH(c, *list, id);
}

static id_list flatten(compiler *c, const id_list *components) {
    id_list all = {NULL, 0, 0};
    walker w = {0};
    w.components = &all;
    for (uint32_t i = 0; i < components->count; i++) walk(c, &w, components->items[i]);
    return all;
}

static uint32_t property_of(compiler *c, const schema *s, uint32_t key) {
    compiler_spend(c, s->property_count / 4);
    for (uint32_t i = 0; i < s->property_count; i++) {
        if (s->properties[i].key == key) return s->properties[i].schema;
    }
    return NONE;
}

static void values_of(const schema *s, const uint32_t **values, uint32_t *count, int which) {
    *values = which == 0 ? s->one_value : s->values;
    *count = which == 0 ? (s->one_value != NULL) : s->value_count;
}

void schema_member_components(compiler *c, const id_list *components, uint32_t key, const uint8_t *matches, id_list *out) {
    id_list all = flatten(c, components);
    for (uint32_t i = 0; i < all.count; i++) {
        const schema *s = schema_get(c, all.items[i]);
        if (s->is_value) continue;
        uint32_t property = key == NONE ? NONE : property_of(c, s, key);
        bool named = property != NONE;
        add_id(c, out, property);
        for (uint32_t k = 0; k < schema_get(c, all.items[i])->pattern_count; k++) {
            s = schema_get(c, all.items[i]);
            if (!matches[s->pattern_properties[k].pattern]) continue;
            named = true;
            add_id(c, out, s->pattern_properties[k].schema);
        }
        s = schema_get(c, all.items[i]);
        if (!named) add_id(c, out, s->additional != NONE ? s->additional : s->unevaluated_properties);
    }
    for (uint32_t i = 0; i < all.count && key != NONE; i++) {
        const schema *s = schema_get(c, all.items[i]);
        if (s->is_value) add_id(c, out, property_of(c, s, key));
        for (int which = 0; which < 2 && !s->is_value; which++) {
            const uint32_t *values;
            uint32_t count;
            values_of(schema_get(c, all.items[i]), &values, &count, which);
            for (uint32_t k = 0; k < count; k++) add_id(c, out, property_of(c, schema_get(c, values[k]), key));
        }
    }
    compiler_spend(c, 20 * all.count);
}

void schema_item_components(compiler *c, const id_list *components, uint32_t index, id_list *out) {
    id_list all = flatten(c, components);
    for (uint32_t i = 0; i < all.count; i++) {
        const schema *s = schema_get(c, all.items[i]);
        if (s->is_value) continue;
        uint32_t own = index < s->prefix_count ? s->prefix[index] : s->items;
        add_id(c, out, own);
        add_id(c, out, schema_get(c, all.items[i])->contains);
        if (own == NONE) add_id(c, out, schema_get(c, all.items[i])->unevaluated_items);
    }
    for (uint32_t i = 0; i < all.count; i++) {
        const schema *s = schema_get(c, all.items[i]);
        if (s->is_value && index < s->prefix_count) add_id(c, out, s->prefix[index]);
        for (int which = 0; which < 2 && !s->is_value; which++) {
            const uint32_t *values;
            uint32_t count;
            values_of(schema_get(c, all.items[i]), &values, &count, which);
            for (uint32_t k = 0; k < count; k++) {
                const schema *value = schema_get(c, values[k]);
                if (index < value->prefix_count) add_id(c, out, value->prefix[index]);
            }
        }
    }
    compiler_spend(c, 20 * all.count);
}

uint32_t schema_longest_prefix(compiler *c, const id_list *components) {
    id_list all = flatten(c, components);
    uint32_t longest = 0;
    for (uint32_t i = 0; i < all.count; i++) {
        const schema *s = schema_get(c, all.items[i]);
        if (s->prefix_count > longest) longest = s->prefix_count;
        for (int which = 0; which < 2 && !s->is_value; which++) {
            const uint32_t *values;
            uint32_t count;
            values_of(s, &values, &count, which);
            for (uint32_t k = 0; k < count; k++) {
                const schema *value = schema_get(c, values[k]);
                if (value->prefix_count > longest) longest = value->prefix_count;
            }
        }
    }
    return longest;
}
