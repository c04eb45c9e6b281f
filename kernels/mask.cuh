/* mask.cuh - what may come next: the part of a row's mask that one block has, in its shared memory.
 *
 * The state's row is written as bits; the tokens that hang on the stack or on registers are walked; then what the request
 * bans goes. As host/matcher_mask.c, with one thread a word, an entry of a list or a token. */
#ifndef WEIR_KERNELS_MASK_CUH
#define WEIR_KERNELS_MASK_CUH

#include "advance.cuh"
#include "block.cuh"

/* Columns [first, end) of a row: bit c % 32 of words[c / 32 - first / 32]. Bits of other columns are 0. */
struct mask_part {
    uint32_t *words;
    uint32_t first, end, width; /* width: of the whole row */
};

DEVICE uint32_t part_first_word(const mask_part &p) { return p.first / 32; }
DEVICE uint32_t part_word_count(const mask_part &p) { return p.end > p.first ? (p.end + 31) / 32 - p.first / 32 : 0; }
DEVICE bool part_has(const mask_part &p, uint32_t column) { return column >= p.first && column < p.end; }

DEVICE bool part_bit(const mask_part &p, uint32_t column) {
    return (p.words[column / 32 - part_first_word(p)] >> column % 32 & 1) != 0;
}
DEVICE void part_set(const mask_part &p, uint32_t column) {
    if (part_has(p, column)) atomic_or(&p.words[column / 32 - part_first_word(p)], 1u << column % 32);
}
DEVICE void part_clear(const mask_part &p, uint32_t column) {
    if (part_has(p, column)) atomic_and(&p.words[column / 32 - part_first_word(p)], ~(1u << column % 32));
}

/* The columns of the part in the word with this number in the row. */
DEVICE uint32_t part_columns(const mask_part &p, uint32_t word) {
    uint32_t from = 32 * word, columns = 0xFFFFFFFFu;
    if (from < p.first) columns &= 0xFFFFFFFFu << (p.first - from);
    if (from + 32 > p.end) columns &= 0xFFFFFFFFu >> (from + 32 - p.end);
    return columns;
}

/* Writes every word of the part: word(i) for the i-th of the row, its columns only. */
template <typename Word> DEVICE void part_fill(const mask_part &p, Word word) {
    uint32_t first = part_first_word(p), count = part_word_count(p);
    for (uint32_t i = thread_index(); i < count; i += block_threads()) p.words[i] = word(first + i) & part_columns(p, first + i);
}

/* --- the row of the state ---------------------------------------------------------------------------------------- */

DEVICE void set_list(const machine &m, uint32_t first, uint32_t count, const mask_part &p) {
    for (uint32_t i = thread_index(); i < count; i += block_threads()) part_set(p, m.lists[first + i]);
}

/* The entries of the row's k-th patch with which the counter stays between lo and hi. */
DEVICE void set_patch(const machine &m, const row *r, uint32_t k, uint32_t lo, uint32_t hi, uint32_t counter, const mask_part &p) {
    if (k >= r->patch_count) return;
    const patch *patch = &m.patches[r->patches + k];
    for (uint32_t i = thread_index(); i < patch->count; i += block_threads()) {
        uint32_t entry = m.lists[patch->list + i], total = counter + PACK_POINTS(entry);
        if (total > hi) return;
        if (total >= lo) part_set(p, PACK_TOKEN(entry));
    }
}

/* Tokens that stay inside the string and begin at most `room` code points: the level, and those between two levels. */
DEVICE uint32_t base_level(const vocab_row *base, uint32_t room) {
    return room >= base->longest ? VOCAB_LEVELS : room < VOCAB_LEVELS ? room : VOCAB_LEVELS - 1;
}

DEVICE void set_long_ones(const vocab_tables *v, const vocab_row *base, uint32_t room, const mask_part &p) {
    if (room >= base->longest || room < VOCAB_LEVELS) return;
    const uint32_t *entries = vocab_at<uint32_t>(v, base->long_ones);
    for (uint32_t i = thread_index(); i < base->long_count; i += block_threads()) {
        if (PACK_POINTS(entries[i]) > room) return;
        part_set(p, PACK_TOKEN(entries[i]));
    }
}

