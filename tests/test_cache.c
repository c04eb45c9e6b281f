/* test_cache.c - what a cache finds, keeps, counts and forgets; one thread. */
#include "cache_helpers.h"

#include <stdio.h>
#include <string.h>

#include "cache.h"
#include "compiler.h"

static const char event[] =
    "{\"type\": \"object\", \"properties\": {\"title\": {\"type\": \"string\"}, \"day\": {\"enum\": "
    "[\"monday\", \"sunday\"]}}, \"required\": [\"title\"], \"additionalProperties\": false}";

/* --- found and not found -------------------------------------------------------------------------------------- */

TEST(cache, the_same_schema_is_compiled_once_and_shared) {
    shelf s;
    shelf_open(&s, 0, 0);
    weir_grammar *first = shelf_get(&s, event), *second = shelf_get(&s, event);
    EXPECT_TRUE(first == second);
    EXPECT_EQ(shelf_stats(&s).misses, 1);
    EXPECT_EQ(shelf_stats(&s).hits, 1);
    EXPECT_EQ(shelf_stats(&s).grammar_count, 1);
    weir_grammar_destroy(first);
    EXPECT_TRUE(weir_grammar_satisfiable(second));
    weir_grammar_destroy(second);
    shelf_close(&s);
}

TEST(cache, its_grammar_is_the_one_that_compiling_gives) {
    shelf s;
    shelf_open(&s, 0, 0);
    weir_grammar *cached = shelf_get(&s, event), *alone = NULL;
    ASSERT_OK(weir_grammar_from_json_schema(s.vocab, event, strlen(event), NULL, &alone, &s.error), &s.error);
    size_t cached_length, alone_length;
    const void *cached_tables = weir_grammar_tables(cached, &cached_length);
    const void *alone_tables = weir_grammar_tables(alone, &alone_length);
    EXPECT_BYTES_EQ(cached_tables, cached_length, alone_tables, alone_length);
    EXPECT_EQ(weir_grammar_report_count(cached), weir_grammar_report_count(alone));
    weir_grammar_destroy(cached);
    weir_grammar_destroy(alone);
    shelf_close(&s);
}

/* --- the limit ------------------------------------------------------------------------------------------------- */

TEST(cache, its_count_of_bytes_is_what_the_allocator_gave) {
    shelf s;
    shelf_open(&s, 0, 0);
    const size_t empty = s.memory->live_bytes;
    char text[64];
    for (uint32_t i = 0; i < 20; i++) weir_grammar_destroy(shelf_get(&s, schema_number(i, text)));
    weir_grammar_destroy(shelf_get(&s, event));
    weir_grammar *grammar;
    EXPECT_STATUS(weir_cache_get(s.cache, s.vocab, "{", 1, NULL, &grammar, NULL), WEIR_ERROR_JSON, NULL);
    EXPECT_EQ(shelf_stats(&s).bytes, s.memory->live_bytes - empty);
    EXPECT_EQ(shelf_stats(&s).grammar_count, 21);
    EXPECT_EQ(shelf_stats(&s).refusal_count, 1);
    weir_cache_clear(s.cache);
    EXPECT_EQ(shelf_stats(&s).bytes, 0);
    EXPECT_EQ(s.memory->live_bytes, empty);
    EXPECT_EQ(shelf_stats(&s).evictions, 0); /* clearing is not for the limit */
    shelf_close(&s);
}

/* What the entry of one schema_number() takes. */
static size_t bytes_of_one(void) {
    shelf s;
    char text[64];
    shelf_open(&s, 0, 0);
    weir_grammar_destroy(shelf_get(&s, schema_number(0, text)));
    const size_t bytes = shelf_stats(&s).bytes;
    shelf_close(&s);
    return bytes;
}

TEST(cache, the_least_recently_used_goes_first) {
    const size_t one = bytes_of_one();
    shelf s;
    char text[64];
    shelf_open(&s, 4 * one + one / 2, 0);
    for (uint32_t i = 0; i < 4; i++) weir_grammar_destroy(shelf_get(&s, schema_number(i, text)));
    weir_grammar_destroy(shelf_get(&s, schema_number(0, text))); /* used: 0 3 2 1 */
    weir_grammar_destroy(shelf_get(&s, schema_number(2, text))); /* used: 2 0 3 1 */
    weir_grammar_destroy(shelf_get(&s, schema_number(4, text)));
    weir_grammar_destroy(shelf_get(&s, schema_number(5, text)));
    const bool kept[] = {true, false, true, false, true, true};
    EXPECT_EQ(shelf_stats(&s).evictions, 2);
    EXPECT_EQ(shelf_stats(&s).grammar_count, 4);
    EXPECT_LE(shelf_stats(&s).bytes, shelf_stats(&s).byte_limit);
    for (uint32_t i = 0; i < 6; i++) {
        test_context("number %u", i);
        EXPECT_TRUE(shelf_keeps(&s, schema_number(i, text)) == kept[i]);
    }
    test_context(NULL);
    shelf_close(&s);
}

