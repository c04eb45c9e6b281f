/* test_hostile_arguments.c - calls with nothing, with nonsense and with the largest numbers there are: each is refused with a
 * sentence or does what it says, and nothing is touched beyond what was given. */
#include "harness.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char schema[] = "{\"type\":\"array\",\"items\":{\"enum\":[\"a\",1,null]},\"maxItems\":3}";

/* Up to 512 MB, then no more: what asks for the whole memory of the machine is told no, quickly. */
static void *capped_reallocate(void *context, void *pointer, size_t old_size, size_t size) {
    weir_allocator inner = test_allocator(context);
    if (size > ((test_memory *)context)->live_bytes + ((size_t)512 << 20)) return NULL;
    return inner.reallocate(inner.context, pointer, old_size, size);
}

static weir_allocator capped(void) { return (weir_allocator){test_memory_create(), capped_reallocate}; }

static weir_vocab *small_vocab(void) {
    weir_vocab *vocab;
    ASSERT_OK(weir_vocab_default(NULL, &vocab, NULL), NULL);
    return vocab;
}

static weir_grammar *small_grammar(const weir_vocab *vocab) {
    weir_grammar *grammar;
    ASSERT_OK(weir_grammar_from_json_schema(vocab, schema, sizeof schema - 1, NULL, &grammar, NULL), NULL);
    return grammar;
}

/* --- NULL ------------------------------------------------------------------------------------------------------- */

TEST(hostile_arguments, destroy_and_questions_take_NULL) {
    uint32_t number = 7;
    size_t length = 7;
    weir_grammar_stats stats;
    weir_grammar_destroy(NULL);
    weir_matcher_destroy(NULL);
    weir_sampler_destroy(NULL);
    weir_vocab_destroy(NULL);
    EXPECT_NULL(weir_grammar_vocab(NULL));
    EXPECT_FALSE(weir_grammar_satisfiable(NULL));
    EXPECT_EQ(weir_grammar_least_tokens(NULL), UINT32_MAX);
    EXPECT_EQ(weir_grammar_keyword_count(NULL, WEIR_KEYWORD_ENFORCED), 0);
    EXPECT_EQ(weir_grammar_report_count(NULL), 0);
    EXPECT_NULL(weir_grammar_report(NULL, 0));
    EXPECT_NULL(weir_grammar_tables(NULL, &length));
    EXPECT_EQ(length, 0);
    weir_grammar_statistics(NULL, &stats);
    EXPECT_EQ(stats.state_count, 0);
    weir_grammar_statistics(NULL, NULL);
    weir_matcher_reset(NULL);
    EXPECT_EQ(weir_matcher_validate(NULL, &number, 1), 0);
    EXPECT_FALSE(weir_matcher_is_accepting(NULL));
    EXPECT_FALSE(weir_matcher_is_stopped(NULL));
    EXPECT_EQ(weir_matcher_token_count(NULL), 0);
    EXPECT_EQ(weir_matcher_row(NULL, NULL), WEIR_ROW_EMPTY);
    EXPECT_EQ(weir_matcher_least_tokens(NULL), UINT32_MAX);
}

TEST(hostile_arguments, questions_to_a_vocabulary_take_NULL) {
    uint32_t number = 7;
    weir_vocab_report report;
    memset(&report, 0x55, sizeof report);
    EXPECT_EQ(weir_vocab_token_count(NULL), 0);
    EXPECT_EQ(weir_vocab_logits_width(NULL), 0);
    EXPECT_EQ(weir_vocab_mask_words(NULL), 0);
    EXPECT_FALSE(weir_vocab_is_special(NULL, 0));
    weir_vocab_token(NULL, 0, &number);
    EXPECT_EQ(number, 0);
    number = 7;
    weir_vocab_stop_ids(NULL, &number);
    EXPECT_EQ(number, 0);
    weir_vocab_check(NULL, &report);
    EXPECT_EQ(report.token_count, 0);
    weir_vocab_check(NULL, NULL);
}

