/* test_unwritable.c - vocabularies that cannot write what a grammar needs: an error at compile time that names the
 * bytes and the place, or a language without it; never an empty mask, and never a token that the mask allows and accept
 * refuses. */
#include "vocab_helpers.h"

#include <stdio.h>
#include <string.h>

/* Every byte but those of `without` (NULL: none), some longer tokens of the others, and a stop token behind them. */
static weir_vocab *byte_vocab(const char *without) {
    static const char *const longer[] = {"\"},", "\": ", "\":", "{\"", "ab", "zq\"", "  ", "\n ", ", \"", "null", "tr"};
    static char bytes[256];
    weir_token tokens[256 + COUNT(longer) + 1];
    uint32_t count = 0;
    for (uint32_t byte = 0; byte < 256; ++byte) {
        bytes[byte] = (char)byte;
        if (!without || byte == 0 || !strchr(without, (int)byte)) tokens[count++] = (weir_token){bytes + byte, 1, 0};
    }
    for (uint32_t i = 0; i < COUNT(longer); ++i)
        tokens[count++] = (weir_token){longer[i], (uint32_t)strlen(longer[i]), 0};
    tokens[count++] = (weir_token)CONTROL("</s>");
    const uint32_t stop = count - 1;
    const weir_vocab_options options = with_stop(&stop, 1);
    weir_vocab *vocab;
    ASSERT_OK(weir_vocab_create(tokens, count, &options, &vocab, NULL), NULL);
    return vocab;
}

static weir_status compile(const weir_vocab *vocab, const char *schema, const weir_grammar_options *options,
                           weir_grammar **grammar, weir_error *error) {
    return weir_grammar_from_json_schema(vocab, schema, strlen(schema), options, grammar, error);
}

static uint64_t random_state = 1;

static uint32_t draw(uint32_t below) {
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(random_state >> 33) % below;
}

/* Takes random tokens of the masks up to a stop token or `longest` of them. */
static void walk(const weir_vocab *vocab, const weir_grammar *grammar, uint32_t longest) {
    uint32_t mask[4096], stop_count;
    const uint32_t words = weir_vocab_mask_words(vocab), *stop_ids = weir_vocab_stop_ids(vocab, &stop_count);
    weir_matcher *matcher;
    weir_error error;
    ASSERT_OK(weir_matcher_create(grammar, NULL, &matcher, &error), &error);
    for (uint32_t taken = 0; taken < longest && !test_has_failed(); ++taken) {
        uint32_t allowed = 0, token = 0;
        EXPECT_OK(weir_matcher_fill_mask(matcher, mask, words, &error), &error);
        for (uint32_t id = 0; id < vocab->token_count; ++id)
            if (mask[id / 32] >> id % 32 & 1 && draw(++allowed) == 0) token = id;
        if (!EXPECT_GT(allowed, 0)) break;
        if (!EXPECT_OK(weir_matcher_accept(matcher, token, &error), &error)) break;
        if (token == stop_ids[0]) break;
    }
    weir_matcher_destroy(matcher);
}

TEST(unwritable, no_single_missing_byte_leads_into_an_empty_mask) {
    static const char *const schemas[] = {
        "{\"type\":\"object\",\"properties\":{\"zq\":{\"type\":\"string\",\"maxLength\":4},\"kw\":{\"type\":"
        "\"integer\"}},"
        "\"required\":[\"zq\"],\"additionalProperties\":false}",
        "{\"type\":\"object\",\"minProperties\":2,\"maxProperties\":3}",
        "{\"type\":\"object\",\"minProperties\":1,\"propertyNames\":{\"pattern\":\"^[x\\u0001]$\"}}",
        "{\"type\":\"array\",\"items\":{\"enum\":[\"j\",7,null,{\"v\":[1]}]},\"minItems\":1,\"maxItems\":3}",
        "{\"type\":\"array\",\"items\":{\"enum\":[\"j\",7,null,true]},\"minItems\":2,\"uniqueItems\":true}",
        "{\"type\":\"array\",\"items\":{\"type\":\"integer\",\"minimum\":0,\"maximum\":3},\"uniqueItems\":true,"
        "\"minItems\":3}",
        "{\"anyOf\":[{\"type\":\"object\",\"required\":[\"q\"],\"properties\":{\"q\":{\"const\":\"x\"}}},{\"type\":"
        "\"string\",\"pattern\":\"^[g-k]{2}$\"},{\"type\":\"array\",\"contains\":{\"const\":\"w\"}}]}",
        "{\"type\":\"string\",\"minLength\":3,\"maxLength\":5}"};
    uint32_t refused = 0;
    random_state = 1;
    for (uint32_t byte = 1; byte < 128; ++byte) {
        const char without[2] = {(char)byte, 0};
        weir_vocab *vocab = byte_vocab(without);
        for (uint32_t policy = 0; policy < 8; ++policy)
            for (uint32_t i = 0; i < COUNT(schemas); ++i) {
                test_context("without byte 0x%02x, policy %u, schema %u", byte, policy, i);
                weir_grammar_options options = WEIR_GRAMMAR_OPTIONS_INIT;
                options.whitespace = (weir_whitespace)(policy % 4);
                options.order = (weir_key_order)(policy / 4);
                weir_grammar *grammar;
                weir_error error;
                const weir_status status = compile(vocab, schemas[i], &options, &grammar, &error);
                refused += status != WEIR_OK;
                if (status != WEIR_OK) EXPECT_EQ(status, WEIR_ERROR_VOCAB);
                for (uint32_t round = 0; status == WEIR_OK && round < 2; ++round) walk(vocab, grammar, 100);
                weir_grammar_destroy(grammar);
            }
        weir_vocab_destroy(vocab);
    }
    EXPECT_GT(refused, 200);
}

