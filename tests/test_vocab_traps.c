/* test_vocab_traps.c - what makes other libraries mask wrongly: one test a trap, each down to the mask. */
#include "vocab_helpers.h"

#include <stdlib.h>
#include <string.h>

enum { MASK_SIZE = 8192 };

typedef struct mask {
    uint32_t words[MASK_SIZE];
    uint32_t count; /* of tokens allowed */
} mask;

static weir_vocab *make(const weir_token *tokens, uint32_t count, uint32_t stop, uint32_t width) {
    weir_vocab_options options = with_stop(&stop, 1);
    options.logits_width = width;
    weir_vocab *vocab;
    weir_error error;
    ASSERT_OK(weir_vocab_create(tokens, count, &options, &vocab, &error), &error);
    return vocab;
}

static weir_matcher *start(const weir_vocab *vocab, const char *schema, weir_grammar **grammar) {
    weir_grammar_options options = WEIR_GRAMMAR_OPTIONS_INIT;
    options.whitespace = WEIR_WHITESPACE_COMPACT;
    weir_matcher *matcher;
    weir_error error;
    ASSERT_OK(weir_grammar_from_json_schema(vocab, schema, strlen(schema), &options, grammar, &error), &error);
    ASSERT_OK(weir_matcher_create(*grammar, NULL, &matcher, &error), &error);
    return matcher;
}

static void end(weir_vocab *vocab, weir_grammar *grammar, weir_matcher *matcher) {
    weir_matcher_destroy(matcher);
    weir_grammar_destroy(grammar);
    weir_vocab_destroy(vocab);
}

/* The mask, into memory that was all ones. */
static const mask *fill(const weir_vocab *vocab, weir_matcher *matcher) {
    static mask mask;
    weir_error error;
    memset(mask.words, 0xff, sizeof mask.words);
    ASSERT_OK(weir_matcher_fill_mask(matcher, mask.words, weir_vocab_mask_words(vocab), &error), &error);
    mask.count = 0;
    for (uint32_t id = 0; id < 32 * weir_vocab_mask_words(vocab); ++id)
        mask.count += mask.words[id / 32] >> id % 32 & 1;
    return &mask;
}

static bool allows(const weir_vocab *vocab, weir_matcher *matcher, uint32_t token) {
    return fill(vocab, matcher)->words[token / 32] >> token % 32 & 1;
}

static void take(weir_matcher *matcher, uint32_t token) {
    weir_error error;
    ASSERT_OK(weir_matcher_accept(matcher, token, &error), &error);
}

/* All 256 bytes as ids 0..255, then the given tokens; the last one stops. */
static weir_vocab *bytes_and(const weir_token *more, uint32_t count) {
    static char bytes[256];
    weir_token tokens[320];
    for (uint32_t byte = 0; byte < 256; ++byte) {
        bytes[byte] = (char)byte;
        tokens[byte] = (weir_token){bytes + byte, 1, 0};
    }
    memcpy(tokens + 256, more, count * sizeof *more);
    return make(tokens, 256 + count, 255 + count, 0);
}

TEST(vocab_trap_1, a_special_token_is_never_text_but_its_spelling_is) {
    const weir_token more[] = {CONTROL("<|im_start|>"), TOKEN("<|im"), CONTROL("</s>")};
    weir_vocab *vocab = bytes_and(more, 3);
    weir_grammar *grammar;
    weir_matcher *matcher = start(vocab, "{\"type\": \"string\"}", &grammar);
    EXPECT_FALSE(allows(vocab, matcher, 256));
    take(matcher, '"');
    EXPECT_FALSE(allows(vocab, matcher, 256));
    EXPECT_FALSE(allows(vocab, matcher, 258));
    EXPECT_TRUE(allows(vocab, matcher, 257));
    EXPECT_TRUE(allows(vocab, matcher, '<'));
    EXPECT_STATUS(weir_matcher_accept(matcher, 256, NULL), WEIR_ERROR_TOKEN, NULL);
    end(vocab, grammar, matcher);
}

