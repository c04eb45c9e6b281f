/* sampler_check.c - the arguments of weir_sampler_*: in range, or a sentence that says what was expected. */
#include "sampler_check.h"

#include <float.h>
#include <math.h>
#include <stdio.h>

#include "device_image.h"
#include "host/options.h"

static weir_status check_sampling(const weir_sampling *sampling, bool counts, size_t row, weir_error *error);
static weir_status at_row(size_t row, weir_status status, weir_error *error);

/* --- options ----------------------------------------------------------------------------------------------- */

enum { SLOTS_MOST = 1 << 24, WIDTH_MOST = 1 << 26 }; /* all sizes fit 32 bits */
enum { ROLLBACK_LEAST = 256, ROLLBACK_MOST = 1 << 20, COUNTED_DEFAULT = 4096, COUNTED_MOST = 1 << 24 };

/* A size of a slot in device memory: `fallback` where it is 0, or an error where it is beyond 2^22. */
static weir_status fill_size(const char *name, uint32_t fallback, uint32_t *value, weir_error *error) {
    enum { SIZE_MOST = 1 << 22 };
    if (*value == 0) *value = fallback;
    if (*value <= SIZE_MOST) return WEIR_OK;
    return fail(error, WEIR_ERROR_ARGUMENT, "device.%s is %u, expected at most %d", name, *value, SIZE_MOST);
}

static weir_status fill_device(const weir_sampler_options *options, weir_device_options *device, weir_error *error) {
    if (device->pool_bytes == 0) device->pool_bytes = (size_t)256 << 20;
    TRY(fill_size("grammar_count", 1024, &device->grammar_count, error));
    TRY(fill_size("sequence_words", 4096, &device->sequence_words, error));
    TRY(fill_size("walk_words", 16384, &device->walk_words, error));
    TRY(fill_size("log_words", 16 * options->rollback_tokens, &device->log_words, error));
    TRY(fill_size("stop_capacity", 64, &device->stop_capacity, error));
    TRY(fill_size("bias_capacity", 1024, &device->bias_capacity, error));
    TRY(fill_size("bad_word_tokens", 1024, &device->bad_word_tokens, error));
    if ((unsigned)device->variant > WEIR_DEVICE_RESIDENT)
        return fail(error, WEIR_ERROR_ARGUMENT, "device.variant is %d, expected WEIR_DEVICE_AUTO, STREAMED or RESIDENT",
                    (int)device->variant);
    if (device->cluster > 16 || (device->cluster & (device->cluster - 1)) != 0)
        return fail(error, WEIR_ERROR_ARGUMENT, "device.cluster is %u, expected 0, 1, 2, 4, 8 or 16", device->cluster);
    if (device->front > DEVICE_FRONT_MOST)
        return fail(error, WEIR_ERROR_ARGUMENT, "device.front is %u, at most %d are compared", device->front, DEVICE_FRONT_MOST);
    if (options->rollback_tokens > 1 << 16)
        return fail(error, WEIR_ERROR_ARGUMENT, "rollback_tokens is %u, expected at most %d on a device",
                    options->rollback_tokens, 1 << 16);
    return WEIR_OK;
}

weir_status check_sampler_options(const weir_sampler_options *given, weir_sampler_options *out,
                                  weir_device_options *device, weir_error *error) {
    if (!given) return fail(error, WEIR_ERROR_ARGUMENT, "options is NULL: slot_count and logits_width have no default");
    weir_sampler_options options = WEIR_SAMPLER_OPTIONS_INIT;
    TRY(READ_OPTIONS(weir_sampler_options, logits_width, given, &options, error));
    if (options.slot_count == 0 || options.slot_count > SLOTS_MOST)
        return fail(error, WEIR_ERROR_ARGUMENT, "slot_count is %u, expected 1 to %d", options.slot_count, SLOTS_MOST);
    if (options.logits_width == 0 || options.logits_width > WIDTH_MOST)
        return fail(error, WEIR_ERROR_ARGUMENT, "logits_width is %u, expected 1 to %d", options.logits_width,
                    WIDTH_MOST);
    if (options.rollback_tokens > ROLLBACK_MOST)
        return fail(error, WEIR_ERROR_ARGUMENT, "rollback_tokens is %u, expected at most %d", options.rollback_tokens,
                    ROLLBACK_MOST);
    if (options.counted_tokens > COUNTED_MOST)
        return fail(error, WEIR_ERROR_ARGUMENT, "counted_tokens is %u, expected at most %d", options.counted_tokens,
                    COUNTED_MOST);
    if (options.rollback_tokens < ROLLBACK_LEAST) options.rollback_tokens = ROLLBACK_LEAST;
    if (options.counted_tokens == 0) options.counted_tokens = COUNTED_DEFAULT;
    if (options.counted_tokens > options.logits_width) options.counted_tokens = options.logits_width;
    *out = options;
    if (!options.device) return WEIR_OK;
    *device = (weir_device_options)WEIR_DEVICE_OPTIONS_INIT;
    TRY(READ_OPTIONS(weir_device_options, bytes, options.device, device, error));
    out->device = device;
    return fill_device(&options, device, error);
}

