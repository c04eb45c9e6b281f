/* automaton.h - goals in, states, edges and return symbols out: the deterministic pushdown machine.
 *
 * Values that open a bracket become modules, one for each goal and set of classes that its callers can use. Strings that
 * are not finite sets and numbers become scalar modules, whose local states are shared and instantiated once for every
 * place where the scalar can stand. Everything else is interned by content, so equal states are one. */
#ifndef WEIR_HOST_AUTOMATON_H
#define WEIR_HOST_AUTOMATON_H

#include "goal.h"
#include "tables.h"

/* Lexical states of a JSON string after its quote; the first is between code points. */
enum lexical_state {
    LEX_BODY,
    LEX_ESCAPE,        /* after a backslash */
    LEX_U4,            /* four hex digits to come */
    LEX_U3, LEX_U2, LEX_U1,
    LEX_UD,            /* after \ud: a surrogate, or d0..d7 */
    LEX_HIGH2, LEX_HIGH1,
    LEX_LOW_BACKSLASH, /* a high surrogate wants its low one */
    LEX_LOW_U, LEX_LOW_D, LEX_LOW_C,
    LEX_TAIL1,         /* UTF-8: one continuation byte to come */
    LEX_TAIL2, LEX_TAIL3,
    LEX_E0, LEX_ED, LEX_F0, LEX_F4,
    LEX_COUNT
};

/* The edges of a lexical state: EDGE_CHAR_FREE, EDGE_LOCAL to lexical states, and the closing quote as
 * EDGE_EXIT_LENGTH. Returns their number (at most 16). */
uint32_t lexical_edges(uint32_t lexical, edge *edges);

typedef struct local_state {
    uint32_t edges, edge_count; /* in automaton.edges */
    uint8_t lexical;            /* of a string module: what the same bytes reach in a free string */
    uint32_t points;            /* code points so far, where a local state tells them and lies between two; else NONE */
    bool is_text;               /* a text told apart ends here */
    bool on_trie;               /* differs from the lexical state: may still become a text told apart */
    uint16_t leaf_lo, leaf_hi;  /* the texts that begin so; they are numbered in byte order */
    bool others;                /* a text that is not told apart may begin so */
    uint32_t *distances;        /* [class_count + 1] tokens to each exit; the last is the free exit; NONE: never */
} local_state;

typedef enum scalar_kind { SCALAR_STRING, SCALAR_NUMBER } scalar_kind;

typedef struct scalar_module {
    scalar_kind kind;
    bool hashes;
    uint32_t **steps; /* [locals][256] lazily: the local that a byte leads to, or STEP_NONE, STEP_OTHER; see masks_walk.c */
    struct token_groups *groups; /* masks_groups.c: the vocabulary's tokens by what the module tells apart */
    uint32_t told_apart; /* names: classes below are told apart */
    uint8_t *ample;  /* [locals] there are more strings or numbers from here than anyone keeps; NULL: not yet asked */
    uint8_t *frozen; /* [locals] of a number: no digit follows that changes it */
    uint32_t class_count;
    uint32_t root;
    VECTOR(local_state) locals;
} scalar_module;

typedef struct module {
    goal_id goal;
    value_type type;
    uint32_t *usable;     /* [class words] */
    uint32_t start;       /* state after the bracket, or NONE: not productive */
    uint8_t *productive;  /* [graph nodes] */
    interval_set *counts; /* counted arrays: item counts from which a node past the prefix can still finish */
    uint32_t *after;      /* [graph nodes] state after a member or item, or NONE */
    uint32_t object;      /* objects: index in automaton.objects */
    uint32_t *keys;       /* [graph nodes] objects: instance of the key that follows the node, or NONE */
    uint32_t *member;     /* [names in byte order] objects: a state behind the name, or NONE */
    uint32_t *then;       /* and the state behind its value */
    uint32_t *boundary;   /* [graph nodes] of counted arrays, or NONE */
    bool counted;
    bool careful; /* it is a unique array, or stands inside one: values matter */
    bool keeps_kinds; /* an object whose names of a kind are kept: some names may be the last that is left */
    uint32_t *longer; /* [classes] what a unique array costs more because its items must differ; NULL: nothing */
} module;

