/* test_fixed_math.c - keys, masses and logarithms against doubles and 128-bit integers. */

#include <math.h>

#include "kernels/fixed_math.h"
#include "sampler_helpers.h"

__extension__ typedef unsigned __int128 wide;

/* --- keys ------------------------------------------------------------------------------------------------- */

TEST(fixed_math, keys_order_as_floats_do) {
    static const float ascending[] = {-FLT_MAX,  -1e30f,  -2.0f, -1.0f, -FLT_MIN,   -0x1p-149f, 0.0f,
                                      0x1p-149f, FLT_MIN, 0.5f,  1.0f,  1.0000001f, FLT_MAX,    INFINITY};
    for (size_t i = 1; i < sizeof ascending / sizeof *ascending; i++)
        EXPECT_LT(key_of(ascending[i - 1]), key_of(ascending[i]));
    EXPECT_EQ(key_of(INFINITY), KEY_INFINITY);
    EXPECT_GT(key_of(-FLT_MAX), KEY_NONE);
}

TEST(fixed_math, minus_0_and_0_are_one_key) {
    EXPECT_EQ(key_of(-0.0f), key_of(0.0f));
}

TEST(fixed_math, NaN_of_any_sign_and_payload_and_minus_infinity_have_no_key) {
    static const uint32_t bits[] = {0x7FC00000, 0xFFC00000, 0x7F800001, 0xFF800001, 0x7FFFFFFF, 0xFFFFFFFF, 0xFF800000};
    for (size_t i = 0; i < sizeof bits / sizeof *bits; i++) EXPECT_EQ(key_of(float_of(bits[i])), KEY_NONE);
}

TEST(fixed_math, a_key_gives_its_logit_back_and_orders_it) {
    uint32_t step = 997; /* prime: all exponents, all low bits */
    for (uint64_t bits = 0; bits <= UINT32_MAX - step && !test_has_failed(); bits += step) {
        float logit = float_of((uint32_t)bits), next = float_of((uint32_t)bits + step);
        if (isnan(logit) || logit == -INFINITY || isnan(next) || next == -INFINITY) continue;
        if (bits_of(logit) != 0x80000000u) EXPECT_EQ(bits_of(logit_of(key_of(logit))), bits_of(logit));
        EXPECT_EQ(key_of(logit) < key_of(next), logit < next);
    }
}

/* --- masses ----------------------------------------------------------------------------------------------- */

TEST(fixed_math, exp2_is_within_2_to_the_minus_22_of_the_truth_or_half_a_unit) {
    double worst = 0;
    for (int i = 0; i <= 4000000; i++) {
        float x = (float)(-36.0 * i / 4000000);
        double exact = exp2(x) * 0x1p32;
        double error = fabs(fixed_exp2(x, 1.0f) - exact) - 0.5;
        if (error / exact > worst) worst = error / exact;
    }
    EXPECT_NEAR(worst, 0, 0x1p-22);
}

TEST(fixed_math, exp2_is_exact_at_whole_numbers_and_rounds_ties_to_even) {
    EXPECT_EQ(fixed_exp2(0.0f, 1.0f), UINT32_MAX); /* 2^32, saturated */
    for (int x = 1; x <= 32; x++) EXPECT_EQ(fixed_exp2((float)-x, 1.0f), (uint64_t)1 << (32 - x));
    EXPECT_EQ(fixed_exp2(-33.0f, 1.0f), 0); /* one half */
    EXPECT_EQ(fixed_exp2(-40.0f, 1.0f), 0);
    EXPECT_EQ(fixed_exp2(-32.4f, 1.0f), 1);
}

TEST(fixed_math, exp2_takes_the_product_unrounded) {
    float third = 1.0f / 3; /* 3 * third is 1 + 2^-25, which as a float is 1 */
    double exact = exp2(-3.0 * 8 * (double)third) * 0x1p32;
    EXPECT_NEAR(fixed_exp2(-24.0f, third), exact, 0.5 + exact * 0x1p-22);
}

