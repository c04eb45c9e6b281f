/* goal_array.c - the graph of an array: how far in the longest prefix, and what is left of the formula. */
#include <string.h>

#include "goal_build.h"

#define SUPPLY_MOST 1000u /* more values than that count as many */

typedef struct item_context {
    uint32_t index; /* of the item being read, or the count when closing */
} item_context;

static const uint64_t ITEM_BITS = 1ull << ATOM_ITEM | 1ull << ATOM_ITEMS | 1ull << ATOM_CONTAINS;

static formula read_item(compiler *c, void *context, const formula_node *atom, formula self) {
    uint32_t index = ((const item_context *)context)->index;
    if (atom->atom == ATOM_ITEM && atom->a == index) return value_atom(c, atom->b);
    if (atom->atom == ATOM_ITEMS && atom->a <= index) return formula_sequence(c, (formula[]){value_atom(c, atom->b), self}, 2);
    if (atom->atom == ATOM_CONTAINS) { /* one less to find, or as many */
        formula value = value_atom(c, atom->b), fewer = atom->a == 1 ? FORMULA_TRUE : formula_atom(c, ATOM_CONTAINS, atom->a - 1, atom->b);
        formula found = formula_and2(c, value, fewer), missed = formula_and2(c, formula_not(c, value), self);
        return formula_or(c, (formula[]){found, missed}, 2);
    }
    return self;
}

static formula close_array(compiler *c, void *context, const formula_node *atom, formula self) {
    (void)c;
    uint32_t count = ((const item_context *)context)->index;
    if (atom->atom == ATOM_ITEM || atom->atom == ATOM_ITEMS || atom->atom == ATOM_UNIQUE) return FORMULA_TRUE;
    if (atom->atom == ATOM_CONTAINS) return FORMULA_FALSE;
    if (atom->atom == ATOM_COUNT) return count >= atom->a ? FORMULA_TRUE : FORMULA_FALSE;
    return self;
}

/* There are at least `index` items by now. */
static formula counted(compiler *c, void *context, const formula_node *atom, formula self) {
    (void)c;
    uint32_t count = ((const item_context *)context)->index;
    return atom->atom == ATOM_COUNT && count >= atom->a ? FORMULA_TRUE : self;
}

formula array_close(compiler *c, formula left, uint32_t count) {
    item_context context = {count};
    uint64_t bits = ITEM_BITS | atom_kind_bit(ATOM_COUNT) | atom_kind_bit(ATOM_UNIQUE);
    return formula_replace(c, left, bits, close_array, &context);
}

/* --- unique items --------------------------------------------------------------------------------------------- */

static formula set_unique(compiler *c, void *context, const formula_node *atom, formula self) {
    (void)c;
    return atom->atom == ATOM_UNIQUE ? *(const formula *)context : self;
}

static formula with_unique(compiler *c, formula f, formula truth) {
    return formula_replace(c, f, atom_kind_bit(ATOM_UNIQUE), set_unique, &truth);
}

static formula wanted_of(const compiler *c, formula f) {
    const formula_node *node = formula_get(c, f);
    return node->kind == FORMULA_TUPLE ? node->children[0] : f;
}

static void visit_unique(compiler *c, void *context, const formula_node *atom, formula self) {
    (void)c;
    (void)self;
    if (atom->atom == ATOM_UNIQUE) *(bool *)context = true;
}

/* Whether the truths of a tuple, but for the first, hang on it. */
static bool tells_unique(compiler *c, formula f) {
    const formula_node *node = formula_get(c, f);
    bool tells = false;
    for (uint32_t i = 1; node->kind == FORMULA_TUPLE && i < node->count; i++) {
        formula_visit(c, formula_get(c, f)->children[i], atom_kind_bit(ATOM_UNIQUE), visit_unique, &tells);
    }
    return tells;
}

bool array_waits_for_repeats(compiler *c, formula left, bool *certain) {
    bool waits = false;
    *certain = false;
    if (left != FORMULA_FALSE) formula_visit(c, left, atom_kind_bit(ATOM_UNIQUE), visit_unique, &waits);
    if (!waits) return false;
    formula repeated = with_unique(c, wanted_of(c, left), FORMULA_FALSE);
    if (repeated == FORMULA_FALSE && !tells_unique(c, left)) return true;
    /* A tuple tells truths to the outside, where either may count. */
    *certain = tells_unique(c, left) || formula_and2(c, repeated, formula_not(c, with_unique(c, wanted_of(c, left), FORMULA_TRUE))) != FORMULA_FALSE;
    return true;
}

uint32_t take_way_count(const take *t) { return t->targets.count + t->repeats.count; }

