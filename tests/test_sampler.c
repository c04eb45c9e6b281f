/* test_sampler.c - the CPU sampler against a full sort in the same fixed-point masses (equal to the bit), against
 * doubles (probabilities), against chance (chi-square), and what each setting, status and argument means. */
#define _DEFAULT_SOURCE
#include "harness.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "kernels/backend.h"
#include "kernels/fixed_math.h"
#include "kernels/philox.h"

__extension__ typedef unsigned __int128 wide;

/* --- helpers ---------------------------------------------------------------------------------------------- */

static uint64_t random_state;

static uint64_t random_bits(void) { /* splitmix64 */
    uint64_t z = (random_state += 0x9E3779B97F4A7C15u);
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return z ^ z >> 31;
}

static uint32_t random_below(uint32_t limit) {
    return (uint32_t)((random_bits() >> 32) * limit >> 32);
}

static double random_unit(void) {
    return ((double)(random_bits() >> 11) + 0.5) * 0x1p-53;
}

static double random_normal(void) {
    return sqrt(-2 * log(random_unit())) * cos(6.283185307179586 * random_unit());
}

static weir_sampler *make_sampler(const backend *backend, uint32_t slot_count, uint32_t width) {
    weir_sampler_options options = WEIR_SAMPLER_OPTIONS_INIT;
    options.slot_count = slot_count;
    options.logits_width = width;
    weir_sampler *sampler;
    weir_error error;
    ASSERT_OK(sampler_create_on(backend, &options, &sampler, &error), &error);
    return sampler;
}

static void bind_seed(weir_sampler *sampler, uint32_t slot, uint64_t seed) {
    weir_slot_options options = WEIR_SLOT_OPTIONS_INIT;
    options.seed = seed;
    weir_error error;
    ASSERT_OK(weir_sampler_bind(sampler, slot, &options, &error), &error);
}

typedef struct result {
    int32_t token;
    float logprob;
    uint32_t status;
} result;

/* One row, slot 0. */
static result step_one(weir_sampler *sampler, const float *logits, size_t width, const weir_sampling *sampling) {
    int32_t slot = 0;
    result result = {-9, NAN, 99};
    weir_step step = {sizeof step, 1, &slot, logits, width, sampling, &result.token, &result.logprob, &result.status};
    weir_error error;
    ASSERT_OK(weir_sampler_step(sampler, &step, &error), &error);
    return result;
}

/* One row of a new sequence without a constraint. */
static result sample(const float *logits, uint32_t width, weir_sampling sampling, uint64_t seed) {
    weir_sampler *sampler = make_sampler(&backend_cpu, 1, width);
    bind_seed(sampler, 0, seed);
    result result = step_one(sampler, logits, width, &sampling);
    weir_sampler_destroy(sampler);
    return result;
}

/* How often each token is drawn in `draws` steps of one sequence. */
static void count_draws(const float *logits, uint32_t width, weir_sampling sampling, uint64_t seed, int draws,
                        uint32_t *counts) {
    weir_sampler *sampler = make_sampler(&backend_cpu, 1, width);
    bind_seed(sampler, 0, seed);
    memset(counts, 0, width * sizeof *counts);
    for (int i = 0; i < draws; i++) {
        result result = step_one(sampler, logits, width, &sampling);
        ASSERT_EQ(result.status, WEIR_ROW_STATUS_OK);
        counts[result.token]++;
    }
    weir_sampler_destroy(sampler);
}

#define SAMPLING(...) ((weir_sampling){__VA_ARGS__}) /* temperature, top_p, min_p, top_k */

/* --- the reference: a full sort ---------------------------------------------------------------------------- */

typedef struct entry {
    float logit;
    uint32_t id;
    uint32_t mass; /* 0: not kept */
    double exact;  /* the same in doubles, not rounded; not filtered */
} entry;

static int by_rank(const void *a, const void *b) {
    const entry *x = a, *y = b;
    if (x->logit != y->logit) return x->logit < y->logit ? 1 : -1;
    return (x->id > y->id) - (x->id < y->id);
}

static int by_id(const void *a, const void *b) {
    const entry *x = a, *y = b;
    return (x->id > y->id) - (x->id < y->id);
}

typedef struct reference {
    entry *entries; /* [count] by id, the allowed ones */
    uint32_t count;
    uint64_t kept;
} reference;

/* ceil(p * mass) in 128 bits: p has 24 bits, and no p of these tests a bit below 2^-60. */
static uint64_t goal_of(float p, uint64_t mass) {
    wide product = (wide)(uint64_t)ldexpf(p, 60) * mass;
    return (uint64_t)((product + (((wide)1 << 60) - 1)) >> 60);
}

static reference make_reference(const float *logits, uint32_t width, weir_sampling sampling) {
    reference r = {malloc((width + 1) * sizeof(entry)), 0, 0};
    for (uint32_t id = 0; id < width; id++)
        if (!isnan(logits[id]) && logits[id] != -INFINITY) r.entries[r.count++] = (entry){logits[id], id, 0, 0};
    if (r.count == 0) return r;
    qsort(r.entries, r.count, sizeof(entry), by_rank);
    float top = r.entries[0].logit;
    uint32_t end = sampling.top_k && sampling.top_k < r.count ? sampling.top_k : r.count;
    mass_scale scale = mass_scale_of(key_of(top), sampling.temperature);
    uint64_t total = 0;
    for (uint32_t i = 0; i < end; i++) {
        entry *entry = &r.entries[i];
        entry->mass = mass_of(key_of(entry->logit), scale);
        entry->exact = top == INFINITY               ? entry->logit == INFINITY
                       : isinf(sampling.temperature) ? 1
                                                     : exp(((double)entry->logit - top) / sampling.temperature);
        total += entry->mass;
    }
    if (sampling.top_p < 1) {
        uint64_t goal = goal_of(sampling.top_p, total), sum = 0;
        uint32_t i = 0;
        while (sum < goal) sum += r.entries[i++].mass;
        for (; i < end; i++) r.entries[i].mass = 0;
    }
    for (uint32_t i = 0; i < end; i++) {
        if ((double)r.entries[i].mass < (double)sampling.min_p * 0x1p32) r.entries[i].mass = 0;
        r.kept += r.entries[i].mass;
    }
    qsort(r.entries, r.count, sizeof(entry), by_id);
    return r;
}

static result reference_draw(const reference *r, uint64_t seed, uint64_t position, weir_sampling sampling) {
    if (r->count == 0) return (result){-1, 0, WEIR_ROW_STATUS_NO_TOKEN};
    const entry *chosen = r->entries;
    if (sampling.temperature == 0) {
        for (uint32_t i = 0; i < r->count; i++)
            if (r->entries[i].logit > chosen->logit) chosen = &r->entries[i];
        return (result){(int32_t)chosen->id, 0, WEIR_ROW_STATUS_OK};
    }
    uint64_t target = (uint64_t)((wide)philox_token_bits(seed, position) * r->kept >> 64);
    for (; chosen->mass <= target; chosen++) target -= chosen->mass;
    return (result){(int32_t)chosen->id, fixed_log(chosen->mass, r->kept), WEIR_ROW_STATUS_OK};
}

static void expect_equal(result found, result expected) {
    EXPECT_EQ(found.token, expected.token);
    EXPECT_EQ(bits_of(found.logprob), bits_of(expected.logprob));
    EXPECT_EQ(found.status, expected.status);
}

/* Rows of many shapes: smooth, coarse (full of ties), two-valued, peaked, wide, and with odd values strewn in. */
static void fill_random(float *logits, uint32_t width) {
    uint32_t kind = random_below(6), holes = random_below(4);
    for (uint32_t i = 0; i < width; i++) {
        double x = random_normal();
        logits[i] = (float)(kind == 0   ? x
                            : kind == 1 ? floor(x * 3) / 2
                            : kind == 2 ? (x > 1)
                            : kind == 3 ? (random_below(width) < 4 ? 12 + x : x)
                            : kind == 4 ? x * 1e4
                                        : x * 8);
        if (holes == 1 && random_below(8) == 0) logits[i] = NAN;
        if (holes == 2 && random_below(8)) logits[i] = -INFINITY;
        if (holes == 3 && random_below(2 * width) == 0) logits[i] = INFINITY;
        if (random_below(50) == 0) logits[i] = -0.0f;
    }
}

