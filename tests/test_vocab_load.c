/* test_vocab_load.c - vocabulary files: tiktoken, tokenizer.json, their companions, gzip; what each error names. */
#include "vocab_helpers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- tiktoken ------------------------------------------------------------------------------------------------- */

TEST(vocab_tiktoken, lines_become_tokens_and_the_meta_names_the_rest) {
    weir_vocab *vocab;
    weir_error error;
    ASSERT_OK(from_text(small_tiktoken, small_meta, NULL, &vocab, &error), &error);
    EXPECT_EQ(weir_vocab_token_count(vocab), 8);
    EXPECT_EQ(weir_vocab_logits_width(vocab), 9);
    EXPECT_TRUE(TOKEN_IS(vocab, 0, "a"));
    EXPECT_TRUE(TOKEN_IS(vocab, 1, "\"},"));
    EXPECT_TRUE(TOKEN_IS(vocab, 2, "bc"));
    EXPECT_TRUE(TOKEN_IS(vocab, 4, ""));
    EXPECT_TRUE(TOKEN_IS(vocab, 7, "<e>"));
    EXPECT_TRUE(TOKEN_IS(vocab, 6, "<f>"));
    EXPECT_TRUE(weir_vocab_is_special(vocab, 6));
    EXPECT_EQ(vocab->report.hole_count, 2);
    EXPECT_EQ(vocab->report.empty_count, 1);
    EXPECT_EQ(vocab->report.special_count, 2);
    EXPECT_EQ(count_trie_faults(vocab), 0);
    weir_vocab_destroy(vocab);
    EXPECT_STATUS(from_text(small_tiktoken, NULL, NULL, &vocab, &error), WEIR_ERROR_VOCAB, &error);
    EXPECT_CONTAINS(error.message, "no stop id");
    const uint32_t stop = 3;
    const weir_vocab_options options = with_stop(&stop, 1);
    ASSERT_OK(from_text(small_tiktoken, NULL, &options, &vocab, &error), &error);
    EXPECT_EQ(weir_vocab_logits_width(vocab), 7);
    EXPECT_TRUE(TOKEN_IS(vocab, 6, "\xff\xfe\xfd"));
    EXPECT_EQ(vocab->byte_token['a'], 0);
    EXPECT_EQ(vocab->report.special_count, 1);
    EXPECT_EQ(vocab->report.hole_count, 1); /* 3 is a stop id now, 5 is a hole */
    weir_vocab_destroy(vocab);
    ASSERT_OK(from_text(small_tiktoken, small_meta, &options, &vocab, &error), &error);
    EXPECT_EQ(vocab->stop_count, 1);
    EXPECT_EQ(vocab->stop_ids[0], 3);
    EXPECT_TRUE(weir_vocab_is_special(vocab, 7));
    weir_vocab_destroy(vocab);
}

TEST(vocab_tiktoken, errors_name_the_line_and_the_byte) {
    static const struct {
        const char *text, *message;
        int64_t byte;
    } cases[] = {
        {"YQ== 0\nY!== 1\n", "line 2, column 2", 8},
        {"YQ== 0\nYQ= 1\n", "line 2, column 4", 10},
        {"YQ== 0\nYR== 1\n", "line 2, column 2", 8}, /* bits that no byte holds */
        {"YQ== 0\nY=== 1\n", "line 2, column 2", 8},
        {"YQ==YQ== 0\n", "line 1, column 3", 2},
        {"YQ== 0\nYQ==\n", "line 2, column 5", 11},
        {"YQ== 0\nYQ== \n", "line 2, column 6", 12},
        {"YQ== 0\nYg== x\n", "line 2, column 6", 12},
        {"YQ== 0\nYg== -1\n", "line 2, column 6", 12},
        {"YQ== 0\nYg== 1 \n", "line 2, column 7", 13},
        {"YQ== 2097152\n", "line 1, column 6", 5},
        {"YQ== 99999999999999999999\n", "line 1, column 6", 5},
        {"YQ== 0\nYg== 1\nYw== 0\n", "token id 0 a second time", 19},
        {"hello\n", "line 1, column 6", 5},
        {"\xef\xbb\xbfYQ== 0\n", "line 1, column 1", 0},
        {"", "no tokens", 0},
        {"\n\n", "no tokens", 0},
    };
    for (uint32_t i = 0; i < COUNT(cases); ++i) {
        test_context("case %u", i);
        weir_vocab *vocab = (weir_vocab *)1;
        weir_error error;
        EXPECT_STATUS(from_text(cases[i].text, small_meta, NULL, &vocab, &error), WEIR_ERROR_VOCAB, &error);
        EXPECT_NULL(vocab);
        EXPECT_CONTAINS(error.message, cases[i].message);
        EXPECT_EQ(error.byte, cases[i].byte);
    }
}