/* A string: its base, what closes it, and along texts told apart what differs. */
DEVICE void set_string(const constraint &c, const instance *in, const row *r, uint32_t counter, const mask_part &p) {
    const machine &m = c.m;
    const vocab_row *base = &c.vocab->rows[r->lexical];
    uint32_t room = string_room(in, counter), words = c.vocab->mask_words;
    const uint32_t *bits = vocab_at<uint32_t>(c.vocab, base->bitmaps) + static_cast<size_t>(base_level(base, room)) * words;
    part_fill(p, [&](uint32_t i) { return i < words ? bits[i] : 0; });
    block_sync(); /* the base stands before bits are set */
    set_long_ones(c.vocab, base, room, p);
    for (uint32_t k = 0; k < r->patch_count; k++) {
        const length_case *range = &m.lengths[in->lengths + k];
        set_patch(m, r, k, range->lo, range->hi, counter, p);
    }
    block_sync(); /* what is taken away, goes behind what closes */
    for (uint32_t i = thread_index(); i < r->minus_count; i += block_threads()) part_clear(p, m.lists[r->minus + i]);
    block_sync(); /* and what is added, comes behind that */
    set_list(m, r->plain, r->plain_count, p);
}

/* Tokens that a name allows which can still follow. */
DEVICE void set_named(const machine &m, const row *r, const name_filter *filter, const mask_part &p) {
    const uint32_t *pairs = m.lists + r->named;
    for (uint32_t i = thread_index(); i < r->named_count; i += block_threads()) {
        uint32_t token = pairs[2 * i], leaves = pairs[2 * i + 1];
        if (!part_has(p, token & ~NAMED_OTHERS)) continue;
        if (names_can_follow(filter, leaves & 0xFFFF, leaves >> 16, (token & NAMED_OTHERS) != 0)) part_set(p, token & ~NAMED_OTHERS);
    }
}

/* The row as it is, counters and names considered, stack not. */
DEVICE void set_row(const constraint &c, const uint32_t *sequence, const state *s, const row *r, const mask_part &p) {
    const machine &m = c.m;
    uint32_t counter = sequence[SEQUENCE_COUNTER], words = c.vocab->mask_words;
    const instance *in = &m.instances[r->instance != TABLES_NONE ? r->instance : s->instance];
    bool named = r->named_count != 0 || (r->flags & ROW_OTHERS) != 0;
    name_filter filter = {};
    if (named) filter = names_open(&m, in, sequence_top_frame(&m, sequence));
    if (r->kind != WEIR_ROW_BASE) {
        const uint32_t *bits = m.words + r->bitmap;
        bool bitmap = r->kind == WEIR_ROW_BITMAP;
        part_fill(p, [&](uint32_t i) { return bitmap && i < words ? bits[i] : 0; });
        block_sync(); /* the words stand before bits are set */
        if (!bitmap) set_list(m, r->plain, r->plain_count, p);
        set_patch(m, r, 0, 0, m.t->space_run, counter, p);
    } else if ((r->flags & ROW_OTHERS) != 0 && !name_can_follow(&filter, filter.name_count)) {
        part_fill(p, [](uint32_t) { return 0u; });
        block_sync(); /* as above */
    } else {
        set_string(c, &m.instances[s->instance], r, counter, p);
    }
    if (named) set_named(m, r, &filter, p);
    block_sync(); /* the row is written */
}

/* --- tokens that are walked --------------------------------------------------------------------------------------- */

/* Tokens that fill a string to the last code point. */
DEVICE walked_tokens tokens_that_fill(const constraint &c, const vocab_row *base, uint32_t points, const mask_part &p) {
    if (points >= VOCAB_LEVELS) return {vocab_at<uint32_t>(c.vocab, base->long_ones), nullptr, nullptr, points, base->long_count, true};
    uint32_t words = c.vocab->mask_words, first = part_first_word(p), count = part_word_count(p);
    const uint32_t *level = vocab_at<uint32_t>(c.vocab, base->bitmaps) + static_cast<size_t>(points) * words;
    if (first + count > words) count = first < words ? words - first : 0;
    return {nullptr, level, points != 0 ? level - words : nullptr, TABLES_NONE, count, true};
}