uint32_t take_way(const take *t, uint32_t index) {
    return index < t->targets.count ? t->targets.items[index] : t->repeats.items[index - t->targets.count];
}

static void visit_count(compiler *c, void *context, const formula_node *atom, formula self) {
    (void)self;
    if (atom->atom == ATOM_COUNT) id_list_insert(c, context, atom->a);
}

void array_thresholds(compiler *c, formula left, id_list *counts) {
    formula_visit(c, left, atom_kind_bit(ATOM_COUNT), visit_count, counts);
}

static void visit_prefix(compiler *c, void *context, const formula_node *atom, formula self) {
    (void)self;
    (void)c;
    uint32_t *prefix = context;
    uint32_t needed = atom->atom == ATOM_ITEM ? atom->a + 1 : atom->atom == ATOM_ITEMS ? atom->a : 0;
    if (needed > *prefix) *prefix = needed;
}

static uint32_t array_node(compiler *c, graph *g, uint32_t count, formula left) {
    uint32_t position = count < g->prefix ? count : g->prefix;
    item_context context = {position};
    left = formula_replace(c, left, atom_kind_bit(ATOM_COUNT), counted, &context);
    return graph_node_add(c, g, position, 0, left);
}

static void open_array_node(compiler *c, goal *g, uint32_t index) {
    graph_node node = g->array->nodes.items[index];
    node.opened = true;
    item_context context = {node.position};
    if (node.position < g->array->prefix) node.close = array_close(c, node.left, node.position);
    formula read = formula_replace(c, node.left, ITEM_BITS, read_item, &context);
    if (node.position < g->array->prefix) { /* the count after this item is known */
        item_context next = {node.position + 1};
        read = formula_replace(c, read, atom_kind_bit(ATOM_COUNT), counted, &next);
    }
    if (read != FORMULA_FALSE) {
        id_list components = {NULL, 0, 0};
        schema_item_components(c, &g->components, node.position, &components);
        take t;
        memset(&t, 0, sizeof t);
        t.name = NONE;
        t.child = child_of(c, read, &components);
        PUSH(c, node.takes, t);
    }
    g->array->nodes.items[index] = node;
}

void interval_add(compiler *c, interval_set *set, uint32_t lo, uint32_t hi) {
    interval_set merged = {NULL, 0, 0};
    bool placed = false;
    for (uint32_t i = 0; i < set->count; i++) {
        interval at = set->items[i];
        if (at.hi != NONE && at.hi + 1 < lo) {
            PUSH(c, merged, at);
        } else if (hi != NONE && hi + 1 < at.lo) {
            if (!placed) PUSH(c, merged, ((interval){lo, hi}));
            placed = true;
            PUSH(c, merged, at);
        } else {
            if (at.lo < lo) lo = at.lo;
            if (at.hi == NONE || (hi != NONE && at.hi > hi)) hi = at.hi;
        }
    }
    if (!placed) PUSH(c, merged, ((interval){lo, hi}));
    *set = merged;
}

bool interval_has(const interval_set *set, uint32_t value) {
    for (uint32_t i = 0; i < set->count; i++) {
        if (value >= set->items[i].lo && (set->items[i].hi == NONE || value <= set->items[i].hi)) return true;
    }
    return false;
}

static bool same_set(const interval_set *a, const interval_set *b) {
    return a->count == b->count && (a->count == 0 || memcmp(a->items, b->items, a->count * sizeof *a->items) == 0);
}

/* The classes in which an array can close at nodes past the prefix, given how many items it can have there. */
static void close_counted(compiler *c, goal *g) {
    graph *array = g->array;
    interval_set *reach = NEW_ARRAY(c, interval_set, array->nodes.count);
    for (uint32_t i = 0; i < array->nodes.count; i++) {
        if (array->nodes.items[i].position == array->prefix) {
            if (array->prefix == 0 && i == 0) interval_add(c, &reach[i], 0, 0);
        }
    }
    for (bool changed = true; changed;) {
        changed = false;
        for (uint32_t i = 0; i < array->nodes.count; i++) {
            const graph_node *node = &array->nodes.items[i];
            for (uint32_t k = 0; k < node->takes.count; k++) {
                const take *t = &node->takes.items[k];
                for (uint32_t way = 0; way < take_way_count(t); way++) {
                    uint32_t target = take_way(t, way);
                    if (target == NONE || array->nodes.items[target].position != array->prefix) continue;
                    interval_set before = reach[target];
                    if (node->position < array->prefix) {
                        interval_add(c, &reach[target], array->prefix, array->prefix);
                    }
                    for (uint32_t r = 0; node->position == array->prefix && r < reach[i].count; r++) {
                        interval from = reach[i].items[r];
                        uint32_t hi = target == i || from.hi == NONE ? NONE : from.hi + 1;
                        interval_add(c, &reach[target], from.lo + (target != i), hi);
                    }
                    changed |= !same_set(&before, &reach[target]);
                    compiler_spend(c, 20);
                }
            }
        }
    }
    for (uint32_t i = 0; i < array->nodes.count; i++) {
        if (array->nodes.items[i].position != array->prefix) continue;
        id_list counts = {NULL, 0, 0};
        array_thresholds(c, array->nodes.items[i].left, &counts);
        uint32_t lo = 0;
        for (uint32_t k = 0; k <= counts.count; k++) {
            uint32_t hi = k < counts.count ? counts.items[k] - 1 : NONE;
            for (uint32_t r = 0; r < reach[i].count; r++) {
                interval at = reach[i].items[r];
                uint32_t from = at.lo > lo ? at.lo : lo;
                if ((hi == NONE || from <= hi) && (at.hi == NONE || from <= at.hi)) {
                    goal_add_class(c, g, array_close(c, array->nodes.items[i].left, from));
                    break;
                }
            }
            lo = hi + 1;
        }
    }
}

