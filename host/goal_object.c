/* goal_object.c - the graph of an object: what is left of the formula after which members.
 *
 * Which names have been read is not in a node: bits in the frame keep a name from standing twice, and in the schema's
 * order from standing after a later one. A node changes only where the formula learns something from a member: that a
 * name is present which some alternative asks for, or that a value is not what some alternative wants. */
#include <stdlib.h>
#include <string.h>

#include "goal_build.h"

#define SIZE_BY_NAME 8 /* names of an object whose bounds on size are said by name */
#define EXACT_NODES 400 /* of an object; beyond, properties once read stay in the formula */
#define FINE_NODES 3000 /* beyond, even those whose violation can help */

static const uint64_t MEMBER_BITS =
    1ull << ATOM_PROPERTY | 1ull << ATOM_REQUIRED | 1ull << ATOM_ADDITIONAL | 1ull << ATOM_PATTERN_PROPERTY |
    1ull << ATOM_NAMES | 1ull << ATOM_SIZE;

typedef struct member_context {
    const graph *object;
    uint32_t name, key;     /* index and key id; NONE: another name */
    const formula *answers; /* of another name; NULL: nothing is asked of names */
    const uint8_t *matches; /* of another name, by pattern id */
} member_context;

/* Whether propertyNames, by this schema, admits a name of these answers. */
static bool name_admitted(const graph *object, const formula *answers, uint32_t schema_id) {
    for (uint32_t i = 0; i < object->question_count; i++) {
        if (object->questions[i].schema == schema_id) return answers[i] == FORMULA_TRUE;
    }
    return true;
}

static bool property_stays(const graph *object, uint32_t name) { return object->keeps && !object->decides[name]; }

/* --- one member ----------------------------------------------------------------------------------------------- */

static formula read_member(compiler *c, void *context, const formula_node *atom, formula self) {
    const member_context *m = context;
    switch (atom->atom) {
    case ATOM_PROPERTY:
        if (atom->a != m->key) return self;
        return property_stays(m->object, m->name) ? formula_and2(c, self, value_atom(c, atom->b)) : value_atom(c, atom->b);
    case ATOM_REQUIRED:
        return atom->a == m->key ? FORMULA_TRUE : self;
    case ATOM_ADDITIONAL:
        if (m->name != NONE || schema_set_matches(c, atom->b, m->matches)) return self;
        return formula_sequence(c, (formula[]){value_atom(c, atom->a), self}, 2);
    case ATOM_PATTERN_PROPERTY:
        if (m->name != NONE || !m->matches[atom->a]) return self;
        return formula_sequence(c, (formula[]){value_atom(c, atom->b), self}, 2);
    case ATOM_NAMES:
        return m->name != NONE || name_admitted(m->object, m->answers, atom->a) ? self : FORMULA_FALSE;
    case ATOM_SIZE:
        return atom->a == 1 ? FORMULA_TRUE : formula_atom(c, ATOM_SIZE, atom->a - 1, 0);
    default:
        return self;
    }
}

/* In the schema's order: the listed names before this one are not coming any more. */
static formula pass_members(compiler *c, void *context, const formula_node *atom, formula self) {
    (void)c;
    const member_context *m = context;
    if (atom->atom != ATOM_PROPERTY && atom->atom != ATOM_REQUIRED) return self;
    uint32_t rank = m->object->rank[atom->a];
    if (rank >= m->object->listed || (m->name != NONE && rank >= m->name)) return self;
    return atom->atom == ATOM_PROPERTY ? FORMULA_TRUE : FORMULA_FALSE;
}

static formula close_object(compiler *c, void *context, const formula_node *atom, formula self) {
    (void)c;
    (void)context;
    if (atom->atom == ATOM_PROPERTY || atom->atom == ATOM_ADDITIONAL) return FORMULA_TRUE;
    if (atom->atom == ATOM_PATTERN_PROPERTY || atom->atom == ATOM_NAMES) return FORMULA_TRUE;
    if (atom->atom == ATOM_REQUIRED || atom->atom == ATOM_SIZE) return FORMULA_FALSE;
    return self;
}