weir_status check_device_memory(const weir_sampler_options *options, weir_error *error) {
    if (!options->device) return fail(error, WEIR_ERROR_ARGUMENT, "options->device is NULL");
    if (!options->device->memory) return fail(error, WEIR_ERROR_ARGUMENT, "device.memory is NULL");
    if ((uintptr_t)options->device->memory % 256)
        return fail(error, WEIR_ERROR_ARGUMENT, "device.memory is at %p, expected a multiple of 256 bytes",
                    options->device->memory);
    size_t least = device_bytes(options);
    if (options->device->bytes < least)
        return fail(error, WEIR_ERROR_ARGUMENT, "device.bytes is %zu, expected at least %zu", options->device->bytes, least);
    return WEIR_OK;
}

/* --- slots ------------------------------------------------------------------------------------------------- */

weir_status check_slot(const weir_sampler *sampler, uint32_t slot, weir_error *error) {
    if (!sampler) return fail(error, WEIR_ERROR_ARGUMENT, "sampler is NULL");
    if (slot >= sampler->slot_count)
        return fail(error, WEIR_ERROR_ARGUMENT, "slot is %u, expected less than %u", slot, sampler->slot_count);
    return WEIR_OK;
}

weir_status check_bound(const weir_sampler *sampler, uint32_t slot, weir_error *error) {
    TRY(check_slot(sampler, slot, error));
    if (!sampler->uses[slot].bound) return fail(error, WEIR_ERROR_ARGUMENT, "slot %u is not bound", slot);
    return WEIR_OK;
}

/* `count` token ids below the width. */
static weir_status check_tokens(const weir_sampler *sampler, const char *name, const uint32_t *tokens, size_t count,
                                weir_error *error) {
    if (!tokens && count) return fail(error, WEIR_ERROR_ARGUMENT, "%s is NULL, but its count is %zu", name, count);
    for (size_t i = 0; i < count; i++)
        if (tokens[i] >= sampler->logits_width)
            return fail(error, WEIR_ERROR_ARGUMENT, "%s[%zu] is %u, expected less than logits_width, %u", name, i,
                        tokens[i], sampler->logits_width);
    return WEIR_OK;
}

static weir_status check_bad_words(const weir_sampler *sampler, const weir_slot_options *options, weir_error *error) {
    if (!options->bad_words && options->bad_word_count)
        return fail(error, WEIR_ERROR_ARGUMENT, "bad_words is NULL, but its count is %u", options->bad_word_count);
    uint64_t sum = 0;
    for (uint32_t i = 0; i < options->bad_word_count; i++) {
        char name[64];
        const weir_token_run *run = &options->bad_words[i];
        if (run->count == 0 || run->count > BAD_WORD_LONGEST)
            return fail(error, WEIR_ERROR_ARGUMENT, "bad_words[%u] has %u tokens, expected 1 to %d", i, run->count,
                        BAD_WORD_LONGEST);
        snprintf(name, sizeof name, "bad_words[%u].tokens", i);
        TRY(check_tokens(sampler, name, run->tokens, run->count, error));
        sum += run->count + 1;
    }
    if (sum > INT32_MAX) return fail(error, WEIR_ERROR_ARGUMENT, "bad_words have more than 2147483647 tokens");
    return WEIR_OK;
}

