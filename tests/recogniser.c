/* recogniser.c - the recogniser as the tests see it: verdicts on a prefix, on every token after it, and completions. */
#include "recogniser_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

recogniser *recogniser_create(const char *schema, size_t length, const recogniser_options *options, char *why,
                              size_t capacity) {
    recogniser *r = calloc(1, sizeof *r);
    weir_error error;
    if (!r) recogniser_panic("out of memory");
    r->options = options ? *options : (recogniser_options)RECOGNISER_OPTIONS_INIT;
    r->why = why;
    r->why_capacity = capacity;
    r->text_length = (uint32_t)length;
    r->frames = &r->arena;
    arena_init(&r->arena, NULL, 0);
    arena_init(&r->scratch, NULL, 0);
    r->languages = language_pool_create();
    if (json_parse(schema, length, NULL, &r->arena, &r->root_node, &error) != WEIR_OK) {
        if (capacity) snprintf(why, capacity, "%s", error.message);
        recogniser_destroy(r);
        return NULL;
    }
    schema_load(r);
    if (r->refused) {
        recogniser_destroy(r);
        return NULL;
    }
    recogniser_reset(r);
    return r;
}

void recogniser_destroy(recogniser *r) {
    if (!r) return;
    for (uint32_t i = 0; i < r->value_list_count; i++) value_list_free(r, i);
    language_pool_destroy(r->languages);
    arena_free(&r->arena);
    arena_free(&r->scratch);
    void *owned[] = {r->names,      r->name_table, r->sets,    r->set_table,   r->positions, r->memo,   r->document, r->after,
                     r->completion, r->state,      r->classes, r->matches,     r->values,    r->value_lists,
                     r->code_arrays};
    for (size_t i = 0; i < sizeof owned / sizeof *owned; i++) free(owned[i]);
    free(r);
}

bool recogniser_validate(recogniser *r, const char *text, size_t length) {
    const json *document;
    arena arena;
    arena_init(&arena, NULL, 0);
    bool valid =
        json_parse(text, length, NULL, &arena, &document, NULL) == WEIR_OK && schema_valid(r, r->root, document);
    arena_free(&arena);
    return valid;
}

/* --- the prefix --- */

static void reserve(recogniser *r, size_t length) {
    if (length < r->capacity) return;
    r->capacity = 2 * length + 256;
    r->document = realloc(r->document, r->capacity);
    if (!r->document) recogniser_panic("out of memory");
}

void recogniser_reset(recogniser *r) {
    if (!r->state) r->state = malloc(sizeof *r->state);
    if (!r->state) recogniser_panic("out of memory");
    r->length = 0;
    text_forget(r);
    reserve(r, 0);
    text_begin(r, r->state);
}

static recogniser_verdict verdict_of(answer answer) {
    return answer == NO ? RECOGNISER_DEAD : answer == YES ? RECOGNISER_ALIVE : RECOGNISER_UNKNOWN;
}

/* Steps `state`, which stands before r->document[at], over `length` bytes. */
static void walk(recogniser *r, text_state *state, const void *bytes, size_t at, size_t length) {
    reserve(r, at + length);
    if (length) memcpy(r->document + at, bytes, length);
    for (size_t i = 0; i < length && !state->dead; i++) state->dead = !text_step(r, state, at + i);
}

recogniser_verdict recogniser_append(recogniser *r, const void *bytes, size_t length) {
    text_forget(r);
    r->frames = &r->arena;
    walk(r, r->state, bytes, r->length, length);
    r->length += length;
    r->state->unsure = false; /* it has been written: what follows is judged for itself */
    return verdict_of(text_verdict(r, r->state, r->length));
}

recogniser_verdict recogniser_try(recogniser *r, const void *bytes, size_t length) {
    text_state state = *r->state;
    text_forget(r);
    r->frames = &r->scratch;
    walk(r, &state, bytes, r->length, length);
    answer found = text_verdict(r, &state, r->length + length);
    r->frames = &r->arena;
    return verdict_of(found);
}

bool recogniser_is_complete(recogniser *r) {
    return text_complete(r, r->state, r->length);
}

const char *recogniser_prefix(const recogniser *r, size_t *length) {
    *length = r->length;
    return r->document;
}

