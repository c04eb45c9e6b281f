/* matcher.c - the host twin of a device sequence: accept, validate, roll back, ask. Never calls CUDA. */
#include <string.h>

#include "matcher_object.h"
#include "matcher_trial.h"
#include "options.h"

#define ROLLBACK_LEAST 256u
#define ROLLBACK_MOST (1u << 20)
#define LOG_MOST (1u << 20) /* words noted for rollback */

/* --- creating ------------------------------------------------------------------------------------------------- */

/* Words that one token can overwrite: its brackets move it through so many frames and one more, and each value that it
 * ends can be kept. */
static size_t log_most(const weir_grammar *grammar) {
    const tables *t = grammar->tables;
    size_t frames = ((size_t)grammar->vocab->bracket_most + 1) * t->frame_words;
    size_t kept = t->kept_slots != 0 ? (size_t)grammar->vocab->trie.depth + 1 : 0;
    size_t all = machine_frames_words(t);
    return frames + kept < all ? frames + kept : all;
}

static weir_status make(const weir_grammar *grammar, const weir_allocator *allocator, uint32_t rollback, uint32_t budget,
                        weir_matcher **out, weir_error *error) {
    weir_matcher *m = allocate(allocator, sizeof *m);
    if (m == NULL) return fail(error, WEIR_ERROR_MEMORY, "out of memory for a matcher");
    memset(m, 0, sizeof *m);
    m->allocator = *allocator;
    m->grammar = grammar;
    m->rollback = rollback;
    m->budget = budget;
    m->sequence_words = machine_sequence_words(grammar->tables);
    size_t bytes = sizeof(uint32_t) * m->sequence_words;
    m->sequence = allocate(allocator, bytes);
    m->walk_words = machine_walk_words(grammar->tables);
    m->frames = allocate(allocator, sizeof(uint32_t) * m->walk_words);
    m->saved = allocate(allocator, bytes);
    m->steps = allocate(allocator, sizeof *m->steps * 2 * rollback);
    size_t step_words = log_most(grammar), words = rollback * step_words;
    m->log_capacity = (uint32_t)(words < LOG_MOST ? words : step_words < LOG_MOST ? LOG_MOST : step_words);
    m->log = allocate(allocator, sizeof *m->log * m->log_capacity);
    if (m->sequence == NULL || m->frames == NULL || m->saved == NULL || m->steps == NULL || m->log == NULL) {
        weir_matcher_destroy(m);
        return fail(error, WEIR_ERROR_MEMORY, "out of memory for a matcher of %zu bytes", 3 * bytes);
    }
    memset(m->sequence, 0, bytes);
    *out = m;
    return WEIR_OK;
}

void weir_matcher_reset(weir_matcher *m) {
    if (m == NULL) return;
    machine_start(&m->grammar->machine, m->sequence, m->budget != 0 ? m->budget : TABLES_NONE);
    m->step_count = m->log_count = m->token_count = 0;
    m->stopped = false;
}

weir_status weir_matcher_create(const weir_grammar *grammar, const weir_matcher_options *given, weir_matcher **out,
                                weir_error *error) {
    if (out == NULL) return fail(error, WEIR_ERROR_ARGUMENT, "out is NULL");
    *out = NULL;
    if (grammar == NULL) return fail(error, WEIR_ERROR_ARGUMENT, "grammar is NULL");
    weir_matcher_options options = WEIR_MATCHER_OPTIONS_INIT;
    TRY(READ_OPTIONS(weir_matcher_options, size, given, &options, error));
    if (options.rollback_tokens < ROLLBACK_LEAST) options.rollback_tokens = ROLLBACK_LEAST;
    if (options.rollback_tokens > ROLLBACK_MOST) {
        return fail(error, WEIR_ERROR_ARGUMENT, "rollback_tokens is %u, more than %u", options.rollback_tokens, ROLLBACK_MOST);
    }
    uint32_t least = grammar->tables->least_tokens;
    if (options.token_budget != 0 && grammar->tables->start != STATE_DEAD && least > options.token_budget) {
        return fail(error, WEIR_ERROR_UNSATISFIABLE, "no document fits a budget of %u tokens: %u are needed",
                    options.token_budget, least);
    }
    weir_allocator allocator = allocator_or_default(options.allocator);
    TRY(make(grammar, &allocator, options.rollback_tokens, options.token_budget, out, error));
    weir_matcher_reset(*out);
    return WEIR_OK;
}

