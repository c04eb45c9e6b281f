/* standin.h - a stand-in for a language model: logits that make short, readable, varied JSON.
 *
 * In: a vocabulary, the text of the prompt (the schema, which a real model would have been shown too) and the tokens
 * written so far. Out: one row of logits a step. It is no model. It knows nothing of JSON Schema and never sees a
 * mask; all that it does is
 *   - follow the text that it writes: in a string, in a number, how deep, how long;
 *   - prefer whole words in strings, few digits, short lists, and closing what has grown long;
 *   - copy names and listed words from the prompt, found by their place in its text ("properties", "enum");
 *   - remember what it has written at the same place before, and prefer what it has not.
 * The same prompt, seed and draws give the same rows on every machine that rounds logf alike. */
#ifndef WEIR_EXAMPLES_STANDIN_H
#define WEIR_EXAMPLES_STANDIN_H

#include <math.h>

#include "tokens.h"

/* --- the tokens: what each could be good for ---------------------------------------------------------------- */

/* A token's class: its first byte that is no white space, and what that byte can begin or end. */
typedef enum standin_class {
    CLASS_SPACE, CLASS_STRING, CLASS_NUMBER, CLASS_MINUS, CLASS_OBJECT, CLASS_ARRAY, CLASS_TRUE, CLASS_FALSE, CLASS_NULL,
    CLASS_OBJECT_END, CLASS_ARRAY_END, CLASS_COMMA, CLASS_COLON, CLASS_DOT, CLASS_EXPONENT, CLASS_STOP, CLASS_OTHER,
    CLASS_COUNT
} standin_class;

/* What follows the quote in a token that begins with one. */
typedef enum standin_suffix { SUFFIX_NONE, SUFFIX_COMMA, SUFFIX_END, SUFFIX_COLON, SUFFIX_OTHER, SUFFIX_COUNT } standin_suffix;

/* --- memory: a tree of bytes with counts ---------------------------------------------------------------------- */

typedef struct standin_node {
    uint32_t child, sibling; /* 0: none */
    uint32_t visits;
    uint16_t stale;          /* documents through here since the last new one */
    uint8_t byte;
} standin_node;

enum { STANDIN_NODES = 1 << 22, STANDIN_ROOTS = 1 << 16, STANDIN_DEPTH = 1100, STANDIN_WORDS = 4096 };

/* --- the text so far ------------------------------------------------------------------------------------------ */

typedef enum standin_place {
    PLACE_VALUE, PLACE_KEY, PLACE_KEY_STRING, PLACE_COLON, PLACE_STRING, PLACE_NUMBER, PLACE_LITERAL, PLACE_AFTER
} standin_place;

typedef struct standin_frame {
    bool object;
    uint32_t count;     /* members or items closed or begun */
    uint32_t used;      /* top of the stack of used words when the frame was opened */
    uint64_t path;      /* hash of the keys that lead here; all items of a list share one */
    uint64_t owner;     /* hash of the nearest key, 0 at the root */
} standin_frame;

/* A word of the prompt, spelled with its quotes. */
typedef struct standin_word {
    const char *text;
    uint32_t length;
    bool name;          /* a property's name, else a listed value */
    bool loose;         /* found where no property encloses it: fits anywhere */
    uint64_t owner;     /* hash of the property that encloses it */
} standin_word;

typedef struct standin_edit {
    float *place;
    float old;
} standin_edit;

typedef struct standin {
    const weir_vocab *vocab;
    const token_index *index;
    uint32_t width;
    uint64_t seed;
    /* static */
    float *base;                     /* [width] what a token is worth in its class */
    float *words[2];                 /* [width] logits inside a string: at its start, later */
    float *plain;                    /* [width] logits outside strings, rewritten each step */
    uint32_t *classed;               /* token ids by class */
    uint32_t class_start[CLASS_COUNT + 1];
    float class_mass[CLASS_COUNT];   /* log of the sum of exp(base) */
    uint32_t *quoted;                /* tokens that begin with a quote, by suffix */
    uint32_t suffix_start[SUFFIX_COUNT + 1];
    standin_word *prompt;
    uint32_t prompt_count;
    /* memory */
    standin_node *nodes;
    uint32_t node_count;
    uint64_t root_keys[STANDIN_ROOTS];
    uint32_t root_nodes[STANDIN_ROOTS], root_count;
    uint32_t *trail, trail_count, trail_capacity; /* nodes of this document in the tree of whole texts */
    /* this document */
    uint64_t document;
    standin_place place;
    standin_frame frames[STANDIN_DEPTH];
    uint32_t depth;
    uint32_t used[STANDIN_WORDS], used_count;
    char scalar[256];                /* bytes of the string or number being written, quotes included */
    uint32_t scalar_length;          /* counts on beyond the buffer */
    uint32_t escape;                 /* bytes of an escape still to come; 1 after a backslash means "which one" */
    uint32_t digits;
    bool fraction, exponent;
    uint64_t key_path, key_owner;    /* of the member whose value comes next */
    uint32_t near, exact;            /* nodes: this scalar at its path; the whole text */
    /* the row given out */
    standin_edit *edits;
    uint32_t edit_count, edit_capacity;
    uint32_t *stamps, stamp;         /* [width] words already preferred in this step */
} standin;