TEST(cache, what_is_larger_than_the_limit_is_returned_and_not_kept) {
    const size_t one = bytes_of_one();
    shelf s;
    char text[64];
    shelf_open(&s, one, 0); /* exactly one fits */
    weir_grammar_destroy(shelf_get(&s, schema_number(1, text)));
    weir_grammar *large = shelf_get(&s, event);
    EXPECT_TRUE(weir_grammar_satisfiable(large));
    EXPECT_FALSE(shelf_keeps(&s, event));
    EXPECT_TRUE(shelf_keeps(&s, text)); /* and nothing had to go for it */
    EXPECT_EQ(shelf_stats(&s).evictions, 0);
    weir_grammar_destroy(large);
    shelf_close(&s);
}

TEST(cache, a_grammar_in_use_survives_eviction_and_the_cache) {
    const size_t one = bytes_of_one();
    shelf s;
    char text[64];
    shelf_open(&s, one, 0);
    weir_grammar *used = shelf_get(&s, schema_number(7, text));
    for (uint32_t i = 8; i < 12; i++) weir_grammar_destroy(shelf_get(&s, schema_number(i, text)));
    EXPECT_EQ(shelf_stats(&s).evictions, 4);
    weir_cache_destroy(s.cache);
    s.cache = NULL;
    weir_vocab_destroy(s.vocab);
    s.vocab = NULL;
    weir_matcher *matcher;
    uint8_t forced;
    size_t length;
    ASSERT_OK(weir_matcher_create(used, NULL, &matcher, &s.error), &s.error);
    ASSERT_OK(weir_matcher_forced_bytes(matcher, &forced, 1, &length, &s.error), &s.error);
    EXPECT_BYTES_EQ(&forced, length, "\"", 1);
    weir_matcher_destroy(matcher);
    weir_grammar_destroy(used);
    shelf_close(&s);
}

TEST(cache, keys_made_to_collide_drop_each_other_and_nothing_else) {
    enum { BUCKETS = 128, KEYS = 70, CHAIN = 64 }; /* so many buckets hold as many entries */
    shelf s;
    shelf_open(&s, 0, 0);
    char text[64], first[64] = "";
    weir_grammar_destroy(shelf_get(&s, event));
    uint32_t made = 0;
    for (uint32_t i = 0; made < KEYS; i++) {
        schema_number(i, text);
        if (hash_bytes(text, strlen(text)) % BUCKETS != 0) continue;
        if (made++ == 0) strcpy(first, text);
        weir_grammar_destroy(shelf_get(&s, text));
    }
    EXPECT_GE(shelf_stats(&s).evictions, KEYS - CHAIN);
    EXPECT_LE(shelf_stats(&s).evictions, KEYS - CHAIN + 1); /* `event` may share the chain */
    EXPECT_FALSE(shelf_keeps(&s, first));
    EXPECT_TRUE(shelf_keeps(&s, text));
    shelf_close(&s);
}

/* --- refusals --------------------------------------------------------------------------------------------------- */

TEST(cache, a_refusal_is_kept_with_its_error) {
    static const struct {
        const char *schema;
        weir_status status;
    } cases[] = {{"{\"type\": ", WEIR_ERROR_JSON},
                 {"{\"properties\": {\"a\": {\"type\": \"strin\"}}}", WEIR_ERROR_SCHEMA},
                 {"{\"type\": \"string\", \"pattern\": \"(a|b)*a(a|b){18}$\"}", WEIR_ERROR_LIMIT}};
    shelf s;
    shelf_open(&s, 0, 0);
    for (size_t i = 0; i < 3; i++) {
        weir_error first, second, alone;
        weir_grammar *grammar = (weir_grammar *)&s;
        const size_t length = strlen(cases[i].schema);
        EXPECT_STATUS(weir_cache_get(s.cache, s.vocab, cases[i].schema, length, NULL, &grammar, &first),
                      cases[i].status, &first);
        EXPECT_NULL(grammar);
        EXPECT_STATUS(weir_cache_get(s.cache, s.vocab, cases[i].schema, length, NULL, &grammar, &second),
                      cases[i].status, NULL);
        EXPECT_STATUS(weir_cache_get(s.cache, s.vocab, cases[i].schema, length, NULL, &grammar, NULL), cases[i].status,
                      NULL);
        weir_grammar_from_json_schema(s.vocab, cases[i].schema, length, NULL, &grammar, &alone);
        EXPECT_EQ(second.status, alone.status);
        EXPECT_EQ(second.byte, alone.byte);
        EXPECT_EQ(second.row, -1);
        EXPECT_STREQ(second.pointer, alone.pointer);
        EXPECT_STREQ(second.message, alone.message);
        EXPECT_EQ(shelf_stats(&s).hits, 2 * i + 2);
    }
    EXPECT_EQ(shelf_stats(&s).refusal_count, 3);
    shelf_close(&s);
}

