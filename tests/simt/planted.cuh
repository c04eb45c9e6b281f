/* planted.cuh - kernels with one fault each, to show that the emulator and the sanitizers find it. */
#ifndef WEIR_TESTS_SIMT_PLANTED_CUH
#define WEIR_TESTS_SIMT_PLANTED_CUH

#include "kernels/device.cuh"

struct planted_params {
    uint32_t *words; /* [count] */
    uint32_t count;
};
typedef void planted_kernel(planted_params);

/* ThreadSanitizer finds these. */
KERNEL(64) no_barrier(PARAMS(planted_params, p));
KERNEL(64) shared_used_again(PARAMS(planted_params, p));
KERNEL(64) shuffle_as_barrier(PARAMS(planted_params, p));
KERNEL(64) warp_barrier_for_a_block(PARAMS(planted_params, p));
KERNEL(64) block_barrier_for_a_cluster(PARAMS(planted_params, p));
KERNEL(64) atomic_as_barrier(PARAMS(planted_params, p));
KERNEL(64) blocks_race(PARAMS(planted_params, p));

/* AddressSanitizer finds these. */
KERNEL(64) writes_past_shared(PARAMS(planted_params, p));
KERNEL(64) writes_past_global(PARAMS(planted_params, p));
KERNEL(64) keeps_pointer_into_ended_block(PARAMS(planted_params, p));

/* The emulator finds these. */
KERNEL(64) returns_before_barrier(PARAMS(planted_params, p));
KERNEL(64) waits_at_two_barriers(PARAMS(planted_params, p));
KERNEL(64) block_leaves_cluster(PARAMS(planted_params, p));
KERNEL(64) lane_skips_collective(PARAMS(planted_params, p));
KERNEL(64) lanes_at_two_collectives(PARAMS(planted_params, p));
KERNEL(64) lanes_at_one_collective_twice(PARAMS(planted_params, p));
KERNEL(64) copy_without_wait(PARAMS(planted_params, p));
KERNEL(64) loads_misaligned(PARAMS(planted_params, p));
KERNEL(64) takes_too_much_shared(PARAMS(planted_params, p));
KERNEL(64) reaches_absent_block(PARAMS(planted_params, p));
KERNEL(64) reaches_with_global_pointer(PARAMS(planted_params, p));
KERNEL(64) reaches_too_early(PARAMS(planted_params, p));
KERNEL(64) reaches_ended_block(PARAMS(planted_params, p));
KERNEL(64) reaches_without_last_barrier(PARAMS(planted_params, p));

/* Wrong in some order only: reads what the launch before writes without waiting for it. */
KERNEL(64) does_not_wait_for_grid(PARAMS(planted_params, p));

#endif
