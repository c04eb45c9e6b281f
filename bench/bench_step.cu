/* bench_step.cu - one step of a device sampler: rows x columns x type x row kinds x settings, one JSON line each.
 *
 *   bench-step [--quick] [--rows N,...] [--columns N,...]
 *
 * Kinds of rows: "free" has no constraint; "dense" stands in a string that never ends (most tokens may follow); "sparse" between
 * the values of an array of a few names; "forced" has one token left; "mixed" is of ten rows six sparse and four dense. Time of a
 * step: 64 of them in a graph, divided by 64, the median of repetitions; "cold" writes a buffer of twice the second-level
 * cache before each, and takes that time off. "plain" launches one by one. "floor_us" is one read of the logits that the step
 * needs at the bandwidth of a copy on this device, measured first; "null_us" a graph of 64 empty kernels, divided by 64. The
 * vocabulary is made up: bytes, and random pieces of text. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/device.cuh"
#include "weir.h"

enum { CHAIN = 64, REPEATS = 21, COPY_BYTES = 1 << 30, KINDS = 5, SETTINGS = 5, LIST_MOST = 8 };

static const char *const kind_names[KINDS] = {"free", "dense", "sparse", "forced", "mixed"};
static const char *const setting_names[SETTINGS] = {"greedy", "temperature", "top_p", "top_k_top_p", "all"};
static const weir_sampling settings[SETTINGS] = {
    {0.0f, 1.0f, 0.0f, 0, 1.0f, 0.0f, 0.0f, 0}, {0.8f, 1.0f, 0.0f, 0, 1.0f, 0.0f, 0.0f, 0},
    {0.8f, 0.95f, 0.0f, 0, 1.0f, 0.0f, 0.0f, 0}, {0.8f, 0.95f, 0.0f, 50, 1.0f, 0.0f, 0.0f, 0},
    {0.8f, 0.95f, 0.05f, 50, 1.1f, 0.1f, 0.1f, 0},
};
static const char *const dtype_names[] = {"f32", "f16", "bf16"};

static void must(int code, const char *what) {
    if (code == 0) return;
    fprintf(stderr, "bench-step: %s: %s\n", what, device_error_name(code));
    exit(1);
}

static void must_weir(weir_status status, const weir_error *error) {
    if (status == WEIR_OK) return;
    fprintf(stderr, "bench-step: %s: %s\n", weir_status_name(status), error->message);
    exit(1);
}

static uint64_t random_state = 1;
static uint64_t random_bits() { /* splitmix64 */
    uint64_t z = (random_state += 0x9E3779B97F4A7C15u);
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return z ^ z >> 31;
}

/* --- what is measured on ------------------------------------------------------------------------------------------ */

/* Tokens: the 256 bytes, then words of 2 to 9 letters, half of them behind a space; the last one stops. */
static weir_vocab *make_vocab(uint32_t count) {
    weir_token *tokens = static_cast<weir_token *>(calloc(count, sizeof(weir_token)));
    char *text = static_cast<char *>(malloc(count * 16u)), *at = text;
    for (uint32_t i = 0; i < count; i++) {
        uint64_t bits = random_bits();
        uint32_t length = i < 256 ? 1 : 2 + static_cast<uint32_t>(bits % 8), used = 0;
        tokens[i].bytes = at;
        if (i >= 256 && bits >> 63) at[used++] = ' ';
        for (; used < length; used++) at[used] = i < 256 ? static_cast<char>(i) : static_cast<char>('a' + (bits >> (8 + 5 * used)) % 26);
        tokens[i].length = length;
        at += length;
    }
    tokens[count - 1].flags = WEIR_TOKEN_SPECIAL;
    uint32_t stop = count - 1;
    weir_vocab_options options = WEIR_VOCAB_OPTIONS_INIT;
    options.stop_ids = &stop;
    options.stop_count = 1;
    weir_vocab *vocab;
    weir_error error;
    must_weir(weir_vocab_create(tokens, count, &options, &vocab, &error), &error);
    free(tokens);
    free(text);
    return vocab;
}

static weir_grammar *compile(const weir_vocab *vocab, const char *schema) {
    weir_grammar *grammar;
    weir_error error;
    must_weir(weir_grammar_from_json_schema(vocab, schema, strlen(schema), nullptr, &grammar, &error), &error);
    return grammar;
}

