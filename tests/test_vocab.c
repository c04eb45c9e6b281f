/* test_vocab.c - vocabularies from bytes, the trie, the embedded vocabulary, and what a failing allocator leaves. */
#include "vocab_files.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- from bytes ----------------------------------------------------------------------------------------------- */

TEST(vocab, report_counts_what_is_unusual) {
    const weir_token tokens[] = {TOKEN("a"),        TOKEN("bc"),    TOKEN("a"),    TOKEN(""), TOKEN("\xe4\xb8"),
                                 TOKEN("\xc3\xa9"), CONTROL("<s>"), TOKEN("\xff"), TOKEN("a")};
    const uint32_t stop = 6;
    const weir_vocab_options options = with_stop(&stop, 1);
    weir_vocab *vocab;
    ASSERT_OK(weir_vocab_create(tokens, COUNT(tokens), &options, &vocab, NULL), NULL);
    weir_vocab_report report;
    weir_vocab_check(vocab, &report);
    EXPECT_EQ(report.token_count, 9);
    EXPECT_EQ(report.text_count, 8);
    EXPECT_EQ(report.special_count, 1);
    EXPECT_EQ(report.hole_count, 0);
    EXPECT_EQ(report.empty_count, 1);
    EXPECT_EQ(report.duplicate_count, 2);
    EXPECT_EQ(report.not_utf8_count, 1);
    EXPECT_EQ(report.missing_byte_count, 254);
    EXPECT_EQ(report.longest_token, 2);
    EXPECT_FALSE(report.missing_bytes['a' / 8] >> 'a' % 8 & 1);
    EXPECT_FALSE(report.missing_bytes[31] >> 7 & 1);
    EXPECT_TRUE(report.missing_bytes['b' / 8] >> 'b' % 8 & 1);
    EXPECT_EQ(vocab->byte_token['a'], 0);
    EXPECT_EQ(vocab->byte_token[255], 7);
    EXPECT_EQ(vocab->byte_token['b'], VOCAB_NONE);
    EXPECT_EQ(vocab->same[0], 2);
    EXPECT_EQ(vocab->same[2], 8);
    EXPECT_EQ(vocab->same[8], VOCAB_NONE);
    EXPECT_EQ(weir_vocab_token_count(vocab), 9);
    EXPECT_EQ(weir_vocab_logits_width(vocab), 9);
    EXPECT_TRUE(weir_vocab_is_special(vocab, 6));
    EXPECT_FALSE(weir_vocab_is_special(vocab, 5));
    EXPECT_FALSE(weir_vocab_is_special(vocab, 99));
    EXPECT_TRUE(TOKEN_IS(vocab, 6, "<s>"));
    EXPECT_TRUE(TOKEN_IS(vocab, 3, ""));
    EXPECT_TRUE(TOKEN_IS(vocab, 9, ""));
    EXPECT_TRUE(TOKEN_IS(vocab, 1u << 31, ""));
    EXPECT_EQ(count_trie_faults(vocab), 0);
    weir_vocab_destroy(vocab);
    weir_vocab_destroy(NULL);
}

TEST(vocab, utf8_is_judged_as_unicode_does) {
    const weir_token tokens[] = {
        TOKEN("\xf0\x9f\x98\x80"), TOKEN("\xed\x9f\xbf"), TOKEN("\xf4\x8f\xbf\xbf"), TOKEN("a\0b"),
        /* overlong, surrogate, above U+10FFFF, cut, stray: */
        TOKEN("\xc0\x80"), TOKEN("\xe0\x9f\xbf"), TOKEN("\xed\xa0\x80"), TOKEN("\xf4\x90\x80\x80"),
        TOKEN("\xf0\x9f\x98"), TOKEN("a\x80"), TOKEN("\xf8\x88"), TOKEN("\xc3("), TOKEN("\xe2\x82x")};
    weir_vocab *vocab;
    ASSERT_OK(weir_vocab_create(tokens, COUNT(tokens), NULL, &vocab, NULL), NULL);
    EXPECT_EQ(vocab->report.not_utf8_count, 9);
    weir_vocab_destroy(vocab);
}

