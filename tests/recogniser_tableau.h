/* recogniser_tableau.h - one problem of the search: what is asked, what is known, which choices are left.
 *
 * A literal states facts about a value of the chosen kind, or leaves a choice between several statements. */
#ifndef WEIR_TESTS_RECOGNISER_TABLEAU_H
#define WEIR_TESTS_RECOGNISER_TABLEAU_H

#include "recogniser_parts.h"

typedef enum fact_kind {
    FACT_SCHEMA,  /* holds: its properties, additionalProperties, prefixItems, items bind all members */
    FACT_PRESENT, /* name */
    FACT_ABSENT,  /* name */
    FACT_MEMBER,  /* name: code, where it is present */
    FACT_OTHER,   /* a further member with a name that no schema mentions: code */
    FACT_ITEM,    /* n: code, where it is present */
    FACT_OPEN,    /* the open member: code */
    FACT_LOW,     /* number, exclusive */
    FACT_HIGH,
    FACT_UNEQUAL /* number */
} fact_kind;

typedef struct fact {
    fact_kind kind;
    uint32_t name, code;
    uint64_t n;
    const schema *schema;
    const json *number;
    uint64_t exclusive;
} fact;

typedef enum choice_kind { CHOICE_ANY, CHOICE_ONE, CHOICE_NOT, CHOICE_UNEQUAL, CHOICE_MEMBER, CHOICE_ITEM } choice_kind;

typedef struct choice {
    choice_kind kind;
    uint32_t code;  /* of the schema or constant; MEMBER, ITEM: what some member must satisfy */
    uint32_t owner; /* MEMBER: whose names do not count */
    uint64_t from;  /* ITEM: first index */
    bool made;
} choice;

typedef struct problem {
    recogniser *r;
    const code_set *set;
    const position *position;
    uint32_t depth; /* containers that members may nest */
    int kind;
    const frame *frame; /* what is written of a container, or NULL */
    const char *prefix; /* of a number */
    uint32_t prefix_length;
    set_list *collect; /* the sets that the open member may have; NULL: one solution is enough */
    text_buffer *out;  /* text that completes the value */
    char number[NUMBER_CAPACITY];

    fact *facts;
    uint32_t fact_count, fact_capacity;
    uint32_t *literals, literal_count, literal_capacity;
    choice *choices;
    uint32_t choice_count, choice_capacity;
    uint64_t least, most; /* items or characters */
    uint32_t among;       /* the value is one of an enumeration, or this constant: its code; 0: not limited */
    bool is_limited;
    uint64_t news; /* statements that were not known before */
} problem;

typedef struct mark {
    uint32_t fact_count, literal_count, choice_count, among;
    uint64_t least, most;
    bool is_limited;
} mark;

typedef enum outcome { END, CONFLICT, TAKEN } outcome;

/* --- statements (recogniser_tableau.c): false is a contradiction --- */

/* The literal holds. */
bool problem_literal(problem *p, uint32_t code);
/* Takes one option of a choice. */
outcome problem_apply(problem *p, const choice *choice, uint32_t option);
/* The finished member of that name, or NULL. */
const json *problem_member(const problem *p, uint32_t name);
/* The policies let this name follow the last key. */
bool problem_can_write(const problem *p, uint32_t name);
/* What a schema's own keywords say of an item or member; or NULL. */
const schema *schema_item(const schema *s, uint64_t index);
const schema *schema_member(const schema *s, uint32_t name);
/* realloc for one item more. */
void *grow(void *items, uint32_t count, uint32_t *capacity, size_t size);

static inline uint32_t written_count(const problem *p) {
    return p->frame ? p->frame->count + p->frame->open : 0;
}
static inline bool is_open(const problem *p, uint32_t name) {
    return p->frame && p->frame->open && p->frame->name == name;
}

/* --- ends of branches (recogniser_leaf.c) --- */

/* The set that a member not yet written must satisfy, by name or by index. `own`: what holds for this one only. */
const code_set *problem_member_set(problem *p, uint32_t name, uint64_t index, const fact *own);
/* Every choice is made: YES, NO or MAYBE; in the collecting search NO after noting what is asked of the open member. */
answer problem_leaf(problem *p);
/* The value is one of finitely many. */
answer problem_finite_leaf(problem *p);

#endif
