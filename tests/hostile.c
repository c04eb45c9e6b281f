/* hostile.c - writes hostile inputs, compiles them inside the default budgets and uses what compiles. */
#include "hostile.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MEMORY_LIMIT = 512 << 20, MEMORY_BESIDE = 64 << 20 }; /* beside: the tables themselves, and a matcher */

double hostile_seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

void hostile_add(hostile_text *t, const char *bytes, size_t length) {
    if (t->length + length + 1 > t->capacity) {
        t->capacity = 2 * (t->length + length + 1);
        t->bytes = realloc(t->bytes, t->capacity);
        ASSERT_NOT_NULL(t->bytes);
    }
    memcpy(t->bytes + t->length, bytes, length);
    t->length += length;
    t->bytes[t->length] = '\0';
}

void hostile_piece(hostile_text *t, const char *piece, uint32_t index) {
    for (; *piece != '\0'; piece++) {
        char number[16];
        if (*piece == '@' || *piece == '`') {
            hostile_add(t, number, (size_t)snprintf(number, sizeof number, "%u", (unsigned)(index + (*piece == '`'))));
        } else {
            hostile_add(t, *piece == '\'' ? "\"" : piece, 1);
        }
    }
}

void hostile_free(hostile_text *t) {
    free(t->bytes);
    *t = (hostile_text){NULL, 0, 0};
}

void hostile_write(const hostile_case *h, hostile_text *t) {
    t->length = 0;
    hostile_piece(t, h->head, 0);
    for (uint32_t i = 0; i < h->count; i++) hostile_piece(t, h->open, i);
    hostile_piece(t, h->middle, h->count);
    for (uint32_t i = h->count; i-- > 0;) hostile_piece(t, h->close, i);
    hostile_piece(t, h->tail, h->count);
}

/* --- using a grammar ------------------------------------------------------------------------------------------ */

/* The next token of the mask from `start` on, around its end; UINT32_MAX: it is empty. */
static uint32_t next_token(const uint32_t *mask, uint32_t words, uint32_t start) {
    for (uint32_t i = 0; i < words * 32; i++) {
        uint32_t token = (start + i) % (words * 32);
        if (mask[token / 32] >> token % 32 & 1) return token;
    }
    return UINT32_MAX;
}

static void expect_same_mask(weir_matcher *one, weir_matcher *other, uint32_t words) {
    uint32_t *masks = malloc(2 * sizeof *masks * words);
    ASSERT_NOT_NULL(masks);
    EXPECT_OK(weir_matcher_fill_mask(one, masks, words, NULL), NULL);
    EXPECT_OK(weir_matcher_fill_mask(other, masks + words, words, NULL), NULL);
    EXPECT_TRUE(memcmp(masks, masks + words, sizeof *masks * words) == 0);
    free(masks);
}

/* Back by one token and forth again, in a matcher and in a copy of it. */
static void go_back(weir_matcher *matcher, uint32_t token, uint32_t words) {
    weir_matcher *copy;
    weir_error error;
    ASSERT_OK(weir_matcher_clone(matcher, &copy, &error), &error);
    EXPECT_OK(weir_matcher_rollback(matcher, 1, &error), &error);
    EXPECT_EQ(weir_matcher_validate(matcher, &token, 1), 1);
    EXPECT_OK(weir_matcher_accept(matcher, token, &error), &error);
    expect_same_mask(matcher, copy, words);
    weir_matcher_destroy(copy);
}

void hostile_use(const weir_grammar *grammar, uint32_t longest) {
    weir_matcher *matcher;
    weir_error error;
    uint32_t words = weir_vocab_mask_words(weir_grammar_vocab(grammar)), place = 7;
    uint32_t *mask = malloc(sizeof *mask * words);
    double slowest = 0;
    ASSERT_NOT_NULL(mask);
    ASSERT_OK(weir_matcher_create(grammar, NULL, &matcher, &error), &error);
    for (uint32_t i = 0; i < longest && !weir_matcher_is_stopped(matcher) && !test_has_failed(); i++) {
        double start = hostile_seconds();
        ASSERT_OK(weir_matcher_fill_mask(matcher, mask, words, &error), &error);
        if (hostile_seconds() - start > slowest) slowest = hostile_seconds() - start;
        uint32_t token = next_token(mask, words, place);
        if (token == UINT32_MAX) break;
        EXPECT_OK(weir_matcher_accept(matcher, token, &error), &error);
        if (i % 3 == 2) go_back(matcher, token, words);
        place = place * 48271 % 2147483647;
    }
    EXPECT_TRUE(weir_grammar_satisfiable(grammar) == (weir_matcher_token_count(matcher) > 0));
    printf("        %u tokens, slowest mask %.1f ms\n", (unsigned)weir_matcher_token_count(matcher), 1e3 * slowest);
    weir_matcher_destroy(matcher);
    free(mask);
}

