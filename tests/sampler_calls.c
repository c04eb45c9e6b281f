/* sampler_calls.c - arrays go to a sampler and come back. */
#include "sampler_calls.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* --- arrays ------------------------------------------------------------------------------------------------ */

enum { MARGIN = 64, POISON = 0xA5 };

/* A copy of an array that goes in; NULL of NULL. Free with free(). */
static void *copy_in(const void *array, size_t bytes) {
    if (!array) return NULL;
    char *copy = malloc(bytes);
    ASSERT_TRUE(copy || bytes == 0);
    if (bytes) memcpy(copy, array, bytes);
    return copy;
}

/* A block for an array that comes out, with what the caller's holds; NULL of NULL. */
static void *begin_out(const void *array, size_t bytes) {
    if (!array) return NULL;
    char *block = malloc(bytes + 2 * MARGIN);
    ASSERT_TRUE(block);
    memset(block, POISON, bytes + 2 * MARGIN);
    memcpy(block + MARGIN, array, bytes);
    return block + MARGIN;
}

static void end_out(void *out, void *array, size_t bytes) {
    static const char poison[MARGIN] = {0};
    if (!array) return;
    char *block = (char *)out - MARGIN;
    memcpy(array, out, bytes);
    for (size_t i = 0; i < MARGIN; i++) block[i] ^= (char)POISON, block[MARGIN + bytes + i] ^= (char)POISON;
    EXPECT_BYTES_EQ(block, MARGIN, poison, MARGIN);
    EXPECT_BYTES_EQ(block + MARGIN + bytes, MARGIN, poison, MARGIN);
    free(block);
}

/* --- samplers ---------------------------------------------------------------------------------------------- */

const backend *tested_backend(void) {
    return &backend_cpu;
}

weir_sampler *call_sampler(uint32_t slot_count, uint32_t width, uint32_t counted_tokens) {
    weir_sampler_options options = WEIR_SAMPLER_OPTIONS_INIT;
    options.slot_count = slot_count, options.logits_width = width, options.counted_tokens = counted_tokens;
    weir_sampler *sampler;
    weir_error error;
    ASSERT_OK(sampler_create_on(tested_backend(), &options, &sampler, &error), &error);
    return sampler;
}

outcome outcome_without_token(uint32_t status) {
    outcome outcome = {.result = {-1, 0, status}};
    for (int i = 0; i < CALL_TOP; i++) outcome.top_tokens[i] = -1, outcome.top_logprobs[i] = -INFINITY;
    return outcome;
}

void expect_outcomes(const outcome *found, const outcome *expected, size_t count) {
    for (size_t i = 0; i < count; i++) {
        EXPECT_EQ(found[i].result.token, expected[i].result.token);
        EXPECT_EQ(found[i].result.status, expected[i].result.status);
        EXPECT_BYTES_EQ(&found[i], sizeof *found, &expected[i], sizeof *expected);
    }
}

void expect_same_masks(weir_sampler *a, weir_sampler *b, uint32_t slot_count, uint32_t width) {
    size_t words = (width + 31) / 32, bytes = slot_count * words * sizeof(uint32_t);
    int32_t *slots = malloc(slot_count * sizeof *slots);
    uint32_t *masks = calloc(2 * slot_count * words, sizeof *masks);
    for (uint32_t i = 0; i < slot_count; i++) slots[i] = (int32_t)i;
    ASSERT_OK(call_masks(a, slots, slot_count, masks, words, NULL), NULL);
    ASSERT_OK(call_masks(b, slots, slot_count, masks + slot_count * words, words, NULL), NULL);
    EXPECT_BYTES_EQ(masks, bytes, masks + slot_count * words, bytes);
    free(masks);
    free(slots);
}

/* --- random batches ---------------------------------------------------------------------------------------- */

