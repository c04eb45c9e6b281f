/* recogniser_text.c - the prefix, byte by byte: open containers as frames, one open scalar.
 *
 * A frame knows which sets of literals its open member may have (frame_children), so that a scalar is judged on its own;
 * see recogniser_verdict.c. */
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
    f->words_ready = f->keys_ready = false;
    return f;
}

const member *frame_others(const frame *f) {
    return f->kind == KIND_ARRAY ? f->last : NULL;
}

const position *child_position(recogniser *r, frame *f) {
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

/* Names that are told apart are not shared. */
static bool names_are_alike(const recogniser *r, const position *p) {
    return !p->by_pattern && !p->disjunct && !p->compared && r->options.order == WEIR_ORDER_SCHEMA;
}

frame *frame_open_key(recogniser *r, frame *f, uint32_t name, const char *key, uint32_t key_length) {
    bool shared = !name_is_other(name) || names_are_alike(r, f->position);
    frame *made = shared ? memo_find(r, f, TAG_KEY, name) : NULL;
    if (made) return made;
    made = frame_make(r, f);
    made->open = true;
    made->name = name;
    made->key = key;
    made->key_length = key_length;
    if (r->options.order == WEIR_ORDER_SCHEMA)
        made->last_rank = name_is_other(name) ? RANK_UNLISTED : f->position->ranks[name];
    return shared ? memo_keep(r, f, TAG_KEY, name, made) : made;
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

/* Of a name that stands twice the last member counts. */
static bool is_replaced(const json *value, const json *member) {
    const json *later = member->key ? value->child : NULL;
    while (later && (later->key_length != member->key_length || memcmp(later->key, member->key, later->key_length)))
        later = later->next;
    return later;
}

static json *container_value(recogniser *r, const frame *f) {
    json *value = region_take(r->frames, sizeof *value);
    value->kind = f->kind == KIND_OBJECT ? JSON_OBJECT : JSON_ARRAY;
    for (const member *m = f->last; m; m = m->before) {
        if (is_replaced(value, m->value)) continue;
        json *child = region_take(r->frames, sizeof *child);
        *child = *m->value;
        child->next = value->child;
        value->child = child;
        value->count++;
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

void text_finish_number(recogniser *r, text_state *state, size_t at) {
    json *value = scalar_value(r, JSON_NUMBER, r->document + state->start, at - state->start);
    state->unsure |= position_form(r, child_position(r, state->frame), value_kind(value)) != YES;
    finish_value(r, state, value);
}

static bool finish_string(recogniser *r, text_state *state, size_t at) {
    frame *f = state->frame;
    bool alike = state->string.low == state->string.high && state->words == UINT32_MAX && !child_position(r, f)->compared;
    frame *made = alike ? memo_find(r, f, TAG_STRING, state->string.count) : NULL;
    bool root = !f->parent;
    if (!made) {
        const char *raw = r->document + state->start;
        made = close_member(r, f, scalar_value(r, JSON_STRING, raw, at - state->start));
        if (alike) memo_keep(r, f, TAG_STRING, state->string.count, made);
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
bool key_allowed(const recogniser *r, const frame *f, uint32_t name) {
    if (name_is_other(name)) return f->position->open;
    int32_t rank = f->position->ranks[name];
    if (rank < RANK_UNLISTED && r->options.order == WEIR_ORDER_SCHEMA) return rank > f->last_rank;
    return !has_member(f, name);
}

/* Another member has the name that has been written. */
bool key_repeats(recogniser *r, const text_state *state, size_t at) {
    uint32_t length;
    const char *text = string_decode(r->frames, r->document + state->start, at - state->start, &length);
    for (const member *m = state->frame->last; m; m = m->before)
        if (name_is_other(m->name) && m->value->key_length == length && !memcmp(m->value->key, text, length)) return true;
    return false;
}

static bool finish_key(recogniser *r, text_state *state, size_t at) {
    frame *f = state->frame;
    const known *known = string_known(&state->string, &f->position->names);
    uint32_t length;
    const char *text = string_decode(r->frames, r->document + state->start, at - state->start, &length);
    uint32_t name = known ? known->name : name_at(r, f->position, text, length);
    if (!key_allowed(r, f, name)) return false;
    if (!known && key_repeats(r, state, at)) {
        state->repeated = true;
        state->unsure |= !names_are_alike(r, f->position); /* the verdict could depend on it */
    }
    state->unsure |= name_is_other(name) && f->position->open_unsure;
    state->frame = frame_open_key(r, f, name, text, length);
    state->phase = PHASE_COLON;
    return true;
}

bool space_wanted(const recogniser *r, const text_state *state) {
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
        state->words = frame_words(r, state->frame);
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
            frame_key_words(r, f, &state->words, &state->words_open);
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

const char *literal_text(int kind) {
    return kind == KIND_NULL ? "null" : kind == KIND_TRUE ? "true" : "false";
}

bool has_exponent(const char *text, uint32_t length) {
    return memchr(text, 'e', length) || memchr(text, 'E', length);
}

/* At most three digits, and at most 400. */
bool exponent_in_bounds(const char *text, uint32_t length) {
    const char *end = text + length, *c = text;
    while (*c != 'e' && *c != 'E') c++;
    if (++c < end && (*c == '-' || *c == '+')) c++;
    int digits = 0, value = 0;
    for (; c < end; c++, digits++) value = 10 * value + (*c - '0');
    return digits <= 3 && value <= 400;
}

bool all_sets(const recogniser *r, const frame *f, bool (*is_such)(const recogniser *, const code_set *)) {
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
    if (!has_exponent(text, length + 1)) return true;
    state->unsure |= child_position(r, f)->compared;
    if (!child_position(r, f)->numeric) return true;
    if (all_sets(r, f, set_tells_integers)) return false;
    state->unsure |= child_position(r, f)->integers;
    if (has_exponent(text, length) ? exponent_in_bounds(text, length + 1) : may_take_exponent(text, length)) return true;
    state->unsure = true;
    return !all_sets(r, f, set_is_numeric);
}

/* Names that are told apart by what they mean may be bound to one spelling. */
static bool step_key(recogniser *r, text_state *state, char byte) {
    const position *position = state->frame->position;
    bool escaped = state->string.pending_length && state->string.pending[0] == '\\';
    bool unusual = state->string.pending_length > 1 || byte == 'u' || byte == '/';
    state->unsure |= escaped && unusual && !names_are_alike(r, position);
    if (!string_step(&state->string, &position->names, byte)) return false;
    if (state->words == UINT32_MAX || state->string.pending_length) return true;
    state->unsure |= !state->string.usual;
    state->words = language_after(r->languages, state->words, state->string.last);
    state->words_open = language_after(r->languages, state->words_open, state->string.last);
    return true;
}

/* Strings under a pattern have one spelling; those that are compared may have. */
static bool step_string(recogniser *r, text_state *state, char byte) {
    const position *position = state->frame->child_position;
    if (!string_step(&state->string, &position->strings, byte)) return false;
    if (state->string.pending_length) return true;
    if (!state->string.usual && (position->patterned || position->compared)) {
        if (position->patterned && all_sets(r, state->frame, set_surely_patterned)) return false;
        state->unsure = true;
    }
    if (state->words != UINT32_MAX) state->words = language_after(r->languages, state->words, state->string.last);
    return true;
}

bool text_step(recogniser *r, text_state *state, size_t at) {
    char byte = r->document[at];
    size_t length = at - state->start;
    switch (state->phase) {
    case PHASE_IN_KEY:
        if (byte != '"' || state->string.pending_length) return step_key(r, state, byte);
        return finish_key(r, state, at);
    case PHASE_STRING:
        if (byte != '"' || state->string.pending_length) return step_string(r, state, byte);
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
        text_finish_number(r, state, at);
        break;
    default: break;
    }
    if (byte == ' ' || byte == '\t' || byte == '\n' || byte == '\r') return step_space(r, state, byte);
    return step_structure(r, state, at);
}
