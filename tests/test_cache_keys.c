/* test_cache_keys.c - which requests are the same to a cache: by schema, options, vocabulary, and what resolvers say.
 */
#include "cache_helpers.h"

#include <stdlib.h>
#include <string.h>

#include "cache.h"
#include "compiler.h"

static const char event[] =
    "{\"type\": \"object\", \"properties\": {\"title\": {\"type\": \"string\"}, \"day\": {\"enum\": "
    "[\"monday\", \"sunday\"]}}, \"required\": [\"title\"], \"additionalProperties\": false}";

/* --- schemas and options --------------------------------------------------------------------------------------- */

enum { OPTION_SETS = 11 };

/* The defaults, and the defaults with one option changed. */
static void option_sets(weir_grammar_options sets[OPTION_SETS]) {
    for (int i = 0; i < OPTION_SETS; i++) sets[i] = (weir_grammar_options)WEIR_GRAMMAR_OPTIONS_INIT;
    sets[1].whitespace = WEIR_WHITESPACE_SPACED;
    sets[2].indent = 4;
    sets[3].whitespace_run = 63;
    sets[4].order = WEIR_ORDER_ANY;
    sets[5].objects = WEIR_OBJECTS_CLOSED;
    sets[6].depth_limit = 127;
    sets[7].strict = true;
    sets[8].state_limit = 100000;
    sets[9].memory_limit = (size_t)100 << 20;
    sets[10].work_limit = 500000000;
}

TEST(cache, every_option_that_changes_the_result_is_part_of_the_key) {
    shelf s;
    weir_grammar_options sets[OPTION_SETS];
    weir_grammar *grammars[OPTION_SETS];
    shelf_open(&s, 0, 0);
    option_sets(sets);
    for (int i = 0; i < OPTION_SETS; i++) {
        ASSERT_OK(weir_cache_get(s.cache, s.vocab, event, strlen(event), &sets[i], &grammars[i], &s.error), &s.error);
        for (int j = 0; j < i; j++) EXPECT_TRUE(grammars[i] != grammars[j]);
    }
    EXPECT_EQ(shelf_stats(&s).misses, OPTION_SETS);
    for (int i = 0; i < OPTION_SETS; i++) {
        weir_grammar *again;
        ASSERT_OK(weir_cache_get(s.cache, s.vocab, event, strlen(event), &sets[i], &again, &s.error), &s.error);
        EXPECT_TRUE(again == grammars[i]);
        weir_grammar_destroy(again);
        weir_grammar_destroy(grammars[i]);
    }
    EXPECT_EQ(shelf_stats(&s).hits, OPTION_SETS);
    shelf_close(&s);
}

static bool never_cancel(void *context, uint64_t work) {
    (void)work;
    ++*(int *)context;
    return false;
}

TEST(cache, allocator_progress_and_written_out_defaults_are_not_part_of_the_key) {
    shelf s;
    shelf_open(&s, 0, 0);
    int asked = 0;
    weir_grammar_options options = WEIR_GRAMMAR_OPTIONS_INIT;
    options.allocator = &s.allocator;
    options.progress = never_cancel;
    options.progress_context = &asked;
    weir_grammar *first, *second = shelf_get(&s, event), *third;
    ASSERT_OK(weir_cache_get(s.cache, s.vocab, event, strlen(event), &options, &first, &s.error), &s.error);
    EXPECT_EQ(asked, 0); /* a result that is there is not waited for */
    options.state_limit = 4000000;
    options.memory_limit = (size_t)512 << 20;
    options.work_limit = 850000000;
    ASSERT_OK(weir_cache_get(s.cache, s.vocab, event, strlen(event), &options, &third, &s.error), &s.error);
    EXPECT_TRUE(first == second && second == third);
    weir_grammar_destroy(first);
    weir_grammar_destroy(second);
    weir_grammar_destroy(third);
    shelf_close(&s);
}

TEST(cache, schemas_are_told_apart_by_every_byte) {
    static const struct {
        const char *text;
        size_t length;
    } texts[] = {{"true", 4},      {"true ", 5},     {" true", 5},  {"true\n", 5},
                 {"{\"a\":1}", 7}, {"{\"a\":2}", 7}, {"true\0", 5}, {"true\0\0", 6}};
    shelf s;
    shelf_open(&s, 0, 0);
    for (int round = 0; round < 2; round++) {
        for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
            weir_grammar *grammar;
            weir_cache_get(s.cache, s.vocab, texts[i].text, texts[i].length, NULL, &grammar, &s.error);
            weir_grammar_destroy(grammar);
            EXPECT_EQ(shelf_stats(&s).misses, round == 0 ? i + 1 : 8);
        }
    }
    EXPECT_EQ(shelf_stats(&s).hits, 8);
    shelf_close(&s);
}

enum { HASHES = 300000 }; /* of 32 bits: about ten pairs are equal */

typedef struct numbered {
    uint32_t hash, number;
} numbered;

/* A request with that number in its schema, or in its options. */
static cache_key numbered_key(shelf *s, uint32_t number, bool by_options, char text[64]) {
    cache_key key;
    weir_grammar_options options = WEIR_GRAMMAR_OPTIONS_INIT;
    schema_number(by_options ? 0 : number, text);
    if (by_options) options.work_limit = 500000000 + number;
    EXPECT_OK(cache_request(s->cache, s->vocab, text, strlen(text), &options, &key, &s->error), &s->error);
    return key;
}

