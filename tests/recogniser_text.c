/* recogniser_text.c - the prefix, byte by byte: open containers as frames, one open scalar; and the verdict on each
 * state.
 *
 * A frame knows which sets of literals its open member may have (frame_children), so a scalar is judged on its own. */
#include "recogniser_parts.h"

#include <stdlib.h>
#include <string.h>

/* --- frames --- */

enum { MEMO_SLOTS = 4096, TAG_ITEM = 1, TAG_KEY = 2, TAG_STRING = 3 };

/* What became of a frame in scratch; a table of the latest, so that many tokens share one frame and its answers. */
typedef struct frame_memo {
    const frame *from;
    frame *to;
    uint64_t key;
    uint32_t tag;
} frame_memo;

static frame_memo *memo_slot(recogniser *r, const frame *from, uint32_t tag, uint64_t key) {
    uint64_t hash = ((uint64_t)(uintptr_t)from >> 4) * 0x9e3779b97f4a7c15ull + key * 0xc2b2ae3d27d4eb4full + tag;
    return &r->after[(hash >> 32 ^ hash) % MEMO_SLOTS];
}

static frame *memo_find(recogniser *r, const frame *from, uint32_t tag, uint64_t key) {
    frame_memo *memo = memo_slot(r, from, tag, key);
    bool same = r->frames == &r->scratch && memo->from == from && memo->tag == tag && memo->key == key;
    return same ? memo->to : NULL;
}

static frame *memo_keep(recogniser *r, const frame *from, uint32_t tag, uint64_t key, frame *to) {
    if (r->frames == &r->scratch) *memo_slot(r, from, tag, key) = (frame_memo){from, to, key, tag};
    return to;
}

void text_forget(recogniser *r) {
    if (!r->after) r->after = malloc(MEMO_SLOTS * sizeof *r->after);
    if (!r->after) recogniser_panic("out of memory");
    memset(r->after, 0, MEMO_SLOTS * sizeof *r->after);
    arena_free(&r->scratch);
    arena_init(&r->scratch, NULL, 0);
}

static frame *frame_make(recogniser *r, const frame *from) {
    frame *f = region_take(r->frames, sizeof *f);
    if (from) *f = *from;
    f->home = r->frames;
    f->open = f->child_ready = f->child_unsure = false;
    f->child_sets = (set_list){0, 0, NULL};
    f->child_position = NULL;
    f->keys = NULL;
    f->strings = NULL;
    f->finishable = f->child_fresh = f->child_number = -1;
    return f;
}

static const position *child_position(recogniser *r, frame *f) {
    if (!f->child_ready) frame_children(r, f);
    return f->child_position;
}

static frame *open_container(recogniser *r, frame *parent, int kind) {
    frame *f = frame_make(r, NULL);
    f->parent = parent;
    f->kind = kind;
    f->position = child_position(r, parent);
    f->sets = parent->child_sets;
    f->unsure = parent->child_unsure;
    f->depth = parent->depth - 1;
    f->last_rank = -1;
    return f;
}

static frame *open_item(recogniser *r, frame *f) {
    frame *made = memo_find(r, f, TAG_ITEM, 0);
    if (made) return made;
    made = frame_make(r, f);
    made->open = true;
    made->name = NAME_OTHER;
    return memo_keep(r, f, TAG_ITEM, 0, made);
}

static frame *open_key(recogniser *r, frame *f, uint32_t name, const char *key, uint32_t key_length) {
    frame *made = memo_find(r, f, TAG_KEY, name);
    if (made) return made;
    made = frame_make(r, f);
    made->open = true;
    made->name = name;
    made->key = key;
    made->key_length = key_length;
    made->last_rank = name == NAME_OTHER ? RANK_UNLISTED : f->position->ranks[name];
    return memo_keep(r, f, TAG_KEY, name, made);
}

