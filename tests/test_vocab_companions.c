/* test_vocab_companions.c - vocab.json, and the files beside a vocabulary: added tokens, special tokens, stop ids. */
#include "vocab_files.h"

#include <stdio.h>
#include <string.h>

static const char pairs[] = "{\"\xc4\xa0x\": 0, \"\xc3\xbc\": 1, \"model\": 2, \"</s>\": 3, \"vocab_file\": 4}";

TEST(vocab_json, texts_are_byte_level_and_added_tokens_are_plain) {
    weir_vocab *vocab;
    weir_error error;
    const char *config = "{\"eos_token\": \"</s>\", \"added_tokens_decoder\": {\"1\": {\"content\": \"\xc3\xbc\", "
                         "\"special\": false}, \"6\": {\"content\": \"\xc3\xbc\"}}}";
    ASSERT_OK(from_text(pairs, "{\"eos_token_id\": 3}", NULL, &vocab, &error), &error);
    EXPECT_TRUE(TOKEN_IS(vocab, 0, " x"));
    EXPECT_TRUE(TOKEN_IS(vocab, 1, "\xfc"));
    EXPECT_TRUE(TOKEN_IS(vocab, 2, "model"));
    EXPECT_TRUE(TOKEN_IS(vocab, 4, "vocab_file"));
    EXPECT_EQ(vocab->stop_ids[0], 3);
    weir_vocab_destroy(vocab);
    ASSERT_OK(from_text(pairs, config, NULL, &vocab, &error), &error);
    EXPECT_TRUE(TOKEN_IS(vocab, 1, "\xc3\xbc")); /* the configuration knows better: an added token is literal text */
    EXPECT_TRUE(TOKEN_IS(vocab, 6, "\xc3\xbc"));
    EXPECT_EQ(vocab->report.hole_count, 1);
    EXPECT_EQ(vocab->stop_ids[0], 3);
    EXPECT_EQ(count_trie_faults(vocab), 0);
    weir_vocab_destroy(vocab);
}

TEST(vocab_json, what_is_not_byte_level_is_refused) {
    static const struct {
        const char *text, *pointer, *message;
    } cases[] = {
        {"{\"a\": 0, \"\xe2\x96\x81the\": 1}", "/\xe2\x96\x81the", "nothing says which bytes"},
        {"{\"a</w>\": 0, \"b\": 1, \"c</w>\": 2}", "/a<~1w>", "end of a word"},
        {"{\"a\": 0, \"b\": 0}", "/b", "a second time"},
        {"{\"a\": 0, \"b\": 2097152}", "/b", "token id"},
        {"{\"a\": 0, \"b\": 1, \"c\": \"2\"}", "/c", "token id"},
    };
    for (uint32_t i = 0; i < COUNT(cases); ++i) {
        test_context("case %u", i);
        weir_vocab *vocab = (weir_vocab *)1;
        weir_error error;
        EXPECT_STATUS(from_text(cases[i].text, "{\"eos_ids\": [0]}", NULL, &vocab, &error), WEIR_ERROR_VOCAB, &error);
        EXPECT_NULL(vocab);
        EXPECT_STREQ(error.pointer, cases[i].pointer);
        EXPECT_CONTAINS(error.message, cases[i].message);
    }
    weir_vocab *vocab; /* and an added token explains itself */
    weir_error error;
    ASSERT_OK(from_text(cases[0].text,
                        "{\"eos_token\": \"a\", \"added_tokens_decoder\": {\"1\": {\"content\": "
                        "\"\xe2\x96\x81the\"}}}",
                        NULL, &vocab, &error),
              &error);
    EXPECT_TRUE(TOKEN_IS(vocab, 1, "\xe2\x96\x81the"));
    weir_vocab_destroy(vocab);
}

