/* test_host.cc - the host's side of the emulated device: streams, events, graphs, limits, errors, counts. */
#include <string.h>

#include "tests/harness.h"

#include "fiber.h"
#include "planted.cuh"
#include "test_kernels.cuh"

enum { COUNT = 300, SEEDS = 24 };

static uint32_t *words_on_device(uint32_t value) {
    void *memory = nullptr;
    ASSERT_EQ(simt_malloc(&memory, COUNT * sizeof(uint32_t)), 0);
    uint32_t *words = static_cast<uint32_t *>(memory);
    for (uint32_t i = 0; i < COUNT; i++) words[i] = value;
    return words;
}

static int enqueue_double(uint32_t *from, uint32_t *to, uint32_t add, bool overlap, device_stream stream) {
    double_params p = {from, to, COUNT, add};
    return device_launch(doubled, launch_shape{2, 1, TEST_THREADS, 0, overlap}, stream, p);
}

static bool all_are(const uint32_t *words, uint32_t value) {
    for (uint32_t i = 0; i < COUNT; i++) {
        if (words[i] != value) return false;
    }
    return true;
}

/* --- streams ---------------------------------------------------------------------------------------------- */

TEST(simt_host, nothing_runs_before_the_host_waits) {
    simt_reset();
    uint32_t *a = words_on_device(1), *b = words_on_device(0), out[COUNT] = {};
    ASSERT_EQ(enqueue_double(a, b, 5, false, nullptr), 0);
    ASSERT_EQ(device_copy_out(out, b, sizeof out, nullptr), 0);
    EXPECT_TRUE(all_are(b, 0));
    EXPECT_TRUE(all_are(out, 0));
    ASSERT_EQ(device_wait(nullptr), 0);
    EXPECT_TRUE(all_are(out, 7));
    simt_free(a);
    simt_free(b);
}

TEST(simt_host, a_copy_reads_a_staging_buffer_when_it_runs) {
    simt_reset();
    uint32_t *a = words_on_device(0), *b = words_on_device(0), staging[COUNT];
    for (int wait = 0; wait < 2; wait++) {
        memset(staging, 1, sizeof staging);
        ASSERT_EQ(device_copy_in(a, staging, sizeof staging, nullptr), 0);
        if (wait) ASSERT_EQ(device_wait(nullptr), 0);
        memset(staging, 2, sizeof staging); /* used again too early, unless the host has waited */
        ASSERT_EQ(device_copy_in(b, staging, sizeof staging, nullptr), 0);
        ASSERT_EQ(device_wait(nullptr), 0);
        EXPECT_TRUE(all_are(a, wait ? 0x01010101 : 0x02020202));
        EXPECT_TRUE(all_are(b, 0x02020202));
    }
    simt_free(a);
    simt_free(b);
}

TEST(simt_host, a_wait_runs_its_own_stream_and_what_that_waits_for) {
    simt_reset();
    uint32_t *a = words_on_device(0), *b = words_on_device(0), *c = words_on_device(0);
    device_stream streams[3];
    device_event event = nullptr;
    for (device_stream &stream : streams) ASSERT_EQ(simt_stream_create(&stream), 0);
    ASSERT_EQ(device_event_create(&event), 0);
    ASSERT_EQ(device_fill(a, 1, COUNT * sizeof *a, streams[0]), 0);
    ASSERT_EQ(device_fill(b, 1, COUNT * sizeof *b, streams[1]), 0);
    ASSERT_EQ(device_event_record(event, streams[1]), 0);
    ASSERT_EQ(device_fill(b, 2, COUNT * sizeof *b, streams[1]), 0);
    ASSERT_EQ(device_event_wait(event, streams[2]), 0);
    ASSERT_EQ(device_fill(c, 1, COUNT * sizeof *c, streams[2]), 0);
    ASSERT_EQ(device_wait(streams[2]), 0);
    EXPECT_TRUE(all_are(a, 0));
    EXPECT_TRUE(all_are(b, 0x01010101));
    EXPECT_TRUE(all_are(c, 0x01010101));
    for (device_stream stream : streams) EXPECT_EQ(simt_stream_destroy(stream), 0);
    EXPECT_TRUE(all_are(a, 0x01010101));
    EXPECT_TRUE(all_are(b, 0x02020202));
    EXPECT_EQ(device_event_destroy(event), 0);
    simt_free(a);
    simt_free(b);
    simt_free(c);
}

