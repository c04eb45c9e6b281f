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

/* MACHINE stands in its callers. MACHINE_CALL is large: on a device it stands alone, and as the registers of all calls on the
 * way add up, it and its callers keep little meanwhile. FORGET in one that writes nothing: callers read memory anew behind
 * it. ROLLED: before a loop of few turns, which unrolled would take registers and code. */
#ifdef __CUDACC__
#define MACHINE      static __forceinline__ __host__ __device__
#define MACHINE_CALL static __noinline__ __host__ __device__
#define FORGET       asm volatile("" ::: "memory")
#define ROLLED       _Pragma("unroll 1")
#else
#define MACHINE      static inline
#define MACHINE_CALL static inline
#define FORGET       (void)0
#define ROLLED
#endif

#include "machine_value.h"

/* Head of a sequence; frames follow at SEQUENCE_HEAD, then the values that unique arrays keep, two words each. */
enum sequence_word {
    SEQUENCE_STATE,
    SEQUENCE_COUNTER, /* code points of the open string, or bytes of the open run of white space */
    SEQUENCE_DEPTH,   /* open brackets; the frame on top has this index, frame 0 belongs to the whole text */
    SEQUENCE_HASH,    /* two words: hash of the key being read */
    SEQUENCE_HASH_HIGH,
    SEQUENCE_BUDGET,  /* tokens left, or NONE */
    SEQUENCE_CAREFUL, /* index of the lowest careful frame; 0: none is open */
    SEQUENCE_KEPT,    /* values kept */
    SEQUENCE_VALUE,   /* a value_reader, while a careful frame is open */
    SEQUENCE_VALUE_HIGH,
    SEQUENCE_VALUE_MODE,
    SEQUENCE_VALUE_ZEROS,
    SEQUENCE_VALUE_FRACTION,
    SEQUENCE_VALUE_EXPONENT,
    SEQUENCE_HEAD
};
/* A frame: return symbol, commas read in an array, name_words of bits of names, hashes of keys (two words each), cost of
 * finishing after each class; in a grammar that keeps values MEMBERS_WORDS more. */
enum frame_word { FRAME_RETURN, FRAME_COUNT, FRAME_NAMES };

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
    const object *objects;
    const uint32_t *masks;
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
    m.objects = (const object *)(at + t->offsets[SECTION_OBJECTS]);
    m.masks = (const uint32_t *)(at + t->offsets[SECTION_MASKS]);
    m.rows = (const row *)(at + t->offsets[SECTION_ROWS]);
    m.lists = (const uint32_t *)(at + t->offsets[SECTION_LISTS]);
    m.patches = (const patch *)(at + t->offsets[SECTION_PATCHES]);
    m.words = (const uint32_t *)(at + t->offsets[SECTION_WORDS]);
    return m;
}

/* Words of the frames and the kept values. */
MACHINE size_t machine_frames_words(const tables *t) {
    return (size_t)(t->depth_limit + 1) * t->frame_words + 2 * (size_t)t->kept_slots;
}

/* Words of a sequence. */
MACHINE size_t machine_sequence_words(const tables *t) { return SEQUENCE_HEAD + machine_frames_words(t); }

/* Words that a walk writes to: its frames, and room for the search of machine_search.h. */
MACHINE size_t machine_walk_words(const tables *t) {
    size_t own = machine_frames_words(t);
    return t->kept_slots == 0 ? own : own + machine_sequence_words(t) + own;
}

MACHINE void machine_start(const machine *m, uint32_t *sequence, uint32_t budget) {
    sequence[SEQUENCE_STATE] = m->t->start;
    sequence[SEQUENCE_COUNTER] = 0;
    sequence[SEQUENCE_DEPTH] = 0;
    sequence[SEQUENCE_HASH] = sequence[SEQUENCE_HASH_HIGH] = 0;
    sequence[SEQUENCE_BUDGET] = budget;
    ROLLED for (uint32_t i = SEQUENCE_CAREFUL; i < SEQUENCE_HEAD; i++) sequence[i] = 0;
    ROLLED for (uint32_t i = 0; i < m->t->frame_words; i++) sequence[SEQUENCE_HEAD + i] = 0;
    sequence[SEQUENCE_HEAD + FRAME_RETURN] = TABLES_NONE;
}

