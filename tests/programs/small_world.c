/* small_world.c - all texts of a small world against one schema: which are accepted, and what happens on the way.
 *
 * In: a file of JSON lines {"id","schema_text","options":{"whitespace","indent","whitespace_run","objects","order","depth",
 * "budget"},"lexemes":[...],"keys":[...],"max":N,"nest":bool,"sample":N}. A lexeme is a string whose code points, all
 * below 256, are its bytes; `keys` are the lexemes that only stand before a colon. Out: a JSON line for each:
 * {"id","status","message","satisfiable","states","accepted":[...],"completions":[...],"fault_count",
 * "faults":[{"kind","text"}]}, texts in the same spelling.
 *
 * One walk over all lexeme sequences of at most `max`, cut where the machine is dead (and, with `nest`, where the open
 * brackets can no longer be closed), byte by byte with single-byte tokens. In each state on the way:
 * - the bit of every token of several bytes equals walking its bytes; a byte outside the mask is refused;
 * - the stop bit, is_accepting and least_tokens == 0 say the same; no live state has an empty mask;
 * - least_tokens is at most the bytes of the shortest completion in the world, and some token lowers it, so that
 *   following such tokens ends: of the completions found this way a sample is printed, for a validator to judge
 *   (one of `sample` past the edge of the world, eight times as many inside);
 * - taking a token back restores the mask. */
#define _POSIX_C_SOURCE 200809L /* getline */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "weir.h"

enum { TEXT_MAX = 1024, STACK_MAX = 64, FAULT_MAX = 20, FAR = UINT32_MAX / 2, WORDS = 16, STOP = 256, MULTI = 257 };

/* Tokens of several bytes: structure that spans values, keys, a number, a literal, a split code point. */
static const char *const multi_tokens[] = {
    "\":\"", "\",\"", "},{", "[]",      "\"a\":", "{\"",      "{}",  "]]",   "}}",    ":[",
    "10",    "null",  "\":", ",\"b\":", "\"a\"",  "\xc3\xa9", "[1,", ", \"", "\\u00", "aa\"}"};
enum { MULTI_COUNT = sizeof multi_tokens / sizeof *multi_tokens, TOKEN_COUNT = MULTI + MULTI_COUNT };

typedef struct buffer {
    char *bytes;
    size_t length, capacity;
    uint32_t count;
} buffer;

typedef struct lexeme {
    uint8_t bytes[32];
    uint32_t length;
    bool key;
} lexeme;

/* Where the walk stands, in lexemes. `open` holds a bit for each open bracket, 1 = object. */
typedef struct place {
    uint32_t used, depth;
    uint64_t open;
    uint8_t last; /* first byte of the last lexeme, 0 at the start */
    bool at_key;  /* the last lexeme stands where a key stands */
} place;

typedef struct world {
    weir_matcher *matcher;
    lexeme *lexemes;
    uint32_t lexeme_count, max, budget, sample, completed;
    bool nest, satisfiable;
    uint8_t text[TEXT_MAX];
    uint32_t length;
    uint64_t states;
    buffer accepted, completions, faults;
    uint32_t fault_count;
} world;

/* --- output --------------------------------------------------------------------------------------------------- */

static void put(buffer *out, const char *bytes, size_t length) {
    if (out->length + length > out->capacity) {
        out->capacity = 2 * out->capacity + length + 4096;
        out->bytes = realloc(out->bytes, out->capacity);
        if (out->bytes == NULL) exit(1);
    }
    memcpy(out->bytes + out->length, bytes, length);
    out->length += length;
}

/* Bytes as a JSON string whose code points are the bytes. */
static void put_text(buffer *out, const uint8_t *bytes, size_t length) {
    char escape[8];
    put(out, "\"", 1);
    for (size_t i = 0; i < length; i++) {
        uint8_t byte = bytes[i];
        if (byte >= 0x20 && byte < 0x7f && byte != '"' && byte != '\\') {
            put(out, (const char *)&bytes[i], 1);
        } else {
            snprintf(escape, sizeof escape, "\\u%04x", byte);
            put(out, escape, 6);
        }
    }
    put(out, "\"", 1);
}

static void add_text(buffer *out, const uint8_t *bytes, size_t length) {
    if (out->count++ != 0) put(out, ",", 1);
    put_text(out, bytes, length);
}

