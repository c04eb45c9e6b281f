/* masks_step.c - one byte of a walk with the stack below unknown.
 *
 * Where a step depends on what is not known here (a frame below, a count), every way it could go is followed and the
 * tokens found there are guarded: they are decided at run time by machine.h itself. */
#include <string.h>

#include "masks_walk.h"

#define COUNT_WAYS 40  /* of a step that depends on a count; a number may end in two ways */
#define POP_TARGETS 8  /* return targets followed exactly */
#define SCRATCH 65536u /* bytes of a piece */

/* Memory until the end of the walk, at most SCRATCH bytes. */
static void *scratch_new(tokens *t, size_t size) {
    masks *m = t->m;
    size = (size + 15) & ~(size_t)15;
    if (m->scratch_next == 0 || m->scratch_used + size > SCRATCH) {
        if (m->scratch_next == m->scratch.count) PUSH(t->c, m->scratch, compiler_new(t->c, SCRATCH));
        m->scratch_next++;
        m->scratch_used = 0;
    }
    void *at = m->scratch.items[m->scratch_next - 1] + m->scratch_used;
    m->scratch_used += (uint32_t)size;
    return at;
}

/* --- one byte ------------------------------------------------------------------------------------------------- */

static const edge *find_edge(const automaton *a, uint32_t state_id, uint8_t byte) {
    const state *s = &a->states.items[state_id];
    const edge *e = a->edges.items + s->edges, *end = e + s->edge_count;
    while (e < end && (byte < e->lo || byte > e->hi)) e++;
    return e == end ? NULL : e;
}

/* Where the callers of the current state's module go on after a class. */
static uint32_t pop_targets(compiler *c, masks *m, uint32_t module_id, uint32_t class_index, const uint32_t **targets) {
    automaton *a = c->automaton;
    uint32_t key[2] = {module_id, class_index};
    bool is_new;
    uint32_t id = intern(c, &m->pop_table, key, sizeof key, &is_new);
    if (is_new) {
        id_list list = {NULL, 0, 0};
        for (uint32_t i = 0; i < a->calls.count; i++) {
            if (a->call_module.items[i] != module_id) continue;
            uint32_t target = a->targets.items[a->returns.items[a->calls.items[i].ret].targets + class_index];
            bool known = target == NONE;
            for (uint32_t k = 0; k < list.count && !known; k++) known = list.items[k] == target;
            if (!known) PUSH(c, list, target);
            if (list.count > POP_TARGETS) break;
        }
        PUSH(c, m->pops, ((__typeof__(*m->pops.items)){list.items, list.count}));
    }
    *targets = m->pops.items[id].targets;
    return m->pops.items[id].count;
}

/* Behind an item of a unique array both ways are followed: which it is only a walk knows. */
uint32_t walker_judge(const automaton *a, const walker *from, walker *out) {
    const state *s = &a->states.items[from->state];
    walker w = *from;
    w.guarded = true;
    for (uint32_t i = 0; i < s->edge_count; i++) {
        out[i] = w;
        out[i].state = a->edges.items[s->edges + i].target;
    }
    return s->edge_count;
}

static uint32_t go(tokens *t, const walker *from, uint32_t state_id, walker *out) {
    const automaton *a = t->c->automaton;
    walker w = *from;
    w.state = state_id;
    if (state_id != NONE && (a->states.items[state_id].flags & STATE_JUDGES) != 0) return walker_judge(a, &w, out);
    out[0] = w;
    return state_id != NONE;
}

static uint32_t pop(tokens *t, const walker *from, uint32_t class_index, walker *out) {
    automaton *a = t->c->automaton;
    walker w = *from;
    if (w.top != NULL) {
        const return_symbol *r = &a->returns.items[w.top->ret];
        w.top = w.top->below;
        w.pushed--;
        return go(t, &w, a->targets.items[r->targets + class_index], out);
    }
    const uint32_t *targets;
    uint32_t count = pop_targets(t->c, t->m, a->state_module.items[from->state], class_index, &targets);
    w.guarded = true;
    if (count > POP_TARGETS) {
        w.anywhere = true;
        w.state = targets[0];
        out[0] = w;
        return 1;
    }
    uint32_t ways = 0;
    for (uint32_t i = 0; i < count; i++) ways += go(t, &w, targets[i], out + ways);
    return ways;
}

/* --- names of an object --------------------------------------------------------------------------------------- */

static const uint32_t no_names[2048]; /* no object tells more than 65,000 names apart */

static name_filter filter_of(const automaton *a, uint32_t instance_id, const uint32_t *seen) {
    const instance *in = &a->instances.items[instance_id];
    const object *o = &a->objects.items[in->object];
    return (name_filter){seen, a->masks.items + in->dead, names_beyond(a->masks.items, o, seen), o->name_count};
}

