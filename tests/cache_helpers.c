/* cache_helpers.c - what the tests of caches share. */
#include "cache_helpers.h"

#include <stdio.h>
#include <string.h>

void shelf_open(shelf *s, size_t byte_limit, uint32_t worker_count) {
    s->memory = test_memory_create();
    s->allocator = test_allocator(s->memory);
    const weir_cache_options options = {sizeof options, &s->allocator, byte_limit, worker_count};
    ASSERT_OK(weir_vocab_default(NULL, &s->vocab, &s->error), &s->error);
    ASSERT_OK(weir_cache_create(&options, &s->cache, &s->error), &s->error);
}

void shelf_close(shelf *s) {
    weir_cache_destroy(s->cache);
    EXPECT_EQ(s->memory->live_blocks, 0);
    weir_vocab_destroy(s->vocab);
}

weir_cache_stats shelf_stats(const shelf *s) {
    weir_cache_stats stats;
    weir_cache_statistics(s->cache, &stats);
    return stats;
}

weir_grammar *shelf_get(shelf *s, const char *schema) {
    weir_grammar *grammar = NULL;
    ASSERT_OK(weir_cache_get(s->cache, s->vocab, schema, strlen(schema), NULL, &grammar, &s->error), &s->error);
    return grammar;
}

weir_job *shelf_start(shelf *s, const char *schema, const weir_grammar_options *options) {
    weir_job *job = NULL;
    ASSERT_OK(weir_cache_start(s->cache, s->vocab, schema, strlen(schema), options, &job, &s->error), &s->error);
    return job;
}

static bool cancel_at_once(void *context, uint64_t work) {
    (void)context, (void)work;
    return true;
}

bool shelf_keeps(shelf *s, const char *schema) {
    const uint64_t hits = shelf_stats(s).hits;
    weir_grammar_options options = WEIR_GRAMMAR_OPTIONS_INIT;
    weir_grammar *grammar = NULL;
    options.progress = cancel_at_once; /* what is not there shall not come */
    weir_cache_get(s->cache, s->vocab, schema, strlen(schema), &options, &grammar, NULL);
    weir_grammar_destroy(grammar);
    return shelf_stats(s).hits != hits;
}

weir_grammar *job_take(weir_job *job) {
    weir_error error;
    weir_grammar *grammar = NULL;
    EXPECT_OK(weir_job_result(job, &grammar, &error), &error);
    return grammar;
}

weir_status job_status(weir_job *job) {
    weir_error error = {.status = WEIR_OK};
    weir_grammar *grammar;
    const weir_status status = weir_job_result(job, &grammar, &error);
    EXPECT_EQ(error.status, status);
    weir_grammar_destroy(grammar);
    return status;
}

void job_await_work(const weir_job *job) {
    for (uint64_t work = 0; work == 0;) weir_job_progress(job, &work, NULL);
}

const char *schema_number(uint32_t number, char buffer[64]) {
    snprintf(buffer, 64, "{\"type\": \"string\", \"maxLength\": %u}", 100000 + number % 900000);
    return buffer;
}

/* Which of the names were seen is part of the state, beside a bound on their number. */
const char endless_schema[] = "{\"type\": \"object\", \"maxProperties\": 40, \"required\": [\"a\", \"b\", \"c\", "
                              "\"d\", \"e\", \"f\", \"g\", \"h\", \"i\", "
                              "\"j\", \"k\", \"l\", \"m\", \"n\", \"o\", \"p\", \"q\", \"r\", \"s\", \"t\", \"u\", "
                              "\"v\", \"w\", \"x\", \"y\", \"z\"]}";

weir_grammar_options endless_options(void) {
    weir_grammar_options options = WEIR_GRAMMAR_OPTIONS_INIT;
    options.order = WEIR_ORDER_ANY;
    options.state_limit = UINT32_MAX;
    options.memory_limit = SIZE_MAX;
    options.work_limit = UINT64_MAX;
    return options;
}

void gate_create(gate *g) {
    pthread_mutex_init(&g->lock, NULL);
    pthread_cond_init(&g->changed, NULL);
    g->reached = g->open = false;
}

void gate_destroy(gate *g) {
    pthread_mutex_destroy(&g->lock);
    pthread_cond_destroy(&g->changed);
}

void gate_pass(gate *g) {
    pthread_mutex_lock(&g->lock);
    g->reached = true;
    pthread_cond_broadcast(&g->changed);
    while (!g->open) pthread_cond_wait(&g->changed, &g->lock);
    pthread_mutex_unlock(&g->lock);
}

void gate_await(gate *g) {
    pthread_mutex_lock(&g->lock);
    while (!g->reached) pthread_cond_wait(&g->changed, &g->lock);
    pthread_mutex_unlock(&g->lock);
}

void gate_open(gate *g) {
    pthread_mutex_lock(&g->lock);
    g->open = true;
    pthread_cond_broadcast(&g->changed);
    pthread_mutex_unlock(&g->lock);
}

static const char *block(void *context, const char *uri, size_t uri_length, size_t *length) {
    (void)uri, (void)uri_length, (void)length;
    gate_pass(context);
    return NULL;
}

weir_job *start_blocking_job(shelf *s, gate *g) {
    weir_grammar_options options = WEIR_GRAMMAR_OPTIONS_INIT;
    options.resolve = block;
    options.resolve_context = g;
    weir_job *job = shelf_start(s, "{\"$ref\": \"http://example.com/blocks\"}", &options);
    gate_await(g);
    return job;
}
