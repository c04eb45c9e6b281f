/* automaton_array.c - the states of an array between its brackets.
 *
 * Up to the longest prefix the number of items is part of the state. Past it a counter in the frame knows it, and only
 * where a bound can matter: a node stores the counts from which it can still finish, and brackets and commas ask. */
#include <string.h>

#include "automaton.h"

static bool past_prefix(const graph *array, uint32_t node) { return array->nodes.items[node].position == array->prefix; }

/* Whether a node can finish when it is reached with so many items. */
static bool can_finish(const module *m, const graph *array, uint32_t node, uint32_t count) {
    if (node == NONE) return false;
    return past_prefix(array, node) ? interval_has(&m->counts[node], count) : m->productive[node] != 0;
}

static uint32_t class_at(compiler *c, const module *m, uint32_t node, uint32_t count) {
    const goal *g = goal_get(c, m->goal);
    formula close = past_prefix(g->array, node) ? array_close(c, g->array->nodes.items[node].left, count)
                                                : g->array->nodes.items[node].close;
    uint32_t class_index = close == FORMULA_FALSE ? NONE : goal_class(g, close);
    return module_usable(m, class_index) ? class_index : NONE;
}

static void add_closing_counts(compiler *c, module *m, const graph *array, uint32_t node) {
    id_list counts = {NULL, 0, 0};
    array_thresholds(c, array->nodes.items[node].left, &counts);
    m->counted |= counts.count != 0;
    uint32_t lo = array->prefix;
    for (uint32_t k = 0; k <= counts.count; k++) {
        uint32_t hi = k < counts.count ? counts.items[k] - 1 : NONE;
        if (hi != NONE && hi < lo) continue;
        if (class_at(c, m, node, lo) != NONE) interval_add(c, &m->counts[node], lo, hi);
        lo = hi + 1;
    }
}

/* Adds the counts from which one more item leads to a node that can finish. */
static void add_item_counts(compiler *c, module *m, const graph *array, uint32_t node) {
    const graph_node *at = &array->nodes.items[node];
    for (uint32_t k = 0; k < at->takes.count; k++) {
        const take *t = &at->takes.items[k];
        for (uint32_t i = 0; i < take_way_count(t); i++) {
            uint32_t target = take_way(t, i);
            if (target == NONE || target == node) continue;
            for (uint32_t r = 0; r < m->counts[target].count; r++) {
                interval from = m->counts[target].items[r];
                if (from.hi == 0 || (from.hi != NONE && from.hi - 1 < array->prefix)) continue;
                uint32_t lo = from.lo > array->prefix ? from.lo - 1 : array->prefix;
                interval_add(c, &m->counts[node], lo, from.hi == NONE ? NONE : from.hi - 1);
            }
        }
        for (uint32_t i = 0; i < take_way_count(t); i++) { /* more of the same reach every higher count */
            interval_set *own = &m->counts[node];
            if (take_way(t, i) == node && own->count != 0) {
                interval_add(c, own, array->prefix, own->items[own->count - 1].hi);
            }
        }
    }
}

void plan_array(compiler *c, module *m) {
    const graph *array = goal_get(c, m->goal)->array;
    m->counts = NEW_ARRAY(c, interval_set, array->nodes.count);
    for (uint32_t i = 0; i < array->nodes.count; i++) {
        if (past_prefix(array, i)) add_closing_counts(c, m, array, i);
    }
    for (bool changed = true; changed;) {
        changed = false;
        for (uint32_t i = array->nodes.count; i-- > 0;) {
            if (!past_prefix(array, i)) continue;
            interval_set before = m->counts[i];
            add_item_counts(c, m, array, i);
            const interval_set *now = &m->counts[i];
            changed |= before.count != now->count ||
                       (now->count != 0 && memcmp(before.items, now->items, now->count * sizeof *now->items) != 0);
            m->productive[i] = now->count != 0;
            compiler_spend(c, 50);
        }
    }
    for (uint32_t i = array->nodes.count; i-- > 0;) { /* before the prefix ends, targets follow their node */
        const graph_node *node = &array->nodes.items[i];
        if (past_prefix(array, i)) continue;
        m->productive[i] = class_at(c, m, i, node->position) != NONE;
        for (uint32_t k = 0; k < node->takes.count; k++) {
            for (uint32_t t = 0; t < take_way_count(&node->takes.items[k]); t++) {
                m->productive[i] |= can_finish(m, array, take_way(&node->takes.items[k], t), node->position + 1);
            }
        }
    }
    if (array->prefix == 0) m->productive[0] = interval_has(&m->counts[0], 0);
}