void weir_matcher_destroy(weir_matcher *m) {
    if (m == NULL) return;
    weir_allocator allocator = m->allocator;
    size_t bytes = sizeof(uint32_t) * m->sequence_words;
    release(&allocator, m->sequence, bytes);
    release(&allocator, m->frames, sizeof(uint32_t) * m->walk_words);
    release(&allocator, m->saved, bytes);
    release(&allocator, m->steps, sizeof *m->steps * 2 * m->rollback);
    release(&allocator, m->log, sizeof *m->log * m->log_capacity);
    release(&allocator, m, sizeof *m);
}

weir_status weir_matcher_clone(const weir_matcher *m, weir_matcher **out, weir_error *error) {
    if (out == NULL) return fail(error, WEIR_ERROR_ARGUMENT, "out is NULL");
    *out = NULL;
    if (m == NULL) return fail(error, WEIR_ERROR_ARGUMENT, "matcher is NULL");
    weir_matcher *copy;
    TRY(make(m->grammar, &m->allocator, m->rollback, m->budget, &copy, error));
    memcpy(copy->sequence, m->sequence, sizeof(uint32_t) * m->sequence_words);
    memcpy(copy->steps, m->steps, sizeof *m->steps * m->step_count);
    memcpy(copy->log, m->log, sizeof *m->log * m->log_count);
    copy->step_count = m->step_count;
    copy->log_count = m->log_count;
    copy->token_count = m->token_count;
    copy->stopped = m->stopped;
    *out = copy;
    return WEIR_OK;
}

/* --- one token ------------------------------------------------------------------------------------------------ */

static bool is_stop(const weir_vocab *vocab, uint32_t token) {
    for (uint32_t i = 0; i < vocab->stop_count; i++) {
        if (vocab->stop_ids[i] == token) return true;
    }
    return false;
}

bool matcher_walk_token(weir_matcher *m, uint32_t token, walk *w) {
    const weir_vocab *vocab = m->grammar->vocab;
    walk_begin(w, m->sequence, m->frames);
    return walk_token(&m->grammar->machine, w, vocab->bytes + vocab->offsets[token],
                      vocab->offsets[token + 1] - vocab->offsets[token]);
}

bool matcher_can_finish(const weir_matcher *m, const walk *w) {
    return walk_token_ends_well(&m->grammar->machine, w);
}

bool matcher_try_token(weir_matcher *m, uint32_t token, walk *w) {
    return matcher_walk_token(m, token, w) && matcher_can_finish(m, w);
}

/* Forgets the oldest steps but for `keep`. */
static void forget_steps(weir_matcher *m, uint32_t keep) {
    if (m->step_count <= keep) return;
    uint32_t first = m->step_count - keep, gone = keep != 0 ? m->steps[first].log : m->log_count;
    memmove(m->steps, m->steps + first, sizeof *m->steps * keep);
    m->step_count = keep;
    memmove(m->log, m->log + gone, sizeof *m->log * (m->log_count - gone));
    m->log_count -= gone;
    for (uint32_t i = 0; i < m->step_count; i++) m->steps[i].log -= gone;
}

/* Words that committing a walk may overwrite. */
static size_t words_of(const weir_matcher *m, const walk *w) {
    size_t kept = 2 * (size_t)(w->kept - w->kept_low);
    return w->depth < w->low ? kept : kept + (size_t)(w->depth - w->low + 1) * m->grammar->tables->frame_words;
}

/* Room for one more step, and in the log for what the walk (NULL: a stop token) may overwrite: `rollback` steps fit whatever
 * they do, unless LOG_MOST bounds it. */
static void begin_step(weir_matcher *m, const walk *w) {
    size_t words = w != NULL ? words_of(m, w) : 0;
    if (m->step_count == 2 * m->rollback) forget_steps(m, m->rollback);
    if (m->log_count + words > m->log_capacity) forget_steps(m, m->rollback - 1);
    while (m->log_count + words > m->log_capacity) forget_steps(m, m->step_count / 2);
    step *s = &m->steps[m->step_count++];
    memcpy(s->head, m->sequence, sizeof s->head);
    s->log = m->log_count;
    s->stop = w == NULL;
}

static void commit_word(weir_matcher *m, size_t word, uint32_t value, bool quiet) {
    if (m->sequence[word] == value) return;
    if (!quiet) {
        m->log[m->log_count].word = (uint32_t)word;
        m->log[m->log_count++].value = m->sequence[word];
    }
    m->sequence[word] = value;
}

