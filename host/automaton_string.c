/* automaton_string.c - strings that are not a finite set: the lexical states of JSON, and a trie of texts told apart.
 *
 * A text told apart has one spelling, that of json.dumps(ensure_ascii=False). While the string may still become such a
 * text, escapes that could spell one of its characters otherwise are not written; so no second spelling exists. */
#include <string.h>

#include "automaton.h"

/* --- the lexical states of a free string ---------------------------------------------------------------------- */

static uint32_t hex_edges(edge *e, uint8_t target) {
    e[0] = (edge){'0', '9', EDGE_LOCAL, 0, target};
    e[1] = (edge){'A', 'F', EDGE_LOCAL, 0, target};
    e[2] = (edge){'a', 'f', EDGE_LOCAL, 0, target};
    return 3;
}

static uint32_t tail_edges(edge *e, uint8_t lo, uint8_t hi, uint8_t target) {
    e[0] = (edge){lo, hi, EDGE_LOCAL, 0, target};
    return 1;
}

static uint32_t body_edges(edge *e) {
    static const struct { uint8_t lo, hi, target; } chars[] = {
        {0x20, 0x21, LEX_BODY},  {0x23, 0x5B, LEX_BODY},  {0x5C, 0x5C, LEX_ESCAPE}, {0x5D, 0x7F, LEX_BODY},
        {0xC2, 0xDF, LEX_TAIL1}, {0xE0, 0xE0, LEX_E0},    {0xE1, 0xEC, LEX_TAIL2},  {0xED, 0xED, LEX_ED},
        {0xEE, 0xEF, LEX_TAIL2}, {0xF0, 0xF0, LEX_F0},    {0xF1, 0xF3, LEX_TAIL3},  {0xF4, 0xF4, LEX_F4}};
    uint32_t count = 0;
    for (size_t i = 0; i < sizeof chars / sizeof *chars; i++) {
        if (i == 1) e[count++] = (edge){'"', '"', EDGE_EXIT_LENGTH, 0, 0};
        e[count++] = (edge){chars[i].lo, chars[i].hi, EDGE_CHAR_FREE, 0, chars[i].target};
    }
    return count;
}

static uint32_t escape_edges(edge *e) {
    static const char simple[] = "\"/\\bfnrtu"; /* ascending */
    uint32_t count = 0;
    for (const char *at = simple; *at != '\0'; at++) {
        uint8_t byte = (uint8_t)*at;
        e[count++] = (edge){byte, byte, EDGE_LOCAL, 0, byte == 'u' ? LEX_U4 : LEX_BODY};
    }
    return count;
}

