/* automaton_object.c - the states of an object between its brackets.
 *
 * A node of the goal's graph is a place between members: one state behind the member, and one use of the trie of names.
 * Which of the names may still come is no state: the bits of the frame say it. */
#include <string.h>

#include "automaton.h"

/* A take whose name, where `keeps` hides what has been read, may have been read before. */
static bool may_be_spent(compiler *c, const graph *object, const graph_node *node, const take *t) {
    if (!object->keeps || t->name == NONE || object->decides[t->name]) return false;
    uint64_t bits = atom_bits(ATOM_REQUIRED, object->names.items[t->name]) | atom_kind_bit(ATOM_REQUIRED);
    return (formula_get(c, node->left)->atoms & bits) != bits;
}

static bool takes_productive(const module *m, const take *t) {
    for (uint32_t i = 0; i < t->targets.count; i++) {
        if (t->targets.items[i] != NONE && m->productive[t->targets.items[i]]) return true;
    }
    return false;
}

void plan_object(compiler *c, module *m) {
    const goal *g = goal_get(c, m->goal);
    const graph *object = g->object;
    for (bool changed = true; changed;) { /* targets mostly follow their node, so few rounds */
        changed = false;
        for (uint32_t i = object->nodes.count; i-- > 0;) {
            const graph_node *node = &object->nodes.items[i];
            if (m->productive[i]) continue;
            bool productive = node->close != FORMULA_FALSE && module_usable(m, goal_class(g, node->close)) &&
                              object_needs_writable(c, object, node);
            for (uint32_t k = 0; k < node->takes.count && !productive; k++) {
                const take *t = &node->takes.items[k];
                productive = takes_productive(m, t) && !may_be_spent(c, object, node, t);
            }
            m->productive[i] = productive;
            changed |= productive;
            compiler_spend(c, 10 + node->takes.count);
        }
    }
}

/* --- the record of an object's names -------------------------------------------------------------------------- */

uint32_t mask_list(compiler *c, uint32_t words) {
    automaton *a = c->automaton;
    uint32_t first = a->masks.count;
    for (uint32_t i = 0; i < words; i++) PUSH(c, a->masks, 0);
    return first;
}

static void set_bit(automaton *a, uint32_t mask, uint32_t bit) { a->masks.items[mask + bit / 32] |= 1u << bit % 32; }

/* In the schema's order reading a name also sets every listed name before it. */
static void fill_reads(compiler *c, const graph *g, const object *o) {
    automaton *a = c->automaton;
    for (uint32_t i = 0; i <= g->names.count; i++) {
        uint32_t leaf = i < g->names.count ? g->leaf[i] : o->name_count;
        uint32_t mask = o->reads + leaf * o->words;
        uint32_t passed = i < g->listed ? i : g->listed;
        for (uint32_t k = 0; k < passed; k++) set_bit(a, mask, g->leaf[k]);
    }
    compiler_spend(c, (uint64_t)g->names.count * g->listed);
}

/* In the schema's order: while a needed name is missing, no later one and no unlisted one can come. */
static void fill_order(compiler *c, const graph *g, object *o) {
    automaton *a = c->automaton;
    id_list needed = {NULL, 0, 0};
    for (uint32_t i = 0; i < g->listed; i++) {
        if (g->needed[i]) PUSH(c, needed, i);
    }
    o->order_count = needed.count;
    o->order = mask_list(c, needed.count);
    o->beyond = mask_list(c, needed.count * o->words);
    for (uint32_t k = 0; k < needed.count; k++) {
        uint32_t mask = o->beyond + k * o->words;
        a->masks.items[o->order + k] = g->leaf[needed.items[k]];
        for (uint32_t i = needed.items[k] + 1; i < g->names.count; i++) set_bit(a, mask, g->leaf[i]);
        set_bit(a, mask, o->name_count);
    }
    compiler_spend(c, (uint64_t)needed.count * g->names.count);
}

