/* cache.h - what a weir_cache is: entries, each a key and what became of it.
 *
 *   cache.c        the public calls on a cache          cache_job.c     the public calls on a job
 *   cache_work.c   entries are made, waited for, compiled and finished; the workers
 *   cache_store.c  a table that finds kept and running entries by key, and which are dropped for the limit
 *
 * One lock guards all of it but the fields marked otherwise; nothing is compiled, and no grammar freed, under it. */
#ifndef WEIR_HOST_CACHE_H
#define WEIR_HOST_CACHE_H

#include <stdatomic.h>

#include "grammar_object.h"
#include "thread.h"

enum { CACHE_SETTINGS = 10, CACHE_WORKERS_MAX = 256 };

/* Everything that the result of a compile hangs on, but for what options.resolve says. */
typedef struct cache_key {
    const weir_vocab *vocab;
    const char *schema;
    size_t length;
    weir_grammar_options options;      /* checked */
    uint64_t settings[CACHE_SETTINGS]; /* those of them that change the result */
    uint32_t hash;                     /* of all of this */
} cache_key;

/* Where an entry stands: in which list. Behind RUNNING it is done. */
typedef enum entry_place {
    PLACE_QUEUED,            /* nobody compiles it yet; first come, first served */
    PLACE_RUNNING,           /* somebody does */
    PLACE_GRAMMARS,          /* kept; the least recently used first */
    PLACE_REFUSALS,          /* the same for schemas that were refused */
    PLACE_LISTS,             /* how many lists there are */
    PLACE_NONE = PLACE_LISTS /* done and not kept */
} entry_place;

typedef struct entry {
    struct entry *chain;           /* next of its bucket, or of the garbage */
    struct entry *previous, *next; /* in the list of its place */
    entry_place place;
    bool shared;              /* in the table */
    bool any_resolver;        /* done: the result is the same whatever options.resolve knows */
    uint32_t references;      /* of the table, the compile, and everyone who waits or waited */
    uint32_t waiting;         /* those who want the result */
    thread_condition changed; /* done, queued again, or a job of it was cancelled */
    _Atomic uint64_t work;    /* written by who compiles, without the lock; never falls */
    _Atomic bool cancelled;   /* read by who compiles, without the lock */
    weir_grammar *grammar;    /* done: or NULL, and then `error` says why */
    weir_error error;
    size_t bytes;  /* done: what keeping it costs */
    uint64_t used; /* when it was last asked for, in lookups */
    cache_key key; /* constant; holds a reference to the vocabulary */
    char schema[];
} entry;

typedef struct entry_list {
    entry *first, *last;
    size_t bytes;
    uint32_t count;
} entry_list;

struct weir_cache {
    weir_allocator allocator;
    thread_lock lock;
    thread_condition wanted; /* an entry was queued, or the workers must end */
    size_t byte_limit;
    uint32_t references; /* the owner's, and one of every job */
    uint32_t worker_limit, worker_count, idle_count;
    bool stopping;
    entry_list lists[PLACE_LISTS];
    entry **buckets;
    uint32_t bucket_count, entry_count; /* of the table; buckets are a power of two */
    uint64_t clock;
    entry *garbage; /* freed where the lock is given back */
    uint64_t hits, joined, misses, evictions;
    thread workers[CACHE_WORKERS_MAX];
};

static inline bool entry_is_done(const entry *e) {
    return e->place > PLACE_RUNNING;
}

/* --- cache_store.c, with the lock held ---------------------------------------------------------------------- */

/* The entry that answers a request with this key, done or under way; NULL: none. */
entry *store_find(weir_cache *cache, const cache_key *key);
/* Puts an entry into the table, which holds a reference from then on; takes it out. */
void store_add(weir_cache *cache, entry *e);
void store_remove(weir_cache *cache, entry *e);
/* An entry has its result: keeps it, as far as it may be kept and the limit allows. */
void store_settle(weir_cache *cache, entry *e);
/* Forgets everything that is kept. */
void store_clear(weir_cache *cache);
/* From the list where it stands to the end of another. */
void entry_move(weir_cache *cache, entry *e, entry_place place);
/* Gives a reference back; the last one makes garbage. */
void entry_drop(weir_cache *cache, entry *e);

/* --- cache_work.c ------------------------------------------------------------------------------------------- */

void cache_lock(weir_cache *cache);
void cache_unlock(weir_cache *cache); /* and frees the garbage */
/* Without the lock, once nobody else knows the cache. */
void cache_free(weir_cache *cache);

/* Checks the arguments of a request. */
weir_status cache_request(weir_cache *cache, const weir_vocab *vocab, const char *schema, size_t length,
                          const weir_grammar_options *options, cache_key *key, weir_error *error);
/* The entry for a request, an old one or a new one in the queue, with a reference and as one who waits. Takes the lock;
 * it is held where this succeeds. */
weir_status cache_enter(weir_cache *cache, const cache_key *key, entry **out, weir_error *error);
/* The rest with the lock held. */

/* Compiles an entry; the lock is given back meanwhile. `options` NULL, or those of the caller, whose progress function
 * is asked: where it cancels and others wait, the entry is queued again, else it is done afterwards. */
void entry_run(weir_cache *cache, entry *e, const weir_grammar_options *options);
/* One who waited does so no more. A compile that nobody waits for is cancelled, and nobody finds it any more. */
void entry_leave(weir_cache *cache, entry *e);
/* What a done entry says, with a reference of the caller's own to the grammar. */
weir_status entry_result(const entry *e, weir_grammar **out, weir_error *error);
/* Sees to it that the queue is worked on. */
weir_status workers_call(weir_cache *cache, weir_error *error);
/* Cancels everything and ends the workers; gives the lock back meanwhile. */
void workers_end(weir_cache *cache);

#endif
