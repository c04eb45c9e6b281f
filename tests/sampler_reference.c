/* sampler_reference.c - one row by the definitions: sort everything, cut prefixes, add up. */
#include "sampler_reference.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

#include "kernels/fixed_math.h"
#include "kernels/philox.h"

__extension__ typedef unsigned __int128 wide;

static bool has(weir_sampling sampling, uint32_t flag) {
    return (sampling.flags & flag) != 0;
}

static float bounded(float value) {
    return fmaxf(-FLT_MAX, fminf(FLT_MAX, value));
}

/* Bias, then the penalties of Keskar et al. and of OpenAI. */
static float patched(const question *q, uint32_t id) {
    float logit = q->logits[id];
    if (isinf(logit)) return logit;
    for (uint32_t i = 0; i < q->bias_count; i++)
        if (q->bias[i].token == id) logit = bounded(logit + q->bias[i].bias);
    uint32_t output = q->output ? q->output[id] : 0, prompt = q->prompt ? q->prompt[id] : 0;
    weir_sampling s = q->sampling;
    if (output + prompt == 0) return logit;
    if (s.repetition_penalty != 0)
        logit = bounded(logit > 0 ? logit / s.repetition_penalty : logit * s.repetition_penalty);
    if (output == 0) return logit;
    float scale = has(s, WEIR_SAMPLING_TEMPERATURE_FIRST) ? s.temperature : 1;
    logit = bounded(fmaf(-(s.frequency_penalty * scale), (float)output, logit));
    return bounded(fmaf(-s.presence_penalty, scale, logit));
}

static int by_rank(const void *a, const void *b) {
    const entry *x = a, *y = b;
    if (x->logit != y->logit) return x->logit < y->logit ? 1 : -1;
    return (x->id > y->id) - (x->id < y->id);
}

/* ceil(p * mass) in 128 bits: p has 24 bits, and no p of these tests a bit below 2^-60. */
static uint64_t goal_of(float p, uint64_t mass) {
    wide product = (wide)(uint64_t)ldexpf(p, 60) * mass;
    return (uint64_t)((product + (((wide)1 << 60) - 1)) >> 60);
}

static void drop_light(reference *r, float p) {
    for (uint32_t i = 0; i < r->count; i++)
        if ((double)r->entries[i].mass < (double)p * 0x1p32) r->entries[i].mass = 0;
}

static uint64_t total_mass(const reference *r) {
    uint64_t sum = 0;
    for (uint32_t i = 0; i < r->count; i++) sum += r->entries[i].mass;
    return sum;
}

static void cut_masses(reference *r, weir_sampling s) {
    mass_scale scale = mass_scale_of(key_of(r->entries[0].logit), s.temperature);
    for (uint32_t i = 0; i < r->count; i++) r->entries[i].mass = mass_of(key_of(r->entries[i].logit), scale);
    if (has(s, WEIR_SAMPLING_MIN_P_FIRST)) drop_light(r, s.min_p);
    uint64_t seen = total_mass(r);
    for (uint32_t i = 0, rank = 0; s.top_k && i < r->count; i++)
        if ((!has(s, WEIR_SAMPLING_MIN_P_FIRST) || r->entries[i].mass) && rank++ >= s.top_k) r->entries[i].mass = 0;
    if (s.top_p < 1) {
        uint64_t goal = goal_of(s.top_p, has(s, WEIR_SAMPLING_JOINT) ? seen : total_mass(r)), sum = 0;
        for (uint32_t i = 0; i < r->count; i++) {
            if (sum >= goal) r->entries[i].mass = 0;
            sum += r->entries[i].mass;
        }
    }
    if (!has(s, WEIR_SAMPLING_MIN_P_FIRST)) drop_light(r, s.min_p);
    r->kept = total_mass(r);
}

/* Keeps those of at least p of the largest; marks those near it. */
static void drop_light_weights(reference *r, double p) {
    for (uint32_t i = 0; p > 0 && i < r->count; i++) {
        entry *e = &r->entries[i];
        if (fabs(e->weight - p) < 1e-6 * p + 1e-9) e->unsure = true;
        if (e->weight < p) e->weight = 0;
    }
}

static double total_weight(const reference *r) {
    double sum = 0;
    for (uint32_t i = r->count; i-- > 0;) sum += r->entries[i].weight;
    return sum;
}