/* The conjunction that must hold: of a tuple, the first. */
static void demanded(const compiler *c, const formula *f, const formula **parts, uint32_t *count) {
    const formula_node *node = formula_get(c, *f);
    if (node->kind == FORMULA_TUPLE) {
        f = node->children;
        node = formula_get(c, *f);
    }
    *parts = node->kind == FORMULA_AND ? node->children : f;
    *count = node->kind == FORMULA_AND ? node->count : 1;
}

/* Rewrites the formula; what is demanded of a property outright stays as it is, with `then` of its value beside it. */
static formula rewrite(compiler *c, formula f, replace_function *replace, const member_context *m, bool read) {
    const formula *parts;
    uint32_t count, used = 0;
    demanded(c, &f, &parts, &count);
    formula *list = compiler_new(c, sizeof *list * (2 * (size_t)count + 1));
    for (uint32_t i = 0; i < count; i++) {
        const formula_node *part = formula_get(c, parts[i]);
        if (part->kind == FORMULA_ATOM && part->atom == ATOM_PROPERTY) {
            list[used++] = parts[i];
            if (read && part->a == m->key) list[used++] = value_atom(c, part->b);
        } else {
            list[used++] = formula_replace(c, parts[i], MEMBER_BITS, replace, (void *)m);
        }
    }
    formula first = formula_and(c, list, used);
    formula_node whole = *formula_get(c, f);
    if (whole.kind != FORMULA_TUPLE || first == FORMULA_FALSE) return first;
    formula *children = compiler_new(c, sizeof *children * whole.count);
    children[0] = first;
    for (uint32_t i = 1; i < whole.count; i++) {
        children[i] = formula_replace(c, whole.children[i], MEMBER_BITS, replace, (void *)m);
    }
    return formula_tuple(c, children, whole.count);
}

static formula before_name(compiler *c, formula left, const member_context *m) {
    return c->options.order == WEIR_ORDER_SCHEMA ? rewrite(c, left, pass_members, m, false) : left;
}

static member_context member_of(compiler *c, const graph *object, uint32_t name, uint32_t kind) {
    const formula *answers = object_answers(c, object, name, kind);
    return (member_context){object, name, name == NONE ? NONE : object->names.items[name], answers,
                            object_matches(c, object, answers)};
}

static void add_take(compiler *c, goal *g, graph_node *node, uint32_t name, uint32_t kind) {
    const graph *object = g->object;
    member_context m = member_of(c, object, name, kind);
    formula read = rewrite(c, before_name(c, node->left, &m), read_member, &m, true);
    if (read == FORMULA_FALSE) return;
    id_list components = {NULL, 0, 0};
    schema_member_components(c, &g->components, m.key, m.matches, &components);
    take t;
    memset(&t, 0, sizeof t);
    t.name = name;
    t.kind = kind;
    t.child = child_of(c, read, &components);
    PUSH(c, node->takes, t);
}

static bool is_spent(const graph_node *node, uint32_t name) {
    return node->spent != NULL && (node->spent[name / 32] >> name % 32 & 1) != 0;
}

static bool has_take(const graph_node *node, uint32_t name) {
    for (uint32_t k = 0; k < node->takes.count; k++) {
        if (node->takes.items[k].name == name) return true;
    }
    return false;
}

