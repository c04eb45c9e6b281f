/* test_vocab_gguf.c - GGUF metadata: kinds of tokens, padding, stop ids, and sizes that lie. */
#include "vocab_files.h"

#include <string.h>
#include <unistd.h>

TEST(vocab_gguf, types_say_what_a_token_writes_and_padding_is_a_hole) {
    static file_bytes file;
    weir_vocab *vocab;
    weir_error error;
    small_gguf(&file);
    ASSERT_OK(from_bytes(&file, NULL, NULL, &vocab, &error), &error);
    EXPECT_EQ(weir_vocab_token_count(vocab), 5);
    EXPECT_EQ(weir_vocab_logits_width(vocab), 7); /* as many columns as tokens in the file */
    EXPECT_TRUE(TOKEN_IS(vocab, 2, "\n"));
    EXPECT_TRUE(TOKEN_IS(vocab, 3, " a"));
    EXPECT_TRUE(weir_vocab_is_special(vocab, 0));
    EXPECT_EQ(vocab->stop_count, 2);
    EXPECT_EQ(vocab->stop_ids[0], 1);
    EXPECT_EQ(vocab->stop_ids[1], 4);
    EXPECT_EQ(count_trie_faults(vocab), 0);
    weir_vocab_destroy(vocab);
    ASSERT_OK(from_bytes(&file, "{\"eos_ids\": [4], \"vocab_size\": 5}", NULL, &vocab, &error), &error);
    EXPECT_EQ(weir_vocab_logits_width(vocab), 7);
    EXPECT_EQ(vocab->stop_count, 1);
    weir_vocab_destroy(vocab);
}

TEST(vocab_gguf, padding_is_known_by_its_own_id) {
    static const char *const texts[] = {"[PAD1]", "[PAD1]", "[PAD02]", "</s>"};
    static const uint32_t types[] = {1, 5, 1, 3};
    static file_bytes file;
    weir_vocab *vocab;
    weir_error error;
    gguf_header(&file, 4);
    append_text_pair(&file, "model", "llama");
    append_tokens(&file, texts, types, 4);
    append_number_pair(&file, "eos_token_id", 3);
    ASSERT_OK(from_bytes(&file, NULL, NULL, &vocab, &error), &error);
    EXPECT_TRUE(TOKEN_IS(vocab, 0, "[PAD1]"));
    EXPECT_TRUE(TOKEN_IS(vocab, 2, "[PAD02]"));
    EXPECT_EQ(vocab->report.hole_count, 1);
    EXPECT_TRUE(TOKEN_IS(vocab, 1, ""));
    weir_vocab_destroy(vocab);
}

TEST(vocab_gguf, byte_level_maps_ordinary_tokens_and_no_others) {
    /* U+00FC is the byte FC where it is an ordinary token, and itself where a user defined it */
    static const char *const texts[] = {"\xc4\xa0x", "\xc3\xbc", "\xc3\xbc", "<|end|>", "\xe4\xb8\xad", "<0x41>"};
    static const uint32_t types[] = {1, 1, 4, 3, 1, 1};
    static file_bytes file;
    weir_vocab *vocab;
    weir_error error;
    gguf_header(&file, 4);
    append_text_pair(&file, "model", "gpt2");
    append_tokens(&file, texts, types, COUNT(texts));
    append_number_pair(&file, "eos_token_id", 3);
    ASSERT_OK(from_bytes(&file, NULL, NULL, &vocab, &error), &error);
    EXPECT_TRUE(TOKEN_IS(vocab, 0, " x"));
    EXPECT_TRUE(TOKEN_IS(vocab, 1, "\xfc"));
    EXPECT_TRUE(TOKEN_IS(vocab, 2, "\xc3\xbc"));
    EXPECT_TRUE(TOKEN_IS(vocab, 5, "<0x41>"));
    EXPECT_TRUE(weir_vocab_is_special(vocab, 4)); /* outside the alphabet: nobody knows what it writes */
    EXPECT_EQ(vocab->report.undecoded_count, 1);
    EXPECT_EQ(vocab->report.special_count, 2);
    EXPECT_EQ(count_trie_faults(vocab), 0);
    weir_vocab_destroy(vocab);
}

TEST(vocab_gguf, pairs_come_in_any_order_and_of_any_type) {
    static const char *const texts[] = {"a", "</s>"};
    static const uint32_t types[] = {1, 3};
    static const uint8_t sizes[] = {1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8};
    static file_bytes file;
    weir_vocab *vocab;
    weir_error error;
    gguf_header(&file, 3 + 1 + 22);
    append_number_pair(&file, "eos_token_id", 1);
    append_number_pair(&file, "eot_token_id", UINT32_MAX); /* none */
    for (uint32_t type = 0; type < 13; ++type) {
        if (sizes[type] == 0) continue;
        append_key(&file, "other", type);
        append_number(&file, 1, sizes[type]);
        append_key(&file, "others", 9);
        append_number(&file, type, 4);
        append_number(&file, 2, 8);
        for (uint32_t i = 0; i < 2; ++i) append_number(&file, 0, sizes[type]);
    }
    append_tokens(&file, texts, types, 2);
    file.bytes[16] = 3 + 22 + 2; /* the model below */
    append_text_pair(&file, "model", "t5");
    ASSERT_OK(from_bytes(&file, NULL, NULL, &vocab, &error), &error);
    EXPECT_EQ(vocab->stop_count, 1);
    EXPECT_EQ(vocab->stop_ids[0], 1);
    weir_vocab_destroy(vocab);
}