static inline uint64_t standin_hash(const char *text, size_t length)
{
    uint64_t hash = TOKEN_HASH_SEED;
    for (size_t i = 0; i < length; i++) hash = token_hash_byte(hash, (uint8_t)text[i]);
    return hash;
}

static inline uint64_t standin_mix(uint64_t a, uint64_t b)
{
    uint64_t mixed = (a ^ (b + 0x9e3779b97f4a7c15ull + (a << 6) + (a >> 2))) * 0xbf58476d1ce4e5b9ull;
    return mixed ^ (mixed >> 31);
}

static inline bool standin_is_space(uint8_t byte)
{
    return byte == ' ' || byte == '\n' || byte == '\t' || byte == '\r';
}

/* --- what tokens are worth ------------------------------------------------------------------------------------ */

static inline bool standin_literal(const uint8_t *bytes, uint32_t length, const char *literal)
{
    uint32_t whole = (uint32_t)strlen(literal);
    return memcmp(bytes, literal, length < whole ? length : whole) == 0;
}

/* What a token is worth for the text that it holds from byte `at` on, where that is JSON around strings: whether a value
 * comes next is better decided by a token of its own, and words are chosen by a string's own row. */
static inline float standin_tail(const uint8_t *bytes, uint32_t at, uint32_t length, bool string)
{
    float worth = 0;
    for (; at < length; at++) {
        if (bytes[at] == '"') {
            if (string) worth -= 4; /* an empty string */
            string = !string;
        } else if (string || (strchr("{}[]:, ", bytes[at]) == NULL || bytes[at] == '\0')) {
            return -25;
        } else if (bytes[at] != ' ') {
            worth -= 0.5f;
        }
    }
    return worth;
}

static inline standin_class standin_classify(const uint8_t *bytes, uint32_t length, float *worth)
{
    uint32_t begin = 0;
    while (begin < length && standin_is_space(bytes[begin])) begin++;
    *worth = begin == 0 ? 0 : begin == 1 && bytes[0] == ' ' ? -0.5f : -3.0f - 0.3f * (float)begin;
    if (begin == length) return CLASS_SPACE;
    const uint8_t *rest = bytes + begin;
    uint32_t left = length - begin;
    if (strchr("\"{}[],:", rest[0]) != NULL) *worth += standin_tail(rest, 1, left, rest[0] == '"');
    if (left > 1 && ((rest[0] == '[' && rest[1] == ']') || (rest[0] == '{' && rest[1] == '}'))) *worth -= 2.5f;
    switch (rest[0]) {
    case '"': return CLASS_STRING;
    case '{': return CLASS_OBJECT;
    case '[': return CLASS_ARRAY;
    case '}': return CLASS_OBJECT_END;
    case ']': return CLASS_ARRAY_END;
    case ',': return CLASS_COMMA;
    case ':': return CLASS_COLON;
    case '-': return CLASS_MINUS;
    case '.': return CLASS_DOT;
    case 'e': case 'E': return left == 1 || rest[1] == '-' || rest[1] == '+' ? CLASS_EXPONENT : CLASS_OTHER;
    case 't': return standin_literal(rest, left, "true") ? CLASS_TRUE : CLASS_OTHER;
    case 'f': return standin_literal(rest, left, "false") ? CLASS_FALSE : CLASS_OTHER;
    case 'n': return standin_literal(rest, left, "null") ? CLASS_NULL : CLASS_OTHER;
    default: break;
    }
    if (rest[0] < '0' || rest[0] > '9') return CLASS_OTHER;
    *worth = begin == 0 ? 0 : -1;
    for (uint32_t i = 1; i < left; i++) {
        if (rest[i] < '0' || rest[i] > '9') *worth -= 3;
    }
    return CLASS_NUMBER;
}

/* How well a token reads inside a string: a word of 3 to 10 letters is worth most. */
static inline float standin_reads(const uint8_t *bytes, uint32_t length, bool start)
{
    uint32_t letters = 0, upper = 0, digits = 0, begin = bytes[0] == ' ';
    for (uint32_t i = 0; i < length; i++) {
        if (bytes[i] < 0x20) return -30;
        if (bytes[i] == '"') return -12;
        if (bytes[i] == '\\') return -11;
        if (bytes[i] >= 0x80) return length >= 2 && bytes[0] >= 0xc3 && bytes[0] < 0xf0 ? -8.5f : -14;
    }
    for (uint32_t i = begin; i < length; i++) {
        letters += bytes[i] >= 'a' && bytes[i] <= 'z';
        upper += bytes[i] >= 'A' && bytes[i] <= 'Z';
        digits += bytes[i] >= '0' && bytes[i] <= '9';
    }
    bool spaced = begin == 1, capital = upper == 1 && bytes[begin] <= 'Z' && bytes[begin] >= 'A';
    if (letters + upper + begin != length) return digits + begin == length ? -5 : -8;
    float worth = letters >= 3 && letters <= 10 && (upper == 0 || capital) ? 0 : -4;
    if (upper > 1) worth -= 3;
    if (start ? spaced : !spaced) worth -= start ? 9 : 2.5f;
    if (!start && capital) worth -= 2;
    return worth;
}

