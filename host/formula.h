/* formula.h - boolean formulas over what may be true of a JSON value, hash-consed and simplified.
 *
 * A schema is a formula over components; the state of a container is what is left of its formula once the members read
 * so far are known. Equal formulas have equal ids, so a formula is a state. */
#ifndef WEIR_HOST_FORMULA_H
#define WEIR_HOST_FORMULA_H

#include "compiler.h"

typedef uint32_t formula; /* id */

enum { FORMULA_FALSE = 0, FORMULA_TRUE = 1 };

typedef enum atom_kind {
    ATOM_VALUE,      /* the value satisfies schema a */
    ATOM_PROPERTY,   /* the member named a, if present, satisfies schema b */
    ATOM_REQUIRED,   /* the member named a is present */
    ATOM_ADDITIONAL, /* members whose name is not in the key set b satisfy schema a */
    ATOM_PATTERN_PROPERTY, /* members whose name matches pattern a satisfy schema b */
    ATOM_NAMES,      /* the names of all members satisfy schema a */
    ATOM_SIZE,       /* at least a members; a > 0 */
    ATOM_ITEM,       /* item a, if present, satisfies schema b */
    ATOM_ITEMS,      /* items from a on satisfy schema b */
    ATOM_CONTAINS,   /* at least a items satisfy schema b; a > 0 */
    ATOM_UNIQUE,     /* no two items are equal */
    ATOM_COUNT,      /* at least a items */
    ATOM_LENGTH,     /* at least a code points */
    ATOM_PATTERN,    /* the string matches pattern a */
    ATOM_TEXT,       /* the string is the text with id a */
    ATOM_INTEGER,    /* the number is an integer */
    ATOM_AT_LEAST,   /* the number >= threshold a */
    ATOM_ABOVE,      /* the number > threshold a */
    ATOM_UNKNOWN     /* never decided: a schema that applies to itself in place; its negation is itself */
} atom_kind;

typedef enum formula_kind {
    FORMULA_CONSTANT,
    FORMULA_ATOM,
    FORMULA_NOT,
    FORMULA_AND,
    FORMULA_SEQUENCE,
    FORMULA_ONE,
    FORMULA_TUPLE
} formula_kind;

typedef struct formula_node {
    uint8_t kind; /* formula_kind */
    uint8_t atom; /* atom_kind */
    uint32_t a, b;
    uint32_t count; /* of children */
    const formula *children; /* ascending, distinct */
    uint64_t atoms; /* which atoms occur below: one bit a kind and, for names, hashed bits; see atom_bits */
} formula_node;

struct formula_set *formula_set_new(compiler *c);
const formula_node *formula_get(const compiler *c, formula f);

formula formula_atom(compiler *c, atom_kind kind, uint32_t a, uint32_t b);
formula formula_not(compiler *c, formula f);
formula formula_and(compiler *c, const formula *list, uint32_t count);
formula formula_and2(compiler *c, formula left, formula right);
formula formula_or(compiler *c, const formula *list, uint32_t count);
/* Exactly one of them. */
formula formula_one(compiler *c, const formula *list, uint32_t count);

/* A conjunction whose members are asked in order until one is false: unknown if that meets ATOM_UNKNOWN first, whatever
 * the members after it say. */
formula formula_sequence(compiler *c, const formula *list, uint32_t count);
/* The same as a disjunction: until one is true. */
formula formula_any(compiler *c, const formula *list, uint32_t count);
/* True, but unknown where `f` is. */
formula formula_known(compiler *c, formula f);
bool formula_may_be_unknown(const compiler *c, formula f);
/* From now on atoms over this schema may become unknown. Before any such atom exists. */
void formula_doubt_schema(compiler *c, uint32_t schema);

/* Several formulas side by side: the first must hold, or the whole is false; of the others the truth is kept. The order
 * stays. */
formula formula_tuple(compiler *c, const formula *list, uint32_t count);

/* Bits of `formula_node.atoms`: a formula whose bits do not meet atom_bits(kind, a) has no such atom. */
uint64_t atom_bits(atom_kind kind, uint32_t a);
uint64_t atom_kind_bit(atom_kind kind);

/* Replaces every atom whose bits meet `bits` by replace(context, atom node); others stay. */
typedef formula replace_function(compiler *c, void *context, const formula_node *atom, formula self);
formula formula_replace(compiler *c, formula f, uint64_t bits, replace_function *replace, void *context);

/* Calls visit for every distinct atom of these bits below f, in order of id. */
typedef void visit_function(compiler *c, void *context, const formula_node *atom, formula self);
void formula_visit(compiler *c, formula f, uint64_t bits, visit_function *visit, void *context);

#endif