static weir_sampling random_sampling(uint32_t width) {
    static const float temperatures[] = {0.0f, 0.2f, 0.7f, 1.0f, 1.7f, 50.0f, INFINITY};
    static const float top_ps[] = {1.0f, 1.0f, 0.999f, 0.9f, 0.5f, 0.25f, 1e-6f};
    static const float min_ps[] = {0.0f, 0.0f, 0.01f, 0.3f, 0.999f};
    return SAMPLING(temperatures[random_below(7)], top_ps[random_below(7)], min_ps[random_below(5)],
                    random_below(2) ? 0 : 1 + random_below(random_below(2) ? width + 2 : 1 + width / 16));
}

static void compare_rows(const backend *backend, uint32_t width, int rounds, uint64_t seed) {
    weir_sampler *sampler = make_sampler(backend, 1, width);
    float *logits = malloc(width * sizeof *logits);
    random_state = seed;
    for (int round = 0; round < rounds && !test_has_failed(); round++) {
        fill_random(logits, width);
        weir_sampling sampling = random_sampling(width);
        test_context("%s, width %u, seed %llu, round %d: temperature %g top_p %g min_p %g top_k %u", backend->name,
                     width, (unsigned long long)seed, round, (double)sampling.temperature, (double)sampling.top_p,
                     (double)sampling.min_p, sampling.top_k);
        reference r = make_reference(logits, width, sampling);
        bind_seed(sampler, 0, (uint64_t)round);
        for (uint64_t position = 0; position < 2 && r.count; position++)
            expect_equal(step_one(sampler, logits, width, &sampling),
                         reference_draw(&r, (uint64_t)round, position, sampling));
        free(r.entries);
    }
    free(logits);
    weir_sampler_destroy(sampler);
}

TEST(sampler, equals_the_full_sort_to_the_bit) {
    static const uint32_t widths[] = {1, 2, 3, 31, 32, 33, 63, 65, 1000, 4097};
    for (size_t i = 0; i < sizeof widths / sizeof *widths; i++) compare_rows(&backend_cpu, widths[i], 600, widths[i]);
}

TEST(sampler, equals_the_full_sort_to_the_bit_on_vocabularies_of_odd_size) {
    compare_rows(&backend_cpu, 50257, 40, 21);
    compare_rows(&backend_cpu, 128257, 10, 22);
}

TEST(sampler, without_vector_code_gives_the_same_bits) {
    static const uint32_t widths[] = {1, 33, 1000, 5001};
    for (size_t i = 0; i < sizeof widths / sizeof *widths; i++)
        compare_rows(&backend_cpu_portable, widths[i], 200, widths[i]);
}

TEST(sampler, probabilities_are_within_2_to_the_minus_20_of_doubles) {
    enum { WIDTH = 3001 };
    static float logits[WIDTH];
    random_state = 31;
    for (int round = 0; round < 300 && !test_has_failed(); round++) {
        fill_random(logits, WIDTH);
        weir_sampling sampling = random_sampling(WIDTH);
        if (sampling.temperature == 0) continue;
        reference r = make_reference(logits, WIDTH, sampling);
        double kept = 0;
        for (uint32_t i = 0; i < r.count; i++) kept += r.entries[i].mass ? r.entries[i].exact : 0;
        for (uint32_t i = 0; i < r.count && !test_has_failed(); i++) {
            if (!r.entries[i].mass) continue;
            test_context("seed 31, round %d, token %u, temperature %g", round, r.entries[i].id,
                         (double)sampling.temperature);
            EXPECT_NEAR((double)r.entries[i].mass / (double)r.kept, r.entries[i].exact / kept, 0x1p-20);
        }
        free(r.entries);
    }
}

/* The kept set in doubles, by the definition; rows whose boundary lies within the rounding of masses are left out. */
TEST(sampler, kept_set_is_the_sorted_prefix_in_doubles) {
    enum { WIDTH = 200 };
    static float logits[WIDTH];
    int checked = 0;
    random_state = 32;
    for (int round = 0; round < 3000 && !test_has_failed(); round++) {
        fill_random(logits, WIDTH);
        weir_sampling sampling = random_sampling(WIDTH);
        if (sampling.temperature == 0) continue;
        reference r = make_reference(logits, WIDTH, sampling);
        if (r.count) qsort(r.entries, r.count, sizeof(entry), by_rank);
        uint32_t end = sampling.top_k && sampling.top_k < r.count ? sampling.top_k : r.count;
        double total = 0, sum = 0;
        for (uint32_t i = 0; i < end; i++) total += r.entries[i].exact;
        for (uint32_t i = 0; i < end && !test_has_failed(); i++) {
            double share = sum / total - (double)sampling.top_p;
            double ratio = r.entries[i].exact - (double)sampling.min_p;
            sum += r.entries[i].exact;
            if (r.entries[i].exact < 0x1p-30 || (sampling.top_p < 1 && fabs(share) < 1e-6) || fabs(ratio) < 1e-6)
                continue;
            test_context("seed 32, round %d, rank %u", round, i);
            EXPECT_EQ(r.entries[i].mass != 0, (sampling.top_p == 1 || share < 0) && ratio > 0);
            checked++;
        }
        free(r.entries);
    }
    EXPECT_GT(checked, 100000);
}

/* --- chance ----------------------------------------------------------------------------------------------- */

/* Chi-square of the draws against doubles. Tokens with an expected count below 10 are taken together. The limit is
 * passed by chance once in a million (Wilson and Hilferty's approximation, z = 4.75); the seeds are fixed. */
static void expect_chance(const char *name, const float *logits, uint32_t width, weir_sampling sampling,
                          uint64_t seed) {
    enum { DRAWS = 200000 };
    uint32_t *counts = malloc(width * sizeof *counts);
    count_draws(logits, width, sampling, seed, DRAWS, counts);
    reference r = make_reference(logits, width, sampling);
    double kept = 0, chi = 0, rare_expected = 0, rare_count = 0;
    int cells = 0;
    for (uint32_t i = 0; i < r.count; i++) kept += r.entries[i].mass ? r.entries[i].exact : 0;
    for (uint32_t i = 0; i < r.count; i++) {
        double expected = r.entries[i].mass ? DRAWS * r.entries[i].exact / kept : 0;
        double count = counts[r.entries[i].id];
        if (!r.entries[i].mass) {
            EXPECT_EQ(counts[r.entries[i].id], 0);
        } else if (expected < 10) {
            rare_expected += expected, rare_count += count;
        } else {
            chi += (count - expected) * (count - expected) / expected, cells++;
        }
    }
    if (rare_expected > 10) {
        chi += (rare_count - rare_expected) * (rare_count - rare_expected) / rare_expected, cells++;
    }
    double freedom = cells - 1, spread = 2 / (9 * freedom);
    double limit = freedom * pow(1 - spread + 4.75 * sqrt(spread), 3);
    printf("%s: seed %llu, %d draws, chi-square %.1f of %.0f degrees, limit %.1f\n", name, (unsigned long long)seed,
           DRAWS, chi, freedom, limit);
    EXPECT_GT(cells, 1);
    EXPECT_TRUE(chi < limit);
    free(r.entries);
    free(counts);
}

TEST(sampler, draws_follow_the_probabilities) {
    static float flat[300], peaked[1000], tied[64];
    const float two[2] = {0.3f, -1.2f};
    random_state = 41;
    for (int i = 0; i < 300; i++) flat[i] = (float)random_normal();
    for (int i = 0; i < 1000; i++) peaked[i] = (float)(-1.3 * log(1 + i * 7 % 1000));
    for (int i = 0; i < 64; i++) tied[i] = (float)(i % 3);
    expect_chance("flat", flat, 300, SAMPLING(1, 1, 0, 0), 101);
    expect_chance("peaked", peaked, 1000, SAMPLING(1, 1, 0, 0), 102);
    expect_chance("tied", tied, 64, SAMPLING(1, 1, 0, 0), 103);
    expect_chance("two tokens", two, 2, SAMPLING(1, 1, 0, 0), 104);
}

