/* test_threads.c - many threads share a vocabulary, grammars and a cache; each has its own matchers and sampler, and
 * every thread sees what one thread alone sees. ThreadSanitizer runs this too (tests/checks/threads). */
#include "cache_helpers.h"

#include <stdlib.h>
#include <string.h>

enum { THREADS = 6, SCHEMAS = 63, WALK_TOKENS = 40, STEPS = 25, LOGITS = 8192, WORDS = LOGITS / 32 };

typedef struct world {
    weir_vocab *vocab;
    char *file;
    const char *schemas[SCHEMAS]; /* of tests/data/schemas.jsonl */
    uint64_t expected[SCHEMAS];   /* digests of one thread without a cache */
} world;

typedef struct digest {
    uint64_t value;
} digest;

static void add(digest *d, const void *bytes, size_t length) {
    for (size_t i = 0; i < length; i++) d->value = (d->value ^ ((const uint8_t *)bytes)[i]) * 0x100000001b3u;
}

static uint32_t draw(uint64_t *random, uint32_t below) {
    *random ^= *random << 13;
    *random ^= *random >> 7;
    *random ^= *random << 17;
    return (uint32_t)((*random >> 32) * below >> 32);
}

/* --- what every thread does with a grammar -------------------------------------------------------------------- */

/* An allowed token, chosen by chance; UINT32_MAX: there is none. */
static uint32_t choose(const uint32_t *mask, uint32_t words, uint64_t *random) {
    uint32_t count = 0;
    for (uint32_t w = 0; w < words; w++) count += (uint32_t)__builtin_popcount(mask[w]);
    if (count == 0) return UINT32_MAX;
    uint32_t left = draw(random, count);
    for (uint32_t token = 0;; token++) {
        if ((mask[token / 32] >> token % 32 & 1) != 0 && left-- == 0) return token;
    }
}

/* A random walk with masks, steps back, and forced bytes. */
static weir_status walk(const weir_grammar *grammar, uint64_t random, digest *d) {
    const uint32_t words = weir_vocab_mask_words(weir_grammar_vocab(grammar));
    uint32_t mask[WORDS];
    uint8_t forced[64];
    size_t length;
    weir_matcher *matcher;
    weir_status status = weir_matcher_create(grammar, NULL, &matcher, NULL);
    for (int i = 0; status == WEIR_OK && i < WALK_TOKENS && !weir_matcher_is_stopped(matcher); i++) {
        status = weir_matcher_fill_mask(matcher, mask, words, NULL);
        add(d, mask, sizeof *mask * words);
        const uint32_t token = choose(mask, words, &random);
        if (token == UINT32_MAX) break;
        if (status == WEIR_OK) status = weir_matcher_accept(matcher, token, NULL);
        if (status == WEIR_OK && draw(&random, 5) == 0) status = weir_matcher_rollback(matcher, 1, NULL);
        if (status == WEIR_OK) status = weir_matcher_forced_bytes(matcher, forced, sizeof forced, &length, NULL);
        if (status == WEIR_OK) add(d, forced, length);
    }
    weir_matcher_destroy(matcher);
    return status;
}

/* One sequence of a sampler, with logits by chance. */
static weir_status sample(const weir_grammar *grammar, uint64_t random, digest *d) {
    const uint32_t width = weir_vocab_logits_width(weir_grammar_vocab(grammar));
    static const int32_t slots[1] = {0};
    float logits[LOGITS], logprob = 0;
    int32_t token = -1;
    uint32_t row_status = WEIR_ROW_STATUS_OK;
    weir_sampler_options options = WEIR_SAMPLER_OPTIONS_INIT;
    weir_slot_options sequence = WEIR_SLOT_OPTIONS_INIT;
    weir_step step = WEIR_STEP_INIT;
    weir_sampler *sampler;
    options.slot_count = 1;
    options.logits_width = width;
    sequence.grammar = grammar;
    sequence.seed = random;
    step.row_count = 1;
    step.slots = slots;
    step.logits = logits;
    step.logits_stride = width;
    step.tokens = &token;
    step.logprobs = &logprob;
    step.statuses = &row_status;
    weir_status status = weir_sampler_create(&options, &sampler, NULL);
    if (status == WEIR_OK) status = weir_sampler_bind(sampler, 0, &sequence, NULL);
    for (int i = 0; status == WEIR_OK && i < STEPS && row_status == WEIR_ROW_STATUS_OK; i++) {
        for (uint32_t t = 0; t < width; t++) logits[t] = (float)draw(&random, 1024) / 64;
        status = weir_sampler_step(sampler, &step, NULL);
        add(d, &token, sizeof token);
        add(d, &logprob, sizeof logprob);
    }
    weir_sampler_destroy(sampler);
    return status;
}

