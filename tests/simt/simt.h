/* simt.h - the seam of kernels/device.cuh for plain C++: kernels in, the same kernels on an emulated device out.
 *
 * Every CUDA thread is a fiber; the threads of a cluster take turns, one cluster after another, on the caller's own
 * thread. A thread runs until it must meet others. What a device would answer with a hang or with nonsense is a fault:
 * one line on stderr that names kernel, block, thread and places, then abort. Under ThreadSanitizer each fiber is a
 * thread of its own: barriers order memory among those that meet, and nothing else does, so a missing barrier is
 * reported with both lines. A thread that waits in a loop for another, without a barrier, waits for ever. What tests
 * set and read stands in simt_host.h. */
#ifndef WEIR_TESTS_SIMT_H
#define WEIR_TESTS_SIMT_H

#include <string.h>

#include "kernels/logit.h"

#define DEVICE          static inline
#define DEVICE_CALL     static __attribute__((noinline, unused))
#define KERNEL(...)     void
#define UNROLL
#define PARAMS(type, name) const type name

/* Where a kernel calls; the last parameters of what can be called wrongly, so that faults name the kernel's lines. */
struct simt_place {
    const char *file;
    int line;
};
#define SIMT_HERE const char *file = __builtin_FILE(), int line = __builtin_LINE()

enum simt_meeting { /* what a thread waits for */
    SIMT_WARP_SYNC,
    SIMT_BALLOT,
    SIMT_SHUFFLE,
    SIMT_SHUFFLE_UP,
    SIMT_SHUFFLE_XOR,
    SIMT_MAX,
    SIMT_MIN,
    SIMT_ADD,
    SIMT_BLOCK_SYNC, /* those before it are for the 32 lanes of a warp */
    SIMT_CLUSTER_SYNC,
    SIMT_GRID_WAIT,
    SIMT_NOTHING, /* it runs, or could */
    SIMT_ENDED
};

/* What a thread may know of itself. */
struct simt_thread {
    uint32_t index, threads;               /* in the block */
    uint32_t rank, cluster;                /* of the block in its cluster */
    uint32_t cluster_index, cluster_count; /* of the cluster in the grid */
};

/* The thread that runs. Only the emulator writes it, compiled so that ThreadSanitizer does not see it. */
extern simt_thread *simt_now;

uint32_t simt_meet_warp(simt_meeting meeting, uint32_t value, uint32_t argument, simt_place at);
void simt_meet_block(simt_place at);
void simt_meet_cluster(simt_place at);
void simt_grid_wait(simt_place at);
void *simt_shared(size_t size, simt_place at);
void *simt_in_block(const void *shared, size_t size, uint32_t rank, simt_place at);
[[noreturn]] void simt_misaligned(const void *from, simt_place at);
bool simt_copy_later(vector16 *to, const void *from); /* false: the kernel copies at once */
bool simt_copy_next(vector16 **to, const void **from);

/* --- where a thread is ------------------------------------------------------------------------------------ */

DEVICE uint32_t thread_index() { return simt_now->index; }
DEVICE uint32_t block_threads() { return simt_now->threads; }
DEVICE uint32_t lane_index() { return simt_now->index % WARP; }
DEVICE uint32_t warp_index() { return simt_now->index / WARP; }
DEVICE uint32_t cluster_rank() { return simt_now->rank; }
DEVICE uint32_t cluster_size() { return simt_now->cluster; }
DEVICE uint32_t cluster_index() { return simt_now->cluster_index; }
DEVICE uint32_t cluster_count() { return simt_now->cluster_count; }

/* --- barriers --------------------------------------------------------------------------------------------- */

DEVICE void warp_sync(SIMT_HERE) { (void)simt_meet_warp(SIMT_WARP_SYNC, 0, 0, {file, line}); }
DEVICE void block_sync(SIMT_HERE) { simt_meet_block({file, line}); }
DEVICE void cluster_sync(SIMT_HERE) { simt_meet_cluster({file, line}); }
DEVICE void grid_wait(SIMT_HERE) { simt_grid_wait({file, line}); }
DEVICE void grid_release() {} /* every launch counts as having called it at once: the earliest that a device may be */

/* --- a warp: all 32 lanes take part; no memory is ordered ------------------------------------------------- */

