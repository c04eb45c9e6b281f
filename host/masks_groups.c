/* masks_groups.c - the vocabulary as one string module sees it: bytes that no state of the module tells apart are one, and so
 * are tokens that differ only in such bytes. A pattern has few kinds of bytes, so its states walk a small trie. */
#include <stdlib.h>
#include <string.h>

#include "masks_build.h"

static const edge *edge_of(const automaton *a, const local_state *l, uint8_t byte) {
    for (uint32_t k = 0; k < l->edge_count; k++) {
        const edge *e = &a->edges.items[l->edges + k];
        if (byte >= e->lo && byte <= e->hi) return e;
    }
    return NULL;
}

static bool same_steps(compiler *c, const scalar_module *s, uint8_t left, uint8_t right) {
    const automaton *a = c->automaton;
    for (uint32_t i = 0; i < s->locals.count; i++) {
        const edge *one = edge_of(a, &s->locals.items[i], left), *other = edge_of(a, &s->locals.items[i], right);
        if ((one == NULL) != (other == NULL)) return false;
        if (one != NULL && (one->op != other->op || one->target != other->target)) return false;
    }
    compiler_spend(c, 10 * (uint64_t)s->locals.count);
    return true;
}

/* [byte] kind of the byte in this module, 0: no state reads it. */
static void find_kinds(compiler *c, const scalar_module *s, uint8_t *kind, bool *ends) {
    const automaton *a = c->automaton;
    uint64_t hash[256];
    memset(hash, 0, sizeof hash);
    memset(ends, 0, 256);
    for (uint32_t i = 0; i < s->locals.count; i++) {
        const local_state *l = &s->locals.items[i];
        for (uint32_t k = 0; k < l->edge_count; k++) {
            edge e = a->edges.items[l->edges + k];
            uint64_t mark = ((uint64_t)i << 32 | e.target) * 0x9E3779B97F4A7C15u + e.op + 1;
            mark = (mark ^ mark >> 29) * 0xBF58476D1CE4E5B9u;
            for (uint32_t byte = e.lo; byte <= e.hi; byte++) {
                hash[byte] += mark ^ mark >> 32;
                ends[byte] |= e.op != EDGE_LOCAL;
            }
        }
    }
    compiler_spend(c, 100 * (uint64_t)s->locals.count);
    uint32_t kinds = 0;
    for (uint32_t byte = 0; byte < 256; byte++) {
        kind[byte] = 0;
        for (uint32_t other = 0; other < byte && hash[byte] != 0; other++) {
            if (hash[other] == hash[byte] && same_steps(c, s, (uint8_t)other, (uint8_t)byte)) kind[byte] = kind[other];
        }
        if (hash[byte] != 0 && kind[byte] == 0) kind[byte] = (uint8_t)(++kinds < 255 ? kinds : 255);
    }
}

static uint32_t child_of_kind(compiler *c, token_groups *g, uint32_t parent, uint8_t byte, const uint8_t *kind) {
    for (uint32_t at = g->nodes.items[parent].child; at != NONE; at = g->nodes.items[at].next) {
        if (kind[g->nodes.items[at].byte] == kind[byte]) return at;
    }
    group_node made;
    memset(&made, 0, sizeof made);
    made.child = NONE;
    made.next = g->nodes.items[parent].child;
    made.byte = byte;
    PUSH(c, g->nodes, made);
    g->nodes.items[parent].child = g->nodes.count - 1;
    return g->nodes.count - 1;
}

/* Every token's node into its group; a node's value is its group. */
static void group(compiler *c, token_groups *g, const uint8_t *kind, const bool *ends) {
    const weir_vocab *v = c->vocab;
    const trie_node *nodes = v->trie.nodes;
    trie_path path = {compiler_new(c, sizeof *path.levels * ((size_t)v->trie.depth + 1)), 0};
    trie_enter(&path, &v->trie, 0, 0);
    for (uint32_t node = 1, next; node < v->trie.count; node = next) {
        uint32_t into = trie_above(&path, node);
        uint8_t byte = nodes[node].byte;
        compiler_spend(c, 5);
        next = nodes[node].end;
        if (kind[byte] == 0) continue;
        uint32_t to = child_of_kind(c, g, into, byte, kind);
        if (ends[byte]) PUSH(c, g->nodes.items[to].starts, node);
        for (uint32_t t = nodes[node].token; t != VOCAB_NONE; t = v->same[t]) PUSH(c, g->nodes.items[to].tokens, t);
        compiler_spend(c, 5);
        trie_enter(&path, &v->trie, node, to);
        next = node + 1;
    }
}

static void make_marks(compiler *c, group_node *n) {
    uint32_t count = n->tokens.count;
    if (count == 0) return;
    qsort(n->tokens.items, count, sizeof *n->tokens.items, order_ids);
    uint32_t words = 1;
    for (uint32_t i = 1; i < count; i++) words += n->tokens.items[i] / 64 != n->tokens.items[i - 1] / 64;
    n->marks = compiler_zero(c, sizeof *n->marks * words);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t word = n->tokens.items[i] / 64;
        if (i > 0 && n->tokens.items[i - 1] / 64 != word) n->mark_count++;
        n->marks[n->mark_count].word = word;
        n->marks[n->mark_count].bits |= 1ull << n->tokens.items[i] % 64;
    }
    n->mark_count++;
    compiler_spend(c, 20 * (uint64_t)count);
}

const token_groups *masks_groups(compiler *c, scalar_module *s) {
    if (s->groups != NULL) return s->groups;
    token_groups *g = s->groups = NEW(c, token_groups);
    uint8_t kind[256];
    bool ends[256];
    find_kinds(c, s, kind, ends);
    group_node root;
    memset(&root, 0, sizeof root);
    root.child = root.next = NONE;
    PUSH(c, g->nodes, root);
    group(c, g, kind, ends);
    for (uint32_t i = 0; i < g->nodes.count; i++) make_marks(c, &g->nodes.items[i]);
    return g;
}