/* How often, over the seeds, the second stream sees what the first has made. */
static uint32_t times_seen(bool with_event) {
    uint32_t seen = 0, *a = words_on_device(1), *b = words_on_device(0), *c = words_on_device(0);
    device_stream first = nullptr, second = nullptr;
    device_event event = nullptr;
    ASSERT_EQ(simt_stream_create(&first), 0);
    ASSERT_EQ(simt_stream_create(&second), 0);
    ASSERT_EQ(device_event_create(&event), 0);
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        simt_set_seed(seed);
        ASSERT_EQ(device_fill(b, 0, COUNT * sizeof *b, second), 0);
        ASSERT_EQ(device_wait(second), 0);
        ASSERT_EQ(enqueue_double(a, b, 0, false, first), 0);
        if (with_event) ASSERT_EQ(device_event_record(event, first), 0);
        if (with_event) ASSERT_EQ(device_event_wait(event, second), 0);
        ASSERT_EQ(enqueue_double(b, c, 0, false, second), 0);
        ASSERT_EQ(device_wait(second), 0);
        seen += all_are(c, 4);
        ASSERT_EQ(simt_wait_all(), 0);
    }
    EXPECT_EQ(device_event_destroy(event), 0);
    EXPECT_EQ(simt_stream_destroy(first), 0);
    EXPECT_EQ(simt_stream_destroy(second), 0);
    simt_free(a);
    simt_free(b);
    simt_free(c);
    return seen;
}

TEST(simt_host, an_event_orders_two_streams) {
    simt_reset();
    EXPECT_EQ(times_seen(true), SEEDS);
}

TEST(simt_host, a_missing_event_between_two_streams_is_seen) {
    simt_reset();
    uint32_t seen = times_seen(false);
    EXPECT_LT(seen, SEEDS);
    EXPECT_GT(seen, 0); /* in some orders only */
}

TEST(simt_host, a_loop_of_queries_ends_when_what_was_before_the_event_is_done) {
    simt_reset();
    uint32_t *a = words_on_device(1), *b = words_on_device(0), queries = 1;
    device_event event = nullptr;
    ASSERT_EQ(device_event_create(&event), 0);
    EXPECT_EQ(device_event_query(event), 0); /* never recorded */
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        simt_set_seed(seed);
        ASSERT_EQ(enqueue_double(a, b, static_cast<uint32_t>(seed), false, nullptr), 0);
        ASSERT_EQ(device_event_record(event, nullptr), 0);
        ASSERT_EQ(enqueue_double(b, a, 0, false, nullptr), 0);
        memset(a, 0, COUNT * sizeof *a);
        for (queries = 1; device_event_query(event) == SIMT_NOT_READY; queries++) ASSERT_LT(queries, 100);
        EXPECT_GT(queries, 1);
        EXPECT_TRUE(all_are(b, static_cast<uint32_t>(seed)));
        ASSERT_EQ(device_wait(nullptr), 0);
    }
    EXPECT_EQ(device_event_destroy(event), 0);
    simt_free(a);
    simt_free(b);
}

TEST(simt_host, freeing_memory_waits_for_what_uses_it) {
    simt_reset();
    uint32_t *a = words_on_device(3), *b = words_on_device(0);
    ASSERT_EQ(enqueue_double(a, b, 0, false, nullptr), 0);
    EXPECT_EQ(simt_free(a), 0);
    EXPECT_TRUE(all_are(b, 6));
    EXPECT_EQ(simt_free(b), 0);
    EXPECT_EQ(simt_free(b), SIMT_INVALID_VALUE);
    EXPECT_EQ(simt_free(nullptr), 0);
}

/* --- overlap ---------------------------------------------------------------------------------------------- */

TEST(simt_host, a_launch_that_waits_for_the_grid_before_may_overlap_it) {
    simt_reset();
    uint32_t *a = words_on_device(1), *b = words_on_device(0), *c = words_on_device(0);
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        simt_set_seed(seed);
        memset(b, 0, COUNT * sizeof *b);
        ASSERT_EQ(enqueue_double(a, b, 0, false, nullptr), 0);
        ASSERT_EQ(enqueue_double(b, c, 0, true, nullptr), 0);
        ASSERT_EQ(enqueue_double(c, b, 0, true, nullptr), 0);
        ASSERT_EQ(device_wait(nullptr), 0);
        EXPECT_TRUE(all_are(c, 4));
        EXPECT_TRUE(all_are(b, 8));
    }
    simt_free(a);
    simt_free(b);
    simt_free(c);
}