uint32_t lexical_edges(uint32_t lexical, edge *e) {
    switch (lexical) {
    case LEX_BODY:
        return body_edges(e);
    case LEX_ESCAPE:
        return escape_edges(e);
    case LEX_U4: {
        static const struct { uint8_t lo, hi, target; } first[] = {{'0', '9', LEX_U3}, {'A', 'C', LEX_U3},
                                                                   {'D', 'D', LEX_UD}, {'E', 'F', LEX_U3},
                                                                   {'a', 'c', LEX_U3}, {'d', 'd', LEX_UD},
                                                                   {'e', 'f', LEX_U3}};
        for (int i = 0; i < 7; i++) e[i] = (edge){first[i].lo, first[i].hi, EDGE_LOCAL, 0, first[i].target};
        return 7;
    }
    case LEX_U3:
        return hex_edges(e, LEX_U2);
    case LEX_U2:
        return hex_edges(e, LEX_U1);
    case LEX_U1:
        return hex_edges(e, LEX_BODY);
    case LEX_UD:
        e[0] = (edge){'0', '7', EDGE_LOCAL, 0, LEX_U2};
        e[1] = (edge){'8', '9', EDGE_LOCAL, 0, LEX_HIGH2};
        e[2] = (edge){'A', 'B', EDGE_LOCAL, 0, LEX_HIGH2};
        e[3] = (edge){'a', 'b', EDGE_LOCAL, 0, LEX_HIGH2};
        return 4;
    case LEX_HIGH2:
        return hex_edges(e, LEX_HIGH1);
    case LEX_HIGH1:
        return hex_edges(e, LEX_LOW_BACKSLASH);
    case LEX_LOW_BACKSLASH:
        return tail_edges(e, '\\', '\\', LEX_LOW_U);
    case LEX_LOW_U:
        return tail_edges(e, 'u', 'u', LEX_LOW_D);
    case LEX_LOW_D:
        e[0] = (edge){'D', 'D', EDGE_LOCAL, 0, LEX_LOW_C};
        e[1] = (edge){'d', 'd', EDGE_LOCAL, 0, LEX_LOW_C};
        return 2;
    case LEX_LOW_C:
        e[0] = (edge){'C', 'F', EDGE_LOCAL, 0, LEX_U2};
        e[1] = (edge){'c', 'f', EDGE_LOCAL, 0, LEX_U2};
        return 2;
    case LEX_TAIL1:
        return tail_edges(e, 0x80, 0xBF, LEX_BODY);
    case LEX_TAIL2:
        return tail_edges(e, 0x80, 0xBF, LEX_TAIL1);
    case LEX_TAIL3:
        return tail_edges(e, 0x80, 0xBF, LEX_TAIL2);
    case LEX_E0:
        return tail_edges(e, 0xA0, 0xBF, LEX_TAIL1);
    case LEX_ED:
        return tail_edges(e, 0x80, 0x9F, LEX_TAIL1);
    case LEX_F0:
        return tail_edges(e, 0x90, 0xBF, LEX_TAIL2);
    default: /* LEX_F4 */
        return tail_edges(e, 0x80, 0x8F, LEX_TAIL2);
    }
}

/* --- tries ---------------------------------------------------------------------------------------------------- */

typedef struct trie_state {
    uint32_t points;   /* code points begun so far */
    uint32_t text;     /* that ends here, or NONE */
    uint8_t lexical;
    bool alive;        /* something useful can still be written */
    uint16_t leaf_lo, leaf_hi; /* texts that begin so, when they are numbered in byte order */
    VECTOR(struct { uint8_t byte; uint32_t target; }) children; /* ascending */
} trie_state;

typedef struct builder {
    VECTOR(trie_state) nodes;
    const named_text *texts;
    const length_case *lengths;
    uint32_t length_count;
    bool hashes;
    scalar_module *module;
    uint32_t guards[4]; /* escape states beside the trie: [slash forbidden + 2 * non-ASCII forbidden], or NONE */
    uint32_t *local;    /* [nodes] local state, or NONE */
    uint32_t canonical; /* first of the escape states that spell as json.dumps does, or NONE */
} builder;

static uint8_t lexical_step(uint8_t lexical, uint8_t byte, bool *begins) {
    edge edges[16];
    uint32_t count = lexical_edges(lexical, edges);
    for (uint32_t i = 0; i < count; i++) {
        if (byte >= edges[i].lo && byte <= edges[i].hi) {
            *begins = edges[i].op == EDGE_CHAR_FREE;
            return (uint8_t)edges[i].target;
        }
    }
    *begins = false;
    return LEX_BODY;
}

static uint32_t trie_child(const trie_state *node, uint8_t byte) {
    for (uint32_t i = 0; i < node->children.count; i++) {
        if (node->children.items[i].byte == byte) return node->children.items[i].target;
    }
    return NONE;
}

static void note_leaf(trie_state *node, uint32_t text) {
    if (node->leaf_hi == 0 || text < node->leaf_lo) node->leaf_lo = (uint16_t)text;
    if (text >= node->leaf_hi) node->leaf_hi = (uint16_t)(text + 1);
}

