/* timing.cuh - what benches ask of a device and the library does not: its name, its cache, pinned memory, and time.
 *
 * On the emulated device the same calls give the host's time for emulating, which says nothing of a GPU: every line that is
 * printed names its device, and that one is called "emulator". */
#ifndef WEIR_BENCH_TIMING_CUH
#define WEIR_BENCH_TIMING_CUH

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "kernels/device.cuh"
#include "weir.h"

static inline void must(int code, const char *what) {
    if (code == 0) return;
    fprintf(stderr, "%s: %s\n", what, device_error_name(code));
    exit(1);
}

static inline void must_weir(weir_status status, const weir_error *error) {
    if (status == WEIR_OK) return;
    fprintf(stderr, "%s: %s\n", weir_status_name(status), error->message);
    exit(1);
}

static inline void *must_allocate(size_t bytes) {
    void *memory = calloc(1, bytes);
    if (memory != nullptr) return memory;
    fprintf(stderr, "out of memory: %zu bytes\n", bytes);
    exit(1);
}

template <typename T> static T *host_array(size_t count) { return static_cast<T *>(must_allocate(count * sizeof(T))); }
template <typename T> static T *device_array(size_t count) {
    void *memory;
    must(device_allocate(&memory, count * sizeof(T)), "memory of the device");
    return static_cast<T *>(memory);
}

static inline double host_us() {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return static_cast<double>(time.tv_sec) * 1e6 + static_cast<double>(time.tv_nsec) * 1e-3;
}

/* --- the device ----------------------------------------------------------------------------------------------------- */

struct device_facts {
    char name[256];
    size_t cache_bytes; /* of the second level */
    size_t copy_bytes;  /* that a copy moves whose bandwidth counts */
};

/* A moment in a stream. In a graph that is captured too, where GRAPHS_HOLD_MARKS. */
struct mark {
    device_event event;
    double host; /* microseconds, on the emulator */
};

#ifdef __CUDACC__
enum : bool { GRAPHS_HOLD_MARKS = true };

static inline int device_facts_of(device_facts *out) {
    int device = 0, error = cudaGetDevice(&device);
    cudaDeviceProp properties;
    if (error == 0) error = cudaGetDeviceProperties(&properties, device);
    if (error != 0) return error;
    snprintf(out->name, sizeof out->name, "%s", properties.name);
    out->cache_bytes = static_cast<size_t>(properties.l2CacheSize);
    out->copy_bytes = properties.totalGlobalMem > static_cast<size_t>(16) << 30 ? static_cast<size_t>(1) << 30 : static_cast<size_t>(1) << 28;
    return 0;
}

/* Memory of the host that copies read while the host goes on. */
static inline int device_pin(void **out, size_t bytes) { return cudaMallocHost(out, bytes); }
static inline int device_unpin(void *memory) { return cudaFreeHost(memory); }

static inline int mark_create(mark *m) { return cudaEventCreate(&m->event); }
static inline int mark_set(mark *m, device_stream stream, bool captured) {
    return cudaEventRecordWithFlags(m->event, stream, captured ? cudaEventRecordExternal : cudaEventRecordDefault);
}
/* After both have passed. */
static inline int mark_between(const mark &from, const mark &to, double *us) {
    float milliseconds = 0.0f;
    int error = cudaEventElapsedTime(&milliseconds, from.event, to.event);
    *us = static_cast<double>(milliseconds) * 1000.0;
    return error;
}
#else
enum : bool { GRAPHS_HOLD_MARKS = false };

static inline int device_facts_of(device_facts *out) {
    device_facts facts = {"emulator", 2048, 1 << 16};
    *out = facts;
    return 0;
}

static inline int device_pin(void **out, size_t bytes) {
    *out = calloc(1, bytes);
    return *out == nullptr;
}
static inline int device_unpin(void *memory) {
    free(memory);
    return 0;
}

static inline int mark_create(mark *m) { return device_event_create(&m->event); }
/* Runs what was enqueued before: else it would be counted with what comes behind. */
static inline int mark_set(mark *m, device_stream stream, bool) {
    int error = device_wait(stream);
    m->host = host_us();
    return error;
}
static inline int mark_between(const mark &from, const mark &to, double *us) {
    *us = to.host - from.host;
    return 0;
}
#endif

