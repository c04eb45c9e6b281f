/* recogniser_verdict.c - where the text stands in, whether it can be completed, and with what, out. */
#include "recogniser_parts.h"

#include <stdlib.h>
#include <string.h>

/* --- verdicts --- */

enum { STRING_SLOTS = 128 };
struct string_answer {
    uint64_t least;
    signed char answer;
    bool used;
};

static answer either(answer a, answer b) {
    return a == YES || b == YES ? YES : a == NO && b == NO ? NO : MAYBE;
}

/* A value of the set; where it says so, one that the earlier items do not have. */
static answer set_fresh(recogniser *r, const frame *f, const code_set *set, text_buffer *out) {
    const member *others = set_has(set, CODE_DISTINCT) ? frame_others(f) : NULL;
    return set_another(r, set_without(r, set, CODE_DISTINCT), f->child_position, f->depth, others, out);
}

static bool set_accepts(const recogniser *r, const frame *f, const code_set *set, const json *value) {
    for (const member *m = set_has(set, CODE_DISTINCT) ? frame_others(f) : NULL; m; m = m->before)
        if (values_equal(m->value, value)) return false;
    return set_holds(r, set, value);
}

/* Is there any value for the open member? */
static answer child_fresh(recogniser *r, frame *f) {
    if (f->child_fresh >= 0) return (answer)f->child_fresh;
    child_position(r, f);
    answer best = f->child_unsure ? MAYBE : NO;
    for (uint32_t i = 0; i < f->child_sets.count && best != YES; i++)
        best = either(best, set_fresh(r, f, f->child_sets.items[i], NULL));
    if (best != MAYBE) f->child_fresh = (signed char)best;
    return best;
}

static answer finishable(recogniser *r, frame *f) {
    if (f->finishable >= 0) return (answer)f->finishable;
    answer found = frame_finishable(r, f, NULL);
    if (found != MAYBE) f->finishable = (signed char)found;
    return found;
}

/* --- keys --- */

/* The name of that index: known ones, then the classes of the others. */
static uint32_t name_of(const position *p, uint32_t index) {
    return index < p->names.count ? p->names.items[index].name : NAME_OTHER + p->first_class + (index - p->names.count);
}

/* Such a name may be left out by the policies: there are many others already, or the option "closed" does not say. */
static bool other_is_unsure(const frame *f) {
    uint32_t kept = 0;
    for (const member *m = f->last; m; m = m->before) kept += name_is_other(m->name);
    bool told_apart = f->position->disjunct || f->position->compared;
    return f->position->open_unsure || f->position->vague || (told_apart && kept >= KEPT_NAMES);
}

/* The frame with that key open; of a class, with some name of it. */
static frame *open_some_key(recogniser *r, frame *f, uint32_t name) {
    text_buffer made = {NULL, 0, 0};
    uint32_t length;
    const char *text = name_text(r, name, &length);
    if (!text) { /* of all names: one without escapes */
        frame_other_name(r, f, name, 0, &made);
        length = (uint32_t)made.length;
        text = memcpy(region_take(f->home, made.length + 1), made.data, made.length);
    }
    free(made.data);
    return frame_open_key(r, f, name, text, length);
}

/* The policies let a name that is not listed come twice, where nothing hangs on it; or not. */
static bool may_repeat(const recogniser *r, const position *p) {
    return !p->disjunct && !p->compared && r->options.order == WEIR_ORDER_SCHEMA;
}

/* Can the object go on with this name? `index` into the known names, then the classes. */
static answer key_viable(recogniser *r, frame *f, uint32_t index) {
    uint32_t name = name_of(f->position, index), room = f->position->names.count + f->position->class_count;
    if (!f->keys) f->keys = memset(region_take(f->home, room), 0xff, room);
    if (f->keys[index] >= 0) return (answer)f->keys[index];
    bool used_up = name_is_other(name) && f->position->by_pattern && !language_lives(r->languages, class_left(r, f, name));
    answer found = key_allowed(r, f, name) ? child_fresh(r, open_some_key(r, f, name)) : NO;
    if (used_up) found = found != NO && may_repeat(r, f->position) ? MAYBE : NO;
    if (found == YES && name_is_other(name) && other_is_unsure(f)) found = MAYBE;
    if (found != MAYBE) f->keys[index] = (signed char)found;
    return found;
}

