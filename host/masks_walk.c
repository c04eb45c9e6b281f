/* masks_walk.c - which strings are allowed from a state: a trie walked through the machine, the stack below unknown.
 *
 * Where a step depends on what is not known here (a frame below, a count), every way it could go is followed and the
 * tokens found there are guarded: they are decided at run time by machine.h itself. */
#include "machine.h"
#include "masks_build.h"

#include <stdlib.h>
#include <string.h>

#define WAYS 128          /* of one step */
#define COUNT_WAYS 40     /* of a step that depends on a count; a number may end in two ways */
#define POP_TARGETS 8     /* return targets followed exactly */
#define SCRATCH 65536u    /* bytes of a piece */

typedef struct frame {
    uint32_t ret, count;
    const uint32_t *seen;      /* names of an object read inside the walk; NULL: none */
    const struct frame *below; /* NULL: the frame in which the walk began */
} frame;

typedef struct walker {
    uint32_t state, counter;
    bool counter_known;  /* else `counter` holds what was added to it */
    uint32_t spaces;     /* bytes by which the run of white space at the start went on */
    bool guarded;
    uint32_t closing;    /* the first guard is that this object must be complete; NONE: it is not */
    named_leaves named;  /* a name of the frame below that must still be able to follow; instance NONE: none */
    bool anywhere;       /* popped into too many places: only the form of what follows is checked */
    const frame *top;
    uint32_t pushed;
} walker;

typedef struct tokens {
    compiler *c;
    masks *m;
    const trie *t;
    const uint32_t *same; /* NULL: values are distinct */
    needs needs;
    uint32_t noted; /* a state whose needs are in them */
} tokens;

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

static tokens begin(compiler *c, masks *m) {
    tokens t;
    memset(&t, 0, sizeof t);
    t.c = c;
    t.m = m;
    t.noted = NONE;
    m->scratch_next = 0;
    return t;
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
static uint32_t judge(const automaton *a, const walker *from, walker *out) {
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
    if (state_id != NONE && (a->states.items[state_id].flags & STATE_JUDGES) != 0) return judge(a, &w, out);
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
    name_filter f = {seen, a->masks.items + in->dead, NULL, o->name_count};
    for (uint32_t k = 0; k < o->order_count; k++) {
        if (mask_bit(seen, a->masks.items[o->order + k])) continue;
        f.beyond = a->masks.items + o->beyond + (size_t)k * o->words;
        break;
    }
    return f;
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

static uint32_t read_byte(tokens *t, const walker *from, uint8_t byte, walker *out) {
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
        for (uint32_t i = 0; i < count; i++) ways += read_byte(t, &behind[i], byte, out + ways);
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
        return read_byte(t, &w, byte, out);
    default:
        return count_step(t, from, e, out);
    }
}

/* --- walks ---------------------------------------------------------------------------------------------------- */

static void note_needs(tokens *t, const walker *w) {
    const automaton *a = t->c->automaton;
    uint32_t level = w->pushed;
    needs all = (level != 0 ? t->m->finish_inner : t->m->finish)[w->state];
    all.depth += level;
    for (const frame *f = w->top; f != NULL; f = f->below) {
        const return_symbol *r = &a->returns.items[f->ret];
        needs most = {0, 0, 0};
        level--;
        for (uint32_t i = 0; i < r->class_count; i++) {
            uint32_t target = a->targets.items[r->targets + i];
            if (target != NONE) needs_widen(&most, &(level != 0 ? t->m->finish_inner : t->m->finish)[target]);
        }
        if (level + most.depth > all.depth) all.depth = level + most.depth;
        all.cost = cost_add(all.cost, most.cost);
        all.lines += most.lines;
    }
    needs_widen(&t->needs, &all);
}

/* A token that some name allows: kept with the names, if all such tokens of the row ask the same instance. */
static void found_named(tokens *t, uint32_t value, const walker *w) {
    masks *m = t->m;
    if (m->found_instance == NONE) m->found_instance = w->named.instance;
    if (m->found_instance == w->named.instance && value < NAMED_OTHERS) {
        PUSH(t->c, m->found_named, ((named_token){value, w->named}));
        return;
    }
    m->guarded[value / 64] |= 1ull << value % 64;
    m->touched[value / 4096] |= 1ull << value / 64 % 64;
}

static void found(tokens *t, uint32_t node, const walker *w) {
    if (t->t->nodes[node].token == VOCAB_NONE) return;
    if (t->c->automaton->state_costs.items[w->state].count == 0) return; /* no end from there */
    note_needs(t, w);
    bool careful = (t->c->automaton->states.items[w->state].flags & STATE_CAREFUL) != 0;
    for (uint32_t value = t->t->nodes[node].token; value != VOCAB_NONE;
         value = t->same != NULL ? t->same[value] : VOCAB_NONE) {
        if (w->named.instance != NONE && !w->guarded && !careful && w->spaces == 0) {
            found_named(t, value, w);
            continue;
        }
        if (w->spaces != 0 && !w->guarded && !careful && w->named.instance == NONE) {
            PUSH(t->c, t->m->found_spaced, PACK(value, w->spaces, false));
            continue;
        }
        bool guarded = w->guarded || careful || w->named.instance != NONE;
        bool closing = !careful && w->closing != NONE && (t->m->found_object == NONE || t->m->found_object == w->closing);
        if (closing) t->m->found_object = w->closing;
        (closing ? t->m->closing : guarded ? t->m->guarded : t->m->plain)[value / 64] |= 1ull << value % 64;
        t->m->touched[value / 4096] |= 1ull << value / 64 % 64;
    }
}

/* After a pop into many places: a comma, a bracket or white space may follow, then anything. */
static bool may_follow_value(uint8_t byte) {
    return byte == ',' || byte == '}' || byte == ']' || byte == ' ' || byte == '\n' || byte == '\r' || byte == '\t';
}

static void all_below(tokens *t, uint32_t node, const walker *w) {
    for (uint32_t k = node; k < t->t->nodes[node].end; k++) found(t, k, w);
}

static void visit(tokens *t, uint32_t node, const walker *w);
static bool stays_inside(tokens *t, uint32_t node, const walker *w);

static void visit_child(tokens *t, uint32_t child, const walker *w) {
    uint8_t byte = t->t->nodes[child].byte;
    if (w->anywhere) {
        if (may_follow_value(byte)) all_below(t, child, w);
        return;
    }
    walker ways[WAYS];
    uint32_t count = read_byte(t, w, byte, ways);
    for (uint32_t i = 0; i < count; i++) {
        found(t, child, &ways[i]);
        if (!stays_inside(t, child, &ways[i])) visit(t, child, &ways[i]);
    }
}

static void visit(tokens *t, uint32_t node, const walker *w) {
    uint32_t end = t->t->nodes[node].end;
    compiler_spend(t->c, 15);
    for (uint32_t child = node + 1; child < end; child = t->t->nodes[child].end) visit_child(t, child, w);
}

static walker start_walker(uint32_t state_id) {
    walker w;
    memset(&w, 0, sizeof w);
    w.state = state_id;
    w.named.instance = NONE;
    w.closing = NONE;
    return w;
}

/* --- inside a scalar ------------------------------------------------------------------------------------------ */

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
        walker w = start_walker(state_id);
        note_needs(t, &w);
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
        walker w = start_walker(base + local_id);
        visit_child(t, child, &w);
        return;
    }
    if (n->token != VOCAB_NONE) found_inside(t, child, base + to);
    if (n->end != child + 1) visit_inside(t, child, base, s, to);
}

