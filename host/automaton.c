/* automaton.c - the worklist over modules, values by type, and the interning of states. */
#include "automaton.h"

#include <stdlib.h>
#include <string.h>

/* --- interning ------------------------------------------------------------------------------------------------ */

uint32_t edge_list(compiler *c, const edge *edges, uint32_t count) {
    automaton *a = c->automaton;
    bool is_new;
    uint32_t id = intern(c, &a->edge_table, edges, sizeof *edges * count, &is_new);
    /* The table's ids are not offsets; remember the offset beside each. */
    if (is_new) {
        PUSH(c, a->edge_offsets, a->edges.count);
        for (uint32_t i = 0; i < count; i++) PUSH(c, a->edges, edges[i]);
    }
    return a->edge_offsets.items[id];
}

static int by_byte(const void *left, const void *right) {
    return (int)((const edge *)left)->lo - (int)((const edge *)right)->lo;
}

static uint32_t sorted_edges(compiler *c, const edge *edges, uint32_t count) {
    edge *copy = compiler_new(c, sizeof *copy * (count + 1));
    if (count != 0) memcpy(copy, edges, sizeof *copy * count);
    qsort(copy, count, sizeof *copy, by_byte);
    return edge_list(c, copy, count);
}

static uint32_t state_push(compiler *c, state s) {
    automaton *a = c->automaton;
    uint32_t limit = c->options.state_limit;
    if (a->states.count >= limit) {
        compiler_fail(c, WEIR_ERROR_LIMIT, NULL, "the machine needs more than %u states", limit);
    }
    if (a->careful && s.instance == NONE) s.flags |= STATE_CAREFUL; /* of an instance: instance_add */
    PUSH(c, a->states, s);
    PUSH(c, a->state_module, a->current);
    return a->states.count - 1;
}

uint32_t state_intern(compiler *c, const edge *edges, uint32_t count, uint32_t instance_id, uint8_t flags) {
    automaton *a = c->automaton;
    uint32_t first = sorted_edges(c, edges, count);
    uint32_t key[5] = {first, count, instance_id, flags, a->current};
    bool is_new;
    uint32_t id = intern(c, &a->state_table, key, sizeof key, &is_new);
    if (!is_new) return a->state_ids.items[id];
    uint32_t at = state_push(c, (state){first, instance_id, NONE, 0, (uint16_t)count, 0, flags, 0, 0});
    PUSH(c, a->state_ids, at);
    return at;
}

uint32_t judging_state(compiler *c, uint32_t if_new, uint32_t if_repeated, bool certain) {
    edge edges[2];
    uint32_t count = 0; /* low above high: no byte */
    if (if_new != NONE) edges[count++] = (edge){2, 1, EDGE_NEW, 0, if_new};
    if (if_repeated != NONE) edges[count++] = (edge){3, 2, EDGE_REPEATED, certain, if_repeated};
    return state_intern(c, edges, count, NONE, STATE_JUDGES);
}

uint32_t state_reserve(compiler *c) { return state_push(c, (state){0, NONE, NONE, 0, 0, 0, 0, 0, 0}); }

void state_set(compiler *c, uint32_t id, const edge *edges, uint32_t count) {
    uint32_t first = sorted_edges(c, edges, count);
    c->automaton->states.items[id].edges = first;
    c->automaton->states.items[id].edge_count = (uint16_t)count;
}

uint32_t target_list(compiler *c, const uint32_t *targets, uint32_t count) {
    automaton *a = c->automaton;
    uint32_t first = a->targets.count;
    for (uint32_t i = 0; i < count; i++) PUSH(c, a->targets, targets[i]);
    return first;
}

/* What entering a local state of a name asks: on the trie that a name can follow, and beside it that other names can. */
static uint8_t name_flags(const automaton *a, const instance *like, const local_state *l) {
    const object *o = &a->objects.items[like->object];
    bool others_wait = o->order_count != 0;
    if (!l->on_trie) return others_wait ? STATE_NAMED | STATE_OTHERS : 0;
    return (uint8_t)(STATE_NAMED | (l->others ? STATE_OTHERS : 0));
}

