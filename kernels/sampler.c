/* sampler.c - public weir_sampler_*: checks arguments, then forwards to a backend.
 *
 * Every check comes before the first change: a call that fails with WEIR_ERROR_ARGUMENT has done nothing. */
#include "backend.h"
#include "host/memory.h"
#include "host/status.h"

typedef struct slot_use {
    uint64_t call; /* the last call that named this slot */
    bool bound;
} slot_use;

struct weir_sampler {
    weir_allocator allocator;
    const backend *backend;
    void *state;
    uint32_t slot_count, logits_width;
    uint64_t call; /* counts calls, so that a slot named twice in one is seen without clearing anything */
    slot_use uses[];
};

static weir_status check_stop_ids(const weir_sampler *sampler, const weir_slot_options *options, weir_error *error);
static weir_status check_rows(weir_sampler *sampler, const int32_t *slots, size_t row_count, weir_error *error);
static weir_status check_sampling(const weir_sampling *sampling, size_t row, weir_error *error);
static weir_status check_size(const char *type, size_t size, size_t expected, weir_error *error);
static weir_status at_row(size_t row, weir_status status, weir_error *error);

weir_status weir_sampler_create(const weir_sampler_options *options, weir_sampler **out, weir_error *error) {
    return sampler_create_on(&backend_cpu, options, out, error);
}

