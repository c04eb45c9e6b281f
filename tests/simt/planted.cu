/* planted.cu - see planted.cuh. Lines that a report must name end in a mark. */
#include "planted.cuh"

struct planted_shared {
    uint32_t words[64];
};

/* --- memory that nothing orders --------------------------------------------------------------------------- */

KERNEL(64) no_barrier(PARAMS(planted_params, p)) {
    planted_shared *shared = shared_memory<planted_shared>();
    uint32_t thread = thread_index();
    shared->words[thread] = thread; /* no_barrier 1 */
    p.words[thread] = shared->words[thread ^ 32]; /* no_barrier 2 */
}

/* Right in the natural order: each thread has read before the next writes. */
KERNEL(64) shared_used_again(PARAMS(planted_params, p)) {
    planted_shared *shared = shared_memory<planted_shared>();
    uint32_t thread = thread_index();
    shared->words[thread] = thread;
    block_sync();
    p.words[thread] = shared->words[63 - thread / 2]; /* shared_used_again 1 */
    if (thread == 63) shared->words[40] = 7; /* shared_used_again 2 */
}

KERNEL(64) shuffle_as_barrier(PARAMS(planted_params, p)) {
    planted_shared *shared = shared_memory<planted_shared>();
    uint32_t thread = thread_index();
    shared->words[thread] = thread; /* shuffle_as_barrier 1 */
    uint32_t neighbour = warp_shuffle_xor(thread, 1);
    p.words[thread] = shared->words[neighbour]; /* shuffle_as_barrier 2 */
}

KERNEL(64) warp_barrier_for_a_block(PARAMS(planted_params, p)) {
    planted_shared *shared = shared_memory<planted_shared>();
    uint32_t thread = thread_index();
    shared->words[thread] = thread; /* warp_barrier_for_a_block 1 */
    warp_sync();
    p.words[thread] = shared->words[thread ^ 32]; /* warp_barrier_for_a_block 2 */
}

KERNEL(64) block_barrier_for_a_cluster(PARAMS(planted_params, p)) {
    planted_shared *shared = shared_memory<planted_shared>();
    uint32_t thread = thread_index();
    cluster_sync();
    shared->words[thread] = thread; /* block_barrier_for_a_cluster 1 */
    block_sync();
    p.words[thread] = in_block(shared, cluster_rank() ^ 1)->words[thread]; /* block_barrier_for_a_cluster 2 */
    cluster_sync();
}

/* ThreadSanitizer remembers the last four accesses to each 8 bytes, so what is passed on lies elsewhere. */
KERNEL(64) atomic_as_barrier(PARAMS(planted_params, p)) {
    planted_shared *shared = shared_memory<planted_shared>();
    uint32_t thread = thread_index();
    if (thread == 0) shared->words[0] = 0;
    block_sync();
    if (thread == 0) shared->words[8] = 5; /* atomic_as_barrier 1 */
    uint32_t before = atomic_add(&shared->words[0], 1);
    if (before == 63) p.words[0] = shared->words[8]; /* atomic_as_barrier 2 */
}

KERNEL(64) blocks_race(PARAMS(planted_params, p)) {
    if (thread_index() == cluster_index()) p.words[0] = cluster_index(); /* blocks_race 1 */
}

/* --- memory that is not there ----------------------------------------------------------------------------- */

KERNEL(64) writes_past_shared(PARAMS(planted_params, p)) {
    uint32_t *words = shared_memory<uint32_t>();
    words[p.count + thread_index()] = 1; /* writes_past_shared 1 */
}

KERNEL(64) writes_past_global(PARAMS(planted_params, p)) {
    p.words[p.count + thread_index()] = 1; /* writes_past_global 1 */
}

KERNEL(64) keeps_pointer_into_ended_block(PARAMS(planted_params, p)) {
    planted_shared *shared = shared_memory<planted_shared>();
    uint32_t thread = thread_index(), rank = cluster_rank();
    shared->words[thread] = thread;
    cluster_sync();
    const planted_shared *other = in_block(shared, 0);
    cluster_sync(); /* here the pointer's time is over */
    if (rank == 0) return;
    block_sync(); /* the first block ends meanwhile */
    p.words[thread] = other->words[thread]; /* keeps_pointer_into_ended_block 1 */
}

/* --- threads that do not meet ----------------------------------------------------------------------------- */

KERNEL(64) returns_before_barrier(PARAMS(planted_params, p)) {
    if (thread_index() == 17) return;
    block_sync(); /* returns_before_barrier 1 */
    p.words[thread_index()] = 1;
}