static void fault(world *w, const char *kind) {
    if (w->fault_count++ >= FAULT_MAX) return;
    if (w->faults.count++ != 0) put(&w->faults, ",", 1);
    put(&w->faults, "{\"kind\":", 8);
    put_text(&w->faults, (const uint8_t *)kind, strlen(kind));
    put(&w->faults, ",\"text\":", 8);
    put_text(&w->faults, w->text, w->length);
    put(&w->faults, "}", 1);
}

/* --- one state ------------------------------------------------------------------------------------------------ */

static bool bit(const uint32_t *mask, uint32_t token) {
    return mask[token / 32] >> token % 32 & 1;
}

static bool accept(world *w, uint32_t token) {
    return weir_matcher_accept(w->matcher, token, NULL) == WEIR_OK;
}

static void undo(world *w, uint32_t count) {
    if (count != 0 && weir_matcher_rollback(w->matcher, count, NULL) != WEIR_OK) fault(w, "rollback fails");
}

static void fill(world *w, uint32_t *mask) {
    if (weir_matcher_fill_mask(w->matcher, mask, WORDS, NULL) != WEIR_OK) fault(w, "fill_mask fails");
}

/* Whether a token's bytes can be taken one by one from here. */
static bool can_walk(world *w, const char *bytes) {
    uint32_t taken = 0;
    while (bytes[taken] != 0 && accept(w, (uint8_t)bytes[taken])) taken++;
    bool all = bytes[taken] == 0;
    undo(w, taken);
    return all;
}

static void check_state(world *w, const uint32_t *mask) {
    bool accepting = weir_matcher_is_accepting(w->matcher), empty = true;
    uint32_t least = weir_matcher_least_tokens(w->matcher), again[WORDS];
    for (uint32_t i = 0; i < WORDS; i++) empty = empty && mask[i] == 0;
    if (empty && w->satisfiable) fault(w, "the mask of a live state is empty");
    if (accepting != bit(mask, STOP)) fault(w, "the stop bit is not is_accepting");
    if (accepting != (least == 0)) fault(w, "least_tokens is 0 elsewhere than where the text is complete");
    for (uint32_t i = 0; i < MULTI_COUNT && w->budget == 0; i++) {
        bool allowed = bit(mask, MULTI + i);
        if (!allowed && !bit(mask, (uint8_t)multi_tokens[i][0])) continue;
        if (allowed != can_walk(w, multi_tokens[i])) fault(w, "a token of several bytes differs from its bytes");
        if (allowed && !accept(w, MULTI + i))
            fault(w, "accept refuses a token of the mask");
        else if (allowed)
            undo(w, 1);
    }
    for (uint32_t i = 0; i < 8; i++) { /* some bytes outside the mask, others in each state */
        uint32_t byte = (uint32_t)(w->states * 31 + i * 37) % 256;
        if (bit(mask, byte)) continue;
        if (accept(w, byte)) {
            fault(w, "accept takes a byte outside the mask");
            undo(w, 1);
        }
    }
    if (w->states % 8 == 0) {
        fill(w, again);
        if (memcmp(mask, again, sizeof again) != 0) fault(w, "rollback does not restore the mask");
    }
}

/* Follows tokens that lower least_tokens until the text is complete, and prints one of `sample` such texts. */
static void complete(world *w, const uint32_t *mask_here, uint32_t sample) {
    static const char first[] = "\"}]:,0{[1an";
    uint32_t mask[WORDS], taken = 0, start = w->length, least = weir_matcher_least_tokens(w->matcher);
    memcpy(mask, mask_here, sizeof mask);
    while (least > 0 && taken < 400) {
        uint32_t best = TOKEN_COUNT;
        for (uint32_t i = 0; i < sizeof first - 1 + TOKEN_COUNT && best == TOKEN_COUNT; i++) {
            uint32_t token = i < sizeof first - 1 ? (uint8_t)first[i] : i - (uint32_t)(sizeof first - 1);
            if (token == STOP || !bit(mask, token) || !accept(w, token)) continue;
            if (weir_matcher_least_tokens(w->matcher) < least)
                best = token;
            else
                undo(w, 1);
        }
        if (best == TOKEN_COUNT) {
            fault(w, "no token lowers least_tokens");
            break;
        }
        const char *bytes = best < STOP ? NULL : multi_tokens[best - MULTI];
        uint32_t length = bytes == NULL ? 1 : (uint32_t)strlen(bytes);
        if (w->length + length > TEXT_MAX) break;
        if (bytes == NULL)
            w->text[w->length] = (uint8_t)best;
        else
            memcpy(w->text + w->length, bytes, length);
        w->length += length;
        taken++;
        least = weir_matcher_least_tokens(w->matcher);
        fill(w, mask);
    }
    if (least != 0 || !bit(mask, STOP))
        fault(w, "a viable prefix is not completed");
    else if (w->completed++ % sample == 0)
        add_text(&w->completions, w->text, w->length);
    w->length = start;
    undo(w, taken);
}