/* Takes of all names that can still come; of a node met before, those that another way to it has brought. */
static void open_object_node(compiler *c, goal *g, uint32_t index) {
    graph_node node = g->object->nodes.items[index];
    bool again = node.opened;
    if (again && !node.widened) return;
    node.widened = false;
    uint32_t from = g->object->positioned ? node.position : 0;
    node.opened = true;
    for (uint32_t name = from; name < g->object->names.count; name++) {
        if (!is_spent(&node, name) && !(again && has_take(&node, name))) add_take(c, g, &node, name, 0);
    }
    if (!again) node.close = formula_replace(c, node.left, MEMBER_BITS, close_object, NULL);
    for (uint32_t kind = 0; !again && !g->object->closed && kind < g->object->kinds.count; kind++) {
        add_take(c, g, &node, NONE, kind);
    }
    g->object->nodes.items[index] = node;
}

/* After this take from a node: the names that are spent in its target. */
static void spend_names(const compiler *c, const graph *object, uint32_t from, uint32_t name, uint32_t *spent) {
    uint32_t passed = name < object->listed ? name : object->listed;
    const uint32_t *before = object->nodes.items[from].spent;
    for (uint32_t k = 0; k <= object->names.count / 32; k++) spent[k] = before != NULL ? before[k] : 0;
    for (uint32_t k = 0; k < passed && c->options.order == WEIR_ORDER_SCHEMA; k++) spent[k / 32] |= 1u << k % 32;
    if (name != NONE) spent[name / 32] |= 1u << name % 32;
}

/* One more way to a node: only what is spent on all ways is spent. False: nothing new. */
static bool note_spent(compiler *c, graph *object, uint32_t node, const uint32_t *spent) {
    graph_node *at = &object->nodes.items[node];
    uint32_t words = object->names.count / 32 + 1;
    bool changed = false;
    if (!at->opened && at->spent == NULL && node != 0) {
        at->spent = compiler_new(c, sizeof *spent * words);
        memcpy(at->spent, spent, sizeof *spent * words);
        return true;
    }
    for (uint32_t k = 0; k < words && at->spent != NULL; k++) {
        changed |= (at->spent[k] & ~spent[k]) != 0;
        at->spent[k] &= spent[k];
    }
    at->widened |= changed;
    return changed;
}

/* Whether the members of names that are not told apart change the formula. */
static uint32_t object_target(compiler *c, goal *g, uint32_t index, const take *t, formula class) {
    graph_node node = g->object->nodes.items[index];
    formula left = child_result(c, &t->child, class);
    uint32_t position = 0;
    if (g->object->positioned) position = t->name < g->object->listed ? t->name + 1 : g->object->listed;
    if (t->name != NONE) return graph_node_add(c, g->object, position, node.flips, left);
    member_context m = member_of(c, g->object, NONE, t->kind);
    formula plain = before_name(c, node.left, &m);
    return graph_node_add(c, g->object, position, node.flips + (left != plain), left);
}

bool object_needs_writable(compiler *c, const graph *object, const graph_node *node) {
    compiler_spend(c, object->names.count / 4);
    for (uint32_t i = 0; i < object->names.count; i++) {
        if (!object->needed[i]) continue;
        if (is_spent(node, i)) { /* once it has been read: somewhere it could be */
            if (!object->written[i]) return false;
            continue;
        }
        bool writable = false;
        compiler_spend(c, 1 + node->takes.count / 4);
        for (uint32_t k = 0; k < node->takes.count && !writable; k++) {
            const take *t = &node->takes.items[k];
            for (uint32_t n = 0; n < t->targets.count && t->name == i; n++) writable |= t->targets.items[n] != NONE;
        }
        if (!writable) return false;
    }
    return true;
}

typedef struct waiting {
    const graph *object;
    uint8_t *waits;
} waiting;

static void visit_waiting(compiler *c, void *context, const formula_node *atom, formula self) {
    (void)c;
    (void)self;
    const waiting *w = context;
    uint32_t name = atom->atom == ATOM_REQUIRED || atom->atom == ATOM_PROPERTY ? w->object->rank[atom->a] : NONE;
    if (name != NONE && (atom->atom == ATOM_REQUIRED || !property_stays(w->object, name))) w->waits[name] = 1;
}

