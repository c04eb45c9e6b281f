/* cuda_slots.cu - slots of the device: bound from a slot of the CPU, copied, carried to the host and back. */
#include <string.h>

#include "cuda.cuh"

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
            status = cuda_check(device_copy_in(slot_words(c, index) + spans[i].first, image + spans[i].first,
                                          spans[i].count * sizeof(uint32_t), c->stream), "copying a slot", error);
    return staged_end(c, s, status, error);
}

weir_status cuda_bind(void *state, uint32_t index, const weir_slot_options *options, weir_error *error) {
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

/* A slot as a whole; what the change does not ask for is 0. */
static weir_status change(cuda *c, uint32_t index, slot_change kind, uint64_t seed, uint64_t position, bool stopped, weir_error *error) {
    return launch_change(c, {c->view, index, kind, seed, position, stopped}, error);
}

weir_status cuda_release(void *state, uint32_t index, weir_error *error) {
    cuda *c = static_cast<cuda *>(state);
    TRY(change(c, index, SLOT_RELEASE, 0, 0, false, error));
    set_use(c, index, GRAMMAR_NONE, 0);
    return WEIR_OK;
}

weir_status cuda_reset(void *state, uint32_t index, weir_error *error) {
    return change(static_cast<cuda *>(state), index, SLOT_RESET, 0, 0, false, error);
}

weir_status cuda_fork(void *state, uint32_t from, uint32_t to, uint64_t seed, weir_error *error) {
    cuda *c = static_cast<cuda *>(state);
    size_t bytes = c->view.layout.saved * sizeof(uint32_t); /* what is behind holds nothing between calls */
    TRY(cuda_check(device_copy(slot_words(c, to), slot_words(c, from), bytes, c->stream), "copying a slot", error));
    TRY(change(c, to, SLOT_SEED, seed, 0, false, error));
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
weir_status cuda_export(void *state, uint32_t index, weir_matcher **out, weir_error *error) {
    cuda *c = static_cast<cuda *>(state);
    const slot_layout *layout = &c->view.layout;
    size_t bytes = layout->history * sizeof(uint32_t);
    uint32_t *words = static_cast<uint32_t *>(allocate(&c->shape.allocator, bytes));
    if (words == nullptr) return fail(error, WEIR_ERROR_MEMORY, "out of memory: %zu bytes of a slot", bytes);
    weir_status status = make_matcher(c, index, out, error);
    if (status == WEIR_OK) status = cuda_check(device_copy_out(words, slot_words(c, index), bytes, c->stream), "reading a slot", error);
    if (status == WEIR_OK) status = cuda_check(device_wait(c->stream), "waiting for a slot", error);
    if (status == WEIR_OK) status = restore(words, layout, *out, error);
    if (status != WEIR_OK) {
        weir_matcher_destroy(*out);
        *out = nullptr;
    }
    release(&c->shape.allocator, words, bytes);
    return status;
}

weir_status cuda_import(void *state, uint32_t index, const weir_matcher *matcher, weir_error *error) {
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
        status = cuda_check(device_copy_in(slot_words(c, index) + c->view.layout.sequence, staged_memory(s), bytes, c->stream), "copying a slot", error);
        status = staged_end(c, s, status, error);
    }
    if (status == WEIR_OK)
        status = change(c, index, SLOT_ADOPT, 0, weir_matcher_token_count(own), weir_matcher_is_stopped(own), error);
    weir_matcher_destroy(own);
    return status;
}
