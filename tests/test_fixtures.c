/* test_fixtures.c - forced strings and next bytes of the seed fixtures, read from the public calls.
 *
 * In: $WEIR_DATA/fixtures/seed_fixtures.json. The prefix is written byte by byte; then weir_matcher_forced_bytes and the
 * mask must say what the fixture says, in each white-space policy that it names. */
#include "harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"

/* What a next-byte check asks about, as UTF-8: the printable ASCII characters come from a loop. */
static const char *const other_probes[] = {"\t", "\n", "\r", "\xc3\xa9", "\xe4\xb8\xad", "\xf0\x9f\x98\x80"};

typedef struct fixtures {
    char *text;
    size_t length;
    arena arena;
    const json *root;
    weir_vocab *vocab;
} fixtures;

static void fixtures_open(fixtures *fixtures, const char *vocab)
{
    char path[1024];
    weir_error error = {.byte = -1};
    memset(fixtures, 0, sizeof *fixtures);
    test_data("fixtures/seed_fixtures.json", path, sizeof path);
    fixtures->text = test_read_file(path, &fixtures->length);
    arena_init(&fixtures->arena, NULL, 0);
    ASSERT_OK(json_parse(fixtures->text, fixtures->length, NULL, &fixtures->arena, &fixtures->root, &error), &error);
    if (vocab) {
        test_data(vocab, path, sizeof path);
        ASSERT_OK(weir_vocab_load(path, NULL, &fixtures->vocab, &error), &error);
    } else {
        ASSERT_OK(weir_vocab_default(NULL, &fixtures->vocab, &error), &error);
    }
}

static void fixtures_close(fixtures *fixtures)
{
    weir_vocab_destroy(fixtures->vocab);
    arena_free(&fixtures->arena);
    free(fixtures->text);
}

/* The schema's source text ends where its brackets do. */
static size_t schema_length(const char *text)
{
    size_t depth = 0, at = 0;
    do {
        if (text[at] == '"') {
            for (at++; text[at] != '"'; at++) at += text[at] == '\\';
        }
        depth += text[at] == '{' || text[at] == '[';
        depth -= text[at] == '}' || text[at] == ']';
        at++;
    } while (depth > 0);
    return at;
}

static weir_grammar *compile(const fixtures *fixtures, const json *fixture, weir_whitespace whitespace)
{
    weir_grammar_options options = WEIR_GRAMMAR_OPTIONS_INIT;
    weir_error error = {.byte = -1};
    weir_grammar *grammar = NULL;
    const char *schema = fixtures->text + json_get(fixture, "schema")->byte;
    const json *policy = json_get(json_get(fixture, "policy"), "objects_without_additionalProperties");
    options.whitespace = whitespace;
    options.objects = json_string_is(policy, "closed") ? WEIR_OBJECTS_CLOSED : WEIR_OBJECTS_STANDARD;
    ASSERT_OK(weir_grammar_from_json_schema(fixtures->vocab, schema, schema_length(schema), &options, &grammar, &error), &error);
    return grammar;
}

static bool is_set(const uint32_t *mask, uint32_t token)
{
    return (mask[token / 32] >> token % 32 & 1) != 0;
}

/* The text token that is exactly these bytes, by plain search. */
static uint32_t find_token(const weir_vocab *vocab, const char *bytes, uint32_t length)
{
    uint32_t count = weir_vocab_token_count(vocab), found;
    for (uint32_t token = 0; token < count; token++) {
        const uint8_t *text = weir_vocab_token(vocab, token, &found);
        if (found == length && !weir_vocab_is_special(vocab, token) && memcmp(text, bytes, length) == 0) return token;
    }
    return UINT32_MAX;
}

/* Each byte as a token of its own: the mask must hold it, and accept must take it. */
static bool write_bytes(const weir_vocab *vocab, weir_matcher *matcher, const char *bytes, size_t length)
{
    uint32_t mask[8192];
    weir_error error = {.byte = -1};
    for (size_t i = 0; i < length; i++) {
        uint32_t token = find_token(vocab, bytes + i, 1);
        ASSERT_LE(weir_vocab_mask_words(vocab), 8192);
        ASSERT_OK(weir_matcher_fill_mask(matcher, mask, weir_vocab_mask_words(vocab), &error), &error);
        bool accepted = weir_matcher_accept(matcher, token, &error) == WEIR_OK;
        EXPECT_EQ(accepted, is_set(mask, token));
        if (!accepted) {
            weir_matcher_rollback(matcher, (uint32_t)i, NULL);
            return false;
        }
    }
    return true;
}

static weir_matcher *start(const fixtures *fixtures, const weir_grammar *grammar, const json *prefix)
{
    weir_matcher *matcher = NULL;
    weir_matcher_options options = WEIR_MATCHER_OPTIONS_INIT;
    weir_error error = {.byte = -1};
    options.rollback_tokens = 4096;
    ASSERT_OK(weir_matcher_create(grammar, &options, &matcher, &error), &error);
    ASSERT_TRUE(write_bytes(fixtures->vocab, matcher, prefix->text, prefix->length));
    return matcher;
}

