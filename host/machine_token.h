/* machine_token.h - one token of text: whether it may follow, and what taking it changes. Part of machine.h. */
#ifndef WEIR_HOST_MACHINE_TOKEN_H
#define WEIR_HOST_MACHINE_TOKEN_H

/* Tokens left after the next one; NONE: any number. */
MACHINE uint32_t sequence_budget_after(const uint32_t *sequence) {
    uint32_t budget = sequence[SEQUENCE_BUDGET];
    return budget == TABLES_NONE ? TABLES_NONE : budget - 1;
}

/* In a string whose value must differ from others, when the budget is nearly spent: only tokens of one code point are
 * looked at closely, for there can be many others. False: a longer one, which could not be sure to end. */
MACHINE bool walk_leaves_room(const machine *m, const walk *w) {
    uint32_t left = sequence_budget_after(w->sequence), string = m->states[w->state].instance;
    if (w->careful == 0 || left == TABLES_NONE || string == TABLES_NONE) return true;
    if (m->states[w->sequence[SEQUENCE_STATE]].instance != string) return true;
    if (w->depth != w->sequence[SEQUENCE_DEPTH] || !search_is_ample(m, w)) return true;
    return cost_add(walk_cost(m, w), SEARCH_SPARE) <= left;
}

/* Reads the bytes of a token, from the walk's beginning. */
MACHINE bool walk_token(const machine *m, walk *w, const uint8_t *bytes, uint32_t length) {
    if (w->state == STATE_DEAD || w->sequence[SEQUENCE_BUDGET] == 0) return false;
    if (!walk_bytes(m, w, bytes, length)) return false;
    if (w->careful == 0) return true;
    uint32_t points = w->counter - w->sequence[SEQUENCE_COUNTER]; /* of the string that goes on: an escape is one */
    bool begun = points != 0;
    ROLLED for (uint32_t i = 0; i < length && !begun; i++) points += (bytes[i] & 0xC0) != 0x80;
    return points <= 1 || walk_leaves_room(m, w);
}

/* Whether the text can be finished behind the token that the walk has read. */
MACHINE bool walk_token_ends_well(const machine *m, const walk *w) {
    return walk_can_finish(m, w, sequence_budget_after(w->sequence));
}

/* --- rows ------------------------------------------------------------------------------------------------------ */

MACHINE const uint32_t *sequence_top_frame(const machine *m, const uint32_t *sequence) {
    return sequence + SEQUENCE_HEAD + (size_t)sequence[SEQUENCE_DEPTH] * m->t->frame_words;
}

/* The most that the frames below can need, and the names that are missing. */
MACHINE uint32_t sequence_needed_below(const machine *m, const uint32_t *sequence, const state *s) {
    const uint32_t *frame = sequence_top_frame(m, sequence);
    uint32_t below = 0, missing = 0;
    ROLLED for (uint32_t i = 0; i < m->t->class_max; i++) {
        uint32_t rest = frame_rest(m, frame, i);
        if (rest != COST_NEVER && rest > below) below = rest;
    }
    ROLLED for (uint32_t i = 0, known = 0; i < s->cost_count; i++) {
        uint32_t names = m->costs[s->costs + i].missing, depth = sequence[SEQUENCE_DEPTH];
        if (names == known || names == 0) continue;
        uint32_t total = names_missing_cost(m, &m->objects[(names - 1) / 2], (names - 1) % 2, frame, depth);
        if (total > missing) missing = total;
        known = names;
    }
    return cost_add(below, missing);
}

/* Whether every token of the state's row may follow: neither the depth limit nor the budget is near. */
MACHINE bool row_stands(const machine *m, const uint32_t *sequence, const state *s, const row *r) {
    uint32_t deepest = sequence[SEQUENCE_DEPTH] + r->depth_need;
    if (deepest > m->t->depth_limit) return false;
    if (sequence[SEQUENCE_BUDGET] == TABLES_NONE) return true;
    uint32_t lines = r->line_need * m->t->indent * deepest;
    uint32_t most = cost_add(sequence_needed_below(m, sequence, s), cost_add(r->cost_need, lines));
    if (sequence[SEQUENCE_CAREFUL] != 0) most = cost_add(most, SEARCH_SPARE);
    return most != COST_NEVER && most < sequence[SEQUENCE_BUDGET];
}

/* Code points that still fit into the open string. */
MACHINE uint32_t string_room(const instance *in, uint32_t counter) {
    if (in->longest == TABLES_NONE) return TABLES_NONE;
    return in->longest > counter ? in->longest - counter : 0;
}

#endif