void object_waits(compiler *c, const graph *object, formula left, uint8_t *waits) {
    waiting w = {object, waits};
    const formula *parts;
    uint32_t count;
    demanded(c, &left, &parts, &count);
    for (uint32_t i = 0; i < count; i++) {
        const formula_node *part = formula_get(c, parts[i]);
        bool of_property = part->kind == FORMULA_ATOM && part->atom == ATOM_PROPERTY;
        if (!of_property) formula_visit(c, parts[i], MEMBER_BITS, visit_waiting, &w);
    }
    formula_node whole = *formula_get(c, left);
    for (uint32_t i = 1; whole.kind == FORMULA_TUPLE && i < whole.count; i++) {
        formula_visit(c, whole.children[i], MEMBER_BITS, visit_waiting, &w);
    }
}

/* --- the graph ------------------------------------------------------------------------------------------------ */

typedef struct name_finder {
    graph *object;
    uint8_t *known; /* by key id */
} name_finder;

static void visit_names(compiler *c, void *context, const formula_node *atom, formula self) {
    (void)self;
    name_finder *f = context;
    if (atom->atom != ATOM_REQUIRED && atom->atom != ATOM_PROPERTY) return;
    if (f->known[atom->a]) return;
    f->known[atom->a] = 1;
    PUSH(c, f->object->names, atom->a);
}

/* Names that the formula asks for and nothing lists. */
static void find_required(compiler *c, graph *object, formula wanted) {
    name_finder f = {object, compiler_zero(c, c->schemas->keys.count + 1)};
    for (uint32_t i = 0; i < object->names.count; i++) f.known[object->names.items[i]] = 1;
    formula_visit(c, wanted, MEMBER_BITS, visit_names, &f);
}

/* The rank of every name told apart, and its place in byte order. */
static void find_names(compiler *c, goal *g, formula wanted) {
    graph *object = g->object;
    uint32_t keys;
    bool closable;
    schema_listed_names(c, &g->components, &object->names, &closable);
    object->listed = object->names.count;
    object->closed = closable && c->options.objects == WEIR_OBJECTS_CLOSED;
    find_required(c, object, wanted);
    object_questions(c, object, wanted);
    keys = c->schemas->keys.count;
    object->rank = compiler_new(c, sizeof *object->rank * (keys + 1));
    memset(object->rank, 0xFF, sizeof *object->rank * (keys + 1));
    for (uint32_t i = 0; i < object->names.count; i++) object->rank[object->names.items[i]] = i;
    if (object->names.count > 65000) {
        compiler_fail(c, WEIR_ERROR_LIMIT, NULL, "an object of more than 65,000 names that are told apart");
    }
}

typedef struct ranked {
    const char *text;
    uint32_t length, name;
} ranked;

static int by_text(const void *left, const void *right) {
    const ranked *a = left, *b = right;
    int order = memcmp(a->text, b->text, a->length < b->length ? a->length : b->length);
    return order != 0 ? order : (a->length > b->length) - (a->length < b->length);
}

void texts_rank(compiler *c, const named_text *texts, uint32_t count, uint32_t *rank) {
    ranked *list = compiler_new(c, sizeof *list * (count + 1));
    for (uint32_t i = 0; i < count; i++) {
        char *quoted = compiler_new(c, 6 * (size_t)texts[i].length + 3);
        uint32_t size = (uint32_t)json_quote(texts[i].content, texts[i].length, quoted, 6 * (size_t)texts[i].length + 3);
        list[i] = (ranked){quoted, size, i};
    }
    if (count != 0) qsort(list, count, sizeof *list, by_text);
    for (uint32_t i = 0; i < count; i++) rank[list[i].name] = i;
}

static void find_leaves(compiler *c, graph *object) {
    named_text *texts = NEW_ARRAY(c, named_text, object->names.count + 1);
    for (uint32_t i = 0; i < object->names.count; i++) {
        texts[i].content = schema_key_text(c, object->names.items[i], &texts[i].length);
    }
    object->leaf = NEW_ARRAY(c, uint32_t, object->names.count + 1);
    texts_rank(c, texts, object->names.count, object->leaf);
}

