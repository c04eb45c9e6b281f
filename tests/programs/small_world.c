/* small_world.c - all texts of a small world against one schema: which are accepted, and what happens on the way.
 *
 * In: a file of lines as tests/small_world_lines.h says. Out: a JSON line for each: {"id","status","message",
 * "satisfiable","states","fault_count","accepted":[...],"completions":[...],"faults":[{"kind","text"}]}.
 *
 * One walk over all lexeme sequences of at most `max`, cut where the machine is dead (and, with `nest`, where the open
 * brackets can no longer be closed), byte by byte with single-byte tokens. In each state on the way:
 * - the bit of every token of several bytes equals walking its bytes; a byte outside the mask is refused;
 * - the stop bit, is_accepting and least_tokens == 0 say the same; no live state has an empty mask;
 * - least_tokens is at most the bytes of the shortest completion in the world, and some token lowers it, so that
 *   following such tokens ends: of the completions found this way a sample is printed, for a validator to judge
 *   (one of `sample` past the edge of the world, eight times as many inside);
 * - taking a token back restores the mask. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "small_world_lines.h"

enum { TEXT_MAX = 1024, FAULT_MAX = 20, FAR = UINT32_MAX / 2, WORDS = 16, STOP = 256, MULTI = 257 };

/* Tokens of several bytes: structure that spans values, keys, a number, a literal, a split code point. */
static const char *const multi_tokens[] = {
    "\":\"", "\",\"", "},{", "[]",      "\"a\":", "{\"",      "{}",  "]]",   "}}",    ":[",
    "10",    "null",  "\":", ",\"b\":", "\"a\"",  "\xc3\xa9", "[1,", ", \"", "\\u00", "aa\"}"};
enum { MULTI_COUNT = sizeof multi_tokens / sizeof *multi_tokens, TOKEN_COUNT = MULTI + MULTI_COUNT };

typedef struct world {
    line line;
    weir_matcher *matcher;
    uint32_t completed;
    bool satisfiable;
    uint8_t text[TEXT_MAX];
    uint32_t length;
    uint64_t states;
    buffer accepted, completions, faults;
    uint32_t fault_count;
} world;

static void fault(world *w, const char *kind) {
    if (w->fault_count++ < FAULT_MAX) buffer_add_fault(&w->faults, kind, w->text, w->length);
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
    for (uint32_t i = 0; i < MULTI_COUNT && w->line.budget == 0; i++) {
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
        buffer_add_text(&w->completions, w->text, w->length);
    w->length = start;
    undo(w, taken);
}

/* --- the walk --------------------------------------------------------------------------------------------------- */

/* Walks on from the present state. Returns the bytes of the shortest completion found, or FAR. */
static uint32_t walk(world *w, way at) {
    uint32_t mask[WORDS], shortest = FAR, least = weir_matcher_least_tokens(w->matcher);
    bool lowered = false, cut = false;
    w->states++;
    fill(w, mask);
    check_state(w, mask);
    if (bit(mask, STOP)) {
        shortest = 0;
        buffer_add_text(&w->accepted, w->text, w->length);
    }
    way ways[2];
    uint32_t way_count = line_ways(&w->line, at, ways, &cut);
    const lexeme *lexemes = w->line.lexemes;
    for (uint32_t i = 0; i < way_count; i++) {
        for (uint32_t from = ways[i].low, to; from < ways[i].high; from = to) {
            uint8_t byte = lexemes[from].bytes[ways[i].known];
            for (to = from; to < ways[i].high && lexemes[to].bytes[ways[i].known] == byte; to++) {
            }
            if (!bit(mask, byte) || w->length >= 256 || !line_may_follow(&w->line, &ways[i], i == 1, byte)) continue;
            if (!accept(w, byte)) {
                fault(w, "accept refuses a byte of the mask");
                continue;
            }
            w->text[w->length++] = byte;
            lowered = lowered || weir_matcher_least_tokens(w->matcher) < least;
            uint32_t rest = walk(w, (way){from, to, ways[i].known + 1, ways[i].place});
            if (rest < FAR && rest + 1 < shortest) shortest = rest + 1;
            w->length--;
            undo(w, 1);
        }
    }
    if (shortest != FAR && least > shortest) fault(w, "least_tokens is above the bytes of the shortest completion");
    /* Where a byte lowers it, the state behind the byte has proven it. */
    if (least != 0 && !lowered && w->satisfiable) complete(w, mask, cut ? w->line.sample : (w->line.sample + 7) / 8);
    return shortest;
}

/* --- one line ----------------------------------------------------------------------------------------------------- */

static void walk_all(world *w, const weir_grammar *grammar) {
    uint32_t least = weir_grammar_least_tokens(grammar), mask[WORDS];
    fill(w, mask);
    if (w->satisfiable ? least != weir_matcher_least_tokens(w->matcher) : least != UINT32_MAX)
        fault(w, "weir_grammar_least_tokens is not that of a new matcher");
    for (uint32_t i = 0; i < WORDS; i++)
        if (!w->satisfiable && mask[i] != 0) fault(w, "an unsatisfiable grammar allows a token");
    walk(w, (way){0, w->line.lexeme_count, 0, {0}});
    if (weir_matcher_token_count(w->matcher) != 0) fault(w, "tokens are left after taking all of them back");
}

/* Compiles the schema of a line and walks its world. */
static void run(void *vocab, const json *text) {
    weir_matcher_options matcher_options = WEIR_MATCHER_OPTIONS_INIT;
    weir_grammar *grammar = NULL;
    weir_error error = {0};
    world *w = calloc(1, sizeof *w);
    if (w == NULL) exit(1);
    bool readable = line_read(text, &w->line);
    const line *line = &w->line;
    weir_status status = WEIR_ERROR_ARGUMENT;
    matcher_options.rollback_tokens = 2048;
    matcher_options.token_budget = line->budget;
    if (!readable) {
        print_head(line->id, "error", "a lexeme is empty or too long");
    } else if ((status = weir_grammar_from_json_schema(vocab, line->schema, line->schema_length, &line->options, &grammar,
                                                       &error)) != WEIR_OK) {
        print_head(line->id, "refused", error.message);
    } else {
        w->satisfiable = weir_grammar_satisfiable(grammar);
        status = weir_matcher_create(grammar, &matcher_options, &w->matcher, &error);
        print_head(line->id,
                   status == WEIR_OK                    ? "ok"
                   : status == WEIR_ERROR_UNSATISFIABLE ? "unsatisfiable"
                                                        : "error",
                   status == WEIR_OK ? "" : error.message);
        printf(",\"satisfiable\":%s", w->satisfiable ? "true" : "false");
    }
    if (w->matcher != NULL) walk_all(w, grammar);
    printf(",\"states\":%llu,\"fault_count\":%u", (unsigned long long)w->states, w->fault_count);
    print_list("accepted", &w->accepted);
    print_list("completions", &w->completions);
    print_list("faults", &w->faults);
    printf("}\n");
    fflush(stdout);
    weir_matcher_destroy(w->matcher);
    weir_grammar_destroy(grammar);
    free(w->line.lexemes);
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
    weir_vocab *vocab = make_vocab();
    if (argc != 2 || vocab == NULL) {
        fprintf(stderr, "usage: weir-small-world LINES.jsonl\n");
        return 1;
    }
    int bad = each_line(argv[1], run, vocab);
    weir_vocab_destroy(vocab);
    return bad;
}