TEST(vocab_trap_3, every_stop_id_ends_a_complete_text_and_no_other) {
    const weir_token tokens[] = {TOKEN("1"), TOKEN("["), TOKEN("]"), CONTROL("<a>"), CONTROL("<b>"), TOKEN("stop")};
    const uint32_t stops[] = {3, 5, 7}; /* one that says it is text, one beyond the tokens */
    weir_vocab_options options = with_stop(stops, 3);
    options.logits_width = 8;
    weir_vocab *vocab;
    ASSERT_OK(weir_vocab_create(tokens, 6, &options, &vocab, NULL), NULL);
    weir_grammar *grammar;
    weir_matcher *matcher = start(vocab, "{\"type\":\"array\",\"items\":{\"const\":1},\"maxItems\":0}", &grammar);
    EXPECT_EQ(fill(vocab, matcher)->words[0], 1u << 1);
    take(matcher, 1);
    EXPECT_EQ(fill(vocab, matcher)->words[0], 1u << 2);
    take(matcher, 2);
    EXPECT_EQ(fill(vocab, matcher)->words[0], 1u << 3 | 1u << 5 | 1u << 7);
    end(vocab, grammar, matcher);
}

TEST(vocab_trap_4, logits_wider_than_the_tokenizer_are_masked_to_the_end) {
    const weir_token tokens[] = {TOKEN("1"), CONTROL("</s>")};
    const uint32_t widths[] = {2, 31, 32, 33, 64, 100, 50257};
    for (uint32_t i = 0; i < COUNT(widths); ++i) {
        weir_vocab *vocab = make(tokens, 2, 1, widths[i]);
        weir_grammar *grammar;
        weir_matcher *matcher = start(vocab, "{\"const\": 1}", &grammar);
        EXPECT_EQ(fill(vocab, matcher)->count, 1); /* no padding id, no bit behind the last column */
        take(matcher, 0);
        EXPECT_TRUE(allows(vocab, matcher, 1));
        end(vocab, grammar, matcher);
    }
}

TEST(vocab_trap_4, logits_narrower_than_the_tokenizer_drop_what_they_cannot_choose) {
    const weir_token tokens[] = {TOKEN("1"), CONTROL("</s>"), TOKEN("12"), TOKEN("2")};
    weir_vocab *vocab = make(tokens, 4, 1, 2);
    weir_grammar *grammar;
    weir_matcher *matcher = start(vocab, "{\"type\": \"integer\"}", &grammar);
    EXPECT_EQ(fill(vocab, matcher)->words[0], 1);
    EXPECT_STATUS(weir_matcher_accept(matcher, 2, NULL), WEIR_ERROR_TOKEN, NULL);
    end(vocab, grammar, matcher);
}

TEST(vocab_trap_5, holes_and_empty_tokens_are_never_allowed_and_duplicates_always_together) {
    /* a b - " " stop: ids 0 1 2(hole) 3 4(empty) 5 */
    weir_vocab *vocab;
    weir_error error;
    ASSERT_OK(from_text("MQ== 0\nIg== 1\nMQ== 3\n 4\n", "{\"eos_ids\": [5], \"special_tokens\": {\"</s>\": 5}}", NULL,
                        &vocab, &error),
              &error);
    EXPECT_EQ(vocab->report.hole_count, 1);
    EXPECT_EQ(vocab->report.empty_count, 1);
    EXPECT_EQ(vocab->report.duplicate_count, 1);
    weir_grammar *grammar;
    weir_matcher *matcher = start(vocab, "{\"enum\": [1, 11]}", &grammar);
    EXPECT_EQ(fill(vocab, matcher)->words[0], 1u << 0 | 1u << 3);
    take(matcher, 3);
    EXPECT_EQ(fill(vocab, matcher)->words[0], 1u << 0 | 1u << 3 | 1u << 5);
    end(vocab, grammar, matcher);
}

