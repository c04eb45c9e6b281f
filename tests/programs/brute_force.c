/* brute_force.c - masks against the recogniser: every token of a vocabulary, in states along random walks.
 *
 *   weir-brute-force --vocab FILE --schemas FILE.jsonl [--count N] [--states N] [--seed S] [--part I/N]
 *                    [--whitespace any|spaced|compact] [--objects standard|closed] [--order schema|any] [--show N]
 *                    [--only ID] [--alone 0|1]
 *
 * In: JSON lines with "id" and "schema". The lines are taken in an order that the seed shuffles, those of part I of N,
 * until `count` schemas were walked that compile and that the recogniser can read. In each of `states` states of a
 * schema the mask and the recogniser must agree on every token: one that is allowed must not be dead, one that is
 * refused must not be alive; special tokens are refused, and a stop token is allowed exactly where the text is
 * complete. Completions of allowed tokens, drawn by chance, are shown by the recogniser, checked by its validator, and
 * taken by the matcher to their end. With --alone 1 the recogniser's own verdicts stand in for masks, so that it can be
 * tried on what does not compile. Out: contradictions, then one JSON line of counts. Exit 0: none; 1: some, or a usage or
 * file error. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "json.h"
#include "recogniser.h"

enum { WALK_TOKENS = 120, COMPLETIONS = 4 };

typedef struct counts {
    unsigned long lines, schemas, uncompiled, unread, unsatisfiable, states, verdicts, alive, dead, unknown,
        contradictions, completions;
} counts;

typedef struct run {
    const char *vocab_path, *schemas_path, *only;
    uint32_t schema_count, state_count, part, parts, show;
    weir_whitespace whitespace;
    weir_objects objects;
    weir_key_order order;
    bool alone;
    uint32_t show_unknown, shown, shown_unknown; /* lines left in all; printed for this schema */
    uint64_t random;

    weir_vocab *vocab;
    uint32_t token_count, words;
    const uint8_t **bytes;
    uint32_t *lengths; /* 0: not a text token */
    recogniser_tokens *tokens;
    uint8_t *verdicts;
    uint32_t *mask, *scratch;
    counts counts;

    /* the schema at hand */
    char id[256];
    recogniser *recogniser;
    weir_matcher *matcher;
} run;

static void die(const char *what, const char *detail) {
    fprintf(stderr, "weir-brute-force: %s%s%s\n", what, detail ? ": " : "", detail ? detail : "");
    exit(1);
}

static void *take(size_t size) {
    void *memory = calloc(1, size ? size : 1);
    if (!memory) die("out of memory", NULL);
    return memory;
}

/* splitmix64 */
static uint64_t draw(run *run) {
    uint64_t z = run->random += 0x9e3779b97f4a7c15ull;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ z >> 27) * 0x94d049bb133111ebull;
    return z ^ z >> 31;
}

static uint32_t draw_below(run *run, uint32_t below) {
    return (uint32_t)((draw(run) >> 32) * below >> 32);
}

/* --- one state -------------------------------------------------------------------------------------------- */

static bool allowed(const run *run, uint32_t token) {
    return run->mask[token / 32] >> token % 32 & 1;
}

static void print_bytes(const void *bytes, size_t length) {
    for (size_t i = 0; i < length; i++) {
        unsigned char c = ((const unsigned char *)bytes)[i];
        printf(c < 0x20 || c == 0x7f ? "\\x%02x" : "%c", c);
    }
}

/* One contradiction, or one verdict that is open: a few of each schema. */
static void report(run *run, const char *kind, uint32_t token, const char *completion) {
    size_t length;
    bool open = kind[0] == 'u';
    uint32_t *shown = open ? &run->shown_unknown : &run->shown, *left = open ? &run->show_unknown : &run->show;
    if (*shown == (open ? 2 : 6) || *left == 0) return;
    ++*shown;
    --*left;
    const char *prefix = recogniser_prefix(run->recogniser, &length);
    printf("%s: schema %s after \"", kind, run->id);
    print_bytes(prefix, length);
    printf("\" token %u \"", token);
    print_bytes(run->bytes[token], run->lengths[token]);
    printf("\"");
    if (completion) {
        printf(" completion ");
        print_bytes(completion, strlen(completion));
    }
    printf("\n");
    fflush(stdout);
}