TEST(hostile_arguments, calls_that_make_something_refuse_NULL_and_clear_their_out) {
    weir_vocab *vocab = small_vocab(), *no_vocab = vocab;
    weir_grammar *grammar = small_grammar(vocab), *no_grammar = grammar;
    weir_matcher *matcher = (weir_matcher *)(uintptr_t)8;
    weir_error error;
    weir_token token = {"a", 1, 0};
    const weir_status refused = WEIR_ERROR_ARGUMENT;
    EXPECT_STATUS(weir_vocab_create(&token, 1, NULL, NULL, &error), refused, &error);
    EXPECT_STATUS(weir_vocab_create(NULL, 1, NULL, &no_vocab, &error), refused, &error);
    EXPECT_NULL(no_vocab);
    EXPECT_STATUS(weir_vocab_load(NULL, NULL, &no_vocab, &error), refused, &error);
    EXPECT_STATUS(weir_vocab_load("x", NULL, NULL, &error), refused, &error);
    EXPECT_STATUS(weir_vocab_from_memory(NULL, 5, NULL, 0, NULL, &no_vocab, &error), refused, &error);
    EXPECT_STATUS(weir_vocab_from_memory("a", 1, NULL, 0, NULL, NULL, &error), refused, &error);
    EXPECT_STATUS(weir_vocab_default(NULL, NULL, &error), refused, &error);
    EXPECT_STATUS(weir_grammar_from_json_schema(NULL, schema, 1, NULL, &no_grammar, &error), refused, &error);
    EXPECT_NULL(no_grammar);
    EXPECT_STATUS(weir_grammar_from_json_schema(vocab, NULL, 0, NULL, &no_grammar, &error), refused, &error);
    EXPECT_STATUS(weir_grammar_from_json_schema(vocab, schema, 1, NULL, NULL, &error), refused, &error);
    EXPECT_STATUS(weir_grammar_load(NULL, schema, 1, NULL, &no_grammar, &error), refused, &error);
    EXPECT_STATUS(weir_grammar_load(vocab, NULL, 0, NULL, &no_grammar, &error), refused, &error);
    EXPECT_STATUS(weir_grammar_load(vocab, schema, 1, NULL, NULL, &error), refused, &error);
    EXPECT_STATUS(weir_grammar_load(vocab, schema, 0, NULL, &no_grammar, &error), WEIR_ERROR_TABLES, &error);
    EXPECT_STATUS(weir_matcher_create(NULL, NULL, &matcher, &error), refused, &error);
    EXPECT_NULL(matcher);
    EXPECT_STATUS(weir_matcher_create(grammar, NULL, NULL, &error), refused, &error);
    EXPECT_STATUS(weir_matcher_clone(NULL, &matcher, &error), refused, &error);
    EXPECT_STATUS(weir_matcher_accept(NULL, 0, &error), refused, &error);
    EXPECT_STATUS(weir_matcher_rollback(NULL, 0, &error), refused, &error);
    weir_grammar_destroy(grammar);
    weir_vocab_destroy(vocab);
}

TEST(hostile_arguments, calls_that_fail_take_a_NULL_error) {
    weir_vocab *vocab;
    weir_grammar *grammar;
    const char *const broken[] = {"", "{", "{\"type\":7}", "{\"pattern\":\"(\"}", "{\"$ref\":\"#/x\"}", "{\"minItems\":1e99}"};
    vocab = small_vocab();
    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
        EXPECT_NE(weir_grammar_from_json_schema(vocab, broken[i], strlen(broken[i]), NULL, &grammar, NULL), WEIR_OK);
        EXPECT_NULL(grammar);
    }
    EXPECT_STATUS(weir_grammar_load(vocab, "abc", 3, NULL, &grammar, NULL), WEIR_ERROR_TABLES, NULL);
    weir_vocab_destroy(vocab);
    EXPECT_NE(weir_vocab_from_memory("not a tokenizer", 15, NULL, 0, NULL, &vocab, NULL), WEIR_OK);
    EXPECT_NE(weir_vocab_load("/nowhere/at/all", NULL, &vocab, NULL), WEIR_OK);
}

/* --- option structs --------------------------------------------------------------------------------------------- */

