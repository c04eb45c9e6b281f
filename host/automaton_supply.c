/* automaton_supply.c - where values that must differ never run out, and whether they suffice at all: items of unique arrays,
 * and names that patterns describe. */
#include <string.h>

#include "automaton.h"
#include "machine.h"

#define AMPLE 2048u /* more than anyone keeps */

/* An edge behind which a number is another number, not the same one written longer. */
static bool adds_to_number(const edge *e) { return e->hi >= '1' && e->lo <= '9'; }

static bool stays(const scalar_module *s, const edge *e) {
    if (e->op != EDGE_LOCAL && e->op != EDGE_CHAR && e->op != EDGE_CHAR_FREE) return false;
    return s->kind == SCALAR_STRING || (e->lo != 'e' && e->lo != 'E');
}

/* Marks what reaches `to`; true when that includes `from`. */
static bool reaches(compiler *c, const scalar_module *s, uint32_t to, uint32_t from, uint8_t *marks) {
    const automaton *a = c->automaton;
    marks[to] = 1;
    for (bool changed = true; changed;) {
        changed = false;
        for (uint32_t i = 0; i < s->locals.count; i++) {
            const local_state *l = &s->locals.items[i];
            for (uint32_t k = 0; k < l->edge_count && !marks[i]; k++) {
                const edge *e = &a->edges.items[l->edges + k];
                if (!stays(s, e) || marks[e->target] == 0) continue;
                marks[i] = 1;
                changed = true;
            }
        }
        compiler_spend(c, 10 * (uint64_t)s->locals.count);
    }
    return marks[from] != 0;
}

static void find_frozen(compiler *c, scalar_module *s) {
    const automaton *a = c->automaton;
    s->frozen = NEW_ARRAY(c, uint8_t, s->locals.count + 1);
    if (s->kind != SCALAR_NUMBER) return;
    memset(s->frozen, 1, s->locals.count);
    for (bool changed = true; changed;) {
        changed = false;
        for (uint32_t i = 0; i < s->locals.count; i++) {
            const local_state *l = &s->locals.items[i];
            for (uint32_t k = 0; k < l->edge_count && s->frozen[i]; k++) {
                const edge *e = &a->edges.items[l->edges + k];
                if (e->op != EDGE_LOCAL || (!adds_to_number(e) && s->frozen[e->target])) continue;
                s->frozen[i] = 0;
                changed = true;
            }
        }
        compiler_spend(c, 10 * (uint64_t)s->locals.count);
    }
}

/* Strings from a local on, where no circle makes them many. */
static uint32_t count_strings(compiler *c, const scalar_module *s, uint32_t at, uint32_t *counts) {
    const local_state *l = &s->locals.items[at];
    uint64_t total = 0;
    if (counts[at] != NONE) return counts[at];
    compiler_enter(c, NULL);
    for (uint32_t k = 0; k < l->edge_count; k++) {
        edge e = c->automaton->edges.items[l->edges + k];
        if (e.op == EDGE_EXIT && e.target >= s->told_apart) total++;
        if (stays(s, &e)) total += (uint64_t)(e.hi - e.lo + 1) * count_strings(c, s, e.target, counts);
        if (total > AMPLE) total = AMPLE + 1;
    }
    compiler_leave(c);
    return counts[at] = (uint32_t)total;
}

/* Locals of a string from which a circle can be reached: from all others every way ends. */
static void find_circles(compiler *c, scalar_module *s) {
    const automaton *a = c->automaton;
    memset(s->ample, 1, s->locals.count);
    for (bool changed = true; changed;) {
        changed = false;
        for (uint32_t i = 0; i < s->locals.count; i++) {
            const local_state *l = &s->locals.items[i];
            bool goes_on = false;
            for (uint32_t k = 0; k < l->edge_count && s->ample[i]; k++) {
                const edge *e = &a->edges.items[l->edges + k];
                goes_on |= stays(s, e) && s->ample[e->target];
            }
            changed |= s->ample[i] && !goes_on;
            s->ample[i] = goes_on;
        }
        compiler_spend(c, 10 * (uint64_t)s->locals.count);
    }
}

static void find_many(compiler *c, scalar_module *s) {
    uint32_t *counts = compiler_new(c, sizeof *counts * (s->locals.count + 1));
    find_circles(c, s);
    for (uint32_t i = 0; i < s->locals.count; i++) counts[i] = s->ample[i] ? AMPLE + 1 : NONE;
    for (uint32_t i = 0; i < s->locals.count; i++) s->ample[i] = count_strings(c, s, i, counts) > AMPLE;
    compiler_spend(c, 50 * (uint64_t)s->locals.count);
}

