/* bench_step.cu - one step of a device sampler, and the same work as stacks do it today: one JSON line for each batch.
 *
 *   bench-step [--quick] [--rows N,...] [--columns N,...] [--dtypes NAME,...] [--kinds NAME,...] [--settings NAME,...]
 *              [--deviation D] [--seconds N] [--chain N] [--repeats N] [--singles N] [--pool-mib N]
 *
 * Rows, columns, types, kinds of rows and settings are those of step_rows.cuh; --quick takes 128,256 columns of bf16. The
 * logits are nearly normal with deviation D (3). Behind N --seconds no batch is begun, and the last line says how many were
 * left out. Times are microseconds a step:
 *
 *   graph_us   a graph of 64 chained steps, divided by 64: the median of repetitions; caches warm. graph_max_us: the slowest
 *   step_*     step_count steps of such graphs each by itself, between marks that cost what null_single_us says
 *   cold_us    one plain launch behind a read of twice the second-level cache; null_cold_us is the same of an empty kernel
 *   plain_us   64 plain launches, divided by 64
 *   wall_us    the host's clock: step, token to the host, wait
 *   stack_*    step_plain.cuh. graph, cold: kernels alone, the masks on the device; copy_graph: with the copy of the masks;
 *              wall: masks filled and copied, kernels, token to the host, wait, matchers moved; fill: the masks alone
 *
 * `allowed` tokens a row on the average; `bytes`: of sectors of 32 bytes that hold an allowed logit where a row allows more
 * than one, the least that must be read; of_copy: bytes / graph_us as a share of the bandwidth of a copy on this device;
 * times_null: graph_us over that of a graph of empty kernels. Before each repetition the rows are taken back to where they
 * began. Every token of the baseline is held against the masks, and where it is greedy against weir's. */
#include "arguments.cuh"
#include "step_plain.cuh"
#include "step_rows.cuh"

enum { CHECKS = 3 };

struct arguments {
    uint32_t rows[LIST_MOST], columns[LIST_MOST];
    int dtypes[DTYPES], kinds[KINDS], settings[SETTINGS];
    int row_count, column_count, dtype_count, kind_count, setting_count;
    double deviation, seconds;
    size_t pool_bytes; /* 0: as the library chooses */
    effort work;
};

/* All that is measured on, for one width. */
struct bench {
    stopwatch *watch;
    const arguments *given;
    uint32_t width, words;
    row_grammars grammars;
    patches host_patches;
    weir_sampler *sampler;
    void *memory;
    /* of the device: [most rows] and, of logits and masks, a row for each */
    void *logits, *plain_logits;
    int32_t *slots, *tokens;
    uint32_t *statuses, *moved, *one_count, *chain_count, *masks;
    weir_sampling *sampling;
    plain_params plain;
    /* of the host, pinned */
    uint32_t *host_masks;
    int32_t *host_tokens;
    weir_matcher **matchers;
};

/* One batch. */
struct batch {
    uint32_t rows;
    weir_dtype dtype;
    int kind, setting;
};

/* --- a width ------------------------------------------------------------------------------------------------------------ */

static uint32_t most_rows(const arguments *given) {
    uint32_t most = 0;
    for (int i = 0; i < given->row_count; i++) most = given->rows[i] > most ? given->rows[i] : most;
    return most;
}

static void open_sampler(bench *b, uint32_t rows) {
    weir_error error;
    weir_device_options device = WEIR_DEVICE_OPTIONS_INIT;
    weir_sampler_options options = WEIR_SAMPLER_OPTIONS_INIT;
    device.pool_bytes = b->given->pool_bytes;
    options.slot_count = rows;
    options.logits_width = b->width;
    options.device = &device;
    must_weir(weir_sampler_device_bytes(&options, &device.bytes, &error), &error);
    must(device_allocate(&b->memory, device.bytes), "memory for the sampler");
    device.memory = b->memory;
    must_weir(weir_sampler_create(&options, &b->sampler, &error), &error);
    must_weir(weir_sampler_set_stream(b->sampler, b->watch->stream, &error), &error);
}