DEVICE walked_tokens stage_tokens(const slot_view &s, const constraint &c, uint32_t stage, const mask_part &p) {
    const uint32_t *sequence = slot_sequence(s);
    const state *at = &c.m.states[sequence[SEQUENCE_STATE]];
    const row *r = &c.m.rows[at->row];
    if (stage == WALK_ALL) return {nullptr, nullptr, nullptr, TABLES_NONE, part_word_count(p), !row_stands(&c.m, sequence, at, r)};
    if (stage == WALK_FULL) {
        if ((at->flags & STATE_ROOMY) == 0 || r->kind != WEIR_ROW_BASE) return {};
        uint32_t counter = sequence[SEQUENCE_COUNTER], longest = c.m.instances[at->instance].longest;
        const vocab_row *base = &c.vocab->rows[r->lexical];
        if (counter > longest || longest - counter > base->longest) return {};
        return tokens_that_fill(c, base, longest - counter, p);
    }
    if (stage == WALK_GUARDED) return {c.m.lists + r->guarded, nullptr, nullptr, TABLES_NONE, r->guarded_count, r->guarded_count != 0};
    bool closes = r->closing_count != 0 && !names_missing(&c.m, &c.m.objects[r->object], sequence_top_frame(&c.m, sequence));
    return {c.m.lists + r->closing, nullptr, nullptr, TABLES_NONE, r->closing_count, closes};
}

/* One thread a stage. A barrier must follow. */
DEVICE void plan_walks(const slot_view &s, constraint &c, const mask_part &p) {
    if (thread_index() < WALK_STAGES) c.plan.stages[thread_index()] = stage_tokens(s, c, thread_index(), p);
    if (thread_index() != 0) return;
    uint32_t count = walker_count(s, c.m, c.vocab), each = count / cluster_size();
    c.plan.walkers = each != 0 ? each : count;
    c.plan.first = cluster_rank() * each;
    c.plan.turns = each != 0 ? 1 : cluster_size();
}

/* The tokens to decide at the i-th entry or word: *token and one bit, or the first of a word and a bit for each. */
DEVICE uint32_t tokens_at(const walked_tokens &t, uint32_t i, const mask_part &p, uint32_t *token) {
    if (t.list == nullptr) {
        uint32_t word = part_first_word(p) + i, bits = p.words[i];
        *token = 32 * word;
        if (t.level != nullptr) bits &= t.level[word];
        if (t.below != nullptr) bits &= ~t.below[word];
        return bits;
    }
    bool packed = t.points != TABLES_NONE;
    *token = packed ? PACK_TOKEN(t.list[i]) : t.list[i];
    if (!part_has(p, *token)) return 0;
    if (!packed) return 1;
    uint32_t now = atomic_or(&p.words[*token / 32 - part_first_word(p)], 0); /* others clear bits of this word meanwhile */
    return PACK_POINTS(t.list[i]) == t.points ? now >> *token % 32 & 1 : 0;
}

/* Each walker decides its own tokens. The threads of a warp look for a token each, and then walk at the same time. */
DEVICE void walk_tokens(const slot_view &s, const constraint &c, uint32_t stage, const mask_part &p) {
    uint32_t bits = 0, first = 0, i = thread_index();
    for (;;) {
        for (; bits == 0 && i < c.plan.stages[stage].count; i += c.plan.walkers) bits = tokens_at(c.plan.stages[stage], i, p, &first);
        if (bits == 0) return;
        uint32_t token = first + lowest_one(bits);
        bits &= bits - 1;
        walk w;
        if (slot_walk_token(s, c.m, c.vocab, c.plan.first + thread_index(), token, &w))
            part_set(p, token);
        else
            part_clear(p, token);
    }
}

