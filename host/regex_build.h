/* regex_build.h - what the passes of the regular-expression reader hand to each other.
 *
 *   text --parse--> tree --emit--> program --run--> table of states x classes --minimize--> regex */
#ifndef WEIR_HOST_REGEX_BUILD_H
#define WEIR_HOST_REGEX_BUILD_H

#include "regex_automaton.h"

#define REGEX_LAST_CODE_POINT 0x10FFFFu
#define REGEX_OP_LIMIT 100000u      /* of a program */
#define REGEX_STATE_LIMIT 20000u    /* before minimisation */
#define REGEX_CELL_LIMIT 4000000u   /* states x classes */
#define REGEX_THREAD_LIMIT 4000000u /* in all sets of threads together */
#define REGEX_UNLESS_LIMIT 50000u   /* threads with an `unless` */
#define REGEX_DEPTH_LIMIT 200u      /* of groups in groups */

/* --- sets of code points (regex_class.c) ---------------------------------------------------------------------- */

typedef struct regex_range {
    uint32_t lo, hi;
} regex_range;
typedef VECTOR(regex_range) regex_ranges;

/* Sets by id: ascending ranges that neither touch nor hold a surrogate. */
typedef struct regex_sets {
    interner table;
} regex_sets;

/* The set of these ranges, in any order, or of all other code points. Sorts `ranges`. */
uint32_t regex_set_add(compiler *c, regex_sets *sets, regex_ranges *ranges, bool negated);
const regex_range *regex_set_get(const regex_sets *sets, uint32_t set, uint32_t *count);
/* Appends what an escape of this letter stands for: d D w W s S, or '.' */
void regex_ranges_escape(compiler *c, regex_ranges *ranges, char letter);
/* Appends the code points of \p{name}, or of \P{name}; false when the name is not known (regex_unicode.c). */
bool regex_ranges_property(compiler *c, regex_ranges *ranges, const char *name, uint32_t length, bool negated);
/* Appends all code points that are in none of `count` ascending ranges. */
void regex_ranges_others(compiler *c, regex_ranges *ranges, const regex_range *of, uint32_t count);

/* Code points that no set tells apart are one class. The intervals cover everything but the surrogates. */
typedef struct regex_interval {
    uint32_t lo, hi, class;
} regex_interval;

typedef struct regex_alphabet {
    regex_interval *intervals;
    uint32_t interval_count, class_count;
    uint64_t *members; /* [set][words], a bit for each class in the set */
    uint32_t words;
} regex_alphabet;

regex_alphabet *regex_alphabet_new(compiler *c, const regex_sets *sets);

static inline bool regex_class_in(const regex_alphabet *alphabet, uint32_t class, uint32_t set) {
    return alphabet->members[(size_t)set * alphabet->words + class / 64] >> class % 64 & 1;
}

/* --- the tree (regex_parse.c) --------------------------------------------------------------------------------- */

typedef enum regex_kind {
    REGEX_CHARS,
    REGEX_SEQUENCE, /* of no children: the empty text */
    REGEX_CHOICE,
    REGEX_REPEAT,
    REGEX_START,
    REGEX_END,
    REGEX_BOUNDARY, /* \b and \B */
    REGEX_AHEAD,
    REGEX_BEHIND
} regex_kind;

typedef struct regex_node {
    regex_kind kind;
    bool negative;        /* [^ \B (?! (?<! */
    regex_ranges ranges;  /* of CHARS, in any order */
    uint32_t min, max;    /* of REPEAT; max NONE: any number */
    struct regex_node **children;
    uint32_t count;
    uint32_t emitted; /* NONE before; of CHARS the set, of AHEAD the first op of its child, of BEHIND its number */
} regex_node;

regex_node *regex_parse(compiler *c, const json *place, const char *pattern, uint32_t length);

/* --- the program (regex_program.c) ---------------------------------------------------------------------------- */

