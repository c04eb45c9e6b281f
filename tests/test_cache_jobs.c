/* test_cache_jobs.c - compiles in the background and by several threads for one key: shared, cancelled, handed on.
 * Where the order matters a thread stops at a gate; nothing here hangs on time. */
#include "cache_helpers.h"

#include <string.h>

static const char list[] = "{\"type\": \"array\", \"items\": {\"enum\": [\"red\", \"green\"]}, \"maxItems\": 4}";

/* --- results ---------------------------------------------------------------------------------------------------- */

TEST(job, its_grammar_is_the_one_that_the_cache_keeps) {
    shelf s;
    shelf_open(&s, 0, 1);
    weir_job *job = shelf_start(&s, list, NULL);
    EXPECT_TRUE(weir_job_wait(job, -1));
    EXPECT_TRUE(weir_job_wait(job, 0));
    weir_grammar *first = job_take(job), *second = job_take(job), *third = shelf_get(&s, list);
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
    same = job_take(job);
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
    weir_grammar *grammar = job_take(job);
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
        if (work < before || work > limit)
            ADD_FAILURE("%llu units after %llu", (unsigned long long)work, (unsigned long long)before);
        before = work;
    }
    weir_job_progress(job, &work, &limit);
    EXPECT_GE(work, before);
    EXPECT_EQ(limit, 600000000);
    weir_grammar *grammar = job_take(job);
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
    weir_grammar *one = job_take(first), *two = job_take(second);
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
    EXPECT_STATUS(job_status(first), WEIR_ERROR_CANCELLED, NULL);
    weir_job_destroy(first);
    gate_open(&g);
    EXPECT_STATUS(job_status(second), WEIR_OK, NULL);
    weir_job_cancel(second); /* it was done before */
    EXPECT_STATUS(job_status(second), WEIR_OK, NULL);
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
    EXPECT_STATUS(job_status(third), WEIR_OK, NULL);
    EXPECT_STATUS(job_status(second), WEIR_ERROR_CANCELLED, NULL);
    weir_job_destroy(second);
    weir_job_destroy(third);
    weir_job_destroy(blocking);
    shelf_close(&s);
    gate_destroy(&g);
}

TEST(job, cancelling_ends_a_compile_that_would_never_end) {
    shelf s;
    shelf_open(&s, 0, 1);
    const weir_grammar_options options = endless_options();
    weir_job *job = shelf_start(&s, endless_schema, &options);
    job_await_work(job);
    weir_job_cancel(job);
    EXPECT_STATUS(job_status(job), WEIR_ERROR_CANCELLED, NULL);
    weir_job *next = shelf_start(&s, list, NULL); /* the one worker is free again */
    EXPECT_STATUS(job_status(next), WEIR_OK, NULL);
    EXPECT_EQ(shelf_stats(&s).running_count, 0);
    weir_job_destroy(job);
    weir_job_destroy(next);
    shelf_close(&s);
}