TEST(vocab, stop_ids_are_sorted_distinct_and_never_text) {
    const weir_token tokens[] = {TOKEN("a"), TOKEN("b"), TOKEN("c"), TOKEN("b")};
    const uint32_t stops[] = {3, 1, 3, 35};
    weir_vocab_options options = with_stop(stops, 4);
    weir_vocab *vocab;
    weir_error error;
    EXPECT_STATUS(weir_vocab_create(tokens, 4, &options, &vocab, &error), WEIR_ERROR_VOCAB, &error);
    EXPECT_NULL(vocab);
    EXPECT_CONTAINS(error.message, "stop id 35");
    options.logits_width = 40;
    ASSERT_OK(weir_vocab_create(tokens, 4, &options, &vocab, NULL), NULL);
    uint32_t count;
    const uint32_t *ids = weir_vocab_stop_ids(vocab, &count);
    EXPECT_EQ(count, 3);
    EXPECT_EQ(ids[0], 1);
    EXPECT_EQ(ids[1], 3);
    EXPECT_EQ(ids[2], 35);
    EXPECT_EQ(vocab->byte_token['b'], VOCAB_NONE);
    EXPECT_EQ(vocab->byte_token['a'], 0);
    EXPECT_TRUE(weir_vocab_is_special(vocab, 1));
    EXPECT_TRUE(TOKEN_IS(vocab, 1, "b"));
    EXPECT_EQ(weir_vocab_mask_words(vocab), 2);
    EXPECT_EQ(count_trie_faults(vocab), 0);
    weir_vocab_destroy(vocab);
}

TEST(vocab, ids_at_or_above_the_logits_width_never_enter_the_trie) {
    const weir_token tokens[] = {TOKEN("a"), TOKEN("ab"), TOKEN("b"), TOKEN("a"), TOKEN("abc")};
    weir_vocab_options options = WEIR_VOCAB_OPTIONS_INIT;
    options.logits_width = 2;
    weir_vocab *vocab;
    ASSERT_OK(weir_vocab_create(tokens, 5, &options, &vocab, NULL), NULL);
    EXPECT_EQ(vocab->trie.count, 3);
    EXPECT_EQ(vocab->byte_token['b'], VOCAB_NONE);
    EXPECT_EQ(vocab->same[0], VOCAB_NONE);
    EXPECT_EQ(weir_vocab_token_count(vocab), 5);
    EXPECT_EQ(vocab->mask_words, 1);
    EXPECT_EQ(count_trie_faults(vocab), 0);
    weir_vocab_destroy(vocab);
}

TEST(vocab, a_vocabulary_without_any_text_is_made) {
    const weir_token tokens[] = {CONTROL("<s>"), TOKEN("")};
    weir_vocab *vocab;
    ASSERT_OK(weir_vocab_create(tokens, 2, NULL, &vocab, NULL), NULL);
    EXPECT_EQ(vocab->trie.count, 1);
    EXPECT_EQ(vocab->report.missing_byte_count, 256);
    EXPECT_EQ(count_trie_faults(vocab), 0);
    weir_vocab_destroy(vocab);
}

