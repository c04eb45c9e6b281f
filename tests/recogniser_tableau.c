/* recogniser_tableau.c - statements about a value of the chosen kind: what is known is kept as facts.
 *
 * Facts about members that are already written are checked on the spot, as are those that leave a member no value. */
#include "recogniser_tableau.h"

#include <stdlib.h>
#include <string.h>

void *grow(void *items, uint32_t count, uint32_t *capacity, size_t size) {
    if (count < *capacity) return items;
    *capacity = *capacity ? 2 * *capacity : 16;
    items = realloc(items, *capacity * size);
    if (!items) recogniser_panic("out of memory");
    return items;
}

bool problem_state(problem *p, fact fact) {
    for (uint32_t i = 0; i < p->fact_count; i++) {
        const struct fact *f = &p->facts[i];
        if (f->kind == fact.kind && f->name == fact.name && f->code == fact.code && f->n == fact.n &&
            f->most == fact.most && f->schema == fact.schema && f->number == fact.number && f->codes == fact.codes &&
            f->exclusive == fact.exclusive)
            return true;
    }
    p->facts = grow(p->facts, p->fact_count, &p->fact_capacity, sizeof *p->facts);
    p->facts[p->fact_count++] = fact;
    p->news++;
    return true;
}

void problem_leave(problem *p, choice choice) {
    p->choices = grow(p->choices, p->choice_count, &p->choice_capacity, sizeof *p->choices);
    p->choices[p->choice_count++] = choice;
    p->news++;
}

static uint64_t counted(const problem *p) {
    uint64_t count = p->kind >= KIND_ARRAY ? written_count(p) : 0;
    for (uint32_t i = 0; i < p->fact_count && p->kind == KIND_OBJECT; i++)
        count += p->facts[i].kind == FACT_PRESENT || p->facts[i].kind == FACT_OTHER;
    return count;
}

bool problem_at_least(problem *p, uint64_t n) {
    if (n > p->least) {
        p->least = n;
        p->news += p->kind < KIND_ARRAY || n > counted(p);
    }
    return p->least <= p->most;
}

bool problem_at_most(problem *p, uint64_t n) {
    if (n < p->most) p->most = n, p->news++;
    return p->least <= p->most && counted(p) <= p->most;
}

/* --- members --- */

/* Contradictions inside a member are found at once, not when all choices are made. */
static bool open_is_possible(problem *p) {
    code_list codes = {NULL, 0, 0};
    problem_open_codes(p, &codes);
    const code_set *set = set_make(p->r, codes.items, codes.count);
    free(codes.items);
    return set_satisfiable(p->r, set, p->frame->child_position, p->depth, NULL) != NO;
}

static bool member_is_possible(problem *p, uint32_t name) {
    const code_set *set = problem_member_set(p, name, 0, NULL);
    return set_satisfiable(p->r, set, position_child(p->r, p->position, name), p->depth, NULL) != NO;
}

bool problem_open_is(problem *p, uint32_t code) {
    code = code_simplify(p->r, code);
    if (code == CODE_ALWAYS || code == CODE_NEVER) return code == CODE_ALWAYS;
    for (uint32_t i = 0; i < p->fact_count; i++)
        if (p->facts[i].kind == FACT_OPEN && p->facts[i].code == (code ^ CODE_POSITIVE)) return false;
    return problem_state(p, (fact){.kind = FACT_OPEN, .code = code}) && open_is_possible(p);
}

const json *problem_member(const problem *p, uint32_t name) {
    for (const member *m = p->frame ? p->frame->last : NULL; m; m = m->before)
        if (m->name == name) return m->value;
    return NULL;
}

const json *problem_keyed(const problem *p, const char *key, uint32_t length) {
    for (const member *m = p->frame ? p->frame->last : NULL; m; m = m->before)
        if (m->value->key_length == length && !memcmp(m->value->key, key, length)) return m->value;
    return NULL;
}

bool problem_has_fact(const problem *p, fact_kind kind, uint32_t name) {
    for (uint32_t i = 0; i < p->fact_count; i++)
        if (p->facts[i].kind == kind && p->facts[i].name == name) return true;
    return false;
}

bool problem_name(const problem *p, uint32_t k, uint32_t *name) {
    const known_list *names = &p->position->names;
    if (k < names->count) return *name = names->items[k].name, true;
    *name = NAME_OTHER + p->position->first_class + (k - names->count);
    return k - names->count < p->position->class_count;
}

bool problem_can_write(const problem *p, uint32_t name) {
    if (name_is_other(name)) return p->position->open;
    int32_t rank = p->position->ranks[name];
    if (p->r->options.order == WEIR_ORDER_ANY) return true;
    return rank == RANK_UNLISTED || !p->frame || rank > p->frame->last_rank;
}