TEST(sampler, draws_follow_the_renormalised_probabilities_under_each_filter) {
    static float peaked[1000], tied[64];
    for (int i = 0; i < 1000; i++) peaked[i] = (float)(-1.3 * log(1 + i * 7 % 1000));
    for (int i = 0; i < 64; i++) tied[i] = (float)(i % 3);
    expect_chance("top-p, the crossing token with its whole mass", peaked, 1000, SAMPLING(1, 0.6f, 0, 0), 105);
    expect_chance("top-k through a tie", tied, 64, SAMPLING(1, 1, 0, 30), 106);
    expect_chance("min-p", peaked, 1000, SAMPLING(1, 1, 0.05f, 0), 107);
    expect_chance("all", peaked, 1000, SAMPLING(1.5f, 0.9f, 0.01f, 40), 108);
    expect_chance("temperature", peaked, 1000, SAMPLING(2, 1, 0, 0), 109);
    expect_chance("infinite temperature", tied, 64, SAMPLING(INFINITY, 1, 0, 0), 110);
}

TEST(sampler, neighbouring_seeds_and_positions_draw_independently) {
    enum { SEQUENCES = 4000 };
    const float logits[2] = {0, 0};
    int same_position = 0, same_seed = 0;
    weir_sampler *sampler = make_sampler(&backend_cpu, 1, 2);
    int32_t before = 0;
    for (uint64_t seed = 0; seed < SEQUENCES; seed++) {
        bind_seed(sampler, 0, seed);
        int32_t first = step_one(sampler, logits, 2, NULL).token, second = step_one(sampler, logits, 2, NULL).token;
        same_seed += first == second;
        same_position += first == before;
        before = first;
    }
    EXPECT_NEAR(same_seed, SEQUENCES / 2, 5 * sqrt(SEQUENCES) / 2); /* five standard deviations */
    EXPECT_NEAR(same_position, SEQUENCES / 2, 5 * sqrt(SEQUENCES) / 2);
    weir_sampler_destroy(sampler);
}

/* --- meanings --------------------------------------------------------------------------------------------- */

TEST(sampler, temperature_0_is_argmax_with_ties_to_the_lowest_id_and_logprob_0) {
    const float logits[5] = {-1, 3, 2, 3, 3};
    for (uint64_t seed = 0; seed < 20; seed++) {
        result result = sample(logits, 5, SAMPLING(0, 0.5f, 0.5f, 3), seed);
        EXPECT_EQ(result.token, 1);
        EXPECT_EQ(bits_of(result.logprob), 0);
    }
    const float infinite[3] = {1, INFINITY, INFINITY};
    EXPECT_EQ(sample(infinite, 3, SAMPLING(0, 1, 0, 0), 7).token, 1);
    const float zeros[3] = {-1, -0.0f, 0.0f};
    EXPECT_EQ(sample(zeros, 3, SAMPLING(0, 1, 0, 0), 7).token, 1);
}

TEST(sampler, temperatures_below_the_smallest_normal_float_are_0) {
    const float logits[3] = {0, 0x1p-149f, 0x1p-149f};
    result result = sample(logits, 3, SAMPLING(0x1p-149f, 1, 0, 0), 3);
    EXPECT_EQ(result.token, 1);
    EXPECT_EQ(bits_of(result.logprob), 0);
    const float apart[2] = {0, 1};
    EXPECT_EQ(sample(apart, 2, SAMPLING(FLT_MIN, 1, 0, 0), 3).token, 1);
}

TEST(sampler, infinite_temperature_is_uniform_over_the_allowed) {
    const float logits[5] = {-1e30f, 4, NAN, 3e38f, -INFINITY};
    bool seen[5] = {0};
    for (uint64_t seed = 0; seed < 60; seed++) {
        result result = sample(logits, 5, SAMPLING(INFINITY, 1, 0, 0), seed);
        seen[result.token] = true;
        EXPECT_NEAR(result.logprob, -log(3), 1e-6);
    }
    EXPECT_TRUE(seen[0] && seen[1] && !seen[2] && seen[3] && !seen[4]);
}

TEST(sampler, infinite_temperature_filters_in_the_order_of_the_logits) {
    const float logits[4] = {1, 4, 3, 2};
    uint32_t counts[4];
    count_draws(logits, 4, SAMPLING(INFINITY, 1, 0, 2), 5, 100, counts);
    EXPECT_TRUE(!counts[0] && counts[1] && counts[2] && !counts[3]);
    count_draws(logits, 4, SAMPLING(INFINITY, 0.75f, 0, 0), 5, 100, counts);
    EXPECT_TRUE(!counts[0] && counts[1] && counts[2] && counts[3]);
    count_draws(logits, 4, SAMPLING(INFINITY, 1, 0.99f, 0), 5, 100, counts);
    EXPECT_TRUE(counts[0] && counts[1] && counts[2] && counts[3]);
}

TEST(sampler, plus_infinity_wins_and_ties_among_it_are_uniform) {
    const float logits[6] = {3e38f, INFINITY, 0, INFINITY, NAN, INFINITY};
    uint32_t counts[6];
    count_draws(logits, 6, SAMPLING(1, 1, 0, 0), 6, 3000, counts);
    EXPECT_EQ(counts[0] + counts[2] + counts[4], 0);
    for (int i = 1; i < 6; i += 2) EXPECT_NEAR(counts[i], 1000, 130); /* five standard deviations */
    EXPECT_NEAR(sample(logits, 6, SAMPLING(INFINITY, 1, 0, 0), 6).logprob, -log(3), 1e-6);
    count_draws(logits, 6, SAMPLING(1, 0.5f, 0, 0), 6, 100, counts);
    EXPECT_TRUE(counts[1] && counts[3] && !counts[5]);
}

TEST(sampler, NaN_and_minus_infinity_are_not_allowed) {
    const float logits[6] = {NAN, -INFINITY, -3e38f, -NAN, -INFINITY, NAN};
    weir_sampling settings[] = {{0, 1, 0, 0}, {1, 1, 0, 0}, {INFINITY, 1, 0, 0}, {1, 0.5f, 0.5f, 2}, {1e-30f, 1, 0, 5}};
    for (size_t i = 0; i < 5; i++) {
        result result = sample(logits, 6, settings[i], 8);
        EXPECT_EQ(result.token, 2);
        EXPECT_EQ(bits_of(result.logprob), 0);
    }
}

TEST(sampler, a_row_without_a_legal_token_gives_minus_1_stops_and_harms_no_other_row) {
    const float logits[3][3] = {{1, 2, 3}, {NAN, -INFINITY, NAN}, {1, 2, 3}};
    const int32_t slots[3] = {0, 1, 2};
    int32_t tokens[3];
    float logprobs[3];
    uint32_t statuses[3];
    weir_sampler *sampler = make_sampler(&backend_cpu, 3, 3);
    weir_sampler *alone = make_sampler(&backend_cpu, 1, 3);
    for (uint32_t slot = 0; slot < 3; slot++) bind_seed(sampler, slot, 9);
    bind_seed(alone, 0, 9);
    weir_step step = {sizeof step, 3, slots, logits[0], 3, NULL, tokens, logprobs, statuses};
    ASSERT_OK(weir_sampler_step(sampler, &step, NULL), NULL);
    result expected = step_one(alone, logits[0], 3, NULL);
    expect_equal((result){tokens[0], logprobs[0], statuses[0]}, expected);
    expect_equal((result){tokens[1], logprobs[1], statuses[1]}, (result){-1, 0, WEIR_ROW_STATUS_NO_TOKEN});
    expect_equal((result){tokens[2], logprobs[2], statuses[2]}, expected);
    step.logits = (const float[9]){1, 2, 3, 1, 2, 3, 1, 2, 3};
    ASSERT_OK(weir_sampler_step(sampler, &step, NULL), NULL);
    expected = step_one(alone, logits[0], 3, NULL);
    expect_equal((result){tokens[0], logprobs[0], statuses[0]}, expected);
    expect_equal((result){tokens[1], logprobs[1], statuses[1]}, (result){-1, 0, WEIR_ROW_STATUS_STOPPED});
    weir_sampler_destroy(sampler);
    weir_sampler_destroy(alone);
}

