/* recogniser_choice.c - the options of each choice: the ways to satisfy a keyword, and the ways to break one. */
#include "recogniser_tableau.h"

/* --- applicators --- */

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

static outcome apply_if(problem *p, const schema *s, uint32_t k) {
    if (here(&k))
        return taken(problem_literal(p, s->condition->code) &&
                     (!s->consequence || problem_literal(p, s->consequence->code)));
    if (here(&k))
        return taken(problem_literal(p, negative(s->condition)) &&
                     (!s->alternative || problem_literal(p, s->alternative->code)));
    return END;
}

static outcome apply_dependency(problem *p, const dependency *d, uint32_t k) {
    if (here(&k)) return taken(problem_absent(p, d->trigger));
    if (!here(&k)) return END;
    bool holds = !d->schema || problem_literal(p, d->schema->code);
    for (uint32_t i = 0; i < d->required_count && holds; i++) holds = problem_present(p, d->required[i]);
    return taken(holds);
}

static bool none_of(problem *p, schema_list list) {
    bool holds = true;
    for (uint32_t i = 0; i < list.count && holds; i++) holds = problem_literal(p, negative(list.items[i]));
    return holds;
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
    if (s->consequence && here(&k))
        return taken(problem_literal(p, s->condition->code) && problem_literal(p, negative(s->consequence)));
    if (s->alternative && here(&k))
        return taken(problem_literal(p, negative(s->condition)) && problem_literal(p, negative(s->alternative)));
    return apply_not_own(p, s, k);
}

/* --- members and items --- */

/* Is the member with that name one of those that the choice is about? `written`: the member, where it stands already. */
static bool in_domain(problem *p, const choice *c, uint32_t name, const member *written) {
    uint32_t length;
    if (c->domain == DOMAIN_NAME) return name == c->owner;
    const schema *s = c->domain == DOMAIN_LACKED ? NULL : code_schema(p->r, c->owner);
    switch (c->domain) {
    case DOMAIN_UNLISTED: return !schema_lists(p->r, s, name);
    case DOMAIN_PATTERN: return name_belongs(p->r, s->patterns[c->from].names, name);
    case DOMAIN_ILL_NAMED: return !schema_allows_name(p->r, s, name);
    default: break;
    }
    if (written) return !json_get_n(code_value(p->r, c->owner), written->value->key, written->value->key_length);
    if (name_is_other(name)) return true; /* some name that the constant lacks */
    const char *text = name_text(p->r, name, &length);
    return !json_get_n(code_value(p->r, c->owner), text, length);
}

static bool open_in_domain(problem *p, const choice *c) {
    const json key = {.key = p->frame->key, .key_length = p->frame->key_length};
    const member open = {NULL, p->frame->name, &key};
    return in_domain(p, c, p->frame->name, &open);
}

outcome problem_some_member(problem *p, choice c) {
    for (const member *m = p->frame ? p->frame->last : NULL; m; m = m->before)
        if (in_domain(p, &c, m->name, m) && code_holds(p->r, c.code, m->value)) return TAKEN;
    c.kind = CHOICE_MEMBER;
    problem_leave(p, c);
    return TAKEN;
}

/* One more member, its name of the class. */
static bool further_member(problem *p, uint32_t class, uint32_t code) {
    code = code_simplify(p->r, code);
    if (code == CODE_NEVER || !p->position->open || problem_has_fact(p, FACT_ABSENT, class)) return false;
    const fact other = {.kind = FACT_OTHER, .name = class, .code = code, .n = p->fact_count + 1};
    const code_set *set = problem_member_set(p, class, 0, &other);
    const position *child = position_child(p->r, p->position, class);
    if (set_satisfiable(p->r, set, child, p->depth, NULL) == NO) return false;
    return problem_state(p, other) && problem_at_most(p, p->most);
}

