/* cache_job.c - a compile in the background: start it, look at it, wait for it, cancel it, take what it made. */
#include "cache.h"

struct weir_job {
    weir_cache *cache; /* holds a reference, so that jobs may outlive the cache's owner */
    entry *entry;      /* the same, and waits for it until it is cancelled */
    bool cancelled;    /* under the cache's lock */
};

static bool is_done(const weir_job *job) {
    return job->cancelled || entry_is_done(job->entry);
}

weir_status weir_cache_start(weir_cache *cache, const weir_vocab *vocab, const char *schema, size_t length,
                             const weir_grammar_options *options, weir_job **out, weir_error *error) {
    cache_key key;
    entry *e;
    if (out == NULL) return fail(error, WEIR_ERROR_ARGUMENT, "out is NULL");
    *out = NULL;
    TRY(cache_request(cache, vocab, schema, length, options, &key, error));
    key.options.progress = NULL;
    weir_job *job = allocate(&cache->allocator, sizeof *job);
    if (job == NULL) return fail(error, WEIR_ERROR_MEMORY, "out of memory for a job");
    weir_status status = cache_enter(cache, &key, &e, error);
    if (status == WEIR_OK) {
        if (!entry_is_done(e)) status = workers_call(cache, error);
        if (status == WEIR_OK) {
            *job = (weir_job){cache, e, false};
            *out = job;
            cache->references++;
        } else {
            entry_leave(cache, e);
            entry_drop(cache, e);
        }
        cache_unlock(cache);
    }
    if (status != WEIR_OK) release(&cache->allocator, job, sizeof *job);
    return status;
}

bool weir_job_wait(weir_job *job, int64_t milliseconds) {
    if (job == NULL) return true;
    weir_cache *cache = job->cache;
    const struct timespec deadline = deadline_after(milliseconds > 0 ? (uint64_t)milliseconds : 0);
    bool in_time = milliseconds != 0;
    cache_lock(cache);
    while (!is_done(job) && in_time) {
        if (milliseconds < 0) {
            condition_wait(&job->entry->changed, &cache->lock);
        } else {
            in_time = condition_wait_until(&job->entry->changed, &cache->lock, deadline);
        }
    }
    const bool done = is_done(job);
    cache_unlock(cache);
    return done;
}

void weir_job_progress(const weir_job *job, uint64_t *work, uint64_t *work_limit) {
    if (work != NULL) *work = job != NULL ? atomic_load(&job->entry->work) : 0;
    if (work_limit != NULL) *work_limit = job != NULL ? job->entry->key.options.work_limit : 0;
}

void weir_job_cancel(weir_job *job) {
    if (job == NULL) return;
    cache_lock(job->cache);
    if (!is_done(job)) {
        job->cancelled = true;
        entry_leave(job->cache, job->entry);
        condition_wake_all(&job->entry->changed);
    }
    cache_unlock(job->cache);
}

weir_status weir_job_result(weir_job *job, weir_grammar **out, weir_error *error) {
    if (out == NULL) return fail(error, WEIR_ERROR_ARGUMENT, "out is NULL");
    *out = NULL;
    if (job == NULL) return fail(error, WEIR_ERROR_ARGUMENT, "job is NULL");
    weir_job_wait(job, -1);
    cache_lock(job->cache);
    const weir_status status = job->cancelled ? fail(error, WEIR_ERROR_CANCELLED, "the job was cancelled")
                                              : entry_result(job->entry, out, error);
    cache_unlock(job->cache);
    return status;
}

void weir_job_destroy(weir_job *job) {
    if (job == NULL) return;
    weir_cache *cache = job->cache;
    entry *e = job->entry;
    weir_job_cancel(job);
    cache_lock(cache);
    /* The caller frees what its resolver reads after this. */
    while (e->key.options.resolve != NULL && !entry_is_done(e)) condition_wait(&e->changed, &cache->lock);
    entry_drop(cache, e);
    release(&cache->allocator, job, sizeof *job);
    const bool last = --cache->references == 0;
    cache_unlock(cache);
    if (last) cache_free(cache);
}