TEST(hostile_arguments, option_structs_of_no_size_are_refused) {
    weir_vocab *vocab = small_vocab(), *made;
    weir_grammar *grammar = small_grammar(vocab), *other;
    weir_matcher *matcher;
    weir_sampler *sampler;
    weir_error error;
    weir_vocab_options of_vocab = WEIR_VOCAB_OPTIONS_INIT;
    weir_grammar_options of_grammar = WEIR_GRAMMAR_OPTIONS_INIT;
    weir_matcher_options of_matcher = WEIR_MATCHER_OPTIONS_INIT;
    weir_sampler_options of_sampler = WEIR_SAMPLER_OPTIONS_INIT;
    of_vocab.size = of_grammar.size = of_matcher.size = of_sampler.size = 0;
    EXPECT_STATUS(weir_vocab_default(&of_vocab, &made, &error), WEIR_ERROR_ARGUMENT, &error);
    EXPECT_STATUS(weir_grammar_from_json_schema(vocab, schema, sizeof schema - 1, &of_grammar, &other, &error), WEIR_ERROR_ARGUMENT, &error);
    EXPECT_STATUS(weir_matcher_create(grammar, &of_matcher, &matcher, &error), WEIR_ERROR_ARGUMENT, &error);
    EXPECT_STATUS(weir_sampler_create(&of_sampler, &sampler, &error), WEIR_ERROR_ARGUMENT, &error);
    weir_grammar_destroy(grammar);
    weir_vocab_destroy(vocab);
}

/* Only what the caller has is read: the rest is the default. */
TEST(hostile_arguments, option_structs_that_end_early_are_read_no_further) {
    weir_vocab *vocab = small_vocab();
    for (size_t size = sizeof(size_t); size <= sizeof(weir_grammar_options); size += sizeof(size_t)) {
        const weir_grammar_options whole = WEIR_GRAMMAR_OPTIONS_INIT;
        weir_grammar_options *cut = malloc(size); /* so that a sanitizer sees a read past its end */
        weir_grammar *grammar;
        weir_error error;
        ASSERT_NOT_NULL(cut);
        memcpy(cut, &whole, size);
        memcpy(cut, &size, sizeof size);
        EXPECT_OK(weir_grammar_from_json_schema(vocab, schema, sizeof schema - 1, cut, &grammar, &error), &error);
        weir_grammar_destroy(grammar);
        free(cut);
    }
    weir_vocab_destroy(vocab);
}

TEST(hostile_arguments, every_grammar_option_outside_its_range_is_refused_by_name) {
    weir_vocab *vocab = small_vocab();
    weir_grammar *grammar;
    weir_error error;
    for (int i = 0; i < 11; i++) {
        static const char *const names[] = {"whitespace", "whitespace", "order", "objects", "indent", "whitespace_run",
                                            "whitespace_run", "depth_limit", "depth_limit", "size", "order"};
        weir_grammar_options o = WEIR_GRAMMAR_OPTIONS_INIT;
        if (i == 0) o.whitespace = (weir_whitespace)4;
        if (i == 1) o.whitespace = (weir_whitespace)-1;
        if (i == 2) o.order = (weir_key_order)2;
        if (i == 3) o.objects = (weir_objects)0x7FFFFFFF;
        if (i == 4) o.indent = 17;
        if (i == 5) o.whitespace_run = 0;
        if (i == 6) o.whitespace_run = UINT32_MAX;
        if (i == 7) o.depth_limit = 0;
        if (i == 8) o.depth_limit = UINT32_MAX;
        if (i == 9) o.size = SIZE_MAX;
        if (i == 10) o.order = (weir_key_order)-1;
        EXPECT_STATUS(weir_grammar_from_json_schema(vocab, schema, sizeof schema - 1, &o, &grammar, &error), WEIR_ERROR_ARGUMENT, &error);
        EXPECT_CONTAINS(error.message, names[i]);
        EXPECT_NULL(grammar);
    }
    weir_vocab_destroy(vocab);
}