TEST(vocab_trap_6, added_tokens_of_a_byte_level_tokenizer_are_literal_utf8) {
    const char *text =
        "{\"added_tokens\": [{\"id\": 1, \"content\": \"\xc3\xbc\", \"special\": false}, {\"id\": 3, \"content\": "
        "\"\xc3\xb8\xc3\xbf\"}], \"decoder\": {\"type\": \"ByteLevel\"}, \"model\": {\"vocab\": {\"\xc3\xbc\": 0, "
        "\"\xc3\xbf\": 1, \"e\": 2}}}";
    weir_vocab *vocab;
    ASSERT_OK(from_text(text, "{\"eos_ids\": [2]}", NULL, &vocab, NULL), NULL);
    EXPECT_TRUE(TOKEN_IS(vocab, 0, "\xfc"));
    EXPECT_TRUE(TOKEN_IS(vocab, 1, "\xc3\xbc"));
    EXPECT_TRUE(TOKEN_IS(vocab, 3, "\xc3\xb8\xc3\xbf"));
    weir_vocab_destroy(vocab);
}

TEST(vocab_trap_7, byte_pieces_take_either_case_and_only_where_the_file_has_them) {
    static const struct {
        const char *decoder, *bytes;
        uint32_t length;
    } cases[] = {
        {"{\"type\": \"ByteLevel\"}", "<0x41>", 6},
        {"{\"type\": \"Metaspace\"}", "<0x41>", 6},
        {"{\"type\": \"Sequence\", \"decoders\": [{\"type\": \"Metaspace\"}, {\"type\": \"ByteFallback\"}]}", "A", 1},
    };
    for (uint32_t i = 0; i < COUNT(cases); ++i) {
        test_context("case %u", i);
        char text[512] = "{\"model\": {\"vocab\": {\"<0x41>\": 0, \"e\": 1, \"<0x4a>\": 2}}, \"decoder\": ";
        strcat(text, cases[i].decoder);
        strcat(text, "}");
        weir_vocab *vocab;
        weir_error error;
        ASSERT_OK(from_text(text, "{\"eos_ids\": [1]}", NULL, &vocab, &error), &error);
        EXPECT_TRUE(token_is(vocab, 0, cases[i].bytes, cases[i].length));
        if (i == 2) EXPECT_TRUE(TOKEN_IS(vocab, 2, "J"));
        weir_vocab_destroy(vocab);
    }
}

TEST(vocab_trap_7, the_mark_for_a_space_is_what_the_decoder_replaces) {
    const char *text = "{\"decoder\": {\"type\": \"Sequence\", \"decoders\": [{\"type\": \"Replace\", \"pattern\": "
                       "{\"String\": \"~~\"}, \"content\": \" \"}, {\"type\": \"Fuse\"}]}, \"model\": {\"vocab\": "
                       "{\"~~a~\": 0, \"\xe2\x96\x81\": 1, \"e\": 2}}}";
    weir_vocab *vocab;
    ASSERT_OK(from_text(text, "{\"eos_ids\": [2]}", NULL, &vocab, NULL), NULL);
    EXPECT_TRUE(TOKEN_IS(vocab, 0, " a~"));
    EXPECT_TRUE(TOKEN_IS(vocab, 1, "\xe2\x96\x81"));
    weir_vocab_destroy(vocab);
}

TEST(vocab_trap_8, pieces_of_characters_join_and_count_as_one_code_point) {
    const weir_token more[] = {TOKEN("\xe4\xb8"), TOKEN("\xad\""), TOKEN("\xad\xe6\x96"), TOKEN("\xff\xfe"),
                               CONTROL("</s>")};
    weir_vocab *vocab = bytes_and(more, 5);
    weir_grammar *grammar;
    weir_matcher *matcher = start(vocab, "{\"type\": \"string\", \"maxLength\": 1}", &grammar);
    take(matcher, '"');
    EXPECT_TRUE(allows(vocab, matcher, 256));
    EXPECT_FALSE(allows(vocab, matcher, 257)); /* begins in mid-character */
    EXPECT_FALSE(allows(vocab, matcher, 259)); /* never UTF-8 */
    EXPECT_FALSE(allows(vocab, matcher, 0x80));
    take(matcher, 256);
    EXPECT_TRUE(allows(vocab, matcher, 257));
    EXPECT_FALSE(allows(vocab, matcher, 258)); /* a second code point would begin */
    EXPECT_FALSE(allows(vocab, matcher, '"'));
    take(matcher, 257);
    EXPECT_EQ(fill(vocab, matcher)->count, 1);
    EXPECT_TRUE(allows(vocab, matcher, 260));
    end(vocab, grammar, matcher);
}

