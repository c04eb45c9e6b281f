/* program.h - what weir-generate, weir-explain and the benches share: flags, files, the vocabulary, exit codes. */
#ifndef WEIR_EXAMPLES_PROGRAM_H
#define WEIR_EXAMPLES_PROGRAM_H

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "weir.h"

enum { EXIT_DONE = 0, EXIT_USAGE = 1, EXIT_SCHEMA = 2, EXIT_VOCAB = 3, EXIT_NOTHING = 4 };

/* --- files ------------------------------------------------------------------------------------------------------ */

/* The whole file, NUL-terminated; NULL with a message when it cannot be read. Free it. */
static inline char *read_file(const char *program, const char *path, size_t *length)
{
    FILE *file = fopen(path, "rb");
    char *text = NULL;
    size_t capacity = 1 << 16, count = 0;
    bool failed = file == NULL;
    errno = failed ? errno : 0;
    *length = 0;
    while (!failed) {
        char *larger = realloc(text, capacity *= 2);
        if ((failed = larger == NULL)) break;
        text = larger;
        count = fread(text + *length, 1, capacity - *length - 1, file);
        *length += count;
        failed = ferror(file) != 0;
        if (*length + 1 < capacity) break;
    }
    if (failed) {
        fprintf(stderr, "%s: %s: %s\n", program, path, strerror(errno ? errno : EIO));
        free(text);
        text = NULL;
    } else {
        text[*length] = '\0';
    }
    if (file != NULL) fclose(file);
    return text;
}

/* One past the last byte of the value that begins at `at`, in text that has been read as JSON. */
static inline size_t json_text_end(const char *text, size_t length, size_t at)
{
    size_t depth = 0;
    do {
        if (text[at] == '"') {
            for (at++; text[at] != '"'; at++) at += text[at] == '\\';
        } else if (text[at] == '{' || text[at] == '[') {
            depth++;
        } else if (text[at] == '}' || text[at] == ']') {
            depth--;
        } else if (depth == 0) {
            while (at + 1 < length && strchr(",]} \t\r\n", text[at + 1]) == NULL) at++;
        }
        at++;
    } while (depth > 0 && at < length);
    return at;
}

/* --- flags: each gives false, with a message where it takes `program` ------------------------------------------- */

static inline bool complain(const char *program, const char *flag, const char *value, const char *expected)
{
    fprintf(stderr, "%s: %s: found \"%s\", expected %s\n", program, flag, value, expected);
    return false;
}

static inline bool read_unsigned(const char *text, uint64_t least, uint64_t most, uint64_t *out)
{
    char *end = NULL;
    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end != '\0' || errno != 0) return false;
    *out = value;
    return value >= least && value <= most;
}

/* "any", "compact", "spaced", "pretty" or "pretty:N". */
static inline bool read_whitespace(const char *text, weir_grammar_options *out)
{
    uint64_t indent = 2;
    if (strcmp(text, "any") == 0) out->whitespace = WEIR_WHITESPACE_ANY;
    else if (strcmp(text, "compact") == 0) out->whitespace = WEIR_WHITESPACE_COMPACT;
    else if (strcmp(text, "spaced") == 0) out->whitespace = WEIR_WHITESPACE_SPACED;
    else if (strcmp(text, "pretty") == 0) out->whitespace = WEIR_WHITESPACE_PRETTY;
    else if (strncmp(text, "pretty:", 7) == 0 && read_unsigned(text + 7, 0, 16, &indent)) {
        out->whitespace = WEIR_WHITESPACE_PRETTY;
    } else return false;
    out->indent = (uint32_t)indent;
    return true;
}

static inline bool read_order(const char *text, weir_grammar_options *out)
{
    bool any = strcmp(text, "any") == 0;
    out->order = any ? WEIR_ORDER_ANY : WEIR_ORDER_SCHEMA;
    return any || strcmp(text, "schema") == 0;
}

static inline bool read_objects(const char *text, weir_grammar_options *out)
{
    bool closed = strcmp(text, "closed") == 0;
    out->objects = closed ? WEIR_OBJECTS_CLOSED : WEIR_OBJECTS_STANDARD;
    return closed || strcmp(text, "standard") == 0;
}

/* --- the vocabulary --------------------------------------------------------------------------------------------- */

typedef struct vocab_choice {
    const char *file; /* NULL: the embedded one */
    uint32_t stops[64], stop_count;
} vocab_choice;

/* "ID" or "ID,ID". */
static inline bool read_stops(const char *text, vocab_choice *out)
{
    for (const char *at = text;; at++) {
        char *end = NULL;
        errno = 0;
        unsigned long long id = strtoull(at, &end, 10);
        if (*at < '0' || *at > '9' || errno != 0 || id >= UINT32_MAX || out->stop_count == 64) return false;
        out->stops[out->stop_count++] = (uint32_t)id;
        if (*end == '\0') return true;
        if (*end != ',') return false;
        at = end;
    }
}

/* "#/pointer: message" or "byte N: message". */
static inline void describe_error(const weir_error *error, char *out, size_t capacity)
{
    const char *message = error->message[0] ? error->message : weir_status_name(error->status);
    if (error->status == WEIR_ERROR_SCHEMA || error->pointer[0]) {
        snprintf(out, capacity, "#%s: %s", error->pointer, message);
    } else if (error->byte >= 0) {
        snprintf(out, capacity, "byte %" PRId64 ": %s", error->byte, message);
    } else {
        snprintf(out, capacity, "%s", message);
    }
}

/* Says what failed on stderr; gives the exit code. */
static inline int report_failure(const char *program, const char *what, const weir_error *error)
{
    char text[sizeof error->message + sizeof error->pointer + 32];
    describe_error(error, text, sizeof text);
    fprintf(stderr, "%s: %s: %s\n", program, what, text);
    switch (error->status) {
    case WEIR_ERROR_JSON:
    case WEIR_ERROR_SCHEMA:
    case WEIR_ERROR_LIMIT: return EXIT_SCHEMA;
    case WEIR_ERROR_VOCAB: return EXIT_VOCAB;
    case WEIR_ERROR_UNSATISFIABLE: return EXIT_NOTHING;
    default: return EXIT_USAGE;
    }
}

/* EXIT_DONE, or the exit code after a message. */
static inline int load_vocab(const char *program, const vocab_choice *choice, weir_vocab **out)
{
    weir_vocab_options options = WEIR_VOCAB_OPTIONS_INIT;
    weir_error error = {.byte = -1};
    options.stop_ids = choice->stop_count > 0 ? choice->stops : NULL;
    options.stop_count = choice->stop_count;
    weir_status status = choice->file ? weir_vocab_load(choice->file, &options, out, &error)
                                      : weir_vocab_default(&options, out, &error);
    if (status == WEIR_OK) return EXIT_DONE;
    report_failure(program, choice->file ? "--vocab" : "the embedded vocabulary", &error);
    return status == WEIR_ERROR_FILE || status == WEIR_ERROR_MEMORY ? EXIT_USAGE : EXIT_VOCAB;
}

#endif
