/* cuda.cu - the CUDA backend, and the one place that launches kernels.
 *
 * Every call enqueues its work in the sampler's stream and returns. A step is one launch: it copies nothing, allocates nothing
 * and waits for nothing. */
#include <string.h>

#include "cuda.cuh"

#ifdef __CUDACC__
#define DEVICE_BACKEND backend_cuda
#else
#define DEVICE_BACKEND backend_simt
#endif

weir_status cuda_check(int code, const char *what, weir_error *error) {
    if (code == 0) return WEIR_OK;
    device_clear_error();
    return fail(error, WEIR_ERROR_DEVICE, "%s: %s", what, device_error_name(code));
}

/* --- creating ------------------------------------------------------------------------------------------------ */

template <typename T> static T *allocate_array(cuda *c, size_t count) {
    T *array = static_cast<T *>(allocate(&c->shape.allocator, count * sizeof(T)));
    if (array != nullptr) memset(static_cast<void *>(array), 0, count * sizeof(T));
    return array;
}

static weir_status allow_kernels(const cuda *c, weir_error *error) {
    const step_kernels *steps[] = {&step_kernels_f32, &step_kernels_f16, &step_kernels_bf16};
    size_t most = c->limits.shared_per_block;
    for (const step_kernels *kernels : steps)
        for (int i = 0; i < 4; i++)
            TRY(cuda_check(device_allow(kernels->at[i / 2][i % 2], most, c->limits.largest_cluster), "a kernel's shared memory", error));
    return cuda_check(device_allow(other_kernels_all.masks, most, c->limits.largest_cluster), "a kernel's shared memory", error);
}

static weir_status make(cuda *c, const weir_sampler_options *options, weir_error *error) {
    const weir_device_options *device = options->device;
    int current = 0;
    TRY(cuda_check(device_current(&current), "the current device", error));
    TRY(cuda_check(device_limits_of(current, &c->limits), "the limits of the device", error));
    uint32_t width = options->logits_width;
    c->shape = {*options->allocator, width, (width + 31) / 32, options->rollback_tokens, options->counted_tokens};
    c->grammar_count = device->grammar_count;
    c->variant = device->variant;
    c->cluster = device->cluster;
    c->front = device->front != 0 ? device->front : static_cast<uint32_t>(DEVICE_FRONT_MOST);
    char *memory = static_cast<char *>(device->memory);
    c->table = reinterpret_cast<device_grammar *>(memory);
    size_t at = device_table_bytes(options);
    slot_layout layout = device_layout(options);
    c->view = {c->table,     reinterpret_cast<uint32_t *>(memory + at), options->slot_count, width, c->shape.word_count,
               options->rollback_tokens, layout};
    at += device_slots_bytes(options);
    c->pool_memory = memory + at;
    c->pool.bytes = device->bytes - at;
    c->pool.capacity = 2 * c->grammar_count;
    c->pool.blobs = allocate_array<pool_blob>(c, c->pool.capacity);
    c->lines = allocate_array<held>(c, c->grammar_count);
    c->vocabs = allocate_array<held>(c, c->grammar_count);
    c->uses = allocate_array<slot_use>(c, options->slot_count);
    if (c->pool.blobs == nullptr || c->lines == nullptr || c->vocabs == nullptr || c->uses == nullptr)
        return fail(error, WEIR_ERROR_MEMORY, "out of memory: %u slots and %u grammars", options->slot_count, c->grammar_count);
    for (uint32_t i = 0; i < options->slot_count; i++) c->uses[i].line = GRAMMAR_NONE;
    TRY(allow_kernels(c, error));
    return cuda_check(device_fill(memory, 0, at, c->stream), "clearing the slots", error);
}

static void destroy_state(void *state) {
    cuda *c = static_cast<cuda *>(state);
    weir_allocator allocator = c->shape.allocator;
    staged_collect(c, true);
    if (c->lines != nullptr && c->vocabs != nullptr) drop_grammars(c);
    release(&allocator, c->pool.blobs, c->pool.capacity * sizeof(pool_blob));
    release(&allocator, c->lines, c->grammar_count * sizeof(held));
    release(&allocator, c->vocabs, c->grammar_count * sizeof(held));
    release(&allocator, c->uses, c->view.slot_count * sizeof(slot_use));
    release(&allocator, c, sizeof *c);
}

