/* backend.h - the functions that every backend has. sampler.c has checked every argument before it calls one. */
#ifndef WEIR_KERNELS_BACKEND_H
#define WEIR_KERNELS_BACKEND_H

#include "weir.h"

typedef struct backend {
    const char *name;
    /* All memory that a step needs, for `slot_count` sequences and rows of `logits_width` columns. */
    weir_status (*create)(const weir_allocator *allocator, uint32_t slot_count, uint32_t logits_width, void **out,
                          weir_error *error);
    void (*destroy)(void *state);
    /* Starts a new sequence in a slot, bound or not; on failure the slot keeps what it held. */
    weir_status (*bind)(void *state, uint32_t slot, const weir_slot_options *options, weir_error *error);
    void (*release)(void *state, uint32_t slot);
    /* As the public functions of the same name; slots are in range, bound, and distinct. They return the first row that
     * failed inside, with error->row, after all other rows were done. */
    weir_status (*step)(void *state, const weir_step *step, weir_error *error);
    weir_status (*masks)(void *state, const int32_t *slots, size_t row_count, uint32_t *masks, size_t stride,
                         weir_error *error);
    weir_status (*advance)(void *state, const int32_t *slots, const int32_t *tokens, size_t row_count,
                           uint32_t *statuses, weir_error *error);
} backend;

extern const backend backend_cpu;          /* what the machine has: vector code where it is known to help */
extern const backend backend_cpu_portable; /* the same lines without it: equal to the bit, for tests and old machines */

/* weir_sampler_create on a given backend. */
weir_status sampler_create_on(const backend *backend, const weir_sampler_options *options, weir_sampler **out,
                              weir_error *error);

#endif
