/* test_cache_threads.c - several threads at one cache: one gives up and others go on, and everything ends. */
#include "cache_helpers.h"

#include <sched.h>
#include <stdatomic.h>
#include <string.h>

static const char list[] = "{\"type\": \"array\", \"items\": {\"enum\": [\"red\", \"green\"]}, \"maxItems\": 4}";

/* --- weir_cache_get in several threads --------------------------------------------------------------------------- */

typedef struct getter {
    shelf *shelf;
    gate gate;
    bool cancels, silent; /* silent: has no progress function */
    pthread_t thread;
    weir_grammar *grammar;
    weir_status status;
} getter;

static bool stop_at_gate(void *context, uint64_t work) {
    (void)work;
    getter *g = context;
    gate_pass(&g->gate);
    return g->cancels;
}

static void *get(void *context) {
    getter *g = context;
    weir_grammar_options options = WEIR_GRAMMAR_OPTIONS_INIT;
    if (!g->silent) options.progress = stop_at_gate;
    options.progress_context = g;
    g->status = weir_cache_get(g->shelf->cache, g->shelf->vocab, list, strlen(list), &options, &g->grammar, NULL);
    return NULL;
}

/* A thread that is in the middle of compiling `list`, and will finish or cancel once its gate opens. */
static void getter_start(getter *g, shelf *s, bool cancels) {
    *g = (getter){.shelf = s, .cancels = cancels};
    gate_create(&g->gate);
    pthread_create(&g->thread, NULL, get, g);
    gate_await(&g->gate);
}

static void getter_end(getter *g) {
    gate_open(&g->gate);
    pthread_join(g->thread, NULL);
    gate_destroy(&g->gate);
    weir_grammar_destroy(g->grammar);
}

TEST(cache_threads, a_job_shares_what_another_thread_is_compiling) {
    shelf s;
    getter g;
    shelf_open(&s, 0, 1);
    getter_start(&g, &s, false);
    weir_job *job = shelf_start(&s, list, NULL);
    EXPECT_FALSE(weir_job_wait(job, 0));
    EXPECT_EQ(shelf_stats(&s).joined, 1);
    gate_open(&g.gate);
    weir_grammar *grammar = job_take(job);
    weir_grammar_destroy(grammar);
    getter_end(&g);
    EXPECT_STATUS(g.status, WEIR_OK, NULL);
    EXPECT_TRUE(g.grammar == grammar);
    EXPECT_EQ(shelf_stats(&s).misses, 1);
    weir_job_destroy(job);
    shelf_close(&s);
}

TEST(cache_threads, a_thread_that_gives_up_its_compile_leaves_it_to_a_worker) {
    shelf s;
    getter g;
    shelf_open(&s, 0, 1);
    getter_start(&g, &s, true);
    weir_job *job = shelf_start(&s, list, NULL);
    getter_end(&g);
    EXPECT_STATUS(g.status, WEIR_ERROR_CANCELLED, NULL);
    EXPECT_STATUS(job_status(job), WEIR_OK, NULL);
    EXPECT_EQ(shelf_stats(&s).misses, 1);
    EXPECT_TRUE(shelf_keeps(&s, list));
    weir_job_destroy(job);
    shelf_close(&s);
}

TEST(cache_threads, and_to_another_thread_that_waits) {
    shelf s;
    getter first, second;
    shelf_open(&s, 0, 1);
    getter_start(&first, &s, true);
    getter_start(&second, &s, false); /* waits, and is asked while it does */
    EXPECT_EQ(shelf_stats(&s).joined, 1);
    getter_end(&first);
    getter_end(&second);
    EXPECT_STATUS(first.status, WEIR_ERROR_CANCELLED, NULL);
    EXPECT_STATUS(second.status, WEIR_OK, NULL);
    EXPECT_EQ(shelf_stats(&s).misses, 1);
    shelf_close(&s);
}

/* Whoever joined holds the lock until it waits. */
static void await_joined(const shelf *s, uint64_t count) {
    while (shelf_stats(s).joined != count) sched_yield();
}

TEST(cache_threads, also_to_one_that_cannot_be_asked_while_it_waits) {
    shelf s;
    getter first, second = {.shelf = &s, .silent = true};
    shelf_open(&s, 0, 1);
    getter_start(&first, &s, true);
    gate_create(&second.gate);
    pthread_create(&second.thread, NULL, get, &second);
    await_joined(&s, 1);
    getter_end(&first);
    getter_end(&second);
    EXPECT_STATUS(first.status, WEIR_ERROR_CANCELLED, NULL);
    EXPECT_STATUS(second.status, WEIR_OK, NULL);
    shelf_close(&s);
}

TEST(cache_threads, a_thread_may_stop_waiting_for_another) {
    shelf s;
    getter first, second;
    shelf_open(&s, 0, 1);
    getter_start(&first, &s, false);
    getter_start(&second, &s, true);
    getter_end(&second);
    EXPECT_STATUS(second.status, WEIR_ERROR_CANCELLED, NULL);
    getter_end(&first);
    EXPECT_STATUS(first.status, WEIR_OK, NULL);
    shelf_close(&s);
}

TEST(cache_threads, a_thread_takes_over_what_no_worker_has_begun) {
    shelf s;
    gate g;
    gate_create(&g);
    shelf_open(&s, 0, 1);
    weir_job *blocking = start_blocking_job(&s, &g), *job = shelf_start(&s, list, NULL);
    EXPECT_FALSE(weir_job_wait(job, 0));
    weir_grammar *grammar = shelf_get(&s, list); /* the only worker is still at the gate */
    EXPECT_TRUE(weir_job_wait(job, 0));
    gate_open(&g);
    weir_grammar_destroy(grammar);
    weir_job_destroy(job);
    weir_job_destroy(blocking);
    shelf_close(&s);
    gate_destroy(&g);
}