/* Whether the vocabulary has these bytes behind a space too: then they begin a word, else they may be the end of one. */
static inline bool standin_is_whole_word(const token_index *index, const uint8_t *bytes, uint32_t length)
{
    uint8_t spaced[64] = {' '};
    if (length + 1 > sizeof spaced) return false;
    memcpy(spaced + 1, bytes, length);
    return token_find(index, spaced, length + 1) != TOKEN_NONE;
}

static inline void standin_normalise(float *row, uint32_t width)
{
    double sum = 0;
    for (uint32_t token = 0; token < width; token++) sum += exp((double)row[token]);
    float mass = sum > 0 ? (float)log(sum) : 0;
    for (uint32_t token = 0; token < width; token++) row[token] -= mass;
}

static inline standin_suffix standin_suffix_of(const uint8_t *bytes, uint32_t length)
{
    uint32_t i = 1;
    while (i < length && standin_is_space(bytes[i])) i++;
    if (i == length) return length == 1 ? SUFFIX_NONE : SUFFIX_OTHER;
    if (standin_tail(bytes, 1, length, false) < -3) return SUFFIX_OTHER;
    if (bytes[i] == ':') return i + 1 == length || (i + 2 == length && bytes[i + 1] == ' ') ? SUFFIX_COLON : SUFFIX_OTHER;
    if (bytes[i] == ',') return SUFFIX_COMMA;
    return bytes[i] == '}' || bytes[i] == ']' ? SUFFIX_END : SUFFIX_OTHER;
}

/* Sorts ids 0..width-1 by kinds[id] (CLASS_OTHER and the like included) into `out`, with the starts of each kind. */
static inline void standin_sort(const uint8_t *kinds, uint32_t width, uint32_t kind_count, uint32_t *starts, uint32_t *out)
{
    uint32_t fill[CLASS_COUNT + 1] = {0};
    for (uint32_t token = 0; token < width; token++) {
        if (kinds[token] < kind_count) fill[kinds[token] + 1]++;
    }
    for (uint32_t kind = 0; kind < kind_count; kind++) fill[kind + 1] += fill[kind];
    memcpy(starts, fill, (kind_count + 1) * sizeof *starts);
    for (uint32_t token = 0; token < width; token++) {
        if (kinds[token] < kind_count) out[fill[kinds[token]]++] = token;
    }
}

static inline void standin_weigh_tokens(standin *model, uint8_t *kinds)
{
    uint32_t stop_count;
    const uint32_t *stops = weir_vocab_stop_ids(model->vocab, &stop_count);
    for (uint32_t token = 0; token < model->width; token++) {
        uint32_t length;
        const uint8_t *bytes = weir_vocab_token(model->vocab, token, &length);
        bool text = length > 0 && !weir_vocab_is_special(model->vocab, token);
        kinds[token] = (uint8_t)(text ? standin_classify(bytes, length, &model->base[token]) : CLASS_OTHER);
        for (int later = 0; later < 2; later++) {
            model->words[later][token] = text ? standin_reads(bytes, length, later == 0) : -40;
        }
        if (text && model->words[0][token] > -3 && !standin_is_whole_word(model->index, bytes, length)) {
            model->words[0][token] -= 4;
        }
    }
    for (uint32_t i = 0; i < stop_count; i++) {
        if (stops[i] < model->width) kinds[stops[i]] = CLASS_STOP;
    }
    standin_sort(kinds, model->width, CLASS_COUNT, model->class_start, model->classed);
    for (uint32_t class = 0; class < CLASS_COUNT; class++) {
        double sum = 0;
        for (uint32_t i = model->class_start[class]; i < model->class_start[class + 1]; i++) {
            sum += exp((double)model->base[model->classed[i]]);
        }
        model->class_mass[class] = sum > 0 ? (float)log(sum) : 0;
    }
    standin_normalise(model->words[0], model->width);
    standin_normalise(model->words[1], model->width);
    for (uint32_t token = 0; token < model->width; token++) {
        uint32_t length;
        const uint8_t *bytes = weir_vocab_token(model->vocab, token, &length);
        bool quote = length > 0 && bytes[0] == '"' && !weir_vocab_is_special(model->vocab, token);
        kinds[token] = (uint8_t)(quote ? standin_suffix_of(bytes, length) : SUFFIX_COUNT);
    }
    standin_sort(kinds, model->width, SUFFIX_COUNT, model->suffix_start, model->quoted);
}

/* --- the prompt ----------------------------------------------------------------------------------------------- */

typedef struct standin_scan {
    bool object, names, listed; /* members are properties; items are listed values */
    bool loose;
    uint64_t owner;
} standin_scan;

static inline bool standin_key_is(const char *key, uint32_t length, const char *name)
{
    return length == strlen(name) + 2 && memcmp(key + 1, name, length - 2) == 0;
}

static inline void standin_add_word(standin *model, const char *text, uint32_t length, bool name, const standin_scan *in)
{
    if (model->prompt_count == STANDIN_WORDS) return;
    standin_word *word = &model->prompt[model->prompt_count++];
    *word = (standin_word){text, length, name, in->loose || in->owner == 0, in->owner};
}