/* Copies a walk back into the sequence; overwritten words go to the log unless `quiet`. */
static void commit(weir_matcher *m, const walk *w, bool quiet) {
    uint32_t frame_words = m->grammar->tables->frame_words;
    for (uint32_t depth = w->low; depth <= w->depth; depth++) {
        for (uint32_t i = 0; i < frame_words; i++) {
            size_t at = (size_t)depth * frame_words + i;
            commit_word(m, SEQUENCE_HEAD + at, w->frames[at], quiet);
        }
    }
    for (uint32_t i = w->kept_low; i < w->kept; i++) {
        size_t at = kept_at(&m->grammar->machine, i);
        commit_word(m, SEQUENCE_HEAD + at, w->frames[at], quiet);
        commit_word(m, SEQUENCE_HEAD + at + 1, w->frames[at + 1], quiet);
    }
    walk_save_head(w, m->sequence);
    if (m->sequence[SEQUENCE_BUDGET] != TABLES_NONE) m->sequence[SEQUENCE_BUDGET]--;
}

weir_status weir_matcher_accept(weir_matcher *m, uint32_t token, weir_error *error) {
    if (m == NULL) return fail(error, WEIR_ERROR_ARGUMENT, "matcher is NULL");
    if (m->stopped) return fail(error, WEIR_ERROR_TOKEN, "token %u comes after the stop token", token);
    const weir_vocab *vocab = m->grammar->vocab;
    if (is_stop(vocab, token)) {
        if (!machine_accepts(&m->grammar->machine, m->sequence)) {
            return fail(error, WEIR_ERROR_TOKEN, "stop token %u: the text is not complete", token);
        }
        if (!m->trying) begin_step(m, NULL), m->token_count++;
        m->stopped = true;
        return WEIR_OK;
    }
    if (!vocab_is_text(vocab, token)) {
        return fail(error, WEIR_ERROR_TOKEN, "token %u is not text of this vocabulary (%u tokens)", token, vocab->token_count);
    }
    walk w;
    if (!matcher_try_token(m, token, &w)) return fail(error, WEIR_ERROR_TOKEN, "token %u is not allowed here", token);
    if (!m->trying) begin_step(m, &w), m->token_count++;
    commit(m, &w, m->trying);
    return WEIR_OK;
}

void matcher_begin_trial(weir_matcher *m) {
    if (m == NULL) return;
    memcpy(m->saved, m->sequence, sizeof(uint32_t) * m->sequence_words);
    m->stopped_before = m->stopped;
    m->trying = true;
}

void matcher_end_trial(weir_matcher *m) {
    if (m == NULL) return;
    memcpy(m->sequence, m->saved, sizeof(uint32_t) * m->sequence_words);
    m->stopped = m->stopped_before;
    m->trying = false;
}

uint32_t weir_matcher_validate(weir_matcher *m, const uint32_t *tokens, uint32_t count) {
    if (m == NULL || tokens == NULL || m->stopped) return 0;
    memcpy(m->saved, m->sequence, sizeof(uint32_t) * m->sequence_words);
    const weir_vocab *vocab = m->grammar->vocab;
    uint32_t valid = 0;
    for (; valid < count; valid++) {
        if (is_stop(vocab, tokens[valid])) {
            valid += machine_accepts(&m->grammar->machine, m->sequence);
            break; /* nothing follows a stop token */
        }
        walk w;
        if (!vocab_is_text(vocab, tokens[valid]) || !matcher_try_token(m, tokens[valid], &w)) break;
        commit(m, &w, true);
    }
    memcpy(m->sequence, m->saved, sizeof(uint32_t) * m->sequence_words);
    return valid;
}

weir_status weir_matcher_rollback(weir_matcher *m, uint32_t count, weir_error *error) {
    if (m == NULL) return fail(error, WEIR_ERROR_ARGUMENT, "matcher is NULL");
    if (count > m->step_count) {
        return fail(error, WEIR_ERROR_ARGUMENT, "%u tokens cannot be taken back, %u can", count, m->step_count);
    }
    for (uint32_t i = 0; i < count; i++) {
        const step *s = &m->steps[--m->step_count];
        while (m->log_count > s->log) {
            m->log_count--;
            m->sequence[m->log[m->log_count].word] = m->log[m->log_count].value;
        }
        memcpy(m->sequence, s->head, sizeof s->head);
        if (s->stop) m->stopped = false;
    }
    m->token_count -= count;
    return WEIR_OK;
}

