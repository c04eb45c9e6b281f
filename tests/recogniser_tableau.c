/* recogniser_tableau.c - literals in, facts and choices out: what each keyword says of a value of the chosen kind.
 *
 * Facts about members that are already written are checked on the spot. */
#include "recogniser_tableau.h"

#include <stdlib.h>

/* --- statements: false is a contradiction --- */

void *grow(void *items, uint32_t count, uint32_t *capacity, size_t size) {
    if (count < *capacity) return items;
    *capacity = *capacity ? 2 * *capacity : 16;
    items = realloc(items, *capacity * size);
    if (!items) recogniser_panic("out of memory");
    return items;
}

static bool state(problem *p, fact fact) {
    for (uint32_t i = 0; i < p->fact_count; i++) {
        const struct fact *f = &p->facts[i];
        if (f->kind == fact.kind && f->name == fact.name && f->code == fact.code && f->n == fact.n &&
            f->schema == fact.schema && f->number == fact.number && f->exclusive == fact.exclusive)
            return true;
    }
    p->facts = grow(p->facts, p->fact_count, &p->fact_capacity, sizeof *p->facts);
    p->facts[p->fact_count++] = fact;
    p->news++;
    return true;
}

static bool leave_choice(problem *p, choice choice) {
    p->choices = grow(p->choices, p->choice_count, &p->choice_capacity, sizeof *p->choices);
    p->choices[p->choice_count++] = choice;
    p->news++;
    return true;
}

static bool at_least(problem *p, uint64_t n) {
    if (n > p->least) {
        p->least = n;
        p->news += p->kind != KIND_ARRAY || n > written_count(p);
    }
    return p->least <= p->most;
}

static bool at_most(problem *p, uint64_t n) {
    if (n < p->most) p->most = n, p->news++;
    return p->least <= p->most && (p->kind != KIND_ARRAY || written_count(p) <= p->most);
}

/* Contradictions inside a member are found at once, not when all choices are made. */
static bool open_is_possible(problem *p) {
    uint32_t *codes = malloc((p->fact_count + 1) * sizeof *codes), count = 0;
    if (!codes) recogniser_panic("out of memory");
    for (uint32_t i = 0; i < p->fact_count; i++)
        if (p->facts[i].kind == FACT_OPEN) codes[count++] = p->facts[i].code;
    const code_set *set = set_make(p->r, codes, count);
    free(codes);
    return set_satisfiable(p->r, set, p->frame->child_position, p->depth, NULL) != NO;
}

static bool member_is_possible(problem *p, uint32_t name) {
    const code_set *set = problem_member_set(p, name, 0, NULL);
    return set_satisfiable(p->r, set, position_child(p->r, p->position, name), p->depth, NULL) != NO;
}

static bool open_member(problem *p, uint32_t code) {
    code = code_simplify(p->r, code);
    if (code == CODE_ALWAYS || code == CODE_NEVER) return code == CODE_ALWAYS;
    for (uint32_t i = 0; i < p->fact_count; i++)
        if (p->facts[i].kind == FACT_OPEN && p->facts[i].code == (code ^ CODE_POSITIVE)) return false;
    return state(p, (fact){.kind = FACT_OPEN, .code = code}) && open_is_possible(p);
}

const json *problem_member(const problem *p, uint32_t name) {
    for (const member *m = p->frame ? p->frame->last : NULL; m; m = m->before)
        if (m->name == name) return m->value;
    return NULL;
}

static bool has_fact(const problem *p, fact_kind kind, uint32_t name) {
    for (uint32_t i = 0; i < p->fact_count; i++)
        if (p->facts[i].kind == kind && p->facts[i].name == name) return true;
    return false;
}

bool problem_can_write(const problem *p, uint32_t name) {
    if (name == NAME_OTHER) return p->position->open;
    int32_t rank = p->position->ranks[name];
    return rank == RANK_UNLISTED || !p->frame || rank > p->frame->last_rank;
}

