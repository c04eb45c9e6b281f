/* test_planted.cc - every detector detects: kernels with one fault each run in a child, and what it says is read. */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "tests/harness.h"

#include "child.h"
#include "fiber.h"
#include "planted.cuh"
#include "test_kernels.cuh"

enum { WORDS = 64 };

static planted_kernel *kernel;
static launch_shape shape;
static char output[1 << 16];

static void launch_planted() {
    planted_params p = {nullptr, WORDS};
    void *words = nullptr;
    simt_reset();
    ASSERT_EQ(simt_malloc(&words, WORDS * sizeof(uint32_t)), 0);
    p.words = static_cast<uint32_t *>(words);
    ASSERT_EQ(device_launch(kernel, shape, nullptr, p), 0);
    ASSERT_EQ(device_wait(nullptr), 0);
    simt_free(words);
}

static child_end run_planted(planted_kernel *planted, uint32_t clusters, uint32_t cluster) {
    kernel = planted;
    shape = {clusters, cluster, 64, WORDS * sizeof(uint32_t), false};
    return child_run(launch_planted, output, sizeof output);
}

static void expect_line(const char *name, int number) {
    char mark[64], line[64];
    snprintf(mark, sizeof mark, "%s %d", name, number);
    EXPECT_CONTAINS(output, planted_line(mark, line, sizeof line));
}

/* --- the emulator ----------------------------------------------------------------------------------------- */