/* --- the walk --------------------------------------------------------------------------------------------------- */

static place after(const world *w, place p, const lexeme *x) {
    uint8_t c = x->bytes[0];
    bool in_object = p.depth != 0 && (p.open >> (p.depth - 1) & 1);
    place q = p;
    q.used++;
    q.at_key = in_object && c == '"' && (p.last == '{' || p.last == ',');
    q.last = c;
    if (!w->nest || x->length > 2) return q; /* structure is one byte, or two with a space */
    if ((c == '{' || c == '[') && q.depth < STACK_MAX) {
        q.open = (q.open & ~((uint64_t)1 << q.depth)) | (uint64_t)(c == '{') << q.depth;
        q.depth++;
    }
    if ((c == '}' || c == ']') && q.depth != 0) q.depth--;
    return q;
}

/* Lexemes that every JSON text still needs from here. */
static uint32_t needed(const world *w, place p) {
    if (!w->nest) return 0;
    bool in_object = p.depth != 0 && (p.open >> (p.depth - 1) & 1);
    uint32_t more = p.last == ':' ? 1 : p.last == ',' ? (in_object ? 3 : 1) : p.at_key ? 2 : 0;
    return p.depth + more;
}

static bool in_number(uint8_t byte) {
    return (byte >= '0' && byte <= '9') || byte == '-';
}

/* Walks on from the present state, where the lexemes [low, high) share the `known` bytes read since the last boundary
 * `p` (at a boundary: all lexemes, 0 bytes). Returns the bytes of the shortest completion found, or FAR. */
static uint32_t walk(world *w, uint32_t low, uint32_t high, uint32_t known, place p) {
    uint32_t mask[WORDS], shortest = FAR, least = weir_matcher_least_tokens(w->matcher);
    bool lowered = false, cut = false;
    w->states++;
    fill(w, mask);
    check_state(w, mask);
    if (bit(mask, STOP)) {
        shortest = 0;
        add_text(&w->accepted, w->text, w->length);
    }
    struct {
        uint32_t low, high, known;
        place place;
    } ways[2] = {{low, high, known, p}};
    uint32_t way_count = 1;
    if (known != 0 && w->lexemes[low].length == known) { /* sorted: the complete lexeme is the first of its range */
        place q = after(w, p, &w->lexemes[low]);
        ways[0].low++;
        cut = q.used >= w->max || q.used + needed(w, q) > w->max || (w->lexemes[low].key && !q.at_key);
        if (!cut) {
            ways[1].low = 0, ways[1].high = w->lexeme_count, ways[1].known = 0, ways[1].place = q;
            way_count = 2;
        }
    }
    for (uint32_t i = 0; i < way_count; i++) {
        for (uint32_t from = ways[i].low, to; from < ways[i].high; from = to) {
            uint8_t byte = w->lexemes[from].bytes[ways[i].known];
            for (to = from; to < ways[i].high && w->lexemes[to].bytes[ways[i].known] == byte; to++) {
            }
            if (!bit(mask, byte) || w->length >= 256) continue;
            if (w->nest && i == 1 && in_number(byte) && in_number(ways[i].place.last)) continue; /* 1 and 0 is not 10 */
            if (!accept(w, byte)) {
                fault(w, "accept refuses a byte of the mask");
                continue;
            }
            w->text[w->length++] = byte;
            lowered = lowered || weir_matcher_least_tokens(w->matcher) < least;
            uint32_t rest = walk(w, from, to, ways[i].known + 1, ways[i].place);
            if (rest < FAR && rest + 1 < shortest) shortest = rest + 1;
            w->length--;
            undo(w, 1);
        }
    }
    if (shortest != FAR && least > shortest) fault(w, "least_tokens is above the bytes of the shortest completion");
    /* Where a byte lowers it, the state behind the byte has proven it. */
    if (least != 0 && !lowered && w->satisfiable) complete(w, mask, cut ? w->sample : (w->sample + 7) / 8);
    return shortest;
}

