/* cpu_slot.c - one sequence: what may come next, and what a token changes. */
#include "cpu_slot.h"

#include <stdlib.h>
#include <string.h>

#include "host/matcher_trial.h"
#include "host/status.h"

static weir_status make_stops(const slot_shape *shape, const weir_slot_options *options, slot *slot,
                              weir_error *error);
static weir_status make_bans(const slot_shape *shape, const weir_slot_options *options, slot *slot, weir_error *error);
static weir_status make_bias(const slot_shape *shape, const weir_slot_options *options, slot *slot, weir_error *error);
static weir_status make_counts(const slot_shape *shape, const weir_slot_options *options, slot *slot,
                               weir_error *error);
static weir_status make_history(const slot_shape *shape, uint32_t longest, slot *slot, weir_error *error);
static weir_status make_matcher(const slot_shape *shape, const weir_slot_options *options, slot *slot,
                                weir_error *error);
static weir_status replay(const slot_shape *shape, const weir_slot_options *options, slot *slot, weir_error *error);

/* --- creating ---------------------------------------------------------------------------------------------- */

static weir_status make(const slot_shape *shape, const weir_slot_options *options, slot *slot, weir_error *error) {
    TRY(make_stops(shape, options, slot, error));
    TRY(make_bans(shape, options, slot, error));
    TRY(make_bias(shape, options, slot, error));
    TRY(make_counts(shape, options, slot, error));
    TRY(make_matcher(shape, options, slot, error));
    return replay(shape, options, slot, error);
}

weir_status slot_create(const slot_shape *shape, const weir_slot_options *options, slot *out, weir_error *error) {
    memset(out, 0, sizeof *out);
    out->seed = options->seed;
    out->min_tokens = options->min_tokens;
    out->ignore_stop = options->ignore_stop;
    out->first_token = options->first_token;
    weir_status status = make(shape, options, out, error);
    if (status != WEIR_OK) slot_clear(shape, out);
    return status;
}

/* A block with a copy of `bytes` bytes; none for 0. */
static weir_status copy_block(const slot_shape *shape, const void *from, size_t bytes, void *out, weir_error *error) {
    void *block = NULL;
    if (bytes) {
        block = allocate(&shape->allocator, bytes);
        if (!block) return fail(error, WEIR_ERROR_MEMORY, "out of memory: %zu bytes of a slot", bytes);
        memcpy(block, from, bytes);
    }
    memcpy(out, &block, sizeof block);
    return WEIR_OK;
}

static weir_status make_stops(const slot_shape *shape, const weir_slot_options *options, slot *slot,
                              weir_error *error) {
    slot->own_stops = options->stop_ids != NULL;
    TRY(copy_block(shape, options->stop_ids, options->stop_count * sizeof(uint32_t), &slot->stop_ids, error));
    slot->stop_count = options->stop_count;
    if (options->grammar)
        slot->vocab_stop_ids = weir_vocab_stop_ids(weir_grammar_vocab(options->grammar), &slot->vocab_stop_count);
    return WEIR_OK;
}

static void set_bit(uint32_t *words, uint32_t id) {
    words[id / 32] |= 1u << id % 32;
}
static void clear_bit(uint32_t *words, uint32_t id) {
    words[id / 32] &= ~(1u << id % 32);
}
static bool has_bit(const uint32_t *words, uint32_t id) {
    return words[id / 32] >> id % 32 & 1;
}

static void set_all(const slot_shape *shape, uint32_t *words) {
    memset(words, 0xFF, shape->logits_width / 32 * sizeof(uint32_t));
    if (shape->logits_width % 32) words[shape->logits_width / 32] = (1u << shape->logits_width % 32) - 1;
}

/* Allowed tokens and bad words of one token are one bitmap; longer bad words a list. The history reaches as far back as
 * the longest. */
