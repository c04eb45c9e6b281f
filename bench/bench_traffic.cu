/* bench_traffic.cu - traces of real constraints replayed on a device sampler whose rows join and leave: which kinds of rows
 * there are, and how long the steps take.
 *
 *   bench-traffic [--data DIR | --made-up] [--vocab FILE | --columns N] [--schemas N] [--slots N,...] [--steps N] [--seconds N]
 *                 [--pool-mib N]
 *
 * Traces are those of traffic.h: of the schemas in DIR (WEIR_DATA), else, or with --made-up, of schemas that are made up; the
 * vocabulary is FILE, DIR's llama3, or with --columns one that is made up. Before each step a row's logits are noise with the
 * trace's next token far above it, and the settings are temperature 0.8 and top-p 0.95; every token that the device draws is
 * held against the trace. A slot whose trace has ended is idle for up to three steps, then bound to the next. "traffic-rows"
 * lines say which share of the rows is of each kind, and how many tokens they allow; a "traffic" line, for a number of slots,
 * microseconds of one step as part of a graph captured before any slot was bound (p50, p99, p99.9, most), and of binding a
 * slot by the host's clock. */
#include "bench/traffic.h"
#include "arguments.cuh"
#include "step_rows.cuh"

enum { IDLE_MOST = 3, SIZES = 5 };
enum : uint16_t { FAR_ABOVE = 0x4220 /* 40, as a bfloat16; the noise has deviation 3 */ };

static const char *const traffic_kind_names[TRAFFIC_KINDS] = {"forced", "stop", "list", "base", "bitmap", "full"};
static const uint32_t sizes[SIZES] = {1, 16, 256, 8192, UINT32_MAX}; /* tokens allowed, at most */

struct arguments {
    const char *data, *vocab;
    bool made_up;
    uint32_t columns, schemas, steps, slots[LIST_MOST];
    int slots_count;
    double seconds;
    size_t pool_bytes; /* 0: as the library chooses */
};

/* --- the replay ------------------------------------------------------------------------------------------------------- */

/* Logits of the next step: the token of the last one is noise again, that of the next stands far above it. */
struct steer_params {
    uint16_t *logits; /* [rows, width] */
    uint64_t width;
    const int32_t *next; /* [rows]; -1: none */
    int32_t *last;       /* [rows] */
    uint16_t *noise;     /* [rows] of the last token */
    uint32_t rows;
};
static KERNEL(WARP) steer_kernel(PARAMS(steer_params, p)) {
    uint32_t row = cluster_index() * WARP + thread_index();
    if (row >= p.rows) return;
    uint16_t *logits = p.logits + row * p.width;
    int32_t next = p.next[row];
    if (p.last[row] >= 0) logits[p.last[row]] = p.noise[row];
    p.last[row] = next;
    if (next < 0) return;
    p.noise[row] = logits[next];
    logits[next] = FAR_ABOVE;
}

/* Where a slot is in its trace. */
struct place {
    const traffic_trace *trace; /* NULL: idle */
    uint32_t at, idle;
};

struct replay {
    stopwatch *watch;
    const traffic *set;
    uint32_t slots, width;
    weir_sampler *sampler;
    void *memory;
    uint16_t *logits, *noise;
    int32_t *device_next, *device_slots, *last, *device_tokens;
    weir_sampling *sampling;
    int32_t *next, *rows, *tokens; /* pinned: the next tokens, and of the batch the slots and what they drew */
    place *places;
    uint32_t trace, binds, refused;
    uint64_t replayed, dense;
    double *bind_us, *step_us;
};