/* A further member that another choice asked for is the one of this choice too. */
static bool share_member(problem *p, uint32_t index, uint32_t code) {
    const fact other = p->facts[index]; /* a copy: the facts may move */
    code = code_simplify(p->r, code);
    if (code == CODE_ALWAYS || code == other.code) return true;
    if (code == CODE_NEVER) return false;
    problem_state(p, (fact){.kind = FACT_SHARED, .name = other.name, .code = code, .n = other.n});
    const code_set *set = problem_member_set(p, other.name, 0, &other);
    return set_satisfiable(p->r, set, position_child(p->r, p->position, other.name), p->depth, NULL) != NO;
}

/* The open member, a further one that is asked for already, each name that is mentioned, any other name. */
static outcome apply_member(problem *p, const choice *c, uint32_t k) {
    uint32_t name;
    if (p->frame && p->frame->open && open_in_domain(p, c) && here(&k)) return taken(problem_open_is(p, c->code));
    for (uint32_t i = 0; i < p->fact_count; i++)
        if (p->facts[i].kind == FACT_OTHER && in_domain(p, c, p->facts[i].name, NULL) && here(&k))
            return taken(share_member(p, i, c->code));
    for (uint32_t i = 0; problem_name(p, i, &name); i++) {
        bool other = name_is_other(name);
        if (!in_domain(p, c, name, NULL) || (!other && (problem_member(p, name) || is_open(p, name)))) continue;
        if (!here(&k)) continue;
        return taken(other ? further_member(p, name, c->code)
                           : problem_present(p, name) && problem_member_is(p, name, c->code));
    }
    return END;
}

/* Each index up to where all further ones are alike; one more for each other choice of this kind. */
static outcome apply_item(problem *p, const choice *c, uint32_t k) {
    uint64_t first = p->frame && p->frame->count > c->from ? p->frame->count : c->from;
    uint64_t last = p->position->item_count > first ? p->position->item_count : first;
    for (uint32_t i = 0; i < p->choice_count; i++)
        last += p->choices[i].kind == CHOICE_ITEM || p->choices[i].kind == CHOICE_SAME;
    if (first + k > last) return END;
    return taken(problem_at_least(p, first + k + 1) && problem_item_is(p, first + k, c->code) && p->least <= p->most);
}

static outcome some_item(problem *p, uint64_t from, uint32_t code) {
    for (uint64_t i = from; p->frame && i < p->frame->count; i++)
        if (code_holds(p->r, code, problem_item(p, i))) return TAKEN;
    problem_leave(p, (choice){.kind = CHOICE_ITEM, .from = from, .code = code});
    return TAKEN;
}

static outcome apply_opened(problem *p, const choice *c, uint32_t option) {
    if (option > OPENED_NO) return END;
    bool asked = option == OPENED_ANY || problem_open_is(p, option == OPENED_YES ? c->code : c->code ^ CODE_POSITIVE);
    return taken(asked && problem_state(p, (fact){.kind = FACT_OPENED, .code = c->code, .n = option}));
}

static outcome apply_one_of(problem *p, const code_array *codes, uint32_t option) {
    return option >= codes->count ? END : taken(problem_open_is(p, codes->codes[option]));
}

/* Items a and b, a < b, are equal; b is not written yet. */
static bool are_same(problem *p, uint64_t a, uint64_t b) {
    const json *written = problem_item(p, a);
    bool open = p->frame && p->frame->open && b == p->frame->count;
    if (p->unique || !problem_at_least(p, b + 1)) return false;
    if (!written) return problem_state(p, (fact){.kind = FACT_SAME, .n = a, .most = b});
    uint32_t code = node_code(value_keep(p->r, written)) | CODE_VALUE | CODE_POSITIVE;
    return open ? problem_open_is(p, code) : problem_item_is(p, b, code);
}