static weir_status create_state(const weir_sampler_options *options, void **out, weir_error *error) {
    cuda *c = static_cast<cuda *>(allocate(options->allocator, sizeof(cuda)));
    if (c == nullptr) return fail(error, WEIR_ERROR_MEMORY, "out of memory: %zu bytes", sizeof(cuda));
    memset(static_cast<void *>(c), 0, sizeof *c);
    c->shape.allocator = *options->allocator;
    c->view.slot_count = options->slot_count;
    weir_status status = make(c, options, error);
    if (status != WEIR_OK) {
        destroy_state(c);
        return status;
    }
    *out = c;
    return WEIR_OK;
}

static weir_status set_stream(void *state, weir_stream stream, weir_error *error) {
    cuda *c = static_cast<cuda *>(state);
    device_event event;
    if (stream == c->stream) return WEIR_OK;
    TRY(cuda_check(device_event_create(&event), "an event", error));
    weir_status status = cuda_check(device_event_record(event, c->stream), "an event", error);
    if (status == WEIR_OK) status = cuda_check(device_event_wait(event, stream), "an event", error);
    device_event_destroy(event);
    if (status == WEIR_OK) c->stream = stream;
    return status;
}

static weir_status upload(void *state, const weir_grammar *grammar, weir_stream stream, weir_error *error) {
    uint32_t line;
    return hold_grammar(static_cast<cuda *>(state), grammar, stream, &line, error);
}

/* --- launches ----------------------------------------------------------------------------------------------- */

weir_status launch_change(cuda *c, const change_params &params, weir_error *error) {
    launch_shape shape = {1, 1, WARP, 0, false};
    return cuda_check(device_launch(other_kernels_all.change, shape, c->stream, params), "changing a slot", error);
}

weir_status launch_line(cuda *c, line_params params, weir_error *error) {
    launch_shape shape = {1, 1, WARP, 0, false};
    return cuda_check(device_launch(other_kernels_all.line, shape, c->stream, params), "the table of grammars", error);
}

weir_status launch_shift(cuda *c, shift_params params, weir_error *error) {
    launch_shape shape = {1, 1, SHIFT_THREADS, 0, false};
    return cuda_check(device_launch(other_kernels_all.shift, shape, c->stream, params), "moving grammars together", error);
}

/* --- steps ----------------------------------------------------------------------------------------------------------- */

enum { COLUMNS_LEAST = 8192 /* of a block, before a row is shared by more */ };

/* Threads for a block with so many columns: eight a thread, in whole warps. */
static uint32_t threads_for(uint32_t columns, uint32_t most) {
    uint32_t threads = (columns / 8 + WARP - 1) / WARP * WARP;
    return threads < 2 * WARP ? 2 * WARP : threads > most ? most : threads;
}

/* How a row's columns lie in the shared memory of the blocks of a cluster. */
struct step_plan {
    uint32_t cluster, mask_words, vectors;
    bool resident;
    size_t shared;
};

/* The most vectors and words of a mask that one of `cluster` blocks can have, wherever in memory the row begins. */
static step_plan plan_for(uint32_t width, weir_dtype dtype, uint32_t cluster, bool resident) {
    const uint32_t listed_most = 2048; /* vectors of a list where no vectors are kept */
    uint32_t per = 16 / static_cast<uint32_t>(dtype_size(dtype)), total = (per - 1 + width + per - 1) / per;
    uint32_t each = ((total + cluster - 1) / cluster + WARP - 1) / WARP * WARP;
    step_plan plan = {cluster, each * per / 32 + 2, resident ? each : each / 4 < listed_most ? each / 4 : listed_most, resident, 0};
    plan.shared = STEP_SHARED_BYTES + (plan.mask_words + 3) / 4 * 16 + plan.vectors * sizeof(vector16) + each / WARP * sizeof(uint64_t);
    return plan;
}