TEST(sampler, top_k_cuts_ties_at_the_highest_ids) {
    const float logits[6] = {1, 2, 2, 2, 2, 0};
    uint32_t counts[6];
    count_draws(logits, 6, SAMPLING(1, 1, 0, 3), 10, 200, counts);
    EXPECT_TRUE(!counts[0] && counts[1] && counts[2] && counts[3] && !counts[4] && !counts[5]);
    count_draws(logits, 6, SAMPLING(1, 1, 0, 1), 10, 50, counts);
    EXPECT_EQ(counts[1], 50);
}

TEST(sampler, top_k_beyond_the_vocabulary_and_its_largest_value_keep_all) {
    const float logits[3] = {0, 0, 0};
    static const uint32_t ks[] = {3, 4, 1u << 30, UINT32_MAX};
    for (size_t i = 0; i < 4; i++) EXPECT_NEAR(sample(logits, 3, SAMPLING(1, 1, 0, ks[i]), 11).logprob, -log(3), 1e-6);
}

TEST(sampler, top_p_keeps_the_shortest_prefix_that_reaches_p_with_the_token_that_crosses) {
    const float tied[4] = {7, 7, 7, 7}; /* equal masses: shares are exact */
    uint32_t counts[4];
    count_draws(tied, 4, SAMPLING(1, 0.5f, 0, 0), 12, 100, counts);
    EXPECT_TRUE(counts[0] && counts[1] && !counts[2] && !counts[3]);
    count_draws(tied, 4, SAMPLING(1, nextafterf(0.5f, 1), 0, 0), 12, 100, counts);
    EXPECT_TRUE(counts[0] && counts[1] && counts[2] && !counts[3]);
    count_draws(tied, 4, SAMPLING(1, 0x1p-149f, 0, 0), 12, 100, counts);
    EXPECT_EQ(counts[0], 100);
    const float logits[3] = {-1.2039728f, -0.6931472f, -1.6094379f}; /* 0.3, 0.5, 0.2 */
    count_draws(logits, 3, SAMPLING(1, 0.6f, 0, 0), 13, 100, counts);
    EXPECT_TRUE(counts[0] && counts[1] && !counts[2]);
    EXPECT_NEAR(sample(logits, 3, SAMPLING(1, 0.4f, 0, 0), 13).logprob, 0, 0);
}

TEST(sampler, top_p_is_a_share_of_what_top_k_kept) {
    const float tied[4] = {7, 7, 7, 7};
    uint32_t counts[4];
    count_draws(tied, 4, SAMPLING(1, 0.5f, 0, 2), 14, 50, counts);
    EXPECT_EQ(counts[0], 50);
}

TEST(sampler, min_p_is_relative_to_the_largest_probability) {
    const float logits[4] = {0, -0.6931472f * 1.01f, -0.6931472f * 0.99f,
                             -3}; /* 1, just below a half, just above, 0.05 */
    uint32_t counts[4];
    count_draws(logits, 4, SAMPLING(1, 1, 0.5f, 0), 15, 100, counts);
    EXPECT_TRUE(counts[0] && !counts[1] && counts[2] && !counts[3]);
    count_draws(logits, 4, SAMPLING(1, 1, nextafterf(1, 0), 0), 15, 50, counts);
    EXPECT_EQ(counts[0], 50);
}

TEST(sampler, top_p_counts_what_min_p_drops_after_it) {
    float logits[32]; /* weights 4, 3 and thirty of 0.1: top-p 0.55 of 10 needs both large ones, of 7 only the first */
    uint32_t counts[32];
    logits[0] = logf(4), logits[1] = logf(3);
    for (int i = 2; i < 32; i++) logits[i] = logf(0.1f);
    count_draws(logits, 32, SAMPLING(1, 0.55f, 0.5f, 0), 16, 200, counts);
    EXPECT_TRUE(counts[0] && counts[1]);
    EXPECT_EQ(counts[0] + counts[1], 200);
}

TEST(sampler, a_token_without_mass_is_not_drawn_even_by_the_random_number_0) {
    const uint64_t seed = 293046734; /* the least whose first draw has 32 leading zeros: the target is 0 */
    ASSERT_EQ(philox_token_bits(seed, 0) >> 32, 0);
    const float logits[3] = {-200, 0, -200};
    expect_equal(sample(logits, 3, SAMPLING(1, 1, 0, 0), seed), (result){1, 0, WEIR_ROW_STATUS_OK});
}

TEST(sampler, logprob_is_of_the_processed_distribution) {
    const float logits[3] = {2, 1, 0};
    for (uint64_t seed = 0; seed < 10; seed++) {
        result result = sample(logits, 3, SAMPLING(0.5f, 1, 0, 2), seed);
        EXPECT_NEAR(result.logprob, -log(1 + exp(result.token ? 2 : -2)), 1e-6);
    }
}

/* --- independence ----------------------------------------------------------------------------------------- */

/* A batch of 24 rows in a given order and split, `stride` apart, with poison between the rows: results by slot. */
static void run_batch(const backend *backend, const uint32_t *order, uint32_t split, size_t stride, result *results) {
    enum { ROWS = 24, WIDTH = 333 };
    static float rows[ROWS][WIDTH];
    static weir_sampling samplings[ROWS];
    random_state = 51;
    for (uint32_t i = 0; i < ROWS; i++) {
        for (uint32_t k = 0; k < WIDTH; k++) rows[i][k] = (float)random_normal();
        samplings[i] = random_sampling(WIDTH);
    }
    weir_sampler *sampler = make_sampler(backend, ROWS, WIDTH);
    for (uint32_t slot = 0; slot < ROWS; slot++) bind_seed(sampler, slot, slot / 2); /* seeds are shared in pairs */
    float *logits = malloc(ROWS * stride * sizeof *logits);
    for (size_t i = 0; i < ROWS * stride; i++) logits[i] = INFINITY;
    int32_t slots[ROWS], tokens[ROWS];
    weir_sampling sampling[ROWS];
    float logprobs[ROWS];
    uint32_t statuses[ROWS];
    for (uint32_t i = 0; i < ROWS; i++) {
        slots[i] = (int32_t)order[i];
        sampling[i] = samplings[order[i]];
        memcpy(logits + i * stride, rows[order[i]], sizeof rows[0]);
    }
    for (int position = 0; position < 5; position++)
        for (uint32_t start = 0; start < ROWS; start += split) {
            uint32_t count = ROWS - start < split ? ROWS - start : split;
            weir_step step = {sizeof step,      count,          slots + start,    logits + start * stride, stride,
                              sampling + start, tokens + start, logprobs + start, statuses + start};
            ASSERT_OK(weir_sampler_step(sampler, &step, NULL), NULL);
        }
    for (uint32_t i = 0; i < ROWS; i++) results[order[i]] = (result){tokens[i], logprobs[i], statuses[i]};
    free(logits);
    weir_sampler_destroy(sampler);
}

TEST(sampler, row_order_batch_size_stride_and_backend_change_no_bit) {
    uint32_t forward[24], shuffled[24];
    result expected[24], found[24];
    for (uint32_t i = 0; i < 24; i++) forward[i] = i, shuffled[i] = i * 7 % 24;
    run_batch(&backend_cpu, forward, 24, 333, expected);
    for (int variant = 0; variant < 4; variant++) {
        test_context("variant %d", variant);
        if (variant == 0) run_batch(&backend_cpu, shuffled, 24, 333, found);
        if (variant == 1) run_batch(&backend_cpu, shuffled, 1, 334, found);
        if (variant == 2) run_batch(&backend_cpu, forward, 5, 512, found);
        if (variant == 3) run_batch(&backend_cpu_portable, shuffled, 7, 340, found);
        for (int i = 0; i < 24; i++) expect_equal(found[i], expected[i]);
    }
}

TEST(sampler, columns_beyond_the_width_are_never_drawn) {
    const float logits[8] = {0, 0, 0, INFINITY, INFINITY, INFINITY, INFINITY, INFINITY};
    weir_sampler *sampler = make_sampler(&backend_cpu, 1, 3);
    bind_seed(sampler, 0, 17);
    for (int i = 0; i < 50; i++) EXPECT_LT(step_one(sampler, logits, 8, NULL).token, 3);
    weir_sampler_destroy(sampler);
}

