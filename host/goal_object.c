/* goal_object.c - the graph of an object: how far in the listed names, and what is left of the formula. */
#include <string.h>

#include "goal_build.h"

typedef struct member_context {
    uint32_t key;
} member_context;

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
        node.skip = graph_node_add(c, g->object, node.position + 1, 0, skipped);
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
    if (node.position < g->object->names.count) return graph_node_add(c, g->object, node.position + 1, 0, left);
    member_context context = {t->key};
    formula plain = formula_replace(c, node.left, atom_bits(ATOM_REQUIRED, t->key), present_member, &context);
    return graph_node_add(c, g->object, node.position, node.flips + (left != plain), left);
}

bool graph_marks_writable(const graph *object, const graph_node *node) {
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

void analyse_object(compiler *c, goal_id id) {
    goal *g = goal_get(c, id);
    formula wanted = goal_formula(c, g, TYPE_OBJECT);
    if (wanted == FORMULA_FALSE) return;
    if (g->object == NULL) {
        g->object = NEW(c, graph);
        bool closable;
        schema_listed_names(c, &g->components, &g->object->names, &closable);
        g->object->closed = closable && c->options.objects == WEIR_OBJECTS_CLOSED;
        find_required(c, g->object, wanted);
        graph_node_add(c, g->object, 0, 0, mark_required(c, g->object, wanted));
    }
    for (uint32_t index = 0; index < g->object->nodes.count; index++) {
        if (!g->object->nodes.items[index].opened) open_object_node(c, g, index);
        for (uint32_t k = 0; k < g->object->nodes.items[index].takes.count; k++) {
            take t = g->object->nodes.items[index].takes.items[k];
            goal_analyse(c, t.child.goal);
            goal *value = goal_get(c, t.child.goal);
            goal_depend(c, value, id);
            while (t.targets.count < value->classes.count) {
                uint32_t target = object_target(c, g, index, &t, value->classes.items[t.targets.count]);
                PUSH(c, t.targets, target);
            }
            g->object->nodes.items[index].takes.items[k] = t;
        }
        const graph_node *node = &g->object->nodes.items[index];
        if (node->close != FORMULA_FALSE && graph_marks_writable(g->object, node)) goal_add_class(c, g, node->close);
        compiler_spend(c, 50);
    }
}