bool problem_present(problem *p, uint32_t name) {
    if (problem_member(p, name) || is_open(p, name)) return true;
    if (problem_has_fact(p, FACT_ABSENT, name) || !problem_can_write(p, name)) return false;
    if (problem_has_fact(p, FACT_PRESENT, name)) return true;
    if (!problem_state(p, (fact){.kind = FACT_PRESENT, .name = name})) return false;
    return counted(p) <= p->most && member_is_possible(p, name);
}

bool problem_absent(problem *p, uint32_t name) {
    if (problem_member(p, name) || is_open(p, name)) return false;
    if (problem_has_fact(p, FACT_PRESENT, name) || problem_has_fact(p, FACT_OTHER, name)) return false;
    if (!problem_can_write(p, name)) return true;
    return problem_state(p, (fact){.kind = FACT_ABSENT, .name = name});
}

bool problem_member_is(problem *p, uint32_t name, uint32_t code) {
    bool other = name_is_other(name);
    for (const member *m = p->frame ? p->frame->last : NULL; m; m = m->before) {
        if (m->name != name) continue;
        if (!code_holds(p->r, code, m->value)) return false;
        if (!other) return true;
    }
    if (is_open(p, name) && !problem_open_is(p, code)) return false;
    if (is_open(p, name) && !other) return true;
    code = code_simplify(p->r, code);
    if (code == CODE_NEVER) return problem_absent(p, name);
    if (code == CODE_ALWAYS) return true;
    problem_state(p, (fact){.kind = FACT_MEMBER, .name = name, .code = code});
    return !problem_has_fact(p, FACT_PRESENT, name) || member_is_possible(p, name);
}

/* --- items --- */

const json *problem_item(const problem *p, uint64_t index) {
    const member *m = p->frame ? p->frame->last : NULL;
    if (!p->frame || index >= p->frame->count) return NULL;
    for (uint64_t i = p->frame->count - 1; i > index; i--) m = m->before;
    return m->value;
}

static bool item_is_open(const problem *p, uint64_t index) {
    return p->frame && p->frame->open && index == p->frame->count;
}

bool problem_item_is(problem *p, uint64_t index, uint32_t code) {
    const json *value = problem_item(p, index);
    if (value) return code_holds(p->r, code, value);
    if (item_is_open(p, index)) return problem_open_is(p, code);
    code = code_simplify(p->r, code);
    if (code == CODE_NEVER) return problem_at_most(p, index);
    if (code == CODE_ALWAYS) return true;
    problem_state(p, (fact){.kind = FACT_ITEM, .n = index, .code = code});
    if (index >= p->least) return true;
    const code_set *set = problem_member_set(p, NAME_OTHER, index, NULL);
    return set_satisfiable(p->r, set, position_item(p->r, p->position, index), p->depth, NULL) != NO;
}

bool problem_count(problem *p, uint32_t code, uint64_t least, uint64_t most) {
    uint64_t found = 0;
    code = code_simplify(p->r, code);
    if (code == CODE_NEVER) return least == 0;
    if (code == CODE_ALWAYS) return problem_at_least(p, least) && (most == UINT64_MAX || problem_at_most(p, most));
    for (const member *m = p->frame ? p->frame->last : NULL; m; m = m->before) found += code_holds(p->r, code, m->value);
    if (found > most || least > most || !problem_at_least(p, least)) return false;
    if (found >= least && most == UINT64_MAX) return true;
    problem_state(p, (fact){.kind = FACT_COUNT, .code = code, .n = least, .most = most});
    if (!p->frame || !p->frame->open) return true;
    for (uint32_t i = 0; i < p->choice_count; i++)
        if (p->choices[i].kind == CHOICE_OPENED && p->choices[i].code == code) return true;
    problem_leave(p, (choice){.kind = CHOICE_OPENED, .code = code});
    return true;
}

bool problem_rest(problem *p, uint64_t from, const code_array *codes) {
    uint64_t index = p->frame ? p->frame->count : 0;
    if (codes->count == 0) return problem_at_most(p, from);
    if (item_is_open(p, index) && index >= from) problem_leave(p, (choice){.kind = CHOICE_ONE_OF, .codes = codes});
    for (const member *m = p->frame ? p->frame->last : NULL; m && index-- > from; m = m->before) {
        uint32_t k = 0;
        while (k < codes->count && !code_holds(p->r, codes->codes[k], m->value)) k++;
        if (k == codes->count) return false;
    }
    return problem_state(p, (fact){.kind = FACT_REST, .n = from, .codes = codes});
}

bool problem_unique(problem *p) {
    if (p->unique) return true;
    p->unique = true;
    p->news++;
    for (const member *m = p->frame ? p->frame->last : NULL; m; m = m->before)
        for (const member *n = m->before; n; n = n->before)
            if (values_equal(m->value, n->value)) return false;
    return !p->frame || !p->frame->open || problem_open_is(p, CODE_DISTINCT);
}
