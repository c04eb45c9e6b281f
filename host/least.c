/* least.c - the least cost of finishing, for every state: what makes each allowed token completable.
 *
 * Costs count tokens: one for each byte, fewer along literals that the vocabulary writes in larger pieces. They are the
 * least fixpoint over states, modules and counted arrays. A state without an entry cannot be finished with this
 * vocabulary; no row leads to it. Source of the scheme: Knuth, "A generalization of Dijkstra's algorithm" (1977). */
#include <stdlib.h>
#include <string.h>

#include "least_build.h"

typedef struct least {
    bool byte_known[256]; /* some token is exactly this byte */
    entries scratch;
    uint32_t *closing;        /* [count_case] boundary of closing there by EDGE_CLOSE, or NONE */
} least;

static bool any_byte(const least *l, uint8_t lo, uint8_t hi) {
    for (uint32_t byte = lo; byte <= hi; byte++) {
        if (l->byte_known[byte]) return true;
    }
    return false;
}

/* The same kind of way: only cost and depth can differ. */
static bool same_way(const cost *a, const cost *b) {
    return a->target == b->target && a->length == b->length && a->most == b->most && a->missing == b->missing &&
           a->names == b->names && a->leaf_lo == b->leaf_lo && a->leaf_hi == b->leaf_hi &&
           a->read == b->read && a->instance == b->instance && a->fresh == b->fresh &&
           a->ordered == b->ordered;
}

/* Tokens at depth 1: the order of ways. */
static int64_t cheapness(const compiler *c, const cost *e) {
    return (int64_t)e->distance + ((int64_t)e->lines - e->outdent) * c->options.indent;
}

/* Of each kind the cheapest way is kept and the shallowest. Each goes on with one that its successor keeps, so a way that
 * was possible stays possible. */
void relax(compiler *c, entries *into, cost e) {
    int64_t cheap = cheapness(c, &e);
    cost *cheapest = NULL, *shallowest = NULL;
    for (uint32_t i = 0; i < into->count; i++) {
        if (!same_way(&into->items[i], &e)) continue;
        if (cheapest == NULL) {
            cheapest = &into->items[i];
        } else {
            shallowest = &into->items[i];
        }
    }
    if (cheapest == NULL) {
        if (into->count < 250) PUSH(c, *into, e); /* further kinds only tighten the bound */
        return;
    }
    int64_t known = cheapness(c, cheapest);
    cost second = e;
    if (cheap < known || (cheap == known && e.depth < cheapest->depth)) {
        second = *cheapest;
        *cheapest = e;
    }
    if (second.depth >= cheapest->depth) {
        if (shallowest != NULL && shallowest->depth >= cheapest->depth) { /* the cheapest is as shallow: one is enough */
            *shallowest = into->items[--into->count];
        }
        return;
    }
    if (shallowest == NULL) {
        if (into->count < 250) PUSH(c, *into, second);
        return;
    }
    bool cheaper = cheapness(c, &second) < cheapness(c, shallowest);
    if (second.depth < shallowest->depth || (second.depth == shallowest->depth && cheaper)) *shallowest = second;
}

static void relax_later(compiler *c, entries *into, cost e, uint32_t distance) {
    if (e.length != 0 && e.length != NONE) { /* a string is entered with no code points yet */
        if (e.distance > COST_NEVER - 2 - e.length) return;
        e.distance += e.length;
    }
    e.length = 0;
    e.most = NONE;
    if (e.distance > COST_NEVER - 2 - distance) return;
    e.distance += distance;
    relax(c, into, e);
}

/* What can be finished from `from`, `distance` later. */
void relax_through(compiler *c, entries *into, uint32_t from, uint32_t distance) {
    const entries *source = entries_of(c, from);
    for (uint32_t i = 0; i < source->count; i++) relax_later(c, into, source->items[i], distance);
}

/* --- scalars -------------------------------------------------------------------------------------------------- */

