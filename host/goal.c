/* goal.c - from the root schema to all goals, their containers' graphs and their achievable classes. */
#include "goal.h"

#include <string.h>

static void analyse(compiler *c, goal_id id);

goal *goal_get(const compiler *c, goal_id id) { return c->goals->items.items[id]; }

uint32_t goal_class(const goal *g, formula class) {
    for (uint32_t i = 0; i < g->classes.count; i++) {
        if (g->classes.items[i] == class) return i;
    }
    return NONE;
}

static goal_id goal_add(compiler *c, formula wanted, const id_list *components) {
    uint32_t *key = compiler_new(c, sizeof *key * (components->count + 1));
    key[0] = wanted;
    if (components->count != 0) memcpy(key + 1, components->items, components->count * sizeof *key);
    bool is_new;
    goal_id id = intern(c, &c->goals->table, key, sizeof *key * (components->count + 1), &is_new);
    if (is_new) {
        goal *g = NEW(c, goal);
        g->wanted = wanted;
        g->components = *components;
        for (int type = 0; type < TYPE_COUNT; type++) g->of_type[type] = NONE;
        PUSH(c, c->goals->items, g);
    }
    return id;
}

/* --- from a container's formula to a child's goal and back ---------------------------------------------------- */

static bool is_literal(const compiler *c, formula f) {
    const formula_node *node = formula_get(c, f);
    if (node->kind == FORMULA_NOT) node = formula_get(c, node->children[0]);
    return node->kind == FORMULA_ATOM && node->atom == ATOM_VALUE;
}

/* "The value satisfies s", "it does not", or "one of these holds": parts that the goal itself can demand. Only so simple
 * ones, so that goals cannot grow from level to level of a recursive schema. */
static bool is_demand(const compiler *c, formula f) {
    if (is_literal(c, f)) return true;
    const formula_node *node = formula_get(c, f);
    if (node->kind != FORMULA_NOT) return false;
    const formula_node *inner = formula_get(c, node->children[0]);
    if (inner->kind != FORMULA_AND) return false;
    for (uint32_t i = 0; i < inner->count; i++) {
        if (!is_literal(c, inner->children[i])) return false;
    }
    return true;
}

typedef struct answers {
    const uint32_t *schemas;
    const formula *truth; /* NULL: false for all */
    uint32_t count;
} answers;

static formula put_answer(compiler *c, void *context, const formula_node *atom, formula self) {
    (void)c;
    const answers *a = context;
    if (atom->atom != ATOM_VALUE) return self;
    for (uint32_t i = 0; i < a->count; i++) {
        if (a->schemas[i] == atom->a) return a->truth != NULL ? a->truth[i] : FORMULA_FALSE;
    }
    return self;
}

static formula answer(compiler *c, formula f, const uint32_t *schemas, const formula *truth, uint32_t count) {
    answers a = {schemas, truth, count};
    return formula_replace(c, f, atom_kind_bit(ATOM_VALUE), put_answer, &a);
}

static void visit_value(compiler *c, void *context, const formula_node *atom, formula self) {
    (void)self;
    id_list *schemas = context;
    if (atom->atom == ATOM_VALUE) PUSH(c, *schemas, atom->a);
}

/* Splits f (or the first of a tuple) into demands on the value and the rest. */
static formula split_demands(compiler *c, formula f, formula *demands) {
    formula_node node = *formula_get(c, f);
    formula first = node.kind == FORMULA_TUPLE ? node.children[0] : f;
    formula_node top = *formula_get(c, first);
    const formula *parts = top.kind == FORMULA_AND ? top.children : &first;
    uint32_t part_count = top.kind == FORMULA_AND ? top.count : 1, demand_count = 0, rest_count = 0;
    formula *demand = compiler_new(c, sizeof *demand * (part_count + 1));
    formula *rest = compiler_new(c, sizeof *rest * (part_count + 1));
    for (uint32_t i = 0; i < part_count; i++) {
        if (is_demand(c, parts[i])) {
            demand[demand_count++] = parts[i];
        } else {
            rest[rest_count++] = parts[i];
        }
    }
    *demands = formula_and(c, demand, demand_count);
    formula left = formula_and(c, rest, rest_count);
    if (node.kind != FORMULA_TUPLE) return left;
    formula *children = compiler_new(c, sizeof *children * node.count);
    memcpy(children, node.children, sizeof *children * node.count);
    children[0] = left;
    return formula_tuple(c, children, node.count);
}

