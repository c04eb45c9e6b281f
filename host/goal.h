/* goal.h - what a value must achieve for the container around it, and which outcomes it can achieve.
 *
 * A goal says what must hold of a value ("it satisfies schema s and not schema t") and of which further schemas the
 * container wants to know the truth. When the value is read, that has become a tuple of constants: its class. Goals refer
 * to each other through members and items; the least fixpoint of their classes says which are productive, so recursion
 * needs no special care. */
#ifndef WEIR_HOST_GOAL_H
#define WEIR_HOST_GOAL_H

#include "schema.h"

typedef uint32_t goal_id;

/* A member or item of a container: its goal, and what its classes mean for the container. */
typedef struct child {
    goal_id goal;
    formula rest;       /* what the container still waits for, over ATOM_VALUE of the asked schemas */
    uint32_t *asked;    /* schema ids whose truth the class tells, in order */
    uint32_t asked_count;
} child;

/* Moves on reading one member or item: targets[class of child] = node, NONE: the formula becomes false. */
typedef struct take {
    uint32_t key; /* key id; NONE: an unlisted member or an item */
    child child;
    VECTOR(uint32_t) targets;
} take;

/* A state of an object or array between members: how far in the listed names (or prefix items), and what is left of the
 * formula. Past the listed names `position` stays. */
typedef struct graph_node {
    uint32_t position;
    uint32_t flips; /* unlisted members so far that changed the formula: as many hashes are kept */
    formula left;
    uint32_t skip;  /* objects: the node when names[position] is left out, or NONE */
    formula close;  /* objects past the last name; arrays before the last prefix item: the class when it closes here */
    id_list waiting; /* objects past the last name: unlisted names whose presence still matters */
    bool opened;    /* takes, skip and close are filled in */
    VECTOR(take) takes;
} graph_node;

typedef struct graph {
    VECTOR(graph_node) nodes;
    interner table;
    id_list names;        /* objects: listed names in order */
    bool closed;          /* objects: unlisted names are not written */
    uint32_t prefix;      /* arrays: positions told apart */
    uint32_t flips;       /* most flips of any node */
    id_list required;     /* objects: names that are required somewhere and not listed */
    id_list marked;       /* those of them that every value needs: kept as bits in the frame, not in the formula */
} graph;

/* Counts as sorted, disjoint, non-adjacent intervals; hi NONE: no end. */
typedef struct interval {
    uint32_t lo, hi;
} interval;
typedef VECTOR(interval) interval_set;
void interval_add(compiler *c, interval_set *set, uint32_t lo, uint32_t hi);
bool interval_has(const interval_set *set, uint32_t value);

typedef struct string_plan {
    struct { uint32_t text; formula class; } *members; /* texts told apart; class may be false */
    uint32_t member_count;
    struct { uint32_t lo, hi; formula class; } *lengths; /* every other string, by code points; hi NONE: no end */
    uint32_t length_count;
} string_plan;

/* How a number is written, as far as it can matter. */
enum { NUMBER_INTEGER, NUMBER_INTEGER_WITH_FRACTION, NUMBER_OTHER, NUMBER_FORMS };

typedef struct number_plan {
    uint32_t *thresholds; /* ascending; k of them give 2k+1 regions: below, at and above each */
    uint32_t threshold_count;
    formula *classes;     /* [(2k+1) * NUMBER_FORMS]; false also where the region has no such number */
    bool exponents;       /* integers are not told apart, so one may be written */
    bool free;            /* the class is the same for every number */
} number_plan;

typedef struct goal {
    formula wanted;
    id_list components;
    formula of_type[TYPE_COUNT]; /* wanted, for values of one type; NONE: not yet */
    VECTOR(formula) classes;     /* achievable, in order of discovery */
    id_list dependents;
    bool analysed, queued;
    string_plan *strings;
    number_plan *numbers;
    graph *object, *array;
} goal;

typedef struct goal_set {
    VECTOR(goal *) items;
    interner table;
    id_list queue;
    goal_id root;
} goal_set;

/* Builds the goal of the root schema and the classes of everything it reaches. */
goal_set *goals_analyse(compiler *c);
goal *goal_get(const compiler *c, goal_id id);
/* The container's formula after a child of this class. */
formula child_result(compiler *c, const child *of, formula class);
/* The class's index in the goal, or NONE. */
uint32_t goal_class(const goal *g, formula class);
/* Whether every name that must be present (`marked`) has a value that does not end all hope. */
bool graph_marks_writable(const graph *object, const graph_node *node);
/* Inserts into an ascending list, once. */
void id_list_insert(compiler *c, id_list *list, uint32_t value);
/* The class of an array that closes after `count` items, at a node past the prefix. */
formula array_close(compiler *c, formula left, uint32_t count);
/* The counts at which `array_close` may change, ascending; the last interval is open. */
void array_thresholds(compiler *c, formula left, id_list *counts);

/* goal_scalar.c */
void plan_strings(compiler *c, goal *g);
void plan_numbers(compiler *c, goal *g);

#endif
