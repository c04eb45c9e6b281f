/* bench_mask.c - how long to fill a mask, and to accept a token?
 *
 * In: the seed fixtures and the valid instances of the first dev schemas that compile, llama3, cut greedily (longest
 * match). Out: one JSON line a schema, then {"summary": "mask"} and {"summary": "accept"} in microseconds over all
 * steps. The floor of a mask is one copy of its bytes; {"floor": "mask"} says what that costs here. */
#include "common.h"
#include "examples/tokens.h"

static const char program[] = "bench-mask";

typedef struct run {
    const weir_vocab *vocab;
    const bench_options *options;
    token_index index;
    uint32_t *mask, words;
    bench_series masks, accepts;
    uint64_t late, refused, texts;
} run;

typedef struct part {
    bench_series masks, accepts;
    uint64_t refused;
} part;

/* The times of one walk through a text; true unless memory is short. Times of a repeated walk keep the least. */
static bool walk(run *run, weir_matcher *matcher, const uint8_t *text, size_t length, bool first, part *part,
                 size_t mask_base, size_t accept_base)
{
    size_t step = 0;
    for (size_t at = 0; at <= length; step++) {
        double begin = bench_now_us();
        bool filled = weir_matcher_fill_mask(matcher, run->mask, run->words, NULL) == WEIR_OK;
        double elapsed = bench_now_us() - begin;
        double *held = first ? NULL : &part->masks.values[mask_base + step];
        if (first && !bench_add(&part->masks, elapsed)) return false;
        if (held && elapsed < *held) *held = elapsed;
        if (!filled || at == length) break;
        uint32_t token = token_next(&run->index, TOKEN_CUT_GREEDY, NULL, text + at, length - at), written;
        bool allowed = token != TOKEN_NONE && (run->mask[token / 32] >> token % 32 & 1) != 0;
        if (!allowed) {
            part->refused += first;
            break;
        }
        begin = bench_now_us();
        bool accepted = weir_matcher_accept(matcher, token, NULL) == WEIR_OK;
        elapsed = bench_now_us() - begin;
        if (!accepted) {
            fprintf(stderr, "%s: token %" PRIu32 " is in the mask and is not accepted\n", program, token);
            return false;
        }
        held = first ? NULL : &part->accepts.values[accept_base + step];
        if (first && !bench_add(&part->accepts, elapsed)) return false;
        if (held && elapsed < *held) *held = elapsed;
        weir_vocab_token(run->vocab, token, &written);
        at += written;
    }
    return true;
}

static bool drive(run *run, const weir_grammar *grammar, const bench_case *one, part *part)
{
    for (uint32_t i = 0; i < one->text_count; i++) {
        weir_matcher *matcher = NULL;
        size_t mask_base = part->masks.count, accept_base = part->accepts.count;
        if (weir_matcher_create(grammar, NULL, &matcher, NULL) != WEIR_OK) return true;
        bool good = true;
        for (uint32_t round = 0; round < run->options->repeat && good; round++) {
            weir_matcher_reset(matcher);
            good = walk(run, matcher, (const uint8_t *)one->texts[i], one->lengths[i], round == 0, part, mask_base, accept_base);
        }
        weir_matcher_destroy(matcher);
        if (!good) return false;
    }
    run->texts += one->text_count;
    return true;
}

static bench_answer measure(void *context, const bench_case *one)
{
    run *run = context;
    weir_grammar_options options = WEIR_GRAMMAR_OPTIONS_INIT;
    weir_grammar *grammar = NULL;
    weir_grammar_stats stats;
    part part = {0};
    options.objects = one->objects;
    if (weir_grammar_from_json_schema(run->vocab, one->schema, one->schema_length, &options, &grammar, NULL) != WEIR_OK) {
        return BENCH_SKIPPED;
    }
    bool good = drive(run, grammar, one, &part);
    for (size_t i = 0; i < part.masks.count && good; i++) good = bench_add(&run->masks, part.masks.values[i]);
    for (size_t i = 0; i < part.accepts.count && good; i++) good = bench_add(&run->accepts, part.accepts.values[i]);
    weir_grammar_statistics(grammar, &stats);
    run->late += stats.rows_built_late;
    run->refused += part.refused;
    printf("{\"case\": ");
    bench_print_quoted(one->id);
    printf(", \"steps\": %zu, \"refused\": %" PRIu64 ", \"mask_p50\": %.3f, \"mask_max\": %.3f, \"accept_p50\": %.3f, \"accept_max\": %.3f"
           ", \"guarded_max\": %" PRIu32 ", \"rows_built_late\": %" PRIu64 "}\n",
           part.masks.count, part.refused, bench_percentile(&part.masks, 0.5), bench_percentile(&part.masks, 1),
           bench_percentile(&part.accepts, 0.5), bench_percentile(&part.accepts, 1), stats.guarded_max, stats.rows_built_late);
    bench_free(&part.masks);
    bench_free(&part.accepts);
    weir_grammar_destroy(grammar);
    return good ? BENCH_COUNTED : BENCH_FAILED;
}

static void print_floor(const run *run)
{
    size_t bytes = run->words * sizeof *run->mask;
    double speed = bench_memcpy_gb_s(bytes), clock = bench_now_us();
    for (int i = 0; i < 999; i++) bench_now_us();
    clock = (bench_now_us() - clock) / 1000;
    printf("{\"floor\": \"mask\", \"bytes\": %zu, \"memcpy_gb_s\": %.1f, \"us\": %.3f, \"clock_us\": %.3f}\n", bytes, speed,
           speed > 0 ? (double)bytes / speed * 1e-3 : 0, clock);
}

int main(int count, char **texts)
{
    bench_options options;
    weir_vocab *vocab = NULL;
    char extra[160];
    if (!bench_read_options(program, count, texts, &options)) return EXIT_USAGE;
    int code = load_vocab(program, &options.vocab, &vocab);
    if (code != EXIT_DONE) return code;
    run run = {.vocab = vocab, .options = &options, .words = weir_vocab_mask_words(vocab)};
    run.mask = calloc(run.words, sizeof *run.mask);
    bool good = run.mask && token_index_create(vocab, &run.index);
    bench_print_machine();
    if (good) good = bench_each_case(program, &options, measure, &run);
    print_floor(&run);
    snprintf(extra, sizeof extra, ", \"texts\": %" PRIu64 ", \"refused\": %" PRIu64 ", \"rows_built_late\": %" PRIu64, run.texts, run.refused, run.late);
    bench_print_summary("mask", &run.masks, extra);
    bench_print_summary("accept", &run.accepts, extra);
    bench_free(&run.masks);
    bench_free(&run.accepts);
    token_index_free(&run.index);
    free(run.mask);
    weir_vocab_destroy(vocab);
    return good ? EXIT_DONE : EXIT_USAGE;
}
