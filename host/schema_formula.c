/* schema_formula.c - what a schema says about the values of one type, as a formula; and which names it lists. */
#include <string.h>

#include "schema.h"

#define UNDER_WAY (NONE - 1)
#define REFERENCE_HOPS 64

typedef VECTOR(formula) formula_list;

static bool only_refers(const schema *s) {
    if (s->reference == NONE) return false;
    if (s->draft <= DRAFT_7) return true;
    return !s->types_given && s->properties == NULL && s->required_count == 0 && s->additional == NONE &&
           s->prefix_count == 0 && s->items == NONE && s->min_items == 0 && s->max_items == NONE && s->min_length == 0 &&
           s->max_length == NONE && s->at_least == NONE && s->at_most == NONE && s->above == NONE && s->below == NONE &&
           s->values == NULL && s->one_value == NULL && s->all_of == NULL && s->any_of == NULL && s->one_of == NULL &&
           s->not_schema == NONE;
}

static bool says_nothing(const schema *s) {
    if (s->is_value) return false;
    return s->node->kind == JSON_TRUE || (s->node->kind == JSON_OBJECT && s->node->count == 0);
}

/* The schema at the end of a chain of bare references, so that equal things get equal atoms. */
static uint32_t canonical(compiler *c, uint32_t id) {
    for (int hop = 0; hop < REFERENCE_HOPS && only_refers(schema_get(c, id)); hop++) id = schema_get(c, id)->reference;
    return id;
}

/* Whether a schema is true or false for every value, else NONE. */
static formula verdict(compiler *c, uint32_t id) {
    if (id == NONE) return FORMULA_TRUE;
    const schema *s = schema_get(c, id);
    if (says_nothing(s)) return FORMULA_TRUE;
    if (!s->is_value && s->node->kind == JSON_FALSE) return FORMULA_FALSE;
    return NONE;
}

static formula count_at_least(compiler *c, uint32_t count) {
    return count == 0 ? FORMULA_TRUE : formula_atom(c, ATOM_COUNT, count, 0);
}

static formula item_atom(compiler *c, uint32_t index, uint32_t id) {
    id = canonical(c, id);
    formula known = verdict(c, id);
    if (known == FORMULA_TRUE) return FORMULA_TRUE;
    if (known == FORMULA_FALSE) return formula_not(c, count_at_least(c, index + 1));
    return formula_atom(c, ATOM_ITEM, index, id);
}

static formula items_atom(compiler *c, uint32_t from, uint32_t id) {
    if (id == NONE) return FORMULA_TRUE;
    id = canonical(c, id);
    formula known = verdict(c, id);
    if (known == FORMULA_TRUE) return FORMULA_TRUE;
    if (known == FORMULA_FALSE) return formula_not(c, count_at_least(c, from + 1));
    return formula_atom(c, ATOM_ITEMS, from, id);
}

static formula property_atom(compiler *c, uint32_t key, uint32_t id) {
    id = canonical(c, id);
    formula known = verdict(c, id);
    if (known == FORMULA_TRUE) return FORMULA_TRUE;
    if (known == FORMULA_FALSE) return formula_not(c, formula_atom(c, ATOM_REQUIRED, key, 0));
    return formula_atom(c, ATOM_PROPERTY, key, id);
}

/* additionalProperties: `id` NONE stands for the schema false. */
static formula additional_atom(compiler *c, uint32_t id, uint32_t key_set) {
    if (id != NONE) {
        id = canonical(c, id);
        formula known = verdict(c, id);
        if (known == FORMULA_TRUE) return FORMULA_TRUE;
        if (known == FORMULA_FALSE) id = NONE;
    }
    return formula_atom(c, ATOM_ADDITIONAL, id, key_set);
}

static formula equals_threshold(compiler *c, uint32_t threshold) {
    formula at_least = formula_atom(c, ATOM_AT_LEAST, threshold, 0);
    formula above = formula_atom(c, ATOM_ABOVE, threshold, 0);
    return formula_and2(c, at_least, formula_not(c, above));
}

