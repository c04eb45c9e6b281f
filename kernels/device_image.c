/* device_image.c - the layout of a slot in device memory, and a slot of the CPU written so. */
#include "device_image.h"

#include <stdlib.h>
#include <string.h>

#include "backend.h"
#include "host/status.h"

/* Takes `words` words at the end of the slot, 16 bytes aligned. */
static uint32_t place(slot_layout *l, uint64_t words) {
    uint32_t at = l->words;
    l->words += (uint32_t)((words + 3) / 4 * 4);
    return at;
}

static uint64_t words_of(uint64_t count, size_t size) {
    return count * (size / sizeof(uint32_t));
}

/* Rings are counted beyond 32 bits. */
static uint32_t power_of_two(uint32_t least) {
    uint32_t size = 1;
    while (size < least) size *= 2;
    return size;
}

/* What a bind writes stands first, what only steps write last. */
slot_layout device_layout(const weir_sampler_options *options) {
    const weir_device_options *device = options->device;
    slot_layout l;
    memset(&l, 0, sizeof l);
    place(&l, sizeof(device_slot) / sizeof(uint32_t));
    l.stop_capacity = device->stop_capacity;
    l.bad_capacity = device->bad_word_tokens;
    l.bias_capacity = device->bias_capacity;
    l.history_size = options->rollback_tokens + BAD_WORD_LONGEST - 1;
    l.counted = options->counted_tokens;
    l.index_size = token_counts_index_size(l.counted);
    l.sequence_words = device->sequence_words;
    l.move_size = power_of_two(options->rollback_tokens);
    l.log_size = power_of_two(device->log_words);
    l.frames_words = device->walk_words;
    l.stop_ids = place(&l, l.stop_capacity);
    l.bad = place(&l, l.bad_capacity);
    l.bias = place(&l, words_of(l.bias_capacity, sizeof(weir_logit_bias)));
    l.sequence = place(&l, l.sequence_words);
    l.history = place(&l, l.history_size);
    l.legal = place(&l, (options->logits_width + 31) / 32);
    l.counts = place(&l, words_of(l.counted, sizeof(token_count)));
    l.index = place(&l, l.index_size);
    l.moves = place(&l, words_of(l.move_size, sizeof(logged_move)));
    l.log = place(&l, words_of(l.log_size, sizeof(logged_word)));
    l.saved = place(&l, l.sequence_words);
    l.frames = place(&l, l.frames_words);
    l.patches = place(&l, (uint64_t)l.bias_capacity + l.counted + WEIR_DRAFTS_MOST);
    l.words = (l.words + 63) / 64 * 64; /* slots do not share a line of the cache */
    return l;
}

static size_t aligned(size_t bytes) { return (bytes + 255) / 256 * 256; }

size_t device_table_bytes(const weir_sampler_options *options) {
    return aligned(options->device->grammar_count * sizeof(device_grammar));
}

size_t device_slots_bytes(const weir_sampler_options *options) {
    return aligned((size_t)options->slot_count * device_layout(options).words * sizeof(uint32_t));
}

size_t device_bytes(const weir_sampler_options *options) {
    return device_table_bytes(options) + device_slots_bytes(options) + aligned(options->device->pool_bytes);
}

weir_status device_grammar_fits(const tables *t, const slot_layout *layout, weir_error *error) {
    size_t sequence = machine_sequence_words(t);
    if (sequence > layout->sequence_words)
        return fail(error, WEIR_ERROR_MEMORY, "a sequence of this grammar takes %zu words, more than device.sequence_words, %u",
                    sequence, layout->sequence_words);
    size_t walk = t->kept_slots ? machine_walk_words(t) : machine_frames_words(t);
    if (walk > layout->frames_words)
        return fail(error, WEIR_ERROR_MEMORY, "a walk of this grammar takes %zu words, more than device.walk_words, %u", walk,
                    layout->frames_words);
    return WEIR_OK;
}

static weir_status check_fit(const char *name, uint32_t count, uint32_t capacity, weir_error *error) {
    if (count <= capacity) return WEIR_OK;
    return fail(error, WEIR_ERROR_LIMIT, "the slot has %u %s, more than its place in device memory, %u", count, name, capacity);
}

typedef struct ordered_bias {
    weir_logit_bias bias;
    uint32_t place;
} ordered_bias;

static int by_token(const void *left, const void *right) {
    const ordered_bias *a = left, *b = right;
    if (a->bias.token != b->bias.token) return a->bias.token < b->bias.token ? -1 : 1;
    return (a->place > b->place) - (a->place < b->place);
}