KERNEL(64) waits_at_two_barriers(PARAMS(planted_params, p)) {
    if (thread_index() < 32) {
        block_sync(); /* waits_at_two_barriers 1 */
    } else {
        cluster_sync(); /* waits_at_two_barriers 2 */
    }
    p.words[thread_index()] = 1;
}

KERNEL(64) block_leaves_cluster(PARAMS(planted_params, p)) {
    if (cluster_rank() == 1) return;
    cluster_sync(); /* block_leaves_cluster 1 */
    p.words[thread_index()] = 1;
}

KERNEL(64) lane_skips_collective(PARAMS(planted_params, p)) {
    uint32_t sum = 0;
    if (thread_index() != 40) sum = warp_add(1); /* lane_skips_collective 1 */
    block_sync(); /* lane_skips_collective 2 */
    p.words[thread_index()] = sum;
}

KERNEL(64) lanes_at_two_collectives(PARAMS(planted_params, p)) {
    uint32_t thread = thread_index(), value;
    if (thread % 2 == 0) {
        value = warp_max(thread); /* lanes_at_two_collectives 1 */
    } else {
        value = warp_min(thread); /* lanes_at_two_collectives 2 */
    }
    p.words[thread] = value;
}

KERNEL(64) lanes_at_one_collective_twice(PARAMS(planted_params, p)) {
    uint32_t thread = thread_index(), value;
    if (thread % 2 == 0) {
        value = warp_shuffle(thread, 0); /* lanes_at_one_collective_twice 1 */
    } else {
        value = warp_shuffle(thread, 1); /* lanes_at_one_collective_twice 2 */
    }
    p.words[thread] = value;
}

KERNEL(64) reaches_ended_block(PARAMS(planted_params, p)) {
    planted_shared *shared = shared_memory<planted_shared>();
    uint32_t thread = thread_index(), rank = cluster_rank();
    shared->words[thread] = thread;
    cluster_sync();
    if (rank == 0) return;
    block_sync(); /* the first block ends meanwhile */
    p.words[thread] = in_block(shared, 0)->words[thread]; /* reaches_ended_block 1 */
}

/* --- arguments -------------------------------------------------------------------------------------------- */

KERNEL(64) copy_without_wait(PARAMS(planted_params, p)) {
    vector16 *shared = shared_memory<vector16>();
    if (thread_index() == 5) copy_begin(shared, p.words);
}

KERNEL(64) loads_misaligned(PARAMS(planted_params, p)) {
    p.words[thread_index()] = load_once(p.words + 1).words[0]; /* loads_misaligned 1 */
}

KERNEL(64) takes_too_much_shared(PARAMS(planted_params, p)) {
    struct too_large {
        uint32_t words[65];
    };
    shared_memory<too_large>()->words[thread_index()] = p.count; /* takes_too_much_shared 1 */
}

KERNEL(64) reaches_absent_block(PARAMS(planted_params, p)) {
    planted_shared *shared = shared_memory<planted_shared>();
    cluster_sync();
    p.words[thread_index()] = in_block(shared, 2)->words[0]; /* reaches_absent_block 1 */
    cluster_sync();
}

KERNEL(64) reaches_with_global_pointer(PARAMS(planted_params, p)) {
    cluster_sync();
    p.words[thread_index()] = *in_block(p.words, 1); /* reaches_with_global_pointer 1 */
    cluster_sync();
}

KERNEL(64) reaches_too_early(PARAMS(planted_params, p)) {
    planted_shared *shared = shared_memory<planted_shared>();
    p.words[thread_index()] = in_block(shared, 1)->words[0]; /* reaches_too_early 1 */
    cluster_sync();
}

KERNEL(64) reaches_without_last_barrier(PARAMS(planted_params, p)) {
    planted_shared *shared = shared_memory<planted_shared>();
    uint32_t thread = thread_index(), rank = cluster_rank();
    shared->words[thread] = thread;
    cluster_sync();
    if (rank == 0) p.words[thread] = in_block(shared, 1)->words[thread]; /* reaches_without_last_barrier 1 */
}

/* --- launches --------------------------------------------------------------------------------------------- */

KERNEL(64) does_not_wait_for_grid(PARAMS(planted_params, p)) {
    uint32_t read = p.words[0]; /* does_not_wait_for_grid 1 */
    grid_wait();
    if (thread_index() == 0) p.words[p.count - 1] = read;
}