static void expect_own_grammars(bool by_options) {
    numbered *all = malloc(sizeof *all * HASHES);
    shelf s;
    shelf_open(&s, 0, 0);
    char text[64], other[64];
    for (uint32_t i = 0; i < HASHES; i++) all[i] = (numbered){numbered_key(&s, i, by_options, text).hash, i};
    qsort(all, HASHES, sizeof *all, order_ids); /* by its first member */
    uint32_t at = 1;
    while (at < HASHES && all[at].hash != all[at - 1].hash) at++;
    ASSERT_LT(at, HASHES);
    const cache_key one = numbered_key(&s, all[at - 1].number, by_options, text);
    const cache_key two = numbered_key(&s, all[at].number, by_options, other);
    EXPECT_EQ(one.hash, two.hash);
    weir_grammar *first, *second;
    ASSERT_OK(weir_cache_get(s.cache, s.vocab, one.schema, one.length, &one.options, &first, &s.error), &s.error);
    ASSERT_OK(weir_cache_get(s.cache, s.vocab, two.schema, two.length, &two.options, &second, &s.error), &s.error);
    EXPECT_TRUE(first != second);
    EXPECT_EQ(shelf_stats(&s).misses, 2);
    weir_grammar_destroy(first);
    weir_grammar_destroy(second);
    free(all);
    shelf_close(&s);
}

TEST(cache, schemas_whose_hashes_are_equal_get_their_own_grammars) {
    expect_own_grammars(false);
}

TEST(cache, options_whose_hashes_are_equal_get_their_own_grammars) {
    expect_own_grammars(true);
}

TEST(cache, a_schema_is_copied_when_it_is_kept) {
    shelf s;
    shelf_open(&s, 0, 0);
    char text[] = "{\"const\": 1}";
    weir_grammar_destroy(shelf_get(&s, text));
    text[10] = '2';
    EXPECT_FALSE(shelf_keeps(&s, text));
    EXPECT_TRUE(shelf_keeps(&s, "{\"const\": 1}"));
    shelf_close(&s);
}

/* --- vocabularies --------------------------------------------------------------------------------------------- */

TEST(cache, equal_vocabularies_share_whichever_handle_they_have) {
    shelf s;
    shelf_open(&s, 0, 0);
    weir_vocab *twin;
    weir_grammar *first = shelf_get(&s, event), *second, *third;
    ASSERT_OK(weir_vocab_default(NULL, &twin, &s.error), &s.error);
    ASSERT_OK(weir_cache_get(s.cache, twin, event, strlen(event), NULL, &second, &s.error), &s.error);
    EXPECT_TRUE(first == second);
    weir_vocab_destroy(s.vocab); /* the grammars, made for this handle, keep it alive */
    s.vocab = twin;
    weir_grammar_destroy(first);
    EXPECT_EQ(weir_vocab_token_count(weir_grammar_vocab(second)), weir_vocab_token_count(twin));
    third = shelf_get(&s, event);
    EXPECT_TRUE(third == second);
    weir_grammar_destroy(second);
    weir_grammar_destroy(third);
    shelf_close(&s);
}

TEST(cache, vocabularies_that_differ_in_stop_ids_or_width_do_not_share) {
    static const uint32_t stops[] = {1, 2};
    shelf s;
    shelf_open(&s, 0, 0);
    const uint32_t width = weir_vocab_logits_width(s.vocab);
    weir_grammar *usual = shelf_get(&s, "true"), *grammar;
    for (uint32_t i = 0; i < 2; i++) {
        const weir_vocab_options options = {sizeof options, NULL, stops, i == 0 ? 2 : 1, i == 0 ? width : width + 64};
        weir_vocab *vocab;
        ASSERT_OK(weir_vocab_default(&options, &vocab, &s.error), &s.error);
        ASSERT_OK(weir_cache_get(s.cache, vocab, "true", 4, NULL, &grammar, &s.error), &s.error);
        EXPECT_TRUE(grammar != usual);
        weir_vocab_destroy(vocab);
        EXPECT_EQ(weir_vocab_mask_words(weir_grammar_vocab(grammar)), (options.logits_width + 31) / 32);
        weir_grammar_destroy(grammar);
    }
    EXPECT_EQ(shelf_stats(&s).misses, 3);
    weir_grammar_destroy(usual);
    shelf_close(&s);
}

TEST(cache, vocabularies_whose_hashes_are_equal_do_not_share) {
    static const uint32_t stops[] = {1};
    const weir_vocab_options options = {sizeof options, NULL, stops, 1, 0};
    shelf s;
    shelf_open(&s, 0, 0);
    weir_vocab *other;
    weir_grammar *first = shelf_get(&s, event), *second;
    ASSERT_OK(weir_vocab_default(&options, &other, &s.error), &s.error);
    other->hash = s.vocab->hash; /* nobody can make two such on purpose in a test */
    ASSERT_OK(weir_cache_get(s.cache, other, event, strlen(event), NULL, &second, &s.error), &s.error);
    EXPECT_TRUE(first != second);
    weir_vocab_destroy(other);
    weir_grammar_destroy(first);
    weir_grammar_destroy(second);
    shelf_close(&s);
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
        EXPECT_STATUS(weir_cache_get(s.cache, s.vocab, schema, strlen(schema), NULL, &grammar, &s.error),
                      WEIR_ERROR_SCHEMA, NULL);
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
    weir_grammar *first = NULL, *second = shelf_get(&s, event), *third = NULL;
    ASSERT_OK(get_resolved(&s, event, &known, &first), &s.error);
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