/* The frame after its open member got this value. */
static frame *close_member(recogniser *r, const frame *f, json *value) {
    frame *made = frame_make(r, f);
    member *m = region_take(r->frames, sizeof *m);
    value->key = f->kind == KIND_OBJECT ? f->key : NULL;
    value->key_length = f->key_length;
    *m = (member){f->last, f->name, value};
    made->last = m;
    made->count = f->count + 1;
    return made;
}

static json *container_value(recogniser *r, const frame *f) {
    json *value = region_take(r->frames, sizeof *value);
    value->kind = f->kind == KIND_OBJECT ? JSON_OBJECT : JSON_ARRAY;
    value->count = f->count;
    for (const member *m = f->last; m; m = m->before) {
        json *child = region_take(r->frames, sizeof *child);
        *child = *m->value;
        child->next = value->child;
        value->child = child;
    }
    return value;
}

/* --- steps --- */

void text_begin(recogniser *r, text_state *state) {
    const uint32_t code = r->root->code;
    *state = (text_state){.phase = PHASE_VALUE};
    state->frame = frame_make(r, NULL);
    state->frame->kind = KIND_NULL;
    state->frame->open = true;
    state->frame->name = NAME_OTHER;
    state->frame->position = position_root(r);
    state->frame->depth = r->options.depth_limit;
    const code_set **only = region_take(r->frames, sizeof *only);
    only[0] = set_make(r, &code, 1);
    state->frame->sets = (set_list){1, 1, only};
}

static void finish_value(recogniser *r, text_state *state, json *value) {
    bool root = !state->frame->parent;
    state->frame = close_member(r, state->frame, value);
    state->phase = root ? PHASE_DONE : PHASE_AFTER;
}

static json *scalar_value(recogniser *r, json_kind kind, const char *raw, size_t length) {
    json *value = region_take(r->frames, sizeof *value);
    value->kind = kind;
    if (kind == JSON_STRING) {
        value->text = string_decode(r->frames, raw, length, &value->length);
    } else {
        value->text = memcpy(region_take(r->frames, length + 1), raw, length);
        value->length = (uint32_t)length;
    }
    return value;
}

static void finish_number(recogniser *r, text_state *state, size_t at) {
    finish_value(r, state, scalar_value(r, JSON_NUMBER, r->document + state->start, at - state->start));
}

static bool finish_string(recogniser *r, text_state *state, size_t at) {
    frame *f = state->frame;
    bool other = state->string.low == state->string.high;
    frame *made = other ? memo_find(r, f, TAG_STRING, state->string.count) : NULL;
    bool root = !f->parent;
    if (!made) {
        const char *raw = r->document + state->start;
        made = close_member(r, f, scalar_value(r, JSON_STRING, raw, at - state->start));
        if (other) memo_keep(r, f, TAG_STRING, state->string.count, made);
    }
    state->frame = made;
    state->phase = root ? PHASE_DONE : PHASE_AFTER;
    return true;
}

static bool has_member(const frame *f, uint32_t name) {
    for (const member *m = f->last; m; m = m->before)
        if (m->name == name) return true;
    return false;
}

/* The order of names, and no listed name twice. */
static bool key_allowed(const frame *f, uint32_t name) {
    int32_t rank = name == NAME_OTHER ? RANK_UNLISTED : f->position->ranks[name];
    if (rank < RANK_UNLISTED) return rank > f->last_rank;
    return name == NAME_OTHER ? f->position->open : !has_member(f, name);
}

/* Another member has the name that has been written. */
static bool key_repeats(recogniser *r, const text_state *state, size_t at) {
    uint32_t length;
    const char *text = string_decode(r->frames, r->document + state->start, at - state->start, &length);
    for (const member *m = state->frame->last; m; m = m->before)
        if (m->name == NAME_OTHER && m->value->key_length == length && !memcmp(m->value->key, text, length))
            return true;
    return false;
}

