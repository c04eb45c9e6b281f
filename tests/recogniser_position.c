/* recogniser_position.c - places in documents: which components could apply there, hence how names and strings are
 * spelled and in which order names come.
 *
 * Verdicts play no part: a component that earlier text has ruled out still lists its names. */
#include "recogniser_parts.h"

#include <stdlib.h>
#include <string.h>

typedef struct walk {
    recogniser *r;
    uint32_t *components, count;
    uint8_t *seen; /* [text_length] by first byte; 1: as a schema, 2: as a value */
    int32_t *ranks, next_rank;
} walk;

static position *position_make(recogniser *r, const uint32_t *roots, uint32_t count);
static void visit(walk *w, uint32_t code);
static void visit_schema(walk *w, const schema *s);
static void collect_names(recogniser *r, position *p);
static void collect_strings(recogniser *r, position *p);
static void set_flags(const recogniser *r, position *p);
static void count_items(recogniser *r, position *p);

position *position_root(recogniser *r) {
    return position_make(r, &r->root->code, 1);
}

/* The position with these roots, in this order; doubles are left out. */
static position *position_make(recogniser *r, const uint32_t *roots, uint32_t count) {
    uint32_t *distinct = region_take(&r->arena, count * sizeof *distinct), kept = 0;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t code = roots[i] | CODE_POSITIVE, k = 0;
        while (k < kept && distinct[k] != code) k++;
        if (k == kept) distinct[kept++] = code;
    }
    for (uint32_t i = 0; i < r->position_count; i++) {
        position *p = r->positions[i];
        if (p->root_count == kept && !memcmp(p->roots, distinct, kept * sizeof *distinct)) return p;
    }
    position *p = region_take(&r->arena, sizeof *p);
    walk w = {.r = r};
    w.seen = calloc(r->text_length, 1);
    w.components = malloc(2 * (size_t)r->text_length * sizeof *w.components);
    p->ranks = w.ranks = region_take(&r->arena, r->name_count * sizeof *w.ranks);
    if (!w.seen || !w.components) recogniser_panic("out of memory");
    memset(w.ranks, 0xff, r->name_count * sizeof *w.ranks);
    for (uint32_t i = 0; i < kept; i++) visit(&w, distinct[i]);
    p->roots = distinct;
    p->root_count = kept;
    p->component_count = w.count;
    p->components =
        memcpy(region_take(&r->arena, w.count * sizeof *w.components), w.components, w.count * sizeof *w.components);
    free(w.components);
    free(w.seen);
    collect_names(r, p);
    names_divide(r, p);
    p->children = region_take(&r->arena, (r->name_count + p->class_count) * sizeof(position *));
    collect_strings(r, p);
    set_flags(r, p);
    count_items(r, p);
    if (r->position_count == r->position_capacity) {
        r->position_capacity = r->position_capacity ? 2 * r->position_capacity : 64;
        r->positions = realloc(r->positions, r->position_capacity * sizeof *r->positions);
        if (!r->positions) recogniser_panic("out of memory");
    }
    p->id = r->position_count;
    return r->positions[r->position_count++] = p;
}

static void list_name(walk *w, const char *text, uint32_t length) {
    int32_t *rank = &w->ranks[name_find(w->r, text, length)];
    if (*rank < 0) *rank = w->next_rank++;
}

static void visit_value(walk *w, const json *value) {
    for (const json *member = value->kind == JSON_OBJECT ? value->child : NULL; member; member = member->next)
        list_name(w, member->key, member->key_length);
}

static void visit(walk *w, uint32_t code) {
    uint8_t mark = code & CODE_VALUE ? 2 : 1;
    if (w->seen[code_byte(code)] & mark) return;
    w->seen[code_byte(code)] |= mark;
    w->components[w->count++] = code;
    if (code & CODE_VALUE)
        visit_value(w, code_value(w->r, code));
    else
        visit_schema(w, code_schema(w->r, code));
}

