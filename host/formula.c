/* formula.c - building, simplifying and rewriting formulas. */
#include "formula.h"

#include <stdlib.h>
#include <string.h>

struct formula_set {
    interner table;
    VECTOR(formula_node) nodes;
    VECTOR(bool) doubts; /* by schema id */
    /* Marks of the rewrite under way: memo[id] holds its result when marks[id] == epoch. */
    uint32_t *marks;
    formula *memo;
    uint32_t mark_capacity, epoch;
};

struct formula_set *formula_set_new(compiler *c) {
    struct formula_set *set = NEW(c, struct formula_set);
    formula_node constant = {FORMULA_CONSTANT, 0, 0, 0, 0, NULL, 0};
    PUSH(c, set->nodes, constant);
    PUSH(c, set->nodes, constant);
    uint32_t key[2] = {FORMULA_CONSTANT, 0};
    intern(c, &set->table, key, sizeof key, NULL);
    key[1] = 1;
    intern(c, &set->table, key, sizeof key, NULL);
    return set;
}

const formula_node *formula_get(const compiler *c, formula f) { return &c->formulas->nodes.items[f]; }

uint64_t atom_kind_bit(atom_kind kind) { return 1ull << kind; }

uint64_t atom_bits(atom_kind kind, uint32_t a) {
    if (kind == ATOM_PROPERTY || kind == ATOM_REQUIRED) return 1ull << (24 + (a * 2654435761u >> 16) % 40);
    return atom_kind_bit(kind);
}

static formula node_intern(compiler *c, formula_node node, const uint32_t *key, size_t words) {
    bool is_new;
    formula id = intern(c, &c->formulas->table, key, words * sizeof *key, &is_new);
    if (is_new) PUSH(c, c->formulas->nodes, node);
    return id;
}

void formula_doubt_schema(compiler *c, uint32_t schema) {
    while (c->formulas->doubts.count <= schema) PUSH(c, c->formulas->doubts, false);
    c->formulas->doubts.items[schema] = true;
}

static bool atom_in_doubt(const compiler *c, atom_kind kind, uint32_t a, uint32_t b) {
    if (kind > ATOM_CONTAINS || kind == ATOM_REQUIRED || kind == ATOM_SIZE || kind == ATOM_NAMES) return false;
    uint32_t schema = kind == ATOM_VALUE || kind == ATOM_ADDITIONAL ? a : b;
    return schema < c->formulas->doubts.count && c->formulas->doubts.items[schema];
}

formula formula_atom(compiler *c, atom_kind kind, uint32_t a, uint32_t b) {
    uint32_t key[4] = {FORMULA_ATOM, kind, a, b};
    uint64_t bits = atom_kind_bit(kind) | atom_bits(kind, a);
    if (atom_in_doubt(c, kind, a, b)) bits |= atom_kind_bit(ATOM_UNKNOWN);
    return node_intern(c, (formula_node){FORMULA_ATOM, (uint8_t)kind, a, b, 0, NULL, bits}, key, 4);
}

formula formula_not(compiler *c, formula f) {
    if (f <= FORMULA_TRUE) return 1 - f;
    const formula_node *node = formula_get(c, f);
    if (node->kind == FORMULA_NOT) return node->children[0];
    if (node->kind == FORMULA_ATOM && node->atom == ATOM_UNKNOWN) return f;
    uint64_t atoms = node->atoms;
    uint32_t key[2] = {FORMULA_NOT, f};
    bool is_new;
    formula id = intern(c, &c->formulas->table, key, sizeof key, &is_new);
    if (is_new) {
        formula *children = compiler_new(c, sizeof *children);
        children[0] = f;
        PUSH(c, c->formulas->nodes, ((formula_node){FORMULA_NOT, 0, 0, 0, 1, children, atoms}));
    }
    return id;
}

static void sort_ids(formula *list, uint32_t count) {
    for (uint32_t i = 1; i < count; i++) {
        if (list[i - 1] > list[i]) {
            qsort(list, count, sizeof *list, order_ids);
            return;
        }
    }
}

/* A node with `count` >= 1 children; takes the array over. key[0] is room for the kind. */
static formula node_many(compiler *c, formula_kind kind, uint32_t *key, uint32_t count) {
    key[0] = kind;
    bool is_new;
    formula id = intern(c, &c->formulas->table, key, sizeof *key * (count + 1), &is_new);
    if (is_new) {
        uint64_t atoms = 0;
        for (uint32_t i = 0; i < count; i++) atoms |= formula_get(c, key[1 + i])->atoms;
        PUSH(c, c->formulas->nodes, ((formula_node){(uint8_t)kind, 0, 0, 0, count, key + 1, atoms}));
    }
    return id;
}

