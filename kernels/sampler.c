/* sampler.c - public weir_sampler_*: checks arguments, then forwards to a backend.
 *
 * Every check comes before the first change: a call that fails with WEIR_ERROR_ARGUMENT has done nothing. */
#include <fenv.h>
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "backend.h"
#include "host/memory.h"
#include "host/options.h"

typedef struct slot_use {
    uint64_t call; /* the last call that named this slot */
    const weir_grammar *grammar;
    bool bound, counts;
} slot_use;

struct weir_sampler {
    weir_allocator allocator;
    const backend *backend;
    void *state;
    uint32_t slot_count, logits_width;
    uint64_t call; /* counts calls, so that a slot named twice in one is seen without clearing anything */
    slot_use uses[];
};

static weir_status check_slot(const weir_sampler *sampler, uint32_t slot, weir_error *error);
static weir_status check_bound(const weir_sampler *sampler, uint32_t slot, weir_error *error);
static weir_status check_sequence(const weir_sampler *sampler, const weir_slot_options *options, weir_error *error);
static weir_status checked_step(weir_sampler *sampler, const weir_step *step, weir_error *error);
static weir_status check_step(const weir_sampler *sampler, const weir_step *step, weir_error *error);
static weir_status check_rows(weir_sampler *sampler, const int32_t *slots, size_t row_count, weir_error *error);
static weir_status check_sampling(const weir_sampling *sampling, bool counts, size_t row, weir_error *error);
static weir_status at_row(size_t row, weir_status status, weir_error *error);

/* --- creating ---------------------------------------------------------------------------------------------- */

weir_status weir_sampler_create(const weir_sampler_options *options, weir_sampler **out, weir_error *error) {
    return sampler_create_on(&backend_cpu, options, out, error);
}

weir_status sampler_create_on(const backend *backend, const weir_sampler_options *given, weir_sampler **out,
                              weir_error *error) {
    enum { SLOTS_MOST = 1 << 24, WIDTH_MOST = 1 << 26 }; /* all sizes fit 32 bits */
    enum { ROLLBACK_LEAST = 256, ROLLBACK_MOST = 1 << 20, COUNTED_DEFAULT = 4096, COUNTED_MOST = 1 << 24 };
    if (!out) return fail(error, WEIR_ERROR_ARGUMENT, "out is NULL");
    *out = NULL;
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

    weir_allocator allocator = allocator_or_default(options.allocator);
    options.allocator = &allocator;
    size_t size = sizeof(weir_sampler) + options.slot_count * sizeof(slot_use);
    weir_sampler *sampler = allocate(&allocator, size);
    if (!sampler)
        return fail(error, WEIR_ERROR_MEMORY, "out of memory: %zu bytes for %u slots", size, options.slot_count);
    memset(sampler, 0, size);
    sampler->allocator = allocator;
    sampler->backend = backend;
    sampler->slot_count = options.slot_count;
    sampler->logits_width = options.logits_width;
    weir_status status = backend->create(&options, &sampler->state, error);
    if (status != WEIR_OK) {
        release(&allocator, sampler, size);
        return status;
    }
    *out = sampler;
    return WEIR_OK;
}

void weir_sampler_destroy(weir_sampler *sampler) {
    if (!sampler) return;
    weir_allocator allocator = sampler->allocator;
    sampler->backend->destroy(sampler->state);
    release(&allocator, sampler, sizeof *sampler + sampler->slot_count * sizeof(slot_use));
}

/* --- slots ------------------------------------------------------------------------------------------------- */

weir_status weir_sampler_bind(weir_sampler *sampler, uint32_t slot, const weir_slot_options *given, weir_error *error) {
    TRY(check_slot(sampler, slot, error));
    weir_slot_options options = WEIR_SLOT_OPTIONS_INIT;
    TRY(READ_OPTIONS(weir_slot_options, stop_count, given, &options, error));
    TRY(check_sequence(sampler, &options, error));
    TRY(sampler->backend->bind(sampler->state, slot, &options, error));
    sampler->uses[slot].bound = true;
    sampler->uses[slot].counts = options.count_tokens;
    sampler->uses[slot].grammar = options.grammar;
    return WEIR_OK;
}

weir_status weir_sampler_release(weir_sampler *sampler, uint32_t slot, weir_error *error) {
    TRY(check_bound(sampler, slot, error));
    sampler->backend->release(sampler->state, slot);
    sampler->uses[slot].bound = false;
    return WEIR_OK;
}

weir_status weir_sampler_reset(weir_sampler *sampler, uint32_t slot, weir_error *error) {
    TRY(check_bound(sampler, slot, error));
    sampler->backend->reset(sampler->state, slot);
    return WEIR_OK;
}

