/* schema_keywords.c - the keyword table: since which draft a keyword exists, and who reads it into the schema's record. */
#include <stdlib.h>
#include <string.h>

#include "resource.h"
#include "schema.h"

/* --- readers of single keywords ------------------------------------------------------------------------------- */

static _Noreturn void expected(compiler *c, const json *value, const char *what) {
    compiler_fail(c, WEIR_ERROR_SCHEMA, value, "\"%s\" must be %s", value->key != NULL ? value->key : "", what);
}

static uint32_t key_id(compiler *c, const json *member) {
    return intern(c, &c->schemas->keys, member->key, member->key_length, NULL);
}

static int compare_ids(const void *a, const void *b) {
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

uint32_t schema_key_set(compiler *c, uint32_t *ids, uint32_t count) {
    uint32_t used = 0;
    if (count != 0) qsort(ids, count, sizeof *ids, compare_ids);
    for (uint32_t i = 0; i < count; i++) {
        if (used == 0 || ids[used - 1] != ids[i]) ids[used++] = ids[i];
    }
    return intern(c, &c->schemas->key_sets, ids, sizeof *ids * used, NULL);
}

/* `object`: its names, or NULL. */
static uint32_t key_set_id(compiler *c, const json *object, const schema *s) {
    uint32_t *ids = compiler_new(c, sizeof *ids * ((object != NULL ? object->count : 0) + s->pattern_count + 1));
    uint32_t count = 0;
    for (const json *m = object != NULL ? object->child : NULL; m != NULL; m = m->next) ids[count++] = key_id(c, m);
    for (uint32_t i = 0; i < s->pattern_count; i++) ids[count++] = PATTERN_IN_SET + s->pattern_properties[i].pattern;
    return schema_key_set(c, ids, count);
}

bool schema_set_matches(const compiler *c, uint32_t key_set, const uint8_t *matches) {
    if (key_set == NONE) return false;
    const struct interned *set = &c->schemas->key_sets.entries.items[key_set];
    const uint32_t *ids = set->bytes;
    for (uint32_t i = set->size / (uint32_t)sizeof *ids; i-- > 0 && ids[i] >= PATTERN_IN_SET;) {
        if (matches[ids[i] - PATTERN_IN_SET]) return true;
    }
    return false;
}

bool schema_key_in_set(const compiler *c, uint32_t key, uint32_t key_set) {
    if (key_set == NONE || key == NONE) return false;
    const struct interned *set = &c->schemas->key_sets.entries.items[key_set];
    return bsearch(&key, set->bytes, set->size / sizeof key, sizeof key, compare_ids) != NULL;
}

const decimal *schema_threshold(const compiler *c, uint32_t threshold) {
    return c->schemas->thresholds.entries.items[threshold].bytes;
}

static uint32_t count_value(compiler *c, const json *value) {
    uint64_t count;
    if (!json_uint(value, &count)) expected(c, value, "a non-negative integer");
    return count >= NONE - 1 ? NONE - 1 : (uint32_t)count;
}

static uint32_t *schema_list(compiler *c, const schema *s, const json *value, uint32_t *count) {
    if (value->kind != JSON_ARRAY) expected(c, value, "an array of schemas");
    uint32_t *list = NEW_ARRAY(c, uint32_t, value->count + 1);
    *count = 0;
    for (const json *item = value->child; item != NULL; item = item->next) list[(*count)++] = schema_add(c, s, item);
    return list;
}

static void read_type_name(compiler *c, schema *s, const json *value, bool *number) {
    static const struct { const char *name; uint32_t bits; } names[] = {
        {"null", 1u << TYPE_NULL},     {"boolean", 1u << TYPE_FALSE | 1u << TYPE_TRUE}, {"number", 1u << TYPE_NUMBER},
        {"integer", 1u << TYPE_NUMBER}, {"string", 1u << TYPE_STRING},                  {"array", 1u << TYPE_ARRAY},
        {"object", 1u << TYPE_OBJECT}};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (!json_string_is(value, names[i].name)) continue;
        if (names[i].bits == 1u << TYPE_NUMBER) {
            if (i == 2) *number = true;
            s->integer_only = !*number;
        }
        s->types |= names[i].bits;
        return;
    }
    compiler_fail(c, WEIR_ERROR_SCHEMA, value,
                  "a type must be one of null, boolean, integer, number, string, array, object%s%.60s%s",
                  value->kind == JSON_STRING ? ", not \"" : "", value->kind == JSON_STRING ? value->text : "",
                  value->kind == JSON_STRING ? "\"" : "");
}

