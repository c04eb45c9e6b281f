/* backends.c - sessions of random calls on the CPU's sampler and on a device's: every result is equal to the bit.
 *
 * Slots are bound to grammars of many kinds and released, forked, reset, exported and imported while others go on; steps with
 * and without drafts, tokens given and taken back, masks. Compiled with on_device.h: call_sampler gives the device's. */
#include <stdlib.h>
#include <string.h>

#include "sampler_calls.h"
#include "table_schemas.h"

#undef sampler_create_on /* as it is, for the CPU's */

enum { SLOTS = 6, GRAMMARS = 2 * TABLE_SCHEMAS + 2, DRAFTS = 3 };

typedef struct session {
    weir_vocab *vocab;
    weir_grammar *grammars[GRAMMARS];
    uint32_t width, words;
    weir_sampler *samplers[2]; /* the CPU's, the device's */
    bool bound[SLOTS], constrained[SLOTS];
} session;

static void open_session(session *s, uint32_t depth_limit) {
    weir_error error;
    memset(s, 0, sizeof *s);
    ASSERT_OK(weir_vocab_default(NULL, &s->vocab, &error), &error);
    s->width = weir_vocab_logits_width(s->vocab) + 5; /* a few columns that are no token */
    s->words = (s->width + 31) / 32;
    for (int i = 0; i < GRAMMARS; i++) {
        weir_grammar_options options = WEIR_GRAMMAR_OPTIONS_INIT;
        options.order = i % 2 ? WEIR_ORDER_ANY : WEIR_ORDER_SCHEMA;
        options.depth_limit = depth_limit;
        options.whitespace = i % 3 == 0 ? WEIR_WHITESPACE_PRETTY : i % 3 == 1 ? WEIR_WHITESPACE_ANY : WEIR_WHITESPACE_COMPACT;
        const char *schema = i / 2 < TABLE_SCHEMAS ? table_schemas[i / 2] : "true";
        ASSERT_OK(weir_grammar_from_json_schema(s->vocab, schema, strlen(schema), &options, &s->grammars[i], &error), &error);
    }
    weir_sampler_options options = WEIR_SAMPLER_OPTIONS_INIT;
    options.slot_count = SLOTS, options.logits_width = s->width, options.counted_tokens = 40;
    ASSERT_OK(sampler_create_on(&backend_cpu, &options, &s->samplers[0], &error), &error);
    s->samplers[1] = call_sampler(SLOTS, s->width, 40);
}

static void close_session(session *s) {
    weir_sampler_destroy(s->samplers[0]);
    weir_sampler_destroy(s->samplers[1]);
    for (int i = 0; i < GRAMMARS; i++) weir_grammar_destroy(s->grammars[i]);
    weir_vocab_destroy(s->vocab);
}

/* --- one call on both -------------------------------------------------------------------------------------- */

static void bind_random(session *s, uint32_t slot) {
    static uint32_t words[2][3], prompt[5], stops[2];
    static weir_token_run runs[2];
    static weir_logit_bias bias[5];
    weir_slot_options options = WEIR_SLOT_OPTIONS_INIT;
    uint32_t which = random_below(GRAMMARS + 1), token_count = weir_vocab_token_count(s->vocab);
    if (which < GRAMMARS) options.grammar = s->grammars[which];
    if (options.grammar && random_below(3) == 0)
        options.token_budget = weir_grammar_least_tokens(options.grammar) + random_below(20);
    options.seed = random_bits();
    options.count_tokens = random_below(10) != 0; /* most: else no step of the batch has penalties */
    for (int i = 0; i < 5; i++) prompt[i] = random_below(token_count);
    if (options.count_tokens) options.prompt_tokens = prompt, options.prompt_count = random_below(6);
    for (int i = 0; i < 5; i++) bias[i] = (weir_logit_bias){random_below(300), (float)random_normal() * 3};
    if (random_below(2)) options.bias = bias, options.bias_count = random_below(6);
    for (int i = 0; i < 2; i++) {
        for (int k = 0; k < 3; k++) words[i][k] = random_below(300);
        runs[i] = (weir_token_run){words[i], 1 + random_below(3)};
    }
    if (random_below(3) == 0) options.bad_words = runs, options.bad_word_count = 1 + random_below(2);
    stops[0] = random_below(token_count), stops[1] = random_below(token_count);
    if (random_below(4) == 0 || !options.grammar) options.stop_ids = stops, options.stop_count = random_below(3);
    if (random_below(4) == 0) options.min_tokens = random_below(8);
    options.ignore_stop = random_below(10) == 0;
    weir_error error;
    for (int i = 0; i < 2; i++) ASSERT_OK(weir_sampler_bind(s->samplers[i], slot, &options, &error), &error);
    s->bound[slot] = true;
    s->constrained[slot] = options.grammar != NULL;
}

