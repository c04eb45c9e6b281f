/* regex_match.c - patterns against strings, for tests/checks/regex.
 *
 *   weir-regex-match [--automata] [--time N] FILE.jsonl
 *
 * In: JSON lines {"pattern":TEXT,"strings":[TEXT...]}; with "minus":PATTERN or "and":PATTERN the automaton is that of
 * the difference or the intersection. Out: a JSON line for each, {"matches":"0110..."}, a digit for each string, or
 * {"error":MESSAGE,"status":NAME}. --automata adds "start" and "states":[[accepts,[lo,hi,target]...]...], --time N the
 * least time of N compiles, "ns", and the "bytes" that one took. */
#define _POSIX_C_SOURCE 200809L /* getline, clock_gettime */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "regex_automaton.h"

static void die(const char *what) {
    fprintf(stderr, "weir-regex-match: %s\n", what);
    exit(1);
}

static void print_text(const char *text) {
    size_t size = json_quote(text, strlen(text), NULL, 0);
    char *quoted = malloc(size + 1);
    if (quoted == NULL) die("out of memory");
    json_quote(text, strlen(text), quoted, size);
    fwrite(quoted, 1, size, stdout);
    free(quoted);
}

static uint64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

/* A compile that only reads patterns; its memory goes with arena_free(&c->arena). */
static const regex *compile(compiler *c, weir_error *error, const json *line) {
    const json *pattern = json_get(line, "pattern"), *minus = json_get(line, "minus"), *both = json_get(line, "and");
    const weir_grammar_options options = WEIR_GRAMMAR_OPTIONS_INIT;
    memset(c, 0, sizeof *c);
    c->options = options;
    c->options.work_limit = 4000000000u;
    c->error = error;
    arena_init(&c->arena, NULL, (size_t)512 << 20);
    if (setjmp(c->exit) != 0) return NULL;
    const regex *r = regex_compile(c, pattern, pattern->text, pattern->length);
    if (minus != NULL) r = regex_subtract(c, minus, r, regex_compile(c, minus, minus->text, minus->length));
    if (both != NULL) r = regex_intersect(c, both, r, regex_compile(c, both, both->text, both->length));
    return r;
}

static void print_automaton(const regex *r) {
    printf(",\"start\":%d,\"states\":[", r->start == NONE ? -1 : (int)r->start);
    for (uint32_t i = 0; i < r->state_count; i++) {
        const regex_state *state = &r->states[i];
        printf("%s[%d", i != 0 ? "," : "", state->accepts);
        for (uint32_t k = state->edges; k < state->edges + state->edge_count; k++) {
            printf(",[%u,%u,%u]", r->edges[k].lo, r->edges[k].hi, r->edges[k].target);
        }
        printf("]");
    }
    printf("]");
}

static void print_time(const json *line, unsigned long repeats) {
    compiler c;
    weir_error error;
    uint64_t least = UINT64_MAX;
    size_t bytes = 0;
    for (unsigned long i = 0; i < repeats; i++) {
        uint64_t start = now();
        compile(&c, &error, line);
        bytes = c.arena.total;
        arena_free(&c.arena);
        uint64_t took = now() - start;
        if (took < least) least = took;
    }
    printf(",\"ns\":%llu,\"bytes\":%zu", (unsigned long long)least, bytes);
}

static void answer(const json *line, bool automata, unsigned long repeats) {
    compiler c;
    weir_error error;
    const json *pattern = json_get(line, "pattern"), *strings = json_get(line, "strings");
    if (pattern == NULL || pattern->kind != JSON_STRING) die("a line has no pattern");
    const regex *r = compile(&c, &error, line);
    if (r == NULL) {
        printf("{\"error\":");
        print_text(error.message);
        printf(",\"status\":\"%s\"", weir_status_name(error.status));
    } else {
        printf("{\"matches\":\"");
        for (const json *s = strings != NULL ? strings->child : NULL; s != NULL; s = s->next) {
            printf("%d", regex_accepts(r, s->text, s->length));
        }
        printf("\"");
        if (automata) print_automaton(r);
    }
    arena_free(&c.arena);
    if (repeats != 0) print_time(line, repeats);
    printf("}\n");
}

int main(int argc, char **argv) {
    const char *path = NULL;
    bool automata = false;
    unsigned long repeats = 0;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--automata") == 0)
            automata = true;
        else if (strcmp(argv[i], "--time") == 0 && i + 1 < argc)
            repeats = strtoul(argv[++i], NULL, 10);
        else
            path = argv[i];
    }
    FILE *file = path != NULL ? fopen(path, "r") : NULL;
    if (file == NULL) die("usage: weir-regex-match [--automata] [--time N] FILE.jsonl");
    char *text = NULL;
    size_t capacity = 0;
    for (ssize_t length; (length = getline(&text, &capacity, file)) > 0;) {
        arena tree;
        const json *line;
        weir_error error;
        arena_init(&tree, NULL, 0);
        if (json_parse(text, (size_t)length, NULL, &tree, &line, &error) != WEIR_OK) die(error.message);
        answer(line, automata, repeats);
        arena_free(&tree);
    }
    free(text);
    fclose(file);
    return 0;
}