static void scalar_distances(compiler *c, const least *l, scalar_module *s) {
    automaton *a = c->automaton;
    uint32_t width = s->class_count + 1;
    for (uint32_t i = 0; i < s->locals.count; i++) {
        s->locals.items[i].distances = NEW_ARRAY(c, uint32_t, width);
        memset(s->locals.items[i].distances, 0xFF, sizeof(uint32_t) * width);
    }
    for (bool changed = true; changed;) {
        changed = false;
        for (uint32_t i = s->locals.count; i-- > 0;) {
            local_state *local = &s->locals.items[i];
            for (uint32_t k = 0; k < local->edge_count; k++) {
                edge e = a->edges.items[local->edges + k];
                uint32_t exit = NONE, distance = 1;
                if (e.op == EDGE_EXIT || e.op == EDGE_ELSE) exit = e.target;
                if (e.op == EDGE_EXIT_LENGTH) exit = s->class_count;
                if (e.op == EDGE_ELSE) distance = 0;
                if (e.op != EDGE_ELSE && !any_byte(l, e.lo, e.hi)) continue;
                for (uint32_t x = 0; x < width; x++) {
                    uint32_t found = NONE;
                    if (x == exit) found = distance;
                    if (exit == NONE && s->locals.items[e.target].distances[x] != NONE) {
                        found = s->locals.items[e.target].distances[x] + 1;
                    }
                    if (found >= local->distances[x]) continue;
                    local->distances[x] = found;
                    changed = true;
                }
            }
            compiler_spend(c, 10 * (uint64_t)width);
        }
    }
}

static void scalar_state(compiler *c, entries *into, uint32_t state_id) {
    automaton *a = c->automaton;
    uint32_t id = a->states.items[state_id].instance;
    const instance *in = &a->instances.items[id];
    const scalar_module *s = a->scalars.items[a->instance_module.items[id]];
    const uint32_t *distances = s->locals.items[state_id - in->base].distances;
    for (uint32_t x = 0; x < s->class_count; x++) {
        uint32_t target = a->targets.items[in->exits + x];
        if (distances[x] != NONE && target != NONE) relax_through(c, into, target, distances[x]);
    }
    const local_state *local = &s->locals.items[state_id - in->base];
    for (uint32_t i = 0; i < in->length_count; i++) {
        const length_case *length = &a->lengths.items[in->lengths + i];
        if (length->target == NONE) continue;
        uint32_t distance = distances[s->class_count], from = length->lo, most = length->hi;
        if (local->points != NONE) { /* the code points so far are known, and so is what must be added */
            uint32_t more = length->lo > local->points ? length->lo - local->points : 0;
            if (more == 0 && local->is_text) more = 1;
            if (length->hi != NONE && local->points + more > length->hi) continue;
            distance = more + 1;
            from = 0;
            most = NONE;
        }
        if (distance == NONE) continue;
        const entries *source = entries_of(c, length->target);
        for (uint32_t k = 0; k < source->count; k++) {
            cost e = source->items[k];
            e.distance += distance;
            e.length = from;
            e.most = most;
            relax(c, into, e);
        }
    }
}

/* --- states --------------------------------------------------------------------------------------------------- */

static bool better_whole(const cost *e, const cost *best, bool shallow) {
    if (best->distance == COST_NEVER) return true;
    if (shallow && e->depth != best->depth) return e->depth < best->depth;
    return e->distance < best->distance || (e->distance == best->distance && e->depth < best->depth);
}

/* The cost of one whole container, from behind its opening bracket to its closing one, for each class. */
static cost module_cost(compiler *c, uint32_t index, uint32_t class_index, bool shallow) {
    automaton *a = c->automaton;
    const module *m = &a->modules.items[index];
    if (m->start == NONE) return end_cost(0, COST_NEVER);
    const entries *start = entries_of(c, m->start);
    cost best = end_cost(0, COST_NEVER);
    for (uint32_t i = 0; i < start->count; i++) {
        cost e = start->items[i];
        if (e.ordered != 0) continue; /* a name of the order is missing: none has been read */
        add_names(c, &e);
        if (e.distance >= COST_NEVER - 1) continue;
        if (e.target == class_index) {
            if (better_whole(&e, &best, shallow)) best = e;
        } else if ((e.target & BOUNDARY_FLAG) != 0) {
            uint32_t prefix = goal_get(c, m->goal)->array->prefix;
            const segment *s = boundary_cheapest(&a->boundary_costs.items[e.target & ~BOUNDARY_FLAG], class_index,
                                        prefix > 0 ? prefix : 1);
            if (s == NULL) continue;
            uint32_t value = segment_value(s, prefix > 0 ? prefix : 1);
            if (value >= COST_NEVER - 1 - e.distance) continue;
            e.distance += value;
            e.lines += s->lines_at_hi + (s->slope != 0 ? s->lines_slope * (s->hi - (prefix > 0 ? prefix : 1)) : 0);
            e.outdent = s->lines_at_hi != 0;
            if (s->depth > e.depth) e.depth = s->depth;
            if (better_whole(&e, &best, shallow)) best = e;
        }
    }
    if (m->longer != NULL && best.distance != COST_NEVER) best.distance += m->longer[class_index];
    return best;
}