static bool finish_key(recogniser *r, text_state *state, size_t at) {
    frame *f = state->frame;
    const known *name = string_known(&state->string, &f->position->names);
    uint32_t length;
    const char *text = string_decode(r->frames, r->document + state->start, at - state->start, &length);
    if (!key_allowed(f, name ? name->name : NAME_OTHER)) return false;
    if (!name && key_repeats(r, state, at)) {
        state->repeated = true;
        state->unsure |= f->position->disjunct; /* the verdict could depend on it */
    }
    state->frame = open_key(r, f, name ? name->name : NAME_OTHER, text, length);
    state->phase = PHASE_COLON;
    return true;
}

static bool space_wanted(const recogniser *r, const text_state *state) {
    return r->options.whitespace == WEIR_WHITESPACE_SPACED && !state->spaces &&
           (state->phase == PHASE_KEY || (state->phase == PHASE_VALUE && state->frame->parent));
}

static bool step_space(const recogniser *r, text_state *state, char byte) {
    bool inside = state->phase != PHASE_DONE && !(state->phase == PHASE_VALUE && !state->frame->parent);
    bool allowed = r->options.whitespace == WEIR_WHITESPACE_ANY ? inside && state->spaces < r->options.whitespace_run
                                                                : byte == ' ' && space_wanted(r, state);
    state->spaces++;
    return allowed;
}

static bool begin_value(recogniser *r, text_state *state, size_t at) {
    char byte = r->document[at];
    state->start = at;
    switch (byte) {
    case '"':
        state->phase = PHASE_STRING;
        state->start = at + 1;
        state->string = string_begin(&child_position(r, state->frame)->strings);
        return true;
    case '{':
    case '[':
        if (!state->frame->depth) return false;
        state->frame = open_container(r, state->frame, byte == '{' ? KIND_OBJECT : KIND_ARRAY);
        state->phase = byte == '{' ? PHASE_FIRST_KEY : PHASE_FIRST_ITEM;
        return true;
    case 'n':
    case 'f':
    case 't':
        state->phase = PHASE_LITERAL;
        state->literal = byte == 'n' ? KIND_NULL : byte == 'f' ? KIND_FALSE : KIND_TRUE;
        return true;
    default: state->phase = PHASE_NUMBER; return number_status(r->document + at, 1) >= 0;
    }
}

static bool step_structure(recogniser *r, text_state *state, size_t at) {
    char byte = r->document[at];
    frame *f = state->frame;
    bool object = f->kind == KIND_OBJECT;
    if (space_wanted(r, state)) return false;
    state->spaces = 0;
    switch (state->phase) {
    case PHASE_VALUE: return begin_value(r, state, at);
    case PHASE_FIRST_KEY:
    case PHASE_KEY:
        if (byte == '"') {
            state->start = at + 1;
            state->string = string_begin(&f->position->names);
            return state->phase = PHASE_IN_KEY, true;
        }
        if (byte != '}' || state->phase == PHASE_KEY) return false;
        break;
    case PHASE_FIRST_ITEM:
        if (byte == ']') break;
        state->frame = open_item(r, f);
        return begin_value(r, state, at);
    case PHASE_COLON: return state->phase = PHASE_VALUE, byte == ':';
    case PHASE_AFTER:
        if (byte == ',') {
            state->phase = object ? PHASE_KEY : PHASE_VALUE;
            if (!object) state->frame = open_item(r, f);
            return true;
        }
        if (byte != (object ? '}' : ']')) return false;
        break;
    default: return false;
    }
    json *value = container_value(r, f);
    state->frame = f->parent;
    finish_value(r, state, value);
    return true;
}

static const char *literal_text(int kind) {
    return kind == KIND_NULL ? "null" : kind == KIND_TRUE ? "true" : "false";
}

static bool has_exponent(const char *text, uint32_t length) {
    return memchr(text, 'e', length) || memchr(text, 'E', length);
}