MACHINE uint64_t sequence_hash(const uint32_t *sequence) {
    return (uint64_t)sequence[SEQUENCE_HASH_HIGH] << 32 | sequence[SEQUENCE_HASH];
}

/* A walk over a sequence: its own head, frames from `low` up and kept values from `kept_low` up in `frames`, which has
 * machine_walk_words of room. Where the grammar keeps no values, room for the frames that a walk can reach is enough:
 * `frames` then begins with that of the depth `base`. */
typedef struct walk {
    uint32_t state, counter, depth, low, base;
    uint64_t hash;
    const uint32_t *sequence;
    uint32_t *frames;
    uint32_t careful, kept, kept_low;
    uint32_t popped; /* class with which the last frame closed */
    value_reader value;
} walk;

MACHINE void walk_begin_at(walk *w, const uint32_t *sequence, uint32_t *frames, uint32_t base) {
    w->base = base;
    w->state = sequence[SEQUENCE_STATE];
    w->counter = sequence[SEQUENCE_COUNTER];
    w->depth = sequence[SEQUENCE_DEPTH];
    w->low = w->depth + 1;
    w->hash = sequence_hash(sequence);
    w->sequence = sequence;
    w->frames = frames;
    w->careful = sequence[SEQUENCE_CAREFUL];
    w->kept = w->kept_low = sequence[SEQUENCE_KEPT];
    w->popped = TABLES_NONE;
    if (w->careful == 0) return;
    w->value.hash = (uint64_t)sequence[SEQUENCE_VALUE_HIGH] << 32 | sequence[SEQUENCE_VALUE];
    w->value.mode = sequence[SEQUENCE_VALUE_MODE];
    w->value.zeros = sequence[SEQUENCE_VALUE_ZEROS];
    w->value.fraction = sequence[SEQUENCE_VALUE_FRACTION];
    w->value.exponent = sequence[SEQUENCE_VALUE_EXPONENT];
}

MACHINE void walk_begin(walk *w, const uint32_t *sequence, uint32_t *frames) { walk_begin_at(w, sequence, frames, 0); }

/* Writes the walk's head over that of a sequence, but for the budget. */
MACHINE void walk_save_head(const walk *w, uint32_t *sequence) {
    sequence[SEQUENCE_STATE] = w->state;
    sequence[SEQUENCE_COUNTER] = w->counter;
    sequence[SEQUENCE_DEPTH] = w->depth;
    sequence[SEQUENCE_HASH] = (uint32_t)w->hash;
    sequence[SEQUENCE_HASH_HIGH] = (uint32_t)(w->hash >> 32);
    sequence[SEQUENCE_CAREFUL] = w->careful;
    sequence[SEQUENCE_KEPT] = w->kept;
    if (w->careful == 0) return;
    sequence[SEQUENCE_VALUE] = (uint32_t)w->value.hash;
    sequence[SEQUENCE_VALUE_HIGH] = (uint32_t)(w->value.hash >> 32);
    sequence[SEQUENCE_VALUE_MODE] = w->value.mode;
    sequence[SEQUENCE_VALUE_ZEROS] = w->value.zeros;
    sequence[SEQUENCE_VALUE_FRACTION] = w->value.fraction;
    sequence[SEQUENCE_VALUE_EXPONENT] = w->value.exponent;
}

/* Where the walk keeps the frame of this depth, once it has one of its own. */
MACHINE uint32_t *walk_place(const machine *m, const walk *w, uint32_t index) {
    return w->frames + (size_t)(index - w->base) * m->t->frame_words;
}

MACHINE const uint32_t *walk_frame(const machine *m, const walk *w, uint32_t index) {
    if (index >= w->low) return walk_place(m, w, index);
    return w->sequence + SEQUENCE_HEAD + (size_t)index * m->t->frame_words;
}

/* The frame on top, to be written: copied on the first write. */
MACHINE uint32_t *walk_own_frame(const machine *m, walk *w) {
    uint32_t *own = walk_place(m, w, w->depth);
    if (w->depth < w->low) {
        const uint32_t *from = walk_frame(m, w, w->depth);
        ROLLED for (uint32_t i = 0; i < m->t->frame_words; i++) own[i] = from[i];
        w->low = w->depth;
    }
    return own;
}

MACHINE uint32_t cost_add(uint32_t a, uint32_t b) {
    return a == COST_NEVER || b == COST_NEVER || a > COST_NEVER - 1 - b ? COST_NEVER : a + b;
}