/* Each pair of items of which one at least is not written, up to where all further ones are alike. */
static outcome apply_same(problem *p, uint32_t k) {
    uint64_t written = p->frame ? p->frame->count : 0, last = p->position->item_count;
    if (last < written_count(p)) last = written_count(p);
    for (uint32_t i = 0; i < p->choice_count; i++)
        last += p->choices[i].kind == CHOICE_ITEM || p->choices[i].kind == CHOICE_SAME;
    for (uint64_t b = written; b <= last + 1; b++) {
        if (k < b) return taken(are_same(p, k, b));
        k -= (uint32_t)b;
    }
    return END;
}

/* --- keywords of one kind --- */

static outcome break_number(problem *p, const schema *s, uint32_t k) {
    if (s->minimum && here(&k))
        return taken(problem_state(p, (fact){.kind = FACT_HIGH, .number = s->minimum, .exclusive = 1}));
    if (s->maximum && here(&k))
        return taken(problem_state(p, (fact){.kind = FACT_LOW, .number = s->maximum, .exclusive = 1}));
    if (s->exclusive_minimum && here(&k))
        return taken(problem_state(p, (fact){.kind = FACT_HIGH, .number = s->exclusive_minimum}));
    if (s->exclusive_maximum && here(&k))
        return taken(problem_state(p, (fact){.kind = FACT_LOW, .number = s->exclusive_maximum}));
    return END;
}

static outcome break_array(problem *p, const schema *s, uint32_t k) {
    if (s->min_items && here(&k)) return taken(problem_at_most(p, s->min_items - 1));
    if (s->max_items < UINT64_MAX && here(&k)) return taken(problem_at_least(p, s->max_items + 1));
    for (uint32_t i = 0; i < s->prefix.count; i++)
        if (here(&k))
            return taken(problem_at_least(p, i + 1) && problem_item_is(p, i, negative(s->prefix.items[i])) &&
                         p->least <= p->most);
    if (s->items && here(&k)) return some_item(p, s->prefix.count, negative(s->items));
    if (s->contains && s->min_contains && here(&k))
        return taken(problem_count(p, s->contains->code, 0, s->min_contains - 1));
    if (s->contains && s->max_contains < UINT64_MAX && here(&k))
        return taken(problem_count(p, s->contains->code, s->max_contains + 1, UINT64_MAX));
    if (s->unique && here(&k)) {
        for (const member *m = p->frame ? p->frame->last : NULL; m; m = m->before)
            for (const member *n = m->before; n; n = n->before)
                if (values_equal(m->value, n->value)) return TAKEN;
        problem_leave(p, (choice){.kind = CHOICE_SAME});
        return TAKEN;
    }
    return s->unevaluated_items ? apply_not_evaluated(p, s, k) : END;
}

static outcome break_object(problem *p, const schema *s, uint32_t k) {
    const choice some = {.owner = s->code};
    if (s->min_members && here(&k)) return taken(problem_at_most(p, s->min_members - 1));
    if (s->max_members < UINT64_MAX && here(&k)) return taken(problem_at_least(p, s->max_members + 1));
    for (uint32_t i = 0; i < s->required_count; i++)
        if (here(&k)) return taken(problem_absent(p, s->required[i]));
    for (uint32_t i = 0; i < s->property_count; i++)
        if (here(&k))
            return taken(problem_present(p, s->properties[i].name) &&
                         problem_member_is(p, s->properties[i].name, negative(s->properties[i].schema)));
    choice breaking = some;
    for (breaking.from = 0, breaking.domain = DOMAIN_PATTERN; breaking.from < s->pattern_count; breaking.from++) {
        breaking.code = negative(s->patterns[breaking.from].schema);
        if (here(&k)) return problem_some_member(p, breaking);
    }
    breaking = some;
    if (s->additional && here(&k)) return breaking.code = negative(s->additional), problem_some_member(p, breaking);
    breaking = (choice){.owner = s->code, .domain = DOMAIN_ILL_NAMED, .code = CODE_ALWAYS};
    if (s->names && !s->names->trivial && here(&k)) return problem_some_member(p, breaking);
    for (uint32_t i = 0; i < s->dependency_count; i++) {
        const dependency *d = &s->dependencies[i];
        if (d->schema && here(&k)) return taken(problem_present(p, d->trigger) && problem_literal(p, negative(d->schema)));
        for (uint32_t m = 0; m < d->required_count; m++)
            if (here(&k)) return taken(problem_present(p, d->trigger) && problem_absent(p, d->required[m]));
    }
    return s->unevaluated_members ? apply_not_evaluated(p, s, k) : END;
}

