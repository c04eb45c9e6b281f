/* goal_text.c - strings under patterns: one deterministic automaton that runs every pattern, text and length bound which a
 * formula asks for, side by side. Its states say what the formula becomes for a string that ends there. */
#include <stdlib.h>
#include <string.h>

#include "goal.h"

#define TEXT_STATES 20000

static const uint64_t TEXT_BITS = 1ull << ATOM_TEXT | 1ull << ATOM_LENGTH | 1ull << ATOM_PATTERN;

/* A state while it is built: of each pattern its state, of each text the bytes read of it, NONE where it is lost; last, the
 * code points so far, no more than can matter. */
typedef struct product {
    id_list patterns, texts, lengths;
    uint32_t *now, *next;
    uint32_t words, longest;
    interner states;
    VECTOR(uint32_t) cuts; /* of the code points, where a component may move differently */
} product;

static void visit_text_atom(compiler *c, void *context, const formula_node *atom, formula self) {
    (void)self;
    product *p = context;
    if (atom->atom == ATOM_PATTERN) id_list_insert(c, &p->patterns, atom->a);
    if (atom->atom == ATOM_TEXT) id_list_insert(c, &p->texts, atom->a);
    if (atom->atom == ATOM_LENGTH) id_list_insert(c, &p->lengths, atom->a);
}

/* The code point at a byte of valid UTF-8, and how many bytes it takes. */
static uint32_t code_point_at(const char *text, uint32_t *bytes) {
    const uint8_t *at = (const uint8_t *)text;
    *bytes = at[0] < 0x80 ? 1 : at[0] < 0xE0 ? 2 : at[0] < 0xF0 ? 3 : 4;
    uint32_t point = *bytes == 1 ? at[0] : at[0] & (0x7Fu >> *bytes);
    for (uint32_t i = 1; i < *bytes; i++) point = point << 6 | (at[i] & 0x3F);
    return point;
}

static uint32_t index_of(const id_list *list, uint32_t value) {
    uint32_t i = 0;
    while (list->items[i] != value) i++;
    return i;
}

static formula decide_text(compiler *c, void *context, const formula_node *atom, formula self) {
    const product *p = context;
    bool holds;
    if (atom->atom == ATOM_PATTERN) {
        uint32_t i = index_of(&p->patterns, atom->a);
        holds = p->now[i] != NONE && c->schemas->patterns.items[atom->a]->states[p->now[i]].accepts;
    } else if (atom->atom == ATOM_TEXT) {
        uint32_t length;
        schema_text(c, atom->a, &length);
        holds = p->now[p->patterns.count + index_of(&p->texts, atom->a)] == length;
    } else if (atom->atom == ATOM_LENGTH) {
        holds = p->now[p->words - 1] >= atom->a;
    } else {
        return self;
    }
    return holds ? FORMULA_TRUE : FORMULA_FALSE;
}

static void find_cuts(compiler *c, product *p) {
    p->cuts.count = 0;
    PUSH(c, p->cuts, 0);
    PUSH(c, p->cuts, 0xD800);
    PUSH(c, p->cuts, 0xE000);
    PUSH(c, p->cuts, 0x110000);
    for (uint32_t i = 0; i < p->patterns.count; i++) {
        if (p->now[i] == NONE) continue;
        const regex *r = c->schemas->patterns.items[p->patterns.items[i]];
        const regex_state *s = &r->states[p->now[i]];
        for (uint32_t k = 0; k < s->edge_count; k++) {
            PUSH(c, p->cuts, r->edges[s->edges + k].lo);
            PUSH(c, p->cuts, r->edges[s->edges + k].hi + 1);
        }
    }
    for (uint32_t i = 0; i < p->texts.count; i++) {
        uint32_t length, bytes, at = p->now[p->patterns.count + i];
        const char *text = schema_text(c, p->texts.items[i], &length);
        if (at == NONE || at >= length) continue;
        uint32_t point = code_point_at(text + at, &bytes);
        PUSH(c, p->cuts, point);
        PUSH(c, p->cuts, point + 1);
    }
    qsort(p->cuts.items, p->cuts.count, sizeof *p->cuts.items, order_ids);
    compiler_spend(c, 40 * (uint64_t)p->cuts.count); /* mostly of the sort */
}

static void step(compiler *c, product *p, uint32_t point) {
    for (uint32_t i = 0; i < p->patterns.count; i++) {
        p->next[i] = regex_step(c->schemas->patterns.items[p->patterns.items[i]], p->now[i], point);
    }
    for (uint32_t i = 0; i < p->texts.count; i++) {
        uint32_t length, bytes = 0, at = p->now[p->patterns.count + i];
        const char *text = schema_text(c, p->texts.items[i], &length);
        bool goes_on = at != NONE && at < length && code_point_at(text + at, &bytes) == point;
        p->next[p->patterns.count + i] = goes_on ? at + bytes : NONE;
    }
    uint32_t count = p->now[p->words - 1];
    p->next[p->words - 1] = count < p->longest ? count + 1 : count;
    compiler_spend(c, 10 * (uint64_t)p->words);
}

/* The edges of the state in `now`: one for each stretch of code points on which nothing moves differently. */
static void add_edges(compiler *c, product *p, text_automaton *a, text_node *s) {
    find_cuts(c, p);
    s->edges = a->edges.count;
    for (uint32_t i = 0; i + 1 < p->cuts.count; i++) {
        uint32_t lo = p->cuts.items[i], hi = p->cuts.items[i + 1] - 1;
        if (p->cuts.items[i + 1] == lo || lo == 0xD800) continue;
        step(c, p, lo);
        uint32_t target = intern(c, &p->states, p->next, sizeof *p->next * p->words, NULL);
        regex_edge *last = s->edge_count != 0 ? &a->edges.items[a->edges.count - 1] : NULL;
        if (last != NULL && last->target == target && last->hi + 1 == lo) {
            last->hi = hi;
        } else {
            PUSH(c, a->edges, ((regex_edge){lo, hi, target}));
            s->edge_count++;
        }
    }
}

text_automaton *plan_texts(compiler *c, formula wanted) {
    text_automaton *a = NEW(c, text_automaton);
    product p;
    memset(&p, 0, sizeof p);
    formula_visit(c, wanted, TEXT_BITS, visit_text_atom, &p);
    p.words = p.patterns.count + p.texts.count + 1;
    p.longest = p.lengths.count != 0 ? p.lengths.items[p.lengths.count - 1] : 0;
    p.next = NEW_ARRAY(c, uint32_t, p.words);
    for (uint32_t i = 0; i < p.patterns.count; i++) p.next[i] = c->schemas->patterns.items[p.patterns.items[i]]->start;
    intern(c, &p.states, p.next, sizeof *p.next * p.words, NULL);
    p.now = compiler_new(c, sizeof *p.now * p.words);
    for (uint32_t id = 0; id < p.states.count; id++) {
        if (id >= TEXT_STATES) {
            compiler_fail(c, WEIR_ERROR_LIMIT, NULL, "the patterns and lengths of a string need more than %u states", TEXT_STATES);
        }
        memcpy(p.now, p.states.entries.items[id].bytes, sizeof *p.now * p.words);
        text_node s = {0, 0, formula_replace(c, wanted, TEXT_BITS, decide_text, &p)};
        add_edges(c, &p, a, &s);
        PUSH(c, a->states, s);
    }
    return a;
}