static void visit_list(walk *w, schema_list list) {
    for (uint32_t i = 0; i < list.count; i++) visit(w, list.items[i]->code);
}

static void visit_one(walk *w, const schema *s) {
    if (s) visit(w, s->code);
}

/* The members in the order of the text. */
static void visit_schema(walk *w, const schema *s) {
    for (const json *keyword = s->node->child; keyword && s->node->kind == JSON_OBJECT; keyword = keyword->next) {
        if (!strcmp(keyword->key, "$ref")) {
            visit(w, s->reference->code);
        } else if (w->r->draft <= 7 && s->reference) {
            continue;
        } else if (!strcmp(keyword->key, "properties")) {
            for (const json *member = keyword->child; member; member = member->next)
                list_name(w, member->key, member->key_length);
        } else if (!strcmp(keyword->key, "const") && s->constant) {
            visit_value(w, keyword);
        } else if (!strcmp(keyword->key, "enum")) {
            for (const json *value = keyword->child; value; value = value->next) visit_value(w, value);
        } else if (!strcmp(keyword->key, "allOf")) {
            visit_list(w, s->all);
        } else if (!strcmp(keyword->key, "anyOf")) {
            visit_list(w, s->any);
        } else if (!strcmp(keyword->key, "oneOf")) {
            visit_list(w, s->one);
        } else if (!strcmp(keyword->key, "not")) {
            visit_one(w, s->negated);
        } else if (!strcmp(keyword->key, "if")) {
            visit_one(w, s->condition);
        } else if (!strcmp(keyword->key, "then")) {
            visit_one(w, s->consequence);
        } else if (!strcmp(keyword->key, "else")) {
            visit_one(w, s->alternative);
        } else if (!strcmp(keyword->key, "dependentSchemas") || !strcmp(keyword->key, "dependencies")) {
            for (uint32_t i = 0; i < s->dependency_count; i++)
                if (s->dependencies[i].schema && s->dependencies[i].schema->node->parent == keyword)
                    visit(w, s->dependencies[i].schema->code);
        }
    }
}

/* --- what is known there --- */

static int compare_known(const void *a, const void *b) {
    const known *x = a, *y = b;
    int order = memcmp(x->quoted, y->quoted, x->length < y->length ? x->length : y->length);
    return order ? order : (x->length > y->length) - (x->length < y->length);
}

static void know_name(position *p, uint32_t name) {
    if (p->ranks[name] < 0) p->ranks[name] = RANK_UNLISTED;
}

/* The strings of const and enum, in place. */
static void know_finite_names(recogniser *r, position *p, const schema *s) {
    if (s->constant && s->constant->kind == JSON_STRING)
        know_name(p, name_find(r, s->constant->text, s->constant->length));
    for (const json *value = s->enumeration ? s->enumeration->child : NULL; value; value = value->next)
        if (value->kind == JSON_STRING) know_name(p, name_find(r, value->text, value->length));
    for (uint32_t k = 0; schema_in_place(s, k); k++) know_finite_names(r, p, schema_in_place(s, k));
}

/* Listed names, and those that are only required, that others depend on, or that propertyNames counts up: they too have
 * one spelling. */
static void collect_names(recogniser *r, position *p) {
    for (uint32_t i = 0; i < p->component_count; i++) {
        const schema *s = p->components[i] & CODE_VALUE ? NULL : code_schema(r, p->components[i]);
        for (uint32_t k = 0; s && k < s->required_count; k++) know_name(p, s->required[k]);
        for (uint32_t k = 0; s && k < s->dependency_count; k++) {
            know_name(p, s->dependencies[k].trigger);
            for (uint32_t m = 0; m < s->dependencies[k].required_count; m++)
                know_name(p, s->dependencies[k].required[m]);
        }
        if (s && s->names) know_finite_names(r, p, s->names);
    }
    p->names.items = region_take(&r->arena, r->name_count * sizeof *p->names.items);
    for (uint32_t name = 0; name < r->name_count; name++)
        if (p->ranks[name] >= 0) p->names.items[p->names.count++] = r->names[name];
    if (p->names.count) qsort(p->names.items, p->names.count, sizeof *p->names.items, compare_known);
}

