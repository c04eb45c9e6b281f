/* stream.cc - streams, events and graphs: what the host enqueues, and when it runs. */
#include "host.h"

#include <string.h>

#include <deque>
#include <memory>
#include <vector>

namespace {

enum kind { LAUNCH, COPY_IN, COPY_OUT, COPY_INSIDE, FILL, RECORD, WAIT };

/* One recording of an event. */
struct mark {
    bool done = false;
};

struct alignas(16) unit {
    unsigned char bytes[16];
};

struct operation {
    explicit operation(kind k) : what(k) {
    }
    kind what;
    launch work = {nullptr, nullptr, {}, nullptr};
    std::vector<unit> params; /* aligned as the params of any kernel */
    void *to = nullptr;
    const void *from = nullptr;
    size_t bytes = 0;
    int byte = 0;
    std::shared_ptr<mark> event;
};

} // namespace

struct CUstream_st {
    std::deque<operation> queue;
    CUstream_st *next = nullptr;
};
struct simt_event {
    std::shared_ptr<mark> last; /* none: never recorded, which counts as done */
};
struct simt_graph {
    std::vector<operation> operations;
};

namespace {

CUstream_st null_stream;
CUstream_st *streams = &null_stream; /* all of them */
CUstream_st *capturing;
std::unique_ptr<simt_graph> captured;
bool capture_failed;

CUstream_st *stream_of(device_stream stream) {
    return stream ? stream : &null_stream;
}

/* --- running ---------------------------------------------------------------------------------------------- */

void check_memory(const operation &o, const char *what, const void *at) {
    if (device_memory_holds(at, o.bytes)) return;
    simt_fault(nullptr, "%s %zu bytes at %p, which are not all memory of the device", what, o.bytes, at);
}

void run_launch(CUstream_st *stream, operation &first) {
    first.work.params = first.params.data();
    if (!stream->queue.empty()) {
        const operation &next = stream->queue.front();
        bool can_overlap = next.what == LAUNCH && next.work.shape.overlap && launch_can_be_overlapped(first.work.shape);
        if (can_overlap && order_is_free() && order_random(2)) {
            operation second = std::move(stream->queue.front());
            stream->queue.pop_front();
            second.work.params = second.params.data();
            grid_run(second.work, &first.work);
            return;
        }
    }
    grid_run(first.work, nullptr);
}

bool can_run(const CUstream_st *stream) {
    if (stream->queue.empty()) return false;
    const operation &o = stream->queue.front();
    return o.what != WAIT || !o.event || o.event->done;
}

void run_operation(CUstream_st *stream, operation &o) {
    switch (o.what) {
    case LAUNCH: run_launch(stream, o); return;
    case COPY_IN: check_memory(o, "a copy in writes", o.to); break;
    case COPY_OUT: check_memory(o, "a copy out reads", o.from); break;
    case COPY_INSIDE:
        check_memory(o, "a copy reads", o.from);
        check_memory(o, "a copy writes", o.to);
        break;
    case FILL:
        check_memory(o, "a fill writes", o.to);
        memset(o.to, o.byte, o.bytes);
        return;
    case RECORD: o.event->done = true; return;
    case WAIT: return;
    }
    memcpy(o.to, o.from, o.bytes);
}

/* The operation at the front of a stream that can run. */
void run_one(CUstream_st *stream) {
    operation o = std::move(stream->queue.front());
    stream->queue.pop_front();
    device_memory_open(true);
    run_operation(stream, o);
    device_memory_open(false);
}

/* Any stream that can go on, chosen by the seed; NULL: none. */
CUstream_st *any_stream() {
    uint32_t count = 0;
    for (CUstream_st *s = streams; s; s = s->next) count += can_run(s);
    if (count == 0) return nullptr;
    uint32_t which = order_is_free() ? order_random(count) : 0;
    for (CUstream_st *s = streams;; s = s->next) {
        if (can_run(s) && which-- == 0) return s;
    }
}

/* The stream in which the event is still to be recorded. */
CUstream_st *stream_that_records(const mark *event) {
    for (CUstream_st *s = streams; s; s = s->next) {
        for (const operation &o : s->queue) {
            if (o.what == RECORD && o.event.get() == event) return s;
        }
    }
    simt_fault(nullptr, "an event is waited for whose recording was dropped");
}

/* One step towards this stream's end: without a seed its own, or what it waits for. */
void step_towards(CUstream_st *wanted) {
    CUstream_st *stream = order_is_free() ? any_stream() : wanted;
    while (!can_run(stream)) stream = stream_that_records(stream->queue.front().event.get());
    run_one(stream);
}

/* Takes the operation into the stream, or into the graph that is being captured from it. */
int enqueue(device_stream to, operation &&o) {
    CUstream_st *stream = stream_of(to);
    if (stream == capturing) {
        if (o.what == RECORD || o.what == WAIT) {
            capture_failed = true;
            return SIMT_CAPTURE_UNSUPPORTED;
        }
        captured->operations.push_back(std::move(o));
    } else {
        stream->queue.push_back(std::move(o));
    }
    return SIMT_OK;
}

int enqueue_copy(kind what, uint64_t simt_counts::*count, void *to, const void *from, size_t bytes,
                 device_stream stream) {
    int error = call_begin(count);
    if (error || bytes == 0) return call_end(error);
    operation o(what);
    o.to = to;
    o.from = from;
    o.bytes = bytes;
    return call_end(enqueue(stream, std::move(o)));
}

} // namespace

