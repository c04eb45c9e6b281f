/* cpu_moves.c - the calls of the CPU backend beside a step: what may follow, and sequences that move by given tokens.
 *
 * The definition for every backend, as cpu.c. What a row cannot do is its status; where the caller takes none it is an
 * error, so that it is never lost. */
#include <string.h>

#include "cpu.h"

/* --- what may follow --------------------------------------------------------------------------------------- */

weir_status cpu_masks(void *state, const int32_t *slots, size_t row_count, uint32_t *masks, size_t stride,
                      weir_error *error) {
    cpu *cpu = state;
    weir_status first = WEIR_OK;
    for (size_t at = 0; at < row_count; at++) {
        if (slots[at] < 0) continue;
        weir_error made;
        slot_mask mask = {.words = masks + at * stride, .word_count = stride};
        note(slot_fill_mask(&cpu->shape, &cpu->slots[slots[at]], &mask, &made), &made, at, &first, error);
    }
    return first;
}

/* Columns without a bit become -infinity. */
static void mask_row(const uint32_t *words, uint32_t width, void *logits, weir_dtype dtype) {
    const uint16_t lowest = dtype == WEIR_DTYPE_F16 ? 0xFC00 : 0xFF80;
    for (uint32_t column = 0; column < width; column++) {
        if (words[column / 32] >> column % 32 & 1) continue;
        if (dtype == WEIR_DTYPE_F32) {
            ((float *)logits)[column] = -INFINITY;
        } else {
            ((uint16_t *)logits)[column] = lowest;
        }
    }
}

weir_status cpu_mask_logits(void *state, const int32_t *slots, size_t row_count, void *logits, size_t stride,
                            weir_dtype dtype, weir_error *error) {
    cpu *cpu = state;
    weir_status first = WEIR_OK;
    for (size_t at = 0; at < row_count; at++) {
        if (slots[at] < 0) continue;
        weir_error made;
        slot_mask mask = {.words = cpu->words, .word_count = cpu->shape.word_count, .may_skip = true};
        weir_status status = slot_fill_mask(&cpu->shape, &cpu->slots[slots[at]], &mask, &made);
        note(status, &made, at, &first, error);
        if (status == WEIR_OK && !mask.skipped)
            mask_row(cpu->words, cpu->shape.logits_width, (char *)logits + at * stride * dtype_size(dtype), dtype);
    }
    return first;
}

/* The masks of one row, behind none of its drafts, the first, and so on; *valid: how many could be taken. */
static weir_status draft_masks_row(cpu *cpu, slot *slot, const weir_draft_masks *given, size_t at, uint32_t *valid,
                                   weir_error *error) {
    const int32_t *drafts = given->draft_count ? given->drafts + at * given->draft_count : NULL;
    uint32_t *masks = given->masks ? given->masks + at * (given->draft_count + 1) * given->masks_stride : NULL;
    slot_trial trial;
    weir_status status = WEIR_OK;
    if (masks) memset(masks, 0, (given->draft_count + 1) * given->masks_stride * sizeof *masks);
    *valid = 0;
    slot_begin_trial(slot, &trial);
    for (size_t position = 0; status == WEIR_OK; position++) {
        slot_mask mask = {.words = cpu->words, .word_count = cpu->shape.word_count};
        if (masks) mask.words = masks + position * given->masks_stride, mask.word_count = given->masks_stride;
        status = slot_fill_mask(&cpu->shape, slot, &mask, error);
        if (status != WEIR_OK || position == given->draft_count) break;
        uint32_t draft = (uint32_t)drafts[position];
        if (draft >= cpu->shape.logits_width || !(mask.words[draft / 32] >> draft % 32 & 1)) break;
        status = slot_try(&cpu->shape, slot, (int32_t)draft, &trial, error);
        if (status == WEIR_OK) *valid += 1;
    }
    slot_end_trial(slot, &trial);
    return status;
}

weir_status cpu_draft_masks(void *state, const weir_draft_masks *given, weir_error *error) {
    cpu *cpu = state;
    weir_status first = WEIR_OK;
    for (size_t at = 0; at < given->row_count; at++) {
        uint32_t valid = 0;
        if (given->slots[at] >= 0) {
            weir_error made;
            note(draft_masks_row(cpu, &cpu->slots[given->slots[at]], given, at, &valid, &made), &made, at, &first,
                 error);
        }
        if (given->valid_counts) given->valid_counts[at] = valid;
    }
    return first;
}