TEST(vocab_meta, errors_name_the_pointer) {
    static const struct {
        const char *meta, *pointer;
        weir_status status;
    } cases[] = {
        {"[]", "", WEIR_ERROR_VOCAB},
        {"{\"eos_ids\": [0", "", WEIR_ERROR_JSON},
        {"{\"eos_ids\": 0}", "/eos_ids", WEIR_ERROR_VOCAB},
        {"{\"eos_ids\": [0, \"1\"]}", "/eos_ids/1", WEIR_ERROR_VOCAB},
        {"{\"eos_ids\": [2097152]}", "/eos_ids/0", WEIR_ERROR_VOCAB},
        {"{\"eos_ids\": [-1]}", "/eos_ids/0", WEIR_ERROR_VOCAB},
        {"{\"eos_ids\": []}", "", WEIR_ERROR_VOCAB},
        {"{}", "", WEIR_ERROR_VOCAB},
        {"{\"eos_ids\": [0], \"vocab_size\": 1e9}", "/vocab_size", WEIR_ERROR_VOCAB},
        {"{\"eos_ids\": [0], \"special_tokens\": [1]}", "/special_tokens", WEIR_ERROR_VOCAB},
        {"{\"eos_ids\": [0], \"special_tokens\": {\"a/b\": 1.5}}", "/special_tokens/a~1b", WEIR_ERROR_VOCAB},
        {"{\"eos_token\": 3}", "/eos_token", WEIR_ERROR_VOCAB},
        {"{\"eos_token\": \"nowhere\"}", "/eos_token", WEIR_ERROR_VOCAB},
        {"{\"eos_token\": {\"content\": \"nowhere\"}}", "/eos_token/content", WEIR_ERROR_VOCAB},
        {"{\"added_tokens_decoder\": {\"x\": {\"content\": \"a\"}}}", "/added_tokens_decoder/x", WEIR_ERROR_VOCAB},
        {"{\"added_tokens_decoder\": {\"9999999999\": {\"content\": \"a\"}}}", "/added_tokens_decoder/9999999999",
         WEIR_ERROR_VOCAB},
        {"{\"added_tokens_decoder\": {\"1\": {}}}", "/added_tokens_decoder/1", WEIR_ERROR_VOCAB},
    };
    for (uint32_t i = 0; i < COUNT(cases); ++i) {
        test_context("case %u", i);
        weir_vocab *vocab = (weir_vocab *)1;
        weir_error error;
        EXPECT_STATUS(from_text(small_tiktoken, cases[i].meta, NULL, &vocab, &error), cases[i].status, &error);
        EXPECT_NULL(vocab);
        EXPECT_STREQ(error.pointer, cases[i].pointer);
    }
}