TEST(vocab_companions, stop_ids_are_collected_from_every_file_beside_the_vocabulary) {
    static const char *const names[] = {"vocab.json", "tokenizer_config.json", "special_tokens_map.json",
                                        "generation_config.json", "tokenizer.model"};
    folder folder;
    file_bytes model;
    weir_vocab *vocab;
    weir_error error;
    folder_make(&folder);
    small_model(&model);
    put_text(&folder, "vocab.json", pairs);
    put(&folder, "tokenizer.model", model.bytes, model.length);
    ASSERT_OK(weir_vocab_load(file_in(&folder, "tokenizer.model"), NULL, &vocab, &error), &error);
    EXPECT_EQ(vocab->stop_ids[0], 2); /* its own */
    weir_vocab_destroy(vocab);
    EXPECT_STATUS(weir_vocab_load(file_in(&folder, "vocab.json"), NULL, &vocab, &error), WEIR_ERROR_VOCAB, &error);
    EXPECT_CONTAINS(error.message, "no stop id is known; expected one in the options or in tokenizer_config.json or "
                                   "generation_config.json");
    put_text(&folder, "special_tokens_map.json", "{\"eos_token\": {\"content\": \"</s>\"}}");
    ASSERT_OK(weir_vocab_load(file_in(&folder, "vocab.json"), NULL, &vocab, &error), &error);
    EXPECT_EQ(vocab->stop_count, 1);
    EXPECT_EQ(vocab->stop_ids[0], 3);
    weir_vocab_destroy(vocab);
    put_text(&folder, "tokenizer_config.json", "{\"eos_token\": \"</s>\"}");
    put_text(&folder, "generation_config.json", "{\"eos_token_id\": [4, 3], \"temperature\": 0.7}");
    ASSERT_OK(weir_vocab_load(file_in(&folder, "vocab.json"), NULL, &vocab, &error), &error);
    EXPECT_EQ(vocab->stop_count, 2);
    EXPECT_EQ(vocab->stop_ids[0], 3);
    EXPECT_EQ(vocab->stop_ids[1], 4);
    EXPECT_TRUE(weir_vocab_is_special(vocab, 4));
    weir_vocab_destroy(vocab);
    put_text(&folder, "generation_config.json", "{\"eos_token_id\": -1}");
    EXPECT_STATUS(weir_vocab_load(file_in(&folder, "vocab.json"), NULL, &vocab, &error), WEIR_ERROR_VOCAB, &error);
    EXPECT_CONTAINS(error.message, "generation_config.json: stop id");
    EXPECT_STREQ(error.pointer, "/eos_token_id");
    folder_remove(&folder, names, COUNT(names));
}

TEST(vocab_companions, files_of_one_name_stand_together) {
    static const char *const names[] = {"m.gguf", "m.vocab.json", "m.model", "m.tokenizer.model",
                                        "m.generation_config.json"};
    folder folder;
    static file_bytes file;
    folder_make(&folder);
    small_gguf(&file);
    put(&folder, "m.gguf", file.bytes, file.length);
    small_model(&file);
    put(&folder, "m.model", file.bytes, file.length);
    put(&folder, "m.tokenizer.model", file.bytes, file.length);
    put_text(&folder, "m.vocab.json", pairs);
    put_text(&folder, "m.generation_config.json", "{\"eos_token_id\": 0}");
    for (uint32_t i = 0; i < 4; ++i) {
        test_context("%s", names[i]);
        weir_vocab *vocab;
        weir_error error;
        ASSERT_OK(weir_vocab_load(file_in(&folder, names[i]), NULL, &vocab, &error), &error);
        EXPECT_EQ(vocab->stop_count, 1);
        EXPECT_EQ(vocab->stop_ids[0], 0);
        weir_vocab_destroy(vocab);
    }
    folder_remove(&folder, names, COUNT(names));
}

TEST(vocab_companions, tokens_named_special_are_special_but_for_padding) {
    weir_vocab *vocab;
    weir_error error;
    ASSERT_OK(from_text(small_tiktoken,
                        "{\"eos_token\": \"bc\", \"bos_token\": \"a\", \"pad_token\": \"\\\"},\", "
                        "\"additional_special_tokens\": [{\"content\": \"\"}, \"unheard of\"]}",
                        NULL, &vocab, &error),
              &error);
    EXPECT_TRUE(weir_vocab_is_special(vocab, 0));
    EXPECT_TRUE(weir_vocab_is_special(vocab, 2));
    EXPECT_TRUE(weir_vocab_is_special(vocab, 4));
    EXPECT_FALSE(weir_vocab_is_special(vocab, 1)); /* models pad with an ordinary token */
    EXPECT_EQ(count_trie_faults(vocab), 0);
    weir_vocab_destroy(vocab);
    EXPECT_STATUS(from_text(small_tiktoken, "{\"additional_special_tokens\": [1]}", NULL, &vocab, &error),
                  WEIR_ERROR_VOCAB, &error);
    EXPECT_STREQ(error.pointer, "/additional_special_tokens/0");
}

