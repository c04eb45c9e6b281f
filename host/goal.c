/* goal.c - from the root schema to all goals and their achievable classes: the least fixpoint. */
#include "goal_build.h"

#include <string.h>

goal *goal_get(const compiler *c, goal_id id) { return c->goals->items.items[id]; }

const json *goal_place(const compiler *c, goal_id id) {
    const goal *g = goal_get(c, id);
    return g->components.count != 0 ? schema_get(c, g->components.items[0])->node : NULL;
}

uint32_t goal_class(const goal *g, formula class) {
    for (uint32_t i = 0; i < g->classes.count; i++) {
        if (g->classes.items[i] == class) return i;
    }
    return NONE;
}

goal_id goal_add(compiler *c, formula wanted, const id_list *components) {
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

static formula put_schema(compiler *c, void *context, const formula_node *atom, formula self) {
    if (atom->atom != ATOM_VALUE) return self;
    return schema_formula(c, atom->a, *(const value_type *)context);
}

formula goal_formula(compiler *c, goal *g, value_type type) {
    if (g->of_type[type] == NONE) {
        g->of_type[type] = formula_replace(c, g->wanted, atom_kind_bit(ATOM_VALUE), put_schema, &type);
    }
    return g->of_type[type];
}

uint32_t graph_node_add(compiler *c, graph *g, uint32_t position, uint32_t flips, formula left) {
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
        node.close = FORMULA_FALSE;
        PUSH(c, g->nodes, node);
        if (flips > g->flips) g->flips = flips;
    }
    return id;
}

void goal_add_class(compiler *c, goal *g, formula class) {
    if (class == FORMULA_FALSE || goal_class(g, class) != NONE) return;
    const formula_node *tuple = formula_get(c, class);
    formula demanded = tuple->kind == FORMULA_TUPLE ? tuple->children[0] : class;
    if (formula_may_be_unknown(c, demanded)) return; /* nobody can judge such a value */
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

void goal_depend(compiler *c, goal *on, goal_id id) {
    for (uint32_t i = 0; i < on->dependents.count; i++) {
        if (on->dependents.items[i] == id) return;
    }
    PUSH(c, on->dependents, id);
}

void id_list_insert(compiler *c, id_list *list, uint32_t value) {
    uint32_t at = list->count;
    while (at > 0 && list->items[at - 1] > value) at--;
    if (at > 0 && list->items[at - 1] == value) return;
    PUSH(c, *list, value);
    memmove(list->items + at + 1, list->items + at, (list->count - 1 - at) * sizeof *list->items);
    list->items[at] = value;
}

static void analyse_scalars(compiler *c, goal *g) {
    for (value_type type = TYPE_NULL; type <= TYPE_TRUE; type++) goal_add_class(c, g, goal_formula(c, g, type));
    if (goal_formula(c, g, TYPE_STRING) != FORMULA_FALSE) plan_strings(c, g);
    if (goal_formula(c, g, TYPE_NUMBER) != FORMULA_FALSE) plan_numbers(c, g);
    for (uint32_t i = 0; g->strings != NULL && i < g->strings->member_count; i++) {
        goal_add_class(c, g, g->strings->members[i].class);
    }
    for (uint32_t i = 0; g->strings != NULL && i < g->strings->length_count; i++) {
        goal_add_class(c, g, g->strings->lengths[i].class);
    }
    for (uint32_t i = 0; g->strings != NULL && g->strings->patterned != NULL && i < g->strings->patterned->states.count; i++) {
        goal_add_class(c, g, g->strings->patterned->states.items[i].class);
    }
    uint32_t regions = g->numbers != NULL ? 2 * g->numbers->threshold_count + 1 : 0;
    for (uint32_t i = 0; i < regions * NUMBER_FORMS; i++) goal_add_class(c, g, g->numbers->classes[i]);
}

void goal_analyse(compiler *c, goal_id id) {
    goal *g = goal_get(c, id);
    if (g->analysed) return;
    g->analysed = true;
    const json *outer = c->part;
    c->part = goal_place(c, id);
    compiler_enter(c, c->part);
    analyse_scalars(c, g);
    analyse_object(c, id);
    analyse_array(c, id);
    compiler_leave(c);
    c->part = outer;
}

goal_set *goals_analyse(compiler *c) {
    c->goals = NEW(c, goal_set);
    id_list components = {NULL, 0, 0};
    PUSH(c, components, 0);
    c->goals->root = goal_add(c, formula_atom(c, ATOM_VALUE, 0, 0), &components);
    goal_analyse(c, c->goals->root);
    while (c->goals->queue.count != 0) {
        goal_id id = c->goals->queue.items[--c->goals->queue.count];
        goal_get(c, id)->queued = false;
        c->part = goal_place(c, id);
        analyse_object(c, id);
        analyse_array(c, id);
    }
    c->part = NULL;
    if (goal_get(c, c->goals->root)->classes.count == 0 && c->schemas->circle != NULL) {
        compiler_fail(c, WEIR_ERROR_SCHEMA, c->schemas->circle,
                      "the schema applies to itself in place, so it never says anything");
    }
    return c->goals;
}