static inline void mark_destroy(mark *m) { device_event_destroy(m->event); }

/* --- spreads of times ------------------------------------------------------------------------------------------------ */

struct spread {
    double p50, p99, p999, most;
    uint32_t count;
};

static inline int by_value(const void *a, const void *b) {
    double x = *static_cast<const double *>(a), y = *static_cast<const double *>(b);
    return (x > y) - (x < y);
}

/* The nearest rank of a share of sorted values. */
static inline double ranked(const double *values, size_t count, double share) {
    size_t rank = static_cast<size_t>(ceil(share * static_cast<double>(count)));
    return values[rank > 0 ? rank - 1 : 0];
}

static inline spread spread_of(double *values, size_t count) {
    if (count == 0) return {0.0, 0.0, 0.0, 0.0, 0};
    qsort(values, count, sizeof *values, by_value);
    return {ranked(values, count, 0.5), ranked(values, count, 0.99), ranked(values, count, 0.999), values[count - 1],
            static_cast<uint32_t>(count)};
}

/* --- timing ------------------------------------------------------------------------------------------------------------ */

/* How often things are repeated. */
struct effort {
    uint32_t chain;   /* steps in a graph */
    uint32_t repeats; /* of whole graphs, and of what is timed cold or by the host; at most */
    uint32_t least;   /* whatever the time */
    uint32_t singles; /* steps timed each by itself, in whole chains; fewer where they take ten times the budget */
    double budget_us; /* for the repetitions of one figure */
};

struct read_params {
    const vector16 *from;
    size_t count;
    uint32_t *sink;
};

/* Reads all of it, so that the cache is full of what nobody wants and nothing in it must be written back. */
static KERNEL(256) read_kernel(PARAMS(read_params, p)) {
    uint32_t sum = 0;
    for (size_t i = static_cast<size_t>(cluster_index()) * block_threads() + thread_index(); i < p.count;
         i += static_cast<size_t>(cluster_count()) * block_threads()) {
        vector16 v = load_once(p.from + i);
        sum += v.words[0] ^ v.words[1] ^ v.words[2] ^ v.words[3];
    }
    if (sum == 0x9E3779B9u) *p.sink = sum; /* or the loads would go */
}

struct null_params {
    uint32_t nothing;
};
static KERNEL(32) null_kernel(PARAMS(null_params, p)) { (void)p; }

/* What all figures of a run stand beside. */
struct stopwatch {
    device_facts facts;
    device_limits limits;
    device_stream stream;
    effort work;
    char *cold; /* twice the second-level cache */
    uint32_t *sink;
    mark *marks; /* [chain + 1] */
    double copy_bytes_per_us, read_bytes_per_us; /* a copy counts what it reads and what it writes */
    spread null_graph, null_single, null_cold, null_plain, null_wall;
};

static inline size_t cold_bytes(const stopwatch *w) { return (2 * w->facts.cache_bytes + 255) / 256 * 256; }

static inline void read_all(stopwatch *w, const void *from, size_t bytes) {
    launch_shape shape = {8 * w->limits.multiprocessors, 1, 256, 0, false};
    if (bytes < static_cast<size_t>(shape.clusters) * 256 * sizeof(vector16)) shape.clusters = 1;
    read_params params = {static_cast<const vector16 *>(from), bytes / sizeof(vector16), w->sink};
    must(device_launch(read_kernel, shape, w->stream, params), "the reading kernel");
}

/* Nothing that is measured is in the second-level cache behind this. */
static inline void make_cold(stopwatch *w) {
    must(device_fill(w->cold, 1, cold_bytes(w), w->stream), "clearing the cache");
    read_all(w, w->cold, cold_bytes(w));
}

/* Repetitions that the budget leaves where one takes so long. */
static inline uint32_t repeats_within(const effort &work, double us_each) {
    double most = us_each > 0.0 ? work.budget_us / us_each : work.repeats;
    return most >= work.repeats ? work.repeats : most <= work.least ? work.least : static_cast<uint32_t>(most);
}