static void open_replay(replay *r, stopwatch *watch, const traffic *traffic, uint32_t slots, const arguments *given) {
    weir_device_options device = WEIR_DEVICE_OPTIONS_INIT;
    weir_sampler_options options = WEIR_SAMPLER_OPTIONS_INIT;
    weir_error error;
    *r = {};
    r->watch = watch, r->set = traffic, r->slots = slots;
    r->width = weir_vocab_logits_width(traffic->vocab);
    device.pool_bytes = given->pool_bytes;
    options.slot_count = slots;
    options.logits_width = r->width;
    options.device = &device;
    must_weir(weir_sampler_device_bytes(&options, &device.bytes, &error), &error);
    must(device_allocate(&r->memory, device.bytes), "memory for the sampler");
    device.memory = r->memory;
    must_weir(weir_sampler_create(&options, &r->sampler, &error), &error);
    must_weir(weir_sampler_set_stream(r->sampler, watch->stream, &error), &error);
    size_t count = static_cast<size_t>(slots) * r->width;
    uint16_t *logits = host_array<uint16_t>(count);
    weir_sampling *sampling = host_array<weir_sampling>(slots);
    random_state = 1;
    make_logits(logits, count, WEIR_DTYPE_BF16, 3.0f);
    for (uint32_t i = 0; i < slots; i++) sampling[i] = settings[SETTING_TOP_P];
    r->logits = device_array<uint16_t>(count);
    r->noise = device_array<uint16_t>(slots);
    r->device_next = device_array<int32_t>(slots);
    r->device_slots = device_array<int32_t>(slots);
    r->last = device_array<int32_t>(slots);
    r->device_tokens = device_array<int32_t>(slots);
    r->sampling = device_array<weir_sampling>(slots);
    must(device_pin(reinterpret_cast<void **>(&r->next), 3 * slots * sizeof(int32_t)), "pinned memory");
    r->rows = r->next + slots;
    r->tokens = r->rows + slots;
    r->places = host_array<place>(slots);
    r->step_us = host_array<double>(given->steps);
    r->bind_us = host_array<double>(static_cast<size_t>(given->steps) * slots);
    must(device_copy_in(r->logits, logits, count * sizeof(uint16_t), watch->stream), "logits");
    must(device_copy_in(r->sampling, sampling, slots * sizeof(weir_sampling), watch->stream), "settings");
    must(device_fill(r->last, 0xFF, slots * sizeof(int32_t), watch->stream), "memory");
    must(device_wait(watch->stream), "waiting");
    free(logits);
    free(sampling);
}

static void close_replay(replay *r) {
    void *arrays[] = {r->memory, r->logits, r->noise, r->device_next, r->device_slots, r->last, r->device_tokens, r->sampling};
    must(device_wait(r->watch->stream), "waiting");
    weir_sampler_destroy(r->sampler);
    for (void *array : arrays) must(device_free(array), "memory");
    must(device_unpin(r->next), "pinned memory");
    free(r->places);
    free(r->step_us);
    free(r->bind_us);
}

/* The next trace joins; a grammar that does not fit a slot is left out and counted. */
static void join(replay *r, uint32_t slot) {
    weir_slot_options options = WEIR_SLOT_OPTIONS_INIT;
    weir_error error;
    const traffic_trace *trace = &r->set->traces[r->trace++ % r->set->trace_count];
    options.grammar = trace->grammar;
    options.seed = r->trace;
    double from = host_us();
    weir_status status = weir_sampler_bind(r->sampler, slot, &options, &error);
    if (status == WEIR_ERROR_MEMORY && r->refused < r->set->trace_count) {
        r->refused++;
        return;
    }
    must_weir(status, &error);
    r->bind_us[r->binds++] = host_us() - from;
    r->places[slot] = {trace, 0, 0};
}

/* Rows of one step. Slots begin one after the other, so that they do not end at once. */
static void choose_rows(replay *r, uint32_t step) {
    for (uint32_t slot = 0; slot < r->slots; slot++) {
        place *p = &r->places[slot];
        if (p->trace != nullptr && p->at == p->trace->count) *p = {nullptr, 0, static_cast<uint32_t>(random_bits() % (IDLE_MOST + 1))};
        if (p->trace == nullptr && p->idle > 0)
            p->idle--;
        else if (p->trace == nullptr && step >= slot % 16)
            join(r, slot);
        r->rows[slot] = p->trace != nullptr ? static_cast<int32_t>(slot) : -1;
        r->next[slot] = p->trace != nullptr ? static_cast<int32_t>(p->trace->steps[p->at].token) : -1;
    }
}

/* The tokens are those of the traces. */
static void check_tokens(replay *r) {
    for (uint32_t slot = 0; slot < r->slots; slot++) {
        place *p = &r->places[slot];
        if (p->trace == nullptr) continue;
        const traffic_step *step = &p->trace->steps[p->at++];
        r->replayed++;
        r->dense += step->kind >= TRAFFIC_BASE;
        if (r->tokens[slot] == static_cast<int32_t>(step->token)) continue;
        fprintf(stderr, "bench-traffic: slot %u: step %u of its trace took token %u of %u allowed, the device drew %d\n", slot, p->at - 1, step->token,
                step->allowed, r->tokens[slot]);
        exit(1);
    }
}

