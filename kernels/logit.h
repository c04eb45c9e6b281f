/* logit.h - one logit of any type in, a float out; what bias and penalties make of it. Every backend repeats it to the
 * bit: each line is a single correctly rounded operation (see fixed_math.h). */
#ifndef WEIR_KERNELS_LOGIT_H
#define WEIR_KERNELS_LOGIT_H

#include "fixed_math.h"

/* --- types ------------------------------------------------------------------------------------------------- */

/* The value of a bfloat16: the upper half of a float. */
KERNEL_INLINE float float_of_bf16(uint16_t bits) {
    return float_of((uint32_t)bits << 16);
}

/* The value of an IEEE half, without a branch and without a subnormal float, which a program may have switched off. */
KERNEL_INLINE float float_of_f16(uint16_t bits) {
    uint32_t magnitude = bits & 0x7FFFu, sign = (uint32_t)(bits & 0x8000u) << 16;
    uint32_t special = 0u - (uint32_t)(magnitude >= 0x7C00u);               /* infinity and NaN: the exponent is full */
    uint32_t normal = ((magnitude << 13) + 0x38000000u) | (special & 0x7F800000u); /* exponents differ by 112 */
    uint32_t tiny = bits_of((float)(int32_t)magnitude * 0x1p-24f);          /* below 2^-14: units of 2^-24 */
    uint32_t small = 0u - (uint32_t)(magnitude < 0x0400u);
    return float_of((tiny & small) | (normal & ~small) | sign);
}

/* --- bias and penalties ------------------------------------------------------------------------------------ */

/* Finite whatever happens: arithmetic neither masks a token nor makes it infinite. */
KERNEL_INLINE float made_finite(float value) {
    return value > FLT_MAX ? FLT_MAX : value < -FLT_MAX ? -FLT_MAX : value;
}

/* The key of an allowed entry whose logit has `bias` added. +inf stays what it is. */
KERNEL_INLINE uint32_t key_with_bias(uint32_t key, float bias) {
    return key == KEY_NONE || key == KEY_INFINITY ? key : key_of(made_finite(logit_of(key) + bias));
}

/* Penalties of one row. */
typedef struct penalties {
    float repetition; /* 1: off */
    float frequency, presence;
    float scale; /* of the last two: 1, or the temperature where that comes first, for dividing the logit by it before they
                  * are subtracted is the same as dividing afterwards */
} penalties;

/* The key of an allowed entry whose token was seen: `count` times in the output, else in the prompt alone. */
KERNEL_INLINE uint32_t key_with_penalties(uint32_t key, penalties penalties, uint32_t count) {
    if (key == KEY_NONE || key == KEY_INFINITY) return key;
    float logit = logit_of(key);
    logit = made_finite(logit > 0.0f ? logit / penalties.repetition : logit * penalties.repetition);
    if (count > 0) {
        logit = made_finite(fmaf(-(penalties.frequency * penalties.scale), (float)count, logit));
        logit = made_finite(fmaf(-penalties.presence, penalties.scale, logit));
    }
    return key_of(logit);
}

#endif