DEVICE void walk_stages(const slot_view &s, const constraint &c, const mask_part &p) {
    for (uint32_t stage = 0; stage < WALK_STAGES; stage++) {
        if (!c.plan.stages[stage].decides) continue;
        for (uint32_t turn = 0; turn < c.plan.turns; turn++) {
            bool walks = c.plan.turns == 1 || turn == cluster_rank();
            if (walks && thread_index() < c.plan.walkers) walk_tokens(s, c, stage, p);
            if (c.plan.turns != 1) cluster_sync(); /* the room is free again */
        }
        block_sync(); /* they are decided */
    }
}

/* Tokens that close an object in which a name is missing. */
DEVICE void clear_closing(const slot_view &s, const constraint &c, const mask_part &p) {
    const uint32_t *sequence = slot_sequence(s);
    const row *r = &c.m.rows[c.m.states[sequence[SEQUENCE_STATE]].row];
    if (r->closing_count == 0 || !names_missing(&c.m, &c.m.objects[r->object], sequence_top_frame(&c.m, sequence))) return;
    for (uint32_t i = thread_index(); i < r->closing_count; i += block_threads()) part_clear(p, c.m.lists[r->closing + i]);
}

/* --- the constraint -------------------------------------------------------------------------------------------------- */

DEVICE void set_stops(const constraint &c, const slot_view &s, const mask_part &p) {
    bool complete = machine_accepts(&c.m, slot_sequence(s)), own = (s.slot->flags & SLOT_OWN_STOPS) != 0;
    const uint32_t *vocab_stops = vocab_at<uint32_t>(c.vocab, c.vocab->stop_ids);
    for (uint32_t i = thread_index(); i < c.vocab->stop_count; i += block_threads()) {
        if (complete && !own) part_set(p, vocab_stops[i]);
        if (own) part_clear(p, vocab_stops[i]);
    }
    block_sync(); /* own stop tokens may be the vocabulary's, too */
    for (uint32_t i = thread_index(); own && i < s.slot->stop_count; i += block_threads()) {
        if (complete)
            part_set(p, slot_stop_ids(s)[i]);
        else
            part_clear(p, slot_stop_ids(s)[i]);
    }
    block_sync(); /* the constraint's mask is written */
}

/* What the constraint allows: tokens of the row, those that hang on stack and registers, and stop tokens. */
DEVICE_CALL void mask_constraint(const slot_view &s, constraint &c, const mask_part &p) {
    const uint32_t *sequence = slot_sequence(s);
    if (sequence[SEQUENCE_STATE] == STATE_DEAD) {
        part_fill(p, [](uint32_t) { return 0u; });
        block_sync(); /* the words are written */
        return;
    }
    const state *at = &c.m.states[sequence[SEQUENCE_STATE]];
    plan_walks(s, c, p);
    set_row(c, sequence, at, &c.m.rows[at->row], p); /* with barriers: the plan stands, too */
    walk_stages(s, c, p);
    clear_closing(s, c, p);
    block_sync(); /* closing tokens stand, before stop tokens */
    set_stops(c, s, p);
}

/* --- what the request bans ----------------------------------------------------------------------------------------- */

DEVICE bool has_bans(const slot_view &s) {
    const device_slot *slot = s.slot;
    return (slot->flags & (SLOT_LEGAL | SLOT_IGNORE_STOP)) != 0 || slot->bad_size != 0 || slot->position < slot->min_tokens;
}

DEVICE bool ends_with(const sampler_view &sampler, const slot_view &s, const uint32_t *tokens, uint32_t count) {
    if (s.slot->position - s.slot->first_known < count) return false;
    for (uint32_t i = 0; i < count; i++)
        if (token_ago(sampler, s, count - i) != tokens[i]) return false;
    return true;
}

/* The stop ids of the sequence. */
DEVICE const uint32_t *stops_of(const slot_view &s, const constraint &c, uint32_t *count) {
    bool own = (s.slot->flags & SLOT_OWN_STOPS) != 0 || !slot_has_grammar(s);
    *count = own ? s.slot->stop_count : c.vocab->stop_count;
    return own ? slot_stop_ids(s) : vocab_at<uint32_t>(c.vocab, c.vocab->stop_ids);
}

