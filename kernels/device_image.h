/* device_image.h - a slot as words of device memory: where its parts stand, and a slot of the CPU written so. */
#ifndef WEIR_KERNELS_DEVICE_IMAGE_H
#define WEIR_KERNELS_DEVICE_IMAGE_H

#include "cpu_slot.h"
#include "device_state.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The places in a slot; the options are whole (no 0 that stands for a default), with those of the device. */
slot_layout device_layout(const weir_sampler_options *options);

/* Bytes of a sampler's device memory: the table of grammars, the slots and the pool. */
size_t device_bytes(const weir_sampler_options *options);
size_t device_table_bytes(const weir_sampler_options *options);
size_t device_slots_bytes(const weir_sampler_options *options);

/* Words [first, first + count) of a slot. */
typedef struct slot_span {
    uint32_t first, count;
} slot_span;
enum { SLOT_SPANS = 5 };

/* Whether a grammar's sequences and walks fit a slot; the error says the sizes they need. */
weir_status device_grammar_fits(const tables *t, const slot_layout *layout, weir_error *error);
/* Writes the slot's words into `out` [layout->words], and which of them count; the others may hold anything. `line`: of its
 * grammar in the table; `budget`: the whole text's, 0: none. WEIR_ERROR_LIMIT where a list is longer than its place. */
weir_status device_image(const slot_shape *shape, const slot *from, const slot_layout *layout, uint32_t line, uint32_t budget,
                         uint32_t *out, slot_span spans[SLOT_SPANS], weir_error *error);

#ifdef __cplusplus
}
#endif

#endif