TEST(simt_host, a_launch_that_does_not_wait_for_the_grid_before_is_seen) {
    if (SIMT_THREAD_SANITIZER) SKIP("ThreadSanitizer ends it first: see simt_race");
    simt_reset();
    uint32_t *a = words_on_device(1), *b = words_on_device(0), seen = 0;
    planted_params p = {b, COUNT};
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        simt_set_seed(seed);
        memset(b, 0, COUNT * sizeof *b);
        ASSERT_EQ(enqueue_double(a, b, 1, false, nullptr), 0);
        ASSERT_EQ(device_launch(does_not_wait_for_grid, launch_shape{1, 1, 64, 0, true}, nullptr, p), 0);
        ASSERT_EQ(device_wait(nullptr), 0);
        EXPECT_EQ(b[0], 3);
        seen += b[COUNT - 1] == 3;
    }
    EXPECT_LT(seen, SEEDS);
    EXPECT_GT(seen, 0);
    simt_free(a);
    simt_free(b);
}

/* --- graphs ----------------------------------------------------------------------------------------------- */

TEST(simt_host, a_graph_replays_what_was_captured_with_its_params) {
    simt_reset();
    uint32_t *a = words_on_device(1), staging[COUNT], out[COUNT];
    simt_graph *graph = nullptr;
    device_stream stream = nullptr;
    ASSERT_EQ(simt_stream_create(&stream), 0);
    ASSERT_EQ(simt_capture_begin(stream), 0);
    ASSERT_EQ(device_copy_in(a, staging, sizeof staging, stream), 0);
    for (uint32_t add = 1; add <= 3; add++) ASSERT_EQ(enqueue_double(a, a, add, add > 1, stream), 0);
    ASSERT_EQ(device_copy_out(out, a, sizeof out, stream), 0);
    ASSERT_EQ(simt_capture_end(stream, &graph), 0);
    ASSERT_EQ(device_wait(stream), 0);
    EXPECT_TRUE(all_are(a, 1)); /* capturing runs nothing */
    for (uint32_t round = 0; round < 3; round++) {
        for (uint32_t i = 0; i < COUNT; i++) staging[i] = round;
        ASSERT_EQ(simt_graph_launch(graph, stream), 0);
        ASSERT_EQ(device_wait(stream), 0);
        EXPECT_TRUE(all_are(out, 8 * round + 4 + 4 + 3));
    }
    ASSERT_EQ(simt_graph_launch(graph, stream), 0);
    EXPECT_EQ(simt_graph_destroy(graph), 0); /* what is enqueued stays */
    EXPECT_EQ(simt_stream_destroy(stream), 0);
    simt_free(a);
}

TEST(simt_host, a_wait_or_an_allocation_spoils_a_capture) {
    for (int what = 0; what < 3; what++) {
        simt_reset();
        simt_graph *graph = nullptr;
        void *memory = nullptr;
        device_event event = nullptr;
        ASSERT_EQ(device_event_create(&event), 0);
        ASSERT_EQ(simt_capture_begin(nullptr), 0);
        int error = what == 0   ? device_wait(nullptr)
                    : what == 1 ? simt_malloc(&memory, 16)
                                : device_event_record(event, nullptr);
        EXPECT_EQ(error, SIMT_CAPTURE_UNSUPPORTED);
        EXPECT_EQ(simt_capture_end(nullptr, &graph), SIMT_CAPTURE_INVALIDATED);
        EXPECT_NULL(graph);
        EXPECT_EQ(device_event_destroy(event), 0);
    }
}

/* --- limits and errors ------------------------------------------------------------------------------------ */

static int launch_shaped(uint32_t clusters, uint32_t cluster, uint32_t threads, size_t shared, bool overlap) {
    uint32_t *words = words_on_device(0);
    int error = device_launch(doubled, launch_shape{clusters, cluster, threads, shared, overlap}, nullptr,
                              double_params{words, words, COUNT, 0});
    simt_free(words);
    return error;
}