MACHINE uint32_t frame_hashes(const machine *m) { return FRAME_NAMES + m->t->name_words; }

/* Of a grammar that keeps values: the frame's MEMBERS_WORDS. */
MACHINE uint32_t frame_members(const machine *m) { return m->t->frame_words - MEMBERS_WORDS; }

/* Where a kept value stands, in a sequence behind its head and in the frames of a walk. */
MACHINE size_t kept_at(const machine *m, uint32_t index) {
    return (size_t)(m->t->depth_limit + 1) * m->t->frame_words + 2 * (size_t)index;
}

MACHINE uint32_t frame_rest_at(const machine *m, uint32_t class_index) {
    return frame_hashes(m) + 2 * m->t->hash_slots + class_index;
}

MACHINE uint32_t frame_rest(const machine *m, const uint32_t *frame, uint32_t class_index) {
    return frame[frame_rest_at(m, class_index)];
}

#include "machine_cost.h"

MACHINE uint32_t walk_cost(const machine *m, const walk *w) {
    return machine_cost(m, w->state, w->counter, w->hash, walk_frame(m, w, w->depth), w->depth);
}

/* What the frame below takes is asked last: little is needed behind it. */
MACHINE bool walk_push(const machine *m, walk *w, const call *to) {
    uint32_t depth = w->depth;
    if (depth >= m->t->depth_limit) return false;
    const uint32_t *below = walk_frame(m, w, depth);
    uint32_t *frame = walk_place(m, w, depth + 1);
    const return_symbol *r = &m->returns[to->ret];
    frame[FRAME_RETURN] = to->ret;
    frame[FRAME_COUNT] = 0;
    ROLLED for (uint32_t i = 0; i < m->t->name_words + 2 * m->t->hash_slots; i++) frame[FRAME_NAMES + i] = 0;
    ROLLED for (uint32_t i = 0; i < m->t->class_max; i++) {
        frame[frame_rest_at(m, i)] = i < r->class_count ? m->targets[r->targets + i] : STATE_DEAD;
    }
    w->depth++;
    if (w->low > w->depth) w->low = w->depth;
    w->state = to->start;
    if (m->t->kept_slots != 0) {
        uint32_t *members = frame + frame_members(m);
        ROLLED for (uint32_t i = 0; i < MEMBERS_KEPT; i++) members[i] = 0;
        members[MEMBERS_KEPT] = w->kept | ((to->flags & CALL_JUDGES) != 0 ? MEMBERS_JUDGES : 0);
        if (w->careful == 0 && (to->flags & CALL_CAREFUL) != 0) w->careful = w->depth;
        w->value.mode = VALUE_NONE;
    }
    ROLLED for (uint32_t i = 0; i < m->t->class_max; i++) {
        uint32_t *rest = &frame[frame_rest_at(m, i)];
        *rest = *rest == STATE_DEAD ? COST_NEVER : machine_cost(m, *rest, 0, 0, below, depth);
    }
    return true;
}

MACHINE bool walk_pop(const machine *m, walk *w, uint32_t class_index, bool object) {
    if (w->depth == 0) return false;
    const uint32_t *frame = walk_frame(m, w, w->depth);
    const return_symbol *r = &m->returns[frame[FRAME_RETURN]];
    if (class_index >= r->class_count) return false;
    w->state = m->targets[r->targets + class_index];
    w->popped = class_index;
    if (w->careful != 0) {
        const uint32_t *members = frame + frame_members(m);
        members_done(&w->value, members, object);
        w->kept = members[MEMBERS_KEPT] & ~MEMBERS_JUDGES;
        if (w->kept_low > w->kept) w->kept_low = w->kept;
        if (w->depth == w->careful) w->careful = 0;
    }
    w->depth--;
    return w->state != STATE_DEAD;
}

MACHINE const uint32_t *walk_kept(const machine *m, const walk *w, uint32_t index) {
    return (index >= w->kept_low ? w->frames : w->sequence + SEQUENCE_HEAD) + kept_at(m, index);
}

/* An item of a unique array ended: where to go on depends on whether its value is new. Values that collide count as equal
 * where that only narrows; else equality must be certain. */
