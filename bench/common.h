/* common.h - what the benches share: cases from the data folder, clocks, percentiles, JSON lines. */
#ifndef WEIR_BENCH_COMMON_H
#define WEIR_BENCH_COMMON_H

#include "examples/program.h"
#include "host/json.h"

/* --- what is measured ------------------------------------------------------------------------------------------- */

/* One schema, and valid documents as Python's json.dumps(ensure_ascii=False) writes them, number text copied. */
typedef struct bench_case {
    const char *id;
    const char *schema;
    size_t schema_length;
    weir_objects objects;
    const char *const *texts;
    const size_t *lengths;
    uint32_t text_count;
} bench_case;

typedef struct bench_options {
    char data[1024];   /* --data, else $WEIR_DATA */
    vocab_choice vocab; /* --vocab, else the data folder's llama3 */
    char vocab_path[1100];
    uint32_t schemas;  /* --schemas: how many dev schemas that compile (500) */
    uint32_t repeat;   /* --repeat: the least of so many measurements counts (1) */
} bench_options;

/* False after a message: exit 1. */
bool bench_read_options(const char *program, int count, char **texts, bench_options *out);

/* Whether a case counts; only those of the dev schemas are counted towards --schemas. */
typedef enum bench_answer { BENCH_SKIPPED, BENCH_COUNTED, BENCH_FAILED } bench_answer;
typedef bench_answer bench_use(void *context, const bench_case *one);

/* Calls `use` for every seed schema, then for the dev schemas in their order until --schemas of them counted. False
 * after a message, or when `use` failed. */
bool bench_each_case(const char *program, const bench_options *options, bench_use *use, void *context);

/* --- clocks and numbers ------------------------------------------------------------------------------------------ */

double bench_now_us(void);

typedef struct bench_series {
    double *values;
    size_t count, capacity;
} bench_series;

bool bench_add(bench_series *series, double value);
/* Sorts on the first call after an addition. `share` in [0, 1]; the nearest rank. 0 for an empty series. */
double bench_percentile(bench_series *series, double share);
void bench_free(bench_series *series);

/* {"summary":NAME,"n":,"p50":,"p99":,"p99.9":,"max":} and whatever `extra` adds (", \"x\": 1" or ""). Microseconds. */
void bench_print_summary(const char *name, bench_series *series, const char *extra);
/* {"machine":...}: processor, cores, compiler, version, and memcpy in GB/s in cache and out of it. */
void bench_print_machine(void);
/* Seconds-free bandwidth of memcpy over buffers of `bytes`, in GB/s (bytes written). */
double bench_memcpy_gb_s(size_t bytes);
/* A string as JSON on stdout. */
void bench_print_quoted(const char *text);

#endif
