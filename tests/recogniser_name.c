/* recogniser_name.c - names and strings as patterns see them: which schemas apply to a member, into which classes the names
 * that nobody mentions fall, and which strings satisfy a set of literals. */
#include "recogniser_parts.h"

#include <stdlib.h>
#include <string.h>

enum { MOST_CLASSES = 64 };

/* --- strings that a schema accepts --- */

bool schema_is_patterned(const recogniser *r, const schema *s) {
    schema *writable = (schema *)s;
    if (s->patterned >= 0) return s->patterned;
    bool found = s->has_pattern;
    for (uint32_t k = 0; schema_in_place(s, k) && !found; k++) found = schema_is_patterned(r, schema_in_place(s, k));
    writable->patterned = found;
    return found;
}

static language constant_string(const recogniser *r, const json *value) {
    return value->kind == JSON_STRING ? language_of_word(r->languages, value->text, value->length) : LANGUAGE_NONE;
}

static language some_of(const recogniser *r, schema_list list) {
    language found = LANGUAGE_NONE;
    for (uint32_t i = 0; i < list.count; i++) found = language_or(r->languages, found, schema_strings(r, list.items[i]));
    return found;
}

/* In one of the schemas' languages and in no other. */
static language one_of(const recogniser *r, schema_list list) {
    language found = LANGUAGE_NONE;
    for (uint32_t i = 0; i < list.count; i++) {
        language only = schema_strings(r, list.items[i]);
        for (uint32_t k = 0; k < list.count; k++)
            if (k != i) only = language_and(r->languages, only, language_not(r->languages, schema_strings(r, list.items[k])));
        found = language_or(r->languages, found, only);
    }
    return found;
}

static language own_strings(const recogniser *r, const schema *s) {
    language found = language_of_length(r->languages, s->min_length, s->max_length);
    if (s->never || !(s->kinds & 1u << KIND_STRING)) return LANGUAGE_NONE;
    if (s->has_pattern) found = language_and(r->languages, found, s->pattern);
    if (s->constant) found = language_and(r->languages, found, constant_string(r, s->constant));
    if (!s->enumeration) return found;
    language listed = LANGUAGE_NONE;
    for (const json *value = s->enumeration->child; value; value = value->next)
        listed = language_or(r->languages, listed, constant_string(r, value));
    return language_and(r->languages, found, listed);
}

static language strings_in_place(const recogniser *r, const schema *s) {
    language_pool *pool = r->languages;
    language found = LANGUAGE_ALL;
    if (s->reference) found = schema_strings(r, s->reference);
    for (uint32_t i = 0; i < s->all.count; i++) found = language_and(pool, found, schema_strings(r, s->all.items[i]));
    if (s->any.count) found = language_and(pool, found, some_of(r, s->any));
    if (s->one.count) found = language_and(pool, found, one_of(r, s->one));
    if (s->negated) found = language_and(pool, found, language_not(pool, schema_strings(r, s->negated)));
    if (!s->condition) return found;
    language holds = schema_strings(r, s->condition);
    language then = s->consequence ? schema_strings(r, s->consequence) : LANGUAGE_ALL;
    language otherwise = s->alternative ? schema_strings(r, s->alternative) : LANGUAGE_ALL;
    language branches = language_or(pool, language_and(pool, holds, then),
                                    language_and(pool, language_not(pool, holds), otherwise));
    return language_and(pool, found, branches);
}

language schema_strings(const recogniser *r, const schema *s) {
    schema *writable = (schema *)s;
    if (s->strings == UINT32_MAX)
        writable->strings = language_and(r->languages, own_strings(r, s), strings_in_place(r, s));
    return s->strings;
}

language set_strings(const recogniser *r, const code_set *set) {
    language found = LANGUAGE_ALL;
    for (uint32_t i = 0; i < set->count; i++) {
        uint32_t code = set->codes[i];
        if (code == CODE_NEVER) return LANGUAGE_NONE;
        if (code == CODE_DISTINCT) continue;
        language own = code & CODE_VALUE ? constant_string(r, code_value(r, code)) : schema_strings(r, code_schema(r, code));
        found = language_and(r->languages, found, code & CODE_POSITIVE ? own : language_not(r->languages, own));
    }
    return found;
}

bool set_is_patterned(const recogniser *r, const code_set *set) {
    for (uint32_t i = 0; i < set->count; i++) {
        uint32_t code = set->codes[i];
        if (code == CODE_NEVER || code == CODE_DISTINCT) continue;
        if (code & CODE_VALUE ? code_byte(code) >= r->text_length && code_value(r, code)->kind == JSON_STRING
                              : schema_is_patterned(r, code_schema(r, code)))
            return true;
    }
    return false;
}

/* --- names --- */

const char *name_text(const recogniser *r, uint32_t name, uint32_t *length) {
    if (!name_is_other(name)) return *length = r->names[name].text_length, r->names[name].text;
    const name_class *class = &r->classes[name - NAME_OTHER];
    return *length = class->sample_length, class->sample;
}

typedef struct match_memo {
    language words;
    uint32_t name;
    signed char belongs; /* -1: an empty slot */
} match_memo;