static bool present(problem *p, uint32_t name) {
    if (problem_member(p, name) || is_open(p, name)) return true;
    if (has_fact(p, FACT_ABSENT, name) || !problem_can_write(p, name)) return false;
    if (has_fact(p, FACT_PRESENT, name)) return true;
    return state(p, (fact){.kind = FACT_PRESENT, .name = name}) && member_is_possible(p, name);
}

static bool absent(problem *p, uint32_t name) {
    if (problem_member(p, name) || is_open(p, name) || has_fact(p, FACT_PRESENT, name)) return false;
    if (!problem_can_write(p, name)) return true;
    return state(p, (fact){.kind = FACT_ABSENT, .name = name});
}

static bool member_is(problem *p, uint32_t name, uint32_t code) {
    const json *value = problem_member(p, name);
    if (value) return code_holds(p->r, code, value);
    if (is_open(p, name)) return open_member(p, code);
    code = code_simplify(p->r, code);
    if (code == CODE_NEVER) return absent(p, name);
    if (!code) return true;
    state(p, (fact){.kind = FACT_MEMBER, .name = name, .code = code});
    return !has_fact(p, FACT_PRESENT, name) || member_is_possible(p, name);
}

static const json *written_item(const problem *p, uint64_t index) {
    const member *m = p->frame ? p->frame->last : NULL;
    if (!p->frame || index >= p->frame->count) return NULL;
    for (uint64_t i = p->frame->count - 1; i > index; i--) m = m->before;
    return m->value;
}

static bool item_is(problem *p, uint64_t index, uint32_t code) {
    const json *value = written_item(p, index);
    if (value) return code_holds(p->r, code, value);
    if (p->frame && p->frame->open && index == p->frame->count) return open_member(p, code);
    code = code_simplify(p->r, code);
    if (code == CODE_NEVER) return at_most(p, index);
    if (!code) return true;
    state(p, (fact){.kind = FACT_ITEM, .n = index, .code = code});
    if (index >= p->least) return true;
    const code_set *set = problem_member_set(p, NAME_OTHER, index, NULL);
    return set_satisfiable(p->r, set, position_item(p->r, p->position, index), p->depth, NULL) != NO;
}

static bool owner_has(const recogniser *r, uint32_t owner, uint32_t name) {
    if (name == NAME_OTHER) return false;
    if (!(owner & CODE_VALUE)) return schema_property(code_schema(r, owner), name);
    return json_get_n(code_value(r, owner), r->names[name].text, r->names[name].text_length);
}

/* Some member whose name the owner does not have satisfies the code. */
static bool some_member(problem *p, uint32_t owner, uint32_t code) {
    for (const member *m = p->frame ? p->frame->last : NULL; m; m = m->before)
        if (!owner_has(p->r, owner, m->name) && code_holds(p->r, code, m->value)) return true;
    return leave_choice(p, (choice){.kind = CHOICE_MEMBER, .owner = owner, .code = code});
}

static bool some_item(problem *p, uint64_t from, uint32_t code) {
    for (uint64_t i = from; p->frame && i < p->frame->count; i++)
        if (code_holds(p->r, code, written_item(p, i))) return true;
    return leave_choice(p, (choice){.kind = CHOICE_ITEM, .from = from, .code = code});
}

const schema *schema_item(const schema *s, uint64_t index) {
    return index < s->prefix.count ? s->prefix.items[index] : s->items;
}

const schema *schema_member(const schema *s, uint32_t name) {
    const schema *found = name == NAME_OTHER ? NULL : schema_property(s, name);
    return found ? found : s->additional;
}