static uint32_t run_replay(replay *r, const arguments *given) {
    weir_step step = WEIR_STEP_INIT;
    weir_error error;
    device_graph graph = {};
    device_stream stream = r->watch->stream;
    mark *begin = &r->watch->marks[0], *end = &r->watch->marks[1];
    size_t bytes = r->slots * sizeof(int32_t);
    step.row_count = r->slots, step.slots = r->device_slots;
    step.logits = r->logits, step.logits_stride = r->width, step.dtype = WEIR_DTYPE_BF16;
    step.sampling = r->sampling, step.tokens = r->device_tokens;
    auto enqueue = [&](bool captured) {
        launch_shape shape = {(r->slots + WARP - 1) / WARP, 1, WARP, 0, false};
        steer_params params = {r->logits, r->width, r->device_next, r->last, r->noise, r->slots};
        must(device_launch(steer_kernel, shape, stream, params), "the next token");
        must(mark_set(begin, stream, captured), "a mark");
        must_weir(weir_sampler_step(r->sampler, &step, &error), &error);
        must(mark_set(end, stream, captured), "a mark");
    };
    must(device_fill(r->device_next, 0xFF, bytes, stream), "memory");
    must(device_fill(r->device_slots, 0xFF, bytes, stream), "memory");
    enqueue(false); /* idle rows: the kernels are loaded before a graph is captured */
    must(device_wait(stream), "waiting");
    if (GRAPHS_HOLD_MARKS) {
        must(device_capture_begin(stream), "a graph");
        enqueue(true);
        must(device_capture_end(stream, &graph), "a graph");
    }
    double started = host_us();
    uint32_t done = 0;
    for (; done < given->steps && host_us() - started < given->seconds * 1e6; done++) {
        choose_rows(r, done);
        must(device_copy_in(r->device_next, r->next, bytes, stream), "the next tokens");
        must(device_copy_in(r->device_slots, r->rows, bytes, stream), "slots");
        if (GRAPHS_HOLD_MARKS)
            must(device_graph_launch(graph, stream), "a graph");
        else
            enqueue(false);
        must(device_copy_out(r->tokens, r->device_tokens, bytes, stream), "tokens");
        must(device_wait(stream), "waiting");
        must(mark_between(*begin, *end, &r->step_us[done]), "the time");
        check_tokens(r);
    }
    if (GRAPHS_HOLD_MARKS) device_graph_destroy(graph);
    return done;
}

static void replay_slots(stopwatch *watch, const traffic *traffic, uint32_t slots, const arguments *given) {
    static replay r;
    open_replay(&r, watch, traffic, slots, given);
    uint32_t done = run_replay(&r, given);
    spread steps = spread_of(r.step_us, done), binds = spread_of(r.bind_us, r.binds);
    double rows = static_cast<double>(r.replayed);
    printf("{\"bench\": \"traffic\", \"device\": \"%s\", \"source\": \"%s\", \"columns\": %u, \"dtype\": \"bf16\", \"settings\": \"top_p\", "
           "\"slots\": %u, \"steps\": %u, \"rows\": %.0f, \"rows_a_step\": %.2f, \"dense_share\": %.4f, \"joined\": %u, \"unbindable\": %u, "
           "\"step_p50_us\": %.3f, \"step_p99_us\": %.3f, \"step_p99.9_us\": %.3f, \"step_max_us\": %.3f, \"bind_p50_us\": %.3f, \"bind_p99_us\": %.3f}\n",
           watch->facts.name, traffic->source, r.width, slots, done, rows, done > 0 ? rows / done : 0.0, rows > 0 ? static_cast<double>(r.dense) / rows : 0.0,
           r.binds, r.refused, steps.p50, steps.p99, steps.p999, steps.most, binds.p50, binds.p99);
    fflush(stdout);
    close_replay(&r);
}

/* --- kinds of rows ------------------------------------------------------------------------------------------------------- */

static void print_rows(const traffic *traffic, const char *device, const char *vocab_name, bool documents) {
    uint64_t kinds[TRAFFIC_KINDS] = {}, by_size[SIZES] = {}, rows = 0;
    uint32_t traces = 0;
    for (uint32_t i = 0; i < traffic->trace_count; i++) {
        const traffic_trace *trace = &traffic->traces[i];
        if (trace->document != documents) continue;
        traces++;
        for (uint32_t k = 0; k < trace->count; k++) {
            int size = 0;
            while (trace->steps[k].allowed > sizes[size]) size++;
            kinds[trace->steps[k].kind]++;
            by_size[size]++;
            rows++;
        }
    }
    double all = rows > 0 ? static_cast<double>(rows) : 1.0;
    printf("{\"bench\": \"traffic-rows\", \"device\": \"%s\", \"source\": \"%s\", \"vocabulary\": \"%s\", \"columns\": %u, \"schemas\": %u, \"refused\": %u, "
           "\"traces\": \"%s\", \"trace_count\": %u, \"rows\": %.0f",
           device, traffic->source, vocab_name, weir_vocab_logits_width(traffic->vocab), traffic->grammar_count, traffic->refused,
           documents ? "documents" : "random walks", traces, static_cast<double>(rows));
    for (int i = 0; i < TRAFFIC_KINDS; i++) printf(", \"%s\": %.4f", traffic_kind_names[i], static_cast<double>(kinds[i]) / all);
    for (int i = 0; i + 1 < SIZES; i++) printf(", \"allow_up_to_%u\": %.4f", sizes[i], static_cast<double>(by_size[i]) / all);
    printf(", \"allow_more\": %.4f}\n", static_cast<double>(by_size[SIZES - 1]) / all);
    fflush(stdout);
}

