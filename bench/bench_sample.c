/* bench_sample.c - the CPU sampler: rows x vocabulary x type x settings, one JSON line each, microseconds a row.
 *
 *   bench-sample [--quick]
 *
 * Unconstrained rows of normal(0, 1) logits ("flat", the worst case: nothing can be skipped) and of logits with a peak
 * and a long tail ("peaked", as a language model writes them). "penalties" has a prompt of 1,000 distinct tokens and 20
 * biases; "report" asks for the 20 likeliest tokens by the untouched logits and for the allowed mass. "floor_us" is one
 * read of the row at the bandwidth of memcpy on the same rows (small batches come from a cache); "sort_us" is a plain
 * sampler that sorts the row in full (qsort, doubles, float32 only). Every number but the last is the median of several
 * runs over all rows. */
#define _POSIX_C_SOURCE 200809L
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "weir.h"

enum { PROMPT = 1000, BIASES = 20, TOP = 20, WIDEST = 262144, ROWS_MOST = 64 };

typedef struct setting {
    const char *name;
    weir_sampling sampling;
    bool report;
} setting;

static const setting settings[] = {
    {"greedy", {0.0f, 1.0f, 0.0f, 0, 1.0f, 0.0f, 0.0f, 0}, false},
    {"temperature", {0.8f, 1.0f, 0.0f, 0, 1.0f, 0.0f, 0.0f, 0}, false},
    {"top_k", {0.8f, 1.0f, 0.0f, 50, 1.0f, 0.0f, 0.0f, 0}, false},
    {"top_p", {0.8f, 0.95f, 0.0f, 0, 1.0f, 0.0f, 0.0f, 0}, false},
    {"min_p", {0.8f, 1.0f, 0.05f, 0, 1.0f, 0.0f, 0.0f, 0}, false},
    {"top_k_top_p", {0.8f, 0.95f, 0.0f, 50, 1.0f, 0.0f, 0.0f, 0}, false},
    {"penalties", {0.8f, 0.95f, 0.05f, 50, 1.1f, 0.1f, 0.1f, 0}, false},
    {"report", {0.8f, 0.95f, 0.05f, 50, 1.0f, 0.0f, 0.0f, 0}, true},
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
    if (status != WEIR_OK) fprintf(stderr, "bench-sample: %s: %s\n", weir_status_name(status), error->message);
    return status == WEIR_OK ? 0 : 1;
}

/* Slots whose prompts have PROMPT tokens, every one with BIASES biases. */
static int bind_slots(weir_sampler *sampler, size_t rows, uint32_t width, bool penalties) {
    uint32_t prompt[PROMPT];
    weir_logit_bias bias[BIASES];
    for (uint32_t i = 0; i < PROMPT; i++) prompt[i] = (i * 7919u) % width;
    for (uint32_t i = 0; i < BIASES; i++) bias[i] = (weir_logit_bias){(i * 104729u) % width, 0.5f};
    for (size_t row = 0; row < rows; row++) {
        weir_slot_options slot = WEIR_SLOT_OPTIONS_INIT;
        weir_error error;
        slot.seed = row;
        slot.count_tokens = penalties;
        slot.prompt_tokens = prompt;
        slot.prompt_count = penalties ? PROMPT : 0;
        slot.bias = bias;
        slot.bias_count = penalties ? BIASES : 0;
        if (check(weir_sampler_bind(sampler, (uint32_t)row, &slot, &error), &error)) return 1;
    }
    return 0;
}

typedef struct batch {
    const float *logits;      /* [rows, width] */
    const uint16_t *brain;    /* the same as bfloat16 */
    size_t rows;
    uint32_t width;
    const char *name;
    int runs;
} batch;

