/* matcher_mask.c - the mask of the next token: the state's row, its counters, and the guarded tokens.
 *
 * Most rows stand as they are. Near the depth limit or the token budget every token of the row is walked instead. */
#include <string.h>

#include "lexicon.h"
#include "matcher_object.h"
#include "status.h"

static void set_bit(uint32_t *words, uint32_t token) { words[token / 32] |= 1u << token % 32; }
static void clear_bit(uint32_t *words, uint32_t token) { words[token / 32] &= ~(1u << token % 32); }

static void set_list(const machine *machine, uint32_t first, uint32_t count, uint32_t *words) {
    for (uint32_t i = 0; i < count; i++) set_bit(words, machine->lists[first + i]);
}

/* Tokens that stay inside the string and begin at most `room` code points. */
static void set_base(const lexicon *l, const row *r, uint32_t room, uint32_t *words) {
    const lexical_row *base = &l->rows[r->lexical];
    uint32_t level = room >= base->longest ? LEXICON_LEVELS : room < LEXICON_LEVELS ? room : LEXICON_LEVELS - 1;
    memcpy(words, base->bitmaps + (size_t)level * l->mask_words, sizeof(uint32_t) * l->mask_words);
    if (room >= base->longest || room < LEXICON_LEVELS) return;
    for (uint32_t i = base->inner_count; i-- > 0;) { /* ascending by code points: the long ones stand at the end */
        uint32_t points = PACK_POINTS(base->inner[i]);
        if (points < LEXICON_LEVELS) return;
        if (points <= room) set_bit(words, PACK_TOKEN(base->inner[i]));
    }
}

/* The entries of the row's k-th patch with which the counter stays between lo and hi. */
static void set_patch(const machine *machine, const row *r, uint32_t k, uint32_t lo, uint32_t hi, uint32_t counter,
                      uint32_t *words) {
    if (k >= r->patch_count) return;
    const patch *p = &machine->patches[r->patches + k];
    const uint32_t *entries = machine->lists + p->list;
    for (uint32_t i = 0; i < p->count; i++) {
        uint32_t total = counter + PACK_POINTS(entries[i]);
        if (total > hi) return;
        if (total >= lo) set_bit(words, PACK_TOKEN(entries[i]));
    }
}

/* Tokens that a name allows which can still follow. */
static void set_named(const weir_matcher *m, const row *r, const name_filter *filter, uint32_t *words) {
    const uint32_t *pairs = m->grammar->machine.lists + r->named;
    for (uint32_t i = 0; i < r->named_count; i++, pairs += 2) {
        bool others = (pairs[0] & NAMED_OTHERS) != 0;
        if (names_can_follow(filter, pairs[1] & 0xFFFF, pairs[1] >> 16, others)) set_bit(words, pairs[0] & ~NAMED_OTHERS);
    }
}

/* A string: its base, what closes it, and along texts told apart what differs. */
static void set_string(const weir_matcher *m, const instance *in, const row *r, uint32_t *words) {
    const machine *machine = &m->grammar->machine;
    uint32_t counter = m->sequence[SEQUENCE_COUNTER];
    set_base(m->grammar->vocab->lexicon, r, string_room(in, counter), words);
    for (uint32_t k = 0; k < r->patch_count; k++) {
        const length_case *range = &machine->lengths[in->lengths + k];
        set_patch(machine, r, k, range->lo, range->hi, counter, words);
    }
    for (uint32_t i = 0; i < r->minus_count; i++) clear_bit(words, machine->lists[r->minus + i]);
    set_list(machine, r->plain, r->plain_count, words);
}

/* The row as it is, counters and names considered, stack not. */
static void set_row(const weir_matcher *m, const state *s, const row *r, uint32_t *words) {
    const machine *machine = &m->grammar->machine;
    const lexicon *l = m->grammar->vocab->lexicon;
    if (r->kind == WEIR_ROW_BITMAP) {
        memcpy(words, machine->words + r->bitmap, sizeof(uint32_t) * l->mask_words);
    } else if (r->kind != WEIR_ROW_BASE) {
        memset(words, 0, sizeof(uint32_t) * l->mask_words);
        set_list(machine, r->plain, r->plain_count, words);
    }
    const instance *in = &machine->instances[r->instance != TABLES_NONE ? r->instance : s->instance];
    name_filter filter;
    bool named = r->named_count != 0 || (r->flags & ROW_OTHERS) != 0;
    if (named) filter = names_open(machine, in, sequence_top_frame(machine, m->sequence));
    if (r->kind != WEIR_ROW_BASE) {
        set_patch(machine, r, 0, 0, machine->t->space_run, m->sequence[SEQUENCE_COUNTER], words);
    } else if ((r->flags & ROW_OTHERS) != 0 && !name_can_follow(&filter, filter.name_count)) {
        memset(words, 0, sizeof(uint32_t) * l->mask_words);
    } else {
        set_string(m, &machine->instances[s->instance], r, words);
    }
    if (named) set_named(m, r, &filter, words);
}