TEST(vocab_meta, tokenizer_config_names_added_tokens_and_the_stop) {
    const char *config =
        "{\"added_tokens_decoder\": {\"0\": {\"content\": \"A\", \"special\": false}, \"2\": {\"content\": "
        "\"<two>\", \"special\": true}, \"8\": {\"content\": \"<end>\", \"special\": true}, \"9\": "
        "{\"content\": \"plain\"}}, \"eos_token\": {\"content\": \"<end>\"}, \"bos_token\": null}";
    weir_vocab *vocab;
    ASSERT_OK(from_text(small_tiktoken, config, NULL, &vocab, NULL), NULL);
    EXPECT_TRUE(TOKEN_IS(vocab, 0, "a"));
    EXPECT_TRUE(TOKEN_IS(vocab, 2, "<two>"));
    EXPECT_TRUE(weir_vocab_is_special(vocab, 2));
    EXPECT_TRUE(TOKEN_IS(vocab, 9, "plain"));
    EXPECT_FALSE(weir_vocab_is_special(vocab, 9));
    EXPECT_EQ(vocab->stop_count, 1);
    EXPECT_EQ(vocab->stop_ids[0], 8);
    EXPECT_EQ(weir_vocab_token_count(vocab), 10);
    weir_vocab_destroy(vocab);
    ASSERT_OK(from_text(small_tiktoken, "{\"eos_token\": \"bc\"}", NULL, &vocab, NULL), NULL);
    EXPECT_EQ(vocab->stop_ids[0], 2);
    EXPECT_EQ(count_trie_faults(vocab), 0); /* plain text, but never as text any more */
    weir_vocab_destroy(vocab);
}

/* --- tokenizer.json ------------------------------------------------------------------------------------------- */

TEST(vocab_huggingface, byte_level_alphabet_is_undone) {
    weir_vocab *vocab;
    ASSERT_OK(from_text(byte_level, stop_is_e, NULL, &vocab, NULL), NULL);
    EXPECT_TRUE(TOKEN_IS(vocab, 0, " a"));
    EXPECT_TRUE(TOKEN_IS(vocab, 1, "\n"));
    EXPECT_TRUE(TOKEN_IS(vocab, 2, "\xff"));
    EXPECT_TRUE(TOKEN_IS(vocab, 3, "\xad\0"));
    EXPECT_TRUE(TOKEN_IS(vocab, 4, "<e>"));
    EXPECT_TRUE(weir_vocab_is_special(vocab, 4));
    EXPECT_TRUE(TOKEN_IS(vocab, 6, " \xc4\xa0"));
    EXPECT_FALSE(weir_vocab_is_special(vocab, 6)); /* added text is plain */
    EXPECT_EQ(vocab->report.hole_count, 1);
    EXPECT_EQ(vocab->stop_ids[0], 4);
    EXPECT_EQ(count_trie_faults(vocab), 0);
    weir_vocab_destroy(vocab);
}

TEST(vocab_huggingface, byte_level_text_outside_the_alphabet_stands_for_itself) {
    const char *text = "{\"decoder\": {\"type\": \"ByteLevel\"}, \"model\": {\"vocab\": "
                       "{\"\xc4\xa0 \": 0, \"\xc4\xa0\xe4\xb8\xad\": 1, \"\xc5\x84\": 2, \"\xc2\xad\": 3, \"\": 4}}}";
    weir_vocab *vocab;
    ASSERT_OK(from_text(text, "{\"eos_ids\": [4]}", NULL, &vocab, NULL), NULL);
    EXPECT_TRUE(TOKEN_IS(vocab, 0, "\xc4\xa0 "));
    EXPECT_TRUE(TOKEN_IS(vocab, 1, "\xc4\xa0\xe4\xb8\xad"));
    EXPECT_TRUE(TOKEN_IS(vocab, 2, "\xc5\x84"));
    EXPECT_TRUE(TOKEN_IS(vocab, 3, "\xc2\xad"));
    weir_vocab_destroy(vocab);
}

