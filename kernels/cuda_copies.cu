/* cuda_copies.cu - memory of the host that copies read: kept until an event says that they are done. */
#include "cuda.cuh"

void staged_collect(cuda *c, bool wait) {
    for (staged **at = &c->pending; *at != nullptr;) {
        staged *s = *at;
        if (wait) device_wait(s->stream);
        if (device_event_query(s->done) != 0 && !wait) {
            device_clear_error();
            at = &s->next;
            continue;
        }
        *at = s->next;
        device_event_destroy(s->done);
        release(&c->shape.allocator, s, s->bytes);
    }
}

weir_status staged_begin(cuda *c, size_t bytes, device_stream stream, staged **out, weir_error *error) {
    staged_collect(c, false);
    size_t size = sizeof(staged) + bytes;
    staged *s = static_cast<staged *>(allocate(&c->shape.allocator, size));
    if (s == nullptr) return fail(error, WEIR_ERROR_MEMORY, "out of memory: %zu bytes to copy from", bytes);
    *s = {nullptr, size, stream, nullptr};
    weir_status status = cuda_check(device_event_create(&s->done), "an event", error);
    if (status != WEIR_OK) release(&c->shape.allocator, s, size);
    *out = s;
    return status;
}

weir_status staged_end(cuda *c, staged *s, weir_status status, weir_error *error) {
    s->next = c->pending;
    c->pending = s;
    int code = device_event_record(s->done, s->stream);
    return status != WEIR_OK ? status : cuda_check(code, "an event", error);
}