/* What the schema says of the members that are written, and of the open one. */
static bool members_are(problem *p, const schema *s) {
    uint64_t index = p->frame ? p->frame->count : 0;
    bool array = p->kind == KIND_ARRAY;
    if (array ? !s->prefix.count && !s->items : !s->property_count && !s->additional) return true;
    if (p->frame && p->frame->open) {
        const schema *applies = array ? schema_item(s, index) : schema_member(s, p->frame->name);
        if (applies && !open_member(p, applies->code)) return false;
    }
    for (const member *m = p->frame ? p->frame->last : NULL; m; m = m->before) {
        const schema *applies = array ? schema_item(s, --index) : schema_member(s, m->name);
        if (applies && !schema_valid(p->r, applies, m->value)) return false;
    }
    return state(p, (fact){.kind = FACT_SCHEMA, .schema = s});
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

/* --- literals --- */

static bool assert_schema(problem *p, const schema *s) {
    if (!(s->kinds & 1u << p->kind)) return false;
    if (s->reference && !problem_literal(p, s->reference->code)) return false;
    if (s->constant && !limit(p, s->constant, false)) return false;
    if (s->enumeration && !limit(p, s->enumeration, true)) return false;
    for (uint32_t i = 0; i < s->all.count; i++)
        if (!problem_literal(p, s->all.items[i]->code)) return false;
    if (s->negated && !problem_literal(p, s->negated->code ^ CODE_POSITIVE)) return false;
    if (1u << p->kind & KIND_NUMBERS) {
        if (s->minimum) state(p, (fact){.kind = FACT_LOW, .number = s->minimum});
        if (s->exclusive_minimum) state(p, (fact){.kind = FACT_LOW, .number = s->exclusive_minimum, .exclusive = 1});
        if (s->maximum) state(p, (fact){.kind = FACT_HIGH, .number = s->maximum});
        if (s->exclusive_maximum) state(p, (fact){.kind = FACT_HIGH, .number = s->exclusive_maximum, .exclusive = 1});
    }
    if (p->kind == KIND_STRING && (!at_least(p, s->min_length) || !at_most(p, s->max_length))) return false;
    if (p->kind == KIND_ARRAY && (!at_least(p, s->min_items) || !at_most(p, s->max_items) || !members_are(p, s)))
        return false;
    if (p->kind == KIND_OBJECT) {
        if (!members_are(p, s)) return false;
        for (uint32_t i = 0; i < s->required_count; i++)
            if (!present(p, s->required[i])) return false;
    }
    if (s->any.count) leave_choice(p, (choice){.kind = CHOICE_ANY, .code = s->code});
    if (s->one.count) leave_choice(p, (choice){.kind = CHOICE_ONE, .code = s->code});
    return true;
}

static bool differs_from(problem *p, const json *value) {
    int kind = value_kind(value);
    bool both_numbers = 1u << kind & KIND_NUMBERS && 1u << p->kind & KIND_NUMBERS;
    if ((!both_numbers && kind != p->kind) || kind == KIND_STRING) return true;
    if (both_numbers) return state(p, (fact){.kind = FACT_UNEQUAL, .number = value});
    if (kind <= KIND_TRUE) return false;
    return leave_choice(p, (choice){.kind = CHOICE_UNEQUAL, .code = node_code(value) | CODE_VALUE});
}

bool problem_literal(problem *p, uint32_t code) {
    code = code_simplify(p->r, code);
    if (code == CODE_ALWAYS || code == CODE_NEVER) return code == CODE_ALWAYS;
    for (uint32_t i = 0; i < p->literal_count; i++) {
        if (p->literals[i] == code) return true;
        if (p->literals[i] == (code ^ CODE_POSITIVE)) return false;
    }
    p->literals = grow(p->literals, p->literal_count, &p->literal_capacity, sizeof *p->literals);
    p->literals[p->literal_count++] = code;
    if (code & CODE_VALUE) {
        const json *value = code_value(p->r, code);
        return code & CODE_POSITIVE ? limit(p, value, false) : differs_from(p, value);
    }
    const schema *s = code_schema(p->r, code);
    if (code & CODE_POSITIVE) return assert_schema(p, s);
    if (!(s->kinds & 1u << p->kind)) return true;
    return leave_choice(p, (choice){.kind = CHOICE_NOT, .code = s->code});
}

static uint32_t negative(const schema *s) {
    return s->code ^ CODE_POSITIVE;
}

static outcome taken(bool holds) {
    return holds ? TAKEN : CONFLICT;
}

static outcome apply_any(problem *p, const schema *s, uint32_t option) {
    return option >= s->any.count ? END : taken(problem_literal(p, s->any.items[option]->code));
}

static outcome apply_one(problem *p, const schema *s, uint32_t option) {
    if (option >= s->one.count) return END;
    bool holds = problem_literal(p, s->one.items[option]->code);
    for (uint32_t i = 0; i < s->one.count && holds; i++)
        if (i != option) holds = problem_literal(p, negative(s->one.items[i]));
    return taken(holds);
}

static bool here(uint32_t *option) {
    return (*option)-- == 0;
}

static bool none_of(problem *p, schema_list list) {
    bool holds = true;
    for (uint32_t i = 0; i < list.count && holds; i++) holds = problem_literal(p, negative(list.items[i]));
    return holds;
}

/* The ways in which a number, string, array or object of the right type breaks a keyword of its own. */
static outcome apply_not_own(problem *p, const schema *s, uint32_t k) {
    if (1u << p->kind & KIND_NUMBERS) {
        if (s->minimum && here(&k))
            return taken(state(p, (fact){.kind = FACT_HIGH, .number = s->minimum, .exclusive = 1}));
        if (s->maximum && here(&k))
            return taken(state(p, (fact){.kind = FACT_LOW, .number = s->maximum, .exclusive = 1}));
        if (s->exclusive_minimum && here(&k))
            return taken(state(p, (fact){.kind = FACT_HIGH, .number = s->exclusive_minimum}));
        if (s->exclusive_maximum && here(&k))
            return taken(state(p, (fact){.kind = FACT_LOW, .number = s->exclusive_maximum}));
    }
    if (p->kind == KIND_STRING) {
        if (s->min_length && here(&k)) return taken(at_most(p, s->min_length - 1));
        if (s->max_length < UINT64_MAX && here(&k)) return taken(at_least(p, s->max_length + 1));
    }
    if (p->kind == KIND_ARRAY) {
        if (s->min_items && here(&k)) return taken(at_most(p, s->min_items - 1));
        if (s->max_items < UINT64_MAX && here(&k)) return taken(at_least(p, s->max_items + 1));
        for (uint32_t i = 0; i < s->prefix.count; i++)
            if (here(&k))
                return taken(at_least(p, i + 1) && item_is(p, i, negative(s->prefix.items[i])) && p->least <= p->most);
        if (s->items && here(&k)) return taken(some_item(p, s->prefix.count, negative(s->items)));
    }
    if (p->kind == KIND_OBJECT) {
        for (uint32_t i = 0; i < s->required_count; i++)
            if (here(&k)) return taken(absent(p, s->required[i]));
        for (uint32_t i = 0; i < s->property_count; i++)
            if (here(&k))
                return taken(present(p, s->properties[i].name) &&
                             member_is(p, s->properties[i].name, negative(s->properties[i].schema)));
        if (s->additional && here(&k)) return taken(some_member(p, s->code, negative(s->additional)));
    }
    return END;
}

static outcome apply_not(problem *p, const schema *s, uint32_t k) {
    if (s->reference && here(&k)) return taken(problem_literal(p, negative(s->reference)));
    if (s->constant && here(&k)) return taken(problem_literal(p, node_code(s->constant) | CODE_VALUE));
    if (s->enumeration && here(&k)) {
        bool holds = true;
        for (const json *value = s->enumeration->child; value && holds; value = value->next)
            holds = problem_literal(p, node_code(value) | CODE_VALUE);
        return taken(holds);
    }
    if (s->negated && here(&k)) return taken(problem_literal(p, s->negated->code));
    for (uint32_t i = 0; i < s->all.count; i++)
        if (here(&k)) return taken(problem_literal(p, negative(s->all.items[i])));
    if (s->any.count && here(&k)) return taken(none_of(p, s->any));
    if (s->one.count && here(&k)) return taken(none_of(p, s->one));
    for (uint32_t i = 0; i < s->one.count; i++)
        for (uint32_t j = i + 1; j < s->one.count; j++)
            if (here(&k))
                return taken(problem_literal(p, s->one.items[i]->code) && problem_literal(p, s->one.items[j]->code));
    return apply_not_own(p, s, k);
}

/* An array or object that differs from a constant. */
static outcome apply_unequal(problem *p, const json *value, uint32_t k) {
    uint64_t index = 0;
    if (p->kind == KIND_ARRAY) {
        if (value->count && here(&k)) return taken(at_most(p, value->count - 1));
        if (here(&k)) return taken(at_least(p, value->count + 1ull));
        for (const json *item = value->child; item; item = item->next, index++)
            if (here(&k))
                return taken(at_least(p, index + 1) && item_is(p, index, node_code(item) | CODE_VALUE) &&
                             p->least <= p->most);
        return END;
    }
    for (const json *member = value->child; member; member = member->next) {
        uint32_t name = name_find(p->r, member->key, member->key_length);
        if (here(&k)) return taken(absent(p, name));
        if (here(&k)) return taken(present(p, name) && member_is(p, name, node_code(member) | CODE_VALUE));
    }
    /* Any member that the constant lacks. */
    if (here(&k)) return taken(some_member(p, node_code(value) | CODE_VALUE, CODE_ALWAYS));
    return END;
}

/* The open member, each name that is mentioned, any other name. */
static outcome apply_member(problem *p, const choice *choice, uint32_t k) {
    const known_list *names = &p->position->names;
    if (p->frame && p->frame->open && !owner_has(p->r, choice->owner, p->frame->name) && here(&k))
        return taken(open_member(p, choice->code));
    for (uint32_t i = 0; i < names->count; i++) {
        uint32_t name = names->items[i].name;
        if (owner_has(p->r, choice->owner, name) || problem_member(p, name) || is_open(p, name)) continue;
        if (here(&k)) return taken(present(p, name) && member_is(p, name, choice->code));
    }
    if (!here(&k)) return END;
    uint32_t code = code_simplify(p->r, choice->code);
    if (code == CODE_NEVER || !p->position->open) return CONFLICT;
    const fact other = {.kind = FACT_OTHER, .code = code, .n = p->fact_count + 1};
    const code_set *set = problem_member_set(p, NAME_OTHER, 0, &other);
    const position *child = position_child(p->r, p->position, NAME_OTHER);
    if (set_satisfiable(p->r, set, child, p->depth, NULL) == NO) return CONFLICT;
    return taken(state(p, other));
}

/* Each index up to where all further ones are alike; one more for each other choice of this kind. */
static outcome apply_item(problem *p, const choice *choice, uint32_t k) {
    uint64_t first = p->frame && p->frame->count > choice->from ? p->frame->count : choice->from;
    uint64_t last = p->position->item_count > first ? p->position->item_count : first;
    for (uint32_t i = 0; i < p->choice_count; i++) last += p->choices[i].kind == CHOICE_ITEM;
    if (first + k > last) return END;
    return taken(at_least(p, first + k + 1) && item_is(p, first + k, choice->code) && p->least <= p->most);
}

outcome problem_apply(problem *p, const choice *choice, uint32_t option) {
    switch (choice->kind) {
    case CHOICE_ANY: return apply_any(p, code_schema(p->r, choice->code), option);
    case CHOICE_ONE: return apply_one(p, code_schema(p->r, choice->code), option);
    case CHOICE_NOT: return apply_not(p, code_schema(p->r, choice->code), option);
    case CHOICE_UNEQUAL: return apply_unequal(p, code_value(p->r, choice->code), option);
    case CHOICE_MEMBER: return apply_member(p, choice, option);
    default: return apply_item(p, choice, option);
    }
}