MACHINE_CALL bool walk_judge(const machine *m, walk *w) {
    ROLLED while (w->careful != 0 && (m->states[w->state].flags & STATE_JUDGES) != 0) {
        const state *s = &m->states[w->state];
        const uint32_t *members = walk_frame(m, w, w->depth) + frame_members(m);
        bool repeated = false;
        ROLLED for (uint32_t i = members[MEMBERS_KEPT] & ~MEMBERS_JUDGES; i < w->kept && !repeated; i++) {
            repeated = value_pair(walk_kept(m, w, i)) == w->value.hash;
        }
        const edge *way = (const edge *)0;
        ROLLED for (uint32_t i = 0; i < s->edge_count; i++) {
            const edge *e = &m->edges[s->edges + i];
            if (e->op == (repeated ? EDGE_REPEATED : EDGE_NEW)) way = e;
        }
        if (way == (const edge *)0) return false;
        if (repeated && way->argument != 0 && (w->value.hash & VALUE_EXACT) == 0) return false;
        if (!repeated) {
            if (w->kept == m->t->kept_slots) return false;
            value_put(w->frames + kept_at(m, w->kept), w->value.hash);
            w->kept++;
        }
        w->state = way->target;
    }
    return true;
}

/* A name that is not told apart ended in an object that keeps hashes: it must be new among those kept. */
MACHINE bool walk_key_hash(const machine *m, walk *w, const instance *i) {
    uint32_t low = (uint32_t)w->hash, high = (uint32_t)(w->hash >> 32);
    if (hash_is_kept(m, walk_frame(m, w, w->depth), w->hash, i->hash_used)) return false;
    if (i->hash_keep != 0) {
        uint32_t *own = walk_own_frame(m, w) + frame_hashes(m);
        own[2 * i->hash_used] = low;
        own[2 * i->hash_used + 1] = high;
    }
    return true;
}

/* A name ended: its bit, and in the schema's order those of the names before it. */
MACHINE bool walk_name(const machine *m, walk *w, const instance *i, uint32_t bit) {
    const object *o = &m->objects[i->object];
    const uint32_t *reads = m->masks + o->reads + (size_t)bit * o->words;
    name_filter f = names_open(m, i, walk_frame(m, w, w->depth));
    if (!name_can_follow(&f, bit)) return false;
    uint32_t *seen = walk_own_frame(m, w) + FRAME_NAMES;
    ROLLED for (uint32_t k = 0; k < o->words; k++) seen[k] |= reads[k];
    return true;
}

/* Goes to a local state of the instance; a state of a name only while such a name can follow. */
MACHINE bool walk_local(const machine *m, walk *w, const instance *i, uint32_t local) {
    w->state = i->base + local;
    const state *s = &m->states[w->state];
    if ((s->flags & STATE_NAMED) == 0) return true;
    name_filter f = names_open(m, i, walk_frame(m, w, w->depth));
    return names_can_follow(&f, s->leaf_lo, s->leaf_hi, (s->flags & STATE_OTHERS) != 0);
}

/* The case that holds for a count; the last one holds for all that are left. */
MACHINE const count_case *count_case_at(const count_case *at, uint32_t count) {
    ROLLED while (count > at->upto) at++;
    return at;
}

MACHINE uint32_t count_target(const machine *m, uint32_t first, uint32_t count) {
    return count_case_at(&m->counts[first], count)->target;
}