/* Names that are told apart are judged by name: what a keyword says of names that it does not list, or that look in some
 * way, it says of each of them. */
static formula spread_over_names(compiler *c, void *context, const formula_node *atom, formula self) {
    const graph *object = context;
    id_list parts = {NULL, 0, 0};
    if (!object->closed) PUSH(c, parts, self);
    for (uint32_t i = 0; i < object->names.count; i++) {
        member_context m = member_of(c, object, i, 0);
        bool listed = atom->atom == ATOM_ADDITIONAL && schema_key_in_set(c, m.key, atom->b);
        formula says = FORMULA_TRUE;
        if (atom->atom == ATOM_PATTERN_PROPERTY && m.matches[atom->a]) says = schema_property_formula(c, m.key, atom->b);
        if (atom->atom == ATOM_NAMES && !name_admitted(object, m.answers, atom->a)) says = schema_property_formula(c, m.key, NONE);
        if (atom->atom == ATOM_ADDITIONAL && !listed && !schema_set_matches(c, atom->b, m.matches)) {
            says = schema_property_formula(c, m.key, atom->a);
        }
        PUSH(c, parts, says);
    }
    return formula_and(c, parts.items, parts.count);
}

typedef struct entanglement {
    graph *object;
    bool sized;
} entanglement;

enum { FREE, NEEDED, ENTANGLED };

static void visit_entangled(compiler *c, void *context, const formula_node *atom, formula self) {
    (void)c;
    (void)self;
    entanglement *e = context;
    e->sized |= atom->atom == ATOM_SIZE;
    if (atom->atom != ATOM_REQUIRED && atom->atom != ATOM_PROPERTY) return;
    e->object->needed[e->object->rank[atom->a]] = ENTANGLED;
}

static bool is_atom(const formula_node *part, atom_kind kind) { return part->kind == FORMULA_ATOM && part->atom == kind; }

/* At least so many of the names from `from` on are present. */
static formula at_least(compiler *c, const graph *object, uint32_t count, uint32_t from) {
    if (count == 0) return FORMULA_TRUE;
    if (object->names.count - from < count) return FORMULA_FALSE;
    formula with = formula_and2(c, formula_atom(c, ATOM_REQUIRED, object->names.items[from], 0), at_least(c, object, count - 1, from + 1));
    return formula_or(c, (formula[]){with, at_least(c, object, count, from + 1)}, 2);
}

static formula name_sizes(compiler *c, void *context, const formula_node *atom, formula self) {
    return atom->atom == ATOM_SIZE ? at_least(c, context, atom->a, 0) : self;
}

/* Whether a name that is not told apart may stand. */
static bool some_other_name(compiler *c, const graph *object, const formula *parts, uint32_t count) {
    for (uint32_t kind = 0; kind < object->kinds.count; kind++) {
        member_context m = member_of(c, object, NONE, kind);
        bool may = true;
        for (uint32_t i = 0; i < count; i++) {
            const formula_node *part = formula_get(c, parts[i]);
            if (is_atom(part, ATOM_ADDITIONAL) && part->a == NONE) may &= schema_set_matches(c, part->b, m.matches);
            if (is_atom(part, ATOM_NAMES)) may &= name_admitted(object, m.answers, part->a);
        }
        if (may) return true;
    }
    return false;
}