TEST(sampler, offsets_of_rows_have_64_bits) {
    size_t stride = ((size_t)1 << 32) + 3, bytes = (stride + 8) * sizeof(float);
    float *logits = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (logits == MAP_FAILED) SKIP("no 16 GiB of address space");
    weir_sampler *sampler = make_sampler(&backend_cpu, 2, 4);
    bind_seed(sampler, 0, 1);
    bind_seed(sampler, 1, 1);
    logits[1] = 5;
    logits[3] = 6; /* where 32 bits would look for row 1 */
    logits[stride + 2] = 5;
    int32_t tokens[2];
    weir_sampling greedy[2] = {{0, 1, 0, 0}, {0, 1, 0, 0}};
    weir_step step = {sizeof step, 2, (const int32_t[]){0, 1}, logits, stride, greedy, tokens, NULL, NULL};
    EXPECT_OK(weir_sampler_step(sampler, &step, NULL), NULL);
    EXPECT_EQ(tokens[0], 3);
    EXPECT_EQ(tokens[1], 2);
    weir_sampler_destroy(sampler);
    munmap(logits, bytes);
}

TEST(sampler, position_counts_sampled_and_advanced_tokens) {
    static float logits[500];
    weir_sampler *sampler = make_sampler(&backend_cpu, 2, 500);
    bind_seed(sampler, 0, 77);
    bind_seed(sampler, 1, 77);
    int32_t slots[2] = {0, 1}, first = step_one(sampler, logits, 500, NULL).token, tokens[2];
    EXPECT_OK(weir_sampler_advance(sampler, slots + 1, &first, 1, NULL, NULL), NULL);
    static float both[1000];
    weir_step step = {sizeof step, 2, slots, both, 500, NULL, tokens, NULL, NULL};
    EXPECT_OK(weir_sampler_step(sampler, &step, NULL), NULL);
    EXPECT_EQ(tokens[0], tokens[1]);
    EXPECT_EQ(tokens[0], (uint64_t)((wide)philox_token_bits(77, 1) * 500 >> 64)); /* 500 equal masses */
    bind_seed(sampler, 0, 77);                                                    /* bound again: from position 0 */
    EXPECT_EQ(step_one(sampler, logits, 500, NULL).token, first);
    weir_sampler_destroy(sampler);
}

/* --- memory ----------------------------------------------------------------------------------------------- */

TEST(sampler, a_step_allocates_nothing) {
    test_memory *memory = test_memory_create();
    weir_allocator allocator = test_allocator(memory);
    weir_sampler_options options = WEIR_SAMPLER_OPTIONS_INIT;
    options.allocator = &allocator;
    options.slot_count = 1;
    options.logits_width = 1000;
    weir_sampler *sampler;
    ASSERT_OK(weir_sampler_create(&options, &sampler, NULL), NULL);
    bind_seed(sampler, 0, 1);
    static float logits[1000];
    uint32_t mask[32], status;
    int32_t slot = 0, token = 3;
    size_t calls = memory->calls;
    random_state = 61;
    for (int i = 0; i < 200; i++) {
        fill_random(logits, 1000);
        weir_sampling sampling = random_sampling(1000);
        step_one(sampler, logits, 1000, &sampling);
    }
    EXPECT_OK(weir_sampler_masks(sampler, &slot, 1, mask, 32, NULL), NULL);
    EXPECT_OK(weir_sampler_advance(sampler, &slot, &token, 1, &status, NULL), NULL);
    EXPECT_EQ(memory->calls, calls);
    weir_sampler_destroy(sampler);
}

TEST(sampler, destroy_takes_NULL) {
    weir_sampler_destroy(NULL);
}

/* --- arguments -------------------------------------------------------------------------------------------- */

TEST(sampler, create_refuses_sizes_outside_their_range) {
    weir_sampler *sampler;
    weir_error error;
    weir_sampler_options options = WEIR_SAMPLER_OPTIONS_INIT;
    EXPECT_STATUS(weir_sampler_create(NULL, &sampler, &error), WEIR_ERROR_ARGUMENT, &error);
    EXPECT_STATUS(weir_sampler_create(&options, NULL, &error), WEIR_ERROR_ARGUMENT, &error);
    options.logits_width = 5;
    sampler = (weir_sampler *)&options;
    EXPECT_STATUS(weir_sampler_create(&options, &sampler, &error), WEIR_ERROR_ARGUMENT, &error);
    EXPECT_NULL(sampler);
    EXPECT_CONTAINS(error.message, "slot_count");
    options.slot_count = 5, options.logits_width = 0;
    EXPECT_STATUS(weir_sampler_create(&options, &sampler, &error), WEIR_ERROR_ARGUMENT, &error);
    EXPECT_CONTAINS(error.message, "logits_width");
    options.logits_width = UINT32_MAX;
    EXPECT_STATUS(weir_sampler_create(&options, &sampler, NULL), WEIR_ERROR_ARGUMENT, NULL);
    options.logits_width = 5, options.size = 8;
    EXPECT_STATUS(weir_sampler_create(&options, &sampler, &error), WEIR_ERROR_ARGUMENT, &error);
    EXPECT_CONTAINS(error.message, "size");
}

TEST(sampler, bind_and_release_refuse_bad_slots_and_stop_ids) {
    weir_sampler *sampler = make_sampler(&backend_cpu, 2, 10);
    weir_error error;
    weir_slot_options options = WEIR_SLOT_OPTIONS_INIT;
    EXPECT_STATUS(weir_sampler_bind(NULL, 0, &options, &error), WEIR_ERROR_ARGUMENT, &error);
    EXPECT_STATUS(weir_sampler_bind(sampler, 2, &options, &error), WEIR_ERROR_ARGUMENT, &error);
    EXPECT_CONTAINS(error.message, "slot is 2");
    EXPECT_STATUS(weir_sampler_release(sampler, 2, &error), WEIR_ERROR_ARGUMENT, &error);
    EXPECT_STATUS(weir_sampler_release(sampler, 0, &error), WEIR_ERROR_ARGUMENT, &error);
    options.stop_count = 1;
    EXPECT_STATUS(weir_sampler_bind(sampler, 0, &options, &error), WEIR_ERROR_ARGUMENT, &error);
    options.stop_ids = (const uint32_t[]){10};
    EXPECT_STATUS(weir_sampler_bind(sampler, 0, &options, &error), WEIR_ERROR_ARGUMENT, &error);
    EXPECT_CONTAINS(error.message, "stop_ids[0] is 10");
    options.stop_count = 0, options.token_budget = 5;
    EXPECT_STATUS(weir_sampler_bind(sampler, 0, &options, &error), WEIR_ERROR_ARGUMENT, &error);
    EXPECT_CONTAINS(error.message, "token_budget");
    EXPECT_OK(weir_sampler_bind(sampler, 0, NULL, &error), &error);
    EXPECT_OK(weir_sampler_release(sampler, 0, &error), &error);
    EXPECT_STATUS(weir_sampler_release(sampler, 0, &error), WEIR_ERROR_ARGUMENT, &error);
    weir_sampler_destroy(sampler);
}

static void expect_refused(weir_sampler *sampler, weir_step step, int row, const char *part) {
    weir_error error = {.row = 99};
    int32_t tokens[4] = {-7, -7, -7, -7};
    if (step.tokens) step.tokens = tokens;
    EXPECT_STATUS(weir_sampler_step(sampler, &step, &error), WEIR_ERROR_ARGUMENT, &error);
    EXPECT_EQ(error.row, row);
    EXPECT_CONTAINS(error.message, part);
    EXPECT_EQ(tokens[0], -7);
}