static uint32_t after_item(compiler *c, uint32_t index, uint32_t node) {
    automaton *a = c->automaton;
    if (a->modules.items[index].after[node] != NONE) return a->modules.items[index].after[node];
    uint32_t id = state_reserve(c);
    a->modules.items[index].after[node] = id;
    if (a->modules.items[index].counted && past_prefix(goal_get(c, a->modules.items[index].goal)->array, node)) {
        a->modules.items[index].boundary[node] = a->boundaries.count;
        PUSH(c, a->boundaries, ((__typeof__(*a->boundaries.items)){index, node}));
    }
    return id;
}

/* Where to go on behind an item of one class; NONE: it is of no use. */
static uint32_t behind_item(compiler *c, uint32_t index, uint32_t node, const take *t, uint32_t class_index, uint32_t count,
                            uint32_t *plain) {
    automaton *a = c->automaton;
    const graph *array = goal_get(c, a->modules.items[index].goal)->array;
    uint32_t target = class_index < t->targets.count ? t->targets.items[class_index] : NONE, repeated = NONE;
    if (class_index < t->repeats.count) repeated = t->repeats.items[class_index];
    if (!can_finish(&a->modules.items[index], array, target, count + 1)) target = NONE;
    if (!can_finish(&a->modules.items[index], array, repeated, count + 1)) repeated = NONE;
    uint32_t unlike = target == NONE ? NONE : after_item(c, index, target), like = repeated == NONE ? NONE : after_item(c, index, repeated);
    *plain = unlike;
    bool certain;
    if (!array->unique || !array_waits_for_repeats(c, array->nodes.items[node].left, &certain)) return unlike;
    return unlike == NONE && like == NONE ? NONE : judging_state(c, unlike, like, certain);
}

/* Whether bits can tell the items of a unique array apart: all have the same goal, and none may repeat. */
static bool items_are_alike(const graph *array) {
    if (!array->unique || array->prefix != 1) return false;
    for (uint32_t i = 0; i < array->nodes.count; i++) {
        const graph_node *node = &array->nodes.items[i];
        for (uint32_t k = 0; k < node->takes.count; k++) {
            if (node->takes.items[k].child.goal != array->nodes.items[0].takes.items[0].child.goal) return false;
            for (uint32_t n = 0; n < node->takes.items[k].repeats.count; n++) {
                if (node->takes.items[k].repeats.items[n] != NONE) return false;
            }
        }
    }
    return true;
}

/* The value of the item that follows `count` items; NONE: no useful one exists. */
static uint32_t item_state(compiler *c, uint32_t index, uint32_t node, uint32_t count, bool spaces) {
    automaton *a = c->automaton;
    const graph *array = goal_get(c, a->modules.items[index].goal)->array;
    if (array->nodes.items[node].takes.count == 0) return NONE;
    const take *t = &array->nodes.items[node].takes.items[0];
    const goal *value = goal_get(c, t->child.goal);
    uint32_t *conts = compiler_new(c, sizeof *conts * (value->classes.count + 1));
    uint32_t *plain = compiler_new(c, sizeof *plain * (value->classes.count + 1));
    bool any = false;
    for (uint32_t i = 0; i < value->classes.count; i++) {
        conts[i] = behind_item(c, index, node, t, i, count, &plain[i]);
        any |= conts[i] != NONE;
    }
    if (!any) return NONE;
    a->item_conts = items_are_alike(array) ? plain : NULL;
    uint32_t made = value_state(c, t->child.goal, conts, spaces);
    a->item_conts = NULL;
    return made;
}

static uint32_t copy_edges(const compiler *c, uint32_t from, edge *edges) {
    const state *s = &c->automaton->states.items[from];
    memcpy(edges, c->automaton->edges.items + s->edges, sizeof *edges * s->edge_count);
    return s->edge_count;
}

static uint32_t item_after_comma(compiler *c, uint32_t index, uint32_t node, uint32_t count) {
    if (c->options.whitespace == WEIR_WHITESPACE_ANY) return item_state(c, index, node, count, true);
    uint32_t value = item_state(c, index, node, count, false);
    if (value == NONE) return NONE;
    edge edges[64];
    return before_member(c, edges, copy_edges(c, value, edges));
}

/* The counts at which closing or the useful classes of the next item change at a node, ascending. */
static void breakpoints(compiler *c, uint32_t index, uint32_t node, id_list *points) {
    const module *m = &c->automaton->modules.items[index];
    const graph *array = goal_get(c, m->goal)->array;
    array_thresholds(c, array->nodes.items[node].left, points);
    for (uint32_t i = 0; i < array->nodes.count; i++) {
        if (!past_prefix(array, i)) continue;
        for (uint32_t r = 0; r < m->counts[i].count; r++) {
            interval at = m->counts[i].items[r];
            if (at.lo > 0) id_list_insert(c, points, at.lo - 1);
            if (at.hi != NONE) id_list_insert(c, points, at.hi);
        }
    }
}