static void open_plain(bench *b, uint32_t rows) {
    plain_params *p = &b->plain;
    uint32_t *prompt = device_array<uint32_t>(PROMPT_MOST);
    weir_logit_bias *bias = device_array<weir_logit_bias>(BIASES);
    *p = {};
    p->width = b->width;
    p->parts = (b->width + PLAIN_PART - 1) / PLAIN_PART;
    p->logits = b->plain_logits;
    p->mask_words = b->words;
    p->sampling = b->sampling;
    p->maxima = device_array<float>(static_cast<size_t>(rows) * p->parts);
    p->sums = device_array<float>(static_cast<size_t>(rows) * p->parts);
    p->tops = device_array<uint64_t>(static_cast<size_t>(rows) * p->parts);
    p->probabilities = device_array<float>(static_cast<size_t>(rows) * b->width);
    p->draws = device_array<uint32_t>(rows);
    p->tokens = b->tokens;
    p->prompt = prompt;
    p->bias = bias;
    must(device_fill(p->draws, 0, rows * sizeof(uint32_t), b->watch->stream), "memory");
    must(device_copy_in(prompt, b->host_patches.prompt, sizeof b->host_patches.prompt, b->watch->stream), "a prompt");
    must(device_copy_in(bias, b->host_patches.bias, sizeof b->host_patches.bias, b->watch->stream), "biases");
    must(device_wait(b->watch->stream), "waiting");
}

/* Numbers that rows are known by, and how many tokens are taken back. */
static void send_counts(bench *b, uint32_t rows) {
    int32_t *slots = host_array<int32_t>(rows);
    uint32_t *counts = host_array<uint32_t>(2 * rows);
    for (uint32_t i = 0; i < rows; i++) slots[i] = static_cast<int32_t>(i), counts[i] = 1, counts[rows + i] = b->given->work.chain;
    must(device_copy_in(b->slots, slots, rows * sizeof(int32_t), b->watch->stream), "slots");
    must(device_copy_in(b->one_count, counts, rows * sizeof(uint32_t), b->watch->stream), "counts");
    must(device_copy_in(b->chain_count, counts + rows, rows * sizeof(uint32_t), b->watch->stream), "counts");
    must(device_wait(b->watch->stream), "waiting");
    free(slots);
    free(counts);
}

static void open_bench(bench *b, stopwatch *watch, const arguments *given, uint32_t width) {
    uint32_t rows = most_rows(given);
    size_t logits = static_cast<size_t>(rows) * width * sizeof(float);
    *b = {};
    b->watch = watch;
    b->given = given;
    b->width = width;
    b->words = (width + 31) / 32;
    b->grammars = make_grammars(width);
    make_patches(&b->host_patches, width);
    b->logits = device_array<char>(logits);
    b->plain_logits = device_array<char>(logits);
    b->slots = device_array<int32_t>(rows);
    b->tokens = device_array<int32_t>(rows);
    b->statuses = device_array<uint32_t>(rows);
    b->moved = device_array<uint32_t>(rows);
    b->one_count = device_array<uint32_t>(rows);
    b->chain_count = device_array<uint32_t>(rows);
    b->masks = device_array<uint32_t>(static_cast<size_t>(rows) * b->words);
    b->sampling = device_array<weir_sampling>(rows);
    b->matchers = host_array<weir_matcher *>(rows);
    must(device_pin(reinterpret_cast<void **>(&b->host_masks), static_cast<size_t>(rows) * b->words * sizeof(uint32_t)), "pinned memory");
    must(device_pin(reinterpret_cast<void **>(&b->host_tokens), rows * sizeof(int32_t)), "pinned memory");
    open_sampler(b, rows);
    open_plain(b, rows);
    send_counts(b, rows);
}

static void close_bench(bench *b) {
    void *arrays[] = {b->logits, b->plain_logits, b->slots, b->tokens, b->statuses, b->moved, b->one_count, b->chain_count, b->masks,
                      b->sampling, b->plain.maxima, b->plain.sums, b->plain.tops, b->plain.probabilities, b->plain.draws,
                      const_cast<uint32_t *>(b->plain.prompt), const_cast<weir_logit_bias *>(b->plain.bias)};
    must(device_wait(b->watch->stream), "waiting");
    weir_sampler_destroy(b->sampler);
    must(device_free(b->memory), "memory");
    for (void *array : arrays) must(device_free(array), "memory");
    must(device_unpin(b->host_masks), "pinned memory");
    must(device_unpin(b->host_tokens), "pinned memory");
    free(b->matchers);
    free_grammars(&b->grammars);
}

