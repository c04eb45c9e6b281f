/* bench_sampler.c - the CPU sampler: rows x vocabulary x settings, one JSON line each, microseconds a row.
 *
 *   bench-sampler [--quick]
 *
 * Unconstrained rows of normal(0, 1) logits ("flat", the worst case: nothing can be skipped) and of logits with a peak
 * and a long tail ("peaked", as a language model writes them). "floor_us" is one read of the row at the bandwidth of
 * memcpy on the same rows (small batches come from a cache); "sort_us" is a plain sampler that sorts the row in full
 * (qsort, doubles). Every number but the last is the median of several runs over all rows. */
#define _POSIX_C_SOURCE 200809L
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "weir.h"

typedef struct setting {
    const char *name;
    weir_sampling sampling;
} setting;

static const setting settings[] = {
    {"greedy", {0.0f, 1.0f, 0.0f, 0}}, {"temperature", {0.8f, 1.0f, 0.0f, 0}}, {"top_k", {0.8f, 1.0f, 0.0f, 50}},
    {"top_p", {0.8f, 0.95f, 0.0f, 0}}, {"min_p", {0.8f, 1.0f, 0.05f, 0}},      {"all", {0.8f, 0.95f, 0.05f, 50}},
};

static uint64_t random_state = 1;

static double uniform(void) { /* splitmix64 */
    uint64_t z = (random_state += 0x9E3779B97F4A7C15u);
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return ((double)((z ^ z >> 31) >> 11) + 0.5) * 0x1p-53;
}

static double normal(void) {
    return sqrt(-2 * log(uniform())) * cos(6.283185307179586 * uniform());
}

static double now_us(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec * 1e6 + (double)time.tv_nsec * 1e-3;
}

static int by_value(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *values, int count) {
    qsort(values, (size_t)count, sizeof *values, by_value);
    return values[count / 2];
}

static void fill_logits(float *logits, size_t rows, size_t width, bool peaked) {
    random_state = 1;
    for (size_t i = 0; i < rows * width; i++) logits[i] = (float)normal();
    if (!peaked) return;
    for (size_t row = 0; row < rows; row++) /* ranks fall off as a power law above the noise */
        for (int rank = 0; rank < 2000; rank++)
            logits[row * width + (size_t)(uniform() * (double)width)] = (float)(18 - 1.5 * log(rank + 1) + normal());
}

/* Microseconds to read one row at the bandwidth of memcpy, which reads and writes every byte. */
static double read_floor(const float *logits, size_t rows, size_t width, int runs, double *times, float *copy) {
    for (int run = 0; run < runs; run++) {
        double start = now_us();
        for (size_t row = 0; row < rows; row++) memcpy(copy, logits + row * width, width * sizeof *copy);
        times[run] = (now_us() - start) / (double)rows / 2;
    }
    return median(times, runs);
}

typedef struct entry {
    float logit;
    uint32_t id;
    double weight;
} entry;

static int by_logit(const void *a, const void *b) {
    const entry *x = a, *y = b;
    if (x->logit != y->logit) return x->logit < y->logit ? 1 : -1;
    return (x->id > y->id) - (x->id < y->id);
}

/* The textbook way: sort, softmax, cut, draw. */
static uint32_t sort_sample(const float *logits, size_t width, const weir_sampling *sampling, double u,
                            entry *entries) {
    for (size_t i = 0; i < width; i++) entries[i] = (entry){logits[i], (uint32_t)i, 0};
    qsort(entries, width, sizeof *entries, by_logit);
    if (sampling->temperature == 0) return entries[0].id;
    size_t count = sampling->top_k && sampling->top_k < width ? sampling->top_k : width;
    double total = 0, kept = 0;
    for (size_t i = 0; i < count; i++)
        total += entries[i].weight = exp(((double)entries[i].logit - entries[0].logit) / sampling->temperature);
    size_t end = 0;
    while (end < count && kept < sampling->top_p * total && entries[end].weight >= sampling->min_p)
        kept += entries[end++].weight;
    double target = u * kept;
    size_t i = 0;
    while (i + 1 < end && entries[i].weight <= target) target -= entries[i++].weight;
    return entries[i].id;
}