/* At most three digits, and at most 400. */
static bool exponent_in_bounds(const char *text, uint32_t length) {
    const char *end = text + length, *c = text;
    while (*c != 'e' && *c != 'E') c++;
    if (++c < end && (*c == '-' || *c == '+')) c++;
    int digits = 0, value = 0;
    for (; c < end; c++, digits++) value = 10 * value + (*c - '0');
    return digits <= 3 && value <= 400;
}

static bool all_sets(const recogniser *r, const frame *f, bool (*is_such)(const recogniser *, const code_set *)) {
    for (uint32_t i = 0; i < f->child_sets.count; i++)
        if (!is_such(r, f->child_sets.items[i])) return false;
    return true;
}

/* Where numbers are told apart, an exponent comes in one form, and not at all where integers are told apart; where only
 * some branch of an anyOf, oneOf or not does so, the policy leaves it open. */
static bool step_exponent(recogniser *r, text_state *state, size_t at) {
    frame *f = state->frame;
    const char *text = r->document + state->start;
    uint32_t length = (uint32_t)(at - state->start);
    if (!has_exponent(text, length + 1) || !child_position(r, f)->numeric) return true;
    if (all_sets(r, f, set_tells_integers)) return false;
    state->unsure |= child_position(r, f)->integers;
    if (has_exponent(text, length) ? exponent_in_bounds(text, length + 1) : may_take_exponent(text, length)) return true;
    state->unsure = true;
    return !all_sets(r, f, set_is_numeric);
}

/* Names that are told apart by what they mean may be bound to one spelling. */
static bool step_key(text_state *state, char byte) {
    const position *position = state->frame->position;
    bool escaped = state->string.pending_length && state->string.pending[0] == '\\';
    state->unsure |= escaped && position->disjunct && (byte == 'u' || byte == '/');
    return string_step(&state->string, &position->names, byte);
}

bool text_step(recogniser *r, text_state *state, size_t at) {
    char byte = r->document[at];
    size_t length = at - state->start;
    const known_list *known;
    switch (state->phase) {
    case PHASE_IN_KEY:
        if (byte != '"' || state->string.pending_length) return step_key(state, byte);
        return finish_key(r, state, at);
    case PHASE_STRING:
        known = &state->frame->child_position->strings;
        if (byte != '"' || state->string.pending_length) return string_step(&state->string, known, byte);
        return finish_string(r, state, at);
    case PHASE_LITERAL: {
        const char *word = literal_text(state->literal);
        if (byte != word[length]) return false;
        json_kind kind = state->literal == KIND_NULL ? JSON_NULL : state->literal == KIND_TRUE ? JSON_TRUE : JSON_FALSE;
        if (!word[length + 1]) finish_value(r, state, scalar_value(r, kind, word, length + 1));
        return true;
    }
    case PHASE_NUMBER:
        if (number_status(r->document + state->start, (uint32_t)length + 1) >= 0) return step_exponent(r, state, at);
        if (number_status(r->document + state->start, (uint32_t)length) != 1) return false;
        finish_number(r, state, at);
        break;
    default: break;
    }
    if (byte == ' ' || byte == '\t' || byte == '\n' || byte == '\r') return step_space(r, state, byte);
    return step_structure(r, state, at);
}

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

/* Is there any value for the open member? */
static answer child_fresh(recogniser *r, frame *f) {
    if (f->child_fresh >= 0) return (answer)f->child_fresh;
    const position *position = child_position(r, f);
    answer best = f->child_unsure ? MAYBE : NO;
    for (uint32_t i = 0; i < f->child_sets.count && best != YES; i++)
        best = either(best, set_satisfiable(r, f->child_sets.items[i], position, f->depth, NULL));
    if (best != MAYBE) f->child_fresh = (signed char)best;
    return best;
}

static answer finishable(recogniser *r, frame *f) {
    if (f->finishable >= 0) return (answer)f->finishable;
    answer found = frame_finishable(r, f, NULL);
    if (found != MAYBE) f->finishable = (signed char)found;
    return found;
}