/* --- one line ----------------------------------------------------------------------------------------------------- */

static int by_bytes(const void *a, const void *b) {
    const lexeme *x = a, *y = b;
    int order = memcmp(x->bytes, y->bytes, x->length < y->length ? x->length : y->length);
    return order != 0 ? order : (x->length > y->length) - (x->length < y->length);
}

static bool read_lexemes(world *w, const json *list, const json *keys) {
    w->lexeme_count = list->count;
    w->lexemes = calloc(list->count, sizeof *w->lexemes);
    if (w->lexemes == NULL) exit(1);
    lexeme *x = w->lexemes;
    for (const json *i = list->child; i != NULL; i = i->next, x++) {
        for (uint32_t k = 0; k < i->length; k++) { /* code points below 256: one or two bytes of UTF-8 */
            uint8_t byte = (uint8_t)i->text[k];
            if (byte >= 0x80) byte = (uint8_t)(byte << 6 | ((uint8_t)i->text[++k] & 0x3f));
            if (x->length >= sizeof x->bytes) return false;
            x->bytes[x->length++] = byte;
        }
        if (x->length == 0) return false;
        for (const json *k = keys == NULL ? NULL : keys->child; k != NULL; k = k->next)
            x->key = x->key || (k->length == i->length && memcmp(k->text, i->text, k->length) == 0);
    }
    qsort(w->lexemes, w->lexeme_count, sizeof *w->lexemes, by_bytes);
    return true;
}

static uint64_t number(const json *object, const char *key, uint64_t otherwise) {
    const json *value = json_get(object, key);
    uint64_t out;
    return value != NULL && json_uint(value, &out) ? out : otherwise;
}

static void read_options(const json *options, weir_grammar_options *out) {
    static const char *const names[] = {"any", "compact", "spaced", "pretty"};
    const json *whitespace = json_get(options, "whitespace"), *objects = json_get(options, "objects");
    const json *order = json_get(options, "order");
    for (uint32_t i = 0; whitespace != NULL && i < 4; i++)
        if (json_string_is(whitespace, names[i])) out->whitespace = (weir_whitespace)i;
    if (objects != NULL && json_string_is(objects, "closed")) out->objects = WEIR_OBJECTS_CLOSED;
    if (order != NULL && json_string_is(order, "any")) out->order = WEIR_ORDER_ANY;
    out->indent = (uint32_t)number(options, "indent", out->indent);
    out->whitespace_run = (uint32_t)number(options, "whitespace_run", out->whitespace_run);
    out->depth_limit = (uint32_t)number(options, "depth", out->depth_limit);
}

static void print_head(uint64_t id, const char *status, const char *message) {
    buffer quoted = {0};
    put_text(&quoted, (const uint8_t *)message, strlen(message));
    printf("{\"id\":%llu,\"status\":\"%s\",\"message\":%.*s", (unsigned long long)id, status, (int)quoted.length,
           quoted.bytes);
    free(quoted.bytes);
}

static void print_list(const char *name, buffer *list) {
    printf(",\"%s\":[", name);
    fwrite(list->bytes, 1, list->length, stdout);
    printf("]");
    free(list->bytes);
}

