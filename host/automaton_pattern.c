/* automaton_pattern.c - strings under patterns: an automaton over code points in, one over the bytes of JSON strings out.
 *
 * Code points are written as json.dumps writes them: in UTF-8, control characters, quotes and backslashes as escapes. */
#include <string.h>

#include "automaton.h"

typedef struct builder {
    const text_automaton *text;
    const uint32_t *class_of; /* [states] usable class of a string that ends there, or NONE */
    const uint8_t *live;      /* [states] some string that can be used goes through here */
    uint32_t *body;           /* [states] local between code points */
    scalar_module *module;
    const local_state *like;  /* [states] of names: leaves and others; else NULL */
    interner nodes;           /* edges -> local inside a code point */
    VECTOR(uint32_t) node_locals;
} builder;

/* Where one code point leads, or NONE; *upto: and the code points up to this one. */
static uint32_t target_of(const builder *b, uint32_t state_id, uint32_t point, uint32_t *upto) {
    const text_node *s = &b->text->states.items[state_id];
    const regex_edge *edges = b->text->edges.items + s->edges;
    uint32_t lo = 0, hi = s->edge_count;
    while (lo < hi) {
        uint32_t middle = (lo + hi) / 2;
        if (edges[middle].hi < point) {
            lo = middle + 1;
        } else {
            hi = middle;
        }
    }
    bool inside = lo < s->edge_count && edges[lo].lo <= point;
    *upto = inside ? edges[lo].hi : lo < s->edge_count ? edges[lo].lo - 1 : 0x1FFFFF;
    return inside && b->live[edges[lo].target] ? edges[lo].target : NONE;
}

static uint32_t local_add(compiler *c, builder *b, const edge *edges, uint32_t count) {
    local_state local;
    memset(&local, 0, sizeof local);
    local.edges = edge_list(c, edges, count);
    local.edge_count = count;
    local.points = NONE;
    PUSH(c, b->module->locals, local);
    return b->module->locals.count - 1;
}

/* Names that can follow in `from` can follow in `into`. */
static void join_leaves(local_state *into, const local_state *from) {
    into->others |= from->others;
    into->on_trie |= from->on_trie;
    if (from->leaf_hi == 0) return;
    if (into->leaf_hi == 0 || from->leaf_lo < into->leaf_lo) into->leaf_lo = from->leaf_lo;
    if (from->leaf_hi > into->leaf_hi) into->leaf_hi = from->leaf_hi;
}

/* A local inside a code point; equal ones are one. NONE without edges. */
static uint32_t node(compiler *c, builder *b, const edge *edges, uint32_t count) {
    if (count == 0) return NONE;
    bool is_new;
    uint32_t id = intern(c, &b->nodes, edges, sizeof *edges * count, &is_new);
    if (is_new) {
        uint32_t made = local_add(c, b, edges, count);
        for (uint32_t i = 0; i < count && b->like != NULL; i++) {
            local_state target = b->module->locals.items[edges[i].target];
            join_leaves(&b->module->locals.items[made], &target);
        }
        PUSH(c, b->node_locals, made);
    }
    return b->node_locals.items[id];
}

static uint32_t add_edge(edge *edges, uint32_t count, uint8_t byte, uint32_t local) {
    if (local == NONE) return count;
    if (count > 0 && edges[count - 1].hi + 1 == byte && edges[count - 1].target == local && edges[count - 1].op == EDGE_LOCAL) {
        edges[count - 1].hi = byte;
        return count;
    }
    edges[count] = (edge){byte, byte, EDGE_LOCAL, 0, local};
    return count + 1;
}

/* `bits` bits of a code point are still to come, six a byte; those below `least` are spelled too long. */
static uint32_t tail(compiler *c, builder *b, uint32_t state_id, uint32_t base, uint32_t bits, uint32_t least) {
    uint32_t upto, target = target_of(b, state_id, base, &upto), last = base + (1u << bits) - 1;
    edge edges[64];
    uint32_t count = 0;
    compiler_spend(c, 30);
    if (base >= least && upto >= last) { /* all alike */
        if (target == NONE) return NONE;
        uint32_t local = b->body[target];
        for (uint32_t left = bits; left != 0; left -= 6) local = node(c, b, &(edge){0x80, 0xBF, EDGE_LOCAL, 0, local}, 1);
        return local;
    }
    for (uint32_t i = 0; i < 64; i++) {
        uint32_t from = base + (i << (bits - 6)), ignored, to;
        if (from + (1u << (bits - 6)) <= least) continue;
        if (bits == 6) {
            uint32_t found = target_of(b, state_id, from, &ignored);
            to = found == NONE ? NONE : b->body[found];
        } else {
            to = tail(c, b, state_id, from, bits - 6, least);
        }
        count = add_edge(edges, count, (uint8_t)(0x80 + i), to);
    }
    return node(c, b, edges, count);
}