static weir_status check_bias(const weir_sampler *sampler, const weir_slot_options *options, weir_error *error) {
    if (!options->bias && options->bias_count)
        return fail(error, WEIR_ERROR_ARGUMENT, "bias is NULL, but its count is %u", options->bias_count);
    for (uint32_t i = 0; i < options->bias_count; i++) {
        const weir_logit_bias *bias = &options->bias[i];
        if (bias->token >= sampler->logits_width)
            return fail(error, WEIR_ERROR_ARGUMENT, "bias[%u].token is %u, expected less than logits_width, %u", i,
                        bias->token, sampler->logits_width);
        if (!isfinite(bias->bias))
            return fail(error, WEIR_ERROR_ARGUMENT, "bias[%u].bias is %g, expected a finite number", i,
                        (double)bias->bias);
    }
    return WEIR_OK;
}

weir_status check_sequence(const weir_sampler *sampler, const weir_slot_options *options, weir_error *error) {
    if (options->grammar) {
        uint32_t width = weir_vocab_logits_width(weir_grammar_vocab(options->grammar));
        if (width > sampler->logits_width)
            return fail(error, WEIR_ERROR_ARGUMENT,
                        "the grammar's vocabulary has %u logits columns, more than the sampler's %u", width,
                        sampler->logits_width);
    } else if (options->token_budget) {
        return fail(error, WEIR_ERROR_ARGUMENT, "token_budget is %u without a grammar: nothing would enforce it",
                    options->token_budget);
    }
    if (options->prompt_count && !options->count_tokens)
        return fail(error, WEIR_ERROR_ARGUMENT,
                    "prompt_count is %zu, but count_tokens is false: nothing would count them", options->prompt_count);
    if (options->prompt_count > UINT32_MAX)
        return fail(error, WEIR_ERROR_ARGUMENT, "prompt_count is %zu, expected at most 4294967295",
                    options->prompt_count);
    if (options->first_token > INT32_MAX)
        return fail(error, WEIR_ERROR_ARGUMENT, "first_token is %zu, expected at most %d", options->first_token,
                    INT32_MAX);
    TRY(check_tokens(sampler, "stop_ids", options->stop_ids, options->stop_count, error));
    TRY(check_tokens(sampler, "allowed_tokens", options->allowed_tokens, options->allowed_count, error));
    TRY(check_bad_words(sampler, options, error));
    TRY(check_bias(sampler, options, error));
    TRY(check_tokens(sampler, "prompt_tokens", options->prompt_tokens, options->prompt_count, error));
    return check_tokens(sampler, "tokens", options->tokens, options->token_count, error);
}

/* --- rows -------------------------------------------------------------------------------------------------- */

static weir_status check_top(const weir_step *step, size_t row_count, weir_error *error) {
    if (step->top_count > WEIR_TOP_LOGPROBS_MOST)
        return fail(error, WEIR_ERROR_ARGUMENT, "step.top_count is %u, expected at most %d", step->top_count,
                    WEIR_TOP_LOGPROBS_MOST);
    if (step->top_count && (!step->top_tokens || !step->top_logprobs))
        return fail(error, WEIR_ERROR_ARGUMENT, "step.%s is NULL, but top_count is %u",
                    step->top_tokens ? "top_logprobs" : "top_tokens", step->top_count);
    if (step->top_count && row_count > SIZE_MAX / sizeof(int32_t) / step->top_count)
        return fail(error, WEIR_ERROR_ARGUMENT, "%zu rows of step.top_count, %u, are more than memory can hold",
                    row_count, step->top_count);
    return WEIR_OK;
}

weir_status check_words(const weir_sampler *sampler, const char *stride_name, size_t row_count, size_t stride,
                        weir_error *error) {
    uint32_t word_count = (sampler->logits_width + 31) / 32;
    if (stride < word_count)
        return fail(error, WEIR_ERROR_ARGUMENT, "%s is %zu words, expected at least %u for %u columns", stride_name,
                    stride, word_count, sampler->logits_width);
    if (stride > SIZE_MAX / sizeof(uint32_t) / row_count)
        return fail(error, WEIR_ERROR_ARGUMENT, "%zu rows with a stride of %zu words are more than memory can hold",
                    row_count, stride);
    return WEIR_OK;
}

