/* sampler_check.h - what a weir_sampler is, and the checks of what its callers give. Each returns WEIR_OK, or
 * WEIR_ERROR_ARGUMENT with a sentence that names the field; nothing has been done then. */
#ifndef WEIR_KERNELS_SAMPLER_CHECK_H
#define WEIR_KERNELS_SAMPLER_CHECK_H

#include "backend.h"
#include "host/memory.h"
#include "host/status.h"

typedef struct slot_use {
    uint64_t call; /* the last call that named this slot */
    const weir_grammar *grammar;
    bool bound, counts;
} slot_use;

struct weir_sampler {
    weir_allocator allocator;
    const backend *backend;
    void *state;
    uint32_t slot_count, logits_width;
    uint64_t call; /* counts calls, so that a slot named twice in one is seen without clearing anything */
    slot_use uses[];
};

/* The options of a sampler, with their defaults, and of its device where options->device is given. */
weir_status check_sampler_options(const weir_sampler_options *given, weir_sampler_options *options,
                                  weir_device_options *device, weir_error *error);
/* Their device memory. */
weir_status check_device_memory(const weir_sampler_options *options, weir_error *error);
/* A slot's number; one that is bound; what a sequence is bound with. */
weir_status check_slot(const weir_sampler *sampler, uint32_t slot, weir_error *error);
weir_status check_bound(const weir_sampler *sampler, uint32_t slot, weir_error *error);
weir_status check_sequence(const weir_sampler *sampler, const weir_slot_options *options, weir_error *error);

/* Batches of one row at least; rows only where the host may look at them, and not more than a launch can have. */
weir_status check_rows(weir_sampler *sampler, const int32_t *slots, size_t row_count, weir_error *error);
weir_status check_step(const weir_sampler *sampler, const weir_step *step, weir_error *error);
weir_status check_settings(const weir_sampler *sampler, const weir_step *step, weir_error *error);
weir_status check_catch_up(const weir_catch_up *catch_up, weir_error *error);
weir_status check_draft_masks(const weir_sampler *sampler, const weir_draft_masks *draft_masks, weir_error *error);
/* `row_count` rows of `stride` words or logits, of which as many are used as there are columns; `names` and
 * `stride_name` are the caller's fields. */
weir_status check_words(const weir_sampler *sampler, const char *stride_name, size_t row_count, size_t stride,
                        weir_error *error);
typedef struct logits_names {
    const char *logits, *stride, *dtype;
} logits_names;
weir_status check_logits(const weir_sampler *sampler, logits_names names, size_t row_count, const void *logits,
                         size_t stride, weir_dtype dtype, weir_error *error);

#endif