void streams_reset() {
    for (CUstream_st *s = streams; s; s = s->next) s->queue.clear();
    capturing = nullptr;
    captured.reset();
}

void streams_finish() {
    while (CUstream_st *stream = any_stream()) run_one(stream);
}

bool capture_spoiled() {
    if (capturing) capture_failed = true;
    return capturing != nullptr;
}

/* --- operations ------------------------------------------------------------------------------------------- */

int simt_launch(simt_kernel kernel, simt_caller caller, const launch_shape &shape, device_stream stream,
                const void *params, size_t bytes) {
    int error = call_begin(&simt_counts::launches);
    if (!error) error = launch_check(kernel, shape);
    if (error) return call_end(error);
    operation o(LAUNCH);
    o.work = {kernel, caller, shape, nullptr};
    o.params.resize((bytes + sizeof(unit) - 1) / sizeof(unit));
    memcpy(static_cast<void *>(o.params.data()), params, bytes);
    return call_end(enqueue(stream, std::move(o)));
}

int device_copy_in(void *device, const void *host, size_t bytes, device_stream stream) {
    return enqueue_copy(COPY_IN, &simt_counts::copies_in, device, host, bytes, stream);
}

int device_copy_out(void *host, const void *device, size_t bytes, device_stream stream) {
    return enqueue_copy(COPY_OUT, &simt_counts::copies_out, host, device, bytes, stream);
}

int device_copy(void *to, const void *from, size_t bytes, device_stream stream) {
    return enqueue_copy(COPY_INSIDE, &simt_counts::copies_inside, to, from, bytes, stream);
}

int device_fill(void *device, int byte, size_t bytes, device_stream stream) {
    int error = call_begin(&simt_counts::fills);
    if (error || bytes == 0) return call_end(error);
    operation o(FILL);
    o.to = device;
    o.byte = byte;
    o.bytes = bytes;
    return call_end(enqueue(stream, std::move(o)));
}

int device_wait(device_stream stream) {
    int error = call_begin(&simt_counts::waits);
    if (error) return call_end(error);
    if (capture_spoiled()) return call_end(SIMT_CAPTURE_UNSUPPORTED);
    CUstream_st *wanted = stream_of(stream);
    while (!wanted->queue.empty()) step_towards(wanted);
    return 0;
}

int simt_wait_all() {
    int error = call_begin(&simt_counts::waits);
    if (error) return call_end(error);
    if (capture_spoiled()) return call_end(SIMT_CAPTURE_UNSUPPORTED);
    streams_finish();
    return 0;
}

