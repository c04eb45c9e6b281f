/* compiler.h - what one compile carries from pass to pass: its arena, its budgets and its way out.
 *
 * Passes allocate from one arena and leave through one exit: a failure anywhere jumps back to compile.c, which frees
 * the arena. So no pass checks an allocation and no pass can leak. Nothing outside compile.c sees a half-built grammar. */
#ifndef WEIR_HOST_COMPILER_H
#define WEIR_HOST_COMPILER_H

#include <setjmp.h>

#include "json.h"
#include "memory.h"
#include "status.h"
#include "vocab.h"

#define NONE UINT32_MAX

struct resource_set;
struct schema_set;
struct formula_set;
struct goal_set;
struct automaton;

typedef struct compiler {
    arena arena;
    const weir_vocab *vocab;
    weir_grammar_options options;
    weir_error *error;
    jmp_buf exit;
    weir_status status;
    uint64_t work, next_progress;
    uint32_t nesting; /* recursion of the passes, bounded so that hostile schemas cannot exhaust the C stack */
    const json *root; /* of the schema */
    const json *part; /* of it, that is being compiled: what a limit names; NULL: none in particular, so the root */
    struct resource_set *resources;
    struct schema_set *schemas;
    struct formula_set *formulas;
    struct goal_set *goals;
    struct automaton *automaton;
} compiler;

/* Leaves the compile with an error at a place of the schema (NULL: no place). */
_Noreturn void compiler_fail(compiler *c, weir_status status, const json *place, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* Counts units of work against the budget; one unit is one to two nanoseconds of plain code. */
void compiler_spend(compiler *c, uint64_t units);
/* Memory that goes with the compile; never NULL. */
void *compiler_new(compiler *c, size_t size);
void *compiler_zero(compiler *c, size_t size);
void *compiler_grow(compiler *c, const void *old, size_t old_size, size_t size);
/* Around every recursive call of a pass. */
void compiler_enter(compiler *c, const json *place);
void compiler_leave(compiler *c);

#define NEW(c, type) ((type *)compiler_zero(c, sizeof(type)))
#define NEW_ARRAY(c, type, count) ((type *)compiler_zero(c, sizeof(type) * (size_t)(count)))

/* For qsort over uint32_t, ascending: ids, tokens, code points, packed entries. */
int order_ids(const void *left, const void *right);

/* A growable array: VECTOR(type) name; PUSH(c, name, value). */
#define VECTOR(...)                                                                                                    \
    struct {                                                                                                           \
        __VA_ARGS__ *items;                                                                                                \
        uint32_t count, capacity;                                                                                      \
    }
#define PUSH(c, vector, value)                                                                                         \
    do {                                                                                                               \
        if ((vector).count == (vector).capacity) {                                                                     \
            uint32_t grown_ = (vector).capacity ? 2 * (vector).capacity : 8;                                           \
            (vector).items = compiler_grow((c), (vector).items, sizeof *(vector).items * (vector).capacity,            \
                                           sizeof *(vector).items * grown_);                                           \
            (vector).capacity = grown_;                                                                                \
        }                                                                                                              \
        (vector).items[(vector).count++] = (value);                                                                    \
    } while (0)

/* Interning: byte strings (usually arrays of uint32_t) to small consecutive ids. */
typedef struct interner {
    uint32_t *slots; /* id + 1, 0: free */
    uint32_t slot_count, count;
    VECTOR(struct interned { const void *bytes; uint32_t size; uint32_t hash; }) entries;
} interner;
/* The id of these bytes, new or old; *is_new says which. The bytes are copied when new. */
uint32_t intern(compiler *c, interner *table, const void *bytes, size_t size, bool *is_new);
/* The id, or NONE. */
uint32_t intern_find(const interner *table, const void *bytes, size_t size);
uint32_t hash_bytes(const void *bytes, size_t size);

#endif
