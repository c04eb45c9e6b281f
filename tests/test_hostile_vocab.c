/* test_hostile_vocab.c - tokenizer files that were cut, flipped or made to burst: refused with a sentence, or a vocabulary in
 * which everything agrees; never more memory than a compile may take. */
#include "vocab_helpers.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MEMORY_LIMIT = 512 << 20 };

static const char grown[] = "{\"type\":\"array\",\"items\":{\"enum\":[1,null,\"a\"]}}";

/* True: it was read. Then its parts agree, and a grammar compiles or says why not. */
static bool try_text(const void *text, size_t length, const char *meta, size_t meta_length, test_memory *memory) {
    static const uint32_t stop = 1;
    weir_vocab_options options = with_stop(meta == NULL ? &stop : NULL, meta == NULL);
    weir_allocator allocator = test_allocator(memory);
    weir_vocab *vocab;
    weir_grammar *grammar;
    weir_error error = {WEIR_OK, 0, -1, "", ""};
    options.allocator = &allocator;
    char *exact = malloc(length + (length == 0)); /* so that a sanitizer sees a read past its end */
    ASSERT_NOT_NULL(exact);
    if (length != 0) memcpy(exact, text, length);
    weir_status status = weir_vocab_from_memory(exact, length, meta, meta_length, &options, &vocab, &error);
    free(exact);
    EXPECT_LE(memory->peak_bytes, MEMORY_LIMIT + (64 << 20));
    if (status != WEIR_OK) {
        EXPECT_NULL(vocab);
        EXPECT_NE(error.message[0], '\0');
        EXPECT_EQ(memory->live_blocks, 0);
        return false;
    }
    EXPECT_EQ(count_trie_faults(vocab), 0);
    status = weir_grammar_from_json_schema(vocab, grown, sizeof grown - 1, NULL, &grammar, &error);
    EXPECT_TRUE(status == WEIR_OK || status == WEIR_ERROR_VOCAB || status == WEIR_ERROR_LIMIT);
    weir_grammar_destroy(grammar);
    weir_vocab_destroy(vocab);
    return true;
}

/* Cut behind every byte, and every bit of it flipped. */
static void damage(const void *text, size_t length, const char *meta, size_t meta_length) {
    test_memory *memory = test_memory_create();
    uint8_t *copy = malloc(length);
    uint32_t refused = 0;
    ASSERT_NOT_NULL(copy);
    memcpy(copy, text, length);
    EXPECT_TRUE(try_text(copy, length, meta, meta_length, memory));
    for (size_t cut = 0; cut < length && !test_has_failed(); cut++) refused += !try_text(copy, cut, meta, meta_length, memory);
    for (size_t i = 0; i < 8 * length && !test_has_failed(); i++) {
        copy[i / 8] ^= (uint8_t)(1u << i % 8);
        refused += !try_text(copy, length, meta, meta_length, memory);
        copy[i / 8] ^= (uint8_t)(1u << i % 8);
    }
    EXPECT_GT(refused, length / 2); /* most damage is seen */
    free(copy);
}

TEST(hostile_vocab, a_cut_or_flipped_rank_file_is_refused_or_whole) {
    damage(small_tiktoken, strlen(small_tiktoken), small_meta, strlen(small_meta));
}

TEST(hostile_vocab, a_cut_or_flipped_tokenizer_json_is_refused_or_whole) {
    damage(byte_level, strlen(byte_level), stop_is_e, strlen(stop_is_e));
}

TEST(hostile_vocab, a_cut_or_flipped_gzip_file_is_refused_or_whole) {
    size_t length;
    uint8_t *packed = pack(small_tiktoken, strlen(small_tiktoken), &length);
    damage(packed, length, small_meta, strlen(small_meta));
    free(packed);
    packed = pack(byte_level, strlen(byte_level), &length);
    damage(packed, length, stop_is_e, strlen(stop_is_e));
    free(packed);
}

TEST(hostile_vocab, a_cut_or_flipped_meta_file_is_refused_or_whole) {
    test_memory *memory = test_memory_create();
    size_t length = strlen(small_meta);
    char meta[256];
    memcpy(meta, small_meta, length);
    for (size_t cut = 1; cut < length; cut++) try_text(small_tiktoken, strlen(small_tiktoken), meta, cut, memory);
    for (size_t i = 0; i < 8 * length && !test_has_failed(); i++) {
        meta[i / 8] ^= (char)(1u << i % 8);
        try_text(small_tiktoken, strlen(small_tiktoken), meta, length, memory);
        meta[i / 8] ^= (char)(1u << i % 8);
    }
}

