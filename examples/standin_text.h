/* standin_text.h - the text that the stand-in model writes: where it stands, what was written there before, and the
 * words that the prompt offers.
 *
 * In: bytes, one by one. Out: the place (in a key, in a number, after a value), the open objects and lists, and nodes
 * of two trees of bytes with counts: one of whole texts, one of scalars by the path of keys that leads to them. */
#ifndef WEIR_EXAMPLES_STANDIN_TEXT_H
#define WEIR_EXAMPLES_STANDIN_TEXT_H

#include "standin_tokens.h"

/* --- memory: a tree of bytes with counts ---------------------------------------------------------------------- */

typedef struct standin_node {
    uint32_t child, sibling; /* 0: none */
    uint32_t visits;
    uint16_t stale;          /* documents through here since the last new one */
    uint8_t byte;
} standin_node;

enum { STANDIN_NODES = 1 << 22, STANDIN_ROOTS = 1 << 16, STANDIN_DEPTH = 1100, STANDIN_WORDS = 4096, STANDIN_SCALAR = 48 };

/* --- the text so far ------------------------------------------------------------------------------------------ */

typedef enum standin_place {
    PLACE_VALUE, PLACE_KEY, PLACE_KEY_STRING, PLACE_COLON, PLACE_STRING, PLACE_NUMBER, PLACE_LITERAL, PLACE_AFTER
} standin_place;

typedef struct standin_frame {
    bool object;
    bool unlisted;      /* a key that the prompt does not name was written: the named ones have passed */
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
    uint32_t refused;   /* times that a name was written and could not be closed there */
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
    *word = (standin_word){text, length, name, in->loose || in->owner == 0, 0, in->owner};
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
    model->near = model->scalar_length <= STANDIN_SCALAR ? standin_step_node(model, model->near, byte) : 0;
    if (model->near != 0) model->nodes[model->near].visits++;
}

static inline void standin_open(standin *model, bool object)
{
    if (model->depth == STANDIN_DEPTH) return; /* beyond the depth limit of every grammar */
    standin_frame *frame = &model->frames[model->depth++];
    *frame = (standin_frame){object, false, 0, model->used_count, model->key_path, model->key_owner};
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
    bool listed = false, fallback = standin_needs_fallback(model, true, top ? top->owner : 0);
    for (uint32_t i = 0; i < model->prompt_count && top != NULL; i++) {
        if (!standin_word_fits(&model->prompt[i], true, top->owner, fallback)) continue;
        if (!standin_scalar_is(model, &model->prompt[i])) continue;
        if (model->used_count < STANDIN_WORDS) model->used[model->used_count++] = i;
        listed = true;
    }
    for (uint32_t i = 0; i < model->prompt_count && top != NULL && !listed; i++) {
        standin_word *word = &model->prompt[i];
        bool begun = word->length <= kept && memcmp(word->text, model->scalar, word->length - 1) == 0;
        if (begun && !top->unlisted && standin_word_fits(word, true, top->owner, fallback)) word->refused++;
    }
    if (top != NULL && !listed) top->unlisted = true;
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
#endif