/* Names whose values never run out, wherever they stand; other names do not either, where nothing is asked of them. */
static void fill_ample(compiler *c, const graph *g, const object *o) {
    automaton *a = c->automaton;
    uint8_t *ample = compiler_new(c, g->names.count + 1);
    memset(ample, 1, g->names.count);
    for (uint32_t i = 0; i < g->nodes.count; i++) {
        const graph_node *node = &g->nodes.items[i];
        for (uint32_t k = 0; k < node->takes.count; k++) {
            const take *t = &node->takes.items[k];
            if (t->name != NONE) ample[t->name] &= goal_is_endless(c, t->child.goal);
        }
        compiler_spend(c, 10 + 5 * (uint64_t)node->takes.count);
    }
    for (uint32_t i = 0; i < g->names.count; i++) {
        if (ample[i]) set_bit(a, o->ample, g->leaf[i]);
    }
    if (g->name_text == NULL && g->flips == 0) set_bit(a, o->ample, g->names.count);
}

uint32_t object_new(compiler *c, uint32_t name_count) {
    automaton *a = c->automaton;
    object o;
    memset(&o, 0, sizeof o);
    o.name_count = name_count;
    o.words = name_count / 32 + 1;
    if (o.words > a->name_words) a->name_words = o.words;
    o.required = mask_list(c, o.words);
    o.reads = mask_list(c, (o.name_count + 1) * o.words);
    o.ample = mask_list(c, o.words);
    for (uint32_t i = 0; i < name_count; i++) set_bit(a, o.reads + i * o.words, i);
    PUSH(c, a->objects, o);
    PUSH(c, a->object_of_items, 0);
    return a->objects.count - 1;
}

static uint32_t object_add(compiler *c, const graph *g) {
    automaton *a = c->automaton;
    uint32_t id = object_new(c, g->names.count);
    object o = a->objects.items[id];
    for (uint32_t i = 0; i < g->names.count; i++) {
        if (g->needed[i]) set_bit(a, o.required, g->leaf[i]);
    }
    if (a->careful) fill_ample(c, g, &o);
    if (c->options.order == WEIR_ORDER_SCHEMA) {
        fill_reads(c, g, &o);
        fill_order(c, g, &o);
    }
    a->objects.items[id] = o;
    return id;
}

/* --- members -------------------------------------------------------------------------------------------------- */

static uint32_t after_state(compiler *c, uint32_t index, uint32_t node) {
    module *m = &c->automaton->modules.items[index];
    if (m->after[node] != NONE) return m->after[node];
    uint32_t id = state_reserve(c);
    c->automaton->modules.items[index].after[node] = id;
    return id;
}

/* After a name's closing quote: the colon and the value. NONE when no useful value exists. */
static uint32_t member_state(compiler *c, uint32_t index, const take *t) {
    const goal *value = goal_get(c, t->child.goal);
    uint32_t *conts = compiler_new(c, sizeof *conts * (value->classes.count + 1));
    bool any = false;
    for (uint32_t i = 0; i < value->classes.count; i++) {
        uint32_t target = i < t->targets.count ? t->targets.items[i] : NONE;
        bool useful = target != NONE && c->automaton->modules.items[index].productive[target];
        conts[i] = useful ? after_state(c, index, target) : NONE;
        any |= useful;
    }
    if (!any) return NONE;
    uint32_t state_id = value_state(c, t->child.goal, conts, true);
    if (c->options.whitespace == WEIR_WHITESPACE_SPACED || c->options.whitespace == WEIR_WHITESPACE_PRETTY) {
        state_id = state_intern(c, &(edge){' ', ' ', EDGE_GO, 0, state_id}, 1, NONE, 0);
    }
    return spaced_state(c, &(edge){':', ':', EDGE_GO, 0, state_id}, 1, true, NONE);
}