TEST(sampler, step_refuses_bad_arguments_names_the_row_and_has_done_nothing) {
    static const float logits[4 * 10];
    int32_t token;
    weir_sampler *sampler = make_sampler(&backend_cpu, 4, 10);
    for (uint32_t slot = 0; slot < 3; slot++) bind_seed(sampler, slot, 5);
    const int32_t slots[3] = {0, -1, 2};
    weir_step good = {sizeof good, 3, slots, logits, 10, NULL, &token, NULL, NULL}, step = good;
    step.slots = NULL, expect_refused(sampler, step, -1, "slots"), step = good;
    step.logits = NULL, expect_refused(sampler, step, -1, "logits"), step = good;
    step.tokens = NULL, expect_refused(sampler, step, -1, "tokens"), step = good;
    step.size = 4, expect_refused(sampler, step, -1, "size"), step = good;
    step.logits_stride = 9, expect_refused(sampler, step, -1, "logits_stride is 9"), step = good;
    step.logits_stride = SIZE_MAX / 4, expect_refused(sampler, step, -1, "stride"), step = good;
    step.slots = (const int32_t[]){0, 4, 2}, expect_refused(sampler, step, 1, "slot 4"), step = good;
    step.slots = (const int32_t[]){0, 2, -2}, expect_refused(sampler, step, 2, "slot -2"), step = good;
    step.slots = (const int32_t[]){0, 2, 0}, expect_refused(sampler, step, 2, "earlier row"), step = good;
    step.slots = (const int32_t[]){0, 3, 1}, expect_refused(sampler, step, 1, "not bound"), step = good;
    const weir_sampling bad[] = {{-1, 1, 0, 0},  {NAN, 1, 0, 0}, {1, 0, 0, 0},  {1, 1.5f, 0, 0},
                                 {1, NAN, 0, 0}, {1, 1, 1, 0},   {1, 1, -1, 0}, {1, 1, NAN, 0}};
    static const char *const names[] = {"temperature", "temperature", "top_p", "top_p",
                                        "top_p",       "min_p",       "min_p", "min_p"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        step.sampling = (const weir_sampling[]){WEIR_SAMPLING_INIT, bad[i], bad[i]}; /* row 1 is idle */
        expect_refused(sampler, step, 2, names[i]);
    }
    EXPECT_STATUS(weir_sampler_step(sampler, NULL, NULL), WEIR_ERROR_ARGUMENT, NULL);
    EXPECT_STATUS(weir_sampler_step(NULL, &good, NULL), WEIR_ERROR_ARGUMENT, NULL);
    /* nothing was drawn: position 0 is still to come */
    static float row[10];
    EXPECT_EQ(step_one(sampler, row, 10, NULL).token, (uint64_t)((wide)philox_token_bits(5, 0) * 10 >> 64));
    weir_sampler_destroy(sampler);
}

TEST(sampler, masks_and_advance_refuse_bad_arguments_and_name_the_row) {
    weir_sampler *sampler = make_sampler(&backend_cpu, 2, 40);
    bind_seed(sampler, 0, 1);
    weir_error error;
    uint32_t masks[4];
    const int32_t slots[2] = {0, 1}, tokens[2] = {0, 0};
    EXPECT_STATUS(weir_sampler_masks(sampler, slots, 1, masks, 1, &error), WEIR_ERROR_ARGUMENT, &error);
    EXPECT_CONTAINS(error.message, "stride is 1");
    EXPECT_STATUS(weir_sampler_masks(sampler, slots, 1, NULL, 2, &error), WEIR_ERROR_ARGUMENT, &error);
    EXPECT_STATUS(weir_sampler_masks(sampler, slots, 2, masks, 2, &error), WEIR_ERROR_ARGUMENT, &error);
    EXPECT_EQ(error.row, 1);
    EXPECT_STATUS(weir_sampler_advance(sampler, slots, tokens, 2, NULL, &error), WEIR_ERROR_ARGUMENT, &error);
    EXPECT_EQ(error.row, 1);
    EXPECT_STATUS(weir_sampler_advance(sampler, slots, NULL, 1, NULL, &error), WEIR_ERROR_ARGUMENT, &error);
    EXPECT_STATUS(weir_sampler_advance(sampler, NULL, tokens, 1, NULL, &error), WEIR_ERROR_ARGUMENT, &error);
    weir_sampler_destroy(sampler);
}

TEST(sampler, no_rows_is_no_work) {
    weir_sampler *sampler = make_sampler(&backend_cpu, 1, 10);
    weir_step step = WEIR_STEP_INIT;
    EXPECT_OK(weir_sampler_step(sampler, &step, NULL), NULL);
    EXPECT_OK(weir_sampler_masks(sampler, NULL, 0, NULL, 0, NULL), NULL);
    EXPECT_OK(weir_sampler_advance(sampler, NULL, NULL, 0, NULL, NULL), NULL);
    weir_sampler_destroy(sampler);
}

TEST(sampler, idle_rows_are_left_alone) {
    weir_sampler *sampler = make_sampler(&backend_cpu, 1, 10);
    static const float logits[20];
    const int32_t slots[2] = {-1, -1};
    int32_t tokens[2] = {5, 5};
    float logprobs[2];
    uint32_t statuses[2], masks[2] = {123, 456};
    weir_step step = {sizeof step, 2, slots, logits, 10, NULL, tokens, logprobs, statuses};
    ASSERT_OK(weir_sampler_step(sampler, &step, NULL), NULL);
    for (int row = 0; row < 2; row++)
        expect_equal((result){tokens[row], logprobs[row], statuses[row]}, (result){-1, 0, WEIR_ROW_STATUS_IDLE});
    ASSERT_OK(weir_sampler_masks(sampler, slots, 2, masks, 1, NULL), NULL);
    EXPECT_EQ(masks[0], 123);
    ASSERT_OK(weir_sampler_advance(sampler, slots, tokens, 2, statuses, NULL), NULL);
    EXPECT_EQ(statuses[1], WEIR_ROW_STATUS_IDLE);
    weir_sampler_destroy(sampler);
}

/* --- rows without a constraint ---------------------------------------------------------------------------- */

TEST(sampler, a_row_without_a_constraint_allows_every_column_and_no_bit_beyond) {
    weir_sampler *sampler = make_sampler(&backend_cpu, 1, 37);
    bind_seed(sampler, 0, 1);
    uint32_t mask[4] = {1, 1, 1, 1};
    const int32_t slot = 0;
    ASSERT_OK(weir_sampler_masks(sampler, &slot, 1, mask, 4, NULL), NULL);
    const uint32_t expected[4] = {UINT32_MAX, 31, 0, 0};
    EXPECT_BYTES_EQ(mask, sizeof mask, expected, sizeof expected);
    weir_sampler_destroy(sampler);
}

TEST(sampler, a_stop_token_stops_a_row_without_a_constraint) {
    weir_sampler *sampler = make_sampler(&backend_cpu, 1, 37);
    weir_slot_options options = WEIR_SLOT_OPTIONS_INIT;
    options.stop_ids = (const uint32_t[]){4, 7};
    options.stop_count = 2;
    ASSERT_OK(weir_sampler_bind(sampler, 0, &options, NULL), NULL);
    float logits[37] = {0};
    weir_sampling greedy = {0, 1, 0, 0};
    logits[5] = 1;
    expect_equal(step_one(sampler, logits, 37, &greedy), (result){5, 0, WEIR_ROW_STATUS_OK});
    logits[7] = 2;
    expect_equal(step_one(sampler, logits, 37, &greedy), (result){7, 0, WEIR_ROW_STATUS_STOPPED});
    expect_equal(step_one(sampler, logits, 37, &greedy), (result){-1, 0, WEIR_ROW_STATUS_STOPPED});
    uint32_t mask[2] = {1, 1}, status;
    const int32_t slot = 0, token = 5;
    ASSERT_OK(weir_sampler_masks(sampler, &slot, 1, mask, 2, NULL), NULL);
    EXPECT_EQ(mask[0] | mask[1], 0);
    ASSERT_OK(weir_sampler_advance(sampler, &slot, &token, 1, &status, NULL), NULL);
    EXPECT_EQ(status, WEIR_ROW_STATUS_REJECTED | WEIR_ROW_STATUS_STOPPED);
    ASSERT_OK(weir_sampler_bind(sampler, 0, &options, NULL), NULL); /* a new sequence is not stopped */
    expect_equal(step_one(sampler, logits, 37, &greedy), (result){7, 0, WEIR_ROW_STATUS_STOPPED});
    weir_sampler_destroy(sampler);
}