/* A fresh set of states for the locals of a scalar module, unless the same use exists. */
uint32_t instance_add(compiler *c, uint32_t scalar, const instance *like) {
    automaton *a = c->automaton;
    const scalar_module *s = a->scalars.items[scalar];
    VECTOR(uint32_t) key = {NULL, 0, 0};
    PUSH(c, key, scalar);
    PUSH(c, key, a->current);
    PUSH(c, key, like->longest);
    PUSH(c, key, like->hash_used);
    PUSH(c, key, like->hash_keep);
    PUSH(c, key, like->object);
    PUSH(c, key, like->object != NONE ? like->dead : 0);
    for (uint32_t i = 0; i < s->class_count; i++) PUSH(c, key, a->targets.items[like->exits + i]);
    for (uint32_t i = 0; i < like->length_count; i++) {
        PUSH(c, key, a->lengths.items[like->lengths + i].lo);
        PUSH(c, key, a->lengths.items[like->lengths + i].hi);
        PUSH(c, key, a->lengths.items[like->lengths + i].target);
    }
    bool is_new;
    uint32_t id = intern(c, &a->instance_table, key.items, sizeof *key.items * key.count, &is_new);
    if (!is_new) return id;
    instance made = *like;
    made.base = a->states.count;
    PUSH(c, a->instances, made);
    PUSH(c, a->instance_module, scalar);
    PUSH(c, a->instance_waits, NONE);
    bool is_name = like->object != NONE, kinds = is_name && a->current != NONE && a->modules.items[a->current].keeps_kinds;
    if (a->careful || kinds) scalar_supply(c, a->scalars.items[scalar]);
    for (uint32_t i = 0; i < s->locals.count; i++) {
        const local_state *l = &s->locals.items[i];
        uint8_t flags = (s->hashes ? STATE_HASHES : 0) | (like->object != NONE ? name_flags(a, like, l) : 0);
        for (uint32_t k = 0; k < l->edge_count; k++) { /* a number is complete where nothing need follow it */
            edge e = a->edges.items[l->edges + k];
            if (e.op == EDGE_ELSE && a->targets.items[like->exits + e.target] == a->end) flags |= STATE_ACCEPTS;
        }
        bool of_items = is_name && a->object_of_items.items[like->object] != 0; /* their bits say all */
        if (a->careful && !of_items && (!s->ample[i] || (is_name && l->on_trie) || like->longest != NONE)) flags |= STATE_CAREFUL;
        if (a->careful && s->ample[i] && !is_name && like->longest != NONE) flags |= STATE_ROOMY;
        if (a->careful && s->frozen[i]) flags |= STATE_FROZEN;
        if (kinds && l->others && !s->ample[i]) flags |= STATE_CAREFUL;
        uint32_t made_state = state_push(c, (state){l->edges, id, NONE, 0, (uint16_t)l->edge_count, 0, flags, 0, 0});
        a->states.items[made_state].leaf_lo = l->leaf_lo;
        a->states.items[made_state].leaf_hi = l->leaf_hi;
    }
    return id;
}

/* --- white space ---------------------------------------------------------------------------------------------- */

static uint32_t add_spaces(edge *out, uint32_t count, uint8_t op, uint32_t target) {
    out[count++] = (edge){0x09, 0x0A, op, 0, target};
    out[count++] = (edge){0x0D, 0x0D, op, 0, target};
    out[count++] = (edge){0x20, 0x20, op, 0, target};
    return count;
}

uint32_t spaced_state(compiler *c, const edge *edges, uint32_t count, bool spaces, uint32_t id) {
    edge *all = compiler_new(c, sizeof *all * (count + 4));
    if (count != 0) memcpy(all, edges, sizeof *all * count);
    uint32_t total = count;
    if (spaces && c->options.whitespace == WEIR_WHITESPACE_ANY) {
        uint32_t run = state_reserve(c);
        total = add_spaces(all, count, EDGE_SPACE, run);
        state_set(c, run, all, total);
        total = add_spaces(all, count, EDGE_SPACE_FIRST, run);
    }
    if (id == NONE) return state_intern(c, all, total, NONE, 0);
    state_set(c, id, all, total);
    return id;
}

