/* small_world_lines.h - what the programs of the small world share: the lines that say what to walk, and the walk's bounds.
 *
 * A line: {"id","schema_text","options":{"whitespace","indent","whitespace_run","objects","order","depth","budget"},
 * "lexemes":[...],"keys":[...],"max":N,"nest":bool,"sample":N}. A lexeme is a string whose code points, all below 256, are
 * its bytes; `keys` are the lexemes that only stand before a colon. What is walked are all lexeme sequences of at most
 * `max`, with `nest` only those whose open brackets can still be closed. Results are JSON lines; texts in them are spelled
 * like lexemes. */
#ifndef WEIR_TESTS_SMALL_WORLD_LINES_H
#define WEIR_TESTS_SMALL_WORLD_LINES_H

#include <stdint.h>

#include "../host/json.h"

typedef struct buffer {
    char *bytes;
    size_t length, capacity;
    uint32_t count; /* texts in it */
} buffer;

void buffer_put(buffer *out, const char *bytes, size_t length);
/* Bytes as a JSON string whose code points are the bytes. */
void buffer_put_text(buffer *out, const uint8_t *bytes, size_t length);
/* One more of a list of such strings. */
void buffer_add_text(buffer *out, const uint8_t *bytes, size_t length);
/* One more of a list of {"kind","text"}. */
void buffer_add_fault(buffer *out, const char *kind, const uint8_t *bytes, size_t length);

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

typedef struct line {
    uint64_t id;
    const char *schema;
    uint32_t schema_length;
    weir_grammar_options options;
    lexeme *lexemes; /* sorted by bytes */
    uint32_t lexeme_count, max, budget, sample;
    bool nest;
} line;

/* Reads a line; false: a part is missing, or a lexeme is empty or too long. Free the lexemes. The schema is borrowed. */
bool line_read(const json *text, line *out);
/* Only id, schema and options. */
bool line_read_schema(const json *text, line *out);

/* The walk stands before the byte `known` of the lexemes [low, high), which share those before it. */
typedef struct way {
    uint32_t low, high, known;
    place place; /* at the last boundary between lexemes */
} way;

/* At a boundary between lexemes, or inside of some: the ways to go on, at most two: inside the lexeme, or behind the one that
 * has just ended. *cut: one has ended, and the line's bounds leave nothing to go on with. */
uint32_t line_ways(const line *line, way at, way out[2], bool *cut);
/* Not a second number behind a number: 1 and 0 is not 10. */
bool line_may_follow(const line *line, const way *way, bool new_lexeme, uint8_t byte);

/* {"id","status","message" of a result, and one more list in it, which is freed. */
void print_head(uint64_t id, const char *status, const char *message);
void print_list(const char *name, buffer *list);

/* Calls `run` for each JSON line of a file. 0; 1, with a message, when a line or the file cannot be read. */
int each_line(const char *path, void (*run)(void *context, const json *line), void *context);

#endif