static child child_of(compiler *c, formula f, const id_list *components) {
    formula demands, yes = FORMULA_TRUE;
    child out = {0, split_demands(c, f, &demands), NULL, 0};
    id_list asked = {NULL, 0, 0};
    formula_visit(c, out.rest, atom_kind_bit(ATOM_VALUE), visit_value, &asked);
    if (asked.count == 1) { /* one answer may be useless: then the goal demands the other */
        formula atom = formula_atom(c, ATOM_VALUE, asked.items[0], 0);
        formula if_true = answer(c, out.rest, asked.items, &yes, 1);
        formula if_false = answer(c, out.rest, asked.items, NULL, 1);
        if (if_true == FORMULA_FALSE || if_false == FORMULA_FALSE) {
            demands = formula_and2(c, demands, if_false == FORMULA_FALSE ? atom : formula_not(c, atom));
            out.rest = if_false == FORMULA_FALSE ? if_true : if_false;
            asked.count = 0;
        }
    } else if (asked.count > 1 && answer(c, out.rest, asked.items, NULL, asked.count) == FORMULA_FALSE) {
        formula *any = compiler_new(c, sizeof *any * asked.count);
        for (uint32_t i = 0; i < asked.count; i++) any[i] = formula_atom(c, ATOM_VALUE, asked.items[i], 0);
        demands = formula_and2(c, demands, formula_or(c, any, asked.count));
    }
    formula wanted = demands;
    if (asked.count != 0 && demands != FORMULA_FALSE) {
        formula *tuple = compiler_new(c, sizeof *tuple * (asked.count + 1));
        tuple[0] = demands;
        for (uint32_t i = 0; i < asked.count; i++) tuple[i + 1] = formula_atom(c, ATOM_VALUE, asked.items[i], 0);
        wanted = formula_tuple(c, tuple, asked.count + 1);
    }
    out.goal = goal_add(c, wanted, components);
    out.asked = asked.items;
    out.asked_count = asked.count;
    return out;
}

formula child_result(compiler *c, const child *of, formula class) {
    if (of->asked_count == 0) return of->rest;
    return answer(c, of->rest, of->asked, formula_get(c, class)->children + 1, of->asked_count);
}

static formula put_schema(compiler *c, void *context, const formula_node *atom, formula self) {
    if (atom->atom != ATOM_VALUE) return self;
    return schema_formula(c, atom->a, *(const value_type *)context);
}

static formula goal_formula(compiler *c, goal *g, value_type type) {
    if (g->of_type[type] == NONE) {
        g->of_type[type] = formula_replace(c, g->wanted, atom_kind_bit(ATOM_VALUE), put_schema, &type);
    }
    return g->of_type[type];
}

/* --- objects -------------------------------------------------------------------------------------------------- */

typedef struct member_context {
    uint32_t key;
} member_context;

static formula value_atom(compiler *c, uint32_t schema_id) {
    return schema_id == NONE ? FORMULA_FALSE : formula_atom(c, ATOM_VALUE, schema_id, 0);
}

static formula read_member(compiler *c, void *context, const formula_node *atom, formula self) {
    uint32_t key = ((const member_context *)context)->key;
    if (atom->atom == ATOM_PROPERTY && atom->a == key) return value_atom(c, atom->b);
    if (atom->atom == ATOM_REQUIRED && atom->a == key) return FORMULA_TRUE;
    if (atom->atom == ATOM_ADDITIONAL && !schema_key_in_set(c, key, atom->b)) {
        return formula_and2(c, self, value_atom(c, atom->a));
    }
    return self;
}