/* One of these names must be able to follow. In a frame opened inside the walk that is known; in the frame below it is
 * noted, and a second such question is left to the guard. */
static bool ask_names(tokens *t, walker *w, uint32_t instance_id, uint32_t lo, uint32_t hi, bool others) {
    if (w->top != NULL) {
        name_filter f = filter_of(t->c->automaton, instance_id, w->top->seen != NULL ? w->top->seen : no_names);
        return names_can_follow(&f, lo, hi, others);
    }
    const automaton *a = t->c->automaton;
    const instance *in = &a->instances.items[instance_id];
    const object *o = &a->objects.items[in->object];
    if (others && o->order_count == 0 && !mask_bit(a->masks.items + in->dead, o->name_count)) return true; /* always */
    bool first = w->named.instance == NONE || !w->named.read;
    if (!first || (w->named.instance != NONE && w->named.instance != instance_id)) {
        w->guarded = true;
        return true;
    }
    w->named = (named_leaves){instance_id, (uint16_t)lo, (uint16_t)hi, others, false};
    return true;
}

/* A name has been read. */
static bool end_name(tokens *t, walker *w, uint32_t instance_id, uint32_t bit) {
    const automaton *a = t->c->automaton;
    const object *o = &a->objects.items[a->instances.items[instance_id].object];
    bool others = bit == o->name_count;
    if (!ask_names(t, w, instance_id, others ? 0 : bit, others ? 0 : bit + 1, others)) return false;
    w->named.read = true;
    if (w->top == NULL) return true;
    uint32_t *seen = scratch_new(t, sizeof *seen * o->words);
    for (uint32_t k = 0; k < o->words; k++) {
        seen[k] = (w->top->seen != NULL ? w->top->seen[k] : 0) | a->masks.items[o->reads + bit * o->words + k];
    }
    frame *f = scratch_new(t, sizeof *f);
    *f = *w->top;
    f->seen = seen;
    w->top = f;
    return true;
}

static uint32_t go_local(tokens *t, const walker *from, uint32_t local, walker *out) {
    const automaton *a = t->c->automaton;
    uint32_t id = a->states.items[from->state].instance;
    walker w = *from;
    w.state = a->instances.items[id].base + local;
    const state *s = &a->states.items[w.state];
    if ((s->flags & STATE_NAMED) != 0 &&
        !ask_names(t, &w, id, s->leaf_lo, s->leaf_hi, (s->flags & STATE_OTHERS) != 0)) {
        return 0;
    }
    out[0] = w;
    return 1;
}

/* An exit of a string: the length is known when the string began inside the walk. */
static uint32_t leave_string(tokens *t, const walker *from, const edge *e, walker *out) {
    automaton *a = t->c->automaton;
    const state *s = &a->states.items[from->state];
    const instance *in = &a->instances.items[s->instance];
    walker w = *from;
    w.counter = 0;
    w.counter_known = true;
    if (in->object != NONE) {
        uint32_t others = a->objects.items[in->object].name_count;
        uint32_t bit = e->op == EDGE_EXIT && e->target < others ? e->target : others;
        w.guarded |= (s->flags & STATE_HASHES) != 0 && in->hash_used != 0 && bit == others;
        if (!end_name(t, &w, s->instance, bit)) return 0;
    }
    if (e->op == EDGE_EXIT) return go(t, &w, a->targets.items[in->exits + e->target], out);
    uint32_t count = 0;
    for (uint32_t i = 0; i < in->length_count; i++) {
        const length_case *l = &a->lengths.items[in->lengths + i];
        if (from->counter_known && (from->counter < l->lo || from->counter > l->hi)) continue;
        if (l->target == NONE || count + 2 > WAYS) continue;
        w.guarded |= !from->counter_known;
        count += go(t, &w, l->target, out + count);
    }
    return count;
}

static uint32_t count_step(tokens *t, const walker *from, const edge *e, walker *out) {
    automaton *a = t->c->automaton;
    bool comma = e->op == EDGE_COMMA;
    if (from->top != NULL) {
        uint32_t target = count_case_at(&a->counts.items[e->target], from->top->count + 1)->target;
        if (target == NONE) return 0;
        if (!comma) return pop(t, from, target, out);
        frame *counted = scratch_new(t, sizeof *counted);
        *counted = *from->top;
        counted->count++;
        walker w = *from;
        w.top = counted;
        return go(t, &w, target, out);
    }
    walker w = *from;
    const count_case *at = &a->counts.items[e->target];
    w.guarded |= at->upto != NONE;
    uint32_t count = 0;
    uint32_t seen[WAYS], seen_count = 0;
    for (;; at++) {
        bool known = at->target == NONE;
        for (uint32_t i = 0; i < seen_count && !known; i++) known = seen[i] == at->target;
        if (!known && seen_count < WAYS && count + 2 * POP_TARGETS < COUNT_WAYS) {
            seen[seen_count++] = at->target;
            count += comma ? go(t, &w, at->target, out + count) : pop(t, &w, at->target, out + count);
        }
        if (at->upto == NONE) return count;
    }
}

