/* masks_inside.c - the walk inside a scalar, where nearly all tokens stay: tables of steps instead of walkers. */
#include <string.h>

#include "masks_walk.h"

#define STEP_NONE UINT32_MAX        /* the byte is not allowed */
#define STEP_OTHER (UINT32_MAX - 1) /* it ends the scalar, or depends on a register */

static const uint32_t *steps_of(compiler *c, scalar_module *s, uint32_t local_id) {
    if (s->steps == NULL) s->steps = NEW_ARRAY(c, uint32_t *, s->locals.count + 1);
    if (s->steps[local_id] != NULL) return s->steps[local_id];
    uint32_t *steps = s->steps[local_id] = compiler_new(c, 256 * sizeof *steps);
    memset(steps, 0xFF, 256 * sizeof *steps);
    const local_state *local = &s->locals.items[local_id];
    for (uint32_t i = local->edge_count; i-- > 0;) { /* EDGE_ELSE stands last, for what is left */
        edge e = c->automaton->edges.items[local->edges + i];
        for (uint32_t byte = e.lo; byte <= e.hi; byte++) steps[byte] = e.op == EDGE_LOCAL ? e.target : STEP_OTHER;
    }
    compiler_spend(c, 100);
    return steps;
}

/* Where a token that leads to a state is noted; NULL: there is no end from there. */
static uint64_t *marks_of(tokens *t, uint32_t state_id) {
    const automaton *a = t->c->automaton;
    if (a->state_costs.items[state_id].count == 0) return NULL;
    if (state_id != t->noted) {
        walker w = walker_start(state_id);
        walk_note_needs(t, &w);
        t->noted = state_id;
    }
    return (a->states.items[state_id].flags & STATE_CAREFUL) != 0 ? t->m->guarded : t->m->plain;
}

static void found_inside(tokens *t, uint32_t node, uint32_t state_id) {
    uint64_t *into = marks_of(t, state_id);
    if (into == NULL) return;
    for (uint32_t value = t->t->nodes[node].token; value != VOCAB_NONE;
         value = t->same != NULL ? t->same[value] : VOCAB_NONE) {
        into[value / 64] |= 1ull << value % 64;
        t->m->touched[value / 4096] |= 1ull << value / 64 % 64;
    }
}

static inside_visit below(tokens *t, uint32_t node, uint32_t state_id) {
    const automaton *a = t->c->automaton;
    const uint32_t instance_id = a->states.items[state_id].instance, base = a->instances.items[instance_id].base;
    scalar_module *s = a->scalars.items[a->instance_module.items[instance_id]];
    compiler_spend(t->c, 3);
    return (inside_visit){node + 1, t->t->nodes[node].end, state_id, base, steps_of(t->c, s, state_id - base), s};
}

bool inside_goes_on(tokens *t, uint32_t node, const walker *w) {
    const automaton *a = t->c->automaton;
    const state *s = &a->states.items[w->state];
    if (s->instance == NONE || (s->flags & STATE_NAMED) != 0 || w->top != NULL || w->guarded || w->anywhere) return false;
    if (w->named.instance != NONE || w->closing != NONE || w->spaces != 0) return false;
    const scalar_module *inside = a->scalars.items[a->instance_module.items[s->instance]];
    if (inside->kind != SCALAR_STRING || a->instances.items[s->instance].length_count != 0) return false;
    PUSH(t->c, t->m->inside_visits, below(t, node, w->state));
    return true;
}

/* One child. Nearly all tokens that a string under a pattern allows stay inside it: they need no walker. False: nothing
 * below it is inside. */
static bool inside_child(tokens *t, uint32_t child, uint32_t base, uint32_t from, uint32_t to) {
    if (to == STEP_NONE) return false;
    if (to == STEP_OTHER || (t->c->automaton->states.items[base + to].flags & STATE_NAMED) != 0) {
        walker w = walker_start(from);
        walk_node(t, child, &w);
        return false;
    }
    if (t->t->nodes[child].token != VOCAB_NONE) found_inside(t, child, base + to);
    return t->t->nodes[child].end != child + 1;
}