uint32_t least_of_module(compiler *c, uint32_t index, uint32_t class_index) {
    cost whole = module_cost(c, index, class_index, false);
    if (whole.distance == COST_NEVER) return COST_NEVER;
    return whole.distance + (whole.lines - whole.outdent) * c->options.indent;
}

/* What follows a whole container of this cost. */
static void relax_return(compiler *c, entries *into, const cost *inner, uint32_t target) {
    const entries *source = entries_of(c, target);
    for (uint32_t i = 0; i < source->count && inner->distance != COST_NEVER; i++) {
        cost e = source->items[i];
        uint64_t distance = (uint64_t)e.distance + inner->distance + 1;
        distance += (uint64_t)(inner->lines - inner->outdent) * c->options.indent; /* those lines stand one level deeper */
        if (distance >= COST_NEVER) continue;
        e.distance = (uint32_t)distance;
        e.lines += inner->lines;
        if (inner->depth + 1 > e.depth) e.depth = inner->depth + 1;
        relax(c, into, e);
    }
}

/* The cheapest and the shallowest: so what was possible in one round stays so in the next. */
static void relax_call(compiler *c, entries *into, uint32_t call_id) {
    automaton *a = c->automaton;
    const return_symbol *r = &a->returns.items[a->calls.items[call_id].ret];
    for (uint32_t class_index = 0; class_index < r->class_count; class_index++) {
        uint32_t target = a->targets.items[r->targets + class_index];
        if (target == NONE) continue;
        cost cheapest = module_cost(c, a->call_module.items[call_id], class_index, false);
        cost shallowest = module_cost(c, a->call_module.items[call_id], class_index, true);
        relax_return(c, into, &cheapest, target);
        if (shallowest.depth < cheapest.depth) relax_return(c, into, &shallowest, target);
    }
}

/* Tokens that run along a literal: states with a single way on. */
static void relax_literal(compiler *c, entries *into, uint32_t from) {
    const trie *t = &c->vocab->trie;
    automaton *a = c->automaton;
    uint32_t at = from, node = 0;
    for (;;) {
        const state *s = &a->states.items[at];
        if (s->edge_count != 1 || a->edges.items[s->edges].op != EDGE_GO) return;
        edge e = a->edges.items[s->edges];
        if (e.lo != e.hi) return;
        uint32_t next = NONE;
        if (node == 0) {
            next = c->vocab->lexicon->root_child[e.lo];
        } else {
            for (uint32_t k = node + 1; k < t->nodes[node].end; k = t->nodes[k].end) {
                if (t->nodes[k].byte == e.lo) next = k;
                if (t->nodes[k].byte >= e.lo) break;
            }
        }
        if (next == NONE) return;
        node = next;
        at = e.target;
        if (t->nodes[node].token != VOCAB_NONE) relax_through(c, into, at, 1);
        compiler_spend(c, 10);
    }
}

