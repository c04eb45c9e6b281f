/* masks_walk.c - which strings are allowed from a state: a trie walked through the machine, the stack below unknown. */
#include <stdlib.h>
#include <string.h>

#include "masks_walk.h"

static tokens begin(compiler *c, masks *m) {
    tokens t;
    memset(&t, 0, sizeof t);
    t.c = c;
    t.m = m;
    t.noted = NONE;
    m->scratch_next = 0;
    return t;
}

void walk_note_needs(tokens *t, const walker *w) {
    const automaton *a = t->c->automaton;
    uint32_t level = w->pushed;
    needs all = (level != 0 ? t->m->finish_inner : t->m->finish)[w->state];
    all.depth += level;
    for (const frame *f = w->top; f != NULL; f = f->below) {
        const return_symbol *r = &a->returns.items[f->ret];
        needs most = {0, 0, 0};
        level--;
        for (uint32_t i = 0; i < r->class_count; i++) {
            uint32_t target = a->targets.items[r->targets + i];
            if (target != NONE) needs_widen(&most, &(level != 0 ? t->m->finish_inner : t->m->finish)[target]);
        }
        if (level + most.depth > all.depth) all.depth = level + most.depth;
        all.cost = cost_add(all.cost, most.cost);
        all.lines += most.lines;
    }
    needs_widen(&t->needs, &all);
}

/* A token that some name allows: kept with the names, if all such tokens of the row ask the same instance. */
static void found_named(tokens *t, uint32_t value, const walker *w) {
    masks *m = t->m;
    if (m->found_instance == NONE) m->found_instance = w->named.instance;
    if (m->found_instance == w->named.instance && value < NAMED_OTHERS) {
        PUSH(t->c, m->found_named, ((named_token){value, w->named}));
        return;
    }
    m->guarded[value / 64] |= 1ull << value % 64;
    m->touched[value / 4096] |= 1ull << value / 64 % 64;
}

static void found(tokens *t, uint32_t node, const walker *w) {
    if (t->t->nodes[node].token == VOCAB_NONE) return;
    if (t->c->automaton->state_costs.items[w->state].count == 0) return; /* no end from there */
    walk_note_needs(t, w);
    bool careful = (t->c->automaton->states.items[w->state].flags & STATE_CAREFUL) != 0;
    for (uint32_t value = t->t->nodes[node].token; value != VOCAB_NONE;
         value = t->same != NULL ? t->same[value] : VOCAB_NONE) {
        if (w->named.instance != NONE && !w->guarded && !careful && w->spaces == 0) {
            found_named(t, value, w);
            continue;
        }
        if (w->spaces != 0 && !w->guarded && !careful && w->named.instance == NONE) {
            PUSH(t->c, t->m->found_spaced, PACK(value, w->spaces, false));
            continue;
        }
        bool guarded = w->guarded || careful || w->named.instance != NONE;
        bool closing = !careful && w->closing != NONE && (t->m->found_object == NONE || t->m->found_object == w->closing);
        if (closing) t->m->found_object = w->closing;
        (closing ? t->m->closing : guarded ? t->m->guarded : t->m->plain)[value / 64] |= 1ull << value % 64;
        t->m->touched[value / 4096] |= 1ull << value / 64 % 64;
    }
}

/* After a pop into many places: a comma, a bracket or white space may follow, then anything. */
static bool may_follow_value(uint8_t byte) {
    return byte == ',' || byte == '}' || byte == ']' || byte == ' ' || byte == '\n' || byte == '\r' || byte == '\t';
}

static void all_below(tokens *t, uint32_t node, const walker *w) {
    for (uint32_t k = node; k < t->t->nodes[node].end; k++) found(t, k, w);
}

static bool is_leaf(const tokens *t, uint32_t node) { return t->t->nodes[node].end == node + 1; }

static void walk_below(tokens *t, uint32_t node, const walker *w) {
    compiler_spend(t->c, 15);
    if (!is_leaf(t, node)) PUSH(t->c, t->m->visits, ((visit){node + 1, t->t->nodes[node].end, *w}));
}

void walk_node(tokens *t, uint32_t child, const walker *w) {
    uint8_t byte = t->t->nodes[child].byte;
    if (w->anywhere) {
        if (may_follow_value(byte)) all_below(t, child, w);
        return;
    }
    walker ways[WAYS];
    uint32_t count = walker_step(t, w, byte, ways);
    for (uint32_t i = 0; i < count; i++) found(t, child, &ways[i]);
    for (uint32_t i = count; i-- > 0;) { /* the first stands on top */
        if (is_leaf(t, child) || !inside_goes_on(t, child, &ways[i])) walk_below(t, child, &ways[i]);
    }
}

void walk_rest(tokens *t) {
    inside_rest(t);
    while (t->m->visits.count != 0) {
        visit *v = &t->m->visits.items[t->m->visits.count - 1];
        const uint32_t child = v->next;
        v->next = t->t->nodes[child].end;
        if (v->next == v->end) t->m->visits.count--;
        walk_node(t, child, &v->w); /* reads it before it leaves anything on the stack */
        inside_rest(t);
    }
}

void walk_child(tokens *t, uint32_t child, const walker *w) {
    walk_node(t, child, w);
    walk_rest(t);
}

static void walk_root(tokens *t, const walker *w) {
    walk_below(t, 0, w);
    walk_rest(t);
}

walker walker_start(uint32_t state_id) {
    walker w;
    memset(&w, 0, sizeof w);
    w.state = state_id;
    w.named.instance = NONE;
    w.closing = NONE;
    return w;
}

/* --- what was found ------------------------------------------------------------------------------------------- */

static int by_token(const void *left, const void *right) {
    uint32_t a = ((const named_token *)left)->token, b = ((const named_token *)right)->token;
    return a < b ? -1 : a > b;
}

