/* recogniser_world.c - the small world walked by the recogniser in place of the library: what small_world.py finds here are
 * faults of the oracle.
 *
 *   tests/small_world.py --bin build/bin/weir-recogniser-world
 *
 * In: a file of lines as tests/small_world_lines.h says; a line with "texts" asks about each of them. Out: a JSON line for
 * each: {"id","status","message","states","unknown","accepted":[...],"completions":[...],"faults":[{"kind","text"}]}, or, a
 * digit for each text, {"id","status","message","valid":"0101","reached":"0121"}: what the validator says; and whether the
 * text is complete and each of its prefixes alive (1), not dead (2), or one of them dead (0). A text is accepted when it is
 * alive and complete. Of the prefixes that are alive some are completed: that must succeed. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "recogniser_parts.h"
#include "small_world_lines.h"

enum { TEXT_MAX = 256, FAULT_MAX = 20 };

typedef struct world {
    line line;
    recogniser *walker, *completer; /* completions end what the walker keeps of its prefixes */
    uint32_t length, completed, fault_count;
    uint64_t states, unknown;
    buffer accepted, completions, faults, unsure;
} world;

static void fault(world *w, const char *kind) {
    if (w->fault_count++ < FAULT_MAX)
        buffer_add_fault(&w->faults, kind, (const uint8_t *)w->walker->document, w->length);
}

static void complete(world *w) {
    size_t length;
    if (w->completed++ % w->line.sample != 0) return;
    const char *text = recogniser_completion(w->completer, w->walker->document, w->length, &length);
    if (!text)
        fault(w, "no completion is shown");
    else
        buffer_add_text(&w->completions, (const uint8_t *)text, length);
}

static void walk(world *w, const text_state *state, way at) {
    recogniser *r = w->walker;
    bool cut;
    way ways[2];
    answer verdict = text_verdict(r, state, w->length);
    w->states++;
    w->unknown += verdict == MAYBE;
    if (verdict == MAYBE) buffer_add_text(&w->unsure, (const uint8_t *)r->document, w->length);
    if (verdict == NO) return;
    if (verdict == YES && text_complete(r, state, w->length))
        buffer_add_text(&w->accepted, (const uint8_t *)r->document, w->length);
    if (verdict == YES) complete(w);
    uint32_t way_count = line_ways(&w->line, at, ways, &cut);
    const lexeme *lexemes = w->line.lexemes;
    for (uint32_t i = 0; i < way_count; i++) {
        for (uint32_t from = ways[i].low, to; from < ways[i].high; from = to) {
            uint8_t byte = lexemes[from].bytes[ways[i].known];
            for (to = from; to < ways[i].high && lexemes[to].bytes[ways[i].known] == byte; to++) {
            }
            if (w->length + 1 >= TEXT_MAX || !line_may_follow(&w->line, &ways[i], i == 1, byte)) continue;
            text_state next = *state;
            r->document[w->length] = (char)byte;
            if (!text_step(r, &next, w->length)) continue;
            w->length++;
            walk(w, &next, (way){from, to, ways[i].known + 1, ways[i].place});
            w->length--;
        }
    }
}

static recogniser *open_recogniser(const line *line, char *why, size_t capacity) {
    recogniser_options options = RECOGNISER_OPTIONS_INIT;
    options.whitespace = line->options.whitespace;
    options.whitespace_run = line->options.whitespace_run;
    options.objects = line->options.objects;
    options.order = line->options.order;
    options.depth_limit = line->options.depth_limit;
    recogniser *r = recogniser_create(line->schema, line->schema_length, &options, why, capacity);
    if (r) recogniser_append(r, "", 0);
    if (r) r->frames = &r->scratch;
    return r;
}

static void walk_line(world *w) {
    char room[TEXT_MAX];
    recogniser *r = w->walker;
    memset(room, ' ', sizeof room);
    recogniser_try(r, room, sizeof room); /* makes room for the text */
    r->frames = &r->scratch;
    walk(w, r->state, (way){0, w->line.lexeme_count, 0, {0}});
    printf(",\"states\":%llu,\"unknown\":%llu,\"fault_count\":%u", (unsigned long long)w->states,
           (unsigned long long)w->unknown, w->fault_count);
    print_list("accepted", &w->accepted);
    print_list("completions", &w->completions);
    print_list("faults", &w->faults);
    print_list("unsure", &w->unsure);
}

static char reach(recogniser *r, const json *text) {
    recogniser_verdict worst = RECOGNISER_ALIVE;
    size_t length;
    for (uint32_t i = 0; i <= text->length && worst != RECOGNISER_DEAD; i++) {
        recogniser_verdict verdict = recogniser_try(r, text->text, i);
        if (verdict != RECOGNISER_ALIVE) worst = verdict;
    }
    if (worst == RECOGNISER_ALIVE && (!recogniser_completion(r, text->text, text->length, &length) || length != text->length))
        worst = RECOGNISER_DEAD;
    return worst == RECOGNISER_ALIVE ? '1' : worst == RECOGNISER_UNKNOWN ? '2' : '0';
}

static void ask(recogniser *r, const json *texts) {
    printf(",\"valid\":\"");
    for (const json *text = texts->child; text; text = text->next)
        putchar(recogniser_validate(r, text->text, text->length) ? '1' : '0');
    printf("\",\"reached\":\"");
    for (const json *text = texts->child; text; text = text->next) putchar(reach(r, text));
    printf("\"");
}

static void run(void *context, const json *text) {
    world *w = calloc(1, sizeof *w);
    const json *texts = json_get(text, "texts");
    char why[512] = "a line that is not complete";
    (void)context;
    if (!w) exit(1);
    bool readable = texts ? line_read_schema(text, &w->line) : line_read(text, &w->line);
    if (w->line.budget || w->line.options.whitespace == WEIR_WHITESPACE_PRETTY) {
        readable = false;
        snprintf(why, sizeof why, "options.%s: not supported", w->line.budget ? "budget" : "pretty");
    }
    if (readable) w->walker = open_recogniser(&w->line, why, sizeof why);
    if (w->walker) w->completer = open_recogniser(&w->line, why, sizeof why);
    print_head(w->line.id, w->walker ? "ok" : "refused", w->walker ? "" : why);
    if (w->walker && texts) ask(w->walker, texts);
    if (w->walker && !texts) walk_line(w);
    printf("}\n");
    fflush(stdout);
    recogniser_destroy(w->walker);
    recogniser_destroy(w->completer);
    free(w->line.lexemes);
    free(w);
}

int main(int argc, char **argv) {
    if (argc != 2) {
        fprintf(stderr, "usage: weir-recogniser-world LINES.jsonl\n");
        return 1;
    }
    return each_line(argv[1], run, NULL);
}
