/* advance.cuh - what taking a token changes in a slot, and taking it back. One thread a slot. */
#ifndef WEIR_KERNELS_ADVANCE_CUH
#define WEIR_KERNELS_ADVANCE_CUH

#include "slot.cuh"

DEVICE uint32_t history_size(const sampler_view &sampler, const device_slot *slot) { return sampler.rollback + slot->window; }

/* The token of the history `back` tokens ago, from 1. */
DEVICE uint32_t token_ago(const sampler_view &sampler, const slot_view &s, uint64_t back) {
    return s.words[s.layout->history + (s.slot->position - back) % history_size(sampler, s.slot)];
}

/* --- the machine's moves, and the log of what they overwrote -------------------------------------------------------- */

/* Room in the rings for one more move that overwrites up to `words` words: the oldest moves are forgotten. */
DEVICE void make_room(const slot_view &s, uint32_t words) {
    device_slot *slot = s.slot;
    if (slot->step_count == s.layout->move_size) slot->step_count--;
    while (slot->step_count > 0) {
        uint32_t oldest = slot_move(s, slot->step_next - slot->step_count)->log;
        if (slot->log_next - oldest + words <= s.layout->log_size) return;
        slot->step_count--;
    }
}

DEVICE void note_move(const slot_view &s, const uint32_t *sequence) {
    logged_move *move = slot_move(s, s.slot->step_next);
    for (uint32_t i = 0; i < SEQUENCE_HEAD; i++) move->head[i] = sequence[i];
    move->log = s.slot->log_next;
    s.slot->step_next++;
    s.slot->step_count++;
}

/* Words of a move beyond the log's size are not noted: then it cannot be taken back. */
DEVICE void commit_word(const slot_view &s, uint32_t *sequence, uint32_t word, uint32_t value, bool noted) {
    if (sequence[word] == value) return;
    if (noted) *slot_log(s, s.slot->log_next++) = {word, sequence[word]};
    sequence[word] = value;
}

/* quiet: nothing is noted, and nothing that was is forgotten. */
DEVICE void commit_walk(const slot_view &s, const machine &m, const walk *w, bool quiet) {
    uint32_t *sequence = slot_sequence(s), frame_words = m.t->frame_words;
    uint32_t kept = 2 * (w->kept > w->kept_low ? w->kept - w->kept_low : 0);
    uint32_t words = kept + (w->depth < w->low ? 0 : (w->depth - w->low + 1) * frame_words);
    bool noted = !quiet && words <= s.layout->log_size;
    if (!noted && !quiet) s.slot->step_count = 0;
    if (noted) make_room(s, words);
    if (noted) note_move(s, sequence);
    for (uint32_t depth = w->low; depth <= w->depth; depth++) {
        const uint32_t *frame = walk_place(&m, w, depth);
        for (uint32_t i = 0; i < frame_words; i++)
            commit_word(s, sequence, SEQUENCE_HEAD + depth * frame_words + i, frame[i], noted);
    }
    for (uint32_t i = w->kept_low; i < w->kept; i++)
        for (uint32_t k = 0; k < 2; k++) {
            uint32_t at = static_cast<uint32_t>(kept_at(&m, i)) + k;
            commit_word(s, sequence, SEQUENCE_HEAD + at, w->frames[at], noted);
        }
    walk_save_head(w, sequence);
    if (sequence[SEQUENCE_BUDGET] != TABLES_NONE) sequence[SEQUENCE_BUDGET]--;
}

DEVICE void take_back_move(const slot_view &s) {
    uint32_t *sequence = slot_sequence(s);
    const logged_move *move = slot_move(s, --s.slot->step_next);
    s.slot->step_count--;
    while (s.slot->log_next != move->log) {
        const logged_word *word = slot_log(s, --s.slot->log_next);
        sequence[word->word] = word->value;
    }
    for (uint32_t i = 0; i < SEQUENCE_HEAD; i++) sequence[i] = move->head[i];
}

/* --- taking ------------------------------------------------------------------------------------------------------ */

/* The stages of a mask in which tokens are walked, in their order: a later one decides what an earlier one let through. */
enum walk_stage {
    WALK_ALL,     /* near the depth limit or the budget: every token of the row */
    WALK_FULL,    /* a bounded string in a unique array: tokens that fill it to the last code point may repeat an earlier one */
    WALK_GUARDED, /* tokens that hang on the stack */
    WALK_CLOSING, /* tokens that close an object all of whose names are there */
    WALK_STAGES
};

/* The tokens that a stage decides: entries of a list, or those that stand in the part's words. */
struct walked_tokens {
    const uint32_t *list;  /* NULL: words */
    const uint32_t *level; /* of words: NULL, or only tokens of these words of the row count, */
    const uint32_t *below; /* but for those of these, if they are not NULL */
    uint32_t points;       /* of entries: TABLES_NONE, or they are packed, and only those of so many code points count */
    uint32_t count;        /* entries, or words */
    bool decides;          /* whether there is something to decide, in any block of the cluster */
};

