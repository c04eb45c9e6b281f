/* standin_row.h - the stand-in model's row of logits, from where its text stands.
 *
 * Outside strings every class of tokens is offered at a worth of its own; inside strings a row of words stands ready and
 * only the closing tokens are set. Words of the prompt are preferred; what was written here before is worth less. */
#ifndef WEIR_EXAMPLES_STANDIN_ROW_H
#define WEIR_EXAMPLES_STANDIN_ROW_H

#include "standin_text.h"

/* To the token and to those with the same bytes. */
static inline void standin_add(standin *model, float *row, uint32_t token, float amount)
{
    for (; token != TOKEN_NONE && model->edit_count < model->edit_capacity; token = model->index->same[token]) {
        model->edits[model->edit_count++] = (standin_edit){&row[token], row[token]};
        row[token] += amount;
    }
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

/* The first of the prompt's words that the object can still take as a name. */
static inline uint32_t standin_next_name(const standin *model)
{
    uint32_t next = 0;
    for (uint32_t i = model->frames[model->depth - 1].used; i < model->used_count; i++) {
        if (next <= model->used[i]) next = model->used[i] + 1;
    }
    return next;
}

/* Names of the prompt that this object could still take; *known gets how many it has at all. */
static inline uint32_t standin_names_left(const standin *model, const standin_frame *top, uint32_t *known)
{
    bool fallback = standin_needs_fallback(model, true, top->owner);
    uint32_t left = 0;
    *known = 0;
    for (uint32_t i = 0; i < model->prompt_count; i++) {
        if (!standin_word_fits(&model->prompt[i], true, top->owner, fallback)) continue;
        if (standin_is_used(model, i)) left = 0; /* in the order of the prompt: earlier ones have passed */
        else if (model->prompt[i].refused < 2) left++;
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
    if (top->unlisted) left = 0;
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
    for (uint32_t i = model->class_start[CLASS_NUMBER]; i < model->class_start[CLASS_NUMBER + 1]; i++) {
        uint32_t length, token = model->classed[i];
        bool minus = model->scalar_length == 1 && model->scalar[0] == '-';
        if (minus && weir_vocab_token(model->vocab, token, &length)[0] == '0') model->plain[token] -= 6; /* -0 */
    }
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

/* How often a word was written whole at the place whose scalars `root` remembers. */
static inline uint32_t standin_word_visits(const standin *model, uint32_t root, const standin_word *word)
{
    uint32_t node = root;
    for (uint32_t i = 0; i < word->length && i < STANDIN_SCALAR && node != 0; i++) {
        uint32_t child = model->nodes[node].child;
        while (child != 0 && model->nodes[child].byte != (uint8_t)word->text[i]) child = model->nodes[child].sibling;
        node = child;
    }
    return model->nodes[node].visits;
}

/* Prefers the tokens that go on along a word of the prompt, the more the less often that word was written here. */
static inline void standin_prefer_words(standin *model, float *row)
{
    bool name = model->place == PLACE_KEY_STRING;
    uint64_t owner = name ? model->frames[model->depth - 1].owner : model->key_owner;
    bool fallback = name && standin_needs_fallback(model, true, owner);
    uint32_t written = model->scalar_length, root = name ? standin_key_root(model) : standin_value_root(model, 0);
    if (name && model->frames[model->depth - 1].unlisted) return;
    uint32_t rank = 0, first_name = name ? standin_next_name(model) : 0;
    for (uint32_t w = 0; w < model->prompt_count; w++) {
        const standin_word *word = &model->prompt[w];
        if (!standin_word_fits(word, name, owner, fallback) || word->length <= written) continue;
        if (written > sizeof model->scalar || memcmp(word->text, model->scalar, written) != 0) continue;
        if (name && w < first_name) continue; /* names come in the order of the prompt */
        float skipped = 0.35f * (float)(name ? rank++ : 0);
        float refused = 12 * (float)(word->refused < 4 ? word->refused : 4);
        uint32_t tokens[256], visits = standin_word_visits(model, root, word);
        uint32_t count = token_matches(model->index, (const uint8_t *)word->text + written, word->length - written, tokens, 256);
        for (uint32_t i = 0; i < count; i++) {
            float worth = (name ? 36.0f : 12.0f) - 1.5f * (float)(count - 1 - i) - 4 * (float)(visits < 5 ? visits : 5) - skipped - refused;
            float gain = worth - row[tokens[i]];
            bool first = model->stamps[tokens[i]] != model->stamp;
            model->stamps[tokens[i]] = model->stamp;
            if (gain > 0 || first) standin_add(model, row, tokens[i], gain);
        }
    }
}

/* --- remembering: what was written here before is worth less ---------------------------------------------------- */

typedef struct standin_recall {
    float *row;
    bool whole;           /* the tree of whole texts; else of scalars at one path */
    bool string;          /* the text stands inside a string */
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

/* How much a document that ends here would only be one more of its kind. */
static inline float standin_ends(const standin *model, const standin_node *node)
{
    for (uint32_t child = node->child; child != 0; child = model->nodes[child].sibling) {
        const standin_node *end = &model->nodes[child];
        if (end->byte == 0) return 10 * (float)(end->visits < 4 ? end->visits : 4);
    }
    return 0;
}

/* Bytes that choose nothing: all the choices come behind them. */
static inline bool standin_is_neutral(uint8_t byte, bool string, bool opened)
{
    return opened || (!string && (byte == '{' || byte == '[' || byte == ':' || standin_is_space(byte)));
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
        bool string = recall->string;
        if (at->byte == '"') recall->string = !string; /* escaped quotes are rare enough to be taken for real ones */
        float penalty = standin_penalty(at, recall->whole);
        if (recall->whole) penalty += standin_ends(model, at);
        if (standin_is_neutral(at->byte, string, recall->string && !string)) penalty = 0;
        bool judged = !recall->whole && token != TOKEN_NONE && model->stamps[token] == model->stamp;
        if (token != TOKEN_NONE && penalty > 0 && !judged) standin_add(model, recall->row, token, -penalty);
        bool ends = !recall->whole && at->byte == '"' && at->child == 0;
        for (uint32_t i = 0; ends && i < sizeof after_quote / sizeof *after_quote; i++) {
            uint32_t extra = (uint32_t)strlen(after_quote[i]);
            if (recall->length + extra > sizeof recall->bytes) continue;
            memcpy(recall->bytes + recall->length, after_quote[i], extra);
            token = token_find(model->index, recall->bytes, recall->length + extra);
            if (token != TOKEN_NONE) standin_add(model, recall->row, token, -penalty);
        }
        uint32_t longest = 32; /* no token is longer */
        if (recall->length > 1) longest = model->index->longest[recall->bytes[0] | recall->bytes[1] << 8];
        if (longest > 32) longest = 32;
        if (recall->length < longest) standin_recall_tree(model, recall, child, next);
        recall->length--;
        recall->string = string;
    }
}

static inline void standin_remember(standin *model, float *row)
{
    bool string = model->place == PLACE_STRING || model->place == PLACE_KEY_STRING;
    standin_recall whole = {.row = row, .whole = true, .string = string, .left = 6000};
    if (model->exact != 0) standin_recall_tree(model, &whole, model->exact, TOKEN_HASH_SEED);
    standin_recall scalar = {.row = row, .string = string, .left = 6000};
    uint32_t node = 0;
    bool begins = model->place == PLACE_VALUE || model->place == PLACE_KEY;
    if (model->place == PLACE_VALUE) node = standin_value_root(model, 0);
    if (model->place == PLACE_KEY) node = standin_key_root(model);
    if (string || model->place == PLACE_NUMBER) node = model->near;
    if (node == 0) return;
    standin_recall_tree(model, &scalar, node, TOKEN_HASH_SEED);
    if (!begins) return;
    scalar.left = 500;
    scalar.bytes[0] = ' ';
    scalar.length = 1;
    standin_recall_tree(model, &scalar, node, token_hash_byte(TOKEN_HASH_SEED, ' '));
}
#endif