weir_status check_logits(const weir_sampler *sampler, logits_names names, size_t row_count, const void *logits,
                         size_t stride, weir_dtype dtype, weir_error *error) {
    if (!logits) return fail(error, WEIR_ERROR_ARGUMENT, "%s is NULL", names.logits);
    if ((unsigned)dtype > WEIR_DTYPE_BF16)
        return fail(error, WEIR_ERROR_ARGUMENT, "%s is %d, expected WEIR_DTYPE_F32, F16 or BF16", names.dtype,
                    (int)dtype);
    size_t size = dtype_size(dtype);
    if ((uintptr_t)logits % size)
        return fail(error, WEIR_ERROR_ARGUMENT, "%s is at %p, expected a multiple of %zu bytes", names.logits, logits,
                    size);
    if (stride < sampler->logits_width)
        return fail(error, WEIR_ERROR_ARGUMENT, "%s is %zu, expected at least logits_width, %u", names.stride, stride,
                    sampler->logits_width);
    if (stride > SIZE_MAX / size / row_count)
        return fail(error, WEIR_ERROR_ARGUMENT, "%zu rows with a stride of %zu logits are more than memory can hold",
                    row_count, stride);
    return WEIR_OK;
}

/* `row_count` rows of drafts, and of one position more. */
static weir_status check_drafts(const char *type, size_t row_count, const int32_t *drafts, size_t draft_count,
                                weir_error *error) {
    if (draft_count > WEIR_DRAFTS_MOST)
        return fail(error, WEIR_ERROR_ARGUMENT, "%s.draft_count is %zu, expected at most %d", type, draft_count,
                    WEIR_DRAFTS_MOST);
    if (draft_count && !drafts)
        return fail(error, WEIR_ERROR_ARGUMENT, "%s.drafts is NULL, but draft_count is %zu", type, draft_count);
    if (row_count > SIZE_MAX / sizeof(int32_t) / (draft_count + 1))
        return fail(error, WEIR_ERROR_ARGUMENT, "%zu rows of %zu drafts are more than memory can hold", row_count,
                    draft_count);
    return WEIR_OK;
}

weir_status check_step(const weir_sampler *sampler, const weir_step *step, weir_error *error) {
    static const logits_names names = {"step.logits", "step.logits_stride", "step.dtype"};
    if (!step->slots || !step->tokens)
        return fail(error, WEIR_ERROR_ARGUMENT, "step.%s is NULL", step->slots ? "tokens" : "slots");
    TRY(check_drafts("step", step->row_count, step->drafts, step->draft_count, error));
    size_t positions = step->row_count * (step->draft_count + 1);
    TRY(check_logits(sampler, names, positions, step->logits, step->logits_stride, step->dtype, error));
    if (step->sampling &&
        (step->sampling_stride < sizeof(weir_sampling) || step->sampling_stride % _Alignof(weir_sampling)))
        return fail(error, WEIR_ERROR_ARGUMENT, "step.sampling_stride is %zu, expected a multiple of %zu, at least %zu",
                    step->sampling_stride, _Alignof(weir_sampling), sizeof(weir_sampling));
    if (step->sampling && step->sampling_stride > SIZE_MAX / step->row_count)
        return fail(error, WEIR_ERROR_ARGUMENT,
                    "%zu rows with a sampling_stride of %zu bytes are more than memory can hold", step->row_count,
                    step->sampling_stride);
    if (step->masks) TRY(check_words(sampler, "step.masks_stride", positions, step->masks_stride, error));
    return check_top(step, positions, error);
}

weir_status check_catch_up(const weir_catch_up *catch_up, weir_error *error) {
    if (!catch_up->slots || !catch_up->tokens || !catch_up->lengths)
        return fail(error, WEIR_ERROR_ARGUMENT, "catch_up.%s is NULL",
                    !catch_up->slots    ? "slots"
                    : !catch_up->tokens ? "tokens"
                                        : "lengths");
    if (catch_up->line_count == 0)
        return fail(error, WEIR_ERROR_ARGUMENT, "catch_up.line_count is 0, expected the lines of tokens and lengths");
    if (catch_up->tokens_stride > SIZE_MAX / sizeof(int32_t) / catch_up->line_count)
        return fail(error, WEIR_ERROR_ARGUMENT,
                    "catch_up.tokens_stride is %zu: that many tokens in %zu lines are more than memory can hold",
                    catch_up->tokens_stride, catch_up->line_count);
    return WEIR_OK;
}

weir_status check_draft_masks(const weir_sampler *sampler, const weir_draft_masks *given, weir_error *error) {
    if (!given->slots) return fail(error, WEIR_ERROR_ARGUMENT, "draft_masks.slots is NULL");
    if (!given->masks && !given->valid_counts)
        return fail(error, WEIR_ERROR_ARGUMENT,
                    "draft_masks.masks and valid_counts are both NULL: nothing is asked for");
    TRY(check_drafts("draft_masks", given->row_count, given->drafts, given->draft_count, error));
    size_t positions = given->row_count * (given->draft_count + 1);
    return given->masks ? check_words(sampler, "draft_masks.masks_stride", positions, given->masks_stride, error)
                        : WEIR_OK;
}

