/* grid.h - what the emulator knows of a launch that runs: threads, warps, blocks, one cluster at a time.
 *
 * Its own files see and change all of this without ThreadSanitizer looking on, so nothing here orders a kernel's
 * memory: order_* do, where a barrier stands. */
#ifndef WEIR_TESTS_SIMT_GRID_H
#define WEIR_TESTS_SIMT_GRID_H

#include "kernels/device.cuh"

#include "fiber.h"

/* A launch as it was asked for. */
struct launch {
    simt_kernel kernel;
    simt_caller caller;
    launch_shape shape;
    const void *params;
};

/* What a barrier orders memory through, taken in turns: who leaves one early may be at the next before the last has
 * left this one, and must not order what the last does in between. */
struct order {
    uint64_t *turns; /* [2] */
};

struct block;
struct warp;

/* A copy into shared memory that has begun. */
struct late_copy {
    vector16 *to;
    const void *from;
};

struct thread : simt_thread {
    fiber own;
    warp *home;
    block *place;
    simt_meeting waits; /* for this, `at` a place in the kernel */
    simt_place at;
    uint32_t cluster_syncs;
    late_copy *copies; /* not yet done, the last one first */
    uint32_t copy_count, copy_room;
};

struct warp {
    thread *lanes[WARP];
    block *home;
    uint32_t number;                     /* in the cluster */
    uint32_t ready;                      /* lanes that can go on, as bits */
    uint32_t arrived;                    /* lanes at the meeting that comes next */
    uint32_t meetings;                   /* that are over */
    thread *first;                       /* to arrive */
    uint32_t values[2][WARP], result[2]; /* in turns, as struct order */
    order sync;
};

struct block {
    uint32_t rank, arrived, syncs, ended;
    thread *first;
    unsigned char *shared;
    thread *reader; /* the last of another block that reached into its shared memory, after so many cluster barriers */
    uint32_t reader_syncs;
    simt_place reader_at;
    order sync;
};

enum { MOST_WARPS = 512, MOST_BLOCKS = 16 };

struct grid {
    launch work;
    const launch *before; /* not yet begun; runs when this one waits for it, or ends */
    thread **threads;     /* of the cluster that runs: [blocks][threads of a block] */
    uint32_t thread_count, warp_count, ended;
    warp warps[MOST_WARPS];
    block blocks[MOST_BLOCKS];
    uint64_t ready[MOST_WARPS / 64]; /* warps with a lane that can go on, as bits */
    warp *turn;
    uint32_t arrived, syncs; /* of the barrier of the cluster */
    thread *first;
    order sync;
    uint64_t *orders;      /* those of all warps, blocks and the cluster; fresh for each cluster */
    uint64_t begun, done;  /* what orders the grid behind the host, and the host behind the grid */
    unsigned char *memory; /* the shared memory of all blocks, with red zones between */
    size_t memory_size, stride;
};

extern grid *grid_now;
extern fiber grid_host;

/* Runs a launch to its end, on the caller's thread; `before` as above, or NULL. */
void grid_run(const launch &work, const launch *before);
/* Leaves the running thread for one that can go on, or for the host where there is none. */
void thread_pause();
/* These lanes can go on. */
void warp_wake(grid *g, warp *w, uint32_t lanes);

/* One line on stderr, and the end of the process. A thread, or NULL: the host. */
[[noreturn]] void simt_fault(const thread *who, const char *format, ...) __attribute__((format(printf, 2, 3)));
const char *meeting_name(simt_meeting meeting);
/* The file of a place without its folders' folders. */
const char *place_file(simt_place at);
/* Says why nobody of the cluster can go on. */
[[noreturn]] void fault_stuck(grid *g);

/* Whether a seed decides the order, and what it says next. */
bool order_is_free();
uint32_t order_random(uint32_t below);
/* Fills with the garbage of the seed. */
void fill_garbage(void *memory, size_t bytes);

/* --- what sanitizers are told ----------------------------------------------------------------------------- */

#if SIMT_THREAD_SANITIZER
extern "C" {
void __tsan_acquire(void *address);
void __tsan_release(void *address);
void AnnotateIgnoreReadsBegin(const char *file, int line);
void AnnotateIgnoreReadsEnd(const char *file, int line);
void AnnotateIgnoreWritesBegin(const char *file, int line);
void AnnotateIgnoreWritesEnd(const char *file, int line);
}
static inline void order_release(uint64_t *through) {
    __tsan_release(through);
}
static inline void order_acquire(uint64_t *through) {
    __tsan_acquire(through);
}
#else
static inline void order_release(uint64_t *) {
}
static inline void order_acquire(uint64_t *) {
}
#endif

#if SIMT_ADDRESS_SANITIZER
#include <sanitizer/asan_interface.h>
static inline void memory_close(void *at, size_t bytes) {
    __asan_poison_memory_region(at, bytes);
}
static inline void memory_open(void *at, size_t bytes) {
    __asan_unpoison_memory_region(at, bytes);
}
#else
static inline void memory_close(void *, size_t) {
}
static inline void memory_open(void *, size_t) {
}
#endif

#endif
