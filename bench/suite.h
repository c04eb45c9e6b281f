/* suite.h - what maskbench and jsts share: lines of a file, instances as text, the walk through the masks, workers that
 * may die, times and counts.
 *
 * suite_lines.c  a .jsonl or .jsonl.xz file -> its lines
 * suite_text.c   JSON as it stands -> text as json.dumps writes
 * suite_walk.c   a grammar and a text -> a verdict
 * suite_order.c  a text -> the same with its keys in an order that passes
 * suite_pool.c   items -> answers, through forked processes
 * suite_count.c  times -> percentiles, refusals -> groups */
#ifndef WEIR_BENCH_SUITE_H
#define WEIR_BENCH_SUITE_H

#include "common.h"
#include "examples/tokens.h"

/* --- lines (suite_lines.c) ---------------------------------------------------------------------------------------- */

typedef struct suite_lines suite_lines;

/* NULL where the file cannot be opened (errno says why) or memory is short. A path that ends in .xz is unpacked. */
suite_lines *suite_lines_open(const char *path);
/* The next line without its end; it stays until the next call. NULL at the end, and where reading failed. */
const char *suite_lines_next(suite_lines *lines, size_t *length);
/* NULL, or what went wrong. */
const char *suite_lines_error(const suite_lines *lines);
void suite_lines_close(suite_lines *lines);

/* --- texts (suite_text.c) ----------------------------------------------------------------------------------------- */

/* Bytes that grow; `failed` stays set once memory was short. Free `bytes`. */
typedef struct suite_text {
    char *bytes;
    size_t length, capacity;
    bool failed;
} suite_text;