static formula present_member(compiler *c, void *context, const formula_node *atom, formula self) {
    (void)c;
    uint32_t key = ((const member_context *)context)->key;
    return atom->atom == ATOM_REQUIRED && atom->a == key ? FORMULA_TRUE : self;
}

static formula skip_member(compiler *c, void *context, const formula_node *atom, formula self) {
    (void)c;
    uint32_t key = ((const member_context *)context)->key;
    if (atom->atom == ATOM_PROPERTY && atom->a == key) return FORMULA_TRUE;
    if (atom->atom == ATOM_REQUIRED && atom->a == key) return FORMULA_FALSE;
    return self;
}

static formula close_object(compiler *c, void *context, const formula_node *atom, formula self) {
    (void)c;
    (void)context;
    if (atom->atom == ATOM_PROPERTY || atom->atom == ATOM_ADDITIONAL) return FORMULA_TRUE;
    if (atom->atom == ATOM_REQUIRED) return FORMULA_FALSE;
    return self;
}

static uint32_t node_add(compiler *c, graph *g, uint32_t position, uint32_t flips, formula left) {
    if (left == FORMULA_FALSE) return NONE;
    uint32_t key[3] = {position, flips, left};
    bool is_new;
    uint32_t id = intern(c, &g->table, key, sizeof key, &is_new);
    if (is_new) {
        graph_node node;
        memset(&node, 0, sizeof node);
        node.position = position;
        node.flips = flips;
        node.left = left;
        node.skip = NONE;
        node.close = FORMULA_FALSE;
        PUSH(c, g->nodes, node);
        if (flips > g->flips) g->flips = flips;
    }
    return id;
}

static void add_take(compiler *c, goal *g, graph_node *node, uint32_t key, uint64_t bits) {
    member_context context = {key};
    formula read = formula_replace(c, node->left, bits, read_member, &context);
    if (read == FORMULA_FALSE) return;
    id_list components = {NULL, 0, 0};
    schema_member_components(c, &g->components, key, &components);
    take t;
    memset(&t, 0, sizeof t);
    t.key = key;
    t.child = child_of(c, read, &components);
    PUSH(c, node->takes, t);
}

static void visit_required(compiler *c, void *context, const formula_node *atom, formula self) {
    (void)self;
    id_list *keys = context;
    if (atom->atom == ATOM_REQUIRED) PUSH(c, *keys, atom->a);
}

/* Fills a new node: what may be read in it, and what skipping and closing mean. */
static void open_object_node(compiler *c, goal *g, uint32_t index) {
    graph_node node = g->object->nodes.items[index];
    node.opened = true;
    const uint64_t additional = atom_kind_bit(ATOM_ADDITIONAL), required = atom_kind_bit(ATOM_REQUIRED);
    if (node.position < g->object->names.count) {
        uint32_t key = g->object->names.items[node.position];
        uint64_t bits = atom_bits(ATOM_PROPERTY, key);
        member_context context = {key};
        formula skipped = formula_replace(c, node.left, bits, skip_member, &context);
        node.skip = node_add(c, g->object, node.position + 1, 0, skipped);
        add_take(c, g, &node, key, bits | additional);
    } else {
        uint64_t all = atom_kind_bit(ATOM_PROPERTY) | additional | required;
        node.close = formula_replace(c, node.left, all, close_object, NULL);
        formula_visit(c, node.left, required, visit_required, &node.waiting);
        for (uint32_t i = 0; i < g->object->marked.count; i++) {
            add_take(c, g, &node, g->object->marked.items[i], additional);
        }
        for (uint32_t i = 0; i < node.waiting.count; i++) {
            uint32_t key = node.waiting.items[i];
            add_take(c, g, &node, key, atom_bits(ATOM_REQUIRED, key) | additional);
        }
        if (!g->object->closed) add_take(c, g, &node, NONE, additional);
    }
    g->object->nodes.items[index] = node;
}

