/* schema_formula.c - what a schema says about the values of one type, as a formula.
 *
 * Where a schema can meet itself in place, its verdict may be unknown. Then the order counts, as it does for every
 * validator: keywords are asked in the order of the text, and a question ends at the first answer that decides it. */
#include <string.h>

#include "schema.h"

#define REFERENCE_HOPS 64

typedef VECTOR(formula) formula_list;

/* A keyword's share of the formula. */
typedef struct part {
    const char *keyword;
    formula says;
} part;
typedef VECTOR(part) part_list;

/* What is asked: all that is wrong with a value, or only whether anything is. */
typedef enum question { EVERY_ERROR, FIRST_ERROR } question;

static formula ask(compiler *c, uint32_t id, value_type type, question how);

static void add(compiler *c, part_list *parts, const char *keyword, formula says) {
    part p = {keyword, says};
    PUSH(c, *parts, p);
}

static bool only_refers(const schema *s) {
    if ((s->reference == NONE) == (s->dynamic == NONE)) return false;
    if (s->draft <= DRAFT_7) return true;
    if (s->unevaluated_properties != NONE || s->unevaluated_items != NONE) return false;
    return !s->types_given && s->properties == NULL && s->required_count == 0 && s->additional == NONE &&
           s->prefix_count == 0 && s->items == NONE && s->min_items == 0 && s->max_items == NONE && s->min_length == 0 &&
           s->max_length == NONE && s->at_least == NONE && s->at_most == NONE && s->above == NONE && s->below == NONE &&
           s->min_properties == 0 && s->max_properties == NONE && s->dependent_count == 0 && s->contains == NONE &&
           !s->unique_items && s->if_schema == NONE && s->pattern == NONE && s->pattern_count == 0 && s->names == NONE && s->values == NULL && s->one_value == NULL && s->all_of == NULL && s->any_of == NULL && s->one_of == NULL &&
           s->not_schema == NONE;
}

static bool says_nothing(const schema *s) {
    if (s->is_value || s->is_union) return false;
    return s->node->kind == JSON_TRUE || (s->node->kind == JSON_OBJECT && s->node->count == 0);
}

uint32_t schema_canonical(compiler *c, uint32_t id) {
    for (int hop = 0; hop < REFERENCE_HOPS && only_refers(schema_get(c, id)); hop++) {
        const schema *s = schema_get(c, id);
        id = s->reference != NONE ? s->reference : s->dynamic;
    }
    return id;
}

formula schema_verdict(const compiler *c, uint32_t id) {
    if (id == NONE) return FORMULA_TRUE;
    const schema *s = schema_get(c, id);
    if (says_nothing(s)) return FORMULA_TRUE;
    if (!s->is_value && !s->is_union && s->node->kind == JSON_FALSE) return FORMULA_FALSE;
    return NONE;
}

static formula count_at_least(compiler *c, uint32_t count) {
    return count == 0 ? FORMULA_TRUE : formula_atom(c, ATOM_COUNT, count, 0);
}

/* The schema that members are asked about: bare references followed, and the question kept. */
static uint32_t asked_of_members(compiler *c, uint32_t id, question how) {
    const schema *s = schema_get(c, id = schema_canonical(c, id));
    return how == FIRST_ERROR && s->circular ? s->first_error : id;
}

/* Where all members are asked, one that is unknown counts, whatever the others say: the schema that says whether each is
 * known; NONE if none is needed. */
static uint32_t known_of_members(compiler *c, uint32_t id, question how, bool all_asked) {
    if (id == NONE || !all_asked) return NONE;
    const schema *s = schema_get(c, asked_of_members(c, id, how));
    return s->circular ? s->known : NONE;
}

static formula item_atom(compiler *c, uint32_t index, uint32_t id, question how) {
    id = asked_of_members(c, id, how);
    formula known = schema_verdict(c, id);
    if (known == FORMULA_TRUE) return FORMULA_TRUE;
    if (known == FORMULA_FALSE) return formula_not(c, count_at_least(c, index + 1));
    return formula_atom(c, ATOM_ITEM, index, id);
}

static formula items_atom(compiler *c, uint32_t from, uint32_t id, question how) {
    if (id == NONE) return FORMULA_TRUE;
    id = asked_of_members(c, id, how);
    formula known = schema_verdict(c, id);
    if (known == FORMULA_TRUE) return FORMULA_TRUE;
    if (known == FORMULA_FALSE) return formula_not(c, count_at_least(c, from + 1));
    return formula_atom(c, ATOM_ITEMS, from, id);
}