static void walk_inside(tokens *t, inside_visit at) {
    const trie_node *nodes = t->t->nodes;
    masks *m = t->m;
    const uint32_t rest = m->inside_visits.count;
    for (;;) {
        uint32_t child = at.next, to = STEP_NONE, seen = 0;
        for (; child < at.end; child = nodes[child].end) {
            to = at.steps[nodes[child].byte];
            seen++;
            if (inside_child(t, child, at.base, at.state, to)) break;
        }
        compiler_spend(t->c, 3 * seen);
        if (child < at.end) {
            at.next = nodes[child].end;
            if (at.next < at.end) PUSH(t->c, m->inside_visits, at);
            compiler_spend(t->c, 3);
            at = (inside_visit){child + 1, at.next, at.base + to, at.base, steps_of(t->c, at.scalar, to), at.scalar};
        } else if (m->inside_visits.count > rest) {
            at = m->inside_visits.items[--m->inside_visits.count];
        } else {
            return;
        }
    }
}

void inside_rest(tokens *t) {
    while (t->m->inside_visits.count != 0) walk_inside(t, t->m->inside_visits.items[--t->m->inside_visits.count]);
}

static void found_group(tokens *t, const group_node *n, uint32_t state_id) {
    masks *m = t->m;
    uint64_t *into = n->mark_count != 0 ? marks_of(t, state_id) : NULL;
    for (uint32_t i = 0; i < n->mark_count && into != NULL; i++) {
        uint32_t word = n->marks[i].word;
        into[word] |= n->marks[i].bits;
        m->touched[word / 64] |= 1ull << word % 64;
    }
    compiler_spend(t->c, 15 + 2 * n->mark_count);
}

/* Siblings from `child` on, as far as the first that stays inside: its id, or NONE. */
static uint32_t next_inside(tokens *t, const group_node *groups, uint32_t child, const uint32_t *steps, uint32_t from) {
    uint32_t seen = 0;
    for (; child != NONE; child = groups[child].next) {
        const group_node *n = &groups[child];
        const uint32_t to = steps[n->byte];
        seen++;
        if (to != STEP_NONE && to != STEP_OTHER) break;
        for (uint32_t i = 0; i < n->starts.count && to == STEP_OTHER; i++) {
            walker w = walker_start(from);
            walk_child(t, n->starts.items[i], &w);
        }
    }
    compiler_spend(t->c, 3 * seen);
    return child;
}

/* The same over tokens that the module does not tell apart. */
static void visit_groups(tokens *t, const token_groups *g, uint32_t base, scalar_module *s, uint32_t local_id) {
    const group_node *groups = g->nodes.items;
    masks *m = t->m;
    group_visit at = {groups[0].child, base + local_id, steps_of(t->c, s, local_id)};
    m->group_visits.count = 0;
    for (;;) {
        const uint32_t child = next_inside(t, groups, at.child, at.steps, at.state);
        if (child != NONE) {
            const uint32_t to = at.steps[groups[child].byte];
            found_group(t, &groups[child], base + to);
            at.child = groups[child].next;
            if (at.child != NONE) PUSH(t->c, m->group_visits, at);
            at = (group_visit){groups[child].child, base + to, steps_of(t->c, s, to)};
        } else if (m->group_visits.count != 0) {
            at = m->group_visits.items[--m->group_visits.count];
        } else {
            return;
        }
    }
}

#define GROUPS_WORTH 8 /* states of a module */

static bool worth_groups(const automaton *a, uint32_t instance_id, const scalar_module *s) {
    const instance *in = &a->instances.items[instance_id];
    if (s->kind != SCALAR_STRING || s->locals.count < GROUPS_WORTH || in->length_count != 0) return false;
    for (uint32_t i = 0; i < s->locals.count && in->object != NONE; i++) {
        if ((a->states.items[in->base + i].flags & STATE_NAMED) != 0) return false;
    }
    return true;
}

void inside_walk(tokens *t, const state *s, uint32_t local_id, bool vocabulary) {
    const automaton *a = t->c->automaton;
    const instance *in = &a->instances.items[s->instance];
    scalar_module *inside = a->scalars.items[a->instance_module.items[s->instance]];
    if (vocabulary && worth_groups(a, s->instance, inside)) {
        visit_groups(t, masks_groups(t->c, inside), in->base, inside, local_id);
        return;
    }
    const uint32_t *steps = steps_of(t->c, inside, local_id);
    for (uint32_t byte = 0; byte < 256 && vocabulary; byte++) { /* the root has a child for nearly every byte */
        uint32_t child = t->c->vocab->lexicon->root_child[byte];
        if (child == NONE || steps[byte] == STEP_NONE) continue;
        const uint32_t state_id = in->base + local_id, to = steps[byte];
        if (inside_child(t, child, in->base, state_id, to)) walk_inside(t, below(t, child, in->base + to));
        walk_rest(t);
    }
    if (!vocabulary) walk_inside(t, below(t, 0, in->base + local_id));
    walk_rest(t);
}