/* The smallest cluster that keeps the device busy and holds a row; where none holds it, the row is streamed. */
static weir_status choose_plan(const cuda *c, size_t rows, weir_dtype dtype, step_plan *out, weir_error *error) {
    uint32_t width = c->view.logits_width, largest = c->limits.largest_cluster < 8 ? c->limits.largest_cluster : 8;
    bool streamed = c->variant != WEIR_DEVICE_RESIDENT, resident = c->variant != WEIR_DEVICE_STREAMED;
    uint32_t least = c->cluster != 0 ? c->cluster : 1, most = c->cluster != 0 ? c->cluster : largest;
    if (most > c->limits.largest_cluster)
        return fail(error, WEIR_ERROR_DEVICE, "device.cluster is %u, but this device has clusters of up to %u blocks", most,
                    c->limits.largest_cluster);
    while (c->cluster == 0 && least < most && rows * least * 2 <= c->limits.multiprocessors && width / least > COLUMNS_LEAST) least *= 2;
    for (uint32_t cluster = least; resident && cluster <= most; cluster *= 2) {
        *out = plan_for(width, dtype, cluster, true);
        bool two_fit = 2 * (out->shared + 1024) <= c->limits.shared_per_multiprocessor; /* a block takes 1 KiB more */
        if (out->shared <= c->limits.shared_per_block && (two_fit || cluster == most || c->cluster != 0)) return WEIR_OK;
    }
    for (uint32_t cluster = least; streamed && cluster <= most; cluster *= 2) {
        *out = plan_for(width, dtype, cluster, false);
        if (out->shared <= c->limits.shared_per_block) return WEIR_OK;
    }
    return fail(error, WEIR_ERROR_DEVICE, "a row of %u columns does not fit %zu bytes of shared memory", width, c->limits.shared_per_block);
}

static weir_status step(void *state, const weir_step *given, weir_error *error) {
    cuda *c = static_cast<cuda *>(state);
    step_plan plan = {};
    TRY(choose_plan(c, given->row_count, given->dtype, &plan, error));
    step_params p = {};
    p.sampler = c->view;
    p.slots = given->slots;
    p.rows = static_cast<uint32_t>(given->row_count);
    p.positions = static_cast<uint32_t>(given->draft_count) + 1;
    p.logits = given->logits;
    p.logits_stride = given->logits_stride;
    p.sampling = given->sampling;
    p.sampling_stride = given->sampling_stride;
    p.drafts = given->drafts;
    p.masks = given->masks;
    p.masks_stride = given->masks_stride;
    p.raw_logprobs = given->raw_logprobs;
    p.tokens = given->tokens;
    p.logprobs = given->logprobs;
    p.statuses = given->statuses;
    p.top_count = given->top_count;
    p.top_tokens = given->top_tokens;
    p.top_logprobs = given->top_logprobs;
    p.allowed_mass = given->allowed_mass;
    p.front = c->front;
    p.mask_words = plan.mask_words;
    p.vectors = plan.vectors;
    const step_kernels *kernels[] = {&step_kernels_f32, &step_kernels_f16, &step_kernels_bf16};
    bool report = p.top_count != 0 || p.allowed_mass != nullptr || (p.raw_logprobs && p.logprobs != nullptr);
    bool overlap = c->limits.capability >= 90; /* the kernel waits for the launch before it itself */
    launch_shape shape = {p.rows, plan.cluster, threads_for(c->view.logits_width / plan.cluster, STEP_THREADS), plan.shared, overlap};
    return cuda_check(device_launch(kernels[given->dtype]->at[plan.resident][report], shape, c->stream, p), "the step", error);
}

/* --- masks and moves --------------------------------------------------------------------------------------------------- */

