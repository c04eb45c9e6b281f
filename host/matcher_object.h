/* matcher_object.h - what a weir_matcher is, shared by matcher.c and matcher_mask.c. */
#ifndef WEIR_HOST_MATCHER_OBJECT_H
#define WEIR_HOST_MATCHER_OBJECT_H

#include "grammar_object.h"
#include "sequence.h"

/* What one accepted token overwrote: the head, and entries of the log from `log` on. */
typedef struct step {
    uint32_t head[SEQUENCE_HEAD];
    uint32_t log;
    bool stop;
} step;

struct weir_matcher {
    weir_allocator allocator;
    const weir_grammar *grammar;
    size_t sequence_words, walk_words;
    uint32_t *sequence;
    uint32_t *frames; /* of a walk */
    uint32_t *saved;  /* a copy of the sequence while validating, or during a trial */
    step *steps;      /* the newest `rollback` of them can be taken back; up to twice as many are kept */
    uint32_t step_count, rollback, budget;
    logged_word *log;
    uint32_t log_count, log_capacity; /* room for `rollback` steps of the most that a token can overwrite, as a rule */
    uint32_t token_count;
    bool stopped;
    bool trying; /* a trial is under way, which nothing is noted of */
    bool stopped_before; /* it */
};

/* Walks a text token's bytes; true: it is allowed, and *w is where it leads. Changes only the matcher's scratch. */
bool matcher_try_token(weir_matcher *m, uint32_t token, walk *w);
/* The two questions of it: whether its bytes can be read, and whether the text can be finished behind them. */
bool matcher_walk_token(weir_matcher *m, uint32_t token, walk *w);
bool matcher_can_finish(const weir_matcher *m, const walk *w);

#endif