TEST(vocab, arguments_out_of_range_are_refused) {
    const weir_token tokens[] = {TOKEN("a")}, odd[] = {{"a", 1, 2}}, null[] = {{NULL, 1, 0}};
    static char long_text[65536];
    const weir_token longest[] = {{long_text, 65535, 0}}, too_long[] = {{long_text, 65536, 0}};
    weir_vocab *vocab = (weir_vocab *)1;
    weir_error error;
    weir_vocab_options options = WEIR_VOCAB_OPTIONS_INIT;
    EXPECT_STATUS(weir_vocab_create(tokens, 1, NULL, NULL, &error), WEIR_ERROR_ARGUMENT, &error);
    EXPECT_STATUS(weir_vocab_create(NULL, 1, NULL, &vocab, &error), WEIR_ERROR_ARGUMENT, &error);
    EXPECT_NULL(vocab);
    EXPECT_STATUS(weir_vocab_create(tokens, 0, NULL, &vocab, &error), WEIR_ERROR_VOCAB, &error);
    EXPECT_CONTAINS(error.message, "0 tokens");
    EXPECT_STATUS(weir_vocab_create(odd, 1, NULL, &vocab, &error), WEIR_ERROR_ARGUMENT, &error);
    EXPECT_CONTAINS(error.message, "token 0");
    EXPECT_STATUS(weir_vocab_create(null, 1, NULL, &vocab, &error), WEIR_ERROR_ARGUMENT, &error);
    EXPECT_CONTAINS(error.message, "NULL");
    EXPECT_STATUS(weir_vocab_create(too_long, 1, NULL, &vocab, &error), WEIR_ERROR_VOCAB, &error);
    EXPECT_CONTAINS(error.message, "65536");
    options.logits_width = UINT32_MAX;
    EXPECT_STATUS(weir_vocab_create(tokens, 1, &options, &vocab, &error), WEIR_ERROR_ARGUMENT, &error);
    options = (weir_vocab_options)WEIR_VOCAB_OPTIONS_INIT;
    options.stop_count = 1;
    EXPECT_STATUS(weir_vocab_create(tokens, 1, &options, &vocab, &error), WEIR_ERROR_ARGUMENT, &error);
    options.size = 0;
    EXPECT_STATUS(weir_vocab_create(tokens, 1, &options, &vocab, &error), WEIR_ERROR_ARGUMENT, &error);
    EXPECT_NULL(vocab);
    ASSERT_OK(weir_vocab_create(longest, 1, NULL, &vocab, &error), &error);
    EXPECT_EQ(vocab->trie.count, 1); /* kept, and never allowed */
    EXPECT_EQ(vocab->report.long_count, 1);
    EXPECT_EQ(vocab->report.longest_token, 65535);
    weir_vocab_destroy(vocab);
    EXPECT_STATUS(weir_vocab_load(NULL, NULL, &vocab, &error), WEIR_ERROR_ARGUMENT, &error);
    EXPECT_NULL(vocab);
    EXPECT_STATUS(weir_vocab_from_memory(NULL, 0, NULL, 0, NULL, &vocab, &error), WEIR_ERROR_ARGUMENT, &error);
    EXPECT_NULL(vocab);
}

TEST(vocab, options_of_an_older_caller_keep_the_defaults) {
    const weir_token tokens[] = {TOKEN("a"), TOKEN("b")};
    const uint32_t stop = 1;
    weir_vocab_options options = with_stop(&stop, 1);
    options.size = offsetof(weir_vocab_options, stop_count);
    options.logits_width = 77; /* beyond its size: not read, nor is stop_count */
    weir_vocab *vocab;
    ASSERT_OK(weir_vocab_create(tokens, 2, &options, &vocab, NULL), NULL);
    EXPECT_EQ(vocab->logits_width, 2);
    EXPECT_EQ(vocab->stop_count, 0);
    weir_vocab_destroy(vocab);
}

static uint64_t hash_of(const weir_token *tokens, uint32_t count, uint32_t stop, uint32_t width) {
    weir_vocab_options options = with_stop(&stop, 1);
    options.logits_width = width;
    weir_vocab *vocab;
    ASSERT_OK(weir_vocab_create(tokens, count, &options, &vocab, NULL), NULL);
    const uint64_t hash = vocab ? vocab->hash : 0;
    weir_vocab_destroy(vocab);
    return hash;
}

TEST(vocab, hash_sees_bytes_borders_flags_stops_and_width) {
    const weir_token base[] = {TOKEN("ab"), TOKEN("c"), CONTROL("e")},
                     border[] = {TOKEN("a"), TOKEN("bc"), CONTROL("e")};
    const weir_token bytes[] = {TOKEN("ab"), TOKEN("d"), CONTROL("e")},
                     flag[] = {CONTROL("ab"), TOKEN("c"), CONTROL("e")};
    const uint64_t hash = hash_of(base, 3, 2, 0);
    EXPECT_EQ(hash, hash_of(base, 3, 2, 3));
    EXPECT_NE(hash, hash_of(border, 3, 2, 0));
    EXPECT_NE(hash, hash_of(bytes, 3, 2, 0));
    EXPECT_NE(hash, hash_of(flag, 3, 2, 0));
    EXPECT_NE(hash, hash_of(base, 3, 1, 0));
    EXPECT_NE(hash, hash_of(base, 3, 2, 4));
    EXPECT_NE(hash, hash_of(base, 3, 3, 4));
}