/* Finds names and listed values by their place in the text; text that is no JSON gives what it gives. */
static inline void standin_read_prompt(standin *model, const char *text, size_t length)
{
    standin_scan stack[128] = {{0}};
    uint32_t depth = 0, key_length = 0;
    const char *key = "\"\"";
    for (size_t i = 0; i < length && depth < 126; i++) {
        standin_scan *in = &stack[depth];
        if (text[i] == '{' || text[i] == '[') {
            standin_scan *inner = &stack[++depth];
            *inner = (standin_scan){text[i] == '{', false, false, in->loose, in->owner};
            bool named = in->object && in->names;
            if (named) inner->owner = standin_hash(key + 1, key_length - 2);
            if (named) inner->loose = false;
            if (in->object && !in->names && key_length > 2) {
                inner->names = inner->object && standin_key_is(key, key_length, "properties");
                inner->listed = !inner->object && standin_key_is(key, key_length, "enum");
                if (standin_key_is(key, key_length, "$defs") || standin_key_is(key, key_length, "definitions")) {
                    inner->loose = true;
                }
            }
            key_length = 0;
        } else if (text[i] == '}' || text[i] == ']') {
            if (depth > 0) depth--;
            key_length = 0;
        } else if (text[i] == '"') {
            size_t end = i + 1;
            while (end < length && text[end] != '"') end += text[end] == '\\' ? 2 : 1;
            if (end >= length) return;
            size_t colon = end + 1;
            while (colon < length && standin_is_space((uint8_t)text[colon])) colon++;
            uint32_t word_length = (uint32_t)(end + 1 - i);
            if (in->object && colon < length && text[colon] == ':') {
                key = text + i;
                key_length = word_length;
                if (in->names) standin_add_word(model, key, key_length, true, in);
            } else if (in->listed || (in->object && !in->names && standin_key_is(key, key_length, "const"))) {
                standin_add_word(model, text + i, word_length, false, in);
            }
            i = end;
        }
    }
}

/* --- creation ------------------------------------------------------------------------------------------------- */

static inline void standin_destroy(standin *model)
{
    if (model == NULL) return;
    void *parts[] = {model->base, model->words[0], model->words[1], model->plain, model->classed, model->quoted,
                     model->prompt, model->nodes, model->trail, model->edits, model->stamps};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) free(parts[i]);
    free(model);
}

/* NULL when memory is short. `prompt` must outlive the model. */
static inline standin *standin_create(const token_index *index, const char *prompt, size_t prompt_length, uint64_t seed)
{
    standin *model = calloc(1, sizeof *model);
    if (model == NULL) return NULL;
    model->vocab = index->vocab;
    model->index = index;
    model->seed = seed;
    model->width = weir_vocab_logits_width(index->vocab);
    size_t width = model->width;
    model->base = calloc(width, sizeof(float));
    model->words[0] = calloc(width, sizeof(float));
    model->words[1] = calloc(width, sizeof(float));
    model->plain = calloc(width, sizeof(float));
    model->classed = calloc(width, sizeof(uint32_t));
    model->quoted = calloc(width, sizeof(uint32_t));
    model->stamps = calloc(width, sizeof(uint32_t));
    model->prompt = calloc(STANDIN_WORDS, sizeof *model->prompt);
    model->nodes = calloc(STANDIN_NODES, sizeof *model->nodes); /* touched only as far as it fills */
    model->edit_capacity = 1 << 16;
    model->edits = malloc(model->edit_capacity * sizeof *model->edits);
    model->trail_capacity = 1 << 16;
    model->trail = malloc(model->trail_capacity * sizeof *model->trail);
    uint8_t *kinds = malloc(width);
    bool complete = model->base && model->words[0] && model->words[1] && model->plain && model->classed &&
                    model->quoted && model->stamps && model->prompt && model->nodes && model->edits && model->trail &&
                    kinds;
    if (!complete) {
        free(kinds);
        standin_destroy(model);
        return NULL;
    }
    model->node_count = 2; /* 0 is "nowhere", 1 the root of whole texts */
    standin_weigh_tokens(model, kinds);
    standin_read_prompt(model, prompt, prompt_length);
    free(kinds);
    return model;
}

/* --- memory --------------------------------------------------------------------------------------------------- */

/* The child of `node` for this byte, made if it is missing; 0 from 0 or when the memory is full. */
static inline uint32_t standin_step_node(standin *model, uint32_t node, uint8_t byte)
{
    if (node == 0) return 0;
    for (uint32_t child = model->nodes[node].child; child != 0; child = model->nodes[child].sibling) {
        if (model->nodes[child].byte == byte) return child;
    }
    if (model->node_count == STANDIN_NODES) return 0;
    uint32_t child = model->node_count++;
    model->nodes[child] = (standin_node){0, model->nodes[node].child, 0, 0, byte};
    model->nodes[node].child = child;
    return child;
}

static inline uint32_t standin_root(standin *model, uint64_t key)
{
    if (key == 0) key = 1;
    uint32_t slot = (uint32_t)(key >> 40) & (STANDIN_ROOTS - 1);
    for (; model->root_keys[slot] != 0; slot = (slot + 1) & (STANDIN_ROOTS - 1)) {
        if (model->root_keys[slot] == key) return model->root_nodes[slot];
    }
    if (model->root_count >= STANDIN_ROOTS / 2 || model->node_count == STANDIN_NODES) return 0;
    model->root_count++;
    model->root_keys[slot] = key;
    model->root_nodes[slot] = model->node_count;
    model->nodes[model->node_count] = (standin_node){0};
    return model->node_count++;
}

