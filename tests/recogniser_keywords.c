/* recogniser_keywords.c - one schema object in, its keywords looked up out, as its draft reads them.
 *
 * Keywords of later drafts say nothing. What it does not know it refuses, so that no verdict rests on a keyword that was
 * passed over. */
#include "recogniser_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void read_kinds(recogniser *r, schema *s);
static void read_numbers(recogniser *r, schema *s);
static void read_string_keywords(recogniser *r, schema *s);
static void read_array_keywords(recogniser *r, schema *s);
static void read_object_keywords(recogniser *r, schema *s);
static void read_dependencies(recogniser *r, schema *s, const char *keyword);
static void read_applicators(recogniser *r, schema *s);
static void read_values(recogniser *r, schema *s);
static void check_keyword(recogniser *r, const json *keyword);
static bool says_nothing(const schema *s);

void schema_read_keywords(recogniser *r, schema *s) {
    const json *reference = json_get(s->node, "$ref");
    if (reference) {
        const json *target =
            reference->kind == JSON_STRING ? reference_target(r, s->node, reference->text, reference->length) : NULL;
        if (!target)
            schema_refuse(r, reference, "points to nothing in this document");
        else
            s->reference = schema_read(r, target);
    }
    if (!reference || r->draft > 7) { /* before, siblings are ignored */
        for (const json *keyword = s->node->child; keyword; keyword = keyword->next) check_keyword(r, keyword);
        if (r->refused) return;
        read_kinds(r, s);
        read_values(r, s);
        read_numbers(r, s);
        read_string_keywords(r, s);
        read_array_keywords(r, s);
        read_object_keywords(r, s);
        read_applicators(r, s);
    }
    s->bare = says_nothing(s);
    s->trivial = s->bare && !s->reference;
}

/* But for $ref. */
static bool says_nothing(const schema *s) {
    return s->kinds == KIND_ALL && !s->property_count && !s->required_count && !s->pattern_count && !s->dependency_count &&
           !s->additional && !s->items && !s->negated && !s->names && !s->condition && !s->contains &&
           !s->unevaluated_members && !s->unevaluated_items && !s->unique && !s->prefix.count && !s->all.count &&
           !s->any.count && !s->one.count && !s->min_items && s->max_items == UINT64_MAX && !s->min_length &&
           s->max_length == UINT64_MAX && !s->min_members && s->max_members == UINT64_MAX && !s->minimum && !s->maximum &&
           !s->exclusive_minimum && !s->exclusive_maximum && !s->enumeration && !s->constant && !s->has_pattern;
}

/* --- what is not read --- */

static bool one_of(const char *name, const char *const *list) {
    while (*list && strcmp(name, *list)) list++;
    return *list;
}

static void check_keyword(recogniser *r, const json *keyword) {
    static const char *const refused[] = {"multipleOf",       "$dynamicRef", "$recursiveRef", "$dynamicAnchor",
                                          "$recursiveAnchor", "extends",     "disallow",      "divisibleBy",
                                          "contentSchema",    "$vocabulary", NULL};
    static const char *const formats[] = {"date-time",  "date",          "time",
                                          "duration",   "email",         "idn-email",
                                          "hostname",   "idn-hostname",  "ipv4",
                                          "ipv6",       "uri",           "uri-reference",
                                          "iri",        "iri-reference", "uuid",
                                          "uri-template", "json-pointer", "relative-json-pointer",
                                          "regex",      "color",         "ip-address",
                                          "host-name",  NULL};
    bool known_format = !strcmp(keyword->key, "format") &&
                        (keyword->kind != JSON_STRING || one_of(keyword->text, formats)); /* others say nothing */
    if (known_format || one_of(keyword->key, refused)) schema_refuse(r, keyword, "a keyword that is not known here");
}

/* --- keywords of one kind --- */

/* The keyword's value, NULL before the draft that has it. */
static const json *get_since(const recogniser *r, const schema *s, const char *keyword, int draft) {
    return r->draft >= draft ? json_get(s->node, keyword) : NULL;
}

static const schema *read_under(recogniser *r, const schema *s, const char *keyword, int since) {
    const json *node = get_since(r, s, keyword, since);
    return node ? schema_read(r, node) : NULL;
}

static void read_list(recogniser *r, const json *list, schema_list *out) {
    uint32_t i = 0;
    if (!list) return;
    if (list->kind != JSON_ARRAY || !list->count) {
        schema_refuse(r, list, "a list of schemas is expected");
        return;
    }
    out->items = region_take(&r->arena, list->count * sizeof *out->items);
    for (const json *item = list->child; item; item = item->next) out->items[i++] = schema_read(r, item);
    out->count = i;
}