/* The machine's step. */
MACHINE bool walk_step(const machine *m, walk *w, uint8_t byte) {
    uint32_t class_index; /* with which the frame closes */
    for (;;) {
        const state *s = &m->states[w->state];
        const edge *e = &m->edges[s->edges], *end = e + s->edge_count;
        ROLLED while (e < end && (byte < e->lo || byte > e->hi)) e++;
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
            if (w->counter >= i->longest) return false; /* fall through */
        case EDGE_CHAR:
            w->counter++; /* fall through */
        case EDGE_LOCAL:
            return walk_local(m, w, i, e->target);
        case EDGE_OPEN:
            w->counter = 0;
            w->hash = 0;
            w->state = e->target;
            return true;
        case EDGE_PUSH:
            return walk_push(m, w, &m->calls[e->target]);
        case EDGE_POP:
            class_index = e->target;
            break;
        case EDGE_EXIT:
        case EDGE_EXIT_LENGTH:
            if (i->object != TABLES_NONE) {
                uint32_t others = m->objects[i->object].name_count;
                uint32_t bit = e->op == EDGE_EXIT && e->target < others ? e->target : others;
                if (bit == others && (s->flags & STATE_HASHES) != 0 && !walk_key_hash(m, w, i)) return false;
                if (!walk_name(m, w, i, bit)) return false;
            }
            w->state = STATE_DEAD;
            if (e->op == EDGE_EXIT) {
                w->state = m->targets[i->exits + e->target];
            } else {
                ROLLED for (uint32_t k = 0; k < i->length_count; k++) {
                    const length_case *l = &m->lengths[i->lengths + k];
                    if (w->counter >= l->lo && w->counter <= l->hi) w->state = l->target;
                }
            }
            w->counter = 0;
            return w->state != STATE_DEAD;
        case EDGE_ELSE:
            w->state = m->targets[i->exits + e->target];
            if (w->state == STATE_DEAD || !walk_judge(m, w)) return false;
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
        case EDGE_NAMED: {
            const instance *name = &m->instances[m->targets[e->target + 1]];
            name_filter f = names_open(m, name, walk_frame(m, w, w->depth));
            w->state = m->targets[e->target];
            return names_can_follow(&f, 0, f.name_count, true);
        }
        case EDGE_CLOSE_NAMED: {
            const object *o = &m->objects[m->targets[e->target]];
            if (names_missing(m, o, walk_frame(m, w, w->depth))) return false;
            class_index = m->targets[e->target + 1];
            break;
        }
        case EDGE_CLOSE_LINE:
            w->counter = 0;
            w->state = m->targets[e->target + 1];
            return !names_missing(m, &m->objects[m->targets[e->target]], walk_frame(m, w, w->depth));
        case EDGE_COMMA: {
            uint32_t *frame = walk_own_frame(m, w);
            w->state = count_target(m, e->target, frame[FRAME_COUNT] + 1);
            frame[FRAME_COUNT]++;
            return w->state != STATE_DEAD;
        }
        case EDGE_CLOSE:
            class_index = count_target(m, e->target, walk_frame(m, w, w->depth)[FRAME_COUNT] + 1);
            break;
        default:
            return false;
        }
        return walk_pop(m, w, class_index, byte == '}');
    }
}

/* Reads one byte. false: it is not allowed here; the walk is then over. */
MACHINE_CALL bool walk_byte(const machine *m, walk *w, uint8_t byte) {
    bool careful = w->careful != 0;
    if (careful) value_byte(&w->value, byte);
    if (!walk_step(m, w, byte)) return false;
    if (!careful) return true;
    if (!walk_judge(m, w)) return false;
    uint32_t mode = w->value.mode & VALUE_MODE;
    if (w->careful == 0 || mode != VALUE_NONE || (byte != ',' && byte != ':')) return true;
    uint32_t *members = walk_own_frame(m, w) + frame_members(m);
    if (byte == ',') members_add(&w->value, members);
    if (byte == ':') members_name(&w->value, members);
    return true;
}

MACHINE bool walk_bytes(const machine *m, walk *w, const uint8_t *bytes, uint32_t length) {
    ROLLED for (uint32_t i = 0; i < length; i++) {
        if (!walk_byte(m, w, bytes[i])) return false;
    }
    return true;
}

/* Whether the text may end here. */
MACHINE bool machine_accepts(const machine *m, const uint32_t *sequence) {
    uint32_t at = sequence[SEQUENCE_STATE];
    return at != STATE_DEAD && sequence[SEQUENCE_DEPTH] == 0 && (m->states[at].flags & STATE_ACCEPTS) != 0;
}

#include "machine_search.h"

/* Whether the text can still be finished after this walk, inside the depth limit and with `left` tokens (NONE: any). */
MACHINE bool walk_can_finish(const machine *m, const walk *w, uint32_t left) {
    uint32_t cost = walk_cost(m, w);
    if (cost == COST_NEVER || (left != TABLES_NONE && cost > left)) return false;
    if (w->careful == 0) return true;
    return search_end(m, w, cost, left, left == TABLES_NONE ? 0 : SEARCH_SPARE, TABLES_NONE) != COST_NEVER;
}

#include "machine_token.h"

/* Tokens that always suffice to end the text after this walk. */
MACHINE uint32_t walk_least(const machine *m, const walk *w) {
    uint32_t cost = walk_cost(m, w);
    return w->careful == 0 || cost == COST_NEVER ? cost : search_end(m, w, cost, TABLES_NONE, TABLES_NONE, TABLES_NONE);
}

#endif