TEST(vocab_huggingface, metaspace_and_byte_fallback) {
    const char *text =
        "{\"added_tokens\": [{\"id\": 4, \"content\": \"</s>\", \"special\": true}, {\"id\": 5, \"content\": "
        "\"\xe2\x96\x81x\", \"special\": false}], \"decoder\": {\"type\": \"Sequence\", \"decoders\": [{\"type\": "
        "\"Replace\", \"pattern\": {\"String\": \"\xe2\x96\x81\"}, \"content\": \" \"}, {\"type\": "
        "\"ByteFallback\"}]}, \"model\": {\"type\": \"BPE\", \"unk_token\": \"<unk>\", \"vocab\": "
        "{\"<unk>\": 0, \"\xe2\x96\x81the\xe2\x96\x81\": 1, \"<0x0a>\": 2, \"<0xZZ>\": 3}}}";
    weir_vocab *vocab;
    ASSERT_OK(from_text(text, "{\"eos_ids\": [4]}", NULL, &vocab, NULL), NULL);
    EXPECT_TRUE(weir_vocab_is_special(vocab, 0));
    EXPECT_TRUE(TOKEN_IS(vocab, 1, " the "));
    EXPECT_TRUE(TOKEN_IS(vocab, 2, "\n"));
    EXPECT_TRUE(TOKEN_IS(vocab, 3, "<0xZZ>"));
    EXPECT_TRUE(TOKEN_IS(vocab, 5, " x"));
    EXPECT_EQ(count_trie_faults(vocab), 0);
    weir_vocab_destroy(vocab);
}

TEST(vocab_huggingface, unigram_pairs_without_a_model_type) {
    const char *text =
        "{\"decoder\": {\"type\": \"Metaspace\", \"replacement\": \"_\"}, \"model\": {\"unk_id\": 1, \"vocab\": "
        "[[\"_a\", -1.5], [\"<unk>\", 0], [\"<0x0A>\", -2], [\"</s>\", 0]]}}";
    weir_vocab *vocab;
    ASSERT_OK(from_text(text, "{\"eos_token\": \"</s>\"}", NULL, &vocab, NULL), NULL);
    EXPECT_TRUE(TOKEN_IS(vocab, 0, " a"));
    EXPECT_TRUE(weir_vocab_is_special(vocab, 1));
    EXPECT_TRUE(TOKEN_IS(vocab, 2, "<0x0A>"));
    EXPECT_EQ(vocab->stop_ids[0], 3);
    EXPECT_EQ(vocab->report.text_count, 2);
    weir_vocab_destroy(vocab);
}

TEST(vocab_huggingface, a_missing_decoder_is_read_from_what_stands_before_the_model) {
    const char *texts[] = {
        "{\"decoder\": null, \"pre_tokenizer\": {\"type\": \"Sequence\", \"pretokenizers\": [{\"type\": \"Digits\"}, "
        "{\"type\": "
        "\"ByteLevel\"}]}, \"model\": {\"vocab\": {\"\xc4\xa0\": 0, \"e\": 1}}}",
        "{\"normalizer\": {\"type\": \"Sequence\", \"normalizers\": [{\"type\": \"Replace\", \"pattern\": {\"String\": "
        "\" \"}, "
        "\"content\": \"\xe2\x96\x81\"}]}, \"model\": {\"vocab\": {\"\xe2\x96\x81\": 0, \"e\": 1}}}",
        "{\"pre_tokenizer\": {\"type\": \"Metaspace\"}, \"model\": {\"vocab\": {\"\xe2\x96\x81\": 0, \"e\": 1}}}",
    };
    for (uint32_t i = 0; i < COUNT(texts); ++i) {
        test_context("case %u", i);
        weir_vocab *vocab;
        ASSERT_OK(from_text(texts[i], "{\"eos_ids\": [1]}", NULL, &vocab, NULL), NULL);
        ASSERT_NOT_NULL(vocab);
        EXPECT_TRUE(TOKEN_IS(vocab, 0, " "));
        weir_vocab_destroy(vocab);
    }
}