/* Every row idle, or a bound slot that no other row has. */
weir_status check_rows(weir_sampler *sampler, const int32_t *slots, size_t row_count, weir_error *error) {
    if (sampler->backend->on_device) {
        if (row_count <= UINT16_MAX) return WEIR_OK;
        return fail(error, WEIR_ERROR_ARGUMENT, "row_count is %zu, expected at most %d on a device", row_count, UINT16_MAX);
    }
    sampler->call++;
    for (size_t row = 0; row < row_count; row++) {
        int32_t slot = slots[row];
        if (slot == -1) continue;
        if (slot < 0 || (uint32_t)slot >= sampler->slot_count)
            return at_row(row,
                          fail(error, WEIR_ERROR_ARGUMENT, "row %zu has slot %d, expected -1 or less than %u", row,
                               slot, sampler->slot_count),
                          error);
        slot_use *use = &sampler->uses[slot];
        if (!use->bound)
            return at_row(row, fail(error, WEIR_ERROR_ARGUMENT, "row %zu has slot %d, which is not bound", row, slot),
                          error);
        if (use->call == sampler->call)
            return at_row(
                row, fail(error, WEIR_ERROR_ARGUMENT, "row %zu has slot %d, which an earlier row has too", row, slot),
                error);
        use->call = sampler->call;
    }
    return WEIR_OK;
}

weir_status check_settings(const weir_sampler *sampler, const weir_step *step, weir_error *error) {
    for (size_t row = 0; step->sampling && row < step->row_count; row++)
        if (step->slots[row] >= 0)
            TRY(check_sampling(sampling_at(step, row), sampler->uses[step->slots[row]].counts, row, error));
    return WEIR_OK;
}

/* NaN fails every comparison, so each test asks for what is right. */
static weir_status check_sampling(const weir_sampling *s, bool counts, size_t row, weir_error *error) {
    enum { FLAGS = WEIR_SAMPLING_MIN_P_FIRST | WEIR_SAMPLING_JOINT | WEIR_SAMPLING_TEMPERATURE_FIRST };
    const char *name, *expected;
    double value;
    bool added = s->frequency_penalty != 0 || s->presence_penalty != 0;
    bool penalised = added || (s->repetition_penalty != 0 && s->repetition_penalty != 1);
    if (!(s->temperature >= 0)) {
        name = "temperature", value = s->temperature, expected = "0 to infinity";
    } else if (!(s->top_p > 0 && s->top_p <= 1)) {
        name = "top_p", value = s->top_p, expected = "above 0, up to 1";
    } else if (!(s->min_p >= 0 && s->min_p < 1)) {
        name = "min_p", value = s->min_p, expected = "0 up to, but not, 1";
    } else if (!(s->repetition_penalty >= 0 && s->repetition_penalty <= FLT_MAX)) {
        name = "repetition_penalty", value = s->repetition_penalty, expected = "a finite number above 0, or 0 for off";
    } else if (!isfinite(s->frequency_penalty)) {
        name = "frequency_penalty", value = s->frequency_penalty, expected = "a finite number";
    } else if (!isfinite(s->presence_penalty)) {
        name = "presence_penalty", value = s->presence_penalty, expected = "a finite number";
    } else if (s->flags & ~(uint32_t)FLAGS) {
        name = "flags", value = s->flags, expected = "WEIR_SAMPLING_* bits";
    } else if (added && isinf(s->temperature) && s->flags & WEIR_SAMPLING_TEMPERATURE_FIRST) {
        name = "temperature", value = s->temperature, expected = "a finite one before frequency and presence penalties";
    } else if (penalised && !counts) {
        return at_row(
            row,
            fail(error, WEIR_ERROR_ARGUMENT, "row %zu has penalties, but its slot was bound without count_tokens", row),
            error);
    } else {
        return WEIR_OK;
    }
    return at_row(row, fail(error, WEIR_ERROR_ARGUMENT, "row %zu has %s %g, expected %s", row, name, value, expected),
                  error);
}

static weir_status at_row(size_t row, weir_status status, weir_error *error) {
    if (error) error->row = row <= INT32_MAX ? (int32_t)row : INT32_MAX;
    return status;
}
