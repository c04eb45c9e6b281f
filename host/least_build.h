/* least_build.h - the fixpoint of least.c, and what the registers of a frame add to it (least_frame.c). */
#ifndef WEIR_HOST_LEAST_BUILD_H
#define WEIR_HOST_LEAST_BUILD_H

#include "automaton.h"
#include "lexicon.h"

typedef struct entries {
    cost *items;
    uint32_t count, capacity;
} entries;

static inline entries *entries_of(compiler *c, uint32_t state_id) {
    return (entries *)&c->automaton->state_costs.items[state_id];
}

static inline cost end_cost(uint32_t target, uint32_t distance) {
    return (cost){target, distance, 0, 0, 0, NONE, 0, 0, 0, 0, 0, 0, NONE, 0, 0};
}

/* least.c: keeps e if no known way is as good. */
void relax(compiler *c, entries *into, cost e);
/* What can be finished from `from`, `distance` later. */
void relax_through(compiler *c, entries *into, uint32_t from, uint32_t distance);

/* least_frame.c: the cheapest segment of a class at a count, or NULL. */
const segment *boundary_cheapest(const boundary_plan *b, uint32_t class_index, uint32_t items);
/* One round of the fixpoint for a boundary; false: nothing changed. */
bool boundary_update(compiler *c, uint32_t index);
/* [count_case] a boundary of its own for every table of EDGE_CLOSE, the bracket and nothing else; NONE elsewhere. */
uint32_t *reserve_closing(compiler *c);

/* least_names.c: one round for the needed names of a module, and for the names of an instance; false: nothing changed. */
bool weights_update(compiler *c, uint32_t index);
bool name_tables_update(compiler *c, uint32_t instance_id);
void reserve_weights(compiler *c);
/* The costs of a state inside a name. */
void name_state(compiler *c, entries *into, uint32_t state_id);
/* Adds what the members cost that this way leaves open, at the start of the object: no name has been read. */
void add_names(compiler *c, cost *e);

#endif
