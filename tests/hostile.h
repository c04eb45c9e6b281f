/* hostile.h - inputs made to break a compiler, written from a few words each, and what every one of them must end in.
 *
 * For tests: what fails here fails the running test. */
#ifndef WEIR_TESTS_HOSTILE_H
#define WEIR_TESTS_HOSTILE_H

#include "harness.h"

typedef struct hostile_text {
    char *bytes;
    size_t length, capacity;
} hostile_text;

void hostile_add(hostile_text *t, const char *bytes, size_t length);
/* `piece` with ' for ", @ for `index` and ` for the number behind it. */
void hostile_piece(hostile_text *t, const char *piece, uint32_t index);
void hostile_free(hostile_text *t);

/* Expected of what may compile, reach a limit or use what is not supported: each is fine, as long as it ends. */
#define HOSTILE_MAY_BE_REFUSED WEIR_ERROR_LIMIT

/* `head`, `open` so many times, `middle`, `close` as often, `tail`; each as hostile_piece reads it. */
typedef struct hostile_case {
    const char *name, *head, *open, *middle, *close, *tail;
    uint32_t count;
    weir_status expected;
} hostile_case;

void hostile_write(const hostile_case *h, hostile_text *t);
/* Compiles each case with the default budgets and a counting allocator: the status is the expected one, an error says where
 * and why, memory stays inside the default limit, and a grammar that compiles is used. HOSTILE=WORD in the environment: only
 * the cases whose name holds the word. */
void hostile_compile(const weir_vocab *vocab, const hostile_case *cases, size_t count);
/* The same with the embedded vocabulary, and with a real one where WEIR_DATA is set. */
void hostile_compile_small(const hostile_case *cases, size_t count);
void hostile_compile_real(const hostile_case *cases, size_t count);
/* Every byte, some longer tokens of JSON, and a stop token; the logits are wider than the tokens. */
weir_vocab *hostile_vocab(void);
/* Takes tokens of the masks until the text ends or `longest` were taken: each must be accepted, and every third is taken
 * back and taken again, in the matcher and in a copy of it, which must agree. */
void hostile_use(const weir_grammar *grammar, uint32_t longest);
/* Of this thread: other work on the machine does not count. */
double hostile_seconds(void);

#endif