/* An indentation, then the bytes of `edges`. */
static uint32_t indented(compiler *c, const edge *edges, uint32_t count, uint8_t levels_less) {
    uint32_t then = state_intern(c, edges, count, NONE, 0);
    edge *all = compiler_new(c, sizeof *all * (count + 1));
    all[0] = (edge){' ', ' ', EDGE_INDENT, levels_less, 0};
    for (uint32_t i = 0; i < count; i++) {
        all[1 + i] = (edge){edges[i].lo, edges[i].hi, EDGE_INDENT_END, levels_less, then};
    }
    return state_intern(c, all, count + 1, NONE, 0);
}

uint32_t before_member(compiler *c, const edge *edges, uint32_t count) {
    switch (c->options.whitespace) {
    case WEIR_WHITESPACE_ANY:
        return spaced_state(c, edges, count, true, NONE);
    case WEIR_WHITESPACE_SPACED: {
        uint32_t member = state_intern(c, edges, count, NONE, 0);
        return state_intern(c, &(edge){' ', ' ', EDGE_GO, 0, member}, 1, NONE, 0);
    }
    case WEIR_WHITESPACE_PRETTY: {
        uint32_t line = indented(c, edges, count, 0);
        return state_intern(c, &(edge){'\n', '\n', EDGE_INDENT_FIRST, 0, line}, 1, NONE, 0);
    }
    default:
        return state_intern(c, edges, count, NONE, 0);
    }
}

/* What the bracket asks for, the line feed before it asks already: behind it nothing else can come. */
static edge closing_line(compiler *c, edge close) {
    edge line = {'\n', '\n', EDGE_INDENT_FIRST, close.op == EDGE_CLOSE, 0};
    if (close.op != EDGE_CLOSE_NAMED) {
        line.target = indented(c, &close, 1, 1);
        return line;
    }
    const uint32_t *pair = &c->automaton->targets.items[close.target];
    uint32_t object_id = pair[0];
    close = (edge){close.lo, close.hi, EDGE_POP, 0, pair[1]};
    uint32_t ask[2] = {object_id, indented(c, &close, 1, 1)};
    line.op = EDGE_CLOSE_LINE;
    line.target = target_list(c, ask, 2);
    return line;
}

void after_member(compiler *c, uint32_t id, const edge *close, const edge *comma) {
    edge edges[2];
    uint32_t count = 0;
    if (close != NULL && c->options.whitespace == WEIR_WHITESPACE_PRETTY) {
        edges[count++] = closing_line(c, *close);
    } else if (close != NULL) {
        edges[count++] = *close;
    }
    if (comma != NULL) edges[count++] = *comma;
    spaced_state(c, edges, count, true, id);
}

/* After the opening bracket: close at once, or the first member. */
void start_member(compiler *c, uint32_t id, const edge *close, const edge *edges, uint32_t count) {
    edge *all = compiler_new(c, sizeof *all * (count + 1));
    uint32_t total = 0;
    if (c->options.whitespace == WEIR_WHITESPACE_PRETTY && count != 0) {
        uint32_t line = indented(c, edges, count, 0);
        all[total++] = (edge){'\n', '\n', EDGE_INDENT_FIRST, 0, line};
    } else {
        if (count != 0) memcpy(all, edges, sizeof *all * count);
        total = count;
    }
    if (close != NULL) all[total++] = *close;
    spaced_state(c, all, total, true, id);
}

/* --- values --------------------------------------------------------------------------------------------------- */

static uint32_t cont_of(const goal *g, const uint32_t *conts, formula class) {
    uint32_t index = class == FORMULA_FALSE ? NONE : goal_class(g, class);
    return index == NONE ? NONE : conts[index];
}

static uint32_t add_literal(compiler *c, edge *edges, uint32_t count, const char *text, uint32_t cont) {
    if (cont == NONE) return count;
    edges[count] = (edge){(uint8_t)text[0], (uint8_t)text[0], EDGE_GO, 0, literal_state(c, text + 1, cont)};
    return count + 1;
}

