/* moves.cuh - sequences that move by given tokens, and slots that are changed as a whole. One thread a slot. */
#ifndef WEIR_KERNELS_MOVES_CUH
#define WEIR_KERNELS_MOVES_CUH

#include "advance.cuh"

enum move_kind { MOVE_ADVANCE, MOVE_ROLLBACK, MOVE_CATCH_UP };

struct moves_params {
    sampler_view sampler;
    uint32_t kind;
    const int32_t *slots; /* [rows] */
    uint32_t rows;
    const int32_t *tokens;   /* ADVANCE: [rows]; CATCH_UP: [line_count, tokens_stride] */
    const uint32_t *counts;  /* ROLLBACK: [rows] */
    uint64_t tokens_stride;
    const int32_t *lengths;  /* CATCH_UP: [line_count] */
    uint64_t line_count;
    const int32_t *lines;    /* CATCH_UP: [rows] or NULL */
    uint32_t *statuses;      /* [rows] or NULL */
};

DEVICE uint32_t status_if(bool holds, uint32_t status) { return holds ? status : 0; }

/* Whether a row's slot can be worked on: -1 is idle, others must be bound. */
DEVICE bool open_row(const sampler_view &sampler, int32_t index, slot_view *s, uint32_t *status) {
    *status = index == -1 ? WEIR_ROW_STATUS_IDLE : WEIR_ROW_STATUS_INVALID;
    if (index < 0 || static_cast<uint32_t>(index) >= sampler.slot_count) return false;
    *s = slot_at(sampler, static_cast<uint32_t>(index));
    return (s->slot->flags & SLOT_BOUND) != 0;
}

/* What a row asks for: tokens to be taken, or how many are to be taken back. */
struct asked_move {
    const int32_t *tokens;
    uint64_t take, back;
};

/* From where the slot stands to the end of a line; false: there is no such line. */
DEVICE bool line_asks(const moves_params &p, const slot_view &s, int64_t line, asked_move *out) {
    if (line < 0 || static_cast<uint64_t>(line) >= p.line_count) return false;
    int32_t length = p.lengths[line];
    if (length < 0 || static_cast<uint64_t>(length) > p.tokens_stride) return false;
    uint64_t known = static_cast<uint64_t>(length), first = s.slot->first_token, position = s.slot->position;
    uint64_t goal = known > first ? known - first : 0;
    bool ahead = goal >= position;
    const int32_t *tokens = p.tokens + static_cast<uint64_t>(line) * p.tokens_stride + first + position;
    *out = {tokens, ahead ? goal - position : 0, ahead ? 0 : position - goal};
    return true;
}

DEVICE bool row_asks(const moves_params &p, uint32_t row, const slot_view &s, asked_move *out) {
    if (p.kind == MOVE_CATCH_UP) return line_asks(p, s, p.lines != nullptr ? p.lines[row] : p.slots[row], out);
    if (p.kind == MOVE_ADVANCE)
        *out = {p.tokens + row, 1, 0};
    else
        *out = {nullptr, 0, p.counts[row]};
    return true;
}

/* A line ends before its first token that is negative, too. */
DEVICE bool make_move(const moves_params &p, const slot_view &s, const constraint &c, const asked_move &move, bool *counts_full) {
    if (p.kind == MOVE_ROLLBACK || move.back != 0) return slot_take_back(p.sampler, s, move.back);
    for (uint64_t i = 0; i < move.take; i++) {
        bool full;
        if (p.kind == MOVE_CATCH_UP && move.tokens[i] < 0) break;
        if (!slot_take(p.sampler, s, c, static_cast<uint32_t>(move.tokens[i]), &full)) return false;
        *counts_full |= full;
    }
    return true;
}