static weir_status make_bans(const slot_shape *shape, const weir_slot_options *options, slot *slot, weir_error *error) {
    uint32_t longest = 0, size = 0;
    bool bitmap = options->allowed_tokens != NULL;
    for (uint32_t i = 0; i < options->bad_word_count; i++) {
        uint32_t count = options->bad_words[i].count;
        if (count > longest) longest = count;
        if (count > 1) size += 1 + count;
        bitmap |= count == 1;
    }
    TRY(make_history(shape, longest, slot, error));
    if (bitmap) {
        slot->legal = allocate(&shape->allocator, shape->word_count * sizeof(uint32_t));
        if (!slot->legal) return fail(error, WEIR_ERROR_MEMORY, "out of memory: a mask of %u words", shape->word_count);
        memset(slot->legal, 0, shape->word_count * sizeof(uint32_t));
        if (!options->allowed_tokens) set_all(shape, slot->legal);
        for (uint32_t i = 0; options->allowed_tokens && i < options->allowed_count; i++)
            set_bit(slot->legal, options->allowed_tokens[i]);
    }
    if (size) {
        slot->bad = allocate(&shape->allocator, size * sizeof(uint32_t));
        if (!slot->bad) return fail(error, WEIR_ERROR_MEMORY, "out of memory: bad words of %u tokens", size);
        slot->bad_size = size;
    }
    uint32_t at = 0;
    for (uint32_t i = 0; i < options->bad_word_count; i++) {
        const weir_token_run *run = &options->bad_words[i];
        if (run->count == 1) {
            clear_bit(slot->legal, run->tokens[0]);
        } else {
            slot->bad[at++] = run->count;
            memcpy(slot->bad + at, run->tokens, run->count * sizeof(uint32_t));
            at += run->count;
        }
    }
    return WEIR_OK;
}

static weir_status make_bias(const slot_shape *shape, const weir_slot_options *options, slot *slot, weir_error *error) {
    TRY(copy_block(shape, options->bias, options->bias_count * sizeof *options->bias, &slot->bias, error));
    slot->bias_count = options->bias_count;
    return WEIR_OK;
}

static weir_status allocate_counts(const slot_shape *shape, slot *slot, weir_error *error) {
    token_counts counts = {NULL, NULL, 0, shape->counted, token_counts_index_size(shape->counted)};
    size_t size = counts.capacity * sizeof *counts.entries + counts.index_size * sizeof *counts.index;
    counts.entries = allocate(&shape->allocator, size);
    if (!counts.entries) return fail(error, WEIR_ERROR_MEMORY, "out of memory: counts of %u tokens", counts.capacity);
    counts.index = (uint32_t *)(counts.entries + counts.capacity);
    memset(counts.index, 0, counts.index_size * sizeof *counts.index);
    slot->counts = counts;
    return WEIR_OK;
}

static weir_status make_counts(const slot_shape *shape, const weir_slot_options *options, slot *slot,
                               weir_error *error) {
    if (!options->count_tokens) return WEIR_OK;
    TRY(allocate_counts(shape, slot, error));
    for (size_t i = 0; i < options->prompt_count; i++)
        if (!token_counts_add(&slot->counts, options->prompt_tokens[i], true))
            return fail(error, WEIR_ERROR_LIMIT,
                        "prompt_tokens[%zu] is one distinct token more than counted_tokens, %u", i, shape->counted);
    return WEIR_OK;
}

static weir_status make_history(const slot_shape *shape, uint32_t longest, slot *slot, weir_error *error) {
    slot->window = longest ? longest - 1 : 0;
    slot->history_size = shape->rollback + slot->window;
    slot->history = allocate(&shape->allocator, slot->history_size * sizeof(uint32_t));
    if (!slot->history)
        return fail(error, WEIR_ERROR_MEMORY, "out of memory: a history of %u tokens", slot->history_size);
    memset(slot->history, 0, slot->history_size * sizeof(uint32_t));
    return WEIR_OK;
}

static weir_status make_matcher(const slot_shape *shape, const weir_slot_options *options, slot *slot,
                                weir_error *error) {
    if (!options->grammar) return WEIR_OK;
    weir_matcher_options matcher_options = WEIR_MATCHER_OPTIONS_INIT;
    matcher_options.allocator = &shape->allocator;
    matcher_options.token_budget = options->token_budget;
    matcher_options.rollback_tokens = shape->rollback;
    return weir_matcher_create(options->grammar, &matcher_options, &slot->matcher, error);
}

static weir_status replay(const slot_shape *shape, const weir_slot_options *options, slot *slot, weir_error *error) {
    for (size_t i = 0; i < options->token_count; i++) {
        weir_error made;
        bool counts_full;
        weir_status status = slot_take(shape, slot, (int32_t)options->tokens[i], &counts_full, &made);
        if (status != WEIR_OK) return fail(error, status, "tokens[%zu]: %s", i, made.message);
    }
    return WEIR_OK;
}