static void trie_insert(compiler *c, builder *b, uint32_t text) {
    size_t room = 6 * (size_t)b->texts[text].length + 2;
    char *spelled = compiler_new(c, room);
    size_t size = json_quote(b->texts[text].content, b->texts[text].length, spelled, room);
    uint32_t at = 0;
    note_leaf(&b->nodes.items[0], text);
    for (size_t i = 1; i + 1 < size; i++) { /* without its quotes */
        uint8_t byte = (uint8_t)spelled[i];
        uint32_t next = trie_child(&b->nodes.items[at], byte);
        if (next == NONE) {
            bool begins;
            trie_state made;
            memset(&made, 0, sizeof made);
            made.lexical = lexical_step(b->nodes.items[at].lexical, byte, &begins);
            made.points = b->nodes.items[at].points + begins;
            made.text = NONE;
            next = b->nodes.count;
            PUSH(c, b->nodes, made);
            trie_state *node = &b->nodes.items[at];
            PUSH(c, node->children, ((__typeof__(*node->children.items)){byte, next}));
            for (uint32_t k = node->children.count - 1; k > 0 && node->children.items[k - 1].byte > byte; k--) {
                __typeof__(*node->children.items) swap = node->children.items[k];
                node->children.items[k] = node->children.items[k - 1];
                node->children.items[k - 1] = swap;
            }
        }
        at = next;
        note_leaf(&b->nodes.items[at], text);
        compiler_spend(c, 30);
    }
    b->nodes.items[at].text = text;
}

static bool length_reachable(const builder *b, uint32_t points) {
    return b->length_count != 0 && (b->lengths[b->length_count - 1].hi == NONE ||
                                    points <= b->lengths[b->length_count - 1].hi);
}

static bool length_closes(const builder *b, uint32_t points) {
    for (uint32_t i = 0; i < b->length_count; i++) {
        if (points >= b->lengths[i].lo && (b->lengths[i].hi == NONE || points <= b->lengths[i].hi)) return true;
    }
    return false;
}

/* Children have higher numbers than their parents. */
static void find_alive(builder *b) {
    for (uint32_t i = b->nodes.count; i-- > 0;) {
        trie_state *node = &b->nodes.items[i];
        bool between = node->lexical == LEX_BODY;
        if (node->text != NONE) {
            node->alive = b->texts[node->text].live;
        } else if (between) {
            node->alive = length_closes(b, node->points);
        }
        node->alive |= length_reachable(b, node->points + between);
        for (uint32_t k = 0; k < node->children.count; k++) {
            node->alive |= b->nodes.items[node->children.items[k].target].alive;
        }
    }
}

/* --- local states --------------------------------------------------------------------------------------------- */

static uint32_t local_add(compiler *c, builder *b, const edge *edges, uint32_t count, uint8_t lexical, bool on_trie) {
    local_state local;
    memset(&local, 0, sizeof local);
    local.edges = edge_list(c, edges, count);
    local.edge_count = count;
    local.lexical = lexical;
    local.on_trie = on_trie;
    local.points = NONE;
    local.others = b->length_count != 0;
    PUSH(c, b->module->locals, local);
    return b->module->locals.count - 1;
}

static void local_set(compiler *c, builder *b, uint32_t at, const edge *edges, uint32_t count) {
    b->module->locals.items[at].edges = edge_list(c, edges, count);
    b->module->locals.items[at].edge_count = count;
}