TEST(cache, refusals_fill_an_eighth_of_the_limit_and_drive_no_grammar_out) {
    shelf s;
    shelf_open(&s, 400000, 0);
    weir_grammar_destroy(shelf_get(&s, event));
    char text[64];
    for (uint32_t i = 0; i < 300; i++) {
        weir_grammar *grammar;
        snprintf(text, sizeof text, "{\"type\": \"t%u\"}", i);
        EXPECT_STATUS(weir_cache_get(s.cache, s.vocab, text, strlen(text), NULL, &grammar, NULL), WEIR_ERROR_SCHEMA,
                      NULL);
    }
    EXPECT_GT(shelf_stats(&s).refusal_count, 10);
    EXPECT_LE(s.cache->lists[PLACE_REFUSALS].bytes, 50000);
    EXPECT_TRUE(shelf_keeps(&s, text));
    EXPECT_FALSE(shelf_keeps(&s, "{\"type\": \"t0\"}"));
    EXPECT_TRUE(shelf_keeps(&s, event));
    shelf_close(&s);
}

TEST(cache, a_refusal_larger_than_its_share_is_not_kept) {
    shelf s;
    shelf_open(&s, 400000, 0);
    static char text[60000];
    memset(text, ' ', sizeof text);
    weir_grammar *grammar;
    EXPECT_STATUS(weir_cache_get(s.cache, s.vocab, text, sizeof text, NULL, &grammar, NULL), WEIR_ERROR_JSON, NULL);
    EXPECT_EQ(shelf_stats(&s).refusal_count, 0);
    shelf_close(&s);
}

TEST(cache, a_schema_that_nothing_satisfies_is_a_grammar) {
    shelf s;
    shelf_open(&s, 0, 0);
    weir_grammar *grammar = shelf_get(&s, "false");
    EXPECT_FALSE(weir_grammar_satisfiable(grammar));
    EXPECT_EQ(shelf_stats(&s).grammar_count, 1);
    weir_grammar_destroy(grammar);
    shelf_close(&s);
}

static bool cancel(void *context, uint64_t work) {
    (void)context, (void)work;
    return true;
}

TEST(cache, what_was_cancelled_or_had_no_memory_is_compiled_again) {
    shelf s;
    shelf_open(&s, 0, 0);
    weir_grammar_options options = WEIR_GRAMMAR_OPTIONS_INIT;
    weir_grammar *grammar = NULL;
    options.progress = cancel;
    EXPECT_STATUS(weir_cache_get(s.cache, s.vocab, event, strlen(event), &options, &grammar, &s.error),
                  WEIR_ERROR_CANCELLED, NULL);
    EXPECT_EQ(s.error.status, WEIR_ERROR_CANCELLED);
    s.memory->fail_at = s.memory->calls + 3;
    EXPECT_STATUS(weir_cache_get(s.cache, s.vocab, event, strlen(event), NULL, &grammar, &s.error), WEIR_ERROR_MEMORY,
                  NULL);
    EXPECT_EQ(shelf_stats(&s).refusal_count, 0);
    EXPECT_EQ(shelf_stats(&s).queued_count + shelf_stats(&s).running_count, 0);
    weir_grammar_destroy(shelf_get(&s, event));
    EXPECT_EQ(shelf_stats(&s).misses, 3);
    shelf_close(&s);
}

TEST(cache, every_failing_allocation_is_reported_and_leaves_a_cache_that_works) {
    test_memory *memory = test_memory_create();
    weir_allocator allocator = test_allocator(memory);
    const weir_cache_options options = {sizeof options, &allocator, 0, 0};
    weir_vocab *vocab;
    weir_error error;
    ASSERT_OK(weir_vocab_default(NULL, &vocab, &error), &error);
    while (test_next_failure(memory)) {
        weir_cache *cache = NULL;
        weir_grammar *first = NULL, *second = NULL;
        weir_status status = weir_cache_create(&options, &cache, &error);
        EXPECT_TRUE((status == WEIR_OK) == (cache != NULL));
        if (status == WEIR_OK) status = weir_cache_get(cache, vocab, event, strlen(event), NULL, &first, &error);
        EXPECT_STATUS(status, memory->failed ? WEIR_ERROR_MEMORY : WEIR_OK, &error);
        EXPECT_EQ(memory->failed ? error.status : WEIR_ERROR_MEMORY, WEIR_ERROR_MEMORY);
        if (cache != NULL) {
            EXPECT_OK(weir_cache_get(cache, vocab, event, strlen(event), NULL, &second, &error), &error);
            EXPECT_TRUE(first == NULL || first == second);
        }
        weir_grammar_destroy(first);
        weir_grammar_destroy(second);
        weir_cache_destroy(cache);
    }
    weir_vocab_destroy(vocab);
}

