/* recogniser_literal.c - literals in, facts and choices out: what each keyword says of a value of the chosen kind. */
#include "recogniser_tableau.h"

static bool assert_schema(problem *p, const schema *s);
static bool assert_array(problem *p, const schema *s);
static bool assert_object(problem *p, const schema *s);
static bool differs_from(problem *p, const json *value);
static bool differs_from_others(problem *p);
static bool limit(problem *p, const json *list_or_value, bool is_list);

bool problem_literal(problem *p, uint32_t code) {
    code = code_simplify(p->r, code);
    if (code == CODE_ALWAYS || code == CODE_NEVER) return code == CODE_ALWAYS;
    for (uint32_t i = 0; i < p->literal_count; i++) {
        if (p->literals[i] == code) return true;
        if (p->literals[i] == (code ^ CODE_POSITIVE)) return false;
    }
    p->literals = grow(p->literals, p->literal_count, &p->literal_capacity, sizeof *p->literals);
    p->literals[p->literal_count++] = code;
    if (code == CODE_DISTINCT) return differs_from_others(p);
    if (code & CODE_VALUE) {
        const json *value = code_value(p->r, code);
        return code & CODE_POSITIVE ? limit(p, value, false) : differs_from(p, value);
    }
    const schema *s = code_schema(p->r, code);
    if (code & CODE_POSITIVE) return assert_schema(p, s);
    if (!(s->kinds & 1u << p->kind)) return true;
    problem_leave(p, (choice){.kind = CHOICE_NOT, .code = s->code});
    return true;
}

static bool assert_in_place(problem *p, const schema *s) {
    if (s->reference && !problem_literal(p, s->reference->code)) return false;
    for (uint32_t i = 0; i < s->all.count; i++)
        if (!problem_literal(p, s->all.items[i]->code)) return false;
    if (s->negated && !problem_literal(p, negative(s->negated))) return false;
    if (s->any.count) problem_leave(p, (choice){.kind = CHOICE_ANY, .code = s->code});
    if (s->one.count) problem_leave(p, (choice){.kind = CHOICE_ONE, .code = s->code});
    if (s->consequence || s->alternative) problem_leave(p, (choice){.kind = CHOICE_IF, .code = s->code});
    return true;
}

static void assert_number(problem *p, const schema *s) {
    if (s->minimum) problem_state(p, (fact){.kind = FACT_LOW, .number = s->minimum});
    if (s->exclusive_minimum)
        problem_state(p, (fact){.kind = FACT_LOW, .number = s->exclusive_minimum, .exclusive = 1});
    if (s->maximum) problem_state(p, (fact){.kind = FACT_HIGH, .number = s->maximum});
    if (s->exclusive_maximum)
        problem_state(p, (fact){.kind = FACT_HIGH, .number = s->exclusive_maximum, .exclusive = 1});
}

static bool assert_schema(problem *p, const schema *s) {
    if (!(s->kinds & 1u << p->kind)) return false;
    if (s->constant && !limit(p, s->constant, false)) return false;
    if (s->enumeration && !limit(p, s->enumeration, true)) return false;
    if (!assert_in_place(p, s)) return false;
    if (1u << p->kind & KIND_NUMBERS) assert_number(p, s);
    if (p->kind == KIND_STRING) return problem_at_least(p, s->min_length) && problem_at_most(p, s->max_length);
    if (p->kind == KIND_ARRAY) return assert_array(p, s);
    return p->kind != KIND_OBJECT || assert_object(p, s);
}