/* Tokens that names allow, each once: one with two ways to be allowed, or that is guarded too, is left to the guard. */
static void collect_named(tokens *t, outcome *o) {
    masks *m = t->m;
    uint32_t kept = 0;
    if (m->found_named.count != 0) qsort(m->found_named.items, m->found_named.count, sizeof *m->found_named.items, by_token);
    for (uint32_t i = 0; i < m->found_named.count;) {
        named_token at = m->found_named.items[i];
        uint32_t next = i + 1;
        while (next < m->found_named.count && m->found_named.items[next].token == at.token) next++;
        uint64_t bit = 1ull << at.token % 64;
        if ((m->plain[at.token / 64] & bit) != 0) {
            i = next;
            continue;
        }
        if (next > i + 1 || ((m->guarded[at.token / 64] | m->closing[at.token / 64]) & bit) != 0) {
            m->guarded[at.token / 64] |= bit;
            m->touched[at.token / 4096] |= 1ull << at.token / 64 % 64;
        } else {
            m->found_named.items[kept++] = at;
        }
        i = next;
    }
    o->named = m->found_named.items;
    o->named_count = kept;
    m->found_named.count = 0;
    m->found_instance = NONE;
}

static outcome collect(tokens *t) {
    masks *m = t->m;
    outcome o = {m->found_plain, m->found_guarded, m->found_closing, 0, 0, 0, m->found_object, m->found_spaced.items,
                 m->found_spaced.count, NULL, 0, m->found_instance, t->needs};
    m->found_object = NONE;
    collect_named(t, &o);
    if (o.spaced_count != 0) qsort(o.spaced, o.spaced_count, sizeof *o.spaced, order_ids);
    m->found_spaced.count = 0;
    for (uint32_t k = 0; k * 64 < m->value_words; k++) {
        for (uint64_t left = m->touched[k]; left != 0; left &= left - 1) {
            uint32_t word = k * 64 + (uint32_t)__builtin_ctzll(left);
            for (uint64_t bits = m->plain[word]; bits != 0; bits &= bits - 1) {
                o.plain[o.plain_count++] = word * 64 + (uint32_t)__builtin_ctzll(bits);
            }
            for (uint64_t bits = m->guarded[word] & ~m->plain[word]; bits != 0; bits &= bits - 1) {
                o.guarded[o.guarded_count++] = word * 64 + (uint32_t)__builtin_ctzll(bits);
            }
            for (uint64_t bits = m->closing[word] & ~m->guarded[word] & ~m->plain[word]; bits != 0; bits &= bits - 1) {
                o.closing[o.closing_count++] = word * 64 + (uint32_t)__builtin_ctzll(bits);
            }
            m->plain[word] = m->guarded[word] = m->closing[word] = 0;
        }
        m->touched[k] = 0;
    }
    return o;
}

outcome masks_walk(compiler *c, masks *m, const trie *tree, const uint32_t *same, uint32_t state_id, bool vocabulary) {
    tokens t = begin(c, m);
    t.t = tree;
    t.same = same;
    walker w = walker_start(state_id);
    const automaton *a = c->automaton;
    const state *s = &a->states.items[state_id];
    if ((s->flags & STATE_JUDGES) != 0) {
        walker ways[2];
        uint32_t count = walker_judge(a, &w, ways);
        for (uint32_t i = 0; i < count; i++) walk_root(&t, &ways[i]);
        return collect(&t);
    }
    if (s->instance != NONE && (s->flags & STATE_NAMED) == 0) {
        inside_walk(&t, s, state_id - a->instances.items[s->instance].base, vocabulary);
        return collect(&t);
    }
    bool sparse = vocabulary;
    for (uint32_t i = 0; i < s->edge_count && sparse; i++) sparse = a->edges.items[s->edges + i].op != EDGE_ELSE;
    if (!sparse) {
        walk_root(&t, &w);
        return collect(&t);
    }
    for (uint32_t i = 0; i < s->edge_count; i++) { /* the root has a child for nearly every byte */
        edge e = a->edges.items[s->edges + i];
        for (uint32_t byte = e.lo; byte <= e.hi; byte++) {
            if (c->vocab->lexicon->root_child[byte] != NONE) walk_child(&t, c->vocab->lexicon->root_child[byte], &w);
        }
    }
    return collect(&t);
}

int masks_walk_one(compiler *c, masks *m, uint32_t state_id, const uint8_t *bytes, uint32_t length) {
    tokens t = begin(c, m);
    m->now.count = 0;
    PUSH(c, m->now, walker_start(state_id));
    for (uint32_t i = 0; i < length; i++) {
        m->next.count = 0;
        for (uint32_t k = 0; k < m->now.count; k++) {
            walker ways[WAYS];
            uint32_t count = m->now.items[k].anywhere ? 0 : walker_step(&t, &m->now.items[k], bytes[i], ways);
            for (uint32_t n = 0; n < count; n++) PUSH(c, m->next, ways[n]);
        }
        m->now.count = 0;
        for (uint32_t k = 0; k < m->next.count; k++) PUSH(c, m->now, m->next.items[k]);
    }
    int mark = MARK_NO;
    for (uint32_t k = 0; k < m->now.count; k++) {
        if (c->automaton->state_costs.items[m->now.items[k].state].count == 0) continue;
        bool careful = (c->automaton->states.items[m->now.items[k].state].flags & STATE_CAREFUL) != 0;
        bool guarded = careful || m->now.items[k].guarded || m->now.items[k].named.instance != NONE;
        int found_mark = guarded ? MARK_GUARDED : MARK_PLAIN;
        if (found_mark > mark) mark = found_mark;
    }
    return mark;
}
