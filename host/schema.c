/* schema.c - the keyword table, and the walk that turns schema objects into records.
 *
 * Every member of a schema object is looked up in one table, which says since which draft the keyword exists and who
 * reads it. What the table does not know is noted; what it knows and nobody reads is refused. */
#include "schema.h"

#include <stdlib.h>
#include <string.h>

typedef enum keyword_class {
    ENFORCED,
    ANNOTATION, /* cannot narrow the language */
    REFUSED,
    FORMAT
} keyword_class;

typedef void read_function(compiler *c, schema *s, const json *value);

typedef struct keyword {
    const char *name;
    uint8_t since; /* draft */
    uint8_t until; /* last draft that has it */
    keyword_class class;
    read_function *read;
} keyword;

static uint32_t schema_add(compiler *c, const json *node, bool is_value);

const schema *schema_get(const compiler *c, uint32_t id) { return &c->schemas->items.items[id]; }

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

static uint32_t key_set_id(compiler *c, const json *object) {
    uint32_t *ids = compiler_new(c, sizeof *ids * (object->count + 1));
    uint32_t count = 0;
    for (const json *m = object->child; m != NULL; m = m->next) ids[count++] = key_id(c, m);
    qsort(ids, count, sizeof *ids, compare_ids);
    return intern(c, &c->schemas->key_sets, ids, sizeof *ids * count, NULL);
}

static uint32_t count_value(compiler *c, const json *value) {
    uint64_t count;
    if (!json_uint(value, &count)) expected(c, value, "a non-negative integer");
    return count >= NONE - 1 ? NONE - 1 : (uint32_t)count;
}

static uint32_t *schema_list(compiler *c, const json *value, uint32_t *count) {
    if (value->kind != JSON_ARRAY) expected(c, value, "an array of schemas");
    uint32_t *list = NEW_ARRAY(c, uint32_t, value->count + 1);
    *count = 0;
    for (const json *item = value->child; item != NULL; item = item->next) list[(*count)++] = schema_add(c, item, false);
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
        uint32_t key = key_id(c, m), id = schema_add(c, m, false);
        s->properties[s->property_count].key = key;
        s->properties[s->property_count++].schema = id;
    }
    s->key_set = key_set_id(c, value);
}

static void read_required(compiler *c, schema *s, const json *value) {
    if (value->kind == JSON_FALSE || value->kind == JSON_TRUE) {
        /* Draft 3's boolean form inside a property: not a keyword of the drafts read here. */
        expected(c, value, "an array of names (a boolean is draft 3's form)");
    }
    if (value->kind != JSON_ARRAY) expected(c, value, "an array of names");
    s->required = NEW_ARRAY(c, uint32_t, value->count + 1);
    for (const json *item = value->child; item != NULL; item = item->next) {
        if (item->kind != JSON_STRING) compiler_fail(c, WEIR_ERROR_SCHEMA, item, "a required name must be a string");
        s->required[s->required_count++] = intern(c, &c->schemas->keys, item->text, item->length, NULL);
    }
}

static void read_additional(compiler *c, schema *s, const json *value) { s->additional = schema_add(c, value, false); }

static void read_items(compiler *c, schema *s, const json *value) {
    if (value->kind == JSON_ARRAY) {
        compiler_fail(c, WEIR_ERROR_SCHEMA, value, "\"items\" as an array of schemas is not supported; write prefixItems");
    }
    s->items = schema_add(c, value, false);
}

static void read_prefix(compiler *c, schema *s, const json *value) { s->prefix = schema_list(c, value, &s->prefix_count); }
static void read_min_items(compiler *c, schema *s, const json *value) { s->min_items = count_value(c, value); }
static void read_max_items(compiler *c, schema *s, const json *value) { s->max_items = count_value(c, value); }
static void read_min_length(compiler *c, schema *s, const json *value) { s->min_length = count_value(c, value); }
static void read_max_length(compiler *c, schema *s, const json *value) { s->max_length = count_value(c, value); }

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

static void refuse_boolean_bound(compiler *c, const json *value) {
    if (value->kind == JSON_TRUE || value->kind == JSON_FALSE) {
        compiler_fail(c, WEIR_ERROR_SCHEMA, value, "the boolean form of \"%s\" (draft 4) is not supported", value->key);
    }
}

