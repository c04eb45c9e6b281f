/* cache_helpers.h - what the tests of caches share: the embedded vocabulary with a cache, schemas, gates for threads.
 */
#ifndef WEIR_TESTS_CACHE_HELPERS_H
#define WEIR_TESTS_CACHE_HELPERS_H

#include <pthread.h>

#include "harness.h"

/* A cache over the embedded vocabulary; its memory is counted. */
typedef struct shelf {
    test_memory *memory;
    weir_allocator allocator;
    weir_vocab *vocab;
    weir_cache *cache;
    weir_error error;
} shelf;

void shelf_open(shelf *s, size_t byte_limit, uint32_t worker_count);
/* Everything that the cache allocated must be gone; the grammars and jobs of the test too. */
void shelf_close(shelf *s);
weir_cache_stats shelf_stats(const shelf *s);
/* The grammar of a schema, usual options; ends the test when it does not compile. */
weir_grammar *shelf_get(shelf *s, const char *schema);
weir_job *shelf_start(shelf *s, const char *schema, const weir_grammar_options *options);
/* Whether asking for it now finds a kept result. */
bool shelf_keeps(shelf *s, const char *schema);

/* The grammar of a job that succeeds; the status of one, which its error repeats. */
weir_grammar *job_take(weir_job *job);
weir_status job_status(weir_job *job);
/* Until its compile has begun. */
void job_await_work(const weir_job *job);

/* A schema with that number in it; all of them take the same memory, as text and as grammars. */
const char *schema_number(uint32_t number, char buffer[64]);
/* A schema whose compile does not end before it is cancelled, with these options. */
extern const char endless_schema[];
weir_grammar_options endless_options(void);

/* A place where one thread stops until another lets it pass. */
typedef struct gate {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool reached, open;
} gate;

void gate_create(gate *g);
void gate_destroy(gate *g);
void gate_pass(gate *g);  /* from the thread that stops */
void gate_await(gate *g); /* until it has come */
void gate_open(gate *g);

/* A job that occupies a worker until the gate opens: its resolver waits there, and then knows nothing. */
weir_job *start_blocking_job(shelf *s, gate *g);

#endif