static void add_string(recogniser *r, position *p, const json *value) {
    if (!value || value->kind != JSON_STRING) return;
    known *string = &p->strings.items[p->strings.count++];
    *string = (known){.text = value->text, .text_length = value->length, .value = value};
    quote_known(r, string);
}

static void collect_strings(recogniser *r, position *p) {
    uint32_t room = 0, kept = 0;
    for (uint32_t i = 0; i < p->component_count; i++) {
        const schema *s = p->components[i] & CODE_VALUE ? NULL : code_schema(r, p->components[i]);
        room += s ? 1 + (s->enumeration ? s->enumeration->count : 0) : 1;
    }
    p->strings.items = region_take(&r->arena, room * sizeof *p->strings.items);
    for (uint32_t i = 0; i < p->component_count; i++) {
        if (p->components[i] & CODE_VALUE) {
            add_string(r, p, code_value(r, p->components[i]));
            continue;
        }
        const schema *s = code_schema(r, p->components[i]);
        add_string(r, p, s->constant);
        for (const json *value = s->enumeration ? s->enumeration->child : NULL; value; value = value->next)
            add_string(r, p, value);
    }
    if (!p->strings.count) return;
    qsort(p->strings.items, p->strings.count, sizeof *p->strings.items, compare_known);
    for (uint32_t i = 0; i < p->strings.count; i++)
        if (!i || compare_known(&p->strings.items[i], &p->strings.items[kept - 1]))
            p->strings.items[kept++] = p->strings.items[i];
    p->strings.count = kept;
}

static bool has_kind(const json *list, json_kind kind) {
    const json *value = list ? list->child : NULL;
    while (value && value->kind != kind) value = value->next;
    return value;
}

static bool tells_integers_apart(const schema *s) {
    bool whole = s->kinds & 1u << KIND_INTEGER, fraction = s->kinds & 1u << KIND_FRACTION;
    return whole && !fraction;
}

/* Bounds, numbers in a constant, integers without other numbers. */
static bool tells_numbers_apart(const schema *s) {
    return s->minimum || s->maximum || s->exclusive_minimum || s->exclusive_maximum ||
           has_kind(s->enumeration, JSON_NUMBER) || (s->constant && s->constant->kind == JSON_NUMBER) ||
           tells_integers_apart(s);
}

/* Whether the schema, or one that it surely applies in place, is such. */
static bool surely(const schema *s, bool (*is_such)(const schema *)) {
    bool found = is_such(s) || (s->reference && surely(s->reference, is_such));
    for (uint32_t i = 0; i < s->all.count && !found; i++) found = surely(s->all.items[i], is_such);
    return found;
}

static bool set_surely(const recogniser *r, const code_set *set, bool (*is_such)(const schema *), bool by_value) {
    for (uint32_t i = 0; i < set->count; i++) {
        uint32_t code = set->codes[i];
        if (code == CODE_NEVER) return true;
        if (!(code & CODE_POSITIVE) || code == CODE_DISTINCT) continue;
        if (code & CODE_VALUE ? by_value && code_value(r, code)->kind == JSON_NUMBER : surely(code_schema(r, code), is_such))
            return true;
    }
    return false;
}

bool set_is_numeric(const recogniser *r, const code_set *set) { return set_surely(r, set, tells_numbers_apart, true); }

bool set_tells_integers(const recogniser *r, const code_set *set) {
    return set_surely(r, set, tells_integers_apart, false);
}

/* In draft 4 the spelling tells 1 from 1.0: where a component wants integers the policy leaves 1.0 open. */
answer position_form(const recogniser *r, const position *position, int kind) {
    return r->draft == 4 && kind == KIND_WHOLE && position->integers ? MAYBE : YES;
}

