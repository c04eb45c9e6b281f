/* grid.cc - runs a launch: clusters one after another, the threads of each in turns. */
#include "grid.h"

#include <stdlib.h>
#include <string.h>

grid *grid_now;
fiber grid_host;

/* Fibers by their place in a cluster, for a launch and for one that it overlaps; they serve every launch. */
static thread **pools[2];
static uint32_t pool_sizes[2];

/* --- turns ------------------------------------------------------------------------------------------------ */

void warp_wake(grid *g, warp *w, uint32_t lanes) {
    w->ready |= lanes;
    g->ready[w->number / 64] |= 1ull << w->number % 64;
}

/* The first bit at or behind `from`, round the end; there is one. */
static uint32_t lane_from(uint32_t ready, uint32_t from) {
    uint32_t behind = ready >> from;
    return behind ? from + static_cast<uint32_t>(__builtin_ctz(behind)) : static_cast<uint32_t>(__builtin_ctz(ready));
}

static warp *warp_from(grid *g, uint32_t from) {
    uint32_t words = (g->warp_count + 63) / 64, start = from / 64;
    for (uint32_t i = 0; i <= words; i++) {
        uint32_t word = (start + i) % words;
        uint64_t ready = g->ready[word];
        if (i == 0) ready &= ~0ull << from % 64;
        if (ready) return &g->warps[word * 64 + static_cast<uint32_t>(__builtin_ctzll(ready))];
    }
    return nullptr;
}

/* Who goes on, or NULL. A warp keeps its turn while it can: its lanes run one after another up to where they meet. */
static thread *next_thread(grid *g) {
    bool is_free = order_is_free();
    if (g->turn->ready == 0 || (is_free && order_random(4) == 0)) {
        warp *w = warp_from(g, is_free ? order_random(g->warp_count) : g->turn->number);
        if (!w) return nullptr;
        g->turn = w;
    }
    warp *w = g->turn;
    uint32_t lane = lane_from(w->ready, is_free ? order_random(WARP) : 0);
    w->ready &= ~(1u << lane);
    if (w->ready == 0) g->ready[w->number / 64] &= ~(1ull << w->number % 64);
    return w->lanes[lane];
}

void thread_pause() {
    thread *from = static_cast<thread *>(simt_now), *to = next_thread(grid_now);
    if (to == from) return;
    simt_now = to;
    fiber_switch(&from->own, to ? &to->own : &grid_host);
}

static void thread_run(void *argument) {
    thread *t = static_cast<thread *>(argument);
    for (;;) {
        order_acquire(&grid_now->begun);
        grid_now->work.caller(grid_now->work.kernel, grid_now->work.params);
        order_release(&grid_now->done);
        if (t->copy_count != 0) simt_fault(t, "ended with %u copies into shared memory that it has not waited for", t->copy_count);
        t->waits = SIMT_ENDED;
        grid_now->ended++;
        if (++t->place->ended == t->threads) memory_close(t->place->shared, grid_now->work.shape.shared);
        thread_pause();
    }
}

/* --- a cluster -------------------------------------------------------------------------------------------- */

/* Memory that ThreadSanitizer has never seen, so that no cluster races with the last one in the same shared memory. */
static void forget(grid *g) {
    uint32_t orders = 2 * (g->warp_count + MOST_BLOCKS + 1);
#if SIMT_THREAD_SANITIZER
    AnnotateIgnoreReadsBegin(__FILE__, __LINE__);
    AnnotateIgnoreWritesBegin(__FILE__, __LINE__);
    free(g->orders);
    free(g->memory);
    g->orders = nullptr;
    g->memory = nullptr;
#endif
    if (!g->orders) g->orders = static_cast<uint64_t *>(calloc(orders, sizeof *g->orders));
    if (!g->memory) g->memory = static_cast<unsigned char *>(malloc(g->memory_size));
#if SIMT_THREAD_SANITIZER
    AnnotateIgnoreWritesEnd(__FILE__, __LINE__);
    AnnotateIgnoreReadsEnd(__FILE__, __LINE__);
#endif
    if (!g->orders || !g->memory) simt_fault(nullptr, "no memory for a cluster");
}

/* Blocks begin at 16 more than a multiple of 32: nothing is aligned better than a device promises. */
static void place_shared(grid *g) {
    forget(g);
    memory_open(g->memory, g->memory_size);
    fill_garbage(g->memory, g->memory_size);
    memory_close(g->memory, g->memory_size);
    uintptr_t start =
        (reinterpret_cast<uintptr_t>(g->memory) + 31) / 32 * 32 + 16 - reinterpret_cast<uintptr_t>(g->memory);
    for (uint32_t rank = 0; rank < g->work.shape.cluster; rank++) {
        block *b = &g->blocks[rank];
        *b = block{};
        b->rank = rank;
        b->sync.turns = g->orders + 2 * (g->warp_count + rank);
        b->shared = g->memory + start + rank * g->stride + g->stride / 2;
        memory_open(b->shared, g->work.shape.shared);
    }
    g->sync.turns = g->orders + 2 * (g->warp_count + MOST_BLOCKS);
}