/* Strings of a finite set, of which each item of a unique array must be another: like names, bits of the frame tell which
 * have been read. */
static uint32_t add_items(compiler *c, const goal *g, const uint32_t *conts, edge *edges, uint32_t count) {
    automaton *a = c->automaton;
    const string_plan *plan = g->strings;
    uint32_t members = plan->member_count, live = 0;
    named_text *texts = NEW_ARRAY(c, named_text, members + 1), *sorted = NEW_ARRAY(c, named_text, members + 1);
    uint32_t *rank = NEW_ARRAY(c, uint32_t, members + 1), *exits = NEW_ARRAY(c, uint32_t, members + 1);
    for (uint32_t i = 0; i < members; i++) texts[i].content = schema_text(c, plan->members[i].text, &texts[i].length);
    texts_rank(c, texts, members, rank);
    for (uint32_t i = 0; i < members; i++) {
        uint32_t cont = cont_of(g, conts, plan->members[i].class);
        texts[i].live = cont != NONE;
        sorted[rank[i]] = texts[i];
        exits[rank[i]] = cont;
        live += cont != NONE;
    }
    if (live == 0) return count;
    instance like;
    memset(&like, 0, sizeof like);
    like.object = object_new(c, members);
    a->object_of_items.items[like.object] = 1;
    like.dead = mask_list(c, members / 32 + 1);
    for (uint32_t i = 0; i <= members; i++) { /* the last stands for other strings */
        if (i == members || exits[i] == NONE) a->masks.items[like.dead + i / 32] |= 1u << i % 32;
    }
    uint32_t scalar = string_module(c, sorted, members, NULL, 0, false);
    length_case none = {0, NONE, NONE};
    uint32_t id = name_instance(c, scalar, exits, &none, &like);
    uint32_t first = a->instances.items[id].base + a->scalars.items[scalar]->root;
    edges[count] = (edge){'"', '"', EDGE_NAMED, 0, target_list(c, (const uint32_t[]){first, id}, 2)};
    return count + 1;
}

static uint32_t add_string(compiler *c, const goal *g, const uint32_t *conts, edge *edges, uint32_t count) {
    const string_plan *plan = g->strings;
    if (plan == NULL) return count;
    if (plan->patterned != NULL) {
        uint32_t patterned = pattern_module(c, g, conts);
        if (patterned == NONE) return count;
        edges[count] = (edge){'"', '"', EDGE_OPEN, 0, string_state(c, patterned, conts, NULL, 0)};
        return count + 1;
    }
    length_case *lengths = compiler_new(c, sizeof *lengths * (plan->length_count + 1));
    uint32_t length_count = 0;
    for (uint32_t i = 0; i < plan->length_count; i++) {
        uint32_t cont = cont_of(g, conts, plan->lengths[i].class);
        if (cont != NONE) lengths[length_count++] = (length_case){plan->lengths[i].lo, plan->lengths[i].hi, cont};
    }
    if (length_count == 0 && c->automaton->item_conts != NULL) {
        return add_items(c, g, c->automaton->item_conts, edges, count);
    }
    if (length_count == 0) {
        text_target *list = compiler_new(c, sizeof *list * (plan->member_count + 1));
        uint32_t live = 0;
        for (uint32_t i = 0; i < plan->member_count; i++) {
            uint32_t cont = cont_of(g, conts, plan->members[i].class), length;
            if (cont == NONE) continue;
            const char *content = schema_text(c, plan->members[i].text, &length);
            list[live++] = (text_target){text_quoted(c, content, length), cont};
        }
        if (live == 0) return count;
        edges[count] = (edge){'"', '"', EDGE_GO, 0, text_state(c, list, live)};
        return count + 1;
    }
    named_text *texts = compiler_new(c, sizeof *texts * (plan->member_count + 1));
    uint32_t *exits = compiler_new(c, sizeof *exits * (plan->member_count + 1));
    for (uint32_t i = 0; i < plan->member_count; i++) {
        exits[i] = cont_of(g, conts, plan->members[i].class);
        texts[i].content = schema_text(c, plan->members[i].text, &texts[i].length);
        texts[i].live = exits[i] != NONE;
    }
    uint32_t scalar = string_module(c, texts, plan->member_count, lengths, length_count, false);
    uint32_t first = string_state(c, scalar, exits, lengths, length_count);
    edges[count] = (edge){'"', '"', EDGE_OPEN, 0, first};
    return count + 1;
}