/* Everything about a grammar that a user can see, as one number; 0 is an error. */
static uint64_t look_at(const weir_grammar *grammar, uint64_t seed) {
    digest d = {0xcbf29ce484222325u};
    size_t length;
    const void *tables = weir_grammar_tables(grammar, &length);
    add(&d, tables, length);
    for (uint32_t i = 0; i < weir_grammar_report_count(grammar); i++) {
        add(&d, weir_grammar_report(grammar, i)->keyword, strlen(weir_grammar_report(grammar, i)->keyword));
    }
    if (walk(grammar, seed, &d) != WEIR_OK || sample(grammar, seed, &d) != WEIR_OK) return 0;
    return d.value;
}

/* --- the world ------------------------------------------------------------------------------------------------- */

static void world_open(world *w) {
    weir_error error;
    char path[1024];
    size_t length;
    ASSERT_OK(weir_vocab_default(NULL, &w->vocab, &error), &error);
    ASSERT_LE(weir_vocab_logits_width(w->vocab), LOGITS);
    w->file = test_read_file(test_source("tests/data/schemas.jsonl", path, sizeof path), &length);
    char *at = w->file;
    for (uint32_t i = 0; i < SCHEMAS; i++) {
        char *end = strchr(at, '\n');
        ASSERT_NOT_NULL(end);
        *end = '\0';
        w->schemas[i] = at;
        at = end + 1;
        weir_grammar *grammar;
        ASSERT_OK(weir_grammar_from_json_schema(w->vocab, w->schemas[i], strlen(w->schemas[i]), NULL, &grammar, &error),
                  &error);
        w->expected[i] = look_at(grammar, i + 1);
        ASSERT_NE(w->expected[i], 0);
        weir_grammar_destroy(grammar);
    }
}

static void world_close(world *w) {
    weir_vocab_destroy(w->vocab);
    free(w->file);
}

typedef struct worker {
    const world *world;
    weir_cache *cache;     /* NULL: compiles itself */
    weir_grammar *grammar; /* one for all, or NULL */
    uint32_t index, wrong;
    pthread_t thread;
} worker;

/* Runs `work` in THREADS threads; the sum of what they found wrong. */
static uint32_t together(const world *w, weir_cache *cache, weir_grammar *grammar, void *(*work)(void *context)) {
    worker workers[THREADS];
    uint32_t wrong = 0;
    for (uint32_t i = 0; i < THREADS; i++) {
        workers[i] = (worker){.world = w, .cache = cache, .grammar = grammar, .index = i};
        pthread_create(&workers[i].thread, NULL, work, &workers[i]);
    }
    for (uint32_t i = 0; i < THREADS; i++) {
        pthread_join(workers[i].thread, NULL);
        wrong += workers[i].wrong;
    }
    return wrong;
}

static weir_status obtain(const worker *self, uint32_t schema, weir_grammar **out) {
    const world *w = self->world;
    const char *text = w->schemas[schema];
    if (self->cache == NULL) return weir_grammar_from_json_schema(w->vocab, text, strlen(text), NULL, out, NULL);
    return weir_cache_get(self->cache, w->vocab, text, strlen(text), NULL, out, NULL);
}

/* All schemas once, pairs of threads from the same one on. */
static void *use_every_grammar(void *context) {
    worker *self = context;
    for (uint32_t i = 0; i < SCHEMAS; i++) {
        const uint32_t schema = (i + self->index / 2 * 7) % SCHEMAS;
        weir_grammar *grammar;
        self->wrong +=
            obtain(self, schema, &grammar) != WEIR_OK || look_at(grammar, schema + 1) != self->world->expected[schema];
        weir_grammar_destroy(grammar);
    }
    return NULL;
}

TEST(threads, that_compile_for_one_vocabulary_see_what_one_alone_sees) {
    world w;
    world_open(&w);
    EXPECT_EQ(together(&w, NULL, NULL, use_every_grammar), 0);
    world_close(&w);
}