static void fill_mask(run *run) {
    weir_error error;
    if (run->alone) {
        memset(run->mask, 0, run->words * sizeof *run->mask);
        recogniser_judge(run->recogniser, run->tokens, run->verdicts);
        for (uint32_t token = 0; token < run->token_count; token++)
            if (run->verdicts[token] == RECOGNISER_ALIVE) run->mask[token / 32] |= 1u << token % 32;
        return;
    }
    if (weir_matcher_fill_mask(run->matcher, run->mask, run->words, &error) != WEIR_OK) die("fill_mask", error.message);
}

static void compare_tokens(run *run) {
    counts *counts = &run->counts;
    for (uint32_t token = 0; token < run->token_count; token++) {
        if (run->lengths[token] == 0) continue;
        bool dead = run->verdicts[token] == RECOGNISER_DEAD, alive = run->verdicts[token] == RECOGNISER_ALIVE;
        counts->verdicts++;
        counts->alive += alive;
        counts->dead += dead;
        counts->unknown += !dead && !alive;
        if (!dead && !alive) report(run, "unknown", token, NULL);
        if (allowed(run, token) ? !dead : !alive) continue;
        size_t length;
        const char *completion =
            alive ? recogniser_completion(run->recogniser, run->bytes[token], run->lengths[token], &length) : NULL;
        counts->contradictions++;
        report(run, alive ? "REFUSED BUT ALIVE" : "ALLOWED BUT DEAD", token, completion);
    }
}

/* Stop tokens where the text is complete, and no other token without text. */
static void compare_others(run *run) {
    uint32_t stop_count;
    const uint32_t *stops = weir_vocab_stop_ids(run->vocab, &stop_count);
    bool complete = recogniser_is_complete(run->recogniser);
    for (uint32_t token = 0; token < run->words * 32; token++) {
        if (token < run->token_count && run->lengths[token]) continue;
        bool is_stop = false;
        for (uint32_t i = 0; i < stop_count; i++) is_stop |= stops[i] == token;
        if (allowed(run, token) == (is_stop && complete)) continue;
        run->counts.contradictions++;
        size_t length;
        const char *prefix = recogniser_prefix(run->recogniser, &length);
        printf("STOP OR SPECIAL TOKEN %u: schema %s after \"%.*s\"\n", token, run->id, (int)length, prefix);
    }
}

/* The longest allowed token that the text begins with; UINT32_MAX: none. */
static uint32_t longest_token(const run *run, const uint32_t *mask, const char *text, size_t length) {
    uint32_t best = UINT32_MAX;
    for (uint32_t token = 0; token < run->token_count; token++) {
        uint32_t own = run->lengths[token];
        if (own == 0 || own > length || !(mask[token / 32] >> token % 32 & 1)) continue;
        if ((best == UINT32_MAX || own > run->lengths[best]) && !memcmp(run->bytes[token], text, own)) best = token;
    }
    return best;
}

/* A completion of an allowed token: the recogniser must find one, and the matcher must take it to its end. */
static void check_completion(run *run, uint32_t token) {
    size_t length, at, prefix_length;
    weir_matcher *copy;
    weir_error error;
    const char *text = recogniser_completion(run->recogniser, run->bytes[token], run->lengths[token], &length);
    recogniser_prefix(run->recogniser, &prefix_length);
    run->counts.completions++;
    if (!text && recogniser_gave_up(run->recogniser)) {
        run->counts.unknown++;
        report(run, "unknown", token, NULL);
        return;
    }
    if (!text) {
        run->counts.contradictions++;
        report(run, "NO COMPLETION SHOWN", token, NULL);
        return;
    }
    if (run->alone) return;
    if (weir_matcher_clone(run->matcher, &copy, &error) != WEIR_OK) die("clone", error.message);
    at = prefix_length;
    for (uint32_t next = token; next != UINT32_MAX;) {
        if (weir_matcher_accept(copy, next, NULL) != WEIR_OK) break;
        at += run->lengths[next];
        if (at == length || weir_matcher_fill_mask(copy, run->scratch, run->words, &error) != WEIR_OK) break;
        next = longest_token(run, run->scratch, text + at, length - at);
    }
    if (at != length || !weir_matcher_is_accepting(copy)) {
        run->counts.contradictions++;
        report(run, "COMPLETION NOT TAKEN", token, text);
    }
    weir_matcher_destroy(copy);
}