#define EXPECT_FAULT(planted, clusters, cluster, lines, words)                                                         \
    do {                                                                                                               \
        EXPECT_EQ(run_planted(planted, clusters, cluster), CHILD_ABORTED);                                             \
        EXPECT_CONTAINS(output, "simt: kernel " #planted ", block ");                                                  \
        EXPECT_CONTAINS(output, words);                                                                                \
        for (int number = 1; number <= (lines); number++) expect_line(#planted, number);                               \
    } while (0)

TEST(simt_fault, a_thread_that_returned_before_a_barrier_is_named) {
    EXPECT_FAULT(returns_before_barrier, 2, 1, 1, "block 0, thread 17 returned before block_sync");
}

TEST(simt_fault, threads_of_a_block_at_two_barriers_are_named) {
    EXPECT_FAULT(waits_at_two_barriers, 1, 1, 2, "waits at cluster_sync");
}

TEST(simt_fault, a_block_that_returned_before_a_barrier_of_its_cluster_is_named) {
    EXPECT_FAULT(block_leaves_cluster, 1, 2, 1, "block 1, thread 0 returned before cluster_sync");
}

TEST(simt_fault, a_lane_that_does_not_come_to_a_collective_is_named) {
    EXPECT_FAULT(lane_skips_collective, 1, 1, 2, "thread 40 waits at block_sync");
}

TEST(simt_fault, lanes_at_different_collectives_are_named) {
    EXPECT_FAULT(lanes_at_two_collectives, 1, 1, 2, "is at warp_min");
}

TEST(simt_fault, lanes_at_one_collective_on_different_lines_are_named) {
    EXPECT_FAULT(lanes_at_one_collective_twice, 1, 1, 2, "is at warp_shuffle");
}

TEST(simt_fault, a_thread_that_ends_before_its_copies_is_named) {
    EXPECT_FAULT(copy_without_wait, 1, 1, 0, "thread 5 ended with 1 copies");
}

TEST(simt_fault, a_misaligned_load_is_named) {
    EXPECT_FAULT(loads_misaligned, 1, 1, 1, "not aligned to 16 bytes");
}

TEST(simt_fault, more_shared_memory_than_the_launch_gave_is_named) {
    EXPECT_FAULT(takes_too_much_shared, 1, 1, 1, "takes 260 bytes of shared memory");
}

TEST(simt_fault, a_block_that_the_cluster_does_not_have_is_named) {
    EXPECT_FAULT(reaches_absent_block, 1, 2, 1, "reaches for block 2 of a cluster of 2");
}

TEST(simt_fault, a_pointer_that_is_not_into_shared_memory_is_named) {
    EXPECT_FAULT(reaches_with_global_pointer, 1, 2, 1, "not into its block's shared memory");
}

TEST(simt_fault, reaching_into_a_block_that_may_not_have_begun_is_named) {
    EXPECT_FAULT(reaches_too_early, 1, 2, 1, "may not have begun");
}

TEST(simt_fault, reaching_into_a_block_that_may_have_ended_is_named) {
    EXPECT_FAULT(reaches_without_last_barrier, 1, 2, 1, "may have ended");
}

TEST(simt_fault, reaching_into_a_block_that_has_ended_is_named) {
    EXPECT_FAULT(reaches_ended_block, 1, 2, 1, "which has ended");
}

static void launch_part_of_a_warp() {
    simt_reset();
    planted_params p = {nullptr, 0};
    (void)device_launch(no_barrier, launch_shape{1, 1, 48, 0, false}, nullptr, p);
}

TEST(simt_fault, a_block_of_no_whole_warps_is_named) {
    EXPECT_EQ(child_run(launch_part_of_a_warp, output, sizeof output), CHILD_ABORTED);
    EXPECT_CONTAINS(output, "48 threads");
}

static void copy_to_the_host() {
    static uint32_t here[4], there[4];
    simt_reset();
    (void)device_copy_in(here, there, sizeof here, nullptr);
    (void)device_wait(nullptr);
}

TEST(simt_fault, a_copy_to_memory_that_is_not_the_devices_is_named) {
    EXPECT_EQ(child_run(copy_to_the_host, output, sizeof output), CHILD_ABORTED);
    EXPECT_CONTAINS(output, "not all memory of the device");
}

/* --- AddressSanitizer ------------------------------------------------------------------------------------- */

static void expect_overflow(planted_kernel *planted, const char *name, uint32_t cluster, const char *words) {
    if (!SIMT_ADDRESS_SANITIZER) SKIP("needs AddressSanitizer: -DWEIR_SANITIZE=ON");
    EXPECT_EQ(run_planted(planted, 1, cluster), CHILD_EXITED);
    EXPECT_CONTAINS(output, words);
    expect_line(name, 1);
}

TEST(simt_address, a_write_past_the_shared_memory_of_the_launch_is_reported) {
    expect_overflow(writes_past_shared, "writes_past_shared", 1, "use-after-poison");
}

TEST(simt_address, a_write_past_memory_of_the_device_is_reported) {
    expect_overflow(writes_past_global, "writes_past_global", 1, "heap-buffer-overflow");
}

TEST(simt_address, a_read_of_a_block_that_has_ended_is_reported) {
    expect_overflow(keeps_pointer_into_ended_block, "keeps_pointer_into_ended_block", 2, "use-after-poison");
}

static uint32_t seen;

static void read_on_the_host() {
    void *words = nullptr;
    simt_reset();
    simt_keep_host_out(true);
    ASSERT_EQ(simt_malloc(&words, WORDS * sizeof(uint32_t)), 0);
    ASSERT_EQ(device_fill(words, 1, WORDS * sizeof(uint32_t), nullptr), 0);
    ASSERT_EQ(device_copy_out(&seen, words, sizeof seen, nullptr), 0);
    ASSERT_EQ(device_wait(nullptr), 0);
    if (seen == 0x01010101) seen = *static_cast<uint32_t *>(words);
}

TEST(simt_address, the_host_reading_memory_of_the_device_is_reported) {
    if (!SIMT_ADDRESS_SANITIZER) SKIP("needs AddressSanitizer: -DWEIR_SANITIZE=ON");
    EXPECT_EQ(child_run(read_on_the_host, output, sizeof output), CHILD_EXITED);
    EXPECT_CONTAINS(output, "use-after-poison");
    EXPECT_CONTAINS(output, "read_on_the_host");
}

/* --- ThreadSanitizer -------------------------------------------------------------------------------------- */

static void expect_race(planted_kernel *planted, const char *name, uint32_t clusters, uint32_t cluster, int lines) {
    if (!SIMT_THREAD_SANITIZER) SKIP("needs ThreadSanitizer: -DWEIR_SANITIZE=thread");
    EXPECT_NE(run_planted(planted, clusters, cluster), CHILD_ABORTED);
    EXPECT_CONTAINS(output, "data race");
    for (int number = 1; number <= lines; number++) expect_line(name, number);
}

TEST(simt_race, a_missing_barrier_is_reported_with_both_lines) {
    expect_race(no_barrier, "no_barrier", 1, 1, 2);
}

TEST(simt_race, shared_memory_used_again_without_a_barrier_is_reported_though_results_are_right) {
    expect_race(shared_used_again, "shared_used_again", 1, 1, 2);
}

TEST(simt_race, a_shuffle_orders_no_memory) {
    expect_race(shuffle_as_barrier, "shuffle_as_barrier", 1, 1, 2);
}

TEST(simt_race, a_barrier_of_a_warp_orders_no_other_warp) {
    expect_race(warp_barrier_for_a_block, "warp_barrier_for_a_block", 1, 1, 2);
}

TEST(simt_race, a_barrier_of_a_block_orders_no_other_block) {
    expect_race(block_barrier_for_a_cluster, "block_barrier_for_a_cluster", 1, 2, 2);
}

TEST(simt_race, an_atomic_operation_orders_no_other_memory) {
    expect_race(atomic_as_barrier, "atomic_as_barrier", 1, 1, 2);
}

TEST(simt_race, blocks_of_a_grid_are_not_ordered) {
    expect_race(blocks_race, "blocks_race", 2, 1, 1);
}

static void launch_two_overlapping() {
    void *words = nullptr;
    simt_reset();
    ASSERT_EQ(simt_malloc(&words, WORDS * sizeof(uint32_t)), 0);
    double_params first = {static_cast<uint32_t *>(words), static_cast<uint32_t *>(words), WORDS, 0};
    planted_params second = {static_cast<uint32_t *>(words), WORDS};
    for (uint64_t seed = 1; seed < 8; seed++) { /* in some of the orders the second begins first */
        simt_set_seed(seed);
        ASSERT_EQ(device_launch(doubled, launch_shape{1, 1, 64, 0, false}, nullptr, first), 0);
        ASSERT_EQ(device_launch(does_not_wait_for_grid, launch_shape{1, 1, 64, 0, true}, nullptr, second), 0);
        ASSERT_EQ(device_wait(nullptr), 0);
    }
    simt_free(words);
}

TEST(simt_race, a_launch_that_does_not_wait_for_the_grid_before_is_reported) {
    if (!SIMT_THREAD_SANITIZER) SKIP("needs ThreadSanitizer: -DWEIR_SANITIZE=thread");
    EXPECT_NE(child_run(launch_two_overlapping, output, sizeof output), CHILD_ABORTED);
    EXPECT_CONTAINS(output, "data race");
    expect_line("does_not_wait_for_grid", 1);
}