/* Files that are small and say much. */
TEST(hostile_vocab, ids_sizes_and_lengths_without_measure_are_refused) {
    static const char *const texts[] = {
        "YQ== 4294967295\n", "YQ== 99999999999999999999\n", "YQ== -1\n", "YQ== 2097152\n", "YQ== 1e3\n", "YQ== \n", " 0\n", "==== 0\n",
        "{\"model\":{\"type\":\"BPE\",\"vocab\":{\"a\":1e99}}}",
        "{\"model\":{\"type\":\"BPE\",\"vocab\":{\"a\":-1}}}",
        "{\"model\":{\"type\":\"BPE\",\"vocab\":[]}}",
        "{\"model\":{\"type\":\"BPE\",\"vocab\":{}},\"added_tokens\":[{\"id\":4294967296,\"content\":\"x\"}]}",
        "{\"model\":{\"vocab\":{\"a\":0},\"type\":[[[[[[]]]]]]}}",
        "{", "[", "\"", "{}", "[]", "null", "\x1f\x8b", "\x1f\x8b\x08", "GGUF", "\x0a\xff\xff\xff\xff\x0f",
    };
    test_memory *memory = test_memory_create();
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        test_context("the text %s", texts[i]);
        EXPECT_FALSE(try_text(texts[i], strlen(texts[i]), NULL, 0, memory));
    }
    EXPECT_LE(memory->peak_bytes, 64 << 20);
}

TEST(hostile_vocab, a_meta_file_that_claims_billions_is_refused) {
    static const char *const metas[] = {"{\"vocab_size\":4294967295,\"eos_ids\":[1]}", "{\"vocab_size\":1e30,\"eos_ids\":[1]}",
                                        "{\"eos_ids\":[4294967295]}", "{\"eos_ids\":[-1]}", "{\"special_tokens\":{\"<e>\":4294967295}}",
                                        "{\"special_tokens\":[[[]]]}", "{\"eos_ids\":{}}", "[]", "{\"added_tokens_decoder\":{\"99999999999\":{}}}"};
    test_memory *memory = test_memory_create();
    for (size_t i = 0; i < sizeof metas / sizeof *metas; i++) {
        test_context("the meta file %s", metas[i]);
        EXPECT_FALSE(try_text(small_tiktoken, strlen(small_tiktoken), metas[i], strlen(metas[i]), memory));
    }
    EXPECT_LE(memory->peak_bytes, 64 << 20);
}

/* `piece` so many times between two texts. */
static char *repeated(const char *before, const char *piece, size_t count, const char *after, size_t *length) {
    size_t size = strlen(piece);
    char *made = malloc(strlen(before) + count * size + strlen(after) + 1);
    ASSERT_TRUE(made != NULL);
    char *at = made;
    at += sprintf(at, "%s", before);
    for (size_t i = 0; i < count; i++, at += size) memcpy(at, piece, size);
    at += sprintf(at, "%s", after);
    *length = (size_t)(at - made);
    return made;
}

TEST(hostile_vocab, a_gzip_bomb_is_refused) {
    size_t length, packed_length;
    test_memory *memory = test_memory_create();
    char *text = repeated("", "YWFhYWFhYWFh", 10000000, "", &length);
    uint8_t *packed = pack(text, length, &packed_length);
    free(text);
    EXPECT_FALSE(try_text(packed, packed_length, NULL, 0, memory));
    free(packed);
}

TEST(hostile_vocab, large_files_of_nothing_end_inside_the_memory_of_a_compile) {
    static const struct { const char *before, *piece, *after; size_t count; } files[] = {
        {"{\"model\":{\"type\":\"BPE\",\"vocab\":{\"a\":0},\"merges\":[", "0,", "0]}}", 15000000},
        {"{\"model\":{\"type\":\"Unigram\",\"vocab\":[", "[],", "[]]}}", 10000000},
        {"{\"added_tokens\":[", "{},", "{}],\"model\":{\"type\":\"BPE\",\"vocab\":{\"a\":0}}}", 10000000},
        {"", "[", "", 30000000},
        {"", "\n", "", 30000000},
        {"", "YQ== 0\n", "", 4000000},
        {"YQ==", " ", "0\n", 30000000},
        {"", "A", "= 0\n", 30000000},
    };
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        size_t length;
        test_memory *memory = test_memory_create();
        char *text = repeated(files[i].before, files[i].piece, files[i].count, files[i].after, &length);
        test_context("a file of %s", files[i].piece);
        EXPECT_FALSE(try_text(text, length, NULL, 0, memory));
        free(text);
    }
}