static match_memo *match_slot(recogniser *r, language words, uint32_t name) {
    if (2 * r->match_count >= r->match_capacity) {
        match_memo *old = r->matches;
        uint32_t old_capacity = r->match_capacity;
        r->match_capacity = old_capacity ? 2 * old_capacity : 256;
        r->matches = malloc(r->match_capacity * sizeof *r->matches);
        if (!r->matches) recogniser_panic("out of memory");
        for (uint32_t i = 0; i < r->match_capacity; i++) r->matches[i].belongs = -1;
        for (uint32_t i = 0; i < old_capacity; i++)
            if (old[i].belongs >= 0) *match_slot(r, old[i].words, old[i].name) = old[i];
        free(old);
    }
    for (uint32_t i = words * 2654435761u + name * 40503u;; i++) {
        match_memo *memo = &r->matches[i & (r->match_capacity - 1)];
        if (memo->belongs < 0 || (memo->words == words && memo->name == name)) return memo;
    }
}

bool name_belongs(recogniser *r, language words, uint32_t name) {
    uint32_t length;
    const char *text = name_text(r, name, &length);
    match_memo *memo = match_slot(r, words, name);
    if (memo->belongs < 0) {
        bool belongs = text && language_holds(r->languages, words, text, length);
        *memo = (match_memo){words, name, belongs};
        r->match_count++;
    }
    return memo->belongs;
}

bool schema_lists(recogniser *r, const schema *s, uint32_t name) {
    bool listed = schema_property(s, name);
    for (uint32_t i = 0; i < s->pattern_count && !listed; i++) listed = name_belongs(r, s->patterns[i].names, name);
    return listed;
}

const schema *schema_member(recogniser *r, const schema *s, uint32_t name, uint32_t k) {
    const schema *own = schema_property(s, name);
    bool listed = own;
    if (own && k-- == 0) return own;
    for (uint32_t i = 0; i < s->pattern_count; i++) {
        if (!name_belongs(r, s->patterns[i].names, name)) continue;
        listed = true;
        if (k-- == 0) return s->patterns[i].schema;
    }
    return listed || k ? NULL : s->additional;
}

bool schema_allows_name(recogniser *r, const schema *s, uint32_t name) {
    return !s->names || s->names->trivial || (!s->names->never && name_belongs(r, schema_strings(r, s->names), name));
}

uint32_t name_at(recogniser *r, const position *p, const char *text, uint32_t length) {
    uint32_t found = name_find(r, text, length);
    if (!name_is_other(found) && p->ranks[found] >= 0) return found;
    for (uint32_t i = 0; i < p->class_count && p->by_pattern; i++)
        if (language_holds(r->languages, r->classes[p->first_class + i].words, text, length))
            return NAME_OTHER + p->first_class + i;
    return NAME_OTHER + p->first_class;
}

/* --- classes --- */

static void add_class(recogniser *r, language words) {
    size_t length;
    char *sample = words == UINT32_MAX ? NULL : language_word(r->languages, words, &length);
    if (r->class_count == r->class_capacity) {
        r->class_capacity = r->class_capacity ? 2 * r->class_capacity : 16;
        r->classes = realloc(r->classes, r->class_capacity * sizeof *r->classes);
        if (!r->classes) recogniser_panic("out of memory");
    }
    name_class *class = &r->classes[r->class_count++];
    *class = (name_class){.words = words};
    if (!sample) return;
    class->sample = memcpy(region_take(&r->arena, length + 1), sample, length);
    class->sample_length = (uint32_t)length;
    free(sample);
}

/* Each language into what belongs to it and what does not; false: too many, or too large to say. */
static bool divide(recogniser *r, language *classes, uint32_t *count, language by) {
    uint32_t before = *count;
    for (uint32_t i = 0; i < before; i++) {
        language inside = language_and(r->languages, classes[i], by);
        language outside = language_and(r->languages, classes[i], language_not(r->languages, by));
        int some_in = language_lives(r->languages, inside), some_out = language_lives(r->languages, outside);
        if (some_in < 0 || some_out < 0) return false;
        if (!some_in || !some_out) continue;
        if (*count == MOST_CLASSES) return false;
        classes[i] = inside;
        classes[(*count)++] = outside;
    }
    return true;
}

static language other_names(recogniser *r, const position *p) {
    language known = LANGUAGE_NONE;
    for (uint32_t i = 0; i < p->names.count; i++)
        known = language_or(r->languages, known,
                            language_of_word(r->languages, p->names.items[i].text, p->names.items[i].text_length));
    return language_not(r->languages, known);
}

void names_divide(recogniser *r, position *p) {
    language classes[MOST_CLASSES];
    uint32_t count = 1;
    if (!r->class_count) add_class(r, UINT32_MAX);
    p->class_count = 1;
    for (uint32_t i = 0; i < p->component_count; i++) {
        const schema *s = p->components[i] & CODE_VALUE ? NULL : code_schema(r, p->components[i]);
        p->by_pattern |= s && (s->pattern_count || (s->names && !s->names->trivial));
    }
    if (!p->by_pattern) return;
    classes[0] = other_names(r, p);
    for (uint32_t i = 0; i < p->component_count && !p->vague; i++) {
        const schema *s = p->components[i] & CODE_VALUE ? NULL : code_schema(r, p->components[i]);
        for (uint32_t k = 0; s && k < s->pattern_count && !p->vague; k++)
            p->vague = !divide(r, classes, &count, s->patterns[k].names);
        if (s && s->names && !p->vague) p->vague = !divide(r, classes, &count, schema_strings(r, s->names));
    }
    p->first_class = r->class_count;
    p->class_count = count;
    for (uint32_t i = 0; i < count; i++) {
        add_class(r, classes[i]);
        p->vague |= !r->classes[p->first_class + i].sample;
    }
}