/* Bounds on the number of members that hold anyhow are dropped; of few names and no others, they are said by name. */
static formula drop_sizes(compiler *c, graph *object, formula wanted) {
    const formula *parts;
    uint32_t count, required = 0, used = 0;
    bool others = !object->closed;
    demanded(c, &wanted, &parts, &count);
    formula *kept = compiler_new(c, sizeof *kept * (count + 1));
    for (uint32_t i = 0; i < count; i++) {
        const formula_node *part = formula_get(c, parts[i]);
        required += is_atom(part, ATOM_REQUIRED);
    }
    others = others && some_other_name(c, object, parts, count);
    if (!others && object->names.count <= SIZE_BY_NAME) {
        return formula_replace(c, wanted, atom_kind_bit(ATOM_SIZE), name_sizes, object);
    }
    for (uint32_t i = 0; i < count; i++) {
        const formula_node *part = formula_get(c, parts[i]);
        if (is_atom(part, ATOM_SIZE) && part->a <= required) continue;
        if (part->kind == FORMULA_NOT && !others) {
            const formula_node *inner = formula_get(c, part->children[0]);
            if (is_atom(inner, ATOM_SIZE) && inner->a > object->names.count) continue;
        }
        kept[used++] = parts[i];
    }
    formula first = formula_and(c, kept, used);
    formula_node whole = *formula_get(c, wanted);
    if (whole.kind != FORMULA_TUPLE) return first;
    formula *children = compiler_new(c, sizeof *children * whole.count);
    memcpy(children, whole.children, sizeof *children * whole.count);
    children[0] = first;
    return formula_tuple(c, children, whole.count);
}

static formula present(compiler *c, void *context, const formula_node *atom, formula self) {
    (void)c;
    const graph *object = context;
    return atom->atom == ATOM_REQUIRED && object->needed[object->rank[atom->a]] == NEEDED ? FORMULA_TRUE : self;
}

/* Takes the names that every value needs out of the formula, where nothing else hangs on them. */
static formula find_needed(compiler *c, graph *object, formula wanted) {
    const formula *parts;
    uint32_t count;
    entanglement e = {object, false};
    object->needed = NEW_ARRAY(c, uint8_t, object->names.count + 1);
    wanted = drop_sizes(c, object, wanted);
    demanded(c, &wanted, &parts, &count);
    for (uint32_t i = 0; i < count; i++) {
        const formula_node *part = formula_get(c, parts[i]);
        if (part->kind != FORMULA_ATOM || part->atom == ATOM_SIZE) formula_visit(c, parts[i], MEMBER_BITS, visit_entangled, &e);
    }
    formula_node whole = *formula_get(c, wanted);
    for (uint32_t i = 1; whole.kind == FORMULA_TUPLE && i < whole.count; i++) {
        formula_visit(c, whole.children[i], MEMBER_BITS, visit_entangled, &e);
    }
    for (uint32_t i = 0; i < count && !e.sized; i++) { /* with a bound on the size every name changes the node */
        const formula_node *part = formula_get(c, parts[i]);
        if (!is_atom(part, ATOM_REQUIRED)) continue;
        uint8_t *needed = &object->needed[object->rank[part->a]];
        if (*needed == FREE) *needed = NEEDED;
    }
    wanted = formula_replace(c, wanted, MEMBER_BITS, present, object);
    for (uint32_t i = 0; i < object->names.count; i++) object->needed[i] = object->needed[i] == NEEDED;
    return wanted;
}

typedef struct polarity {
    graph *object;
    interner seen;
} polarity;

/* Notes the properties that stand in `f` where their being false can help. */
static void find_negative(compiler *c, polarity *p, formula f, bool positive, bool negative) {
    uint32_t key[2] = {f, (uint32_t)positive | (uint32_t)negative << 1};
    bool is_new;
    intern(c, &p->seen, key, sizeof key, &is_new);
    if (!is_new) return;
    formula_node node = *formula_get(c, f);
    if ((node.atoms & atom_kind_bit(ATOM_PROPERTY)) == 0) return;
    if (negative && is_atom(&node, ATOM_PROPERTY)) p->object->decides[p->object->rank[node.a]] = 1;
    compiler_enter(c, NULL);
    for (uint32_t i = 0; i < node.count; i++) {
        bool told = node.kind == FORMULA_ONE || (node.kind == FORMULA_TUPLE && i > 0), turns = node.kind == FORMULA_NOT;
        find_negative(c, p, node.children[i], told || (turns ? negative : positive), told || (turns ? positive : negative));
    }
    compiler_leave(c);
}

