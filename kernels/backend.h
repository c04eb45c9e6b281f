/* backend.h - the functions that every backend has. sampler.c has checked every argument before it calls one. */
#ifndef WEIR_KERNELS_BACKEND_H
#define WEIR_KERNELS_BACKEND_H

#include "weir.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { BAD_WORD_LONGEST = 64 /* tokens of a bad word */ };

/* A row's settings, where there are any. */
static inline const weir_sampling *sampling_at(const weir_step *step, size_t row) {
    return (const weir_sampling *)((const char *)step->sampling + row * step->sampling_stride);
}

/* Bytes of a logit. */
static inline size_t dtype_size(weir_dtype dtype) {
    return dtype == WEIR_DTYPE_F32 ? sizeof(float) : sizeof(uint16_t);
}

typedef struct backend {
    const char *name;
    bool on_device; /* the arrays of batch calls are device memory: nobody on the host looks into them */
    /* All memory that a step needs. The options are whole: an allocator, and no 0 that stands for a default. */
    weir_status (*create)(const weir_sampler_options *options, void **out, weir_error *error);
    void (*destroy)(void *state);
    /* As the public functions of the same name. Slots are in range, bound where they must be, and distinct; on failure a
     * slot keeps what it held. */
    weir_status (*bind)(void *state, uint32_t slot, const weir_slot_options *options, weir_error *error);
    weir_status (*release)(void *state, uint32_t slot, weir_error *error);
    weir_status (*reset)(void *state, uint32_t slot, weir_error *error);
    weir_status (*fork)(void *state, uint32_t from, uint32_t to, uint64_t seed, weir_error *error);
    weir_status (*export_slot)(void *state, uint32_t slot, weir_matcher **out, weir_error *error);
    weir_status (*import_slot)(void *state, uint32_t slot, const weir_matcher *matcher, weir_error *error);
    weir_status (*set_stream)(void *state, weir_stream stream, weir_error *error);
    weir_status (*upload)(void *state, const weir_grammar *grammar, weir_stream stream, weir_error *error);
    /* These return the first row that failed, with error->row, after all other rows were done. */
    weir_status (*step)(void *state, const weir_step *step, weir_error *error);
    weir_status (*masks)(void *state, const int32_t *slots, size_t row_count, uint32_t *masks, size_t stride,
                         weir_error *error);
    weir_status (*advance)(void *state, const int32_t *slots, const int32_t *tokens, size_t row_count,
                           uint32_t *statuses, weir_error *error);
    weir_status (*rollback)(void *state, const int32_t *slots, const uint32_t *counts, size_t row_count,
                            uint32_t *statuses, weir_error *error);
    weir_status (*mask_logits)(void *state, const int32_t *slots, size_t row_count, void *logits, size_t stride,
                               weir_dtype dtype, weir_error *error);
    weir_status (*catch_up)(void *state, const weir_catch_up *catch_up, weir_error *error);
    weir_status (*draft_masks)(void *state, const weir_draft_masks *draft_masks, weir_error *error);
} backend;

extern const backend backend_cpu;          /* what the machine has: vector code where it is known to help */
extern const backend backend_cpu_portable; /* the same lines without it: equal to the bit, for tests and old machines */

extern const backend backend_cuda;         /* kernels/cuda.cu, where the library is built with it */
extern const backend backend_simt;         /* the same by the emulator of tests/simt */

/* weir_sampler_create on a given backend. */
weir_status sampler_create_on(const backend *backend, const weir_sampler_options *options, weir_sampler **out,
                              weir_error *error);

#ifdef __cplusplus
}
#endif

#endif
