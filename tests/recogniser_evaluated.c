/* recogniser_evaluated.c - unevaluatedProperties and unevaluatedItems: which schemas evaluate a member or an item, and under
 * which conditions.
 *
 * A path is what must hold so that some schema in place accepts the value and evaluates the member: members of anyOf and
 * oneOf on the way, the outcome of an if, the trigger of a dependency. What allOf and $ref lead to holds anyway. */
#include "recogniser_tableau.h"

#include <stdlib.h>

typedef struct step {
    bool is_name;  /* the name is present; else the literal holds */
    uint32_t what; /* a name or a code */
} step;

typedef struct path {
    uint32_t count;
    uint32_t contains; /* the code that the item satisfies too, or CODE_ALWAYS */
    struct path *next;
    step steps[];
} path;

/* Looking for the paths that lead to an evaluation of one member or item. */
typedef struct search {
    problem *p;
    bool array;
    uint32_t name;
    uint64_t index;
    step steps[64];
    uint32_t count;
    path *found, **last;
    bool always;
} search;

static void find(search *s, const schema *from, bool whole);

static void add_path(search *s, uint32_t contains) {
    path *made = region_take(&s->p->r->arena, sizeof *made + s->count * sizeof *made->steps);
    made->count = s->count;
    made->contains = contains;
    memcpy(made->steps, s->steps, s->count * sizeof *made->steps);
    *s->last = made;
    s->last = &made->next;
    s->always |= !s->count && contains == CODE_ALWAYS;
}

static void find_under(search *s, const schema *below, bool is_name, uint32_t what) {
    if (s->count == sizeof s->steps / sizeof *s->steps) recogniser_panic("too many schemas in each other");
    s->steps[s->count++] = (step){is_name, what};
    if (below) find(s, below, true);
    s->count--;
}

static bool evaluates_itself(search *s, const schema *from, bool whole) {
    if (whole && (s->array ? from->unevaluated_items : from->unevaluated_members)) return true;
    if (s->array) return from->items || s->index < from->prefix.count;
    return from->additional || schema_lists(s->p->r, from, s->name);
}

/* `whole`: its own unevaluated... counts. */
static void find(search *s, const schema *from, bool whole) {
    const schema_list *lists[] = {&from->any, &from->one};
    if (evaluates_itself(s, from, whole)) {
        add_path(s, CODE_ALWAYS);
        return;
    }
    if (s->array && from->contains && from->contains_evaluates) add_path(s, from->contains->code);
    if (from->reference) find(s, from->reference, true);
    for (uint32_t i = 0; i < from->all.count; i++) find(s, from->all.items[i], true);
    for (int i = 0; i < 2; i++)
        for (uint32_t k = 0; k < lists[i]->count; k++) find_under(s, lists[i]->items[k], false, lists[i]->items[k]->code);
    for (uint32_t i = 0; i < from->dependency_count && !s->array; i++)
        if (from->dependencies[i].schema) find_under(s, from->dependencies[i].schema, true, from->dependencies[i].trigger);
    if (!from->condition) return;
    find_under(s, from->condition, false, from->condition->code);
    find_under(s, from->consequence, false, from->condition->code);
    find_under(s, from->alternative, false, negative(from->condition));
}

/* What was found for one name or index; a list under each schema. */
typedef struct path_list {
    bool array;
    uint32_t name;
    uint64_t index;
    path *paths;
    bool always;
    struct path_list *next;
} path_list;

/* What can evaluate the member of this name, or the item of this index. */
static const path *paths_of(problem *p, const schema *s, uint32_t name, uint64_t index, bool *always) {
    schema *writable = (schema *)s;
    path_list *list = s->paths;
    bool array = p->kind == KIND_ARRAY;
    while (list && (list->array != array || list->name != name || list->index != index)) list = list->next;
    if (!list) {
        search found = {.p = p, .array = array, .name = name, .index = index};
        found.last = &found.found;
        find(&found, s, false);
        list = region_take(&p->r->arena, sizeof *list);
        *list = (path_list){array, name, index, found.found, found.always, s->paths};
        writable->paths = list;
    }
    *always = list->always;
    return list->paths;
}

/* Equal lists of codes are one. */
static const code_array *keep_codes(recogniser *r, const uint32_t *codes, uint32_t count) {
    size_t size = count * sizeof *codes;
    for (uint32_t i = 0; i < r->code_array_count; i++)
        if (r->code_arrays[i]->count == count && !memcmp(r->code_arrays[i]->codes, codes, size)) return r->code_arrays[i];
    code_array *made = region_take(&r->arena, sizeof *made + size);
    made->count = count;
    memcpy(made->codes, codes, size);
    r->code_arrays = grow(r->code_arrays, r->code_array_count, &r->code_array_capacity, sizeof *r->code_arrays);
    return r->code_arrays[r->code_array_count++] = made;
}

static bool walk_path(problem *p, const path *path) {
    bool holds = true;
    for (uint32_t i = 0; i < path->count && holds; i++)
        holds = path->steps[i].is_name ? problem_present(p, path->steps[i].what) : problem_literal(p, path->steps[i].what);
    return holds;
}

outcome apply_not_path(problem *p, const path *path, uint64_t index, uint32_t option) {
    if (option == path->count && path->contains != CODE_ALWAYS)
        return taken(problem_item_is(p, index, path->contains ^ CODE_POSITIVE));
    if (option >= path->count) return END;
    const step *step = &path->steps[option];
    return taken(step->is_name ? problem_absent(p, step->what) : problem_literal(p, step->what ^ CODE_POSITIVE));
}