/* The median time of a row in microseconds, or -1. */
static double time_setting(const batch *batch, weir_sampler *sampler, const setting *setting, weir_dtype dtype) {
    static int32_t slots[ROWS_MOST], tokens[ROWS_MOST], top_tokens[ROWS_MOST * TOP];
    static float logprobs[ROWS_MOST], top_logprobs[ROWS_MOST * TOP], masses[ROWS_MOST];
    static weir_sampling sampling[ROWS_MOST];
    double times[64];
    weir_error error;
    for (size_t row = 0; row < batch->rows; row++) slots[row] = (int32_t)row, sampling[row] = setting->sampling;
    weir_step step = WEIR_STEP_INIT;
    step.row_count = batch->rows;
    step.slots = slots;
    step.logits = dtype == WEIR_DTYPE_F32 ? (const void *)batch->logits : batch->brain;
    step.dtype = dtype;
    step.logits_stride = batch->width;
    step.sampling = sampling;
    step.tokens = tokens;
    step.logprobs = logprobs;
    if (setting->report) {
        step.raw_logprobs = true;
        step.top_count = TOP;
        step.top_tokens = top_tokens;
        step.top_logprobs = top_logprobs;
        step.allowed_mass = masses;
    }
    if (bind_slots(sampler, batch->rows, batch->width, setting->sampling.repetition_penalty != 1.0f)) return -1;
    for (int run = -1; run < batch->runs; run++) {
        double start = now_us();
        if (check(weir_sampler_step(sampler, &step, &error), &error)) return -1;
        if (run >= 0) times[run] = (now_us() - start) / (double)batch->rows;
    }
    return median(times, batch->runs);
}

static int bench(const batch *batch, weir_dtype dtype, entry *entries) {
    static const char *const types[] = {"f32", "f16", "bf16"};
    weir_error error;
    weir_sampler *sampler;
    weir_sampler_options options = WEIR_SAMPLER_OPTIONS_INIT;
    options.slot_count = (uint32_t)batch->rows;
    options.logits_width = batch->width;
    if (check(weir_sampler_create(&options, &sampler, &error), &error)) return 1;
    double times[64];
    double floor_us = read_floor(batch->logits, batch->rows, batch->width, batch->runs, times, (float *)entries);
    if (dtype != WEIR_DTYPE_F32) floor_us /= 2;
    int failed = 0;
    for (size_t s = 0; s < sizeof settings / sizeof *settings && !failed; s++) {
        double us = time_setting(batch, sampler, &settings[s], dtype);
        failed = us < 0;
        printf("{\"bench\":\"sample\",\"backend\":\"cpu\",\"rows\":%zu,\"vocab\":%u,\"dtype\":\"%s\",\"logits\":\"%s\","
               "\"settings\":\"%s\",\"us_per_row\":%.2f,\"floor_us\":%.2f,\"times_floor\":%.2f,\"sort_us\":%.1f}\n",
               batch->rows, batch->width, types[dtype], batch->name, settings[s].name, us, floor_us, us / floor_us,
               time_sort(batch->logits, batch->rows, batch->width, &settings[s].sampling, entries));
        fflush(stdout);
    }
    weir_sampler_destroy(sampler);
    return failed;
}

int main(int argc, char **argv) {
    static const size_t row_counts[] = {1, 8, ROWS_MOST};
    static const uint32_t widths[] = {32000, 128256, WIDEST};
    bool quick = argc > 1 && strcmp(argv[1], "--quick") == 0;
    if (argc > 2 || (argc > 1 && !quick)) {
        fprintf(stderr, "usage: bench-sample [--quick]\n");
        return 1;
    }
    size_t most = (quick ? 1 : ROWS_MOST) * (size_t)WIDEST;
    float *logits = malloc(most * sizeof *logits);
    uint16_t *brain = malloc(most * sizeof *brain);
    entry *entries = malloc(WIDEST * sizeof *entries);
    int failed = !logits || !entries || !brain;
    for (size_t w = 0; w < 3 && !failed; w++)
        for (size_t r = 0; r < (quick ? 1 : 3) && !failed; r++)
            for (int peaked = 0; peaked < 2 && !failed; peaked++) {
                size_t rows = row_counts[r], width = widths[w];
                fill_logits(logits, rows, width, peaked);
                for (size_t i = 0; i < rows * width; i++) { /* cut, not rounded: any bfloat16 will do */
                    uint32_t bits;
                    memcpy(&bits, &logits[i], sizeof bits);
                    brain[i] = (uint16_t)(bits >> 16);
                }
                batch batch = {logits,      brain, rows, widths[w], peaked ? "peaked" : "flat",
                               quick       ? 5
                               : rows == 1 ? 51
                                           : 11};
                failed = bench(&batch, WEIR_DTYPE_F32, entries) || bench(&batch, WEIR_DTYPE_BF16, entries);
            }
    free(logits);
    free(brain);
    free(entries);
    return failed;
}