/* Everything that the slot owns; *out holds a copy of the rest, and nothing of its own yet. */
static weir_status copy_owned(const slot_shape *shape, const slot *from, slot *out, weir_error *error) {
    size_t legal_size = from->legal ? shape->word_count * sizeof(uint32_t) : 0;
    TRY(copy_block(shape, from->history, from->history_size * sizeof(uint32_t), &out->history, error));
    TRY(copy_block(shape, from->stop_ids, from->stop_count * sizeof(uint32_t), &out->stop_ids, error));
    TRY(copy_block(shape, from->legal, legal_size, &out->legal, error));
    TRY(copy_block(shape, from->bad, from->bad_size * sizeof(uint32_t), &out->bad, error));
    TRY(copy_block(shape, from->bias, from->bias_count * sizeof *from->bias, &out->bias, error));
    if (from->counts.entries) {
        TRY(allocate_counts(shape, out, error));
        memcpy(out->counts.entries, from->counts.entries, from->counts.count * sizeof *from->counts.entries);
        memcpy(out->counts.index, from->counts.index, from->counts.index_size * sizeof *from->counts.index);
        out->counts.count = from->counts.count;
    }
    return from->matcher ? weir_matcher_clone(from->matcher, &out->matcher, error) : WEIR_OK;
}

weir_status slot_copy(const slot_shape *shape, const slot *from, slot *out, weir_error *error) {
    *out = *from;
    out->matcher = NULL;
    out->history = out->stop_ids = out->legal = out->bad = NULL;
    out->bias = NULL;
    memset(&out->counts, 0, sizeof out->counts);
    weir_status status = copy_owned(shape, from, out, error);
    if (status != WEIR_OK) slot_clear(shape, out);
    return status;
}

void slot_clear(const slot_shape *shape, slot *slot) {
    weir_matcher_destroy(slot->matcher);
    release(&shape->allocator, slot->history, slot->history ? slot->history_size * sizeof(uint32_t) : 0);
    release(&shape->allocator, slot->stop_ids, slot->stop_count * sizeof(uint32_t));
    release(&shape->allocator, slot->legal, shape->word_count * sizeof(uint32_t));
    release(&shape->allocator, slot->bad, slot->bad_size * sizeof(uint32_t));
    release(&shape->allocator, slot->bias, slot->bias_count * sizeof *slot->bias);
    release(&shape->allocator, slot->counts.entries,
            slot->counts.capacity * sizeof *slot->counts.entries + slot->counts.index_size * sizeof *slot->counts.index);
    memset(slot, 0, sizeof *slot);
}

/* --- moving ------------------------------------------------------------------------------------------------ */

/* The counts as the prompt left them: output tokens that the prompt has not are the newest entries. */
static void forget_output(token_counts *counts) {
    for (uint32_t i = 0; i < counts->count; i++) counts->entries[i].output = 0;
    while (counts->count > 0 && counts->entries[counts->count - 1].prompt == 0) {
        *token_counts_slot(counts, counts->entries[counts->count - 1].token) = 0;
        counts->count--;
    }
}

void slot_reset(slot *slot) {
    weir_matcher_reset(slot->matcher);
    forget_output(&slot->counts);
    slot->position = slot->origin = slot->first_known = 0;
    slot->stopped = slot->failed = false;
}

weir_status slot_export(const slot *slot, weir_matcher **out, weir_error *error) {
    TRY(weir_matcher_clone(slot->matcher, out, error));
    if (!slot->stopped || weir_matcher_is_stopped(*out)) return WEIR_OK;
    weir_status status = slot->vocab_stop_count
                             ? weir_matcher_accept(*out, slot->vocab_stop_ids[0], error)
                             : fail(error, WEIR_ERROR_ARGUMENT, "the vocabulary has no stop token to show that the slot's own was taken");
    if (status != WEIR_OK) {
        weir_matcher_destroy(*out);
        *out = NULL;
    }
    return status;
}

weir_status slot_import(slot *slot, const weir_matcher *matcher, weir_error *error) {
    TRY(weir_matcher_assign(slot->matcher, matcher, error));
    forget_output(&slot->counts);
    slot->position = slot->origin = slot->first_known = weir_matcher_token_count(matcher);
    slot->stopped = weir_matcher_is_stopped(matcher);
    slot->failed = false;
    return WEIR_OK;
}

/* --- what may come next ------------------------------------------------------------------------------------ */

static bool among(uint32_t id, const uint32_t *ids, uint32_t count) {
    for (uint32_t i = 0; i < count; i++)
        if (ids[i] == id) return true;
    return false;
}

/* The stop ids of the sequence. */
static const uint32_t *stops_of(const slot *slot, uint32_t *count) {
    *count = slot->own_stops ? slot->stop_count : slot->vocab_stop_count;
    return slot->own_stops ? slot->stop_ids : slot->vocab_stop_ids;
}

