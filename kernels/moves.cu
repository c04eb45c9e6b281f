/* moves.cu - the kernels beside the step: masks, moves by given tokens, slots and blobs as a whole. */
#include "launch.cuh"

/* Not for three blocks, which would spill. */
KERNEL(256, 2) masks_kernel(PARAMS(masks_params, p)) { masks_row(p); }

/* One thread works: it may have all registers. */
KERNEL(32, 1) moves_kernel(PARAMS(moves_params, p)) {
    grid_wait();
    if (thread_index() == 0) move_row(p, cluster_index());
    grid_release();
}

KERNEL(32) change_kernel(PARAMS(change_params, p)) {
    grid_wait();
    if (thread_index() == 0) change_slot(p);
}

KERNEL(32) line_kernel(PARAMS(line_params, p)) {
    grid_wait();
    if (thread_index() == 0) p.grammars[p.line] = p.grammar;
}

KERNEL(256) shift_kernel(PARAMS(shift_params, p)) {
    grid_wait();
    shift_down(p);
}

const other_kernels other_kernels_all = {masks_kernel, moves_kernel, change_kernel, line_kernel, shift_kernel};
