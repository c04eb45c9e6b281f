/* fixed_math.h - logits in, masses out: the arithmetic that every backend repeats to the bit.
 *
 * A logit becomes an ordered 32-bit key (for selection) and a 32-bit mass relative to the largest logit of its row
 * (for sums). Everything in floating point is a single correctly rounded operation: an explicit fused multiply-add, a
 * multiplication, a division or a conversion, and no product that is rounded feeds a sum, so a compiler has nothing to
 * contract. fmaf is exact on every machine, with or without the instruction. Rounding is to nearest even. */
#ifndef WEIR_KERNELS_FIXED_MATH_H
#define WEIR_KERNELS_FIXED_MATH_H

#include <float.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "inline.h"

#ifdef __FAST_MATH__
#error "the arithmetic is defined to the bit: no -ffast-math"
#endif
#if defined(FLT_EVAL_METHOD) && FLT_EVAL_METHOD != 0
#error "float expressions must be evaluated as float (x86: -msse2 -mfpmath=sse)"
#endif

/* --- ordered keys ------------------------------------------------------------------------------------------ */

#define KEY_NONE     0u          /* not allowed: masked, NaN or -inf */
#define KEY_INFINITY 0xFF800000u /* of +inf, the largest */

KERNEL_INLINE uint32_t bits_of(float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

KERNEL_INLINE float float_of(uint32_t bits) {
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* Orders as the logits do; -0 and 0 are one key; NaN and -inf give KEY_NONE. Without a branch, for vector units. */
KERNEL_INLINE uint32_t key_of(float logit) {
    uint32_t bits = bits_of(logit);
    uint32_t key = bits ^ ((0u - (bits >> 31)) | 0x80000000u); /* negative: all bits flip; else the sign alone */
    key += key == 0x7FFFFFFFu;                                 /* -0 is 0 */
    uint32_t allowed = key - 0x00800000u <= 0xFF000000u;       /* from -FLT_MAX to +inf */
    return key & (0u - allowed);
}

/* The logit of a key other than KEY_NONE. */
KERNEL_INLINE float logit_of(uint32_t key) {
    return float_of(key ^ (((key >> 31) - 1) | 0x80000000u));
}

/* --- masses ------------------------------------------------------------------------------------------------ */

/* How the logits of a row become masses: mass = round(2^32 * 2^(rate * (logit / 2 + offset))), at most 2^32 - 1.
 * Halves, so that the difference of any two finite logits is finite. */
typedef struct mass_scale {
    float offset;   /* minus half the largest logit */
    float rate;     /* 2 log2(e) / temperature */
    uint32_t least; /* keys below this one have no mass; above KEY_NONE */
    bool equal;     /* all others have the same, full mass */
} mass_scale;

/* Temperatures below the smallest normal float are 0; the caller answers those without masses. */
#define LEAST_TEMPERATURE FLT_MIN

KERNEL_INLINE mass_scale mass_scale_of(uint32_t largest_key, float temperature) {
    mass_scale scale = {0.0f, 0.0f, KEY_NONE + 1, true};
    if (largest_key == KEY_INFINITY) {
        scale.least = KEY_INFINITY;
    } else if (temperature <= FLT_MAX) {
        scale.equal = false;
        scale.offset = -0.5f * logit_of(largest_key);
        scale.rate = 2.88539008f / temperature;                             /* at most 2.46e38: finite */
        float least = 2.0f * (-40.0f / scale.rate - scale.offset);          /* 2^-40 is no mass */
        scale.least = least >= -FLT_MAX ? key_of(least) : key_of(-FLT_MAX); /* so hot that every logit counts */
    }
    return scale;
}

/* round(2^32 * 2^(a * b)), at most 2^32 - 1; the product is not rounded. For -125 < a * b <= 0. Neighbouring arguments can
 * give masses that are inverted by one unit in the last place of a float.
 * 2^f by a polynomial of degree 5 on [-1/2, 1/2] that is exact at 0; relative error below 2^-22. */
KERNEL_INLINE uint32_t fixed_exp2(float a, float b) {
    const float magic = 12582944.0f; /* 1.5 * 2^23 + 32: adding it rounds to an integer, in the low bits with 32 more */
    float shifted = fmaf(a, b, magic);
    float whole = shifted - magic;
    float f = fmaf(a, b, -whole);
    float power = 0x1.5bbd6cp-10f;
    power = fmaf(power, f, 0x1.3ce82cp-7f);
    power = fmaf(power, f, 0x1.c6b736p-5f);
    power = fmaf(power, f, 0x1.ebf9c4p-3f);
    power = fmaf(power, f, 0x1.62e42ap-1f);
    power = fmaf(power, f, 1.0f);
    /* times 2^(whole + 32), by adding to the exponent what stands in those bits */
    uint32_t bits = bits_of(power) + (bits_of(shifted) << 23);
#ifdef ROUND_SATURATED
    return ROUND_SATURATED(float_of(bits));
#else
    /* To an integer, once, to nearest even. Below 2^23 adding 2^23 rounds; above, it is an integer already; from 2^31
     * on the significand is moved into place, since machines convert to signed integers; 2^32 saturates. Selections are
     * by masks, for vector units. All of it is what a GPU does in one saturating conversion. */
    float raised = float_of(bits) + 8388608.0f;
    uint32_t rounded = bits_of(raised - 8388608.0f);
    uint32_t small = 0u - (uint32_t)(bits < 0x4B000000u);  /* 2^23 */
    uint32_t large = 0u - (uint32_t)(bits >= 0x4F000000u); /* 2^31 */
    uint32_t full = 0u - (uint32_t)(bits >= 0x4F800000u);  /* 2^32 */
    uint32_t integer = (rounded & small) | (bits & ~small & ~large);
    return (uint32_t)(int32_t)float_of(integer) | ((bits << 8 | 0x80000000u) & large) | full;
#endif
}

/* The mass where scale.equal is false. The exponential of a key that has none is not used: any key stands in for it. */
KERNEL_INLINE uint32_t mass_by_distance(uint32_t key, mass_scale scale) {
    uint32_t heavy = key > scale.least ? key : scale.least;
    uint32_t mass = fixed_exp2(fmaf(0.5f, logit_of(heavy), scale.offset), scale.rate);
    return mass & (0u - (uint32_t)(key >= scale.least));
}

KERNEL_INLINE uint32_t mass_of(uint32_t key, mass_scale scale) {
    return scale.equal ? 0u - (uint32_t)(key >= scale.least) : mass_by_distance(key, scale);
}

/* --- whole numbers ----------------------------------------------------------------------------------------- */

/* floor(a * b / 2^64). */
KERNEL_INLINE uint64_t multiply_high(uint64_t a, uint64_t b) {
    uint64_t a0 = (uint32_t)a, a1 = a >> 32, b0 = (uint32_t)b, b1 = b >> 32;
    uint64_t middle = a1 * b0 + (a0 * b0 >> 32);
    uint64_t other = a0 * b1 + (uint32_t)middle;
    return a1 * b1 + (middle >> 32) + (other >> 32);
}

/* ceil(part * whole), exactly, for 0 < part <= 1: the mass that a top-p prefix must reach. */
KERNEL_INLINE uint64_t share_of(float part, uint64_t whole) {
    uint32_t bits = bits_of(part);
    uint32_t exponent = bits >> 23;
    uint64_t significand = exponent ? (bits & 0x7FFFFFu) | 0x800000u : bits; /* part = significand / 2^shift */
    uint32_t shift = 150 - (exponent ? exponent : 1);
    uint64_t low = significand * (uint32_t)whole; /* the product is high * 2^32 + low */
    uint64_t high = significand * (whole >> 32) + (low >> 32);
    low = (uint32_t)low;
    if (shift < 32) { /* 23 <= shift */
        uint64_t lost = low & (((uint64_t)1 << shift) - 1);
        return (high << (32 - shift)) + (low >> shift) + (lost != 0);
    }
    uint32_t rest = shift - 32;
    if (rest >= 64) return (high | low) != 0;
    uint64_t lost = low | (high & (((uint64_t)1 << rest) - 1));
    return (high >> rest) + (lost != 0);
}

/* ceil(part * 2^32) for 0 <= part < 1: the least mass that min-p keeps. */
KERNEL_INLINE uint32_t least_mass(float part) {
    return (uint32_t)ceilf(part * 4294967296.0f);
}

/* --- log-probabilities ------------------------------------------------------------------------------------- */

/* log2(1 + t) for -1/3 <= t <= 1/3; t times a polynomial of degree 8, relative error below 2^-22.5. */
KERNEL_INLINE float fixed_log2_1p(float t, float whole) {
    float p = 0x1.9f4eacp-3f;
    p = fmaf(p, t, -0x1.c71be4p-3f);
    p = fmaf(p, t, 0x1.9d48e2p-3f);
    p = fmaf(p, t, -0x1.e4f056p-3f);
    p = fmaf(p, t, 0x1.27a3f2p-2f);
    p = fmaf(p, t, -0x1.7172d2p-2f);
    p = fmaf(p, t, 0x1.ec6ffep-2f);
    p = fmaf(p, t, -0x1.715456p-1f);
    p = fmaf(p, t, 0x1.715476p+0f);
    return fmaf(p, t, whole);
}

/* log2(part / whole) for 0 < part <= whole; 0 exactly where they are equal, never above 0. Near 1 the distance from 1
 * is taken in whole numbers, so that the result keeps its relative accuracy. */
KERNEL_INLINE float fixed_log2(uint64_t part, uint64_t whole) {
    if (part > whole - whole / 4) return fixed_log2_1p(-((float)(whole - part) / (float)whole), 0.0f);
    float ratio = (float)part / (float)whole;
    int32_t exponent = (int32_t)(bits_of(ratio) - 0x3F2AAAABu) >> 23; /* ratio / 2^exponent in [2/3, 4/3) */
    float reduced = float_of(bits_of(ratio) - ((uint32_t)exponent << 23));
    return fixed_log2_1p(reduced - 1.0f, (float)exponent);
}

/* ln(part / whole). */
KERNEL_INLINE float fixed_log(uint64_t part, uint64_t whole) {
    return 0.693147182f * fixed_log2(part, whole);
}

#endif
