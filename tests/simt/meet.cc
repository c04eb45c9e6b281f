/* meet.cc - what a thread of a kernel calls: warps, blocks and clusters meet, shared memory is found. */
#include "grid.h"

#include <stdlib.h>
#include <string.h>

simt_thread *simt_now;

static thread *thread_now() {
    return static_cast<thread *>(simt_now);
}

static bool same_place(const thread *a, const thread *b) {
    if (a->waits != b->waits || a->at.line != b->at.line) return false;
    return a->at.file == b->at.file || strcmp(a->at.file, b->at.file) == 0;
}

/* A thread comes to a meeting to which `first` came first, NULL: this one does. */
static void arrive(thread *t, thread **first, uint32_t arrived, simt_meeting meeting, simt_place at) {
    t->waits = meeting;
    t->at = at;
    if (arrived == 0) *first = t;
    const thread *other = *first;
    if (same_place(t, other)) return;
    simt_fault(t, "is at %s at %s:%d while thread %u is at %s at %s:%d", meeting_name(meeting), place_file(at), at.line,
               other->index, meeting_name(other->waits), place_file(other->at), other->at.line);
}

/* --- warps ------------------------------------------------------------------------------------------------ */

static uint32_t combined(simt_meeting meeting, const uint32_t *values) {
    uint32_t result = meeting == SIMT_BALLOT ? 0 : values[0];
    for (uint32_t i = 0; i < WARP; i++) {
        if (meeting == SIMT_BALLOT) result |= values[i] << i;
        if (meeting == SIMT_MAX && values[i] > result) result = values[i];
        if (meeting == SIMT_MIN && values[i] < result) result = values[i];
        if (meeting == SIMT_ADD && i > 0) result += values[i];
    }
    return result;
}

uint32_t simt_meet_warp(simt_meeting meeting, uint32_t value, uint32_t argument, simt_place at) {
    thread *t = thread_now();
    warp *w = t->home;
    uint32_t lane = t->index % WARP, turn = w->meetings % 2;
    if (meeting == SIMT_WARP_SYNC) order_release(&w->sync.turns[turn]);
    arrive(t, &w->first, w->arrived, meeting, at);
    w->values[turn][lane] = value;
    if (++w->arrived < WARP) {
        thread_pause();
    } else {
        w->arrived = 0;
        w->meetings++;
        w->result[turn] = combined(meeting, w->values[turn]);
        bool stay = !order_is_free();
        warp_wake(grid_now, w, stay ? ~(1u << lane) : ~0u);
        if (!stay) thread_pause();
    }
    t->waits = SIMT_NOTHING;
    const uint32_t *values = w->values[turn];
    switch (meeting) {
    case SIMT_WARP_SYNC: order_acquire(&w->sync.turns[turn]); return 0;
    case SIMT_SHUFFLE: return values[argument % WARP];
    case SIMT_SHUFFLE_UP: return values[argument <= lane ? lane - argument : lane];
    case SIMT_SHUFFLE_XOR: return values[(lane ^ argument) < WARP ? lane ^ argument : lane];
    default: return w->result[turn];
    }
}

/* --- blocks, clusters, grids ------------------------------------------------------------------------------ */

static void wake_block(grid *g, const block *b) {
    uint32_t warps = g->work.shape.threads / WARP;
    for (uint32_t i = 0; i < warps; i++) warp_wake(g, &g->warps[b->rank * warps + i], ~0u);
}

void simt_meet_block(simt_place at) {
    thread *t = thread_now();
    block *b = t->place;
    uint64_t *through = &b->sync.turns[b->syncs % 2];
    order_release(through);
    arrive(t, &b->first, b->arrived, SIMT_BLOCK_SYNC, at);
    if (++b->arrived == t->threads) {
        b->arrived = 0;
        b->syncs++;
        wake_block(grid_now, b);
    }
    thread_pause();
    t->waits = SIMT_NOTHING;
    order_acquire(through);
}

void simt_meet_cluster(simt_place at) {
    grid *g = grid_now;
    thread *t = thread_now();
    uint64_t *through = &g->sync.turns[g->syncs % 2];
    order_release(through);
    arrive(t, &g->first, g->arrived, SIMT_CLUSTER_SYNC, at);
    if (++g->arrived == g->thread_count) {
        g->arrived = 0;
        g->syncs++;
        for (uint32_t i = 0; i < t->cluster; i++) wake_block(g, &g->blocks[i]);
    }
    thread_pause();
    t->waits = SIMT_NOTHING;
    t->cluster_syncs++;
    order_acquire(through);
}

/* The host runs the launch before this one when nobody else can go on. */
void simt_grid_wait(simt_place at) {
    thread *t = thread_now();
    if (grid_now->before) {
        t->waits = SIMT_GRID_WAIT;
        t->at = at;
        thread_pause();
        t->waits = SIMT_NOTHING;
    }
    order_acquire(&grid_now->begun);
}

/* --- copies ----------------------------------------------------------------------------------------------- */

bool simt_copy_later(vector16 *to, const void *from) {
    thread *t = thread_now();
    if (order_is_free() && order_random(2)) return false;
    if (t->copy_count == t->copy_room) {
        t->copy_room = 2 * t->copy_room + 16;
        t->copies = static_cast<late_copy *>(realloc(t->copies, t->copy_room * sizeof *t->copies));
        if (!t->copies) simt_fault(t, "no memory for copies");
    }
    t->copies[t->copy_count++] = {to, from};
    return true;
}

bool simt_copy_next(vector16 **to, const void **from) {
    thread *t = thread_now();
    if (t->copy_count == 0) return false;
    const late_copy &next = t->copies[--t->copy_count];
    *to = next.to;
    *from = next.from;
    return true;
}

/* --- shared memory ---------------------------------------------------------------------------------------- */

void *simt_shared(size_t size, simt_place at) {
    thread *t = thread_now();
    if (size > grid_now->work.shape.shared) {
        simt_fault(t, "takes %zu bytes of shared memory at %s:%d; the launch gave %zu", size, place_file(at), at.line,
                   grid_now->work.shape.shared);
    }
    return t->place->shared;
}

void *simt_in_block(const void *shared, size_t size, uint32_t rank, simt_place at) {
    thread *t = thread_now();
    block *own = t->place;
    size_t offset = reinterpret_cast<uintptr_t>(shared) - reinterpret_cast<uintptr_t>(own->shared);
    if (offset > grid_now->work.shape.shared || size > grid_now->work.shape.shared - offset) {
        simt_fault(t, "gives in_block a pointer that is not into its block's shared memory at %s:%d", place_file(at),
                   at.line);
    }
    if (rank >= t->cluster) {
        simt_fault(t, "reaches for block %u of a cluster of %u at %s:%d", rank, t->cluster, place_file(at), at.line);
    }
    block *other = &grid_now->blocks[rank];
    if (other == own) return other->shared + offset;
    if (t->cluster_syncs == 0) {
        simt_fault(t,
                   "reaches into block %u of its cluster at %s:%d before a barrier of the cluster: that block may not "
                   "have begun",
                   rank, place_file(at), at.line);
    }
    if (other->ended == t->threads) {
        simt_fault(t, "reaches into block %u of its cluster at %s:%d, which has ended", rank, place_file(at), at.line);
    }
    other->reader = t;
    other->reader_syncs = t->cluster_syncs;
    other->reader_at = at;
    return other->shared + offset;
}

void simt_misaligned(const void *from, simt_place at) {
    simt_fault(thread_now(), "load_once from %p at %s:%d, which is not aligned to 16 bytes", from, place_file(at),
               at.line);
}