static formula value_formula(compiler *c, const schema *s, value_type type) {
    const json *node = s->node;
    static const uint8_t types[] = {[JSON_NULL] = TYPE_NULL,     [JSON_FALSE] = TYPE_FALSE,   [JSON_TRUE] = TYPE_TRUE,
                                    [JSON_NUMBER] = TYPE_NUMBER, [JSON_STRING] = TYPE_STRING, [JSON_ARRAY] = TYPE_ARRAY,
                                    [JSON_OBJECT] = TYPE_OBJECT};
    if (types[node->kind] != type) return FORMULA_FALSE;
    formula_list parts = {NULL, 0, 0};
    if (type == TYPE_NUMBER) {
        decimal number;
        if (!decimal_parse(node->text, node->length, &number)) {
            compiler_fail(c, WEIR_ERROR_SCHEMA, node,
                          "the number %.60s has more than 40 digits or lies outside 1e-400..1e400", node->text);
        }
        return equals_threshold(c, intern(c, &c->schemas->thresholds, &number, sizeof number, NULL));
    }
    if (type == TYPE_STRING) {
        return formula_atom(c, ATOM_TEXT, intern(c, &c->schemas->texts, node->text, node->length, NULL), 0);
    }
    if (type == TYPE_ARRAY) {
        for (uint32_t i = 0; i < s->prefix_count; i++) PUSH(c, parts, item_atom(c, i, s->prefix[i]));
        PUSH(c, parts, count_at_least(c, s->prefix_count));
        PUSH(c, parts, formula_not(c, count_at_least(c, s->prefix_count + 1)));
    }
    if (type == TYPE_OBJECT) {
        for (uint32_t i = 0; i < s->property_count; i++) {
            PUSH(c, parts, property_atom(c, s->properties[i].key, s->properties[i].schema));
            PUSH(c, parts, formula_atom(c, ATOM_REQUIRED, s->properties[i].key, 0));
        }
        PUSH(c, parts, additional_atom(c, NONE, s->key_set));
    }
    return formula_and(c, parts.items, parts.count);
}

static void object_parts(compiler *c, const schema *s, formula_list *parts) {
    for (uint32_t i = 0; i < s->property_count; i++) {
        PUSH(c, *parts, property_atom(c, s->properties[i].key, s->properties[i].schema));
    }
    for (uint32_t i = 0; i < s->required_count; i++) PUSH(c, *parts, formula_atom(c, ATOM_REQUIRED, s->required[i], 0));
    if (s->additional != NONE) PUSH(c, *parts, additional_atom(c, s->additional, s->key_set));
}

static void array_parts(compiler *c, const schema *s, formula_list *parts) {
    for (uint32_t i = 0; i < s->prefix_count; i++) PUSH(c, *parts, item_atom(c, i, s->prefix[i]));
    PUSH(c, *parts, items_atom(c, s->prefix_count, s->items));
    PUSH(c, *parts, count_at_least(c, s->min_items));
    if (s->max_items != NONE) PUSH(c, *parts, formula_not(c, count_at_least(c, s->max_items + 1)));
}

static void string_parts(compiler *c, const schema *s, formula_list *parts) {
    if (s->min_length != 0) PUSH(c, *parts, formula_atom(c, ATOM_LENGTH, s->min_length, 0));
    if (s->max_length != NONE) PUSH(c, *parts, formula_not(c, formula_atom(c, ATOM_LENGTH, s->max_length + 1, 0)));
}

static void number_parts(compiler *c, const schema *s, formula_list *parts) {
    /* a = 1: draft 4, where 1.0 is not an integer */
    if (s->types_given && s->integer_only) PUSH(c, *parts, formula_atom(c, ATOM_INTEGER, s->draft == DRAFT_4, 0));
    if (s->at_least != NONE) PUSH(c, *parts, formula_atom(c, ATOM_AT_LEAST, s->at_least, 0));
    if (s->at_most != NONE) PUSH(c, *parts, formula_not(c, formula_atom(c, ATOM_ABOVE, s->at_most, 0)));
    if (s->above != NONE) PUSH(c, *parts, formula_atom(c, ATOM_ABOVE, s->above, 0));
    if (s->below != NONE) PUSH(c, *parts, formula_not(c, formula_atom(c, ATOM_AT_LEAST, s->below, 0)));
}

static formula any_value(compiler *c, const uint32_t *values, uint32_t count, value_type type) {
    formula_list list = {NULL, 0, 0};
    for (uint32_t i = 0; i < count; i++) PUSH(c, list, schema_formula(c, values[i], type));
    return formula_or(c, list.items, list.count);
}

static void in_place_parts(compiler *c, const schema *s, value_type type, formula_list *parts) {
    if (s->reference != NONE) PUSH(c, *parts, schema_formula(c, s->reference, type));
    if (s->values != NULL) PUSH(c, *parts, any_value(c, s->values, s->value_count, type));
    if (s->one_value != NULL) PUSH(c, *parts, any_value(c, s->one_value, 1, type));
    for (uint32_t i = 0; i < s->all_count; i++) PUSH(c, *parts, schema_formula(c, s->all_of[i], type));
    if (s->any_of != NULL) {
        formula_list members = {NULL, 0, 0};
        for (uint32_t i = 0; i < s->any_count; i++) PUSH(c, members, schema_formula(c, s->any_of[i], type));
        PUSH(c, *parts, formula_or(c, members.items, members.count));
    }
    if (s->one_of != NULL) {
        formula_list members = {NULL, 0, 0};
        for (uint32_t i = 0; i < s->one_count; i++) PUSH(c, members, schema_formula(c, s->one_of[i], type));
        PUSH(c, *parts, formula_one(c, members.items, members.count));
    }
    if (s->not_schema != NONE) PUSH(c, *parts, formula_not(c, schema_formula(c, s->not_schema, type)));
}