static void send_logits(bench *b, weir_dtype dtype) {
    size_t count = static_cast<size_t>(most_rows(b->given)) * b->width, bytes = count * logit_bytes(dtype);
    char *logits = host_array<char>(bytes);
    random_state = 1;
    make_logits(logits, count, dtype, static_cast<float>(b->given->deviation));
    must(device_copy_in(b->logits, logits, bytes, b->watch->stream), "logits");
    must(device_wait(b->watch->stream), "waiting");
    free(logits);
}

/* --- a batch of weir's --------------------------------------------------------------------------------------------------- */

static weir_step step_of(const bench *b, const batch &batch) {
    weir_step step = WEIR_STEP_INIT;
    step.row_count = batch.rows;
    step.slots = b->slots;
    step.logits = b->logits;
    step.logits_stride = b->width;
    step.dtype = batch.dtype;
    step.sampling = b->sampling;
    step.tokens = b->tokens;
    step.statuses = b->statuses;
    return step;
}

static void bind_batch(bench *b, const batch &batch) {
    weir_sampling *sampling = host_array<weir_sampling>(batch.rows);
    for (uint32_t i = 0; i < batch.rows; i++) {
        bind_row(b->sampler, &b->grammars, i, kind_of_row(batch.kind, i), batch.setting == SETTING_ALL ? &b->host_patches : nullptr);
        sampling[i] = settings[batch.setting];
    }
    must(device_copy_in(b->sampling, sampling, batch.rows * sizeof(weir_sampling), b->watch->stream), "settings");
    must(device_wait(b->watch->stream), "waiting");
    free(sampling);
}

static void take_back(bench *b, const batch &batch, const uint32_t *counts) {
    weir_error error;
    must_weir(weir_sampler_rollback(b->sampler, b->slots, counts, batch.rows, b->moved, &error), &error);
}

/* Every row has drawn, and was taken back where it should be. */
static void check_statuses(bench *b, const batch &batch) {
    uint32_t *found = host_array<uint32_t>(2 * batch.rows);
    must(device_copy_out(found, b->statuses, batch.rows * sizeof(uint32_t), b->watch->stream), "statuses");
    must(device_copy_out(found + batch.rows, b->moved, batch.rows * sizeof(uint32_t), b->watch->stream), "statuses");
    must(device_wait(b->watch->stream), "waiting");
    for (uint32_t i = 0; i < 2 * batch.rows; i++) {
        if (found[i] == WEIR_ROW_STATUS_OK) continue;
        fprintf(stderr, "bench-step: row %u of \"%s\" has status %u%s: the figures would mean nothing\n", i % batch.rows,
                kind_names[batch.kind], found[i], i < batch.rows ? "" : " where it is taken back");
        exit(1);
    }
    free(found);
}

struct weir_times {
    spread graph, single, cold, plain, wall;
};

static weir_times time_weir(bench *b, const batch &batch) {
    weir_step step = step_of(b, batch);
    weir_error error;
    weir_times t;
    auto enqueue = [&] { must_weir(weir_sampler_step(b->sampler, &step, &error), &error); };
    auto back_one = [&] { take_back(b, batch, b->one_count); };
    auto back_chain = [&] { take_back(b, batch, b->chain_count); };
    for (uint32_t i = 0; i < b->given->work.chain; i++) enqueue(); /* for the first to be taken back */
    t.graph = time_graph(b->watch, back_chain, enqueue);
    t.plain = time_plain(b->watch, back_chain, enqueue);
    t.cold = time_cold(b->watch, back_one, enqueue);
    t.wall = time_by_host(b->watch, back_one, [&] {
        enqueue();
        must(device_copy_out(b->host_tokens, b->tokens, batch.rows * sizeof(int32_t), b->watch->stream), "tokens");
    });
    t.single = time_singles(b->watch, enqueue);
    check_statuses(b, batch);
    return t;
}

/* --- the same by the baseline ------------------------------------------------------------------------------------------- */

struct stack_times {
    spread graph, cold, copy_graph, wall, fill;
};

static void open_matchers(bench *b, const batch &batch) {
    for (uint32_t i = 0; i < batch.rows; i++) b->matchers[i] = make_matcher(&b->grammars, kind_of_row(batch.kind, i));
    b->plain.rows = batch.rows;
    b->plain.masks = batch.kind == ROWS_FREE ? nullptr : b->masks; /* stacks mask nothing where nobody asks for it */
    b->plain.prompt_count = batch.setting == SETTING_ALL ? b->host_patches.prompt_count : 0;
    b->plain.bias_count = batch.setting == SETTING_ALL ? static_cast<uint32_t>(BIASES) : 0;
}