static inline standin_frame *standin_top(standin *model)
{
    return model->depth > 0 ? &model->frames[model->depth - 1] : NULL;
}

/* Where the next value of this place is remembered: its bytes, and (kind 1) its class. */
static inline uint32_t standin_value_root(standin *model, uint64_t kind)
{
    return standin_root(model, standin_mix(model->key_path, kind + 11));
}

static inline uint32_t standin_key_root(standin *model)
{
    standin_frame *top = standin_top(model);
    return top ? standin_root(model, standin_mix(top->path, 7)) : 0;
}

/* --- following the text --------------------------------------------------------------------------------------- */

static inline void standin_expect_value(standin *model, uint64_t path, uint64_t owner)
{
    model->place = PLACE_VALUE;
    model->key_path = path;
    model->key_owner = owner;
}

static inline void standin_begin_scalar(standin *model, standin_place place, uint32_t root)
{
    model->place = place;
    model->scalar_length = 0;
    model->escape = 0;
    model->digits = 0;
    model->fraction = model->exponent = false;
    model->near = root;
}

static inline void standin_push_scalar(standin *model, uint8_t byte)
{
    if (model->scalar_length < sizeof model->scalar) model->scalar[model->scalar_length] = (char)byte;
    model->scalar_length++;
    model->near = model->scalar_length <= 32 ? standin_step_node(model, model->near, byte) : 0;
    if (model->near != 0) model->nodes[model->near].visits++;
}

static inline void standin_open(standin *model, bool object)
{
    if (model->depth == STANDIN_DEPTH) return; /* beyond the depth limit of every grammar */
    standin_frame *frame = &model->frames[model->depth++];
    *frame = (standin_frame){object, 0, model->used_count, model->key_path, model->key_owner};
    if (object) {
        model->place = PLACE_KEY;
    } else {
        standin_expect_value(model, standin_mix(model->key_path, 3), model->key_owner);
    }
}

static inline void standin_close(standin *model)
{
    if (model->depth > 0) model->used_count = model->frames[--model->depth].used;
    model->place = PLACE_AFTER;
}

static inline bool standin_scalar_is(const standin *model, const standin_word *word)
{
    return model->scalar_length == word->length && word->length <= sizeof model->scalar &&
           memcmp(model->scalar, word->text, word->length) == 0;
}

static inline void standin_end_key(standin *model)
{
    standin_frame *top = standin_top(model);
    uint32_t kept = model->scalar_length < sizeof model->scalar ? model->scalar_length : sizeof model->scalar;
    uint64_t key = kept > 2 ? standin_hash(model->scalar + 1, kept - 2) : TOKEN_HASH_SEED;
    for (uint32_t i = 0; i < model->prompt_count; i++) {
        if (!model->prompt[i].name || !standin_scalar_is(model, &model->prompt[i])) continue;
        if (model->used_count < STANDIN_WORDS) model->used[model->used_count++] = i;
    }
    model->key_path = top ? standin_mix(top->path, key) : key;
    model->key_owner = key;
    model->place = PLACE_COLON;
}

static inline void standin_count_class(standin *model, standin_class class)
{
    uint32_t node = standin_step_node(model, standin_value_root(model, 1), (uint8_t)class);
    if (node != 0) model->nodes[node].visits++;
}

static inline void standin_value_byte(standin *model, uint8_t byte)
{
    float ignored;
    standin_class class = standin_classify(&byte, 1, &ignored);
    if (class != CLASS_SPACE) standin_count_class(model, class);
    standin_frame *top = standin_top(model);
    bool begins = class != CLASS_SPACE && class != CLASS_ARRAY_END;
    if (top != NULL && !top->object && begins) top->count++;
    if (class == CLASS_OBJECT || class == CLASS_ARRAY) {
        standin_open(model, class == CLASS_OBJECT);
    } else if (class == CLASS_ARRAY_END) {
        standin_close(model);
    } else if (begins) {
        bool number = class == CLASS_NUMBER || class == CLASS_MINUS;
        standin_begin_scalar(model, class == CLASS_STRING ? PLACE_STRING : number ? PLACE_NUMBER : PLACE_LITERAL,
                             standin_value_root(model, 0));
        standin_push_scalar(model, byte);
        model->digits = class == CLASS_NUMBER;
    }
}

static inline void standin_after_byte(standin *model, uint8_t byte)
{
    standin_frame *top = standin_top(model);
    if (byte == '}' || byte == ']') {
        standin_close(model);
    } else if (byte == ',' && top != NULL && top->object) {
        model->place = PLACE_KEY;
    } else if (byte == ',' && top != NULL) {
        standin_expect_value(model, standin_mix(top->path, 3), top->owner);
    }
}