TEST(hostile_arguments, limits_of_1_end_in_a_limit_and_the_largest_ones_in_a_grammar) {
    weir_vocab *vocab = small_vocab();
    weir_grammar *grammar;
    weir_error error;
    for (int i = 0; i < 3; i++) {
        weir_grammar_options o = WEIR_GRAMMAR_OPTIONS_INIT;
        if (i == 0) o.state_limit = 1;
        if (i == 1) o.memory_limit = 1;
        if (i == 2) o.work_limit = 1;
        EXPECT_STATUS(weir_grammar_from_json_schema(vocab, schema, sizeof schema - 1, &o, &grammar, &error), WEIR_ERROR_LIMIT, &error);
        EXPECT_GE(error.byte, 0);
        if (i == 0) o.state_limit = UINT32_MAX;
        if (i == 1) o.memory_limit = SIZE_MAX;
        if (i == 2) o.work_limit = UINT64_MAX;
        o.depth_limit = 1024, o.whitespace_run = 1024, o.indent = 16;
        EXPECT_OK(weir_grammar_from_json_schema(vocab, schema, sizeof schema - 1, &o, &grammar, &error), &error);
        weir_grammar_destroy(grammar);
    }
    weir_vocab_destroy(vocab);
}

TEST(hostile_arguments, the_largest_history_and_budget_of_a_matcher_stay_inside_memory) {
    weir_vocab *vocab = small_vocab();
    weir_grammar *grammar = small_grammar(vocab);
    weir_allocator allocator = capped();
    for (int i = 0; i < 4; i++) {
        weir_matcher_options o = WEIR_MATCHER_OPTIONS_INIT;
        weir_matcher *matcher;
        weir_error error;
        o.allocator = &allocator;
        if (i == 0) o.rollback_tokens = 0; /* at least 256 */
        if (i == 1) o.rollback_tokens = UINT32_MAX;
        if (i == 2) o.rollback_tokens = 1 << 20;
        if (i == 3) o.token_budget = UINT32_MAX;
        weir_status status = weir_matcher_create(grammar, &o, &matcher, &error);
        EXPECT_STATUS(status, i == 1 ? WEIR_ERROR_ARGUMENT : WEIR_OK, &error);
        if (status != WEIR_OK) continue;
        EXPECT_STATUS(weir_matcher_rollback(matcher, 1, &error), WEIR_ERROR_ARGUMENT, &error);
        EXPECT_STATUS(weir_matcher_rollback(matcher, UINT32_MAX, &error), WEIR_ERROR_ARGUMENT, &error);
        EXPECT_STATUS(weir_matcher_accept(matcher, UINT32_MAX, &error), WEIR_ERROR_TOKEN, &error);
        weir_matcher_destroy(matcher);
    }
    weir_grammar_destroy(grammar);
    weir_vocab_destroy(vocab);
}

TEST(hostile_arguments, vocabularies_of_no_tokens_too_many_or_broken_ones_are_refused) {
    weir_token token = {"a", 1, 0}, nothing = {NULL, 9, 0}, flagged = {"a", 1, 0xFFFFFFFE};
    weir_vocab_options o = WEIR_VOCAB_OPTIONS_INIT;
    weir_vocab *vocab;
    weir_error error;
    uint32_t far = UINT32_MAX;
    EXPECT_STATUS(weir_vocab_create(&token, 0, NULL, &vocab, &error), WEIR_ERROR_VOCAB, &error);
    EXPECT_STATUS(weir_vocab_create(&nothing, 1, NULL, &vocab, &error), WEIR_ERROR_ARGUMENT, &error);
    EXPECT_STATUS(weir_vocab_create(&flagged, 1, NULL, &vocab, &error), WEIR_ERROR_ARGUMENT, &error);
    o.logits_width = UINT32_MAX;
    EXPECT_STATUS(weir_vocab_create(&token, 1, &o, &vocab, &error), WEIR_ERROR_ARGUMENT, &error);
    o = (weir_vocab_options)WEIR_VOCAB_OPTIONS_INIT;
    o.stop_count = 5;
    EXPECT_STATUS(weir_vocab_create(&token, 1, &o, &vocab, &error), WEIR_ERROR_ARGUMENT, &error);
    o.stop_ids = &far, o.stop_count = 1;
    EXPECT_NE(weir_vocab_create(&token, 1, &o, &vocab, &error), WEIR_OK);
    EXPECT_NULL(vocab);
}
