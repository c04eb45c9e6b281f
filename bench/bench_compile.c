/* bench_compile.c - how long from a schema's text to its finished tables?
 *
 * In: the seed schemas and the first dev schemas that compile, llama3. Out: one JSON line a schema, then
 * {"summary": "compile"} in microseconds. The vocabulary is ready; every reachable row is built inside the time, and
 * rows_built_late is there to show it. */
#include "common.h"

static const char program[] = "bench-compile";

typedef struct run {
    const weir_vocab *vocab;
    const bench_options *options;
    bench_series times;
    uint64_t late, refused;
    char slowest[256];
    double worst;
} run;

static bench_answer measure(void *context, const bench_case *one)
{
    run *run = context;
    weir_grammar_options options = WEIR_GRAMMAR_OPTIONS_INIT;
    weir_grammar_stats stats;
    weir_error error = {.byte = -1};
    double best = 0;
    options.objects = one->objects;
    for (uint32_t round = 0; round < run->options->repeat; round++) {
        weir_grammar *grammar = NULL;
        double begin = bench_now_us();
        weir_status status = weir_grammar_from_json_schema(run->vocab, one->schema, one->schema_length, &options, &grammar, &error);
        double elapsed = bench_now_us() - begin;
        if (status != WEIR_OK) {
            run->refused++;
            return BENCH_SKIPPED;
        }
        if (round == 0 || elapsed < best) best = elapsed;
        weir_grammar_statistics(grammar, &stats);
        weir_grammar_destroy(grammar);
    }
    printf("{\"case\": ");
    bench_print_quoted(one->id);
    printf(", \"compile_us\": %.1f, \"schema_bytes\": %zu, \"states\": %" PRIu32 ", \"modules\": %" PRIu32 ", \"rows\": %" PRIu32
           ", \"guarded_max\": %" PRIu32 ", \"blob_bytes\": %" PRIu64 ", \"work\": %" PRIu64 ", \"rows_built_late\": %" PRIu64 "}\n",
           best, one->schema_length, stats.state_count, stats.module_count, stats.row_count, stats.guarded_max,
           stats.blob_bytes, stats.compile_work, stats.rows_built_late);
    run->late += stats.rows_built_late;
    if (best > run->worst) {
        run->worst = best;
        snprintf(run->slowest, sizeof run->slowest, "%s", one->id);
    }
    return bench_add(&run->times, best) ? BENCH_COUNTED : BENCH_FAILED;
}

int main(int count, char **texts)
{
    bench_options options;
    weir_vocab *vocab = NULL;
    char extra[128];
    if (!bench_read_options(program, count, texts, &options)) return EXIT_USAGE;
    int code = load_vocab(program, &options.vocab, &vocab);
    if (code != EXIT_DONE) return code;
    bench_print_machine();
    run run = {.vocab = vocab, .options = &options};
    bool good = bench_each_case(program, &options, measure, &run);
    printf("{\"slowest\": ");
    bench_print_quoted(run.slowest);
    printf("}\n");
    snprintf(extra, sizeof extra, ", \"refused\": %" PRIu64 ", \"rows_built_late\": %" PRIu64, run.refused, run.late);
    bench_print_summary("compile", &run.times, extra);
    bench_free(&run.times);
    weir_vocab_destroy(vocab);
    return good ? EXIT_DONE : EXIT_USAGE;
}
