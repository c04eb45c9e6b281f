/* test_vocab_hostile.c - damaged and lying vocabulary files: an error or a sound vocabulary, in bounded memory. */
#include "vocab_files.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { KIND_COUNT = 5 };

/* A small file of each kind, and its companion (NULL: none). */
static const char *sample(uint32_t kind, file_bytes *file) {
    static const char pairs[] = "{\"\xc4\xa0x\": 0, \"\xc3\xbc\": 1, \"</s>\": 3}";
    const char *text = kind == 0 ? small_tiktoken : kind == 1 ? byte_level : pairs;
    file->length = 0;
    if (kind < 3) append(file, text, strlen(text));
    if (kind == 3) small_model(file);
    if (kind == 4) small_gguf(file);
    return kind == 0 ? small_meta : kind == 1 ? stop_is_e : kind == 2 ? "{\"eos_token\": \"</s>\"}" : NULL;
}

/* Reads what may be damaged; it must be refused cleanly or be a vocabulary without faults. */
static void read_damaged(const file_bytes *file, const char *meta, test_memory *memory) {
    const weir_allocator allocator = test_allocator(memory);
    weir_vocab_options options = WEIR_VOCAB_OPTIONS_INIT;
    options.allocator = &allocator;
    weir_vocab *vocab = (weir_vocab *)1;
    weir_error error;
    const weir_status status = from_bytes(file, meta, &options, &vocab, &error);
    EXPECT_EQ(vocab != NULL, status == WEIR_OK);
    if (status == WEIR_OK) {
        EXPECT_EQ(count_trie_faults(vocab), 0);
    } else {
        EXPECT_TRUE(status == WEIR_ERROR_VOCAB || status == WEIR_ERROR_JSON || status == WEIR_ERROR_FILE);
        EXPECT_GT(strlen(error.message), 10);
        EXPECT_LE(error.byte, (int64_t)file->length);
    }
    weir_vocab_destroy(vocab);
    EXPECT_EQ(memory->live_blocks, 0);
}

TEST(vocab_hostile, files_cut_anywhere_are_refused_or_sound) {
    static file_bytes file;
    test_memory *memory = test_memory_create();
    for (uint32_t kind = 0; kind < KIND_COUNT; ++kind) {
        const char *meta = sample(kind, &file);
        for (const size_t whole = file.length; file.length > 0 && !test_has_failed();) {
            --file.length;
            test_context("kind %u, %zu of %zu bytes", kind, file.length, whole);
            read_damaged(&file, meta, memory);
        }
    }
    EXPECT_LT(memory->peak_bytes, 64 << 20);
    EXPECT_GT(memory->calls, 500);
}

TEST(vocab_hostile, every_single_flipped_bit_is_refused_or_sound) {
    static file_bytes file;
    test_memory *memory = test_memory_create();
    for (uint32_t kind = 0; kind < KIND_COUNT; ++kind) {
        const char *meta = sample(kind, &file);
        for (size_t bit = 0; bit < 8 * file.length && !test_has_failed(); ++bit) {
            test_context("kind %u, bit %zu", kind, bit);
            file.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
            read_damaged(&file, meta, memory);
            file.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        }
    }
    EXPECT_LT(memory->peak_bytes, 256 << 20); /* a flipped id may be large */
}

TEST(vocab_hostile, random_damage_is_refused_or_sound) {
    static file_bytes file;
    test_memory *memory = test_memory_create();
    uint64_t seed = 11;
    for (uint32_t round = 0; round < 3000 && !test_has_failed(); ++round) {
        test_context("round %u", round);
        const char *meta = sample(round % KIND_COUNT, &file);
        for (uint32_t damage = 0; damage < 1 + round % 7; ++damage) {
            seed = seed * 6364136223846793005u + 1442695040888963407u;
            file.bytes[(seed >> 33) % file.length] = (uint8_t)(seed >> 24);
            if (damage == 5) file.length = 1 + (seed >> 40) % file.length;
        }
        read_damaged(&file, meta, memory);
    }
}

/* One damaged byte in each of many places of a real file. */
static void damage_real_file(const char *relative, const char *meta, uint32_t rounds) {
    char path[1024];
    size_t length;
    uint64_t seed = 5;
    char *text = test_read_file(test_data(relative, path, sizeof path), &length);
    for (uint32_t round = 0; round < rounds && !test_has_failed(); ++round) {
        test_context("%s, round %u", relative, round);
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        const size_t at = (size_t)(seed >> 20) % length, cut = round % 3 == 0 ? at : length;
        const char kept = text[at];
        text[at] = (char)(seed >> 12);
        weir_vocab *vocab = (weir_vocab *)1;
        weir_error error;
        const weir_status status = weir_vocab_from_memory(text, cut, meta, strlen(meta), NULL, &vocab, &error);
        EXPECT_EQ(vocab != NULL, status == WEIR_OK);
        if (status != WEIR_OK) EXPECT_TRUE(status == WEIR_ERROR_VOCAB || status == WEIR_ERROR_JSON);
        weir_vocab_destroy(vocab);
        text[at] = kept;
    }
    free(text);
}

TEST(vocab_hostile, damaged_real_files_are_refused_or_read) {
    damage_real_file("tokenizers/original/mistral_v1.tokenizer.model", "{\"eos_ids\": [2]}", 60);
    damage_real_file("tokenizers/original/phi3_mini.vocab.gguf", "{\"eos_ids\": [2]}", 60);
    damage_real_file("tokenizers/original/added_tokens_only.tokenizer.json", "{\"eos_ids\": [2]}", 60);
}

TEST(vocab_hostile, deep_nesting_is_refused) {
    enum { DEPTH = 100000 };
    char *text = malloc(DEPTH + 64);
    if (!text) FAIL("no memory");
    const int head = snprintf(text, 64, "{\"model\": {\"vocab\": {}}, \"decoder\": ");
    memset(text + head, '[', DEPTH);
    weir_vocab *vocab = (weir_vocab *)1;
    weir_error error;
    const weir_status status = weir_vocab_from_memory(text, (size_t)head + DEPTH, NULL, 0, NULL, &vocab, &error);
    EXPECT_NE(status, WEIR_OK);
    EXPECT_NULL(vocab);
    EXPECT_LE(error.byte, head + 600);
    free(text);
}

TEST(vocab_hostile, memory_is_bounded_whatever_the_file_claims) {
    const size_t length = (size_t)24 << 20;
    test_memory *memory = test_memory_create();
    const weir_allocator allocator = test_allocator(memory);
    weir_vocab_options options = WEIR_VOCAB_OPTIONS_INIT;
    options.allocator = &allocator;
    char *text = malloc(length);
    if (!text) FAIL("no memory");
    memset(text, '0', length);
    for (size_t i = 1; i < length; i += 2) text[i] = ',';
    memcpy(text, "{\"a\":[", 6); /* twelve million numbers */
    weir_vocab *vocab = (weir_vocab *)1;
    weir_error error;
    EXPECT_STATUS(weir_vocab_from_memory(text, length, NULL, 0, &options, &vocab, &error), WEIR_ERROR_LIMIT, &error);
    EXPECT_NULL(vocab);
    EXPECT_LT(memory->peak_bytes, (size_t)512 << 20);
    free(text);
    /* the highest id alone: two million holes */
    EXPECT_OK(weir_vocab_from_memory("YQ== 2097151\n", 13, "{\"eos_ids\": [0]}", 16, &options, &vocab, &error), &error);
    EXPECT_LT(memory->peak_bytes, (size_t)512 << 20);
    weir_vocab_destroy(vocab);
}
