/* test_block.cc - sound kernels on the emulated device: their results, in every order, and its garbage. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/harness.h"

#include "fiber.h"
#include "kernels/fixed_math.h"
#include "kernels/philox.h"
#include "test_kernels.cuh"

enum { SEEDS = 8 };

template <typename T> static T *on_device(size_t count) {
    void *memory = nullptr;
    ASSERT_EQ(simt_malloc(&memory, count * sizeof(T)), 0);
    return static_cast<T *>(memory);
}

static uint32_t random_word(uint32_t i) {
    uint32_t counter[4] = {i, 0, 0, 0}, key[2] = {7, 0}, out[4];
    philox4x32_10(counter, key, out);
    return out[0];
}

static uint32_t *random_words(uint32_t count) {
    uint32_t *words = on_device<uint32_t>(count);
    for (uint32_t i = 0; i < count; i++) words[i] = random_word(i);
    return words;
}

template <typename Params>
static void run(void (*kernel)(Params), uint32_t clusters, uint32_t cluster, size_t shared, const Params &p) {
    launch_shape shape = {clusters, cluster, TEST_THREADS, shared, false};
    ASSERT_EQ(device_launch(kernel, shape, nullptr, p), 0);
    ASSERT_EQ(device_wait(nullptr), 0);
}

/* --- results ---------------------------------------------------------------------------------------------- */

TEST(simt, blocks_add_what_their_warps_added) {
    enum { COUNT = 40004, BLOCKS = 5 };
    simt_reset();
    sum_params p = {random_words(COUNT), COUNT, on_device<uint64_t>(BLOCKS)};
    uint64_t expected = 0;
    for (uint32_t i = 0; i < COUNT; i++) expected += p.values[i];
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        simt_set_seed(seed);
        run(block_sums, BLOCKS, 1, WARP * sizeof(uint64_t), p);
        uint64_t sum = 0;
        for (uint32_t i = 0; i < BLOCKS; i++) sum += p.out[i];
        EXPECT_EQ(sum, expected);
    }
    simt_free(p.out);
    simt_free(const_cast<uint32_t *>(p.values));
}

static void expected_facts(const uint32_t *values, uint32_t lane, uint32_t argument, uint32_t *out) {
    uint32_t up = argument % WARP;
    out[0] = out[6] = 0;
    out[4] = out[5] = values[0];
    for (uint32_t i = 0; i < WARP; i++) {
        out[0] |= (values[i] & 1) << i;
        out[4] = values[i] > out[4] ? values[i] : out[4];
        out[5] = values[i] < out[5] ? values[i] : out[5];
        out[6] += values[i];
    }
    out[1] = values[argument % WARP];
    out[2] = values[lane >= up ? lane - up : lane];
    out[3] = values[lane ^ up];
    out[7] = values[lane ^ 1];
}

TEST(simt, operations_of_a_warp_give_what_their_names_say) {
    simt_reset();
    warp_params p = {random_words(TEST_THREADS), random_words(TEST_THREADS),
                     on_device<uint32_t>(TEST_THREADS * WARP_FACTS)};
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        simt_set_seed(seed);
        run(warp_facts, 1, 1, TEST_THREADS * sizeof(uint32_t), p);
        for (uint32_t thread = 0; thread < TEST_THREADS; thread++) {
            uint32_t facts[WARP_FACTS];
            expected_facts(p.values + thread / WARP * WARP, thread % WARP, p.arguments[thread], facts);
            EXPECT_BYTES_EQ(p.out + thread * WARP_FACTS, sizeof facts, facts, sizeof facts);
        }
    }
    simt_free(const_cast<uint32_t *>(p.values));
    simt_free(const_cast<uint32_t *>(p.arguments));
    simt_free(p.out);
}

static void check_histogram(uint32_t clusters, uint32_t cluster, uint64_t seeds) {
    enum { COUNT = 9000 };
    histogram_params p = {random_words(clusters * COUNT), COUNT, on_device<uint32_t>(clusters * HISTOGRAM_BINS)};
    for (uint64_t seed = 0; seed < seeds; seed++) {
        simt_set_seed(seed);
        ASSERT_EQ(launch_histogram(p, clusters, cluster, nullptr), 0);
        ASSERT_EQ(device_wait(nullptr), 0);
        for (uint32_t at = 0; at < clusters; at++) {
            uint32_t bins[HISTOGRAM_BINS] = {};
            for (uint32_t i = 0; i < COUNT; i++) bins[p.values[at * COUNT + i] % HISTOGRAM_BINS]++;
            EXPECT_BYTES_EQ(p.out + at * HISTOGRAM_BINS, sizeof bins, bins, sizeof bins);
        }
    }
    simt_free(const_cast<uint32_t *>(p.values));
    simt_free(p.out);
}