static void read_type(compiler *c, schema *s, const json *value) {
    bool number = false;
    s->types_given = true;
    s->types = 0;
    if (value->kind == JSON_ARRAY) {
        for (const json *item = value->child; item != NULL; item = item->next) read_type_name(c, s, item, &number);
    } else {
        read_type_name(c, s, value, &number);
    }
}

static void read_properties(compiler *c, schema *s, const json *value) {
    if (value->kind != JSON_OBJECT) expected(c, value, "an object of schemas");
    s->properties = compiler_new(c, sizeof *s->properties * (value->count + 1));
    s->property_count = 0;
    for (const json *m = value->child; m != NULL; m = m->next) {
        uint32_t key = key_id(c, m), id = schema_add(c, s, m);
        s->properties[s->property_count].key = key;
        s->properties[s->property_count++].schema = id;
    }
    s->key_set = key_set_id(c, value, s);
}

static uint32_t *name_list(compiler *c, const json *value, uint32_t *count) {
    if (value->kind != JSON_ARRAY) expected(c, value, "an array of names");
    uint32_t *names = NEW_ARRAY(c, uint32_t, value->count + 1);
    *count = 0;
    for (const json *item = value->child; item != NULL; item = item->next) {
        if (item->kind != JSON_STRING) compiler_fail(c, WEIR_ERROR_SCHEMA, item, "a required name must be a string");
        names[(*count)++] = intern(c, &c->schemas->keys, item->text, item->length, NULL);
    }
    return names;
}

static void read_required(compiler *c, schema *s, const json *value) {
    if (value->kind == JSON_FALSE || value->kind == JSON_TRUE) {
        /* Draft 3's boolean form inside a property: not a keyword of the drafts read here. */
        expected(c, value, "an array of names (a boolean is draft 3's form)");
    }
    s->required = name_list(c, value, &s->required_count);
}

/* dependentRequired, dependentSchemas and the older dependencies: of each name a list of names, or a schema. */
static void read_dependents(compiler *c, schema *s, const json *value) {
    if (value->kind != JSON_OBJECT) expected(c, value, "an object");
    bool names_only = strcmp(value->key, "dependentRequired") == 0, schemas_only = strcmp(value->key, "dependentSchemas") == 0;
    size_t size = sizeof *s->dependents;
    s->dependents = compiler_grow(c, s->dependents, size * s->dependent_count, size * (s->dependent_count + value->count + 1));
    for (const json *m = value->child; m != NULL; m = m->next) {
        __typeof__(s->dependents) made = &s->dependents[s->dependent_count++];
        memset(made, 0, size);
        made->key = key_id(c, m);
        made->schema = NONE;
        if (names_only || (m->kind == JSON_ARRAY && !schemas_only)) {
            made->required = name_list(c, m, &made->required_count);
        } else {
            made->schema = schema_add(c, s, m);
        }
    }
}

static void read_additional(compiler *c, schema *s, const json *value) { s->additional = schema_add(c, s, value); }

static void read_prefix(compiler *c, schema *s, const json *value) { s->prefix = schema_list(c, s, value, &s->prefix_count); }

/* Up to 2019-09 an array is the prefix, and additionalItems speaks of what follows. */
static void read_items(compiler *c, schema *s, const json *value) {
    if (value->kind != JSON_ARRAY) {
        s->items = schema_add(c, s, value);
        return;
    }
    const json *rest = json_get(s->node, "additionalItems");
    read_prefix(c, s, value);
    if (rest != NULL) s->items = schema_add(c, s, rest);
}

static void read_nothing(compiler *c, schema *s, const json *value) { /* read with another keyword */
    (void)c;
    (void)s;
    (void)value;
}