static uint32_t object_target(compiler *c, goal *g, uint32_t index, const take *t, formula class) {
    graph_node node = g->object->nodes.items[index];
    formula left = child_result(c, &t->child, class);
    if (node.position < g->object->names.count) return node_add(c, g->object, node.position + 1, 0, left);
    member_context context = {t->key};
    formula plain = formula_replace(c, node.left, atom_bits(ATOM_REQUIRED, t->key), present_member, &context);
    return node_add(c, g->object, node.position, node.flips + (left != plain), left);
}

static void class_add(compiler *c, goal *g, formula class) {
    if (class == FORMULA_FALSE || goal_class(g, class) != NONE) return;
    if ((formula_get(c, class)->atoms & atom_kind_bit(ATOM_UNKNOWN)) != 0) return; /* nobody can judge such a value */
    compiler_spend(c, 10 + g->classes.count);
    PUSH(c, g->classes, class);
    for (uint32_t i = 0; i < g->dependents.count; i++) {
        goal *dependent = goal_get(c, g->dependents.items[i]);
        if (!dependent->queued) {
            dependent->queued = true;
            PUSH(c, c->goals->queue, g->dependents.items[i]);
        }
    }
}

static void depend(compiler *c, goal *on, goal_id id) {
    for (uint32_t i = 0; i < on->dependents.count; i++) {
        if (on->dependents.items[i] == id) return;
    }
    PUSH(c, on->dependents, id);
}

/* Whether every name that must be present has a value that does not end all hope. */
static bool marks_writable(const graph *object, const graph_node *node) {
    uint32_t writable = 0;
    for (uint32_t k = 0; k < node->takes.count; k++) {
        bool marked = false, useful = false;
        for (uint32_t i = 0; i < object->marked.count; i++) marked |= object->marked.items[i] == node->takes.items[k].key;
        for (uint32_t i = 0; i < node->takes.items[k].targets.count; i++) {
            useful |= node->takes.items[k].targets.items[i] != NONE;
        }
        writable += marked && useful;
    }
    return writable == object->marked.count;
}

/* Names in `required` that nothing lists. */
static void find_required(compiler *c, graph *object, formula wanted) {
    id_list keys = {NULL, 0, 0};
    formula_visit(c, wanted, atom_kind_bit(ATOM_REQUIRED), visit_required, &keys);
    for (uint32_t i = 0; i < keys.count; i++) {
        bool listed = false;
        for (uint32_t k = 0; k < object->names.count && !listed; k++) listed = object->names.items[k] == keys.items[i];
        if (!listed) PUSH(c, object->required, keys.items[i]);
    }
}

#define MARKS_MOST 32

/* Takes the names that the formula demands outright, and nothing lists, out of the formula: bits in the frame remember
 * them. So many such names cost one state, not one for each subset. */
static formula mark_required(compiler *c, graph *object, formula wanted) {
    formula_node node = *formula_get(c, wanted);
    if (node.kind == FORMULA_TUPLE) node = *formula_get(c, node.children[0]);
    formula single[1] = {wanted};
    const formula *parts = node.kind == FORMULA_AND ? node.children : single;
    uint32_t count = node.kind == FORMULA_AND ? node.count : 1;
    for (uint32_t i = 0; i < count && object->marked.count < MARKS_MOST; i++) {
        const formula_node *part = formula_get(c, parts[i]);
        if (part->kind != FORMULA_ATOM || part->atom != ATOM_REQUIRED) continue;
        uint32_t key = part->a;
        bool listed = true;
        for (uint32_t k = 0; k < object->required.count; k++) listed &= object->required.items[k] != key;
        if (listed) continue;
        PUSH(c, object->marked, key);
    }
    for (uint32_t i = 0; i < object->marked.count; i++) {
        member_context context = {object->marked.items[i]};
        wanted = formula_replace(c, wanted, atom_bits(ATOM_REQUIRED, context.key), present_member, &context);
    }
    return wanted;
}