void make_constraints(constraint constraints[CONSTRAINT_COUNT]) {
    static const char object[] = "{\"type\":\"object\",\"properties\":{\"true\":{\"type\":\"number\"}},"
                                 "\"additionalProperties\":{\"type\":\"null\"}}";
    static const char *const schemas[CONSTRAINT_COUNT] = {
        "{\"type\":\"array\",\"items\":{\"type\":\"boolean\"},\"minItems\":2}", "{\"enum\":[true,false]}",
        "{\"type\":\"string\",\"maxLength\":9}", object};
    for (int i = 0; i < CONSTRAINT_COUNT; i++) constraints[i] = make_constraint(schemas[i]);
}

void free_constraints(constraint constraints[CONSTRAINT_COUNT]) {
    for (int i = 0; i < CONSTRAINT_COUNT; i++) free_constraint(constraints[i]);
}

weir_slot_options random_slot(const constraint constraints[CONSTRAINT_COUNT]) {
    static uint32_t words[2][3], prompt[4], stops[2], allowed[260];
    static weir_token_run runs[2];
    static weir_logit_bias bias[3];
    weir_slot_options options = WEIR_SLOT_OPTIONS_INIT;
    uint32_t which = random_below(CONSTRAINT_COUNT + 2);
    if (which < CONSTRAINT_COUNT) options.grammar = constraints[which].grammar;
    if (options.grammar && random_below(2))
        options.token_budget = weir_grammar_least_tokens(options.grammar) + random_below(30);
    options.seed = random_bits();
    options.count_tokens = true;
    for (int i = 0; i < 4; i++) prompt[i] = random_below(CONSTRAINT_WIDTH);
    options.prompt_tokens = prompt, options.prompt_count = random_below(5);
    for (int i = 0; i < 3; i++) bias[i] = (weir_logit_bias){random_below(CONSTRAINT_WIDTH), (float)random_normal() * 3};
    options.bias = bias, options.bias_count = random_below(4);
    for (int i = 0; i < 2; i++) {
        for (int k = 0; k < 3; k++) words[i][k] = (uint8_t) "tf,[0\"s]"[random_below(8)];
        runs[i] = (weir_token_run){words[i], 1 + random_below(3)};
    }
    options.bad_words = runs, options.bad_word_count = random_below(3);
    stops[0] = OTHER, stops[1] = 'e';
    if (random_below(3) == 0) options.stop_ids = stops, options.stop_count = 1 + random_below(2);
    if (random_below(3) == 0) options.min_tokens = random_below(12);
    options.ignore_stop = random_below(8) == 0;
    for (uint32_t i = 0; i < 260; i++) allowed[i] = i == 259 ? STOP : i;
    if (random_below(4) == 0) options.allowed_tokens = allowed, options.allowed_count = 260;
    return options;
}

weir_sampling random_settings(uint32_t width) {
    weir_sampling sampling = random_sampling(width);
    sampling.flags = random_below(8);
    if (random_below(2)) sampling.repetition_penalty = 1 + (float)random_unit();
    if (random_below(2)) sampling.frequency_penalty = (float)random_normal();
    if (random_below(2)) sampling.presence_penalty = (float)random_normal();
    if (isinf(sampling.temperature)) sampling.flags &= ~(uint32_t)WEIR_SAMPLING_TEMPERATURE_FIRST;
    return sampling;
}

void fill_typed(void *logits, weir_dtype dtype, size_t count) {
    bool any = random_below(4) == 0;
    if (dtype == WEIR_DTYPE_F32) {
        fill_random(logits, (uint32_t)count);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        uint32_t bits = (uint32_t)random_bits();
        ((uint16_t *)logits)[i] = (uint16_t)(any ? bits : (bits & 0x8000) | 0x3C00 | (bits & 0x3FF));
    }
}

/* --- calls ------------------------------------------------------------------------------------------------- */

