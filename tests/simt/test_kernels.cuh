/* test_kernels.cuh - kernels that use the whole seam, for the emulator and for nvcc. */
#ifndef WEIR_TESTS_SIMT_TEST_KERNELS_CUH
#define WEIR_TESTS_SIMT_TEST_KERNELS_CUH

#include "kernels/device.cuh"

enum { TEST_THREADS = 256, HISTOGRAM_BINS = 1024, WARP_FACTS = 8, ATOMIC_FACTS = 6, BIT_FACTS = 5 };

/* out[block] = the sum of its share of values. */
struct sum_params {
    const uint32_t *values; /* [count], aligned to 16 */
    uint32_t count;         /* a multiple of 4 */
    uint64_t *out;          /* [blocks] */
};
KERNEL(TEST_THREADS) block_sums(PARAMS(sum_params, p));

/* out[thread][fact]: what each operation of a warp gives for value and argument of the thread. */
struct warp_params {
    const uint32_t *values, *arguments; /* [threads] */
    uint32_t *out;                      /* [threads][WARP_FACTS] */
};
KERNEL(TEST_THREADS) warp_facts(PARAMS(warp_params, p));

/* out[cluster][bin]: how many of the cluster's share of values fall into it, counted by all its blocks. */
struct histogram_params {
    const uint32_t *values; /* [clusters][count] */
    uint32_t count;
    uint32_t *out; /* [clusters][HISTOGRAM_BINS] */
};
KERNEL(TEST_THREADS) cluster_histogram(PARAMS(histogram_params, p));
/* The host's part, which nvcc shall see as well. Returns an error of the device's. */
int launch_histogram(const histogram_params &p, uint32_t clusters, uint32_t cluster, device_stream stream);

/* Every thread does each atomic operation once on words[operation], and sums64. */
struct atomic_params {
    uint32_t *words;    /* [ATOMIC_FACTS] add, or, and, max, min, tickets taken */
    uint64_t *sum;
    uint32_t *tickets;  /* [threads of the grid] the thread that took each */
};
KERNEL(TEST_THREADS) atomic_facts(PARAMS(atomic_params, p));

/* out[block][word]: what shared memory holds before anybody wrote; then it is written. */
struct peek_params {
    uint32_t *out;
    uint32_t words;
};
KERNEL(TEST_THREADS) shared_garbage(PARAMS(peek_params, p));

/* out[0][thread]: what a thread finds where it has begun to copy its vector; out[1][thread]: and behind the wait, its
 * neighbour's. One block. */
struct copy_params {
    const vector16 *from; /* [threads] */
    vector16 *out;        /* [2][threads] */
};
KERNEL(TEST_THREADS) copies_begun(PARAMS(copy_params, p));

/* out[word][fact]: ones, lowest, highest, behind 0x12345678 and moved by 12, its signs spread. */
struct bit_params {
    const uint32_t *words; /* [count] */
    uint32_t count;
    uint32_t *out; /* [count][BIT_FACTS] */
};
KERNEL(TEST_THREADS) bit_facts(PARAMS(bit_params, p));

/* to[i] = 2 * from[i] + add, once the launch before has ended. */
struct double_params {
    const uint32_t *from;
    uint32_t *to;
    uint32_t count, add;
};
KERNEL(TEST_THREADS) doubled(PARAMS(double_params, p));

/* tokens[row][draw]: a token by its mass among those that the mask allows. One block a row and draw. */
struct sample_params {
    const float *logits;  /* [rows, vocab] */
    const uint32_t *mask; /* [rows, (vocab + 31) / 32] bit 1: allowed */
    uint32_t vocab, draws;
    float temperature;
    uint64_t seed;
    uint32_t *tokens; /* [rows, draws] TOKEN_NONE where nothing is allowed */
};
#define TOKEN_NONE 0xFFFFFFFFu
template <int per_thread> KERNEL(TEST_THREADS) sample_rows(PARAMS(sample_params, p));

#endif
