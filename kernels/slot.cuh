/* slot.cuh - a slot in device memory as pointers: its sequence, what its request bans, its history and its counts. */
#ifndef WEIR_KERNELS_SLOT_CUH
#define WEIR_KERNELS_SLOT_CUH

#include "device.cuh"
#include "device_state.h"
#include "weir.h"

/* What every kernel is given of a sampler. */
struct sampler_view {
    const device_grammar *grammars; /* a line for each */
    uint32_t *slots;                /* [slot_count][layout.words] */
    uint32_t slot_count;
    uint32_t logits_width, word_count; /* columns, and words of a mask */
    uint32_t rollback;                 /* tokens that can be taken back */
    slot_layout layout;
};

struct slot_view {
    device_slot *slot;
    uint32_t *words;
    const slot_layout *layout;
};

DEVICE slot_view slot_at(const sampler_view &sampler, uint32_t index) {
    uint32_t *words = sampler.slots + static_cast<size_t>(index) * sampler.layout.words;
    return {reinterpret_cast<device_slot *>(words), words, &sampler.layout};
}

DEVICE uint32_t *slot_sequence(const slot_view &s) { return s.words + s.layout->sequence; }
DEVICE const uint32_t *slot_stop_ids(const slot_view &s) { return s.words + s.layout->stop_ids; }
DEVICE const weir_logit_bias *slot_bias(const slot_view &s) {
    return reinterpret_cast<const weir_logit_bias *>(s.words + s.layout->bias);
}
DEVICE uint32_t *slot_patches(const slot_view &s) { return s.words + s.layout->patches; }
DEVICE const token_count *slot_count_entries(const slot_view &s) {
    return reinterpret_cast<const token_count *>(s.words + s.layout->counts);
}
DEVICE logged_move *slot_move(const slot_view &s, uint32_t index) {
    return reinterpret_cast<logged_move *>(s.words + s.layout->moves) + index % s.layout->move_size;
}
DEVICE logged_word *slot_log(const slot_view &s, uint32_t index) {
    return reinterpret_cast<logged_word *>(s.words + s.layout->log) + index % s.layout->log_size;
}

DEVICE token_counts slot_counts(const slot_view &s) {
    token_counts counts;
    counts.entries = reinterpret_cast<token_count *>(s.words + s.layout->counts);
    counts.index = s.words + s.layout->index;
    counts.count = s.slot->count_count;
    counts.capacity = s.layout->counted;
    counts.index_size = s.layout->index_size;
    return counts;
}

/* --- the machine ------------------------------------------------------------------------------------------------ */

DEVICE bool slot_has_grammar(const slot_view &s) { return s.slot->grammar != GRAMMAR_NONE; }

template <typename T> DEVICE const T *vocab_at(const vocab_tables *v, uint64_t offset) {
    return reinterpret_cast<const T *>(reinterpret_cast<const char *>(v) + offset);
}

DEVICE bool among(uint32_t id, const uint32_t *ids, uint32_t count) {
    for (uint32_t i = 0; i < count; i++)
        if (ids[i] == id) return true;
    return false;
}

/* Words that one walker writes to: the frames that the brackets of a token can reach, or all where that is less or where
 * values are kept. */
DEVICE uint32_t walker_words(const machine &m, const vocab_tables *v) {
    uint32_t all = static_cast<uint32_t>(machine_walk_words(m.t)), reach = (2 * v->bracket_most + 1) * m.t->frame_words;
    return m.t->kept_slots == 0 && reach < all ? reach : all;
}

/* Walkers that a slot has room for; at least one, as binding it has seen to. */
DEVICE uint32_t walker_count(const slot_view &s, const machine &m, const vocab_tables *v) {
    uint32_t count = s.layout->frames_words / walker_words(m, v);
    return count < WALKERS ? count : static_cast<uint32_t>(WALKERS);
}

/* A walk from the slot's state in the room of a walker. */
DEVICE void walk_from_slot(const slot_view &s, const machine &m, const vocab_tables *v, uint32_t walker, walk *w) {
    const uint32_t *sequence = slot_sequence(s);
    uint32_t words = walker_words(m, v), depth = sequence[SEQUENCE_DEPTH];
    bool whole = words == machine_walk_words(m.t);
    uint32_t base = whole || depth < v->bracket_most ? 0 : depth - v->bracket_most;
    walk_begin_at(w, sequence, s.words + s.layout->frames + walker * words, base);
}

/* Whether a token of text may follow, by its bytes; *w is where it leads. */
DEVICE_CALL bool slot_walk_token(const slot_view &s, const machine &m, const vocab_tables *v, uint32_t walker, uint32_t token,
                                 walk *w) {
    if (token >= v->token_count || token >= v->logits_width) return false;
    const uint32_t *offsets = vocab_at<uint32_t>(v, v->offsets);
    uint32_t from = offsets[token], length = offsets[token + 1] - from;
    if (length == 0) return false;
    walk_from_slot(s, m, v, walker, w);
    return walk_token(&m, w, vocab_at<uint8_t>(v, v->text) + from, length) && walk_token_ends_well(&m, w);
}

#endif