static void cluster_start(grid *g, uint32_t cluster) {
    const launch_shape &shape = g->work.shape;
    place_shared(g);
    g->ended = g->arrived = g->syncs = 0;
    for (uint32_t i = 0; i < g->warp_count; i++) {
        warp *w = &g->warps[i];
        w->number = i;
        w->home = &g->blocks[i / (shape.threads / WARP)];
        w->arrived = w->meetings = 0;
        w->sync.turns = g->orders + 2 * i;
        for (uint32_t lane = 0; lane < WARP; lane++) w->lanes[lane] = g->threads[i * WARP + lane];
        warp_wake(g, w, ~0u);
    }
    for (uint32_t i = 0; i < g->thread_count; i++) {
        thread *t = g->threads[i];
        static_cast<simt_thread &>(*t) = {i % shape.threads, shape.threads, i / shape.threads,
                                          shape.cluster,     cluster,       shape.clusters};
        t->home = &g->warps[i / WARP];
        t->place = t->home->home;
        t->waits = SIMT_NOTHING;
        t->cluster_syncs = 0;
    }
    g->turn = &g->warps[0];
}

/* The launch before this one ends; its writes are then seen by whom it was waited for. */
static void run_before(grid *g) {
    const launch *before = g->before;
    simt_thread *now = simt_now;
    if (!before) return;
    grid_run(*before, nullptr);
    grid_now = g;
    simt_now = now;
    g->before = nullptr;
    order_release(&g->begun);
    for (uint32_t i = 0; i < g->thread_count; i++) {
        if (g->threads[i]->waits == SIMT_GRID_WAIT)
            warp_wake(g, g->threads[i]->home, 1u << g->threads[i]->index % WARP);
    }
}

static bool someone_waits_for_grid(const grid *g) {
    for (uint32_t i = 0; i < g->thread_count; i++) {
        if (g->threads[i]->waits == SIMT_GRID_WAIT) return true;
    }
    return false;
}

/* A block's shared memory must live until those who reached into it are known to be done: until a later barrier. */
static void check_readers(grid *g) {
    for (uint32_t rank = 0; rank < g->work.shape.cluster; rank++) {
        const block *b = &g->blocks[rank];
        if (!b->reader || g->syncs > b->reader_syncs) continue;
        simt_fault(
            b->reader,
            "reaches into block %u of its cluster at %s:%d, which may have ended: no barrier of the cluster follows",
            rank, place_file(b->reader_at), b->reader_at.line);
    }
}

static void cluster_run(grid *g, uint32_t cluster) {
    cluster_start(g, cluster);
    while (g->ended < g->thread_count) {
        thread *t = next_thread(g);
        if (t) {
            simt_now = t;
            fiber_switch(&grid_host, &t->own);
        } else if (g->before && someone_waits_for_grid(g)) {
            run_before(g);
        } else {
            fault_stuck(g);
        }
    }
    check_readers(g);
}

/* --- a grid ----------------------------------------------------------------------------------------------- */

static thread **threads_of(uint32_t level, uint32_t count) {
    if (pool_sizes[level] < count) {
        pools[level] = static_cast<thread **>(realloc(pools[level], count * sizeof(thread *)));
        if (!pools[level]) simt_fault(nullptr, "no memory for threads");
    }
    for (; pool_sizes[level] < count; pool_sizes[level]++) {
        thread *t = static_cast<thread *>(calloc(1, sizeof *t));
        if (!t) simt_fault(nullptr, "no memory for threads");
        fiber_create(&t->own, pool_sizes[level], thread_run, t);
        pools[level][pool_sizes[level]] = t;
    }
    return pools[level];
}

void grid_run(const launch &work, const launch *before) {
    static grid grids[2];
    static uint32_t level;
    grid *outer = grid_now, *g = &grids[level];
    *g = grid{};
    g->work = work;
    g->before = before;
    g->thread_count = work.shape.cluster * work.shape.threads;
    g->warp_count = g->thread_count / WARP;
    g->threads = threads_of(level, g->thread_count);
    fiber_adopt(&grid_host);
    g->stride = (work.shape.shared + 1024 + 31) / 32 * 32;
    g->stride += g->stride % 64; /* its half is a multiple of 32 */
    g->memory_size = 64 + (work.shape.cluster + 1) * g->stride;
    level++;
    grid_now = g;
    order_release(&g->begun);
    uint32_t count = work.shape.clusters, start = 0, step = 1;
    if (order_is_free()) { /* all of them, from anywhere, up or down */
        start = order_random(count);
        step = order_random(2) ? 1 : count - 1;
    }
    for (uint32_t i = 0; i < count; i++) {
        cluster_run(g, static_cast<uint32_t>((start + static_cast<uint64_t>(i) * step) % count));
    }
    run_before(g);
    order_acquire(&g->done);
    memory_open(g->memory, g->memory_size);
    free(g->memory);
    free(g->orders);
    level--;
    grid_now = outer;
    simt_now = nullptr;
}
