/* step_bf16.cu - the step for logits of type bf16. */
#include "launch.cuh"

KERNEL(256, 2) step_bf16_streamed(PARAMS(step_params, p)) { step_row<WEIR_DTYPE_BF16, false, false>(p); }
KERNEL(256, 2) step_bf16_streamed_report(PARAMS(step_params, p)) { step_row<WEIR_DTYPE_BF16, false, true>(p); }
KERNEL(256, 2) step_bf16_resident(PARAMS(step_params, p)) { step_row<WEIR_DTYPE_BF16, true, false>(p); }
KERNEL(256, 2) step_bf16_resident_report(PARAMS(step_params, p)) { step_row<WEIR_DTYPE_BF16, true, true>(p); }

const step_kernels step_kernels_bf16 = {
    {{step_bf16_streamed, step_bf16_streamed_report}, {step_bf16_resident, step_bf16_resident_report}}};