weir_status weir_matcher_assign(weir_matcher *m, const weir_matcher *from, weir_error *error) {
    if (m == NULL || from == NULL) return fail(error, WEIR_ERROR_ARGUMENT, "%s is NULL", m == NULL ? "matcher" : "from");
    if (m->grammar != from->grammar) return fail(error, WEIR_ERROR_ARGUMENT, "the matchers are of different grammars");
    uint32_t taken = from->token_count - from->stopped, left = TABLES_NONE;
    memcpy(m->saved, from->sequence, sizeof(uint32_t) * m->sequence_words);
    if (m->budget != 0) {
        walk w;
        left = m->budget > taken ? m->budget - taken : 0;
        walk_begin(&w, m->saved, m->frames);
        if (w.state != STATE_DEAD && !from->stopped && !walk_can_finish(&m->grammar->machine, &w, left)) {
            return fail(error, WEIR_ERROR_UNSATISFIABLE, "the text cannot be finished inside a budget of %u tokens: %u are taken",
                        m->budget, taken);
        }
    }
    memcpy(m->sequence, m->saved, sizeof(uint32_t) * m->sequence_words);
    m->sequence[SEQUENCE_BUDGET] = left;
    m->step_count = m->log_count = 0;
    m->token_count = from->token_count;
    m->stopped = from->stopped;
    return WEIR_OK;
}

/* --- carrying the state elsewhere ------------------------------------------------------------------------------ */

const uint32_t *matcher_sequence(const weir_matcher *m) { return m->sequence; }

uint32_t matcher_moves(const weir_matcher *m, logged_move *moves, uint32_t move_most, logged_word *words, uint32_t word_most,
                       uint32_t *word_count) {
    uint32_t count = weir_matcher_history(m);
    if (count > move_most) count = move_most;
    uint32_t first = m->step_count - count;
    while (count > 0 && m->log_count - m->steps[first].log > word_most) first++, count--;
    uint32_t from = count > 0 ? m->steps[first].log : m->log_count;
    for (uint32_t i = 0; i < count; i++) {
        memcpy(moves[i].head, m->steps[first + i].head, sizeof moves[i].head);
        moves[i].log = m->steps[first + i].log - from;
    }
    *word_count = m->log_count - from;
    memcpy(words, m->log + from, sizeof *words * *word_count);
    return count;
}

void matcher_restore(weir_matcher *m, const uint32_t *sequence, uint32_t token_count, bool stopped) {
    memcpy(m->sequence, sequence, sizeof(uint32_t) * m->sequence_words);
    m->step_count = m->log_count = 0;
    m->token_count = token_count;
    m->stopped = stopped;
}

uint32_t weir_matcher_history(const weir_matcher *m) {
    if (m == NULL) return 0;
    return m->step_count < m->rollback ? m->step_count : m->rollback;
}

/* --- questions ------------------------------------------------------------------------------------------------ */

const weir_grammar *weir_matcher_grammar(const weir_matcher *m) {
    return m != NULL ? m->grammar : NULL;
}

/* The one byte that may come next, or -1. The walk moves on by it. */
static int forced_byte(weir_matcher *m, walk *w, uint32_t *frames, size_t frames_size) {
    const machine *machine = &m->grammar->machine;
    if (w->depth == 0 && (machine->states[w->state].flags & STATE_ACCEPTS) != 0) return -1;
    memcpy(frames, w->frames, frames_size);
    int found = -1;
    walk next = *w;
    for (int byte = 0; byte < 256; byte++) {
        walk trial = *w;
        if (!walk_byte(machine, &trial, (uint8_t)byte)) {
            memcpy(w->frames, frames, frames_size);
            continue;
        }
        bool finishes = walk_can_finish(machine, &trial, TABLES_NONE);
        memcpy(w->frames, frames, frames_size);
        if (!finishes) continue;
        if (found >= 0) return -1;
        found = byte;
    }
    if (found >= 0 && walk_byte(machine, &next, (uint8_t)found)) *w = next;
    return found;
}