static weir_status launch_masks(cuda *c, masks_params p, weir_error *error) {
    uint32_t cluster = 1, largest = c->limits.largest_cluster < 8 ? c->limits.largest_cluster : 8;
    while (cluster < largest && p.rows * cluster * 2 <= c->limits.multiprocessors && c->view.logits_width / cluster > COLUMNS_LEAST) cluster *= 2;
    if (c->cluster != 0) cluster = c->cluster;
    p.sampler = c->view;
    p.mask_words = (c->view.word_count + cluster - 1) / cluster;
    size_t shared = sizeof(masks_shared) + p.mask_words * sizeof(uint32_t);
    launch_shape shape = {p.rows, cluster, threads_for(c->view.logits_width / cluster, MASKS_THREADS), shared, false};
    return cuda_check(device_launch(other_kernels_all.masks, shape, c->stream, p), "the masks", error);
}

static weir_status masks(void *state, const int32_t *slots, size_t row_count, uint32_t *words, size_t stride, weir_error *error) {
    masks_params p = {};
    p.slots = slots;
    p.rows = static_cast<uint32_t>(row_count);
    p.masks = words;
    p.stride = stride;
    return launch_masks(static_cast<cuda *>(state), p, error);
}

static weir_status mask_logits(void *state, const int32_t *slots, size_t row_count, void *logits, size_t stride, weir_dtype dtype,
                               weir_error *error) {
    masks_params p = {};
    p.slots = slots;
    p.rows = static_cast<uint32_t>(row_count);
    p.logits = logits;
    p.logits_stride = stride;
    p.dtype = dtype;
    return launch_masks(static_cast<cuda *>(state), p, error);
}

static weir_status draft_masks(void *state, const weir_draft_masks *given, weir_error *error) {
    masks_params p = {};
    p.slots = given->slots;
    p.rows = static_cast<uint32_t>(given->row_count);
    p.masks = given->masks;
    p.stride = given->masks_stride;
    p.drafts = given->drafts;
    p.draft_count = static_cast<uint32_t>(given->draft_count);
    p.valid_counts = given->valid_counts;
    p.trial = true;
    return launch_masks(static_cast<cuda *>(state), p, error);
}

static weir_status launch_moves(cuda *c, moves_params p, weir_error *error) {
    p.sampler = c->view;
    launch_shape shape = {p.rows, 1, WARP, 0, false};
    return cuda_check(device_launch(other_kernels_all.moves, shape, c->stream, p), "moving slots", error);
}

static weir_status advance(void *state, const int32_t *slots, const int32_t *tokens, size_t row_count, uint32_t *statuses,
                           weir_error *error) {
    moves_params p = {};
    p.kind = MOVE_ADVANCE;
    p.slots = slots;
    p.rows = static_cast<uint32_t>(row_count);
    p.tokens = tokens;
    p.statuses = statuses;
    return launch_moves(static_cast<cuda *>(state), p, error);
}

static weir_status rollback(void *state, const int32_t *slots, const uint32_t *counts, size_t row_count, uint32_t *statuses,
                            weir_error *error) {
    moves_params p = {};
    p.kind = MOVE_ROLLBACK;
    p.slots = slots;
    p.rows = static_cast<uint32_t>(row_count);
    p.counts = counts;
    p.statuses = statuses;
    return launch_moves(static_cast<cuda *>(state), p, error);
}

static weir_status catch_up_rows(void *state, const weir_catch_up *given, weir_error *error) {
    moves_params p = {};
    p.kind = MOVE_CATCH_UP;
    p.slots = given->slots;
    p.rows = static_cast<uint32_t>(given->row_count);
    p.tokens = given->tokens;
    p.tokens_stride = given->tokens_stride;
    p.lengths = given->lengths;
    p.line_count = given->line_count;
    p.lines = given->lines;
    p.statuses = given->statuses;
    return launch_moves(static_cast<cuda *>(state), p, error);
}

extern "C" const backend DEVICE_BACKEND = {"device", true, create_state, destroy_state, cuda_bind, cuda_release, cuda_reset, cuda_fork,
                                           cuda_export, cuda_import, set_stream, upload, step, masks, advance, rollback, mask_logits,
                                           catch_up_rows, draft_masks};
