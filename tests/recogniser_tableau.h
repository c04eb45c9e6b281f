/* recogniser_tableau.h - one problem of the search: what is asked, what is known, which choices are left.
 *
 * A literal states facts about a value of the chosen kind, or leaves a choice between several statements. */
#ifndef WEIR_TESTS_RECOGNISER_TABLEAU_H
#define WEIR_TESTS_RECOGNISER_TABLEAU_H

#include <string.h>

#include "recogniser_parts.h"

/* A name is a known one or a class of other names; what is said of a class is said of all members whose names it holds. */
typedef enum fact_kind {
    FACT_SCHEMA,  /* holds: its properties, patterns, additionalProperties, prefixItems, items bind all members */
    FACT_PRESENT, /* name, a known one */
    FACT_ABSENT,  /* name */
    FACT_MEMBER,  /* name: code, where it is present */
    FACT_OTHER,   /* a further member, its name of the class: code; n tells such facts apart */
    FACT_SHARED,  /* of the further member n: code too */
    FACT_ITEM,    /* n: code, where it is present */
    FACT_REST,    /* all items from n on: one of `codes` */
    FACT_COUNT,   /* n to `most` items satisfy the code */
    FACT_OPENED,  /* the open item and the code of a count: n is an opened_as */
    FACT_SAME,    /* items n and `most` are equal; so many items are there */
    FACT_OPEN,    /* the open member: code */
    FACT_LOW,     /* number, exclusive */
    FACT_HIGH,
    FACT_UNEQUAL /* number */
} fact_kind;

/* What the open item is taken for in a count: nothing is asked of it, and it counts where that is worse; or it is asked. */
typedef enum opened_as { OPENED_ANY, OPENED_YES, OPENED_NO } opened_as;

typedef struct fact {
    fact_kind kind;
    uint32_t name, code;
    uint64_t n, most;
    const schema *schema;
    const json *number;
    const code_array *codes;
    uint64_t exclusive;
} fact;

typedef enum choice_kind {
    CHOICE_ANY,
    CHOICE_ONE,
    CHOICE_IF,
    CHOICE_NOT,
    CHOICE_UNEQUAL,
    CHOICE_DEPENDENCY, /* from: which; of schema `code` */
    CHOICE_MEMBER,
    CHOICE_ITEM,
    CHOICE_OPENED,    /* what the open item is to the count of `code` */
    CHOICE_ONE_OF,    /* the open item: one of `codes` */
    CHOICE_SAME,      /* two items are equal */
    CHOICE_EVALUATED, /* schema `code`: the member `owner`, or the item `from`, is evaluated or satisfies the keyword */
    CHOICE_NOT_PATH   /* `path` does not hold */
} choice_kind;

/* Which members a MEMBER choice is about. */
typedef enum domain { DOMAIN_UNLISTED, DOMAIN_LACKED, DOMAIN_PATTERN, DOMAIN_ILL_NAMED, DOMAIN_NAME } domain;

struct path;

typedef struct choice {
    choice_kind kind;
    uint32_t code;  /* of the schema or constant; MEMBER, ITEM: what some member must satisfy */
    uint32_t owner; /* MEMBER: the schema, the constant or the name that says which members count */
    domain domain;
    uint64_t from; /* ITEM: first index; PATTERN: which */
    const code_array *codes;
    const struct path *path;
    bool made;
} choice;

typedef struct problem {
    recogniser *r;
    const code_set *set;
    const position *position;
    uint32_t depth; /* containers that members may nest */
    int kind;
    const frame *frame;   /* what is written of a container, or NULL */
    const member *others; /* values that it must differ from where the set has CODE_DISTINCT */
    const char *prefix;   /* of a number */
    uint32_t prefix_length;
    set_list *collect; /* the sets that the open member may have; NULL: one solution is enough */
    text_buffer *out;  /* text that completes the value */
    char number[NUMBER_CAPACITY];

    fact *facts;
    uint32_t fact_count, fact_capacity;
    uint32_t *literals, literal_count, literal_capacity;
    choice *choices;
    uint32_t choice_count, choice_capacity;
    uint64_t least, most; /* items, members or characters */
    uint32_t among;       /* the value is one of an enumeration, or this constant: its code; 0: not limited */
    bool is_limited;
    bool unique;   /* no two items are equal */
    uint64_t news; /* statements that were not known before */
} problem;

typedef struct mark {
    uint32_t fact_count, literal_count, choice_count, among;
    uint64_t least, most;
    bool is_limited, unique;
} mark;

typedef enum outcome { END, CONFLICT, TAKEN } outcome;

/* --- statements (recogniser_tableau.c): false is a contradiction --- */