static answer any_key(recogniser *r, frame *f) {
    answer best = NO;
    for (uint32_t i = f->position->names.count + f->position->class_count; i-- && best != YES;)
        best = either(best, key_viable(r, f, i));
    return best;
}

void frame_key_words(recogniser *r, frame *f, language *sure, language *perhaps) {
    *sure = *perhaps = UINT32_MAX;
    if (!f->position->by_pattern) return;
    if (!f->keys_ready) {
        f->keys_sure = f->keys_open = LANGUAGE_NONE;
        f->keys_ready = true;
        for (uint32_t i = 0; i < f->position->class_count; i++) {
            uint32_t index = f->position->names.count + i;
            uint32_t name = name_of(f->position, index);
            answer viable = key_viable(r, f, index);
            language left = class_left(r, f, name), all = r->classes[name - NAME_OTHER].words;
            if (viable == YES) f->keys_sure = language_or(r->languages, f->keys_sure, left);
            if (viable == MAYBE) f->keys_open = language_or(r->languages, f->keys_open, left);
            if (viable != NO && may_repeat(r, f->position)) f->keys_open = language_or(r->languages, f->keys_open, all);
        }
    }
    *sure = f->keys_sure;
    *perhaps = f->keys_open;
}

/* --- strings of languages --- */

static answer lives(recogniser *r, language words) {
    int found = language_lives(r->languages, words);
    return found == 1 ? YES : found == 0 ? NO : MAYBE;
}

/* The characters that json.dumps escapes. */
static uint32_t escaped_character(uint32_t k) {
    return k < 0x20 ? k : k == 0x20 ? '"' : '\\';
}

/* Can the text go on to a word of the language, an unfinished character to one that is spelled as json.dumps does?
 * MAYBE: only if another spelling will do. *character: the one that it can become. */
static answer judge_words(recogniser *r, const string_state *string, language words, uint32_t *character) {
    uint32_t least, most, length = string->pending_length, found;
    char quoted[8];
    if (!length) return lives(r, words);
    string_range(string, &least, &most);
    answer best = NO;
    for (uint32_t k = 0; string->pending[0] == '\\' && k <= 0x21 && best != YES; k++) {
        uint32_t c = escaped_character(k), size = quote_character(c, quoted);
        if (size < length || memcmp(quoted, string->pending, length)) continue;
        int alive = language_lives_after(r->languages, words, c, c, &found);
        if (alive) best = alive == 1 ? YES : either(best, MAYBE);
        if (alive == 1) *character = c;
    }
    if (best == YES) return YES;
    int alive = language_lives_after(r->languages, words, least, most, &found);
    if (string->pending[0] != '\\' && alive == 1) *character = found;
    return alive == 0 ? NO : alive == 1 && string->pending[0] != '\\' ? YES : MAYBE;
}

/* Bytes that lead to such a word; nothing when it has been written. false: none was found. */
static bool continue_words(recogniser *r, const string_state *string, language words, text_buffer *out) {
    uint32_t character;
    size_t length;
    char quoted[8];
    if (judge_words(r, string, words, &character) != YES) return false;
    if (string->pending_length) {
        uint32_t size = quote_character(character, quoted);
        text_put(out, quoted + string->pending_length, size - string->pending_length);
        return true;
    }
    char *text = language_word(r->languages, words, &length);
    if (text) text_put_escaped(out, text, length);
    bool found = text;
    free(text);
    return found;
}

static language own_words(recogniser *r, const frame *f, const code_set *set) {
    language_pool *pool = r->languages;
    language words = set_strings(r, set);
    for (const member *m = set_has(set, CODE_DISTINCT) ? frame_others(f) : NULL; m; m = m->before)
        if (m->value->kind == JSON_STRING)
            words = language_and(pool, words, language_not(pool, language_of_word(pool, m->value->text, m->value->length)));
    return words;
}