void suite_put(suite_text *to, const void *bytes, size_t length);
void suite_put_format(suite_text *to, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The string as a JSON literal. */
void suite_put_quoted(suite_text *to, const char *string);
/* A value of `source` as Python's json.dumps(value, ensure_ascii=False) writes it, keys in their order, number text as
 * it stands. A lone surrogate, which UTF-8 cannot hold, is written as its escape. `shuffle` is NULL, or the state of a
 * random sequence that permutes the keys of every object. */
void suite_put_value(suite_text *to, const char *source, size_t length, const json *value, uint64_t *shuffle);

typedef struct suite_member {
    const char *key; /* its quote in the source */
    size_t key_length;
    const json *value;
} suite_member;

/* The members of an object with the places of their keys, in their order or permuted as above. Free it; NULL: memory is
 * short. */
suite_member *suite_list_members(const char *source, size_t length, const json *object, uint64_t *shuffle);

/* Strict reading, except that lone surrogates pass: the strings of the tree then hold a stand-in for each, its places
 * in the source hold. */
weir_status suite_parse(const char *source, size_t length, arena *arena, const json **root, weir_error *error);
/* A random number below `count` from the state of a splitmix64 sequence, which advances. */
uint64_t suite_random(uint64_t *state, uint64_t count);
/* The beginning of a random sequence for one test of one schema. */
uint64_t suite_seed(uint64_t seed, uint64_t schema, uint64_t test);

/* --- times and counts (suite_count.c) ----------------------------------------------------------------------------- */

enum { SUITE_BUCKETS = 35 * 128 };

/* Durations, each in a bucket that is at most 1/128 of its lower end wide; count, sum and maximum are exact. */
typedef struct suite_times {
    uint64_t count, sum, most; /* nanoseconds */
    uint64_t buckets[SUITE_BUCKETS];
} suite_times;

void suite_times_add(suite_times *times, double microseconds);
/* The nearest rank, in microseconds, as the middle of its bucket. `share` in (0, 1]; 0 without times. */
double suite_times_percentile(const suite_times *times, double share);
/* As bytes for another process: only the buckets that hold something. */
void suite_times_pack(const suite_times *times, suite_text *to);
/* Adds what was packed at *at and moves *at behind it; false where the bytes end too soon. */
bool suite_times_unpack(suite_times *times, const char *bytes, size_t length, size_t *at);
/* "n= mean= p50= p90= p99= p99.9= max=" in microseconds, or the same as one JSON object. */
void suite_times_put(const suite_times *times, bool as_json, suite_text *to);

typedef struct suite_reason {
    char text[200];
    uint64_t count;
} suite_reason;

/* Why schemas were refused, by message without pointers, names and numbers. Free `items`. */
typedef struct suite_reasons {
    suite_reason *items;
    size_t count, capacity;
} suite_reasons;

bool suite_reasons_add(suite_reasons *reasons, const char *message);
void suite_reasons_sort(suite_reasons *reasons); /* most frequent first */

/* --- verdicts ----------------------------------------------------------------------------------------------------- */

/* Worse ones have larger numbers. */
typedef enum suite_class {
    SUITE_PASSING,
    SUITE_REFUSED,          /* the schema does not compile */
    SUITE_INVALID_RECORDED, /* an invalid instance passes, and a keyword is recorded as not enforced */
    SUITE_VALID_REJECTED,
    SUITE_INVALID_SILENT, /* an invalid instance passes, and nothing says why it may */
    SUITE_CRASHED,        /* the process died, took too long, or the library contradicted itself */
    SUITE_MALFORMED,      /* the input is not what it must be */
    SUITE_CLASSES
} suite_class;

extern const char *const suite_class_names[SUITE_CLASSES];
/* "passing=N refused=N valid_rejected=N invalid_accepted_silent=N invalid_accepted_recorded=N crashes=N". */
void suite_put_classes(suite_text *to, const uint64_t counts[SUITE_CLASSES]);

/* --- the walk (suite_walk.c) -------------------------------------------------------------------------------------- */

typedef struct suite_tools {
    weir_vocab *vocab;
    token_index index;
    uint32_t *mask, words;
} suite_tools;

/* Takes the vocabulary; false when memory is short. Free with suite_tools_free in any case. */
bool suite_tools_create(weir_vocab *vocab, suite_tools *tools);
void suite_tools_free(suite_tools *tools);

/* A schema, compiled, with a matcher on it. */
typedef struct suite_machine {
    weir_grammar *grammar; /* NULL: refused */
    weir_matcher *matcher; /* NULL: nothing satisfies it */
    bool recorded;         /* a keyword that could narrow the language is not enforced */
    char message[800];     /* of a refused one */
    suite_class state;     /* PASSING: usable; REFUSED; CRASHED: compiled, and then contradicted itself */
} suite_machine;

typedef struct suite_series {
    suite_times compile, refuse, mask, accept;
} suite_series;

/* `series` may be NULL. Free with suite_machine_free. */
void suite_machine_create(const suite_tools *tools, const char *schema, size_t length,
                          const weir_grammar_options *options, suite_series *series, suite_machine *out);
void suite_machine_free(suite_machine *machine);

typedef enum suite_verdict { SUITE_REJECTS, SUITE_ACCEPTS, SUITE_BROKEN } suite_verdict;

typedef struct suite_finding {
    suite_verdict verdict;
    uint64_t byte;     /* where the token begins that is not allowed */
    char message[160]; /* of a broken one: what contradicts what */
} suite_finding;

/* Cuts the text greedily and at random, takes each cut through masks and accepts, and compares. */
void suite_judge(const suite_tools *tools, const suite_machine *machine, const suite_text *text, uint64_t seed,
                 suite_series *series, suite_finding *out);

/* What became of one instance. ordered: keys stand in the schema's order. *other_order: it passes with its keys in
 * another order, and only so; it then counts as passing. */
suite_class suite_classify(const suite_tools *tools, const suite_machine *machine, bool ordered,
                           const suite_text *text, bool valid, uint64_t seed, suite_series *series, bool *other_order,
                           suite_finding *finding);

/* The value of the text again, with the keys of its objects in an order that the machine takes (suite_order.c); false
 * where none was found. */
bool suite_put_in_order(const suite_tools *tools, const suite_machine *machine, const suite_text *text,
                        suite_text *to);

/* --- processes (suite_pool.c) ------------------------------------------------------------------------------------- */

/* Item i falls to worker i % jobs. A worker goes through all items by itself and works on its own. */
typedef struct suite_worker {
    int pipe;
    uint32_t number, jobs;
    uint64_t first; /* items before this one are done */
} suite_worker;

bool suite_worker_takes(const suite_worker *worker, uint64_t item);
/* Before the first byte of an item is looked at: the time limit runs from here. */
void suite_worker_begin(suite_worker *worker, const char *name);
/* A better name, once it is known. */
void suite_worker_rename(suite_worker *worker, const char *name, size_t length);
/* The test that comes next, for the case that it crashes. */
void suite_worker_mark(uint32_t test);
void suite_worker_end(suite_worker *worker, const suite_text *result);
/* The input cannot be read on; the run ends. */
void suite_worker_fail(suite_worker *worker, const char *message);

/* Runs in a forked process. The context is a copy. Returns when there are no more items, or after suite_worker_fail. */
typedef void suite_work(void *context, suite_worker *worker);

typedef struct suite_pool suite_pool;

typedef enum suite_kind { SUITE_ITEM, SUITE_DEAD, SUITE_OVER, SUITE_FAILED } suite_kind;

typedef struct suite_answer {
    suite_kind kind;
    const char *name;   /* of the item */
    const char *result; /* ITEM: what the worker gave */
    size_t length;
    uint32_t mark;      /* DEAD: the test, UINT32_MAX if it is not known */
    const char *reason; /* DEAD, FAILED */
} suite_answer;

enum { SUITE_JOBS_MAX = 64, SUITE_SECONDS = 30 };

/* NULL with a message when it cannot be started. */
suite_pool *suite_pool_create(const char *program, uint32_t jobs, suite_work *work, void *context);
/* The answer to the next item, in their order; it stays until the next call. A worker that died is replaced. */
suite_answer suite_pool_next(suite_pool *pool);
void suite_pool_destroy(suite_pool *pool);

#endif