/* --- long tokens -------------------------------------------------------------------------------------------------- */

enum { BYTES = 256, LONGEST = 65535 };

/* All bytes, a stop token, and `piece` again and again up to `length` bytes; the caller frees. */
static weir_status long_vocab(const char *piece, uint32_t length, weir_vocab **vocab, weir_error *error) {
    static const uint32_t stop = BYTES;
    uint8_t bytes[BYTES], *text = malloc(length);
    weir_token tokens[BYTES + 2];
    weir_vocab_options options = with_stop(&stop, 1);
    for (uint32_t i = 0; i < BYTES; i++) {
        bytes[i] = (uint8_t)i;
        tokens[i] = (weir_token){&bytes[i], 1, 0};
    }
    for (uint32_t i = 0; i < length; i++) text[i] = (uint8_t)piece[i % strlen(piece)];
    tokens[BYTES] = (weir_token)CONTROL("</s>");
    tokens[BYTES + 1] = (weir_token){text, length, 0};
    weir_status status = weir_vocab_create(tokens, BYTES + 2, &options, vocab, error);
    free(text);
    return status;
}

static bool is_allowed(weir_matcher *matcher, uint32_t token) {
    uint32_t words[BYTES / 32 + 1];
    EXPECT_EQ(weir_matcher_fill_mask(matcher, words, COUNT(words), NULL), WEIR_OK);
    return (words[token / 32] >> token % 32 & 1) != 0;
}

/* The long token is allowed at the start, and behind a quote, where the matcher accepts it. */
static uint32_t try_long(const weir_vocab *vocab, const char *schema, weir_whitespace whitespace) {
    weir_grammar_options options = WEIR_GRAMMAR_OPTIONS_INIT;
    weir_grammar *grammar = NULL;
    weir_matcher *matcher = NULL;
    weir_error error = {WEIR_OK, 0, -1, "", ""};
    uint32_t allowed_count = 0;
    options.whitespace = whitespace;
    weir_status status = weir_grammar_from_json_schema(vocab, schema, strlen(schema), &options, &grammar, &error);
    EXPECT_TRUE(status == WEIR_OK || (status == WEIR_ERROR_LIMIT && error.message[0] != '\0'));
    for (uint32_t quoted = 0; quoted < 2 && status == WEIR_OK; quoted++) {
        EXPECT_EQ(weir_matcher_create(grammar, NULL, &matcher, &error), WEIR_OK);
        if (!quoted || weir_matcher_accept(matcher, '"', NULL) == WEIR_OK) {
            const bool allowed = is_allowed(matcher, BYTES + 1);
            EXPECT_EQ(weir_matcher_accept(matcher, BYTES + 1, NULL) == WEIR_OK, allowed);
            allowed_count += allowed;
        }
        weir_matcher_destroy(matcher);
    }
    weir_grammar_destroy(grammar);
    return allowed_count;
}

static const char *const pieces[] = {" ", "[", "a", "7", "\\n", "[[],", "\xf0\x9f\x98\x80", "\n\t", "{\"a\":"};

