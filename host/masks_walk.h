/* masks_walk.h - the walk that finds a row, shared by masks_step.c, masks_walk.c and masks_inside.c. */
#ifndef WEIR_HOST_MASKS_WALK_H
#define WEIR_HOST_MASKS_WALK_H

#include "machine.h"
#include "masks_build.h"

#define WAYS 128 /* of one step */

typedef struct frame {
    uint32_t ret, count;
    const uint32_t *seen;      /* names of an object read inside the walk; NULL: none */
    const struct frame *below; /* NULL: the frame in which the walk began */
} frame;

typedef struct walker {
    uint32_t state, counter;
    bool counter_known;  /* else `counter` holds what was added to it */
    uint32_t spaces;     /* bytes by which the run of white space at the start went on */
    bool guarded;
    uint32_t closing;    /* the first guard is that this object must be complete; NONE: it is not */
    named_leaves named;  /* a name of the frame below that must still be able to follow; instance NONE: none */
    bool anywhere;       /* popped into too many places: only the form of what follows is checked */
    const frame *top;
    uint32_t pushed;
} walker;

/* Children of a node that are still to be walked. They stand on a stack of masks_build.h, not on the program's: a token
 * has up to VOCAB_TEXT_MOST bytes, and the stack of a thread may be small. */
typedef struct visit {
    uint32_t next, end; /* nodes: the next child, and where the last one ends */
    walker w;
} visit;

typedef struct tokens {
    compiler *c;
    masks *m;
    const trie *t;
    const uint32_t *same; /* NULL: values are distinct */
    needs needs;
    uint32_t noted; /* a state whose needs are in them */
} tokens;

/* masks_step.c: where a byte leads, every way that it could go. Returns their number; `out` has room for WAYS. */
uint32_t walker_step(tokens *t, const walker *from, uint8_t byte, walker *out);
/* The ways on behind an item of a unique array. */
uint32_t walker_judge(const automaton *a, const walker *from, walker *out);

/* masks_walk.c: a walker at the start of a state. */
walker walker_start(uint32_t state_id);
/* Finds the values below a child of a node, whose byte has not been read yet. */
void walk_child(tokens *t, uint32_t child, const walker *w);
/* The values at that child; what is below it is left on the stacks. */
void walk_node(tokens *t, uint32_t child, const walker *w);
/* Walks what stands on them. */
void walk_rest(tokens *t);
/* Widens the needs of the row by those of this place. */
void walk_note_needs(tokens *t, const walker *w);

/* masks_inside.c: finds the values below the root from a place inside a scalar where no name is asked. */
void inside_walk(tokens *t, const state *s, uint32_t local_id, bool vocabulary);
/* What is below a node needs no walker: it is in a string of no bounded length of which nothing is asked so far. It is left
 * on the stack of inside_rest; false: it is elsewhere. */
bool inside_goes_on(tokens *t, uint32_t node, const walker *w);
void inside_rest(tokens *t);

#endif