void scalar_supply(compiler *c, scalar_module *s) {
    const automaton *a = c->automaton;
    if (s->ample != NULL) return;
    s->ample = NEW_ARRAY(c, uint8_t, s->locals.count + 1);
    find_frozen(c, s);
    if (s->kind == SCALAR_STRING) {
        find_many(c, s);
        return;
    }
    for (uint32_t i = 0; i < s->locals.count; i++) {
        const local_state *l = &s->locals.items[i];
        for (uint32_t k = 0; k < l->edge_count && !s->ample[i]; k++) {
            const edge *e = &a->edges.items[l->edges + k];
            if (!stays(s, e) || !adds_to_number(e)) continue;
            uint8_t *marks = NEW_ARRAY(c, uint8_t, s->locals.count + 1);
            if (!reaches(c, s, i, e->target, marks)) continue;
            for (uint32_t n = 0; n < s->locals.count; n++) s->ample[n] |= marks[n];
        }
    }
}

static const json *place_of(const compiler *c, goal_id id) {
    const goal *g = goal_get(c, id);
    for (uint32_t i = 0; i < g->components.count; i++) {
        const schema *s = schema_get(c, g->components.items[i]);
        if (s->unique_items) return s->node;
    }
    return goal_place(c, id);
}

#define MOST_EXTRA 512u

/* The tokens with which a search under a budget, which is a shorter one, finds an end too; at least `found`. */
static uint32_t found_in_budget(compiler *c, const machine *m, const walk *w, uint32_t cost, uint32_t found, uint32_t wanted) {
    for (uint32_t extra = 0; extra <= MOST_EXTRA; extra = extra == 0 ? 4 : 2 * extra) {
        compiler_spend(c, 50000);
        if (search_end(m, w, cost, found + extra, SEARCH_SPARE, wanted) != COST_NEVER) return found + extra;
    }
    return found;
}

static bool verify_call(compiler *c, const machine *m, uint32_t call_id, uint32_t *sequence, uint32_t *frames) {
    automaton *a = c->automaton;
    bool longer = false;
    module *of = &a->modules.items[a->call_module.items[call_id]];
    const goal *g = goal_get(c, of->goal);
    for (uint32_t class_index = 0; class_index < g->classes.count; class_index++) {
        if (!module_usable(of, class_index)) continue;
        walk w;
        walk_begin(&w, sequence, frames);
        if (!walk_push(m, &w, &m->calls[call_id])) continue;
        compiler_spend(c, 200000);
        for (uint32_t i = 0; i < g->classes.count; i++) {
            if (i != class_index) frames[m->t->frame_words + frame_rest_at(m, i)] = COST_NEVER;
        }
        if (walk_cost(m, &w) == COST_NEVER) continue;
        uint32_t found = search_end(m, &w, walk_cost(m, &w), TABLES_NONE, TABLES_NONE, class_index);
        if (found != COST_NEVER) {
            found = found_in_budget(c, m, &w, walk_cost(m, &w), found, class_index);
            found -= frame_rest(m, frames + m->t->frame_words, class_index);
        }
        uint32_t known = least_of_module(c, a->call_module.items[call_id], class_index);
        if (found != COST_NEVER) {
            if (found <= known) continue;
            if (of->longer == NULL) of->longer = NEW_ARRAY(c, uint32_t, g->classes.count);
            of->longer[class_index] = found - known;
            longer = true;
            continue;
        }
        compiler_fail(c, WEIR_ERROR_LIMIT, place_of(c, of->goal), of->type == TYPE_ARRAY
                          ? "uniqueItems: no array was found that has enough different items"
                          : "no object was found that has enough different names");
    }
    return longer;
}

bool automaton_verify(compiler *c, const tables *t) {
    const automaton *a = c->automaton;
    bool longer = false;
    if (t->kept_slots == 0 || t->start == STATE_DEAD) return false;
    machine m = machine_open(t);
    uint32_t *sequence = NEW_ARRAY(c, uint32_t, machine_sequence_words(t));
    uint32_t *frames = NEW_ARRAY(c, uint32_t, machine_walk_words(t));
    uint8_t *done = NEW_ARRAY(c, uint8_t, a->modules.count + 1);
    machine_start(&m, sequence, TABLES_NONE);
    for (uint32_t i = 0; i < a->calls.count; i++) {
        const module *of = &a->modules.items[a->call_module.items[i]];
        bool unique = of->type == TYPE_ARRAY && goal_get(c, of->goal)->array->unique;
        if (done[a->call_module.items[i]] || (!unique && !of->keeps_kinds)) continue;
        done[a->call_module.items[i]] = 1;
        longer |= verify_call(c, &m, i, sequence, frames);
    }
    return longer;
}
