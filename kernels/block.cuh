/* block.cuh - sums and maxima over the threads of a block, and over the blocks of a cluster. */
#ifndef WEIR_KERNELS_BLOCK_CUH
#define WEIR_KERNELS_BLOCK_CUH

#include "device.cuh"

enum { THREADS_MOST = 1024, WARPS_MOST = THREADS_MOST / WARP, TOTALS_MOST = 6 };

/* Room for totals. Two rounds of a cluster alternate: a block may still read the one while the next is written. */
struct exchange {
    uint64_t warps[WARPS_MOST][TOTALS_MOST];
    uint64_t block[2][TOTALS_MOST];
    uint64_t own; /* of sum_in_block */
};

/* The sum over a warp of values below 2^54: no lane has more than 2^22 masses. */
DEVICE uint64_t warp_sum64(uint64_t value) {
    uint64_t high = warp_add(static_cast<uint32_t>(value >> 27));
    return (high << 27) + warp_add(static_cast<uint32_t>(value) & 0x7FFFFFFu);
}

DEVICE uint64_t warp_max64(uint64_t value) {
    uint32_t own = static_cast<uint32_t>(value >> 32), high = warp_max(own);
    return static_cast<uint64_t>(high) << 32 | warp_max(own == high ? static_cast<uint32_t>(value) : 0);
}

/* The first SUMS of COUNT values are added over the warp, of the others the largest is taken. */
template <int COUNT, int SUMS> DEVICE void warp_totals(uint64_t (&values)[COUNT]) {
    UNROLL
    for (int i = 0; i < COUNT; i++) values[i] = i < SUMS ? warp_sum64(values[i]) : warp_max64(values[i]);
}

/* values of all threads of the block, in every thread of the first warp. */
template <int COUNT, int SUMS> DEVICE void total_in_first_warp(exchange *x, uint64_t (&values)[COUNT]) {
    static_assert(COUNT <= TOTALS_MOST, "room in exchange");
    warp_totals<COUNT, SUMS>(values);
    for (int i = 0; i < COUNT; i++)
        if (lane_index() == 0) x->warps[warp_index()][i] = values[i];
    block_sync(); /* the warps' totals are written */
    if (warp_index() != 0) return;
    bool full = lane_index() < block_threads() / WARP;
    for (int i = 0; i < COUNT; i++) values[i] = full ? x->warps[lane_index()][i] : 0;
    warp_totals<COUNT, SUMS>(values);
}

/* values of all threads of the cluster, in every thread. *round counts these calls, in every thread alike. */
template <int COUNT, int SUMS> DEVICE void total_in_cluster(exchange *x, uint32_t *round, uint64_t (&values)[COUNT]) {
    total_in_first_warp<COUNT, SUMS>(x, values);
    uint32_t slot = *round & 1;
    for (int i = 0; i < COUNT; i++)
        if (thread_index() == 0) x->block[slot][i] = values[i];
    cluster_sync(); /* every block's total is written */
    bool reads = lane_index() < cluster_size(); /* each lane of another block: one latency in all */
    const exchange *other = in_block(x, reads ? lane_index() : 0);
    for (int i = 0; i < COUNT; i++) values[i] = reads ? other->block[slot][i] : 0;
    warp_totals<COUNT, SUMS>(values);
    *round += 1;
}

/* Of the last call of total_in_cluster, the i-th value: what one block gave, and all blocks before this one. */
DEVICE uint64_t block_total(const exchange *x, uint32_t round, uint32_t i) { return x->block[(round - 1) & 1][i]; }
DEVICE uint64_t totals_before(exchange *x, uint32_t round, uint32_t i) {
    bool before = lane_index() < cluster_rank();
    const exchange *other = in_block(x, before ? lane_index() : 0);
    return warp_sum64(before ? block_total(other, round, i) : 0);
}

/* The sum over the threads of one block, in every thread. */
DEVICE uint64_t sum_in_block(exchange *x, uint64_t value) {
    uint64_t values[1] = {value};
    total_in_first_warp<1, 1>(x, values);
    if (thread_index() == 0) x->own = values[0];
    block_sync(); /* the sum is written; the next call meets before it writes again */
    return x->own;
}

/* The first of a list of sums at which their total reaches the goal, and the total of those before it. */
struct reached {
    uint32_t at;
    uint64_t before;
};

/* Called by the lanes of one warp; sum(i) for i < count; they reach the goal, which is at least 1. */
template <typename Sum> DEVICE reached first_reaching(uint32_t count, uint64_t goal, Sum sum) {
    uint32_t each = (count + WARP - 1) / WARP, at = lane_index() * each, end = at + each < count ? at + each : count;
    uint64_t own = 0;
    for (uint32_t i = at; i < end; i++) own += sum(i);
    uint64_t upto = own;
    for (uint32_t step = 1; step < WARP; step *= 2) {
        uint32_t high = warp_shuffle_up(static_cast<uint32_t>(upto >> 32), step), low = warp_shuffle_up(static_cast<uint32_t>(upto), step);
        if (lane_index() >= step) upto += static_cast<uint64_t>(high) << 32 | low;
    }
    uint64_t before = upto - own;
    uint32_t lane = lowest_one(warp_ballot(upto >= goal));
    if (lane_index() == lane)
        for (uint64_t next = sum(at); before + next < goal; next = sum(++at)) before += next;
    uint32_t high = warp_shuffle(static_cast<uint32_t>(before >> 32), lane), low = warp_shuffle(static_cast<uint32_t>(before), lane);
    return {warp_shuffle(at, lane), static_cast<uint64_t>(high) << 32 | low};
}

#endif
