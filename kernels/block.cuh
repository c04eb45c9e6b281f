/* block.cuh - sums and maxima over the threads of a block, and over the blocks of a cluster. */
#ifndef WEIR_KERNELS_BLOCK_CUH
#define WEIR_KERNELS_BLOCK_CUH

#include "device.cuh"

enum { THREADS_MOST = 1024, WARPS_MOST = THREADS_MOST / WARP, TOTALS_MOST = 6 };

/* Room for totals. Two rounds of a cluster alternate: a block may still read the one while the next is written. */
struct exchange {
    uint64_t warps[WARPS_MOST][TOTALS_MOST];
    uint64_t block[2][TOTALS_MOST];
};

DEVICE uint64_t shuffle_xor64(uint64_t value, uint32_t mask) {
    uint32_t low = warp_shuffle_xor(static_cast<uint32_t>(value), mask);
    uint32_t high = warp_shuffle_xor(static_cast<uint32_t>(value >> 32), mask);
    return static_cast<uint64_t>(high) << 32 | low;
}

/* The first SUMS of COUNT values are added, of the others the largest is taken. */
template <int COUNT, int SUMS> DEVICE void merge(uint64_t *values, const uint64_t *others) {
    UNROLL
    for (int i = 0; i < COUNT; i++) {
        if (i < SUMS) values[i] += others[i];
        if (i >= SUMS && others[i] > values[i]) values[i] = others[i];
    }
}

/* values of all threads of the block, in every thread of the first warp. */
template <int COUNT, int SUMS> DEVICE void total_in_first_warp(exchange *x, uint64_t (&values)[COUNT]) {
    static_assert(COUNT <= TOTALS_MOST, "room in exchange");
    uint64_t others[COUNT];
    for (uint32_t step = WARP / 2; step > 0; step /= 2) {
        for (int i = 0; i < COUNT; i++) others[i] = shuffle_xor64(values[i], step);
        merge<COUNT, SUMS>(values, others);
    }
    for (int i = 0; i < COUNT; i++)
        if (lane_index() == 0) x->warps[warp_index()][i] = values[i];
    block_sync(); /* the warps' totals are written */
    if (warp_index() != 0) return;
    bool full = lane_index() < block_threads() / WARP;
    for (int i = 0; i < COUNT; i++) values[i] = full ? x->warps[lane_index()][i] : 0;
    for (uint32_t step = WARP / 2; step > 0; step /= 2) {
        for (int i = 0; i < COUNT; i++) others[i] = shuffle_xor64(values[i], step);
        merge<COUNT, SUMS>(values, others);
    }
}

/* values of all threads of the block, in every thread. */
template <int COUNT, int SUMS> DEVICE void total_in_block(exchange *x, uint64_t (&values)[COUNT]) {
    total_in_first_warp<COUNT, SUMS>(x, values);
    for (int i = 0; i < COUNT; i++)
        if (thread_index() == 0) x->block[0][i] = values[i];
    block_sync(); /* the block's total is written */
    for (int i = 0; i < COUNT; i++) values[i] = x->block[0][i];
    block_sync(); /* and read, before the next is written */
}

/* values of all threads of the cluster, in every thread. *round counts these calls, in every thread alike. */
template <int COUNT, int SUMS> DEVICE void total_in_cluster(exchange *x, uint32_t *round, uint64_t (&values)[COUNT]) {
    total_in_first_warp<COUNT, SUMS>(x, values);
    uint32_t slot = *round & 1;
    for (int i = 0; i < COUNT; i++)
        if (thread_index() == 0) x->block[slot][i] = values[i];
    cluster_sync(); /* every block's total is written */
    for (int i = 0; i < COUNT; i++) values[i] = 0;
    for (uint32_t rank = 0; rank < cluster_size(); rank++) merge<COUNT, SUMS>(values, in_block(x, rank)->block[slot]);
    *round += 1;
}

#endif