static double time_sort(const float *logits, size_t rows, size_t width, const weir_sampling *sampling, entry *entries) {
    static volatile uint32_t sink;
    if (rows > 4) rows = 4;
    double start = now_us();
    for (size_t row = 0; row < rows; row++) sink += sort_sample(logits + row * width, width, sampling, 0.37, entries);
    return (now_us() - start) / (double)rows;
}

static int check(weir_status status, const weir_error *error) {
    if (status != WEIR_OK) fprintf(stderr, "bench-sampler: %s: %s\n", weir_status_name(status), error->message);
    return status == WEIR_OK ? 0 : 1;
}

static int bench(const float *logits, size_t rows, uint32_t width, const char *logits_name, int runs, entry *entries) {
    weir_error error;
    weir_sampler *sampler;
    weir_sampler_options options = WEIR_SAMPLER_OPTIONS_INIT;
    options.slot_count = (uint32_t)rows;
    options.logits_width = width;
    if (check(weir_sampler_create(&options, &sampler, &error), &error)) return 1;
    int32_t *slots = malloc(rows * sizeof *slots), *tokens = malloc(rows * sizeof *tokens);
    float *logprobs = malloc(rows * sizeof *logprobs);
    weir_sampling *sampling = malloc(rows * sizeof *sampling);
    double *times = malloc((size_t)runs * sizeof *times);
    if (!slots || !tokens || !logprobs || !sampling || !times) return 1;
    int failed = 0;
    for (size_t row = 0; row < rows && !failed; row++) {
        weir_slot_options slot = WEIR_SLOT_OPTIONS_INIT;
        slot.seed = row;
        slots[row] = (int32_t)row;
        failed = check(weir_sampler_bind(sampler, (uint32_t)row, &slot, &error), &error);
    }
    double floor_us = read_floor(logits, rows, width, runs, times, (float *)entries);
    for (size_t s = 0; s < sizeof settings / sizeof *settings && !failed; s++) {
        for (size_t row = 0; row < rows; row++) sampling[row] = settings[s].sampling;
        weir_step step = {sizeof step, rows, slots, logits, width, sampling, tokens, logprobs, NULL};
        for (int run = -1; run < runs && !failed; run++) {
            double start = now_us();
            failed = check(weir_sampler_step(sampler, &step, &error), &error);
            if (run >= 0) times[run] = (now_us() - start) / (double)rows;
        }
        double us = median(times, runs);
        printf("{\"bench\":\"sampler\",\"backend\":\"cpu\",\"rows\":%zu,\"vocab\":%u,\"logits\":\"%s\",\"settings\":\"%"
               "s\","
               "\"us_per_row\":%.2f,\"floor_us\":%.2f,\"times_floor\":%.2f,\"sort_us\":%.1f}\n",
               rows, width, logits_name, settings[s].name, us, floor_us, us / floor_us,
               time_sort(logits, rows, width, &settings[s].sampling, entries));
        fflush(stdout);
    }
    free(slots), free(tokens), free(logprobs), free(sampling), free(times);
    weir_sampler_destroy(sampler);
    return failed;
}

int main(int argc, char **argv) {
    static const size_t row_counts[] = {1, 8, 64};
    static const uint32_t widths[] = {32000, 128256, 262144};
    bool quick = argc > 1 && strcmp(argv[1], "--quick") == 0;
    if (argc > 1 && !quick) {
        fprintf(stderr, "usage: bench-sampler [--quick]\n");
        return 1;
    }
    size_t most = 64 * (size_t)262144;
    float *logits = malloc((quick ? most / 64 : most) * sizeof *logits);
    entry *entries = malloc(262144 * sizeof *entries);
    int failed = !logits || !entries;
    for (size_t w = 0; w < 3 && !failed; w++)
        for (size_t r = 0; r < (quick ? 1 : 3) && !failed; r++)
            for (int peaked = 0; peaked < 2 && !failed; peaked++) {
                fill_logits(logits, row_counts[r], widths[w], peaked);
                failed = bench(logits, row_counts[r], widths[w], peaked ? "peaked" : "flat",
                               quick                ? 5
                               : row_counts[r] == 1 ? 51
                                                    : 11,
                               entries);
            }
    free(logits);
    free(entries);
    return failed;
}