/* The segments of a counted array's boundary; see tables.h. */
typedef struct boundary_plan {
    VECTOR(segment) segments;
} boundary_plan;

/* What each name of an instance costs down to the end of the frame; see cost.names. */
typedef struct name_table {
    uint32_t target, missing, way; /* as in the costs behind the names; way 0: the cheapest, 1: the shallowest */
    uint32_t outdent;
    uint32_t first; /* in weights: [name_count + 1] {distance, depth, lines} */
} name_table;

typedef struct automaton {
    VECTOR(state) states;
    VECTOR(struct { cost *items; uint32_t count, capacity; }) state_costs; /* least.c: what finishing takes */
    VECTOR(boundary_plan) boundary_costs;
    VECTOR(object) objects;
    VECTOR(uint8_t) object_of_items; /* the names are strings of a finite set, items of a unique array */
    VECTOR(uint8_t) object_two_ways; /* least_names.c: the cheapest values of needed names are not the shallowest */
    VECTOR(uint32_t) masks;         /* of names */
    VECTOR(uint32_t) weights;       /* least_frame.c: what members cost */
    VECTOR(struct { name_table *items; uint32_t count, capacity; }) name_tables; /* least_names.c: by instance */
    VECTOR(uint32_t) state_module; /* module whose frame the state belongs to; NONE: the whole text */
    VECTOR(edge) edges;
    VECTOR(instance) instances;
    VECTOR(uint32_t) instance_module; /* scalar module */
    VECTOR(uint32_t) instance_waits;  /* names: mask of those that certainly can come, and a last bit: some name, whichever;
                                         else NONE */
    VECTOR(uint32_t) targets;
    VECTOR(length_case) lengths;
    VECTOR(count_case) counts;
    VECTOR(call) calls;
    uint8_t *call_open; /* [calls] the container can be finished; known with the costs */
    VECTOR(uint32_t) call_module;
    VECTOR(return_symbol) returns;
    VECTOR(module) modules;
    VECTOR(scalar_module *) scalars;
    VECTOR(struct { uint32_t module, node; }) boundaries;
    interner state_table, edge_table, target_table, return_table, call_table, value_table, module_table, text_table,
        chain_table, instance_table, scalar_table, length_table, count_table;
    VECTOR(uint32_t) edge_offsets, state_ids, value_ids, chain_ids, count_offsets, scalar_ids; /* by id of their table */
    uint32_t start, end; /* end: the text is complete */
    uint32_t hash_slots, class_max, name_words;
    uint32_t current;    /* module being emitted */
    bool careful;        /* and whether it is a careful one */
    const uint32_t *item_conts; /* the value being made is an item of a unique array: where to go on behind strings of a finite set,
                            which bits of the frame keep apart; else NULL */
} automaton;

/* Builds the machine of c->goals. start is STATE_DEAD when nothing satisfies the schema. */
automaton *automaton_build(compiler *c);

/* least.c: for every state, what finishing its frame takes at least, counted in tokens of the vocabulary, and how many
 * further frames. States that cannot finish with the vocabulary's tokens get no entry. */
void automaton_costs(compiler *c);

/* The least cost of a module from behind its bracket to its closing one, at depth 1. */
uint32_t least_of_module(compiler *c, uint32_t index, uint32_t class_index);
uint32_t segment_value(const segment *s, uint32_t items); /* cost with so many items, COST_NEVER at most */

/* Whether a state stands inside a careful frame. */
static inline bool state_is_careful(const automaton *a, uint32_t state_id) {
    return a->state_module.items[state_id] != NONE && a->modules.items[a->state_module.items[state_id]].careful;
}

