/* test_vocab_data.c - real vocabularies (WEIR_DATA) against their recorded facts, each other and their test vectors. */
#include "json.h"
#include "vocab_helpers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- real vocabularies ---------------------------------------------------------------------------------------- */

static const char *const real_names[] = {
    "llama3",         "qwen2",        "qwen3",     "o200k_base", "cl100k_base",
    "gpt2_r50k_base", "deepseek_llm", "falcon",    "phi2",       "internlm2",
    "mistral_v1",     "mistral_v3",   "phi3_mini", "t5_small",   "gpt_oss_o200k_harmony"};

/* $WEIR_DATA/tokenizers/NAME.ENDING; where it is absent the test is skipped. */
static const char *data_path(const char *folder, const char *name, const char *ending) {
    static char path[1024];
    char relative[256];
    snprintf(relative, sizeof relative, "tokenizers/%s%s%s", folder, name, ending);
    return test_data(relative, path, sizeof path);
}

static uint64_t number(const json *object, const char *name) {
    uint64_t value = UINT64_MAX;
    json_uint(json_get(object, name), &value);
    return value;
}

static void check_facts(const weir_vocab *vocab, const json *meta) {
    const json *facts = json_get(meta, "facts"), *missing = json_get(facts, "single_bytes_missing");
    const weir_vocab_report *report = &vocab->report;
    EXPECT_EQ(number(meta, "vocab_size"), vocab->token_count);
    EXPECT_EQ(vocab->logits_width, vocab->token_count);
    EXPECT_EQ(report->text_count, number(facts, "n_text_tokens"));
    EXPECT_EQ(report->special_count, number(facts, "n_special"));
    EXPECT_EQ(number(facts, "max_id") + 1, vocab->token_count);
    EXPECT_EQ(report->hole_count, number(facts, "n_holes_below_vocab_size"));
    EXPECT_EQ(report->empty_count, number(facts, "empty_tokens"));
    EXPECT_EQ(report->duplicate_count, number(facts, "ids_in_duplicates") - number(facts, "duplicate_byte_strings"));
    EXPECT_EQ(report->not_utf8_count, number(facts, "non_utf8_longer_than_1_byte"));
    EXPECT_EQ(report->missing_byte_count, 256 - number(facts, "single_bytes_present"));
    EXPECT_EQ(report->longest_token, number(facts, "max_token_bytes"));
    EXPECT_EQ(vocab->trie.count, number(facts, "trie_nodes"));
    uint64_t total = 0;
    for (uint32_t token = 0; token < vocab->token_count; ++token)
        if (!vocab->flags[token]) total += vocab->offsets[token + 1] - vocab->offsets[token];
    EXPECT_EQ(total, number(facts, "total_bytes"));
    for (const json *byte = missing->child; byte; byte = byte->next)
        EXPECT_EQ(vocab->byte_token[strtoul(byte->text, NULL, 16)], VOCAB_NONE);
    uint32_t stop_count;
    weir_vocab_stop_ids(vocab, &stop_count);
    EXPECT_EQ(stop_count, json_get(meta, "eos_ids")->count);
    for (const json *special = json_get(meta, "special_tokens")->child; special; special = special->next) {
        uint64_t id;
        EXPECT_TRUE(json_uint(special, &id));
        EXPECT_TRUE(weir_vocab_is_special(vocab, (uint32_t)id));
        EXPECT_TRUE(token_is(vocab, (uint32_t)id, special->key, special->key_length));
    }
}

