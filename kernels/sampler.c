/* sampler.c - public weir_sampler_*: checks arguments, then forwards to a backend.
 *
 * Every check (sampler_check.c) comes before the first change: a call that one of them refuses has done nothing. */
#include <fenv.h>
#include <string.h>

#include "device_image.h"
#include "host/options.h"
#include "sampler_check.h"

static weir_status checked_step(weir_sampler *sampler, const weir_step *step, weir_error *error);

/* --- creating ---------------------------------------------------------------------------------------------- */

weir_status weir_sampler_create(const weir_sampler_options *options, weir_sampler **out, weir_error *error) {
    if (options && options->size >= sizeof *options && options->device) {
#ifdef WEIR_CUDA
        return sampler_create_on(&backend_cuda, options, out, error);
#else
        if (out) *out = NULL;
        return fail(error, WEIR_ERROR_DEVICE, "options->device is set, but this library was built without CUDA");
#endif
    }
    return sampler_create_on(&backend_cpu, options, out, error);
}

weir_status sampler_create_on(const backend *backend, const weir_sampler_options *given, weir_sampler **out,
                              weir_error *error) {
    if (!out) return fail(error, WEIR_ERROR_ARGUMENT, "out is NULL");
    *out = NULL;
    weir_sampler_options options;
    weir_device_options device;
    TRY(check_sampler_options(given, &options, &device, error));
    if (backend->on_device) TRY(check_device_memory(&options, error));

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

weir_status weir_sampler_device_bytes(const weir_sampler_options *given, size_t *bytes, weir_error *error) {
    if (!bytes) return fail(error, WEIR_ERROR_ARGUMENT, "bytes is NULL");
    *bytes = 0;
    weir_sampler_options options;
    weir_device_options device;
    TRY(check_sampler_options(given, &options, &device, error));
    if (!options.device) return fail(error, WEIR_ERROR_ARGUMENT, "options->device is NULL: the CPU backend takes no device memory");
    *bytes = device_bytes(&options);
    return WEIR_OK;
}

void weir_sampler_destroy(weir_sampler *sampler) {
    if (!sampler) return;
    weir_allocator allocator = sampler->allocator;
    sampler->backend->destroy(sampler->state);
    release(&allocator, sampler, sizeof *sampler + sampler->slot_count * sizeof(slot_use));
}

weir_status weir_sampler_set_stream(weir_sampler *sampler, weir_stream stream, weir_error *error) {
    if (!sampler) return fail(error, WEIR_ERROR_ARGUMENT, "sampler is NULL");
    return sampler->backend->set_stream(sampler->state, stream, error);
}

weir_status weir_sampler_upload(weir_sampler *sampler, const weir_grammar *grammar, weir_stream stream,
                                weir_error *error) {
    if (!sampler || !grammar) return fail(error, WEIR_ERROR_ARGUMENT, "%s is NULL", sampler ? "grammar" : "sampler");
    return sampler->backend->upload(sampler->state, grammar, stream, error);
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
    TRY(sampler->backend->release(sampler->state, slot, error));
    sampler->uses[slot].bound = false;
    return WEIR_OK;
}

weir_status weir_sampler_reset(weir_sampler *sampler, uint32_t slot, weir_error *error) {
    TRY(check_bound(sampler, slot, error));
    return sampler->backend->reset(sampler->state, slot, error);
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
    if (!sampler->backend->on_device) TRY(check_settings(sampler, step, error));
    return sampler->backend->step(sampler->state, step, error);
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
                                  uint32_t *statuses, weir_error *error) {
    if (!sampler) return fail(error, WEIR_ERROR_ARGUMENT, "sampler is NULL");
    if (row_count == 0) return WEIR_OK;
    if (!slots || !counts) return fail(error, WEIR_ERROR_ARGUMENT, "%s is NULL", slots ? "counts" : "slots");
    TRY(check_rows(sampler, slots, row_count, error));
    return sampler->backend->rollback(sampler->state, slots, counts, row_count, statuses, error);
}

weir_status weir_sampler_mask_logits(weir_sampler *sampler, const int32_t *slots, size_t row_count, void *logits,
                                     size_t logits_stride, weir_dtype dtype, weir_error *error) {
    static const logits_names names = {"logits", "logits_stride", "dtype"};
    if (!sampler) return fail(error, WEIR_ERROR_ARGUMENT, "sampler is NULL");
    if (row_count == 0) return WEIR_OK;
    if (!slots) return fail(error, WEIR_ERROR_ARGUMENT, "slots is NULL");
    TRY(check_logits(sampler, names, row_count, logits, logits_stride, dtype, error));
    TRY(check_rows(sampler, slots, row_count, error));
    return sampler->backend->mask_logits(sampler->state, slots, row_count, logits, logits_stride, dtype, error);
}

weir_status weir_sampler_catch_up(weir_sampler *sampler, const weir_catch_up *given, weir_error *error) {
    if (!sampler || !given) return fail(error, WEIR_ERROR_ARGUMENT, "%s is NULL", sampler ? "catch_up" : "sampler");
    weir_catch_up catch_up = WEIR_CATCH_UP_INIT;
    TRY(READ_OPTIONS(weir_catch_up, line_count, given, &catch_up, error));
    if (catch_up.row_count == 0) return WEIR_OK;
    TRY(check_catch_up(&catch_up, error));
    TRY(check_rows(sampler, catch_up.slots, catch_up.row_count, error));
    return sampler->backend->catch_up(sampler->state, &catch_up, error);
}

weir_status weir_sampler_draft_masks(weir_sampler *sampler, const weir_draft_masks *given, weir_error *error) {
    if (!sampler || !given) return fail(error, WEIR_ERROR_ARGUMENT, "%s is NULL", sampler ? "draft_masks" : "sampler");
    weir_draft_masks draft_masks = WEIR_DRAFT_MASKS_INIT;
    TRY(READ_OPTIONS(weir_draft_masks, masks_stride, given, &draft_masks, error));
    if (draft_masks.row_count == 0) return WEIR_OK;
    TRY(check_draft_masks(sampler, &draft_masks, error));
    TRY(check_rows(sampler, draft_masks.slots, draft_masks.row_count, error));
    return sampler->backend->draft_masks(sampler->state, &draft_masks, error);
}