static uint32_t add_number(compiler *c, const goal *g, const uint32_t *conts, edge *edges, uint32_t count) {
    if (g->numbers == NULL) return count;
    uint32_t scalar = number_module(c, g, conts);
    if (scalar == NONE) return count;
    instance like;
    memset(&like, 0, sizeof like);
    like.object = NONE;
    like.longest = NONE;
    like.exit_count = g->classes.count;
    like.exits = target_list(c, conts, g->classes.count);
    uint32_t id = instance_add(c, scalar, &like);
    automaton *a = c->automaton;
    const local_state *root = &a->scalars.items[scalar]->locals.items[a->scalars.items[scalar]->root];
    for (uint32_t i = 0; i < root->edge_count; i++) {
        edge e = a->edges.items[root->edges + i];
        edges[count++] = (edge){e.lo, e.hi, EDGE_GO, 0, a->instances.items[id].base + e.target};
    }
    return count;
}

static uint32_t add_container(compiler *c, goal_id id, value_type type, const uint32_t *conts, edge *edges,
                              uint32_t count) {
    const goal *g = goal_get(c, id);
    automaton *a = c->automaton;
    const graph *container = type == TYPE_OBJECT ? g->object : g->array;
    if (container == NULL || container->nodes.count == 0) return count;
    const uint32_t *item_conts = a->item_conts;
    a->item_conts = NULL;
    uint32_t index = module_get(c, id, type, conts);
    a->item_conts = item_conts;
    if (a->modules.items[index].start == NONE) return count;
    bool is_new;
    uint32_t class_count = g->classes.count;
    uint32_t ret = intern(c, &a->return_table, conts, sizeof *conts * class_count, &is_new);
    if (is_new) {
        uint32_t first = target_list(c, conts, class_count);
        PUSH(c, a->returns, ((return_symbol){first, class_count}));
        if (class_count > a->class_max) a->class_max = class_count;
    }
    uint32_t key[2] = {index, ret};
    uint32_t made = intern(c, &a->call_table, key, sizeof key, &is_new);
    if (is_new) {
        bool judges = a->modules.items[index].keeps_kinds || (type == TYPE_ARRAY && g->array->unique);
        uint32_t flags = (a->modules.items[index].careful || judges ? CALL_CAREFUL : 0) | (judges ? CALL_JUDGES : 0);
        PUSH(c, a->calls, ((call){a->modules.items[index].start, ret, flags}));
        PUSH(c, a->call_module, index);
    }
    uint8_t bracket = type == TYPE_OBJECT ? '{' : '[';
    edges[count] = (edge){bracket, bracket, EDGE_PUSH, 0, made};
    return count + 1;
}

uint32_t value_state(compiler *c, goal_id id, const uint32_t *conts, bool spaces) {
    automaton *a = c->automaton;
    const goal *g = goal_get(c, id);
    uint32_t *key = compiler_new(c, sizeof *key * (g->classes.count + 3));
    key[0] = id;
    key[1] = (uint32_t)spaces | (uint32_t)(a->item_conts != NULL) << 1;
    key[2] = a->current;
    if (g->classes.count != 0) memcpy(key + 3, conts, sizeof *key * g->classes.count);
    bool is_new;
    uint32_t slot = intern(c, &a->value_table, key, sizeof *key * (g->classes.count + 3), &is_new);
    if (!is_new) return a->value_ids.items[slot];
    edge *edges = compiler_new(c, sizeof *edges * 32);
    uint32_t count = 0;
    count = add_literal(c, edges, count, "null", cont_of(g, conts, g->of_type[TYPE_NULL]));
    count = add_literal(c, edges, count, "false", cont_of(g, conts, g->of_type[TYPE_FALSE]));
    count = add_literal(c, edges, count, "true", cont_of(g, conts, g->of_type[TYPE_TRUE]));
    count = add_string(c, g, conts, edges, count);
    count = add_number(c, g, conts, edges, count);
    count = add_container(c, id, TYPE_OBJECT, conts, edges, count);
    count = add_container(c, id, TYPE_ARRAY, conts, edges, count);
    uint32_t made = spaced_state(c, edges, count, spaces, NONE);
    PUSH(c, a->value_ids, made);
    return made;
}