static void find_deciding(compiler *c, graph *object, formula wanted) {
    polarity p;
    memset(&p, 0, sizeof p);
    p.object = object;
    find_negative(c, &p, wanted, true, false);
}

static void start_graph(compiler *c, goal *g, formula wanted, bool keeps, bool fine) {
    graph *object = g->object = NEW(c, graph);
    object->keeps = keeps;
    find_names(c, g, wanted);
    find_leaves(c, object);
    uint64_t of_names = atom_kind_bit(ATOM_ADDITIONAL) | atom_kind_bit(ATOM_PATTERN_PROPERTY) | atom_kind_bit(ATOM_NAMES);
    wanted = formula_replace(c, wanted, of_names, spread_over_names, object);
    wanted = find_needed(c, object, wanted);
    object->written = NEW_ARRAY(c, uint8_t, object->names.count + 1);
    uint64_t sized = atom_kind_bit(ATOM_SIZE);
    object->positioned = c->options.order == WEIR_ORDER_SCHEMA && (formula_get(c, wanted)->atoms & sized) != 0;
    object->fine = fine;
    if (keeps) object->decides = NEW_ARRAY(c, uint8_t, object->names.count + 1);
    if (keeps && fine) find_deciding(c, object, wanted);
    graph_node_add(c, object, 0, 0, wanted);
}

/* Targets of the takes of a node, for the classes that its members have by now. True: some node can be more than before. */
static bool find_targets(compiler *c, goal_id id, uint32_t index) {
    goal *g = goal_get(c, id);
    uint32_t *spent = compiler_new(c, sizeof *spent * (g->object->names.count / 32 + 1));
    bool more = false;
    for (uint32_t k = 0; k < g->object->nodes.items[index].takes.count; k++) {
        take t = g->object->nodes.items[index].takes.items[k];
        goal_analyse(c, t.child.goal);
        goal *value = goal_get(c, t.child.goal);
        goal_depend(c, value, id);
        while (t.targets.count < value->classes.count) {
            uint32_t target = object_target(c, g, index, &t, value->classes.items[t.targets.count]);
            PUSH(c, t.targets, target);
            if (t.name == NONE || target == NONE || g->object->written[t.name]) continue;
            g->object->written[t.name] = 1;
            more = true;
        }
        g->object->nodes.items[index].takes.items[k] = t;
        spend_names(c, g->object, index, t.name, spent);
        for (uint32_t i = 0; i < t.targets.count; i++) {
            if (t.targets.items[i] != NONE) more |= note_spent(c, g->object, t.targets.items[i], spent);
        }
    }
    return more;
}

/* More nodes than this way to build the graph is good for. */
static bool has_too_many(const graph *object) {
    return object->fine && object->nodes.count > (object->keeps ? FINE_NODES : EXACT_NODES);
}

void analyse_object(compiler *c, goal_id id) {
    goal *g = goal_get(c, id);
    formula wanted = goal_formula(c, g, TYPE_OBJECT);
    if (wanted == FORMULA_FALSE) return;
    if (g->object == NULL) start_graph(c, g, wanted, false, true);
    for (bool more = true; more;) {
        more = false;
        for (uint32_t index = 0; index < g->object->nodes.count && !has_too_many(g->object); index++) {
            open_object_node(c, g, index);
            more |= find_targets(c, id, index);
            const graph_node *node = &g->object->nodes.items[index];
            if (node->close != FORMULA_FALSE && object_needs_writable(c, g->object, node)) goal_add_class(c, g, node->close);
            compiler_spend(c, 50);
        }
        if (has_too_many(g->object)) {
            start_graph(c, g, wanted, true, !g->object->keeps);
            more = true;
        }
    }
}
