/* test_device_options.c - what a device sampler is made with: sizes that add up, and errors that name the field. */
#include <string.h>

#include "harness.h"

static weir_sampler_options sampler_options(const weir_device_options *device) {
    weir_sampler_options options = WEIR_SAMPLER_OPTIONS_INIT;
    options.slot_count = 4, options.logits_width = 1000;
    options.device = device;
    return options;
}

static size_t bytes_of(weir_device_options device) {
    weir_sampler_options options = sampler_options(&device);
    size_t bytes;
    weir_error error;
    EXPECT_OK(weir_sampler_device_bytes(&options, &bytes, &error), &error);
    return bytes;
}

static void expect_refused(weir_device_options device, const char *part) {
    weir_sampler_options options = sampler_options(&device);
    size_t bytes = 7;
    weir_error error;
    EXPECT_STATUS(weir_sampler_device_bytes(&options, &bytes, &error), WEIR_ERROR_ARGUMENT, &error);
    EXPECT_CONTAINS(error.message, part);
    EXPECT_EQ(bytes, 0);
}

TEST(device_options, the_memory_grows_by_what_is_asked_for) {
    weir_device_options device = WEIR_DEVICE_OPTIONS_INIT;
    size_t plain = bytes_of(device);
    EXPECT_GT(plain, (size_t)256 << 20);
    device.pool_bytes = (size_t)257 << 20;
    EXPECT_EQ(bytes_of(device) - plain, 1 << 20);
    device = (weir_device_options)WEIR_DEVICE_OPTIONS_INIT;
    device.sequence_words = 4096 + 1024;
    EXPECT_EQ(bytes_of(device) - plain, 2 * 4 * 1024 * sizeof(uint32_t)); /* each slot has it twice: drafts are tried */
    device = (weir_device_options)WEIR_DEVICE_OPTIONS_INIT;
    device.walk_words = 16384 + 64;
    EXPECT_EQ(bytes_of(device) - plain, 4 * 64 * sizeof(uint32_t));
}

TEST(device_options, sizes_out_of_range_are_refused_by_name) {
    const weir_device_options defaults = WEIR_DEVICE_OPTIONS_INIT;
    weir_device_options device = defaults;
    device.cluster = 3;
    expect_refused(device, "device.cluster is 3");
    device = defaults, device.cluster = 32;
    expect_refused(device, "device.cluster is 32");
    device = defaults, device.front = 513;
    expect_refused(device, "device.front is 513, at most 512");
    device = defaults, device.variant = (weir_device_variant)9;
    expect_refused(device, "device.variant is 9");
    device = defaults, device.sequence_words = UINT32_MAX;
    expect_refused(device, "device.sequence_words");
    device = defaults, device.grammar_count = 1u << 23;
    expect_refused(device, "device.grammar_count");
    device = defaults, device.size = 3;
    expect_refused(device, "weir_device_options");
}

TEST(device_options, bytes_are_only_asked_of_a_device_sampler) {
    weir_sampler_options options = sampler_options(NULL);
    size_t bytes;
    weir_error error;
    EXPECT_STATUS(weir_sampler_device_bytes(&options, &bytes, &error), WEIR_ERROR_ARGUMENT, &error);
    EXPECT_CONTAINS(error.message, "options->device is NULL");
    EXPECT_STATUS(weir_sampler_device_bytes(&options, NULL, &error), WEIR_ERROR_ARGUMENT, &error);
    EXPECT_STATUS(weir_sampler_device_bytes(NULL, &bytes, &error), WEIR_ERROR_ARGUMENT, &error);
}

#ifndef WEIR_CUDA
TEST(device_options, a_library_without_CUDA_says_so) {
    weir_device_options device = WEIR_DEVICE_OPTIONS_INIT;
    weir_sampler_options options = sampler_options(&device);
    weir_sampler *sampler;
    weir_error error;
    EXPECT_STATUS(weir_sampler_create(&options, &sampler, &error), WEIR_ERROR_DEVICE, &error);
    EXPECT_CONTAINS(error.message, "without CUDA");
    EXPECT_NULL(sampler);
}
#endif

TEST(device_options, upload_does_nothing_on_the_CPU_and_refuses_NULL) {
    weir_sampler_options options = sampler_options(NULL);
    weir_sampler *sampler;
    weir_vocab *vocab;
    weir_grammar *grammar;
    weir_error error;
    ASSERT_OK(weir_vocab_default(NULL, &vocab, &error), &error);
    ASSERT_OK(weir_grammar_from_json_schema(vocab, "true", 4, NULL, &grammar, &error), &error);
    ASSERT_OK(weir_sampler_create(&options, &sampler, &error), &error);
    EXPECT_OK(weir_sampler_upload(sampler, grammar, NULL, &error), &error);
    EXPECT_STATUS(weir_sampler_upload(sampler, NULL, NULL, &error), WEIR_ERROR_ARGUMENT, &error);
    EXPECT_STATUS(weir_sampler_upload(NULL, grammar, NULL, &error), WEIR_ERROR_ARGUMENT, &error);
    weir_sampler_destroy(sampler);
    weir_grammar_destroy(grammar);
    weir_vocab_destroy(vocab);
}