/* At least so many items satisfy the schema. */
static formula contains_atom(compiler *c, uint32_t count, uint32_t id, question how) {
    id = asked_of_members(c, id, how);
    formula known = schema_verdict(c, id);
    if (known == FORMULA_TRUE) return count_at_least(c, count);
    if (known == FORMULA_FALSE) return FORMULA_FALSE;
    return formula_atom(c, ATOM_CONTAINS, count, id);
}

static formula property_atom(compiler *c, uint32_t key, uint32_t id, question how) {
    id = asked_of_members(c, id, how);
    formula known = schema_verdict(c, id);
    if (known == FORMULA_TRUE) return FORMULA_TRUE;
    if (known == FORMULA_FALSE) return formula_not(c, formula_atom(c, ATOM_REQUIRED, key, 0));
    return formula_atom(c, ATOM_PROPERTY, key, id);
}

formula schema_property_formula(compiler *c, uint32_t key, uint32_t id) {
    if (id == NONE) return formula_not(c, formula_atom(c, ATOM_REQUIRED, key, 0));
    return property_atom(c, key, id, EVERY_ERROR);
}

/* additionalProperties: `id` NONE stands for the schema false. */
static formula additional_atom(compiler *c, uint32_t id, uint32_t key_set, question how) {
    if (id != NONE) {
        id = asked_of_members(c, id, how);
        formula known = schema_verdict(c, id);
        if (known == FORMULA_TRUE) return FORMULA_TRUE;
        if (known == FORMULA_FALSE) id = NONE;
    }
    return formula_atom(c, ATOM_ADDITIONAL, id, key_set);
}

formula schema_additional_formula(compiler *c, uint32_t id, uint32_t key_set) {
    return additional_atom(c, id, key_set, EVERY_ERROR);
}

formula schema_item_formula(compiler *c, uint32_t index, uint32_t id) { return item_atom(c, index, id, EVERY_ERROR); }

formula schema_items_formula(compiler *c, uint32_t from, uint32_t id) { return items_atom(c, from, id, EVERY_ERROR); }

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
        for (uint32_t i = 0; i < s->prefix_count; i++) PUSH(c, parts, item_atom(c, i, s->prefix[i], EVERY_ERROR));
        PUSH(c, parts, count_at_least(c, s->prefix_count));
        PUSH(c, parts, formula_not(c, count_at_least(c, s->prefix_count + 1)));
    }
    if (type == TYPE_OBJECT) {
        for (uint32_t i = 0; i < s->property_count; i++) {
            PUSH(c, parts, property_atom(c, s->properties[i].key, s->properties[i].schema, EVERY_ERROR));
            PUSH(c, parts, formula_atom(c, ATOM_REQUIRED, s->properties[i].key, 0));
        }
        PUSH(c, parts, additional_atom(c, NONE, s->key_set, EVERY_ERROR));
    }
    return formula_and(c, parts.items, parts.count);
}

static void object_parts(compiler *c, const schema *s, question how, part_list *parts) {
    for (uint32_t i = 0; i < s->property_count; i++) {
        add(c, parts, "properties", property_atom(c, s->properties[i].key, s->properties[i].schema, how));
    }
    for (uint32_t i = 0; i < s->required_count; i++) {
        add(c, parts, "required", formula_atom(c, ATOM_REQUIRED, s->required[i], 0));
    }
    uint32_t known = known_of_members(c, s->additional, how, true); /* in no order: any of them may be asked */
    if (known != NONE) add(c, parts, "additionalProperties", formula_atom(c, ATOM_ADDITIONAL, known, s->key_set));
    if (s->additional != NONE) add(c, parts, "additionalProperties", additional_atom(c, s->additional, s->key_set, how));
    for (uint32_t i = 0; i < s->pattern_count; i++) {
        uint32_t id = asked_of_members(c, s->pattern_properties[i].schema, how);
        known = known_of_members(c, id, how, how == EVERY_ERROR);
        if (known != NONE) add(c, parts, "patternProperties", formula_atom(c, ATOM_PATTERN_PROPERTY, s->pattern_properties[i].pattern, known));
        if (schema_verdict(c, id) == FORMULA_TRUE) continue;
        add(c, parts, "patternProperties", formula_atom(c, ATOM_PATTERN_PROPERTY, s->pattern_properties[i].pattern, id));
    }
    if (s->names != NONE && schema_verdict(c, s->names) != FORMULA_TRUE) {
        add(c, parts, "propertyNames", formula_atom(c, ATOM_NAMES, schema_canonical(c, s->names), 0));
    }
    if (s->min_properties != 0) add(c, parts, "minProperties", formula_atom(c, ATOM_SIZE, s->min_properties, 0));
    if (s->max_properties != NONE) {
        add(c, parts, "maxProperties", formula_not(c, formula_atom(c, ATOM_SIZE, s->max_properties + 1, 0)));
    }
}