/* --- compiling one -------------------------------------------------------------------------------------------- */

/* What was compiled is what a saved copy of it says. */
static void expect_loads(const weir_grammar *grammar, const weir_allocator *allocator) {
    size_t length;
    const void *tables = weir_grammar_tables(grammar, &length);
    weir_grammar *loaded;
    weir_error error;
    EXPECT_OK(weir_grammar_load(weir_grammar_vocab(grammar), tables, length, allocator, &loaded, &error), &error);
    weir_grammar_destroy(loaded);
}

static void compile_one(const weir_vocab *vocab, const hostile_case *h, const hostile_text *t) {
    test_memory *memory = test_memory_create();
    weir_allocator allocator = test_allocator(memory);
    weir_grammar_options options = WEIR_GRAMMAR_OPTIONS_INIT;
    weir_grammar *grammar;
    weir_error error = {WEIR_OK, 0, -1, "", ""};
    options.allocator = &allocator;
    double start = hostile_seconds();
    weir_status status = weir_grammar_from_json_schema(vocab, t->bytes, t->length, &options, &grammar, &error);
    printf("%-44s %9zu bytes %6.2f s %6.1f MB %s %s (byte %lld, %.40s)\n", h->name, t->length, hostile_seconds() - start,
           1e-6 * (double)memory->peak_bytes, weir_status_name(status), error.message, (long long)error.byte, error.pointer);
    bool may = h->expected == HOSTILE_MAY_BE_REFUSED && (status == WEIR_OK || status == WEIR_ERROR_SCHEMA);
    if (!may) EXPECT_STATUS(status, h->expected, &error);
    EXPECT_LE(memory->peak_bytes, MEMORY_LIMIT + MEMORY_BESIDE);
    if (status != WEIR_OK) {
        EXPECT_TRUE(error.byte >= 0); /* a place, and a sentence */
        EXPECT_NE(error.message[0], '\0');
        EXPECT_NULL(grammar);
    } else {
        expect_loads(grammar, &allocator);
        hostile_use(grammar, 100);
    }
    weir_grammar_destroy(grammar);
    EXPECT_EQ(memory->live_blocks, 0);
}

void hostile_compile(const weir_vocab *vocab, const hostile_case *cases, size_t count) {
    hostile_text t = {NULL, 0, 0};
    const char *only = getenv("HOSTILE");
    for (size_t i = 0; i < count; i++) {
        if (only != NULL && strstr(cases[i].name, only) == NULL) continue;
        test_context("hostile input \"%s\"", cases[i].name);
        hostile_write(&cases[i], &t);
        compile_one(vocab, &cases[i], &t);
        fflush(stdout);
    }
    test_context(NULL);
    hostile_free(&t);
}

void hostile_compile_small(const hostile_case *cases, size_t count) {
    weir_vocab *vocab;
    weir_error error;
    ASSERT_OK(weir_vocab_default(NULL, &vocab, &error), &error);
    hostile_compile(vocab, cases, count);
    weir_vocab_destroy(vocab);
}

void hostile_compile_real(const hostile_case *cases, size_t count) {
    weir_vocab *vocab;
    weir_error error;
    char path[1024];
    ASSERT_OK(weir_vocab_load(test_data("tokenizers/llama3.tiktoken.gz", path, sizeof path), NULL, &vocab, &error), &error);
    hostile_compile(vocab, cases, count);
    weir_vocab_destroy(vocab);
}

weir_vocab *hostile_vocab(void) {
    static const char *const longer[] = {"\": ", "\", \"", "{\"", "[[", "]]", "}, ", "12", "0.5", "abc", "ab\"", "\\u00", "null", "true",
                                         "one\"", "[1, 2", "\"]", "\n  ", "false", "-1e", "x\"", "aa", "  "};
    enum { LONGER = sizeof longer / sizeof *longer };
    weir_token tokens[256 + LONGER + 1];
    uint8_t bytes[256];
    uint32_t stop = 256 + LONGER;
    weir_vocab_options options = WEIR_VOCAB_OPTIONS_INIT;
    weir_vocab *vocab;
    weir_error error;
    for (uint32_t i = 0; i < 256; i++) {
        bytes[i] = (uint8_t)i;
        tokens[i] = (weir_token){&bytes[i], 1, 0};
    }
    for (uint32_t i = 0; i < LONGER; i++) tokens[256 + i] = (weir_token){longer[i], (uint32_t)strlen(longer[i]), 0};
    tokens[stop] = (weir_token){"<end>", 5, WEIR_TOKEN_SPECIAL};
    options.stop_ids = &stop, options.stop_count = 1, options.logits_width = 300;
    ASSERT_OK(weir_vocab_create(tokens, stop + 1, &options, &vocab, &error), &error);
    return vocab;
}