TEST(vocab_huggingface, errors_name_the_pointer) {
#define MODEL(vocab) "{\"decoder\": {\"type\": \"ByteLevel\"}, \"model\": {\"vocab\": " vocab "}}"
#define ADDED(added) "{\"added_tokens\": " added ", \"decoder\": {\"type\": \"ByteLevel\"}, \"model\": {\"vocab\": {}}}"
    static const struct {
        const char *text, *pointer;
    } cases[] = {
        {"{}", ""},
        {"{\"model\": 3}", ""},
        {"{\"model\": {}}", "/model"},
        {MODEL("7"), "/model/vocab"},
        {MODEL("{\"a\": \"b\"}"), "/model/vocab/a"},
        {MODEL("{\"a\": 2097152}"), "/model/vocab/a"},
        {MODEL("{\"a\": 1, \"~\": 1}"), "/model/vocab/~0"},
        {MODEL("[[\"a\", 1], 3]"), "/model/vocab/1"},
        {MODEL("[[1, 1]]"), "/model/vocab/0"},
        {MODEL("[[]]"), "/model/vocab/0"},
        {"{\"model\": {\"type\": \"WordPiece\", \"vocab\": {}}}", "/model/type"},
        {"{\"model\": {\"type\": \"BPE\", \"vocab\": {}}}", "/decoder"},
        {"{\"decoder\": {\"type\": \"Fuse\"}, \"model\": {\"vocab\": {}}}", "/decoder"},
        {"{\"decoder\": {\"type\": \"Sequence\", \"decoders\": [{\"type\": \"CTC\"}]}, \"model\": {\"vocab\": {}}}",
         "/decoder/decoders/0"},
        {"{\"decoder\": {\"type\": \"ByteLevel\"}, \"model\": {\"vocab\": {}, \"end_of_word_suffix\": \"</w>\"}}",
         "/model/end_of_word_suffix"},
        {"{\"decoder\": {\"type\": \"ByteLevel\"}, \"model\": {\"vocab\": {}, \"unk_id\": true}}", "/model/unk_id"},
        {ADDED("{}"), "/added_tokens"},
        {ADDED("[3]"), "/added_tokens/0"},
        {ADDED("[{\"content\": \"a\"}]"), "/added_tokens/0"},
        {ADDED("[{\"id\": -1, \"content\": \"a\"}]"), "/added_tokens/0/id"},
        {ADDED("[{\"id\": 1}]"), "/added_tokens/0"},
        {ADDED("[{\"id\": 1, \"content\": \"a\"}, {\"id\": 1, \"content\": \"b\"}]"), "/added_tokens/1"},
        {ADDED("[]"), ""}, /* no token at all */
    };
#undef MODEL
#undef ADDED
    for (uint32_t i = 0; i < COUNT(cases); ++i) {
        test_context("case %u", i);
        weir_vocab *vocab = (weir_vocab *)1;
        weir_error error;
        const uint32_t stop = 0;
        const weir_vocab_options options = with_stop(&stop, 1);
        EXPECT_STATUS(from_text(cases[i].text, NULL, &options, &vocab, &error), WEIR_ERROR_VOCAB, &error);
        EXPECT_NULL(vocab);
        EXPECT_STREQ(error.pointer, cases[i].pointer);
        EXPECT_CONTAINS(error.message, "vocabulary");
    }
}

/* --- files ---------------------------------------------------------------------------------------------------- */