/* Device time of what `run` enqueues, divided by `parts`, warmed up by a run or two. `before` is not timed. */
template <typename Before, typename Run> static spread time_between(stopwatch *w, uint32_t parts, Before before, Run run) {
    mark *begin = &w->marks[0], *end = &w->marks[1];
    double *values = host_array<double>(w->work.repeats);
    uint32_t repeats = w->work.repeats, done = 0;
    for (int32_t i = -2; i < static_cast<int32_t>(repeats); i++) {
        double us = 0.0;
        before();
        must(mark_set(begin, w->stream, false), "a mark");
        run();
        must(mark_set(end, w->stream, false), "a mark");
        must(device_wait(w->stream), "waiting");
        must(mark_between(*begin, *end, &us), "the time");
        if (i < 0) repeats = repeats_within(w->work, us);
        if (i == -2 && us > w->work.budget_us) i++; /* one to warm up is enough */
        if (i >= 0) values[done++] = us / parts;
    }
    spread s = spread_of(values, done);
    free(values);
    return s;
}

/* The same by the host's clock, with a wait behind each run. */
template <typename Before, typename Run> static spread time_by_host(stopwatch *w, Before before, Run run) {
    double *values = host_array<double>(w->work.repeats), started = host_us();
    uint32_t done = 0;
    for (int32_t i = -2; i < static_cast<int32_t>(w->work.repeats); i++) {
        before();
        must(device_wait(w->stream), "waiting");
        double from = host_us();
        run();
        must(device_wait(w->stream), "waiting");
        if (i >= 0) values[done++] = host_us() - from;
        if (done >= w->work.least && host_us() - started > w->work.budget_us) break;
    }
    spread s = spread_of(values, done);
    free(values);
    return s;
}

static inline void nothing_before() {}

/* A graph of `chain` times what `enqueue` enqueues, per part of it. */
template <typename Before, typename Enqueue> static spread time_graph(stopwatch *w, Before before, Enqueue enqueue) {
    device_graph graph;
    must(device_capture_begin(w->stream), "a graph");
    for (uint32_t i = 0; i < w->work.chain; i++) enqueue();
    must(device_capture_end(w->stream, &graph), "a graph");
    spread s = time_between(w, w->work.chain, before, [&] { must(device_graph_launch(graph, w->stream), "a graph"); });
    must(device_wait(w->stream), "waiting");
    device_graph_destroy(graph);
    return s;
}

/* Each of `singles` by itself, between marks in a graph: what the chain's mean hides. A mark costs time too: compare with
 * null_single. */
template <typename Enqueue> static spread time_singles(stopwatch *w, Enqueue enqueue) {
    const uint32_t chain = w->work.chain, rounds = (w->work.singles + chain - 1) / chain;
    double *values = host_array<double>(static_cast<size_t>(rounds) * chain), started = host_us();
    device_graph graph = {};
    size_t count = 0;
    auto all = [&] {
        for (uint32_t i = 0; i < chain; i++) {
            must(mark_set(&w->marks[i], w->stream, GRAPHS_HOLD_MARKS), "a mark");
            enqueue();
        }
        must(mark_set(&w->marks[chain], w->stream, GRAPHS_HOLD_MARKS), "a mark");
    };
    if (GRAPHS_HOLD_MARKS) {
        must(device_capture_begin(w->stream), "a graph");
        all();
        must(device_capture_end(w->stream, &graph), "a graph");
        must(device_graph_launch(graph, w->stream), "a graph"); /* to warm up */
    }
    for (uint32_t round = 0; round < rounds; round++) {
        if (GRAPHS_HOLD_MARKS)
            must(device_graph_launch(graph, w->stream), "a graph");
        else
            all();
        must(device_wait(w->stream), "waiting");
        for (uint32_t i = 0; i < chain; i++) must(mark_between(w->marks[i], w->marks[i + 1], &values[count++]), "the time");
        if (host_us() - started > 10.0 * w->work.budget_us) break;
    }
    if (GRAPHS_HOLD_MARKS) device_graph_destroy(graph);
    spread s = spread_of(values, count);
    free(values);
    return s;
}