/* No required name may be missing. In the frame below that is asked at run time. */
static bool ask_complete(const automaton *a, walker *w, uint32_t object_id) {
    const object *o = &a->objects.items[object_id];
    const uint32_t *seen = w->top != NULL && w->top->seen != NULL ? w->top->seen : no_names;
    for (uint32_t k = 0; k < o->words && w->top != NULL; k++) {
        if ((a->masks.items[o->required + k] & ~seen[k]) != 0) return false;
    }
    if (w->top == NULL && !w->guarded && !w->named.read) w->closing = object_id;
    w->guarded |= w->top == NULL;
    return true;
}

uint32_t walker_step(tokens *t, const walker *from, uint8_t byte, walker *out) {
    automaton *a = t->c->automaton;
    const edge *e = find_edge(a, from->state, byte);
    if (e == NULL) return 0;
    const state *s = &a->states.items[from->state];
    const instance *in = s->instance != NONE ? &a->instances.items[s->instance] : NULL;
    walker w = *from;
    switch (e->op) {
    case EDGE_GO:
        return go(t, &w, e->target, out);
    case EDGE_LOCAL:
        return go_local(t, &w, e->target, out);
    case EDGE_CHAR_FREE:
        if (w.counter_known && w.counter >= in->longest) return 0;
        w.guarded |= !w.counter_known && in->longest != NONE;
        w.counter++;
        return go_local(t, &w, e->target, out);
    case EDGE_CHAR:
        w.counter++;
        return go_local(t, &w, e->target, out);
    case EDGE_OPEN:
        w.counter = 0;
        w.counter_known = true;
        return go(t, &w, e->target, out);
    case EDGE_PUSH: {
        const call *to = &a->calls.items[e->target];
        if (!a->call_open[e->target]) return 0;
        frame *f = scratch_new(t, sizeof *f);
        *f = (frame){to->ret, 0, NULL, w.top};
        w.top = f;
        w.pushed++;
        return go(t, &w, to->start, out);
    }
    case EDGE_POP:
        return pop(t, from, e->target, out);
    case EDGE_NAMED: {
        uint32_t name = a->targets.items[e->target + 1], count = a->objects.items[a->instances.items[name].object].name_count;
        if (!ask_names(t, &w, name, 0, count, true)) return 0;
        return go(t, &w, a->targets.items[e->target], out);
    }
    case EDGE_CLOSE_NAMED:
        return ask_complete(a, &w, a->targets.items[e->target]) ? pop(t, &w, a->targets.items[e->target + 1], out) : 0;
    case EDGE_CLOSE_LINE:
        w.counter = 0;
        w.counter_known = true;
        return ask_complete(a, &w, a->targets.items[e->target]) ? go(t, &w, a->targets.items[e->target + 1], out) : 0;
    case EDGE_EXIT:
    case EDGE_EXIT_LENGTH:
        return leave_string(t, from, e, out);
    case EDGE_ELSE: {
        walker behind[2];
        uint32_t count = go(t, &w, a->targets.items[in->exits + e->target], behind), ways = 0;
        for (uint32_t i = 0; i < count; i++) ways += walker_step(t, &behind[i], byte, out + ways);
        return ways;
    }
    case EDGE_SPACE_FIRST:
        w.counter = 1;
        w.counter_known = true;
        return go(t, &w, e->target, out);
    case EDGE_SPACE:
        if (w.counter_known && w.counter >= t->c->options.whitespace_run) return 0;
        w.counter++;
        w.spaces += !w.counter_known;
        return w.spaces > 255 ? 0 : go(t, &w, e->target, out);
    case EDGE_INDENT_FIRST:
        w.guarded |= e->argument != 0;
        w.counter = 0;
        w.counter_known = true;
        return go(t, &w, e->target, out);
    case EDGE_INDENT:
        w.guarded = true;
        return go(t, &w, w.state, out);
    case EDGE_INDENT_END:
        w.guarded = true;
        w.state = e->target;
        return walker_step(t, &w, byte, out);
    default:
        return count_step(t, from, e, out);
    }
}
