/* machine.h - ONE definition of a step: bytes through the tables, with a stack and registers.
 *
 * The same text is compiled for host and device. A sequence is a block of 32-bit words: the head, then one frame for
 * each open bracket. A walk reads bytes from a sequence without changing it: what it writes goes to its own frames, and
 * machine_commit copies them back. So one function decides a guarded token, advances a sequence and verifies a draft. */
#ifndef WEIR_HOST_MACHINE_H
#define WEIR_HOST_MACHINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tables.h"

#ifdef __CUDACC__
#define MACHINE static inline __host__ __device__
#else
#define MACHINE static inline
#endif

/* Head of a sequence; frames follow at SEQUENCE_HEAD. */
enum sequence_word {
    SEQUENCE_STATE,
    SEQUENCE_COUNTER, /* code points of the open string, or bytes of the open run of white space */
    SEQUENCE_DEPTH,   /* open brackets; the frame on top has this index, frame 0 belongs to the whole text */
    SEQUENCE_HASH,    /* two words: hash of the key being read */
    SEQUENCE_HASH_HIGH,
    SEQUENCE_BUDGET,  /* tokens left, or NONE */
    SEQUENCE_HEAD
};
/* A frame: return symbol, commas read in an array or bits of required names in an object, hashes of keys (two words each), cost of finishing after each class. */
enum frame_word { FRAME_RETURN, FRAME_COUNT, FRAME_MARKS = FRAME_COUNT, FRAME_HASHES };

/* The sections of a blob as pointers. */
typedef struct machine {
    const tables *t;
    const state *states;
    const edge *edges;
    const instance *instances;
    const uint32_t *targets;
    const length_case *lengths;
    const count_case *counts;
    const call *calls;
    const return_symbol *returns;
    const cost *costs;
    const boundary *boundaries;
    const segment *segments;
    const uint32_t *weights;
    const row *rows;
    const uint32_t *lists;
    const patch *patches;
    const uint32_t *words;
} machine;

MACHINE machine machine_open(const tables *t) {
    const char *at = (const char *)t;
    machine m;
    m.t = t;
    m.states = (const state *)(at + t->offsets[SECTION_STATES]);
    m.edges = (const edge *)(at + t->offsets[SECTION_EDGES]);
    m.instances = (const instance *)(at + t->offsets[SECTION_INSTANCES]);
    m.targets = (const uint32_t *)(at + t->offsets[SECTION_TARGETS]);
    m.lengths = (const length_case *)(at + t->offsets[SECTION_LENGTHS]);
    m.counts = (const count_case *)(at + t->offsets[SECTION_COUNTS]);
    m.calls = (const call *)(at + t->offsets[SECTION_CALLS]);
    m.returns = (const return_symbol *)(at + t->offsets[SECTION_RETURNS]);
    m.costs = (const cost *)(at + t->offsets[SECTION_COSTS]);
    m.boundaries = (const boundary *)(at + t->offsets[SECTION_BOUNDARIES]);
    m.segments = (const segment *)(at + t->offsets[SECTION_SEGMENTS]);
    m.weights = (const uint32_t *)(at + t->offsets[SECTION_WEIGHTS]);
    m.rows = (const row *)(at + t->offsets[SECTION_ROWS]);
    m.lists = (const uint32_t *)(at + t->offsets[SECTION_LISTS]);
    m.patches = (const patch *)(at + t->offsets[SECTION_PATCHES]);
    m.words = (const uint32_t *)(at + t->offsets[SECTION_WORDS]);
    return m;
}

/* Words of a sequence. */
MACHINE size_t machine_sequence_words(const tables *t) {
    return SEQUENCE_HEAD + (size_t)(t->depth_limit + 1) * t->frame_words;
}

MACHINE void machine_start(const machine *m, uint32_t *sequence, uint32_t budget) {
    sequence[SEQUENCE_STATE] = m->t->start;
    sequence[SEQUENCE_COUNTER] = 0;
    sequence[SEQUENCE_DEPTH] = 0;
    sequence[SEQUENCE_HASH] = sequence[SEQUENCE_HASH_HIGH] = 0;
    sequence[SEQUENCE_BUDGET] = budget;
    for (uint32_t i = 0; i < m->t->frame_words; i++) sequence[SEQUENCE_HEAD + i] = 0;
    sequence[SEQUENCE_HEAD + FRAME_RETURN] = TABLES_NONE;
}