static void relax_edge(compiler *c, const least *l, entries *into, const edge *e) {
    if (e->op == EDGE_INDENT) return;
    if (e->op == EDGE_NEW || e->op == EDGE_REPEATED) {
        relax_through(c, into, e->target, 0);
        return;
    }
    if (e->op != EDGE_INDENT_END && !any_byte(l, e->lo, e->hi)) return;
    switch (e->op) {
    case EDGE_GO:
    case EDGE_OPEN:
    case EDGE_SPACE_FIRST:
    case EDGE_SPACE:
    case EDGE_INDENT_FIRST:
        relax_through(c, into, e->target, 1);
        break;
    case EDGE_INDENT_END: { /* the whole indentation; what has been read of it is taken off by `length` */
        const entries *source = entries_of(c, e->target);
        for (uint32_t i = 0; i < source->count; i++) {
            cost line = source->items[i];
            line.lines++;
            line.outdent += e->argument;
            line.length = NONE;
            relax(c, into, line);
        }
        break;
    }
    case EDGE_PUSH:
        relax_call(c, into, e->target);
        break;
    case EDGE_POP:
        relax(c, into, end_cost(e->target, 1));
        break;
    case EDGE_CLOSE: /* behind an indentation: which class it is depends on the count */
        relax(c, into, end_cost(BOUNDARY_FLAG | l->closing[e->target], 0));
        break;
    case EDGE_NAMED: { /* names that are missing come first and are counted: other names can come in the end */
        const entries *source = entries_of(c, c->automaton->targets.items[e->target]);
        for (uint32_t i = 0; i < source->count; i++) {
            cost way = source->items[i];
            way.ordered = 0;
            relax_later(c, into, way, 1);
        }
        break;
    }
    case EDGE_CLOSE_NAMED: {
        const uint32_t *pair = &c->automaton->targets.items[e->target];
        for (uint32_t way = 0; way < 1u + c->automaton->object_two_ways.items[pair[0]]; way++) {
            cost closing = end_cost(pair[1], 1);
            closing.missing = 1 + 2 * pair[0] + way;
            relax(c, into, closing);
        }
        break;
    }
    case EDGE_CLOSE_LINE: {
        const uint32_t *pair = &c->automaton->targets.items[e->target];
        const entries *line = entries_of(c, pair[1]);
        for (uint32_t way = 0; way < 1u + c->automaton->object_two_ways.items[pair[0]]; way++) {
            for (uint32_t i = 0; i < line->count; i++) {
                cost closing = line->items[i];
                closing.missing = 1 + 2 * pair[0] + way;
                relax_later(c, into, closing, 1);
            }
        }
        break;
    }
    case EDGE_COMMA: { /* before the prefix ends: one case */
        const count_case *only = &c->automaton->counts.items[e->target];
        relax_through(c, into, only->target, 1);
        break;
    }
    default:
        break;
    }
}

/* A way that goes through one more name to an end which is open without it is not worth keeping: the name takes at least
 * its comma more, or is a missing one, which costs the same either way. */
static void drop_detours(const compiler *c, entries *list) {
    uint32_t kept = 0, comma = 1 + (c->options.whitespace >= WEIR_WHITESPACE_SPACED);
    for (uint32_t i = 0; i < list->count; i++) {
        const cost *e = &list->items[i];
        bool detour = false;
        for (uint32_t k = 0; k < list->count && e->names != 0 && !detour; k++) {
            const cost *end = &list->items[k];
            detour = end->names == 0 && end->target == e->target && end->missing == e->missing && end->length == 0 &&
                     end->most == NONE && end->fresh == 0 && end->depth <= e->depth && end->lines <= e->lines + 1 &&
                     end->distance + comma <= e->distance;
        }
        if (!detour) list->items[kept++] = *e;
    }
    list->count = kept;
}

static int by_content(const void *left, const void *right) { return memcmp(left, right, sizeof(cost)); }