static bool assert_array(problem *p, const schema *s) {
    uint64_t index = p->frame ? p->frame->count : 0;
    if (!problem_at_least(p, s->min_items) || !problem_at_most(p, s->max_items)) return false;
    if (s->unique && !problem_unique(p)) return false;
    if (s->contains && !problem_count(p, s->contains->code, s->min_contains, s->max_contains)) return false;
    if (s->prefix.count || s->items) {
        if (p->frame && p->frame->open && schema_item(s, index) && !problem_open_is(p, schema_item(s, index)->code))
            return false;
        for (const member *m = p->frame ? p->frame->last : NULL; m; m = m->before)
            if (schema_item(s, --index) && !schema_valid(p->r, schema_item(s, index), m->value)) return false;
        problem_state(p, (fact){.kind = FACT_SCHEMA, .schema = s});
    }
    return !s->unevaluated_items || assert_evaluated(p, s);
}

/* propertyNames: names that it refuses are absent. */
static bool names_are_allowed(problem *p, const schema *s) {
    uint32_t name;
    for (uint32_t k = 0; problem_name(p, k, &name); k++)
        if (!schema_allows_name(p->r, s, name) && !problem_absent(p, name)) return false;
    return true;
}

static bool members_are(problem *p, const schema *s) {
    const schema *applies;
    if (!s->property_count && !s->pattern_count && !s->additional) return true;
    for (uint32_t k = 0; p->frame && p->frame->open && (applies = schema_member(p->r, s, p->frame->name, k)); k++)
        if (!problem_open_is(p, applies->code)) return false;
    for (const member *m = p->frame ? p->frame->last : NULL; m; m = m->before)
        for (uint32_t k = 0; (applies = schema_member(p->r, s, m->name, k)); k++)
            if (!schema_valid(p->r, applies, m->value)) return false;
    return problem_state(p, (fact){.kind = FACT_SCHEMA, .schema = s});
}

static bool assert_object(problem *p, const schema *s) {
    if (!problem_at_least(p, s->min_members) || !problem_at_most(p, s->max_members)) return false;
    if (!members_are(p, s) || (s->names && !names_are_allowed(p, s))) return false;
    for (uint32_t i = 0; i < s->required_count; i++)
        if (!problem_present(p, s->required[i])) return false;
    for (uint32_t i = 0; i < s->dependency_count; i++)
        problem_leave(p, (choice){.kind = CHOICE_DEPENDENCY, .code = s->code, .from = i});
    return !s->unevaluated_members || assert_evaluated(p, s);
}

/* The value is one of these: the candidates can be looked at one by one. */
static bool limit(problem *p, const json *list_or_value, bool is_list) {
    json only = *list_or_value;
    if (p->kind == KIND_STRING) return false; /* some other string */
    if (p->kind <= KIND_TRUE) {
        const json *value = is_list ? list_or_value->child : &only;
        for (; value; value = is_list ? value->next : NULL)
            if (value_kind(value) == p->kind) return true;
        return false;
    }
    if (!p->is_limited) {
        p->is_limited = true;
        p->among = list_or_value->byte << 1 | is_list;
        p->news++;
    }
    return true;
}

static bool differs_from(problem *p, const json *value) {
    int kind = value_kind(value);
    bool both_numbers = 1u << kind & KIND_NUMBERS && 1u << p->kind & KIND_NUMBERS;
    if ((!both_numbers && kind != p->kind) || kind == KIND_STRING) return true;
    if (both_numbers) return problem_state(p, (fact){.kind = FACT_UNEQUAL, .number = value});
    if (kind <= KIND_TRUE) return false;
    problem_leave(p, (choice){.kind = CHOICE_UNEQUAL, .code = node_code(value) | CODE_VALUE});
    return true;
}

/* Strings are looked after elsewhere; of containers only those count that what is written can still become. */
static bool differs_from_others(problem *p) {
    const json *open;
    for (const member *m = p->others; m; m = m->before) {
        bool container = p->kind >= KIND_ARRAY && value_kind(m->value) == p->kind;
        if (p->kind >= KIND_ARRAY && (!container || (p->frame && !problem_can_become(p, m->value, &open)))) continue;
        if (!differs_from(p, container ? value_keep(p->r, m->value) : m->value)) return false;
    }
    return true;
}