static void try_pieces(uint32_t characters, uint32_t *allowed_count) {
    static const char *const schemas[] = {
        "true", "{\"type\":\"string\"}", "{\"type\":\"string\",\"pattern\":\"^[a-z\\n\xf0\x9f\x98\x80]*$\"}", "{\"type\":\"number\"}",
        "{\"type\":\"string\",\"pattern\":\"^(a|aa7)*x\",\"maxLength\":100000}",
        "{\"type\":\"array\",\"items\":{\"$ref\":\"#\"},\"minItems\":1}", "{\"enum\":[\"aaaaaaaaaaaaaaaaaaaa\",\"aab\",[[]]]}",
        "{\"properties\":{\"a\":{\"$ref\":\"#\"}},\"required\":[\"a\"],\"additionalProperties\":false}",
    };
    for (uint32_t p = 0; p < COUNT(pieces); p++) {
        weir_vocab *vocab;
        weir_error error = {WEIR_OK, 0, -1, "", ""};
        const uint32_t length = (uint8_t)*pieces[p] < 0x80 ? characters : 4 * characters;
        ASSERT_EQ(long_vocab(pieces[p], length < LONGEST ? length : LONGEST, &vocab, &error), WEIR_OK);
        EXPECT_EQ(count_trie_faults(vocab), 0);
        EXPECT_EQ(vocab->report.long_count, characters > 255);
        for (uint32_t i = 0; i < COUNT(schemas); i++) {
            test_context("%u characters of %s under %s", characters, pieces[p], schemas[i]);
            *allowed_count += try_long(vocab, schemas[i], WEIR_WHITESPACE_ANY);
            *allowed_count += try_long(vocab, schemas[i], WEIR_WHITESPACE_COMPACT);
        }
        weir_vocab_destroy(vocab);
    }
}

TEST(hostile_vocab, tokens_of_up_to_255_characters_are_allowed_and_longer_ones_never) {
    uint32_t allowed = 0, before;
    try_pieces(255, &allowed);
    EXPECT_GE(allowed, 20);
    before = allowed;
    try_pieces(256, &allowed);
    try_pieces(LONGEST, &allowed);
    EXPECT_EQ(allowed, before);
}

static void *compile_on_a_small_stack(void *allowed_count) {
    try_pieces(255, allowed_count);
    return NULL;
}

/* No walk over tokens is as deep as they are long: a thread of a service may have a small stack. */
TEST(hostile_vocab, long_tokens_need_no_deep_stack) {
    enum { STACK = 512 << 10 }; /* of which sanitizers need most */
    pthread_attr_t attributes;
    pthread_t thread;
    uint32_t allowed = 0;
    ASSERT_EQ(pthread_attr_init(&attributes), 0);
    ASSERT_EQ(pthread_attr_setstacksize(&attributes, STACK), 0);
    ASSERT_EQ(pthread_create(&thread, &attributes, compile_on_a_small_stack, &allowed), 0);
    ASSERT_EQ(pthread_join(thread, NULL), 0);
    pthread_attr_destroy(&attributes);
    EXPECT_GE(allowed, 20);
}

/* The lexicon keeps what stands behind each quote of a token: the square of its length. */
TEST(hostile_vocab, many_long_tokens_of_quotes_are_refused_by_name) {
    enum { QUOTES = 255, TOKENS = 600, BEHIND = QUOTES * (QUOTES - 1) / 2, MOST = 1 << 24 };
    char text[QUOTES], token[32];
    weir_token tokens[TOKENS];
    weir_vocab *vocab;
    weir_error error;
    memset(text, '"', QUOTES);
    for (uint32_t i = 0; i < TOKENS; i++) tokens[i] = (weir_token){text, QUOTES, 0};
    ASSERT_EQ(weir_vocab_create(tokens, TOKENS, NULL, &vocab, &error), WEIR_ERROR_VOCAB);
    EXPECT_NULL(vocab);
    snprintf(token, sizeof token, "token %d,", MOST / BEHIND);
    EXPECT_NOT_NULL(strstr(error.message, token));
    ASSERT_EQ(weir_vocab_create(tokens, MOST / BEHIND, NULL, &vocab, &error), WEIR_OK);
    weir_vocab_destroy(vocab);
}

/* --- a real one --------------------------------------------------------------------------------------------------- */

TEST(hostile_vocab, a_real_rank_file_cut_or_flipped_anywhere_is_refused_or_whole) {
    char path[1024];
    size_t length;
    test_memory *memory = test_memory_create();
    char *text = test_read_file(test_data("tokenizers/gpt2_r50k_base.tiktoken", path, sizeof path), &length);
    uint64_t random = 88172645463325252;
    for (int i = 0; i < 24 && !test_has_failed(); i++) {
        random ^= random << 13, random ^= random >> 7, random ^= random << 17;
        size_t at = (size_t)(random >> 16) % length;
        if (i % 2 == 0) {
            text[at] ^= (char)(1 << (random >> 8) % 8);
            try_text(text, length, NULL, 0, memory);
            text[at] ^= (char)(1 << (random >> 8) % 8);
        } else {
            try_text(text, at, NULL, 0, memory);
        }
    }
    free(text);
}