TEST(vocab, random_vocabularies_keep_the_trie_invariants) {
    uint64_t seed = 7;
    for (uint32_t round = 0; round < 300; ++round) {
        weir_token tokens[60];
        char bytes[60][20];
        for (uint32_t i = 0; i < 60; ++i) {
            seed = seed * 6364136223846793005u + 1442695040888963407u;
            const uint32_t shared = round % 2 * 8; /* as many bytes as the sort looks at first */
            const uint32_t length = shared + (uint32_t)(seed >> 33) % (1 + round % 12);
            memset(bytes[i], 'x', shared);
            for (uint32_t at = shared; at < length; ++at) {
                seed = seed * 6364136223846793005u + 1442695040888963407u;
                bytes[i][at] = (char)((seed >> 33) % 3 * 127); /* 0, 127, 254: zero bytes and the sign bit */
            }
            tokens[i] = (weir_token){bytes[i], length, i % 9 == 8 ? WEIR_TOKEN_SPECIAL : 0};
        }
        const uint32_t stops[] = {5, 17};
        weir_vocab_options options = with_stop(stops, 2);
        options.logits_width = 18 + round % 60;
        weir_vocab *vocab;
        ASSERT_OK(weir_vocab_create(tokens, 60, &options, &vocab, NULL), NULL);
        EXPECT_EQ(count_trie_faults(vocab), 0);
        weir_vocab_destroy(vocab);
    }
}

TEST(vocab_trie, holds_values_of_any_order_and_the_empty_string) {
    const uint8_t *const strings[] = {(const uint8_t *)"b", (const uint8_t *)"", (const uint8_t *)"ba",
                                      (const uint8_t *)"b"};
    const uint32_t lengths[] = {1, 0, 2, 1}, values[] = {9, 4, 3, 2};
    uint32_t same[10];
    const weir_allocator allocator = allocator_or_default(NULL);
    trie trie;
    ASSERT_OK(trie_build(&allocator, strings, lengths, values, 4, same, &trie), NULL);
    EXPECT_EQ(trie.count, 3);
    EXPECT_EQ(trie.nodes[0].token, 4);
    EXPECT_EQ(trie.nodes[1].token, 2);
    EXPECT_EQ(trie.nodes[2].token, 3);
    EXPECT_EQ(same[2], 9);
    EXPECT_EQ(same[9], VOCAB_NONE);
    EXPECT_EQ(same[4], VOCAB_NONE);
    EXPECT_EQ(trie.nodes[0].end, 3);
    trie_free(&allocator, &trie);
    trie_free(&allocator, &trie);
    ASSERT_OK(trie_build(&allocator, strings, lengths, values, 0, NULL, &trie), NULL);
    EXPECT_EQ(trie.count, 1);
    trie_free(&allocator, &trie);
}

/* --- the embedded vocabulary ---------------------------------------------------------------------------------- */

TEST(vocab_default, has_every_byte_and_nothing_unusual) {
    weir_vocab *vocab;
    ASSERT_OK(weir_vocab_default(NULL, &vocab, NULL), NULL);
    weir_vocab_report report;
    weir_vocab_check(vocab, &report);
    EXPECT_EQ(report.token_count, 4096);
    EXPECT_EQ(report.text_count, 4095);
    EXPECT_EQ(report.special_count, 1);
    EXPECT_EQ(report.hole_count, 0);
    EXPECT_EQ(report.empty_count, 0);
    EXPECT_EQ(report.duplicate_count, 0);
    EXPECT_EQ(report.missing_byte_count, 0);
    EXPECT_EQ(vocab->stop_count, 1);
    EXPECT_EQ(vocab->stop_ids[0], 4095);
    EXPECT_TRUE(TOKEN_IS(vocab, 4095, "<|end|>"));
    EXPECT_TRUE(weir_vocab_is_special(vocab, 4095));
    EXPECT_EQ(count_trie_faults(vocab), 0);
    for (uint32_t byte = 0; byte < 256; ++byte) EXPECT_EQ(vocab->byte_token[byte], byte);
    weir_vocab_destroy(vocab);
}

