/* cuda.cu - the CUDA backend: slots and grammars in device memory, and the one place that launches kernels.
 *
 * Every call enqueues its work in the sampler's stream and returns. What it copies from the host's memory stays where it
 * is until an event says that the copy is done. A step is one launch: it copies nothing, allocates nothing and waits for
 * nothing. */
#include <string.h>

#include "backend.h"
#include "device_image.h"
#include "device_pool.h"
#include "host/status.h"
#include "launch.cuh"

#ifdef __CUDACC__
#define DEVICE_BACKEND backend_cuda
#else
#define DEVICE_BACKEND backend_simt
#endif

/* A grammar, or a vocabulary of grammars, in the pool. */
struct held {
    const void *key;     /* weir_grammar, of which a reference is held, or weir_vocab; NULL: the place is free */
    uint64_t offset;     /* in the pool */
    uint32_t references; /* slots that are bound to it, or grammars of the vocabulary */
    uint32_t vocab;      /* of a grammar: the place of its vocabulary */
    uint64_t used;       /* when last, by the clock */
    device_event ready;  /* its copy is done */
};

/* Memory of the host that a copy may still read. */
struct staged {
    staged *next;
    size_t bytes; /* with this */
    device_stream stream;
    device_event done;
};

struct slot_use {
    uint32_t line, budget;
};

struct cuda {
    slot_shape shape;
    device_limits limits;
    device_stream stream;
    sampler_view view;
    device_grammar *table; /* on the device */
    char *pool_memory;     /* on the device */
    device_pool pool;      /* owners: lines, then vocabularies */
    uint32_t grammar_count;
    held *lines, *vocabs; /* [grammar_count] each */
    slot_use *uses;       /* [slot_count] */
    staged *pending;
    uint64_t clock;
    weir_device_variant variant;
    uint32_t cluster;
};

static weir_status check(int code, const char *what, weir_error *error) {
    if (code == 0) return WEIR_OK;
    device_clear_error();
    return fail(error, WEIR_ERROR_DEVICE, "%s: %s", what, device_error_name(code));
}

/* --- creating ------------------------------------------------------------------------------------------------ */

static void destroy_state(void *state);

template <typename T> static T *allocate_array(cuda *c, size_t count) {
    T *array = static_cast<T *>(allocate(&c->shape.allocator, count * sizeof(T)));
    if (array != nullptr) memset(static_cast<void *>(array), 0, count * sizeof(T));
    return array;
}

static size_t aligned(size_t bytes) { return (bytes + POOL_ALIGNMENT - 1) / POOL_ALIGNMENT * POOL_ALIGNMENT; }

static weir_status allow_kernels(const cuda *c, weir_error *error) {
    const step_kernels *steps[] = {&step_kernels_f32, &step_kernels_f16, &step_kernels_bf16};
    size_t most = c->limits.shared_per_block;
    for (const step_kernels *kernels : steps)
        for (int i = 0; i < 4; i++)
            TRY(check(device_allow(kernels->at[i / 2][i % 2], most, c->limits.largest_cluster), "a kernel's shared memory", error));
    return check(device_allow(other_kernels_all.masks, most, c->limits.largest_cluster), "a kernel's shared memory", error);
}

static weir_status make(cuda *c, const weir_sampler_options *options, weir_error *error) {
    const weir_device_options *device = options->device;
    int current = 0;
    TRY(check(device_current(&current), "the current device", error));
    TRY(check(device_limits_of(current, &c->limits), "the limits of the device", error));
    uint32_t width = options->logits_width;
    c->shape = {*options->allocator, width, (width + 31) / 32, options->rollback_tokens, options->counted_tokens};
    c->grammar_count = device->grammar_count;
    c->variant = device->variant;
    c->cluster = device->cluster;
    char *memory = static_cast<char *>(device->memory);
    c->table = reinterpret_cast<device_grammar *>(memory);
    size_t at = device_table_bytes(options);
    slot_layout layout = device_layout(options);
    c->view = {c->table,     reinterpret_cast<uint32_t *>(memory + at), c->grammar_count, options->slot_count, width, c->shape.word_count,
               options->rollback_tokens, layout};
    at += device_slots_bytes(options);
    c->pool_memory = memory + at;
    c->pool.bytes = device->bytes - at;
    c->pool.capacity = 2 * c->grammar_count;
    c->pool.blobs = allocate_array<pool_blob>(c, c->pool.capacity);
    c->lines = allocate_array<held>(c, c->grammar_count);
    c->vocabs = allocate_array<held>(c, c->grammar_count);
    c->uses = allocate_array<slot_use>(c, options->slot_count);
    if (c->pool.blobs == nullptr || c->lines == nullptr || c->vocabs == nullptr || c->uses == nullptr)
        return fail(error, WEIR_ERROR_MEMORY, "out of memory: %u slots and %u grammars", options->slot_count, c->grammar_count);
    for (uint32_t i = 0; i < options->slot_count; i++) c->uses[i].line = GRAMMAR_NONE;
    TRY(allow_kernels(c, error));
    return check(device_fill(memory, 0, at, c->stream), "clearing the slots", error);
}