/* Escapes that json.dumps writes: \" \\ \b \f \n \r \t and \u00XX with small letters for the other controls. */
static uint32_t canonical_escape(compiler *c, builder *b) {
    if (b->canonical != NONE) return b->canonical;
    edge e[12];
    e[0] = (edge){'0', '7', EDGE_LOCAL, 0, LEX_BODY};
    e[1] = (edge){'b', 'b', EDGE_LOCAL, 0, LEX_BODY};
    e[2] = (edge){'e', 'f', EDGE_LOCAL, 0, LEX_BODY};
    uint32_t zero = local_add(c, b, e, 3, LEX_U1, true);
    e[0] = (edge){'0', '9', EDGE_LOCAL, 0, LEX_BODY};
    e[1] = (edge){'a', 'f', EDGE_LOCAL, 0, LEX_BODY};
    uint32_t one = local_add(c, b, e, 2, LEX_U1, true);
    e[0] = (edge){'0', '0', EDGE_LOCAL, 0, zero};
    e[1] = (edge){'1', '1', EDGE_LOCAL, 0, one};
    uint32_t u2 = local_add(c, b, e, 2, LEX_U2, true);
    uint32_t u3 = local_add(c, b, &(edge){'0', '0', EDGE_LOCAL, 0, u2}, 1, LEX_U3, true);
    uint32_t u4 = local_add(c, b, &(edge){'0', '0', EDGE_LOCAL, 0, u3}, 1, LEX_U4, true);
    uint32_t count = 0;
    for (const char *at = "\"\\bfnrtu"; *at != '\0'; at++) {
        e[count++] = (edge){(uint8_t)*at, (uint8_t)*at, EDGE_LOCAL, 0, *at == 'u' ? u4 : (uint32_t)LEX_BODY};
    }
    return b->canonical = local_add(c, b, e, count, LEX_ESCAPE, true);
}

/* \u on the trie: only what cannot be a character of a text told apart here: control characters, and U+0080 and up,
 * unless such a character is one. */
static uint32_t guarded_unicode(compiler *c, builder *b, bool controls, bool beyond_ascii) {
    edge e[8];
    uint32_t count = 0;
    if (controls) e[count++] = (edge){'0', '1', EDGE_LOCAL, 0, LEX_U1};
    if (beyond_ascii) {
        e[count++] = (edge){'8', '9', EDGE_LOCAL, 0, LEX_U1};
        e[count++] = (edge){'A', 'F', EDGE_LOCAL, 0, LEX_U1};
        e[count++] = (edge){'a', 'f', EDGE_LOCAL, 0, LEX_U1};
    }
    uint32_t third = local_add(c, b, e, count, LEX_U2, true);
    count = 0;
    e[count++] = (edge){'0', '0', EDGE_LOCAL, 0, third};
    if (beyond_ascii) {
        e[count++] = (edge){'1', '9', EDGE_LOCAL, 0, LEX_U2};
        e[count++] = (edge){'A', 'F', EDGE_LOCAL, 0, LEX_U2};
        e[count++] = (edge){'a', 'f', EDGE_LOCAL, 0, LEX_U2};
    }
    uint32_t second = local_add(c, b, e, count, LEX_U3, true);
    count = beyond_ascii ? lexical_edges(LEX_U4, e + 1) : 0;
    e[0] = (edge){'0', '0', EDGE_LOCAL, 0, second};
    e[1].lo = '1';
    return local_add(c, b, e, count + 1, LEX_U4, true);
}

static uint32_t guarded_escape(compiler *c, builder *b, bool slash, bool beyond_ascii) {
    uint32_t *known = &b->guards[slash + 2 * beyond_ascii];
    if (*known != NONE) return *known;
    edge all[12], e[12];
    uint32_t total = escape_edges(all), count = 0;
    for (uint32_t i = 0; i < total; i++) {
        if (all[i].lo == '/' && slash) continue;
        if (all[i].lo == 'u') all[i].target = guarded_unicode(c, b, true, !beyond_ascii);
        e[count++] = all[i];
    }
    return *known = local_add(c, b, e, count, LEX_ESCAPE, true);
}

static bool has_child_in(const trie_state *node, uint8_t lo, uint8_t hi) {
    for (uint32_t i = 0; i < node->children.count; i++) {
        if (node->children.items[i].byte >= lo && node->children.items[i].byte <= hi) return true;
    }
    return false;
}

/* The edges of a trie node: those of its lexical state, with the bytes of the texts taken out and put in. `parent` is
 * the node before the backslash when this one stands behind it. */