language frame_words(recogniser *r, frame *f) {
    bool wanted = child_position(r, f)->patterned;
    if (f->words_ready) return f->words;
    for (uint32_t i = 0; i < f->child_sets.count && !wanted; i++) {
        wanted = set_is_patterned(r, f->child_sets.items[i]);
        for (const member *m = set_has(f->child_sets.items[i], CODE_DISTINCT) ? frame_others(f) : NULL; m; m = m->before)
            wanted |= m->value->kind == JSON_STRING;
    }
    f->words = wanted ? LANGUAGE_NONE : UINT32_MAX;
    for (uint32_t i = 0; i < f->child_sets.count && wanted; i++)
        f->words = language_or(r->languages, f->words, own_words(r, f, f->child_sets.items[i]));
    f->words_ready = true;
    return f->words;
}

/* --- scalars --- */

static answer judge_key(recogniser *r, const text_state *state) {
    const known_list *names = &state->frame->position->names;
    uint32_t character;
    answer best = NO;
    if (state->words != UINT32_MAX) {
        best = judge_words(r, &state->string, state->words, &character);
        if (best == NO && judge_words(r, &state->string, state->words_open, &character) != NO) best = MAYBE;
    } else if (string_least_other(&state->string, names) < UINT64_MAX) {
        best = key_viable(r, state->frame, names->count);
    }
    for (uint32_t i = state->string.low; i < state->string.high && best != YES; i++)
        if (string_extends(&state->string, names, i)) best = either(best, key_viable(r, state->frame, i));
    return best;
}

static answer judge_string(recogniser *r, const text_state *state) {
    frame *f = state->frame;
    const known_list *strings = &child_position(r, f)->strings;
    answer best = f->child_unsure ? MAYBE : NO;
    uint64_t least, length;
    uint32_t character;
    if (state->words != UINT32_MAX) {
        answer found = judge_words(r, &state->string, state->words, &character);
        bool one_spelling = found == MAYBE && f->child_position->patterned && all_sets(r, f, set_surely_patterned);
        return either(best, one_spelling && language_lives(r->languages, state->words) >= 0 ? NO : found);
    }
    least = string_least_other(&state->string, strings);
    bool other = state->string.low == state->string.high;
    if (other && !f->strings) f->strings = region_take(f->home, STRING_SLOTS * sizeof *f->strings);
    struct string_answer *slot = other ? &f->strings[least % STRING_SLOTS] : NULL;
    if (slot && slot->used && slot->least == least) return (answer)slot->answer;
    for (uint32_t i = 0; i < f->child_sets.count && best != YES; i++) {
        const code_set *set = f->child_sets.items[i];
        for (uint32_t k = state->string.low; k < state->string.high && best != YES; k++)
            if (string_extends(&state->string, strings, k) && set_holds(r, set, strings->items[k].value)) best = YES;
        if (best != YES && least < UINT64_MAX)
            best = either(best, set_string(r, set, f->child_position, least, &length));
    }
    if (slot && best != MAYBE) *slot = (struct string_answer){least, (signed char)best, true};
    return best;
}

static bool written_holds(recogniser *r, const frame *f, const char *text) {
    const json value = {.kind = JSON_NUMBER, .text = text, .length = (uint32_t)strlen(text)};
    for (uint32_t i = 0; i < f->child_sets.count; i++)
        if (set_accepts(r, f, f->child_sets.items[i], &value)) return true;
    return false;
}

/* Every way to go on with an exponent that has begun, within its bounds; the first that holds goes to `out`. */
static bool complete_exponent(recogniser *r, const text_state *state, uint32_t length, char out[NUMBER_CAPACITY]) {
    if (length + 8 > NUMBER_CAPACITY) return false;
    memcpy(out, r->document + state->start, length);
    out[length] = 0;
    uint32_t at = length;
    while (out[at - 1] >= '0' && out[at - 1] <= '9') at--;
    bool sign = length == at && (out[at - 1] == 'e' || out[at - 1] == 'E');
    for (uint32_t digits = length - at; digits <= 3; digits++) {
        uint32_t more = digits - (length - at), ways = more == 3 ? 1000 : more == 2 ? 100 : more == 1 ? 10 : 1;
        for (uint32_t way = 0; way < ways * (sign ? 3 : 1); way++) {
            uint32_t end = length, rest = way % ways;
            if (way / ways) out[end++] = "+-"[way / ways - 1];
            for (uint32_t unit = ways / 10; unit; unit /= 10) out[end++] = (char)('0' + rest / unit % 10);
            out[end] = 0;
            if (number_status(out, end) != 1 || !exponent_in_bounds(out, end)) continue;
            if (written_holds(r, state->frame, out)) return true;
        }
    }
    return false;
}

