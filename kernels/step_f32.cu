/* step_f32.cu - the step for logits of type f32. */
#include "launch.cuh"

KERNEL(256, 2) step_f32_streamed(PARAMS(step_params, p)) { step_row<WEIR_DTYPE_F32, false, false>(p); }
KERNEL(256, 2) step_f32_streamed_report(PARAMS(step_params, p)) { step_row<WEIR_DTYPE_F32, false, true>(p); }
KERNEL(256, 2) step_f32_resident(PARAMS(step_params, p)) { step_row<WEIR_DTYPE_F32, true, false>(p); }
KERNEL(256, 2) step_f32_resident_report(PARAMS(step_params, p)) { step_row<WEIR_DTYPE_F32, true, true>(p); }

const step_kernels step_kernels_f32 = {
    {{step_f32_streamed, step_f32_streamed_report}, {step_f32_resident, step_f32_resident_report}}};