static inline void standin_string_byte(standin *model, uint8_t byte)
{
    standin_push_scalar(model, byte);
    if (model->escape > 0) {
        model->escape = model->escape == 1 && byte == 'u' ? 5 : model->escape - (model->escape != 1 ? 1 : 0);
        if (model->escape == 1) model->escape = 0;
    } else if (byte == '\\') {
        model->escape = 1;
    } else if (byte == '"' && model->place == PLACE_KEY_STRING) {
        standin_end_key(model);
    } else if (byte == '"') {
        model->place = PLACE_AFTER;
    }
}

static inline void standin_byte(standin *model, uint8_t byte)
{
    standin_frame *top = standin_top(model);
    switch (model->place) {
    case PLACE_VALUE: standin_value_byte(model, byte); break;
    case PLACE_KEY:
        if (byte == '}') standin_close(model);
        if (byte != '"' || top == NULL) break;
        top->count++;
        standin_begin_scalar(model, PLACE_KEY_STRING, standin_key_root(model));
        standin_push_scalar(model, byte);
        break;
    case PLACE_COLON:
        if (byte == ':') model->place = PLACE_VALUE;
        break;
    case PLACE_KEY_STRING:
    case PLACE_STRING: standin_string_byte(model, byte); break;
    case PLACE_LITERAL:
        if (byte >= 'a' && byte <= 'z') break;
        model->place = PLACE_AFTER;
        standin_after_byte(model, byte);
        break;
    case PLACE_NUMBER:
        if ((byte >= '0' && byte <= '9') || byte == '.' || byte == 'e' || byte == 'E' || byte == '-' || byte == '+') {
            standin_push_scalar(model, byte);
            if (byte == '.') model->fraction = true;
            if (byte == 'e' || byte == 'E') model->exponent = true;
            model->digits = byte >= '0' && byte <= '9' ? model->digits + 1 : 0;
            break;
        }
        model->place = PLACE_AFTER;
        standin_after_byte(model, byte);
        break;
    case PLACE_AFTER: standin_after_byte(model, byte); break;
    }
    model->exact = standin_step_node(model, model->exact, byte);
    if (model->exact == 0) return;
    model->nodes[model->exact].visits++;
    if (model->trail_count < model->trail_capacity) model->trail[model->trail_count++] = model->exact;
}

/* --- the row -------------------------------------------------------------------------------------------------- */

static inline void standin_add(standin *model, float *row, uint32_t token, float amount)
{
    if (model->edit_count == model->edit_capacity) return;
    model->edits[model->edit_count++] = (standin_edit){&row[token], row[token]};
    row[token] += amount;
}

static inline void standin_undo(standin *model)
{
    while (model->edit_count > 0) {
        standin_edit *edit = &model->edits[--model->edit_count];
        *edit->place = edit->old;
    }
}

static inline void standin_offer(standin *model, standin_class class, float worth)
{
    float *row = model->plain;
    for (uint32_t i = model->class_start[class]; i < model->class_start[class + 1]; i++) {
        uint32_t token = model->classed[i];
        row[token] = worth - model->class_mass[class] + model->base[token];
    }
}

static inline bool standin_is_used(const standin *model, uint32_t word)
{
    const standin_frame *top = &model->frames[model->depth - 1];
    for (uint32_t i = top->used; i < model->used_count; i++) {
        if (model->used[i] == word) return true;
    }
    return false;
}

/* Whether a word of the prompt belongs where the text stands: the property around it is the one being written, or
 * (fallback) none there has words of its own and this one is found under no property. */
static inline bool standin_word_fits(const standin_word *word, bool name, uint64_t owner, bool fallback)
{
    if (word->name != name) return false;
    return fallback ? word->loose : word->owner == owner;
}

static inline bool standin_needs_fallback(const standin *model, bool name, uint64_t owner)
{
    for (uint32_t i = 0; i < model->prompt_count; i++) {
        if (standin_word_fits(&model->prompt[i], name, owner, false)) return false;
    }
    return true;
}

/* Names of the prompt that this object could still take; *known gets how many it has at all. */
static inline uint32_t standin_names_left(const standin *model, const standin_frame *top, uint32_t *known)
{
    bool fallback = standin_needs_fallback(model, true, top->owner);
    uint32_t left = 0;
    *known = 0;
    for (uint32_t i = 0; i < model->prompt_count; i++) {
        if (!standin_word_fits(&model->prompt[i], true, top->owner, fallback)) continue;
        left = standin_is_used(model, i) ? 0 : left + 1; /* in the order of the prompt: earlier ones have passed */
        ++*known;
    }
    return left;
}

/* What ending the list or object is worth against going on. */
static inline float standin_ending(const standin *model)
{
    if (model->depth == 0) return 0;
    const standin_frame *top = &model->frames[model->depth - 1];
    float count = (float)top->count;
    if (!top->object) return count < 2 ? -0.3f : count < 3 ? 0.7f : count < 4 ? 2 : 4;
    uint32_t known, left = standin_names_left(model, top, &known);
    if (known == 0) return -0.7f + 0.8f * count;
    return left == 0 ? 3 : -1.6f + 0.08f * count;
}

static inline void standin_offer_after(standin *model, float worth)
{
    float ending = standin_ending(model);
    standin_offer(model, CLASS_COMMA, worth);
    standin_offer(model, CLASS_OBJECT_END, worth + ending);
    standin_offer(model, CLASS_ARRAY_END, worth + ending);
    standin_offer(model, CLASS_STOP, worth + 1);
    standin_offer(model, CLASS_SPACE, worth - 9);
}

