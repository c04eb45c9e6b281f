/* regex_minimize.c - a table of states and classes in, the smallest automaton of the same language out.
 *
 * Valmari and Lehtinen, "Efficient minimization of DFAs with partial transition functions" (STACS 2008): states and
 * transitions are split against each other, in time that is linear in the transitions but for a logarithm. */
#include "regex_build.h"

/* Blocks of a partition; the members of block b are members[first[b] .. last[b]), the marked ones in front. */
typedef struct partition {
    uint32_t block_count, touched_count;
    uint32_t *members, *places;      /* of each element its place in `members` */
    uint32_t *blocks;                /* by element */
    uint32_t *first, *last, *marked; /* by block */
    uint32_t *touched;               /* blocks with marks */
} partition;

typedef struct transition {
    uint32_t from, to;
} transition;

typedef struct minimizer {
    compiler *c;
    const regex_table *table;
    uint32_t *lives;  /* by state of the table: its number among those that lead to acceptance, or NONE */
    uint32_t *tables; /* back */
    uint32_t live_count, transition_count;
    transition *transitions;      /* by class */
    uint32_t *into, *into_starts; /* transitions into live state s: into[into_starts[s] .. into_starts[s + 1]) */
    partition states, arrows;
} minimizer;

static uint32_t target(const regex_table *table, uint32_t state, uint32_t class) {
    return table->targets.items[(size_t)state * table->alphabet->class_count + class];
}

/* --- partitions ----------------------------------------------------------------------------------------------- */

/* All elements in one block, in their order. */
static void partition_init(compiler *c, partition *p, uint32_t count) {
    uint32_t *memory = NEW_ARRAY(c, uint32_t, 7 * (size_t)count + 7),
             **parts[] = {&p->members, &p->places, &p->blocks, &p->first, &p->last, &p->marked, &p->touched};
    for (uint32_t i = 0; i < 7; i++) *parts[i] = memory + i * ((size_t)count + 1);
    for (uint32_t i = 0; i < count; i++) p->members[i] = p->places[i] = i;
    p->block_count = count != 0;
    p->touched_count = 0;
    p->last[0] = count;
}

static void mark(partition *p, uint32_t element) {
    uint32_t block = p->blocks[element], place = p->places[element], front = p->first[block] + p->marked[block];
    p->members[place] = p->members[front];
    p->places[p->members[place]] = place;
    p->members[front] = element;
    p->places[element] = front;
    if (p->marked[block]++ == 0) p->touched[p->touched_count++] = block;
}

/* Marked elements leave the others; the smaller half becomes the new block. */
static void split(partition *p) {
    while (p->touched_count > 0) {
        uint32_t block = p->touched[--p->touched_count], middle = p->first[block] + p->marked[block];
        uint32_t fresh = p->block_count, marked = p->marked[block];
        p->marked[block] = 0;
        if (middle == p->last[block]) continue;
        if (marked <= p->last[block] - middle) {
            p->first[fresh] = p->first[block];
            p->last[fresh] = p->first[block] = middle;
        } else {
            p->last[fresh] = p->last[block];
            p->first[fresh] = p->last[block] = middle;
        }
        for (uint32_t i = p->first[fresh]; i < p->last[fresh]; i++) p->blocks[p->members[i]] = fresh;
        p->marked[fresh] = 0;
        p->block_count++;
    }
}

/* --- what leads to acceptance ---------------------------------------------------------------------------------- */

/* Numbers the states from which an accepting one can be reached. */
static void find_live(minimizer *m) {
    const regex_table *table = m->table;
    uint32_t states = table->state_count, classes = table->alphabet->class_count, count = 0;
    uint32_t *starts = NEW_ARRAY(m->c, uint32_t, states + 1), *from = NEW_ARRAY(m->c, uint32_t, table->targets.count);
    for (uint32_t i = 0; i < table->targets.count; i++) {
        if (table->targets.items[i] != NONE) starts[table->targets.items[i]]++;
    }
    for (uint32_t i = 1; i <= states; i++) starts[i] += starts[i - 1];
    for (uint32_t i = table->targets.count; i-- > 0;) {
        if (table->targets.items[i] != NONE) from[--starts[table->targets.items[i]]] = i / classes;
    }
    for (uint32_t i = 0; i < states; i++) {
        m->lives[i] = NONE;
        if (!table->accepts.items[i]) continue;
        m->lives[i] = 0;
        m->tables[count++] = i;
    }
    for (uint32_t next = 0; next < count; next++) {
        for (uint32_t i = starts[m->tables[next]]; i < starts[m->tables[next] + 1]; i++) {
            if (m->lives[from[i]] != NONE) continue;
            m->lives[from[i]] = 0;
            m->tables[count++] = from[i];
        }
    }
    m->live_count = 0;
    for (uint32_t i = 0; i < states; i++) {
        if (m->lives[i] == NONE) continue;
        m->tables[m->live_count] = i;
        m->lives[i] = m->live_count++;
    }
}

