/* traffic.h - traces of constrained sequences: a grammar, the tokens that were taken, and what kind of row decided each.
 *
 * From the development half of MaskBench where there is the data folder: its valid documents, cut by longest match, and one
 * random walk a schema. Else from schemas that are made up, random walks only. */
#ifndef WEIR_BENCH_TRAFFIC_H
#define WEIR_BENCH_TRAFFIC_H

#include "weir.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum traffic_kind {
    TRAFFIC_FORCED, /* one token may follow, and it does not stop */
    TRAFFIC_STOP,   /* nothing but a stop token */
    TRAFFIC_LIST,   /* the others as weir_row_kind */
    TRAFFIC_BASE,
    TRAFFIC_BITMAP,
    TRAFFIC_FULL,
    TRAFFIC_KINDS
} traffic_kind;

typedef struct traffic_step {
    uint32_t token, allowed; /* taken; how many could have been */
    traffic_kind kind;
} traffic_step;

typedef struct traffic_trace {
    const weir_grammar *grammar;
    traffic_step *steps;
    uint32_t count;
    bool document; /* else a random walk */
} traffic_trace;

typedef struct traffic {
    const weir_vocab *vocab;
    const char *source; /* "MaskBench's development half" or "made up" */
    weir_grammar **grammars;
    traffic_trace *traces;
    uint32_t grammar_count, trace_count, refused; /* refused: schemas that do not compile */
} traffic;

/* Traces of up to `schemas` schemas, each with up to two documents and a walk; data NULL: of schemas that are made up. False
 * after a message. Free with traffic_free, which leaves the vocabulary alone. */
bool traffic_make(const char *program, const weir_vocab *vocab, const char *data, uint32_t schemas, traffic *out);
void traffic_free(traffic *traffic);

#ifdef __cplusplus
}
#endif
#endif
