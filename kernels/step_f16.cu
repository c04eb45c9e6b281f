/* step_f16.cu - the step for logits of type f16. */
#include "launch.cuh"

KERNEL(256, 2) step_f16_streamed(PARAMS(step_params, p)) { step_row<WEIR_DTYPE_F16, false, false>(p); }
KERNEL(256, 2) step_f16_streamed_report(PARAMS(step_params, p)) { step_row<WEIR_DTYPE_F16, false, true>(p); }
KERNEL(256, 2) step_f16_resident(PARAMS(step_params, p)) { step_row<WEIR_DTYPE_F16, true, false>(p); }
KERNEL(256, 2) step_f16_resident_report(PARAMS(step_params, p)) { step_row<WEIR_DTYPE_F16, true, true>(p); }

const step_kernels step_kernels_f16 = {
    {{step_f16_streamed, step_f16_streamed_report}, {step_f16_resident, step_f16_resident_report}}};
