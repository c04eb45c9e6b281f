/* cache.c - grammars by content: each is compiled once, shared by all who ask, and forgotten under a byte limit. */
#include "cache.h"

#include <string.h>

#include "options.h"

#define DEFAULT_BYTES   ((size_t)512 << 20)
#define DEFAULT_WORKERS 4
#define FIRST_BUCKETS   64
#define ASK_EVERY       10 /* milliseconds between two questions to the progress function of one who waits */

static weir_status read_options(const weir_cache_options *given, weir_cache_options *options, weir_error *error) {
    *options = (weir_cache_options)WEIR_CACHE_OPTIONS_INIT;
    TRY(READ_OPTIONS(weir_cache_options, size, given, options, error));
    if (options->byte_limit == 0) options->byte_limit = DEFAULT_BYTES;
    if (options->worker_count == 0) options->worker_count = DEFAULT_WORKERS;
    if (options->worker_count > CACHE_WORKERS_MAX) {
        return fail(error, WEIR_ERROR_ARGUMENT, "options.worker_count is %u, more than %d", options->worker_count,
                    CACHE_WORKERS_MAX);
    }
    return WEIR_OK;
}

weir_status weir_cache_create(const weir_cache_options *options, weir_cache **out, weir_error *error) {
    weir_cache_options read;
    if (out == NULL) return fail(error, WEIR_ERROR_ARGUMENT, "out is NULL");
    *out = NULL;
    TRY(read_options(options, &read, error));
    const weir_allocator allocator = allocator_or_default(read.allocator);
    weir_cache *cache = allocate(&allocator, sizeof *cache);
    entry **buckets = allocate(&allocator, sizeof *buckets * FIRST_BUCKETS);
    bool has_lock = false;
    if (cache == NULL || buckets == NULL) goto failed;
    memset(cache, 0, sizeof *cache);
    memset(buckets, 0, sizeof *buckets * FIRST_BUCKETS);
    has_lock = lock_create(&cache->lock);
    if (!has_lock || !condition_create(&cache->wanted)) goto failed;
    cache->allocator = allocator;
    cache->byte_limit = read.byte_limit;
    cache->worker_limit = read.worker_count;
    cache->references = 1;
    cache->buckets = buckets;
    cache->bucket_count = FIRST_BUCKETS;
    *out = cache;
    return WEIR_OK;
failed:
    if (has_lock) lock_destroy(&cache->lock);
    release(&allocator, buckets, sizeof *buckets * FIRST_BUCKETS);
    release(&allocator, cache, sizeof *cache);
    return fail(error, WEIR_ERROR_MEMORY, "out of memory for a cache");
}

void weir_cache_destroy(weir_cache *cache) {
    if (cache == NULL) return;
    cache_lock(cache);
    workers_end(cache);
    store_clear(cache);
    const bool last = --cache->references == 0; /* else the last job frees it */
    cache_unlock(cache);
    if (last) cache_free(cache);
}

/* Until something changed; false: the caller's progress function does not want to wait any longer. */
static bool wait_for(weir_cache *cache, entry *e, const weir_grammar_options *options) {
    if (options->progress == NULL) {
        condition_wait(&e->changed, &cache->lock);
        return true;
    }
    if (condition_wait_until(&e->changed, &cache->lock, deadline_after(ASK_EVERY))) return true;
    cache_unlock(cache);
    const bool stop = options->progress(options->progress_context, atomic_load(&e->work));
    cache_lock(cache);
    return !stop;
}

weir_status weir_cache_get(weir_cache *cache, const weir_vocab *vocab, const char *schema, size_t length,
                           const weir_grammar_options *options, weir_grammar **out, weir_error *error) {
    cache_key key;
    entry *e;
    bool gone = false;
    if (out == NULL) return fail(error, WEIR_ERROR_ARGUMENT, "out is NULL");
    *out = NULL;
    TRY(cache_request(cache, vocab, schema, length, options, &key, error));
    TRY(cache_enter(cache, &key, &e, error));
    while (!entry_is_done(e) && !gone) {
        if (e->place == PLACE_QUEUED) {
            entry_run(cache, e, &key.options);
            gone = !entry_is_done(e); /* its progress function cancelled, and it was queued again */
        } else {
            gone = !wait_for(cache, e, &key.options);
        }
    }
    entry_leave(cache, e);
    const weir_status status =
        gone ? fail(error, WEIR_ERROR_CANCELLED, "the compile was cancelled") : entry_result(e, out, error);
    entry_drop(cache, e);
    cache_unlock(cache);
    return status;
}

void weir_cache_clear(weir_cache *cache) {
    if (cache == NULL) return;
    cache_lock(cache);
    store_clear(cache);
    cache_unlock(cache);
}

void weir_cache_statistics(weir_cache *cache, weir_cache_stats *stats) {
    if (stats == NULL) return;
    memset(stats, 0, sizeof *stats);
    if (cache == NULL) return;
    cache_lock(cache);
    const entry_list *lists = cache->lists;
    stats->hits = cache->hits;
    stats->joined = cache->joined;
    stats->misses = cache->misses;
    stats->evictions = cache->evictions;
    stats->byte_limit = cache->byte_limit;
    stats->bytes = lists[PLACE_GRAMMARS].bytes + lists[PLACE_REFUSALS].bytes;
    stats->grammar_count = lists[PLACE_GRAMMARS].count;
    stats->refusal_count = lists[PLACE_REFUSALS].count;
    stats->queued_count = lists[PLACE_QUEUED].count;
    stats->running_count = lists[PLACE_RUNNING].count;
    cache_unlock(cache);
}