static void read_minimum(compiler *c, schema *s, const json *value) { s->at_least = threshold_id(c, value); }
static void read_maximum(compiler *c, schema *s, const json *value) { s->at_most = threshold_id(c, value); }
static void read_above(compiler *c, schema *s, const json *value) {
    refuse_boolean_bound(c, value);
    s->above = threshold_id(c, value);
}
static void read_below(compiler *c, schema *s, const json *value) {
    refuse_boolean_bound(c, value);
    s->below = threshold_id(c, value);
}

static void read_enum(compiler *c, schema *s, const json *value) {
    if (value->kind != JSON_ARRAY) expected(c, value, "an array of values");
    s->values = NEW_ARRAY(c, uint32_t, value->count + 1);
    for (const json *item = value->child; item != NULL; item = item->next) {
        s->values[s->value_count++] = schema_add(c, item, true);
    }
}

static void read_const(compiler *c, schema *s, const json *value) {
    s->one_value = NEW(c, uint32_t);
    *s->one_value = schema_add(c, value, true);
}

static void read_all_of(compiler *c, schema *s, const json *value) { s->all_of = schema_list(c, value, &s->all_count); }
static void read_any_of(compiler *c, schema *s, const json *value) { s->any_of = schema_list(c, value, &s->any_count); }
static void read_one_of(compiler *c, schema *s, const json *value) { s->one_of = schema_list(c, value, &s->one_count); }
static void read_not(compiler *c, schema *s, const json *value) { s->not_schema = schema_add(c, value, false); }

static void read_reference(compiler *c, schema *s, const json *value) {
    if (value->kind != JSON_STRING) expected(c, value, "a string");
    s->reference = schema_add(c, schema_resolve(c, value), false);
}

static void read_unique(compiler *c, schema *s, const json *value) {
    (void)s;
    if (value->kind == JSON_FALSE) return;
    compiler_fail(c, WEIR_ERROR_SCHEMA, value, "the keyword \"uniqueItems\" is not supported");
}

/* --- the keyword table ---------------------------------------------------------------------------------------- */

static const keyword keywords[] = {
    {"type", 4, 9, ENFORCED, read_type},
    {"properties", 4, 9, ENFORCED, read_properties},
    {"required", 4, 9, ENFORCED, read_required},
    {"additionalProperties", 4, 9, ENFORCED, read_additional},
    {"items", 4, 9, ENFORCED, read_items},
    {"prefixItems", 9, 9, ENFORCED, read_prefix},
    {"minItems", 4, 9, ENFORCED, read_min_items},
    {"maxItems", 4, 9, ENFORCED, read_max_items},
    {"minLength", 4, 9, ENFORCED, read_min_length},
    {"maxLength", 4, 9, ENFORCED, read_max_length},
    {"minimum", 4, 9, ENFORCED, read_minimum},
    {"maximum", 4, 9, ENFORCED, read_maximum},
    {"exclusiveMinimum", 4, 9, ENFORCED, read_above},
    {"exclusiveMaximum", 4, 9, ENFORCED, read_below},
    {"enum", 4, 9, ENFORCED, read_enum},
    {"const", 6, 9, ENFORCED, read_const},
    {"allOf", 4, 9, ENFORCED, read_all_of},
    {"anyOf", 4, 9, ENFORCED, read_any_of},
    {"oneOf", 4, 9, ENFORCED, read_one_of},
    {"not", 4, 9, ENFORCED, read_not},
    {"$ref", 4, 9, ENFORCED, read_reference},
    {"uniqueItems", 4, 9, ENFORCED, read_unique},
    {"$defs", 4, 9, ANNOTATION, NULL},
    {"definitions", 4, 9, ANNOTATION, NULL},
    {"$id", 6, 9, ANNOTATION, NULL},
    {"id", 4, 4, ANNOTATION, NULL},
    {"$anchor", 8, 9, ANNOTATION, NULL},
    {"$schema", 4, 9, ANNOTATION, NULL},
    {"$comment", 4, 9, ANNOTATION, NULL},
    {"$vocabulary", 8, 9, ANNOTATION, NULL},
    {"format", 4, 9, FORMAT, NULL},
    {"pattern", 4, 9, REFUSED, NULL},
    {"multipleOf", 4, 9, REFUSED, NULL},
    {"additionalItems", 4, 8, REFUSED, NULL},
    {"contains", 6, 9, REFUSED, NULL},
    {"minContains", 8, 9, REFUSED, NULL},
    {"maxContains", 8, 9, REFUSED, NULL},
    {"minProperties", 4, 9, REFUSED, NULL},
    {"maxProperties", 4, 9, REFUSED, NULL},
    {"patternProperties", 4, 9, REFUSED, NULL},
    {"propertyNames", 6, 9, REFUSED, NULL},
    {"dependencies", 4, 9, REFUSED, NULL}, /* kept by validators beyond draft 7 */
    {"dependentRequired", 8, 9, REFUSED, NULL},
    {"dependentSchemas", 8, 9, REFUSED, NULL},
    {"unevaluatedItems", 8, 9, REFUSED, NULL},
    {"unevaluatedProperties", 8, 9, REFUSED, NULL},
    {"if", 7, 9, REFUSED, NULL},
    {"then", 7, 9, REFUSED, NULL},
    {"else", 7, 9, REFUSED, NULL},
    {"$dynamicRef", 9, 9, REFUSED, NULL},
    {"$dynamicAnchor", 9, 9, REFUSED, NULL},
    {"$recursiveRef", 8, 8, REFUSED, NULL},
    {"$recursiveAnchor", 8, 8, REFUSED, NULL},
};