TEST(simt, blocks_of_a_cluster_read_one_anothers_shared_memory) {
    simt_reset();
    check_histogram(3, 1, SEEDS);
    check_histogram(3, 2, SEEDS);
    check_histogram(2, 8, 2);
    check_histogram(1, 16, 2); /* 4,096 threads: as many as ThreadSanitizer can have */
}

TEST(simt, a_cluster_has_up_to_16_blocks_of_1024_threads) {
    simt_reset();
    enum { COUNT = 100000 };
    histogram_params p = {random_words(COUNT), COUNT, on_device<uint32_t>(HISTOGRAM_BINS)};
    launch_shape shape = {1, 16, 1024, HISTOGRAM_BINS * sizeof(uint32_t), false};
    ASSERT_EQ(device_allow(cluster_histogram, 0, 16), 0);
    int error = device_launch(cluster_histogram, shape, nullptr, p);
    EXPECT_EQ(error, simt_most_threads() < 16384 ? SIMT_TOO_MANY_THREADS : SIMT_OK);
    ASSERT_EQ(device_wait(nullptr), 0);
    uint64_t sum = 0;
    for (uint32_t i = 0; error == 0 && i < HISTOGRAM_BINS; i++) sum += p.out[i];
    EXPECT_EQ(sum, error == 0 ? COUNT : 0);
    simt_free(const_cast<uint32_t *>(p.values));
    simt_free(p.out);
}

TEST(simt, atomic_operations_lose_nothing) {
    enum { BLOCKS = 3, THREADS = BLOCKS * TEST_THREADS };
    simt_reset();
    atomic_params p = {on_device<uint32_t>(ATOMIC_FACTS), on_device<uint64_t>(1), on_device<uint32_t>(THREADS)};
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        simt_set_seed(seed);
        const uint32_t begin[ATOMIC_FACTS] = {0, 0, ~0u, 0, ~0u, 0};
        memcpy(p.words, begin, sizeof begin);
        *p.sum = 0;
        run(atomic_facts, BLOCKS, 1, 0, p);
        const uint32_t end[ATOMIC_FACTS] = {THREADS * (THREADS - 1) / 2, ~0u, 0xFFFF0000u, THREADS - 1, 0, THREADS};
        EXPECT_BYTES_EQ(p.words, sizeof end, end, sizeof end);
        EXPECT_EQ(*p.sum, static_cast<uint64_t>(end[0]) << 32);
        bool natural = true, taken[THREADS] = {};
        for (uint32_t i = 0; i < THREADS; i++) {
            natural = natural && p.tickets[i] == i;
            EXPECT_FALSE(taken[p.tickets[i]]);
            taken[p.tickets[i]] = true;
        }
        EXPECT_EQ(natural, seed == 0); /* a seed changes the order of lanes, warps and blocks */
    }
    simt_free(p.words);
    simt_free(p.sum);
    simt_free(p.tickets);
}

TEST(simt, bits_are_counted_and_found) {
    const uint32_t words[] = {1, 2, 3, 0x80000000u, 0xFFFFFFFFu, 0x00F0F000u, 0x80u};
    const uint32_t facts[] = {1, 0, 0, 0x67800000u, 0, 1, 1, 1, 0x67800000u, 0, 2, 0, 1, 0x67800000u, 0, 1, 31, 31, 0x67880000u, 0,
                              32, 0, 31, 0x678FFFFFu, 0xFFFFFFFFu, 8, 12, 23, 0x67800F0Fu, 0xFFFF0000u, 1, 7, 7, 0x67800000u, 0xFFFFu};
    enum { COUNT = sizeof words / sizeof *words };
    simt_reset();
    uint32_t *in = on_device<uint32_t>(COUNT);
    memcpy(in, words, sizeof words);
    bit_params p = {in, COUNT, on_device<uint32_t>(COUNT * BIT_FACTS)};
    run(bit_facts, 1, 1, 0, p);
    EXPECT_BYTES_EQ(p.out, sizeof facts, facts, sizeof facts);
    simt_free(in);
    simt_free(p.out);
}

/* --- copies ----------------------------------------------------------------------------------------------- */

TEST(simt, a_copy_is_there_behind_the_wait_and_can_be_late_or_early) {
    uint32_t late = 0, early = 0;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        simt_reset();
        simt_set_seed(seed);
        copy_params p = {reinterpret_cast<vector16 *>(random_words(4 * TEST_THREADS)), on_device<vector16>(2 * TEST_THREADS)};
        run(copies_begun, 1, 1, TEST_THREADS * sizeof(vector16), p);
        for (uint32_t i = 0; i < TEST_THREADS; i++) {
            bool there = memcmp(&p.out[i], &p.from[i], sizeof(vector16)) == 0;
            early += there;
            late += !there;
            EXPECT_BYTES_EQ(&p.out[TEST_THREADS + i], sizeof(vector16), &p.from[i ^ 1], sizeof(vector16));
        }
        simt_free(p.out);
        simt_free(const_cast<vector16 *>(p.from));
    }
    EXPECT_TRUE(late >= TEST_THREADS);
    EXPECT_TRUE(early >= TEST_THREADS);
}