struct bench {
    uint32_t width;
    weir_vocab *vocab;
    weir_grammar *dense, *sparse;
    weir_sampler *sampler;
    void *memory, *logits, *cold;
    size_t cold_bytes;
    int32_t *slots, *tokens;
    weir_sampling *sampling;
    device_stream stream;
    double bandwidth; /* bytes read or written a microsecond */
    double null_us;
};

/* The slot of a row: `kind` of the batch, and which of ten it is where they are mixed. */
static void bind_row(bench *b, uint32_t slot, int kind, bool counts) {
    weir_slot_options options = WEIR_SLOT_OPTIONS_INIT;
    uint32_t quote = '"', only = 'a';
    weir_error error;
    if (kind == 4) kind = slot % 10 < 6 ? 2 : 1;
    options.seed = slot;
    options.count_tokens = counts;
    if (kind == 1) options.grammar = b->dense, options.tokens = &quote, options.token_count = 1;
    if (kind == 2) options.grammar = b->sparse;
    if (kind == 3) options.allowed_tokens = &only, options.allowed_count = 1;
    must_weir(weir_sampler_bind(b->sampler, slot, &options, &error), &error);
}

/* --- time ----------------------------------------------------------------------------------------------------------- */

static int by_value(const void *a, const void *b) {
    double x = *static_cast<const double *>(a), y = *static_cast<const double *>(b);
    return (x > y) - (x < y);
}

struct spread {
    double median, p99, most;
};

static spread spread_of(double *values, int count) {
    qsort(values, static_cast<size_t>(count), sizeof *values, by_value);
    return {values[count / 2], values[(count * 99) / 100], values[count - 1]};
}

struct null_params {
    uint32_t nothing;
};
KERNEL(32) null_kernel(PARAMS(null_params, p)) { (void)p; }

/* `run` enqueues what is timed; microseconds of each repetition, divided by `parts`. */
template <typename Run> static spread time_of(bench *b, bool cold, int parts, Run run) {
    double values[REPEATS];
    device_event start, end;
    must(device_timer_create(&start), "an event");
    must(device_timer_create(&end), "an event");
    run();
    for (double &value : values) {
        float milliseconds = 0.0f;
        if (cold) must(device_fill(b->cold, 1, b->cold_bytes, b->stream), "clearing the cache");
        must(device_event_record(start, b->stream), "an event");
        run();
        must(device_event_record(end, b->stream), "an event");
        must(device_wait(b->stream), "waiting");
        must(device_elapsed(&milliseconds, start, end), "the time");
        value = milliseconds * 1000.0 / parts;
    }
    device_event_destroy(start);
    device_event_destroy(end);
    return spread_of(values, REPEATS);
}

static void measure_device(bench *b) {
    void *from, *to;
    launch_shape one = {1, 1, WARP, 0, false};
    null_params none = {0};
    device_graph graph;
    must(device_allocate(&from, COPY_BYTES), "memory");
    must(device_allocate(&to, COPY_BYTES), "memory");
    spread copy = time_of(b, false, 1, [&] { must(device_copy(to, from, COPY_BYTES, b->stream), "a copy"); });
    b->bandwidth = 2.0 * COPY_BYTES / copy.median;
    must(device_free(from), "memory");
    must(device_free(to), "memory");
    must(device_capture_begin(b->stream), "a graph");
    for (int i = 0; i < CHAIN; i++) must(device_launch(null_kernel, one, b->stream, none), "a null kernel");
    must(device_capture_end(b->stream, &graph), "a graph");
    b->null_us = time_of(b, false, CHAIN, [&] { must(device_graph_launch(graph, b->stream), "a graph"); }).median;
    device_graph_destroy(graph);
    printf("{\"copy_gb_s\": %.0f, \"null_us\": %.2f}\n", b->bandwidth / 1000.0, b->null_us);
}

/* --- steps ------------------------------------------------------------------------------------------------------------- */