static void read_count(recogniser *r, const schema *s, const char *keyword, int since, uint64_t *out) {
    const json *value = get_since(r, s, keyword, since);
    if (value && !json_uint(value, out)) schema_refuse(r, value, "a count is expected");
}

static void read_kinds(recogniser *r, schema *s) {
    static const char *const names[] = {"null", "boolean", "integer", "number", "string", "array", "object"};
    const unsigned whole = r->draft == 4 ? 0 : 1u << KIND_WHOLE;
    const unsigned kinds[] = {1u << KIND_NULL,
                              1u << KIND_FALSE | 1u << KIND_TRUE,
                              1u << KIND_INTEGER | whole,
                              KIND_NUMBERS,
                              1u << KIND_STRING,
                              1u << KIND_ARRAY,
                              1u << KIND_OBJECT};
    const json *type = json_get(s->node, "type");
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

static void add_value_names(recogniser *r, const json *value) {
    for (const json *child = value->child; child; child = child->next) {
        if (child->key) name_add(r, child->key, child->key_length);
        add_value_names(r, child);
    }
}

static void read_values(recogniser *r, schema *s) {
    s->enumeration = json_get(s->node, "enum");
    s->constant = get_since(r, s, "const", 6);
    if (s->enumeration && s->enumeration->kind != JSON_ARRAY)
        schema_refuse(r, s->enumeration, "a list is expected");
    else if (s->enumeration)
        add_value_names(r, s->enumeration);
    if (s->constant) add_value_names(r, s->constant);
}

/* `own` excludes the bound itself; in draft 4 it is a boolean that says so of `other`. */
static void read_bound(recogniser *r, schema *s, const char *keyword, const char *strict, const json **other,
                       const json **own) {
    const json *bound = json_get(s->node, keyword), *exclusive = json_get(s->node, strict);
    bool is_boolean = exclusive && (exclusive->kind == JSON_TRUE || exclusive->kind == JSON_FALSE);
    if (bound && bound->kind != JSON_NUMBER) schema_refuse(r, bound, "a number is expected");
    if (exclusive && (r->draft == 4 ? !is_boolean : exclusive->kind != JSON_NUMBER))
        schema_refuse(r, exclusive, r->draft == 4 ? "a boolean is expected" : "a number is expected");
    *other = bound;
    *own = exclusive;
    if (r->draft != 4) return;
    bool excludes = exclusive && exclusive->kind == JSON_TRUE;
    *own = excludes ? bound : NULL;
    *other = excludes ? NULL : bound;
}

static void read_numbers(recogniser *r, schema *s) {
    read_bound(r, s, "minimum", "exclusiveMinimum", &s->minimum, &s->exclusive_minimum);
    read_bound(r, s, "maximum", "exclusiveMaximum", &s->maximum, &s->exclusive_maximum);
}

static void read_pattern(recogniser *r, const json *at, const char *text, uint32_t length, language *out) {
    char sentence[160];
    const char *why;
    if (language_of_pattern(r->languages, text, length, out, &why)) return;
    snprintf(sentence, sizeof sentence, "a pattern that is not read: %s", why);
    schema_refuse(r, at, sentence);
}

static void read_string_keywords(recogniser *r, schema *s) {
    const json *pattern = json_get(s->node, "pattern");
    read_count(r, s, "minLength", 4, &s->min_length);
    read_count(r, s, "maxLength", 4, &s->max_length);
    s->has_pattern = pattern;
    if (pattern && pattern->kind != JSON_STRING)
        schema_refuse(r, pattern, "a pattern is expected");
    else if (pattern)
        read_pattern(r, pattern, pattern->text, pattern->length, &s->pattern);
}

static void read_array_keywords(recogniser *r, schema *s) {
    const json *items = json_get(s->node, "items"), *unique = json_get(s->node, "uniqueItems");
    if (items && items->kind == JSON_ARRAY && r->draft < 2020) {
        if (items->count) read_list(r, items, &s->prefix);
        s->items = read_under(r, s, "additionalItems", 4);
    } else if (items) {
        s->items = schema_read(r, items);
    }
    if (r->draft >= 2020) read_list(r, json_get(s->node, "prefixItems"), &s->prefix);
    read_count(r, s, "minItems", 4, &s->min_items);
    read_count(r, s, "maxItems", 4, &s->max_items);
    if (unique && unique->kind != JSON_TRUE && unique->kind != JSON_FALSE) schema_refuse(r, unique, "a boolean is expected");
    s->unique = unique && unique->kind == JSON_TRUE;
    s->contains = read_under(r, s, "contains", 6);
    if (s->contains) {
        read_count(r, s, "minContains", 2019, &s->min_contains);
        read_count(r, s, "maxContains", 2019, &s->max_contains);
    }
    s->contains_evaluates = r->draft >= 2020;
    s->unevaluated_items = read_under(r, s, "unevaluatedItems", 2019);
}

/* --- keywords of objects --- */

static int compare_properties(const void *a, const void *b) {
    uint32_t x = ((const property *)a)->name, y = ((const property *)b)->name;
    return (x > y) - (x < y);
}

static const json *object_under(recogniser *r, const schema *s, const char *keyword, int since) {
    const json *found = get_since(r, s, keyword, since);
    if (!found || found->kind == JSON_OBJECT) return found;
    schema_refuse(r, found, "an object is expected");
    return NULL;
}

static uint32_t *read_names(recogniser *r, const json *list, uint32_t *count) {
    uint32_t *names = region_take(&r->arena, list->count * sizeof *names);
    if (list->kind != JSON_ARRAY) schema_refuse(r, list, "a list of names is expected");
    for (const json *item = list->child; item && !r->refused; item = item->next) {
        if (item->kind != JSON_STRING)
            schema_refuse(r, item, "a name is expected");
        else
            names[(*count)++] = name_add(r, item->text, item->length);
    }
    return names;
}

static void read_object_keywords(recogniser *r, schema *s) {
    const json *properties = object_under(r, s, "properties", 4), *required = json_get(s->node, "required");
    const json *patterns = object_under(r, s, "patternProperties", 4);
    if (properties) s->properties = region_take(&r->arena, properties->count * sizeof *s->properties);
    for (const json *member = properties ? properties->child : NULL; member; member = member->next)
        s->properties[s->property_count++] =
            (property){name_add(r, member->key, member->key_length), schema_read(r, member)};
    if (properties) qsort(s->properties, s->property_count, sizeof *s->properties, compare_properties);
    if (patterns) s->patterns = region_take(&r->arena, patterns->count * sizeof *s->patterns);
    for (const json *member = patterns ? patterns->child : NULL; member; member = member->next) {
        pattern_property *p = &s->patterns[s->pattern_count++];
        read_pattern(r, member, member->key, member->key_length, &p->names);
        p->schema = schema_read(r, member);
    }
    if (required) s->required = read_names(r, required, &s->required_count);
    s->additional = read_under(r, s, "additionalProperties", 4);
    s->names = read_under(r, s, "propertyNames", 6);
    s->unevaluated_members = read_under(r, s, "unevaluatedProperties", 2019);
    read_count(r, s, "minProperties", 4, &s->min_members);
    read_count(r, s, "maxProperties", 4, &s->max_members);
    static const struct {
        const char *keyword;
        int since;
    } kinds[] = {{"dependencies", 4}, {"dependentRequired", 2019}, {"dependentSchemas", 2019}};
    uint32_t room = 0;
    for (int i = 0; i < 3; i++) {
        const json *list = object_under(r, s, kinds[i].keyword, kinds[i].since);
        if (list) room += list->count;
    }
    s->dependencies = region_take(&r->arena, room * sizeof *s->dependencies);
    for (int i = 0; i < 3; i++)
        if (r->draft >= kinds[i].since) read_dependencies(r, s, kinds[i].keyword);
}

/* Lists of names under dependentRequired, schemas under dependentSchemas, both under dependencies. */
static void read_dependencies(recogniser *r, schema *s, const char *keyword) {
    const json *list = json_get(s->node, keyword);
    for (const json *member = list ? list->child : NULL; member; member = member->next) {
        dependency *d = &s->dependencies[s->dependency_count++];
        d->trigger = name_add(r, member->key, member->key_length);
        if (member->kind == JSON_ARRAY && strcmp(keyword, "dependentSchemas"))
            d->required = read_names(r, member, &d->required_count);
        else if (strcmp(keyword, "dependentRequired"))
            d->schema = schema_read(r, member);
        else
            schema_refuse(r, member, "a list of names is expected");
    }
}

/* --- applicators --- */

static void read_applicators(recogniser *r, schema *s) {
    read_list(r, json_get(s->node, "allOf"), &s->all);
    read_list(r, json_get(s->node, "anyOf"), &s->any);
    read_list(r, json_get(s->node, "oneOf"), &s->one);
    s->negated = read_under(r, s, "not", 4);
    s->condition = read_under(r, s, "if", 7);
    if (!s->condition) return;
    s->consequence = read_under(r, s, "then", 7);
    s->alternative = read_under(r, s, "else", 7);
}
