/* suite_order.c - a text whose keys stand in another order than the schema's in, the same value in an order that passes
 * out.
 *
 * Of the keys that may come next that one comes first behind which all others still may: the matcher says so. A key
 * that shuts another out comes after it. The search gives up after a number of tokens; then no order was found. */
#include "suite.h"

enum { ORDER_TOKENS = 1 << 18 };

typedef struct member {
    const char *key; /* its quote in the source */
    size_t key_length;
    const json *value;
    bool written;
} member;

typedef struct ordering {
    const suite_tools *tools;
    const char *source;
    size_t length;
    uint32_t tokens; /* read so far */
} ordering;

/* What has been written, and the matcher behind it. */
typedef struct place {
    weir_matcher *matcher;
    suite_text text;
} place;

static bool put(ordering *o, place *at, const char *bytes, size_t length) {
    uint64_t random = 0;
    for (size_t read = 0; read < length;) {
        uint32_t written, token = token_next(&o->tools->index, TOKEN_CUT_GREEDY, &random, (const uint8_t *)bytes + read,
                                             length - read);
        if (token == TOKEN_NONE || o->tokens++ > ORDER_TOKENS) return false;
        if (weir_matcher_accept(at->matcher, token, NULL) != WEIR_OK) return false;
        weir_vocab_token(o->tools->vocab, token, &written);
        read += written;
    }
    suite_put(&at->text, bytes, length);
    return !at->text.failed;
}

static bool branch(const place *from, place *to) {
    *to = (place){0};
    if (weir_matcher_clone(from->matcher, &to->matcher, NULL) != WEIR_OK) return false;
    suite_put(&to->text, from->text.bytes, from->text.length);
    return !to->text.failed;
}

static void drop(place *at) {
    weir_matcher_destroy(at->matcher);
    free(at->text.bytes);
}

static bool put_key(ordering *o, place *at, const member *m, bool first) {
    return (first || put(o, at, ", ", 2)) && put(o, at, m->key, m->key_length);
}

static bool may_come(ordering *o, const place *at, const member *m, bool first) {
    place trial;
    bool good = branch(at, &trial) && put_key(o, &trial, m, first);
    drop(&trial);
    return good;
}

static bool put_value(ordering *o, place *at, const json *value);

/* Writes one of the members; false when none was found behind which the others can still come. */
static bool put_next(ordering *o, place *at, member *members, uint32_t count, bool first) {
    uint32_t *open = malloc(count * sizeof *open), open_count = 0;
    bool *failed = calloc(count, sizeof *failed), done = false;
    for (uint32_t i = 0; open && i < count; i++) {
        if (!members[i].written && may_come(o, at, &members[i], first)) open[open_count++] = i;
    }
    for (uint32_t k = 0; open && failed && k < open_count && !done;) {
        place trial;
        uint32_t shut_out = count;
        const member *m = &members[open[k]];
        done = branch(at, &trial) && put_key(o, &trial, m, first) && put(o, &trial, ": ", 2) &&
               put_value(o, &trial, m->value);
        for (uint32_t i = 0; i < open_count && done; i++) {
            if (i == k || may_come(o, &trial, &members[open[i]], false)) continue;
            shut_out = i;
            done = false;
        }
        if (done) {
            members[open[k]].written = true;
            place old = *at;
            *at = trial;
            trial = old;
        }
        drop(&trial);
        failed[k] = true;
        if (shut_out < open_count && !failed[shut_out]) {
            k = shut_out;
        } else {
            for (k = 0; k < open_count && failed[k]; k++) continue;
        }
    }
    free(open);
    free(failed);
    return done;
}

static bool put_object(ordering *o, place *at, const json *object) {
    member *members = malloc((object->count + 1) * sizeof *members);
    uint32_t count = 0;
    size_t byte = object->byte + 1;
    bool good = members != NULL && put(o, at, "{", 1);
    for (const json *child = object->child; child && members; child = child->next) {
        while (o->source[byte] != '"') byte++;
        members[count++] = (member){o->source + byte, json_text_end(o->source, o->length, byte) - byte, child, false};
        byte = json_text_end(o->source, o->length, child->byte);
    }
    for (uint32_t i = 0; i < count && good; i++) good = put_next(o, at, members, count, i == 0);
    free(members);
    return good && put(o, at, "}", 1);
}

static bool put_value(ordering *o, place *at, const json *value) {
    if (value->kind == JSON_OBJECT) return put_object(o, at, value);
    if (value->kind != JSON_ARRAY) {
        size_t end = json_text_end(o->source, o->length, value->byte);
        return put(o, at, o->source + value->byte, end - value->byte);
    }
    bool good = put(o, at, "[", 1);
    for (const json *item = value->child; item && good; item = item->next) {
        good = (item == value->child || put(o, at, ", ", 2)) && put_value(o, at, item);
    }
    return good && put(o, at, "]", 1);
}

bool suite_put_in_order(const suite_tools *tools, const suite_machine *machine, const suite_text *text, suite_text *to) {
    ordering o = {tools, text->bytes, text->length, 0};
    place at = {0};
    arena arena;
    const json *root = NULL;
    weir_error error = {.byte = -1};
    arena_init(&arena, NULL, 0);
    bool good = machine->matcher != NULL && suite_parse(text->bytes, text->length, &arena, &root, &error) == WEIR_OK &&
                weir_matcher_create(machine->grammar, NULL, &at.matcher, &error) == WEIR_OK && put_value(&o, &at, root);
    if (good) suite_put(to, at.text.bytes, at.text.length);
    drop(&at);
    arena_free(&arena);
    return good && !to->failed;
}