TEST(vocab_data, tiktoken_vocabularies_agree_with_the_facts_of_their_meta_files) {
    for (uint32_t i = 0; i < COUNT(real_names); ++i) {
        test_context("%s", real_names[i]);
        const weir_allocator allocator = allocator_or_default(NULL);
        const char *path = data_path("", real_names[i], ".meta.json");
        size_t length;
        char *text = test_read_file(path, &length);
        arena arena;
        arena_init(&arena, &allocator, 0);
        const json *meta;
        ASSERT_OK(json_parse(text, length, NULL, &arena, &meta, NULL), NULL);
        weir_vocab *vocab;
        weir_error error;
        ASSERT_OK(weir_vocab_load(path, NULL, &vocab, &error), &error);
        check_facts(vocab, meta);
        EXPECT_EQ(count_trie_faults(vocab), 0);
        weir_vocab_destroy(vocab);
        arena_free(&arena);
        free(text);
    }
}

/* Ids whose bytes or flags differ. */
static uint32_t count_differences(const weir_vocab *a, const weir_vocab *b) {
    const uint32_t count = a->token_count > b->token_count ? a->token_count : b->token_count;
    uint32_t differences = 0;
    for (uint32_t token = 0; token < count; ++token) {
        uint32_t length;
        const uint8_t *bytes = weir_vocab_token(a, token, &length);
        differences += !token_is(b, token, (const char *)bytes, length) ||
                       weir_vocab_is_special(a, token) != weir_vocab_is_special(b, token);
    }
    return differences;
}

/* The original file of a vocabulary with the content of its meta file, or of `beside` where that is given. */
static weir_status load_original(const char *name, const char *ending, const char *beside,
                                 const weir_vocab_options *options, weir_vocab **out, weir_error *error) {
    size_t length, meta_length;
    char *text = test_read_file(data_path("original/", name, ending), &length);
    char *meta = test_read_file(beside ? data_path("original/", beside, ".tokenizer_config.json")
                                       : data_path("", name, ".meta.json"),
                                &meta_length);
    const weir_status status = weir_vocab_from_memory(text, length, meta, meta_length, options, out, error);
    free(text);
    free(meta);
    return status;
}

TEST(vocab_data, every_original_equals_the_tiktoken_form) {
    static const struct {
        const char *name, *ending;
    } cases[] = {
        {"phi2", ".tokenizer.json.gz"},     {"phi3_mini", ".tokenizer.json.gz"},  {"falcon", ".tokenizer.json.gz"},
        {"t5_small", ".tokenizer.json.gz"}, {"qwen2", ".vocab.json.gz"},          {"mistral_v1", ".tokenizer.model"},
        {"mistral_v3", ".tokenizer.model"}, {"internlm2", ".tokenizer.model.gz"}, {"phi3_mini", ".vocab.gguf"}};
    for (uint32_t i = 0; i < COUNT(cases); ++i) {
        test_context("%s%s", cases[i].name, cases[i].ending);
        weir_vocab *expected, *found;
        weir_error error;
        weir_vocab_options options = WEIR_VOCAB_OPTIONS_INIT;
        /* The GGUF file alone tells the columns of logits; both are made as wide. */
        options.logits_width = strcmp(cases[i].ending, ".vocab.gguf") == 0 ? 32064 : 0;
        ASSERT_OK(weir_vocab_load(data_path("", cases[i].name, ".meta.json"), &options, &expected, &error), &error);
        ASSERT_OK(load_original(cases[i].name, cases[i].ending, NULL, &options, &found, &error), &error);
        EXPECT_EQ(count_differences(found, expected), 0);
        EXPECT_EQ(found->token_count, expected->token_count);
        EXPECT_EQ(found->hash, expected->hash);
        EXPECT_EQ(found->report.undecoded_count, 0);
        weir_vocab_destroy(expected);
        weir_vocab_destroy(found);
    }
}

/* What the original says by itself, without our meta file: the stop ids of its own companions, and two real
 * differences. falcon and the internlm2 chat stop have no file that names them. */