static uint32_t body_after(const builder *b, uint32_t state_id, uint32_t point) {
    uint32_t upto, target = target_of(b, state_id, point, &upto);
    return target == NONE ? NONE : b->body[target];
}

/* After a backslash: \" \\ \b \f \n \r \t, and \u00XX for the other control characters. */
static uint32_t escape(compiler *c, builder *b, uint32_t state_id) {
    static const struct { char letter; uint8_t point; } short_forms[] = {
        {'"', '"'}, {'\\', '\\'}, {'b', 8}, {'f', 12}, {'n', 10}, {'r', 13}, {'t', 9}};
    static const char hex[] = "0123456789abcdef";
    edge edges[20], high[2];
    uint32_t count = 0, high_count = 0;
    for (uint32_t half = 0; half < 2; half++) {
        count = 0;
        for (uint32_t i = 0; i < 16; i++) {
            uint32_t point = 16 * half + i;
            bool short_form = point >= 8 && point <= 13 && point != 11;
            if (!short_form) count = add_edge(edges, count, (uint8_t)hex[i], body_after(b, state_id, point));
        }
        high_count = add_edge(high, high_count, (uint8_t)('0' + half), node(c, b, edges, count));
    }
    uint32_t unicode = node(c, b, high, high_count);
    for (int zeros = 0; zeros < 2 && unicode != NONE; zeros++) unicode = node(c, b, &(edge){'0', '0', EDGE_LOCAL, 0, unicode}, 1);
    count = 0;
    for (size_t i = 0; i < sizeof short_forms / sizeof *short_forms; i++) {
        count = add_edge(edges, count, (uint8_t)short_forms[i].letter, body_after(b, state_id, short_forms[i].point));
    }
    count = add_edge(edges, count, 'u', unicode);
    return node(c, b, edges, count);
}

static void set_body(compiler *c, builder *b, uint32_t state_id) {
    edge edges[256];
    uint32_t count = 0;
    for (uint32_t byte = 0x20; byte < 0x80; byte++) {
        if (byte == '"' && b->class_of[state_id] != NONE) edges[count++] = (edge){'"', '"', EDGE_EXIT, 0, b->class_of[state_id]};
        if (byte == '\\') count = add_edge(edges, count, '\\', escape(c, b, state_id));
        if (byte != '"' && byte != '\\') count = add_edge(edges, count, (uint8_t)byte, body_after(b, state_id, byte));
    }
    for (uint32_t byte = 0xC2; byte < 0xF5; byte++) {
        uint32_t bits = byte < 0xE0 ? 6 : byte < 0xF0 ? 12 : 18, least = byte < 0xE0 ? 0x80 : byte < 0xF0 ? 0x800 : 0x10000;
        uint32_t base = (byte & (0x3Fu >> (bits / 6))) << bits;
        count = add_edge(edges, count, (uint8_t)byte, tail(c, b, state_id, base, bits, least));
    }
    uint32_t first = edge_list(c, edges, count);
    local_state *local = &b->module->locals.items[b->body[state_id]];
    local->edges = first;
    local->edge_count = count;
}

/* States from which a string can end usefully. */
static uint8_t *find_live(compiler *c, const text_automaton *text, const uint32_t *class_of) {
    uint8_t *ends = compiler_new(c, text->states.count + 1);
    for (uint32_t id = 0; id < text->states.count; id++) ends[id] = class_of[id] != NONE;
    return text_live(c, text, ends);
}