/* Which keyword stands there: it matters for the order in which circles are asked. */
static const char *dependents_keyword(const schema *s, bool of_schema) {
    if (json_get(s->node, "dependencies") != NULL) return "dependencies";
    return of_schema ? "dependentSchemas" : "dependentRequired";
}

/* "The name is absent, or this holds." */
static void dependent_parts(compiler *c, const schema *s, question how, part_list *parts) {
    for (uint32_t i = 0; i < s->dependent_count; i++) {
        const __typeof__(*s->dependents) *d = &s->dependents[i];
        formula absent = formula_not(c, formula_atom(c, ATOM_REQUIRED, d->key, 0)), then;
        if (d->schema != NONE) {
            then = ask(c, d->schema, TYPE_OBJECT, how);
        } else {
            formula_list names = {NULL, 0, 0};
            for (uint32_t k = 0; k < d->required_count; k++) PUSH(c, names, formula_atom(c, ATOM_REQUIRED, d->required[k], 0));
            then = formula_and(c, names.items, names.count);
        }
        add(c, parts, dependents_keyword(s, d->schema != NONE), formula_any(c, (formula[]){absent, then}, 2));
    }
}

static void array_parts(compiler *c, const schema *s, question how, part_list *parts) {
    bool listed = s->draft < DRAFT_2020 && s->prefix != NULL; /* then "items" is the prefix */
    const char *prefix = listed ? "items" : "prefixItems", *rest = listed ? "additionalItems" : "items";
    for (uint32_t i = 0; i < s->prefix_count; i++) add(c, parts, prefix, item_atom(c, i, s->prefix[i], how));
    uint32_t known = known_of_members(c, s->items, how, how == EVERY_ERROR);
    if (known != NONE) add(c, parts, rest, formula_atom(c, ATOM_ITEMS, s->prefix_count, known));
    add(c, parts, rest, items_atom(c, s->prefix_count, s->items, how));
    add(c, parts, "minItems", count_at_least(c, s->min_items));
    known = known_of_members(c, s->contains, FIRST_ERROR, true);
    if (known != NONE) add(c, parts, "contains", formula_atom(c, ATOM_ITEMS, 0, known));
    if (s->contains != NONE && s->min_contains != 0) add(c, parts, "contains", contains_atom(c, s->min_contains, s->contains, how));
    if (s->contains != NONE && s->max_contains != NONE) {
        add(c, parts, "contains", formula_not(c, contains_atom(c, s->max_contains + 1, s->contains, how)));
    }
    if (s->unique_items) add(c, parts, "uniqueItems", formula_atom(c, ATOM_UNIQUE, 0, 0));
    if (s->max_items != NONE) add(c, parts, "maxItems", formula_not(c, count_at_least(c, s->max_items + 1)));
}

/* A pattern that every string matches, or none, need not be asked. */
static formula pattern_atom(compiler *c, uint32_t pattern) {
    const regex *r = c->schemas->patterns.items[pattern];
    if (r->start == NONE) return FORMULA_FALSE;
    const regex_state *start = &r->states[r->start];
    uint64_t covered = 0;
    for (uint32_t i = 0; i < start->edge_count; i++) {
        const regex_edge *e = &r->edges[start->edges + i];
        if (e->target == r->start) covered += e->hi - e->lo + 1;
    }
    bool everything = start->accepts && covered == 0x110000 - 0x800; /* all but the surrogates */
    return everything ? FORMULA_TRUE : formula_atom(c, ATOM_PATTERN, pattern, 0);
}