TEST(vocab_data, originals_alone_differ_where_they_say_less) {
    static const struct {
        const char *name, *ending;
        uint32_t stop, differences; /* one stop id */
    } cases[] = {
        {"phi2", ".tokenizer.json.gz", 50256, 0},
        {"phi3_mini", ".tokenizer.json.gz", 32000, 0},
        {"t5_small", ".tokenizer.json.gz", 1, 0},
        {"qwen2", ".vocab.json.gz", 151643, 0},
        {"mistral_v1", ".tokenizer.model", 2, 0},
        {"mistral_v3", ".tokenizer.model", 2, 0},
        {"phi3_mini", ".vocab.gguf", 32000, 0},
        /* [UNUSED_TOKEN_0] to [UNUSED_TOKEN_146] are ordinary pieces in the model, control tokens in the meta file */
        {"internlm2", ".tokenizer.model.gz", 2, 147},
    };
    for (uint32_t i = 0; i < COUNT(cases); ++i) {
        test_context("%s%s", cases[i].name, cases[i].ending);
        weir_vocab *expected, *found;
        weir_error error;
        ASSERT_OK(weir_vocab_load(data_path("", cases[i].name, ".meta.json"), NULL, &expected, &error), &error);
        ASSERT_OK(weir_vocab_load(data_path("original/", cases[i].name, cases[i].ending), NULL, &found, &error),
                  &error);
        EXPECT_EQ(found->stop_count, 1);
        EXPECT_EQ(found->stop_ids[0], cases[i].stop);
        EXPECT_EQ(count_differences(found, expected), cases[i].differences);
        weir_vocab_destroy(expected);
        weir_vocab_destroy(found);
    }
    test_context("falcon");
    weir_vocab *vocab;
    weir_error error;
    const char *falcon = data_path("original/", "falcon", ".tokenizer.json.gz");
    EXPECT_STATUS(weir_vocab_load(falcon, NULL, &vocab, &error), WEIR_ERROR_VOCAB, &error);
    EXPECT_CONTAINS(error.message, "falcon.generation_config.json");
}

/* qwen3 ships the vocab.json of qwen2 and a tokenizer_config.json of its own. */
TEST(vocab_data, vocab_json_takes_its_added_tokens_from_tokenizer_config) {
    weir_vocab *expected, *found;
    weir_error error;
    ASSERT_OK(weir_vocab_load(data_path("", "qwen3", ".meta.json"), NULL, &expected, &error), &error);
    const weir_vocab_options options = with_stop(expected->stop_ids, expected->stop_count);
    ASSERT_OK(load_original("qwen2", ".vocab.json.gz", "qwen3", &options, &found, &error), &error);
    EXPECT_EQ(count_differences(found, expected), 0);
    EXPECT_EQ(found->hash, expected->hash);
    weir_vocab_destroy(found);
    ASSERT_OK(load_original("qwen2", ".vocab.json.gz", "qwen3", NULL, &found, &error), &error);
    EXPECT_EQ(found->stop_count, 1);
    EXPECT_EQ(found->stop_ids[0], 151645);
    weir_vocab_destroy(expected);
    weir_vocab_destroy(found);
}

TEST(vocab_data, a_stop_id_is_never_text_whatever_the_flags_say) {
    const uint32_t stop = 2; /* </s> of phi3_mini: an added token that claims to be text */
    const weir_vocab_options options = with_stop(&stop, 1);
    weir_vocab *vocab;
    ASSERT_OK(weir_vocab_load(data_path("original/", "phi3_mini", ".tokenizer.json.gz"), &options, &vocab, NULL), NULL);
    EXPECT_TRUE(TOKEN_IS(vocab, 2, "</s>"));
    EXPECT_TRUE(weir_vocab_is_special(vocab, 2));
    EXPECT_EQ(count_trie_faults(vocab), 0);
    const uint32_t node = find_node(&vocab->trie, (const uint8_t *)"</s>", 4);
    EXPECT_TRUE(node == 0 || vocab->trie.nodes[node].token == VOCAB_NONE);
    weir_vocab_destroy(vocab);
}