/* --- streams and events ----------------------------------------------------------------------------------- */

int simt_stream_create(device_stream *out) {
    int error = call_begin(&simt_counts::streams);
    *out = nullptr;
    if (error) return call_end(error);
    *out = new CUstream_st;
    (*out)->next = streams;
    streams = *out;
    return 0;
}

int simt_stream_destroy(device_stream stream) {
    int error = call_begin(&simt_counts::streams);
    if (error) return call_end(error);
    if (!stream || stream == capturing) return call_end(SIMT_INVALID_HANDLE);
    while (!stream->queue.empty()) step_towards(stream);
    CUstream_st **at = &streams;
    while (*at != stream) at = &(*at)->next;
    *at = stream->next;
    delete stream;
    return 0;
}

int device_event_create(device_event *out) {
    int error = call_begin(&simt_counts::events);
    *out = error ? nullptr : new simt_event;
    return call_end(error);
}

int device_event_destroy(device_event event) {
    int error = call_begin(&simt_counts::events);
    if (!event) return call_end(SIMT_INVALID_HANDLE);
    delete event; /* also where the call is planted to fail: nobody destroys twice */
    return error ? call_end(error) : 0;
}

int device_event_record(device_event event, device_stream stream) {
    int error = call_begin(&simt_counts::events);
    if (!error && !event) error = SIMT_INVALID_HANDLE;
    if (error) return call_end(error);
    operation o(RECORD);
    std::shared_ptr<mark> made = o.event = std::make_shared<mark>();
    error = enqueue(stream, std::move(o));
    if (!error) event->last = made;
    return call_end(error);
}

int device_event_wait(device_event event, device_stream stream) {
    int error = call_begin(&simt_counts::events);
    if (!error && !event) error = SIMT_INVALID_HANDLE;
    if (error) return call_end(error);
    operation o(WAIT);
    o.event = event->last; /* the latest recording; a later one does not matter */
    return call_end(enqueue(stream, std::move(o)));
}

int device_event_query(device_event event) {
    int error = call_begin(&simt_counts::events);
    if (!error && !event) error = SIMT_INVALID_HANDLE;
    if (error) return call_end(error);
    if (capture_spoiled()) return call_end(SIMT_CAPTURE_UNSUPPORTED);
    if (!event->last || event->last->done) return 0;
    step_towards(stream_that_records(event->last.get()));
    return call_end(event->last->done ? SIMT_OK : SIMT_NOT_READY); /* an error to clear, as CUDA has it */
}

/* --- graphs ----------------------------------------------------------------------------------------------- */

int simt_capture_begin(device_stream stream) {
    if (capturing) return call_end(SIMT_CAPTURE_UNSUPPORTED);
    capturing = stream_of(stream);
    captured = std::make_unique<simt_graph>();
    capture_failed = false;
    return 0;
}

int simt_capture_end(device_stream stream, simt_graph **out) {
    *out = nullptr;
    if (!capturing || capturing != stream_of(stream)) return call_end(SIMT_INVALID_VALUE);
    capturing = nullptr;
    std::unique_ptr<simt_graph> made = std::move(captured);
    if (capture_failed) return call_end(SIMT_CAPTURE_INVALIDATED);
    *out = made.release();
    return 0;
}

int simt_graph_launch(simt_graph *graph, device_stream stream) {
    int error = call_begin(&simt_counts::graph_launches);
    if (!error && !graph) error = SIMT_INVALID_HANDLE;
    if (error) return call_end(error);
    if (stream_of(stream) == capturing) return call_end(capture_spoiled() ? SIMT_CAPTURE_UNSUPPORTED : SIMT_OK);
    for (const operation &o : graph->operations) {
        error = enqueue(stream, operation(o));
        if (error) return call_end(error);
    }
    return 0;
}

int simt_graph_destroy(simt_graph *graph) {
    delete graph;
    return 0;
}