DEVICE void apply_bans(const sampler_view &sampler, const slot_view &s, const constraint &c, const mask_part &p) {
    const device_slot *slot = s.slot;
    if (slot->flags & SLOT_LEGAL) {
        const uint32_t *legal = s.words + s.layout->legal;
        uint32_t first = part_first_word(p);
        for (uint32_t i = thread_index(); i < part_word_count(p); i += block_threads()) p.words[i] &= legal[first + i];
    }
    block_sync(); /* single columns go behind whole words */
    const uint32_t *bad = s.words + s.layout->bad;
    for (uint32_t at = 0, number = 0; at < slot->bad_size; at += 1 + bad[at], number++)
        if (number % block_threads() == thread_index() && ends_with(sampler, s, bad + at + 1, bad[at] - 1))
            part_clear(p, bad[at + bad[at]]);
    uint32_t stop_count;
    const uint32_t *stops = stops_of(s, c, &stop_count);
    bool stops_banned = (slot->flags & SLOT_IGNORE_STOP) != 0 || slot->position < slot->min_tokens;
    for (uint32_t i = thread_index(); i < stop_count && stops_banned; i += block_threads()) part_clear(p, stops[i]);
    block_sync(); /* the bans are applied */
}

/* Where the bans left nothing: stop tokens that the constraint and the caller allow. */
DEVICE void force_stops(const slot_view &s, const constraint &c, const uint32_t *given, const mask_part &p) {
    uint32_t stop_count;
    const uint32_t *stops = stops_of(s, c, &stop_count);
    for (uint32_t i = thread_index(); i < stop_count; i += block_threads())
        if (stops[i] < p.width && (given == nullptr || (given[stops[i] / 32] >> stops[i] % 32 & 1) != 0)) part_set(p, stops[i]);
    block_sync(); /* the bits are set */
}

/* --- the mask of a step ----------------------------------------------------------------------------------------------- */

struct mask_count {
    uint32_t legal; /* columns of the whole row that may follow */
    uint32_t last;  /* the highest of them */
    bool forced;    /* bans gave way to a stop token */
};

DEVICE mask_count count_mask(exchange *x, uint32_t *round, const mask_part &p) {
    uint64_t totals[2] = {0, 0};
    uint32_t first = part_first_word(p);
    for (uint32_t i = thread_index(); i < part_word_count(p); i += block_threads()) {
        totals[0] += count_ones(p.words[i]);
        if (p.words[i] != 0) totals[1] = 32 * (first + i) + highest_one(p.words[i]);
    }
    total_in_cluster<2, 1>(x, round, totals);
    return {static_cast<uint32_t>(totals[0]), static_cast<uint32_t>(totals[1]), false};
}

/* What a step chooses from; `given`: the caller's mask of the row, or NULL. */
DEVICE mask_count mask_step(const sampler_view &sampler, const slot_view &s, constraint &c, const uint32_t *const &given,
                            exchange *x, uint32_t *round, const mask_part &p) {
    if (slot_has_grammar(s)) {
        mask_constraint(s, c, p);
    } else {
        part_fill(p, [](uint32_t) { return 0xFFFFFFFFu; });
        block_sync(); /* the words are written */
    }
    if (given != nullptr) {
        uint32_t first = part_first_word(p);
        for (uint32_t i = thread_index(); i < part_word_count(p); i += block_threads()) p.words[i] &= given[first + i];
        block_sync(); /* the words are narrowed */
    }
    bool bans = has_bans(s);
    if (bans) apply_bans(sampler, s, c, p);
    bool may_stop = !slot_has_grammar(s) || machine_accepts(&c.m, slot_sequence(s)); /* before a thread may move the slot */
    mask_count count = count_mask(x, round, p);
    if (count.legal != 0 || !bans || !may_stop) return count;
    force_stops(s, c, given, p);
    count = count_mask(x, round, p);
    count.forced = count.legal != 0;
    return count;
}

#endif