/* Not where integers are told apart. Where only a component that this set says nothing of does so, which may still be live
 * for the machine, and where values are compared, the policy leaves it open. */
answer set_exponents(const recogniser *r, const code_set *set, const position *position) {
    if (set_tells_integers(r, set)) return NO;
    return position->integers || position->compared ? MAYBE : YES;
}

static bool has_a_pattern(const schema *s) { return s->has_pattern; }

bool set_surely_patterned(const recogniser *r, const code_set *set) {
    return set_surely(r, set, has_a_pattern, false);
}

static bool matters(const schema *s) { return s && !s->trivial; }

/* What the schema says of names that nobody mentions can decide more than the member that has the name. */
static bool says_of_others(const schema *s) {
    bool found = matters(s->additional) || matters(s->names) || matters(s->unevaluated_members) ||
                 has_kind(s->enumeration, JSON_OBJECT) || (s->constant && s->constant->kind == JSON_OBJECT);
    for (uint32_t i = 0; i < s->pattern_count; i++) found |= matters(s->patterns[i].schema);
    return found;
}

static bool is_choice(const schema *s) {
    bool found = s->any.count || s->one.count || s->negated || s->condition;
    for (uint32_t i = 0; i < s->dependency_count; i++) found |= s->dependencies[i].schema != NULL;
    return found;
}

static void set_flags(const recogniser *r, position *p) {
    bool lists_names = false, says_others = false, may_say = false, counted = false;
    for (uint32_t i = 0; i < p->component_count; i++) {
        if (p->components[i] & CODE_VALUE) {
            p->numeric |= code_value(r, p->components[i])->kind == JSON_NUMBER;
            continue;
        }
        const schema *s = code_schema(r, p->components[i]);
        p->numeric |= tells_numbers_apart(s);
        p->integers |= tells_integers_apart(s);
        p->patterned |= s->has_pattern;
        p->unique |= s->unique;
        p->choice |= is_choice(s);
        p->says_of_others |= says_of_others(s);
        counted |= s->min_members || s->max_members < UINT64_MAX;
        bool reads_keywords = s->node->kind == JSON_OBJECT && !(r->draft <= 7 && s->reference);
        lists_names |= reads_keywords && json_get(s->node, "properties");
        says_others |= s->additional != NULL;
        may_say |= s->pattern_count || s->names || s->unevaluated_members;
    }
    p->disjunct = (p->choice && p->says_of_others) || counted;
    /* The option "closed" speaks where nothing in the schema does. */
    p->open = r->options.objects == WEIR_OBJECTS_STANDARD || !lists_names || says_others || may_say;
    p->open_unsure = p->open && may_say && r->options.objects != WEIR_OBJECTS_STANDARD && lists_names && !says_others;
}

/* The indexes that some component tells apart, and one for all others. */
static void count_items(recogniser *r, position *p) {
    p->item_count = 1;
    for (uint32_t i = 0; i < p->component_count; i++) {
        uint32_t code = p->components[i], count = 0;
        if (code & CODE_VALUE)
            count = code_value(r, code)->kind == JSON_ARRAY ? code_value(r, code)->count : 0;
        else if (code_schema(r, code)->prefix.count)
            count = code_schema(r, code)->prefix.count;
        const schema *s = code & CODE_VALUE ? NULL : code_schema(r, code);
        if (s && s->constant && s->constant->kind == JSON_ARRAY && s->constant->count > count)
            count = s->constant->count;
        for (const json *value = s && s->enumeration ? s->enumeration->child : NULL; value; value = value->next)
            if (value->kind == JSON_ARRAY && value->count > count) count = value->count;
        if (count + 1 > p->item_count) p->item_count = count + 1;
    }
    p->item_children = region_take(&r->arena, p->item_count * sizeof(position *));
}

/* --- the members' positions --- */

