/* on_device.cc - arrays of the host go to a device sampler and come back. */
#define ON_DEVICE_ITSELF
#include "on_device.h"

#include <fenv.h>
#include <stdlib.h>
#include <string.h>

#include "harness.h"
#include "kernels/device.cuh"
#include "sampler_helpers.h"

#ifdef __CUDACC__
static const backend *const device_backend = &backend_cuda;
#else
static const backend *const device_backend = &backend_simt;
#endif

/* WEIR_DEVICE_VARIANT, WEIR_DEVICE_CLUSTER and WEIR_DEVICE_FRONT, as numbers: every sampler is made so. */
static uint32_t forced(const char *name) {
    const char *value = getenv(name);
    return value != nullptr ? static_cast<uint32_t>(strtoul(value, nullptr, 10)) : 0;
}

/* --- samplers ------------------------------------------------------------------------------------------------ */

struct owned {
    weir_sampler *sampler;
    void *memory;
    weir_allocator allocator;
    owned *next;
};
static owned *all_owned;

weir_status on_device_create(const weir_sampler_options *given, weir_sampler **out, weir_error *error) {
    return on_device_create_on(device_backend, given, out, error);
}

/* Where there is no device the test is skipped, and says so. */
static void need_device() {
    device_limits limits;
    int current = 0, code = device_current(&current);
    if (code == 0) code = device_limits_of(current, &limits);
    if (code != 0) SKIP("no CUDA device: %s", device_error_name(code));
}

weir_status on_device_create_on(const backend *, const weir_sampler_options *given, weir_sampler **out, weir_error *error) {
    if (given == nullptr || out == nullptr) return sampler_create_on(&backend_cpu, given, out, error);
    weir_device_options device = WEIR_DEVICE_OPTIONS_INIT;
    weir_sampler_options options = *given;
    size_t bytes;
    need_device();
    options.device = &device;
    device.pool_bytes = 16 << 20;
    device.grammar_count = 32;
    device.stop_capacity = 512;
    device.variant = static_cast<weir_device_variant>(forced("WEIR_DEVICE_VARIANT"));
    device.cluster = forced("WEIR_DEVICE_CLUSTER");
    device.front = forced("WEIR_DEVICE_FRONT");
    *out = nullptr;
    weir_status status = weir_sampler_device_bytes(&options, &bytes, error);
    if (status != WEIR_OK) return status;
    owned *o = static_cast<owned *>(calloc(1, sizeof(owned)));
    device.bytes = bytes;
    ASSERT_EQ(device_allocate(&device.memory, bytes), 0);
    o->memory = device.memory;
    status = sampler_create_on(device_backend, &options, out, error);
    if (status != WEIR_OK) {
        device_free(o->memory);
        free(o);
        return status;
    }
    o->sampler = *out;
    o->next = all_owned;
    all_owned = o;
    return WEIR_OK;
}

void on_device_destroy(weir_sampler *sampler) {
    for (owned **at = &all_owned; *at != nullptr; at = &(*at)->next) {
        owned *o = *at;
        if (o->sampler != sampler) continue;
        *at = o->next;
        EXPECT_EQ(device_wait(nullptr), 0);
        weir_sampler_destroy(sampler);
        EXPECT_EQ(device_free(o->memory), 0);
        free(o);
        return;
    }
    weir_sampler_destroy(sampler);
}

/* --- arrays --------------------------------------------------------------------------------------------------- */

enum { ARRAYS_MOST = 16 };

/* The arrays of one call: device blocks with the alignment of the host's. */
struct arrays {
    struct {
        char *block;
        char *at;
        void *host; /* where it comes out, or NULL */
        size_t bytes;
    } items[ARRAYS_MOST];
    int count;
};

static void *to_device(arrays *a, const void *host, size_t bytes, bool out) {
    const size_t huge = static_cast<size_t>(1) << 28;
    if (host == nullptr) return nullptr;
    if (bytes > huge) { /* hardly any of it is there */
#ifdef __CUDACC__
        SKIP("%zu bytes are too many to copy", bytes);
#endif
        return const_cast<void *>(host);
    }
    auto *item = &a->items[a->count++];
    size_t shift = reinterpret_cast<uintptr_t>(host) % 256;
    void *block = nullptr;
    ASSERT_EQ(device_allocate(&block, bytes + shift), 0);
    item->block = static_cast<char *>(block);
    item->at = item->block + shift;
    item->host = out ? const_cast<void *>(host) : nullptr;
    item->bytes = bytes;
    if (bytes != 0) ASSERT_EQ(device_copy_in(item->at, host, bytes, nullptr), 0);
    return item->at;
}
template <typename T> static T *in(arrays *a, T *host, size_t count) {
    return static_cast<T *>(to_device(a, host, count * sizeof(T), false));
}
template <typename T> static T *out(arrays *a, T *host, size_t count) {
    return static_cast<T *>(to_device(a, host, count * sizeof(T), true));
}