/* Can the object go on with this name? `index` into the known names, or their count for any other name. */
static answer key_viable(recogniser *r, frame *f, uint32_t index) {
    const known_list *names = &f->position->names;
    uint32_t name = index < names->count ? names->items[index].name : NAME_OTHER;
    if (!f->keys) f->keys = memset(region_take(f->home, names->count + 1), 0xff, names->count + 1);
    if (f->keys[index] >= 0) return (answer)f->keys[index];
    const char *text = index < names->count ? names->items[index].text : "";
    answer found = key_allowed(f, name) ? child_fresh(r, open_key(r, f, name, text, (uint32_t)strlen(text))) : NO;
    if (found != MAYBE) f->keys[index] = (signed char)found;
    return found;
}

static answer any_key(recogniser *r, frame *f) {
    answer best = NO;
    for (uint32_t i = f->position->names.count + 1; i-- && best != YES;) best = either(best, key_viable(r, f, i));
    return best;
}

static answer judge_key(recogniser *r, const text_state *state) {
    const known_list *names = &state->frame->position->names;
    answer best = NO;
    if (string_least_other(&state->string, names) < UINT64_MAX) best = key_viable(r, state->frame, names->count);
    for (uint32_t i = state->string.low; i < state->string.high && best != YES; i++)
        if (string_extends(&state->string, names, i)) best = either(best, key_viable(r, state->frame, i));
    return best;
}

static answer judge_string(recogniser *r, const text_state *state) {
    frame *f = state->frame;
    const known_list *strings = &child_position(r, f)->strings;
    answer best = f->child_unsure ? MAYBE : NO;
    uint64_t least = string_least_other(&state->string, strings), length;
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
        if (set_holds(r, f->child_sets.items[i], &value)) return true;
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

static answer judge_number(recogniser *r, const text_state *state, size_t at) {
    frame *f = state->frame;
    uint32_t length = (uint32_t)(at - state->start);
    bool numeric = child_position(r, f)->numeric; /* else all numbers are alike */
    char text[NUMBER_CAPACITY];
    answer best = f->child_unsure ? MAYBE : NO;
    if (!numeric && f->child_number >= 0) return (answer)f->child_number;
    if (numeric && has_exponent(r->document + state->start, length)) return judge_exponent(r, state, length);
    for (uint32_t i = 0; i < f->child_sets.count && best != YES; i++)
        best = either(best, set_number(r, f->child_sets.items[i], f->child_position, r->document + state->start,
                                       numeric ? length : 0, text));
    if (!numeric && best != MAYBE) f->child_number = (signed char)best;
    return best;
}

static answer judge_literal(recogniser *r, const text_state *state) {
    const json value = {.kind = state->literal == KIND_NULL   ? JSON_NULL
                                : state->literal == KIND_TRUE ? JSON_TRUE
                                                              : JSON_FALSE};
    child_position(r, state->frame);
    for (uint32_t i = 0; i < state->frame->child_sets.count; i++)
        if (set_holds(r, state->frame->child_sets.items[i], &value)) return YES;
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
    const position *position = child_position(r, f);
    for (uint32_t i = 0; i < f->child_sets.count; i++)
        if (set_satisfiable(r, f->child_sets.items[i], position, f->depth, out) == YES) return true;
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
    if (!child_position(r, f)->numeric) {
        if (number_status(text, length) == 0) return text_put(out, "0", 1), true;
        return finish_number(r, state, at), true;
    }
    if (has_exponent(text, length)) {
        if (!complete_exponent(r, state, length, whole)) return false;
        if (strlen(whole) > length) return text_put(out, whole + length, strlen(whole) - length), true;
        return finish_number(r, state, at), true;
    }
    for (uint32_t i = 0; i < f->child_sets.count; i++) {
        if (set_number(r, f->child_sets.items[i], f->child_position, text, length, whole) != YES) continue;
        if (strlen(whole) > length)
            text_put(out, whole + length, strlen(whole) - length);
        else
            finish_number(r, state, at);
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