/* All walks of a mask, and the threads of the block that walk. */
struct walk_plan {
    walked_tokens stages[WALK_STAGES];
    uint32_t walkers, first; /* they are the walkers of the slot from `first` on */
    uint32_t turns;          /* 1, or the blocks of the cluster walk one after the other, in room for all walkers of one */
};

struct constraint {
    machine m;
    const vocab_tables *vocab;
    walk_plan plan; /* of the mask at hand: it stands here so that threads need not keep it */
};

/* The slot's grammar; a slot without one leaves it as it is. */
DEVICE void constraint_open(const sampler_view &sampler, const slot_view &s, constraint *c) {
    if (!slot_has_grammar(s)) return;
    const device_grammar *grammar = &sampler.grammars[s.slot->grammar];
    c->m = machine_open(grammar->t);
    c->vocab = grammar->vocab;
}

/* Takes a token of the constraint. false: it is not allowed, and nothing has changed. */
DEVICE bool take_constrained(const slot_view &s, const constraint &c, uint32_t token, bool quiet) {
    const uint32_t *vocab_stops = vocab_at<uint32_t>(c.vocab, c.vocab->stop_ids);
    if (among(token, vocab_stops, c.vocab->stop_count)) {
        if (s.slot->flags & SLOT_OWN_STOPS || !machine_accepts(&c.m, slot_sequence(s))) return false;
        if (!quiet) make_room(s, 0);
        if (!quiet) note_move(s, slot_sequence(s));
        s.slot->flags |= SLOT_STOPPED;
        return true;
    }
    walk w;
    if (!slot_walk_token(s, c.m, c.vocab, 0, token, &w)) return false;
    commit_walk(s, c.m, &w, quiet);
    return true;
}

/* Advances the sequence and its history. false: the token may not follow, and nothing has changed. */
DEVICE bool slot_accept(const sampler_view &sampler, const slot_view &s, const constraint &c, uint32_t token, bool quiet) {
    device_slot *slot = s.slot;
    if (slot->flags & (SLOT_STOPPED | SLOT_FAILED) || token >= sampler.logits_width) return false;
    if (among(token, slot_stop_ids(s), slot->stop_count)) {
        if (slot_has_grammar(s) && !machine_accepts(&c.m, slot_sequence(s))) return false;
        slot->flags |= SLOT_STOPPED;
    } else if (slot_has_grammar(s) && !take_constrained(s, c, token, quiet)) {
        return false;
    }
    uint32_t size = history_size(sampler, slot);
    s.words[s.layout->history + slot->position % size] = token;
    slot->position++;
    if (slot->position - slot->first_known > size) slot->first_known++;
    return true;
}

/* The same, counted; *counts_full: it could not be. */
DEVICE bool slot_take(const sampler_view &sampler, const slot_view &s, const constraint &c, uint32_t token, bool *counts_full) {
    *counts_full = false;
    if (!slot_accept(sampler, s, c, token, false)) return false;
    if (s.slot->flags & SLOT_COUNTS) {
        token_counts counts = slot_counts(s);
        *counts_full = !token_counts_add(&counts, token, false);
        s.slot->count_count = counts.count;
    }
    return true;
}

/* --- taking back ------------------------------------------------------------------------------------------------- */

/* 1 if the last token was a stop token of the slot's own, which the machine has not seen. */
DEVICE uint32_t took_own_stop(const sampler_view &sampler, const slot_view &s) {
    return s.slot->flags & SLOT_STOPPED && among(token_ago(sampler, s, 1), slot_stop_ids(s), s.slot->stop_count);
}

DEVICE bool can_take_back(const sampler_view &sampler, const slot_view &s, uint64_t count) {
    const device_slot *slot = s.slot;
    uint64_t known = slot->position - slot->first_known;
    if (slot->first_known > slot->origin) known -= known < slot->window ? known : slot->window;
    if (known > sampler.rollback) known = sampler.rollback;
    if (count > 0 && slot_has_grammar(s)) {
        uint32_t kept = slot->step_count + took_own_stop(sampler, s);
        if (known > kept) known = kept;
    }
    return count <= known;
}

/* false: the history is shorter, and nothing has changed. */
DEVICE bool slot_take_back(const sampler_view &sampler, const slot_view &s, uint64_t count) {
    device_slot *slot = s.slot;
    if (!can_take_back(sampler, s, count)) return false;
    slot->flags &= ~static_cast<uint32_t>(SLOT_FAILED);
    if (count == 0) return true;
    uint64_t moves = slot_has_grammar(s) ? count - took_own_stop(sampler, s) : 0;
    for (uint64_t i = 0; i < moves; i++) take_back_move(s);
    for (uint64_t i = 0; i < count; i++) {
        if (slot->flags & SLOT_COUNTS) {
            token_counts counts = slot_counts(s);
            token_counts_undo(&counts, token_ago(sampler, s, 1));
            slot->count_count = counts.count;
        }
        slot->position--;
    }
    slot->flags &= ~static_cast<uint32_t>(SLOT_STOPPED);
    return true;
}

#endif