/* A device does not know the caller's floating-point mode; an emulated one works on the caller's thread. */
static void finish(arrays *a) {
    fenv_t environment;
    fegetenv(&environment);
    fesetenv(FE_DFL_ENV);
    for (int i = 0; i < a->count; i++)
        if (a->items[i].host != nullptr && a->items[i].bytes != 0)
            ASSERT_EQ(device_copy_out(a->items[i].host, a->items[i].at, a->items[i].bytes, nullptr), 0);
    ASSERT_EQ(device_wait(nullptr), 0);
    for (int i = 0; i < a->count; i++) device_free(a->items[i].block);
    a->count = 0;
    fesetenv(&environment);
}

static size_t rows_of(size_t count, size_t stride, size_t used) { return count == 0 ? 0 : (count - 1) * stride + used; }

/* What the CPU says of a row by an error. */
static weir_status row_error(weir_status status, size_t row, weir_error *error) {
    if (error != nullptr) {
        memset(error, 0, sizeof *error);
        error->status = status;
        error->row = static_cast<int32_t>(row);
        error->byte = -1;
    }
    return status;
}

/* --- calls ------------------------------------------------------------------------------------------------------ */

weir_status on_device_step(weir_sampler *sampler, const weir_step *given, weir_error *error) {
    if (sampler == nullptr || !sampler_on_device(sampler) || given == nullptr || given->size < sizeof *given || given->row_count == 0 || given->logits == nullptr)
        return weir_sampler_step(sampler, given, error);
    weir_step step = *given;
    arrays a = {};
    size_t rows = step.row_count, positions = rows * (step.draft_count + 1), width = sampler_width(sampler), words = (width + 31) / 32;
    size_t stride = step.sampling_stride ? step.sampling_stride : sizeof(weir_sampling);
    uint32_t *statuses = static_cast<uint32_t *>(calloc(positions, sizeof(uint32_t)));
    step.slots = in(&a, step.slots, rows);
    step.logits = to_device(&a, step.logits, rows_of(positions, step.logits_stride, width) * dtype_size(step.dtype), false);
    step.sampling = static_cast<const weir_sampling *>(to_device(&a, step.sampling, rows_of(rows, stride, sizeof(weir_sampling)), false));
    step.masks = in(&a, step.masks, rows_of(positions, step.masks_stride, words));
    step.drafts = in(&a, step.drafts, rows * step.draft_count);
    step.tokens = out(&a, step.tokens, positions);
    step.logprobs = out(&a, step.logprobs, positions);
    step.statuses = out(&a, statuses, positions);
    step.top_tokens = out(&a, step.top_tokens, positions * step.top_count);
    step.top_logprobs = out(&a, step.top_logprobs, positions * step.top_count);
    step.allowed_mass = out(&a, step.allowed_mass, positions);
    weir_status status = weir_sampler_step(sampler, &step, error);
    finish(&a);
    if (given->statuses != nullptr) memcpy(given->statuses, statuses, positions * sizeof(uint32_t));
    for (size_t i = 0; i < positions && status == WEIR_OK; i++)
        if (statuses[i] & WEIR_ROW_STATUS_INVALID) status = row_error(WEIR_ERROR_ARGUMENT, i / (step.draft_count + 1), error);
    free(statuses);
    return status;
}

weir_status on_device_masks(weir_sampler *sampler, const int32_t *slots, size_t row_count, uint32_t *masks, size_t stride,
                            weir_error *error) {
    if (sampler == nullptr || !sampler_on_device(sampler) || slots == nullptr || masks == nullptr || row_count == 0 || stride < (sampler_width(sampler) + 31) / 32)
        return weir_sampler_masks(sampler, slots, row_count, masks, stride, error);
    arrays a = {};
    const int32_t *device_slots = in(&a, slots, row_count);
    uint32_t *device_masks = out(&a, masks, row_count * stride);
    weir_status status = weir_sampler_masks(sampler, device_slots, row_count, device_masks, stride, error);
    finish(&a);
    return status;
}

weir_status on_device_mask_logits(weir_sampler *sampler, const int32_t *slots, size_t row_count, void *logits,
                                  size_t logits_stride, weir_dtype dtype, weir_error *error) {
    if (sampler == nullptr || !sampler_on_device(sampler) || slots == nullptr || logits == nullptr || row_count == 0 || logits_stride < sampler_width(sampler))
        return weir_sampler_mask_logits(sampler, slots, row_count, logits, logits_stride, dtype, error);
    arrays a = {};
    const int32_t *device_slots = in(&a, slots, row_count);
    void *device_logits = to_device(&a, logits, rows_of(row_count, logits_stride, sampler_width(sampler)) * dtype_size(dtype), true);
    weir_status status = weir_sampler_mask_logits(sampler, device_slots, row_count, device_logits, logits_stride, dtype, error);
    finish(&a);
    return status;
}