TEST(sampler, advance_rejects_ids_outside_the_width_and_changes_nothing) {
    weir_sampler *sampler = make_sampler(&backend_cpu, 1, 37);
    bind_seed(sampler, 0, 5);
    static const int32_t bad[] = {-1, 37, INT32_MAX, INT32_MIN};
    const int32_t slot = 0;
    for (size_t i = 0; i < 4; i++) {
        uint32_t status;
        weir_error error;
        ASSERT_OK(weir_sampler_advance(sampler, &slot, &bad[i], 1, &status, NULL), NULL);
        EXPECT_EQ(status, WEIR_ROW_STATUS_REJECTED);
        EXPECT_STATUS(weir_sampler_advance(sampler, &slot, &bad[i], 1, NULL, &error), WEIR_ERROR_TOKEN, &error);
        EXPECT_EQ(error.row, 0);
    }
    static float logits[37];
    EXPECT_EQ(step_one(sampler, logits, 37, NULL).token, (uint64_t)((wide)philox_token_bits(5, 0) * 37 >> 64));
    weir_sampler_destroy(sampler);
}

/* --- rows with a constraint ------------------------------------------------------------------------------- */

/* Ids 0 to 255 are the single bytes; then whole pieces, and two special tokens of which one stops. */
enum { TRUE = 256, TR, UE, FAL, SE, STOP, OTHER, TOKEN_COUNT, WIDTH = 300 };

typedef struct constraint {
    weir_vocab *vocab;
    weir_grammar *grammar;
} constraint;

static constraint make_constraint(void) { /* true or false */
    static const char *const words[] = {"true", "tr", "ue", "fal", "se", "<stop>", "<other>"};
    static uint8_t bytes[256];
    weir_token tokens[TOKEN_COUNT];
    for (uint32_t i = 0; i < 256; i++) bytes[i] = (uint8_t)i, tokens[i] = (weir_token){&bytes[i], 1, 0};
    for (uint32_t i = TRUE; i < TOKEN_COUNT; i++)
        tokens[i] =
            (weir_token){words[i - TRUE], (uint32_t)strlen(words[i - TRUE]), i >= STOP ? WEIR_TOKEN_SPECIAL : 0};
    weir_vocab_options vocab_options = WEIR_VOCAB_OPTIONS_INIT;
    vocab_options.stop_ids = (const uint32_t[]){STOP};
    vocab_options.stop_count = 1;
    constraint made;
    weir_error error;
    ASSERT_OK(weir_vocab_create(tokens, TOKEN_COUNT, &vocab_options, &made.vocab, &error), &error);
    weir_grammar_options options = WEIR_GRAMMAR_OPTIONS_INIT;
    options.whitespace = WEIR_WHITESPACE_COMPACT;
    const char *schema = "{\"enum\":[true,false]}";
    ASSERT_OK(weir_grammar_from_json_schema(made.vocab, schema, strlen(schema), &options, &made.grammar, &error),
              &error);
    return made;
}

static void free_constraint(constraint constraint) {
    weir_grammar_destroy(constraint.grammar);
    weir_vocab_destroy(constraint.vocab);
}

static void bind_constraint(weir_sampler *sampler, uint32_t slot, constraint constraint, const uint32_t *stop_ids,
                            uint32_t stop_count) {
    weir_slot_options options = WEIR_SLOT_OPTIONS_INIT;
    options.grammar = constraint.grammar;
    options.seed = 71;
    options.stop_ids = stop_ids;
    options.stop_count = stop_count;
    weir_error error;
    ASSERT_OK(weir_sampler_bind(sampler, slot, &options, &error), &error);
}

static uint32_t advance_one(weir_sampler *sampler, int32_t slot, int32_t token) {
    uint32_t status = 99;
    ASSERT_OK(weir_sampler_advance(sampler, &slot, &token, 1, &status, NULL), NULL);
    return status;
}

/* The mask of slot 0 is exactly these ids. */
static void expect_mask(weir_sampler *sampler, const uint32_t *ids, uint32_t count) {
    enum { WORDS = (WIDTH + 31) / 32 };
    uint32_t mask[WORDS + 2], expected[WORDS + 2] = {0};
    const int32_t slot = 0;
    memset(mask, 0xAA, sizeof mask);
    for (uint32_t i = 0; i < count; i++) expected[ids[i] / 32] |= 1u << ids[i] % 32;
    ASSERT_OK(weir_sampler_masks(sampler, &slot, 1, mask, WORDS + 2, NULL), NULL);
    EXPECT_BYTES_EQ(mask, sizeof mask, expected, sizeof expected);
}
#define EXPECT_MASK(sampler, ...)                                                                                      \
    expect_mask(sampler, (const uint32_t[]){__VA_ARGS__}, sizeof((const uint32_t[]){__VA_ARGS__}) / sizeof(uint32_t))

TEST(sampler, masks_of_a_constrained_row_follow_its_text) {
    constraint constraint = make_constraint();
    weir_sampler *sampler = make_sampler(&backend_cpu, 1, WIDTH);
    bind_constraint(sampler, 0, constraint, NULL, 0);
    EXPECT_MASK(sampler, 't', 'f', TRUE, TR, FAL);
    EXPECT_EQ(advance_one(sampler, 0, TR), WEIR_ROW_STATUS_OK);
    EXPECT_MASK(sampler, 'u', UE);
    EXPECT_EQ(advance_one(sampler, 0, 'e'), WEIR_ROW_STATUS_REJECTED);
    EXPECT_EQ(advance_one(sampler, 0, STOP), WEIR_ROW_STATUS_REJECTED);
    EXPECT_MASK(sampler, 'u', UE);
    EXPECT_EQ(advance_one(sampler, 0, UE), WEIR_ROW_STATUS_OK);
    EXPECT_MASK(sampler, STOP);
    EXPECT_EQ(advance_one(sampler, 0, STOP), WEIR_ROW_STATUS_STOPPED);
    expect_mask(sampler, NULL, 0);
    weir_sampler_destroy(sampler);
    free_constraint(constraint);
}

TEST(sampler, a_constrained_row_draws_among_its_mask_as_if_the_rest_were_NaN) {
    constraint constraint = make_constraint();
    weir_sampler *sampler = make_sampler(&backend_cpu, 2, WIDTH);
    /* After the text is complete: own stop ids few enough to be listed, and so many that the row is streamed. */
    static const uint32_t counts[] = {5, 150};
    uint32_t stop_ids[150];
    for (uint32_t i = 0; i < 150; i++) stop_ids[i] = 299 - 2 * i;
    random_state = 72;
    for (int round = 0; round < 400 && !test_has_failed(); round++) {
        float logits[2][WIDTH];
        fill_random(logits[0], WIDTH);
        memcpy(logits[1], logits[0], sizeof logits[0]);
        for (uint32_t i = 0, count = counts[round % 2]; i < WIDTH; i++) {
            bool stops = false;
            for (uint32_t k = 0; k < count; k++) stops |= stop_ids[k] == i;
            if (!stops) logits[1][i] = NAN;
        }
        weir_sampling sampling[2] = {random_sampling(WIDTH)};
        sampling[1] = sampling[0];
        bind_constraint(sampler, 0, constraint, stop_ids, counts[round % 2]);
        advance_one(sampler, 0, TRUE);
        weir_slot_options options = WEIR_SLOT_OPTIONS_INIT;
        options.seed = 71;
        ASSERT_OK(weir_sampler_bind(sampler, 1, &options, NULL), NULL);
        advance_one(sampler, 1, TRUE);
        int32_t tokens[2];
        float logprobs[2];
        weir_step step = {sizeof step, 2, (const int32_t[]){0, 1}, logits[0], WIDTH, sampling, tokens, logprobs, NULL};
        ASSERT_OK(weir_sampler_step(sampler, &step, NULL), NULL);
        test_context("seed 72, round %d", round);
        EXPECT_EQ(tokens[0], tokens[1]);
        EXPECT_EQ(bits_of(logprobs[0]), bits_of(logprobs[1]));
    }
    weir_sampler_destroy(sampler);
    free_constraint(constraint);
}