static void analyse_object(compiler *c, goal_id id) {
    goal *g = goal_get(c, id);
    formula wanted = goal_formula(c, g, TYPE_OBJECT);
    if (wanted == FORMULA_FALSE) return;
    if (g->object == NULL) {
        g->object = NEW(c, graph);
        bool closable;
        schema_listed_names(c, &g->components, &g->object->names, &closable);
        g->object->closed = closable && c->options.objects == WEIR_OBJECTS_CLOSED;
        find_required(c, g->object, wanted);
        node_add(c, g->object, 0, 0, mark_required(c, g->object, wanted));
    }
    for (uint32_t index = 0; index < g->object->nodes.count; index++) {
        if (!g->object->nodes.items[index].opened) open_object_node(c, g, index);
        for (uint32_t k = 0; k < g->object->nodes.items[index].takes.count; k++) {
            take t = g->object->nodes.items[index].takes.items[k];
            analyse(c, t.child.goal);
            goal *value = goal_get(c, t.child.goal);
            depend(c, value, id);
            while (t.targets.count < value->classes.count) {
                uint32_t target = object_target(c, g, index, &t, value->classes.items[t.targets.count]);
                PUSH(c, t.targets, target);
            }
            g->object->nodes.items[index].takes.items[k] = t;
        }
        const graph_node *node = &g->object->nodes.items[index];
        if (node->close != FORMULA_FALSE && marks_writable(g->object, node)) class_add(c, g, node->close);
        compiler_spend(c, 50);
    }
}

/* --- arrays --------------------------------------------------------------------------------------------------- */

typedef struct item_context {
    uint32_t index; /* of the item being read, or the count when closing */
} item_context;

static formula read_item(compiler *c, void *context, const formula_node *atom, formula self) {
    uint32_t index = ((const item_context *)context)->index;
    if (atom->atom == ATOM_ITEM && atom->a == index) return value_atom(c, atom->b);
    if (atom->atom == ATOM_ITEMS && atom->a <= index) return formula_and2(c, self, value_atom(c, atom->b));
    return self;
}

static formula close_array(compiler *c, void *context, const formula_node *atom, formula self) {
    (void)c;
    uint32_t count = ((const item_context *)context)->index;
    if (atom->atom == ATOM_ITEM || atom->atom == ATOM_ITEMS) return FORMULA_TRUE;
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
    uint64_t bits = atom_kind_bit(ATOM_ITEM) | atom_kind_bit(ATOM_ITEMS) | atom_kind_bit(ATOM_COUNT);
    return formula_replace(c, left, bits, close_array, &context);
}

static void visit_count(compiler *c, void *context, const formula_node *atom, formula self) {
    (void)self;
    id_list *counts = context;
    if (atom->atom != ATOM_COUNT) return;
    uint32_t at = counts->count;
    PUSH(c, *counts, atom->a);
    for (; at > 0 && counts->items[at - 1] > atom->a; at--) counts->items[at] = counts->items[at - 1];
    counts->items[at] = atom->a;
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
    return node_add(c, g, position, 0, left);
}

static void open_array_node(compiler *c, goal *g, uint32_t index) {
    graph_node node = g->array->nodes.items[index];
    node.opened = true;
    item_context context = {node.position};
    if (node.position < g->array->prefix) node.close = array_close(c, node.left, node.position);
    formula read = formula_replace(c, node.left, atom_kind_bit(ATOM_ITEM) | atom_kind_bit(ATOM_ITEMS), read_item, &context);
    if (node.position < g->array->prefix) { /* the count after this item is known */
        item_context next = {node.position + 1};
        read = formula_replace(c, read, atom_kind_bit(ATOM_COUNT), counted, &next);
    }
    if (read != FORMULA_FALSE) {
        id_list components = {NULL, 0, 0};
        schema_item_components(c, &g->components, node.position, &components);
        take t;
        memset(&t, 0, sizeof t);
        t.key = NONE;
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
                for (uint32_t target_index = 0; target_index < t->targets.count; target_index++) {
                    uint32_t target = t->targets.items[target_index];
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
                    class_add(c, g, array_close(c, array->nodes.items[i].left, from));
                    break;
                }
            }
            lo = hi + 1;
        }
    }
}