TEST(vocab_load, companions_are_found_beside_the_file) {
    static const char *const names[] = {
        "x.tiktoken",          "x.tokenizer.json",        "x.meta.json",    "z.tiktoken.gz",
        "y.tokenizer.json.gz", "y.tokenizer_config.json", "tokenizer.json", "tokenizer_config.json",
        "lone.tiktoken",       "z.tokenizer_config.json"};
    size_t packed_length;
    folder folder;
    folder_make(&folder);
    put_text(&folder, "x.tiktoken", small_tiktoken);
    put_text(&folder, "lone.tiktoken", small_tiktoken);
    put_text(&folder, "x.tokenizer.json", byte_level);
    put_text(&folder, "tokenizer.json", byte_level);
    put_text(&folder, "x.meta.json", "{\"vocab_file\": \"x.tiktoken\", \"vocab_size\": 20, \"eos_ids\": [2]}");
    put_text(&folder, "y.tokenizer_config.json", "{\"eos_token\": \"\\n\"}");
    put_text(&folder, "z.tokenizer_config.json", "{\"eos_token\": \"a\"}");
    put_text(&folder, "tokenizer_config.json", stop_is_e);
    uint8_t *packed = pack(byte_level, strlen(byte_level), &packed_length);
    put(&folder, "y.tokenizer.json.gz", packed, packed_length);
    free(packed);
    packed = pack(small_tiktoken, strlen(small_tiktoken), &packed_length);
    put(&folder, "z.tiktoken.gz", packed, packed_length);
    free(packed);

    static const struct {
        const char *name;
        uint32_t stop, width;
    } cases[] = {{"x.tiktoken", 2, 20},         {"x.meta.json", 2, 20},   {"x.tokenizer.json", 2, 20},
                 {"y.tokenizer.json.gz", 1, 7}, {"tokenizer.json", 4, 7}, {"z.tiktoken.gz", 0, 7}};
    for (uint32_t i = 0; i < COUNT(cases); ++i) {
        test_context("case %u", i);
        weir_vocab *vocab;
        weir_error error;
        ASSERT_OK(weir_vocab_load(file_in(&folder, cases[i].name), NULL, &vocab, &error), &error);
        ASSERT_NOT_NULL(vocab);
        EXPECT_EQ(vocab->stop_count, 1);
        EXPECT_EQ(vocab->stop_ids[0], cases[i].stop);
        ASSERT_NOT_NULL(vocab);
        EXPECT_EQ(vocab->logits_width, cases[i].width);
        weir_vocab_destroy(vocab);
    }
    weir_vocab *vocab;
    weir_error error;
    EXPECT_STATUS(weir_vocab_load(file_in(&folder, "lone.tiktoken"), NULL, &vocab, &error), WEIR_ERROR_VOCAB, &error);
    EXPECT_NULL(vocab);
    EXPECT_CONTAINS(error.message, "lone.meta.json");
    EXPECT_CONTAINS(error.message, "lone.tokenizer_config.json");
    const uint32_t stop = 1;
    const weir_vocab_options options = with_stop(&stop, 1);
    ASSERT_OK(weir_vocab_load(file_in(&folder, "lone.tiktoken"), &options, &vocab, &error), &error);
    weir_vocab_destroy(vocab);
    folder_remove(&folder, names, COUNT(names));
}

TEST(vocab_load, errors_name_the_file) {
    static const char *const names[] = {"a.meta.json", "b.meta.json", "c.meta.json", "d.meta.json",
                                        "e.tiktoken",  "e.meta.json", "f.json"};
    static const struct {
        const char *name, *message;
        weir_status status;
    } cases[] = {
        {"nothing", "nothing: cannot be opened", WEIR_ERROR_FILE},
        {"a.meta.json", "missing.tiktoken: cannot be opened", WEIR_ERROR_FILE},
        {"b.meta.json", "b.meta.json: expected a file's name", WEIR_ERROR_VOCAB},
        {"c.meta.json", "which is a meta file", WEIR_ERROR_VOCAB},
        {"d.meta.json", "d.meta.json: ", WEIR_ERROR_JSON},
        {"e.tiktoken", "e.meta.json: stop id", WEIR_ERROR_VOCAB},
        {"f.json", "f.json: no object \"model\"", WEIR_ERROR_VOCAB},
        {"", "cannot be read", WEIR_ERROR_FILE},
    };
    folder folder;
    folder_make(&folder);
    put_text(&folder, "a.meta.json", "{\"vocab_file\": \"missing.tiktoken\"}");
    put_text(&folder, "b.meta.json", "{\"vocab_file\": 7}");
    put_text(&folder, "c.meta.json", "{\"vocab_file\": \"a.meta.json\"}");
    put_text(&folder, "d.meta.json", "{\"vocab_file\": }");
    put_text(&folder, "e.tiktoken", small_tiktoken);
    put_text(&folder, "e.meta.json", "{\"eos_ids\": [true]}");
    put_text(&folder, "f.json", "{\"a\": 1}");
    for (uint32_t i = 0; i < COUNT(cases); ++i) {
        test_context("case %u", i);
        weir_vocab *vocab = (weir_vocab *)1;
        weir_error error;
        EXPECT_STATUS(weir_vocab_load(file_in(&folder, cases[i].name), NULL, &vocab, &error), cases[i].status, &error);
        EXPECT_NULL(vocab);
        EXPECT_CONTAINS(error.message, cases[i].message);
        EXPECT_STATUS(weir_vocab_load(file_in(&folder, cases[i].name), NULL, &vocab, NULL), cases[i].status, NULL);
    }
    folder_remove(&folder, names, COUNT(names));
}