/* Ascending by token; biases of one token stay in their order. */
static weir_status write_bias(const slot_shape *shape, const slot *from, weir_logit_bias *out, weir_error *error) {
    size_t size = sizeof(ordered_bias) * from->bias_count;
    if (size == 0) return WEIR_OK;
    ordered_bias *sorted = allocate(&shape->allocator, size);
    if (!sorted) return fail(error, WEIR_ERROR_MEMORY, "out of memory: %u biases", from->bias_count);
    for (uint32_t i = 0; i < from->bias_count; i++) sorted[i] = (ordered_bias){from->bias[i], i};
    qsort(sorted, from->bias_count, sizeof *sorted, by_token);
    for (uint32_t i = 0; i < from->bias_count; i++) out[i] = sorted[i].bias;
    release(&shape->allocator, sorted, size);
    return WEIR_OK;
}

static uint32_t flags_of(const slot *from) {
    return SLOT_BOUND | (from->stopped ? SLOT_STOPPED : 0) | (from->failed ? SLOT_FAILED : 0) |
           (from->own_stops ? SLOT_OWN_STOPS : 0) | (from->ignore_stop ? SLOT_IGNORE_STOP : 0) |
           (from->counts.entries ? SLOT_COUNTS : 0) | (from->legal ? SLOT_LEGAL : 0);
}

/* The sequence, and the moves that can be taken back. */
static void write_sequence(const slot *from, const slot_layout *l, device_slot *slot, uint32_t *out) {
    if (!from->matcher) return;
    const weir_grammar *grammar = weir_matcher_grammar(from->matcher);
    size_t length;
    memcpy(out + l->sequence, matcher_sequence(from->matcher),
           machine_sequence_words(weir_grammar_tables(grammar, &length)) * sizeof(uint32_t));
    uint32_t word_count;
    slot->step_count = matcher_moves(from->matcher, (logged_move *)(out + l->moves), l->move_size,
                                     (logged_word *)(out + l->log), l->log_size, &word_count);
    slot->step_next = slot->step_count;
    slot->log_next = word_count;
}

static void write_history(const slot *from, const slot_layout *l, uint32_t *out) {
    for (uint64_t position = from->first_known; position < from->position; position++)
        out[l->history + position % from->history_size] = from->history[position % from->history_size];
}

static void write_counts(const slot *from, const slot_layout *l, uint32_t *out) {
    if (!from->counts.entries) return;
    memcpy(out + l->counts, from->counts.entries, from->counts.count * sizeof *from->counts.entries);
    memcpy(out + l->index, from->counts.index, from->counts.index_size * sizeof *from->counts.index);
}

weir_status device_image(const slot_shape *shape, const slot *from, const slot_layout *l, uint32_t line, uint32_t budget,
                         uint32_t *out, slot_span spans[SLOT_SPANS], weir_error *error) {
    TRY(check_fit("stop ids", from->stop_count, l->stop_capacity, error));
    TRY(check_fit("tokens in bad words", from->bad_size, l->bad_capacity, error));
    TRY(check_fit("biases", from->bias_count, l->bias_capacity, error));
    device_slot slot;
    memset(&slot, 0, sizeof slot);
    slot.grammar = line;
    slot.flags = flags_of(from);
    slot.seed = from->seed;
    slot.position = from->position;
    slot.origin = from->origin;
    slot.first_known = from->first_known;
    slot.first_token = from->first_token;
    slot.min_tokens = from->min_tokens;
    slot.budget = budget ? budget : TABLES_NONE;
    slot.window = from->window;
    slot.stop_count = from->stop_count;
    slot.bad_size = from->bad_size;
    slot.bias_count = from->bias_count;
    slot.count_count = from->counts.count;
    if (from->stop_count) memcpy(out + l->stop_ids, from->stop_ids, from->stop_count * sizeof(uint32_t));
    if (from->bad_size) memcpy(out + l->bad, from->bad, from->bad_size * sizeof(uint32_t));
    TRY(write_bias(shape, from, (weir_logit_bias *)(out + l->bias), error));
    write_sequence(from, l, &slot, out);
    write_history(from, l, out);
    if (from->legal) memcpy(out + l->legal, from->legal, shape->word_count * sizeof(uint32_t));
    write_counts(from, l, out);
    memcpy(out, &slot, sizeof slot);
    uint32_t moves = slot.step_count * (uint32_t)(sizeof(logged_move) / sizeof(uint32_t));
    spans[0] = (slot_span){0, l->legal};
    spans[1] = (slot_span){l->legal, from->legal ? shape->word_count : 0};
    spans[2] = (slot_span){l->counts, from->counts.entries ? l->moves - l->counts : 0};
    spans[3] = (slot_span){l->moves, moves};
    spans[4] = (slot_span){l->log, 2 * slot.log_next};
    return WEIR_OK;
}