static void cut_weights(reference *r, weir_sampling s) {
    double top = r->entries[0].logit;
    for (uint32_t i = 0; i < r->count; i++) {
        entry *e = &r->entries[i];
        e->weight = isinf(top)             ? isinf(e->logit)
                    : isinf(s.temperature) ? 1
                                           : exp((e->logit - top) / (double)s.temperature);
        e->unsure = e->weight > 0 && e->weight < 0x1p-30; /* below what a mass can hold */
    }
    if (has(s, WEIR_SAMPLING_MIN_P_FIRST)) drop_light_weights(r, s.min_p);
    double seen = total_weight(r);
    for (uint32_t i = 0; i < r->count; i++)
        if (s.top_k && i >= s.top_k) r->entries[i].weight = 0;
    if (s.top_p < 1) {
        double goal = s.top_p * (has(s, WEIR_SAMPLING_JOINT) ? seen : total_weight(r)), sum = 0;
        for (uint32_t i = 0; i < r->count; i++) {
            entry *e = &r->entries[i];
            if (fabs(sum - goal) < 1e-6 * goal + r->count * 0x1p-32) e->unsure = true;
            double weight = e->weight;
            if (sum >= goal) e->weight = 0;
            sum += weight;
        }
    }
    if (!has(s, WEIR_SAMPLING_MIN_P_FIRST)) drop_light_weights(r, s.min_p);
    double kept = total_weight(r);
    for (uint32_t i = 0; i < r->count; i++) {
        r->entries[i].weight /= kept;
        r->unsure |= r->entries[i].unsure;
    }
}

reference make_reference(const question *q) {
    reference r = {malloc((q->width + 1) * sizeof(entry)), 0, 0, false};
    for (uint32_t id = 0; id < q->width; id++)
        if ((!q->legal || q->legal[id]) && !isnan(q->logits[id]) && q->logits[id] != -INFINITY)
            r.entries[r.count++] = (entry){patched(q, id), id, 0, 0, false};
    if (r.count == 0) return r;
    qsort(r.entries, r.count, sizeof(entry), by_rank);
    if (q->sampling.temperature == 0) return r;
    cut_masses(&r, q->sampling);
    cut_weights(&r, q->sampling);
    return r;
}

void reference_free(reference *r) {
    free(r->entries);
    r->entries = NULL;
}

static int by_id(const void *a, const void *b) {
    const entry *x = a, *y = b;
    return (x->id > y->id) - (x->id < y->id);
}

result reference_draw(const reference *r, uint64_t seed, uint64_t position, weir_sampling sampling) {
    if (r->count == 0) return (result){-1, 0, WEIR_ROW_STATUS_NO_TOKEN};
    if (sampling.temperature == 0) return (result){(int32_t)r->entries[0].id, 0, WEIR_ROW_STATUS_OK};
    entry *entries = malloc(r->count * sizeof *entries), *chosen = entries;
    for (uint32_t i = 0; i < r->count; i++) entries[i] = r->entries[i];
    qsort(entries, r->count, sizeof *entries, by_id);
    uint64_t target = (uint64_t)((wide)philox_token_bits(seed, position) * r->kept >> 64);
    for (; chosen->mass <= target; chosen++) target -= chosen->mass;
    result result = {(int32_t)chosen->id, fixed_log(chosen->mass, r->kept), WEIR_ROW_STATUS_OK};
    free(entries);
    return result;
}

question plain_question(const float *logits, uint32_t width, weir_sampling sampling) {
    return (question){logits, width, sampling, NULL, NULL, 0, NULL, NULL};
}

/* --- even draws -------------------------------------------------------------------------------------------- */

/* The least seed whose first random number lies in [i, i + 1) / count, for each i. */
static uint64_t *spread_seeds(uint32_t count) {
    uint64_t *seeds = malloc(count * sizeof *seeds);
    bool *found = calloc(count, sizeof *found);
    uint32_t missing = count;
    for (uint64_t seed = 0; missing > 0; seed++) {
        uint32_t i = (uint32_t)((wide)philox_token_bits(seed, 0) * count >> 64);
        if (found[i]) continue;
        found[i] = true;
        seeds[i] = seed;
        missing--;
    }
    free(found);
    return seeds;
}

void expect_even_draws(const char *name, const float *logits, uint32_t width, weir_sampling sampling, uint32_t draws) {
    uint32_t *counts = calloc(width, sizeof *counts), count = 0;
    double *weights = calloc(width, sizeof *weights), share = 0;
    uint64_t *seeds = spread_seeds(draws);
    weir_sampler *sampler = make_sampler(&backend_cpu, 1, width);
    for (uint32_t i = 0; i < draws; i++) {
        bind_seed(sampler, 0, seeds[i]);
        result result = step_one(sampler, logits, width, &sampling);
        ASSERT_EQ(result.status, WEIR_ROW_STATUS_OK);
        counts[result.token]++;
    }
    weir_sampler_destroy(sampler);
    question q = plain_question(logits, width, sampling);
    reference r = make_reference(&q);
    for (uint32_t i = 0; i < r.count; i++) {
        EXPECT_FALSE(r.entries[i].unsure);
        weights[r.entries[i].id] = r.entries[i].weight;
    }
    reference_free(&r);
    for (uint32_t id = 0; id < width; id++) {
        share += weights[id], count += counts[id];
        test_context("%s, %u even draws, up to token %u", name, draws, id);
        EXPECT_NEAR(count, draws * share, 1 + draws * 1e-6); /* masses are rounded: 2^-22 of each */
        if (weights[id] == 0) EXPECT_EQ(counts[id], 0);
    }
    test_context(NULL);
    free(seeds);
    free(weights);
    free(counts);
}
