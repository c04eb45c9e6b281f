/* automaton_object.c - the states of an object between its brackets.
 *
 * A node of the goal's graph is a place between members. Which keys may follow at a node are its own and those that
 * skipping leads to, as far as a useful class can still be reached. */
#include <string.h>

#include "automaton.h"

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
                              graph_marks_writable(object, node);
            productive |= node->skip != NONE && m->productive[node->skip];
            for (uint32_t k = 0; k < node->takes.count && !productive; k++) {
                productive = takes_productive(m, &node->takes.items[k]);
            }
            m->productive[i] = productive;
            changed |= productive;
            compiler_spend(c, 10 + node->takes.count);
        }
    }
}

static uint32_t after_state(compiler *c, uint32_t index, uint32_t node) {
    module *m = &c->automaton->modules.items[index];
    if (m->after[node] == NONE) {
        uint32_t id = state_reserve(c);
        c->automaton->modules.items[index].after[node] = id;
        return id;
    }
    return m->after[node];
}

/* After a key's closing quote: the colon and the value. NONE when no useful value exists. */
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
    edge colon = {':', ':', EDGE_GO, 0, state_id};
    const graph *object = goal_get(c, c->automaton->modules.items[index].goal)->object;
    uint32_t bit = 0;
    while (bit < object->marked.count && (t->key == NONE || object->marked.items[bit] != t->key)) bit++;
    if (bit < object->marked.count) {
        colon.op = EDGE_MARK;
        colon.argument = (uint8_t)bit;
    }
    uint32_t made = spaced_state(c, &colon, 1, true, NONE);
    if (bit < object->marked.count) c->automaton->modules.items[index].mark_states[bit] = made;
    return made;
}

/* The class when the object closes at this node, every later name left out; NONE: it cannot close here. */
static uint32_t close_class(const goal *g, const module *m, uint32_t node) {
    while (g->object->nodes.items[node].skip != NONE) node = g->object->nodes.items[node].skip;
    formula close = g->object->nodes.items[node].close;
    if (g->object->nodes.items[node].position < g->object->names.count || close == FORMULA_FALSE) return NONE;
    uint32_t class_index = goal_class(g, close);
    return module_usable(m, class_index) ? class_index : NONE;
}

typedef VECTOR(text_target) candidate_list;

/* The keys that may be written at a node; *unlisted: where an unlisted key leads, or NONE; *end: the last node. */
static void candidates(compiler *c, uint32_t index, uint32_t node, candidate_list *keys, id_list *ids,
                       uint32_t *unlisted, uint32_t *end) {
    const goal *g = goal_get(c, c->automaton->modules.items[index].goal);
    *unlisted = NONE;
    for (; node != NONE && c->automaton->modules.items[index].productive[node];
         node = g->object->nodes.items[node].skip) {
        *end = node;
        const graph_node *at = &g->object->nodes.items[node];
        for (uint32_t k = 0; k < at->takes.count; k++) {
            const take *t = &at->takes.items[k];
            uint32_t target = at->takes.count == 1 ? c->automaton->modules.items[index].member[node] : 0;
            if (target == 0) target = member_state(c, index, t);
            if (at->takes.count == 1) c->automaton->modules.items[index].member[node] = target;
            if (target == NONE) continue;
            if (t->key == NONE) {
                *unlisted = target;
                continue;
            }
            uint32_t length;
            const char *name = schema_key_text(c, t->key, &length);
            PUSH(c, *keys, ((text_target){text_quoted(c, name, length), target}));
            PUSH(c, *ids, t->key);
        }
        compiler_spend(c, 50);
    }
}

/* Where each name that is told apart leads: a candidate's target; NONE: it may not be written; a name that nothing waits
 * for any more is like any unlisted one. */
static uint32_t exit_of(const graph_node *at, uint32_t name, const candidate_list *keys, const id_list *ids,
                        bool listed, uint32_t unlisted) {
    for (uint32_t k = 0; k < ids->count; k++) {
        if (ids->items[k] == name) return keys->items[k].target;
    }
    if (listed) return NONE;
    for (uint32_t k = 0; k < at->waiting.count; k++) {
        if (at->waiting.items[k] == name) return NONE;
    }
    return unlisted;
}

static edge open_key(compiler *c, const goal *g, const candidate_list *keys, const id_list *ids, uint32_t unlisted,
                     uint32_t end) {
    const graph *object = g->object;
    const graph_node *at = &object->nodes.items[end];
    if (unlisted == NONE && object->flips == 0) {
        return (edge){'"', '"', EDGE_GO, 0, text_state(c, keys->items, keys->count)};
    }
    uint32_t listed = object->names.count, count = listed + object->required.count;
    named_text *texts = compiler_new(c, sizeof *texts * (count + 1));
    uint32_t *exits = compiler_new(c, sizeof *exits * (count + 1));
    for (uint32_t i = 0; i < count; i++) {
        uint32_t name = i < listed ? object->names.items[i] : object->required.items[i - listed];
        texts[i].content = schema_key_text(c, name, &texts[i].length);
        texts[i].live = true;
        exits[i] = exit_of(at, name, keys, ids, i < listed, unlisted);
    }
    length_case any = {0, NONE, unlisted};
    uint32_t most = object->flips;
    uint32_t scalar = string_module(c, texts, count, &any, unlisted != NONE, most != 0);
    if (most > c->automaton->hash_slots) c->automaton->hash_slots = most;
    uint32_t first = string_state(c, scalar, exits, &any, unlisted != NONE, at->flips, at->flips < most);
    return (edge){'"', '"', EDGE_OPEN, 0, first};
}

void emit_object(compiler *c, uint32_t index) {
    automaton *a = c->automaton;
    goal_id id = a->modules.items[index].goal;
    const goal *g = goal_get(c, id);
    uint32_t node_count = g->object->nodes.count;
    uint8_t *done = NEW_ARRAY(c, uint8_t, node_count);
    for (bool more = true, first = true; more; first = false) {
        more = false;
        for (uint32_t node = 0; node < node_count; node++) {
            bool start = first && node == 0;
            uint32_t after = a->modules.items[index].after[node];
            if (!start && (after == NONE || done[node])) continue;
            more = true;
            candidate_list keys = {NULL, 0, 0};
            id_list ids = {NULL, 0, 0};
            uint32_t unlisted, end = node;
            candidates(c, index, node, &keys, &ids, &unlisted, &end);
            uint32_t class_index = close_class(g, &a->modules.items[index], node);
            uint32_t marks = g->object->marked.count;
            edge close = {'}', '}', marks != 0 ? EDGE_CLOSE_MARKED : EDGE_POP, (uint8_t)marks, class_index}, key = {0};
            bool has_key = keys.count != 0 || unlisted != NONE;
            if (has_key) key = open_key(c, g, &keys, &ids, unlisted, end);
            const edge *closing = class_index != NONE ? &close : NULL;
            if (start) {
                start_member(c, a->modules.items[index].start, closing, &key, has_key);
                first = false; /* node 0 may also be an after-state */
                if (a->modules.items[index].after[node] == NONE || done[node]) continue;
                after = a->modules.items[index].after[node];
            }
            edge comma = {',', ',', EDGE_GO, 0, 0};
            if (has_key) comma.target = before_member(c, &key, 1);
            after_member(c, after, closing, has_key ? &comma : NULL);
            done[node] = 1;
        }
    }
}