static void analyse_array(compiler *c, goal_id id) {
    goal *g = goal_get(c, id);
    formula wanted = goal_formula(c, g, TYPE_ARRAY);
    if (wanted == FORMULA_FALSE) return;
    if (g->array == NULL) {
        g->array = NEW(c, graph);
        formula_visit(c, wanted, atom_kind_bit(ATOM_ITEM) | atom_kind_bit(ATOM_ITEMS), visit_prefix, &g->array->prefix);
        array_node(c, g->array, 0, wanted);
    }
    for (uint32_t index = 0; index < g->array->nodes.count; index++) {
        if (!g->array->nodes.items[index].opened) open_array_node(c, g, index);
        if (g->array->nodes.items[index].close != FORMULA_FALSE) class_add(c, g, g->array->nodes.items[index].close);
        for (uint32_t k = 0; k < g->array->nodes.items[index].takes.count; k++) {
            take t = g->array->nodes.items[index].takes.items[k];
            uint32_t next = g->array->nodes.items[index].position + 1;
            analyse(c, t.child.goal);
            goal *value = goal_get(c, t.child.goal);
            depend(c, value, id);
            while (t.targets.count < value->classes.count) {
                formula left = child_result(c, &t.child, value->classes.items[t.targets.count]);
                uint32_t target = array_node(c, g->array, next, left);
                PUSH(c, t.targets, target);
            }
            g->array->nodes.items[index].takes.items[k] = t;
        }
        compiler_spend(c, 50);
    }
    close_counted(c, g);
}

/* --- the fixpoint --------------------------------------------------------------------------------------------- */

static void analyse_scalars(compiler *c, goal *g) {
    for (value_type type = TYPE_NULL; type <= TYPE_TRUE; type++) class_add(c, g, goal_formula(c, g, type));
    if (goal_formula(c, g, TYPE_STRING) != FORMULA_FALSE) plan_strings(c, g);
    if (goal_formula(c, g, TYPE_NUMBER) != FORMULA_FALSE) plan_numbers(c, g);
    for (uint32_t i = 0; g->strings != NULL && i < g->strings->member_count; i++) {
        class_add(c, g, g->strings->members[i].class);
    }
    for (uint32_t i = 0; g->strings != NULL && i < g->strings->length_count; i++) {
        class_add(c, g, g->strings->lengths[i].class);
    }
    uint32_t regions = g->numbers != NULL ? 2 * g->numbers->threshold_count + 1 : 0;
    for (uint32_t i = 0; i < regions * NUMBER_FORMS; i++) class_add(c, g, g->numbers->classes[i]);
}

static void analyse(compiler *c, goal_id id) {
    goal *g = goal_get(c, id);
    if (g->analysed) return;
    g->analysed = true;
    compiler_enter(c, NULL);
    analyse_scalars(c, g);
    analyse_object(c, id);
    analyse_array(c, id);
    compiler_leave(c);
}

goal_set *goals_analyse(compiler *c) {
    c->goals = NEW(c, goal_set);
    id_list components = {NULL, 0, 0};
    PUSH(c, components, 0);
    c->goals->root = goal_add(c, formula_atom(c, ATOM_VALUE, 0, 0), &components);
    analyse(c, c->goals->root);
    while (c->goals->queue.count != 0) {
        goal_id id = c->goals->queue.items[--c->goals->queue.count];
        goal_get(c, id)->queued = false;
        analyse_object(c, id);
        analyse_array(c, id);
    }
    if (goal_get(c, c->goals->root)->classes.count == 0 && c->schemas->cycle != NULL) {
        compiler_fail(c, WEIR_ERROR_SCHEMA, c->schemas->cycle,
                      "the schema applies to itself in place, so it never says anything");
    }
    return c->goals;
}