outcome apply_not_own(problem *p, const schema *s, uint32_t k) {
    if (1u << p->kind & KIND_NUMBERS) return break_number(p, s, k);
    if (p->kind == KIND_ARRAY) return break_array(p, s, k);
    if (p->kind == KIND_OBJECT) return break_object(p, s, k);
    if (p->kind != KIND_STRING) return END;
    if (s->min_length && here(&k)) return taken(problem_at_most(p, s->min_length - 1));
    if (s->max_length < UINT64_MAX && here(&k)) return taken(problem_at_least(p, s->max_length + 1));
    return END;
}

/* --- constants --- */

static outcome unequal_array(problem *p, const json *value, uint32_t k) {
    uint64_t index = 0;
    if (value->count && here(&k)) return taken(problem_at_most(p, value->count - 1));
    if (here(&k)) return taken(problem_at_least(p, value->count + 1ull));
    for (const json *item = value->child; item; item = item->next, index++)
        if (here(&k))
            return taken(problem_at_least(p, index + 1) && problem_item_is(p, index, node_code(item) | CODE_VALUE) &&
                         p->least <= p->most);
    return END;
}

/* An object that differs from a constant: it lacks a member, has another value for one, or a member more. */
static outcome unequal_object(problem *p, const json *value, uint32_t k) {
    for (const json *m = value->child; m; m = m->next) {
        uint32_t name = name_at(p->r, p->position, m->key, m->key_length);
        const json *written = problem_keyed(p, m->key, m->key_length);
        bool open = open_has_key(p, m->key, m->key_length), other = name_is_other(name);
        uint32_t differs = node_code(m) | CODE_VALUE;
        /* Other names are chosen freely, so one that is not there yet stays away. */
        if (here(&k)) return taken(!written && !open && (other || problem_absent(p, name)));
        if (!here(&k)) continue;
        if (other) return taken(written ? code_holds(p->r, differs, written) : open && problem_open_is(p, differs));
        return taken(problem_present(p, name) && problem_member_is(p, name, differs));
    }
    /* Any member that the constant lacks. */
    const choice lacked = {.domain = DOMAIN_LACKED, .owner = node_code(value) | CODE_VALUE, .code = CODE_ALWAYS};
    return here(&k) ? problem_some_member(p, lacked) : END;
}

outcome problem_apply(problem *p, const choice *c, uint32_t option) {
    const schema *s = c->kind <= CHOICE_DEPENDENCY && c->kind != CHOICE_UNEQUAL ? code_schema(p->r, c->code) : NULL;
    switch (c->kind) {
    case CHOICE_ANY: return apply_any(p, s, option);
    case CHOICE_ONE: return apply_one(p, s, option);
    case CHOICE_IF: return apply_if(p, s, option);
    case CHOICE_NOT: return apply_not(p, s, option);
    case CHOICE_DEPENDENCY: return apply_dependency(p, &s->dependencies[c->from], option);
    case CHOICE_UNEQUAL:
        return p->kind == KIND_ARRAY ? unequal_array(p, code_value(p->r, c->code), option)
                                     : unequal_object(p, code_value(p->r, c->code), option);
    case CHOICE_MEMBER: return apply_member(p, c, option);
    case CHOICE_ITEM: return apply_item(p, c, option);
    case CHOICE_OPENED: return apply_opened(p, c, option);
    case CHOICE_ONE_OF: return apply_one_of(p, c->codes, option);
    case CHOICE_SAME: return apply_same(p, option);
    case CHOICE_EVALUATED: return apply_evaluated(p, c, option);
    default: return apply_not_path(p, c->path, c->from, option);
    }
}