bool problem_state(problem *p, fact fact);
void problem_leave(problem *p, choice choice);
bool problem_at_least(problem *p, uint64_t n);
bool problem_at_most(problem *p, uint64_t n);
bool problem_present(problem *p, uint32_t name);
bool problem_absent(problem *p, uint32_t name); /* no member has such a name */
bool problem_member_is(problem *p, uint32_t name, uint32_t code);
bool problem_item_is(problem *p, uint64_t index, uint32_t code);
bool problem_open_is(problem *p, uint32_t code);
/* `least` to `most` items satisfy the code; all items from an index on satisfy one of the codes. */
bool problem_count(problem *p, uint32_t code, uint64_t least, uint64_t most);
bool problem_rest(problem *p, uint64_t from, const code_array *codes);
bool problem_unique(problem *p);
/* The finished member of that known name, or item of that index; NULL: it is not written. */
const json *problem_member(const problem *p, uint32_t name);
const json *problem_item(const problem *p, uint64_t index);
/* The finished member with exactly this key, or NULL. */
const json *problem_keyed(const problem *p, const char *key, uint32_t length);
/* The policies let this name follow the last key. */
bool problem_can_write(const problem *p, uint32_t name);
bool problem_has_fact(const problem *p, fact_kind kind, uint32_t name);
/* The k-th name of the position: known ones, then classes; false: no more. */
bool problem_name(const problem *p, uint32_t k, uint32_t *name);
/* realloc for one item more. */
void *grow(void *items, uint32_t count, uint32_t *capacity, size_t size);

static inline uint32_t written_count(const problem *p) {
    return p->frame ? p->frame->count + p->frame->open : 0;
}
static inline bool is_open(const problem *p, uint32_t name) {
    return p->frame && p->frame->open && p->frame->name == name;
}
static inline bool open_has_key(const problem *p, const char *key, uint32_t length) {
    const frame *f = p->frame;
    return f && f->open && f->kind == KIND_OBJECT && f->key_length == length && !memcmp(f->key, key, length);
}

/* --- literals and choices (recogniser_literal.c, recogniser_choice.c) --- */

/* The literal holds. */
bool problem_literal(problem *p, uint32_t code);
/* Takes one option of a choice. */
outcome problem_apply(problem *p, const choice *choice, uint32_t option);
/* Some member of the choice's domain satisfies its code: one that is written, or the choice is left. */
outcome problem_some_member(problem *p, choice c);
/* The ways in which a value breaks a schema: keywords of its own kind only. */
outcome apply_not_own(problem *p, const schema *s, uint32_t option);
/* true for the option that `*option` counts down to. */
static inline bool here(uint32_t *option) {
    return (*option)-- == 0;
}
static inline outcome taken(bool holds) {
    return holds ? TAKEN : CONFLICT;
}
static inline uint32_t negative(const schema *s) {
    return s->code ^ CODE_POSITIVE;
}

/* --- what is evaluated (recogniser_evaluated.c) --- */

/* unevaluatedProperties, unevaluatedItems: leaves the choices that they ask for. */
bool assert_evaluated(problem *p, const schema *s);
outcome apply_evaluated(problem *p, const choice *choice, uint32_t option);
/* Some member or item is not evaluated and breaks the keyword. */
outcome apply_not_evaluated(problem *p, const schema *s, uint32_t option);
outcome apply_not_path(problem *p, const struct path *path, uint64_t index, uint32_t option);

/* --- ends of branches (recogniser_leaf.c, recogniser_array.c, recogniser_constant.c) --- */

/* The set that a member not yet written must satisfy, by name or by index. `own`: what holds for this one only. */
const code_set *problem_member_set(problem *p, uint32_t name, uint64_t index, const fact *own);
/* Every choice is made: YES, NO or MAYBE; in the collecting search NO after noting what is asked of the open member. */
answer problem_leaf(problem *p);
answer array_leaf(problem *p);
/* The value is one of finitely many. */
answer problem_finite_leaf(problem *p);
/* What is written can still become this constant. `open`: the constant's member where the open one is. */
bool problem_can_become(const problem *p, const json *value, const json **open);
/* One more possibility for the open member. */
answer problem_collect(problem *p, const uint32_t *codes, uint32_t count);
void put_separator(const problem *p, char separator);

typedef struct code_list {
    uint32_t *items, count, capacity;
} code_list;
void code_list_put(code_list *list, uint32_t code);
/* What is asked of the open member. */
void problem_open_codes(const problem *p, code_list *out);

static inline answer both(answer a, answer b) {
    return a == NO || b == NO ? NO : a == YES && b == YES ? YES : MAYBE;
}

#endif