TEST(vocab_data, a_file_of_added_tokens_only_is_mostly_holes) {
    const uint32_t stop = 32007;
    const weir_vocab_options options = with_stop(&stop, 1);
    weir_vocab *vocab;
    const char *path = data_path("original/", "added_tokens_only", ".tokenizer.json");
    EXPECT_STATUS(weir_vocab_load(path, NULL, &vocab, NULL), WEIR_ERROR_VOCAB, NULL);
    ASSERT_OK(weir_vocab_load(path, &options, &vocab, NULL), NULL);
    EXPECT_EQ(vocab->token_count, 32011);
    EXPECT_EQ(vocab->report.text_count, 1);
    EXPECT_EQ(vocab->report.special_count, 11);
    EXPECT_EQ(vocab->report.hole_count, 32011 - 12);
    EXPECT_TRUE(TOKEN_IS(vocab, 13, "\n"));
    EXPECT_EQ(vocab->byte_token['\n'], 13);
    EXPECT_TRUE(TOKEN_IS(vocab, 32007, "<|end|>"));
    EXPECT_TRUE(weir_vocab_is_special(vocab, 32007));
    weir_vocab_destroy(vocab);
}

TEST(vocab_data, ids_decode_to_their_text) {
    static const char *const names[] = {"deepseek_llm", "falcon", "gpt2_r50k_base", "llama3", "phi3_mini", "qwen2"};
    static const char border[] = "\n__ggml_vocab_test__\n";
    for (uint32_t i = 0; i < COUNT(names); ++i) {
        test_context("%s", names[i]);
        weir_vocab *vocab;
        ASSERT_OK(weir_vocab_load(data_path("", names[i], ".meta.json"), NULL, &vocab, NULL), NULL);
        size_t text_length = 0, ids_length = 0;
        char *texts = test_read_file(data_path("vectors/", names[i], ".inp"), &text_length);
        char *ids = test_read_file(data_path("vectors/", names[i], ".out"), &ids_length);
        EXPECT_TRUE(texts);
        EXPECT_TRUE(ids);
        ASSERT_NOT_NULL(vocab);
        texts[text_length] = ids[ids_length] = 0;
        uint32_t cases = 0;
        char *id = ids;
        for (char *text = texts; text; ++cases) {
            char *end = strstr(text, border);
            if (end) *end = 0;
            uint8_t decoded[4096];
            size_t length = 0;
            for (; *id && *id != '\n'; id += strspn(id, " ")) {
                if (*id == ' ') continue;
                uint32_t size;
                const uint8_t *bytes = weir_vocab_token(vocab, (uint32_t)strtoul(id, &id, 10), &size);
                if (length + size <= sizeof decoded) memcpy(decoded + length, bytes, size);
                length += size;
            }
            if (*id) ++id;
            const size_t skip = strcmp(names[i], "phi3_mini") == 0 && length > 0; /* its dummy prefix is a space */
            EXPECT_EQ(length - skip, strlen(text));
            EXPECT_EQ(memcmp(decoded + skip, text, length - skip), 0);
            text = end ? end + sizeof border - 1 : NULL;
        }
        EXPECT_GE(cases, 40);
        free(texts);
        free(ids);
        weir_vocab_destroy(vocab);
    }
}

TEST(vocab_data, a_real_file_cut_short_is_refused) {
    size_t length;
    char *packed = test_read_file(data_path("", "llama3", ".tiktoken.gz"), &length);
    const size_t cuts[] = {2, 10, 1000, length / 2, length - 1};
    const uint32_t stop = 128009;
    const weir_vocab_options options = with_stop(&stop, 1);
    for (uint32_t i = 0; i < COUNT(cuts); ++i) {
        test_context("cut at %zu", cuts[i]);
        weir_vocab *vocab;
        weir_error error;
        EXPECT_STATUS(weir_vocab_from_memory(packed, cuts[i], NULL, 0, &options, &vocab, &error), WEIR_ERROR_FILE,
                      &error);
        EXPECT_NULL(vocab);
        EXPECT_EQ(error.byte, (int64_t)cuts[i]);
    }
    free(packed);
}