/* Compiles the schema of a line and walks its world. */
static void run(const weir_vocab *vocab, const json *line) {
    weir_grammar_options options = WEIR_GRAMMAR_OPTIONS_INIT;
    weir_matcher_options matcher_options = WEIR_MATCHER_OPTIONS_INIT;
    const json *schema = json_get(line, "schema_text"), *chosen = json_get(line, "options");
    const json *lexemes = json_get(line, "lexemes"), *nest = json_get(line, "nest");
    weir_grammar *grammar = NULL;
    weir_error error = {0};
    world *w = calloc(1, sizeof *w);
    if (w == NULL) exit(1);
    w->max = (uint32_t)number(line, "max", 0);
    w->sample = (uint32_t)number(line, "sample", 1);
    w->nest = nest != NULL && nest->kind == JSON_TRUE;
    read_options(chosen, &options);
    w->budget = (uint32_t)number(chosen, "budget", 0);
    matcher_options.rollback_tokens = 2048;
    matcher_options.token_budget = w->budget;
    uint64_t id = number(line, "id", 0);
    weir_status status = WEIR_ERROR_ARGUMENT;
    if (!read_lexemes(w, lexemes, json_get(line, "keys"))) {
        print_head(id, "error", "a lexeme is empty or too long");
    } else if ((status = weir_grammar_from_json_schema(vocab, schema->text, schema->length, &options, &grammar,
                                                       &error)) != WEIR_OK) {
        print_head(id, "refused", error.message);
    } else {
        w->satisfiable = weir_grammar_satisfiable(grammar);
        status = weir_matcher_create(grammar, &matcher_options, &w->matcher, &error);
        print_head(id,
                   status == WEIR_OK                    ? "ok"
                   : status == WEIR_ERROR_UNSATISFIABLE ? "unsatisfiable"
                                                        : "error",
                   status == WEIR_OK ? "" : error.message);
        printf(",\"satisfiable\":%s", w->satisfiable ? "true" : "false");
    }
    if (w->matcher != NULL) {
        place start = {0};
        uint32_t least = weir_grammar_least_tokens(grammar), mask[WORDS];
        fill(w, mask);
        if (w->satisfiable ? least != weir_matcher_least_tokens(w->matcher) : least != UINT32_MAX)
            fault(w, "weir_grammar_least_tokens is not that of a new matcher");
        for (uint32_t i = 0; i < WORDS; i++)
            if (!w->satisfiable && mask[i] != 0) fault(w, "an unsatisfiable grammar allows a token");
        walk(w, 0, w->lexeme_count, 0, start);
        if (weir_matcher_token_count(w->matcher) != 0) fault(w, "tokens are left after taking all of them back");
    }
    printf(",\"states\":%llu,\"fault_count\":%u", (unsigned long long)w->states, w->fault_count);
    print_list("accepted", &w->accepted);
    print_list("completions", &w->completions);
    print_list("faults", &w->faults);
    printf("}\n");
    fflush(stdout);
    weir_matcher_destroy(w->matcher);
    weir_grammar_destroy(grammar);
    free(w->lexemes);
    free(w);
}

static weir_vocab *make_vocab(void) {
    static uint8_t bytes[256];
    weir_token tokens[TOKEN_COUNT];
    weir_vocab_options options = WEIR_VOCAB_OPTIONS_INIT;
    uint32_t stop = STOP;
    weir_vocab *vocab = NULL;
    weir_error error = {0};
    for (uint32_t i = 0; i < 256; i++) {
        bytes[i] = (uint8_t)i;
        tokens[i] = (weir_token){&bytes[i], 1, 0};
    }
    tokens[STOP] = (weir_token){"<end>", 5, WEIR_TOKEN_SPECIAL};
    for (uint32_t i = 0; i < MULTI_COUNT; i++)
        tokens[MULTI + i] = (weir_token){multi_tokens[i], (uint32_t)strlen(multi_tokens[i]), 0};
    options.stop_ids = &stop;
    options.stop_count = 1;
    if (weir_vocab_create(tokens, TOKEN_COUNT, &options, &vocab, &error) != WEIR_OK)
        fprintf(stderr, "vocabulary: %s\n", error.message);
    return vocab;
}

int main(int argc, char **argv) {
    FILE *file = argc == 2 ? fopen(argv[1], "rb") : NULL;
    weir_vocab *vocab = make_vocab();
    char *text = NULL;
    size_t capacity = 0;
    ssize_t length;
    int bad = 0;
    if (file == NULL || vocab == NULL) {
        fprintf(stderr, "usage: weir-small-world LINES.jsonl\n");
        return 1;
    }
    while (!bad && (length = getline(&text, &capacity, file)) > 0) {
        arena arena;
        const json *line = NULL;
        weir_error error = {0};
        arena_init(&arena, NULL, 0);
        if (json_parse(text, (size_t)length, NULL, &arena, &line, &error) == WEIR_OK) {
            run(vocab, line);
        } else {
            fprintf(stderr, "line: %s\n", error.message);
            bad = 1;
        }
        arena_free(&arena);
    }
    free(text);
    fclose(file);
    weir_vocab_destroy(vocab);
    return bad;
}