typedef enum regex_op_kind {
    OP_MATCH,      /* op 0: whatever follows is fine */
    OP_BEHIND_END, /* the text of lookbehind `other` ends here */
    OP_CHARS,      /* one code point of set `other` */
    OP_FORK,       /* go on at `next` and at `other` */
    OP_START,
    OP_END,
    OP_BOUNDARY,
    OP_AHEAD, /* the program at `other` matches from here */
    OP_BEHIND /* lookbehind `other` ends here */
} regex_op_kind;

typedef struct regex_op {
    regex_op_kind kind;
    bool negative;
    uint32_t other, next;
    uint32_t group; /* not 0: of the ops of one group, one with a higher number matches all that a lower one does */
} regex_op;

typedef struct regex_program {
    VECTOR(regex_op) ops;
    VECTOR(uint32_t) behinds; /* first op of each lookbehind, inner ones before outer ones */
    uint32_t start;
    uint32_t group_count;
    bool has_start, has_boundary, has_waiting; /* ^; \b; what depends on the code point that comes next */
    uint32_t any_set, word_set; /* all code points; \w, where there is a boundary */
} regex_program;

regex_program *regex_program_new(compiler *c, const json *place, regex_node *root, regex_sets *sets);

/* --- threads (regex_threads.c) -------------------------------------------------------------------------------- */

/* A thread stands at an op; it matches the rest of the text when the program does from there and the set `unless` does
 * not. A set of threads matches when one of them does. Thread ids below the number of ops have unless = THREADS_NONE. */
enum { THREADS_NONE = 0, THREADS_ALL = 1 }; /* the set that never matches, and the one that always does */

/* What is known of the next code point. */
typedef enum regex_next { NEXT_UNKNOWN, NEXT_WORD, NEXT_OTHER, NEXT_NOTHING, NEXT_COUNT } regex_next;

typedef struct regex_run {
    compiler *c;
    const json *place;
    const regex_program *program;
    const regex_alphabet *alphabet;
    interner sets;                    /* ascending thread ids */
    VECTOR(uint8_t) waits;            /* by set: WAITS_* of its threads and of their `unless` */
    interner conditional;             /* {op, unless} of the threads that have one */
    VECTOR(uint32_t) marks;           /* by thread, the round that met it last */
    VECTOR(uint32_t) found, todo;     /* stacks */
    uint32_t round;
    uint64_t total;
    /* Where the text stands. */
    bool at_start, after_word;
    regex_next next;
    uint32_t *behind; /* sets of the lookbehinds */
} regex_run;

regex_run *regex_run_new(compiler *c, const json *place, const regex_program *program, const regex_alphabet *alphabet);
/* The threads that start at an op, here. */
uint32_t regex_threads_start(regex_run *run, uint32_t op);
/* The same set with everything decided that waits for `run->next`. */
uint32_t regex_threads_decide(regex_run *run, uint32_t set);
/* A decided set after a code point of this class; the run's place is already the one behind it. */
uint32_t regex_threads_step(regex_run *run, uint32_t set, uint32_t class);
/* Whether a set matches the empty rest; run->next is NEXT_NOTHING. */
bool regex_threads_accept(regex_run *run, uint32_t set);

/* --- the table (regex_states.c, regex_combine.c) and its minimum (regex_minimize.c) --------------------------- */

typedef struct regex_table {
    const regex_alphabet *alphabet;
    uint32_t state_count; /* the start is state 0; no state: nothing is accepted */
    VECTOR(uint32_t) targets; /* [state][class], NONE: dead */
    VECTOR(bool) accepts;
} regex_table;

regex_table *regex_table_new(compiler *c, const json *place, const regex_program *program,
                             const regex_alphabet *alphabet);
/* Fails when a table would be too large. */
void regex_table_check(compiler *c, const json *place, const regex_table *table, uint32_t state_count);
const regex *regex_minimize(compiler *c, const regex_table *table);

#endif