static void read_contains(compiler *c, schema *s, const json *value) { s->contains = schema_add(c, s, value); }
static void read_min_contains(compiler *c, schema *s, const json *value) { s->min_contains = count_value(c, value); }
static void read_max_contains(compiler *c, schema *s, const json *value) { s->max_contains = count_value(c, value); }
static void read_min_properties(compiler *c, schema *s, const json *value) { s->min_properties = count_value(c, value); }
static void read_max_properties(compiler *c, schema *s, const json *value) { s->max_properties = count_value(c, value); }
static void read_min_items(compiler *c, schema *s, const json *value) { s->min_items = count_value(c, value); }
static void read_max_items(compiler *c, schema *s, const json *value) { s->max_items = count_value(c, value); }
static void read_min_length(compiler *c, schema *s, const json *value) { s->min_length = count_value(c, value); }
static void read_max_length(compiler *c, schema *s, const json *value) { s->max_length = count_value(c, value); }

static uint32_t pattern_id(compiler *c, const json *place, const char *text, uint32_t length) {
    bool is_new;
    uint32_t id = intern(c, &c->schemas->pattern_texts, text, length, &is_new);
    if (is_new) {
        const regex *compiled = regex_compile(c, place, text, length);
        PUSH(c, c->schemas->patterns, compiled);
    }
    return id;
}

static void read_pattern_properties(compiler *c, schema *s, const json *value) {
    if (value->kind != JSON_OBJECT) expected(c, value, "an object of schemas");
    const json *properties = json_get(s->node, "properties");
    s->pattern_properties = compiler_new(c, sizeof *s->pattern_properties * (value->count + 1));
    for (const json *m = value->child; m != NULL; m = m->next) {
        uint32_t pattern = pattern_id(c, m, m->key, m->key_length), id = schema_add(c, s, m);
        s->pattern_properties[s->pattern_count].pattern = pattern;
        s->pattern_properties[s->pattern_count++].schema = id;
    }
    s->key_set = key_set_id(c, properties != NULL && properties->kind == JSON_OBJECT ? properties : NULL, s);
}

static void read_names(compiler *c, schema *s, const json *value) { s->names = schema_add(c, s, value); }

static void read_pattern(compiler *c, schema *s, const json *value) {
    if (value->kind != JSON_STRING) expected(c, value, "a string");
    s->pattern = pattern_id(c, value, value->text, value->length);
}

static uint32_t threshold_id(compiler *c, const json *value) {
    decimal number;
    memset(&number, 0, sizeof number);
    if (value->kind != JSON_NUMBER) expected(c, value, "a number");
    if (!decimal_parse(value->text, value->length, &number)) {
        compiler_fail(c, WEIR_ERROR_SCHEMA, value, "the number %.60s has more than 40 digits or lies outside 1e-400..1e400",
                      value->text);
    }
    return intern(c, &c->schemas->thresholds, &number, sizeof number, NULL);
}

/* Draft 4: whether the bound beside it excludes its own value. */
static bool is_exclusive(compiler *c, const schema *s, const char *keyword) {
    const json *value = s->draft == DRAFT_4 ? json_get(s->node, keyword) : NULL;
    if (value != NULL && value->kind != JSON_TRUE && value->kind != JSON_FALSE) expected(c, value, "a boolean in draft 4");
    return value != NULL && value->kind == JSON_TRUE;
}

static void read_minimum(compiler *c, schema *s, const json *value) {
    *(is_exclusive(c, s, "exclusiveMinimum") ? &s->above : &s->at_least) = threshold_id(c, value);
}

static void read_maximum(compiler *c, schema *s, const json *value) {
    *(is_exclusive(c, s, "exclusiveMaximum") ? &s->below : &s->at_most) = threshold_id(c, value);
}

static void read_above(compiler *c, schema *s, const json *value) {
    if (s->draft != DRAFT_4) s->above = threshold_id(c, value);
}

static void read_below(compiler *c, schema *s, const json *value) {
    if (s->draft != DRAFT_4) s->below = threshold_id(c, value);
}

static void read_enum(compiler *c, schema *s, const json *value) {
    if (value->kind != JSON_ARRAY) expected(c, value, "an array of values");
    s->values = NEW_ARRAY(c, uint32_t, value->count + 1);
    for (const json *item = value->child; item != NULL; item = item->next) {
        s->values[s->value_count++] = schema_add_value(c, item);
    }
}