TEST(vocab_gguf, of_a_whole_model_only_the_front_is_read) {
    static const char *const names[] = {"model.gguf"};
    static file_bytes file;
    folder folder;
    weir_vocab *vocab;
    weir_error error;
    folder_make(&folder);
    small_gguf(&file);
    put(&folder, "model.gguf", file.bytes, file.length);
    if (truncate(file_in(&folder, "model.gguf"), (off_t)1 << 30) != 0) SKIP("no sparse file of 1 GiB here");
    ASSERT_OK(weir_vocab_load(folder.file, NULL, &vocab, &error), &error);
    EXPECT_EQ(weir_vocab_token_count(vocab), 5);
    weir_vocab_destroy(vocab);
    folder_remove(&folder, names, 1);
}

static void expect_refusal(const file_bytes *file, const char *message) {
    weir_vocab *vocab = (weir_vocab *)1;
    weir_error error;
    EXPECT_STATUS(from_bytes(file, NULL, NULL, &vocab, &error), WEIR_ERROR_VOCAB, &error);
    EXPECT_NULL(vocab);
    EXPECT_CONTAINS(error.message, message);
    EXPECT_GE(error.byte, 0);
    EXPECT_LE(error.byte, (int64_t)file->length);
}

TEST(vocab_gguf, what_does_not_tell_its_tokens_is_refused) {
    static const char *const texts[] = {"a", "</s>"};
    static const uint32_t types[] = {1, 3}, odd[] = {1, 7};
    static file_bytes file;
    gguf_header(&file, 0);
    expect_refusal(&file, "tokenizer.ggml.model");
    gguf_header(&file, 1);
    append_text_pair(&file, "model", "bert");
    expect_refusal(&file, "is \"bert\"");
    gguf_header(&file, 1);
    append_text_pair(&file, "model", "gpt2");
    expect_refusal(&file, "tokenizer.ggml.tokens");
    append_key(&file, "tokens", 9);
    append_number(&file, 8, 4);
    append_number(&file, 1, 8);
    append_string(&file, "a");
    file.bytes[16] = 2;
    expect_refusal(&file, "tokenizer.ggml.token_type");
    append_key(&file, "token_type", 9);
    append_number(&file, 5, 4);
    append_number(&file, 2, 8);
    append_number(&file, 0, 8);
    file.bytes[16] = 3;
    expect_refusal(&file, "has 2 elements; expected one for each of 1 tokens");
    gguf_header(&file, 3);
    append_text_pair(&file, "model", "gpt2");
    append_tokens(&file, texts, odd, 2);
    expect_refusal(&file, "token 1 has type 7");
    gguf_header(&file, 4);
    append_text_pair(&file, "model", "gpt2");
    append_tokens(&file, texts, types, 2);
    append_number_pair(&file, "eos_token_id", 2);
    expect_refusal(&file, "eos_token_id is 2; expected one of 2 tokens");
    gguf_header(&file, 2);
    append_text_pair(&file, "model", "gpt2");
    append_text_pair(&file, "model", "gpt2");
    expect_refusal(&file, "a second time");
}

TEST(vocab_gguf, sizes_that_lie_are_refused_before_anything_is_allocated) {
    static file_bytes file;
    static const uint64_t counts[] = {5, 1u << 20, UINT32_MAX, UINT64_MAX / 8 + 2, UINT64_MAX};
    for (uint32_t i = 0; i < COUNT(counts); ++i) {
        test_context("count %u", i);
        gguf_header(&file, counts[i]);
        expect_refusal(&file, "more metadata pairs are claimed");
        gguf_header(&file, 1);
        append_number(&file, counts[i], 8); /* the key's length */
        append(&file, "abcd1234", 8);
        if (i > 0) expect_refusal(&file, "are claimed; ");
        for (uint32_t type = 0; type < 15; ++type) {
            gguf_header(&file, 1);
            append_key(&file, "tokens", 9);
            append_number(&file, type, 4);
            append_number(&file, counts[i], 8);
            expect_refusal(&file, type == 9 ? "an array of arrays" : type > 12 ? "unknown type" : "are claimed; ");
        }
    }
    test_context(NULL);
    gguf_header(&file, 0);
    file.bytes[4] = 1;
    expect_refusal(&file, "GGUF version 1; expected 2 or 3");
    memcpy(file.bytes + 4, "\0\0\0\3", 4);
    expect_refusal(&file, "big-endian");
}
