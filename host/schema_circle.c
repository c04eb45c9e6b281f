/* schema_circle.c - the schemas that apply to themselves in place, and those whose verdict can hang on such a one. */
#include <string.h>

#include "schema.h"

enum { NOT_MET, ON_THE_WAY, DONE };

static bool meets_itself(compiler *c, uint32_t id, uint8_t *marks);

static bool any_meets_itself(compiler *c, const uint32_t *list, uint32_t count, uint8_t *marks) {
    bool met = false;
    for (uint32_t i = 0; i < count; i++) met |= meets_itself(c, list[i], marks);
    return met;
}

static bool meets_itself(compiler *c, uint32_t id, uint8_t *marks) {
    schema *s = &c->schemas->items.items[id];
    if (marks[id] == ON_THE_WAY) c->schemas->circle = s->node;
    if (marks[id] != NOT_MET) return marks[id] == ON_THE_WAY || s->circular;
    compiler_enter(c, s->node);
    marks[id] = ON_THE_WAY;
    bool met = any_meets_itself(c, s->all_of, s->all_count, marks);
    met |= any_meets_itself(c, s->any_of, s->any_count, marks);
    met |= any_meets_itself(c, s->one_of, s->one_count, marks);
    const uint32_t single[] = {s->reference, s->dynamic, s->not_schema, s->if_schema, s->then_schema, s->else_schema};
    for (size_t i = 0; i < sizeof single / sizeof *single; i++) {
        if (single[i] != NONE) met |= meets_itself(c, single[i], marks);
    }
    for (uint32_t i = 0; i < s->dependent_count; i++) {
        if (s->dependents[i].schema != NONE) met |= meets_itself(c, s->dependents[i].schema, marks);
    }
    s->circular = met;
    marks[id] = DONE;
    compiler_leave(c);
    return met;
}

static bool any_circular(const compiler *c, const uint32_t *list, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        if (list[i] != NONE && schema_get(c, list[i])->circular) return true;
    }
    return false;
}

static bool leads_to_a_circle(const compiler *c, const schema *s) {
    for (uint32_t i = 0; i < s->property_count; i++) {
        if (schema_get(c, s->properties[i].schema)->circular) return true;
    }
    for (uint32_t i = 0; i < s->pattern_count; i++) {
        if (schema_get(c, s->pattern_properties[i].schema)->circular) return true;
    }
    for (uint32_t i = 0; i < s->dependent_count; i++) {
        if (s->dependents[i].schema != NONE && schema_get(c, s->dependents[i].schema)->circular) return true;
    }
    const uint32_t single[] = {s->additional, s->names, s->items, s->contains, s->reference, s->dynamic, s->not_schema,
                               s->if_schema, s->then_schema, s->else_schema, s->unevaluated_properties,
                               s->unevaluated_items};
    return any_circular(c, s->prefix, s->prefix_count) || any_circular(c, s->all_of, s->all_count) ||
           any_circular(c, s->any_of, s->any_count) || any_circular(c, s->one_of, s->one_count) ||
           any_circular(c, single, sizeof single / sizeof *single);
}

/* What has been evaluated hangs on the verdicts of all schemas in place, in an order that no standard gives. */
static void refuse_unevaluated(compiler *c, uint32_t id) {
    const schema *s = schema_get(c, id);
    if (s->unevaluated_properties == NONE && s->unevaluated_items == NONE) return;
    const char *keyword = s->unevaluated_properties != NONE ? "unevaluatedProperties" : "unevaluatedItems";
    compiler_fail(c, WEIR_ERROR_SCHEMA, json_get(s->node, keyword),
                  "the keyword \"%s\" is not supported where a schema applies to itself in place", keyword);
}

static void doubt(compiler *c, uint32_t id) {
    schema_add_questions(c, id);
    const schema *s = schema_get(c, id);
    const uint32_t in_doubt[] = {id, s->first_error, s->known, schema_get(c, s->first_error)->known};
    for (size_t i = 0; i < sizeof in_doubt / sizeof *in_doubt; i++) formula_doubt_schema(c, in_doubt[i]);
}

void schema_find_circles(compiler *c) {
    uint32_t count = c->schemas->items.count;
    uint8_t *marks = compiler_new(c, count + 1);
    memset(marks, NOT_MET, count);
    for (uint32_t id = 0; id < count; id++) meets_itself(c, id, marks);
    for (bool more = c->schemas->circle != NULL; more;) {
        more = false;
        for (uint32_t id = 0; id < count; id++) {
            schema *s = &c->schemas->items.items[id];
            compiler_spend(c, 20);
            if (!s->circular && leads_to_a_circle(c, s)) more = s->circular = true;
        }
    }
    for (uint32_t id = 0; id < count; id++) {
        if (!schema_get(c, id)->circular) continue;
        refuse_unevaluated(c, id);
        doubt(c, id);
    }
}