static uint32_t node_edges(compiler *c, builder *b, uint32_t index, uint32_t parent, edge *out) {
    const trie_state *node = &b->nodes.items[index];
    edge lexical[16];
    uint32_t lexical_count = lexical_edges(node->lexical, lexical), count = 0;
    for (uint32_t i = 0; i < lexical_count; i++) {
        edge e = lexical[i];
        for (uint32_t byte = e.lo; byte <= e.hi;) { /* split at the bytes of children */
            uint32_t child = trie_child(node, (uint8_t)byte), to = byte;
            edge piece = e;
            if (child != NONE) {
                if (!b->nodes.items[child].alive) {
                    byte++;
                    continue;
                }
                piece.op = e.op == EDGE_CHAR_FREE ? EDGE_CHAR : EDGE_LOCAL;
                piece.target = b->local[child];
            } else {
                while (to < e.hi && trie_child(node, (uint8_t)(to + 1)) == NONE) to++;
            }
            piece.lo = (uint8_t)byte;
            piece.hi = (uint8_t)to;
            byte = to + 1;
            if (e.op == EDGE_EXIT_LENGTH) {
                if (node->text != NONE) piece = (edge){'"', '"', EDGE_EXIT, 0, node->text};
            } else if (child == NONE && b->length_count == 0) {
                continue; /* only texts told apart are written */
            } else if (child == NONE && node->lexical == LEX_BODY && piece.lo == '\\') {
                piece.target = b->hashes ? canonical_escape(c, b)
                                         : guarded_escape(c, b, trie_child(node, '/') != NONE,
                                                          has_child_in(node, 0x80, 0xFF));
            } else if (child == NONE && node->lexical == LEX_ESCAPE && piece.lo == 'u') {
                bool beyond_ascii = !has_child_in(&b->nodes.items[parent], 0x80, 0xFF);
                bool controls = !has_child_in(node, 'a', 'z'); /* \b \f \n \r \t of a text */
                if (b->hashes || (!beyond_ascii && !controls)) continue;
                piece.target = guarded_unicode(c, b, controls, beyond_ascii);
            } else if (child == NONE && node->lexical == LEX_ESCAPE && piece.lo == '/') {
                if (b->hashes || trie_child(&b->nodes.items[parent], '/') != NONE) continue;
            } else if (child == NONE && node->lexical >= LEX_U4 && node->lexical <= LEX_HIGH1) {
                continue; /* beside an escaped control character of a text */
            }
            out[count++] = piece;
        }
    }
    return count;
}

static void build_locals(compiler *c, builder *b) {
    edge edges[300];
    for (uint32_t lexical = 0; lexical < LEX_COUNT && b->length_count != 0; lexical++) {
        uint32_t count = lexical_edges(lexical, edges);
        local_add(c, b, edges, count, (uint8_t)lexical, false);
    }
    if (b->hashes && b->length_count != 0) { /* free text is spelled in one way as well */
        uint32_t escape = canonical_escape(c, b), count = lexical_edges(LEX_BODY, edges);
        for (uint32_t i = 0; i < count; i++) {
            if (edges[i].lo == '\\') edges[i].target = escape;
        }
        local_set(c, b, LEX_BODY, edges, count);
    }
    if (b->nodes.count <= 1 && b->nodes.items[0].text == NONE) {
        b->module->root = LEX_BODY;
        return;
    }
    uint32_t first = b->module->locals.count;
    b->local = compiler_new(c, sizeof *b->local * b->nodes.count);
    for (uint32_t i = 0; i < b->nodes.count; i++) {
        b->local[i] = NONE;
        if (i != 0 && !b->nodes.items[i].alive) continue;
        uint32_t at = b->local[i] = local_add(c, b, NULL, 0, b->nodes.items[i].lexical, true);
        b->module->locals.items[at].leaf_lo = b->nodes.items[i].leaf_lo;
        b->module->locals.items[at].leaf_hi = b->nodes.items[i].leaf_hi;
        if (b->nodes.items[i].lexical != LEX_BODY) continue;
        b->module->locals.items[at].points = b->nodes.items[i].points;
        b->module->locals.items[at].is_text = b->nodes.items[i].text != NONE;
    }
    uint32_t *parents = NEW_ARRAY(c, uint32_t, b->nodes.count);
    for (uint32_t i = 0; i < b->nodes.count; i++) {
        for (uint32_t k = 0; k < b->nodes.items[i].children.count; k++) {
            parents[b->nodes.items[i].children.items[k].target] = i;
        }
        if (b->local[i] == NONE) continue;
        uint32_t count = node_edges(c, b, i, parents[i], edges);
        local_set(c, b, b->local[i], edges, count);
    }
    b->module->root = first;
}