/* The module of an automaton, unless the same exists. `key` begins with what tells kinds of modules apart. */
static uint32_t build(compiler *c, builder *b, uint32_t exit_count, uint32_t told_apart, bool hashes, uint32_t kind) {
    automaton *a = c->automaton;
    const text_automaton *text = b->text;
    uint32_t states = text->states.count;
    VECTOR(uint32_t) key = {NULL, 0, 0};
    PUSH(c, key, kind); /* numbers begin with 2, other strings with 0 or 1 */
    PUSH(c, key, exit_count);
    PUSH(c, key, hashes);
    PUSH(c, key, told_apart);
    for (uint32_t id = 0; id < states; id++) {
        PUSH(c, key, b->class_of[id]);
        PUSH(c, key, text->states.items[id].edge_count);
    }
    for (uint32_t i = 0; i < 3 * text->edges.count; i++) PUSH(c, key, ((const uint32_t *)text->edges.items)[i]);
    bool is_new;
    uint32_t id = intern(c, &a->scalar_table, key.items, sizeof *key.items * key.count, &is_new);
    if (!is_new) return a->scalar_ids.items[id];
    b->body = compiler_new(c, sizeof *b->body * states);
    b->module = NEW(c, scalar_module);
    b->module->kind = SCALAR_STRING;
    b->module->hashes = hashes;
    b->module->class_count = exit_count;
    b->module->told_apart = told_apart;
    for (uint32_t i = 0; i < states; i++) {
        b->body[i] = b->live[i] ? local_add(c, b, NULL, 0) : NONE;
        if (b->live[i] && b->like != NULL) join_leaves(&b->module->locals.items[b->body[i]], &b->like[i]);
    }
    for (uint32_t i = 0; i < states; i++) {
        if (b->live[i]) set_body(c, b, i);
    }
    b->module->root = b->body[0];
    PUSH(c, a->scalars, b->module);
    PUSH(c, a->scalar_ids, a->scalars.count - 1);
    return a->scalars.count - 1;
}

uint32_t pattern_module(compiler *c, const goal *g, const uint32_t *conts) {
    const text_automaton *text = g->strings->patterned;
    uint32_t *class_of = compiler_new(c, sizeof *class_of * text->states.count);
    for (uint32_t id = 0; id < text->states.count; id++) {
        formula class = text->states.items[id].class;
        uint32_t index = class == FORMULA_FALSE ? NONE : goal_class(g, class);
        class_of[id] = index != NONE && conts[index] != NONE ? index : NONE;
    }
    builder b;
    memset(&b, 0, sizeof b);
    b.text = text;
    b.class_of = class_of;
    b.live = find_live(c, text, class_of);
    return b.live[0] ? build(c, &b, g->classes.count, 0, false, 3) : NONE;
}

/* --- names ---------------------------------------------------------------------------------------------------- */

/* The exit of a name that ends in a state. */
static uint32_t name_exit(const compiler *c, const graph *object, formula class, const uint32_t *exits) {
    const formula *answers = formula_get(c, class)->children + 1, *is_name = answers + object->question_count;
    for (uint32_t i = 0; i < object->names.count; i++) {
        if (is_name[i] == FORMULA_TRUE) return exits[object->leaf[i]] != NONE ? object->leaf[i] : NONE;
    }
    for (uint32_t k = 0; k < object->kinds.count; k++) {
        if (object->kinds.items[k] == class) return exits[object->names.count + k] != NONE ? object->names.count + k : NONE;
    }
    return NONE;
}

/* Which names told apart, and whether others, can still be read from each state. */
static local_state *find_leaves(compiler *c, const text_automaton *text, const uint32_t *class_of, uint32_t name_count) {
    local_state *like = NEW_ARRAY(c, local_state, text->states.count);
    for (bool changed = true; changed;) {
        changed = false;
        for (uint32_t id = text->states.count; id-- > 0;) {
            local_state now = like[id];
            const text_node *s = &text->states.items[id];
            uint32_t exit = class_of[id];
            local_state own = {0};
            own.on_trie = exit < name_count;
            own.leaf_lo = own.on_trie ? (uint16_t)exit : 0;
            own.leaf_hi = own.on_trie ? (uint16_t)(exit + 1) : 0;
            own.others = exit != NONE && exit >= name_count;
            join_leaves(&now, &own);
            for (uint32_t k = 0; k < s->edge_count; k++) join_leaves(&now, &like[text->edges.items[s->edges + k].target]);
            changed |= memcmp(&now, &like[id], sizeof now) != 0;
            like[id] = now;
        }
        compiler_spend(c, 5 * ((uint64_t)text->states.count + text->edges.count));
    }
    return like;
}

uint32_t name_module(compiler *c, const graph *object, const uint32_t *exits) {
    const text_automaton *text = object->name_text;
    uint32_t *class_of = compiler_new(c, sizeof *class_of * text->states.count);
    for (uint32_t id = 0; id < text->states.count; id++) {
        class_of[id] = name_exit(c, object, text->states.items[id].class, exits);
    }
    builder b;
    memset(&b, 0, sizeof b);
    b.text = text;
    b.class_of = class_of;
    b.live = find_live(c, text, class_of);
    b.like = find_leaves(c, text, class_of, object->names.count);
    return build(c, &b, object->names.count + object->kinds.count, object->names.count, object->flips != 0, 4);
}