TEST(simt_host, the_device_is_an_h200_until_a_test_says_otherwise) {
    device_limits limits;
    int device = -1;
    simt_reset();
    ASSERT_EQ(device_current(&device), 0);
    ASSERT_EQ(device_limits_of(device, &limits), 0);
    EXPECT_EQ(limits.multiprocessors, 132);
    EXPECT_EQ(limits.capability, 90);
    EXPECT_EQ(limits.shared_per_block, 232448);
    EXPECT_EQ(limits.shared_per_multiprocessor, 233472);
    EXPECT_EQ(limits.largest_cluster, 16);
    EXPECT_EQ(launch_shaped(1, 2, 64, 0, true), 0);
    limits = {108, 80, 166912, 167936, 1};
    simt_set_limits(&limits);
    EXPECT_EQ(launch_shaped(1, 1, 64, 0, false), 0);
    EXPECT_EQ(launch_shaped(1, 2, 64, 0, false), SIMT_NOT_SUPPORTED);
    EXPECT_EQ(launch_shaped(1, 1, 64, 0, true), SIMT_NOT_SUPPORTED);
    EXPECT_EQ(device_allow(doubled, 200000, 1), SIMT_INVALID_VALUE);
    simt_reset();
    ASSERT_EQ(device_limits_of(0, &limits), 0);
    EXPECT_EQ(limits.capability, 90);
}

TEST(simt_host, a_launch_that_a_device_would_refuse_is_refused) {
    simt_reset();
    EXPECT_EQ(launch_shaped(0, 1, 64, 0, false), SIMT_INVALID_CONFIGURATION);
    EXPECT_EQ(launch_shaped(1, 0, 64, 0, false), SIMT_INVALID_CONFIGURATION);
    EXPECT_EQ(launch_shaped(1, 1, 0, 0, false), SIMT_INVALID_CONFIGURATION);
    EXPECT_EQ(launch_shaped(1, 1, 1056, 0, false), SIMT_INVALID_CONFIGURATION);
    EXPECT_EQ(launch_shaped(1, 17, 64, 0, false), SIMT_CLUSTER_TOO_LARGE);
    EXPECT_EQ(launch_shaped(1, 16, 64, 0, false), SIMT_CLUSTER_TOO_LARGE); /* not without device_allow */
    EXPECT_EQ(launch_shaped(1, 1, 64, 100000, false), SIMT_INVALID_VALUE);
    ASSERT_EQ(device_allow(doubled, 232448, 16), 0);
    EXPECT_EQ(launch_shaped(1, 16, 64, 232448, false), 0);
    EXPECT_EQ(launch_shaped(1, 1, 64, 232449, false), SIMT_INVALID_VALUE);
    EXPECT_STREQ(device_error_name(SIMT_CLUSTER_TOO_LARGE), "invalid cluster size");
    EXPECT_EQ(device_clear_error(), SIMT_INVALID_VALUE); /* the last one */
    EXPECT_EQ(device_clear_error(), 0);
}

TEST(simt_host, calls_are_counted_by_kind) {
    simt_reset();
    uint32_t *a = words_on_device(1), out[COUNT];
    device_event event = nullptr;
    ASSERT_EQ(device_event_create(&event), 0);
    ASSERT_EQ(enqueue_double(a, a, 0, false, nullptr), 0);
    ASSERT_EQ(device_copy_in(a, out, sizeof out, nullptr), 0);
    ASSERT_EQ(device_copy_out(out, a, sizeof out, nullptr), 0);
    ASSERT_EQ(device_copy(a, a + COUNT / 2, 16, nullptr), 0);
    ASSERT_EQ(device_fill(a, 0, 16, nullptr), 0);
    ASSERT_EQ(device_event_record(event, nullptr), 0);
    ASSERT_EQ(device_wait(nullptr), 0);
    ASSERT_EQ(device_event_destroy(event), 0);
    simt_free(a);
    const simt_counts expected = {1, 0, 1, 1, 1, 1, 1, 3, 1, 1, 0, 0};
    simt_counts found = simt_counted();
    EXPECT_BYTES_EQ(&found, sizeof found, &expected, sizeof expected);
    simt_reset();
    found = simt_counted();
    EXPECT_EQ(found.launches + found.waits + found.events + found.allocations, 0);
}

TEST(simt_host, any_call_can_be_made_to_fail) {
    simt_reset();
    uint32_t *a = words_on_device(1);
    simt_fail_at(2);
    EXPECT_EQ(enqueue_double(a, a, 0, false, nullptr), 0);
    EXPECT_EQ(enqueue_double(a, a, 0, false, nullptr), SIMT_UNKNOWN);
    EXPECT_EQ(enqueue_double(a, a, 0, false, nullptr), 0);
    EXPECT_EQ(device_wait(nullptr), 0);
    EXPECT_TRUE(all_are(a, 4));
    simt_free(a);
}