static const schema *rest_of(const problem *p, const schema *s) {
    return p->kind == KIND_ARRAY ? s->unevaluated_items : s->unevaluated_members;
}

/* From here on all items that are not written are alike; and no written one is among them. */
static uint64_t rest_from(const problem *p) {
    uint64_t written = written_count(p);
    return p->position->item_count > written ? p->position->item_count : written;
}

/* --- everything is evaluated --- */

static void leave_evaluated(problem *p, const schema *s, uint32_t name, uint64_t index) {
    bool always;
    paths_of(p, s, name, index, &always);
    if (!always) problem_leave(p, (choice){.kind = CHOICE_EVALUATED, .code = s->code, .owner = name, .from = index});
}

bool assert_evaluated(problem *p, const schema *s) {
    uint32_t name;
    if (code_simplify(p->r, rest_of(p, s)->code) == CODE_ALWAYS) return true;
    if (p->kind == KIND_ARRAY) {
        for (uint64_t i = 0; i <= rest_from(p); i++) leave_evaluated(p, s, NAME_OTHER, i);
    } else {
        for (uint32_t k = 0; problem_name(p, k, &name); k++) leave_evaluated(p, s, name, 0);
    }
    return true;
}

enum { MOST_CONTAINS = 8 };

/* The rest of the items: each satisfies the keyword or one of the contains whose paths the bits of `held` select. */
static bool rest_is(problem *p, const path *paths, uint32_t held, uint64_t from, uint32_t code) {
    uint32_t bit = 0, count = 0, codes[MOST_CONTAINS + 1];
    for (const path *one = paths; one; one = one->next) {
        if (one->contains == CODE_ALWAYS || !(held >> bit++ & 1)) continue;
        if (!walk_path(p, one)) return false;
        uint32_t own = code_simplify(p->r, one->contains);
        if (own == CODE_ALWAYS) return true;
        if (own != CODE_NEVER) codes[count++] = own;
    }
    code = code_simplify(p->r, code);
    if (code != CODE_NEVER) codes[count++] = code;
    return problem_rest(p, from, keep_codes(p->r, codes, count));
}

static uint32_t contains_count(const path *paths) {
    uint32_t count = 0;
    for (; paths; paths = paths->next) count += paths->contains != CODE_ALWAYS;
    return count < MOST_CONTAINS ? count : MOST_CONTAINS;
}

static outcome apply_item_evaluated(problem *p, const schema *s, const path *paths, uint64_t index, uint32_t k) {
    uint32_t code = s->unevaluated_items->code;
    bool rest = index == rest_from(p);
    for (const path *one = paths; one; one = one->next) {
        bool direct = one->contains == CODE_ALWAYS;
        if ((rest && !direct) || !here(&k)) continue;
        return taken(walk_path(p, one) && (direct || problem_item_is(p, index, one->contains)));
    }
    if (!rest) return here(&k) ? taken(problem_item_is(p, index, code)) : END;
    uint32_t ways = 1u << contains_count(paths);
    return k < ways ? taken(rest_is(p, paths, k, index, code)) : END;
}

outcome apply_evaluated(problem *p, const choice *c, uint32_t k) {
    const schema *s = code_schema(p->r, c->code);
    bool always;
    const path *paths = paths_of(p, s, c->owner, c->from, &always);
    if (p->kind == KIND_ARRAY) {
        if (!problem_item(p, c->from) && !(p->frame && p->frame->open && c->from == p->frame->count) && here(&k))
            return taken(problem_at_most(p, c->from));
        return apply_item_evaluated(p, s, paths, c->from, k);
    }
    if (here(&k)) return taken(problem_absent(p, c->owner));
    for (const path *one = paths; one; one = one->next)
        if (here(&k)) return taken(walk_path(p, one));
    return here(&k) ? taken(problem_member_is(p, c->owner, s->unevaluated_members->code)) : END;
}

/* --- something is not --- */

/* No path holds, or its contains does not accept the item. */
static bool leave_paths(problem *p, const path *paths, uint64_t index) {
    for (const path *one = paths; one; one = one->next) {
        if (!one->count && one->contains == CODE_ALWAYS) return false;
        if (one->count)
            problem_leave(p, (choice){.kind = CHOICE_NOT_PATH, .path = one, .from = index});
        else if (!problem_item_is(p, index, one->contains ^ CODE_POSITIVE))
            return false;
    }
    return true;
}

static outcome item_not_evaluated(problem *p, const schema *s, uint32_t k) {
    uint64_t last = rest_from(p);
    bool always;
    for (uint32_t i = 0; i < p->choice_count; i++)
        last += p->choices[i].kind == CHOICE_ITEM || p->choices[i].kind == CHOICE_SAME;
    if (k > last) return END;
    const path *paths = paths_of(p, s, NAME_OTHER, k, &always);
    return taken(!always && problem_at_least(p, k + 1ull) && problem_item_is(p, k, negative(s->unevaluated_items)) &&
                 leave_paths(p, paths, k) && p->least <= p->most);
}

outcome apply_not_evaluated(problem *p, const schema *s, uint32_t k) {
    uint32_t name, code = code_simplify(p->r, negative(rest_of(p, s)));
    bool always;
    if (code == CODE_NEVER) return END;
    if (p->kind == KIND_ARRAY) return item_not_evaluated(p, s, k);
    for (uint32_t i = 0; problem_name(p, i, &name); i++) {
        const path *paths = paths_of(p, s, name, 0, &always);
        if (always || !here(&k)) continue;
        const choice only = {.domain = DOMAIN_NAME, .owner = name, .code = code};
        return leave_paths(p, paths, 0) ? problem_some_member(p, only) : CONFLICT;
    }
    return END;
}
