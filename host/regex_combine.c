/* regex_combine.c - two automata in; the automaton of the texts that both accept, or only the first one, out. */
#include <string.h>

#include "regex_build.h"

typedef struct move {
    uint32_t set, target;
} move;

/* An automaton whose edges from a state to one target are a set: moves[first[s] .. first[s + 1]) leave state s. */
typedef struct moves {
    VECTOR(move) items;
    uint32_t *first;
} moves;

typedef struct pair {
    uint32_t a, b; /* states, NONE: dead */
} pair;

static moves moves_of(compiler *c, const regex *r, regex_sets *sets) {
    moves m = {.first = NEW_ARRAY(c, uint32_t, r->state_count + 1)};
    uint32_t *seen = NEW_ARRAY(c, uint32_t, r->state_count);
    regex_ranges ranges = {NULL, 0, 0};
    for (uint32_t state = 0; state < r->state_count; state++) {
        const regex_edge *edges = r->edges + r->states[state].edges;
        uint32_t count = r->states[state].edge_count;
        for (uint32_t i = 0; i < count; i++) {
            if (seen[edges[i].target] == state + 1) continue;
            seen[edges[i].target] = state + 1;
            ranges.count = 0;
            for (uint32_t k = i; k < count; k++) {
                if (edges[k].target == edges[i].target) PUSH(c, ranges, ((regex_range){edges[k].lo, edges[k].hi}));
            }
            compiler_spend(c, 4 * (uint64_t)(count - i));
            PUSH(c, m.items, ((move){regex_set_add(c, sets, &ranges, false), edges[i].target}));
        }
        m.first[state + 1] = m.items.count;
    }
    return m;
}

/* The target of each class from a state. */
static void fill_row(const moves *m, const regex_alphabet *alphabet, uint32_t state, uint32_t *row) {
    memset(row, 0xFF, alphabet->class_count * sizeof *row); /* NONE */
    for (uint32_t i = state != NONE ? m->first[state] : 0; state != NONE && i < m->first[state + 1]; i++) {
        for (uint32_t class = 0; class < alphabet->class_count; class++) {
            if (regex_class_in(alphabet, class, m->items.items[i].set)) row[class] = m->items.items[i].target;
        }
    }
}

static bool accepts(const regex *r, uint32_t state) {
    return state != NONE && r->states[state].accepts;
}

static const regex *combine(compiler *c, const json *place, const regex *a, const regex *b, bool subtract) {
    regex_sets sets = {0};
    moves a_moves = moves_of(c, a, &sets), b_moves = moves_of(c, b, &sets);
    regex_table *table = NEW(c, regex_table);
    regex_alphabet *alphabet = regex_alphabet_new(c, &sets);
    table->alphabet = alphabet;
    uint32_t class_count = alphabet->class_count, *a_row = NEW_ARRAY(c, uint32_t, 2 * class_count),
             *b_row = a_row + class_count;
    interner pairs = {0};
    pair start = {a->start, b->start};
    intern(c, &pairs, &start, sizeof start, NULL);
    for (uint32_t state = 0; state < pairs.count; state++) {
        regex_table_check(c, place, table, pairs.count);
        pair from = *(const pair *)pairs.entries.items[state].bytes;
        PUSH(c, table->accepts, accepts(a, from.a) && accepts(b, from.b) != subtract);
        fill_row(&a_moves, alphabet, from.a, a_row);
        fill_row(&b_moves, alphabet, from.b, b_row);
        for (uint32_t class = 0; class < class_count; class++) {
            pair to = {a_row[class], b_row[class]};
            bool dead = to.a == NONE || (to.b == NONE && !subtract);
            uint32_t target = dead ? NONE : intern(c, &pairs, &to, sizeof to, NULL);
            PUSH(c, table->targets, target);
        }
    }
    table->state_count = pairs.count;
    return regex_minimize(c, table);
}

const regex *regex_intersect(compiler *c, const json *place, const regex *a, const regex *b) {
    return combine(c, place, a, b, false);
}

const regex *regex_subtract(compiler *c, const json *place, const regex *a, const regex *b) {
    return combine(c, place, a, b, true);
}