TEST(cache, a_table_that_cannot_grow_still_finds_everything) {
    shelf s;
    shelf_open(&s, 0, 0);
    char text[64];
    for (uint32_t i = 0; i < 64; i++) weir_grammar_destroy(shelf_get(&s, schema_number(i, text)));
    s.memory->fail_at = s.memory->calls + 2; /* the entry, then the table */
    weir_grammar_destroy(shelf_get(&s, schema_number(64, text)));
    EXPECT_TRUE(s.memory->failed);
    EXPECT_EQ(s.cache->bucket_count, 64);
    weir_grammar_destroy(shelf_get(&s, schema_number(65, text)));
    EXPECT_EQ(s.cache->bucket_count, 128);
    for (uint32_t i = 0; i < 66; i++) EXPECT_TRUE(shelf_keeps(&s, schema_number(i, text)));
    shelf_close(&s);
}

/* --- arguments and references ----------------------------------------------------------------------------------- */

TEST(cache, arguments_that_cannot_be_used_are_refused) {
    shelf s;
    shelf_open(&s, 0, 0);
    weir_grammar *g = NULL;
    weir_cache *cache = NULL;
    EXPECT_STATUS(weir_cache_create(NULL, NULL, NULL), WEIR_ERROR_ARGUMENT, NULL);
    EXPECT_STATUS(weir_cache_get(NULL, s.vocab, "1", 1, NULL, &g, &s.error), WEIR_ERROR_ARGUMENT, NULL);
    EXPECT_STATUS(weir_cache_get(s.cache, NULL, "1", 1, NULL, &g, &s.error), WEIR_ERROR_ARGUMENT, NULL);
    EXPECT_STATUS(weir_cache_get(s.cache, s.vocab, NULL, 1, NULL, &g, &s.error), WEIR_ERROR_ARGUMENT, NULL);
    EXPECT_STATUS(weir_cache_get(s.cache, s.vocab, "1", 1, NULL, NULL, &s.error), WEIR_ERROR_ARGUMENT, NULL);
    weir_grammar_options bad = WEIR_GRAMMAR_OPTIONS_INIT;
    bad.depth_limit = 0;
    EXPECT_STATUS(weir_cache_get(s.cache, s.vocab, "1", 1, &bad, &g, &s.error), WEIR_ERROR_ARGUMENT, NULL);
    EXPECT_EQ(shelf_stats(&s).misses, 0);
    weir_cache_options options = WEIR_CACHE_OPTIONS_INIT;
    options.worker_count = 257;
    EXPECT_STATUS(weir_cache_create(&options, &cache, &s.error), WEIR_ERROR_ARGUMENT, NULL);
    options.size = 3;
    EXPECT_STATUS(weir_cache_create(&options, &cache, &s.error), WEIR_ERROR_ARGUMENT, NULL);
    EXPECT_NULL(cache);
    weir_cache_clear(NULL);
    weir_cache_destroy(NULL);
    weir_cache_statistics(s.cache, NULL);
    weir_cache_statistics(NULL, &(weir_cache_stats){0});
    shelf_close(&s);
}

TEST(cache, a_grammar_lives_until_its_last_reference_is_given_back) {
    test_memory *memory = test_memory_create();
    weir_allocator allocator = test_allocator(memory);
    weir_grammar_options options = WEIR_GRAMMAR_OPTIONS_INIT;
    options.allocator = &allocator;
    weir_vocab *vocab;
    weir_grammar *grammar;
    weir_error error;
    ASSERT_OK(weir_vocab_default(NULL, &vocab, &error), &error);
    ASSERT_OK(weir_grammar_from_json_schema(vocab, "true", 4, &options, &grammar, &error), &error);
    EXPECT_TRUE(weir_grammar_retain(grammar) == grammar);
    EXPECT_NULL(weir_grammar_retain(NULL));
    weir_grammar_destroy(grammar);
    weir_vocab_destroy(vocab); /* the grammar needs it */
    EXPECT_TRUE(weir_grammar_satisfiable(grammar));
    EXPECT_GT(weir_vocab_token_count(weir_grammar_vocab(grammar)), 0);
    weir_grammar_destroy(grammar);
    EXPECT_EQ(memory->live_blocks, 0);
}
