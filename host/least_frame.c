/* least_frame.c - what the count of a frame adds to the cost of finishing: items that an array still needs. */
#include <string.h>

#include "least_build.h"
#include "machine.h"

uint32_t segment_value(const segment *s, uint32_t items) {
    uint64_t value = (uint64_t)s->at_hi + (s->slope != 0 ? (uint64_t)s->slope * (s->hi - items) : 0);
    return value < COST_NEVER ? (uint32_t)value : COST_NEVER;
}

/* The cheapest segment of a class at a count, or NULL. */
const segment *boundary_cheapest(const boundary_plan *b, uint32_t class_index, uint32_t items) {
    const segment *best = NULL;
    for (uint32_t i = 0; i < b->segments.count; i++) {
        const segment *s = &b->segments.items[i];
        if (s->target != class_index || items < s->lo || items > s->hi) continue;
        if (best == NULL || segment_value(s, items) < segment_value(best, items)) best = s;
    }
    return best;
}

static void add_segment(compiler *c, boundary_plan *b, segment s) {
    if (s.lo > s.hi || s.at_hi == COST_NEVER) return;
    PUSH(c, b->segments, s);
}

/* Segments of [lo, hi] that begin with one more item, whose value starts at `value`. */
static void item_segments(compiler *c, boundary_plan *b, uint32_t index, uint32_t value, uint32_t lo, uint32_t hi,
                          uint32_t classes) {
    automaton *a = c->automaton;
    const entries *item = entries_of(c, value);
    for (uint32_t i = 0; i < item->count; i++) {
        cost e = item->items[i];
        if ((e.target & BOUNDARY_FLAG) == 0) continue;
        uint32_t next = e.target & ~BOUNDARY_FLAG, step = e.distance + 1;
        for (uint32_t class_index = 0; class_index < classes; class_index++) {
            if (next == index) {
                const segment *above = hi == NONE ? NULL : boundary_cheapest(b, class_index, hi + 1);
                if (above == NULL) continue;
                uint32_t at_hi = segment_value(above, hi + 1);
                at_hi = at_hi > COST_NEVER - 1 - step ? COST_NEVER : at_hi + step;
                uint32_t depth = e.depth > above->depth ? e.depth : above->depth, more = above->hi - (hi + 1);
                uint32_t lines = above->lines_at_hi + e.lines + (above->lines_slope != 0 ? above->lines_slope * more : 0);
                add_segment(c, b, (segment){class_index, lo, hi, at_hi, step, lines, e.lines, depth});
                continue;
            }
            boundary_plan other = a->boundary_costs.items[next]; /* a copy: PUSH may move the list */
            for (uint32_t k = 0; k < other.segments.count; k++) {
                segment s = other.segments.items[k];
                if (s.target != class_index || s.hi == 0) continue;
                s.lo = s.lo > 0 ? s.lo - 1 : 0;
                if (s.hi != NONE) s.hi--;
                if (s.lo < lo) s.lo = lo;
                if (s.hi > hi) {
                    if (s.slope != 0) {
                        s.at_hi = segment_value(&s, hi);
                        s.lines_at_hi += s.lines_slope * (s.hi - hi);
                    }
                    s.hi = hi;
                }
                s.at_hi = s.at_hi > COST_NEVER - 1 - step ? COST_NEVER : s.at_hi + step;
                s.lines_at_hi += e.lines;
                s.depth = e.depth > s.depth ? e.depth : s.depth;
                add_segment(c, b, s);
            }
        }
    }
}

static uint32_t case_at(const automaton *a, const edge *e, uint32_t count, uint32_t *upto) {
    if (e == NULL) return NONE;
    if (e->op != EDGE_COMMA && e->op != EDGE_CLOSE) return e->target;
    const count_case *at = count_case_at(&a->counts.items[e->target], count);
    if (at->upto < *upto) *upto = at->upto;
    return at->target;
}