static weir_step step_of(const bench *b, uint32_t rows, weir_dtype dtype) {
    weir_step step = WEIR_STEP_INIT;
    step.row_count = rows;
    step.slots = b->slots;
    step.logits = b->logits;
    step.logits_stride = b->width;
    step.dtype = dtype;
    step.sampling = b->sampling;
    step.tokens = b->tokens;
    return step;
}

static void measure(bench *b, uint32_t rows, weir_dtype dtype, int kind, int setting) {
    weir_error error;
    weir_sampling *sampling = static_cast<weir_sampling *>(malloc(rows * sizeof(weir_sampling)));
    for (uint32_t i = 0; i < rows; i++) bind_row(b, i, kind, setting == 4), sampling[i] = settings[setting];
    must(device_copy_in(b->sampling, sampling, rows * sizeof(weir_sampling), b->stream), "settings");
    must(device_wait(b->stream), "waiting");
    weir_step step = step_of(b, rows, dtype);
    device_graph graph;
    must(device_capture_begin(b->stream), "a graph");
    for (int i = 0; i < CHAIN; i++) must_weir(weir_sampler_step(b->sampler, &step, &error), &error);
    must(device_capture_end(b->stream, &graph), "a graph");
    spread warm = time_of(b, false, CHAIN, [&] { must(device_graph_launch(graph, b->stream), "a graph"); });
    spread cold = time_of(b, true, 1, [&] { must_weir(weir_sampler_step(b->sampler, &step, &error), &error); });
    spread plain = time_of(b, false, CHAIN, [&] {
        for (int i = 0; i < CHAIN; i++) must_weir(weir_sampler_step(b->sampler, &step, &error), &error);
    });
    device_graph_destroy(graph);
    double share = kind == 2 || kind == 3 ? 0.0 : kind == 4 ? 0.4 : 1.0; /* of the rows that are read whole */
    double bytes = share * rows * b->width * (dtype == WEIR_DTYPE_F32 ? 4.0 : 2.0), floor = bytes / b->bandwidth;
    printf("{\"rows\": %u, \"columns\": %u, \"dtype\": \"%s\", \"kind\": \"%s\", \"settings\": \"%s\", \"graph_us\": %.2f, \"p99_us\": %.2f, "
           "\"max_us\": %.2f, \"cold_us\": %.2f, \"plain_us\": %.2f, \"bytes\": %.0f, \"floor_us\": %.2f, \"of_floor\": %.2f, \"null_us\": %.2f}\n",
           rows, b->width, dtype_names[dtype], kind_names[kind], setting_names[setting], warm.median, warm.p99, warm.most, cold.median,
           plain.median, bytes, floor, floor / warm.median, b->null_us);
    fflush(stdout);
    free(sampling);
}

static void open_bench(bench *b, uint32_t width, uint32_t rows_most) {
    weir_error error;
    weir_device_options device = WEIR_DEVICE_OPTIONS_INIT;
    weir_sampler_options options = WEIR_SAMPLER_OPTIONS_INIT;
    b->width = width;
    b->vocab = make_vocab(width);
    b->dense = compile(b->vocab, "{\"type\":\"string\",\"minLength\":100000000}");
    b->sparse = compile(b->vocab, "{\"type\":\"array\",\"minItems\":100000000,\"items\":{\"enum\":[\"one\",\"two\",\"three\",true,null,17]}}");
    options.slot_count = rows_most;
    options.logits_width = width;
    options.device = &device;
    must_weir(weir_sampler_device_bytes(&options, &device.bytes, &error), &error);
    must(device_allocate(&b->memory, device.bytes), "memory");
    device.memory = b->memory;
    must_weir(weir_sampler_create(&options, &b->sampler, &error), &error);
    must_weir(weir_sampler_set_stream(b->sampler, b->stream, &error), &error);
}

static void close_bench(bench *b) {
    weir_sampler_destroy(b->sampler);
    must(device_free(b->memory), "memory");
    weir_grammar_destroy(b->dense);
    weir_grammar_destroy(b->sparse);
    weir_vocab_destroy(b->vocab);
}