static weir_status step_with(weir_sampler *sampler, const weir_step *given, outcome *outcomes, bool reports, weir_error *error) {
    weir_step step = *given;
    size_t rows = step.row_count, places = rows * (step.draft_count + 1);
    size_t logit_size = dtype_size(step.dtype);
    int32_t *tokens = calloc(places, sizeof *tokens), *top_tokens = calloc(places * CALL_TOP, sizeof *top_tokens);
    float *logprobs = calloc(places, sizeof *logprobs), *top_logprobs = calloc(places * CALL_TOP, sizeof *top_logprobs);
    float *allowed_mass = calloc(places, sizeof *allowed_mass);
    uint32_t *statuses = calloc(places, sizeof *statuses);
    void *slots_in, *logits_in, *sampling_in, *masks_in, *drafts_in;
    step.slots = slots_in = copy_in(step.slots, rows * sizeof *step.slots);
    step.logits = logits_in = copy_in(step.logits, places * step.logits_stride * logit_size);
    step.sampling = sampling_in = copy_in(step.sampling, rows * sizeof *step.sampling);
    step.masks = masks_in = copy_in(step.masks, places * step.masks_stride * sizeof *step.masks);
    step.drafts = drafts_in = copy_in(step.drafts, rows * step.draft_count * sizeof *step.drafts);
    step.top_count = reports ? CALL_TOP : 0;
    step.tokens = begin_out(tokens, places * sizeof *tokens);
    step.logprobs = begin_out(logprobs, places * sizeof *logprobs);
    step.statuses = begin_out(statuses, places * sizeof *statuses);
    step.top_tokens = begin_out(reports ? top_tokens : NULL, places * CALL_TOP * sizeof *top_tokens);
    step.top_logprobs = begin_out(reports ? top_logprobs : NULL, places * CALL_TOP * sizeof *top_logprobs);
    step.allowed_mass = begin_out(reports ? allowed_mass : NULL, places * sizeof *allowed_mass);
    weir_status status = weir_sampler_step(sampler, &step, error);
    end_out(step.tokens, tokens, places * sizeof *tokens);
    end_out(step.logprobs, logprobs, places * sizeof *logprobs);
    end_out(step.statuses, statuses, places * sizeof *statuses);
    end_out(step.top_tokens, reports ? top_tokens : NULL, places * CALL_TOP * sizeof *top_tokens);
    end_out(step.top_logprobs, reports ? top_logprobs : NULL, places * CALL_TOP * sizeof *top_logprobs);
    end_out(step.allowed_mass, reports ? allowed_mass : NULL, places * sizeof *allowed_mass);
    for (size_t i = 0; i < places; i++) {
        outcomes[i].result = (result){tokens[i], logprobs[i], statuses[i]};
        if (!reports) continue;
        memcpy(outcomes[i].top_tokens, top_tokens + i * CALL_TOP, sizeof outcomes->top_tokens);
        memcpy(outcomes[i].top_logprobs, top_logprobs + i * CALL_TOP, sizeof outcomes->top_logprobs);
        outcomes[i].allowed_mass = allowed_mass[i];
    }
    void *blocks[] = {slots_in,   logits_in, sampling_in,  masks_in,     drafts_in, tokens,
                      top_tokens, logprobs,  top_logprobs, allowed_mass, statuses};
    for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++) free(blocks[i]);
    return status;
}

weir_status call_step(weir_sampler *sampler, const weir_step *step, outcome *outcomes, weir_error *error) {
    return step_with(sampler, step, outcomes, true, error);
}

weir_status call_bare_step(weir_sampler *sampler, const weir_step *step, outcome *outcomes, weir_error *error) {
    return step_with(sampler, step, outcomes, false, error);
}

weir_status call_masks(weir_sampler *sampler, const int32_t *slots, size_t row_count, uint32_t *masks, size_t stride,
                       weir_error *error) {
    size_t bytes = row_count * stride * sizeof *masks;
    int32_t *slots_in = copy_in(slots, row_count * sizeof *slots);
    uint32_t *out = begin_out(masks, bytes);
    weir_status status = weir_sampler_masks(sampler, slots_in, row_count, out, stride, error);
    end_out(out, masks, bytes);
    free(slots_in);
    return status;
}