DEVICE uint32_t warp_ballot(bool vote, SIMT_HERE) { return simt_meet_warp(SIMT_BALLOT, vote, 0, {file, line}); }
DEVICE uint32_t warp_shuffle(uint32_t value, uint32_t lane, SIMT_HERE) {
    return simt_meet_warp(SIMT_SHUFFLE, value, lane, {file, line});
}
DEVICE uint32_t warp_shuffle_up(uint32_t value, uint32_t up, SIMT_HERE) {
    return simt_meet_warp(SIMT_SHUFFLE_UP, value, up, {file, line});
}
DEVICE uint32_t warp_shuffle_xor(uint32_t value, uint32_t mask, SIMT_HERE) {
    return simt_meet_warp(SIMT_SHUFFLE_XOR, value, mask, {file, line});
}
DEVICE uint32_t warp_max(uint32_t value, SIMT_HERE) { return simt_meet_warp(SIMT_MAX, value, 0, {file, line}); }
DEVICE uint32_t warp_min(uint32_t value, SIMT_HERE) { return simt_meet_warp(SIMT_MIN, value, 0, {file, line}); }
DEVICE uint32_t warp_add(uint32_t value, SIMT_HERE) { return simt_meet_warp(SIMT_ADD, value, 0, {file, line}); }

/* --- memory ----------------------------------------------------------------------------------------------- */

template <typename Shared> DEVICE Shared *shared_memory(SIMT_HERE) {
    static_assert(alignof(Shared) <= 16, "shared memory is aligned to 16 bytes");
    return static_cast<Shared *>(simt_shared(sizeof(Shared), {file, line}));
}

template <typename T> DEVICE T *known_shared(T *at) { return at; }

template <typename T> DEVICE T *in_block(T *shared, uint32_t rank, SIMT_HERE) {
    return static_cast<T *>(simt_in_block(shared, sizeof(T), rank, {file, line}));
}

DEVICE vector16 load_once(const void *from, SIMT_HERE) {
    if (reinterpret_cast<uintptr_t>(from) % 16 != 0) simt_misaligned(from, {file, line});
    vector16 v;
    memcpy(&v, from, sizeof v);
    return v;
}

/* At once or when it is waited for, as the seed says; without a seed as late as can be. */
DEVICE void copy_begin(vector16 *to, const void *from, SIMT_HERE) {
    if (reinterpret_cast<uintptr_t>(from) % 16 != 0) simt_misaligned(from, {file, line});
    if (!simt_copy_later(to, from)) memcpy(to, from, sizeof *to);
}
DEVICE void copy_wait() {
    vector16 *to;
    const void *from;
    while (simt_copy_next(&to, &from)) memcpy(to, from, sizeof *to);
}

DEVICE uint32_t atomic_add(uint32_t *at, uint32_t value) { return __atomic_fetch_add(at, value, __ATOMIC_RELAXED); }
DEVICE uint32_t atomic_or(uint32_t *at, uint32_t bits) { return __atomic_fetch_or(at, bits, __ATOMIC_RELAXED); }
DEVICE uint32_t atomic_and(uint32_t *at, uint32_t bits) { return __atomic_fetch_and(at, bits, __ATOMIC_RELAXED); }
DEVICE bool simt_replace(uint32_t *at, uint32_t *old, uint32_t value) {
    return __atomic_compare_exchange_n(at, old, value, true, __ATOMIC_RELAXED, __ATOMIC_RELAXED);
}
DEVICE uint32_t atomic_max(uint32_t *at, uint32_t value) {
    uint32_t old = __atomic_load_n(at, __ATOMIC_RELAXED);
    while (!simt_replace(at, &old, old > value ? old : value)) {
    }
    return old;
}
DEVICE uint32_t atomic_min(uint32_t *at, uint32_t value) {
    uint32_t old = __atomic_load_n(at, __ATOMIC_RELAXED);
    while (!simt_replace(at, &old, old < value ? old : value)) {
    }
    return old;
}
DEVICE uint64_t atomic_add64(uint64_t *at, uint64_t value) { return __atomic_fetch_add(at, value, __ATOMIC_RELAXED); }

/* --- bits ------------------------------------------------------------------------------------------------- */

DEVICE uint32_t count_ones(uint32_t word) { return static_cast<uint32_t>(__builtin_popcount(word)); }
DEVICE uint32_t lowest_one(uint32_t word) { return static_cast<uint32_t>(__builtin_ffs(static_cast<int>(word))) - 1; }
DEVICE uint32_t highest_one(uint32_t word) {
    return word == 0 ? ~0u : 31u - static_cast<uint32_t>(__builtin_clz(word));
}
DEVICE uint32_t shifted_right(uint32_t low, uint32_t high, uint32_t by) {
    return static_cast<uint32_t>((static_cast<uint64_t>(high) << 32 | low) >> by);
}
DEVICE uint32_t spread_signs(uint32_t word) {
    return ((word & 0x80u) != 0 ? 0xFFFFu : 0) | ((word & 0x8000u) != 0 ? 0xFFFF0000u : 0);
}
DEVICE float float_max(float a, float b) { return a > b || b != b ? a : b; }
DEVICE float float_of_half(uint16_t bits) { return float_of_f16(bits); }

#include "simt_host.h"

#endif
