/* suite_order.c - a text whose keys stand in another order than the schema's in, the same value in an order that passes
 * out.
 *
 * Of the keys that may come next one comes first behind which all others still may: the matcher says so. Where there is
 * none, any is tried. A key that was shut out by another is tried before it from then on, in all objects. The search
 * gives up after a number of tokens; then no order was found. */
#include "suite.h"

enum { ORDER_TOKENS = 1 << 20, ORDER_PAIRS = 1 << 13 };

typedef struct ordering {
    const suite_tools *tools;
    const char *source;
    size_t length;
    uint32_t tokens;             /* read so far */
    uint64_t pairs[ORDER_PAIRS]; /* hashes of two keys, the first of which comes before the second; 0: free */
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

static bool put_key(ordering *o, place *at, const suite_member *m, bool first) {
    return (first || put(o, at, ", ", 2)) && put(o, at, m->key, m->key_length);
}

static bool may_come(ordering *o, const place *at, const suite_member *m, bool first) {
    place trial;
    bool good = branch(at, &trial) && put_key(o, &trial, m, first);
    drop(&trial);
    return good;
}

static bool put_value(ordering *o, place *at, const json *value);

/* One more member behind `from`. */
static bool put_member(ordering *o, const place *from, place *to, const suite_member *m, bool first) {
    return branch(from, to) && put_key(o, to, m, first) && put(o, to, ": ", 2) && put_value(o, to, m->value);
}

/* A slot of the table, which may forget. */
static uint64_t *pair_of(ordering *o, const suite_member *before, const suite_member *behind, uint64_t *hash) {
    *hash = TOKEN_HASH_SEED;
    for (size_t i = 0; i < before->key_length; i++) *hash = token_hash_byte(*hash, (uint8_t)before->key[i]);
    for (size_t i = 0; i < behind->key_length; i++) *hash = token_hash_byte(*hash, (uint8_t)behind->key[i]);
    return &o->pairs[*hash % ORDER_PAIRS];
}

/* How many of `open` cannot come any more behind its member k; notes that they come before it. */
static uint32_t shut_out(ordering *o, const place *behind, const suite_member *members, const uint32_t *open, uint32_t count,
                         uint32_t k) {
    uint32_t found = 0;
    for (uint32_t i = 0; i < count; i++) {
        uint64_t hash;
        if (i == k || may_come(o, behind, &members[open[i]], false)) continue;
        *pair_of(o, &members[open[i]], &members[open[k]], &hash) = hash;
        found++;
    }
    return found;
}

enum { NOT_TRIED = UINT32_MAX, FAILED = UINT32_MAX - 1 };

/* The next of `open` to try: one that was not, and of those one before which no other is known to come; else the one
 * that shut out the fewest. NOT_TRIED where all failed. */
static uint32_t next_try(ordering *o, const suite_member *members, const uint32_t *open, uint32_t count, const uint32_t *fates) {
    uint32_t best = NOT_TRIED;
    for (uint32_t k = 0; k < count; k++) {
        bool leads = fates[k] == NOT_TRIED;
        for (uint32_t i = 0; i < count && leads; i++) {
            uint64_t hash;
            leads = i == k || fates[i] != NOT_TRIED || *pair_of(o, &members[open[i]], &members[open[k]], &hash) != hash;
        }
        if (leads) return k;
        if (fates[k] < FAILED && (best == NOT_TRIED || fates[k] < fates[best])) best = k;
    }
    for (uint32_t k = 0; k < count; k++) {
        if (fates[k] == NOT_TRIED) return k;
    }
    return best;
}

/* Writes the members that are left, `left` of them: first tries what leaves all others open, then what remains. */
static bool put_members(ordering *o, place *at, const suite_member *members, bool *written, uint32_t count, uint32_t left) {
    uint32_t *open = malloc((count + 1) * sizeof *open), *fates = malloc((count + 1) * sizeof *fates), open_count = 0;
    bool done = left == 0, usable = open && fates;
    for (uint32_t i = 0; usable && i < count && left > 0; i++) {
        if (written[i] || !may_come(o, at, &members[i], left == count)) continue;
        fates[open_count] = NOT_TRIED;
        open[open_count++] = i;
    }
    while (usable && !done && o->tokens <= ORDER_TOKENS) {
        place trial;
        uint32_t k = next_try(o, members, open, open_count, fates);
        if (k == NOT_TRIED) break;
        bool good = put_member(o, at, &trial, &members[open[k]], left == count), again = fates[k] != NOT_TRIED;
        fates[k] = again || !good ? FAILED : shut_out(o, &trial, members, open, open_count, k);
        if (good && (again || fates[k] == 0)) {
            fates[k] = FAILED;
            written[open[k]] = true;
            done = written[open[k]] = put_members(o, &trial, members, written, count, left - 1);
        }
        if (done) {
            place old = *at;
            *at = trial;
            trial = old;
        }
        drop(&trial);
    }
    free(open);
    free(fates);
    return done;
}

static bool put_object(ordering *o, place *at, const json *object) {
    suite_member *members = suite_list_members(o->source, o->length, object, NULL);
    bool *written = calloc(object->count + 1, sizeof *written);
    bool good = members && written && put(o, at, "{", 1) &&
                put_members(o, at, members, written, object->count, object->count) && put(o, at, "}", 1);
    free(members);
    free(written);
    return good;
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
    static ordering o; /* a worker is one thread */
    memset(&o, 0, sizeof o);
    o.tools = tools;
    o.source = text->bytes;
    o.length = text->length;
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
