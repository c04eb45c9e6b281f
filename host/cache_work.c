/* cache_work.c - how an entry of a cache is made, waited for, compiled and finished, and who does it. */
#include "cache.h"

#include <string.h>

#include "compiler.h"

void cache_lock(weir_cache *cache) {
    lock_take(&cache->lock);
}

static void entry_free(const weir_allocator *allocator, entry *e) {
    weir_grammar_destroy(e->grammar);
    vocab_release(e->key.vocab);
    condition_destroy(&e->changed);
    release(allocator, e, sizeof *e + e->key.length);
}

void cache_unlock(weir_cache *cache) {
    const weir_allocator allocator = cache->allocator;
    entry *garbage = cache->garbage;
    cache->garbage = NULL;
    lock_give(&cache->lock); /* another thread may free the cache from here on */
    for (entry *next; garbage != NULL; garbage = next) {
        next = garbage->chain;
        entry_free(&allocator, garbage);
    }
}

void cache_free(weir_cache *cache) {
    const weir_allocator allocator = cache->allocator;
    condition_destroy(&cache->wanted);
    lock_destroy(&cache->lock);
    release(&allocator, cache->buckets, sizeof *cache->buckets * cache->bucket_count);
    release(&allocator, cache, sizeof *cache);
}

/* --- requests ----------------------------------------------------------------------------------------------- */

/* An option that is missing here gives one caller what another asked for. */
static void pack_settings(const weir_grammar_options *o, uint64_t settings[CACHE_SETTINGS]) {
    _Static_assert(sizeof(void *) != 8 || sizeof(weir_grammar_options) == 96, "is the new option among the settings?");
    const uint64_t packed[CACHE_SETTINGS] = {o->whitespace,   o->indent,      o->whitespace_run, o->order,
                                             o->objects,      o->depth_limit, o->strict,         o->state_limit,
                                             o->memory_limit, o->work_limit};
    memcpy(settings, packed, sizeof packed);
}

weir_status cache_request(weir_cache *cache, const weir_vocab *vocab, const char *schema, size_t length,
                          const weir_grammar_options *options, cache_key *key, weir_error *error) {
    if (cache == NULL || vocab == NULL || schema == NULL) {
        return fail(error, WEIR_ERROR_ARGUMENT, "%s is NULL",
                    cache == NULL   ? "cache"
                    : vocab == NULL ? "vocab"
                                    : "schema");
    }
    key->vocab = vocab;
    key->schema = schema;
    key->length = length;
    TRY(grammar_options_check(options, &key->options, error));
    pack_settings(&key->options, key->settings);
    key->hash =
        hash_bytes(schema, length) ^ 31 * hash_bytes(key->settings, sizeof key->settings) ^ (uint32_t)vocab->hash;
    return WEIR_OK;
}

static weir_status entry_create(const weir_cache *cache, const cache_key *key, entry **out, weir_error *error) {
    entry *e = key->length < SIZE_MAX - sizeof *e ? allocate(&cache->allocator, sizeof *e + key->length) : NULL;
    if (e == NULL) return fail(error, WEIR_ERROR_MEMORY, "out of memory for a schema of %zu bytes", key->length);
    memset(e, 0, sizeof *e);
    if (!condition_create(&e->changed)) {
        release(&cache->allocator, e, sizeof *e + key->length);
        return fail(error, WEIR_ERROR_MEMORY, "the system has no condition variable left");
    }
    memcpy(e->schema, key->schema, key->length);
    e->place = PLACE_NONE;
    e->references = 1; /* the compile's */
    e->key = *key;
    e->key.schema = e->schema;
    vocab_retain(key->vocab);
    *out = e;
    return WEIR_OK;
}

weir_status cache_enter(weir_cache *cache, const cache_key *key, entry **out, weir_error *error) {
    entry *made = NULL;
    cache_lock(cache);
    entry *e = store_find(cache, key);
    if (e == NULL) {
        cache_unlock(cache);
        TRY(entry_create(cache, key, &made, error));
        cache_lock(cache);
        e = store_find(cache, key);
    }
    if (e == NULL) {
        e = made;
        if (key->options.resolve == NULL) store_add(cache, e);
        entry_move(cache, e, PLACE_QUEUED);
        e->used = ++cache->clock;
        cache->misses++;
    } else {
        if (made != NULL) entry_drop(cache, made);
        cache->hits += entry_is_done(e);
        cache->joined += !entry_is_done(e);
    }
    e->references++;
    e->waiting++;
    *out = e;
    return WEIR_OK;
}

/* --- one compile -------------------------------------------------------------------------------------------- */

typedef struct run {
    entry *entry;
    const weir_grammar_options *caller; /* or NULL */
    bool asked;                         /* options.resolve was */
} run;

static void note_work(entry *e, uint64_t work) {
    if (work > atomic_load_explicit(&e->work, memory_order_relaxed)) {
        atomic_store_explicit(&e->work, work, memory_order_relaxed);
    }
}

