/* masks_build.h - the rows of one grammar while they are built, shared by masks.c and masks_string.c. */
#ifndef WEIR_HOST_MASKS_BUILD_H
#define WEIR_HOST_MASKS_BUILD_H

#include "lexicon.h"

/* Names of an instance of which one must be able to follow; `read`: the name is complete. */
typedef struct named_leaves {
    uint32_t instance;
    uint16_t lo, hi;
    bool others, read;
} named_leaves;

typedef struct named_token {
    uint32_t token;
    named_leaves leaves;
} named_token;

/* What finishing needs at most behind any token: further frames; tokens, and `indent` times the depth for each line. */
typedef struct needs {
    uint32_t depth, cost, lines; /* cost NONE: unknown */
} needs;

static inline void needs_widen(needs *to, const needs *by) {
    if (by->depth > to->depth) to->depth = by->depth;
    if (by->cost > to->cost) to->cost = by->cost;
    if (by->lines > to->lines) to->lines = by->lines;
}

/* What a set of strings (tokens, or suffixes behind a quote) does from one state. The lists are good until the next
 * walk. */
typedef struct outcome {
    uint32_t *plain, *guarded, *closing; /* values, ascending; closing: guarded, and none while `object` is not complete */
    uint32_t plain_count, guarded_count, closing_count, object;
    uint32_t *spaced;          /* packed with the bytes of white space they begin with, ascending by those */
    uint32_t spaced_count;
    const named_token *named;  /* allowed while a name of `instance` can follow; ascending */
    uint32_t named_count, instance;
    needs needs;
} outcome;

/* Suffixes allowed from the state after a string. Equal sets are one. */
typedef struct suffix_set {
    const uint8_t *marks; /* [suffix_count] MARK_* */
    const named_leaves *named; /* [suffix_count] where the mark is MARK_NAMED, all of one instance; else NULL */
    uint32_t instance, object;
    needs needs;
} suffix_set;

/* What masks_inside.c has still to walk from a state: children of a node from `next` on, below `end`; and those of a group
 * of masks_groups.c from `child` on. */
typedef struct inside_visit {
    uint32_t next, end, state, base; /* base: of the scalar's states */
    const uint32_t *steps;           /* of the state */
    scalar_module *scalar;
} inside_visit;
typedef struct group_visit {
    uint32_t child, state;
    const uint32_t *steps;
} group_visit;

typedef struct masks {
    VECTOR(row) rows;
    VECTOR(uint32_t) lists;
    VECTOR(patch) patches;
    VECTOR(uint32_t) words;
    interner row_table, list_table, suffix_table, patch_table, patch_list_table, bitmap_table,
        row_memo;
    VECTOR(uint32_t) list_offsets, bitmap_offsets, patch_list_offsets, row_memo_rows;
    VECTOR(suffix_set) suffix_sets;
    VECTOR(struct { uint32_t list, count, guarded, guarded_count; named_token *named; uint32_t named_count; uint32_t *closing, closing_count; }) quote_patches;
    VECTOR(struct walker) now, next; /* of masks_walk_one */
    VECTOR(struct visit) visits;     /* of masks_walk */
    VECTOR(inside_visit) inside_visits;
    VECTOR(group_visit) group_visits;
    trie_path along, behind;         /* of masks_string_row: on the texts told apart, and behind one */
    VECTOR(uint8_t *) scratch; /* SCRATCH bytes each, for the walk under way */
    uint32_t scratch_next, scratch_used;
    uint8_t *suffix_marks;     /* [suffix_count and a little more] of the set that is being made */
    named_leaves *suffix_leaves; /* [suffix_count] where such a mark is MARK_NAMED */
    uint32_t *suffix_of_state; /* [state] suffix set, NONE: not yet */
    uint64_t *plain, *guarded, *closing; /* bitmaps of values found by the walk under way, clear between walks */
    uint64_t *touched;         /* which words of them are not clear, one bit each */
    uint32_t value_words;
    VECTOR(uint32_t) key;      /* of row_memo or use_table */
    struct { uint32_t id; bool known; needs inside; } *uses; /* [instance] see masks.c; id NONE: not yet */
    interner use_table, closed_memo;
    VECTOR(uint32_t) closed_rows;
    uint32_t *found_plain, *found_guarded, *found_closing; /* room for the lists of a walk */
    VECTOR(uint32_t) found_spaced;
    VECTOR(named_token) found_named;
    uint32_t found_instance;   /* that these names belong to, or NONE */
    uint32_t found_object;     /* that the closing ones close, or NONE */
    needs *finish;             /* [state] to finish its frame, names aside that are missing in it */
    needs *finish_inner;       /* the same with all names that can be missing: of a frame that a token opens */
    interner pop_table;
    VECTOR(struct { uint32_t *targets; uint32_t count; }) pops;
} masks;

void masks_note_needs(row *r, const needs *n);
/* The most that finishing needs from any state of an instance. */
const needs *masks_needs_inside(masks *m, const automaton *a, uint32_t instance_id);
/* masks_string.c: the suffixes allowed from a state behind a string; equal sets have equal ids. */
uint32_t masks_suffix_set(compiler *c, masks *m, uint32_t state_id);

enum { MARK_NO, MARK_GUARDED, MARK_PLAIN, MARK_NAMED, MARK_CLOSING };

/* Walks a trie from a state. Values: token ids or suffix ids. */
outcome masks_walk(compiler *c, masks *m, const trie *t, const uint32_t *same, uint32_t state_id, bool vocabulary);
/* Whether one string is allowed from a state: MARK_*. */
int masks_walk_one(compiler *c, masks *m, uint32_t state_id, const uint8_t *bytes, uint32_t length);
uint32_t masks_list(compiler *c, masks *m, const uint32_t *items, uint32_t count);
/* Pairs of the row's `named`. */
uint32_t masks_named(compiler *c, masks *m, const named_token *named, uint32_t count);
uint32_t masks_patches(compiler *c, masks *m, const patch *patches, uint32_t count);
uint32_t masks_row(compiler *c, masks *m, row r);

/* Tokens in a trie of kinds of bytes; see masks_groups.c. */
typedef struct group_node {
    uint32_t child, next; /* first child, next sibling; NONE: none */
    uint8_t byte;         /* one of its kind */
    VECTOR(uint32_t) tokens; /* that end here, while grouping */
    struct { uint64_t bits; uint32_t word; } *marks; /* and then as words of a bitmap */
    uint32_t mark_count;
    VECTOR(uint32_t) starts; /* nodes of the vocabulary's trie behind a byte that may end the string */
} group_node;
typedef struct token_groups {
    VECTOR(group_node) nodes; /* the first is the root */
} token_groups;
const token_groups *masks_groups(compiler *c, scalar_module *s);

/* masks_string.c: the row of a local state of a string module that has a free part. */
uint32_t masks_string_row(compiler *c, masks *m, uint32_t state_id);

#endif
