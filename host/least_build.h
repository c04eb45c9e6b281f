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

/* The cheapest segment of a class at a count, or NULL. */
const segment *boundary_cheapest(const boundary_plan *b, uint32_t class_index, uint32_t items);
/* One round of the fixpoint for a boundary, and for the names of a module; false: nothing changed. */
bool boundary_update(compiler *c, uint32_t index);
bool weights_update(compiler *c, uint32_t index);
void reserve_weights(compiler *c);
/* Adds what the names cost that this way leaves out. */
void add_missing(const automaton *a, cost *e);
/* [count_case] a boundary of its own for every table of EDGE_CLOSE, the bracket and nothing else; NONE elsewhere. */
uint32_t *reserve_closing(compiler *c);

#endif