static const edge *edge_for(const automaton *a, uint32_t state_id, uint8_t op1, uint8_t op2) {
    const state *s = &a->states.items[state_id];
    for (uint32_t i = 0; i < s->edge_count; i++) {
        const edge *e = &a->edges.items[s->edges + i];
        if (e->op == op1 || e->op == op2) return e;
        if (e->op == EDGE_INDENT_FIRST) { /* pretty: the bracket stands behind the indentation */
            const state *line = &a->states.items[e->target];
            for (uint32_t k = 0; k < line->edge_count; k++) {
                const edge *end = &a->edges.items[line->edges + k];
                if (end->op != EDGE_INDENT_END) continue;
                const edge *found = &a->edges.items[a->states.items[end->target].edges];
                if (found->op == op1 || found->op == op2) return found;
            }
        }
    }
    return NULL;
}

bool boundary_update(compiler *c, uint32_t index) {
    automaton *a = c->automaton;
    const module *m = &a->modules.items[a->boundaries.items[index].module];
    uint32_t at = m->after[a->boundaries.items[index].node];
    uint32_t classes = goal_get(c, m->goal)->classes.count;
    const edge *close = edge_for(a, at, EDGE_CLOSE, EDGE_POP), *comma = edge_for(a, at, EDGE_COMMA, EDGE_COMMA);
    bool pretty = c->options.whitespace == WEIR_WHITESPACE_PRETTY;
    segment closing = {0, 0, 0, 1 + pretty, 0, pretty, 0, 0};
    interval_set cuts = {NULL, 0, 0};
    for (uint32_t lo = 0;;) {
        uint32_t hi = NONE;
        case_at(a, close, lo, &hi);
        case_at(a, comma, lo, &hi);
        PUSH(c, cuts, ((interval){lo, hi}));
        if (hi == NONE) break;
        lo = hi + 1;
    }
    boundary_plan fresh = {{NULL, 0, 0}};
    for (uint32_t i = cuts.count; i-- > 0;) {
        uint32_t lo = cuts.items[i].lo, hi = cuts.items[i].hi, ignored = NONE;
        uint32_t class_index = case_at(a, close, lo, &ignored), value = case_at(a, comma, lo, &ignored);
        closing.target = class_index;
        closing.lo = lo;
        closing.hi = hi;
        if (class_index != NONE) add_segment(c, &fresh, closing);
        if (value != NONE) item_segments(c, &fresh, index, value, lo, hi, classes);
    }
    boundary_plan *old = &a->boundary_costs.items[index];
    bool same = old->segments.count == fresh.segments.count &&
                (fresh.segments.count == 0 ||
                 memcmp(old->segments.items, fresh.segments.items, sizeof(segment) * fresh.segments.count) == 0);
    *old = fresh;
    compiler_spend(c, 100 * (uint64_t)(fresh.segments.count + 1));
    return !same;
}

/* A boundary of its own for every table of EDGE_CLOSE: the bracket and nothing else. */
uint32_t *reserve_closing(compiler *c) {
    automaton *a = c->automaton;
    uint32_t *closing = compiler_new(c, sizeof *closing * (a->counts.count + 1));
    memset(closing, 0xFF, sizeof *closing * (a->counts.count + 1));
    for (uint32_t i = 0; i < a->edges.count; i++) {
        edge e = a->edges.items[i];
        if (e.op != EDGE_CLOSE || closing[e.target] != NONE) continue;
        boundary_plan plan = {{NULL, 0, 0}};
        uint32_t lo = 0;
        for (const count_case *at = &a->counts.items[e.target];; at++) {
            if (at->target != NONE) PUSH(c, plan.segments, ((segment){at->target, lo, at->upto, 1, 0, 0, 0, 0}));
            if (at->upto == NONE) break;
            lo = at->upto + 1;
        }
        closing[e.target] = a->boundary_costs.count;
        PUSH(c, a->boundary_costs, plan);
    }
    return closing;
}