TEST(vocab_load, gzip_that_is_cut_anywhere_is_refused) {
    size_t length;
    uint8_t *packed = pack(small_tiktoken, strlen(small_tiktoken), &length);
    const uint32_t stop = 1;
    const weir_vocab_options options = with_stop(&stop, 1);
    weir_vocab *vocab;
    weir_error error;
    for (size_t cut = 2; cut < length; ++cut) {
        EXPECT_STATUS(weir_vocab_from_memory(packed, cut, NULL, 0, &options, &vocab, &error), WEIR_ERROR_FILE, &error);
        EXPECT_NULL(vocab);
        EXPECT_EQ(error.byte, (int64_t)cut);
        EXPECT_CONTAINS(error.message, "gzip data ends");
    }
    ASSERT_OK(weir_vocab_from_memory(packed, length, NULL, 0, &options, &vocab, &error), &error);
    weir_vocab_destroy(vocab);
    packed[length - 6] ^= 1; /* the checksum */
    EXPECT_STATUS(weir_vocab_from_memory(packed, length, NULL, 0, &options, &vocab, &error), WEIR_ERROR_FILE, &error);
    EXPECT_CONTAINS(error.message, "damaged");
    free(packed);
}

TEST(vocab_load, gzip_members_follow_each_other_and_nothing_else_does) {
    size_t first_length, second_length;
    uint8_t *first = pack("YQ== 0\n", 7, &first_length), *second = pack("Yg== 1\n", 7, &second_length);
    uint8_t *both = malloc(first_length + second_length);
    if (!both) FAIL("no memory, or no temporary folder");
    memcpy(both, first, first_length);
    memcpy(both + first_length, second, second_length);
    const uint32_t stop = 1;
    const weir_vocab_options options = with_stop(&stop, 1);
    weir_vocab *vocab;
    weir_error error;
    ASSERT_OK(weir_vocab_from_memory(both, first_length + second_length, NULL, 0, &options, &vocab, &error), &error);
    EXPECT_EQ(weir_vocab_token_count(vocab), 2);
    weir_vocab_destroy(vocab);
    both[first_length] = 'x';
    EXPECT_STATUS(weir_vocab_from_memory(both, first_length + 5, NULL, 0, &options, &vocab, &error), WEIR_ERROR_FILE,
                  &error);
    EXPECT_EQ(error.byte, (int64_t)first_length);
    EXPECT_CONTAINS(error.message, "follows the end");
    free(first);
    free(second);
    free(both);
}

TEST(vocab_load, gzip_bombs_are_refused) {
    const size_t size = (size_t)80 << 20;
    uint8_t *zeros = calloc(1, size);
    size_t length;
    if (!zeros) FAIL("no memory, or no temporary folder");
    uint8_t *packed = pack(zeros, size, &length);
    free(zeros);
    weir_vocab *vocab;
    weir_error error;
    EXPECT_STATUS(weir_vocab_from_memory(packed, length, NULL, 0, NULL, &vocab, &error), WEIR_ERROR_FILE, &error);
    EXPECT_NULL(vocab);
    EXPECT_CONTAINS(error.message, "more than");
    free(packed);
}