static inline void standin_offer_value(standin *model)
{
    static const float worth[] = {[CLASS_SPACE] = -9, [CLASS_STRING] = 0.5f, [CLASS_NUMBER] = 0, [CLASS_MINUS] = -1.7f,
                                  [CLASS_OBJECT] = 0.2f, [CLASS_ARRAY] = -0.3f, [CLASS_TRUE] = -0.5f,
                                  [CLASS_FALSE] = -0.5f, [CLASS_NULL] = -0.7f};
    uint32_t classes = standin_value_root(model, 1);
    float depth = (float)model->depth;
    for (uint32_t class = CLASS_SPACE; class <= CLASS_ARRAY_END; class++) {
        float amount = class <= CLASS_NULL ? worth[class] : -1.0f;
        if (class == CLASS_OBJECT || class == CLASS_ARRAY) amount -= depth < 8 ? 0.8f * (depth - 1) : 6;
        uint32_t child = classes ? model->nodes[classes].child : 0;
        while (child != 0 && model->nodes[child].byte != class) child = model->nodes[child].sibling;
        uint32_t visits = child ? model->nodes[child].visits : 0;
        amount -= 1.5f * (float)(visits < 4 ? visits : 4);
        standin_offer(model, (standin_class)class, amount);
    }
}

static inline void standin_offer_number(standin *model)
{
    static const float whole[] = {-9, 0, 0.8f, 2, 3.5f, 5}, part[] = {-9, 1, 2.5f, 5, 7, 8};
    uint32_t digits = model->digits < 5 ? model->digits : 5;
    standin_offer_after(model, model->fraction || model->exponent ? part[digits] : whole[digits]);
    standin_offer(model, CLASS_NUMBER, 0);
    standin_offer(model, CLASS_MINUS, -1);
    standin_offer(model, CLASS_DOT, model->fraction ? -9 : -1.2f);
    standin_offer(model, CLASS_EXPONENT, -4.5f);
}

/* Inside a string: the word rows, with the tokens that begin with a quote set by how long the string is. */
static inline float *standin_offer_string(standin *model)
{
    uint32_t length = model->scalar_length - 1;
    float *row = model->words[length > 0];
    bool key = model->place == PLACE_KEY_STRING;
    uint64_t mixed = standin_mix(standin_mix(model->seed, model->document), model->near + model->trail_count / 32);
    float jitter = (float)(mixed & 1023) / 512 - 1;
    float closing = length == 0 ? (key ? -9 : -4) : length < 3 ? -1.5f : length < 6 ? 0 : length < 10 ? 1 : length < 14 ? 2.5f : length < 20 ? 5 : 9;
    if (length > 0) closing += jitter + (key ? 1.5f : 0);
    float ending = standin_ending(model);
    for (uint32_t suffix = 0; suffix < SUFFIX_COUNT; suffix++) {
        uint32_t begin = model->suffix_start[suffix], end = model->suffix_start[suffix + 1];
        float worth = closing - (end > begin ? logf((float)(end - begin)) : 0);
        if (suffix == SUFFIX_COMMA) worth -= 1.5f;
        if (suffix == SUFFIX_END) worth += (ending < 3 ? ending : 3) - 1.5f;
        if (suffix == SUFFIX_COLON) worth += 1;
        if (suffix == SUFFIX_OTHER) worth -= 12;
        for (uint32_t i = begin; i < end; i++) {
            standin_add(model, row, model->quoted[i], worth - row[model->quoted[i]]);
        }
    }
    return row;
}

/* Prefers the tokens that go on along a word of the prompt. */
static inline void standin_prefer_words(standin *model, float *row)
{
    bool name = model->place == PLACE_KEY_STRING;
    uint64_t owner = name ? model->frames[model->depth - 1].owner : model->key_owner;
    bool fallback = name && standin_needs_fallback(model, true, owner);
    uint32_t written = model->scalar_length;
    if (++model->stamp == 0) model->stamp = 1;
    for (uint32_t w = 0; w < model->prompt_count; w++) {
        const standin_word *word = &model->prompt[w];
        if (!standin_word_fits(word, name, owner, fallback) || word->length <= written) continue;
        if (written > sizeof model->scalar || memcmp(word->text, model->scalar, written) != 0) continue;
        if (name && standin_is_used(model, w)) continue;
        uint32_t tokens[256];
        uint32_t count = token_matches(model->index, (const uint8_t *)word->text + written, word->length - written, tokens, 256);
        for (uint32_t i = 0; i < count; i++) {
            if (model->stamps[tokens[i]] == model->stamp) continue;
            model->stamps[tokens[i]] = model->stamp;
            float least = (name ? -1.0f : -2.0f) - 1.5f * (float)(count - 1 - i);
            float gain = least - row[tokens[i]];
            if (gain > 0) standin_add(model, row, tokens[i], gain);
        }
    }
}

/* --- remembering: what was written here before is worth less ---------------------------------------------------- */

typedef struct standin_recall {
    float *row;
    bool whole;           /* the tree of whole texts; else of scalars at one path */
    uint32_t left;        /* nodes that may still be looked at */
    uint8_t bytes[40];
    uint32_t length;
} standin_recall;