/* --- given tokens ------------------------------------------------------------------------------------------ */

/* Rows whose slots are moved: where what comes of them goes, and the first error where the caller takes no statuses. */
typedef struct moves {
    uint32_t *statuses;
    weir_status first;
    weir_error *error;
} moves;

/* What has come of a row whose slot was moved; slot NULL: it is idle. */
static void note_moved(moves *moves, size_t row, const slot *slot, weir_status status, bool counts_full, const weir_error *made) {
    uint32_t bits = WEIR_ROW_STATUS_IDLE;
    if (slot)
        bits = (status != WEIR_OK ? WEIR_ROW_STATUS_REJECTED : 0) | (slot->stopped ? WEIR_ROW_STATUS_STOPPED : 0) |
               (slot->failed ? WEIR_ROW_STATUS_NO_TOKEN : 0) | (counts_full ? WEIR_ROW_STATUS_COUNTS_FULL : 0);
    if (moves->statuses)
        moves->statuses[row] = bits;
    else
        note(status, made, row, &moves->first, moves->error);
}

static slot *slot_of(cpu *cpu, int32_t index) {
    return index >= 0 ? &cpu->slots[index] : NULL;
}

weir_status cpu_advance(void *state, const int32_t *slots, const int32_t *tokens, size_t row_count, uint32_t *statuses,
                        weir_error *error) {
    cpu *cpu = state;
    moves moves = {statuses, WEIR_OK, error};
    for (size_t at = 0; at < row_count; at++) {
        slot *slot = slot_of(cpu, slots[at]);
        weir_error made;
        bool counts_full = false;
        weir_status status = slot ? slot_take(&cpu->shape, slot, tokens[at], &counts_full, &made) : WEIR_OK;
        note_moved(&moves, at, slot, status, counts_full, &made);
    }
    return moves.first;
}

weir_status cpu_rollback(void *state, const int32_t *slots, const uint32_t *counts, size_t row_count,
                         uint32_t *statuses, weir_error *error) {
    cpu *cpu = state;
    moves moves = {statuses, WEIR_OK, error};
    for (size_t at = 0; at < row_count; at++) {
        slot *slot = slot_of(cpu, slots[at]);
        weir_error made;
        weir_status status = slot ? slot_take_back(&cpu->shape, slot, counts[at], &made) : WEIR_OK;
        note_moved(&moves, at, slot, status, false, &made);
    }
    return moves.first;
}

static weir_status catch_up_row(const cpu *cpu, slot *slot, const weir_catch_up *given, int64_t line, bool *counts_full,
                                weir_error *error) {
    *counts_full = false;
    if ((uint64_t)line >= given->line_count) /* or negative */
        return fail(error, WEIR_ERROR_ARGUMENT, "there is no line %lld: there are %zu", (long long)line,
                    given->line_count);
    int32_t length = given->lengths[line];
    if (length < 0 || (size_t)length > given->tokens_stride)
        return fail(error, WEIR_ERROR_ARGUMENT, "line %lld has length %d, expected 0 to tokens_stride, %zu",
                    (long long)line, length, given->tokens_stride);
    const int32_t *tokens = given->tokens + (size_t)line * given->tokens_stride;
    return slot_catch_up(&cpu->shape, slot, tokens, (uint64_t)length, counts_full, error);
}

weir_status cpu_catch_up(void *state, const weir_catch_up *given, weir_error *error) {
    cpu *cpu = state;
    moves moves = {given->statuses, WEIR_OK, error};
    for (size_t at = 0; at < given->row_count; at++) {
        slot *slot = slot_of(cpu, given->slots[at]);
        weir_error made;
        bool counts_full = false;
        int64_t line = given->lines ? given->lines[at] : given->slots[at];
        weir_status status = slot ? catch_up_row(cpu, slot, given, line, &counts_full, &made) : WEIR_OK;
        note_moved(&moves, at, slot, status, counts_full, &made);
    }
    return moves.first;
}
