/* goal_child.c - from a container's formula to the goal of one member or item, and from its class back. */
#include <string.h>

#include "goal_build.h"

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

child child_of(compiler *c, formula f, const id_list *components) {
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

formula value_atom(compiler *c, uint32_t schema_id) {
    return schema_id == NONE ? FORMULA_FALSE : formula_atom(c, ATOM_VALUE, schema_id, 0);
}