static inline float standin_penalty(const standin_node *node, bool whole)
{
    float visits = (float)node->visits, stale = (float)node->stale;
    if (whole) return (visits < 6 ? visits : 6) + 4 * (stale < 8 ? stale : 8);
    return 1.5f * (visits < 4 ? visits : 4);
}

static inline void standin_recall_tree(standin *model, standin_recall *recall, uint32_t node, uint64_t hash)
{
    static const char *const after_quote[] = {",", ", ", ", \"", ",\"", "}", "]", "}}", "}]", "},", "],", ":", ": ", ": \"", ":\""};
    for (uint32_t child = model->nodes[node].child; child != 0 && recall->left > 0; child = model->nodes[child].sibling) {
        const standin_node *at = &model->nodes[child];
        recall->left--;
        recall->bytes[recall->length++] = at->byte;
        uint64_t next = token_hash_byte(hash, at->byte);
        uint32_t token = token_find_hashed(model->index, recall->bytes, recall->length, next);
        float penalty = standin_penalty(at, recall->whole);
        if (token != TOKEN_NONE && penalty > 0) standin_add(model, recall->row, token, -penalty);
        bool ends = !recall->whole && at->byte == '"' && at->child == 0;
        for (uint32_t i = 0; ends && i < sizeof after_quote / sizeof *after_quote; i++) {
            uint32_t extra = (uint32_t)strlen(after_quote[i]);
            if (recall->length + extra > sizeof recall->bytes) continue;
            memcpy(recall->bytes + recall->length, after_quote[i], extra);
            token = token_find(model->index, recall->bytes, recall->length + extra);
            if (token != TOKEN_NONE) standin_add(model, recall->row, token, -penalty);
        }
        if (recall->length < 32) standin_recall_tree(model, recall, child, next);
        recall->length--;
    }
}

static inline void standin_remember(standin *model, float *row)
{
    standin_recall whole = {.row = row, .whole = true, .left = 1500};
    if (model->exact != 0) standin_recall_tree(model, &whole, model->exact, TOKEN_HASH_SEED);
    standin_recall scalar = {.row = row, .left = 1500};
    uint32_t node = 0;
    bool begins = model->place == PLACE_VALUE || model->place == PLACE_KEY;
    if (model->place == PLACE_VALUE) node = standin_value_root(model, 0);
    if (model->place == PLACE_KEY) node = standin_key_root(model);
    if (model->place == PLACE_STRING || model->place == PLACE_KEY_STRING || model->place == PLACE_NUMBER) node = model->near;
    if (node == 0) return;
    standin_recall_tree(model, &scalar, node, TOKEN_HASH_SEED);
    if (!begins) return;
    scalar.left = 500;
    scalar.bytes[0] = ' ';
    scalar.length = 1;
    standin_recall_tree(model, &scalar, node, token_hash_byte(TOKEN_HASH_SEED, ' '));
}

/* --- the calls that a program makes ----------------------------------------------------------------------------- */

/* Starts the next document. */
static inline void standin_begin(standin *model)
{
    model->document++;
    model->depth = model->used_count = model->trail_count = 0;
    model->exact = 1;
    standin_expect_value(model, 5, 0);
    standin_begin_scalar(model, PLACE_VALUE, 0);
}

/* The logits of the next token: [logits width], valid until the next call. */
static inline const float *standin_logits(standin *model)
{
    float *row = model->plain;
    standin_undo(model);
    switch (model->place) {
    case PLACE_VALUE: standin_offer_value(model); break;
    case PLACE_KEY:
        standin_offer(model, CLASS_STRING, 1);
        standin_offer(model, CLASS_OBJECT_END, 0);
        standin_offer(model, CLASS_SPACE, -9);
        break;
    case PLACE_COLON:
        standin_offer(model, CLASS_COLON, 0);
        standin_offer(model, CLASS_SPACE, -9);
        break;
    case PLACE_NUMBER: standin_offer_number(model); break;
    case PLACE_LITERAL:
    case PLACE_AFTER: standin_offer_after(model, 0); break;
    case PLACE_KEY_STRING:
    case PLACE_STRING:
        row = standin_offer_string(model);
        if (model->escape == 0) standin_prefer_words(model, row);
        break;
    }
    standin_remember(model, row);
    return row;
}

/* Goes on by a token that was drawn. */
static inline void standin_accept(standin *model, uint32_t token)
{
    uint32_t length;
    const uint8_t *bytes = weir_vocab_token(model->vocab, token, &length);
    for (uint32_t i = 0; i < length; i++) standin_byte(model, bytes[i]);
}

/* The document is complete: one that was written before makes its whole trail stale, a new one makes it fresh. */
static inline void standin_end(standin *model)
{
    uint32_t end = standin_step_node(model, model->exact, 0); /* no byte of a JSON text is zero */
    if (end == 0) return;
    bool fresh = model->nodes[end].visits++ == 0;
    for (uint32_t i = 0; i < model->trail_count; i++) {
        uint16_t *stale = &model->nodes[model->trail[i]].stale;
        *stale = fresh ? 0 : (uint16_t)(*stale + (*stale < 1000));
    }
}

#endif