/* After a call whose rows were moved: statuses for the caller, or the error that a row is where he takes none. */
static weir_status moved(weir_status status, const uint32_t *found, size_t row_count, uint32_t *statuses, weir_status refused,
                         weir_error *error) {
    for (size_t i = 0; i < row_count && status == WEIR_OK; i++) {
        if (found[i] & WEIR_ROW_STATUS_INVALID) status = row_error(WEIR_ERROR_ARGUMENT, i, error);
        if (found[i] & WEIR_ROW_STATUS_REJECTED && statuses == nullptr) status = row_error(refused, i, error);
    }
    if (statuses != nullptr) memcpy(statuses, found, row_count * sizeof *found);
    return status;
}

weir_status on_device_advance(weir_sampler *sampler, const int32_t *slots, const int32_t *tokens, size_t row_count,
                              uint32_t *statuses, weir_error *error) {
    if (sampler == nullptr || !sampler_on_device(sampler) || slots == nullptr || tokens == nullptr || row_count == 0)
        return weir_sampler_advance(sampler, slots, tokens, row_count, statuses, error);
    arrays a = {};
    uint32_t *found = static_cast<uint32_t *>(calloc(row_count, sizeof *found));
    const int32_t *device_slots = in(&a, slots, row_count), *device_tokens = in(&a, tokens, row_count);
    uint32_t *device_found = out(&a, found, row_count);
    weir_status status = weir_sampler_advance(sampler, device_slots, device_tokens, row_count, device_found, error);
    finish(&a);
    status = moved(status, found, row_count, statuses, WEIR_ERROR_TOKEN, error);
    free(found);
    return status;
}

weir_status on_device_rollback(weir_sampler *sampler, const int32_t *slots, const uint32_t *counts, size_t row_count,
                               uint32_t *statuses, weir_error *error) {
    if (sampler == nullptr || !sampler_on_device(sampler) || slots == nullptr || counts == nullptr || row_count == 0)
        return weir_sampler_rollback(sampler, slots, counts, row_count, statuses, error);
    arrays a = {};
    uint32_t *found = static_cast<uint32_t *>(calloc(row_count, sizeof *found));
    const int32_t *device_slots = in(&a, slots, row_count);
    const uint32_t *device_counts = in(&a, counts, row_count);
    uint32_t *device_found = out(&a, found, row_count);
    weir_status status = weir_sampler_rollback(sampler, device_slots, device_counts, row_count, device_found, error);
    finish(&a);
    status = moved(status, found, row_count, statuses, WEIR_ERROR_ARGUMENT, error);
    free(found);
    return status;
}

weir_status on_device_catch_up(weir_sampler *sampler, const weir_catch_up *given, weir_error *error) {
    if (sampler == nullptr || !sampler_on_device(sampler) || given == nullptr || given->size < sizeof *given || given->row_count == 0 || given->slots == nullptr ||
        given->tokens == nullptr || given->lengths == nullptr)
        return weir_sampler_catch_up(sampler, given, error);
    weir_catch_up c = *given;
    arrays a = {};
    uint32_t *found = static_cast<uint32_t *>(calloc(c.row_count, sizeof *found));
    c.slots = in(&a, c.slots, c.row_count);
    c.tokens = in(&a, c.tokens, c.line_count * c.tokens_stride);
    c.lengths = in(&a, c.lengths, c.line_count);
    c.lines = in(&a, c.lines, c.row_count);
    c.statuses = out(&a, found, c.row_count);
    weir_status status = weir_sampler_catch_up(sampler, &c, error);
    finish(&a);
    weir_status refused = WEIR_ERROR_TOKEN;
    for (size_t i = 0; i < c.row_count && status == WEIR_OK; i++) { /* which of the two errors the CPU gives */
        int64_t line = given->lines != nullptr ? given->lines[i] : given->slots[i];
        if ((found[i] & WEIR_ROW_STATUS_REJECTED) == 0) continue;
        bool exists = line >= 0 && static_cast<size_t>(line) < given->line_count;
        if (!exists || given->lengths[line] < 0 || static_cast<size_t>(given->lengths[line]) > given->tokens_stride) refused = WEIR_ERROR_ARGUMENT;
        break;
    }
    status = moved(status, found, c.row_count, given->statuses, refused, error);
    free(found);
    return status;
}

weir_status on_device_draft_masks(weir_sampler *sampler, const weir_draft_masks *given, weir_error *error) {
    if (sampler == nullptr || !sampler_on_device(sampler) || given == nullptr || given->size < sizeof *given || given->row_count == 0 || given->slots == nullptr)
        return weir_sampler_draft_masks(sampler, given, error);
    weir_draft_masks d = *given;
    arrays a = {};
    d.slots = in(&a, d.slots, d.row_count);
    d.drafts = in(&a, d.drafts, d.row_count * d.draft_count);
    d.masks = out(&a, d.masks, d.row_count * (d.draft_count + 1) * d.masks_stride);
    d.valid_counts = out(&a, d.valid_counts, d.row_count);
    weir_status status = weir_sampler_draft_masks(sampler, &d, error);
    finish(&a);
    return status;
}