enum {
    KNOWN_ENDS = 64,
    MANY_TOKENS = 1000, /* are walked along the trie of the vocabulary */
    TRIE_LEVELS = 64
};

/* Answers for states of the frame on top: most tokens lead to a few of them. */
typedef struct known_ends {
    struct { uint64_t hash; uint32_t state, counter; bool good; } items[KNOWN_ENDS];
} known_ends;

static void forget_ends(known_ends *known) {
    for (uint32_t i = 0; i < KNOWN_ENDS; i++) known->items[i].state = STATE_DEAD;
}

/* matcher_can_finish with answers remembered: the matcher must not move meanwhile. */
static bool ends_well(const weir_matcher *m, const walk *w, known_ends *known) {
    if (w->careful != 0 || w->low <= w->depth || w->depth != m->sequence[SEQUENCE_DEPTH]) return matcher_can_finish(m, w);
    __typeof__(known->items[0]) *end = &known->items[(w->state + w->counter * 7) % KNOWN_ENDS];
    if (end->state != w->state || end->counter != w->counter || end->hash != w->hash) {
        end->good = matcher_can_finish(m, w);
        end->hash = w->hash;
        end->state = w->state;
        end->counter = w->counter;
    }
    return end->good;
}

static bool try_token(weir_matcher *m, uint32_t token, known_ends *known) {
    walk w;
    return matcher_walk_token(m, token, &w) && ends_well(m, &w, known);
}

static bool is_set(const uint32_t *words, uint32_t token) { return (words[token / 32] >> token % 32 & 1) != 0; }

static void check_token(weir_matcher *m, uint32_t token, uint32_t *words, known_ends *known) {
    if (is_set(words, token) && !try_token(m, token, known)) clear_bit(words, token);
}

/* Tokens below a node of the vocabulary's trie, which `at` has read, share its walk as long as it has written nothing. */
static void check_subtree(weir_matcher *m, uint32_t node, const walk *at, uint32_t level, uint32_t *words, known_ends *known) {
    const weir_vocab *v = m->grammar->vocab;
    const trie_node *nodes = v->trie.nodes;
    for (uint32_t child = node + 1; child < nodes[node].end; child = nodes[child].end) {
        walk w = *at;
        bool reads = walk_byte(&m->grammar->machine, &w, nodes[child].byte);
        if (reads && w.low > w.depth && level < TRIE_LEVELS) {
            bool good = nodes[child].token == VOCAB_NONE || ends_well(m, &w, known);
            for (uint32_t t = nodes[child].token; t != VOCAB_NONE && !good; t = v->same[t]) clear_bit(words, t);
            check_subtree(m, child, &w, level + 1, words, known);
            continue;
        }
        for (uint32_t k = child; k < nodes[child].end; k++) {
            for (uint32_t t = nodes[k].token; t != VOCAB_NONE; t = v->same[t]) {
                if (reads) check_token(m, t, words, known);
                if (!reads) clear_bit(words, t);
            }
        }
    }
}

/* Near the depth limit or the budget: every token of the row is walked. */
static void check_bits(weir_matcher *m, uint32_t *words, known_ends *known) {
    uint32_t count = 0;
    for (uint32_t k = 0; k < m->grammar->vocab->mask_words; k++) count += (uint32_t)__builtin_popcount(words[k]);
    if (count > MANY_TOKENS && m->sequence[SEQUENCE_CAREFUL] == 0 && m->sequence[SEQUENCE_BUDGET] != 0) {
        walk w;
        walk_begin(&w, m->sequence, m->frames);
        check_subtree(m, 0, &w, 0, words, known);
        return;
    }
    for (uint32_t k = 0; k < m->grammar->vocab->mask_words; k++) {
        for (uint32_t bits = words[k]; bits != 0; bits &= bits - 1) {
            check_token(m, k * 32 + (uint32_t)__builtin_ctz(bits), words, known);
        }
    }
}

