/* cuda.cuh - what the files of the CUDA backend's host side share: its state, and what they do for one another.
 *
 *   cuda.cu           the backend, and the one place that launches kernels
 *   cuda_slots.cu     slots bound, copied, carried to the host and back
 *   cuda_grammars.cu  grammars and vocabularies in the pool
 *   cuda_copies.cu    memory of the host that copies read */
#ifndef WEIR_KERNELS_CUDA_CUH
#define WEIR_KERNELS_CUDA_CUH

#include "backend.h"
#include "device_image.h"
#include "device_pool.h"
#include "host/status.h"
#include "launch.cuh"

/* A grammar, or a vocabulary of grammars, in the pool. */
struct held {
    const void *key;     /* weir_grammar, of which a reference is held, or weir_vocab; NULL: the place is free */
    uint64_t offset;     /* in the pool */
    uint32_t references; /* slots that are bound to it, or grammars of the vocabulary */
    uint32_t vocab;      /* of a grammar: the place of its vocabulary */
    uint64_t used;       /* when last, by the clock */
    device_event ready;  /* its copy is done */
};

/* Memory of the host that a copy may still read. */
struct staged {
    staged *next;
    size_t bytes; /* with this */
    device_stream stream;
    device_event done;
};

struct slot_use {
    uint32_t line, budget;
};

struct cuda {
    slot_shape shape;
    device_limits limits;
    device_stream stream;
    sampler_view view;
    device_grammar *table; /* on the device */
    char *pool_memory;     /* on the device */
    device_pool pool;      /* owners: lines, then vocabularies */
    uint32_t grammar_count;
    held *lines, *vocabs; /* [grammar_count] each */
    slot_use *uses;       /* [slot_count] */
    staged *pending;
    uint64_t clock;
    weir_device_variant variant;
    uint32_t front; /* entries, at most */
    uint32_t cluster;
};

/* The status of a call of the device's runtime; what it leaves behind is cleared. */
weir_status cuda_check(int code, const char *what, weir_error *error);

/* --- cuda_copies.cu ------------------------------------------------------------------------------------------- */

/* Memory for `bytes` bytes that copies of this stream will read, freed some time after staged_end, which is called once they
 * were enqueued, or failed with `status`. */
weir_status staged_begin(cuda *c, size_t bytes, device_stream stream, staged **out, weir_error *error);
weir_status staged_end(cuda *c, staged *s, weir_status status, weir_error *error);
static inline void *staged_memory(staged *s) { return s + 1; }
/* Frees what is no longer read; `wait`: all, after waiting for it. */
void staged_collect(cuda *c, bool wait);

/* --- cuda_grammars.cu ----------------------------------------------------------------------------------------- */

/* Brings the grammar to the device, if it is not there; *out: its line. Its copy is enqueued in `stream`, and the sampler's
 * stream waits for it. */
weir_status hold_grammar(cuda *c, const weir_grammar *grammar, device_stream stream, uint32_t *out, weir_error *error);
void drop_grammars(cuda *c);

/* --- cuda_slots.cu: as the backend's functions of these names ---------------------------------------------------- */

weir_status cuda_bind(void *state, uint32_t index, const weir_slot_options *options, weir_error *error);
weir_status cuda_release(void *state, uint32_t index, weir_error *error);
weir_status cuda_reset(void *state, uint32_t index, weir_error *error);
weir_status cuda_fork(void *state, uint32_t from, uint32_t to, uint64_t seed, weir_error *error);
weir_status cuda_export(void *state, uint32_t index, weir_matcher **out, weir_error *error);
weir_status cuda_import(void *state, uint32_t index, const weir_matcher *matcher, weir_error *error);

/* --- cuda.cu: launches ---------------------------------------------------------------------------------------------- */

weir_status launch_change(cuda *c, const change_params &params, weir_error *error);
weir_status launch_line(cuda *c, line_params params, weir_error *error);
weir_status launch_shift(cuda *c, shift_params params, weir_error *error);

#endif