static const keyword *keyword_find(const json *member, uint8_t draft_number) {
    for (size_t i = 0; i < sizeof keywords / sizeof *keywords; i++) {
        const keyword *k = &keywords[i];
        if (strlen(k->name) == member->key_length && memcmp(k->name, member->key, member->key_length) == 0) {
            return draft_number >= k->since && draft_number <= k->until ? k : NULL;
        }
    }
    return NULL;
}

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

static void report(compiler *c, const json *schema_node, const json *member, weir_keyword_fate fate, const char *why) {
    char pointer[256];
    json_pointer(schema_node, pointer, sizeof pointer);
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

static uint8_t draft_of(compiler *c, const json *node, uint8_t inherited) {
    const json *uri = node->kind == JSON_OBJECT ? json_get(node, "$schema") : NULL;
    if (uri == NULL || uri->kind != JSON_STRING) return inherited;
    static const struct { const char *uri; uint8_t draft; } known[] = {
        {"http://json-schema.org/draft-03/schema", 3},
        {"http://json-schema.org/draft-04/schema", DRAFT_4},
        {"http://json-schema.org/draft-06/schema", DRAFT_6},
        {"http://json-schema.org/draft-07/schema", DRAFT_7},
        {"https://json-schema.org/draft/2019-09/schema", DRAFT_2019},
        {"https://json-schema.org/draft/2020-12/schema", DRAFT_2020}};
    size_t length = uri->length;
    if (length > 0 && uri->text[length - 1] == '#') length--;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (strlen(known[i].uri) != length || memcmp(known[i].uri, uri->text, length) != 0) continue;
        if (known[i].draft == 3) compiler_fail(c, WEIR_ERROR_SCHEMA, uri, "draft 3 is not supported");
        return known[i].draft;
    }
    return inherited;
}

static uint32_t push_schema(compiler *c, const schema *s) {
    PUSH(c, c->schemas->items, *s);
    for (int type = 0; type < TYPE_COUNT; type++) {
        PUSH(c, c->schemas->formulas, NONE);
        PUSH(c, c->schemas->under_way, 0);
    }
    return c->schemas->items.count - 1;
}

static uint32_t schema_add(compiler *c, const json *node, bool is_value) {
    schema_set *set = c->schemas;
    uintptr_t key = (uintptr_t)node | (is_value ? 1 : 0); /* nodes are aligned */
    bool is_new;
    uint32_t id = intern(c, &set->by_node, &key, sizeof key, &is_new);
    if (!is_new) return id;
    schema s;
    memset(&s, 0, sizeof s);
    s.node = node;
    s.is_value = is_value;
    s.reference = s.additional = s.items = s.not_schema = s.key_set = NONE;
    s.max_items = s.max_length = NONE;
    s.at_least = s.at_most = s.above = s.below = NONE;
    s.types = (1u << TYPE_COUNT) - 1;
    push_schema(c, &s);
    return id;
}