static void close_matchers(bench *b, const batch &batch) {
    for (uint32_t i = 0; i < batch.rows; i++) weir_matcher_destroy(b->matchers[i]);
}

static void fill_masks(bench *b, const batch &batch) {
    weir_error error;
    if (b->plain.masks == nullptr) return;
    must_weir(weir_matcher_fill_masks(b->matchers, batch.rows, b->host_masks, b->words, nullptr, &error), &error);
}

static void copy_masks(bench *b, const batch &batch) {
    if (b->plain.masks == nullptr) return;
    must(device_copy_in(b->masks, b->host_masks, static_cast<size_t>(batch.rows) * b->words * sizeof(uint32_t), b->watch->stream), "masks");
}

/* The logits as the model left them: the baseline writes into its own. */
static void renew_logits(bench *b, const batch &batch) {
    must(device_copy(b->plain_logits, b->logits, static_cast<size_t>(batch.rows) * b->width * logit_bytes(batch.dtype), b->watch->stream), "logits");
}

static void plain_kernels(bench *b, const batch &batch) { plain_enqueue(b->watch->stream, b->plain, batch.dtype, settings[batch.setting]); }

/* Whole steps of a stack: the masks, the kernels, the tokens. */
static void plain_step(bench *b, const batch &batch) {
    fill_masks(b, batch);
    copy_masks(b, batch);
    plain_kernels(b, batch);
    must(device_copy_out(b->host_tokens, b->tokens, batch.rows * sizeof(int32_t), b->watch->stream), "tokens");
    must(device_wait(b->watch->stream), "waiting");
}

static void move_matchers(bench *b, const batch &batch) {
    weir_error error;
    weir_status status = weir_matcher_accept_tokens(b->matchers, reinterpret_cast<const uint32_t *>(b->host_tokens), batch.rows, nullptr, &error);
    if (status == WEIR_OK) return;
    fprintf(stderr, "bench-step: row %d: the baseline drew token %d: %s\n", error.row, error.row >= 0 ? b->host_tokens[error.row] : -1, error.message);
    exit(1);
}

/* The bits of a logit in the order of their values, NaN aside. */
static uint32_t ordered(const void *logits, size_t at, weir_dtype dtype) {
    uint32_t bits;
    if (dtype == WEIR_DTYPE_F32)
        memcpy(&bits, static_cast<const uint32_t *>(logits) + at, sizeof bits);
    else
        bits = static_cast<uint32_t>(static_cast<const uint16_t *>(logits)[at]) << 16;
    return bits >> 31 ? ~bits : bits | 0x80000000u;
}

/* Of the first row, as the baseline has masked it: fewer than top_k logits are larger than those of the tokens. */
static void check_top_k(bench *b, const batch &batch, const int32_t (&tokens)[2]) {
    char *row = host_array<char>(b->width * sizeof(float));
    must(device_copy_out(row, b->plain_logits, b->width * logit_bytes(batch.dtype), b->watch->stream), "logits");
    must(device_wait(b->watch->stream), "waiting");
    for (int32_t token : tokens) {
        uint32_t above = 0, own = ordered(row, static_cast<size_t>(token), batch.dtype);
        for (uint32_t i = 0; i < b->width; i++) above += ordered(row, i, batch.dtype) > own;
        if (above < settings[batch.setting].top_k) continue;
        fprintf(stderr, "bench-step: \"%s\", %u columns of %s, \"%s\": token %d (baseline's %d, weir's %d) has %u above it\n", kind_names[batch.kind],
                b->width, dtype_names[batch.dtype], setting_names[batch.setting], token, tokens[0], tokens[1], above);
        exit(1);
    }
    free(row);
}

static double value_of(const void *logits, size_t at, weir_dtype dtype) {
    if (dtype == WEIR_DTYPE_F32) return static_cast<double>(static_cast<const float *>(logits)[at]);
    uint32_t bits = static_cast<const uint16_t *>(logits)[at], magnitude = bits & 0x7FFF, exponent = magnitude >> 10;
    if (dtype == WEIR_DTYPE_BF16) {
        float value;
        bits <<= 16;
        memcpy(&value, &bits, sizeof value);
        return static_cast<double>(value);
    }
    double fraction = (magnitude & 0x3FF) + (exponent > 0 ? 1024.0 : 0.0);
    double value = exponent == 31 ? static_cast<double>(INFINITY) : ldexp(fraction, static_cast<int>(exponent > 0 ? exponent : 1) - 25);
    return bits >> 15 ? -value : value;
}