/* Visits what is below a node without a walker, in a string of no bounded length of which nothing is asked so far; false:
 * it is elsewhere. */
static bool stays_inside(tokens *t, uint32_t node, const walker *w) {
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
    for (uint32_t child = g->nodes.items[node].child; child != NONE; child = g->nodes.items[child].next) {
        const group_node *n = &g->nodes.items[child];
        uint32_t to = steps[n->byte];
        for (uint32_t i = 0; i < n->starts.count && to == STEP_OTHER; i++) {
            walker w = start_walker(base + local_id);
            visit_child(t, n->starts.items[i], &w);
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

static int by_token(const void *left, const void *right) {
    uint32_t a = ((const named_token *)left)->token, b = ((const named_token *)right)->token;
    return a < b ? -1 : a > b;
}

/* Tokens that names allow, each once: one with two ways to be allowed, or that is guarded too, is left to the guard. */
static void collect_named(tokens *t, outcome *o) {
    masks *m = t->m;
    uint32_t kept = 0;
    if (m->found_named.count != 0) qsort(m->found_named.items, m->found_named.count, sizeof *m->found_named.items, by_token);
    for (uint32_t i = 0; i < m->found_named.count;) {
        named_token at = m->found_named.items[i];
        uint32_t next = i + 1;
        while (next < m->found_named.count && m->found_named.items[next].token == at.token) next++;
        uint64_t bit = 1ull << at.token % 64;
        if ((m->plain[at.token / 64] & bit) != 0) {
            i = next;
            continue;
        }
        if (next > i + 1 || ((m->guarded[at.token / 64] | m->closing[at.token / 64]) & bit) != 0) {
            m->guarded[at.token / 64] |= bit;
            m->touched[at.token / 4096] |= 1ull << at.token / 64 % 64;
        } else {
            m->found_named.items[kept++] = at;
        }
        i = next;
    }
    o->named = m->found_named.items;
    o->named_count = kept;
    m->found_named.count = 0;
    m->found_instance = NONE;
}

static outcome collect(tokens *t) {
    masks *m = t->m;
    outcome o = {m->found_plain, m->found_guarded, m->found_closing, 0, 0, 0, m->found_object, m->found_spaced.items,
                 m->found_spaced.count, NULL, 0, m->found_instance, t->needs};
    m->found_object = NONE;
    collect_named(t, &o);
    if (o.spaced_count != 0) qsort(o.spaced, o.spaced_count, sizeof *o.spaced, order_ids);
    m->found_spaced.count = 0;
    for (uint32_t k = 0; k * 64 < m->value_words; k++) {
        for (uint64_t left = m->touched[k]; left != 0; left &= left - 1) {
            uint32_t word = k * 64 + (uint32_t)__builtin_ctzll(left);
            for (uint64_t bits = m->plain[word]; bits != 0; bits &= bits - 1) {
                o.plain[o.plain_count++] = word * 64 + (uint32_t)__builtin_ctzll(bits);
            }
            for (uint64_t bits = m->guarded[word] & ~m->plain[word]; bits != 0; bits &= bits - 1) {
                o.guarded[o.guarded_count++] = word * 64 + (uint32_t)__builtin_ctzll(bits);
            }
            for (uint64_t bits = m->closing[word] & ~m->guarded[word] & ~m->plain[word]; bits != 0; bits &= bits - 1) {
                o.closing[o.closing_count++] = word * 64 + (uint32_t)__builtin_ctzll(bits);
            }
            m->plain[word] = m->guarded[word] = m->closing[word] = 0;
        }
        m->touched[k] = 0;
    }
    return o;
}

outcome masks_walk(compiler *c, masks *m, const trie *tree, const uint32_t *same, uint32_t state_id, bool vocabulary) {
    tokens t = begin(c, m);
    t.t = tree;
    t.same = same;
    walker w = start_walker(state_id);
    const automaton *a = c->automaton;
    const state *s = &a->states.items[state_id];
    if ((s->flags & STATE_JUDGES) != 0) {
        walker ways[2];
        uint32_t count = judge(a, &w, ways);
        for (uint32_t i = 0; i < count; i++) visit(&t, 0, &ways[i]);
        return collect(&t);
    }
    if (s->instance != NONE && (s->flags & STATE_NAMED) == 0) {
        const instance *in = &a->instances.items[s->instance];
        scalar_module *inside = a->scalars.items[a->instance_module.items[s->instance]];
        if (vocabulary && worth_groups(a, s->instance, inside)) {
            visit_groups(&t, masks_groups(c, inside), 0, in->base, inside, state_id - in->base);
            return collect(&t);
        }
        const uint32_t *steps = steps_of(c, inside, state_id - in->base);
        for (uint32_t byte = 0; byte < 256 && vocabulary; byte++) {
            uint32_t child = c->vocab->lexicon->root_child[byte];
            if (child != NONE) visit_inside_child(&t, child, in->base, inside, state_id - in->base, steps[byte]);
        }
        if (!vocabulary) visit_inside(&t, 0, in->base, inside, state_id - in->base);
        return collect(&t);
    }
    bool sparse = vocabulary;
    for (uint32_t i = 0; i < s->edge_count && sparse; i++) sparse = a->edges.items[s->edges + i].op != EDGE_ELSE;
    if (!sparse) {
        visit(&t, 0, &w);
        return collect(&t);
    }
    for (uint32_t i = 0; i < s->edge_count; i++) { /* the root has a child for nearly every byte */
        edge e = a->edges.items[s->edges + i];
        for (uint32_t byte = e.lo; byte <= e.hi; byte++) {
            if (c->vocab->lexicon->root_child[byte] != NONE) visit_child(&t, c->vocab->lexicon->root_child[byte], &w);
        }
    }
    return collect(&t);
}

int masks_walk_one(compiler *c, masks *m, uint32_t state_id, const uint8_t *bytes, uint32_t length) {
    tokens t = begin(c, m);
    m->now.count = 0;
    PUSH(c, m->now, start_walker(state_id));
    for (uint32_t i = 0; i < length; i++) {
        m->next.count = 0;
        for (uint32_t k = 0; k < m->now.count; k++) {
            walker ways[WAYS];
            uint32_t count = m->now.items[k].anywhere ? 0 : read_byte(&t, &m->now.items[k], bytes[i], ways);
            for (uint32_t n = 0; n < count; n++) PUSH(c, m->next, ways[n]);
        }
        m->now.count = 0;
        for (uint32_t k = 0; k < m->next.count; k++) PUSH(c, m->now, m->next.items[k]);
    }
    int mark = MARK_NO;
    for (uint32_t k = 0; k < m->now.count; k++) {
        if (c->automaton->state_costs.items[m->now.items[k].state].count == 0) continue;
        bool careful = (c->automaton->states.items[m->now.items[k].state].flags & STATE_CAREFUL) != 0;
        bool guarded = careful || m->now.items[k].guarded || m->now.items[k].named.instance != NONE;
        int found_mark = guarded ? MARK_GUARDED : MARK_PLAIN;
        if (found_mark > mark) mark = found_mark;
    }
    return mark;
}