uint32_t string_module(compiler *c, const named_text *texts, uint32_t count, const length_case *lengths,
                       uint32_t length_count, bool hashes) {
    automaton *a = c->automaton;
    VECTOR(uint32_t) key = {NULL, 0, 0};
    PUSH(c, key, hashes);
    PUSH(c, key, length_count == 0);
    bool bounded = length_count != 0 && (length_count > 1 || lengths[0].lo != 0 || lengths[0].hi != NONE);
    for (uint32_t i = 0; i < count; i++) {
        PUSH(c, key, text_add(c, texts[i].content, texts[i].length));
        PUSH(c, key, texts[i].live);
    }
    for (uint32_t i = 0; i < length_count && bounded && count != 0; i++) {
        PUSH(c, key, lengths[i].lo);
        PUSH(c, key, lengths[i].hi);
    }
    bool is_new;
    uint32_t id = intern(c, &a->scalar_table, key.items, sizeof *key.items * key.count, &is_new);
    if (!is_new) return a->scalar_ids.items[id];
    builder b;
    memset(&b, 0, sizeof b);
    b.texts = texts;
    b.lengths = lengths;
    b.length_count = length_count;
    b.hashes = hashes;
    b.canonical = NONE;
    memset(b.guards, 0xFF, sizeof b.guards);
    b.module = NEW(c, scalar_module);
    b.module->kind = SCALAR_STRING;
    b.module->hashes = hashes;
    b.module->class_count = count;
    trie_state root;
    memset(&root, 0, sizeof root);
    root.text = NONE;
    root.lexical = LEX_BODY;
    PUSH(c, b.nodes, root);
    for (uint32_t i = 0; i < count; i++) trie_insert(c, &b, i);
    find_alive(&b);
    build_locals(c, &b);
    PUSH(c, a->scalars, b.module);
    PUSH(c, a->scalar_ids, a->scalars.count - 1);
    return a->scalars.count - 1;
}

static void set_exits(compiler *c, instance *in, uint32_t scalar, const uint32_t *exits, const length_case *lengths,
                      uint32_t length_count) {
    automaton *a = c->automaton;
    in->exit_count = a->scalars.items[scalar]->class_count;
    in->exits = target_list(c, exits, in->exit_count);
    in->lengths = a->lengths.count;
    in->length_count = length_count;
    for (uint32_t i = 0; i < length_count; i++) PUSH(c, a->lengths, lengths[i]);
    in->longest = length_count != 0 ? lengths[length_count - 1].hi : NONE;
}

uint32_t string_state(compiler *c, uint32_t scalar, const uint32_t *exits, const length_case *lengths,
                      uint32_t length_count) {
    automaton *a = c->automaton;
    instance like;
    memset(&like, 0, sizeof like);
    like.object = NONE;
    set_exits(c, &like, scalar, exits, lengths, length_count);
    uint32_t id = instance_add(c, scalar, &like);
    return a->instances.items[id].base + a->scalars.items[scalar]->root;
}

uint32_t name_instance(compiler *c, uint32_t scalar, const uint32_t *exits, const length_case *any, const instance *like) {
    instance name = *like;
    set_exits(c, &name, scalar, exits, any, any->target != NONE);
    return instance_add(c, scalar, &name);
}