static bool state_update(compiler *c, least *l, uint32_t id, const uint32_t *boundary_of) {
    automaton *a = c->automaton;
    const state *s = &a->states.items[id];
    entries *fresh = &l->scratch;
    fresh->count = 0;
    if ((s->flags & STATE_ACCEPTS) != 0) relax(c, fresh, end_cost(0, 0));
    if (boundary_of[id] != NONE) {
        if (a->boundary_costs.items[boundary_of[id]].segments.count != 0) {
            relax(c, fresh, end_cost(BOUNDARY_FLAG | boundary_of[id], 0));
        }
    } else if (s->instance != NONE && a->instances.items[s->instance].object != NONE) {
        name_state(c, fresh, id);
    } else if (s->instance != NONE) {
        scalar_state(c, fresh, id);
    } else {
        for (uint32_t i = 0; i < s->edge_count; i++) {
            edge e = a->edges.items[s->edges + i];
            relax_edge(c, l, fresh, &e);
        }
        relax_literal(c, fresh, id);
    }
    drop_detours(c, fresh);
    compiler_spend(c, 20 + 5 * s->edge_count + 2 * fresh->count * fresh->count);
    if (fresh->count > 1) qsort(fresh->items, fresh->count, sizeof(cost), by_content); /* else an order could circle */
    entries *old = entries_of(c, id);
    if (old->count == fresh->count &&
        (fresh->count == 0 || memcmp(old->items, fresh->items, sizeof(cost) * fresh->count) == 0)) {
        return false;
    }
    if (fresh->count > old->capacity) {
        old->items = NEW_ARRAY(c, cost, fresh->count + 1);
        old->capacity = fresh->count + 1;
    }
    if (fresh->count != 0) memcpy(old->items, fresh->items, sizeof(cost) * fresh->count);
    old->count = fresh->count;
    return true;
}

/* Calls whose container can be closed, and something be done behind it. */
static void find_open_calls(compiler *c) {
    automaton *a = c->automaton;
    a->call_open = NEW_ARRAY(c, uint8_t, a->calls.count + 1);
    for (uint32_t id = 0; id < a->calls.count; id++) {
        const return_symbol *r = &a->returns.items[a->calls.items[id].ret];
        for (uint32_t k = 0; k < r->class_count && !a->call_open[id]; k++) {
            uint32_t target = a->targets.items[r->targets + k];
            bool goes_on = target != NONE && entries_of(c, target)->count != 0;
            a->call_open[id] = goes_on && least_of_module(c, a->call_module.items[id], k) != COST_NEVER;
        }
        compiler_spend(c, 20 + 10 * (uint64_t)r->class_count);
    }
}

void automaton_costs(compiler *c) {
    automaton *a = c->automaton;
    least l;
    memset(&l, 0, sizeof l);
    for (int byte = 0; byte < 256; byte++) {
        l.byte_known[byte] = c->vocab->byte_token[byte] != VOCAB_NONE;
    }
    for (uint32_t i = 0; i < a->scalars.count; i++) scalar_distances(c, &l, a->scalars.items[i]);
    a->state_costs.items = compiler_zero(c, sizeof *a->state_costs.items * (a->states.count + 1));
    a->state_costs.count = a->state_costs.capacity = a->states.count;
    a->boundary_costs.items = NEW_ARRAY(c, boundary_plan, a->boundaries.count + 1);
    a->boundary_costs.count = a->boundary_costs.capacity = a->boundaries.count;
    reserve_weights(c);
    a->name_tables.items = compiler_zero(c, sizeof *a->name_tables.items * (a->instances.count + 1));
    a->name_tables.count = a->name_tables.capacity = a->instances.count;
    l.closing = reserve_closing(c);
    uint32_t *boundary_of = compiler_new(c, sizeof *boundary_of * (a->states.count + 1));
    memset(boundary_of, 0xFF, sizeof *boundary_of * (a->states.count + 1));
    for (uint32_t i = 0; i < a->boundaries.count; i++) {
        const module *m = &a->modules.items[a->boundaries.items[i].module];
        uint32_t after = m->after[a->boundaries.items[i].node];
        boundary_of[after] = i;
        const state *s = &a->states.items[after];
        for (uint32_t k = 0; k < s->edge_count; k++) { /* the white space behind an item is the same place */
            edge e = a->edges.items[s->edges + k];
            if (e.op == EDGE_SPACE_FIRST) boundary_of[e.target] = i;
        }
    }
    for (bool changed = true; changed;) {
        changed = false;
        for (uint32_t id = 0; id < a->states.count; id++) changed |= state_update(c, &l, id, boundary_of);
        for (uint32_t i = a->boundaries.count; i-- > 0;) changed |= boundary_update(c, i);
        for (uint32_t i = 0; i < a->modules.count; i++) changed |= weights_update(c, i);
        for (uint32_t i = 0; i < a->instances.count; i++) changed |= name_tables_update(c, i);
    }
    find_open_calls(c);
}
