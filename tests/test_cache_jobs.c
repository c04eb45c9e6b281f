/* test_cache_jobs.c - compiles in the background and by several threads for one key: shared, cancelled, handed on. Where
 * the order matters a thread stops at a gate; nothing here hangs on time. */
#include "cache_helpers.h"

#include <string.h>

static const char list[] = "{\"type\": \"array\", \"items\": {\"enum\": [\"red\", \"green\"]}, \"maxItems\": 4}";

static weir_grammar *take(weir_job *job) {
    weir_error error;
    weir_grammar *grammar = NULL;
    EXPECT_OK(weir_job_result(job, &grammar, &error), &error);
    return grammar;
}

static weir_status status_of(weir_job *job) {
    weir_error error = {.status = WEIR_OK};
    weir_grammar *grammar;
    const weir_status status = weir_job_result(job, &grammar, &error);
    EXPECT_EQ(error.status, status);
    weir_grammar_destroy(grammar);
    return status;
}

/* --- results ---------------------------------------------------------------------------------------------------- */

TEST(job, its_grammar_is_the_one_that_the_cache_keeps) {
    shelf s;
    shelf_open(&s, 0, 1);
    weir_job *job = shelf_start(&s, list, NULL);
    EXPECT_TRUE(weir_job_wait(job, -1));
    EXPECT_TRUE(weir_job_wait(job, 0));
    weir_grammar *first = take(job), *second = take(job), *third = shelf_get(&s, list);
    EXPECT_NOT_NULL(first);
    EXPECT_TRUE(first == second && second == third);
    weir_job_destroy(job);
    weir_grammar_destroy(first);
    weir_grammar_destroy(second);
    weir_grammar_destroy(third);
    shelf_close(&s);
}

TEST(job, is_done_at_once_where_the_result_is_known) {
    shelf s;
    gate g;
    gate_create(&g);
    shelf_open(&s, 0, 1);
    weir_job *blocking = start_blocking_job(&s, &g); /* no worker could help */
    weir_grammar *known = shelf_get(&s, list), *same;
    weir_job *job = shelf_start(&s, list, NULL);
    EXPECT_TRUE(weir_job_wait(job, 0));
    uint64_t work, limit;
    weir_job_progress(job, &work, &limit);
    EXPECT_GT(work, 0);
    EXPECT_LE(work, limit);
    same = take(job);
    EXPECT_TRUE(same == known);
    gate_open(&g);
    weir_job_destroy(blocking);
    weir_job_destroy(job);
    weir_grammar_destroy(known);
    weir_grammar_destroy(same);
    shelf_close(&s);
    gate_destroy(&g);
}

TEST(job, reports_the_refusal_of_its_schema) {
    shelf s;
    shelf_open(&s, 0, 1);
    weir_job *job = shelf_start(&s, "{\"type\": \"strin\"}", NULL);
    weir_grammar *grammar = (weir_grammar *)&s;
    EXPECT_STATUS(weir_job_result(job, &grammar, &s.error), WEIR_ERROR_SCHEMA, &s.error);
    EXPECT_STREQ(s.error.pointer, "/type");
    EXPECT_NULL(grammar);
    EXPECT_STATUS(weir_job_result(job, &grammar, NULL), WEIR_ERROR_SCHEMA, NULL);
    weir_job_destroy(job);
    EXPECT_EQ(shelf_stats(&s).refusal_count, 1);
    shelf_close(&s);
}

TEST(job, copies_its_schema_and_keeps_its_vocabulary) {
    shelf s;
    gate g;
    gate_create(&g);
    shelf_open(&s, 0, 1);
    weir_job *blocking = start_blocking_job(&s, &g);
    char text[sizeof list];
    memcpy(text, list, sizeof list);
    weir_job *job = shelf_start(&s, text, NULL);
    memset(text, 'x', sizeof text);
    weir_vocab_destroy(s.vocab);
    s.vocab = NULL;
    EXPECT_FALSE(weir_job_wait(job, 0));
    EXPECT_FALSE(weir_job_wait(job, 1));
    gate_open(&g);
    weir_grammar *grammar = take(job);
    EXPECT_TRUE(weir_grammar_satisfiable(grammar));
    weir_grammar_destroy(grammar);
    weir_job_destroy(blocking);
    weir_job_destroy(job);
    shelf_close(&s);
    gate_destroy(&g);
}