TEST(fixed_math, masses_never_grow_as_keys_fall_by_more_than_the_error_of_the_polynomial) {
    mass_scale scale = mass_scale_of(key_of(1.0f), 0.7f);
    uint32_t before = UINT32_MAX;
    for (uint32_t key = key_of(1.0f); key > key_of(-20.0f); key -= 101) {
        uint32_t mass = mass_of(key, scale);
        EXPECT_LE(mass, (uint64_t)before + (before >> 22) + 1);
        before = mass;
        if (test_has_failed()) return;
    }
    EXPECT_LT(before, 1);
}

TEST(fixed_math, the_largest_logit_has_full_mass_and_no_key_has_none) {
    static const float tops[] = {-FLT_MAX, -1e30f, -1.0f, 0.0f, 0x1p-149f, 3.7f, 1e30f, FLT_MAX};
    static const float temperatures[] = {FLT_MIN, 1e-20f, 0.1f, 1.0f, 100.0f, 1e20f, FLT_MAX, INFINITY};
    for (size_t i = 0; i < 8; i++)
        for (size_t j = 0; j < 8; j++) {
            test_context("largest logit %g, temperature %g", (double)tops[i], (double)temperatures[j]);
            mass_scale scale = mass_scale_of(key_of(tops[i]), temperatures[j]);
            EXPECT_EQ(mass_of(key_of(tops[i]), scale), UINT32_MAX);
            EXPECT_EQ(mass_of(KEY_NONE, scale), 0);
        }
}

TEST(fixed_math, masses_of_random_logits_are_within_2_to_the_minus_20_of_doubles) {
    random_state = 11;
    for (int i = 0; i < 1000000 && !test_has_failed(); i++) {
        uint64_t bits = random_bits();
        float top = ldexpf((float)(bits & 0xFFFF) - 32768.0f, (int)(bits >> 16 & 15) - 12);
        float temperature = ldexpf(1.0f + (float)(bits >> 20 & 0xFF) / 256, (int)(bits >> 28 & 15) - 8);
        float logit = top - temperature * (float)(bits >> 32 & 0xFFFF) / 2500.0f;
        double exact = exp(((double)logit - top) / temperature) * 0x1p32;
        double mass = mass_of(key_of(logit), mass_scale_of(key_of(top), temperature));
        test_context("seed 11, round %d: logit %a below %a at temperature %a", i, (double)logit, (double)top,
                     (double)temperature);
        EXPECT_NEAR(mass, exact, 1.0 + exact * 0x1p-20);
    }
}

TEST(fixed_math, the_widest_difference_of_logits_does_not_overflow) {
    mass_scale scale = mass_scale_of(key_of(FLT_MAX), FLT_MAX);
    double exact = exp(-2.0) * 0x1p32;
    EXPECT_NEAR(mass_of(key_of(-FLT_MAX), scale), exact, exact * 0x1p-20);
    EXPECT_EQ(mass_of(key_of(-FLT_MAX), mass_scale_of(key_of(FLT_MAX), 1.0f)), 0);
}

TEST(fixed_math, at_infinite_temperature_and_under_plus_infinity_masses_are_equal) {
    mass_scale hot = mass_scale_of(key_of(3.0f), INFINITY);
    EXPECT_EQ(mass_of(key_of(-FLT_MAX), hot), UINT32_MAX);
    mass_scale infinite = mass_scale_of(KEY_INFINITY, 1.0f);
    EXPECT_EQ(mass_of(KEY_INFINITY, infinite), UINT32_MAX);
    EXPECT_EQ(mass_of(key_of(FLT_MAX), infinite), 0);
}

/* --- whole numbers ---------------------------------------------------------------------------------------- */

TEST(fixed_math, multiply_high_equals_128_bit_arithmetic) {
    random_state = 12;
    for (int i = 0; i < 100000 && !test_has_failed(); i++) {
        uint64_t a = random_bits() >> (i % 64), b = random_bits() >> (i / 64 % 64);
        EXPECT_EQ(multiply_high(a, b), (uint64_t)((wide)a * b >> 64));
    }
    EXPECT_EQ(multiply_high(UINT64_MAX, UINT64_MAX), UINT64_MAX - 1);
}

/* part = significand * 2^exponent, in 128 bits. */
static uint64_t share_in_128_bits(float part, uint64_t whole) {
    int exponent;
    wide product = (wide)(uint64_t)ldexpf(frexpf(part, &exponent), 24) * whole;
    int shift = 24 - exponent;
    if (shift >= 127) return product != 0;
    wide quotient = product >> shift;
    return (uint64_t)quotient + (quotient << shift != product);
}