static bool watch(void *context, uint64_t work) {
    const run *r = context;
    note_work(r->entry, work);
    if (atomic_load_explicit(&r->entry->cancelled, memory_order_relaxed)) return true;
    return r->caller != NULL && r->caller->progress != NULL && r->caller->progress(r->caller->progress_context, work);
}

static const char *ask(void *context, const char *uri, size_t uri_length, size_t *length) {
    run *r = context;
    const weir_grammar_options *options = &r->entry->key.options;
    r->asked = true;
    return options->resolve(options->resolve_context, uri, uri_length, length);
}

static void finish(weir_cache *cache, entry *e, weir_grammar *grammar, const weir_error *error, bool asked) {
    entry_move(cache, e, PLACE_NONE);
    e->grammar = grammar;
    e->error = *error;
    e->any_resolver = grammar != NULL && e->key.options.resolve == NULL; /* it never wanted one */
    if (e->key.options.resolve != NULL) e->any_resolver = !asked;
    e->bytes = sizeof *e + e->key.length + (grammar != NULL ? grammar_bytes(grammar) : 0);
    store_settle(cache, e);
    condition_wake_all(&e->changed);
    entry_drop(cache, e);
}

static void finish_cancelled(weir_cache *cache, entry *e) {
    weir_error error;
    fail(&error, WEIR_ERROR_CANCELLED, cache->stopping ? "the cache was destroyed" : "the compile was cancelled");
    finish(cache, e, NULL, &error, false);
}

void entry_run(weir_cache *cache, entry *e, const weir_grammar_options *caller) {
    run r = {e, caller, false};
    weir_grammar *grammar = NULL;
    weir_error error = {.status = WEIR_OK, .row = -1, .byte = -1};
    weir_grammar_options options = e->key.options;
    options.allocator = &cache->allocator;
    options.progress = watch;
    options.progress_context = &r;
    options.resolve = options.resolve != NULL ? ask : NULL;
    options.resolve_context = &r;
    entry_move(cache, e, PLACE_RUNNING);
    cache_unlock(cache);
    const weir_status status =
        weir_grammar_from_json_schema(e->key.vocab, e->schema, e->key.length, &options, &grammar, &error);
    if (status == WEIR_OK) note_work(e, grammar->tables->work);
    cache_lock(cache);
    if (status == WEIR_ERROR_CANCELLED && !atomic_load(&e->cancelled)) { /* who compiled gives up; others may not */
        entry_move(cache, e, PLACE_QUEUED);
        condition_wake_all(&e->changed);
        condition_wake_one(&cache->wanted);
    } else {
        finish(cache, e, grammar, &error, r.asked);
    }
}

void entry_leave(weir_cache *cache, entry *e) {
    if (--e->waiting != 0 || entry_is_done(e)) return;
    atomic_store(&e->cancelled, true);
    if (e->shared) store_remove(cache, e);
    if (e->place == PLACE_QUEUED) finish_cancelled(cache, e);
}

weir_status entry_result(const entry *e, weir_grammar **out, weir_error *error) {
    if (e->grammar != NULL) *out = weir_grammar_retain(e->grammar);
    if (e->grammar == NULL && error != NULL) *error = e->error;
    return e->error.status;
}

/* --- workers ------------------------------------------------------------------------------------------------ */

static void *work(void *context) {
    weir_cache *cache = context;
    bool stopping = false;
    while (!stopping) {
        cache_lock(cache);
        if (cache->lists[PLACE_QUEUED].first == NULL && !cache->stopping) {
            cache->idle_count++;
            condition_wait(&cache->wanted, &cache->lock);
            cache->idle_count--;
        }
        stopping = cache->stopping;
        if (!stopping && cache->lists[PLACE_QUEUED].first != NULL) {
            entry_run(cache, cache->lists[PLACE_QUEUED].first, NULL);
        }
        cache_unlock(cache);
    }
    return NULL;
}

weir_status workers_call(weir_cache *cache, weir_error *error) {
    /* One at least, though another thread may be compiling the entry: should that one give up, a worker goes on. */
    const bool busy = cache->lists[PLACE_QUEUED].count > cache->idle_count || cache->worker_count == 0;
    if (busy && cache->worker_count < cache->worker_limit &&
        thread_start(work, cache, &cache->workers[cache->worker_count])) {
        cache->worker_count++;
    }
    if (cache->worker_count == 0) return fail(error, WEIR_ERROR_MEMORY, "the system gives no thread to compile in");
    condition_wake_one(&cache->wanted);
    return WEIR_OK;
}

void workers_end(weir_cache *cache) {
    cache->stopping = true;
    while (cache->lists[PLACE_QUEUED].first != NULL) {
        entry *e = cache->lists[PLACE_QUEUED].first;
        if (e->shared) store_remove(cache, e);
        finish_cancelled(cache, e);
    }
    for (entry *e = cache->lists[PLACE_RUNNING].first; e != NULL; e = e->next) atomic_store(&e->cancelled, true);
    condition_wake_all(&cache->wanted);
    cache_unlock(cache);
    for (uint32_t i = 0; i < cache->worker_count; i++) thread_join(cache->workers[i]);
    cache_lock(cache);
}