TEST(vocab_companions, failing_any_one_allocation_is_clean) {
    static const char *const names[] = {"vocab.json", "tokenizer_config.json", "generation_config.json"};
    folder folder;
    folder_make(&folder);
    put_text(&folder, "vocab.json", pairs);
    put_text(&folder, "tokenizer_config.json", "{\"eos_token\": \"</s>\", \"additional_special_tokens\": [\"model\"]}");
    put_text(&folder, "generation_config.json", "{\"eos_token_id\": [4, 3, 4, 3, 4, 3, 4, 3, 4]}");
    test_memory *memory = test_memory_create();
    const weir_allocator allocator = test_allocator(memory);
    weir_vocab_options options = WEIR_VOCAB_OPTIONS_INIT;
    options.allocator = &allocator;
    while (test_next_failure(memory)) {
        weir_vocab *vocab = (weir_vocab *)1;
        weir_error error;
        const weir_status status = weir_vocab_load(file_in(&folder, "vocab.json"), &options, &vocab, &error);
        EXPECT_STATUS(status, memory->failed ? WEIR_ERROR_MEMORY : WEIR_OK, &error);
        EXPECT_EQ(vocab != NULL, status == WEIR_OK);
        weir_vocab_destroy(vocab);
    }
    folder_remove(&folder, names, COUNT(names));
}

TEST(vocab_huggingface, unigram_with_byte_fallback_by_the_models_own_word) {
    weir_vocab *vocab;
    weir_error error;
    const char *text = "{\"decoder\": {\"type\": \"Metaspace\"}, \"model\": {\"type\": \"Unigram\", \"byte_fallback\": "
                       "true, \"unk_id\": 0, \"vocab\": [[\"<unk>\", 0.0], [\"<0x0A>\", 0], [\"▁a\", -3.5e0]]}}";
    ASSERT_OK(from_text(text, "{\"eos_ids\": [0]}", NULL, &vocab, &error), &error);
    EXPECT_TRUE(TOKEN_IS(vocab, 1, "\n"));
    EXPECT_TRUE(TOKEN_IS(vocab, 2, " a"));
    weir_vocab_destroy(vocab);
}

TEST(vocab_huggingface, decoders_that_nobody_knows_are_refused) {
    static const char *const decoders[] = {
        "{\"type\": \"Reverse\"}",
        "{}",
        "{\"type\": \"WordPiece\", \"prefix\": \"##\"}",
        "{\"type\": \"Sequence\", \"decoders\": [{\"type\": \"ByteLevel\"}, {\"type\": \"Replace\", \"pattern\": "
        "{\"String\": \"a\"}, \"content\": \"b\"}]}",
        "{\"type\": \"Sequence\", \"decoders\": [{\"type\": \"Metaspace\"}, {\"type\": \"Strip\", \"content\": \" \", "
        "\"start\": 1, \"stop\": 0}]}", /* without Fuse it strips every token */
    };
    for (uint32_t i = 0; i < COUNT(decoders); ++i) {
        test_context("case %u", i);
        char text[512];
        snprintf(text, sizeof text, "{\"decoder\": %s, \"model\": {\"vocab\": {\"a\": 0, \"e\": 1}}}", decoders[i]);
        weir_vocab *vocab = (weir_vocab *)1;
        weir_error error;
        EXPECT_STATUS(from_text(text, "{\"eos_ids\": [1]}", NULL, &vocab, &error), WEIR_ERROR_VOCAB, &error);
        EXPECT_NULL(vocab);
        EXPECT_CONTAINS(error.pointer, "/decoder");
        EXPECT_CONTAINS(error.message, "different bytes in different places");
    }
}
