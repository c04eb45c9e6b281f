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
    uint32_t name; /* objects: index in graph.names; NONE: any other name, or an item */
    uint32_t kind; /* of another name: index in graph.kinds */
    child child;
    VECTOR(uint32_t) targets;
    VECTOR(uint32_t) repeats; /* arrays that ask for unique items: the same for an item that repeats an earlier one */
} take;

/* A state of an object or array between members: what is left of the formula, and in an array how far in the prefix. */
typedef struct graph_node {
    uint32_t position; /* arrays: items read, up to the prefix; objects: see graph.positioned */
    uint32_t flips; /* other names so far that changed the formula: as many hashes are kept */
    formula left;
    formula close;  /* objects; arrays before the last prefix item: the class when it closes here */
    bool opened;    /* takes and close are filled in */
    bool widened;   /* a further way to the node has made more names possible */
    uint32_t *spent; /* objects: bits of names that cannot come any more on whichever way the node was reached */
    VECTOR(take) takes;
} graph_node;

/* Strings under patterns: after each text the state says what its class is when it ends there. */
typedef struct text_node {
    uint32_t edges, edge_count;
    formula class; /* may be false */
} text_node;
typedef struct text_automaton {
    VECTOR(text_node) states; /* the first is the start */
    VECTOR(regex_edge) edges;     /* over code points, ascending in a state, no surrogates */
} text_automaton;

/* Names of an object are told apart when the schema lists them or asks for them. Each may stand once: bits in the frame
 * see to that, and in the schema's order to the order of the listed ones. So a node need not know what has been read but
 * where the formula depends on it. */
typedef struct graph {
    VECTOR(graph_node) nodes;
    interner table;
    id_list names;        /* objects: key ids told apart, the listed ones first, in order */
    uint32_t listed;      /* how many are listed */
    uint32_t *rank;       /* [key id] index in names, or NONE */
    uint32_t *leaf;       /* [names] place among them in byte order */
    uint8_t *needed;      /* [names] present in every value, and nothing else hangs on it: a bit remembers, no node */
    uint8_t *written;     /* [names] some node takes it, with a value that does not end all hope */
    bool closed;          /* objects: other names are not written */
    /* Objects that ask what names look like: the automaton of names, whose classes are tuples of true, the truth of each
     * question, and whether the text is each of `names`. Other names with equal answers are of one kind. */
    text_automaton *name_text;
    struct { formula question; uint32_t pattern, schema; } *questions; /* of a pattern, or of propertyNames (pattern NONE) */
    uint32_t question_count;
    VECTOR(formula) kinds; /* the class of each; without questions one kind */
    bool positioned;      /* a node knows how many of the listed names can no longer come */
    bool keeps;           /* properties once read stay in the formula: fewer nodes, and less known */
    bool fine;            /* with `keeps`: not those of `decides` */
    uint8_t *decides;     /* [names] with `keeps`: a property that may have to be violated, so it does not stay */
    uint32_t prefix;      /* arrays: positions told apart */
    bool unique;          /* arrays: whether items are equal matters */
    uint32_t flips;       /* most flips of any node */
} graph;

/* Counts as sorted, disjoint, non-adjacent intervals; hi NONE: no end. */
typedef struct interval {
    uint32_t lo, hi;
} interval;
typedef VECTOR(interval) interval_set;
void interval_add(compiler *c, interval_set *set, uint32_t lo, uint32_t hi);
bool interval_has(const interval_set *set, uint32_t value);

typedef struct string_plan {
    text_automaton *patterned; /* NULL: no pattern; else the rest is empty */
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
    uint8_t endless; /* of goal_is_endless: 0 not asked, 1 under way or no, 2 yes */
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
/* The schema that a goal is about, for messages. */
const json *goal_place(const compiler *c, goal_id id);
/* The class's index in the goal, or NONE. */
uint32_t goal_class(const goal *g, formula class);
/* Whether every needed name has a value that does not end all hope. */
bool object_needs_writable(compiler *c, const graph *object, const graph_node *node);
/* [names] Sets those that have certainly not been read at a node: the formula still waits for them. */
void object_waits(compiler *c, const graph *object, formula left, uint8_t *waits);
/* [count] Where each text stands among them in the order of the bytes of its JSON spelling. */
typedef struct named_text {
    const char *content;
    uint32_t length;
    bool live; /* may be written */
} named_text;
void texts_rank(compiler *c, const named_text *texts, uint32_t count, uint32_t *rank);
/* Inserts into an ascending list, once. */
void id_list_insert(compiler *c, id_list *list, uint32_t value);
/* Whether a node of an array still waits to know that its items are unique; *certain: a repeated item counts only where
 * equality is certain. */
bool array_waits_for_repeats(compiler *c, formula left, bool *certain);
/* Of an item: all nodes that may follow, targets first, then repeats. */
uint32_t take_way_count(const take *t);
uint32_t take_way(const take *t, uint32_t index);
/* How many values of a goal are different, at most `most`. May be too high, never too low. */
uint32_t goal_supply(compiler *c, goal_id id, uint32_t most);
/* Whether a goal has one class only, and no end of values. Only if that is certain. */
bool goal_is_endless(compiler *c, goal_id id);
/* [states] From which a text can end in one of the states that `ends` marks. */
uint8_t *text_live(compiler *c, const text_automaton *text, const uint8_t *ends);
/* The same of the texts that end with a class (NONE: any), and the texts: in a finite automaton only. */
uint32_t text_supply(compiler *c, const text_automaton *text, formula class, uint32_t most);
typedef void text_visit(compiler *c, void *context, const char *bytes, uint32_t length);
void text_enumerate(compiler *c, const text_automaton *text, formula class, text_visit *visit, void *context);
/* The class of an array that closes after `count` items, at a node past the prefix. */
formula array_close(compiler *c, formula left, uint32_t count);
/* The counts at which `array_close` may change, ascending; the last interval is open. */
void array_thresholds(compiler *c, formula left, id_list *counts);

/* goal_text.c: the automaton of the patterns, texts and lengths that a formula asks for. */
text_automaton *plan_texts(compiler *c, formula wanted);
/* goal_scalar.c */
void plan_strings(compiler *c, goal *g);
void plan_numbers(compiler *c, goal *g);

#endif