/* automaton.c, for the module builders below. */
uint32_t edge_list(compiler *c, const edge *edges, uint32_t count); /* interned; index of the first */
uint32_t state_intern(compiler *c, const edge *edges, uint32_t count, uint32_t instance, uint8_t flags);
uint32_t state_reserve(compiler *c);
/* Behind an item of a unique array: where to go on when it is new, and when it repeats an earlier one; NONE: nowhere. */
uint32_t judging_state(compiler *c, uint32_t if_new, uint32_t if_repeated, bool certain);
void state_set(compiler *c, uint32_t id, const edge *edges, uint32_t count);
uint32_t target_list(compiler *c, const uint32_t *targets, uint32_t count);
uint32_t instance_add(compiler *c, uint32_t scalar, const instance *like);
/* The state at the start of a value: conts[class] is where to go on, NONE where the caller cannot use the class. */
uint32_t value_state(compiler *c, goal_id goal, const uint32_t *conts, bool spaces);

/* automaton_text.c: literals and finite sets of strings as tries. */
typedef struct text_target {
    uint32_t text; /* of text_add */
    uint32_t target;
} text_target;
uint32_t text_add(compiler *c, const char *bytes, size_t length);
/* The id of a string as json.dumps writes it, without its first quote. */
uint32_t text_quoted(compiler *c, const char *content, uint32_t length);
uint32_t text_state(compiler *c, text_target *list, uint32_t count);
uint32_t literal_state(compiler *c, const char *bytes, uint32_t target);

/* automaton_object.c, automaton_array.c */
uint32_t module_get(compiler *c, goal_id goal, value_type type, const uint32_t *conts);
void emit_object(compiler *c, uint32_t index);
void emit_array(compiler *c, uint32_t index);
void plan_object(compiler *c, module *m);
void plan_array(compiler *c, module *m);
bool module_usable(const module *m, uint32_t class_index);
/* The names of an object that are told apart, without order: [words] masks, all clear but what reading each sets. */
uint32_t object_new(compiler *c, uint32_t name_count);
uint32_t mask_list(compiler *c, uint32_t words); /* all clear */
/* Edges plus white space before them (policy any): returns the state. id NONE: interned, else that state is set. */
uint32_t spaced_state(compiler *c, const edge *edges, uint32_t count, bool spaces, uint32_t id);
/* After a comma or an opening bracket, before a member or item whose first bytes are `edges` (policy applied). */
uint32_t before_member(compiler *c, const edge *edges, uint32_t count);
/* The edges of a container after a member: close and comma, with the policy's space around them. */
void after_member(compiler *c, uint32_t id, const edge *close, const edge *comma);
void start_member(compiler *c, uint32_t id, const edge *close, const edge *edges, uint32_t count);

/* automaton_string.c */
/* A string module that tells the given texts apart (class i: text i) from all others (the free exit). */
uint32_t string_module(compiler *c, const named_text *texts, uint32_t count, const length_case *lengths,
                       uint32_t length_count, bool hashes);
uint32_t string_state(compiler *c, uint32_t scalar, const uint32_t *exits, const length_case *lengths,
                      uint32_t length_count);
/* The same for a name of an object, with its part of `like` filled in: hashes, object, dead. Returns the instance. */
uint32_t name_instance(compiler *c, uint32_t scalar, const uint32_t *exits, const length_case *any, const instance *like);
/* automaton_supply.c: fills in `ample` and `frozen`. */
void scalar_supply(compiler *c, scalar_module *s);
/* Looks for an array of every class of every unique array; refuses the schema where there is none. After the tables. true:
 * some are longer than their costs say, which is noted in the modules: costs, rows and tables must be made again. */
bool automaton_verify(compiler *c, const tables *t);
/* automaton_pattern.c: the module of strings under patterns; class i: class i of the goal. NONE when no such string is
 * written. */
uint32_t pattern_module(compiler *c, const goal *g, const uint32_t *conts);
/* The module of names of an object that asks what they look like: exits [leaf] of names told apart, then [name count + kind]
 * of the others; NONE in `exits`: not written. */
uint32_t name_module(compiler *c, const graph *object, const uint32_t *exits);
/* automaton_number.c: the module of a plan; usable classes only. NONE when no such number is written. */
uint32_t number_module(compiler *c, const goal *g, const uint32_t *conts);

#endif