TEST(threads, that_share_a_cache_share_every_grammar) {
    world w;
    weir_cache *cache;
    weir_cache_stats stats;
    world_open(&w);
    ASSERT_OK(weir_cache_create(NULL, &cache, NULL), NULL);
    EXPECT_EQ(together(&w, cache, NULL, use_every_grammar), 0);
    weir_cache_statistics(cache, &stats);
    EXPECT_EQ(stats.misses, SCHEMAS); /* each was compiled once */
    EXPECT_EQ(stats.hits + stats.joined, (THREADS - 1) * SCHEMAS);
    EXPECT_EQ(stats.grammar_count, SCHEMAS);
    weir_cache_destroy(cache);
    world_close(&w);
}

TEST(threads, keep_their_grammars_while_the_cache_forgets_them) {
    world w;
    weir_cache *cache;
    weir_cache_stats stats;
    const weir_cache_options options = {sizeof options, NULL, 300000, 0};
    world_open(&w);
    ASSERT_OK(weir_cache_create(&options, &cache, NULL), NULL);
    EXPECT_EQ(together(&w, cache, NULL, use_every_grammar), 0);
    weir_cache_statistics(cache, &stats);
    EXPECT_GT(stats.evictions, 0);
    EXPECT_LE(stats.bytes, stats.byte_limit);
    weir_cache_destroy(cache);
    world_close(&w);
}

/* Jobs by chance: awaited, cancelled, abandoned; and now and then everything is forgotten. */
static void *start_and_cancel(void *context) {
    worker *self = context;
    const world *w = self->world;
    uint64_t random = 0x9e3779b97f4a7c15u * (self->index + 1);
    for (uint32_t i = 0; i < 200; i++) {
        const uint32_t schema = draw(&random, 12) + 10, what = draw(&random, 8);
        weir_job *job;
        weir_grammar *grammar = NULL;
        if (weir_cache_start(self->cache, w->vocab, w->schemas[schema], strlen(w->schemas[schema]), NULL, &job, NULL) !=
            WEIR_OK) {
            self->wrong++;
            continue;
        }
        if (what == 0) weir_job_cancel(job);
        if (what == 1) weir_job_wait(job, 1);
        if (what == 2) weir_cache_clear(self->cache);
        if (what != 3) {
            const weir_status status = weir_job_result(job, &grammar, NULL);
            self->wrong += status != WEIR_OK && !(what == 0 && status == WEIR_ERROR_CANCELLED);
            if (grammar != NULL && i % 8 == 0) self->wrong += look_at(grammar, schema + 1) != w->expected[schema];
        }
        weir_job_destroy(job);
        weir_grammar_destroy(grammar);
    }
    return NULL;
}

TEST(threads, that_start_cancel_and_clear_get_whole_grammars) {
    world w;
    weir_cache *cache;
    weir_cache_stats stats;
    const weir_cache_options options = {sizeof options, NULL, 0, 3};
    world_open(&w);
    ASSERT_OK(weir_cache_create(&options, &cache, NULL), NULL);
    EXPECT_EQ(together(&w, cache, NULL, start_and_cancel), 0);
    weir_cache_statistics(cache, &stats);
    EXPECT_EQ(stats.hits + stats.joined + stats.misses, THREADS * 200);
    EXPECT_EQ(stats.queued_count, 0);
    weir_cache_destroy(cache);
    world_close(&w);
}

/* One grammar in every thread, and its references counted up and down meanwhile. */
static void *retain_and_walk(void *context) {
    worker *self = context;
    for (uint32_t i = 0; i < 30; i++) {
        weir_grammar *mine = weir_grammar_retain(self->grammar);
        self->wrong += look_at(mine, 21) != self->world->expected[20];
        weir_grammar_destroy(mine);
    }
    weir_grammar_destroy(self->grammar);
    return NULL;
}

TEST(threads, each_may_be_the_one_that_frees_a_grammar) {
    world w;
    weir_grammar *grammar;
    world_open(&w);
    ASSERT_OK(weir_grammar_from_json_schema(w.vocab, w.schemas[20], strlen(w.schemas[20]), NULL, &grammar, NULL), NULL);
    for (uint32_t i = 1; i < THREADS; i++) weir_grammar_retain(grammar);
    EXPECT_EQ(together(&w, NULL, grammar, retain_and_walk), 0);
    world_close(&w);
}
