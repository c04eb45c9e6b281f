/* on_device.h - tests of the CPU's sampler, unchanged, on a device: included before a test's own text, it turns the calls
 * whose arrays are device memory there into calls that copy them there and back, and wait. */
#ifndef WEIR_TESTS_ON_DEVICE_H
#define WEIR_TESTS_ON_DEVICE_H

#include "kernels/backend.h"

#ifdef __cplusplus
extern "C" {
#endif

weir_status on_device_create(const weir_sampler_options *options, weir_sampler **out, weir_error *error);
weir_status on_device_create_on(const backend *backend, const weir_sampler_options *options, weir_sampler **out,
                                weir_error *error);
void on_device_destroy(weir_sampler *sampler);
weir_status on_device_step(weir_sampler *sampler, const weir_step *step, weir_error *error);
weir_status on_device_masks(weir_sampler *sampler, const int32_t *slots, size_t row_count, uint32_t *masks, size_t stride,
                            weir_error *error);
weir_status on_device_mask_logits(weir_sampler *sampler, const int32_t *slots, size_t row_count, void *logits,
                                  size_t logits_stride, weir_dtype dtype, weir_error *error);
weir_status on_device_advance(weir_sampler *sampler, const int32_t *slots, const int32_t *tokens, size_t row_count,
                              uint32_t *statuses, weir_error *error);
weir_status on_device_rollback(weir_sampler *sampler, const int32_t *slots, const uint32_t *counts, size_t row_count,
                               uint32_t *statuses, weir_error *error);
weir_status on_device_catch_up(weir_sampler *sampler, const weir_catch_up *catch_up, weir_error *error);
weir_status on_device_draft_masks(weir_sampler *sampler, const weir_draft_masks *draft_masks, weir_error *error);

#ifdef __cplusplus
}
#endif

#ifndef ON_DEVICE_ITSELF
#define weir_sampler_create      on_device_create
#define sampler_create_on        on_device_create_on
#define weir_sampler_destroy     on_device_destroy
#define weir_sampler_step        on_device_step
#define weir_sampler_masks       on_device_masks
#define weir_sampler_mask_logits on_device_mask_logits
#define weir_sampler_advance     on_device_advance
#define weir_sampler_rollback    on_device_rollback
#define weir_sampler_catch_up    on_device_catch_up
#define weir_sampler_draft_masks on_device_draft_masks
#endif

#endif