formula formula_and(compiler *c, const formula *list, uint32_t count) {
    uint32_t total = 0;
    for (uint32_t i = 0; i < count; i++) {
        const formula_node *node = formula_get(c, list[i]);
        total += node->kind == FORMULA_AND ? node->count : 1;
    }
    uint32_t *key = compiler_new(c, sizeof *key * (total + 1));
    formula *all = key + 1;
    uint32_t used = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (list[i] == FORMULA_FALSE) return FORMULA_FALSE;
        if (list[i] == FORMULA_TRUE) continue;
        const formula_node *node = formula_get(c, list[i]);
        if (node->kind == FORMULA_AND) {
            memcpy(all + used, node->children, node->count * sizeof *all);
            used += node->count;
        } else {
            all[used++] = list[i];
        }
    }
    compiler_spend(c, 10 + 4 * used);
    sort_ids(all, used);
    uint32_t kept = 0;
    for (uint32_t i = 0; i < used; i++) {
        if (kept == 0 || all[kept - 1] != all[i]) all[kept++] = all[i];
    }
    for (uint32_t i = 0; i < kept; i++) { /* x and not x */
        const formula_node *node = formula_get(c, all[i]);
        if (node->kind == FORMULA_NOT && bsearch(&node->children[0], all, kept, sizeof *all, order_ids) != NULL) {
            return FORMULA_FALSE;
        }
    }
    if (kept == 0) return FORMULA_TRUE;
    if (kept == 1) return all[0];
    return node_many(c, FORMULA_AND, key, kept);
}

formula formula_and2(compiler *c, formula left, formula right) { return formula_and(c, (formula[]){left, right}, 2); }

formula formula_or(compiler *c, const formula *list, uint32_t count) {
    formula *negated = compiler_new(c, sizeof *negated * (count + 1));
    for (uint32_t i = 0; i < count; i++) negated[i] = formula_not(c, list[i]);
    return formula_not(c, formula_and(c, negated, count));
}

formula formula_one(compiler *c, const formula *list, uint32_t count) {
    uint32_t *key = compiler_new(c, sizeof *key * (count + 1));
    formula *all = key + 1;
    uint32_t used = 0, satisfied = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (list[i] == FORMULA_TRUE) satisfied++;
        if (list[i] > FORMULA_TRUE) all[used++] = list[i];
    }
    if (satisfied > 1) return FORMULA_FALSE;
    sort_ids(all, used);
    compiler_spend(c, 10 + 4 * used);
    /* A member that stands twice cannot be the one; so it must be false. */
    formula *none = compiler_new(c, sizeof *none * (used + 2));
    uint32_t none_count = 0, kept = 0;
    for (uint32_t i = 0; i < used; i++) {
        bool repeated = (i + 1 < used && all[i + 1] == all[i]) || (i > 0 && all[i - 1] == all[i]);
        if (repeated || satisfied != 0) none[none_count++] = formula_not(c, all[i]);
    }
    if (satisfied != 0) return formula_and(c, none, none_count);
    for (uint32_t i = 0; i < used; i++) {
        bool repeated = (i + 1 < used && all[i + 1] == all[i]) || (i > 0 && none_count > 0 && all[i - 1] == all[i]);
        if (!repeated) {
            formula keep = all[i];
            none[none_count + kept++] = keep;
        }
    }
    formula one = FORMULA_FALSE;
    if (kept == 1) {
        one = none[none_count];
    } else if (kept > 1) {
        uint32_t *fresh = compiler_new(c, sizeof *fresh * (kept + 1));
        memcpy(fresh + 1, none + none_count, kept * sizeof *fresh);
        one = node_many(c, FORMULA_ONE, fresh, kept);
    }
    if (none_count == 0) return one;
    return formula_and2(c, one, formula_and(c, none, none_count));
}

bool formula_may_be_unknown(const compiler *c, formula f) {
    return (formula_get(c, f)->atoms & atom_kind_bit(ATOM_UNKNOWN)) != 0;
}

formula formula_sequence(compiler *c, const formula *list, uint32_t count) {
    uint32_t *key = compiler_new(c, sizeof *key * (count + 1));
    formula *kept = key + 1;
    uint32_t used = 0;
    bool unknown = false;
    for (uint32_t i = 0; i < count; i++) {
        if (list[i] == FORMULA_TRUE) continue;
        const formula_node *node = formula_get(c, list[i]);
        kept[used++] = list[i];
        unknown |= formula_may_be_unknown(c, list[i]);
        if (list[i] == FORMULA_FALSE || (node->kind == FORMULA_ATOM && node->atom == ATOM_UNKNOWN)) break;
    }
    compiler_spend(c, 10 + 4 * used);
    if (!unknown) return formula_and(c, kept, used);
    return used == 1 ? kept[0] : node_many(c, FORMULA_SEQUENCE, key, used);
}