/* A place where the name is read, for what one more of it costs: any will do, a needed name leads back to its node. */
static void note_member(compiler *c, uint32_t index, uint32_t leaf, const take *t, uint32_t target) {
    module *m = &c->automaton->modules.items[index];
    if (m->member[leaf] != NONE) return;
    m->member[leaf] = target;
    for (uint32_t i = 0; i < t->targets.count; i++) {
        if (t->targets.items[i] != NONE && m->after[t->targets.items[i]] != NONE) m->then[leaf] = m->after[t->targets.items[i]];
    }
}

static void note_waits(compiler *c, const graph *g, formula left, uint32_t instance_id) {
    automaton *a = c->automaton;
    uint8_t *waits = NEW_ARRAY(c, uint8_t, g->names.count + 1);
    object_waits(c, g, left, waits);
    uint32_t mask = mask_list(c, g->names.count / 32 + 1);
    for (uint32_t i = 0; i < g->names.count; i++) {
        if (waits[i]) set_bit(a, mask, g->leaf[i]);
    }
    if ((formula_get(c, left)->atoms & atom_kind_bit(ATOM_SIZE)) != 0) set_bit(a, mask, g->names.count);
    a->instance_waits.items[instance_id] = mask;
}

/* The module of names where nothing is asked of them but which they are. */
static uint32_t name_trie(compiler *c, const graph *g, const uint32_t *exits, const length_case *others) {
    named_text *texts = compiler_new(c, sizeof *texts * (g->names.count + 1));
    for (uint32_t i = 0; i < g->names.count; i++) {
        named_text *text = &texts[g->leaf[i]];
        text->content = schema_key_text(c, g->names.items[i], &text->length);
        text->live = exits[g->leaf[i]] != NONE;
    }
    return string_module(c, texts, g->names.count, others, others->target != NONE, g->flips != 0);
}

/* Names of a kind must differ from those kept: there must be more of them. Kinds of few names are told apart. */
static void refuse_small_kinds(compiler *c, goal_id id) {
    const graph *object = goal_get(c, id)->object;
    if (object->name_text == NULL) return;
    bool suffice = true;
    for (uint32_t k = 0; k < object->kinds.count && object->flips >= 32 && suffice; k++) {
        suffice = text_supply(c, object->name_text, object->kinds.items[k], object->flips + 2) > object->flips + 1;
    }
    if (suffice) return;
    compiler_fail(c, WEIR_ERROR_SCHEMA, goal_place(c, id),
                  "the keyword \"%s\" is not supported where so many names are told apart that those of a kind could run out",
                  object->questions[0].pattern != NONE ? "patternProperties" : "propertyNames");
}

/* The use of the trie of names at a node; NONE: no name can be written there. */
static uint32_t key_instance(compiler *c, uint32_t index, uint32_t node) {
    automaton *a = c->automaton;
    const graph *g = goal_get(c, a->modules.items[index].goal)->object;
    const graph_node *at = &g->nodes.items[node];
    uint32_t count = g->names.count, others = NONE; /* exits: names told apart, then the kinds of others */
    uint32_t *exits = compiler_new(c, sizeof *exits * (count + g->kinds.count));
    bool any = false;
    memset(exits, 0xFF, sizeof *exits * (count + g->kinds.count));
    for (uint32_t k = 0; k < at->takes.count; k++) {
        const take *t = &at->takes.items[k];
        uint32_t target = member_state(c, index, t);
        if (t->name == NONE) exits[count + t->kind] = target;
        if (t->name == NONE && target != NONE) others = target;
        if (t->name != NONE) exits[g->leaf[t->name]] = target;
        if (t->name != NONE && target != NONE) note_member(c, index, g->leaf[t->name], t, target);
        any |= target != NONE;
    }
    if (!any) return NONE;
    instance like;
    memset(&like, 0, sizeof like);
    like.object = a->modules.items[index].object;
    like.hash_used = others != NONE ? at->flips : 0;
    like.hash_keep = others != NONE && at->flips < g->flips;
    if (g->flips > a->hash_slots) a->hash_slots = g->flips;
    like.dead = mask_list(c, count / 32 + 1);
    for (uint32_t i = 0; i < count; i++) {
        if (exits[i] == NONE) set_bit(a, like.dead, i);
    }
    if (others == NONE) set_bit(a, like.dead, count);
    length_case free_name = {0, NONE, g->name_text == NULL ? others : NONE};
    uint32_t scalar = g->name_text != NULL ? name_module(c, g, exits) : name_trie(c, g, exits, &free_name);
    uint32_t made = name_instance(c, scalar, exits, &free_name, &like);
    note_waits(c, g, at->left, made);
    return made;
}