/* --- modules -------------------------------------------------------------------------------------------------- */

bool module_usable(const module *m, uint32_t class_index) {
    return class_index != NONE && (m->usable[class_index / 32] >> class_index % 32 & 1) != 0;
}

uint32_t module_get(compiler *c, goal_id id, value_type type, const uint32_t *conts) {
    automaton *a = c->automaton;
    const goal *g = goal_get(c, id);
    uint32_t words = g->classes.count / 32 + 1;
    uint32_t *key = NEW_ARRAY(c, uint32_t, words + 2);
    key[0] = id;
    bool careful = a->careful || (type == TYPE_ARRAY && g->array->unique);
    key[1] = type | (uint32_t)careful << 8;
    for (uint32_t i = 0; i < g->classes.count; i++) {
        if (conts[i] != NONE) key[2 + i / 32] |= 1u << i % 32;
    }
    bool is_new;
    uint32_t index = intern(c, &a->module_table, key, sizeof *key * (words + 2), &is_new);
    if (!is_new) return index;
    module m;
    memset(&m, 0, sizeof m);
    m.goal = id;
    m.type = type;
    m.careful = careful;
    m.keeps_kinds = type == TYPE_OBJECT && g->object->name_text != NULL && g->object->flips != 0;
    m.usable = key + 2;
    uint32_t nodes = (type == TYPE_OBJECT ? g->object : g->array)->nodes.count;
    m.productive = NEW_ARRAY(c, uint8_t, nodes);
    m.after = NEW_ARRAY(c, uint32_t, nodes);
    m.boundary = NEW_ARRAY(c, uint32_t, nodes);
    m.keys = NEW_ARRAY(c, uint32_t, nodes);
    memset(m.after, 0xFF, sizeof(uint32_t) * nodes);
    memset(m.boundary, 0xFF, sizeof(uint32_t) * nodes);
    memset(m.keys, 0xFF, sizeof(uint32_t) * nodes);
    if (type == TYPE_OBJECT) {
        plan_object(c, &m);
    } else {
        plan_array(c, &m);
    }
    m.start = NONE;
    if (m.productive[0]) {
        uint32_t outer = a->current;
        bool outer_careful = a->careful;
        a->current = index;
        a->careful = careful;
        m.start = state_reserve(c);
        a->current = outer;
        a->careful = outer_careful;
    }
    PUSH(c, a->modules, m);
    return index;
}

automaton *automaton_build(compiler *c) {
    automaton *a = c->automaton = NEW(c, automaton);
    a->class_max = 1;
    a->current = NONE;
    a->end = state_intern(c, NULL, 0, NONE, STATE_ACCEPTS);
    const goal *root = goal_get(c, c->goals->root);
    uint32_t *conts = compiler_new(c, sizeof *conts * (root->classes.count + 1));
    for (uint32_t i = 0; i < root->classes.count; i++) conts[i] = a->end;
    a->start = root->classes.count == 0 ? STATE_DEAD : value_state(c, c->goals->root, conts, false);
    for (uint32_t i = 0; i < a->modules.count; i++) { /* emitting a module may add modules */
        if (a->modules.items[i].start == NONE) continue;
        a->current = i;
        c->part = goal_place(c, a->modules.items[i].goal);
        a->careful = a->modules.items[i].careful;
        if (a->modules.items[i].type == TYPE_OBJECT) {
            emit_object(c, i);
        } else {
            emit_array(c, i);
        }
    }
    a->current = NONE;
    a->careful = false;
    c->part = NULL;
    return a;
}