/* One, launched plainly, while nothing that it reads is in the second-level cache. */
template <typename Before, typename Enqueue> static spread time_cold(stopwatch *w, Before before, Enqueue enqueue) {
    auto chill = [&] {
        before();
        make_cold(w);
    };
    return time_between(w, 1, chill, enqueue);
}

/* `chain` of them, each launched by the host. */
template <typename Before, typename Enqueue> static spread time_plain(stopwatch *w, Before before, Enqueue enqueue) {
    return time_between(w, w->work.chain, before, [&] {
        for (uint32_t i = 0; i < w->work.chain; i++) enqueue();
    });
}

/* --- a stopwatch ------------------------------------------------------------------------------------------------------- */

static inline void measure_null(stopwatch *w) {
    launch_shape one = {1, 1, WARP, 0, false};
    auto enqueue = [&] { must(device_launch(null_kernel, one, w->stream, null_params{0}), "a null kernel"); };
    enqueue(); /* it is loaded before a graph is captured */
    must(device_wait(w->stream), "waiting");
    w->null_graph = time_graph(w, nothing_before, enqueue);
    w->null_single = time_singles(w, enqueue);
    w->null_cold = time_cold(w, nothing_before, enqueue);
    w->null_plain = time_plain(w, nothing_before, enqueue);
    w->null_wall = time_by_host(w, nothing_before, enqueue);
}

static inline void measure_bandwidth(stopwatch *w) {
    size_t bytes = w->facts.copy_bytes;
    char *from = device_array<char>(bytes), *to = device_array<char>(bytes);
    must(device_fill(from, 1, bytes, w->stream), "memory");
    spread copy = time_between(w, 1, nothing_before, [&] { must(device_copy(to, from, bytes, w->stream), "a copy"); });
    spread read = time_between(w, 1, nothing_before, [&] { read_all(w, from, bytes); });
    w->copy_bytes_per_us = 2.0 * static_cast<double>(bytes) / copy.p50;
    w->read_bytes_per_us = static_cast<double>(bytes) / read.p50;
    must(device_free(from), "memory");
    must(device_free(to), "memory");
}

/* Measures what figures are compared with, and prints it. */
static inline void stopwatch_open(stopwatch *w, const char *bench, const effort &work) {
    int current = 0;
    *w = {};
    w->work = work;
    must(device_facts_of(&w->facts), "the device");
    must(device_current(&current), "the device");
    must(device_limits_of(current, &w->limits), "the device");
    must(device_stream_create(&w->stream), "a stream");
    w->cold = device_array<char>(cold_bytes(w));
    w->sink = device_array<uint32_t>(1);
    w->marks = host_array<mark>((work.chain > 1 ? work.chain : 1) + 1);
    for (uint32_t i = 0; i <= (work.chain > 1 ? work.chain : 1); i++) must(mark_create(&w->marks[i]), "a mark");
    measure_bandwidth(w);
    measure_null(w);
    printf("{\"bench\": \"%s\", \"device\": \"%s\", \"weir\": \"%s\", \"multiprocessors\": %u, \"capability\": %u, \"cache_bytes\": %zu, "
           "\"copy_gb_s\": %.1f, \"read_gb_s\": %.1f, \"chain\": %u, \"null_us\": %.3f, \"null_single_us\": %.3f, \"null_cold_us\": %.3f, "
           "\"null_plain_us\": %.3f, \"null_wall_us\": %.3f}\n",
           bench, w->facts.name, weir_version(), w->limits.multiprocessors, w->limits.capability, w->facts.cache_bytes,
           w->copy_bytes_per_us / 1000.0, w->read_bytes_per_us / 1000.0, work.chain, w->null_graph.p50, w->null_single.p50,
           w->null_cold.p50, w->null_plain.p50, w->null_wall.p50);
    fflush(stdout);
}

static inline void stopwatch_close(stopwatch *w) {
    for (uint32_t i = 0; i <= (w->work.chain > 1 ? w->work.chain : 1); i++) mark_destroy(&w->marks[i]);
    free(w->marks);
    must(device_free(w->cold), "memory");
    must(device_free(w->sink), "memory");
    must(device_stream_destroy(w->stream), "a stream");
}

#endif
