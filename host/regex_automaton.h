/* regex_automaton.h - a pattern of JSON Schema in, the smallest deterministic automaton over code points out.
 *
 * The dialect is ECMA-262's with the `u` flag, read leniently as its Annex B does (`\-`, `a{`, `]`): lookahead,
 * lookbehind and \b are exact, \p{..} knows the general categories. Back references, inline flags and escapes of
 * letters that ECMA-262 does not know are refused by name. */
#ifndef WEIR_HOST_REGEX_AUTOMATON_H
#define WEIR_HOST_REGEX_AUTOMATON_H

#include "compiler.h"

/* Code points, both ends included; no edge holds a surrogate. */
typedef struct regex_edge {
    uint32_t lo, hi, target;
} regex_edge;

/* edges[edges .. edges + edge_count), ascending and disjoint, neighbours of one target joined. No edge: dead. */
typedef struct regex_state {
    uint32_t edges, edge_count;
    bool accepts;
} regex_state;

/* Minimal and trimmed: from every state some text leads to acceptance. States are numbered breadth first along
 * ascending edges. Where everything is accepted from here on, the state accepts and loops over all code points. */
typedef struct regex {
    regex_state *states;
    uint32_t state_count;
    regex_edge *edges;
    uint32_t start; /* 0, or NONE: nothing is accepted */
} regex;

/* The texts in which the pattern matches somewhere. `pattern` is valid UTF-8. Memory goes with the compile. Fails at
 * `place` with WEIR_ERROR_SCHEMA and the byte of the pattern, or with WEIR_ERROR_LIMIT. */
const regex *regex_compile(compiler *c, const json *place, const char *pattern, uint32_t length);
/* The texts that both accept. */
const regex *regex_intersect(compiler *c, const json *place, const regex *a, const regex *b);
/* The texts that `a` accepts and `b` does not. */
const regex *regex_subtract(compiler *c, const json *place, const regex *a, const regex *b);
/* The state after one more code point; NONE when dead, and from NONE. */
uint32_t regex_step(const regex *r, uint32_t state, uint32_t code_point);
/* Whether a text of valid UTF-8 is accepted. */
bool regex_accepts(const regex *r, const char *text, size_t length);

#endif
