/* cpu_slot.h - one sequence of the CPU backend: its constraint, what its request bans, its history and its counts. */
#ifndef WEIR_KERNELS_CPU_SLOT_H
#define WEIR_KERNELS_CPU_SLOT_H

#include "host/memory.h"
#include "token_counts.h"
#include "weir.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What every slot of a sampler shares. */
typedef struct slot_shape {
    weir_allocator allocator;
    uint32_t logits_width, word_count; /* columns, and words of a mask */
    uint32_t rollback;                 /* tokens that can be taken back */
    uint32_t counted;                  /* capacity of the counts */
} slot_shape;

typedef struct slot {
    weir_matcher *matcher;   /* NULL: no constraint */
    uint64_t seed, position; /* position: tokens taken since the slot was bound */
    uint64_t origin;         /* the position at which the history begins: 0, or that of an import */
    uint64_t first_known;    /* the position from which on it is still kept */
    uint64_t first_token;    /* where position 0 stands in a line of all tokens of the request */
    uint32_t *history;       /* [history_size] the newest tokens; that of position p at p % history_size */
    uint32_t history_size;
    uint32_t window; /* tokens that bad words look back at */
    uint32_t *stop_ids; /* its own, or NULL */
    uint32_t stop_count;
    const uint32_t *vocab_stop_ids; /* the vocabulary's, which own ones replace */
    uint32_t vocab_stop_count;
    uint32_t min_tokens;
    uint32_t *legal; /* [word_count] the columns that no ban excludes, or NULL: all */
    uint32_t *bad;   /* runs of two or more tokens, each behind its length */
    uint32_t bad_size;
    weir_logit_bias *bias; /* [bias_count] */
    uint32_t bias_count;
    token_counts counts; /* entries NULL: nothing is counted */
    bool own_stops, ignore_stop;
    bool stopped; /* a stop token was taken */
    bool failed;  /* a step found no legal token */
} slot;

/* A slot at the start of its sequence, advanced by options->tokens. On failure *out is empty. Free with slot_clear. */
weir_status slot_create(const slot_shape *shape, const weir_slot_options *options, slot *out, weir_error *error);
weir_status slot_copy(const slot_shape *shape, const slot *from, slot *out, weir_error *error);
void slot_clear(const slot_shape *shape, slot *slot);

void slot_reset(slot *slot);
weir_status slot_export(const slot *slot, weir_matcher **out, weir_error *error);
weir_status slot_import(slot *slot, const weir_matcher *matcher, weir_error *error);

/* The tokens that may come next, as bits. */
typedef struct slot_mask {
    uint32_t *words;
    size_t word_count;     /* at least the shape's; words beyond those become 0 */
    const uint32_t *given; /* what the caller allows, NULL: all */
    bool may_skip;         /* a mask of every column need not be written: */
    bool skipped;          /* out: it was not */
    bool forced;           /* out: bans gave way to a stop token */
} slot_mask;
weir_status slot_fill_mask(const slot_shape *shape, slot *slot, slot_mask *mask, weir_error *error);

/* Advances; WEIR_ERROR_TOKEN leaves the slot as it was. *counts_full: the token could not be counted. */
weir_status slot_take(const slot_shape *shape, slot *slot, int32_t token, bool *counts_full, weir_error *error);
/* Takes the last `count` tokens back; WEIR_ERROR_ARGUMENT where the history is shorter leaves the slot as it was. */
weir_status slot_take_back(const slot_shape *shape, slot *slot, uint64_t count, weir_error *error);
/* From the position to token `length` of the line, forwards or back. A negative token ends the line. On failure the slot
 * stands before the token that is not allowed (WEIR_ERROR_TOKEN), or as it was. */
weir_status slot_catch_up(const slot_shape *shape, slot *slot, const int32_t *line, uint64_t length, bool *counts_full,
                          weir_error *error);

/* Tokens taken to see what would follow, up to WEIR_DRAFTS_MOST of them: between begin and end only slot_try and
 * slot_fill_mask. Afterwards the slot is as it was. */
typedef struct slot_trial {
    uint64_t position, first_known;
    bool stopped;
    uint32_t overwritten[WEIR_DRAFTS_MOST]; /* what stood in the history */
} slot_trial;
void slot_begin_trial(slot *slot, slot_trial *trial);
weir_status slot_try(const slot_shape *shape, slot *slot, int32_t token, slot_trial *trial, weir_error *error);
void slot_end_trial(slot *slot, const slot_trial *trial);

#ifdef __cplusplus
}
#endif

#endif