/* Unique items of which there are only so many: no array is longer. Only where all items have the same components. */
static formula bounded_by_supply(compiler *c, goal *g, formula wanted) {
    if (with_unique(c, wanted_of(c, wanted), FORMULA_FALSE) != FORMULA_FALSE) return wanted;
    item_context first = {1};
    formula read = formula_replace(c, wanted, ITEM_BITS, read_item, &first);
    id_list components = {NULL, 0, 0};
    schema_item_components(c, &g->components, 1, &components);
    child item = child_of(c, read, &components);
    goal_analyse(c, item.goal);
    uint32_t supply = goal_supply(c, item.goal, SUPPLY_MOST);
    if (supply == SUPPLY_MOST) return wanted;
    formula longer = formula_atom(c, ATOM_COUNT, supply + 1, 0);
    longer = formula_not(c, longer);
    formula_node whole = *formula_get(c, wanted);
    if (whole.kind != FORMULA_TUPLE) return formula_and2(c, wanted, longer);
    formula *children = compiler_new(c, sizeof *children * whole.count);
    memcpy(children, whole.children, sizeof *children * whole.count);
    children[0] = formula_and2(c, children[0], longer);
    return formula_tuple(c, children, whole.count);
}

void analyse_array(compiler *c, goal_id id) {
    goal *g = goal_get(c, id);
    formula wanted = goal_formula(c, g, TYPE_ARRAY);
    if (wanted == FORMULA_FALSE) return;
    if (g->array == NULL) {
        g->array = NEW(c, graph);
        g->array->prefix = schema_longest_prefix(c, &g->components); /* the order of keys may differ up to there */
        formula_visit(c, wanted, atom_kind_bit(ATOM_ITEM) | atom_kind_bit(ATOM_ITEMS), visit_prefix, &g->array->prefix);
        bool certain;
        g->array->unique = array_waits_for_repeats(c, wanted, &certain);
        if (certain) {
            compiler_fail(c, WEIR_ERROR_SCHEMA, goal_place(c, id),
                          "the keyword \"uniqueItems\" is not supported where items may have to repeat (under not, oneOf or if)");
        }
        if (g->array->unique && g->array->prefix == 0) {
            g->array->prefix = 1; /* the first item repeats nothing */
            wanted = bounded_by_supply(c, g, wanted);
        }
        array_node(c, g->array, 0, wanted);
    }
    for (uint32_t index = 0; index < g->array->nodes.count; index++) {
        if (!g->array->nodes.items[index].opened) open_array_node(c, g, index);
        if (g->array->nodes.items[index].close != FORMULA_FALSE) goal_add_class(c, g, g->array->nodes.items[index].close);
        for (uint32_t k = 0; k < g->array->nodes.items[index].takes.count; k++) {
            take t = g->array->nodes.items[index].takes.items[k];
            uint32_t next = g->array->nodes.items[index].position + 1;
            goal_analyse(c, t.child.goal);
            goal *value = goal_get(c, t.child.goal);
            goal_depend(c, value, id);
            while (t.targets.count < value->classes.count) {
                formula left = child_result(c, &t.child, value->classes.items[t.targets.count]);
                uint32_t target = array_node(c, g->array, next, left);
                PUSH(c, t.targets, target);
                if (next == 1 || !g->array->unique) continue;
                uint32_t repeated = array_node(c, g->array, next, with_unique(c, left, FORMULA_FALSE));
                PUSH(c, t.repeats, repeated);
            }
            g->array->nodes.items[index].takes.items[k] = t;
        }
        compiler_spend(c, 50);
    }
    close_counted(c, g);
}