/* The transitions between live states, class by class; those of one class are a block. */
static void list_transitions(minimizer *m) {
    const regex_table *table = m->table;
    uint32_t classes = table->alphabet->class_count, *class_ends = NEW_ARRAY(m->c, uint32_t, classes), count = 0;
    m->transitions = compiler_new(m->c, sizeof *m->transitions * table->targets.count);
    for (uint32_t class = 0; class < classes; class++) {
        for (uint32_t state = 0; state < m->live_count; state++) {
            uint32_t to = target(table, m->tables[state], class);
            if (to != NONE && m->lives[to] != NONE) m->transitions[count++] = (transition){state, m->lives[to]};
        }
        class_ends[class] = count;
    }
    m->transition_count = count;
    partition *arrows = &m->arrows;
    partition_init(m->c, arrows, count);
    arrows->block_count = 0;
    for (uint32_t class = 0, start = 0; class < classes; start = class_ends[class++]) {
        if (class_ends[class] == start) continue;
        arrows->first[arrows->block_count] = start;
        arrows->last[arrows->block_count] = class_ends[class];
        for (uint32_t i = start; i < class_ends[class]; i++) arrows->blocks[i] = arrows->block_count;
        arrows->block_count++;
    }
}

static void list_into(minimizer *m) {
    m->into = NEW_ARRAY(m->c, uint32_t, m->transition_count);
    m->into_starts = NEW_ARRAY(m->c, uint32_t, m->live_count + 1);
    for (uint32_t i = 0; i < m->transition_count; i++) m->into_starts[m->transitions[i].to]++;
    for (uint32_t i = 1; i <= m->live_count; i++) m->into_starts[i] += m->into_starts[i - 1];
    for (uint32_t i = m->transition_count; i-- > 0;) m->into[--m->into_starts[m->transitions[i].to]] = i;
}

/* Splits states by the transitions that leave them and transitions by the states they enter, until neither splits. */
static void refine(minimizer *m) {
    partition *states = &m->states, *arrows = &m->arrows;
    partition_init(m->c, states, m->live_count);
    for (uint32_t i = 0; i < m->live_count; i++) {
        if (m->table->accepts.items[m->tables[i]]) mark(states, i);
    }
    split(states);
    uint32_t state_block = 1;
    for (uint32_t arrow_block = 0; arrow_block < arrows->block_count; arrow_block++) {
        for (uint32_t i = arrows->first[arrow_block]; i < arrows->last[arrow_block]; i++) {
            mark(states, m->transitions[arrows->members[i]].from);
        }
        compiler_spend(m->c, 10 + 10 * (uint64_t)(arrows->last[arrow_block] - arrows->first[arrow_block]));
        split(states);
        for (; state_block < states->block_count; state_block++) {
            for (uint32_t i = states->first[state_block]; i < states->last[state_block]; i++) {
                uint32_t state = states->members[i];
                for (uint32_t k = m->into_starts[state]; k < m->into_starts[state + 1]; k++) mark(arrows, m->into[k]);
            }
            split(arrows);
        }
    }
}

/* --- the result ----------------------------------------------------------------------------------------------- */

typedef struct writer {
    compiler *c;
    const minimizer *m;
    uint32_t *numbers; /* by block */
    VECTOR(regex_state) states;
    VECTOR(uint32_t) blocks; /* by state of the result */
    VECTOR(regex_edge) edges;
} writer;

static uint32_t number_of(writer *w, uint32_t block) {
    if (w->numbers[block] == NONE) {
        w->numbers[block] = w->blocks.count;
        PUSH(w->c, w->blocks, block);
    }
    return w->numbers[block];
}

static void write_state(writer *w, uint32_t block) {
    const minimizer *m = w->m;
    uint32_t from = m->tables[m->states.members[m->states.first[block]]], start = w->edges.count;
    const regex_alphabet *alphabet = m->table->alphabet;
    for (uint32_t i = 0; i < alphabet->interval_count; i++) {
        const regex_interval *interval = &alphabet->intervals[i];
        uint32_t to = target(m->table, from, interval->class);
        if (to == NONE || m->lives[to] == NONE) continue;
        uint32_t number = number_of(w, m->states.blocks[m->lives[to]]);
        regex_edge *last = w->edges.count > start ? &w->edges.items[w->edges.count - 1] : NULL;
        if (last != NULL && last->target == number && last->hi + 1 == interval->lo) {
            last->hi = interval->hi;
        } else {
            PUSH(w->c, w->edges, ((regex_edge){interval->lo, interval->hi, number}));
        }
    }
    compiler_spend(w->c, 4 * (uint64_t)alphabet->interval_count);
    PUSH(w->c, w->states, ((regex_state){start, w->edges.count - start, m->table->accepts.items[from]}));
}

const regex *regex_minimize(compiler *c, const regex_table *table) {
    minimizer m = {.c = c, .table = table};
    m.lives = NEW_ARRAY(c, uint32_t, table->state_count + 1);
    m.tables = NEW_ARRAY(c, uint32_t, table->state_count + 1);
    compiler_spend(c, 10 * (uint64_t)table->targets.count);
    regex *result = NEW(c, regex);
    result->start = NONE;
    if (table->state_count != 0) find_live(&m);
    if (m.live_count == 0 || m.lives[0] == NONE) return result;
    list_transitions(&m);
    list_into(&m);
    refine(&m);
    writer w = {.c = c, .m = &m};
    w.numbers = NEW_ARRAY(c, uint32_t, m.states.block_count);
    for (uint32_t i = 0; i < m.states.block_count; i++) w.numbers[i] = NONE;
    result->start = number_of(&w, m.states.blocks[m.lives[0]]);
    for (uint32_t i = 0; i < w.blocks.count; i++) write_state(&w, w.blocks.items[i]);
    result->states = w.states.items;
    result->state_count = w.states.count;
    result->edges = w.edges.items;
    return result;
}
