/* launch.cuh - the kernels by name, for cuda.cu, which launches them. Each .cu file compiles alone. */
#ifndef WEIR_KERNELS_LAUNCH_CUH
#define WEIR_KERNELS_LAUNCH_CUH

#include "masks.cuh"
#include "step.cuh"

enum { STEP_THREADS = 256, MASKS_THREADS = 256, SHIFT_THREADS = 256 };

/* The step for one type of logits: [resident][with reports]. */
struct step_kernels {
    void (*at[2][2])(step_params);
};
extern const step_kernels step_kernels_f32, step_kernels_f16, step_kernels_bf16;

struct other_kernels {
    void (*masks)(masks_params);
    void (*moves)(moves_params);   /* a warp a row */
    void (*change)(change_params); /* one thread each */
    void (*line)(line_params);
    void (*shift)(shift_params);
};
extern const other_kernels other_kernels_all;

#endif