TEST(vocab_trap_9, tokens_across_structure_count_items_and_characters_inside) {
    const weir_token more[] = {TOKEN("\",\""), TOKEN("\"]"), TOKEN("ab\",\"cd"), TOKEN("[\""), CONTROL("</s>")};
    weir_vocab *vocab = bytes_and(more, 5);
    weir_grammar *grammar;
    weir_matcher *matcher = start(
        vocab, "{\"type\":\"array\",\"items\":{\"type\":\"string\",\"maxLength\":2},\"minItems\":2,\"maxItems\":3}",
        &grammar);
    take(matcher, 259);
    EXPECT_FALSE(allows(vocab, matcher, 257)); /* one item is too few */
    EXPECT_TRUE(allows(vocab, matcher, 258));
    take(matcher, 'x');
    EXPECT_FALSE(allows(vocab, matcher, 258)); /* three characters in one item */
    take(matcher, 256);
    EXPECT_TRUE(allows(vocab, matcher, 257));
    take(matcher, 256);
    EXPECT_FALSE(allows(vocab, matcher, 256)); /* a fourth item */
    EXPECT_FALSE(allows(vocab, matcher, 258));
    take(matcher, 257);
    EXPECT_TRUE(allows(vocab, matcher, 260));
    end(vocab, grammar, matcher);
}

TEST(vocab_trap_9, tokens_across_objects_close_and_open_frames) {
    const weir_token more[] = {TOKEN("\"},{\""), TOKEN("\":\""), TOKEN("[{\""), TOKEN("\"}]"), CONTROL("</s>")};
    weir_vocab *vocab = bytes_and(more, 5);
    weir_grammar *grammar;
    weir_matcher *matcher = start(vocab,
                                  "{\"type\":\"array\",\"maxItems\":2,\"items\":{\"type\":\"object\",\"properties\":{"
                                  "\"a\":{\"type\":\"string\"}},\"required\":[\"a\"],\"additionalProperties\":false}}",
                                  &grammar);
    take(matcher, 258);
    take(matcher, 'a');
    take(matcher, 257);
    take(matcher, 'z');
    EXPECT_TRUE(allows(vocab, matcher, 256));
    take(matcher, 256);
    EXPECT_FALSE(allows(vocab, matcher, 257)); /* the name has not been written */
    take(matcher, 'a');
    take(matcher, 257);
    EXPECT_FALSE(allows(vocab, matcher, 256)); /* a third item */
    EXPECT_TRUE(allows(vocab, matcher, 259));
    end(vocab, grammar, matcher);
}

TEST(vocab_trap_10, NUL_is_a_byte_like_others_in_tokens_and_schemas) {
    const weir_token more[] = {TOKEN("a\0b"), TOKEN("\\u0000"), CONTROL("</s>")};
    weir_vocab *vocab = bytes_and(more, 3);
    weir_grammar *grammar;
    weir_matcher *matcher = start(vocab, "{\"enum\": [\"a\\u0000b\", \"a\"]}", &grammar);
    EXPECT_TRUE(TOKEN_IS(vocab, 256, "a\0b"));
    take(matcher, '"');
    EXPECT_FALSE(allows(vocab, matcher, 256)); /* JSON has it escaped only */
    EXPECT_FALSE(allows(vocab, matcher, 0));
    take(matcher, 'a');
    EXPECT_TRUE(allows(vocab, matcher, 257));
    take(matcher, 257);
    EXPECT_FALSE(allows(vocab, matcher, '"'));
    EXPECT_TRUE(allows(vocab, matcher, 'b'));
    end(vocab, grammar, matcher);
}