TEST(job, jobs_are_served_in_the_order_they_came) {
    enum { COUNT = 6 };
    shelf s;
    gate g;
    gate_create(&g);
    shelf_open(&s, 0, 1);
    weir_job *blocking = start_blocking_job(&s, &g), *jobs[COUNT];
    char text[64];
    for (uint32_t i = 0; i < COUNT; i++) jobs[i] = shelf_start(&s, schema_number(i, text), NULL);
    EXPECT_EQ(shelf_stats(&s).queued_count, COUNT);
    EXPECT_EQ(shelf_stats(&s).running_count, 1);
    gate_open(&g);
    weir_job_wait(jobs[COUNT - 1], -1);
    for (uint32_t i = 0; i < COUNT; i++) {
        EXPECT_TRUE(weir_job_wait(jobs[i], 0));
        weir_job_destroy(jobs[i]);
    }
    weir_job_destroy(blocking);
    shelf_close(&s);
    gate_destroy(&g);
}

TEST(job, progress_never_falls_and_ends_at_the_work_of_the_grammar) {
    shelf s;
    shelf_open(&s, 0, 1);
    weir_grammar_options options = WEIR_GRAMMAR_OPTIONS_INIT;
    options.work_limit = 600000000;
    weir_job *job = shelf_start(&s, "{\"type\": \"string\", \"pattern\": \"^([a-z]{1,8}-){1,30}$\"}", &options);
    uint64_t before = 0, work, limit;
    while (!weir_job_wait(job, 0)) {
        weir_job_progress(job, &work, &limit);
        if (work < before || work > limit) ADD_FAILURE("%llu units after %llu", (unsigned long long)work, (unsigned long long)before);
        before = work;
    }
    weir_job_progress(job, &work, &limit);
    EXPECT_GE(work, before);
    EXPECT_EQ(limit, 600000000);
    weir_grammar *grammar = take(job);
    weir_grammar_stats stats;
    weir_grammar_statistics(grammar, &stats);
    EXPECT_GE(work, stats.compile_work);
    weir_job_progress(job, NULL, NULL);
    weir_grammar_destroy(grammar);
    weir_job_destroy(job);
    shelf_close(&s);
}

TEST(job, NULL_is_done_and_has_no_result) {
    weir_grammar *grammar;
    weir_job *job;
    uint64_t work = 1, limit = 1;
    EXPECT_TRUE(weir_job_wait(NULL, -1));
    weir_job_progress(NULL, &work, &limit);
    EXPECT_EQ(work + limit, 0);
    weir_job_cancel(NULL);
    weir_job_destroy(NULL);
    EXPECT_STATUS(weir_job_result(NULL, &grammar, NULL), WEIR_ERROR_ARGUMENT, NULL);
    EXPECT_STATUS(weir_cache_start(NULL, NULL, NULL, 0, NULL, &job, NULL), WEIR_ERROR_ARGUMENT, NULL);
    EXPECT_STATUS(weir_cache_start(NULL, NULL, NULL, 0, NULL, NULL, NULL), WEIR_ERROR_ARGUMENT, NULL);
    EXPECT_NULL(job);
}

/* --- one key, many who wait ------------------------------------------------------------------------------------- */

TEST(job, two_jobs_for_one_key_compile_once) {
    shelf s;
    gate g;
    gate_create(&g);
    shelf_open(&s, 0, 1);
    weir_job *blocking = start_blocking_job(&s, &g);
    weir_job *first = shelf_start(&s, list, NULL), *second = shelf_start(&s, list, NULL);
    EXPECT_EQ(shelf_stats(&s).joined, 1);
    EXPECT_EQ(shelf_stats(&s).misses, 2);
    gate_open(&g);
    weir_grammar *one = take(first), *two = take(second);
    EXPECT_TRUE(one != NULL && one == two);
    weir_grammar_destroy(one);
    weir_grammar_destroy(two);
    weir_job_destroy(first);
    weir_job_destroy(second);
    weir_job_destroy(blocking);
    shelf_close(&s);
    gate_destroy(&g);
}