/* The same for a plain string: tokens that end between code points differ only in how many they begin. */
static void check_string(weir_matcher *m, const row *r, uint32_t *words, known_ends *known) {
    const lexicon *l = m->grammar->vocab->lexicon;
    const lexical_row *base = &l->rows[LEX_BODY];
    if (r->lexical != LEX_BODY || (r->flags & ROW_ON_TRIE) != 0) {
        check_bits(m, words, known);
        return;
    }
    uint32_t points = UINT32_MAX;
    bool allowed = false;
    for (uint32_t i = 0; i < base->inner_count; i++) {
        uint32_t token = PACK_TOKEN(base->inner[i]);
        if (!is_set(words, token)) continue;
        bool whole = (base->inner[i] & PACK_PARTIAL) == 0;
        if (!whole || PACK_POINTS(base->inner[i]) != points) {
            bool now = try_token(m, token, known);
            if (!whole) {
                if (!now) clear_bit(words, token);
                continue;
            }
            points = PACK_POINTS(base->inner[i]);
            allowed = now;
        }
        if (!allowed) clear_bit(words, token);
    }
    const machine *machine = &m->grammar->machine;
    for (uint32_t k = 0; k < r->patch_count; k++) {
        const patch *p = &machine->patches[r->patches + k];
        for (uint32_t i = 0; i < p->count; i++) check_token(m, PACK_TOKEN(machine->lists[p->list + i]), words, known);
    }
    for (uint32_t i = 0; i < r->named_count; i++) {
        check_token(m, machine->lists[r->named + 2 * i] & ~NAMED_OTHERS, words, known);
    }
}

/* A bounded string in a unique array: tokens that fill it to the last code point may repeat an earlier one. */
static void check_full(weir_matcher *m, const state *s, const row *r, uint32_t *words) {
    const machine *machine = &m->grammar->machine;
    const lexical_row *base = &m->grammar->vocab->lexicon->rows[r->lexical];
    uint32_t counter = m->sequence[SEQUENCE_COUNTER], longest = machine->instances[s->instance].longest;
    if (r->kind != WEIR_ROW_BASE || counter > longest || longest - counter > base->longest) return;
    walk w;
    for (uint32_t i = 0; i < base->inner_count; i++) {
        uint32_t token = PACK_TOKEN(base->inner[i]);
        bool full = PACK_POINTS(base->inner[i]) == longest - counter;
        if (is_set(words, token) && full && !matcher_try_token(m, token, &w)) clear_bit(words, token);
    }
}

/* Guarded tokens, by their walks. */
static void decide(weir_matcher *m, uint32_t first, uint32_t count, uint32_t *words) {
    walk w;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t token = m->grammar->machine.lists[first + i];
        if (matcher_try_token(m, token, &w)) {
            set_bit(words, token);
        } else {
            clear_bit(words, token);
        }
    }
}

weir_status weir_matcher_fill_mask(weir_matcher *m, uint32_t *words, size_t word_count, weir_error *error) {
    if (m == NULL || words == NULL) return fail(error, WEIR_ERROR_ARGUMENT, "%s is NULL", m == NULL ? "matcher" : "words");
    const weir_vocab *vocab = m->grammar->vocab;
    if (word_count < vocab->mask_words) {
        return fail(error, WEIR_ERROR_ARGUMENT, "a mask of %zu words is too small, %u are needed", word_count, vocab->mask_words);
    }
    if (word_count > vocab->mask_words) {
        memset(words + vocab->mask_words, 0, sizeof *words * (word_count - vocab->mask_words));
    }
    if (m->stopped || m->sequence[SEQUENCE_STATE] == STATE_DEAD) {
        memset(words, 0, sizeof *words * vocab->mask_words);
        return WEIR_OK;
    }
    const machine *machine = &m->grammar->machine;
    const state *s = &machine->states[m->sequence[SEQUENCE_STATE]];
    const row *r = &machine->rows[s->row];
    set_row(m, s, r, words);
    if (!row_stands(machine, m->sequence, s, r)) {
        known_ends known;
        forget_ends(&known);
        if (r->kind == WEIR_ROW_BASE) {
            check_string(m, r, words, &known);
        } else {
            check_bits(m, words, &known);
        }
    }
    if ((s->flags & STATE_ROOMY) != 0) check_full(m, s, r, words);
    decide(m, r->guarded, r->guarded_count, words);
    if (r->closing_count != 0) {
        bool closes = !names_missing(machine, &machine->objects[r->object], sequence_top_frame(machine, m->sequence));
        if (closes) decide(m, r->closing, r->closing_count, words);
        for (uint32_t i = 0; i < r->closing_count && !closes; i++) clear_bit(words, machine->lists[r->closing + i]);
    }
    if (machine_accepts(machine, m->sequence)) {
        for (uint32_t i = 0; i < vocab->stop_count; i++) set_bit(words, vocab->stop_ids[i]);
    }
    return WEIR_OK;
}
