/* test_masks.c - what kinds of rows the seed schemas get, so that bitmaps everywhere or walks at run time cannot pass for
 * rows; and that counters cost no states. */
#include "harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"

typedef struct seed {
    const char *id;
    uint32_t guarded_most; /* guarded tokens of the row that has most, llama3, objects closed */
} seed;

static weir_vocab *llama3(void)
{
    char path[1024];
    weir_vocab *vocab;
    weir_error error;
    ASSERT_OK(weir_vocab_load(test_data("tokenizers/llama3.tiktoken.gz", path, sizeof path), NULL, &vocab, &error), &error);
    return vocab;
}

static weir_grammar_stats compile(const weir_vocab *vocab, const char *schema, size_t length, weir_objects objects)
{
    weir_grammar_options options = WEIR_GRAMMAR_OPTIONS_INIT;
    weir_grammar *grammar;
    weir_error error;
    weir_grammar_stats stats;
    options.objects = objects;
    ASSERT_OK(weir_grammar_from_json_schema(vocab, schema, length, &options, &grammar, &error), &error);
    weir_grammar_statistics(grammar, &stats);
    weir_grammar_destroy(grammar);
    return stats;
}

static void check_shares(const weir_grammar_stats *stats, uint32_t guarded_most)
{
    uint32_t lists = stats->state_rows[WEIR_ROW_LIST], bases = stats->state_rows[WEIR_ROW_BASE];
    EXPECT_EQ(stats->state_rows[WEIR_ROW_BITMAP], 0);
    EXPECT_EQ(stats->state_rows[WEIR_ROW_FULL], 0);
    EXPECT_EQ(stats->state_rows[WEIR_ROW_EMPTY], 1); /* the end of the text */
    EXPECT_EQ(lists + bases + 1, stats->state_count);
    EXPECT_GE(10 * lists, 3 * stats->state_count);
    EXPECT_LE(stats->guarded_max, guarded_most);
    EXPECT_LE(stats->guarded_sum, 10 * (uint64_t)stats->row_count);
    EXPECT_EQ(stats->rows_built_late, 0);
}

TEST(masks, seed_schemas_get_lists_and_base_rows_and_few_guarded_tokens)
{
    static const seed seeds[] = {{"lmdeploy-self-introduction", 52}, {"azure-calendar-event", 22}, {"azure-math-reasoning", 52},
                                 {"azure-query-tool", 52}, {"azure-anyof", 62}, {"azure-defs", 52},
                                 {"azure-recursive-root", 52}, {"azure-recursive-explicit", 54}};
    weir_vocab *vocab = llama3();
    char path[1024];
    size_t length;
    char *text = test_read_file(test_data("fixtures/seed_fixtures.json", path, sizeof path), &length);
    arena arena;
    const json *root;
    weir_error error;
    arena_init(&arena, NULL, 0);
    ASSERT_OK(json_parse(text, length, NULL, &arena, &root, &error), &error);
    uint32_t seen = 0;
    for (const json *item = root->child; item != NULL; item = item->next) {
        const json *schema = json_get(item, "schema_compile_string");
        for (size_t i = 0; i < sizeof seeds / sizeof *seeds; i++) {
            if (!json_string_is(json_get(item, "id"), seeds[i].id)) continue;
            weir_grammar_stats stats = compile(vocab, schema->text, schema->length, WEIR_OBJECTS_CLOSED);
            check_shares(&stats, seeds[i].guarded_most);
            seen++;
        }
    }
    EXPECT_EQ(seen, sizeof seeds / sizeof *seeds);
    arena_free(&arena);
    free(text);
    weir_vocab_destroy(vocab);
}

TEST(masks, free_objects_have_at_most_62_guarded_tokens)
{
    weir_vocab *vocab = llama3();
    weir_grammar_stats stats = compile(vocab, "true", 4, WEIR_OBJECTS_STANDARD);
    EXPECT_LE(stats.guarded_max, 62);
    EXPECT_GT(stats.guarded_max, 0);
    EXPECT_EQ(stats.state_rows[WEIR_ROW_BITMAP], 0);
    weir_vocab_destroy(vocab);
}

TEST(masks, bounds_are_registers_and_cost_no_states_and_no_rows)
{
    static const char *const pairs[][2] = {
        {"{\"type\":\"string\",\"maxLength\":10}", "{\"type\":\"string\",\"maxLength\":1000000}"},
        {"{\"type\":\"string\",\"minLength\":5,\"maxLength\":10}", "{\"type\":\"string\",\"minLength\":5000,\"maxLength\":1000000}"},
        {"{\"items\":{\"type\":\"string\"},\"type\":\"array\",\"maxItems\":10}",
         "{\"items\":{\"type\":\"string\"},\"type\":\"array\",\"maxItems\":100000}"},
        {"{\"items\":{\"enum\":[1,2]},\"type\":\"array\",\"minItems\":3,\"maxItems\":10}",
         "{\"items\":{\"enum\":[1,2]},\"type\":\"array\",\"minItems\":300,\"maxItems\":100000}"}};
    weir_vocab *vocab;
    weir_error error;
    ASSERT_OK(weir_vocab_default(NULL, &vocab, &error), &error);
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        weir_grammar_stats small = compile(vocab, pairs[i][0], strlen(pairs[i][0]), WEIR_OBJECTS_STANDARD);
        weir_grammar_stats large = compile(vocab, pairs[i][1], strlen(pairs[i][1]), WEIR_OBJECTS_STANDARD);
        EXPECT_EQ(small.state_count, large.state_count);
        EXPECT_EQ(small.row_count, large.row_count);
    }
    weir_vocab_destroy(vocab);
}

TEST(masks, required_names_that_nothing_lists_do_not_multiply_states)
{
    const char *one = "{\"required\":[\"k1\"]}";
    const char *many = "{\"required\":[\"k1\",\"k2\",\"k3\",\"k4\",\"k5\",\"k6\",\"k7\",\"k8\",\"k9\",\"l1\",\"l2\",\"l3\",\"l4\"]}";
    weir_vocab *vocab;
    weir_error error;
    ASSERT_OK(weir_vocab_default(NULL, &vocab, &error), &error);
    weir_grammar_stats few = compile(vocab, one, strlen(one), WEIR_OBJECTS_STANDARD);
    weir_grammar_stats all = compile(vocab, many, strlen(many), WEIR_OBJECTS_STANDARD);
    EXPECT_LE(all.state_count, few.state_count + 13 * 40);
    weir_vocab_destroy(vocab);
}