/* An allowed token whose first byte is drawn first, so that structure comes as often as text. */
static uint32_t draw_by_first_byte(run *run) {
    uint32_t counted[256] = {0}, firsts = 0, byte = 0;
    for (uint32_t token = 0; token < run->token_count; token++)
        if (run->lengths[token] && allowed(run, token)) firsts += counted[run->bytes[token][0]]++ == 0;
    if (firsts == 0) return UINT32_MAX;
    for (uint32_t wanted = draw_below(run, firsts) + 1; wanted > 0; byte++) wanted -= counted[byte] > 0;
    uint32_t wanted = draw_below(run, counted[--byte]);
    for (uint32_t token = 0;; token++)
        if (run->lengths[token] && allowed(run, token) && run->bytes[token][0] == byte && wanted-- == 0) return token;
}

static void judge_state(run *run) {
    run->counts.states++;
    if (!run->alone) recogniser_judge(run->recogniser, run->tokens, run->verdicts);
    compare_tokens(run);
    if (!run->alone) compare_others(run);
    for (uint32_t i = 0; i < COMPLETIONS; i++) {
        uint32_t token = draw_by_first_byte(run);
        if (token != UINT32_MAX && run->verdicts[token] == RECOGNISER_ALIVE) check_completion(run, token);
    }
}

/* --- the walk --------------------------------------------------------------------------------------------- */

static uint32_t draw_evenly(run *run) {
    uint32_t count = 0;
    for (uint32_t token = 0; token < run->token_count; token++) count += run->lengths[token] && allowed(run, token);
    uint32_t wanted = count ? draw_below(run, count) : 0;
    for (uint32_t token = 0; count; token++)
        if (run->lengths[token] && allowed(run, token) && wanted-- == 0) return token;
    return UINT32_MAX;
}

/* Towards the end of the document. */
static uint32_t follow_completion(run *run) {
    size_t length, at;
    recogniser_prefix(run->recogniser, &at);
    const char *text = recogniser_completion(run->recogniser, "", 0, &length);
    return text && length > at ? longest_token(run, run->mask, text + at, length - at) : UINT32_MAX;
}

/* One token on; false: the document has ended. */
static bool step(run *run) {
    uint32_t way = draw_below(run, 10);
    weir_error error;
    uint32_t token = way < 4 ? draw_by_first_byte(run) : way < 6 ? draw_evenly(run) : follow_completion(run);
    if (token == UINT32_MAX) token = draw_by_first_byte(run);
    if (token == UINT32_MAX) return false;
    if (!run->alone && weir_matcher_accept(run->matcher, token, &error) != WEIR_OK) {
        run->counts.contradictions++;
        report(run, "ALLOWED BUT NOT ACCEPTED", token, NULL);
        return false;
    }
    recogniser_append(run->recogniser, run->bytes[token], run->lengths[token]);
    return true;
}

/* From the start to the end of a document, judging about every other state. */
static void walk(run *run, uint32_t *left) {
    if (!run->alone) weir_matcher_reset(run->matcher);
    recogniser_reset(run->recogniser);
    for (uint32_t taken = 0; taken<WALK_TOKENS && * left> 0; taken++) {
        fill_mask(run);
        bool first_walk = taken == 0 && *left == run->state_count;
        if (first_walk || draw_below(run, 2)) {
            judge_state(run);
            --*left;
        }
        if (!step(run)) return;
    }
}

static void walks(run *run) {
    uint32_t left = run->state_count;
    for (uint32_t walks = 0; left > 0 && walks < run->state_count; walks++) walk(run, &left);
}

static bool open_recogniser(run *run, const char *schema, size_t length) {
    recogniser_options options = RECOGNISER_OPTIONS_INIT;
    char why[512];
    options.whitespace = run->whitespace;
    options.objects = run->objects;
    options.order = run->order;
    run->recogniser = recogniser_create(schema, length, &options, why, sizeof why);
    if (run->recogniser) return true;
    run->counts.unread++;
    printf("not read: schema %s %s\n", run->id, why);
    return false;
}

static void walk_grammar(run *run, const weir_grammar *grammar) {
    weir_error error;
    if (weir_matcher_create(grammar, NULL, &run->matcher, &error) == WEIR_OK) {
        walks(run);
        weir_matcher_destroy(run->matcher);
        return;
    }
    if (error.status != WEIR_ERROR_UNSATISFIABLE) die("matcher", error.message);
    run->counts.unsatisfiable++;
    if (recogniser_try(run->recogniser, "", 0) == RECOGNISER_DEAD) return;
    run->counts.contradictions++;
    printf("CALLED UNSATISFIABLE BUT ALIVE: schema %s\n", run->id);
}