/* Whether at the object's start some name can be written: no needed one may stand before it. */
static bool starts_with_name(const automaton *a, const graph *g, uint32_t instance_id) {
    const instance *in = &a->instances.items[instance_id];
    const object *o = &a->objects.items[in->object];
    for (uint32_t bit = 0; bit <= g->names.count; bit++) {
        uint32_t blocked = a->masks.items[in->dead + bit / 32];
        if (o->order_count != 0) blocked |= a->masks.items[o->beyond + bit / 32];
        if ((blocked >> bit % 32 & 1) == 0) return true;
    }
    return false;
}

static uint32_t pair_of(compiler *c, uint32_t first, uint32_t second) {
    return target_list(c, (const uint32_t[]){first, second}, 2);
}

static void emit_node(compiler *c, uint32_t index, uint32_t node, bool start) {
    automaton *a = c->automaton;
    const goal *g = goal_get(c, a->modules.items[index].goal);
    formula closed = g->object->nodes.items[node].close;
    uint32_t class_index = closed == FORMULA_FALSE ? NONE : goal_class(g, closed);
    bool closes = module_usable(&a->modules.items[index], class_index);
    uint32_t name = a->modules.items[index].keys[node];
    if (name == NONE) name = a->modules.items[index].keys[node] = key_instance(c, index, node);
    bool needs = false;
    for (uint32_t i = 0; i < g->object->names.count; i++) needs |= g->object->needed[i];
    edge close = {'}', '}', EDGE_POP, 0, class_index}, key = {'"', '"', EDGE_OPEN, 0, 0}, comma = {',', ',', EDGE_NAMED, 0, 0};
    if (needs && closes) {
        close.op = EDGE_CLOSE_NAMED;
        close.target = pair_of(c, a->modules.items[index].object, class_index);
    }
    if (name != NONE) {
        const instance *in = &a->instances.items[name];
        key.target = in->base + a->scalars.items[a->instance_module.items[name]]->root;
    }
    if (start) {
        bool opens = name != NONE && starts_with_name(a, g->object, name);
        start_member(c, a->modules.items[index].start, closes && !needs ? &close : NULL, &key, opens);
        return;
    }
    if (name != NONE) comma.target = pair_of(c, before_member(c, &key, 1), name);
    after_member(c, a->modules.items[index].after[node], closes ? &close : NULL, name != NONE ? &comma : NULL);
}

void emit_object(compiler *c, uint32_t index) {
    automaton *a = c->automaton;
    const graph *g = goal_get(c, a->modules.items[index].goal)->object;
    uint32_t node_count = g->nodes.count;
    uint8_t *done = NEW_ARRAY(c, uint8_t, node_count);
    refuse_small_kinds(c, a->modules.items[index].goal);
    a->modules.items[index].object = object_add(c, g);
    a->modules.items[index].member = compiler_new(c, sizeof(uint32_t) * (g->names.count + 1));
    a->modules.items[index].then = compiler_new(c, sizeof(uint32_t) * (g->names.count + 1));
    memset(a->modules.items[index].member, 0xFF, sizeof(uint32_t) * (g->names.count + 1));
    memset(a->modules.items[index].then, 0xFF, sizeof(uint32_t) * (g->names.count + 1));
    emit_node(c, index, 0, true);
    for (bool more = true; more;) {
        more = false;
        for (uint32_t node = 0; node < node_count; node++) {
            if (a->modules.items[index].after[node] == NONE || done[node]) continue;
            done[node] = 1;
            more = true;
            emit_node(c, index, node, false);
        }
    }
}