const char *recogniser_completion(recogniser *r, const void *bytes, size_t length, size_t *completion_length) {
    text_state state = *r->state;
    text_buffer next = {NULL, 0, 0};
    size_t at = r->length;
    r->gave_up = false;
    text_forget(r);
    r->frames = &r->scratch;
    walk(r, &state, bytes, at, length);
    at += length;
    for (int step = 0; step < 10000 && !state.dead && !text_complete(r, &state, at); step++) {
        if (!text_continuation(r, &state, at, &next)) {
            r->gave_up = r->work > r->options.work_limit || state.frame->unsure || state.frame->child_unsure;
            break;
        }
        walk(r, &state, next.data, at, next.length);
        at += next.length;
    }
    bool done = text_complete(r, &state, at);
    free(next.data);
    r->frames = &r->arena;
    free(r->completion);
    r->completion = malloc(at + 1);
    if (!r->completion) recogniser_panic("out of memory");
    memcpy(r->completion, r->document, at);
    r->completion[at] = 0;
    *completion_length = at;
    /* A text with a repeated name is no document for json_parse; the steps have validated it. */
    return done && (state.repeated || recogniser_validate(r, r->completion, at)) ? r->completion : NULL;
}

bool recogniser_gave_up(const recogniser *r) {
    return r->gave_up;
}

/* --- tokens --- */

struct recogniser_tokens {
    const uint8_t *const *bytes;
    const uint32_t *lengths;
    uint32_t count, longest;
    uint32_t *order;  /* tokens sorted by bytes */
    uint32_t *shared; /* order[i] shares so many bytes with order[i - 1] */
    uint32_t sorted_count;
};

typedef struct sortable {
    const uint8_t *bytes;
    uint32_t length, token;
} sortable;

static int compare_sortables(const void *a, const void *b) {
    const sortable *x = a, *y = b;
    int order = memcmp(x->bytes, y->bytes, x->length < y->length ? x->length : y->length);
    return order ? order : (x->length > y->length) - (x->length < y->length);
}

recogniser_tokens *recogniser_tokens_create(const uint8_t *const *bytes, const uint32_t *lengths, uint32_t count) {
    recogniser_tokens *tokens = calloc(1, sizeof *tokens);
    sortable *items = malloc((count + 1) * sizeof *items);
    if (!tokens || !items) recogniser_panic("out of memory");
    *tokens = (recogniser_tokens){.bytes = bytes, .lengths = lengths, .count = count};
    tokens->order = malloc((count + 1) * sizeof *tokens->order);
    tokens->shared = malloc((count + 1) * sizeof *tokens->shared);
    if (!tokens->order || !tokens->shared) recogniser_panic("out of memory");
    for (uint32_t i = 0; i < count; i++) {
        if (lengths[i]) items[tokens->sorted_count++] = (sortable){bytes[i], lengths[i], i};
        if (lengths[i] > tokens->longest) tokens->longest = lengths[i];
    }
    qsort(items, tokens->sorted_count, sizeof *items, compare_sortables);
    for (uint32_t i = 0; i < tokens->sorted_count; i++) {
        uint32_t shared = 0;
        while (i && shared < items[i].length && shared < items[i - 1].length &&
               items[i].bytes[shared] == items[i - 1].bytes[shared])
            shared++;
        tokens->order[i] = items[i].token;
        tokens->shared[i] = shared;
    }
    free(items);
    return tokens;
}

void recogniser_tokens_destroy(recogniser_tokens *tokens) {
    if (!tokens) return;
    free(tokens->order);
    free(tokens->shared);
    free(tokens);
}

void recogniser_judge(recogniser *r, const recogniser_tokens *tokens, uint8_t *verdicts) {
    text_state *states = malloc((tokens->longest + 1) * sizeof *states); /* [d]: after d bytes of the token */
    uint8_t *after = malloc(tokens->longest + 1);
    uint32_t known = 0; /* states[0..known] are of the token at hand */
    if (!states || !after) recogniser_panic("out of memory");
    memset(verdicts, RECOGNISER_DEAD, tokens->count);
    text_forget(r);
    r->frames = &r->scratch;
    reserve(r, r->length + tokens->longest);
    states[0] = *r->state;
    after[0] = (uint8_t)verdict_of(text_verdict(r, r->state, r->length));
    for (uint32_t i = 0; i < tokens->sorted_count; i++) {
        uint32_t token = tokens->order[i], length = tokens->lengths[token];
        if (tokens->shared[i] < known) known = tokens->shared[i];
        while (known < length && after[known] != RECOGNISER_DEAD) {
            r->document[r->length + known] = (char)tokens->bytes[token][known];
            states[known + 1] = states[known];
            known++;
            states[known].dead = !text_step(r, &states[known], r->length + known - 1);
            after[known] = (uint8_t)verdict_of(text_verdict(r, &states[known], r->length + known));
        }
        verdicts[token] = after[known]; /* dead bytes end the walk early */
    }
    r->frames = &r->arena;
    free(states);
    free(after);
}