static bool walk_schema(run *run, const char *schema, size_t length) {
    weir_grammar_options options = WEIR_GRAMMAR_OPTIONS_INIT;
    weir_grammar *grammar = NULL;
    weir_error error;
    options.whitespace = run->whitespace;
    options.objects = run->objects;
    options.order = run->order;
    if (!run->alone && weir_grammar_from_json_schema(run->vocab, schema, length, &options, &grammar, &error) != WEIR_OK) {
        run->counts.uncompiled++;
        printf("refused: schema %s %s\n", run->id, error.message);
        return false;
    }
    bool read = open_recogniser(run, schema, length);
    if (read && run->alone)
        walks(run);
    else if (read)
        walk_grammar(run, grammar);
    if (read) recogniser_destroy(run->recogniser);
    weir_grammar_destroy(grammar);
    run->counts.schemas += read;
    return read;
}

/* --- files and arguments ---------------------------------------------------------------------------------- */

static char *read_file(const char *path, size_t *length) {
    FILE *file = fopen(path, "rb");
    char *text = NULL;
    size_t capacity = 0;
    if (!file) die("cannot open", path);
    for (*length = 0;;) {
        if (*length + 1 >= capacity) {
            capacity = 2 * capacity + 65536;
            text = realloc(text, capacity);
            if (!text) die("out of memory", NULL);
        }
        size_t got = fread(text + *length, 1, capacity - *length - 1, file);
        if (got == 0) break;
        *length += got;
    }
    fclose(file);
    text[*length] = 0;
    return text;
}

/* The text of the value that begins here: it ends where its brackets do. */
static size_t value_length(const char *text) {
    size_t depth = 0, at = 0;
    do {
        if (text[at] == '"') {
            for (at++; text[at] != '"'; at++) at += text[at] == '\\';
        }
        depth += text[at] == '{' || text[at] == '[';
        depth -= text[at] == '}' || text[at] == ']';
        at++;
    } while (depth > 0 || !strchr(",]} \n\r\t", text[at]));
    return at;
}

static void walk_line(run *run, const char *line, size_t length) {
    arena arena;
    const json *root;
    weir_error error;
    arena_init(&arena, NULL, 0);
    if (json_parse(line, length, NULL, &arena, &root, &error) != WEIR_OK) die("a line is not JSON", error.message);
    const json *schema = json_get(root, "schema"), *id = json_get(root, "id");
    snprintf(run->id, sizeof run->id, "%s", id ? id->text : "?");
    if (schema && (!run->only || !strcmp(run->only, run->id))) {
        clock_t start = clock();
        size_t own = value_length(line + schema->byte);
        run->counts.lines++;
        run->shown = run->shown_unknown = 0;
        unsigned long unknown = run->counts.unknown, verdicts = run->counts.verdicts;
        bool walked = walk_schema(run, line + schema->byte, own);
        double seconds = (double)(clock() - start) / CLOCKS_PER_SEC;
        if (walked && seconds > 20) printf("slow: schema %s %.1f s\n", run->id, seconds);
        unknown = run->counts.unknown - unknown;
        verdicts = run->counts.verdicts - verdicts;
        if (unknown > verdicts / 200) printf("vague: schema %s %lu unknown\n", run->id, unknown);
    }
    arena_free(&arena);
}

static void walk_file(run *run) {
    size_t length, line_count = 0;
    char *text = read_file(run->schemas_path, &length);
    for (size_t i = 0; i < length; i++) line_count += text[i] == '\n';
    char **lines = take((line_count + 1) * sizeof *lines);
    size_t *order = take((line_count + 1) * sizeof *order);
    char *line = text;
    for (size_t i = 0; i < line_count; i++) {
        lines[i] = line;
        order[i] = i;
        line = strchr(line, '\n') + 1;
    }
    lines[line_count] = line;
    for (size_t i = line_count; i > 1; i--) { /* the same order for every part */
        size_t other = draw_below(run, (uint32_t)i), kept = order[i - 1];
        order[i - 1] = order[other];
        order[other] = kept;
    }
    for (size_t i = run->part; i < line_count && run->counts.schemas < run->schema_count; i += run->parts)
        walk_line(run, lines[order[i]], (size_t)(lines[order[i] + 1] - lines[order[i]]) - 1);
    free(order);
    free(lines);
    free(text);
}