TEST(sampler, a_constraint_that_leaves_one_token_does_not_read_the_logits) {
    constraint constraint = make_constraint();
    weir_sampler *sampler = make_sampler(&backend_cpu, 1, WIDTH);
    bind_constraint(sampler, 0, constraint, NULL, 0);
    float logits[WIDTH];
    for (int i = 0; i < WIDTH; i++) logits[i] = i % 2 ? NAN : -INFINITY;
    EXPECT_EQ(advance_one(sampler, 0, 't'), WEIR_ROW_STATUS_OK);
    expect_equal(step_one(sampler, logits, WIDTH, NULL), (result){'r', 0, WEIR_ROW_STATUS_OK});
    EXPECT_EQ(advance_one(sampler, 0, UE), WEIR_ROW_STATUS_OK);
    expect_equal(step_one(sampler, logits, WIDTH, NULL), (result){STOP, 0, WEIR_ROW_STATUS_STOPPED});
    bind_constraint(sampler, 0, constraint, NULL, 0); /* five tokens, and none has a logit */
    expect_equal(step_one(sampler, logits, WIDTH, NULL), (result){-1, 0, WEIR_ROW_STATUS_NO_TOKEN});
    expect_equal(step_one(sampler, logits, WIDTH, NULL), (result){-1, 0, WEIR_ROW_STATUS_STOPPED});
    weir_sampler_destroy(sampler);
    free_constraint(constraint);
}

TEST(sampler, every_drawn_text_of_a_constrained_row_is_complete) {
    constraint constraint = make_constraint();
    weir_sampler *sampler = make_sampler(&backend_cpu, 1, WIDTH);
    random_state = 73;
    int seen_true = 0, seen_false = 0;
    for (uint64_t seed = 0; seed < 200; seed++) {
        weir_slot_options options = WEIR_SLOT_OPTIONS_INIT;
        options.grammar = constraint.grammar;
        options.seed = seed;
        ASSERT_OK(weir_sampler_bind(sampler, 0, &options, NULL), NULL);
        char text[32] = "";
        result result = {0, 0, 0};
        while (result.status == WEIR_ROW_STATUS_OK && strlen(text) < 16) {
            float logits[WIDTH];
            for (int i = 0; i < WIDTH; i++)
                logits[i] = (float)random_normal() + (i >= TOKEN_COUNT || i == OTHER ? 1e30f : 0);
            result = step_one(sampler, logits, WIDTH, NULL);
            uint32_t length;
            if (result.status == WEIR_ROW_STATUS_OK) {
                const uint8_t *bytes = weir_vocab_token(constraint.vocab, (uint32_t)result.token, &length);
                strncat(text, (const char *)bytes, length);
            }
        }
        EXPECT_EQ(result.status, WEIR_ROW_STATUS_STOPPED);
        EXPECT_EQ(result.token, STOP);
        seen_true += strcmp(text, "true") == 0;
        seen_false += strcmp(text, "false") == 0;
    }
    EXPECT_EQ(seen_true + seen_false, 200);
    EXPECT_GT(seen_true, 20);
    EXPECT_GT(seen_false, 20);
    weir_sampler_destroy(sampler);
    free_constraint(constraint);
}

TEST(sampler, own_stop_ids_replace_those_of_the_vocabulary) {
    constraint constraint = make_constraint();
    weir_sampler *sampler = make_sampler(&backend_cpu, 1, WIDTH);
    const uint32_t stop_ids[] = {OTHER, 'u', TOKEN_COUNT + 3};
    bind_constraint(sampler, 0, constraint, stop_ids, 3);
    EXPECT_EQ(advance_one(sampler, 0, TR), WEIR_ROW_STATUS_OK);
    EXPECT_MASK(sampler, UE); /* 'u' would be text here, but it stops */
    EXPECT_EQ(advance_one(sampler, 0, OTHER), WEIR_ROW_STATUS_REJECTED);
    EXPECT_EQ(advance_one(sampler, 0, 'u'), WEIR_ROW_STATUS_REJECTED);
    EXPECT_EQ(advance_one(sampler, 0, UE), WEIR_ROW_STATUS_OK);
    EXPECT_MASK(sampler, OTHER, 'u', TOKEN_COUNT + 3);
    EXPECT_EQ(advance_one(sampler, 0, STOP), WEIR_ROW_STATUS_REJECTED);
    EXPECT_EQ(advance_one(sampler, 0, TOKEN_COUNT + 3), WEIR_ROW_STATUS_STOPPED);
    EXPECT_EQ(advance_one(sampler, 0, OTHER), WEIR_ROW_STATUS_REJECTED | WEIR_ROW_STATUS_STOPPED);
    weir_sampler_destroy(sampler);
    free_constraint(constraint);
}

TEST(sampler, an_empty_own_stop_set_leaves_no_token_after_the_text) {
    constraint constraint = make_constraint();
    weir_sampler *sampler = make_sampler(&backend_cpu, 1, WIDTH);
    bind_constraint(sampler, 0, constraint, (const uint32_t[]){0}, 0);
    EXPECT_EQ(advance_one(sampler, 0, TRUE), WEIR_ROW_STATUS_OK);
    static float logits[WIDTH];
    expect_equal(step_one(sampler, logits, WIDTH, NULL), (result){-1, 0, WEIR_ROW_STATUS_NO_TOKEN});
    weir_sampler_destroy(sampler);
    free_constraint(constraint);
}

TEST(sampler, constrained_free_and_idle_rows_share_a_batch) {
    constraint constraint = make_constraint();
    weir_sampler *sampler = make_sampler(&backend_cpu, 3, WIDTH);
    bind_constraint(sampler, 2, constraint, NULL, 0);
    bind_seed(sampler, 0, 4);
    static float logits[3][WIDTH];
    for (int row = 0; row < 3; row++) logits[row][7] = 9, logits[row][FAL] = 5;
    int32_t tokens[3];
    uint32_t statuses[3];
    const weir_sampling greedy[3] = {{0, 1, 0, 0}, {0, 1, 0, 0}, {0, 1, 0, 0}};
    weir_step step = {sizeof step, 3, (const int32_t[]){2, -1, 0}, logits[0], WIDTH, greedy, tokens, NULL, statuses};
    ASSERT_OK(weir_sampler_step(sampler, &step, NULL), NULL);
    EXPECT_EQ(tokens[0], FAL);
    EXPECT_EQ(tokens[1], -1);
    EXPECT_EQ(tokens[2], 7);
    EXPECT_EQ(statuses[1], WEIR_ROW_STATUS_IDLE);
    weir_sampler_destroy(sampler);
    free_constraint(constraint);
}

TEST(sampler, a_grammar_wider_than_the_logits_is_refused_and_the_slot_keeps_what_it_held) {
    constraint constraint = make_constraint();
    weir_sampler *sampler = make_sampler(&backend_cpu, 1, TOKEN_COUNT - 1);
    bind_seed(sampler, 0, 5);
    weir_slot_options options = WEIR_SLOT_OPTIONS_INIT;
    options.grammar = constraint.grammar;
    weir_error error;
    EXPECT_STATUS(weir_sampler_bind(sampler, 0, &options, &error), WEIR_ERROR_ARGUMENT, &error);
    EXPECT_CONTAINS(error.message, "263");
    static float logits[WIDTH];
    EXPECT_EQ(step_one(sampler, logits, WIDTH, NULL).token,
              (uint64_t)((wide)philox_token_bits(5, 0) * (TOKEN_COUNT - 1) >> 64));
    weir_sampler_destroy(sampler);
    free_constraint(constraint);
}

TEST(sampler, every_failing_allocation_of_create_and_bind_is_clean) {
    constraint constraint = make_constraint();
    test_memory *memory = test_memory_create();
    weir_allocator allocator = test_allocator(memory);
    while (test_next_failure(memory)) {
        weir_sampler_options options = WEIR_SAMPLER_OPTIONS_INIT;
        options.allocator = &allocator;
        options.slot_count = 3;
        options.logits_width = WIDTH;
        weir_sampler *sampler;
        weir_error error;
        weir_status status = weir_sampler_create(&options, &sampler, &error);
        weir_slot_options slot = WEIR_SLOT_OPTIONS_INIT;
        slot.grammar = constraint.grammar;
        slot.stop_ids = (const uint32_t[]){OTHER};
        slot.stop_count = 1;
        if (status == WEIR_OK) status = weir_sampler_bind(sampler, 0, &slot, &error);
        if (status == WEIR_OK) status = weir_sampler_bind(sampler, 0, &slot, &error); /* over a bound slot */
        EXPECT_STATUS(status, memory->failed ? WEIR_ERROR_MEMORY : WEIR_OK, &error);
        weir_sampler_destroy(sampler);
    }
    free_constraint(constraint);
}