typedef VECTOR(count_case) case_list;

static void add_case(compiler *c, case_list *cases, uint32_t upto, uint32_t target) {
    if (cases->count != 0 && cases->items[cases->count - 1].target == target) {
        cases->items[cases->count - 1].upto = upto;
    } else {
        PUSH(c, *cases, ((count_case){upto, target}));
    }
}

static uint32_t case_table(compiler *c, const case_list *cases) {
    automaton *a = c->automaton;
    bool is_new;
    uint32_t id = intern(c, &a->count_table, cases->items, sizeof *cases->items * cases->count, &is_new);
    if (is_new) {
        PUSH(c, a->count_offsets, a->counts.count);
        for (uint32_t i = 0; i < cases->count; i++) PUSH(c, a->counts, cases->items[i]);
    }
    return a->count_offsets.items[id];
}

static bool only_none(const case_list *cases) { return cases->count == 1 && cases->items[0].target == NONE; }

static void emit_counted(compiler *c, uint32_t index, uint32_t node) {
    const graph *array = goal_get(c, c->automaton->modules.items[index].goal)->array;
    id_list points = {NULL, 0, 0};
    breakpoints(c, index, node, &points);
    case_list closes = {NULL, 0, 0}, commas = {NULL, 0, 0};
    uint32_t lo = array->prefix > 0 ? array->prefix : 1;
    for (uint32_t i = 0; i <= points.count; i++) {
        uint32_t hi = i < points.count ? points.items[i] - 1 : NONE;
        if (i < points.count && (points.items[i] == 0 || hi < lo)) continue;
        add_case(c, &closes, hi, class_at(c, &c->automaton->modules.items[index], node, lo));
        add_case(c, &commas, hi, item_after_comma(c, index, node, lo));
        lo = hi + 1;
    }
    edge close = {']', ']', EDGE_CLOSE, 0, 0}, comma = {',', ',', EDGE_COMMA, 0, 0};
    bool closes_here = !only_none(&closes), goes_on = !only_none(&commas);
    if (closes.count == 1 && closes_here) {
        close.op = EDGE_POP;
        close.target = closes.items[0].target;
    } else if (closes_here) {
        close.target = case_table(c, &closes);
    }
    if (goes_on) comma.target = case_table(c, &commas);
    after_member(c, c->automaton->modules.items[index].after[node], closes_here ? &close : NULL, goes_on ? &comma : NULL);
}

static void emit_plain(compiler *c, uint32_t index, uint32_t node) {
    const graph *array = goal_get(c, c->automaton->modules.items[index].goal)->array;
    uint32_t count = array->nodes.items[node].position;
    if (past_prefix(array, node) && count == 0) count = 1;
    uint32_t class_index = class_at(c, &c->automaton->modules.items[index], node, count);
    uint32_t item = item_after_comma(c, index, node, count);
    edge close = {']', ']', EDGE_POP, 0, class_index}, comma = {',', ',', EDGE_GO, 0, item};
    if (c->automaton->modules.items[index].counted && item != NONE) { /* every comma counts */
        case_list one = {NULL, 0, 0};
        PUSH(c, one, ((count_case){NONE, item}));
        comma.op = EDGE_COMMA;
        comma.target = case_table(c, &one);
    }
    after_member(c, c->automaton->modules.items[index].after[node], class_index != NONE ? &close : NULL,
                 item != NONE ? &comma : NULL);
}

void emit_array(compiler *c, uint32_t index) {
    automaton *a = c->automaton;
    const graph *array = goal_get(c, a->modules.items[index].goal)->array;
    uint32_t class_index = class_at(c, &a->modules.items[index], 0, 0);
    edge close = {']', ']', EDGE_POP, 0, class_index}, edges[64];
    uint32_t value = item_state(c, index, 0, 0, false), count = 0;
    if (value != NONE) count = copy_edges(c, value, edges);
    start_member(c, a->modules.items[index].start, class_index != NONE ? &close : NULL, edges, count);
    uint8_t *done = NEW_ARRAY(c, uint8_t, array->nodes.count);
    for (bool more = true; more;) {
        more = false;
        for (uint32_t node = 0; node < array->nodes.count; node++) {
            if (a->modules.items[index].after[node] == NONE || done[node]) continue;
            done[node] = 1;
            more = true;
            if (a->modules.items[index].counted && past_prefix(array, node)) {
                emit_counted(c, index, node);
            } else {
                emit_plain(c, index, node);
            }
        }
    }
}