static answer judge_exponent(recogniser *r, const text_state *state, uint32_t length) {
    char text[NUMBER_CAPACITY];
    if (complete_exponent(r, state, length, text)) return YES;
    return all_sets(r, state->frame, set_is_numeric) && length + 8 <= NUMBER_CAPACITY ? NO : MAYBE;
}

/* Else all numbers are alike. */
static bool numbers_differ(recogniser *r, frame *f) {
    bool found = child_position(r, f)->numeric;
    for (uint32_t i = 0; i < f->child_sets.count; i++) found |= set_has(f->child_sets.items[i], CODE_DISTINCT) && frame_others(f);
    return found;
}

static answer judge_number(recogniser *r, const text_state *state, size_t at) {
    frame *f = state->frame;
    uint32_t length = (uint32_t)(at - state->start);
    bool numeric = numbers_differ(r, f);
    char text[NUMBER_CAPACITY];
    answer best = f->child_unsure ? MAYBE : NO;
    if (!numeric && f->child_number >= 0) return (answer)f->child_number;
    if (numeric && has_exponent(r->document + state->start, length)) return judge_exponent(r, state, length);
    for (uint32_t i = 0; i < f->child_sets.count && best != YES; i++)
        best = either(best, set_number(r, f->child_sets.items[i], f->child_position, frame_others(f),
                                       r->document + state->start, numeric ? length : 0, text));
    if (!numeric && best != MAYBE) f->child_number = (signed char)best;
    return best;
}

static answer judge_literal(recogniser *r, const text_state *state) {
    const json value = {.kind = state->literal == KIND_NULL   ? JSON_NULL
                                : state->literal == KIND_TRUE ? JSON_TRUE
                                                              : JSON_FALSE};
    child_position(r, state->frame);
    for (uint32_t i = 0; i < state->frame->child_sets.count; i++)
        if (set_accepts(r, state->frame, state->frame->child_sets.items[i], &value)) return YES;
    return state->frame->child_unsure ? MAYBE : NO;
}

answer text_verdict(recogniser *r, const text_state *state, size_t at) {
    answer found = NO;
    r->work = 0;
    if (state->dead) return NO;
    switch (state->phase) {
    case PHASE_COLON:
    case PHASE_VALUE: found = child_fresh(r, state->frame); break;
    case PHASE_FIRST_ITEM:
    case PHASE_FIRST_KEY:
    case PHASE_AFTER: found = finishable(r, state->frame); break;
    case PHASE_KEY: found = any_key(r, state->frame); break;
    case PHASE_IN_KEY: found = judge_key(r, state); break;
    case PHASE_STRING: found = judge_string(r, state); break;
    case PHASE_NUMBER: found = judge_number(r, state, at); break;
    case PHASE_LITERAL: found = judge_literal(r, state); break;
    case PHASE_DONE: found = schema_valid(r, r->root, state->frame->last->value) ? YES : NO; break;
    }
    return found == YES && state->unsure ? MAYBE : found;
}

bool text_complete(recogniser *r, const text_state *state, size_t at) {
    if (state->dead) return false;
    if (state->phase == PHASE_DONE) return schema_valid(r, r->root, state->frame->last->value);
    if (state->phase != PHASE_NUMBER || state->frame->parent) return false;
    const char *text = r->document + state->start;
    const json value = {.kind = JSON_NUMBER, .text = text, .length = (uint32_t)(at - state->start)};
    return number_status(text, value.length) == 1 && schema_valid(r, r->root, &value);
}

/* --- completions --- */

static bool continue_value(recogniser *r, frame *f, text_buffer *out) {
    child_position(r, f);
    for (uint32_t i = 0; i < f->child_sets.count; i++)
        if (set_fresh(r, f, f->child_sets.items[i], out) == YES) return true;
    return false;
}