static void check_forced(const fixtures *fixtures, const char *policy, weir_whitespace whitespace)
{
    for (const json *fixture = fixtures->root->child; fixture; fixture = fixture->next) {
        weir_grammar *grammar = compile(fixtures, fixture, whitespace);
        for (const json *entry = json_get(fixture, "forced")->child; entry; entry = entry->next) {
            const json *prefix = json_get(entry, "prefix"), *expected = json_get(entry, policy);
            uint8_t bytes[256];
            size_t length = 0;
            weir_error error = {.byte = -1};
            test_context("%s, %s, after %s", json_get(fixture, "id")->text, policy, prefix->text);
            weir_matcher *matcher = start(fixtures, grammar, prefix);
            EXPECT_OK(weir_matcher_forced_bytes(matcher, bytes, sizeof bytes, &length, &error), &error);
            EXPECT_BYTES_EQ(bytes, length, expected->text, expected->length);
            weir_matcher_destroy(matcher);
        }
        weir_grammar_destroy(grammar);
    }
    test_context(NULL);
}

static bool is_expected(const json *allowed, const char *probe)
{
    if (strncmp(allowed->text, "all but", 7) == 0) return strchr("\t\n\r", probe[0]) == NULL;
    return strstr(allowed->text, probe) != NULL;
}

static bool is_stop_set(const weir_vocab *vocab, const uint32_t *mask)
{
    uint32_t count;
    const uint32_t *stops = weir_vocab_stop_ids(vocab, &count);
    for (uint32_t i = 0; i < count; i++) {
        if (is_set(mask, stops[i])) return true;
    }
    return false;
}

static void check_probes(const fixtures *fixtures, weir_matcher *matcher, const json *allowed)
{
    char one[2] = "";
    for (int byte = 0x20; byte < 0x7f; byte++) {
        one[0] = (char)byte;
        if (write_bytes(fixtures->vocab, matcher, one, 1) != is_expected(allowed, one)) ADD_FAILURE("next byte '%s'", one);
        weir_matcher_rollback(matcher, is_expected(allowed, one), NULL);
    }
    for (size_t i = 0; i < sizeof other_probes / sizeof *other_probes; i++) {
        bool expected = is_expected(allowed, other_probes[i]);
        size_t length = strlen(other_probes[i]);
        if (write_bytes(fixtures->vocab, matcher, other_probes[i], length) != expected) ADD_FAILURE("next character %zu", i);
        weir_matcher_rollback(matcher, expected ? (uint32_t)length : 0, NULL);
    }
}

static void check_next_bytes(const fixtures *fixtures)
{
    for (const json *fixture = fixtures->root->child; fixture; fixture = fixture->next) {
        for (const json *entry = json_get(fixture, "next_bytes")->child; entry; entry = entry->next) {
            uint32_t mask[8192];
            weir_error error = {.byte = -1};
            const json *prefix = json_get(entry, "prefix"), *mode = json_get(entry, "mode");
            weir_whitespace whitespace = json_string_is(mode, "compact") ? WEIR_WHITESPACE_COMPACT
                                         : json_string_is(mode, "spaced") ? WEIR_WHITESPACE_SPACED
                                                                          : WEIR_WHITESPACE_ANY;
            test_context("%s, %s, after %s", json_get(fixture, "id")->text, mode->text, prefix->text);
            weir_grammar *grammar = compile(fixtures, fixture, whitespace);
            weir_matcher *matcher = start(fixtures, grammar, prefix);
            ASSERT_OK(weir_matcher_fill_mask(matcher, mask, weir_vocab_mask_words(fixtures->vocab), &error), &error);
            EXPECT_EQ(is_stop_set(fixtures->vocab, mask), json_get(entry, "eos_allowed")->kind == JSON_TRUE);
            check_probes(fixtures, matcher, json_get(entry, "allowed_first_chars_of_probe"));
            weir_matcher_destroy(matcher);
            weir_grammar_destroy(grammar);
        }
    }
    test_context(NULL);
}

TEST(fixtures, forced_bytes_are_those_that_every_completion_begins_with)
{
    fixtures fixtures;
    fixtures_open(&fixtures, NULL);
    check_forced(&fixtures, "compact", WEIR_WHITESPACE_COMPACT);
    check_forced(&fixtures, "flex", WEIR_WHITESPACE_ANY);
    fixtures_close(&fixtures);
}

TEST(fixtures, the_mask_holds_the_next_bytes_that_may_come_and_no_other)
{
    fixtures fixtures;
    fixtures_open(&fixtures, NULL);
    check_next_bytes(&fixtures);
    fixtures_close(&fixtures);
}

TEST(fixtures, forced_and_next_bytes_are_the_same_for_a_vocabulary_of_128000_tokens)
{
    fixtures fixtures;
    fixtures_open(&fixtures, "tokenizers/llama3.tiktoken.gz");
    check_forced(&fixtures, "compact", WEIR_WHITESPACE_COMPACT);
    check_forced(&fixtures, "flex", WEIR_WHITESPACE_ANY);
    check_next_bytes(&fixtures);
    fixtures_close(&fixtures);
}