uint32_t schema_twin(compiler *c, uint32_t id) {
    schema twin = *schema_get(c, id);
    twin.is_twin = true;
    twin.twin = id;
    uint32_t added = push_schema(c, &twin);
    c->schemas->items.items[id].twin = added;
    return added;
}

static void read_value(compiler *c, schema *s) {
    if (s->node->kind == JSON_OBJECT) {
        s->properties = compiler_new(c, sizeof *s->properties * (s->node->count + 1));
        for (const json *m = s->node->child; m != NULL; m = m->next) {
            uint32_t key = key_id(c, m), id = schema_add(c, m, true);
            s->properties[s->property_count].key = key;
            s->properties[s->property_count++].schema = id;
        }
        s->key_set = key_set_id(c, s->node);
    } else if (s->node->kind == JSON_ARRAY) {
        s->prefix = NEW_ARRAY(c, uint32_t, s->node->count + 1);
        for (const json *item = s->node->child; item != NULL; item = item->next) {
            s->prefix[s->prefix_count++] = schema_add(c, item, true);
        }
    }
}

static void read_schema(compiler *c, schema *s) {
    const json *node = s->node;
    if (node->kind == JSON_TRUE || node->kind == JSON_FALSE) return;
    if (node->kind != JSON_OBJECT) compiler_fail(c, WEIR_ERROR_SCHEMA, node, "a schema must be an object or a boolean");
    s->draft = draft_of(c, node, c->schemas->root_draft);
    const json *reference = json_get(node, "$ref");
    bool only_reference = s->draft <= DRAFT_7 && reference != NULL && reference->kind == JSON_STRING;
    for (const json *member = node->child; member != NULL; member = member->next) {
        compiler_spend(c, 200);
        const keyword *k = keyword_find(member, s->draft);
        if (only_reference && member != reference) {
            report(c, node, member, WEIR_KEYWORD_NOTED, "");
        } else if (k == NULL || k->class == ANNOTATION) {
            report(c, node, member, WEIR_KEYWORD_NOTED, "");
        } else if (k->class == REFUSED) {
            compiler_fail(c, WEIR_ERROR_SCHEMA, member, "the keyword \"%s\" is not supported", k->name);
        } else if (k->class == FORMAT) {
            if (member->kind != JSON_STRING || format_is_standard(member)) {
                compiler_fail(c, WEIR_ERROR_SCHEMA, member, "the keyword \"format\" is not supported (\"%.60s\")",
                              member->kind == JSON_STRING ? member->text : "");
            }
            report(c, node, member, WEIR_KEYWORD_RECORDED, "unknown format");
        } else {
            report(c, node, member, WEIR_KEYWORD_ENFORCED, "");
            k->read(c, s, member);
        }
    }
}

schema_set *schema_set_new(compiler *c, const json *root) {
    schema_set *set = c->schemas = NEW(c, schema_set);
    set->root = root;
    set->root_draft = draft_of(c, root, DRAFT_2020);
    schema_identifiers(c, set, root, set->root_draft, "", 0);
    schema_add(c, root, false);
    /* Reading a schema adds the schemas it uses; so this ends with all that can apply. */
    for (uint32_t id = 0; id < set->items.count; id++) {
        schema s = set->items.items[id]; /* a copy: the vector may move */
        if (s.is_value) {
            read_value(c, &s);
        } else {
            read_schema(c, &s);
        }
        set->items.items[id] = s;
    }
    schema_find_circles(c);
    return set;
}

const char *schema_key_text(const compiler *c, uint32_t key, uint32_t *length) {
    *length = c->schemas->keys.entries.items[key].size;
    return c->schemas->keys.entries.items[key].bytes;
}

const char *schema_text(const compiler *c, uint32_t text, uint32_t *length) {
    *length = c->schemas->texts.entries.items[text].size;
    return c->schemas->texts.entries.items[text].bytes;
}

bool schema_key_in_set(const compiler *c, uint32_t key, uint32_t key_set) {
    if (key_set == NONE || key == NONE) return false;
    const struct interned *set = &c->schemas->key_sets.entries.items[key_set];
    return bsearch(&key, set->bytes, set->size / sizeof key, sizeof key, compare_ids) != NULL;
}

const decimal *schema_threshold(const compiler *c, uint32_t threshold) {
    return c->schemas->thresholds.entries.items[threshold].bytes;
}