/* --- the program ----------------------------------------------------------------------------------------------------------- */

static bool read_count(const char *text, unsigned long most, uint32_t *out) {
    char *end;
    unsigned long value = strtoul(text, &end, 10);
    *out = static_cast<uint32_t>(value);
    return end != text && *end == '\0' && value > 0 && value <= most;
}

/* NULL, or what the flag expects. */
static const char *read_flag(const char *flag, const char *value, arguments *out) {
    uint32_t number = 0;
    if (strcmp(flag, "--data") == 0) return out->data = value, nullptr;
    if (strcmp(flag, "--vocab") == 0) return out->vocab = value, nullptr;
    if (strcmp(flag, "--columns") == 0) return read_count(value, 1u << 24, &out->columns) && out->columns >= 512 ? nullptr : "512 or more";
    if (strcmp(flag, "--schemas") == 0) return read_count(value, 1u << 20, &out->schemas) ? nullptr : "a number";
    if (strcmp(flag, "--steps") == 0) return read_count(value, 1u << 24, &out->steps) ? nullptr : "a number";
    if (strcmp(flag, "--slots") == 0) return read_numbers(value, 1u << 16, out->slots, &out->slots_count) ? nullptr : "up to 8 numbers and commas";
    if (strcmp(flag, "--pool-mib") == 0) {
        bool good = read_count(value, 1u << 17, &number);
        out->pool_bytes = static_cast<size_t>(number) << 20;
        return good ? nullptr : "a number";
    }
    if (strcmp(flag, "--seconds") == 0) {
        bool good = read_count(value, 1u << 20, &number);
        out->seconds = number;
        return good ? nullptr : "a number";
    }
    return "a flag that the head of bench/bench_traffic.cu lists";
}

/* The one flag without a value. */
static bool read_made_up(const char *flag, arguments *out) {
    if (strcmp(flag, "--made-up") != 0) return false;
    return out->made_up = true;
}

static bool read_arguments(int count, char **texts, arguments *out) {
    *out = {getenv("WEIR_DATA"), nullptr, false, 0, 500, 2000, {32, 128}, 2, 1e6, 0};
    if (!read_flags("bench-traffic", count, texts, read_made_up, read_flag, out)) return false;
    if (out->made_up || (out->data != nullptr && out->data[0] == '\0')) out->data = nullptr;
    if (out->data == nullptr && out->vocab == nullptr && out->columns == 0) out->columns = 128256;
    return true;
}

static weir_vocab *open_vocab(const arguments *given, char *name, size_t capacity) {
    char path[1200];
    weir_vocab *vocab;
    weir_error error;
    if (given->columns != 0) {
        snprintf(name, capacity, "made up");
        return make_vocab(given->columns);
    }
    if (given->vocab != nullptr) snprintf(path, sizeof path, "%s", given->vocab);
    else snprintf(path, sizeof path, "%s/tokenizers/llama3.tiktoken.gz", given->data);
    const char *slash = strrchr(path, '/');
    snprintf(name, capacity, "%s", slash != nullptr ? slash + 1 : path);
    must_weir(weir_vocab_load(path, nullptr, &vocab, &error), &error);
    return vocab;
}

int main(int argument_count, char **texts) {
    arguments given;
    static stopwatch watch;
    const effort work = {64, 21, 5, 256, 1e5};
    traffic traffic;
    char vocab_name[256];
    if (!read_arguments(argument_count, texts, &given)) return 2;
    weir_vocab *vocab = open_vocab(&given, vocab_name, sizeof vocab_name);
    if (!traffic_make("bench-traffic", vocab, given.data, given.schemas, &traffic)) return 1;
    stopwatch_open(&watch, "traffic-device", work);
    if (given.data != nullptr) print_rows(&traffic, watch.facts.name, vocab_name, true);
    print_rows(&traffic, watch.facts.name, vocab_name, false);
    for (int i = 0; i < given.slots_count; i++) replay_slots(&watch, &traffic, given.slots[i], &given);
    stopwatch_close(&watch);
    traffic_free(&traffic);
    weir_vocab_destroy(vocab);
    return 0;
}