static void open_vocab(run *run) {
    weir_error error;
    if (weir_vocab_load(run->vocab_path, NULL, &run->vocab, &error) != WEIR_OK) die(run->vocab_path, error.message);
    run->token_count = weir_vocab_token_count(run->vocab);
    if (run->token_count > weir_vocab_logits_width(run->vocab)) run->token_count = weir_vocab_logits_width(run->vocab);
    run->words = weir_vocab_mask_words(run->vocab);
    run->bytes = take(run->token_count * sizeof *run->bytes);
    run->lengths = take(run->token_count * sizeof *run->lengths);
    run->verdicts = take(run->token_count);
    run->mask = take(run->words * sizeof *run->mask);
    run->scratch = take(run->words * sizeof *run->scratch);
    for (uint32_t token = 0; token < run->token_count; token++) {
        run->bytes[token] = weir_vocab_token(run->vocab, token, &run->lengths[token]);
        if (weir_vocab_is_special(run->vocab, token)) run->lengths[token] = 0;
    }
    run->tokens = recogniser_tokens_create(run->bytes, run->lengths, run->token_count);
}

static void read_arguments(run *run, int argc, char **argv) {
    static const char *const policies[] = {"any", "compact", "spaced"};
    for (int i = 1; i < argc; i += 2) {
        const char *name = argv[i], *value = i + 1 < argc ? argv[i + 1] : NULL;
        if (!value) die("usage: see the head of tests/programs/brute_force.c", name);
        if (!strcmp(name, "--vocab"))
            run->vocab_path = value;
        else if (!strcmp(name, "--schemas"))
            run->schemas_path = value;
        else if (!strcmp(name, "--only"))
            run->only = value;
        else if (!strcmp(name, "--count"))
            run->schema_count = (uint32_t)strtoul(value, NULL, 10);
        else if (!strcmp(name, "--states"))
            run->state_count = (uint32_t)strtoul(value, NULL, 10);
        else if (!strcmp(name, "--show"))
            run->show = (uint32_t)strtoul(value, NULL, 10);
        else if (!strcmp(name, "--seed"))
            run->random = strtoull(value, NULL, 10);
        else if (!strcmp(name, "--objects"))
            run->objects = !strcmp(value, "closed");
        else if (!strcmp(name, "--order"))
            run->order = !strcmp(value, "any");
        else if (!strcmp(name, "--alone"))
            run->alone = !strcmp(value, "1");
        else if (!strcmp(name, "--part")) {
            if (sscanf(value, "%u/%u", &run->part, &run->parts) != 2 || run->part >= run->parts) die(name, value);
        } else if (!strcmp(name, "--whitespace")) {
            uint32_t policy = 0;
            while (policy < 3 && strcmp(value, policies[policy])) policy++;
            if (policy == 3) die(name, value);
            run->whitespace = (weir_whitespace)policy;
        } else {
            die("unknown argument", name);
        }
    }
    if (!run->vocab_path || !run->schemas_path) die("--vocab and --schemas are needed", NULL);
}

int main(int argc, char **argv) {
    static run run = {.schema_count = 25, .state_count = 20, .parts = 1, .show = 60, .show_unknown = 10, .random = 1};
    read_arguments(&run, argc, argv);
    open_vocab(&run);
    walk_file(&run);
    const counts *c = &run.counts;
    printf("{\"summary\":\"brute_force\",\"lines\":%lu,\"schemas\":%lu,\"uncompiled\":%lu,\"unread\":%lu,"
           "\"unsatisfiable\":%lu,\"states\":%lu,\"verdicts\":%lu,\"alive\":%lu,\"dead\":%lu,\"unknown\":%lu,"
           "\"completions\":%lu,\"contradictions\":%lu}\n",
           c->lines, c->schemas, c->uncompiled, c->unread, c->unsatisfiable, c->states, c->verdicts, c->alive, c->dead,
           c->unknown, c->completions, c->contradictions);
    recogniser_tokens_destroy(run.tokens);
    free(run.bytes);
    free(run.lengths);
    free(run.verdicts);
    free(run.mask);
    free(run.scratch);
    weir_vocab_destroy(run.vocab);
    return c->contradictions ? 1 : 0;
}