weir_status weir_matcher_forced_bytes(weir_matcher *m, uint8_t *bytes, size_t capacity, size_t *length, weir_error *error) {
    if (length != NULL) *length = 0;
    if (m == NULL || length == NULL || (bytes == NULL && capacity != 0)) {
        return fail(error, WEIR_ERROR_ARGUMENT, "%s is NULL", m == NULL ? "matcher" : length == NULL ? "length" : "bytes");
    }
    if (m->stopped || m->sequence[SEQUENCE_STATE] == STATE_DEAD) return WEIR_OK;
    walk w;
    walk_begin(&w, m->sequence, m->frames);
    size_t frames_size = sizeof(uint32_t) * (m->sequence_words - SEQUENCE_HEAD);
    memcpy(m->frames, m->sequence + SEQUENCE_HEAD, frames_size);
    w.low = w.kept_low = 0; /* all frames are the walk's own from the start */
    while (*length < capacity) {
        int byte = forced_byte(m, &w, m->saved, frames_size);
        if (byte < 0) break;
        bytes[(*length)++] = (uint8_t)byte;
    }
    return WEIR_OK;
}

static bool accepts_in(const weir_matcher *m) {
    if (m->sequence[SEQUENCE_STATE] == STATE_DEAD) return false;
    return machine_accepts(&m->grammar->machine, m->sequence);
}

bool weir_matcher_is_accepting(const weir_matcher *m) { return m != NULL && !m->stopped && accepts_in(m); }
bool weir_matcher_is_stopped(const weir_matcher *m) { return m != NULL && m->stopped; }
uint32_t weir_matcher_token_count(const weir_matcher *m) { return m != NULL ? m->token_count : 0; }

weir_row_kind weir_matcher_row(const weir_matcher *m, uint32_t *guarded_count) {
    if (guarded_count != NULL) *guarded_count = 0;
    if (m == NULL || m->stopped || m->sequence[SEQUENCE_STATE] == STATE_DEAD) return WEIR_ROW_EMPTY;
    const machine *machine = &m->grammar->machine;
    const row *r = &machine->rows[machine->states[m->sequence[SEQUENCE_STATE]].row];
    if (guarded_count != NULL) *guarded_count = r->guarded_count + r->closing_count;
    return (weir_row_kind)r->kind;
}

uint32_t weir_matcher_least_tokens(const weir_matcher *m) {
    if (m == NULL || m->sequence[SEQUENCE_STATE] == STATE_DEAD) return UINT32_MAX;
    if (m->stopped) return 0;
    walk w;
    walk_begin(&w, m->sequence, m->frames);
    return walk_least(&m->grammar->machine, &w);
}

/* --- batches -------------------------------------------------------------------------------------------------- */

static weir_status note_row(weir_status status, size_t row_index, weir_status *statuses, weir_status first,
                            weir_error *error) {
    if (statuses != NULL) statuses[row_index] = status;
    if (status == WEIR_OK || first != WEIR_OK) return first;
    if (error != NULL) error->row = (int32_t)row_index;
    return status;
}

weir_status weir_matcher_fill_masks(weir_matcher *const *matchers, size_t count, uint32_t *masks_out, size_t stride,
                                    weir_status *statuses, weir_error *error) {
    if (count != 0 && (matchers == NULL || masks_out == NULL)) {
        return fail(error, WEIR_ERROR_ARGUMENT, "%s is NULL", matchers == NULL ? "matchers" : "masks");
    }
    weir_status first = WEIR_OK;
    for (size_t i = 0; i < count; i++) {
        uint32_t *words = masks_out + i * stride;
        weir_status status = WEIR_OK;
        if (matchers[i] == NULL) {
            memset(words, 0xFF, sizeof *words * stride); /* no constraint; the width is the caller's */
        } else {
            status = weir_matcher_fill_mask(matchers[i], words, stride, first == WEIR_OK ? error : NULL);
        }
        first = note_row(status, i, statuses, first, error);
    }
    return first;
}

weir_status weir_matcher_accept_tokens(weir_matcher *const *matchers, const uint32_t *tokens, size_t count,
                                       weir_status *statuses, weir_error *error) {
    if (count != 0 && (matchers == NULL || tokens == NULL)) {
        return fail(error, WEIR_ERROR_ARGUMENT, "%s is NULL", matchers == NULL ? "matchers" : "tokens");
    }
    weir_status first = WEIR_OK;
    for (size_t i = 0; i < count; i++) {
        weir_status status = WEIR_OK;
        if (matchers[i] != NULL) status = weir_matcher_accept(matchers[i], tokens[i], first == WEIR_OK ? error : NULL);
        first = note_row(status, i, statuses, first, error);
    }
    return first;
}