TEST(job, one_that_gives_up_leaves_the_compile_to_the_others) {
    shelf s;
    gate g;
    gate_create(&g);
    shelf_open(&s, 0, 1);
    weir_job *blocking = start_blocking_job(&s, &g);
    weir_job *first = shelf_start(&s, list, NULL), *second = shelf_start(&s, list, NULL);
    weir_job_cancel(first);
    weir_job_cancel(first);
    EXPECT_TRUE(weir_job_wait(first, 0));
    EXPECT_FALSE(weir_job_wait(second, 0));
    EXPECT_STATUS(status_of(first), WEIR_ERROR_CANCELLED, NULL);
    weir_job_destroy(first);
    gate_open(&g);
    EXPECT_STATUS(status_of(second), WEIR_OK, NULL);
    weir_job_cancel(second); /* it was done before */
    EXPECT_STATUS(status_of(second), WEIR_OK, NULL);
    weir_job_destroy(second);
    weir_job_destroy(blocking);
    EXPECT_TRUE(shelf_keeps(&s, list));
    shelf_close(&s);
    gate_destroy(&g);
}

TEST(job, when_all_gave_up_nothing_is_compiled_and_a_new_request_starts_anew) {
    shelf s;
    gate g;
    gate_create(&g);
    shelf_open(&s, 0, 1);
    weir_job *blocking = start_blocking_job(&s, &g);
    weir_job *first = shelf_start(&s, list, NULL), *second = shelf_start(&s, list, NULL);
    weir_job_destroy(first);
    weir_job_cancel(second);
    EXPECT_EQ(shelf_stats(&s).queued_count, 0);
    weir_job *third = shelf_start(&s, list, NULL);
    EXPECT_EQ(shelf_stats(&s).joined, 1);
    EXPECT_EQ(shelf_stats(&s).misses, 3);
    gate_open(&g);
    EXPECT_STATUS(status_of(third), WEIR_OK, NULL);
    EXPECT_STATUS(status_of(second), WEIR_ERROR_CANCELLED, NULL);
    weir_job_destroy(second);
    weir_job_destroy(third);
    weir_job_destroy(blocking);
    shelf_close(&s);
    gate_destroy(&g);
}

/* Until the compile has begun. */
static void await_work(const weir_job *job) {
    for (uint64_t work = 0; work == 0;) weir_job_progress(job, &work, NULL);
}

TEST(job, cancelling_ends_a_compile_that_would_never_end) {
    shelf s;
    shelf_open(&s, 0, 1);
    const weir_grammar_options options = endless_options();
    weir_job *job = shelf_start(&s, endless_schema, &options);
    await_work(job);
    weir_job_cancel(job);
    EXPECT_STATUS(status_of(job), WEIR_ERROR_CANCELLED, NULL);
    weir_job *next = shelf_start(&s, list, NULL); /* the one worker is free again */
    EXPECT_STATUS(status_of(next), WEIR_OK, NULL);
    EXPECT_EQ(shelf_stats(&s).running_count, 0);
    weir_job_destroy(job);
    weir_job_destroy(next);
    shelf_close(&s);
}

/* --- weir_cache_get in several threads --------------------------------------------------------------------------- */

