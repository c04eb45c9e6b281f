/* standin.h - a stand-in for a language model: logits that make short, readable, varied JSON.
 *
 * In: a vocabulary, the text of the prompt (the schema, which a real model would have been shown too) and the tokens
 * written so far. Out: one row of logits a step. It is no model. It knows nothing of JSON Schema and never sees a
 * mask; all that it does is
 *   - follow the text that it writes: in a string, in a number, how deep, how long;
 *   - prefer whole words in strings, few digits, short lists, and closing what has grown long;
 *   - copy names and listed words from the prompt, found by their place in its text ("properties", "enum");
 *   - remember what it has written at the same place before, and prefer what it has not.
 * The same prompt, seed and draws give the same rows on every machine that rounds exp and log alike. */
#ifndef WEIR_EXAMPLES_STANDIN_H
#define WEIR_EXAMPLES_STANDIN_H

#include "standin_row.h"

/* --- creation ------------------------------------------------------------------------------------------------- */

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
    model->stamp++;
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