static void string_parts(compiler *c, const schema *s, part_list *parts) {
    if (s->min_length != 0) add(c, parts, "minLength", formula_atom(c, ATOM_LENGTH, s->min_length, 0));
    if (s->pattern != NONE) add(c, parts, "pattern", pattern_atom(c, s->pattern));
    if (s->max_length == NONE) return;
    add(c, parts, "maxLength", formula_not(c, formula_atom(c, ATOM_LENGTH, s->max_length + 1, 0)));
}

static void number_parts(compiler *c, const schema *s, part_list *parts) {
    /* a = 1: draft 4, where 1.0 is not an integer */
    if (s->types_given && s->integer_only) add(c, parts, "type", formula_atom(c, ATOM_INTEGER, s->draft == DRAFT_4, 0));
    if (s->at_least != NONE) add(c, parts, "minimum", formula_atom(c, ATOM_AT_LEAST, s->at_least, 0));
    if (s->at_most != NONE) add(c, parts, "maximum", formula_not(c, formula_atom(c, ATOM_ABOVE, s->at_most, 0)));
    if (s->above != NONE) add(c, parts, "exclusiveMinimum", formula_atom(c, ATOM_ABOVE, s->above, 0));
    if (s->below != NONE) {
        add(c, parts, "exclusiveMaximum", formula_not(c, formula_atom(c, ATOM_AT_LEAST, s->below, 0)));
    }
}

static formula any_of(compiler *c, const uint32_t *values, uint32_t count, value_type type) {
    formula_list list = {NULL, 0, 0};
    for (uint32_t i = 0; i < count; i++) PUSH(c, list, schema_formula(c, values[i], type));
    return formula_or(c, list.items, list.count);
}

static formula_list ask_each(compiler *c, const uint32_t *list, uint32_t count, value_type type, question how) {
    formula_list answers = {NULL, 0, 0};
    for (uint32_t i = 0; i < count; i++) PUSH(c, answers, ask(c, list[i], type, how));
    return answers;
}

/* Where members may be unknown: one after the other is asked for every error until one has none; the rest, all of it,
 * only for a first error. */
static formula one_in_order(compiler *c, const schema *s, value_type type) {
    formula_list every = ask_each(c, s->one_of, s->one_count, type, EVERY_ERROR);
    formula_list first = ask_each(c, s->one_of, s->one_count, type, FIRST_ERROR), ways = {NULL, 0, 0};
    for (uint32_t k = 0; k < s->one_count; k++) {
        formula_list way = {NULL, 0, 0};
        for (uint32_t i = 0; i < k; i++) PUSH(c, way, formula_not(c, every.items[i]));
        PUSH(c, way, every.items[k]);
        for (uint32_t i = k + 1; i < s->one_count; i++) PUSH(c, way, formula_known(c, first.items[i]));
        for (uint32_t i = k + 1; i < s->one_count; i++) PUSH(c, way, formula_not(c, first.items[i]));
        PUSH(c, ways, formula_sequence(c, way.items, way.count));
    }
    return formula_any(c, ways.items, ways.count);
}

static formula one_of(compiler *c, const schema *s, value_type type) {
    if (s->circular) return one_in_order(c, s, type);
    formula_list answers = ask_each(c, s->one_of, s->one_count, type, EVERY_ERROR);
    return formula_one(c, answers.items, answers.count);
}

static void in_place_parts(compiler *c, const schema *s, value_type type, question how, part_list *parts) {
    if (s->reference != NONE) add(c, parts, "$ref", ask(c, s->reference, type, how));
    if (s->dynamic != NONE) {
        add(c, parts, s->draft == DRAFT_2019 ? "$recursiveRef" : "$dynamicRef", ask(c, s->dynamic, type, how));
    }
    if (s->values != NULL) add(c, parts, "enum", any_of(c, s->values, s->value_count, type));
    if (s->one_value != NULL) add(c, parts, "const", any_of(c, s->one_value, 1, type));
    for (uint32_t i = 0; i < s->all_count; i++) add(c, parts, "allOf", ask(c, s->all_of[i], type, how));
    if (s->any_of != NULL) {
        formula_list answers = ask_each(c, s->any_of, s->any_count, type, EVERY_ERROR);
        add(c, parts, "anyOf", formula_any(c, answers.items, answers.count));
    }
    if (s->one_of != NULL) add(c, parts, "oneOf", one_of(c, s, type));
    if (s->not_schema != NONE) add(c, parts, "not", formula_not(c, ask(c, s->not_schema, type, FIRST_ERROR)));
    if (s->if_schema == NONE || (s->then_schema == NONE && s->else_schema == NONE)) return;
    formula condition = ask(c, s->if_schema, type, FIRST_ERROR), otherwise = formula_not(c, condition);
    if (s->then_schema != NONE) {
        add(c, parts, "if", formula_any(c, (formula[]){otherwise, ask(c, s->then_schema, type, how)}, 2));
    }
    if (s->else_schema != NONE) {
        add(c, parts, "if", formula_any(c, (formula[]){condition, ask(c, s->else_schema, type, how)}, 2));
    }
}