/* A walk over a sequence: its own head, and frames from `low` up in `frames`, which holds depth_limit + 1 of them. */
typedef struct walk {
    uint32_t state, counter, depth, low;
    uint64_t hash;
    const uint32_t *sequence;
    uint32_t *frames;
} walk;

MACHINE void walk_begin(walk *w, const uint32_t *sequence, uint32_t *frames) {
    w->state = sequence[SEQUENCE_STATE];
    w->counter = sequence[SEQUENCE_COUNTER];
    w->depth = sequence[SEQUENCE_DEPTH];
    w->low = w->depth + 1;
    w->hash = (uint64_t)sequence[SEQUENCE_HASH_HIGH] << 32 | sequence[SEQUENCE_HASH];
    w->sequence = sequence;
    w->frames = frames;
}

MACHINE const uint32_t *walk_frame(const machine *m, const walk *w, uint32_t index) {
    size_t at = (size_t)index * m->t->frame_words;
    return index >= w->low ? w->frames + at : w->sequence + SEQUENCE_HEAD + at;
}

/* The frame on top, to be written: copied on the first write. */
MACHINE uint32_t *walk_own_frame(const machine *m, walk *w) {
    size_t at = (size_t)w->depth * m->t->frame_words;
    if (w->depth < w->low) {
        for (uint32_t i = 0; i < m->t->frame_words; i++) w->frames[at + i] = w->sequence[SEQUENCE_HEAD + at + i];
        w->low = w->depth;
    }
    return w->frames + at;
}

MACHINE uint32_t cost_add(uint32_t a, uint32_t b) {
    return a == COST_NEVER || b == COST_NEVER || a > COST_NEVER - 1 - b ? COST_NEVER : a + b;
}

MACHINE uint32_t frame_rest(const machine *m, const uint32_t *frame, uint32_t class_index) {
    return frame[FRAME_HASHES + 2 * m->t->hash_slots + class_index];
}

MACHINE uint32_t boundary_cost(const machine *m, uint32_t index, const uint32_t *frame, uint32_t depth) {
    const boundary *b = &m->boundaries[index];
    uint32_t items = frame[FRAME_COUNT] + 1, least = COST_NEVER, room = m->t->depth_limit - depth;
    for (uint32_t i = 0; i < b->segment_count; i++) {
        const segment *s = &m->segments[b->segments + i];
        if (items < s->lo || items > s->hi || s->depth > room) continue;
        uint64_t more = s->slope != 0 ? s->hi - items : 0;
        uint64_t cost = s->at_hi + s->slope * more + (s->lines_at_hi + s->lines_slope * more) * m->t->indent * depth;
        if (s->lines_at_hi != 0) cost -= m->t->indent;
        uint32_t total = cost_add(cost < COST_NEVER ? (uint32_t)cost : COST_NEVER, frame_rest(m, frame, s->class));
        if (total < least) least = total;
    }
    return least;
}

/* Tokens that always suffice to finish the text from this state, with `frame` on top at `depth`. */
MACHINE uint32_t machine_cost(const machine *m, uint32_t at, uint32_t counter, const uint32_t *frame, uint32_t depth) {
    const state *s = &m->states[at];
    uint32_t least = COST_NEVER, room = m->t->depth_limit - depth;
    for (uint32_t i = 0; i < s->cost_count; i++) {
        const cost *e = &m->costs[s->costs + i];
        if (e->depth > room || counter > e->most) continue;
        uint32_t total = cost_add(e->distance, (e->lines * depth - e->outdent) * m->t->indent);
        if (e->length == TABLES_NONE) {
            total -= counter < total ? counter : total;
        } else if (e->length > counter) {
            total = cost_add(total, e->length - counter);
        }
        if (e->marks != 0) {
            const uint32_t *weights = m->weights + e->marks - 1;
            uint32_t present = frame[FRAME_MARKS] | e->marked;
            for (uint32_t k = 0; k < weights[0]; k++) {
                if ((present >> k & 1) != 0) continue;
                total = weights[2 + 2 * k] > room ? COST_NEVER : cost_add(total, weights[1 + 2 * k]);
            }
        }
        uint32_t then = (e->target & BOUNDARY_FLAG) != 0 ? boundary_cost(m, e->target & ~BOUNDARY_FLAG, frame, depth)
                                                        : frame_rest(m, frame, e->target);
        total = cost_add(total, then);
        if (total < least) least = total;
    }
    return least;
}