/* --- garbage ---------------------------------------------------------------------------------------------- */

TEST(simt, shared_memory_is_garbage_before_every_block_and_the_seed_chooses_it) {
    enum { BLOCKS = 3, WORDS = 500 };
    simt_reset();
    peek_params p = {on_device<uint32_t>(BLOCKS * WORDS), WORDS};
    uint32_t first[WORDS];
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        simt_set_seed(seed);
        run(shared_garbage, BLOCKS, 1, WORDS * sizeof(uint32_t), p);
        for (uint32_t i = 0; i < BLOCKS * WORDS; i++) EXPECT_NE(p.out[i], 0);
        EXPECT_BYTES_EQ(p.out + WORDS, sizeof first, p.out, sizeof first); /* the same again, not what was left */
        if (seed > 0) EXPECT_NE(memcmp(first, p.out, sizeof first), 0);
        memcpy(first, p.out, sizeof first);
    }
    simt_free(p.out);
}

/* --- a whole kernel --------------------------------------------------------------------------------------- */

static uint32_t sampled(const sample_params &p, uint32_t row, uint32_t draw) {
    const uint32_t *mask = p.mask + row * static_cast<size_t>((p.vocab + 31) / 32);
    const float *logits = p.logits + row * static_cast<size_t>(p.vocab);
    uint32_t largest = KEY_NONE;
    for (uint32_t token = 0; token < p.vocab; token++) {
        uint32_t key = (mask[token / 32] >> token % 32 & 1) != 0 ? key_of(logits[token]) : KEY_NONE;
        largest = key > largest ? key : largest;
    }
    if (largest == KEY_NONE) return TOKEN_NONE;
    mass_scale scale = mass_scale_of(largest, p.temperature);
    uint64_t total = 0, drawn = 0;
    for (int pass = 0; pass < 2; pass++) {
        for (uint32_t token = 0; token < p.vocab; token++) {
            if ((mask[token / 32] >> token % 32 & 1) == 0) continue;
            uint64_t mass = mass_of(key_of(logits[token]), scale);
            if (pass == 0) total += mass;
            if (pass == 1 && drawn < mass) return token;
            if (pass == 1) drawn -= mass;
        }
        drawn = multiply_high(philox_token_bits(p.seed + row, draw), total);
    }
    return TOKEN_NONE;
}

static void check_sampling(void (*kernel)(sample_params), uint32_t vocab, uint32_t rows, uint32_t draws) {
    uint32_t words = (vocab + 31) / 32;
    float *logits = on_device<float>(static_cast<size_t>(rows) * vocab);
    for (uint32_t i = 0; i < rows * vocab; i++) logits[i] = static_cast<float>(random_word(i) >> 20) / 256.0f;
    uint32_t *mask = random_words(rows * words);
    memset(mask, 0, words * sizeof *mask); /* row 0: nothing is allowed */
    sample_params p = {logits, mask, vocab, draws, 0.9f, 5, on_device<uint32_t>(rows * draws)};
    struct timespec from, to;
    clock_gettime(CLOCK_MONOTONIC, &from);
    run(kernel, rows * draws, 1, 1024, p);
    clock_gettime(CLOCK_MONOTONIC, &to);
    double seconds =
        static_cast<double>(to.tv_sec - from.tv_sec) + static_cast<double>(to.tv_nsec - from.tv_nsec) / 1e9;
    printf("%u draws over %u logits: %.2f s\n", rows * draws, vocab, seconds);
    for (uint32_t row = 0; row < rows; row++) {
        for (uint32_t draw = 0; draw < draws; draw++) EXPECT_EQ(p.tokens[row * draws + draw], sampled(p, row, draw));
    }
    simt_free(logits);
    simt_free(mask);
    simt_free(p.tokens);
}

TEST(simt, rows_are_sampled_as_by_plain_loops) {
    simt_reset();
    for (uint64_t seed = 0; seed < 3; seed++) {
        simt_set_seed(seed);
        check_sampling(sample_rows<1>, 1000, 3, 4);
        check_sampling(sample_rows<4>, 5003, 3, 4);
    }
    simt_set_seed(0);
    bool is_slow = SIMT_ADDRESS_SANITIZER || SIMT_THREAD_SANITIZER;
    check_sampling(sample_rows<4>, 128256, 4, is_slow ? 2 : 20);
}