static weir_status create_state(const weir_sampler_options *options, void **out, weir_error *error) {
    cuda *c = static_cast<cuda *>(allocate(options->allocator, sizeof(cuda)));
    if (c == nullptr) return fail(error, WEIR_ERROR_MEMORY, "out of memory: %zu bytes", sizeof(cuda));
    memset(static_cast<void *>(c), 0, sizeof *c);
    c->shape.allocator = *options->allocator;
    c->view.slot_count = options->slot_count;
    weir_status status = make(c, options, error);
    if (status != WEIR_OK) {
        destroy_state(c);
        return status;
    }
    *out = c;
    return WEIR_OK;
}

/* --- memory that copies read ---------------------------------------------------------------------------------- */

/* Frees what is no longer read. */
static void collect(cuda *c, bool wait) {
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

/* Memory for `bytes` bytes that copies of this stream will read, freed after staged_end. */
static weir_status staged_begin(cuda *c, size_t bytes, device_stream stream, staged **out, weir_error *error) {
    collect(c, false);
    size_t size = sizeof(staged) + bytes;
    staged *s = static_cast<staged *>(allocate(&c->shape.allocator, size));
    if (s == nullptr) return fail(error, WEIR_ERROR_MEMORY, "out of memory: %zu bytes to copy from", bytes);
    *s = {nullptr, size, stream, nullptr};
    weir_status status = check(device_event_create(&s->done), "an event", error);
    if (status != WEIR_OK) release(&c->shape.allocator, s, size);
    *out = s;
    return status;
}

static void *staged_memory(staged *s) { return s + 1; }

/* After the copies were enqueued, or failed. */
static weir_status staged_end(cuda *c, staged *s, weir_status status, weir_error *error) {
    s->next = c->pending;
    c->pending = s;
    int code = device_event_record(s->done, s->stream);
    return status != WEIR_OK ? status : check(code, "an event", error);
}

/* --- launches --------------------------------------------------------------------------------------------------- */

static weir_status change(cuda *c, change_params params, weir_error *error) {
    params.sampler = c->view;
    launch_shape shape = {1, 1, WARP, 0, false};
    return check(device_launch(other_kernels_all.change, shape, c->stream, params), "changing a slot", error);
}

static weir_status set_line(cuda *c, uint32_t line, weir_error *error) {
    const held *grammar = &c->lines[line], *vocab = &c->vocabs[grammar->vocab];
    line_params params = {c->table, line,
                          {reinterpret_cast<const tables *>(c->pool_memory + grammar->offset),
                           reinterpret_cast<const vocab_tables *>(c->pool_memory + vocab->offset)}};
    launch_shape shape = {1, 1, WARP, 0, false};
    return check(device_launch(other_kernels_all.line, shape, c->stream, params), "the table of grammars", error);
}

/* --- grammars on the device -------------------------------------------------------------------------------------- */

struct shifting {
    cuda *c;
    weir_status status;
    weir_error *error;
};

static void shift_blob(void *context, const pool_blob *blob, uint64_t to) {
    shifting *s = static_cast<shifting *>(context);
    cuda *c = s->c;
    held *owner = blob->owner < c->grammar_count ? &c->lines[blob->owner] : &c->vocabs[blob->owner - c->grammar_count];
    owner->offset = to;
    shift_params params = {reinterpret_cast<vector16 *>(c->pool_memory + to),
                           reinterpret_cast<const vector16 *>(c->pool_memory + blob->offset), blob->bytes / sizeof(vector16)};
    launch_shape shape = {1, 1, SHIFT_THREADS, 0, false};
    if (s->status == WEIR_OK)
        s->status = check(device_launch(other_kernels_all.shift, shape, c->stream, params), "moving grammars together", s->error);
}

/* All copies are done before anything moves, and everything has moved before a later copy: both in the sampler's stream. */
static weir_status compact(cuda *c, weir_error *error) {
    shifting s = {c, WEIR_OK, error};
    for (uint32_t i = 0; i < c->grammar_count; i++) {
        if (c->lines[i].key != nullptr) TRY(check(device_event_wait(c->lines[i].ready, c->stream), "an event", error));
        if (c->vocabs[i].key != nullptr) TRY(check(device_event_wait(c->vocabs[i].ready, c->stream), "an event", error));
    }
    pool_compact(&c->pool, shift_blob, &s);
    for (uint32_t i = 0; i < c->grammar_count && s.status == WEIR_OK; i++)
        if (c->lines[i].key != nullptr) s.status = set_line(c, i, error);
    return s.status;
}

static void drop_vocab(cuda *c, uint32_t index) {
    held *vocab = &c->vocabs[index];
    if (vocab->references != 0) return;
    pool_give_back(&c->pool, c->grammar_count + index);
    device_event_destroy(vocab->ready);
    *vocab = {};
}

/* The grammar's memory on the host may still be read by its copy: done, or waited for. */
static void drop_grammar(cuda *c, uint32_t line) {
    held *grammar = &c->lines[line];
    if (device_event_query(grammar->ready) != 0) {
        device_clear_error();
        device_event_wait(grammar->ready, c->stream);
        device_wait(c->stream);
    }
    pool_give_back(&c->pool, line);
    device_event_destroy(grammar->ready);
    weir_grammar_destroy(static_cast<weir_grammar *>(const_cast<void *>(grammar->key)));
    uint32_t vocab = grammar->vocab;
    *grammar = {};
    c->vocabs[vocab].references--;
    drop_vocab(c, vocab);
}

/* Drops the grammar that was used least lately, of those that no slot is bound to. */
static bool drop_oldest(cuda *c) {
    uint32_t oldest = GRAMMAR_NONE;
    for (uint32_t i = 0; i < c->grammar_count; i++) {
        if (c->lines[i].key == nullptr || c->lines[i].references != 0) continue;
        if (oldest == GRAMMAR_NONE || c->lines[i].used < c->lines[oldest].used) oldest = i;
    }
    if (oldest == GRAMMAR_NONE) return false;
    drop_grammar(c, oldest);
    return true;
}

/* A place in the pool; grammars that nobody uses go, the others move together. */
static weir_status take_place(cuda *c, uint64_t bytes, uint32_t owner, uint64_t *offset, weir_error *error) {
    for (;;) {
        if (pool_take(&c->pool, bytes, owner, offset)) return WEIR_OK;
        if (c->pool.bytes - c->pool.used >= aligned(bytes)) break;
        if (!drop_oldest(c))
            return fail(error, WEIR_ERROR_MEMORY, "a grammar takes %llu bytes of device memory; of the pool's %llu bytes %llu are in use",
                        static_cast<unsigned long long>(bytes), static_cast<unsigned long long>(c->pool.bytes),
                        static_cast<unsigned long long>(c->pool.used));
    }
    TRY(compact(c, error));
    if (pool_take(&c->pool, bytes, owner, offset)) return WEIR_OK;
    return fail(error, WEIR_ERROR_MEMORY, "the pool has no place for %llu bytes", static_cast<unsigned long long>(bytes));
}

/* The first place with this key, or with none; GRAMMAR_NONE. */
static uint32_t find_held(const held *list, uint32_t count, const void *key) {
    for (uint32_t i = 0; i < count; i++)
        if (list[i].key == key) return i;
    return GRAMMAR_NONE;
}

/* What is enqueued in `stream` waits for what is in the sampler's now: the place may have been another's. */
static weir_status begin_upload(cuda *c, device_stream stream, device_event event, weir_error *error) {
    if (stream == c->stream) return WEIR_OK;
    TRY(check(device_event_record(event, c->stream), "an event", error));
    return check(device_event_wait(event, stream), "an event", error);
}

static weir_status end_upload(cuda *c, device_stream stream, device_event event, weir_error *error) {
    TRY(check(device_event_record(event, stream), "an event", error));
    return stream == c->stream ? WEIR_OK : check(device_event_wait(event, c->stream), "an event", error);
}

static weir_status upload_vocab(cuda *c, const weir_vocab *key, uint32_t index, device_stream stream, weir_error *error) {
    held *vocab = &c->vocabs[index];
    staged *s = nullptr;
    size_t bytes = vocab_tables_bytes(key);
    TRY(staged_begin(c, bytes, stream, &s, error));
    vocab_tables_write(key, staged_memory(s));
    weir_status status = begin_upload(c, stream, vocab->ready, error);
    if (status == WEIR_OK)
        status = check(device_copy_in(c->pool_memory + vocab->offset, staged_memory(s), bytes, stream), "copying a vocabulary", error);
    if (status == WEIR_OK) status = end_upload(c, stream, vocab->ready, error);
    return staged_end(c, s, status, error);
}

/* Takes a free place of a list, with an event and a place in the pool. */
static weir_status hold(cuda *c, held *list, uint32_t index, const void *key, uint32_t owner, uint64_t bytes, weir_error *error) {
    held made = {};
    TRY(check(device_event_create(&made.ready), "an event", error));
    weir_status status = take_place(c, bytes, owner, &made.offset, error);
    if (status != WEIR_OK) {
        device_event_destroy(made.ready);
        return status;
    }
    made.key = key;
    list[index] = made;
    return WEIR_OK;
}

static weir_status hold_vocab(cuda *c, const weir_vocab *key, device_stream stream, uint32_t *out, weir_error *error) {
    uint32_t index = find_held(c->vocabs, c->grammar_count, key);
    if (index == GRAMMAR_NONE) {
        index = find_held(c->vocabs, c->grammar_count, nullptr); /* there are as many places as grammars */
        TRY(hold(c, c->vocabs, index, key, c->grammar_count + index, vocab_tables_bytes(key), error));
        weir_status status = upload_vocab(c, key, index, stream, error);
        if (status != WEIR_OK) {
            drop_vocab(c, index);
            return status;
        }
    }
    *out = index;
    return WEIR_OK;
}

static weir_status upload_grammar(cuda *c, weir_grammar *key, uint32_t line, device_stream stream, weir_error *error) {
    size_t bytes;
    const void *blob = weir_grammar_tables(key, &bytes);
    TRY(begin_upload(c, stream, c->lines[line].ready, error));
    TRY(check(device_copy_in(c->pool_memory + c->lines[line].offset, blob, bytes, stream), "copying a grammar", error));
    TRY(end_upload(c, stream, c->lines[line].ready, error));
    return set_line(c, line, error);
}

/* Brings the grammar to the device, if it is not there; *out: its line. */
static weir_status hold_grammar(cuda *c, const weir_grammar *given, device_stream stream, uint32_t *out, weir_error *error) {
    weir_grammar *key = const_cast<weir_grammar *>(given);
    uint32_t line = find_held(c->lines, c->grammar_count, key);
    if (line == GRAMMAR_NONE) {
        size_t bytes;
        TRY(device_grammar_fits(static_cast<const tables *>(weir_grammar_tables(key, &bytes)), &c->view.layout, error));
        line = find_held(c->lines, c->grammar_count, nullptr);
        if (line == GRAMMAR_NONE && drop_oldest(c)) line = find_held(c->lines, c->grammar_count, nullptr);
        if (line == GRAMMAR_NONE)
            return fail(error, WEIR_ERROR_LIMIT, "slots are bound to %u grammars, which is device.grammar_count", c->grammar_count);
        uint32_t vocab = 0;
        TRY(hold_vocab(c, weir_grammar_vocab(key), stream, &vocab, error));
        c->vocabs[vocab].references++; /* it stays while a place is looked for */
        weir_status status = hold(c, c->lines, line, key, line, bytes, error);
        if (status != WEIR_OK) {
            c->vocabs[vocab].references--;
            drop_vocab(c, vocab);
            return status;
        }
        c->lines[line].vocab = vocab;
        weir_grammar_retain(key);
        status = upload_grammar(c, key, line, stream, error);
        if (status != WEIR_OK) {
            drop_grammar(c, line);
            return status;
        }
    }
    c->lines[line].used = ++c->clock;
    *out = line;
    return WEIR_OK;
}

static weir_status upload(void *state, const weir_grammar *grammar, weir_stream stream, weir_error *error) {
    uint32_t line;
    return hold_grammar(static_cast<cuda *>(state), grammar, stream, &line, error);
}

static void destroy_state(void *state) {
    cuda *c = static_cast<cuda *>(state);
    weir_allocator allocator = c->shape.allocator;
    collect(c, true);
    for (uint32_t i = 0; c->lines != nullptr && c->vocabs != nullptr && i < c->grammar_count; i++)
        if (c->lines[i].key != nullptr) drop_grammar(c, i);
    release(&allocator, c->pool.blobs, c->pool.capacity * sizeof(pool_blob));
    release(&allocator, c->lines, c->grammar_count * sizeof(held));
    release(&allocator, c->vocabs, c->grammar_count * sizeof(held));
    release(&allocator, c->uses, c->view.slot_count * sizeof(slot_use));
    release(&allocator, c, sizeof *c);
}

/* --- slots --------------------------------------------------------------------------------------------------------- */

static void set_use(cuda *c, uint32_t slot, uint32_t line, uint32_t budget) {
    if (line != GRAMMAR_NONE) c->lines[line].references++;
    if (c->uses[slot].line != GRAMMAR_NONE) c->lines[c->uses[slot].line].references--;
    c->uses[slot] = {line, budget};
}

static uint32_t *slot_words(const cuda *c, uint32_t slot) { return c->view.slots + static_cast<size_t>(slot) * c->view.layout.words; }

static weir_status write_slot(cuda *c, uint32_t index, const slot *made, uint32_t line, uint32_t budget, weir_error *error) {
    staged *s = nullptr;
    slot_span spans[SLOT_SPANS];
    TRY(staged_begin(c, c->view.layout.words * sizeof(uint32_t), c->stream, &s, error));
    uint32_t *image = static_cast<uint32_t *>(staged_memory(s));
    memset(image, 0, c->view.layout.legal * sizeof(uint32_t));
    weir_status status = device_image(&c->shape, made, &c->view.layout, line, budget, image, spans, error);
    for (int i = 0; i < SLOT_SPANS && status == WEIR_OK; i++)
        if (spans[i].count != 0)
            status = check(device_copy_in(slot_words(c, index) + spans[i].first, image + spans[i].first,
                                          spans[i].count * sizeof(uint32_t), c->stream), "copying a slot", error);
    return staged_end(c, s, status, error);
}

static weir_status bind(void *state, uint32_t index, const weir_slot_options *options, weir_error *error) {
    cuda *c = static_cast<cuda *>(state);
    slot made;
    TRY(slot_create(&c->shape, options, &made, error));
    uint32_t line = GRAMMAR_NONE;
    weir_status status = WEIR_OK;
    if (options->grammar != nullptr) status = hold_grammar(c, options->grammar, c->stream, &line, error);
    if (status == WEIR_OK) status = write_slot(c, index, &made, line, options->token_budget, error);
    if (status == WEIR_OK) set_use(c, index, line, options->token_budget);
    slot_clear(&c->shape, &made);
    return status;
}

static void release_slot(void *state, uint32_t index) {
    cuda *c = static_cast<cuda *>(state);
    change_params params = {};
    params.slot = index;
    params.change = SLOT_RELEASE;
    change(c, params, nullptr);
    set_use(c, index, GRAMMAR_NONE, 0);
}

static void reset_slot(void *state, uint32_t index) {
    cuda *c = static_cast<cuda *>(state);
    change_params params = {};
    params.slot = index;
    params.change = SLOT_RESET;
    change(c, params, nullptr);
}

static weir_status fork_slot(void *state, uint32_t from, uint32_t to, uint64_t seed, weir_error *error) {
    cuda *c = static_cast<cuda *>(state);
    size_t bytes = c->view.layout.saved * sizeof(uint32_t); /* what is behind holds nothing between calls */
    TRY(check(device_copy(slot_words(c, to), slot_words(c, from), bytes, c->stream), "copying a slot", error));
    change_params params = {};
    params.slot = to;
    params.change = SLOT_SEED;
    params.seed = seed;
    TRY(change(c, params, error));
    set_use(c, to, c->uses[from].line, c->uses[from].budget);
    return WEIR_OK;
}

static const weir_grammar *grammar_of(const cuda *c, uint32_t slot) {
    return static_cast<const weir_grammar *>(c->lines[c->uses[slot].line].key);
}

static weir_status make_matcher(const cuda *c, uint32_t index, weir_matcher **out, weir_error *error) {
    weir_matcher_options options = WEIR_MATCHER_OPTIONS_INIT;
    options.allocator = &c->shape.allocator;
    options.token_budget = c->uses[index].budget;
    options.rollback_tokens = c->shape.rollback;
    return weir_matcher_create(grammar_of(c, index), &options, out, error);
}

/* Moves the matcher to the state of a slot whose words were read back. */
static weir_status restore(const uint32_t *words, const slot_layout *layout, weir_matcher *matcher, weir_error *error) {
    device_slot head;
    memcpy(&head, words, sizeof head);
    bool stopped = (head.flags & SLOT_STOPPED) != 0;
    matcher_restore(matcher, words + layout->sequence, static_cast<uint32_t>(head.position) - stopped, false);
    if (!stopped) return WEIR_OK;
    uint32_t count;
    const uint32_t *stops = weir_vocab_stop_ids(weir_grammar_vocab(weir_matcher_grammar(matcher)), &count);
    if (count == 0)
        return fail(error, WEIR_ERROR_ARGUMENT, "the vocabulary has no stop token to show that the slot's own was taken");
    return weir_matcher_accept(matcher, stops[0], error);
}

/* Waits for the stream: the state has to be on the host. */
static weir_status export_slot(void *state, uint32_t index, weir_matcher **out, weir_error *error) {
    cuda *c = static_cast<cuda *>(state);
    const slot_layout *layout = &c->view.layout;
    size_t bytes = layout->history * sizeof(uint32_t);
    uint32_t *words = static_cast<uint32_t *>(allocate(&c->shape.allocator, bytes));
    if (words == nullptr) return fail(error, WEIR_ERROR_MEMORY, "out of memory: %zu bytes of a slot", bytes);
    weir_status status = make_matcher(c, index, out, error);
    if (status == WEIR_OK) status = check(device_copy_out(words, slot_words(c, index), bytes, c->stream), "reading a slot", error);
    if (status == WEIR_OK) status = check(device_wait(c->stream), "waiting for a slot", error);
    if (status == WEIR_OK) status = restore(words, layout, *out, error);
    if (status != WEIR_OK) {
        weir_matcher_destroy(*out);
        *out = nullptr;
    }
    release(&c->shape.allocator, words, bytes);
    return status;
}

static weir_status import_slot(void *state, uint32_t index, const weir_matcher *matcher, weir_error *error) {
    cuda *c = static_cast<cuda *>(state);
    weir_matcher *own;
    staged *s = nullptr;
    size_t length;
    size_t bytes = machine_sequence_words(static_cast<const tables *>(weir_grammar_tables(grammar_of(c, index), &length))) * sizeof(uint32_t);
    TRY(make_matcher(c, index, &own, error));
    weir_status status = weir_matcher_assign(own, matcher, error);
    if (status == WEIR_OK) status = staged_begin(c, bytes, c->stream, &s, error);
    if (status == WEIR_OK) {
        memcpy(staged_memory(s), matcher_sequence(own), bytes);
        status = check(device_copy_in(slot_words(c, index) + c->view.layout.sequence, staged_memory(s), bytes, c->stream), "copying a slot", error);
        status = staged_end(c, s, status, error);
    }
    if (status == WEIR_OK) {
        change_params params = {};
        params.slot = index;
        params.change = SLOT_ADOPT;
        params.position = weir_matcher_token_count(own);
        params.stopped = weir_matcher_is_stopped(own);
        status = change(c, params, error);
    }
    weir_matcher_destroy(own);
    return status;
}

static weir_status set_stream(void *state, weir_stream stream, weir_error *error) {
    cuda *c = static_cast<cuda *>(state);
    device_event event;
    if (stream == c->stream) return WEIR_OK;
    TRY(check(device_event_create(&event), "an event", error));
    weir_status status = check(device_event_record(event, c->stream), "an event", error);
    if (status == WEIR_OK) status = check(device_event_wait(event, stream), "an event", error);
    device_event_destroy(event);
    if (status == WEIR_OK) c->stream = stream;
    return status;
}

/* --- steps ----------------------------------------------------------------------------------------------------------- */

enum { COLUMNS_LEAST = 8192 /* of a block, before a row is shared by more */ };

/* Threads for a block with so many columns: eight a thread, in whole warps. */
static uint32_t threads_for(uint32_t columns, uint32_t most) {
    uint32_t threads = (columns / 8 + WARP - 1) / WARP * WARP;
    return threads < 2 * WARP ? 2 * WARP : threads > most ? most : threads;
}

/* How a row's columns lie in the shared memory of the blocks of a cluster. */
struct step_plan {
    uint32_t cluster, mask_words, vectors;
    bool resident;
    size_t shared;
};

/* The most vectors and words of a mask that one of `cluster` blocks can have, wherever in memory the row begins. */
static step_plan plan_for(uint32_t width, weir_dtype dtype, uint32_t cluster, bool resident) {
    const uint32_t listed_most = 2048; /* vectors of a list where no vectors are kept */
    uint32_t per = 16 / static_cast<uint32_t>(dtype_size(dtype)), total = (per - 1 + width + per - 1) / per;
    uint32_t each = ((total + cluster - 1) / cluster + WARP - 1) / WARP * WARP;
    step_plan plan = {cluster, each * per / 32 + 2, resident ? each : each / 4 < listed_most ? each / 4 : listed_most, resident, 0};
    plan.shared = sizeof(step_shared) + (plan.mask_words + 3) / 4 * 16 + plan.vectors * sizeof(vector16);
    return plan;
}

/* The smallest cluster that keeps the device busy and holds a row; where none holds it, the row is streamed. */
static weir_status choose_plan(const cuda *c, size_t rows, weir_dtype dtype, step_plan *out, weir_error *error) {
    uint32_t width = c->view.logits_width, largest = c->limits.largest_cluster < 8 ? c->limits.largest_cluster : 8;
    bool streamed = c->variant != WEIR_DEVICE_RESIDENT, resident = c->variant != WEIR_DEVICE_STREAMED;
    uint32_t least = c->cluster != 0 ? c->cluster : 1, most = c->cluster != 0 ? c->cluster : largest;
    if (most > c->limits.largest_cluster)
        return fail(error, WEIR_ERROR_DEVICE, "device.cluster is %u, but this device has clusters of up to %u blocks", most,
                    c->limits.largest_cluster);
    while (c->cluster == 0 && least < most && rows * least * 2 <= c->limits.multiprocessors && width / least > COLUMNS_LEAST) least *= 2;
    for (uint32_t cluster = least; resident && cluster <= most; cluster *= 2) {
        *out = plan_for(width, dtype, cluster, true);
        bool two_fit = 2 * (out->shared + 1024) <= c->limits.shared_per_multiprocessor; /* a block takes 1 KiB more */
        if (out->shared <= c->limits.shared_per_block && (two_fit || cluster == most || c->cluster != 0)) return WEIR_OK;
    }
    *out = plan_for(width, dtype, least, false);
    if (streamed && out->shared <= c->limits.shared_per_block) return WEIR_OK;
    return fail(error, WEIR_ERROR_DEVICE, "a row of %u columns does not fit %zu bytes of shared memory", width, c->limits.shared_per_block);
}

static weir_status step(void *state, const weir_step *given, weir_error *error) {
    cuda *c = static_cast<cuda *>(state);
    step_plan plan = {};
    TRY(choose_plan(c, given->row_count, given->dtype, &plan, error));
    step_params p = {};
    p.sampler = c->view;
    p.slots = given->slots;
    p.rows = static_cast<uint32_t>(given->row_count);
    p.positions = static_cast<uint32_t>(given->draft_count) + 1;
    p.logits = given->logits;
    p.logits_stride = given->logits_stride;
    p.sampling = given->sampling;
    p.sampling_stride = given->sampling_stride;
    p.drafts = given->drafts;
    p.masks = given->masks;
    p.masks_stride = given->masks_stride;
    p.raw_logprobs = given->raw_logprobs;
    p.tokens = given->tokens;
    p.logprobs = given->logprobs;
    p.statuses = given->statuses;
    p.top_count = given->top_count;
    p.top_tokens = given->top_tokens;
    p.top_logprobs = given->top_logprobs;
    p.allowed_mass = given->allowed_mass;
    p.mask_words = plan.mask_words;
    p.vectors = plan.vectors;
    const step_kernels *kernels[] = {&step_kernels_f32, &step_kernels_f16, &step_kernels_bf16};
    bool report = p.top_count != 0 || p.allowed_mass != nullptr || (p.raw_logprobs && p.logprobs != nullptr);
    launch_shape shape = {p.rows, plan.cluster, threads_for(c->view.logits_width / plan.cluster, STEP_THREADS), plan.shared, false};
    return check(device_launch(kernels[given->dtype]->at[plan.resident][report], shape, c->stream, p), "the step", error);
}

/* --- masks and moves --------------------------------------------------------------------------------------------------- */

static weir_status launch_masks(cuda *c, masks_params p, weir_error *error) {
    uint32_t cluster = 1, largest = c->limits.largest_cluster < 8 ? c->limits.largest_cluster : 8;
    while (cluster < largest && p.rows * cluster * 2 <= c->limits.multiprocessors && c->view.logits_width / cluster > COLUMNS_LEAST) cluster *= 2;
    if (c->cluster != 0) cluster = c->cluster;
    p.sampler = c->view;
    p.mask_words = (c->view.word_count + cluster - 1) / cluster;
    size_t shared = sizeof(masks_shared) + p.mask_words * sizeof(uint32_t);
    launch_shape shape = {p.rows, cluster, threads_for(c->view.logits_width / cluster, MASKS_THREADS), shared, false};
    return check(device_launch(other_kernels_all.masks, shape, c->stream, p), "the masks", error);
}

static weir_status masks(void *state, const int32_t *slots, size_t row_count, uint32_t *words, size_t stride, weir_error *error) {
    masks_params p = {};
    p.slots = slots;
    p.rows = static_cast<uint32_t>(row_count);
    p.masks = words;
    p.stride = stride;
    return launch_masks(static_cast<cuda *>(state), p, error);
}

static weir_status mask_logits(void *state, const int32_t *slots, size_t row_count, void *logits, size_t stride, weir_dtype dtype,
                               weir_error *error) {
    masks_params p = {};
    p.slots = slots;
    p.rows = static_cast<uint32_t>(row_count);
    p.logits = logits;
    p.logits_stride = stride;
    p.dtype = dtype;
    return launch_masks(static_cast<cuda *>(state), p, error);
}

static weir_status draft_masks(void *state, const weir_draft_masks *given, weir_error *error) {
    masks_params p = {};
    p.slots = given->slots;
    p.rows = static_cast<uint32_t>(given->row_count);
    p.masks = given->masks;
    p.stride = given->masks_stride;
    p.drafts = given->drafts;
    p.draft_count = static_cast<uint32_t>(given->draft_count);
    p.valid_counts = given->valid_counts;
    p.trial = true;
    return launch_masks(static_cast<cuda *>(state), p, error);
}

static weir_status launch_moves(cuda *c, moves_params p, weir_error *error) {
    p.sampler = c->view;
    launch_shape shape = {p.rows, 1, WARP, 0, false};
    return check(device_launch(other_kernels_all.moves, shape, c->stream, p), "moving slots", error);
}

static weir_status advance(void *state, const int32_t *slots, const int32_t *tokens, size_t row_count, uint32_t *statuses,
                           weir_error *error) {
    moves_params p = {};
    p.kind = MOVE_ADVANCE;
    p.slots = slots;
    p.rows = static_cast<uint32_t>(row_count);
    p.tokens = tokens;
    p.statuses = statuses;
    return launch_moves(static_cast<cuda *>(state), p, error);
}

static weir_status rollback(void *state, const int32_t *slots, const uint32_t *counts, size_t row_count, uint32_t *statuses,
                            weir_error *error) {
    moves_params p = {};
    p.kind = MOVE_ROLLBACK;
    p.slots = slots;
    p.rows = static_cast<uint32_t>(row_count);
    p.counts = counts;
    p.statuses = statuses;
    return launch_moves(static_cast<cuda *>(state), p, error);
}

static weir_status catch_up_rows(void *state, const weir_catch_up *given, weir_error *error) {
    moves_params p = {};
    p.kind = MOVE_CATCH_UP;
    p.slots = given->slots;
    p.rows = static_cast<uint32_t>(given->row_count);
    p.tokens = given->tokens;
    p.tokens_stride = given->tokens_stride;
    p.lengths = given->lengths;
    p.line_count = given->line_count;
    p.lines = given->lines;
    p.statuses = given->statuses;
    return launch_moves(static_cast<cuda *>(state), p, error);
}

extern "C" const backend DEVICE_BACKEND = {"device", true, create_state, destroy_state, bind, release_slot, reset_slot, fork_slot,
                                           export_slot, import_slot, set_stream, upload, step, masks, advance, rollback, mask_logits,
                                           catch_up_rows, draft_masks};