/* The constraint's mask. Own stop ids are allowed exactly where the text is complete, also those that are text tokens:
 * they end the sequence and never write. */
static weir_status fill_constraint(const slot_shape *shape, slot *slot, slot_mask *mask, weir_error *error) {
    if (!slot->matcher) {
        set_all(shape, mask->words);
        return WEIR_OK;
    }
    TRY(weir_matcher_fill_mask(slot->matcher, mask->words, mask->word_count, error));
    if (!slot->own_stops) return WEIR_OK;
    for (uint32_t i = 0; i < slot->vocab_stop_count; i++)
        if (slot->vocab_stop_ids[i] < shape->logits_width) clear_bit(mask->words, slot->vocab_stop_ids[i]);
    bool complete = weir_matcher_is_accepting(slot->matcher);
    for (uint32_t i = 0; i < slot->stop_count; i++)
        (complete ? set_bit : clear_bit)(mask->words, slot->stop_ids[i]);
    return WEIR_OK;
}

/* The token of the history `back` tokens ago, from 1. */
static uint32_t token_ago(const slot *slot, uint32_t back) {
    return slot->history[(slot->position - back) % slot->history_size];
}

static bool ends_with(const slot *slot, const uint32_t *tokens, uint32_t count) {
    if (slot->position - slot->first_known < count) return false;
    for (uint32_t i = 0; i < count; i++)
        if (token_ago(slot, count - i) != tokens[i]) return false;
    return true;
}

static bool is_empty(const uint32_t *words, size_t word_count) {
    for (size_t i = 0; i < word_count; i++)
        if (words[i]) return false;
    return true;
}

/* What the request bans. Stop tokens that the constraint and the caller allow come back where nothing else is left. */
static void apply_bans(const slot_shape *shape, const slot *slot, slot_mask *mask) {
    uint32_t stop_count;
    const uint32_t *stops = stops_of(slot, &stop_count);
    bool may_stop = slot->matcher ? weir_matcher_is_accepting(slot->matcher) : true;
    for (uint32_t i = 0; slot->legal && i < shape->word_count; i++) mask->words[i] &= slot->legal[i];
    for (uint32_t at = 0; at < slot->bad_size; at += 1 + slot->bad[at]) {
        uint32_t count = slot->bad[at];
        if (ends_with(slot, slot->bad + at + 1, count - 1)) clear_bit(mask->words, slot->bad[at + count]);
    }
    if (slot->ignore_stop || slot->position < slot->min_tokens)
        for (uint32_t i = 0; i < stop_count; i++)
            if (stops[i] < shape->logits_width) clear_bit(mask->words, stops[i]);
    if (!may_stop || !is_empty(mask->words, shape->word_count)) return;
    for (uint32_t i = 0; i < stop_count; i++) {
        if (stops[i] >= shape->logits_width || (mask->given && !has_bit(mask->given, stops[i]))) continue;
        set_bit(mask->words, stops[i]);
        mask->forced = true;
    }
}

weir_status slot_fill_mask(const slot_shape *shape, slot *slot, slot_mask *mask, weir_error *error) {
    bool bans = slot->legal || slot->bad_size || slot->ignore_stop || slot->position < slot->min_tokens;
    mask->forced = false;
    mask->skipped = mask->may_skip && !slot->stopped && !slot->failed && !slot->matcher && !mask->given && !bans;
    if (mask->skipped) return WEIR_OK;
    memset(mask->words, 0, mask->word_count * sizeof(uint32_t));
    if (slot->stopped || slot->failed) return WEIR_OK;
    TRY(fill_constraint(shape, slot, mask, error));
    for (uint32_t i = 0; mask->given && i < shape->word_count; i++) mask->words[i] &= mask->given[i];
    if (bans) apply_bans(shape, slot, mask);
    return WEIR_OK;
}

/* --- taking ------------------------------------------------------------------------------------------------ */