weir_status sampler_create_on(const backend *backend, const weir_sampler_options *options, weir_sampler **out,
                              weir_error *error) {
    if (!out) return fail(error, WEIR_ERROR_ARGUMENT, "out is NULL");
    *out = NULL;
    if (!options)
        return fail(error, WEIR_ERROR_ARGUMENT, "options is NULL: slot_count and logits_width have no default");
    TRY(check_size("weir_sampler_options", options->size, sizeof *options, error));
    if (options->slot_count == 0 || options->slot_count > INT32_MAX)
        return fail(error, WEIR_ERROR_ARGUMENT, "slot_count is %u, expected 1 to 2147483647", options->slot_count);
    if (options->logits_width == 0 || options->logits_width > INT32_MAX)
        return fail(error, WEIR_ERROR_ARGUMENT, "logits_width is %u, expected 1 to 2147483647", options->logits_width);

    weir_allocator allocator = allocator_or_default(options->allocator);
    size_t size = sizeof(weir_sampler) + options->slot_count * sizeof(slot_use);
    weir_sampler *sampler = allocate(&allocator, size);
    if (!sampler)
        return fail(error, WEIR_ERROR_MEMORY, "out of memory: %zu bytes for %u slots", size, options->slot_count);
    sampler->allocator = allocator;
    sampler->backend = backend;
    sampler->slot_count = options->slot_count;
    sampler->logits_width = options->logits_width;
    sampler->call = 0;
    for (uint32_t slot = 0; slot < options->slot_count; slot++) sampler->uses[slot] = (slot_use){0, false};
    weir_status status =
        backend->create(&allocator, options->slot_count, options->logits_width, &sampler->state, error);
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

weir_status weir_sampler_bind(weir_sampler *sampler, uint32_t slot, const weir_slot_options *options,
                              weir_error *error) {
    static const weir_slot_options defaults = WEIR_SLOT_OPTIONS_INIT;
    if (!sampler) return fail(error, WEIR_ERROR_ARGUMENT, "sampler is NULL");
    if (slot >= sampler->slot_count)
        return fail(error, WEIR_ERROR_ARGUMENT, "slot is %u, expected less than %u", slot, sampler->slot_count);
    if (!options) options = &defaults;
    TRY(check_size("weir_slot_options", options->size, sizeof *options, error));
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
    TRY(check_stop_ids(sampler, options, error));
    TRY(sampler->backend->bind(sampler->state, slot, options, error));
    sampler->uses[slot].bound = true;
    return WEIR_OK;
}

weir_status weir_sampler_release(weir_sampler *sampler, uint32_t slot, weir_error *error) {
    if (!sampler) return fail(error, WEIR_ERROR_ARGUMENT, "sampler is NULL");
    if (slot >= sampler->slot_count)
        return fail(error, WEIR_ERROR_ARGUMENT, "slot is %u, expected less than %u", slot, sampler->slot_count);
    if (!sampler->uses[slot].bound) return fail(error, WEIR_ERROR_ARGUMENT, "slot %u is not bound", slot);
    sampler->backend->release(sampler->state, slot);
    sampler->uses[slot].bound = false;
    return WEIR_OK;
}

weir_status weir_sampler_step(weir_sampler *sampler, const weir_step *step, weir_error *error) {
    if (!sampler || !step) return fail(error, WEIR_ERROR_ARGUMENT, "%s is NULL", sampler ? "step" : "sampler");
    TRY(check_size("weir_step", step->size, sizeof *step, error));
    if (step->row_count == 0) return WEIR_OK;
    if (!step->slots || !step->logits || !step->tokens)
        return fail(error, WEIR_ERROR_ARGUMENT, "step.%s is NULL",
                    !step->slots    ? "slots"
                    : !step->logits ? "logits"
                                    : "tokens");
    if (step->logits_stride < sampler->logits_width)
        return fail(error, WEIR_ERROR_ARGUMENT, "step.logits_stride is %zu, expected at least logits_width, %u",
                    step->logits_stride, sampler->logits_width);
    if (step->logits_stride > SIZE_MAX / sizeof(float) / step->row_count)
        return fail(error, WEIR_ERROR_ARGUMENT, "%zu rows with a stride of %zu floats are more than memory can hold",
                    step->row_count, step->logits_stride);
    TRY(check_rows(sampler, step->slots, step->row_count, error));
    for (size_t row = 0; step->sampling && row < step->row_count; row++)
        if (step->slots[row] >= 0) TRY(check_sampling(&step->sampling[row], row, error));
    return sampler->backend->step(sampler->state, step, error);
}

weir_status weir_sampler_masks(weir_sampler *sampler, const int32_t *slots, size_t row_count, uint32_t *masks,
                               size_t stride, weir_error *error) {
    if (!sampler) return fail(error, WEIR_ERROR_ARGUMENT, "sampler is NULL");
    if (row_count == 0) return WEIR_OK;
    if (!slots || !masks) return fail(error, WEIR_ERROR_ARGUMENT, "%s is NULL", slots ? "masks" : "slots");
    uint32_t word_count = (sampler->logits_width + 31) / 32;
    if (stride < word_count)
        return fail(error, WEIR_ERROR_ARGUMENT, "stride is %zu words, expected at least %u for %u columns", stride,
                    word_count, sampler->logits_width);
    if (stride > SIZE_MAX / sizeof(uint32_t) / row_count)
        return fail(error, WEIR_ERROR_ARGUMENT, "%zu rows with a stride of %zu words are more than memory can hold",
                    row_count, stride);
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

static weir_status check_stop_ids(const weir_sampler *sampler, const weir_slot_options *options, weir_error *error) {
    if (!options->stop_ids && options->stop_count)
        return fail(error, WEIR_ERROR_ARGUMENT, "stop_ids is NULL, but stop_count is %u", options->stop_count);
    for (uint32_t i = 0; i < options->stop_count; i++)
        if (options->stop_ids[i] >= sampler->logits_width)
            return fail(error, WEIR_ERROR_ARGUMENT, "stop_ids[%u] is %u, expected less than logits_width, %u", i,
                        options->stop_ids[i], sampler->logits_width);
    return WEIR_OK;
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
static weir_status check_sampling(const weir_sampling *sampling, size_t row, weir_error *error) {
    const char *name, *expected;
    double value;
    if (!(sampling->temperature >= 0)) {
        name = "temperature", value = sampling->temperature, expected = "0 to infinity";
    } else if (!(sampling->top_p > 0 && sampling->top_p <= 1)) {
        name = "top_p", value = sampling->top_p, expected = "above 0, up to 1";
    } else if (!(sampling->min_p >= 0 && sampling->min_p < 1)) {
        name = "min_p", value = sampling->min_p, expected = "0 up to, but not, 1";
    } else {
        return WEIR_OK;
    }
    return at_row(row, fail(error, WEIR_ERROR_ARGUMENT, "row %zu has %s %g, expected %s", row, name, value, expected),
                  error);
}

/* A later header may append fields; this library reads the ones it knows and requires them all. */
static weir_status check_size(const char *type, size_t size, size_t expected, weir_error *error) {
    if (size >= expected) return WEIR_OK;
    return fail(error, WEIR_ERROR_ARGUMENT, "%s.size is %zu, expected %zu: start from the *_INIT macro", type, size,
                expected);
}

static weir_status at_row(size_t row, weir_status status, weir_error *error) {
    if (error) error->row = row <= INT32_MAX ? (int32_t)row : INT32_MAX;
    return status;
}