/* Of the first row, as the baseline has masked it: its probabilities are those of doubles. */
static void check_softmax(bench *b, const batch &batch) {
    char *row = host_array<char>(b->width * sizeof(float));
    float *found = host_array<float>(b->width);
    double largest = static_cast<double>(-INFINITY), sum = 0.0, scale = 1.0 / static_cast<double>(settings[batch.setting].temperature);
    must(device_copy_out(row, b->plain_logits, b->width * logit_bytes(batch.dtype), b->watch->stream), "logits");
    must(device_copy_out(found, b->plain.probabilities, b->width * sizeof(float), b->watch->stream), "probabilities");
    must(device_wait(b->watch->stream), "waiting");
    for (uint32_t i = 0; i < b->width; i++) largest = fmax(largest, value_of(row, i, batch.dtype));
    for (uint32_t i = 0; i < b->width; i++) sum += exp((value_of(row, i, batch.dtype) - largest) * scale);
    for (uint32_t i = 0; i < b->width; i++) {
        double right = exp((value_of(row, i, batch.dtype) - largest) * scale) / sum, off = fabs(static_cast<double>(found[i]) - right);
        if (off <= 1e-4 * right + 1e-9) continue;
        fprintf(stderr, "bench-step: \"%s\", %u columns of %s: the baseline gives token %u the probability %g, right is %g\n", kind_names[batch.kind],
                b->width, dtype_names[batch.dtype], i, static_cast<double>(found[i]), right);
        exit(1);
    }
    free(row);
    free(found);
}

/* Some steps of both: the baseline's tokens are allowed; from the same place, the greedy ones are the same and those of top-k
 * among the k; its probabilities are right. */
static void check_plain(bench *b, const batch &batch) {
    weir_step step = step_of(b, batch);
    weir_error error;
    int32_t *tokens = host_array<int32_t>(batch.rows);
    open_matchers(b, batch);
    for (int round = 0; round < CHECKS; round++) {
        renew_logits(b, batch);
        plain_step(b, batch);
        move_matchers(b, batch);
        memcpy(tokens, b->host_tokens, batch.rows * sizeof *tokens);
        must_weir(weir_sampler_step(b->sampler, &step, &error), &error);
        must(device_copy_out(b->host_tokens, b->tokens, batch.rows * sizeof(int32_t), b->watch->stream), "tokens");
        must(device_wait(b->watch->stream), "waiting");
        for (uint32_t i = 0; i < batch.rows; i++) {
            bool in_row = tokens[i] >= 0 && static_cast<uint32_t>(tokens[i]) < b->width;
            if (in_row && (batch.setting != SETTING_GREEDY || tokens[i] == b->host_tokens[i])) continue;
            fprintf(stderr, "bench-step: row %u of \"%s\", %u columns of %s, \"%s\": the baseline drew %d, weir %d\n", i, kind_names[batch.kind],
                    b->width, dtype_names[batch.dtype], setting_names[batch.setting], tokens[i], b->host_tokens[i]);
            exit(1);
        }
        if (round == 0 && batch.setting == SETTING_TEMPERATURE) check_softmax(b, batch);
        if (round == 0 && batch.setting == SETTING_TOP_K_TOP_P) check_top_k(b, batch, {tokens[0], b->host_tokens[0]});
    }
    close_matchers(b, batch);
    free(tokens);
}

static stack_times time_plain_stack(bench *b, const batch &batch) {
    stack_times t;
    auto kernels = [&] { plain_kernels(b, batch); };
    auto copy_and_kernels = [&] {
        copy_masks(b, batch);
        plain_kernels(b, batch);
    };
    open_matchers(b, batch);
    renew_logits(b, batch);
    fill_masks(b, batch);
    copy_masks(b, batch);
    t.graph = time_graph(b->watch, nothing_before, kernels);
    t.copy_graph = b->plain.masks != nullptr ? time_graph(b->watch, nothing_before, copy_and_kernels) : t.graph;
    t.cold = time_cold(b->watch, nothing_before, kernels);
    t.fill = time_by_host(b->watch, nothing_before, [&] { fill_masks(b, batch); });
    t.wall = time_by_host(b->watch, [&] { renew_logits(b, batch); }, [&] {
        plain_step(b, batch);
        move_matchers(b, batch);
    });
    close_matchers(b, batch);
    return t;
}