static bool continue_key(recogniser *r, text_state *state, size_t at, text_buffer *out) {
    frame *f = state->frame;
    const known_list *names = &f->position->names;
    const string_state *string = &state->string;
    for (uint32_t i = string->low; i < string->high; i++) {
        if (!string_extends(string, names, i) || key_viable(r, f, i) != YES) continue;
        uint32_t written = string->matched + string->pending_length;
        text_put(out, names->items[i].quoted + written, names->items[i].length - written);
        text_put(out, "\"", 1);
        return true;
    }
    uint64_t least = string_least_other(string, names);
    if (state->words != UINT32_MAX) {
        if (!continue_words(r, string, state->words, out)) return false;
        if (!out->length) text_put(out, "\"", 1);
        return true;
    }
    if (least == UINT64_MAX) return false;
    string_continue_other(string, names, least, out);
    if (!out->length) text_put(out, key_repeats(r, state, at) ? "x" : "\"", 1);
    return true;
}

static bool continue_string(recogniser *r, text_state *state, text_buffer *out) {
    frame *f = state->frame;
    const known_list *strings = &child_position(r, f)->strings;
    const string_state *string = &state->string;
    uint64_t least = string_least_other(string, strings), length;
    if (state->words != UINT32_MAX) {
        if (!continue_words(r, string, state->words, out)) return false;
        if (!out->length) text_put(out, "\"", 1);
        return true;
    }
    for (uint32_t i = 0; i < f->child_sets.count; i++) {
        const code_set *set = f->child_sets.items[i];
        for (uint32_t k = string->low; k < string->high; k++) {
            if (!string_extends(string, strings, k) || !set_holds(r, set, strings->items[k].value)) continue;
            uint32_t written = string->matched + string->pending_length;
            text_put(out, strings->items[k].quoted + written, strings->items[k].length - written);
            text_put(out, "\"", 1);
            return true;
        }
        if (least == UINT64_MAX || set_string(r, set, f->child_position, least, &length) != YES) continue;
        string_continue_other(string, strings, length, out);
        if (!out->length) text_put(out, "\"", 1);
        return true;
    }
    return false;
}

static bool continue_number(recogniser *r, text_state *state, size_t at, text_buffer *out) {
    frame *f = state->frame;
    const char *text = r->document + state->start;
    uint32_t length = (uint32_t)(at - state->start);
    char whole[NUMBER_CAPACITY];
    if (!numbers_differ(r, f)) {
        if (number_status(text, length) == 0) return text_put(out, "0", 1), true;
        return text_finish_number(r, state, at), true;
    }
    if (has_exponent(text, length)) {
        if (!complete_exponent(r, state, length, whole)) return false;
        if (strlen(whole) > length) return text_put(out, whole + length, strlen(whole) - length), true;
        return text_finish_number(r, state, at), true;
    }
    for (uint32_t i = 0; i < f->child_sets.count; i++) {
        if (set_number(r, f->child_sets.items[i], f->child_position, frame_others(f), text, length, whole) != YES) continue;
        if (strlen(whole) > length)
            text_put(out, whole + length, strlen(whole) - length);
        else
            text_finish_number(r, state, at);
        return true;
    }
    return false;
}

bool text_continuation(recogniser *r, text_state *state, size_t at, text_buffer *out) {
    out->length = 0;
    r->work = 0;
    if (state->phase != PHASE_STRING && state->phase != PHASE_IN_KEY && space_wanted(r, state)) text_put(out, " ", 1);
    switch (state->phase) {
    case PHASE_COLON: return text_put(out, ":", 1), true;
    case PHASE_VALUE: return continue_value(r, state->frame, out);
    case PHASE_FIRST_ITEM:
    case PHASE_FIRST_KEY:
    case PHASE_AFTER: return frame_finishable(r, state->frame, out) == YES;
    case PHASE_KEY: return text_put(out, "\"", 1), true;
    case PHASE_IN_KEY: return continue_key(r, state, at, out);
    case PHASE_STRING: return continue_string(r, state, out);
    case PHASE_NUMBER: return continue_number(r, state, at, out);
    case PHASE_LITERAL: {
        const char *rest = literal_text(state->literal) + (at - state->start);
        return text_put(out, rest, strlen(rest)), true;
    }
    default: return false;
    }
}