TEST(unwritable, errors_name_the_bytes_and_the_place) {
    static const struct {
        const char *without, *schema, *message, *pointer;
    } cases[] = {
        {"{", "{\"type\":\"object\"}",
         "no document can be written: the vocabulary has no token for the byte 0x7B ('{')", ""},
        {"\\{", "{\"const\":\"\\n\"}", "for the byte 0x5C ('\\')", ""},
        {"[,", "{\"type\":\"array\",\"minItems\":2,\"items\":{\"const\":1}}", "for the bytes 0x2C (',') and 0x5B ('[')",
         ""},
        {"],", "{\"type\":\"array\",\"maxItems\":3,\"items\":{\"const\":1}}",
         "containers cannot be written: the vocabulary has no token for the bytes 0x2C (',') and 0x5D (']')", ""},
        {"k",
         "{\"properties\":{\"a\":{\"type\":\"object\",\"properties\":{\"key\":{}}}},\"type\":\"object\","
         "\"additionalProperties\":false}",
         "names of properties cannot be written: the vocabulary has no token for the byte 0x6B ('k')", "/properties/a"},
        {"7", "{\"type\":\"array\",\"items\":{\"enum\":[5,7]},\"uniqueItems\":true}", "items that must differ", ""},
        {"x", "{\"type\":\"object\",\"properties\":{\"a\":{\"const\":\"x\"}},\"additionalProperties\":false}",
         "no value of one of the properties", ""},
        {"abcdefghij", "{\"const\":\"abcdefghij\"}", "and 2 more", ""},
    };
    for (uint32_t i = 0; i < COUNT(cases); ++i) {
        test_context("case %u", i);
        weir_vocab *vocab = byte_vocab(cases[i].without);
        weir_grammar *grammar = (weir_grammar *)1;
        weir_error error;
        EXPECT_STATUS(compile(vocab, cases[i].schema, NULL, &grammar, &error), WEIR_ERROR_VOCAB, &error);
        EXPECT_NULL(grammar);
        EXPECT_CONTAINS(error.message, cases[i].message);
        EXPECT_STREQ(error.pointer, cases[i].pointer);
        weir_vocab_destroy(vocab);
    }
}

static weir_vocab *real_vocab(const char *name) {
    char path[1024], relative[128];
    snprintf(relative, sizeof relative, "tokenizers/%s.meta.json", name);
    weir_vocab *vocab;
    weir_error error;
    ASSERT_OK(weir_vocab_load(test_data(relative, path, sizeof path), NULL, &vocab, &error), &error);
    return vocab;
}

TEST(unwritable, t5_small_cannot_write_objects_and_says_so) {
    static const char *const refused[] = {"{\"type\":\"object\"}", "{\"const\":\"\\n\"}",
                                          "{\"const\":\"\xe4\xb8\xad\"}",
                                          "{\"type\":\"array\",\"minItems\":1,\"items\":{\"type\":\"object\"}}"};
    static const char *const written[] = {"{}", "{\"type\":\"string\",\"maxLength\":8}", "{\"type\":\"integer\"}",
                                          "{\"enum\":[\"{}\",\"x\",[1]]}"};
    weir_vocab *vocab = real_vocab("t5_small");
    weir_grammar *grammar;
    weir_error error;
    for (uint32_t i = 0; i < COUNT(refused); ++i) {
        test_context("refused %u", i);
        EXPECT_STATUS(compile(vocab, refused[i], NULL, &grammar, &error), WEIR_ERROR_VOCAB, &error);
        EXPECT_CONTAINS(error.message, "the vocabulary has no token for the byte");
    }
    for (uint32_t i = 0; i < COUNT(written); ++i) {
        test_context("written %u", i);
        ASSERT_OK(compile(vocab, written[i], NULL, &grammar, &error), &error);
        for (uint32_t round = 0; round < 20; ++round) walk(vocab, grammar, 100);
        weir_grammar_destroy(grammar);
    }
    weir_vocab_destroy(vocab);
}

TEST(unwritable, falcon_lacks_28_bytes_and_writes_json) {
    static const char *const schemas[] = {
        "{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"string\",\"maxLength\":20}},\"required\":[\"a\"]}",
        "{}", "{\"const\":\"\\u0003\"}", "{\"type\":\"array\",\"items\":{\"type\":\"string\"},\"uniqueItems\":true}"};
    weir_vocab *vocab = real_vocab("falcon");
    weir_grammar *grammar;
    weir_error error;
    for (uint32_t i = 0; i < COUNT(schemas); ++i) {
        test_context("schema %u", i);
        ASSERT_OK(compile(vocab, schemas[i], NULL, &grammar, &error), &error);
        for (uint32_t round = 0; round < 20; ++round) walk(vocab, grammar, 100);
        weir_grammar_destroy(grammar);
    }
    /* U+80000 begins with the byte F2 */
    EXPECT_STATUS(
        compile(vocab, "{\"properties\":{\"a\":{\"properties\":{\"\\ud9c0\\udc00\":{}}}}}", NULL, &grammar, &error),
        WEIR_ERROR_VOCAB, &error);
    EXPECT_CONTAINS(error.message, "for the byte 0xF2");
    EXPECT_STREQ(error.pointer, "/properties/a");
    weir_vocab_destroy(vocab);
}