/* Everything of a token but its count. */
static weir_status accept(const slot_shape *shape, slot *slot, int32_t token, weir_error *error) {
    uint32_t id = (uint32_t)token;
    if (slot->stopped) return fail(error, WEIR_ERROR_TOKEN, "token %d comes after the sequence was stopped", token);
    if (slot->failed) return fail(error, WEIR_ERROR_TOKEN, "token %d comes after a step without a legal token", token);
    if (id >= shape->logits_width)
        return fail(error, WEIR_ERROR_TOKEN, "token is %d, expected 0 to %u", token, shape->logits_width - 1);
    if (among(id, slot->stop_ids, slot->stop_count)) {
        if (slot->matcher && !weir_matcher_is_accepting(slot->matcher))
            return fail(error, WEIR_ERROR_TOKEN, "stop token %d comes before the text is complete", token);
        slot->stopped = true;
    } else if (slot->matcher) {
        if (slot->own_stops && among(id, slot->vocab_stop_ids, slot->vocab_stop_count))
            return fail(error, WEIR_ERROR_TOKEN, "token %d is a stop token of the vocabulary, which the slot replaced",
                        token);
        TRY(weir_matcher_accept(slot->matcher, id, error));
        slot->stopped = weir_matcher_is_stopped(slot->matcher);
    }
    slot->history[slot->position % slot->history_size] = id;
    slot->position++;
    if (slot->position - slot->first_known > slot->history_size) slot->first_known++;
    return WEIR_OK;
}

weir_status slot_take(const slot_shape *shape, slot *slot, int32_t token, bool *counts_full, weir_error *error) {
    *counts_full = false;
    TRY(accept(shape, slot, token, error));
    if (slot->counts.entries) *counts_full = !token_counts_add(&slot->counts, (uint32_t)token, false);
    return WEIR_OK;
}

/* 1 if the last token was a stop token of the slot's own, which the matcher has not seen. */
static uint32_t took_own_stop(const slot *slot) {
    return slot->stopped && among(token_ago(slot, 1), slot->stop_ids, slot->stop_count);
}

static weir_status can_take_back(const slot_shape *shape, const slot *slot, uint64_t count, weir_error *error) {
    uint64_t known = slot->position - slot->first_known;
    if (slot->first_known > slot->origin) known -= known < slot->window ? known : slot->window;
    if (known > shape->rollback) known = shape->rollback;
    if (count > 0 && slot->matcher) {
        uint32_t kept = weir_matcher_history(slot->matcher) + took_own_stop(slot);
        if (known > kept) known = kept;
    }
    if (count <= known) return WEIR_OK;
    return fail(error, WEIR_ERROR_ARGUMENT, "%llu tokens cannot be taken back, %llu can", (unsigned long long)count,
                (unsigned long long)known);
}

weir_status slot_take_back(const slot_shape *shape, slot *slot, uint64_t count, weir_error *error) {
    TRY(can_take_back(shape, slot, count, error));
    slot->failed = false;
    if (count == 0) return WEIR_OK;
    if (slot->matcher) weir_matcher_rollback(slot->matcher, (uint32_t)count - took_own_stop(slot), NULL);
    for (uint64_t i = 0; i < count; i++) {
        if (slot->counts.entries) token_counts_undo(&slot->counts, token_ago(slot, 1));
        slot->position--;
    }
    slot->stopped = false;
    return WEIR_OK;
}

weir_status slot_catch_up(const slot_shape *shape, slot *slot, const int32_t *line, uint64_t length, bool *counts_full,
                          weir_error *error) {
    uint64_t goal = length > slot->first_token ? length - slot->first_token : 0;
    *counts_full = false;
    if (goal < slot->position) return slot_take_back(shape, slot, slot->position - goal, error);
    while (slot->position < goal && line[slot->first_token + slot->position] >= 0) {
        bool full;
        TRY(slot_take(shape, slot, line[slot->first_token + slot->position], &full, error));
        *counts_full |= full;
    }
    return WEIR_OK;
}

/* --- trials ------------------------------------------------------------------------------------------------ */

void slot_begin_trial(slot *slot, slot_trial *trial) {
    *trial = (slot_trial){.position = slot->position, .first_known = slot->first_known, .stopped = slot->stopped};
    matcher_begin_trial(slot->matcher);
}

/* The history has at least 256 places, so that no token of the trial stands on another. */
weir_status slot_try(const slot_shape *shape, slot *slot, int32_t token, slot_trial *trial, weir_error *error) {
    uint32_t before = slot->history[slot->position % slot->history_size];
    TRY(accept(shape, slot, token, error));
    trial->overwritten[slot->position - 1 - trial->position] = before;
    return WEIR_OK;
}

void slot_end_trial(slot *slot, const slot_trial *trial) {
    for (; slot->position > trial->position; slot->position--)
        slot->history[(slot->position - 1) % slot->history_size] =
            trial->overwritten[slot->position - 1 - trial->position];
    slot->first_known = trial->first_known;
    slot->stopped = trial->stopped;
    matcher_end_trial(slot->matcher);
}