/* The conjunction of the parts where some may be unknown. */
static formula join_in_order(compiler *c, const schema *s, const part_list *parts, question how) {
    formula_list ordered = {NULL, 0, 0};
    for (const json *m = s->node->child; m != NULL; m = m->next) {
        for (uint32_t i = 0; i < parts->count; i++) {
            if (strcmp(parts->items[i].keyword, m->key) == 0) PUSH(c, ordered, parts->items[i].says);
        }
    }
    if (how == EVERY_ERROR) { /* known, all of them, before any counts */
        formula_list all = {NULL, 0, 0};
        for (uint32_t i = 0; i < ordered.count; i++) PUSH(c, all, formula_known(c, ordered.items[i]));
        PUSH(c, all, formula_sequence(c, ordered.items, ordered.count));
        ordered = all;
    }
    return formula_sequence(c, ordered.items, ordered.count);
}

static formula build_formula(compiler *c, const schema *s, value_type type, question how) {
    if (s->is_value) return value_formula(c, s, type);
    if (s->is_union) return any_of(c, s->any_of, s->any_count, type);
    if (s->node->kind == JSON_FALSE) return FORMULA_FALSE;
    if (s->node->kind == JSON_TRUE) return FORMULA_TRUE;
    if (s->reference != NONE && s->draft <= DRAFT_7) return ask(c, s->reference, type, how);
    bool of_type = (s->types >> type & 1) != 0;
    if (!of_type && !s->circular) return FORMULA_FALSE;
    part_list parts = {NULL, 0, 0};
    if (!of_type) add(c, &parts, "type", FORMULA_FALSE);
    if (type == TYPE_OBJECT) object_parts(c, s, how, &parts);
    if (type == TYPE_OBJECT) dependent_parts(c, s, how, &parts);
    if (type == TYPE_ARRAY) array_parts(c, s, how, &parts);
    if (type == TYPE_STRING) string_parts(c, s, &parts);
    if (type == TYPE_NUMBER) number_parts(c, s, &parts);
    in_place_parts(c, s, type, how, &parts);
    if (s->circular) return join_in_order(c, s, &parts, how);
    if (type == TYPE_OBJECT) add(c, &parts, "unevaluatedProperties", schema_unevaluated_properties(c, s));
    if (type == TYPE_ARRAY) add(c, &parts, "unevaluatedItems", schema_unevaluated_items(c, s));
    formula_list all = {NULL, 0, 0};
    for (uint32_t i = 0; i < parts.count; i++) PUSH(c, all, parts.items[i].says);
    return formula_and(c, all.items, all.count);
}

static formula ask(compiler *c, uint32_t id, value_type type, question how) {
    uint32_t slot = id * TYPE_COUNT + type;
    schema s = *schema_get(c, id);
    uint8_t asked = (uint8_t)(1u << how);
    if (s.asks == FIRST_ERROR_OF) return ask(c, s.of, type, FIRST_ERROR);
    if (s.asks == KNOWN_OF) return formula_known(c, ask(c, s.of, type, EVERY_ERROR));
    if (c->schemas->formulas.items[slot] != NONE) return c->schemas->formulas.items[slot];
    if ((c->schemas->under_way.items[slot] & asked) != 0) return formula_atom(c, ATOM_UNKNOWN, 0, 0);
    compiler_enter(c, s.node);
    compiler_spend(c, 20);
    c->schemas->under_way.items[slot] |= asked;
    formula says = build_formula(c, &s, type, how);
    c->schemas->under_way.items[slot] &= (uint8_t)~asked;
    if (!s.circular) c->schemas->formulas.items[slot] = says; /* else it depends on the way here */
    compiler_leave(c);
    return says;
}

formula schema_formula(compiler *c, uint32_t id, value_type type) { return ask(c, id, type, EVERY_ERROR); }