TEST(vocab_default, merges_punctuation_of_json) {
    static const char *const texts[] = {"\":\"", "\", \"", "\"},", "\": \"", "\": ",  "{\"",   "\",\"", "\":",
                                        "},",    "]}",     "\\n",  "\\\"",   " true", " null", "name"};
    weir_vocab *vocab;
    ASSERT_OK(weir_vocab_default(NULL, &vocab, NULL), NULL);
    for (uint32_t i = 0; i < COUNT(texts); ++i) {
        test_context("case %u", i);
        const uint32_t node = find_node(&vocab->trie, (const uint8_t *)texts[i], (uint32_t)strlen(texts[i]));
        EXPECT_GT(node, 0);
        EXPECT_NE(vocab->trie.nodes[node].token, VOCAB_NONE);
    }
    weir_vocab_destroy(vocab);
}

TEST(vocab_default, takes_other_stop_ids_and_widths) {
    const uint32_t stop = 65;
    weir_vocab_options options = with_stop(&stop, 1);
    options.logits_width = 5000;
    weir_vocab *vocab;
    ASSERT_OK(weir_vocab_default(&options, &vocab, NULL), NULL);
    EXPECT_EQ(vocab->stop_ids[0], 65);
    EXPECT_EQ(vocab->byte_token[65], VOCAB_NONE);
    EXPECT_EQ(vocab->logits_width, 5000);
    EXPECT_TRUE(weir_vocab_is_special(vocab, 4095));
    EXPECT_EQ(vocab->mask_words, 157);
    weir_vocab_destroy(vocab);
}

/* --- memory --------------------------------------------------------------------------------------------------- */

/* Everything that reads memory, in turn, under one allocator. */
static weir_status make_vocab(uint32_t kind, const weir_allocator *allocator, weir_vocab **out, weir_error *error) {
    static const weir_token tokens[] = {TOKEN("a"), TOKEN("ab"), TOKEN("a"), TOKEN(""), CONTROL("<e>")};
    static const uint32_t stop = 1;
    weir_vocab_options options = with_stop(&stop, 1);
    options.allocator = allocator;
    if (kind == 0) return weir_vocab_create(tokens, COUNT(tokens), &options, out, error);
    if (kind == 1) return from_text(small_tiktoken, small_meta, &options, out, error);
    if (kind == 2) return from_text(byte_level, stop_is_e, &options, out, error);
    if (kind == 3) return weir_vocab_default(&options, out, error);
    if (kind == 4) return from_text("{\"a\": 0, \"</s>\": 1}", "{\"eos_token_id\": [1, 0]}", &options, out, error);
    static file_bytes file;
    if (kind == 5 || kind == 6) {
        kind == 5 ? small_model(&file) : small_gguf(&file);
        options.stop_count = 0;
        return from_bytes(&file, NULL, &options, out, error);
    }
    size_t length;
    uint8_t *packed = pack(small_tiktoken, strlen(small_tiktoken), &length);
    const weir_status status =
        weir_vocab_from_memory(packed, length, small_meta, strlen(small_meta), &options, out, error);
    free(packed);
    return status;
}

TEST(vocab, failing_any_one_allocation_is_clean) {
    for (uint32_t kind = 0; kind < 8; ++kind) {
        test_context("kind %u", kind);
        test_memory *memory = test_memory_create();
        const weir_allocator allocator = test_allocator(memory);
        uint32_t rounds = 0;
        while (test_next_failure(memory)) {
            weir_vocab *vocab = (weir_vocab *)1;
            weir_error error;
            const weir_status status = make_vocab(kind, &allocator, &vocab, &error);
            EXPECT_STATUS(status, memory->failed ? WEIR_ERROR_MEMORY : WEIR_OK, &error);
            EXPECT_EQ(vocab != NULL, status == WEIR_OK);
            if (status != WEIR_OK) EXPECT_EQ(error.status, status);
            weir_vocab_destroy(vocab);
            ++rounds;
        }
        EXPECT_GT(rounds, 6);
    }
    test_context(NULL);
}