/* Random logits of a type: normal in float, else bits whose exponents are those of 1 to 16. */
static void send_logits(bench *b, size_t count, weir_dtype dtype) {
    size_t size = dtype == WEIR_DTYPE_F32 ? 4 : 2;
    char *logits = static_cast<char *>(malloc(count * size));
    for (size_t i = 0; i < count; i++) {
        uint64_t bits = random_bits();
        float sum = 0.0f; /* nearly normal */
        for (int k = 0; k < 4; k++) sum += static_cast<float>(bits >> 16 * k & 0xFFFF) / 65536.0f - 0.5f;
        uint32_t value;
        sum *= 6.0f;
        memcpy(&value, &sum, sizeof value);
        uint16_t half = dtype == WEIR_DTYPE_BF16 ? static_cast<uint16_t>(value >> 16)
                                                 : static_cast<uint16_t>((value >> 16 & 0x8000) | ((((value >> 23 & 0xFF) - 112) << 10 | (value >> 13 & 0x3FF)) & 0x7FFF));
        if (dtype == WEIR_DTYPE_F32)
            memcpy(logits + i * size, &sum, size);
        else
            memcpy(logits + i * size, &half, size);
    }
    must(device_copy_in(b->logits, logits, count * size, b->stream), "logits");
    must(device_wait(b->stream), "waiting");
    free(logits);
}

static int read_list(const char *text, uint32_t *list) {
    int count = 0;
    for (char *end; *text != '\0' && count < LIST_MOST; text = *end == ',' ? end + 1 : end) list[count++] = static_cast<uint32_t>(strtoul(text, &end, 10));
    return count;
}

int main(int argument_count, char **arguments) {
    uint32_t rows[LIST_MOST] = {1, 8, 32, 128, 512}, columns[LIST_MOST] = {32000, 128256, 151936, 201088, 262144};
    int row_count = 5, column_count = 5;
    bool quick = false;
    for (int i = 1; i < argument_count; i++) {
        if (strcmp(arguments[i], "--quick") == 0) {
            quick = true;
        } else if (strcmp(arguments[i], "--rows") == 0 && i + 1 < argument_count) {
            row_count = read_list(arguments[++i], rows);
        } else if (strcmp(arguments[i], "--columns") == 0 && i + 1 < argument_count) {
            column_count = read_list(arguments[++i], columns);
        } else {
            fprintf(stderr, "usage: bench-step [--quick] [--rows N,...] [--columns N,...]\n");
            return 2;
        }
    }
    if (quick) columns[0] = 128256, column_count = 1;
    uint32_t rows_most = 0, columns_most = 0;
    for (int i = 0; i < row_count; i++) rows_most = rows[i] > rows_most ? rows[i] : rows_most;
    for (int i = 0; i < column_count; i++) columns_most = columns[i] > columns_most ? columns[i] : columns_most;
    bench b = {};
    void *block;
    b.cold_bytes = 256u << 20;
    must(device_stream_create(&b.stream), "a stream");
    must(device_allocate(&b.logits, static_cast<size_t>(rows_most) * columns_most * 4), "memory");
    must(device_allocate(&b.cold, b.cold_bytes), "memory");
    must(device_allocate(&block, rows_most * (sizeof(weir_sampling) + 2 * sizeof(int32_t))), "memory");
    b.sampling = static_cast<weir_sampling *>(block);
    b.slots = reinterpret_cast<int32_t *>(b.sampling + rows_most);
    b.tokens = b.slots + rows_most;
    int32_t *slots = static_cast<int32_t *>(malloc(rows_most * sizeof(int32_t)));
    for (uint32_t i = 0; i < rows_most; i++) slots[i] = static_cast<int32_t>(i);
    must(device_copy_in(b.slots, slots, rows_most * sizeof(int32_t), b.stream), "slots");
    must(device_wait(b.stream), "waiting");
    measure_device(&b);
    for (int c = 0; c < column_count; c++) {
        open_bench(&b, columns[c], rows_most);
        for (int dtype = quick ? 2 : 0; dtype < 3; dtype++) {
            send_logits(&b, static_cast<size_t>(rows_most) * columns[c], static_cast<weir_dtype>(dtype));
            for (int r = 0; r < row_count; r++)
                for (int kind = 0; kind < KINDS; kind++)
                    for (int setting = 0; setting < SETTINGS; setting++) measure(&b, rows[r], static_cast<weir_dtype>(dtype), kind, setting);
        }
        close_bench(&b);
    }
    free(slots);
    return 0;
}
