/* device_state.h - what lies in device memory: grammars, vocabularies and slots, as flat words that host and kernels share.
 *
 * A sampler's memory begins with the table of grammars, then come the slots, all alike, then a pool of blobs. Nothing in
 * it moves while a captured graph may run, but for blobs, whose address stands in the table alone. */
#ifndef WEIR_KERNELS_DEVICE_STATE_H
#define WEIR_KERNELS_DEVICE_STATE_H

#include <stddef.h>
#include <stdint.h>

#include "host/sequence.h"
#include "host/vocab_tables.h"
#include "token_counts.h"

/* One line of the table of grammars. */
typedef struct device_grammar {
    const tables *t;
    const vocab_tables *vocab;
} device_grammar;

#define GRAMMAR_NONE UINT32_MAX

enum slot_flag {
    SLOT_BOUND = 1,
    SLOT_STOPPED = 2,     /* a stop token was taken */
    SLOT_FAILED = 4,      /* a step found no legal token */
    SLOT_OWN_STOPS = 8,   /* they replace the vocabulary's */
    SLOT_IGNORE_STOP = 16,
    SLOT_COUNTS = 32,     /* tokens are counted */
    SLOT_LEGAL = 64       /* some columns are banned for the whole sequence */
};

/* A sequence; the arrays of slot_layout follow in the same slot. */
typedef struct device_slot {
    uint32_t grammar; /* line of the table, or GRAMMAR_NONE: no constraint */
    uint32_t flags;
    uint64_t seed, position; /* position: tokens taken since the slot was bound */
    uint64_t origin;         /* the position at which the history begins */
    uint64_t first_known;    /* the position from which on it is still kept */
    uint64_t first_token;    /* where position 0 stands in a line of all tokens of the request */
    uint32_t min_tokens, budget; /* budget: of the whole text, TABLES_NONE: any */
    uint32_t window;         /* tokens that bad words look back at */
    uint32_t stop_count, bad_size, bias_count, count_count;
    uint32_t step_count;     /* moves of the machine that can be taken back */
    uint32_t step_next;      /* where the next one is noted, in the ring */
    uint32_t log_next;       /* words noted since the slot was bound; at log_next % log_size the next */
} device_slot;

enum { DEVICE_FRONT_MOST = 512 /* entries that a block compares each with each */ };
enum { WALKERS = 32 /* tokens that are walked at a time in one slot, where it has room for so many */ };

/* Places in a slot, in words from its start; the same for all slots of a sampler. */
typedef struct slot_layout {
    uint32_t stop_ids, stop_capacity;
    uint32_t legal;                   /* [mask words] */
    uint32_t bad, bad_capacity;       /* runs of two or more tokens, each behind its length */
    uint32_t bias, bias_capacity;     /* weir_logit_bias, ascending by token, in order where tokens are equal */
    uint32_t history, history_size;   /* that of position p at p % history_size */
    uint32_t counts, counted;         /* token_count [counted] */
    uint32_t index, index_size;       /* of them */
    uint32_t sequence, sequence_words;
    uint32_t moves, move_size;        /* logged_move, a ring */
    uint32_t log, log_size;           /* logged_word, a ring */
    uint32_t saved;                   /* [sequence_words] the sequence, while drafts are tried */
    uint32_t frames, frames_words;    /* of walks */
    uint32_t patches;                 /* [bias_capacity + counted] keys of the step at hand */
    uint32_t words;                   /* of a slot */
} slot_layout;

#endif