/* The bound slots in a random order, some left out, with an idle row between. Returns the rows. */
static size_t random_rows(const session *s, int32_t rows[SLOTS + 1]) {
    size_t count = 0;
    for (int32_t slot = 0; slot < SLOTS; slot++)
        if (s->bound[slot] && random_below(5)) rows[count++] = slot;
    rows[count++] = -1;
    for (size_t i = count; i > 1; i--) {
        size_t other = random_below((uint32_t)i);
        int32_t row = rows[i - 1];
        rows[i - 1] = rows[other];
        rows[other] = row;
    }
    return count;
}

static void step_both(session *s) {
    int32_t rows[SLOTS + 1], drafts[(SLOTS + 1) * DRAFTS];
    weir_sampling sampling[SLOTS + 1];
    size_t count = random_rows(s, rows), draft_count = random_below(4) == 0 ? 1 + random_below(DRAFTS) : 0;
    size_t places = count * (draft_count + 1), stride = s->width + random_below(9);
    weir_dtype dtype = (weir_dtype)random_below(3);
    char *logits = malloc(places * stride * dtype_size(dtype));
    outcome *outcomes[2] = {calloc(places, sizeof **outcomes), calloc(places, sizeof **outcomes)};
    fill_typed(logits, dtype, places * stride);
    bool counted = random_below(3) == 0;
    for (size_t i = 0; i < count; i++) {
        sampling[i] = random_settings(s->width);
        if (!counted) sampling[i].repetition_penalty = 1, sampling[i].frequency_penalty = sampling[i].presence_penalty = 0;
    }
    for (size_t i = 0; i < count * draft_count; i++) drafts[i] = (int32_t)random_below(300) - 1;
    weir_step step = make_step(count, rows, (const float *)logits, stride, sampling, NULL, NULL, NULL);
    step.dtype = dtype;
    step.drafts = drafts, step.draft_count = draft_count;
    step.raw_logprobs = random_below(3) == 0;
    weir_status statuses[2];
    const bool reports = random_below(2) != 0;
    for (int i = 0; i < 2; i++) statuses[i] = (reports ? call_step : call_bare_step)(s->samplers[i], &step, outcomes[i], NULL);
    if (statuses[0] == WEIR_ERROR_ARGUMENT) { /* penalties of a slot that does not count: the CPU does nothing at all */
        for (size_t i = 0; i < count; i++) s->bound[rows[i] >= 0 ? rows[i] : 0] = false;
        for (uint32_t slot = 0; slot < SLOTS; slot++) bind_random(s, slot);
    } else {
        EXPECT_EQ(statuses[0], statuses[1]);
        expect_outcomes(outcomes[1], outcomes[0], places);
    }
    free(outcomes[0]);
    free(outcomes[1]);
    free(logits);
}

static void masks_both(session *s) {
    int32_t rows[SLOTS + 1], drafts[(SLOTS + 1) * DRAFTS];
    size_t count = random_rows(s, rows), draft_count = random_below(DRAFTS + 1), stride = s->words + random_below(3);
    size_t words = count * (draft_count + 1) * stride;
    uint32_t *masks[2] = {calloc(words, sizeof **masks), calloc(words, sizeof **masks)}, valid[2][SLOTS + 1];
    for (size_t i = 0; i < count * draft_count; i++) drafts[i] = (int32_t)random_below(300) - 1;
    for (int i = 0; i < 2; i++) {
        weir_draft_masks given = WEIR_DRAFT_MASKS_INIT;
        given.row_count = count, given.slots = rows, given.drafts = drafts, given.draft_count = draft_count;
        given.masks = masks[i], given.masks_stride = stride, given.valid_counts = valid[i];
        EXPECT_OK(call_draft_masks(s->samplers[i], &given, NULL), NULL);
    }
    EXPECT_BYTES_EQ(masks[1], words * sizeof **masks, masks[0], words * sizeof **masks);
    EXPECT_BYTES_EQ(valid[1], count * sizeof **valid, valid[0], count * sizeof **valid);
    free(masks[0]);
    free(masks[1]);
}

