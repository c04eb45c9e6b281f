/* simt_host.h - the host's side of the emulated device, and what tests set and read of it.
 *
 * A stream is a queue. Nothing runs when it is enqueued: things run when the host waits, asks for an event or frees
 * memory, and then as little as that needs, so work that nothing orders comes late. With a seed other streams are let
 * on in between. Copies read and write the host's memory when they run, as for pinned memory. The NULL stream is a
 * stream like any other. One thread of the host at a time. */
#ifndef WEIR_TESTS_SIMT_HOST_H
#define WEIR_TESTS_SIMT_HOST_H

typedef struct CUstream_st *device_stream; /* the tag that CUDA gives it: a weir_stream is either */
typedef struct simt_event *device_event;

typedef void (*simt_kernel)();
typedef void (*simt_caller)(simt_kernel kernel, const void *params);

int simt_launch(simt_kernel kernel, simt_caller caller, const launch_shape &shape, device_stream stream,
                const void *params, size_t bytes);
int simt_allow(simt_kernel kernel, size_t shared, uint32_t cluster);

template <typename Params> void simt_call(simt_kernel kernel, const void *params) {
    reinterpret_cast<void (*)(Params)>(kernel)(*static_cast<const Params *>(params));
}

/* Launches of clusters and overlap are errors on a device below capability 90. */
template <typename Params>
static inline int device_launch(void (*kernel)(Params), const launch_shape &shape, device_stream stream,
                                const Params &params) {
    static_assert(__is_trivially_copyable(Params) && alignof(Params) <= 16, "params are passed as bytes");
    return simt_launch(reinterpret_cast<simt_kernel>(kernel), simt_call<Params>, shape, stream, &params, sizeof params);
}
template <typename Params> static inline int device_allow(void (*kernel)(Params), size_t shared, uint32_t cluster) {
    return simt_allow(reinterpret_cast<simt_kernel>(kernel), shared, cluster);
}

int device_copy_in(void *device, const void *host, size_t bytes, device_stream stream);
int device_copy_out(void *host, const void *device, size_t bytes, device_stream stream);
int device_copy(void *to, const void *from, size_t bytes, device_stream stream);
int device_fill(void *device, int byte, size_t bytes, device_stream stream);
static inline int device_allocate(void **out, size_t bytes);
static inline int device_free(void *device);
int device_wait(device_stream stream);
int device_event_create(device_event *out);
int device_event_destroy(device_event event);
int device_event_record(device_event event, device_stream stream);
int device_event_wait(device_event event, device_stream stream);
/* Each call lets the streams make a step before it answers, so a loop of them ends. */
int device_event_query(device_event event);
int device_clear_error();
const char *device_error_name(int error);
int device_limits_of(int device, device_limits *out);
int device_current(int *out);

/* --- what the device's own library has under other names -------------------------------------------------- */

/* Aligned to 256 and filled with garbage. Freeing first waits for all streams. */
int simt_malloc(void **out, size_t bytes);
int simt_free(void *device);
static inline int device_allocate(void **out, size_t bytes) { return simt_malloc(out, bytes); }
static inline int device_free(void *device) { return simt_free(device); }
int simt_stream_create(device_stream *out);
int simt_stream_destroy(device_stream stream);
/* Waits for all streams. */
int simt_wait_all();

/* Operations enqueued between the two are kept, params by value, instead of run; each launch of the graph enqueues them
 * all. Waits, queries, events and allocations are errors meanwhile, and capture_end then gives no graph. */
struct simt_graph;
int simt_capture_begin(device_stream stream);
int simt_capture_end(device_stream stream, simt_graph **out);
int simt_graph_launch(simt_graph *graph, device_stream stream);
int simt_graph_destroy(simt_graph *graph);

/* The names that tests and benches share with a real device; time passes nowhere here. */
typedef simt_graph *device_graph;
static inline int device_stream_create(device_stream *out) { return simt_stream_create(out); }
static inline int device_stream_destroy(device_stream stream) { return simt_stream_destroy(stream); }
static inline int device_capture_begin(device_stream stream) { return simt_capture_begin(stream); }
static inline int device_capture_end(device_stream stream, device_graph *out) { return simt_capture_end(stream, out); }
static inline int device_graph_launch(device_graph graph, device_stream stream) { return simt_graph_launch(graph, stream); }
static inline int device_graph_destroy(device_graph graph) { return simt_graph_destroy(graph); }
static inline int device_timer_create(device_event *out) { return device_event_create(out); }
static inline int device_elapsed(float *milliseconds, device_event, device_event) {
    *milliseconds = 0.0f;
    return 0;
}

/* --- for tests -------------------------------------------------------------------------------------------- */

enum simt_error { /* CUDA's numbers, but for the last */
                  SIMT_OK = 0,
                  SIMT_INVALID_VALUE = 1,
                  SIMT_NO_MEMORY = 2,
                  SIMT_INVALID_CONFIGURATION = 9,
                  SIMT_INVALID_HANDLE = 400,
                  SIMT_NOT_READY = 600,
                  SIMT_NOT_SUPPORTED = 801,
                  SIMT_CAPTURE_UNSUPPORTED = 900,
                  SIMT_CAPTURE_INVALIDATED = 901,
                  SIMT_CLUSTER_TOO_LARGE = 912,
                  SIMT_UNKNOWN = 999,           /* planted by simt_fail_at */
                  SIMT_TOO_MANY_THREADS = 20001 /* more fibers in a cluster than ThreadSanitizer can have */
};

/* Calls of the host's side since the start or simt_reset, by kind. Captured calls count when they are captured. */
struct simt_counts {
    uint64_t launches, graph_launches;
    uint64_t copies_in, copies_out, copies_inside, fills;
    uint64_t waits;  /* of the host: for a stream, or for all of them */
    uint64_t events; /* created, destroyed, recorded, waited for, asked */
    uint64_t allocations, frees, streams;
    uint64_t allows;
};

/* A fresh device: what is enqueued is dropped, seed 0, an H200, nothing counted. Memory, streams and events stay. */
void simt_reset();
/* 0: blocks, warps and lanes in their natural order, and streams run as late as they can. Others: in any order. Chooses
 * what fresh memory holds, too. */
void simt_set_seed(uint64_t seed);
/* The host reads and writes memory of the device through copies only: under AddressSanitizer all else is reported. */
void simt_keep_host_out(bool keep);
void simt_set_limits(const device_limits *limits);
simt_counts simt_counted();
/* The call-th call of the host's side from now, counted from 1, fails; 0: none. */
void simt_fail_at(uint64_t call);
/* Threads that a cluster can have in this build. */
uint32_t simt_most_threads();

#endif