weir_status call_mask_logits(weir_sampler *sampler, const int32_t *slots, size_t row_count, void *logits,
                             size_t logits_stride, weir_dtype dtype, weir_error *error) {
    size_t bytes = row_count * logits_stride * dtype_size(dtype);
    int32_t *slots_in = copy_in(slots, row_count * sizeof *slots);
    void *out = begin_out(logits, bytes);
    weir_status status = weir_sampler_mask_logits(sampler, slots_in, row_count, out, logits_stride, dtype, error);
    end_out(out, logits, bytes);
    free(slots_in);
    return status;
}

weir_status call_advance(weir_sampler *sampler, const int32_t *slots, const int32_t *tokens, size_t row_count,
                         uint32_t *statuses, weir_error *error) {
    int32_t *slots_in = copy_in(slots, row_count * sizeof *slots);
    int32_t *tokens_in = copy_in(tokens, row_count * sizeof *tokens);
    uint32_t *out = begin_out(statuses, row_count * sizeof *statuses);
    weir_status status = weir_sampler_advance(sampler, slots_in, tokens_in, row_count, out, error);
    end_out(out, statuses, row_count * sizeof *statuses);
    free(slots_in);
    free(tokens_in);
    return status;
}

weir_status call_rollback(weir_sampler *sampler, const int32_t *slots, const uint32_t *counts, size_t row_count,
                          uint32_t *statuses, weir_error *error) {
    int32_t *slots_in = copy_in(slots, row_count * sizeof *slots);
    uint32_t *counts_in = copy_in(counts, row_count * sizeof *counts);
    uint32_t *out = begin_out(statuses, row_count * sizeof *statuses);
    weir_status status = weir_sampler_rollback(sampler, slots_in, counts_in, row_count, out, error);
    end_out(out, statuses, row_count * sizeof *statuses);
    free(slots_in);
    free(counts_in);
    return status;
}

weir_status call_catch_up(weir_sampler *sampler, const weir_catch_up *given, weir_error *error) {
    weir_catch_up in = *given;
    void *slots_in, *tokens_in, *lengths_in, *lines_in;
    in.slots = slots_in = copy_in(in.slots, in.row_count * sizeof *in.slots);
    in.tokens = tokens_in = copy_in(in.tokens, in.line_count * in.tokens_stride * sizeof *in.tokens);
    in.lengths = lengths_in = copy_in(in.lengths, in.line_count * sizeof *in.lengths);
    in.lines = lines_in = copy_in(in.lines, in.row_count * sizeof *in.lines);
    in.statuses = begin_out(given->statuses, in.row_count * sizeof *in.statuses);
    weir_status status = weir_sampler_catch_up(sampler, &in, error);
    end_out(in.statuses, given->statuses, in.row_count * sizeof *in.statuses);
    free(slots_in);
    free(tokens_in);
    free(lengths_in);
    free(lines_in);
    return status;
}

weir_status call_draft_masks(weir_sampler *sampler, const weir_draft_masks *given, weir_error *error) {
    weir_draft_masks in = *given;
    size_t words = in.row_count * (in.draft_count + 1) * in.masks_stride;
    void *slots_in, *drafts_in;
    in.slots = slots_in = copy_in(in.slots, in.row_count * sizeof *in.slots);
    in.drafts = drafts_in = copy_in(in.drafts, in.row_count * in.draft_count * sizeof *in.drafts);
    in.masks = begin_out(given->masks, words * sizeof *in.masks);
    in.valid_counts = begin_out(given->valid_counts, in.row_count * sizeof *in.valid_counts);
    weir_status status = weir_sampler_draft_masks(sampler, &in, error);
    end_out(in.masks, given->masks, words * sizeof *in.masks);
    end_out(in.valid_counts, given->valid_counts, in.row_count * sizeof *in.valid_counts);
    free(slots_in);
    free(drafts_in);
    return status;
}