MACHINE uint32_t walk_cost(const machine *m, const walk *w) {
    return machine_cost(m, w->state, w->counter, walk_frame(m, w, w->depth), w->depth);
}

MACHINE bool walk_push(const machine *m, walk *w, const call *to) {
    if (w->depth >= m->t->depth_limit) return false;
    const uint32_t *below = walk_frame(m, w, w->depth);
    uint32_t *frame = w->frames + (size_t)(w->depth + 1) * m->t->frame_words;
    const return_symbol *r = &m->returns[to->ret];
    frame[FRAME_RETURN] = to->ret;
    frame[FRAME_COUNT] = 0;
    for (uint32_t i = 0; i < 2 * m->t->hash_slots; i++) frame[FRAME_HASHES + i] = 0;
    for (uint32_t i = 0; i < m->t->class_max; i++) {
        uint32_t target = i < r->class_count ? m->targets[r->targets + i] : STATE_DEAD;
        frame[FRAME_HASHES + 2 * m->t->hash_slots + i] =
            target == STATE_DEAD ? COST_NEVER : machine_cost(m, target, 0, below, w->depth);
    }
    w->depth++;
    if (w->low > w->depth) w->low = w->depth;
    w->state = to->start;
    return true;
}

MACHINE bool walk_pop(const machine *m, walk *w, uint32_t class_index) {
    if (w->depth == 0) return false;
    const return_symbol *r = &m->returns[walk_frame(m, w, w->depth)[FRAME_RETURN]];
    if (class_index >= r->class_count) return false;
    w->state = m->targets[r->targets + class_index];
    w->depth--;
    return w->state != STATE_DEAD;
}

/* A key ended in an object that keeps hashes: it must be new among those kept. */
MACHINE bool walk_key_hash(const machine *m, walk *w, const instance *i) {
    const uint32_t *frame = walk_frame(m, w, w->depth);
    uint32_t low = (uint32_t)w->hash, high = (uint32_t)(w->hash >> 32);
    for (uint32_t k = 0; k < i->hash_used; k++) {
        if (frame[FRAME_HASHES + 2 * k] == low && frame[FRAME_HASHES + 2 * k + 1] == high) return false;
    }
    if (i->hash_keep != 0) {
        uint32_t *own = walk_own_frame(m, w);
        own[FRAME_HASHES + 2 * i->hash_used] = low;
        own[FRAME_HASHES + 2 * i->hash_used + 1] = high;
    }
    return true;
}

/* The case that holds for a count; the last one holds for all that are left. */
MACHINE const count_case *count_case_at(const count_case *at, uint32_t count) {
    while (count > at->upto) at++;
    return at;
}

MACHINE uint32_t count_target(const machine *m, uint32_t first, uint32_t count) {
    return count_case_at(&m->counts[first], count)->target;
}