weir_status weir_sampler_fork(weir_sampler *sampler, uint32_t from, uint32_t to, uint64_t seed, weir_error *error) {
    TRY(check_bound(sampler, from, error));
    TRY(check_slot(sampler, to, error));
    if (from == to) return fail(error, WEIR_ERROR_ARGUMENT, "slot %u cannot be forked to itself", from);
    TRY(sampler->backend->fork(sampler->state, from, to, seed, error));
    sampler->uses[to].bound = true;
    sampler->uses[to].counts = sampler->uses[from].counts;
    sampler->uses[to].grammar = sampler->uses[from].grammar;
    return WEIR_OK;
}

weir_status weir_sampler_export(weir_sampler *sampler, uint32_t slot, weir_matcher **out, weir_error *error) {
    if (!out) return fail(error, WEIR_ERROR_ARGUMENT, "out is NULL");
    *out = NULL;
    TRY(check_bound(sampler, slot, error));
    if (!sampler->uses[slot].grammar)
        return fail(error, WEIR_ERROR_ARGUMENT, "slot %u has no constraint, so no matcher has its state", slot);
    return sampler->backend->export_slot(sampler->state, slot, out, error);
}

weir_status weir_sampler_import(weir_sampler *sampler, uint32_t slot, const weir_matcher *matcher, weir_error *error) {
    TRY(check_bound(sampler, slot, error));
    if (!matcher) return fail(error, WEIR_ERROR_ARGUMENT, "matcher is NULL");
    if (weir_matcher_grammar(matcher) != sampler->uses[slot].grammar)
        return fail(error, WEIR_ERROR_ARGUMENT, "the matcher is of another grammar than slot %u", slot);
    return sampler->backend->import_slot(sampler->state, slot, matcher, error);
}

/* --- batches ----------------------------------------------------------------------------------------------- */

weir_status weir_sampler_step(weir_sampler *sampler, const weir_step *given, weir_error *error) {
    if (!sampler || !given) return fail(error, WEIR_ERROR_ARGUMENT, "%s is NULL", sampler ? "step" : "sampler");
    weir_step step = WEIR_STEP_INIT;
    TRY(READ_OPTIONS(weir_step, statuses, given, &step, error));
    if (step.row_count == 0) return WEIR_OK;
    if (step.sampling_stride == 0) step.sampling_stride = sizeof(weir_sampling);
    fenv_t environment; /* results must not hang on the caller's rounding, nor on subnormals that it flushes to 0 */
    fegetenv(&environment);
    fesetenv(FE_DFL_ENV);
    weir_status status = checked_step(sampler, &step, error);
    fesetenv(&environment);
    return status;
}

static __attribute__((noinline)) weir_status checked_step(weir_sampler *sampler, const weir_step *step,
                                                          weir_error *error) {
    TRY(check_step(sampler, step, error));
    TRY(check_rows(sampler, step->slots, step->row_count, error));
    for (size_t row = 0; step->sampling && row < step->row_count; row++)
        if (step->slots[row] >= 0)
            TRY(check_sampling(sampling_at(step, row), sampler->uses[step->slots[row]].counts, row, error));
    return sampler->backend->step(sampler->state, step, error);
}

/* `row_count` rows of `stride` words, of which word_count are used. */
static weir_status check_words(const weir_sampler *sampler, const char *name, size_t row_count, size_t stride,
                               weir_error *error) {
    uint32_t word_count = (sampler->logits_width + 31) / 32;
    if (stride < word_count)
        return fail(error, WEIR_ERROR_ARGUMENT, "%s is %zu words, expected at least %u for %u columns", name, stride,
                    word_count, sampler->logits_width);
    if (stride > SIZE_MAX / sizeof(uint32_t) / row_count)
        return fail(error, WEIR_ERROR_ARGUMENT, "%zu rows with a stride of %zu words are more than memory can hold",
                    row_count, stride);
    return WEIR_OK;
}

weir_status weir_sampler_masks(weir_sampler *sampler, const int32_t *slots, size_t row_count, uint32_t *masks,
                               size_t stride, weir_error *error) {
    if (!sampler) return fail(error, WEIR_ERROR_ARGUMENT, "sampler is NULL");
    if (row_count == 0) return WEIR_OK;
    if (!slots || !masks) return fail(error, WEIR_ERROR_ARGUMENT, "%s is NULL", slots ? "masks" : "slots");
    TRY(check_words(sampler, "stride", row_count, stride, error));
    TRY(check_rows(sampler, slots, row_count, error));
    return sampler->backend->masks(sampler->state, slots, row_count, masks, stride, error);
}

weir_status weir_sampler_advance(weir_sampler *sampler, const int32_t *slots, const int32_t *tokens, size_t row_count,
                                 uint32_t *statuses, weir_error *error) {
    if (!sampler) return fail(error, WEIR_ERROR_ARGUMENT, "sampler is NULL");
    if (row_count == 0) return WEIR_OK;
    if (!slots || !tokens) return fail(error, WEIR_ERROR_ARGUMENT, "%s is NULL", slots ? "tokens" : "slots");
    TRY(check_rows(sampler, slots, row_count, error));
    return sampler->backend->advance(sampler->state, slots, tokens, row_count, statuses, error);
}