static formula build_formula(compiler *c, const schema *s, value_type type) {
    if (s->is_value) return value_formula(c, s, type);
    if (s->node->kind == JSON_FALSE) return FORMULA_FALSE;
    if (s->node->kind == JSON_TRUE) return FORMULA_TRUE;
    if (s->reference != NONE && s->draft <= DRAFT_7) return schema_formula(c, s->reference, type);
    if (s->types_given && (s->types >> type & 1) == 0) return FORMULA_FALSE;
    formula_list parts = {NULL, 0, 0};
    if (type == TYPE_OBJECT) object_parts(c, s, &parts);
    if (type == TYPE_ARRAY) array_parts(c, s, &parts);
    if (type == TYPE_STRING) string_parts(c, s, &parts);
    if (type == TYPE_NUMBER) number_parts(c, s, &parts);
    in_place_parts(c, s, type, &parts);
    return formula_and(c, parts.items, parts.count);
}

formula schema_formula(compiler *c, uint32_t id, value_type type) {
    uint32_t slot = id * TYPE_COUNT + type;
    formula known = c->schemas->formulas.items[slot];
    schema s = *schema_get(c, id);
    if (known == UNDER_WAY) {
        c->schemas->cycle = s.node;
        return formula_atom(c, ATOM_UNKNOWN, 0, 0);
    }
    if (known != NONE) return known;
    compiler_enter(c, s.node);
    c->schemas->formulas.items[slot] = UNDER_WAY;
    known = build_formula(c, &s, type);
    c->schemas->formulas.items[slot] = known;
    compiler_leave(c);
    return known;
}

/* --- components and names ------------------------------------------------------------------------------------- */

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

static void list_properties(compiler *c, walker *w, const schema *s) {
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
        w->has_additional |= s.additional != NONE;
        for (const json *m = s.node->child; m != NULL; m = m->next) {
            if (strcmp(m->key, "properties") == 0) list_properties(c, w, &s);
            if (strcmp(m->key, "enum") == 0) list_value_names(c, w, s.values, s.value_count);
            if (strcmp(m->key, "const") == 0 && s.one_value != NULL) list_value_names(c, w, s.one_value, 1);
            if (strcmp(m->key, "$ref") == 0 && s.reference != NONE) walk(c, w, s.reference);
            if (strcmp(m->key, "allOf") == 0) walk_list(c, w, s.all_of, s.all_count);
            if (strcmp(m->key, "anyOf") == 0) walk_list(c, w, s.any_of, s.any_count);
            if (strcmp(m->key, "oneOf") == 0) walk_list(c, w, s.one_of, s.one_count);
            if (strcmp(m->key, "not") == 0 && s.not_schema != NONE) walk(c, w, s.not_schema);
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
    id = canonical(c, id);
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

static uint32_t property_of(const schema *s, uint32_t key) {
    for (uint32_t i = 0; i < s->property_count; i++) {
        if (s->properties[i].key == key) return s->properties[i].schema;
    }
    return NONE;
}

static void values_of(const schema *s, const uint32_t **values, uint32_t *count, int which) {
    *values = which == 0 ? s->one_value : s->values;
    *count = which == 0 ? (s->one_value != NULL) : s->value_count;
}

void schema_member_components(compiler *c, const id_list *components, uint32_t key, id_list *out) {
    id_list all = flatten(c, components);
    for (uint32_t i = 0; i < all.count; i++) {
        const schema *s = schema_get(c, all.items[i]);
        if (s->is_value) continue;
        uint32_t property = key == NONE ? NONE : property_of(s, key);
        add_id(c, out, property != NONE ? property : s->additional);
    }
    for (uint32_t i = 0; i < all.count && key != NONE; i++) {
        const schema *s = schema_get(c, all.items[i]);
        if (s->is_value) add_id(c, out, property_of(s, key));
        for (int which = 0; which < 2 && !s->is_value; which++) {
            const uint32_t *values;
            uint32_t count;
            values_of(schema_get(c, all.items[i]), &values, &count, which);
            for (uint32_t k = 0; k < count; k++) add_id(c, out, property_of(schema_get(c, values[k]), key));
        }
    }
    compiler_spend(c, 20 * all.count);
}

void schema_item_components(compiler *c, const id_list *components, uint32_t index, id_list *out) {
    id_list all = flatten(c, components);
    for (uint32_t i = 0; i < all.count; i++) {
        const schema *s = schema_get(c, all.items[i]);
        if (!s->is_value) add_id(c, out, index < s->prefix_count ? s->prefix[index] : s->items);
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