/* Reads one byte. false: it is not allowed here; the walk is then over. */
MACHINE bool walk_byte(const machine *m, walk *w, uint8_t byte) {
    for (;;) {
        const state *s = &m->states[w->state];
        const edge *e = &m->edges[s->edges], *end = e + s->edge_count;
        while (e < end && (byte < e->lo || byte > e->hi)) e++;
        if (e == end) return false;
        const instance *i = s->instance != TABLES_NONE ? &m->instances[s->instance] : (const instance *)0;
        if ((s->flags & STATE_HASHES) != 0 && e->op != EDGE_EXIT && e->op != EDGE_EXIT_LENGTH) {
            w->hash = (w->hash ^ byte) * 0x9E3779B97F4A7C15u;
            w->hash ^= w->hash >> 29;
        }
        switch (e->op) {
        case EDGE_GO:
            w->state = e->target;
            return true;
        case EDGE_CHAR_FREE:
            if (w->counter >= i->longest) return false;
            w->counter++;
            w->state = i->base + e->target;
            return true;
        case EDGE_CHAR:
            w->counter++;
            w->state = i->base + e->target;
            return true;
        case EDGE_LOCAL:
            w->state = i->base + e->target;
            return true;
        case EDGE_OPEN:
            w->counter = 0;
            w->hash = 0;
            w->state = e->target;
            return true;
        case EDGE_PUSH:
            return walk_push(m, w, &m->calls[e->target]);
        case EDGE_POP:
            return walk_pop(m, w, e->target);
        case EDGE_EXIT:
        case EDGE_EXIT_LENGTH:
            if ((s->flags & STATE_HASHES) != 0 && !walk_key_hash(m, w, i)) return false;
            w->state = STATE_DEAD;
            if (e->op == EDGE_EXIT) {
                w->state = m->targets[i->exits + e->target];
            } else {
                for (uint32_t k = 0; k < i->length_count; k++) {
                    const length_case *l = &m->lengths[i->lengths + k];
                    if (w->counter >= l->lo && w->counter <= l->hi) w->state = l->target;
                }
            }
            w->counter = 0;
            return w->state != STATE_DEAD;
        case EDGE_ELSE:
            w->state = m->targets[i->exits + e->target];
            if (w->state == STATE_DEAD) return false;
            continue; /* the byte is still to be read */
        case EDGE_SPACE_FIRST:
            w->counter = 1;
            w->state = e->target;
            return true;
        case EDGE_SPACE:
            if (w->counter >= m->t->space_run) return false;
            w->counter++;
            w->state = e->target;
            return true;
        case EDGE_INDENT_FIRST:
            w->counter = 0;
            w->state = e->target;
            return true;
        case EDGE_INDENT:
            if (w->counter >= m->t->indent * (w->depth - e->argument)) return false;
            w->counter++;
            return true;
        case EDGE_INDENT_END: {
            if (w->counter != m->t->indent * (w->depth - e->argument)) return false;
            w->counter = 0;
            w->state = e->target;
            continue; /* the byte is still to be read */
        }
        case EDGE_MARK:
            walk_own_frame(m, w)[FRAME_MARKS] |= 1u << e->argument;
            w->state = e->target;
            return true;
        case EDGE_CLOSE_MARKED: {
            uint32_t all = e->argument >= 32 ? TABLES_NONE : (1u << e->argument) - 1;
            return (walk_frame(m, w, w->depth)[FRAME_MARKS] & all) == all && walk_pop(m, w, e->target);
        }
        case EDGE_COMMA: {
            uint32_t *frame = walk_own_frame(m, w);
            w->state = count_target(m, e->target, frame[FRAME_COUNT] + 1);
            frame[FRAME_COUNT]++;
            return w->state != STATE_DEAD;
        }
        case EDGE_CLOSE: {
            uint32_t class_index = count_target(m, e->target, walk_frame(m, w, w->depth)[FRAME_COUNT] + 1);
            return class_index != TABLES_NONE && walk_pop(m, w, class_index);
        }
        default:
            return false;
        }
    }
}

MACHINE bool walk_bytes(const machine *m, walk *w, const uint8_t *bytes, uint32_t length) {
    for (uint32_t i = 0; i < length; i++) {
        if (!walk_byte(m, w, bytes[i])) return false;
    }
    return true;
}

/* Whether the text may end here. */
MACHINE bool machine_accepts(const machine *m, const uint32_t *sequence) {
    uint32_t at = sequence[SEQUENCE_STATE];
    return at != STATE_DEAD && sequence[SEQUENCE_DEPTH] == 0 && (m->states[at].flags & STATE_ACCEPTS) != 0;
}

/* Whether the text can still be finished after this walk, inside the depth limit and with `left` tokens (NONE: any). */
MACHINE bool walk_can_finish(const machine *m, const walk *w, uint32_t left) {
    uint32_t cost = walk_cost(m, w);
    return cost != COST_NEVER && (left == TABLES_NONE || cost <= left);
}

#endif