/* --- figures ------------------------------------------------------------------------------------------------------------- */

struct row_sizes {
    double allowed, bytes; /* of all rows */
};

/* What the rows allow where they stand, by weir's own masks. */
static row_sizes size_rows(bench *b, const batch &batch) {
    size_t words = static_cast<size_t>(batch.rows) * b->words;
    uint32_t per_sector = 32 / static_cast<uint32_t>(logit_bytes(batch.dtype));
    weir_error error;
    row_sizes sizes = {0.0, 0.0};
    must_weir(weir_sampler_masks(b->sampler, b->slots, batch.rows, b->masks, b->words, &error), &error);
    must(device_copy_out(b->host_masks, b->masks, words * sizeof(uint32_t), b->watch->stream), "masks");
    must(device_wait(b->watch->stream), "waiting");
    for (uint32_t row = 0; row < batch.rows; row++) {
        const uint32_t *mask = b->host_masks + static_cast<size_t>(row) * b->words;
        uint32_t allowed = 0, sectors = 0;
        for (uint32_t word = 0; word < b->words; word++) {
            allowed += static_cast<uint32_t>(__builtin_popcount(mask[word]));
            for (uint32_t bit = 0; bit < 32; bit += per_sector) sectors += (mask[word] >> bit & ((1u << (per_sector - 1)) * 2 - 1)) != 0;
        }
        sizes.allowed += allowed;
        sizes.bytes += allowed > 1 ? 32.0 * sectors : 0.0;
    }
    return sizes;
}

static void print_batch(const bench *b, const batch &batch, const row_sizes &sizes, const weir_times &t, const stack_times &s) {
    const stopwatch *w = b->watch;
    printf("{\"bench\": \"step\", \"device\": \"%s\", \"rows\": %u, \"columns\": %u, \"dtype\": \"%s\", \"kind\": \"%s\", \"settings\": \"%s\", "
           "\"allowed\": %.1f, \"bytes\": %.0f, ",
           w->facts.name, batch.rows, b->width, dtype_names[batch.dtype], kind_names[batch.kind], setting_names[batch.setting],
           sizes.allowed / batch.rows, sizes.bytes);
    printf("\"graph_us\": %.3f, \"graph_max_us\": %.3f, \"step_p50_us\": %.3f, \"step_p99_us\": %.3f, \"step_p99.9_us\": %.3f, \"step_count\": %u, "
           "\"cold_us\": %.3f, \"cold_max_us\": %.3f, \"plain_us\": %.3f, \"wall_us\": %.3f, ",
           t.graph.p50, t.graph.most, t.single.p50, t.single.p99, t.single.p999, t.single.count, t.cold.p50, t.cold.most, t.plain.p50, t.wall.p50);
    printf("\"floor_us\": %.3f, \"of_copy\": %.4f, \"times_null\": %.3f, ", sizes.bytes / w->copy_bytes_per_us,
           sizes.bytes / t.graph.p50 / w->copy_bytes_per_us, t.graph.p50 / w->null_graph.p50);
    printf("\"stack_graph_us\": %.3f, \"stack_copy_graph_us\": %.3f, \"stack_cold_us\": %.3f, \"stack_wall_us\": %.3f, \"stack_fill_us\": %.3f}\n",
           s.graph.p50, s.copy_graph.p50, s.cold.p50, s.wall.p50, s.fill.p50);
    fflush(stdout);
}

static void measure(bench *b, const batch &batch) {
    bind_batch(b, batch);
    row_sizes sizes = size_rows(b, batch);
    check_plain(b, batch);
    bind_batch(b, batch);
    weir_times times = time_weir(b, batch);
    stack_times stack = time_plain_stack(b, batch);
    print_batch(b, batch, sizes, times, stack);
}

/* --- the program ------------------------------------------------------------------------------------------------------------ */