/* The cache's allocator, which stops a worker at a gate once. */
typedef struct stopping_allocator {
    weir_allocator inner;
    pthread_t owner;
    gate gate;
} stopping_allocator;

static void *stop_and_reallocate(void *context, void *pointer, size_t old_size, size_t size) {
    stopping_allocator *self = context;
    if (!pthread_equal(pthread_self(), self->owner)) gate_pass(&self->gate);
    return self->inner.reallocate(self->inner.context, pointer, old_size, size);
}

TEST(cache_threads, a_request_does_not_join_a_compile_that_was_cancelled_and_still_runs) {
    shelf s;
    stopping_allocator stopping = {.owner = pthread_self()};
    const weir_allocator allocator = {&stopping, stop_and_reallocate};
    const weir_cache_options options = {sizeof options, &allocator, 0, 1};
    gate_create(&stopping.gate);
    shelf_open(&s, 0, 1);
    weir_cache_destroy(s.cache);
    stopping.inner = s.allocator;
    ASSERT_OK(weir_cache_create(&options, &s.cache, &s.error), &s.error);
    weir_job *first = shelf_start(&s, list, NULL);
    gate_await(&stopping.gate);
    weir_job_cancel(first);
    weir_job *second = shelf_start(&s, list, NULL);
    EXPECT_EQ(shelf_stats(&s).joined, 0);
    gate_open(&stopping.gate);
    EXPECT_STATUS(job_status(second), WEIR_OK, NULL);
    EXPECT_STATUS(job_status(first), WEIR_ERROR_CANCELLED, NULL);
    weir_job_destroy(first);
    weir_job_destroy(second);
    shelf_close(&s);
    gate_destroy(&stopping.gate);
}

/* --- the end ----------------------------------------------------------------------------------------------------- */

TEST(cache_threads, destroying_a_cache_cancels_what_runs_and_what_waits) {
    shelf s;
    shelf_open(&s, 0, 1);
    const weir_grammar_options options = endless_options();
    weir_job *done = shelf_start(&s, "true", NULL);
    weir_job_wait(done, -1);
    weir_job *running = shelf_start(&s, endless_schema, &options), *queued = shelf_start(&s, list, NULL);
    job_await_work(running);
    weir_cache_destroy(s.cache);
    s.cache = NULL;
    weir_vocab_destroy(s.vocab);
    s.vocab = NULL;
    EXPECT_TRUE(weir_job_wait(running, 0) && weir_job_wait(queued, 0));
    EXPECT_STATUS(job_status(running), WEIR_ERROR_CANCELLED, NULL);
    EXPECT_STATUS(job_status(queued), WEIR_ERROR_CANCELLED, NULL);
    EXPECT_STATUS(job_status(done), WEIR_OK, NULL);
    weir_job_destroy(queued);
    weir_job_destroy(running);
    weir_job_destroy(done);
    shelf_close(&s);
}

TEST(cache_threads, every_failing_allocation_of_a_job_is_reported) {
    test_memory *memory = test_memory_create();
    weir_allocator allocator = test_allocator(memory);
    const weir_cache_options options = {sizeof options, &allocator, 0, 2};
    weir_vocab *vocab;
    weir_error error;
    ASSERT_OK(weir_vocab_default(NULL, &vocab, &error), &error);
    while (test_next_failure(memory)) {
        weir_cache *cache = NULL;
        weir_job *job = NULL;
        weir_grammar *grammar = NULL;
        weir_status status = weir_cache_create(&options, &cache, &error);
        if (status == WEIR_OK) status = weir_cache_start(cache, vocab, list, strlen(list), NULL, &job, &error);
        EXPECT_TRUE((status == WEIR_OK) == (job != NULL));
        if (status == WEIR_OK) status = weir_job_result(job, &grammar, &error);
        EXPECT_STATUS(status, memory->failed ? WEIR_ERROR_MEMORY : WEIR_OK, &error);
        weir_grammar_destroy(grammar);
        weir_job_destroy(job);
        weir_cache_destroy(cache);
    }
    weir_vocab_destroy(vocab);
}

/* --- resolvers --------------------------------------------------------------------------------------------------- */

typedef struct late_resolver {
    gate gate;
    atomic_bool destroyed, was_late;
    weir_job *job;
} late_resolver;

static const char *resolve_slowly(void *context, const char *uri, size_t uri_length, size_t *length) {
    (void)uri, (void)uri_length, (void)length;
    late_resolver *late = context;
    gate_pass(&late->gate);
    if (late->destroyed) late->was_late = true;
    return NULL;
}

static void *destroy_job(void *context) {
    late_resolver *late = context;
    weir_job_destroy(late->job);
    late->destroyed = true;
    return NULL;
}

TEST(cache_threads, a_resolver_is_not_called_after_its_job_was_destroyed) {
    shelf s;
    late_resolver late = {.job = NULL};
    pthread_t thread;
    weir_grammar_options options = WEIR_GRAMMAR_OPTIONS_INIT;
    options.resolve = resolve_slowly;
    options.resolve_context = &late;
    gate_create(&late.gate);
    shelf_open(&s, 0, 1);
    late.job = shelf_start(&s, "{\"$ref\": \"http://example.com/late\"}", &options);
    gate_await(&late.gate);
    pthread_create(&thread, NULL, destroy_job, &late);
    for (int i = 0; i < 10000 && !late.destroyed; i++) sched_yield(); /* time to be wrong in */
    gate_open(&late.gate);
    pthread_join(thread, NULL);
    shelf_close(&s);
    EXPECT_FALSE(late.was_late);
    gate_destroy(&late.gate);
}