typedef struct getter {
    shelf *shelf;
    gate gate;
    bool cancels;
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
    options.progress = stop_at_gate;
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
    weir_grammar *grammar = take(job);
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
    EXPECT_STATUS(status_of(job), WEIR_OK, NULL);
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

/* --- the end ----------------------------------------------------------------------------------------------------- */

TEST(cache_threads, destroying_a_cache_cancels_what_runs_and_what_waits) {
    shelf s;
    shelf_open(&s, 0, 1);
    const weir_grammar_options options = endless_options();
    weir_job *done = shelf_start(&s, "true", NULL);
    weir_job_wait(done, -1);
    weir_job *running = shelf_start(&s, endless_schema, &options), *queued = shelf_start(&s, list, NULL);
    await_work(running);
    weir_cache_destroy(s.cache);
    s.cache = NULL;
    weir_vocab_destroy(s.vocab);
    s.vocab = NULL;
    EXPECT_TRUE(weir_job_wait(running, 0) && weir_job_wait(queued, 0));
    EXPECT_STATUS(status_of(running), WEIR_ERROR_CANCELLED, NULL);
    EXPECT_STATUS(status_of(queued), WEIR_ERROR_CANCELLED, NULL);
    EXPECT_STATUS(status_of(done), WEIR_OK, NULL);
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

typedef struct documents {
    const char *text; /* of any document */
    int asked;
} documents;

static const char *look_up(void *context, const char *uri, size_t uri_length, size_t *length) {
    documents *known = context;
    (void)uri, (void)uri_length;
    known->asked++;
    if (known->text != NULL) *length = strlen(known->text);
    return known->text;
}

static weir_status get_resolved(shelf *s, const char *schema, documents *known, weir_grammar **out) {
    weir_grammar_options options = WEIR_GRAMMAR_OPTIONS_INIT;
    options.resolve = look_up;
    options.resolve_context = known;
    return weir_cache_get(s->cache, s->vocab, schema, strlen(schema), &options, out, &s->error);
}

TEST(cache, what_a_resolver_said_is_neither_shared_nor_kept) {
    static const char schema[] = "{\"$ref\": \"http://example.com/a\"}";
    documents yes = {"true", 0}, no = {"false", 0};
    shelf s;
    shelf_open(&s, 0, 1);
    weir_grammar *grammar = NULL;
    for (int round = 0; round < 2; round++) {
        EXPECT_STATUS(weir_cache_get(s.cache, s.vocab, schema, strlen(schema), NULL, &grammar, &s.error), WEIR_ERROR_SCHEMA, NULL);
        ASSERT_OK(get_resolved(&s, schema, &yes, &grammar), &s.error);
        EXPECT_TRUE(weir_grammar_satisfiable(grammar));
        weir_grammar_destroy(grammar);
        ASSERT_OK(get_resolved(&s, schema, &no, &grammar), &s.error);
        EXPECT_FALSE(weir_grammar_satisfiable(grammar));
        weir_grammar_destroy(grammar);
    }
    EXPECT_EQ(yes.asked + no.asked, 4);
    EXPECT_EQ(shelf_stats(&s).misses, 5);
    EXPECT_EQ(shelf_stats(&s).hits, 1); /* without a resolver the refusal is known */
    EXPECT_EQ(shelf_stats(&s).grammar_count, 0);
    shelf_close(&s);
}

TEST(cache, a_resolver_that_is_not_asked_changes_nothing) {
    documents known = {"true", 0};
    shelf s;
    shelf_open(&s, 0, 1);
    weir_grammar *first = NULL, *second = shelf_get(&s, list), *third = NULL;
    ASSERT_OK(get_resolved(&s, list, &known, &first), &s.error);
    EXPECT_TRUE(first == second);
    ASSERT_OK(get_resolved(&s, "true", &known, &third), &s.error); /* kept for those without one */
    EXPECT_TRUE(shelf_keeps(&s, "true"));
    static const char bad[] = "{\"type\": \"strin\"}"; /* whether this one would have asked is known only afterwards */
    weir_grammar *none;
    EXPECT_STATUS(weir_cache_get(s.cache, s.vocab, bad, strlen(bad), NULL, &none, NULL), WEIR_ERROR_SCHEMA, NULL);
    for (int i = 0; i < 3; i++) EXPECT_STATUS(get_resolved(&s, bad, &known, &none), WEIR_ERROR_SCHEMA, NULL);
    EXPECT_EQ(shelf_stats(&s).refusal_count, 1);
    EXPECT_EQ(shelf_stats(&s).misses, 4);
    EXPECT_EQ(known.asked, 0);
    weir_grammar_destroy(first);
    weir_grammar_destroy(second);
    weir_grammar_destroy(third);
    shelf_close(&s);
}

TEST(job, a_resolver_is_not_called_after_its_job_was_destroyed) {
    shelf s;
    gate g;
    gate_create(&g);
    shelf_open(&s, 0, 1);
    weir_job *blocking = start_blocking_job(&s, &g);
    weir_job_cancel(blocking);
    gate_open(&g);
    weir_job_destroy(blocking); /* waits for the worker to come back from the gate */
    gate_destroy(&g);
    shelf_close(&s);
}
