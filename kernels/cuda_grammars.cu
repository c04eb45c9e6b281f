/* cuda_grammars.cu - grammars and vocabularies on the device: in a pool, each once, the least lately used dropped for others. */
#include "cuda.cuh"

static weir_status set_line(cuda *c, uint32_t line, weir_error *error) {
    const held *grammar = &c->lines[line], *vocab = &c->vocabs[grammar->vocab];
    return launch_line(c, {c->table, line,
                           {reinterpret_cast<const tables *>(c->pool_memory + grammar->offset),
                            reinterpret_cast<const vocab_tables *>(c->pool_memory + vocab->offset)}}, error);
}

/* --- a place in the pool ------------------------------------------------------------------------------------------ */

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
    if (s->status == WEIR_OK) s->status = launch_shift(c, params, s->error);
}

/* All copies are done before anything moves, and everything has moved before a later copy: both in the sampler's stream. */
static weir_status compact(cuda *c, weir_error *error) {
    shifting s = {c, WEIR_OK, error};
    for (uint32_t i = 0; i < c->grammar_count; i++) {
        if (c->lines[i].key != nullptr) TRY(cuda_check(device_event_wait(c->lines[i].ready, c->stream), "an event", error));
        if (c->vocabs[i].key != nullptr) TRY(cuda_check(device_event_wait(c->vocabs[i].ready, c->stream), "an event", error));
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
        if (c->pool.bytes - c->pool.used >= pool_rounded(bytes)) break;
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
    TRY(cuda_check(device_event_record(event, c->stream), "an event", error));
    return cuda_check(device_event_wait(event, stream), "an event", error);
}

static weir_status end_upload(cuda *c, device_stream stream, device_event event, weir_error *error) {
    TRY(cuda_check(device_event_record(event, stream), "an event", error));
    return stream == c->stream ? WEIR_OK : cuda_check(device_event_wait(event, c->stream), "an event", error);
}

static weir_status upload_vocab(cuda *c, const weir_vocab *key, uint32_t index, device_stream stream, weir_error *error) {
    held *vocab = &c->vocabs[index];
    staged *s = nullptr;
    size_t bytes = vocab_tables_bytes(key);
    TRY(staged_begin(c, bytes, stream, &s, error));
    vocab_tables_write(key, staged_memory(s));
    weir_status status = begin_upload(c, stream, vocab->ready, error);
    if (status == WEIR_OK)
        status = cuda_check(device_copy_in(c->pool_memory + vocab->offset, staged_memory(s), bytes, stream), "copying a vocabulary", error);
    if (status == WEIR_OK) status = end_upload(c, stream, vocab->ready, error);
    return staged_end(c, s, status, error);
}

/* Takes a free place of a list, with an event and a place in the pool. */
static weir_status hold(cuda *c, held *list, uint32_t index, const void *key, uint32_t owner, uint64_t bytes, weir_error *error) {
    held made = {};
    TRY(cuda_check(device_event_create(&made.ready), "an event", error));
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
    TRY(cuda_check(device_copy_in(c->pool_memory + c->lines[line].offset, blob, bytes, stream), "copying a grammar", error));
    TRY(end_upload(c, stream, c->lines[line].ready, error));
    return set_line(c, line, error);
}

weir_status hold_grammar(cuda *c, const weir_grammar *given, device_stream stream, uint32_t *out, weir_error *error) {
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

void drop_grammars(cuda *c) {
    for (uint32_t i = 0; i < c->grammar_count; i++)
        if (c->lines[i].key != nullptr) drop_grammar(c, i);
}
