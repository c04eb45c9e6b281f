/* test_sampler_chance.c - many draws a row against exact probabilities in doubles. */
#include "sampler_reference.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "kernels/philox.h"

/* A million; an emulated device, which takes a fifth of a millisecond for each, draws the first 10,000 of them.
 *
 * What these see: where shares q are drawn and p are right, chi-square is larger by draws * sum((q - p)^2 / p). In 9
 * cases of 10 that passes the limit of 5 degrees of freedom, 37.5, from 50 on, and that of 200, 310, from 150 on: of
 * 10,000 draws, a share of a tenth that is off by a quarter of itself (62), or 200 tokens that are all off by a sixth
 * (278). Finer faults are for even draws. */
static int draws_of_backend(void) {
    weir_sampler *sampler = make_sampler(&backend_cpu, 1, 1);
    bool on_device = sampler_on_device(sampler);
    weir_sampler_destroy(sampler);
    return on_device ? 10000 : 1000000;
}

/* Chi-square of the draws against doubles. Tokens with an expected count below 10 are taken together. The limit is
 * passed by chance once in a million (Wilson and Hilferty's approximation, z = 4.75); the seeds are fixed. */
static void expect_chance(const char *name, const float *logits, uint32_t width, weir_sampling sampling,
                          uint64_t seed) {
    uint32_t *counts = malloc(width * sizeof *counts);
    const int draws = draws_of_backend();
    count_draws(logits, width, sampling, seed, draws, counts);
    question q = plain_question(logits, width, sampling);
    reference r = make_reference(&q);
    double chi = 0, rare_expected = 0, rare_count = 0;
    int cells = 0;
    for (uint32_t i = 0; i < r.count; i++) {
        double expected = draws * r.entries[i].weight, count = counts[r.entries[i].id];
        EXPECT_FALSE(r.entries[i].unsure);
        if (expected == 0) {
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
           draws, chi, freedom, limit);
    EXPECT_GT(cells, 1);
    EXPECT_TRUE(chi < limit);
    reference_free(&r);
    free(counts);
}

/* Smooth, Zipf's law, three values, two tokens. */
static float flat[300], peaked[300], tied[64];
static const float two[2] = {0.3f, -1.2f};

static void fill_rows(void) {
    random_state = 41;
    for (int i = 0; i < 300; i++) flat[i] = (float)random_normal();
    for (int i = 0; i < 300; i++) peaked[i] = (float)(-1.3 * log(1 + i * 7 % 300));
    for (int i = 0; i < 64; i++) tied[i] = (float)(i % 3);
}

TEST(sampler_chance, draws_follow_the_probabilities) {
    fill_rows();
    expect_chance("flat", flat, 300, SAMPLING(1, 1, 0, 0), 101);
    expect_chance("peaked", peaked, 300, SAMPLING(1, 1, 0, 0), 102);
    expect_chance("tied", tied, 64, SAMPLING(1, 1, 0, 0), 103);
    expect_chance("two tokens", two, 2, SAMPLING(1, 1, 0, 0), 104);
}

TEST(sampler_chance, draws_follow_the_renormalised_probabilities_under_each_filter) {
    fill_rows();
    expect_chance("top-p, the crossing token with its whole mass", peaked, 300, SAMPLING(1, 0.6f, 0, 0), 105);
    expect_chance("top-k through a tie", tied, 64, SAMPLING(1, 1, 0, 30), 106);
    expect_chance("min-p", peaked, 300, SAMPLING(1, 1, 0.05f, 0), 107);
    expect_chance("all", peaked, 300, SAMPLING(1.5f, 0.9f, 0.01f, 40), 108);
    expect_chance("temperature", peaked, 300, SAMPLING(2, 1, 0, 0), 109);
    expect_chance("infinite temperature", tied, 64, SAMPLING(INFINITY, 1, 0, 0), 110);
}

TEST(sampler_chance, even_draws_give_every_token_its_share_within_a_thousandth) {
    enum { DRAWS = 1024 };
    fill_rows();
    expect_even_draws("flat", flat, 300, SAMPLING(1, 1, 0, 0), DRAWS);
    expect_even_draws("peaked", peaked, 300, SAMPLING(1, 1, 0, 0), DRAWS);
    expect_even_draws("two tokens", two, 2, SAMPLING(1, 1, 0, 0), DRAWS);
    expect_even_draws("top-p", peaked, 300, SAMPLING(1, 0.6f, 0, 0), DRAWS);
    expect_even_draws("top-k through a tie", tied, 64, SAMPLING(1, 1, 0, 30), DRAWS);
    expect_even_draws("all", peaked, 300, SAMPLING(1.5f, 0.9f, 0.01f, 40), DRAWS);
    expect_even_draws("infinite temperature", tied, 64, SAMPLING(INFINITY, 1, 0, 0), DRAWS);
}

TEST(sampler_chance, neighbouring_seeds_and_positions_draw_independently) {
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
