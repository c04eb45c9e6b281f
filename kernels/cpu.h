/* cpu.h - the state of the CPU backend, shared by cpu.c (the step) and cpu_moves.c (the calls beside it). */
#ifndef WEIR_KERNELS_CPU_H
#define WEIR_KERNELS_CPU_H

#include "backend.h"
#include "cpu_select.h"
#include "cpu_slot.h"
#include "host/status.h"

typedef struct cpu {
    slot_shape shape;
    uint32_t slot_count;
    slot *slots;     /* [slot_count] */
    uint32_t *words; /* [word_count] the mask of the row at hand */
    entry_set set;
    size_t scratch_words;
    uint32_t *scratch;
} cpu;

/* Keeps the first failure and its row. */
static inline void note(weir_status status, const weir_error *made, size_t row, weir_status *first, weir_error *error) {
    if (status == WEIR_OK || *first != WEIR_OK) return;
    *first = status;
    if (!error) return;
    *error = *made;
    error->row = (int32_t)row;
}

/* As in backend.h. */
weir_status cpu_masks(void *state, const int32_t *slots, size_t row_count, uint32_t *masks, size_t stride,
                      weir_error *error);
weir_status cpu_mask_logits(void *state, const int32_t *slots, size_t row_count, void *logits, size_t stride,
                            weir_dtype dtype, weir_error *error);
weir_status cpu_draft_masks(void *state, const weir_draft_masks *draft_masks, weir_error *error);
weir_status cpu_advance(void *state, const int32_t *slots, const int32_t *tokens, size_t row_count, uint32_t *statuses,
                        weir_error *error);
weir_status cpu_rollback(void *state, const int32_t *slots, const uint32_t *counts, size_t row_count,
                         uint32_t *statuses, weir_error *error);
weir_status cpu_catch_up(void *state, const weir_catch_up *catch_up, weir_error *error);

#endif