weir_status weir_sampler_rollback(weir_sampler *sampler, const int32_t *slots, const uint32_t *counts, size_t row_count,
                                  weir_error *error) {
    if (!sampler) return fail(error, WEIR_ERROR_ARGUMENT, "sampler is NULL");
    if (row_count == 0) return WEIR_OK;
    if (!slots || !counts) return fail(error, WEIR_ERROR_ARGUMENT, "%s is NULL", slots ? "counts" : "slots");
    TRY(check_rows(sampler, slots, row_count, error));
    return sampler->backend->rollback(sampler->state, slots, counts, row_count, error);
}

/* --- checks: options --------------------------------------------------------------------------------------- */

static weir_status check_slot(const weir_sampler *sampler, uint32_t slot, weir_error *error) {
    if (!sampler) return fail(error, WEIR_ERROR_ARGUMENT, "sampler is NULL");
    if (slot >= sampler->slot_count)
        return fail(error, WEIR_ERROR_ARGUMENT, "slot is %u, expected less than %u", slot, sampler->slot_count);
    return WEIR_OK;
}

static weir_status check_bound(const weir_sampler *sampler, uint32_t slot, weir_error *error) {
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

static weir_status check_sequence(const weir_sampler *sampler, const weir_slot_options *options, weir_error *error) {
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
        return fail(error, WEIR_ERROR_ARGUMENT, "prompt_count is %zu, but count_tokens is false: nothing would count them",
                    options->prompt_count);
    if (options->prompt_count > UINT32_MAX)
        return fail(error, WEIR_ERROR_ARGUMENT, "prompt_count is %zu, expected at most 4294967295",
                    options->prompt_count);
    TRY(check_tokens(sampler, "stop_ids", options->stop_ids, options->stop_count, error));
    TRY(check_tokens(sampler, "allowed_tokens", options->allowed_tokens, options->allowed_count, error));
    TRY(check_bad_words(sampler, options, error));
    TRY(check_bias(sampler, options, error));
    TRY(check_tokens(sampler, "prompt_tokens", options->prompt_tokens, options->prompt_count, error));
    return check_tokens(sampler, "tokens", options->tokens, options->token_count, error);
}

/* --- checks: rows ------------------------------------------------------------------------------------------ */

static weir_status check_top(const weir_step *step, weir_error *error) {
    if (step->top_count > WEIR_TOP_LOGPROBS_MOST)
        return fail(error, WEIR_ERROR_ARGUMENT, "step.top_count is %u, expected at most %d", step->top_count,
                    WEIR_TOP_LOGPROBS_MOST);
    if (step->top_count && (!step->top_tokens || !step->top_logprobs))
        return fail(error, WEIR_ERROR_ARGUMENT, "step.%s is NULL, but top_count is %u",
                    step->top_tokens ? "top_logprobs" : "top_tokens", step->top_count);
    return WEIR_OK;
}

static weir_status check_step(const weir_sampler *sampler, const weir_step *step, weir_error *error) {
    if (!step->slots || !step->logits || !step->tokens)
        return fail(error, WEIR_ERROR_ARGUMENT, "step.%s is NULL",
                    !step->slots    ? "slots"
                    : !step->logits ? "logits"
                                    : "tokens");
    if ((unsigned)step->dtype > WEIR_DTYPE_BF16)
        return fail(error, WEIR_ERROR_ARGUMENT, "step.dtype is %d, expected WEIR_DTYPE_F32, F16 or BF16",
                    (int)step->dtype);
    size_t size = step->dtype == WEIR_DTYPE_F32 ? 4 : 2;
    if ((uintptr_t)step->logits % size)
        return fail(error, WEIR_ERROR_ARGUMENT, "step.logits is at %p, expected a multiple of %zu bytes", step->logits,
                    size);
    if (step->logits_stride < sampler->logits_width)
        return fail(error, WEIR_ERROR_ARGUMENT, "step.logits_stride is %zu, expected at least logits_width, %u",
                    step->logits_stride, sampler->logits_width);
    if (step->logits_stride > SIZE_MAX / size / step->row_count)
        return fail(error, WEIR_ERROR_ARGUMENT, "%zu rows with a stride of %zu logits are more than memory can hold",
                    step->row_count, step->logits_stride);
    if (step->sampling && (step->sampling_stride < sizeof(weir_sampling) || step->sampling_stride % _Alignof(weir_sampling)))
        return fail(error, WEIR_ERROR_ARGUMENT, "step.sampling_stride is %zu, expected a multiple of %zu, at least %zu",
                    step->sampling_stride, _Alignof(weir_sampling), sizeof(weir_sampling));
    if (step->masks) TRY(check_words(sampler, "step.masks_stride", step->row_count, step->masks_stride, error));
    return check_top(step, error);
}

/* Every row idle, or a bound slot that no other row has. */
static weir_status check_rows(weir_sampler *sampler, const int32_t *slots, size_t row_count, weir_error *error) {
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
        return at_row(row,
                      fail(error, WEIR_ERROR_ARGUMENT,
                           "row %zu has penalties, but its slot was bound without count_tokens", row),
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