/* NULL, or what the flag expects. */
static const char *read_flag(const char *flag, const char *value, arguments *out) {
    double number = 0.0;
    bool good = true;
    if (strcmp(flag, "--rows") == 0) return read_numbers(value, 1u << 24, out->rows, &out->row_count) ? nullptr : "up to 8 numbers and commas";
    if (strcmp(flag, "--columns") == 0) {
        good = read_numbers(value, 1u << 24, out->columns, &out->column_count);
        for (int i = 0; i < out->column_count && good; i++) good = out->columns[i] % 8 == 0 && out->columns[i] > 512;
        return good ? nullptr : "up to 8 multiples of 8 above 512, and commas";
    }
    if (strcmp(flag, "--dtypes") == 0) return read_names(value, dtype_names, DTYPES, out->dtypes, &out->dtype_count) ? nullptr : "of f32,f16,bf16";
    if (strcmp(flag, "--kinds") == 0)
        return read_names(value, kind_names, KINDS, out->kinds, &out->kind_count) ? nullptr : "of free,dense,sparse,forced,mixed";
    if (strcmp(flag, "--settings") == 0)
        return read_names(value, setting_names, SETTINGS, out->settings, &out->setting_count) ? nullptr : "of greedy,temperature,top_p,top_k_top_p,all";
    if (strcmp(flag, "--deviation") == 0) return read_number(value, 0.1, 10.0, &out->deviation) ? nullptr : "0.1 to 10";
    if (strcmp(flag, "--seconds") == 0) return read_number(value, 0.0, 1e6, &out->seconds) ? nullptr : "a number";
    if (strcmp(flag, "--chain") == 0) good = read_number(value, 1.0, 250.0, &number), out->work.chain = static_cast<uint32_t>(number);
    else if (strcmp(flag, "--repeats") == 0) good = read_number(value, 1.0, 1e6, &number), out->work.repeats = static_cast<uint32_t>(number);
    else if (strcmp(flag, "--singles") == 0) good = read_number(value, 1.0, 1e6, &number), out->work.singles = static_cast<uint32_t>(number);
    else if (strcmp(flag, "--pool-mib") == 0) good = read_number(value, 1.0, 1e5, &number), out->pool_bytes = static_cast<size_t>(number) << 20;
    else return "a flag that the head of bench/bench_step.cu lists";
    if (out->work.least > out->work.repeats) out->work.least = out->work.repeats;
    return good ? nullptr : "a number: --chain up to 250";
}

/* The one flag without a value. */
static bool read_quick(const char *flag, arguments *out) {
    if (strcmp(flag, "--quick") != 0) return false;
    out->columns[0] = 128256, out->column_count = 1;
    out->dtypes[0] = WEIR_DTYPE_BF16, out->dtype_count = 1;
    out->work.least = 3, out->work.budget_us = 2e4;
    return true;
}

int main(int argument_count, char **texts) {
    arguments given = {{1, 8, 32, 128, 512}, {32000, 128256, 151936, 201088, 262144}, {0, 1, 2}, {0, 1, 2, 3, 4}, {0, 1, 2, 3, 4}, 5, 5, 3, 5, 5, 3.0, 1e6, 0, {64, 21, 5, 1024, 1e5}};
    static stopwatch watch;
    static bench b;
    uint32_t left_out = 0, printed = 0;
    double started = host_us();
    if (!read_flags("bench-step", argument_count, texts, read_quick, read_flag, &given)) return 2;
    stopwatch_open(&watch, "step-device", given.work);
    for (int c = 0; c < given.column_count; c++) {
        open_bench(&b, &watch, &given, given.columns[c]);
        for (int d = 0; d < given.dtype_count; d++) {
            send_logits(&b, static_cast<weir_dtype>(given.dtypes[d]));
            for (int i = 0; i < given.row_count * given.kind_count * given.setting_count; i++) {
                int of_rows = i / given.setting_count;
                batch batch = {given.rows[of_rows / given.kind_count], static_cast<weir_dtype>(given.dtypes[d]), given.kinds[of_rows % given.kind_count],
                               given.settings[i % given.setting_count]};
                bool begins = host_us() - started < given.seconds * 1e6;
                if (begins) measure(&b, batch);
                printed += begins;
                left_out += !begins;
            }
        }
        close_bench(&b);
    }
    printf("{\"bench\": \"step-end\", \"device\": \"%s\", \"batches\": %u, \"left_out\": %u, \"seconds\": %.1f}\n", watch.facts.name, printed, left_out,
           (host_us() - started) / 1e6);
    stopwatch_close(&watch);
    return 0;
}