static void push(uint32_t **codes, uint32_t *count, uint32_t *capacity, uint32_t code) {
    if (*count == *capacity) {
        *capacity = *capacity ? 2 * *capacity : 16;
        *codes = realloc(*codes, *capacity * sizeof **codes);
        if (!*codes) recogniser_panic("out of memory");
    }
    (*codes)[(*count)++] = code;
}

/* The member of a constant: by name in an object, by index in an array; NULL: it has none. */
static const json *value_member(const recogniser *r, const json *value, bool by_name, uint64_t key) {
    if (value->kind != (by_name ? JSON_OBJECT : JSON_ARRAY)) return NULL;
    if (by_name)
        return name_is_other((uint32_t)key) ? NULL : json_get_n(value, r->names[key].text, r->names[key].text_length);
    const json *item = value->child;
    while (item && key--) item = item->next;
    return item;
}

typedef struct codes {
    uint32_t *items, count, capacity;
} codes;

static void push_schema(codes *out, const schema *s) {
    if (s) push(&out->items, &out->count, &out->capacity, s->code);
}

static void push_schemas_of(recogniser *r, const schema *s, bool by_name, uint64_t key, codes *out) {
    uint32_t before = out->count;
    for (uint32_t k = 0; by_name && schema_member(r, s, (uint32_t)key, k); k++)
        push_schema(out, schema_member(r, s, (uint32_t)key, k));
    if (!by_name) push_schema(out, schema_item(s, key));
    bool own = out->count > before;
    if (!by_name) push_schema(out, s->contains);
    if (!own) push_schema(out, by_name ? s->unevaluated_members : s->unevaluated_items);
}

static void push_constant(const json *child, codes *out) {
    if (child) push(&out->items, &out->count, &out->capacity, node_code(child) | CODE_VALUE | CODE_POSITIVE);
}

/* Schemas first, in the order of the components, then members of constants. */
static const position *child_make(recogniser *r, const position *p, bool by_name, uint64_t key) {
    codes found = {NULL, 0, 0};
    for (uint32_t i = 0; i < p->component_count; i++)
        if (!(p->components[i] & CODE_VALUE)) push_schemas_of(r, code_schema(r, p->components[i]), by_name, key, &found);
    for (uint32_t i = 0; i < p->component_count; i++) {
        const schema *s = p->components[i] & CODE_VALUE ? NULL : code_schema(r, p->components[i]);
        const json *first = s ? s->constant : code_value(r, p->components[i]);
        push_constant(first ? value_member(r, first, by_name, key) : NULL, &found);
        for (const json *value = s && s->enumeration ? s->enumeration->child : NULL; value; value = value->next)
            push_constant(value_member(r, value, by_name, key), &found);
    }
    const position *made = position_make(r, found.items, found.count);
    free(found.items);
    return made;
}

static bool has_contains(const recogniser *r, const position *p) {
    bool found = false;
    for (uint32_t i = 0; i < p->component_count && !found; i++)
        found = !(p->components[i] & CODE_VALUE) && code_schema(r, p->components[i])->contains;
    return found;
}

/* What a position hands down: a position that several share has what any of them hands it. */
static const position *child_in(recogniser *r, const position *p, position **slot, bool by_name, uint64_t key) {
    if (!*slot) *slot = (position *)child_make(r, p, by_name, key);
    if (p->unique || p->compared) (*slot)->compared = true;
    if (p->choice || (!by_name && has_contains(r, p))) (*slot)->choice = true;
    (*slot)->disjunct |= (*slot)->choice && (*slot)->says_of_others;
    return *slot;
}

const position *position_child(recogniser *r, const position *p, uint32_t name) {
    uint32_t index = name_is_other(name) ? r->name_count + (name - NAME_OTHER - p->first_class) : name;
    return child_in(r, p, &p->children[index], true, name);
}

const position *position_item(recogniser *r, const position *p, uint64_t index) {
    return child_in(r, p, &p->item_children[index < p->item_count ? index : p->item_count - 1], false, index);
}