static void read_const(compiler *c, schema *s, const json *value) {
    s->one_value = NEW(c, uint32_t);
    *s->one_value = schema_add_value(c, value);
}

static void read_all_of(compiler *c, schema *s, const json *value) { s->all_of = schema_list(c, s, value, &s->all_count); }
static void read_any_of(compiler *c, schema *s, const json *value) { s->any_of = schema_list(c, s, value, &s->any_count); }
static void read_one_of(compiler *c, schema *s, const json *value) { s->one_of = schema_list(c, s, value, &s->one_count); }
static void read_not(compiler *c, schema *s, const json *value) { s->not_schema = schema_add(c, s, value); }

static void read_if(compiler *c, schema *s, const json *value) { s->if_schema = schema_add(c, s, value); }
static void read_then(compiler *c, schema *s, const json *value) { s->then_schema = schema_add(c, s, value); }
static void read_else(compiler *c, schema *s, const json *value) { s->else_schema = schema_add(c, s, value); }

static void read_reference(compiler *c, schema *s, const json *value) {
    if (value->kind != JSON_STRING) expected(c, value, "a string");
    s->reference = schema_add(c, s, resource_resolve(c, value));
}

/* Where the target's name is dynamic, the outermost resource on the way here that has it decides. */
static void read_dynamic_reference(compiler *c, schema *s, const json *value) {
    const char *name;
    uint32_t length;
    bool is_dynamic;
    if (value->kind != JSON_STRING) expected(c, value, "a string");
    bool recursive = strcmp(value->key, "$recursiveRef") == 0;
    const json *target = resource_resolve_dynamic(c, value, recursive, &is_dynamic, &name, &length);
    const json *outermost = is_dynamic ? scope_find(c, s->scope, name, length) : NULL;
    s->dynamic = schema_add(c, s, outermost != NULL ? outermost : target);
}

static void read_unevaluated_properties(compiler *c, schema *s, const json *value) {
    s->unevaluated_properties = schema_add(c, s, value);
}

static void read_unevaluated_items(compiler *c, schema *s, const json *value) { s->unevaluated_items = schema_add(c, s, value); }

static void read_unique(compiler *c, schema *s, const json *value) {
    if (value->kind != JSON_TRUE && value->kind != JSON_FALSE) expected(c, value, "true or false");
    s->unique_items = value->kind == JSON_TRUE;
}

/* --- the keyword table ---------------------------------------------------------------------------------------- */