TEST(fixed_math, share_is_the_exact_product_rounded_up) {
    random_state = 13;
    for (int i = 0; i < 200000 && !test_has_failed(); i++) {
        uint64_t whole = (random_bits() >> (1 + i % 62)) + 1;
        uint32_t exponent = i % 5 ? 120 + (uint32_t)i % 7 : (uint32_t)(random_bits() % 127);
        float part = float_of(exponent << 23 | (uint32_t)(random_bits() & 0x7FFFFF));
        if (part == 0) continue;
        test_context("seed 13: %a of %llu", (double)part, (unsigned long long)whole);
        EXPECT_EQ(share_of(part, whole), share_in_128_bits(part, whole));
    }
}

TEST(fixed_math, share_at_the_edges) {
    EXPECT_EQ(share_of(1.0f, 12345), 12345);
    EXPECT_EQ(share_of(1.0f, (uint64_t)1 << 62), (uint64_t)1 << 62);
    EXPECT_EQ(share_of(0.5f, 4), 2);
    EXPECT_EQ(share_of(0.5f, 5), 3);
    EXPECT_EQ(share_of(nextafterf(0.5f, 1), 4), 3);
    EXPECT_EQ(share_of(0x1p-149f, UINT64_MAX >> 1), 1);
    EXPECT_EQ(share_of(0x1p-32f, (uint64_t)1 << 32), 1);
    EXPECT_EQ(share_of(0x1p-32f, ((uint64_t)1 << 32) + 1), 2);
}

TEST(fixed_math, least_mass_is_rounded_up) {
    EXPECT_EQ(least_mass(0.5f), 0x80000000u);
    EXPECT_EQ(least_mass(0x1p-33f), 1);
    EXPECT_EQ(least_mass(nextafterf(1, 0)), UINT32_MAX - 255);
}

/* --- logarithms ------------------------------------------------------------------------------------------- */

TEST(fixed_math, log_keeps_its_relative_accuracy_everywhere) {
    random_state = 14;
    for (int i = 0; i < 1000000 && !test_has_failed(); i++) {
        uint64_t whole = (random_bits() >> (13 + i % 40)) + 2;
        uint64_t part = i % 3 ? 1 + random_bits() % whole : whole - random_bits() % (1 + (whole >> (1 + i % 17)));
        if (part == 0) continue;
        double exact = (double)log1pl(-(long double)(whole - part) / (long double)whole);
        float log = fixed_log(part, whole);
        test_context("seed 14: ln(%llu / %llu)", (unsigned long long)part, (unsigned long long)whole);
        EXPECT_TRUE(log <= 0);
        EXPECT_NEAR(log, exact, fabs(exact) * 0x1p-20);
    }
}

TEST(fixed_math, log_of_the_whole_is_0_and_not_minus_0) {
    EXPECT_EQ(bits_of(fixed_log(1, 1)), 0);
    EXPECT_EQ(bits_of(fixed_log(UINT32_MAX, UINT32_MAX)), 0);
    EXPECT_NEAR(fixed_log(1, 2), -0.6931471805599453, 1e-7);
    EXPECT_TRUE(fixed_log(((uint64_t)1 << 50) - 1, (uint64_t)1 << 50) < 0);
}

/* --- the bits ---------------------------------------------------------------------------------------------- */

static uint64_t hash_word(uint64_t hash, uint32_t word) {
    return (hash ^ word) * 0x100000001B3u;
} /* FNV-1a, by words */

/* Every backend repeats these bits; a change of a constant that no tolerance sees is seen here. */
TEST(fixed_math, masses_and_logarithms_have_the_bits_they_always_had) {
    uint64_t masses = 0xCBF29CE484222325u, logs = masses;
    mass_scale scale = mass_scale_of(key_of(1.0f), 0.7f);
    for (int i = 0; i < 100000; i++) masses = hash_word(masses, mass_of(key_of(1.0f - (float)i / 4096), scale));
    for (uint64_t i = 1; i <= 100000; i++) logs = hash_word(logs, bits_of(fixed_log(i * i, 10000000000u)));
    EXPECT_EQ(masses, 7365606769093251225u);
    EXPECT_EQ(logs, 7746332687784278975u);
}
