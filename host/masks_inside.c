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

static void visit_inside(tokens *t, uint32_t node, uint32_t base, scalar_module *s, uint32_t local_id);

/* Nearly all tokens that a string under a pattern allows stay inside it: they need no walker. */
static void visit_inside_child(tokens *t, uint32_t child, uint32_t base, scalar_module *s, uint32_t local_id, uint32_t to) {
    const trie_node *n = &t->t->nodes[child];
    if (to == STEP_NONE) return;
    if (to == STEP_OTHER || (t->c->automaton->states.items[base + to].flags & STATE_NAMED) != 0) {
        walker w = walker_start(base + local_id);
        walk_child(t, child, &w);
        return;
    }
    if (n->token != VOCAB_NONE) found_inside(t, child, base + to);
    if (n->end != child + 1) visit_inside(t, child, base, s, to);
}

bool inside_goes_on(tokens *t, uint32_t node, const walker *w) {
    const automaton *a = t->c->automaton;
    const state *s = &a->states.items[w->state];
    if (s->instance == NONE || (s->flags & STATE_NAMED) != 0 || w->top != NULL || w->guarded || w->anywhere) return false;
    if (w->named.instance != NONE || w->closing != NONE || w->spaces != 0) return false;
    const instance *in = &a->instances.items[s->instance];
    scalar_module *inside = a->scalars.items[a->instance_module.items[s->instance]];
    if (inside->kind != SCALAR_STRING || in->length_count != 0) return false;
    visit_inside(t, node, in->base, inside, w->state - in->base);
    return true;
}

/* The same over tokens that the module does not tell apart. */
static void visit_groups(tokens *t, const token_groups *g, uint32_t node, uint32_t base, scalar_module *s, uint32_t local_id) {
    const uint32_t *steps = steps_of(t->c, s, local_id);
    masks *m = t->m;
    uint32_t seen = 0;
    for (uint32_t child = g->nodes.items[node].child; child != NONE; child = g->nodes.items[child].next, seen++) {
        const group_node *n = &g->nodes.items[child];
        uint32_t to = steps[n->byte];
        for (uint32_t i = 0; i < n->starts.count && to == STEP_OTHER; i++) {
            walker w = walker_start(base + local_id);
            walk_child(t, n->starts.items[i], &w);
        }
        if (to == STEP_NONE || to == STEP_OTHER) continue;
        uint64_t *into = n->mark_count != 0 ? marks_of(t, base + to) : NULL;
        for (uint32_t i = 0; i < n->mark_count && into != NULL; i++) {
            uint32_t word = n->marks[i].word;
            into[word] |= n->marks[i].bits;
            m->touched[word / 64] |= 1ull << word % 64;
        }
        compiler_spend(t->c, 15 + 2 * n->mark_count);
        visit_groups(t, g, child, base, s, to);
    }
    compiler_spend(t->c, 3 * seen);
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

static void visit_inside(tokens *t, uint32_t node, uint32_t base, scalar_module *s, uint32_t local_id) {
    const uint32_t *steps = steps_of(t->c, s, local_id);
    const trie_node *nodes = t->t->nodes;
    uint32_t end = nodes[node].end, seen = 0;
    for (uint32_t child = node + 1; child < end; child = nodes[child].end, seen++) {
        visit_inside_child(t, child, base, s, local_id, steps[nodes[child].byte]);
    }
    compiler_spend(t->c, 3 + 3 * seen);
}

void inside_walk(tokens *t, const state *s, uint32_t local_id, bool vocabulary) {
    const automaton *a = t->c->automaton;
    const instance *in = &a->instances.items[s->instance];
    scalar_module *inside = a->scalars.items[a->instance_module.items[s->instance]];
    if (vocabulary && worth_groups(a, s->instance, inside)) {
        visit_groups(t, masks_groups(t->c, inside), 0, in->base, inside, local_id);
        return;
    }
    const uint32_t *steps = steps_of(t->c, inside, local_id);
    for (uint32_t byte = 0; byte < 256 && vocabulary; byte++) { /* the root has a child for nearly every byte */
        uint32_t child = t->c->vocab->lexicon->root_child[byte];
        if (child != NONE) visit_inside_child(t, child, in->base, inside, local_id, steps[byte]);
    }
    if (!vocabulary) visit_inside(t, 0, in->base, inside, local_id);
}