static const keyword keywords[] = {
    {"type", 4, 9, KEYWORD_ENFORCED, read_type},
    {"properties", 4, 9, KEYWORD_ENFORCED, read_properties},
    {"required", 4, 9, KEYWORD_ENFORCED, read_required},
    {"additionalProperties", 4, 9, KEYWORD_ENFORCED, read_additional},
    {"items", 4, 9, KEYWORD_ENFORCED, read_items},
    {"prefixItems", 9, 9, KEYWORD_ENFORCED, read_prefix},
    {"minItems", 4, 9, KEYWORD_ENFORCED, read_min_items},
    {"maxItems", 4, 9, KEYWORD_ENFORCED, read_max_items},
    {"minLength", 4, 9, KEYWORD_ENFORCED, read_min_length},
    {"maxLength", 4, 9, KEYWORD_ENFORCED, read_max_length},
    {"minimum", 4, 9, KEYWORD_ENFORCED, read_minimum},
    {"maximum", 4, 9, KEYWORD_ENFORCED, read_maximum},
    {"exclusiveMinimum", 4, 9, KEYWORD_ENFORCED, read_above},
    {"exclusiveMaximum", 4, 9, KEYWORD_ENFORCED, read_below},
    {"enum", 4, 9, KEYWORD_ENFORCED, read_enum},
    {"const", 6, 9, KEYWORD_ENFORCED, read_const},
    {"allOf", 4, 9, KEYWORD_ENFORCED, read_all_of},
    {"anyOf", 4, 9, KEYWORD_ENFORCED, read_any_of},
    {"oneOf", 4, 9, KEYWORD_ENFORCED, read_one_of},
    {"not", 4, 9, KEYWORD_ENFORCED, read_not},
    {"$ref", 4, 9, KEYWORD_ENFORCED, read_reference},
    {"uniqueItems", 4, 9, KEYWORD_ENFORCED, read_unique},
    {"$defs", 4, 9, KEYWORD_ANNOTATION, NULL},
    {"definitions", 4, 9, KEYWORD_ANNOTATION, NULL},
    {"$id", 6, 9, KEYWORD_ANNOTATION, NULL},
    {"id", 4, 4, KEYWORD_ANNOTATION, NULL},
    {"$anchor", 8, 9, KEYWORD_ANNOTATION, NULL},
    {"$schema", 4, 9, KEYWORD_ANNOTATION, NULL},
    {"$comment", 4, 9, KEYWORD_ANNOTATION, NULL},
    {"$vocabulary", 8, 9, KEYWORD_ANNOTATION, NULL},
    {"format", 4, 9, KEYWORD_FORMAT, NULL},
    {"pattern", 4, 9, KEYWORD_ENFORCED, read_pattern},
    {"multipleOf", 4, 9, KEYWORD_REFUSED, NULL},
    {"additionalItems", 4, 8, KEYWORD_ENFORCED, read_nothing},
    {"contains", 6, 9, KEYWORD_ENFORCED, read_contains},
    {"minContains", 8, 9, KEYWORD_ENFORCED, read_min_contains},
    {"maxContains", 8, 9, KEYWORD_ENFORCED, read_max_contains},
    {"minProperties", 4, 9, KEYWORD_ENFORCED, read_min_properties},
    {"maxProperties", 4, 9, KEYWORD_ENFORCED, read_max_properties},
    {"patternProperties", 4, 9, KEYWORD_ENFORCED, read_pattern_properties},
    {"propertyNames", 6, 9, KEYWORD_ENFORCED, read_names},
    {"dependencies", 4, 9, KEYWORD_ENFORCED, read_dependents}, /* kept by validators beyond draft 7 */
    {"dependentRequired", 8, 9, KEYWORD_ENFORCED, read_dependents},
    {"dependentSchemas", 8, 9, KEYWORD_ENFORCED, read_dependents},
    {"unevaluatedItems", 8, 9, KEYWORD_ENFORCED, read_unevaluated_items},
    {"unevaluatedProperties", 8, 9, KEYWORD_ENFORCED, read_unevaluated_properties},
    {"if", 7, 9, KEYWORD_ENFORCED, read_if},
    {"then", 7, 9, KEYWORD_ENFORCED, read_then},
    {"else", 7, 9, KEYWORD_ENFORCED, read_else},
    {"$dynamicRef", 9, 9, KEYWORD_ENFORCED, read_dynamic_reference},
    {"$dynamicAnchor", 9, 9, KEYWORD_ANNOTATION, NULL},
    {"$recursiveRef", 8, 8, KEYWORD_ENFORCED, read_dynamic_reference},
    {"$recursiveAnchor", 8, 8, KEYWORD_ANNOTATION, NULL},
};

const keyword *keyword_find(const json *member, uint8_t draft_number) {
    for (size_t i = 0; i < sizeof keywords / sizeof *keywords; i++) {
        const keyword *k = &keywords[i];
        if (strlen(k->name) == member->key_length && memcmp(k->name, member->key, member->key_length) == 0) {
            return draft_number >= k->since && draft_number <= k->until ? k : NULL;
        }
    }
    return NULL;
}

void schema_read_value(compiler *c, schema *s) {
    if (s->node->kind == JSON_OBJECT) {
        s->properties = compiler_new(c, sizeof *s->properties * (s->node->count + 1));
        for (const json *m = s->node->child; m != NULL; m = m->next) {
            uint32_t key = key_id(c, m), id = schema_add_value(c, m);
            s->properties[s->property_count].key = key;
            s->properties[s->property_count++].schema = id;
        }
        s->key_set = key_set_id(c, s->node, s);
    } else if (s->node->kind == JSON_ARRAY) {
        s->prefix = NEW_ARRAY(c, uint32_t, s->node->count + 1);
        for (const json *item = s->node->child; item != NULL; item = item->next) {
            s->prefix[s->prefix_count++] = schema_add_value(c, item);
        }
    }
}