formula formula_any(compiler *c, const formula *list, uint32_t count) {
    formula *negated = compiler_new(c, sizeof *negated * (count + 1));
    for (uint32_t i = 0; i < count; i++) negated[i] = formula_not(c, list[i]);
    return formula_not(c, formula_sequence(c, negated, count));
}

formula formula_known(compiler *c, formula f) {
    if (!formula_may_be_unknown(c, f)) return FORMULA_TRUE;
    return formula_any(c, (formula[]){f, formula_not(c, f)}, 2);
}

formula formula_tuple(compiler *c, const formula *list, uint32_t count) {
    if (list[0] == FORMULA_FALSE) return FORMULA_FALSE;
    uint32_t *key = compiler_new(c, sizeof *key * (count + 1));
    memcpy(key + 1, list, sizeof *key * count);
    return node_many(c, FORMULA_TUPLE, key, count);
}

/* --- rewriting ------------------------------------------------------------------------------------------------ */

typedef struct rewrite {
    uint64_t bits;
    replace_function *replace;
    void *context;
    uint32_t epoch;
} rewrite;

static void ensure_marks(compiler *c) {
    struct formula_set *set = c->formulas;
    if (set->nodes.count <= set->mark_capacity) return;
    uint32_t capacity = 2 * set->nodes.count + 64;
    set->marks = compiler_grow(c, set->marks, set->mark_capacity * sizeof *set->marks, capacity * sizeof *set->marks);
    set->memo = compiler_grow(c, set->memo, set->mark_capacity * sizeof *set->memo, capacity * sizeof *set->memo);
    memset(set->marks + set->mark_capacity, 0, (capacity - set->mark_capacity) * sizeof *set->marks);
    set->mark_capacity = capacity;
}

static formula rewrite_node(compiler *c, const rewrite *r, formula f) {
    struct formula_set *set = c->formulas;
    formula_node node = set->nodes.items[f];
    if ((node.atoms & r->bits) == 0) return f;
    ensure_marks(c);
    if (set->marks[f] == r->epoch) return set->memo[f];
    compiler_spend(c, 10 + 2 * node.count);
    formula result;
    if (node.kind == FORMULA_ATOM) {
        result = r->replace(c, r->context, &node, f);
    } else if (node.kind == FORMULA_NOT) {
        result = formula_not(c, rewrite_node(c, r, node.children[0]));
    } else {
        formula *children = compiler_new(c, sizeof *children * node.count);
        bool changed = false;
        for (uint32_t i = 0; i < node.count; i++) {
            children[i] = rewrite_node(c, r, node.children[i]);
            changed |= children[i] != node.children[i];
            if (children[i] == FORMULA_FALSE && node.kind == FORMULA_AND) break;
        }
        uint32_t count = node.count;
        if (!changed) {
            result = f;
        } else if (node.kind == FORMULA_AND) {
            for (uint32_t i = 0; i < node.count; i++) {
                if (children[i] == FORMULA_FALSE) {
                    count = i + 1;
                    break;
                }
            }
            result = formula_and(c, children, count);
        } else if (node.kind == FORMULA_SEQUENCE) {
            result = formula_sequence(c, children, count);
        } else if (node.kind == FORMULA_ONE) {
            result = formula_one(c, children, count);
        } else {
            result = formula_tuple(c, children, count);
        }
    }
    ensure_marks(c);
    set->marks[f] = r->epoch;
    set->memo[f] = result;
    return result;
}

formula formula_replace(compiler *c, formula f, uint64_t bits, replace_function *replace, void *context) {
    if ((formula_get(c, f)->atoms & bits) == 0) return f;
    rewrite r = {bits, replace, context, ++c->formulas->epoch};
    return rewrite_node(c, &r, f);
}

typedef struct collector {
    uint64_t bits;
    uint32_t epoch;
    VECTOR(formula) atoms;
} collector;

static void collect(compiler *c, collector *into, formula f) {
    formula_node node = *formula_get(c, f);
    if ((node.atoms & into->bits) == 0 || c->formulas->marks[f] == into->epoch) return;
    c->formulas->marks[f] = into->epoch;
    compiler_spend(c, 5 + node.count);
    if (node.kind == FORMULA_ATOM) PUSH(c, into->atoms, f);
    for (uint32_t i = 0; i < node.count; i++) collect(c, into, node.children[i]);
}

void formula_visit(compiler *c, formula f, uint64_t bits, visit_function *visit, void *context) {
    if ((formula_get(c, f)->atoms & bits) == 0) return;
    collector into = {bits, ++c->formulas->epoch, {NULL, 0, 0}};
    ensure_marks(c);
    collect(c, &into, f);
    sort_ids(into.atoms.items, into.atoms.count);
    for (uint32_t i = 0; i < into.atoms.count; i++) {
        formula_node node = *formula_get(c, into.atoms.items[i]);
        visit(c, context, &node, into.atoms.items[i]);
    }
}