DEVICE void move_row(const moves_params &p, uint32_t row) {
    slot_view s = {};
    uint32_t status;
    if (open_row(p.sampler, p.slots[row], &s, &status)) {
        constraint c;
        asked_move move;
        bool full = false;
        constraint_open(p.sampler, s, &c);
        bool done = row_asks(p, row, s, &move) && make_move(p, s, c, move, &full);
        status = status_if(!done, WEIR_ROW_STATUS_REJECTED) | status_if(s.slot->flags & SLOT_STOPPED, WEIR_ROW_STATUS_STOPPED) |
                 status_if(s.slot->flags & SLOT_FAILED, WEIR_ROW_STATUS_NO_TOKEN) | status_if(full, WEIR_ROW_STATUS_COUNTS_FULL);
    }
    if (p.statuses != nullptr) p.statuses[row] = status;
}

/* --- slots as a whole ------------------------------------------------------------------------------------------------- */

enum slot_change { SLOT_RELEASE, SLOT_RESET, SLOT_SEED, SLOT_ADOPT };

struct change_params {
    sampler_view sampler;
    uint32_t slot;
    slot_change change;
    uint64_t seed;     /* SEED */
    uint64_t position; /* ADOPT: the sequence stands there already; its history begins now */
    bool stopped;
};

/* The counts as the prompt left them: output tokens that the prompt has not are the newest entries. */
DEVICE void forget_output(const slot_view &s) {
    token_counts counts = slot_counts(s);
    for (uint32_t i = 0; i < counts.count; i++) counts.entries[i].output = 0;
    while (counts.count > 0 && counts.entries[counts.count - 1].prompt == 0) {
        *token_counts_slot(&counts, counts.entries[counts.count - 1].token) = 0;
        counts.count--;
    }
    s.slot->count_count = counts.count;
}

DEVICE void begin_at(const slot_view &s, uint64_t position, bool stopped) {
    device_slot *slot = s.slot;
    slot->position = slot->origin = slot->first_known = position;
    slot->step_count = 0;
    slot->flags &= ~static_cast<uint32_t>(SLOT_STOPPED | SLOT_FAILED);
    if (stopped) slot->flags |= SLOT_STOPPED;
    if (slot->flags & SLOT_COUNTS) forget_output(s);
}

DEVICE void change_slot(const change_params &p) {
    slot_view s = slot_at(p.sampler, p.slot);
    if (p.change == SLOT_RELEASE) s.slot->flags = 0;
    if (p.change == SLOT_SEED) s.slot->seed = p.seed;
    if (p.change == SLOT_ADOPT) begin_at(s, p.position, p.stopped);
    if (p.change != SLOT_RESET) return;
    begin_at(s, 0, false);
    if (!slot_has_grammar(s)) return;
    machine m = machine_open(p.sampler.grammars[s.slot->grammar].t);
    machine_start(&m, slot_sequence(s), s.slot->budget);
}

/* --- the table and the pool --------------------------------------------------------------------------------------------- */

/* One line of the table of grammars. */
struct line_params {
    device_grammar *grammars;
    uint32_t line;
    device_grammar grammar;
};

/* Moves `count` vectors down, front first; the two pieces may overlap. One block. */
struct shift_params {
    vector16 *to;
    const vector16 *from; /* above `to` */
    uint64_t count;
};

DEVICE void shift_down(const shift_params &p) {
    enum { EACH = 8 };
    for (uint64_t start = 0; start < p.count; start += EACH * block_threads()) {
        vector16 vectors[EACH];
        UNROLL
        for (uint32_t i = 0; i < EACH; i++) {
            uint64_t at = start + i * block_threads() + thread_index();
            if (at < p.count) vectors[i] = p.from[at];
        }
        block_sync(); /* all are read, before one is overwritten */
        UNROLL
        for (uint32_t i = 0; i < EACH; i++) {
            uint64_t at = start + i * block_threads() + thread_index();
            if (at < p.count) p.to[at] = vectors[i];
        }
        block_sync(); /* and written, before the next are read */
    }
}

#endif