/* A token that may follow, as a rule. */
static int32_t some_token(const session *s, int32_t slot) {
    uint32_t *mask = calloc(s->words, sizeof *mask);
    EXPECT_OK(call_masks(s->samplers[0], &slot, 1, mask, s->words, NULL), NULL);
    int32_t token = (int32_t)random_below(s->width);
    for (uint32_t tries = 0; tries < s->width && random_below(200) && !(mask[token / 32] >> token % 32 & 1); tries++)
        token = (token + 1) % (int32_t)s->width;
    free(mask);
    return token;
}

static void advance_both(session *s) {
    int32_t rows[SLOTS + 1], tokens[SLOTS + 1];
    uint32_t statuses[2][SLOTS + 1];
    size_t count = random_rows(s, rows);
    for (size_t i = 0; i < count; i++) tokens[i] = rows[i] < 0 ? 0 : some_token(s, rows[i]);
    for (int i = 0; i < 2; i++) EXPECT_OK(call_advance(s->samplers[i], rows, tokens, count, statuses[i], NULL), NULL);
    EXPECT_BYTES_EQ(statuses[1], count * sizeof **statuses, statuses[0], count * sizeof **statuses);
}

static void rollback_both(session *s) {
    int32_t rows[SLOTS + 1];
    uint32_t counts[SLOTS + 1], statuses[2][SLOTS + 1];
    size_t count = random_rows(s, rows);
    for (size_t i = 0; i < count; i++) counts[i] = random_below(6);
    for (int i = 0; i < 2; i++) EXPECT_OK(call_rollback(s->samplers[i], rows, counts, count, statuses[i], NULL), NULL);
    EXPECT_BYTES_EQ(statuses[1], count * sizeof **statuses, statuses[0], count * sizeof **statuses);
}

static void change_both(session *s) {
    uint32_t slot = random_below(SLOTS), other = random_below(SLOTS), what = random_below(4);
    uint64_t seed = random_bits();
    weir_error error;
    if (!s->bound[slot]) return;
    for (int i = 0; i < 2; i++) {
        weir_matcher *matcher;
        if (what == 0) EXPECT_OK(weir_sampler_release(s->samplers[i], slot, &error), &error);
        if (what == 1) EXPECT_OK(weir_sampler_reset(s->samplers[i], slot, &error), &error);
        if (what == 2 && slot != other) EXPECT_OK(weir_sampler_fork(s->samplers[i], slot, other, seed, &error), &error);
        if (what != 3 || !s->constrained[slot]) continue;
        ASSERT_OK(weir_sampler_export(s->samplers[i], slot, &matcher, &error), &error);
        EXPECT_OK(weir_sampler_import(s->samplers[i], slot, matcher, &error), &error);
        weir_matcher_destroy(matcher);
    }
    if (what == 0) s->bound[slot] = false;
    if (what == 2 && slot != other) s->bound[other] = true, s->constrained[other] = s->constrained[slot];
}

static void run_session(uint64_t seed, int calls, uint32_t depth_limit) {
    session s;
    random_state = seed;
    open_session(&s, depth_limit);
    for (uint32_t slot = 0; slot < SLOTS; slot++) bind_random(&s, slot);
    for (int call = 0; call < calls && !test_has_failed(); call++) {
        test_context("seed %llu, call %d", (unsigned long long)seed, call);
        uint32_t what = random_below(20);
        if (what < 8) step_both(&s);
        else if (what < 13) advance_both(&s);
        else if (what < 17) masks_both(&s);
        else if (what < 18) rollback_both(&s);
        else if (what < 19) change_both(&s);
        else bind_random(&s, random_below(SLOTS));
    }
    close_session(&s);
}

TEST(backends, any_calls_in_any_order_give_the_same_bits_as_on_the_CPU) {
    for (uint64_t seed = 1; seed <= 12 && !test_has_failed(); seed++) run_session(seed, 60, 128);
}

TEST(backends, near_the_depth_limit_too) {
    for (uint64_t seed = 1001; seed <= 1006 && !test_has_failed(); seed++) run_session(seed, 60, 3);
}