TEST(vocab_trap_11, add_prefix_space_changes_no_bytes) {
    const char *texts[] = {"{\"decoder\": {\"type\": \"ByteLevel\", \"add_prefix_space\": true}, \"model\": "
                           "{\"vocab\": {\"a\": 0, \"e\": 1}}}",
                           "{\"decoder\": {\"type\": \"Metaspace\", \"add_prefix_space\": true, \"prepend_scheme\": "
                           "\"always\"}, \"model\": "
                           "{\"vocab\": {\"a\": 0, \"e\": 1}}}"};
    for (uint32_t i = 0; i < 2; ++i) {
        weir_vocab *vocab;
        ASSERT_OK(from_text(texts[i], "{\"eos_ids\": [1], \"add_prefix_space\": true}", NULL, &vocab, NULL), NULL);
        EXPECT_TRUE(TOKEN_IS(vocab, 0, "a"));
        weir_vocab_destroy(vocab);
    }
}

/* Flags that lie: added tokens that claim to be text are text, as the model's own files say, until they are stop ids.
 */
TEST(vocab_trap_flags, added_tokens_that_claim_to_be_text_are_text_until_they_stop) {
    static const struct {
        const char *name, *text;
        uint32_t token;
    } cases[] = {{"phi3_mini", "</s>", 2},
                 {"qwen3", "<think>", 151667},
                 {"qwen3", "<tool_call>", 151657},
                 {"mistral_v3", "[REFERENCE_DOC_0]", 770}};
    for (uint32_t i = 0; i < COUNT(cases); ++i) {
        test_context("%s", cases[i].text);
        char path[1024], relative[128] = "tokenizers/";
        strcat(strcat(relative, cases[i].name), ".meta.json");
        const char *file = test_data(relative, path, sizeof path);
        weir_vocab *vocab;
        weir_error error;
        ASSERT_OK(weir_vocab_load(file, NULL, &vocab, &error), &error);
        EXPECT_TRUE(token_is(vocab, cases[i].token, cases[i].text, (uint32_t)strlen(cases[i].text)));
        weir_grammar *grammar;
        weir_matcher *matcher = start(vocab, "{\"type\": \"string\"}", &grammar);
        take(matcher, vocab->byte_token['"']);
        EXPECT_TRUE(allows(vocab, matcher, cases[i].token));
        end(vocab, grammar, matcher);
        const weir_vocab_options options = with_stop(&cases[i].token, 1);
        ASSERT_OK(weir_vocab_load(file, &options, &vocab, &error), &error);
        matcher = start(vocab, "{\"type\": \"string\"}", &grammar);
        take(matcher, vocab->byte_token['"']);
        EXPECT_FALSE(allows(vocab, matcher, cases[i].token));
        end(vocab, grammar, matcher);
    }
}

TEST(vocab_trap_flags, rows_that_are_no_multiple_of_32_end_clean) {
    static const char *const names[] = {"gpt2_r50k_base", "o200k_base", "cl100k_base"};
    for (uint32_t i = 0; i < COUNT(names); ++i) {
        test_context("%s", names[i]);
        char path[1024], relative[128] = "tokenizers/";
        strcat(strcat(relative, names[i]), ".meta.json");
        weir_vocab *vocab;
        weir_error error;
        ASSERT_OK(weir_vocab_load(test_data(relative, path, sizeof path), NULL, &vocab, &error), &error);
        EXPECT_NE(vocab->logits_width % 32, 0);
        weir_grammar *grammar;
        weir_matcher *matcher = start(vocab, "{\"type\": \"string\"}", &grammar);
        take(matcher, vocab->byte_token['"']);
        const mask *mask = fill(vocab, matcher);
        EXPECT_EQ(mask->words[vocab->mask_words - 1] >> vocab->logits_width % 32, 0);
        for (uint32_t id = 0; id < vocab->token_count && !test_has_failed(); ++id)
            if (vocab->flags[id] != 0) EXPECT_FALSE(mask->words[id / 32] >> id % 32 & 1); /* holes and control tokens */
        end(vocab, grammar, matcher);
    }
}
