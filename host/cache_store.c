/* cache_store.c - which entries a cache finds, and which it forgets. */
#include "cache.h"

#include <string.h>

/* Servers see the same bad schema again and again, and attackers many: refusals may fill this part of the limit. */
#define REFUSAL_SHARE 8
/* With a bucket for every entry no chain comes near this, unless somebody makes keys with equal hashes. */
#define CHAIN_LIMIT 64

static bool keys_are_equal(const cache_key *a, const cache_key *b) {
    return a->hash == b->hash && a->length == b->length && memcmp(a->settings, b->settings, sizeof a->settings) == 0 &&
           memcmp(a->schema, b->schema, a->length) == 0 && vocab_equal(a->vocab, b->vocab);
}

static entry *find_equal(weir_cache *cache, const cache_key *key) {
    entry *e = cache->buckets[key->hash & (cache->bucket_count - 1)];
    while (e != NULL && !keys_are_equal(&e->key, key)) e = e->chain;
    return e;
}

entry *store_find(weir_cache *cache, const cache_key *key) {
    entry *e = find_equal(cache, key);
    if (e == NULL) return NULL;
    /* What a resolver would have said is known only of a result that did not need one. */
    if (key->options.resolve != NULL && !(entry_is_done(e) && e->any_resolver)) return NULL;
    e->used = ++cache->clock;
    if (entry_is_done(e)) entry_move(cache, e, e->place);
    return e;
}

/* Twice the buckets; without memory for them chains get longer, and that is all. */
static void grow(weir_cache *cache) {
    uint32_t bucket_count = 2 * cache->bucket_count;
    entry **buckets = allocate(&cache->allocator, sizeof *buckets * bucket_count);
    if (buckets == NULL) return;
    memset(buckets, 0, sizeof *buckets * bucket_count);
    for (uint32_t i = 0; i < cache->bucket_count; i++) {
        for (entry *e = cache->buckets[i], *next; e != NULL; e = next) {
            entry **bucket = &buckets[e->key.hash & (bucket_count - 1)];
            next = e->chain;
            e->chain = *bucket;
            *bucket = e;
        }
    }
    release(&cache->allocator, cache->buckets, sizeof *buckets * cache->bucket_count);
    cache->buckets = buckets;
    cache->bucket_count = bucket_count;
}

void store_add(weir_cache *cache, entry *e) {
    if (cache->entry_count >= cache->bucket_count) grow(cache);
    entry **bucket = &cache->buckets[e->key.hash & (cache->bucket_count - 1)];
    e->chain = *bucket;
    *bucket = e;
    e->shared = true;
    e->references++;
    cache->entry_count++;
}

void store_remove(weir_cache *cache, entry *e) {
    entry **at = &cache->buckets[e->key.hash & (cache->bucket_count - 1)];
    while (*at != e) at = &(*at)->chain;
    *at = e->chain;
    e->shared = false;
    cache->entry_count--;
    entry_drop(cache, e);
}

static void forget(weir_cache *cache, entry *e) {
    entry_move(cache, e, PLACE_NONE);
    store_remove(cache, e);
}

static void evict(weir_cache *cache, entry *e) {
    forget(cache, e);
    cache->evictions++;
}

static void evict_from_long_chain(weir_cache *cache, const entry *added) {
    uint32_t length = 0;
    entry *oldest = NULL;
    for (entry *e = cache->buckets[added->key.hash & (cache->bucket_count - 1)]; e != NULL; e = e->chain, length++) {
        if (entry_is_done(e) && e != added && (oldest == NULL || e->used < oldest->used)) oldest = e;
    }
    if (length > CHAIN_LIMIT && oldest != NULL) evict(cache, oldest);
}

/* Every kept entry is inside its limit alone, so the newest is never what goes. */
static void evict_over_limit(weir_cache *cache) {
    entry_list *grammars = &cache->lists[PLACE_GRAMMARS], *refusals = &cache->lists[PLACE_REFUSALS];
    while (refusals->bytes > cache->byte_limit / REFUSAL_SHARE) evict(cache, refusals->first);
    while (grammars->bytes + refusals->bytes > cache->byte_limit) {
        const bool refusal =
            grammars->first == NULL || (refusals->first != NULL && refusals->first->used < grammars->first->used);
        evict(cache, refusal ? refusals->first : grammars->first);
    }
}

/* Whether a compile of the same key would end the same way. */
static bool is_final(weir_status status) {
    return status == WEIR_OK || status == WEIR_ERROR_JSON || status == WEIR_ERROR_SCHEMA ||
           status == WEIR_ERROR_VOCAB || status == WEIR_ERROR_LIMIT || status == WEIR_ERROR_UNSATISFIABLE;
}

void store_settle(weir_cache *cache, entry *e) {
    const bool refused = e->error.status != WEIR_OK;
    bool keep = is_final(e->error.status) && (e->key.options.resolve == NULL || e->any_resolver) &&
                e->bytes <= cache->byte_limit / (refused ? REFUSAL_SHARE : 1) && !cache->stopping;
    if (keep && !e->shared) { /* it was compiled apart, for one resolver, or nobody waited any more */
        entry *other = find_equal(cache, &e->key);
        if (other != NULL && entry_is_done(other)) other->any_resolver |= e->any_resolver;
        keep = other == NULL;
        if (keep) store_add(cache, e);
    }
    if (!keep) {
        entry_move(cache, e, PLACE_NONE);
        if (e->shared) store_remove(cache, e);
        return;
    }
    entry_move(cache, e, refused ? PLACE_REFUSALS : PLACE_GRAMMARS);
    evict_from_long_chain(cache, e);
    evict_over_limit(cache);
}

void store_clear(weir_cache *cache) {
    for (entry_place place = PLACE_GRAMMARS; place < PLACE_LISTS; place++) {
        while (cache->lists[place].first != NULL) forget(cache, cache->lists[place].first);
    }
}

void entry_move(weir_cache *cache, entry *e, entry_place place) {
    if (e->place != PLACE_NONE) {
        entry_list *from = &cache->lists[e->place];
        *(e->previous != NULL ? &e->previous->next : &from->first) = e->next;
        *(e->next != NULL ? &e->next->previous : &from->last) = e->previous;
        from->bytes -= e->bytes;
        from->count--;
    }
    e->place = place;
    e->previous = e->next = NULL;
    if (place == PLACE_NONE) return;
    entry_list *to = &cache->lists[place];
    e->previous = to->last;
    *(to->last != NULL ? &to->last->next : &to->first) = e;
    to->last = e;
    to->bytes += e->bytes;
    to->count++;
}

void entry_drop(weir_cache *cache, entry *e) {
    if (--e->references != 0) return;
    e->chain = cache->garbage;
    cache->garbage = e;
}
